// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ethernet frames as network cards treat them (IEEE 802.3, RFC 791, 793, 8200). Contract:
 * include/net/eth.h. Left out: IPv6 extension headers other than hop-by-hop, destination and
 * routing ones; UDP over IPv6 is not cut into fragments.
 */
#include "net/eth.h"

#include <zlib.h>

#include "util/bswap.h"
#include "util/checksum.h"

enum {
    IP_PROTO_HOP = 0,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_ROUTING = 43,
    IP_PROTO_FRAGMENT = 44,
    IP_PROTO_OPTIONS = 60 };
enum { TCP_FIN = 1, TCP_PSH = 8, TCP_CWR = 0x80 };
#define SEGMENT_MAX 16384u

const uint8_t eth_broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

size_t eth_pad(const uint8_t **frame, size_t len, uint8_t pad[ETH_MIN_FRAME])
{
    if (len >= ETH_MIN_FRAME) {
        return len;
    }
    memset(pad, 0, ETH_MIN_FRAME);
    memcpy(pad, *frame, len);
    *frame = pad;
    return ETH_MIN_FRAME;
}

uint32_t eth_fcs(const void *frame, size_t len)
{
    return (uint32_t)crc32(0, frame, (uInt)len);
}

uint32_t eth_hash_le(const uint8_t mac[6])
{
    return ~(uint32_t)crc32(0, mac, 6);
}

uint32_t eth_hash_be(const uint8_t mac[6])
{
    uint32_t le = eth_hash_le(mac), be = 0;

    for (unsigned i = 0; i < 32; i++) {
        be |= (le >> i & 1) << (31 - i);
    }
    return be;
}

/* IPv6: the protocol behind the extension headers, at *at; -1: cut short. */
static int ip6_protocol(const uint8_t *f, size_t len, size_t *at, bool *fragment)
{
    uint8_t next = f[*at + 6];

    *at += 40;
    for (unsigned i = 0; i < 8; i++) {
        size_t n;

        if (next != IP_PROTO_HOP && next != IP_PROTO_ROUTING && next != IP_PROTO_OPTIONS &&
            next != IP_PROTO_FRAGMENT) {
            return next;
        }
        if (*at + 8 > len) {
            return -1;
        }
        n = next == IP_PROTO_FRAGMENT ? 8 : 8u * (f[*at + 1] + 1u);
        *fragment |= next == IP_PROTO_FRAGMENT;
        next = f[*at];
        *at += n;
    }
    return -1;
}

bool eth_parse(const uint8_t *f, size_t len, EthLayout *l)
{
    size_t at = 12;
    uint16_t type;
    int protocol;

    *l = (EthLayout){ 0 };
    for (;;) {
        if (at + 2 > len) {
            return false;
        }
        type = load_be16(f + at);
        if (type != 0x8100 && type != 0x88a8) {
            break;
        }
        at += 4;
    }
    at += 2;
    l->l3 = (uint16_t)at;
    if (type == 0x0800 && at + 20 <= len && f[at] >> 4 == 4 && (f[at] & 15) >= 5) {
        l->ip4 = true;
        l->fragment = (load_be16(f + at + 6) & 0x3fff) != 0;
        protocol = f[at + 9];
        at += 4u * (f[at] & 15);
    } else if (type == 0x86dd && at + 40 <= len && f[at] >> 4 == 6) {
        l->ip6 = true;
        protocol = ip6_protocol(f, len, &at, &l->fragment);
    } else {
        return false;
    }
    l->l4 = (uint16_t)at;
    l->tcp = protocol == IP_PROTO_TCP && at + 20 <= len;
    l->udp = protocol == IP_PROTO_UDP && at + 8 <= len;
    if (l->tcp) {
        size_t header = 4u * (f[at + 12] >> 4);

        l->payload = (uint16_t)(at + header);
        l->tcp = header >= 20 && at + header <= len;
    } else {
        l->payload = (uint16_t)(at + 8);
    }
    return true;
}

uint32_t eth_pseudo_sum(const uint8_t *f, const EthLayout *l, size_t bytes)
{
    uint32_t sum = (uint32_t)bytes + (l->tcp ? IP_PROTO_TCP : IP_PROTO_UDP);

    return l->ip4 ? checksum_add(sum, f + l->l3 + 12, 8, false)
                  : checksum_add(sum, f + l->l3 + 8, 32, false);
}

/* Lengths and the IPv4 checksum for a frame of len bytes. */
static void set_ip_length(uint8_t *f, const EthLayout *l, size_t len)
{
    if (l->ip4) {
        store_be16(f + l->l3 + 2, (uint16_t)(len - l->l3));
        store_be16(f + l->l3 + 10, 0);
        store_be16(f + l->l3 + 10,
                   checksum_finish(checksum_add(0, f + l->l3, l->l4 - l->l3, false)));
    } else {
        store_be16(f + l->l3 + 4, (uint16_t)(len - l->l3 - 40));
    }
}

static uint16_t fold(uint32_t sum)
{
    return (uint16_t)~checksum_finish(sum);
}

bool eth_offload_tso(uint8_t *f, size_t len, uint16_t segment, NetOffload *o)
{
    EthLayout l;

    if (segment == 0 || len > NET_MAX_FRAME || !eth_parse(f, len, &l) || !l.tcp ||
        l.payload >= len || len - l.l3 > 65535) {
        return false;
    }
    set_ip_length(f, &l, len);
    store_be16(f + l.l4 + 16, fold(eth_pseudo_sum(f, &l, len - l.l4)));
    *o = (NetOffload){
        .checksum = true,
        .sum_start = l.l4,
        .sum_offset = 16,
        .gso = l.ip4 ? NET_GSO_TCP4 : NET_GSO_TCP6,
        .segment = segment,
    };
    return true;
}

void eth_fill_checksum(uint8_t *f, size_t len, const NetOffload *o)
{
    size_t start = o->sum_start;

    if (start < len && o->sum_offset <= len - start && len - start - o->sum_offset >= 2) {
        uint16_t sum = checksum_finish(checksum_add(0, f + start, len - start, false));

        /* UDP: 0 means that there is none */
        store_be16(f + start + o->sum_offset, o->sum_offset == 6 && sum == 0 ? 0xffff : sum);
    }
}

void eth_insert_checksums(uint8_t *frame, size_t len, bool ip)
{
    NetOffload o = {.checksum = true};
    EthLayout l;

    if (!eth_parse(frame, len, &l)) {
        return;
    }
    if (ip && l.ip4) {
        size_t header = (frame[l.l3] & 15u) * 4;

        if (header >= 20 && header <= len - l.l3) {
            store_be16(frame + l.l3 + 10, 0);
            store_be16(frame + l.l3 + 10,
                       checksum_finish(checksum_add(0, frame + l.l3, header, false)));
        }
    }
    if (l.fragment || !(l.tcp || l.udp)) {
        return;
    }
    o.sum_start = l.l4;
    o.sum_offset = l.tcp ? 16 : 6;
    if (l.l4 + o.sum_offset + 2u > len) {
        return;
    }
    size_t bytes =
        l.ip4 ? load_be16(frame + l.l3 + 2) - (size_t)(l.l4 - l.l3) : load_be16(frame + l.l3 + 4);

    if (bytes > len - l.l4) {
        return;
    }
    store_be16(frame + o.sum_start + o.sum_offset, fold(eth_pseudo_sum(frame, &l, bytes)));
    eth_fill_checksum(frame, l.l4 + bytes, &o);
}

static bool segment_tcp(const uint8_t *f, size_t len, const NetOffload *o, const EthLayout *l,
                        EthSegmentFn *fn, void *opaque)
{
    size_t payload = len - l->payload;
    uint32_t seq = load_be32(f + l->l4 + 4);
    uint16_t id = l->ip4 ? load_be16(f + l->l3 + 4) : 0;
    uint8_t flags = f[l->l4 + 13];
    g_autofree uint8_t *out = NULL;

    if (l->payload > SEGMENT_MAX || o->segment > SEGMENT_MAX) {
        return false;
    }
    out = g_malloc(2 * SEGMENT_MAX);
    for (size_t off = 0, n = 0; off < payload; off += o->segment, n++) {
        size_t part = MIN(o->segment, payload - off), size = l->payload + part;
        uint8_t *tcp = out + l->l4;

        memcpy(out, f, l->payload);
        memcpy(out + l->payload, f + l->payload + off, part);
        if (l->ip4) {
            store_be16(out + l->l3 + 4, (uint16_t)(id + n));
        }
        set_ip_length(out, l, size);
        store_be32(tcp + 4, (uint32_t)(seq + off));
        tcp[13] = flags & ~((off + part < payload ? TCP_FIN | TCP_PSH : 0) | (n ? TCP_CWR : 0));
        store_be16(tcp + 16, 0);
        store_be16(tcp + 16, checksum_finish(checksum_add(eth_pseudo_sum(out, l, size - l->l4), tcp,
                                                          size - l->l4, false)));
        fn(opaque, out, size);
    }
    return true;
}

/* A large datagram goes as IPv4 fragments, whose checksum is that of the whole. */
static bool segment_udp(const uint8_t *f, size_t len, const NetOffload *o, const EthLayout *l,
                        EthSegmentFn *fn, void *opaque)
{
    size_t bytes = len - l->l4, step = o->segment & ~7u;
    g_autofree uint8_t *whole = NULL, *out = NULL;

    if (!l->ip4 || step == 0 || step > SEGMENT_MAX) {
        return false;
    }
    whole = g_malloc(len);
    out = g_malloc(l->l4 + step);
    memcpy(whole, f, len);
    if (o->checksum) {
        eth_fill_checksum(whole, len, o);
    }
    memcpy(out, whole, l->l4);
    for (size_t off = 0; off < bytes; off += step) {
        size_t part = MIN(step, bytes - off);

        memcpy(out + l->l4, whole + l->l4 + off, part);
        store_be16(out + l->l3 + 6, (uint16_t)(off / 8 | (off + part < bytes ? 0x2000 : 0)));
        set_ip_length(out, l, l->l4 + part);
        fn(opaque, out, l->l4 + part);
    }
    return true;
}

bool eth_segment(const uint8_t *f, size_t len, const NetOffload *o, EthSegmentFn *fn, void *opaque)
{
    EthLayout l;

    if (o->segment == 0 || !eth_parse(f, len, &l)) {
        return false;
    }
    if (o->gso == NET_GSO_UDP) {
        return l.udp && segment_udp(f, len, o, &l, fn, opaque);
    }
    return l.tcp && segment_tcp(f, len, o, &l, fn, opaque);
}

uint32_t eth_toeplitz(const uint8_t *key, const uint8_t *data, size_t n)
{
    uint32_t window = load_be32(key), hash = 0;

    for (size_t i = 0; i < n; i++) {
        for (int bit = 7; bit >= 0; bit--) {
            if (data[i] >> bit & 1) {
                hash ^= window;
            }
            window = window << 1 | (key[i + 4] >> bit & 1);
        }
    }
    return hash;
}

/* ---- the virtio header ---- */

enum { VNET_NEEDS_CSUM = 1, VNET_DATA_VALID = 2 };
enum { VNET_TCP4 = 1, VNET_UDP = 3, VNET_TCP6 = 4, VNET_ECN = 0x80 };

void eth_vnet_store(uint8_t h[ETH_VNET_BYTES], const uint8_t *frame, const NetOffload *o)
{
    static const uint8_t kinds[] = { 0, VNET_TCP4, VNET_TCP6, VNET_UDP };

    memset(h, 0, ETH_VNET_BYTES);
    if (o->checksum) {
        h[0] = VNET_NEEDS_CSUM;
        store_le16(h + 6, o->sum_start);
        store_le16(h + 8, o->sum_offset);
    } else if (o->valid) {
        h[0] = VNET_DATA_VALID;
    }
    if (o->gso) {
        h[1] = kinds[o->gso] | (o->ecn ? VNET_ECN : 0);
        store_le16(h + 2, o->gso == NET_GSO_UDP
                              ? o->sum_start + 8
                              : o->sum_start + 4 * (frame[o->sum_start + 12] >> 4));
        store_le16(h + 4, o->segment);
    }
}

bool eth_vnet_load(const uint8_t h[ETH_VNET_BYTES], size_t len, NetOffload *o)
{
    *o = (NetOffload){ .valid = h[0] & VNET_DATA_VALID };
    if (h[0] & VNET_NEEDS_CSUM) {
        o->checksum = true;
        o->sum_start = load_le16(h + 6);
        o->sum_offset = load_le16(h + 8);
        if (o->sum_start >= len || o->sum_offset > len - o->sum_start ||
            len - o->sum_start - o->sum_offset < 2) {
            return false;
        }
    }
    switch (h[1] & ~VNET_ECN) {
    case 0:
        return true;
    case VNET_TCP4:
        o->gso = NET_GSO_TCP4;
        break;
    case VNET_TCP6:
        o->gso = NET_GSO_TCP6;
        break;
    case VNET_UDP:
        o->gso = NET_GSO_UDP;
        break;
    default:
        return false;
    }
    o->segment = load_le16(h + 4);
    o->ecn = h[1] & VNET_ECN;
    return o->checksum && o->segment && len - o->sum_start >= (o->gso == NET_GSO_UDP ? 8u : 20u);
}
