// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A virtio network device whose frames another process moves (-netdev vhost-user): the data queues
 * are handed on, the control queue stays here. Filters of the control queue are not told to the
 * other end. When the machine stops, buffers that the other end has not used are the guest's again,
 * so that it can be saved and moved.
 */
#include "net/vhost-user.h"
#include "qom/runstate.h"
#include "util/error.h"
#include "virtio-net.h"

/* Features whose work the other end does. */
#define THEIRS                                                                                     \
    (VIRTIO_BIT(NET_F_CSUM) | NET_GUEST_OFFLOADS | VIRTIO_BIT(NET_F_GSO) |                         \
     VIRTIO_BIT(NET_F_HOST_TSO4) | VIRTIO_BIT(NET_F_HOST_TSO6) | VIRTIO_BIT(NET_F_HOST_ECN) |      \
     VIRTIO_BIT(NET_F_HOST_UFO) | VIRTIO_BIT(NET_F_MRG_RXBUF) | VIRTIO_BIT(NET_F_MQ))
/* Those that it cannot be told of while it works. */
#define NOBODYS                                                                                    \
    (VIRTIO_BIT(NET_F_CTRL_GUEST_OFFLOADS) | VIRTIO_BIT(NET_F_RSS) |                               \
     VIRTIO_BIT(NET_F_HASH_REPORT))

uint64_t virtio_net_vhost_features(const VirtioNet *s, uint64_t features)
{
    return features & ~NOBODYS & (~THEIRS | s->front->features);
}

static void reject(VirtioDevice *v, VirtqElem *e)
{
    virtq_push(v, e, 0);
}

static void on_runstate(void *opaque, bool running)
{
    VhostFront *f = opaque;

    f->paused = !running;
    vhost_front_status(f);
}

void virtio_net_vhost_pairs(VirtioNet *s)
{
    if (s->front) {
        vhost_front_enable(s->front, 2 * s->pairs);
        for (unsigned i = 0; i < 2 * s->pairs; i++) {
            vhost_front_kick(s->front, i);
        }
    }
}

bool virtio_net_vhost_realize(VirtioNet *s, GError **error)
{
    Chardev *chardev = net_vhost_user_chardev(s->peer ? s->peer->client : NULL);

    if (!chardev) {
        return true;
    }
    VhostFront *f = g_new0(VhostFront, 1);

    *f = (VhostFront){
        .wanted = THEIRS | VIRTIO_BIT(VIRTIO_F_VERSION_1),
        .exact = true,
        .gives_back = true,
        .paused = !runstate_running(),
        .ring_limit = 2 * s->max_pairs,
        .reject = reject,
    };
    if (!vhost_front_init(f, &s->v, chardev, error)) {
        g_free(f);
        return false;
    }
    if (s->max_pairs > 1 && s->max_pairs > f->max_queues) {
        fail(error, "vhost-user: the other end has %u pairs of queues, not %u", f->max_queues,
             s->max_pairs);
    } else if (vhost_front_add_rings(f, error)) {
        s->front = f;
        s->v.queue_reset = false;
        runstate_watch(on_runstate, f);
        return true;
    }
    vhost_front_fini(f);
    g_free(f);
    return false;
}

void virtio_net_vhost_unrealize(VirtioNet *s)
{
    if (s->front) {
        runstate_unwatch(on_runstate, s->front);
        vhost_front_fini(s->front);
        g_clear_pointer(&s->front, g_free);
    }
}
