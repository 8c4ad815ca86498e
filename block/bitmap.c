// SPDX-License-Identifier: GPL-2.0-or-later
/* Dirty bitmaps of nodes. The contract is include/block/bitmap.h. */
#include "block/bitmap.h"

#include <string.h>

#include "block/graph.h"
#include "util/error.h"

static uint64_t map_bytes(uint64_t bits)
{
    return (bits + 7) / 8 + 8;
}

DirtyBitmap *dirty_bitmap_find(const BlockNode *n, const char *name)
{
    for (unsigned i = 0; n->bitmaps && i < n->bitmaps->len; i++) {
        DirtyBitmap *b = g_ptr_array_index(n->bitmaps, i);

        if (b->name && strcmp(b->name, name) == 0) {
            return b;
        }
    }
    return NULL;
}

DirtyBitmap *dirty_bitmap_lookup(const char *node, const char *name, BlockNode **n, GError **error)
{
    DirtyBitmap *b;

    *n = block_skip_implicit(block_node_or_device(node, error));
    if (!*n) {
        return NULL;
    }
    b = dirty_bitmap_find(*n, name);
    return b ? b : fail_null(error, "Dirty bitmap '%s' not found", name);
}

bool dirty_bitmap_check(const DirtyBitmap *b, unsigned refuse, GError **error)
{
    if ((refuse & BITMAP_BUSY) && b->busy) {
        return fail(error,
                    "Bitmap '%s' is currently in use by another operation and cannot be used",
                    b->name);
    }
    if ((refuse & BITMAP_INCONSISTENT) && b->inconsistent) {
        return fail(error, "Bitmap '%s' is inconsistent and cannot be used", b->name);
    }
    return true;
}

DirtyBitmap *dirty_bitmap_new(BlockNode *n, const char *name, uint32_t granularity, GError **error)
{
    DirtyBitmap *b;

    if (granularity < 512 || (granularity & (granularity - 1))) {
        return fail_null(error, "Granularity must be power of 2 and at least 512");
    }
    if (name && strlen(name) > 1023) {
        return fail_null(error, "Bitmap name too long");
    }
    if (name && dirty_bitmap_find(n, name)) {
        return fail_null(error, "Bitmap already exists: %s", name);
    }
    b = g_new0(DirtyBitmap, 1);
    b->node = n;
    b->name = g_strdup(name);
    b->granularity = granularity;
    b->length = n->length;
    b->enabled = true;
    b->map = g_malloc0(map_bytes(dirty_bitmap_bits(b)));
    if (!n->bitmaps) {
        n->bitmaps = g_ptr_array_new();
    }
    g_ptr_array_add(n->bitmaps, b);
    return b;
}

void dirty_bitmap_free(DirtyBitmap *b)
{
    g_ptr_array_remove(b->node->bitmaps, b);
    g_free(b->name);
    g_free(b->map);
    g_free(b);
}

void block_node_bitmaps_free(BlockNode *n)
{
    while (n->bitmaps && n->bitmaps->len) {
        dirty_bitmap_free(g_ptr_array_index(n->bitmaps, 0));
    }
    g_clear_pointer(&n->bitmaps, g_ptr_array_unref);
}

void block_bitmaps_resized(BlockNode *n)
{
    for (unsigned i = 0; n->bitmaps && i < n->bitmaps->len; i++) {
        DirtyBitmap *b = g_ptr_array_index(n->bitmaps, i);
        uint64_t old = dirty_bitmap_bits(b), now;

        b->length = n->length;
        now = dirty_bitmap_bits(b);
        b->map = g_realloc(b->map, map_bytes(now));
        if (now > old) {
            memset(b->map + (old + 7) / 8, 0, map_bytes(now) - (old + 7) / 8);
        }
        /* bits beyond the end go, and are counted again */
        for (uint64_t j = now; j % 8; j++) {
            b->map[j / 8] &= (uint8_t)~(1u << (j % 8));
        }
        b->count = 0;
        for (uint64_t j = 0; j < (now + 7) / 8; j++) {
            b->count += (unsigned)__builtin_popcount(b->map[j]);
        }
    }
}

/* ---- bits ---- */

static bool get_bit(const DirtyBitmap *b, uint64_t i)
{
    return b->map[i / 8] >> (i % 8) & 1;
}

/* Sets or clears bits [first, end). */
static void change_bits(DirtyBitmap *b, uint64_t first, uint64_t end, bool set)
{
    while (first < end) {
        uint8_t *p = &b->map[first / 8], old = *p;

        if (first % 8 == 0 && end - first >= 8) {
            *p = set ? 0xff : 0;
            first += 8;
        } else {
            *p = set ? (uint8_t)(old | 1u << (first % 8)) : (uint8_t)(old & ~(1u << (first % 8)));
            first++;
        }
        b->count += (uint64_t)__builtin_popcount(*p) - (uint64_t)__builtin_popcount(old);
    }
}

void dirty_bitmap_set(DirtyBitmap *b, uint64_t offset, uint64_t bytes)
{
    if (bytes && offset < b->length) {
        uint64_t end = MIN(offset + bytes, b->length);

        change_bits(b, offset / b->granularity, (end + b->granularity - 1) / b->granularity, true);
    }
}

void dirty_bitmap_clear(DirtyBitmap *b, uint64_t offset, uint64_t bytes)
{
    uint64_t end =
        offset + bytes >= b->length ? dirty_bitmap_bits(b) : (offset + bytes) / b->granularity;
    uint64_t first = (offset + b->granularity - 1) / b->granularity;

    if (first < end) {
        change_bits(b, first, end, false);
    }
}

void dirty_bitmap_clear_all(DirtyBitmap *b)
{
    memset(b->map, 0, map_bytes(dirty_bitmap_bits(b)));
    b->count = 0;
}

/* The first bit at or behind i that is `set`; bits when there is none. */
static uint64_t next_bit(const DirtyBitmap *b, uint64_t i, bool set, uint64_t bits)
{
    uint8_t skip = set ? 0 : 0xff;

    while (i < bits) {
        if (i % 8 == 0 && b->map[i / 8] == skip) {
            i += 8;
        } else if (get_bit(b, i) == set) {
            return i;
        } else {
            i++;
        }
    }
    return bits;
}

bool dirty_bitmap_next(const DirtyBitmap *b, uint64_t *offset, uint64_t end, uint64_t max,
                       uint64_t *bytes)
{
    uint64_t bits = dirty_bitmap_bits(b), first, stop, start;

    end = MIN(end, b->length);
    if (!b->count || *offset >= end) {
        return false;
    }
    first = next_bit(b, *offset / b->granularity, true, bits);
    start = MAX(*offset, first * b->granularity);
    if (first == bits || start >= end) {
        return false;
    }
    stop =
        next_bit(b, first, false, MIN(bits, first + (max + b->granularity - 1) / b->granularity));
    *offset = start;
    *bytes = MIN(MIN(stop * b->granularity, end) - start, max);
    return true;
}

bool dirty_bitmap_get(const DirtyBitmap *b, uint64_t offset, uint64_t *bytes)
{
    uint64_t bits = dirty_bitmap_bits(b), i = offset / b->granularity;
    bool set = i < bits && get_bit(b, i);
    uint64_t stop = next_bit(b, i, !set, bits) * b->granularity;

    *bytes = MIN(stop, b->length) - MIN(offset, b->length);
    return set;
}

bool dirty_bitmap_merge(DirtyBitmap *dst, const DirtyBitmap *src, GError **error)
{
    if (dst->length != src->length) {
        return fail(error,
                    "Bitmaps are of different sizes (destination size is %" G_GUINT64_FORMAT
                    " and source size is %" G_GUINT64_FORMAT ") and can't be merged",
                    dst->length, src->length);
    }
    for (uint64_t at = 0, bytes; dirty_bitmap_next(src, &at, src->length, UINT64_MAX / 2, &bytes);
         at += bytes) {
        dirty_bitmap_set(dst, at, bytes);
    }
    return true;
}

void dirty_bitmaps_mark(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    for (unsigned i = 0; i < n->bitmaps->len; i++) {
        DirtyBitmap *b = g_ptr_array_index(n->bitmaps, i);

        if (b->enabled) {
            dirty_bitmap_set(b, offset, bytes);
        }
    }
}
