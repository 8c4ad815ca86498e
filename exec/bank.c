// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Register banks: rows indexed by offset, and the accesses to them. A partial access reaches
 * its hook as a value plus a mask; a wide one is several. Contracts: include/exec/bank.h,
 * include/qom/region-ops.h.
 */
#include "exec/bank.h"

#include <string.h>

#include "exec/dispatch.h"
#include "qom/vm.h"

/* Made once for each constant RegBank: which row answers at each granule of the bank. */
typedef struct BankIndex {
    unsigned shift;       /* log2 of the granule */
    uint32_t count;       /* granules up to the last row's end */
    uint16_t rows[];      /* row number + 1, 0: none */
} BankIndex;

typedef struct BankRegion {
    Region region;
    RegionOps ops;
    Device *d;
    const RegBank *bank;
    const BankIndex *index;
} BankRegion;

typedef struct DeviceRegions {
    GPtrArray *banks;     /* BankRegion * */
} DeviceRegions;

static unsigned row_stride(const Reg *r)
{
    return r->stride != 0 ? r->stride : r->size;
}

static unsigned row_count(const Reg *r)
{
    return r->count != 0 ? r->count : 1;
}

static uint64_t row_end(const Reg *r)
{
    return r->offset + (uint64_t)(row_count(r) - 1) * row_stride(r) + r->size;
}

static BankIndex *make_index(const RegBank *b)
{
    uint64_t bits = 8, end = 0;
    unsigned shift;
    BankIndex *x;

    for (unsigned i = 0; i < b->num_regs; i++) {
        const Reg *r = &b->regs[i];

        bits |= r->offset | r->size | row_stride(r);
        end = MAX(end, row_end(r));
        g_assert(r->size == 1 || r->size == 2 || r->size == 4 || r->size == 8);
    }
    if (end > b->size) {
        g_error("bank '%s': rows reach 0x%" G_GINT64_MODIFIER "x, beyond its size", b->name, end);
    }
    shift = __builtin_ctzll(bits);
    x = g_malloc0(sizeof(*x) + (end >> shift) * sizeof(x->rows[0]));
    x->shift = shift;
    x->count = end >> shift;
    for (unsigned i = 0; i < b->num_regs; i++) {
        const Reg *r = &b->regs[i];

        for (unsigned n = 0; n < row_count(r); n++) {
            uint64_t at = (r->offset + (uint64_t)n * row_stride(r)) >> shift;

            for (unsigned g = 0; g < r->size >> shift; g++) {
                if (x->rows[at + g] == 0) {
                    x->rows[at + g] = i + 1;
                }
            }
        }
    }
    return x;
}

static const BankIndex *index_of(const RegBank *b)
{
    static GHashTable *made;    /* RegBank -> BankIndex, for the process's life; machine lock */
    BankIndex *x;

    if (made == NULL) {
        made = g_hash_table_new(NULL, NULL);
    }
    x = g_hash_table_lookup(made, b);
    if (x == NULL) {
        x = make_index(b);
        g_hash_table_insert(made, (gpointer)b, x);
    }
    return x;
}

/* ---- rows ---- */

/* The part of an access that falls into one row (reg not NULL) or into a hole. */
typedef struct Piece {
    const Reg *reg;
    unsigned index;       /* element */
    unsigned at;          /* byte in the element */
    unsigned size;
} Piece;

static Piece piece_at(const BankRegion *b, hwaddr offset, unsigned left)
{
    const BankIndex *x = b->index;
    uint64_t granule = offset >> x->shift;
    unsigned row = granule < x->count ? x->rows[granule] : 0;
    Piece p = {.size = left};
    hwaddr in_row;

    if (row == 0) {
        /* the hole ends where the next row begins */
        for (uint64_t g = granule + 1; g < x->count && g << x->shift < offset + left; g++) {
            if (x->rows[g] != 0) {
                p.size = (g << x->shift) - offset;
                break;
            }
        }
        return p;
    }
    p.reg = &b->bank->regs[row - 1];
    in_row = offset - p.reg->offset;
    if (p.reg->count <= 1) {
        p.at = in_row;
    } else {
        p.index = in_row / row_stride(p.reg);
        p.at = in_row % row_stride(p.reg);
    }
    p.size = MIN(left, p.reg->size - p.at);
    return p;
}

static void *reg_field(Device *d, const Reg *r, unsigned i)
{
    return (char *)d + r->field + (size_t)i * r->size;
}

static uint64_t field_load(Device *d, const Reg *r, unsigned i)
{
    const void *f;

    if (r->field == REG_NO_FIELD) {
        return r->reset;
    }
    f = reg_field(d, r, i);
    switch (r->size) {
    case 1: return *(const uint8_t *)f;
    case 2: return *(const uint16_t *)f;
    case 4: return *(const uint32_t *)f;
    default: return *(const uint64_t *)f;
    }
}

static void field_store(Device *d, const Reg *r, unsigned i, uint64_t v)
{
    void *f;

    if (r->field == REG_NO_FIELD) {
        return;
    }
    f = reg_field(d, r, i);
    switch (r->size) {
    case 1: *(uint8_t *)f = v; break;
    case 2: *(uint16_t *)f = v; break;
    case 4: *(uint32_t *)f = v; break;
    default: *(uint64_t *)f = v; break;
    }
}

static uint64_t row_read(const BankRegion *b, const Piece *p)
{
    const Reg *r = p->reg;
    unsigned shift = lane_shift(b->bank->endian, p->at, p->size, r->size);
    RegAccess a = {.reg = r, .index = p->index, .mask = size_mask(p->size) << shift};
    uint64_t v;

    a.old = field_load(b->d, r, p->index);
    a.value = a.old;
    v = r->read != NULL ? r->read(b->d, &a) : a.old;
    return v >> shift & size_mask(p->size);
}

static void row_write(const BankRegion *b, const Piece *p, uint64_t v)
{
    const Reg *r = p->reg;
    unsigned shift = lane_shift(b->bank->endian, p->at, p->size, r->size);
    RegAccess a = {.reg = r, .index = p->index, .mask = size_mask(p->size) << shift};
    uint64_t stored;

    a.old = field_load(b->d, r, p->index);
    a.value = (a.old & ~a.mask) | (v << shift & a.mask);
    stored = (a.old & ~(r->wmask & a.mask)) | (a.value & r->wmask & a.mask);
    stored &= ~(v << shift & a.mask & r->w1c);
    field_store(b->d, r, p->index, stored);
    if (r->write != NULL) {
        r->write(b->d, &a);
    }
}

/* ---- the whole access ---- */

static uint64_t bank_ops_read(void *opaque, hwaddr offset, unsigned size)
{
    const BankRegion *b = opaque;
    uint64_t v = 0;

    for (unsigned at = 0; at < size;) {
        Piece p = piece_at(b, offset + at, size - at);
        uint64_t part = 0;

        if (p.reg != NULL) {
            part = row_read(b, &p);
        } else if (b->bank->ops != NULL) {
            ops_read(b->bank->ops, b->d, offset + at, &part, p.size);
        } else {
            guest_unimp("%s: read at 0x%" G_GINT64_MODIFIER "x", b->region.name, offset + at);
        }
        v |= part << lane_shift(b->bank->endian, at, p.size, size);
        at += p.size;
    }
    return v;
}

static void bank_ops_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    const BankRegion *b = opaque;

    for (unsigned at = 0; at < size;) {
        Piece p = piece_at(b, offset + at, size - at);
        uint64_t part = value >> lane_shift(b->bank->endian, at, p.size, size) & size_mask(p.size);

        if (p.reg != NULL) {
            row_write(b, &p, part);
        } else if (b->bank->ops != NULL) {
            ops_write(b->bank->ops, b->d, offset + at, part, p.size);
        } else {
            guest_unimp("%s: write of 0x%" G_GINT64_MODIFIER "x at 0x%" G_GINT64_MODIFIER "x",
                        b->region.name, part, offset + at);
        }
        at += p.size;
    }
}

/* ---- regions of devices ---- */

static const RegBank *find_bank(const Device *d, const char *name)
{
    for (const ObjectType *t = d->obj.type; t != NULL; t = type_parent(t)) {
        const RegBank *b = ((const DeviceType *)t)->banks;

        for (; b != NULL && b->name != NULL; b++) {
            if (strcmp(b->name, name) == 0) {
                return b;
            }
        }
    }
    return NULL;
}

static void free_regions(Device *d)
{
    if (d->regions == NULL) {
        return;
    }
    memory_transaction_begin();
    for (unsigned i = 0; i < d->regions->banks->len; i++) {
        BankRegion *b = d->regions->banks->pdata[i];

        if (b->region.container != NULL) {
            region_remove(&b->region);
        }
    }
    memory_transaction_commit();
    for (unsigned i = 0; i < d->regions->banks->len; i++) {
        BankRegion *b = d->regions->banks->pdata[i];

        region_fini(&b->region);
        g_free(b);
    }
    g_ptr_array_unref(d->regions->banks);
    g_clear_pointer(&d->regions, g_free);
}

static BankRegion *make_region(Device *d, const RegBank *bank)
{
    BankRegion *b = g_new0(BankRegion, 1);
    g_autofree char *name = g_strdup_printf("%s-%s", d->obj.type->name, bank->name);

    b->d = d;
    b->bank = bank;
    if (bank->num_regs > 0) {
        b->index = index_of(bank);
        b->ops = (RegionOps){
            .read = bank_ops_read,
            .write = bank_ops_write,
            .min_size = 1,
            .max_size = 8,
            .min_valid = bank->min_access,
            .max_valid = bank->max_access,
            .lockless = bank->ops != NULL && bank->ops->lockless,
            .endian = bank->endian,
        };
        region_init_io(&b->region, &d->obj, name, bank->size, &b->ops, b);
    } else {
        if (bank->ops == NULL) {
            g_error("bank '%s' has neither rows nor functions", name);
        }
        region_init_io(&b->region, &d->obj, name, bank->size, bank->ops, d);
    }
    return b;
}

static BankRegion *bank_region(Device *d, const char *name)
{
    const RegBank *bank = find_bank(d, name);
    BankRegion *b;

    if (bank == NULL) {
        return NULL;
    }
    if (d->regions == NULL) {
        d->regions = g_new0(DeviceRegions, 1);
        d->regions->banks = g_ptr_array_new();
        d->free_regions = free_regions;
    }
    for (unsigned i = 0; i < d->regions->banks->len; i++) {
        b = d->regions->banks->pdata[i];
        if (b->bank == bank) {
            return b;
        }
    }
    b = make_region(d, bank);
    g_ptr_array_add(d->regions->banks, b);
    return b;
}

Region *device_region(Device *d, const char *name)
{
    BankRegion *b = bank_region(d, name);

    if (b == NULL) {
        g_error("device '%s' has no bank '%s'", d->obj.type->name, name);
    }
    return &b->region;
}

void device_map_priority(Device *d, const char *bank, hwaddr addr, int priority)
{
    Region *r = device_region(d, bank);

    region_add(find_bank(d, bank)->pio ? d->vm->io : d->vm->memory, addr, r, priority);
}

void device_map(Device *d, const char *bank, hwaddr addr)
{
    device_map_priority(d, bank, addr, 0);
}

void device_unmap(Device *d, const char *bank)
{
    Region *r = device_region(d, bank);

    if (r->container != NULL) {
        region_remove(r);
    }
}

const RegBank *device_bank(Device *d, const char *name)
{
    return find_bank(d, name);
}

void device_foreach_bank(Device *d, void (*fn)(Device *d, const RegBank *b, void *opaque),
                         void *opaque)
{
    for (const ObjectType *t = d->obj.type; t != NULL; t = type_parent(t)) {
        const RegBank *b = ((const DeviceType *)t)->banks;

        for (; b != NULL && b->name != NULL; b++) {
            fn(d, b, opaque);
        }
    }
}

uint64_t bank_read(Device *d, const char *bank, hwaddr offset, unsigned size)
{
    const Region *r = device_region(d, bank);
    uint64_t v;

    ops_read(r->ops, r->opaque, offset, &v, size);
    return v;
}

void bank_write(Device *d, const char *bank, hwaddr offset, uint64_t value, unsigned size)
{
    const Region *r = device_region(d, bank);

    ops_write(r->ops, r->opaque, offset, value, size);
}
