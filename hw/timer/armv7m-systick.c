// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SysTick, the timer of every M-profile CPU (Armv8-M Architecture Reference Manual, B11): counts
 * down from RELOAD to 0 and again, by the CPU's clock or a reference. Its registers lie in the
 * System Control Space, which forwards to the bank here.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"
#include "hw/timer/systick.h"

enum { CSR_ENABLE = 1, CSR_TICKINT = 2, CSR_CLKSOURCE = 4, CSR_COUNTFLAG = 1 << 16 };

typedef struct Systick {
    Device dev;
    uint64_t cpu_hz, ref_hz;           /* properties */
    uint32_t csr, rvr;
    Countdown count;
    Irq irq;
} Systick;

static void systick_fired(void *opaque)
{
    Systick *s = opaque;

    s->csr |= CSR_COUNTFLAG;
    if (s->csr & CSR_TICKINT) {
        irq_pulse(&s->irq);
    }
    if (s->rvr == 0) {                 /* it stays at 0 */
        countdown_run(&s->count, false);
    }
}

static void systick_configure(Systick *s)
{
    countdown_set_hz(&s->count, s->csr & CSR_CLKSOURCE ? s->cpu_hz : s->ref_hz);
    countdown_set_period(&s->count, s->rvr ? (uint64_t)s->rvr + 1 : 0);
}

void systick_set_cpu_hz(Device *d, uint64_t hz)
{
    Systick *s = (Systick *)d;

    s->cpu_hz = MAX(hz, 1);
    systick_configure(s);
}

static void systick_csr_write(Device *d, const RegAccess *a)
{
    Systick *s = (Systick *)d;
    bool on = s->csr & CSR_ENABLE;

    s->csr |= s->ref_hz ? 0 : CSR_CLKSOURCE;
    systick_configure(s);
    if (on && !(a->old & CSR_ENABLE) && countdown_value(&s->count) == 0 && s->rvr) {
        countdown_set(&s->count, s->rvr);
    }
    countdown_run(&s->count, on && (s->rvr || countdown_value(&s->count)));
}

static uint64_t systick_csr_read(Device *d, const RegAccess *a)
{
    Systick *s = (Systick *)d;
    uint32_t v = s->csr;

    s->csr &= ~(uint32_t)CSR_COUNTFLAG;
    return v;
}

static void systick_rvr_write(Device *d, const RegAccess *a)
{
    Systick *s = (Systick *)d;
    uint64_t left = countdown_value(&s->count);

    systick_configure(s);
    countdown_set(&s->count, left);
    if (s->csr & CSR_ENABLE) {
        if (left == 0 && s->rvr) {
            countdown_set(&s->count, s->rvr);
        }
        countdown_run(&s->count, s->rvr || left);
    }
}

static uint64_t systick_cvr_read(Device *d, const RegAccess *a)
{
    Systick *s = (Systick *)d;
    uint64_t left = countdown_value(&s->count);

    return left > s->rvr ? 0 : left;
}

/* Any write clears it; the next tick reloads. */
static void systick_cvr_write(Device *d, const RegAccess *a)
{
    Systick *s = (Systick *)d;

    s->csr &= ~(uint32_t)CSR_COUNTFLAG;
    countdown_set(&s->count, s->rvr ? (uint64_t)s->rvr + 1 : 0);
}

static uint64_t systick_calib_read(Device *d, const RegAccess *a)
{
    Systick *s = (Systick *)d;
    uint64_t tenms = s->ref_hz / 100;

    if (s->ref_hz == 0) {
        return 1u << 31;
    }
    return tenms > 0
               ? MIN(tenms - 1, 0xffffff) | (NANOSECONDS_PER_SECOND % s->ref_hz ? 1u << 30 : 0)
               : 1u << 30;
}

static bool systick_realize(Device *d, GError **error)
{
    Systick *s = (Systick *)d;

    if (s->cpu_hz == 0) {
        return fail(error, "armv7m_systick: cpu-hz must not be 0");
    }
    countdown_init(&s->count, s->cpu_hz, systick_fired, s);
    return true;
}

static void systick_unrealize(Device *d)
{
    countdown_reset(&((Systick *)d)->count);
}

static void systick_reset(Device *d)
{
    Systick *s = (Systick *)d;

    countdown_reset(&s->count);
    s->csr = s->ref_hz ? 0 : CSR_CLKSOURCE;
    systick_configure(s);
}

/* clang-format off */
static const Reg systick_regs[] = {
    REG(Systick, 0x0, csr, .wmask = 7, .read = systick_csr_read, .write = systick_csr_write, .help = "enable, interrupt, source, flag"),
    REG(Systick, 0x4, rvr, .wmask = 0xffffff, .write = systick_rvr_write, .help = "reload value"),
    REG_HOOK(0x8, 4, "cvr", .read = systick_cvr_read, .write = systick_cvr_write, .help = "current value"),
    REG_HOOK(0xc, 4, "calib", .read = systick_calib_read, .help = "ticks of 10 ms"),
};
/* clang-format on */
static const RegBank systick_banks[] = {
    {.name = "mmio", .size = 0xe0, BANK_REGS(systick_regs), .help = "SysTick"}, {0}};
static const Prop systick_props[] = {
    PROP_U64(Systick, cpu_hz, "cpu-hz", 1000000, .help = "the CPU's clock"), PROP_U64(Systick, ref_hz, "ref-hz", 0, .help = "0: none"), PROP_END,
};
static const PinRow systick_pins[] = {PIN_OUT(Systick, irq, "irq"), PIN_END};
static const StateField systick_state[] = {STATE_STRUCT(Systick, count, countdown_state),
                                           STATE_END};

static const DeviceType systick_type = {
    .name = "armv7m_systick", .category = "misc", .desc = "SysTick timer", .internal = true, .size = sizeof(Systick), .state_version = 1,
    .props = systick_props, .banks = systick_banks, .pins = systick_pins, .state = systick_state, .realize = systick_realize,
    .unrealize = systick_unrealize, .reset = systick_reset,
};
DEVICE_TYPE(systick_type);
