// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control queue and receive filters of the virtio network device (Virtual I/O Device 1.1, 5.1.6.5):
 * modes, MAC table, VLANs, announcements, pairs of queues, offloads of the driver.
 */
#include "virtio-net.h"

enum {
    CTRL_RX = 0,
    CTRL_MAC = 1,
    CTRL_VLAN = 2,
    CTRL_ANNOUNCE = 3,
    CTRL_MQ = 4,
    CTRL_OFFLOADS = 5,
    CTRL_OK = 0,
    CTRL_ERR = 1
};

static bool mac_listed(const VirtioNet *s, const uint8_t *mac, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        if (memcmp(s->macs[i], mac, 6) == 0) {
            return true;
        }
    }
    return false;
}

bool virtio_net_wanted(const VirtioNet *s, const uint8_t *f, size_t len)
{
    if (s->promisc) {
        return true;
    }
    if (len >= 16 && f[12] == 0x81 && f[13] == 0 && virtio_has(&s->v, NET_F_CTRL_VLAN)) {
        unsigned id = (f[14] << 8 | f[15]) & 0xfff;

        if (!(s->vlans[id / 32] & 1u << (id & 31))) {
            return false;
        }
    }
    if (eth_is_broadcast(f)) {
        return !s->nobcast;
    }
    if (f[0] & 1) {
        return !s->nomulti &&
               (s->allmulti || s->multi_overflow || mac_listed(s, f, s->first_multi, s->num_macs));
    }
    return !s->nouni && (s->alluni || s->uni_overflow || memcmp(f, s->cur_mac, 6) == 0 ||
                         mac_listed(s, f, 0, s->first_multi));
}

static bool ctrl_rx(VirtioNet *s, uint8_t command, uint8_t on)
{
    bool *const flags[] = {&s->promisc, &s->allmulti, &s->alluni,
                           &s->nomulti, &s->nouni,    &s->nobcast};

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
    s->uni_overflow = s->multi_overflow = false;
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
        if (count <= VIRTIO_NET_MACS - s->num_macs) {
            virtq_read(&s->v, e, off, s->macs[s->num_macs], count * 6ull);
            s->num_macs += count;
        } else {
            *(list ? &s->multi_overflow : &s->uni_overflow) = true;
        }
        off += count * 6ull;
        if (list == 0) {
            s->first_multi = s->num_macs;
        }
    }
    return true;
}

static bool ctrl_vlan(VirtioNet *s, uint8_t command, unsigned id)
{
    if (id >= VIRTIO_NET_VLANS || command > 1) {
        return false;
    }
    s->vlans[id / 32] =
        command == 0 ? s->vlans[id / 32] | 1u << (id & 31) : s->vlans[id / 32] & ~(1u << (id & 31));
    return true;
}

static bool ctrl_pairs(VirtioNet *s, unsigned pairs)
{
    if (!virtio_has(&s->v, NET_F_MQ) || pairs == 0 || pairs > s->max_pairs) {
        return false;
    }
    s->pairs = pairs;
    virtio_net_vhost_pairs(s);
    s->rss.steers = false;
    memset(s->flow_queue, 0, sizeof(s->flow_queue));
    return true;
}

static bool ctrl_offloads(VirtioNet *s, uint64_t wanted)
{
    if (!virtio_has(&s->v, NET_F_CTRL_GUEST_OFFLOADS) ||
        (wanted & ~(s->v.driver_features & NET_GUEST_OFFLOADS))) {
        return false;
    }
    s->offloads = wanted;
    return true;
}

static bool ctrl_run(VirtioNet *s, VirtqElem *e)
{
    uint8_t c[10] = { 0 };

    if (virtq_read(&s->v, e, 0, c, 2) != 2) {
        return false;
    }
    virtq_read(&s->v, e, 2, c + 2, 8);
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
    case CTRL_VLAN:
        return e->out_len >= 4 && ctrl_vlan(s, c[1], load_le16(c + 2));
    case CTRL_ANNOUNCE:
        if (c[1] == 0 && s->announcing) {
            s->announcing = false;
            return true;
        }
        return false;
    case CTRL_MQ:
        return c[1] == 0   ? e->out_len >= 4 && ctrl_pairs(s, load_le16(c + 2))
               : c[1] == 1 ? virtio_net_rss_config(s, e)
               : c[1] == 2 ? virtio_net_hash_config(s, e)
                           : false;
    case CTRL_OFFLOADS:
        return c[1] == 0 && e->out_len >= 10 && ctrl_offloads(s, load_le64(c + 2));
    default:
        return false;
    }
}

void virtio_net_control(VirtioNet *s, VirtQueue *vq)
{
    VirtioDevice *v = &s->v;
    VirtqElem *e;

    while ((e = virtq_pop(v, vq)) != NULL) {
        uint8_t ack = ctrl_run(s, e) ? CTRL_OK : CTRL_ERR, class = CTRL_ANNOUNCE;

        virtq_read(v, e, 0, &class, 1);
        if (ack == CTRL_OK && (class == CTRL_RX || class == CTRL_MAC || class == CTRL_VLAN)) {
            net_rx_filter_changed(&s->nic, &v->pci.dev.obj);
        }
        virtq_write(v, e, 0, &ack, 1);
        virtq_push(v, e, 1);
        virtq_notify(v, vq);
        g_free(e);
    }
}

void virtio_net_filter_reset(VirtioNet *s)
{
    memcpy(s->cur_mac, s->mac, 6);
    s->promisc = true;
    s->allmulti = s->alluni = s->nomulti = s->nouni = s->nobcast = s->uni_overflow =
        s->multi_overflow = false;
    s->num_macs = s->first_multi = 0;
    memset(s->vlans, 0, sizeof(s->vlans));
}

static NetRxState rx_state(bool none, bool all)
{
    return none ? NET_RX_NONE : all ? NET_RX_ALL : NET_RX_NORMAL;
}

void virtio_net_rx_filter(NetClient *c, NetRxFilter *f)
{
    const VirtioNet *s = c->opaque;

    f->promiscuous = s->promisc;
    f->broadcast_allowed = !s->nobcast;
    f->unicast = rx_state(s->nouni, s->alluni);
    f->multicast = rx_state(s->nomulti, s->allmulti);
    f->unicast_overflow = s->uni_overflow;
    f->multicast_overflow = s->multi_overflow;
    memcpy(f->main_mac, s->cur_mac, 6);
    f->macs = s->macs[0];
    f->num_unicast = s->first_multi;
    f->num_multicast = s->num_macs - s->first_multi;
    f->vlans = virtio_has(&s->v, NET_F_CTRL_VLAN) ? s->vlans : NULL;
}
