// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vhost-user: what is in flight, written down in memory that the front end keeps, so that requests
 * are done again when we died with them. The layout is the protocol's for split queues: a queue's
 * header of 16 bytes, then 16 bytes a descriptor.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/vhost/vhost.h"
#include "util/bswap.h"
#include "util/error.h"

enum { AT_VERSION = 8, AT_COUNT = 10, AT_LAST_HEAD = 12, AT_USED = 14, HEADER_BYTES = 16 };
enum { OF_FLAG = 0, OF_COUNTER = 8, ENTRY_BYTES = 16 };

#define VERSION 1

static uint64_t queue_bytes(unsigned queue_size)
{
    return (HEADER_BYTES + (uint64_t)ENTRY_BYTES * queue_size + 63) & ~63ull;
}

int vu_inflight_new(VuInflight *i, GError **error)
{
    int fd;

    if (i->queue_size == 0 || i->queue_size > VRING_MAX_SIZE) {
        fail(error, "queue size %u", i->queue_size);
        return -1;
    }
    i->size = queue_bytes(i->queue_size) * i->num_queues;
    i->offset = 0;
    fd = memfd_create("vhost-user inflight", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)i->size) < 0) {
        fail_errno(error, errno, "inflight memory");
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

uint8_t *vu_inflight_map(const VuInflight *i, int fd, GError **error)
{
    struct stat st;
    void *map;

    if (i->queue_size == 0 || i->queue_size > VRING_MAX_SIZE || i->offset != 0 ||
        fstat(fd, &st) < 0 || i->size < queue_bytes(i->queue_size) * i->num_queues ||
        (uint64_t)st.st_size < i->size) {
        return fail_null(error, "inflight memory is too small");
    }
    map = mmap(NULL, i->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED || !vu_guard(map, i->size)) {
        return fail_null(error, "inflight memory cannot be mapped");
    }
    return map;
}

uint8_t *vu_inflight_of(uint8_t *map, const VuInflight *i, unsigned queue)
{
    return map && queue < i->num_queues ? map + queue_bytes(i->queue_size) * queue : NULL;
}

static uint8_t *entry(const Vring *r, uint16_t head)
{
    return r->inflight + HEADER_BYTES + (size_t)ENTRY_BYTES * head;
}

void vring_inflight_begin(Vring *r, uint16_t head)
{
    if (r->inflight && head < r->inflight_size) {
        store_le64(entry(r, head) + OF_COUNTER, r->counter++);
        __atomic_store_n(entry(r, head) + OF_FLAG, 1, __ATOMIC_SEQ_CST);
    }
}

void vring_inflight_used(Vring *r, uint16_t head)
{
    if (r->inflight && head < r->inflight_size) {
        store_le16(r->inflight + AT_LAST_HEAD, head);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
}

void vring_inflight_end(Vring *r, uint16_t head)
{
    if (r->inflight && head < r->inflight_size) {
        __atomic_store_n(entry(r, head) + OF_FLAG, 0, __ATOMIC_SEQ_CST);
        store_le16(r->inflight + AT_USED, r->used_idx);
    }
}

typedef struct Lost {
    uint64_t counter;
    uint16_t head;
} Lost;

static int compare(const void *a, const void *b)
{
    const Lost *p = a, *q = b;

    return p->counter < q->counter ? -1 : p->counter > q->counter;
}

unsigned vring_inflight_recover(Vring *r, uint16_t *heads)
{
    g_autofree Lost *lost = g_new(Lost, VRING_MAX_SIZE);
    unsigned n = 0;

    if (!r->inflight || r->num > r->inflight_size) {
        return 0;
    }
    if (load_le16(r->inflight + AT_VERSION) != VERSION) {
        store_le16(r->inflight + AT_VERSION, VERSION);
        store_le16(r->inflight + AT_COUNT, r->num);
        store_le16(r->inflight + AT_USED, r->used_idx);
        return 0;
    }
    /* we died between telling the driver and writing it down */
    if (load_le16(r->inflight + AT_USED) != r->used_idx) {
        uint16_t last = load_le16(r->inflight + AT_LAST_HEAD);

        if (last < r->num) {
            entry(r, last)[OF_FLAG] = 0;
        }
        store_le16(r->inflight + AT_USED, r->used_idx);
    }
    for (uint16_t i = 0; i < r->num; i++) {
        if (entry(r, i)[OF_FLAG] == 1) {
            lost[n++] = (Lost){ load_le64(entry(r, i) + OF_COUNTER), i };
        }
    }
    qsort(lost, n, sizeof(lost[0]), compare);
    for (unsigned i = 0; i < n; i++) {
        heads[i] = lost[i].head;
        r->counter = MAX(r->counter, lost[i].counter + 1);
    }
    r->last_avail = (uint16_t)(r->used_idx + n);
    return n;
}
