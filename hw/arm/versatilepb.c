// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ARM Versatile Platform Baseboard and Application Baseboard for the ARM926EJ-S (ARM DUI 0225D,
 * DUI 0224I): vectored and secondary interrupt controllers, UARTs, timers, GPIO, clock, keyboard
 * and mouse, display, card slots, flash, Ethernet. Left out, reading as 0: PCI, DMA, audio, USB,
 * disk on chip.
 */
#include "hw/arm/board.h"

#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "hw/block/pflash.h"
#include "util/error.h"

#define FLASH_BASE 0x34000000
#define FLASH_SIZE (64 * MIB)

/* Those of the primary controller ... */
static const BoardSlot versatile_slots[] = {
    {.type = "realview_sysctl", .addr = 0x10000000, .name = "sysctl", .props = "sys_id=0x41007004,proc_id=0x02000000"},
    {.type = "versatile_i2c", .addr = 0x10002000},
    {.type = "pl110_versatile", .addr = 0x10120000, .name = "clcd", .irqs = {LINE(16)}},
    {.type = "sp804", .addr = 0x101e2000, .irqs = {LINE(4)}},
    {.type = "sp804", .addr = 0x101e3000, .irqs = {LINE(5)}},
    {.type = "pl061", .addr = 0x101e4000, .irqs = {LINE(6)}},
    {.type = "pl061", .addr = 0x101e5000, .irqs = {LINE(7)}},
    {.type = "pl061", .addr = 0x101e6000, .irqs = {LINE(8)}},
    {.type = "pl061", .addr = 0x101e7000, .irqs = {LINE(9)}},
    {.type = "pl031", .addr = 0x101e8000, .irqs = {LINE(10)}},
    {.type = "pl011", .addr = 0x101f1000, .irqs = {LINE(12)}, .serial = NTH(0)},
    {.type = "pl011", .addr = 0x101f2000, .irqs = {LINE(13)}, .serial = NTH(1)},
    {.type = "pl011", .addr = 0x101f3000, .irqs = {LINE(14)}, .serial = NTH(2)},
};

/* ... and of the secondary one; card slots as Linux's device tree has them. */
static const BoardSlot versatile_fpga_slots[] = {
    {.type = "pl181", .addr = 0x10005000, .name = "mmc", .irqs = {LINE(22), LINE(23)}, .sd = NTH(0)},
    {.type = "pl050_keyboard", .addr = 0x10006000, .irqs = {LINE(3)}},
    {.type = "pl050_mouse", .addr = 0x10007000, .irqs = {LINE(4)}},
    {.type = "pl011", .addr = 0x10009000, .irqs = {LINE(6)}, .serial = NTH(3)},
    {.type = "smc91c111", .addr = 0x10010000, .irqs = {LINE(25)}, .nic = true},
    {.type = "pl181", .addr = 0x1000b000, .irqs = {LINE(1), LINE(2)}, .sd = NTH(1)},
};

static bool versatile_interrupts(Board *b, Device **sic, GError **error)
{
    Cpu *c = g_ptr_array_index(b->vm->cpus, 0);

    b->intc = board_make(b, "pl190", NULL, error);
    *sic = b->intc ? board_make(b, "versatilepb_sic", NULL, error) : NULL;
    if (!*sic) {
        return false;
    }
    b->intc_pin = "in";
    device_map(b->intc, "mmio", 0x10140000);
    wire(b->intc, "irq", 0, &c->dev, "irq", 0);
    wire(b->intc, "fiq", 0, &c->dev, "fiq", 0);
    device_map(*sic, "mmio", 0x10003000);
    wire(*sic, "irq", 0, b->intc, "in", 31);
    for (unsigned i = 21; i <= 30; i++) {
        wire(*sic, "out", i, b->intc, "in", i);
    }
    return true;
}

static bool versatile_build(Vm *vm, uint32_t board_id, GError **error)
{
    Board *b = board_new(vm);
    Device *sic = NULL;

    board_quiet(b);
    b->boot.board_id = board_id;
    if (!board_cpus(b, "has_el3=off", PSCI_DISABLED, error) ||
        !board_ram(b, "versatile.ram", 0, 256 * MIB, error) ||
        !versatile_interrupts(b, &sic, error) ||
        !board_add(b, versatile_slots, ARRAY_COUNT(versatile_slots), error)) {
        return false;
    }
    Device *vic = b->intc;

    b->intc = sic;
    if (!board_add(b, versatile_fpga_slots, ARRAY_COUNT(versatile_fpga_slots), error)) {
        return false;
    }
    b->intc = vic;
    wire(board_device(b, "mmc"), "card-inserted", 0, board_device(b, "sysctl"), "mci", 0);
    wire(board_device(b, "mmc"), "card-read-only", 0, board_device(b, "sysctl"), "mci", 1);
    wire(board_device(b, "sysctl"), "pl110-mux", 0, board_device(b, "clcd"), "mux", 0);
    return board_flash(b, 0, "versatile.flash", FLASH_BASE, FLASH_SIZE, 4, 0, error) != NULL;
}

static bool versatilepb_init(Vm *vm, GError **error)
{
    return versatile_build(vm, 0x183, error);
}

static bool versatileab_init(Vm *vm, GError **error)
{
    return versatile_build(vm, 0x25e, error);
}

static const MachineType versatilepb = {
    .name = "versatilepb-machine", .machine_name = "versatilepb", .desc = "ARM Versatile/PB (ARM926EJ-S)", .arches = "arm aarch64",
    .size = sizeof(Machine), .max_cpus = 1, .default_cpu = "arm926", .default_nic = "smc91c111", .default_block_if = "scsi", .no_floppy = true, .no_cdrom = true,
    .no_parallel = true, .init = versatilepb_init, .done = board_done,
};
MACHINE_TYPE(versatilepb);

static const MachineType versatileab = {
    .name = "versatileab-machine", .machine_name = "versatileab", .desc = "ARM Versatile/AB (ARM926EJ-S)", .arches = "arm aarch64",
    .size = sizeof(Machine), .max_cpus = 1, .default_cpu = "arm926", .default_nic = "smc91c111", .default_block_if = "scsi", .no_floppy = true, .no_cdrom = true,
    .no_parallel = true, .init = versatileab_init, .done = board_done,
};
MACHINE_TYPE(versatileab);
