// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parts of the GICv3 model (ARM IHI 0069): distributor in gicv3.c, redistributors in
 * gicv3-redist.c, physical CPU interfaces in gicv3-cpu.c, virtual ones in gicv3-virt.c.
 */
#ifndef HW_INTC_GICV3_H
#define HW_INTC_GICV3_H

#include "exec/arm-cpu.h"
#include "exec/bank.h"

#define GICV3_IRQS 1020
#define GICV3_WORDS 32
#define GICV3_INTERNAL 32
#define GICV3_LPI_FIRST 8192u
#define GICV3_LPI_END 65536u
#define GICV3_LRS 4
#define GICV3_SPURIOUS 1023
#define GICV3_IDLE 0x100

typedef enum Gicv3Group { G0, G1S, G1NS, GICV3_GROUPS } Gicv3Group;

typedef struct Gicv3 Gicv3;

/* The best of what is pending for a CPU. */
typedef struct Gicv3Pending { uint32_t irq; uint16_t prio; uint8_t group; } Gicv3Pending;

/* A redistributor with the CPU interface behind it: a device each. */
typedef struct Gicv3Redist {
    Device dev;
    Object *gic_object;              /* property */
    uint32_t cpu_index;
    Gicv3 *gic;
    Cpu *cpu;
    uint64_t mpidr;
    Irq irq, fiq, virq, vfiq, maintenance;
    uint32_t ctlr, waker;
    uint64_t propbaser, pendbaser;
    uint32_t group, grpmod, enabled, pending, active, level, edge, nsacr;
    uint8_t prio[GICV3_INTERNAL];
    uint8_t *lpi_config;             /* by number - GICV3_LPI_FIRST, as the table in memory had it */
    uint64_t *lpi_pending;
    Gicv3Pending lpi_best;
    /* CPU interface */
    uint32_t pmr, bpr[GICV3_GROUPS], apr[GICV3_GROUPS], igrpen[GICV3_GROUPS];
    uint32_t icc_ctlr[2], icc_ctlr_el3;    /* [0] secure, [1] non-secure */
    Gicv3Pending best;
    /* virtual CPU interface */
    uint32_t ich_hcr, ich_vmcr, ich_apr[2];
    uint64_t ich_lr[GICV3_LRS];
} Gicv3Redist;

struct Gicv3 {
    Device dev;
    uint32_t num_irq, revision;
    bool security, lpis;
    GPtrArray *redists;              /* Gicv3Redist *, by CPU */
    uint32_t ctlr;
    uint32_t group[GICV3_WORDS], grpmod[GICV3_WORDS], enabled[GICV3_WORDS], pending[GICV3_WORDS],
        active[GICV3_WORDS], level[GICV3_WORDS], edge[GICV3_WORDS], nsacr[GICV3_IRQS / 16 + 1];
    uint8_t prio[GICV3_IRQS];
    uint64_t route[GICV3_IRQS];
    Gicv3Redist *target[GICV3_IRQS]; /* follows route; NULL: nobody */
};

enum {
    GICD_GRP0 = 1,
    GICD_GRP1NS = 2,
    GICD_GRP1S = 4,
    GICD_ARE_S = 0x10,
    GICD_ARE_NS = 0x20,
    GICD_DS = 0x40
};

static inline bool gicv3_one_state(const Gicv3 *g)
{
    return g->ctlr & GICD_DS;
}

/* Adds a redistributor; its index is the CPU's. */
void gicv3_add_redist(Gicv3 *g, Gicv3Redist *r);
/* After routes or redistributors changed. */
void gicv3_update_routes(Gicv3 *g);
/* Looks for the best pending interrupt again and drives the CPU's lines. */
void gicv3_update(Gicv3Redist *r);
void gicv3_update_all(Gicv3 *g);
/* gicv3-redist.c */
/* Whether the distributor lets the group through, and an interrupt's group. */
bool gicv3_group_on(const Gicv3 *g, Gicv3Group group);
Gicv3Group gicv3_irq_group(const Gicv3Redist *r, uint32_t irq);
uint8_t *gicv3_prio(Gicv3Redist *r, uint32_t irq);
/* Pending to active / active to inactive, of any number. */
void gicv3_activate(Gicv3Redist *r, uint32_t irq);
void gicv3_deactivate(Gicv3Redist *r, uint32_t irq);
void gicv3_set_sgi(Gicv3Redist *r, uint32_t irq);
/* For the ITS: a message sets or clears it; the table's byte is read again; all of them. */
void gicv3_set_lpi(Gicv3Redist *r, uint32_t lpi, bool pending);
void gicv3_reload_lpi(Gicv3Redist *r, uint32_t lpi);
void gicv3_reload_lpis(Gicv3Redist *r);
bool gicv3_lpi_is_pending(const Gicv3Redist *r, uint32_t lpi);
/* gicv3-cpu.c: system registers, and the lines from r->best. */
extern const ArmSysregRow gicv3_sysregs[];
void gicv3_drive_lines(Gicv3Redist *r);
/* gicv3-virt.c */
extern const ArmSysregRow gicv3_hyp_sysregs[];
void gicv3_drive_virtual(Gicv3Redist *r);
/* The EL1 registers as a guest of a hypervisor sees them; aux as in gicv3-cpu.c's rows. */
uint64_t gicv3_virt_read(Gicv3Redist *r, unsigned reg);
void gicv3_virt_write(Gicv3Redist *r, unsigned reg, uint64_t value);

/* EL1 registers; those of the two groups differ in ICC_GROUP1. */
enum {
    ICC_IAR,
    ICC_EOIR,
    ICC_HPPIR,
    ICC_BPR,
    ICC_AP,
    ICC_IGRPEN,
    ICC_PMR,
    ICC_RPR,
    ICC_DIR,
    ICC_CTLR,
    ICC_SRE,
    ICC_SGI0R,
    ICC_SGI1R,
    ICC_ASGI1R,
    ICC_SRE_EL2,
    ICC_SRE_EL3,
    ICC_CTLR_EL3,
    ICC_IGRPEN1_EL3,
    ICC_GROUP1 = 0x40
};

#endif
