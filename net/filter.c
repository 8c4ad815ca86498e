// SPDX-License-Identifier: GPL-2.0-or-later
/* The common part of network filters; see the header. */
#include "filter.h"

#include <string.h>

#include "qapi/startup.h"
#include "qom/vm.h"
#include "util/error.h"

const char *const net_filter_queues[] = { "all", "rx", "tx", NULL };

bool net_filter_on(const NetFilter *f)
{
    return g_strcmp0(f->status, "off") != 0;
}

static bool watch_frame(void *opaque, bool sent_by, const uint8_t *frame, size_t len)
{
    NetFilter *f = opaque;

    if (!net_filter_on(f) || f->queue == (sent_by ? QUEUE_RX : QUEUE_TX)) {
        return false;
    }
    return f->frame(f, sent_by, frame, len);
}

static void watch_gone(void *opaque)
{
    ((NetFilter *)opaque)->client = NULL;
}

static bool status_fits(const NetFilter *f, GError **error)
{
    return !f->status || strcmp(f->status, "on") == 0 || strcmp(f->status, "off") == 0 ||
           fail(error, "Invalid value for status, should be 'on' or 'off'");
}

/* All filters begin with NetFilter. */
bool net_filter_status_changed(Object *o, const Prop *p, GError **error)
{
    NetFilter *f = (NetFilter *)o;

    if (!status_fits(f, error)) {
        return false;
    }
    if (f->client && f->switched) {
        f->switched(f, net_filter_on(f));
    }
    return true;
}

/* Where among the watches of a back end; they are filters, all of them. */
static bool find_place(const NetFilter *f, unsigned *at, GError **error)
{
    const GPtrArray *list = f->client->watches;
    unsigned n = list ? list->len : 0;

    *at = n;
    if (!f->position || strcmp(f->position, "tail") == 0) {
        return true;
    }
    if (strcmp(f->position, "head") == 0) {
        *at = 0;
        return true;
    }
    if (!g_str_has_prefix(f->position, "id=")) {
        return fail(error, "Invalid value for position, should be 'head', 'tail' or 'id=FILTER'");
    }
    for (unsigned i = 0; i < n; i++) {
        const NetFilter *other = ((const NetWatch *)g_ptr_array_index(list, i))->opaque;

        if (strcmp(other->obj.name, f->position + 3) == 0) {
            *at = g_strcmp0(f->insert, "before") == 0 ? i : i + 1;
            return true;
        }
    }
    return fail(error, "filter '%s' not found", f->position + 3);
}

static bool attach_now(NetFilter *f, GError **error)
{
    unsigned at;

    f->client = netdev_find(f->netdev);
    if (!f->client) {
        return fail(error, "Parameter 'netdev' expects a network backend id");
    }
    if (!find_place(f, &at, error)) {
        f->client = NULL;
        return false;
    }
    f->watch = (NetWatch){ .frame = watch_frame, .gone = watch_gone,
                           .finished = f->finished, .opaque = f };
    net_watch(f->client, &f->watch, at);
    return true;
}

/* -object comes before -netdev: until then they wait. One command line. */
static struct {
    bool netdevs_there;
    GPtrArray *filters;      /* NetFilter * */
} waiting;

static bool attach_waiting(Vm *vm, GError **error)
{
    waiting.netdevs_there = true;
    for (unsigned i = 0; waiting.filters && i < waiting.filters->len; i++) {
        NetFilter *f = g_ptr_array_index(waiting.filters, i);

        if (!attach_now(f, error)) {
            g_prefix_error(error, "-object %s,id=%s: ", f->obj.type->name, f->obj.name);
            return false;
        }
    }
    g_clear_pointer(&waiting.filters, g_ptr_array_unref);
    return true;
}
START_HOOK(net_filters, { .phase = START_NET, .name = "filters", .start = attach_waiting });

bool net_filter_attach(NetFilter *f, GError **error)
{
    if (!f->netdev) {
        return fail(error, "Parameter 'netdev' is required");
    }
    if (!status_fits(f, error)) {
        return false;
    }
    if (f->insert && strcmp(f->insert, "before") != 0 && strcmp(f->insert, "behind") != 0) {
        return fail(error, "Invalid value for insert, should be 'before' or 'behind'");
    }
    if (waiting.netdevs_there) {
        return attach_now(f, error);
    }
    if (!waiting.filters) {
        waiting.filters = g_ptr_array_new();
    }
    g_ptr_array_add(waiting.filters, f);
    return true;
}

void net_filter_detach(NetFilter *f)
{
    if (f->client) {
        net_unwatch(f->client, &f->watch);
        f->client = NULL;
    }
    if (waiting.filters) {
        g_ptr_array_remove(waiting.filters, f);
    }
}

void net_filter_pass_on(NetFilter *f, bool sent_by, const uint8_t *frame, size_t len)
{
    if (f->client) {
        net_pass_on(f->client, &f->watch, sent_by, frame, len);
    }
}
