// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The block graph: the tables of drivers, nodes' names and lives, and the edges between them.
 * Opening is open.c, permissions perm.c, I/O through nodes io.c.
 */
#include "block/node.h"

#include <json-c/json.h>
#include <string.h>

#include "block/drive.h"
#include "block/driver.h"
#include "block/graph.h"
#include "util/error.h"

extern const BlockDriver *const __start_block_drivers[], *const __stop_block_drivers[];

/* The nodes of the process, in order of opening. */
static GPtrArray *nodes;
static unsigned next_number = 100;

/* ---- drivers ---- */

const BlockDriver *block_driver_find(const char *name)
{
    for (const BlockDriver *const *d = __start_block_drivers; d < __stop_block_drivers; d++) {
        if (strcmp((*d)->name, name) == 0) {
            return *d;
        }
    }
    return NULL;
}

char *block_driver_suggestion(const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (const BlockDriver *const *d = __start_block_drivers; d < __stop_block_drivers; d++) {
        g_ptr_array_add(names, (gpointer)(*d)->name);
    }
    g_ptr_array_add(names, NULL);
    return suggestion(name, (const char *const *)names->pdata);
}

void block_driver_foreach(void (*fn)(const BlockDriver *d, void *opaque), void *opaque)
{
    for (const BlockDriver *const *d = __start_block_drivers; d < __stop_block_drivers; d++) {
        fn(*d, opaque);
    }
}

/*
 * Formats of others that we know by sight: a disk of theirs is not taken for raw, nor made by a
 * guest.
 */
static const struct { const char *name; uint32_t offset; const char *magic; uint32_t len; } magics[] = {
    { "qcow2", 0, "QFI\xfb\0\0\0\2", 8 }, { "qcow2", 0, "QFI\xfb\0\0\0\3", 8 }, { "qcow", 0, "QFI\xfb\0\0\0\1", 8 },
    { "qed", 0, "QED\0", 4 }, { "vmdk", 0, "KDMV", 4 }, { "vmdk", 0, "COWD", 4 },
    { "vmdk", 0, "# Disk DescriptorFile", 21 }, { "vpc", 0, "conectix", 8 }, { "vhdx", 0, "vhdxfile", 8 },
    { "vdi", 64, "\x7f\x10\xda\xbe", 4 }, { "luks", 0, "LUKS\xba\xbe", 6 },
    { "parallels", 0, "WithoutFreeSpace", 16 }, { "parallels", 0, "WithouFreSpacExt", 16 },
    { "bochs", 0, "Bochs Virtual HD Image", 22 },
};

const BlockDriver *block_probe_named(const uint8_t *head, size_t len, const char *filename)
{
    const BlockDriver *best = NULL;
    int best_score = 0;

    for (const BlockDriver *const *d = __start_block_drivers; d < __stop_block_drivers; d++) {
        int score = (*d)->probe ? (*d)->probe(head, len, filename) : 0;

        if (score > best_score) {
            best_score = score;
            best = *d;
        }
    }
    return best;
}

const char *block_probe(const uint8_t *head, size_t len)
{
    const BlockDriver *d = block_probe_named(head, len, "");

    if (d) {
        return d->name;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(magics); i++) {
        if (magics[i].offset + magics[i].len <= len &&
            memcmp(head + magics[i].offset, magics[i].magic, magics[i].len) == 0) {
            return magics[i].name;
        }
    }
    return "raw";
}

/* ---- names ---- */

BlockNode *block_node_find(const char *name)
{
    for (unsigned i = 0; nodes && i < nodes->len; i++) {
        BlockNode *n = g_ptr_array_index(nodes, i);

        if (strcmp(n->name, name) == 0) {
            return n;
        }
    }
    return NULL;
}

BlockNode *block_node_or_device(const char *name, GError **error)
{
    Drive *d = drive_find(name);
    BlockNode *n = d ? (d->front ? d->front->node : d->node) : block_node_find(name);

    if (d && !n) {
        return fail_null(error, "Device '%s' has no medium", name);
    }
    if (!n) {
        fail_class(error, ERROR_GENERIC, "Cannot find device='%s' nor node-name='%s'", name, name);
    }
    return n;
}

void block_node_foreach(void (*fn)(BlockNode *n, void *opaque), void *opaque)
{
    for (unsigned i = 0; nodes && i < nodes->len; i++) {
        fn(g_ptr_array_index(nodes, i), opaque);
    }
}

void block_node_foreach_newest(void (*fn)(BlockNode *n, void *opaque), void *opaque)
{
    for (unsigned i = nodes ? nodes->len : 0; i-- > 0;) {
        fn(g_ptr_array_index(nodes, i), opaque);
    }
}

bool block_id_good(const char *id)
{
    return g_ascii_isalpha(id[0]) &&
           !id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")];
}

bool node_set_name(BlockNode *n, const char *name, GError **error)
{
    if (!name) {
        do {
            g_free(n->name);
            n->name = g_strdup_printf("#block%03u", next_number++);
        } while (block_node_find(n->name));
        return true;
    }
    if (!block_id_good(name) || strlen(name) > 31) {
        return fail(error, "Invalid node-name: '%s'", name);
    }
    if (drive_find(name)) {
        return fail(error, "node-name=%s is conflicting with a device id", name);
    }
    if (block_node_find(name)) {
        return fail(error, "Duplicate nodes with node-name='%s'", name);
    }
    n->name = g_strdup(name);
    return true;
}

/* ---- lives ---- */

BlockNode *node_new(void)
{
    BlockNode *n = g_new0(BlockNode, 1);

    n->refs = 1;
    n->align = 1;
    n->children = g_ptr_array_new();
    n->parents = g_ptr_array_new();
    return n;
}

void node_enter(BlockNode *n)
{
    if (!nodes) {
        nodes = g_ptr_array_new();
    }
    g_ptr_array_add(nodes, n);
}

BlockNode *block_node_ref(BlockNode *n)
{
    n->refs++;
    return n;
}

void node_free(BlockNode *n)
{
    while (n->children->len) {
        edge_remove(g_ptr_array_index(n->children, n->children->len - 1));
    }
    g_ptr_array_unref(n->children);
    g_ptr_array_unref(n->parents);
    block_node_set_iothread(n, NULL);
    json_object_put(n->options);
    json_object_put(n->own_options);
    g_free(n->state);
    g_free(n->name);
    g_free(n->filename);
    g_free(n->backing_file);
    g_free(n->backing_format);
    g_free(n);
}

static void co_close(void *opaque)
{
    BlockNode *n = opaque;

    if (!n->read_only && !(n->open_flags & BLOCK_OPEN_NO_IO)) {
        co_block_flush(n);
    }
    if (n->driver->close) {
        n->driver->close(n);
    }
}

void block_node_unref(BlockNode *n)
{
    if (n && --n->refs == 0) {
        g_ptr_array_remove(nodes, n);
        n->refs = 1;    /* while it is closed */
        block_run(co_close, n);
        block_node_bitmaps_free(n);
        node_free(n);
    }
}

void block_node_keep(BlockNode *n)
{
    n->named = true;
    n->refs++;
}

void block_nodes_forget(void)
{
    bool again;

    do {
        again = false;
        for (unsigned i = nodes ? nodes->len : 0; !again && i-- > 0;) {
            BlockNode *n = g_ptr_array_index(nodes, i);

            if (n->named) {
                n->named = false;
                again = true;
                block_node_unref(n);
            }
        }
    } while (again);
}

bool block_node_delete(const char *name, GError **error)
{
    BlockNode *n = block_node_find(name);

    if (!n) {
        return fail(error, "Failed to find node with node-name='%s'", name);
    }
    if (!n->named) {
        return fail(error, "Node %s is not owned by the monitor", name);
    }
    if (n->refs > 1) {
        return fail(error, "Block device %s is in use", name);
    }
    block_node_unref(n);
    return true;
}

/* ---- edges ---- */

static void set_shortcut(BlockNode *parent, const BlockEdge *e, BlockNode *node)
{
    if (!parent) {
        return;
    }
    if (strcmp(e->name, "backing") == 0 && !(e->role & BLOCK_ROLE_FILTERED)) {
        parent->backing = node;
    } else if (strcmp(e->name, "file") == 0 || (e->role & BLOCK_ROLE_PRIMARY)) {
        parent->file = node;
    }
}

/* The driver keeps pointers to children of its own. */
static void tell_parent(const BlockEdge *e)
{
    if (e->parent && e->parent->driver && e->parent->driver->children_changed) {
        e->parent->driver->children_changed(e->parent);
    }
}

/* Takes over the reference of node. No permissions yet. */
BlockEdge *edge_add(BlockNode *parent, BlockNode *node, const char *name, unsigned role)
{
    BlockEdge *e = g_new0(BlockEdge, 1);

    e->parent = parent;
    e->node = node;
    e->name = g_strdup(name);
    e->role = role;
    e->shared = e->new_shared = BLOCK_PERM_ALL;
    g_ptr_array_add(node->parents, e);
    if (parent) {
        g_ptr_array_add(parent->children, e);
    }
    set_shortcut(parent, e, node);
    return e;
}

void edge_remove(BlockEdge *e)
{
    BlockNode *node = e->node;

    g_ptr_array_remove(node->parents, e);
    if (e->parent) {
        g_ptr_array_remove(e->parent->children, e);
        set_shortcut(e->parent, e, NULL);
    }
    g_free(e->name);
    g_free(e);
    perm_relax(node);
    block_node_unref(node);
}

void edge_move(BlockEdge *e, BlockNode *to)
{
    BlockNode *from = e->node;

    block_node_ref(to);
    g_ptr_array_remove(from->parents, e);
    g_ptr_array_add(to->parents, e);
    e->node = to;
    set_shortcut(e->parent, e, to);
    tell_parent(e);
}

static BlockEdge *find_edge(const BlockNode *n, const char *name)
{
    for (unsigned i = 0; i < n->children->len; i++) {
        BlockEdge *e = g_ptr_array_index(n->children, i);

        if (strcmp(e->name, name) == 0) {
            return e;
        }
    }
    return NULL;
}

BlockNode *block_child(const BlockNode *n, const char *name)
{
    BlockEdge *e = find_edge(n, name);

    return e ? e->node : NULL;
}

bool block_child_attach(BlockNode *parent, BlockNode *child, const char *name, unsigned role,
                        GError **error)
{
    BlockEdge *e = edge_add(parent, child, name, role);

    if (!perm_refresh(child, error)) {
        edge_remove(e);
        return false;
    }
    return true;
}

void block_child_detach(BlockNode *parent, const char *name)
{
    BlockEdge *e = find_edge(parent, name);

    if (e) {
        edge_remove(e);
    }
}

BlockNode *block_skip_filters(BlockNode *n)
{
    while (n && n->driver->filter && n->file) {
        n = n->file;
    }
    return n;
}

BlockNode *block_below(const BlockNode *n)
{
    return n->driver->filter ? n->file : n->backing;
}

bool block_chain_contains(const BlockNode *top, const BlockNode *n)
{
    for (const BlockNode *i = top; i; i = block_below(i)) {
        if (i == n) {
            return true;
        }
    }
    return false;
}

static bool reaches(const BlockNode *from, const BlockNode *to)
{
    if (from == to) {
        return true;
    }
    for (unsigned i = 0; i < from->children->len; i++) {
        if (reaches(((BlockEdge *)g_ptr_array_index(from->children, i))->node, to)) {
            return true;
        }
    }
    return false;
}

bool block_replace_node(BlockNode *from, BlockNode *to, const BlockNode *except, GError **error)
{
    g_autoptr(GPtrArray) moved = g_ptr_array_new();
    bool good;

    for (unsigned i = 0; i < from->parents->len; i++) {
        BlockEdge *e = g_ptr_array_index(from->parents, i);

        /* not what lies below `to` already, or a loop would result */
        if (!e->parent || (e->parent != except && e->parent != to && !reaches(to, e->parent))) {
            g_ptr_array_add(moved, e);
        }
    }
    block_node_ref(from);
    for (unsigned i = 0; i < moved->len; i++) {
        edge_move(g_ptr_array_index(moved, i), to);
        block_node_unref(from);
    }
    /* `from`, if it lies above `to`, does less there now */
    good = perm_refresh_both(to, from, error);
    if (!good) {
        for (unsigned i = 0; i < moved->len; i++) {
            edge_move(g_ptr_array_index(moved, i), from);
            block_node_unref(to);
        }
        perm_relax(from);
    } else {
        perm_relax(from);
        for (unsigned i = 0; i < moved->len; i++) {
            BlockEdge *e = g_ptr_array_index(moved, i);

            if (e->moved) {
                e->moved(e);
            }
        }
    }
    block_node_unref(from);
    return good;
}

bool block_set_backing(BlockNode *n, BlockNode *backing, GError **error)
{
    if (backing && reaches(backing, n)) {
        return fail(error, "Making '%s' a backing file of '%s' would create a cycle", backing->name,
                    n->name);
    }
    if (n->backing) {
        block_child_detach(n, "backing");
    }
    return !backing ||
           block_child_attach(n, block_node_ref(backing), "backing", BLOCK_ROLE_COW, error);
}
