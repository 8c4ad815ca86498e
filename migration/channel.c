// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a migration goes to or comes from: tcp:HOST:PORT, unix:PATH, fd:NAME, exec:COMMAND.
 * Threads wait here, until channel_wake says that they need not.
 */
#include "migration/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/error.h"
#include "util/fdset.h"

/* "host:port" with an address of IPv6 in brackets; options of sockets may follow a comma. */
static bool parse_inet(Place *p, const char *text, GError **error)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : strrchr(text, ':');
    const char *port = end && text[0] == '[' ? end + 1 : end;

    if (!port || port[0] != ':' || !port[1]) {
        return fail(error, "error parsing address '%s'", text);
    }
    p->host = text[0] == '[' ? g_strndup(text + 1, (gsize)(end - text - 1))
                             : g_strndup(text, (gsize)(end - text));
    p->port = g_strdup(port + 1);
    p->port[strcspn(p->port, ",")] = '\0';
    p->socket = (SocketPlace){.kind = SOCKET_INET, .host = p->host, .port = p->port};
    return true;
}

bool place_parse(Place *p, const char *uri, GError **error)
{
    const char *rest = strchr(uri, ':');

    *p = (Place){.kind = PLACE_SOCKET};
    rest = rest ? rest + 1 : "";
    p->text = g_strdup(rest);
    if (g_str_has_prefix(uri, "tcp:")) {
        return parse_inet(p, rest, error);
    }
    if (g_str_has_prefix(uri, "unix:")) {
        p->socket = (SocketPlace){.kind = SOCKET_UNIX, .path = p->text};
        return true;
    }
    if (g_str_has_prefix(uri, "fd:")) {
        p->kind = PLACE_FD;
        return true;
    }
    if (g_str_has_prefix(uri, "exec:")) {
        p->kind = PLACE_EXEC;
        return true;
    }
    return fail(error, "Parameter 'uri' expects a valid migration protocol");
}

void place_free(Place *p)
{
    g_free(p->text);
    g_free(p->host);
    g_free(p->port);
    *p = (Place){.kind = PLACE_SOCKET};
}

static bool channel_init(Channel *c, int fd, pid_t child, GError **error)
{
    *c = (Channel){.fd = fd, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .child = child};
    if (c->wake < 0) {
        fail_errno(error, errno, "cannot watch a migration");
        if (fd >= 0) {
            close(fd);
        }
        c->fd = -1;
        return false;
    }
    if (fd >= 0) {
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    return true;
}

bool channel_take(Channel *c, const Place *p, bool incoming, GError **error)
{
    int fd = -1;
    GPid child = 0;

    if (p->kind == PLACE_FD) {
        fd = fd_take(p->text, error);
        return fd >= 0 && channel_init(c, fd, 0, error);
    }
    if (p->kind == PLACE_EXEC) {
        char *argv[] = {(char *)"/bin/sh", (char *)"-c", p->text, NULL};

        if (!g_spawn_async_with_pipes(NULL, argv, NULL,
                                      G_SPAWN_DO_NOT_REAP_CHILD |
                                          (incoming ? G_SPAWN_CHILD_INHERITS_STDIN : 0),
                                      NULL, NULL, &child, incoming ? NULL : &fd,
                                      incoming ? &fd : NULL, NULL, error)) {
            return false;
        }
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return channel_init(c, fd, child, error);
}

bool channel_connect(Channel *c, const Place *p, GError **error)
{
    if (p->kind != PLACE_SOCKET) {
        return true;
    }
    c->fd = socket_connect(&p->socket, error);
    return c->fd >= 0;
}

/* False: it was woken for good. */
static bool wait_for(Channel *c, short events)
{
    struct pollfd p[2] = {{.fd = c->wake, .events = POLLIN}, {.fd = c->fd, .events = events}};

    while (poll(p, 2, -1) < 0 && errno == EINTR) {
    }
    return !(p[0].revents & POLLIN);
}

bool channel_encrypt(Channel *c, bool server, const char *host, GError **error)
{
    const MigrationSettings *s = &migration_settings;
    const char *name = s->tls_hostname && *s->tls_hostname ? s->tls_hostname : host;

    if (!s->tls_creds || !*s->tls_creds) {
        return true;
    }
    if (!channel_answers(c)) {
        return fail(error, "only a socket can be encrypted");
    }
    c->tls = tls_session_new(s->tls_creds, server, c->fd, server ? NULL : name, error);
    return c->tls;
}

static bool wait_for_tls(Channel *c, TlsWait wait, GError **error)
{
    return wait_for(c, wait == TLS_WAIT_READ ? POLLIN : POLLOUT) ||
           fail(error, "the migration was cancelled");
}

bool channel_handshake(Channel *c, GError **error)
{
    TlsWait wait;

    if (!c->tls) {
        return true;
    }
    while ((wait = tls_handshake(c->tls, error)) != TLS_DONE) {
        if (wait == TLS_FAILED || !wait_for_tls(c, wait, error)) {
            return false;
        }
    }
    return true;
}

static bool write_tls(Channel *c, const uint8_t *p, size_t len, GError **error)
{
    while (len > 0) {
        TlsWait wait = TLS_WAIT_WRITE;
        ssize_t n = tls_write(c->tls, p, len, &wait);

        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN) {
            return fail_errno(error, errno, "Unable to write to the migration's channel");
        } else if (!wait_for_tls(c, wait, error)) {
            return false;
        }
    }
    return true;
}

/* After a read that brought nothing. False: the end, or an error. */
static bool may_read_on(Channel *c, ssize_t n, GError **error)
{
    if (n == 0) {
        c->ended = true;
        return fail(error, "the machine's state ends too early");
    }
    return errno == EINTR || errno == EAGAIN ||
           fail_errno(error, errno, "Unable to read from the migration's channel");
}

static size_t read_tls(Channel *c, void *data, size_t len, GError **error)
{
    for (;;) {
        TlsWait wait = TLS_WAIT_READ;
        ssize_t n = tls_read(c->tls, data, len, &wait);

        if (n > 0) {
            return (size_t)n;
        }
        if (!may_read_on(c, n, error) || !wait_for_tls(c, wait, error)) {
            return 0;
        }
    }
}

bool channel_write(Channel *c, const void *data, size_t len, GError **error)
{
    const uint8_t *p = data;

    if (c->tls) {
        return write_tls(c, p, len, error);
    }
    while (len > 0) {
        ssize_t n;

        if (!wait_for(c, POLLOUT)) {
            return fail(error, "the migration was cancelled");
        }
        n = write(c->fd, p, len);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return fail_errno(error, errno, "Unable to write to the migration's channel");
        }
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return true;
}

size_t channel_read(Channel *c, void *data, size_t len, GError **error)
{
    if (c->tls) {
        return read_tls(c, data, len, error);
    }
    for (;;) {
        ssize_t n;

        if (!wait_for(c, POLLIN)) {
            fail(error, "the migration was cancelled");
            return 0;
        }
        n = read(c->fd, data, len);
        if (n > 0) {
            return (size_t)n;
        }
        if (!may_read_on(c, n, error)) {
            return 0;
        }
    }
}

bool channel_answers(const Channel *c)
{
    int type;
    socklen_t len = sizeof(type);

    return getsockopt(c->fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

void channel_wake(Channel *c)
{
    uint64_t one = 1;

    c->woken = true;
    while (write(c->wake, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

void channel_pause(Channel *c, int ms)
{
    struct pollfd p = {.fd = c->wake, .events = POLLIN};

    poll(&p, 1, ms);
}

bool channel_close(Channel *c, GError **error)
{
    int status = 0;

    if (c->tls) {
        tls_bye(c->tls);
        g_clear_pointer(&c->tls, tls_session_free);
    }
    if (c->fd >= 0) {
        close(c->fd);
        c->fd = -1;
    }
    if (c->wake >= 0) {
        close(c->wake);
        c->wake = -1;
    }
    if (c->child) {
        if (c->woken) {
            kill(c->child, SIGTERM);
        }
        while (waitpid(c->child, &status, 0) < 0 && errno == EINTR) {
        }
        c->child = 0;
    }
    return status == 0 || fail(error, "the migration's command has failed (status %d)",
                               WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}
