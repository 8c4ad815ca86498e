// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clocks and timers. Times are nanoseconds in int64_t. Timers run in the main loop's thread
 * with the machine lock held, in order of their deadlines.
 */
#ifndef UTIL_TIMER_H
#define UTIL_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define NANOSECONDS_PER_SECOND 1000000000LL

typedef enum TimerClock {
    /* guest ("virtual") time: stands while the machine is stopped; stepped under qtest */
    CLOCK_GUEST,
    CLOCK_HOST,     /* host wall clock since the epoch: may jump */
    CLOCK_RT,       /* host monotonic: runs always */
    CLOCK_COUNT,
} TimerClock;

typedef void TimerFn(void *opaque);

/* Embedded in its owner; zeroed memory is a timer that was never initialised. */
typedef struct Timer {
    TimerFn *fn;
    void *opaque;
    int64_t deadline_ns;    /* valid while pending */
    TimerClock clock;
    bool pending;
    uint32_t slot;          /* owned by the clock's queue, which is a heap */
} Timer;

/* Now, on a clock. Any thread, no lock. */
int64_t clock_now_ns(TimerClock clock);
/* Guest time runs or stands (machine start and stop). Main loop, machine lock. */
void clock_guest_run(bool run);
bool clock_guest_running(void);
/* Guest time is stepped by hand from now on (qtest). */
void clock_guest_manual(void);
/* Manual guest clock: advance to `ns`, running each timer at its own deadline. Machine lock. */
void clock_guest_advance_to(int64_t ns);
/* Sets guest time's origin, e.g. after loading a snapshot. Machine lock. */
void clock_guest_set(int64_t ns);

void timer_init(Timer *t, TimerClock clock, TimerFn *fn, void *opaque);
/*
 * (Re)arms t for an absolute time. Any thread that holds the machine lock. Wakes the loop if it is
 * now the first.
 */
void timer_set_ns(Timer *t, int64_t deadline_ns);
/* Removes t from the queue; no-op when it is not pending. Call before freeing t's owner. */
void timer_cancel(Timer *t);

/* Earliest deadline of a clock, or INT64_MAX. */
int64_t clock_deadline_ns(TimerClock clock);
/* Runs what is due on all clocks. Main loop only, machine lock. True if anything ran. */
bool timers_run(void);
/* Nanoseconds that the main loop may sleep, -1 for no limit. */
int64_t timers_poll_timeout_ns(void);

#endif
