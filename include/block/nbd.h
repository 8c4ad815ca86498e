// SPDX-License-Identifier: GPL-2.0-or-later
/* NBD servers and what they export. Machine lock. */
#ifndef BLOCK_NBD_H
#define BLOCK_NBD_H

#include "block/node.h"

typedef struct NbdServer NbdServer;
typedef struct NbdExport NbdExport;

typedef struct NbdExportOptions {
    const char *name, *description;     /* description NULL: none */
    bool writable, allocation_depth;
    const char *const *bitmaps;         /* names, NULL-terminated; NULL: none */
    uint64_t offset;                    /* of the node, where the export begins */
    bool growing;                       /* no offset: the node may change its length */
} NbdExportOptions;

/*
 * Takes over listen_fd. tls_creds NULL: no TLS; otherwise clients must use it,
 * and tls_authz (or NULL) says which ones may come. max 0: any number.
 */
NbdServer *nbd_server_new(int listen_fd, const char *tls_creds, const char *tls_authz,
                          unsigned max, GError **error);
/* A connection that somebody else has accepted. */
void nbd_server_add_client(NbdServer *s, int fd);
/* Ends all connections and waits for them; exports stay. */
void nbd_server_free(NbdServer *s);
unsigned nbd_server_clients(const NbdServer *s);
/* Called when a connection has ended, and `ever` when at least one got as far as an export. */
void nbd_server_on_close(NbdServer *s, void (*fn)(void *opaque, bool negotiated), void *opaque);

/* nbd-server-start with its arguments as an object of texts; the end of it and of its exports. */
struct json_object;
bool nbd_server_start_options(struct json_object *opts, GError **error);
void nbd_main_server_stop(void);

/* The server that `export` functions without one mean: of nbd-server-start. NULL: none. */
NbdServer *nbd_main_server(void);

/* Shows the node to clients; holds a reference. NULL + error. */
NbdExport *nbd_export_new(NbdServer *s, BlockNode *n, const NbdExportOptions *o, GError **error);
/* Clients of it are disconnected; waits for them. */
void nbd_export_free(NbdExport *e);
bool nbd_export_used(const NbdExport *e);

#endif
