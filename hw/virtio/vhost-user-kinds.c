// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio devices that are nothing but their queues here, and work in another process (virtio 1.2:
 * 5.4 entropy, 5.10 socket, 5.11 file system, 5.13 I2C, 5.17 GPIO; vhost-user). A row says what
 * a kind is; the file system's name is the one thing that is ours. Left out: shared memory (DAX).
 */
#include "hw/virtio/vhost-user.h"

#include <string.h>

#include "util/bswap.h"
#include "util/error.h"

#define TAG_BYTES 36
#define CONFIG_FS (TAG_BYTES + 4)
#define QUEUE_SIZE 128

typedef struct VhostUserKind {
    VirtioType type;            /* first: the device's type leads back to it */
    unsigned queues;            /* beside what a property says */
    unsigned queue_size;
    uint32_t config_bytes;      /* that the other process has */
    uint64_t wanted;
} VhostUserKind;

typedef struct VhostUserDevice {
    VirtioDevice v;
    Chardev *chardev;
    char *tag;
    uint16_t request_queues, queue_size;
    int32_t bootindex;
    int seqpacket;              /* OnOffAuto */
    VhostFront front;
} VhostUserDevice;

enum {
    VSOCK_F_SEQPACKET = 1
};

static const VhostUserKind *kind_of(const VirtioDevice *v)
{
    return (const VhostUserKind *)v->type;
}

static void vu_reject(VirtioDevice *v, VirtqElem *e)
{
    virtq_push(v, e, 0);
}

static void vu_notify(VirtioDevice *v, unsigned n)
{
    vhost_front_kick(&((VhostUserDevice *)v)->front, n);
}

static void vu_status_changed(VirtioDevice *v, uint8_t old)
{
    vhost_front_status(&((VhostUserDevice *)v)->front);
}

static uint64_t vu_features(VirtioDevice *v)
{
    const VhostUserDevice *s = (VhostUserDevice *)v;
    uint64_t f = s->front.features & s->front.wanted;

    return s->seqpacket == ON_OFF_AUTO_OFF ? f & ~VIRTIO_BIT(VSOCK_F_SEQPACKET) : f;
}

static void vu_config_read(VirtioDevice *v)
{
    const VhostUserDevice *s = (VhostUserDevice *)v;

    if (s->tag) {
        memset(v->config, 0, CONFIG_FS);
        memcpy(v->config, s->tag, strlen(s->tag));
        store_le32(v->config + TAG_BYTES, s->request_queues);
    } else {
        memcpy(v->config, s->front.config, s->front.config_bytes);
    }
}

static bool vu_start(VhostUserDevice *s, unsigned queues, GError **error)
{
    const VhostUserKind *k = kind_of(&s->v);

    if (!s->chardev) {
        return fail(error, "missing chardev");
    }
    s->front = (VhostFront){
        .config_bytes = k->config_bytes,
        .reject = vu_reject,
        .wanted = k->wanted,
    };
    if (!vhost_front_init(&s->front, &s->v, s->chardev, error)) {
        return false;
    }
    for (unsigned i = 0; i < queues; i++) {
        virtio_add_queue(&s->v, s->queue_size);
    }
    if (!vhost_front_add_rings(&s->front, error)) {
        vhost_front_fini(&s->front);
        return false;
    }
    return true;
}

static bool vu_realize(VirtioDevice *v, GError **error)
{
    const VhostUserKind *k = kind_of(v);
    VhostUserDevice *s = (VhostUserDevice *)v;

    s->queue_size = (uint16_t)k->queue_size;
    return vu_start(s, k->queues, error);
}

static bool fs_realize(VirtioDevice *v, GError **error)
{
    VhostUserDevice *s = (VhostUserDevice *)v;

    if (!s->chardev) {
        return fail(error, "missing chardev");
    }
    if (!s->tag) {
        return fail(error, "missing tag property");
    }
    if (!*s->tag) {
        return fail(error, "tag property cannot be empty");
    }
    if (strlen(s->tag) > TAG_BYTES) {
        return fail(error, "tag property must be %d bytes or less", TAG_BYTES);
    }
    if (s->request_queues == 0) {
        return fail(error, "num-request-queues property must be larger than 0");
    }
    if (s->request_queues >= VIRTIO_MAX_QUEUES) {
        return fail(error, "num-request-queues property must be at most %d", VIRTIO_MAX_QUEUES - 1);
    }
    if (s->queue_size < 4 || s->queue_size > VIRTIO_QUEUE_MAX ||
        (s->queue_size & (s->queue_size - 1))) {
        return fail(error, "queue-size property must be a power of 2 from 4 to %u",
                    VIRTIO_QUEUE_MAX);
    }
    return vu_start(s, s->request_queues + 1u, error);
}

static void vu_unrealize(VirtioDevice *v)
{
    vhost_front_fini(&((VhostUserDevice *)v)->front);
}

static const Prop vu_props[] = {
    PROP_CHARDEV(VhostUserDevice, chardev),
    PROP_END,
};

static const Prop vsock_props[] = {
    PROP_CHARDEV(VhostUserDevice, chardev),
    PROP_ON_OFF_AUTO(VhostUserDevice, seqpacket, "seqpacket", ON_OFF_AUTO_AUTO,
                     .help = "sockets that keep the borders of messages"),
    PROP_END,
};

static const Prop fs_props[] = {
    PROP_CHARDEV(VhostUserDevice, chardev),
    PROP_STRING(VhostUserDevice, tag, "tag", .help = "what the guest mounts"),
    PROP_U16(VhostUserDevice, request_queues, "num-request-queues", 1),
    PROP_U16(VhostUserDevice, queue_size, "queue-size", QUEUE_SIZE),
    PROP_I32(VhostUserDevice, bootindex, "bootindex", -1),
    PROP_END,
};

static const StateField vu_state[] = {
    HOST_ONLY(VhostUserDevice, front, "the connection; it has no requests while the machine stands"),
    HOST_ONLY(VhostUserDevice, tag, "property of the file system"),
    HOST_ONLY(VhostUserDevice, request_queues, "likewise"),
    HOST_ONLY(VhostUserDevice, queue_size, "likewise"),
    HOST_ONLY(VhostUserDevice, bootindex, "likewise"),
    HOST_ONLY(VhostUserDevice, seqpacket, "property of sockets"),
    STATE_END,
};

#define VU_TYPE_FIELDS                                                                             \
    .category = "misc", .not_saved = "its state is in another process",                            \
    .size = sizeof(VhostUserDevice), .state = vu_state, .unrealize = vu_unrealize,                 \
    .status_changed = vu_status_changed, .features = vu_features, .config_read = vu_config_read,   \
    .notify = vu_notify

#define VU_KIND(k) SECTION_ENTRY(virtio_types, const VirtioType *, k##_row, &k.type)

static const VhostUserKind fs_kind = {
    .type = {VU_TYPE_FIELDS, .name = "vhost-user-fs", .desc = "File system of another process",
             .id = 26, .pci_class = 0x018000, .config_size = CONFIG_FS, .props = fs_props,
             .realize = fs_realize},
};
VU_KIND(fs_kind);

static const VhostUserKind rng_kind = {
    .type = {VU_TYPE_FIELDS, .name = "vhost-user-rng", .desc = "Entropy of another process",
             .id = 4, .pci_class = 0x00ff00, .props = vu_props, .realize = vu_realize},
    .queues = 1, .queue_size = 4,
};
VU_KIND(rng_kind);

static const VhostUserKind i2c_kind = {
    .type = {VU_TYPE_FIELDS, .name = "vhost-user-i2c", .desc = "I2C bus of another process",
             .id = 34, .pci_class = 0x00ff00, .props = vu_props, .realize = vu_realize},
    .queues = 1, .queue_size = 4, .wanted = VIRTIO_BIT(0), /* requests without data */
};
VU_KIND(i2c_kind);

static const VhostUserKind gpio_kind = {
    .type = {VU_TYPE_FIELDS, .name = "vhost-user-gpio", .desc = "GPIO lines of another process",
             .id = 41, .pci_class = 0x00ff00, .config_size = 8, .props = vu_props,
             .realize = vu_realize},
    .queues = 2, .queue_size = 256, .config_bytes = 8, .wanted = VIRTIO_BIT(0), /* interrupts */
};
VU_KIND(gpio_kind);

static const VhostUserKind vsock_kind = {
    .type = {VU_TYPE_FIELDS, .name = "vhost-user-vsock", .desc = "Sockets of another process",
             .id = 19, .pci_class = 0x078000, .config_size = 8, .props = vsock_props,
             .realize = vu_realize},
    .queues = 3, .queue_size = QUEUE_SIZE, .config_bytes = 8,
    .wanted = VIRTIO_BIT(VSOCK_F_SEQPACKET),
};
VU_KIND(vsock_kind);
