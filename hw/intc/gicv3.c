// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ARM Generic Interrupt Controller version 3 (ARM IHI 0069H): the distributor. Affinity routing is
 * always on. Left out: message-based shared interrupts, 1-of-N routing, extended ranges.
 */
#include "gicv3.h"
#include "qom/vm.h"

enum {
    D_CTLR = 0x0000,
    D_TYPER = 0x0004,
    D_IIDR = 0x0008,
    D_GROUP = 0x0080,
    D_ISENABLE = 0x0100,
    D_ICENABLE = 0x0180,
    D_ISPEND = 0x0200,
    D_ICPEND = 0x0280,
    D_ISACTIVE = 0x0300,
    D_ICACTIVE = 0x0380,
    D_PRIORITY = 0x0400,
    D_TARGETS = 0x0800,
    D_CONFIG = 0x0c00,
    D_GRPMOD = 0x0d00,
    D_NSAC = 0x0e00,
    D_ROUTE = 0x6000,
    D_ID = 0xffd0
};

/* ---- where interrupts go ---- */

static Gicv3Redist *redist_by_affinity(Gicv3 *g, uint64_t route)
{
    for (unsigned i = 0; i < g->redists->len; i++) {
        Gicv3Redist *r = g_ptr_array_index(g->redists, i);

        if (((r->mpidr ^ route) & 0xff00ffffffull) == 0) {
            return r;
        }
    }
    return NULL;
}

void gicv3_update_routes(Gicv3 *g)
{
    for (unsigned i = GICV3_INTERNAL; i < g->num_irq; i++) {
        g->target[i] = redist_by_affinity(g, g->route[i]);
    }
}

void gicv3_add_redist(Gicv3 *g, Gicv3Redist *r)
{
    g_ptr_array_add(g->redists, r);
    gicv3_update_routes(g);
}

void gicv3_update_all(Gicv3 *g)
{
    for (unsigned i = 0; i < g->redists->len; i++) {
        gicv3_update(g_ptr_array_index(g->redists, i));
    }
}

/* ---- registers ---- */

/* Bits of a word that exist and that the access may see: group 1 non-secure for such accesses. */
static uint32_t dist_visible(const Gicv3 *g, unsigned word, bool ns)
{
    if (word == 0 || word * 32 >= g->num_irq) {
        return 0;
    }
    return ns ? g->group[word] : 0xffffffff;
}

static uint32_t *dist_bits(Gicv3 *g, hwaddr offset, unsigned word)
{
    switch (offset & ~0x7full) {
    case D_GROUP:
        return &g->group[word];
    case D_ISENABLE:
    case D_ICENABLE:
        return &g->enabled[word];
    case D_ISPEND:
    case D_ICPEND:
        return &g->pending[word];
    default:
        return &g->active[word];
    }
}

static uint32_t dist_read_bits(Gicv3 *g, bool ns, hwaddr offset)
{
    unsigned word = offset / 4 & 31;
    uint32_t v = *dist_bits(g, offset, word);

    if ((offset & ~0xffull) == D_ISPEND) {
        v |= g->level[word] & ~g->edge[word];
    }
    return ns && (offset & ~0x7full) == D_GROUP ? 0 : v & dist_visible(g, word, ns);
}

static void dist_write_bits(Gicv3 *g, bool ns, hwaddr offset, uint32_t value)
{
    unsigned word = offset / 4 & 31;
    uint32_t v = value & dist_visible(g, word, ns);
    uint32_t *bits = dist_bits(g, offset, word);

    if ((offset & ~0x7full) == D_GROUP) {
        *bits = ns ? *bits : v;
    } else if (offset & 0x80) {
        *bits &= ~v;
    } else {
        *bits |= v;
    }
}

static bool dist_has(const Gicv3 *g, unsigned irq, bool ns)
{
    return irq < g->num_irq && (dist_visible(g, irq / 32, ns) >> (irq & 31) & 1);
}

static uint32_t dist_read_config(const Gicv3 *g, bool ns, hwaddr offset)
{
    unsigned first = (offset - D_CONFIG) * 4;
    uint32_t v = 0;

    for (unsigned i = 0; i < 16; i++) {
        if (dist_has(g, first + i, ns) && (g->edge[(first + i) / 32] >> ((first + i) & 31) & 1)) {
            v |= 2u << 2 * i;
        }
    }
    return v;
}

static void dist_write_config(Gicv3 *g, bool ns, hwaddr offset, uint32_t value)
{
    unsigned first = (offset - D_CONFIG) * 4;

    for (unsigned i = 0; i < 16; i++) {
        uint32_t bit = 1u << ((first + i) & 31);
        unsigned word = (first + i) / 32;

        if (dist_has(g, first + i, ns)) {
            g->edge[word] = value >> 2 * i & 2 ? g->edge[word] | bit : g->edge[word] & ~bit;
        }
    }
}

static uint32_t dist_read_ctlr(const Gicv3 *g, bool ns)
{
    if (!ns) {
        return g->ctlr;
    }
    /* 12.9.4: what a non-secure access sees. */
    return (g->ctlr & GICD_GRP1NS ? 3 : 0) | (g->ctlr & GICD_ARE_NS ? 0x10 : 0);
}

static void dist_write_ctlr(Gicv3 *g, bool ns, uint32_t value)
{
    if (ns) {
        g->ctlr = (g->ctlr & ~(uint32_t)GICD_GRP1NS) | (value & 3 ? GICD_GRP1NS : 0);
    } else if (gicv3_one_state(g)) {
        g->ctlr = (g->ctlr & ~3u) | (value & 3);
    } else {
        g->ctlr = (g->ctlr & ~7u) | (value & 7);
        if (value & GICD_DS) {
            g->ctlr = (g->ctlr & ~(uint32_t)(GICD_GRP1S | GICD_ARE_NS)) | GICD_DS;
        }
    }
    gicv3_update_all(g);
}

static uint32_t dist_read_id(hwaddr offset)
{
    static const uint8_t ids[12] = { 0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1 };

    return ids[(offset - D_ID) / 4];
}

static uint32_t dist_read32(Gicv3 *g, bool ns, hwaddr offset)
{
    if (offset >= D_GROUP && offset < D_PRIORITY) {
        return dist_read_bits(g, ns, offset);
    }
    if (offset >= D_CONFIG && offset < D_GRPMOD) {
        return dist_read_config(g, ns, offset);
    }
    if (offset >= D_GRPMOD && offset < D_GRPMOD + 0x80) {
        return ns || gicv3_one_state(g) ? 0 : g->grpmod[offset / 4 & 31];
    }
    if (offset >= D_NSAC && offset < D_NSAC + 0x100) {
        return ns ? 0 : g->nsacr[(offset - D_NSAC) / 4];
    }
    if (offset >= D_ROUTE && offset < D_ROUTE + 8 * GICV3_IRQS) {
        unsigned irq = (offset - D_ROUTE) / 8;

        return dist_has(g, irq, ns) ? g->route[irq] >> 8 * (offset & 4) : 0;
    }
    if (offset >= D_ID) {
        return dist_read_id(offset);
    }
    switch (offset) {
    case D_CTLR:
        return dist_read_ctlr(g, ns);
    case D_TYPER:
        return (g->num_irq / 32 - 1) | (gicv3_one_state(g) ? 0 : 1u << 10) |
               (g->lpis ? 1u << 17 : 0) | 15u << 19 | 3u << 24;
    case D_IIDR:
        return 0x43b;
    default:
        return 0;
    }
}

static void dist_write_route(Gicv3 *g, bool ns, hwaddr offset, uint32_t value)
{
    unsigned irq = (offset - D_ROUTE) / 8;

    if (dist_has(g, irq, ns)) {
        uint64_t v = g->route[irq];

        v = offset & 4 ? (uint32_t)v | (uint64_t)value << 32 : (v & ~0xffffffffull) | value;
        g->route[irq] = v & 0xff00ffffffull;
        g->target[irq] = redist_by_affinity(g, g->route[irq]);
    }
}

static void dist_write32(Gicv3 *g, bool ns, hwaddr offset, uint32_t value)
{
    if (offset >= D_GROUP && offset < D_PRIORITY) {
        dist_write_bits(g, ns, offset, value);
    } else if (offset >= D_CONFIG && offset < D_GRPMOD) {
        dist_write_config(g, ns, offset, value);
    } else if (offset >= D_GRPMOD && offset < D_GRPMOD + 0x80) {
        if (!ns && !gicv3_one_state(g)) {
            g->grpmod[offset / 4 & 31] = value & dist_visible(g, offset / 4 & 31, false);
        }
    } else if (offset >= D_NSAC && offset < D_NSAC + 0x100) {
        g->nsacr[(offset - D_NSAC) / 4] = ns ? g->nsacr[(offset - D_NSAC) / 4] : value;
    } else if (offset >= D_ROUTE && offset < D_ROUTE + 8 * GICV3_IRQS) {
        dist_write_route(g, ns, offset, value);
    } else if (offset == D_CTLR) {
        dist_write_ctlr(g, ns, value);
    }
}

static void dist_prio(Gicv3 *g, bool ns, hwaddr offset, uint64_t *value, unsigned size, bool write)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        unsigned irq = offset - D_PRIORITY + i;
        uint8_t b = *value >> 8 * i;

        if (!dist_has(g, irq, ns)) {
            continue;
        }
        if (write) {
            g->prio[irq] = ns ? 0x80 | b >> 1 : b;
        } else {
            v |= (uint64_t)(ns ? (uint8_t)(g->prio[irq] << 1) : g->prio[irq]) << 8 * i;
        }
    }
    *value = write ? *value : v;
}

static MemResult dist_access(Region *region, hwaddr offset, uint64_t *value, unsigned size,
                             bool write, MemAttrs attrs)
{
    Gicv3 *g = (Gicv3 *)region->owner;
    bool ns = !gicv3_one_state(g) && !attrs.secure;

    if (offset & (size - 1) || (size & (size - 1)) || (size == 8 && offset < D_ROUTE)) {
        *value = write ? *value : 0;
        return MEM_OK;
    }
    if (offset >= D_PRIORITY && offset < D_TARGETS) {
        dist_prio(g, ns, offset, value, size, write);
    } else if (write) {
        dist_write32(g, ns, offset & ~3ull, (uint32_t)*value << 8 * (offset & 3));
        if (size == 8) {
            dist_write32(g, ns, offset + 4, *value >> 32);
        }
    } else {
        uint64_t v = dist_read32(g, ns, offset & ~3ull) >> 8 * (offset & 3);

        *value = size == 8 ? v | (uint64_t)dist_read32(g, ns, offset + 4) << 32 : v;
    }
    if (write) {
        gicv3_update_all(g);
    }
    return MEM_OK;
}

/* ---- lines ---- */

static void gicv3_spi(Device *d, unsigned pin, int level)
{
    Gicv3 *g = (Gicv3 *)d;
    unsigned irq = GICV3_INTERNAL + pin, word = irq / 32;
    uint32_t bit = 1u << (irq & 31);

    if (irq >= g->num_irq || ((g->level[word] & bit) != 0) == (level != 0)) {
        return;
    }
    g->level[word] ^= bit;
    if (level && (g->edge[word] & bit)) {
        g->pending[word] |= bit;
    }
    if (g->target[irq]) {
        gicv3_update(g->target[irq]);
    }
}

/* ---- the device ---- */

static bool gicv3_realize(Device *d, GError **error)
{
    Gicv3 *g = (Gicv3 *)d;

    if (g->num_irq < 64 || g->num_irq > 1020 || (g->num_irq & 31)) {
        return fail(
            error, "arm-gicv3: property 'num-irq' must be a multiple of 32 from 64 to 1020, not %u",
            g->num_irq);
    }
    g->redists = g_ptr_array_new();
    device_region(d, "dist")->access = dist_access;
    return true;
}

static void gicv3_unrealize(Device *d)
{
    g_ptr_array_free(((Gicv3 *)d)->redists, TRUE);
}

static void gicv3_reset(Device *d)
{
    Gicv3 *g = (Gicv3 *)d;

    g->ctlr = g->security ? GICD_ARE_S | GICD_ARE_NS : GICD_DS | GICD_ARE_S;
    memset(g->grpmod, 0, sizeof(g->grpmod));
    memset(g->enabled, 0, sizeof(g->enabled));
    memset(g->pending, 0, sizeof(g->pending));
    memset(g->active, 0, sizeof(g->active));
    memset(g->edge, 0, sizeof(g->edge));
    memset(g->nsacr, 0, sizeof(g->nsacr));
    memset(g->prio, 0, sizeof(g->prio));
    memset(g->route, 0, sizeof(g->route));
    /* A kernel without secure firmware below it expects its interrupts in group 1. */
    memset(g->group, g->security && d->vm->kernel ? 0xff : 0, sizeof(g->group));
    gicv3_update_routes(g);
    gicv3_update_all(g);
}

static void gicv3_loaded(Device *d)
{
    gicv3_update_routes((Gicv3 *)d);
}

static uint64_t no_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void no_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const RegionOps gicv3_ops = {
    .read = no_read, .write = no_write, .min_size = 1, .max_size = 8};

static const RegBank gicv3_banks[] = {
    { .name = "dist", .size = 0x10000, .ops = &gicv3_ops, .help = "distributor" },
    { 0 },
};

static const Prop gicv3_props[] = {
    PROP_U32(Gicv3, num_irq, "num-irq", 32, .help = "interrupts, the 32 of each CPU included"),
    PROP_U32(Gicv3, revision, "revision", 3),
    PROP_BOOL(Gicv3, lpis, "has-lpi", false),
    PROP_BOOL(Gicv3, security, "has-security-extensions", false),
    PROP_END,
};

static const PinRow gicv3_pins[] = {PIN_IN("spi", GICV3_IRQS - GICV3_INTERNAL, gicv3_spi), PIN_END};

static const StateField gicv3_state[] = {
    STATE(Gicv3, ctlr),
    STATE_ARRAY(Gicv3, group),
    STATE_ARRAY(Gicv3, grpmod),
    STATE_ARRAY(Gicv3, enabled),
    STATE_ARRAY(Gicv3, pending),
    STATE_ARRAY(Gicv3, active),
    STATE_ARRAY(Gicv3, level),
    STATE_ARRAY(Gicv3, edge),
    STATE_ARRAY(Gicv3, nsacr),
    STATE_RAW(Gicv3, prio),
    STATE_ARRAY(Gicv3, route),
    HOST_ONLY(Gicv3, target, "follows route"),
    HOST_ONLY(Gicv3, redists, "devices of their own"),
    STATE_END,
};

static const DeviceType gicv3_type = {
    .name = "arm-gicv3",
    .category = "misc",
    .desc = "ARM Generic Interrupt Controller, version 3",
    .internal = true,
    .size = sizeof(Gicv3),
    .state_version = 1,
    .props = gicv3_props,
    .banks = gicv3_banks,
    .pins = gicv3_pins,
    .state = gicv3_state,
    .realize = gicv3_realize,
    .unrealize = gicv3_unrealize,
    .reset = gicv3_reset,
    .post_load = gicv3_loaded,
};
DEVICE_TYPE(gicv3_type);
