// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qcow2 images from inside: the layout on disk, the open image, and what the files qcow2-*.c give
 * each other. Terms are those of the format's specification (docs/interop/qcow2): clusters,
 * subclusters, L1 and L2 tables, refcount table and blocks. Numbers on disk are big-endian.
 *
 * Order of writes: a table is on disk before what points to it; refcounts go up before, and down
 * after, the entry that needs them. The caches know this as dependencies (qcow2-cache.c).
 */
#ifndef BLOCK_QCOW2_H
#define BLOCK_QCOW2_H

#include "block/driver.h"
#include "block/filters/blkdebug.h"
#include "util/timer.h"

#define Q_MAGIC 0x514649fbu
#define Q_COPIED ((uint64_t)1 << 63)
#define Q_COMPRESSED ((uint64_t)1 << 62)
#define Q_ZERO ((uint64_t)1)
#define Q_OFFSET_MASK ((uint64_t)0x00fffffffffffe00)
#define Q_REFTABLE_MASK ((uint64_t)0xfffffffffffffe00)
#define Q_MAX_L1_BYTES (32 * MIB)
#define Q_MAX_REFTABLE_BYTES (8 * MIB)
#define Q_MAX_SNAPSHOTS 65536
#define Q_MAX_SNAPSHOT_BYTES (64 * MIB)
#define Q_MAX_BITMAPS 65535
#define Q_MAX_BITMAP_DIR_BYTES (16 * MIB)
#define Q_BITMAP_TABLE_MAX 0x8000000u

enum { Q_CRYPT_NONE, Q_CRYPT_AES, Q_CRYPT_LUKS };
enum {
    Q_INCOMPAT_DIRTY = 1, Q_INCOMPAT_CORRUPT = 2, Q_INCOMPAT_DATA_FILE = 4, Q_INCOMPAT_COMPRESSION = 8,
    Q_INCOMPAT_EXT_L2 = 16, Q_INCOMPAT_KNOWN = 31,
};
enum { Q_COMPAT_LAZY_REFCOUNTS = 1 };
enum { Q_AUTOCLEAR_BITMAPS = 1, Q_AUTOCLEAR_RAW_DATA = 2 };
enum {
    Q_EXT_END = 0, Q_EXT_BACKING_FORMAT = 0xe2792aca, Q_EXT_FEATURES = 0x6803f857, Q_EXT_BITMAPS = 0x23852875,
    Q_EXT_CRYPTO = 0x0537be77, Q_EXT_DATA_FILE = 0x44415441,
};

/* The header, host byte order. */
typedef struct Qcow2Header {
    uint32_t version;
    uint64_t backing_offset;
    uint32_t backing_size;
    uint32_t cluster_bits;
    uint64_t size;
    uint32_t crypt_method;
    uint32_t l1_size;
    uint64_t l1_offset;
    uint64_t reftable_offset;
    uint32_t reftable_clusters;
    uint32_t nb_snapshots;
    uint64_t snapshots_offset;
    uint64_t incompatible, compatible, autoclear;
    uint32_t refcount_order;
    uint32_t header_length;
    uint8_t compression;
} Qcow2Header;

typedef struct Qcow2Cache Qcow2Cache;

/* How a kind of compression works; rows of a linker section. Run in workers. */
typedef struct Qcow2Compressor {
    const char *name;
    uint8_t type;               /* of the header */
    /* Bytes made, -ENOSPC when they do not fit. */
    int64_t (*compress)(void *to, size_t room, const void *from, size_t len);
    /* Fills `to` to its end; from may have a tail of rubbish. */
    int (*decompress)(void *to, size_t len, const void *from, size_t have);
} Qcow2Compressor;
#define QCOW2_COMPRESSOR(t) SECTION_ENTRY(qcow2_compressors, const Qcow2Compressor *, t##_row, &t)
const Qcow2Compressor *qcow2_compressor(uint8_t type, const char *name);

/* A write whose range nobody else may change meanwhile. */
typedef struct Qcow2Range {
    uint64_t start, end;
    struct Qcow2Range *next;
    CoQueue waiters;
} Qcow2Range;

typedef struct Qcow2Snapshot {
    uint64_t l1_offset;
    uint32_t l1_size;
    BlockSnapshot s;
    uint8_t *extra;             /* what we do not know of the extra data */
    uint32_t extra_size;        /* of the whole extra data on disk */
} Qcow2Snapshot;

/* Clusters that are freed when the tables that dropped them are on disk. */
typedef struct Qcow2Pending {
    uint64_t offset, len;
    int why;
} Qcow2Pending;

/* A bitmap as its directory has it. */
typedef struct Qcow2Bitmap {
    uint64_t table_offset;
    uint32_t table_size;
    uint32_t flags;
    uint8_t type, granularity_bits;
    char *name;
} Qcow2Bitmap;
enum { Q_BITMAP_IN_USE = 1, Q_BITMAP_AUTO = 2, Q_BITMAP_EXTRA = 4 };

typedef struct Qcow2 {
    BlockNode *n;
    BlockNode *data;            /* where guest clusters are: n->file, or the external data file */
    Qcow2Header h;
    bool external, raw_external;
    char *data_file;            /* the header's name of it */
    uint32_t cluster_bits;
    uint64_t cluster_size;
    bool ext;                   /* extended L2 entries */
    unsigned subs;              /* subclusters of a cluster: 1 or 32 */
    uint64_t sub_size;
    unsigned entry_size;        /* 8 or 16 bytes */
    unsigned l2_bits;           /* log2 of entries of an L2 table */
    uint32_t slice_entries;     /* L2 tables are cached in slices */
    unsigned refcount_bits;
    uint64_t refcount_max;
    unsigned rb_bits;           /* log2 of entries of a refcount block */
    uint64_t *l1;               /* host order */
    uint32_t l1_room;           /* entries allocated in memory */
    uint64_t *rt;               /* host order */
    uint64_t rt_entries;
    uint64_t rt_used;           /* beyond the last entry in use */
    Qcow2Cache *l2_cache, *rb_cache;
    Timer clean_timer;          /* cache-clean-interval */
    uint64_t clean_seconds;     /* 0: never */
    CoMutex lock;               /* metadata, all of the above and below */
    Qcow2Range *ranges;         /* writes in flight */
    uint64_t free_index;        /* no free cluster lies before it */
    uint64_t free_byte;         /* where compressed data go on; 0: in a new cluster */
    bool lazy, dirty, corrupt, said_corrupt;
    bool discard_passthrough, discard_snapshot, discard_other;
    unsigned overlap;           /* OVERLAP_* that are checked */
    const Qcow2Compressor *compressor;
    uint8_t *unpacked;          /* a cluster decompressed last; NULL: none */
    uint64_t unpacked_entry;    /* its L2 entry */
    Qcow2Snapshot *snapshots;
    GPtrArray *bitmaps;         /* Qcow2Bitmap */
    uint64_t bitmap_dir_offset, bitmap_dir_size;
    uint8_t *unknown_ext;       /* header extensions that we do not know, as they are */
    size_t unknown_ext_len;
    uint64_t crypto_offset, crypto_len;
    struct BlockCrypto *crypto;
    bool holes;                 /* clusters that were allocated ahead: the file knows what is zero */
    bool growing;               /* the refcount table is being replaced */
    GArray *pending;            /* Qcow2Pending: freed, but what pointed there may be on disk yet */
} Qcow2;

enum {
    OVERLAP_HEADER = 1, OVERLAP_L1 = 2, OVERLAP_L2 = 4, OVERLAP_REFTABLE = 8, OVERLAP_REFBLOCK = 16,
    OVERLAP_SNAPSHOTS = 32, OVERLAP_INACTIVE_L1 = 64, OVERLAP_INACTIVE_L2 = 128, OVERLAP_BITMAPS = 256,
    OVERLAP_CACHED = 127 | 256,
};

static inline uint64_t q_round_up(const Qcow2 *q, uint64_t v)
{
    return (v + q->cluster_size - 1) & ~(q->cluster_size - 1);
}
static inline uint64_t q_in_cluster(const Qcow2 *q, uint64_t v)
{
    return v & (q->cluster_size - 1);
}

/* ---- qcow2-header.c ---- */
bool qcow2_header_parse(Qcow2Header *h, const uint8_t *raw, size_t len, GError **error);
/* Extensions and the backing file's name. */
bool qcow2_header_extras(Qcow2 *q, GError **error);
/* Writes the header's cluster from q->h and the like, with a flush. */
int co_qcow2_header_write(Qcow2 *q);
/* The header's bytes into buf (a cluster long); its used length or -ENOSPC. */
int64_t qcow2_header_build(Qcow2 *q, uint8_t *buf);
int co_qcow2_mark_dirty(Qcow2 *q);
int co_qcow2_mark_clean(Qcow2 *q);

/* ---- qcow2-cache.c ---- */
/* count tables of size bytes; memory is touched when it is used. */
Qcow2Cache *qcow2_cache_new(unsigned count, uint32_t size, const char *what);
void qcow2_cache_free(Qcow2Cache *c);
/* The table at `offset`, pinned until qcow2_cache_put. fresh: not read, the caller fills it. */
int co_qcow2_cache_get(Qcow2 *q, Qcow2Cache *c, uint64_t offset, bool fresh, void **table);
/* Drops tables that were not used since the last call. */
void qcow2_cache_clean(Qcow2Cache *c);
void qcow2_cache_put(Qcow2Cache *c, void *table);
void qcow2_cache_dirty(Qcow2Cache *c, void *table);
/* Before any table of c is written, those of `on` must be on disk. */
int co_qcow2_cache_depend(Qcow2 *q, Qcow2Cache *c, Qcow2Cache *on);
/* Before any table of c is written, guest data must be on disk. */
void qcow2_cache_needs_data(Qcow2Cache *c);
/* Writes what is dirty, dependencies first. */
int co_qcow2_cache_write(Qcow2 *q, Qcow2Cache *c);
/* The same, and the file is flushed. */
int co_qcow2_cache_flush(Qcow2 *q, Qcow2Cache *c);
/* Forgets the tables of a range that was freed. */
void qcow2_cache_forget(Qcow2Cache *c, uint64_t offset, uint64_t len);
void qcow2_cache_empty(Qcow2Cache *c);

/* ---- qcow2-refcount.c ---- */
int co_qcow2_refcount(Qcow2 *q, uint64_t cluster, uint64_t *count);
uint64_t qcow2_refcount_load(const Qcow2 *q, const void *block, uint64_t index);
void qcow2_refcount_store(const Qcow2 *q, void *block, uint64_t index, uint64_t count);
/* Adds add (may be negative) to the clusters of a range. */
int co_qcow2_refcount_change(Qcow2 *q, uint64_t offset, uint64_t len, int64_t add);
/* n clusters in a row; the offset, or -errno. Their refcounts are 1. */
int64_t co_qcow2_alloc(Qcow2 *q, uint64_t n);
/* As many of n as are free at `offset`; how many, or -errno. */
int64_t co_qcow2_alloc_at(Qcow2 *q, uint64_t offset, uint64_t n);
/* Room for compressed bytes. */
int64_t co_qcow2_alloc_bytes(Qcow2 *q, uint64_t len);
enum { DISCARD_NEVER, DISCARD_ALWAYS, DISCARD_REQUEST, DISCARD_SNAPSHOT, DISCARD_OTHER };
/*
 * Drops one use of each cluster; why says whether freed ones are discarded on the host. Counts
 * change only when the tables are flushed, so that nothing is used again while the disk still
 * points to it.
 */
int co_qcow2_free(Qcow2 *q, uint64_t offset, uint64_t len, int why);
/* Writes the tables and then does what waits. */
int co_qcow2_settle(Qcow2 *q);
/* Drops what an L2 entry of guest data uses. */
int co_qcow2_free_entry(Qcow2 *q, uint64_t entry, int why);
/*
 * 0, or -EIO and the image is marked corrupt, when a write would hit metadata. `ignore`: OVERLAP_*.
 */
int co_qcow2_check_overlap(Qcow2 *q, unsigned ignore, uint64_t offset, uint64_t len);
/* Says so, sets the header's bit if `fatal`, and fails all that follows. Returns -EIO. */
int co_qcow2_corrupt(Qcow2 *q, bool fatal, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
/* Last used cluster's end. */
int64_t co_qcow2_end(Qcow2 *q);
/* Changes the refcounts of all that an L1 table uses and corrects its COPIED bits; add -1, 0, 1. */
int co_qcow2_refcount_tree(Qcow2 *q, uint64_t l1_offset, uint32_t l1_size, int add);

/* ---- qcow2-map.c ---- */
typedef enum Qcow2Kind {
    Q_UNALLOCATED,
    Q_ZERO_PLAIN,
    Q_ZERO_ALLOC,
    Q_NORMAL,
    Q_PACKED,
    Q_INVALID
} Qcow2Kind;
/* Kind of a subcluster. bitmap is 0 for standard entries. */
Qcow2Kind qcow2_kind(const Qcow2 *q, uint64_t entry, uint64_t bitmap, unsigned sub);
uint64_t qcow2_entry(const Qcow2 *q, const void *slice, unsigned index);
uint64_t qcow2_entry_bitmap(const Qcow2 *q, const void *slice, unsigned index);
void qcow2_entry_set(const Qcow2 *q, void *slice, unsigned index, uint64_t entry, uint64_t bitmap);
/*
 * Finds a run of one kind from offset: *bytes is cut to it. *host: of NORMAL and ZERO_ALLOC; an
 * entry of PACKED.
 */
int co_qcow2_map(Qcow2 *q, uint64_t offset, uint64_t *bytes, uint64_t *host, Qcow2Kind *kind);
/* The slice with the entry of a guest offset, its table made or copied for writing. */
int co_qcow2_slice_for_write(Qcow2 *q, uint64_t offset, void **slice, unsigned *index);
int co_qcow2_slice(Qcow2 *q, uint64_t offset, void **slice, unsigned *index);
int co_qcow2_grow_l1(Qcow2 *q, uint64_t entries, bool exact);
int co_qcow2_write_l1_entry(Qcow2 *q, unsigned index);
/* Frees guest clusters, which show zeroes afterwards (or the backing file: full). Lock held. */
int co_qcow2_discard_range(Qcow2 *q, uint64_t offset, uint64_t bytes, int why, bool full);
int co_qcow2_zero_range(Qcow2 *q, uint64_t offset, uint64_t bytes, unsigned flags);
/* Maps a range to fresh or existing clusters without writing data (preallocation). */
int co_qcow2_prealloc(Qcow2 *q, uint64_t offset, uint64_t end, BlockPrealloc mode, GError **error);

/* ---- qcow2-io.c ---- */
int co_qcow2_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                    unsigned niov);
int co_qcow2_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                     unsigned niov, unsigned flags);
int co_qcow2_pwrite_compressed(BlockNode *n, uint64_t offset, uint64_t bytes,
                               const struct iovec *iov, unsigned niov);
int co_qcow2_block_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                          BlockStatus *st);
int co_qcow2_discard(BlockNode *n, uint64_t offset, uint64_t bytes);
int co_qcow2_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags);
int co_qcow2_flush(BlockNode *n);
/* Waits until no write in flight touches the range, and claims it. Lock held; it may be dropped. */
void co_qcow2_claim(Qcow2 *q, Qcow2Range *r, uint64_t start, uint64_t end);
void qcow2_unclaim(Qcow2 *q, Qcow2Range *r);
/* The bytes of a compressed cluster. */
int co_qcow2_unpack(Qcow2 *q, uint64_t entry, void *cluster);

/* ---- qcow2-check.c, -snapshot.c, -bitmap.c, -create.c, -amend.c, -resize.c ---- */
bool co_qcow2_check(BlockNode *n, BlockCheck *result, unsigned fix, GError **error);
bool co_qcow2_snapshots_read(Qcow2 *q, bool repair, GError **error);
void qcow2_snapshots_free(Qcow2 *q);
bool co_qcow2_snapshot_list(BlockNode *n, GArray *list, GError **error);
bool co_qcow2_snapshot_create(BlockNode *n, BlockSnapshot *s, GError **error);
bool co_qcow2_snapshot_delete(BlockNode *n, const char *id, const char *name, GError **error);
bool co_qcow2_snapshot_goto(BlockNode *n, const char *id, GError **error);
bool co_qcow2_snapshot_load(BlockNode *n, const char *id, const char *name, GError **error);
int co_qcow2_vmstate_rw(BlockNode *n, bool write, uint64_t offset, uint64_t bytes,
                        const struct iovec *iov, unsigned niov);
bool co_qcow2_bitmaps_read(Qcow2 *q, GError **error);
bool co_qcow2_bitmaps_load(Qcow2 *q, GError **error);
bool co_qcow2_bitmaps_store(Qcow2 *q, GError **error);
void qcow2_bitmaps_free(Qcow2 *q);
struct json_object *qcow2_bitmaps_info(Qcow2 *q);
bool co_qcow2_can_store_bitmap(BlockNode *n, const char *name, uint32_t granularity,
                               GError **error);
bool co_qcow2_remove_bitmap(BlockNode *n, const char *name, GError **error);
/* Adds the clusters that bitmaps use to a check's counts. */
extern const OptDesc qcow2_create_opts[], qcow2_amend_opts[];
bool co_qcow2_format(BlockNode *file, struct json_object *opts, GError **error);
bool co_qcow2_measure(struct json_object *opts, BlockNode *in, BlockMeasure *m, GError **error);
bool co_qcow2_amend(BlockNode *n, struct json_object *opts, bool force, BlockProgress *progress,
                    void *opaque, GError **error);
bool co_qcow2_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error);
bool co_qcow2_change_backing(BlockNode *n, const char *file, const char *format, GError **error);
bool co_qcow2_make_empty(BlockNode *n, GError **error);

/* ---- qcow2-crypt.c ---- */
bool co_qcow2_crypt_open(Qcow2 *q, struct json_object *opts, GError **error);
/* Of a new image, before it has a size. */
bool co_qcow2_crypt_create(Qcow2 *q, struct json_object *opts, const char *format, GError **error);
bool co_qcow2_crypt_amend(Qcow2 *q, struct json_object *opts, bool force, GError **error);
struct json_object *qcow2_crypt_info(Qcow2 *q);

/* Passes an event of fault injection: the next request of the file may be made to fail. */
static inline void qcow2_event(const Qcow2 *q, const char *event)
{
    blkdebug_event(q->n->file, event);
}

#endif
