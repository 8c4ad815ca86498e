// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stellaris controllers (LM3S6965 data sheet): system control (6) with the clock divider, I2C
 * master (15) and ADC (12), to which nothing is connected: no slave answers, samples are 0.
 */
#include "exec/bank.h"
#include "hw/misc/stellaris.h"

/* ---- system control ---- */

typedef struct Ssys {
    Device dev;
    uint32_t did0, did1, dc0, dc1, dc2, dc3, dc4;      /* properties */
    uint32_t pborctl, ldopctl, int_status, int_mask, resc, rcc, rcc2, clkvclr, ldoarst;
    uint32_t srcr[3], rcgc[3], scgc[3], dcgc[3];
    void (*on_clock)(void *opaque, uint64_t hz);
    void *opaque;
    Irq irq;
} Ssys;

enum { RCC2_USE = 1u << 31, RIS_PLLL = 0x40 };

void stellaris_sys_on_clock(Device *d, void (*fn)(void *opaque, uint64_t hz), void *opaque)
{
    ((Ssys *)d)->on_clock = fn;
    ((Ssys *)d)->opaque = opaque;
}

/* 200 MHz by the divider of RCC, or of RCC2 where that is used. */
static void ssys_clock(Ssys *s)
{
    uint32_t divider = s->rcc2 & RCC2_USE ? s->rcc2 >> 23 & 0x3f : s->rcc >> 23 & 15;

    if (s->on_clock) {
        s->on_clock(s->opaque, 200000000 / (divider + 1));
    }
}

static void ssys_update(Ssys *s)
{
    irq_set(&s->irq, (s->int_status & s->int_mask) != 0);
}

/* The PLL locks as soon as it has power. */
static void ssys_rcc_write(Device *d, const RegAccess *a)
{
    Ssys *s = (Ssys *)d;

    if (a->old & 1u << 13 && !(a->value & 1u << 13)) {
        s->int_status |= RIS_PLLL;
    }
    ssys_clock(s);
    ssys_update(s);
}

static uint64_t ssys_id_read(Device *d, const RegAccess *a)
{
    Ssys *s = (Ssys *)d;
    const uint32_t v[8] = {s->did0, s->did1, s->dc0, 0, s->dc1, s->dc2, s->dc3, s->dc4};

    return v[a->reg->offset / 4];
}

static uint64_t ssys_misc_read(Device *d, const RegAccess *a)
{
    return ((Ssys *)d)->int_status & ((Ssys *)d)->int_mask;
}

static void ssys_misc_write(Device *d, const RegAccess *a)
{
    ((Ssys *)d)->int_status &= ~(uint32_t)a->value;
    ssys_update((Ssys *)d);
}

static void ssys_changed(Device *d, const RegAccess *a)
{
    ssys_update((Ssys *)d);
}

static uint64_t ssys_pllcfg_read(Device *d, const RegAccess *a)
{
    return 0x1902;                      /* of an 8 MHz crystal */
}

static void ssys_reset(Device *d)
{
    ssys_clock((Ssys *)d);
}

/* clang-format off */
static const Reg ssys_regs[] = {
    REG_HOOK(0x000, 4, "did0", .read = ssys_id_read), REG_HOOK(0x004, 4, "did1", .read = ssys_id_read), REG_HOOK(0x008, 4, "dc0", .read = ssys_id_read),
    REG_HOOK(0x010, 4, "dc1", .read = ssys_id_read), REG_HOOK(0x014, 4, "dc2", .read = ssys_id_read), REG_HOOK(0x018, 4, "dc3", .read = ssys_id_read),
    REG_HOOK(0x01c, 4, "dc4", .read = ssys_id_read),
    REG(Ssys, 0x030, pborctl, .reset = 0x7ffd, .wmask = 0xffff), REG(Ssys, 0x034, ldopctl, .wmask = 0x3f),
    REG_ARRAY(Ssys, 0x040, srcr, .wmask = 0xffffffff, .help = "resets of peripherals"),
    REG(Ssys, 0x050, int_status, .help = "raw interrupts"), REG(Ssys, 0x054, int_mask, .wmask = 0x7f, .write = ssys_changed, .help = "interrupt mask"),
    REG_HOOK(0x058, 4, "misc", .read = ssys_misc_read, .write = ssys_misc_write, .help = "masked interrupts"),
    REG(Ssys, 0x05c, resc, .wmask = 0x3f, .help = "why there was a reset"),
    REG(Ssys, 0x060, rcc, .reset = 0x078e3ac0, .wmask = 0xffffffff, .write = ssys_rcc_write, .help = "clock"),
    REG_HOOK(0x064, 4, "pllcfg", .read = ssys_pllcfg_read, .help = "PLL"),
    REG(Ssys, 0x070, rcc2, .reset = 0x07802810, .wmask = 0xffffffff, .write = ssys_rcc_write, .help = "clock"),
    REG_ARRAY(Ssys, 0x100, rcgc, .reset = 1, .wmask = 0xffffffff, .help = "clocks of peripherals"), REG_ARRAY(Ssys, 0x110, scgc, .reset = 1, .wmask = 0xffffffff),
    REG_ARRAY(Ssys, 0x120, dcgc, .reset = 1, .wmask = 0xffffffff),
    REG(Ssys, 0x150, clkvclr, .wmask = 1), REG(Ssys, 0x160, ldoarst, .wmask = 1),
};
/* clang-format on */
static const RegBank ssys_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(ssys_regs), .help = "system control"}, {0}};
static const Prop ssys_props[] = {
    PROP_U32(Ssys, did0, "did0", 0), PROP_U32(Ssys, did1, "did1", 0), PROP_U32(Ssys, dc0, "dc0", 0), PROP_U32(Ssys, dc1, "dc1", 0),
    PROP_U32(Ssys, dc2, "dc2", 0), PROP_U32(Ssys, dc3, "dc3", 0), PROP_U32(Ssys, dc4, "dc4", 0), PROP_END,
};
static const PinRow ssys_pins[] = {PIN_OUT(Ssys, irq, "irq"), PIN_END};
static const StateField ssys_state[] = {HOST_ONLY(Ssys, on_clock, "wired by the board"),
                                        HOST_ONLY(Ssys, opaque, "wired by the board"), STATE_END};

static const DeviceType ssys_type = {
    .name = "stellaris-sys", .category = "misc", .desc = "Stellaris system control", .internal = true, .size = sizeof(Ssys), .state_version = 1,
    .props = ssys_props, .banks = ssys_banks, .pins = ssys_pins, .state = ssys_state, .reset = ssys_reset,
};
DEVICE_TYPE(ssys_type);

/* ---- I2C master ---- */

typedef struct StellarisI2c {
    Device dev;
    uint32_t msa, mcs, mdr, mtpr, mimr, mris, mcr;
    Irq irq;
} StellarisI2c;

static void si2c_update(StellarisI2c *s)
{
    irq_set(&s->irq, (s->mris & s->mimr) != 0);
}

/* RUN: nobody acknowledges the address. */
static void si2c_mcs_write(Device *d, const RegAccess *a)
{
    StellarisI2c *s = (StellarisI2c *)d;

    s->mcs = a->value & 1 ? 0x26 : 0x20;
    s->mris |= (uint32_t)a->value & 1;
    si2c_update(s);
}

static void si2c_changed(Device *d, const RegAccess *a)
{
    si2c_update((StellarisI2c *)d);
}

static uint64_t si2c_mis_read(Device *d, const RegAccess *a)
{
    return ((StellarisI2c *)d)->mris & ((StellarisI2c *)d)->mimr;
}

static void si2c_micr_write(Device *d, const RegAccess *a)
{
    ((StellarisI2c *)d)->mris &= ~(uint32_t)a->value;
    si2c_update((StellarisI2c *)d);
}

/* clang-format off */
static const Reg si2c_regs[] = {
    REG(StellarisI2c, 0x00, msa, .wmask = 0xff, .help = "address"),
    REG(StellarisI2c, 0x04, mcs, .reset = 0x20, .write = si2c_mcs_write, .help = "control, status"),
    REG(StellarisI2c, 0x08, mdr, .wmask = 0xff, .help = "data"), REG(StellarisI2c, 0x0c, mtpr, .reset = 1, .wmask = 0xff, .help = "period"),
    REG(StellarisI2c, 0x10, mimr, .wmask = 1, .write = si2c_changed), REG(StellarisI2c, 0x14, mris), REG_HOOK(0x18, 4, "mmis", .read = si2c_mis_read),
    REG_HOOK(0x1c, 4, "micr", .write = si2c_micr_write), REG(StellarisI2c, 0x20, mcr, .wmask = 0x31),
};
/* clang-format on */
static const RegBank si2c_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(si2c_regs), .help = "I2C"}, {0}};
static const PinRow si2c_pins[] = {PIN_OUT(StellarisI2c, irq, "irq"), PIN_END};

static const DeviceType si2c_type = {
    .name = "stellaris-i2c", .category = "misc", .desc = "Stellaris I2C", .internal = true, .size = sizeof(StellarisI2c), .state_version = 1,
    .banks = si2c_banks, .pins = si2c_pins,
};
DEVICE_TYPE(si2c_type);

/* ---- ADC: four sample sequencers ---- */

typedef struct StellarisAdc {
    Device dev;
    uint32_t actss, ris, im, emux, ustat, sspri, sac;
    uint32_t ssmux[4], ssctl[4], full;
    Irq irq[4];
} StellarisAdc;

static void sadc_update(StellarisAdc *s)
{
    for (unsigned n = 0; n < 4; n++) {
        irq_set(&s->irq[n], (s->ris & s->im) >> n & 1);
    }
}

static void sadc_changed(Device *d, const RegAccess *a)
{
    sadc_update((StellarisAdc *)d);
}

/* PSSI starts sequences: samples are there at once. */
static void sadc_pssi_write(Device *d, const RegAccess *a)
{
    StellarisAdc *s = (StellarisAdc *)d;
    uint32_t now = (uint32_t)a->value & s->actss & 15;

    s->full |= now;
    s->ris |= now;
    sadc_update(s);
}

static void sadc_isc_write(Device *d, const RegAccess *a)
{
    ((StellarisAdc *)d)->ris &= ~(uint32_t)a->value;
    sadc_update((StellarisAdc *)d);
}

static uint64_t sadc_isc_read(Device *d, const RegAccess *a)
{
    return ((StellarisAdc *)d)->ris & ((StellarisAdc *)d)->im;
}

static uint64_t sadc_fifo_read(Device *d, const RegAccess *a)
{
    ((StellarisAdc *)d)->full &= ~(1u << a->index);
    return 0;
}

static uint64_t sadc_fstat_read(Device *d, const RegAccess *a)
{
    return ((StellarisAdc *)d)->full >> a->index & 1 ? 0x10 : 0x100;
}

static void sadc_reset(Device *d)
{
    ((StellarisAdc *)d)->full = 0;
}

/* clang-format off */
static const Reg sadc_regs[] = {
    REG(StellarisAdc, 0x00, actss, .wmask = 15, .help = "sequencers that are on"), REG(StellarisAdc, 0x04, ris, .help = "raw interrupts"),
    REG(StellarisAdc, 0x08, im, .wmask = 15, .write = sadc_changed, .help = "interrupt mask"),
    REG_HOOK(0x0c, 4, "isc", .read = sadc_isc_read, .write = sadc_isc_write, .help = "interrupt status and clear"),
    REG(StellarisAdc, 0x14, emux, .wmask = 0xffff), REG(StellarisAdc, 0x18, ustat, .w1c = 15), REG(StellarisAdc, 0x20, sspri, .reset = 0x3210, .wmask = 0x3333),
    REG_HOOK(0x28, 4, "pssi", .write = sadc_pssi_write, .help = "starts sequences"), REG(StellarisAdc, 0x30, sac, .wmask = 7),
    {.offset = 0x40, .field = offsetof(StellarisAdc, ssmux), .size = 4, .count = 4, .stride = 0x20, .name = "ssmux", .wmask = 0xffffffff},
    {.offset = 0x44, .field = offsetof(StellarisAdc, ssctl), .size = 4, .count = 4, .stride = 0x20, .name = "ssctl", .wmask = 0xffffffff},
    REG_HOOK(0x48, 4, "ssfifo", .count = 4, .stride = 0x20, .read = sadc_fifo_read), REG_HOOK(0x4c, 4, "ssfstat", .count = 4, .stride = 0x20, .read = sadc_fstat_read),
};
/* clang-format on */
static const RegBank sadc_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(sadc_regs), .help = "ADC"}, {0}};
static const PinRow sadc_pins[] = {PIN_OUT_ARRAY(StellarisAdc, irq, "irq"), PIN_END};
static const StateField sadc_state[] = {STATE(StellarisAdc, full), STATE_END};

static const DeviceType sadc_type = {
    .name = "stellaris-adc", .category = "misc", .desc = "Stellaris ADC", .internal = true, .size = sizeof(StellarisAdc), .state_version = 1,
    .banks = sadc_banks, .pins = sadc_pins, .state = sadc_state, .reset = sadc_reset,
};
DEVICE_TYPE(sadc_type);
