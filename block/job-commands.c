// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands that start jobs which copy: commit, stream, mirror, backup. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "block/bitmap.h"
#include "block/drive.h"
#include "block/driver.h"
#include "block/job-kinds.h"
#include "block/transaction.h"
#include "qapi/qapi-commands.h"
#include "util/error.h"

#define PARAMS(a)                                                       \
    {                                                                   \
        .id = (a)->job_id, .speed = (a)->has_speed ? (a)->speed : 0,    \
        .auto_finalize = !(a)->has_auto_finalize || (a)->auto_finalize, \
        .auto_dismiss = !(a)->has_auto_dismiss || (a)->auto_dismiss     \
    }

static bool has_name(BlockNode *n, const char *file)
{
    g_autofree char *full = block_node_filename(n);

    return strcmp(n->filename, file) == 0 || strcmp(full, file) == 0;
}

static BlockNode *find_in_chain(BlockNode *top, const char *file, const char *node, GError **error)
{
    for (BlockNode *n = top; n; n = block_below(n)) {
        if (node ? strcmp(n->name, node) == 0
                 : !n->driver->filter && has_name(n, file)) {
            return n;
        }
    }
    return node ? fail_null(error, "'%s' is not in this backing file chain", node)
                : fail_null(error, "Can't find '%s' in the backing chain", file);
}

/* ---- commit ---- */

static BlockNode *lowest(BlockNode *n)
{
    while (block_below(n)) {
        n = block_below(n);
    }
    return n;
}

bool qmp_block_commit(QmpCall *call, const QmpBlockCommitArgs *a, GError **error)
{
    JobParams p = PARAMS(a);
    BlockNode *active = block_node_or_device(a->device, error), *top, *base;
    int on_error = a->has_on_error ? (int)a->on_error : BLOCKDEV_ON_ERROR_REPORT;

    if (!active) {
        return false;
    }
    if ((a->top && a->top_node) || (a->base && a->base_node)) {
        return fail(error, a->top && a->top_node ? "'top-node' and 'top' are mutually exclusive"
                                                 : "'base-node' and 'base' are mutually exclusive");
    }
    p.filter_name = a->filter_node_name;
    top = a->top || a->top_node ? find_in_chain(active, a->top, a->top_node, error) : active;
    if (!top) {
        return false;
    }
    base = a->base_node  ? find_in_chain(top, NULL, a->base_node, error)
           : a->base     ? find_in_chain(block_below(top), a->base, NULL, error)
                         : lowest(top);
    if (!base) {
        return false;
    }
    if (base == top) {
        return a->base || a->base_node
                   ? fail(error, "cannot commit an image into itself")
                   : fail(error, "There is no backing image for '%s'", top->name);
    }
    if (!p.id && active) {
        p.id = drive_find(a->device) ? a->device : NULL;
    }
    if (top == active) {
        MirrorParams w = {.source = active,
                          .target = base,
                          .commit = true,
                          .sync = MIRROR_SYNC_MODE_FULL,
                          .on_source = on_error,
                          .on_target = on_error};

        if (a->backing_file) {
            return fail(error, "'backing-file' specified, but 'top' is the active layer");
        }
        return block_make_writable(base, error) && job_mirror_start(&p, &w, error);
    }
    return job_commit_start(&p, active, top, base, a->backing_file, on_error, error);
}

/* ---- stream ---- */

bool qmp_block_stream(QmpCall *call, const QmpBlockStreamArgs *a, GError **error)
{
    JobParams p = PARAMS(a);
    BlockNode *n = block_node_or_device(a->device, error), *base = NULL;

    if (!n) {
        return false;
    }
    p.filter_name = a->filter_node_name;
    if ((a->base != NULL) + (a->base_node != NULL) + (a->bottom != NULL) > 1) {
        return fail(error, "'base', 'base-node' and 'bottom' are mutually exclusive");
    }
    if (a->base || a->base_node) {
        base = find_in_chain(n, a->base, a->base_node, error);
        if (!base) {
            return false;
        }
        if (base == n) {
            return fail(error, "Node '%s' is itself the base", n->name);
        }
    } else if (a->bottom) {
        BlockNode *bottom = find_in_chain(n, NULL, a->bottom, error);

        if (!bottom) {
            return false;
        }
        base = block_below(bottom);
    }
    if (!base && a->backing_file) {
        return fail(error, "backing file specified, but streaming the entire chain");
    }
    if (!p.id) {
        p.id = drive_find(a->device) ? a->device : NULL;
    }
    return job_stream_start(&p, block_skip_filters(n), base, a->backing_file,
                            a->has_on_error ? (int)a->on_error : BLOCKDEV_ON_ERROR_REPORT, error);
}

/* ---- mirror ---- */

#define MIRROR_PARAMS(a)                                                                          \
    {                                                                                             \
        .sync = (int)(a)->sync, .granularity = (a)->has_granularity ? (a)->granularity : 0,       \
        .on_source =                                                                              \
            (a)->has_on_source_error ? (int)(a)->on_source_error : BLOCKDEV_ON_ERROR_REPORT,      \
        .on_target =                                                                              \
            (a)->has_on_target_error ? (int)(a)->on_target_error : BLOCKDEV_ON_ERROR_REPORT,      \
        .buf_size = (a)->has_buf_size ? (uint64_t)(a)->buf_size : 0,                              \
        .write_blocking = (a)->has_copy_mode && (a)->copy_mode == MIRROR_COPY_MODE_WRITE_BLOCKING \
    }

static bool start_mirror(const JobParams *p, MirrorParams w, const char *replaces, GError **error)
{
    int64_t granularity = w.granularity;

    if (w.sync == MIRROR_SYNC_MODE_INCREMENTAL || w.sync == MIRROR_SYNC_MODE_BITMAP) {
        return fail(error, "Sync mode '%s' not supported",
                    qapi_enum_name(&qapi_type_MirrorSyncMode, w.sync));
    }
    if (granularity != 0 && (granularity < 512 || granularity > 64 * 1048576)) {
        return fail(error, "Parameter 'granularity' expects a value in range [512B, 64MB]");
    }
    if (granularity & (granularity - 1)) {
        return fail(error, "Parameter 'granularity' expects a power of 2");
    }
    if (w.source == w.target) {
        return fail(error, "Can't mirror node into itself");
    }
    if (replaces) {
        w.replaces = block_node_find(replaces);
        if (!w.replaces) {
            return fail(error, "Failed to find node with node-name='%s'", replaces);
        }
    }
    return job_mirror_start(p, &w, error);
}

bool qmp_blockdev_mirror(QmpCall *call, const QmpBlockdevMirrorArgs *a, GError **error)
{
    JobParams p = PARAMS(a);
    MirrorParams w = MIRROR_PARAMS(a);

    if (!p.id) {
        p.id = drive_find(a->device) ? a->device : NULL;
    }
    p.filter_name = a->filter_node_name;
    w.unmap = true;
    w.source = block_node_or_device(a->device, error);
    w.target = w.source ? block_node_or_device(a->target, error) : NULL;
    return w.target && start_mirror(&p, w, a->replaces, error);
}

/* The image that drive-mirror and drive-backup write to, made or there already. */
static BlockNode *open_target(const char *name, const char *format, BlockNode *source, int mode,
                              bool with_backing, const char *node_name, GError **error)
{
    const BlockDriver *d = block_driver_find(format ? format : source->driver->name);
    struct json_object *more, *o;
    BlockNode *n;

    if (!d) {
        return fail_null(error,
                         mode == NEW_IMAGE_MODE_EXISTING ? "Unknown driver '%s'"
                                                         : "Unknown file format '%s'",
                         format);
    }
    if (mode != NEW_IMAGE_MODE_EXISTING) {
        bool good;

        o = json_object_new_object();
        json_object_object_add(o, "size", json_object_new_uint64(source->length));
        if (with_backing && d->backing && block_below(source)) {
            BlockNode *below = block_skip_filters(block_below(source));

            json_object_object_add(o, "backing_file", json_object_new_string(below->filename));
            json_object_object_add(o, "backing_fmt", json_object_new_string(below->driver->name));
        }
        good = block_create(d, name, o, error);
        json_object_put(o);
        if (!good) {
            return NULL;
        }
    }
    more = json_object_new_object();
    json_object_object_add(more, "discard", json_object_new_string("unmap"));
    if (node_name) {
        json_object_object_add(more, "node-name", json_object_new_string(node_name));
    }
    n = block_open_image(name, d->name, more, BLOCK_OPEN_NO_BACKING | BLOCK_OPEN_QUIET, error);
    json_object_put(more);
    return n;
}

bool qmp_drive_mirror(QmpCall *call, const QmpDriveMirrorArgs *a, GError **error)
{
    JobParams p = PARAMS(a);
    MirrorParams w = MIRROR_PARAMS(a);
    BlockNode *source = block_node_or_device(a->device, error), *target;
    int mode = a->has_mode ? (int)a->mode : NEW_IMAGE_MODE_ABSOLUTE_PATHS;
    bool good;

    target = source ? open_target(a->target, a->format, source, mode,
                                  a->sync != MIRROR_SYNC_MODE_FULL, a->node_name, error)
                    : NULL;
    if (!target) {
        return false;
    }
    if (!p.id) {
        p.id = drive_find(a->device) ? a->device : NULL;
    }
    w.source = source;
    w.target = target;
    w.zero_target = mode != NEW_IMAGE_MODE_EXISTING;
    w.unmap = !a->has_unmap || a->unmap;
    good = start_mirror(&p, w, a->replaces, error);
    block_node_unref(target);
    return good;
}

/* ---- backup ---- */

typedef struct BackupWish {
    int sync, bitmap_mode;
    bool has_bitmap_mode;
    const char *bitmap;
    bool compress;
    int on_source, on_target;
} BackupWish;

#define WISH(a)                                                                                    \
    {                                                                                              \
        .sync = (int)(a)->sync,                                                                    \
        .bitmap_mode = (a)->has_bitmap_mode ? (int)(a)->bitmap_mode : BITMAP_SYNC_MODE_ON_SUCCESS, \
        .has_bitmap_mode = (a)->has_bitmap_mode, .bitmap = (a)->bitmap,                            \
        .compress = (a)->has_compress && (a)->compress,                                            \
        .on_source =                                                                               \
            (a)->has_on_source_error ? (int)(a)->on_source_error : BLOCKDEV_ON_ERROR_REPORT,       \
        .on_target =                                                                               \
            (a)->has_on_target_error ? (int)(a)->on_target_error : BLOCKDEV_ON_ERROR_REPORT        \
    }

static BlockJob *backup(const JobParams *p, BlockNode *source, BlockNode *target, BackupWish w,
                        GError **error)
{
    DirtyBitmap *b = NULL;

    if ((w.sync == MIRROR_SYNC_MODE_INCREMENTAL || w.sync == MIRROR_SYNC_MODE_BITMAP) &&
        !w.bitmap) {
        return fail_null(error, "must provide a valid bitmap name for '%s' sync mode",
                         qapi_enum_name(&qapi_type_MirrorSyncMode, w.sync));
    }
    if (w.sync == MIRROR_SYNC_MODE_INCREMENTAL) {
        if (w.has_bitmap_mode && w.bitmap_mode != BITMAP_SYNC_MODE_ON_SUCCESS) {
            return fail_null(
                error, "Bitmap sync mode must be 'on-success' when using sync mode 'incremental'");
        }
        w.has_bitmap_mode = true;
    }
    if (w.bitmap && !w.has_bitmap_mode) {
        return fail_null(error, "Bitmap sync mode must be given when providing a bitmap");
    }
    if (w.bitmap) {
        b = dirty_bitmap_find(source, w.bitmap);
        if (!b) {
            return fail_null(error, "Bitmap '%s' could not be found", w.bitmap);
        }
        if (!dirty_bitmap_check(b, BITMAP_BUSY | BITMAP_INCONSISTENT, error)) {
            return NULL;
        }
        if (w.sync == MIRROR_SYNC_MODE_NONE) {
            return fail_null(error, "sync mode 'none' does not produce meaningful bitmap outputs");
        }
    }
    return job_backup_start(p, source, target, w.sync, w.bitmap_mode, b, w.compress, w.on_source,
                            w.on_target, error);
}

BlockJob *blockdev_backup_prepare(const BlockdevBackup *a, JobTxn *txn, GError **error)
{
    JobParams p = PARAMS(a);
    BackupWish w = WISH(a);
    BlockNode *source = block_node_or_device(a->device, error);
    BlockNode *target = source ? block_node_or_device(a->target, error) : NULL;

    p.txn = txn;
    p.filter_name = a->filter_node_name;
    p.id = p.id ? p.id : drive_find(a->device) ? a->device : NULL;
    return target ? backup(&p, source, target, w, error) : NULL;
}

BlockJob *drive_backup_prepare(const DriveBackup *a, JobTxn *txn, GError **error)
{
    JobParams p = PARAMS(a);
    BackupWish w = WISH(a);
    BlockNode *source = block_node_or_device(a->device, error), *target;
    BlockJob *j;

    p.txn = txn;
    p.filter_name = a->filter_node_name;
    target = source ? open_target(a->target, a->format, source,
                                  a->has_mode ? (int)a->mode : NEW_IMAGE_MODE_ABSOLUTE_PATHS,
                                  a->sync == MIRROR_SYNC_MODE_TOP, NULL, error)
                    : NULL;
    if (!target) {
        return NULL;
    }
    p.id = p.id ? p.id : drive_find(a->device) ? a->device : NULL;
    j = backup(&p, source, target, w, error);
    block_node_unref(target);
    return j;
}

bool qmp_blockdev_backup(QmpCall *call, const BlockdevBackup *a, GError **error)
{
    BlockJob *j = blockdev_backup_prepare(a, NULL, error);

    if (j) {
        job_start(j);
    }
    return j != NULL;
}

bool qmp_drive_backup(QmpCall *call, const DriveBackup *a, GError **error)
{
    BlockJob *j = drive_backup_prepare(a, NULL, error);

    if (j) {
        job_start(j);
    }
    return j != NULL;
}
