// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Coroutines: stacks with a guard page below, kept in a pool; entering, yielding, waking. The
 * contract is include/util/coroutine.h.
 */
#include "util/coroutine.h"

#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/coroutine-switch.h"
#include "util/event-loop.h"

#define STACK_SIZE 0x40000
/* Finished coroutines that are kept for the next ones. */
#define POOL_LIMIT 64

struct Coroutine {
    CoroutineFn *fn;
    void *opaque;
    StackContext here;          /* while it does not run */
    StackContext caller_context;
    Coroutine *caller;          /* who entered it; NULL for code outside of coroutines */
    Coroutine *next;            /* in a CoQueue or in the pool */
    Bh *wake_bh;
    EventLoop *home;            /* whose loop it goes on in when it is woken */
    void *stack;                /* above the guard page */
    void *fake_stack;           /* for the address sanitizer */
    const void *caller_bottom;
    size_t caller_size;
    bool running;               /* entered and not yet yielded */
    bool finished;
};

/* The coroutine that this thread runs. */
static __thread Coroutine *current;

/* Finished coroutines with their stacks; used with the machine lock held. */
static Coroutine *pool;
static unsigned pool_len;

/* ---- stacks ---- */

static void coroutine_loop(void);
static void wake_run(void *opaque);

static Coroutine *coroutine_make(void)
{
    Coroutine *co = g_new0(Coroutine, 1);
    size_t guard = sysconf(_SC_PAGESIZE);
    char *map = mmap(NULL, STACK_SIZE + guard, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

    if (map == MAP_FAILED || mprotect(map, guard, PROT_NONE) != 0) {
        g_error("no memory for a coroutine's stack");
    }
    co->stack = map + guard;
    co->wake_bh = bh_new(wake_run, co);
    co->home = event_loop_main();
    stack_context_make(&co->here, co->stack, STACK_SIZE, coroutine_loop);
    return co;
}

static void coroutine_destroy(Coroutine *co)
{
    size_t guard = sysconf(_SC_PAGESIZE);

    bh_free(co->wake_bh);
    stack_context_release(&co->here);
    stack_context_release(&co->caller_context);
    munmap((char *)co->stack - guard, STACK_SIZE + guard);
    g_free(co);
}

static void coroutine_put(Coroutine *co)
{
    bh_cancel(co->wake_bh);
    if (pool_len == POOL_LIMIT) {
        coroutine_destroy(co);
        return;
    }
    co->next = pool;
    pool = co;
    pool_len++;
}

Coroutine *coroutine_new(CoroutineFn *fn, void *opaque)
{
    return coroutine_new_in(event_loop_current(), fn, opaque);
}

Coroutine *coroutine_new_in(EventLoop *home, CoroutineFn *fn, void *opaque)
{
    Coroutine *co = pool;

    if (co != NULL) {
        pool = co->next;
        pool_len--;
        co->next = NULL;
        co->finished = false;
    } else {
        co = coroutine_make();
    }
    if (co->home != home) {
        co->home = home;
        bh_move(co->wake_bh, home);
    }
    co->fn = fn;
    co->opaque = opaque;
    return co;
}

/* ---- entering and leaving ---- */

/* A coroutine may go on in another thread: no thread-local address is kept across a switch. */
static __attribute__((noinline)) Coroutine *get_current(void)
{
    __asm__ volatile("");
    return current;
}

static __attribute__((noinline)) void set_current(Coroutine *co)
{
    __asm__ volatile("");
    current = co;
}

Coroutine *coroutine_self(void)
{
    return get_current();
}

void coroutine_enter(Coroutine *co)
{
    void *fake_stack = NULL;

    g_assert(!co->running && !co->finished);
    co->running = true;
    co->caller = get_current();
    set_current(co);
    fiber_leave(&fake_stack, co->stack, STACK_SIZE);
    stack_context_switch(&co->caller_context, &co->here);
    fiber_arrive(fake_stack, NULL, NULL);
    set_current(co->caller);
    if (co->finished) {
        coroutine_put(co);
    }
}

/* Switches from co, the running coroutine, to who entered it. */
static void switch_to_caller(Coroutine *co)
{
    co->running = false;
    fiber_leave(&co->fake_stack, co->caller_bottom, co->caller_size);
    stack_context_switch(&co->here, &co->caller_context);
    fiber_arrive(co->fake_stack, &co->caller_bottom, &co->caller_size);
}

/* The bottom of each coroutine's stack: runs one function after another. */
static void coroutine_loop(void)
{
    Coroutine *co = get_current();

    fiber_arrive(NULL, &co->caller_bottom, &co->caller_size);
    for (;;) {
        co->fn(co->opaque);
        co->finished = true;
        switch_to_caller(co);
    }
}

void co_yield(void)
{
    Coroutine *co = get_current();

    g_assert(co != NULL);
    switch_to_caller(co);
}

void coroutine_start(CoroutineFn *fn, void *opaque)
{
    coroutine_enter(coroutine_new(fn, opaque));
}

static void wake_run(void *opaque)
{
    coroutine_enter(opaque);
}

void coroutine_wake(Coroutine *co)
{
    bh_schedule(co->wake_bh);
}

void co_move_to(EventLoop *home)
{
    Coroutine *co = coroutine_self();

    if (co->home != home) {
        co->home = home;
        bh_move(co->wake_bh, home);
    }
    if (event_loop_current() != home) {
        co_reschedule();
    }
}

EventLoop *coroutine_home(const Coroutine *co)
{
    return co->home;
}

void co_reschedule(void)
{
    coroutine_wake(coroutine_self());
    co_yield();
}

/* Timers run in the main loop. */
static void wake_by_timer(void *opaque)
{
    Coroutine *co = opaque;

    if (co->home == event_loop_main()) {
        coroutine_enter(co);
    } else {
        coroutine_wake(co);
    }
}

void co_sleep_ns(TimerClock clock, int64_t ns)
{
    Timer timer;

    timer_init(&timer, clock, wake_by_timer, coroutine_self());
    timer_set_ns(&timer, clock_now_ns(clock) + ns);
    co_yield();
    timer_cancel(&timer);
}

/* ---- waiting for each other ---- */

static void queue_append(CoQueue *q, Coroutine *co)
{
    co->next = NULL;
    *(q->tail != NULL ? &q->tail->next : &q->head) = co;
    q->tail = co;
}

static Coroutine *queue_pop(CoQueue *q)
{
    Coroutine *co = q->head;

    if (co != NULL) {
        q->head = co->next;
        if (q->head == NULL) {
            q->tail = NULL;
        }
        co->next = NULL;
    }
    return co;
}

void co_mutex_lock(CoMutex *m)
{
    if (!m->locked) {
        m->locked = true;
        return;
    }
    queue_append(&m->waiters, coroutine_self());
    co_yield();    /* the lock is handed over to us */
}

void co_mutex_unlock(CoMutex *m)
{
    Coroutine *co = queue_pop(&m->waiters);

    g_assert(m->locked);
    if (co != NULL) {
        coroutine_wake(co);
    } else {
        m->locked = false;
    }
}

void co_queue_wait(CoQueue *q, CoMutex *m)
{
    queue_append(q, coroutine_self());
    if (m != NULL) {
        co_mutex_unlock(m);
    }
    co_yield();
    if (m != NULL) {
        co_mutex_lock(m);
    }
}

bool co_queue_wake_one(CoQueue *q)
{
    Coroutine *co = queue_pop(q);

    if (co != NULL) {
        coroutine_wake(co);
    }
    return co != NULL;
}

void co_queue_wake_all(CoQueue *q)
{
    while (co_queue_wake_one(q)) {
    }
}
