// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The main loop: glib's default context, polled here so that timeouts have nanoseconds and the
 * machine lock is free while we sleep; and bottom halves. The contract is
 * include/util/main-loop.h.
 */
#include "util/main-loop.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "util/timer.h"

struct Bh {
    BhFn *fn;
    void *opaque;
    bool queued;        /* guarded by bhs.lock */
    bool once;          /* freed when it has run */
    Bh *next;
    Bh *prev;
};

/* The process has one main loop. */
static struct {
    GMainContext *context;
    pthread_t thread;
    int wake_fd;
    int wake_wanted;    /* atomic: somebody called main_loop_wake since the last poll */
    int sleeping;       /* atomic: the loop is in or about to enter poll */
    GPollFD *fds;
    int fds_capacity;
} loop = {.wake_fd = -1};

/* Bottom halves that wait to run; `lock` nests inside every other lock. */
static struct {
    pthread_mutex_t lock;
    Bh *head;
    Bh *tail;
    unsigned len;
} bhs = {.lock = PTHREAD_MUTEX_INITIALIZER};

void main_loop_init(void)
{
    if (loop.context == NULL) {
        loop.context = g_main_context_default();
        loop.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        g_assert(loop.wake_fd >= 0);
        g_main_context_acquire(loop.context);
        loop.thread = pthread_self();
        prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
        machine_lock();
    }
}

bool in_main_thread(void)
{
    return loop.context != NULL && pthread_equal(pthread_self(), loop.thread);
}

void main_loop_wake(void)
{
    __atomic_store_n(&loop.wake_wanted, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&loop.sleeping, __ATOMIC_SEQ_CST) &&
        __atomic_exchange_n(&loop.sleeping, 0, __ATOMIC_SEQ_CST)) {
        int saved_errno = errno;
        uint64_t one = 1;
        ssize_t n = write(loop.wake_fd, &one, sizeof(one));

        (void)n;    /* full means that it is readable already */
        errno = saved_errno;
    }
}

/* ---- bottom halves ---- */

Bh *bh_new(BhFn *fn, void *opaque)
{
    Bh *bh = g_new0(Bh, 1);

    bh->fn = fn;
    bh->opaque = opaque;
    return bh;
}

void bh_schedule(Bh *bh)
{
    pthread_mutex_lock(&bhs.lock);
    if (!bh->queued) {
        bh->queued = true;
        bh->next = NULL;
        bh->prev = bhs.tail;
        *(bhs.tail != NULL ? &bhs.tail->next : &bhs.head) = bh;
        bhs.tail = bh;
        bhs.len++;
    }
    pthread_mutex_unlock(&bhs.lock);
    main_loop_wake();
}

static void bh_unlink_locked(Bh *bh)
{
    *(bh->prev != NULL ? &bh->prev->next : &bhs.head) = bh->next;
    *(bh->next != NULL ? &bh->next->prev : &bhs.tail) = bh->prev;
    bh->queued = false;
    bhs.len--;
}

void bh_cancel(Bh *bh)
{
    pthread_mutex_lock(&bhs.lock);
    if (bh->queued) {
        bh_unlink_locked(bh);
    }
    pthread_mutex_unlock(&bhs.lock);
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

static Bh *bh_pop(void)
{
    Bh *bh;

    pthread_mutex_lock(&bhs.lock);
    bh = bhs.head;
    if (bh != NULL) {
        bh_unlink_locked(bh);
    }
    pthread_mutex_unlock(&bhs.lock);
    return bh;
}

/* Runs those that are queued now; one that schedules itself again waits for the next round. */
static void run_bhs(void)
{
    unsigned count = __atomic_load_n(&bhs.len, __ATOMIC_RELAXED);
    Bh *bh;

    while (count-- > 0 && (bh = bh_pop()) != NULL) {
        BhFn *fn = bh->fn;
        void *opaque = bh->opaque;

        if (bh->once) {
            g_free(bh);
        }
        fn(opaque);
    }
}

/* ---- polling ---- */

/* Fills loop.fds from entry 1 on (0 is ours); returns their number. */
static int query_fds(int priority, int64_t *timeout_ns)
{
    int timeout_ms, count = 0;

    do {
        if (count >= loop.fds_capacity) {
            loop.fds_capacity = count + 16;
            loop.fds = g_renew(GPollFD, loop.fds, loop.fds_capacity);
        }
        count = g_main_context_query(loop.context, priority, &timeout_ms, loop.fds + 1,
                                     loop.fds_capacity - 1);
    } while (count >= loop.fds_capacity);
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

/* Machine lock held on entry and exit, dropped in between. */
static void poll_fds(GPollFD *fds, int count, int64_t timeout_ns)
{
    struct timespec ts = {timeout_ns / NANOSECONDS_PER_SECOND,
                          timeout_ns % NANOSECONDS_PER_SECOND};

    G_STATIC_ASSERT(sizeof(GPollFD) == sizeof(struct pollfd));
    machine_unlock();
    if (ppoll((struct pollfd *)fds, count, timeout_ns < 0 ? NULL : &ts, NULL) <= 0) {
        for (int i = 0; i < count; i++) {
            fds[i].revents = 0;
        }
    }
    machine_lock();
}

void main_loop_iterate(bool may_block)
{
    int64_t timeout_ns;
    int priority, count, capacity;
    GPollFD *fds;

    g_main_context_prepare(loop.context, &priority);
    count = query_fds(priority, &timeout_ns);
    /* a nested iteration gets its own array */
    fds = g_steal_pointer(&loop.fds);
    capacity = loop.fds_capacity;
    loop.fds_capacity = 0;
    fds[0] = (GPollFD){.fd = loop.wake_fd, .events = G_IO_IN};

    __atomic_store_n(&loop.sleeping, 1, __ATOMIC_SEQ_CST);
    if (!may_block || __atomic_load_n(&loop.wake_wanted, __ATOMIC_SEQ_CST)) {
        timeout_ns = 0;
    } else {
        timeout_ns = shorter_timeout(timeout_ns, timers_poll_timeout_ns());
    }
    poll_fds(fds, count + 1, timeout_ns);
    __atomic_store_n(&loop.sleeping, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&loop.wake_wanted, 0, __ATOMIC_SEQ_CST);
    if (fds[0].revents != 0) {
        uint64_t drained;
        ssize_t n = read(loop.wake_fd, &drained, sizeof(drained));

        (void)n;
    }

    if (g_main_context_check(loop.context, priority, fds + 1, count)) {
        g_main_context_dispatch(loop.context);
    }
    if (loop.fds == NULL) {
        loop.fds = fds;
        loop.fds_capacity = capacity;
    } else {
        g_free(fds);
    }
    run_bhs();
    timers_run();
}

/* ---- file descriptors ---- */

typedef struct FdWatch {
    FdFn *fn;
    void *opaque;
} FdWatch;

static gboolean fd_watch_ready(int fd, GIOCondition events, gpointer data)
{
    FdWatch *w = data;

    return w->fn(fd, events, w->opaque);
}

unsigned fd_watch(int fd, GIOCondition events, FdFn *fn, void *opaque)
{
    FdWatch *w = g_new(FdWatch, 1);

    *w = (FdWatch){fn, opaque};
    return g_unix_fd_add_full(G_PRIORITY_DEFAULT, fd, events, fd_watch_ready, w, g_free);
}

void fd_unwatch(unsigned tag)
{
    if (tag != 0) {
        g_source_remove(tag);
    }
}
