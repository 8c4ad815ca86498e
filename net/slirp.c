// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -netdev user: a network of its own for the guest, with NAT to the host's sockets, by libslirp.
 * A GSource lets it poll its sockets in the main loop. While the NIC lags behind, no sockets are
 * read, so that TCP slows the senders down.
 */
#include "slirp.h"

#include <signal.h>
#include <string.h>

#include "qom/hmp.h"
#include "util/error.h"
#include "util/main-loop.h"

/* Frames that wait for the NIC, in bytes, before sockets are left alone. */
#define LAG_BYTES (1 * MIB)

static SlirpNet *slirp_net(NetClient *c)
{
    return c->opaque;
}

/* ---- callbacks of the library ---- */

static ssize_t slirp_send_packet(const void *buf, size_t len, void *opaque)
{
    SlirpNet *s = opaque;

    /* a full queue is the guest's overload: the other end's TCP sends it again */
    net_gro_send(&s->gro, &s->client, buf, len);
    bh_schedule(s->flush_bh);
    return (ssize_t)len;
}

/* No more frames at this turn of the main loop. */
static void slirp_flush(void *opaque)
{
    SlirpNet *s = opaque;

    net_gro_flush(&s->gro, &s->client);
}

static void slirp_guest_error(const char *msg, void *opaque)
{
    guest_error("user network: %s", msg);
}

static int64_t slirp_clock(void *opaque)
{
    return clock_now_ns(CLOCK_GUEST);
}

static void *slirp_timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
    Timer *t = g_new0(Timer, 1);

    timer_init(t, CLOCK_GUEST, cb, cb_opaque);
    return t;
}

static void slirp_timer_free(void *timer, void *opaque)
{
    timer_cancel(timer);
    g_free(timer);
}

static void slirp_timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
    timer_set_ns(timer, expire_ms * 1000000);
}

static void slirp_register_fd(int fd, void *opaque)
{
}

/* A guest's packet has opened a socket or made room: the next poll must know. */
static void slirp_notify(void *opaque)
{
    main_loop_wake();
}

static const SlirpCb slirp_callbacks = {
    .send_packet = slirp_send_packet,
    .guest_error = slirp_guest_error,
    .clock_get_ns = slirp_clock,
    .timer_new = slirp_timer_new,
    .timer_free = slirp_timer_free,
    .timer_mod = slirp_timer_mod,
    .register_poll_fd = slirp_register_fd,
    .unregister_poll_fd = slirp_register_fd,
    .notify = slirp_notify,
};

/* ---- polling ---- */

typedef struct SlirpSource {
    GSource source;
    SlirpNet *net;
} SlirpSource;

static int slirp_add_poll(int fd, int events, void *opaque)
{
    SlirpNet *s = opaque;
    GPollFD *p;
    unsigned wanted =
        (events & SLIRP_POLL_IN ? G_IO_IN : 0) | (events & SLIRP_POLL_OUT ? G_IO_OUT : 0) |
        (events & SLIRP_POLL_PRI ? G_IO_PRI : 0) | (events & SLIRP_POLL_ERR ? G_IO_ERR : 0) |
        (events & SLIRP_POLL_HUP ? G_IO_HUP : 0);

    if (s->used == s->polls->len) {
        p = g_new0(GPollFD, 1);
        p->fd = -1;
        g_ptr_array_add(s->polls, p);
    }
    p = g_ptr_array_index(s->polls, s->used);
    if (p->fd != fd) {
        if (p->fd >= 0) {
            g_source_remove_poll(s->source, p);
        }
        p->fd = fd;
        p->events = (gushort)wanted;
        g_source_add_poll(s->source, p);
    }
    p->events = (gushort)wanted;
    p->revents = 0;
    return (int)s->used++;
}

static int slirp_revents(int idx, void *opaque)
{
    SlirpNet *s = opaque;
    const GPollFD *p;

    if (idx < 0 || (unsigned)idx >= s->used) {
        return 0;
    }
    p = g_ptr_array_index(s->polls, idx);
    return (p->revents & G_IO_IN ? SLIRP_POLL_IN : 0) |
           (p->revents & G_IO_OUT ? SLIRP_POLL_OUT : 0) |
           (p->revents & G_IO_PRI ? SLIRP_POLL_PRI : 0) |
           (p->revents & G_IO_ERR ? SLIRP_POLL_ERR : 0) |
           (p->revents & G_IO_HUP ? SLIRP_POLL_HUP : 0);
}

static gboolean slirp_prepare(GSource *source, int *timeout_ms)
{
    SlirpNet *s = ((SlirpSource *)source)->net;
    NetClient *nic = s->client.peer;
    uint32_t timeout = UINT32_MAX;

    s->used = 0;
    if (!nic || nic->queued_bytes < LAG_BYTES) {
        slirp_pollfds_fill(s->slirp, &timeout, slirp_add_poll, s);
    }
    for (unsigned i = s->used; i < s->polls->len; i++) {
        GPollFD *p = g_ptr_array_index(s->polls, i);

        if (p->fd >= 0) {
            g_source_remove_poll(s->source, p);
            p->fd = -1;
        }
    }
    s->deadline_ns =
        timeout == UINT32_MAX ? INT64_MAX : clock_now_ns(CLOCK_RT) + timeout * 1000000LL;
    *timeout_ms = timeout == UINT32_MAX ? -1 : (int)MIN(timeout, 60000);
    return FALSE;
}

static gboolean slirp_check(GSource *source)
{
    SlirpNet *s = ((SlirpSource *)source)->net;

    if (s->neighbour) {
        return TRUE;
    }
    for (unsigned i = 0; i < s->used; i++) {
        if (((GPollFD *)g_ptr_array_index(s->polls, i))->revents) {
            return TRUE;
        }
    }
    return clock_now_ns(CLOCK_RT) >= s->deadline_ns;
}

static gboolean slirp_dispatch(GSource *source, GSourceFunc fn, gpointer data)
{
    SlirpNet *s = ((SlirpSource *)source)->net;

    s->neighbour = false;
    slirp_pollfds_poll(s->slirp, 0, slirp_revents, s);
    slirp_flush(s);
    return G_SOURCE_CONTINUE;
}

/* Not const for glib's sake only: it keeps notes in it. */
static GSourceFuncs slirp_source_funcs = {
    .prepare = slirp_prepare, .check = slirp_check, .dispatch = slirp_dispatch,
};

/* ---- the client ---- */

/*
 * The guest says where an address is (ARP, ICMPv6): the library sends what waits for that at its
 * next poll.
 */
static bool slirp_names_neighbour(const uint8_t *frame, size_t len)
{
    return (len >= 42 && frame[12] == 0x08 && frame[13] == 0x06) ||
           (len >= 54 && frame[12] == 0x86 && frame[13] == 0xdd && frame[20] == 58);
}

static ssize_t slirp_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    slirp_input(slirp_net(c)->slirp, frame, (int)len);
    slirp_net(c)->neighbour |= slirp_names_neighbour(frame, len);
    main_loop_wake();
    return (ssize_t)len;
}

/* Large frames are as good as many: TCP takes what it gets. */
static unsigned slirp_takes(NetClient *c)
{
    return NET_TAKES_TCP4 | NET_TAKES_TCP6 | NET_TAKES_UDP;
}

static void slirp_peer_ready(NetClient *c)
{
    main_loop_wake();
}

static void slirp_net_free(SlirpNet *s)
{
    g_source_destroy(s->source);
    g_source_unref(s->source);
    slirp_net_forwards_free(s);
    slirp_cleanup(s->slirp);
    bh_free(s->flush_bh);
    net_gro_free(&s->gro);
    g_ptr_array_unref(s->polls);
    g_free(s->client.name);
    g_free(s);
}

static void slirp_client_cleanup(NetClient *c)
{
    slirp_net_free(slirp_net(c));
}

static void slirp_info(NetClient *c, GString *out)
{
    SlirpNet *s = slirp_net(c);

    g_string_append_printf(out, "net=%s,restrict=%s", inet_ntoa(s->net),
                           s->restricted ? "on" : "off");
}

static const NetOps slirp_ops = {
    .type = "user", .receive = slirp_receive, .takes = slirp_takes, .peer_ready = slirp_peer_ready, .cleanup = slirp_client_cleanup,
    .info = slirp_info,
};

static bool slirp_forward_all(SlirpNet *s, struct json_object *kv, GError **error)
{
    struct json_object *rules;

    if (json_object_object_get_ex(kv, "hostfwd", &rules)) {
        for (size_t i = 0; i < json_object_array_length(rules); i++) {
            if (!slirp_net_hostfwd(s, json_object_get_string(json_object_array_get_idx(rules, i)),
                                   error)) {
                return false;
            }
        }
    }
    if (json_object_object_get_ex(kv, "guestfwd", &rules)) {
        for (size_t i = 0; i < json_object_array_length(rules); i++) {
            if (!slirp_net_guestfwd(s, json_object_get_string(json_object_array_get_idx(rules, i)),
                                    error)) {
                return false;
            }
        }
    }
    return true;
}

static NetClient *slirp_create(const char *id, struct json_object *kv, GError **error)
{
    g_autoptr(GPtrArray) keep = g_ptr_array_new_with_free_func(g_free);
    SlirpConfig cfg = { 0 };
    SlirpNet *s;

    if (!slirp_net_config(&cfg, kv, keep, error)) {
        return NULL;
    }
    s = g_new0(SlirpNet, 1);
    s->client = (NetClient){ .ops = &slirp_ops, .name = g_strdup(id), .opaque = s };
    g_queue_init(&s->client.queue);
    s->net = cfg.vnetwork;
    s->mask = cfg.vnetmask;
    s->restricted = cfg.restricted;
    s->polls = g_ptr_array_new_with_free_func(g_free);
    s->guest_forwards = g_ptr_array_new();
    net_gro_init(&s->gro);
    s->flush_bh = bh_new(slirp_flush, s);
    s->slirp = slirp_new(&cfg, &slirp_callbacks, s);
    s->source = g_source_new(&slirp_source_funcs, sizeof(SlirpSource));
    ((SlirpSource *)s->source)->net = s;
    g_source_attach(s->source, NULL);
    if (!slirp_forward_all(s, kv, error)) {
        slirp_net_free(s);
        return NULL;
    }
    return &s->client;
}

static const char *const slirp_keys[] = {
    "hostname", "restrict", "ipv4", "ipv6", "net", "host", "ip", "tftp", "bootfile", "dhcpstart", "dns",
    "domainname", "ipv6-prefix", "ipv6-prefixlen", "ipv6-net", "ipv6-host", "ipv6-dns", "smb", "smbserver",
    "tftp-server-name", NULL,
};
static const char *const slirp_lists[] = { "hostfwd", "guestfwd", "dnssearch", NULL };

static const NetdevType slirp_type = {
    .name = "user", .help = "user mode network stack", .keys = slirp_keys, .lists = slirp_lists, .create = slirp_create,
};
NETDEV_TYPE(slirp_type);

/* ---- for people ---- */

/* The network meant by an optional id: the first one without. */
static SlirpNet *find_net(const char *id, GError **error)
{
    NetClient *c;

    for (unsigned i = 0; (c = netdev_nth(i)) != NULL; i++) {
        if (c->ops == &slirp_ops && (!id || strcmp(c->name, id) == 0)) {
            return slirp_net(c);
        }
    }
    return id ? fail_null(error, "unrecognized netdev id '%s'", id)
              : fail_null(error, "user mode network stack not in use");
}

static void hmp_usernet(HmpCall *call, GError **error)
{
    NetClient *c;

    for (unsigned i = 0; (c = netdev_nth(i)) != NULL; i++) {
        if (c->ops == &slirp_ops) {
            char *text = slirp_connection_info(slirp_net(c)->slirp);

            g_string_append_printf(call->out, "Hub -1 (%s):\n%s", c->name, text);
            g_free(text);
        }
    }
}
HMP_INFO(usernet, hmp_usernet, "", "show user network stack connection states");

static void hmp_hostfwd_add(HmpCall *call, GError **error)
{
    const char *first = hmp_str(call, "arg1"), *second = hmp_str(call, "arg2");
    SlirpNet *s = find_net(second ? first : NULL, error);

    if (s) {
        slirp_net_hostfwd(s, second ? second : first, error);
    }
}
HMP_COMMAND(hostfwd_add, hmp_hostfwd_add, "arg1:s,arg2:s?",
            "redirect TCP or UDP connections from host to guest (requires -net user)");

static void hmp_hostfwd_remove(HmpCall *call, GError **error)
{
    const char *first = hmp_str(call, "arg1"), *second = hmp_str(call, "arg2");
    SlirpNet *s = find_net(second ? first : NULL, error);

    if (s && slirp_net_hostfwd_remove(s, second ? second : first, error)) {
        g_string_append_printf(call->out, "host forwarding rule for %s removed\n",
                               second ? second : first);
    }
}
HMP_COMMAND(hostfwd_remove, hmp_hostfwd_remove, "arg1:s,arg2:s?",
            "remove host-to-guest TCP or UDP redirection");
