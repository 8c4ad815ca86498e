// SPDX-License-Identifier: GPL-2.0-or-later
/* What the monitors ask of the network: info network, netdev_add, netdev_del, set_link. */
#include <string.h>

#include "net-internal.h"
#include "qapi/keyval.h"
#include "qapi/qapi-commands.h"
#include "qom/device.h"
#include "qom/hmp.h"
#include "util/error.h"

static void print_client(NetClient *c, const char *indent, GString *out)
{
    g_string_append_printf(out, "%s%s: index=0,type=%s,", indent, c->name,
                           c->is_nic ? "nic" : c->ops->type);
    if (c->model) {
        g_string_append_printf(out, "model=%s,macaddr=%02x:%02x:%02x:%02x:%02x:%02x", c->model,
                               c->mac[0], c->mac[1], c->mac[2], c->mac[3], c->mac[4], c->mac[5]);
    }
    if (c->ops->info) {
        c->ops->info(c, out);
    }
    if (out->str[out->len - 1] == ',') {
        g_string_truncate(out, out->len - 1);
    }
    g_string_append_c(out, '\n');
}

static void net_print(GString *out)
{
    NetClient *c;

    net_hubs_print(out);
    for (unsigned i = 0; (c = net_nic_nth(i)) != NULL; i++) {
        print_client(c, "", out);
        if (c->peer) {
            print_client(c->peer, " \\ ", out);
        }
    }
    for (unsigned i = 0; (c = netdev_nth(i)) != NULL; i++) {
        if (!c->peer) {
            print_client(c, "", out);
        }
    }
}

static void hmp_network(HmpCall *call, GError **error)
{
    net_print(call->out);
}
HMP_INFO(network, hmp_network, "", "show the network state");

static bool remove_netdev(const char *id, GError **error)
{
    NetClient *c = netdev_find(id);

    if (!c) {
        return fail_class(error, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", id);
    }
    net_backend_remove(c);
    return true;
}

static bool set_link(const char *name, bool up, GError **error)
{
    NetClient *c = netdev_find(name);

    for (unsigned i = 0; !c && net_nic_nth(i); i++) {
        c = strcmp(net_nic_nth(i)->name, name) == 0 ? net_nic_nth(i) : NULL;
    }
    if (!c) {
        return fail_class(error, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", name);
    }
    net_set_link(c, up);
    return true;
}

bool qmp_netdev_add(QmpCall *call, struct json_object *args, GError **error)
{
    return netdev_create(args, error) != NULL;
}

bool qmp_netdev_del(QmpCall *call, const QmpNetdevDelArgs *args, GError **error)
{
    return remove_netdev(args->id, error);
}

bool qmp_set_link(QmpCall *call, const QmpSetLinkArgs *args, GError **error)
{
    return set_link(args->name, args->up, error);
}

static void hmp_netdev_add(HmpCall *call, GError **error)
{
    netdev_add_option(hmp_str(call, "netdev"), error);
}
HMP_COMMAND(netdev_add, hmp_netdev_add, "netdev:S", "add host network device");

static void hmp_netdev_del(HmpCall *call, GError **error)
{
    remove_netdev(hmp_str(call, "id"), error);
}
HMP_COMMAND(netdev_del, hmp_netdev_del, "id:s", "remove host network device");

static void hmp_set_link(HmpCall *call, GError **error)
{
    set_link(hmp_str(call, "name"), hmp_flag(call, "up"), error);
}
HMP_COMMAND(set_link, hmp_set_link, "name:s,up:b", "change the link status of a network adapter");
