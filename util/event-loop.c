// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event loops: a glib context, polled here so that timeouts have nanoseconds and the machine lock
 * is free while we sleep; bottom halves; busy polling of I/O threads. The contract is
 * include/util/event-loop.h.
 */
#include "util/event-loop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/thread.h"
#include "util/timer.h"

#define FIRST_POLL_NS 4000

struct Bh {
    BhFn *fn;
    void *opaque;
    EventLoop *loop; /* changes only while it is not queued */
    bool queued; /* guarded by loop->lock */
    bool once; /* freed when it has run */
    Bh *next;
    Bh *prev;
};

typedef struct Look {
    EventLoopLook *fn;
    void *opaque;
} Look;

typedef struct Gathered {
    EventLoopGathered *fn;
    void *opaque;
} Gathered;

struct EventLoop {
    GMainContext *context;
    int wake_fd;
    int wake_wanted; /* atomic: somebody called event_loop_wake since the last poll */
    int sleeping; /* atomic: the loop is in or about to enter poll */
    GPollFD *fds;
    int fds_capacity;
    /* bottom halves that wait to run; `lock` nests inside every other lock */
    pthread_mutex_t lock;
    Bh *head;
    Bh *tail;
    unsigned len;
    /* of I/O threads; with the machine lock */
    bool running;
    int quit; /* atomic */
    uint64_t rounds;
    unsigned depth; /* nested rounds */
    int64_t poll_max_ns, poll_grow, poll_shrink;
    int64_t poll_ns; /* the loop's own */
    GArray *looks;
    GArray *gathered; /* machine lock */
    void *slots[LOOP_SLOTS];
    GDestroyNotify slot_free[LOOP_SLOTS];
};

/* The process has one main loop, and these others. */
static EventLoop main_loop = {.wake_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER};
static GPtrArray *others;
/* Somebody waits for a round of a loop to end; the condition that is told then. */
static unsigned syncing;
static pthread_cond_t round_ended = PTHREAD_COND_INITIALIZER;

/* The loop of this thread; NULL: none, or the main one. */
static __thread EventLoop *own;

/* A coroutine may go on in another thread: no thread-local address is kept across a switch. */
static __attribute__((noinline)) EventLoop *get_own(void)
{
    __asm__ volatile("");
    return own;
}

EventLoop *event_loop_main(void)
{
    return &main_loop;
}

EventLoop *event_loop_current(void)
{
    EventLoop *l = get_own();

    return l ? l : &main_loop;
}

bool event_loop_own(void)
{
    return get_own() != NULL;
}

GMainContext *event_loop_context(EventLoop *l)
{
    if (l == &main_loop && l->context == NULL) {
        l->context = g_main_context_default();
        l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        g_assert(l->wake_fd >= 0);
    }
    return l->context;
}

void event_loop_wake(EventLoop *l)
{
    __atomic_store_n(&l->wake_wanted, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&l->sleeping, __ATOMIC_SEQ_CST) &&
        __atomic_exchange_n(&l->sleeping, 0, __ATOMIC_SEQ_CST)) {
        int saved_errno = errno;
        uint64_t one = 1;
        ssize_t n = write(l->wake_fd, &one, sizeof(one));

        (void)n; /* full means that it is readable already */
        errno = saved_errno;
    }
}

/* ---- bottom halves ---- */

Bh *bh_new_in(EventLoop *l, BhFn *fn, void *opaque)
{
    Bh *bh = g_new0(Bh, 1);

    bh->fn = fn;
    bh->opaque = opaque;
    bh->loop = l;
    return bh;
}

Bh *bh_new(BhFn *fn, void *opaque)
{
    return bh_new_in(&main_loop, fn, opaque);
}

void bh_move(Bh *bh, EventLoop *l)
{
    g_assert(!bh->queued);
    bh->loop = l;
}

void bh_schedule(Bh *bh)
{
    EventLoop *l = bh->loop;

    pthread_mutex_lock(&l->lock);
    if (!bh->queued) {
        bh->queued = true;
        bh->next = NULL;
        bh->prev = l->tail;
        *(l->tail != NULL ? &l->tail->next : &l->head) = bh;
        l->tail = bh;
        l->len++;
    }
    pthread_mutex_unlock(&l->lock);
    event_loop_wake(l);
}

static void bh_unlink_locked(EventLoop *l, Bh *bh)
{
    *(bh->prev != NULL ? &bh->prev->next : &l->head) = bh->next;
    *(bh->next != NULL ? &bh->next->prev : &l->tail) = bh->prev;
    bh->queued = false;
    l->len--;
}

void bh_cancel(Bh *bh)
{
    EventLoop *l = bh->loop;

    pthread_mutex_lock(&l->lock);
    if (bh->queued) {
        bh_unlink_locked(l, bh);
    }
    pthread_mutex_unlock(&l->lock);
}

void bh_free(Bh *bh)
{
    if (bh != NULL) {
        bh_cancel(bh);
        g_free(bh);
    }
}

void main_loop_run_soon(BhFn *fn, void *opaque)
{
    Bh *bh = bh_new(fn, opaque);

    bh->once = true;
    bh_schedule(bh);
}

static Bh *bh_pop(EventLoop *l)
{
    Bh *bh;

    pthread_mutex_lock(&l->lock);
    bh = l->head;
    if (bh != NULL) {
        bh_unlink_locked(l, bh);
    }
    pthread_mutex_unlock(&l->lock);
    return bh;
}

/* Runs those that are queued now; one that schedules itself again waits for the next round. */
static void run_bhs(EventLoop *l)
{
    unsigned count = __atomic_load_n(&l->len, __ATOMIC_RELAXED);
    Bh *bh;

    while (count-- > 0 && (bh = bh_pop(l)) != NULL) {
        BhFn *fn = bh->fn;
        void *opaque = bh->opaque;

        if (bh->once) {
            g_free(bh);
        }
        fn(opaque);
    }
}

/* ---- looking before sleeping ---- */

void event_loop_set_polling(EventLoop *l, int64_t max_ns, int64_t grow, int64_t shrink)
{
    __atomic_store_n(&l->poll_max_ns, max_ns, __ATOMIC_RELAXED);
    l->poll_grow = grow;
    l->poll_shrink = shrink;
    event_loop_wake(l);
}

void event_loop_add_look(EventLoop *l, EventLoopLook *fn, void *opaque)
{
    Look look = {fn, opaque};

    pthread_mutex_lock(&l->lock);
    if (!l->looks) {
        l->looks = g_array_new(FALSE, FALSE, sizeof(Look));
    }
    g_array_append_val(l->looks, look);
    pthread_mutex_unlock(&l->lock);
}

void event_loop_remove_look(EventLoop *l, EventLoopLook *fn, void *opaque)
{
    pthread_mutex_lock(&l->lock);
    for (unsigned i = 0; l->looks && i < l->looks->len; i++) {
        const Look *look = &g_array_index(l->looks, Look, i);

        if (look->fn == fn && look->opaque == opaque) {
            g_array_remove_index(l->looks, i);
            break;
        }
    }
    pthread_mutex_unlock(&l->lock);
}

/* ---- what goes out before sleeping ---- */

bool event_loop_here(EventLoop *l)
{
    return l == event_loop_current() && (event_loop_own() || in_main_thread());
}

void event_loop_add_gathered(EventLoop *l, EventLoopGathered *fn, void *opaque)
{
    Gathered one = {fn, opaque};

    if (!l->gathered) {
        l->gathered = g_array_new(FALSE, FALSE, sizeof(Gathered));
    }
    g_array_append_val(l->gathered, one);
}

void event_loop_remove_gathered(EventLoop *l, EventLoopGathered *fn, void *opaque)
{
    for (unsigned i = 0; l->gathered && i < l->gathered->len; i++) {
        const Gathered *one = &g_array_index(l->gathered, Gathered, i);

        if (one->fn == fn && one->opaque == opaque) {
            g_array_remove_index(l->gathered, i);
            break;
        }
    }
}

static void send_gathered(EventLoop *l)
{
    for (unsigned i = 0; l->gathered && i < l->gathered->len; i++) {
        Gathered one = g_array_index(l->gathered, Gathered, i);

        one.fn(one.opaque);
    }
}

static bool anything_there(EventLoop *l)
{
    bool found = __atomic_load_n(&l->wake_wanted, __ATOMIC_RELAXED);

    if (!found) {
        pthread_mutex_lock(&l->lock);
        for (unsigned i = 0; !found && l->looks && i < l->looks->len; i++) {
            const Look *look = &g_array_index(l->looks, Look, i);

            found = look->fn(look->opaque);
        }
        pthread_mutex_unlock(&l->lock);
    }
    return found;
}

/* Looks for work without the machine lock; true when there is some. */
static bool look_around(EventLoop *l)
{
    int64_t end = clock_now_ns(CLOCK_RT) + l->poll_ns;

    do {
        if (anything_there(l)) {
            return true;
        }
        cpu_relax();
    } while (clock_now_ns(CLOCK_RT) < end);
    return false;
}

/* The loop has waited so long for work. */
static void adapt_polling(EventLoop *l, int64_t max_ns, int64_t waited_ns)
{
    if (waited_ns <= l->poll_ns) {
        return;
    }
    if (waited_ns > max_ns) {
        l->poll_ns = l->poll_shrink > 0 ? l->poll_ns / l->poll_shrink : 0;
        return;
    }
    if (l->poll_ns == 0) {
        l->poll_ns = FIRST_POLL_NS;
    } else if (l->poll_ns < max_ns) {
        int64_t grow = l->poll_grow > 0 ? l->poll_grow : 2;

        l->poll_ns = l->poll_ns > max_ns / grow ? max_ns : l->poll_ns * grow;
    }
    l->poll_ns = MIN(l->poll_ns, max_ns);
}

/* ---- polling ---- */

/* Fills l->fds from entry 1 on (0 is ours); returns their number. */
static int query_fds(EventLoop *l, int priority, int64_t *timeout_ns)
{
    int timeout_ms, count = 0;

    do {
        if (count >= l->fds_capacity) {
            l->fds_capacity = count + 16;
            l->fds = g_renew(GPollFD, l->fds, l->fds_capacity);
        }
        count = g_main_context_query(l->context, priority, &timeout_ms, l->fds + 1,
                                     l->fds_capacity - 1);
    } while (count >= l->fds_capacity);
    *timeout_ns = timeout_ms < 0 ? -1 : timeout_ms * 1000000LL;
    return count;
}

static int64_t shorter_timeout(int64_t a_ns, int64_t b_ns)
{
    if (a_ns < 0) {
        return b_ns;
    }
    return b_ns < 0 ? a_ns : MIN(a_ns, b_ns);
}

static void poll_fds(GPollFD *fds, int count, int64_t timeout_ns)
{
    struct timespec ts = {timeout_ns / NANOSECONDS_PER_SECOND, timeout_ns % NANOSECONDS_PER_SECOND};

    G_STATIC_ASSERT(sizeof(GPollFD) == sizeof(struct pollfd));
    if (ppoll((struct pollfd *)fds, count, timeout_ns < 0 ? NULL : &ts, NULL) <= 0) {
        for (int i = 0; i < count; i++) {
            fds[i].revents = 0;
        }
    }
}

/* Waits for events: machine lock held on entry and exit, dropped in between. */
static void wait_for_work(EventLoop *l, GPollFD *fds, int count, bool may_block, int64_t timeout_ns)
{
    int64_t max_ns = __atomic_load_n(&l->poll_max_ns, __ATOMIC_RELAXED), start = 0;

    if (may_block && max_ns > 0 && timeout_ns != 0) {
        start = clock_now_ns(CLOCK_RT);
        l->poll_ns = MIN(l->poll_ns, max_ns);
        machine_unlock();
        if (l->poll_ns > 0 && look_around(l)) {
            timeout_ns = 0;
        }
    }
    __atomic_store_n(&l->sleeping, 1, __ATOMIC_SEQ_CST);
    if (!may_block || __atomic_load_n(&l->wake_wanted, __ATOMIC_SEQ_CST)) {
        timeout_ns = 0;
    } else if (l == &main_loop) {
        timeout_ns = shorter_timeout(timeout_ns, timers_poll_timeout_ns());
    }
    if (start == 0) {
        machine_unlock();
    }
    poll_fds(fds, count, timeout_ns);
    __atomic_store_n(&l->sleeping, 0, __ATOMIC_SEQ_CST);
    if (start != 0) {
        adapt_polling(l, max_ns, clock_now_ns(CLOCK_RT) - start);
    }
    machine_lock();
    __atomic_store_n(&l->wake_wanted, 0, __ATOMIC_SEQ_CST);
}

void event_loop_iterate(EventLoop *l, bool may_block)
{
    int64_t timeout_ns;
    int priority, count, capacity;
    GPollFD *fds;

    l->depth++;
    send_gathered(l);
    g_main_context_prepare(l->context, &priority);
    count = query_fds(l, priority, &timeout_ns);
    /* a nested iteration gets its own array */
    fds = g_steal_pointer(&l->fds);
    capacity = l->fds_capacity;
    l->fds_capacity = 0;
    fds[0] = (GPollFD){.fd = l->wake_fd, .events = G_IO_IN};
    wait_for_work(l, fds, count + 1, may_block, timeout_ns);
    if (fds[0].revents != 0) {
        uint64_t drained;
        ssize_t n = read(l->wake_fd, &drained, sizeof(drained));

        (void)n;
    }

    if (g_main_context_check(l->context, priority, fds + 1, count)) {
        g_main_context_dispatch(l->context);
    }
    if (l->fds == NULL) {
        l->fds = fds;
        l->fds_capacity = capacity;
    } else {
        g_free(fds);
    }
    run_bhs(l);
    if (l == &main_loop) {
        timers_run();
    }
    if (--l->depth == 0) {
        l->rounds++;
        if (syncing) {
            machine_lock_notify(&round_ended);
        }
    }
}

/* ---- loops of other threads ---- */

EventLoop *event_loop_new(void)
{
    EventLoop *l = g_new0(EventLoop, 1);

    pthread_mutex_init(&l->lock, NULL);
    l->context = g_main_context_new();
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g_assert(l->wake_fd >= 0);
    return l;
}

void event_loop_run(EventLoop *l)
{
    own = l;
    g_main_context_acquire(l->context);
    g_main_context_push_thread_default(l->context);
    machine_lock();
    others = others ? others : g_ptr_array_new();
    g_ptr_array_add(others, l);
    l->running = true;
    while (!__atomic_load_n(&l->quit, __ATOMIC_SEQ_CST)) {
        event_loop_iterate(l, true);
    }
    l->running = false;
    g_ptr_array_remove(others, l);
    machine_lock_notify(&round_ended);
    machine_unlock();
    g_main_context_pop_thread_default(l->context);
    g_main_context_release(l->context);
    own = NULL;
}

void event_loop_quit(EventLoop *l)
{
    __atomic_store_n(&l->quit, 1, __ATOMIC_SEQ_CST);
    event_loop_wake(l);
}

void event_loop_free(EventLoop *l)
{
    for (unsigned i = 0; i < LOOP_SLOTS; i++) {
        if (l->slots[i] && l->slot_free[i]) {
            l->slot_free[i](l->slots[i]);
        }
    }
    if (l->looks) {
        g_array_unref(l->looks);
    }
    if (l->gathered) {
        g_array_unref(l->gathered);
    }
    g_main_context_unref(l->context);
    close(l->wake_fd);
    g_free(l->fds);
    pthread_mutex_destroy(&l->lock);
    g_free(l);
}

void event_loop_sync(EventLoop *l)
{
    uint64_t now = l->rounds;

    if (l == &main_loop || l == get_own()) {
        return;
    }
    syncing++;
    /* the round that runs may have begun before what was scheduled last: the next one has it */
    while (l->running && l->rounds - now < 2) {
        event_loop_wake(l);
        machine_lock_wait(&round_ended);
    }
    syncing--;
}

void event_loop_sync_all(void)
{
    for (unsigned i = 0; others && i < others->len; i++) {
        event_loop_sync(g_ptr_array_index(others, i));
    }
}

bool event_loop_unlock(void)
{
    if (!event_loop_own() || !machine_locked()) {
        return false;
    }
    machine_unlock();
    return true;
}

void event_loop_relock(bool unlocked)
{
    if (unlocked) {
        machine_lock();
    }
}

void *event_loop_slot(EventLoop *l, LoopSlot slot)
{
    return l->slots[slot];
}

void event_loop_set_slot(EventLoop *l, LoopSlot slot, void *p, GDestroyNotify free_fn)
{
    l->slots[slot] = p;
    l->slot_free[slot] = free_fn;
}
