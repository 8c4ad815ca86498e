// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packed virtqueues (Virtual I/O Device 1.1, 2.7): one ring of descriptors that driver and device
 * both write, with wrap counters. `desc` is the ring, `avail` the driver's event suppression area,
 * `used` the device's. virtqueue.c comes here when the driver chose this layout.
 */
#include "virtqueue.h"

enum { FLAG_AVAIL = 1 << 7, FLAG_USED = 1 << 15 };
enum { EVENT_ENABLE = 0, EVENT_DISABLE = 1, EVENT_DESC = 2 };
#define DESC_SIZE 16u

static uint16_t load16(VirtioDevice *v, uint64_t addr)
{
    return (uint16_t)dma_load(&v->pci.dev, addr, 2, DEV_LITTLE, NULL);
}

static void store16(VirtioDevice *v, uint64_t addr, uint16_t value)
{
    dma_store(&v->pci.dev, addr, value, 2, DEV_LITTLE);
}

/* Ahead by n descriptors. */
static void advance(uint16_t *at, bool *wrap, unsigned n, unsigned size)
{
    unsigned next = *at + n;

    if (next >= size) {
        next -= size;
        *wrap = !*wrap;
    }
    *at = (uint16_t)next;
}

static bool ready_at(VirtioDevice *v, const VirtQueue *vq, uint16_t at, bool wrap)
{
    uint16_t flags = load16(v, vq->desc + (uint64_t)at * DESC_SIZE + 14);

    return !!(flags & FLAG_AVAIL) == wrap && !!(flags & FLAG_USED) != wrap;
}

bool virtq_packed_ready(VirtioDevice *v, VirtQueue *vq)
{
    return ready_at(v, vq, vq->last_avail, vq->avail_wrap);
}

/* The pieces of an indirect table: all of it, in order. */
static bool indirect_walk(VirtioDevice *v, const VirtqDesc *d, VirtqPieces *p)
{
    if (!virtio_has(v, VIRTIO_F_INDIRECT_DESC) || d->len == 0 || d->len % DESC_SIZE) {
        virtio_error(v, "bad indirect descriptor of %u bytes", d->len);
        return false;
    }
    for (uint32_t i = 0; i < d->len / DESC_SIZE; i++) {
        VirtqDesc e;

        if (!virtq_desc_load(v, d->addr, i, &e)) {
            virtio_error(v, "indirect table is not in memory");
            return false;
        }
        if (!virtq_add_piece(v, p, &e)) {
            return false;
        }
    }
    return true;
}

/* How many descriptors of the ring a request takes; 0: error. */
unsigned virtq_packed_walk(VirtioDevice *v, VirtQueue *vq, VirtqPieces *p, uint16_t *id)
{
    unsigned at = vq->last_avail;
    VirtqDesc d;

    /* the flags said that it is there: what it says is read after them */
    atomic_thread_fence(memory_order_acquire);
    for (unsigned n = 1; n <= vq->size; n++) {
        if (!virtq_desc_load(v, vq->desc, at, &d)) {
            virtio_error(v, "descriptor ring is not in memory");
            return 0;
        }
        if (d.flags & DESC_INDIRECT) {
            if (n > 1 || (d.flags & DESC_NEXT)) {
                virtio_error(v, "indirect descriptor in a chain");
                return 0;
            }
            *id = d.next;
            return indirect_walk(v, &d, p) ? 1 : 0;
        }
        if (!virtq_add_piece(v, p, &d)) {
            return 0;
        }
        if (!(d.flags & DESC_NEXT)) {
            *id = d.next;
            return n;
        }
        at = at + 1 == vq->size ? 0 : at + 1;
    }
    virtio_error(v, "descriptor chain is longer than the ring");
    return 0;
}

void virtq_packed_taken(VirtQueue *vq, unsigned n)
{
    advance(&vq->last_avail, &vq->avail_wrap, n, vq->size);
}

void virtq_packed_untaken(VirtQueue *vq, unsigned n)
{
    if (n > vq->last_avail) {
        vq->avail_wrap = !vq->avail_wrap;
        vq->last_avail += vq->size;
    }
    vq->last_avail -= n;
}

static void write_used(VirtioDevice *v, VirtQueue *vq, uint16_t at, bool wrap, uint16_t id,
                       uint32_t len)
{
    uint64_t where = vq->desc + (uint64_t)at * DESC_SIZE;
    uint32_t written = GUINT32_TO_LE(len);

    dma_write(&v->pci.dev, where + 8, &written, 4);
    store16(v, where + 12, id);
    atomic_thread_fence(memory_order_release);
    store16(v, where + 14, (wrap ? FLAG_AVAIL | FLAG_USED : 0) | (len ? DESC_WRITE : 0));
}

/* The first of a batch is written last, so that the driver sees all of them at once. */
void virtq_packed_fill(VirtioDevice *v, VirtqElem *e, uint32_t len, unsigned index)
{
    VirtQueue *vq = e->vq;

    if (index == 0) {
        vq->fill_at = vq->used_idx;
        vq->fill_wrap = vq->used_wrap;
        vq->first_id = e->head;
        vq->first_len = len;
    } else {
        write_used(v, vq, vq->fill_at, vq->fill_wrap, e->head, len);
    }
    advance(&vq->fill_at, &vq->fill_wrap, e->ndescs, vq->size);
}

void virtq_packed_flush(VirtioDevice *v, VirtQueue *vq, unsigned count)
{
    if (count == 0) {
        return;
    }
    write_used(v, vq, vq->used_idx, vq->used_wrap, vq->first_id, vq->first_len);
    vq->since_signal += vq->fill_at >= vq->used_idx && vq->fill_wrap == vq->used_wrap
                            ? vq->fill_at - vq->used_idx : vq->fill_at + vq->size - vq->used_idx;
    vq->used_idx = vq->fill_at;
    vq->used_wrap = vq->fill_wrap;
}

/* 2.7.10: whether the position that the driver named is among those used since the last time. */
bool virtq_packed_wants_interrupt(VirtioDevice *v, VirtQueue *vq)
{
    uint16_t flags = load16(v, vq->avail + 2) & 3, event = load16(v, vq->avail);
    uint32_t since = vq->since_signal;
    unsigned off = event & 0x7fff;

    if (flags == EVENT_DISABLE) {
        return false;
    }
    vq->since_signal = 0;
    if (flags != EVENT_DESC || !virtio_has(v, VIRTIO_F_EVENT_IDX)) {
        return true;
    }
    int ahead = (int)vq->used_idx - (int)off + ((event >> 15) == vq->used_wrap ? 0 : (int)vq->size);

    if (ahead > 0 && (uint32_t)ahead <= since) {
        return true;
    }
    vq->since_signal = MIN(since, vq->size);
    return false;
}

void virtq_packed_enable_kick(VirtioDevice *v, VirtQueue *vq, bool on)
{
    if (on && virtio_has(v, VIRTIO_F_EVENT_IDX)) {
        uint16_t at = vq->last_avail;
        bool wrap = vq->avail_wrap;

        /* behind what is there: who needs more than that must hear of the next one, too */
        for (unsigned n = 0; n < vq->size && ready_at(v, vq, at, wrap); n++) {
            advance(&at, &wrap, 1, vq->size);
        }
        store16(v, vq->used, at | (uint16_t)(wrap << 15));
        store16(v, vq->used + 2, EVENT_DESC);
    } else {
        store16(v, vq->used + 2, on ? EVENT_ENABLE : EVENT_DISABLE);
    }
}
