// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access to system registers: look-up by encoding, level and trap checks, the way to a device's
 * registers. The rows are in sysreg-*.c. D17.1, D1.4.
 */
#include "target-arm/sysreg.h"

#include <string.h>
#include "target-arm/helpers.h"
#include "util/log.h"

static const ArmSysreg *const tables[] = {
    arm_sysregs_el1, arm_sysregs_id,    arm_sysregs_timer, arm_sysregs_debug,
    arm_sysregs_pmu, arm_sysregs_maint, arm_sysregs_el2,
};
static const ArmSysreg *const cp15_tables[] = {arm_cp15_regs, arm_cp15_maint, arm_cp14_debug,
                                               arm_cp15_pmu};

static gpointer build(gpointer which)
{
    GHashTable *h = g_hash_table_new(NULL, NULL);
    const ArmSysreg *const *list = which ? cp15_tables : tables;
    size_t n = which ? ARRAY_COUNT(cp15_tables) : ARRAY_COUNT(tables);

    for (size_t t = 0; t < n; t++) {
        for (const ArmSysreg *r = list[t]; r->name; r++) {
            /* two rows for an encoding hide each other */
            bool first = g_hash_table_insert(h, GUINT_TO_POINTER(r->id), (gpointer)r);

            g_assert(first);
        }
    }
    return h;
}

const ArmSysreg *arm_sysreg_find(uint32_t id)
{
    static GOnce once = G_ONCE_INIT;    /* an index of constant tables */

    return g_hash_table_lookup(g_once(&once, build, NULL), GUINT_TO_POINTER(id));
}

const ArmSysreg *arm_cp15_find(uint32_t id)
{
    static GOnce once = G_ONCE_INIT;    /* likewise */

    return g_hash_table_lookup(g_once(&once, build, GUINT_TO_POINTER(1)), GUINT_TO_POINTER(id));
}

void arm_sysregs_reset(ArmCpu *c)
{
    for (size_t t = 0; t < ARRAY_COUNT(tables); t++) {
        for (const ArmSysreg *r = tables[t]; r->name; r++) {
            if (r->field && !(r->flags & SR_CONST)) {
                *arm_sysreg_field(c, r) = r->reset;
            }
        }
    }
}

/* ---- devices' registers ---- */

const ArmProvided *arm_provided_find(ArmCpu *c, uint32_t id)
{
    return c->provided ? g_hash_table_lookup(c->provided, GUINT_TO_POINTER(id)) : NULL;
}

/* ---- conditions ---- */

uint32_t arm_sysreg_syndrome(uint32_t id, unsigned rt, bool read)
{
    uint32_t op0 = id >> 14 & 3, op1 = id >> 11 & 7, crn = id >> 7 & 15, crm = id >> 3 & 15,
             op2 = id & 7;

    return esr(EC_SYSREG,
               op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | read);
}

bool arm_sysreg_exists(const ArmCpu *c, const ArmSysreg *r)
{
    unsigned highest = c->has_el3 ? 3 : c->has_el2 ? 2 : 1;

    return !(r->flags & SR_EL3 && !c->has_el3) &&
           !(r->flags & SR_HIGHEST && r->read_el != highest) &&
           (!r->feature || arm_has(c, r->feature));
}

static _Noreturn void trap(ArmCpu *c, uint32_t syndrome, unsigned level, uintptr_t host_pc)
{
    arm_raise(c,
              level == 3   ? ARM_EXC_MON_TRAP
              : level == 2 ? ARM_EXC_HYP_TRAP
                           : ARM_EXC_OTHER,
              syndrome, level, host_pc);
}

void arm_sysreg_refuse(ArmCpu *c, uint32_t id, uint32_t syndrome, uintptr_t host_pc)
{
    unsigned op0 = id >> 14 & 3, op1 = id >> 11 & 7, crn = id >> 7 & 15, crm = id >> 3 & 15;
    bool idst = c->id.mmfr2 >> 36 & 15, read = syndrome & 1;

    if (idst && read && op0 == 3 && (op1 == 0 || op1 == 1 || op1 == 3) && crn == 0 && crm < 8) {
        trap(c, syndrome, arm_default_el(c), host_pc);
    }
    arm_undefined(c, host_pc);
}

/* The row that is meant; raises if it may not be accessed. */
static const ArmSysreg *checked(ArmCpu *c, uint32_t id, unsigned rt, bool read, uintptr_t host_pc)
{
    const ArmSysreg *r = arm_sysreg_find(id);
    unsigned el = arm_el(c);
    uint64_t hcr = arm_hcr(c);
    uint32_t syndrome = arm_sysreg_syndrome(id, rt, read);

    if (!r) {
        /* the rest of the ID space reads as 0 */
        if (read && el > 0 && id >> 7 == ARM_SYSREG(3, 0, 0, 0, 0) >> 7 && (id >> 3 & 15) < 8 &&
            (id >> 3 & 15) > 0) {
            return NULL;
        }
        log_mask(LOG_UNIMP,
                 "access to unknown system register op0=%u op1=%u crn=%u crm=%u op2=%u (%s)\n",
                 id >> 14, id >> 11 & 7, id >> 7 & 15, id >> 3 & 15, id & 7,
                 read ? "read" : "write");
        arm_sysreg_refuse(c, id, syndrome, host_pc);
    }
    if (el < (read ? r->read_el : r->write_el) || (read ? r->flags & SR_WO : r->flags & SR_CONST) ||
        !arm_sysreg_exists(c, r)) {
        if (el == 0 && (r->read_el == 1 || r->write_el == 1) && hcr & HCR_TGE) {
            arm_raise(c, ARM_EXC_UNDEF, esr(EC_UNKNOWN, 0), 2, host_pc);
        }
        arm_sysreg_refuse(c, id, syndrome, host_pc);
    }
    if (r->flags & SR_EL2 && !c->has_el2 && el < 3) {
        arm_undefined(c, host_pc);
    }
    if (r->flags & SR_ALIAS12 && !(hcr & HCR_E2H && el >= 2)) {
        arm_undefined(c, host_pc);
    }
    if (el == 1 && ((r->flags & SR_TVM && hcr & (read ? HCR_TRVM : HCR_TVM)) ||
                    (r->flags & SR_TID3 && read && hcr & HCR_TID3))) {
        trap(c, syndrome, 2, host_pc);
    }
    if (r->check) {
        r->check(c, r, !read, syndrome, host_pc);
    }
    if (r->flags & SR_E2H && hcr & HCR_E2H && (el == 2 || (el == 0 && hcr & HCR_TGE)) &&
        r->redirect) {
        r = arm_sysreg_find(r->redirect);
    }
    return r;
}

uint64_t arm_sysreg_get(ArmCpu *c, const ArmSysreg *r)
{
    return r->read ? r->read(c, r) : r->field ? *arm_sysreg_field(c, r) : r->reset;
}

void arm_sysreg_set(ArmCpu *c, const ArmSysreg *r, uint64_t v)
{
    if (r->write) {
        r->write(c, r, v);
    } else if (r->field && !(r->flags & SR_IGNORE)) {
        uint64_t *f = arm_sysreg_field(c, r), mask = r->wmask           ? r->wmask
                                                     : r->flags & SR_32 ? UINT32_MAX
                                                                        : UINT64_MAX;

        *f = (*f & ~mask) | (v & mask);
    }
}

/* ---- from translations ---- */

static void provided_result(ArmCpu *c, ArmSysregResult result, uint32_t syndrome, bool taken,
                            uintptr_t host_pc)
{
    arm_unlock(taken);
    switch (result) {
    case ARM_SYSREG_UNDEF:
        arm_undefined(c, host_pc);
    case ARM_SYSREG_TRAP_EL1:
    case ARM_SYSREG_TRAP_EL2:
    case ARM_SYSREG_TRAP_EL3:
        trap(c, syndrome, result - ARM_SYSREG_TRAP_EL1 + 1, host_pc);
    default:
        break;
    }
}

uint64_t helper_sysreg_read(Cpu *cpu, uint32_t id, uint32_t rt)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    const ArmProvided *p = arm_provided_find(c, id);
    uint64_t v = 0;

    if (p) {
        if (arm_el(c) < p->row->min_el || !p->row->read) {
            arm_undefined(c, host_pc);
        }
        bool taken = arm_lock();

        provided_result(c, p->row->read(cpu, p->opaque, p->row, &v),
                        arm_sysreg_syndrome(id, rt, true), taken, host_pc);
        return v;
    }
    const ArmSysreg *r = checked(c, id, rt, true, host_pc);

    if (!r) {
        return 0;
    }
    if (r->flags & SR_LOCK) {
        bool taken = arm_lock();

        v = arm_sysreg_get(c, r);
        arm_unlock(taken);
        return v;
    }
    return arm_sysreg_get(c, r);
}

void helper_sysreg_write(Cpu *cpu, uint32_t id, uint32_t rt, uint64_t value)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    const ArmProvided *p = arm_provided_find(c, id);

    if (p) {
        if (arm_el(c) < p->row->min_el || !p->row->write) {
            arm_undefined(c, host_pc);
        }
        bool taken = arm_lock();

        provided_result(c, p->row->write(cpu, p->opaque, p->row, value),
                        arm_sysreg_syndrome(id, rt, false), taken, host_pc);
        return;
    }
    const ArmSysreg *r = checked(c, id, rt, false, host_pc);
    bool taken = r->flags & SR_LOCK && arm_lock();

    cpu->mem_host_pc = host_pc;     /* cache operations by address may fault */
    arm_sysreg_set(c, r, value);
    cpu->mem_host_pc = 0;
    arm_unlock(taken);
}
