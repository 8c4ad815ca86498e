// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Coprocessor 15 registers of which Secure and Non-secure state have one each where EL3 uses
 * AArch32 (G5.1, table G5-2). The fields of ArmCpu are those of the state that runs; `world` keeps
 * the other state's. Monitor mode runs with the secure ones, its accesses go where SCR.NS says
 * (G1.9.1).
 */
#include "target-arm/cpu.h"

#include "target-arm/sysreg.h"

#define F(f) offsetof(ArmCpu, f)

static const uint32_t fields[ARM_A32_BANKED] = {
    F(sctlr[1]), F(actlr[1]), F(csselr), F(ttbr0[1]), F(ttbr1[1]), F(tcr[1]), F(dacr), F(esr[1]),
    F(ifsr), F(far[1]), F(afsr0[1]), F(afsr1[1]), F(par), F(mair[1]), F(amair[1]), F(vbar[1]),
    F(contextidr[1]), F(tpidr_el0), F(tpidrro_el0), F(tpidr[1]),
};

static uint64_t *field_of(ArmCpu *c, unsigned i)
{
    return (uint64_t *)((char *)c + fields[i]);
}

static void swap(ArmCpu *c)
{
    for (unsigned i = 0; i < ARM_A32_BANKED; i++) {
        uint64_t *f = field_of(c, i), v = *f;

        *f = c->world[i];
        c->world[i] = v;
    }
}

bool arm_a32_banked(const ArmCpu *c)
{
    return c->has_el3 && !c->aarch64_prop && !arm_has(c, FEATURE_M);
}

void arm_a32_banks_reset(ArmCpu *c)
{
    c->world_is_secure = false;
    for (unsigned i = 0; i < ARM_A32_BANKED; i++) {
        c->world[i] = *field_of(c, i);
    }
}

void arm_a32_world(ArmCpu *c)
{
    if (!arm_a32_banked(c) || arm_secure(c) != c->world_is_secure) {
        return;
    }
    swap(c);
    c->world_is_secure = !c->world_is_secure;
    tlb_flush_modes(&c->cpu, 1u << MMU_EL0 | 1u << MMU_EL1 | 1u << MMU_EL1_PAN);
    arm_a32_space_changed(c);
}

bool arm_a32_reach(ArmCpu *c, const ArmSysreg *r)
{
    if (!arm_a32_banked(c) || (c->pstate & 31) != A32_MON || !(c->scr & SCR_NS)) {
        return false;
    }
    for (unsigned i = 0; i < ARM_A32_BANKED; i++) {
        if (fields[i] == r->field) {
            swap(c);
            return true;
        }
    }
    return false;
}

void arm_a32_reached(ArmCpu *c)
{
    swap(c);
    tlb_flush(&c->cpu);
    arm_a32_space_changed(c);
}
