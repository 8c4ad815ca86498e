// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checking qcow2 images: all that refers to clusters is followed and counted, and compared with the
 * refcounts and the COPIED flags. Leaks and wrong counts are mended in place; when blocks of counts
 * are missing or lie where they cannot, all of them are written anew behind the end of the image.
 */
#include "block/qcow2-check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/bswap.h"
#include "util/error.h"

void qcow2_check_say(Qcow2Count *k, const char *fmt, ...)
{
    va_list ap;

    if (!k->result->say) {
        return;
    }
    va_start(ap, fmt);
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    k->result->say(k->result, text);
}

/* ---- counting ---- */

bool qcow2_count(Qcow2Count *k, uint64_t offset, uint64_t len)
{
    const Qcow2 *q = k->q;
    uint64_t first = offset >> q->cluster_bits, last;

    if (!len) {
        return true;
    }
    if (offset > INT64_MAX - len || ((offset + len - 1) >> q->cluster_bits) >= k->clusters) {
        qcow2_check_say(k,
                        "Warning: cluster offset=0x%" G_GINT64_MODIFIER
                        "x is after the end of the image file, can't properly check refcounts.",
                        offset);
        k->result->check_errors++;
        return false;
    }
    last = (offset + len - 1) >> q->cluster_bits;
    for (uint64_t i = first; i <= last; i++) {
        if (k->refs[i] != UINT32_MAX) {
            k->refs[i]++;
        }
    }
    return true;
}

/* ---- counts on disk, in order ---- */

static void release_block(Qcow2Count *k)
{
    if (k->block) {
        qcow2_cache_put(k->q->rb_cache, k->block);
        k->block = NULL;
    }
}

static int co_on_disk(Qcow2Count *k, uint64_t cluster, uint64_t *refs)
{
    Qcow2 *q = k->q;
    uint64_t i = cluster >> q->rb_bits, in_block = cluster & ((1ull << q->rb_bits) - 1);

    if (!k->block || k->block_index != i) {
        int ret;

        release_block(k);
        if (i >= q->rt_entries || !(q->rt[i] & Q_REFTABLE_MASK) ||
            q_in_cluster(q, q->rt[i] & Q_REFTABLE_MASK)) {
            return co_qcow2_refcount(q, cluster, refs);
        }
        ret = co_qcow2_cache_get(q, q->rb_cache, q->rt[i] & Q_REFTABLE_MASK, false, &k->block);
        if (ret < 0) {
            k->block = NULL;
            return ret;
        }
        k->block_index = i;
    }
    *refs = q->refcount_bits == 16 ? load_be16((const uint8_t *)k->block + in_block * 2)
                                   : qcow2_refcount_load(q, k->block, in_block);
    return 0;
}

/* An entry as most are: a cluster of data in the file. True: that was all. */
static inline bool count_plain(Qcow2Count *k, uint64_t entry, bool active)
{
    const Qcow2 *q = k->q;
    uint64_t offset = entry & Q_OFFSET_MASK, cluster = offset >> q->cluster_bits;

    if (q->ext || q->external || (entry & (Q_COMPRESSED | Q_ZERO)) || q_in_cluster(q, offset) ||
        cluster == 0 || cluster >= k->clusters) {
        return false;
    }
    k->refs[cluster] += k->refs[cluster] != UINT32_MAX;
    if (active) {
        k->result->allocated_clusters++;
        k->result->fragmented_clusters += k->next && offset != k->next;
        k->next = offset + q->cluster_size;
    }
    return true;
}

/* One entry of guest data. False: *entry is rubbish, and was made harmless if that was wanted. */
static bool count_entry(Qcow2Count *k, uint64_t *entry, uint64_t *bitmap, bool active)
{
    Qcow2 *q = k->q;
    uint64_t offset = *entry & Q_OFFSET_MASK;
    bool has_data = false;

    if (*entry & Q_COMPRESSED) {
        unsigned bits = 62 - (q->cluster_bits - 8);
        uint64_t start = *entry & ((1ull << bits) - 1);
        uint64_t sectors = (*entry >> bits & ((1ull << (q->cluster_bits - 8)) - 1)) + 1;

        if (*entry & Q_COPIED) {
            qcow2_check_say(k,
                            "ERROR: coffset=0x%" G_GINT64_MODIFIER
                            "x: copied flag must never be set for compressed clusters",
                            start);
            *entry &= ~Q_COPIED;
            k->result->corruptions++;
        }
        if (q->external) {
            qcow2_check_say(k, "ERROR compressed cluster 0x%" G_GINT64_MODIFIER "x with data file",
                            start);
            k->result->corruptions++;
            return true;
        }
        qcow2_count(k, start & ~511ull, sectors * 512);
        if (active) {
            k->result->compressed_clusters++;
            k->result->allocated_clusters++;
            k->result->fragmented_clusters++;
        }
        return true;
    }
    if (q->ext && ((*bitmap >> 32) & *bitmap & 0xffffffff)) {
        qcow2_check_say(k,
                        "ERROR offset=%" G_GINT64_MODIFIER
                        "x: Allocated cluster with corrupted subcluster allocation bitmap",
                        offset);
        k->result->corruptions++;
    }
    for (unsigned i = 0; i < q->subs; i++) {
        Qcow2Kind kind = qcow2_kind(q, *entry, *bitmap, i);

        has_data |= kind == Q_NORMAL || kind == Q_ZERO_ALLOC;
    }
    has_data |= q->ext && offset;
    if (!has_data) {
        return true;
    }
    if (active) {
        k->result->allocated_clusters++;
        if (k->next && offset != k->next) {
            k->result->fragmented_clusters++;
        }
        k->next = offset + q->cluster_size;
    }
    if (q_in_cluster(q, offset)) {
        bool mend = (k->fix & BLOCK_FIX_ERRORS) != 0;

        qcow2_check_say(k,
                        "%s offset=%" G_GINT64_MODIFIER
                        "x: Cluster is not properly aligned; L2 entry corrupted.",
                        mend ? "Repairing" : "ERROR", offset);
        k->result->corruptions++;
        if (mend) {
            /* what was there cannot be had: zeroes */
            *entry = q->h.version >= 3 && !q->ext ? Q_ZERO : 0;
            *bitmap = q->ext ? 0xffffffffull << 32 : 0;
            k->result->corruptions--;
            k->result->corruptions_fixed++;
        }
        return !mend;
    }
    if (!q->external) {
        qcow2_count(k, offset, q->cluster_size);
    }
    return true;
}

static int co_count_l2(Qcow2Count *k, uint64_t table, bool active)
{
    Qcow2 *q = k->q;
    g_autofree uint8_t *raw = g_malloc(q->cluster_size);
    unsigned entries = 1u << q->l2_bits;
    bool changed = false;
    int ret = co_block_pread(q->n->file, table, raw, q->cluster_size);

    k->next = 0;    /* a table lies between */
    if (ret < 0) {
        qcow2_check_say(k, "ERROR: I/O error in check_refcounts_l2");
        k->result->check_errors++;
        return ret;
    }
    for (unsigned i = 0; i < entries; i++) {
        uint64_t entry = qcow2_entry(q, raw, i), bitmap = qcow2_entry_bitmap(q, raw, i);

        if ((entry == 0 && bitmap == 0) || count_plain(k, entry, active)) {
            continue;
        }
        if (!count_entry(k, &entry, &bitmap, active)) {
            qcow2_entry_set(q, raw, i, entry, bitmap);
            changed = true;
        }
    }
    return changed ? co_block_pwrite(q->n->file, table, raw, q->cluster_size, 0) : 0;
}

int co_qcow2_count_l1(Qcow2Count *k, uint64_t offset, uint32_t size, bool active)
{
    Qcow2 *q = k->q;
    g_autofree uint64_t *l1 = NULL;
    int ret;

    if (!size) {
        return 0;
    }
    if (!qcow2_count(k, offset, size * 8ull)) {
        return 0;
    }
    l1 = g_try_new(uint64_t, size);
    ret = l1 ? co_block_pread(q->n->file, offset, l1, size * 8ull) : -ENOMEM;
    if (ret < 0) {
        qcow2_check_say(k, "ERROR: I/O error in check_refcounts_l1");
        k->result->check_errors++;
        return ret;
    }
    for (uint32_t i = 0; i < size; i++) {
        uint64_t table = be64(l1[i]) & Q_OFFSET_MASK;

        if (!table) {
            continue;
        }
        if (q_in_cluster(q, table)) {
            qcow2_check_say(k,
                            "ERROR l2_offset=%" G_GINT64_MODIFIER
                            "x: Table is not cluster aligned; L1 entry corrupted",
                            table);
            k->result->corruptions++;
            continue;
        }
        if (qcow2_count(k, table, q->cluster_size)) {
            co_count_l2(k, table, active);
        }
    }
    return 0;
}

/* All but the refcounts' own clusters. */
static int co_count_all(Qcow2Count *k)
{
    Qcow2 *q = k->q;
    int ret;

    qcow2_count(k, 0, q->cluster_size);
    k->result->total_clusters = (int64_t)(q_round_up(q, q->n->length) >> q->cluster_bits);
    ret = co_qcow2_count_l1(k, q->h.l1_offset, q->h.l1_size, true);
    for (uint32_t i = 0; ret == 0 && i < q->h.nb_snapshots; i++) {
        const Qcow2Snapshot *s = &q->snapshots[i];

        if (q_in_cluster(q, s->l1_offset) || s->l1_size > Q_MAX_L1_BYTES / 8) {
            qcow2_check_say(k,
                            "ERROR snapshot %s (%s) l1_offset=%#" G_GINT64_MODIFIER
                            "x: L1 table is not cluster aligned or too "
                            "large; snapshot table entry corrupted",
                            s->s.id, s->s.name, s->l1_offset);
            k->result->corruptions++;
            continue;
        }
        ret = co_qcow2_count_l1(k, s->l1_offset, s->l1_size, false);
    }
    if (q->h.nb_snapshots) {
        qcow2_count(k, q->h.snapshots_offset, qcow2_snapshots_bytes(q));
    }
    if (q->crypto_len) {
        qcow2_count(k, q->crypto_offset, q->crypto_len);
    }
    return ret < 0 ? ret : co_qcow2_count_bitmaps(k);
}

/* The table of refcounts and its blocks; *rebuild when they are beyond mending in place. */
static void count_refcounts(Qcow2Count *k, bool *rebuild)
{
    Qcow2 *q = k->q;

    if (!qcow2_count(k, q->h.reftable_offset, q->h.reftable_clusters * q->cluster_size)) {
        *rebuild = true;
    }
    for (uint64_t i = 0; i < q->rt_entries; i++) {
        uint64_t at = q->rt[i] & Q_REFTABLE_MASK, cluster = at >> q->cluster_bits;

        if (!at) {
            continue;
        }
        if (q_in_cluster(q, at)) {
            qcow2_check_say(k,
                            "ERROR refcount block %" G_GUINT64_FORMAT
                            " is not cluster aligned; refcount table entry corrupted",
                            i);
            k->result->corruptions++;
            *rebuild = true;
            q->rt[i] = k->fix & BLOCK_FIX_ERRORS ? 0 : q->rt[i];
            continue;
        }
        if (cluster >= k->clusters) {
            qcow2_check_say(k, "%s refcount block %" G_GUINT64_FORMAT " is outside image",
                            k->fix & BLOCK_FIX_ERRORS ? "Repairing" : "ERROR", i);
            k->result->corruptions++;
            *rebuild = true;
            q->rt[i] = k->fix & BLOCK_FIX_ERRORS ? 0 : q->rt[i];
            continue;
        }
        qcow2_count(k, at, q->cluster_size);
        if (k->refs[cluster] != 1) {
            qcow2_check_say(k, "ERROR refcount block %" G_GUINT64_FORMAT " refcount=%u", i,
                            k->refs[cluster]);
            k->result->corruptions++;
            *rebuild = true;
        }
    }
}

/* ---- comparing ---- */

static int co_compare(Qcow2Count *k, bool *rebuild)
{
    Qcow2 *q = k->q;
    BlockCheck *r = k->result;
    uint64_t highest = 0;

    for (uint64_t i = 0; i < k->clusters; i++) {
        uint64_t have, want = k->refs[i];
        int64_t diff;
        bool mend;
        int ret;

        if (!(i & ((1ull << q->rb_bits) - 1)) && !want && i + (1ull << q->rb_bits) <= k->clusters &&
            ((i >> q->rb_bits) >= q->rt_entries || !(q->rt[i >> q->rb_bits] & Q_REFTABLE_MASK))) {
            uint64_t j = i, end = i + (1ull << q->rb_bits);

            while (j < end && !k->refs[j]) {
                j++;
            }
            if (j == end) {
                i = end - 1;
                continue;
            }
        }
        ret = co_on_disk(k, i, &have);
        if (ret < 0) {
            qcow2_check_say(k, "Can't get refcount for cluster %" G_GUINT64_FORMAT ": %s", i,
                            g_strerror(-ret));
            r->check_errors++;
            continue;
        }
        if (have || want) {
            highest = i + 1;
        }
        if (have == want) {
            continue;
        }
        diff = (int64_t)(want - have);
        mend = have > want ? (k->fix & BLOCK_FIX_LEAKS) != 0 : (k->fix & BLOCK_FIX_ERRORS) != 0;
        if (have == 0) {
            *rebuild = true;    /* new blocks may be needed, and this may be one's place */
            mend = false;
        }
        qcow2_check_say(k,
                        "%s cluster %" G_GUINT64_FORMAT " refcount=%" G_GUINT64_FORMAT
                        " reference=%" G_GUINT64_FORMAT,
                        mend          ? "Repairing"
                        : have > want ? "Leaked"
                                      : "ERROR",
                        i, have, want);
        if (mend && co_qcow2_refcount_change(q, i << q->cluster_bits, q->cluster_size, diff) == 0) {
            have > want ? r->leaks_fixed++ : r->corruptions_fixed++;
            continue;
        }
        have > want ? r->leaks++ : r->corruptions++;
    }
    release_block(k);
    r->image_end_offset = (int64_t)(highest << q->cluster_bits);
    return 0;
}

/* ---- COPIED flags: set when and only when the count on disk is 1 ---- */

static bool wrong_flag(Qcow2Count *k, uint64_t *entry, uint64_t refs, const char *what)
{
    /* leaks that were mended leave counts of 1 without the flag */
    bool mend = (k->fix & BLOCK_FIX_ERRORS) ||
                ((k->fix & BLOCK_FIX_LEAKS) && !k->result->corruptions && refs == 1);

    if ((refs == 1) == ((*entry & Q_COPIED) != 0)) {
        return false;
    }
    qcow2_check_say(k,
                    "%s OFLAG_COPIED %s_entry=%" G_GINT64_MODIFIER "x refcount=%" G_GUINT64_FORMAT,
                    mend ? "Repairing" : "ERROR", what, *entry, refs);
    if (!mend) {
        k->result->corruptions++;
        return false;
    }
    k->result->corruptions_fixed++;
    *entry = refs == 1 ? *entry | Q_COPIED : *entry & ~Q_COPIED;
    return true;
}

static int co_check_l2_flags(Qcow2Count *k, uint64_t table)
{
    Qcow2 *q = k->q;
    g_autofree uint8_t *raw = g_malloc(q->cluster_size);
    bool changed = false;
    int ret = co_block_pread(q->n->file, table, raw, q->cluster_size);

    for (unsigned i = 0; ret == 0 && i < 1u << q->l2_bits; i++) {
        uint64_t entry = qcow2_entry(q, raw, i), offset = entry & Q_OFFSET_MASK, refs;

        if ((entry & Q_COMPRESSED) || !offset || q_in_cluster(q, offset) || q->external) {
            continue;
        }
        if (co_on_disk(k, offset >> q->cluster_bits, &refs) < 0) {
            continue;
        }
        if (wrong_flag(k, &entry, refs, "data cluster: l2")) {
            qcow2_entry_set(q, raw, i, entry, qcow2_entry_bitmap(q, raw, i));
            changed = true;
        }
    }
    if (changed && ret == 0) {
        ret = co_block_pwrite(q->n->file, table, raw, q->cluster_size, 0);
    }
    return ret;
}

static int co_check_flags(Qcow2Count *k)
{
    Qcow2 *q = k->q;
    int ret = 0;

    for (uint32_t i = 0; ret == 0 && i < q->h.l1_size; i++) {
        uint64_t table = q->l1[i] & Q_OFFSET_MASK, cluster = table >> q->cluster_bits, refs;

        if (!table || q_in_cluster(q, table) || cluster >= k->clusters ||
            co_qcow2_refcount(q, cluster, &refs) < 0) {
            continue;
        }
        if (wrong_flag(k, &q->l1[i], refs, "L2 table: l1")) {
            ret = co_qcow2_write_l1_entry(q, i);
        }
        ret = ret < 0 ? ret : co_check_l2_flags(k, table);
    }
    release_block(k);
    qcow2_cache_empty(q->l2_cache);
    return ret;
}

/* ---- new refcounts ---- */

int co_qcow2_rebuild(Qcow2Count *k, unsigned order)
{
    Qcow2 *q = k->q;
    uint64_t per_block = q->cluster_size * 8 >> order, start = k->clusters, blocks = 0, tables = 0,
             total, last;
    g_autofree uint8_t *block = g_malloc(q->cluster_size), *table = NULL;
    uint64_t at, old_table = q->h.reftable_offset;
    Qcow2 as = *q;
    int ret = 0;

    as.refcount_bits = 1u << order;
    do {    /* the new blocks need counts, too */
        last = blocks + tables;
        total = start + last;
        blocks = 0;
        for (uint64_t b = 0; b * per_block < total; b++) {
            bool used = (b + 1) * per_block > start;

            for (uint64_t i = b * per_block; !used && i < MIN((b + 1) * per_block, start); i++) {
                used = k->refs[i] != 0;
            }
            blocks += used;
        }
        tables = ((total + per_block - 1) / per_block * 8 + q->cluster_size - 1) / q->cluster_size;
    } while (blocks + tables != last);
    if (tables * q->cluster_size > Q_MAX_REFTABLE_BYTES) {
        return -EFBIG;
    }
    table = g_malloc0(tables * q->cluster_size);
    at = (start + tables) << q->cluster_bits;
    for (uint64_t b = 0; ret == 0 && b * per_block < total; b++) {
        bool used = false;

        memset(block, 0, q->cluster_size);
        for (uint64_t i = b * per_block; i < MIN((b + 1) * per_block, total); i++) {
            uint64_t refs = i < start ? k->refs[i] : 1;

            if (as.refcount_bits < 64 && refs >> as.refcount_bits) {
                return -ERANGE;
            }
            qcow2_refcount_store(&as, block, i & (per_block - 1), refs);
            used |= refs != 0;
        }
        if (used) {
            ret = co_block_pwrite(q->n->file, at, block, q->cluster_size, 0);
            store_be64(table + b * 8, at);
            at += q->cluster_size;
        }
    }
    ret = ret < 0 ? ret
                  : co_block_pwrite(q->n->file, start << q->cluster_bits, table,
                                    tables * q->cluster_size, 0);
    ret = ret < 0 ? ret : co_block_flush(q->n->file);
    if (ret < 0) {
        return ret;
    }
    qcow2_cache_empty(q->rb_cache);
    q->h.reftable_offset = start << q->cluster_bits;
    q->h.reftable_clusters = (uint32_t)tables;
    q->h.refcount_order = order;
    ret = co_qcow2_header_write(q);
    if (ret < 0) {
        q->h.reftable_offset = old_table;
        return ret;
    }
    q->refcount_bits = 1u << order;
    q->refcount_max = order == 6 ? INT64_MAX : (1ull << q->refcount_bits) - 1;
    q->rb_bits = q->cluster_bits + 3 - order;
    q->rt_entries = tables * q->cluster_size / 8;
    q->rt = g_renew(uint64_t, q->rt, q->rt_entries);
    q->rt_used = q->rt_entries;
    for (uint64_t i = 0; i < q->rt_entries; i++) {
        q->rt[i] = load_be64(table + i * 8);
    }
    q->free_index = 0;
    return 0;
}

/* ---- the whole ---- */

static bool new_count(Qcow2Count *k, GError **error)
{
    Qcow2 *q = k->q;
    g_autoptr(GError) why = NULL;

    block_refresh_length(q->n->file, &why);
    k->clusters = q_round_up(q, q->n->file->length) >> q->cluster_bits;
    g_free(k->refs);
    k->refs = g_try_new0(uint32_t, k->clusters + 1);
    return k->refs != NULL ||
           fail(error,
                "Not enough memory to count the references of %" G_GUINT64_FORMAT " clusters",
                k->clusters);
}

bool co_qcow2_count(Qcow2Count *k, GError **error)
{
    int ret = 0;

    if (!new_count(k, error)) {
        return false;
    }
    ret = co_count_all(k);
    return ret == 0 || fail_errno(error, -ret, "Check failed");
}

static bool co_check_again(Qcow2 *q, BlockCheck *result, GError **error)
{
    BlockCheck again = { 0 };

    if (!co_qcow2_check(q->n, &again, BLOCK_FIX_LEAKS, error)) {
        return false;
    }
    result->leaks_fixed += result->leaks;
    result->corruptions_fixed += result->corruptions - MIN(again.corruptions, result->corruptions);
    result->leaks = again.leaks;
    result->corruptions = again.corruptions;
    result->image_end_offset = again.image_end_offset;
    return true;
}

bool co_qcow2_check(BlockNode *n, BlockCheck *result, unsigned fix, GError **error)
{
    Qcow2 *q = n->state;
    Qcow2Count k = { .q = q, .result = result, .fix = fix };
    bool rebuild = false, good;
    int ret = fix ? co_qcow2_settle(q) : 0;

    if (ret < 0) {
        return fail_errno(error, -ret, "Could not write metadata");
    }
    if (fix && q->h.incompatible & Q_INCOMPAT_CORRUPT) {
        q->corrupt = false;
    }
    good = co_qcow2_count(&k, error);
    if (good) {
        count_refcounts(&k, &rebuild);
        co_compare(&k, &rebuild);
        ret = co_check_flags(&k);
    }
    if (good && rebuild && (fix & BLOCK_FIX_ERRORS)) {
        BlockCheck silent = { 0 };
        Qcow2Count fresh = { .q = q, .result = &silent };

        qcow2_check_say(&k, "Rebuilding refcount structure");
        good = co_qcow2_count(&fresh, error);
        ret = good ? co_qcow2_rebuild(&fresh, q->h.refcount_order) : ret;
        g_free(fresh.refs);
        good = good && ret == 0 && co_check_again(q, result, error);
    }
    g_free(k.refs);
    if (good && ret == 0 && fix && !n->read_only) {
        ret = co_qcow2_settle(q);
        ret = ret < 0 ? ret : co_qcow2_cache_flush(q, q->rb_cache);
        if (ret == 0 && (fix & BLOCK_FIX_ERRORS) && !result->corruptions && !result->check_errors) {
            bool flags = q->h.incompatible & (Q_INCOMPAT_CORRUPT | Q_INCOMPAT_DIRTY);

            q->h.incompatible &= ~(uint64_t)(Q_INCOMPAT_CORRUPT | Q_INCOMPAT_DIRTY);
            q->dirty = q->said_corrupt = false;
            ret = flags ? co_qcow2_header_write(q) : 0;
        }
    }
    if (good && ret < 0) {
        return fail_errno(error, -ret, "Check failed");
    }
    return good;
}
