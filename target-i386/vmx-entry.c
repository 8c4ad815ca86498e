// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VM entries: the checks of controls, host state and guest state, and the loading of the guest. SDM
 * 3C chapter 27.
 */
#include "target-i386/seg.h"
#include "target-i386/vmx.h"
#include "util/log.h"

static uint32_t ar_of(const X86Cpu *c, unsigned seg)
{
    return vmx_get(c, VM_G_AR + 2 * seg);
}

static bool within(const X86Cpu *c, uint64_t pa)
{
    return !(pa >> c->phys_bits);
}

/* ---- controls: 27.2.1 ---- */

static bool area_ok(const X86Cpu *c, unsigned area, unsigned count)
{
    uint64_t n = vmx_get(c, count), pa = vmx_get(c, area);

    return n == 0 || (!(pa & 15) && within(c, pa) && within(c, pa + n * 16 - 1));
}

static bool map_ok(const X86Cpu *c, bool used, unsigned field)
{
    return !used || vmx_address_ok(c, vmx_get(c, field));
}

static bool execution_controls_ok(X86Cpu *c)
{
    uint32_t pin = vmx_get(c, VM_PIN), proc = vmx_get(c, VM_PROC), proc2 = vmx_get(c, VM_PROC2);

    if (!vmx_control_ok(c, 0x48d, pin) || !vmx_control_ok(c, 0x48e, proc) ||
        ((proc & PROC_SECONDARY) && !vmx_control_ok(c, 0x48b, proc2)) ||
        vmx_get(c, VM_CR3_TARGETS) > 4) {
        return false;
    }
    if (!map_ok(c, proc & PROC_IO_BITMAPS, VM_IO_A) ||
        !map_ok(c, proc & PROC_IO_BITMAPS, VM_IO_B) ||
        !map_ok(c, proc & PROC_MSR_BITMAPS, VM_MSR_BITMAP) ||
        !map_ok(c, vmx_proc2(c, PROC2_SHADOW), VM_VMREAD_MAP) ||
        !map_ok(c, vmx_proc2(c, PROC2_SHADOW), VM_VMWRITE_MAP) ||
        !map_ok(c, vmx_proc2(c, PROC2_PML), VM_PML) || !vmx_tpr_controls_ok(c)) {
        return false;
    }
    if (!(pin & PIN_TIMER) && (vmx_get(c, VM_EXIT_CTL) & EXIT_SAVE_TIMER)) {
        return false;
    }
    if (!vmx_posted_controls_ok(c)) {
        return false;
    }
    if ((!(pin & PIN_NMI) && (pin & PIN_VNMI)) || (!(pin & PIN_VNMI) && (proc & PROC_NMI_WINDOW))) {
        return false;
    }
    return (!vmx_proc2(c, PROC2_VPID) || vmx_get(c, VM_VPID)) &&
           (!vmx_proc2(c, PROC2_EPT) || vmx_eptp_ok(c, vmx_get(c, VM_EPTP))) &&
           (!vmx_proc2(c, PROC2_UNRESTRICTED | PROC2_PML) || vmx_proc2(c, PROC2_EPT));
}

static bool event_ok(const X86Cpu *c)
{
    uint32_t e = vmx_get(c, VM_ENTRY_EVENT), type = e >> 8 & 7, vector = e & 0xff;
    bool real = vmx_proc2(c, PROC2_UNRESTRICTED) && !(vmx_get(c, VM_G_CR0) & CR0_PE), wants_error;

    if (!(e & VM_EVENT_VALID)) {
        return true;
    }
    if (type == EVENT_OTHER) { /* the monitor trap flag's exit */
        return !(e & (0x7ffff000 | VM_EVENT_ERROR)) && vector == 0 &&
               (c->features[FW_VMX_PROC] & PROC_STEP);
    }
    if (type == 1 || (e & 0x7ffff000) || (type == EVENT_NMI && vector != EXC_NMI) ||
        (type == EVENT_EXCEPTION && vector > 31)) {
        return false;
    }
    wants_error = type == EVENT_EXCEPTION && !real &&
                  (vector == EXC_DF || (vector >= EXC_TS && vector <= EXC_PF) || vector == EXC_AC);
    if (!(e & VM_EVENT_ERROR) == wants_error || (wants_error && vmx_get(c, VM_ENTRY_ERROR) >> 16)) {
        return false;
    }
    return type < EVENT_SOFT_INT || vmx_get(c, VM_ENTRY_LENGTH) <= 15;
}

static bool controls_ok(X86Cpu *c)
{
    return execution_controls_ok(c) && vmx_control_ok(c, 0x48f, vmx_get(c, VM_EXIT_CTL)) &&
           vmx_control_ok(c, 0x490, vmx_get(c, VM_ENTRY_CTL)) &&
           area_ok(c, VM_EXIT_STORE, VM_EXIT_STORE_COUNT) &&
           area_ok(c, VM_EXIT_LOAD, VM_EXIT_LOAD_COUNT) &&
           area_ok(c, VM_ENTRY_LOAD, VM_ENTRY_LOAD_COUNT) && event_ok(c);
}

/* ---- the hypervisor's state: 27.2.2 to 27.2.4 ---- */

static bool efer_ok(const X86Cpu *c, uint64_t efer, bool long_mode, bool paging)
{
    return !(efer & ~x86_efer_allowed(c)) && !(efer & EFER_LMA) == !long_mode &&
           (!paging || !(efer & EFER_LMA) == !(efer & EFER_LME));
}

static bool host_selectors_ok(const X86Cpu *c, bool host64)
{
    for (unsigned f = VM_H_SEL; f <= VM_H_TR_SEL; f += 2) {
        if (vmx_get(c, f) & 7) {
            return false;
        }
    }
    return vmx_get(c, VM_H_SEL + 2) && vmx_get(c, VM_H_TR_SEL) &&
           (host64 || vmx_get(c, VM_H_SEL + 4));
}

static bool host_ok(const X86Cpu *c)
{
    static const unsigned addresses[] = {
        VM_H_SYSENTER_ESP, VM_H_SYSENTER_EIP, VM_H_FS_BASE,   VM_H_GS_BASE,
        VM_H_TR_BASE,      VM_H_GDTR_BASE,    VM_H_IDTR_BASE,
    };
    uint64_t cr0 = vmx_get(c, VM_H_CR0), cr4 = vmx_get(c, VM_H_CR4), rip = vmx_get(c, VM_H_RIP);
    uint32_t ctl = vmx_get(c, VM_EXIT_CTL);
    bool host64 = ctl & EXIT_HOST64;

    if ((cr0 & VMX_CR0_FIXED) != VMX_CR0_FIXED || cr0 >> 32 || !(cr4 & CR4_VMXE) ||
        (cr4 & ~x86_cr4_allowed(c)) || !within(c, vmx_get(c, VM_H_CR3) & ~(1ull << 63))) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        if (!x86_canonical(c, vmx_get(c, addresses[i]))) {
            return false;
        }
    }
    if (((ctl & EXIT_LOAD_PAT) && !x86_pat_valid(vmx_get(c, VM_H_PAT))) ||
        ((ctl & EXIT_LOAD_EFER) && !efer_ok(c, vmx_get(c, VM_H_EFER), host64, true)) ||
        !host_selectors_ok(c, host64)) {
        return false;
    }
    if (x86_long_mode(c) != host64 || (!host64 && (vmx_get(c, VM_ENTRY_CTL) & ENTRY_IA32E))) {
        return false;
    }
    return host64 ? (cr4 & CR4_PAE) && x86_canonical(c, rip) : !(cr4 & CR4_PCIDE) && !(rip >> 32);
}

/* ---- the guest's state: 27.3.1 ---- */

static bool guest_control_ok(const X86Cpu *c)
{
    uint64_t cr0 = vmx_get(c, VM_G_CR0), cr4 = vmx_get(c, VM_G_CR4);
    uint64_t fixed = vmx_proc2(c, PROC2_UNRESTRICTED) ? CR0_NE : VMX_CR0_FIXED;
    uint32_t ctl = vmx_get(c, VM_ENTRY_CTL);
    bool long_mode = ctl & ENTRY_IA32E;

    if ((cr0 & fixed) != fixed || cr0 >> 32 || ((cr0 & CR0_PG) && !(cr0 & CR0_PE)) ||
        !(cr4 & CR4_VMXE) || (cr4 & ~x86_cr4_allowed(c))) {
        return false;
    }
    if (long_mode ? !(cr0 & CR0_PG) || !(cr4 & CR4_PAE) : cr4 & CR4_PCIDE) {
        return false;
    }
    if (!within(c, vmx_get(c, VM_G_CR3)) ||
        ((ctl & ENTRY_LOAD_DEBUG) &&
         (vmx_get(c, VM_G_DR7) >> 32 || (vmx_get(c, VM_G_DEBUGCTL) & ~0xdfc3ull)))) {
        return false;
    }
    return x86_canonical(c, vmx_get(c, VM_G_SYSENTER_ESP)) &&
           x86_canonical(c, vmx_get(c, VM_G_SYSENTER_EIP)) &&
           (!(ctl & ENTRY_LOAD_PAT) || x86_pat_valid(vmx_get(c, VM_G_PAT))) &&
           (!(ctl & ENTRY_LOAD_EFER) || efer_ok(c, vmx_get(c, VM_G_EFER), long_mode, cr0 & CR0_PG));
}

/* A usable segment: limit and granularity go together, reserved bits are clear, it is present. */
static bool seg_shape_ok(const X86Cpu *c, unsigned seg, bool system)
{
    uint32_t ar = ar_of(c, seg), limit = vmx_get(c, VM_G_LIMIT + 2 * seg);

    return !(ar & 0xfffe0f00) && (ar & 0x80) && !(ar & 0x10) == system &&
           ((limit & 0xfff) == 0xfff || !(ar & 0x8000)) && (!(limit >> 20) || (ar & 0x8000));
}

static bool code_seg_ok(const X86Cpu *c, bool unrestricted, bool long_mode)
{
    uint32_t ar = ar_of(c, S_CS), type = ar & 15, dpl = ar >> 5 & 3,
             ss_dpl = ar_of(c, S_SS) >> 5 & 3;

    if (!seg_shape_ok(c, S_CS, false) || (long_mode && (ar & 0x2000) && (ar & 0x4000))) {
        return false;
    }
    switch (type) {
    case 3:
        return unrestricted && dpl == 0;
    case 9:
    case 11:
        return dpl == ss_dpl;
    case 13:
    case 15:
        return dpl <= ss_dpl;
    default:
        return false;
    }
}

static bool data_segs_ok(const X86Cpu *c, bool unrestricted)
{
    static const uint8_t which[] = {S_ES, S_SS, S_DS, S_FS, S_GS};

    for (unsigned i = 0; i < G_N_ELEMENTS(which); i++) {
        unsigned s = which[i];
        uint32_t ar = ar_of(c, s), type = ar & 15, rpl = vmx_get(c, VM_G_SEL + 2 * s) & 3,
                 dpl = ar >> 5 & 3;

        if (s == S_SS) {
            if (!unrestricted && (rpl != (vmx_get(c, VM_G_SEL + 2 * S_CS) & 3) || dpl != rpl)) {
                return false;
            }
            if (!(ar & VM_AR_UNUSABLE) && type != 3 && type != 7) {
                return false;
            }
        } else if (!(ar & VM_AR_UNUSABLE)) {
            if (!(type & 1) || ((type & 8) && !(type & 2)) ||
                (!unrestricted && type < 12 && dpl < rpl)) {
                return false;
            }
        }
        if (!(ar & VM_AR_UNUSABLE) &&
            (!seg_shape_ok(c, s, false) || (s < S_FS && vmx_get(c, VM_G_BASE + 2 * s) >> 32))) {
            return false;
        }
    }
    return x86_canonical(c, vmx_get(c, VM_G_BASE + 2 * S_FS)) &&
           x86_canonical(c, vmx_get(c, VM_G_BASE + 2 * S_GS));
}

static bool system_segs_ok(const X86Cpu *c, bool long_mode)
{
    uint32_t tr = ar_of(c, VM_SEG_TR), ldtr = ar_of(c, VM_SEG_LDTR);

    if ((tr & VM_AR_UNUSABLE) || (vmx_get(c, VM_G_SEL + 2 * VM_SEG_TR) & 4) ||
        !seg_shape_ok(c, VM_SEG_TR, true) || ((tr & 15) != 11 && (long_mode || (tr & 15) != 3)) ||
        !x86_canonical(c, vmx_get(c, VM_G_BASE + 2 * VM_SEG_TR))) {
        return false;
    }
    if (!(ldtr & VM_AR_UNUSABLE) &&
        ((vmx_get(c, VM_G_SEL + 2 * VM_SEG_LDTR) & 4) || !seg_shape_ok(c, VM_SEG_LDTR, true) ||
         (ldtr & 15) != 2 || !x86_canonical(c, vmx_get(c, VM_G_BASE + 2 * VM_SEG_LDTR)))) {
        return false;
    }
    return x86_canonical(c, vmx_get(c, VM_G_GDTR_BASE)) &&
           x86_canonical(c, vmx_get(c, VM_G_IDTR_BASE)) && !(vmx_get(c, VM_G_GDTR_LIMIT) >> 16) &&
           !(vmx_get(c, VM_G_IDTR_LIMIT) >> 16);
}

static bool vm86_segs_ok(const X86Cpu *c)
{
    for (unsigned s = 0; s < 6; s++) {
        if (vmx_get(c, VM_G_BASE + 2 * s) != vmx_get(c, VM_G_SEL + 2 * s) << 4 ||
            vmx_get(c, VM_G_LIMIT + 2 * s) != 0xffff || ar_of(c, s) != 0xf3) {
            return false;
        }
    }
    return true;
}

static bool guest_segs_ok(const X86Cpu *c, bool long_mode)
{
    bool unrestricted = vmx_proc2(c, PROC2_UNRESTRICTED);

    if (vmx_get(c, VM_G_RFLAGS) & FLAG_VM
            ? !vm86_segs_ok(c)
            : !code_seg_ok(c, unrestricted, long_mode) || !data_segs_ok(c, unrestricted)) {
        return false;
    }
    return !(vmx_get(c, VM_G_BASE + 2 * S_CS) >> 32) && system_segs_ok(c, long_mode);
}

static bool guest_flow_ok(const X86Cpu *c, bool long_mode)
{
    uint64_t rip = vmx_get(c, VM_G_RIP), flags = vmx_get(c, VM_G_RFLAGS);
    uint32_t event = vmx_get(c, VM_ENTRY_EVENT), type = event >> 8 & 7;
    uint32_t blocked = vmx_get(c, VM_G_INTERRUPTIBILITY), activity = vmx_get(c, VM_G_ACTIVITY);
    bool valid = event & VM_EVENT_VALID;

    if (long_mode && (ar_of(c, S_CS) & 0x2000) ? !x86_canonical(c, rip) : rip >> 32) {
        return false;
    }
    if ((flags & ~0x3f7fd7ull) || !(flags & FLAG_1) ||
        ((flags & FLAG_VM) && (long_mode || !(vmx_get(c, VM_G_CR0) & CR0_PE))) ||
        (valid && type == EVENT_INTR && !(flags & FLAG_IF))) {
        return false;
    }
    if (activity > VM_HALTED ||
        (activity == VM_HALTED && ((ar_of(c, S_SS) >> 5 & 3) || (blocked & 3)))) {
        return false;
    }
    if ((blocked & ~(VM_BLOCK_STI | VM_BLOCK_MOV_SS | VM_BLOCK_NMI)) || (blocked & 3) == 3 ||
        ((blocked & VM_BLOCK_STI) && !(flags & FLAG_IF)) ||
        (valid && type == EVENT_INTR && (blocked & 3)) ||
        (valid && type == EVENT_NMI && (blocked & VM_BLOCK_MOV_SS)) ||
        (valid && type == EVENT_NMI && (blocked & VM_BLOCK_NMI) &&
         (vmx_get(c, VM_PIN) & PIN_VNMI))) {
        return false;
    }
    return !(vmx_get(c, VM_G_PENDING_DEBUG) & ~0x1500full);
}

static bool pdptes_ok(const X86Cpu *c)
{
    uint64_t reserved = ~((1ull << c->phys_bits) - 1) | 0x1e6;

    for (unsigned i = 0; i < 4; i++) {
        uint64_t e = vmx_get(c, VM_G_PDPTE + 2 * i);

        if ((e & 1) && (e & reserved)) {
            return false;
        }
    }
    return true;
}

/* 27.3.1.5: the VMCS that the link pointer is for. */
static bool link_ok(X86Cpu *c, uint64_t link)
{
    uint32_t first = 0;

    if (!vmx_page_ok(c, link) || link == c->vmx.current) {
        return false;
    }
    address_space_read(c->cpu.as, link, vmx_attrs(c), &first, 4);
    return first == (VMCS_REVISION | (vmx_proc2(c, PROC2_SHADOW) ? VMCS_SHADOW : 0));
}

/* -1: good; else the qualification of the exit. */
static int guest_problem(X86Cpu *c)
{
    bool long_mode = vmx_get(c, VM_ENTRY_CTL) & ENTRY_IA32E;
    uint64_t link = vmx_get(c, VM_G_LINK);

    if (!guest_control_ok(c) || !guest_segs_ok(c, long_mode) || !guest_flow_ok(c, long_mode)) {
        return 0;
    }
    if (link != VMX_NONE && !link_ok(c, link)) {
        return 4;
    }
    if (!long_mode && (vmx_get(c, VM_G_CR0) & CR0_PG) && (vmx_get(c, VM_G_CR4) & CR4_PAE) &&
        vmx_proc2(c, PROC2_EPT) && !pdptes_ok(c)) {
        return 2;
    }
    return -1;
}

/* ---- loading: 27.3.2 ---- */

static X86Seg seg_in(const X86Cpu *c, unsigned seg)
{
    uint32_t ar = ar_of(c, seg);

    return (X86Seg){
        .selector = vmx_get(c, VM_G_SEL + 2 * seg),
        .base = vmx_get(c, VM_G_BASE + 2 * seg),
        .limit = vmx_get(c, VM_G_LIMIT + 2 * seg),
        .flags = ((ar & 0xf0ff) << 8) & (ar & VM_AR_UNUSABLE ? ~SEG_P : UINT32_MAX),
    };
}

static void load_efer(X86Cpu *c, uint32_t ctl)
{
    uint64_t efer = c->efer, bits = EFER_LMA | EFER_LME;

    if (ctl & ENTRY_LOAD_EFER) {
        efer = vmx_get(c, VM_G_EFER);
    } else if (ctl & ENTRY_IA32E) {
        efer |= bits;
    } else {
        efer &= ~(c->cr0 & CR0_PG ? bits : EFER_LMA);
    }
    c->efer = efer;
}

static void load_guest(X86Cpu *c)
{
    uint32_t ctl = vmx_get(c, VM_ENTRY_CTL), blocked = vmx_get(c, VM_G_INTERRUPTIBILITY);

    c->cr0 = (vmx_get(c, VM_G_CR0) & ~(uint64_t)(CR0_CD | CR0_NW)) | (c->cr0 & (CR0_CD | CR0_NW)) |
             CR0_ET;
    c->cr3 = vmx_get(c, VM_G_CR3);
    c->cr4 = vmx_get(c, VM_G_CR4);
    load_efer(c, ctl);
    x86_set_eflags(c, (uint32_t)vmx_get(c, VM_G_RFLAGS), UINT32_MAX);
    for (unsigned i = 0; i < 6; i++) {
        c->segs[i] = seg_in(c, i);
    }
    c->ldt = seg_in(c, VM_SEG_LDTR);
    c->tr = seg_in(c, VM_SEG_TR);
    c->gdt =
        (X86TableReg){.base = vmx_get(c, VM_G_GDTR_BASE), .limit = vmx_get(c, VM_G_GDTR_LIMIT)};
    c->idt =
        (X86TableReg){.base = vmx_get(c, VM_G_IDTR_BASE), .limit = vmx_get(c, VM_G_IDTR_LIMIT)};
    x86_set_cpl(c, c->eflags & FLAG_VM ? 3 : ar_of(c, S_SS) >> 5 & 3);
    x86_seg_derive(c);
    c->rip = vmx_get(c, VM_G_RIP);
    c->regs[R_SP] = vmx_get(c, VM_G_RSP);
    c->sysenter_cs = vmx_get(c, VM_G_SYSENTER_CS);
    c->sysenter_esp = vmx_get(c, VM_G_SYSENTER_ESP);
    c->sysenter_eip = vmx_get(c, VM_G_SYSENTER_EIP);
    if (ctl & ENTRY_LOAD_PAT) {
        c->pat = vmx_get(c, VM_G_PAT);
    }
    if (ctl & ENTRY_LOAD_DEBUG) {
        c->dr[7] = (vmx_get(c, VM_G_DR7) & 0xffff2bff) | DR7_FIXED;
        c->debugctl = vmx_get(c, VM_G_DEBUGCTL) & 3;
        x86_update_breakpoints(c);
    }
    c->inhibit_irq = blocked & (VM_BLOCK_STI | VM_BLOCK_MOV_SS) ? 1 : 0;
    c->nmi_masked = blocked & VM_BLOCK_NMI;
}

/* 27.7.3: what is pending when the guest goes on. */
static void pending_debug(X86Cpu *c)
{
    uint64_t bits = vmx_get(c, VM_G_PENDING_DEBUG);

    if ((bits & (DR6_BS | 15)) && vmx_get(c, VM_G_ACTIVITY) == VM_ACTIVE && !c->inhibit_irq) {
        x86_raise_debug(c, bits & (DR6_BS | 15), EVENT_EXCEPTION, 0);
    }
}

static void inject(X86Cpu *c)
{
    uint32_t e = vmx_get(c, VM_ENTRY_EVENT), type = e >> 8 & 7;
    uint64_t next = c->rip + vmx_get(c, VM_ENTRY_LENGTH);

    if (!(e & VM_EVENT_VALID)) {
        pending_debug(c);
        return;
    }
    if (type == EVENT_OTHER) {
        vmx_stepped(c, false);
        return;
    }
    if (type == EVENT_NMI) {
        c->nmi_masked = true;
    } else if (type == EVENT_PRIV_EXCEPTION) {
        c->rip = next;
    }
    x86_do_interrupt(c, e & 0xff, type, e & VM_EVENT_ERROR, (uint32_t)vmx_get(c, VM_ENTRY_ERROR),
                     next);
}

/* 27.8: an exit instead of an entry. The guest's fields stay. */
static _Noreturn void entry_failed(X86Cpu *c, uint32_t reason, uint64_t qualification)
{
    vmx_set(c, VM_REASON, reason | EXIT_ENTRY_FAILED);
    vmx_set(c, VM_QUALIFICATION, qualification);
    log_mask(LOG_INT, "VMX: entry failed, reason %u qualification %" PRIu64 "\n", reason,
             qualification);
    vmx_load_host(c);
    cpu_leave(&c->cpu, 0);
}

void vmx_enter(X86Cpu *c, bool launch, uint64_t next, uintptr_t host_pc)
{
    X86Vmx *v = &c->vmx;
    unsigned bad;
    int problem;
    bool held;

    cpu_restore_state(&c->cpu, host_pc);
    if (v->current != VMX_NONE && v->vmcs.revision & VMCS_SHADOW) {
        x86_set_eflags(c, FLAG_C, FLAGS_CC); /* a shadow VMCS is for no guest */
        return;
    }
    if (v->current == VMX_NONE || !launch != !!v->vmcs.slot[VMCS_LAUNCHED] || !controls_ok(c) ||
        !host_ok(c)) {
        vmx_fail(c, v->current == VMX_NONE ? 0
                    : !launch != !!v->vmcs.slot[VMCS_LAUNCHED]
                        ? (launch ? VMERR_LAUNCH_NOT_CLEAR : VMERR_RESUME_NOT_LAUNCHED)
                    : !controls_ok(c) ? VMERR_CONTROLS
                                      : VMERR_HOST);
        return;
    }
    v->host_nmi_masked = c->nmi_masked;
    problem = guest_problem(c);
    if (problem >= 0) {
        entry_failed(c, EXIT_BAD_GUEST, problem);
    }
    load_guest(c);
    bad = vmx_load_msrs(c, vmx_get(c, VM_ENTRY_LOAD), vmx_get(c, VM_ENTRY_LOAD_COUNT));
    if (bad) {
        entry_failed(c, EXIT_BAD_MSR, bad);
    }
    v->vmcs.slot[VMCS_LAUNCHED] = 1;
    c->guest = &vmx_ops;
    c->nested = vmx_proc2(c, PROC2_EPT);
    vmx_timer_start(c);
    if (vmx_proc(c, PROC_TSC_OFFSET)) {
        c->guest_tsc_offset = (int64_t)vmx_get(c, VM_TSC_OFFSET);
        c->guest_tsc_scale = vmx_proc2(c, PROC2_TSC_SCALE) ? vmx_get(c, VM_TSC_SCALE) : 0;
    }
    c->guest_step = vmx_proc(c, PROC_STEP);
    v->entered_tf = c->eflags & FLAG_TF;
    v->pause_first = v->pause_last = 0;
    c->event.valid = false;
    tlb_flush(&c->cpu);
    if (vmx_proc(c, PROC_INTR_WINDOW | PROC_NMI_WINDOW)) {
        held = x86_lock_machine();
        cpu_interrupt(&c->cpu, X86_PENDING_VIRTUAL);
        x86_unlock_machine(held);
    }
    vmx_tpr_enter(c);
    inject(c);
    if (vmx_get(c, VM_G_ACTIVITY) == VM_HALTED && !(vmx_get(c, VM_ENTRY_EVENT) & VM_EVENT_VALID)) {
        c->cpu.halted = true;
        cpu_raise(&c->cpu, CPU_EXC_HALT, 0);
    }
    cpu_leave(&c->cpu, 0);
}
