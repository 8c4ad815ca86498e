// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parts of the GICv2 model (IHI 0048B): distributor in gicv2.c, CPU interfaces in gicv2-cpu.c,
 * virtual ones in gicv2-virt.c.
 */
#ifndef HW_INTC_GICV2_H
#define HW_INTC_GICV2_H

#include "exec/bank.h"

#define GIC_CPUS 8
#define GIC_IRQS 1020
#define GIC_INTERNAL 32
#define GIC_WORDS 32
#define GIC_LRS 4
#define GIC_SPURIOUS 1023
#define GIC_APRS 4

/* One bit an interrupt; the first 32 are banked by CPU. */
typedef struct GicBits {
    uint32_t banked[GIC_CPUS];
    uint32_t shared[GIC_WORDS];
} GicBits;

static inline uint32_t *gic_word(GicBits *b, unsigned cpu, unsigned word)
{
    return word == 0 ? &b->banked[cpu] : &b->shared[word];
}

/* A CPU interface; the virtual one of a CPU has no register of its own but these. */
typedef struct GicCpu {
    uint32_t ctlr, abpr, bpr;
    uint32_t pmr;
    uint32_t apr[GIC_APRS], nsapr[GIC_APRS];
    uint32_t hcr, hapr, lr[GIC_LRS];
    uint32_t vctlr, vpmr, vbpr, vabpr;
} GicCpu;

typedef struct Gic {
    Device dev;
    uint32_t num_cpu, num_irq, revision;
    bool security, virtualization;
    Irq irq[GIC_CPUS], fiq[GIC_CPUS], virq[GIC_CPUS], vfiq[GIC_CPUS], maintenance[GIC_CPUS];
    uint32_t ctlr;
    GicBits enabled, latched, level, active, edge, group;
    uint8_t prio_banked[GIC_CPUS][GIC_INTERNAL], prio[GIC_IRQS];
    uint8_t target[GIC_IRQS];
    uint8_t sgi_source[GIC_CPUS][16]; /* which CPUs sent each software interrupt */
    GicCpu cpu[GIC_CPUS];
} Gic;

enum {
    GICC_GRP0 = 1,
    GICC_GRP1 = 2,
    GICC_ACKCTL = 4,
    GICC_FIQEN = 8,
    GICC_CBPR = 0x10,
    GICC_EOIMODE = 0x200,
    GICC_EOIMODE_NS = 0x400
};

static inline uint8_t *gic_prio(Gic *s, unsigned cpu, unsigned irq)
{
    return irq < GIC_INTERNAL ? &s->prio_banked[cpu][irq] : &s->prio[irq];
}
static inline bool gic_bit(GicBits *b, unsigned cpu, unsigned irq)
{
    return *gic_word(b, cpu, irq / 32) >> (irq & 31) & 1;
}
static inline void gic_set_bit(GicBits *b, unsigned cpu, unsigned irq, bool on)
{
    uint32_t *w = gic_word(b, cpu, irq / 32);

    *w = on ? *w | 1u << (irq & 31) : *w & ~(1u << (irq & 31));
}

/* The CPU that an access comes from, and whether it has only the non-secure view. */
static inline unsigned gic_access_cpu(const Gic *s, MemAttrs attrs)
{
    return attrs.is_cpu && attrs.cpu_index < s->num_cpu ? attrs.cpu_index : 0;
}
static inline bool gic_access_ns(const Gic *s, MemAttrs attrs)
{
    return s->security && !attrs.secure;
}

/* Outputs of all CPUs after a change in the distributor / of one CPU. */
void gic_update(Gic *s);
void gic_update_cpu(Gic *s, unsigned cpu);
void gic_update_virtual(Gic *s, unsigned cpu);
/* gicv2-cpu.c */
/*
 * The most urgent pending interrupt that is enabled, GIC_SPURIOUS: none; not compared with PMR or
 * what runs.
 */
unsigned gic_best(Gic *s, unsigned cpu);
/* The register pages as a CPU sees them. */
MemResult gic_cpu_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                         MemAttrs attrs);
/* gicv2-virt.c */
MemResult gic_hyp_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                         MemAttrs attrs);
MemResult gic_vcpu_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                          MemAttrs attrs);
/* EOI or deactivation of a hardware interrupt by way of a list register. */
void gic_deactivate(Gic *s, unsigned cpu, unsigned irq);

#endif
