// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio network device (Virtual I/O Device 1.1, 5.1): pairs of data queues and the control
 * queue, mergeable receive buffers, checksum and segmentation offload both ways. A frame comes
 * back on the pair that its flow was last sent from, or that RSS says. Left out: standby.
 */
#include "virtio-net.h"
#include "util/error.h"

enum { HDR_LEN = ETH_VNET_BYTES, HDR_LEN_MRG = 12, HDR_LEN_HASH = 20 };
enum { STATUS_LINK = 1, STATUS_ANNOUNCE = 2 };
#define SPEED_UNKNOWN 0xffffffffu
#define DUPLEX_UNKNOWN 0xff
#define RX_ELEMS 128

static size_t header_len(const VirtioNet *s)
{
    if (virtio_has(&s->v, NET_F_HASH_REPORT)) {
        return HDR_LEN_HASH;
    }
    return virtio_has(&s->v, NET_F_MRG_RXBUF) || virtio_has(&s->v, VIRTIO_F_VERSION_1) ? HDR_LEN_MRG
                                                                                       : HDR_LEN;
}

/* Both directions of a flow have the same hash. */
static unsigned flow_hash(const uint8_t *f, size_t len)
{
    uint32_t h = 0;
    EthLayout l;

    if (!eth_parse(f, len, &l)) {
        return 0;
    }
    for (unsigned i = 0; i < (l.ip4 ? 8u : 32u); i += 4) {
        h ^= load_be32(f + l.l3 + (l.ip4 ? 12 : 8) + i);
    }
    if ((l.tcp || l.udp) && !l.fragment) {
        h ^= load_be16(f + l.l4) ^ load_be16(f + l.l4 + 2);
    }
    h ^= h >> 16;
    return (h ^ h >> 8) % VIRTIO_NET_FLOWS;
}

/* ---- receive ---- */

static bool net_can_receive(NetClient *c)
{
    VirtioNet *s = c->opaque;

    return s->v.vq[0].enabled && (s->v.status & VIRTIO_STATUS_DRIVER_OK) && !s->v.broken;
}

static unsigned net_takes(NetClient *c)
{
    const VirtioNet *s = c->opaque;
    uint64_t o = s->offloads;

    return (o & VIRTIO_BIT(NET_F_GUEST_CSUM) ? NET_TAKES_CHECKSUM : 0) |
           (o & VIRTIO_BIT(NET_F_GUEST_TSO4) ? NET_TAKES_TCP4 : 0) |
           (o & VIRTIO_BIT(NET_F_GUEST_TSO6) ? NET_TAKES_TCP6 : 0) |
           (o & VIRTIO_BIT(NET_F_GUEST_UFO) ? NET_TAKES_UDP : 0);
}

/* Buffers for `total` bytes, header in front; 0: not enough are there (and none is taken). */
static unsigned rx_buffers(VirtioNet *s, VirtQueue *vq, size_t total, VirtqElem **elems)
{
    VirtioDevice *v = &s->v;
    bool merge = virtio_has(v, NET_F_MRG_RXBUF);
    uint64_t room = 0;
    unsigned n = 0;

    while (room < total && n < RX_ELEMS) {
        VirtqElem *e = virtq_pop(v, vq);

        if (!e) {
            break;
        }
        elems[n++] = e;
        room += e->in_len;
        if (!merge) {
            break;
        }
    }
    if (room >= total || (n && !merge)) {
        return n;
    }
    while (n > 0) {
        virtq_unpop(v, elems[--n]);
        g_free(elems[n]);
    }
    return 0;
}

static ssize_t rx_frame(VirtioNet *s, const uint8_t *frame, size_t len, const NetOffload *o)
{
    VirtioDevice *v = &s->v;
    size_t hdr = header_len(s), off = 0;
    VirtqElem *elems[RX_ELEMS];
    uint8_t header[HDR_LEN_HASH] = {0};
    uint32_t hash = 0;

    if (!net_can_receive(&s->nic)) {
        return 0;
    }
    if (len < ETH_HEADER || !virtio_net_wanted(s, frame, len)) {
        return (ssize_t)len;
    }
    unsigned report = s->rss.types ? virtio_net_rss_hash(s, frame, len, &hash) : 0;
    unsigned pair = s->rss.steers  ? virtio_net_rss_pair(s, report, hash)
                    : s->pairs > 1 ? s->flow_queue[flow_hash(frame, len)]
                                   : 0;
    VirtQueue *vq = &v->vq[2 * pair];

    if (!vq->enabled) {
        vq = &v->vq[0];
    }
    virtq_enable_kick(v, vq, false);
    unsigned n = rx_buffers(s, vq, hdr + len, elems);

    if (n == 0) {
        /* what the driver adds from now on is heard of; what it has added meanwhile is taken */
        virtq_enable_kick(v, vq, true);
        n = rx_buffers(s, vq, hdr + len, elems);
        if (n == 0) {
            return v->broken ? -1 : 0;
        }
        virtq_enable_kick(v, vq, false);
    }
    eth_vnet_store(header, frame, o);
    if (!(s->offloads & VIRTIO_BIT(NET_F_GUEST_CSUM))) {
        header[0] = 0;
    }
    store_le16(header + HDR_LEN, (uint16_t)n);
    store_le32(header + HDR_LEN_MRG, hash);
    store_le16(header + HDR_LEN_MRG + 4, (uint16_t)report);
    for (unsigned i = 0; i < n; i++) {
        VirtqElem *e = elems[i];
        size_t front = i == 0 ? virtq_write(v, e, 0, header, hdr) : 0;
        size_t part = e->in_len > front ? MIN(e->in_len - front, len - off) : 0;

        part = virtq_write(v, e, front, frame + off, part);
        virtq_fill(v, e, (uint32_t)(front + part), i);
        off += part;
        g_free(e);
    }
    virtq_flush(v, vq, n);
    virtq_notify(v, vq);
    return (ssize_t)len;
}

static ssize_t net_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    static const NetOffload nothing;

    return rx_frame(c->opaque, frame, len, &nothing);
}

static ssize_t net_receive_offload(NetClient *c, const uint8_t *frame, size_t len,
                                   const NetOffload *o)
{
    return rx_frame(c->opaque, frame, len, o);
}

/* ---- transmit ---- */

/* What the header in front of a frame asks for; false: nonsense, or what was not offered. */
static bool tx_offload(const VirtioNet *s, const uint8_t *h, size_t len, NetOffload *o)
{
    static const unsigned features[] = { 0, NET_F_HOST_TSO4, NET_F_HOST_TSO6, NET_F_HOST_UFO };

    if (!eth_vnet_load(h, len, o)) {
        return false;
    }
    o->valid = false;
    return !o->gso || virtio_has(&s->v, features[o->gso]);
}

/* True when e is done with; false when the peer is full and e must wait. */
static bool tx_one(VirtioNet *s, unsigned pair, VirtqElem *e)
{
    VirtioDevice *v = &s->v;
    size_t hdr = header_len(s), len;
    uint8_t header[HDR_LEN_HASH];
    NetOffload o;

    if (e->out_len < hdr + ETH_HEADER || e->out_len > hdr + VIRTIO_NET_FRAME ||
        virtq_read(v, e, 0, header, hdr) != hdr) {
        virtio_error(v, "packet of %" G_GUINT64_FORMAT " bytes", e->out_len);
        return true;
    }
    len = e->out_len - hdr;
    if (virtq_read(v, e, hdr, s->tx_buf, len) != len) {
        virtio_error(v, "packet is not in memory");
        return true;
    }
    if (!tx_offload(s, header, len, &o)) {
        guest_error("%s: bad header of a packet", v->type->name);
        return true;
    }
    if (s->pairs > 1) {
        s->flow_queue[flow_hash(s->tx_buf, len)] = (uint8_t)pair;
    }
    return net_send_offload(&s->nic, s->tx_buf, len, &o);
}

static void tx_run(VirtioNet *s, unsigned pair)
{
    VirtioDevice *v = &s->v;
    VirtQueue *vq = &v->vq[2 * pair + 1];
    int32_t done = 0;

    virtq_enable_kick(v, vq, false);
    for (;;) {
        VirtqElem *e =
            s->tx_waiting[pair] ? g_steal_pointer(&s->tx_waiting[pair]) : virtq_pop(v, vq);

        if (!e) {
            if (virtq_enable_kick(v, vq, true)) {
                virtq_enable_kick(v, vq, false);
                continue;
            }
            break;
        }
        if (!tx_one(s, pair, e)) {
            s->tx_waiting[pair] = e;
            break;
        }
        virtq_push(v, e, 0);
        g_free(e);
        if (++done >= s->tx_burst) {
            virtio_kick(v, 2 * pair + 1);    /* the rest in a later turn of the main loop */
            break;
        }
    }
    if (done) {
        virtq_notify(v, vq);
    }
}

static void net_peer_ready(NetClient *c)
{
    VirtioNet *s = c->opaque;

    for (unsigned i = 0; i < s->max_pairs; i++) {
        if (s->tx_waiting[i]) {
            virtio_kick(&s->v, 2 * i + 1);
        }
    }
}

static void net_notify(VirtioDevice *v, unsigned n)
{
    VirtioNet *s = (VirtioNet *)v;

    if (n == virtio_net_ctrl_queue(s) && virtio_has(v, NET_F_CTRL_VQ)) {
        virtio_net_control(s, &v->vq[n]);
    } else if (n >= 2 * s->pairs) {
        return;
    } else if (s->front) {
        vhost_front_kick(s->front, n);
    } else if (n & 1) {
        tx_run(s, n / 2);
    } else {
        net_ready(&s->nic);
    }
}

/* ---- the rest ---- */

/* Features that hang on others of the device. */
static uint64_t net_features(VirtioDevice *v)
{
    VirtioNet *s = (VirtioNet *)v;
    uint64_t f = s->host_features | VIRTIO_BIT(NET_F_MAC);

    if (!(f & VIRTIO_BIT(NET_F_CSUM))) {
        f &= ~(VIRTIO_BIT(NET_F_GSO) | VIRTIO_BIT(NET_F_HOST_TSO4) | VIRTIO_BIT(NET_F_HOST_TSO6) |
               VIRTIO_BIT(NET_F_HOST_ECN) | VIRTIO_BIT(NET_F_HOST_UFO));
    }
    if (!(f & VIRTIO_BIT(NET_F_GUEST_CSUM))) {
        f &= ~NET_GUEST_OFFLOADS;
    }
    if (!(f & VIRTIO_BIT(NET_F_CTRL_VQ))) {
        f &= ~(VIRTIO_BIT(NET_F_CTRL_RX) | VIRTIO_BIT(NET_F_CTRL_VLAN) |
               VIRTIO_BIT(NET_F_CTRL_RX_EXTRA) | VIRTIO_BIT(NET_F_CTRL_MAC_ADDR) |
               VIRTIO_BIT(NET_F_GUEST_ANNOUNCE) | VIRTIO_BIT(NET_F_MQ) |
               VIRTIO_BIT(NET_F_CTRL_GUEST_OFFLOADS) | VIRTIO_BIT(NET_F_RSS) |
               VIRTIO_BIT(NET_F_HASH_REPORT));
    }
    f = s->front ? virtio_net_vhost_features(s, f) : f;
    f |= s->host_mtu ? VIRTIO_BIT(NET_F_MTU) : 0;
    f |= s->speed >= 0 || s->duplex ? VIRTIO_BIT(NET_F_SPEED_DUPLEX) : 0;
    return f;
}

static void net_config_read(VirtioDevice *v)
{
    VirtioNet *s = (VirtioNet *)v;

    memcpy(v->config, s->cur_mac, 6);
    store_le16(v->config + 6,
               (nic_link_up(&s->nic) ? STATUS_LINK : 0) | (s->announcing ? STATUS_ANNOUNCE : 0));
    store_le16(v->config + 8, (uint16_t)s->max_pairs);
    store_le16(v->config + 10, s->host_mtu);
    store_le32(v->config + 12, s->speed < 0 ? SPEED_UNKNOWN : (uint32_t)s->speed);
    v->config[17] = VIRTIO_NET_RSS_KEY;
    store_le16(v->config + 18, VIRTIO_NET_RSS_TABLE);
    store_le32(v->config + 20, VIRTIO_NET_HASH_TYPES);
    v->config[16] = !s->duplex ? DUPLEX_UNKNOWN : strcmp(s->duplex, "full") == 0;
}

/* Legacy drivers may set the address byte by byte. */
static void net_config_write(VirtioDevice *v, uint32_t off, uint32_t len)
{
    if (off < 6 && !virtio_has(v, VIRTIO_F_VERSION_1)) {
        memcpy(((VirtioNet *)v)->cur_mac, v->config, 6);
    }
}

static void net_link_changed(NetClient *c, bool up)
{
    virtio_config_changed(&((VirtioNet *)c->opaque)->v);
}

/* The driver itself tells the network where it is, when it can. */
static bool net_announce(NetClient *c)
{
    VirtioNet *s = c->opaque;

    if (!virtio_has(&s->v, NET_F_GUEST_ANNOUNCE) || !(s->v.status & VIRTIO_STATUS_DRIVER_OK)) {
        return false;
    }
    s->announcing = true;
    virtio_config_changed(&s->v);
    return true;
}

static void net_reset(VirtioDevice *v)
{
    VirtioNet *s = (VirtioNet *)v;

    for (unsigned i = 0; i < VIRTIO_NET_PAIRS; i++) {
        g_clear_pointer(&s->tx_waiting[i], g_free);
    }
    s->pairs = 1;
    virtio_net_vhost_pairs(s);
    virtio_net_rss_reset(s);
    s->offloads = 0;
    s->announcing = false;
    memset(s->flow_queue, 0, sizeof(s->flow_queue));
    virtio_net_filter_reset(s);
}

static void net_queue_reset(VirtioDevice *v, unsigned n)
{
    if (n & 1) {
        g_clear_pointer(&((VirtioNet *)v)->tx_waiting[n / 2], g_free);
    }
}

/* Without the filters' features the driver gets everything. */
static void net_features_set(VirtioDevice *v)
{
    VirtioNet *s = (VirtioNet *)v;

    s->promisc = !virtio_has(v, NET_F_CTRL_RX);
    s->offloads = v->driver_features & NET_GUEST_OFFLOADS;
}

static void net_status_changed(VirtioDevice *v, uint8_t old)
{
    if (((VirtioNet *)v)->front) {
        vhost_front_status(((VirtioNet *)v)->front);
    } else if (v->status & ~old & VIRTIO_STATUS_DRIVER_OK) {
        net_ready(&((VirtioNet *)v)->nic);
    }
}

static const NetOps net_ops = {
    .type = "virtio-net",
    .can_receive = net_can_receive,
    .receive = net_receive,
    .receive_offload = net_receive_offload,
    .takes = net_takes,
    .peer_ready = net_peer_ready,
    .link_changed = net_link_changed,
    .announce = net_announce,
    .rx_filter = virtio_net_rx_filter,
};

static bool check_queue_size(uint16_t size, const char *name, GError **error)
{
    return (size >= 256 && size <= VIRTIO_QUEUE_MAX && (size & (size - 1)) == 0) ||
           fail(error, "Invalid %s (= %u), must be a power of 2 between 256 and %u.", name, size,
                VIRTIO_QUEUE_MAX);
}

static bool net_realize(VirtioDevice *v, GError **error)
{
    VirtioNet *s = (VirtioNet *)v;

    if (!check_queue_size(s->rx_queue_size, "rx_queue_size", error) ||
        !check_queue_size(s->tx_queue_size, "tx_queue_size", error)) {
        return false;
    }
    if (s->duplex && strcmp(s->duplex, "half") != 0 && strcmp(s->duplex, "full") != 0) {
        return fail(error, "'duplex' must be 'half' or 'full'");
    }
    if (s->speed < -1) {
        return fail(error, "'speed' must be between 0 and INT_MAX");
    }
    nic_settle_mac(s->mac);
    s->max_pairs = 1;
    if (s->peer && s->peer->client &&
        (s->host_features & (VIRTIO_BIT(NET_F_MQ) | VIRTIO_BIT(NET_F_RSS)))) {
        s->max_pairs = CLAMP(s->peer->client->queues, 1, VIRTIO_NET_PAIRS);
    }
    for (unsigned i = 0; i < s->max_pairs; i++) {
        virtio_add_queue(v, s->rx_queue_size);
        virtio_add_queue(v, s->tx_queue_size);
    }
    if (s->host_features & VIRTIO_BIT(NET_F_CTRL_VQ)) {
        virtio_add_queue(v, 64);
    }
    if (!virtio_net_vhost_realize(s, error)) {
        return false;
    }
    s->tx_buf = g_malloc(NET_MAX_FRAME);
    nic_attach(&s->nic, &net_ops, &v->pci.dev, s->peer);
    net_reset(v);
    return true;
}

static void net_unrealize(VirtioDevice *v)
{
    VirtioNet *s = (VirtioNet *)v;

    virtio_net_vhost_unrealize(s);
    net_nic_fini(&s->nic);
    g_clear_pointer(&s->tx_buf, g_free);
}

#define FEATURE(name, bit, on) PROP_BIT64(VirtioNet, host_features, name, bit, on)

static const Prop net_props[] = {
    NIC_PROPS(VirtioNet),
    FEATURE("csum", NET_F_CSUM, true),
    FEATURE("guest_csum", NET_F_GUEST_CSUM, true),
    FEATURE("gso", NET_F_GSO, true),
    FEATURE("guest_tso4", NET_F_GUEST_TSO4, true),
    FEATURE("guest_tso6", NET_F_GUEST_TSO6, true),
    FEATURE("guest_ecn", NET_F_GUEST_ECN, true),
    FEATURE("guest_ufo", NET_F_GUEST_UFO, true),
    FEATURE("guest_announce", NET_F_GUEST_ANNOUNCE, true),
    FEATURE("host_tso4", NET_F_HOST_TSO4, true),
    FEATURE("host_tso6", NET_F_HOST_TSO6, true),
    FEATURE("host_ecn", NET_F_HOST_ECN, true),
    FEATURE("host_ufo", NET_F_HOST_UFO, true),
    FEATURE("mrg_rxbuf", NET_F_MRG_RXBUF, true),
    FEATURE("status", NET_F_STATUS, true),
    FEATURE("ctrl_vq", NET_F_CTRL_VQ, true),
    FEATURE("ctrl_rx", NET_F_CTRL_RX, true),
    FEATURE("ctrl_vlan", NET_F_CTRL_VLAN, true),
    FEATURE("ctrl_rx_extra", NET_F_CTRL_RX_EXTRA, true),
    FEATURE("ctrl_mac_addr", NET_F_CTRL_MAC_ADDR, true),
    FEATURE("ctrl_guest_offloads", NET_F_CTRL_GUEST_OFFLOADS, true),
    FEATURE("mq", NET_F_MQ, false),
    FEATURE("rss", NET_F_RSS, false),
    FEATURE("hash", NET_F_HASH_REPORT, false),
    PROP_U16(VirtioNet, rx_queue_size, "rx_queue_size", 256),
    PROP_U16(VirtioNet, tx_queue_size, "tx_queue_size", 256),
    PROP_U16(VirtioNet, host_mtu, "host_mtu", 0),
    PROP_I32(VirtioNet, speed, "speed", -1),
    PROP_STRING(VirtioNet, duplex, "duplex"),
    PROP_STRING(VirtioNet, tx_mode, "tx",
                .help = "timer or bh; frames are sent at once with either"),
    PROP_U32(VirtioNet, tx_timer_ns, "x-txtimer", 150000, .flags = PROP_HIDDEN),
    PROP_I32(VirtioNet, tx_burst, "x-txburst", 256, .flags = PROP_HIDDEN),
    PROP_END,
};

/* Queues that frames are spread over are there. */
static bool net_check_load(VirtioDevice *v, GError **error)
{
    const VirtioNet *s = (VirtioNet *)v;
    unsigned most = s->rss.unclassified;

    for (unsigned i = 0; i < ARRAY_COUNT(s->flow_queue); i++) {
        most = MAX(most, s->flow_queue[i]);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(s->rss.table); i++) {
        most = MAX(most, s->rss.table[i]);
    }
    return (s->pairs && most < s->max_pairs) ||
           fail(error, "%u pairs of queues in use, frames go to queue %u", s->pairs, most);
}

static const StateField net_state[] = {
    HOST_ONLY(VirtioNet, nic, "connection to the back end"),
    HOST_ONLY(VirtioNet, max_pairs, "made at realize"),
    HOST_ONLY(VirtioNet, tx_waiting, "popped again after loading"),
    HOST_ONLY(VirtioNet, tx_buf, "scratch"),
    HOST_ONLY(VirtioNet, front, "what it has goes back to the queues before state is saved"),
    STATE_TO(VirtioNet, pairs, max_pairs, VIRTIO_NET_PAIRS),
    STATE(VirtioNet, offloads),
    STATE(VirtioNet, announcing),
    STATE_RAW(VirtioNet, cur_mac),
    STATE(VirtioNet, promisc),
    STATE(VirtioNet, allmulti),
    STATE(VirtioNet, alluni),
    STATE(VirtioNet, nomulti),
    STATE(VirtioNet, nouni),
    STATE(VirtioNet, nobcast),
    STATE_MAX(VirtioNet, num_macs, VIRTIO_NET_MACS),
    STATE_TO(VirtioNet, first_multi, num_macs, VIRTIO_NET_MACS),
    STATE(VirtioNet, uni_overflow),
    STATE(VirtioNet, multi_overflow),
    STATE_RAW(VirtioNet, macs),
    STATE_ARRAY(VirtioNet, vlans),
    STATE_ARRAY_MAX(VirtioNet, flow_queue, VIRTIO_NET_PAIRS - 1),
    STATE_STRUCT(VirtioNet, rss, virtio_net_rss_state),
    STATE_END,
};

static const VirtioType net_type = {
    .name = "virtio-net", .desc = "Network device", .category = "network",
    .id = 1, .legacy_pci_id = 0x1000, .pci_class = 0x020000, .size = sizeof(VirtioNet), .config_size = 24,
    .romfile = "efi-virtio.rom",
    .props = net_props, .state = net_state,
    .realize = net_realize, .unrealize = net_unrealize, .reset = net_reset,
    .features = net_features, .features_set = net_features_set, .config_read = net_config_read,
    .config_write = net_config_write, .status_changed = net_status_changed, .notify = net_notify,
    .queue_reset = net_queue_reset, .check_load = net_check_load,
};
VIRTIO_TYPE(net_type);
