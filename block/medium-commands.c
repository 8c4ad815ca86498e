// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands about media and nodes as they are: trays, changing media, sizes, thresholds, reopening.
 */
#include <json-c/json.h>
#include <string.h>

#include "block/drive.h"
#include "block/driver.h"
#include "block/graph.h"
#include "block/query.h"
#include "qapi/qapi-commands.h"
#include "util/error.h"

/* ---- finding devices ---- */

static BlockFront *find_front(const char *device, const char *id, GError **error)
{
    if (!device == !id) {
        return fail_null(error, "Need exactly one of 'device' and 'id'");
    }
    BlockFront *found = block_front_find(device, id);

    if (!found) {
        if (device && drive_find(device)) {
            return fail_null(error, "Device '%s' is not attached to a device", device);
        }
        fail_class(error, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", device ? device : id);
    }
    return found;
}

/* ---- trays and media ---- */

static bool has_tray(const BlockFront *b)
{
    return b->ops && b->ops->tray_open;
}

/* False: the guest has locked it, and was asked to open it. */
static bool open_tray(BlockFront *b, bool force, GError **error)
{
    bool locked = front_tray_locked(b);

    if (!b->removable) {
        return fail(error, "Device '%s' is not removable", b->name);
    }
    if (front_tray_open(b)) {
        return true;
    }
    if (locked && b->ops->eject_request) {
        b->ops->eject_request(b->opaque, force);
    }
    if (locked && !force) {
        return fail(error,
                    "Device '%s' is locked and force was not specified, wait for tray to open and "
                    "try again",
                    b->name);
    }
    block_front_move_tray(b, true);
    return true;
}

static bool put_medium(BlockFront *b, BlockNode *n, GError **error)
{
    if (has_tray(b) && !front_tray_open(b)) {
        return fail(error, "Tray of device '%s' is not open", b->name);
    }
    if (!block_front_change(b, n, error)) {
        return false;
    }
    if (b->drive) {
        drive_set_node(b->drive, n ? block_node_ref(n) : NULL);
    }
    if (!has_tray(b)) {
        block_front_move_tray(b, !n);   /* a floppy drive sees the disk itself */
    }
    return true;
}

/* A drive without a device has no tray. */
static bool loose_drive(const char *device, GError **error)
{
    Drive *d = device ? drive_find(device) : NULL;

    if (!d || d->front) {
        return false;
    }
    drive_set_node(d, NULL);
    return true;
}

bool qmp_eject(QmpCall *call, const QmpEjectArgs *a, GError **error)
{
    BlockFront *b;

    if (!a->id && loose_drive(a->device, error)) {
        return true;
    }
    b = find_front(a->device, a->id, error);
    return b && open_tray(b, a->has_force && a->force, error) && put_medium(b, NULL, error);
}

bool qmp_blockdev_open_tray(QmpCall *call, const QmpBlockdevOpenTrayArgs *a, GError **error)
{
    BlockFront *b = find_front(a->device, a->id, error);

    return b && open_tray(b, a->has_force && a->force, error);
}

bool qmp_blockdev_close_tray(QmpCall *call, const QmpBlockdevCloseTrayArgs *a, GError **error)
{
    BlockFront *b = find_front(a->device, a->id, error);

    if (!b || !b->removable) {
        return b && fail(error, "Device '%s' is not removable", b->name);
    }
    if (front_tray_open(b)) {
        block_front_move_tray(b, false);
    }
    return true;
}

bool qmp_blockdev_remove_medium(QmpCall *call, const QmpBlockdevRemoveMediumArgs *a, GError **error)
{
    BlockFront *b = find_front(NULL, a->id, error);

    return b && put_medium(b, NULL, error);
}

bool qmp_blockdev_insert_medium(QmpCall *call, const QmpBlockdevInsertMediumArgs *a, GError **error)
{
    BlockFront *b = find_front(NULL, a->id, error);
    BlockNode *n = b ? block_node_find(a->node_name) : NULL;

    if (!b) {
        return false;
    }
    if (!n) {
        return fail(error, "Node '%s' not found", a->node_name);
    }
    if (b->node) {
        return fail(error, "There already is a medium in device '%s'", a->id);
    }
    return put_medium(b, n, error);
}

bool qmp_blockdev_change_medium(QmpCall *call, const QmpBlockdevChangeMediumArgs *a, GError **error)
{
    BlockFront *b = find_front(a->device, a->id, error);
    struct json_object *more;
    BlockNode *n;
    bool good, read_only;

    if (!b) {
        return false;
    }
    if (!b->removable) {
        return fail(error, "Device '%s' is not removable", b->name);
    }
    read_only = a->has_read_only_mode && a->read_only_mode != BLOCKDEV_CHANGE_READ_ONLY_MODE_RETAIN
                    ? a->read_only_mode == BLOCKDEV_CHANGE_READ_ONLY_MODE_READ_ONLY
                    : b->read_only || (b->drive && b->drive->info.cdrom);
    more = json_object_new_object();
    json_object_object_add(more, "read-only", json_object_new_boolean(read_only));
    n = block_open_image(a->filename, a->format, more, BLOCK_OPEN_AUTO_READ_ONLY, error);
    json_object_put(more);
    if (!n) {
        return false;
    }
    good = open_tray(b, a->has_force && a->force, error) &&
           (!b->node || put_medium(b, NULL, error)) && put_medium(b, n, error);
    block_node_unref(n);
    if (good) {
        block_front_move_tray(b, false);
    }
    return good;
}

/* ---- nodes ---- */

bool qmp_block_resize(QmpCall *call, const QmpBlockResizeArgs *a, GError **error)
{
    BlockNode *n = block_node_or_device(a->device      ? a->device
                                        : a->node_name ? a->node_name
                                                       : "",
                                        error);
    bool good;

    if (!n) {
        return false;
    }
    if (a->size < 0) {
        return fail(error, "Parameter 'size' expects a >0 size");
    }
    if (n->job) {
        return fail(error, "Node '%s' is busy: block device is in use by block job: %s", n->name,
                    n->job);
    }
    block_graph_lock();
    good = block_truncate(n, (uint64_t)a->size, PREALLOC_OFF, error);
    block_graph_unlock();
    return good;
}

bool qmp_block_set_write_threshold(QmpCall *call, const QmpBlockSetWriteThresholdArgs *a,
                                   GError **error)
{
    BlockNode *n = block_node_find(a->node_name);

    if (!n) {
        return fail(error, "Device '%s' not found", a->node_name);
    }
    n->write_threshold = a->write_threshold;
    return true;
}

bool qmp_change_backing_file(QmpCall *call, const QmpChangeBackingFileArgs *a, GError **error)
{
    BlockNode *top = block_node_or_device(a->device, error);
    BlockNode *n = top ? block_node_find(a->image_node_name) : NULL;
    bool was, good;

    if (!top) {
        return false;
    }
    if (!n) {
        return fail(error, "image file not found");
    }
    if (!n->driver->backing || !n->backing) {
        return fail(error, "not allowing backing file change on an image without a backing file");
    }
    if (!block_chain_contains(top, n)) {
        return fail(error, "'%s' and image file are not in the same chain", a->device);
    }
    was = n->read_only;
    block_graph_lock();
    good = (!was || block_make_writable(n, error)) &&
           block_change_backing(n, a->backing_file, n->backing->driver->name, error) &&
           (!was || block_make_read_only(n, error));
    block_graph_unlock();
    return good;
}

/* ---- reopening: what may change while a node is in use ---- */

/* A filter shows another node. */
static bool change_file(BlockNode *n, BlockNode *to, GError **error)
{
    BlockNode *old = n->file;
    unsigned role = BLOCK_ROLE_FILTERED | BLOCK_ROLE_PRIMARY;

    for (unsigned i = 0; i < n->children->len; i++) {
        const BlockEdge *e = g_ptr_array_index(n->children, i);

        role = e->node == old && strcmp(e->name, "file") == 0 ? e->role : role;
    }
    if (!n->driver->filter) {
        return fail(error, "Cannot change the option 'file' of node '%s'", n->name);
    }
    if (old) {
        block_node_ref(old);
        block_child_detach(n, "file");
    }
    if (!block_child_attach(n, block_node_ref(to), "file", role, error)) {
        g_autoptr(GError) ignored = NULL;

        if (old) {
            block_child_attach(n, old, "file", role, &ignored);
        }
        return false;
    }
    block_node_unref(old);
    if (n->driver->children_changed) {
        n->driver->children_changed(n);
    }
    n->length = to->length;
    return true;
}

static bool reopen_one(struct json_object *o, GError **error)
{
    const char *name = json_object_is_type(o, json_type_object) ? keyval_get(o, "node-name") : NULL;
    BlockNode *n = name ? block_node_find(name) : NULL;
    BlockNode wish = { .open_flags = BLOCK_OPEN_BLOCKDEV };
    struct json_object *backing, *own;

    if (!name) {
        return fail(error, "node-name not specified");
    }
    if (!n) {
        return fail(error, "Failed to find node with node-name='%s'", name);
    }
    if (!keyval_get(o, "driver") || strcmp(keyval_get(o, "driver"), n->driver->name) != 0) {
        return fail(error, "Cannot change the option 'driver'");
    }
    own = block_own_options(n->driver, o, true, error);
    if (!own || !block_get_common(&wish, o, error)) {
        json_object_put(own);
        return false;
    }
    json_object_put(own);
    if (n->driver->backing && n->backing && !json_object_object_get_ex(o, "backing", &backing)) {
        return fail(error, "backing is missing for '%s'", name);
    }
    if (json_object_object_get_ex(o, "backing", &backing) && n->driver->backing) {
        const char *below = backing && json_object_is_type(backing, json_type_string)
                                ? json_object_get_string(backing)
                                : NULL;
        BlockNode *to = below ? block_node_find(below) : NULL;

        if (below && !to) {
            return fail(error, "Cannot find device='' nor node-name='%s'", below);
        }
        if (to != n->backing && !block_set_backing(n, to, error)) {
            return false;
        }
    }
    if (json_object_object_get_ex(o, "file", &backing) &&
        json_object_is_type(backing, json_type_string)) {
        BlockNode *to = block_node_find(json_object_get_string(backing));

        if (!to) {
            return fail(error, "Cannot find device='' nor node-name='%s'",
                        json_object_get_string(backing));
        }
        if (to != n->file && !change_file(n, to, error)) {
            return false;
        }
    }
    if (!(wish.read_only ? block_make_read_only(n, error) : block_make_writable(n, error))) {
        return false;
    }
    n->unmap = wish.unmap;
    n->detect_zeroes = wish.detect_zeroes;
    n->no_flush = wish.no_flush;
    json_object_put(n->options);
    n->options = json_object_get(o);
    return true;
}

bool qmp_blockdev_reopen(QmpCall *call, const QmpBlockdevReopenArgs *a, GError **error)
{
    bool good = true;

    block_graph_lock();
    for (unsigned i = 0; good && a->options && i < a->options->len; i++) {
        good = reopen_one(g_ptr_array_index(a->options, i), error);
    }
    block_graph_unlock();
    return good;
}
