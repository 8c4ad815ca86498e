// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cubieboard: Allwinner A10 (A10 User Manual 1.5) with a Cortex-A8, interrupt controller, timers,
 * UARTs, card slot, Ethernet, SATA, USB hosts, clock. Left out, reading as 0: USB OTG, display,
 * sound, I2C, SPI, DMA, flash.
 */
#include "hw/arm/board.h"

#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "util/error.h"

static const BoardSlot a10_slots[] = {
    {.addr = 0x01c00000, .name = "a10-sram-ctrl", .size = 0x1000},
    {.type = "allwinner-emac", .addr = 0x01c0b000, .props = "phy-addr=1", .irqs = {LINE(55)}, .nic = true},
    {.type = "allwinner-sdhost-sun4i", .addr = 0x01c0f000, .irqs = {LINE(32)}, .sd = NTH(0)},
    {.type = "aw-h3-ehci-usb", .addr = 0x01c14000, .irqs = {LINE(39)}},
    {.type = "sysbus-ohci", .addr = 0x01c14400, .props = "num-ports=1", .irqs = {LINE(64)}},
    {.type = "aw-h3-ehci-usb", .addr = 0x01c1c000, .irqs = {LINE(40)}},
    {.type = "sysbus-ohci", .addr = 0x01c1c400, .props = "num-ports=1", .irqs = {LINE(65)}},
    {.type = "allwinner-ahci", .addr = 0x01c18000, .irqs = {LINE(56)}, .ide = NTH(0)},
    {.type = "allwinner-a10-ccu", .addr = 0x01c20000},
    {.type = "allwinner-h3-pio", .addr = 0x01c20800},
    {.type = "allwinner-A10-timer", .addr = 0x01c20c00, .irqs = {LINE(22), LINE(23), LINE(24), LINE(25), LINE(67), LINE(68)}},
    {.type = "allwinner-rtc-sun4i", .addr = 0x01c20d00},
    {.type = "serial-mm", .addr = 0x01c28000, .irqs = {LINE(1)}, .serial = NTH(0)},
    {.type = "serial-mm", .addr = 0x01c28400, .irqs = {LINE(2)}, .serial = NTH(1)},
    {.type = "serial-mm", .addr = 0x01c28800, .irqs = {LINE(3)}, .serial = NTH(2)},
    {.type = "serial-mm", .addr = 0x01c28c00, .irqs = {LINE(4)}, .serial = NTH(3)},
};

static bool a10_pic(Board *b, GError **error)
{
    Cpu *c = g_ptr_array_index(b->vm->cpus, 0);

    b->intc = board_make(b, "allwinner-a10-pic", NULL, error);
    if (!b->intc) {
        return false;
    }
    b->intc_pin = "in";
    device_map(b->intc, "mmio", 0x01c20400);
    wire(b->intc, "irq", 0, &c->dev, "irq", 0);
    wire(b->intc, "fiq", 0, &c->dev, "fiq", 0);
    return true;
}

static bool cubieboard_init(Vm *vm, GError **error)
{
    Board *b = board_new(vm);

    if (vm->ram_size != 512 * MIB && vm->ram_size != 1 * GIB) {
        return fail(error, "machine 'cubieboard' has 512 MiB or 1 GiB of RAM: -m 512M, -m 1G");
    }
    board_quiet(b);
    b->boot.board_id = 0x1008;
    b->boot.secure = true;
    return board_cpus(b, "has_el2=off", PSCI_DISABLED, error) &&
           board_ram(b, "cubieboard.ram", 0x40000000, 1 * GIB, error) &&
           board_add_ram(b, "sram A", 0, 48 * KIB, error) && a10_pic(b, error) &&
           board_add(b, a10_slots, ARRAY_COUNT(a10_slots), error);
}

static const MachineType cubieboard = {
    .name = "cubieboard-machine", .machine_name = "cubieboard", .desc = "cubietech cubieboard (Cortex-A8)", .arches = "arm aarch64",
    .size = sizeof(Machine), .max_cpus = 1, .default_ram = 1 * GIB, .default_cpu = "cortex-a8", .default_nic = "allwinner-emac",
    .default_block_if = "ide", .no_floppy = true, .no_cdrom = true, .no_parallel = true, .init = cubieboard_init, .done = board_done,
};
MACHINE_TYPE(cubieboard);
