// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a vCPU's state consists of, for snapshots and migration of the machine: rows as those of
 * devices. What follows from other fields (break- and watchpoints of the debug registers, the
 * host's rounding mode) is derived again after loading; what a damaged stream may hold that is an
 * index is brought into its range.
 */
#include "target-arm/cpu.h"

#include <string.h>

#include "accel/accel.h"
#include "target-arm/debug.h"

static const StateField timer_state[] = {
    STATE(ArmTimer, cval), STATE(ArmTimer, ctl), STATE_TIMER_FIELD(ArmTimer, timer), STATE_END,
};

static const StateField exception_state[] = {
    STATE(ArmException, kind), STATE(ArmException, target_el), STATE(ArmException, syndrome),
    STATE(ArmException, fsr), STATE(ArmException, va), STATE(ArmException, ipa),
    STATE(ArmException, has_va), STATE(ArmException, has_ipa), STATE_END,
};

static const StateField m_state[] = {
    STATE(ArmM, secure), STATE(ArmM, negative), STATE(ArmM, exception), STATE_ARRAY(ArmM, sp_main),
    STATE_ARRAY(ArmM, sp_process), STATE_ARRAY(ArmM, lim_main), STATE_ARRAY(ArmM, lim_process),
    STATE_ARRAY(ArmM, control), STATE(ArmM, fpca), STATE(ArmM, sfpa), STATE_ARRAY(ArmM, primask),
    STATE_ARRAY(ArmM, faultmask), STATE_ARRAY(ArmM, basepri), STATE_ARRAY(ArmM, vtor),
    STATE_ARRAY(ArmM, prigroup), STATE_ARRAY(ArmM, scr), STATE_ARRAY(ArmM, ccr), STATE_ARRAY(ArmM, cfsr),
    STATE_ARRAY(ArmM, mmfar), STATE_ARRAY(ArmM, cpacr), STATE_ARRAY(ArmM, fpccr), STATE_ARRAY(ArmM, fpcar),
    STATE_ARRAY(ArmM, fpdscr), STATE_ARRAY(ArmM, actlr), STATE(ArmM, hfsr), STATE(ArmM, dfsr),
    STATE(ArmM, bfar), STATE(ArmM, afsr), STATE(ArmM, nsacr), STATE(ArmM, demcr), STATE(ArmM, sfsr),
    STATE(ArmM, sfar), STATE(ArmM, cppwr), STATE(ArmM, aircr), STATE_ARRAY(ArmM, mpu_ctrl),
    STATE_ARRAY(ArmM, mpu_rnr), STATE_RAW(ArmM, mpu_mair), STATE_RAW(ArmM, mpu_rbar),
    STATE_RAW(ArmM, mpu_rlar), STATE_ARRAY(ArmM, mpu_racr), STATE(ArmM, sau_ctrl), STATE(ArmM, sau_rnr),
    STATE_ARRAY(ArmM, sau_rbar), STATE_ARRAY(ArmM, sau_rlar), STATE_RAW(ArmM, vec), STATE_RAW(ArmM, svec),
    STATE(ArmM, fault_bits), STATE(ArmM, fault_exc), STATE(ArmM, fault_has_addr), STATE(ArmM, fault_addr),
    STATE(ArmM, magic), HOST_ONLY(ArmM, config, "by the board"), HOST_ONLY(ArmM, mpu_regions, "by the board"),
    HOST_ONLY(ArmM, prio_mask, "by the board"), HOST_ONLY(ArmM, nvic, "link"), STATE(ArmM, lockup), STATE_END,
};

static bool is_m(Device *d)
{
    return arm_has((const ArmCpu *)d, FEATURE_M);
}

#define BY_MODEL(f_) HOST_ONLY(ArmCpu, f_, "by -cpu")

const StateField arm_cpu_state[] = {
    STATE(ArmCpu, cpu.pending), STATE(ArmCpu, cpu.exception), STATE(ArmCpu, cpu.halted),
    STATE_ARRAY(ArmCpu, x), STATE(ArmCpu, pc), STATE(ArmCpu, cc_a), STATE(ArmCpu, cc_b), STATE(ArmCpu, cc_op),
    STATE(ArmCpu, pstate), STATE(ArmCpu, it), STATE(ArmCpu, q), STATE(ArmCpu, ge), STATE(ArmCpu, fpsr_qc),
    STATE(ArmCpu, bti_source), STATE(ArmCpu, excl_addr), STATE(ArmCpu, excl_val), STATE(ArmCpu, excl_val2),
    STATE(ArmCpu, tpidr_el0), STATE(ArmCpu, tpidrro_el0), STATE_ARRAY(ArmCpu, tpidr), STATE_ARRAY(ArmCpu, sctlr),
    STATE(ArmCpu, fpcr), STATE(ArmCpu, fpsr), HOST_ONLY(ArmCpu, host_mxcsr, "follows fpcr"),
    STATE(ArmCpu, fpscr_nzcv), STATE(ArmCpu, vfp_len_stride), STATE(ArmCpu, zlive), STATE_RAW(ArmCpu, p),
    STATE_RAW(ArmCpu, z), STATE_ARRAY(ArmCpu, sp_el), STATE_ARRAY(ArmCpu, elr), STATE_ARRAY(ArmCpu, spsr),
    STATE_ARRAY(ArmCpu, bank_sp), STATE_ARRAY(ArmCpu, bank_lr), STATE_ARRAY(ArmCpu, bank_spsr),
    STATE_ARRAY(ArmCpu, bank_r8_usr), STATE_ARRAY(ArmCpu, bank_r8_fiq), STATE_ARRAY(ArmCpu, vbar),
    STATE_ARRAY(ArmCpu, esr), STATE_ARRAY(ArmCpu, far), STATE_ARRAY(ArmCpu, tcr), STATE_ARRAY(ArmCpu, tcr2),
    STATE_ARRAY(ArmCpu, ttbr0), STATE_ARRAY(ArmCpu, ttbr1), STATE_ARRAY(ArmCpu, mair), STATE_ARRAY(ArmCpu, amair),
    STATE_ARRAY(ArmCpu, actlr), STATE_ARRAY(ArmCpu, afsr0), STATE_ARRAY(ArmCpu, afsr1), STATE_ARRAY(ArmCpu, cntkctl),
    STATE_ARRAY(ArmCpu, contextidr), STATE(ArmCpu, rvbar_cur), STATE(ArmCpu, rmr), STATE(ArmCpu, cpacr),
    STATE(ArmCpu, cptr_el2), STATE(ArmCpu, cptr_el3), STATE(ArmCpu, hcr), STATE(ArmCpu, scr), STATE(ArmCpu, hpfar),
    STATE(ArmCpu, vttbr), STATE(ArmCpu, vtcr), STATE(ArmCpu, vstcr), STATE(ArmCpu, vsttbr), STATE(ArmCpu, vpidr),
    STATE(ArmCpu, vmpidr), STATE(ArmCpu, mdcr_el2), STATE(ArmCpu, mdcr_el3), STATE(ArmCpu, mdscr), STATE(ArmCpu, hstr),
    STATE(ArmCpu, hacr), STATE(ArmCpu, hcrx), STATE(ArmCpu, par), STATE(ArmCpu, csselr), STATE(ArmCpu, cnthctl),
    STATE(ArmCpu, cntvoff), STATE(ArmCpu, cntfrq), STATE(ArmCpu, osdlr), STATE(ArmCpu, oslsr), STATE(ArmCpu, dacr),
    STATE(ArmCpu, fpexc), STATE(ArmCpu, ifsr), STATE(ArmCpu, dacr_s), STATE(ArmCpu, dbgvcr), STATE(ArmCpu, sder),
    STATE(ArmCpu, teecr), STATE(ArmCpu, teehbr), STATE(ArmCpu, nmrr), STATE(ArmCpu, prrr), STATE(ArmCpu, fcseidr),
    STATE(ArmCpu, mvbar), STATE(ArmCpu, nsacr), STATE(ArmCpu, hvbar), STATE(ArmCpu, global_domains),
    STATE_ARRAY(ArmCpu, world), STATE(ArmCpu, world_is_secure),
    STATE_RAW(ArmCpu, apkey), HOST_ONLY(ArmCpu, pac, "a cache"), STATE_ARRAY(ArmCpu, dbgbvr), STATE_ARRAY(ArmCpu, dbgbcr),
    STATE_ARRAY(ArmCpu, dbgwvr), STATE_ARRAY(ArmCpu, dbgwcr), STATE(ArmCpu, mdccint), STATE(ArmCpu, dbgclaim),
    STATE(ArmCpu, pmcr), STATE(ArmCpu, pmcnten), STATE(ArmCpu, pmovs), STATE(ArmCpu, pmuserenr), STATE(ArmCpu, pminten),
    STATE(ArmCpu, pmselr), STATE(ArmCpu, pmccfiltr), STATE(ArmCpu, pmccntr), STATE_ARRAY(ArmCpu, pmevtyper),
    STATE_ARRAY(ArmCpu, pmevcntr), STATE(ArmCpu, disr), STATE(ArmCpu, vdisr), STATE(ArmCpu, vsesr), STATE(ArmCpu, errselr),
    STATE(ArmCpu, gcr), STATE(ArmCpu, rgsr), STATE_ARRAY(ArmCpu, tfsr), STATE(ArmCpu, tfsre0), STATE_ARRAY(ArmCpu, zcr),
    STATE_ARRAY(ArmCpu, scxtnum), STATE(ArmCpu, scxtnum_el0), STATE_ARRAY(ArmCpu, smcr), STATE_ARRAY(ArmCpu, imp),
    STATE(ArmCpu, semihost_errno), HOST_ONLY(ArmCpu, sysreg_spare, "nobody reads it"), STATE_STRUCTS(ArmCpu, gt, timer_state),
    BY_MODEL(gt_scale_hz), STATE_STRUCT(ArmCpu, exc, exception_state), STATE(ArmCpu, event), STATE(ArmCpu, powered_off),
    HOST_ONLY(ArmCpu, resets, "of the process"), HOST_ONLY(ArmCpu, tagged_seen, "of the TLB, which is flushed"),
    HOST_ONLY(ArmCpu, tags, "memory, saved as such"), STATE(ArmCpu, guarded_seen), HOST_ONLY(ArmCpu, debug_every, "derived"),
    HOST_ONLY(ArmCpu, debug_points, "derived"), HOST_ONLY(ArmCpu, in_exec, "of the host's thread"), STATE(ArmCpu, lines),
    STATE_FIELD_(ArmCpu, m, STATE_STRUCT_, .fields = m_state, .needed = is_m), HOST_ONLY(ArmCpu, provided, "of devices"),
    HOST_ONLY(ArmCpu, el_change, "of a device"), HOST_ONLY(ArmCpu, el_change_opaque, "of a device"),
    HOST_ONLY(ArmCpu, entry, "by the board"), HOST_ONLY(ArmCpu, has_entry, "by the board"),
    STATE(ArmCpu, pmu_level), STATE(ArmCpu, pmu_running), STATE(ArmCpu, pmu_last), STATE_TIMER_FIELD(ArmCpu, pmu_timer),
    BY_MODEL(model), BY_MODEL(id), BY_MODEL(features), BY_MODEL(feature_text), BY_MODEL(pauth), BY_MODEL(pauth_impdef),
    BY_MODEL(has_lpa2), BY_MODEL(has_gic_regs), BY_MODEL(has_vfp), BY_MODEL(has_dsp), BY_MODEL(sve), BY_MODEL(sve_map),
    BY_MODEL(sve_on), BY_MODEL(sve_off), BY_MODEL(sve_max_vq), STATE(ArmCpu, sve_vq), STATE_END,
};

const char *arm_cpu_unsaved(Device *d)
{
    return d->vm->accel && d->vm->accel->type->cpu_sync
               ? "parts of its state are the host kernel's, and cannot be saved yet"
               : NULL;
}

static void nothing(Cpu *cpu, uint64_t data)
{
}

void arm_cpu_saving(Device *d)
{
    /* a CPU that PSCI just switched on, or off, may not have looked at that yet */
    cpu_run_on_wait((Cpu *)d, nothing, 0);
}

/* Their bools are read as such. */
static void clean_vectors(ArmMVector *v, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t *flags = (uint8_t *)&v[i].enabled;

        for (size_t k = 0; k < sizeof(*v) - offsetof(ArmMVector, enabled); k++) {
            flags[k] &= 1;
        }
        v[i].prio = (int16_t)MAX(-4, MIN(v[i].prio, 255));
    }
}

static void m_loaded(ArmM *m)
{
    m->exception &= M_VECTORS - 1;
    m->fault_exc = m->fault_exc < M_IRQ0 ? m->fault_exc : M_HARD;
    for (unsigned s = 0; s < 2; s++) {
        m->prigroup[s] &= 7;
        m->mpu_rnr[s] &= ARRAY_COUNT(m->mpu_racr) - 1;
    }
    m->sau_rnr &= ARRAY_COUNT(m->sau_rbar) - 1;
    clean_vectors(m->vec, ARRAY_COUNT(m->vec));
    clean_vectors(m->svec, ARRAY_COUNT(m->svec));
}

void arm_cpu_loaded(Device *d)
{
    ArmCpu *c = (ArmCpu *)d;

    c->resets++; /* what was queued for the state before is nothing now */
    c->cpu.pending &= ~(uint32_t)(CPU_PENDING_EXIT | CPU_PENDING_STOP);
    c->cpu.pending |= CPU_PENDING_WORK; /* there may be some of this process */
    c->cpu.attention = 1;
    c->cc_op = c->cc_op <= CC_NZ ? c->cc_op : CC_NZCV;
    c->pstate |= c->aarch64_prop ? 0 : PSTATE_A32 | 16; /* all modes of AArch32 have bit 4 set */
    c->it &= 0xff;
    c->ge &= 15;
    c->q &= 1;
    c->exc.target_el &= 3;
    c->pmselr &= 31;
    c->sve_vq = MIN(c->sve_vq, (uint32_t)ARRAY_COUNT(c->z[0].q));
    arm_set_fpcr(c, c->fpcr);
    c->tagged_seen = false;
    if (is_m(d)) {
        m_loaded(&c->m);
    }
    arm_debug_update(c);
}
