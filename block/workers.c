// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Worker threads for host calls that may block. They are made on demand, up to a limit, and end
 * after some idle seconds. Also the aio engine "threads", which is there on every host.
 */
#include <errno.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "block/node.h"
#include "util/iov.h"
#include "util/thread.h"

#define MAX_WORKERS 64
#define IDLE_SECONDS 10

typedef struct Job {
    int (*fn)(void *arg);
    void *arg;
    int ret;
    Coroutine *co;
    struct Job *next;
} Job;

/* One pool for the process; `lock` nests inside the machine lock. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    Job *head, *tail;
    unsigned workers, idle, waiting;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

static void run_job(Job *j)
{
    Coroutine *co = j->co;

    /* j lies on the coroutine's stack, which stays until it is woken */
    j->ret = j->fn(j->arg);
    coroutine_wake(co);
}

static void *worker_main(void *opaque)
{
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        if (!pool.head) {
            struct timespec until;
            int r;

            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_sec += IDLE_SECONDS;
            pool.idle++;
            r = pthread_cond_timedwait(&pool.more, &pool.lock, &until);
            pool.idle--;
            if (r == ETIMEDOUT && !pool.head) {
                break;
            }
            continue;
        }
        Job *j = pool.head;

        pool.head = j->next;
        pool.waiting--;
        pthread_mutex_unlock(&pool.lock);
        run_job(j);
        pthread_mutex_lock(&pool.lock);
    }
    pool.workers--;
    pthread_mutex_unlock(&pool.lock);
    return NULL;
}

/* pool.lock held. False: there is no thread at all to run anything. */
static bool add_worker(void)
{
    g_autoptr(GError) err = NULL;
    pthread_t thread;

    if (!thread_start(&thread, "worker", worker_main, NULL, &err)) {
        return pool.workers > 0;
    }
    pthread_detach(thread);
    pool.workers++;
    return true;
}

int co_in_worker(int (*fn)(void *arg), void *arg)
{
    Job j = { .fn = fn, .arg = arg, .co = coroutine_self() };
    bool queued = true;

    pthread_mutex_lock(&pool.lock);
    if (pool.waiting >= pool.idle && pool.workers < MAX_WORKERS) {
        queued = add_worker();
    }
    if (queued) {
        if (pool.head) {
            pool.tail->next = &j;
        } else {
            pool.head = &j;
        }
        pool.tail = &j;
        pool.waiting++;
        pthread_cond_signal(&pool.more);
    }
    pthread_mutex_unlock(&pool.lock);
    if (!queued) {
        return -EAGAIN;
    }
    co_yield();
    return j.ret;
}

/* ---- the engine ---- */

typedef struct Rw {
    int fd;
    bool write;
    uint64_t offset;
    const struct iovec *iov;
    unsigned niov;
    int64_t moved;
} Rw;

static int rw_work(void *arg)
{
    Rw *r = arg;
    unsigned n = MIN(r->niov, IOV_MAX);

    do {
        r->moved = r->write ? pwritev(r->fd, r->iov, n, r->offset)
                            : preadv(r->fd, r->iov, n, r->offset);
    } while (r->moved < 0 && errno == EINTR);
    return r->moved < 0 ? -errno : 0;
}

static int64_t threads_co_rw(int fd, bool write, uint64_t offset, const struct iovec *iov,
                             unsigned niov)
{
    Rw r = { fd, write, offset, iov, niov, 0 };
    int ret = co_in_worker(rw_work, &r);

    return ret < 0 ? ret : r.moved;
}

static int sync_work(void *arg)
{
    return fdatasync(*(int *)arg) < 0 ? -errno : 0;
}

static int threads_co_fdatasync(int fd)
{
    return co_in_worker(sync_work, &fd);
}

static bool threads_available(void)
{
    return true;
}

static const AioEngine threads_engine = {
    .name = "threads",
    .available = threads_available,
    .co_rw = threads_co_rw,
    .co_fdatasync = threads_co_fdatasync,
};
AIO_ENGINE(threads_engine);

extern const AioEngine *const __start_aio_engines[], *const __stop_aio_engines[];

const AioEngine *aio_engine_find(const char *name)
{
    for (const AioEngine *const *e = __start_aio_engines; e < __stop_aio_engines; e++) {
        if (g_str_equal((*e)->name, name)) {
            return (*e)->available() ? *e : NULL;
        }
    }
    return NULL;
}
