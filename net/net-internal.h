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
    /* kv: the flat object of the option, id included; NULL with *error. The client is added by the caller. */
    NetClient *(*create)(const char *id, struct json_object *kv, GError **error);
} NetdevType;
#define NETDEV_TYPE(t) SECTION_ENTRY(netdev_types, const NetdevType *, t##_row, &t)

void net_backend_add(NetClient *c);
NetClient *netdev_nth(unsigned i);

#endif
