// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event loops: the main loop's and those of I/O threads. A loop polls with the machine lock free
 * and runs everything else (bottom halves, sources of its glib context, coroutines that belong to
 * it) with the lock held; only the main loop runs timers. So state that the machine lock guards
 * needs nothing more, whichever loop works on it; who calls the host for long in an I/O thread
 * drops the lock meanwhile (event_loop_unlock).
 */
#ifndef UTIL_EVENT_LOOP_H
#define UTIL_EVENT_LOOP_H

#include "util/main-loop.h"

typedef struct EventLoop EventLoop;

/* The main thread's; there from the start. */
EventLoop *event_loop_main(void);
/* The loop that this thread runs; the main one in threads that run none (vCPUs, workers). */
EventLoop *event_loop_current(void);
/* Whether this thread runs a loop of its own, not the main one. */
bool event_loop_own(void);

/* A loop for a thread to be started. Any thread. */
EventLoop *event_loop_new(void);
/* Its thread has ended. Machine lock. */
void event_loop_free(EventLoop *l);
/* Runs l in this thread until event_loop_quit; the lock is taken and dropped here. */
void event_loop_run(EventLoop *l);
/* Any thread, also before event_loop_run. */
void event_loop_quit(EventLoop *l);
/* One round of this thread's loop: lock held on entry and exit. */
void event_loop_iterate(EventLoop *l, bool may_block);
/* Ends l's sleep. Any thread, signal safe. */
void event_loop_wake(EventLoop *l);
/* Sources of this context run in l with the lock. */
GMainContext *event_loop_context(EventLoop *l);
/*
 * Returns when all that l was running at the call has come back to the loop, and the bottom halves
 * that were scheduled have run once. Machine lock, which
 * is dropped meanwhile; in the thread of l itself, or with no loop running, it does nothing.
 */
void event_loop_sync(EventLoop *l);
/* event_loop_sync of every loop but the main one. */
void event_loop_sync_all(void);

/* A bottom half that runs in l. */
Bh *bh_new_in(EventLoop *l, BhFn *fn, void *opaque);
/* Where it runs from now on. Not while it is scheduled. */
void bh_move(Bh *bh, EventLoop *l);

/*
 * How long l looks for work before it sleeps: up to max_ns (0: not at all), a time that grows by
 * `grow` (0: 2) when a little more would have been enough, and shrinks by `shrink` (0: to nothing)
 * when even max_ns would not. Any time, machine lock.
 */
void event_loop_set_polling(EventLoop *l, int64_t max_ns, int64_t grow, int64_t shrink);
/*
 * While l looks, fn(opaque) is asked without the lock, in l's thread, whether something is there
 * that one of its sources would show.
 */
typedef bool EventLoopLook(void *opaque);
void event_loop_add_look(EventLoop *l, EventLoopLook *fn, void *opaque);
void event_loop_remove_look(EventLoop *l, EventLoopLook *fn, void *opaque);

/*
 * fn(opaque) is called before each poll of l, in its thread with the machine lock: what was
 * gathered in a round goes out at once. It may drop the lock by event_loop_unlock. Machine lock.
 */
typedef void EventLoopGathered(void *opaque);
void event_loop_add_gathered(EventLoop *l, EventLoopGathered *fn, void *opaque);
void event_loop_remove_gathered(EventLoop *l, EventLoopGathered *fn, void *opaque);
/* Whether this thread runs l: a loop of its own, or the main thread's. */
bool event_loop_here(EventLoop *l);

/*
 * Around a host call that takes a while: in a thread with a loop of its own the machine lock is
 * dropped (true) until event_loop_relock; elsewhere nothing happens, for there callers count on
 * the lock. In coroutines that is like a yield: anything may change meanwhile.
 */
bool event_loop_unlock(void);
void event_loop_relock(bool unlocked);

/* What others keep per loop, freed with it. */
typedef enum LoopSlot {
    LOOP_SLOT_URING,
    LOOP_SLOT_NATIVE,
    LOOP_SLOTS
} LoopSlot;
void *event_loop_slot(EventLoop *l, LoopSlot slot);
void event_loop_set_slot(EventLoop *l, LoopSlot slot, void *p, GDestroyNotify free_fn);

#endif
