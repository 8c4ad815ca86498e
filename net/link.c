// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back ends on a file descriptor. Contract: link.h. What a stream does not take at once is kept,
 * and the NIC is told to wait; datagrams that find no room are lost, as on a wire.
 */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "net/eth.h"
#include "util/bswap.h"
#include "util/error.h"
#include "util/main-loop.h"

#define LENGTH_BYTES 4u
#define IN_SIZE (NET_MAX_FRAME + LENGTH_BYTES)
#define OUT_LIMIT (256 * KIB)
#define BURST 256

static NetLink *link_of(NetClient *c)
{
    return c->opaque;
}

NetLink *net_link_new(const char *id, const NetOps *ops)
{
    NetLink *l = g_new0(NetLink, 1);

    l->client = (NetClient){ .ops = ops, .name = g_strdup(id), .opaque = l };
    g_queue_init(&l->client.queue);
    l->fd = l->listen_fd = -1;
    l->in = g_malloc(IN_SIZE);
    l->out = g_byte_array_new();
    return l;
}

static void set_info(NetLink *l, const char *info)
{
    g_free(l->info);
    l->info = g_strdup(info);
}

/* ---- in ---- */

/* The NIC lags: the other side waits, for nobody reads. */
static bool peer_lags(const NetLink *l)
{
    const NetClient *nic = l->of ? l->of->client.peer : l->client.peer;

    return nic && nic->queued_bytes > OUT_LIMIT;
}

static void watch_in(NetLink *l);

static void lost(NetLink *l)
{
    net_link_detach(l);
    if (l->state_changed) {
        l->state_changed(l, false);
    }
}

/* Whole frames of what was read; false: nonsense. */
static bool take_frames(NetLink *l)
{
    size_t at = 0;

    while (l->in_len - at >= LENGTH_BYTES) {
        uint32_t len = load_be32(l->in + at);

        if (len > NET_MAX_FRAME) {
            return false;
        }
        if (l->in_len - at - LENGTH_BYTES < len) {
            break;
        }
        net_send(&l->client, l->in + at + LENGTH_BYTES, len);
        at += LENGTH_BYTES + len;
    }
    memmove(l->in, l->in + at, l->in_len - at);
    l->in_len -= at;
    return true;
}

static NetClient *end_of(NetLink *l)
{
    return l->of ? &l->of->client : &l->client;
}

static void take_packet(NetLink *l, size_t n)
{
    NetOffload o;

    if (!l->vnet_header) {
        net_send(end_of(l), l->in, n);
    } else if (n > ETH_VNET_BYTES && eth_vnet_load(l->in, n - ETH_VNET_BYTES, &o)) {
        net_send_offload(end_of(l), l->in + ETH_VNET_BYTES, n - ETH_VNET_BYTES, &o);
    }
}

static void unwatch(unsigned *tag)
{
    if (*tag) {
        fd_unwatch(*tag);
        *tag = 0;
    }
}

/* The other side went away while nothing is read. */
static bool hung_up(int fd, GIOCondition events, void *opaque)
{
    NetLink *l = opaque;

    l->hup_tag = 0;
    lost(l);
    return false;
}

/* Reads no more until the peer takes frames again; of a stream's end we still hear. */
static void pause_in(NetLink *l)
{
    l->in_tag = 0;
    if (l->stream && !l->hup_tag) {
        l->hup_tag = fd_watch(l->fd, G_IO_HUP | G_IO_ERR, hung_up, l);
    }
}

static bool readable(int fd, GIOCondition events, void *opaque)
{
    NetLink *l = opaque;

    for (unsigned i = 0; i < BURST; i++) {
        if (peer_lags(l)) {
            pause_in(l);
            return false;
        }
        uint8_t *to = l->stream ? l->in + l->in_len : l->in;
        size_t room = l->stream ? IN_SIZE - l->in_len : IN_SIZE;
        ssize_t n = l->file ? read(fd, to, room) : recv(fd, to, room, 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return true;
        }
        if (l->stream) {
            if (n <= 0) {
                l->in_tag = 0;
                lost(l);
                return false;
            }
            l->in_len += (size_t)n;
            if (!take_frames(l)) {
                warn_report("netdev %s: a frame of more than %u bytes", l->client.name,
                            (unsigned)NET_MAX_FRAME);
                l->in_tag = 0;
                lost(l);
                return false;
            }
        } else if (n > 0) {
            take_packet(l, (size_t)n);
        } else if (n < 0 && l->file) {
            l->in_tag = 0;
            return false;
        } else if (n < 0) {
            return true;        /* an error of an earlier datagram */
        }
    }
    return true;
}

static void watch_in(NetLink *l)
{
    if (l->fd >= 0 && !l->in_tag) {
        unwatch(&l->hup_tag);
        l->in_tag = fd_watch(l->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, readable, l);
    }
}

void net_link_peer_ready(NetClient *c)
{
    NetLink *l = link_of(c);

    if (!peer_lags(l)) {
        watch_in(l);
        for (unsigned i = 0; l->queues && i < l->queues->len; i++) {
            watch_in(g_ptr_array_index(l->queues, i));
        }
    }
}

/* ---- out ---- */

static bool writable(int fd, GIOCondition events, void *opaque)
{
    NetLink *l = opaque;
    ssize_t n = send(fd, l->out->data, l->out->len, MSG_NOSIGNAL);

    if (n > 0) {
        g_byte_array_remove_range(l->out, 0, (guint)n);
    }
    if (l->out->len && (n >= 0 || errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    g_byte_array_set_size(l->out, 0);
    l->out_tag = 0;
    net_ready(&l->client);
    return false;
}

bool net_link_can_receive(NetClient *c)
{
    return link_of(c)->out->len < OUT_LIMIT;
}

static ssize_t send_stream(NetLink *l, const uint8_t *frame, size_t len)
{
    uint8_t head[LENGTH_BYTES];
    struct iovec iov[2] = { { head, sizeof(head) }, { (void *)frame, len } };
    struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
    size_t done = 0;

    store_be32(head, (uint32_t)len);
    if (l->out->len == 0) {
        ssize_t n = sendmsg(l->fd, &m, MSG_NOSIGNAL);

        done = n > 0 ? (size_t)n : 0;
    }
    if (done < sizeof(head)) {
        g_byte_array_append(l->out, head + done, (guint)(sizeof(head) - done));
        done = sizeof(head);
    }
    g_byte_array_append(l->out, frame + (done - sizeof(head)),
                        (guint)(len - (done - sizeof(head))));
    if (l->out->len && !l->out_tag) {
        l->out_tag = fd_watch(l->fd, G_IO_OUT | G_IO_ERR | G_IO_HUP, writable, l);
    }
    return (ssize_t)len;
}

ssize_t net_link_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    static const uint8_t vnet[ETH_VNET_BYTES];
    NetLink *l = link_of(c);
    ssize_t n;

    if (l->fd < 0) {
        return (ssize_t)len;      /* nobody is there */
    }
    if (l->stream) {
        return send_stream(l, frame, len);
    }
    if (l->file) {
        struct iovec iov[2] = {{(void *)vnet, l->vnet_header ? ETH_VNET_BYTES : 0},
                               {(void *)frame, len}};

        n = writev(l->fd, iov, 2);
    } else {
        n = l->dest_len ? sendto(l->fd, frame, len, 0, &l->dest.any, l->dest_len)
                        : send(l->fd, frame, len, MSG_NOSIGNAL);
    }
    return n < 0 ? -1 : (ssize_t)len;
}

/* ---- life ---- */

void net_link_attach(NetLink *l, int fd, const char *info)
{
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    l->fd = fd;
    l->in_len = 0;
    set_info(l, info);
    watch_in(l);
    if (l->state_changed) {
        l->state_changed(l, true);
    }
}

static bool accept_client(int fd, GIOCondition events, void *opaque)
{
    NetLink *l = opaque;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    g_autofree char *info = NULL;

    if (client < 0) {
        return true;
    }
    /* one at a time: the next comes when this one has gone */
    l->listen_tag = 0;
    info = g_strdup_printf("connection from %s", l->info ? l->info : "");
    net_link_attach(l, client, info);
    return false;
}

void net_link_listen(NetLink *l, int fd, const char *info)
{
    l->listen_fd = fd;
    l->listen_tag = fd_watch(fd, G_IO_IN, accept_client, l);
    set_info(l, info);
}

void net_link_add_queue(NetLink *l, int fd)
{
    NetLink *q = net_link_new(l->client.name, l->client.ops);

    if (!l->queues) {
        l->queues = g_ptr_array_new();
    }
    q->of = l;
    q->stream = l->stream;
    q->file = l->file;
    q->vnet_header = l->vnet_header;
    g_ptr_array_add(l->queues, q);
    l->client.queues = l->queues->len + 1;
    net_link_attach(q, fd, l->info);
}

void net_link_detach(NetLink *l)
{
    unwatch(&l->in_tag);
    unwatch(&l->hup_tag);
    unwatch(&l->out_tag);
    if (l->fd >= 0) {
        close(l->fd);
        l->fd = -1;
    }
    l->in_len = 0;
    g_byte_array_set_size(l->out, 0);
    if (l->listen_fd >= 0 && !l->listen_tag) {
        l->listen_tag = fd_watch(l->listen_fd, G_IO_IN, accept_client, l);
    }
}

void net_link_cleanup(NetClient *c)
{
    NetLink *l = link_of(c);

    if (l->on_cleanup) {
        l->on_cleanup(l);
    }
    while (l->queues && l->queues->len) {
        NetLink *q = g_ptr_array_steal_index(l->queues, l->queues->len - 1);

        net_link_cleanup(&q->client);
    }
    g_clear_pointer(&l->queues, g_ptr_array_unref);
    unwatch(&l->listen_tag);
    if (l->listen_fd >= 0) {
        close(l->listen_fd);
        l->listen_fd = -1;
    }
    net_link_detach(l);
    if (l->unlink_path) {
        g_unlink(l->unlink_path);
    }
    g_byte_array_unref(l->out);
    g_free(l->in);
    g_free(l->info);
    g_free(l->unlink_path);
    g_free(l->down_script);
    g_free(l->ifname);
    g_free(l->client.name);
    g_free(l);
}

void net_link_info(NetClient *c, GString *out)
{
    g_string_append(out, link_of(c)->info ? link_of(c)->info : "");
}

/* ---- addresses of datagrams ---- */

bool net_parse_inet(const char *text, const char *key, struct sockaddr_in *a, GError **error)
{
    g_auto(GStrv) part = g_strsplit(text, ":", 2);
    uint64_t port;

    *a = (struct sockaddr_in){ .sin_family = AF_INET };
    if (!part[0] || !part[1]) {
        return fail(error, "%s: host address '%s' doesn't contain ':' separating host from port",
                    key, text);
    }
    if (*part[0] && !inet_aton(part[0], &a->sin_addr)) {
        return fail(error, "%s: '%s' is no IPv4 address", key, part[0]);
    }
    if (!parse_u64(part[1], &port) || port > 65535) {
        return fail(error, "%s: port number '%s' is invalid", key, part[1]);
    }
    a->sin_port = htons((uint16_t)port);
    return true;
}

int net_bind_dgram(const struct sockaddr *a, socklen_t len, bool reuse, GError **error)
{
    int fd = socket(a->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

    if (fd >= 0 && (!reuse || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0) &&
        bind(fd, a, len) == 0) {
        return fd;
    }
    fail(error, "can't bind datagram socket: %s", g_strerror(errno));
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

int net_join_multicast(const struct sockaddr_in *group, const struct in_addr *local, GError **error)
{
    struct ip_mreq m = { .imr_multiaddr = group->sin_addr };
    int on = 1, fd;

    if (!IN_MULTICAST(ntohl(group->sin_addr.s_addr))) {
        fail(error, "specified mcastaddr %s does not contain a multicast address",
             inet_ntoa(group->sin_addr));
        return -1;
    }
    fd = net_bind_dgram((const struct sockaddr *)group, sizeof(*group), true, error);
    if (fd < 0) {
        return -1;
    }
    if (local) {
        m.imr_interface = *local;
    }
    if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof(on)) < 0 ||
        (local && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, local, sizeof(*local)) < 0)) {
        fail(error, "can't join multicast group %s: %s", inet_ntoa(group->sin_addr),
             g_strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}
