// SPDX-License-Identifier: GPL-2.0-or-later
/* vhost-user: the guest's memory, mapped from descriptors that the front end sends. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "block/vhost/vhost.h"
#include "util/error.h"

void vu_memory_clear(VuMemory *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        munmap(m->mappings[i].map, m->mappings[i].map_bytes);
    }
    m->count = 0;
}

static bool map_region(VuMemory *m, const VuRegion *r, int fd, GError **error)
{
    VuMapping *to = &m->mappings[m->count];
    struct stat st;

    if (r->size == 0 || r->size > UINT64_MAX - r->offset || r->size > UINT64_MAX - r->guest || r->size > UINT64_MAX - r->user) {
        return fail(error, "memory region %u wraps around", m->count);
    }
    /* what lies behind the end of the file would be a bus error */
    if (fstat(fd, &st) < 0 || (S_ISREG(st.st_mode) && r->offset + r->size > (uint64_t)st.st_size)) {
        return fail(error, "memory region %u is longer than its file", m->count);
    }
    to->region = *r;
    /* large pages are unmapped whole */
    to->map_bytes = (r->offset + r->size + (uint64_t)st.st_blksize - 1) / (uint64_t)st.st_blksize * (uint64_t)st.st_blksize;
    to->map = mmap(NULL, to->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (to->map == MAP_FAILED) {
        return fail_errno(error, errno, "memory region %u cannot be mapped", m->count);
    }
    m->count++;
    return true;
}

bool vu_memory_set(VuMemory *m, const VuMemTable *t, const int *fds, GError **error)
{
    vu_memory_clear(m);
    for (unsigned i = 0; i < t->count; i++) {
        if (!map_region(m, &t->regions[i], fds[i], error)) {
            vu_memory_clear(m);
            return false;
        }
    }
    return true;
}

void *vu_memory_user(const VuMemory *m, uint64_t address, uint64_t len)
{
    for (unsigned i = 0; i < m->count; i++) {
        const VuRegion *r = &m->mappings[i].region;

        if (address >= r->user && address - r->user <= r->size && len <= r->size - (address - r->user)) {
            return (uint8_t *)m->mappings[i].map + r->offset + (address - r->user);
        }
    }
    return NULL;
}

void *vu_memory_guest(const VuMemory *m, uint64_t guest, uint64_t *len)
{
    for (unsigned i = 0; i < m->count; i++) {
        const VuRegion *r = &m->mappings[i].region;

        if (guest >= r->guest && guest - r->guest < r->size) {
            *len = MIN(*len, r->size - (guest - r->guest));
            return (uint8_t *)m->mappings[i].map + r->offset + (guest - r->guest);
        }
    }
    return NULL;
}
