// SPDX-License-Identifier: GPL-2.0-or-later
/* State of a virtio network device, shared by virtio-net.c (data path) and virtio-net-ctrl.c. */
#ifndef HW_NET_VIRTIO_NET_H
#define HW_NET_VIRTIO_NET_H

#include "hw/net/nic.h"
#include "hw/virtio/vhost-user.h"
#include "hw/virtio/virtio.h"

enum {
    NET_F_CSUM = 0,
    NET_F_GUEST_CSUM = 1,
    NET_F_CTRL_GUEST_OFFLOADS = 2,
    NET_F_MTU = 3,
    NET_F_MAC = 5,
    NET_F_GSO = 6,
    NET_F_GUEST_TSO4 = 7,
    NET_F_GUEST_TSO6 = 8,
    NET_F_GUEST_ECN = 9,
    NET_F_GUEST_UFO = 10,
    NET_F_HOST_TSO4 = 11,
    NET_F_HOST_TSO6 = 12,
    NET_F_HOST_ECN = 13,
    NET_F_HOST_UFO = 14,
    NET_F_MRG_RXBUF = 15,
    NET_F_STATUS = 16,
    NET_F_CTRL_VQ = 17,
    NET_F_CTRL_RX = 18,
    NET_F_CTRL_VLAN = 19,
    NET_F_CTRL_RX_EXTRA = 20,
    NET_F_GUEST_ANNOUNCE = 21,
    NET_F_MQ = 22,
    NET_F_CTRL_MAC_ADDR = 23,
    NET_F_HASH_REPORT = 57,
    NET_F_RSS = 60,
    NET_F_SPEED_DUPLEX = 63 };
#define NET_GUEST_OFFLOADS                                                                         \
    (VIRTIO_BIT(NET_F_GUEST_CSUM) | VIRTIO_BIT(NET_F_GUEST_TSO4) | VIRTIO_BIT(NET_F_GUEST_TSO6) |  \
     VIRTIO_BIT(NET_F_GUEST_ECN) | VIRTIO_BIT(NET_F_GUEST_UFO))

#define VIRTIO_NET_PAIRS ((VIRTIO_MAX_QUEUES - 1) / 2)
#define VIRTIO_NET_MACS 64
#define VIRTIO_NET_VLANS 4096
#define VIRTIO_NET_FLOWS 256u
#define VIRTIO_NET_FRAME 65550u
#define VIRTIO_NET_RSS_KEY 40
#define VIRTIO_NET_RSS_TABLE 128
/* IPv4, TCP and UDP over it, the same of IPv6. */
#define VIRTIO_NET_HASH_TYPES 0x3fu

/* What the driver says about hashes. */
typedef struct VirtioNetRss {
    bool steers;                 /* the table is in force */
    uint32_t types;
    uint16_t mask, unclassified, table[VIRTIO_NET_RSS_TABLE];
    uint8_t key[VIRTIO_NET_RSS_KEY];
} VirtioNetRss;
extern const StateField virtio_net_rss_state[];

typedef struct VirtioNet {
    VirtioDevice v;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex, speed, tx_burst;
    uint16_t rx_queue_size, tx_queue_size, host_mtu;
    char *duplex, *tx_mode;
    uint32_t tx_timer_ns;
    uint64_t host_features;      /* properties that are bits */
    NetClient nic;
    uint32_t max_pairs, pairs;   /* there are / the driver uses */
    uint64_t offloads;           /* what the driver takes, of NET_GUEST_OFFLOADS */
    bool announcing;
    uint8_t cur_mac[6];
    bool promisc, allmulti, alluni, nomulti, nouni, nobcast;
    uint32_t num_macs, first_multi;
    bool uni_overflow, multi_overflow;
    uint8_t macs[VIRTIO_NET_MACS][6];
    uint32_t vlans[VIRTIO_NET_VLANS / 32];
    VirtioNetRss rss;
    uint8_t flow_queue[VIRTIO_NET_FLOWS];     /* where the driver sent from, by hash */
    VirtqElem *tx_waiting[VIRTIO_NET_PAIRS];  /* its frame found the peer's queue full */
    uint8_t *tx_buf;
    VhostFront *front;           /* another process moves the frames; NULL: this one */
} VirtioNet;

/* The control queue's number depends on whether the driver knows of more pairs. */
static inline unsigned virtio_net_ctrl_queue(const VirtioNet *s)
{
    return virtio_has(&s->v, NET_F_MQ) || virtio_has(&s->v, NET_F_RSS) ? 2 * s->max_pairs : 2;
}

/* virtio-net-rss.c: commands with an element in hand. */
bool virtio_net_rss_config(VirtioNet *s, VirtqElem *e);
bool virtio_net_hash_config(VirtioNet *s, VirtqElem *e);
/* A frame's hash and what is reported of it (0: none). */
unsigned virtio_net_rss_hash(const VirtioNet *s, const uint8_t *frame, size_t len, uint32_t *hash);
/* The pair for it, while rss.steers. */
unsigned virtio_net_rss_pair(const VirtioNet *s, unsigned report, uint32_t hash);
void virtio_net_rss_reset(VirtioNet *s);

/*
 * virtio-net-vhost.c: with -netdev vhost-user (true and s->front set, or false and *error); what is
 * left of the features; the driver uses other pairs.
 */
bool virtio_net_vhost_realize(VirtioNet *s, GError **error);
void virtio_net_vhost_unrealize(VirtioNet *s);
uint64_t virtio_net_vhost_features(const VirtioNet *s, uint64_t features);
void virtio_net_vhost_pairs(VirtioNet *s);

/* virtio-net-ctrl.c */
bool virtio_net_wanted(const VirtioNet *s, const uint8_t *frame, size_t len);
void virtio_net_control(VirtioNet *s, VirtQueue *vq);
/* No filters: everything, until the driver says otherwise. */
void virtio_net_filter_reset(VirtioNet *s);
void virtio_net_rx_filter(NetClient *c, NetRxFilter *f);

#endif
