// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocks of ARM's Integrator/CP (ARM DUI 0159B): the core module's registers with its identity and
 * its memory's serial presence detect (DUI 0157D, chapter 4), the baseboard's control registers,
 * and the interrupt controller, of which the baseboard has a primary and a secondary one. Left out:
 * remapping of the boot memory, effects of clocks, the core module's own interrupts.
 */
#include "exec/bank.h"
#include "hw/misc/soc-regs.h"
#include "util/timer.h"

/* ---- core module ---- */

#define LOCK_KEY 0xa05f
enum {
    CM_LOCK = 0x14
};

/* 4.2.6: bit 16 of the lock register says that clocks may be set. */
static void core_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if (offset == CM_LOCK) {
        s->r[CM_LOCK / 4] = (value & 0xffff) == LOCK_KEY ? 0x1a05f : value & 0xffff;
    }
}

static uint32_t core_read(SocRegs *s, unsigned offset, uint32_t value)
{
    /* 4.2.8, 24 MHz: a count that only has to move */
    return offset == 0x28 ? (uint32_t)(clock_now_ns(CLOCK_GUEST) * 24 / 1000) : value;
}

/* 4.2.10: SDRAM of 128 MiB; the controller's size field is in the fourth register. */
static const SocReg core_rows[] = {
    {.offset = 0x000, .reset = 0x411a3001, .fixed = 0xffffffff},
    {.offset = 0x004, .fixed = 0xffffffff},
    {.offset = 0x008, .reset = 0x01000048},
    {.offset = 0x010, .fixed = 0xffffffff},
    {.offset = 0x01c, .reset = 0x0007feff},
    {.offset = 0x020, .reset = 0x00010112},
    {.offset = 0x024, .reset = 0x00000122},
    {.offset = 0x100, .reset = 0x0a0d0880},
    {.offset = 0x104, .reset = 0x00014002},
    {.offset = 0x110, .reset = 0x00400006},
};
SOC_BLOCK(core_module, "integrator_core", "Integrator core module", 0x1000, soc_rows_4k,
          SOC_ROWS(core_rows), .written = core_written, .read = core_read);

static const SocReg cp_rows[] = {
    {.offset = 0x000, .reset = 0x41034003, .fixed = 0xffffffff},
    {.offset = 0x004, .reset = 0x01},
    {.offset = 0x00c, .reset = 0x11, .fixed = 0xffffffff},
};

/* Card detection in the interrupt register: ones clear it. */
static void cp_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if (offset == 8) {
        s->r[2] = old & ~value;
    }
}
SOC_BLOCK(cp_control, "icp-ctrl-regs", "Integrator/CP control registers", 0x100, soc_rows_256,
          SOC_ROWS(cp_rows), .written = cp_written);

static const SocReg led_rows[] = {{.offset = 0x000}};
SOC_BLOCK(cp_leds, "integrator_debug", "Integrator display and switches", 0x100, soc_rows_256,
          SOC_ROWS(led_rows));

/* ---- interrupt controller ---- */

typedef struct IntegratorPic {
    Device dev;
    uint32_t lines, soft, irq_enable, fiq_enable;
    Irq irq, fiq;
} IntegratorPic;

static uint32_t pic_raw(const IntegratorPic *s)
{
    return s->lines | s->soft;
}

static void pic_update(IntegratorPic *s)
{
    irq_set(&s->irq, (pic_raw(s) & s->irq_enable) != 0);
    irq_set(&s->fiq, (pic_raw(s) & s->fiq_enable) != 0);
}

static void pic_in(Device *d, unsigned pin, int level)
{
    IntegratorPic *s = (IntegratorPic *)d;

    s->lines = level ? s->lines | 1u << pin : s->lines & ~(1u << pin);
    pic_update(s);
}

static uint64_t pic_read(Device *d, const RegAccess *a)
{
    IntegratorPic *s = (IntegratorPic *)d;
    bool fiq = a->reg->offset >= 0x20;

    switch (a->reg->offset & 0x1f) {
    case 0x00:
        return pic_raw(s) & (fiq ? s->fiq_enable : s->irq_enable);
    case 0x04:
        return pic_raw(s);
    case 0x08:
        return fiq ? s->fiq_enable : s->irq_enable;
    default:
        return s->soft;
    }
}

static void pic_write(Device *d, const RegAccess *a)
{
    IntegratorPic *s = (IntegratorPic *)d;
    uint32_t v = (uint32_t)a->value,
             *enable = a->reg->offset >= 0x20 ? &s->fiq_enable : &s->irq_enable;

    switch (a->reg->offset & 0x1f) {
    case 0x08:
        *enable |= v;
        break;
    case 0x0c:
        *enable &= ~v;
        break;
    case 0x10:
        s->soft |= v & 1;
        break;
    default:
        s->soft &= ~(v & 1);
        break;
    }
    pic_update(s);
}

static void pic_reset(Device *d)
{
    IntegratorPic *s = (IntegratorPic *)d;

    s->lines = s->soft = s->irq_enable = s->fiq_enable = 0;
}

/* clang-format off */
#define PIC_ROWS(base, n)                                                                     \
    REG_HOOK((base) + 0x00, 4, n "_status", .read = pic_read), REG_HOOK((base) + 0x04, 4, n "_raw", .read = pic_read), \
    REG_HOOK((base) + 0x08, 4, n "_enable", .read = pic_read, .write = pic_write),            \
    REG_HOOK((base) + 0x0c, 4, n "_disable", .write = pic_write)
static const Reg pic_regs[] = {
    PIC_ROWS(0x00, "irq"),
    REG_HOOK(0x10, 4, "soft_set", .read = pic_read, .write = pic_write), REG_HOOK(0x14, 4, "soft_clear", .write = pic_write),
    PIC_ROWS(0x20, "fiq"),
};
static const RegBank pic_banks[] = {{.name = "mmio", .size = 0x40, BANK_REGS(pic_regs), .help = "interrupt controller"}, {0}};
static const PinRow pic_pins[] = {PIN_IN("in", 32, pic_in), PIN_OUT(IntegratorPic, irq, "irq"), PIN_OUT(IntegratorPic, fiq, "fiq"), PIN_END};
static const StateField pic_state[] = {
    STATE(IntegratorPic, lines), STATE(IntegratorPic, soft), STATE(IntegratorPic, irq_enable), STATE(IntegratorPic, fiq_enable), STATE_END};

static const DeviceType integrator_pic_type = {
    .name = "integrator_pic", .category = "misc", .desc = "Integrator interrupt controller", .internal = true, .size = sizeof(IntegratorPic),
    .state_version = 1, .banks = pic_banks, .pins = pic_pins, .state = pic_state, .reset = pic_reset,
};
DEVICE_TYPE(integrator_pic_type);
/* clang-format on */
