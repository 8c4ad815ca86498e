// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports forwarded through the user-mode network: hostfwd= inwards, guestfwd= outwards. */
#include <errno.h>
#include <string.h>

#include "slirp.h"
#include "util/cutils.h"
#include "util/error.h"

typedef struct HostRule {
    bool udp;
    struct in_addr host, guest;
    int host_port, guest_port;
} HostRule;

/* Cuts *text at the first `sep`; the piece before it, NULL when there is none. */
static char *cut(const char **text, char sep)
{
    const char *end = strchr(*text, sep);
    char *piece = end ? g_strndup(*text, (gsize)(end - *text)) : NULL;

    *text = end ? end + 1 : *text;
    return piece;
}

static bool parse_port(const char *text, int min, int *port)
{
    uint64_t n;

    if (!text || !parse_u64(text, &n) || n < (uint64_t)min || n > 65535) {
        return false;
    }
    *port = (int)n;
    return true;
}

/*
 * "[tcp|udp]:[hostaddr]:hostport", and with `guest` "-[guestaddr]:guestport". NULL or what is bad.
 */
static const char *parse_host_rule(const char *text, HostRule *r, bool guest)
{
    const char *rest = text;
    g_autofree char *protocol = cut(&rest, ':');
    g_autofree char *host = protocol ? cut(&rest, ':') : NULL;

    if (!protocol) {
        return "No : separators";
    }
    r->udp = strcmp(protocol, "udp") == 0;
    if (!r->udp && *protocol && strcmp(protocol, "tcp") != 0) {
        return "Bad protocol name";
    }
    if (!host) {
        return "Missing : separator";
    }
    r->host.s_addr = INADDR_ANY;
    if (*host && !inet_aton(host, &r->host)) {
        return "Bad host address";
    }
    if (!guest) {
        return parse_port(rest, 0, &r->host_port) ? NULL : "Bad host port";
    }
    g_autofree char *port = cut(&rest, '-');

    if (!port) {
        return "Bad host port separator";
    }
    if (!parse_port(port, 0, &r->host_port)) {
        return "Bad host port";
    }
    g_autofree char *address = cut(&rest, ':');

    if (!address) {
        return "Missing guest address";
    }
    r->guest.s_addr = 0;
    if (*address && !inet_aton(address, &r->guest)) {
        return "Bad guest address";
    }
    return parse_port(rest, 1, &r->guest_port) ? NULL : "Bad guest port";
}

bool slirp_net_hostfwd(SlirpNet *s, const char *rule, GError **error)
{
    HostRule r = { 0 };
    const char *bad = parse_host_rule(rule, &r, true);

    if (bad) {
        return fail(error, "Invalid host forwarding rule '%s' (%s)", rule, bad);
    }
    errno = 0;
    if (slirp_add_hostfwd(s->slirp, r.udp, r.host, r.host_port, r.guest, r.guest_port) < 0) {
        return fail(error, "Could not set up host forwarding rule '%s'%s%s", rule,
                    errno ? ": " : "", errno ? g_strerror(errno) : "");
    }
    return true;
}

bool slirp_net_hostfwd_remove(SlirpNet *s, const char *rule, GError **error)
{
    HostRule r = { 0 };

    if (parse_host_rule(rule, &r, false)) {
        return fail(error, "invalid format");
    }
    return slirp_remove_hostfwd(s->slirp, r.udp, r.host, r.host_port) == 0 ||
           fail(error, "host forwarding rule for %s not found", rule);
}

/* ---- outwards ---- */

static ssize_t forward_write(const void *buf, size_t len, void *opaque)
{
    GuestForward *f = opaque;

    return (ssize_t)chardev_write(&f->fe, buf, len);
}

static size_t forward_room(void *opaque)
{
    GuestForward *f = opaque;

    return slirp_socket_can_recv(f->net->slirp, f->addr, f->port);
}

static void forward_receive(void *opaque, const uint8_t *buf, size_t len)
{
    GuestForward *f = opaque;

    slirp_socket_recv(f->net->slirp, f->addr, f->port, buf, (int)len);
}

static const ChardevFeOps forward_ops = { .can_receive = forward_room, .receive = forward_receive };

static bool forward_to_chardev(SlirpNet *s, const char *spec, struct in_addr addr, int port,
                               GError **error)
{
    g_autofree char *id = g_strdup_printf("guestfwd.tcp.%d", port);
    Chardev *chr = chardev_new_short(id, spec, error);
    GuestForward *f;

    if (!chr) {
        return *error ? false : fail(error, "guest forwarding needs a target");
    }
    f = g_new0(GuestForward, 1);
    f->net = s;
    f->port = port;
    f->addr = addr;
    if (slirp_add_guestfwd(s->slirp, forward_write, f, &f->addr, port) < 0) {
        g_free(f);
        return fail(error, "conflicting/invalid host:port in guest forwarding rule");
    }
    g_ptr_array_add(s->guest_forwards, f);
    return chardev_fe_attach(&f->fe, chr, &forward_ops, f, error);
}

bool slirp_net_guestfwd(SlirpNet *s, const char *rule, GError **error)
{
    const char *rest = rule;
    g_autofree char *protocol = cut(&rest, ':');
    g_autofree char *server = protocol ? cut(&rest, ':') : NULL;
    g_autofree char *port_text = server ? cut(&rest, '-') : NULL;
    struct in_addr addr = { 0 };
    int port;

    if (!port_text || (*protocol && strcmp(protocol, "tcp") != 0) ||
        (*server && !inet_aton(server, &addr)) || !parse_port(port_text, 1, &port)) {
        return fail(error, "Invalid guest forwarding rule '%s'", rule);
    }
    if (g_str_has_prefix(rest, "cmd:")) {
        return slirp_add_exec(s->slirp, rest + 4, &addr, port) == 0 ||
               fail(error, "Conflicting/invalid host:port in guest forwarding rule '%s'", rule);
    }
    return forward_to_chardev(s, rest, addr, port, error);
}

void slirp_net_forwards_free(SlirpNet *s)
{
    for (unsigned i = 0; i < s->guest_forwards->len; i++) {
        GuestForward *f = g_ptr_array_index(s->guest_forwards, i);

        chardev_fe_detach(&f->fe);
        g_free(f);
    }
    g_ptr_array_unref(s->guest_forwards);
}
