// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VNC servers: -vnc, where they listen, who is connected, the timer that brings the screen up to
 * date, and their QMP and HMP commands. Left out: SASL, which is refused.
 */
#include <json-c/json.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qapi/qapi-commands.h"
#include "qapi/qapi-events.h"
#include "qapi/startup.h"
#include "qom/hmp.h"
#include "qom/secret.h"
#include "qom/tls.h"
#include "qom/vm.h"
#include "ui/vnc.h"
#include "util/error.h"
#include "util/main-loop.h"

enum { REFRESH_MS = 30, CLIENTS_MAX = 32 };

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

static void fill_basic(VncBasicInfo *b, const char *host, const char *service, bool is_unix,
                       bool websocket)
{
    b->host = g_strdup(host ? host : "");
    b->service = g_strdup(service ? service : "");
    b->family = is_unix                ? NETWORK_ADDRESS_FAMILY_UNIX
                : strchr(b->host, ':') ? NETWORK_ADDRESS_FAMILY_IPV6
                                       : NETWORK_ADDRESS_FAMILY_IPV4;
    b->websocket = websocket;
}

static const char *auth_name(const VncServer *s)
{
    return s->auth == VNC_AUTH_PASSWORD ? "vnc" : "none";
}

/* "vencrypt+x509+vnc", as query-vnc has it. */
static char *full_auth_name(const VncServer *s)
{
    return s->tls_creds ? g_strdup_printf("vencrypt+%s+%s", s->tls_anon ? "tls" : "x509",
                                          auth_name(s))
                        : g_strdup(auth_name(s));
}

/* l may be NULL: nobody connects to us. */
static VncServerInfo *server_info(VncServer *s, const VncListener *l)
{
    VncBasicInfo b;
    VncServerInfo *i = g_new0(VncServerInfo, 1);

    fill_basic(&b, l ? l->host : NULL, l ? l->service : NULL, l && l->is_unix, l && l->websocket);
    i->host = b.host;
    i->service = b.service;
    i->family = b.family;
    i->websocket = b.websocket;
    i->auth = l && l->websocket ? g_strdup(auth_name(s)) : full_auth_name(s);
    return i;
}

static VncClientInfo *client_info(VncClient *c)
{
    VncBasicInfo b;
    VncClientInfo *i = g_new0(VncClientInfo, 1);

    fill_basic(&b, c->host, c->service, c->is_unix, c->listener && c->listener->websocket);
    i->host = b.host;
    i->service = b.service;
    i->family = b.family;
    i->websocket = b.websocket;
    return i;
}

void vnc_client_event(VncClient *c, VncEvent event)
{
    g_autofree VncServerInfo *server = server_info(c->server, c->listener);
    g_autofree VncClientInfo *client = client_info(c);

    if (event == VNC_EVENT_CONNECTED) {
        VncBasicInfo plain = {
            .host = client->host, .service = client->service, .family = client->family,
            .websocket = client->websocket};

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

void vnc_server_adopt(VncServer *s, const VncListener *l, int fd)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);
    g_autoptr(GError) error = NULL;
    int one = 1;

    if (s->clients->len >= CLIENTS_MAX) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    VncClient *c = vnc_client_new(s, l, fd, &error);

    if (!c) {
        warn_report("VNC: %s", error->message);
        return;
    }
    if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0) {
        c->is_unix = sa.ss_family == AF_UNIX;
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
    static const char *const missing[] = { "sasl", "sasl-authz", NULL };

    for (unsigned i = 0; missing[i]; i++) {
        if (opts_has(kv, missing[i])) {
            return fail(error, "%s is not supported yet", missing[i]);
        }
    }
    return true;
}

/* Certificates or anonymous; keys that both know have no subtype of VeNCrypt. */
static bool set_up_tls(VncServer *s, json_object *kv, GError **error)
{
    const char *creds = opts_string(kv, "tls-creds", NULL);

    if (!creds) {
        return !opts_has(kv, "tls-authz") ||
               fail(error, "'tls-authz' provided but TLS is not enabled");
    }
    if (!tls_creds_check(creds, true, error)) {
        return false;
    }
    const char *type = object_child(object_container("/objects"), creds)->type->name;

    s->tls_anon = strcmp(type, "tls-creds-anon") == 0;
    if (!s->tls_anon && strcmp(type, "tls-creds-x509") != 0) {
        return fail(error, "Unsupported TLS cred type %s", type);
    }
    s->tls_creds = g_strdup(creds);
    s->tls_authz = g_strdup(opts_string(kv, "tls-authz", NULL));
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
    if (!refuse_missing(kv, error) || !set_up_tls(s, kv, error) || !set_up_auth(s, kv, error) ||
        !vnc_listen(s, kv, error)) {
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
    s->listeners = g_ptr_array_new();
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
        vnc_listen_stop(s);
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

    i->enabled = s && s->listeners->len;
    if (!i->enabled) {
        return i;
    }
    VncServerInfo *where = server_info(s, s->listeners->pdata[0]);

    i->host = where->host;
    i->service = where->service;
    i->has_family = true;
    i->family = where->family;
    i->auth = where->auth;
    i->clients = list_clients(s);
    g_free(where);
    return i;
}

static VncPrimaryAuth primary_auth(const VncServer *s, bool websocket)
{
    return s->tls_creds && !websocket         ? VNC_PRIMARY_AUTH_VENCRYPT
           : s->auth == VNC_AUTH_PASSWORD ? VNC_PRIMARY_AUTH_VNC
                                          : VNC_PRIMARY_AUTH_NONE;
}

/* The subtype's number in the schema, by its name. */
static bool vencrypt_subtype(const VncServer *s, VncVencryptSubAuth *sub)
{
    const char *name = vnc_vencrypt_name(s);

    if (name) {
        *sub = strcmp(name, "tls-none") == 0    ? VNC_VENCRYPT_SUB_AUTH_TLS_NONE
               : strcmp(name, "tls-vnc") == 0   ? VNC_VENCRYPT_SUB_AUTH_TLS_VNC
               : strcmp(name, "x509-none") == 0 ? VNC_VENCRYPT_SUB_AUTH_X509_NONE
                                                : VNC_VENCRYPT_SUB_AUTH_X509_VNC;
    }
    return name != NULL;
}

static VncServerInfo2 *listener_info(VncServer *s, const VncListener *l)
{
    VncServerInfo *where = server_info(s, l);
    VncServerInfo2 *w = g_new0(VncServerInfo2, 1);

    w->host = where->host;
    w->service = where->service;
    w->family = where->family;
    w->websocket = where->websocket;
    w->auth = primary_auth(s, l->websocket);
    w->has_vencrypt = !l->websocket && vencrypt_subtype(s, &w->vencrypt);
    g_free(where->auth);
    g_free(where);
    return w;
}

GPtrArray *qmp_query_vnc_servers(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint n = 0; n < vnc_servers()->len; n++) {
        VncServer *s = servers->pdata[n];
        VncInfo2 *i = g_new0(VncInfo2, 1);

        i->auth = primary_auth(s, false);
        i->has_vencrypt = vencrypt_subtype(s, &i->vencrypt);
        i->id = g_strdup(s->id);
        i->server = g_ptr_array_new();
        for (guint k = s->listeners->len; k-- > 0;) {   /* the newest first, as clients know it */
            g_ptr_array_add(i->server, listener_info(s, s->listeners->pdata[k]));
        }
        i->clients = list_clients(s);
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

static void print_auth(GString *out, const VncServer *s, const char *indent, bool websocket)
{
    bool vencrypt = s->tls_creds && !websocket;

    g_string_append_printf(out, "%sAuth: %s (Sub: %s)\n", indent,
                           vencrypt ? "vencrypt" : auth_name(s),
                           vencrypt ? vnc_vencrypt_name(s) : "none");
}

/* host:service (family), a line. */
static void print_address(GString *out, const char *what, const char *host, const char *service,
                          bool is_unix, bool websocket)
{
    g_string_append_printf(out, "  %s: %s:%s (%s%s)\n", what, host ? host : "",
                           service ? service : "",
                           is_unix                     ? "unix"
                           : host && strchr(host, ':') ? "ipv6"
                                                       : "ipv4",
                           websocket ? " (Websocket)" : "");
}

static void hmp_info_vnc(HmpCall *call, GError **error)
{
    if (!vnc_servers()->len) {
        g_string_append(call->out, "None\n");
    }
    for (guint n = 0; n < servers->len; n++) {
        VncServer *s = servers->pdata[n];

        g_string_append_printf(call->out, "%s:\n", s->id);
        for (guint i = s->listeners->len; i-- > 0;) {
            const VncListener *l = s->listeners->pdata[i];

            print_address(call->out, "Server", l->host, l->service, l->is_unix, l->websocket);
            print_auth(call->out, s, "    ", l->websocket);
        }
        if (!s->listeners->len) {
            print_auth(call->out, s, "  ", false);
        }
        for (guint i = 0; i < s->clients->len; i++) {
            const VncClient *c = s->clients->pdata[i];

            print_address(call->out, "Client", c->host, c->service, c->is_unix,
                          c->listener && c->listener->websocket);
            g_string_append(call->out, "    x509_dname: none\n    sasl_username: none\n");
        }
    }
}

HMP_INFO(vnc, hmp_info_vnc, "", "show the vnc server status");
