// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Permissions of the block graph: each edge says what its user does with the node and what it lets
 * others do. A change runs down from a node, parents before children; it is tried first and then
 * put in force. Also the lock of the graph.
 */
#include <string.h>

#include "block/driver.h"
#include "block/graph.h"
#include "util/error.h"
#include "util/event-loop.h"

static const char *const perm_names[] = { "consistent read", "write", "write unchanged", "resize" };

static char *perm_text(unsigned perm)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < ARRAY_COUNT(perm_names); i++) {
        if (perm >> i & 1) {
            g_string_append_printf(out, "%s%s", out->len ? ", " : "", perm_names[i]);
        }
    }
    return g_string_free(out, FALSE);
}

static char *edge_text(const BlockEdge *e)
{
    const char *user = e->user ? e->user : "an unnamed block device";

    return e->parent ? g_strdup_printf("node '%s' (uses node '%s' as '%s' child)", e->parent->name,
                                       e->node->name, e->name)
                     : g_strdup_printf("%s (uses node '%s' as 'root' child)", user, e->node->name);
}

/* What all users together do, and let others do. */
static void cumulate(const BlockNode *n, unsigned *perm, unsigned *shared)
{
    *perm = 0;
    *shared = BLOCK_PERM_ALL;
    for (unsigned i = 0; i < n->parents->len; i++) {
        const BlockEdge *e = g_ptr_array_index(n->parents, i);

        *perm |= e->new_perm;
        *shared &= e->new_shared;
    }
}

/* By its role, what a parent does with a child. */
static void default_perm(const BlockNode *n, const BlockEdge *e, unsigned perm, unsigned shared,
                         unsigned *child_perm, unsigned *child_shared)
{
    const unsigned change = BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE;

    if (e->role & BLOCK_ROLE_COW) {
        *child_perm = BLOCK_PERM_READ;
        *child_shared =
            BLOCK_PERM_READ | BLOCK_PERM_WRITE_UNCHANGED | (shared & BLOCK_PERM_WRITE ? change : 0);
    } else if (e->role & BLOCK_ROLE_FILTERED) {
        *child_perm = perm;
        *child_shared = shared;
    } else {
        *child_perm = perm;
        *child_shared = shared & ~BLOCK_PERM_RESIZE;
        if (e->role & BLOCK_ROLE_METADATA) {
            *child_perm |= (n->read_only ? 0 : change) |
                           (n->open_flags & BLOCK_OPEN_NO_IO ? 0 : BLOCK_PERM_READ);
            *child_shared &= ~BLOCK_PERM_WRITE;
        } else if (!n->read_only && (perm & BLOCK_PERM_WRITE)) {
            *child_perm |= BLOCK_PERM_RESIZE;
        }
    }
    if (n->open_flags & BLOCK_OPEN_FORCE_SHARE) {
        *child_shared = BLOCK_PERM_ALL;
    }
}

/* Nodes below n, each behind all of its parents that are in the list. */
static void collect(BlockNode *n, GPtrArray *order)
{
    if (g_ptr_array_find(order, n, NULL)) {
        return;
    }
    for (unsigned i = 0; i < n->children->len; i++) {
        collect(((BlockEdge *)g_ptr_array_index(n->children, i))->node, order);
    }
    g_ptr_array_insert(order, -1, n);
}

/* A device of a machine that is on its way: it does nothing before it has taken its disks. */
static bool waits(const BlockEdge *e)
{
    return block_begins_inactive() && !e->parent && !e->user;
}

static bool check_node(const BlockNode *n, GError **error)
{
    unsigned perm, shared;

    for (unsigned i = 0; i < n->parents->len; i++) {
        const BlockEdge *a = g_ptr_array_index(n->parents, i);

        for (unsigned j = 0; j < n->parents->len; j++) {
            const BlockEdge *b = g_ptr_array_index(n->parents, j);

            if (i != j && (a->new_perm & ~b->new_shared) && !waits(a) && !waits(b)) {
                g_autofree char *what = perm_text(a->new_perm & ~b->new_shared), *ta = edge_text(a),
                                *tb = edge_text(b);

                return fail(error,
                            "Permission conflict on node '%s': permissions '%s' are both required "
                            "by %s and "
                            "unshared by %s.",
                            n->name, what, ta, tb);
            }
        }
    }
    cumulate(n, &perm, &shared);
    if ((perm & (BLOCK_PERM_WRITE | BLOCK_PERM_WRITE_UNCHANGED)) && n->read_only) {
        return fail(error, "Block node is read-only");
    }
    return true;
}

static void derive_children(BlockNode *n)
{
    unsigned perm, shared;

    cumulate(n, &perm, &shared);
    for (unsigned i = 0; i < n->children->len; i++) {
        BlockEdge *e = g_ptr_array_index(n->children, i);

        default_perm(n, e, perm, shared, &e->new_perm, &e->new_shared);
        if (n->driver && n->driver->child_perm) {
            n->driver->child_perm(n, e, perm, shared, &e->new_perm, &e->new_shared);
        }
    }
}

static bool tell_driver(BlockNode *n, GError **error)
{
    unsigned perm, shared;

    cumulate(n, &perm, &shared);
    if (n->inactive) {
        perm = 0;
        shared = BLOCK_PERM_ALL;
    }
    return !n->driver || !n->driver->set_perm || n->driver->set_perm(n, perm, shared, error);
}

static void settle(GPtrArray *order, bool keep)
{
    for (unsigned i = 0; i < order->len; i++) {
        BlockNode *n = g_ptr_array_index(order, i);

        for (unsigned j = 0; j < n->parents->len; j++) {
            BlockEdge *e = g_ptr_array_index(n->parents, j);

            if (keep) {
                e->perm = e->new_perm;
                e->shared = e->new_shared;
            } else {
                e->new_perm = e->perm;
                e->new_shared = e->shared;
            }
        }
    }
}

bool perm_refresh(BlockNode *top, GError **error)
{
    return perm_refresh_both(top, top, error);
}

bool perm_refresh_both(BlockNode *a, BlockNode *b, GError **error)
{
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    bool good = true;
    unsigned told = 0;

    collect(a, order);
    collect(b, order);
    for (unsigned i = order->len; good && i-- > 0;) {
        good = check_node(g_ptr_array_index(order, i), error);
        if (good) {
            derive_children(g_ptr_array_index(order, i));
        }
    }
    for (; good && told < order->len; told++) {
        good = tell_driver(g_ptr_array_index(order, told), error);
    }
    settle(order, good);
    for (unsigned i = 0; !good && i < told; i++) {
        g_autoptr(GError) ignored = NULL;

        tell_driver(g_ptr_array_index(order, i), &ignored);
    }
    return good;
}

void perm_relax(BlockNode *n)
{
    g_autoptr(GError) ignored = NULL;

    perm_refresh(n, &ignored);
}

/* ---- users ---- */

BlockEdge *block_attach(BlockNode *n, const char *user, unsigned perm, unsigned shared,
                        GError **error)
{
    BlockEdge *e = edge_add(NULL, block_node_ref(n), "root", 0);

    e->user = user;
    e->new_perm = perm;
    e->new_shared = shared;
    if (!perm_refresh(n, error)) {
        edge_remove(e);
        return NULL;
    }
    return e;
}

bool block_edge_set_perm(BlockEdge *e, unsigned perm, unsigned shared, GError **error)
{
    e->new_perm = perm;
    e->new_shared = shared;
    return perm_refresh(e->node, error);
}

void block_detach(BlockEdge *e)
{
    if (e) {
        edge_remove(e);
    }
}

/* ---- the lock of the graph ---- */

/* Requests of users that run; nesting of who holds the graph still. The process has one graph. */
static unsigned requests, locked;
static CoQueue waiting;
static pthread_cond_t request_left = PTHREAD_COND_INITIALIZER;

void co_graph_enter(void)
{
    while (locked) {
        co_queue_wait(&waiting, NULL);
    }
    requests++;
}

void graph_leave(void)
{
    if (--requests == 0 && locked) {
        machine_lock_notify(&request_left);
        main_loop_wake();
    }
}

void block_graph_lock(void)
{
    locked++;
    while (requests) {
        if (coroutine_self()) {
            co_reschedule();
        } else if (in_main_thread() || event_loop_own()) {
            event_loop_iterate(event_loop_current(), true);
        } else {
            machine_lock_wait(&request_left);
        }
    }
}

void block_graph_unlock(void)
{
    if (--locked == 0) {
        co_queue_wake_all(&waiting);
    }
}
