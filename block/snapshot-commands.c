// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands that change the graph at once: snapshots, bitmaps, resizing, reopening; and
 * transactions, in which several happen together or not at all.
 */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "block/bitmap.h"
#include "block/drive.h"
#include "block/driver.h"
#include "block/graph.h"
#include "block/job-kinds.h"
#include "block/transaction.h"
#include "qapi/qapi-commands.h"
#include "util/error.h"

/* ---- external snapshots ---- */

/* overlay goes on top of node for all of its users. Graph locked. */
static bool put_on_top(BlockNode *node, BlockNode *overlay, GError **error)
{
    if (overlay->backing) {
        return fail(error, "The overlay already has a backing image");
    }
    if (!overlay->driver->backing) {
        return fail(error, "The overlay does not support backing images");
    }
    for (unsigned i = 0; i < overlay->parents->len; i++) {
        if (((BlockEdge *)g_ptr_array_index(overlay->parents, i))->perm) {
            return fail(error, "The overlay is already in use");
        }
    }
    if (node->job) {
        return fail(error, "Node '%s' is busy: block device is in use by block job: %s", node->name,
                    node->job);
    }
    if (!block_set_backing(overlay, node, error)) {
        return false;
    }
    if (!block_replace_node(node, overlay, NULL, error)) {
        block_child_detach(overlay, "backing");
        return false;
    }
    return true;
}

static bool prepare_snapshot(Action *a, const BlockdevSnapshot *args, GError **error)
{
    a->node = block_node_or_device(args->node, error);
    a->overlay = a->node ? block_node_or_device(args->overlay, error) : NULL;
    if (!a->overlay) {
        return false;
    }
    block_node_ref(a->node);
    block_node_ref(a->overlay);
    return put_on_top(a->node, a->overlay, error) && (a->done = true);
}

static bool prepare_snapshot_sync(Action *a, const BlockdevSnapshotSync *args, GError **error)
{
    const char *format = args->format ? args->format : "qcow2";
    const BlockDriver *d = block_driver_find(format);
    int mode = args->has_mode ? (int)args->mode : NEW_IMAGE_MODE_ABSOLUTE_PATHS;
    struct json_object *o;

    a->node = block_node_or_device(args->device      ? args->device
                                   : args->node_name ? args->node_name
                                                     : "",
                                   error);
    if (!a->node) {
        return false;
    }
    block_node_ref(a->node);
    if (!d || !d->backing) {
        return fail(error, "Invalid block format '%s'", format);
    }
    if (args->snapshot_node_name && block_node_find(args->snapshot_node_name)) {
        return fail(error, "New overlay node-name already in use");
    }
    if (mode != NEW_IMAGE_MODE_EXISTING) {
        g_autofree char *name = block_node_filename(a->node);
        bool good;

        o = json_object_new_object();
        json_object_object_add(o, "size", json_object_new_uint64(a->node->length));
        json_object_object_add(o, "backing_file", json_object_new_string(name));
        json_object_object_add(o, "backing_fmt", json_object_new_string(a->node->driver->name));
        good = block_create(d, args->snapshot_file, o, error);
        json_object_put(o);
        if (!good) {
            return false;
        }
    }
    o = json_object_new_object();
    if (args->snapshot_node_name) {
        json_object_object_add(o, "node-name", json_object_new_string(args->snapshot_node_name));
    }
    a->overlay = block_open_image(args->snapshot_file, format, o,
                                  BLOCK_OPEN_NO_BACKING | BLOCK_OPEN_QUIET, error);
    json_object_put(o);
    if (!a->overlay) {
        return false;
    }
    a->overlay->unmap = a->node->unmap;
    a->overlay->detect_zeroes = a->node->detect_zeroes;
    return put_on_top(a->node, a->overlay, error) && (a->done = true);
}

static void undo_snapshot(Action *a)
{
    g_autoptr(GError) ignored = NULL;

    if (a->done) {
        block_node_ref(a->node);
        block_child_detach(a->overlay, "backing");
        block_replace_node(a->overlay, a->node, NULL, &ignored);
        block_node_unref(a->node);
    }
}

static void clean_snapshot(Action *a)
{
    block_node_unref(a->overlay);
    block_node_unref(a->node);
}

/* ---- internal snapshots ---- */

typedef struct SnapCall {
    BlockNode *n;
    const char *device;
    BlockSnapshot s;
    const char *id, *name;
    bool remove, good;
    GError **error;
} SnapCall;

static void co_snap(void *opaque)
{
    SnapCall *c = opaque;
    g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(BlockSnapshot));
    const BlockDriver *d = c->n->driver;

    c->good = d->co_snapshot_list(c->n, list, c->error);
    if (!c->good) {
        return;
    }
    for (unsigned i = 0; i < list->len; i++) {
        const BlockSnapshot *s = &g_array_index(list, BlockSnapshot, i);

        if ((!c->id || strcmp(c->id, s->id) == 0) && (!c->name || strcmp(c->name, s->name) == 0)) {
            if (!c->remove) {
                c->good = fail(c->error, "Snapshot with name '%s' already exists on device '%s'",
                               c->name, c->n->name);
                return;
            }
            c->s = *s;
            c->good = d->co_snapshot_delete(c->n, s->id, s->name, c->error);
            return;
        }
    }
    c->good = c->remove ? fail(c->error,
                               "Snapshot with id '%s' and name '%s' does not exist on device '%s'",
                               c->id ? c->id : "null", c->name ? c->name : "null", c->device)
                        : d->co_snapshot_create(c->n, &c->s, c->error);
}

static bool internal_snapshot(SnapCall *c, const char *device, GError **error)
{
    c->error = error;
    c->device = device;
    c->n = block_node_or_device(device, error);
    if (!c->n) {
        return false;
    }
    c->n = block_skip_filters(c->n);
    if (!c->n->driver->co_snapshot_create) {
        return fail(error,
                    "Block format '%s' used by device '%s' does not support internal snapshots",
                    c->n->driver->name, device);
    }
    if (c->n->read_only) {
        return fail(error, "Device '%s' is read only", device);
    }
    block_run(co_snap, c);
    return c->good;
}

static bool prepare_internal(Action *a, const BlockdevSnapshotInternal *args, GError **error)
{
    SnapCall c = { .name = args->name };
    int64_t now = g_get_real_time();

    if (!*args->name) {
        return fail(error, "Name is empty");
    }
    g_strlcpy(c.s.name, args->name, sizeof(c.s.name));
    c.s.date_sec = now / 1000000;
    c.s.date_nsec = now % 1000000 * 1000;
    c.s.icount = -1;
    c.s.vm_clock_nsec = (uint64_t)clock_now_ns(CLOCK_GUEST);
    a->text = g_strdup(args->name);
    a->done = internal_snapshot(&c, args->device, error);
    a->node = c.n ? block_node_ref(c.n) : NULL;
    return a->done;
}

static void undo_internal(Action *a)
{
    SnapCall c = { .name = a->text, .remove = true };
    g_autoptr(GError) ignored = NULL;

    if (a->done) {
        internal_snapshot(&c, a->node->name, &ignored);
    }
}

bool qmp_blockdev_snapshot_internal_sync(QmpCall *call, const BlockdevSnapshotInternal *args,
                                         GError **error)
{
    Action a = { .done = false };
    bool good;

    block_graph_lock();
    good = prepare_internal(&a, args, error);
    block_graph_unlock();
    block_node_unref(a.node);
    g_free(a.text);
    return good;
}

SnapshotInfo *qmp_blockdev_snapshot_delete_internal_sync(
    QmpCall *call, const QmpBlockdevSnapshotDeleteInternalSyncArgs *args, GError **error)
{
    SnapCall c = { .id = args->id, .name = args->name, .remove = true };
    SnapshotInfo *i;
    bool good;

    if (!args->id && !args->name) {
        return fail_null(error, "Name or id must be provided");
    }
    block_graph_lock();
    good = internal_snapshot(&c, args->device, error);
    block_graph_unlock();
    if (!good) {
        return NULL;
    }
    i = g_new0(SnapshotInfo, 1);
    i->id = g_strdup(c.s.id);
    i->name = g_strdup(c.s.name);
    i->vm_state_size = (int64_t)c.s.vm_state_size;
    i->date_sec = c.s.date_sec;
    i->date_nsec = c.s.date_nsec;
    i->vm_clock_sec = (int64_t)(c.s.vm_clock_nsec / 1000000000);
    i->vm_clock_nsec = (int64_t)(c.s.vm_clock_nsec % 1000000000);
    return i;
}

/* ---- bitmaps ---- */

static bool prepare_bitmap_add(Action *a, const BlockDirtyBitmapAdd *args, GError **error)
{
    BlockNode *n = block_skip_implicit(block_node_or_device(args->node, error));
    uint32_t granularity =
        args->has_granularity ? (uint32_t)args->granularity : BITMAP_DEFAULT_GRANULARITY;
    bool persistent = args->has_persistent && args->persistent;

    if (!n) {
        return false;
    }
    if (!args->name || !*args->name) {
        return fail(error, "Bitmap name cannot be empty");
    }
    if (persistent && dirty_bitmap_find(n, args->name)) {
        return fail(error, "Bitmap already exists: %s", args->name);
    }
    if (persistent && (!n->driver->co_can_store_bitmap ||
                       !n->driver->co_can_store_bitmap(n, args->name, granularity, error))) {
        return *error ? false
                      : fail(error, "Block driver '%s' does not support persistent bitmaps",
                             n->driver->name);
    }
    a->bitmap = dirty_bitmap_new(n, args->name, granularity, error);
    if (!a->bitmap) {
        return false;
    }
    a->bitmap->persistent = persistent;
    a->bitmap->enabled = !args->has_disabled || !args->disabled;
    return true;
}

static void undo_bitmap_add(Action *a)
{
    if (a->bitmap) {
        dirty_bitmap_free(a->bitmap);
    }
}

static DirtyBitmap *find_bitmap(const BlockDirtyBitmap *args, unsigned refuse, GError **error)
{
    BlockNode *n;
    DirtyBitmap *b = dirty_bitmap_lookup(args->node, args->name, &n, error);

    return b && dirty_bitmap_check(b, refuse, error) ? b : NULL;
}

static bool prepare_bitmap_clear(Action *a, const BlockDirtyBitmap *args, GError **error)
{
    a->bitmap = find_bitmap(args, BITMAP_BUSY | BITMAP_INCONSISTENT, error);
    return a->bitmap != NULL;
}

static void commit_bitmap_clear(Action *a)
{
    dirty_bitmap_clear_all(a->bitmap);
}

static bool prepare_bitmap_enable(Action *a, const BlockDirtyBitmap *args, bool enable,
                                  GError **error)
{
    a->bitmap = find_bitmap(args, BITMAP_BUSY | BITMAP_INCONSISTENT, error);
    if (a->bitmap) {
        a->was = a->bitmap->enabled;
        a->bitmap->enabled = enable;
    }
    return a->bitmap != NULL;
}

static void undo_bitmap_enable(Action *a)
{
    if (a->bitmap) {
        a->bitmap->enabled = a->was;
    }
}

typedef struct RemoveCall {
    DirtyBitmap *b;
    GError **error;
    bool good;
} RemoveCall;

static void co_remove(void *opaque)
{
    RemoveCall *c = opaque;
    BlockNode *n = c->b->node;

    c->good = !n->driver->co_remove_bitmap || n->driver->co_remove_bitmap(n, c->b->name, c->error);
}

static void commit_bitmap_remove(Action *a)
{
    g_autoptr(GError) why = NULL;
    RemoveCall c = { .b = a->bitmap, .error = &why };

    if (a->bitmap->persistent) {
        block_run(co_remove, &c);
    }
    dirty_bitmap_free(a->bitmap);
}

static bool prepare_bitmap_merge(Action *a, struct json_object *data, GError **error)
{
    const char *node = keyval_get(data, "node"), *target = keyval_get(data, "target");
    BlockDirtyBitmap t = { .node = (char *)node, .name = (char *)target };
    struct json_object *list;
    uint64_t bytes;

    if (!node || !target || !json_object_object_get_ex(data, "bitmaps", &list) ||
        !json_object_is_type(list, json_type_array)) {
        return fail(error, "Parameter '%s' is missing",
                    !node     ? "node"
                    : !target ? "target"
                              : "bitmaps");
    }
    a->bitmap = find_bitmap(&t, BITMAP_BUSY | BITMAP_INCONSISTENT, error);
    if (!a->bitmap) {
        return false;
    }
    bytes = (dirty_bitmap_bits(a->bitmap) + 7) / 8;
    a->backup = g_memdup2(a->bitmap->map, bytes);
    a->backup_bytes = bytes;
    a->backup_count = a->bitmap->count;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        bool text = json_object_is_type(item, json_type_string);
        BlockDirtyBitmap s = {
            .node = (char *)(text ? node : keyval_get(item, "node")),
            .name = (char *)(text ? json_object_get_string(item) : keyval_get(item, "name"))};
        DirtyBitmap *from = s.node && s.name ? find_bitmap(&s, BITMAP_INCONSISTENT, error) : NULL;

        if (!from || !dirty_bitmap_merge(a->bitmap, from, error)) {
            return *error ? false : fail(error, "Parameter 'bitmaps' expects names");
        }
    }
    return true;
}

static void undo_bitmap_merge(Action *a)
{
    if (a->backup) {
        memcpy(a->bitmap->map, a->backup, a->backup_bytes);
        a->bitmap->count = a->backup_count;
    }
}

/* ---- transactions ---- */

static bool typed(const QapiType *t, struct json_object *data, void **slot, GError **error)
{
    return qapi_from_json(t, data, slot, error);
}

/* One action by its name; what it must undo or finish is in *a. */
bool action_prepare(Action *a, const char *type, struct json_object *data, JobTxn *txn,
                    GError **error)
{
    const QapiType *t = NULL;
    void *args = NULL;
    bool good;

    if (strcmp(type, "abort") == 0) {
        return fail(error, "Transaction aborted using Abort action");
    }
    if (strcmp(type, "block-dirty-bitmap-merge") == 0) {
        a->undo = undo_bitmap_merge;
        return prepare_bitmap_merge(a, data, error);
    }
    if (strcmp(type, "blockdev-snapshot") == 0) {
        t = &qapi_type_BlockdevSnapshot;
    } else if (strcmp(type, "blockdev-snapshot-sync") == 0) {
        t = &qapi_type_BlockdevSnapshotSync;
    } else if (strcmp(type, "blockdev-snapshot-internal-sync") == 0) {
        t = &qapi_type_BlockdevSnapshotInternal;
    } else if (strcmp(type, "block-dirty-bitmap-add") == 0) {
        t = &qapi_type_BlockDirtyBitmapAdd;
    } else if (g_str_has_prefix(type, "block-dirty-bitmap-")) {
        t = &qapi_type_BlockDirtyBitmap;
    } else if (strcmp(type, "blockdev-backup") == 0) {
        t = &qapi_type_BlockdevBackup;
    } else if (strcmp(type, "drive-backup") == 0) {
        t = &qapi_type_DriveBackup;
    } else {
        return fail(error, "Invalid parameter '%s'", type);
    }
    if (!typed(t, data, &args, error)) {
        return false;
    }
    if (t == &qapi_type_BlockdevSnapshot || t == &qapi_type_BlockdevSnapshotSync) {
        a->undo = undo_snapshot;
        a->clean = clean_snapshot;
        good = t == &qapi_type_BlockdevSnapshot ? prepare_snapshot(a, args, error)
                                                : prepare_snapshot_sync(a, args, error);
    } else if (t == &qapi_type_BlockdevSnapshotInternal) {
        a->undo = undo_internal;
        good = prepare_internal(a, args, error);
    } else if (t == &qapi_type_BlockDirtyBitmapAdd) {
        a->undo = undo_bitmap_add;
        good = prepare_bitmap_add(a, args, error);
    } else if (t == &qapi_type_BlockdevBackup || t == &qapi_type_DriveBackup) {
        a->job = t == &qapi_type_BlockdevBackup ? blockdev_backup_prepare(args, txn, error)
                                                : drive_backup_prepare(args, txn, error);
        good = a->job != NULL;
    } else if (strcmp(type, "block-dirty-bitmap-clear") == 0) {
        a->commit = commit_bitmap_clear;
        good = prepare_bitmap_clear(a, args, error);
    } else if (strcmp(type, "block-dirty-bitmap-remove") == 0) {
        a->commit = commit_bitmap_remove;
        a->bitmap = find_bitmap(args, BITMAP_BUSY, error);
        good = a->bitmap != NULL;
    } else if (strcmp(type, "block-dirty-bitmap-enable") == 0 ||
               strcmp(type, "block-dirty-bitmap-disable") == 0) {
        a->undo = undo_bitmap_enable;
        good =
            prepare_bitmap_enable(a, args, strcmp(type, "block-dirty-bitmap-enable") == 0, error);
    } else {
        good = fail(error, "Invalid parameter '%s'", type);
    }
    qapi_free(t, args);
    return good;
}

static void drop_job(BlockJob *j)
{
    if (j->driver->clean) {
        j->driver->clean(j);
    }
    job_drop(j);
}

bool transaction_run(struct json_object *actions, bool grouped, GError **error)
{
    size_t count = json_object_array_length(actions);
    g_autofree Action *list = g_new0(Action, count + 1);
    JobTxn *txn = grouped ? job_txn_new() : NULL;
    bool good = true;
    size_t n = 0;

    block_graph_lock();
    for (; good && n < count; n++) {
        struct json_object *item = json_object_array_get_idx(actions, n), *data = NULL;
        const char *type =
            json_object_is_type(item, json_type_object) ? keyval_get(item, "type") : NULL;

        good = type ? json_object_object_get_ex(item, "data", &data) ||
                          fail(error, "Parameter 'data' is missing")
                    : fail(error, "Parameter 'type' is missing");
        good = good && action_prepare(&list[n], type, data, txn, error);
    }
    for (size_t i = n; !good && i-- > 0;) {
        if (list[i].undo) {
            list[i].undo(&list[i]);
        }
        if (list[i].job) {
            drop_job(list[i].job);
        }
    }
    for (size_t i = 0; good && i < n; i++) {
        if (list[i].commit) {
            list[i].commit(&list[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (list[i].clean) {
            list[i].clean(&list[i]);
        } else {
            block_node_unref(list[i].node);
        }
        g_free(list[i].text);
        g_free(list[i].backup);
    }
    block_graph_unlock();
    for (size_t i = 0; good && i < n; i++) {
        if (list[i].job) {
            job_start(list[i].job);
        }
    }
    job_txn_unref(txn);
    return good;
}

bool qmp_transaction(QmpCall *call, const QmpTransactionArgs *args, GError **error)
{
    bool grouped = args->properties && args->properties->has_completion_mode &&
                   args->properties->completion_mode == ACTION_COMPLETION_MODE_GROUPED;

    if (!json_object_is_type(args->actions, json_type_array)) {
        return fail(error, "Invalid parameter type for 'actions', expected: array");
    }
    return transaction_run(args->actions, grouped, error);
}

/* A command that is an action by itself. */
static bool single(const char *type, struct json_object *data, GError **error)
{
    struct json_object *actions = json_object_new_array(), *one = json_object_new_object();
    bool good;

    json_object_object_add(one, "type", json_object_new_string(type));
    json_object_object_add(one, "data", json_object_get(data));
    json_object_array_add(actions, one);
    good = transaction_run(actions, false, error);
    json_object_put(actions);
    return good;
}

#define SINGLE(fn, type)                                             \
    bool fn(QmpCall *call, struct json_object *args, GError **error) \
    {                                                                \
        return single(type, args, error);                            \
    }
SINGLE(qmp_blockdev_snapshot, "blockdev-snapshot")
SINGLE(qmp_blockdev_snapshot_sync, "blockdev-snapshot-sync")
SINGLE(qmp_block_dirty_bitmap_add, "block-dirty-bitmap-add")
SINGLE(qmp_block_dirty_bitmap_remove, "block-dirty-bitmap-remove")
SINGLE(qmp_block_dirty_bitmap_clear, "block-dirty-bitmap-clear")
SINGLE(qmp_block_dirty_bitmap_enable, "block-dirty-bitmap-enable")
SINGLE(qmp_block_dirty_bitmap_disable, "block-dirty-bitmap-disable")
SINGLE(qmp_block_dirty_bitmap_merge, "block-dirty-bitmap-merge")
