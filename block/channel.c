// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets for coroutines; see the header. */
#include "block/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qom/tls.h"
#include "util/coroutine.h"
#include "util/iov.h"
#include "util/main-loop.h"

#define MAX_IOV 64u

struct CoChannel {
    int fd;
    TlsSession *tls;
    bool closed;
};

CoChannel *channel_new(int fd)
{
    CoChannel *c = g_new0(CoChannel, 1);

    c->fd = fd;
    return c;
}

void channel_free(CoChannel *c)
{
    if (c) {
        if (c->tls && !c->closed) {
            tls_bye(c->tls);
        }
        tls_session_free(c->tls);
        close(c->fd);
        g_free(c);
    }
}

int channel_fd(const CoChannel *c)
{
    return c->fd;
}

void channel_shutdown(CoChannel *c)
{
    c->closed = true;
    shutdown(c->fd, SHUT_RDWR);
}

typedef struct Waiting {
    Coroutine *co;
    bool fired;
} Waiting;

static bool wake(int fd, GIOCondition events, void *opaque)
{
    Waiting *w = opaque;

    w->fired = true;
    coroutine_wake(w->co);
    return false;
}

/* May come back early, when somebody else has woken us. */
static void co_wait(CoChannel *c, bool write)
{
    Waiting w = { .co = coroutine_self() };
    unsigned tag = fd_watch(c->fd, (write ? G_IO_OUT : G_IO_IN) | G_IO_HUP | G_IO_ERR, wake, &w);

    co_yield();
    if (!w.fired) {
        fd_unwatch(tag);
    }
}

bool co_channel_start_tls(CoChannel *c, const char *creds_id, bool server, const char *peer,
                          GError **error)
{
    c->tls = tls_session_new(creds_id, server, c->fd, server ? NULL : peer, error);
    if (c->tls && server) {
        tls_session_authorize(c->tls, peer);
    }
    while (c->tls) {
        TlsWait w = tls_handshake(c->tls, error);

        if (w == TLS_DONE || w == TLS_FAILED) {
            return w == TLS_DONE;
        }
        co_wait(c, w == TLS_WAIT_WRITE);
    }
    return false;
}

static ssize_t move(CoChannel *c, bool write, const struct iovec *iov, unsigned niov,
                    bool *wait_write)
{
    struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = niov };
    TlsWait wait = write ? TLS_WAIT_WRITE : TLS_WAIT_READ;
    ssize_t n;

    if (c->tls) {
        n = write ? tls_write(c->tls, iov->iov_base, iov->iov_len, &wait)
                  : tls_read(c->tls, iov->iov_base, iov->iov_len, &wait);
    } else {
        n = write ? sendmsg(c->fd, &msg, MSG_NOSIGNAL) : recvmsg(c->fd, &msg, 0);
    }
    *wait_write = wait == TLS_WAIT_WRITE;
    return n;
}

/* 1: all; 0: the end before the first byte. */
static int co_move(CoChannel *c, bool write, const struct iovec *iov, unsigned niov, size_t offset,
                   size_t len)
{
    size_t done = 0;

    while (done < len) {
        struct iovec part[MAX_IOV];
        unsigned n = iov_slice(part, MAX_IOV, iov, niov, offset + done, len - done);
        bool wait_write;
        ssize_t moved = move(c, write, part, n, &wait_write);

        if (moved > 0) {
            done += (size_t)moved;
        } else if (moved == 0) {
            return write || done > 0 ? -EPIPE : 0;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (c->closed) {
                return -EPIPE;
            }
            co_wait(c, wait_write);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 1;
}

int co_channel_read(CoChannel *c, void *buf, size_t len)
{
    struct iovec iov = { buf, len };

    return co_move(c, false, &iov, 1, 0, len);
}

int co_channel_readv(CoChannel *c, const struct iovec *iov, unsigned niov, size_t offset,
                     size_t len)
{
    return co_move(c, false, iov, niov, offset, len);
}

/* Takes the descriptors out of a message. */
static void take_fds(struct msghdr *msg, int *fds, unsigned max, unsigned *n)
{
    for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
        size_t count = h->cmsg_len >= CMSG_LEN(0) ? (h->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
            if (*n < max) {
                fds[(*n)++] = fd;
            } else {
                close(fd);
            }
        }
    }
}

int co_channel_read_fds(CoChannel *c, void *buf, size_t len, int *fds, unsigned *n)
{
    union {
        char room[CMSG_SPACE(16 * sizeof(int))];
        struct cmsghdr align;
    } control;
    unsigned max = *n;
    size_t done = 0;

    *n = 0;
    while (done < len) {
        struct iovec iov = { (char *)buf + done, len - done };
        struct msghdr msg = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
        ssize_t moved = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);

        if (moved > 0) {
            take_fds(&msg, fds, max, n);
            done += (size_t)moved;
        } else if (moved == 0) {
            return done > 0 ? -EPIPE : 0;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (c->closed) {
                return -EPIPE;
            }
            co_wait(c, false);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 1;
}

int co_channel_write_fd(CoChannel *c, const void *buf, size_t len, int fd)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { { 0 } };
    struct iovec iov = { (void *)buf, len };
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
    ssize_t moved;

    *h = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(h), &fd, sizeof(fd));
    while ((moved = sendmsg(c->fd, &msg, MSG_NOSIGNAL)) < 0) {
        if (errno == EAGAIN && !c->closed) {
            co_wait(c, true);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return (size_t)moved == len
               ? 0
               : co_channel_write(c, (const char *)buf + moved, len - (size_t)moved);
}

int co_channel_write(CoChannel *c, const void *buf, size_t len)
{
    struct iovec iov = { (void *)buf, len };

    return co_channel_writev(c, &iov, 1);
}

int co_channel_writev(CoChannel *c, const struct iovec *iov, unsigned niov)
{
    int ret = co_move(c, true, iov, niov, 0, iov_size(iov, niov));

    return ret < 0 ? ret : 0;
}
