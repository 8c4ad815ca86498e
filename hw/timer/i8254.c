// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programmable interval timer 8254 (Intel 231164): three counters at 1.193182 MHz, modes 0
 * to 5, binary and BCD, counter latch and read-back. Counting is computed from guest time;
 * only channel 0 raises an interrupt and so needs a timer.
 */
#include "hw/timer/i8254.h"
#include "exec/bank.h"
#include "hw/isa/isa.h"
#include "util/timer.h"

#define PIT_HZ 1193182
#define MIN_PERIOD 60        /* ticks: 50 us */
#define MAX_OWED 1000

typedef enum PitAccess { PIT_LSB = 1, PIT_MSB = 2, PIT_WORD = 3 } PitAccess;

typedef struct PitChannel {
    uint32_t count;          /* 1..65536, as loaded */
    int64_t start_ns;        /* when counting (re)started */
    uint64_t held;           /* modes 0 and 4 with the gate low: ticks counted until then */
    uint16_t latched;
    uint8_t mode, access;
    bool bcd, gate, null_count;
    uint8_t write_low;       /* low byte, waiting for the high one */
    bool write_high_next, read_high_next;
    uint8_t latch_bytes;     /* bytes of `latched` still to be read */
    bool status_latched;
    uint8_t status;
    bool stopped;            /* no count was loaded since the mode was set */
} PitChannel;

typedef struct I8254 {
    Device dev;
    PitChannel ch[3];
    Irq out;
    Timer timer;             /* channel 0: next change of its output, or the next attempt */
    bool irq_disabled;
    uint64_t periods;        /* channel 0, periodic modes: periods that have ended */
    uint32_t owed;           /* ... and the ticks of them that were not sent yet */
    bool (*waits)(void *opaque);
    void *waits_opaque;
} I8254;

/* The gate stops counting but does not restart it (other modes: see i8254_set_gate). */
static bool pit_held(const PitChannel *c)
{
    return !c->gate && (c->mode == 0 || c->mode == 4);
}

static uint64_t pit_ticks(const PitChannel *c, int64_t now)
{
    int64_t d = now - c->start_ns;

    if (pit_held(c)) {
        return c->held;
    }
    return d <= 0 ? 0 : (uint64_t)((unsigned __int128)d * PIT_HZ / NANOSECONDS_PER_SECOND);
}

static int64_t pit_ticks_to_ns(uint64_t ticks)
{
    return (int64_t)(((unsigned __int128)ticks * NANOSECONDS_PER_SECOND + PIT_HZ - 1) / PIT_HZ);
}

static bool pit_periodic(const PitChannel *c)
{
    return c->mode == 2 || c->mode == 3;
}

/* Level of the output at tick t. */
static bool pit_out_at(const PitChannel *c, uint64_t t)
{
    if (c->stopped) {
        return c->mode != 0;
    }
    switch (c->mode) {
    case 0:
    case 1:
        return t >= c->count;
    case 2:
        return t % c->count != c->count - 1 || t == 0;
    case 3:
        return t % c->count < (c->count + 1) / 2;
    default:
        return t != c->count;
    }
}

/* Tick after t at which the output changes; 0: never again. */
static uint64_t pit_next_change(const PitChannel *c, uint64_t t)
{
    uint64_t base;

    if (c->stopped) {
        return 0;
    }
    switch (c->mode) {
    case 0:
    case 1:
        return t < c->count ? c->count : 0;
    case 2:
        base = t / c->count * c->count;
        return t % c->count < c->count - 1 ? base + c->count - 1 : base + c->count;
    case 3:
        base = t / c->count * c->count;
        return t % c->count < (c->count + 1) / 2 ? base + (c->count + 1) / 2 : base + c->count;
    default:
        return t < c->count ? c->count : t == c->count ? t + 1 : 0;
    }
}

static uint16_t pit_to_bcd(uint32_t v)
{
    v %= 10000;
    return v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
}

static uint16_t pit_value(const PitChannel *c, int64_t now)
{
    uint64_t t = pit_ticks(c, now);
    uint32_t v;

    if (c->stopped) {
        v = c->count;
    } else if (c->mode == 3) {
        v = c->count - (t * 2) % c->count;
    } else if (c->mode == 2) {
        v = c->count - t % c->count;
    } else {
        v = (uint32_t)(c->count - t);
    }
    return c->bcd ? pit_to_bcd(v) : (uint16_t)v;
}

static void pit_arm(I8254 *s, uint64_t tick)
{
    timer_set_ns(&s->timer, s->ch[0].start_ns + pit_ticks_to_ns(tick));
}

/*
 * Channel 0 in a periodic mode: an edge for each period. When the last one has not been taken, this
 * one is owed and tried again before the period ends.
 */
static void pit_tick(I8254 *s)
{
    const PitChannel *c = &s->ch[0];
    uint64_t t = pit_ticks(c, clock_now_ns(CLOCK_GUEST)), ended = t / c->count;

    /* A period of a few ticks would keep the host busy for nothing: at most 20 kHz. */
    s->owed += MIN(ended - s->periods, c->count < MIN_PERIOD ? 1 : MAX_OWED);
    s->owed = MIN(s->owed, MAX_OWED);
    s->periods = ended;
    if (s->owed && !(s->waits && s->waits(s->waits_opaque))) {
        s->owed--;
        irq_set(&s->out, 0);
        irq_set(&s->out, 1);
    }
    pit_arm(s, MAX(s->owed ? t + c->count / 8 : (ended + 1) * c->count, t + MIN_PERIOD));
}

static void pit_update(I8254 *s)
{
    PitChannel *c = &s->ch[0];
    uint64_t t = pit_ticks(c, clock_now_ns(CLOCK_GUEST));
    uint64_t next = pit_next_change(c, t);

    if (next == 0 || s->irq_disabled) {
        irq_set(&s->out, !s->irq_disabled && pit_out_at(c, t));
        timer_cancel(&s->timer);
        s->owed = 0;
    } else if (pit_periodic(c)) {
        s->periods = t / c->count;
        irq_set(&s->out, 1);
        pit_arm(s, (s->periods + 1) * c->count);
    } else {
        irq_set(&s->out, pit_out_at(c, t));
        pit_arm(s, next);
    }
}

static void pit_expired(void *opaque)
{
    I8254 *s = opaque;

    if (pit_periodic(&s->ch[0]) && !s->ch[0].stopped && !s->irq_disabled) {
        pit_tick(s);
    } else {
        pit_update(s);
    }
}

void i8254_retry(Device *pit)
{
    I8254 *s = (I8254 *)pit;

    if (s->owed && pit_periodic(&s->ch[0])) {
        pit_tick(s);
    }
}

void i8254_set_waits(Device *pit, bool (*waits)(void *opaque), void *opaque)
{
    ((I8254 *)pit)->waits = waits;
    ((I8254 *)pit)->waits_opaque = opaque;
}

static void pit_load(I8254 *s, PitChannel *c, uint32_t value)
{
    if (c->bcd) {
        value =
            (value >> 12) * 1000 + (value >> 8 & 15) * 100 + (value >> 4 & 15) * 10 + (value & 15);
    }
    c->count = value ? value : c->bcd ? 10000 : 65536;
    c->stopped = false;
    c->start_ns = clock_now_ns(CLOCK_GUEST);
    c->held = 0;
    if (c == &s->ch[0]) {
        s->owed = 0;
        pit_update(s);
    }
}

static void pit_latch_count(PitChannel *c)
{
    if (c->latch_bytes == 0) {
        c->latched = pit_value(c, clock_now_ns(CLOCK_GUEST));
        c->latch_bytes = c->access == PIT_WORD ? 2 : 1;
        c->read_high_next = c->access == PIT_MSB;
    }
}

static void pit_read_back(I8254 *s, uint8_t value)
{
    for (unsigned i = 0; i < 3; i++) {
        PitChannel *c = &s->ch[i];

        if (!(value & 2u << i)) {
            continue;
        }
        if (!(value & 0x20)) {
            pit_latch_count(c);
        }
        if (!(value & 0x10) && !c->status_latched) {
            bool out = pit_out_at(c, pit_ticks(c, clock_now_ns(CLOCK_GUEST)));

            c->status = out << 7 | c->stopped << 6 | c->access << 4 | c->mode << 1 | c->bcd;
            c->status_latched = true;
        }
    }
}

static void pit_control(I8254 *s, uint8_t value)
{
    unsigned n = value >> 6;

    if (n == 3) {
        pit_read_back(s, value);
        return;
    }
    PitChannel *c = &s->ch[n];

    if ((value >> 4 & 3) == 0) {
        pit_latch_count(c);
        return;
    }
    c->access = value >> 4 & 3;
    c->mode = value >> 1 & 7;
    if (c->mode > 5) {
        c->mode -= 4;
    }
    c->bcd = value & 1;
    c->stopped = true;
    c->write_high_next = c->read_high_next = false;
    c->latch_bytes = 0;
    c->status_latched = false;
    if (n == 0) {
        pit_update(s);
    }
}

static void pit_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    I8254 *s = opaque;

    if (offset == 3) {
        pit_control(s, value);
        return;
    }
    PitChannel *c = &s->ch[offset];

    if (c->access == PIT_LSB) {
        pit_load(s, c, value);
    } else if (c->access == PIT_MSB) {
        pit_load(s, c, value << 8);
    } else if (!c->write_high_next) {
        c->write_low = value;
        c->write_high_next = true;
    } else {
        c->write_high_next = false;
        pit_load(s, c, value << 8 | c->write_low);
    }
}

static uint64_t pit_read(void *opaque, hwaddr offset, unsigned size)
{
    I8254 *s = opaque;

    if (offset == 3) {
        return 0xff;
    }
    PitChannel *c = &s->ch[offset];

    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    uint16_t v = c->latch_bytes ? c->latched : pit_value(c, clock_now_ns(CLOCK_GUEST));
    bool high = c->access == PIT_MSB || (c->access == PIT_WORD && c->read_high_next);

    if (c->access == PIT_WORD) {
        c->read_high_next = !c->read_high_next;
    }
    if (c->latch_bytes) {
        c->latch_bytes--;
    }
    return high ? v >> 8 : v & 0xff;
}

void i8254_set_gate(Device *pit, unsigned channel, bool level)
{
    PitChannel *c = &((I8254 *)pit)->ch[channel];

    int64_t now = clock_now_ns(CLOCK_GUEST);

    if (level && !c->gate && (c->mode == 1 || c->mode == 5 || pit_periodic(c))) {
        c->start_ns = now;
    } else if (level && pit_held(c)) {
        c->start_ns = now - pit_ticks_to_ns(c->held);
    } else if (!level) {
        c->held = pit_ticks(c, now);
    }
    c->gate = level;
}

bool i8254_output(Device *pit, unsigned channel)
{
    const PitChannel *c = &((I8254 *)pit)->ch[channel];

    return pit_out_at(c, pit_ticks(c, clock_now_ns(CLOCK_GUEST)));
}

bool i8254_gate(Device *pit, unsigned channel)
{
    return ((I8254 *)pit)->ch[channel].gate;
}

uint32_t i8254_tone(Device *pit, unsigned channel)
{
    const PitChannel *c = &((I8254 *)pit)->ch[channel];

    return c->gate && !c->stopped && c->mode == 3 ? PIT_HZ / c->count : 0;
}

void i8254_disable_irq0(Device *pit, bool disable)
{
    I8254 *s = (I8254 *)pit;

    s->irq_disabled = disable;
    pit_update(s);
}

static bool pit_realize(Device *d, GError **error)
{
    I8254 *s = (I8254 *)d;

    timer_init(&s->timer, CLOCK_GUEST, pit_expired, s);
    return true;
}

static void pit_reset(Device *d)
{
    I8254 *s = (I8254 *)d;

    for (unsigned i = 0; i < 3; i++) {
        s->ch[i] = (PitChannel){
            .mode = 3, .access = PIT_WORD, .gate = i != 2, .count = 65536, .stopped = true,
        };
    }
    s->irq_disabled = false;
    pit_update(s);
}

static const RegionOps pit_ops = {
    .read = pit_read, .write = pit_write, .min_size = 1, .max_size = 1};

static const RegBank pit_banks[] = {
    { .name = "io", .size = 4, .ops = &pit_ops, .pio = true, .help = "counters and control word" },
    { 0 },
};

static const PinRow pit_pins[] = { PIN_OUT(I8254, out, "out"), PIN_END };

static const StateField pit_channel_state[] = {
    STATE_RANGE(PitChannel, count, 1, 65536),
    STATE(PitChannel, start_ns),
    STATE(PitChannel, held),
    STATE(PitChannel, latched),
    STATE_MAX(PitChannel, mode, 5),
    STATE_MAX(PitChannel, access, 3),
    STATE(PitChannel, bcd),
    STATE(PitChannel, gate),
    STATE(PitChannel, null_count),
    STATE(PitChannel, write_low),
    STATE(PitChannel, write_high_next),
    STATE(PitChannel, read_high_next),
    STATE(PitChannel, latch_bytes),
    STATE(PitChannel, status_latched),
    STATE(PitChannel, status),
    STATE(PitChannel, stopped),
    STATE_END,
};

static const StateField pit_state[] = {
    STATE_STRUCTS(I8254, ch, pit_channel_state),
    STATE_TIMER_FIELD(I8254, timer),
    STATE(I8254, irq_disabled),
    STATE(I8254, periods),
    STATE(I8254, owed),
    HOST_ONLY(I8254, waits, "set by the board"),
    HOST_ONLY(I8254, waits_opaque, "set by the board"),
    STATE_END,
};

static const IsaInfo pit_isa = { .ports = { { .bank = "io", .base = 0x40 } }, .irq_pin = "out" };

static const DeviceType pit_type = {
    .name = "isa-pit",
    .bus = "ISA",
    .category = "misc",
    .desc = "Interval timer 8254",
    .internal = true,
    .bus_info = &pit_isa,
    .size = sizeof(I8254),
    .state_version = 1,
    .banks = pit_banks,
    .pins = pit_pins,
    .state = pit_state,
    .realize = pit_realize,
    .reset = pit_reset,
};
DEVICE_TYPE(pit_type);
