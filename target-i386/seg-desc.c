// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Descriptors, segment registers and stacks: what the other seg-*.c files are made of.
 * SDM 3A chapter 3 and 5.
 */
#include "target-i386/seg.h"

static bool desc_address(X86Cpu *c, uint32_t selector, unsigned bytes, uint64_t *va)
{
    uint32_t offset = selector & 0xfff8;

    if (selector & 4) {
        if (!(c->ldt.flags & SEG_P) || offset + bytes - 1 > c->ldt.limit) {
            return false;
        }
        *va = c->ldt.base + offset;
    } else {
        if (offset + bytes - 1 > c->gdt.limit) {
            return false;
        }
        *va = c->gdt.base + offset;
    }
    return true;
}

bool x86_desc_read(X86Cpu *c, uint32_t selector, Desc *d, uintptr_t host_pc)
{
    uint64_t va, v;

    if (!desc_address(c, selector, 8, &va)) {
        return false;
    }
    v = cpu_load(&c->cpu, va, 3, x86_mmu_index_system(c), host_pc);
    *d = (Desc){ .lo = (uint32_t)v, .hi = v >> 32 };
    return true;
}

bool x86_desc_read_upper(X86Cpu *c, uint32_t selector, uint32_t *base_high, uintptr_t host_pc)
{
    uint64_t va, v;

    if (!desc_address(c, selector, 16, &va)) {
        return false;
    }
    v = cpu_load(&c->cpu, va + 8, 3, x86_mmu_index_system(c), host_pc);
    *base_high = (uint32_t)v;
    return !((v >> 40) & 0x1f);    /* the upper type field must be 0 */
}

static void desc_change(X86Cpu *c, uint32_t selector, uint32_t set, uint32_t clear,
                        uintptr_t host_pc)
{
    unsigned mmu = x86_mmu_index_system(c);
    uint64_t va;
    uint32_t *host;

    if (!desc_address(c, selector, 8, &va)) {
        return;
    }
    va += 4;
    if ((va & 3) == 0 && (host = cpu_probe(&c->cpu, va, 4, ACCESS_STORE, mmu, host_pc))) {
        __atomic_or_fetch(host, set, __ATOMIC_SEQ_CST);
        if (clear) {
            __atomic_and_fetch(host, ~clear, __ATOMIC_SEQ_CST);
        }
        return;
    }
    cpu_store(&c->cpu, va, (cpu_load(&c->cpu, va, 2, mmu, host_pc) | set) & ~clear, 2, mmu,
              host_pc);
}

void x86_desc_or(X86Cpu *c, uint32_t selector, uint32_t bits, uintptr_t host_pc)
{
    desc_change(c, selector, bits, 0, host_pc);
}

void x86_desc_clear(X86Cpu *c, uint32_t selector, uint32_t bits, uintptr_t host_pc)
{
    desc_change(c, selector, 0, bits, host_pc);
}

void x86_set_cpl(X86Cpu *c, unsigned cpl)
{
    c->cpl = cpl;
}

void x86_set_seg(X86Cpu *c, unsigned seg, uint32_t selector, uint64_t base, uint32_t limit,
                 uint32_t flags)
{
    const uint32_t matters = SEG_P | SEG_S | SEG_CODE | SEG_E | SEG_R | SEG_W;
    const X86Seg old = c->segs[seg];

    c->segs[seg] = (X86Seg){ .base = base, .limit = limit, .flags = flags, .selector = selector };
    /* SYSCALL and the way back change none of it; what else matters stays in long mode */
    if (!x86_long_mode(c) || old.limit != limit || (old.flags ^ flags) & matters) {
        x86_seg_derive(c);
    }
}

void x86_set_seg_real(X86Cpu *c, unsigned seg, uint32_t selector)
{
    c->segs[seg].selector = selector & 0xffff;
    c->segs[seg].base = (selector & 0xffff) << 4;
    if (seg == S_CS) {
        c->segs[seg].flags = SEG_P | SEG_S | SEG_CODE | SEG_R | SEG_A;
        c->segs[seg].limit |= 0xffff;
        x86_seg_derive(c);
    }
}

void x86_set_seg_vm86(X86Cpu *c, unsigned seg, uint32_t selector)
{
    x86_set_seg(c, seg, selector & 0xffff, (selector & 0xffff) << 4, 0xffff,
                SEG_P | SEG_S | SEG_W | SEG_A | SEG_DPL);
}

void x86_seg_from_desc(X86Cpu *c, unsigned seg, uint32_t selector, Desc d)
{
    x86_set_seg(c, seg, selector, desc_base(d), desc_limit(d), d.hi & 0xf0ff00);
}

void x86_seg_load_checked(X86Cpu *c, unsigned seg, uint32_t selector, Desc d, uintptr_t host_pc)
{
    if (!(d.hi & SEG_A)) {
        x86_desc_or(c, selector, SEG_A, host_pc);
        d.hi |= SEG_A;
    }
    x86_seg_from_desc(c, seg, selector, d);
}

static void seg_load_null(X86Cpu *c, unsigned seg, uint32_t selector, unsigned cpl,
                          uintptr_t host_pc)
{
    uint32_t flags = 0;
    uint64_t base = 0;

    if (seg == S_SS) {
        /* SDM 2B MOV: only 64-bit mode below CPL 3 takes a null SS, with RPL = CPL */
        if (!x86_code64(c) || cpl == 3 || (selector & 3) != cpl) {
            x86_raise_error(c, EXC_GP, 0, host_pc);
        }
        flags = SEG_P | SEG_S | SEG_W | SEG_A | SEG_B | cpl << SEG_DPL_SHIFT;
    }
    x86_set_seg(c, seg, selector, base, 0, flags);
}

void x86_seg_load(X86Cpu *c, unsigned seg, uint32_t selector, unsigned cpl, uintptr_t host_pc)
{
    uint32_t error = selector & 0xfffc;
    unsigned rpl = selector & 3, dpl;
    Desc d;

    if (error == 0) {
        seg_load_null(c, seg, selector, cpl, host_pc);
        return;
    }
    if (!x86_desc_read(c, selector, &d, host_pc) || !(d.hi & SEG_S)) {
        x86_raise_error(c, EXC_GP, error, host_pc);
    }
    dpl = desc_dpl(d);
    if (seg == S_SS) {
        if ((d.hi & SEG_CODE) || !(d.hi & SEG_W) || rpl != cpl || dpl != cpl) {
            x86_raise_error(c, EXC_GP, error, host_pc);
        }
    } else {
        if ((d.hi & SEG_CODE) && !(d.hi & SEG_R)) {
            x86_raise_error(c, EXC_GP, error, host_pc);
        }
        if ((!(d.hi & SEG_CODE) || !(d.hi & SEG_C)) && (dpl < cpl || dpl < rpl)) {
            x86_raise_error(c, EXC_GP, error, host_pc);
        }
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, seg == S_SS ? EXC_SS : EXC_NP, error, host_pc);
    }
    x86_seg_load_checked(c, seg, selector, d, host_pc);
}

void x86_seg_validate_return(X86Cpu *c, unsigned cpl)
{
    static const uint8_t segs[] = {S_ES, S_DS, S_FS, S_GS};

    for (unsigned i = 0; i < ARRAY_COUNT(segs); i++) {
        X86Seg *s = &c->segs[segs[i]];
        unsigned dpl = (s->flags & SEG_DPL) >> SEG_DPL_SHIFT;
        bool conforming = (s->flags & SEG_CODE) && (s->flags & SEG_C);

        if ((segs[i] == S_FS || segs[i] == S_GS) && (s->selector & 0xfffc) == 0) {
            continue;    /* keeps the base in 64-bit mode */
        }
        if (!conforming && dpl < cpl) {
            s->selector = 0;
            s->flags &= ~SEG_P;
            s->flags &= ~SEG_S;
            if (!x86_long_mode(c)) {
                s->base = 0;
                s->limit = 0;
            }
        }
    }
    x86_seg_derive(c);
}

Stack x86_stack(X86Cpu *c, unsigned mmu, uintptr_t host_pc)
{
    Stack s = {.c = c, .sp = c->regs[R_SP], .mmu = mmu, .host_pc = host_pc};

    if (x86_code64(c)) {
        s.mask = UINT64_MAX;
        s.flat64 = true;
    } else {
        s.mask = c->segs[S_SS].flags & SEG_B ? 0xffffffff : 0xffff;
        s.base = c->segs[S_SS].base;
        s.limit = c->segs[S_SS].limit;
        s.flags = c->segs[S_SS].flags;
    }
    return s;
}

Stack x86_inner_stack(X86Cpu *c, uint32_t ss, Desc d, uint32_t esp, uint32_t ext, uintptr_t host_pc)
{
    return (Stack){
        .c = c,
        .sp = esp,
        .base = desc_base(d),
        .mask = d.hi & SEG_B ? 0xffffffff : 0xffff,
        .mmu = x86_mmu_index_system(c),
        .host_pc = host_pc,
        .limit = desc_limit(d),
        .flags = d.hi & 0xf0ff00,
        .error = (ss & 0xfffc) + ext,
    };
}

static uint64_t stack_address(const Stack *s, unsigned size, bool write)
{
    const X86Seg seg = {.limit = s->limit, .flags = s->flags};
    uint64_t offset = s->sp & s->mask;

    if (s->flat64) {
        return offset;
    }
    if (!x86_seg_covers(s->c, &seg, offset, 1u << size, write)) {
        x86_raise_error(s->c, EXC_SS, s->error, s->host_pc);
    }
    return (uint32_t)(s->base + offset);
}

void stack_push(Stack *s, uint64_t value, unsigned size)
{
    s->sp -= 1u << size;
    cpu_store(&s->c->cpu, stack_address(s, size, true), value, size, s->mmu, s->host_pc);
}

uint64_t stack_pop(Stack *s, unsigned size)
{
    uint64_t v = cpu_load(&s->c->cpu, stack_address(s, size, false), size, s->mmu, s->host_pc);

    s->sp += 1u << size;
    return v;
}

void stack_commit(Stack *s)
{
    uint64_t *sp = &s->c->regs[R_SP];

    if (s->mask == 0xffff) {
        *sp = (*sp & ~0xffffull) | (s->sp & 0xffff);
    } else {
        *sp = s->sp & s->mask;
    }
}

void x86_tss_stack(X86Cpu *c, unsigned dpl, uint32_t *ss, uint32_t *esp, uintptr_t host_pc)
{
    bool is32 = ((c->tr.flags & SEG_TYPE) >> SEG_TYPE_SHIFT) & 8;
    unsigned mmu = x86_mmu_index_system(c);
    uint32_t offset = is32 ? dpl * 8 + 4 : dpl * 4 + 2;

    if (!(c->tr.flags & SEG_P) || offset + (is32 ? 5 : 3) > c->tr.limit) {
        x86_raise_error(c, EXC_TS, c->tr.selector & 0xfffc, host_pc);
    }
    *esp = cpu_load(&c->cpu, c->tr.base + offset, is32 ? 2 : 1, mmu, host_pc);
    *ss = cpu_load(&c->cpu, c->tr.base + offset + (is32 ? 4 : 2), 1, mmu, host_pc);
}

uint64_t x86_tss_rsp(X86Cpu *c, unsigned level, uintptr_t host_pc)
{
    uint32_t offset = 8 * level + 4;
    uint64_t rsp;

    if (!(c->tr.flags & SEG_P) || offset + 7 > c->tr.limit) {
        x86_raise_error(c, EXC_TS, c->tr.selector & 0xfffc, host_pc);
    }
    rsp = cpu_load(&c->cpu, c->tr.base + offset, 3, x86_mmu_index_system(c), host_pc);
    if (!x86_canonical(c, rsp)) {
        x86_raise_error(c, EXC_SS, 0, host_pc);
    }
    return rsp;
}

Desc x86_check_inner_ss(X86Cpu *c, uint32_t ss, unsigned dpl, unsigned vector, uintptr_t host_pc)
{
    uint32_t error = ss & 0xfffc;
    Desc d;

    if (error == 0) {
        x86_raise_error(c, vector, 0, host_pc);
    }
    if ((ss & 3) != dpl || !x86_desc_read(c, ss, &d, host_pc) || desc_dpl(d) != dpl ||
        !(d.hi & SEG_S) || (d.hi & SEG_CODE) || !(d.hi & SEG_W)) {
        x86_raise_error(c, vector, error, host_pc);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_SS, error, host_pc);
    }
    return d;
}
