// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Down-counters of timer devices; see the header. A period too short to be worth an event is
 * stretched to MIN_PERIOD_NS. Periods that a busy host missed follow in quick succession, so that
 * guests that count them keep the time.
 */
#include "hw/timer/countdown.h"

#include <glib.h>

#define MIN_PERIOD_NS 10000
#define MAX_LATE_NS (NANOSECONDS_PER_SECOND / 2)

static void countdown_arm(Countdown *c, int64_t not_before)
{
    if (!c->running || (c->left == 0 && c->period == 0)) {
        timer_cancel(&c->timer);
        return;
    }
    timer_set_ns(&c->timer, MAX(c->since_ns + ns_of_ticks(c->left, c->hz), not_before));
}

static void countdown_expired(void *opaque)
{
    Countdown *c = opaque;
    int64_t now = clock_now_ns(CLOCK_GUEST);

    if (c->period) {
        int64_t due = c->since_ns + ns_of_ticks(c->left, c->hz),
                gap = MAX(ns_of_ticks(c->period, c->hz) / 8, MIN_PERIOD_NS);

        c->since_ns = now - due > MAX_LATE_NS ? now : due;
        c->left = c->period;
        countdown_arm(c, now + gap);
    } else {
        c->left = 0;
        c->since_ns = now;
    }
    c->fired(c->opaque);
}

void countdown_init(Countdown *c, uint64_t hz, void (*fired)(void *opaque), void *opaque)
{
    c->hz = hz;
    c->fired = fired;
    c->opaque = opaque;
    timer_init(&c->timer, CLOCK_GUEST, countdown_expired, c);
}

uint64_t countdown_value(const Countdown *c)
{
    uint64_t passed = c->running ? ticks_of_ns(clock_now_ns(CLOCK_GUEST) - c->since_ns, c->hz) : 0;

    if (passed < c->left) {
        return c->left - passed;
    }
    /* The event is late: what the counter would be by now. */
    return c->period ? c->period - (passed - c->left) % c->period : 0;
}

/*
 * An event that is due, but that the main loop has not come to, comes first: a change must not
 * swallow it.
 */
static void countdown_sync(Countdown *c)
{
    if (c->running && c->timer.pending && clock_now_ns(CLOCK_GUEST) >= c->timer.deadline_ns) {
        timer_cancel(&c->timer);
        countdown_expired(c);
    }
}

void countdown_set(Countdown *c, uint64_t ticks)
{
    countdown_sync(c);
    c->left = ticks;
    c->since_ns = clock_now_ns(CLOCK_GUEST);
    countdown_arm(c, 0);
}

void countdown_set_period(Countdown *c, uint64_t ticks)
{
    countdown_sync(c);
    c->period = ticks;
    countdown_set(c, countdown_value(c));
}

void countdown_set_hz(Countdown *c, uint64_t hz)
{
    countdown_sync(c);
    uint64_t v = countdown_value(c);

    c->hz = MAX(hz, 1);
    countdown_set(c, v);
}

void countdown_run(Countdown *c, bool on)
{
    countdown_sync(c);
    if (c->running != on) {
        uint64_t v = countdown_value(c);

        c->running = on;
        countdown_set(c, v);
    }
}

void countdown_reset(Countdown *c)
{
    timer_cancel(&c->timer);
    c->running = false;
    c->left = c->period = 0;
}

const StateField countdown_state[] = {
    STATE_TIMER_FIELD(Countdown, timer),
    HOST_ONLY(Countdown, fired, "set at realize"),
    HOST_ONLY(Countdown, opaque, "set at realize"),
    STATE(Countdown, hz),
    STATE(Countdown, left),
    STATE(Countdown, period),
    STATE(Countdown, since_ns),
    STATE(Countdown, running),
    STATE_END,
};
