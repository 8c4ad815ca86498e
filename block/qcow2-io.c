// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests to a qcow2 image: reads through the tables, writes in place and into new clusters with
 * copy-on-write around them, compressed clusters, flushes. Data go without the image's lock; a
 * write claims its range, so that nothing that changes its clusters runs meanwhile.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block/crypto.h"
#include "block/qcow2.h"
#include "util/bswap.h"
#include "util/iov.h"

/* ---- ranges in flight ---- */

void co_qcow2_claim(Qcow2 *q, Qcow2Range *r, uint64_t start, uint64_t end)
{
    Qcow2Range *other = q->ranges;

    r->start = start & ~(q->cluster_size - 1);
    r->end = q_round_up(q, end);
    r->waiters = (CoQueue){ NULL, NULL };
    while (other) {
        if (r->start < other->end && other->start < r->end) {
            co_queue_wait(&other->waiters, &q->lock);
            other = q->ranges;      /* the list is another now */
        } else {
            other = other->next;
        }
    }
    r->next = q->ranges;
    q->ranges = r;
}

void qcow2_unclaim(Qcow2 *q, Qcow2Range *r)
{
    Qcow2Range **at = &q->ranges;

    while (*at != r) {
        at = &(*at)->next;
    }
    *at = r->next;
    co_queue_wake_all(&r->waiters);
}

/* ---- encryption ---- */

/* The position that makes the key stream's number: the guest's for AES, the file's for LUKS. */
static uint64_t crypt_position(const Qcow2 *q, uint64_t guest, uint64_t host)
{
    return q->h.crypt_method == Q_CRYPT_LUKS ? host : guest;
}

/* ---- compressed clusters ---- */

typedef struct Unpack {
    const Qcow2Compressor *how;
    void *to;
    const void *from;
    size_t to_len, from_len;
    int64_t ret;
} Unpack;

static int unpack_work(void *arg)
{
    Unpack *u = arg;

    return u->how->decompress(u->to, u->to_len, u->from, u->from_len);
}

static int pack_work(void *arg)
{
    Unpack *u = arg;

    u->ret = u->how->compress(u->to, u->to_len, u->from, u->from_len);
    return u->ret < 0 ? (int)u->ret : 0;
}

int co_qcow2_unpack(Qcow2 *q, uint64_t entry, void *cluster)
{
    unsigned bits = 62 - (q->cluster_bits - 8);
    uint64_t start = entry & ((1ull << bits) - 1);
    uint64_t len =
        ((entry >> bits & ((1ull << (q->cluster_bits - 8)) - 1)) + 1) * 512 - (start & 511);
    Unpack u = { .how = q->compressor, .to = cluster, .to_len = q->cluster_size, .from_len = len };
    g_autofree uint8_t *raw = g_try_malloc(len);
    int ret;

    if (!raw || !q->compressor) {
        return raw ? -ENOTSUP : -ENOMEM;
    }
    u.from = raw;
    qcow2_event(q, "read_compressed");
    ret = co_block_pread(q->n->file, start, raw, len);
    return ret < 0 ? ret : co_in_worker(unpack_work, &u);
}

static int co_read_packed(Qcow2 *q, uint64_t offset, uint64_t bytes, uint64_t entry,
                          const struct iovec *iov, unsigned niov, uint64_t done)
{
    uint64_t at = q_in_cluster(q, offset);
    uint8_t *cluster;
    int ret;

    if (q->unpacked && q->unpacked_entry == entry) {
        g_autofree struct iovec *part = g_new(struct iovec, niov);

        iov_from_buf(part, iov_slice(part, niov, iov, niov, done, bytes), 0, q->unpacked + at,
                     bytes);
        return 0;
    }
    cluster = g_try_malloc(q->cluster_size);
    if (!cluster) {
        return -ENOMEM;
    }
    ret = co_qcow2_unpack(q, entry, cluster);
    if (ret == 0) {
        g_autofree struct iovec *part = g_new(struct iovec, niov);

        iov_from_buf(part, iov_slice(part, niov, iov, niov, done, bytes), 0, cluster + at, bytes);
        g_free(q->unpacked);
        q->unpacked = cluster;
        q->unpacked_entry = entry;
    } else {
        g_free(cluster);
    }
    return ret;
}

/* ---- reading ---- */

static int co_read_data(Qcow2 *q, uint64_t guest, uint64_t host, uint64_t bytes,
                        const struct iovec *iov, unsigned niov)
{
    g_autofree uint8_t *buf = NULL;
    int ret;

    qcow2_event(q, "read_aio");
    if (!q->crypto) {
        return co_block_preadv(q->data, host, bytes, iov, niov);
    }
    buf = g_try_malloc(bytes);
    if (!buf) {
        return -ENOMEM;
    }
    ret = co_block_pread(q->data, host, buf, bytes);
    ret = ret < 0 ? ret : co_crypto_decrypt(q->crypto, crypt_position(q, guest, host), buf, bytes);
    if (ret == 0) {
        iov_from_buf(iov, niov, 0, buf, bytes);
    }
    return ret;
}

/* Nothing here: what the backing file has. */
static int co_read_below(Qcow2 *q, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    if (!q->n->backing) {
        iov_memset(iov, niov, 0, 0, bytes);
        return 0;
    }
    qcow2_event(q, "read_backing_aio");
    return co_block_preadv(q->n->backing, offset, bytes, iov, niov);
}

int co_qcow2_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                    unsigned niov)
{
    Qcow2 *q = n->state;
    g_autofree struct iovec *cut = NULL;
    uint64_t done = 0;
    int ret = 0;

    while (ret == 0 && done < bytes) {
        uint64_t len = bytes - done, host = 0, at = offset + done;
        const struct iovec *part = iov;
        unsigned parts = niov;
        Qcow2Kind kind;

        co_mutex_lock(&q->lock);
        ret = co_qcow2_map(q, at, &len, &host, &kind);
        co_mutex_unlock(&q->lock);
        if (ret < 0) {
            break;
        }
        if (kind != Q_PACKED && len < bytes) {
            cut = cut ? cut : g_new(struct iovec, niov);
            parts = iov_slice(cut, niov, iov, niov, done, len);
            part = cut;
        }
        switch (kind) {
        case Q_NORMAL:
            ret = co_read_data(q, at, host, len, part, parts);
            break;
        case Q_PACKED:
            ret = co_read_packed(q, at, len, host, iov, niov, done);
            break;
        case Q_UNALLOCATED:
            ret = co_read_below(q, at, len, part, parts);
            break;
        default:
            iov_memset(part, parts, 0, 0, len);
        }
        done += len;
    }
    return ret;
}

int co_qcow2_block_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                          BlockStatus *st)
{
    Qcow2 *q = n->state;
    uint64_t host = 0, total = 0, first_host = 0;
    Qcow2Kind kind = Q_UNALLOCATED, first = Q_INVALID;
    int ret = 0;

    co_mutex_lock(&q->lock);
    while (total < bytes) {     /* runs of several slices are one */
        uint64_t len = bytes - total;

        ret = co_qcow2_map(q, offset + total, &len, &host, &kind);
        if (ret < 0 || (total && (kind != first || (kind == Q_PACKED) ||
                                  (kind == Q_NORMAL && host != first_host + total)))) {
            break;
        }
        if (!total) {
            first = kind;
            first_host = host;
        }
        total += len;
    }
    co_mutex_unlock(&q->lock);
    if (ret < 0 && !total) {
        return ret;
    }
    st->bytes = total;
    switch (first) {
    case Q_NORMAL:
        st->flags = BLOCK_STATUS_DATA | BLOCK_STATUS_ALLOCATED;
        if (!q->crypto) {
            st->flags |= BLOCK_STATUS_OFFSET | (q->holes ? BLOCK_STATUS_RECURSE : 0);
            st->map = first_host;
            st->map_node = q->data;
        }
        break;
    case Q_ZERO_ALLOC:
        st->flags =
            BLOCK_STATUS_ZERO | BLOCK_STATUS_ALLOCATED | (q->crypto ? 0 : BLOCK_STATUS_OFFSET);
        st->map = first_host;
        st->map_node = q->data;
        break;
    case Q_ZERO_PLAIN:
        st->flags = BLOCK_STATUS_ZERO | BLOCK_STATUS_ALLOCATED;
        break;
    case Q_PACKED:
        st->flags = BLOCK_STATUS_DATA | BLOCK_STATUS_ALLOCATED | BLOCK_STATUS_COMPRESSED;
        break;
    default:
        st->flags = 0;
    }
    return 0;
}

/* ---- writing ---- */

/* Part of a write that goes to one place. */
typedef struct Placed {
    uint64_t guest, bytes;      /* what the request writes here */
    uint64_t host;              /* of guest */
    uint64_t before, after;     /* bytes to bring over in front and behind */
    bool link;                  /* L2 entries change when the data are there */
    bool fresh;                 /* into new clusters: whole entries change */
    bool copied_old;            /* the bytes around come from data that were flushed */
} Placed;

/* Whether the request may write to the cluster where it is. */
static bool is_own(const Qcow2 *q, uint64_t entry)
{
    return !(entry & Q_COMPRESSED) && (entry & Q_COPIED) &&
           ((entry & Q_OFFSET_MASK) || q->external);
}

/* In place, from offset on, as long as clusters follow each other and have the data already. */
static void place_in_data(const Qcow2 *q, const void *slice, unsigned index, uint64_t offset,
                          uint64_t bytes, Placed *p)
{
    uint64_t in_cluster = q_in_cluster(q, offset),
             first = qcow2_entry(q, slice, index) & Q_OFFSET_MASK;
    uint64_t covered = 0;

    for (unsigned i = index; covered < bytes && i < q->slice_entries; i++) {
        uint64_t entry = qcow2_entry(q, slice, i), bitmap = qcow2_entry_bitmap(q, slice, i);
        uint64_t at = i == index ? in_cluster : 0, end = MIN(q->cluster_size, at + bytes - covered);
        bool good =
            is_own(q, entry) && (entry & Q_OFFSET_MASK) == first + (i - index) * q->cluster_size;

        for (uint64_t sub = at / q->sub_size; good && sub * q->sub_size < end; sub++) {
            good = qcow2_kind(q, entry, bitmap, (unsigned)sub) == Q_NORMAL;
        }
        if (!good) {
            break;
        }
        covered += end - at;
    }
    *p = (Placed){ .guest = offset, .bytes = covered, .host = first + in_cluster };
}

/* In place, in one cluster, parts of which have no data yet. */
static void place_in_holes(const Qcow2 *q, uint64_t entry, uint64_t bitmap, uint64_t offset,
                           uint64_t bytes, Placed *p)
{
    uint64_t in_cluster = q_in_cluster(q, offset), end = MIN(q->cluster_size, in_cluster + bytes);
    unsigned first = (unsigned)(in_cluster / q->sub_size),
             last = (unsigned)((end - 1) / q->sub_size);

    *p = (Placed){.guest = offset,
                  .bytes = end - in_cluster,
                  .host = (entry & Q_OFFSET_MASK) + in_cluster,
                  .link = true};
    if (qcow2_kind(q, entry, bitmap, first) != Q_NORMAL) {
        p->before = in_cluster - first * q->sub_size;
    }
    if (qcow2_kind(q, entry, bitmap, last) != Q_NORMAL) {
        p->after = (last + 1) * q->sub_size - end;
    }
}

/*
 * How much of a cluster that is replaced must come along on one side: from `at` to its start or
 * end.
 */
static uint64_t bring_along(const Qcow2 *q, uint64_t entry, uint64_t bitmap, uint64_t at,
                            bool front)
{
    bool data = entry & Q_COMPRESSED;
    uint64_t sub = at / q->sub_size * q->sub_size;

    for (unsigned i = 0; !data && i < q->subs; i++) {
        data = qcow2_kind(q, entry, bitmap, i) == Q_NORMAL;
    }
    if (front) {
        return data ? at : at - sub;
    }
    if (at == sub) {
        return data ? q->cluster_size - at : 0;
    }
    return data ? q->cluster_size - at : sub + q->sub_size - at;
}

/* In new clusters, for a run of those that have no place of their own. */
static int co_place_fresh(Qcow2 *q, const void *slice, unsigned index, uint64_t offset,
                          uint64_t bytes, Placed *p)
{
    uint64_t in_cluster = q_in_cluster(q, offset),
             want = (in_cluster + bytes + q->cluster_size - 1) >> q->cluster_bits;
    uint64_t n = 0, end;
    int64_t at;
    int ret;

    while (n < want && index + n < q->slice_entries &&
           !is_own(q, qcow2_entry(q, slice, index + (unsigned)n))) {
        n++;
    }
    if (q->external) {
        at = (int64_t)(offset - in_cluster);
    } else {
        at = co_qcow2_alloc(q, n);
        for (; at == -ENOSPC && n > 1; at = co_qcow2_alloc(q, n)) {
            n /= 2;
        }
    }
    if (at < 0) {
        return (int)at;
    }
    *p = (Placed){.guest = offset,
                  .bytes = MIN(bytes, n * q->cluster_size - in_cluster),
                  .host = (uint64_t)at + in_cluster,
                  .link = true,
                  .fresh = true};
    end = in_cluster + p->bytes;
    p->before = bring_along(q, qcow2_entry(q, slice, index), qcow2_entry_bitmap(q, slice, index),
                            in_cluster, true);
    if (end & (q->cluster_size - 1)) {
        unsigned last = index + (unsigned)((end - 1) >> q->cluster_bits);

        p->after = bring_along(q, qcow2_entry(q, slice, last), qcow2_entry_bitmap(q, slice, last),
                               q_in_cluster(q, end), false);
    }
    ret = q->external ? 0 : co_qcow2_check_overlap(q, 0, (uint64_t)at, n * q->cluster_size);
    return ret;
}

static int co_place(Qcow2 *q, uint64_t offset, uint64_t bytes, Placed *p)
{
    uint64_t entry, bitmap;
    unsigned index;
    void *slice;
    int ret = co_qcow2_slice_for_write(q, offset, &slice, &index);

    if (ret < 0) {
        return ret;
    }
    entry = qcow2_entry(q, slice, index);
    bitmap = qcow2_entry_bitmap(q, slice, index);
    if (!(entry & Q_COMPRESSED) && q_in_cluster(q, entry & Q_OFFSET_MASK)) {
        ret = co_qcow2_corrupt(q, true,
                               "Data cluster offset %#" G_GINT64_MODIFIER
                               "x unaligned (guest offset: %#" G_GINT64_MODIFIER "x)",
                               entry & Q_OFFSET_MASK, offset);
    } else if (is_own(q, entry)) {
        place_in_data(q, slice, index, offset, bytes, p);
        if (p->bytes == 0) {
            place_in_holes(q, entry, bitmap, offset, bytes, p);
        }
        ret = q->external ? 0 : co_qcow2_check_overlap(q, 0, p->host, p->bytes);
    } else {
        ret = co_place_fresh(q, slice, index, offset, bytes, p);
    }
    qcow2_cache_put(q->l2_cache, slice);
    return ret;
}

/* The entries now point to what was written. Lock held. */
static int co_link(Qcow2 *q, const Placed *p)
{
    uint64_t start = p->guest - p->before, end = p->guest + p->bytes + p->after;
    uint64_t host = p->host - p->before;
    int ret = q->lazy || !p->fresh || q->external
                  ? 0
                  : co_qcow2_cache_depend(q, q->l2_cache, q->rb_cache);

    if (p->copied_old) {
        qcow2_cache_needs_data(q->l2_cache);
    }
    while (ret == 0 && start < end) {
        uint64_t in_cluster = q_in_cluster(q, start),
                 len = MIN(end - start, q->cluster_size - in_cluster);
        unsigned first = (unsigned)(in_cluster / q->sub_size), index;
        unsigned last = (unsigned)((in_cluster + len - 1) / q->sub_size);
        uint64_t mask = ((1ull << (last - first + 1)) - 1) << first, entry, bitmap;
        void *slice;

        ret = co_qcow2_slice_for_write(q, start, &slice, &index);
        if (ret < 0) {
            break;
        }
        entry = qcow2_entry(q, slice, index);
        bitmap = qcow2_entry_bitmap(q, slice, index);
        if (p->fresh) {
            bool had_data = entry & Q_COMPRESSED || (bitmap & 0xffffffff);

            /* what came along is all of the old data; zeroes stay where nothing was written */
            bitmap = had_data && (entry & Q_COMPRESSED) ? 0 : bitmap & (0xffffffffull << 32);
        }
        bitmap = (bitmap & ~(mask << 32)) | mask;
        qcow2_entry_set(q, slice, index, ((host - in_cluster) & Q_OFFSET_MASK) | Q_COPIED, bitmap);
        qcow2_cache_dirty(q->l2_cache, slice);
        qcow2_cache_put(q->l2_cache, slice);
        if (p->fresh && entry) {
            ret = co_qcow2_free_entry(q, entry, DISCARD_NEVER);
        }
        start += len;
        host += len;
    }
    return ret;
}

/* Data as they go to the file; around them what was there before. */
static int co_write_around(Qcow2 *q, Placed *p, const struct iovec *iov, unsigned niov,
                           unsigned flags)
{
    g_autofree struct iovec *all = g_new(struct iovec, niov + 2);
    g_autofree uint8_t *edges = g_try_malloc(p->before + p->after);
    uint64_t behind = p->guest + p->bytes;
    unsigned count = 0;
    int ret = 0;

    if (!edges) {
        return -ENOMEM;
    }
    if (p->before || p->after) {
        qcow2_event(q, "cow_read");
    }
    if (p->before) {
        all[count++] = (struct iovec){ edges, p->before };
        ret = co_qcow2_preadv(q->n, p->guest - p->before, p->before, all, 1);
    }
    memcpy(all + count, iov, niov * sizeof(*iov));
    count += niov;
    if (p->after && ret == 0) {
        /* beyond the disk's end there is nothing */
        uint64_t have = behind < q->n->length ? MIN(p->after, q->n->length - behind) : 0;

        all[count++] = (struct iovec){ edges + p->before, p->after };
        memset(edges + p->before + have, 0, p->after - have);
        if (have) {
            ret = co_qcow2_preadv(q->n, behind, have, &(struct iovec){edges + p->before, have}, 1);
        }
    }
    p->copied_old = p->before || p->after;
    qcow2_event(q, p->copied_old ? "cow_write" : "write_aio");
    return ret < 0 ? ret
                   : co_block_pwritev(q->data, p->host - p->before, p->before + p->bytes + p->after,
                                      all, count, flags);
}

static int co_write_placed(Qcow2 *q, Placed *p, const struct iovec *iov, unsigned niov,
                           unsigned flags)
{
    g_autofree uint8_t *buf = NULL;
    struct iovec one;
    int ret;

    if (!q->crypto) {
        if (!p->before && !p->after) {
            qcow2_event(q, "write_aio");
        }
        return p->before || p->after
                   ? co_write_around(q, p, iov, niov, flags)
                   : co_block_pwritev(q->data, p->host, p->bytes, iov, niov, flags);
    }
    one.iov_len = p->before + p->bytes + p->after;
    one.iov_base = buf = g_try_malloc0(one.iov_len);
    if (!buf) {
        return -ENOMEM;
    }
    ret = p->before ? co_qcow2_preadv(q->n, p->guest - p->before, p->before,
                                      &(struct iovec){buf, p->before}, 1)
                    : 0;
    iov_to_buf(iov, niov, 0, buf + p->before, p->bytes);
    if (ret == 0 && p->after) {
        uint64_t behind = p->guest + p->bytes,
                 have = behind < q->n->length ? MIN(p->after, q->n->length - behind) : 0;

        ret = have ? co_qcow2_preadv(q->n, behind, have,
                                     &(struct iovec){buf + p->before + p->bytes, have}, 1)
                   : 0;
    }
    p->copied_old = p->before || p->after;
    ret = ret < 0 ? ret
                  : co_crypto_encrypt(q->crypto,
                                      crypt_position(q, p->guest - p->before, p->host - p->before),
                                      buf, one.iov_len);
    qcow2_event(q, "write_aio");
    return ret < 0 ? ret
                   : co_block_pwritev(q->data, p->host - p->before, one.iov_len, &one, 1, flags);
}

int co_qcow2_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                     unsigned niov, unsigned flags)
{
    Qcow2 *q = n->state;
    g_autofree struct iovec *cut = NULL;
    uint64_t done = 0;
    Qcow2Range range;
    int ret = q->corrupt ? -EIO : 0;

    co_mutex_lock(&q->lock);
    co_qcow2_claim(q, &range, offset, offset + bytes);
    while (ret == 0 && done < bytes) {
        const struct iovec *part = iov;
        unsigned parts = niov;
        Placed p = { .link = false };

        ret = co_place(q, offset + done, bytes - done, &p);
        if (ret < 0) {
            break;
        }
        co_mutex_unlock(&q->lock);
        if (p.bytes < bytes) {
            cut = cut ? cut : g_new(struct iovec, niov);
            parts = iov_slice(cut, niov, iov, niov, done, p.bytes);
            part = cut;
        }
        ret = co_write_placed(q, &p, part, parts, 0);
        co_mutex_lock(&q->lock);
        if (p.link && ret == 0) {
            ret = co_link(q, &p);
        } else if (p.fresh && !q->external) {
            /* nothing points there yet */
            co_qcow2_free(q, p.host - q_in_cluster(q, p.host),
                          q_round_up(q, p.bytes + q_in_cluster(q, p.host)), DISCARD_OTHER);
        }
        done += p.bytes;
    }
    qcow2_unclaim(q, &range);
    co_mutex_unlock(&q->lock);
    if (ret == 0 && (flags & BLOCK_FUA)) {
        ret = co_block_flush(n);
    }
    return ret;
}

/* ---- compressed writes ---- */

/* Lock held, range claimed: stores len bytes as the cluster's compressed data. */
static int co_store_packed(Qcow2 *q, uint64_t offset, const void *packed, uint64_t len)
{
    unsigned bits = 62 - (q->cluster_bits - 8), index;
    uint64_t entry, sectors, old;
    int64_t at;
    void *slice;
    int ret = co_qcow2_slice_for_write(q, offset, &slice, &index);

    if (ret < 0) {
        return ret;
    }
    old = qcow2_entry(q, slice, index);
    qcow2_cache_put(q->l2_cache, slice);
    if (is_own(q, old)) {
        return -EIO;    /* compressed data replace nothing but nothing */
    }
    at = co_qcow2_alloc_bytes(q, len);
    if (at < 0) {
        return (int)at;
    }
    ret = co_qcow2_check_overlap(q, 0, (uint64_t)at, len);
    co_mutex_unlock(&q->lock);
    qcow2_event(q, "write_compressed");
    ret = ret < 0 ? ret : co_block_pwrite(q->n->file, (uint64_t)at, packed, len, 0);
    co_mutex_lock(&q->lock);
    qcow2_event(q, "l2_update_compressed");
    ret = ret < 0 ? ret : co_qcow2_slice_for_write(q, offset, &slice, &index);
    if (ret < 0) {
        return ret;
    }
    sectors = (((uint64_t)at + len - 1) >> 9) - ((uint64_t)at >> 9);
    entry = (uint64_t)at | Q_COMPRESSED | sectors << bits;
    qcow2_entry_set(q, slice, index, entry, 0);
    qcow2_cache_dirty(q->l2_cache, slice);
    qcow2_cache_put(q->l2_cache, slice);
    return old ? co_qcow2_free_entry(q, old, DISCARD_OTHER) : 0;
}

static int co_pack_cluster(Qcow2 *q, uint64_t offset, const uint8_t *cluster, uint64_t bytes)
{
    g_autofree uint8_t *packed = g_try_malloc(q->cluster_size);
    g_autofree uint8_t *padded = NULL;
    Unpack u = {.how = q->compressor,
                .to = packed,
                .to_len = q->cluster_size - 1,
                .from = cluster,
                .from_len = q->cluster_size};
    Qcow2Range range;
    int ret;

    if (!packed || !q->compressor) {
        return packed ? -ENOTSUP : -ENOMEM;
    }
    if (bytes < q->cluster_size) {
        /* the last one of the disk */
        padded = g_try_malloc0(q->cluster_size);
        if (!padded) {
            return -ENOMEM;
        }
        memcpy(padded, cluster, bytes);
        u.from = padded;
    }
    ret = co_in_worker(pack_work, &u);
    if (ret == -ENOSPC) {
        struct iovec plain = { (void *)cluster, bytes };

        return co_qcow2_pwritev(q->n, offset, bytes, &plain, 1, 0);
    }
    if (ret < 0) {
        return ret;
    }
    co_mutex_lock(&q->lock);
    co_qcow2_claim(q, &range, offset, offset + bytes);
    ret = co_store_packed(q, offset, packed, (uint64_t)u.ret);
    qcow2_unclaim(q, &range);
    co_mutex_unlock(&q->lock);
    return ret;
}

int co_qcow2_pwrite_compressed(BlockNode *n, uint64_t offset, uint64_t bytes,
                               const struct iovec *iov, unsigned niov)
{
    Qcow2 *q = n->state;
    g_autofree uint8_t *flat = NULL;
    const uint8_t *data;
    int ret = q->corrupt ? -EIO : 0;

    if (bytes == 0) {
        return 0;   /* clusters stand for themselves: no end of a stream */
    }
    if (q->external || q->crypto) {
        return -ENOTSUP;
    }
    if (q_in_cluster(q, offset) || (q_in_cluster(q, bytes) && offset + bytes != n->length)) {
        return -EINVAL;
    }
    if (niov == 1) {
        data = iov[0].iov_base;
    } else {
        data = flat = g_try_malloc(bytes);
        if (!flat) {
            return -ENOMEM;
        }
        iov_to_buf(iov, niov, 0, flat, bytes);
    }
    for (uint64_t at = 0; ret == 0 && at < bytes; at += q->cluster_size) {
        ret = co_pack_cluster(q, offset + at, data + at, MIN(q->cluster_size, bytes - at));
    }
    return ret;
}

/* ---- discarding, zeroing, flushing ---- */

int co_qcow2_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    Qcow2 *q = n->state;
    uint64_t start = q_round_up(q, offset), end = offset + bytes;
    Qcow2Range range;
    int ret;

    end = end == n->length ? q_round_up(q, end) : end & ~(q->cluster_size - 1);
    if (q->corrupt) {
        return -EIO;
    }
    if (start >= end) {
        return 0;
    }
    co_mutex_lock(&q->lock);
    co_qcow2_claim(q, &range, start, end);
    ret = co_qcow2_discard_range(q, start, end - start, DISCARD_REQUEST, false);
    qcow2_unclaim(q, &range);
    co_mutex_unlock(&q->lock);
    return ret;
}

int co_qcow2_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    Qcow2 *q = n->state;
    Qcow2Range range;
    int ret;

    if (q->corrupt) {
        return -EIO;
    }
    co_mutex_lock(&q->lock);
    co_qcow2_claim(q, &range, offset, offset + bytes);
    ret = co_qcow2_zero_range(q, offset, bytes, flags);
    if (ret == 0 && q->external && q->raw_external) {
        co_mutex_unlock(&q->lock);
        ret = co_block_write_zeroes(q->data, offset, bytes, flags & ~BLOCK_FUA);
        co_mutex_lock(&q->lock);
    }
    qcow2_unclaim(q, &range);
    co_mutex_unlock(&q->lock);
    return ret == 0 && (flags & BLOCK_FUA) ? co_block_flush(n) : ret;
}

int co_qcow2_flush(BlockNode *n)
{
    Qcow2 *q = n->state;
    int ret;

    co_mutex_lock(&q->lock);
    /* lazy: counts can be found again, they wait */
    ret = q->corrupt ? 0 : co_qcow2_settle(q);
    co_mutex_unlock(&q->lock);
    return ret;
}
