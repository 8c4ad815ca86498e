// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * High precision event timers (IA-PC HPET specification 1.0a): a 64-bit counter of 10 ns ticks
 * and up to 32 comparators, one-shot or periodic, 32 or 64 bits wide, routed to the I/O APIC, to
 * the MSI window or, in legacy replacement, to the lines of the 8254 and the RTC.
 */
#include "exec/bank.h"
#include "exec/dma.h"
#include "hw/i386/pc.h"
#include "hw/timer/hpet.h"
#include "hw/timer/i8254.h"
#include "util/timer.h"

#define HPET_TICK_NS 10
#define HPET_MAX_TIMERS 32
/* Revision 1, 64 bits, legacy routes, Intel; the period in femtoseconds above. */
#define HPET_CAPABILITIES (0x8086a001ull | (HPET_TICK_NS * 1000000ull) << 32)
/* A guest that asks for a shorter period gets several at once: the host must not drown. */
#define HPET_MIN_PERIOD_NS 20000
#define HPET_MAX_OWED 1000u

enum { CONFIG_ENABLE = 1, CONFIG_LEGACY = 2 };
enum {
    T_LEVEL = 2,
    T_ENABLE = 4,
    T_PERIODIC = 8,
    T_CAN_PERIODIC = 16,
    T_64BIT = 32,
    T_SET_VALUE = 64,
    T_32BIT = 256,
    T_FSB = 0x4000,
    T_CAN_FSB = 0x8000 };
#define T_WRITABLE 0x7f4eull

typedef struct HpetTimer {
    uint64_t config, compare, period, fsb;
    bool line;                   /* it holds its line up */
    uint32_t owed;               /* interrupts of periods that ended while the last was not taken */
    uint8_t index;
    struct Hpet *hpet;
    Timer timer;
} HpetTimer;

typedef struct Hpet {
    Device dev;
    uint8_t num_timers;
    uint32_t routes;             /* I/O APIC pins that timers may choose */
    bool msi, offset_saved;
    uint64_t config, status;
    uint64_t counter;            /* value at start_ns, or while it stands */
    int64_t start_ns;
    HpetTimer t[HPET_MAX_TIMERS];
} Hpet;

static bool hpet_running(const Hpet *s)
{
    return s->config & CONFIG_ENABLE;
}

static uint64_t hpet_count(const Hpet *s)
{
    if (!hpet_running(s)) {
        return s->counter;
    }
    return s->counter + (uint64_t)(clock_now_ns(CLOCK_GUEST) - s->start_ns) / HPET_TICK_NS;
}

/* Brings the counter's base up to now, so that a value and a time belong together exactly. */
static uint64_t hpet_rebase(Hpet *s)
{
    uint64_t ticks =
        hpet_running(s) ? (uint64_t)(clock_now_ns(CLOCK_GUEST) - s->start_ns) / HPET_TICK_NS : 0;

    s->counter += ticks;
    s->start_ns += (int64_t)ticks * HPET_TICK_NS;
    return s->counter;
}

/* 2.3.5, 2.3.8: legacy replacement, else the pin that the timer names; pin 2 is line 0. */
static unsigned hpet_line(const Hpet *s, const HpetTimer *t)
{
    if ((s->config & CONFIG_LEGACY) && t->index < 2) {
        return t->index == 0 ? 0 : 8;
    }
    unsigned route = t->config >> 9 & 31;

    return route == 2 ? 0 : route;
}

static bool hpet_route_valid(const Hpet *s, const HpetTimer *t)
{
    return ((s->config & CONFIG_LEGACY) && t->index < 2) ||
           (s->routes >> (t->config >> 9 & 31) & 1);
}

static void hpet_drive(Hpet *s, HpetTimer *t, bool level)
{
    if (level != t->line && hpet_route_valid(s, t)) {
        t->line = level;
        pc_gsi_hpet(&pc_board(s->dev.vm)->gsi, hpet_line(s, t), level);
    }
}

/* A level-triggered line follows its status bit. */
static void hpet_update_line(Hpet *s, HpetTimer *t)
{
    if (t->config & T_LEVEL) {
        hpet_drive(s, t, (s->status >> t->index & 1) && (t->config & T_ENABLE) && hpet_running(s));
    }
}

static void hpet_interrupt(Hpet *s, HpetTimer *t)
{
    bool on = (t->config & T_ENABLE) && hpet_running(s);

    if (t->config & T_LEVEL) {
        s->status |= 1ull << t->index;
    }
    if (on && (t->config & T_FSB)) {
        dma_store(&s->dev, t->fsb >> 32, (uint32_t)t->fsb, 4, DEV_LITTLE);
    } else if (on && (t->config & T_LEVEL)) {
        hpet_drive(s, t, true);
    } else if (on) {
        /* An 8259 takes an edge only while the line stays up; a shared line must not stay so. */
        hpet_drive(s, t, false);
        hpet_drive(s, t, true);
        hpet_drive(s, t, (s->config & CONFIG_LEGACY) && t->index < 2);
    }
}

/*
 * Ticks from now to the match. A comparator of 32 bits matches once a round of the counter's low
 * half; one of 64 bits that was passed does not match again in anybody's lifetime.
 */
static uint64_t hpet_distance(const HpetTimer *t, uint64_t now)
{
    return t->config & T_32BIT ? (uint32_t)(t->compare - now) : t->compare - now;
}

static void hpet_arm(Hpet *s, HpetTimer *t)
{
    uint64_t now, ticks;

    t->owed = 0;
    timer_cancel(&t->timer);
    if (!hpet_running(s)) {
        return;
    }
    now = hpet_rebase(s);
    ticks = hpet_distance(t, now);
    if (ticks <= INT64_MAX / HPET_TICK_NS / 2) {
        timer_set_ns(&t->timer, s->start_ns + (int64_t)ticks * HPET_TICK_NS);
    }
}

/* The next match of a periodic timer, and how many interrupts are due. */
static void hpet_advance(Hpet *s, HpetTimer *t)
{
    uint64_t now = hpet_rebase(s), behind = now - t->compare, next;

    if (t->config & T_32BIT) {
        behind = (uint32_t)behind;
    }
    next = t->compare + (behind / t->period + 1) * t->period;
    t->owed = MIN(t->owed + MIN(behind / t->period, HPET_MAX_OWED) + 1, HPET_MAX_OWED);
    while (next - now < HPET_MIN_PERIOD_NS / HPET_TICK_NS &&
           t->period < HPET_MIN_PERIOD_NS / HPET_TICK_NS) {
        next += HPET_MIN_PERIOD_NS / HPET_TICK_NS / t->period * t->period + t->period;
    }
    t->compare = t->config & T_32BIT ? (uint32_t)next : next;
    timer_set_ns(&t->timer, s->start_ns + (int64_t)(next - now) * HPET_TICK_NS);
}

/*
 * An edge that would be lost, because the last was not taken yet, is tried again soon. The timer is
 * armed for that, or else for the next match: a tick that was late must not be the last.
 */
static void hpet_periodic(Hpet *s, HpetTimer *t)
{
    uint64_t now = hpet_rebase(s), left = hpet_distance(t, now);
    bool edge = !(t->config & (T_LEVEL | T_FSB)) && (t->config & T_ENABLE) &&
                t->period >= HPET_MIN_PERIOD_NS / HPET_TICK_NS;

    if (left == 0 || left > INT64_MAX || ((t->config & T_32BIT) && left > INT32_MAX)) {
        hpet_advance(s, t);
    }
    left = hpet_distance(t, now);
    if (t->owed && !(edge && pc_gsi_waits(&pc_board(s->dev.vm)->gsi, hpet_line(s, t)))) {
        t->owed = edge ? t->owed - 1 : 0;
        hpet_interrupt(s, t);
    }
    timer_set_ns(&t->timer,
                 s->start_ns + (int64_t)(t->owed ? MIN(left, t->period / 8) : left) * HPET_TICK_NS);
}

static void hpet_expired(void *opaque)
{
    HpetTimer *t = opaque;
    Hpet *s = t->hpet;

    if ((t->config & T_PERIODIC) && t->period) {
        hpet_periodic(s, t);
        return;
    }
    if (t->config & T_32BIT) {
        timer_set_ns(&t->timer, t->timer.deadline_ns + ((int64_t)HPET_TICK_NS << 32));
    }
    hpet_interrupt(s, t);
}

void hpet_retry(Device *d)
{
    Hpet *s = (Hpet *)d;

    for (unsigned n = 0; n < s->num_timers; n++) {
        if (s->t[n].owed) {
            hpet_periodic(s, &s->t[n]);
        }
    }
}

/* ---- registers: 64-bit, also read and written by halves ---- */

static uint64_t hpet_timer_register(const HpetTimer *t, unsigned at)
{
    return at == 0x00 ? t->config : at == 0x08 ? t->compare : at == 0x10 ? t->fsb : 0;
}

static uint64_t hpet_register(const Hpet *s, hwaddr at)
{
    switch (at) {
    case 0x00:
        return HPET_CAPABILITIES | (uint64_t)(s->num_timers - 1) << 8;
    case 0x10:
        return s->config;
    case 0x20:
        return s->status;
    case 0xf0:
        return hpet_count(s);
    default:
        break;
    }
    if (at < 0x100 || (at - 0x100) / 0x20 >= s->num_timers) {
        return 0;
    }
    return hpet_timer_register(&s->t[(at - 0x100) / 0x20], at & 0x1f);
}

static void hpet_write_config(Hpet *s, uint64_t value)
{
    PcBoard *b = pc_board(s->dev.vm);
    uint64_t changed = s->config ^ value;

    for (unsigned n = 0; n < s->num_timers; n++) {
        hpet_drive(s, &s->t[n], false);
    }
    hpet_rebase(s);
    s->config = value & (CONFIG_ENABLE | CONFIG_LEGACY);
    s->start_ns = changed & CONFIG_ENABLE ? clock_now_ns(CLOCK_GUEST) : s->start_ns;
    if (changed & CONFIG_LEGACY) {
        pc_gsi_set_legacy_blocked(&b->gsi, s->config & CONFIG_LEGACY);
        i8254_disable_irq0(b->pit, s->config & CONFIG_LEGACY);
    }
    for (unsigned n = 0; n < s->num_timers; n++) {
        hpet_arm(s, &s->t[n]);
        hpet_update_line(s, &s->t[n]);
    }
}

static void hpet_write_status(Hpet *s, uint64_t value)
{
    s->status &= ~value;
    for (unsigned n = 0; n < s->num_timers; n++) {
        hpet_update_line(s, &s->t[n]);
    }
}

static void hpet_write_counter(Hpet *s, uint64_t value)
{
    s->counter = value;
    s->start_ns = clock_now_ns(CLOCK_GUEST);
    for (unsigned n = 0; n < s->num_timers; n++) {
        hpet_arm(s, &s->t[n]);
    }
}

static void hpet_write_timer_config(Hpet *s, HpetTimer *t, uint64_t value)
{
    uint64_t writable = t->config & T_CAN_FSB ? T_WRITABLE : T_WRITABLE & ~(uint64_t)T_FSB;

    hpet_drive(s, t, false);
    t->config = (t->config & ~writable) | (value & writable);
    if (t->config & T_32BIT) {
        t->compare = (uint32_t)t->compare;
        t->period = (uint32_t)t->period;
    }
    if (!(t->config & T_LEVEL)) {
        s->status &= ~(1ull << t->index);
    }
    hpet_update_line(s, t);
    hpet_arm(s, t);
}

/*
 * 2.3.9.2.2: in periodic mode the comparator itself takes a value only after SET_VALUE, which
 * holds for one write; what is written is the period in any case.
 */
static void hpet_write_compare(Hpet *s, HpetTimer *t, uint64_t value, uint64_t mask)
{
    uint64_t width = t->config & T_32BIT ? UINT32_MAX : UINT64_MAX;

    if (t->config & T_PERIODIC) {
        t->period = ((t->period & ~mask) | (value & mask)) & width;
    }
    if (!(t->config & T_PERIODIC) || (t->config & T_SET_VALUE)) {
        t->compare = ((t->compare & ~mask) | (value & mask)) & width;
        t->config &= ~(uint64_t)T_SET_VALUE;
        hpet_arm(s, t);
    }
}

static void hpet_write_timer(Hpet *s, HpetTimer *t, unsigned at, uint64_t value, uint64_t mask)
{
    switch (at) {
    case 0x00:
        hpet_write_timer_config(s, t, (t->config & ~mask) | (value & mask));
        break;
    case 0x08:
        hpet_write_compare(s, t, value, mask);
        break;
    case 0x10:
        t->fsb = (t->fsb & ~mask) | (value & mask);
        break;
    default:
        break;
    }
}

static uint64_t hpet_read(void *opaque, hwaddr offset, unsigned size)
{
    return hpet_register(opaque, offset & ~7ull) >> 8 * (offset & 7);
}

static void hpet_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Hpet *s = opaque;
    hwaddr at = offset & ~7ull;
    unsigned shift = 8 * (offset & 4), n = (at - 0x100) / 0x20;
    uint64_t mask = (size == 4 ? (uint64_t)UINT32_MAX : UINT64_MAX) << shift;

    value <<= shift;
    switch (at) {
    case 0x10:
        hpet_write_config(s, (s->config & ~mask) | (value & mask));
        break;
    case 0x20:
        hpet_write_status(s, value & mask);
        break;
    case 0xf0:
        hpet_write_counter(s, (hpet_count(s) & ~mask) | (value & mask));
        break;
    default:
        if (at >= 0x100 && n < s->num_timers) {
            hpet_write_timer(s, &s->t[n], at & 0x1f, value, mask);
        }
        break;
    }
}

static bool hpet_realize(Device *d, GError **error)
{
    Hpet *s = (Hpet *)d;

    if (s->routes == 0) {
        return fail(error, "hpet: hpet-intcap must not be 0");
    }
    s->num_timers = CLAMP(s->num_timers, 3, HPET_MAX_TIMERS);
    for (unsigned n = 0; n < HPET_MAX_TIMERS; n++) {
        s->t[n].hpet = s;
        s->t[n].index = n;
        timer_init(&s->t[n].timer, CLOCK_GUEST, hpet_expired, &s->t[n]);
    }
    return true;
}

static void hpet_reset(Device *d)
{
    Hpet *s = (Hpet *)d;
    PcBoard *b = pc_board(d->vm);

    for (unsigned n = 0; n < s->num_timers; n++) {
        HpetTimer *t = &s->t[n];

        timer_cancel(&t->timer);
        hpet_drive(s, t, false);
        t->config = T_CAN_PERIODIC | T_64BIT | (s->msi ? T_CAN_FSB : 0) | (uint64_t)s->routes << 32;
        t->compare = UINT64_MAX;
        t->period = t->fsb = 0;
    }
    if (s->config & CONFIG_LEGACY) {
        pc_gsi_set_legacy_blocked(&b->gsi, false);
        i8254_disable_irq0(b->pit, false);
    }
    s->config = s->status = s->counter = 0;
}

static void hpet_post_load(Device *d)
{
    Hpet *s = (Hpet *)d;

    pc_gsi_set_legacy_blocked(&pc_board(d->vm)->gsi, s->config & CONFIG_LEGACY);
}

static const Prop hpet_props[] = {
    PROP_U8(Hpet, num_timers, "timers", 3, .help = "3 to 32"),
    PROP_BOOL(Hpet, msi, "msi", false, .help = "timers can send messages"),
    PROP_U32(Hpet, routes, "hpet-intcap", 0, .help = "I/O APIC pins that timers may be routed to"),
    PROP_BOOL(Hpet, offset_saved, "hpet-offset-saved", true, .help = "kept for command lines; it always is"),
    PROP_END,
};

static const RegionOps hpet_ops = {
    .read = hpet_read, .write = hpet_write, .min_size = 4, .max_size = 8};

static const RegBank hpet_banks[] = {
    { .name = "mmio", .size = 0x400, .ops = &hpet_ops, .help = "capabilities, counter, timers" },
    { 0 },
};

static const StateField hpet_timer_state[] = {
    STATE(HpetTimer, config),
    STATE(HpetTimer, compare),
    STATE(HpetTimer, period),
    STATE(HpetTimer, fsb),
    STATE(HpetTimer, line),
    STATE(HpetTimer, owed),
    HOST_ONLY(HpetTimer, index, "constant"),
    HOST_ONLY(HpetTimer, hpet, "back pointer"),
    STATE_TIMER_FIELD(HpetTimer, timer),
    STATE_END,
};

static const StateField hpet_state[] = {
    STATE(Hpet, config),
    STATE(Hpet, status),
    STATE(Hpet, counter),
    STATE(Hpet, start_ns),
    STATE_STRUCTS(Hpet, t, hpet_timer_state),
    STATE_END,
};

static const DeviceType hpet_type = {
    .name = "hpet",
    .category = "misc",
    .desc = "High precision event timers",
    .internal = true,
    .size = sizeof(Hpet),
    .state_version = 1,
    .props = hpet_props,
    .banks = hpet_banks,
    .state = hpet_state,
    .realize = hpet_realize,
    .reset = hpet_reset,
    .post_load = hpet_post_load,
};
DEVICE_TYPE(hpet_type);
