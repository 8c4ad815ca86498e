// SPDX-License-Identifier: GPL-2.0-or-later
/* -netdev vhost-user: see the header. Rings are handed on by hw/net/virtio-net-vhost.c. */
#include "net/vhost-user.h"

#include "net-internal.h"
#include "qapi/keyval.h"
#include "util/error.h"

#define MAX_QUEUES 1024

typedef struct VhostUserNet {
    NetClient client;
    Chardev *chardev;
} VhostUserNet;

/* What comes from elsewhere, such as an announcement, has nowhere to go. */
static ssize_t vhost_user_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    return (ssize_t)len;
}

static void vhost_user_cleanup(NetClient *c)
{
    g_free(c->name);
    g_free(c->opaque);
}

static void vhost_user_info(NetClient *c, GString *out)
{
    const VhostUserNet *n = c->opaque;

    g_string_append_printf(out, "vhost-user%u to %s", MAX(c->queues, 1), chardev_id(n->chardev));
}

static const NetOps vhost_user_ops = {.type = "vhost-user",
                                      .receive = vhost_user_receive,
                                      .cleanup = vhost_user_cleanup,
                                      .info = vhost_user_info};

Chardev *net_vhost_user_chardev(const NetClient *c)
{
    return c && c->ops == &vhost_user_ops ? ((VhostUserNet *)c->opaque)->chardev : NULL;
}

static NetClient *vhost_user_create(const char *id, struct json_object *kv, GError **error)
{
    const char *name = keyval_get(kv, "chardev"), *forced = keyval_get(kv, "vhostforce");
    const char *text = keyval_get(kv, "queues");
    Chardev *chardev = name ? chardev_find(name, error) : NULL;
    int64_t queues = 1;
    bool force;

    if (!name) {
        return fail_null(error, "Parameter 'chardev' is missing");
    }
    if (!chardev) {
        return NULL;
    }
    if (forced && !bool_parse(forced, "vhostforce", &force, error)) {
        return NULL;
    }
    if (text && !int_parse(text, "queues", true, &queues, error)) {
        return NULL;
    }
    if (queues < 1 || queues > MAX_QUEUES) {
        return fail_null(error, "vhost-user number of queues must be in range [1, %d]",
                         MAX_QUEUES);
    }
    VhostUserNet *n = g_new0(VhostUserNet, 1);

    n->chardev = chardev;
    n->client = (NetClient){.ops = &vhost_user_ops,
                            .name = g_strdup(id),
                            .opaque = n,
                            .queues = (unsigned)queues};
    g_queue_init(&n->client.queue);
    return &n->client;
}

static const char *const vhost_user_keys[] = {"chardev", "vhostforce", "queues", NULL};

static const NetdevType vhost_user_type = {
    .name = "vhost-user",
    .help = "another process, by a socket and the guest's memory",
    .keys = vhost_user_keys,
    .create = vhost_user_create,
};
NETDEV_TYPE(vhost_user_type);
