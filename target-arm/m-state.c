// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * M profile: stack pointers and their limits, CONTROL, xPSR, special registers, reset, and the key
 * that names translations. B3.
 */
#include "target-arm/models.h"

#include <string.h>
#include "target-arm/helpers.h"

/* ---- modes and stacks ---- */

bool arm_m_privileged(const ArmCpu *c, bool secure)
{
    return arm_m_handler(&c->m) || !(c->m.control[secure] & CONTROL_NPRIV);
}

uint32_t *arm_m_sp(ArmCpu *c, bool secure, bool process)
{
    return process ? &c->m.sp_process[secure] : &c->m.sp_main[secure];
}

static bool uses_process(const ArmCpu *c)
{
    return !arm_m_handler(&c->m) && c->m.control[c->m.secure] & CONTROL_SPSEL;
}

uint32_t arm_m_sp_limit(const ArmCpu *c)
{
    return uses_process(c) ? c->m.lim_process[c->m.secure] : c->m.lim_main[c->m.secure];
}

void arm_m_sp_save(ArmCpu *c)
{
    *arm_m_sp(c, c->m.secure, uses_process(c)) = (uint32_t)c->x[13];
}

/* PSTATE has the privilege as an AArch32 mode. */
void arm_m_sp_load(ArmCpu *c)
{
    c->x[13] = *arm_m_sp(c, c->m.secure, uses_process(c));
    c->pstate = (c->pstate & ~31u) | (arm_m_privileged(c, c->m.secure) ? A32_SVC : A32_USR);
}

/* ---- xPSR ---- */

uint32_t arm_m_xpsr(const ArmCpu *c)
{
    return arm_nzcv(c) << 28 | c->q << 27 | (c->it & 3) << 25 | (c->it >> 2) << 10 | c->ge << 16 |
           (c->pstate & PSTATE_T ? 1u << 24 : 0) | c->m.exception;
}

void arm_m_set_xpsr(ArmCpu *c, uint32_t v, uint32_t mask)
{
    if (mask & 0xf8000000) {
        arm_set_nzcv(c, v >> 28);
        c->q = v >> 27 & 1;
    }
    if (mask & 0x000f0000) {
        c->ge = arm_has(c, FEATURE_M_DSP) ? v >> 16 & 15 : 0;
    }
    if (mask & 1u << 24) {
        c->pstate = v & 1u << 24 ? c->pstate | PSTATE_T : c->pstate & ~PSTATE_T;
    }
    if (mask & 0x0600fc00) {
        c->it = (v >> 25 & 3) | (v >> 10 & 0x3f) << 2;
    }
    if (mask & 0x1ff) {
        arm_m_sp_save(c);
        c->m.exception = v & 0x1ff;
        arm_m_sp_load(c);
    }
}

/* ---- FP access ---- */

unsigned arm_m_fp_denied(const ArmCpu *c, bool secure, bool privileged)
{
    unsigned cp10 = c->m.cpacr[secure] >> 20 & 3;

    if (cp10 == 0 || cp10 == 2 || (cp10 == 1 && !privileged)) {
        return 1;
    }
    return !secure && arm_has(c, FEATURE_M_SEC) && !(c->m.nsacr & 1 << 10) ? 2 : 0;
}

/* ---- MMU indices, the key ---- */

unsigned arm_m_mmu_index(const ArmCpu *c, bool secure, bool privileged)
{
    bool bare = c->m.negative && privileged &&
                (c->m.mpu_ctrl[secure] & (MPU_ENABLE | MPU_HFNMIENA)) == MPU_ENABLE;

    return (secure ? MMU_M_S_USER : MMU_M_NS_USER) + (bare ? 2 : privileged ? 1 : 0);
}

void arm_m_block_key(ArmCpu *c, BlockKey *key)
{
    const ArmM *m = &c->m;
    bool privileged = arm_m_privileged(c, m->secure);
    uint32_t mode = MODE_A32 | MODE_VFP_ON | (c->pstate & PSTATE_T ? MODE_THUMB : 0) |
                    (c->it & 0xff) << MODE_IT_SHIFT;

    mode |= privileged ? 1 : MODE_USER_A32;
    mode |= !arm_has(c, FEATURE_M_MAIN) || m->ccr[m->secure] & CCR_UNALIGN ? MODE_ALIGN : 0;
    mode |= m->secure ? MODE_SECURE : 0;
    mode |= arm_m_handler(m) ? MODE_M_HANDLER : 0;
    mode |= arm_m_mmu_index(c, m->secure, privileged) == (m->secure ? MMU_M_S_BARE : MMU_M_NS_BARE)
                ? MODE_M_BARE
                : 0;
    mode |= arm_m_sp_limit(c) ? MODE_M_LIMIT : 0;
    if (arm_has(c, FEATURE_VFP)) {
        mode |= arm_m_fp_denied(c, m->secure, privileged) ? MODE_M_NOCP
                : arm_m_fp_needs_prepare(c)               ? MODE_M_FP_PREPARE
                                                          : 0;
        mode |= c->fpcr & (FPCR_FZ | FPCR_FZ16 | FPCR_AHP) ? MODE_FP_SLOW : 0;
        mode |= c->fpcr & FPCR_DN ? MODE_FP_DN : 0;
    }
    key->pc = c->pc;
    key->base = 0;
    key->mode = mode;
}

/* ---- reset ---- */

/*
 * SP and PC come from the vector table, which is in memory when this runs; `resets`: of the reset
 * that wanted it.
 */
static void load_vectors(Cpu *cpu, uint64_t resets)
{
    ArmCpu *c = ARM(cpu);

    if (resets != c->resets) {
        return;
    }
    bool s = c->m.secure;
    MemAttrs attrs = {.is_cpu = 1, .cpu_index = cpu->index & 0x1fff, .secure = s};
    MemResult r1, r2;
    uint32_t sp = (uint32_t)address_space_load(cpu->as, c->m.vtor[s], 4, DEV_LITTLE, attrs, &r1);
    uint32_t pc =
        (uint32_t)address_space_load(cpu->as, c->m.vtor[s] + 4, 4, DEV_LITTLE, attrs, &r2);

    c->x[13] = c->m.sp_main[s] = r1 == MEM_OK ? sp & ~3u : 0;
    c->pc = r2 == MEM_OK ? pc & ~1u : 0;
    c->pstate = r2 == MEM_OK && pc & 1 ? c->pstate | PSTATE_T : c->pstate & ~PSTATE_T;
}

void arm_m_reset(ArmCpu *c)
{
    ArmM *m = &c->m;
    const ArmMConfig config = m->config;
    Device *nvic = m->nvic;
    unsigned regions = m->mpu_regions, prio_mask = m->prio_mask;
    bool v8 = arm_has(c, FEATURE_M_V8), main = arm_has(c, FEATURE_M_MAIN);

    memset(m, 0, sizeof(*m));
    m->config = config;
    m->nvic = nvic;
    m->mpu_regions = regions;
    m->prio_mask = prio_mask;
    m->secure = arm_has(c, FEATURE_M_SEC);
    m->vtor[M_S] = config.vtor_secure;
    m->vtor[M_NS] = config.vtor;
    for (unsigned s = 0; s < 2; s++) {
        m->ccr[s] = CCR_STKALIGN | (v8 ? 1 : 0) | (main ? 0 : CCR_UNALIGN);
        m->fpccr[s] = arm_has(c, FEATURE_VFP) ? FPCCR_ASPEN | FPCCR_LSPEN : 0;
        m->fpdscr[s] = 0;
    }
    if (m->secure) {
        m->fpccr[M_S] |= FPCCR_S;
    } else {
        m->nsacr = 0xcff;
    }
    m->aircr = m->secure ? 0 : AIRCR_BFHFNMINS;
    c->x[14] = 0xffffffff;
    c->pstate = A32_SVC | PSTATE_T;
    arm_set_nzcv(c, 4);
    arm_m_nvic_reset(c);
    if (c->cpu.accel) {
        cpu_run_on(&c->cpu, load_vectors, c->resets);
    }
}

void arm_m_init(ArmCpu *c)
{
    ArmM *m = &c->m;
    unsigned bits = m->config.prio_bits ? m->config.prio_bits : arm_has(c, FEATURE_M_MAIN) ? 8 : 2;

    m->prio_mask = 0xffu << (8 - bits) & 0xff;
    m->mpu_regions = c->model->m_regions;
    if (m->config.num_irqs == 0) {
        m->config.num_irqs = 64;
    }
    if (m->config.memory) {
        c->cpu.as = m->config.memory;
    }
}

/* ---- special registers (B3.4, D1: MRS) ---- */

static uint32_t control_of(const ArmCpu *c, bool s)
{
    uint32_t v = c->m.control[s];

    if (arm_has(c, FEATURE_VFP)) {
        v |= c->m.fpca ? CONTROL_FPCA : 0;
        v |= s && c->m.sfpa ? CONTROL_SFPA : 0;
    }
    return v;
}

uint32_t helper_m_mrs(Cpu *cpu, uint32_t sysm)
{
    ArmCpu *c = ARM(cpu);
    ArmM *m = &c->m;
    bool s = m->secure, privileged = arm_m_privileged(c, s), alias = sysm >> 7 & 1;

    if (sysm < 8) {
        uint32_t x = arm_m_xpsr(c), v = 0;

        v |= sysm & 1 ? x & 0x1ff & (privileged ? ~0u : 0) : 0;
        v |= sysm & 4 ? 0 : x & (0xf8000000u | (arm_has(c, FEATURE_M_DSP) ? 0xf0000 : 0));
        return v;
    }
    if (alias) {
        if (!s) {
            return 0;
        }
        sysm &= 0x7f;
        s = false;
        if (sysm == 24) {       /* SP_NS */
            return *arm_m_sp(c, false, !arm_m_handler(m) && m->control[M_NS] & CONTROL_SPSEL);
        }
    }
    if (sysm == 20) {
        return control_of(c, s) | (alias ? 0 : control_of(c, m->secure));
    }
    if (!privileged) {
        return 0;
    }
    arm_m_sp_save(c);
    switch (sysm) {
    case 8:
        return m->sp_main[s];
    case 9:
        return m->sp_process[s];
    case 10:
        return m->lim_main[s];
    case 11:
        return m->lim_process[s];
    case 16:
        return m->primask[s];
    case 17:
    case 18:
        return m->basepri[s];
    case 19:
        return m->faultmask[s];
    default:
        return 0;
    }
}

static void write_control(ArmCpu *c, bool s, uint32_t v, bool plain)
{
    ArmM *m = &c->m;

    arm_m_sp_save(c);
    m->control[s] = (v & CONTROL_NPRIV) |
                    (arm_m_handler(m) && !arm_has(c, FEATURE_M_V8) ? m->control[s] & CONTROL_SPSEL
                                                                   : v & CONTROL_SPSEL);
    if (!arm_has(c, FEATURE_M_MAIN) && !arm_has(c, FEATURE_M_V8) && c->model->m_no_user) {
        m->control[s] &= ~(uint32_t)CONTROL_NPRIV;
    }
    if (arm_has(c, FEATURE_VFP) && plain &&
        (!arm_has(c, FEATURE_M_SEC) || s || m->nsacr & 1 << 10)) {
        m->fpca = v & CONTROL_FPCA;
        m->sfpa = s ? (v & CONTROL_SFPA) != 0 : m->sfpa;
    }
    arm_m_sp_load(c);
}

static void write_mask_register(ArmCpu *c, bool s, uint32_t sysm, uint32_t v)
{
    ArmM *m = &c->m;
    bool main = arm_has(c, FEATURE_M_MAIN);
    bool taken = arm_lock();

    switch (sysm) {
    case 16:
        m->primask[s] = v & 1;
        break;
    case 17:
        m->basepri[s] = main ? v & m->prio_mask : 0;
        break;
    case 18:
        v &= m->prio_mask;
        if (main && v != 0 && (v < m->basepri[s] || m->basepri[s] == 0)) {
            m->basepri[s] = v;
        }
        break;
    case 19:
        if (main &&
            (!(v & 1) || arm_m_priority(c, true) > (s && m->aircr & AIRCR_BFHFNMINS ? -3 : -1))) {
            m->faultmask[s] = v & 1;
        }
        break;
    default:
        break;
    }
    arm_m_update(c);
    arm_unlock(taken);
}

/* sysm: SYSm, and the mask of APSR's bits in 11..10 */
void helper_m_msr(Cpu *cpu, uint32_t sysm, uint32_t v)
{
    ArmCpu *c = ARM(cpu);
    ArmM *m = &c->m;
    unsigned mask = sysm >> 10 & 3;
    bool s = m->secure, privileged = arm_m_privileged(c, s), alias;

    sysm &= 0xff;
    alias = sysm >> 7;
    if (sysm < 4) {
        arm_m_set_xpsr(c, v,
                       (mask & 2 ? 0xf8000000u : 0) |
                           (mask & 1 && arm_has(c, FEATURE_M_DSP) ? 0x000f0000u : 0));
        return;
    }
    if (alias && !s) {
        return;
    }
    if (alias) {
        s = false;
        sysm &= 0x7f;
    }
    if (sysm == 24 && alias) {
        *arm_m_sp(c, false, !arm_m_handler(m) && m->control[M_NS] & CONTROL_SPSEL) = v & ~3u;
        return;
    }
    if (sysm == 20 && !privileged && arm_has(c, FEATURE_VFP)) {
        if (!alias) {
            m->fpca = v & CONTROL_FPCA;
            m->sfpa = m->secure ? (v & CONTROL_SFPA) != 0 : m->sfpa;
        }
        return;
    }
    if (!privileged) {
        return;
    }
    arm_m_sp_save(c);
    switch (sysm) {
    case 8:
        m->sp_main[s] = v & ~3u;
        break;
    case 9:
        m->sp_process[s] = v & ~3u;
        break;
    case 10:
        m->lim_main[s] = arm_has(c, FEATURE_M_V8) ? v & ~7u : 0;
        break;
    case 11:
        m->lim_process[s] = arm_has(c, FEATURE_M_V8) ? v & ~7u : 0;
        break;
    case 20:
        arm_m_sp_load(c);
        write_control(c, s, v, !alias);
        return;
    default:
        write_mask_register(c, s, sysm, v);
    }
    arm_m_sp_load(c);
}

/* bits: 1 PRIMASK, 2 FAULTMASK */
void helper_m_cps(Cpu *cpu, uint32_t bits, uint32_t set)
{
    ArmCpu *c = ARM(cpu);

    if (!arm_m_privileged(c, c->m.secure)) {
        return;
    }
    if (bits & 1) {
        write_mask_register(c, c->m.secure, 16, set);
    }
    if (bits & 2) {
        write_mask_register(c, c->m.secure, 19, set);
    }
}

/* A new SP below its limit is an overflow (B3.21). */
void helper_m_sp_check(Cpu *cpu, uint32_t sp)
{
    ArmCpu *c = ARM(cpu);

    if (sp < arm_m_sp_limit(c)) {
        arm_m_fault(c, M_USAGE, CFSR_STKOF, NULL, HOST_PC());
    }
}
