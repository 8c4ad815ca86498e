// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Far jumps, calls and returns, through call gates and task gates too, and ENTER.
 * SDM volume 2: JMP, CALL, RET, ENTER.
 */
#include "target-i386/helpers.h"
#include "target-i386/seg.h"

static bool protected_mode(const X86Cpu *c)
{
    return (c->cr0 & CR0_PE) && !(c->eflags & FLAG_VM);
}

static uint64_t truncate_ip(uint64_t ip, unsigned size)
{
    return size == 1 ? ip & 0xffff : size == 2 ? (uint32_t)ip : ip;
}

/* The limit stays, so the target is checked against the present one. */
static void set_cs_real(X86Cpu *c, uint32_t selector, uint64_t ip, uintptr_t host_pc)
{
    if (ip > c->segs[S_CS].limit) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    c->segs[S_CS].selector = selector & 0xffff;
    c->segs[S_CS].base = (selector & 0xffff) << 4;
}

static Desc read_target(X86Cpu *c, uint32_t selector, uintptr_t host_pc)
{
    Desc d;

    if ((selector & 0xfffc) == 0) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    if (!x86_desc_read(c, selector, &d, host_pc)) {
        x86_raise_error(c, EXC_GP, selector & 0xfffc, host_pc);
    }
    return d;
}

/* Rules for a direct transfer to a code segment; cpl does not change. */
static void check_code(X86Cpu *c, uint32_t selector, Desc d, uintptr_t host_pc)
{
    uint32_t error = selector & 0xfffc;
    unsigned dpl = desc_dpl(d), rpl = selector & 3;

    if (!desc_is_code(d) || (d.hi & SEG_C ? dpl > c->cpl : rpl > c->cpl || dpl != c->cpl)) {
        x86_raise_error(c, EXC_GP, error, host_pc);
    }
    if (x86_long_mode(c) && (d.hi & SEG_L) && (d.hi & SEG_B)) {
        x86_raise_error(c, EXC_GP, error, host_pc);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_NP, error, host_pc);
    }
}

static void check_ip(X86Cpu *c, Desc d, uint64_t ip, uintptr_t host_pc)
{
    if (x86_long_mode(c) && (d.hi & SEG_L)) {
        if (!x86_canonical(c, ip)) {
            x86_raise_error(c, EXC_GP, 0, host_pc);
        }
    } else if (ip > desc_limit(d)) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
}

void helper_near_target(Cpu *cpu, uint64_t rip)
{
    X86Cpu *c = X86(cpu);

    if (rip > c->segs[S_CS].limit) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
}

/* A call gate's target: its selector's descriptor and entry point, checked but for DPL rules. */
typedef struct CallGate {
    uint32_t selector;
    uint64_t offset;
    unsigned params, size;
    Desc code;
} CallGate;

static CallGate read_call_gate(X86Cpu *c, uint32_t selector, Desc d, uintptr_t host_pc)
{
    uint32_t error = selector & 0xfffc, high = 0;
    unsigned dpl = desc_dpl(d), rpl = selector & 3;
    CallGate g;

    if (dpl < c->cpl || dpl < rpl) {
        x86_raise_error(c, EXC_GP, error, host_pc);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_NP, error, host_pc);
    }
    g.selector = d.lo >> 16;
    g.offset = (d.lo & 0xffff) | (d.hi & 0xffff0000);
    g.params = d.hi & 31;
    g.size = desc_type(d) == SYS_CALL32 ? 2 : 1;
    if (x86_long_mode(c)) {
        if (!x86_desc_read_upper(c, selector, &high, host_pc)) {
            x86_raise_error(c, EXC_GP, error, host_pc);
        }
        g.offset |= (uint64_t)high << 32;
        g.size = 3;
        g.params = 0;
    } else if (g.size == 1) {
        g.offset &= 0xffff;
    }
    g.code = read_target(c, g.selector, host_pc);
    error = g.selector & 0xfffc;
    if (!desc_is_code(g.code) || desc_dpl(g.code) > c->cpl) {
        x86_raise_error(c, EXC_GP, error, host_pc);
    }
    if (x86_long_mode(c) && (!(g.code.hi & SEG_L) || (g.code.hi & SEG_B))) {
        x86_raise_error(c, EXC_GP, error, host_pc);
    }
    if (!(g.code.hi & SEG_P)) {
        x86_raise_error(c, EXC_NP, error, host_pc);
    }
    return g;
}

/* JMP and CALL to a TSS or a task gate. */
static void far_task(X86Cpu *c, uint32_t selector, Desc d, TaskSwitch why, uint64_t next,
                     uintptr_t host_pc)
{
    uint32_t error = selector & 0xfffc;

    if (desc_dpl(d) < c->cpl || desc_dpl(d) < (selector & 3)) {
        x86_raise_error(c, EXC_GP, error, host_pc);
    }
    if (desc_type(d) == SYS_TASK_GATE) {
        if (!(d.hi & SEG_P)) {
            x86_raise_error(c, EXC_NP, error, host_pc);
        }
        selector = d.lo >> 16;
        error = selector & 0xfffc;
        if ((selector & 4) || !x86_desc_read(c, selector, &d, host_pc)) {
            x86_raise_error(c, EXC_GP, error, host_pc);
        }
    }
    if ((d.hi & SEG_S) || (desc_type(d) != SYS_TSS16 && desc_type(d) != SYS_TSS32)) {
        x86_raise_error(c, EXC_GP, error, host_pc);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_NP, error, host_pc);
    }
    x86_task_switch(c, selector, d, why, next, host_pc);
}

static bool is_call_gate(const X86Cpu *c, Desc d)
{
    return desc_type(d) == SYS_CALL32 || (desc_type(d) == SYS_CALL16 && !x86_long_mode(c));
}

static bool is_task(const X86Cpu *c, Desc d)
{
    return !x86_long_mode(c) && (desc_type(d) == SYS_TASK_GATE || desc_type(d) == SYS_TSS16 ||
                                 desc_type(d) == SYS_TSS32);
}

void helper_far_jmp(Cpu *cpu, uint32_t selector, uint64_t offset, uint32_t size, uint64_t next)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    Desc d;

    selector &= 0xffff;
    offset = truncate_ip(offset, size);
    if (!protected_mode(c)) {
        set_cs_real(c, selector, offset, host_pc);
        c->rip = offset;
        return;
    }
    d = read_target(c, selector, host_pc);
    if (d.hi & SEG_S) {
        check_code(c, selector, d, host_pc);
        check_ip(c, d, offset, host_pc);
        x86_seg_load_checked(c, S_CS, (selector & ~3u) | c->cpl, d, host_pc);
        c->rip = offset;
    } else if (is_call_gate(c, d)) {
        CallGate g = read_call_gate(c, selector, d, host_pc);

        if (!(g.code.hi & SEG_C) && desc_dpl(g.code) != c->cpl) {
            x86_raise_error(c, EXC_GP, g.selector & 0xfffc, host_pc);
        }
        check_ip(c, g.code, g.offset, host_pc);
        x86_seg_load_checked(c, S_CS, (g.selector & ~3u) | c->cpl, g.code, host_pc);
        c->rip = g.offset;
    } else if (is_task(c, d)) {
        far_task(c, selector, d, TASK_JMP, next, host_pc);
    } else {
        x86_raise_error(c, EXC_GP, selector & 0xfffc, host_pc);
    }
}

/* CALL through a gate to an inner level: new stack, parameters copied (SDM 3A 5.8.5). */
static void call_gate_inner(X86Cpu *c, const CallGate *g, uint64_t next, uintptr_t host_pc)
{
    unsigned dpl = desc_dpl(g->code), mmu = x86_mmu_index_system(c);
    Stack old = x86_stack(c, x86_mmu_index(c), host_pc), s;
    uint32_t ss = 0, esp = 0;
    Desc stack = {0};

    if (x86_long_mode(c)) {
        s = (Stack){
            .c = c, .sp = x86_tss_rsp(c, dpl, host_pc), .mask = UINT64_MAX, .flat64 = true,
            .mmu = mmu, .host_pc = host_pc,
        };
    } else {
        x86_tss_stack(c, dpl, &ss, &esp, host_pc);
        stack = x86_check_inner_ss(c, ss, dpl, EXC_TS, host_pc);
        s = x86_inner_stack(c, ss, stack, esp, 0, host_pc);
    }
    stack_push(&s, c->segs[S_SS].selector, g->size);
    stack_push(&s, c->regs[R_SP], g->size);
    for (unsigned i = g->params; i-- > 0;) {
        Stack p = old;

        p.sp += (uint64_t)i << g->size;
        stack_push(&s, stack_pop(&p, g->size), g->size);
    }
    stack_push(&s, c->segs[S_CS].selector, g->size);
    stack_push(&s, next, g->size);
    if (x86_long_mode(c)) {
        x86_set_seg(c, S_SS, dpl, 0, 0,
                    SEG_P | SEG_S | SEG_W | SEG_A | SEG_B | dpl << SEG_DPL_SHIFT);
    } else {
        x86_seg_load_checked(c, S_SS, ss, stack, host_pc);
    }
    c->regs[R_SP] = 0;
    x86_seg_load_checked(c, S_CS, (g->selector & ~3u) | dpl, g->code, host_pc);
    x86_set_cpl(c, dpl);
    if (x86_long_mode(c)) {
        c->regs[R_SP] = s.sp;
    } else {
        stack_commit(&s);
    }
    c->rip = g->offset;
}

static void call_gate(X86Cpu *c, uint32_t selector, Desc d, uint64_t next, uintptr_t host_pc)
{
    CallGate g = read_call_gate(c, selector, d, host_pc);
    Stack s;

    check_ip(c, g.code, g.offset, host_pc);
    if (!(g.code.hi & SEG_C) && desc_dpl(g.code) < c->cpl) {
        call_gate_inner(c, &g, next, host_pc);
        return;
    }
    s = x86_stack(c, x86_mmu_index(c), host_pc);
    stack_push(&s, c->segs[S_CS].selector, g.size);
    stack_push(&s, next, g.size);
    x86_seg_load_checked(c, S_CS, (g.selector & ~3u) | c->cpl, g.code, host_pc);
    stack_commit(&s);
    c->rip = g.offset;
}

void helper_far_call(Cpu *cpu, uint32_t selector, uint64_t offset, uint32_t size, uint64_t next)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    Stack s = x86_stack(c, x86_mmu_index(c), host_pc);
    Desc d;

    selector &= 0xffff;
    offset = truncate_ip(offset, size);
    if (!protected_mode(c)) {
        stack_push(&s, c->segs[S_CS].selector, size);
        stack_push(&s, next, size);
        set_cs_real(c, selector, offset, host_pc);
        stack_commit(&s);
        c->rip = offset;
        return;
    }
    d = read_target(c, selector, host_pc);
    if (d.hi & SEG_S) {
        check_code(c, selector, d, host_pc);
        check_ip(c, d, offset, host_pc);
        stack_push(&s, c->segs[S_CS].selector, size);
        stack_push(&s, next, size);
        stack_commit(&s);
        x86_seg_load_checked(c, S_CS, (selector & ~3u) | c->cpl, d, host_pc);
        c->rip = offset;
    } else if (is_call_gate(c, d)) {
        call_gate(c, selector, d, next, host_pc);
    } else if (is_task(c, d)) {
        far_task(c, selector, d, TASK_CALL, next, host_pc);
    } else {
        x86_raise_error(c, EXC_GP, selector & 0xfffc, host_pc);
    }
}

/* ENTER: all of it; nothing changes before the last access that may fault. */
void helper_enter(Cpu *cpu, uint32_t size, uint32_t bytes, uint32_t level)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned mmu = x86_mmu_index(c);
    Stack s = x86_stack(c, mmu, host_pc);
    uint64_t frame, mask = size == 1 ? 0xffff : size == 2 ? 0xffffffff : UINT64_MAX;
    Stack from = s;

    stack_push(&s, c->regs[R_BP], size);
    frame = s.sp;
    from.sp = c->regs[R_BP];
    for (unsigned i = 1; i < (level & 31); i++) {
        from.sp -= 1u << size;
        Stack peek = from;
        stack_push(&s, stack_pop(&peek, size), size);
    }
    if (level & 31) {
        stack_push(&s, frame & mask, size);
    }
    s.sp -= bytes;
    /* SDM 2A: the final stack pointer is checked for a write */
    cpu_probe(cpu, s.flat64 ? s.sp : (uint32_t)(s.base + (s.sp & s.mask)), 1, ACCESS_STORE, mmu,
              host_pc);
    stack_commit(&s);
    frame &= s.mask & mask;
    c->regs[R_BP] = size == 1 ? (c->regs[R_BP] & ~0xffffull) | (frame & 0xffff) : frame;
}
