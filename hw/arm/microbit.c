// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BBC micro:bit: an nRF51822 (Series Reference Manual v3.0) with 256 KiB of flash and 16 KiB of
 * RAM. MicroPython's prompt is on the first -serial. Left out: radio, RTCs, ADC, PPI, GPIOTE, the
 * LED matrix and buttons as something to look at and press.
 */
#include "hw/arm/armv7m.h"
#include "exec/bank.h"
#include "hw/misc/soc-regs.h"

/* POWER and CLOCK: oscillators run as soon as they are started. */
static const SocReg clock_rows[] = {
    {.offset = 0x100, .ones = 1}, {.offset = 0x104, .ones = 1}, {.offset = 0x408, .fixed = 0xffffffff, .reset = 1},
    {.offset = 0x40c, .fixed = 0xffffffff, .reset = 0x10001}, {.offset = 0x414, .fixed = 0xffffffff, .reset = 1},
    {.offset = 0x418, .fixed = 0xffffffff, .reset = 0x10000},
};
SOC_BLOCK(nrf51_clock, "nrf51_soc.clock", "nRF51 power and clocks", 0x1000, soc_rows_4k,
          SOC_ROWS(clock_rows));

static const BoardSlot microbit_slots[] = {
    {.name = "nrf51_soc.io", .addr = 0x40000000, .size = 0x20000000}, {.name = "nrf51_soc.private", .addr = 0xf0000000, .size = 0x10000000},
    {.type = "nrf51_soc.clock", .addr = 0x40000000},
    {.type = "nrf51_soc.uart", .addr = 0x40002000, .serial = NTH(0), .irqs = {LINE(2)}},
    {.type = "microbit.i2c", .addr = 0x40003000},
    {.type = "nrf51_soc.timer", .addr = 0x40008000, .props = "id=0", .irqs = {LINE(8)}},
    {.type = "nrf51_soc.timer", .addr = 0x40009000, .props = "id=1", .irqs = {LINE(9)}},
    {.type = "nrf51_soc.timer", .addr = 0x4000a000, .props = "id=2", .irqs = {LINE(10)}},
    {.type = "nrf51_soc.rng", .addr = 0x4000d000, .irqs = {LINE(13)}},
    {.type = "nrf51_soc.nvm", .addr = 0x4001e000, .name = "nvm"},
    {.type = "nrf51_soc.gpio", .addr = 0x50000000},
};

static bool microbit_init(Vm *vm, GError **error)
{
    Board *b = board_new(vm);
    const Armv7mConfig cpu = {.irqs = 32, .cpu_hz = 16000000};

    if (!armv7m_create(b, &cpu, error) ||
        !board_add_ram(b, "nrf51.sram", 0x20000000, 16 * KIB, error) ||
        !board_add(b, microbit_slots, ARRAY_COUNT(microbit_slots), error)) {
        return false;
    }
    device_map(board_device(b, "nvm"), "ficr", 0x10000000);
    device_map(board_device(b, "nvm"), "uicr", 0x10001000);
    armv7m_boot_at(b, 0, 256 * KIB);
    return true;
}

ARMV7M_MACHINE(microbit, "microbit", "BBC micro:bit (Cortex-M0)", "cortex-m0");
