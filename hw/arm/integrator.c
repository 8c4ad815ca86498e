// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ARM Integrator/CP with an ARM926EJ-S core module (ARM DUI 0159B): interrupt controllers, timers,
 * UARTs, clock, keyboard and mouse, display, card slot, Ethernet. Left out, reading as 0: sound,
 * flash.
 */
#include "hw/arm/board.h"

#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "exec/memory-backend.h"
#include "util/error.h"

static const BoardSlot cp_slots[] = {
    {.type = "integrator_core", .addr = 0x10000000},
    {.type = "sp804", .addr = 0x13000000, .props = "freq0=40000000", .irqs = {LINE(5)}},
    {.type = "sp804", .addr = 0x13000100, .irqs = {LINE(6)}, .priority = 1},
    {.type = "sp804", .addr = 0x13000200, .irqs = {LINE(7)}, .priority = 2},
    {.type = "pl031", .addr = 0x15000000, .irqs = {LINE(8)}},
    {.type = "pl011", .addr = 0x16000000, .irqs = {LINE(1)}, .serial = NTH(0)},
    {.type = "pl011", .addr = 0x17000000, .irqs = {LINE(2)}, .serial = NTH(1)},
    {.type = "pl050_keyboard", .addr = 0x18000000, .irqs = {LINE(3)}},
    {.type = "pl050_mouse", .addr = 0x19000000, .irqs = {LINE(4)}},
    {.type = "integrator_debug", .addr = 0x1a000000},
    {.type = "pl181", .addr = 0x1c000000, .irqs = {LINE(23), LINE(24)}, .sd = NTH(0)},
    {.type = "pl110", .addr = 0xc0000000, .irqs = {LINE(22)}},
    {.type = "smc91c111", .addr = 0xc8000000, .irqs = {LINE(27)}, .nic = true},
    {.type = "icp-ctrl-regs", .addr = 0xcb000000},
};

static bool cp_interrupts(Board *b, GError **error)
{
    Cpu *c = g_ptr_array_index(b->vm->cpus, 0);
    Device *second;

    b->intc = board_make(b, "integrator_pic", NULL, error);
    second = b->intc ? board_make(b, "integrator_pic", NULL, error) : NULL;
    if (!second) {
        return false;
    }
    b->intc_pin = "in";
    device_map(b->intc, "mmio", 0x14000000);
    device_map(second, "mmio", 0xca000000);
    wire(b->intc, "irq", 0, &c->dev, "irq", 0);
    wire(b->intc, "fiq", 0, &c->dev, "fiq", 0);
    wire(second, "irq", 0, b->intc, "in", 26);
    return true;
}

static bool integratorcp_init(Vm *vm, GError **error)
{
    Board *b = board_new(vm);
    Region *mirror, *ram;

    if (vm->ram_size > 256 * MIB) {
        return fail(error, "RAM size more than 256 MiB is not supported");
    }
    board_quiet(b);
    b->boot.board_id = 0x113;
    ram = machine_ram(vm, "integrator.ram", error);
    if (!ram) {
        return false;
    }
    region_add(vm->memory, 0, ram, 0);
    mirror = g_new0(Region, 1); /* lives as long as the machine */
    board_alias(b, mirror, "ram.alias", ram, 0, vm->ram_size, 0x80000000);
    b->boot.ram_size = vm->ram_size;
    return board_cpus(b, "has_el3=off", PSCI_DISABLED, error) && cp_interrupts(b, error) &&
           board_add(b, cp_slots, ARRAY_COUNT(cp_slots), error);
}

static const MachineType integratorcp = {
    .name = "integratorcp-machine",
    .machine_name = "integratorcp",
    .desc = "ARM Integrator/CP (ARM926EJ-S)",
    .arches = "arm aarch64",
    .size = sizeof(Machine),
    .max_cpus = 1,
    .default_cpu = "arm926",
    .default_nic = "smc91c111",
    .no_floppy = true,
    .no_cdrom = true,
    .no_parallel = true,
    .init = integratorcp_init,
    .done = board_done,
};
MACHINE_TYPE(integratorcp);
