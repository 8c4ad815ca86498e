// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vhost-user, the machine's end: the conversation over a local socket, which is synchronous with a
 * time limit, and the life of the connection. The rings are in vhost-ring.c.
 */
#include "hw/virtio/vhost-user.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/error.h"
#include "util/socket.h"

#define ANSWER_MS 5000

/* ---- messages ---- */

bool vhost_ask(VhostFront *f, uint32_t request, VuPayload *p, uint32_t size, const int *fds,
               unsigned nfds, uint32_t reply_size)
{
    struct {
        VuHeader header;
        VuPayload p;
    } __attribute__((packed)) m = {.header = {request, VU_VERSION, size}};
    int fd = chardev_fe_socket(&f->fe);

    if (fd < 0) {
        return false;
    }
    if (size) {
        memcpy(&m.p, p, size);
    }
    if (!socket_send_all(fd, &m, sizeof(m.header) + size, fds, nfds, ANSWER_MS)) {
        vhost_front_drop(f, "the other end does not listen");
        return false;
    }
    if (reply_size == 0) {
        return true;
    }
    if (!socket_receive_all(fd, &m.header, sizeof(m.header), ANSWER_MS) ||
        m.header.request != request || m.header.size != reply_size ||
        !socket_receive_all(fd, p, reply_size, ANSWER_MS)) {
        vhost_front_drop(f, "no answer, or a wrong one");
        return false;
    }
    return true;
}

static bool ask_u64(VhostFront *f, uint32_t request, uint64_t *value)
{
    VuPayload p;

    if (!vhost_ask(f, request, &p, 0, NULL, 0, sizeof(uint64_t))) {
        return false;
    }
    *value = p.u64;
    return true;
}

static bool tell_u64(VhostFront *f, uint32_t request, uint64_t value)
{
    VuPayload p = { .u64 = value };

    return vhost_ask(f, request, &p, sizeof(value), NULL, 0, 0);
}

bool vhost_front_set_config(VhostFront *f, uint32_t offset, const void *data, uint32_t len)
{
    VuPayload p = { .config = { .offset = offset, .size = len } };

    if (!f->connected || len > VU_MAX_CONFIG) {
        return false;
    }
    memcpy(p.config.data, data, len);
    return vhost_ask(f, VU_SET_CONFIG, &p, VU_CONFIG_HEADER + len, NULL, 0, 0);
}

/* ---- the connection ---- */

static bool greet(VhostFront *f, GError **error)
{
    const uint64_t needed = f->config_bytes ? 1ull << VU_PF_CONFIG : 0;
    VuPayload p = { .config = { .size = f->config_bytes } };
    uint64_t offered = 0, queues = 1;

    if (!ask_u64(f, VU_GET_FEATURES, &f->features)) {
        return fail(error, "vhost-user: the other end does not answer");
    }
    if (!(f->features & VU_F_PROTOCOL_FEATURES) ||
        !ask_u64(f, VU_GET_PROTOCOL_FEATURES, &offered) || (offered & needed) != needed ||
        !(f->features & VIRTIO_BIT(VIRTIO_F_VERSION_1)) ||
        !(f->features & VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC))) {
        return fail(error, "vhost-user: the other end lacks the configuration space, virtio 1 or "
                           "indirect descriptors");
    }
    f->protocol_features = offered & (needed | 1ull << VU_PF_MQ);
    if (!tell_u64(f, VU_SET_PROTOCOL_FEATURES, f->protocol_features) ||
        ((f->protocol_features >> VU_PF_MQ & 1) && !ask_u64(f, VU_GET_QUEUE_NUM, &queues)) ||
        !vhost_ask(f, VU_SET_OWNER, NULL, 0, NULL, 0, 0) ||
        (f->config_bytes && !vhost_ask(f, VU_GET_CONFIG, &p, VU_CONFIG_HEADER + f->config_bytes,
                                       NULL, 0, VU_CONFIG_HEADER + f->config_bytes))) {
        return fail(error, "vhost-user: the other end does not answer");
    }
    memcpy(f->config, p.config.data, f->config_bytes);
    f->max_queues = (unsigned)MIN(queues, VIRTIO_MAX_QUEUES);
    f->connected = true;
    return true;
}

static void lost(VhostFront *f)
{
    if (f->hup_tag) {
        fd_unwatch(f->hup_tag);
        f->hup_tag = 0;
    }
    f->connected = f->lent = false;
}

static void drop_now(void *opaque)
{
    VhostFront *f = opaque;

    lost(f);
    chardev_fe_disconnect(&f->fe);
}

void vhost_front_drop(VhostFront *f, const char *why)
{
    guest_error("vhost-user: %s", why);
    f->connected = f->lent = false;
    bh_schedule(f->drop_bh);
}

static bool on_hup(int fd, GIOCondition events, void *opaque)
{
    VhostFront *f = opaque;

    f->hup_tag = 0;
    f->connected = f->lent = false;
    bh_schedule(f->drop_bh);
    return false;
}

static void watch(VhostFront *f)
{
    f->hup_tag = fd_watch(chardev_fe_socket(&f->fe), G_IO_HUP | G_IO_ERR, on_hup, f);
}

static size_t can_receive(void *opaque)
{
    return 0;
}

static void on_event(void *opaque, ChardevEvent event)
{
    VhostFront *f = opaque;
    g_autoptr(GError) error = NULL;

    if (event == CHARDEV_CLOSED) {
        lost(f);
    }
    /* the first connection is greeted by init */
    if (event != CHARDEV_OPENED || !f->rings) {
        return;
    }
    if (!greet(f, &error)) {
        vhost_front_drop(f, error->message);
        return;
    }
    watch(f);
    virtio_config_changed(f->v);
    vhost_front_status(f);
}

static const ChardevFeOps fe_ops = { .can_receive = can_receive, .event = on_event };

bool vhost_front_init(VhostFront *f, VirtioDevice *v, Chardev *chr, GError **error)
{
    f->v = v;
    f->shm_fd = -1;
    f->drop_bh = bh_new(drop_now, f);
    if (!chardev_fe_attach(&f->fe, chr, &fe_ops, f, error)) {
        bh_free(f->drop_bh);
        return false;
    }
    if (chardev_fe_socket(&f->fe) < 0) {
        fail(error, "chardev '%s' is not a connected unix socket", chardev_id(chr));
    } else if (greet(f, error)) {
        watch(f);
        return true;
    }
    vhost_front_fini(f);
    return false;
}

/* ---- the driver's life ---- */

/* Waits for the other end to finish what it has; false: it does not. */
static bool settle(VhostFront *f)
{
    int64_t until = g_get_monotonic_time() + ANSWER_MS * 1000;

    for (unsigned i = 0; i < f->num_rings; i++) {
        VhostRing *r = &f->rings[i];

        for (vhost_ring_collect(r); r->in_flight; vhost_ring_collect(r)) {
            struct pollfd p = { .fd = r->call_fd, .events = POLLIN };

            if (!f->lent || g_get_monotonic_time() > until) {
                return false;
            }
            poll(&p, 1, 10);
        }
    }
    return true;
}

static void stop(VhostFront *f)
{
    bool back = f->gives_back && f->paused;

    f->running = false;
    if (f->lent && !f->gives_back && !settle(f)) {
        vhost_front_drop(f, "requests do not end");
    }
    for (unsigned i = 0; f->lent && i < f->num_rings; i++) {
        VuPayload p = { .state = { .index = i } };

        vhost_ask(f, VU_GET_VRING_BASE, &p, sizeof(p.state), NULL, 0, sizeof(p.state));
    }
    for (unsigned i = 0; f->lent && f->gives_back && i < f->num_rings; i++) {
        vhost_ring_collect(&f->rings[i]);
    }
    f->lent = false;
    for (unsigned i = 0; i < f->num_rings; i++) {
        (back ? vhost_ring_return : vhost_ring_forget)(&f->rings[i]);
    }
}

void vhost_front_enable(VhostFront *f, unsigned n)
{
    f->enabled = n;
    for (unsigned i = 0; f->lent && i < f->num_rings; i++) {
        VuPayload p = {.state = {i, vhost_ring_enabled(f, i)}};

        vhost_ask(f, VU_SET_VRING_ENABLE, &p, sizeof(p.state), NULL, 0, 0);
    }
}

void vhost_front_status(VhostFront *f)
{
    bool run = (f->v->status & VIRTIO_STATUS_DRIVER_OK) && !f->paused;

    if (!run) {
        if (f->running) {
            stop(f);
        }
        return;
    }
    f->running = true;
    if (f->connected && !f->lent) {
        uint64_t features = (f->v->driver_features & f->wanted & f->features) |
                            VU_F_PROTOCOL_FEATURES | VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) |
                            (f->exact ? 0 : VIRTIO_BIT(VIRTIO_F_VERSION_1));

        f->lent = tell_u64(f, VU_SET_FEATURES, features) && vhost_rings_lend(f);
        for (unsigned i = 0; f->lent && i < f->num_rings; i++) {
            vhost_front_kick(f, i);
        }
    }
}

void vhost_front_fini(VhostFront *f)
{
    stop(f);
    lost(f);
    chardev_fe_detach(&f->fe);
    bh_free(f->drop_bh);
    for (unsigned i = 0; i < f->num_rings; i++) {
        VhostRing *r = &f->rings[i];

        if (r->call_tag) {
            fd_unwatch(r->call_tag);
        }
        close(r->kick_fd);
        close(r->call_fd);
        g_free(r->requests);
    }
    g_clear_pointer(&f->rings, g_free);
    f->num_rings = 0;
    if (f->shm) {
        munmap(f->shm, f->shm_bytes);
        f->shm = NULL;
    }
    if (f->shm_fd >= 0) {
        close(f->shm_fd);
    }
}
