// SPDX-License-Identifier: GPL-2.0-or-later
/* NBD server: what handshake and transmission share. */
#ifndef BLOCK_NBD_SERVER_H
#define BLOCK_NBD_SERVER_H

#include "block/channel.h"
#include "block/nbd.h"
#include "block/nbd/protocol.h"

/* Requests of a client at once. */
#define NBD_MAX_REQUESTS 16u
#define NBD_MAX_CONTEXTS 64u

struct NbdExport {
    NbdServer *server;
    BlockNode *node;
    BlockEdge *edge;
    char *name, *description;
    bool writable, allocation_depth;
    GPtrArray *bitmaps;         /* names */
    uint64_t offset, length;
    unsigned clients;
    bool closing;
};

struct NbdServer {
    int listen_fd;
    unsigned tag;               /* watch of listen_fd, 0: not now */
    char *tls_creds, *tls_authz;
    unsigned max;
    GPtrArray *exports, *clients;
    void (*on_close)(void *opaque, bool negotiated);
    void *opaque;
    bool closing;
};

/* Contexts of block status: 0 base:allocation, 1 qemu:allocation-depth, 2.. bitmaps. */
enum { CONTEXT_ALLOCATION, CONTEXT_DEPTH, CONTEXT_BITMAPS };

typedef struct NbdClient {
    NbdServer *server;
    CoChannel *channel;
    NbdExport *export;          /* from the handshake's end on */
    bool tls, structured, no_zeroes, fixed;
    /* selected contexts, for one export */
    char *context_export;
    uint32_t contexts[NBD_MAX_CONTEXTS];
    unsigned num_contexts;
    unsigned requests;
    bool failed;                /* nothing more can be sent */
    CoMutex send_lock;
    CoQueue room;
} NbdClient;

/* True: c->export is set, and commands follow. */
bool co_nbd_handshake(NbdClient *c);
/* Until the connection ends; no request runs afterwards. */
void co_nbd_serve(NbdClient *c);
NbdExport *nbd_find_export(const NbdServer *s, const char *name);
uint16_t nbd_export_flags(const NbdClient *c, const NbdExport *e);
/* In the node or one below it; NULL + error. */
DirtyBitmap *nbd_find_bitmap(BlockNode *n, const char *name, GError **error);
/* Whether a stretch from offset on is dirty in a bitmap. */
int co_bitmap_extent(BlockNode *n, const char *name, uint64_t offset, uint64_t len, uint64_t *got,
                     uint32_t *flags);
/* Fills flags of extents of a context: returns the number, at most max. 0: failure, *ret. */
unsigned co_nbd_extents(NbdExport *e, uint32_t context, uint64_t offset, uint32_t len,
                        uint32_t *out, unsigned max, int *ret);

#endif
