// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the two layouts of virtqueues share: descriptors, and the list of pieces that a request
 * makes.
 */
#ifndef HW_VIRTIO_VIRTQUEUE_H
#define HW_VIRTIO_VIRTQUEUE_H

#include <stdatomic.h>

#include "hw/virtio/virtio.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };

/*
 * Packed rings have their buffer id where split ones have `flags`, and flags behind it: see load.
 */
typedef struct VirtqDesc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;       /* next: index, or a packed ring's buffer id */
} VirtqDesc;

typedef struct VirtqPieces {
    DmaSg *sg;
    unsigned room, out, in;
} VirtqPieces;

static inline bool virtq_packed(const VirtioDevice *v)
{
    return virtio_has(v, VIRTIO_F_RING_PACKED);
}

bool virtq_desc_load(VirtioDevice *v, uint64_t table, unsigned i, VirtqDesc *d);
/* Readable pieces come before writable ones; false: they do not, or there are too many. */
bool virtq_add_piece(VirtioDevice *v, VirtqPieces *p, const VirtqDesc *d);

bool virtq_packed_ready(VirtioDevice *v, VirtQueue *vq);
unsigned virtq_packed_walk(VirtioDevice *v, VirtQueue *vq, VirtqPieces *p, uint16_t *id);
void virtq_packed_taken(VirtQueue *vq, unsigned n);
void virtq_packed_untaken(VirtQueue *vq, unsigned n);
void virtq_packed_fill(VirtioDevice *v, VirtqElem *e, uint32_t len, unsigned index);
void virtq_packed_flush(VirtioDevice *v, VirtQueue *vq, unsigned count);
bool virtq_packed_wants_interrupt(VirtioDevice *v, VirtQueue *vq);
void virtq_packed_enable_kick(VirtioDevice *v, VirtQueue *vq, bool on);

#endif
