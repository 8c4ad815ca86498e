// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * M-profile CPUs for boards: an address space of its own with system memory and the private
 * peripherals, the CPU, and -kernel.
 */
#include "hw/arm/armv7m.h"

#include <string.h>
#include "exec/bank.h"
#include "exec/loader.h"
#include "hw/arm/armv7m-internal.h"
#include "hw/timer/systick.h"

typedef struct Armv7m {
    Region root, memory;
    AddressSpace as;
} Armv7m;

/* ---- the CPU ---- */

static bool check_cpu(Vm *vm, const char *model, GError **error)
{
    g_autofree char *name = g_strndup(model, strcspn(model, ","));

    if (g_str_has_suffix(name, "-arm-cpu")) {
        name[strlen(name) - strlen("-arm-cpu")] = '\0';
    }
    if (!g_str_has_prefix(name, "cortex-m")) {
        return fail(error, "CPU model '%s': machine '%s' takes M-profile CPUs only", name,
                    vm->machine_type->machine_name);
    }
    return true;
}

static Device *systick_make(Board *b, const Armv7mConfig *c, Device *nvic, unsigned n,
                            GError **error)
{
    g_autofree char *props = g_strdup_printf(
        "cpu-hz=%" G_GUINT64_FORMAT ",ref-hz=%" G_GUINT64_FORMAT, c->cpu_hz, c->ref_hz);
    Device *d = board_make(b, "armv7m_systick", props, error);

    if (d) {
        wire(d, "irq", 0, nvic, "systick", n);
    }
    return d;
}

static bool bitband_make(Board *b, Armv7m *m, uint32_t base, GError **error)
{
    Device *d = device_new(b->vm, "ARM-bitband-memory", error);

    if (!d) {
        return false;
    }
    ((Bitband *)d)->base = base;
    ((Bitband *)d)->as = &m->as;
    if (!device_realize(d, NULL, NULL, error)) {
        return false;
    }
    region_add(&m->root, base + 0x2000000, device_region(d, "mmio"), 0);
    return true;
}

static Cpu *cpu_make(Board *b, const Armv7mConfig *c, Armv7m *m, GError **error)
{
    const char *model = c->cpu             ? c->cpu
                        : b->vm->cpu_model ? b->vm->cpu_model
                                           : b->vm->machine_type->default_cpu;
    const ArmMConfig config = {
        .memory = &m->as,
        .vtor_secure = c->vtor_secure,
        .vtor = c->vtor,
        .num_irqs = c->irqs,
        .prio_bits = c->prio_bits,
        .idau = c->idau,
        .idau_opaque = c->idau_opaque,
    };
    Cpu *cpu;

    if (!check_cpu(b->vm, model, error)) {
        return NULL;
    }
    cpu = target_arch->create(b->vm, model, error);
    if (!cpu) {
        return NULL;
    }
    target_arch->arm->m.configure(cpu, &config);
    return board_cpu_realize(cpu, c->cpu_props, error) ? cpu : NULL;
}

Device *armv7m_create(Board *b, const Armv7mConfig *c, GError **error)
{
    Armv7m *m = g_new0(Armv7m, 1);              /* lives as long as the machine */
    Nvic *nvic = (Nvic *)device_new(b->vm, "armv7m_nvic", error);

    if (!nvic) {
        return NULL;
    }
    region_init_container(&m->root, NULL, "armv7m-container", 4 * GIB);
    region_init_alias(&m->memory, NULL, "armv7m-memory", c->memory ? c->memory : b->vm->memory, 0,
                      4 * GIB);
    region_add(&m->root, 0, &m->memory, -1);
    address_space_init(&m->as, &m->root, "armv7m-cpu");
    nvic->cpu = cpu_make(b, c, m, error);
    if (!nvic->cpu) {
        object_unref(&nvic->dev.obj);
        return NULL;
    }
    nvic->num_irqs = c->irqs;
    nvic->root = &m->root;
    nvic->secure = target_arch->arm->m.has_security(nvic->cpu);
    if (!device_realize(&nvic->dev, NULL, NULL, error)) {
        return NULL;
    }
    for (unsigned i = 0; i <= nvic->secure; i++) {
        nvic->systick[i] = systick_make(b, c, &nvic->dev, i, error);
        if (!nvic->systick[i]) {
            return NULL;
        }
    }
    if (c->bitband &&
        (!bitband_make(b, m, 0x20000000, error) || !bitband_make(b, m, 0x40000000, error))) {
        return NULL;
    }
    if (!b->intc) {
        b->intc = &nvic->dev;
        b->intc_pin = "irq";
    }
    return &nvic->dev;
}

Cpu *armv7m_cpu(Device *intc)
{
    return ((Nvic *)intc)->cpu;
}

void armv7m_set_cpu_hz(Device *intc, uint64_t hz)
{
    for (unsigned i = 0; i < 2; i++) {
        if (((Nvic *)intc)->systick[i]) {
            systick_set_cpu_hz(((Nvic *)intc)->systick[i], hz);
        }
    }
}

/* ---- -kernel ---- */

static int hex_digits(const char *p, unsigned n)
{
    int v = 0;

    for (unsigned i = 0; i < n; i++) {
        int d = g_ascii_xdigit_value(p[i]);

        if (d < 0) {
            return -1;
        }
        v = v << 4 | d;
    }
    return v;
}

/* One record of Intel HEX at p; *next is behind it. False: malformed. */
static bool hex_record(const char *p, const char *end, uint8_t *bytes, unsigned *len,
                       unsigned *offset, unsigned *type, const char **next)
{
    unsigned sum = 0;
    int v;

    if (end - p < 11 || *p != ':' || (v = hex_digits(p + 1, 2)) < 0 || end - p < 11 + 2 * v) {
        return false;
    }
    *len = (unsigned)v;
    for (unsigned i = 0; i < *len + 5; i++) {
        v = hex_digits(p + 1 + 2 * i, 2);
        if (v < 0) {
            return false;
        }
        bytes[i] = (uint8_t)v;
        sum += (unsigned)v;
    }
    *offset = (unsigned)bytes[1] << 8 | bytes[2];
    *type = bytes[3];
    *next = p + 11 + 2 * *len;
    while (*next < end && (**next == '\r' || **next == '\n')) {
        (*next)++;
    }
    return (sum & 0xff) == 0;
}

static bool load_hex(const char *path, const char *text, size_t size, GError **error)
{
    const char *p = text, *end = text + size;
    uint8_t bytes[260];
    uint32_t base = 0;
    unsigned len, offset, type, line = 1;

    for (; p < end; line++) {
        if (!hex_record(p, end, bytes, &len, &offset, &type, &p)) {
            return fail(error, "kernel '%s': line %u is no Intel HEX record", path, line);
        }
        if (type == 1) {
            return true;
        }
        if (type == 0) {
            rom_add_blob("kernel", bytes + 4, len, base + offset, NULL);
        } else if ((type == 2 || type == 4) && len == 2) {
            base = ((uint32_t)bytes[4] << 8 | bytes[5]) << (type == 2 ? 4 : 16);
        }
    }
    return fail(error, "kernel '%s': Intel HEX without an end record", path);
}

bool armv7m_load(Board *b, hwaddr base, uint64_t size, GError **error)
{
    const char *path = b->vm->kernel;
    g_autofree uint8_t *data = NULL;
    size_t len = 0;
    ElfInfo info;

    if (!path) {
        return true;
    }
    if (file_is_elf(path)) {
        return load_elf(path, 40, &info, error);
    }
    if (!load_file(path, "kernel", 64 * MIB, &data, &len, error)) {
        return false;
    }
    if (len > 11 && data[0] == ':') {
        return load_hex(path, (const char *)data, len, error);
    }
    if (len > size) {
        return fail(error, "kernel '%s' (%zu bytes) does not fit into %" G_GUINT64_FORMAT " bytes",
                    path, len, size);
    }
    rom_add_blob("kernel", data, len, base, NULL);
    return true;
}

void armv7m_boot_at(Board *b, hwaddr base, uint64_t size)
{
    b->boot.ram_base = base;
    b->boot.ram_size = size;
}

bool armv7m_done(Vm *vm, GError **error)
{
    Board *b = vm_published(vm, "board");

    return armv7m_load(b, b->boot.ram_base, b->boot.ram_size, error);
}
