// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine lock. Taking it free costs one atomic exchange. A thread that finds it held queues
 * up; a running thread may overtake the queue's head a few times (handing over to a sleeping
 * thread for each device access would cost more than the access), after which the lock is handed
 * to the head directly. So neither the main loop nor a vCPU can be starved by another's
 * hammering. The contract is include/util/main-loop.h.
 */
#include <glib.h>
#include <pthread.h>

#include "util/main-loop.h"
#include "util/thread.h"

#define HELD    1u
#define WAITERS 2u

/* How often the head of the queue may be overtaken. */
#define OVERTAKE_LIMIT 4
/* Tries before going to sleep: most holders leave within a microsecond. */
#define SPINS 200

typedef struct Waiter {
    pthread_cond_t cond;
    bool granted;       /* the lock is ours */
    bool awake;         /* told to try again */
    unsigned overtaken;
    struct Waiter *next;
} Waiter;

/* There is one machine lock in the process. */
static struct {
    unsigned state;
    pthread_mutex_t queue_lock;     /* guards head and tail; taken after nothing */
    Waiter *head;
    Waiter *tail;
} lock = {.queue_lock = PTHREAD_MUTEX_INITIALIZER};

/* Whether this thread holds the lock. */
static __thread bool held_here;

static bool try_take(void)
{
    unsigned old = __atomic_load_n(&lock.state, __ATOMIC_RELAXED);

    return (old & HELD) == 0 &&
           __atomic_compare_exchange_n(&lock.state, &old, old | HELD, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* Queue lock held. */
static void pop_head(void)
{
    lock.head = lock.head->next;
    if (lock.head == NULL) {
        lock.tail = NULL;
        __atomic_and_fetch(&lock.state, ~WAITERS, __ATOMIC_RELAXED);
    }
}

static void wait_in_queue(void)
{
    Waiter self = {.cond = PTHREAD_COND_INITIALIZER};

    pthread_mutex_lock(&lock.queue_lock);
    if (lock.tail != NULL) {
        lock.tail->next = &self;
    } else {
        lock.head = &self;
    }
    lock.tail = &self;
    /* from here on nobody releases the lock without the queue lock */
    __atomic_or_fetch(&lock.state, WAITERS, __ATOMIC_SEQ_CST);
    self.awake = true;
    for (;;) {
        if (self.granted) {
            break;
        }
        if (lock.head == &self && try_take()) {
            pop_head();
            break;
        }
        self.awake = false;
        pthread_cond_wait(&self.cond, &lock.queue_lock);
    }
    pthread_mutex_unlock(&lock.queue_lock);
    pthread_cond_destroy(&self.cond);
}

static void wake_next(void)
{
    Waiter *w;

    pthread_mutex_lock(&lock.queue_lock);
    w = lock.head;
    if (w == NULL) {
        __atomic_and_fetch(&lock.state, ~HELD, __ATOMIC_RELEASE);
    } else if (++w->overtaken > OVERTAKE_LIMIT) {
        pop_head();
        w->granted = true;
        pthread_cond_signal(&w->cond);
    } else {
        __atomic_and_fetch(&lock.state, ~HELD, __ATOMIC_RELEASE);
        if (!w->awake) {
            w->awake = true;
            pthread_cond_signal(&w->cond);
        }
    }
    pthread_mutex_unlock(&lock.queue_lock);
}

void machine_lock(void)
{
    g_assert(!held_here);
    if (!try_take()) {
        unsigned spins = 0;

        while (spins < SPINS && !try_take()) {
            cpu_relax();
            spins++;
        }
        if (spins == SPINS) {
            wait_in_queue();
        }
    }
    held_here = true;
}

void machine_unlock(void)
{
    unsigned old = HELD;

    g_assert(held_here);
    held_here = false;
    if (!__atomic_compare_exchange_n(&lock.state, &old, 0, false, __ATOMIC_RELEASE,
                                     __ATOMIC_RELAXED)) {
        wake_next();
    }
}

bool machine_locked(void)
{
    return held_here;
}

/* Between giving up the machine lock and sleeping a waiter holds this; who notifies takes it. */
static pthread_mutex_t wait_lock = PTHREAD_MUTEX_INITIALIZER;

void machine_lock_wait(pthread_cond_t *c)
{
    pthread_mutex_lock(&wait_lock);
    machine_unlock();
    pthread_cond_wait(c, &wait_lock);
    pthread_mutex_unlock(&wait_lock);
    machine_lock();
}

void machine_lock_notify(pthread_cond_t *c)
{
    g_assert(held_here);
    pthread_mutex_lock(&wait_lock);
    pthread_cond_broadcast(c);
    pthread_mutex_unlock(&wait_lock);
}
