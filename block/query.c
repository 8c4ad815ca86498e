// SPDX-License-Identifier: GPL-2.0-or-later
/* What the monitors ask of block devices: query-block and its like, info block. */
#include <json-c/json.h>
#include <string.h>

#include "block/drive.h"
#include "block/driver.h"
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

static BlockDeviceInfo *node_info(BlockNode *n, bool writeback)
{
    BlockDeviceInfo *i = g_new0(BlockDeviceInfo, 1);

    i->file = g_strdup(n->filename);
    i->node_name = g_strdup(n->name);
    i->ro = n->read_only;
    i->drv = g_strdup(n->driver->name);
    i->detect_zeroes = n->detect_zeroes;
    i->image = g_new0(ImageInfo, 1);
    i->image->filename = g_strdup(n->filename);
    i->image->format = g_strdup(n->driver->name);
    i->image->has_dirty_flag = true;
    i->image->virtual_size = (int64_t)n->length;
    i->image->actual_size = block_allocated(n);
    i->image->has_actual_size = i->image->actual_size >= 0;
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
    i->inserted = b->node ? node_info(b->node, b->write_cache) : NULL;
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
            i->inserted = d->node ? node_info(d->node, d->writeback) : NULL;
            g_ptr_array_add(list, i);
        }
    }
    return list;
}

static void add_node(BlockNode *n, void *opaque)
{
    g_ptr_array_add(opaque, node_info(n, true));
}

GPtrArray *qmp_query_named_block_nodes(QmpCall *call, const QmpQueryNamedBlockNodesArgs *args,
                                       GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    block_node_foreach(add_node, list);
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
