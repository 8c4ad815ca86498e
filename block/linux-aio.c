// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The aio engine "native": the kernel's asynchronous I/O by its own calls (linux/aio_abi.h), for
 * files opened with O_DIRECT. One context for the process, filled by whoever holds the machine
 * lock, emptied in the main loop when its eventfd shows that something has ended. Requests that do
 * not fit wait in order.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "block/node.h"
#include "util/main-loop.h"

#define MAX_REQUESTS 256u

typedef struct AioRequest {
    struct iocb cb;
    Coroutine *co;
    int64_t res;
} AioRequest;

/* One per process, guarded by the machine lock. */
static struct {
    aio_context_t context;
    int event_fd;
    bool tried, works;
    unsigned in_flight;
    CoQueue full;           /* wait for room */
} native;

/* Main loop: wakes who waits for what has ended. */
static bool native_ready(int fd, GIOCondition events, void *opaque)
{
    struct io_event ended[64];
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));
    long got;

    (void)n;
    do {
        struct timespec now = { 0 };

        got = syscall(SYS_io_getevents, native.context, 0L, (long)ARRAY_COUNT(ended), ended, &now);
        for (long i = 0; i < got; i++) {
            AioRequest *r = (AioRequest *)(uintptr_t)ended[i].data;

            r->res = ended[i].res;
            native.in_flight--;
            co_queue_wake_one(&native.full);
            coroutine_wake(r->co);
        }
    } while (got == (long)ARRAY_COUNT(ended) || (got < 0 && errno == EINTR));
    return true;
}

static bool native_available(void)
{
    if (native.tried) {
        return native.works;
    }
    native.tried = true;
    if (syscall(SYS_io_setup, MAX_REQUESTS, &native.context) < 0) {
        return false;
    }
    native.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (native.event_fd < 0) {
        syscall(SYS_io_destroy, native.context);
        return false;
    }
    fd_watch(native.event_fd, G_IO_IN, native_ready, NULL);
    native.works = true;
    return true;
}

static int64_t native_co_rw(int fd, bool write, uint64_t offset, const struct iovec *iov,
                            unsigned niov)
{
    AioRequest r = {
        .co = coroutine_self(),
        .cb = {.aio_data = (uintptr_t)&r,
               .aio_lio_opcode = write ? IOCB_CMD_PWRITEV : IOCB_CMD_PREADV,
               .aio_fildes = (uint32_t)fd,
               .aio_buf = (uintptr_t)iov,
               .aio_nbytes = niov,
               .aio_offset = (int64_t)offset,
               .aio_flags = IOCB_FLAG_RESFD,
               .aio_resfd = (uint32_t)native.event_fd},
    };
    struct iocb *list = &r.cb;
    long ret;

    while (native.in_flight >= MAX_REQUESTS) {
        co_queue_wait(&native.full, NULL);
    }
    native.in_flight++;
    do {
        ret = syscall(SYS_io_submit, native.context, 1L, &list);
    } while (ret < 0 && errno == EINTR);
    if (ret != 1) {
        native.in_flight--;
        return ret < 0 ? -errno : -EAGAIN;
    }
    co_yield();
    return r.res;
}

/* The kernel's own asynchronous flush is missing in some file systems, so that a worker does it. */
static int native_co_fdatasync(int fd)
{
    return aio_engine_find("threads")->co_fdatasync(fd);
}

static const AioEngine native_engine = {
    .name = "native",
    .available = native_available,
    .co_rw = native_co_rw,
    .co_fdatasync = native_co_fdatasync,
};
AIO_ENGINE(native_engine);
