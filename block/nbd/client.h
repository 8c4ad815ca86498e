// SPDX-License-Identifier: GPL-2.0-or-later
/* NBD client: the connection's beginning, as the driver and qemu-nbd --list use it. */
#ifndef BLOCK_NBD_CLIENT_H
#define BLOCK_NBD_CLIENT_H

#include "block/channel.h"
#include "block/nbd/protocol.h"
#include "util/socket.h"

/* What a server said of an export. */
typedef struct NbdInfo {
    char *name, *description;
    uint64_t size;
    uint16_t flags;
    uint32_t min_block, preferred, max_block;   /* 0: not said */
    bool structured;
    bool has_context;           /* of block status */
    uint32_t context;
    GPtrArray *contexts;        /* names; of listing only */
} NbdInfo;

typedef struct NbdConnect {
    const char *export, *tls_creds, *tls_hostname;
    const char *context;        /* NULL: base:allocation */
    bool simple;                /* replies must be simple ones: the kernel knows no others */
} NbdConnect;

/* Handshake on a connected channel, for transmission of one export. */
bool co_nbd_client_handshake(CoChannel *c, const NbdConnect *how, NbdInfo *info, GError **error);
/* All exports, as an array of NbdInfo (free with nbd_info_clear); ends the session. */
GArray *co_nbd_client_list(CoChannel *c, const NbdConnect *how, GError **error);
void nbd_info_clear(NbdInfo *info);
/* socket_connect in a worker thread. */
CoChannel *co_nbd_client_connect(const SocketPlace *place, GError **error);

#endif
