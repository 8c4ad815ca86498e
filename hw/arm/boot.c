// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -kernel for ARM machines: Linux' Documentation/arm64/booting.rst and arm/booting.rst, U-Boot's
 * legacy image header, ELF. Files are hostile input: sizes are checked against RAM.
 */
#include "hw/arm/boot.h"
#include <zlib.h>
#include "exec/arm-cpu.h"
#include "exec/loader.h"

#define KERNEL_LIMIT (1 * GIB)
#define ELF_ARM 40
#define ELF_AARCH64 183
#define ZIMAGE_OFFSET 0x10000
#define ATAGS_OFFSET 0x100
#define IMAGE_OFFSET 0x80000
#define DT_ROOM (2 * MIB)

typedef struct Kernel {
    uint8_t *data;
    size_t len;
    hwaddr load, entry, end;     /* end: behind what the kernel needs while it starts */
    bool linux_kernel;           /* wants device tree and registers */
    bool aarch64;
} Kernel;

static uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static uint64_t get_le64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return GUINT64_FROM_LE(v);
}

/* ---- files ---- */

/* Replaces gzip data by what it holds. */
static bool unpack(const char *path, uint8_t **data, size_t *len, GError **error)
{
    z_stream z = { .next_in = *data, .avail_in = *len };
    size_t room = *len * 4 + MIB, done = 0;
    g_autofree uint8_t *out = g_malloc(room);
    int code = inflateInit2(&z, 15 + 32);

    while (code == Z_OK) {
        if (done == room) {
            if (room >= KERNEL_LIMIT) {
                break;
            }
            room *= 2;
            out = g_realloc(out, room);
        }
        z.next_out = out + done;
        z.avail_out = MIN(room - done, UINT32_MAX);
        code = inflate(&z, Z_NO_FLUSH);
        done = z.next_out - out;
    }
    inflateEnd(&z);
    if (code != Z_STREAM_END) {
        return fail(error, "kernel '%s': broken or too large gzip data", path);
    }
    g_free(*data);
    *data = g_steal_pointer(&out);
    *len = done;
    return true;
}

/* U-Boot's legacy header: big-endian, 64 bytes. */
static bool parse_uimage(const char *path, Kernel *k, GError **error)
{
    uint32_t size = get_be32(k->data + 12), load = get_be32(k->data + 16),
             entry = get_be32(k->data + 20);
    uint8_t os = k->data[28], type = k->data[30], comp = k->data[31];

    if (type != 2 && type != 14) {
        return fail(error, "kernel '%s': a U-Boot image, but no kernel (type %u)", path, type);
    }
    if (comp > 1 || size > k->len - 64) {
        return fail(error, "kernel '%s': a U-Boot image %s", path,
                    comp > 1 ? "with unknown compression" : "cut short");
    }
    memmove(k->data, k->data + 64, size);
    k->len = size;
    if (comp == 1 && !unpack(path, &k->data, &k->len, error)) {
        return false;
    }
    /* type 14: wherever it is loaded */
    k->load = type == 14 ? 0 : load;
    k->entry = type == 14 ? 0 : entry;
    k->linux_kernel = os == 5;
    return true;
}

static void parse_image(const ArmBoot *b, Kernel *k)
{
    uint64_t offset = get_le64(k->data + 8), size = get_le64(k->data + 16);

    if (size == 0) {
        offset = IMAGE_OFFSET;
        size = k->len;
    }
    /* Room for what stands at the base of RAM. */
    if (offset < 4096) {
        offset += 2 * MIB;
    }
    k->load = k->entry = b->ram_base + offset;
    k->end = k->load + MAX(size, k->len);
    k->linux_kernel = true;
}

static bool load_elf_kernel(Vm *vm, Kernel *k, GError **error)
{
    ElfInfo info;

    if (!load_elf(vm->kernel, k->aarch64 ? ELF_AARCH64 : ELF_ARM, &info, error)) {
        return false;
    }
    k->entry = info.entry;
    k->load = info.low;
    k->end = info.high;
    k->linux_kernel = false;
    return true;
}

static bool read_kernel(const char *path, Kernel *k, GError **error)
{
    if (!load_file(path, "kernel", KERNEL_LIMIT, &k->data, &k->len, error)) {
        return false;
    }
    k->linux_kernel = true;
    if (k->len > 64 && get_be32(k->data) == 0x27051956) {
        return parse_uimage(path, k, error);
    }
    if (k->len > 2 && k->data[0] == 0x1f && k->data[1] == 0x8b) {
        return unpack(path, &k->data, &k->len, error);
    }
    return true;
}

static bool load_flat_kernel(Vm *vm, const ArmBoot *b, Kernel *k, GError **error)
{
    if (!read_kernel(vm->kernel, k, error)) {
        return false;
    }
    if (k->aarch64 && k->len > 64 && memcmp(k->data + 56, "ARM\x64", 4) == 0) {
        parse_image(b, k);
    } else if (k->load == 0) {
        k->load = k->entry = b->ram_base + (k->aarch64 ? IMAGE_OFFSET : ZIMAGE_OFFSET);
    }
    k->end = MAX(k->end, k->load + k->len);
    if (k->load < b->ram_base || k->load - b->ram_base > b->ram_size || k->end < k->load ||
        k->end - k->load > b->ram_size - (k->load - b->ram_base)) {
        return fail(error,
                    "kernel '%s' (%zu bytes at 0x%" G_GINT64_MODIFIER "x) does not fit into RAM",
                    vm->kernel, k->len, k->load);
    }
    rom_add_blob("kernel", k->data, k->len, k->load, NULL);
    return true;
}

/* ---- what lies behind the kernel ---- */

/* A zImage unpacks itself below; 128 MiB are beyond all of them. */
static bool place_initrd(Vm *vm, const ArmBoot *b, const Kernel *k, hwaddr *start, hwaddr *end,
                         GError **error)
{
    hwaddr at = MAX(b->ram_base + MIN(b->ram_size / 2, 128 * MIB), k->end);
    g_autofree uint8_t *data = NULL;
    uint8_t *body;
    size_t len = 0;

    *start = 0;
    *end = at;
    if (!vm->initrd) {
        return true;
    }
    if (!load_file(vm->initrd, "initrd", KERNEL_LIMIT, &data, &len, error)) {
        return false;
    }
    body = data;
    if (len > 64 && get_be32(data) == 0x27051956) {
        len = MIN(get_be32(data + 12), len - 64);
        body = data + 64;
    }
    at = (at + 4095) & ~4095ull;
    if (at - b->ram_base > b->ram_size || len > b->ram_size - (at - b->ram_base)) {
        return fail(error, "could not load initrd '%s': not enough RAM", vm->initrd);
    }
    rom_add_blob("initrd", body, len, at, NULL);
    *start = at;
    *end = at + len;
    return true;
}

static void tree_memory(Dt *dt, const ArmBoot *b)
{
    g_autofree char *node = g_strdup_printf("/memory@%" G_GINT64_MODIFIER "x", b->ram_base);
    uint32_t ac = dt_get_cell(dt, "/", "#address-cells", 1),
             sc = dt_get_cell(dt, "/", "#size-cells", 1);
    uint32_t cells[4];
    unsigned n = 0;

    if (ac == 0 || ac > 2 || sc == 0 || sc > 2) {
        return;
    }
    if (ac == 2) {
        cells[n++] = DT_HI(b->ram_base);
    }
    cells[n++] = DT_LO(b->ram_base);
    if (sc == 2) {
        cells[n++] = DT_HI(b->ram_size);
    }
    cells[n++] = DT_LO(b->ram_size);
    dt_remove_node(dt, "/memory");
    dt_node_maybe(dt, node);
    dt_string(dt, node, "device_type", "memory");
    dt_cell_array(dt, node, "reg", cells, n);
}

void arm_boot_psci_node(Dt *dt, Vm *vm, unsigned conduit)
{
    bool a64 = arm_cpu_is_aarch64(g_ptr_array_index(vm->cpus, 0));

    if (conduit == PSCI_DISABLED) {
        return;
    }
    dt_node(dt, "/psci");
    DT_STRINGS(dt, "/psci", "compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci");
    dt_string(dt, "/psci", "method", conduit == PSCI_HVC ? "hvc" : "smc");
    DT_CELLS(dt, "/psci", "cpu_suspend", a64 ? 0xc4000001 : 0x84000001);
    DT_CELLS(dt, "/psci", "cpu_off", 0x84000002);
    DT_CELLS(dt, "/psci", "cpu_on", a64 ? 0xc4000003 : 0x84000003);
    DT_CELLS(dt, "/psci", "migrate", a64 ? 0xc4000005 : 0x84000005);
}

static void tree_chosen(Dt *dt, Vm *vm, hwaddr initrd, hwaddr initrd_end)
{
    dt_node_maybe(dt, "/chosen");
    if (vm->append) {
        dt_string(dt, "/chosen", "bootargs", vm->append);
    }
    if (!initrd) {
        return;
    }
    /* Two cells when it needs them; kernels read either. */
    if (initrd_end >> 32) {
        dt_u64(dt, "/chosen", "linux,initrd-start", initrd);
        dt_u64(dt, "/chosen", "linux,initrd-end", initrd_end);
    } else {
        DT_CELLS(dt, "/chosen", "linux,initrd-start", DT_LO(initrd));
        DT_CELLS(dt, "/chosen", "linux,initrd-end", DT_LO(initrd_end));
    }
}

/* The tree to use: that of -dtb or the board's; *dt stays NULL when there is none. */
static bool choose_tree(Vm *vm, const ArmBoot *b, Dt **dt, GError **error)
{
    *dt = b->dt;
    if (vm->dtb) {
        *dt = dt_load(vm->dtb, error);
        if (!*dt) {
            return false;
        }
        tree_memory(*dt, b);
    }
    return true;
}

static bool place_tree(Dt *dt, const ArmBoot *b, hwaddr at, GError **error)
{
    size_t len = dt_pack(dt);

    if (at - b->ram_base > b->ram_size || len > b->ram_size - (at - b->ram_base)) {
        return fail(error, "the device tree does not fit into RAM behind kernel and initrd");
    }
    rom_add_blob("dtb", dt->blob, len, at, NULL);
    return true;
}

/* Kernels without device tree: ATAGs (arm/booting.rst, 4a). */
static void place_atags(Vm *vm, const ArmBoot *b, hwaddr initrd, hwaddr initrd_end)
{
    g_autoptr(GArray) t = g_array_new(FALSE, FALSE, 4);
    const uint32_t head[] = { 5, 0x54410001, 1, 4096, 0,
                              4, 0x54410002, (uint32_t)b->ram_size, (uint32_t)b->ram_base };
    const uint32_t ramdisk[] = { 4, 0x54420005, (uint32_t)initrd, (uint32_t)(initrd_end - initrd) };
    const uint32_t none[] = { 0, 0 };

    g_array_append_vals(t, head, ARRAY_COUNT(head));
    if (initrd) {
        g_array_append_vals(t, ramdisk, ARRAY_COUNT(ramdisk));
    }
    if (vm->append) {
        uint32_t words = (strlen(vm->append) + 4) / 4;
        uint32_t tag[] = { words + 2, 0x54410009 };
        g_autofree uint32_t *text = g_new0(uint32_t, words);

        memcpy(text, vm->append, strlen(vm->append));
        g_array_append_vals(t, tag, 2);
        g_array_append_vals(t, text, words);
    }
    g_array_append_vals(t, none, 2);
    rom_add_blob("atags", t->data, t->len * 4, b->ram_base + ATAGS_OFFSET, NULL);
}

/* ---- start ---- */

/*
 * The loop of waiting CPUs; AArch64: a 64-bit word for each of four. AArch32: r0 = flags + stride *
 * CPU number; the GIC's CPU interface lets interrupts through that end WFI.
 */
static void park_cpus(Vm *vm, const ArmBoot *b, const ArmEntry *first)
{
    const uint32_t code[] = {
        0xee100fb0,                     /* mrc p15, 0, r0, c0, c0, 5 */
        0xe200000f,                     /* and r0, r0, #15 */
        0xe59f1030,                     /* ldr r1, stride */
        0xe59f2030,                     /* ldr r2, flags */
        0xe0202091,                     /* mla r0, r1, r0, r2 */
        0xe59f102c,                     /* ldr r1, gic */
        0xe3510000,                     /* cmp r1, #0 */
        0x13a02001,                     /* movne r2, #1 */
        0x15812000,                     /* strne r2, [r1] */
        0x13a020ff,                     /* movne r2, #255 */
        0x15812004,                     /* strne r2, [r1, #4] */
        b->gic_cpu ? 0xe320f003 : 0xe320f002,    /* wfi or wfe */
        0xe5901000,                     /* ldr r1, [r0] */
        0xe3510000,                     /* cmp r1, #0 */
        0x0afffffb,                     /* beq the wait */
        0xe12fff11,                     /* bx r1 */
        b->smp_stride, (uint32_t)b->smp_flags, (uint32_t)b->gic_cpu,
    };
    const uint32_t code64[] = {
        0xd53800a0,                     /* mrs x0, mpidr_el1 */
        0x92400400,                     /* and x0, x0, #3 */
        0x580000c1,                     /* ldr x1, flags */
        0x8b000c20,                     /* add x0, x1, x0, lsl #3 */
        0xd503205f,                     /* wfe */
        0xf9400001,                     /* ldr x1, [x0] */
        0xb4ffffc1,                     /* cbz x1, the wait */
        0xd61f0020,                     /* br x1 */
        (uint32_t)b->smp_flags, 0,
    };
    ArmEntry e = {.pc = b->smp_loader,
                  .aarch64 = first->aarch64,
                  .el = b->smp_el ? b->smp_el : first->el,
                  .secure = first->secure};

    if (!b->smp_loader || vm->cpus->len < 2) {
        return;
    }
    if (first->aarch64) {
        const uint64_t table[4] = {0};

        rom_add_blob("smpboot", code64, sizeof(code64), b->smp_loader, NULL);
        rom_add_blob("spintables", table, sizeof(table), b->smp_flags, NULL);
    } else {
        rom_add_blob("smpboot", code, sizeof(code), b->smp_loader, NULL);
    }
    for (unsigned i = 1; i < vm->cpus->len; i++) {
        arm_cpu_set_entry(g_ptr_array_index(vm->cpus, i), &e);
    }
}

static void set_entry(Vm *vm, const ArmBoot *b, const Kernel *k, hwaddr args)
{
    ArmEntry e = {.pc = k->entry,
                  .el = b->secure ? 3
                        : b->el   ? b->el
                                  : 2,
                  .aarch64 = k->aarch64,
                  .secure = b->secure};

    if (k->linux_kernel && k->aarch64) {
        e.x[0] = args;
    } else if (k->linux_kernel) {
        e.x[1] = b->board_id;
        e.x[2] = args;
    } else {
        e.el = 3;
        e.secure = true;
    }
    arm_cpu_set_entry(g_ptr_array_index(vm->cpus, 0), &e);
    if (k->linux_kernel) {
        park_cpus(vm, b, &e);
    }
}

static bool place_arguments(Vm *vm, const ArmBoot *b, const Kernel *k, hwaddr *args, GError **error)
{
    uint64_t align = k->aarch64 ? DT_ROOM : 4096;
    hwaddr initrd, end;
    Dt *dt;

    if (!place_initrd(vm, b, k, &initrd, &end, error) || !choose_tree(vm, b, &dt, error)) {
        return false;
    }
    if (!dt) {
        *args = b->ram_base + ATAGS_OFFSET;
        if (k->linux_kernel) {
            place_atags(vm, b, initrd, end);
        }
        return true;
    }
    tree_chosen(dt, vm, initrd, end);
    if (!dt_has_node(dt, "/psci")) {
        arm_boot_psci_node(dt, vm, b->psci_conduit);
    }
    *args = (end + align - 1) & ~(align - 1);
    if (!k->linux_kernel) {
        /* Bare-metal programs find it at the base of RAM, unless they lie there themselves. */
        *args = b->ram_base;
        if (k->load < b->ram_base + dt_pack(dt) && k->end > b->ram_base) {
            return true;
        }
    }
    return place_tree(dt, b, *args, error);
}

static bool boot_kernel(Vm *vm, ArmBoot *b, GError **error)
{
    Kernel k = { .aarch64 = arm_cpu_is_aarch64(g_ptr_array_index(vm->cpus, 0)) };
    hwaddr args = 0;
    bool ok = file_is_elf(vm->kernel) ? load_elf_kernel(vm, &k, error)
                                      : load_flat_kernel(vm, b, &k, error);

    g_free(k.data);
    if (!ok || !place_arguments(vm, b, &k, &args, error)) {
        return false;
    }
    set_entry(vm, b, &k, args);
    return true;
}

static bool give_file(FwCfg *f, const char *path, const char *what, uint16_t size_key,
                      uint16_t data_key, GError **error)
{
    uint8_t *data = NULL;
    size_t len = 0;

    if (!load_file(path, what, KERNEL_LIMIT, &data, &len, error)) {
        return false;
    }
    fw_cfg_add_u32(f, size_key, len);
    fw_cfg_take_bytes(f, data_key, data, len);
    return true;
}

/* Firmware finds the tree at the base of RAM, and the kernel in fw_cfg when it knows that. */
static bool boot_firmware(Vm *vm, ArmBoot *b, GError **error)
{
    FwCfg *f = b->fw_cfg;
    Dt *dt;

    if (!choose_tree(vm, b, &dt, error) || (dt && !place_tree(dt, b, b->ram_base, error))) {
        return false;
    }
    if (!vm->kernel || !f) {
        return true;
    }
    if (!give_file(f, vm->kernel, "kernel", FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, error) ||
        (vm->initrd &&
         !give_file(f, vm->initrd, "initrd", FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, error))) {
        return false;
    }
    if (vm->append) {
        fw_cfg_add_u32(f, FW_CFG_CMDLINE_SIZE, strlen(vm->append) + 1);
        fw_cfg_add_string(f, FW_CFG_CMDLINE_DATA, vm->append);
    }
    return true;
}

bool arm_boot(Vm *vm, ArmBoot *b, GError **error)
{
    return b->firmware || !vm->kernel ? boot_firmware(vm, b, error) : boot_kernel(vm, b, error);
}
