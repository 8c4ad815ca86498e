// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ARM Versatile Express (motherboard V2M-P1, ARM DUI 0447J) with the daughter boards CoreTile
 * Express A9x4 (ARM DUI 0448H, legacy memory map) and A15x2 TC1 (ARM DUI 0604E). Left out: audio
 * codec, USB, compact flash, the display's I2C.
 */
#include "hw/arm/board.h"

#include "block/block.h"
#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "hw/block/pflash.h"
#include "hw/virtio/virtio-mmio.h"

typedef struct VexpressMachine {
    Machine machine;
    bool secure, virtualization;
} VexpressMachine;

#define A9(at) (0x10000000 + (at))
#define A15(at) (0x1c000000 + (at))

#define SYSCTL_PROPS "sys_id=0x1190f500"

/* The motherboard's devices; the two maps differ in distance. */
/* clang-format off */
#define MOTHERBOARD(at, unit, proc, voltages, clocks)                                                                            \
    {.type = "realview_sysctl", .addr = at(SYSREG(unit)), .name = "sysctl",                                       \
     .props = SYSCTL_PROPS ",proc_id=" proc ",db-voltages=" voltages ",db-clocks=" clocks},                                      \
    {.type = "pl181", .addr = at((unit) * 5), .name = "mmc", .irqs = {LINE(9), LINE(10)}, .sd = NTH(0)},                         \
    {.type = "pl050_keyboard", .addr = at((unit) * 6), .irqs = {LINE(12)}},                                                      \
    {.type = "pl050_mouse", .addr = at((unit) * 7), .irqs = {LINE(13)}},                                                         \
    {.type = "pl011", .addr = at((unit) * 9), .irqs = {LINE(5)}, .serial = NTH(0)},                                              \
    {.type = "pl011", .addr = at((unit) * 10), .irqs = {LINE(6)}, .serial = NTH(1)},                                             \
    {.type = "pl011", .addr = at((unit) * 11), .irqs = {LINE(7)}, .serial = NTH(2)},                                             \
    {.type = "pl011", .addr = at((unit) * 12), .irqs = {LINE(8)}, .serial = NTH(3)},                                             \
    {.type = "sp804", .addr = at((unit) * 17), .irqs = {LINE(2)}},                                                               \
    {.type = "sp804", .addr = at((unit) * 18), .irqs = {LINE(3)}},                                                               \
    {.type = "versatile_i2c", .addr = at((unit) * 22)},                                                                          \
    {.type = "pl031", .addr = at((unit) * 23), .irqs = {LINE(4)}},                                                               \
    {.type = "pl111", .addr = at((unit) * 31), .irqs = {LINE(14)}}

#define SYSREG(unit) ((unit) == 0x1000 ? 0 : 0x10000)

static const BoardSlot a9_slots[] = {
    MOTHERBOARD(A9, 0x1000, "0x0c000191", "1000000:1000000:1000000:1000000:1000000:1000000", "45000000:23750000:66670000"),
    {.type = "pl111", .addr = 0x10020000, .irqs = {LINE(44)}},
    {.type = "sp804", .addr = 0x100e4000, .irqs = {LINE(48)}},
    {.type = "l2x0", .addr = 0x1e00a000},
    {.type = "lan9118", .addr = 0x4e000000, .irqs = {LINE(15)}, .nic = true, .optional = true},
};

static const BoardSlot a15_slots[] = {
    MOTHERBOARD(A15, 0x10000, "0x14000237", "900000", "60000000:0:0:0:40000000:23750000:50000000:60000000:40000000"),
    {.type = "lan9118", .addr = 0x1a000000, .irqs = {LINE(15)}, .nic = true, .optional = true},
};
/* clang-format on */

typedef struct Daughter {
    hwaddr ram, ram_limit, flash0, flash1, sram, vram, virtio, flags, gic_cpu;
    const BoardSlot *slots;
    unsigned num_slots;
    MpcoreConfig mpcore;
    const char *cpu_props;
} Daughter;

static const Daughter daughter_a9 = {
    .ram = 0x60000000, .ram_limit = 1 * GIB, .flash0 = 0x40000000, .flash1 = 0x44000000, .sram = 0x48000000, .vram = 0x4c000000,
    .virtio = 0x10013000, .flags = 0x10000030, .gic_cpu = 0x1e000100, .slots = a9_slots, .num_slots = ARRAY_COUNT(a9_slots),
    .mpcore = {.kind = MPCORE_A9, .base = 0x1e000000, .irqs = 96}, .cpu_props = "reset-cbar=0x1e000000,has_el2=off",
};

static const Daughter daughter_a15 = {
    .ram = 0x80000000, .ram_limit = 30 * GIB, .flash0 = 0x08000000, .flash1 = 0x0c000000, .sram = 0x14000000, .vram = 0x18000000,
    .virtio = 0x1c130000, .flags = 0x1c010030, .gic_cpu = 0x2c002000, .slots = a15_slots, .num_slots = ARRAY_COUNT(a15_slots),
    .mpcore = {.kind = MPCORE_A15, .base = 0x2c000000, .irqs = 160}, .cpu_props = "reset-cbar=0x2c000000",
};

static bool vexpress_memory(Board *b, const Daughter *d, GError **error)
{
    Device *flash;

    if (b->vm->ram_size > d->ram_limit) {
        return fail(error,
                    "%s: cannot model more than %u"
                    "GB RAM",
                    b->vm->machine_type->machine_name, (unsigned)(d->ram_limit / GIB));
    }
    if (!board_ram(b, "vexpress.highmem", d->ram, d->ram_limit, error)) {
        return false;
    }
    flash = board_flash(b, 0, "vexpress.flash0", d->flash0, 64 * MIB, 4, 2, error);
    if (!flash || !board_flash(b, 1, "vexpress.flash1", d->flash1, 64 * MIB, 4, 2, error)) {
        return false;
    }
    board_alias(b, &b->rom, "vexpress.flashalias", pflash_region(flash), 0, 64 * MIB, 0);
    return board_add_ram(b, "vexpress.sram", d->sram, 32 * MIB, error) &&
           board_add_ram(b, "vexpress.vram", d->vram, 8 * MIB, error) &&
           (d != &daughter_a15 ||
            board_add_ram(b, "vexpress.a15sram", 0x2e000000, 64 * KIB, error));
}

/* -bios goes to the first flash. */
static bool vexpress_firmware(Board *b, const Daughter *d, GError **error)
{
    if (b->vm->firmware && drive_at("pflash", 0, 0)) {
        return fail(error, "The contents of the first flash device may be specified with -bios or "
                           "with -drive if=pflash... but you cannot use both options at once");
    }
    b->boot.firmware = drive_at("pflash", 0, 0) != NULL && !b->vm->kernel;
    return board_firmware(b, d->flash0, 64 * MIB, error);
}

static bool vexpress_build(Vm *vm, const Daughter *d, GError **error)
{
    Board *b = board_new(vm);
    VexpressMachine *m = (VexpressMachine *)vm->machine;
    MpcoreConfig mpcore = d->mpcore;
    g_autofree char *props = g_strdup_printf(
        "%s,has_el3=%s%s", d->cpu_props, m->secure ? "on" : "off",
        d == &daughter_a15 ? m->virtualization && m->secure ? ",has_el2=on" : ",has_el2=off" : "");

    mpcore.security = m->secure;
    board_quiet(b);
    if (!board_cpus(b, props, PSCI_DISABLED, error) || !vexpress_memory(b, d, error) ||
        !mpcore_create(b, &mpcore, error) || !board_add(b, d->slots, d->num_slots, error) ||
        !vexpress_firmware(b, d, error)) {
        return false;
    }
    wire(board_device(b, "mmc"), "card-inserted", 0, board_device(b, "sysctl"), "mci", 0);
    wire(board_device(b, "mmc"), "card-read-only", 0, board_device(b, "sysctl"), "mci", 1);
    for (unsigned i = 0; i < 4; i++) {
        Device *t = virtio_mmio_create(vm, d->virtio + i * 0x200, i, error);

        if (!t) {
            return false;
        }
        wire(t, "irq", 0, b->intc, "spi", 40 + i);
    }
    b->boot.board_id = 0x8e0;
    b->boot.secure = m->secure;
    b->boot.smp_loader = d->sram;
    b->boot.smp_flags = d->flags;
    b->boot.gic_cpu = d->gic_cpu;
    return true;
}

static bool vexpress_a9_init(Vm *vm, GError **error)
{
    return vexpress_build(vm, &daughter_a9, error);
}

static bool vexpress_a15_init(Vm *vm, GError **error)
{
    return vexpress_build(vm, &daughter_a15, error);
}

static const Prop a9_props[] = {
    PROP_BOOL(VexpressMachine, secure, "secure", true,
              .help = "Set on/off to enable/disable the ARM Security Extensions (TrustZone)"),
    PROP_END,
};

static const Prop a15_props[] = {
    PROP_BOOL(VexpressMachine, secure, "secure", true,
              .help = "Set on/off to enable/disable the ARM Security Extensions (TrustZone)"),
    PROP_BOOL(VexpressMachine, virtualization, "virtualization", true,
              .help = "Set on/off to enable/disable the ARM Virtualization Extensions (defaults to same as 'secure')"),
    PROP_END,
};

static const MachineType vexpress_a9 = {
    .name = "vexpress-a9-machine", .machine_name = "vexpress-a9", .desc = "ARM Versatile Express for Cortex-A9", .arches = "arm aarch64",
    .size = sizeof(VexpressMachine), .props = a9_props, .max_cpus = 4, .default_cpu = "cortex-a9", .default_nic = "lan9118",
    .default_block_if = "sd", .no_floppy = true, .no_cdrom = true, .no_parallel = true, .init = vexpress_a9_init, .done = board_done,
};
MACHINE_TYPE(vexpress_a9);

static const MachineType vexpress_a15 = {
    .name = "vexpress-a15-machine", .machine_name = "vexpress-a15", .desc = "ARM Versatile Express for Cortex-A15", .arches = "arm aarch64",
    .size = sizeof(VexpressMachine), .props = a15_props, .max_cpus = 4, .default_cpu = "cortex-a15", .default_nic = "lan9118",
    .default_block_if = "sd", .no_floppy = true, .no_cdrom = true, .no_parallel = true, .init = vexpress_a15_init, .done = board_done,
};
MACHINE_TYPE(vexpress_a15);
