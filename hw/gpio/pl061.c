// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PrimeCell GPIO PL061 (ARM DDI 0190B): eight lines with edge or level interrupts. Address bits
 * 9 to 2 of an access to the data register say which lines it is about. Mode control (AFSEL)
 * is kept and has no effect.
 */
#include "exec/bank.h"

#define LINES 8

typedef struct Pl061 {
    Device dev;
    uint32_t pads[8];                  /* of Stellaris only */
    uint32_t pullups, pulldowns; /* properties: what an input that nobody drives reads as */
    Irq irq, out[LINES];
    uint32_t dir, is, ibe, iev, ie, ris, afsel;
    uint8_t data; /* levels of outputs as last written and of inputs */
    uint8_t input, driven; /* what comes in, and which lines somebody drives */
    uint8_t seen; /* input levels at the last look, for edges */
} Pl061;

static void pl061_update(Pl061 *s)
{
    uint8_t floating = ~(s->driven | s->dir);
    uint8_t inputs = (s->input & s->driven) | (s->pullups & floating);

    s->data = (s->data & s->dir) | (inputs & ~s->dir);
    for (unsigned i = 0; i < LINES; i++) {
        bool out = s->dir >> i & 1;

        irq_set(&s->out[i], (out ? s->data : s->pullups) >> i & 1);
    }
    uint8_t changed = (s->data ^ s->seen) & ~s->dir;

    s->seen = s->data;
    /* 3.3: edges stick, levels follow. */
    s->ris |= changed & ~s->is & (s->ibe | ~(s->data ^ s->iev));
    s->ris = (s->ris & ~(s->is & ~s->dir)) | (~(s->data ^ s->iev) & s->is & ~s->dir);
    s->ris &= 0xff;
    irq_set(&s->irq, (s->ris & s->ie) != 0);
}

static void pl061_input(Device *d, unsigned pin, int level)
{
    Pl061 *s = (Pl061 *)d;

    s->driven |= 1u << pin;
    s->input = (s->input & ~(1u << pin)) | (level ? 1u << pin : 0);
    pl061_update(s);
}

static uint64_t pl061_data_read(Device *d, const RegAccess *a)
{
    return ((Pl061 *)d)->data & a->index;
}

static void pl061_data_write(Device *d, const RegAccess *a)
{
    Pl061 *s = (Pl061 *)d;
    uint8_t mask = a->index & s->dir;

    s->data = (s->data & ~mask) | (a->value & mask);
    pl061_update(s);
}

static void pl061_changed(Device *d, const RegAccess *a)
{
    pl061_update((Pl061 *)d);
}

static uint64_t pl061_mis_read(Device *d, const RegAccess *a)
{
    return ((Pl061 *)d)->ris & ((Pl061 *)d)->ie;
}

static void pl061_ic_write(Device *d, const RegAccess *a)
{
    ((Pl061 *)d)->ris &= ~a->value;
    pl061_update((Pl061 *)d);
}

static void pl061_reset(Device *d)
{
    Pl061 *s = (Pl061 *)d;

    s->data = s->seen = (s->input & s->driven) | (s->pullups & ~s->driven);
    pl061_update(s);
}

/* clang-format off */
#define PL061_ROWS \
    REG_HOOK(0x000, 4, "data", .count = 256, .read = pl061_data_read, .write = pl061_data_write, .help = "lines; the offset is a mask"), \
    REG(Pl061, 0x400, dir, .wmask = 0xff, .write = pl061_changed, .help = "1: output"), \
    REG(Pl061, 0x404, is, .wmask = 0xff, .write = pl061_changed, .help = "1: level"), \
    REG(Pl061, 0x408, ibe, .wmask = 0xff, .write = pl061_changed, .help = "1: both edges"), \
    REG(Pl061, 0x40c, iev, .wmask = 0xff, .write = pl061_changed, .help = "1: rising edge or high level"), \
    REG(Pl061, 0x410, ie, .wmask = 0xff, .write = pl061_changed, .help = "interrupt enable"), \
    REG(Pl061, 0x414, ris, .help = "raw interrupts"), \
    REG_HOOK(0x418, 4, "mis", .read = pl061_mis_read, .help = "masked interrupts"), \
    REG_HOOK(0x41c, 4, "ic", .write = pl061_ic_write, .help = "interrupt clear"), \
    REG(Pl061, 0x420, afsel, .wmask = 0xff, .help = "mode control")
static const Reg pl061_regs[] = {
    PL061_ROWS,
    REG_HOOK(0xfe0, 4, "periphid0", .reset = 0x61), REG_HOOK(0xfe4, 4, "periphid1", .reset = 0x10),
    REG_HOOK(0xfe8, 4, "periphid2", .reset = 0x04), REG_HOOK(0xfec, 4, "periphid3", .reset = 0x00),
    REG_HOOK(0xff0, 4, "cellid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cellid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cellid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cellid3", .reset = 0xb1),
};
/* Stellaris: pads have registers of their own. */
static const Reg luminary_gpio_regs[] = {
    PL061_ROWS,
    REG(Pl061, 0x500, pads[0], .reset = 0xff, .wmask = 0xff, .help = "2 mA"), REG(Pl061, 0x504, pads[1], .wmask = 0xff, .help = "4 mA"),
    REG(Pl061, 0x508, pads[2], .wmask = 0xff, .help = "8 mA"), REG(Pl061, 0x50c, pads[3], .wmask = 0xff, .help = "open drain"),
    REG(Pl061, 0x510, pads[4], .wmask = 0xff, .help = "pull-up"), REG(Pl061, 0x514, pads[5], .wmask = 0xff, .help = "pull-down"),
    REG(Pl061, 0x518, pads[6], .wmask = 0xff, .help = "slew rate"), REG(Pl061, 0x51c, pads[7], .wmask = 0xff, .help = "digital enable"),
    REG_HOOK(0x520, 4, "lock", .reset = 1, .help = "always locked"), REG_HOOK(0x524, 4, "commit", .reset = 0xff),
    REG_HOOK(0xfe0, 4, "periphid0", .reset = 0x61), REG_HOOK(0xfe4, 4, "periphid1", .reset = 0x00),
    REG_HOOK(0xfe8, 4, "periphid2", .reset = 0x18), REG_HOOK(0xfec, 4, "periphid3", .reset = 0x01),
    REG_HOOK(0xff0, 4, "cellid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cellid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cellid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cellid3", .reset = 0xb1),
};
/* clang-format on */

static const RegBank pl061_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(pl061_regs), .help = "GPIO registers"},
    {0},
};

static const Prop pl061_props[] = {
    PROP_U32(Pl061, pullups, "pullups", 0xff, .help = "lines with a pull-up"),
    PROP_U32(Pl061, pulldowns, "pulldowns", 0, .help = "lines with a pull-down"),
    PROP_END,
};

static const PinRow pl061_pins[] = {
    PIN_OUT(Pl061, irq, "irq"),
    PIN_OUT_ARRAY(Pl061, out, "out"),
    PIN_IN("in", LINES, pl061_input),
    PIN_END,
};

static const StateField pl061_state[] = {
    STATE_ARRAY(Pl061, pads),
    STATE(Pl061, data), STATE(Pl061, input), STATE(Pl061, driven), STATE(Pl061, seen), STATE_END,
};

static const DeviceType pl061_type = {
    .name = "pl061",
    .category = "misc",
    .desc = "PrimeCell GPIO",
    .internal = true,
    .size = sizeof(Pl061),
    .state_version = 1,
    .props = pl061_props,
    .banks = pl061_banks,
    .pins = pl061_pins,
    .state = pl061_state,
    .reset = pl061_reset,
};
DEVICE_TYPE(pl061_type);

static const RegBank luminary_gpio_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(luminary_gpio_regs), .help = "GPIO registers"}, {0}};

static const DeviceType luminary_gpio_type = {
    .name = "pl061_luminary",
    .category = "misc",
    .desc = "Stellaris GPIO",
    .internal = true,
    .size = sizeof(Pl061),
    .state_version = 1,
    .props = pl061_props,
    .banks = luminary_gpio_banks,
    .pins = pl061_pins,
    .state = pl061_state,
    .reset = pl061_reset,
};
DEVICE_TYPE(luminary_gpio_type);
