// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * I/O threads. The thread sleeps in poll(); the polling properties are kept and reported, busy
 * polling is left out. Contract: include/qom/iothread.h.
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

    g_main_context_push_thread_default(t->context);
    g_mutex_lock(&t->lock);
    t->thread_id = (int)syscall(SYS_gettid);
    g_cond_signal(&t->started);
    g_mutex_unlock(&t->lock);
    g_main_loop_run(t->loop);
    g_main_context_pop_thread_default(t->context);
    return NULL;
}

static bool iothread_complete(Object *obj, GError **error)
{
    IoThread *t = (IoThread *)obj;

    if (t->pool_min > t->pool_max) {
        return fail(error, "bad thread-pool-min/thread-pool-max values");
    }
    g_mutex_init(&t->lock);
    g_cond_init(&t->started);
    t->context = g_main_context_new();
    t->loop = g_main_loop_new(t->context, FALSE);
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

static gboolean leave(gpointer opaque)
{
    g_main_loop_quit(opaque);
    return G_SOURCE_REMOVE;
}

static void iothread_finalize(Object *obj)
{
    IoThread *t = (IoThread *)obj;

    if (t->context == NULL) {
        return;
    }
    if (t->running) {
        /* In its own loop, so that it cannot come before the loop runs. */
        GSource *source = g_idle_source_new();

        g_source_set_callback(source, leave, t->loop, NULL);
        g_source_attach(source, t->context);
        g_source_unref(source);
        thread_join(t->thread);
    }
    g_main_loop_unref(t->loop);
    g_main_context_unref(t->context);
    g_mutex_clear(&t->lock);
    g_cond_clear(&t->started);
}

#define PROP_COUNT(f, name, def_, text)                                                            \
    PROP(IoThread, f, name, prop_int64, .def = def_, .min = 0, .max = INT64_MAX,                   \
         .flags = PROP_LIVE, .help = text)

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
