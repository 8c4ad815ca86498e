// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the user-mode network share. */
#ifndef NET_SLIRP_H
#define NET_SLIRP_H

#include <json-c/json.h>
#include <slirp/libslirp.h>

#include "chardev/chardev.h"
#include "net/gro.h"
#include "net/net-internal.h"
#include "util/main-loop.h"
#include "util/timer.h"

typedef struct SlirpNet {
    NetClient client;
    Slirp *slirp;
    GSource *source;            /* polls slirp's sockets in the main loop */
    GPtrArray *polls;           /* GPollFD *, in the order of slirp's own list */
    unsigned used;              /* of polls, in this round */
    int64_t deadline_ns;        /* slirp wants to be called by then; CLOCK_RT, INT64_MAX: no */
    bool neighbour;             /* to be polled: a packet may wait for an address */
    struct in_addr net, mask;
    bool restricted;
    NetGro gro;
    Bh *flush_bh;
    GPtrArray *guest_forwards;  /* GuestForward * */
} SlirpNet;

/* A port of the virtual network behind which a chardev is. */
typedef struct GuestForward {
    SlirpNet *net;
    ChardevFe fe;
    struct in_addr addr;
    int port;
} GuestForward;

/* Fills *cfg from the options of -netdev user; texts stay with kv or are added to `keep`. */
bool slirp_net_config(SlirpConfig *cfg, struct json_object *kv, GPtrArray *keep, GError **error);
bool slirp_net_hostfwd(SlirpNet *s, const char *rule, GError **error);
bool slirp_net_hostfwd_remove(SlirpNet *s, const char *rule, GError **error);
bool slirp_net_guestfwd(SlirpNet *s, const char *rule, GError **error);
void slirp_net_forwards_free(SlirpNet *s);

#endif
