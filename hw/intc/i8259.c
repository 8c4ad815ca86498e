// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programmable interrupt controller 8259A (Intel 231468), one chip, with the edge/level
 * control register that PCI chipsets add at ports 4D0h and 4D1h. Fully nested, rotating,
 * special mask, poll, automatic end of interrupt and special fully nested modes. Left out:
 * 8080 mode and buffered mode, which no PC uses.
 */
#include "hw/intc/i8259.h"
#include "exec/bank.h"
#include "hw/isa/isa.h"
#include "qom/vm.h"

typedef struct I8259 {
    Device dev;
    bool master;
    uint8_t elcr_mask;       /* lines that may be level triggered */
    Irq out;
    struct I8259 *slave;     /* of the master */
    uint8_t lines;           /* input levels */
    uint8_t irr, imr, isr;
    uint8_t lowest;          /* line of the highest priority: 0 unless rotated */
    uint8_t vector_base;
    uint8_t elcr;
    uint8_t icw_step;        /* next ICW expected at the data port, 0: none */
    bool read_isr, poll, special_mask, auto_eoi, rotate_on_auto_eoi, special_nested;
    bool needs_icw4, single, level_mode;
    uint64_t served[8];      /* interrupts acknowledged, for people */
} I8259;

/* Distance from the highest priority, 8: no bit set. */
static unsigned i8259_priority(const I8259 *s, uint8_t bits)
{
    unsigned p = 0;

    if (bits == 0) {
        return 8;
    }
    while (!(bits & 1u << ((p + s->lowest) & 7))) {
        p++;
    }
    return p;
}

/* The line to serve now, -1: none. */
static int i8259_pending(const I8259 *s)
{
    unsigned p = i8259_priority(s, s->irr & ~s->imr);
    uint8_t in_service = s->isr;

    if (p == 8) {
        return -1;
    }
    if (s->special_mask) {
        in_service &= ~s->imr;
    }
    /* Special fully nested: a slave's higher requests pass its own line in service. */
    if (s->special_nested && s->master) {
        in_service &= ~(1u << 2);
    }
    if (p < i8259_priority(s, in_service)) {
        return (p + s->lowest) & 7;
    }
    return -1;
}

static void i8259_update(I8259 *s)
{
    irq_set(&s->out, i8259_pending(s) >= 0);
}

static void i8259_input(Device *d, unsigned line, int level)
{
    I8259 *s = (I8259 *)d;
    uint8_t bit = 1u << line;
    bool is_level = s->level_mode || (s->elcr & bit);

    if (is_level) {
        s->irr = level ? s->irr | bit : s->irr & ~bit;
    } else if (level && !(s->lines & bit)) {
        s->irr |= bit;
    } else if (!level) {
        /* An edge request must stay high until it is acknowledged. */
        s->irr &= ~bit;
    }
    s->lines = level ? s->lines | bit : s->lines & ~bit;
    i8259_update(s);
}

static void i8259_begin_service(I8259 *s, unsigned line)
{
    uint8_t bit = 1u << line;

    s->served[line]++;
    if (!s->level_mode && !(s->elcr & bit)) {
        s->irr &= ~bit;
    }
    if (s->auto_eoi) {
        if (s->rotate_on_auto_eoi) {
            s->lowest = (line + 1) & 7;
        }
    } else {
        s->isr |= bit;
    }
    i8259_update(s);
}

uint8_t i8259_intack(Device *master)
{
    I8259 *s = (I8259 *)master;
    int line = i8259_pending(s);

    if (line < 0) {
        return s->vector_base + 7;    /* spurious */
    }
    uint8_t vector = s->vector_base + line;

    if (line == 2 && s->slave) {
        int sub = i8259_pending(s->slave);

        vector = s->slave->vector_base + (sub < 0 ? 7 : sub);
        if (sub >= 0) {
            i8259_begin_service(s->slave, sub);
        }
    }
    i8259_begin_service(s, line);
    return vector;
}

static void i8259_icw1(I8259 *s, uint8_t value)
{
    s->imr = s->isr = 0;
    s->irr = s->lines & s->elcr;
    s->lowest = 0;
    s->read_isr = s->poll = s->special_mask = false;
    s->auto_eoi = s->rotate_on_auto_eoi = s->special_nested = false;
    s->needs_icw4 = value & 1;
    s->single = value & 2;
    s->level_mode = value & 8;
    s->icw_step = 2;
    irq_set(&s->out, 0);
}

static void i8259_eoi(I8259 *s, unsigned line, bool rotate)
{
    s->isr &= ~(1u << line);
    if (rotate) {
        s->lowest = (line + 1) & 7;
    }
}

static void i8259_ocw2(I8259 *s, uint8_t value)
{
    unsigned p = i8259_priority(s, s->special_mask ? s->isr & ~s->imr : s->isr);
    unsigned top = (p + s->lowest) & 7;

    switch (value >> 5) {
    case 0:
    case 4:
        s->rotate_on_auto_eoi = value >> 5 == 4;
        break;
    case 1:
    case 5:
        if (p < 8) {
            i8259_eoi(s, top, value >> 5 == 5);
        }
        break;
    case 3:
    case 7:
        i8259_eoi(s, value & 7, value >> 5 == 7);
        break;
    case 6:
        s->lowest = ((value & 7) + 1) & 7;
        break;
    }
}

static void i8259_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    I8259 *s = opaque;

    if (offset == 0 && (value & 0x10)) {
        i8259_icw1(s, value);
    } else if (offset == 0 && (value & 0x08)) {
        s->poll = value & 4;
        if (value & 2) {
            s->read_isr = value & 1;
        }
        if (value & 0x40) {
            s->special_mask = value & 0x20;
        }
    } else if (offset == 0) {
        i8259_ocw2(s, value);
    } else if (s->icw_step == 0) {
        s->imr = value;
    } else if (s->icw_step == 2) {
        s->vector_base = value & 0xf8;
        s->icw_step = !s->single ? 3 : s->needs_icw4 ? 4 : 0;
    } else if (s->icw_step == 3) {
        s->icw_step = s->needs_icw4 ? 4 : 0;
    } else {
        s->auto_eoi = value & 2;
        s->special_nested = value & 0x10;
        s->icw_step = 0;
    }
    i8259_update(s);
}

static uint64_t i8259_read(void *opaque, hwaddr offset, unsigned size)
{
    I8259 *s = opaque;

    if (s->poll) {
        int line = i8259_pending(s);

        s->poll = false;
        if (line < 0) {
            return 0;
        }
        i8259_begin_service(s, line);
        return 0x80 | line;
    }
    if (offset == 1) {
        return s->imr;
    }
    return s->read_isr ? s->isr : s->irr;
}

static const RegionOps i8259_ops = {
    .read = i8259_read,
    .write = i8259_write,
    .min_size = 1,
    .max_size = 1,
};

static void i8259_elcr_write(Device *d, const RegAccess *a)
{
    I8259 *s = (I8259 *)d;

    s->elcr = a->value & s->elcr_mask;
    i8259_update(s);
}

static const Reg i8259_elcr_regs[] = {
    REG(I8259, 0, elcr, .write = i8259_elcr_write, .help = "1: line is level triggered"),
};

static void i8259_reset(Device *d)
{
    I8259 *s = (I8259 *)d;

    s->elcr = 0;
    s->lines = 0;
    i8259_icw1(s, 0);
    s->icw_step = 0;
    s->vector_base = 0;
}

static const Prop i8259_props[] = {
    PROP_BOOL(I8259, master, "master", false, .help = "the chip wired to the CPU"),
    PROP_U8(I8259, elcr_mask, "elcr_mask", 0xde, .help = "lines that may be level triggered"),
    PROP_END,
};

static const PinRow i8259_pins[] = {
    PIN_IN("in", 8, i8259_input),
    PIN_OUT(I8259, out, "int"),
    PIN_END,
};

static const StateField i8259_state[] = {
    STATE(I8259, lines),
    STATE(I8259, irr),
    STATE(I8259, imr),
    STATE(I8259, isr),
    STATE(I8259, lowest),
    STATE(I8259, vector_base),
    STATE(I8259, icw_step),
    STATE(I8259, read_isr),
    STATE(I8259, poll),
    STATE(I8259, special_mask),
    STATE(I8259, auto_eoi),
    STATE(I8259, rotate_on_auto_eoi),
    STATE(I8259, special_nested),
    STATE(I8259, needs_icw4),
    STATE(I8259, single),
    STATE(I8259, level_mode),
    HOST_ONLY(I8259, slave, "wiring"),
    HOST_ONLY(I8259, served, "statistics"),
    STATE_END,
};

static const RegBank i8259_banks[] = {
    { .name = "io", .size = 2, .ops = &i8259_ops, .pio = true, .help = "command and data ports" },
    { .name = "elcr", .size = 1, BANK_REGS(i8259_elcr_regs), .pio = true,
      .help = "edge/level control" },
    { 0 },
};

static const DeviceType i8259_type = {
    .name = "isa-i8259",
    .bus = "ISA",
    .category = "misc",
    .desc = "Interrupt controller 8259A",
    .internal = true,
    .size = sizeof(I8259),
    .state_version = 1,
    .props = i8259_props,
    .banks = i8259_banks,
    .pins = i8259_pins,
    .state = i8259_state,
    .reset = i8259_reset,
};
DEVICE_TYPE(i8259_type);

Device *i8259_create_pair(Vm *vm, Bus *isa, GError **error)
{
    Device *m =
        isa_create(isa, "isa-i8259", NULL, error, "master", "on", "elcr_mask", "0xf8", NULL);
    Device *s = m ? isa_create(isa, "isa-i8259", NULL, error, "elcr_mask", "0xde", NULL) : NULL;

    if (!s) {
        return NULL;
    }
    ((I8259 *)m)->slave = (I8259 *)s;
    device_map(m, "io", 0x20);
    device_map(s, "io", 0xa0);
    device_map(m, "elcr", 0x4d0);
    device_map(s, "elcr", 0x4d1);
    wire(s, "int", 0, m, "in", 2);
    vm_publish(vm, "i8259", m);
    return m;
}

void i8259_set_line(Device *master, unsigned line, int level)
{
    I8259 *m = (I8259 *)master;

    i8259_input(line < 8 ? &m->dev : &m->slave->dev, line & 7, level);
}

bool i8259_waits(Device *master, unsigned line)
{
    const I8259 *s = (I8259 *)master;

    if (line >= 8) {
        s = s->slave;
    }
    return s && (s->irr & ~s->imr) >> (line & 7) & 1;
}

uint64_t i8259_served(Device *master, unsigned line)
{
    const I8259 *s = (I8259 *)master;

    return line < 8 ? s->served[line] : s->slave ? s->slave->served[line & 7] : 0;
}

void i8259_print(Device *master, GString *out)
{
    I8259 *m = (I8259 *)master;
    I8259 *chips[] = { m, m->slave };

    for (unsigned i = 0; i < 2; i++) {
        I8259 *s = chips[i];

        g_string_append_printf(out,
                               "pic%u: irr=%02x imr=%02x isr=%02x hprio=%u irq_base=%02x "
                               "rr_sel=%d elcr=%02x fnm=%d\n",
                               i, s->irr, s->imr, s->isr, s->lowest, s->vector_base, s->read_isr,
                               s->elcr, s->special_nested);
    }
}
