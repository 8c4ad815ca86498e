// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio core (Virtual I/O Device 1.1): device status, features, configuration space and the
 * kick path. Queues are in virtqueue.c, transports beside.
 */
#include "hw/virtio/virtio.h"
#include <inttypes.h>
#include <stdarg.h>
#include "qom/vm.h"
#include "util/error.h"

void virtio_error(VirtioDevice *v, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    guest_error("%s: %s", v->type->name, text);
    v->broken = true;
    if (virtio_has(v, VIRTIO_F_VERSION_1)) {
        v->status |= VIRTIO_STATUS_NEEDS_RESET;
        virtio_config_changed(v);
    }
}

void virtio_config_changed(VirtioDevice *v)
{
    v->generation++;
    v->transport->interrupt(v, v->config_vector, 2);
}

unsigned virtio_auto_queues(VirtioDevice *v, unsigned others)
{
    return v->transport_device ? 1 : MIN(v->pci.dev.vm->smp.cpus, VIRTIO_MAX_QUEUES - others);
}

VirtQueue *virtio_add_queue(VirtioDevice *v, uint16_t size)
{
    g_assert(v->num_queues < VIRTIO_MAX_QUEUES && size <= VIRTIO_QUEUE_MAX);
    VirtQueue *q = &v->vq[v->num_queues++];

    virtq_init(q, size);
    return q;
}

void virtq_init(VirtQueue *vq, uint16_t size)
{
    *vq = (VirtQueue){.size = size,
                      .size_max = size,
                      .vector = VIRTIO_NO_VECTOR,
                      .avail_wrap = true,
                      .used_wrap = true};
}

void virtio_queue_reset(VirtioDevice *v, unsigned n)
{
    v->kicked &= ~(1ull << n);
    v->type->queue_reset(v, n);
    virtq_init(&v->vq[n], v->vq[n].size_max);
}

uint64_t virtio_offered_features(VirtioDevice *v)
{
    uint64_t f = v->type->features ? v->type->features(v) : 0;

    f |= v->indirect_desc ? VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) : 0;
    f |= v->event_idx ? VIRTIO_BIT(VIRTIO_F_EVENT_IDX) : 0;
    f |= v->disable_modern ? 0 : VIRTIO_BIT(VIRTIO_F_VERSION_1);
    f |= v->packed && !v->disable_modern ? VIRTIO_BIT(VIRTIO_F_RING_PACKED) : 0;
    f |= v->queue_reset && v->type->queue_reset ? VIRTIO_BIT(VIRTIO_F_RING_RESET) : 0;
    f |= v->iommu_platform ? VIRTIO_BIT(VIRTIO_F_ACCESS_PLATFORM) : 0;
    f |= v->any_layout ? VIRTIO_BIT(VIRTIO_F_ANY_LAYOUT) : 0;
    return f | (v->notify_on_empty ? VIRTIO_BIT(VIRTIO_F_NOTIFY_ON_EMPTY) : 0);
}

void virtio_set_features(VirtioDevice *v, uint64_t features)
{
    v->driver_features = features & virtio_offered_features(v);
    if (v->type->features_set) {
        v->type->features_set(v);
    }
}

void virtio_reset(VirtioDevice *v)
{
    uint8_t old = v->status;

    v->status = v->isr = 0;
    v->driver_features = 0;
    v->broken = false;
    v->kicked = 0;
    v->config_vector = VIRTIO_NO_VECTOR;
    v->queue_select = 0;
    v->feature_select = v->driver_feature_select = v->driver_features_low = 0;
    if (v->type->status_changed) {
        v->type->status_changed(v, old);
    }
    for (unsigned i = 0; i < v->num_queues; i++) {
        virtq_init(&v->vq[i], v->vq[i].size_max);
    }
    if (v->type->reset) {
        v->type->reset(v);
    }
    v->transport->lower(v);
}

void virtio_set_status(VirtioDevice *v, uint8_t status)
{
    uint8_t old = v->status;

    if (status == 0) {
        virtio_reset(v);
        return;
    }
    v->status = status | (old & VIRTIO_STATUS_NEEDS_RESET);
    if (v->type->status_changed && v->status != old) {
        v->type->status_changed(v, old);
    }
}

/* 3.1.1: FEATURES_OK sticks when the set is one that we offered. */
void virtio_driver_status(VirtioDevice *v, uint8_t value)
{
    if (value & ~v->status & VIRTIO_STATUS_FEATURES_OK) {
        if (v->driver_features & ~virtio_offered_features(v)) {
            value &= ~VIRTIO_STATUS_FEATURES_OK;
        } else {
            virtio_set_features(v, v->driver_features);
        }
    }
    virtio_set_status(v, value);
}

uint64_t virtio_config_load(VirtioDevice *v, uint32_t off, unsigned size)
{
    uint64_t value = 0;

    if (off > v->type->config_size || size > v->type->config_size - off) {
        return UINT64_MAX >> (64 - 8 * size);
    }
    if (v->type->config_read) {
        v->type->config_read(v);
    }
    memcpy(&value, v->config + off, size);
    return GUINT64_FROM_LE(value);
}

void virtio_config_store(VirtioDevice *v, uint32_t off, uint64_t value, unsigned size)
{
    if (off > v->type->config_size || size > v->type->config_size - off || !v->type->config_write) {
        return;
    }
    value = GUINT64_TO_LE(value);
    memcpy(v->config + off, &value, size);
    v->type->config_write(v, off, size);
}

/* ---- kicks: handled in the device's loop, so that the vCPU goes on ---- */

static void virtio_run_kicks(void *opaque)
{
    VirtioDevice *v = opaque;
    uint64_t kicked = v->kicked;

    v->kicked = 0;
    for (unsigned i = 0; kicked; i++, kicked >>= 1) {
        if ((kicked & 1) && v->vq[i].enabled && !v->broken) {
            v->type->notify(v, i);
        }
    }
}

void virtio_kick(VirtioDevice *v, unsigned n)
{
    if (n >= v->num_queues || !(v->status & VIRTIO_STATUS_DRIVER_OK)) {
        return;
    }
    v->kicked |= 1ull << n;
    bh_schedule(v->kick_bh);
}

bool virtio_core_realize(VirtioDevice *v, GError **error)
{
    v->loop = event_loop_main();
    v->config_vector = VIRTIO_NO_VECTOR;
    if (!v->type->realize(v, error)) {
        return false;
    }
    v->kick_bh = bh_new_in(v->loop, virtio_run_kicks, v);
    return true;
}

void virtio_core_unrealize(VirtioDevice *v)
{
    bh_cancel(v->kick_bh);
    event_loop_sync(v->loop);    /* a notify() of ours may be under way there */
    virtio_reset(v);
    bh_free(v->kick_bh);
    if (v->type->unrealize) {
        v->type->unrealize(v);
    }
}

bool virtio_core_check_load(VirtioDevice *v, GError **error)
{
    uint64_t unknown = v->driver_features & ~virtio_offered_features(v);

    if (unknown) {
        return fail(error, "the driver has features 0x%" PRIx64 ", which are not offered", unknown);
    }
    for (unsigned i = 0; i < v->num_queues; i++) {
        const VirtQueue *q = &v->vq[i];

        if (q->enabled && (!q->size || (!virtio_has(v, VIRTIO_F_RING_PACKED) &&
                                        (q->size & (q->size - 1))))) {
            return fail(error, "queue %u has a size of %u", i, q->size);
        }
    }
    return !v->type->check_load || v->type->check_load(v, error);
}

void virtio_core_saving(VirtioDevice *v)
{
    if (v->type->saving) {
        v->type->saving(v);
    }
}

void virtio_core_loaded(VirtioDevice *v)
{
    if (v->type->loaded) {
        v->type->loaded(v);
    }
    if (v->kicked) {
        bh_schedule(v->kick_bh);
    }
}

static const StateField virtqueue_state[] = {
    STATE_TO(VirtQueue, size, size_max, UINT16_MAX),
    HOST_ONLY(VirtQueue, size_max, "constant"),
    STATE(VirtQueue, enabled),
    STATE(VirtQueue, desc),
    STATE(VirtQueue, avail),
    STATE(VirtQueue, used),
    STATE(VirtQueue, last_avail),
    STATE(VirtQueue, used_idx),
    STATE(VirtQueue, avail_wrap),
    STATE(VirtQueue, used_wrap),
    STATE(VirtQueue, since_signal),
    HOST_ONLY(VirtQueue, fill_at, "within one call"),
    HOST_ONLY(VirtQueue, first_id, "within one call"),
    HOST_ONLY(VirtQueue, fill_wrap, "within one call"),
    HOST_ONLY(VirtQueue, first_len, "within one call"),
    STATE(VirtQueue, signalled_used),
    STATE(VirtQueue, signalled_valid),
    STATE(VirtQueue, vector),
    HOST_ONLY(VirtQueue, in_flight, "zero while the machine is stopped"),
    STATE_END,
};

const StateField virtio_state[] = {
    HOST_ONLY(VirtioDevice, type, "constant"),
    HOST_ONLY(VirtioDevice, transport, "constant"),
    HOST_ONLY(VirtioDevice, transport_device, "wired at realize"),
    STATE_STRUCTS(VirtioDevice, vq, virtqueue_state),
    HOST_ONLY(VirtioDevice, num_queues, "made at realize"),
    STATE(VirtioDevice, status),
    STATE(VirtioDevice, isr),
    STATE(VirtioDevice, driver_features),
    STATE(VirtioDevice, generation),
    STATE(VirtioDevice, config_vector),
    STATE_RAW(VirtioDevice, config),
    STATE(VirtioDevice, broken),
    STATE(VirtioDevice, kicked),
    HOST_ONLY(VirtioDevice, kick_bh, "host side"),
    HOST_ONLY(VirtioDevice, loop, "host side"),
    STATE(VirtioDevice, queue_select),
    STATE(VirtioDevice, feature_select),
    STATE(VirtioDevice, driver_feature_select),
    STATE(VirtioDevice, driver_features_low),
    HOST_ONLY(VirtioDevice, legacy, "region"),
    HOST_ONLY(VirtioDevice, modern, "region"),
    HOST_ONLY(VirtioDevice, common_region, "region"),
    HOST_ONLY(VirtioDevice, isr_region, "region"),
    HOST_ONLY(VirtioDevice, device_region_, "region"),
    HOST_ONLY(VirtioDevice, notify_region, "region"),
    HOST_ONLY(VirtioDevice, cfg_cap, "made at realize"),
    STATE_END,
};
