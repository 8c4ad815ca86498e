// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Backup: the target gets the content that the source had when the job began. What the guest is
 * about to overwrite is copied first; the rest is copied in the background.
 */
#include <json-c/json.h>
#include <errno.h>
#include <string.h>

#include "block/bitmap.h"
#include "block/driver.h"
#include "block/job-filter.h"
#include "block/job.h"
#include "util/error.h"

#define MIN_CLUSTER 65536
#define BATCH (1 * MIB)

typedef struct BackupJob {
    BlockJob j;
    BlockNode *source, *target;
    BlockNode *filter;          /* ours, above source */
    BlockEdge *source_edge, *target_edge;
    DirtyBitmap *todo;          /* not attached to writes */
    DirtyBitmap *bitmap;        /* the user's; NULL: none */
    uint8_t *bitmap_before;     /* its bits when the job began: what it covers */
    int bitmap_mode, sync;
    bool compress, watching;
    uint64_t cluster;
    GArray *busy;               /* uint64_t: clusters that are copied now */
    CoQueue changed;
    BlockWatcher watcher;
    int ret;
    DirtyBitmap *since;         /* what the guest writes meanwhile, for the user's bitmap */
} BackupJob;

static bool is_busy(const BackupJob *b, uint64_t at)
{
    for (unsigned i = 0; i < b->busy->len; i++) {
        if (g_array_index(b->busy, uint64_t, i) == at) {
            return true;
        }
    }
    return false;
}

/* One cluster, if it is still to be copied. Within the graph's lock. */
static int co_copy_cluster(BackupJob *b, uint64_t at, bool *read)
{
    uint64_t len = MIN(b->cluster, b->source->length - at), same;
    g_autofree uint8_t *buf = NULL;
    BlockStatus st;
    int ret;

    while (is_busy(b, at)) {
        co_queue_wait(&b->changed, NULL);
    }
    if (!dirty_bitmap_get(b->todo, at, &same)) {
        return 0;
    }
    g_array_append_val(b->busy, at);
    *read = true;
    ret = co_block_status_above(b->source, NULL, at, len, true, &st);
    if (ret == 0 && st.bytes >= len && (st.flags & BLOCK_STATUS_ZERO)) {
        *read = false;
        ret = co_block_write_zeroes(b->target, at, len, BLOCK_MAY_UNMAP);
    } else {
        buf = g_try_malloc(len);
        ret = buf ? co_block_pread(b->source, at, buf, len) : -ENOMEM;
        if (ret == 0) {
            *read = false;
            ret = co_block_pwrite(b->target, at, buf, len, b->compress ? BLOCK_COMPRESSED : 0);
        }
    }
    if (ret == 0) {
        dirty_bitmap_clear(b->todo, at, len);
        b->j.done += len;
    }
    for (unsigned i = 0; i < b->busy->len; i++) {
        if (g_array_index(b->busy, uint64_t, i) == at) {
            g_array_remove_index_fast(b->busy, i);
            break;
        }
    }
    co_queue_wake_all(&b->changed);
    return ret;
}

static int co_before_write(BlockWatcher *w, uint64_t offset, uint64_t bytes)
{
    BackupJob *b = w->opaque;
    bool read;

    for (uint64_t at = offset / b->cluster * b->cluster;
         at < offset + bytes && at < b->source->length; at += b->cluster) {
        int ret = b->ret < 0 ? 0 : co_copy_cluster(b, at, &read);

        if (ret < 0) {
            /* the guest goes on, the backup is no good any more */
            b->ret = ret;
        }
    }
    return 0;
}

static int co_backup_init(BackupJob *b)
{
    BlockNode *below = block_below(block_skip_filters(b->source));

    if (b->sync == MIRROR_SYNC_MODE_INCREMENTAL || b->sync == MIRROR_SYNC_MODE_BITMAP ||
        b->sync == MIRROR_SYNC_MODE_NONE) {
        return 0;       /* marked when the job was made */
    }
    for (uint64_t at = 0; b->sync == MIRROR_SYNC_MODE_TOP && at < b->source->length;) {
        BlockStatus st;
        int ret;

        co_graph_enter();
        ret = co_block_status_above(b->source, below, at, b->source->length - at, false, &st);
        graph_leave();
        if (ret < 0) {
            return ret;
        }
        if (!(st.flags & BLOCK_STATUS_ALLOCATED)) {
            dirty_bitmap_clear(b->todo, at, st.bytes);
        }
        at += st.bytes;
    }
    return 0;
}

static bool co_backup_run(BlockJob *j, GError **error)
{
    BackupJob *b = (BackupJob *)j;
    int ret = co_backup_init(b);
    uint64_t at = 0, bytes;

    if (ret < 0) {
        return fail(error, "%s", g_strerror(-ret));
    }
    job_total(j,
              b->sync == MIRROR_SYNC_MODE_NONE ? b->source->length : dirty_bitmap_bytes(b->todo));
    while (b->sync == MIRROR_SYNC_MODE_NONE) {
        /* until it is cancelled */
        if (co_job_pause_point(j)) {
            return true;
        }
        if (b->ret < 0) {
            return fail(error, "%s", g_strerror(-b->ret));
        }
        co_job_sleep(j, 500000000);
    }
    while (dirty_bitmap_next(b->todo, &at, b->source->length, b->cluster, &bytes)) {
        bool read = true;
        uint64_t before = j->done;

        if (co_job_pause_point(j)) {
            return true;
        }
        at = at / b->cluster * b->cluster;
        co_graph_enter();
        ret = b->ret < 0 ? b->ret : co_copy_cluster(b, at, &read);
        graph_leave();
        if (ret < 0) {
            if (!co_job_error(j, read, read ? j->on_error : j->on_target_error, -ret)) {
                return fail(error, "%s", g_strerror(-ret));
            }
            if ((read ? j->on_error : j->on_target_error) == BLOCKDEV_ON_ERROR_IGNORE) {
                at += b->cluster;
            }
            continue;
        }
        bytes = j->done - before;
        j->done = before;
        co_job_did(j, bytes);
        at += b->cluster;
    }
    if (b->ret < 0) {
        return fail(error, "%s", g_strerror(-b->ret));
    }
    co_graph_enter();
    ret = co_block_flush(b->target);
    graph_leave();
    return ret == 0 || fail(error, "%s", g_strerror(-ret));
}

/* What becomes of the user's bitmap: on-success, always, never. */
static void settle_bitmap(BackupJob *b, bool good)
{
    uint64_t bits, bytes = 0;

    if (!b->bitmap) {
        return;
    }
    b->bitmap->busy--;
    if (b->bitmap_mode == BITMAP_SYNC_MODE_NEVER ||
        (!good && b->bitmap_mode != BITMAP_SYNC_MODE_ALWAYS)) {
        return;
    }
    /*
     * clean is what was copied; dirty stays what was not, and what the guest wrote since the job
     * began
     */
    bits = dirty_bitmap_bits(b->bitmap);
    (void)bits;
    dirty_bitmap_clear_all(b->bitmap);
    for (uint64_t at = 0;
         !good && dirty_bitmap_next(b->todo, &at, b->source->length, UINT64_MAX / 2, &bytes);
         at += bytes) {
        dirty_bitmap_set(b->bitmap, at, bytes);
    }
    for (uint64_t at = 0;
         b->since && dirty_bitmap_next(b->since, &at, b->source->length, UINT64_MAX / 2, &bytes);
         at += bytes) {
        dirty_bitmap_set(b->bitmap, at, bytes);
    }
}

static void backup_commit(BlockJob *j)
{
    settle_bitmap((BackupJob *)j, true);
    ((BackupJob *)j)->bitmap = NULL;
}

static void backup_abort(BlockJob *j)
{
    settle_bitmap((BackupJob *)j, false);
    ((BackupJob *)j)->bitmap = NULL;
}

static void backup_clean(BlockJob *j)
{
    BackupJob *b = (BackupJob *)j;

    if (b->watching) {
        block_graph_lock();
        block_unwatch(&b->watcher);
        block_graph_unlock();
    }
    if (b->todo) {
        dirty_bitmap_free(b->todo);
    }
    if (b->since) {
        dirty_bitmap_free(b->since);
    }
    if (b->bitmap) {
        b->bitmap->busy--;
    }
    block_detach(b->source_edge);
    block_detach(b->target_edge);
    job_filter_remove(b->filter, NULL);
    block_node_unref(b->source);
    block_node_unref(b->target);
    if (b->busy) {
        g_array_unref(b->busy);
    }
}

static const JobDriver backup_driver = {
    .type = JOB_TYPE_BACKUP, .size = sizeof(BackupJob), .co_run = co_backup_run, .commit = backup_commit, .abort = backup_abort,
    .clean = backup_clean,
};

static uint64_t cluster_of(BlockNode *target)
{
    BlockImageInfo info = { .cluster_size = 0 };
    g_autoptr(GError) ignored = NULL;

    if (target->driver->co_info) {      /* no driver's waits */
        target->driver->co_info(target, &info, &ignored);
        json_object_put(info.specific);
    }
    return MAX(MIN_CLUSTER, info.cluster_size);
}

BlockJob *job_backup_start(const JobParams *p, BlockNode *source, BlockNode *target, int sync,
                           int bitmap_mode, DirtyBitmap *bitmap, bool compress, int on_source,
                           int on_target, GError **error)
{
    BlockJob *j;
    BackupJob *b;
    uint64_t bytes;

    if (source == target) {
        return fail_null(error, "Source and target cannot be the same");
    }
    if (source->length != target->length && target->length < source->length) {
        return fail_null(error, "Source and target image have different sizes");
    }
    if (compress && !target->driver->co_pwrite_compressed) {
        return fail_null(error, "Compression is not supported for this drive %s", target->name);
    }
    j = job_new(&backup_driver, p, source, error);
    if (!j) {
        return NULL;
    }
    b = (BackupJob *)j;
    b->source = block_node_ref(source);
    b->target = block_node_ref(target);
    b->sync = sync;
    b->bitmap_mode = bitmap_mode;
    b->compress = compress;
    b->cluster = cluster_of(target);
    b->busy = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    j->on_error = on_source;
    j->on_target_error = on_target;
    b->todo = dirty_bitmap_new(source, NULL, (uint32_t)b->cluster, error);
    if (!b->todo) {
        goto bad;
    }
    b->todo->enabled = false;
    if (!job_own(j, source, error) || !job_own(j, target, error)) {
        goto bad;
    }
    b->filter = job_filter_insert(&job_filter_backup, source, p->filter_name, error);
    if (!b->filter || !job_own(j, b->filter, error)) {
        goto bad;
    }
    b->source_edge = block_attach(source, "backup job", BLOCK_PERM_READ, BLOCK_PERM_ALL, error);
    b->target_edge =
        b->source_edge ? block_attach(target, "backup job", BLOCK_PERM_WRITE, BLOCK_PERM_ALL, error)
                       : NULL;
    if (!b->target_edge) {
        goto bad;
    }
    block_graph_lock();
    if (bitmap) {
        b->bitmap = bitmap;
        bitmap->busy++;
        b->since = dirty_bitmap_new(source, NULL, bitmap->granularity, error);
    }
    if (sync == MIRROR_SYNC_MODE_INCREMENTAL || sync == MIRROR_SYNC_MODE_BITMAP) {
        for (uint64_t at = 0;
             dirty_bitmap_next(bitmap, &at, source->length, UINT64_MAX / 2, &bytes); at += bytes) {
            dirty_bitmap_set(b->todo, at, bytes);
        }
    } else {
        dirty_bitmap_set(b->todo, 0, source->length);
    }
    b->watcher.co_before = co_before_write;
    b->watcher.opaque = b;
    block_watch(source, &b->watcher);
    b->watching = true;
    block_graph_unlock();
    return j;
bad:
    backup_clean(j);
    job_drop(j);
    return NULL;
}
