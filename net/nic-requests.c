// SPDX-License-Identifier: GPL-2.0-or-later
/* The NICs that -nic and -net ask the board to make, in order. */
#include "net/net.h"

typedef struct NicRequest {
    char *model, *netdev, *mac;
} NicRequest;

/* What the command line asked for; boards take them one by one. */
static GQueue requests = G_QUEUE_INIT;
static NicRequest *taken;

void net_request_nic(const char *model, const char *netdev, const char *mac)
{
    NicRequest *r = g_new0(NicRequest, 1);

    *r = (NicRequest){ g_strdup(model), g_strdup(netdev), g_strdup(mac) };
    g_queue_push_tail(&requests, r);
}

bool net_next_default_nic(const char **model, const char **netdev, const char **mac)
{
    if (taken) {
        g_free(taken->model);
        g_free(taken->netdev);
        g_free(taken->mac);
        g_free(taken);
    }
    taken = g_queue_pop_head(&requests);
    if (!taken) {
        return false;
    }
    *model = taken->model;
    *netdev = taken->netdev;
    *mac = taken->mac;
    return true;
}
