// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * General-purpose timers of Stellaris controllers (LM3S6965 data sheet, 10): one of 32 bits or two
 * of 16, one-shot or periodic, from the system clock. The real-time clock mode counts seconds. Left
 * out: capture, PWM.
 */
#include "exec/bank.h"
#include "hw/misc/stellaris.h"
#include "hw/timer/countdown.h"

typedef struct Gptm {
    Device dev;
    uint32_t config, mode[2], ctl, imr, ris, load[2], match[2], prescale[2], match_prescale[2];
    uint64_t hz;
    Countdown count[2];
    Irq irq[2];
} Gptm;

static bool gptm_wide(const Gptm *s)
{
    return s->config < 4;
}

static void gptm_update(Gptm *s)
{
    uint32_t v = s->ris & s->imr;

    irq_set(&s->irq[0], (v & 0xff) != 0);
    irq_set(&s->irq[1], (v & 0xf00) != 0);
}

/* TATORIS, TBTORIS, or RTCRIS. */
static void gptm_zero(Gptm *s, unsigned n)
{
    s->ris |= s->config == 1 ? 8 : n ? 0x100 : 1;
    if ((s->mode[n] & 3) == 1) {        /* one shot */
        s->ctl &= ~(n ? 0x100u : 1u);
        countdown_run(&s->count[n], false);
    }
    gptm_update(s);
}

static void gptm_zero_a(void *opaque)
{
    gptm_zero(opaque, 0);
}

static void gptm_zero_b(void *opaque)
{
    gptm_zero(opaque, 1);
}

static uint64_t gptm_period(const Gptm *s, unsigned n)
{
    if (s->config == 1) {
        return 1;
    }
    if (gptm_wide(s)) {
        return ((uint64_t)(s->load[1] & 0xffff) << 16 | (s->load[0] & 0xffff)) + 1;
    }
    return ((uint64_t)(s->load[n] & 0xffff) + 1) * ((s->prescale[n] & 0xff) + 1);
}

static void gptm_configure(Gptm *s, uint32_t old)
{
    for (unsigned n = 0; n < 2; n++) {
        uint32_t bit = n ? 0x100 : 1;
        bool on = s->ctl & bit && !(n && gptm_wide(s));

        countdown_set_hz(&s->count[n], s->config == 1 ? 1 : s->hz);
        if (on && !(old & bit)) {
            countdown_set_period(&s->count[n], (s->mode[n] & 3) == 1 ? 0 : gptm_period(s, n));
            countdown_set(&s->count[n], gptm_period(s, n));
        }
        countdown_run(&s->count[n], on);
    }
}

void stellaris_gptm_set_hz(Device *d, uint64_t hz)
{
    Gptm *s = (Gptm *)d;

    s->hz = hz;
    gptm_configure(s, s->ctl);
}

static void gptm_ctl_write(Device *d, const RegAccess *a)
{
    gptm_configure((Gptm *)d, (uint32_t)a->old);
}

static void gptm_changed(Device *d, const RegAccess *a)
{
    gptm_update((Gptm *)d);
}

static void gptm_icr_write(Device *d, const RegAccess *a)
{
    ((Gptm *)d)->ris &= ~(uint32_t)a->value;
    gptm_update((Gptm *)d);
}

static uint64_t gptm_mis_read(Device *d, const RegAccess *a)
{
    return ((Gptm *)d)->ris & ((Gptm *)d)->imr;
}

static uint64_t gptm_load_read(Device *d, const RegAccess *a)
{
    Gptm *s = (Gptm *)d;

    return a->index == 0 && gptm_wide(s) ? (s->load[1] & 0xffff) << 16 | (s->load[0] & 0xffff)
                                         : s->load[a->index] & 0xffff;
}

static void gptm_load_write(Device *d, const RegAccess *a)
{
    Gptm *s = (Gptm *)d;

    if (a->index == 0 && gptm_wide(s)) {
        s->load[1] = (uint32_t)a->value >> 16;
    }
    s->load[a->index] = a->value & 0xffff;
}

static uint64_t gptm_value_read(Device *d, const RegAccess *a)
{
    Gptm *s = (Gptm *)d;
    uint64_t left = countdown_value(&s->count[a->index]);

    left = left ? left - 1 : 0;
    return gptm_wide(s) ? left : left / ((s->prescale[a->index] & 0xff) + 1) & 0xffff;
}

static bool gptm_realize(Device *d, GError **error)
{
    Gptm *s = (Gptm *)d;

    s->hz = 12500000;
    countdown_init(&s->count[0], s->hz, gptm_zero_a, s);
    countdown_init(&s->count[1], s->hz, gptm_zero_b, s);
    return true;
}

static void gptm_unrealize(Device *d)
{
    countdown_reset(&((Gptm *)d)->count[0]);
    countdown_reset(&((Gptm *)d)->count[1]);
}

static void gptm_reset(Device *d)
{
    gptm_unrealize(d);
}

/* clang-format off */
static const Reg gptm_regs[] = {
    REG(Gptm, 0x00, config, .wmask = 7, .help = "0: 32 bits, 1: seconds, 4: two of 16 bits"),
    REG_ARRAY(Gptm, 0x04, mode, .wmask = 0xf, .help = "1: one shot, 2: periodic"),
    REG(Gptm, 0x0c, ctl, .wmask = 0x6f7f, .write = gptm_ctl_write, .help = "enables"),
    REG(Gptm, 0x18, imr, .wmask = 0x77f, .write = gptm_changed, .help = "interrupt mask"),
    REG(Gptm, 0x1c, ris, .help = "raw interrupts"), REG_HOOK(0x20, 4, "mis", .read = gptm_mis_read, .help = "masked interrupts"),
    REG_HOOK(0x24, 4, "icr", .write = gptm_icr_write, .help = "interrupt clear"),
    REG_ARRAY(Gptm, 0x28, load, .reset = 0xffff, .wmask = 0xffffffff, .read = gptm_load_read, .write = gptm_load_write, .help = "values to count from"),
    REG_ARRAY(Gptm, 0x30, match, .reset = 0xffff, .wmask = 0xffffffff), REG_ARRAY(Gptm, 0x38, prescale, .wmask = 0xff),
    REG_ARRAY(Gptm, 0x40, match_prescale, .wmask = 0xff),
    REG_HOOK(0x48, 4, "value", .count = 2, .read = gptm_value_read, .help = "present values"),
};
/* clang-format on */
static const RegBank gptm_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(gptm_regs), .help = "timers"}, {0}};
static const PinRow gptm_pins[] = {PIN_OUT_ARRAY(Gptm, irq, "irq"), PIN_END};
static const StateField gptm_state[] = {STATE(Gptm, hz),
                                        STATE_STRUCTS(Gptm, count, countdown_state), STATE_END};

static const DeviceType gptm_type = {
    .name = "stellaris-gptm", .category = "misc", .desc = "Stellaris timer", .internal = true, .size = sizeof(Gptm), .state_version = 1,
    .banks = gptm_banks, .pins = gptm_pins, .state = gptm_state, .realize = gptm_realize, .unrealize = gptm_unrealize, .reset = gptm_reset,
};
DEVICE_TYPE(gptm_type);
