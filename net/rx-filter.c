// SPDX-License-Identifier: GPL-2.0-or-later
/* query-rx-filter: what guests have told their NICs to let through. */
#include <stdio.h>
#include <string.h>

#include "net-internal.h"
#include "qapi/qapi-commands.h"
#include "qapi/qapi-events.h"
#include "qom/object.h"
#include "util/error.h"

#define VLANS 4096

static char *mac_text(const uint8_t m[6])
{
    return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static GPtrArray *mac_list(const uint8_t *macs, unsigned n)
{
    GPtrArray *list = g_ptr_array_new();

    for (unsigned i = 0; i < n; i++) {
        g_ptr_array_add(list, mac_text(macs + 6 * i));
    }
    return list;
}

static RxFilterInfo *filter_of(NetClient *c)
{
    RxFilterInfo *info = g_new0(RxFilterInfo, 1);
    NetRxFilter f = { 0 };
    unsigned known = 0;

    c->ops->rx_filter(c, &f);
    c->filter_told = false;
    info->name = g_strdup(c->name);
    info->promiscuous = f.promiscuous;
    info->multicast = (RxState)f.multicast;
    info->unicast = (RxState)f.unicast;
    info->broadcast_allowed = f.broadcast_allowed;
    info->multicast_overflow = f.multicast_overflow;
    info->unicast_overflow = f.unicast_overflow;
    info->main_mac = mac_text(f.main_mac);
    info->unicast_table = mac_list(f.macs, f.num_unicast);
    info->multicast_table = mac_list(f.macs + 6 * f.num_unicast, f.num_multicast);
    info->vlan_table = g_array_new(FALSE, FALSE, sizeof(int64_t));
    for (int64_t i = 0; f.vlans && i < VLANS; i++) {
        if (f.vlans[i / 32] & 1u << (i & 31)) {
            g_array_append_val(info->vlan_table, i);
            known++;
        }
    }
    info->vlan = !f.vlans ? RX_STATE_ALL : known ? RX_STATE_NORMAL : RX_STATE_NONE;
    return info;
}

GPtrArray *qmp_query_rx_filter(QmpCall *call, const QmpQueryRxFilterArgs *args, GError **error)
{
    GPtrArray *list = g_ptr_array_new();
    bool found = false;
    NetClient *c;

    for (unsigned i = 0; (c = net_nic_nth(i)) != NULL; i++) {
        if (args->name && strcmp(args->name, c->name) != 0) {
            continue;
        }
        found = true;
        if (c->ops->rx_filter) {
            g_ptr_array_add(list, filter_of(c));
        } else if (args->name) {
            g_ptr_array_unref(list);
            return fail_null(error, "net client(%s) doesn't support rx-filter querying",
                             args->name);
        }
    }
    if (args->name && !found) {
        g_ptr_array_unref(list);
        return fail_null(error,
                         netdev_find(args->name) ? "net client(%s) isn't a NIC"
                                                 : "invalid net client name: %s",
                         args->name);
    }
    return list;
}

void net_rx_filter_changed(NetClient *nic, const struct Object *dev)
{
    g_autofree char *path = NULL;

    if (nic->filter_told) {
        return;
    }
    nic->filter_told = true;
    path = object_path(dev);
    qapi_event_nic_rx_filter_changed(&(NicRxFilterChangedEvent){.name = nic->name, .path = path});
}
