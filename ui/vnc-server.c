// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VNC servers: -vnc, where they listen, who is connected, the timer that brings the screen up to
 * date, and their QMP and HMP commands. Left out: reverse connections, WebSocket, TLS and SASL;
 * they are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "qapi/qapi-commands.h"
#include "qapi/qapi-events.h"
#include "qapi/startup.h"
#include "qom/hmp.h"
#include "qom/secret.h"
#include "qom/vm.h"
#include "ui/vnc.h"
#include "util/error.h"
#include "util/main-loop.h"

enum { BASE_PORT = 5900, REFRESH_MS = 30, CLIENTS_MAX = 32, BACKLOG = 8 };

extern const VncAuth __start_vnc_auths[] __attribute__((weak));
extern const VncAuth __stop_vnc_auths[] __attribute__((weak));

/* All servers, in order of the command line: queries know of no machine. */
static GPtrArray *servers;

GPtrArray *vnc_servers(void)
{
    if (!servers) {
        servers = g_ptr_array_new();
    }
    return servers;
}

VncServer *vnc_server_find(const char *id, GError **error)
{
    for (guint i = 0; i < vnc_servers()->len; i++) {
        VncServer *s = servers->pdata[i];

        if (!id || strcmp(s->id, id) == 0) {
            return s;
        }
    }
    return id ? fail_null(error, "There is no VNC server '%s'", id)
              : fail_null(error, "There is no VNC server");
}

const VncAuth *vnc_auth_find(int type)
{
    for (const VncAuth *a = __start_vnc_auths; a < __stop_vnc_auths; a++) {
        if (a->type == type) {
            return a;
        }
    }
    return NULL;
}

/* ---- the screen ---- */

pixman_image_t *vnc_screen(VncServer *s)
{
    return s->console ? console_surface(s->console) : s->blank;
}

static void on_damage(void *opaque, Console *console, int x, int y, int width, int height)
{
    VncServer *s = opaque;

    for (guint i = 0; i < s->clients->len; i++) {
        vnc_client_damage(s->clients->pdata[i], x, y, width, height);
    }
}

static void on_resize(void *opaque, Console *console)
{
    pixman_image_t *screen = console_surface(console);

    on_damage(opaque, console, 0, 0, pixman_image_get_width(screen),
              pixman_image_get_height(screen));
}

static void refresh(void *opaque)
{
    VncServer *s = opaque;

    if (s->console) {
        console_update(s->console);
    }
    for (guint i = 0; i < s->clients->len; i++) {
        vnc_client_update(s->clients->pdata[i]);
    }
    if (s->clients->len) {
        timer_set_ns(&s->refresh, clock_now_ns(CLOCK_RT) + REFRESH_MS * 1000000LL);
    }
}

/* ---- clients ---- */

static VncBasicInfo *basic(const char *host, const char *service, bool is_unix)
{
    VncBasicInfo *b = g_new0(VncBasicInfo, 1);

    b->host = g_strdup(host ? host : "");
    b->service = g_strdup(service ? service : "");
    b->family = is_unix                ? NETWORK_ADDRESS_FAMILY_UNIX
                : strchr(b->host, ':') ? NETWORK_ADDRESS_FAMILY_IPV6
                                       : NETWORK_ADDRESS_FAMILY_IPV4;
    return b;
}

static const char *auth_name(const VncServer *s)
{
    return s->auth == VNC_AUTH_PASSWORD ? "vnc" : "none";
}

static VncServerInfo *server_info(VncServer *s)
{
    VncBasicInfo *b = basic(s->host, s->service, s->is_unix);
    VncServerInfo *i = g_new0(VncServerInfo, 1);

    i->host = b->host;
    i->service = b->service;
    i->family = b->family;
    i->auth = g_strdup(auth_name(s));
    g_free(b);
    return i;
}

static VncClientInfo *client_info(VncClient *c)
{
    VncBasicInfo *b = basic(c->host, c->service, c->server->is_unix);
    VncClientInfo *i = g_new0(VncClientInfo, 1);

    i->host = b->host;
    i->service = b->service;
    i->family = b->family;
    g_free(b);
    return i;
}

void vnc_client_event(VncClient *c, VncEvent event)
{
    g_autofree VncServerInfo *server = server_info(c->server);
    g_autofree VncClientInfo *client = client_info(c);

    if (event == VNC_EVENT_CONNECTED) {
        VncBasicInfo plain = {
            .host = client->host, .service = client->service, .family = client->family};

        qapi_event_vnc_connected(&(VncConnectedEvent){ .server = server, .client = &plain });
    } else if (event == VNC_EVENT_INITIALIZED) {
        qapi_event_vnc_initialized(&(VncInitializedEvent){ .server = server, .client = client });
    } else {
        qapi_event_vnc_disconnected(&(VncDisconnectedEvent){ .server = server, .client = client });
    }
    g_free(server->host);
    g_free(server->service);
    g_free(server->auth);
    g_free(client->host);
    g_free(client->service);
}

void vnc_client_gone(VncServer *s, VncClient *c)
{
    if (g_ptr_array_remove(s->clients, c)) {
        vnc_client_event(c, VNC_EVENT_DISCONNECTED);
    }
    if (!s->clients->len) {
        timer_cancel(&s->refresh);
    }
}

/* Numbers of an address; both may stay NULL (unix sockets). */
static void name_address(const struct sockaddr *sa, socklen_t len, char **host, char **service)
{
    char h[NI_MAXHOST], p[NI_MAXSERV];

    if (sa->sa_family != AF_UNIX &&
        getnameinfo(sa, len, h, sizeof(h), p, sizeof(p), NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        *host = g_strdup(h);
        *service = g_strdup(p);
    }
}

static VncClient *adopt(VncServer *s, int fd)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);
    int one = 1;

    if (s->clients->len >= CLIENTS_MAX) {
        close(fd);
        return NULL;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    VncClient *c = vnc_client_new(s, fd);

    if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0) {
        name_address((struct sockaddr *)&sa, len, &c->host, &c->service);
    }
    g_ptr_array_add(s->clients, c);
    vnc_client_event(c, VNC_EVENT_CONNECTED);
    if (s->clients->len == 1) {
        if (s->console) {
            console_invalidate(s->console);
        }
        timer_set_ns(&s->refresh, clock_now_ns(CLOCK_RT));
    }
    return c;
}

static bool on_accept(int fd, GIOCondition events, void *opaque)
{
    int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (conn >= 0) {
        adopt(opaque, conn);
    }
    return true;
}

/* ---- where it listens ---- */

static void watch(VncServer *s, int fd)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);
    unsigned tag = fd_watch(fd, G_IO_IN, on_accept, s);

    g_array_append_val(s->fds, fd);
    g_array_append_val(s->watches, tag);
    if (!s->host && getsockname(fd, (struct sockaddr *)&sa, &len) == 0) {
        name_address((struct sockaddr *)&sa, len, &s->host, &s->service);
    }
}

static bool listen_unix(VncServer *s, const char *path, GError **error)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    int fd;

    if (g_strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >= sizeof(sun.sun_path)) {
        return fail(error, "UNIX socket path '%s' is too long", path);
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
    s->host = g_strdup(path);
    s->is_unix = true;
    watch(s, fd);
    return true;
}

/* A listening socket, or -1 with errno. */
static int bind_one(const struct addrinfo *a)
{
    int one = 1,
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);

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

/* All addresses of the host at this port; false with errno when one is in use or none works. */
static bool listen_port(VncServer *s, const char *host, uint64_t port, int family, GError **error)
{
    struct addrinfo hints = {
        .ai_flags = AI_PASSIVE, .ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    g_autofree char *text = g_strdup_printf("%" PRIu64, port);
    int err = getaddrinfo(*host ? host : NULL, text, &hints, &list), bad = 0;
    g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));

    if (err) {
        return fail(error, "address resolution failed for %s:%s: %s", host, text,
                    gai_strerror(err));
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
                          "Failed to find an available port for %s:%s", host, text);
    }
    for (guint i = 0; i < fds->len; i++) {
        watch(s, g_array_index(fds, int, i));
    }
    return true;
}

/* "host:display[,to=n]". */
static bool listen_tcp(VncServer *s, json_object *kv, GError **error)
{
    char *colon = strrchr(s->spec, ':');
    uint64_t display, tries = opts_number(kv, "to", 0);
    int family = opts_bool(kv, "ipv4", false)   ? AF_INET
                 : opts_bool(kv, "ipv6", false) ? AF_INET6
                                                : AF_UNSPEC;

    if (!colon) {
        return fail(error, "no vnc port specified");
    }
    if (!parse_u64(colon + 1, &display) || display > UINT16_MAX - BASE_PORT) {
        return fail(error, "error parsing display '%s'", s->spec);
    }
    g_autofree char *host = g_strndup(s->spec, (gsize)(colon - s->spec));

    if (host[0] == '[' && g_str_has_suffix(host, "]")) {
        host[strlen(host) - 1] = '\0';
        memmove(host, host + 1, strlen(host));
    }
    for (uint64_t d = display;; d++) {
        g_clear_error(error);
        if (listen_port(s, host, BASE_PORT + d, family, error)) {
            return true;
        }
        if (d >= tries || d >= UINT16_MAX - BASE_PORT) {
            return false;
        }
    }
}

/* ---- -vnc ---- */

static const OptDesc vnc_params[] = {
    { "vnc", OPT_STRING, "host:display, unix:path, or none" },
    { "id", OPT_STRING, "name of the server" },
    { "display", OPT_STRING, "id of the display device" },
    { "head", OPT_NUMBER, "one of its outputs" },
    { "share", OPT_STRING, "allow-exclusive, force-shared or ignore" },
    { "password", OPT_BOOL, "clients need a password" },
    { "password-secret", OPT_STRING, "secret with the password" },
    { "to", OPT_NUMBER, "last display to try" },
    { "ipv4", OPT_BOOL }, { "ipv6", OPT_BOOL },
    { "audiodev", OPT_STRING, "sound for clients: accepted, none is sent" },
    { "lossy", OPT_BOOL }, { "non-adaptive", OPT_BOOL }, { "power-control", OPT_BOOL },
    { "key-delay-ms", OPT_NUMBER }, { "lock-key-sync", OPT_BOOL },
    { "reverse", OPT_BOOL }, { "websocket", OPT_STRING }, { "tls-creds", OPT_STRING },
    { "tls-authz", OPT_STRING }, { "sasl", OPT_BOOL }, { "sasl-authz", OPT_STRING }, { "connections", OPT_NUMBER },
    { NULL },
};

static bool refuse_missing(json_object *kv, GError **error)
{
    static const char *const missing[] = { "reverse", "websocket", "tls-creds", "tls-authz", "sasl",
                                           "sasl-authz", NULL };

    for (unsigned i = 0; missing[i]; i++) {
        if (opts_has(kv, missing[i])) {
            return fail(error, "%s is not supported yet", missing[i]);
        }
    }
    return true;
}

static bool set_up_auth(VncServer *s, json_object *kv, GError **error)
{
    const char *secret = opts_string(kv, "password-secret", NULL);
    const uint8_t *bytes;
    size_t len;

    s->expires_s = INT64_MAX;
    s->auth = opts_bool(kv, "password", false) || secret ? VNC_AUTH_PASSWORD : VNC_AUTH_NONE;
    if (s->auth == VNC_AUTH_PASSWORD && !vnc_auth_find(VNC_AUTH_PASSWORD)) {
        return fail(error, "this build has no VNC passwords");
    }
    if (secret && opts_has(kv, "password")) {
        return fail(error, "'password' flag is redundant with 'password-secret'");
    }
    if (secret) {
        bytes = secret_bytes(secret, &len, error);
        if (!bytes) {
            return false;
        }
        s->password = g_strndup((const char *)bytes, len);
    }
    return true;
}

static bool open_server(Vm *vm, VncServer *s, json_object *kv, GError **error)
{
    static const char *const shares[] = { "allow-exclusive", "force-shared", "ignore", NULL };
    const char *share = opts_string(kv, "share", "allow-exclusive"),
               *device = opts_string(kv, "display", NULL);
    g_autoptr(GError) none = NULL;

    if (!g_strv_contains(shares, share)) {
        g_autofree char *hint = suggestion(share, shares);

        return fail(error, "unknown vnc share= option '%s'%s", share, hint);
    }
    s->exclusive_refused = share[0] != 'a';
    s->name = vm->name;
    s->console = console_find(device, (unsigned)opts_number(kv, "head", 0), device ? error : &none);
    if (device && !s->console) {
        return false;
    }
    if (!refuse_missing(kv, error) || !set_up_auth(s, kv, error)) {
        return false;
    }
    if (strcmp(s->spec, "none") != 0 &&
        !(g_str_has_prefix(s->spec, "unix:") ? listen_unix(s, s->spec + 5, error)
                                             : listen_tcp(s, kv, error))) {
        return false;
    }
    if (s->console) {
        s->viewer = (ConsoleViewer){ .resized = on_resize, .damaged = on_damage, .opaque = s };
        console_add_viewer(s->console, &s->viewer);
    }
    return true;
}

static bool add_server(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "vnc", error);
    VncServer *s;
    bool good;

    if (!kv || !opts_check(kv, vnc_params, NULL, error)) {
        json_object_put(kv);
        return false;
    }
    s = g_new0(VncServer, 1);
    s->spec = g_strdup(opts_string(kv, "vnc", "none"));
    s->id = g_strdup(opts_string(kv, "id", "default"));
    s->fds = g_array_new(FALSE, FALSE, sizeof(int));
    s->watches = g_array_new(FALSE, FALSE, sizeof(unsigned));
    s->clients = g_ptr_array_new();
    s->blank = pixman_image_create_bits(PIXMAN_x8r8g8b8, 640, 480, NULL, 0);
    timer_init(&s->refresh, CLOCK_RT, refresh, s);
    g_ptr_array_add(vnc_servers(), s);
    good = open_server(vm, s, kv, error);
    json_object_put(kv);
    return good;
}

/* The consoles are there only once the board is: the option waits for the hook. */
static bool opt_vnc(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "vnc", error);
    bool good = kv && opts_check(kv, vnc_params, NULL, error);

    json_object_put(kv);
    return good;
}

OPTION(vnc, { .name = "vnc", .handle = opt_vnc, .group = "vnc", .params = vnc_params });

static void stop_servers(Vm *vm)
{
    for (guint i = 0; i < vnc_servers()->len; i++) {
        VncServer *s = servers->pdata[i];

        while (s->clients->len) {
            vnc_client_free(s->clients->pdata[s->clients->len - 1]);
        }
        for (guint n = 0; n < s->fds->len; n++) {
            fd_unwatch(g_array_index(s->watches, unsigned, n));
            close(g_array_index(s->fds, int, n));
        }
        if (s->path) {
            unlink(s->path);
        }
        if (s->viewer.damaged) {
            console_remove_viewer(s->console, &s->viewer);
        }
        timer_cancel(&s->refresh);
    }
}

static bool start_servers(Vm *vm, GError **error)
{
    const char *arg;

    for (unsigned i = 0; (arg = option_arg("vnc", i)) != NULL; i++) {
        if (!add_server(vm, arg, error)) {
            g_prefix_error(error, "-vnc %s: ", arg);
            stop_servers(vm);
            return false;
        }
    }
    return true;
}

START_HOOK(vnc,
           {.phase = START_MONITOR, .name = "vnc", .start = start_servers, .stop = stop_servers});

/* ---- QMP ---- */

static GPtrArray *list_clients(VncServer *s)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; i < s->clients->len; i++) {
        g_ptr_array_add(list, client_info(s->clients->pdata[i]));
    }
    return list;
}

VncInfo *qmp_query_vnc(QmpCall *call, GError **error)
{
    VncInfo *i = g_new0(VncInfo, 1);
    VncServer *s = vnc_servers()->len ? servers->pdata[0] : NULL;

    i->enabled = s && s->fds->len;
    if (!i->enabled) {
        return i;
    }
    VncServerInfo *where = server_info(s);

    i->host = where->host;
    i->service = where->service;
    i->has_family = true;
    i->family = where->family;
    i->auth = where->auth;
    i->clients = list_clients(s);
    g_free(where);
    return i;
}

GPtrArray *qmp_query_vnc_servers(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint n = 0; n < vnc_servers()->len; n++) {
        VncServer *s = servers->pdata[n];
        VncInfo2 *i = g_new0(VncInfo2, 1);
        VncServerInfo *where = server_info(s);
        VncServerInfo2 *w = g_new0(VncServerInfo2, 1);

        w->host = where->host;
        w->service = where->service;
        w->family = where->family;
        w->auth = s->auth == VNC_AUTH_PASSWORD ? VNC_PRIMARY_AUTH_VNC : VNC_PRIMARY_AUTH_NONE;
        i->auth = w->auth;
        i->id = g_strdup(s->id);
        i->server = g_ptr_array_new();
        if (s->fds->len) {
            g_ptr_array_add(i->server, w);
        }
        i->clients = list_clients(s);
        g_free(where->auth);
        g_free(where);
        g_ptr_array_add(list, i);
    }
    return list;
}

static bool set_password(const char *display, const char *password, GError **error)
{
    VncServer *s = vnc_server_find(display, error);

    if (!s) {
        return false;
    }
    if (s->auth != VNC_AUTH_PASSWORD) {
        return fail(
            error,
            "If you want use passwords please enable password auth using '-vnc ${dpy},password'.");
    }
    g_free(s->password);
    s->password = g_strdup(password);
    return true;
}

bool qmp_change_vnc_password(QmpCall *call, const QmpChangeVncPasswordArgs *args, GError **error)
{
    return set_password(NULL, args->password, error);
}

bool qmp_set_password(QmpCall *call, const QmpSetPasswordArgs *args, GError **error)
{
    if (args->protocol != DISPLAY_PROTOCOL_VNC) {
        return fail_class(error, ERROR_DEVICE_NOT_ACTIVE, "SPICE is not in use");
    }
    if (args->has_connected && args->connected != SET_PASSWORD_ACTION_KEEP) {
        return fail(error, "Parameter 'connected' must be 'keep' when 'protocol' is vnc");
    }
    return set_password(args->display, args->password, error);
}

bool qmp_expire_password(QmpCall *call, const QmpExpirePasswordArgs *args, GError **error)
{
    int64_t now = clock_now_ns(CLOCK_HOST) / NANOSECONDS_PER_SECOND, n;
    VncServer *s;

    if (args->protocol != DISPLAY_PROTOCOL_VNC) {
        return fail_class(error, ERROR_DEVICE_NOT_ACTIVE, "SPICE is not in use");
    }
    s = vnc_server_find(args->display, error);
    if (!s) {
        return false;
    }
    if (strcmp(args->time, "now") == 0) {
        s->expires_s = 0;
    } else if (strcmp(args->time, "never") == 0) {
        s->expires_s = INT64_MAX;
    } else if (parse_i64(args->time + (args->time[0] == '+'), &n) && n >= 0) {
        s->expires_s = args->time[0] == '+' ? now + MIN(n, INT32_MAX) : n;
    } else {
        return fail(error, "Parameter 'time' expects now, never, +seconds or seconds");
    }
    return true;
}

static void hmp_info_vnc(HmpCall *call, GError **error)
{
    if (!vnc_servers()->len) {
        g_string_append(call->out, "None\n");
    }
    for (guint n = 0; n < servers->len; n++) {
        VncServer *s = servers->pdata[n];

        g_string_append_printf(call->out, "%s:\n", s->id);
        if (s->fds->len) {
            g_string_append_printf(call->out, "  Server: %s%s%s\n    Auth: %s (Sub: none)\n",
                                   s->host, s->service ? ":" : "", s->service ? s->service : "",
                                   auth_name(s));
        } else {
            g_string_append_printf(call->out, "  Auth: %s (Sub: none)\n", auth_name(s));
        }
        for (guint i = 0; i < s->clients->len; i++) {
            const VncClient *c = s->clients->pdata[i];

            g_string_append_printf(
                call->out, "  Client: %s:%s\n    x509_dname: none\n    sasl_username: none\n",
                c->host ? c->host : "", c->service ? c->service : "");
        }
    }
}

HMP_INFO(vnc, hmp_info_vnc, "", "show the vnc server status");
