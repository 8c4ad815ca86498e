// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -netdev stream and -netdev dgram: frames over TCP or local stream sockets, and over UDP,
 * multicast or local datagram sockets, with addresses as QMP's SocketAddress has them.
 */
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "link.h"
#include "qapi/keyval.h"
#include "qapi/qapi-events.h"
#include "util/error.h"
#include "util/socket.h"

/* "addr.host" and the like, by prefix. */
static const char *part_of(struct json_object *kv, const char *prefix, const char *name)
{
    g_autofree char *key = g_strdup_printf("%s.%s", prefix, name);

    return keyval_get(kv, key);
}

static bool parse_place(struct json_object *kv, const char *prefix, SocketPlace *p, GError **error)
{
    const char *type = part_of(kv, prefix, "type");

    *p = (SocketPlace){ .host = part_of(kv, prefix, "host"), .port = part_of(kv, prefix, "port"),
                        .path = part_of(kv, prefix, "path"), .fd = part_of(kv, prefix, "str") };
    if (!type) {
        return fail(error, "Parameter '%s.type' is missing", prefix);
    }
    if (strcmp(type, "inet") == 0) {
        p->kind = SOCKET_INET;
        return (p->host && p->port) ||
               fail(error, "Parameter '%s.%s' is missing", prefix, p->host ? "port" : "host");
    }
    if (strcmp(type, "unix") == 0) {
        p->kind = SOCKET_UNIX;
        return p->path || fail(error, "Parameter '%s.path' is missing", prefix);
    }
    if (strcmp(type, "fd") == 0) {
        p->kind = SOCKET_FD;
        return p->fd || fail(error, "Parameter '%s.str' is missing", prefix);
    }
    return fail(error, "Parameter '%s.type' does not accept value '%s'", prefix, type);
}

/* ---- stream ---- */

static void stream_state_changed(NetLink *l, bool connected)
{
    if (!connected) {
        qapi_event_netdev_stream_disconnected(
            &(const NetdevStreamDisconnectedEvent){.netdev_id = l->client.name});
    }
}

static const NetOps stream_ops = { .type = "stream", NET_LINK_OPS };

static NetClient *stream_create(const char *id, struct json_object *kv, GError **error)
{
    const char *server_text = keyval_get(kv, "server");
    g_autofree char *where = NULL, *info = NULL;
    bool server = false;
    SocketPlace p;
    NetLink *l;
    int fd;

    if ((server_text && !bool_parse(server_text, "server", &server, error)) ||
        !parse_place(kv, "addr", &p, error)) {
        return NULL;
    }
    where = socket_place_text(&p);
    fd = server ? socket_listen(&p, 1, error) : socket_connect(&p, error);
    if (fd < 0) {
        return NULL;
    }
    l = net_link_new(id, &stream_ops);
    l->stream = true;
    l->state_changed = stream_state_changed;
    l->unlink_path = server && p.kind == SOCKET_UNIX ? g_strdup(p.path) : NULL;
    info = g_strdup_printf("%s%s", server ? "listening on " : "", where);
    (server ? net_link_listen : net_link_attach)(l, fd, info);
    return &l->client;
}

static const char *const stream_keys[] = {
    "server", "addr.type", "addr.host", "addr.port", "addr.path", "addr.str", "addr.ipv4", "addr.ipv6", NULL,
};

static const NetdevType stream_type = {
    .name = "stream", .help = "another machine by a stream socket", .keys = stream_keys, .create = stream_create,
};
NETDEV_TYPE(stream_type);

/* ---- dgram ---- */

/* A numeric or named inet address of datagrams. */
static bool resolve(const SocketPlace *p, NetLink *l, GError **error)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM }, *found = NULL;
    int code = getaddrinfo(p->host, p->port, &hints, &found);

    if (code) {
        return fail(error, "address resolution failed for %s:%s: %s", p->host, p->port,
                    gai_strerror(code));
    }
    memcpy(&l->dest.in, found->ai_addr, sizeof(l->dest.in));
    l->dest_len = sizeof(l->dest.in);
    freeaddrinfo(found);
    return true;
}

static bool local_address(const char *path, NetLink *l, GError **error)
{
    if (strlen(path) >= sizeof(l->dest.un.sun_path)) {
        return fail(error, "path '%s' is too long for a local socket", path);
    }
    l->dest.un = (struct sockaddr_un){ .sun_family = AF_UNIX };
    g_strlcpy(l->dest.un.sun_path, path, sizeof(l->dest.un.sun_path));
    l->dest_len = sizeof(l->dest.un);
    return true;
}

static bool place_to_dest(const SocketPlace *p, NetLink *l, GError **error)
{
    return p->kind == SOCKET_INET   ? resolve(p, l, error)
           : p->kind == SOCKET_UNIX ? local_address(p->path, l, error)
                                    : fail(error, "an address of type 'fd' is only for local=");
}

static int open_dgram(NetLink *l, const SocketPlace *local, const SocketPlace *remote,
                      GError **error)
{
    int fd = -1;

    if (local && local->kind == SOCKET_FD) {
        l->dest_len = 0;
        return socket_connect(local, error);
    }
    if (remote && remote->kind == SOCKET_INET) {
        if (!resolve(remote, l, error)) {
            return -1;
        }
        if (IN_MULTICAST(ntohl(l->dest.in.sin_addr.s_addr))) {
            struct sockaddr_in group = l->dest.in;

            if (local && (local->kind != SOCKET_INET || !resolve(local, l, error))) {
                return -1;
            }
            struct in_addr from = l->dest.in.sin_addr;

            l->dest.in = group;
            return net_join_multicast(&group, local ? &from : NULL, error);
        }
    }
    if (!local) {
        fail(error, "dgram requires local= parameter");
        return -1;
    }
    if (!place_to_dest(local, l, error)) {
        return -1;
    }
    if (local->kind == SOCKET_UNIX) {
        unlink(local->path);
        l->unlink_path = g_strdup(local->path);
    }
    fd = net_bind_dgram(&l->dest.any, l->dest_len, local->kind == SOCKET_INET, error);
    if (fd >= 0 && (!remote || !place_to_dest(remote, l, error))) {
        close(fd);
        return *error ? -1 : (fail(error, "dgram requires remote= parameter"), -1);
    }
    return fd;
}

static const NetOps dgram_ops = { .type = "dgram", NET_LINK_OPS };

static NetClient *dgram_create(const char *id, struct json_object *kv, GError **error)
{
    bool has_local = part_of(kv, "local", "type"), has_remote = part_of(kv, "remote", "type");
    g_autofree char *where = NULL;
    SocketPlace local, remote;
    NetLink *l;
    int fd;

    if (!has_local && !has_remote) {
        return fail_null(error, "dgram requires local= or remote= parameter");
    }
    if ((has_local && !parse_place(kv, "local", &local, error)) ||
        (has_remote && !parse_place(kv, "remote", &remote, error))) {
        return NULL;
    }
    l = net_link_new(id, &dgram_ops);
    fd = open_dgram(l, has_local ? &local : NULL, has_remote ? &remote : NULL, error);
    if (fd < 0) {
        net_link_cleanup(&l->client);
        return NULL;
    }
    where = socket_place_text(has_remote ? &remote : &local);
    net_link_attach(l, fd, where);
    return &l->client;
}

static const char *const dgram_keys[] = {
    "local.type", "local.host", "local.port", "local.path", "local.str",
    "remote.type", "remote.host", "remote.port", "remote.path", "remote.str", NULL,
};

static const NetdevType dgram_type = {
    .name = "dgram", .help = "another machine by datagrams", .keys = dgram_keys, .create = dgram_create,
};
NETDEV_TYPE(dgram_type);
