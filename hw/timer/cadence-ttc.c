// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Triple timer counter of Zynq (UG585, 8.5 and appendix B.32): three counters of 16 bits, up or
 * down, over their whole range or up to an interval, with three comparators each. Left out: event
 * timers, outputs, external clocks.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"

#define TIMERS 3
#define RANGE 0x10000u

enum {
    CLK_PRESCALE = 1,
    CLK_EXTERNAL = 0x20
};
enum {
    CNT_STOP = 1,
    CNT_INTERVAL = 2,
    CNT_DOWN = 4,
    CNT_MATCH = 8,
    CNT_RESTART = 0x10
};
enum {
    INT_INTERVAL = 1,
    INT_MATCH = 2,
    INT_OVERFLOW = 0x10
};

typedef struct Ttc {
    Device dev;
    uint32_t freq; /* property */
    uint32_t clk[TIMERS], ctrl[TIMERS], interval[TIMERS], match[3][TIMERS], isr[TIMERS],
        ier[TIMERS], event_ctrl[TIMERS], event[TIMERS];
    uint32_t base[TIMERS]; /* count at since_ns */
    int64_t since_ns[TIMERS];
    Timer timer;
    Irq irq[TIMERS];
} Ttc;

static uint64_t ttc_hz(const Ttc *s, unsigned n)
{
    uint32_t c = s->clk[n];

    return c & CLK_PRESCALE ? MAX(s->freq >> ((c >> 1 & 15) + 1), 1) : s->freq;
}

static uint32_t ttc_period(const Ttc *s, unsigned n)
{
    return s->ctrl[n] & CNT_INTERVAL ? (s->interval[n] & 0xffff) + 1 : RANGE;
}

static uint64_t ttc_passed(const Ttc *s, unsigned n, int64_t now)
{
    return s->ctrl[n] & CNT_STOP ? 0 : ticks_of_ns(now - s->since_ns[n], ttc_hz(s, n));
}

static uint32_t ttc_count(const Ttc *s, unsigned n, int64_t now)
{
    uint32_t period = ttc_period(s, n), base = s->base[n] % period,
             passed = ttc_passed(s, n, now) % period;

    return s->ctrl[n] & CNT_DOWN ? (base + period - passed) % period : (base + passed) % period;
}

/* Ticks from now until the count becomes v; a whole period when it is v now. */
static uint32_t ttc_until(const Ttc *s, unsigned n, uint32_t now_count, uint32_t v)
{
    uint32_t period = ttc_period(s, n), left = s->ctrl[n] & CNT_DOWN
                                                   ? (now_count + period - v) % period
                                                   : (v + period - now_count) % period;

    return left ? left : period;
}

/* Events between the last look and now become interrupts; the base moves on. */
static void ttc_sync(Ttc *s, unsigned n)
{
    int64_t now = clock_now_ns(CLOCK_GUEST);
    uint64_t passed = ttc_passed(s, n, now);
    uint32_t period = ttc_period(s, n), base = s->base[n] % period;

    if (passed == 0) {
        return;
    }
    if (passed >= ttc_until(s, n, base, 0)) {
        s->isr[n] |= s->ctrl[n] & CNT_INTERVAL ? INT_INTERVAL : INT_OVERFLOW;
    }
    for (unsigned m = 0; m < 3 && s->ctrl[n] & CNT_MATCH; m++) {
        uint32_t v = s->match[m][n] & 0xffff;

        if (v < period && passed >= ttc_until(s, n, base, v)) {
            s->isr[n] |= INT_MATCH << m;
        }
    }
    s->base[n] = ttc_count(s, n, now);
    s->since_ns[n] += ns_of_ticks(passed, ttc_hz(s, n));
    s->since_ns[n] = MIN(s->since_ns[n], now);
}

static void ttc_arm(Ttc *s)
{
    int64_t now = clock_now_ns(CLOCK_GUEST), next = INT64_MAX;

    for (unsigned n = 0; n < TIMERS; n++) {
        uint32_t wanted = s->ier[n] & ~s->isr[n], left = UINT32_MAX, at = ttc_count(s, n, now);

        irq_set(&s->irq[n], (s->isr[n] & s->ier[n]) != 0);
        if (s->ctrl[n] & CNT_STOP) {
            continue;
        }
        if (wanted & (INT_INTERVAL | INT_OVERFLOW)) {
            left = ttc_until(s, n, at, 0);
        }
        for (unsigned m = 0; m < 3 && s->ctrl[n] & CNT_MATCH; m++) {
            if (wanted & INT_MATCH << m && (s->match[m][n] & 0xffff) < ttc_period(s, n)) {
                left = MIN(left, ttc_until(s, n, at, s->match[m][n] & 0xffff));
            }
        }
        if (left != UINT32_MAX) {
            next = MIN(next, now + ns_of_ticks(left, ttc_hz(s, n)));
        }
    }
    timer_cancel(&s->timer);
    if (next != INT64_MAX) {
        timer_set_ns(&s->timer, MAX(next, now + 2000));
    }
}

static void ttc_expired(void *opaque)
{
    Ttc *s = opaque;

    for (unsigned n = 0; n < TIMERS; n++) {
        ttc_sync(s, n);
    }
    ttc_arm(s);
}

/* A register that changes how it counts: the time until now counts by the old one. */
static void ttc_config_write(Device *d, const RegAccess *a)
{
    Ttc *s = (Ttc *)d;
    unsigned n = a->index;
    uint32_t *field = a->reg->offset == 0x00   ? &s->clk[n]
                      : a->reg->offset == 0x0c ? &s->ctrl[n]
                      : a->reg->offset == 0x24 ? &s->interval[n]
                                               : &s->match[(a->reg->offset - 0x30) / 12][n],
             written = *field;

    *field = (uint32_t)a->old;
    ttc_sync(s, n);
    s->base[n] = ttc_count(s, n, clock_now_ns(CLOCK_GUEST));
    s->since_ns[n] = clock_now_ns(CLOCK_GUEST);
    *field = written;
    if (a->reg->offset == 0x0c && written & CNT_RESTART) {
        s->ctrl[n] &= ~(uint32_t)CNT_RESTART;
        s->base[n] = written & CNT_DOWN ? ttc_period(s, n) - 1 : 0;
    }
    ttc_arm(s);
}

static uint64_t ttc_value_read(Device *d, const RegAccess *a)
{
    return ttc_count((Ttc *)d, a->index, clock_now_ns(CLOCK_GUEST));
}

static uint64_t ttc_isr_read(Device *d, const RegAccess *a)
{
    Ttc *s = (Ttc *)d;
    uint32_t v;

    ttc_sync(s, a->index);
    v = s->isr[a->index];
    s->isr[a->index] = 0;
    ttc_arm(s);
    return v;
}

static void ttc_ier_write(Device *d, const RegAccess *a)
{
    ttc_sync((Ttc *)d, a->index);
    ttc_arm((Ttc *)d);
}

static bool ttc_realize(Device *d, GError **error)
{
    timer_init(&((Ttc *)d)->timer, CLOCK_GUEST, ttc_expired, d);
    return true;
}

static void ttc_unrealize(Device *d)
{
    timer_cancel(&((Ttc *)d)->timer);
}

static void ttc_reset(Device *d)
{
    Ttc *s = (Ttc *)d;

    timer_cancel(&s->timer);
    for (unsigned n = 0; n < TIMERS; n++) {
        s->base[n] = 0;
        s->since_ns[n] = clock_now_ns(CLOCK_GUEST);
    }
}

/* clang-format off */
static const Reg ttc_regs[] = {
    REG_ARRAY(Ttc, 0x00, clk, .wmask = 0x7f, .write = ttc_config_write, .help = "clock: bit 0 prescaler on, 4:1 its exponent"),
    REG_ARRAY(Ttc, 0x0c, ctrl, .reset = 0x21, .wmask = 0x7f, .write = ttc_config_write, .help = "control"),
    REG_HOOK(0x18, 4, "value", .count = TIMERS, .read = ttc_value_read, .help = "count"),
    REG_ARRAY(Ttc, 0x24, interval, .wmask = 0xffff, .write = ttc_config_write, .help = "interval"),
    REG_ARRAY(Ttc, 0x30, match[0], .wmask = 0xffff, .write = ttc_config_write, .help = "comparator 1"),
    REG_ARRAY(Ttc, 0x3c, match[1], .wmask = 0xffff, .write = ttc_config_write, .help = "comparator 2"),
    REG_ARRAY(Ttc, 0x48, match[2], .wmask = 0xffff, .write = ttc_config_write, .help = "comparator 3"),
    REG_ARRAY(Ttc, 0x54, isr, .read = ttc_isr_read, .help = "interrupts; reading clears them"),
    REG_ARRAY(Ttc, 0x60, ier, .wmask = 0x3f, .write = ttc_ier_write, .help = "interrupt enables"),
    REG_ARRAY(Ttc, 0x6c, event_ctrl, .wmask = 7, .help = "event control"),
    REG_ARRAY(Ttc, 0x78, event, .help = "event time"),
};
static const RegBank ttc_banks[] = {{.name = "mmio", .size = 0x1000, BANK_REGS(ttc_regs), .help = "counters"}, {0}};
static const Prop ttc_props[] = {PROP_U32(Ttc, freq, "freq", 36111111, .help = "of its clock, in Hz"), PROP_END};
static const PinRow ttc_pins[] = {PIN_OUT_ARRAY(Ttc, irq, "irq"), PIN_END};
static const StateField ttc_state[] = {
    STATE_ARRAY(Ttc, base), STATE_ARRAY(Ttc, since_ns), STATE_TIMER_FIELD(Ttc, timer), STATE_END};

static const DeviceType ttc_type = {
    .name = "cadence_ttc", .category = "misc", .desc = "Cadence triple timer counter", .internal = true, .size = sizeof(Ttc), .state_version = 1,
    .props = ttc_props, .banks = ttc_banks, .pins = ttc_pins, .state = ttc_state, .realize = ttc_realize, .unrealize = ttc_unrealize, .reset = ttc_reset,
};
DEVICE_TYPE(ttc_type);
/* clang-format on */
