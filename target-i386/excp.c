// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exceptions and interrupts into the guest: real mode, protected mode through gates and task
 * gates, long mode with IST; double and triple faults. SDM 3A chapter 6 and 20.1.4.
 */
#include "target-i386/seg.h"
#include "util/log.h"
#include "qom/runstate.h"

/* SDM 3A table 6-5: 0 benign, 1 contributory, 2 page fault. */
static unsigned exception_class(unsigned vector)
{
    switch (vector) {
    case EXC_DE:
    case EXC_TS:
    case EXC_NP:
    case EXC_SS:
    case EXC_GP:
        return 1;
    case EXC_PF:
        return 2;
    default:
        return 0;
    }
}

static bool has_error_code(unsigned vector)
{
    return vector == EXC_DF || (vector >= EXC_TS && vector <= EXC_PF) || vector == EXC_AC;
}

/* In guest mode: exits if the hypervisor wants the exception. */
static void offer(X86Cpu *c, unsigned vector, unsigned type, uint32_t error, uint64_t info)
{
    const X86Event e = {
        .valid = true,
        .vector = (uint8_t)vector,
        .type = (uint8_t)type,
        .error = error,
        .has_error = type == EVENT_EXCEPTION &&
                     has_error_code(vector), /* in real mode too: paged real mode of SVM */
    };

    if (c->guest) {
        c->guest->exception(c, &e, info);
    }
}

static _Noreturn void triple_fault(X86Cpu *c)
{
    c->old_exception = -1;
    if (c->guest) {
        c->guest->triple_fault(c);
    }
    x86_virt_reset(c);
    cpu_raise(&c->cpu, CPU_EXC_TRIPLE, 0);
}

/* info: as for X86VirtOps.exception */
static _Noreturn void raise_vector(X86Cpu *c, unsigned vector, uint32_t error, unsigned type,
                                   uint64_t next_rip, uint64_t info, uintptr_t host_pc)
{
    int first = c->old_exception;
    bool is_int = type == EVENT_SOFT_INT || type == EVENT_SOFT_EXCEPTION;

    if (host_pc) {
        cpu_restore_state(&c->cpu, host_pc);
    }
    c->exception_next_rip = next_rip;
    offer(c, vector, type, error, info);
    if (vector == EXC_PF) {
        c->cr2 = info;
    } else if (vector == EXC_DB) {
        c->dr[6] |= info;
    }
    if (first >= 0 && !is_int) {
        unsigned a = exception_class(first), b = exception_class(vector);

        log_mask(LOG_INT, "exception %u (error %04x) while delivering %d\n", vector, error, first);
        if (first == EXC_DF && (a || b || vector == EXC_DF)) {
            triple_fault(c);
        }
        if ((a == 1 && b == 1) || (a == 2 && b != 0)) {
            vector = EXC_DF;
            error = 0;
            offer(c, vector, type, error, 0);
        }
        c->old_exception = -1;
    }
    c->error_code = error;
    c->exception_type = (uint8_t)type;
    c->exception_has_error = type == EVENT_EXCEPTION && has_error_code(vector);
    cpu_raise(&c->cpu, (int)vector, 0);
}

void x86_raise(X86Cpu *c, unsigned vector, uintptr_t host_pc)
{
    raise_vector(c, vector, 0, EVENT_EXCEPTION, 0, 0, host_pc);
}

void x86_raise_error(X86Cpu *c, unsigned vector, uint32_t error, uintptr_t host_pc)
{
    raise_vector(c, vector, error, EVENT_EXCEPTION, 0, 0, host_pc);
}

void x86_raise_page_fault(X86Cpu *c, uint64_t va, uint32_t error, uintptr_t host_pc)
{
    raise_vector(c, EXC_PF, error, EVENT_EXCEPTION, 0, va, host_pc);
}

void x86_raise_debug(X86Cpu *c, uint64_t bits, unsigned type, uintptr_t host_pc)
{
    raise_vector(c, EXC_DB, 0, type, 0, bits, host_pc);
}

void x86_raise_int(X86Cpu *c, unsigned vector, unsigned type, uint64_t next_rip, uintptr_t host_pc)
{
    raise_vector(c, vector, 0, type, next_rip, 0, host_pc);
}

/* ---- real mode: SDM 3A 20.1.4 ---- */

static void interrupt_real(X86Cpu *c, unsigned vector, uint64_t ret)
{
    Stack s = x86_stack(c, MMU_KERNEL, 0);
    uint32_t entry;

    if (vector * 4 + 3 > c->idt.limit) {
        x86_raise_error(c, EXC_GP, vector * 8 + 2, 0);
    }
    entry = cpu_load(&c->cpu, c->idt.base + vector * 4, 2, MMU_KERNEL, 0);
    stack_push(&s, x86_get_eflags(c), 1);
    stack_push(&s, c->segs[S_CS].selector, 1);
    stack_push(&s, ret, 1);
    stack_commit(&s);
    c->rip = entry & 0xffff;
    c->segs[S_CS].selector = entry >> 16;
    c->segs[S_CS].base = (entry >> 16) << 4;
    c->eflags &= ~(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
}

/* ---- protected mode: SDM 3A 6.12 ---- */

typedef struct Gate {
    uint32_t selector;
    uint64_t offset;
    unsigned type, dpl, ist;
    bool present;
} Gate;

static Gate read_gate(X86Cpu *c, unsigned vector, uint32_t ext)
{
    unsigned bytes = x86_long_mode(c) ? 16 : 8;
    unsigned mmu = x86_mmu_index_system(c);
    uint64_t va = c->idt.base + vector * bytes, w0, w1 = 0;

    if (vector * bytes + bytes - 1 > c->idt.limit) {
        x86_raise_error(c, EXC_GP, vector * 8 + 2 + ext, 0);
    }
    w0 = cpu_load(&c->cpu, va, 3, mmu, 0);
    if (bytes == 16) {
        w1 = cpu_load(&c->cpu, va + 8, 3, mmu, 0);
    }
    return (Gate){
        .selector = (w0 >> 16) & 0xffff,
        .offset = (w0 & 0xffff) | ((w0 >> 32) & 0xffff0000) | w1 << 32,
        .type = (w0 >> 40) & 0x1f,
        .dpl = (w0 >> 45) & 3,
        .ist = bytes == 16 ? (w0 >> 32) & 7 : 0,
        .present = (w0 >> 47) & 1,
    };
}

static void check_gate(X86Cpu *c, const Gate *g, unsigned vector, bool is_int, uint32_t ext)
{
    bool type_ok = g->type == SYS_INT32 || g->type == SYS_TRAP32 ||
                   (!x86_long_mode(c) &&
                    (g->type == SYS_INT16 || g->type == SYS_TRAP16 || g->type == SYS_TASK_GATE));

    if (!type_ok || (is_int && g->dpl < c->cpl)) {
        x86_raise_error(c, EXC_GP, vector * 8 + 2 + ext, 0);
    }
    if (!g->present) {
        x86_raise_error(c, EXC_NP, vector * 8 + 2 + ext, 0);
    }
}

/* The handler's code segment; *cpl becomes the handler's level. */
static Desc check_target(X86Cpu *c, const Gate *g, unsigned *cpl, uint32_t ext)
{
    uint32_t error = (g->selector & 0xfffc) + ext;
    Desc d;

    if ((g->selector & 0xfffc) == 0) {
        x86_raise_error(c, EXC_GP, ext, 0);
    }
    if (!x86_desc_read(c, g->selector, &d, 0) || !desc_is_code(d) || desc_dpl(d) > c->cpl) {
        x86_raise_error(c, EXC_GP, error, 0);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_NP, error, 0);
    }
    *cpl = d.hi & SEG_C ? c->cpl : desc_dpl(d);
    if ((c->eflags & FLAG_VM) && *cpl != 0) {
        x86_raise_error(c, EXC_GP, error, 0);
    }
    return d;
}

static void interrupt_task_gate(X86Cpu *c, const Gate *g, bool has_error, uint32_t error,
                                uint64_t ret, uint32_t ext)
{
    Desc d;

    if ((g->selector & 4) || !x86_desc_read(c, g->selector, &d, 0) || (d.hi & SEG_S) ||
        (desc_type(d) != SYS_TSS32 && desc_type(d) != SYS_TSS16)) {
        x86_raise_error(c, EXC_GP, (g->selector & 0xfffc) + ext, 0);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(c, EXC_NP, (g->selector & 0xfffc) + ext, 0);
    }
    x86_task_switch(c, g->selector, d, TASK_INT, ret, 0);
    if (has_error) {
        Stack s = x86_stack(c, x86_mmu_index(c), 0);

        stack_push(&s, error, desc_type(d) == SYS_TSS32 ? 2 : 1);
        stack_commit(&s);
    }
}

static void interrupt_protected(X86Cpu *c, unsigned vector, bool is_int, bool has_error,
                                uint32_t error, uint64_t ret, uint32_t ext)
{
    Gate g = read_gate(c, vector, ext);
    uint32_t old_flags = x86_get_eflags(c), ss = 0, esp = 0;
    unsigned cpl = 0, size;
    bool inner;
    Desc code, stack = {0};
    Stack s;

    check_gate(c, &g, vector, is_int, ext);
    if (g.type == SYS_TASK_GATE) {
        interrupt_task_gate(c, &g, has_error, error, ret, ext);
        return;
    }
    code = check_target(c, &g, &cpl, ext);
    size = g.type & 8 ? 2 : 1;
    inner = cpl < c->cpl;
    if (inner) {
        x86_tss_stack(c, cpl, &ss, &esp, 0);
        stack = x86_check_inner_ss(c, ss, cpl, EXC_TS, 0);
        s = x86_inner_stack(c, ss, stack, esp, ext, 0);
        if (c->eflags & FLAG_VM) {
            stack_push(&s, c->segs[S_GS].selector, size);
            stack_push(&s, c->segs[S_FS].selector, size);
            stack_push(&s, c->segs[S_DS].selector, size);
            stack_push(&s, c->segs[S_ES].selector, size);
        }
        stack_push(&s, c->segs[S_SS].selector, size);
        stack_push(&s, c->regs[R_SP], size);
    } else {
        s = x86_stack(c, c->cpl == 3 ? MMU_USER : x86_mmu_index_system(c), 0);
    }
    stack_push(&s, old_flags, size);
    stack_push(&s, c->segs[S_CS].selector, size);
    stack_push(&s, ret, size);
    if (has_error) {
        stack_push(&s, error, size);
    }
    if (inner) {
        if (c->eflags & FLAG_VM) {
            x86_set_seg(c, S_ES, 0, 0, 0, 0);
            x86_set_seg(c, S_DS, 0, 0, 0, 0);
            x86_set_seg(c, S_FS, 0, 0, 0, 0);
            x86_set_seg(c, S_GS, 0, 0, 0, 0);
        }
        x86_seg_from_desc(c, S_SS, ss, (Desc){ .lo = stack.lo, .hi = stack.hi | SEG_A });
    }
    stack_commit(&s);
    x86_seg_from_desc(c, S_CS, (g.selector & ~3u) | cpl,
                      (Desc){.lo = code.lo, .hi = code.hi | SEG_A});
    x86_set_cpl(c, cpl);
    c->rip = size == 1 ? g.offset & 0xffff : (uint32_t)g.offset;
    c->eflags &= ~(FLAG_TF | FLAG_VM | FLAG_RF | FLAG_NT | (g.type & 1 ? 0 : FLAG_IF));
    x86_seg_derive(c);          /* VM may have been set until now */
}

/* SDM 3A 6.14 */
static void interrupt_long(X86Cpu *c, unsigned vector, bool is_int, bool has_error, uint32_t error,
                           uint64_t ret, uint32_t ext)
{
    Gate g = read_gate(c, vector, ext);
    uint32_t old_flags = x86_get_eflags(c);
    unsigned cpl = 0;
    bool inner;
    Desc code;
    Stack s = {.c = c, .mask = UINT64_MAX, .flat64 = true, .mmu = x86_mmu_index_system(c)};

    check_gate(c, &g, vector, is_int, ext);
    code = check_target(c, &g, &cpl, ext);
    if (!(code.hi & SEG_L) || (code.hi & SEG_B)) {
        x86_raise_error(c, EXC_GP, (g.selector & 0xfffc) + ext, 0);
    }
    inner = cpl < c->cpl;
    if (g.ist) {
        s.sp = x86_tss_rsp(c, g.ist + 3, 0);
    } else if (inner) {
        s.sp = x86_tss_rsp(c, cpl, 0);
    } else {
        s.sp = c->regs[R_SP];
        s.mmu = c->cpl == 3 ? MMU_USER : s.mmu;
    }
    s.sp &= ~15ull;
    stack_push(&s, c->segs[S_SS].selector, 3);
    stack_push(&s, c->regs[R_SP], 3);
    stack_push(&s, old_flags, 3);
    stack_push(&s, c->segs[S_CS].selector, 3);
    stack_push(&s, ret, 3);
    if (has_error) {
        stack_push(&s, error, 3);
    }
    if (inner) {
        x86_set_seg(c, S_SS, cpl, 0, 0,
                    SEG_P | SEG_S | SEG_W | SEG_A | SEG_B | cpl << SEG_DPL_SHIFT);
    }
    c->regs[R_SP] = s.sp;
    x86_seg_from_desc(c, S_CS, (g.selector & ~3u) | cpl,
                      (Desc){.lo = code.lo, .hi = code.hi | SEG_A});
    x86_set_cpl(c, cpl);
    c->rip = g.offset;
    c->eflags &= ~(FLAG_TF | FLAG_VM | FLAG_RF | FLAG_NT | (g.type & 1 ? 0 : FLAG_IF));
}

static void log_interrupt(X86Cpu *c, unsigned vector, bool is_int, uint32_t error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text,
                           "%6u: v=%02x e=%04x i=%d cpl=%u IP=%04x:%016" PRIx64 " pc=%016" PRIx64
                           " SP=%04x:%016" PRIx64 "%s%016" PRIx64 "\n",
                           0u, vector, error, is_int, c->cpl, c->segs[S_CS].selector, c->rip,
                           c->segs[S_CS].base + c->rip, c->segs[S_SS].selector, c->regs[R_SP],
                           vector == EXC_PF ? " CR2=" : " env->regs[R_EAX]=",
                           vector == EXC_PF ? c->cr2 : c->regs[R_AX]);
    if (c->cpu.arch->dump) {
        c->cpu.arch->dump(&c->cpu, text, 0);
    }
    log_mask(LOG_INT, "%s", text->str);
}

/* SDM 3B 17.3.1.1: exceptions whose return goes to the instruction again, beside #DB. */
static bool is_fault(unsigned vector)
{
    return vector != EXC_DB && vector != EXC_BP && vector != EXC_OF && vector != EXC_DF &&
           vector != EXC_MC;
}

void x86_do_interrupt(X86Cpu *c, unsigned vector, unsigned type, bool has_error, uint32_t error,
                      uint64_t next_rip)
{
    bool is_int = type == EVENT_SOFT_INT || type == EVENT_SOFT_EXCEPTION;
    uint64_t ret = is_int ? next_rip : c->rip;
    uint32_t ext = is_int ? 0 : 1;

    if (log_enabled(LOG_INT)) {
        log_interrupt(c, vector, is_int, error);
    }
    if (c->guest) {
        c->event = (X86Event){
            .valid = true,
            .vector = (uint8_t)vector,
            .type = (uint8_t)type,
            .has_error = has_error,
            .error = error,
            .insn_len = (uint8_t)(is_int ? next_rip - c->rip : 0),
        };
    }
    c->old_exception = is_int ? -1 : (int)vector;
    if (type == EVENT_INTR || type == EVENT_NMI) {
        c->old_exception = 256;    /* benign, whatever the vector */
    }
    if (vector == EXC_DB && !is_int) {
        c->dr[7] &= ~(uint64_t)DR7_GD;      /* SDM 3B 17.2.4: the handler may use the registers */
    }
    if (type == EVENT_EXCEPTION && is_fault(vector)) {
        c->eflags |= FLAG_RF;       /* on the stack only: delivery clears it */
    }
    if (!(c->cr0 & CR0_PE)) {
        interrupt_real(c, vector, ret);
    } else if (x86_long_mode(c)) {
        interrupt_long(c, vector, is_int, has_error, error, ret, ext);
    } else {
        interrupt_protected(c, vector, is_int, has_error, error, ret, ext);
    }
    c->event.valid = false;
    c->old_exception = -1;
    c->inhibit_irq = 0;
    if (c->guest_step) {
        vmx_stepped(c, false);
    }
}

void x86_deliver(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    unsigned vector = (unsigned)cpu->exception;

    cpu->exception = CPU_EXC_NONE;
    if (vector > 255) {
        return;
    }
    x86_do_interrupt(c, vector, c->exception_type, c->exception_has_error && (c->cr0 & CR0_PE),
                     c->error_code, c->exception_next_rip);
}
