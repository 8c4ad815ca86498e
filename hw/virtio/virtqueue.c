// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Split virtqueues (Virtual I/O Device 1.1, 2.6) with indirect descriptors and the event
 * index. Everything in the rings is the guest's and may be nonsense: a chain is bounded by
 * the queue's size, an indirect table by its own length, and a broken rule stops the device.
 */
#include "hw/virtio/virtio.h"
#include <stdatomic.h>

enum {
    DESC_NEXT = 1,
    DESC_WRITE = 2,
    DESC_INDIRECT = 4,
    AVAIL_NO_INTERRUPT = 1,
    USED_NO_NOTIFY = 1
};

typedef struct __attribute__((packed)) VirtqDesc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
} VirtqDesc;

static uint16_t ring_load(VirtioDevice *v, uint64_t addr)
{
    return dma_load(&v->pci.dev, addr, 2, DEV_LITTLE, NULL);
}

static void ring_store(VirtioDevice *v, uint64_t addr, uint16_t value)
{
    dma_store(&v->pci.dev, addr, value, 2, DEV_LITTLE);
}

static bool desc_load(VirtioDevice *v, uint64_t table, unsigned i, VirtqDesc *d)
{
    if (!dma_read(&v->pci.dev, table + (uint64_t)i * sizeof(*d), d, sizeof(*d))) {
        return false;
    }
    d->addr = GUINT64_FROM_LE(d->addr);
    d->len = GUINT32_FROM_LE(d->len);
    d->flags = GUINT16_FROM_LE(d->flags);
    d->next = GUINT16_FROM_LE(d->next);
    return true;
}

/* How many requests wait; -1: the driver's index is nonsense. */
static int virtq_available(VirtioDevice *v, VirtQueue *vq)
{
    uint16_t n = ring_load(v, vq->avail + 2) - vq->last_avail;

    if (n > vq->size) {
        virtio_error(v, "available index runs ahead by %u of %u", n, vq->size);
        return -1;
    }
    return n;
}

bool virtq_empty(VirtioDevice *v, VirtQueue *vq)
{
    return !vq->enabled || v->broken || virtq_available(v, vq) <= 0;
}

/* Walks a chain; sg takes at most `room` pieces, readable ones first. False: error. */
static bool chain_walk(VirtioDevice *v, VirtQueue *vq, uint16_t head, DmaSg *sg, unsigned room,
                       unsigned *out, unsigned *in)
{
    uint64_t table = vq->desc;
    unsigned limit = vq->size, i = head, seen = 0;
    VirtqDesc d;

    *out = *in = 0;
    if (!desc_load(v, table, i, &d)) {
        virtio_error(v, "descriptor table is not in memory");
        return false;
    }
    if (d.flags & DESC_INDIRECT) {
        if (!virtio_has(v, VIRTIO_F_INDIRECT_DESC) || d.len == 0 || d.len % sizeof(d)) {
            virtio_error(v, "bad indirect descriptor of %u bytes", d.len);
            return false;
        }
        table = d.addr;
        limit = d.len / sizeof(d);
        i = 0;
        if (!desc_load(v, table, 0, &d)) {
            virtio_error(v, "indirect table is not in memory");
            return false;
        }
    }
    for (;;) {
        if (++seen > MIN(limit, room) || (d.flags & DESC_INDIRECT)) {
            virtio_error(v, "descriptor chain loops, is too long or nests indirect tables");
            return false;
        }
        if (!(d.flags & DESC_WRITE) && *in) {
            virtio_error(v, "readable descriptor behind a writable one");
            return false;
        }
        sg[*out + *in] = (DmaSg){.addr = d.addr, .len = d.len};
        *(d.flags & DESC_WRITE ? in : out) += 1;
        if (!(d.flags & DESC_NEXT)) {
            return true;
        }
        i = d.next;
        if (i >= limit || !desc_load(v, table, i, &d)) {
            virtio_error(v, "descriptor index %u is out of range", i);
            return false;
        }
    }
}

VirtqElem *virtq_pop(VirtioDevice *v, VirtQueue *vq)
{
    DmaSg sg[VIRTIO_QUEUE_MAX];
    unsigned out, in;

    if (!vq->enabled || v->broken || virtq_available(v, vq) <= 0) {
        return NULL;
    }
    uint16_t head = ring_load(v, vq->avail + 4 + 2ull * (vq->last_avail % vq->size));

    if (head >= vq->size) {
        virtio_error(v, "head %u is out of range", head);
        return NULL;
    }
    if (!chain_walk(v, vq, head, sg, VIRTIO_QUEUE_MAX, &out, &in)) {
        return NULL;
    }
    VirtqElem *e = g_malloc(sizeof(*e) + (out + in) * sizeof(DmaSg));

    *e = (VirtqElem){.vq = vq, .head = head, .num_out = out, .num_in = in};
    e->out = (DmaSg *)(e + 1);
    e->in = e->out + out;
    memcpy(e->out, sg, (out + in) * sizeof(DmaSg));
    for (unsigned i = 0; i < out + in; i++) {
        *(i < out ? &e->out_len : &e->in_len) += sg[i].len;
    }
    vq->last_avail++;
    vq->in_flight++;
    if (virtio_has(v, VIRTIO_F_EVENT_IDX)) {
        ring_store(v, vq->used + 4 + 8ull * vq->size, vq->last_avail);
    }
    return e;
}

void virtq_unpop(VirtioDevice *v, VirtqElem *e)
{
    e->vq->last_avail--;
    e->vq->in_flight--;
}

void virtq_fill(VirtioDevice *v, VirtqElem *e, uint32_t len, unsigned index)
{
    VirtQueue *vq = e->vq;
    uint32_t entry[2] = {GUINT32_TO_LE(e->head), GUINT32_TO_LE(len)};

    if (!vq->enabled) {
        return; /* the queue was reset while the request was under way */
    }
    dma_write(&v->pci.dev, vq->used + 4 + 8ull * ((uint16_t)(vq->used_idx + index) % vq->size),
              entry, sizeof(entry));
}

void virtq_flush(VirtioDevice *v, VirtQueue *vq, unsigned count)
{
    if (!vq->enabled) {
        return;
    }
    /* The entries must be visible before the index is. */
    atomic_thread_fence(memory_order_release);
    vq->used_idx += count;
    vq->in_flight -= MIN(count, vq->in_flight);
    ring_store(v, vq->used + 2, vq->used_idx);
}

void virtq_push(VirtioDevice *v, VirtqElem *e, uint32_t len)
{
    virtq_fill(v, e, len, 0);
    virtq_flush(v, e->vq, 1);
}

/* 2.6.7 and 2.6.8. */
static bool virtq_wants_interrupt(VirtioDevice *v, VirtQueue *vq)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (virtio_has(v, VIRTIO_F_NOTIFY_ON_EMPTY) && vq->in_flight == 0 &&
        virtq_available(v, vq) == 0) {
        return true;
    }
    if (!virtio_has(v, VIRTIO_F_EVENT_IDX)) {
        return !(ring_load(v, vq->avail) & AVAIL_NO_INTERRUPT);
    }
    bool first = !vq->signalled_valid;
    uint16_t old = vq->signalled_used, now = vq->used_idx;
    uint16_t event = ring_load(v, vq->avail + 4 + 2ull * vq->size);

    vq->signalled_used = now;
    vq->signalled_valid = true;
    return first || (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

void virtq_notify(VirtioDevice *v, VirtQueue *vq)
{
    if (vq->enabled && !v->broken && virtq_wants_interrupt(v, vq)) {
        v->transport->interrupt(v, vq->vector, 1);
    }
}

bool virtq_enable_kick(VirtioDevice *v, VirtQueue *vq, bool on)
{
    if (!vq->enabled) {
        return false;
    }
    if (virtio_has(v, VIRTIO_F_EVENT_IDX)) {
        if (on) {
            ring_store(v, vq->used + 4 + 8ull * vq->size, vq->last_avail);
        }
    } else {
        ring_store(v, vq->used, on ? 0 : USED_NO_NOTIFY);
    }
    atomic_thread_fence(memory_order_seq_cst);
    return !virtq_empty(v, vq);
}

static size_t sg_copy(VirtioDevice *v, const DmaSg *sg, unsigned n, uint64_t off, uint8_t *buf,
                      size_t len, bool write)
{
    size_t done = 0;

    for (unsigned i = 0; i < n && done < len; i++) {
        if (off >= sg[i].len) {
            off -= sg[i].len;
            continue;
        }
        size_t part = MIN(len - done, sg[i].len - off);
        bool ok = write ? dma_write(&v->pci.dev, sg[i].addr + off, buf + done, part)
                        : dma_read(&v->pci.dev, sg[i].addr + off, buf + done, part);

        if (!ok) {
            break;
        }
        done += part;
        off = 0;
    }
    return done;
}

size_t virtq_read(VirtioDevice *v, const VirtqElem *e, uint64_t off, void *buf, size_t len)
{
    return sg_copy(v, e->out, e->num_out, off, buf, len, false);
}

size_t virtq_write(VirtioDevice *v, const VirtqElem *e, uint64_t off, const void *buf, size_t len)
{
    return sg_copy(v, e->in, e->num_in, off, (uint8_t *)buf, len, true);
}
