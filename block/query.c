// SPDX-License-Identifier: GPL-2.0-or-later
/* What the monitors ask of block devices: query-block and its like, info block. */
#include <json-c/json.h>
#include <string.h>

#include "block/drive.h"
#include "block/bitmap.h"
#include "block/driver.h"
#include "block/throttle.h"
#include "block/query.h"
#include "qapi/qapi-commands.h"
#include "qom/object.h"
#include "util/error.h"

static char *owner_path(const BlockFront *b)
{
    Object *owner = b->owner;
    Object *below = owner ? object_child(owner, "virtio-backend") : NULL;

    return owner && owner->parent ? object_path(below ? below : owner) : NULL;
}

static bool tray_is_open(const BlockFront *b)
{
    return b->ops && b->ops->tray_open && b->ops->tray_open(b->opaque);
}

static bool tray_is_locked(const BlockFront *b)
{
    return b->ops && b->ops->locked && b->ops->locked(b->opaque);
}

typedef struct InfoCall {
    BlockNode *n;
    BlockImageInfo info;
    GArray *snapshots;
    bool good;
} InfoCall;

static void co_image_info(void *opaque)
{
    InfoCall *c = opaque;
    g_autoptr(GError) ignored = NULL;

    c->good = c->n->driver->co_info && c->n->driver->co_info(c->n, &c->info, &ignored);
    if (c->n->driver->co_snapshot_list) {
        g_clear_error(&ignored);
        c->n->driver->co_snapshot_list(c->n, c->snapshots, &ignored);
    }
}

static GPtrArray *snapshot_infos(const GArray *list)
{
    GPtrArray *out = g_ptr_array_new();

    for (unsigned i = 0; i < list->len; i++) {
        const BlockSnapshot *s = &g_array_index(list, BlockSnapshot, i);
        SnapshotInfo *o = g_new0(SnapshotInfo, 1);

        o->id = g_strdup(s->id);
        o->name = g_strdup(s->name);
        o->vm_state_size = (int64_t)s->vm_state_size;
        o->date_sec = s->date_sec;
        o->date_nsec = s->date_nsec;
        o->vm_clock_sec = (int64_t)(s->vm_clock_nsec / 1000000000);
        o->vm_clock_nsec = (int64_t)(s->vm_clock_nsec % 1000000000);
        o->has_icount = s->icount != -1;
        o->icount = s->icount;
        g_ptr_array_add(out, o);
    }
    return out;
}

/* deep: also of the images below. */
static ImageInfo *image_info(BlockNode *n, bool deep)
{
    g_autoptr(GArray) snapshots = g_array_new(FALSE, TRUE, sizeof(BlockSnapshot));
    InfoCall c = { .n = n, .snapshots = snapshots };
    ImageInfo *i = g_new0(ImageInfo, 1);

    block_run(co_image_info, &c);
    i->filename = g_strdup(n->filename);
    i->format = g_strdup(n->driver->name);
    i->has_dirty_flag = true;
    i->dirty_flag = c.info.dirty;
    i->virtual_size = (int64_t)n->length;
    i->actual_size = block_allocated(n);
    i->has_actual_size = i->actual_size >= 0;
    i->has_cluster_size = c.info.cluster_size != 0;
    i->cluster_size = (int64_t)c.info.cluster_size;
    i->has_encrypted = i->encrypted = n->encrypted;
    if (snapshots->len) {
        i->snapshots = snapshot_infos(snapshots);
    }
    if (c.info.specific) {
        i->format_specific = json_object_new_object();
        json_object_object_add(i->format_specific, "type",
                               json_object_new_string(c.info.specific_type ? c.info.specific_type : n->driver->name));
        json_object_object_add(i->format_specific, "data", c.info.specific);
    }
    if (n->backing_file) {
        i->backing_filename = g_strdup(n->backing_file);
        i->full_backing_filename = block_resolve_relative(n->filename, n->backing_file);
        i->backing_filename_format = g_strdup(n->backing_format);
    }
    if (deep && block_skip_implicit(block_below(n))) {
        i->backing_image = image_info(block_skip_implicit(block_below(n)), true);
    }
    return i;
}

static void add_bitmaps(BlockDeviceInfo *i, const BlockNode *n)
{
    for (unsigned k = 0; n->bitmaps && k < n->bitmaps->len; k++) {
        const DirtyBitmap *b = g_ptr_array_index(n->bitmaps, k);
        BlockDirtyInfo *d = g_new0(BlockDirtyInfo, 1);

        d->name = g_strdup(b->name);
        d->count = (int64_t)dirty_bitmap_bytes(b);
        d->granularity = b->granularity;
        d->recording = b->enabled;
        d->busy = b->busy != 0;
        d->persistent = b->persistent;
        d->has_inconsistent = d->inconsistent = b->inconsistent;
        if (!i->dirty_bitmaps) {
            i->dirty_bitmaps = g_ptr_array_new();
        }
        g_ptr_array_add(i->dirty_bitmaps, d);
    }
}

static void add_limits(BlockDeviceInfo *i, const ThrottleGroup *g)
{
    const ThrottleLimits *l = throttle_group_limits(g);

    i->bps = (int64_t)l->avg[LIMIT_BPS_TOTAL];
    i->bps_rd = (int64_t)l->avg[LIMIT_BPS_READ];
    i->bps_wr = (int64_t)l->avg[LIMIT_BPS_WRITE];
    i->iops = (int64_t)l->avg[LIMIT_IOPS_TOTAL];
    i->iops_rd = (int64_t)l->avg[LIMIT_IOPS_READ];
    i->iops_wr = (int64_t)l->avg[LIMIT_IOPS_WRITE];
    i->has_bps_max = i->has_bps_rd_max = i->has_bps_wr_max = true;
    i->bps_max = (int64_t)l->max[LIMIT_BPS_TOTAL];
    i->bps_rd_max = (int64_t)l->max[LIMIT_BPS_READ];
    i->bps_wr_max = (int64_t)l->max[LIMIT_BPS_WRITE];
    i->has_iops_max = i->has_iops_rd_max = i->has_iops_wr_max = true;
    i->iops_max = (int64_t)l->max[LIMIT_IOPS_TOTAL];
    i->iops_rd_max = (int64_t)l->max[LIMIT_IOPS_READ];
    i->iops_wr_max = (int64_t)l->max[LIMIT_IOPS_WRITE];
    i->has_iops_size = true;
    i->iops_size = (int64_t)l->iops_size;
    i->group = g_strdup(throttle_group_name(g));
}

static BlockDeviceInfo *node_info(BlockNode *n, const ThrottleGroup *g, bool writeback, bool deep)
{
    BlockDeviceInfo *i = g_new0(BlockDeviceInfo, 1);

    i->file = g_strdup(n->filename);
    i->node_name = g_strdup(n->name);
    i->ro = n->read_only;
    i->drv = g_strdup(n->driver->name);
    i->encrypted = n->encrypted;
    i->detect_zeroes = n->detect_zeroes;
    i->write_threshold = (int64_t)n->write_threshold;
    i->image = image_info(n, deep);
    if (deep && block_below(n)) {
        for (const BlockNode *b = block_below(n); b; b = block_below(b)) {
            i->backing_file_depth += !b->implicit;
        }
    }
    i->backing_file = n->backing ? g_strdup(block_skip_implicit(n->backing)->filename) : NULL;
    add_bitmaps(i, n);
    if (g) {
        add_limits(i, g);
    }
    i->cache = g_new0(BlockdevCacheInfo, 1);
    i->cache->writeback = writeback;
    i->cache->direct = n->direct;
    i->cache->no_flush = n->no_flush;
    return i;
}

static void add_info(BlockFront *b, void *opaque)
{
    BlockInfo *i = g_new0(BlockInfo, 1);

    i->device = g_strdup(b->drive ? b->name : "");
    i->qdev = owner_path(b);
    i->type = g_strdup("unknown");
    i->removable = b->removable;
    i->locked = tray_is_locked(b);
    i->has_tray_open = b->removable;
    i->tray_open = tray_is_open(b);
    i->has_io_status = true;
    i->io_status = b->io_error ? BLOCK_DEVICE_IO_STATUS_FAILED : BLOCK_DEVICE_IO_STATUS_OK;
    i->inserted = b->node ? node_info(block_skip_implicit(b->node), b->throttle, b->write_cache, true) : NULL;
    g_ptr_array_add(opaque, i);
}

GPtrArray *qmp_query_block(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();
    Drive *d;

    block_front_foreach(add_info, list);
    for (unsigned n = 0; (d = drive_nth(n)) != NULL; n++) {
        if (!d->front) {
            BlockInfo *i = g_new0(BlockInfo, 1);

            i->device = g_strdup(d->info.id);
            i->type = g_strdup("unknown");
            i->removable = true;
            i->inserted = d->node ? node_info(block_skip_implicit(d->node), NULL, d->writeback, true) : NULL;
            g_ptr_array_add(list, i);
        }
    }
    return list;
}

static void add_node(BlockNode *n, void *opaque)
{
    g_ptr_array_add(opaque, node_info(n, NULL, true, true));
}

static void add_node_flat(BlockNode *n, void *opaque)
{
    g_ptr_array_add(opaque, node_info(n, NULL, true, false));
}

GPtrArray *qmp_query_named_block_nodes(QmpCall *call, const QmpQueryNamedBlockNodesArgs *args,
                                       GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    block_node_foreach(args->has_flat && args->flat ? add_node_flat : add_node, list);
    return list;
}

static BlockDeviceStats *stats_of(const BlockCounts *s, const BlockNode *n)
{
    BlockDeviceStats *d = g_new0(BlockDeviceStats, 1);

    d->rd_bytes = (int64_t)s->bytes[BLOCK_OP_READ];
    d->wr_bytes = (int64_t)s->bytes[BLOCK_OP_WRITE];
    d->unmap_bytes = (int64_t)s->bytes[BLOCK_OP_UNMAP];
    d->rd_operations = (int64_t)s->operations[BLOCK_OP_READ];
    d->wr_operations = (int64_t)s->operations[BLOCK_OP_WRITE];
    d->flush_operations = (int64_t)s->operations[BLOCK_OP_FLUSH];
    d->unmap_operations = (int64_t)s->operations[BLOCK_OP_UNMAP];
    d->rd_total_time_ns = (int64_t)s->time_ns[BLOCK_OP_READ];
    d->wr_total_time_ns = (int64_t)s->time_ns[BLOCK_OP_WRITE];
    d->flush_total_time_ns = (int64_t)s->time_ns[BLOCK_OP_FLUSH];
    d->unmap_total_time_ns = (int64_t)s->time_ns[BLOCK_OP_UNMAP];
    d->failed_rd_operations = (int64_t)s->failed[BLOCK_OP_READ];
    d->failed_wr_operations = (int64_t)s->failed[BLOCK_OP_WRITE];
    d->failed_flush_operations = (int64_t)s->failed[BLOCK_OP_FLUSH];
    d->failed_unmap_operations = (int64_t)s->failed[BLOCK_OP_UNMAP];
    d->wr_highest_offset = n ? (int64_t)n->write_high : 0;
    d->timed_stats = g_array_new(FALSE, FALSE, sizeof(int64_t));
    return d;
}

static BlockStats *node_stats(const BlockNode *n)
{
    BlockStats *s = g_new0(BlockStats, 1);

    s->node_name = g_strdup(n->name);
    s->stats = stats_of(&(BlockCounts){ { 0 } }, n);
    s->parent = n->file ? node_stats(n->file) : NULL;
    return s;
}

static void add_front_stats(BlockFront *b, void *opaque)
{
    BlockStats *s = g_new0(BlockStats, 1);

    s->device = g_strdup(b->drive ? b->name : "");
    s->qdev = owner_path(b);
    s->node_name = b->node ? g_strdup(b->node->name) : NULL;
    s->stats = stats_of(&b->stats, b->node);
    s->parent = b->node && b->node->file ? node_stats(b->node->file) : NULL;
    g_ptr_array_add(opaque, s);
}

static void add_node_stats(BlockNode *n, void *opaque)
{
    g_ptr_array_add(opaque, node_stats(n));
}

GPtrArray *qmp_query_blockstats(QmpCall *call, const QmpQueryBlockstatsArgs *args, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    if (args->has_query_nodes && args->query_nodes) {
        block_node_foreach(add_node_stats, list);
    } else {
        block_front_foreach(add_front_stats, list);
    }
    return list;
}

bool qmp_blockdev_add(QmpCall *call, struct json_object *args, GError **error)
{
    g_autofree char *text = json_to_text(args);

    return blockdev_add_option(text, error);
}

bool qmp_blockdev_del(QmpCall *call, const QmpBlockdevDelArgs *args, GError **error)
{
    return block_node_delete(args->node_name, error);
}

/* ---- for people ---- */

static void print_front(BlockFront *b, void *opaque)
{
    GString *out = opaque;
    g_autofree char *path = owner_path(b);
    const char *name = b->drive ? b->name : path ? path : "";
    BlockNode *n = b->node;

    g_string_append_printf(out, "%s%s", out->len ? "\n" : "", name);
    if (n) {
        g_string_append_printf(out, " (%s): %s (%s%s)\n", n->name, n->filename, n->driver->name,
                               n->read_only ? ", read-only" : "");
    } else {
        g_string_append(out, ": [not inserted]\n");
    }
    if (path) {
        g_string_append_printf(out, "    Attached to:      %s\n", path);
    }
    if (b->removable) {
        g_string_append_printf(out, "    Removable device: %slocked, tray %s\n", tray_is_locked(b) ? "" : "not ",
                               tray_is_open(b) ? "open" : "closed");
    }
    if (n) {
        g_string_append_printf(out, "    Cache mode:       %s%s%s\n", b->write_cache ? "writeback" : "writethrough",
                               n->direct ? ", direct" : "", n->no_flush ? ", ignore flushes" : "");
    }
    if (n && n->detect_zeroes) {
        g_string_append_printf(out, "    Detect zeroes:    %s\n", n->detect_zeroes == 1 ? "on" : "unmap");
    }
}

void block_print(GString *out)
{
    Drive *d;

    block_front_foreach(print_front, out);
    for (unsigned i = 0; (d = drive_nth(i)) != NULL; i++) {
        if (!d->front) {
            BlockFront loose = { .node = d->node, .name = (char *)d->info.id, .drive = d, .write_cache = d->writeback,
                                 .removable = true };

            print_front(&loose, out);
        }
    }
}

static void print_stats(BlockFront *b, void *opaque)
{
    const BlockCounts *s = &b->stats;

    g_string_append_printf(opaque, "%s: rd_bytes=%" G_GUINT64_FORMAT " wr_bytes=%" G_GUINT64_FORMAT
                           " rd_operations=%" G_GUINT64_FORMAT " wr_operations=%" G_GUINT64_FORMAT
                           " flush_operations=%" G_GUINT64_FORMAT " wr_total_time_ns=%" G_GUINT64_FORMAT
                           " rd_total_time_ns=%" G_GUINT64_FORMAT " flush_total_time_ns=%" G_GUINT64_FORMAT
                           " rd_merged=0 wr_merged=0 idle_time_ns=0\n",
                           b->name, s->bytes[BLOCK_OP_READ], s->bytes[BLOCK_OP_WRITE], s->operations[BLOCK_OP_READ],
                           s->operations[BLOCK_OP_WRITE], s->operations[BLOCK_OP_FLUSH], s->time_ns[BLOCK_OP_WRITE],
                           s->time_ns[BLOCK_OP_READ], s->time_ns[BLOCK_OP_FLUSH]);
}

void block_print_stats(GString *out)
{
    block_front_foreach(print_stats, out);
}
