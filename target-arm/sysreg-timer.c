// SPDX-License-Identifier: GPL-2.0-or-later
/* Registers of the generic timers (D17.8). */
#include "target-arm/sysreg.h"

#define F(f) offsetof(ArmCpu, f)

/* ---- timers ---- */

static uint64_t counter_read(ArmCpu *c, const ArmSysreg *r)
{
    uint64_t offset =
        r->aux == GT_VIRT &&
                !(arm_e2h(c) && (arm_el(c) == 2 || (arm_el(c) == 0 && c->hcr & HCR_TGE)))
            ? c->cntvoff
            : 0;

    return arm_counter(c) - offset;
}

static uint64_t frq_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->cntfrq;
}

/* The timer that a name means: at EL2 with E2H the EL0 names mean EL2's timers. */
static unsigned which(const ArmCpu *c, const ArmSysreg *r)
{
    bool host = arm_e2h(c) && (arm_el(c) == 2 || (arm_el(c) == 0 && c->hcr & HCR_TGE));

    if (host && !(r->flags & SR_ALIAS12)) {
        return r->aux == GT_PHYS ? GT_HYP : r->aux == GT_VIRT ? GT_HYPVIRT : r->aux;
    }
    return r->aux;
}

static uint64_t ctl_read(ArmCpu *c, const ArmSysreg *r)
{
    unsigned w = which(c, r);

    arm_timer_update(c, w);
    return c->gt[w].ctl;
}

static void ctl_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    ArmTimer *t = &c->gt[which(c, r)];

    t->ctl = (t->ctl & 4) | (v & 3);
    arm_timer_update(c, which(c, r));
}

static uint64_t cval_read(ArmCpu *c, const ArmSysreg *r)
{
    return c->gt[which(c, r)].cval;
}

static void cval_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->gt[which(c, r)].cval = v;
    arm_timer_update(c, which(c, r));
}

static uint64_t tval_read(ArmCpu *c, const ArmSysreg *r)
{
    unsigned w = which(c, r);

    return (uint32_t)(c->gt[w].cval - (arm_counter(c) - arm_timer_offset(c, w)));
}

static void tval_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    unsigned w = which(c, r);

    c->gt[w].cval = arm_counter(c) - arm_timer_offset(c, w) + (uint64_t)(int64_t)(int32_t)v;
    arm_timer_update(c, w);
}

static void cntvoff_write(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    c->cntvoff = v;
    arm_timer_update(c, GT_VIRT);
}

/*
 * CNTKCTL_EL1 and CNTHCTL_EL2 let EL0 and EL1 in. aux: GT_*; bit 8 in `redirect`: the counter or
 * CNTFRQ.
 */
static void gt_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                     uintptr_t host_pc)
{
    unsigned el = arm_el(c);
    bool counter = r->read == counter_read || r->read == frq_read, virt = r->aux == GT_VIRT;
    bool host = (arm_hcr(c) & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);

    if (r->flags & SR_ALIAS12 || el >= 2) {
        return;
    }
    if (el == 0) {
        uint64_t ctl = host ? c->cnthctl : c->cntkctl[1];
        unsigned bits = r->read == frq_read ? 3 : counter ? virt ? 2 : 1 : virt ? 1 << 8 : 1 << 9;

        if (!(ctl & bits)) {
            arm_raise(c, ARM_EXC_OTHER, syndrome, arm_default_el(c), host_pc);
        }
    }
    if (arm_el2_enabled(c) && !virt && !host && r->read != frq_read) {
        unsigned shift = arm_e2h(c) ? 10 : 0;

        if (!(c->cnthctl >> shift & (counter ? 1 : 2))) {
            arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
        }
    }
}

static void sec_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                      uintptr_t host_pc)
{
    if (!c->has_el3 || arm_el(c) == 2) {
        arm_undefined(c, host_pc);
    }
    if (arm_el(c) == 1 && (!arm_secure_below_el3(c) || !(c->scr & SCR_ST))) {
        arm_undefined(c, host_pc);
    }
}

static void vhe_check(ArmCpu *c, const ArmSysreg *r, bool write, uint32_t syndrome,
                      uintptr_t host_pc)
{
    if (!arm_has(c, FEATURE_VHE)) {
        arm_undefined(c, host_pc);
    }
}

#define TIMER(n, op1, crm, el, g, fl, chk)                                                      \
    {.name = n "TVAL",                                                                          \
     .id = ARM_SYSREG(3, op1, 14, crm, 0),                                                      \
     .read_el = el,                                                                             \
     .write_el = el,                                                                            \
     .read = tval_read,                                                                         \
     .write = tval_write,                                                                       \
     .aux = g,                                                                                  \
     .flags = (fl) | SR_LOCK,                                                                   \
     .check = chk},                                                                             \
        {.name = n "CTL",                                                                       \
         .id = ARM_SYSREG(3, op1, 14, crm, 1),                                                  \
         .read_el = el,                                                                         \
         .write_el = el,                                                                        \
         .read = ctl_read,                                                                      \
         .write = ctl_write,                                                                    \
         .aux = g,                                                                              \
         .flags = (fl) | SR_LOCK,                                                               \
         .check = chk},                                                                         \
    {                                                                                           \
        .name = n "CVAL", .id = ARM_SYSREG(3, op1, 14, crm, 2), .read_el = el, .write_el = el,  \
        .read = cval_read, .write = cval_write, .aux = g, .flags = (fl) | SR_LOCK, .check = chk \
    }

// clang-format off
const ArmSysreg arm_sysregs_timer[] = {
    {.name = "CNTFRQ_EL0", .id = ARM_SYSREG(3, 3, 14, 0, 0), .write_el = 1, .field = F(cntfrq), .read = frq_read, .check = gt_check},
    {.name = "CNTPCT_EL0", .id = ARM_SYSREG(3, 3, 14, 0, 1), .write_el = 4, .read = counter_read, .aux = GT_PHYS, .check = gt_check, .flags = SR_CONST},
    {.name = "CNTVCT_EL0", .id = ARM_SYSREG(3, 3, 14, 0, 2), .write_el = 4, .read = counter_read, .aux = GT_VIRT, .check = gt_check, .flags = SR_CONST},
    {.name = "CNTKCTL_EL1", .id = ARM_SYSREG(3, 0, 14, 1, 0), .read_el = 1, .write_el = 1, .field = F(cntkctl[1]), .flags = SR_E2H | SR_NO_EXIT,
     .redirect = ARM_SYSREG(3, 4, 14, 1, 0)},
    {.name = "CNTKCTL_EL12", .id = ARM_SYSREG(3, 5, 14, 1, 0), .read_el = 2, .write_el = 2, .field = F(cntkctl[1]), .flags = SR_ALIAS12},
    {.name = "CNTHCTL_EL2", .id = ARM_SYSREG(3, 4, 14, 1, 0), .read_el = 2, .write_el = 2, .field = F(cnthctl), .reset = 3, .flags = SR_EL2},
    {.name = "CNTVOFF_EL2", .id = ARM_SYSREG(3, 4, 14, 0, 3), .read_el = 2, .write_el = 2, .field = F(cntvoff), .write = cntvoff_write, .flags = SR_EL2 | SR_LOCK},
    TIMER("CNTP_EL0_", 3, 2, 0, GT_PHYS, 0, gt_check),
    TIMER("CNTV_EL0_", 3, 3, 0, GT_VIRT, 0, gt_check),
    TIMER("CNTP_EL02_", 5, 2, 2, GT_PHYS, SR_ALIAS12, NULL),
    TIMER("CNTV_EL02_", 5, 3, 2, GT_VIRT, SR_ALIAS12, NULL),
    TIMER("CNTHP_EL2_", 4, 2, 2, GT_HYP, SR_EL2, NULL),
    TIMER("CNTHV_EL2_", 4, 3, 2, GT_HYPVIRT, SR_EL2, vhe_check),
    TIMER("CNTPS_EL1_", 7, 2, 1, GT_SEC, 0, sec_check),
    {0},
};
// clang-format on
