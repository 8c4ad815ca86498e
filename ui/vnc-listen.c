// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where VNC servers listen: addresses with display numbers, local sockets, ports for WebSocket; or
 * whom they call (reverse=on).
 */
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qapi/keyval.h"
#include "ui/vnc.h"
#include "util/cutils.h"
#include "util/error.h"
#include "util/main-loop.h"

enum { BASE_PORT = 5900, BASE_WEB_PORT = 5700, BACKLOG = 8 };

static bool on_accept(int fd, GIOCondition events, void *opaque)
{
    VncListener *l = opaque;
    int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (conn >= 0) {
        vnc_server_adopt(l->server, l, conn);
    }
    return true;
}

static VncListener *add_listener(VncServer *s, int fd, bool websocket)
{
    VncListener *l = g_new0(VncListener, 1);

    l->server = s;
    l->fd = fd;
    l->websocket = websocket;
    l->watch = fd_watch(fd, G_IO_IN, on_accept, l);
    g_ptr_array_add(s->listeners, l);
    return l;
}

void vnc_listen_stop(VncServer *s)
{
    for (guint i = 0; i < s->listeners->len; i++) {
        VncListener *l = s->listeners->pdata[i];

        fd_unwatch(l->watch);
        close(l->fd);
        g_free(l->host);
        g_free(l->service);
        g_free(l);
    }
    g_ptr_array_set_size(s->listeners, 0);
    if (s->path) {
        unlink(s->path);
    }
}

/* ---- local sockets ---- */

static bool local_address(struct sockaddr_un *sun, const char *path, GError **error)
{
    sun->sun_family = AF_UNIX;
    return g_strlcpy(sun->sun_path, path, sizeof(sun->sun_path)) < sizeof(sun->sun_path) ||
           fail(error, "UNIX socket path '%s' is too long", path);
}

static bool listen_unix(VncServer *s, const char *path, GError **error)
{
    struct sockaddr_un sun = { 0 };
    VncListener *l;
    int fd;

    if (!local_address(&sun, path, error)) {
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, BACKLOG) < 0) {
        fail_errno(error, errno, "Failed to bind socket to %s", path);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    s->path = g_strdup(path);
    l = add_listener(s, fd, false);
    l->is_unix = true;
    l->host = g_strdup("");
    l->service = g_strdup(path);
    return true;
}

static bool call_unix(VncServer *s, const char *path, GError **error)
{
    struct sockaddr_un sun = { 0 };
    int fd;

    if (!local_address(&sun, path, error)) {
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
        fail_errno(error, errno, "Failed to connect to '%s'", path);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    vnc_server_adopt(s, NULL, fd);
    return true;
}

/* ---- the network ---- */

/* A listening socket, or -1 with errno. */
static int bind_one(const struct addrinfo *a)
{
    int one = 1;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (a->ai_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    }
    if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        int err = errno;

        close(fd);
        errno = err;
        return -1;
    }
    return fd;
}

static int family_of(json_object *kv)
{
    return opts_bool(kv, "ipv4", false)   ? AF_INET
           : opts_bool(kv, "ipv6", false) ? AF_INET6
                                          : AF_UNSPEC;
}

static struct addrinfo *resolve(json_object *kv, const char *host, const char *port, int flags,
                                GError **error)
{
    struct addrinfo hints = {
        .ai_flags = flags, .ai_family = family_of(kv), .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int err = getaddrinfo(*host ? host : NULL, port, &hints, &list);

    return err ? fail_null(error, "address resolution failed for %s:%s: %s", host, port,
                           gai_strerror(err))
               : list;
}

static void name_listener(VncListener *l)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getsockname(l->fd, (struct sockaddr *)&sa, &len) == 0 &&
        getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        l->host = g_strdup(host);
        l->service = g_strdup(port);
    }
}

/* All addresses of the host at this port; false + error when one is in use or none works. */
static bool listen_port(VncServer *s, json_object *kv, const char *host, const char *port,
                        bool websocket, GError **error)
{
    struct addrinfo *list = resolve(kv, host, port, AI_PASSIVE, error);
    g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
    int bad = 0;

    if (!list) {
        return false;
    }
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        int fd = bind_one(a);

        if (fd >= 0) {
            g_array_append_val(fds, fd);
        } else if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL) {
            bad = errno;
        }
    }
    freeaddrinfo(list);
    if (bad || !fds->len) {
        for (guint i = 0; i < fds->len; i++) {
            close(g_array_index(fds, int, i));
        }
        return fail_errno(error, bad ? bad : EADDRNOTAVAIL,
                          "Failed to find an available port for %s:%s", host, port);
    }
    for (guint i = 0; i < fds->len; i++) {
        name_listener(add_listener(s, g_array_index(fds, int, i), websocket));
    }
    return true;
}

static bool call_tcp(VncServer *s, json_object *kv, const char *host, const char *port,
                     GError **error)
{
    struct addrinfo *list = resolve(kv, host, port, 0, error);
    int err = 0;

    if (!list) {
        return false;
    }
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
            freeaddrinfo(list);
            vnc_server_adopt(s, NULL, fd);
            return true;
        }
        err = errno;
        if (fd >= 0) {
            close(fd);
        }
    }
    freeaddrinfo(list);
    return fail_errno(error, err, "Failed to connect to '%s:%s'", host, port);
}

/* ---- -vnc's address ---- */

/* "host:rest", the host without brackets; NULL + error. *rest is a part of the text. */
static char *split_host(const char *text, const char **rest, GError **error)
{
    const char *colon = strrchr(text, ':');
    char *host;

    if (!colon) {
        return fail_null(error, "no vnc port specified");
    }
    *rest = colon + 1;
    host = g_strndup(text, (gsize)(colon - text));
    if (host[0] == '[' && g_str_has_suffix(host, "]")) {
        host[strlen(host) - 1] = '\0';
        memmove(host, host + 1, strlen(host));
    }
    return host;
}

/* websocket=on: at the port of that display; else at the port that it names. */
static bool listen_web(VncServer *s, json_object *kv, const char *host, uint64_t display,
                       GError **error)
{
    const char *web = opts_string(kv, "websocket", "off");
    g_autofree char *port = strcmp(web, "on") == 0
                                ? g_strdup_printf("%" PRIu64, BASE_WEB_PORT + display)
                                : g_strdup(web);

    return strcmp(web, "off") == 0 || listen_port(s, kv, host, port, true, error);
}

/* "host:display", the display up to `to` more. */
static bool listen_tcp(VncServer *s, json_object *kv, GError **error)
{
    const char *number;
    g_autofree char *host = split_host(s->spec, &number, error);
    uint64_t display, tries = opts_number(kv, "to", 0);

    if (!host) {
        return false;
    }
    if (!parse_u64(number, &display) || display > UINT16_MAX - BASE_PORT) {
        return fail(error, "error parsing display '%s'", s->spec);
    }
    for (uint64_t d = display;; d++) {
        g_autofree char *port = g_strdup_printf("%" PRIu64, BASE_PORT + d);

        g_clear_error(error);
        if (listen_port(s, kv, host, port, false, error)) {
            return listen_web(s, kv, host, d, error);
        }
        if (d >= tries || d >= UINT16_MAX - BASE_PORT) {
            return false;
        }
    }
}

bool vnc_listen(VncServer *s, json_object *kv, GError **error)
{
    const char *path = g_str_has_prefix(s->spec, "unix:") ? s->spec + 5 : NULL;

    if (strcmp(s->spec, "none") == 0) {
        return true;
    }
    if (opts_bool(kv, "reverse", false)) {
        const char *port;
        g_autofree char *host = path ? NULL : split_host(s->spec, &port, error);

        if (opts_has(kv, "websocket")) {
            return fail(error, "Cannot use websockets in reverse mode");
        }
        return path ? call_unix(s, path, error) : host && call_tcp(s, kv, host, port, error);
    }
    return path ? listen_unix(s, path, error) && listen_web(s, kv, "", 0, error)
                : listen_tcp(s, kv, error);
}
