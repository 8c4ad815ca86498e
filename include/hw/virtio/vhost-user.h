// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A virtio device whose work another process does (vhost-user). The guest's queues stay ours: each
 * request is handed on in a ring of our own memory, as an indirect descriptor table of pieces of
 * guest RAM that the other process has mapped. So IOMMUs, dirty memory and translated code are
 * right as for any device, and requests outlive the other end: when it comes back they are given to
 * it again. Machine lock.
 */
#ifndef HW_VIRTIO_VHOST_USER_H
#define HW_VIRTIO_VHOST_USER_H

#include "block/vhost-user.h"
#include "chardev/chardev.h"
#include "hw/virtio/virtio.h"

#define VHOST_MAX_PIECES 256u

typedef struct VhostFront VhostFront;

/* A request that the other end has, or is to get. */
typedef struct VhostRequest {
    VirtqElem *elem;
    DmaList out, in;
    uint64_t sequence;
} VhostRequest;

typedef struct VhostRing {
    VhostFront *front;
    unsigned index;
    uint16_t size, avail_idx, last_used;
    unsigned in_flight;
    VhostRequest **requests;    /* by head; NULL: free */
    uint64_t offset;            /* of its memory, in the front's */
    int kick_fd, call_fd;
    unsigned call_tag;
} VhostRing;

struct VhostFront {
    ChardevFe fe;
    VirtioDevice *v;
    uint64_t wanted;            /* virtio features of the device's kind that we understand */
    uint64_t features;          /* what the other end offers */
    uint64_t protocol_features;
    unsigned max_queues;        /* that it has */
    bool connected, running;
    bool lent;                  /* it has our rings */
    unsigned hup_tag;
    Bh *drop_bh;
    VhostRing *rings;
    unsigned num_rings;
    uint64_t sequence;
    int shm_fd;
    uint8_t *shm;
    uint64_t shm_bytes;
    VuMemTable table;           /* as the other end has it; our rings are the last */
    uint8_t config[VU_MAX_CONFIG];
    unsigned config_bytes;
    unsigned ring_limit;        /* queues that are handed on, the first ones; 0: all */
    unsigned enabled;           /* of these, the ones that are in use; 0: all */
    bool exact;                 /* features are the driver's, virtio 1 among them or not */
    /* Requests that have not ended when the machine or the driver stops go back where they were. */
    bool gives_back;
    bool paused;                /* the machine stands */
    /* A request that cannot be handed on: what the guest is told. */
    void (*reject)(VirtioDevice *v, VirtqElem *e);
};

/*
 * Attaches to the chardev and asks what the other end can do. Afterwards the device adds its
 * queues.
 */
bool vhost_front_init(VhostFront *f, VirtioDevice *v, Chardev *chr, GError **error);
/* Makes rings for the device's queues. */
bool vhost_front_add_rings(VhostFront *f, GError **error);
void vhost_front_fini(VhostFront *f);
/* The driver is ready (or not any more): v->status says. */
void vhost_front_status(VhostFront *f);
/* Queue n was kicked. */
void vhost_front_kick(VhostFront *f, unsigned n);
/* The first n rings are in use from now on. */
void vhost_front_enable(VhostFront *f, unsigned n);
bool vhost_front_set_config(VhostFront *f, uint32_t offset, const void *data, uint32_t len);

/* ---- between the two source files ---- */
/* Sends a message; reply_size: bytes that must come back in p, 0: none wanted. */
bool vhost_ask(VhostFront *f, uint32_t request, VuPayload *p, uint32_t size, const int *fds,
               unsigned nfds, uint32_t reply_size);
/* The other end broke the rules: it is disconnected, soon. */
void vhost_front_drop(VhostFront *f, const char *why);
bool vhost_rings_lend(VhostFront *f);
/* Takes what has ended. */
void vhost_ring_collect(VhostRing *r);
void vhost_ring_forget(VhostRing *r);
/* What has not ended is in the guest's queue again. */
void vhost_ring_return(VhostRing *r);
/* Whether the other end may use ring i. */
static inline bool vhost_ring_enabled(const VhostFront *f, unsigned i)
{
    return !f->enabled || i < f->enabled;
}

#endif
