// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Receive side scaling and hash reports of the virtio network device (Virtual I/O Device 1.2,
 * 5.1.6.4.3, 5.1.6.5.7): the driver's key and table, the hash of a frame and the pair it goes to.
 * Left out: the types that look into IPv6 extension headers.
 */
#include "virtio-net.h"

enum {
    HASH_IP4 = 1,
    HASH_TCP4 = 2,
    HASH_UDP4 = 4,
    HASH_IP6 = 8,
    HASH_TCP6 = 16,
    HASH_UDP6 = 32
};
enum {
    RSS_HEADER = 8,
    HASH_HEADER = 12
};

/* The part of the two commands that is alike: a length and a key. */
static bool load_key(VirtioNet *s, VirtqElem *e, uint64_t at)
{
    uint8_t n, key[VIRTIO_NET_RSS_KEY] = {0};

    if (virtq_read(&s->v, e, at, &n, 1) != 1 || n > VIRTIO_NET_RSS_KEY ||
        virtq_read(&s->v, e, at + 1, key, n) != n) {
        return false;
    }
    memcpy(s->rss.key, key, sizeof(key));
    return true;
}

static bool types_ok(uint32_t types)
{
    return !(types & ~VIRTIO_NET_HASH_TYPES);
}

/* struct virtio_net_rss_config behind the command's two bytes. */
bool virtio_net_rss_config(VirtioNet *s, VirtqElem *e)
{
    uint8_t c[RSS_HEADER], table[2 * VIRTIO_NET_RSS_TABLE], pairs[2];
    uint64_t at = 2 + RSS_HEADER;

    if (!virtio_has(&s->v, NET_F_RSS) || virtq_read(&s->v, e, 2, c, sizeof(c)) != sizeof(c)) {
        return false;
    }
    uint32_t types = load_le32(c), entries = load_le16(c + 4) + 1u;
    uint16_t unclassified = load_le16(c + 6);

    if (!types_ok(types) || entries > VIRTIO_NET_RSS_TABLE || (entries & (entries - 1)) ||
        virtq_read(&s->v, e, at, table, 2ull * entries) != 2ull * entries ||
        virtq_read(&s->v, e, at + 2ull * entries, pairs, 2) != 2) {
        return false;
    }
    uint16_t used = load_le16(pairs);

    if (used == 0 || used > s->max_pairs || unclassified >= s->max_pairs) {
        return false;
    }
    for (unsigned i = 0; i < entries; i++) {
        if (load_le16(table + 2 * i) >= s->max_pairs) {
            return false;
        }
    }
    if (!load_key(s, e, at + 2ull * entries + 2)) {
        return false;
    }
    for (unsigned i = 0; i < entries; i++) {
        s->rss.table[i] = load_le16(table + 2 * i);
    }
    s->rss.types = types;
    s->rss.mask = (uint16_t)(entries - 1);
    s->rss.unclassified = unclassified;
    s->rss.steers = true;
    s->pairs = used;
    return true;
}

/* struct virtio_net_hash_config: reports only. */
bool virtio_net_hash_config(VirtioNet *s, VirtqElem *e)
{
    uint8_t c[HASH_HEADER];

    if (!virtio_has(&s->v, NET_F_HASH_REPORT) ||
        virtq_read(&s->v, e, 2, c, sizeof(c)) != sizeof(c) || !types_ok(load_le32(c)) ||
        !load_key(s, e, 2 + HASH_HEADER)) {
        return false;
    }
    s->rss.types = load_le32(c);
    s->rss.steers = false;
    return true;
}

/* 5.1.6.4.3.1: the most telling type that is on. */
static unsigned hash_type(uint32_t types, const EthLayout *l)
{
    bool ports = !l->fragment;

    if (l->tcp && ports && (types & (l->ip4 ? HASH_TCP4 : HASH_TCP6))) {
        return l->ip4 ? HASH_TCP4 : HASH_TCP6;
    }
    if (l->udp && ports && (types & (l->ip4 ? HASH_UDP4 : HASH_UDP6))) {
        return l->ip4 ? HASH_UDP4 : HASH_UDP6;
    }
    return types & (l->ip4 ? HASH_IP4 : HASH_IP6);
}

unsigned virtio_net_rss_hash(const VirtioNet *s, const uint8_t *frame, size_t len, uint32_t *hash)
{
    uint8_t input[36];
    EthLayout l;

    *hash = 0;
    if (!s->rss.types || !eth_parse(frame, len, &l)) {
        return 0;
    }
    unsigned type = hash_type(s->rss.types, &l);
    size_t n = l.ip4 ? 8 : 32;

    if (type == 0) {
        return 0;
    }
    memcpy(input, frame + l.l3 + (l.ip4 ? 12 : 8), n);
    if (type != HASH_IP4 && type != HASH_IP6) {
        memcpy(input + n, frame + l.l4, 4);
        n += 4;
    }
    *hash = eth_toeplitz(s->rss.key, input, n);
    return (unsigned)__builtin_ctz(type) + 1;
}

unsigned virtio_net_rss_pair(const VirtioNet *s, unsigned report, uint32_t hash)
{
    return report ? s->rss.table[hash & s->rss.mask] : s->rss.unclassified;
}

void virtio_net_rss_reset(VirtioNet *s)
{
    memset(&s->rss, 0, sizeof(s->rss));
}

const StateField virtio_net_rss_state[] = {
    STATE(VirtioNetRss, steers),
    STATE(VirtioNetRss, types),
    STATE_MAX(VirtioNetRss, mask, VIRTIO_NET_RSS_TABLE - 1),
    STATE_MAX(VirtioNetRss, unclassified, VIRTIO_NET_PAIRS - 1),
    STATE_ARRAY_MAX(VirtioNetRss, table, VIRTIO_NET_PAIRS - 1),
    STATE_RAW(VirtioNetRss, key),
    STATE_END,
};
