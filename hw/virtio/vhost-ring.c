// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vhost-user, the machine's end: rings in memory of our own (Virtual I/O Device 1.1, 2.6; without
 * event indices), in which the guest's requests are handed on. Addresses in them are places in the
 * space of RAM blocks, which the table of memory regions names. What comes back is checked: the
 * other end is not trusted to keep the rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hw/virtio/vhost-user.h"
#include "util/bswap.h"
#include "util/error.h"

#define DESC_BYTES 16u
#define TABLE_BYTES (VHOST_MAX_PIECES * DESC_BYTES)
#define RING_ALIGN 4096u
/* Where our own memory is in the other end's view: behind all RAM blocks. */
#define SHM_ADDRESS (1ull << 62)

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { USED_NO_NOTIFY = 1 };

/* A ring's memory: descriptors, what is available, what was used, tables. */
static uint64_t avail_at(const VhostRing *r)
{
    return r->offset + (uint64_t)r->size * DESC_BYTES;
}

static uint64_t used_at(const VhostRing *r)
{
    return (avail_at(r) + 6 + 2 * r->size + 3) & ~3ull;
}

static uint64_t tables_at(const VhostRing *r)
{
    return (used_at(r) + 6 + 8 * r->size + 15) & ~15ull;
}

static uint64_t end_of(const VhostRing *r)
{
    return (tables_at(r) + (uint64_t)r->size * TABLE_BYTES + RING_ALIGN - 1) / RING_ALIGN *
           RING_ALIGN;
}

static uint16_t shared_load(const uint8_t *p)
{
    return le16(__atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_SEQ_CST));
}

static void shared_store(uint8_t *p, uint16_t v)
{
    __atomic_store_n((uint16_t *)(void *)p, le16(v), __ATOMIC_SEQ_CST);
}

static bool on_call(int fd, GIOCondition events, void *opaque)
{
    VhostRing *r = opaque;
    uint64_t count;

    if (read(fd, &count, sizeof(count)) > 0) {
        vhost_ring_collect(r);
        if (r->front->running && r->front->lent) {
            vhost_front_kick(r->front, r->index);
        }
    }
    return true;
}

bool vhost_front_add_rings(VhostFront *f, GError **error)
{
    unsigned n = f->ring_limit ? f->ring_limit : f->v->num_queues;

    f->rings = g_new0(VhostRing, n);
    for (unsigned i = 0; i < n; i++) {
        VhostRing *r = &f->rings[i];

        *r = (VhostRing){
            .front = f, .index = i, .size = f->v->vq[i].size_max, .offset = f->shm_bytes};
        r->requests = g_new0(VhostRequest *, r->size);
        r->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        r->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        f->num_rings++;
        if (r->kick_fd < 0 || r->call_fd < 0) {
            return fail_errno(error, errno, "vhost-user: eventfd");
        }
        r->call_tag = fd_watch(r->call_fd, G_IO_IN, on_call, r);
        f->shm_bytes = end_of(r);
    }
    f->shm_fd = memfd_create("vhost-user rings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    /* the other end must not cut it off under us */
    if (f->shm_fd < 0 || ftruncate(f->shm_fd, (off_t)f->shm_bytes) < 0 ||
        fcntl(f->shm_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        return fail_errno(error, errno, "vhost-user: memory for rings");
    }
    void *map = mmap(NULL, f->shm_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, f->shm_fd, 0);

    if (map == MAP_FAILED) {
        return fail_errno(error, errno, "vhost-user: memory for rings");
    }
    f->shm = map;
    return true;
}

/* ---- memory ---- */

/* The blocks that can be shared; false: there are too many. */
static bool make_table(VuMemTable *t, int *fds)
{
    memset(t, 0, sizeof(*t));
    for (RamBlock *b = ram_blocks(); b; b = b->next) {
        if (!b->shared) {
            continue;
        }
        if (t->count == VU_MAX_REGIONS - 1) {
            return false;
        }
        fds[t->count] = b->fd;
        t->regions[t->count++] =
            (VuRegion){.guest = b->offset, .size = b->size, .user = (uintptr_t)b->host};
    }
    return true;
}

static bool send_table(VhostFront *f)
{
    int fds[VU_MAX_REGIONS];
    VuPayload p;

    if (!make_table(&p.table, fds)) {
        vhost_front_drop(f, "too many pieces of shared memory");
        return false;
    }
    fds[p.table.count] = f->shm_fd;
    p.table.regions[p.table.count++] =
        (VuRegion){.guest = SHM_ADDRESS, .size = f->shm_bytes, .user = (uintptr_t)f->shm};
    f->table = p.table;
    return vhost_ask(f, VU_SET_MEM_TABLE, &p, 8 + p.table.count * (uint32_t)sizeof(VuRegion), fds,
                     p.table.count, 0);
}

/* Where the other end sees host memory; UINT64_MAX: nowhere. */
static uint64_t address_of(const VhostFront *f, const struct iovec *iov)
{
    for (unsigned i = 0; i + 1 < f->table.count; i++) {
        const VuRegion *r = &f->table.regions[i];
        uint64_t host = (uintptr_t)iov->iov_base;

        if (host >= r->user && host - r->user < r->size &&
            iov->iov_len <= r->size - (host - r->user)) {
            return r->guest + (host - r->user);
        }
    }
    return UINT64_MAX;
}

/* ---- requests ---- */

static void request_free(VhostRequest *q, uint64_t written)
{
    dma_list_unmap(&q->out, 0);
    dma_list_unmap(&q->in, MIN(written, q->in.size));
    dma_list_free(&q->out);
    dma_list_free(&q->in);
    g_free(q->elem);
    g_free(q);
}

static void put_desc(uint8_t *at, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
    store_le64(at, addr);
    store_le32(at + 8, len);
    store_le16(at + 12, flags);
    store_le16(at + 14, next);
}

/* The indirect table of a request; 0: it cannot be handed on. */
static unsigned put_table(VhostRing *r, const VhostRequest *q, uint8_t *table)
{
    unsigned n = 0, total = q->out.niov + q->in.niov;

    if (total == 0 || total > VHOST_MAX_PIECES) {
        return 0;
    }
    for (; n < total; n++) {
        bool in = n >= q->out.niov;
        const struct iovec *iov = in ? &q->in.iov[n - q->out.niov] : &q->out.iov[n];
        uint64_t addr = address_of(r->front, iov);

        if (addr == UINT64_MAX || iov->iov_len > UINT32_MAX) {
            return 0;
        }
        put_desc(table + (size_t)n * DESC_BYTES, addr, (uint32_t)iov->iov_len,
                 (in ? DESC_WRITE : 0) | (n + 1 < total ? DESC_NEXT : 0), (uint16_t)(n + 1));
    }
    return n;
}

/* Hands on; false: impossible. */
static bool offer(VhostRing *r, VhostRequest *q, uint16_t head)
{
    uint8_t *base = r->front->shm;
    uint64_t table = tables_at(r) + (uint64_t)head * TABLE_BYTES;
    unsigned n = put_table(r, q, base + table);

    if (n == 0) {
        return false;
    }
    put_desc(base + r->offset + (size_t)head * DESC_BYTES, SHM_ADDRESS + table, n * DESC_BYTES,
             DESC_INDIRECT, 0);
    store_le16(base + avail_at(r) + 4 + 2 * (size_t)(r->avail_idx & (r->size - 1)), head);
    r->avail_idx++;
    shared_store(base + avail_at(r) + 2, r->avail_idx);
    return true;
}

static void notify(VhostRing *r)
{
    uint64_t one = 1;

    if (!(shared_load(r->front->shm + used_at(r)) & USED_NO_NOTIFY) &&
        write(r->kick_fd, &one, sizeof(one)) < 0) {
        /* full: it has not looked yet, and will find this one, too */
    }
}

static uint16_t free_head(const VhostRing *r)
{
    uint16_t head = 0;

    while (r->requests[head]) {
        head++;
    }
    return head;
}

void vhost_front_kick(VhostFront *f, unsigned n)
{
    VirtioDevice *v = f->v;
    VhostRing *r = &f->rings[n];
    VirtQueue *vq = &v->vq[n];
    bool some = false, rejected = false;
    VirtqElem *e;

    if (!f->lent || !f->running || !vq->enabled || v->broken) {
        return;
    }
    do {
        virtq_enable_kick(v, vq, false);
        while (r->in_flight < r->size && (e = virtq_pop(v, vq)) != NULL) {
            VhostRequest *q = g_new0(VhostRequest, 1);
            uint16_t head = free_head(r);

            q->elem = e;
            q->sequence = f->sequence++;
            dma_list_init(&q->out, &v->pci.dev);
            dma_list_init(&q->in, &v->pci.dev);
            if (dma_iov(&q->out, e->out, e->num_out, false) &&
                dma_iov(&q->in, e->in, e->num_in, true) && offer(r, q, head)) {
                r->requests[head] = q;
                r->in_flight++;
                some = true;
            } else {
                f->reject(v, e);
                rejected = true;
                request_free(q, 0);
            }
        }
    } while (r->in_flight < r->size && virtq_enable_kick(v, vq, true));
    if (some) {
        notify(r);
    }
    if (rejected) {
        virtq_notify(v, vq);
    }
}

void vhost_ring_collect(VhostRing *r)
{
    VhostFront *f = r->front;
    VirtioDevice *v = f->v;
    VirtQueue *vq = &v->vq[r->index];
    uint16_t used = f->lent ? shared_load(f->shm + used_at(r) + 2) : r->last_used;
    unsigned some = 0;

    if ((uint16_t)(used - r->last_used) > r->in_flight) {
        vhost_front_drop(f, "used index moved too far");
        return;
    }
    for (; r->last_used != used; r->last_used++) {
        const uint8_t *entry = f->shm + used_at(r) + 4 + 8 * (size_t)(r->last_used & (r->size - 1));
        uint32_t head = load_le32(entry), len = load_le32(entry + 4);
        VhostRequest *q = head < r->size ? r->requests[head] : NULL;

        if (!q) {
            vhost_front_drop(f, "a request ended that it does not have");
            break;
        }
        r->requests[head] = NULL;
        r->in_flight--;
        len = (uint32_t)MIN(len, q->in.size);
        /* all of the request's memory may have been written, whatever it says */
        dma_list_unmap(&q->in, q->in.size);
        virtq_fill(v, q->elem, len, some++);
        request_free(q, 0);
    }
    if (some) {
        /* at once: several may be one packet */
        virtq_flush(v, vq, some);
        virtq_notify(v, vq);
    }
}

void vhost_ring_forget(VhostRing *r)
{
    for (unsigned i = 0; i < r->size; i++) {
        if (r->requests[i]) {
            request_free(r->requests[i], r->requests[i]->in.size);
            r->requests[i] = NULL;
        }
    }
    r->in_flight = 0;
}

static int compare_sequence(gconstpointer a, gconstpointer b)
{
    const VhostRequest *p = *(VhostRequest *const *)a, *q = *(VhostRequest *const *)b;

    return p->sequence < q->sequence ? -1 : p->sequence > q->sequence;
}

void vhost_ring_return(VhostRing *r)
{
    unsigned n = 0;

    for (unsigned i = 0; i < r->size; i++) {
        if (r->requests[i]) {
            VhostRequest *q = r->requests[i];

            r->requests[i] = NULL;
            r->requests[n++] = q;
        }
    }
    qsort(r->requests, n, sizeof(r->requests[0]), compare_sequence);
    while (n) {
        VhostRequest *q = g_steal_pointer(&r->requests[--n]);

        virtq_unpop(r->front->v, q->elem);
        request_free(q, q->in.size);
    }
    r->in_flight = 0;
}

/* A fresh ring; what the other end had before it was lost is offered again, in the old order. */
static bool renew(VhostRing *r)
{
    uint8_t *base = r->front->shm;
    unsigned n = 0;

    memset(base + avail_at(r), 0, tables_at(r) - avail_at(r));
    r->avail_idx = r->last_used = 0;
    for (unsigned i = 0; i < r->size; i++) {
        if (r->requests[i]) {
            VhostRequest *q = r->requests[i];

            r->requests[i] = NULL;
            r->requests[n++] = q;
        }
    }
    qsort(r->requests, n, sizeof(r->requests[0]), compare_sequence);
    for (unsigned i = 0; i < n; i++) {
        if (!offer(r, r->requests[i], (uint16_t)i)) {
            return false;
        }
    }
    return true;
}

static bool tell_fd(VhostFront *f, uint32_t request, unsigned index, int fd)
{
    VuPayload p = { .u64 = index };

    return vhost_ask(f, request, &p, sizeof(p.u64), &fd, 1, 0);
}

static bool lend(VhostRing *r)
{
    VhostFront *f = r->front;
    uint64_t base = (uintptr_t)f->shm;
    VuPayload num = {.state = {r->index, r->size}}, first = {.state = {r->index, 0}},
              on = {.state = {r->index, vhost_ring_enabled(f, r->index)}};
    VuPayload addr = {.addr = {.index = r->index,
                               .desc = base + r->offset,
                               .avail = base + avail_at(r),
                               .used = base + used_at(r)}};

    return vhost_ask(f, VU_SET_VRING_NUM, &num, sizeof(num.state), NULL, 0, 0) &&
           vhost_ask(f, VU_SET_VRING_BASE, &first, sizeof(first.state), NULL, 0, 0) &&
           vhost_ask(f, VU_SET_VRING_ADDR, &addr, sizeof(addr.addr), NULL, 0, 0) &&
           tell_fd(f, VU_SET_VRING_KICK, r->index, r->kick_fd) &&
           tell_fd(f, VU_SET_VRING_CALL, r->index, r->call_fd) &&
           vhost_ask(f, VU_SET_VRING_ENABLE, &on, sizeof(on.state), NULL, 0, 0);
}

bool vhost_rings_lend(VhostFront *f)
{
    if (!send_table(f)) {
        return false;
    }
    for (unsigned i = 0; i < f->num_rings; i++) {
        if (!renew(&f->rings[i])) {
            vhost_front_drop(f, "guest memory went away");
            return false;
        }
    }
    for (unsigned i = 0; i < f->num_rings; i++) {
        if (!lend(&f->rings[i])) {
            return false;
        }
        notify(&f->rings[i]);
    }
    return true;
}
