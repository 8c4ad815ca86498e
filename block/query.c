// SPDX-License-Identifier: GPL-2.0-or-later
/* What the monitors ask of block devices: query-block and its like, info block. */
#include <json-c/json.h>
#include <string.h>

#include "block/drive.h"
#include "block/bitmap.h"
#include "block/driver.h"
#include "block/front-stats.h"
#include "block/throttle.h"
#include "block/query.h"
#include "qapi/qapi-commands.h"
#include "qom/object.h"
#include "util/error.h"

char *front_owner_path(const BlockFront *b)
{
    Object *owner = b->owner;
    Object *below = owner ? object_child(owner, "virtio-backend") : NULL;

    return owner && owner->parent ? object_path(below ? below : owner) : NULL;
}

bool front_tray_open(const BlockFront *b)
{
    return b->ops && b->ops->tray_open && b->ops->tray_open(b->opaque);
}

bool front_tray_locked(const BlockFront *b)
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
    i->filename = block_node_filename(n);
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
        json_object_object_add(
            i->format_specific, "type",
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
    i->has_bps_max = i->has_bps_max_length = l->max[LIMIT_BPS_TOTAL] != 0;
    i->bps_max = (int64_t)l->max[LIMIT_BPS_TOTAL];
    i->bps_max_length = (int64_t)l->length[LIMIT_BPS_TOTAL];
    i->has_bps_rd_max = i->has_bps_rd_max_length = l->max[LIMIT_BPS_READ] != 0;
    i->bps_rd_max = (int64_t)l->max[LIMIT_BPS_READ];
    i->bps_rd_max_length = (int64_t)l->length[LIMIT_BPS_READ];
    i->has_bps_wr_max = i->has_bps_wr_max_length = l->max[LIMIT_BPS_WRITE] != 0;
    i->bps_wr_max = (int64_t)l->max[LIMIT_BPS_WRITE];
    i->bps_wr_max_length = (int64_t)l->length[LIMIT_BPS_WRITE];
    i->has_iops_max = i->has_iops_max_length = l->max[LIMIT_IOPS_TOTAL] != 0;
    i->iops_max = (int64_t)l->max[LIMIT_IOPS_TOTAL];
    i->iops_max_length = (int64_t)l->length[LIMIT_IOPS_TOTAL];
    i->has_iops_rd_max = i->has_iops_rd_max_length = l->max[LIMIT_IOPS_READ] != 0;
    i->iops_rd_max = (int64_t)l->max[LIMIT_IOPS_READ];
    i->iops_rd_max_length = (int64_t)l->length[LIMIT_IOPS_READ];
    i->has_iops_wr_max = i->has_iops_wr_max_length = l->max[LIMIT_IOPS_WRITE] != 0;
    i->iops_wr_max = (int64_t)l->max[LIMIT_IOPS_WRITE];
    i->iops_wr_max_length = (int64_t)l->length[LIMIT_IOPS_WRITE];
    i->has_iops_size = l->iops_size != 0;
    i->iops_size = (int64_t)l->iops_size;
    i->group = g_strdup(throttle_group_name(g));
}

static BlockDeviceInfo *node_info(BlockNode *n, const ThrottleGroup *g, bool writeback, bool deep)
{
    BlockDeviceInfo *i = g_new0(BlockDeviceInfo, 1);

    i->file = block_node_filename(n);
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
    i->backing_file = n->backing ? block_node_filename(block_skip_implicit(n->backing)) : NULL;
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
    i->qdev = front_owner_path(b);
    i->type = g_strdup("unknown");
    i->removable = b->removable;
    i->locked = front_tray_locked(b);
    i->has_tray_open = b->removable && b->owner;
    i->tray_open = front_tray_open(b);
    i->has_io_status = b->owner != NULL;
    i->io_status = !b->io_error ? BLOCK_DEVICE_IO_STATUS_OK
                   : b->no_space ? BLOCK_DEVICE_IO_STATUS_NOSPACE
                                 : BLOCK_DEVICE_IO_STATUS_FAILED;
    i->inserted =
        b->node ? node_info(block_skip_implicit(b->node), b->throttle, b->write_cache, true) : NULL;
    g_ptr_array_add(opaque, i);
}

static void collect_front(BlockFront *b, void *opaque)
{
    if (!b->drive) {
        g_ptr_array_add(opaque, b);
    }
}

int64_t front_idle_ns(const BlockFront *b)
{
    return b->last_ns ? clock_now_ns(CLOCK_RT) - b->last_ns : 0;
}

void block_drives_foreach(void (*fn)(BlockFront *b, void *opaque), void *opaque)
{
    g_autoptr(GPtrArray) rest = g_ptr_array_new();
    Drive *d;

    for (unsigned i = 0; (d = drive_nth(i)) != NULL; i++) {
        if (d->front) {
            fn(d->front, opaque);
        } else {
            BlockFront loose = {.node = d->node,
                                .name = (char *)d->info.id,
                                .drive = d,
                                .write_cache = d->writeback,
                                .removable = true};

            if (d->limits) {
                front_set_throttle(&loose, d->throttle_group, d->limits);
            }
            fn(&loose, opaque);
            throttle_group_unref(loose.throttle);
        }
    }
    block_front_foreach(collect_front, rest);
    for (unsigned i = 0; i < rest->len; i++) {
        fn(g_ptr_array_index(rest, i), opaque);
    }
}

GPtrArray *qmp_query_block(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    block_drives_foreach(add_info, list);
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

    block_node_foreach_newest(args->has_flat && args->flat ? add_node_flat : add_node, list);
    return list;
}

static BlockLatencyHistogramInfo *histogram(const FrontStats *s, BlockOp op)
{
    BlockLatencyHistogramInfo *h;

    if (!s->boundaries[op]) {
        return NULL;
    }
    h = g_new0(BlockLatencyHistogramInfo, 1);
    h->boundaries = g_array_copy(s->boundaries[op]);
    h->bins = g_array_copy(s->bins[op]);
    return h;
}

static BlockDeviceTimedStats *timed_stats(TimedStats *t)
{
    BlockDeviceTimedStats *i = g_new0(BlockDeviceTimedStats, 1);
    double ignored;
    LatencySum rd = front_stats_timed(t, BLOCK_OP_READ, &i->avg_rd_queue_depth);
    LatencySum wr = front_stats_timed(t, BLOCK_OP_WRITE, &i->avg_wr_queue_depth);
    LatencySum fl = front_stats_timed(t, BLOCK_OP_FLUSH, &ignored);

    i->interval_length = (int64_t)t->seconds;
    i->min_rd_latency_ns = (int64_t)rd.min;
    i->max_rd_latency_ns = (int64_t)rd.max;
    i->avg_rd_latency_ns = (int64_t)(rd.count ? rd.sum / rd.count : 0);
    i->min_wr_latency_ns = (int64_t)wr.min;
    i->max_wr_latency_ns = (int64_t)wr.max;
    i->avg_wr_latency_ns = (int64_t)(wr.count ? wr.sum / wr.count : 0);
    i->min_flush_latency_ns = (int64_t)fl.min;
    i->max_flush_latency_ns = (int64_t)fl.max;
    i->avg_flush_latency_ns = (int64_t)(fl.count ? fl.sum / fl.count : 0);
    return i;
}

static void add_latencies(BlockDeviceStats *d, const BlockFront *b)
{
    const FrontStats *s = b->more_stats                  ? b->more_stats
                          : b->drive && !b->drive->front ? b->drive->stats
                                                         : NULL;

    d->account_invalid = !s || !s->ignore_invalid;
    d->account_failed = !s || !s->ignore_failed;
    d->has_idle_time_ns = b->last_ns != 0;
    d->idle_time_ns = front_idle_ns(b);
    if (!s) {
        return;
    }
    d->rd_latency_histogram = histogram(s, BLOCK_OP_READ);
    d->wr_latency_histogram = histogram(s, BLOCK_OP_WRITE);
    d->flush_latency_histogram = histogram(s, BLOCK_OP_FLUSH);
    for (unsigned i = 0; i < s->timed->len; i++) {
        g_ptr_array_add(d->timed_stats, timed_stats(&g_array_index(s->timed, TimedStats, i)));
    }
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
    d->timed_stats = g_ptr_array_new();
    return d;
}

/* Of files: what became of discards. */
static struct json_object *file_stats(const BlockNode *n)
{
    struct json_object *o;

    if (strcmp(n->driver->name, "file") != 0 && strcmp(n->driver->name, "host_device") != 0) {
        return NULL;
    }
    o = json_object_new_object();
    json_object_object_add(o, "driver", json_object_new_string(n->driver->name));
    json_object_object_add(o, "discard-nb-ok", json_object_new_uint64(n->discards[0]));
    json_object_object_add(o, "discard-nb-failed", json_object_new_uint64(n->discards[1]));
    json_object_object_add(o, "discard-bytes-ok", json_object_new_uint64(n->discarded));
    return o;
}

/* flat: a node alone with what is its file. */
static BlockStats *node_stats(const BlockNode *n, bool flat)
{
    BlockStats *s = g_new0(BlockStats, 1);

    while (!flat && n->implicit && n->file) {
        n = n->file;
    }
    s->node_name = g_strdup(n->name);
    s->stats = stats_of(&(BlockCounts){ { 0 } }, n);
    s->driver_specific = file_stats(n);
    s->parent = n->file ? node_stats(n->file, flat) : NULL;
    s->backing = !flat && n->backing ? node_stats(n->backing, flat) : NULL;
    return s;
}

static void add_front_stats(BlockFront *b, void *opaque)
{
    BlockNode *n = block_skip_implicit(b->node);
    BlockStats *s = n ? node_stats(n, false) : g_new0(BlockStats, 1);

    if (n) {
        qapi_free(&qapi_type_BlockDeviceStats, s->stats);
    }
    s->device = g_strdup(b->drive ? b->name : "");
    s->qdev = front_owner_path(b);
    s->stats = stats_of(&b->stats, n);
    add_latencies(s->stats, b);
    g_ptr_array_add(opaque, s);
}

static void add_node_stats(BlockNode *n, void *opaque)
{
    g_ptr_array_add(opaque, node_stats(n, true));
}

GPtrArray *qmp_query_blockstats(QmpCall *call, const QmpQueryBlockstatsArgs *args, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    if (args->has_query_nodes && args->query_nodes) {
        block_node_foreach_newest(add_node_stats, list);
    } else {
        block_drives_foreach(add_front_stats, list);
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

/* ---- latencies ---- */

static GArray *boundary_list(struct json_object *args, const char *key, GError **error)
{
    struct json_object *list;
    GArray *out;

    if (!json_object_object_get_ex(args, key, &list)) {
        return NULL;
    }
    if (!json_object_is_type(list, json_type_array)) {
        return fail_null(error, "Invalid parameter type for '%s', expected: array", key);
    }
    out = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        g_array_append_val(out,
                           (uint64_t){json_object_get_uint64(json_object_array_get_idx(list, i))});
    }
    return out;
}

bool qmp_block_latency_histogram_set(QmpCall *call, struct json_object *args, GError **error)
{
    static const struct { const char *key, *name; BlockOp op;
    } kinds[] = {
        {"boundaries-read", "read", BLOCK_OP_READ},
        {"boundaries-write", "write", BLOCK_OP_WRITE},
        {"boundaries-flush", "flush", BLOCK_OP_FLUSH},
    };
    const char *id = keyval_get(args, "id");
    BlockFront *b = id ? block_front_find(NULL, id) : NULL;
    bool any = false;

    if (!b) {
        return id ? fail_class(error, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", id)
                  : fail(error, "Parameter 'id' is missing");
    }
    g_autoptr(GArray) all = boundary_list(args, "boundaries", error);

    if (!b->more_stats) {
        b->more_stats = front_stats_new(NULL, true, true);
    }
    for (unsigned i = 0; !*error && i < ARRAY_COUNT(kinds); i++) {
        g_autoptr(GArray) own = boundary_list(args, kinds[i].key, error);

        any |= own || all;
        if (!*error && (own || all) &&
            !front_stats_set_histogram(b->more_stats, kinds[i].op, own ? own : all)) {
            fail(error, "Device '%s' set %s boundaries fail", id, kinds[i].name);
        }
    }
    for (unsigned i = 0; !*error && !any && i < ARRAY_COUNT(kinds); i++) {
        front_stats_set_histogram(b->more_stats, kinds[i].op, NULL);
    }
    return *error == NULL;
}
