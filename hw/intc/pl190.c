// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Vectored interrupt controller PL190 (ARM DDI 0181E), and the secondary controller of ARM's
 * Versatile boards (ARM DUI 0225D, 4.10), which collects lines into one and lets some through.
 */
#include "exec/bank.h"

#define VECTORS 16
#define VECTOR_ON 0x20u

typedef struct Pl190 {
    Device dev;
    uint32_t lines, select, enable, soft, protect, deflt, addr[VECTORS], ctrl[VECTORS];
    /* how urgent what is being served is: an index of vectors, VECTORS the others, above that none */
    uint8_t level, outer[VECTORS + 1];
    Irq irq, fiq;
} Pl190;

static uint32_t vic_irqs(const Pl190 *s)
{
    return (s->lines | s->soft) & s->enable & ~s->select;
}

/* The most urgent level that asks. */
static unsigned vic_asks(const Pl190 *s)
{
    uint32_t on = vic_irqs(s);

    for (unsigned i = 0; i < VECTORS; i++) {
        if (s->ctrl[i] & VECTOR_ON && on >> (s->ctrl[i] & 31) & 1) {
            return i;
        }
    }
    return on ? VECTORS : VECTORS + 1;
}

static void vic_update(Pl190 *s)
{
    irq_set(&s->irq, vic_asks(s) < s->level);
    irq_set(&s->fiq, ((s->lines | s->soft) & s->enable & s->select) != 0);
}

static void vic_in(Device *d, unsigned pin, int level)
{
    Pl190 *s = (Pl190 *)d;

    s->lines = level ? s->lines | 1u << pin : s->lines & ~(1u << pin);
    vic_update(s);
}

static uint64_t vic_status_read(Device *d, const RegAccess *a)
{
    Pl190 *s = (Pl190 *)d;

    return a->reg->offset == 0   ? vic_irqs(s)
           : a->reg->offset == 4 ? (s->lines | s->soft) & s->enable & s->select
                                 : s->lines | s->soft;
}

static void vic_bits_write(Device *d, const RegAccess *a)
{
    Pl190 *s = (Pl190 *)d;
    uint32_t v = (uint32_t)a->value;

    switch (a->reg->offset) {
    case 0x10:
        s->enable |= v;
        break;
    case 0x14:
        s->enable &= ~v;
        break;
    case 0x18:
        s->soft |= v;
        break;
    default:
        s->soft &= ~v;
        break;
    }
    vic_update(s);
}

static uint64_t vic_bits_read(Device *d, const RegAccess *a)
{
    return a->reg->offset == 0x10 ? ((Pl190 *)d)->enable : ((Pl190 *)d)->soft;
}

/* Reading begins the service of the most urgent one, writing ends it. */
static uint64_t vic_vector_read(Device *d, const RegAccess *a)
{
    Pl190 *s = (Pl190 *)d;
    unsigned n = vic_asks(s);

    if (n < s->level) {
        s->outer[n] = s->level;
        s->level = (uint8_t)n;
        vic_update(s);
    }
    return s->level < VECTORS ? s->addr[s->level] : s->deflt;
}

static void vic_vector_write(Device *d, const RegAccess *a)
{
    Pl190 *s = (Pl190 *)d;

    if (s->level <= VECTORS) {
        s->level = s->outer[s->level];
        vic_update(s);
    }
}

static void vic_changed(Device *d, const RegAccess *a)
{
    vic_update((Pl190 *)d);
}

static void vic_reset(Device *d)
{
    Pl190 *s = (Pl190 *)d;

    s->enable = s->soft = 0;
    s->level = VECTORS + 1;
    vic_update(s);
}

/* clang-format off */
static const Reg vic_regs[] = {
    REG_HOOK(0x000, 4, "irq_status", .read = vic_status_read, .help = "enabled IRQs that are pending"),
    REG_HOOK(0x004, 4, "fiq_status", .read = vic_status_read, .help = "enabled FIQs that are pending"),
    REG_HOOK(0x008, 4, "raw_intr", .read = vic_status_read, .help = "all that are pending"),
    REG(Pl190, 0x00c, select, .wmask = 0xffffffff, .write = vic_changed, .help = "those that are FIQs"),
    REG_HOOK(0x010, 4, "int_enable", .read = vic_bits_read, .write = vic_bits_write, .help = "enables"),
    REG_HOOK(0x014, 4, "int_en_clear", .write = vic_bits_write, .help = "disables"),
    REG_HOOK(0x018, 4, "soft_int", .read = vic_bits_read, .write = vic_bits_write, .help = "sets by software"),
    REG_HOOK(0x01c, 4, "soft_int_clear", .write = vic_bits_write, .help = "clears again"),
    REG(Pl190, 0x020, protect, .wmask = 1, .help = "privileged access only"),
    REG_HOOK(0x030, 4, "vect_addr", .read = vic_vector_read, .write = vic_vector_write, .help = "begins and ends a service"),
    REG(Pl190, 0x034, deflt, .wmask = 0xffffffff, .help = "vector of those without one"),
    REG_ARRAY(Pl190, 0x100, addr, .wmask = 0xffffffff, .help = "vectors"),
    REG_ARRAY(Pl190, 0x200, ctrl, .wmask = 0x3f, .write = vic_changed, .help = "whose they are"),
    REG_HOOK(0xfe0, 4, "periphid0", .reset = 0x90), REG_HOOK(0xfe4, 4, "periphid1", .reset = 0x11),
    REG_HOOK(0xfe8, 4, "periphid2", .reset = 0x04), REG_HOOK(0xfec, 4, "periphid3"),
    REG_HOOK(0xff0, 4, "cellid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cellid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cellid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cellid3", .reset = 0xb1),
};
/* clang-format on */
static const RegBank vic_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(vic_regs), .help = "interrupt controller"}, {0}};
static const PinRow vic_pins[] = {PIN_OUT(Pl190, irq, "irq"), PIN_OUT(Pl190, fiq, "fiq"),
                                  PIN_IN("in", 32, vic_in), PIN_END};
static const StateField vic_state[] = {
    STATE(Pl190, lines), STATE(Pl190, enable), STATE(Pl190, soft), STATE_MAX(Pl190, level, VECTORS + 1), STATE_ARRAY_MAX(Pl190, outer, VECTORS + 1), STATE_END,
};
static const DeviceType vic_type = {
    .name = "pl190", .category = "misc", .desc = "Vectored interrupt controller", .internal = true, .size = sizeof(Pl190),
    .state_version = 1, .banks = vic_banks, .pins = vic_pins, .state = vic_state, .reset = vic_reset,
};
DEVICE_TYPE(vic_type);

/* ---- the secondary controller ---- */

#define FIRST_THROUGH 21u
#define LAST_THROUGH 30u

typedef struct VersatileSic {
    Device dev;
    uint32_t lines, enable, soft, through;
    Irq irq, out[32];
} VersatileSic;

static void sic_update(VersatileSic *s)
{
    uint32_t all = s->lines | s->soft;

    irq_set(&s->irq, (all & s->enable) != 0);
    for (unsigned i = FIRST_THROUGH; i <= LAST_THROUGH; i++) {
        irq_set(&s->out[i], s->through >> i & all >> i & 1);
    }
}

static void sic_in(Device *d, unsigned pin, int level)
{
    VersatileSic *s = (VersatileSic *)d;

    s->lines = level ? s->lines | 1u << pin : s->lines & ~(1u << pin);
    sic_update(s);
}

static uint64_t sic_status_read(Device *d, const RegAccess *a)
{
    VersatileSic *s = (VersatileSic *)d;
    uint32_t all = s->lines | s->soft;

    return a->reg->offset == 0 ? all & s->enable : all;
}

static void sic_bits_write(Device *d, const RegAccess *a)
{
    VersatileSic *s = (VersatileSic *)d;
    uint32_t v = (uint32_t)a->value;
    uint32_t *at = a->reg->offset < 0x10   ? &s->enable
                   : a->reg->offset < 0x20 ? &s->soft
                                           : &s->through;

    if (at == &s->through) {
        v &= 0x7fe00000;
    }
    *at = a->reg->offset & 4 ? *at & ~v : *at | v;
    sic_update(s);
}

static uint64_t sic_bits_read(Device *d, const RegAccess *a)
{
    VersatileSic *s = (VersatileSic *)d;

    return a->reg->offset == 8 ? s->enable : a->reg->offset == 0x10 ? s->soft : s->through;
}

/* Set at the offset without bit 2, cleared at the one with it. */
#define SIC_SET(off, name_, what) \
    REG_HOOK(off, 4, name_, .read = sic_bits_read, .write = sic_bits_write, .help = what)
#define SIC_CLEAR(off, name_, what) REG_HOOK(off, 4, name_, .write = sic_bits_write, .help = what)
static const Reg sic_regs[] = {
    REG_HOOK(0x00, 4, "status", .read = sic_status_read, .help = "enabled ones that are pending"),
    REG_HOOK(0x04, 4, "raw_status", .read = sic_status_read, .help = "all that are pending"),
    SIC_SET(0x08, "enable", "enables"), SIC_CLEAR(0x0c, "enable_clear", "disables"),
    SIC_SET(0x10, "soft", "sets by software"), SIC_CLEAR(0x14, "soft_clear", "clears again"),
    SIC_SET(0x20, "pic_enable", "lets through"), SIC_CLEAR(0x24, "pic_enable_clear", "holds back"),
};
static const RegBank sic_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(sic_regs), .help = "secondary controller"}, {0}};
static const PinRow sic_pins[] = {PIN_OUT(VersatileSic, irq, "irq"), PIN_OUT_ARRAY(VersatileSic, out, "out"),
                                  PIN_IN("in", 32, sic_in), PIN_END};
static const StateField sic_state[] = {
    STATE(VersatileSic, lines), STATE(VersatileSic, enable), STATE(VersatileSic, soft), STATE(VersatileSic, through), STATE_END,
};
static void sic_reset(Device *d)
{
    VersatileSic *s = (VersatileSic *)d;

    s->enable = s->soft = s->through = 0;
    sic_update(s);
}

static const DeviceType sic_type = {
    .name = "versatilepb_sic", .category = "misc", .desc = "Versatile secondary interrupt controller", .internal = true,
    .size = sizeof(VersatileSic), .state_version = 1, .banks = sic_banks, .pins = sic_pins, .state = sic_state, .reset = sic_reset,
};
DEVICE_TYPE(sic_type);
