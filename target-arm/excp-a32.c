// SPDX-License-Identifier: GPL-2.0-or-later
/* Exception entry in AArch32 (G1.12) and fault status registers (G5.19). */
#include "target-arm/cpu.h"

#include "target-arm/sysreg.h"

typedef struct Vector {
    uint8_t offset, mode, arm_back, thumb_back;     /* preferred return: pc plus so much */
    bool mask_a, mask_f;
} Vector;

static const Vector vectors[] = {
    [ARM_EXC_UNDEF] = {0x04, A32_UND, 4, 2, false, false}, [ARM_EXC_SVC] = {0x08, A32_SVC, 0, 0, false, false},
    [ARM_EXC_SMC] = {0x08, A32_MON, 0, 0, true, true}, [ARM_EXC_HVC] = {0x08, A32_HYP, 0, 0, false, false},
    [ARM_EXC_PREFETCH] = {0x0c, A32_ABT, 4, 4, true, false}, [ARM_EXC_BKPT] = {0x0c, A32_ABT, 4, 4, true, false},
    [ARM_EXC_DATA] = {0x10, A32_ABT, 8, 8, true, false}, [ARM_EXC_IRQ] = {0x18, A32_IRQ, 4, 4, true, false},
    [ARM_EXC_VIRQ] = {0x18, A32_IRQ, 4, 4, true, false}, [ARM_EXC_FIQ] = {0x1c, A32_FIQ, 4, 4, true, true},
    [ARM_EXC_VFIQ] = {0x1c, A32_FIQ, 4, 4, true, true}, [ARM_EXC_SERROR] = {0x10, A32_ABT, 8, 8, true, false},
    [ARM_EXC_VSERROR] = {0x10, A32_ABT, 8, 8, true, false}, [ARM_EXC_OTHER] = {0x04, A32_UND, 4, 2, false, false},
    [ARM_EXC_HYP_TRAP] = {0x14, A32_HYP, 0, 0, false, false}, [ARM_EXC_MON_TRAP] = {0x04, A32_MON, 4, 2, false, false},
    [ARM_EXC_PC_ALIGN] = {0x0c, A32_ABT, 4, 4, true, false}, [ARM_EXC_SP_ALIGN] = {0x04, A32_UND, 4, 2, false, false},
};

uint32_t arm_fault_fsr(const ArmCpu *c, const ArmFault *f, unsigned el)
{
    static const uint8_t short_form[4][2] = {
        {0x0a, 0x1c}, {0x05, 0x07}, {0x03, 0x06}, {0x0d, 0x0f}};
    bool page = f->level >= 2;

    if (el == 2 || (arm_has(c, FEATURE_LPAE) && c->tcr[el] >> 31 & 1)) {
        return 1u << 9 | arm_fault_esr_code(f);
    }
    switch (f->type) {
    case FAULT_ALIGNMENT:
        return 1;
    case FAULT_DEBUG:
        return 2;
    case FAULT_EXTERNAL:
        return 8;
    case FAULT_EXTERNAL_WALK:
        return page ? 0x0e : 0x0c;
    case FAULT_DOMAIN:
        return (page ? 0x0b : 0x09) | f->domain << 4;
    case FAULT_TRANSLATION:
    case FAULT_ACCESS:
    case FAULT_PERMISSION:
        return short_form[f->type >> 2][page] | (f->type != FAULT_ACCESS ? f->domain << 4 : 0);
    default:
        return 5;
    }
}

void arm_deliver_a32(ArmCpu *c, unsigned kind, uint64_t ret)
{
    const Vector *v = &vectors[kind];
    unsigned target = c->exc.target_el, mode = target == 2 ? A32_HYP : v->mode;
    uint64_t spsr = arm_get_spsr(c), base, sctlr;
    bool thumb = c->pstate & PSTATE_T;
    unsigned offset = v->offset;

    /* Level 3 is Monitor mode; elsewhere secure EL1 uses the registers of level 1. */
    if (kind == ARM_EXC_SMC) {
        target = 3;
    } else if (target == 3 && (kind == ARM_EXC_IRQ || kind == ARM_EXC_FIQ)) {
        mode = A32_MON;
    }
    target = target == 3 ? 1 : target;
    if (mode == A32_HYP && kind != ARM_EXC_IRQ && kind != ARM_EXC_FIQ && kind != ARM_EXC_HVC) {
        offset = arm_el(c) < 2 ? 0x14 : v->offset;
        c->esr[2] = c->exc.syndrome;
    } else if (mode == A32_HYP && kind == ARM_EXC_HVC) {
        offset = arm_el(c) < 2 ? 0x14 : 0x08;
        c->esr[2] = c->exc.syndrome;
    }
    if ((c->pstate & 31) == A32_MON && mode != A32_MON) {
        c->scr &= ~SCR_NS;
    }
    if (!arm_is_a32(c)) {
        return;     /* an AArch64 level never goes to an AArch32 one */
    }
    if (mode == A32_HYP && c->exc.has_ipa) {
        c->hpfar = (c->exc.ipa >> 12) << 4;
    }
    if (kind == ARM_EXC_PREFETCH || kind == ARM_EXC_BKPT) {
        uint32_t fsr = kind == ARM_EXC_BKPT
                           ? (arm_has(c, FEATURE_LPAE) && c->tcr[1] >> 31 & 1 ? 0x222 : 2)
                           : c->exc.fsr & ~(1u << 11);

        c->ifsr = mode == A32_HYP ? c->ifsr : fsr;
        c->far[target] =
            (c->far[target] & UINT32_MAX) | (kind == ARM_EXC_BKPT ? 0 : c->exc.va << 32);
    } else if (kind == ARM_EXC_DATA) {
        c->esr[1] = mode == A32_HYP ? c->esr[1] : c->exc.fsr;
        c->far[target] = (c->far[target] & ~(uint64_t)UINT32_MAX) | (uint32_t)c->exc.va;
    }
    arm_set_a32_mode(c, mode);
    sctlr = c->sctlr[mode == A32_HYP ? 2 : 1];
    if (mode == A32_MON) {
        base = c->mvbar;
    } else if (mode == A32_HYP) {
        base = c->vbar[2];
    } else {
        base = sctlr & SCTLR_V ? 0xffff0000 : c->vbar[1];
    }
    uint64_t lr = ret + (thumb ? v->thumb_back : v->arm_back);

    c->bank_spsr[arm_bank_of(mode)] = spsr;
    if (mode == A32_HYP) {
        c->elr[2] = (uint32_t)ret;
    } else {
        c->x[14] = (uint32_t)lr;
    }
    c->it = 0;
    c->pstate &= ~(PSTATE_T | PSTATE_E | PSTATE_IL | PSTATE_SS);
    c->pstate |= PSTATE_I | (v->mask_a ? PSTATE_A : 0) | (v->mask_f ? PSTATE_F : 0);
    c->pstate |= (sctlr & SCTLR_TE ? PSTATE_T : 0) | (sctlr & SCTLR_EE ? PSTATE_E : 0);
    c->excl_addr = UINT64_MAX;
    c->pc = (uint32_t)(base + offset);
    arm_el_changed(c);
}
