// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checking a map without knowing its format: each block lies in the file, and in a place of its
 * own.
 */
#include <errno.h>

#include "block/formats/mapped.h"
#include "util/bitops.h"
#include "util/error.h"

/* Places are compared in units of this or more, so that the bitmap stays small. */
#define MAX_BITS (64 * MIB)

static void say(BlockCheck *c, const char *fmt, uint64_t offset, uint64_t where)
{
    g_autofree char *line = g_strdup_printf(
        "ERROR: block at %" G_GINT64_MODIFIER "u %s %" G_GINT64_MODIFIER "u", offset, fmt, where);

    if (c->say) {
        c->say(c, line);
    }
    c->corruptions++;
}

bool co_mapped_check(BlockNode *n, BlockCheck *result, unsigned fix, GError **error)
{
    Mapped *m = n->state;
    uint64_t unit = m->unit, bits = div_round_up(n->file->length, unit), end = 0, last = 0;
    g_autofree uint64_t *used = NULL;

    if (bits <= MAX_BITS) {
        used = g_new0(uint64_t, bitmap_words(MAX(bits, 1)));
    }
    result->total_clusters = (int64_t)div_round_up(n->length, unit);
    for (uint64_t offset = 0; offset < n->length; offset += MIN(unit, n->length - offset)) {
        MapExtent e = { .len = MIN(unit, n->length - offset) };
        int ret = m->ops->co_find(n, offset, &e);

        if (ret < 0) {
            result->check_errors++;
            continue;
        }
        if (e.kind == MAP_PACKED) {
            result->allocated_clusters++;
            result->compressed_clusters++;
            continue;
        }
        if (e.kind != MAP_DATA || (e.node && e.node != n->file)) {
            result->allocated_clusters += e.kind == MAP_DATA;
            continue;
        }
        result->allocated_clusters++;
        result->fragmented_clusters += last != 0 && e.where != last;
        last = e.where + unit;
        end = MAX(end, e.where + e.len);
        if (e.where >= n->file->length) {
            say(result, "lies beyond the end of the file, at", offset, e.where);
        } else if (used && bitmap_test(used, e.where / unit)) {
            say(result, "shares its place with another one:", offset, e.where);
        } else if (used) {
            bitmap_set(used, e.where / unit);
        }
    }
    result->image_end_offset = (int64_t)MIN(end, n->file->length);
    return true;
}

void block_check_no_statistics(BlockCheck *result)
{
    result->total_clusters = result->allocated_clusters = 0;
    result->fragmented_clusters = result->compressed_clusters = 0;
    result->image_end_offset = 0;
}

bool co_mapped_check_only(BlockNode *n, BlockCheck *result, unsigned fix, GError **error)
{
    bool good;

    if (fix) {
        result->cannot_fix = true;
        return true;
    }
    good = co_mapped_check(n, result, 0, error);
    block_check_no_statistics(result);
    return good;
}
