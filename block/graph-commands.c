// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about the graph of nodes itself: which thread a node's jobs and exports work in, what
 * the graph looks like, children that come and go while a node is in use.
 */
#include <string.h>

#include "block/block.h"
#include "block/driver.h"
#include "block/graph.h"
#include "block/query.h"
#include "qapi/qapi-commands.h"
#include "qom/iothread.h"
#include "util/error.h"

/* ---- threads ---- */

struct EventLoop *block_node_loop(const BlockNode *n)
{
    struct EventLoop *l = n->iothread ? iothread_loop((IoThread *)n->iothread) : NULL;

    for (unsigned i = 0; !l && i < n->parents->len; i++) {
        const BlockEdge *e = g_ptr_array_index(n->parents, i);

        l = e->parent ? block_node_loop(e->parent) : e->loop;
        l = l == event_loop_main() ? NULL : l;
    }
    return l ? l : event_loop_main();
}

void block_node_set_iothread(BlockNode *n, struct Object *iothread)
{
    if (iothread) {
        object_ref(iothread);
    }
    if (n->iothread) {
        object_unref(n->iothread);
    }
    n->iothread = iothread;
}

static bool used_by_device(const BlockNode *n)
{
    for (unsigned i = 0; i < n->parents->len; i++) {
        const BlockEdge *e = g_ptr_array_index(n->parents, i);

        if (e->parent ? used_by_device(e->parent) : !e->user) {
            return true;
        }
    }
    return false;
}

bool qmp_x_blockdev_set_iothread(QmpCall *call, const QmpXBlockdevSetIothreadArgs *a,
                                 GError **error)
{
    BlockNode *n = block_node_find(a->node_name);
    g_autoptr(GError) none = NULL;
    IoThread *t = NULL;

    if (!n) {
        return fail(error, "Failed to find node with node-name='%s'", a->node_name);
    }
    if (used_by_device(n)) {
        /* a device says itself where its disk is served */
        return !a->has_force || !a->force
                   ? fail(error,
                          "Node %s is associated with a BlockBackend and could be in use "
                          "(use force=true to override this check)",
                          a->node_name)
                   : fail(error, "Cannot change iothread of active block backend");
    }
    if (a->iothread->type == QAPI_STR) {
        t = iothread_find(a->iothread->u.s, &none);
        if (!t) {
            return fail(error, "Cannot find iothread %s", a->iothread->u.s);
        }
    }
    block_node_set_iothread(n, (Object *)t);
    return true;
}

/* ---- the graph as it is ---- */

static uint64_t id_of(GHashTable *ids, const void *what)
{
    uintptr_t id = (uintptr_t)g_hash_table_lookup(ids, what);

    if (!id) {
        id = g_hash_table_size(ids) + 1;
        g_hash_table_insert(ids, (gpointer)what, (gpointer)id);
    }
    return id;
}

typedef struct GraphReply {
    XDbgBlockGraph *graph;
    GHashTable *ids;
} GraphReply;

static void add_graph_node(GraphReply *r, const void *what, int type, const char *name)
{
    XDbgBlockGraphNode *g = g_new0(XDbgBlockGraphNode, 1);

    g->id = id_of(r->ids, what);
    g->type = type;
    g->name = g_strdup(name);
    g_ptr_array_add(r->graph->nodes, g);
}

static GArray *perm_list(unsigned perm)
{
    static const struct {
        unsigned bit;
        int value;
    } order[] = {
        {BLOCK_PERM_RESIZE, BLOCK_PERMISSION_RESIZE},
        {BLOCK_PERM_WRITE_UNCHANGED, BLOCK_PERMISSION_WRITE_UNCHANGED},
        {BLOCK_PERM_WRITE, BLOCK_PERMISSION_WRITE},
        {BLOCK_PERM_READ, BLOCK_PERMISSION_CONSISTENT_READ},
    };
    GArray *list = g_array_new(FALSE, FALSE, sizeof(int));

    for (unsigned i = 0; i < ARRAY_COUNT(order); i++) {
        if (perm & order[i].bit) {
            g_array_append_val(list, order[i].value);
        }
    }
    return list;
}

static void add_graph_edge(GraphReply *r, const void *parent, const BlockEdge *e)
{
    XDbgBlockGraphEdge *g = g_new0(XDbgBlockGraphEdge, 1);

    g->parent = id_of(r->ids, parent);
    g->child = id_of(r->ids, e->node);
    g->name = g_strdup(e->name);
    g->perm = perm_list(e->perm);
    g->shared_perm = perm_list(e->shared);
    g_ptr_array_add(r->graph->edges, g);
}

static void graph_node(BlockNode *n, void *opaque)
{
    GraphReply *r = opaque;

    add_graph_node(r, n, X_DBG_BLOCK_GRAPH_NODE_TYPE_BLOCK_DRIVER, n->name);
    for (unsigned i = 0; i < n->children->len; i++) {
        add_graph_edge(r, n, g_ptr_array_index(n->children, i));
    }
}

/* Users outside of the graph: devices, jobs, exports. */
static void graph_users(BlockNode *n, void *opaque)
{
    GraphReply *r = opaque;

    for (unsigned i = 0; i < n->parents->len; i++) {
        const BlockEdge *e = g_ptr_array_index(n->parents, i);
        bool job = e->user && g_str_has_suffix(e->user, " job");
        g_autofree char *path = !e->parent && !e->user ? front_owner_path(e->opaque) : NULL;

        if (!e->parent) {
            add_graph_node(r, e,
                           job ? X_DBG_BLOCK_GRAPH_NODE_TYPE_BLOCK_JOB
                               : X_DBG_BLOCK_GRAPH_NODE_TYPE_BLOCK_BACKEND,
                           path            ? path
                           : job && n->job ? n->job
                                           : "");
            add_graph_edge(r, e, e);
        }
    }
}

XDbgBlockGraph *qmp_x_debug_query_block_graph(QmpCall *call, GError **error)
{
    GraphReply r = {g_new0(XDbgBlockGraph, 1), g_hash_table_new(NULL, NULL)};

    r.graph->nodes = g_ptr_array_new();
    r.graph->edges = g_ptr_array_new();
    block_node_foreach_newest(graph_node, &r);
    block_node_foreach(graph_users, &r);
    g_hash_table_unref(r.ids);
    return r.graph;
}

/* ---- children that come and go ---- */

bool qmp_x_blockdev_change(QmpCall *call, const QmpXBlockdevChangeArgs *a, GError **error)
{
    BlockNode *parent = block_node_find(a->parent), *node;
    bool good;

    if (!parent) {
        return fail(error, "Cannot find device='%s' nor node-name='%s'", a->parent, a->parent);
    }
    if (!a->child == !a->node) {
        return a->child ? fail(error, "The parameters child and node are in conflict")
                        : fail(error, "Either child or node must be specified");
    }
    if (a->child && !block_child(parent, a->child)) {
        return fail(error, "Node '%s' does not have child '%s'", a->parent, a->child);
    }
    node = a->node ? block_node_find(a->node) : NULL;
    if (a->node && !node) {
        return fail(error, "Node '%s' not found", a->node);
    }
    if (a->node ? !parent->driver->add_child : !parent->driver->remove_child) {
        return fail(error, "The node %s does not support %s a child", a->parent,
                    a->node ? "adding" : "removing");
    }
    if (node && node->parents->len) {
        return fail(error, "The node %s already has a parent", a->node);
    }
    block_graph_lock();
    good = node ? parent->driver->add_child(parent, node, error)
                : parent->driver->remove_child(parent, a->child, error);
    block_graph_unlock();
    return good;
}
