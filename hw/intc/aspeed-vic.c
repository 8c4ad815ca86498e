// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt controller of the AST2400 and AST2500 (AST2500 datasheet, chapter 17): 51 sources, by
 * level or edge, each to IRQ or FIQ. Software finds the number in the status registers. The first
 * 80h bytes, an older layout of the first 32 sources, are left out.
 */
#include "exec/bank.h"

#define SOURCES 51

typedef struct AspeedVic {
    Device dev;
    uint32_t select[2], enable[2], soft[2], sense[2], both[2], event[2];
    uint32_t lines[2], latched[2];
    Irq irq, fiq;
} AspeedVic;

static uint32_t vic_raw(const AspeedVic *s, unsigned w)
{
    uint32_t level = s->event[w] & s->lines[w], low = ~s->event[w] & ~s->lines[w];

    return ((level | low) & s->sense[w]) | (s->latched[w] & ~s->sense[w]) | s->soft[w];
}

static uint32_t vic_pending(const AspeedVic *s, unsigned w, bool fiq)
{
    uint32_t valid = w ? (1u << (SOURCES - 32)) - 1 : UINT32_MAX;

    return vic_raw(s, w) & valid & s->enable[w] & (fiq ? s->select[w] : ~s->select[w]);
}

static void vic_update(AspeedVic *s)
{
    irq_set(&s->irq, (vic_pending(s, 0, false) | vic_pending(s, 1, false)) != 0);
    irq_set(&s->fiq, (vic_pending(s, 0, true) | vic_pending(s, 1, true)) != 0);
}

static void vic_in(Device *d, unsigned pin, int level)
{
    AspeedVic *s = (AspeedVic *)d;
    uint32_t bit = 1u << pin % 32;
    unsigned w = pin / 32;

    s->lines[w] = level ? s->lines[w] | bit : s->lines[w] & ~bit;
    if (!(s->sense[w] & bit) && (s->both[w] & bit || !!level == !!(s->event[w] & bit))) {
        s->latched[w] |= bit;
    }
    vic_update(s);
}

static uint64_t vic_status_read(Device *d, const RegAccess *a)
{
    AspeedVic *s = (AspeedVic *)d;

    return a->reg->offset == 0x90 ? vic_raw(s, a->index)
                                  : vic_pending(s, a->index, a->reg->offset == 0x88);
}

/* Registers that set and clear bits of another. */
static void vic_bits_write(Device *d, const RegAccess *a)
{
    AspeedVic *s = (AspeedVic *)d;
    uint32_t v = (uint32_t)(a->value & a->mask);

    switch (a->reg->offset) {
    case 0xa0:
        s->enable[a->index] = (uint32_t)a->old | v;
        break;
    case 0xa8:
        s->enable[a->index] &= ~v;
        break;
    case 0xb0:
        s->soft[a->index] = (uint32_t)a->old | v;
        break;
    case 0xb8:
        s->soft[a->index] &= ~v;
        break;
    default:
        s->latched[a->index] &= ~v;
        break;
    }
    vic_update(s);
}

static void vic_changed(Device *d, const RegAccess *a)
{
    vic_update((AspeedVic *)d);
}

static void vic_reset(Device *d)
{
    AspeedVic *s = (AspeedVic *)d;

    s->lines[0] = s->lines[1] = s->latched[0] = s->latched[1] = 0;
    s->sense[0] = 0xfff8ffff;
    s->sense[1] = 0x1f07;
    s->both[0] = 0x70000;
    s->both[1] = 0xf8;
    s->event[0] = 0xfff8ffff;
    s->event[1] = 0x5f07;
}

/* clang-format off */
static const Reg vic_regs[] = {
    REG_HOOK(0x80, 4, "irq_status", .count = 2, .read = vic_status_read, .help = "pending, to IRQ"),
    REG_HOOK(0x88, 4, "fiq_status", .count = 2, .read = vic_status_read, .help = "pending, to FIQ"),
    REG_HOOK(0x90, 4, "raw", .count = 2, .read = vic_status_read, .help = "pending, enabled or not"),
    REG_ARRAY(AspeedVic, 0x98, select, .wmask = 0xffffffff, .write = vic_changed, .help = "to FIQ"),
    REG_ARRAY(AspeedVic, 0xa0, enable, .wmask = 0xffffffff, .write = vic_bits_write, .help = "enables"),
    REG_HOOK(0xa8, 4, "enable_clear", .count = 2, .write = vic_bits_write, .help = "disables"),
    REG_ARRAY(AspeedVic, 0xb0, soft, .wmask = 0xffffffff, .write = vic_bits_write, .help = "software interrupts"),
    REG_HOOK(0xb8, 4, "soft_clear", .count = 2, .write = vic_bits_write, .help = "ends them"),
    REG_ARRAY(AspeedVic, 0xc0, sense, .wmask = 0xffffffff, .write = vic_changed, .help = "by level"),
    REG_ARRAY(AspeedVic, 0xc8, both, .wmask = 0xffffffff, .write = vic_changed, .help = "both edges"),
    REG_ARRAY(AspeedVic, 0xd0, event, .wmask = 0xffffffff, .write = vic_changed, .help = "high, or rising"),
    REG_HOOK(0xd8, 4, "edge_clear", .count = 2, .write = vic_bits_write, .help = "forgets edges"),
};
static const RegBank vic_banks[] = {{.name = "mmio", .size = 0x20000, BANK_REGS(vic_regs), .help = "interrupt controller"}, {0}};
static const PinRow vic_pins[] = {PIN_IN("in", SOURCES, vic_in), PIN_OUT(AspeedVic, irq, "irq"), PIN_OUT(AspeedVic, fiq, "fiq"), PIN_END};
static const StateField vic_state[] = {STATE_ARRAY(AspeedVic, lines), STATE_ARRAY(AspeedVic, latched), STATE_END};

static const DeviceType aspeed_vic_type = {
    .name = "aspeed.vic", .category = "misc", .desc = "Aspeed interrupt controller", .internal = true, .size = sizeof(AspeedVic), .state_version = 1,
    .banks = vic_banks, .pins = vic_pins, .state = vic_state, .reset = vic_reset,
};
DEVICE_TYPE(aspeed_vic_type);
/* clang-format on */
