// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMware's paravirtual network card, version 3, as its Linux driver's header describes it: up to
 * eight transmit and sixteen receive queues, checksum and segmentation offload, VLAN tags,
 * multicast filters, receive side scaling, 25 interrupts by MSI-X, MSI or INTx. Left out: LRO,
 * wake-up, moderation levels, data rings of receive queues, versions after 1.
 */
#include <inttypes.h>

#include "hw/net/nic.h"
#include "hw/pci/pci.h"
#include "util/error.h"
#include "util/main-loop.h"

#define VECTORS 25
#define TX_QUEUES 8
#define RX_QUEUES 16
#define QUEUE_DESC 256u
#define RING_MAX 4096u
#define MAGIC 0xbabefee1u
#define MULTICAST_MAX 256u
#define TX_BURST 1024

/* Offsets in the memory that driver and device share. */
enum {
    SH_FEATURES = 24,
    SH_QUEUES = 40,
    SH_MTU = 56,
    SH_NUM_TX = 62,
    SH_NUM_RX = 63,
    SH_AUTOMASK = 80,
    SH_EVENT_INTR = 82,
    SH_RX_MODE = 120,
    SH_MULTICAST_LEN = 124,
    SH_MULTICAST = 128,
    SH_VLANS = 136,
    SH_RSS_LEN = 652,
    SH_RSS = 656,
    SH_EVENTS = 696,
    SH_SIZE = 700
};
/* ... and in a queue's descriptor. */
enum {
    Q_RING = 16,
    Q_RING2 = 24,
    Q_TX_COMP = 32,
    Q_RX_COMP = 32,
    Q_TX_SIZE = 56,
    Q_TX_COMP_SIZE = 64,
    Q_RX_SIZE = 56,
    Q_RX_COMP_SIZE = 64,
    Q_INTR = 72,
    Q_STOPPED = 80,
    Q_STATS = 88 };
enum {
    CMD_ACTIVATE = 0xcafe0000,
    CMD_QUIESCE,
    CMD_RESET,
    CMD_RX_MODE,
    CMD_MAC_FILTERS,
    CMD_VLAN_FILTERS,
    CMD_RSS_TABLE,
    CMD_FEATURE = 0xcafe0009,
    CMD_QUEUE_STATUS = 0xf00d0000,
    CMD_STATS,
    CMD_LINK,
    CMD_MAC_LO,
    CMD_MAC_HI,
    CMD_DID_LO,
    CMD_DID_HI,
    CMD_EXTRA,
    CMD_INTR
};
enum { FEATURE_RXCSUM = 1, FEATURE_RSS = 2, FEATURE_RXVLAN = 4, EVENT_LINK = 4 };
enum { MODE_UCAST = 1, MODE_MCAST = 2, MODE_BCAST = 4, MODE_ALL_MULTI = 8, MODE_PROMISC = 16 };
enum {
    TX_GEN = 1 << 14,
    TX_EOP = 1 << 12,
    TX_CQ = 1 << 13,
    TX_TAG = 1 << 15,
    OM_CSUM = 2,
    OM_TSO = 3
};
enum { RX_BODY = 1 << 14, RXC_EOP = 1 << 14, RXC_SOP = 1 << 15, RXC_TAG = 1 << 15, COMP_RX = 3 };
#define RX_GEN (1u << 31)
#define RXC_UNCHECKED (1u << 30)
#define COMP_GEN (1u << 31)

typedef struct Ring {
    uint64_t base;
    uint32_t size, next;       /* entries of 16 bytes; next: ours */
    bool gen;
} Ring;

typedef struct TxQueue {
    Ring ring, comp;
    uint8_t intr;
    uint64_t packets;
} TxQueue;

typedef struct RxQueue {
    Ring ring[2], comp;
    uint8_t intr;
    uint64_t packets;
} RxQueue;

enum { RSS_IP4 = 1, RSS_TCP4 = 2, RSS_IP6 = 4, RSS_TCP6 = 8 };
#define RSS_KEY 40
#define RSS_TABLE 128
#define RSS_HEADER 8
typedef struct RxScale {
    uint16_t types, entries;         /* entries 0: off */
    uint8_t key[RSS_KEY], table[RSS_TABLE];
} RxScale;

typedef struct Vmxnet3 {
    PciDevice pci;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex;
    NetClient nic;
    Bh *kick_bh;
    uint32_t kicks;                  /* transmit queues with something new */
    /* registers */
    uint32_t vrrs, uvrs, dsal, dsah, result, macl, mach;
    bool active, automask;
    uint8_t num_tx, num_rx, event_intr;
    uint32_t features, rx_mode, num_multicast;
    uint8_t multicast[MULTICAST_MAX][6];
    uint32_t vlans[128];
    uint32_t masked, pending;        /* by interrupt */
    TxQueue tx[TX_QUEUES];
    RxQueue rx[RX_QUEUES];
    RxScale scale;
    uint32_t tx_len;
    uint8_t tx_buf[NET_MAX_FRAME];
} Vmxnet3;

static uint64_t shared_base(const Vmxnet3 *s)
{
    return (uint64_t)s->dsah << 32 | s->dsal;
}

static uint64_t shared(Vmxnet3 *s, unsigned offset, unsigned size)
{
    return dma_load(&s->pci.dev, shared_base(s) + offset, size, DEV_LITTLE, NULL);
}

/* ---- interrupts ---- */

static void update_irq(Vmxnet3 *s)
{
    uint32_t ready = s->pending & ~s->masked;
    bool messages = pci_msix_enabled(&s->pci) || pci_msi_enabled(&s->pci);

    if (!messages) {
        pci_set_irq(&s->pci, ready != 0);
        return;
    }
    for (unsigned i = 0; ready >> i; i++) {
        if (!(ready >> i & 1)) {
            continue;
        }
        s->pending &= ~(1u << i);
        if (s->automask) {
            s->masked |= 1u << i;
        }
        if (pci_msix_enabled(&s->pci)) {
            pci_msix_notify(&s->pci, i);
        } else {
            pci_msi_notify(&s->pci, 0);
        }
    }
}

static void raise_irq(Vmxnet3 *s, unsigned n)
{
    s->pending |= 1u << n;
    update_irq(s);
}

static uint64_t read_icr(Device *d, const RegAccess *a)
{
    Vmxnet3 *s = (Vmxnet3 *)d;
    uint32_t v = s->pending & ~s->masked;

    if (!pci_msix_enabled(&s->pci) && !pci_msi_enabled(&s->pci)) {
        s->pending &= ~v;
        if (s->automask) {
            s->masked |= v;
        }
        update_irq(s);
    }
    return v != 0;
}

static void raise_event(Vmxnet3 *s, uint32_t event)
{
    if (s->active) {
        uint32_t events = (uint32_t)shared(s, SH_EVENTS, 4);

        dma_store(&s->pci.dev, shared_base(s) + SH_EVENTS, events | event, 4, DEV_LITTLE);
        raise_irq(s, s->event_intr);
    }
}

/* ---- rings ---- */

static bool ring_init(Ring *r, uint64_t base, uint32_t size, bool optional)
{
    *r = (Ring){ .base = base, .size = size, .gen = true };
    return size <= RING_MAX && (size > 0 || optional);
}

static void ring_advance(Ring *r)
{
    if (++r->next >= r->size) {
        r->next = 0;
        r->gen = !r->gen;
    }
}

static bool ring_load(Vmxnet3 *s, const Ring *r, uint8_t d[16])
{
    return r->size && dma_read(&s->pci.dev, r->base + 16ull * r->next, d, 16);
}

/* An entry of a completion ring: the generation bit, which the driver looks at, goes last. */
static void comp_put(Vmxnet3 *s, Ring *r, uint32_t d[4])
{
    uint8_t raw[16];

    d[3] |= r->gen ? COMP_GEN : 0;
    for (unsigned i = 0; i < 4; i++) {
        store_le32(raw + 4 * i, d[i]);
    }
    dma_write(&s->pci.dev, r->base + 16ull * r->next, raw, 12);
    dma_write(&s->pci.dev, r->base + 16ull * r->next + 12, raw + 12, 4);
    ring_advance(r);
}

/* ---- receive ---- */

static bool rx_ready(Vmxnet3 *s, RxQueue *q)
{
    uint8_t d[16];

    return ring_load(s, &q->ring[0], d) && !!(load_le32(d + 8) & RX_GEN) == q->ring[0].gen;
}

static bool can_receive(NetClient *c)
{
    Vmxnet3 *s = c->opaque;

    return s->active && rx_ready(s, &s->rx[0]);
}

static bool wanted(const Vmxnet3 *s, const uint8_t *f, size_t len)
{
    uint8_t mac[6];

    if (s->rx_mode & MODE_PROMISC) {
        return true;
    }
    if (len >= 16 && load_be16(f + 12) == 0x8100) {
        unsigned id = load_be16(f + 14) & 0xfff;

        if (!(s->vlans[id / 32] & 1u << (id & 31))) {
            return false;
        }
    }
    if (eth_is_broadcast(f)) {
        return s->rx_mode & MODE_BCAST;
    }
    if (f[0] & 1) {
        for (unsigned i = 0; (s->rx_mode & MODE_MCAST) && i < s->num_multicast; i++) {
            if (memcmp(f, s->multicast[i], 6) == 0) {
                return true;
            }
        }
        return s->rx_mode & MODE_ALL_MULTI;
    }
    store_le32(mac, s->macl);
    store_le16(mac + 4, (uint16_t)s->mach);
    return (s->rx_mode & MODE_UCAST) && memcmp(f, mac, 6) == 0;
}

/*
 * The next buffer for a frame: heads come from the first ring, and what was meant as the rest of a
 * frame there is passed over; rests come from either.
 */
static Ring *rx_buffer(Vmxnet3 *s, RxQueue *q, bool head, uint8_t d[16])
{
    for (uint32_t n = 0; n < q->ring[0].size; n++) {
        Ring *r = &q->ring[0];

        if (!ring_load(s, r, d) || !!(load_le32(d + 8) & RX_GEN) != r->gen) {
            break;
        }
        if (!!(load_le32(d + 8) & RX_BODY) != head) {
            return r;
        }
        if (!head) {
            break;
        }
        ring_advance(r);
    }
    if (!head && ring_load(s, &q->ring[1], d) && !!(load_le32(d + 8) & RX_GEN) == q->ring[1].gen) {
        return &q->ring[1];
    }
    return NULL;
}

static uint32_t rx_checked(const Vmxnet3 *s, const uint8_t *f, size_t len, bool valid,
                           uint32_t *word0)
{
    EthLayout l;

    if (!eth_parse(f, len, &l)) {
        *word0 |= RXC_UNCHECKED;
        return 0;
    }
    uint32_t kind = (l.ip6 ? 1u << 20 : 0) | (l.ip4 ? 1u << 21 : 0) | (l.fragment ? 1u << 22 : 0) |
                    (l.udp ? 1u << 17 : 0) | (l.tcp ? 1u << 18 : 0);

    if (!valid || l.fragment || !(l.tcp || l.udp) || !(s->features & FEATURE_RXCSUM)) {
        *word0 |= RXC_UNCHECKED;
        return kind;
    }
    return kind | 1u << 16 | 1u << 19;
}

/* The queue of a frame; its hash and the completion's code for what was hashed (0: nothing). */
static unsigned rx_scale(const Vmxnet3 *s, const uint8_t *f, size_t len, uint32_t *type,
                         uint32_t *hash)
{
    uint8_t input[36];
    EthLayout l;

    *type = *hash = 0;
    if (!s->scale.entries || !eth_parse(f, len, &l)) {
        return 0;
    }
    bool tcp = l.tcp && !l.fragment && (s->scale.types & (l.ip4 ? RSS_TCP4 : RSS_TCP6));
    size_t n = l.ip4 ? 8 : 32;

    if (!tcp && !(s->scale.types & (l.ip4 ? RSS_IP4 : RSS_IP6))) {
        return 0;
    }
    memcpy(input, f + l.l3 + (l.ip4 ? 12 : 8), n);
    if (tcp) {
        memcpy(input + n, f + l.l4, 4);
        n += 4;
    }
    *type = (l.ip4 ? 1 : 3) + tcp;
    *hash = eth_toeplitz(s->scale.key, input, n);
    unsigned queue = s->scale.table[*hash % s->scale.entries];

    return queue < s->num_rx ? queue : 0;
}

static ssize_t rx_frame(Vmxnet3 *s, const uint8_t *frame, size_t len, bool valid)
{
    uint8_t flat[16384], d[16];
    uint32_t status0 = 0, tag = 0, type, hash;

    if (!can_receive(&s->nic)) {
        return 0;
    }
    if (len < ETH_HEADER || len > sizeof(flat) || !wanted(s, frame, len)) {
        return (ssize_t)len;
    }
    uint32_t status3 = rx_checked(s, frame, len, valid, &status0);
    unsigned queue = rx_scale(s, frame, len, &type, &hash);
    RxQueue *q = &s->rx[queue];

    if ((s->features & FEATURE_RXVLAN) && len >= 18 && load_be16(frame + 12) == 0x8100) {
        tag = RXC_TAG | (uint32_t)load_be16(frame + 14) << 16;
        memcpy(flat, frame, 12);
        memcpy(flat + 12, frame + 16, len - 16);
        frame = flat;
    }
    size_t total = tag ? len - 4 : len, off = 0;

    do {
        Ring *r = rx_buffer(s, q, off == 0, d);
        uint32_t room, part;

        if (!r) {
            return off ? (ssize_t)len : 0;
        }
        room = load_le32(d + 8) & 0x3fff;
        room = room ? room : 16384;
        part = (uint32_t)MIN(room, total - off);
        dma_write(&s->pci.dev, load_le64(d), frame + off, part);
        bool first = off == 0, last = off + part == total;
        uint32_t c[4] = {
            r->next | (last ? RXC_EOP : 0) | (first ? RXC_SOP : 0) |
                (queue + (r == &q->ring[1] ? s->num_rx : 0)) << 16 | type << 26 | status0,
            hash,
            part | (last ? tag : 0),
            (last ? status3 : 0) | COMP_RX << 24,
        };

        ring_advance(r);
        comp_put(s, &q->comp, c);
        off += part;
    } while (off < total);
    q->packets++;
    raise_irq(s, q->intr);
    return (ssize_t)len;
}

static ssize_t receive(NetClient *c, const uint8_t *frame, size_t len)
{
    return rx_frame(c->opaque, frame, len, false);
}

static ssize_t receive_offload(NetClient *c, const uint8_t *frame, size_t len, const NetOffload *o)
{
    return rx_frame(c->opaque, frame, len, o->valid);
}

/* ---- transmit ---- */

/* word2 and word3 are those of the frame's first descriptor. */
static void tx_packet(Vmxnet3 *s, uint32_t word2, uint32_t word3)
{
    unsigned mode = word3 >> 10 & 3, start = word3 & 0x3ff, value = word2 >> 18;
    uint8_t *f = s->tx_buf;
    NetOffload o = { 0 };

    if (s->tx_len < ETH_HEADER) {
        return;
    }
    if (mode == OM_CSUM && value >= start) {
        o = (NetOffload){.checksum = true,
                         .sum_start = (uint16_t)start,
                         .sum_offset = (uint16_t)(value - start)};
    }
    if ((word3 & TX_TAG) && s->tx_len + 4 <= sizeof(s->tx_buf)) {
        memmove(f + 16, f + 12, s->tx_len - 12);
        store_be16(f + 12, 0x8100);
        store_be16(f + 14, (uint16_t)(word3 >> 16));
        s->tx_len += 4;
        o.sum_start += o.checksum ? 4 : 0;
    }
    if (mode == OM_TSO && !eth_offload_tso(f, s->tx_len, (uint16_t)value, &o)) {
        guest_error("vmxnet3: frame to be cut is not TCP");
        return;
    }
    if (o.checksum && (o.sum_start >= s->tx_len || o.sum_offset + 2u > s->tx_len - o.sum_start)) {
        o.checksum = false;
    }
    net_send_offload(&s->nic, f, s->tx_len, &o);
}

static void tx_run(Vmxnet3 *s, TxQueue *q, unsigned n)
{
    uint32_t first2 = 0, first3 = 0;
    bool start = true, done = false;
    unsigned count = 0;

    s->tx_len = 0;
    for (;;) {
        uint8_t d[16];
        uint32_t len, word2, word3;

        if (!ring_load(s, &q->ring, d) || !!((word2 = load_le32(d + 8)) & TX_GEN) != q->ring.gen) {
            break;
        }
        word3 = load_le32(d + 12);
        len = word2 & 0x3fff;
        len = len ? len : 16384;
        if (start) {
            first2 = word2;
            first3 = word3;
            s->tx_len = 0;
            start = false;
        }
        if (len <= sizeof(s->tx_buf) - 4 - s->tx_len &&
            dma_read(&s->pci.dev, load_le64(d), s->tx_buf + s->tx_len, len)) {
            s->tx_len += len;
        } else {
            guest_error("vmxnet3: frame is too long or not in memory");
            s->tx_len = 0;
        }
        uint32_t index = q->ring.next;

        ring_advance(&q->ring);
        if (word3 & TX_EOP) {
            tx_packet(s, first2, first3);
            q->packets++;
            start = true;
        }
        if (word3 & TX_CQ) {
            uint32_t c[4] = { index };

            comp_put(s, &q->comp, c);
            done = true;
        }
        if (++count >= TX_BURST && start) {
            s->kicks |= 1u << n;
            bh_schedule(s->kick_bh);
            break;
        }
        if (count >= 2 * RING_MAX) {
            break;
        }
    }
    if (done) {
        raise_irq(s, q->intr);
    }
}

static void run_kicks(void *opaque)
{
    Vmxnet3 *s = opaque;
    uint32_t kicks = s->kicks;

    s->kicks = 0;
    for (unsigned i = 0; s->active && i < s->num_tx; i++) {
        if (kicks >> i & 1) {
            tx_run(s, &s->tx[i], i);
        }
    }
    net_ready(&s->nic);
}

/* ---- commands ---- */

static void load_filters(Vmxnet3 *s)
{
    uint32_t bytes = (uint32_t)shared(s, SH_MULTICAST_LEN, 2);
    uint64_t table = shared(s, SH_MULTICAST, 8);

    s->num_multicast = MIN(bytes / 6, MULTICAST_MAX);
    if (!dma_read(&s->pci.dev, table, s->multicast, s->num_multicast * 6)) {
        s->num_multicast = 0;
    }
}

static void load_vlans(Vmxnet3 *s)
{
    dma_read(&s->pci.dev, shared_base(s) + SH_VLANS, s->vlans, sizeof(s->vlans));
    for (unsigned i = 0; i < ARRAY_COUNT(s->vlans); i++) {
        s->vlans[i] = le32(s->vlans[i]);
    }
}

/* Types, function, sizes of key and table, key, table; what makes no sense switches it off. */
static void load_scale(Vmxnet3 *s)
{
    uint8_t c[RSS_HEADER + RSS_KEY + RSS_TABLE];
    uint64_t at = shared(s, SH_RSS, 8);

    memset(&s->scale, 0, sizeof(s->scale));
    if (!(s->features & FEATURE_RSS) || shared(s, SH_RSS_LEN, 4) < sizeof(c) ||
        !dma_read(&s->pci.dev, at, c, sizeof(c)) || load_le16(c + 4) > RSS_KEY) {
        return;
    }
    memcpy(s->scale.key, c + RSS_HEADER, load_le16(c + 4));
    memcpy(s->scale.table, c + RSS_HEADER + RSS_KEY, RSS_TABLE);
    s->scale.types = load_le16(c);
    s->scale.entries = MIN(load_le16(c + 6), RSS_TABLE);
}

static bool load_queues(Vmxnet3 *s)
{
    uint64_t at = shared(s, SH_QUEUES, 8);
    uint8_t d[QUEUE_DESC];
    bool good = true;

    for (unsigned i = 0; i < s->num_tx; i++, at += QUEUE_DESC) {
        TxQueue *q = &s->tx[i];

        good =
            good && dma_read(&s->pci.dev, at, d, sizeof(d)) &&
            ring_init(&q->ring, load_le64(d + Q_RING), load_le32(d + Q_TX_SIZE), false) &&
            ring_init(&q->comp, load_le64(d + Q_TX_COMP), load_le32(d + Q_TX_COMP_SIZE), false) &&
            d[Q_INTR] < VECTORS;
        q->intr = d[Q_INTR];
        q->packets = 0;
    }
    for (unsigned i = 0; i < s->num_rx && good; i++, at += QUEUE_DESC) {
        RxQueue *q = &s->rx[i];

        good =
            dma_read(&s->pci.dev, at, d, sizeof(d)) &&
            ring_init(&q->ring[0], load_le64(d + Q_RING), load_le32(d + Q_RX_SIZE), false) &&
            ring_init(&q->ring[1], load_le64(d + Q_RING2), load_le32(d + Q_RX_SIZE + 4), true) &&
            ring_init(&q->comp, load_le64(d + Q_RX_COMP), load_le32(d + Q_RX_COMP_SIZE), false) &&
            d[Q_INTR] < VECTORS;
        q->intr = d[Q_INTR];
        q->packets = 0;
    }
    return good;
}

static uint32_t activate(Vmxnet3 *s)
{
    bool ok;
    uint32_t magic = (uint32_t)dma_load(&s->pci.dev, shared_base(s), 4, DEV_LITTLE, &ok);

    if (!ok || magic != MAGIC) {
        guest_error("vmxnet3: no shared memory at %" PRIx64, shared_base(s));
        return 1;
    }
    s->features = (uint32_t)shared(s, SH_FEATURES, 8);
    s->num_tx = (uint8_t)shared(s, SH_NUM_TX, 1);
    s->num_rx = (uint8_t)shared(s, SH_NUM_RX, 1);
    s->automask = shared(s, SH_AUTOMASK, 1);
    s->event_intr = (uint8_t)shared(s, SH_EVENT_INTR, 1);
    s->rx_mode = (uint32_t)shared(s, SH_RX_MODE, 4);
    if (s->num_tx < 1 || s->num_tx > TX_QUEUES || s->num_rx < 1 || s->num_rx > RX_QUEUES ||
        s->event_intr >= VECTORS || !load_queues(s)) {
        guest_error("vmxnet3: bad configuration of queues");
        s->num_tx = s->num_rx = 0;
        return 1;
    }
    load_filters(s);
    load_vlans(s);
    load_scale(s);
    s->active = true;
    bh_schedule(s->kick_bh);
    return 0;
}

static void store_stats(Vmxnet3 *s)
{
    uint64_t at = shared(s, SH_QUEUES, 8);

    for (unsigned i = 0; i < (unsigned)s->num_tx + s->num_rx; i++, at += QUEUE_DESC) {
        uint64_t n = i < s->num_tx ? s->tx[i].packets : s->rx[i - s->num_tx].packets;

        dma_store(&s->pci.dev, at + Q_STATS + 16, n, 8, DEV_LITTLE);
        dma_store(&s->pci.dev, at + Q_STOPPED, 0, 8, DEV_LITTLE);
    }
}

static void quiesce(Vmxnet3 *s)
{
    s->active = false;
    s->kicks = 0;
    s->pending = 0;
    s->masked = UINT32_MAX;
    update_irq(s);
}

static void write_cmd(Device *d, const RegAccess *a)
{
    Vmxnet3 *s = (Vmxnet3 *)d;

    s->result = 0;
    switch (a->value) {
    case CMD_ACTIVATE:
        s->result = activate(s);
        break;
    case CMD_QUIESCE:
    case CMD_RESET:
        quiesce(s);
        break;
    case CMD_RX_MODE:
        s->rx_mode = (uint32_t)shared(s, SH_RX_MODE, 4);
        break;
    case CMD_MAC_FILTERS:
        load_filters(s);
        break;
    case CMD_VLAN_FILTERS:
        load_vlans(s);
        break;
    case CMD_FEATURE:
        s->features = (uint32_t)shared(s, SH_FEATURES, 8);
        load_scale(s);
        break;
    case CMD_RSS_TABLE:
        load_scale(s);
        break;
    case CMD_QUEUE_STATUS:
    case CMD_STATS:
        store_stats(s);
        break;
    case CMD_LINK:
        s->result = nic_link_up(&s->nic) ? 10000u << 16 | 1 : 0;
        break;
    case CMD_MAC_LO:
        s->result = load_le32(s->mac);
        break;
    case CMD_MAC_HI:
        s->result = load_le16(s->mac + 4);
        break;
    case CMD_DID_LO:
        s->result = 0x07b0;
        break;
    default:
        break;      /* CMD_INTR: 0, the driver chooses */
    }
}

static void write_ecr(Device *d, const RegAccess *a)
{
    Vmxnet3 *s = (Vmxnet3 *)d;
    uint32_t events = (uint32_t)shared(s, SH_EVENTS, 4);

    if (s->active) {
        dma_store(d, shared_base(s) + SH_EVENTS, events & ~(uint32_t)a->value, 4, DEV_LITTLE);
    }
}

static void write_imr(Device *d, const RegAccess *a)
{
    Vmxnet3 *s = (Vmxnet3 *)d;
    uint32_t bit = 1u << a->index;

    s->masked = a->value & 1 ? s->masked | bit : s->masked & ~bit;
    update_irq(s);
}

static uint64_t read_imr(Device *d, const RegAccess *a)
{
    return ((Vmxnet3 *)d)->masked >> a->index & 1;
}

/* The main loop does the work, so that the vCPU goes on. */
static void write_tx_prod(Device *d, const RegAccess *a)
{
    Vmxnet3 *s = (Vmxnet3 *)d;

    s->kicks |= 1u << a->index;
    bh_schedule(s->kick_bh);
}

static void write_rx_prod(Device *d, const RegAccess *a)
{
    bh_schedule(((Vmxnet3 *)d)->kick_bh);
}

static const Reg queue_regs[] = {
    REG_HOOK(0x000, 4, "imr", .count = VECTORS, .stride = 8, .read = read_imr, .write = write_imr, .help = "interrupt masks"),
    REG_HOOK(0x600, 4, "txprod", .count = TX_QUEUES, .stride = 8, .write = write_tx_prod, .help = "transmit doorbells"),
    REG_HOOK(0x800, 4, "rxprod", .count = RX_QUEUES, .stride = 8, .write = write_rx_prod, .help = "receive doorbells"),
    REG_HOOK(0xa00, 4, "rxprod2", .count = RX_QUEUES, .stride = 8, .write = write_rx_prod, .help = "... of the second ring"),
};

static const Reg device_regs[] = {
    REG(Vmxnet3, 0x00, vrrs, .reset = 1, .help = "versions of the device"),
    REG(Vmxnet3, 0x08, uvrs, .reset = 1, .help = "versions of UPT"),
    REG(Vmxnet3, 0x10, dsal, .wmask = 0xffffffff, .help = "shared memory"),
    REG(Vmxnet3, 0x18, dsah, .wmask = 0xffffffff),
    REG(Vmxnet3, 0x20, result, .write = write_cmd, .help = "command, then its result"),
    REG(Vmxnet3, 0x28, macl, .wmask = 0xffffffff, .help = "address in use"),
    REG(Vmxnet3, 0x30, mach, .wmask = 0xffff),
    REG_HOOK(0x38, 4, "icr", .read = read_icr, .help = "INTx cause; reading clears"),
    REG_HOOK(0x40, 4, "ecr", .write = write_ecr, .help = "acknowledges events"),
};

static const RegBank vmxnet3_banks[] = {
    { .name = "queues", .size = 0x1000, BANK_REGS(queue_regs), .help = "masks and doorbells" },
    { .name = "device", .size = 0x1000, BANK_REGS(device_regs), .help = "versions, shared memory, commands" },
    { 0 },
};

/* ---- device ---- */

static void link_changed(NetClient *c, bool up)
{
    raise_event(c->opaque, EVENT_LINK);
}

static const NetOps vmxnet3_net_ops = {
    .type = "vmxnet3", .can_receive = can_receive, .receive = receive, .receive_offload = receive_offload,
    .link_changed = link_changed,
};

static bool vmxnet3_realize(Device *d, GError **error)
{
    Vmxnet3 *s = (Vmxnet3 *)d;

    nic_settle_mac(s->mac);
    s->kick_bh = bh_new(run_kicks, s);
    nic_attach(&s->nic, &vmxnet3_net_ops, d, s->peer);
    return true;
}

static void vmxnet3_unrealize(Device *d)
{
    Vmxnet3 *s = (Vmxnet3 *)d;

    bh_free(s->kick_bh);
    net_nic_fini(&s->nic);
}

static void vmxnet3_reset(Device *d)
{
    Vmxnet3 *s = (Vmxnet3 *)d;

    quiesce(s);
    s->macl = load_le32(s->mac);
    s->mach = load_le16(s->mac + 4);
    s->num_tx = s->num_rx = 0;
    s->num_multicast = s->rx_mode = s->features = 0;
    memset(&s->scale, 0, sizeof(s->scale));
}

static const Prop vmxnet3_props[] = { NIC_PROPS(Vmxnet3), PROP_END };

static const StateField ring_state[] = {
    STATE(Ring, base), STATE(Ring, size), STATE_BELOW(Ring, next, size, UINT32_MAX), STATE(Ring, gen), STATE_END,
};
static const StateField tx_state[] = {
    STATE_STRUCT(TxQueue, ring, ring_state), STATE_STRUCT(TxQueue, comp, ring_state), STATE_MAX(TxQueue, intr, VECTORS - 1),
    STATE(TxQueue, packets), STATE_END,
};
static const StateField rx_state[] = {
    STATE_STRUCTS(RxQueue, ring, ring_state), STATE_STRUCT(RxQueue, comp, ring_state), STATE_MAX(RxQueue, intr, VECTORS - 1),
    STATE(RxQueue, packets), STATE_END,
};

static const StateField scale_state[] = {
    STATE(RxScale, types), STATE_MAX(RxScale, entries, RSS_TABLE), STATE_RAW(RxScale, key), STATE_RAW(RxScale, table), STATE_END,
};

static const StateField vmxnet3_state[] = {
    STATE_STRUCT(Vmxnet3, scale, scale_state),
    HOST_ONLY(Vmxnet3, nic, "connection to the back end"), HOST_ONLY(Vmxnet3, kick_bh, "host side"),
    STATE(Vmxnet3, kicks), STATE(Vmxnet3, active), STATE(Vmxnet3, automask), STATE_MAX(Vmxnet3, num_tx, TX_QUEUES),
    STATE_MAX(Vmxnet3, num_rx, RX_QUEUES), STATE_MAX(Vmxnet3, event_intr, VECTORS - 1), STATE(Vmxnet3, features), STATE(Vmxnet3, rx_mode),
    STATE_MAX(Vmxnet3, num_multicast, MULTICAST_MAX), STATE_RAW(Vmxnet3, multicast), STATE_ARRAY(Vmxnet3, vlans), STATE(Vmxnet3, masked),
    STATE(Vmxnet3, pending), STATE_STRUCTS(Vmxnet3, tx, tx_state), STATE_STRUCTS(Vmxnet3, rx, rx_state),
    HOST_ONLY(Vmxnet3, tx_len, "within one call"), HOST_ONLY(Vmxnet3, tx_buf, "scratch"), STATE_END,
};

static const PciInfo vmxnet3_pci = {
    .vendor = 0x15ad, .device = 0x07b0, .class_code = 0x020000, .revision = 1, .pin = 1,
    .subsys_vendor = 0x15ad, .subsys = 0x07b0,
    .bar = { [0] = { PCI_BAR_MEM32, false, "queues" }, [1] = { PCI_BAR_MEM32, false, "device" } },
    .express = true, .msi = 1, .msix = VECTORS, .msix_bar = 2,
    .romfile = "efi-vmxnet3.rom",
};

static const DeviceType vmxnet3_type = {
    .name = "vmxnet3",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "network",
    .desc = "VMWare Paravirtualized Ethernet v3",
    .hotpluggable = true,
    .bus_info = &vmxnet3_pci,
    .size = sizeof(Vmxnet3),
    .state_version = 1,
    .props = vmxnet3_props,
    .banks = vmxnet3_banks,
    .state = vmxnet3_state,
    .realize = vmxnet3_realize,
    .unrealize = vmxnet3_unrealize,
    .reset = vmxnet3_reset,
};
DEVICE_TYPE(vmxnet3_type);
