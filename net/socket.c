// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -netdev socket: another machine's back end over TCP (listen=, connect=), UDP (udp=, localaddr=)
 * or a multicast group (mcast=), or an open descriptor (fd=).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "link.h"
#include "qapi/keyval.h"
#include "util/error.h"
#include "util/fdset.h"
#include "util/socket.h"

static const NetOps socket_ops = { .type = "socket", NET_LINK_OPS };

static bool by_tcp(NetLink *l, const char *text, bool listens, GError **error)
{
    g_auto(GStrv) part = g_strsplit(text, ":", 2);
    SocketPlace p = { .kind = SOCKET_INET, .ipv4 = true };
    g_autofree char *info = NULL;
    int fd;

    if (!part[0] || !part[1]) {
        return fail(error, "host address '%s' doesn't contain ':' separating host from port", text);
    }
    p.host = part[0];
    p.port = part[1];
    info = g_strdup_printf("socket: %s %s", listens ? "wait from" : "connect to", text);
    l->stream = true;
    fd = listens ? socket_listen(&p, 1, error) : socket_connect(&p, error);
    if (fd < 0) {
        return false;
    }
    (listens ? net_link_listen : net_link_attach)(l, fd, info);
    return true;
}

static bool by_mcast(NetLink *l, const char *text, const char *local, GError **error)
{
    g_autofree char *info = g_strdup_printf("socket: mcast=%s", text);
    struct in_addr from;
    int fd;

    if (!net_parse_inet(text, "mcast", &l->dest.in, error)) {
        return false;
    }
    if (local && !inet_aton(local, &from)) {
        return fail(error, "localaddr '%s' is no IPv4 address", local);
    }
    l->dest_len = sizeof(l->dest.in);
    fd = net_join_multicast(&l->dest.in, local ? &from : NULL, error);
    if (fd < 0) {
        return false;
    }
    net_link_attach(l, fd, info);
    return true;
}

static bool by_udp(NetLink *l, const char *text, const char *local, GError **error)
{
    g_autofree char *info = g_strdup_printf("socket: udp=%s", text);
    struct sockaddr_in from;
    int fd;

    if (!local) {
        return fail(error, "localaddr= is mandatory with udp=");
    }
    if (!net_parse_inet(text, "udp", &l->dest.in, error) ||
        !net_parse_inet(local, "localaddr", &from, error)) {
        return false;
    }
    l->dest_len = sizeof(l->dest.in);
    fd = net_bind_dgram((struct sockaddr *)&from, sizeof(from), true, error);
    if (fd < 0) {
        return false;
    }
    net_link_attach(l, fd, info);
    return true;
}

static bool by_fd(NetLink *l, const char *text, GError **error)
{
    SocketPlace p = { .kind = SOCKET_FD, .fd = text };
    g_autofree char *info = g_strdup_printf("socket: fd=%s", text);
    int fd = socket_connect(&p, error), type = 0;
    socklen_t len = sizeof(type);

    if (fd < 0) {
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
        (type != SOCK_STREAM && type != SOCK_DGRAM)) {
        close(fd);
        return fail(error, "fd=%s is no stream or datagram socket", text);
    }
    l->stream = type == SOCK_STREAM;
    net_link_attach(l, fd, info);
    return true;
}

static NetClient *socket_create(const char *id, struct json_object *kv, GError **error)
{
    const char *fd = keyval_get(kv, "fd"), *listens = keyval_get(kv, "listen"),
               *connects = keyval_get(kv, "connect");
    const char *mcast = keyval_get(kv, "mcast"), *udp = keyval_get(kv, "udp"),
               *local = keyval_get(kv, "localaddr");
    NetLink *l;
    bool good;

    if (!!fd + !!listens + !!connects + !!mcast + !!udp != 1) {
        return fail_null(error, "exactly one of listen=, connect=, mcast= or udp= is required");
    }
    if (local && !mcast && !udp) {
        return fail_null(error, "localaddr= is only valid with mcast= or udp=");
    }
    l = net_link_new(id, &socket_ops);
    good = fd         ? by_fd(l, fd, error)
           : listens  ? by_tcp(l, listens, true, error)
           : connects ? by_tcp(l, connects, false, error)
           : mcast    ? by_mcast(l, mcast, local, error)
                      : by_udp(l, udp, local, error);
    if (!good) {
        net_link_cleanup(&l->client);
        return NULL;
    }
    return &l->client;
}

static const char *const socket_keys[] = {"fd",        "listen", "connect", "mcast",
                                          "localaddr", "udp",    NULL};

static const NetdevType socket_type = {
    .name = "socket", .help = "another machine by TCP, UDP or multicast", .keys = socket_keys, .create = socket_create,
};
NETDEV_TYPE(socket_type);
