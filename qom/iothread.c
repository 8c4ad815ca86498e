// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * I/O threads: a thread with an event loop of its own, which looks for work for a while before it
 * sleeps. Contract: include/qom/iothread.h.
 */
#include "qom/iothread.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "qapi/qapi-commands.h"
#include "util/error.h"
#include "util/thread.h"

enum { POLL_MAX_NS = 32768, POOL_MAX = 64 };

static void *run(void *opaque)
{
    IoThread *t = opaque;

    g_mutex_lock(&t->lock);
    t->thread_id = (int)syscall(SYS_gettid);
    g_cond_signal(&t->started);
    g_mutex_unlock(&t->lock);
    event_loop_run(t->loop);
    return NULL;
}

static bool polling_changed(Object *obj, const Prop *p, GError **error)
{
    IoThread *t = (IoThread *)obj;

    if (t->loop) {
        event_loop_set_polling(t->loop, t->poll_max_ns, t->poll_grow, t->poll_shrink);
    }
    return true;
}

static bool iothread_complete(Object *obj, GError **error)
{
    IoThread *t = (IoThread *)obj;

    if (t->pool_min > t->pool_max) {
        return fail(error, "bad thread-pool-min/thread-pool-max values");
    }
    g_mutex_init(&t->lock);
    g_cond_init(&t->started);
    t->loop = event_loop_new();
    polling_changed(obj, NULL, error);
    g_autofree char *name = g_strdup_printf("IO %s", obj->name);

    if (!thread_start(&t->thread, name, run, t, error)) {
        return false;
    }
    t->running = true;
    g_mutex_lock(&t->lock);
    while (t->thread_id == 0) {
        g_cond_wait(&t->started, &t->lock);
    }
    g_mutex_unlock(&t->lock);
    return true;
}

static void iothread_finalize(Object *obj)
{
    IoThread *t = (IoThread *)obj;

    if (t->loop == NULL) {
        return;
    }
    if (t->running) {
        bool locked = machine_locked();

        event_loop_quit(t->loop);
        if (locked) {
            machine_unlock();
        }
        thread_join(t->thread);
        if (locked) {
            machine_lock();
        }
    }
    event_loop_free(t->loop);
    g_mutex_clear(&t->lock);
    g_cond_clear(&t->started);
}

#define PROP_COUNT(f, name, def_, text)                                                            \
    PROP(IoThread, f, name, prop_int64, .def = def_, .min = 0, .max = INT64_MAX,                   \
         .flags = PROP_LIVE, .changed = polling_changed, .help = text)

static const Prop iothread_props[] = {
    PROP_COUNT(poll_max_ns, "poll-max-ns", POLL_MAX_NS, "longest busy polling, ns"),
    PROP_COUNT(poll_grow, "poll-grow", 0, "factor by which polling gets longer"),
    PROP_COUNT(poll_shrink, "poll-shrink", 0, "factor by which polling gets shorter"),
    PROP_COUNT(batch, "aio-max-batch", 0, "most requests handed over at once"),
    PROP_COUNT(pool_min, "thread-pool-min", 0, "worker threads that are kept"),
    PROP_COUNT(pool_max, "thread-pool-max", POOL_MAX, "most worker threads"),
    PROP_END,
};

static const ObjectType iothread_type = {
    .name = "iothread", .desc = "Thread for device I/O", .size = sizeof(IoThread),
    .props = iothread_props, .user_creatable = true, .complete = iothread_complete,
    .finalize = iothread_finalize,
};
OBJECT_TYPE(iothread_type);

IoThread *iothread_find(const char *id, GError **error)
{
    Object *obj = object_child(object_container("/objects"), id);

    if (obj == NULL || obj->type != &iothread_type) {
        return fail_null(error, "iothread '%s' not found", id);
    }
    return (IoThread *)obj;
}

GPtrArray *qmp_query_iothreads(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();
    Object *top = object_container("/objects");

    for (guint i = 0; top->children != NULL && i < top->children->len; i++) {
        IoThread *t = top->children->pdata[i];

        if (t->obj.type != &iothread_type || !t->obj.complete) {
            continue;
        }
        IOThreadInfo *info = g_new0(IOThreadInfo, 1);

        info->id = g_strdup(t->obj.name);
        info->thread_id = t->thread_id;
        info->poll_max_ns = t->poll_max_ns;
        info->poll_grow = t->poll_grow;
        info->poll_shrink = t->poll_shrink;
        info->aio_max_batch = t->batch;
        g_ptr_array_add(list, info);
    }
    return list;
}
