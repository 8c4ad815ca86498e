// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The links between network back ends and NICs: delivery, bounded queues while a side is
 * busy, and the table of -netdev ids.
 */
#include "net/net.h"
#include <string.h>
#include "net-internal.h"
#include "net/eth.h"
#include "qom/object.h"
#include "qom/runstate.h"
#include "util/error.h"

/* A slow side may lag this far behind. */
#define QUEUE_BYTES (4 * MIB)
#define QUEUE_FRAMES 4096

typedef struct Frame {
    size_t len;
    NetOffload offload;
    uint8_t data[];
} Frame;

/* Back ends by id; the process has one set, as the command line does. */
static GPtrArray *netdevs;
/* NICs that are realized. */
static GPtrArray *nics;

/* While the machine is stopped, no NIC writes to guest memory: frames wait. */
static void machine_runs(void *opaque, bool running)
{
    for (unsigned i = 0; running && i < nics->len; i++) {
        net_ready(g_ptr_array_index(nics, i));
    }
}

static bool net_takes(NetClient *c)
{
    return (!c->is_nic || runstate_running()) && (!c->ops->can_receive || c->ops->can_receive(c));
}

static bool net_receivable(NetClient *c)
{
    return g_queue_is_empty(&c->queue) && net_takes(c);
}

static ssize_t net_give(NetClient *to, const uint8_t *frame, size_t len, const NetOffload *o)
{
    bool more = o->checksum || o->gso || (o->valid && to->ops->receive_offload);

    return more ? to->ops->receive_offload(to, frame, len, o) : to->ops->receive(to, frame, len);
}

static bool net_queue(NetClient *to, const uint8_t *frame, size_t len, const NetOffload *o)
{
    if (to->queue.length >= QUEUE_FRAMES || len > QUEUE_BYTES - to->queued_bytes) {
        return false;
    }
    Frame *f = g_malloc(sizeof(*f) + len);

    f->len = len;
    f->offload = *o;
    memcpy(f->data, frame, len);
    g_queue_push_tail(&to->queue, f);
    to->queued_bytes += len;
    return true;
}

void net_watch(NetClient *c, NetWatch *w, unsigned at)
{
    if (!c->watches) {
        c->watches = g_ptr_array_new();
    }
    g_ptr_array_insert(c->watches, (int)at, w);
}

void net_unwatch(NetClient *c, NetWatch *w)
{
    g_ptr_array_remove(c->watches, w);
}

/* Shows a frame to the watches of a back end, from one on; true: one of them took it. */
static bool net_watched(NetClient *c, unsigned first, bool sent_by, const uint8_t *frame,
                        size_t len)
{
    for (unsigned i = first; c->watches && i < c->watches->len; i++) {
        NetWatch *w = g_ptr_array_index(c->watches, i);

        if (w->frame(w->opaque, sent_by, frame, len)) {
            return true;
        }
    }
    return false;
}

/* Whether a watch wants nothing but frames as they are on a wire. */
static bool net_wants_finished(const NetClient *c)
{
    for (unsigned i = 0; c && c->watches && i < c->watches->len; i++) {
        if (((const NetWatch *)g_ptr_array_index(c->watches, i))->finished) {
            return true;
        }
    }
    return false;
}

static bool net_pass(NetClient *c, const uint8_t *frame, size_t len, const NetOffload *o)
{
    NetClient *to = c->peer;

    /* No cable, or one end is down: gone, as on a real wire. */
    if (!to || c->link_down || to->link_down || len > NET_MAX_FRAME) {
        return true;
    }
    if (net_watched(c, 0, true, frame, len) || net_watched(to, 0, false, frame, len)) {
        return true;
    }
    if (net_receivable(to) && net_give(to, frame, len, o) != 0) {
        return true;
    }
    return net_queue(to, frame, len, o);
}

void net_pass_on(NetClient *c, const NetWatch *after, bool sent_by, const uint8_t *frame,
                 size_t len)
{
    static const NetOffload nothing;
    NetClient *from = sent_by ? c : c->peer, *to = sent_by ? c->peer : c;
    unsigned at = 0;

    if (!from || !to || from->link_down || to->link_down || len > NET_MAX_FRAME ||
        !g_ptr_array_find(c->watches, after, &at) ||
        net_watched(c, at + 1, sent_by, frame, len)) {
        return;
    }
    if (!net_receivable(to) || net_give(to, frame, len, &nothing) == 0) {
        net_queue(to, frame, len, &nothing);      /* full: dropped, nobody can be told */
    }
}

bool net_send(NetClient *c, const uint8_t *frame, size_t len)
{
    static const NetOffload nothing;

    return net_pass(c, frame, len, &nothing);
}

bool net_send_valid(NetClient *c, const uint8_t *frame, size_t len)
{
    static const NetOffload valid = { .valid = true };

    return net_pass(c, frame, len, &valid);
}

static void send_segment(void *opaque, const uint8_t *frame, size_t len)
{
    net_send(opaque, frame, len);
}

bool net_send_offload(NetClient *c, uint8_t *frame, size_t len, const NetOffload *o)
{
    static const unsigned bits[] = { 0, NET_TAKES_TCP4, NET_TAKES_TCP6, NET_TAKES_UDP };
    NetClient *to = c->peer;
    bool finished = net_wants_finished(c) || net_wants_finished(to);
    unsigned takes = to && to->ops->takes && !finished ? to->ops->takes(to) : 0;
    NetOffload left = *o;

    if (left.gso && !(takes & bits[left.gso])) {
        /* TCP sends again what finds no room */
        return to && !eth_segment(frame, len, o, send_segment, c) ? net_send(c, frame, len) : true;
    }
    if (left.checksum && !(takes & NET_TAKES_CHECKSUM)) {
        eth_fill_checksum(frame, len, o);
        left.checksum = false;
    }
    if (!to || !to->ops->receive_offload) {
        left = (NetOffload){ 0 };
    }
    return net_pass(c, frame, len, &left);
}

bool net_sendv(NetClient *c, const struct iovec *iov, unsigned n)
{
    g_autofree uint8_t *flat = NULL;
    size_t len = 0;

    if (n == 1) {
        return net_send(c, iov[0].iov_base, iov[0].iov_len);
    }
    for (unsigned i = 0; i < n; i++) {
        if (iov[i].iov_len > NET_MAX_FRAME - len) {
            return true;
        }
        len += iov[i].iov_len;
    }
    flat = g_malloc(len ? len : 1);
    len = 0;
    for (unsigned i = 0; i < n; i++) {
        memcpy(flat + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    return net_send(c, flat, len);
}

void net_ready(NetClient *c)
{
    bool moved = false;

    while (!g_queue_is_empty(&c->queue) && net_takes(c)) {
        Frame *f = g_queue_peek_head(&c->queue);

        if (net_give(c, f->data, f->len, &f->offload) == 0) {
            break;
        }
        /* receive() may have come back here and taken the frame already. */
        if (g_queue_peek_head(&c->queue) == f) {
            g_queue_pop_head(&c->queue);
            c->queued_bytes -= f->len;
            g_free(f);
        }
        moved = true;
    }
    if (moved && c->peer && c->peer->ops->peer_ready) {
        c->peer->ops->peer_ready(c->peer);
    }
}

static void net_drop_queue(NetClient *c)
{
    g_queue_clear_full(&c->queue, g_free);
    c->queued_bytes = 0;
}

void net_nic_init(NetClient *nic, const NetOps *ops, void *opaque, NetPeer *peer, const char *name)
{
    *nic = (NetClient){ .ops = ops, .opaque = opaque, .name = g_strdup(name) };
    g_queue_init(&nic->queue);
    nic->is_nic = true;
    if (!nics) {
        nics = g_ptr_array_new();
        runstate_watch(machine_runs, NULL);
    }
    g_ptr_array_add(nics, nic);
    if (peer && peer->client) {
        nic->peer = peer->client;
        peer->client->peer = nic;
    }
}

void net_nic_fini(NetClient *nic)
{
    if (nic->peer) {
        nic->peer->peer = NULL;
        net_drop_queue(nic->peer);
    }
    net_drop_queue(nic);
    g_ptr_array_remove(nics, nic);
    g_free(nic->name);
    g_free(nic->model);
    memset(nic, 0, sizeof(*nic));
}

/* ---- back ends ---- */

void net_backend_add(NetClient *c)
{
    if (!netdevs) {
        netdevs = g_ptr_array_new();
    }
    g_ptr_array_add(netdevs, c);
}

NetClient *netdev_find(const char *id)
{
    for (unsigned i = 0; netdevs && i < netdevs->len; i++) {
        NetClient *c = g_ptr_array_index(netdevs, i);

        if (strcmp(c->name, id) == 0) {
            return c;
        }
    }
    return NULL;
}

NetClient *netdev_nth(unsigned i)
{
    return netdevs && i < netdevs->len ? g_ptr_array_index(netdevs, i) : NULL;
}

NetClient *net_nic_nth(unsigned i)
{
    return nics && i < nics->len ? g_ptr_array_index(nics, i) : NULL;
}

void net_backend_remove(NetClient *c)
{
    g_ptr_array_remove(netdevs, c);
    if (c->peer) {
        net_drop_queue(c->peer);
        c->peer->peer = NULL;
    }
    net_drop_queue(c);
    for (unsigned i = 0; c->watches && i < c->watches->len; i++) {
        NetWatch *w = g_ptr_array_index(c->watches, i);

        w->gone(w->opaque);
    }
    g_clear_pointer(&c->watches, g_ptr_array_unref);
    if (c->ops->cleanup) {
        c->ops->cleanup(c);
    }
}

void net_set_link(NetClient *c, bool up)
{
    c->link_down = !up;
    if (c->ops->link_changed) {
        c->ops->link_changed(c, up);
    }
    if (c->peer && c->peer->is_nic && c->peer->ops->link_changed) {
        c->peer->ops->link_changed(c->peer, up && !c->peer->link_down);
    }
}

void net_default_mac(uint8_t mac[6])
{
    /* Counts the NICs of this process. */
    static uint8_t next = 0x56;
    const uint8_t first[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, next++ };

    memcpy(mac, first, 6);
}

/* ---- property: a NIC's "netdev" ---- */

static bool netdev_parse(Object *o, const Prop *p, void *field, const char *text, GError **error)
{
    NetPeer **peer = field;
    NetClient *c = netdev_find(text);

    if (!c) {
        return fail(error, "Property '%s.%s' can't find value '%s'", o->type->name, p->name, text);
    }
    if (c->peer) {
        return fail(error, "Property '%s.%s' can't take value '%s', it's in use", o->type->name,
                    p->name, text);
    }
    g_free(*peer);
    *peer = g_new0(NetPeer, 1);
    (*peer)->client = c;
    return true;
}

static bool netdev_from_json(Object *o, const Prop *p, void *field, struct json_object *v,
                             GError **error)
{
    if (!json_object_is_type(v, json_type_string)) {
        return fail(error, "Invalid parameter type for '%s', expected: string", p->name);
    }
    return netdev_parse(o, p, field, json_object_get_string(v), error);
}

static struct json_object *netdev_to_json(Object *o, const Prop *p, const void *field)
{
    NetPeer *const *peer = field;

    return json_object_new_string(*peer && (*peer)->client ? (*peer)->client->name : "");
}

static void netdev_default(Object *o, const Prop *p, void *field)
{
    *(NetPeer **)field = NULL;
}

static void netdev_release(void *field)
{
    g_clear_pointer((NetPeer **)field, g_free);
}

const PropType prop_netdev = {
    .name = "str",
    .parse = netdev_parse,
    .from_json = netdev_from_json,
    .to_json = netdev_to_json,
    .set_default = netdev_default,
    .release = netdev_release,
};
