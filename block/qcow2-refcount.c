// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reference counts of a qcow2 image's clusters: reading and changing them, allocating and freeing
 * clusters, growing the refcount table, and the checks that no write hits metadata.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "block/qcow2.h"
#include "qapi/qapi-events.h"
#include "util/bswap.h"

/* Freed ranges that wait, at most: then the tables are written. */
#define MAX_PENDING 4096

/* ---- corrupt images ---- */

int co_qcow2_corrupt(Qcow2 *q, bool fatal, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    fatal = fatal && !q->n->read_only;
    if (!q->said_corrupt || (fatal && !q->corrupt)) {
        BlockImageCorruptedEvent data = {
            .device = (char *)"", .node_name = q->n->name, .msg = text, .fatal = fatal,
        };

        fprintf(stderr,
                fatal ? "qcow2: Marking image as corrupt: %s; further corruption events will be "
                        "suppressed\n"
                      : "qcow2: Image is corrupt: %s; further non-fatal corruption events will be "
                        "suppressed\n",
                text);
        qapi_event_block_image_corrupted(&data);
        q->said_corrupt = true;
    }
    if (fatal && !q->corrupt && q->h.version >= 3) {
        q->corrupt = true;
        q->h.incompatible |= Q_INCOMPAT_CORRUPT;
        co_qcow2_header_write(q);
    }
    q->corrupt |= fatal;
    return -EIO;
}

static bool overlaps(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
    return alen && blen && a < b + blen && b < a + alen;
}

/* A list of tables, sorted by nothing: one compare each. */
static bool hits_table(const uint64_t *offsets, uint64_t count, uint64_t mask, uint64_t size,
                       uint64_t offset, uint64_t len)
{
    /* unsigned distance: one comparison for both ends */
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = offsets[i] & mask;

        if (at - offset + (size - 1) < len + (size - 1) && at) {
            return true;
        }
    }
    return false;
}

int co_qcow2_check_overlap(Qcow2 *q, unsigned ignore, uint64_t offset, uint64_t len)
{
    unsigned check = q->overlap & ~ignore;
    uint64_t start = offset & ~(q->cluster_size - 1);
    const char *what = NULL;

    if (!len) {
        return 0;
    }
    len = q_round_up(q, offset + len) - start;
    if ((check & OVERLAP_HEADER) && start < q->cluster_size) {
        what = "qcow2_header";
    } else if ((check & OVERLAP_L1) &&
               overlaps(start, len, q->h.l1_offset, (uint64_t)q->h.l1_size * 8)) {
        what = "active L1 table";
    } else if ((check & OVERLAP_REFTABLE) && overlaps(start, len, q->h.reftable_offset,
                                                      q->h.reftable_clusters * q->cluster_size)) {
        what = "refcount table";
    } else if ((check & OVERLAP_SNAPSHOTS) && q->h.nb_snapshots &&
               overlaps(start, len, q->h.snapshots_offset, q->cluster_size)) {
        what = "snapshot table";
    } else if ((check & OVERLAP_BITMAPS) &&
               overlaps(start, len, q->bitmap_dir_offset, q->bitmap_dir_size)) {
        what = "bitmap directory";
    } else if ((check & OVERLAP_REFBLOCK) &&
               hits_table(q->rt, q->rt_used, Q_REFTABLE_MASK, q->cluster_size, start, len)) {
        what = "refcount block";
    } else if ((check & OVERLAP_L2) &&
               hits_table(q->l1, q->h.l1_size, Q_OFFSET_MASK, q->cluster_size, start, len)) {
        what = "active L2 table";
    } else {
        for (uint32_t i = 0; (check & OVERLAP_INACTIVE_L1) && q->snapshots && i < q->h.nb_snapshots;
             i++) {
            if (overlaps(start, len, q->snapshots[i].l1_offset,
                         (uint64_t)q->snapshots[i].l1_size * 8)) {
                what = "inactive L1 table";
            }
        }
    }
    if (!what) {
        return 0;
    }
    return co_qcow2_corrupt(q, true, "Preventing invalid write on metadata (overlaps with %s)",
                            what);
}

/* ---- single counts ---- */

uint64_t qcow2_refcount_load(const Qcow2 *q, const void *block, uint64_t index)
{
    const uint8_t *p = block;

    switch (q->refcount_bits) {
    case 1:
        return p[index / 8] >> (index % 8) & 1;
    case 2:
        return p[index / 4] >> (2 * (index % 4)) & 3;
    case 4:
        return p[index / 2] >> (4 * (index % 2)) & 15;
    default:
        return load_sized(p + index * (q->refcount_bits / 8), q->refcount_bits / 8, true);
    }
}

static void store_bits(uint8_t *p, unsigned shift, uint8_t mask, uint8_t value)
{
    *p = (uint8_t)((*p & ~(mask << shift)) | (value << shift));
}

void qcow2_refcount_store(const Qcow2 *q, void *block, uint64_t index, uint64_t count)
{
    uint8_t *p = block;

    switch (q->refcount_bits) {
    case 1:
        store_bits(p + index / 8, index % 8, 1, (uint8_t)count);
        break;
    case 2:
        store_bits(p + index / 4, 2 * (index % 4), 3, (uint8_t)count);
        break;
    case 4:
        store_bits(p + index / 2, 4 * (index % 2), 15, (uint8_t)count);
        break;
    default:
        store_sized(p + index * (q->refcount_bits / 8), count, q->refcount_bits / 8, true);
    }
}

/* The block's offset, 0: none, or -EIO for rubbish. */
static int64_t block_offset(Qcow2 *q, uint64_t table_index)
{
    uint64_t at;

    if (table_index >= q->rt_entries) {
        return 0;
    }
    at = q->rt[table_index] & Q_REFTABLE_MASK;
    if (q_in_cluster(q, at) || at > INT64_MAX) {
        return co_qcow2_corrupt(q, true,
                                "Refblock offset %#" G_GINT64_MODIFIER
                                "x unaligned (reftable index: %#" G_GINT64_MODIFIER "x)",
                                at, table_index);
    }
    return (int64_t)at;
}

int co_qcow2_refcount(Qcow2 *q, uint64_t cluster, uint64_t *count)
{
    int64_t at = block_offset(q, cluster >> q->rb_bits);
    void *block;
    int ret;

    *count = 0;
    if (at <= 0) {
        return (int)at;
    }
    ret = co_qcow2_cache_get(q, q->rb_cache, (uint64_t)at, false, &block);
    if (ret == 0) {
        *count = qcow2_refcount_load(q, block, cluster & ((1ull << q->rb_bits) - 1));
        qcow2_cache_put(q->rb_cache, block);
    }
    return ret;
}

/* ---- finding free clusters ---- */

/*
 * Whether an entry of a block and what follows are zero, at once: the number of free ones from
 * index.
 */
static uint64_t free_run(const Qcow2 *q, const void *block, uint64_t index, uint64_t limit)
{
    uint64_t i = index;

    while (i < limit && qcow2_refcount_load(q, block, i) == 0) {
        i++;
    }
    return i - index;
}

static uint64_t used_run(const Qcow2 *q, const void *block, uint64_t index, uint64_t limit)
{
    uint64_t i = index;

    while (i < limit && qcow2_refcount_load(q, block, i) != 0) {
        i++;
    }
    return i - index;
}

/* The first of n free clusters in a row, at or behind `from`; -errno. */
static int64_t co_find_free(Qcow2 *q, uint64_t from, uint64_t n)
{
    uint64_t per_block = 1ull << q->rb_bits, cluster = from, run = 0;
    uint64_t limit = (uint64_t)INT64_MAX >> q->cluster_bits;

    while (run < n) {
        uint64_t index = cluster & (per_block - 1), used, free;
        int64_t at = block_offset(q, cluster >> q->rb_bits);
        void *block;
        int ret;

        if (cluster >= limit) {
            return -EFBIG;
        }
        if (at < 0) {
            return at;
        }
        if (at == 0) {
            run += per_block - index;
            cluster += per_block - index;
            continue;
        }
        ret = co_qcow2_cache_get(q, q->rb_cache, (uint64_t)at, false, &block);
        if (ret < 0) {
            return ret;
        }
        while (index < per_block && run < n) {
            free = free_run(q, block, index, MIN(per_block, index + (n - run)));
            run += free;
            index += free;
            cluster += free;
            if (run >= n || index >= per_block) {
                break;
            }
            used = used_run(q, block, index, per_block);
            run = 0;
            index += used;
            cluster += used;
        }
        qcow2_cache_put(q->rb_cache, block);
    }
    return (int64_t)(cluster - run);
}

/* ---- refcount blocks and their table ---- */

static int co_write_rt_entry(Qcow2 *q, uint64_t index, uint64_t value)
{
    uint8_t raw[8];
    int ret;

    store_be64(raw, value);
    qcow2_event(q, "refblock_alloc_hookup");
    ret = co_block_pwrite(q->n->file, q->h.reftable_offset + index * 8, raw, 8, 0);
    if (ret == 0) {
        q->rt[index] = value;
        q->rt_used = MAX(q->rt_used, index + 1);
    }
    return ret;
}

static int co_change_existing(Qcow2 *q, uint64_t first, uint64_t count, int64_t add, int why);

/* A table of more entries, somewhere else. */
static int co_grow_table(Qcow2 *q, uint64_t entries)
{
    uint64_t clusters = q_round_up(q, entries * 8) / q->cluster_size, old = q->h.reftable_offset;
    uint32_t old_clusters = q->h.reftable_clusters;
    g_autofree uint8_t *raw = NULL;
    uint64_t room = clusters * q->cluster_size / 8;
    int64_t at;
    int ret;

    if (clusters * q->cluster_size > Q_MAX_REFTABLE_BYTES) {
        return -EFBIG;
    }
    qcow2_event(q, "reftable_grow");
    at = co_qcow2_alloc(q, clusters);
    if (at < 0) {
        return (int)at;
    }
    raw = g_malloc0(clusters * q->cluster_size);
    for (uint64_t i = 0; i < q->rt_entries; i++) {
        store_be64(raw + i * 8, q->rt[i]);
    }
    qcow2_event(q, "refblock_alloc_write_blocks");
    ret = co_qcow2_cache_flush(q, q->rb_cache);
    qcow2_event(q, "refblock_alloc_write_table");
    ret = ret < 0 ? ret
                  : co_block_pwrite(q->n->file, (uint64_t)at, raw, clusters * q->cluster_size, 0);
    ret = ret < 0 ? ret : co_block_flush(q->n->file);
    if (ret < 0) {
        return ret;
    }
    q->rt = g_renew(uint64_t, q->rt, room);
    memset(q->rt + q->rt_entries, 0, (room - q->rt_entries) * 8);
    q->rt_entries = room;
    q->h.reftable_offset = (uint64_t)at;
    q->h.reftable_clusters = (uint32_t)clusters;
    qcow2_event(q, "refblock_alloc_switch_table");
    ret = co_qcow2_header_write(q);
    return ret < 0 ? ret : co_qcow2_free(q, old, old_clusters * q->cluster_size, DISCARD_OTHER);
}

/*
 * A block for a part of the image that has none. *made: the caller looks for free clusters again.
 */
static int co_ensure_block(Qcow2 *q, uint64_t index, bool *made)
{
    uint64_t per_block = 1ull << q->rb_bits, at, own;
    int64_t cluster;
    void *block;
    int ret;

    if (index >= q->rt_entries - q->rt_entries / 4 && !q->growing) {
        /* a quarter is kept for what the new table itself needs */
        uint64_t want = MAX(q->rt_entries * 2, index + index / 2 + 1);

        if (want * 8 <= Q_MAX_REFTABLE_BYTES) {
            q->growing = true;  /* the growing does not grow */
            ret = co_grow_table(q, want);
            q->growing = false;
            if (ret < 0 && index >= q->rt_entries) {
                return ret;
            }
            *made = true;
        }
    }
    if (index >= q->rt_entries) {
        return -EFBIG;
    }
    if (q->rt[index] & Q_REFTABLE_MASK) {
        return 0;
    }
    *made = true;
    cluster = co_find_free(q, q->free_index, 1);
    if (cluster < 0) {
        return (int)cluster;
    }
    at = (uint64_t)cluster << q->cluster_bits;
    own = (uint64_t)cluster >> q->rb_bits;
    ret = co_qcow2_check_overlap(q, 0, at, q->cluster_size);
    if (ret < 0) {
        return ret;
    }
    if (own != index) {
        if (own >= q->rt_entries || !(q->rt[own] & Q_REFTABLE_MASK)) {
            /* that part has no block either: it comes first, and describes itself */
            ret = co_ensure_block(q, own, made);
            return ret < 0 ? ret : co_ensure_block(q, index, made);
        }
        ret = co_change_existing(q, (uint64_t)cluster, 1, 1, DISCARD_NEVER);
        if (ret < 0) {
            return ret;
        }
    }
    qcow2_cache_forget(q->rb_cache, at, q->cluster_size);
    ret = co_qcow2_cache_get(q, q->rb_cache, at, true, &block);
    if (ret < 0) {
        return ret;
    }
    memset(block, 0, q->cluster_size);
    if (own == index) {
        qcow2_refcount_store(q, block, (uint64_t)cluster & (per_block - 1), 1);
    }
    qcow2_cache_dirty(q->rb_cache, block);
    qcow2_cache_put(q->rb_cache, block);
    qcow2_event(q, "refblock_alloc_write");
    ret = co_qcow2_cache_flush(q, q->rb_cache);
    ret = ret < 0 ? ret : co_write_rt_entry(q, index, at);
    return ret;
}

/* Blocks for all of a range of clusters. */
static int co_ensure_blocks(Qcow2 *q, uint64_t first, uint64_t count, bool *made)
{
    int ret = 0;

    for (uint64_t i = first >> q->rb_bits; ret == 0 && i <= (first + count - 1) >> q->rb_bits;
         i++) {
        if (i >= q->rt_entries || !(q->rt[i] & Q_REFTABLE_MASK)) {
            ret = co_ensure_block(q, i, made);
        }
    }
    return ret;
}

/* ---- changing counts ---- */

static bool wants_discard(const Qcow2 *q, int why)
{
    switch (why) {
    case DISCARD_ALWAYS:
        return true;
    case DISCARD_REQUEST:
        return q->discard_passthrough;
    case DISCARD_SNAPSHOT:
        return q->discard_snapshot;
    case DISCARD_OTHER:
        return q->discard_other;
    default:
        return false;
    }
}

/* Tells the host of a run of freed clusters. */
static void co_discard_freed(Qcow2 *q, uint64_t first, uint64_t count, int why)
{
    if (count && wants_discard(q, why)) {
        /* nothing points there any more, not even on disk: see co_qcow2_free */
        co_block_discard(q->n->file, first << q->cluster_bits, count << q->cluster_bits);
    }
}

/* All blocks are there. */
static int co_change_existing(Qcow2 *q, uint64_t first, uint64_t count, int64_t add, int why)
{
    uint64_t per_block = 1ull << q->rb_bits, done = 0, freed_at = 0, freed = 0;
    int ret = 0;

    while (ret == 0 && done < count) {
        uint64_t cluster = first + done, end = MIN(first + count, (cluster | (per_block - 1)) + 1);
        int64_t at = block_offset(q, cluster >> q->rb_bits);
        void *block;

        if (at <= 0) {
            ret = at < 0 ? (int)at : -EINVAL;
            break;
        }
        ret = co_qcow2_cache_get(q, q->rb_cache, (uint64_t)at, false, &block);
        if (ret < 0) {
            break;
        }
        for (; cluster < end; cluster++, done++) {
            uint64_t old = qcow2_refcount_load(q, block, cluster & (per_block - 1)),
                     now = old + (uint64_t)add;

            if (add < 0 ? old < (uint64_t)-add : now < old || now > q->refcount_max) {
                ret = -EINVAL;
                break;
            }
            qcow2_refcount_store(q, block, cluster & (per_block - 1), now);
            if (now == 0) {
                q->free_index = MIN(q->free_index, cluster);
                if (freed && freed_at + freed == cluster) {
                    freed++;
                } else {
                    if (freed) {
                        qcow2_cache_dirty(q->rb_cache, block);
                        co_discard_freed(q, freed_at, freed, why);
                    }
                    freed_at = cluster;
                    freed = 1;
                }
            }
        }
        qcow2_cache_dirty(q->rb_cache, block);
        qcow2_cache_put(q->rb_cache, block);
    }
    co_discard_freed(q, freed_at, freed, why);
    if (ret < 0 && done) {
        /* as it was: a failure changes nothing */
        co_change_existing(q, first, done, -add, DISCARD_NEVER);
    }
    return ret;
}

int co_qcow2_refcount_change(Qcow2 *q, uint64_t offset, uint64_t len, int64_t add)
{
    uint64_t first = offset >> q->cluster_bits, count;
    bool made = false;
    int ret;

    if (!len) {
        return 0;
    }
    count = ((offset + len - 1) >> q->cluster_bits) - first + 1;
    ret = add > 0 ? co_ensure_blocks(q, first, count, &made) : 0;
    return ret < 0 ? ret : co_change_existing(q, first, count, add, DISCARD_SNAPSHOT);
}

/* ---- allocating ---- */

int64_t co_qcow2_alloc(Qcow2 *q, uint64_t n)
{
    bool made;
    int64_t first;
    int ret;

    qcow2_event(q, "cluster_alloc");
    qcow2_event(q, "refblock_alloc");
    ret = co_qcow2_mark_dirty(q);
    if (ret < 0) {
        return ret;
    }
    do {
        made = false;
        first = co_find_free(q, q->free_index, n);
        if (first < 0) {
            return first;
        }
        ret = co_ensure_blocks(q, (uint64_t)first, n, &made);
    } while (ret == 0 && made);
    if (ret == 0) {
        ret = co_change_existing(q, (uint64_t)first, n, 1, DISCARD_NEVER);
    }
    if (ret < 0) {
        return ret;
    }
    if ((uint64_t)first == q->free_index || n == 1) {
        q->free_index = (uint64_t)first + n;
    }
    return (int64_t)((uint64_t)first << q->cluster_bits);
}

int64_t co_qcow2_alloc_at(Qcow2 *q, uint64_t offset, uint64_t n)
{
    uint64_t first = offset >> q->cluster_bits, count = 0, refs;
    bool made = false;
    int ret;

    for (; count < n; count++) {
        ret = co_qcow2_refcount(q, first + count, &refs);
        if (ret < 0) {
            return ret;
        }
        if (refs) {
            break;
        }
    }
    if (count == 0) {
        return 0;
    }
    ret = co_qcow2_mark_dirty(q);
    ret = ret < 0 ? ret : co_ensure_blocks(q, first, count, &made);
    if (ret < 0 || made) {
        return ret;     /* a new block may lie there: no luck this time */
    }
    ret = co_change_existing(q, first, count, 1, DISCARD_NEVER);
    return ret < 0 ? ret : (int64_t)count;
}

int64_t co_qcow2_alloc_bytes(Qcow2 *q, uint64_t len)
{
    uint64_t at = q->free_byte, end;
    uint64_t left = at ? q->cluster_size - q_in_cluster(q, at) : 0;
    uint64_t refs = 0;
    int64_t fresh;
    int ret;

    qcow2_event(q, "cluster_alloc_bytes");
    if (at && q_in_cluster(q, at) == 0) {
        at = left = 0;
    }
    if (at) {
        ret = co_qcow2_refcount(q, at >> q->cluster_bits, &refs);
        if (ret < 0) {
            return ret;
        }
        if (refs >= q->refcount_max || refs == 0) {
            at = left = 0;
        }
    }
    if (left < len) {
        fresh = co_qcow2_alloc(q, 1);
        if (fresh < 0) {
            return fresh;
        }
        if (at && ((at & ~(q->cluster_size - 1)) + q->cluster_size == (uint64_t)fresh)) {
            /* goes on into it: one more use of the old cluster */
            ret = co_qcow2_refcount_change(q, at, left, 1);
        } else {
            at = (uint64_t)fresh;
            ret = 0;
        }
    } else {
        ret = co_qcow2_refcount_change(q, at, len, 1);
    }
    if (ret < 0) {
        return ret;
    }
    end = at + len;
    q->free_byte = q_in_cluster(q, end) ? end : 0;
    /* entries must not be on disk before these counts */
    ret = q->lazy ? 0 : co_qcow2_cache_depend(q, q->l2_cache, q->rb_cache);
    return ret < 0 ? ret : (int64_t)at;
}

int co_qcow2_free(Qcow2 *q, uint64_t offset, uint64_t len, int why)
{
    Qcow2Pending one = { offset & ~(q->cluster_size - 1), 0, why };

    if (!len) {
        return 0;
    }
    one.len = q_round_up(q, offset + len) - one.offset;
    if (q->pending->len) {
        Qcow2Pending *last = &g_array_index(q->pending, Qcow2Pending, q->pending->len - 1);

        if (last->why == why && last->offset + last->len == one.offset) {
            last->len += one.len;
            return 0;
        }
    }
    g_array_append_val(q->pending, one);
    return q->pending->len < MAX_PENDING ? 0 : co_qcow2_settle(q);
}

int co_qcow2_settle(Qcow2 *q)
{
    g_autoptr(GArray) now = NULL;
    int ret = co_qcow2_cache_write(q, q->rb_cache);

    ret = ret < 0 ? ret : co_qcow2_cache_write(q, q->l2_cache);
    if (ret < 0 || !q->pending->len) {
        return ret;
    }
    ret = co_block_flush(q->n->file);
    if (ret < 0) {
        return ret;
    }
    now = g_steal_pointer(&q->pending);
    q->pending = g_array_new(FALSE, FALSE, sizeof(Qcow2Pending));
    for (unsigned i = 0; i < now->len; i++) {
        const Qcow2Pending *p = &g_array_index(now, Qcow2Pending, i);
        int one = co_change_existing(q, p->offset >> q->cluster_bits, p->len >> q->cluster_bits, -1,
                                     p->why);

        ret = ret < 0 ? ret : one;
    }
    return ret == -EINVAL ? co_qcow2_corrupt(q, false, "Refcount of a freed cluster was 0 already")
                          : ret;
}

int co_qcow2_free_entry(Qcow2 *q, uint64_t entry, int why)
{
    uint64_t offset = entry & Q_OFFSET_MASK;

    qcow2_event(q, "cluster_free");
    if (entry & Q_COMPRESSED) {
        unsigned bits = 62 - (q->cluster_bits - 8);
        uint64_t start = entry & ((1ull << bits) - 1);
        uint64_t sectors = (entry >> bits & ((1ull << (q->cluster_bits - 8)) - 1)) + 1;

        return co_qcow2_free(q, start & ~511ull, sectors * 512, why);
    }
    if (q->external) {
        if (wants_discard(q, why) && !q->raw_external) {
            co_block_discard(q->data, offset, q->cluster_size);
        }
        return 0;
    }
    if (!offset) {
        return 0;
    }
    if (q_in_cluster(q, offset)) {
        return co_qcow2_corrupt(q, false, "Cannot free unaligned cluster %#" G_GINT64_MODIFIER "x",
                                offset);
    }
    return co_qcow2_free(q, offset, q->cluster_size, why);
}

int64_t co_qcow2_end(Qcow2 *q)
{
    uint64_t per_block = 1ull << q->rb_bits;

    for (uint64_t t = q->rt_used; t-- > 0;) {
        int64_t at = block_offset(q, t);
        void *block;
        int ret;

        if (at < 0) {
            return at;
        }
        if (!at) {
            continue;
        }
        ret = co_qcow2_cache_get(q, q->rb_cache, (uint64_t)at, false, &block);
        if (ret < 0) {
            return ret;
        }
        for (uint64_t i = per_block; i-- > 0;) {
            if (qcow2_refcount_load(q, block, i)) {
                qcow2_cache_put(q->rb_cache, block);
                return (int64_t)((t * per_block + i + 1) << q->cluster_bits);
            }
        }
        qcow2_cache_put(q->rb_cache, block);
    }
    return 0;
}
