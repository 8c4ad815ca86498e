// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory mapped for zero-copy I/O. RAM is given as it is; for anything else there are
 * bounce buffers, bounded in sum. Contract: include/exec/memory.h.
 */
#include "exec/view.h"

#include <pthread.h>

#include "util/rcu.h"

#define BOUNCE_MAX (64 * KIB)           /* of one mapping */
#define BOUNCE_TOTAL (16 * MIB)         /* of all */

typedef struct Bounce {
    struct Bounce *next;
    uint64_t len;
    AddressSpace *as;
    hwaddr addr;
    MemAttrs attrs;
    uint8_t bytes[];
} Bounce;

/* Bounce buffers in use, by any thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Bounce *bounces;
static uint64_t bounce_bytes;

static void *map_bounce(AddressSpace *as, hwaddr addr, uint64_t *len, bool is_write, MemAttrs attrs)
{
    uint64_t n = MIN(*len, BOUNCE_MAX);
    Bounce *b;

    pthread_mutex_lock(&lock);
    if (bounce_bytes + n > BOUNCE_TOTAL) {
        pthread_mutex_unlock(&lock);
        return NULL;
    }
    bounce_bytes += n;
    b = g_malloc0(sizeof(*b) + n);
    b->len = n;
    b->as = as;
    b->addr = addr;
    b->attrs = attrs;
    b->next = bounces;
    bounces = b;
    pthread_mutex_unlock(&lock);
    if (!is_write) {
        address_space_read(as, addr, attrs, b->bytes, n);
    }
    *len = n;
    return b->bytes;
}

void *address_space_map(AddressSpace *as, hwaddr addr, uint64_t *len, bool is_write, MemAttrs attrs)
{
    uint64_t got = 0;
    uint8_t *first = NULL;
    bool nothing = false;

    rcu_read_lock();
    while (got < *len) {
        Section s = address_space_lookup(as, addr + got, is_write, attrs);
        uint8_t *host = section_host(&s, is_write);

        if (host == NULL || (first != NULL && host != first + got)) {
            nothing = s.region == NULL;
            break;
        }
        if (first == NULL) {
            first = host;
        }
        got += MIN(s.len, *len - got);
    }
    rcu_read_unlock();
    if (first != NULL) {
        *len = got;
        return first;
    }
    if (nothing || *len == 0) {
        *len = 0;
        return NULL;
    }
    {
        Section s;

        rcu_read_lock();
        s = address_space_lookup(as, addr, is_write, attrs);
        rcu_read_unlock();
        *len = MIN(*len, s.len);
    }
    return map_bounce(as, addr, len, is_write, attrs);
}

static Bounce *take_bounce(const void *host)
{
    Bounce *found = NULL;

    pthread_mutex_lock(&lock);
    for (Bounce **link = &bounces; *link != NULL; link = &(*link)->next) {
        if ((*link)->bytes == host) {
            found = *link;
            *link = found->next;
            bounce_bytes -= found->len;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    return found;
}

void address_space_unmap(AddressSpace *as, void *host, uint64_t len, bool is_write, uint64_t done)
{
    Bounce *b = __atomic_load_n(&bounces, __ATOMIC_RELAXED) != NULL ? take_bounce(host) : NULL;
    const uint8_t *p = host;

    if (b != NULL) {
        if (is_write && done > 0) {
            address_space_write(b->as, b->addr, b->attrs, b->bytes, MIN(done, b->len));
        }
        g_free(b);
        return;
    }
    if (!is_write || done == 0) {
        return;
    }
    rcu_read_lock();
    for (RamBlock *r = ram_blocks(); r != NULL; r = r->next) {
        if (p >= r->host && p < r->host + r->size) {
            ram_written(r, p - r->host, done);
            break;
        }
    }
    rcu_read_unlock();
}
