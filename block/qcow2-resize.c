// SPDX-License-Identifier: GPL-2.0-or-later
/* Changing the size of a qcow2 image's disk, its backing file's name, and emptying it. */
#include <errno.h>
#include <string.h>

#include "block/qcow2.h"
#include "util/bswap.h"
#include "util/error.h"

static uint64_t l1_entries(const Qcow2 *q, uint64_t size)
{
    unsigned shift = q->l2_bits + q->cluster_bits;

    return (size >> shift) + ((size & ((1ull << shift) - 1)) != 0);
}

/* What lies behind the old end shows as zeroes. */
static int co_zero_behind(Qcow2 *q, uint64_t old, uint64_t now)
{
    uint64_t edge = MIN(q_round_up(q, old), now), below = q->n->backing ? q->n->backing->length : 0;
    BlockStatus st;
    int ret = 0;

    if (edge > old) {
        ret = co_block_status(q->n, old, edge - old, false, &st);
        if (ret == 0 && (st.flags & BLOCK_STATUS_DATA)) {
            ret = co_block_write_zeroes(q->n, old, edge - old, 0);
        }
    }
    if (ret == 0 && below > old) {
        /* the backing file would show there */
        ret = co_block_write_zeroes(q->n, old, MIN(below, now) - old, 0);
    }
    return ret;
}

static bool co_grow(Qcow2 *q, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    uint64_t old = q->n->length;
    int ret;

    co_mutex_lock(&q->lock);
    ret = co_qcow2_grow_l1(q, l1_entries(q, length), true);
    co_mutex_unlock(&q->lock);
    if (ret < 0) {
        return fail_errno(error, -ret, "Failed to grow the L1 table");
    }
    if (q->external && q->raw_external) {
        if (!co_block_truncate(q->data, length,
                               prealloc == PREALLOC_METADATA ? PREALLOC_OFF : prealloc, error)) {
            return false;
        }
    }
    q->n->length = length;
    ret = co_zero_behind(q, old, length);
    if (ret < 0) {
        q->n->length = old;
        return fail_errno(error, -ret, "Failed to zero out the new area");
    }
    if (prealloc != PREALLOC_OFF) {
        int64_t end;

        co_mutex_lock(&q->lock);
        /* behind all that was ever used, where the file shows zeroes */
        end = co_qcow2_end(q);
        q->free_index =
            MAX(q->free_index,
                MAX((uint64_t)MAX(end, 0), q_round_up(q, q->data->length)) >> q->cluster_bits);
        ret = q->external ? 0 : (int)MIN(end, 0);
        ret = ret < 0 ? ret : co_qcow2_prealloc(q, old, length, prealloc, error);
        q->free_index = 0;
        co_mutex_unlock(&q->lock);
        if (ret < 0) {
            q->n->length = old;
            return *error ? false : fail_errno(error, -ret, "Could not preallocate");
        }
    }
    return true;
}

/* Tables that no longer cover anything go. */
static int co_drop_tables(Qcow2 *q, uint64_t from)
{
    int ret = 0;

    for (uint64_t i = from; ret == 0 && i < q->h.l1_size; i++) {
        uint64_t table = q->l1[i] & Q_OFFSET_MASK;

        if (table) {
            q->l1[i] = 0;
            ret = co_qcow2_write_l1_entry(q, (unsigned)i);
            qcow2_cache_forget(q->l2_cache, table, q->cluster_size);
            ret = ret < 0 ? ret : co_qcow2_free(q, table, q->cluster_size, DISCARD_ALWAYS);
        }
    }
    return ret;
}

static bool co_shrink(Qcow2 *q, uint64_t length, GError **error)
{
    uint64_t old = q->n->length, from = q_round_up(q, length);
    Qcow2Range range;
    int64_t end;
    int ret = 0;

    co_mutex_lock(&q->lock);
    co_qcow2_claim(q, &range, length, MAX(old, length + 1));
    if (old > from) {
        ret = co_qcow2_discard_range(q, from, q_round_up(q, old) - from, DISCARD_ALWAYS, true);
    }
    ret = ret < 0 ? ret : co_qcow2_settle(q);
    ret = ret < 0 ? ret : co_drop_tables(q, l1_entries(q, length));
    ret = ret < 0 ? ret : co_qcow2_settle(q);
    qcow2_unclaim(q, &range);
    end = ret < 0 ? ret : co_qcow2_end(q);
    co_mutex_unlock(&q->lock);
    if (end < 0) {
        return fail_errno(error, (int)-end, "Failed to discard cropped clusters");
    }
    q->n->length = length;
    if ((uint64_t)end < q->n->file->length) {
        g_autoptr(GError) ignored = NULL;

        co_block_truncate(q->n->file, (uint64_t)end, PREALLOC_OFF, &ignored);
    }
    return !q->external || !q->raw_external ||
           co_block_truncate(q->data, length, PREALLOC_OFF, error);
}

bool co_qcow2_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    Qcow2 *q = n->state;
    int ret;

    if (length & 511) {
        return fail(error, "The new size must be a multiple of 512");
    }
    if (q->h.nb_snapshots && q->h.version < 3) {
        return fail(error, "Can't resize a v2 image which has snapshots");
    }
    if (prealloc != PREALLOC_OFF && length < n->length) {
        return fail(error, "Preallocation can't be used for shrinking an image");
    }
    if (l1_entries(q, length) > Q_MAX_L1_BYTES / 8) {
        return fail(error, "The image size is too large for file format 'qcow2' (try using a "
                           "larger cluster size)");
    }
    if (!(length >= n->length ? co_grow(q, length, prealloc, error)
                              : co_shrink(q, length, error))) {
        return false;
    }
    q->h.size = length;
    co_mutex_lock(&q->lock);
    ret = co_qcow2_settle(q);
    ret = ret < 0 ? ret : co_qcow2_header_write(q);
    co_mutex_unlock(&q->lock);
    return ret == 0 || fail_errno(error, -ret, "Failed to update the image size");
}

bool co_qcow2_change_backing(BlockNode *n, const char *file, const char *format, GError **error)
{
    Qcow2 *q = n->state;
    char *old_file = n->backing_file, *old_format = n->backing_format;
    int ret;

    if (q->raw_external && file) {
        return fail(error, "Cannot set a backing file when data-file-raw is set");
    }
    n->backing_file = file && *file ? g_strdup(file) : NULL;
    n->backing_format = n->backing_file ? g_strdup(format) : NULL;
    ret = co_qcow2_header_write(q);
    if (ret < 0) {
        g_free(n->backing_file);
        g_free(n->backing_format);
        n->backing_file = old_file;
        n->backing_format = old_format;
        return fail_errno(error, -ret, "Could not change the backing file to '%s'",
                          file ? file : "");
    }
    g_free(old_file);
    g_free(old_format);
    return true;
}

bool co_qcow2_make_empty(BlockNode *n, GError **error)
{
    Qcow2 *q = n->state;
    int ret;

    co_mutex_lock(&q->lock);
    qcow2_event(q, "empty_image_prepare");
    ret = co_qcow2_discard_range(q, 0, q_round_up(q, n->length), DISCARD_SNAPSHOT, true);
    ret = ret < 0 ? ret : co_qcow2_settle(q);
    co_mutex_unlock(&q->lock);
    return ret == 0 || fail_errno(error, -ret, "Could not empty '%s'", n->filename);
}
