// SPDX-License-Identifier: GPL-2.0-or-later
/* vhost-user: the guest's memory, mapped from descriptors that the front end sends. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "block/vhost/vhost.h"
#include "util/error.h"

/* ---- files that the front end makes shorter while we use them ---- */

#define MAX_GUARDED 256

/*
 * All mappings of the process, for the signal handler: a length of 0 is a free entry. Written with
 * the machine lock.
 */
static struct { uintptr_t start; volatile size_t len; } guarded[MAX_GUARDED];
static struct sigaction old_action;

/* An access behind the file's end: zeroes are put there, of which the other end knows nothing. */
static void on_bus_error(int sig, siginfo_t *info, void *context)
{
    const uintptr_t page = 4096, at = (uintptr_t)info->si_addr & ~(page - 1);

    for (unsigned i = 0; i < MAX_GUARDED; i++) {
        if (guarded[i].len && at >= guarded[i].start && at - guarded[i].start < guarded[i].len &&
            mmap((void *)at, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                 -1, 0) != MAP_FAILED) {
            return;
        }
    }
    if (old_action.sa_flags & SA_SIGINFO) {
        old_action.sa_sigaction(sig, info, context);
    } else {
        sigaction(SIGBUS, &old_action, NULL);
    }
}

bool vu_guard(void *map, size_t len)
{
    static bool installed;      /* machine lock */
    struct sigaction act = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER };

    if (!installed) {
        sigaction(SIGBUS, &act, &old_action);
        installed = true;
    }
    for (unsigned i = 0; i < MAX_GUARDED; i++) {
        if (!guarded[i].len) {
            guarded[i].start = (uintptr_t)map;
            guarded[i].len = len;
            return true;
        }
    }
    return false;
}

void vu_unguard(void *map)
{
    for (unsigned i = 0; i < MAX_GUARDED; i++) {
        if (guarded[i].len && guarded[i].start == (uintptr_t)map) {
            guarded[i].len = 0;
        }
    }
}

/* ---- regions ---- */

void vu_memory_clear(VuMemory *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        vu_unguard(m->mappings[i].map);
        munmap(m->mappings[i].map, m->mappings[i].map_bytes);
    }
    m->count = 0;
}

static bool map_region(VuMemory *m, const VuRegion *r, int fd, GError **error)
{
    VuMapping *to = &m->mappings[m->count];
    struct stat st;

    if (r->size == 0 || r->size > UINT64_MAX - r->offset || r->size > UINT64_MAX - r->guest ||
        r->size > UINT64_MAX - r->user) {
        return fail(error, "memory region %u wraps around", m->count);
    }
    if (fstat(fd, &st) < 0 || (S_ISREG(st.st_mode) && r->offset + r->size > (uint64_t)st.st_size)) {
        return fail(error, "memory region %u is longer than its file", m->count);
    }
    to->region = *r;
    /* large pages are unmapped whole */
    to->map_bytes = (r->offset + r->size + (uint64_t)st.st_blksize - 1) / (uint64_t)st.st_blksize *
                    (uint64_t)st.st_blksize;
    to->map = mmap(NULL, to->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (to->map == MAP_FAILED) {
        return fail_errno(error, errno, "memory region %u cannot be mapped", m->count);
    }
    if (!vu_guard(to->map, to->map_bytes)) {
        munmap(to->map, to->map_bytes);
        return fail(error, "too much shared memory");
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

        if (address >= r->user && address - r->user <= r->size &&
            len <= r->size - (address - r->user)) {
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
