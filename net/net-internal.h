// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of net/ share. */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include <json-c/json.h>
#include "net/net.h"

/* A kind of -netdev: one row each in a linker section. */
typedef struct NetdevType {
    const char *name;            /* "user" */
    const char *help;
    const char *const *keys;     /* the options it takes, as texts; NULL-terminated */
    const char *const *lists;    /* options that may be repeated: arrays of texts; may be NULL */
    /*
     * kv: the checked object of the option. NULL with *error. The client is added by the caller,
     * ops->cleanup frees it.
     */
    NetClient *(*create)(const char *id, struct json_object *kv, GError **error);
} NetdevType;
#define NETDEV_TYPE(t) SECTION_ENTRY(netdev_types, const NetdevType *, t##_row, &t)

void net_backend_add(NetClient *c);
NetClient *netdev_nth(unsigned i);
/* Takes a back end out of the table and frees it. */
void net_backend_remove(NetClient *c);
/* NICs that are realized, in order. */
NetClient *net_nic_nth(unsigned i);
/* A frame that c, a back end, sends (or is sent) goes on behind the watch `after`. */
void net_pass_on(NetClient *c, const NetWatch *after, bool sent_by, const uint8_t *frame,
                 size_t len);
/* A port of hub 0, joined with a back end (NULL: free for a NIC). */
NetClient *net_hub_port(const char *netdev, GError **error);
void net_hubs_print(GString *out);
/* Makes a back end from the object of a -netdev or netdev_add; texts or typed members. */
NetClient *netdev_create(struct json_object *o, GError **error);

#endif
