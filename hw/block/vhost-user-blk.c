// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio block device (Virtual I/O Device 1.1, 5.2) whose disk is in another process, reached by
 * vhost-user: its size and features are what that process says. Guest RAM must be shared
 * (memory-backend-memfd or -file with share=on). Left out: migration while the other process has
 * requests.
 */
#include "hw/virtio/vhost-user.h"
#include "qom/vm.h"
#include "util/bswap.h"
#include "util/error.h"

#define AUTO_QUEUES 0xffff
#define CONFIG_BYTES 60u
#define CONFIG_WCE 32u
#define CONFIG_QUEUES 34u

enum {
    BLK_F_SIZE_MAX = 1,
    BLK_F_SEG_MAX = 2,
    BLK_F_GEOMETRY = 4,
    BLK_F_RO = 5,
    BLK_F_BLK_SIZE = 6,
    BLK_F_FLUSH = 9,
    BLK_F_TOPOLOGY = 10,
    BLK_F_CONFIG_WCE = 11,
    BLK_F_MQ = 12,
    BLK_F_DISCARD = 13,
    BLK_F_WRITE_ZEROES = 14
};
enum { S_IOERR = 1 };

typedef struct VhostUserBlk {
    VirtioDevice v;
    Chardev *chardev;
    int32_t bootindex;
    uint16_t num_queues;
    uint32_t queue_size;
    bool config_wce, discard, write_zeroes;
    VhostFront front;
} VhostUserBlk;

static void vub_reject(VirtioDevice *v, VirtqElem *e)
{
    uint8_t status = S_IOERR;

    if (e->in_len) {
        virtq_write(v, e, e->in_len - 1, &status, 1);
    }
    virtq_push(v, e, 1);
}

static void vub_notify(VirtioDevice *v, unsigned n)
{
    vhost_front_kick(&((VhostUserBlk *)v)->front, n);
}

static void vub_status_changed(VirtioDevice *v, uint8_t old)
{
    vhost_front_status(&((VhostUserBlk *)v)->front);
}

static uint64_t vub_features(VirtioDevice *v)
{
    const VhostUserBlk *s = (VhostUserBlk *)v;
    uint64_t f = s->front.features & s->front.wanted;

    f &= s->num_queues > 1 ? ~0ull : ~VIRTIO_BIT(BLK_F_MQ);
    f &= s->config_wce ? ~0ull : ~VIRTIO_BIT(BLK_F_CONFIG_WCE);
    f &= s->discard ? ~0ull : ~VIRTIO_BIT(BLK_F_DISCARD);
    f &= s->write_zeroes ? ~0ull : ~VIRTIO_BIT(BLK_F_WRITE_ZEROES);
    return f;
}

static void vub_config_read(VirtioDevice *v)
{
    const VhostUserBlk *s = (VhostUserBlk *)v;

    memcpy(v->config, s->front.config, CONFIG_BYTES);
    store_le16(v->config + CONFIG_QUEUES, s->num_queues);
}

static void vub_config_write(VirtioDevice *v, uint32_t off, uint32_t len)
{
    VhostUserBlk *s = (VhostUserBlk *)v;
    uint8_t wce = v->config[CONFIG_WCE];

    if (off <= CONFIG_WCE && len > CONFIG_WCE - off && s->config_wce &&
        vhost_front_set_config(&s->front, CONFIG_WCE, &wce, 1)) {
        s->front.config[CONFIG_WCE] = wce;
    }
}

static bool vub_realize(VirtioDevice *v, GError **error)
{
    VhostUserBlk *s = (VhostUserBlk *)v;

    if (!s->chardev) {
        return fail(error, "chardev is mandatory");
    }
    if (s->num_queues == AUTO_QUEUES) {
        s->num_queues = (uint16_t)virtio_auto_queues(v, 0);
    }
    if (s->num_queues == 0 || s->num_queues > VIRTIO_MAX_QUEUES) {
        return fail(error, "invalid number of IO queues: property 'num-queues' must be 1 to %d",
                    VIRTIO_MAX_QUEUES);
    }
    if (s->queue_size < 4 || s->queue_size > VIRTIO_QUEUE_MAX ||
        (s->queue_size & (s->queue_size - 1))) {
        return fail(error, "property 'queue-size' must be a power of two from 4 to %u, not %u",
                    VIRTIO_QUEUE_MAX, s->queue_size);
    }
    s->front = (VhostFront){
        .config_bytes = CONFIG_BYTES,
        .reject = vub_reject,
        .wanted = VIRTIO_BIT(BLK_F_SIZE_MAX) | VIRTIO_BIT(BLK_F_SEG_MAX) |
                  VIRTIO_BIT(BLK_F_GEOMETRY) | VIRTIO_BIT(BLK_F_RO) | VIRTIO_BIT(BLK_F_BLK_SIZE) |
                  VIRTIO_BIT(BLK_F_FLUSH) | VIRTIO_BIT(BLK_F_TOPOLOGY) |
                  VIRTIO_BIT(BLK_F_CONFIG_WCE) | VIRTIO_BIT(BLK_F_MQ) | VIRTIO_BIT(BLK_F_DISCARD) |
                  VIRTIO_BIT(BLK_F_WRITE_ZEROES),
    };
    if (!vhost_front_init(&s->front, v, s->chardev, error)) {
        return false;
    }
    if (s->num_queues > s->front.max_queues) {
        fail(error, "The maximum number of queues supported by the backend is %u",
             s->front.max_queues);
        vhost_front_fini(&s->front);
        return false;
    }
    for (unsigned i = 0; i < s->num_queues; i++) {
        virtio_add_queue(v, (uint16_t)s->queue_size);
    }
    if (!vhost_front_add_rings(&s->front, error)) {
        vhost_front_fini(&s->front);
        return false;
    }
    return true;
}

static void vub_unrealize(VirtioDevice *v)
{
    vhost_front_fini(&((VhostUserBlk *)v)->front);
}

static const Prop vub_props[] = {
    PROP_CHARDEV(VhostUserBlk, chardev),
    PROP_I32(VhostUserBlk, bootindex, "bootindex", -1),
    PROP_U16(VhostUserBlk, num_queues, "num-queues", AUTO_QUEUES),
    PROP_U32(VhostUserBlk, queue_size, "queue-size", 128),
    PROP_BOOL(VhostUserBlk, config_wce, "config-wce", true),
    PROP_BOOL(VhostUserBlk, discard, "discard", true),
    PROP_BOOL(VhostUserBlk, write_zeroes, "write-zeroes", true),
    PROP_END,
};

static const StateField vub_state[] = {
    HOST_ONLY(VhostUserBlk, front, "the connection; it has no requests while the machine is stopped"),
    STATE_END,
};

static const VirtioType vub_type = {
    .not_saved = "its state is in another process",
    .name = "vhost-user-blk", .desc = "Block device of another process", .category = "storage",
    .id = 2, .legacy_pci_id = 0x1001, .pci_class = 0x010000, .size = sizeof(VhostUserBlk), .config_size = CONFIG_BYTES,
    .props = vub_props, .state = vub_state,
    .realize = vub_realize, .unrealize = vub_unrealize, .status_changed = vub_status_changed,
    .features = vub_features, .config_read = vub_config_read, .config_write = vub_config_write,
    .notify = vub_notify,
};
VIRTIO_TYPE(vub_type);
