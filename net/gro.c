// SPDX-License-Identifier: GPL-2.0-or-later
/* Contract: gro.h. Segments must agree in all of their headers but length, id, sequence and PSH. */
#include "gro.h"

#include "net/eth.h"
#include "util/bswap.h"
#include "util/checksum.h"

enum { TCP_PSH = 8, TCP_ACK = 0x10 };
#define GRO_MAX 65000u

void net_gro_init(NetGro *g)
{
    *g = (NetGro){ .buf = g_malloc(NET_MAX_FRAME) };
}

void net_gro_free(NetGro *g)
{
    g_clear_pointer(&g->buf, g_free);
}

bool net_gro_flush(NetGro *g, NetClient *c)
{
    NetOffload o = { .valid = true };
    size_t len = g->len;
    uint8_t *f = g->buf;

    if (len == 0) {
        return true;
    }
    g->len = 0;
    if (g->count > 1) {
        eth_offload_tso(f, len, g->segment, &o);
        o.valid = true;
    }
    return net_send_offload(c, f, len, &o);
}

/* A segment with data and nothing but ACK and PSH set: it may be part of more. */
static bool mergeable(const uint8_t *f, size_t len, const EthLayout *l)
{
    uint16_t total = l->ip4 ? load_be16(f + l->l3 + 2) : load_be16(f + l->l3 + 4) + 40;

    return l->tcp && !l->fragment && l->payload < len && total == len - l->l3 &&
           l->l3 == ETH_HEADER && (f[l->l4 + 13] & ~TCP_PSH) == TCP_ACK;
}

static bool continues(const NetGro *g, const uint8_t *f, size_t len, const EthLayout *l)
{
    const uint8_t *b = g->buf;

    if (g->ip4 != l->ip4 || g->l4 != l->l4 || g->payload != l->payload ||
        memcmp(b, f, ETH_HEADER) != 0) {
        return false;
    }
    if (load_be32(f + l->l4 + 4) != g->next_seq || len - l->payload > g->segment ||
        g->len + len > GRO_MAX || (g->len - g->payload) % g->segment != 0 ||
        (b[g->l4 + 13] & TCP_PSH)) {
        return false;
    }
    if (l->ip4 ? memcmp(b + g->l3, f + l->l3, 2) != 0 ||
                     memcmp(b + g->l3 + 8, f + l->l3 + 8, 2) != 0 ||
                     memcmp(b + g->l3 + 12, f + l->l3 + 12, 8) != 0
               : memcmp(b + g->l3, f + l->l3, 4) != 0 ||
                     memcmp(b + g->l3 + 6, f + l->l3 + 6, 34) != 0) {
        return false;
    }
    /* ports, acknowledgement, window, options */
    return memcmp(b + g->l4, f + l->l4, 4) == 0 && memcmp(b + g->l4 + 8, f + l->l4 + 8, 5) == 0 &&
           memcmp(b + g->l4 + 14, f + l->l4 + 14, 2) == 0 &&
           memcmp(b + g->l4 + 18, f + l->l4 + 18, l->payload - l->l4 - 18) == 0;
}

bool net_gro_send(NetGro *g, NetClient *c, const uint8_t *frame, size_t len)
{
    NetClient *to = c->peer;
    unsigned takes = to && to->ops->takes ? to->ops->takes(to) : 0;
    EthLayout l;
    bool sent = true;

    if (!(takes & (NET_TAKES_TCP4 | NET_TAKES_TCP6)) || !eth_parse(frame, len, &l) ||
        !mergeable(frame, len, &l) || !(takes & (l.ip4 ? NET_TAKES_TCP4 : NET_TAKES_TCP6))) {
        sent = net_gro_flush(g, c);
        return net_send_valid(c, frame, len) && sent;
    }
    if (g->len && continues(g, frame, len, &l)) {
        memcpy(g->buf + g->len, frame + l.payload, len - l.payload);
        g->len += len - l.payload;
        g->next_seq += (uint32_t)(len - l.payload);
        g->buf[g->l4 + 13] |= frame[l.l4 + 13] & TCP_PSH;
        g->count++;
        return true;
    }
    sent = net_gro_flush(g, c);
    memcpy(g->buf, frame, len);
    g->len = len;
    g->l3 = l.l3;
    g->l4 = l.l4;
    g->payload = l.payload;
    g->segment = (uint16_t)(len - l.payload);
    g->ip4 = l.ip4;
    g->next_seq = load_be32(frame + l.l4 + 4) + (uint32_t)(len - l.payload);
    g->count = 1;
    return sent;
}
