// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real-time clock MC146818A with the 128 bytes of CMOS memory of a PC at ports 70h and 71h.
 * The time is guest time plus an offset; alarm, update-ended and periodic interrupts come
 * from one timer that is armed only for what is enabled. Left out: daylight saving.
 */
#include "hw/rtc/mc146818.h"
#include <time.h>
#include "exec/bank.h"
#include "hw/isa/isa.h"
#include "qapi/qapi-events.h"
#include "qom/vm.h"
#include "util/timer.h"

enum {
    RTC_SECONDS, RTC_SECONDS_ALARM, RTC_MINUTES, RTC_MINUTES_ALARM, RTC_HOURS, RTC_HOURS_ALARM,
    RTC_WEEKDAY, RTC_DAY, RTC_MONTH, RTC_YEAR, RTC_A, RTC_B, RTC_C, RTC_D,
    RTC_CENTURY = 0x32,
};
enum { A_UIP = 0x80, B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_UIE = 0x10, B_BINARY = 0x04,
       B_24H = 0x02, C_IRQF = 0x80, C_PF = 0x40, C_AF = 0x20, C_UF = 0x10, D_VRT = 0x80 };

#define RTC_NEVER INT64_MAX
#define UIP_NS 244000

typedef struct Rtc {
    Device dev;
    int32_t base_year;
    uint32_t lost_tick_policy;
    Irq irq;
    uint8_t cmos[128];
    uint8_t index;
    /* RTC time since the epoch = guest time + this; while SET: the stopped time */
    int64_t offset_ns;
    int64_t periodic_next_ns;
    int64_t update_next_ns;  /* guest time of the next second boundary that matters */
    Timer timer;
} Rtc;

static uint8_t rtc_encode(const Rtc *s, unsigned v)
{
    return s->cmos[RTC_B] & B_BINARY ? v : v / 10 << 4 | v % 10;
}

static unsigned rtc_decode(const Rtc *s, uint8_t v)
{
    return s->cmos[RTC_B] & B_BINARY ? v : (v >> 4) * 10 + (v & 15);
}

static int64_t rtc_time_ns(const Rtc *s)
{
    return clock_now_ns(CLOCK_GUEST) + s->offset_ns;
}

static uint8_t rtc_encode_hour(const Rtc *s, unsigned hour)
{
    if (s->cmos[RTC_B] & B_24H) {
        return rtc_encode(s, hour);
    }
    unsigned h = hour % 12 ? hour % 12 : 12;

    return rtc_encode(s, h) | (hour >= 12 ? 0x80 : 0);
}

static unsigned rtc_decode_hour(const Rtc *s, uint8_t v)
{
    if (s->cmos[RTC_B] & B_24H) {
        return rtc_decode(s, v);
    }
    return rtc_decode(s, v & 0x7f) % 12 + (v & 0x80 ? 12 : 0);
}

/* Time registers from the running clock. */
static void rtc_refresh(Rtc *s)
{
    if (s->cmos[RTC_B] & B_SET) {
        return;
    }
    time_t t = rtc_time_ns(s) / NANOSECONDS_PER_SECOND;
    struct tm tm;

    gmtime_r(&t, &tm);
    s->cmos[RTC_SECONDS] = rtc_encode(s, tm.tm_sec);
    s->cmos[RTC_MINUTES] = rtc_encode(s, tm.tm_min);
    s->cmos[RTC_HOURS] = rtc_encode_hour(s, tm.tm_hour);
    s->cmos[RTC_WEEKDAY] = rtc_encode(s, tm.tm_wday + 1);
    s->cmos[RTC_DAY] = rtc_encode(s, tm.tm_mday);
    s->cmos[RTC_MONTH] = rtc_encode(s, tm.tm_mon + 1);
    unsigned year = tm.tm_year + 1900;
    s->cmos[RTC_YEAR] = rtc_encode(s, year % 100);
    s->cmos[RTC_CENTURY] = rtc_encode(s, year / 100);
}

/* The running clock from the time registers; nonsense values are normalised by timegm. */
static void rtc_adopt(Rtc *s)
{
    struct tm tm = {
        .tm_sec = rtc_decode(s, s->cmos[RTC_SECONDS]),
        .tm_min = rtc_decode(s, s->cmos[RTC_MINUTES]),
        .tm_hour = rtc_decode_hour(s, s->cmos[RTC_HOURS]),
        .tm_mday = rtc_decode(s, s->cmos[RTC_DAY]),
        .tm_mon = (int)rtc_decode(s, s->cmos[RTC_MONTH]) - 1,
        .tm_year = (int)(rtc_decode(s, s->cmos[RTC_CENTURY]) * 100 +
                         rtc_decode(s, s->cmos[RTC_YEAR])) - 1900,
    };

    s->offset_ns = (int64_t)timegm(&tm) * NANOSECONDS_PER_SECOND - clock_now_ns(CLOCK_GUEST);

    g_autofree char *path = object_path(&s->dev.obj);

    qapi_event_rtc_change(&(RtcChangeEvent){
        .offset = (rtc_time_ns(s) - clock_now_ns(CLOCK_HOST)) / NANOSECONDS_PER_SECOND -
                  s->dev.vm->rtc_offset_s,
        .qom_path = path });
}

static bool alarm_field(const Rtc *s, unsigned reg, unsigned now, bool hour)
{
    uint8_t a = s->cmos[reg];

    if ((a & 0xc0) == 0xc0) {
        return true;    /* "don't care" */
    }
    return (hour ? rtc_decode_hour(s, a) : rtc_decode(s, a)) == now;
}

static bool rtc_alarm_matches(const Rtc *s, time_t t)
{
    return alarm_field(s, RTC_SECONDS_ALARM, t % 60, false) &&
           alarm_field(s, RTC_MINUTES_ALARM, t / 60 % 60, false) &&
           alarm_field(s, RTC_HOURS_ALARM, t / 3600 % 24, true);
}

static int64_t rtc_period_ns(const Rtc *s)
{
    unsigned rate = s->cmos[RTC_A] & 15;

    if (rate == 0 || (s->cmos[RTC_A] & 0x60) == 0x60) {
        return 0;
    }
    if (rate <= 2) {
        rate += 7;
    }
    return (NANOSECONDS_PER_SECOND << (rate - 1)) / 32768;
}

static void rtc_raise(Rtc *s, uint8_t cause)
{
    s->cmos[RTC_C] |= cause;
    if (s->cmos[RTC_C] & s->cmos[RTC_B] & (B_PIE | B_AIE | B_UIE)) {
        s->cmos[RTC_C] |= C_IRQF;
        irq_set(&s->irq, 1);
    }
}

/* Arms the timer for the nearest event that somebody waits for. */
static void rtc_arm(Rtc *s)
{
    int64_t now = clock_now_ns(CLOCK_GUEST);
    int64_t next = RTC_NEVER;
    uint8_t b = s->cmos[RTC_B];

    if ((b & B_PIE) && rtc_period_ns(s)) {
        int64_t p = rtc_period_ns(s);

        if (s->periodic_next_ns <= now || s->periodic_next_ns > now + p) {
            s->periodic_next_ns = now / p * p + p;
        }
        next = s->periodic_next_ns;
    }
    if (!(b & B_SET) && (b & (B_AIE | B_UIE))) {
        int64_t t = rtc_time_ns(s);

        s->update_next_ns = now + NANOSECONDS_PER_SECOND - t % NANOSECONDS_PER_SECOND;
        next = MIN(next, s->update_next_ns);
    } else {
        s->update_next_ns = RTC_NEVER;
    }
    if (next == RTC_NEVER) {
        timer_cancel(&s->timer);
    } else {
        timer_set_ns(&s->timer, next);
    }
}

static void rtc_expired(void *opaque)
{
    Rtc *s = opaque;
    int64_t now = clock_now_ns(CLOCK_GUEST);

    if ((s->cmos[RTC_B] & B_PIE) && now >= s->periodic_next_ns) {
        rtc_raise(s, C_PF);
        s->periodic_next_ns += rtc_period_ns(s);
    }
    if (now >= s->update_next_ns) {
        rtc_raise(
            s, C_UF | (rtc_alarm_matches(s, rtc_time_ns(s) / NANOSECONDS_PER_SECOND) ? C_AF : 0));
        if (s->cmos[RTC_C] & s->cmos[RTC_B] & C_AF) {
            request_wakeup();
        }
    }
    rtc_arm(s);
}

static void rtc_write_b(Rtc *s, uint8_t value)
{
    uint8_t old = s->cmos[RTC_B];

    if (value & ~old & B_SET) {
        rtc_refresh(s);
        value &= ~B_UIE;
    }
    s->cmos[RTC_B] = value;
    if (old & ~value & B_SET) {
        rtc_adopt(s);
    }
    if (s->cmos[RTC_C] & value & (B_PIE | B_AIE | B_UIE)) {
        rtc_raise(s, 0);
    } else {
        s->cmos[RTC_C] &= ~C_IRQF;
        irq_set(&s->irq, 0);
    }
}

static void rtc_write_data(Rtc *s, uint8_t value)
{
    switch (s->index) {
    case RTC_SECONDS:
    case RTC_MINUTES:
    case RTC_HOURS:
    case RTC_WEEKDAY:
    case RTC_DAY:
    case RTC_MONTH:
    case RTC_YEAR:
    case RTC_CENTURY:
        rtc_refresh(s);
        s->cmos[s->index] = value;
        if (!(s->cmos[RTC_B] & B_SET) && s->index != RTC_WEEKDAY) {
            rtc_adopt(s);
        }
        break;
    case RTC_A:
        s->cmos[RTC_A] = value & 0x7f;
        break;
    case RTC_B:
        rtc_write_b(s, value);
        break;
    case RTC_C:
    case RTC_D:
        return;
    default:
        s->cmos[s->index] = value;
        return;
    }
    rtc_arm(s);
}

static uint8_t rtc_read_data(Rtc *s)
{
    uint8_t v;

    switch (s->index) {
    case RTC_A:
        v = s->cmos[RTC_A];
        if (!(s->cmos[RTC_B] & B_SET) &&
            rtc_time_ns(s) % NANOSECONDS_PER_SECOND >= NANOSECONDS_PER_SECOND - UIP_NS) {
            v |= A_UIP;
        }
        return v;
    case RTC_C:
        v = s->cmos[RTC_C];
        s->cmos[RTC_C] = 0;
        irq_set(&s->irq, 0);
        /* A poller of C without interrupts still sees second boundaries pass. */
        rtc_arm(s);
        return v;
    default:
        rtc_refresh(s);
        return s->cmos[s->index];
    }
}

static void rtc_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Rtc *s = opaque;

    if (offset & 1) {
        rtc_write_data(s, value);
    } else {
        s->index = value & 0x7f;
    }
}

static uint64_t rtc_read(void *opaque, hwaddr offset, unsigned size)
{
    return offset & 1 ? rtc_read_data(opaque) : 0xff;
}

void rtc_set_cmos(Device *rtc, unsigned index, uint8_t value)
{
    ((Rtc *)rtc)->cmos[index & 0x7f] = value;
}

static bool rtc_realize(Device *d, GError **error)
{
    Rtc *s = (Rtc *)d;

    timer_init(&s->timer, CLOCK_GUEST, rtc_expired, s);
    s->cmos[RTC_A] = 0x26;
    s->cmos[RTC_B] = B_24H;
    s->cmos[RTC_D] = D_VRT;
    s->offset_ns = clock_now_ns(CLOCK_HOST) - clock_now_ns(CLOCK_GUEST) +
                   d->vm->rtc_offset_s * NANOSECONDS_PER_SECOND;
    vm_publish(d->vm, "rtc", d);
    return true;
}

static void rtc_reset(Device *d)
{
    Rtc *s = (Rtc *)d;

    s->cmos[RTC_B] &= ~(B_PIE | B_AIE | B_UIE);
    s->cmos[RTC_C] = 0;
    irq_set(&s->irq, 0);
    rtc_arm(s);
}

static const RegionOps rtc_ops = {
    .read = rtc_read, .write = rtc_write, .min_size = 1, .max_size = 1};

static const RegBank rtc_banks[] = {
    { .name = "io", .size = 2, .ops = &rtc_ops, .pio = true, .help = "index and data" },
    { 0 },
};

static const char *const lost_tick_policies[] = { "discard", "delay", "slew", NULL };

static const Prop rtc_props[] = {
    PROP_I32(Rtc, base_year, "base_year", 1980),
    PROP_ENUM(Rtc, lost_tick_policy, "lost_tick_policy", 0, lost_tick_policies),
    PROP_END,
};

static const PinRow rtc_pins[] = { PIN_OUT(Rtc, irq, "irq"), PIN_END };

static const StateField rtc_state[] = {
    STATE_RAW(Rtc, cmos),
    STATE_INDEX(Rtc, index, cmos),
    STATE(Rtc, offset_ns),
    STATE(Rtc, periodic_next_ns),
    STATE(Rtc, update_next_ns),
    STATE_TIMER_FIELD(Rtc, timer),
    STATE_END,
};

static const IsaInfo rtc_isa = {
    .ports = { { .bank = "io", .base = 0x70 } },
    .irq_pin = "irq",
    .irq = 8,
};

static const DeviceType rtc_type = {
    .name = "mc146818rtc",
    .bus = "ISA",
    .category = "misc",
    .desc = "Real-time clock and CMOS memory",
    .internal = true,
    .bus_info = &rtc_isa,
    .size = sizeof(Rtc),
    .state_version = 1,
    .props = rtc_props,
    .banks = rtc_banks,
    .pins = rtc_pins,
    .state = rtc_state,
    .realize = rtc_realize,
    .reset = rtc_reset,
};
DEVICE_TYPE(rtc_type);
