// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AMD SVM: its instructions, the way into a guest (VMRUN) and out of it (#VMEXIT). APM volume 2,
 * chapter 15. What is intercepted is in svm-intercept.c.
 *
 * The state of the hypervisor that VMRUN saves stays in X86Svm.host instead of the host save area,
 * and ASIDs are not told
 * apart: the TLB is flushed on the way in and out. Left out: SKINIT (#UD, not advertised), LBR
 * virtualization, AVIC, SEV, virtualized VMLOAD and VMSAVE.
 */
#include <string.h>
#include "target-i386/helpers.h"
#include "target-i386/seg.h"
#include "util/log.h"

/* ---- the block in memory ---- */

static MemAttrs vmcb_attrs(const X86Cpu *c)
{
    return (MemAttrs){.is_cpu = 1, .cpu_index = c->cpu.index, .secure = c->smm};
}

/* Whether a page of RAM that can be written is at pa: control blocks elsewhere are refused. */
static bool vmcb_address_ok(X86Cpu *c, hwaddr pa)
{
    Section s;

    if ((pa & 0xfff) || pa >> c->phys_bits) {
        return false;
    }
    s = address_space_lookup(c->cpu.as, pa, true, vmcb_attrs(c));
    return s.region && s.region->kind == REGION_RAM && !s.readonly && s.len >= 0x1000;
}

static void vmcb_read(X86Cpu *c, hwaddr pa, unsigned offset, void *to, size_t size)
{
    address_space_read(c->cpu.as, pa + offset, vmcb_attrs(c), to, size);
}

static void vmcb_write(X86Cpu *c, hwaddr pa, unsigned offset, const void *from, size_t size)
{
    address_space_write(c->cpu.as, pa + offset, vmcb_attrs(c), from, size);
}

#define SAVE_OFFSET(field) (VMCB_SAVE + (unsigned)offsetof(VmcbSave, field))

/* Writes the fields from `first` to before `end`. */
static void write_save(X86Cpu *c, const VmcbSave *s, size_t first, size_t end)
{
    vmcb_write(c, c->svm.vmcb, VMCB_SAVE + (unsigned)first, (const char *)s + first, end - first);
}

static void write_control(X86Cpu *c, size_t first, size_t end)
{
    vmcb_write(c, c->svm.vmcb, (unsigned)first, (const char *)&c->svm.ctl + first, end - first);
}

/* ---- segments ---- */

static VmcbSeg seg_out(const X86Seg *s)
{
    return (VmcbSeg){
        .selector = (uint16_t)s->selector,
        .attrib = (s->flags >> 8 & 0xff) | (s->flags >> 12 & 0xf00),
        .limit = s->limit,
        .base = s->base,
    };
}

static X86Seg seg_in(const VmcbSeg *s)
{
    return (X86Seg){
        .selector = s->selector,
        .flags = (s->attrib & 0xffu) << 8 | (s->attrib & 0xf00u) << 12,
        .limit = s->limit,
        .base = s->base,
    };
}

/* Bases are canonical whatever the block says (APM 15.5.1). */
static uint64_t sign_extend(const X86Cpu *c, uint64_t va)
{
    unsigned shift = c->cr4 & CR4_LA57 ? 7 : 16;

    return (uint64_t)((int64_t)(va << shift) >> shift);
}

/* ---- VMRUN ---- */

static void save_host(X86Cpu *c, uint64_t next)
{
    SvmHost *h = &c->svm.host;
    static const uint8_t which[] = {S_ES, S_CS, S_SS, S_DS};

    for (unsigned i = 0; i < 4; i++) {
        const X86Seg *s = &c->segs[which[i]];

        h->seg[i].base = s->base;
        h->seg[i].limit = s->limit;
        h->seg[i].flags = s->flags;
        h->seg[i].selector = s->selector;
    }
    h->gdt_base = c->gdt.base;
    h->gdt_limit = c->gdt.limit;
    h->idt_base = c->idt.base;
    h->idt_limit = c->idt.limit;
    h->efer = c->efer;
    h->cr0 = c->cr0;
    h->cr3 = c->cr3;
    h->cr4 = c->cr4;
    h->eflags = x86_get_eflags(c);
    h->rip = next;
    h->rsp = c->regs[R_SP];
    h->rax = c->regs[R_AX];
    h->pat = c->pat;
}

static bool event_ok(const X86Cpu *c, uint64_t inj, const VmcbSave *s)
{
    unsigned type = inj >> VMCB_EVENT_TYPE_SHIFT & 7, vector = inj & 0xff;

    if (!(inj & VMCB_EVENT_VALID)) {
        return true;
    }
    if (type == 1 || type > EVENT_SOFT_INT) {
        return false;
    }
    if (type != EVENT_EXCEPTION) {
        return true;
    }
    /* vectors that are no exceptions; those that the guest's mode does not have */
    return vector != EXC_NMI && vector < 32 &&
           !(vector == EXC_BR && (s->efer & EFER_LMA) && (seg_in(&s->seg[S_CS]).flags & SEG_L));
}

/* APM 15.5.1: canonicalization and consistency checks. */
static bool guest_state_ok(const X86Cpu *c, const VmcbControl *t, const VmcbSave *s)
{
    uint64_t physical = ~((1ull << c->phys_bits) - 1);
    uint32_t cs = seg_in(&s->seg[S_CS]).flags;
    bool long_mode = (s->efer & EFER_LME) && (s->cr0 & CR0_PG);

    if (!(s->efer & EFER_SVME) || (s->efer & ~x86_efer_allowed(c)) || s->cr0 >> 32 ||
        ((s->cr0 & CR0_NW) && !(s->cr0 & CR0_CD)) || (s->cr4 & ~x86_cr4_allowed(c)) ||
        s->dr6 >> 32 || s->dr7 >> 32) {
        return false;
    }
    if (long_mode && ((s->cr3 & physical) || !(s->cr4 & CR4_PAE) || !(s->cr0 & CR0_PE) ||
                      ((cs & SEG_L) && (cs & SEG_B)))) {
        return false;
    }
    if (!(t->misc[1] & 1) || t->asid == 0 || !event_ok(c, t->event_inj, s)) {
        return false;
    }
    if ((t->iopm + 0x3000) & physical || (t->msrpm + 0x2000) & physical) {
        return false;
    }
    return !(t->np_enable & VMCB_NP) ||
           (x86_has_feature(c, FEAT_NPT) && (c->cr0 & CR0_PG) && !(t->ncr3 & physical) &&
            x86_pat_valid(s->g_pat));
}

static void load_guest(X86Cpu *c, const VmcbSave *s)
{
    const VmcbControl *t = &c->svm.ctl;

    c->cr0 = (uint32_t)s->cr0 | CR0_ET;
    c->cr2 = s->cr2;
    c->cr3 = s->cr3;
    c->cr4 = s->cr4;
    x86_set_efer(c, s->efer & ~(uint64_t)EFER_LMA);
    x86_set_eflags(c, (uint32_t)s->rflags, UINT32_MAX);
    for (unsigned i = 0; i < 4; i++) {
        c->segs[i] = seg_in(&s->seg[i]);
        c->segs[i].base = x86_long_mode(c) ? c->segs[i].base : (uint32_t)c->segs[i].base;
    }
    c->gdt = (X86TableReg){.base = sign_extend(c, s->gdtr.base), .limit = s->gdtr.limit & 0xffff};
    c->idt = (X86TableReg){.base = sign_extend(c, s->idtr.base), .limit = s->idtr.limit & 0xffff};
    x86_set_cpl(c, !(c->cr0 & CR0_PE) ? 0 : c->eflags & FLAG_VM ? 3 : s->cpl & 3);
    x86_seg_derive(c);
    c->rip = x86_code64(c) ? s->rip : (uint32_t)s->rip;
    c->regs[R_SP] = s->rsp;
    c->regs[R_AX] = s->rax;
    c->dr[6] = (s->dr6 & 0xe00f) | DR6_FIXED;
    c->dr[7] = (s->dr7 & 0xffff2bff) | DR7_FIXED;
    x86_update_breakpoints(c);
    c->inhibit_irq = t->int_state & 1;
    if (t->np_enable & VMCB_NP) {
        c->pat = s->g_pat;
    }
}

/*
 * A virtual interrupt is looked at between instructions; one that is masked waits in Cpu.pending.
 */
static void arm_virtual(X86Cpu *c)
{
    if (c->svm.ctl.int_control & VINTR_IRQ) {
        cpu_interrupt(&c->cpu, X86_PENDING_VIRTUAL);
    }
}

static void inject(X86Cpu *c)
{
    uint64_t inj = c->svm.ctl.event_inj;
    unsigned type = inj >> VMCB_EVENT_TYPE_SHIFT & 7, vector = inj & 0xff;
    uint64_t next = c->rip;

    if (!(inj & VMCB_EVENT_VALID)) {
        return;
    }
    c->svm.ctl.event_inj &= ~VMCB_EVENT_VALID;
    if (type == EVENT_EXCEPTION && (vector == EXC_BP || vector == EXC_OF)) {
        type = EVENT_SOFT_EXCEPTION;
    }
    if ((type == EVENT_SOFT_INT || type == EVENT_SOFT_EXCEPTION) &&
        x86_has_feature(c, FEAT_NRIPS)) {
        next = c->svm.ctl.next_rip;
    }
    if (type == EVENT_NMI) {
        c->nmi_masked = true;
        vector = EXC_NMI;
    }
    x86_do_interrupt(c, vector, type, (inj & VMCB_EVENT_ERROR) && (c->cr0 & CR0_PE), inj >> 32,
                     next);
}

static void log_world(X86Cpu *c, const char *what)
{
    if (log_enabled(LOG_INT)) {
        g_autoptr(GString) text = g_string_new(NULL);

        c->cpu.arch->dump(&c->cpu, text, 0);
        log_mask(LOG_INT, "SVM: %s\n%s", what, text->str);
    }
}

static _Noreturn void vmrun(X86Cpu *c, hwaddr pa, uint64_t next, uintptr_t host_pc)
{
    X86Svm *v = &c->svm;
    VmcbSave s;
    bool held;

    cpu_restore_state(&c->cpu, host_pc);
    vmcb_read(c, pa, 0, &v->ctl, sizeof(v->ctl));
    vmcb_read(c, pa, VMCB_SAVE, &s, sizeof(s));
    v->vmcb = pa;
    v->pause_left = v->ctl.pause_count;
    save_host(c, next);
    c->guest = &svm_ops;
    c->event.valid = false;
    if (!guest_state_ok(c, &v->ctl, &s)) {
        /* nothing was loaded: what is saved must be what was there */
        c->guest = NULL;
        c->rip = next;
        c->gif = false;
        v->ctl.exit_code = SVM_INVALID;
        v->ctl.exit_info1 = v->ctl.exit_info2 = v->ctl.exit_int_info = 0;
        write_control(c, offsetof(VmcbControl, exit_code), offsetof(VmcbControl, np_enable));
        cpu_leave(&c->cpu, 0);
    }
    c->nested = v->ctl.np_enable & VMCB_NP;
    c->guest_tsc_offset = (int64_t)v->ctl.tsc_offset;
    load_guest(c, &s);
    tlb_flush(&c->cpu);
    c->gif = true;
    log_world(c, "VMRUN");
    held = x86_lock_machine();
    arm_virtual(c);
    x86_unlock_machine(held);
    inject(c);
    cpu_leave(&c->cpu, 0);
}

/* ---- #VMEXIT ---- */

static void save_guest(X86Cpu *c)
{
    VmcbControl *t = &c->svm.ctl;
    VmcbSave s = {0};

    for (unsigned i = 0; i < 4; i++) {
        s.seg[i] = seg_out(&c->segs[i]);
    }
    s.gdtr = (VmcbSeg){.base = c->gdt.base, .limit = c->gdt.limit};
    s.idtr = (VmcbSeg){.base = c->idt.base, .limit = c->idt.limit};
    s.cpl = c->cpl;
    s.efer = c->efer;
    s.cr4 = c->cr4;
    s.cr3 = c->cr3;
    s.cr0 = c->cr0;
    s.dr7 = c->dr[7];
    s.dr6 = c->dr[6];
    s.rflags = x86_get_eflags(c);
    s.rip = c->rip;
    s.rsp = c->regs[R_SP];
    s.rax = c->regs[R_AX];
    s.cr2 = c->cr2;
    s.g_pat = c->pat;
    write_save(c, &s, offsetof(VmcbSave, seg), offsetof(VmcbSave, seg[S_FS]));
    write_save(c, &s, offsetof(VmcbSave, gdtr), offsetof(VmcbSave, ldtr));
    write_save(c, &s, offsetof(VmcbSave, idtr), offsetof(VmcbSave, tr));
    write_save(c, &s, offsetof(VmcbSave, cpl), offsetof(VmcbSave, cpl) + 1);
    write_save(c, &s, offsetof(VmcbSave, efer), offsetof(VmcbSave, efer) + 8);
    write_save(c, &s, offsetof(VmcbSave, cr4), offsetof(VmcbSave, rip) + 8);
    write_save(c, &s, offsetof(VmcbSave, rsp), offsetof(VmcbSave, rsp) + 8);
    write_save(c, &s, offsetof(VmcbSave, rax), offsetof(VmcbSave, rax) + 8);
    write_save(c, &s, offsetof(VmcbSave, cr2), offsetof(VmcbSave, cr2) + 8);
    if (t->np_enable & VMCB_NP) {
        write_save(c, &s, offsetof(VmcbSave, g_pat), offsetof(VmcbSave, g_pat) + 8);
    }
    t->int_state = (c->inhibit_irq ? 1 : 0) | (c->eflags & FLAG_IF ? 2 : 0);
    write_control(c, offsetof(VmcbControl, int_control), offsetof(VmcbControl, np_enable));
    write_control(c, offsetof(VmcbControl, event_inj), offsetof(VmcbControl, ncr3));
    write_control(c, offsetof(VmcbControl, next_rip), sizeof(VmcbControl));
}

static void load_host(X86Cpu *c)
{
    const SvmHost *h = &c->svm.host;
    static const uint8_t which[] = {S_ES, S_CS, S_SS, S_DS};

    c->cr0 = h->cr0 | CR0_PE;
    c->cr3 = h->cr3;
    c->cr4 = h->cr4;
    c->efer = h->efer;
    x86_set_eflags(c, h->eflags & ~FLAG_VM, UINT32_MAX);
    for (unsigned i = 0; i < 4; i++) {
        c->segs[which[i]] = (X86Seg){
            .base = h->seg[i].base,
            .limit = h->seg[i].limit,
            .flags = h->seg[i].flags,
            .selector = h->seg[i].selector,
        };
    }
    c->gdt = (X86TableReg){.base = h->gdt_base, .limit = h->gdt_limit};
    c->idt = (X86TableReg){.base = h->idt_base, .limit = h->idt_limit};
    x86_set_cpl(c, 0);
    x86_seg_derive(c);
    c->rip = h->rip;
    c->regs[R_SP] = h->rsp;
    c->regs[R_AX] = h->rax;
    c->pat = h->pat;
    c->dr[7] = DR7_FIXED;
    x86_update_breakpoints(c);
}

void svm_exit(X86Cpu *c, uint64_t code, uint64_t info1, uint64_t info2, uint64_t next_rip)
{
    VmcbControl *t = &c->svm.ctl;
    const X86Event *e = &c->event;
    bool held = x86_lock_machine();

    cpu_interrupt_clear(&c->cpu, X86_PENDING_VIRTUAL);
    x86_unlock_machine(held);
    t->exit_code = code;
    t->exit_info1 = info1;
    t->exit_info2 = info2;
    t->exit_int_info = 0;
    if (e->valid) {
        unsigned type = e->type > EVENT_SOFT_INT ? EVENT_EXCEPTION : e->type;

        t->exit_int_info = e->vector | (uint64_t)type << VMCB_EVENT_TYPE_SHIFT | VMCB_EVENT_VALID |
                           (e->has_error ? VMCB_EVENT_ERROR | (uint64_t)e->error << 32 : 0);
    }
    t->next_rip = x86_has_feature(c, FEAT_NRIPS) ? next_rip : 0;
    t->insn_len = 0;
    if (x86_has_feature(c, FEAT_DECODEASSISTS) &&
        (code == SVM_NPF || code == SVM_EXCP + EXC_PF) && !(info1 & 16)) {
        memset(t->insn, 0, sizeof(t->insn));
        t->insn_len = x86_insn_bytes(c, t->insn);
    }
    if (log_enabled(LOG_INT)) {
        log_mask(LOG_INT,
                 "SVM: exit %#" PRIx64 " info %#" PRIx64 " %#" PRIx64 " event %#" PRIx64 "\n", code,
                 info1, info2, t->exit_int_info);
        log_world(c, "#VMEXIT");
    }
    save_guest(c);
    c->guest = NULL;
    c->nested = c->nested_split = false;
    c->guest_tsc_offset = 0;
    c->event.valid = false;
    c->old_exception = -1;
    c->inhibit_irq = 0;
    c->cpu.halted = false;
    c->gif = false;
    load_host(c);
    tlb_flush(&c->cpu);
}

void svm_vmexit(X86Cpu *c, uint64_t code, uint64_t info1, uint64_t info2, uint64_t next_rip)
{
    svm_exit(c, code, info1, info2, next_rip);
    c->cpu.exception = CPU_EXC_NONE;
    cpu_leave(&c->cpu, 0);
}

/* ---- VMLOAD, VMSAVE ---- */

static void vmload(X86Cpu *c, hwaddr pa)
{
    VmcbSave s;

    vmcb_read(c, pa, VMCB_SAVE, &s, sizeof(s));
    c->segs[S_FS] = seg_in(&s.seg[S_FS]);
    c->segs[S_GS] = seg_in(&s.seg[S_GS]);
    c->ldt = seg_in(&s.ldtr);
    c->tr = seg_in(&s.tr);
    c->segs[S_FS].base = sign_extend(c, c->segs[S_FS].base);
    c->segs[S_GS].base = sign_extend(c, c->segs[S_GS].base);
    c->ldt.base = sign_extend(c, c->ldt.base);
    c->tr.base = sign_extend(c, c->tr.base);
    x86_seg_derive(c);
    c->kernel_gs_base = sign_extend(c, s.kernel_gs_base);
    c->star = s.star;
    c->lstar = sign_extend(c, s.lstar);
    c->cstar = sign_extend(c, s.cstar);
    c->sfmask = (uint32_t)s.sfmask;
    c->sysenter_cs = s.sysenter_cs & 0xffff;
    c->sysenter_esp = sign_extend(c, s.sysenter_esp);
    c->sysenter_eip = sign_extend(c, s.sysenter_eip);
}

static void vmsave(X86Cpu *c, hwaddr pa)
{
    VmcbSeg segs[2] = {seg_out(&c->segs[S_FS]), seg_out(&c->segs[S_GS])};
    VmcbSeg ldtr = seg_out(&c->ldt), tr = seg_out(&c->tr);
    uint64_t msrs[] = {
        c->star,           c->lstar,       c->cstar,        c->sfmask,
        c->kernel_gs_base, c->sysenter_cs, c->sysenter_esp, c->sysenter_eip,
    };

    vmcb_write(c, pa, SAVE_OFFSET(seg[S_FS]), segs, sizeof(segs));
    vmcb_write(c, pa, SAVE_OFFSET(ldtr), &ldtr, sizeof(ldtr));
    vmcb_write(c, pa, SAVE_OFFSET(tr), &tr, sizeof(tr));
    vmcb_write(c, pa, SAVE_OFFSET(star), msrs, sizeof(msrs));
}

/* ---- the instructions ---- */

static void set_gif(X86Cpu *c, bool on)
{
    if (c->guest && (c->svm.ctl.int_control & VINTR_GIF_ENABLE) && x86_has_feature(c, FEAT_VGIF)) {
        uint64_t *v = &c->svm.ctl.int_control;

        *v = on ? *v | VINTR_GIF : *v & ~VINTR_GIF;
        return;
    }
    c->gif = on;
}

void helper_svm(Cpu *cpu, uint32_t id, uint32_t address_size, uint64_t next)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    hwaddr pa = address_size == 3 ? c->regs[R_AX] : (uint32_t)c->regs[R_AX];

    if (!(c->efer & EFER_SVME) && id != VI_VMMCALL) {
        x86_raise(c, EXC_UD, host_pc);
    }
    if (c->cpl != 0 && id != VI_VMMCALL) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    if (c->guest) {
        c->guest->insn(
            c, &(VirtUse){.id = id, .next = next, .host_pc = host_pc, .operand = c->regs[R_AX]});
    }
    if ((id == VI_VMRUN || id == VI_VMLOAD || id == VI_VMSAVE) && !vmcb_address_ok(c, pa)) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    switch (id) {
    case VI_VMRUN:
        vmrun(c, pa, next, host_pc);
    case VI_VMLOAD:
        vmload(c, pa);
        break;
    case VI_VMSAVE:
        vmsave(c, pa);
        break;
    case VI_STGI:
    case VI_CLGI:
        set_gif(c, id == VI_STGI);
        break;
    case VI_INVLPGA: /* of any ASID: nothing of another one is kept */
        tlb_flush_page(cpu, c->regs[R_AX]);
        break;
    default: /* VMMCALL that nobody intercepts; SKINIT without the unit that it is for */
        x86_raise(c, EXC_UD, host_pc);
    }
}

/* ---- MSRs: APM 15.30 ---- */

bool svm_msr_read(X86Cpu *c, uint32_t index, uint64_t *value)
{
    *value = !x86_has_feature(c, FEAT_SVM) ? 0
             : index == 0xc0010114         ? c->svm.vm_cr
                                           : c->svm.hsave_pa;
    return true;
}

bool svm_msr_write(X86Cpu *c, uint32_t index, uint64_t value)
{
    uint64_t fixed = VM_CR_LOCK | VM_CR_SVMDIS;

    if (!x86_has_feature(c, FEAT_SVM)) {
        return true;
    }
    if (index == 0xc0010117) {
        if ((value & 0xfff) || value >> c->phys_bits) {
            return false;
        }
        c->svm.hsave_pa = value;
        return true;
    }
    if (value & ~(uint64_t)(VM_CR_DPD | VM_CR_R_INIT | VM_CR_DIS_A20M | fixed)) {
        return false;
    }
    if (c->svm.vm_cr & VM_CR_LOCK) {
        value = (value & ~fixed) | (c->svm.vm_cr & fixed);
    }
    if ((value & VM_CR_SVMDIS) && (c->efer & EFER_SVME)) {
        return false;
    }
    c->svm.vm_cr = value;
    return true;
}
