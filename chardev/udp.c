// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Datagrams to one peer. A write is a datagram; those that do not fit the front end at once wait.
 */
#include <errno.h>
#include <json-c/json.h>
#include <sys/socket.h>

#include "chardev/internal.h"
#include "chardev/sockets.h"
#include "util/error.h"

typedef struct Udp {
    Chardev chr;
    FdIo io;
    uint8_t buf[4096];
    size_t used, taken;     /* of the datagram at hand */
} Udp;

static ssize_t udp_read(Chardev *c, uint8_t *buf, size_t len)
{
    Udp *u = (Udp *)c;

    if (u->taken == u->used) {
        ssize_t n = recv(u->io.in_fd, u->buf, sizeof(u->buf), MSG_DONTWAIT);

        if (n <= 0) {
            errno = EAGAIN;     /* a refused or empty datagram is no end of file */
            return -1;
        }
        u->used = (size_t)n;
        u->taken = 0;
    }
    size_t n = MIN(len, u->used - u->taken);

    for (size_t i = 0; i < n; i++) {
        buf[i] = u->buf[u->taken++];
    }
    return (ssize_t)n;
}

static bool udp_open(Chardev *c, struct json_object *o, GError **error)
{
    Udp *u = (Udp *)c;
    SockAddr remote = { .host = (char *)opts_string(o, "host", "localhost"),
                        .port = (char *)opts_string(o, "port", NULL) };
    SockAddr local = { .host = (char *)opts_string(o, "localaddr", NULL),
                       .port = (char *)opts_string(o, "localport", NULL) };

    if (!remote.port || !*remote.port) {
        return fail(error, "chardev: udp: remote port not specified");
    }
    remote.family = opts_bool(o, "ipv6", false) ? AF_INET6
                    : opts_bool(o, "ipv4", false) ? AF_INET : AF_UNSPEC;
    int fd = sockaddr_udp(&remote, &local, error);

    if (fd < 0) {
        return false;
    }
    fdio_start(&u->io, c, fd, fd);
    u->io.read = udp_read;
    c->connected = true;
    return true;
}

static void udp_close(Chardev *c)
{
    fdio_stop(&((Udp *)c)->io);
}

static ssize_t udp_write(Chardev *c, const uint8_t *buf, size_t len)
{
    ssize_t n = send(((Udp *)c)->io.out_fd, buf, MIN(len, 1472), MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0) {
        return errno == EAGAIN ? -EAGAIN : (ssize_t)len;    /* nobody listens: lost, as UDP is */
    }
    return n;
}

static void udp_want_write(Chardev *c, bool on)
{
    fdio_want_write(&((Udp *)c)->io, on);
}

static void udp_update_read(Chardev *c)
{
    Udp *u = (Udp *)c;

    /* What is left of a datagram does not make the socket readable again. */
    while (u->taken < u->used && chardev_can_receive(c) > 0) {
        size_t n = MIN(chardev_can_receive(c), u->used - u->taken);
        const uint8_t *from = u->buf + u->taken;

        u->taken += n;
        chardev_input(c, from, n);
    }
    fdio_update_read(&u->io);
}

static const OptDesc udp_opts[] = {
    { "host", OPT_STRING, "peer", "localhost" },
    { "port", OPT_STRING, "its port" },
    { "localaddr", OPT_STRING, "own address" },
    { "localport", OPT_STRING, "own port" },
    { "ipv4", OPT_BOOL, "use IPv4" },
    { "ipv6", OPT_BOOL, "use IPv6" },
    { NULL },
};

static const ChardevDriver udp_driver = {
    .name = "udp", .opts = udp_opts, .size = sizeof(Udp), .open = udp_open, .close = udp_close,
    .write = udp_write, .want_write = udp_want_write, .update_read = udp_update_read,
};
CHARDEV_DRIVER(udp_driver);
