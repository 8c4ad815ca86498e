// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Far return and IRET in all modes: real, virtual 8086 (out of and into), protected with a
 * change of level, nested task, 64-bit. SDM volume 2: RET, IRET.
 */
#include "target-i386/helpers.h"
#include "target-i386/seg.h"

static uint64_t truncate_ip(uint64_t ip, unsigned size)
{
    return size == 1 ? ip & 0xffff : size == 2 ? (uint32_t)ip : ip;
}

/* In real and virtual-8086 mode the limit stays: the target is checked against the present one. */
static uint64_t check_ip_real(X86Cpu *c, uint64_t ip, unsigned size, uintptr_t host_pc)
{
    ip = truncate_ip(ip, size);
    if (ip > c->segs[S_CS].limit) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    return ip;
}

static void iret_real(X86Cpu *c, unsigned size, uintptr_t host_pc)
{
    Stack s = x86_stack(c, x86_mmu_index(c), host_pc);
    uint32_t mask = FLAGS_CC | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF |
                    FLAG_AC | FLAG_ID;
    uint64_t ip = check_ip_real(c, stack_pop(&s, size), size, host_pc);
    uint32_t cs = stack_pop(&s, size) & 0xffff, flags = stack_pop(&s, size);

    if (c->eflags & FLAG_VM) {
        mask &= ~FLAG_IOPL;
    }
    if (size == 1) {
        mask &= 0xffff;
    }
    stack_commit(&s);
    c->rip = ip;
    c->segs[S_CS].selector = cs;
    c->segs[S_CS].base = cs << 4;
    x86_set_eflags(c, flags, mask);
    c->nmi_masked = false;
}

/* From CPL 0 into virtual-8086 mode: SDM 3A 20.2.2. */
static void return_to_vm86(X86Cpu *c, Stack *s, uint64_t ip, uint32_t cs, uint32_t flags)
{
    uint64_t esp = stack_pop(s, 2);
    uint32_t ss = stack_pop(s, 2), es = stack_pop(s, 2), ds = stack_pop(s, 2), fs = stack_pop(s, 2),
             gs = stack_pop(s, 2);

    x86_set_eflags(c, flags,
                   FLAGS_CC | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF |
                       FLAG_VM | FLAG_AC | FLAG_VIF | FLAG_VIP | FLAG_ID);
    x86_set_seg_vm86(c, S_CS, cs);
    x86_set_seg_vm86(c, S_SS, ss);
    x86_set_seg_vm86(c, S_ES, es);
    x86_set_seg_vm86(c, S_DS, ds);
    x86_set_seg_vm86(c, S_FS, fs);
    x86_set_seg_vm86(c, S_GS, gs);
    x86_set_cpl(c, 3);
    c->regs[R_SP] = (uint32_t)esp;
    c->rip = ip & 0xffff;
}

/* The returned-to stack segment of an outward return; ss may be null in long mode only. */
static Desc check_return_ss(X86Cpu *c, uint32_t ss, unsigned cpl, bool to64, bool *null,
                            uintptr_t host_pc)
{
    uint32_t error = ss & 0xfffc;
    Desc d = {0};

    *null = error == 0;
    if (*null) {
        if (!to64 || cpl == 3 || (ss & 3) != cpl) {
            x86_raise_error(c, EXC_GP, 0, host_pc);
        }
        return d;
    }
    if ((ss & 3) != cpl || !x86_desc_read(c, ss, &d, host_pc) || !(d.hi & SEG_S) ||
        (d.hi & SEG_CODE) || !(d.hi & SEG_W) || desc_dpl(d) != cpl) {
        x86_raise_error(c, EXC_GP, error, host_pc);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_SS, error, host_pc);
    }
    return d;
}

static Desc check_return_cs(X86Cpu *c, uint32_t cs, uint64_t ip, uintptr_t host_pc)
{
    uint32_t error = cs & 0xfffc;
    unsigned rpl = cs & 3;
    Desc d;

    if (error == 0) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    if (!x86_desc_read(c, cs, &d, host_pc) || !desc_is_code(d) || rpl < c->cpl ||
        (d.hi & SEG_C ? desc_dpl(d) > rpl : desc_dpl(d) != rpl)) {
        x86_raise_error(c, EXC_GP, error, host_pc);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_NP, error, host_pc);
    }
    if (x86_long_mode(c) && (d.hi & SEG_L) ? !x86_canonical(c, ip) : ip > desc_limit(d)) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    return d;
}

/* RETF and IRET in protected mode. */
static void return_protected(X86Cpu *c, unsigned size, bool is_iret, uint32_t drop,
                             uintptr_t host_pc)
{
    bool from64 = x86_code64(c), to64, null = false, outer;
    Stack s = x86_stack(c, x86_mmu_index(c), host_pc);
    uint64_t ip = truncate_ip(stack_pop(&s, size), size), sp = 0;
    uint32_t cs = stack_pop(&s, size) & 0xffff, flags = 0, ss = 0, mask;
    unsigned cpl = cs & 3, old_cpl = c->cpl;
    Desc code, stack = {0};

    if (is_iret) {
        flags = stack_pop(&s, size);
        if (size == 2 && (flags & FLAG_VM) && old_cpl == 0 && !x86_long_mode(c)) {
            return_to_vm86(c, &s, ip, cs, flags);
            c->nmi_masked = false;
            return;
        }
    }
    code = check_return_cs(c, cs, ip, host_pc);
    to64 = x86_long_mode(c) && (code.hi & SEG_L);
    outer = cpl != old_cpl;
    s.sp += drop;
    if (outer || (is_iret && from64)) {
        sp = stack_pop(&s, size);
        ss = stack_pop(&s, size) & 0xffff;
        stack = check_return_ss(c, ss, cpl, to64, &null, host_pc);
    }
    x86_seg_load_checked(c, S_CS, cs, code, host_pc);
    if (outer || (is_iret && from64)) {
        if (null) {
            x86_set_seg(c, S_SS, ss, 0, 0,
                        SEG_P | SEG_S | SEG_W | SEG_A | SEG_B | cpl << SEG_DPL_SHIFT);
        } else {
            x86_seg_load_checked(c, S_SS, ss, stack, host_pc);
        }
        x86_set_cpl(c, cpl);
        s.sp = sp + (outer ? drop : 0);
        if (to64) {
            c->regs[R_SP] = s.sp;
        } else {
            s.mask = c->segs[S_SS].flags & SEG_B ? 0xffffffff : 0xffff;
            stack_commit(&s);
        }
        if (outer) {
            x86_seg_validate_return(c, cpl);
        }
    } else {
        stack_commit(&s);
    }
    c->rip = ip;
    if (is_iret) {
        mask = FLAGS_CC | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_ID;
        if (old_cpl == 0) {
            mask |= FLAG_IOPL | FLAG_VIF | FLAG_VIP;
        }
        if (old_cpl <= (c->eflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT) {
            mask |= FLAG_IF;
        }
        if (size == 1) {
            mask &= 0xffff;
        }
        x86_set_eflags(c, flags, mask);
        c->nmi_masked = false;
    }
}

static void iret_task(X86Cpu *c, uint64_t next, uintptr_t host_pc)
{
    uint32_t selector = cpu_load(&c->cpu, c->tr.base, 1, x86_mmu_index_system(c), host_pc);
    Desc d;

    if ((selector & 4) || !x86_desc_read(c, selector, &d, host_pc) || (d.hi & SEG_S) ||
        (desc_type(d) != SYS_TSS16_BUSY && desc_type(d) != SYS_TSS32_BUSY)) {
        x86_raise_error(c, EXC_TS, selector & 0xfffc, host_pc);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_NP, selector & 0xfffc, host_pc);
    }
    x86_task_switch(c, selector, d, TASK_IRET, next, host_pc);
    c->nmi_masked = false;
}

void helper_iret(Cpu *cpu, uint32_t size, uint64_t next)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();

    if (!(c->cr0 & CR0_PE)) {
        iret_real(c, size, host_pc);
    } else if (c->eflags & FLAG_VM) {
        if ((c->eflags & FLAG_IOPL) != FLAG_IOPL) {
            x86_raise_error(c, EXC_GP, 0, host_pc);
        }
        iret_real(c, size, host_pc);
    } else if (c->eflags & FLAG_NT) {
        if (x86_long_mode(c)) {
            x86_raise_error(c, EXC_GP, 0, host_pc);
        }
        iret_task(c, next, host_pc);
    } else {
        return_protected(c, size, true, 0, host_pc);
    }
    if (!c->guest_breakpoints) {
        c->eflags &= ~FLAG_RF;      /* nothing to hold back: spares a block of one instruction */
    }
}

void helper_far_ret(Cpu *cpu, uint32_t size, uint32_t drop)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    Stack s = x86_stack(c, x86_mmu_index(c), host_pc);
    uint64_t ip;
    uint32_t cs;

    if ((c->cr0 & CR0_PE) && !(c->eflags & FLAG_VM)) {
        return_protected(c, size, false, drop, host_pc);
        return;
    }
    ip = check_ip_real(c, stack_pop(&s, size), size, host_pc);
    cs = stack_pop(&s, size) & 0xffff;
    c->segs[S_CS].selector = cs;
    c->segs[S_CS].base = cs << 4;
    c->rip = ip;
    s.sp += drop;
    stack_commit(&s);
}
