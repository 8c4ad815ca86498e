// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images that move from one process to another with their machine: an inactive node is neither
 * written nor locked, and what its driver has read of it does not count.
 */
#include "block/driver.h"
#include "block/graph.h"
#include "util/error.h"

/* The process has one graph; machine lock. */
static bool begins_inactive;

void block_start_inactive(void)
{
    begins_inactive = true;
}

bool block_begins_inactive(void)
{
    return begins_inactive;
}

typedef struct NodeCall {
    BlockNode *n;
    GError **error;
    bool good;
} NodeCall;

static void co_activate(void *opaque)
{
    NodeCall *c = opaque;
    const BlockDriver *d = c->n->driver;

    c->good = d->activate ? d->activate(c->n, c->n->own_options, c->error)
                          : block_refresh_length(c->n, c->error);
}

bool block_node_activate(BlockNode *n, GError **error)
{
    NodeCall c = {.n = n, .error = error};

    for (unsigned i = 0; i < n->children->len; i++) {
        if (!block_node_activate(((BlockEdge *)g_ptr_array_index(n->children, i))->node, error)) {
            return false;
        }
    }
    if (!n->inactive) {
        return true;
    }
    n->inactive = false;
    if (!perm_refresh(n, error)) {
        n->inactive = true;
        return false;
    }
    if (n->driver->open) {
        block_run(co_activate, &c);
    } else {
        c.good = true;
    }
    if (!c.good) {
        n->inactive = true;
        perm_relax(n);
    }
    return c.good;
}

typedef struct AllCall {
    GError **error;
    bool good;
} AllCall;

static void activate_one(BlockNode *n, void *opaque)
{
    AllCall *a = opaque;

    a->good = a->good && block_node_activate(n, a->error);
}

bool block_activate_all(GError **error)
{
    AllCall a = {error, true};

    begins_inactive = false;
    block_node_foreach(activate_one, &a);
    return a.good;
}

static void co_inactivate(void *opaque)
{
    NodeCall *c = opaque;
    int ret = 0;

    c->good = !c->n->driver->inactivate || c->n->driver->inactivate(c->n, c->error);
    ret = c->good ? co_block_flush(c->n) : 0;
    if (ret < 0) {
        c->good = fail_errno(c->error, -ret, "node '%s' cannot be written back", c->n->name);
    }
}

static void write_back(BlockNode *n, void *opaque)
{
    AllCall *a = opaque;
    NodeCall c = {.n = n, .error = a->error};

    if (!a->good || n->read_only || n->inactive) {
        return;
    }
    if (n->job) {
        a->good = fail(a->error, "node '%s' is in use by job '%s'", n->name, n->job);
        return;
    }
    block_run(co_inactivate, &c);
    a->good = c.good;
}

static void leave(BlockNode *n, void *opaque)
{
    n->inactive = true;
    perm_relax(n);
}

bool block_inactivate_all(GError **error)
{
    AllCall a = {error, true};

    block_drain_all();
    block_node_foreach_newest(write_back, &a);
    if (a.good) {
        block_node_foreach_newest(leave, NULL);
    }
    return a.good;
}

static void check_one(BlockNode *n, void *opaque)
{
    const BlockDriver *d = n->driver;
    AllCall *a = opaque;

    if (a->good && !n->read_only && d->close && !d->activate && !d->protocol && !d->filter) {
        a->good = fail(a->error, "The %s format used by node '%s' does not support live migration",
                       d->name, n->name);
    }
}

bool block_movable(GError **error)
{
    AllCall a = {error, true};

    block_node_foreach(check_one, &a);
    return a.good;
}
