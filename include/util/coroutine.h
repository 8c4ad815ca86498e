// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Coroutines with stacks of their own. Code that waits, such as a disk request, is written
 * straight on: it yields, and whoever knows that its wait is over wakes it. A function whose name
 * begins with `co_` may only be called in a coroutine. Coroutines run with the machine lock held:
 * what is woken runs in its home, the event loop of the thread that made it (the main loop for
 * threads without one), what is entered runs in the thread that enters it. Only coroutine_wake may
 * be called by any thread.
 */
#ifndef UTIL_COROUTINE_H
#define UTIL_COROUTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/timer.h"

typedef struct Coroutine Coroutine;
typedef void CoroutineFn(void *opaque);

/* A coroutine that runs fn(opaque) when it is entered first. It frees itself when fn returns. */
Coroutine *coroutine_new(CoroutineFn *fn, void *opaque);
/* The same with another home. */
struct EventLoop;
Coroutine *coroutine_new_in(struct EventLoop *home, CoroutineFn *fn, void *opaque);
struct EventLoop *coroutine_home(const Coroutine *co);
/* Runs co until it yields or ends. co is new or has yielded. */
void coroutine_enter(Coroutine *co);
/* coroutine_enter of a new one. */
void coroutine_start(CoroutineFn *fn, void *opaque);
/*
 * Enters co from its home's loop, soon; idempotent until then. Any thread. A coroutine that may be
 * woken must not be entered otherwise meanwhile.
 */
void coroutine_wake(Coroutine *co);
/* The running coroutine, NULL outside of any. */
Coroutine *coroutine_self(void);

/* Back to who entered us, until we are entered again. */
void co_yield(void);
/* Yields for `ns` of a clock. */
void co_sleep_ns(TimerClock clock, int64_t ns);
/* Yields and goes on in the next round of its home's loop. */
void co_reschedule(void);
/* The running coroutine has another home from now on, and goes on there. Not while it is woken. */
void co_move_to(struct EventLoop *home);

/* Coroutines that wait for something, first come first served. All zero is an empty one. */
typedef struct CoQueue {
    Coroutine *head;
    Coroutine *tail;
} CoQueue;

/* A mutex between coroutines: waiting for it yields. All zero is a free one. */
typedef struct CoMutex {
    bool locked;
    CoQueue waiters;
} CoMutex;

void co_mutex_lock(CoMutex *m);
void co_mutex_unlock(CoMutex *m);

/* Waits in q; m, if not NULL, is dropped meanwhile. Check your condition again afterwards. */
void co_queue_wait(CoQueue *q, CoMutex *m);
/* Wakes the first waiter; false when there is none. Also outside of coroutines. */
bool co_queue_wake_one(CoQueue *q);
void co_queue_wake_all(CoQueue *q);
static inline bool co_queue_empty(const CoQueue *q)
{
    return q->head == NULL;
}

#endif
