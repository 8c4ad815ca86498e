// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ARM RealView boards: Emulation Baseboard with an ARM926 (ARM DUI 0303E), Platform Baseboards for
 * Cortex-A8 (DUI 0417D) and, Explore, for Cortex-A9 (DUI 0440B). Left out, reading as 0: PCI, DMA,
 * sound, USB, parallel flash, the clock on I2C.
 */
#include "hw/arm/board.h"

#include "block/block.h"
#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "exec/memory-backend.h"
#include "util/error.h"

typedef struct RealviewKind {
    uint32_t board_id;
    const char *sysctl; /* properties: identities of board and processor */
    hwaddr ram_base, gic, mpcore; /* gic: cpu interface; mpcore: 0 if there is none */
    uint64_t ram_max;
    const char *nic, *clcd;
    unsigned card_gpio; /* its line 0 is low with a card, line 1 high for a write-protected one */
} RealviewKind;

/* Interrupts of DUI 0417D, table 4-4, from 32 on. */
static const BoardSlot realview_slots[] = {
    {.type = "versatile_i2c", .addr = 0x10002000},
    {.type = "pl181",
     .addr = 0x10005000,
     .name = "mmc",
     .irqs = {LINE(17), LINE(18)},
     .sd = NTH(0)},
    {.type = "pl050_keyboard", .addr = 0x10006000, .irqs = {LINE(20)}},
    {.type = "pl050_mouse", .addr = 0x10007000, .irqs = {LINE(21)}},
    {.type = "pl011", .addr = 0x10009000, .irqs = {LINE(12)}, .serial = NTH(0)},
    {.type = "pl011", .addr = 0x1000a000, .irqs = {LINE(13)}, .serial = NTH(1)},
    {.type = "pl011", .addr = 0x1000b000, .irqs = {LINE(14)}, .serial = NTH(2)},
    {.type = "pl011", .addr = 0x1000c000, .irqs = {LINE(15)}, .serial = NTH(3)},
    {.type = "sp804", .addr = 0x10011000, .irqs = {LINE(4)}},
    {.type = "sp804", .addr = 0x10012000, .irqs = {LINE(5)}},
    {.type = "pl031", .addr = 0x10017000, .irqs = {LINE(10)}},
};

static const RealviewKind eb = {
    .board_id = 0x33b,
    .sysctl = "sys_id=0xc1400400,proc_id=0x02000000",
    .gic = 0x10040000,
    .ram_max = 256 * MIB,
    .card_gpio = 1,
    .nic = "smc91c111",
    .clcd = "pl110",
};
static const RealviewKind pb_a8 = {
    .board_id = 0x769,
    .sysctl = "sys_id=0x01780500,proc_id=0x0e000000",
    .ram_base = 0x70000000,
    .gic = 0x1e000000,
    .ram_max = 512 * MIB,
    .card_gpio = 2,
    .nic = "lan9118",
    .clcd = "pl111",
};
static const RealviewKind pbx_a9 = {
    .board_id = 0x76d,
    .sysctl = "sys_id=0x01780500,proc_id=0x0c000000",
    .ram_base = 0x70000000,
    .mpcore = 0x1f000000,
    .ram_max = 512 * MIB,
    .card_gpio = 2,
    .nic = "lan9118",
    .clcd = "pl111",
};

static bool realview_gic(Board *b, const RealviewKind *k, GError **error)
{
    const MpcoreConfig mpcore = {.kind = MPCORE_A9, .base = k->mpcore, .irqs = 96};
    Cpu *c = g_ptr_array_index(b->vm->cpus, 0);

    if (k->mpcore) {
        return mpcore_create(b, &mpcore, error);
    }
    b->intc = board_make(b, "arm_gic", "revision=1,num-cpu=1,num-irq=96", error);
    if (!b->intc) {
        return false;
    }
    device_map(b->intc, "cpu", k->gic);
    device_map_priority(b->intc, "dist", k->gic + 0x1000, 1);
    wire(b->intc, "irq", 0, &c->dev, "irq", 0);
    wire(b->intc, "fiq", 0, &c->dev, "fiq", 0);
    return true;
}

/* Platform baseboards have their RAM high up, and the first of it at 0 as well. */
static bool realview_ram(Board *b, const RealviewKind *k, GError **error)
{
    Region *low, *ram;

    if (k->ram_base == 0) {
        return board_ram(b, "realview.ram", 0, k->ram_max, error);
    }
    if (b->vm->ram_size > k->ram_max) {
        return fail(error, "RAM size more than 512 MiB is not supported");
    }
    ram = machine_ram(b->vm, "realview.ram", error);
    if (!ram) {
        return false;
    }
    region_add(b->vm->memory, k->ram_base, ram, 0);
    low = g_new0(Region, 1); /* lives as long as the machine */
    board_alias(b, low, "realview.alias", ram, 0, MIN(b->vm->ram_size, 256 * MIB), 0);
    b->ram_base = b->boot.ram_base = k->ram_base;
    b->boot.ram_size = b->vm->ram_size;
    return true;
}

static bool realview_build(Vm *vm, const RealviewKind *k, GError **error)
{
    Board *b = board_new(vm);
    const char *card = drive_at("sd", 0, 0) ? "pullups=0xfc" : "pullups=0xfd";
    const BoardSlot own[] = {
        {.type = "pl061", .addr = 0x10013000, .irqs = {LINE(6)}},
        {.type = "pl061",
         .addr = 0x10014000,
         .irqs = {LINE(7)},
         .props = k->card_gpio == 1 ? card : NULL},
        {.type = "pl061",
         .addr = 0x10015000,
         .irqs = {LINE(8)},
         .props = k->card_gpio == 2 ? card : NULL},
        {.type = "realview_sysctl", .addr = 0x10000000, .name = "sysctl", .props = k->sysctl},
        {.type = k->clcd, .addr = 0x10020000, .irqs = {LINE(23)}},
        {.type = k->nic, .addr = 0x4e000000, .irqs = {LINE(28)}, .nic = true},
    };

    board_quiet(b);
    b->boot.board_id = k->board_id;
    if (!board_cpus(b, k->mpcore ? "has_el3=off,reset-cbar=0x1f000000" : "has_el3=off",
                    PSCI_DISABLED, error) ||
        !realview_ram(b, k, error) ||
        !board_add_ram(b, "realview.hack", 0xe0000000, 4 * KIB, error)) {
        return false;
    }
    if (!realview_gic(b, k, error) || !board_add(b, own, ARRAY_COUNT(own), error) ||
        !board_add(b, realview_slots, ARRAY_COUNT(realview_slots), error)) {
        return false;
    }
    wire(board_device(b, "mmc"), "card-inserted", 0, board_device(b, "sysctl"), "mci", 0);
    wire(board_device(b, "mmc"), "card-read-only", 0, board_device(b, "sysctl"), "mci", 1);
    if (k->mpcore) {
        const BoardSlot l2 = {.type = "l2x0", .addr = k->mpcore + 0x2000};

        b->boot.smp_loader = 0xe0000000;
        b->boot.smp_flags = 0x10000030;
        b->boot.gic_cpu = k->mpcore + 0x100;
        return board_add(b, &l2, 1, error);
    }
    return true;
}

#define REALVIEW(tag, name_, desc_, cpu, cpus, nic_) \
    static bool tag##_init(Vm *vm, GError **error)   \
    {                                                \
        return realview_build(vm, &tag, error);      \
    }                                                \
    static const MachineType tag##_machine = {       \
        .name = name_ "-machine",                    \
        .machine_name = name_,                       \
        .desc = desc_,                               \
        .arches = "arm aarch64",                     \
        .size = sizeof(Machine),                     \
        .max_cpus = cpus,                            \
        .default_cpu = cpu,                          \
        .default_nic = nic_,                         \
        .default_block_if = "scsi",                  \
        .no_floppy = true,                           \
        .no_cdrom = true,                            \
        .no_parallel = true,                         \
        .init = tag##_init,                          \
        .done = board_done,                          \
    };                                               \
    MACHINE_TYPE(tag##_machine)
REALVIEW(eb, "realview-eb", "ARM RealView Emulation Baseboard (ARM926EJ-S)", "arm926", 1,
         "smc91c111");
REALVIEW(pb_a8, "realview-pb-a8", "ARM RealView Platform Baseboard for Cortex-A8", "cortex-a8", 1,
         "lan9118");
REALVIEW(pbx_a9, "realview-pbx-a9", "ARM RealView Platform Baseboard Explore for Cortex-A9",
         "cortex-a9", 4, "lan9118");
