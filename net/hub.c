// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hubs: what comes in at a port goes out at all others. -netdev hubport makes a port, for a NIC or,
 * with netdev=, for another back end; -net puts what is neither paired nor alone on hub 0.
 */
#include <string.h>

#include "net-internal.h"
#include "qapi/keyval.h"
#include "qom/hmp.h"
#include "util/error.h"

typedef struct Hub {
    uint32_t id;
    GPtrArray *ports;        /* HubPort * */
} Hub;

typedef struct HubPort {
    NetClient client;
    Hub *hub;
} HubPort;

/* By number; they live as long as they have ports. */
static GPtrArray *hubs;

static Hub *hub_get(uint32_t id)
{
    if (!hubs) {
        hubs = g_ptr_array_new();
    }
    for (unsigned i = 0; i < hubs->len; i++) {
        Hub *h = g_ptr_array_index(hubs, i);

        if (h->id == id) {
            return h;
        }
    }
    Hub *h = g_new0(Hub, 1);

    h->id = id;
    h->ports = g_ptr_array_new();
    g_ptr_array_add(hubs, h);
    return h;
}

static ssize_t port_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    HubPort *from = c->opaque;

    for (unsigned i = 0; i < from->hub->ports->len; i++) {
        HubPort *p = g_ptr_array_index(from->hub->ports, i);

        if (p != from) {
            net_send(&p->client, frame, len);
        }
    }
    return (ssize_t)len;
}

static void port_cleanup(NetClient *c)
{
    HubPort *p = c->opaque;
    Hub *h = p->hub;

    g_ptr_array_remove(h->ports, p);
    if (h->ports->len == 0) {
        g_ptr_array_remove(hubs, h);
        g_ptr_array_unref(h->ports);
        g_free(h);
    }
    g_free(p->client.name);
    g_free(p);
}

static void port_info(NetClient *c, GString *out)
{
    g_string_append_printf(out, "hub %u", ((HubPort *)c->opaque)->hub->id);
}

static const NetOps port_ops = {
    .type = "hubport", .receive = port_receive, .cleanup = port_cleanup, .info = port_info};

static NetClient *port_create(const char *id, struct json_object *kv, GError **error)
{
    const char *hub_text = keyval_get(kv, "hubid"), *netdev = keyval_get(kv, "netdev");
    NetClient *other = netdev ? netdev_find(netdev) : NULL;
    int64_t hub = 0;
    HubPort *p;

    if (!hub_text) {
        return fail_null(error, "Parameter 'hubid' is missing");
    }
    if (!int_parse(hub_text, "hubid", true, &hub, error)) {
        return NULL;
    }
    if (hub < 0 || hub > INT32_MAX) {
        return fail_null(error, "Parameter 'hubid' expects an integer");
    }
    if (netdev && !other) {
        return fail_null(error, "netdev '%s' not found", netdev);
    }
    if (other && other->peer) {
        return fail_null(error, "netdev '%s' is in use", netdev);
    }
    p = g_new0(HubPort, 1);
    p->client = (NetClient){ .ops = &port_ops, .name = g_strdup(id), .opaque = p };
    g_queue_init(&p->client.queue);
    p->hub = hub_get((uint32_t)hub);
    g_ptr_array_add(p->hub->ports, p);
    if (other) {
        other->peer = &p->client;
        p->client.peer = other;
    }
    return &p->client;
}

static const char *const port_keys[] = { "hubid", "netdev", NULL };

static const NetdevType port_type = {
    .name = "hubport", .help = "a port of a hub", .keys = port_keys, .create = port_create,
};
NETDEV_TYPE(port_type);

NetClient *net_hub_port(const char *netdev, GError **error)
{
    /* ports of hub 0 that -net makes */
    static unsigned made;
    g_autofree char *id = g_strdup_printf("#hub0port%u", made++);
    struct json_object *o = json_object_new_object();
    NetClient *c;

    json_object_object_add(o, "type", json_object_new_string("hubport"));
    json_object_object_add(o, "id", json_object_new_string(id));
    json_object_object_add(o, "hubid", json_object_new_string("0"));
    if (netdev) {
        json_object_object_add(o, "netdev", json_object_new_string(netdev));
    }
    c = netdev_create(o, error);
    json_object_put(o);
    return c;
}

void net_hubs_print(GString *out)
{
    for (unsigned i = 0; hubs && i < hubs->len; i++) {
        Hub *h = g_ptr_array_index(hubs, i);

        g_string_append_printf(out, "hub %u\n", h->id);
        for (unsigned n = 0; n < h->ports->len; n++) {
            HubPort *p = g_ptr_array_index(h->ports, n);

            g_string_append_printf(out, " \\ %s", p->client.name);
            if (p->client.peer) {
                g_string_append_printf(out, ": %s: index=0,type=%s,", p->client.peer->name,
                                       p->client.peer->is_nic ? "nic" : p->client.peer->ops->type);
            }
            g_string_append_c(out, '\n');
        }
    }
}
