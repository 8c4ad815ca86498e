// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exceptions: which level they go to, what is recorded, entry in AArch64 (D1.3) and, in excp-a32.c,
 * in AArch32; interrupts, their masks and routing (D1.3.6, G1.13).
 */
#include "target-arm/cpu.h"

#include "util/log.h"

unsigned arm_default_el(const ArmCpu *c)
{
    unsigned el = arm_el(c);

    if (el == 0) {
        return arm_hcr(c) & HCR_TGE ? 2 : 1;
    }
    return el == 3 && !c->aarch64_prop ? 1 : el;
}

void arm_raise(ArmCpu *c, unsigned kind, uint32_t syndrome, unsigned target_el, uintptr_t host_pc)
{
    c->exc.kind = kind;
    c->exc.syndrome = syndrome;
    c->exc.target_el = target_el;
    if (kind != ARM_EXC_DATA && kind != ARM_EXC_PREFETCH && kind != ARM_EXC_PC_ALIGN) {
        c->exc.has_va = c->exc.has_ipa = false;
    }
    cpu_raise(&c->cpu, (int)kind, host_pc);
}

void arm_undefined(ArmCpu *c, uintptr_t host_pc)
{
    arm_raise(c, ARM_EXC_UNDEF, esr(EC_UNKNOWN, 0), arm_default_el(c), host_pc);
}

/* ---- entry to AArch64 ---- */

static void deliver_a64(ArmCpu *c, unsigned kind, unsigned target)
{
    unsigned from = arm_el(c);
    bool was_a32 = arm_is_a32(c), lower = from < target, a32_below = false;
    uint64_t offset, spsr, ret = c->pc;
    if (c->pstate & PSTATE_BTYPE && !was_a32) {
        arm_resolve_btype(c);
    }
    uint32_t keep = c->pstate & (PSTATE_PAN | PSTATE_DIT | PSTATE_SSBS);

    if (lower) {
        /* the level right below decides between the last two groups of vectors */
        a32_below =
            target == 1 ? was_a32 : !arm_el_is_a64(c, target == 3 && arm_el2_enabled(c) ? 2 : 1);
        if (target == 2 && arm_hcr(c) & HCR_TGE) {
            a32_below = was_a32;
        }
        offset = a32_below ? 0x600 : 0x400;
    } else {
        offset = c->pstate & PSTATE_SP ? 0x200 : 0;
    }
    switch (kind) {
    case ARM_EXC_IRQ:
    case ARM_EXC_VIRQ:
        offset += 0x80;
        break;
    case ARM_EXC_FIQ:
    case ARM_EXC_VFIQ:
        offset += 0x100;
        break;
    case ARM_EXC_SERROR:
    case ARM_EXC_VSERROR:
        offset += 0x180;
        c->esr[target] = c->exc.syndrome;
        break;
    default:
        c->esr[target] = c->exc.syndrome;
        if (c->exc.has_va) {
            c->far[target] = c->exc.va;
        }
        if (target == 2 && c->exc.has_ipa) {
            c->hpfar = c->exc.ipa >> 12 << 4;
        }
    }
    spsr = arm_get_spsr(c);
    arm_set_pstate(c, PSTATE_DAIF | target << PSTATE_EL_SHIFT | PSTATE_SP);
    c->spsr[target] = spsr;
    c->elr[target] = ret;
    c->pstate |= was_a32 ? keep & PSTATE_PAN : keep;
    if (arm_has(c, FEATURE_PAN) && !(c->sctlr[target] & SCTLR_SPAN) &&
        (target == 1 || (target == 2 && arm_e2h(c)))) {
        c->pstate |= PSTATE_PAN;
    }
    c->pstate |= arm_has(c, FEATURE_MTE) ? PSTATE_TCO : 0;
    c->pstate &= ~PSTATE_SSBS;
    c->pstate |= arm_has(c, FEATURE_SSBS) && c->sctlr[target] & SCTLR_DSSBS ? PSTATE_SSBS : 0;
    c->excl_addr = UINT64_MAX;
    c->pc = c->vbar[target] + offset;
    arm_el_changed(c);
}

void arm_deliver(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);
    unsigned kind = c->exc.kind, target = MAX(c->exc.target_el, arm_el(c));

    if (arm_has(c, FEATURE_M)) {
        kind = (unsigned)cpu->exception;
        cpu->exception = CPU_EXC_NONE;
        arm_m_deliver(c, kind);
        return;
    }
    if (log_enabled(LOG_INT)) {
        log_printf("exception kind %u from EL%u to EL%u, ESR %08x, pc %#" PRIx64 ", va %#" PRIx64
                   "\n",
                   kind, arm_el(c), target, c->exc.syndrome, c->pc, c->exc.has_va ? c->exc.va : 0);
    }
    c->cpu.exception = CPU_EXC_NONE;
    if ((kind == ARM_EXC_HVC && c->psci_conduit == PSCI_HVC && arm_psci_call(c, false)) ||
        (kind == ARM_EXC_SMC && c->psci_conduit == PSCI_SMC && arm_psci_call(c, true))) {
        return;
    }
    target = MAX(target, 1u);
    if (arm_el_is_a64(c, target)) {
        deliver_a64(c, kind, target);
    } else {
        arm_deliver_a32(c, kind, c->pc);
    }
}

/* ---- interrupts ---- */

/* Where a physical interrupt goes and whether PSTATE masks it there (D1.3.6.3). */
static bool physical(const ArmCpu *c, uint64_t scr_bit, uint64_t hcr_bit, uint32_t mask,
                     unsigned *target)
{
    unsigned el = arm_el(c);
    uint64_t hcr = arm_hcr(c);
    bool masked = c->pstate & mask;

    if (c->has_el3 && c->scr & scr_bit) {
        *target = 3;
        return el < 3 ? c->aarch64_prop || !masked : !masked;
    }
    if (el == 3 && c->aarch64_prop) {
        return false;       /* routed to a lower level: pending until it runs */
    }
    if (el <= 2 && arm_el2_enabled(c) && (hcr & hcr_bit || hcr & HCR_TGE)) {
        *target = 2;
        return el < 2 ? arm_el_is_a64(c, 2) || !masked : !masked;
    }
    if (el == 2) {
        return false;
    }
    *target = el == 3 && c->aarch64_prop ? 3 : 1;
    return !masked;
}

static bool virtual(const ArmCpu *c, uint64_t hcr_bit, uint32_t mask)
{
    uint64_t hcr = arm_hcr(c);

    return arm_el(c) < 2 && hcr & hcr_bit && !(hcr & HCR_TGE) && !(c->pstate & mask) &&
           !arm_secure_below_el3(c);
}

/* The most urgent interrupt that may be taken now; false: none. */
static bool choose(const ArmCpu *c, uint32_t pending, unsigned *kind, unsigned *target)
{
    uint64_t hcr = arm_hcr(c);

    *target = 1;
    if (pending & ARM_PENDING_FIQ && physical(c, SCR_FIQ, HCR_FMO, PSTATE_F, target)) {
        *kind = ARM_EXC_FIQ;
        return true;
    }
    if (pending & CPU_PENDING_HARD && physical(c, SCR_IRQ, HCR_IMO, PSTATE_I, target)) {
        *kind = ARM_EXC_IRQ;
        return true;
    }
    *target = 1;
    if ((pending & ARM_PENDING_VFIQ || hcr & HCR_VF) && virtual(c, HCR_FMO, PSTATE_F)) {
        *kind = ARM_EXC_VFIQ;
        return true;
    }
    if ((pending & ARM_PENDING_VIRQ || hcr & HCR_VI) && virtual(c, HCR_IMO, PSTATE_I)) {
        *kind = ARM_EXC_VIRQ;
        return true;
    }
    if (hcr & HCR_VSE && virtual(c, HCR_AMO, PSTATE_A)) {
        *kind = ARM_EXC_VSERROR;
        return true;
    }
    return false;
}

bool arm_interrupt(Cpu *cpu, uint32_t pending)
{
    ArmCpu *c = ARM(cpu);
    unsigned kind, target;

    if (pending & ARM_PENDING_EVENT) {
        c->event = true;
        cpu_interrupt_clear(cpu, ARM_PENDING_EVENT);
    }
    if (pending & CPU_PENDING_EXIT) {
        cpu_interrupt_clear(cpu, CPU_PENDING_EXIT);
    }
    if (c->powered_off) {
        cpu->halted = true;
        return false;
    }
    if (arm_has(c, FEATURE_M)) {
        return arm_m_interrupt(c);
    }
    if (!choose(c, pending, &kind, &target)) {
        return false;
    }
    cpu->halted = false;
    c->exc = (ArmException){.kind = kind, .target_el = target};
    if (kind == ARM_EXC_VSERROR) {
        c->hcr &= ~HCR_VSE;
        c->exc.syndrome = esr(EC_SERROR, (uint32_t)c->vsesr);
    }
    arm_deliver(cpu);
    return true;
}

bool arm_has_work(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);
    uint32_t wakes = CPU_PENDING_HARD | ARM_PENDING_FIQ | ARM_PENDING_VIRQ | ARM_PENDING_VFIQ |
                     ARM_PENDING_EVENT | ARM_PENDING_SERROR;

    if (c->m.lockup) {
        return false;
    }
    return !c->powered_off &&
           (atomic_load(&cpu->pending) & wakes || arm_hcr(c) & (HCR_VI | HCR_VF | HCR_VSE));
}
