// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The aio engine "io_uring": one ring for the process, filled by whoever holds the machine lock,
 * emptied in the main loop. A host that forbids rings is noticed at the first use.
 */
#include <errno.h>
#include <liburing.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "block/node.h"
#include "util/main-loop.h"

#define RING_ENTRIES 256

typedef struct RingRequest {
    Coroutine *co;
    int res;
} RingRequest;

/* One per process, guarded by the machine lock. */
static struct {
    struct io_uring ring;
    int event_fd;
    bool tried, works;
    unsigned in_flight;
    CoQueue full;           /* wait for room */
} uring;

/* Main loop: wakes who waits for what has ended. */
static bool ring_ready(int fd, GIOCondition events, void *opaque)
{
    struct io_uring_cqe *cqe;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));

    (void)n;
    while (io_uring_peek_cqe(&uring.ring, &cqe) == 0) {
        RingRequest *r = io_uring_cqe_get_data(cqe);

        r->res = cqe->res;
        io_uring_cqe_seen(&uring.ring, cqe);
        uring.in_flight--;
        co_queue_wake_one(&uring.full);
        coroutine_enter(r->co);
    }
    return true;
}

static bool ring_available(void)
{
    if (uring.tried) {
        return uring.works;
    }
    uring.tried = true;
    if (io_uring_queue_init(RING_ENTRIES, &uring.ring, IORING_SETUP_CLAMP) < 0) {
        return false;
    }
    uring.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (uring.event_fd < 0 || io_uring_register_eventfd(&uring.ring, uring.event_fd) < 0) {
        io_uring_queue_exit(&uring.ring);
        return false;
    }
    fd_watch(uring.event_fd, G_IO_IN, ring_ready, NULL);
    uring.works = true;
    return true;
}

/* A free entry; waits while the ring is full. */
static struct io_uring_sqe *co_ring_entry(void)
{
    struct io_uring_sqe *sqe;

    while (uring.in_flight >= RING_ENTRIES || !(sqe = io_uring_get_sqe(&uring.ring))) {
        co_queue_wait(&uring.full, NULL);
    }
    return sqe;
}

static int co_ring_submit(struct io_uring_sqe *sqe)
{
    RingRequest r = { .co = coroutine_self() };
    int ret;

    io_uring_sqe_set_data(sqe, &r);
    uring.in_flight++;
    do {
        ret = io_uring_submit(&uring.ring);
    } while (ret == -EINTR || ret == -EAGAIN || ret == -EBUSY);
    co_yield();
    return r.res;
}

static int64_t ring_co_rw(int fd, bool write, uint64_t offset, const struct iovec *iov,
                          unsigned niov)
{
    struct io_uring_sqe *sqe = co_ring_entry();

    if (write) {
        io_uring_prep_writev(sqe, fd, iov, niov, offset);
    } else {
        io_uring_prep_readv(sqe, fd, iov, niov, offset);
    }
    return co_ring_submit(sqe);
}

static int ring_co_fdatasync(int fd)
{
    struct io_uring_sqe *sqe = co_ring_entry();

    io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
    return co_ring_submit(sqe);
}

static const AioEngine ring_engine = {
    .name = "io_uring",
    .available = ring_available,
    .co_rw = ring_co_rw,
    .co_fdatasync = ring_co_fdatasync,
};
AIO_ENGINE(ring_engine);
