// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets with layers. The watches on the socket follow from what the handshakes wait for, what
 * the owner wants and what waits to be sent; each event reaches the owner last, as it may free the
 * stream. What layers hold decrypted makes no socket readable: a bottom half stands in for it.
 */
#include "qom/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qom/tls.h"
#include "util/error.h"
#include "util/main-loop.h"
#include "util/websocket.h"

enum { CHUNK = 4096, OUT_MAX = 64 * 1024 };

struct Stream {
    int fd;
    StreamFn *fn;
    void *opaque;
    TlsSession *tls;
    bool tls_open, tls_wants_out;
    WebSocket *web;
    GByteArray *in, *out;       /* payload of frames, and frames that wait to be sent */
    bool open, failed, ended, want_read, want_write;
    unsigned in_tag, out_tag;
    Bh *more;                   /* layers hold bytes */
};

static void update_watches(Stream *s);

/* ---- the wire ---- */

static ssize_t raw_read(Stream *s, void *buf, size_t len)
{
    TlsWait wait = TLS_WAIT_READ;
    ssize_t n;

    if (!s->tls) {
        return recv(s->fd, buf, len, 0);
    }
    n = tls_read(s->tls, buf, len, &wait);
    s->tls_wants_out = n < 0 && errno == EAGAIN && wait == TLS_WAIT_WRITE;
    return n;
}

static ssize_t raw_write(Stream *s, const void *buf, size_t len)
{
    TlsWait wait;

    return s->tls ? tls_write(s->tls, buf, len, &wait) : send(s->fd, buf, len, MSG_NOSIGNAL);
}

/* Sends what waits, as far as it goes; false when the connection is broken. */
static bool flush(Stream *s)
{
    while (s->out->len) {
        ssize_t n = raw_write(s, s->out->data, s->out->len);

        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        g_byte_array_remove_range(s->out, 0, (guint)n);
    }
    return true;
}

/* Reads frames, as read(2); 0 + error at the end of the WebSocket protocol. */
static ssize_t read_frames(Stream *s, GError **error)
{
    uint8_t buf[CHUNK];
    ssize_t n = raw_read(s, buf, sizeof(buf));

    if (n > 0 && !websocket_input(s->web, buf, (size_t)n, s->in, s->out, error)) {
        s->ended = true;
        n = 0;
    }
    if (!flush(s)) {
        s->ended = true;
    }
    return n;
}

static bool has_more(const Stream *s)
{
    return s->open && (s->in->len || s->ended || (s->tls && tls_pending(s->tls)));
}

ssize_t stream_read(Stream *s, void *buf, size_t len)
{
    g_autoptr(GError) error = NULL;     /* what is wrong with it does not matter to readers */
    ssize_t n;

    if (!s->open) {
        errno = EAGAIN;
        return -1;
    }
    if (!s->web) {
        n = raw_read(s, buf, len);
    } else {
        n = s->in->len || s->ended ? 1 : read_frames(s, &error);
        if (s->in->len) {
            n = (ssize_t)MIN(len, s->in->len);
            memcpy(buf, s->in->data, (size_t)n);
            g_byte_array_remove_range(s->in, 0, (guint)n);
        } else if (s->ended) {
            n = 0;
        } else if (n > 0) {
            errno = EAGAIN;     /* a part of a frame */
            n = -1;
        }
    }
    update_watches(s);
    return n;
}

ssize_t stream_write(Stream *s, const void *buf, size_t len)
{
    ssize_t n = (ssize_t)len;

    if (!s->open) {
        errno = EAGAIN;
        return -1;
    }
    if (!s->web) {
        return raw_write(s, buf, len);
    }
    if (!flush(s)) {
        return -1;
    }
    if (s->out->len >= OUT_MAX) {
        errno = EAGAIN;
        return -1;
    }
    n = MIN(n, OUT_MAX);
    websocket_frame(s->out, buf, (size_t)n);
    if (!flush(s)) {
        return -1;
    }
    update_watches(s);
    return n;
}

/* ---- handshakes ---- */

/* A step of what is not through yet; true when all are. */
static bool shake_hands(Stream *s, GError **error)
{
    if (s->tls && !s->tls_open) {
        TlsWait wait = tls_handshake(s->tls, error);

        s->tls_open = wait == TLS_DONE;
        s->tls_wants_out = wait == TLS_WAIT_WRITE;
        if (!s->tls_open) {
            return false;
        }
    }
    while (s->web && !websocket_is_open(s->web)) {
        ssize_t n = read_frames(s, error);

        if (n <= 0) {
            if (n == 0 && !*error) {
                fail(error, "the connection ended in the handshake");
            } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
                fail_errno(error, errno, "handshake");
            }
            return false;
        }
    }
    return true;
}

static void step_handshake(Stream *s)
{
    g_autoptr(GError) error = NULL;

    s->open = shake_hands(s, &error);
    s->failed = error != NULL;
    update_watches(s);
    if (s->open || s->failed) {
        s->fn(s->opaque, s->open ? STREAM_OPENED : STREAM_FAILED, error);
    }
}

/* ---- events ---- */

static bool on_readable(int fd, GIOCondition events, void *opaque)
{
    Stream *s = opaque;

    s->in_tag = 0;
    if (!s->open) {
        step_handshake(s);
    } else {
        update_watches(s);
        s->fn(s->opaque, STREAM_READABLE, NULL);
    }
    return false;
}

static bool on_writable(int fd, GIOCondition events, void *opaque)
{
    Stream *s = opaque;
    bool had_out = s->out->len > 0;

    s->out_tag = 0;
    s->tls_wants_out = false;
    if (!s->open) {
        step_handshake(s);
        return false;
    }
    if (!flush(s)) {
        s->ended = true;
    }
    update_watches(s);
    if (s->want_write && (!had_out || !s->out->len)) {
        s->fn(s->opaque, STREAM_WRITABLE, NULL);
    }
    return false;
}

static void on_more(void *opaque)
{
    Stream *s = opaque;

    if (s->want_read && has_more(s)) {
        s->fn(s->opaque, STREAM_READABLE, NULL);
    }
}

static void set_watch(Stream *s, unsigned *tag, bool on, GIOCondition events, FdFn *fn)
{
    if (on && !*tag) {
        *tag = fd_watch(s->fd, events, fn, s);
    } else if (!on && *tag) {
        fd_unwatch(*tag);
        *tag = 0;
    }
}

static void update_watches(Stream *s)
{
    bool in = s->open ? s->want_read && !s->ended : !s->tls_wants_out;
    bool out = s->open ? s->want_write || s->out->len > 0 : s->tls_wants_out || s->out->len > 0;

    set_watch(s, &s->in_tag, in && !s->failed, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable);
    set_watch(s, &s->out_tag, (out || (s->open && s->tls_wants_out)) && !s->failed,
              G_IO_OUT | G_IO_HUP | G_IO_ERR, on_writable);
    if (s->want_read && has_more(s)) {
        bh_schedule(s->more);
    }
}

void stream_want_read(Stream *s, bool on)
{
    s->want_read = on;
    update_watches(s);
}

void stream_want_write(Stream *s, bool on)
{
    s->want_write = on;
    update_watches(s);
}

/* ---- life ---- */

Stream *stream_new(int fd, StreamFn *fn, void *opaque)
{
    Stream *s = g_new0(Stream, 1);

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    s->fd = fd;
    s->fn = fn;
    s->opaque = opaque;
    s->in = g_byte_array_new();
    s->out = g_byte_array_new();
    s->more = bh_new(on_more, s);
    s->open = true;
    return s;
}

static bool add_tls(Stream *s, const char *creds, bool server, const char *host, GError **error)
{
    s->tls = tls_session_new(creds, server, s->fd, host, error);
    if (!s->tls) {
        return false;
    }
    s->open = false;
    s->tls_wants_out = !server;
    update_watches(s);
    return true;
}

bool stream_add_tls_server(Stream *s, const char *creds, const char *authz, GError **error)
{
    if (!add_tls(s, creds, true, NULL, error)) {
        return false;
    }
    if (authz) {
        tls_session_authorize(s->tls, authz);
    }
    return true;
}

bool stream_add_tls_client(Stream *s, const char *creds, const char *host, GError **error)
{
    return add_tls(s, creds, false, host, error);
}

void stream_add_websocket(Stream *s)
{
    s->web = websocket_new();
    s->open = false;
    update_watches(s);
}

bool stream_is_open(const Stream *s)
{
    return s->open;
}

int stream_fd(const Stream *s)
{
    return s->fd;
}

void stream_free(Stream *s)
{
    if (!s) {
        return;
    }
    set_watch(s, &s->in_tag, false, 0, NULL);
    set_watch(s, &s->out_tag, false, 0, NULL);
    bh_free(s->more);
    if (s->tls) {
        tls_bye(s->tls);
        tls_session_free(s->tls);
    }
    websocket_free(s->web);
    g_byte_array_unref(s->in);
    g_byte_array_unref(s->out);
    close(s->fd);
    g_free(s);
}
