// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Evaluation boards with Stellaris controllers: LM3S6965EVB and LM3S811EVB, by their data sheets.
 * Left out: the display, the SD card, PWM, QEI, comparators, hibernation, flash programming.
 */
#include "hw/arm/armv7m.h"

#include "exec/bank.h"
#include "hw/misc/stellaris.h"

#define BLANK(label, at) {.name = label, .addr = at, .size = 0x1000}
#define COMMON                                                                               \
    {.type = "luminary-watchdog",                                                            \
     .addr = 0x40000000,                                                                     \
     .props = "wdogclk-frq=12500000",                                                        \
     .irqs = {LINE(18)}},                                                                    \
        {.type = "pl061_luminary", .addr = 0x40004000, .irqs = {LINE(0)}},                   \
        {.type = "pl061_luminary", .addr = 0x40005000, .irqs = {LINE(1)}},                   \
        {.type = "pl061_luminary", .addr = 0x40006000, .irqs = {LINE(2)}},                   \
        {.type = "pl061_luminary", .addr = 0x40007000, .irqs = {LINE(3)}},                   \
        {.type = "pl061_luminary", .addr = 0x40024000, .irqs = {LINE(4)}},                   \
        {.type = "pl022", .addr = 0x40008000, .irqs = {LINE(7)}},                            \
        {.type = "pl011_luminary", .addr = 0x4000c000, .serial = NTH(0), .irqs = {LINE(5)}}, \
        {.type = "pl011_luminary", .addr = 0x4000d000, .serial = NTH(1), .irqs = {LINE(6)}}, \
        {.type = "stellaris-i2c", .addr = 0x40020000, .irqs = {LINE(8)}},                    \
        {.type = "stellaris-gptm",                                                           \
         .addr = 0x40030000,                                                                 \
         .name = "gptm0",                                                                    \
         .irqs = {LINE(19), LINE(20)}},                                                      \
        {.type = "stellaris-gptm",                                                           \
         .addr = 0x40031000,                                                                 \
         .name = "gptm1",                                                                    \
         .irqs = {LINE(21), LINE(22)}},                                                      \
        {.type = "stellaris-gptm",                                                           \
         .addr = 0x40032000,                                                                 \
         .name = "gptm2",                                                                    \
         .irqs = {LINE(23), LINE(24)}},                                                      \
        {.type = "stellaris-adc",                                                            \
         .addr = 0x40038000,                                                                 \
         .irqs = {LINE(14), LINE(15), LINE(16), LINE(17)}},                                  \
        BLANK("i2c-0", 0x40002000), BLANK("i2c-2", 0x40021000), BLANK("PWM", 0x40028000),    \
        BLANK("QEI-0", 0x4002c000), BLANK("QEI-1", 0x4002d000),                              \
        BLANK("analogue-comparator", 0x4003c000), BLANK("hibernation", 0x400fc000),          \
        BLANK("flash-control", 0x400fd000)

static const BoardSlot lm3s6965_slots[] = {
    COMMON,
    {.type = "stellaris-sys", .addr = 0x400fe000, .name = "sys", .irqs = {LINE(28)},
     .props = "did0=0x10010002,did1=0x1073402e,dc0=0x00ff007f,dc1=0x001133ff,dc2=0x030f5317,dc3=0x0f0f87ff,dc4=0x5000007f"},
    {.type = "pl061_luminary", .addr = 0x40025000, .irqs = {LINE(30)}}, {.type = "pl061_luminary", .addr = 0x40026000, .irqs = {LINE(31)}},
    {.type = "pl011_luminary", .addr = 0x4000e000, .serial = NTH(2), .irqs = {LINE(33)}},
    {.type = "stellaris-gptm", .addr = 0x40033000, .name = "gptm3", .irqs = {LINE(35), LINE(36)}},
    {.type = "stellaris_enet", .addr = 0x40048000, .nic = true, .irqs = {LINE(42)}},
};

static const BoardSlot lm3s811_slots[] = {
    COMMON,
    {.type = "stellaris-sys", .addr = 0x400fe000, .name = "sys", .irqs = {LINE(28)},
     .props = "did0=0,did1=0x0032000e,dc0=0x001f001f,dc1=0x001132bf,dc2=0x01071013,dc3=0x3f0f01ff,dc4=0x0000001f"},
};

/* The system clock is SysTick's and the timers'. */
static void stellaris_clock(void *opaque, uint64_t hz)
{
    Board *b = opaque;

    armv7m_set_cpu_hz(b->intc, hz);
    for (unsigned i = 0; i < 4; i++) {
        g_autofree char *name = g_strdup_printf("gptm%u", i);
        Device *d = board_device(b, name);

        if (d) {
            stellaris_gptm_set_hz(d, hz);
        }
    }
}

static bool stellaris_build(Vm *vm, uint64_t flash, uint64_t sram, const BoardSlot *slots,
                            unsigned n, GError **error)
{
    Board *b = board_new(vm);
    const Armv7mConfig cpu = {.irqs = 64, .cpu_hz = 12500000, .bitband = true};

    if (!armv7m_create(b, &cpu, error) ||
        !board_add_ram(b, "stellaris.sram", 0x20000000, sram, error) ||
        !region_init_rom(&b->rom, NULL, "stellaris.flash", flash, error)) {
        return false;
    }
    region_add(vm->memory, 0, &b->rom, 0);
    board_quiet(b);
    if (!board_add(b, slots, n, error)) {
        return false;
    }
    stellaris_sys_on_clock(board_device(b, "sys"), stellaris_clock, b);
    armv7m_boot_at(b, 0, flash);
    return true;
}

static bool lm3s6965evb_init(Vm *vm, GError **error)
{
    return stellaris_build(vm, 256 * KIB, 64 * KIB, lm3s6965_slots, ARRAY_COUNT(lm3s6965_slots),
                           error);
}

static bool lm3s811evb_init(Vm *vm, GError **error)
{
    return stellaris_build(vm, 64 * KIB, 8 * KIB, lm3s811_slots, ARRAY_COUNT(lm3s811_slots), error);
}

ARMV7M_MACHINE(lm3s6965evb, "lm3s6965evb", "Stellaris LM3S6965EVB (Cortex-M3)", "cortex-m3",
               .default_nic = "stellaris_enet");
ARMV7M_MACHINE(lm3s811evb, "lm3s811evb", "Stellaris LM3S811EVB (Cortex-M3)", "cortex-m3");
