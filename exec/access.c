// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accesses to address spaces: RAM is copied without a lock, devices are called with the machine
 * lock (unless they have one of their own), IOMMUs are followed. Contract:
 * include/exec/memory.h.
 */
#include "exec/view.h"

#include <string.h>

#include "exec/dispatch.h"
#include "util/bswap.h"
#include "util/main-loop.h"
#include "util/rcu.h"

#define MAX_IOMMUS 8    /* behind each other */

/* ---- lookup ---- */

/* One step through an IOMMU; false: it refuses. Updates *s to the page's rest. */
static bool translate(Section *s, AddressSpace **as, hwaddr *addr, bool write, MemAttrs attrs)
{
    IommuEntry e = {0};

    if (!s->region->translate(s->region, s->offset, write, attrs, &e) || e.target == NULL ||
        !(write ? e.write : e.read)) {
        return false;
    }
    *addr = (e.translated & ~e.mask) | (s->offset & e.mask);
    *as = e.target;
    /* whole address spaces pass as one page */
    if (e.mask != UINT64_MAX) {
        s->len = MIN(s->len, (e.mask - (s->offset & e.mask)) + 1);
    }
    return true;
}

Section address_space_lookup(AddressSpace *as, hwaddr addr, bool write, MemAttrs attrs)
{
    uint64_t limit = UINT64_MAX;

    for (unsigned depth = 0; depth < MAX_IOMMUS; depth++) {
        FlatView *v = rcu_get(&as->view);
        uint64_t gap;
        const FlatRange *f = view_find(v, addr, &gap);
        Section s = {0};

        if (f == NULL) {
            s.len = MIN(gap, limit);
            return s;
        }
        s.region = f->region;
        s.offset = f->offset + (addr - f->first);
        s.len = f->last - addr == UINT64_MAX ? UINT64_MAX : f->last - addr + 1;
        s.len = MIN(s.len, limit);
        s.readonly = f->readonly;
        if (f->region->kind != REGION_IOMMU) {
            return s;
        }
        if (!translate(&s, &as, &addr, write, attrs)) {
            return (Section){.len = MIN(s.len, 4096 - (s.offset & 4095))};
        }
        limit = s.len;
    }
    return (Section){.len = 1};
}

uint8_t *section_host(const Section *s, bool write)
{
    Region *r = s->region;

    if (r == NULL || r->ram == NULL || (write && (s->readonly || r->kind == REGION_ROMD)) ||
        (r->kind == REGION_ROMD && !r->romd)) {
        return NULL;
    }
    return r->ram->host + r->ram_offset + s->offset;
}

/* ---- one access to a leaf ---- */

/* RAM as a number of byte order e; the usual sizes are one load or store of the host. */
static uint64_t load_host(const uint8_t *p, unsigned size, Endian e)
{
    uint64_t v = 0;

    switch (size) {
    case 1: return *p;
    case 2: return e == DEV_LITTLE ? load_le16(p) : load_be16(p);
    case 4: return e == DEV_LITTLE ? load_le32(p) : load_be32(p);
    case 8: return e == DEV_LITTLE ? load_le64(p) : load_be64(p);
    default: break;
    }
    for (unsigned i = 0; i < size; i++) {
        v |= (uint64_t)p[i] << lane_shift(e, i, 1, size);
    }
    return v;
}

static void store_host(uint8_t *p, uint64_t v, unsigned size, Endian e)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < size; i++) {
        bytes[i] = v >> lane_shift(e, i, 1, size);
    }
    switch (size) {
    case 1: *p = bytes[0]; break;
    case 2: memcpy(p, bytes, 2); break;
    case 4: memcpy(p, bytes, 4); break;
    case 8: memcpy(p, bytes, 8); break;
    default: memcpy(p, bytes, size); break;
    }
}

static bool needs_lock(const Region *r)
{
    return !r->global_lock_free && !(r->ops != NULL && r->ops->lockless) && !machine_locked();
}

/*
 * The device accesses that this thread is in the middle of, innermost first: a device whose DMA
 * leads back to its own registers is refused there, as is a chain of devices without end.
 */
typedef struct Active {
    const Region *region;
    const struct Active *outer;
} Active;

/* Per thread: each is in its own accesses. */
static _Thread_local const Active *active;

#define MAX_ACTIVE 16

static bool may_enter(const Region *r)
{
    unsigned depth = 0;

    for (const Active *a = active; a != NULL; a = a->outer) {
        if (a->region == r || ++depth == MAX_ACTIVE) {
            guest_error("%s: access from within an access to it", r->name);
            return false;
        }
    }
    return true;
}

/* Calls the device; e: byte order that *value is in or becomes. */
static MemResult call_device(Region *r, hwaddr offset, uint64_t *value, unsigned size, Endian e,
                             bool write, MemAttrs attrs)
{
    Endian own = r->ops != NULL ? r->ops->endian : DEV_LITTLE;
    uint64_t v = write && own != e ? swap_bytes(*value, size) : *value;
    MemResult result = MEM_OK;

    if (r->access != NULL) {
        if (!write) {
            v = size_mask(size);
        }
        result = r->access(r, offset, &v, size, write, attrs);
    } else if (r->ops == NULL) {
        v = size_mask(size);
        result = MEM_DECODE_ERROR;
    } else if (write) {
        result = ops_write(r->ops, r->opaque, offset, v & size_mask(size), size) ? MEM_OK
                                                                                : MEM_ERROR;
    } else {
        result = ops_read(r->ops, r->opaque, offset, &v, size) ? MEM_OK : MEM_ERROR;
    }
    if (!write) {
        v &= size_mask(size);
        *value = own != e ? swap_bytes(v, size) : v;
    }
    return result;
}

static MemResult device_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, Endian e,
                               bool write, MemAttrs attrs)
{
    Active self = {r, active};
    MemResult result;

    if (!may_enter(r)) {
        *value = size_mask(size);
        return MEM_ERROR;
    }
    active = &self;
    result = call_device(r, offset, value, size, e, write, attrs);
    active = self.outer;
    return result;
}

MemResult region_read(Region *r, hwaddr offset, uint64_t *value, unsigned size, Endian e,
                      MemAttrs attrs)
{
    Section s = {.region = r, .offset = offset, .len = size};
    const uint8_t *host = section_host(&s, false);
    bool lock;
    MemResult result;

    if (host != NULL) {
        *value = load_host(host, size, e);
        return MEM_OK;
    }
    lock = needs_lock(r);
    if (lock) {
        machine_lock();
    }
    result = device_access(r, offset, value, size, e, false, attrs);
    if (lock) {
        machine_unlock();
    }
    return result;
}

MemResult region_write(Region *r, hwaddr offset, uint64_t value, unsigned size, Endian e,
                       MemAttrs attrs)
{
    Section s = {.region = r, .offset = offset, .len = size, .readonly = r->readonly};
    uint8_t *host;
    bool lock;
    MemResult result;

    if (r->kind == REGION_ROM || (r->kind == REGION_RAM && r->readonly)) {
        return MEM_OK;
    }
    host = section_host(&s, true);
    if (host != NULL) {
        store_host(host, value, size, e);
        ram_written(r->ram, r->ram_offset + offset, size);
        return MEM_OK;
    }
    lock = needs_lock(r);
    if (lock) {
        machine_lock();
    }
    result = device_access(r, offset, &value, size, e, true, attrs);
    if (lock) {
        machine_unlock();
    }
    return result;
}

/* ---- accesses of any length ---- */

/*
 * Looks addr up for a device access: with the lock that the device needs held and the read
 * side left. *locked says whether to drop it. The region cannot go while the lock is held.
 */
static Section settle(AddressSpace *as, hwaddr addr, bool write, MemAttrs attrs, bool *locked)
{
    Section s;

    *locked = false;
    rcu_read_lock();
    s = address_space_lookup(as, addr, write, attrs);
    if (s.region != NULL && section_host(&s, write) == NULL && needs_lock(s.region)) {
        rcu_read_unlock();
        machine_lock();
        *locked = true;
        rcu_read_lock();
        s = address_space_lookup(as, addr, write, attrs);
    }
    return s;
}

static void unsettle(bool locked)
{
    rcu_read_unlock();
    if (locked) {
        machine_unlock();
    }
}

/* How much of len goes to a device in one access at this offset. */
static unsigned device_step(const Region *r, hwaddr offset, uint64_t len)
{
    unsigned max = r->ops != NULL && r->ops->max_valid != 0 ? r->ops->max_valid : 8;

    return aligned_piece(offset, MIN(len, max));
}

MemResult address_space_read(AddressSpace *as, hwaddr addr, MemAttrs attrs, void *buf, size_t len)
{
    MemResult result = MEM_OK;

    for (uint8_t *p = buf; len > 0;) {
        bool locked;
        Section s = settle(as, addr, false, attrs, &locked);
        const uint8_t *host = section_host(&s, false);
        uint64_t n = MIN(len, s.len);

        if (host != NULL) {
            memcpy(p, host, n);
        } else if (s.region == NULL) {
            memset(p, 0xff, n);
            result |= MEM_DECODE_ERROR;
        } else {
            uint64_t v = 0;

            n = device_step(s.region, s.offset, n);
            result |= device_access(s.region, s.offset, &v, n, DEV_LITTLE, false, attrs);
            store_host(p, v, n, DEV_LITTLE);
        }
        unsettle(locked);
        p += n;
        addr += n;
        len -= n;
    }
    return result;
}

MemResult address_space_write(AddressSpace *as, hwaddr addr, MemAttrs attrs, const void *buf,
                              size_t len)
{
    MemResult result = MEM_OK;

    for (const uint8_t *p = buf; len > 0;) {
        bool locked;
        Section s = settle(as, addr, true, attrs, &locked);
        uint8_t *host = section_host(&s, true);
        uint64_t n = MIN(len, s.len);

        if (host != NULL) {
            memcpy(host, p, n);
            ram_written(s.region->ram, s.region->ram_offset + s.offset, n);
        } else if (s.region == NULL) {
            result |= MEM_DECODE_ERROR;
        } else if (!s.readonly) {
            uint64_t v;

            n = device_step(s.region, s.offset, n);
            v = load_host(p, n, DEV_LITTLE);
            result |= device_access(s.region, s.offset, &v, n, DEV_LITTLE, true, attrs);
        }
        unsettle(locked);
        p += n;
        addr += n;
        len -= n;
    }
    return result;
}

void address_space_write_rom(AddressSpace *as, hwaddr addr, const void *buf, size_t len)
{
    for (const uint8_t *p = buf; len > 0;) {
        Section s;
        uint64_t n;

        rcu_read_lock();
        s = address_space_lookup(as, addr, false, ATTRS_NONE);
        n = MIN(len, s.len);
        if (s.region != NULL && s.region->ram != NULL) {
            uint64_t at = s.region->ram_offset + s.offset;

            memcpy(s.region->ram->host + at, p, n);
            ram_written(s.region->ram, at, n);
        }
        rcu_read_unlock();
        p += n;
        addr += n;
        len -= n;
    }
}

MemResult address_space_fill(AddressSpace *as, hwaddr addr, MemAttrs attrs, uint8_t byte,
                             uint64_t len)
{
    uint8_t chunk[512];
    MemResult result = MEM_OK;

    memset(chunk, byte, sizeof(chunk));
    while (len > 0) {
        Section s;
        uint8_t *host;
        uint64_t n;

        rcu_read_lock();
        s = address_space_lookup(as, addr, true, attrs);
        host = section_host(&s, true);
        n = MIN(len, s.len);
        if (host != NULL) {
            memset(host, byte, n);
            ram_written(s.region->ram, s.region->ram_offset + s.offset, n);
        } else if (s.region == NULL) {
            result |= MEM_DECODE_ERROR;
        }
        rcu_read_unlock();
        if (host == NULL && s.region != NULL) {
            n = MIN(n, sizeof(chunk));
            result |= address_space_write(as, addr, attrs, chunk, n);
        }
        addr += n;
        len -= n;
    }
    return result;
}

/*
 * Whether a single access goes to s as one. A device gets all of an access that begins in it, also
 * where another region covers part of it: a dword to CF8h is the host bridge's, though CF9h is not.
 */
static bool in_one_piece(const Section *s, const uint8_t *host, unsigned size)
{
    return s->len >= size || (s->region != NULL && host == NULL &&
                              s->region->size - s->offset >= size);
}

uint64_t address_space_load(AddressSpace *as, hwaddr addr, unsigned size, Endian e, MemAttrs attrs,
                            MemResult *result)
{
    bool locked;
    Section s = settle(as, addr, false, attrs, &locked);
    const uint8_t *host = section_host(&s, false);
    MemResult r = MEM_OK;
    uint64_t v = size_mask(size);

    if (!in_one_piece(&s, host, size)) {
        uint8_t bytes[8];

        unsettle(locked);
        r = address_space_read(as, addr, attrs, bytes, size);
        v = load_host(bytes, size, e);
    } else {
        if (host != NULL) {
            v = load_host(host, size, e);
        } else if (s.region == NULL) {
            r = MEM_DECODE_ERROR;
        } else {
            r = device_access(s.region, s.offset, &v, size, e, false, attrs);
        }
        unsettle(locked);
    }
    if (result != NULL) {
        *result = r;
    }
    return v;
}

MemResult address_space_store(AddressSpace *as, hwaddr addr, uint64_t value, unsigned size,
                              Endian e, MemAttrs attrs)
{
    bool locked;
    Section s = settle(as, addr, true, attrs, &locked);
    uint8_t *host = section_host(&s, true);
    MemResult r = MEM_OK;

    if (!in_one_piece(&s, host, size)) {
        uint8_t bytes[8];

        unsettle(locked);
        store_host(bytes, value, size, e);
        return address_space_write(as, addr, attrs, bytes, size);
    }
    if (host != NULL) {
        store_host(host, value, size, e);
        ram_written(s.region->ram, s.region->ram_offset + s.offset, size);
    } else if (s.region == NULL) {
        r = MEM_DECODE_ERROR;
    } else if (!s.readonly) {
        r = device_access(s.region, s.offset, &value, size, e, true, attrs);
    }
    unsettle(locked);
    return r;
}

static MemResult run_step(AddressSpace *as, hwaddr addr, uint8_t *p, unsigned size, bool write,
                          MemAttrs attrs)
{
    if (write) {
        return address_space_store(as, addr, load_host(p, size, DEV_LITTLE), size, DEV_LITTLE,
                                   attrs);
    }
    MemResult r;
    store_host(p, address_space_load(as, addr, size, DEV_LITTLE, attrs, &r), size, DEV_LITTLE);
    return r;
}

MemResult address_space_run(AddressSpace *as, hwaddr addr, unsigned size, bool write,
                            MemAttrs attrs, void *buf, size_t count)
{
    MemResult result = MEM_OK;
    bool locked;
    uint8_t *p = buf;
    Section s = settle(as, addr, write, attrs, &locked);
    const FlatView *view = rcu_get(&as->view);
    const bool plain = s.region != NULL && section_host(&s, write) == NULL &&
                       in_one_piece(&s, NULL, size) && !(write && s.readonly);

    for (; count > 0 && plain && rcu_get(&as->view) == view; count--, p += size) {
        uint64_t v = write ? load_host(p, size, DEV_LITTLE) : 0;

        result |= device_access(s.region, s.offset, &v, size, DEV_LITTLE, write, attrs);
        if (!write) {
            store_host(p, v, size, DEV_LITTLE);
        }
    }
    unsettle(locked);
    for (; count > 0; count--, p += size) {
        result |= run_step(as, addr, p, size, write, attrs);
    }
    return result;
}
