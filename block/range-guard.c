// SPDX-License-Identifier: GPL-2.0-or-later
/* Ranges of a node that a job and the guest's writes do not touch at the same time. */
#include "block/range-guard.h"

static bool meets(const RangeClaim *a, uint64_t start, uint64_t end)
{
    return a->start < end && start < a->end;
}

static int co_before_write(BlockWatcher *w, uint64_t offset, uint64_t bytes)
{
    RangeGuard *g = w->opaque;
    RangeClaim one = { offset, offset + bytes, NULL };
    const RangeClaim *c = g->claims;

    while (c) {
        if (meets(c, one.start, one.end)) {
            co_queue_wait(&g->changed, NULL);
            c = g->claims;
        } else {
            c = c->next;
        }
    }
    g_array_append_val(g->writes, one);
    return 0;
}

static void after_write(BlockWatcher *w, uint64_t offset, uint64_t bytes)
{
    RangeGuard *g = w->opaque;

    for (unsigned i = 0; i < g->writes->len; i++) {
        const RangeClaim *c = &g_array_index(g->writes, RangeClaim, i);

        if (c->start == offset && c->end == offset + bytes) {
            g_array_remove_index_fast(g->writes, i);
            break;
        }
    }
    co_queue_wake_all(&g->changed);
}

void range_guard_begin(RangeGuard *g, BlockNode *n)
{
    *g = (RangeGuard){ .writes = g_array_new(FALSE, FALSE, sizeof(RangeClaim)) };
    g->watcher.co_before = co_before_write;
    g->watcher.after = after_write;
    g->watcher.opaque = g;
    /* writes that run already are not known: the graph is locked for a moment, so there are none */
    block_graph_lock();
    block_watch(n, &g->watcher);
    block_graph_unlock();
}

void range_guard_end(RangeGuard *g)
{
    block_graph_lock();
    block_unwatch(&g->watcher);
    block_graph_unlock();
    g_array_unref(g->writes);
}

void co_range_claim(RangeGuard *g, RangeClaim *c, uint64_t offset, uint64_t bytes)
{
    bool clash;

    *c = (RangeClaim){ offset, offset + bytes, g->claims };
    g->claims = c;      /* new writes wait from now on */
    do {
        clash = false;
        for (unsigned i = 0; i < g->writes->len; i++) {
            clash |= meets(&g_array_index(g->writes, RangeClaim, i), c->start, c->end);
        }
        if (clash) {
            co_queue_wait(&g->changed, NULL);
        }
    } while (clash);
}

void range_release(RangeGuard *g, RangeClaim *c)
{
    RangeClaim **at = &g->claims;

    while (*at != c) {
        at = &(*at)->next;
    }
    *at = c->next;
    co_queue_wake_all(&g->changed);
}
