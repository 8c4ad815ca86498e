// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device end of vhost-user: a front end's memory and its split virtqueues (Virtual I/O Device
 * 1.1, 2.6), in our address space. Nothing in that memory is trusted: it may change at any time.
 * Machine lock.
 */
#ifndef BLOCK_VHOST_VHOST_H
#define BLOCK_VHOST_VHOST_H

#include <glib.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "block/vhost-user.h"
#include "util/main-loop.h"
#include "util/types.h"

#define VRING_MAX_SIZE 1024u

enum { VU_VIRTIO_INDIRECT = 28, VU_VIRTIO_EVENT_IDX = 29, VU_VIRTIO_VERSION_1 = 32 };

typedef struct VuMapping {
    VuRegion region;
    void *map;                  /* of file offset 0 */
    uint64_t map_bytes;
} VuMapping;

typedef struct VuMemory {
    VuMapping mappings[VU_MAX_REGIONS];
    unsigned count;
} VuMemory;

/*
 * From then on accesses behind the end of the mapped file read zeroes and go nowhere; false: too
 * many.
 */
bool vu_guard(void *map, size_t len);
void vu_unguard(void *map);
/* Replaces all; fds[] (one a region) stay the caller's. */
bool vu_memory_set(VuMemory *m, const VuMemTable *t, const int *fds, GError **error);
void vu_memory_clear(VuMemory *m);
/* [address, address + len) if it lies in one region, otherwise NULL. */
void *vu_memory_user(const VuMemory *m, uint64_t address, uint64_t len);
/*
 * The part of [guest, guest + *len) that lies in one region, whose length *len becomes; NULL: none.
 */
void *vu_memory_guest(const VuMemory *m, uint64_t guest, uint64_t *len);

typedef struct Vring Vring;

/* A request. g_free. */
typedef struct VuElem {
    Vring *ring;
    uint16_t head;
    unsigned num_out, num_in;
    struct iovec *out, *in;     /* what the guest wrote, and what it wants written */
    uint64_t out_len, in_len;
} VuElem;

struct Vring {
    uint16_t num, last_avail, used_idx;
    bool enabled, broken;
    VuVringAddr addr;           /* as the front end gave it */
    uint8_t *desc, *avail, *used;   /* NULL: not mapped */
    int kick_fd, call_fd, err_fd;   /* -1: none */
    unsigned kick_tag;
    unsigned in_flight;         /* popped and not pushed */
    uint64_t features;          /* of the device */
    const VuMemory *memory;
    uint8_t *inflight;          /* where requests in flight are written down; NULL: nowhere */
    uint16_t inflight_size;     /* descriptors that it has room for */
    bool recovered;             /* what was in flight when we came was looked for */
    uint64_t counter;
};

void vring_init(Vring *r, const VuMemory *m);
/* Finds the ring's parts in memory; on failure the ring is unmapped. */
bool vring_map(Vring *r, GError **error);
static inline bool vring_runs(const Vring *r)
{
    return r->enabled && !r->broken && r->desc && r->kick_fd >= 0;
}
/* NULL: none now, or the front end broke the rules (then broken is set). */
VuElem *vring_pop(Vring *r);
/* The request with this first descriptor, which the front end offered before we came. */
VuElem *vring_take(Vring *r, uint16_t head);
void vring_push(Vring *r, const VuElem *e, uint32_t len);
/* Asks (or not) for kicks; whether there are requests already. */
bool vring_enable_kick(Vring *r, bool on);
/* Closes its descriptors and forgets everything. Nothing is in flight. */
void vring_reset(Vring *r);

/* ---- inflight.c ---- */
/* Memory for i's queues, whose size is filled in; -1 + error. */
int vu_inflight_new(VuInflight *i, GError **error);
uint8_t *vu_inflight_map(const VuInflight *i, int fd, GError **error);
uint8_t *vu_inflight_of(uint8_t *map, const VuInflight *i, unsigned queue);
void vring_inflight_begin(Vring *r, uint16_t head);
/* Around the step of the used index. */
void vring_inflight_used(Vring *r, uint16_t head);
void vring_inflight_end(Vring *r, uint16_t head);
/* Fills heads (VRING_MAX_SIZE) in the order in which they were begun. */
unsigned vring_inflight_recover(Vring *r, uint16_t *heads);

#endif
