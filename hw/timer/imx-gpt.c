// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * General purpose timer and enhanced periodic interrupt timer of i.MX processors (i.MX 6UltraLite
 * Reference Manual, 30 and 24). Left out: input capture, output pins.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"

#define IPG_HZ 66000000u

/* ---- GPT: counts up, three comparators ---- */

enum { CR_EN = 1, CR_ENMOD = 2, CR_FRR = 0x200, CR_SWR = 0x8000, SR_ROV = 0x20 };

typedef struct ImxGpt {
    Device dev;
    uint32_t cr, pr, sr, ir, ocr[3], icr[2];
    uint32_t base;                 /* count at since_ns */
    int64_t since_ns;
    Timer timer;
    Irq irq;
} ImxGpt;

static uint64_t gpt_hz(const ImxGpt *s)
{
    static const uint32_t hz[8] = {0, IPG_HZ, IPG_HZ, 0, 32768, 24000000, 0, 0};
    uint64_t f = hz[s->cr >> 6 & 7];

    if ((s->cr >> 6 & 7) == 5) {
        f /= (s->pr >> 12 & 15) + 1;
    }
    return f / ((s->pr & 0xfff) + 1);
}

static uint32_t gpt_count(const ImxGpt *s)
{
    uint64_t hz = gpt_hz(s), ticks;

    if (!(s->cr & CR_EN) || hz == 0) {
        return s->base;
    }
    ticks = s->base + ticks_of_ns(clock_now_ns(CLOCK_GUEST) - s->since_ns, hz);
    /* restart mode: back to 0 at the first comparator */
    return s->cr & CR_FRR ? (uint32_t)ticks : (uint32_t)(ticks % ((uint64_t)s->ocr[0] + 1));
}

static void gpt_rebase(ImxGpt *s)
{
    s->base = gpt_count(s);
    s->since_ns = clock_now_ns(CLOCK_GUEST);
}

static void gpt_arm(ImxGpt *s)
{
    uint64_t hz = gpt_hz(s), next = UINT64_MAX;
    uint32_t now = gpt_count(s);

    irq_set(&s->irq, (s->sr & s->ir) != 0);
    timer_cancel(&s->timer);
    if (!(s->cr & CR_EN) || hz == 0) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (s->ir >> i & 1 && !(s->sr >> i & 1)) {
            uint32_t left = s->ocr[i] - now;

            next = MIN(next, left == 0 ? 1ull << 32 : left);
        }
    }
    if (next != UINT64_MAX) {
        timer_set_ns(&s->timer, clock_now_ns(CLOCK_GUEST) + MAX(ns_of_ticks(next, hz), 1000));
    }
}

static void gpt_expired(void *opaque)
{
    ImxGpt *s = opaque;
    uint32_t now = gpt_count(s);

    for (unsigned i = 0; i < 3; i++) {
        if (s->ir >> i & 1 && (int32_t)(now - s->ocr[i]) >= 0) {
            s->sr |= 1u << i;
        }
    }
    gpt_arm(s);
}

static void gpt_cr_write(Device *d, const RegAccess *a)
{
    ImxGpt *s = (ImxGpt *)d;
    uint32_t now;

    s->cr = (uint32_t)a->old;
    gpt_rebase(s);
    now = s->base;
    s->cr = (uint32_t)a->value & ~CR_SWR;
    s->base = now;
    if (a->value & CR_SWR) {
        s->cr = s->cr & (CR_EN | CR_ENMOD | 0x1c);
        s->pr = s->sr = s->ir = s->base = 0;
        s->ocr[0] = s->ocr[1] = s->ocr[2] = UINT32_MAX;
    } else if (!(a->old & CR_EN) && a->value & CR_EN && a->value & CR_ENMOD) {
        s->base = 0;
    }
    gpt_arm(s);
}

static void gpt_pr_write(Device *d, const RegAccess *a)
{
    ImxGpt *s = (ImxGpt *)d;

    s->pr = (uint32_t)a->old;
    gpt_rebase(s);
    s->pr = (uint32_t)a->value & 0xffff;
    gpt_arm(s);
}

static void gpt_changed(Device *d, const RegAccess *a)
{
    gpt_arm((ImxGpt *)d);
}

static void gpt_ocr_write(Device *d, const RegAccess *a)
{
    ImxGpt *s = (ImxGpt *)d;

    if (a->index == 0 && !(s->cr & CR_FRR)) {
        s->base = 0;
        s->since_ns = clock_now_ns(CLOCK_GUEST);
    }
    gpt_arm(s);
}

static uint64_t gpt_count_read(Device *d, const RegAccess *a)
{
    return gpt_count((ImxGpt *)d);
}

static bool gpt_realize(Device *d, GError **error)
{
    timer_init(&((ImxGpt *)d)->timer, CLOCK_GUEST, gpt_expired, d);
    return true;
}

static void gpt_reset(Device *d)
{
    ImxGpt *s = (ImxGpt *)d;

    timer_cancel(&s->timer);
    s->base = 0;
    s->ocr[0] = s->ocr[1] = s->ocr[2] = UINT32_MAX;
}

/* clang-format off */
static const Reg gpt_regs[] = {
    REG(ImxGpt, 0x00, cr, .wmask = 0xffffffff, .write = gpt_cr_write, .help = "control"),
    REG(ImxGpt, 0x04, pr, .wmask = 0xffff, .write = gpt_pr_write, .help = "prescalers"),
    REG(ImxGpt, 0x08, sr, .w1c = 0x3f, .write = gpt_changed, .help = "events"),
    REG(ImxGpt, 0x0c, ir, .wmask = 0x3f, .write = gpt_changed, .help = "interrupt enables"),
    REG_ARRAY(ImxGpt, 0x10, ocr, .wmask = 0xffffffff, .write = gpt_ocr_write, .help = "comparators"),
    REG_ARRAY(ImxGpt, 0x1c, icr, .help = "captured values"),
    REG_HOOK(0x24, 4, "cnt", .read = gpt_count_read, .help = "count"),
};
static const RegBank gpt_banks[] = {{.name = "mmio", .size = 0x1000, BANK_REGS(gpt_regs), .help = "timer"}, {0}};
static const PinRow gpt_pins[] = {PIN_OUT(ImxGpt, irq, "irq"), PIN_END};
static const StateField gpt_state[] = {STATE(ImxGpt, base), STATE(ImxGpt, since_ns), STATE_TIMER_FIELD(ImxGpt, timer), STATE_END};

#define GPT_TYPE(tag, name_)                                                                                      \
    static const DeviceType tag = {                                                                               \
        .name = name_, .category = "misc", .desc = "i.MX general purpose timer", .internal = true,                \
        .size = sizeof(ImxGpt), .state_version = 1, .banks = gpt_banks, .pins = gpt_pins, .state = gpt_state,     \
        .realize = gpt_realize, .reset = gpt_reset,                                                               \
    };                                                                                                            \
    DEVICE_TYPE(tag)
GPT_TYPE(gpt6_type, "imx6.gpt");
GPT_TYPE(gpt6ul_type, "imx6ul.gpt");

/* ---- EPIT: counts down ---- */

typedef struct ImxEpit {
    Device dev;
    uint32_t cr, sr, lr, cmp;
    Countdown count;
    Irq irq;
} ImxEpit;

static void epit_update(ImxEpit *s)
{
    irq_set(&s->irq, s->sr && s->cr & 4);
}

/* The comparator at 0 is the usual case; another value shifts the event within the period. */
static void epit_zero(void *opaque)
{
    ImxEpit *s = opaque;

    s->sr = 1;
    epit_update(s);
}

static void epit_configure(ImxEpit *s)
{
    uint32_t source = s->cr >> 24 & 3, hz = source == 3 ? 32768 : source ? IPG_HZ : 0;

    countdown_set_hz(&s->count, MAX(hz / ((s->cr >> 4 & 0xfff) + 1), 1));
    countdown_set_period(&s->count, (s->cr & 8 ? (uint64_t)s->lr : UINT32_MAX) + 1);
    countdown_run(&s->count, s->cr & 1 && hz);
}

static void epit_cr_write(Device *d, const RegAccess *a)
{
    ImxEpit *s = (ImxEpit *)d;

    if (a->value & 0x10000) {
        s->cr = 0;
        s->sr = 0;
        s->lr = UINT32_MAX;
        s->cmp = 0;
    } else if (!(a->old & 1) && a->value & 3) {
        countdown_set(&s->count, s->cr & 8 ? s->lr : UINT32_MAX);
    }
    epit_configure(s);
    epit_update(s);
}

static void epit_lr_write(Device *d, const RegAccess *a)
{
    ImxEpit *s = (ImxEpit *)d;

    epit_configure(s);
    if (s->cr & 0x20000) {
        countdown_set(&s->count, s->lr);
    }
}

static void epit_sr_write(Device *d, const RegAccess *a)
{
    epit_update((ImxEpit *)d);
}

static uint64_t epit_count_read(Device *d, const RegAccess *a)
{
    return countdown_value(&((ImxEpit *)d)->count);
}

static bool epit_realize(Device *d, GError **error)
{
    countdown_init(&((ImxEpit *)d)->count, IPG_HZ, epit_zero, d);
    return true;
}

static void epit_reset(Device *d)
{
    countdown_reset(&((ImxEpit *)d)->count);
    ((ImxEpit *)d)->count.left = UINT32_MAX;
}

static const Reg epit_regs[] = {
    REG(ImxEpit, 0x00, cr, .wmask = 0x03feffff, .write = epit_cr_write, .help = "control"),
    REG(ImxEpit, 0x04, sr, .w1c = 1, .write = epit_sr_write, .help = "event"),
    REG(ImxEpit, 0x08, lr, .reset = 0xffffffff, .wmask = 0xffffffff, .write = epit_lr_write, .help = "value to count from"),
    REG(ImxEpit, 0x0c, cmp, .wmask = 0xffffffff, .help = "comparator"),
    REG_HOOK(0x10, 4, "cnt", .read = epit_count_read, .help = "count"),
};
static const RegBank epit_banks[] = {{.name = "mmio", .size = 0x1000, BANK_REGS(epit_regs), .help = "timer"}, {0}};
static const PinRow epit_pins[] = {PIN_OUT(ImxEpit, irq, "irq"), PIN_END};
static const StateField epit_state[] = {STATE_STRUCT(ImxEpit, count, countdown_state), STATE_END};

static const DeviceType epit_type = {
    .name = "imx.epit", .category = "misc", .desc = "i.MX periodic interrupt timer", .internal = true, .size = sizeof(ImxEpit),
    .state_version = 1, .banks = epit_banks, .pins = epit_pins, .state = epit_state, .realize = epit_realize, .reset = epit_reset,
};
DEVICE_TYPE(epit_type);
/* clang-format on */
