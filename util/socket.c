// SPDX-License-Identifier: GPL-2.0-or-later
/* Connecting and listening; see the header. */
#include "util/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/error.h"
#include "util/fdset.h"

#define BACKLOG 16

char *socket_place_text(const SocketPlace *p)
{
    switch (p->kind) {
    case SOCKET_UNIX:
        return g_strdup_printf("unix:%s", p->path);
    case SOCKET_FD:
        return g_strdup_printf("fd:%s", p->fd);
    default:
        return g_strdup_printf("%s:%s", p->host ? p->host : "", p->port);
    }
}

static bool fill_path(const SocketPlace *p, struct sockaddr_un *a, GError **error)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(p->path) >= sizeof(a->sun_path)) {
        return fail(error, "UNIX socket path '%s' is too long", p->path);
    }
    memcpy(a->sun_path, p->path, strlen(p->path));
    return true;
}

static int ready(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

static int unix_socket(const SocketPlace *p, bool listening, int backlog, GError **error)
{
    struct sockaddr_un a;
    int fd = fill_path(p, &a, error) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

    if (fd < 0) {
        if (!*error) {
            fail_errno(error, errno, "Failed to create Unix socket");
        }
        return -1;
    }
    if (listening) {
        unlink(p->path);
    }
    if (listening ? bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, backlog) < 0
                  : connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        fail_errno(error, errno,
                   listening ? "Failed to bind socket to %s" : "Failed to connect to '%s'",
                   p->path);
        close(fd);
        return -1;
    }
    return ready(fd);
}

/* -1 and errno. */
static int try_address(const struct addrinfo *a, bool listening, int backlog)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, a->ai_protocol), one = 1, zero = 0,
        why;

    if (fd < 0) {
        return -1;
    }
    if (listening) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (a->ai_family == AF_INET6) {
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
        }
    } else {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    if (listening ? bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, backlog) == 0
                  : connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
        return ready(fd);
    }
    why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int inet_socket(const SocketPlace *p, bool listening, int backlog, GError **error)
{
    struct addrinfo hint = {.ai_socktype = SOCK_STREAM, .ai_flags = listening ? AI_PASSIVE : 0},
                    *list;
    g_autofree char *text = socket_place_text(p);
    int fd = -1, why = 0, ret;

    hint.ai_family = p->ipv4 && !p->ipv6 ? AF_INET : p->ipv6 && !p->ipv4 ? AF_INET6 : AF_UNSPEC;
    ret = getaddrinfo(p->host && p->host[0] ? p->host : NULL, p->port, &hint, &list);
    if (ret) {
        fail(error, "address resolution failed for %s: %s", text, gai_strerror(ret));
        return -1;
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = try_address(a, listening, backlog);
        why = errno;
    }
    freeaddrinfo(list);
    if (fd < 0) {
        fail_errno(error, why,
                   listening ? "Failed to find an available port for %s"
                             : "Failed to connect to '%s'",
                   text);
    }
    return fd;
}

static int taken(const SocketPlace *p, GError **error)
{
    int fd = fd_take(p->fd, error);

    return fd < 0 ? fd : ready(fd);
}

int socket_connect(const SocketPlace *p, GError **error)
{
    switch (p->kind) {
    case SOCKET_UNIX:
        return unix_socket(p, false, 0, error);
    case SOCKET_FD:
        return taken(p, error);
    default:
        return inet_socket(p, false, 0, error);
    }
}

int socket_listen(const SocketPlace *p, int backlog, GError **error)
{
    backlog = backlog > 0 ? backlog : BACKLOG;
    switch (p->kind) {
    case SOCKET_UNIX:
        return unix_socket(p, true, backlog, error);
    case SOCKET_FD:
        return taken(p, error);
    default:
        return inet_socket(p, true, backlog, error);
    }
}

/* ---- conversations that wait ---- */

static bool wait_fd(int fd, short events, int limit_ms)
{
    struct pollfd p = { .fd = fd, .events = events };
    int ret;

    do {
        ret = poll(&p, 1, limit_ms);
    } while (ret < 0 && errno == EINTR);
    return ret > 0;
}

bool socket_send_all(int fd, const void *data, size_t len, const int *fds, unsigned nfds,
                     int limit_ms)
{
    union {
        char room[CMSG_SPACE(SOCKET_MAX_FDS * sizeof(int))];
        struct cmsghdr align;
    } control = { { 0 } };
    size_t done = 0;

    while (done < len) {
        struct iovec iov = { (char *)data + done, len - done };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
        ssize_t n;

        if (nfds && done == 0) {
            msg.msg_control = &control;
            msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
            struct cmsghdr *h = CMSG_FIRSTHDR(&msg);

            *h = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                  .cmsg_type = SCM_RIGHTS,
                                  .cmsg_len = CMSG_LEN(nfds * sizeof(int))};
            memcpy(CMSG_DATA(h), fds, nfds * sizeof(int));
        }
        n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 ||
                   (errno != EINTR && (errno != EAGAIN || !wait_fd(fd, POLLOUT, limit_ms)))) {
            return false;
        }
    }
    return true;
}

bool socket_receive_all(int fd, void *data, size_t len, int limit_ms)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = recv(fd, (char *)data + done, len - done, MSG_DONTWAIT);

        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 ||
                   (errno != EINTR && (errno != EAGAIN || !wait_fd(fd, POLLIN, limit_ms)))) {
            return false;
        }
    }
    return true;
}
