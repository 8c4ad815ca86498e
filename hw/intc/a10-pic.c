// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt controller of the Allwinner A10 (A10 User Manual 1.5, 11): 95 sources, each to IRQ or
 * FIQ. Left out: priority levels; the lowest number goes first.
 */
#include "exec/bank.h"

#define WORDS 3
#define SOURCES 95

typedef struct A10Pic {
    Device dev;
    uint32_t base, protect, nmi, select[WORDS], enable[WORDS], mask[WORDS], response[WORDS], force[WORDS], priority[5];
    uint32_t lines[WORDS], latched[WORDS];
    Irq irq, fiq;
} A10Pic;

static uint32_t pending(const A10Pic *s, unsigned w)
{
    return s->latched[w] | s->lines[w] | s->force[w];
}

static uint32_t wanted(const A10Pic *s, unsigned w, bool fiq)
{
    return pending(s, w) & s->enable[w] & ~s->mask[w] & (fiq ? s->select[w] : ~s->select[w]);
}

static void pic_update(A10Pic *s)
{
    bool irq = false, fiq = false;

    for (unsigned w = 0; w < WORDS; w++) {
        irq |= wanted(s, w, false) != 0;
        fiq |= wanted(s, w, true) != 0;
    }
    irq_set(&s->irq, irq);
    irq_set(&s->fiq, fiq);
}

static void pic_in(Device *d, unsigned pin, int level)
{
    A10Pic *s = (A10Pic *)d;
    uint32_t bit = 1u << pin % 32;

    if (level) {
        s->lines[pin / 32] |= bit;
        s->latched[pin / 32] |= bit;
    } else {
        s->lines[pin / 32] &= ~bit;
        s->latched[pin / 32] &= ~bit;
    }
    pic_update(s);
}

/* Four times the number of what is to be served. */
static uint64_t pic_vector_read(Device *d, const RegAccess *a)
{
    A10Pic *s = (A10Pic *)d;

    for (unsigned w = 0; w < WORDS; w++) {
        uint32_t v = wanted(s, w, false);

        if (v) {
            return s->base + 4 * (32 * w + (unsigned)__builtin_ctz(v));
        }
    }
    return s->base;
}

static uint64_t pic_pending_read(Device *d, const RegAccess *a)
{
    A10Pic *s = (A10Pic *)d;

    return a->reg->offset == 0x20 ? pending(s, a->index) & s->select[a->index]
                                  : pending(s, a->index);
}

static void pic_pending_write(Device *d, const RegAccess *a)
{
    A10Pic *s = (A10Pic *)d;

    s->latched[a->index] &= ~(uint32_t)a->value;
    pic_update(s);
}

static void pic_changed(Device *d, const RegAccess *a)
{
    pic_update((A10Pic *)d);
}

#define PIC_WORDS(off, f, what) \
    REG_ARRAY(A10Pic, off, f, .wmask = 0xffffffff, .write = pic_changed, .help = what)
static const Reg pic_regs[] = {
    REG_HOOK(0x00, 4, "vector", .read = pic_vector_read, .help = "what is to be served"),
    REG(A10Pic, 0x04, base, .wmask = 0xfffffffc, .help = "base of the vectors"),
    REG(A10Pic, 0x08, protect, .wmask = 1, .help = "privileged access only"),
    REG(A10Pic, 0x0c, nmi, .wmask = 3, .help = "external interrupt"),
    REG_HOOK(0x10, 4, "pending", .count = WORDS, .read = pic_pending_read, .write = pic_pending_write, .help = "pending"),
    REG_HOOK(0x20, 4, "fiq_pending", .count = WORDS, .read = pic_pending_read, .help = "pending for FIQ"),
    PIC_WORDS(0x30, select, "those that are FIQs"),
    PIC_WORDS(0x40, enable, "enabled"),
    PIC_WORDS(0x50, mask, "masked"),
    REG_ARRAY(A10Pic, 0x60, response, .wmask = 0xffffffff, .help = "response"),
    PIC_WORDS(0x70, force, "set by software"),
    REG_ARRAY(A10Pic, 0x80, priority, .wmask = 0xffffffff, .help = "priorities"),
};
static const RegBank pic_banks[] = {
    {.name = "mmio", .size = 0x400, BANK_REGS(pic_regs), .help = "interrupt controller"}, {0}};
static const PinRow pic_pins[] = {PIN_OUT(A10Pic, irq, "irq"), PIN_OUT(A10Pic, fiq, "fiq"),
                                  PIN_IN("in", SOURCES, pic_in), PIN_END};
static const StateField pic_state[] = {STATE_ARRAY(A10Pic, lines), STATE_ARRAY(A10Pic, latched), STATE_END};
static const DeviceType pic_type = {
    .name = "allwinner-a10-pic", .category = "misc", .desc = "Allwinner A10 interrupt controller", .internal = true,
    .size = sizeof(A10Pic), .state_version = 1, .banks = pic_banks, .pins = pic_pins, .state = pic_state,
};
DEVICE_TYPE(pic_type);
