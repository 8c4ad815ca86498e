// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU interfaces of the GICv2 (ARM IHI 0048B, 4.4): priority masking and preemption,
 * acknowledge and end of interrupt, and the views of secure and non-secure software.
 */
#include "gicv2.h"

enum {
    C_CTLR = 0x00,
    C_PMR = 0x04,
    C_BPR = 0x08,
    C_IAR = 0x0c,
    C_EOIR = 0x10,
    C_RPR = 0x14,
    C_HPPIR = 0x18,
    C_ABPR = 0x1c,
    C_AIAR = 0x20,
    C_AEOIR = 0x24,
    C_AHPPIR = 0x28,
    C_APR = 0xd0,
    C_NSAPR = 0xe0,
    C_IIDR = 0xfc,
    C_DIR = 0x1000
};

#define IDLE 0x100 /* running priority when nothing runs: below all */

/* ---- what is pending ---- */

static bool gic_group1(Gic *s, unsigned cpu, unsigned irq)
{
    return gic_bit(&s->group, cpu, irq);
}

static void best_of_word(Gic *s, unsigned cpu, unsigned word, unsigned *best, unsigned *prio)
{
    uint32_t level = *gic_word(&s->level, cpu, word) & ~*gic_word(&s->edge, cpu, word);
    uint32_t group = *gic_word(&s->group, cpu, word);
    uint32_t on = (s->ctlr & 1 ? ~group : 0) | (s->ctlr & 2 ? group : 0);
    uint32_t ready = (*gic_word(&s->latched, cpu, word) | level) &
                     *gic_word(&s->enabled, cpu, word) & ~*gic_word(&s->active, cpu, word) & on;

    for (; ready; ready &= ready - 1) {
        unsigned irq = word * 32 + __builtin_ctz(ready);
        uint8_t p = *gic_prio(s, cpu, irq);

        if (p < *prio && (irq < GIC_INTERNAL || (s->target[irq] >> cpu & 1))) {
            *best = irq;
            *prio = p;
        }
    }
}

unsigned gic_best(Gic *s, unsigned cpu)
{
    unsigned best = GIC_SPURIOUS, prio = IDLE;

    for (unsigned w = 0; w * 32 < s->num_irq; w++) {
        best_of_word(s, cpu, w, &best, &prio);
    }
    return best;
}

/* ---- priorities in use ---- */

static unsigned lowest_bit(const uint32_t apr[GIC_APRS])
{
    for (unsigned i = 0; i < GIC_APRS; i++) {
        if (apr[i]) {
            return i * 32 + __builtin_ctz(apr[i]);
        }
    }
    return IDLE / 2;
}

static unsigned gic_running(const GicCpu *c)
{
    return MIN(lowest_bit(c->apr), lowest_bit(c->nsapr)) * 2;
}

/* The bits of a priority that count for preemption, 3.3.3. */
static uint8_t group_mask(const GicCpu *c, bool grp1)
{
    unsigned bpr = grp1 && !(c->ctlr & GICC_CBPR) ? (c->abpr ? c->abpr - 1 : 0) : c->bpr;

    return 0xffu << (bpr + 1);
}

static bool gic_may_signal(Gic *s, unsigned cpu, unsigned irq)
{
    GicCpu *c = &s->cpu[cpu];

    if (irq == GIC_SPURIOUS) {
        return false;
    }
    bool grp1 = gic_group1(s, cpu, irq);
    uint8_t prio = *gic_prio(s, cpu, irq);

    return prio < c->pmr && (prio & group_mask(c, grp1)) < gic_running(c);
}

void gic_update_cpu(Gic *s, unsigned cpu)
{
    GicCpu *c = &s->cpu[cpu];
    unsigned irq = c->ctlr & (GICC_GRP0 | GICC_GRP1) ? gic_best(s, cpu) : GIC_SPURIOUS;
    bool irq_level = false, fiq_level = false;

    if (gic_may_signal(s, cpu, irq)) {
        bool grp1 = gic_group1(s, cpu, irq);

        if (c->ctlr & (grp1 ? GICC_GRP1 : GICC_GRP0)) {
            fiq_level = !grp1 && (c->ctlr & GICC_FIQEN);
            irq_level = !fiq_level;
        }
    }
    irq_set(&s->irq[cpu], irq_level);
    irq_set(&s->fiq[cpu], fiq_level);
    if (s->virtualization) {
        gic_update_virtual(s, cpu);
    }
}

/* ---- acknowledge ---- */

static void set_running(GicCpu *c, uint8_t prio, bool grp1)
{
    unsigned bit = (prio & group_mask(c, grp1)) / 2;

    (grp1 ? c->nsapr : c->apr)[bit / 32] |= 1u << (bit & 31);
}

/* Pending to active; what the register returns. */
static uint32_t gic_take(Gic *s, unsigned cpu, unsigned irq)
{
    uint32_t id = irq;

    set_running(&s->cpu[cpu], *gic_prio(s, cpu, irq), gic_group1(s, cpu, irq));
    gic_set_bit(&s->active, cpu, irq, true);
    if (irq < 16) {
        unsigned source = __builtin_ctz(s->sgi_source[cpu][irq] | 1u << GIC_CPUS);

        source = source == GIC_CPUS ? 0 : source;
        s->sgi_source[cpu][irq] &= ~(1u << source);
        gic_set_bit(&s->latched, cpu, irq, s->sgi_source[cpu][irq] != 0);
        id |= source << 10;
    } else {
        gic_set_bit(&s->latched, cpu, irq, false);
    }
    gic_update(s);
    return id;
}

/* Tables 4-34 and 4-35; alias: the AIAR, which is for group 1 only. */
static unsigned visible_pending(Gic *s, unsigned cpu, bool ns, bool alias, unsigned irq)
{
    const GicCpu *c = &s->cpu[cpu];

    if (irq == GIC_SPURIOUS) {
        return irq;
    }
    bool grp1 = gic_group1(s, cpu, irq);

    if (!(c->ctlr & (grp1 ? GICC_GRP1 : GICC_GRP0))) {
        return GIC_SPURIOUS;
    }
    if (ns || alias) {
        return grp1 ? irq : GIC_SPURIOUS;
    }
    return grp1 && s->security && !(c->ctlr & GICC_ACKCTL) ? 1022 : irq;
}

static uint32_t gic_acknowledge(Gic *s, unsigned cpu, bool ns, bool alias)
{
    unsigned irq = gic_best(s, cpu);

    if (!gic_may_signal(s, cpu, irq)) {
        return GIC_SPURIOUS;
    }
    irq = visible_pending(s, cpu, ns, alias, irq);
    return irq < 1020 ? gic_take(s, cpu, irq) : irq;
}

/* ---- end of interrupt ---- */

static void drop_lowest(uint32_t apr[GIC_APRS])
{
    for (unsigned i = 0; i < GIC_APRS; i++) {
        if (apr[i]) {
            apr[i] &= apr[i] - 1;
            return;
        }
    }
}

void gic_deactivate(Gic *s, unsigned cpu, unsigned irq)
{
    if (irq < s->num_irq) {
        gic_set_bit(&s->active, cpu, irq, false);
        gic_update(s);
    }
}

static void gic_end(Gic *s, unsigned cpu, bool ns, bool alias, uint32_t value)
{
    GicCpu *c = &s->cpu[cpu];
    unsigned irq = value & 0x3ff;

    if (irq >= s->num_irq) {
        return;
    }
    bool grp1 = gic_group1(s, cpu, irq);

    if ((ns || alias) && !grp1) {
        return;
    }
    if (lowest_bit(c->apr) == IDLE / 2 && lowest_bit(c->nsapr) == IDLE / 2) {
        return;
    }
    if (lowest_bit(c->nsapr) < lowest_bit(c->apr)) {
        drop_lowest(c->nsapr);
    } else if (!ns) {
        drop_lowest(c->apr);
    }
    if (!(c->ctlr & (ns ? GICC_EOIMODE_NS : GICC_EOIMODE))) {
        gic_set_bit(&s->active, cpu, irq, false);
    }
    gic_update(s);
}

/* ---- registers ---- */

static uint32_t cpu_read_ctlr(const GicCpu *c, bool ns)
{
    return ns ? (c->ctlr >> 1 & 1) | (c->ctlr & GICC_EOIMODE_NS) >> 1 : c->ctlr;
}

static void cpu_write_ctlr(Gic *s, GicCpu *c, bool ns, uint32_t value)
{
    if (ns) {
        c->ctlr &= ~(uint32_t)(GICC_GRP1 | GICC_EOIMODE_NS);
        c->ctlr |= (value & 1) << 1 | (value & GICC_EOIMODE) << 1;
    } else if (s->revision == 1 && !s->security) {
        c->ctlr = value & 1;
    } else {
        c->ctlr = value & (s->security ? 0x61f | GICC_EOIMODE : 0x21f);
    }
}

static uint32_t ns_priority(uint32_t p)
{
    return p > 0xff ? 0xff : p & 0x80 ? p << 1 & 0xff : 0;
}

static uint32_t cpu_read_apr(GicCpu *c, bool ns, hwaddr offset)
{
    unsigned n = offset >> 2 & 3;

    if (ns) {
        /* Non-secure priorities are the lower half, 4.4.12. */
        return offset < C_NSAPR && n < 2 ? c->nsapr[n + 2] : 0;
    }
    return offset < C_NSAPR ? c->apr[n] : c->nsapr[n];
}

static uint32_t cpu_read(Gic *s, unsigned cpu, bool ns, hwaddr offset)
{
    GicCpu *c = &s->cpu[cpu];

    switch (offset) {
    case C_CTLR:
        return cpu_read_ctlr(c, ns);
    case C_PMR:
        return ns ? ns_priority(c->pmr) : c->pmr;
    case C_BPR:
        return !ns ? c->bpr : c->ctlr & GICC_CBPR ? MIN(c->bpr + 1, 7) : c->abpr;
    case C_IAR:
        return gic_acknowledge(s, cpu, ns, false);
    case C_RPR:
        return ns ? ns_priority(gic_running(c)) : MIN(gic_running(c), 0xff);
    case C_HPPIR:
        return visible_pending(s, cpu, ns, false, gic_best(s, cpu));
    case C_ABPR:
        return ns || s->revision == 1 ? 0 : c->abpr;
    case C_AIAR:
        return ns ? 0 : gic_acknowledge(s, cpu, ns, true);
    case C_AHPPIR:
        return ns ? 0 : visible_pending(s, cpu, ns, true, gic_best(s, cpu));
    case C_IIDR:
        return s->revision == 1 ? 0x0001043b : 0x0002043b;
    default:
        return offset >= C_APR && offset < C_NSAPR + 0x10 ? cpu_read_apr(c, ns, offset) : 0;
    }
}

static void cpu_write_apr(GicCpu *c, bool ns, hwaddr offset, uint32_t value)
{
    unsigned n = offset >> 2 & 3;

    if (!ns) {
        (offset < C_NSAPR ? c->apr : c->nsapr)[n] = value;
    } else if (offset < C_NSAPR && n < 2) {
        c->nsapr[n + 2] = value;
    }
}

static void cpu_write_pmr(GicCpu *c, bool ns, uint32_t value)
{
    if (!ns) {
        c->pmr = value & 0xff;
    } else if (c->pmr & 0x80) {
        c->pmr = 0x80 | (value & 0xff) >> 1;
    }
}

static void cpu_write(Gic *s, unsigned cpu, bool ns, hwaddr offset, uint32_t value)
{
    GicCpu *c = &s->cpu[cpu];

    switch (offset) {
    case C_CTLR:
        cpu_write_ctlr(s, c, ns, value);
        break;
    case C_PMR:
        cpu_write_pmr(c, ns, value);
        break;
    case C_BPR:
        if (!ns) {
            c->bpr = value & 7;
        } else if (!(c->ctlr & GICC_CBPR)) {
            c->abpr = MAX(value & 7, 1);
        }
        break;
    case C_EOIR:
        gic_end(s, cpu, ns, false, value);
        break;
    case C_ABPR:
        c->abpr = ns ? c->abpr : MAX(value & 7, 1);
        break;
    case C_AEOIR:
        if (!ns) {
            gic_end(s, cpu, ns, true, value);
        }
        break;
    case C_DIR:
        if ((c->ctlr & (ns ? GICC_EOIMODE_NS : GICC_EOIMODE)) && (value & 0x3ff) < s->num_irq &&
            (!ns || gic_group1(s, cpu, value & 0x3ff))) {
            gic_deactivate(s, cpu, value & 0x3ff);
        }
        break;
    default:
        if (offset >= C_APR && offset < C_NSAPR + 0x10) {
            cpu_write_apr(c, ns, offset, value);
        }
    }
    gic_update_cpu(s, cpu);
}

MemResult gic_cpu_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                         MemAttrs attrs)
{
    Gic *s = (Gic *)r->owner;

    if (size != 4 || (offset & 3)) {
        *value = write ? *value : 0;
    } else if (write) {
        cpu_write(s, gic_access_cpu(s, attrs), gic_access_ns(s, attrs), offset, *value);
    } else {
        *value = cpu_read(s, gic_access_cpu(s, attrs), gic_access_ns(s, attrs), offset);
    }
    return MEM_OK;
}
