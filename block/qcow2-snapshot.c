// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Internal snapshots of qcow2 images: an L1 table each, whose clusters it shares. Creating one adds
 * a use to all clusters of the disk, applying one makes its table the disk's, deleting one drops
 * its uses.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "block/qcow2-check.h"
#include "util/bswap.h"
#include "util/error.h"

#define FIXED 40                /* bytes before the extra data */
#define EXTRA 24                /* that we know and write */
#define MAX_EXTRA 1024

/* ---- the table ---- */

static uint64_t entry_bytes(const Qcow2Snapshot *s)
{
    return (FIXED + MAX(s->extra_size, EXTRA) + strlen(s->s.id) + strlen(s->s.name) + 7) & ~7ull;
}

uint64_t qcow2_snapshots_bytes(const Qcow2 *q)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < q->h.nb_snapshots; i++) {
        const Qcow2Snapshot *s = &q->snapshots[i];

        sum += (FIXED + s->extra_size + strlen(s->s.id) + strlen(s->s.name) + 7) & ~7ull;
    }
    return sum;
}

void qcow2_snapshots_free(Qcow2 *q)
{
    for (uint32_t i = 0; q->snapshots && i < q->h.nb_snapshots; i++) {
        g_free(q->snapshots[i].extra);
    }
    g_clear_pointer(&q->snapshots, g_free);
}

static bool co_read_one(Qcow2 *q, Qcow2Snapshot *s, uint64_t *at, GError **error)
{
    uint8_t raw[FIXED], extra[EXTRA] = { 0 };
    uint32_t id_len, name_len;
    int ret = co_block_pread(q->n->file, *at, raw, FIXED);

    if (ret < 0) {
        return fail_errno(error, -ret, "Failed to read snapshot table");
    }
    s->l1_offset = load_be64(raw);
    s->l1_size = load_be32(raw + 8);
    id_len = load_be16(raw + 12);
    name_len = load_be16(raw + 14);
    s->s.date_sec = load_be32(raw + 16);
    s->s.date_nsec = load_be32(raw + 20);
    s->s.vm_clock_nsec = load_be64(raw + 24);
    s->s.vm_state_size = load_be32(raw + 32);
    s->extra_size = load_be32(raw + 36);
    s->s.icount = -1;
    s->s.disk_size = q->n->length;
    if (s->extra_size > MAX_EXTRA) {
        return fail(error, "Too much extra metadata in snapshot table entry");
    }
    if (id_len >= sizeof(s->s.id) || name_len >= sizeof(s->s.name)) {
        return fail(error, "Snapshot table entry with a name that is too long");
    }
    ret = co_block_pread(q->n->file, *at + FIXED, extra, MIN(s->extra_size, EXTRA));
    if (s->extra_size >= 8) {
        s->s.vm_state_size = load_be64(extra);
    }
    if (s->extra_size >= 16) {
        s->s.disk_size = load_be64(extra + 8);
    }
    if (s->extra_size >= 24) {
        s->s.icount = (int64_t)load_be64(extra + 16);
    }
    if (ret == 0 && s->extra_size > EXTRA) {
        s->extra = g_malloc(s->extra_size - EXTRA);
        ret = co_block_pread(q->n->file, *at + FIXED + EXTRA, s->extra, s->extra_size - EXTRA);
    }
    ret = ret < 0 ? ret : co_block_pread(q->n->file, *at + FIXED + s->extra_size, s->s.id, id_len);
    ret = ret < 0 ? ret
                  : co_block_pread(q->n->file, *at + FIXED + s->extra_size + id_len, s->s.name,
                                   name_len);
    *at = (*at + FIXED + s->extra_size + id_len + name_len + 7) & ~7ull;
    return ret == 0 || fail_errno(error, -ret, "Failed to read snapshot table");
}

bool co_qcow2_snapshots_read(Qcow2 *q, bool repair, GError **error)
{
    uint64_t at = q->h.snapshots_offset;
    uint32_t count = q->h.nb_snapshots;

    if (!count) {
        return true;
    }
    q->snapshots = g_new0(Qcow2Snapshot, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!co_read_one(q, &q->snapshots[i], &at, error)) {
            return false;
        }
        if (at - q->h.snapshots_offset > Q_MAX_SNAPSHOT_BYTES) {
            return fail(error, "Snapshot table is too large");
        }
    }
    return true;
}

/* Writes the table somewhere new and makes the header point there. */
static int co_write_table(Qcow2 *q, const Qcow2Snapshot *list, uint32_t count)
{
    uint64_t bytes = 0, old = q->h.snapshots_offset, old_bytes = qcow2_snapshots_bytes(q),
             old_count = q->h.nb_snapshots;
    g_autofree uint8_t *raw = NULL;
    uint8_t *p;
    int64_t at = 0;
    int ret;

    for (uint32_t i = 0; i < count; i++) {
        bytes += entry_bytes(&list[i]);
    }
    if (bytes > Q_MAX_SNAPSHOT_BYTES) {
        return -EFBIG;
    }
    p = raw = g_malloc0(bytes + 8);
    for (uint32_t i = 0; i < count; i++) {
        const Qcow2Snapshot *s = &list[i];
        uint32_t extra = MAX(s->extra_size, EXTRA);

        store_be64(p, s->l1_offset);
        store_be32(p + 8, s->l1_size);
        store_be16(p + 12, (uint16_t)strlen(s->s.id));
        store_be16(p + 14, (uint16_t)strlen(s->s.name));
        store_be32(p + 16, (uint32_t)s->s.date_sec);
        store_be32(p + 20, (uint32_t)s->s.date_nsec);
        store_be64(p + 24, s->s.vm_clock_nsec);
        store_be32(p + 32, s->s.vm_state_size > UINT32_MAX ? 0 : (uint32_t)s->s.vm_state_size);
        store_be32(p + 36, extra);
        store_be64(p + FIXED, s->s.vm_state_size);
        store_be64(p + FIXED + 8, s->s.disk_size);
        store_be64(p + FIXED + 16, (uint64_t)s->s.icount);
        if (s->extra) {
            memcpy(p + FIXED + EXTRA, s->extra, s->extra_size - EXTRA);
        }
        memcpy(p + FIXED + extra, s->s.id, strlen(s->s.id));
        memcpy(p + FIXED + extra + strlen(s->s.id), s->s.name, strlen(s->s.name));
        p += entry_bytes(s);
    }
    if (bytes) {
        at = co_qcow2_alloc(q, q_round_up(q, bytes) >> q->cluster_bits);
        if (at < 0) {
            return (int)at;
        }
        ret = co_qcow2_cache_flush(q, q->rb_cache);
        ret = ret < 0 ? ret : co_qcow2_check_overlap(q, 0, (uint64_t)at, bytes);
        ret = ret < 0 ? ret : co_block_pwrite(q->n->file, (uint64_t)at, raw, bytes, 0);
        if (ret < 0) {
            return ret;
        }
    }
    q->h.snapshots_offset = (uint64_t)at;
    q->h.nb_snapshots = count;
    ret = co_qcow2_header_write(q);
    if (ret < 0) {
        q->h.snapshots_offset = old;
        q->h.nb_snapshots = (uint32_t)old_count;
        return ret;
    }
    return old_bytes ? co_qcow2_free(q, old, old_bytes, DISCARD_SNAPSHOT) : 0;
}

/* ---- uses of clusters ---- */

/* One cluster's count after a change by add. */
static int co_change_one(Qcow2 *q, uint64_t offset, uint64_t len, int add, uint64_t *refs)
{
    int ret = add > 0 ? co_qcow2_refcount_change(q, offset, len, add) : 0;

    if (ret == 0 && add < 0) {
        ret = co_qcow2_refcount_change(q, offset, len, add);
    }
    return ret < 0 ? ret : co_qcow2_refcount(q, offset >> q->cluster_bits, refs);
}

static int co_tree_table(Qcow2 *q, uint64_t table, int add)
{
    g_autofree uint8_t *raw = g_malloc(q->cluster_size);
    bool changed = false;
    int ret = co_block_pread(q->n->file, table, raw, q->cluster_size);

    for (unsigned i = 0; ret == 0 && i < 1u << q->l2_bits; i++) {
        uint64_t entry = qcow2_entry(q, raw, i), now = entry & ~Q_COPIED, refs = 0;

        if (entry & Q_COMPRESSED) {
            unsigned bits = 62 - (q->cluster_bits - 8);
            uint64_t start = entry & ((1ull << bits) - 1) & ~511ull;

            if (add) {
                ret = co_qcow2_refcount_change(
                    q, start, ((entry >> bits & ((1ull << (q->cluster_bits - 8)) - 1)) + 1) * 512,
                    add);
            }
            continue;
        }
        if (!(entry & Q_OFFSET_MASK) || q->external) {
            continue;
        }
        if (q_in_cluster(q, entry & Q_OFFSET_MASK)) {
            return co_qcow2_corrupt(q, true,
                                    "Cluster allocation offset %#" G_GINT64_MODIFIER "x unaligned",
                                    entry & Q_OFFSET_MASK);
        }
        ret = co_change_one(q, entry & Q_OFFSET_MASK, q->cluster_size, add, &refs);
        if (ret == 0 && refs == 1) {
            now |= Q_COPIED;
        }
        if (ret == 0 && now != entry) {
            qcow2_entry_set(q, raw, i, now, qcow2_entry_bitmap(q, raw, i));
            changed = true;
        }
    }
    if (ret == 0 && changed) {
        /*
         * In any order with the counts: a flag that is cleared early costs a copy, and one that is
         * set early belongs to a cluster that only this table has, for the list of snapshots is on
         * disk without the other one
         */
        ret = co_block_pwrite(q->n->file, table, raw, q->cluster_size, 0);
    }
    return ret;
}

int co_qcow2_refcount_tree(Qcow2 *q, uint64_t l1_offset, uint32_t l1_size, int add)
{
    g_autofree uint64_t *l1 = g_try_new0(uint64_t, MAX(l1_size, 1));
    bool active = l1_offset == q->h.l1_offset, changed = false;
    int ret = l1 ? co_block_pread(q->n->file, l1_offset, l1, l1_size * 8ull) : -ENOMEM;

    for (uint32_t i = 0; ret == 0 && i < l1_size; i++) {
        uint64_t entry = be64(l1[i]), table = entry & Q_OFFSET_MASK, now = entry & ~Q_COPIED,
                 refs = 0;

        if (!table) {
            continue;
        }
        if (q_in_cluster(q, table)) {
            return co_qcow2_corrupt(
                q, true, "L2 table offset %#" G_GINT64_MODIFIER "x unaligned (L1 index: %#x)",
                table, i);
        }
        ret = co_tree_table(q, table, add);
        ret = ret < 0 ? ret : co_change_one(q, table, q->cluster_size, add, &refs);
        if (ret == 0 && refs == 1) {
            now |= Q_COPIED;
        }
        if (ret == 0 && now != entry) {
            l1[i] = be64(now);
            changed = true;
            if (active) {
                q->l1[i] = now;
            }
        }
    }
    qcow2_cache_empty(q->l2_cache);
    if (ret == 0) {
        ret = co_qcow2_cache_flush(q, q->rb_cache);
    }
    if (ret == 0 && changed && add >= 0) {
        ret = co_block_pwrite(q->n->file, l1_offset, l1, l1_size * 8ull, 0);
    }
    return ret;
}

/* ---- finding ---- */

static int find(const Qcow2 *q, const char *id, const char *name)
{
    for (uint32_t i = 0; i < q->h.nb_snapshots; i++) {
        const BlockSnapshot *s = &q->snapshots[i].s;

        if ((!id || strcmp(id, s->id) == 0) && (!name || strcmp(name, s->name) == 0)) {
            return (int)i;
        }
    }
    return -1;
}

static int find_either(const Qcow2 *q, const char *text)
{
    int i = find(q, text, NULL);

    return i >= 0 ? i : find(q, NULL, text);
}

bool co_qcow2_snapshot_list(BlockNode *n, GArray *list, GError **error)
{
    Qcow2 *q = n->state;

    for (uint32_t i = 0; i < q->h.nb_snapshots; i++) {
        g_array_append_val(list, q->snapshots[i].s);
    }
    return true;
}

static void next_id(const Qcow2 *q, char *id, size_t room)
{
    uint64_t max = 0;

    for (uint32_t i = 0; i < q->h.nb_snapshots; i++) {
        uint64_t v = g_ascii_strtoull(q->snapshots[i].s.id, NULL, 10);

        max = MAX(max, v);
    }
    snprintf(id, room, "%" G_GUINT64_FORMAT, max + 1);
}

/* ---- creating ---- */

static int co_create(Qcow2 *q, const BlockSnapshot *s)
{
    g_autofree uint8_t *raw = g_malloc0(MAX(q->h.l1_size, 1) * 8ull);
    g_autofree Qcow2Snapshot *list = NULL;
    Qcow2Snapshot one = { .s = *s, .l1_size = q->h.l1_size, .extra_size = EXTRA };
    uint64_t bytes = q->h.l1_size * 8ull;
    int64_t at;
    int ret = co_qcow2_settle(q);

    if (ret < 0) {
        return ret;
    }
    if (!one.s.id[0]) {
        next_id(q, one.s.id, sizeof(one.s.id));
    }
    one.s.disk_size = q->n->length;
    at = co_qcow2_alloc(q, MAX(1, q_round_up(q, bytes) >> q->cluster_bits));
    if (at < 0) {
        return (int)at;
    }
    one.l1_offset = (uint64_t)at;
    /* counts first; then the copy of the table, in which nothing is COPIED */
    ret = co_qcow2_refcount_tree(q, q->h.l1_offset, q->h.l1_size, 1);
    for (uint32_t i = 0; i < q->h.l1_size; i++) {
        store_be64(raw + i * 8ull, q->l1[i] & ~Q_COPIED);
    }
    ret = ret < 0 ? ret : co_qcow2_check_overlap(q, 0, one.l1_offset, bytes);
    ret = ret < 0 ? ret : co_block_pwrite(q->n->file, one.l1_offset, raw, bytes, 0);
    ret = ret < 0 ? ret : co_block_flush(q->n->file);
    if (ret < 0) {
        return ret;
    }
    list = g_new(Qcow2Snapshot, q->h.nb_snapshots + 1);
    if (q->h.nb_snapshots) {
        memcpy(list, q->snapshots, q->h.nb_snapshots * sizeof(*list));
    }
    list[q->h.nb_snapshots] = one;
    ret = co_write_table(q, list, q->h.nb_snapshots + 1);
    if (ret == 0) {
        g_free(q->snapshots);
        q->snapshots = g_steal_pointer(&list);
    }
    return ret;
}

/* Where a machine's state lies: behind the disk, from a table of the second level on. */
static uint64_t vmstate_base(const BlockNode *n)
{
    const Qcow2 *q = n->state;
    unsigned shift = q->l2_bits + q->cluster_bits;

    return ((n->length >> shift) + 1) << shift;
}

bool co_qcow2_snapshot_create(BlockNode *n, BlockSnapshot *s, GError **error)
{
    Qcow2 *q = n->state;
    int ret;

    if (q->raw_external || q->external) {
        return fail(error, "Internal snapshots are not possible with an external data file");
    }
    if (q->h.nb_snapshots >= Q_MAX_SNAPSHOTS) {
        return fail_errno(error, EFBIG, "Too many snapshots");
    }
    if (s->id[0] && find(q, s->id, NULL) >= 0) {
        return fail_errno(error, EEXIST, "Snapshot '%s' exists", s->id);
    }
    co_mutex_lock(&q->lock);
    ret = co_create(q, s);
    co_mutex_unlock(&q->lock);
    if (ret == 0 && s->vm_state_size) {
        /* the snapshot has the machine's state now: writing over it would only copy clusters */
        co_qcow2_discard(n, vmstate_base(n), q_round_up(q, s->vm_state_size));
    }
    return ret == 0 || fail_errno(error, -ret, "Could not create snapshot");
}

/* ---- deleting ---- */

bool co_qcow2_snapshot_delete(BlockNode *n, const char *id, const char *name, GError **error)
{
    Qcow2 *q = n->state;
    int i = find(q, id, name), ret;
    g_autofree Qcow2Snapshot *list = NULL;
    Qcow2Snapshot gone;

    if (i < 0) {
        return fail(error, "Can't find the snapshot");
    }
    gone = q->snapshots[i];
    if (q_in_cluster(q, gone.l1_offset) || gone.l1_size > Q_MAX_L1_BYTES / 8) {
        return fail(error, "Snapshot L1 table offset invalid");
    }
    co_mutex_lock(&q->lock);
    list = g_new(Qcow2Snapshot, MAX(q->h.nb_snapshots - 1, 1));
    memcpy(list, q->snapshots, (size_t)i * sizeof(*list));
    memcpy(list + i, q->snapshots + i + 1, (q->h.nb_snapshots - 1 - (uint32_t)i) * sizeof(*list));
    /* gone from the table first: a crash leaks, no more */
    ret = co_qcow2_settle(q);
    ret = ret < 0 ? ret : co_write_table(q, list, q->h.nb_snapshots - 1);
    if (ret == 0) {
        g_free(q->snapshots);
        q->snapshots = g_steal_pointer(&list);
        g_free(gone.extra);
        ret = co_qcow2_refcount_tree(q, gone.l1_offset, gone.l1_size, -1);
        ret =
            ret < 0 ? ret : co_qcow2_free(q, gone.l1_offset, gone.l1_size * 8ull, DISCARD_SNAPSHOT);
        /* what is ours alone now may be written in place again */
        ret = ret < 0 ? ret : co_qcow2_settle(q);
        ret = ret < 0 ? ret : co_qcow2_refcount_tree(q, q->h.l1_offset, q->h.l1_size, 0);
    }
    co_mutex_unlock(&q->lock);
    return ret == 0 || fail_errno(error, -ret, "Could not delete snapshot");
}

/* ---- applying ---- */

static int co_goto(Qcow2 *q, const Qcow2Snapshot *s)
{
    g_autofree uint64_t *now = g_try_new0(uint64_t, MAX(q->h.l1_size, s->l1_size) + 1);
    uint32_t size = MAX(q->h.l1_size, s->l1_size);
    g_autofree uint64_t *old = NULL;
    int64_t copy;
    int ret = now ? co_block_pread(q->n->file, s->l1_offset, now, s->l1_size * 8ull) : -ENOMEM;

    ret = ret < 0 ? ret : co_qcow2_settle(q);
    ret = ret < 0 ? ret : co_qcow2_grow_l1(q, s->l1_size, true);
    if (ret < 0) {
        return ret;
    }
    size = q->h.l1_size;
    /* the old table is kept aside, to drop its uses when the disk no longer has it */
    copy = co_qcow2_alloc(q, MAX(1, q_round_up(q, size * 8ull) >> q->cluster_bits));
    if (copy < 0) {
        return (int)copy;
    }
    old = g_new(uint64_t, size);
    for (uint32_t i = 0; i < size; i++) {
        old[i] = be64(q->l1[i]);
    }
    ret = co_block_pwrite(q->n->file, (uint64_t)copy, old, size * 8ull, 0);
    /* more uses of the snapshot's clusters, then its table becomes the disk's */
    ret = ret < 0 ? ret : co_qcow2_refcount_tree(q, s->l1_offset, s->l1_size, 1);
    if (ret < 0) {
        return ret;
    }
    for (uint32_t i = 0; i < size; i++) {
        now[i] = i < s->l1_size ? be64(be64(now[i]) & ~Q_COPIED) : 0;
    }
    ret = co_block_pwrite(q->n->file, q->h.l1_offset, now, size * 8ull, 0);
    ret = ret < 0 ? ret : co_block_flush(q->n->file);
    if (ret < 0) {
        return ret;
    }
    for (uint32_t i = 0; i < size; i++) {
        q->l1[i] = be64(now[i]);
    }
    ret = co_qcow2_refcount_tree(q, (uint64_t)copy, size, -1);
    ret = ret < 0 ? ret : co_qcow2_free(q, (uint64_t)copy, size * 8ull, DISCARD_SNAPSHOT);
    ret = ret < 0 ? ret : co_qcow2_settle(q);
    return ret < 0 ? ret : co_qcow2_refcount_tree(q, q->h.l1_offset, q->h.l1_size, 0);
}

bool co_qcow2_snapshot_goto(BlockNode *n, const char *id, GError **error)
{
    Qcow2 *q = n->state;
    int i = find_either(q, id), ret;

    if (q->external) {
        return fail(error, "Internal snapshots are not possible with an external data file");
    }
    if (i < 0) {
        return fail_errno(error, ENOENT, "Failed to load snapshot");
    }
    if (q_in_cluster(q, q->snapshots[i].l1_offset) ||
        q->snapshots[i].l1_size > Q_MAX_L1_BYTES / 8) {
        return fail(error, "Snapshot L1 table offset invalid");
    }
    if (q->snapshots[i].s.disk_size != n->length &&
        !co_qcow2_truncate(n, q->snapshots[i].s.disk_size, PREALLOC_OFF, error)) {
        return false;
    }
    co_mutex_lock(&q->lock);
    ret = co_goto(q, &q->snapshots[i]);
    co_mutex_unlock(&q->lock);
    return ret == 0 || fail_errno(error, -ret, "Could not apply snapshot '%s'", id);
}

bool co_qcow2_snapshot_load(BlockNode *n, const char *id, const char *name, GError **error)
{
    Qcow2 *q = n->state;
    int i = find(q, id, name), ret;
    const Qcow2Snapshot *s;

    if (i < 0) {
        return fail(error, "Can't find snapshot");
    }
    s = &q->snapshots[i];
    if (q_in_cluster(q, s->l1_offset) || s->l1_size > Q_MAX_L1_BYTES / 8) {
        return fail(error, "Snapshot L1 table offset invalid");
    }
    co_mutex_lock(&q->lock);
    if (s->l1_size > q->l1_room) {
        q->l1 = g_renew(uint64_t, q->l1, s->l1_size);
        q->l1_room = s->l1_size;
    }
    ret = co_block_pread(n->file, s->l1_offset, q->l1, s->l1_size * 8ull);
    q->h.l1_size = s->l1_size;
    q->h.l1_offset = s->l1_offset;
    for (uint32_t j = 0; j < s->l1_size; j++) {
        q->l1[j] = be64(q->l1[j]);
    }
    n->length = s->s.disk_size;
    co_mutex_unlock(&q->lock);
    return ret == 0 || fail_errno(error, -ret, "Failed to read L1 table for snapshot");
}

int co_qcow2_vmstate_rw(BlockNode *n, bool write, uint64_t offset, uint64_t bytes,
                        const struct iovec *iov, unsigned niov)
{
    Qcow2 *q = n->state;
    uint64_t base = vmstate_base(n);

    qcow2_event(q, write ? "vmstate_save" : "vmstate_load");
    return write ? co_qcow2_pwritev(n, base + offset, bytes, iov, niov, 0)
                 : co_qcow2_preadv(n, base + offset, bytes, iov, niov);
}
