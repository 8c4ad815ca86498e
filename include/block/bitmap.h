// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dirty bitmaps: which blocks of a node were written since some time. A bit stands for
 * `granularity` bytes. Named ones are the user's, those without a name belong to jobs. Writes,
 * zeroings and discards set bits when they have ended.
 */
#ifndef BLOCK_BITMAP_H
#define BLOCK_BITMAP_H

#include "block/node.h"

struct DirtyBitmap {
    BlockNode *node;
    char *name;                 /* NULL: a job's */
    uint32_t granularity;       /* a power of 2 */
    uint64_t length;            /* bytes of the disk it covers */
    uint8_t *map;               /* bit i is byte i / 8, bit i % 8 */
    uint64_t count;             /* bits that are set */
    bool enabled;               /* writes set bits */
    bool persistent;            /* goes into the image when that is closed */
    bool inconsistent;          /* was not stored when its image was closed: of no use but to be removed */
    unsigned busy;              /* an operation uses it */
};

#define BITMAP_DEFAULT_GRANULARITY 65536

DirtyBitmap *dirty_bitmap_new(BlockNode *n, const char *name, uint32_t granularity, GError **error);
void dirty_bitmap_free(DirtyBitmap *b);
DirtyBitmap *dirty_bitmap_find(const BlockNode *n, const char *name);
/* By node (or device) and name; NULL + error. */
DirtyBitmap *dirty_bitmap_lookup(const char *node, const char *name, BlockNode **n, GError **error);
/* What must not be: BITMAP_*; false + error. */
enum { BITMAP_BUSY = 1, BITMAP_INCONSISTENT = 2 };
bool dirty_bitmap_check(const DirtyBitmap *b, unsigned refuse, GError **error);

void dirty_bitmap_set(DirtyBitmap *b, uint64_t offset, uint64_t bytes);
/* Only of blocks that lie in the range as a whole, or to the disk's end. */
void dirty_bitmap_clear(DirtyBitmap *b, uint64_t offset, uint64_t bytes);
void dirty_bitmap_clear_all(DirtyBitmap *b);
/*
 * The first dirty run at or behind *offset that begins before end: cut to at most max bytes; false:
 * none.
 */
bool dirty_bitmap_next(const DirtyBitmap *b, uint64_t *offset, uint64_t end, uint64_t max,
                       uint64_t *bytes);
/* Whether the block at offset is dirty, and how far (in *bytes) it is the same. */
bool dirty_bitmap_get(const DirtyBitmap *b, uint64_t offset, uint64_t *bytes);
/* Adds src's dirty blocks; granularities may differ. */
bool dirty_bitmap_merge(DirtyBitmap *dst, const DirtyBitmap *src, GError **error);
static inline uint64_t dirty_bitmap_bits(const DirtyBitmap *b)
{
    return (b->length + b->granularity - 1) / b->granularity;
}
static inline uint64_t dirty_bitmap_bytes(const DirtyBitmap *b)
{
    return b->count * b->granularity;
}

/*
 * Bitmaps that go to another process with the machine, and come from one: bytes that are appended
 * to `out`, or checked. mapping: rows of BitmapMigrationNodeAlias; NULL: all, by names of nodes.
 * Main loop.
 */
bool dirty_bitmaps_pack(const GPtrArray *mapping, GByteArray *out, GError **error);
bool dirty_bitmaps_unpack(const GPtrArray *mapping, const GByteArray *bytes, GError **error);

/* For the core: a range of n was changed. */
void dirty_bitmaps_mark(BlockNode *n, uint64_t offset, uint64_t bytes);

#endif
