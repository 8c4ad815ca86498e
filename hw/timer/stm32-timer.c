// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * General-purpose timer of STM32F2 and F4 (RM0033, 15): an up-counter with prescaler and reload
 * value, whose overflow is the update event. Capture and compare registers keep what is written.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"

enum { CR1_CEN = 1, CR1_OPM = 8, DIER_UIE = 1, EGR_UG = 1, SR_UIF = 1 };

typedef struct Stm32Timer {
    Device dev;
    uint64_t freq_hz;                  /* property */
    uint32_t cr1, cr2, smcr, dier, sr, ccmr[2], ccer, psc, arr, ccr[4], dcr, dmar, orr;
    Countdown count;                   /* ticks to the next overflow */
    Irq irq;
} Stm32Timer;

static void timer_update(Stm32Timer *s)
{
    irq_set(&s->irq, s->sr & SR_UIF && s->dier & DIER_UIE);
}

static void timer_overflow(void *opaque)
{
    Stm32Timer *s = opaque;

    s->sr |= SR_UIF;
    if (s->cr1 & CR1_OPM) {
        s->cr1 &= ~(uint32_t)CR1_CEN;
        countdown_run(&s->count, false);
    }
    timer_update(s);
}

static uint64_t timer_period(const Stm32Timer *s)
{
    return (uint64_t)s->arr + 1;
}

static void timer_configure(Stm32Timer *s)
{
    countdown_set_hz(&s->count, MAX(s->freq_hz / ((uint64_t)s->psc + 1), 1));
    countdown_set_period(&s->count, timer_period(s));
    if (countdown_value(&s->count) > timer_period(s)) {
        countdown_set(&s->count, timer_period(s));
    }
    countdown_run(&s->count, s->cr1 & CR1_CEN && s->arr != 0);
}

static void timer_changed(Device *d, const RegAccess *a)
{
    timer_configure((Stm32Timer *)d);
    timer_update((Stm32Timer *)d);
}

/* Flags are cleared by writing 0. */
static void timer_sr_write(Device *d, const RegAccess *a)
{
    Stm32Timer *s = (Stm32Timer *)d;

    s->sr &= (uint32_t)a->value;
    timer_update(s);
}

static void timer_egr_write(Device *d, const RegAccess *a)
{
    Stm32Timer *s = (Stm32Timer *)d;

    if (a->value & EGR_UG) {
        countdown_set(&s->count, timer_period(s));
        timer_configure(s);
    }
}

static uint64_t timer_cnt_read(Device *d, const RegAccess *a)
{
    Stm32Timer *s = (Stm32Timer *)d;

    return (uint32_t)(timer_period(s) - countdown_value(&s->count));
}

static void timer_cnt_write(Device *d, const RegAccess *a)
{
    Stm32Timer *s = (Stm32Timer *)d;

    countdown_set(&s->count, a->value < timer_period(s) ? timer_period(s) - a->value : 1);
}

static bool timer_realize(Device *d, GError **error)
{
    Stm32Timer *s = (Stm32Timer *)d;

    countdown_init(&s->count, MAX(s->freq_hz, 1), timer_overflow, s);
    return true;
}

static void timer_unrealize(Device *d)
{
    countdown_reset(&((Stm32Timer *)d)->count);
}

static void timer_reset(Device *d)
{
    Stm32Timer *s = (Stm32Timer *)d;

    countdown_reset(&s->count);
    timer_configure(s);
    countdown_set(&s->count, timer_period(s));
}

/* clang-format off */
static const Reg stm32_timer_regs[] = {
    REG(Stm32Timer, 0x00, cr1, .wmask = 0x3ff, .write = timer_changed, .help = "enable, mode"),
    REG(Stm32Timer, 0x04, cr2, .wmask = 0xffff), REG(Stm32Timer, 0x08, smcr, .wmask = 0xffff),
    REG(Stm32Timer, 0x0c, dier, .wmask = 0x7fff, .write = timer_changed, .help = "interrupt enables"),
    REG(Stm32Timer, 0x10, sr, .write = timer_sr_write, .help = "flags"),
    REG_HOOK(0x14, 4, "egr", .write = timer_egr_write, .help = "events by software"),
    REG_ARRAY(Stm32Timer, 0x18, ccmr, .wmask = 0xffff, .help = "capture and compare modes"),
    REG(Stm32Timer, 0x20, ccer, .wmask = 0xffff),
    REG_HOOK(0x24, 4, "cnt", .read = timer_cnt_read, .write = timer_cnt_write, .help = "counter"),
    REG(Stm32Timer, 0x28, psc, .wmask = 0xffff, .write = timer_changed, .help = "prescaler"),
    REG(Stm32Timer, 0x2c, arr, .reset = 0xffffffff, .wmask = 0xffffffff, .write = timer_changed, .help = "last value"),
    REG_ARRAY(Stm32Timer, 0x34, ccr, .wmask = 0xffffffff, .help = "capture and compare"),
    REG(Stm32Timer, 0x48, dcr, .wmask = 0xffff), REG(Stm32Timer, 0x4c, dmar, .wmask = 0xffff), REG(Stm32Timer, 0x50, orr, .wmask = 0xffff),
};
/* clang-format on */
static const RegBank stm32_timer_banks[] = {
    {.name = "mmio", .size = 0x400, BANK_REGS(stm32_timer_regs), .help = "timer"}, {0}};
static const Prop stm32_timer_props[] = {
    PROP_U64(Stm32Timer, freq_hz, "clock-frequency", 1000000000), PROP_END};
static const PinRow stm32_timer_pins[] = {PIN_OUT(Stm32Timer, irq, "irq"), PIN_END};
static const StateField stm32_timer_state[] = {STATE_STRUCT(Stm32Timer, count, countdown_state),
                                               STATE_END};

static const DeviceType stm32_timer_type = {
    .name = "stm32f2xx-timer", .category = "misc", .desc = "STM32 timer", .internal = true, .size = sizeof(Stm32Timer), .state_version = 1,
    .props = stm32_timer_props, .banks = stm32_timer_banks, .pins = stm32_timer_pins, .state = stm32_timer_state, .realize = timer_realize,
    .unrealize = timer_unrealize, .reset = timer_reset,
};
DEVICE_TYPE(stm32_timer_type);
