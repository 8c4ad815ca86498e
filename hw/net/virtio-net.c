// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio network device (Virtual I/O Device 1.1, 5.1): one pair of data queues and the
 * control queue, mergeable receive buffers, MAC and VLAN filters, checksums of the driver's
 * completed here. Left out for now: several pairs, segmentation offloads.
 */
#include "hw/virtio/virtio.h"
#include "net/net.h"
#include "util/bswap.h"
#include "util/checksum.h"

enum { NET_F_CSUM = 0, NET_F_GUEST_CSUM = 1, NET_F_MAC = 5, NET_F_MRG_RXBUF = 15, NET_F_STATUS = 16,
       NET_F_CTRL_VQ = 17, NET_F_CTRL_RX = 18, NET_F_CTRL_VLAN = 19, NET_F_CTRL_RX_EXTRA = 20,
       NET_F_CTRL_MAC_ADDR = 23 };
enum { CTRL_RX = 0, CTRL_MAC = 1, CTRL_VLAN = 2, CTRL_ANNOUNCE = 3, CTRL_OK = 0, CTRL_ERR = 1 };
enum { HDR_F_NEEDS_CSUM = 1, HDR_F_DATA_VALID = 2, HDR_LEN = 10, HDR_LEN_MRG = 12 };
enum { RXQ, TXQ, CTRLQ };

#define MAC_TABLE 64
#define MAX_VLAN 4096
#define FRAME_MAX 65550u
#define TX_BURST 256

typedef struct VirtioNet {
    VirtioDevice v;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex;
    uint32_t rx_queue_size, tx_queue_size;
    bool csum, mrg_rxbuf, ctrl_vq, status;
    NetClient nic;
    uint8_t cur_mac[6];
    bool promisc, allmulti, alluni, nomulti, nouni, nobcast;
    uint32_t num_macs, first_multi;
    bool mac_overflow;
    uint8_t macs[MAC_TABLE][6];
    uint32_t vlans[MAX_VLAN / 32];
    VirtqElem *tx_waiting;       /* its frame found the peer's queue full */
} VirtioNet;

static size_t header_len(const VirtioNet *s)
{
    return virtio_has(&s->v, NET_F_MRG_RXBUF) || virtio_has(&s->v, VIRTIO_F_VERSION_1) ? HDR_LEN_MRG : HDR_LEN;
}

/* ---- receive ---- */

static bool mac_listed(const VirtioNet *s, const uint8_t *mac, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        if (memcmp(s->macs[i], mac, 6) == 0) {
            return true;
        }
    }
    return false;
}

static bool wanted(const VirtioNet *s, const uint8_t *f, size_t len)
{
    static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    if (s->promisc) {
        return true;
    }
    if (len >= 16 && f[12] == 0x81 && f[13] == 0 && virtio_has(&s->v, NET_F_CTRL_VLAN)) {
        unsigned id = (f[14] << 8 | f[15]) & 0xfff;

        if (!(s->vlans[id / 32] & 1u << (id & 31))) {
            return false;
        }
    }
    if (memcmp(f, broadcast, 6) == 0) {
        return !s->nobcast;
    }
    if (f[0] & 1) {
        return !s->nomulti && (s->allmulti || s->mac_overflow || mac_listed(s, f, s->first_multi, s->num_macs));
    }
    return !s->nouni && (s->alluni || memcmp(f, s->cur_mac, 6) == 0 || mac_listed(s, f, 0, s->first_multi));
}

static bool net_can_receive(NetClient *c)
{
    VirtioNet *s = c->opaque;

    return s->v.vq[RXQ].enabled && (s->v.status & VIRTIO_STATUS_DRIVER_OK) && !s->v.broken;
}

/* Buffers for `total` bytes, header in front; NULL: not enough are there (and none is taken). */
static GPtrArray *rx_buffers(VirtioNet *s, size_t total)
{
    VirtioDevice *v = &s->v;
    VirtQueue *vq = &v->vq[RXQ];
    GPtrArray *elems = g_ptr_array_new();
    uint64_t room = 0;

    while (room < total) {
        VirtqElem *e = virtq_pop(v, vq);

        if (!e) {
            break;
        }
        g_ptr_array_add(elems, e);
        room += e->in_len;
        if (!virtio_has(v, NET_F_MRG_RXBUF)) {
            break;
        }
    }
    if (room >= total || (elems->len && !virtio_has(v, NET_F_MRG_RXBUF))) {
        return elems;
    }
    for (unsigned i = elems->len; i-- > 0;) {
        virtq_unpop(v, elems->pdata[i]);
        g_free(elems->pdata[i]);
    }
    g_ptr_array_free(elems, TRUE);
    return NULL;
}

static ssize_t net_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    VirtioNet *s = c->opaque;
    VirtioDevice *v = &s->v;
    size_t hdr = header_len(s), total = hdr + len;
    uint8_t *packet;
    uint64_t off = 0;

    if (!net_can_receive(c)) {
        return 0;
    }
    if (len < 14 || !wanted(s, frame, len)) {
        return len;
    }
    virtq_enable_kick(v, &v->vq[RXQ], false);
    GPtrArray *elems = rx_buffers(s, total);

    if (!elems) {
        virtq_enable_kick(v, &v->vq[RXQ], true);
        return v->broken ? -1 : 0;
    }
    packet = g_malloc0(total);
    if (hdr == HDR_LEN_MRG) {
        store_le16(packet + 10, elems->len);
    }
    memcpy(packet + hdr, frame, len);
    for (unsigned i = 0; i < elems->len; i++) {
        VirtqElem *e = elems->pdata[i];
        size_t n = virtq_write(v, e, 0, packet + off, MIN(e->in_len, total - off));

        virtq_fill(v, e, n, i);
        off += n;
        g_free(e);
    }
    virtq_flush(v, &v->vq[RXQ], elems->len);
    virtq_notify(v, &v->vq[RXQ]);
    g_ptr_array_free(elems, TRUE);
    g_free(packet);
    return len;
}

/* ---- transmit ---- */

/* True when e is done with; false when the peer is full and e must wait. */
static bool tx_one(VirtioNet *s, VirtqElem *e)
{
    VirtioDevice *v = &s->v;
    size_t hdr = header_len(s);
    uint8_t header[HDR_LEN_MRG];
    size_t len;

    if (e->out_len < hdr + 14 || e->out_len > hdr + FRAME_MAX || virtq_read(v, e, 0, header, hdr) != hdr) {
        virtio_error(v, "packet of %" G_GUINT64_FORMAT " bytes", e->out_len);
        return true;
    }
    len = e->out_len - hdr;
    g_autofree uint8_t *frame = g_malloc(len);

    if (virtq_read(v, e, hdr, frame, len) != len) {
        virtio_error(v, "packet is not in memory");
        return true;
    }
    if (header[0] & HDR_F_NEEDS_CSUM) {
        uint16_t start = load_le16(header + 6), at = load_le16(header + 8);

        if (start < len && at <= len - start && len - start - at >= 2) {
            store_be16(frame + start + at, checksum_finish(checksum_add(0, frame + start, len - start, false)));
        }
    }
    return net_send(&s->nic, frame, len);
}

static void tx_run(VirtioNet *s)
{
    VirtioDevice *v = &s->v;
    VirtQueue *vq = &v->vq[TXQ];
    unsigned done = 0;

    virtq_enable_kick(v, vq, false);
    for (;;) {
        VirtqElem *e = s->tx_waiting ? g_steal_pointer(&s->tx_waiting) : virtq_pop(v, vq);

        if (!e) {
            if (virtq_enable_kick(v, vq, true)) {
                virtq_enable_kick(v, vq, false);
                continue;
            }
            break;
        }
        if (!tx_one(s, e)) {
            s->tx_waiting = e;
            break;
        }
        virtq_push(v, e, 0);
        g_free(e);
        if (++done == TX_BURST) {
            virtio_kick(v, TXQ);    /* the rest in a later turn of the main loop */
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

    if (s->tx_waiting) {
        virtio_kick(&s->v, TXQ);
    }
}

/* ---- control queue, 5.1.6.5 ---- */

static bool ctrl_rx(VirtioNet *s, uint8_t command, uint8_t on)
{
    bool *const flags[] = { &s->promisc, &s->allmulti, &s->alluni, &s->nomulti, &s->nouni, &s->nobcast };

    if (command >= ARRAY_COUNT(flags)) {
        return false;
    }
    *flags[command] = on;
    return true;
}

/* Two lists, unicast then multicast, each a 32-bit count and the addresses. */
static bool ctrl_mac_table(VirtioNet *s, VirtqElem *e)
{
    uint64_t off = 2;

    s->num_macs = s->first_multi = 0;
    s->mac_overflow = false;
    for (unsigned list = 0; list < 2; list++) {
        uint8_t n[4];

        if (virtq_read(&s->v, e, off, n, 4) != 4) {
            return false;
        }
        uint32_t count = load_le32(n);

        off += 4;
        if (off > e->out_len || count > (e->out_len - off) / 6) {
            return false;
        }
        if (count <= MAC_TABLE - s->num_macs) {
            virtq_read(&s->v, e, off, s->macs[s->num_macs], count * 6ull);
            s->num_macs += count;
        } else if (list == 0) {
            s->alluni = true;
        } else {
            s->mac_overflow = true;
        }
        off += count * 6ull;
        if (list == 0) {
            s->first_multi = s->num_macs;
        }
    }
    return true;
}

static bool ctrl_run(VirtioNet *s, VirtqElem *e)
{
    uint8_t c[8] = { 0 };

    if (virtq_read(&s->v, e, 0, c, 2) != 2) {
        return false;
    }
    virtq_read(&s->v, e, 2, c + 2, 6);
    switch (c[0]) {
    case CTRL_RX:
        return e->out_len >= 3 && ctrl_rx(s, c[1], c[2]);
    case CTRL_MAC:
        if (c[1] == 0) {
            return ctrl_mac_table(s, e);
        }
        if (c[1] == 1 && e->out_len >= 8) {
            memcpy(s->cur_mac, c + 2, 6);
            return true;
        }
        return false;
    case CTRL_VLAN: {
        unsigned id = load_le16(c + 2);

        if (e->out_len < 4 || id >= MAX_VLAN || c[1] > 1) {
            return false;
        }
        s->vlans[id / 32] = c[1] == 0 ? s->vlans[id / 32] | 1u << (id & 31)
                                      : s->vlans[id / 32] & ~(1u << (id & 31));
        return true;
    }
    default:
        return false;
    }
}

static void net_notify(VirtioDevice *v, unsigned n)
{
    VirtioNet *s = (VirtioNet *)v;
    VirtqElem *e;

    if (n == RXQ) {
        net_ready(&s->nic);
        return;
    }
    if (n == TXQ) {
        tx_run(s);
        return;
    }
    while ((e = virtq_pop(v, &v->vq[n])) != NULL) {
        uint8_t ack = ctrl_run(s, e) ? CTRL_OK : CTRL_ERR;

        virtq_write(v, e, 0, &ack, 1);
        virtq_push(v, e, 1);
        virtq_notify(v, &v->vq[n]);
        g_free(e);
    }
}

/* ---- the rest ---- */

static uint64_t net_features(VirtioDevice *v)
{
    VirtioNet *s = (VirtioNet *)v;
    uint64_t f = VIRTIO_BIT(NET_F_MAC);

    f |= s->csum ? VIRTIO_BIT(NET_F_CSUM) : 0;
    f |= s->mrg_rxbuf ? VIRTIO_BIT(NET_F_MRG_RXBUF) : 0;
    f |= s->status ? VIRTIO_BIT(NET_F_STATUS) : 0;
    if (s->ctrl_vq) {
        f |= VIRTIO_BIT(NET_F_CTRL_VQ) | VIRTIO_BIT(NET_F_CTRL_RX) | VIRTIO_BIT(NET_F_CTRL_VLAN) |
             VIRTIO_BIT(NET_F_CTRL_RX_EXTRA) | VIRTIO_BIT(NET_F_CTRL_MAC_ADDR);
    }
    return f;
}

static void net_config_read(VirtioDevice *v)
{
    VirtioNet *s = (VirtioNet *)v;

    memcpy(v->config, s->cur_mac, 6);
    store_le16(v->config + 6, s->nic.peer && !s->nic.link_down && !s->nic.peer->link_down);
    store_le16(v->config + 8, 1);
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

static void net_reset(VirtioDevice *v)
{
    VirtioNet *s = (VirtioNet *)v;

    g_clear_pointer(&s->tx_waiting, g_free);
    memcpy(s->cur_mac, s->mac, 6);
    s->promisc = true;
    s->allmulti = s->alluni = s->nomulti = s->nouni = s->nobcast = s->mac_overflow = false;
    s->num_macs = s->first_multi = 0;
    memset(s->vlans, 0, sizeof(s->vlans));
}

/* Without the filters' features the driver gets everything. */
static void net_features_set(VirtioDevice *v)
{
    VirtioNet *s = (VirtioNet *)v;

    s->promisc = !virtio_has(v, NET_F_CTRL_RX);
}

static void net_status_changed(VirtioDevice *v, uint8_t old)
{
    if (v->status & ~old & VIRTIO_STATUS_DRIVER_OK) {
        net_ready(&((VirtioNet *)v)->nic);
    }
}

static const NetOps net_ops = {
    .type = "virtio-net",
    .can_receive = net_can_receive,
    .receive = net_receive,
    .peer_ready = net_peer_ready,
    .link_changed = net_link_changed,
};

static bool net_realize(VirtioDevice *v, GError **error)
{
    VirtioNet *s = (VirtioNet *)v;
    static const uint8_t unset[6];
    const uint32_t sizes[] = { s->rx_queue_size, s->tx_queue_size };

    for (unsigned i = 0; i < 2; i++) {
        if (sizes[i] < 256 || sizes[i] > VIRTIO_QUEUE_MAX || (sizes[i] & (sizes[i] - 1))) {
            return fail(error, "virtio-net: property '%s' must be a power of two from 256 to %u, not %u",
                        i ? "tx_queue_size" : "rx_queue_size", VIRTIO_QUEUE_MAX, sizes[i]);
        }
    }
    if (memcmp(s->mac, unset, 6) == 0) {
        net_default_mac(s->mac);
    }
    virtio_add_queue(v, s->rx_queue_size);
    virtio_add_queue(v, s->tx_queue_size);
    if (s->ctrl_vq) {
        virtio_add_queue(v, 64);
    }
    net_nic_init(&s->nic, &net_ops, s, s->peer, v->pci.dev.id ? v->pci.dev.id : v->type->name);
    net_reset(v);
    return true;
}

static void net_unrealize(VirtioDevice *v)
{
    net_nic_fini(&((VirtioNet *)v)->nic);
}

static const Prop net_props[] = {
    PROP_NETDEV(VirtioNet, peer),
    PROP_MAC(VirtioNet, mac),
    PROP_I32(VirtioNet, bootindex, "bootindex", -1),
    PROP_U32(VirtioNet, rx_queue_size, "rx_queue_size", 256),
    PROP_U32(VirtioNet, tx_queue_size, "tx_queue_size", 256),
    PROP_BOOL(VirtioNet, csum, "csum", true),
    PROP_BOOL(VirtioNet, mrg_rxbuf, "mrg_rxbuf", true),
    PROP_BOOL(VirtioNet, ctrl_vq, "ctrl_vq", true),
    PROP_BOOL(VirtioNet, status, "status", true),
    PROP_END,
};

static const StateField net_state[] = {
    HOST_ONLY(VirtioNet, nic, "connection to the back end"),
    HOST_ONLY(VirtioNet, tx_waiting, "popped again after loading"),
    STATE_RAW(VirtioNet, cur_mac),
    STATE(VirtioNet, promisc),
    STATE(VirtioNet, allmulti),
    STATE(VirtioNet, alluni),
    STATE(VirtioNet, nomulti),
    STATE(VirtioNet, nouni),
    STATE(VirtioNet, nobcast),
    STATE(VirtioNet, num_macs),
    STATE(VirtioNet, first_multi),
    STATE(VirtioNet, mac_overflow),
    STATE_RAW(VirtioNet, macs),
    STATE_ARRAY(VirtioNet, vlans),
    STATE_END,
};

static const VirtioType net_type = {
    .name = "virtio-net", .desc = "Network device", .category = "network",
    .id = 1, .legacy_pci_id = 0x1000, .pci_class = 0x020000, .size = sizeof(VirtioNet), .config_size = 10,
    .romfile = "efi-virtio.rom",
    .props = net_props, .state = net_state,
    .realize = net_realize, .unrealize = net_unrealize, .reset = net_reset,
    .features = net_features, .features_set = net_features_set, .config_read = net_config_read,
    .config_write = net_config_write, .status_changed = net_status_changed, .notify = net_notify,
};
VIRTIO_TYPE(net_type);
