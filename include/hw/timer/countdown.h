// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A counter that ticks down at a rate and calls when it gets to zero, once or again and again: what
 * most timer devices are made of. No code runs while it counts. Embedded in its owner, which keeps
 * what its registers say. Machine lock.
 */
#ifndef HW_TIMER_COUNTDOWN_H
#define HW_TIMER_COUNTDOWN_H

#include "qom/state.h"
#include "util/timer.h"
#include "util/types.h"

typedef struct Countdown {
    Timer timer;
    void (*fired)(void *opaque);
    void *opaque;
    uint64_t hz;
    uint64_t left;          /* ticks at `since_ns`, or now when it stands */
    uint64_t period;        /* ticks from one zero to the next; 0: it stops at the first */
    int64_t since_ns;
    bool running;
} Countdown;

extern const StateField countdown_state[];

void countdown_init(Countdown *c, uint64_t hz, void (*fired)(void *opaque), void *opaque);
/* Ticks until zero from now. */
uint64_t countdown_value(const Countdown *c);
/* Counting goes on from `ticks`. */
void countdown_set(Countdown *c, uint64_t ticks);
void countdown_set_period(Countdown *c, uint64_t ticks);
void countdown_set_hz(Countdown *c, uint64_t hz);
void countdown_run(Countdown *c, bool on);
/* Stopped, at zero. */
void countdown_reset(Countdown *c);

/* Ticks of a clock of hz that pass in ns, and the other way round, rounded down and up. */
static inline uint64_t ticks_of_ns(int64_t ns, uint64_t hz)
{
    return (unsigned __int128)(uint64_t)ns * hz / NANOSECONDS_PER_SECOND;
}
static inline int64_t ns_of_ticks(uint64_t ticks, uint64_t hz)
{
    unsigned __int128 ns = ((unsigned __int128)ticks * NANOSECONDS_PER_SECOND + hz - 1) / hz;

    return ns > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)ns;
}

#endif
