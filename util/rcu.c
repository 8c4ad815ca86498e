// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Read-copy-update by epochs: a reader notes the epoch in which its section began; a writer starts
 * a new epoch and waits until no reader is left in an older one.
 */
#include "util/rcu.h"

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Reader {
    _Atomic uint64_t epoch;            /* 0: not in a section */
    unsigned depth;
    bool registered;
    struct Reader *next, **link;
} Reader;

typedef struct Deferred {
    void (*fn)(void *p);
    void *p;
    struct Deferred *next;
} Deferred;

static _Thread_local Reader self;

/* One RCU domain for the process. */
static struct {
    pthread_mutex_t lock;              /* readers' list; one writer at a time */
    Reader *readers;
    _Atomic uint64_t epoch;
    pthread_mutex_t call_lock;
    pthread_cond_t call_cond;
    Deferred *calls, **calls_end;
    bool thread_runs;
    pthread_once_t once;
    pthread_key_t key;                 /* its destructor takes an ending thread out of the list */
} rcu = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .epoch = 1,
    .call_lock = PTHREAD_MUTEX_INITIALIZER,
    .call_cond = PTHREAD_COND_INITIALIZER,
    .once = PTHREAD_ONCE_INIT,
};

static void reader_gone(void *opaque)
{
    Reader *r = opaque;

    pthread_mutex_lock(&rcu.lock);
    *r->link = r->next;
    if (r->next) {
        r->next->link = r->link;
    }
    pthread_mutex_unlock(&rcu.lock);
}

static void make_key(void)
{
    pthread_key_create(&rcu.key, reader_gone);
}

static void reader_register(Reader *r)
{
    pthread_once(&rcu.once, make_key);
    pthread_mutex_lock(&rcu.lock);
    r->next = rcu.readers;
    r->link = &rcu.readers;
    if (r->next) {
        r->next->link = &r->next;
    }
    rcu.readers = r;
    r->registered = true;
    pthread_mutex_unlock(&rcu.lock);
    pthread_setspecific(rcu.key, r);
}

void rcu_read_lock(void)
{
    Reader *r = &self;

    if (r->depth++ > 0) {
        return;
    }
    if (!r->registered) {
        reader_register(r);
    }
    atomic_store(&r->epoch, atomic_load_explicit(&rcu.epoch, memory_order_relaxed));
}

void rcu_read_unlock(void)
{
    Reader *r = &self;

    g_assert(r->depth > 0);
    if (--r->depth == 0) {
        atomic_store_explicit(&r->epoch, 0, memory_order_release);
    }
}

void rcu_synchronize(void)
{
    g_assert(self.depth == 0);
    pthread_mutex_lock(&rcu.lock);
    uint64_t now = atomic_fetch_add(&rcu.epoch, 1) + 1;
    for (Reader *r = rcu.readers; r;) {
        uint64_t e = atomic_load(&r->epoch);
        if (e == 0 || e >= now) {
            r = r->next;
            continue;
        }
        /* Let threads come and go meanwhile; then look at all of them again. */
        pthread_mutex_unlock(&rcu.lock);
        g_usleep(200);
        pthread_mutex_lock(&rcu.lock);
        r = rcu.readers;
    }
    pthread_mutex_unlock(&rcu.lock);
}

static void *call_thread(void *opaque)
{
    pthread_mutex_lock(&rcu.call_lock);
    for (;;) {
        while (!rcu.calls) {
            pthread_cond_wait(&rcu.call_cond, &rcu.call_lock);
        }
        Deferred *d = rcu.calls;
        rcu.calls = NULL;
        pthread_mutex_unlock(&rcu.call_lock);
        rcu_synchronize();
        while (d) {
            Deferred *next = d->next;
            d->fn(d->p);
            g_free(d);
            d = next;
        }
        pthread_mutex_lock(&rcu.call_lock);
    }
    return NULL;
}

void rcu_call(void (*fn)(void *p), void *p)
{
    Deferred *d = g_new0(Deferred, 1);
    pthread_t t;

    d->fn = fn;
    d->p = p;
    pthread_mutex_lock(&rcu.call_lock);
    if (!rcu.calls) {
        rcu.calls_end = &rcu.calls;
    }
    *rcu.calls_end = d;
    rcu.calls_end = &d->next;
    if (!rcu.thread_runs && pthread_create(&t, NULL, call_thread, NULL) == 0) {
        pthread_detach(t);
        rcu.thread_runs = true;
    }
    pthread_cond_signal(&rcu.call_cond);
    pthread_mutex_unlock(&rcu.call_lock);
}
