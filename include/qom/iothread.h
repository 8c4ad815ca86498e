// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The object type `iothread`: a thread with an event loop of its own, for devices, block nodes and
 * exports that ask for it. What runs in it holds the machine lock (util/event-loop.h).
 */
#ifndef QOM_IOTHREAD_H
#define QOM_IOTHREAD_H

#include <pthread.h>
#include "qom/object.h"
#include "util/event-loop.h"

typedef struct IoThread {
    Object obj;
    int64_t poll_max_ns, poll_grow, poll_shrink, batch, pool_min, pool_max;
    EventLoop *loop;
    pthread_t thread;
    bool running;
    int thread_id;              /* the host's number of the thread */
    GMutex lock;                /* guards thread_id until the thread has said it */
    GCond started;
} IoThread;

/* The object of that id under /objects; NULL with *error set when it is no iothread. */
IoThread *iothread_find(const char *id, GError **error);
/* For who has a link to it: the loop that it runs, the main loop for NULL. */
static inline EventLoop *iothread_loop(const IoThread *t)
{
    return t ? t->loop : event_loop_main();
}

#endif
