// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a vCPU's state consists of, for snapshots of the machine: rows as those of devices. What
 * follows from other fields (segment bounds, the mode, breakpoints of the debug registers) is
 * derived again after loading.
 */
#include "target-i386/state.h"

#include "accel/accel.h"

static const StateField seg_state[] = {
    STATE(X86Seg, base), STATE(X86Seg, limit), STATE(X86Seg, flags), STATE(X86Seg, selector), STATE_END,
};

static const StateField table_reg_state[] = {
    STATE(X86TableReg, base), STATE(X86TableReg, limit), STATE_END,
};

static const StateField x87_reg_state[] = {
    STATE(X87Reg, mant), STATE(X87Reg, sign_exp), HOST_ONLY(X87Reg, pad, "nobody reads it"), STATE_END,
};

#define BY_MODEL(f_) HOST_ONLY(X86Cpu, f_, "by -cpu")

/* A CPU in guest mode has pointers to its hypervisor's side: x86_cpu_saveable. */
const StateField x86_cpu_state[] = {
    STATE(X86Cpu, cpu.pending), STATE(X86Cpu, cpu.exception), STATE(X86Cpu, cpu.halted),
    STATE_ARRAY(X86Cpu, regs), STATE(X86Cpu, rip), STATE(X86Cpu, cc_dst), STATE(X86Cpu, cc_src),
    STATE(X86Cpu, cc_src2), STATE(X86Cpu, df), STATE(X86Cpu, cc_op), STATE(X86Cpu, eflags),
    HOST_ONLY(X86Cpu, scratch, "dead between instructions"), STATE_STRUCTS(X86Cpu, segs, seg_state),
    HOST_ONLY(X86Cpu, seg_last, "derived"), HOST_ONLY(X86Cpu, seg_mode, "derived"), STATE_MAX(X86Cpu, cpl, 3),
    STATE(X86Cpu, inhibit_irq), STATE(X86Cpu, mxcsr), STATE_MAX(X86Cpu, fp_top, 7), STATE(X86Cpu, fp_cw),
    STATE(X86Cpu, fp_sw), HOST_ONLY(X86Cpu, fp_host_clean, "of the host's x87"), STATE_ARRAY(X86Cpu, fp_tag),
    STATE_STRUCTS(X86Cpu, fpr, x87_reg_state), STATE_RAW(X86Cpu, xmm), STATE_RAW(X86Cpu, ymm_hi),
    STATE_RAW(X86Cpu, zmm_hi), STATE_RAW(X86Cpu, zmm_more), STATE_ARRAY(X86Cpu, opmask),
    STATE(X86Cpu, fp_ip), STATE(X86Cpu, fp_dp), STATE(X86Cpu, fp_cs), STATE(X86Cpu, fp_ds), STATE(X86Cpu, fp_op),
    STATE_STRUCT(X86Cpu, ldt, seg_state), STATE_STRUCT(X86Cpu, tr, seg_state),
    STATE_STRUCT(X86Cpu, gdt, table_reg_state), STATE_STRUCT(X86Cpu, idt, table_reg_state),
    STATE(X86Cpu, cr0), STATE(X86Cpu, cr2), STATE(X86Cpu, cr3), STATE(X86Cpu, cr4), STATE(X86Cpu, xcr0),
    STATE(X86Cpu, pkru), STATE_ARRAY(X86Cpu, dr), STATE(X86Cpu, efer), STATE(X86Cpu, star), STATE(X86Cpu, lstar),
    STATE(X86Cpu, cstar), STATE(X86Cpu, sfmask), STATE(X86Cpu, kernel_gs_base), STATE(X86Cpu, sysenter_cs),
    STATE(X86Cpu, sysenter_esp), STATE(X86Cpu, sysenter_eip), STATE(X86Cpu, tsc_aux), STATE(X86Cpu, tsc_adjust),
    STATE(X86Cpu, tsc_offset), STATE(X86Cpu, pat), STATE(X86Cpu, mtrr_def_type), STATE_ARRAY(X86Cpu, mtrr_fixed),
    STATE_RAW(X86Cpu, mtrr_var), STATE(X86Cpu, misc_enable), STATE(X86Cpu, mcg_status), STATE(X86Cpu, mcg_ctl),
    STATE_ARRAY(X86Cpu, mce_banks), STATE(X86Cpu, spec_ctrl), STATE(X86Cpu, feature_control), STATE(X86Cpu, xss),
    STATE(X86Cpu, ucode_rev), STATE(X86Cpu, debugctl), STATE(X86Cpu, smbase), STATE(X86Cpu, smm),
    STATE(X86Cpu, nmi_masked), STATE(X86Cpu, smi_masked_nmi), STATE(X86Cpu, in_hlt_mwait), STATE(X86Cpu, sipi_vector),
    STATE(X86Cpu, wait_sipi), STATE(X86Cpu, a20_mask_bit), STATE(X86Cpu, a20_inputs), STATE(X86Cpu, error_code),
    STATE(X86Cpu, exception_has_error), STATE(X86Cpu, exception_next_rip), STATE(X86Cpu, exception_cr2),
    STATE(X86Cpu, old_exception), STATE(X86Cpu, monitor_va), STATE(X86Cpu, gif), STATE(X86Cpu, exception_type),
    STATE_RAW(X86Cpu, event), STATE_RAW(X86Cpu, svm), STATE_RAW(X86Cpu, vmx),
    HOST_ONLY(X86Cpu, guest, "no guest mode is saved"), HOST_ONLY(X86Cpu, nested, "likewise"),
    HOST_ONLY(X86Cpu, guest_tsc_offset, "likewise"),
    HOST_ONLY(X86Cpu, guest_tsc_scale, "likewise"), HOST_ONLY(X86Cpu, guest_step, "likewise"),
    HOST_ONLY(X86Cpu, vmx_timer, "likewise"), HOST_ONLY(X86Cpu, smm_guest, "likewise"),
    HOST_ONLY(X86Cpu, guest_breakpoints, "derived"), HOST_ONLY(X86Cpu, resets, "of the process"), HOST_ONLY(X86Cpu, model, "by -cpu"),
    BY_MODEL(cpuid_xlevel2), BY_MODEL(phys_bits), BY_MODEL(hide_l3), BY_MODEL(hide_topology), BY_MODEL(hide_tcg),
    BY_MODEL(legacy_cache), BY_MODEL(legacy_cache_given), BY_MODEL(feature_text), HOST_ONLY(X86Cpu, apic, "link"),
    HOST_ONLY(X86Cpu, sse_before, "dead between instructions"), HOST_ONLY(X86Cpu, in_exec, "of the host's thread"),
    HOST_ONLY(X86Cpu, nested_split, "no guest mode is saved"), HOST_ONLY(X86Cpu, nested_fault, "likewise"),
    HOST_ONLY(X86Cpu, smm_nested, "likewise"), STATE_END,
};

const char *x86_cpu_unsaved(Device *d)
{
    const X86Cpu *c = (const X86Cpu *)d;

    if (d->vm->accel && d->vm->accel->type->cpu_sync) {
        return "parts of its state are the host kernel's, and cannot be saved yet";
    }
    return c->guest || c->smm_guest ? "it runs a nested guest" : NULL;
}

void x86_cpu_loaded(Device *d)
{
    X86Cpu *c = (X86Cpu *)d;

    c->guest = c->smm_guest = NULL;
    c->nested = c->nested_split = c->smm_nested = false;
    c->guest_tsc_offset = 0;
    c->guest_tsc_scale = 0;
    c->guest_step = false;
    c->cpu.pending &= ~(uint32_t)(CPU_PENDING_EXIT | CPU_PENDING_WORK | CPU_PENDING_STOP);
    c->cpu.attention = 1;
    c->fp_host_clean = 0;
    c->fp_top &= 7;
    c->cpl &= 3;
    c->cc_op = c->cc_op < CC_COUNT ? c->cc_op : CC_EFLAGS;
    c->df = c->df < 0 ? -1 : 1;
    x86_set_smm(c, c->smm);
    x86_seg_derive(c);
    x86_update_breakpoints(c);
}
