// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orange Pi PC: Allwinner H3 (H3 Datasheet 1.2) with four Cortex-A7, GICv2 and generic timers,
 * UARTs, card slot, Ethernet, USB hosts, clock. Left out, reading as 0: USB OTG, display, sound,
 * I2C, SPI, DMA, thermal sensors.
 */
#include "hw/arm/board.h"

#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "util/error.h"

#define H3_PERIPHERALS 0x01c80000u    /* of the CPUs */

static const BoardSlot h3_slots[] = {
    {.type = "allwinner-h3-sysctrl", .addr = 0x01c00000},
    {.type = "allwinner-sid", .addr = 0x01c14000},
    {.type = "allwinner-h3-ccu", .addr = 0x01c20000},
    {.type = "allwinner-h3-pio", .addr = 0x01c20800},
    {.type = "allwinner-h3-timer", .addr = 0x01c20c00, .irqs = {LINE(18), LINE(19)}},
    {.type = "serial-mm", .addr = 0x01c28000, .irqs = {LINE(0)}, .serial = NTH(0)},
    {.type = "serial-mm", .addr = 0x01c28400, .irqs = {LINE(1)}, .serial = NTH(1)},
    {.type = "serial-mm", .addr = 0x01c28800, .irqs = {LINE(2)}, .serial = NTH(2)},
    {.type = "serial-mm", .addr = 0x01c28c00, .irqs = {LINE(3)}, .serial = NTH(3)},
    {.type = "allwinner-sun8i-emac", .addr = 0x01c30000, .irqs = {LINE(82)}, .nic = true},
    {.type = "aw-h3-ehci-usb", .addr = 0x01c1a000, .irqs = {LINE(72)}},
    {.type = "sysbus-ohci", .addr = 0x01c1a400, .props = "num-ports=1", .irqs = {LINE(73)}},
    {.type = "aw-h3-ehci-usb", .addr = 0x01c1b000, .irqs = {LINE(74)}},
    {.type = "sysbus-ohci", .addr = 0x01c1b400, .props = "num-ports=1", .irqs = {LINE(75)}},
    {.type = "aw-h3-ehci-usb", .addr = 0x01c1c000, .irqs = {LINE(76)}},
    {.type = "sysbus-ohci", .addr = 0x01c1c400, .props = "num-ports=1", .irqs = {LINE(77)}},
    {.type = "aw-h3-ehci-usb", .addr = 0x01c1d000, .irqs = {LINE(78)}},
    {.type = "sysbus-ohci", .addr = 0x01c1d400, .props = "num-ports=1", .irqs = {LINE(79)}},
    {.type = "allwinner-rtc-sun6i", .addr = 0x01f00000},
    {.type = "allwinner-h3-r", .addr = 0x01f01400},
};
static const BoardSlot h3_sd[] = {
    {.type = "allwinner-sdhost-sun5i", .addr = 0x01c0f000, .irqs = {LINE(60)}, .sd = NTH(0)},
};

static bool orangepi_init(Vm *vm, GError **error)
{
    Board *b = board_new(vm);
    const MpcoreConfig mpcore = {
        .kind = MPCORE_A15, .base = H3_PERIPHERALS, .irqs = 160, .security = vm->kernel == NULL};

    if (vm->ram_size != 1 * GIB) {
        return fail(error, "machine 'orangepi-pc' has 1 GiB of RAM: -m 1G");
    }
    board_quiet(b);
    b->boot.board_id = UINT32_MAX;
    return board_cpus(b, "reset-cbar=0x01c80000", PSCI_SMC, error) &&
           board_ram(b, "orangepi.ram", 0x40000000, 1 * GIB, error) &&
           board_add_ram(b, "h3.sram-a1", 0x00000000, 64 * KIB, error) &&
           board_add_ram(b, "h3.sram-a2", 0x00044000, 32 * KIB, error) &&
           board_add_ram(b, "h3.sram-c", 0x00010000, 44 * KIB, error) &&
           mpcore_create(b, &mpcore, error) &&
           board_add(b, h3_slots, ARRAY_COUNT(h3_slots), error) &&
           board_add(b, h3_sd, ARRAY_COUNT(h3_sd), error);
}

static const MachineType orangepi = {
    .name = "orangepi-pc-machine", .machine_name = "orangepi-pc", .desc = "Orange Pi PC (Cortex-A7)", .arches = "arm aarch64",
    .size = sizeof(Machine), .min_cpus = 4, .max_cpus = 4, .default_cpus = 4, .default_ram = 1 * GIB, .default_cpu = "cortex-a7",
    .default_block_if = "sd", .no_floppy = true, .no_cdrom = true, .no_parallel = true, .init = orangepi_init, .done = board_done,
};
MACHINE_TYPE(orangepi);
