// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * loader: puts a file, or a number of up to eight bytes, into memory before the machine starts, and
 * may let a CPU begin there. Files are ELF executables, or raw with force-raw or an address.
 * Left out: U-Boot and Intel HEX images, address spaces of single CPUs.
 */
#include "exec/cpu.h"
#include "exec/loader.h"
#include "qom/vm.h"
#include "util/bswap.h"
#include "util/error.h"

#define NO_CPU UINT32_MAX

typedef struct Loader {
    Device dev;
    uint64_t addr, data, entry;
    uint8_t data_len;
    bool data_be, force_raw, sets_pc;
    uint32_t cpu_num;
    char *file;
} Loader;

static void set_pc(void *opaque)
{
    Loader *s = opaque;
    Cpu *cpu = cpu_by_index(s->dev.vm, s->cpu_num == NO_CPU ? 0 : s->cpu_num);

    if (cpu && cpu->arch->set_pc) {
        cpu->arch->set_pc(cpu, s->entry);
    }
}

static bool load_data(Loader *s, GError **error)
{
    uint8_t bytes[8] = {0};

    if (s->data_len > sizeof(bytes)) {
        return fail(error, "data-len cannot be greater then 8 bytes");
    }
    for (unsigned i = 0; i < s->data_len; i++) {
        bytes[s->data_be ? s->data_len - 1u - i : i] = (uint8_t)(s->data >> 8 * i);
    }
    rom_add_blob("loader", bytes, s->data_len, s->addr, NULL);
    return true;
}

static bool load_image(Loader *s, GError **error)
{
    if (!s->force_raw && file_is_elf(s->file)) {
        ElfInfo info;

        if (!load_elf(s->file, 0, &info, error)) {
            g_prefix_error(error, "Cannot load specified image %s: ", s->file);
            return false;
        }
        s->entry = info.entry;
        s->sets_pc = s->cpu_num != NO_CPU;
        return true;
    }
    s->entry = s->addr;
    s->sets_pc = s->cpu_num != NO_CPU;
    if (!rom_add_file(s->file, s->addr, 0, NULL, error)) {
        g_prefix_error(error, "Cannot load specified image %s: ", s->file);
        return false;
    }
    return true;
}

static bool loader_realize(Device *d, GError **error)
{
    Loader *s = (Loader *)d;

    if (d->hotplugged) {
        return fail(error, "loader: it acts before the machine starts");
    }
    if (s->data_len || s->data || s->data_be) {
        if (s->file) {
            return fail(error, "Specifying a file is not supported when loading memory values");
        }
        if (s->force_raw) {
            return fail(error, "Specifying force-raw is not supported when loading memory values");
        }
        if (s->data_len == 0) {
            return fail(error, "Both data and data-len must be specified");
        }
    } else if (!s->file && s->cpu_num == NO_CPU) {
        return fail(error, "please include valid arguments");
    }
    if (s->cpu_num != NO_CPU && !cpu_by_index(d->vm, s->cpu_num)) {
        return fail(error, "Specified boot CPU#%u is nonexistent", s->cpu_num);
    }
    if (s->data_len ? !load_data(s, error) : s->file && !load_image(s, error)) {
        return false;
    }
    if (!s->data_len && !s->file) {
        s->entry = s->addr;
        s->sets_pc = true;
    }
    if (s->sets_pc) {
        vm_reset_add(d->vm, set_pc, s);
    }
    return true;
}

static void loader_unrealize(Device *d)
{
    if (((Loader *)d)->sets_pc) {
        vm_reset_remove(d->vm, set_pc, d);
    }
}

static const Prop loader_props[] = {
    PROP_U64(Loader, addr, "addr", 0, .help = "where it goes, or where the CPU begins"),
    PROP_U64(Loader, data, "data", 0, .help = "a number"),
    PROP_U8(Loader, data_len, "data-len", 0, .help = "its bytes, 1 to 8"),
    PROP_BOOL(Loader, data_be, "data-be", false, .help = "it is big-endian"),
    PROP_U32(Loader, cpu_num, "cpu-num", NO_CPU, .help = "CPU that begins there"),
    PROP_BOOL(Loader, force_raw, "force-raw", false, .help = "an ELF file, too, goes there as it is"),
    PROP_STRING(Loader, file, "file"),
    PROP_END,
};

static const StateField loader_state[] = {
    HOST_ONLY(Loader, entry, "constant"),
    HOST_ONLY(Loader, sets_pc, "constant"),
    STATE_END,
};

static const DeviceType loader_type = {
    .name = "loader", .category = "misc", .desc = "Generic Loader", .size = sizeof(Loader),
    .state_version = 1, .props = loader_props, .state = loader_state, .realize = loader_realize,
    .unrealize = loader_unrealize,
};
DEVICE_TYPE(loader_type);
