// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU interfaces of the GICv3 as system registers (ARM IHI 0069H, 4.8, 12.2): five bits of
 * priority, so that one register of active priorities per group is enough. Rows at the end.
 */
#include "gicv3.h"

#define PRIO_MASK 0xf8u
#define CTLR_CBPR 1u
#define CTLR_EOIMODE 2u
/* 5 priority bits, 24-bit numbers, affinity 3. */
#define CTLR_FIXED (4u << 8 | 1u << 11 | 1u << 15)
#define EL3_EOIMODE 4u
#define EL3_RM 0x20u
#define EL3_NDS (1u << 17)
#define HCR_FMO (1ull << 3)
#define HCR_IMO (1ull << 4)
#define SCR_NS 1u
#define SCR_IRQ 2u
#define SCR_FIQ 4u
#define ICH_TC (1u << 10)
#define ICH_TALL0 (1u << 11)
#define ICH_TALL1 (1u << 12)
#define ICH_TDIR (1u << 14)

/* ---- state of the CPU ---- */

/* Which bank of registers, and which view of priorities, this access has. */
static bool view_ns(const Gicv3Redist *r, const ArmCpuView *v)
{
    if (gicv3_one_state(r->gic) || !v->has_el3) {
        return true;
    }
    return v->el == 3 ? v->scr_el3 & SCR_NS : !v->secure;
}

static Gicv3Group group1_of(const Gicv3Redist *r, const ArmCpuView *v)
{
    return view_ns(r, v) ? G1NS : G1S;
}

static uint32_t *ctlr_of(Gicv3Redist *r, const ArmCpuView *v)
{
    return &r->icc_ctlr[view_ns(r, v) ? 1 : 0];
}

/* 4.8.6: non-secure software where FIQs are EL3's sees the lower half of priorities shifted. */
static bool shifted(const Gicv3Redist *r, const ArmCpuView *v)
{
    return !gicv3_one_state(r->gic) && v->has_el3 && v->el < 3 && !v->secure &&
           (v->scr_el3 & SCR_FIQ);
}

/* ---- priorities ---- */

static uint8_t group_mask(const Gicv3Redist *r, Gicv3Group group)
{
    unsigned bank = group == G1NS ? 1 : 0;
    bool common = group != G0 && (r->icc_ctlr[bank] & CTLR_CBPR);
    unsigned bpr = common ? r->bpr[G0] : r->bpr[group];

    /* G1NS counts from one lower unless it shares the register. */
    if (group == G1NS && !common) {
        bpr--;
    }
    return 0xffu << (bpr + 1);
}

static unsigned lowest(const Gicv3Redist *r, Gicv3Group *group)
{
    unsigned best = GICV3_IDLE;

    for (unsigned g = 0; g < GICV3_GROUPS; g++) {
        unsigned p = r->apr[g] ? (unsigned)__builtin_ctz(r->apr[g]) << 3 : GICV3_IDLE;

        if (p < best) {
            best = p;
            *group = g;
        }
    }
    return best;
}

static unsigned running(const Gicv3Redist *r)
{
    Gicv3Group g;

    return lowest(r, &g);
}

static bool can_preempt(const Gicv3Redist *r)
{
    return r->best.irq != GICV3_SPURIOUS && r->best.prio < r->pmr && r->igrpen[r->best.group] &&
           (r->best.prio & group_mask(r, r->best.group)) < running(r);
}

void gicv3_drive_lines(Gicv3Redist *r)
{
    bool irq = false, fiq = false;

    if (can_preempt(r)) {
        if (r->best.group == G0) {
            fiq = true;
        } else if (!gicv3_one_state(r->gic)) {
            ArmCpuView v;

            /* Table 4-2. */
            arm_cpu_view(r->cpu, &v);
            bool secure = v.secure || v.el == 3;

            fiq = (v.el == 3 && v.el3_aarch64) || secure != (r->best.group == G1S);
        }
        irq = !fiq;
    }
    irq_set(&r->fiq, fiq);
    irq_set(&r->irq, irq);
}

/* ---- acknowledge and end ---- */

static uint32_t visible_pending(Gicv3Redist *r, const ArmCpuView *v, bool grp1)
{
    Gicv3Group g = r->best.group;

    if (r->best.irq == GICV3_SPURIOUS || (grp1 ? g != group1_of(r, v) : g != G0)) {
        /* 4.1.1: EL3 is told where the interrupt belongs. */
        if (r->best.irq != GICV3_SPURIOUS && v->el == 3 && (r->icc_ctlr_el3 & EL3_RM)) {
            return g == G1S ? 1020 : 1021;
        }
        return GICV3_SPURIOUS;
    }
    return r->best.irq;
}

static uint32_t acknowledge(Gicv3Redist *r, const ArmCpuView *v, bool grp1)
{
    if (!can_preempt(r)) {
        return GICV3_SPURIOUS;
    }
    uint32_t irq = visible_pending(r, v, grp1);

    if (irq < 1020 || irq >= GICV3_LPI_FIRST) {
        r->apr[r->best.group] |= 1u << ((r->best.prio & group_mask(r, r->best.group)) >> 3);
        gicv3_activate(r, irq);
    }
    return irq;
}

static bool eoi_split(Gicv3Redist *r, const ArmCpuView *v)
{
    return v->el == 3 ? r->icc_ctlr_el3 & EL3_EOIMODE : *ctlr_of(r, v) & CTLR_EOIMODE;
}

static void end_interrupt(Gicv3Redist *r, const ArmCpuView *v, bool grp1, uint32_t irq)
{
    Gicv3Group group = G0;

    if (irq >= 1020 && irq < GICV3_LPI_FIRST) {
        return;
    }
    if (lowest(r, &group) == GICV3_IDLE ||
        (grp1 ? group == G0 || (group == G1S && view_ns(r, v) && v->el < 3) : group != G0)) {
        return;
    }
    r->apr[group] &= r->apr[group] - 1;
    if (!eoi_split(r, v) && irq < GICV3_LPI_FIRST) {
        gicv3_deactivate(r, irq);
    }
    gicv3_drive_lines(r);
}

static void write_dir(Gicv3Redist *r, const ArmCpuView *v, uint32_t irq)
{
    if (irq < r->gic->num_irq && eoi_split(r, v)) {
        bool ok = !shifted(r, v) || gicv3_irq_group(r, irq) == G1NS;

        if (ok) {
            gicv3_deactivate(r, irq);
        }
    }
}

/* ---- software generated interrupts ---- */

static bool sgi_allowed(const Gicv3Redist *t, unsigned irq, Gicv3Group group, bool ns)
{
    Gicv3Group has = gicv3_irq_group(t, irq);

    if (has == group) {
        return true;
    }
    /* 12.11.9: NSACR lets non-secure software send secure ones. */
    unsigned nsac = t->nsacr >> 2 * irq & 3;

    return ns && !gicv3_one_state(t->gic) &&
           ((has == G0 && nsac >= 1) || (has == G1S && nsac >= 2));
}

static void send_sgi(Gicv3Redist *r, bool ns, Gicv3Group group, uint64_t value)
{
    unsigned irq = value >> 24 & 15;
    uint64_t cluster =
        (value >> 48 & 0xff) << 32 | (value >> 32 & 0xff) << 16 | (value >> 16 & 0xff) << 8;
    unsigned range = value >> 44 & 15;

    for (unsigned i = 0; i < r->gic->redists->len; i++) {
        Gicv3Redist *t = g_ptr_array_index(r->gic->redists, i);
        unsigned aff0 = t->mpidr & 0xff;
        bool hit = value >> 40 & 1 ? t != r
                                   : (t->mpidr & 0xff00ffff00ull) == cluster &&
                                         aff0 / 16 == range && (value >> (aff0 & 15) & 1);

        if (hit && sgi_allowed(t, irq, group, ns)) {
            gicv3_set_sgi(t, irq);
        }
    }
}

static void write_sgi(Gicv3Redist *r, const ArmCpuView *v, unsigned reg, uint64_t value)
{
    bool ns = view_ns(r, v);
    Gicv3Group group = reg == ICC_SGI0R ? G0 : (reg == ICC_SGI1R) == ns ? G1NS : G1S;

    if (gicv3_one_state(r->gic) && group == G1S) {
        group = G0;
    }
    send_sgi(r, ns, group, value);
}

/* ---- registers that depend on the view ---- */

static uint64_t read_pmr(Gicv3Redist *r, const ArmCpuView *v)
{
    if (shifted(r, v)) {
        return r->pmr & 0x80 ? r->pmr << 1 & 0xff : 0;
    }
    return r->pmr;
}

static void write_pmr(Gicv3Redist *r, const ArmCpuView *v, uint8_t value)
{
    if (shifted(r, v)) {
        if (!(r->pmr & 0x80)) {
            return;
        }
        value = value >> 1 | 0x80;
    }
    r->pmr = value & PRIO_MASK;
    gicv3_drive_lines(r);
}

static uint64_t read_rpr(Gicv3Redist *r, const ArmCpuView *v)
{
    unsigned p = running(r);

    if (p == GICV3_IDLE) {
        return 0xff;
    }
    return shifted(r, v) ? (p & 0x80 ? p << 1 & 0xff : 0) : p;
}

static uint64_t read_bpr(Gicv3Redist *r, const ArmCpuView *v, bool grp1)
{
    Gicv3Group g = grp1 ? group1_of(r, v) : G0;

    if (grp1 && (*ctlr_of(r, v) & CTLR_CBPR)) {
        return g == G1NS && v->el < 3 ? MIN(r->bpr[G0] + 1, 7) : r->bpr[G0];
    }
    return r->bpr[g];
}

static void write_bpr(Gicv3Redist *r, const ArmCpuView *v, bool grp1, uint32_t value)
{
    Gicv3Group g = grp1 ? group1_of(r, v) : G0;

    if (grp1 && (*ctlr_of(r, v) & CTLR_CBPR)) {
        if (g == G1NS) {
            return;
        }
        g = G0;
    }
    r->bpr[g] = MAX(value & 7, g == G1NS ? 3u : 2u);
    gicv3_drive_lines(r);
}

/* ---- who may ---- */

static bool is_group0(unsigned reg)
{
    return reg <= ICC_IGRPEN;
}

static bool is_group1(unsigned reg)
{
    return reg & ICC_GROUP1;
}

/* Whether the access is one of a guest to its virtual interface. */
static bool is_virtual(const ArmCpuView *v, unsigned reg)
{
    uint64_t mask = is_group1(reg) ? HCR_IMO : is_group0(reg) ? HCR_FMO : HCR_IMO | HCR_FMO;

    return v->el == 1 && v->has_el2 && (v->hcr_el2 & mask) && reg != ICC_SRE;
}

static ArmSysregResult check(Gicv3Redist *r, const ArmCpuView *v, unsigned reg)
{
    bool el2 = v->el == 1 && v->has_el2 && (!v->has_el3 || !v->secure);
    bool sgi = reg >= ICC_SGI0R && reg <= ICC_ASGI1R;
    uint32_t trap = is_group1(reg)   ? ICH_TALL1
                    : is_group0(reg) ? ICH_TALL0
                    : reg == ICC_SRE ? 0
                                     : ICH_TC;

    trap |= reg == ICC_DIR ? ICH_TDIR : 0;
    if (el2 && (r->ich_hcr & trap)) {
        return ARM_SYSREG_TRAP_EL2;
    }
    if (el2 && sgi && (v->hcr_el2 & (HCR_IMO | HCR_FMO))) {
        return ARM_SYSREG_TRAP_EL2;
    }
    if (v->has_el3 && v->el < 3 && !is_virtual(v, reg) && reg != ICC_SRE) {
        uint64_t need = is_group1(reg) ? SCR_IRQ : is_group0(reg) ? SCR_FIQ : SCR_IRQ | SCR_FIQ;

        if ((v->scr_el3 & need) == need) {
            return ARM_SYSREG_TRAP_EL3;
        }
    }
    return ARM_SYSREG_OK;
}

/* ---- rows' hooks ---- */

static uint64_t read_register(Gicv3Redist *r, const ArmCpuView *v, unsigned reg)
{
    bool grp1 = is_group1(reg);

    switch (reg & ~(unsigned)ICC_GROUP1) {
    case ICC_IAR:
        return acknowledge(r, v, grp1);
    case ICC_HPPIR:
        return visible_pending(r, v, grp1);
    case ICC_BPR:
        return read_bpr(r, v, grp1);
    case ICC_AP:
        return r->apr[grp1 ? group1_of(r, v) : G0];
    case ICC_IGRPEN:
        return r->igrpen[grp1 ? group1_of(r, v) : G0];
    case ICC_PMR:
        return read_pmr(r, v);
    case ICC_RPR:
        return read_rpr(r, v);
    case ICC_CTLR:
        return *ctlr_of(r, v) | CTLR_FIXED;
    case ICC_SRE:
        return 7;
    case ICC_SRE_EL2:
    case ICC_SRE_EL3:
        return 15;
    case ICC_CTLR_EL3:
        return r->icc_ctlr_el3 | CTLR_FIXED | (gicv3_one_state(r->gic) ? EL3_NDS : 0) |
               (r->icc_ctlr[0] & CTLR_CBPR) | (r->icc_ctlr[1] & CTLR_CBPR) << 1 |
               (r->icc_ctlr[0] & CTLR_EOIMODE) << 2 | (r->icc_ctlr[1] & CTLR_EOIMODE) << 3;
    case ICC_IGRPEN1_EL3:
        return r->igrpen[G1NS] | r->igrpen[G1S] << 1;
    default:
        return 0;
    }
}

static void write_ctlr_el3(Gicv3Redist *r, uint32_t value)
{
    r->icc_ctlr_el3 = value & (EL3_EOIMODE | EL3_RM);
    r->icc_ctlr[0] = (value & 1 ? CTLR_CBPR : 0) | (value & 8 ? CTLR_EOIMODE : 0);
    r->icc_ctlr[1] = (value & 2 ? CTLR_CBPR : 0) | (value & 16 ? CTLR_EOIMODE : 0);
    gicv3_drive_lines(r);
}

static void write_register(Gicv3Redist *r, const ArmCpuView *v, unsigned reg, uint64_t value)
{
    bool grp1 = is_group1(reg);

    switch (reg & ~(unsigned)ICC_GROUP1) {
    case ICC_EOIR:
        end_interrupt(r, v, grp1, value & 0xffffff);
        break;
    case ICC_BPR:
        write_bpr(r, v, grp1, value);
        break;
    case ICC_AP:
        r->apr[grp1 ? group1_of(r, v) : G0] = value;
        gicv3_drive_lines(r);
        break;
    case ICC_IGRPEN:
        r->igrpen[grp1 ? group1_of(r, v) : G0] = value & 1;
        gicv3_drive_lines(r);
        break;
    case ICC_PMR:
        write_pmr(r, v, value);
        break;
    case ICC_DIR:
        write_dir(r, v, value & 0xffffff);
        break;
    case ICC_CTLR:
        *ctlr_of(r, v) = value & (CTLR_CBPR | CTLR_EOIMODE);
        gicv3_drive_lines(r);
        break;
    case ICC_SGI0R:
    case ICC_SGI1R:
    case ICC_ASGI1R:
        write_sgi(r, v, reg, value);
        break;
    case ICC_CTLR_EL3:
        write_ctlr_el3(r, value);
        break;
    case ICC_IGRPEN1_EL3:
        r->igrpen[G1NS] = value & 1;
        r->igrpen[G1S] = value >> 1 & 1;
        gicv3_drive_lines(r);
        break;
    }
}

static ArmSysregResult icc_read(Cpu *cpu, void *opaque, const ArmSysregRow *row, uint64_t *value)
{
    Gicv3Redist *r = opaque;
    ArmCpuView v;

    arm_cpu_view(cpu, &v);
    ArmSysregResult result = check(r, &v, row->aux);

    if (result == ARM_SYSREG_OK) {
        *value = is_virtual(&v, row->aux) ? gicv3_virt_read(r, row->aux)
                                          : read_register(r, &v, row->aux);
    }
    return result;
}

static ArmSysregResult icc_write(Cpu *cpu, void *opaque, const ArmSysregRow *row, uint64_t value)
{
    Gicv3Redist *r = opaque;
    ArmCpuView v;

    arm_cpu_view(cpu, &v);
    ArmSysregResult result = check(r, &v, row->aux);

    if (result == ARM_SYSREG_OK && is_virtual(&v, row->aux)) {
        gicv3_virt_write(r, row->aux, value);
    } else if (result == ARM_SYSREG_OK) {
        write_register(r, &v, row->aux, value);
    }
    return result;
}

/* clang-format off */
/* op1, crn, crm, op2 are those of both forms. */
#define ROW_RW(n, op1, crn, crm, op2, el, a) { .name = n, .id = ARM_SYSREG(3, op1, crn, crm, op2), \
    .cp15 = ARM_CP15(0, op1, crn, crm, op2), .min_el = el, .read = icc_read, .write = icc_write, .aux = a }
#define ROW_R(n, op1, crn, crm, op2, el, a) { .name = n, .id = ARM_SYSREG(3, op1, crn, crm, op2), \
    .cp15 = ARM_CP15(0, op1, crn, crm, op2), .min_el = el, .read = icc_read, .aux = a }
#define ROW_W(n, op1, crn, crm, op2, el, a) { .name = n, .id = ARM_SYSREG(3, op1, crn, crm, op2), \
    .cp15 = ARM_CP15(0, op1, crn, crm, op2), .min_el = el, .write = icc_write, .aux = a }
/* Written by MCRR. */
#define ROW_SGI(n, op2, cp_op1, a) { .name = n, .id = ARM_SYSREG(3, 0, 12, 11, op2), \
    .cp15 = ARM_CP15(1, cp_op1, 0, 12, 0), .min_el = 1, .write = icc_write, .aux = a }

const ArmSysregRow gicv3_sysregs[] = {
    ROW_RW("ICC_PMR_EL1", 0, 4, 6, 0, 1, ICC_PMR),
    ROW_R("ICC_IAR0_EL1", 0, 12, 8, 0, 1, ICC_IAR),
    ROW_W("ICC_EOIR0_EL1", 0, 12, 8, 1, 1, ICC_EOIR),
    ROW_R("ICC_HPPIR0_EL1", 0, 12, 8, 2, 1, ICC_HPPIR),
    ROW_RW("ICC_BPR0_EL1", 0, 12, 8, 3, 1, ICC_BPR),
    ROW_RW("ICC_AP0R0_EL1", 0, 12, 8, 4, 1, ICC_AP),
    ROW_RW("ICC_AP1R0_EL1", 0, 12, 9, 0, 1, ICC_AP | ICC_GROUP1),
    ROW_W("ICC_DIR_EL1", 0, 12, 11, 1, 1, ICC_DIR),
    ROW_R("ICC_RPR_EL1", 0, 12, 11, 3, 1, ICC_RPR),
    ROW_SGI("ICC_SGI1R_EL1", 5, 0, ICC_SGI1R),
    ROW_SGI("ICC_ASGI1R_EL1", 6, 1, ICC_ASGI1R),
    ROW_SGI("ICC_SGI0R_EL1", 7, 2, ICC_SGI0R),
    ROW_R("ICC_IAR1_EL1", 0, 12, 12, 0, 1, ICC_IAR | ICC_GROUP1),
    ROW_W("ICC_EOIR1_EL1", 0, 12, 12, 1, 1, ICC_EOIR | ICC_GROUP1),
    ROW_R("ICC_HPPIR1_EL1", 0, 12, 12, 2, 1, ICC_HPPIR | ICC_GROUP1),
    ROW_RW("ICC_BPR1_EL1", 0, 12, 12, 3, 1, ICC_BPR | ICC_GROUP1),
    ROW_RW("ICC_CTLR_EL1", 0, 12, 12, 4, 1, ICC_CTLR),
    ROW_RW("ICC_SRE_EL1", 0, 12, 12, 5, 1, ICC_SRE),
    ROW_RW("ICC_IGRPEN0_EL1", 0, 12, 12, 6, 1, ICC_IGRPEN),
    ROW_RW("ICC_IGRPEN1_EL1", 0, 12, 12, 7, 1, ICC_IGRPEN | ICC_GROUP1),
    ROW_RW("ICC_SRE_EL2", 4, 12, 9, 5, 2, ICC_SRE_EL2),
    ROW_RW("ICC_CTLR_EL3", 6, 12, 12, 4, 3, ICC_CTLR_EL3),
    ROW_RW("ICC_SRE_EL3", 6, 12, 12, 5, 3, ICC_SRE_EL3),
    ROW_RW("ICC_IGRPEN1_EL3", 6, 12, 12, 7, 3, ICC_IGRPEN1_EL3),
    { 0 },
};
/* clang-format on */
