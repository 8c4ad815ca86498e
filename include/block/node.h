// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The block graph from inside: nodes, drivers, and I/O in coroutines. Devices and commands use
 * block/block.h. A node has one driver and, unless it is a protocol, a child `file`. Everything
 * here runs with the machine lock held.
 */
#ifndef BLOCK_NODE_H
#define BLOCK_NODE_H

#include <sys/uio.h>
#include "block/block.h"
#include "qapi/keyval.h"
#include "util/coroutine.h"

struct json_object;
typedef struct BlockDriver BlockDriver;

/* What a user of a node does, and lets others do, with it. */
enum { BLOCK_PERM_READ = 1, BLOCK_PERM_WRITE = 2, BLOCK_PERM_ALL = 3 };

enum {
    BLOCK_FUA = 1,              /* done when it is on stable storage */
    BLOCK_MAY_UNMAP = 2,        /* write_zeroes may free the range */
};

struct BlockNode {
    const BlockDriver *driver;
    char *name;                 /* node-name, made up ("#block123") when none was given */
    bool named;                 /* by the user: visible to other options */
    unsigned refs;
    BlockNode *file;            /* child; NULL for protocols */
    char *filename;             /* for messages and queries; never NULL */
    bool read_only;
    bool direct, no_flush;      /* cache.direct, cache.no-flush */
    bool unmap;                 /* discard=unmap; else discards are ignored */
    int detect_zeroes;          /* 0 off, 1 on, 2 unmap */
    bool probed;                /* raw because nothing else was found: block 0 is protected */
    uint64_t length;            /* bytes */
    uint32_t align;             /* requests that are not multiples are widened; 1: any */
    CoMutex widen_lock;         /* one read-modify-write at a time */
    unsigned front_reads, front_writes;    /* users with these permissions */
    uint64_t write_high;        /* end of the highest write */
    void *state;                /* the driver's */
};

/*
 * co_ functions return 0 or -errno, transfer the whole range, and get offsets and lengths that
 * are multiples of the node's align and inside of its length. Reads beyond the end of a child give
 * zeroes. NULL co_discard: does nothing; NULL co_write_zeroes: written out; NULL co_flush: child's.
 */
struct BlockDriver {
    const char *name;
    const char *desc;
    bool protocol;              /* opens a place, not another node */
    bool overlay;               /* takes writes itself: the child is only read */
    const OptDesc *opts;        /* its own options, besides those of every node */
    size_t state_size;
    /* The child is open already. Sets length and align. */
    bool (*open)(BlockNode *n, struct json_object *opts, GError **error);
    void (*close)(BlockNode *n);
    int (*co_preadv)(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                     unsigned niov);
    int (*co_pwritev)(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                      unsigned niov, unsigned flags);
    int (*co_flush)(BlockNode *n);
    int (*co_discard)(BlockNode *n, uint64_t offset, uint64_t bytes);
    int (*co_write_zeroes)(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags);
    /* Bytes allocated on the host, -1: unknown. */
    int64_t (*allocated)(BlockNode *n);
    /* What users do and what they let others do changed: locks; may be NULL. */
    bool (*set_perm)(BlockNode *n, unsigned perm, unsigned shared, GError **error);
};
#define BLOCK_DRIVER(t) SECTION_ENTRY(block_drivers, const BlockDriver *, t##_row, &t)

const BlockDriver *block_driver_find(const char *name);
void block_driver_foreach(void (*fn)(const BlockDriver *d, void *opaque), void *opaque);
/* The format that the first bytes of an image show ("qcow2"), "raw" when none is known. */
const char *block_probe(const uint8_t *head, size_t len);
#define BLOCK_PROBE_BYTES 512

/*
 * Opens a node from nested options, as -blockdev has them (typed or texts): driver, node-name,
 * read-only, ..., `file` an object or the name of a node. One reference for the caller. `blockdev`:
 * the driver must be named; otherwise the format is probed and a warning given.
 */
BlockNode *block_node_open(struct json_object *opts, bool blockdev, GError **error);
BlockNode *block_node_ref(BlockNode *n);
/* NULL is fine. The last one closes it. */
void block_node_unref(BlockNode *n);
BlockNode *block_node_find(const char *name);
void block_node_foreach(void (*fn)(BlockNode *n, void *opaque), void *opaque);
/* Adds a user of the node, or fails ("Block node is read-only", a lock of another process). */
bool block_node_use(BlockNode *n, bool write, GError **error);
void block_node_unuse(BlockNode *n, bool write);
/* Nodes that live by their name (-blockdev) are held by the graph itself. */
void block_node_keep(BlockNode *n);
bool block_node_delete(const char *name, GError **error);

/* I/O on any range within the length, of any alignment. */
int co_block_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                    unsigned niov);
int co_block_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                     unsigned niov, unsigned flags);
int co_block_pread(BlockNode *n, uint64_t offset, void *buf, size_t bytes);
int co_block_pwrite(BlockNode *n, uint64_t offset, const void *buf, size_t bytes, unsigned flags);
int co_block_flush(BlockNode *n);
int co_block_discard(BlockNode *n, uint64_t offset, uint64_t bytes);
int co_block_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags);

/* Reads outside of coroutines, at start-up: the main loop iterates until it is done. */
int block_pread(BlockNode *n, uint64_t offset, void *buf, size_t bytes);

/* ---- how drivers wait for the host ---- */

/* Runs fn(arg) in a worker thread, which holds no lock; returns what it returned. */
int co_in_worker(int (*fn)(void *arg), void *arg);

/* A way to do reads and writes of files. Rows in a linker section; threads are always there. */
typedef struct AioEngine {
    const char *name;           /* aio= */
    bool (*available)(void);
    /* Bytes transferred (perhaps short) or -errno. */
    int64_t (*co_rw)(int fd, bool write, uint64_t offset, const struct iovec *iov, unsigned niov);
    int (*co_fdatasync)(int fd);
} AioEngine;
#define AIO_ENGINE(t) SECTION_ENTRY(aio_engines, const AioEngine *, t##_row, &t)
/* NULL when it is not there or the host does not allow it. */
const AioEngine *aio_engine_find(const char *name);

#endif
