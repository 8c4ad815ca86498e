// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The block graph from inside: nodes, edges with permissions, and I/O in coroutines. Devices and
 * commands use block/block.h; what a driver provides is block/driver.h. Everything here runs with
 * the machine lock held.
 */
#ifndef BLOCK_NODE_H
#define BLOCK_NODE_H

#include <sys/uio.h>
#include "block/block.h"
#include "qapi/keyval.h"
#include "util/coroutine.h"

struct json_object;
typedef struct BlockDriver BlockDriver;
typedef struct BlockEdge BlockEdge;
typedef struct BlockWatcher BlockWatcher;
typedef struct DirtyBitmap DirtyBitmap;

/* What a user of a node does, and lets others do, with it. The numbers are those of file locks. */
enum {
    BLOCK_PERM_READ = 1,            /* reads that must make sense */
    BLOCK_PERM_WRITE = 2,
    BLOCK_PERM_WRITE_UNCHANGED = 4, /* writes that change no data, such as copy on read */
    BLOCK_PERM_RESIZE = 8,
    BLOCK_PERM_ALL = 15,
};

/* What a child is to its parent. */
enum {
    BLOCK_ROLE_DATA = 1, BLOCK_ROLE_METADATA = 2,
    BLOCK_ROLE_FILTERED = 4,        /* the parent shows the child's data, unchanged in place */
    BLOCK_ROLE_COW = 8,             /* data that the parent does not have */
    BLOCK_ROLE_PRIMARY = 16,
};

/* Flags of requests. */
enum {
    BLOCK_FUA = 1,                  /* done when it is on stable storage */
    BLOCK_MAY_UNMAP = 2,            /* write_zeroes may free the range */
    BLOCK_COMPRESSED = 4,           /* write: store compressed, or fail with -ENOTSUP */
    BLOCK_NO_FALLBACK = 8,          /* write_zeroes: -ENOTSUP rather than slowly */
    BLOCK_UNCHANGED = 16,           /* write: no data changes for readers */
};

/* Flags of opening. */
enum {
    BLOCK_OPEN_NO_BACKING = 1,      /* do not open the backing file */
    BLOCK_OPEN_NO_IO = 2,           /* metadata only: no key is needed, extents may be missing */
    BLOCK_OPEN_CHECK = 4,           /* for check: open what is corrupt */
    BLOCK_OPEN_FORCE_SHARE = 8,     /* other processes may write; implies read-only */
    BLOCK_OPEN_BLOCKDEV = 16,       /* strict: the driver must be named, options are checked by type */
    BLOCK_OPEN_AUTO_READ_ONLY = 32,
    BLOCK_OPEN_QUIET = 64,          /* no warning when the format is guessed */
    BLOCK_OPEN_READ_ONLY = 128,
    BLOCK_OPEN_RESIZE = 256,        /* (edges of users) reserved */
    BLOCK_OPEN_NATIVE_AIO = 512,    /* files without aio= of their own use this engine */
    BLOCK_OPEN_IO_URING = 1024,
};

typedef enum BlockPrealloc {
    PREALLOC_OFF, PREALLOC_METADATA, PREALLOC_FALLOC, PREALLOC_FULL,
} BlockPrealloc;

/* A user of a node: a parent node, or (parent NULL) something outside of the graph. */
struct BlockEdge {
    BlockNode *parent, *node;
    char *name;                     /* "file", "backing", "data-file", "children.0", "root" */
    const char *user;               /* for messages, when there is no parent: "a block device" */
    unsigned role;
    unsigned perm, shared;          /* in force */
    unsigned new_perm, new_shared;  /* while a change is tried */
    /* The node below was replaced (parent NULL); may be NULL. */
    void (*moved)(BlockEdge *e);
    struct EventLoop *loop;         /* where a device (parent NULL) works; NULL: the main loop */
    void *opaque;
};

struct BlockNode {
    const BlockDriver *driver;
    char *name;                     /* node-name, made up ("#block123") when none was given */
    bool named;                     /* by the user: lives until blockdev-del */
    unsigned refs;
    GPtrArray *children, *parents;  /* BlockEdge; never NULL */
    BlockNode *file;                /* the child "file" or, of a filter, the one it filters; may be NULL */
    BlockNode *backing;             /* the child with BLOCK_ROLE_COW; may be NULL */
    char *filename;                 /* for messages; never NULL after open. Of queries: block_node_filename */
    char *backing_file;             /* the header's text; NULL: none */
    char *backing_format;           /* the header's; NULL: not said */
    struct json_object *options;    /* as given, nested */
    unsigned open_flags;
    bool read_only;
    bool inactive;                  /* the image is another process's for now: see block_start_inactive */
    struct json_object *own_options; /* what open() got, of drivers with activate(); else NULL */
    bool direct, no_flush;          /* cache.direct, cache.no-flush */
    bool unmap;                     /* discard=unmap; else discards are ignored */
    int detect_zeroes;              /* 0 off, 1 on, 2 unmap */
    bool probed;                    /* raw because nothing else was found: block 0 is protected */
    bool encrypted;
    bool implicit;                  /* a job's filter without a name: queries of devices show what lies below */
    /* Set by open(), for requests: */
    uint64_t length;                /* bytes */
    uint32_t align;                 /* requests that are not multiples are widened; 1: any */
    uint32_t max_transfer;          /* bytes per read or write; 0: any */
    uint32_t zero_align;            /* write_zeroes and discard are efficient in multiples; 0: of align */
    CoMutex widen_lock;             /* one read-modify-write at a time */
    uint64_t write_high;            /* end of the highest write */
    uint64_t discards[2], discarded;    /* that went well and that failed; bytes of the former */
    uint64_t write_threshold;       /* BLOCK_WRITE_THRESHOLD is sent when a write gets beyond; 0: never */
    BlockWatcher *watchers;
    GPtrArray *bitmaps;             /* DirtyBitmap; NULL: none */
    struct Object *iothread;        /* where jobs and exports work; NULL: where its device does */
    const char *job;                /* id of the job that owns the node for now; NULL: none */
    void *state;                    /* the driver's */
};

/* ---- finding and opening ---- */

/* " (did you mean 'X'?)" for a name that is no driver's, or "". New string. */
char *block_driver_suggestion(const char *name);
const BlockDriver *block_driver_find(const char *name);
void block_driver_foreach(void (*fn)(const BlockDriver *d, void *opaque), void *opaque);
/* The format that the first bytes of an image show ("qcow2"), "raw" when none is known. */
const char *block_probe(const uint8_t *head, size_t len);
/* The same with the file's name, for formats that show only there. */
const BlockDriver *block_probe_named(const uint8_t *head, size_t len, const char *filename);
#define BLOCK_PROBE_BYTES 2048
/* Bytes at the start of a guessed raw disk that a guest may not make look like a format. */
#define BLOCK_PROTECTED_BYTES 512

/*
 * Opens a node from nested options, as -blockdev has them (typed or texts): driver, node-name,
 * read-only, ..., and per child an object or the name of a node. One reference for the caller.
 * flags: BLOCK_OPEN_*. In or out of coroutines.
 */
BlockNode *block_open(struct json_object *opts, unsigned flags, GError **error);
/*
 * Opens an image by a name as people write it: a path, "proto:...", "json:{...}". format NULL:
 * probed. opts (may be NULL): more options, not consumed.
 */
BlockNode *block_open_image(const char *filename, const char *format, struct json_object *opts,
                            unsigned flags, GError **error);
/* The older form: flags BLOCKDEV, or AUTO_READ_ONLY. */
BlockNode *block_node_open(struct json_object *opts, bool blockdev, GError **error);
/*
 * What a user can open to see the same: n->filename, or "json:{...}" when that would not do. To be
 * freed.
 */
char *block_node_filename(BlockNode *n);
/* A new object with the options of the protocol that a name means ("driver", "filename", ...). */
struct json_object *block_filename_options(const char *filename, GError **error);
/* name as seen from the image `base`: relative paths count from its folder. New string. */
char *block_resolve_relative(const char *base, const char *name);
BlockNode *block_node_ref(BlockNode *n);
/* NULL is fine. The last one closes it. */
void block_node_unref(BlockNode *n);
BlockNode *block_node_find(const char *name);
/*
 * Turns a read-only node that has no reason of its own to be so (a backing file) writable; and
 * back.
 */
bool block_make_writable(BlockNode *n, GError **error);
bool block_make_read_only(BlockNode *n, GError **error);
/* By the name of a node or of a drive ("device"); NULL + error. */
BlockNode *block_node_or_device(const char *name, GError **error);
void block_node_foreach(void (*fn)(BlockNode *n, void *opaque), void *opaque);
/* As lists of nodes show them. */
void block_node_foreach_newest(void (*fn)(BlockNode *n, void *opaque), void *opaque);
/* Nodes that live by their name (-blockdev) are held by the graph itself. */
void block_node_keep(BlockNode *n);
bool block_node_delete(const char *name, GError **error);
/* A new node of an internal kind, above `below` (child "file"), with no options. For jobs. */
BlockNode *block_node_insert(const BlockDriver *d, const char *name, BlockNode *below,
                             GError **error);

/*
 * The loop in which jobs and exports of n work: of the iothread that was chosen for it, else of the
 * device that uses it, else the main one.
 */
struct EventLoop *block_node_loop(const BlockNode *n);
/* An object of type iothread, or NULL. Takes a reference of its own. */
void block_node_set_iothread(BlockNode *n, struct Object *iothread);

/* ---- edges and permissions ---- */

/*
 * Adds a user outside of the graph, holding a reference to n. user is a constant such as
 * "block device". NULL + error when the permissions clash or a file is locked.
 */
BlockEdge *block_attach(BlockNode *n, const char *user, unsigned perm, unsigned shared,
                        GError **error);
bool block_edge_set_perm(BlockEdge *e, unsigned perm, unsigned shared, GError **error);
void block_detach(BlockEdge *e);
/* Makes a node a child of another; for drivers in open(). Takes over the reference of `child`. */
bool block_child_attach(BlockNode *parent, BlockNode *child, const char *name, unsigned role,
                        GError **error);
void block_child_detach(BlockNode *parent, const char *name);
/* The child of that name, or NULL. */
BlockNode *block_child(const BlockNode *n, const char *name);
/* All users of `from` (but not `except` itself as parent) use `to` instead. Graph locked. */
bool block_replace_node(BlockNode *from, BlockNode *to, const BlockNode *except, GError **error);
/* Replaces the backing child (NULL: none). Graph locked. */
bool block_set_backing(BlockNode *n, BlockNode *backing, GError **error);
/* The first node below filters; n itself when it is none. */
BlockNode *block_skip_filters(BlockNode *n);
/* The same for filters that the user did not ask for. */
BlockNode *block_skip_implicit(BlockNode *n);
/* The data's next layer: backing of a format, child of a filter. */
BlockNode *block_below(const BlockNode *n);
bool block_chain_contains(const BlockNode *top, const BlockNode *n);

/*
 * The graph's lock. Users of the graph (fronts, jobs, exports) do each of their requests between
 * co_graph_enter/leave; who changes the graph waits for all of them and lets no new ones in.
 * block_graph_lock nests, also outside of coroutines (the main loop iterates).
 */
void co_graph_enter(void);
void graph_leave(void);
void block_graph_lock(void);
void block_graph_unlock(void);

/* ---- I/O ---- */

/*
 * Any alignment. Reads beyond the end give zeroes; writes beyond it extend nodes whose driver
 * says `grows`, and fail elsewhere: who hands on a user's range checks it with block_in_range.
 */
bool block_in_range(const BlockNode *n, uint64_t offset, uint64_t bytes);
int co_block_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                    unsigned niov);
int co_block_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                     unsigned niov, unsigned flags);
int co_block_pread(BlockNode *n, uint64_t offset, void *buf, size_t bytes);
int co_block_pwrite(BlockNode *n, uint64_t offset, const void *buf, size_t bytes, unsigned flags);
/*
 * Copies a range that lies in one piece at both sides without reading it into memory: 0, -errno, or
 * -ENOTSUP when nothing was done and the caller is to read and write.
 */
int co_block_copy_range(BlockNode *from, uint64_t from_offset, BlockNode *to, uint64_t offset,
                        uint64_t bytes);
int co_block_flush(BlockNode *n);
/* Does nothing without discard=unmap. */
int co_block_discard(BlockNode *n, uint64_t offset, uint64_t bytes);
int co_block_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags);
bool co_block_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error);
/* Asks the protocol for its length again (a file may have grown). */
/* co_change_backing from anywhere. */
bool block_change_backing(BlockNode *n, const char *file, const char *format, GError **error);
bool block_refresh_length(BlockNode *n, GError **error);

/* Where a range's data is. */
enum {
    BLOCK_STATUS_DATA = 1,          /* reads come from this layer's data */
    BLOCK_STATUS_ZERO = 2,          /* reads as zeroes */
    BLOCK_STATUS_ALLOCATED = 4,     /* this layer decides what is read, not the backing file */
    BLOCK_STATUS_OFFSET = 8,        /* map, map_node are set: the bytes lie there as they are */
    BLOCK_STATUS_COMPRESSED = 16,
    BLOCK_STATUS_RECURSE = 32,      /* drivers: ask map_node at map for zeroes */
    BLOCK_STATUS_EOF = 64,          /* the range ends at the end of the node */
};
typedef struct BlockStatus {
    unsigned flags;
    uint64_t bytes;                 /* how far from the offset it is so; > 0 when asked for > 0 */
    uint64_t map;
    BlockNode *map_node;
    unsigned depth;                 /* of co_block_status_above: layers below top */
} BlockStatus;
/* Of this layer alone. want_zero false: may leave out slow searches for zeroes. */
int co_block_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero, BlockStatus *st);
/* Of the chain from top down to (not including) base; base NULL: all of it. */
int co_block_status_above(BlockNode *top, BlockNode *base, uint64_t offset, uint64_t bytes,
                          bool want_zero, BlockStatus *st);

/* In or out of coroutines: fn(opaque) runs in one; the main loop iterates until it has ended. */
void block_run(void (*co_fn)(void *opaque), void *opaque);
int block_pread(BlockNode *n, uint64_t offset, void *buf, size_t bytes);
int block_pwrite(BlockNode *n, uint64_t offset, const void *buf, size_t bytes, unsigned flags);
int block_flush_node(BlockNode *n);
bool block_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error);
/* Bytes allocated on the host by the node and its storage, -1: unknown. */
int64_t block_allocated(BlockNode *n);

/* ---- watching writes ---- */

/* Called in coroutines around each write, discard or zeroing of a node. */
struct BlockWatcher {
    BlockNode *node;
    BlockWatcher *next;
    /* Before it; an error fails the request. May be NULL. */
    int (*co_before)(BlockWatcher *w, uint64_t offset, uint64_t bytes);
    /* After it, also after failure; may be NULL. */
    void (*after)(BlockWatcher *w, uint64_t offset, uint64_t bytes);
    void *opaque;
};
void block_watch(BlockNode *n, BlockWatcher *w);
void block_unwatch(BlockWatcher *w);

/* ---- dirty bitmaps: block/bitmap.h; here what the core does for them ---- */
void block_bitmaps_resized(BlockNode *n);

/* ---- how drivers wait for the host ---- */

/* Runs fn(arg) in a worker thread, which holds no lock; returns what it returned. */
int co_in_worker(int (*fn)(void *arg), void *arg);
/*
 * Jobs that would only wait for each other in the kernel: one after the other, by one worker.
 * Zeroed at first; guarded by the workers' own lock.
 */
typedef struct JobLine {
    struct Job *head, *tail;
    bool busy;
} JobLine;
/* co_in_worker() behind the jobs of *line that are not done yet. NULL: any time. */
int co_in_worker_line(JobLine *line, int (*fn)(void *arg), void *arg);
/*
 * For programs that do one thing at a time: from now on co_in_worker() calls fn itself, and nothing
 * else runs meanwhile. Returns what was set before. Machine lock.
 */
bool workers_set_inline(bool on);

/* A way to do reads and writes of files. Rows in a linker section; threads are always there. */
typedef struct AioEngine {
    const char *name;           /* aio= */
    bool (*available)(void);
    /* Bytes transferred (perhaps short) or -errno. line: for threads (co_in_worker_line); may be NULL. */
    int64_t (*co_rw)(int fd, bool write, uint64_t offset, const struct iovec *iov, unsigned niov,
                     JobLine *line);
    int (*co_fdatasync)(int fd);
} AioEngine;
#define AIO_ENGINE(t) SECTION_ENTRY(aio_engines, const AioEngine *, t##_row, &t)
/* NULL when it is not there or the host does not allow it. */
const AioEngine *aio_engine_find(const char *name);

#endif
