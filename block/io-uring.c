// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The aio engine "io_uring": a ring for each event loop that does I/O, filled in its thread (that
 * of the main loop: by whoever holds the machine lock), emptied in the loop. A host that forbids
 * rings is noticed at the first use.
 */
#include <errno.h>
#include <liburing.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "block/node.h"
#include "util/event-loop.h"

#define RING_ENTRIES 256

typedef struct RingRequest {
    Coroutine *co;
    int res;
} RingRequest;

typedef struct Ring {
    struct io_uring ring;
    EventLoop *loop;
    int event_fd;
    unsigned watch;
    unsigned in_flight;
    bool gathered;          /* entries wait for the end of the round */
    CoQueue full;           /* wait for room */
} Ring;

/* What the main loop's ring told; machine lock. */
static bool tried, works;

/* Wakes who waits for what has ended; in the ring's loop. */
static bool ring_ready(int fd, GIOCondition events, void *opaque)
{
    Ring *r = opaque;
    struct io_uring_cqe *cqe;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));

    (void)n;
    while (io_uring_peek_cqe(&r->ring, &cqe) == 0) {
        RingRequest *q = io_uring_cqe_get_data(cqe);

        q->res = cqe->res;
        io_uring_cqe_seen(&r->ring, cqe);
        r->in_flight--;
        co_queue_wake_one(&r->full);
        coroutine_enter(q->co);
    }
    return true;
}

/* An I/O thread looks for work. */
static bool ring_has_work(void *opaque)
{
    return io_uring_cq_ready(&((Ring *)opaque)->ring) > 0;
}

static void ring_submit(Ring *r)
{
    /* nobody else fills the ring of an I/O thread */
    bool unlocked = r->loop == event_loop_current() && event_loop_unlock();
    int ret;

    do {
        ret = io_uring_submit(&r->ring);
    } while (ret == -EINTR || ret == -EAGAIN || ret == -EBUSY);
    event_loop_relock(unlocked);
}

static void ring_send_gathered(void *opaque)
{
    Ring *r = opaque;

    if (r->gathered) {
        r->gathered = false;
        ring_submit(r);
    }
}

static void ring_free(void *opaque)
{
    Ring *r = opaque;

    event_loop_remove_gathered(r->loop, ring_send_gathered, r);
    event_loop_remove_look(r->loop, ring_has_work, r);
    fd_unwatch(r->watch);
    io_uring_queue_exit(&r->ring);
    close(r->event_fd);
    g_free(r);
}

/* NULL: the host allows none. */
static Ring *ring_new(EventLoop *loop)
{
    Ring *r = g_new0(Ring, 1);

    r->loop = loop;
    if (io_uring_queue_init(RING_ENTRIES, &r->ring, IORING_SETUP_CLAMP) < 0) {
        g_free(r);
        return NULL;
    }
    r->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->event_fd < 0 || io_uring_register_eventfd(&r->ring, r->event_fd) < 0) {
        io_uring_queue_exit(&r->ring);
        g_free(r);
        return NULL;
    }
    r->watch = fd_watch(r->event_fd, G_IO_IN, ring_ready, r);
    event_loop_add_look(loop, ring_has_work, r);
    event_loop_add_gathered(loop, ring_send_gathered, r);
    event_loop_set_slot(loop, LOOP_SLOT_URING, r, ring_free);
    return r;
}

static bool ring_available(void)
{
    if (!tried) {
        tried = true;
        works = ring_new(event_loop_main()) != NULL;
    }
    return works;
}

/* The ring of the loop that we run in; that of the main loop when it has none. */
static Ring *ring_here(void)
{
    EventLoop *l = event_loop_current();
    Ring *r = event_loop_slot(l, LOOP_SLOT_URING);

    r = r ? r : ring_new(l);
    return r ? r : event_loop_slot(event_loop_main(), LOOP_SLOT_URING);
}

/* A free entry; waits while the ring is full. */
static struct io_uring_sqe *co_ring_entry(Ring *r)
{
    struct io_uring_sqe *sqe;

    while (r->in_flight >= RING_ENTRIES || !(sqe = io_uring_get_sqe(&r->ring))) {
        co_queue_wait(&r->full, NULL);
    }
    return sqe;
}

static int co_ring_submit(Ring *r, struct io_uring_sqe *sqe)
{
    RingRequest q = { .co = coroutine_self() };

    io_uring_sqe_set_data(sqe, &q);
    r->in_flight++;
    /* requests of a round go to the kernel by one call; who is no loop's thread does not wait */
    if (event_loop_here(r->loop)) {
        r->gathered = true;
    } else {
        ring_submit(r);
    }
    co_yield();
    return q.res;
}

static int64_t ring_co_rw(int fd, bool write, uint64_t offset, const struct iovec *iov,
                          unsigned niov, JobLine *line)
{
    Ring *r = ring_here();
    struct io_uring_sqe *sqe = co_ring_entry(r);

    if (write) {
        io_uring_prep_writev(sqe, fd, iov, niov, offset);
    } else {
        io_uring_prep_readv(sqe, fd, iov, niov, offset);
    }
    return co_ring_submit(r, sqe);
}

static int ring_co_fdatasync(int fd)
{
    Ring *r = ring_here();
    struct io_uring_sqe *sqe = co_ring_entry(r);

    io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
    return co_ring_submit(r, sqe);
}

static const AioEngine ring_engine = {
    .name = "io_uring",
    .available = ring_available,
    .co_rw = ring_co_rw,
    .co_fdatasync = ring_co_fdatasync,
};
AIO_ENGINE(ring_engine);
