// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Worker threads for host calls that may block. They are made on demand, up to a limit, and end
 * after some idle seconds. Also the aio engine "threads", which is there on every host.
 */
#include <errno.h>
#include <limits.h>
#include <semaphore.h>
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
    JobLine *line;              /* whose turn it is; NULL: none's */
    struct Job *next;
} Job;

/* A thread that waits for its next job; on its own stack. */
typedef struct Worker {
    sem_t wake;
    Job *job;
    struct Worker *next;
} Worker;

/*
 * One pool for the process; `lock` nests inside the machine lock. Who is idle waits for a semaphore
 * of its own and finds its job in its Worker, so that nobody who wakes up wants the lock. They take
 * turns: on a busy host a thread that slept gets a processor at once, one that has just run waits
 * for everybody else's slice.
 */
static struct {
    pthread_mutex_t lock;
    Job *head, *tail;
    Worker *idle, *idle_tail;
    unsigned workers;
    bool run_inline;            /* machine lock */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The next of the line, which stays taken as long as there is one. */
static Job *next_in_line(JobLine *line)
{
    Job *j;

    pthread_mutex_lock(&pool.lock);
    j = line->head;
    if (j) {
        line->head = j->next;
    }
    line->busy = j != NULL;
    pthread_mutex_unlock(&pool.lock);
    return j;
}

/* j and all that wait in its line. */
static void run_job(Job *j)
{
    while (j) {
        Coroutine *co = j->co;
        Job *next;

        /* j and its line live until the coroutine is woken, on whose stack j lies */
        j->ret = j->fn(j->arg);
        next = j->line ? next_in_line(j->line) : NULL;
        coroutine_wake(co);
        j = next;
    }
}

/* Out of the idle ones, unless it has got a job meanwhile. pool.lock held. */
static bool leave_idle(Worker *w)
{
    Worker *before = NULL;

    for (Worker *i = pool.idle; i; before = i, i = i->next) {
        if (i == w) {
            *(before ? &before->next : &pool.idle) = w->next;
            pool.idle_tail = w->next ? pool.idle_tail : before;
            return true;
        }
    }
    return false;
}

/* Waits for a job; NULL after some idle seconds. pool.lock held, and dropped. */
static Job *wait_for_job(Worker *w)
{
    struct timespec until;
    int ret;

    w->next = NULL;
    *(pool.idle ? &pool.idle_tail->next : &pool.idle) = w;
    pool.idle_tail = w;
    pthread_mutex_unlock(&pool.lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += IDLE_SECONDS;
    do {
        ret = sem_timedwait(&w->wake, &until);
    } while (ret < 0 && errno == EINTR);
    if (ret < 0) {
        bool left;

        pthread_mutex_lock(&pool.lock);
        left = leave_idle(w);
        pool.workers -= left;
        pthread_mutex_unlock(&pool.lock);
        if (left) {
            return NULL;
        }
        /* it was given a job just now: the post is on its way */
        while (sem_wait(&w->wake) < 0) {
        }
    }
    return w->job;
}

static void *worker_main(void *opaque)
{
    Worker self = { .job = NULL };
    Job *j;

    sem_init(&self.wake, 0, 0);
    do {
        pthread_mutex_lock(&pool.lock);
        j = pool.head;
        if (j) {
            pool.head = j->next;
            pthread_mutex_unlock(&pool.lock);
        } else {
            j = wait_for_job(&self);
        }
        if (j) {
            run_job(j);
        }
    } while (j);
    sem_destroy(&self.wake);
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

bool workers_set_inline(bool on)
{
    bool was = pool.run_inline;

    pool.run_inline = on;
    return was;
}

/* Hands j to an idle worker, which is returned to be woken, or puts it where one will find it. */
static Worker *hand_over_locked(Job *j, bool *taken)
{
    Worker *w = pool.idle;

    if (w) {
        pool.idle = w->next;
        w->job = j;
        return w;
    }
    *taken = pool.workers >= MAX_WORKERS || add_worker();
    if (*taken) {
        *(pool.head ? &pool.tail->next : &pool.head) = j;
        pool.tail = j;
    }
    return NULL;
}

int co_in_worker_line(JobLine *line, int (*fn)(void *arg), void *arg)
{
    Job j = { .fn = fn, .arg = arg, .co = coroutine_self(), .line = line };
    bool taken = true;
    Worker *w = NULL;

    if (pool.run_inline) {
        return fn(arg);
    }
    pthread_mutex_lock(&pool.lock);
    if (line && line->busy) {
        *(line->head ? &line->tail->next : &line->head) = &j;
        line->tail = &j;
    } else {
        w = hand_over_locked(&j, &taken);
        if (line) {
            line->busy = taken;
        }
    }
    pthread_mutex_unlock(&pool.lock);
    if (w) {
        sem_post(&w->wake);
    }
    if (!taken) {
        return -EAGAIN;
    }
    co_yield();
    return j.ret;
}

int co_in_worker(int (*fn)(void *arg), void *arg)
{
    return co_in_worker_line(NULL, fn, arg);
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
                             unsigned niov, JobLine *line)
{
    Rw r = { fd, write, offset, iov, niov, 0 };
    int ret = co_in_worker_line(line, rw_work, &r);

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
