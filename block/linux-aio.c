// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The aio engine "native": the kernel's asynchronous I/O by its own calls (linux/aio_abi.h), for
 * files opened with O_DIRECT. One context for each event loop that does I/O, filled by whoever
 * holds the machine lock, emptied in the loop when its eventfd shows that something has ended.
 * Requests that do not fit wait in order.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "block/node.h"
#include "util/event-loop.h"

#define MAX_REQUESTS 256u

typedef struct AioRequest {
    struct iocb cb;
    Coroutine *co;
    int64_t res;
    bool refused;           /* the kernel did not take it, for the reason in res */
} AioRequest;

typedef struct Native {
    aio_context_t context;
    int event_fd;
    unsigned watch;
    EventLoop *loop;
    unsigned in_flight, gathered;
    struct iocb *out[MAX_REQUESTS]; /* the gathered ones, which wait for the end of the round */
    CoQueue full;           /* wait for room */
} Native;

/* What the main loop's told; machine lock. */
static bool tried, works;

/* Wakes who waits for what has ended; in the loop. */
static bool native_ready(int fd, GIOCondition events, void *opaque)
{
    Native *s = opaque;
    struct io_event ended[64];
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));
    long got;

    (void)n;
    do {
        struct timespec now = { 0 };

        got = syscall(SYS_io_getevents, s->context, 0L, (long)ARRAY_COUNT(ended), ended, &now);
        for (long i = 0; i < got; i++) {
            AioRequest *r = (AioRequest *)(uintptr_t)ended[i].data;

            r->res = ended[i].res;
            s->in_flight--;
            co_queue_wake_one(&s->full);
            coroutine_wake(r->co);
        }
    } while (got == (long)ARRAY_COUNT(ended) || (got < 0 && errno == EINTR));
    return true;
}

/* Hands requests to the kernel; those that it refuses end with its error. */
static void native_submit(Native *s, struct iocb **out, unsigned n)
{
    /* nobody else uses the context of an I/O thread */
    bool unlocked = s->loop == event_loop_current() && event_loop_unlock();

    while (n > 0) {
        long ret = syscall(SYS_io_submit, s->context, (long)n, out);

        if (ret > 0) {
            out += ret;
            n -= (unsigned)ret;
        } else if (ret == 0 || errno != EINTR) {
            AioRequest *r = (AioRequest *)(uintptr_t)out[0]->aio_data;

            r->res = ret == 0 ? -EAGAIN : -errno;
            r->refused = true;
            out++;
            n--;
        }
    }
    event_loop_relock(unlocked);
}

static void native_send_gathered(void *opaque)
{
    Native *s = opaque;
    unsigned n = s->gathered, refused = 0;
    AioRequest *r;

    s->gathered = 0;
    if (n == 0) {
        return;
    }
    native_submit(s, s->out, n);
    for (unsigned i = 0; i < n; i++) {
        r = (AioRequest *)(uintptr_t)s->out[i]->aio_data;
        if (r->refused) {
            refused++;
            co_queue_wake_one(&s->full);
            coroutine_wake(r->co);
        }
    }
    s->in_flight -= refused;
}

static void native_free(void *opaque)
{
    Native *s = opaque;

    event_loop_remove_gathered(s->loop, native_send_gathered, s);
    fd_unwatch(s->watch);
    syscall(SYS_io_destroy, s->context);
    close(s->event_fd);
    g_free(s);
}

static Native *native_new(EventLoop *loop)
{
    Native *s = g_new0(Native, 1);

    s->loop = loop;
    if (syscall(SYS_io_setup, MAX_REQUESTS, &s->context) < 0) {
        g_free(s);
        return NULL;
    }
    s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->event_fd < 0) {
        syscall(SYS_io_destroy, s->context);
        g_free(s);
        return NULL;
    }
    s->watch = fd_watch(s->event_fd, G_IO_IN, native_ready, s);
    event_loop_add_gathered(loop, native_send_gathered, s);
    event_loop_set_slot(loop, LOOP_SLOT_NATIVE, s, native_free);
    return s;
}

static bool native_available(void)
{
    if (!tried) {
        tried = true;
        works = native_new(event_loop_main()) != NULL;
    }
    return works;
}

/* That of the loop we run in; that of the main loop when it has none. */
static Native *native_here(void)
{
    EventLoop *l = event_loop_current();
    Native *s = event_loop_slot(l, LOOP_SLOT_NATIVE);

    s = s ? s : native_new(l);
    return s ? s : event_loop_slot(event_loop_main(), LOOP_SLOT_NATIVE);
}

static int64_t native_co_rw(int fd, bool write, uint64_t offset, const struct iovec *iov,
                            unsigned niov, JobLine *line)
{
    Native *s = native_here();
    AioRequest r = {
        .co = coroutine_self(),
        .cb = {.aio_data = (uintptr_t)&r,
               .aio_lio_opcode = write ? IOCB_CMD_PWRITEV : IOCB_CMD_PREADV,
               .aio_fildes = (uint32_t)fd,
               .aio_buf = (uintptr_t)iov,
               .aio_nbytes = niov,
               .aio_offset = (int64_t)offset,
               .aio_flags = IOCB_FLAG_RESFD,
               .aio_resfd = (uint32_t)s->event_fd},
    };
    struct iocb *list = &r.cb;

    while (s->in_flight >= MAX_REQUESTS) {
        co_queue_wait(&s->full, NULL);
    }
    s->in_flight++;
    /* requests of a round go to the kernel by one call; who is no loop's thread does not wait */
    if (event_loop_here(s->loop)) {
        s->out[s->gathered++] = list;
    } else {
        native_submit(s, &list, 1);
        if (r.refused) {
            s->in_flight--;
            return r.res;
        }
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
