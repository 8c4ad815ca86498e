// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vhost-user, the device's end of the conversation: a row for each message. A front end that breaks
 * the rules is disconnected; another may then connect. Left out: dirty logs (migration of a running
 * front end), memory slots, postcopy.
 */
#include "block/vhost/device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/error.h"

typedef struct Message {
    VuHeader header;
    VuPayload p;
    int fds[VU_MAX_REGIONS];
    unsigned nfds;
    bool answered;
} Message;

/* Some front ends send the padding behind it, some do not. */
#define INFLIGHT_BYTES 20u

typedef struct Handler {
    uint32_t size;              /* of its payload at least */
    unsigned fds;               /* at most */
    bool (*co_fn)(VuDevice *d, Message *m, GError **error);
} Handler;

/* ---- requests ---- */

/* What somebody died with is done again, before anything new. */
static void recover(VuDevice *d, Vring *r)
{
    g_autofree uint16_t *heads = g_new(uint16_t, VRING_MAX_SIZE);
    unsigned n;

    r->recovered = true;
    n = vring_inflight_recover(r, heads);
    for (unsigned i = 0; i < n && !r->broken; i++) {
        VuElem *e = vring_take(r, heads[i]);

        if (e) {
            d->in_flight++;
            d->ops->request(d, e);
        }
    }
}

static void ring_work(VuDevice *d, Vring *r)
{
    VuElem *e;

    if (!vring_runs(r)) {
        return;
    }
    if (!r->recovered) {
        recover(d, r);
    }
    do {
        vring_enable_kick(r, false);
        while ((e = vring_pop(r)) != NULL) {
            d->in_flight++;
            d->ops->request(d, e);
        }
    } while (vring_runs(r) && r->in_flight < r->num && vring_enable_kick(r, true));
}

void vu_request_ended(VuDevice *d, VuElem *e)
{
    Vring *r = e->ring;
    bool was_full = r->in_flight + 1u >= r->num;

    g_free(e);
    d->in_flight--;
    co_queue_wake_all(&d->idle);
    if (was_full) {
        ring_work(d, r);
    }
}

/* Pieces of a ring, and of memory, must not go while requests use them. */
static void co_wait_ring(VuDevice *d, const Vring *r)
{
    while (r ? r->in_flight : d->in_flight) {
        co_queue_wait(&d->idle, NULL);
    }
}

static bool on_kick(int fd, GIOCondition events, void *opaque)
{
    VuDevice *d = opaque;
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof(count));

    for (unsigned i = 0; i < d->num_queues; i++) {
        Vring *r = &d->rings[i];

        if (r->kick_fd == fd) {
            if (got != (ssize_t)sizeof(count) &&
                !(got < 0 && (errno == EAGAIN || errno == EINTR))) {
                r->kick_tag = 0;
                return false;
            }
            ring_work(d, r);
            break;
        }
    }
    return true;
}

/* ---- messages ---- */

static bool reply(VuDevice *d, Message *m, uint32_t size)
{
    struct iovec iov[2] = { { &m->header, sizeof(m->header) }, { &m->p, size } };

    m->answered = true;
    m->header.flags = VU_VERSION | VU_REPLY;
    m->header.size = size;
    return co_channel_writev(d->channel, iov, size ? 2 : 1) == 0;
}

static bool reply_u64(VuDevice *d, Message *m, uint64_t value)
{
    m->p.u64 = value;
    return reply(d, m, sizeof(value));
}

static Vring *ring_of(VuDevice *d, uint64_t index, GError **error)
{
    return index < d->num_queues ? &d->rings[index]
                                 : fail_null(error, "no queue %u", (unsigned)index);
}

static bool co_get_features(VuDevice *d, Message *m, GError **error)
{
    return reply_u64(d, m,
                     d->ops->features(d) | 1ull << VU_VIRTIO_INDIRECT |
                         1ull << VU_VIRTIO_EVENT_IDX | 1ull << VU_VIRTIO_VERSION_1 |
                         VU_F_PROTOCOL_FEATURES);
}

static bool co_set_features(VuDevice *d, Message *m, GError **error)
{
    d->features = m->p.u64;
    for (unsigned i = 0; i < d->num_queues; i++) {
        d->rings[i].features = d->features;
        if (!(d->features & VU_F_PROTOCOL_FEATURES)) {
            d->rings[i].enabled = true;
        }
    }
    return true;
}

static bool co_nothing(VuDevice *d, Message *m, GError **error)
{
    return true;
}

static bool co_set_mem_table(VuDevice *d, Message *m, GError **error)
{
    const VuMemTable *t = &m->p.table;

    if (t->count > VU_MAX_REGIONS || m->header.size < 8 + t->count * sizeof(VuRegion) ||
        m->nfds != t->count) {
        return fail(error, "memory table with %u regions and %u descriptors", t->count, m->nfds);
    }
    co_wait_ring(d, NULL);
    if (!vu_memory_set(&d->memory, t, m->fds, error)) {
        return false;
    }
    for (unsigned i = 0; i < d->num_queues; i++) {
        Vring *r = &d->rings[i];

        if (r->desc) {
            uint16_t used = r->used_idx;

            if (!vring_map(r, error)) {
                return false;
            }
            r->used_idx = used;
        }
    }
    return true;
}

static bool co_set_vring_num(VuDevice *d, Message *m, GError **error)
{
    Vring *r = ring_of(d, m->p.state.index, error);

    if (!r) {
        return false;
    }
    if (r->desc || m->p.state.num > VRING_MAX_SIZE) {
        return fail(error, "queue size %u", m->p.state.num);
    }
    r->num = (uint16_t)m->p.state.num;
    return true;
}

static bool co_set_vring_addr(VuDevice *d, Message *m, GError **error)
{
    Vring *r = ring_of(d, m->p.addr.index, error);

    if (!r) {
        return false;
    }
    co_wait_ring(d, r);
    r->addr = m->p.addr;
    return vring_map(r, error);
}

static bool co_set_vring_base(VuDevice *d, Message *m, GError **error)
{
    Vring *r = ring_of(d, m->p.state.index, error);

    if (r) {
        r->last_avail = (uint16_t)m->p.state.num;
    }
    return r != NULL;
}

/* The queue stops; it is started again by a kick descriptor. */
static bool co_get_vring_base(VuDevice *d, Message *m, GError **error)
{
    Vring *r = ring_of(d, m->p.state.index, error);

    if (!r) {
        return false;
    }
    if (r->kick_tag) {
        fd_unwatch(r->kick_tag);
        r->kick_tag = 0;
    }
    if (r->kick_fd >= 0) {
        close(r->kick_fd);
        r->kick_fd = -1;
    }
    co_wait_ring(d, r);
    m->p.state.num = r->last_avail;
    r->desc = r->avail = r->used = NULL;
    r->broken = false;
    return reply(d, m, sizeof(m->p.state));
}

/* The descriptor of the message, or -1; false: the message is wrong. */
static bool take_fd(Message *m, int *fd, GError **error)
{
    bool none = m->p.u64 & VU_VRING_NO_FD;

    if (m->nfds != (none ? 0 : 1)) {
        return fail(error, "%u descriptors for a queue", m->nfds);
    }
    if (!none) {
        *fd = m->fds[0];
        m->nfds = 0;
        fcntl(*fd, F_SETFL, fcntl(*fd, F_GETFL) | O_NONBLOCK);
    }
    return true;
}

static void replace_fd(int *place, int fd)
{
    if (*place >= 0) {
        close(*place);
    }
    *place = fd;
}

static bool co_set_vring_kick(VuDevice *d, Message *m, GError **error)
{
    Vring *r = ring_of(d, m->p.u64 & VU_VRING_INDEX, error);
    int fd = -1;

    if (!r || !take_fd(m, &fd, error)) {
        return false;
    }
    if (r->kick_tag) {
        fd_unwatch(r->kick_tag);
        r->kick_tag = 0;
    }
    replace_fd(&r->kick_fd, fd);
    if (fd >= 0) {
        r->kick_tag = fd_watch(fd, G_IO_IN, on_kick, d);
        ring_work(d, r);
    }
    return true;
}

static bool co_set_vring_call(VuDevice *d, Message *m, GError **error)
{
    Vring *r = ring_of(d, m->p.u64 & VU_VRING_INDEX, error);
    int fd = -1;
    uint64_t one = 1;

    if (!r || !take_fd(m, &fd, error)) {
        return false;
    }
    replace_fd(&r->call_fd, fd);
    /* what ended while there was none */
    if (fd >= 0 && r->used && write(fd, &one, sizeof(one)) < 0) {
        return fail_errno(error, errno, "descriptor for calls");
    }
    return true;
}

static bool co_set_vring_err(VuDevice *d, Message *m, GError **error)
{
    Vring *r = ring_of(d, m->p.u64 & VU_VRING_INDEX, error);
    int fd = -1;

    if (!r || !take_fd(m, &fd, error)) {
        return false;
    }
    replace_fd(&r->err_fd, fd);
    return true;
}

static bool co_set_vring_enable(VuDevice *d, Message *m, GError **error)
{
    Vring *r = ring_of(d, m->p.state.index, error);

    if (r) {
        r->enabled = m->p.state.num != 0;
        ring_work(d, r);
    }
    return r != NULL;
}

static bool co_get_protocol_features(VuDevice *d, Message *m, GError **error)
{
    return reply_u64(d, m, 1ull << VU_PF_MQ | 1ull << VU_PF_REPLY_ACK | 1ull << VU_PF_CONFIG |
                               1ull << VU_PF_INFLIGHT_SHMFD);
}

static bool co_set_protocol_features(VuDevice *d, Message *m, GError **error)
{
    d->protocol_features = m->p.u64;
    return true;
}

static bool co_get_queue_num(VuDevice *d, Message *m, GError **error)
{
    return reply_u64(d, m, d->num_queues);
}

static bool config_range(const Message *m)
{
    const VuConfig *c = &m->p.config;

    return c->size <= VU_MAX_CONFIG && c->offset <= VU_MAX_CONFIG - c->size &&
           m->header.size >= VU_CONFIG_HEADER + c->size;
}

static bool co_get_config(VuDevice *d, Message *m, GError **error)
{
    uint8_t config[VU_MAX_CONFIG] = { 0 };

    if (!config_range(m)) {
        return fail(error, "configuration out of range");
    }
    d->ops->config_read(d, config, sizeof(config));
    memcpy(m->p.config.data, config + m->p.config.offset, m->p.config.size);
    return reply(d, m, VU_CONFIG_HEADER + m->p.config.size);
}

static bool co_set_config(VuDevice *d, Message *m, GError **error)
{
    if (!config_range(m)) {
        return fail(error, "configuration out of range");
    }
    return d->ops->config_write(d, m->p.config.offset, m->p.config.data, m->p.config.size) ||
           fail(error, "configuration cannot be written");
}

static bool co_get_inflight(VuDevice *d, Message *m, GError **error)
{
    struct { VuHeader header; VuInflight inflight; } __attribute__((packed)) answer;
    int fd, ret;

    if (m->p.inflight.num_queues > d->num_queues) {
        return fail(error, "inflight memory for %u queues", m->p.inflight.num_queues);
    }
    fd = vu_inflight_new(&m->p.inflight, error);
    if (fd < 0) {
        return false;
    }
    m->answered = true;
    answer.header = (VuHeader){m->header.request, VU_VERSION | VU_REPLY,
                               MIN(m->header.size, (uint32_t)sizeof(VuInflight))};
    answer.inflight = m->p.inflight;
    ret = co_channel_write_fd(d->channel, &answer, sizeof(answer.header) + answer.header.size, fd);
    close(fd);
    return ret == 0;
}

static void forget_inflight(VuDevice *d)
{
    for (unsigned i = 0; i < d->num_queues; i++) {
        d->rings[i].inflight = NULL;
        d->rings[i].recovered = false;
    }
    if (d->inflight_map) {
        vu_unguard(d->inflight_map);
        munmap(d->inflight_map, d->inflight.size);
        d->inflight_map = NULL;
    }
}

static bool co_set_inflight(VuDevice *d, Message *m, GError **error)
{
    if (m->nfds != 1 || m->p.inflight.num_queues > d->num_queues) {
        return fail(error, "inflight memory for %u queues, %u descriptors",
                    m->p.inflight.num_queues, m->nfds);
    }
    co_wait_ring(d, NULL);
    forget_inflight(d);
    d->inflight = m->p.inflight;
    d->inflight_map = vu_inflight_map(&d->inflight, m->fds[0], error);
    for (unsigned i = 0; d->inflight_map && i < d->num_queues; i++) {
        d->rings[i].inflight = vu_inflight_of(d->inflight_map, &d->inflight, i);
        d->rings[i].inflight_size = d->inflight.queue_size;
    }
    return d->inflight_map != NULL;
}

static const Handler handlers[VU_REQUEST_COUNT] = {
    [VU_GET_FEATURES] = { 0, 0, co_get_features },
    [VU_SET_FEATURES] = { 8, 0, co_set_features },
    [VU_SET_OWNER] = { 0, 0, co_nothing },
    [VU_RESET_OWNER] = { 0, 0, co_nothing },
    [VU_SET_MEM_TABLE] = { 8, VU_MAX_REGIONS, co_set_mem_table },
    [VU_SET_VRING_NUM] = { sizeof(VuVringState), 0, co_set_vring_num },
    [VU_SET_VRING_ADDR] = { sizeof(VuVringAddr), 0, co_set_vring_addr },
    [VU_SET_VRING_BASE] = { sizeof(VuVringState), 0, co_set_vring_base },
    [VU_GET_VRING_BASE] = { sizeof(VuVringState), 0, co_get_vring_base },
    [VU_SET_VRING_KICK] = { 8, 1, co_set_vring_kick },
    [VU_SET_VRING_CALL] = { 8, 1, co_set_vring_call },
    [VU_SET_VRING_ERR] = { 8, 1, co_set_vring_err },
    [VU_GET_PROTOCOL_FEATURES] = { 0, 0, co_get_protocol_features },
    [VU_SET_PROTOCOL_FEATURES] = { 8, 0, co_set_protocol_features },
    [VU_GET_QUEUE_NUM] = { 0, 0, co_get_queue_num },
    [VU_SET_VRING_ENABLE] = { sizeof(VuVringState), 0, co_set_vring_enable },
    [VU_GET_CONFIG] = { VU_CONFIG_HEADER, 0, co_get_config },
    [VU_GET_INFLIGHT_FD] = { INFLIGHT_BYTES, 0, co_get_inflight },
    [VU_SET_INFLIGHT_FD] = { INFLIGHT_BYTES, 1, co_set_inflight },
    [VU_SET_CONFIG] = { VU_CONFIG_HEADER, 0, co_set_config },
};

/* ---- the connection ---- */

static bool co_dispatch(VuDevice *d, Message *m, GError **error)
{
    const Handler *h = m->header.request < VU_REQUEST_COUNT ? &handlers[m->header.request] : NULL;

    if (!h || !h->co_fn) {
        return fail(error, "message %u is not supported", m->header.request);
    }
    if (m->header.size < h->size || m->nfds > h->fds) {
        return fail(error, "message %u with %u bytes and %u descriptors", m->header.request,
                    m->header.size, m->nfds);
    }
    bool need_reply =
        m->header.flags & VU_NEED_REPLY && d->protocol_features >> VU_PF_REPLY_ACK & 1;

    if (!h->co_fn(d, m, error)) {
        return false;
    }
    return !need_reply || m->answered || reply_u64(d, m, 0);
}

static bool co_receive(VuDevice *d, Message *m, GError **error)
{
    memset(m, 0, sizeof(*m));
    m->nfds = ARRAY_COUNT(m->fds);
    if (co_channel_read_fds(d->channel, &m->header, sizeof(m->header), m->fds, &m->nfds) <= 0) {
        return false;
    }
    if (m->header.size > sizeof(m->p) || (m->header.flags & VU_VERSION_MASK) != VU_VERSION) {
        return fail(error, "message of %u bytes, flags %x", m->header.size, m->header.flags);
    }
    return m->header.size == 0 || co_channel_read(d->channel, &m->p, m->header.size) > 0;
}

static void listen_again(VuDevice *d);

static void co_connection(void *opaque)
{
    VuDevice *d = opaque;
    GError *error = NULL;
    bool good = true;

    while (good) {
        Message m;

        good = co_receive(d, &m, &error) && co_dispatch(d, &m, &error);
        for (unsigned i = 0; i < m.nfds; i++) {
            close(m.fds[i]);
        }
    }
    if (error) {
        guest_error("vhost-user: %s", error->message);
        g_error_free(error);
    }
    for (unsigned i = 0; i < d->num_queues; i++) {
        d->rings[i].enabled = false;
    }
    co_wait_ring(d, NULL);
    for (unsigned i = 0; i < d->num_queues; i++) {
        vring_reset(&d->rings[i]);
    }
    forget_inflight(d);
    vu_memory_clear(&d->memory);
    channel_free(d->channel);
    d->channel = NULL;
    listen_again(d);
}

static bool on_connect(int fd, GIOCondition events, void *opaque)
{
    VuDevice *d = opaque;
    int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (conn < 0) {
        return true;
    }
    d->listen_tag = 0;
    d->features = d->protocol_features = 0;
    d->channel = channel_new(conn);
    coroutine_start(co_connection, d);
    return false;
}

static void listen_again(VuDevice *d)
{
    if (!d->closing) {
        d->listen_tag = fd_watch(d->listen_fd, G_IO_IN, on_connect, d);
    }
}

void vu_device_start(VuDevice *d, const VuDeviceOps *ops, unsigned num_queues, int listen_fd)
{
    d->ops = ops;
    d->num_queues = num_queues;
    d->listen_fd = listen_fd;
    for (unsigned i = 0; i < num_queues; i++) {
        vring_init(&d->rings[i], &d->memory);
    }
    listen_again(d);
}

void vu_device_stop(VuDevice *d)
{
    d->closing = true;
    if (d->listen_tag) {
        fd_unwatch(d->listen_tag);
    }
    close(d->listen_fd);
    if (d->channel) {
        channel_shutdown(d->channel);
    }
    while (d->channel) {
        main_loop_iterate(true);
    }
}
