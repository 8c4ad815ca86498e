// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What follows from the CPU's registers: security state, exception levels, regimes, PSTATE and its
 * parts, AArch32 banks, and the key that names translations. D1, G1.
 */
#include "target-arm/debug.h"

#include <string.h>
#include "target-arm/pmu.h"
#include "util/main-loop.h"

bool arm_lock(void)
{
    if (machine_locked()) {
        return false;
    }
    machine_lock();
    return true;
}

void arm_unlock(bool taken)
{
    if (taken) {
        machine_unlock();
    }
}

/* ---- security, levels ---- */

bool arm_secure_below_el3(const ArmCpu *c)
{
    return c->has_el3 && !(c->scr & SCR_NS);
}

bool arm_secure(const ArmCpu *c)
{
    return c->has_el3 && (!(c->scr & SCR_NS) || arm_el(c) == 3);
}

bool arm_el2_enabled(const ArmCpu *c)
{
    return c->has_el2 && (!arm_secure_below_el3(c) || c->scr & SCR_EEL2);
}

uint64_t arm_hcr(const ArmCpu *c)
{
    return arm_el2_enabled(c) ? c->hcr : 0;
}

bool arm_e2h(const ArmCpu *c)
{
    return arm_hcr(c) & HCR_E2H;
}

bool arm_el_is_a64(const ArmCpu *c, unsigned el)
{
    if (!c->aarch64_prop) {
        return false;
    }
    if (el == 0) {
        return !arm_is_a32(c) || arm_el(c) != 0;
    }
    if (el == 3) {
        return true;
    }
    if (c->has_el3 && !(c->scr & SCR_RW) && !(el == 2 && !c->has_el2)) {
        return false;
    }
    return el == 2 || !arm_el2_enabled(c) || c->hcr & HCR_RW ||
           (c->hcr & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);
}

unsigned arm_regime_el(const ArmCpu *c, unsigned el)
{
    if (el == 0) {
        if ((arm_hcr(c) & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE)) {
            return 2;
        }
        return 1;
    }
    /*
     * Monitor mode of a 32-bit CPU uses the secure copy of the EL1 registers, which is not kept
     * apart.
     */
    return el == 3 && !c->aarch64_prop ? 1 : el;
}

/* ---- PSTATE ---- */

unsigned arm_bank_of(unsigned mode)
{
    switch (mode) {
    case A32_FIQ:
        return BANK_FIQ;
    case A32_IRQ:
        return BANK_IRQ;
    case A32_SVC:
        return BANK_SVC;
    case A32_ABT:
        return BANK_ABT;
    case A32_UND:
        return BANK_UND;
    case A32_HYP:
        return BANK_HYP;
    case A32_MON:
        return BANK_MON;
    default:
        return BANK_USR;
    }
}

void arm_set_a32_mode(ArmCpu *c, unsigned mode)
{
    unsigned old = c->pstate & 31, from = arm_bank_of(old), to = arm_bank_of(mode);

    if (from != to) {
        if (from == BANK_FIQ || to == BANK_FIQ) {
            uint64_t *save = from == BANK_FIQ ? c->bank_r8_fiq : c->bank_r8_usr;
            const uint64_t *load = from == BANK_FIQ ? c->bank_r8_usr : c->bank_r8_fiq;

            for (unsigned i = 0; i < 5; i++) {
                save[i] = c->x[8 + i];
                c->x[8 + i] = load[i];
            }
        }
        c->bank_sp[from] = c->x[13];
        c->x[13] = c->bank_sp[to];
        /* Hyp mode uses the LR of User mode */
        c->bank_lr[from == BANK_HYP ? BANK_USR : from] = c->x[14];
        c->x[14] = c->bank_lr[to == BANK_HYP ? BANK_USR : to];
    }
    c->pstate = (c->pstate & ~31u) | mode;
    if (from == BANK_MON || to == BANK_MON) {
        arm_a32_world(c);
    }
}

/* The 64-bit view of AArch32 registers (D1.20.1), and back. */
static void a32_to_a64(ArmCpu *c)
{
    static const uint8_t lr_at[] = {[BANK_USR] = 14, [BANK_IRQ] = 16, [BANK_SVC] = 18,
                                    [BANK_ABT] = 20, [BANK_UND] = 22, [BANK_FIQ] = 30};
    static const uint8_t sp_at[] = {[BANK_USR] = 13, [BANK_IRQ] = 17, [BANK_SVC] = 19,
                                    [BANK_ABT] = 21, [BANK_UND] = 23, [BANK_FIQ] = 29};

    arm_set_a32_mode(c, A32_USR);
    for (unsigned b = BANK_USR + 1; b <= BANK_UND; b++) {
        c->x[lr_at[b]] = c->bank_lr[b];
        c->x[sp_at[b]] = c->bank_sp[b];
    }
    c->x[15] = c->bank_sp[BANK_HYP];
    for (unsigned i = 0; i < 5; i++) {
        c->x[24 + i] = c->bank_r8_fiq[i];
    }
}

static void a64_to_a32(ArmCpu *c)
{
    static const uint8_t lr_at[] = {[BANK_USR] = 14, [BANK_IRQ] = 16, [BANK_SVC] = 18,
                                    [BANK_ABT] = 20, [BANK_UND] = 22, [BANK_FIQ] = 30};
    static const uint8_t sp_at[] = {[BANK_USR] = 13, [BANK_IRQ] = 17, [BANK_SVC] = 19,
                                    [BANK_ABT] = 21, [BANK_UND] = 23, [BANK_FIQ] = 29};

    for (unsigned b = BANK_USR + 1; b <= BANK_UND; b++) {
        c->bank_lr[b] = (uint32_t)c->x[lr_at[b]];
        c->bank_sp[b] = (uint32_t)c->x[sp_at[b]];
    }
    c->bank_sp[BANK_HYP] = (uint32_t)c->x[15];
    for (unsigned i = 0; i < 5; i++) {
        c->bank_r8_fiq[i] = (uint32_t)c->x[24 + i];
    }
    for (unsigned i = 0; i < 15; i++) {
        c->x[i] = (uint32_t)c->x[i];
    }
}

uint64_t arm_get_spsr(const ArmCpu *c)
{
    if (arm_has(c, FEATURE_M)) {
        return arm_m_xpsr(c);
    }
    uint64_t v = (uint64_t)arm_nzcv(c) << 28;

    if (!arm_is_a32(c)) {
        return v | c->pstate;
    }
    return v | (c->pstate & (0x3ff | PSTATE_PAN | PSTATE_SS | PSTATE_IL)) | (uint64_t)c->q << 27 |
           (uint64_t)c->ge << 16 | (uint64_t)(c->it & 3) << 25 | (uint64_t)(c->it >> 2) << 10;
}

void arm_set_spsel(ArmCpu *c, unsigned sel)
{
    unsigned el = arm_el(c), from = c->pstate & PSTATE_SP ? el : 0, to = sel ? el : 0;

    c->sp_el[from] = c->x[31];
    c->x[31] = c->sp_el[to];
    c->pstate = (c->pstate & ~PSTATE_SP) | sel;
}

void arm_el_changed(ArmCpu *c)
{
    if (c->pmcnten) {
        arm_pmu_sync(c);
    }
    if (c->el_change) {
        bool taken = arm_lock();

        c->el_change(c->el_change_opaque);
        arm_unlock(taken);
    }
}

void arm_set_pstate(ArmCpu *c, uint64_t spsr)
{
    unsigned old_el = arm_el(c);
    bool was_a32 = arm_is_a32(c), a32 = spsr & PSTATE_A32;

    if (was_a32 && !a32) {
        a32_to_a64(c);
        c->x[31] = c->sp_el[old_el];            /* as if SP_ELx were selected */
        c->pstate = (c->pstate & ~31u) | old_el << 2 | PSTATE_SP;
    } else if (!was_a32 && a32) {
        c->sp_el[c->pstate & PSTATE_SP ? old_el : 0] = c->x[31];
        a64_to_a32(c);
        c->pstate = (c->pstate & ~31u) | A32_USR;
    }
    arm_set_nzcv(c, spsr >> 28 & 15);
    if (a32) {
        arm_set_a32_mode(c, spsr & 31);
        c->pstate = (uint32_t)spsr & (0x000003ff | PSTATE_IL | PSTATE_SS | PSTATE_PAN);
        c->q = spsr >> 27 & 1;
        c->ge = spsr >> 16 & 15;
        c->it = (spsr >> 25 & 3) | (spsr >> 10 & 0x3f) << 2;
    } else {
        unsigned el = spsr >> 2 & 3, sel = spsr & 1;

        if (!was_a32) {
            c->sp_el[c->pstate & PSTATE_SP ? old_el : 0] = c->x[31];
        } else {
            c->sp_el[old_el] = c->x[31];
        }
        c->x[31] = c->sp_el[sel ? el : 0];
        c->pstate =
            (uint32_t)spsr & (0x000013cfu | (c->guarded_seen ? PSTATE_BTYPE : 0) | PSTATE_IL |
                              PSTATE_SS | PSTATE_PAN | PSTATE_UAO | PSTATE_DIT | PSTATE_TCO);
    }
}

/* ---- the key ---- */

/* The level that FP and SIMD trap to; 0: none. D1.17, CPACR_EL1, CPTR_ELx. */
static unsigned fp_trap_el(const ArmCpu *c, unsigned el)
{
    uint64_t hcr = arm_hcr(c);

    if (el <= 1 && (hcr & (HCR_E2H | HCR_TGE)) != (HCR_E2H | HCR_TGE)) {
        unsigned fpen = c->cpacr >> 20 & 3;

        if (arm_a32_banked(c) && c->scr & SCR_NS && !(c->nsacr & 1 << 10)) {
            return 1;           /* Secure state keeps it for itself */
        }
        if (fpen == 0 || fpen == 2 || (fpen == 1 && el == 0)) {
            return !arm_el_is_a64(c, 1) && !c->aarch64_prop && c->has_el3 && !(c->scr & SCR_NS) ? 3
                                                                                                : 1;
        }
    }
    if (el <= 2 && arm_el2_enabled(c)) {
        if (hcr & HCR_E2H) {
            unsigned fpen = c->cptr_el2 >> 20 & 3;

            if (fpen == 0 || fpen == 2 || (fpen == 1 && el == 0 && hcr & HCR_TGE)) {
                return 2;
            }
        } else if (c->cptr_el2 & 1 << 10) {
            return 2;
        }
    }
    return c->has_el3 && c->aarch64_prop && c->cptr_el3 & 1 << 10 ? 3 : 0;
}

/*
 * The level that SVE traps to, beside what traps FP; 0: none. CPACR_EL1.ZEN, CPTR_EL2.ZEN or TZ,
 * CPTR_EL3.EZ.
 */
unsigned arm_sve_trap_el(const ArmCpu *c, unsigned el)
{
    uint64_t hcr = arm_hcr(c);

    if (el <= 1 && (hcr & (HCR_E2H | HCR_TGE)) != (HCR_E2H | HCR_TGE)) {
        unsigned zen = c->cpacr >> 16 & 3;

        if (zen == 0 || zen == 2 || (zen == 1 && el == 0)) {
            return hcr & HCR_TGE ? 2 : 1;
        }
    }
    if (el <= 2 && arm_el2_enabled(c)) {
        if (hcr & HCR_E2H) {
            unsigned zen = c->cptr_el2 >> 16 & 3;

            if (zen == 0 || zen == 2 || (zen == 1 && el == 0 && hcr & HCR_TGE)) {
                return 2;
            }
        } else if (c->cptr_el2 & 1 << 8) {
            return 2;
        }
    }
    return c->has_el3 && !(c->cptr_el3 & 1 << 8) ? 3 : 0;
}

unsigned arm_sve_vq(const ArmCpu *c, unsigned el)
{
    unsigned vq = 16;

    if (el <= 1 && (arm_hcr(c) & (HCR_E2H | HCR_TGE)) != (HCR_E2H | HCR_TGE)) {
        vq = (c->zcr[1] & 15) + 1;
    }
    if (el <= 2 && arm_el2_enabled(c)) {
        vq = MIN(vq, (unsigned)(c->zcr[2] & 15) + 1);
    }
    if (c->has_el3) {
        vq = MIN(vq, (unsigned)(c->zcr[3] & 15) + 1);
    }
    uint32_t there = c->sve_map & ((1u << vq) - 1);

    return there ? 32 - (unsigned)__builtin_clz(there) : 1;
}

/* A shorter vector length than before: what lies above is 0 when a longer one returns. */
static void sve_length(ArmCpu *c, unsigned vq)
{
    if (vq < c->sve_vq) {
        for (unsigned n = 0; n < 32; n++) {
            memset(&c->z[n].q[vq], 0, (16 - vq) * 16);
        }
        for (unsigned n = 0; n < ARRAY_COUNT(c->p); n++) {
            memset((uint8_t *)c->p[n] + vq * 2, 0, sizeof(c->p[n]) - vq * 2);
        }
    }
    c->sve_vq = vq;
}

/*
 * Tags: whether they may be accessed from the level, and whether accesses are checked. D6.7, D6.8.
 */
static bool tag_access(const ArmCpu *c, unsigned el)
{
    if ((el < 3 && c->has_el3 && !(c->scr & SCR_ATA)) ||
        (el < 2 && arm_el2_enabled(c) && !(c->hcr & HCR_ATA) &&
         (arm_hcr(c) & (HCR_E2H | HCR_TGE)) != (HCR_E2H | HCR_TGE))) {
        return false;
    }
    return c->sctlr[arm_regime_el(c, el)] & (el == 0 ? SCTLR_ATA0 : SCTLR_ATA);
}

static uint32_t mode_mte(const ArmCpu *c, unsigned el)
{
    uint64_t sctlr = c->sctlr[arm_regime_el(c, el)];
    bool access = tag_access(c, el), on = !(c->pstate & PSTATE_TCO);

    return (access ? MODE_ATA : 0) |
           (access && on && sctlr >> (el == 0 ? 38 : 40) & 3 ? MODE_MTE : 0) |
           (on && tag_access(c, 0) && c->sctlr[arm_regime_el(c, 0)] >> 38 & 3 ? MODE_MTE_USER : 0);
}

static uint32_t mode_sve(ArmCpu *c, unsigned el, unsigned fp_el)
{
    unsigned trap = arm_sve_trap_el(c, el), vq;

    if (trap && (!fp_el || trap <= fp_el)) {
        return MODE_SVE_TRAP | trap << MODE_SVE_SHIFT | (c->zlive ? MODE_ZLIVE : 0);
    }
    vq = arm_sve_vq(c, el);
    if (vq != c->sve_vq && !fp_el) {
        sve_length(c, vq);
    }
    return (vq - 1) << MODE_SVE_SHIFT;
}

unsigned arm_mmu_index(const ArmCpu *c)
{
    if (arm_has(c, FEATURE_M)) {
        return arm_m_mmu_index(c, c->m.secure, arm_m_privileged(c, c->m.secure));
    }
    BlockKey key = {0};

    arm_block_key((Cpu *)&c->cpu, &key);
    switch (key.mode & MODE_EL) {
    case 0:
        return MMU_EL0;
    case 1:
        return key.mode & MODE_PAN ? MMU_EL1_PAN : MMU_EL1;
    case 2:
        return key.mode & MODE_PAN ? MMU_EL2_PAN : MMU_EL2;
    default:
        return MMU_EL3;
    }
}

static uint32_t mode_a32(const ArmCpu *c, unsigned el)
{
    uint32_t mode = MODE_A32 | (c->pstate & PSTATE_T ? MODE_THUMB : 0) |
                    (c->pstate & PSTATE_E ? MODE_BIG : 0) | (c->it & 0xff) << MODE_IT_SHIFT;
    unsigned m = c->pstate & 31;

    mode |= c->fpexc & 1u << 30 || !arm_has(c, FEATURE_VFP) || (el == 0 && arm_el_is_a64(c, 1))
                ? MODE_VFP_ON
                : 0;
    mode |= c->vfp_len_stride ? MODE_VECTOR_LEN : 0;
    mode |= m == A32_USR ? MODE_USER_A32 : m == A32_SYS || m == A32_HYP ? MODE_SYS_A32 : 0;
    return mode;
}

void arm_block_key(Cpu *cpu, BlockKey *key)
{
    ArmCpu *c = ARM(cpu);

    if (arm_has(c, FEATURE_M)) {
        arm_m_block_key(c, key);
        return;
    }
    bool a32 = arm_is_a32(c);
    unsigned el = arm_el(c);
    uint32_t mode;
    uint64_t sctlr;

    unsigned regime = arm_regime_el(c, el);

    sctlr = c->sctlr[regime];
    mode = el | fp_trap_el(c, el) << MODE_FP_EL_SHIFT;
    if (a32) {
        mode |= mode_a32(c, el);
    } else {
        mode |= sctlr & (el == 0 ? SCTLR_E0E : SCTLR_EE) ? MODE_BIG : 0;
        mode |= c->pstate & PSTATE_UAO ? MODE_UAO : 0;
        mode |= c->guarded_seen ? MODE_BTI : 0;
        mode |= c->tags ? mode_mte(c, el) : 0;
        mode |= c->sve ? mode_sve(c, el, mode >> MODE_FP_EL_SHIFT & 3) : 0;
    }
    if (c->pstate & PSTATE_PAN && (el == 1 || (el == 2 && arm_e2h(c)))) {
        mode |= MODE_PAN;
    }
    mode |= sctlr & SCTLR_A ? MODE_ALIGN : 0;
    mode |= c->pstate & PSTATE_IL ? MODE_IL : 0;
    mode |= regime == 2 && arm_e2h(c) ? MODE_HOST : 0;
    mode |= arm_step_active(c, el) || arm_breaks_everywhere(c, el) ? MODE_SS : 0;
    mode |= c->fpcr & (FPCR_FZ | FPCR_FZ16 | FPCR_AHP) ? MODE_FP_SLOW : 0;
    mode |= c->fpcr & FPCR_DN ? MODE_FP_DN : 0;
    mode |= arm_secure_below_el3(c) ? MODE_SECURE : 0;
    key->pc = c->pc;
    key->base = 0;
    key->mode = mode;
}
