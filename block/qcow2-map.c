// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From guest offsets to clusters of a qcow2 image: L1 and L2 tables, standard and extended entries;
 * discarding, zeroing and preallocating ranges. The image's lock is held throughout.
 */
#include <errno.h>
#include <string.h>

#include "block/qcow2.h"
#include "util/bswap.h"
#include "util/error.h"

/* ---- entries ---- */

uint64_t qcow2_entry(const Qcow2 *q, const void *slice, unsigned index)
{
    return load_be64((const uint8_t *)slice + (size_t)index * q->entry_size);
}

uint64_t qcow2_entry_bitmap(const Qcow2 *q, const void *slice, unsigned index)
{
    return q->ext ? load_be64((const uint8_t *)slice + (size_t)index * 16 + 8) : 0;
}

void qcow2_entry_set(const Qcow2 *q, void *slice, unsigned index, uint64_t entry, uint64_t bitmap)
{
    store_be64((uint8_t *)slice + (size_t)index * q->entry_size, entry);
    if (q->ext) {
        store_be64((uint8_t *)slice + (size_t)index * 16 + 8, bitmap);
    }
}

Qcow2Kind qcow2_kind(const Qcow2 *q, uint64_t entry, uint64_t bitmap, unsigned sub)
{
    bool has = (entry & Q_OFFSET_MASK) || (q->external && (entry & Q_COPIED));

    if (entry & Q_COMPRESSED) {
        return q->external || bitmap ? Q_INVALID : Q_PACKED;
    }
    if (q->ext) {
        bool alloc = bitmap >> sub & 1, zero = bitmap >> (32 + sub) & 1;

        if ((alloc && zero) || (alloc && !has)) {
            return Q_INVALID;
        }
        return alloc ? Q_NORMAL : zero ? (has ? Q_ZERO_ALLOC : Q_ZERO_PLAIN) : Q_UNALLOCATED;
    }
    if (entry & Q_ZERO && q->h.version >= 3) {
        return has ? Q_ZERO_ALLOC : Q_ZERO_PLAIN;
    }
    return has ? Q_NORMAL : Q_UNALLOCATED;
}

/* ---- tables ---- */

static uint64_t l1_index(const Qcow2 *q, uint64_t offset)
{
    return offset >> (q->l2_bits + q->cluster_bits);
}

static uint64_t l2_index(const Qcow2 *q, uint64_t offset)
{
    return offset >> q->cluster_bits & ((1ull << q->l2_bits) - 1);
}

static int co_get_slice(Qcow2 *q, uint64_t table, uint64_t offset, bool fresh, void **slice,
                        unsigned *index)
{
    uint64_t i = l2_index(q, offset);
    uint64_t start = i / q->slice_entries * q->slice_entries;

    *index = (unsigned)(i - start);
    return co_qcow2_cache_get(q, q->l2_cache, table + start * q->entry_size, fresh, slice);
}

int co_qcow2_slice(Qcow2 *q, uint64_t offset, void **slice, unsigned *index)
{
    uint64_t i = l1_index(q, offset), table;

    *slice = NULL;
    if (i >= q->h.l1_size) {
        return 0;
    }
    table = q->l1[i] & Q_OFFSET_MASK;
    if (!table) {
        return 0;
    }
    if (q_in_cluster(q, table)) {
        return co_qcow2_corrupt(q, true,
                                "L2 table offset %#" G_GINT64_MODIFIER
                                "x unaligned (L1 index: %#" G_GINT64_MODIFIER "x)",
                                table, i);
    }
    return co_get_slice(q, table, offset, false, slice, index);
}

int co_qcow2_write_l1_entry(Qcow2 *q, unsigned index)
{
    unsigned first = index & ~63u, count = MIN(64, q->h.l1_size - first);
    uint8_t raw[512];
    int ret;

    for (unsigned i = 0; i < count; i++) {
        store_be64(raw + i * 8, q->l1[first + i]);
    }
    ret = co_qcow2_check_overlap(q, OVERLAP_L1, q->h.l1_offset + first * 8ull, count * 8);
    qcow2_event(q, "l1_update");
    return ret < 0 ? ret
                   : co_block_pwrite(q->n->file, q->h.l1_offset + first * 8ull, raw, count * 8, 0);
}

int co_qcow2_grow_l1(Qcow2 *q, uint64_t entries, bool exact)
{
    uint64_t room = q->h.l1_size, bytes, old = q->h.l1_offset;
    uint32_t old_size = q->h.l1_size;
    g_autofree uint8_t *raw = NULL;
    int64_t at;
    int ret;

    if (entries <= q->h.l1_size) {
        return 0;
    }
    while (room < entries) {
        room = exact ? entries : MAX(1, (room * 3 + 1) / 2);
    }
    if (room > Q_MAX_L1_BYTES / 8) {
        return -EFBIG;
    }
    bytes = room * 8;
    qcow2_event(q, "l1_grow_alloc_table");
    at = co_qcow2_alloc(q, q_round_up(q, bytes) / q->cluster_size);
    if (at < 0) {
        return (int)at;
    }
    ret = co_qcow2_cache_flush(q, q->rb_cache);
    raw = g_malloc0(bytes);
    for (uint32_t i = 0; i < q->h.l1_size; i++) {
        store_be64(raw + i * 8ull, q->l1[i]);
    }
    ret = ret < 0 ? ret : co_qcow2_check_overlap(q, OVERLAP_L1, (uint64_t)at, bytes);
    qcow2_event(q, "l1_grow_write_table");
    ret = ret < 0 ? ret : co_block_pwrite(q->n->file, (uint64_t)at, raw, bytes, 0);
    ret = ret < 0 ? ret : co_block_flush(q->n->file);
    if (ret < 0) {
        co_qcow2_free(q, (uint64_t)at, bytes, DISCARD_OTHER);
        return ret;
    }
    if (room > q->l1_room) {
        q->l1 = g_renew(uint64_t, q->l1, room);
        q->l1_room = (uint32_t)room;
    }
    memset(q->l1 + q->h.l1_size, 0, (room - q->h.l1_size) * 8);
    q->h.l1_offset = (uint64_t)at;
    q->h.l1_size = (uint32_t)room;
    qcow2_event(q, "l1_grow_activate_table");
    ret = co_qcow2_header_write(q);
    if (ret < 0) {
        q->h.l1_offset = old;
        q->h.l1_size = old_size;
        return ret;
    }
    return old_size ? co_qcow2_free(q, old, old_size * 8ull, DISCARD_OTHER) : 0;
}

/* A table of our own in place of none, or of one that a snapshot has, too. */
static int co_make_table(Qcow2 *q, uint64_t index)
{
    uint64_t old = q->l1[index] & Q_OFFSET_MASK;
    g_autofree uint8_t *table = NULL;
    int64_t at = co_qcow2_alloc(q, 1);
    int ret;

    if (at < 0) {
        return (int)at;
    }
    table = g_malloc0(q->cluster_size);
    /* counts first: a table on disk must not refer to what is free, nor the L1 table to it */
    ret = q->lazy ? 0 : co_qcow2_cache_flush(q, q->rb_cache);
    if (ret == 0 && old) {
        /* what the cache has of it may be newer */
        ret = co_qcow2_cache_flush(q, q->l2_cache);
        qcow2_event(q, "l2_alloc_cow_read");
        ret = ret < 0 ? ret : co_block_pread(q->n->file, old, table, q->cluster_size);
    }
    qcow2_event(q, "l2_alloc_write");
    ret = ret < 0 ? ret : co_qcow2_check_overlap(q, 0, (uint64_t)at, q->cluster_size);
    qcow2_cache_forget(q->l2_cache, (uint64_t)at, q->cluster_size);
    ret = ret < 0 ? ret : co_block_pwrite(q->n->file, (uint64_t)at, table, q->cluster_size, 0);
    ret = ret < 0 ? ret : co_block_flush(q->n->file);
    if (ret < 0) {
        return ret;
    }
    q->l1[index] = (uint64_t)at | Q_COPIED;
    ret = co_qcow2_write_l1_entry(q, (unsigned)index);
    if (ret < 0) {
        q->l1[index] = old;
        return ret;
    }
    if (old) {
        qcow2_cache_forget(q->l2_cache, old, q->cluster_size);
        return co_qcow2_free(q, old, q->cluster_size, DISCARD_OTHER);
    }
    return 0;
}

int co_qcow2_slice_for_write(Qcow2 *q, uint64_t offset, void **slice, unsigned *index)
{
    uint64_t i = l1_index(q, offset), table;
    int ret = 0;

    *slice = NULL;
    if (i >= q->h.l1_size) {
        ret = co_qcow2_grow_l1(q, i + 1, false);
        if (ret < 0) {
            return ret;
        }
    }
    table = q->l1[i] & Q_OFFSET_MASK;
    if (q_in_cluster(q, table)) {
        return co_qcow2_corrupt(q, true,
                                "L2 table offset %#" G_GINT64_MODIFIER
                                "x unaligned (L1 index: %#" G_GINT64_MODIFIER "x)",
                                table, i);
    }
    if (!(q->l1[i] & Q_COPIED)) {
        ret = co_make_table(q, i);
        table = q->l1[i] & Q_OFFSET_MASK;
    }
    return ret < 0 ? ret : co_get_slice(q, table, offset, false, slice, index);
}

/* ---- looking up ---- */

static bool continues(const Qcow2 *q, Qcow2Kind kind, uint64_t first_host, uint64_t distance,
                      uint64_t host)
{
    return (kind != Q_NORMAL && kind != Q_ZERO_ALLOC) || first_host + distance == host;
}

int co_qcow2_map(Qcow2 *q, uint64_t offset, uint64_t *bytes, uint64_t *host, Qcow2Kind *kind)
{
    uint64_t in_cluster = q_in_cluster(q, offset), done = 0, limit;
    unsigned index, sub = (unsigned)(in_cluster / q->sub_size);
    void *slice;
    int ret = co_qcow2_slice(q, offset, &slice, &index);

    if (ret < 0) {
        return ret;
    }
    if (!slice) {
        /* to the end of what that table would cover */
        uint64_t span = 1ull << (q->l2_bits + q->cluster_bits);

        *kind = Q_UNALLOCATED;
        *host = 0;
        *bytes = MIN(*bytes, span - (offset & (span - 1)));
        return 0;
    }
    limit = MIN(*bytes, (q->slice_entries - index) * q->cluster_size - in_cluster);
    *kind = Q_INVALID;
    for (uint64_t at = 0; done < limit; index++, sub = 0, at += q->cluster_size) {
        uint64_t entry = qcow2_entry(q, slice, index), bitmap = qcow2_entry_bitmap(q, slice, index);
        uint64_t here = entry & Q_OFFSET_MASK;
        bool stop = false;

        if (done == 0) {
            *kind = qcow2_kind(q, entry, bitmap, sub);
            *host = *kind == Q_PACKED ? entry : here + in_cluster;
            if (*kind == Q_INVALID || (*kind != Q_PACKED && q_in_cluster(q, here))) {
                qcow2_cache_put(q->l2_cache, slice);
                return co_qcow2_corrupt(q, true, "Cluster allocation offset %#" G_GINT64_MODIFIER
                                        "x unaligned or invalid (L2 index: %#x)", here, index);
            }
        } else if (*kind == Q_PACKED || !continues(q, *kind, *host, done, here)) {
            break;
        }
        for (; sub < q->subs && done < limit; sub++) {
            uint64_t step = q->sub_size - (done == 0 ? in_cluster % q->sub_size : 0);

            if (*kind != Q_PACKED && qcow2_kind(q, entry, bitmap, sub) != *kind) {
                stop = true;
                break;
            }
            done += step;
        }
        if (stop) {
            break;
        }
    }
    qcow2_cache_put(q->l2_cache, slice);
    *bytes = MIN(done, limit);
    return 0;
}

/* ---- discarding and zeroing ---- */

/* What an entry becomes when its whole cluster is discarded. */
static void discarded_entry(const Qcow2 *q, uint64_t entry, bool full, uint64_t *now,
                            uint64_t *bitmap)
{
    bool zero = !full && q->h.version >= 3;

    *now = 0;
    *bitmap = 0;
    if (zero && q->ext) {
        *bitmap = 0xffffffffull << 32;
    } else if (zero) {
        *now = Q_ZERO;
    }
    if (q->external && q->raw_external && !full) {
        /* the data file shows what the guest sees: the cluster keeps its place */
        *now |= (entry & Q_OFFSET_MASK) | (entry & Q_COPIED);
    }
}

int co_qcow2_discard_range(Qcow2 *q, uint64_t offset, uint64_t bytes, int why, bool full)
{
    uint64_t end = offset + bytes;
    int ret = 0;

    for (; ret == 0 && offset < end; offset += q->cluster_size) {
        uint64_t entry, bitmap, now, now_bitmap;
        unsigned index;
        void *slice;

        ret = co_qcow2_slice(q, offset, &slice, &index);
        if (ret < 0) {
            return ret;
        }
        if (!slice && (full || !q->n->backing)) {
            uint64_t span = 1ull << (q->l2_bits + q->cluster_bits);

            offset = (offset & ~(span - 1)) + span - q->cluster_size;
            continue;
        }
        entry = slice ? qcow2_entry(q, slice, index) : 0;
        bitmap = slice ? qcow2_entry_bitmap(q, slice, index) : 0;
        if (slice) {
            qcow2_cache_put(q->l2_cache, slice);
        }
        discarded_entry(q, entry, full, &now, &now_bitmap);
        if (!full && !q->n->backing && entry == 0 && bitmap == 0) {
            continue;
        }
        if (!full && q->h.version < 3 && (q->n->backing || entry == 0)) {
            if (entry == 0 || q->n->backing) {
                continue;       /* version 2 has no way to say it */
            }
        }
        if (entry == now && bitmap == now_bitmap) {
            continue;
        }
        ret = co_qcow2_slice_for_write(q, offset, &slice, &index);
        if (ret < 0) {
            return ret;
        }
        qcow2_entry_set(q, slice, index, now, now_bitmap);
        qcow2_cache_dirty(q->l2_cache, slice);
        qcow2_cache_put(q->l2_cache, slice);
        if (!(now & Q_OFFSET_MASK)) {
            ret = co_qcow2_free_entry(q, entry, why);
        }
    }
    return ret;
}

/* Zeroes of a part of one cluster's subclusters. */
static int co_zero_subclusters(Qcow2 *q, uint64_t offset, unsigned first, unsigned count)
{
    uint64_t mask = ((1ull << count) - 1) << first, entry, bitmap;
    unsigned index;
    void *slice;
    int ret = co_qcow2_slice_for_write(q, offset, &slice, &index);

    if (ret < 0) {
        return ret;
    }
    entry = qcow2_entry(q, slice, index);
    bitmap = qcow2_entry_bitmap(q, slice, index);
    if (entry & Q_COMPRESSED) {
        ret = -ENOTSUP;
    } else if (!(entry & Q_COPIED) && (entry & Q_OFFSET_MASK) && (bitmap & mask)) {
        /* shared with a snapshot: bits are ours, the cluster stays */
        bitmap = (bitmap & ~mask) | mask << 32;
    } else {
        bitmap = (bitmap & ~mask) | mask << 32;
    }
    if (ret == 0) {
        qcow2_entry_set(q, slice, index, entry, bitmap);
        qcow2_cache_dirty(q->l2_cache, slice);
    }
    qcow2_cache_put(q->l2_cache, slice);
    return ret;
}

static int co_zero_cluster(Qcow2 *q, uint64_t offset, bool unmap)
{
    uint64_t entry, bitmap, now, now_bitmap;
    unsigned index;
    void *slice;
    bool drop;
    int ret = co_qcow2_slice_for_write(q, offset, &slice, &index);

    if (ret < 0) {
        return ret;
    }
    entry = qcow2_entry(q, slice, index);
    bitmap = qcow2_entry_bitmap(q, slice, index);
    /* without unmap the cluster stays for later writes, if it is ours alone */
    drop = (entry & Q_COMPRESSED) || (unmap && !q->external) || !(entry & Q_COPIED);
    now = drop ? 0 : entry & ~Q_ZERO;
    now_bitmap = q->ext ? 0xffffffffull << 32 : 0;
    now |= q->ext ? 0 : Q_ZERO;
    if (now != entry || now_bitmap != bitmap) {
        qcow2_entry_set(q, slice, index, now, now_bitmap);
        qcow2_cache_dirty(q->l2_cache, slice);
    }
    qcow2_cache_put(q->l2_cache, slice);
    return drop && entry ? co_qcow2_free_entry(q, entry, DISCARD_REQUEST) : 0;
}

int co_qcow2_zero_range(Qcow2 *q, uint64_t offset, uint64_t bytes, unsigned flags)
{
    uint64_t end = offset + bytes;
    int ret = 0;

    if (q->h.version < 3) {
        if (!q->n->backing && !q->external) {
            return co_qcow2_discard_range(q, offset, bytes, DISCARD_REQUEST, false);
        }
        return -ENOTSUP;
    }
    while (ret == 0 && offset < end) {
        uint64_t in_cluster = q_in_cluster(q, offset),
                 len = MIN(end - offset, q->cluster_size - in_cluster);

        if (in_cluster || (len < q->cluster_size && offset + len < q->n->length)) {
            ret = q->ext ? co_zero_subclusters(q, offset, (unsigned)(in_cluster / q->sub_size),
                                               (unsigned)((len + q->sub_size - 1) / q->sub_size))
                         : -ENOTSUP;
        } else {
            ret = co_zero_cluster(q, offset, flags & BLOCK_MAY_UNMAP);
        }
        offset += len;
    }
    return ret;
}

/* ---- preallocation ---- */

int co_qcow2_prealloc(Qcow2 *q, uint64_t offset, uint64_t end, BlockPrealloc mode, GError **error)
{
    uint64_t file_end = 0;
    int ret = 0;

    offset &= ~(q->cluster_size - 1);
    while (ret == 0 && offset < end) {
        uint64_t bytes = end - offset, host, n;
        unsigned index;
        void *slice;
        Qcow2Kind kind;
        int64_t at;

        ret = co_qcow2_map(q, offset, &bytes, &host, &kind);
        if (ret < 0) {
            break;
        }
        if (kind != Q_UNALLOCATED) {
            offset = q_round_up(q, offset + bytes);
            continue;
        }
        ret = co_qcow2_slice_for_write(q, offset, &slice, &index);
        if (ret < 0) {
            break;
        }
        n = MIN(q->slice_entries - index, q_round_up(q, bytes) / q->cluster_size);
        at = q->external ? (int64_t)offset : co_qcow2_alloc(q, n);
        if (at < 0) {
            qcow2_cache_put(q->l2_cache, slice);
            ret = (int)at;
            break;
        }
        ret = q->lazy ? 0 : co_qcow2_cache_depend(q, q->l2_cache, q->rb_cache);
        for (uint64_t i = 0; ret == 0 && i < n; i++) {
            qcow2_entry_set(q, slice, index + (unsigned)i,
                            ((uint64_t)at + i * q->cluster_size) | Q_COPIED,
                            q->ext ? 0xffffffff : 0);
        }
        qcow2_cache_dirty(q->l2_cache, slice);
        qcow2_cache_put(q->l2_cache, slice);
        file_end = MAX(file_end, (uint64_t)at + n * q->cluster_size);
        offset += n * q->cluster_size;
    }
    if (ret < 0) {
        return fail_errno(error, -ret, "Could not preallocate metadata") ? 0 : ret;
    }
    /* the clusters must be there, and show zeroes */
    if (file_end > q->data->length || mode != PREALLOC_OFF) {
        uint64_t length = MAX(file_end, q->data->length);

        if (!co_block_truncate(q->data, length, mode == PREALLOC_METADATA ? PREALLOC_OFF : mode,
                               error)) {
            return -EIO;
        }
    }
    return 0;
}
