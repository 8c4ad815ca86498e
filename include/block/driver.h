// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a format, protocol or filter provides. A driver is one constant BlockDriver, placed by
 * BLOCK_DRIVER() in a linker section: no list to edit. Every function runs in a coroutine with the
 * machine lock held, except where stated; what may block the host runs by co_in_worker(). NULL
 * functions are fine: the comment says what is done then. docs/devel/block.md has an example.
 */
#ifndef BLOCK_DRIVER_H
#define BLOCK_DRIVER_H

#include "block/node.h"

/* A child that the options name. The table ends with a row without a name. */
typedef struct BlockChildDesc {
    const char *name;           /* "file"; "children.*" takes a list */
    unsigned role;              /* BLOCK_ROLE_* */
    bool optional;
} BlockChildDesc;

/* What check finds and mends; -1: not known. */
typedef struct BlockCheck {
    int64_t corruptions, leaks, check_errors;
    int64_t corruptions_fixed, leaks_fixed;
    int64_t image_end_offset;
    int64_t total_clusters, allocated_clusters, fragmented_clusters, compressed_clusters;
    bool cannot_fix;            /* mending was asked for, and the format has no way: nothing was done */
    /* A line about each thing found goes here (stderr of the tool). */
    void (*say)(struct BlockCheck *c, const char *line);
} BlockCheck;
enum { BLOCK_FIX_LEAKS = 1, BLOCK_FIX_ERRORS = 2 };

typedef struct BlockImageInfo {
    uint64_t cluster_size;      /* 0: none */
    uint64_t vm_state_offset;
    bool dirty;                 /* was not closed */
    bool compressed;            /* writes must be compressed (streamOptimized) */
    bool zero_init;             /* a new image reads as zeroes */
    struct json_object *specific;   /* "data" of format-specific, owned by the caller; NULL: none */
    const char *specific_type;      /* its "type"; NULL: the driver's name */
} BlockImageInfo;

typedef struct BlockSnapshot {
    char id[128], name[256];
    uint64_t vm_state_size;
    int64_t date_sec, date_nsec;
    uint64_t vm_clock_nsec;
    int64_t icount;             /* -1: none */
    uint64_t disk_size;
} BlockSnapshot;

typedef struct BlockMeasure {
    uint64_t required, fully_allocated;
    bool has_bitmaps;
    uint64_t bitmaps;
} BlockMeasure;

/* Of long operations: done of total, in work of its own unit. */
typedef void BlockProgress(void *opaque, uint64_t done, uint64_t total);

struct BlockDriver {
    const char *name;
    const char *desc;
    bool protocol;              /* opens a place, not another node */
    bool filter;                /* shows the data of its child "file", and has its length */
    bool internal;              /* not for -blockdev, not listed */
    bool filters_backing;       /* that child is called "backing", as clients know jobs' filters */
    bool grows;                 /* writes beyond the end extend it */
    bool backing;               /* has the option `backing` and sets backing_file in open() */
    const char *const *schemes; /* protocols: "nbd", "nbd+unix", ... of "nbd://"; NULL-terminated; NULL: name */
    /*
     * Its own options, besides those of every node and the children. Members of nested objects and
     * lists are named with dots: "server.host"; a row "server.*" takes all below.
     */
    const OptDesc *opts;
    const BlockChildDesc *children;     /* NULL: just `file`, needed (none for protocols) */
    size_t state_size;          /* n->state, zeroed */

    /* 0..100: how sure the first bytes (BLOCK_PROBE_BYTES, less when the file is shorter) make us. */
    int (*probe)(const uint8_t *head, size_t len, const char *filename);
    /* A name with one of the schemes into options (put with json-c as strings). Not in a coroutine. */
    bool (*parse_filename)(const char *filename, struct json_object *opts, GError **error);

    /*
     * The children of `children` are open already, but `backing` is opened afterwards. Sets length,
     * align and, unless the core's (of `file`) is right, filename. opts: flat, checked and typed. On
     * failure it frees what it has made; close() is not called.
     */
    bool (*open)(BlockNode *n, struct json_object *opts, GError **error);
    /* Writes back what it caches. */
    void (*close)(BlockNode *n);
    /*
     * The image was another process's, and is ours: forgets what it had read. And before it goes:
     * writes back. NULL: nothing is kept (raw, filters, protocols), or it cannot be given away.
     */
    bool (*activate)(BlockNode *n, struct json_object *opts, GError **error);
    bool (*inactivate)(BlockNode *n, GError **error);
    /*
     * Options or read_only change: prepare with the new ones, then commit or abort. new_read_only is
     * what it will be. NULL: refused, unless only core options change.
     */
    bool (*reopen)(BlockNode *n, struct json_object *opts, bool new_read_only, GError **error);

    /*
     * They return 0 or -errno and transfer the whole range. Offsets and lengths are multiples of
     * align, inside of length (of a driver that grows: writes may be beyond) and at most max_transfer.
     */
    int (*co_preadv)(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                     unsigned niov);
    int (*co_pwritev)(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                      unsigned niov, unsigned flags);
    /* One cluster (or the last, shorter); NULL: -ENOTSUP. bytes 0: the stream ends. */
    int (*co_pwrite_compressed)(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                                unsigned niov);
    /*
     * A child was replaced by another node: a driver that keeps pointers looks for them again. Not
     * in a coroutine.
     */
    void (*children_changed)(BlockNode *n);
    /* x-blockdev-change: graph locked, not in a coroutine. NULL: cannot be done. */
    bool (*add_child)(BlockNode *n, BlockNode *child, GError **error);
    bool (*remove_child)(BlockNode *n, const char *name, GError **error);
    /* What the driver caches goes to its children; the core flushes those afterwards. NULL: nothing. */
    int (*co_flush)(BlockNode *n);
    /* The children were flushed together with co_flush, or need not be: the core leaves them. */
    bool flushes_children;
    /* Bytes of another node of the same driver, by the host alone; -ENOTSUP: not here. NULL: never. */
    int (*co_copy_from)(BlockNode *n, uint64_t offset, BlockNode *from, uint64_t from_offset, uint64_t bytes);
    /* NULL: nothing is done (filters: child's). */
    int (*co_discard)(BlockNode *n, uint64_t offset, uint64_t bytes);
    /* -ENOTSUP or NULL: written out (filters: child's). */
    int (*co_write_zeroes)(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags);
    /*
     * Fills *st for a start of the range. NULL: filters and raw are as their child, others all data,
     * allocated. The core cuts st->bytes to what was asked for.
     */
    int (*co_block_status)(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero, BlockStatus *st);
    /* Changes the length to `length`; sets n->length. NULL: "does not support resizing". */
    bool (*co_truncate)(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error);
    /* Sets n->length from the host. */
    bool (*refresh_length)(BlockNode *n, GError **error);

    /* ---- making images ---- */
    const OptDesc *create_opts; /* -o of qemu-img create, "size" included; NULL: cannot create */
    /* Protocols (and formats of several files, which make them all): by name, options typed. */
    bool (*co_create)(const char *filename, struct json_object *opts, GError **error);
    /* Formats: in an empty file that is open for writing. */
    bool (*co_format)(BlockNode *file, struct json_object *opts, GError **error);
    const OptDesc *amend_opts;  /* NULL: cannot amend */
    const char *amend_live;     /* those that x-blockdev-amend takes begin so; NULL: all */
    bool (*co_amend)(BlockNode *n, struct json_object *opts, bool force, BlockProgress *progress, void *opaque,
                     GError **error);
    /* How big a new image would be, holding `in` (NULL: an empty one of opts' size). */
    bool (*co_measure)(struct json_object *opts, BlockNode *in, BlockMeasure *m, GError **error);

    /* ---- about images ---- */
    bool (*co_info)(BlockNode *n, BlockImageInfo *info, GError **error);
    /* Bytes allocated on the host, -1: unknown. NULL: the sum of the children. Any context. */
    int64_t (*allocated)(BlockNode *n);
    bool (*co_check)(BlockNode *n, BlockCheck *result, unsigned fix, GError **error);
    bool (*co_change_backing)(BlockNode *n, const char *file, const char *format, GError **error);
    /* Forgets all data of the layer, so that the backing file shows. */
    bool (*co_make_empty)(BlockNode *n, GError **error);

    /* ---- internal snapshots; array of BlockSnapshot ---- */
    bool (*co_snapshot_list)(BlockNode *n, GArray *list, GError **error);
    bool (*co_snapshot_create)(BlockNode *n, BlockSnapshot *s, GError **error);
    bool (*co_snapshot_delete)(BlockNode *n, const char *id, const char *name, GError **error);
    bool (*co_snapshot_goto)(BlockNode *n, const char *id, GError **error);
    /* The node (read-only) shows the snapshot from now on. */
    bool (*co_snapshot_load)(BlockNode *n, const char *id, const char *name, GError **error);
    /* A machine's state, beside the disk's data. */
    int (*co_vmstate_rw)(BlockNode *n, bool write, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov);

    /* ---- bitmaps that live in the image ---- */
    bool (*co_can_store_bitmap)(BlockNode *n, const char *name, uint32_t granularity, GError **error);
    bool (*co_remove_bitmap)(BlockNode *n, const char *name, GError **error);

    /* What users do and what they let others do changed: locks; NULL: nothing. Any context. */
    bool (*set_perm)(BlockNode *n, unsigned perm, unsigned shared, GError **error);
    /* Permissions on a child, when those of its role are not right. */
    void (*child_perm)(BlockNode *n, const BlockEdge *child, unsigned perm, unsigned shared, unsigned *child_perm,
                       unsigned *child_shared);
};
#define BLOCK_DRIVER(t) SECTION_ENTRY(block_drivers, const BlockDriver *, t##_row, &t)

/*
 * All that the layers from top to above base have goes to base, at most rate bytes a second (0:
 * any). 0 or -errno. progress may be NULL.
 */
int co_block_commit_data(BlockNode *top, BlockNode *base, uint64_t rate, BlockProgress *progress,
                         void *opaque);

/*
 * For open(): the child `name` from the options (object or node name); when they do not have it,
 * the image `filename` (NULL: fails, or with `optional` returns NULL without error). Relative names
 * count from this node's file. format NULL: probed; protocols are opened with format "".
 */
BlockNode *block_child_open(BlockNode *n, const char *name, unsigned role, const char *filename,
                            const char *format, GError **error);
/* Whether the options name that child. */
bool block_child_given(BlockNode *n, const char *name);

/*
 * Makes the image `filename` in a format with typed options (size as "size"); the file below it is
 * made first. In or out of coroutines.
 */
bool block_create(const BlockDriver *format, const char *filename, struct json_object *opts,
                  GError **error);
/* For co_create of formats: makes an empty file by its protocol and opens it for writing. */
BlockNode *block_create_file(const char *filename, uint64_t size, GError **error);
/* The text of create_opts/amend_opts "a=b,c=d", checked and typed; NULL + error. */
struct json_object *block_create_options(const BlockDriver *format, const OptDesc *table,
                                         const char *text, GError **error);
bool block_prealloc_parse(const char *text, BlockPrealloc *mode, GError **error);

#endif
