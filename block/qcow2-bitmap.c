// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dirty bitmaps that live in qcow2 images: the directory, bitmap tables and their clusters. When an
 * image is opened for writing its bitmaps are loaded and marked as in use on disk; closing it
 * stores them. One that is found in use was not
 * stored: it is inconsistent.
 */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "block/bitmap.h"
#include "block/qcow2-check.h"
#include "util/bswap.h"
#include "util/error.h"

#define ENTRY 24                /* bytes before extra data and name */
#define TABLE_OFFSET_MASK ((uint64_t)0x00fffffffffffe00)
#define TABLE_ALL_ONES 1

static void bitmap_free(void *p)
{
    Qcow2Bitmap *b = p;

    g_free(b->name);
    g_free(b);
}

void qcow2_bitmaps_free(Qcow2 *q)
{
    g_clear_pointer(&q->bitmaps, g_ptr_array_unref);
}

/* ---- the directory ---- */

static bool take_entry(Qcow2 *q, const uint8_t *raw, uint64_t room, uint64_t *used, GError **error)
{
    uint32_t name_len = room >= ENTRY ? load_be16(raw + 18) : 0,
             extra = room >= ENTRY ? load_be32(raw + 20) : 0;
    uint64_t len = ENTRY + (uint64_t)extra + name_len;
    Qcow2Bitmap *b;

    if (room < ENTRY || len > room || name_len == 0 || name_len > 1023) {
        return fail(error, "Broken bitmap directory");
    }
    b = g_new0(Qcow2Bitmap, 1);
    b->table_offset = load_be64(raw);
    b->table_size = load_be32(raw + 8);
    b->flags = load_be32(raw + 12);
    b->type = raw[16];
    b->granularity_bits = raw[17];
    b->name = g_strndup((const char *)raw + ENTRY + extra, name_len);
    g_ptr_array_add(q->bitmaps, b);
    *used = (len + 7) & ~7ull;
    if (b->type != 1 || b->granularity_bits < 9 || b->granularity_bits > 31 ||
        q_in_cluster(q, b->table_offset) || b->table_offset > INT64_MAX / 2 ||
        b->table_size > Q_BITMAP_TABLE_MAX / 8 || (b->flags & ~7u)) {
        return fail(error, "Bitmap '%s' doesn't satisfy the constraints", b->name);
    }
    return true;
}

bool co_qcow2_bitmaps_read(Qcow2 *q, GError **error)
{
    g_autofree uint8_t *raw = NULL;
    int ret;

    q->bitmaps = g_ptr_array_new_with_free_func(bitmap_free);
    if (!q->bitmap_dir_offset) {
        return true;
    }
    raw = g_try_malloc(q->bitmap_dir_size);
    ret = raw ? co_block_pread(q->n->file, q->bitmap_dir_offset, raw, q->bitmap_dir_size) : -ENOMEM;
    if (ret < 0) {
        return fail_errno(error, -ret, "Failed to read bitmap directory");
    }
    for (uint64_t at = 0, used = 0; at < q->bitmap_dir_size; at += used) {
        if (!take_entry(q, raw + at, q->bitmap_dir_size - at, &used, error)) {
            return false;
        }
    }
    return true;
}

/* Writes the list (NULL or empty: none) somewhere new, then the header. */
static int co_write_directory(Qcow2 *q)
{
    uint64_t old = q->bitmap_dir_offset, old_size = q->bitmap_dir_size, size = 0, pos = 0;
    g_autofree uint8_t *raw = NULL;
    int64_t at = 0;
    int ret = 0;

    for (unsigned i = 0; i < q->bitmaps->len; i++) {
        size +=
            (ENTRY + strlen(((Qcow2Bitmap *)g_ptr_array_index(q->bitmaps, i))->name) + 7) & ~7ull;
    }
    raw = g_malloc0(size + 8);
    for (unsigned i = 0; i < q->bitmaps->len; i++) {
        const Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);
        uint8_t *p = raw + pos;

        store_be64(p, b->table_offset);
        store_be32(p + 8, b->table_size);
        store_be32(p + 12, b->flags);
        p[16] = b->type;
        p[17] = b->granularity_bits;
        store_be16(p + 18, (uint16_t)strlen(b->name));
        memcpy(p + ENTRY, b->name, strlen(b->name));
        pos += (ENTRY + strlen(b->name) + 7) & ~7ull;
    }
    if (size) {
        at = co_qcow2_alloc(q, q_round_up(q, size) >> q->cluster_bits);
        ret = at < 0 ? (int)at : co_qcow2_settle(q);
        ret = ret < 0 ? ret : co_qcow2_cache_flush(q, q->rb_cache);
        ret = ret < 0 ? ret : co_block_pwrite(q->n->file, (uint64_t)at, raw, size, 0);
    }
    if (ret < 0) {
        return ret;
    }
    q->bitmap_dir_offset = (uint64_t)at;
    q->bitmap_dir_size = size;
    q->h.autoclear = size ? q->h.autoclear | Q_AUTOCLEAR_BITMAPS
                          : q->h.autoclear & ~(uint64_t)Q_AUTOCLEAR_BITMAPS;
    ret = co_qcow2_header_write(q);
    return ret < 0 || !old ? ret : co_qcow2_free(q, old, old_size, DISCARD_OTHER);
}

/* ---- content ---- */

/* Bits in a cluster of the bitmap. */
static uint64_t bits_per_cluster(const Qcow2 *q)
{
    return q->cluster_size * 8;
}

static int co_read_bits(Qcow2 *q, const Qcow2Bitmap *b, DirtyBitmap *d)
{
    uint64_t bits = dirty_bitmap_bits(d), per = bits_per_cluster(q), need = (bits + per - 1) / per;
    g_autofree uint64_t *table = g_try_new0(uint64_t, MAX(b->table_size, 1));
    g_autofree uint8_t *cluster = g_malloc(q->cluster_size);
    int ret =
        table ? co_block_pread(q->n->file, b->table_offset, table, b->table_size * 8ull) : -ENOMEM;

    if (ret == 0 && b->table_size != need) {
        return -EINVAL;
    }
    for (uint64_t i = 0; ret == 0 && i < need; i++) {
        uint64_t entry = be64(table[i]), at = entry & TABLE_OFFSET_MASK;
        uint64_t start = i * q->cluster_size, len = MIN(q->cluster_size, (bits + 7) / 8 - start);

        if (entry & ~(TABLE_OFFSET_MASK | TABLE_ALL_ONES) || q_in_cluster(q, at)) {
            return -EINVAL;
        }
        if (at) {
            ret = co_block_pread(q->n->file, at, cluster, len);
            memcpy(d->map + start, cluster, len);
        } else {
            memset(d->map + start, entry & TABLE_ALL_ONES ? 0xff : 0, len);
        }
    }
    for (uint64_t j = bits; j % 8; j++) {
        d->map[j / 8] &= (uint8_t)~(1u << (j % 8));
    }
    d->count = 0;
    for (uint64_t j = 0; j < (bits + 7) / 8; j++) {
        d->count += (unsigned)__builtin_popcount(d->map[j]);
    }
    return ret;
}

static int co_free_bits(Qcow2 *q, Qcow2Bitmap *b)
{
    g_autofree uint64_t *table = g_try_new0(uint64_t, MAX(b->table_size, 1));
    int ret =
        table ? co_block_pread(q->n->file, b->table_offset, table, b->table_size * 8ull) : -ENOMEM;

    for (uint32_t i = 0; ret == 0 && i < b->table_size; i++) {
        uint64_t at = be64(table[i]) & TABLE_OFFSET_MASK;

        ret = at && !q_in_cluster(q, at) ? co_qcow2_free(q, at, q->cluster_size, DISCARD_OTHER) : 0;
    }
    if (ret == 0 && b->table_size) {
        ret = co_qcow2_free(q, b->table_offset, b->table_size * 8ull, DISCARD_OTHER);
    }
    b->table_offset = b->table_size = 0;
    return ret;
}

static int co_store_bits(Qcow2 *q, Qcow2Bitmap *b, const DirtyBitmap *d)
{
    uint64_t bits = dirty_bitmap_bits(d), per = bits_per_cluster(q), count = (bits + per - 1) / per;
    g_autofree uint64_t *table = g_new0(uint64_t, MAX(count, 1));
    g_autofree uint8_t *cluster = g_malloc(q->cluster_size);
    int64_t at;
    int ret = 0;

    for (uint64_t i = 0; ret == 0 && i < count; i++) {
        uint64_t start = i * q->cluster_size, len = MIN(q->cluster_size, (bits + 7) / 8 - start),
                 sum = 0;

        for (uint64_t j = 0; j < len; j++) {
            sum |= d->map[start + j];
        }
        if (!sum) {
            continue;
        }
        memset(cluster, 0, q->cluster_size);
        memcpy(cluster, d->map + start, len);
        at = co_qcow2_alloc(q, 1);
        if (at < 0) {
            return (int)at;
        }
        ret = co_qcow2_check_overlap(q, 0, (uint64_t)at, q->cluster_size);
        ret =
            ret < 0 ? ret : co_block_pwrite(q->n->file, (uint64_t)at, cluster, q->cluster_size, 0);
        table[i] = be64((uint64_t)at);
    }
    at = ret < 0 ? ret : co_qcow2_alloc(q, MAX(1, q_round_up(q, count * 8) >> q->cluster_bits));
    if (at < 0) {
        return (int)at;
    }
    ret = co_block_pwrite(q->n->file, (uint64_t)at, table, count * 8, 0);
    b->table_offset = (uint64_t)at;
    b->table_size = (uint32_t)count;
    return ret;
}

/* ---- loading and storing ---- */

bool co_qcow2_bitmaps_load(Qcow2 *q, GError **error)
{
    bool changed = false;

    if (q->n->open_flags & BLOCK_OPEN_NO_IO) {
        return true;
    }
    for (unsigned i = 0; i < q->bitmaps->len; i++) {
        Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);
        DirtyBitmap *d = dirty_bitmap_find(q->n, b->name);
        int ret;

        if (!d) {
            d = dirty_bitmap_new(q->n, b->name, 1u << b->granularity_bits, error);
            if (!d) {
                return false;
            }
            d->persistent = true;
            d->enabled = b->flags & Q_BITMAP_AUTO;
            d->inconsistent = b->flags & Q_BITMAP_IN_USE;
            ret = d->inconsistent ? 0 : co_read_bits(q, b, d);
            if (ret < 0) {
                return fail_errno(error, -ret, "Could not read bitmap '%s' from the image",
                                  b->name);
            }
        }
        if (!q->n->read_only && !(b->flags & Q_BITMAP_IN_USE)) {
            b->flags |= Q_BITMAP_IN_USE;
            changed = true;
        }
    }
    if (changed) {
        int ret = co_write_directory(q);

        if (ret < 0) {
            return fail_errno(error, -ret, "Can't update bitmap directory");
        }
    }
    return true;
}

static Qcow2Bitmap *find(const Qcow2 *q, const char *name)
{
    for (unsigned i = 0; q->bitmaps && i < q->bitmaps->len; i++) {
        Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);

        if (strcmp(b->name, name) == 0) {
            return b;
        }
    }
    return NULL;
}

static int co_store_one(Qcow2 *q, DirtyBitmap *d)
{
    Qcow2Bitmap *b = find(q, d->name);
    int ret = 0;

    if (d->inconsistent) {
        return 0;
    }
    if (!b) {
        b = g_new0(Qcow2Bitmap, 1);
        b->name = g_strdup(d->name);
        b->type = 1;
        b->granularity_bits = (uint8_t)__builtin_ctz(d->granularity);
        g_ptr_array_add(q->bitmaps, b);
    } else if (b->table_size) {
        ret = co_free_bits(q, b);
    }
    ret = ret < 0 ? ret : co_store_bits(q, b, d);
    b->flags = d->enabled ? Q_BITMAP_AUTO : 0;
    return ret;
}

bool co_qcow2_bitmaps_store(Qcow2 *q, GError **error)
{
    BlockNode *n = q->n;
    bool any = false;
    int ret = 0;

    if (!q->bitmaps || n->read_only || (n->open_flags & BLOCK_OPEN_CHECK)) {
        return true;
    }
    co_qcow2_settle(q);
    for (unsigned i = 0; ret == 0 && n->bitmaps && i < n->bitmaps->len; i++) {
        DirtyBitmap *d = g_ptr_array_index(n->bitmaps, i);

        if (d->name && d->persistent && q->h.version >= 3) {
            ret = co_store_one(q, d);
            any = true;
        }
    }
    if (ret == 0 && any) {
        ret = co_block_flush(n->file);
        ret = ret < 0 ? ret : co_write_directory(q);
    }
    return ret == 0 || fail_errno(error, -ret, "Failed to store bitmaps");
}

bool co_qcow2_can_store_bitmap(BlockNode *n, const char *name, uint32_t granularity, GError **error)
{
    Qcow2 *q = n->state;

    if (q->h.version < 3) {
        return fail(error, "Cannot store dirty bitmaps in qcow2 v2 files");
    }
    if (find(q, name)) {
        return fail(error, "Bitmap with the same name is already stored");
    }
    if (q->bitmaps->len >= Q_MAX_BITMAPS) {
        return fail(error, "Maximum number of persistent bitmaps is already reached");
    }
    return true;
}

bool co_qcow2_remove_bitmap(BlockNode *n, const char *name, GError **error)
{
    Qcow2 *q = n->state;
    Qcow2Bitmap *b = find(q, name);
    int ret;

    if (!b) {
        return true;    /* never was stored */
    }
    co_mutex_lock(&q->lock);
    ret = co_free_bits(q, b);
    g_ptr_array_remove(q->bitmaps, b);
    ret = ret < 0 ? ret : co_write_directory(q);
    co_mutex_unlock(&q->lock);
    return ret == 0 || fail_errno(error, -ret, "Failed to remove bitmap '%s'", name);
}

/* ---- information, check ---- */

struct json_object *qcow2_bitmaps_info(Qcow2 *q)
{
    struct json_object *list;

    if (!q->bitmaps || !q->bitmaps->len) {
        return NULL;
    }
    list = json_object_new_array();
    for (unsigned i = 0; i < q->bitmaps->len; i++) {
        const Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);
        struct json_object *o = json_object_new_object(), *flags = json_object_new_array();

        if (b->flags & Q_BITMAP_IN_USE) {
            json_object_array_add(flags, json_object_new_string("in-use"));
        }
        if (b->flags & Q_BITMAP_AUTO) {
            json_object_array_add(flags, json_object_new_string("auto"));
        }
        json_object_object_add(o, "flags", flags);
        json_object_object_add(o, "name", json_object_new_string(b->name));
        json_object_object_add(o, "granularity", json_object_new_int64(1ll << b->granularity_bits));
        json_object_array_add(list, o);
    }
    return list;
}

int co_qcow2_count_bitmaps(Qcow2Count *k)
{
    Qcow2 *q = k->q;

    if (!q->bitmap_dir_offset) {
        return 0;
    }
    qcow2_count(k, q->bitmap_dir_offset, q->bitmap_dir_size);
    for (unsigned i = 0; q->bitmaps && i < q->bitmaps->len; i++) {
        const Qcow2Bitmap *b = g_ptr_array_index(q->bitmaps, i);
        g_autofree uint64_t *table = g_try_new0(uint64_t, MAX(b->table_size, 1));
        int ret = 0;

        if (!b->table_size || !qcow2_count(k, b->table_offset, b->table_size * 8ull)) {
            continue;
        }
        ret = table ? co_block_pread(q->n->file, b->table_offset, table, b->table_size * 8ull)
                    : -ENOMEM;
        if (ret < 0) {
            k->result->check_errors++;
            continue;
        }
        for (uint32_t j = 0; j < b->table_size; j++) {
            uint64_t entry = be64(table[j]), at = entry & TABLE_OFFSET_MASK;

            if (q_in_cluster(q, at)) {
                qcow2_check_say(k, "ERROR bitmap table entry is not cluster aligned");
                k->result->corruptions++;
            } else if (at) {
                qcow2_count(k, at, q->cluster_size);
            }
        }
    }
    return 0;
}
