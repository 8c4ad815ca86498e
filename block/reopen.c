// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making open nodes writable or read-only, for jobs that write to backing files and for
 * blockdev-reopen.
 */
#include "block/driver.h"
#include "block/graph.h"
#include "util/error.h"

typedef struct ReopenCall {
    BlockNode *n;
    bool read_only, good;
    GError **error;
} ReopenCall;

static void co_driver_reopen(void *opaque)
{
    ReopenCall *c = opaque;

    if (c->read_only) {
        co_block_flush(c->n);
    }
    c->good = !c->n->driver->reopen || c->n->driver->reopen(c->n, NULL, c->read_only, c->error);
}

static bool driver_reopen(BlockNode *n, bool read_only, GError **error)
{
    ReopenCall c = { .n = n, .read_only = read_only, .error = error };

    block_run(co_driver_reopen, &c);
    return c.good;
}

static bool follows(const BlockEdge *e)
{
    return !(e->role & BLOCK_ROLE_COW);
}

bool block_make_writable(BlockNode *n, GError **error)
{
    if (!n->read_only) {
        return true;
    }
    if (!n->driver->co_pwritev) {
        return fail(error, "Block node is read-only");
    }
    for (unsigned i = 0; i < n->children->len; i++) {
        BlockEdge *e = g_ptr_array_index(n->children, i);

        if (follows(e) && !block_make_writable(e->node, error)) {
            return false;
        }
    }
    n->read_only = false;
    if (!perm_refresh(n, error)) {
        n->read_only = true;
        return false;
    }
    if (!driver_reopen(n, false, error)) {
        n->read_only = true;
        perm_relax(n);
        return false;
    }
    /* a file has another descriptor now, without locks */
    perm_relax(n);
    return true;
}

bool block_make_read_only(BlockNode *n, GError **error)
{
    if (n->read_only) {
        return true;
    }
    if (!driver_reopen(n, true, error)) {
        return false;
    }
    n->read_only = true;
    perm_relax(n);
    for (unsigned i = 0; i < n->children->len; i++) {
        BlockEdge *e = g_ptr_array_index(n->children, i);

        if (follows(e) && e->node->parents->len == 1 && !block_make_read_only(e->node, error)) {
            return false;
        }
    }
    return true;
}

typedef struct BackingCall {
    BlockNode *n;
    const char *file, *format;
    GError **error;
    bool good;
} BackingCall;

static void co_backing(void *opaque)
{
    BackingCall *c = opaque;

    c->good = c->n->driver->co_change_backing(c->n, c->file, c->format, c->error);
}

bool block_change_backing(BlockNode *n, const char *file, const char *format, GError **error)
{
    BackingCall c = { .n = n, .file = file, .format = format, .error = error };
    bool was = n->read_only;

    if (!n->driver->co_change_backing) {
        return fail(error, "Driver '%s' does not support changing the backing file",
                    n->driver->name);
    }
    if (was && !block_make_writable(n, error)) {
        return false;
    }
    block_run(co_backing, &c);
    if (was && c.good) {
        c.good = block_make_read_only(n, error);
    }
    return c.good;
}
