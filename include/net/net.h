// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Network peers: a -netdev back end on one side, a NIC on the other. Packets are Ethernet
 * frames without FCS. A side that cannot take a packet says so, and is asked again after
 * net_ready; nothing is dropped silently inside.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <glib.h>
#include <sys/uio.h>
#include "qom/prop.h"
#include "util/types.h"

typedef struct NetPeer NetPeer;
typedef struct NetClient NetClient;
struct Object;

#define NET_MAX_FRAME (64 * 1024 + 64)

/* How a large frame is to be cut when it meets a wire. */
typedef enum NetGso { NET_GSO_NONE, NET_GSO_TCP4, NET_GSO_TCP6, NET_GSO_UDP } NetGso;

/* What a frame still lacks; zeros: nothing. */
typedef struct NetOffload {
    bool checksum;                     /* of [sum_start, end), at sum_start + sum_offset */
    bool valid;                        /* what checksums there are, are right */
    bool ecn;
    NetGso gso;
    uint16_t sum_start, sum_offset;
    uint16_t segment;                  /* bytes of payload */
} NetOffload;

/* What a NIC lets through: query-rx-filter. Arrays belong to the NIC. */
typedef enum NetRxState { NET_RX_NORMAL, NET_RX_NONE, NET_RX_ALL } NetRxState;
typedef struct NetRxFilter {
    bool promiscuous, broadcast_allowed, unicast_overflow, multicast_overflow;
    NetRxState unicast, multicast;
    uint8_t main_mac[6];
    const uint8_t *macs;               /* unicast ones, then multicast ones, 6 bytes each */
    unsigned num_unicast, num_multicast;
    const uint32_t *vlans;             /* 4096 bits; NULL: all */
} NetRxFilter;

/* What a side takes unfinished. */
enum { NET_TAKES_CHECKSUM = 1, NET_TAKES_TCP4 = 2, NET_TAKES_TCP6 = 4, NET_TAKES_UDP = 8 };

/* What one side of a link can do. Machine lock held. */
typedef struct NetOps {
    const char *type;                  /* "user", "e1000" ... */
    bool (*can_receive)(NetClient *c);            /* NULL: always */
    /*
     * Takes one frame: its length; 0: no room now, keep it and wait for net_ready; -1: dropped for
     * good.
     */
    ssize_t (*receive)(NetClient *c, const uint8_t *frame, size_t len);
    /* The same for frames that are not finished, of the kinds that takes() tells; NULL: none. */
    ssize_t (*receive_offload)(NetClient *c, const uint8_t *frame, size_t len, const NetOffload *o);
    unsigned (*takes)(NetClient *c);
    /* The peer took frames that were queued for it: sending may go on. */
    void (*peer_ready)(NetClient *c);
    void (*link_changed)(NetClient *c, bool up);
    void (*cleanup)(NetClient *c);
    void (*info)(NetClient *c, GString *out);
    /* NICs: the guest announces itself (false: it cannot); what the guest wants to receive. NULL: neither. */
    bool (*announce)(NetClient *c);
    void (*rx_filter)(NetClient *c, NetRxFilter *f);
} NetOps;

/* Sees what passes a back end. */
typedef struct NetWatch {
    /*
     * sent_by: the back end sent it; else it was sent to it. True: the watch takes it, and it goes
     * no further.
     */
    bool (*frame)(void *opaque, bool sent_by, const uint8_t *frame, size_t len);
    void (*gone)(void *opaque);        /* the back end is being removed */
    bool finished;                     /* frames must be as they are on a wire */
    void *opaque;
} NetWatch;

struct NetClient {
    const NetOps *ops;
    char *name;                        /* id of the netdev, or NIC name */
    NetClient *peer;                   /* NULL: not connected */
    void *opaque;
    bool link_down, is_nic;
    bool filter_told;                  /* NIC_RX_FILTER_CHANGED was sent since the last query */
    GPtrArray *watches;                /* NetWatch *; NULL: none */
    uint8_t mac[6];                    /* of a NIC: the one it was given */
    char *model;                       /* of a NIC */
    unsigned queues;                   /* of a back end; 0 counts as 1 */
    GQueue queue;                      /* frames waiting for this side */
    size_t queued_bytes;
};

/* A -netdev; bound to a NIC by prop_netdev. */
struct NetPeer { NetClient *client; };

/* NIC side, at realize: peer may be NULL (no cable). */
void net_nic_init(NetClient *nic, const NetOps *ops, void *opaque, NetPeer *peer, const char *name);
void net_nic_fini(NetClient *nic);
/*
 * The guest has changed what the NIC lets through: says so once, until somebody asks what it is
 * now.
 * dev: the NIC's device.
 */
void net_rx_filter_changed(NetClient *nic, const struct Object *dev);
/*
 * Sends from c to its peer; queued (bounded) when the peer is busy. False: the queue is full, wait
 * for the peer's net_ready before sending more (the frame was not taken).
 */
bool net_send(NetClient *c, const uint8_t *frame, size_t len);
bool net_sendv(NetClient *c, const struct iovec *iov, unsigned n);
/*
 * Sends a frame that lacks something; what the peer does not take is done here, in the frame
 * itself.
 */
bool net_send_offload(NetClient *c, uint8_t *frame, size_t len, const NetOffload *o);
/* net_send of a frame whose checksums are known to be right. */
bool net_send_valid(NetClient *c, const uint8_t *frame, size_t len);
/* w stays until net_unwatch, or until its gone() was called; at: its place among the others. */
void net_watch(NetClient *c, NetWatch *w, unsigned at);
void net_unwatch(NetClient *c, NetWatch *w);
/* c has room again: delivers what is queued for it. */
void net_ready(NetClient *c);
/* The cable of a NIC or back end is plugged in or out (set_link). */
void net_set_link(NetClient *c, bool up);
/* End of the process: frees the back ends. */
void net_cleanup(void);
/* -netdev option text or JSON-derived keyval; -nic and -net forms are rewritten before. */
bool netdev_add_option(const char *text, GError **error);
NetClient *netdev_find(const char *id);
/* 52:54:00:12:34:56 and counting, for NICs without mac=. */
void net_default_mac(uint8_t mac[6]);
/* -nic and -net nic: asks the board for a NIC; each may be NULL. */
void net_request_nic(const char *model, const char *netdev, const char *mac);
/*
 * Next -nic/-net request for a board to make: model (NULL: default) and netdev id; false: no more.
 */
bool net_next_default_nic(const char **model, const char **netdev, const char **mac);

/* All networks are told where the guest is, as by announce-self. */
void net_announce_all(int64_t initial_ms, int64_t max_ms, int64_t rounds, int64_t step_ms);

#endif
