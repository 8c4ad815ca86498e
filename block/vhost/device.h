// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vhost-user device: one front end at a time, over a local socket. What the device does with
 * requests is in its VuDeviceOps. Machine lock.
 */
#ifndef BLOCK_VHOST_DEVICE_H
#define BLOCK_VHOST_DEVICE_H

#include "block/channel.h"
#include "block/vhost/vhost.h"
#include "util/coroutine.h"

#define VU_MAX_QUEUES 64u

typedef struct VuDevice VuDevice;

typedef struct VuDeviceOps {
    /* Virtio features of the device's kind. */
    uint64_t (*features)(VuDevice *d);
    /* Fills len bytes of configuration from the start. */
    void (*config_read)(VuDevice *d, uint8_t *config, size_t len);
    bool (*config_write)(VuDevice *d, unsigned offset, const uint8_t *data, unsigned len);
    /* Starts a request; vring_push() and vu_request_ended() when it is done. */
    void (*request)(VuDevice *d, VuElem *e);
} VuDeviceOps;

struct VuDevice {
    const VuDeviceOps *ops;
    unsigned num_queues;
    int listen_fd;
    unsigned listen_tag;
    CoChannel *channel;         /* NULL: no front end */
    bool closing;
    uint64_t features, protocol_features;   /* as chosen */
    VuMemory memory;
    Vring rings[VU_MAX_QUEUES];
    uint8_t *inflight_map;      /* NULL: requests in flight are not written down */
    VuInflight inflight;
    unsigned in_flight;
    CoQueue idle;               /* wait for requests to end */
};

/* Takes over listen_fd. */
void vu_device_start(VuDevice *d, const VuDeviceOps *ops, unsigned num_queues, int listen_fd);
/* Disconnects, waits for requests, closes the socket. */
void vu_device_stop(VuDevice *d);
/* After vring_push of e, which it frees. */
void vu_request_ended(VuDevice *d, VuElem *e);

#endif
