// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Puts TCP segments that follow each other together into one large frame, for a NIC that takes
 * such (a driver's work is by frame, not by byte). The source's checksums are known to be right.
 */
#ifndef NET_GRO_H
#define NET_GRO_H

#include "net/net.h"

typedef struct NetGro {
    uint8_t *buf;               /* the frame so far */
    size_t len;                 /* 0: none */
    uint32_t next_seq;
    uint16_t l3, l4, payload, segment;
    unsigned count;
    bool ip4;
} NetGro;

void net_gro_init(NetGro *g);
void net_gro_free(NetGro *g);
/* A frame from c; it is sent now or with those that follow. False: the peer's queue is full. */
bool net_gro_send(NetGro *g, NetClient *c, const uint8_t *frame, size_t len);
/* Sends what is held. To be called whenever no more frames are at hand. */
bool net_gro_flush(NetGro *g, NetClient *c);

#endif
