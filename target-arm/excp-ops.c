// SPDX-License-Identifier: GPL-2.0-or-later
/* Instructions that raise exceptions, return from them, or wait. C6.2, D1.3. */
#include "target-arm/helpers.h"
#include "target-arm/debug.h"

#include "qom/vm.h"
#include "util/main-loop.h"

void helper_raise(Cpu *cpu, uint32_t kind, uint32_t syndrome)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned target = arm_default_el(c);

    if (kind == ARM_EXC_BKPT) {
        target = MAX(target, arm_debug_target(c));
        c->mdscr = (c->mdscr & ~0x3cull) | 3 << 2;      /* MOE: BKPT */
    }
    if (kind == ARM_EXC_PC_ALIGN) {
        cpu_restore_state(cpu, host_pc);
        host_pc = 0;
        c->exc.va = c->pc;
        c->exc.has_va = true;
    }
    arm_raise(c, kind, syndrome, target, host_pc);
}

static unsigned hvc_target(ArmCpu *c, uintptr_t host_pc)
{
    if (c->psci_conduit == PSCI_HVC) {
        return MAX(arm_el(c), 1u);
    }
    bool allowed = c->has_el3 ? c->scr & SCR_HCE : !(c->hcr & HCR_HCD);

    if (!c->has_el2 || !allowed ||
        (arm_secure_below_el3(c) && arm_el(c) < 3 && !(c->scr & SCR_EEL2))) {
        arm_undefined(c, host_pc);
    }
    return MAX(arm_el(c), 2u);
}

static unsigned smc_target(ArmCpu *c, uint32_t syndrome, uintptr_t host_pc)
{
    if (arm_el(c) == 1 && arm_hcr(c) & HCR_TSC) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
    if (c->psci_conduit == PSCI_SMC) {
        return MAX(arm_el(c), 1u);
    }
    if (!c->has_el3 || c->scr & SCR_SMD) {
        arm_undefined(c, host_pc);
    }
    return 3;
}

static unsigned call_target(ArmCpu *c, unsigned kind, uint32_t syndrome, uintptr_t host_pc)
{
    unsigned target = arm_default_el(c);

    if (kind == ARM_EXC_HVC) {
        target = hvc_target(c, host_pc);
    } else if (kind == ARM_EXC_SMC) {
        target = smc_target(c, syndrome, host_pc);
    }
    return target;
}

void helper_raise_next(Cpu *cpu, uint32_t kind, uint32_t syndrome, uint64_t next)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned target = call_target(c, kind, syndrome, host_pc);

    cpu_restore_state(cpu, host_pc);
    c->pc = next;
    c->pstate &= ~PSTATE_SS;            /* the instruction has been stepped */
    arm_raise(c, kind, syndrome, target, 0);
}

void helper_a32_raise_next(Cpu *cpu, uint32_t kind, uint32_t syndrome, uint64_t next, uint32_t it)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned target = call_target(c, kind, syndrome, host_pc);

    cpu_restore_state(cpu, host_pc);
    c->pc = next;
    c->it = it;
    c->pstate &= ~PSTATE_SS;
    arm_raise(c, kind, syndrome, target, 0);
}

void helper_fp_trap(Cpu *cpu, uint32_t level)
{
    ArmCpu *c = ARM(cpu);

    if (level == 1 && arm_el(c) == 0 && arm_hcr(c) & HCR_TGE) {
        level = 2;
    }
    arm_raise(c, ARM_EXC_UNDEF, esr(EC_FP, 0x1e00000 & (arm_el_is_a64(c, level) ? ~0u : 0)), level,
              HOST_PC());
}

/* ---- return ---- */

/* D1.3.4: whether spsr names a state that can be returned to. */
static bool legal_return(const ArmCpu *c, uint64_t spsr)
{
    unsigned el = arm_el(c), to = spsr >> 2 & 3;

    if (spsr & PSTATE_A32) {
        unsigned mode = spsr & 31;

        to = mode == A32_USR ? 0 : mode == A32_HYP ? 2 : mode == A32_MON ? 3 : 1;
        if (mode != A32_USR && (mode < A32_FIQ || mode == 20 || mode == 21 ||
                                (mode > A32_ABT && mode < A32_UND && mode != A32_HYP) ||
                                mode == 28 || mode == 29 || mode == 30)) {
            return false;
        }
        if (to > el || to == 3 || !arm_has(c, FEATURE_V8)) {
            return false;
        }
        return to == 0 ? true : !arm_el_is_a64(c, to);
    }
    if (to > el || spsr & 2 || (to == 0 && spsr & 1) || (to == 2 && !arm_el2_enabled(c))) {
        return false;
    }
    if (to == 1 && arm_hcr(c) & HCR_TGE) {
        return false;
    }
    return to == 0 || arm_el_is_a64(c, to);
}

void helper_eret(Cpu *cpu, uint32_t auth, uint32_t key)
{
    ArmCpu *c = ARM(cpu);
    unsigned el = arm_el(c);
    uint64_t spsr = c->spsr[el], ret = c->elr[el];

    if (auth) {
        ret = helper_pauth_auth(cpu, ret, c->x[31], key);
    }
    c->excl_addr = UINT64_MAX;
    if (!legal_return(c, spsr)) {
        c->pstate |= PSTATE_IL;
        arm_set_nzcv(c, spsr >> 28 & 15);
        c->pstate = (c->pstate & ~PSTATE_DAIF) | ((uint32_t)spsr & PSTATE_DAIF);
        c->pc = ret;
        arm_el_changed(c);
        return;
    }
    bool stepped = arm_step_active(c, el);

    c->event = true;
    c->bti_source = 1;
    arm_set_pstate(c, spsr);
    if (stepped || !arm_step_active(c, arm_el(c))) {
        c->pstate &= ~PSTATE_SS;        /* D2.12.4 */
    }
    if (!(spsr & PSTATE_A32)) {
        c->pstate &= ~(arm_has(c, FEATURE_UAO) ? 0 : PSTATE_UAO) &
                     ~(arm_has(c, FEATURE_PAN) ? 0 : PSTATE_PAN);
        c->pc = ret;
    } else {
        c->pc = (uint32_t)ret & (spsr & PSTATE_T ? ~1u : ~3u);
    }
    arm_el_changed(c);
}

/* The first instruction after a branch by register, where PSTATE.BTYPE is not 0 (D8.4.6). */
void helper_bti_land(Cpu *cpu, uint32_t types, uint32_t pac)
{
    ArmCpu *c = ARM(cpu);
    unsigned type = c->pstate >> PSTATE_BTYPE_SHIFT & 3, el = arm_el(c);

    if (!(types >> type & 1) &&
        !(type == 3 && pac &&
          !(c->sctlr[arm_regime_el(c, el)] & (el == 0 ? SCTLR_BT0 : SCTLR_BT1)))) {
        uintptr_t host_pc = HOST_PC();

        cpu_restore_state(cpu, host_pc);
        type = arm_resolve_btype(c);
        if (!(types >> type & 1) && arm_guarded(c, c->pc)) {
            arm_raise(c, ARM_EXC_OTHER, esr(EC_BTI, type), arm_default_el(c), host_pc);
        }
    }
    c->pstate &= ~PSTATE_BTYPE;
}

void helper_sve_trap(Cpu *cpu, uint32_t level)
{
    arm_raise(ARM(cpu), ARM_EXC_OTHER, esr(EC_SVE, 0), level, HOST_PC());
}

/* ---- waiting ---- */

static _Noreturn void wait(ArmCpu *c, uint64_t next, uintptr_t host_pc)
{
    cpu_restore_state(&c->cpu, host_pc);
    c->pc = next;
    if (arm_is_a32(c) && c->it) {
        c->it = (c->it & 0xe0) | (c->it << 1 & 0x1f);
        c->it = c->it & 15 ? c->it : 0;
    }
    c->cpu.halted = true;
    cpu_raise(&c->cpu, CPU_EXC_HALT, 0);
}

/* WFI and WFE are trapped by SCTLR_EL1.nTWx, HCR_EL2.TWx, SCR_EL3.TWx. */
static void check_wfx(ArmCpu *c, bool wfe, uintptr_t host_pc)
{
    unsigned el = arm_el(c);
    uint32_t syndrome = esr(EC_WFX, 0x1e00000 | wfe);
    uint64_t sctlr = c->sctlr[arm_regime_el(c, el)];

    if (el == 0 && arm_has(c, FEATURE_V8) && !(sctlr & (wfe ? SCTLR_nTWE : SCTLR_nTWI))) {
        arm_raise(c, ARM_EXC_OTHER, syndrome, arm_default_el(c), host_pc);
    }
    if (el < 2 && arm_hcr(c) & (wfe ? HCR_TWE : HCR_TWI)) {
        arm_raise(c, ARM_EXC_HYP_TRAP, syndrome, 2, host_pc);
    }
    if (el < 3 && c->has_el3 && c->aarch64_prop && c->scr & (wfe ? SCR_TWE : SCR_TWI)) {
        arm_raise(c, ARM_EXC_MON_TRAP, syndrome, 3, host_pc);
    }
}

void helper_wfi(Cpu *cpu, uint64_t next)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();

    if (arm_has_work(cpu)) {
        return;
    }
    check_wfx(c, false, host_pc);
    wait(c, next, host_pc);
}

/*
 * The event stream and SEV of others would be needed to sleep safely: an event wakes, else others
 * run.
 */
void helper_wfe(Cpu *cpu, uint64_t next)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();

    if (c->event) {
        c->event = false;
        return;
    }
    check_wfx(c, true, host_pc);
    cpu_restore_state(cpu, host_pc);
    c->pc = next;
    cpu_raise(cpu, CPU_EXC_YIELD, 0);
}

void helper_yield(Cpu *cpu, uint64_t next)
{
    ArmCpu *c = ARM(cpu);

    cpu_restore_state(cpu, HOST_PC());
    c->pc = next;
    cpu_raise(cpu, CPU_EXC_YIELD, 0);
}

void helper_sev(Cpu *cpu)
{
    bool taken = arm_lock();

    for (unsigned i = 0; i < cpu->dev.vm->cpus->len; i++) {
        Cpu *other = cpu->dev.vm->cpus->pdata[i];

        ARM(other)->event = true;
    }
    arm_unlock(taken);
}

void helper_sevl(Cpu *cpu)
{
    ARM(cpu)->event = true;
}

/* ---- PSTATE ---- */

void helper_msr_spsel(Cpu *cpu, uint32_t sel)
{
    arm_set_spsel(ARM(cpu), sel);
}

void helper_msr_daif(Cpu *cpu, uint32_t bits, uint32_t set)
{
    ArmCpu *c = ARM(cpu);

    if (arm_el(c) == 0 && !(c->sctlr[arm_regime_el(c, 0)] & SCTLR_UMA)) {
        arm_raise(c, ARM_EXC_OTHER,
                  esr(EC_SYSREG, 0x3e0000 | 3u << 14 | (set ? 6u : 7u) << 17 | 4u << 10 |
                                     (bits >> 6) << 1 | 0x1fu << 5),
                  arm_default_el(c), HOST_PC());
    }
    c->pstate = set ? c->pstate | bits : c->pstate & ~bits;
}
