// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Redistributors of the GICv3 (ARM IHI 0069H, 12.10 and 12.11): interrupts of one CPU, and its
 * LPIs, whose configuration is read from memory when they are enabled or invalidated and
 * whose pending state is kept here.
 */
#include "gicv3.h"
#include "exec/dma.h"
#include "qom/vm.h"

enum {
    R_CTLR = 0x00,
    R_IIDR = 0x04,
    R_TYPER = 0x08,
    R_WAKER = 0x14,
    R_PROPBASER = 0x70,
    R_PENDBASER = 0x78,
    R_ID = 0xffd0 };
enum {
    S_GROUP = 0x080,
    S_ISENABLE = 0x100,
    S_ICENABLE = 0x180,
    S_ISPEND = 0x200,
    S_ICPEND = 0x280,
    S_ISACTIVE = 0x300,
    S_ICACTIVE = 0x380,
    S_PRIORITY = 0x400,
    S_CONFIG = 0xc00,
    S_GRPMOD = 0xd00,
    S_NSAC = 0xe00 };

#define FRAME 0x10000
#define LPIS (GICV3_LPI_END - GICV3_LPI_FIRST)
#define CTLR_LPIS 1u
#define WAKER_SLEEP 2u
#define WAKER_ASLEEP 4u
#define TABLE_ADDRESS 0x000ffffffffff000ull

/* ---- groups and priorities ---- */

bool gicv3_group_on(const Gicv3 *g, Gicv3Group group)
{
    static const uint8_t bits[] = { [G0] = GICD_GRP0, [G1S] = GICD_GRP1S, [G1NS] = GICD_GRP1NS };

    return g->ctlr & bits[group];
}

static Gicv3Group group_of(const Gicv3 *g, bool group, bool grpmod)
{
    return group ? G1NS : grpmod && !gicv3_one_state(g) ? G1S : G0;
}

Gicv3Group gicv3_irq_group(const Gicv3Redist *r, uint32_t irq)
{
    const Gicv3 *g = r->gic;
    unsigned word = irq / 32, bit = irq & 31;

    if (irq >= GICV3_LPI_FIRST) {
        return G1NS;
    }
    return word == 0 ? group_of(g, r->group >> bit & 1, r->grpmod >> bit & 1)
                     : group_of(g, g->group[word] >> bit & 1, g->grpmod[word] >> bit & 1);
}

uint8_t *gicv3_prio(Gicv3Redist *r, uint32_t irq)
{
    return irq < GICV3_INTERNAL ? &r->prio[irq] : &r->gic->prio[irq];
}

/* ---- the best of what is pending ---- */

static void consider(Gicv3Redist *r, uint32_t irq, uint8_t prio)
{
    if (prio < r->best.prio) {
        r->best = (Gicv3Pending){ .irq = irq, .prio = prio, .group = gicv3_irq_group(r, irq) };
    }
}

/* Bits of a word whose group the distributor lets through. */
static uint32_t groups_on(const Gicv3 *g, uint32_t group, uint32_t grpmod)
{
    uint32_t secure1 = gicv3_one_state(g) ? 0 : ~group & grpmod;

    return (gicv3_group_on(g, G1NS) ? group : 0) | (gicv3_group_on(g, G1S) ? secure1 : 0) |
           (gicv3_group_on(g, G0) ? ~group & ~secure1 : 0);
}

static void find_best(Gicv3Redist *r)
{
    Gicv3 *g = r->gic;
    uint32_t ready = (r->pending | (r->level & ~r->edge)) & r->enabled & ~r->active &
                     groups_on(g, r->group, r->grpmod);

    r->best = (Gicv3Pending){ .irq = GICV3_SPURIOUS, .prio = GICV3_IDLE };
    for (; ready; ready &= ready - 1) {
        unsigned irq = __builtin_ctz(ready);

        consider(r, irq, r->prio[irq]);
    }
    for (unsigned w = 1; w * 32 < g->num_irq; w++) {
        ready = (g->pending[w] | (g->level[w] & ~g->edge[w])) & g->enabled[w] & ~g->active[w] &
                groups_on(g, g->group[w], g->grpmod[w]);
        for (; ready; ready &= ready - 1) {
            unsigned irq = w * 32 + __builtin_ctz(ready);

            if (g->target[irq] == r) {
                consider(r, irq, g->prio[irq]);
            }
        }
    }
    if (r->lpi_best.prio < r->best.prio && gicv3_group_on(g, G1NS)) {
        r->best = r->lpi_best;
    }
}

void gicv3_update(Gicv3Redist *r)
{
    find_best(r);
    gicv3_drive_lines(r);
}

/* ---- LPIs ---- */

static unsigned lpi_count(const Gicv3Redist *r)
{
    unsigned bits = (r->propbaser & 0x1f) + 1;
    uint64_t end = 1ull << MIN(bits, 16);

    return end > GICV3_LPI_FIRST ? end - GICV3_LPI_FIRST : 0;
}

static bool lpis_on(const Gicv3Redist *r)
{
    return r->lpi_pending && (r->ctlr & CTLR_LPIS);
}

/* 5.1.1: priority in bits 7-2; with two security states it is a non-secure one. */
static uint8_t lpi_prio(const Gicv3Redist *r, unsigned n)
{
    uint8_t p = r->lpi_config[n] & 0xfc;

    return gicv3_one_state(r->gic) ? p : 0x80 | p >> 1;
}

static void find_best_lpi(Gicv3Redist *r)
{
    r->lpi_best = (Gicv3Pending){ .irq = GICV3_SPURIOUS, .prio = GICV3_IDLE, .group = G1NS };
    for (unsigned w = 0; lpis_on(r) && w < LPIS / 64; w++) {
        for (uint64_t left = r->lpi_pending[w]; left; left &= left - 1) {
            unsigned n = w * 64 + __builtin_ctzll(left);

            if ((r->lpi_config[n] & 1) && lpi_prio(r, n) < r->lpi_best.prio) {
                r->lpi_best.irq = n + GICV3_LPI_FIRST;
                r->lpi_best.prio = lpi_prio(r, n);
            }
        }
    }
}

static void lpis_changed(Gicv3Redist *r)
{
    find_best_lpi(r);
    gicv3_update(r);
}

static void read_config(Gicv3Redist *r, unsigned first, unsigned count)
{
    unsigned have = lpi_count(r);

    if (!r->lpi_config || first >= have) {
        return;
    }
    dma_read(&r->dev, (r->propbaser & TABLE_ADDRESS) + first, r->lpi_config + first,
             MIN(count, have - first));
}

void gicv3_reload_lpi(Gicv3Redist *r, uint32_t lpi)
{
    if (lpis_on(r) && lpi >= GICV3_LPI_FIRST && lpi < GICV3_LPI_END) {
        read_config(r, lpi - GICV3_LPI_FIRST, 1);
        lpis_changed(r);
    }
}

void gicv3_reload_lpis(Gicv3Redist *r)
{
    if (lpis_on(r)) {
        read_config(r, 0, LPIS);
        lpis_changed(r);
    }
}

void gicv3_set_lpi(Gicv3Redist *r, uint32_t lpi, bool pending)
{
    unsigned n = lpi - GICV3_LPI_FIRST;

    if (!lpis_on(r) || lpi < GICV3_LPI_FIRST || n >= lpi_count(r)) {
        return;
    }
    uint64_t *w = &r->lpi_pending[n / 64];

    *w = pending ? *w | 1ull << (n & 63) : *w & ~(1ull << (n & 63));
    lpis_changed(r);
}

bool gicv3_lpi_is_pending(const Gicv3Redist *r, uint32_t lpi)
{
    unsigned n = lpi - GICV3_LPI_FIRST;

    return lpis_on(r) && lpi >= GICV3_LPI_FIRST && n < LPIS &&
           (r->lpi_pending[n / 64] >> (n & 63) & 1);
}

/* Once set, EnableLPIs stays (which 12.11.2 allows). */
static void enable_lpis(Gicv3Redist *r)
{
    if (!r->lpi_pending || lpis_on(r)) {
        return;
    }
    r->ctlr |= CTLR_LPIS;
    memset(r->lpi_pending, 0, LPIS / 8);
    memset(r->lpi_config, 0, LPIS);
    read_config(r, 0, LPIS);
    if (!(r->pendbaser >> 62 & 1)) {
        dma_read(&r->dev, (r->pendbaser & TABLE_ADDRESS & ~0xf000ull) + GICV3_LPI_FIRST / 8,
                 r->lpi_pending, lpi_count(r) / 8);
    }
    lpis_changed(r);
}

/* ---- acknowledge and end ---- */

void gicv3_activate(Gicv3Redist *r, uint32_t irq)
{
    uint32_t bit = 1u << (irq & 31);

    if (irq >= GICV3_LPI_FIRST) {
        gicv3_set_lpi(r, irq, false);
        return;
    }
    if (irq < GICV3_INTERNAL) {
        r->active |= bit;
        r->pending &= ~bit;
        gicv3_update(r);
    } else {
        r->gic->active[irq / 32] |= bit;
        r->gic->pending[irq / 32] &= ~bit;
        gicv3_update(r);
    }
}

void gicv3_deactivate(Gicv3Redist *r, uint32_t irq)
{
    uint32_t bit = 1u << (irq & 31);

    if (irq < GICV3_INTERNAL) {
        r->active &= ~bit;
        gicv3_update(r);
    } else if (irq < r->gic->num_irq) {
        r->gic->active[irq / 32] &= ~bit;
        if (r->gic->target[irq]) {
            gicv3_update(r->gic->target[irq]);
        }
    }
}

void gicv3_set_sgi(Gicv3Redist *r, uint32_t irq)
{
    r->pending |= 1u << irq;
    gicv3_update(r);
}

static void redist_ppi(Device *d, unsigned pin, int level)
{
    Gicv3Redist *r = (Gicv3Redist *)d;
    uint32_t bit = 1u << pin;

    if (((r->level & bit) != 0) == (level != 0)) {
        return;
    }
    r->level ^= bit;
    if (level && (r->edge & bit)) {
        r->pending |= bit;
    }
    gicv3_update(r);
}

/* ---- registers ---- */

static bool is_last(const Gicv3Redist *r)
{
    unsigned next = r->cpu_index + 1;
    Gicv3Redist *n = next < r->gic->redists->len ? g_ptr_array_index(r->gic->redists, next) : NULL;

    /* The next one may lie in another range. */
    return !n || device_region(&n->dev, "redist")->addr !=
                     device_region((Device *)&r->dev, "redist")->addr + 2 * FRAME;
}

static uint64_t redist_typer(const Gicv3Redist *r)
{
    uint64_t affinity = (r->mpidr & 0xffffff) | (r->mpidr >> 8 & 0xff000000);

    return affinity << 32 | 1u << 24 | r->cpu_index << 8 | (is_last(r) ? 0x10 : 0) |
           (r->gic->lpis ? 1 : 0);
}

static uint32_t rd_read32(Gicv3Redist *r, hwaddr offset)
{
    static const uint8_t ids[12] = { 0x44, 0, 0, 0, 0x93, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1 };

    switch (offset) {
    case R_CTLR:
        return r->ctlr;
    case R_IIDR:
        return 0x43b;
    case R_TYPER:
    case R_TYPER + 4:
        return redist_typer(r) >> 8 * (offset & 4);
    case R_WAKER:
        return r->waker;
    case R_PROPBASER:
    case R_PROPBASER + 4:
        return r->propbaser >> 8 * (offset & 4);
    case R_PENDBASER:
    case R_PENDBASER + 4:
        return (r->pendbaser & ~(1ull << 62)) >> 8 * (offset & 4);
    default:
        return offset >= R_ID ? ids[(offset - R_ID) / 4] : 0;
    }
}

static void set_half(uint64_t *v, hwaddr offset, uint32_t value)
{
    *v = offset & 4 ? (uint32_t)*v | (uint64_t)value << 32 : (*v & ~0xffffffffull) | value;
}

static void rd_write32(Gicv3Redist *r, bool ns, hwaddr offset, uint32_t value)
{
    switch (offset) {
    case R_CTLR:
        if (value & CTLR_LPIS) {
            enable_lpis(r);
        }
        break;
    case R_WAKER:
        if (!ns) {
            r->waker = value & WAKER_SLEEP ? WAKER_SLEEP | WAKER_ASLEEP : 0;
        }
        break;
    case R_PROPBASER:
    case R_PROPBASER + 4:
        if (!lpis_on(r)) {
            set_half(&r->propbaser, offset, value);
        }
        break;
    case R_PENDBASER:
    case R_PENDBASER + 4:
        if (!lpis_on(r)) {
            set_half(&r->pendbaser, offset, value);
        }
        break;
    }
}

static uint32_t config_word(uint32_t edge, unsigned half)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 16; i++) {
        v |= edge >> (half * 16 + i) & 1 ? 2u << 2 * i : 0;
    }
    return v;
}

static uint32_t sgi_read32(Gicv3Redist *r, bool ns, hwaddr offset)
{
    uint32_t see = ns ? r->group : 0xffffffff;

    switch (offset) {
    case S_GROUP:
        return ns ? 0 : r->group;
    case S_ISENABLE:
    case S_ICENABLE:
        return r->enabled & see;
    case S_ISPEND:
    case S_ICPEND:
        return (r->pending | (r->level & ~r->edge)) & see;
    case S_ISACTIVE:
    case S_ICACTIVE:
        return r->active & see;
    case S_CONFIG:
    case S_CONFIG + 4:
        return config_word(r->edge & see, offset / 4 & 1);
    case S_GRPMOD:
        return ns || gicv3_one_state(r->gic) ? 0 : r->grpmod;
    case S_NSAC:
        return ns || gicv3_one_state(r->gic) ? 0 : r->nsacr;
    default:
        return 0;
    }
}

static void sgi_write32(Gicv3Redist *r, bool ns, hwaddr offset, uint32_t value)
{
    uint32_t v = value & (ns ? r->group : 0xffffffff);

    switch (offset) {
    case S_GROUP:
        r->group = ns ? r->group : value;
        break;
    case S_ISENABLE:
        r->enabled |= v;
        break;
    case S_ICENABLE:
        r->enabled &= ~v;
        break;
    case S_ISPEND:
        r->pending |= v;
        break;
    case S_ICPEND:
        r->pending &= ~v;
        break;
    case S_ISACTIVE:
        r->active |= v;
        break;
    case S_ICACTIVE:
        r->active &= ~v;
        break;
    case S_CONFIG + 4:
        for (unsigned i = 0; i < 16; i++) {
            uint32_t bit = 0x10000u << i;

            if (!ns || (r->group & bit)) {
                r->edge = value >> 2 * i & 2 ? r->edge | bit : r->edge & ~bit;
            }
        }
        break;
    case S_GRPMOD:
        r->grpmod = ns || gicv3_one_state(r->gic) ? r->grpmod : value;
        break;
    case S_NSAC:
        r->nsacr = ns || gicv3_one_state(r->gic) ? r->nsacr : value;
        break;
    }
}

static void sgi_prio(Gicv3Redist *r, bool ns, hwaddr offset, uint64_t *value, unsigned size,
                     bool write)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        unsigned irq = offset - S_PRIORITY + i;
        uint8_t b = *value >> 8 * i;

        if (irq >= GICV3_INTERNAL || (ns && !(r->group >> irq & 1))) {
            continue;
        }
        if (write) {
            r->prio[irq] = ns ? 0x80 | b >> 1 : b;
        } else {
            v |= (uint64_t)(ns ? (uint8_t)(r->prio[irq] << 1) : r->prio[irq]) << 8 * i;
        }
    }
    *value = write ? *value : v;
}

static void redist_write(Gicv3Redist *r, bool ns, hwaddr offset, uint32_t value)
{
    if (offset < FRAME) {
        rd_write32(r, ns, offset, value);
    } else {
        sgi_write32(r, ns, offset - FRAME, value);
    }
}

static uint32_t redist_read(Gicv3Redist *r, bool ns, hwaddr offset)
{
    return offset < FRAME ? rd_read32(r, offset) : sgi_read32(r, ns, offset - FRAME);
}

static MemResult redist_access(Region *region, hwaddr offset, uint64_t *value, unsigned size,
                               bool write, MemAttrs attrs)
{
    Gicv3Redist *r = (Gicv3Redist *)region->owner;
    bool ns = !gicv3_one_state(r->gic) && !attrs.secure;

    if (offset & (size - 1) || (size & (size - 1))) {
        *value = write ? *value : 0;
        return MEM_OK;
    }
    if (offset >= FRAME + S_PRIORITY && offset < FRAME + S_CONFIG) {
        sgi_prio(r, ns, offset - FRAME, value, size, write);
    } else if (write) {
        redist_write(r, ns, offset & ~3ull, (uint32_t)*value << 8 * (offset & 3));
        if (size == 8) {
            redist_write(r, ns, offset + 4, *value >> 32);
        }
    } else {
        uint64_t v = redist_read(r, ns, offset & ~3ull) >> 8 * (offset & 3);

        *value = size == 8 ? v | (uint64_t)redist_read(r, ns, offset + 4) << 32 : v;
    }
    if (write) {
        gicv3_update(r);
    }
    return MEM_OK;
}

/* ---- the device ---- */

static void redist_el_changed(void *opaque)
{
    gicv3_drive_lines(opaque);
}

static bool redist_realize(Device *d, GError **error)
{
    Gicv3Redist *r = (Gicv3Redist *)d;
    ArmCpuView view;

    r->gic = (Gicv3 *)r->gic_object;
    if (!r->gic || r->cpu_index != r->gic->redists->len || r->cpu_index >= d->vm->cpus->len) {
        return fail(error, "arm-gicv3-redist: CPU %u does not exist or is not the next one",
                    r->cpu_index);
    }
    r->cpu = g_ptr_array_index(d->vm->cpus, r->cpu_index);
    arm_cpu_view(r->cpu, &view);
    r->mpidr = view.mpidr;
    if (r->gic->lpis) {
        r->lpi_config = g_malloc0(LPIS);
        r->lpi_pending = g_malloc0(LPIS / 8);
    }
    gicv3_add_redist(r->gic, r);
    arm_cpu_provide_sysregs(r->cpu, gicv3_sysregs, r);
    if (view.has_el2) {
        arm_cpu_provide_sysregs(r->cpu, gicv3_hyp_sysregs, r);
    }
    arm_cpu_set_gic_sysregs(r->cpu, true);
    if (r->gic->security) {
        arm_cpu_on_el_change(r->cpu, redist_el_changed, r);
    }
    device_region(d, "redist")->access = redist_access;
    return true;
}

static void redist_unrealize(Device *d)
{
    Gicv3Redist *r = (Gicv3Redist *)d;

    g_ptr_array_remove(r->gic->redists, r);
    gicv3_update_routes(r->gic);
    g_free(r->lpi_config);
    g_free(r->lpi_pending);
}

static void redist_reset(Device *d)
{
    Gicv3Redist *r = (Gicv3Redist *)d;

    r->ctlr = 0;
    r->waker = WAKER_SLEEP | WAKER_ASLEEP;
    r->propbaser = r->pendbaser = 0;
    r->group = r->gic->security && d->vm->kernel ? 0xffffffff : 0;
    r->grpmod = r->enabled = r->pending = r->active = r->nsacr = 0;
    r->edge = 0xffff;
    memset(r->prio, 0, sizeof(r->prio));
    r->pmr = 0;
    for (unsigned i = 0; i < GICV3_GROUPS; i++) {
        r->bpr[i] = i == G1NS ? 3 : 2;
        r->apr[i] = r->igrpen[i] = 0;
    }
    r->icc_ctlr[0] = r->icc_ctlr[1] = r->icc_ctlr_el3 = 0;
    r->ich_hcr = 0;
    r->ich_vmcr = 1u << 3 | 3u << 18 | 2u << 21;
    r->ich_apr[0] = r->ich_apr[1] = 0;
    memset(r->ich_lr, 0, sizeof(r->ich_lr));
    find_best_lpi(r);
    gicv3_update(r);
}

static uint64_t no_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void no_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static size_t lpi_pending_len(Device *d)
{
    return ((Gicv3Redist *)d)->lpi_pending ? LPIS / 8 : 0;
}

static size_t lpi_config_len(Device *d)
{
    return ((Gicv3Redist *)d)->lpi_config ? LPIS : 0;
}

static const RegionOps redist_ops = {
    .read = no_read, .write = no_write, .min_size = 1, .max_size = 8};

static const RegBank redist_banks[] = {
    { .name = "redist", .size = 2 * FRAME, .ops = &redist_ops, .help = "RD_base and SGI_base frames" },
    { 0 },
};

static const Prop redist_props[] = {
    PROP_U32(Gicv3Redist, cpu_index, "cpu-index", 0),
    PROP_LINK(Gicv3Redist, gic_object, "gic", "arm-gicv3", .flags = PROP_REQUIRED),
    PROP_END,
};

static const PinRow redist_pins[] = {
    PIN_OUT(Gicv3Redist, irq, "irq"),
    PIN_OUT(Gicv3Redist, fiq, "fiq"),
    PIN_OUT(Gicv3Redist, virq, "virq"),
    PIN_OUT(Gicv3Redist, vfiq, "vfiq"),
    PIN_OUT(Gicv3Redist, maintenance, "maintenance"),
    PIN_IN("ppi", GICV3_INTERNAL, redist_ppi),
    PIN_END,
};

static void redist_loaded(Device *d)
{
    find_best_lpi((Gicv3Redist *)d);
    find_best((Gicv3Redist *)d);
}

static const StateField redist_state[] = {
    HOST_ONLY(Gicv3Redist, gic, "link"), HOST_ONLY(Gicv3Redist, cpu, "link"),
    HOST_ONLY(Gicv3Redist, mpidr, "constant"),
    STATE(Gicv3Redist, ctlr), STATE(Gicv3Redist, waker), STATE(Gicv3Redist, propbaser),
    STATE(Gicv3Redist, pendbaser), STATE(Gicv3Redist, group), STATE(Gicv3Redist, grpmod),
    STATE(Gicv3Redist, enabled), STATE(Gicv3Redist, pending), STATE(Gicv3Redist, active),
    STATE(Gicv3Redist, level), STATE(Gicv3Redist, edge), STATE(Gicv3Redist, nsacr),
    STATE_RAW(Gicv3Redist, prio),
    STATE_BUF(Gicv3Redist, lpi_config, lpi_config_len),
    STATE_BUF(Gicv3Redist, lpi_pending, lpi_pending_len),
    HOST_ONLY(Gicv3Redist, lpi_best, "follows the tables"),
    STATE(Gicv3Redist, pmr), STATE_ARRAY(Gicv3Redist, bpr), STATE_ARRAY(Gicv3Redist, apr),
    STATE_ARRAY(Gicv3Redist, igrpen), STATE_ARRAY(Gicv3Redist, icc_ctlr),
    STATE(Gicv3Redist, icc_ctlr_el3),
    HOST_ONLY(Gicv3Redist, best, "follows what is pending"),
    STATE(Gicv3Redist, ich_hcr), STATE(Gicv3Redist, ich_vmcr), STATE_ARRAY(Gicv3Redist, ich_apr),
    STATE_ARRAY(Gicv3Redist, ich_lr),
    STATE_END,
};

static const DeviceType redist_type = {
    .name = "arm-gicv3-redist",
    .category = "misc",
    .desc = "GICv3 redistributor and CPU interface",
    .internal = true,
    .size = sizeof(Gicv3Redist),
    .state_version = 1,
    .props = redist_props,
    .banks = redist_banks,
    .pins = redist_pins,
    .state = redist_state,
    .realize = redist_realize,
    .unrealize = redist_unrealize,
    .reset = redist_reset,
    .post_load = redist_loaded,
};
DEVICE_TYPE(redist_type);
