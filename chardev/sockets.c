// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making sockets of addresses. Name look-ups may block: they happen at start or by a user's wish.
 */
#include "chardev/sockets.h"

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qapi/keyval.h"
#include "util/error.h"

bool sockaddr_from_options(SockAddr *a, struct json_object *o, GError **error)
{
    *a = (SockAddr){ .path = g_strdup(opts_string(o, "path", NULL)),
                     .fd_text = g_strdup(opts_string(o, "fd", NULL)),
                     .host = g_strdup(opts_string(o, "host", NULL)),
                     .port = g_strdup(opts_string(o, "port", NULL)),
                     .abstract = opts_bool(o, "abstract", false),
                     .tight = opts_bool(o, "tight", true),
                     .to = (unsigned)opts_number(o, "to", 0), .family = AF_UNSPEC };
    int given = (a->path != NULL) + (a->fd_text != NULL) + (a->host != NULL || a->port != NULL);

    if (given != 1) {
        sockaddr_clear(a);
        return given ? fail(error,
                            "chardev: socket: 'path', 'fd' and 'host'/'port' exclude each other")
                     : fail(error, "chardev: socket: no 'path', 'fd' or 'port' given");
    }
    if (!a->path && !a->fd_text && !a->port) {
        sockaddr_clear(a);
        return fail(error, "chardev: socket: no port given");
    }
    if (opts_has(o, "ipv4") || opts_has(o, "ipv6")) {
        bool v4 = opts_bool(o, "ipv4", !opts_bool(o, "ipv6", false));
        bool v6 = opts_bool(o, "ipv6", !v4);

        if (!v4 && !v6) {
            sockaddr_clear(a);
            return fail(error, "Cannot disable IPv4 and IPv6 at same time");
        }
        a->family = v4 && v6 ? AF_UNSPEC : v4 ? AF_INET : AF_INET6;
    }
    return true;
}

void sockaddr_clear(SockAddr *a)
{
    g_free(a->path);
    g_free(a->fd_text);
    g_free(a->host);
    g_free(a->port);
    *a = (SockAddr){ 0 };
}

static bool unix_address(const SockAddr *a, struct sockaddr_un *un, socklen_t *len, GError **error)
{
    size_t n = strlen(a->path);

    *un = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (n > sizeof(un->sun_path) - 1) {
        return fail(error, "UNIX socket path '%s' is too long", a->path);
    }
    memcpy(un->sun_path + a->abstract, a->path, n);
    *len = a->abstract && a->tight ? (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)
                                   : sizeof(*un);
    return true;
}

static int unix_listen(const SockAddr *a, GError **error)
{
    struct sockaddr_un un;
    socklen_t len;

    if (!unix_address(a, &un, &len, error)) {
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        fail_errno(error, errno, "Failed to create Unix socket");
        return -1;
    }
    if (!a->abstract && unlink(a->path) < 0 && errno != ENOENT) {
        fail_errno(error, errno, "Failed to unlink socket %s", a->path);
    } else if (bind(fd, (struct sockaddr *)&un, len) < 0) {
        fail_errno(error, errno, "Failed to bind socket to %s", a->path);
    } else if (listen(fd, 1) < 0) {
        fail_errno(error, errno, "Failed to listen on socket %s", a->path);
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

static struct addrinfo *resolve(const SockAddr *a, int type, bool passive, GError **error)
{
    struct addrinfo hints = { .ai_family = a->family, .ai_socktype = type,
                              .ai_flags = passive ? AI_PASSIVE : 0 };
    const char *host = a->host && *a->host ? a->host : passive ? NULL : "localhost";
    struct addrinfo *list;
    int rc = getaddrinfo(host, a->port, &hints, &list);

    if (rc) {
        fail(error, "address resolution failed for %s:%s: %s", a->host ? a->host : "", a->port,
             gai_strerror(rc));
        return NULL;
    }
    return list;
}

static int bind_one(const struct addrinfo *ai, int *err)
{
    int on = 1, fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);

    if (fd < 0) {
        *err = errno;
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 1) < 0) {
        *err = errno;
        close(fd);
        return -1;
    }
    return fd;
}

int sockaddr_listen(const SockAddr *a, GError **error)
{
    if (a->path) {
        return unix_listen(a, error);
    }
    SockAddr one = *a;
    uint64_t first = 0;
    int err = 0, fd = -1;

    if (a->to && (!int_parse(a->port, "port", true, (int64_t *)&first, error) || first > a->to)) {
        if (!*error) {
            fail(error, "Parameter 'to' must not be below the port");
        }
        return -1;
    }
    for (uint64_t port = first; fd < 0 && port <= MAX(first, (uint64_t)a->to); port++) {
        g_autofree char *text = a->to ? g_strdup_printf("%u", (unsigned)port) : g_strdup(a->port);

        one.port = text;
        struct addrinfo *list = resolve(&one, SOCK_STREAM, true, error);

        if (!list) {
            return -1;
        }
        for (struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next) {
            fd = bind_one(ai, &err);
        }
        freeaddrinfo(list);
    }
    if (fd < 0) {
        fail_errno(error, err, "Failed to find an available port for %s:%s",
                   a->host ? a->host : "", a->port);
    }
    return fd;
}

int sockaddr_connect(const SockAddr *a, bool nonblock, bool *pending, GError **error)
{
    int flags = SOCK_CLOEXEC | (nonblock ? SOCK_NONBLOCK : 0), err = 0;

    *pending = false;
    if (a->path) {
        struct sockaddr_un un;
        socklen_t len;

        if (!unix_address(a, &un, &len, error)) {
            return -1;
        }
        int fd = socket(AF_UNIX, SOCK_STREAM | flags, 0);

        if (fd >= 0 && connect(fd, (struct sockaddr *)&un, len) == 0) {
            return fd;
        }
        fail_errno(error, errno, "Failed to connect to '%s'", a->path);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    struct addrinfo *list = resolve(a, SOCK_STREAM, false, error);
    int fd = -1;

    for (struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next) {
        fd = socket(ai->ai_family, ai->ai_socktype | flags, ai->ai_protocol);
        if (fd >= 0 && connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
            err = errno;
            *pending = nonblock && err == EINPROGRESS;
            if (!*pending) {
                close(fd);
                fd = -1;
            }
        }
    }
    if (list && fd < 0) {
        fail_errno(error, err ? err : errno, "Failed to connect to '%s:%s'", a->host ? a->host : "",
                   a->port);
    }
    if (list) {
        freeaddrinfo(list);
    }
    return fd;
}

int sockaddr_udp(const SockAddr *remote, const SockAddr *local, GError **error)
{
    SockAddr bind_to = { .host = local->host, .port = local->port ? local->port : (char *)"0" };
    struct addrinfo *list = resolve(remote, SOCK_DGRAM, false, error), *own = NULL;
    int fd = -1;

    if (!list) {
        return -1;
    }
    bind_to.family = list->ai_family;
    own = resolve(&bind_to, SOCK_DGRAM, true, error);
    if (own) {
        fd = socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, own->ai_addr, own->ai_addrlen) < 0) {
            fail_errno(error, errno, "Failed to bind socket");
        } else if (connect(fd, list->ai_addr, list->ai_addrlen) < 0) {
            fail_errno(error, errno, "Failed to connect socket");
        } else {
            freeaddrinfo(own);
            freeaddrinfo(list);
            return fd;
        }
        if (fd >= 0) {
            close(fd);
        }
        freeaddrinfo(own);
    }
    freeaddrinfo(list);
    return -1;
}

char *sockaddr_text(const SockAddr *a, const char *protocol)
{
    if (a->path) {
        return g_strdup_printf("unix:%s", a->path);
    }
    if (a->fd_text) {
        return g_strdup_printf("fd:%s", a->fd_text);
    }
    return g_strdup_printf("%s:%s:%s", protocol, a->host ? a->host : "", a->port);
}
