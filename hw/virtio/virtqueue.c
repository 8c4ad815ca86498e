// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtqueues (Virtual I/O Device 1.1, 2.6): the split layout with indirect descriptors and the
 * event index; the packed one is in virtqueue-packed.c. Everything in the rings is the guest's and
 * may be nonsense: a chain is bounded by the queue's size, an indirect table by its own length, and
 * a broken rule stops the device.
 */
#include "virtqueue.h"
#include "util/bswap.h"

enum {
    AVAIL_NO_INTERRUPT = 1,
    USED_NO_NOTIFY = 1
};

static uint16_t ring_load(VirtioDevice *v, uint64_t addr)
{
    return dma_load(&v->pci.dev, addr, 2, DEV_LITTLE, NULL);
}

static void ring_store(VirtioDevice *v, uint64_t addr, uint16_t value)
{
    dma_store(&v->pci.dev, addr, value, 2, DEV_LITTLE);
}

bool virtq_desc_load(VirtioDevice *v, uint64_t table, unsigned i, VirtqDesc *d)
{
    uint8_t raw[16];

    if (!dma_read(&v->pci.dev, table + (uint64_t)i * sizeof(raw), raw, sizeof(raw))) {
        return false;
    }
    d->addr = load_le64(raw);
    d->len = load_le32(raw + 8);
    d->flags = load_le16(raw + (virtq_packed(v) ? 14 : 12));
    d->next = load_le16(raw + (virtq_packed(v) ? 12 : 14));
    return true;
}

bool virtq_add_piece(VirtioDevice *v, VirtqPieces *p, const VirtqDesc *d)
{
    if (p->out + p->in >= p->room || (d->flags & DESC_INDIRECT)) {
        virtio_error(v, "descriptor chain loops, is too long or nests indirect tables");
        return false;
    }
    if (!(d->flags & DESC_WRITE) && p->in) {
        virtio_error(v, "readable descriptor behind a writable one");
        return false;
    }
    p->sg[p->out + p->in] = (DmaSg){.addr = d->addr, .len = d->len};
    *(d->flags & DESC_WRITE ? &p->in : &p->out) += 1;
    return true;
}

/* How many requests wait; -1: the driver's index is nonsense. */
static int virtq_available(VirtioDevice *v, VirtQueue *vq)
{
    if (virtq_packed(v)) {
        return virtq_packed_ready(v, vq);
    }
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

/* Walks a chain of a split ring. False: error. */
static bool chain_walk(VirtioDevice *v, VirtQueue *vq, uint16_t head, VirtqPieces *p)
{
    uint64_t table = vq->desc;
    unsigned limit = vq->size, i = head;
    VirtqDesc d;

    if (!virtq_desc_load(v, table, i, &d)) {
        virtio_error(v, "descriptor table is not in memory");
        return false;
    }
    if (d.flags & DESC_INDIRECT) {
        if (!virtio_has(v, VIRTIO_F_INDIRECT_DESC) || d.len == 0 || d.len % 16) {
            virtio_error(v, "bad indirect descriptor of %u bytes", d.len);
            return false;
        }
        table = d.addr;
        limit = d.len / 16;
        i = 0;
        if (!virtq_desc_load(v, table, 0, &d)) {
            virtio_error(v, "indirect table is not in memory");
            return false;
        }
    }
    p->room = MIN(limit, p->room);
    for (;;) {
        if (!virtq_add_piece(v, p, &d)) {
            return false;
        }
        if (!(d.flags & DESC_NEXT)) {
            return true;
        }
        i = d.next;
        if (i >= limit || !virtq_desc_load(v, table, i, &d)) {
            virtio_error(v, "descriptor index %u is out of range", i);
            return false;
        }
    }
}

/*
 * The next request's pieces and head (packed: buffer id); how many descriptors it takes, 0: error.
 */
static unsigned next_request(VirtioDevice *v, VirtQueue *vq, VirtqPieces *p, uint16_t *head)
{
    if (virtq_packed(v)) {
        return virtq_packed_walk(v, vq, p, head);
    }
    *head = ring_load(v, vq->avail + 4 + 2ull * (vq->last_avail % vq->size));
    if (*head >= vq->size) {
        virtio_error(v, "head %u is out of range", *head);
        return 0;
    }
    return chain_walk(v, vq, *head, p) ? 1 : 0;
}

VirtqElem *virtq_pop(VirtioDevice *v, VirtQueue *vq)
{
    DmaSg sg[VIRTIO_QUEUE_MAX];
    VirtqPieces p = {.sg = sg, .room = VIRTIO_QUEUE_MAX};
    uint16_t head = 0;

    if (!vq->enabled || v->broken || virtq_available(v, vq) <= 0) {
        return NULL;
    }
    unsigned taken = next_request(v, vq, &p, &head), n = p.out + p.in;

    if (!taken) {
        return NULL;
    }
    VirtqElem *e = g_malloc(sizeof(*e) + n * sizeof(DmaSg));

    *e = (VirtqElem){.vq = vq, .head = head, .ndescs = taken, .num_out = p.out, .num_in = p.in};
    e->out = (DmaSg *)(e + 1);
    e->in = e->out + p.out;
    memcpy(e->out, sg, n * sizeof(DmaSg));
    for (unsigned i = 0; i < n; i++) {
        *(i < p.out ? &e->out_len : &e->in_len) += sg[i].len;
    }
    vq->in_flight++;
    if (virtq_packed(v)) {
        virtq_packed_taken(vq, taken);
        return e;
    }
    vq->last_avail++;
    if (virtio_has(v, VIRTIO_F_EVENT_IDX)) {
        ring_store(v, vq->used + 4 + 8ull * vq->size, vq->last_avail);
    }
    return e;
}

void virtq_unpop(VirtioDevice *v, VirtqElem *e)
{
    if (virtq_packed(v)) {
        virtq_packed_untaken(e->vq, e->ndescs);
    } else {
        e->vq->last_avail--;
    }
    e->vq->in_flight--;
}

void virtq_fill(VirtioDevice *v, VirtqElem *e, uint32_t len, unsigned index)
{
    VirtQueue *vq = e->vq;
    uint32_t entry[2] = {GUINT32_TO_LE(e->head), GUINT32_TO_LE(len)};

    if (!vq->enabled) {
        return; /* the queue was reset while the request was under way */
    }
    if (virtq_packed(v)) {
        virtq_packed_fill(v, e, len, index);
        return;
    }
    dma_write(&v->pci.dev, vq->used + 4 + 8ull * ((uint16_t)(vq->used_idx + index) % vq->size),
              entry, sizeof(entry));
}

void virtq_flush(VirtioDevice *v, VirtQueue *vq, unsigned count)
{
    if (!vq->enabled) {
        return;
    }
    vq->in_flight -= MIN(count, vq->in_flight);
    if (virtq_packed(v)) {
        virtq_packed_flush(v, vq, count);
        return;
    }
    /* The entries must be visible before the index is. */
    atomic_thread_fence(memory_order_release);
    vq->used_idx += count;
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
    if (virtq_packed(v)) {
        return virtq_packed_wants_interrupt(v, vq);
    }
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
    if (virtq_packed(v)) {
        virtq_packed_enable_kick(v, vq, on);
    } else if (virtio_has(v, VIRTIO_F_EVENT_IDX)) {
        if (on) {
            /* the end of what is there: who needs more than that must hear of the next one, too */
            ring_store(v, vq->used + 4 + 8ull * vq->size, ring_load(v, vq->avail + 2));
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
