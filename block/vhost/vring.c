// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vhost-user: split virtqueues in shared memory (Virtual I/O Device 1.1, 2.6). Everything that
 * decides is read once into our own memory and then checked.
 */
#include <string.h>
#include <unistd.h>

#include "block/vhost/vhost.h"
#include "util/bswap.h"
#include "util/error.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { AVAIL_NO_INTERRUPT = 1, USED_NO_NOTIFY = 1 };

#define DESC_BYTES 16u
#define MAX_PIECES 1024u

typedef struct Desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
} Desc;

void vring_init(Vring *r, const VuMemory *m)
{
    *r = (Vring){ .kick_fd = -1, .call_fd = -1, .err_fd = -1, .memory = m };
}

bool vring_map(Vring *r, GError **error)
{
    r->desc = r->avail = r->used = NULL;
    if (r->num == 0 || r->num > VRING_MAX_SIZE || (r->num & (r->num - 1))) {
        return fail(error, "queue size %u", r->num);
    }
    if ((r->addr.desc & 15) || (r->addr.avail & 1) || (r->addr.used & 3)) {
        return fail(error, "queue address not aligned");
    }
    r->desc = vu_memory_user(r->memory, r->addr.desc, (uint64_t)r->num * DESC_BYTES);
    r->avail = vu_memory_user(r->memory, r->addr.avail, 6 + 2ull * r->num);
    r->used = vu_memory_user(r->memory, r->addr.used, 6 + 8ull * r->num);
    if (!r->desc || !r->avail || !r->used) {
        r->desc = r->avail = r->used = NULL;
        return fail(error, "queue address not in memory");
    }
    r->used_idx = load_le16(r->used + 2);
    return true;
}

void vring_reset(Vring *r)
{
    if (r->kick_tag) {
        fd_unwatch(r->kick_tag);
    }
    for (unsigned i = 0; i < 3; i++) {
        int fd = i == 0 ? r->kick_fd : i == 1 ? r->call_fd : r->err_fd;

        if (fd >= 0) {
            close(fd);
        }
    }
    vring_init(r, r->memory);
}

static uint16_t shared_load(const uint8_t *p)
{
    return le16(__atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_SEQ_CST));
}

static void shared_store(uint8_t *p, uint16_t v)
{
    __atomic_store_n((uint16_t *)(void *)p, le16(v), __ATOMIC_SEQ_CST);
}

static bool has(const Vring *r, unsigned feature)
{
    return r->features >> feature & 1;
}

static VuElem *broken(Vring *r, const char *why)
{
    guest_error("vhost-user: %s", why);
    r->broken = true;
    return NULL;
}

/* ---- requests ---- */

typedef struct Pieces {
    struct iovec iov[2][MAX_PIECES];
    unsigned count[2];
    uint64_t bytes[2];
} Pieces;

/* Of the request that is being popped: machine lock. */
static Pieces scratch;

static bool add_piece(const Vring *r, Pieces *p, const Desc *d)
{
    unsigned side = d->flags & DESC_WRITE ? 1 : 0;
    uint64_t at = d->addr, left = d->len;

    if (side == 0 && p->count[1]) {
        return false;
    }
    while (left > 0) {
        uint64_t len = left;
        void *host = vu_memory_guest(r->memory, at, &len);

        if (!host || p->count[side] == MAX_PIECES) {
            return false;
        }
        p->iov[side][p->count[side]++] = (struct iovec){ host, len };
        p->bytes[side] += len;
        at += len;
        left -= len;
    }
    return true;
}

static Desc load_desc(const uint8_t *table, unsigned i)
{
    uint8_t raw[DESC_BYTES];

    memcpy(raw, table + (size_t)i * DESC_BYTES, DESC_BYTES);
    return (Desc){ load_le64(raw), load_le32(raw + 8), load_le16(raw + 12), load_le16(raw + 14) };
}

static bool walk(const Vring *r, unsigned head, Pieces *p)
{
    const uint8_t *table = r->desc;
    unsigned size = r->num, i = head;
    bool indirect = false;

    for (unsigned steps = 0; steps <= size; steps++) {
        Desc d = load_desc(table, i);

        if (d.flags & DESC_INDIRECT) {
            uint64_t len = d.len;

            if (indirect || (d.flags & DESC_NEXT) || len % DESC_BYTES || len == 0 ||
                len > (uint64_t)MAX_PIECES * DESC_BYTES) {
                return false;
            }
            table = vu_memory_guest(r->memory, d.addr, &len);
            if (!table || len != d.len) {
                return false;
            }
            indirect = true;
            size = d.len / DESC_BYTES;
            i = 0;
            steps = 0;
            continue;
        }
        if (!add_piece(r, p, &d)) {
            return false;
        }
        if (!(d.flags & DESC_NEXT)) {
            return true;
        }
        i = d.next;
        if (i >= size) {
            return false;
        }
    }
    return false;
}

VuElem *vring_take(Vring *r, uint16_t head)
{
    Pieces *p = &scratch;
    VuElem *e;

    if (head >= r->num) {
        return broken(r, "descriptor number out of range");
    }
    p->count[0] = p->count[1] = 0;
    p->bytes[0] = p->bytes[1] = 0;
    if (!walk(r, head, p)) {
        return broken(r, "bad descriptor chain");
    }
    e = g_malloc(sizeof(*e) + (p->count[0] + p->count[1]) * sizeof(struct iovec));
    *e = (VuElem){.ring = r,
                  .head = head,
                  .num_out = p->count[0],
                  .num_in = p->count[1],
                  .out = (struct iovec *)(e + 1),
                  .out_len = p->bytes[0],
                  .in_len = p->bytes[1]};
    e->in = e->out + e->num_out;
    memcpy(e->out, p->iov[0], e->num_out * sizeof(struct iovec));
    memcpy(e->in, p->iov[1], e->num_in * sizeof(struct iovec));
    r->in_flight++;
    vring_inflight_begin(r, head);
    return e;
}

VuElem *vring_pop(Vring *r)
{
    uint16_t avail, head;
    VuElem *e;

    if (!vring_runs(r) || r->in_flight >= r->num) {
        return NULL;
    }
    avail = shared_load(r->avail + 2);
    if (avail == r->last_avail) {
        return NULL;
    }
    if ((uint16_t)(avail - r->last_avail) > r->num) {
        return broken(r, "available index moved too far");
    }
    head = shared_load(r->avail + 4 + 2 * (size_t)(r->last_avail & (r->num - 1)));
    e = vring_take(r, head);
    r->last_avail += e != NULL;
    return e;
}

/* 2.6.7: whether the driver wants to hear of the step from before to now. */
static bool wants_call(const Vring *r, uint16_t before, uint16_t now)
{
    if (!has(r, VU_VIRTIO_EVENT_IDX)) {
        return !(shared_load(r->avail) & AVAIL_NO_INTERRUPT);
    }
    uint16_t event = shared_load(r->avail + 4 + 2 * (size_t)r->num);

    return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

void vring_push(Vring *r, const VuElem *e, uint32_t len)
{
    uint64_t one = 1;

    r->in_flight--;
    if (!r->used) {
        return;
    }
    uint8_t *entry = r->used + 4 + 8 * (size_t)(r->used_idx & (r->num - 1));

    store_le32(entry, e->head);
    store_le32(entry + 4, len);
    r->used_idx++;
    vring_inflight_used(r, e->head);
    shared_store(r->used + 2, r->used_idx);
    vring_inflight_end(r, e->head);
    if (r->call_fd >= 0 && wants_call(r, (uint16_t)(r->used_idx - 1), r->used_idx) &&
        write(r->call_fd, &one, sizeof(one)) < 0) {
        /* full: the other end has not looked yet, and will find this one, too */
    }
}

bool vring_enable_kick(Vring *r, bool on)
{
    if (has(r, VU_VIRTIO_EVENT_IDX)) {
        if (on) {
            shared_store(r->used + 4 + 8 * (size_t)r->num, r->last_avail);
        }
    } else {
        shared_store(r->used, on ? 0 : USED_NO_NOTIFY);
    }
    return on && shared_load(r->avail + 2) != r->last_avail;
}
