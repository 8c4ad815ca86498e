// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt combiner of the Exynos 4210 (its User's Manual, 10): groups of eight lines, each group
 * one line of the GIC. A register holds the enables, or the states, of four groups.
 */
#include "exec/bank.h"

#define GROUPS 64
#define WORDS (GROUPS / 4)

typedef struct Combiner {
    Device dev;
    uint8_t level[GROUPS], enable[GROUPS];
    Irq irq[GROUPS];
} Combiner;

static void combiner_update(Combiner *s)
{
    for (unsigned g = 0; g < GROUPS; g++) {
        irq_set(&s->irq[g], (s->level[g] & s->enable[g]) != 0);
    }
}

static void combiner_input(Device *d, unsigned pin, int level)
{
    Combiner *s = (Combiner *)d;
    uint8_t bit = 1u << pin % 8;

    s->level[pin / 8] = level ? s->level[pin / 8] | bit : s->level[pin / 8] & ~bit;
    combiner_update(s);
}

/* Sixteen bytes for four groups: enable set, enable clear, status, status of what is enabled. */
static uint64_t combiner_read(Device *d, const RegAccess *a)
{
    Combiner *s = (Combiner *)d;
    unsigned first = a->index / 4 * 4, what = a->index % 4;
    uint32_t v = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint8_t g = what < 2    ? s->enable[first + i]
                    : what == 2 ? s->level[first + i]
                                : s->level[first + i] & s->enable[first + i];

        v |= (uint32_t)g << 8 * i;
    }
    return v;
}

static void combiner_write(Device *d, const RegAccess *a)
{
    Combiner *s = (Combiner *)d;
    unsigned first = a->index / 4 * 4, what = a->index % 4;

    for (unsigned i = 0; i < 4 && what < 2; i++) {
        uint8_t v = a->value >> 8 * i;

        s->enable[first + i] = what == 0 ? s->enable[first + i] | v : s->enable[first + i] & ~v;
    }
    combiner_update(s);
}

static uint64_t combiner_pending_read(Device *d, const RegAccess *a)
{
    Combiner *s = (Combiner *)d;
    uint32_t v = 0;

    for (unsigned i = 0; i < 32; i++) {
        v |= s->irq[a->index * 32 + i].level ? 1u << i : 0;
    }
    return v;
}

static void combiner_reset(Device *d)
{
    Combiner *s = (Combiner *)d;

    memset(s->enable, 0, sizeof(s->enable));
    combiner_update(s);
}

static const Reg combiner_regs[] = {
    REG_HOOK(0x000, 4, "groups", .count = WORDS * 4, .read = combiner_read, .write = combiner_write, .help = "enables and states"),
    REG_HOOK(0x100, 4, "pending", .count = 2, .read = combiner_pending_read, .help = "groups with an interrupt"),
};
static const RegBank combiner_banks[] = {
    {.name = "mmio", .size = 0x200, BANK_REGS(combiner_regs), .help = "combiner"}, {0}};
static const PinRow combiner_pins[] = {PIN_IN("in", GROUPS * 8, combiner_input),
                                       PIN_OUT_ARRAY(Combiner, irq, "irq"), PIN_END};
static const StateField combiner_state[] = {STATE_RAW(Combiner, level), STATE_RAW(Combiner, enable),
                                            STATE_END};

static const DeviceType combiner_type = {
    .name = "exynos4210.combiner", .category = "misc", .desc = "Exynos4210 interrupt combiner", .internal = true, .size = sizeof(Combiner),
    .state_version = 1, .banks = combiner_banks, .pins = combiner_pins, .state = combiner_state, .reset = combiner_reset,
};
DEVICE_TYPE(combiner_type);
