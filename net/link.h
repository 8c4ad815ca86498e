// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A back end on a file descriptor: a stream with a 32-bit big-endian length in front of each frame,
 * or datagrams that are frames. Used by -netdev socket, stream, dgram and tap. Machine lock.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "net/net-internal.h"

typedef struct NetLink NetLink;
struct NetLink {
    NetClient client;
    int fd;                     /* -1: not connected */
    bool stream, file;          /* file: read and write, not sockets' calls */
    bool vnet_header;           /* a virtio header of 10 bytes comes first */
    int listen_fd;              /* -1: none */
    unsigned in_tag, out_tag, listen_tag;
    unsigned hup_tag;           /* of a stream that is not read at present */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } dest;                     /* of datagrams */
    socklen_t dest_len;         /* 0: the socket is connected */
    uint8_t *in;                /* what has been read of a stream */
    size_t in_len;
    GByteArray *out;            /* what the stream did not take yet */
    char *info;
    void (*state_changed)(NetLink *l, bool connected);
    void (*on_cleanup)(NetLink *l);
    char *unlink_path;          /* of a local socket that we bound */
    char *down_script, *ifname; /* tap */
    NetLink *of;                /* a further queue of that one; NULL: none */
    GPtrArray *queues;          /* NetLink *: further queues; NULL: none */
};

/* type: as info network shows it. */
NetLink *net_link_new(const char *id, const NetOps *ops);
/* Takes over fd; non-blocking from here on. */
void net_link_attach(NetLink *l, int fd, const char *info);
/* Takes over a listening socket; each client replaces the one that has gone. */
void net_link_listen(NetLink *l, int fd, const char *info);
void net_link_detach(NetLink *l);
/* Takes over fd as one more queue of l: what comes from it comes from l. */
void net_link_add_queue(NetLink *l, int fd);

/* For NetOps. */
ssize_t net_link_receive(NetClient *c, const uint8_t *frame, size_t len);
bool net_link_can_receive(NetClient *c);
void net_link_peer_ready(NetClient *c);
void net_link_cleanup(NetClient *c);
void net_link_info(NetClient *c, GString *out);
#define NET_LINK_OPS                                                                               \
    .receive = net_link_receive, .can_receive = net_link_can_receive,                              \
    .peer_ready = net_link_peer_ready, .cleanup = net_link_cleanup, .info = net_link_info

/* "host:port" to an IPv4 address; an empty host is any. */
bool net_parse_inet(const char *text, const char *key, struct sockaddr_in *a, GError **error);
/* A datagram socket that is bound to a; reuse: others may be, too. -1 + error. */
int net_bind_dgram(const struct sockaddr *a, socklen_t len, bool reuse, GError **error);
/* ... and joined to a multicast group, on the interface with the local address (may be NULL). */
int net_join_multicast(const struct sockaddr_in *group, const struct in_addr *local,
                       GError **error);

#endif
