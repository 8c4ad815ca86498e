// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions that load and inspect segment and table registers: MOV and POP to a segment
 * register, LLDT, LTR, LGDT ..., LAR, LSL, VERR, VERW, SWAPGS, RDFSBASE ... SDM volume 2.
 */
#include "target-i386/helpers.h"
#include "target-i386/seg.h"

static bool protected_mode(const X86Cpu *c)
{
    return (c->cr0 & CR0_PE) && !(c->eflags & FLAG_VM);
}

static void need_cpl0(X86Cpu *c, uintptr_t host_pc)
{
    if (c->cpl != 0) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
}

/* UMIP: SGDT SIDT SLDT STR SMSW at CPL 3 (SDM 3A 2.5). */
static void check_umip(X86Cpu *c, uintptr_t host_pc)
{
    if ((c->cr4 & CR4_UMIP) && c->cpl == 3 && (c->cr0 & CR0_PE)) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
}

void helper_load_seg(Cpu *cpu, uint32_t seg, uint32_t selector)
{
    X86Cpu *c = X86(cpu);

    selector &= 0xffff;
    if (protected_mode(c)) {
        x86_seg_load(c, seg, selector, c->cpl, HOST_PC());
    } else if (c->eflags & FLAG_VM) {
        x86_set_seg_vm86(c, seg, selector);
    } else {
        x86_set_seg_real(c, seg, selector);
    }
}

/* A system descriptor for LLDT and LTR, with its 64-bit base. */
static Desc system_desc(X86Cpu *c, uint32_t selector, uint64_t *base, uintptr_t host_pc)
{
    uint32_t high = 0;
    Desc d;

    if ((selector & 4) || !x86_desc_read(c, selector, &d, host_pc)) {
        x86_raise_error(c, EXC_GP, selector & 0xfffc, host_pc);
    }
    if (x86_long_mode(c) && !x86_desc_read_upper(c, selector, &high, host_pc)) {
        x86_raise_error(c, EXC_GP, selector & 0xfffc, host_pc);
    }
    *base = desc_base(d) | (uint64_t)high << 32;
    return d;
}

void helper_lldt(Cpu *cpu, uint32_t selector)
{
    X86Cpu *c = X86(cpu);
    uint64_t base;
    Desc d;

    selector &= 0xffff;
    need_cpl0(c, HOST_PC());
    if ((selector & 0xfffc) == 0) {
        c->ldt = (X86Seg){ .selector = selector };
        return;
    }
    d = system_desc(c, selector, &base, HOST_PC());
    if ((d.hi & SEG_S) || desc_type(d) != SYS_LDT) {
        x86_raise_error(c, EXC_GP, selector & 0xfffc, HOST_PC());
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_NP, selector & 0xfffc, HOST_PC());
    }
    c->ldt = (X86Seg){
        .selector = selector, .base = base, .limit = desc_limit(d), .flags = d.hi & 0xf0ff00};
}

void helper_ltr(Cpu *cpu, uint32_t selector)
{
    X86Cpu *c = X86(cpu);
    uint64_t base;
    Desc d;

    selector &= 0xffff;
    need_cpl0(c, HOST_PC());
    if ((selector & 0xfffc) == 0) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    d = system_desc(c, selector, &base, HOST_PC());
    if ((d.hi & SEG_S) || (desc_type(d) != SYS_TSS16 && desc_type(d) != SYS_TSS32) ||
        (desc_type(d) == SYS_TSS16 && x86_long_mode(c))) {
        x86_raise_error(c, EXC_GP, selector & 0xfffc, HOST_PC());
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_NP, selector & 0xfffc, HOST_PC());
    }
    x86_desc_or(c, selector, 2u << SEG_TYPE_SHIFT, HOST_PC());
    d.hi |= 2u << SEG_TYPE_SHIFT;
    c->tr = (X86Seg){
        .selector = selector, .base = base, .limit = desc_limit(d), .flags = d.hi & 0xf0ff00};
}

uint32_t helper_sldt(Cpu *cpu)
{
    check_umip(X86(cpu), HOST_PC());
    return X86(cpu)->ldt.selector;
}

uint32_t helper_str(Cpu *cpu)
{
    check_umip(X86(cpu), HOST_PC());
    return X86(cpu)->tr.selector;
}

void helper_lgdt(Cpu *cpu, uint64_t base, uint32_t limit)
{
    X86Cpu *c = X86(cpu);

    need_cpl0(c, HOST_PC());
    if (x86_code64(c) && !x86_canonical(c, base)) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    c->gdt = (X86TableReg){ .base = base, .limit = limit & 0xffff };
}

void helper_lidt(Cpu *cpu, uint64_t base, uint32_t limit)
{
    X86Cpu *c = X86(cpu);

    need_cpl0(c, HOST_PC());
    if (x86_code64(c) && !x86_canonical(c, base)) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    c->idt = (X86TableReg){ .base = base, .limit = limit & 0xffff };
}

uint64_t helper_sgdt_base(Cpu *cpu)
{
    check_umip(X86(cpu), HOST_PC());
    return X86(cpu)->gdt.base;
}

uint32_t helper_sgdt_limit(Cpu *cpu)
{
    check_umip(X86(cpu), HOST_PC());
    return X86(cpu)->gdt.limit;
}

uint64_t helper_sidt_base(Cpu *cpu)
{
    check_umip(X86(cpu), HOST_PC());
    return X86(cpu)->idt.base;
}

uint32_t helper_sidt_limit(Cpu *cpu)
{
    check_umip(X86(cpu), HOST_PC());
    return X86(cpu)->idt.limit;
}

/* Whether selector names a descriptor that LAR/LSL may look at; types is a mask of system types. */
static bool visible(X86Cpu *c, uint32_t selector, uint32_t types, Desc *d, uintptr_t host_pc)
{
    unsigned dpl;

    selector &= 0xffff;
    if (!protected_mode(c)) {
        x86_raise(c, EXC_UD, host_pc);
    }
    if ((selector & 0xfffc) == 0 || !x86_desc_read(c, selector, d, host_pc)) {
        return false;
    }
    dpl = desc_dpl(*d);
    if (!(d->hi & SEG_S)) {
        if (!(types & (1u << desc_type(*d)))) {
            return false;
        }
    } else if (desc_is_code(*d) && (d->hi & SEG_C)) {
        return true;
    }
    return dpl >= c->cpl && dpl >= (selector & 3);
}

uint64_t helper_lar(Cpu *cpu, uint32_t selector)
{
    X86Cpu *c = X86(cpu);
    uint32_t types = x86_long_mode(c) ? 1u << 2 | 1u << 9 | 1u << 11 | 1u << 12
                                      : 0x3eu | 1u << 9 | 1u << 11 | 1u << 12;
    Desc d;

    if (!visible(c, selector, types, &d, HOST_PC())) {
        return 0;
    }
    return 1ull << 32 | (d.hi & 0x00ffff00);
}

uint64_t helper_lsl(Cpu *cpu, uint32_t selector)
{
    X86Cpu *c = X86(cpu);
    uint32_t types = x86_long_mode(c) ? 1u << 2 | 1u << 9 | 1u << 11
                                      : 1u << 1 | 1u << 2 | 1u << 3 | 1u << 9 | 1u << 11;
    Desc d;

    if (!visible(c, selector, types, &d, HOST_PC())) {
        return 0;
    }
    return 1ull << 32 | desc_limit(d);
}

uint32_t helper_verr(Cpu *cpu, uint32_t selector)
{
    Desc d;

    if (!visible(X86(cpu), selector, 0, &d, HOST_PC())) {
        return 0;
    }
    return !(d.hi & SEG_CODE) || (d.hi & SEG_R);
}

uint32_t helper_verw(Cpu *cpu, uint32_t selector)
{
    Desc d;

    if (!visible(X86(cpu), selector, 0, &d, HOST_PC())) {
        return 0;
    }
    return !(d.hi & SEG_CODE) && (d.hi & SEG_W);
}

void helper_swapgs(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint64_t base = c->segs[S_GS].base;

    if (!x86_code64(c)) {
        x86_raise(c, EXC_UD, HOST_PC());
    }
    need_cpl0(c, HOST_PC());
    c->segs[S_GS].base = c->kernel_gs_base;
    c->kernel_gs_base = base;
}

static void check_fsgsbase(X86Cpu *c, uintptr_t host_pc)
{
    if (!x86_code64(c) || !(c->cr4 & CR4_FSGSBASE)) {
        x86_raise(c, EXC_UD, host_pc);
    }
}

uint64_t helper_rdfsgs(Cpu *cpu, uint32_t seg)
{
    check_fsgsbase(X86(cpu), HOST_PC());
    return X86(cpu)->segs[seg].base;
}

void helper_wrfsgs(Cpu *cpu, uint32_t seg, uint64_t value)
{
    X86Cpu *c = X86(cpu);

    check_fsgsbase(c, HOST_PC());
    if (!x86_canonical(c, value)) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    c->segs[seg].base = value;
}
