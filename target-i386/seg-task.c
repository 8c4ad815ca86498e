// SPDX-License-Identifier: GPL-2.0-or-later
/* Hardware task switches: SDM 3A chapter 7. Long mode has none. */
#include "target-i386/seg.h"

/* Where the fields of a TSS lie. */
typedef struct TssLayout {
    unsigned size, reg_size, eip, eflags, regs, segs, num_segs, ldt, limit_min;
    int cr3;
} TssLayout;

static const TssLayout tss32 = {
    .reg_size = 2, .cr3 = 0x1c, .eip = 0x20, .eflags = 0x24, .regs = 0x28, .segs = 0x48,
    .num_segs = 6, .ldt = 0x60, .limit_min = 103,
};
static const TssLayout tss16 = {
    .reg_size = 1, .cr3 = -1, .eip = 0x0e, .eflags = 0x10, .regs = 0x12, .segs = 0x22,
    .num_segs = 4, .ldt = 0x2a, .limit_min = 43,
};

/* What a TSS holds. */
typedef struct Tss {
    uint32_t cr3, eip, eflags, regs[8], segs[6], ldt, trap;
} Tss;

static Tss tss_read(X86Cpu *c, uint64_t base, const TssLayout *l, uintptr_t host_pc)
{
    unsigned mmu = x86_mmu_index_system(c);
    Tss t = {0};

    t.cr3 = l->cr3 >= 0 ? cpu_load(&c->cpu, base + l->cr3, 2, mmu, host_pc) : 0;
    t.eip = cpu_load(&c->cpu, base + l->eip, l->reg_size, mmu, host_pc);
    t.eflags = cpu_load(&c->cpu, base + l->eflags, l->reg_size, mmu, host_pc);
    for (unsigned i = 0; i < 8; i++) {
        t.regs[i] =
            cpu_load(&c->cpu, base + l->regs + (i << l->reg_size), l->reg_size, mmu, host_pc);
    }
    for (unsigned i = 0; i < l->num_segs; i++) {
        t.segs[i] = cpu_load(&c->cpu, base + l->segs + (i << l->reg_size), 1, mmu, host_pc);
    }
    t.ldt = cpu_load(&c->cpu, base + l->ldt, 1, mmu, host_pc);
    t.trap = l == &tss32 ? cpu_load(&c->cpu, base + 0x64, 2, mmu, host_pc) & 1 : 0;
    return t;
}

static void tss_write_current(X86Cpu *c, const TssLayout *l, uint32_t eflags, uint64_t next_rip,
                              uintptr_t host_pc)
{
    unsigned mmu = x86_mmu_index_system(c);
    uint64_t base = c->tr.base;

    cpu_store(&c->cpu, base + l->eip, next_rip, l->reg_size, mmu, host_pc);
    cpu_store(&c->cpu, base + l->eflags, eflags, l->reg_size, mmu, host_pc);
    for (unsigned i = 0; i < 8; i++) {
        cpu_store(&c->cpu, base + l->regs + (i << l->reg_size), c->regs[i], l->reg_size, mmu,
                  host_pc);
    }
    for (unsigned i = 0; i < l->num_segs; i++) {
        cpu_store(&c->cpu, base + l->segs + (i << l->reg_size), c->segs[i].selector, 1, mmu,
                  host_pc);
    }
}

/* A new task's segment; faults are the new task's, with #TS. */
static void task_load_seg(X86Cpu *c, unsigned seg, uint32_t selector, unsigned cpl,
                          uintptr_t host_pc)
{
    uint32_t error = selector & 0xfffc;
    unsigned rpl = selector & 3, dpl;
    Desc d;

    if (error == 0) {
        if (seg == S_CS || seg == S_SS) {
            x86_raise_error(c, EXC_TS, 0, host_pc);
        }
        x86_set_seg(c, seg, selector, 0, 0, 0);
        return;
    }
    if (!x86_desc_read(c, selector, &d, host_pc) || !(d.hi & SEG_S)) {
        x86_raise_error(c, EXC_TS, error, host_pc);
    }
    dpl = desc_dpl(d);
    if (seg == S_CS) {
        if (!(d.hi & SEG_CODE) || (d.hi & SEG_C ? dpl > rpl : dpl != rpl)) {
            x86_raise_error(c, EXC_TS, error, host_pc);
        }
    } else if (seg == S_SS) {
        if ((d.hi & SEG_CODE) || !(d.hi & SEG_W) || dpl != cpl || rpl != cpl) {
            x86_raise_error(c, EXC_TS, error, host_pc);
        }
    } else if (((d.hi & SEG_CODE) && !(d.hi & SEG_R)) ||
               ((!(d.hi & SEG_CODE) || !(d.hi & SEG_C)) && (dpl < cpl || dpl < rpl))) {
        x86_raise_error(c, EXC_TS, error, host_pc);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, seg == S_SS ? EXC_SS : EXC_NP, error, host_pc);
    }
    x86_seg_load_checked(c, seg, selector, d, host_pc);
}

static void task_load_ldt(X86Cpu *c, uint32_t selector, uintptr_t host_pc)
{
    Desc d;

    c->ldt = (X86Seg){ .selector = selector };
    if ((selector & 0xfffc) == 0) {
        return;
    }
    if ((selector & 4) || !x86_desc_read(c, selector, &d, host_pc) || (d.hi & SEG_S) ||
        desc_type(d) != SYS_LDT || !(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_TS, selector & 0xfffc, host_pc);
    }
    c->ldt.base = desc_base(d);
    c->ldt.limit = desc_limit(d);
    c->ldt.flags = d.hi & 0xf0ff00;
}

static void task_load_segs(X86Cpu *c, const Tss *t, const TssLayout *l, uintptr_t host_pc)
{
    unsigned cpl = t->segs[S_CS] & 3;

    if (c->eflags & FLAG_VM) {
        for (unsigned i = 0; i < 6; i++) {
            x86_set_seg_vm86(c, i, t->segs[i]);
        }
        x86_set_cpl(c, 3);
        return;
    }
    /* selectors first: a fault later must show them (SDM 3A 7.3) */
    for (unsigned i = 0; i < 6; i++) {
        x86_set_seg(c, i, t->segs[i], 0, 0, 0);
    }
    x86_set_cpl(c, cpl);
    task_load_seg(c, S_CS, t->segs[S_CS], cpl, host_pc);
    task_load_seg(c, S_SS, t->segs[S_SS], cpl, host_pc);
    task_load_seg(c, S_ES, t->segs[S_ES], cpl, host_pc);
    task_load_seg(c, S_DS, t->segs[S_DS], cpl, host_pc);
    task_load_seg(c, S_FS, t->segs[S_FS], cpl, host_pc);
    task_load_seg(c, S_GS, t->segs[S_GS], cpl, host_pc);
}

void x86_task_switch(X86Cpu *c, uint32_t selector, Desc d, TaskSwitch why, uint64_t next_rip,
                     uintptr_t host_pc)
{
    const TssLayout *to = desc_type(d) & 8 ? &tss32 : &tss16;
    const TssLayout *from = ((c->tr.flags & SEG_TYPE) >> SEG_TYPE_SHIFT) & 8 ? &tss32 : &tss16;
    uint64_t base = desc_base(d);
    uint32_t old_tr = c->tr.selector, old_flags = x86_get_eflags(c);
    unsigned mmu = x86_mmu_index_system(c);
    Tss t;

    if (c->guest) {
        if (host_pc) {
            cpu_restore_state(&c->cpu, host_pc);
        }
        c->guest->task_switch(c, selector, why, next_rip);
    }
    if (desc_limit(d) < to->limit_min) {
        x86_raise_error(c, EXC_TS, selector & 0xfffc, host_pc);
    }
    t = tss_read(c, base, to, host_pc);
    cpu_probe(&c->cpu, c->tr.base, 1, ACCESS_STORE, mmu, host_pc);
    if (why == TASK_IRET || why == TASK_JMP) {
        x86_desc_clear(c, old_tr, 2u << SEG_TYPE_SHIFT, host_pc);
    }
    if (why == TASK_IRET) {
        old_flags &= ~FLAG_NT;
    }
    tss_write_current(c, from, old_flags, next_rip, host_pc);
    if (why == TASK_CALL || why == TASK_INT) {
        cpu_store(&c->cpu, base, old_tr, 1, mmu, host_pc);
        t.eflags |= FLAG_NT;
    }
    if (why != TASK_IRET) {
        x86_desc_or(c, selector, 2u << SEG_TYPE_SHIFT, host_pc);
    }
    d.hi |= 2u << SEG_TYPE_SHIFT;
    c->cr0 |= CR0_TS;
    c->tr = (X86Seg){
        .selector = selector, .base = base, .limit = desc_limit(d), .flags = d.hi & 0xf0ff00};
    if (to == &tss32 && (c->cr0 & CR0_PG)) {
        x86_write_cr3(c, t.cr3);
    }
    c->rip = t.eip;
    x86_set_eflags(c, to == &tss32 ? t.eflags : (t.eflags & 0xffff),
                   to == &tss32 ? UINT32_MAX & ~FLAG_1 : 0xffff & ~FLAG_1);
    for (unsigned i = 0; i < 8; i++) {
        c->regs[i] = to == &tss32 ? t.regs[i] : (c->regs[i] & 0xffff0000) | t.regs[i];
    }
    task_load_ldt(c, t.ldt, host_pc);
    task_load_segs(c, &t, to, host_pc);
    if (c->rip > c->segs[S_CS].limit) {
        x86_raise_error(c, EXC_GP, 0, host_pc);
    }
    if (c->dr[7] & 0x55) {
        c->dr[7] &= ~0x155ull;    /* local breakpoints */
        x86_update_breakpoints(c);
    }
    if (t.trap) {
        x86_raise_debug(c, DR6_BT, EVENT_EXCEPTION, 0);
    }
}
