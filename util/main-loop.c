// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The main loop: the event loop of the main thread, on glib's default context, and file
 * descriptors that are watched by whichever loop runs. The contract is include/util/main-loop.h.
 */
#include "util/main-loop.h"

#include <glib-unix.h>
#include <pthread.h>
#include <sys/prctl.h>

#include "util/event-loop.h"

/* The process has one main thread. */
static pthread_t main_thread;
static bool inited;

void main_loop_init(void)
{
    if (!inited) {
        g_main_context_acquire(event_loop_context(event_loop_main()));
        main_thread = pthread_self();
        inited = true;
        prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
        machine_lock();
    }
}

bool in_main_thread(void)
{
    return inited && pthread_equal(pthread_self(), main_thread);
}

void main_loop_wake(void)
{
    event_loop_wake(event_loop_main());
}

void main_loop_iterate(bool may_block)
{
    event_loop_iterate(event_loop_main(), may_block);
}

/* ---- file descriptors ---- */

/* Tags of watches in loops other than the main one have this bit. */
#define OTHER_LOOP 0x80000000u
/* Such watches of the process by tag, and the latest tag; guarded by the machine lock. */
static GHashTable *other_sources;
static unsigned next_tag;

typedef struct FdWatch {
    FdFn *fn;
    void *opaque;
    unsigned tag; /* OTHER_LOOP; 0: of the main loop */
} FdWatch;

static gboolean fd_watch_ready(int fd, GIOCondition events, gpointer data)
{
    FdWatch *w = data;
    unsigned tag = w->tag;
    bool again = w->fn(fd, events, w->opaque);

    if (!again && tag != 0) {
        g_hash_table_remove(other_sources, GUINT_TO_POINTER(tag));
    }
    return again;
}

unsigned fd_watch(int fd, GIOCondition events, FdFn *fn, void *opaque)
{
    FdWatch *w = g_new(FdWatch, 1);
    GSource *source;

    *w = (FdWatch){fn, opaque, 0};
    if (!event_loop_own()) {
        return g_unix_fd_add_full(G_PRIORITY_DEFAULT, fd, events, fd_watch_ready, w, g_free);
    }
    if (!other_sources) {
        other_sources = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_source_unref);
    }
    w->tag = ++next_tag | OTHER_LOOP;
    source = g_unix_fd_source_new(fd, events);
    g_source_set_callback(source, (GSourceFunc)(void (*)(void))fd_watch_ready, w, g_free);
    g_source_attach(source, event_loop_context(event_loop_current()));
    g_hash_table_insert(other_sources, GUINT_TO_POINTER(w->tag), source);
    return w->tag;
}

void fd_unwatch(unsigned tag)
{
    if (tag & OTHER_LOOP) {
        GSource *source =
            other_sources ? g_hash_table_lookup(other_sources, GUINT_TO_POINTER(tag)) : NULL;

        if (source) {
            g_source_destroy(source);
            g_hash_table_remove(other_sources, GUINT_TO_POINTER(tag));
        }
    } else if (tag != 0) {
        g_source_remove(tag);
    }
}
