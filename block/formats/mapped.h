// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What image formats that map blocks of a disk to places in a file have in common: a cache of
 * metadata with bounded memory and ordered write-back, and reading and writing through a map. A
 * format says where an extent lies, where a new block goes, and how it is entered.
 */
#ifndef BLOCK_FORMATS_MAPPED_H
#define BLOCK_FORMATS_MAPPED_H

#include "block/driver.h"

/* ---- metadata ---- */

#define META_PAGE (16 * KIB)
/* Pages of a cache: 2 MiB, which map 256 GiB and more with each format's usual block size. */
#define META_PAGES 128

/*
 * Bytes of the file that are metadata. Changes stay in memory until co_meta_flush, which makes
 * the data that they refer to stable first. Only bytes that are metadata may be read through it.
 */
typedef struct MetaCache {
    BlockNode *file;
    GHashTable *pages;          /* page number -> page */
    struct MetaPage *newest, *oldest;
    bool dirty;
    CoMutex lock;
} MetaCache;

/* Leaves are stable before roots that refer to them are written. */
typedef enum MetaLevel { META_LEAF, META_ROOT, META_LEVELS } MetaLevel;

void meta_init(MetaCache *c, BlockNode *file);
/* Forgets everything, also what was not written. */
void meta_free(MetaCache *c);
/* 0 or -errno; -EIO beyond the end of the file. */
int co_meta_read(MetaCache *c, uint64_t offset, void *buf, size_t len);
int co_meta_write(MetaCache *c, uint64_t offset, const void *buf, size_t len, MetaLevel level);
int co_meta_zero(MetaCache *c, uint64_t offset, uint64_t len, MetaLevel level);
/* Writes what is dirty. The caller flushes the file afterwards. */
int co_meta_flush(MetaCache *c);

/* ---- the map ---- */

typedef enum MapKind {
    MAP_ABSENT,                 /* the backing node's, or zeroes */
    MAP_ZERO,
    MAP_DATA,                   /* at `where` of `node` */
    MAP_PACKED,                 /* the format reads it */
} MapKind;

typedef struct MapExtent {
    MapKind kind;
    BlockNode *node;            /* NULL: the file */
    uint64_t where;
    uint64_t len;               /* in: what is asked for; out: at most that, more than 0 */
    bool fresh;                 /* co_place: the place is known to be full of zeroes */
    bool mixed;                 /* co_place: a part of the block is there already, and stays */
} MapExtent;

typedef struct MappedOps {
    int (*co_find)(BlockNode *n, uint64_t offset, MapExtent *e);
    /* A packed extent's bytes [offset, offset + e->len). */
    int (*co_unpack)(BlockNode *n, uint64_t offset, const MapExtent *e, void *buf);
    /* Finds room for the block that begins at `offset`. Lock held. NULL: nothing can be added. */
    int (*co_place)(BlockNode *n, uint64_t offset, MapExtent *e);
    /* The block's bytes are in place: enters it. Lock held. */
    int (*co_enter)(BlockNode *n, uint64_t offset, const MapExtent *e);
    /* The whole block reads as zeroes from now on; NULL: cannot be said. Lock held. */
    int (*co_enter_zero)(BlockNode *n, uint64_t offset);
    /* Before data that is there is overwritten; may be NULL. */
    int (*co_touch)(BlockNode *n, uint64_t offset, const MapExtent *e);
    /* Before the first change of the image; may be NULL. */
    int (*co_begin_write)(BlockNode *n);
    /* Encrypts a copy of what is written, decrypts what was read; NULL: as it is. */
    void (*encrypt)(BlockNode *n, uint64_t offset, void *buf, size_t len);
    void (*decrypt)(BlockNode *n, uint64_t offset, void *buf, size_t len);
} MappedOps;

/* The first member of the driver's state. */
typedef struct Mapped {
    const MappedOps *ops;
    uint64_t unit;              /* bytes of a block: what is placed and entered at once */
    bool recurse;               /* data may be holes of the file: block status looks there */
    bool writing;               /* co_begin_write was called */
    CoMutex lock;               /* before MetaCache.lock */
    MetaCache meta;
} Mapped;

int co_mapped_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                     unsigned niov);
int co_mapped_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                      unsigned niov, unsigned flags);
int co_mapped_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags);
int co_mapped_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                     BlockStatus *st);
/*
 * For co_check: extents outside of the file, or that overlap. Memory: a bit per block of the file.
 */
bool co_mapped_check(BlockNode *n, BlockCheck *result, unsigned fix, GError **error);
/* The same for formats whose check says nothing of what is allocated, and never mends. */
bool co_mapped_check_only(BlockNode *n, BlockCheck *result, unsigned fix, GError **error);
/* Clears what a format's check does not tell. */
void block_check_no_statistics(BlockCheck *result);
/* Writes dirty metadata. */
int co_mapped_flush(BlockNode *n);
/* For close(): the same outside of coroutines, and frees the cache. */
void mapped_close(BlockNode *n);

/*
 * Room of `bytes` at the end of the file, which grows; *where is a multiple of align (not
 * necessarily a power of 2). *fresh (may be NULL): it is full of zeroes.
 */
int co_append_room(BlockNode *file, uint64_t align, uint64_t bytes, uint64_t *where, bool *fresh);

/* ---- opening and creating, in or outside of coroutines ---- */

/* Fails when the file ends before; what: "header", "block table"... */
bool image_read(BlockNode *file, uint64_t offset, void *buf, size_t len, const char *what,
                GError **error);
bool image_write(BlockNode *file, uint64_t offset, const void *buf, size_t len, GError **error);

#endif
