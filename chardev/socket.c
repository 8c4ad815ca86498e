// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stream sockets: TCP and local ones, as server or client, with reconnection, telnet
 * negotiation (RFC 854, 857, 858), TLS, WebSocket, and file descriptors passed along. With TLS or
 * WebSocket a Stream stands between the socket and the character device.
 */
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

#include "chardev/internal.h"
#include "chardev/sockets.h"
#include "qom/stream.h"
#include "qom/tls.h"
#include "util/error.h"
#include "util/fdset.h"
#include "util/main-loop.h"
#include "util/timer.h"

enum { MAX_FDS = 16 };

typedef struct Socket {
    Chardev chr;
    SockAddr addr;
    bool server, telnet, nodelay, is_unix, websocket;
    char *tls_creds, *tls_authz;        /* NULL: no TLS; any client */
    int64_t reconnect_ns;       /* 0: never */
    int listen_fd;              /* -1: a client */
    unsigned listen_tag, connect_tag;
    int fd;                     /* the connection, -1: none; also in io */
    FdIo io;                    /* without layers */
    Stream *stream;             /* with layers; it has fd */
    Timer retry;
    char *peer;                 /* "host:port <-> host:port" of a connection over TCP */
    int fds[MAX_FDS];           /* received, oldest first */
    unsigned num_fds;
    int send_fds[MAX_FDS];
    unsigned num_send_fds;
    unsigned telnet_state;      /* bytes of a telnet command still to be skipped */
    bool unlink_path;
} Socket;

static void listen_watch(Socket *s);
static void client_start(Socket *s);

/* --- the connection --------------------------------------------------------------------- */

static void connection_end(Socket *s)
{
    if (s->fd < 0) {
        return;
    }
    if (s->stream) {
        g_clear_pointer(&s->stream, stream_free);
    } else {
        fdio_stop(&s->io);
        if (s->fd <= 2) {
            close(s->fd);
        }
    }
    s->fd = -1;
    g_clear_pointer(&s->peer, g_free);
    while (s->num_fds) {
        close(s->fds[--s->num_fds]);
    }
    while (s->num_send_fds) {
        close(s->send_fds[--s->num_send_fds]);
    }
    if (s->chr.connected) {
        chardev_event(&s->chr, CHARDEV_CLOSED);
    }
    if (s->listen_fd >= 0) {
        listen_watch(s);
    } else if (s->reconnect_ns) {
        timer_set_ns(&s->retry, clock_now_ns(CLOCK_RT) + s->reconnect_ns);
    }
}

static void on_eof(Chardev *c)
{
    connection_end((Socket *)c);
}

static void take_fds(Socket *s, struct msghdr *msg)
{
    for (struct cmsghdr *cm = CMSG_FIRSTHDR(msg); cm; cm = CMSG_NXTHDR(msg, cm)) {
        if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int fds[MAX_FDS];

        memcpy(fds, CMSG_DATA(cm), MIN(n, MAX_FDS) * sizeof(int));
        for (size_t i = 0; i < MIN(n, MAX_FDS); i++) {
            if (s->num_fds == MAX_FDS) {
                close(s->fds[0]);
                memmove(s->fds, s->fds + 1, (MAX_FDS - 1) * sizeof(int));
                s->num_fds--;
            }
            s->fds[s->num_fds++] = fds[i];
        }
    }
}

/* Removes telnet commands; breaks become events. Returns the length that is left. */
static size_t telnet_filter(Socket *s, uint8_t *buf, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = buf[i];

        if (s->telnet_state == 0) {
            if (c == 255) {
                s->telnet_state = 1;
            } else {
                buf[out++] = c;
            }
        } else if (s->telnet_state == 1) {
            s->telnet_state = c >= 251 && c <= 254 ? 2 : 0;     /* WILL WONT DO DONT + option */
            if (c == 255) {
                buf[out++] = c;
            } else if (c == 243 || c == 244) {
                chardev_event(&s->chr, CHARDEV_BREAK);
            }
        } else {
            s->telnet_state--;
            s->telnet_state = 0;
        }
    }
    return out;
}

static ssize_t read_with_fds(Socket *s, uint8_t *buf, size_t len)
{
    union {
        char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = { buf, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (s->is_unix) {
        msg.msg_control = control.buf;
        msg.msg_controllen = sizeof(control.buf);
    }
    ssize_t n = recvmsg(s->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

    if (n > 0 && s->is_unix) {
        take_fds(s, &msg);
    }
    return n;
}

static ssize_t socket_read(Chardev *c, uint8_t *buf, size_t len)
{
    Socket *s = (Socket *)c;
    ssize_t n = s->stream ? stream_read(s->stream, buf, len) : read_with_fds(s, buf, len);

    if (n > 0 && s->telnet) {
        size_t left = telnet_filter(s, buf, (size_t)n);

        if (left == 0) {
            errno = EAGAIN;
            return -1;
        }
        return (ssize_t)left;
    }
    return n;
}

static char *name_of(const struct sockaddr_storage *ss, socklen_t len)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getnameinfo((const struct sockaddr *)ss, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV)) {
        return g_strdup("?");
    }
    return g_strdup_printf(ss->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static char *describe_peer(int fd)
{
    struct sockaddr_storage local, remote;
    socklen_t local_len = sizeof(local), remote_len = sizeof(remote);

    if (getsockname(fd, (struct sockaddr *)&local, &local_len) ||
        getpeername(fd, (struct sockaddr *)&remote, &remote_len)) {
        return NULL;
    }
    g_autofree char *l = name_of(&local, local_len);
    g_autofree char *r = name_of(&remote, remote_len);

    return g_strdup_printf("%s <-> %s", l, r);
}

static int family_of(int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    return getsockname(fd, (struct sockaddr *)&ss, &len) ? AF_UNSPEC : ss.ss_family;
}

static void socket_update_read(Chardev *c)
{
    Socket *s = (Socket *)c;

    if (s->stream) {
        stream_want_read(s->stream, chardev_can_receive(c) > 0);
    } else if (s->fd >= 0) {
        fdio_update_read(&s->io);
    }
}

/* Bytes that went out, or -1 with errno. */
static ssize_t send_some(Socket *s, const void *buf, size_t len)
{
    return s->stream ? stream_write(s->stream, buf, len)
                     : send(s->fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void connection_opened(Socket *s)
{
    static const uint8_t telnet_hello[] = {
        255, 251, 1,    /* will echo */
        255, 251, 3,    /* will suppress go-ahead */
        255, 251, 0,    /* will be binary */
        255, 253, 0,    /* please be binary */
    };

    if (s->telnet && send_some(s, telnet_hello, sizeof(telnet_hello)) < 0) {
        s->telnet_state = 0;    /* the reader will notice what is wrong */
    }
    chardev_event(&s->chr, CHARDEV_OPENED);
    socket_update_read(&s->chr);
}

static void stream_readable(Socket *s)
{
    uint8_t buf[4096];
    size_t want = MIN(chardev_can_receive(&s->chr), sizeof(buf));
    ssize_t n;

    if (want == 0) {
        stream_want_read(s->stream, false);     /* until the front end asks again */
        return;
    }
    n = socket_read(&s->chr, buf, want);
    if (n > 0) {
        chardev_input(&s->chr, buf, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        connection_end(s);
    }
}

static void on_stream(void *opaque, StreamEvent event, const GError *error)
{
    Socket *s = opaque;

    if (event == STREAM_OPENED) {
        connection_opened(s);
    } else if (event == STREAM_READABLE) {
        stream_readable(s);
    } else if (event == STREAM_WRITABLE) {
        chardev_flush(&s->chr);
    } else {
        warn_report("chardev '%s': %s", s->chr.id, error->message);
        connection_end(s);
    }
}

/* The layers of a new connection; it opens when their handshakes are over. */
static void add_layers(Socket *s)
{
    g_autoptr(GError) error = NULL;

    s->stream = stream_new(s->fd, on_stream, s);
    if (s->websocket) {
        stream_add_websocket(s->stream);
    }
    bool good = !s->tls_creds ||
                (s->server ? stream_add_tls_server(s->stream, s->tls_creds, s->tls_authz, &error)
                           : stream_add_tls_client(s->stream, s->tls_creds, s->addr.host, &error));

    if (!good) {
        warn_report("chardev '%s': %s", s->chr.id, error->message);
        connection_end(s);
    }
}

static void connection_begin(Socket *s, int fd)
{
    int on = 1;

    s->fd = fd;
    s->is_unix = family_of(fd) == AF_UNIX;
    s->telnet_state = 0;
    if (!s->is_unix) {
        s->peer = describe_peer(fd);
        if (s->nodelay) {
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        }
    }
    if (s->websocket || s->tls_creds) {
        add_layers(s);
        return;
    }
    fdio_start(&s->io, &s->chr, fd, fd);
    s->io.eof = on_eof;
    s->io.read = socket_read;
    connection_opened(s);
}

/* --- server ----------------------------------------------------------------------------- */

static bool on_client(int listen_fd, GIOCondition events, void *opaque)
{
    Socket *s = opaque;
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        return true;
    }
    s->listen_tag = 0;      /* one at a time; the next waits in the backlog */
    connection_begin(s, fd);
    return false;
}

static void listen_watch(Socket *s)
{
    if (!s->listen_tag) {
        s->listen_tag = fd_watch(s->listen_fd, G_IO_IN, on_client, s);
    }
}

static bool wait_for_client(Socket *s, GError **error)
{
    g_autofree char *where = chardev_filename(&s->chr);
    struct pollfd pfd = { .fd = s->listen_fd, .events = POLLIN };
    int fd = -1;

    info_report("QEMU waiting for connection on: %s", where);
    while (fd < 0) {
        if (poll(&pfd, 1, -1) < 0 && errno != EINTR) {
            return fail_errno(error, errno, "chardev '%s': poll", s->chr.id);
        }
        fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && errno != EINTR && errno != EAGAIN && errno != ECONNABORTED) {
            return fail_errno(error, errno, "chardev '%s': accept", s->chr.id);
        }
    }
    connection_begin(s, fd);
    return true;
}

/* The kernel has chosen the port. */
static void learn_port(Socket *s)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    char port[NI_MAXSERV];

    if (g_strcmp0(s->addr.port, "0") == 0 &&
        getsockname(s->listen_fd, (struct sockaddr *)&ss, &len) == 0 &&
        getnameinfo((struct sockaddr *)&ss, len, NULL, 0, port, sizeof(port), NI_NUMERICSERV) ==
            0) {
        g_free(s->addr.port);
        s->addr.port = g_strdup(port);
    }
}

static bool server_start(Socket *s, bool wait, GError **error)
{
    if (s->addr.fd_text) {
        s->listen_fd = fd_take(s->addr.fd_text, error);
        if (s->listen_fd >= 0) {
            int on = 0;
            socklen_t len = sizeof(on);

            if (getsockopt(s->listen_fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len)) {
                return fail_errno(error, errno, "File descriptor '%s' is not a socket",
                                  s->addr.fd_text);
            }
            if (!on && listen(s->listen_fd, 1)) {
                return fail_errno(error, errno, "Unable to listen on descriptor '%s'",
                                  s->addr.fd_text);
            }
        }
    } else {
        s->listen_fd = sockaddr_listen(&s->addr, error);
        s->unlink_path = s->listen_fd >= 0 && s->addr.path && !s->addr.abstract;
    }
    if (s->listen_fd < 0) {
        return false;
    }
    fcntl(s->listen_fd, F_SETFL, fcntl(s->listen_fd, F_GETFL) | O_NONBLOCK);
    learn_port(s);
    if (wait) {
        return wait_for_client(s, error);
    }
    listen_watch(s);
    return true;
}

/* --- client ----------------------------------------------------------------------------- */

static void retry_later(Socket *s)
{
    timer_set_ns(&s->retry, clock_now_ns(CLOCK_RT) + s->reconnect_ns);
}

static bool on_connected(int fd, GIOCondition events, void *opaque)
{
    Socket *s = opaque;
    int err = 0;
    socklen_t len = sizeof(err);

    s->connect_tag = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) || err) {
        close(fd);
        retry_later(s);
    } else {
        connection_begin(s, fd);
    }
    return false;
}

static void client_start(Socket *s)
{
    g_autoptr(GError) error = NULL;
    bool pending;
    int fd = sockaddr_connect(&s->addr, true, &pending, &error);

    if (fd < 0) {
        retry_later(s);
    } else if (pending) {
        s->connect_tag = fd_watch(fd, G_IO_OUT | G_IO_ERR | G_IO_HUP, on_connected, s);
    } else {
        connection_begin(s, fd);
    }
}

static void on_retry(void *opaque)
{
    client_start(opaque);
}

/* --- the driver ------------------------------------------------------------------------- */

static bool set_layers(Socket *s, struct json_object *o, GError **error)
{
    const char *creds = opts_string(o, "tls-creds", NULL);

    s->websocket = opts_bool(o, "websocket", false);
    if (opts_bool(o, "tn3270", false)) {
        return fail(error, "chardev: socket: 'tn3270' is not supported yet");
    }
    if (s->websocket && !s->server) {
        return fail(error, "Websocket client is not implemented");
    }
    if (creds && s->addr.path) {
        return fail(error, "'tls_creds' option is incompatible with 'unix' address type");
    }
    if (creds && !tls_creds_check(creds, s->server, error)) {
        return false;
    }
    if (!creds && opts_has(o, "tls-authz")) {
        return fail(error, "'tls_authz' option requires 'tls_creds' option");
    }
    s->tls_creds = g_strdup(creds);
    s->tls_authz = g_strdup(opts_string(o, "tls-authz", NULL));
    return true;
}

static void socket_close(Chardev *c)
{
    Socket *s = (Socket *)c;

    s->reconnect_ns = 0;
    timer_cancel(&s->retry);
    if (s->listen_tag) {
        fd_unwatch(s->listen_tag);
        s->listen_tag = 0;
    }
    if (s->connect_tag) {
        fd_unwatch(s->connect_tag);
    }
    int listen_fd = s->listen_fd;

    s->listen_fd = -1;
    connection_end(s);
    if (listen_fd >= 0) {
        close(listen_fd);
    }
    if (s->unlink_path) {
        unlink(s->addr.path);
    }
    sockaddr_clear(&s->addr);
    g_clear_pointer(&s->tls_creds, g_free);
    g_clear_pointer(&s->tls_authz, g_free);
}

static bool socket_open(Chardev *c, struct json_object *o, GError **error)
{
    Socket *s = (Socket *)c;
    bool wait = opts_bool(o, "wait", true);

    s->fd = s->listen_fd = -1;
    timer_init(&s->retry, CLOCK_RT, on_retry, s);
    s->server = opts_bool(o, "server", false);
    if (!sockaddr_from_options(&s->addr, o, error)) {
        return false;
    }
    if (!set_layers(s, o, error)) {
        sockaddr_clear(&s->addr);
        return false;
    }
    s->telnet = opts_bool(o, "telnet", false);
    s->nodelay = opts_bool(o, "nodelay", !opts_bool(o, "delay", true));
    s->reconnect_ns = (int64_t)opts_number(o, "reconnect", 0) * NANOSECONDS_PER_SECOND;
    s->is_unix = s->addr.path != NULL;
    bool good;

    if (s->server && s->reconnect_ns) {
        good = fail(error, "'reconnect' option is incompatible with socket in server listen mode");
    } else if (!s->server && opts_has(o, "wait")) {
        good = fail(error, "'wait' option is incompatible with socket in client connect mode");
    } else if (s->server) {
        good = server_start(s, wait, error);
    } else if (s->addr.fd_text) {
        int fd = fd_take(s->addr.fd_text, error);

        good = fd >= 0;
        if (good) {
            connection_begin(s, fd);
        }
    } else if (s->reconnect_ns) {
        client_start(s);
        good = true;
    } else {
        bool pending;
        int fd = sockaddr_connect(&s->addr, false, &pending, error);

        good = fd >= 0;
        if (good) {
            connection_begin(s, fd);
        }
    }
    if (!good) {
        socket_close(c);
    }
    return good;
}

/* Doubles 255s for telnet, in pieces that fit. */
static ssize_t telnet_send(Socket *s, const uint8_t *buf, size_t len)
{
    uint8_t out[512];
    size_t used = 0, taken = 0;

    while (taken < len && used + 2 <= sizeof(out)) {
        if (buf[taken] == 255) {
            out[used++] = 255;
        }
        out[used++] = buf[taken++];
    }
    ssize_t n = send_some(s, out, used);

    if (n < 0) {
        return -errno;
    }
    /* What was cut inside a pair is counted as not sent and repeated: harmless on a terminal. */
    for (taken = 0; n > 0 && n >= 1 + (buf[taken] == 255); taken++) {
        n -= 1 + (buf[taken] == 255);
    }
    return (ssize_t)taken;
}

static ssize_t send_with_fds(Socket *s, const uint8_t *buf, size_t len)
{
    union {
        char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
        struct cmsghdr align;
    } control = { { 0 } };
    struct iovec iov = { (void *)buf, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
                          .msg_controllen = CMSG_SPACE(s->num_send_fds * sizeof(int)) };
    struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

    cm->cmsg_level = SOL_SOCKET;
    cm->cmsg_type = SCM_RIGHTS;
    cm->cmsg_len = CMSG_LEN(s->num_send_fds * sizeof(int));
    memcpy(CMSG_DATA(cm), s->send_fds, s->num_send_fds * sizeof(int));
    ssize_t n = sendmsg(s->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0) {
        return -errno;
    }
    while (s->num_send_fds) {
        close(s->send_fds[--s->num_send_fds]);
    }
    return n;
}

static ssize_t socket_write(Chardev *c, const uint8_t *buf, size_t len)
{
    Socket *s = (Socket *)c;
    ssize_t n;

    if (s->fd < 0) {
        return -EPIPE;
    }
    if (s->num_send_fds) {
        n = send_with_fds(s, buf, len);
    } else if (s->telnet) {
        n = telnet_send(s, buf, len);
    } else {
        n = send_some(s, buf, len);
        n = n < 0 ? -errno : n;
    }
    /* A broken connection is taken down by the reader, which sees its end too. */
    return n == -EINTR ? -EAGAIN : n;
}

static void socket_want_write(Chardev *c, bool on)
{
    Socket *s = (Socket *)c;

    if (s->stream) {
        stream_want_write(s->stream, on);
    } else if (s->fd >= 0) {
        fdio_want_write(&s->io, on);
    }
}

static void socket_disconnect(Chardev *c)
{
    if (((Socket *)c)->fd >= 0) {
        shutdown(((Socket *)c)->fd, SHUT_RDWR);
        connection_end((Socket *)c);
    }
}

static int socket_connection(Chardev *c)
{
    return ((Socket *)c)->is_unix ? ((Socket *)c)->fd : -1;
}

static int socket_take_fd(Chardev *c)
{
    Socket *s = (Socket *)c;

    if (!s->num_fds) {
        return -1;
    }
    int fd = s->fds[0];

    memmove(s->fds, s->fds + 1, --s->num_fds * sizeof(int));
    return fd;
}

static bool socket_send_fds(Chardev *c, const int *fds, size_t n, GError **error)
{
    Socket *s = (Socket *)c;

    if (!s->is_unix || n > MAX_FDS - s->num_send_fds) {
        return fail(error, "chardev '%s' cannot pass %zu file descriptors", c->id, n);
    }
    for (size_t i = 0; i < n; i++) {
        int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);

        if (fd < 0) {
            return fail_errno(error, errno, "chardev '%s': descriptor %d", c->id, fds[i]);
        }
        s->send_fds[s->num_send_fds++] = fd;
    }
    return true;
}

static char *socket_filename(Chardev *c)
{
    Socket *s = (Socket *)c;
    const char *mode = s->server ? ",server=on" : "";
    const char *protocol = s->telnet ? "telnet" : s->websocket ? "websocket" : "tcp";

    if (s->peer) {
        char *arrow = strstr(s->peer, " <-> ");

        return g_strdup_printf("%s:%.*s%s%s", protocol, (int)(arrow - s->peer), s->peer, mode,
                               arrow);
    }
    g_autofree char *where = sockaddr_text(&s->addr, protocol);

    return g_strdup_printf("%s%s%s", s->fd < 0 ? "disconnected:" : "", where, mode);
}

static const OptDesc socket_opts[] = {
    { "path", OPT_STRING, "local socket" },
    { "host", OPT_STRING, "host name or address" },
    { "port", OPT_STRING, "port number or service" },
    { "fd", OPT_STRING, "an open socket, by number or name" },
    { "to", OPT_NUMBER, "last port to try" },
    { "ipv4", OPT_BOOL, "allow IPv4" },
    { "ipv6", OPT_BOOL, "allow IPv6" },
    { "abstract", OPT_BOOL, "path is an abstract name", "off" },
    { "tight", OPT_BOOL, "the abstract name has no padding", "on" },
    { "server", OPT_BOOL, "listen", "off" },
    { "wait", OPT_BOOL, "a server waits for its first client", "on" },
    { "delay", OPT_BOOL, "wait for full packets", "on" },
    { "nodelay", OPT_BOOL, "send small packets", "off" },
    { "reconnect", OPT_NUMBER, "seconds until a client tries again", "0" },
    { "telnet", OPT_BOOL, "speak telnet", "off" },
    { "tn3270", OPT_BOOL, "not supported yet", "off" },
    { "websocket", OPT_BOOL, "a server speaks WebSocket", "off" },
    { "tls-creds", OPT_STRING, "id of TLS credentials" },
    { "tls-authz", OPT_STRING, "id of what knows whom a server lets in" },
    { NULL },
};

static const ChardevDriver socket_driver = {
    .name = "socket", .opts = socket_opts, .size = sizeof(Socket), .open = socket_open,
    .close = socket_close, .write = socket_write, .want_write = socket_want_write,
    .update_read = socket_update_read, .disconnect = socket_disconnect,
    .take_fd = socket_take_fd, .socket = socket_connection, .send_fds = socket_send_fds, .filename = socket_filename,
};
CHARDEV_DRIVER(socket_driver);
