// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions that raise exceptions or wait (INT n, HLT, MWAIT ...), and the taking of
 * external interrupts between instructions (SDM 3A 6.8, 6.9).
 */
#include "target-i386/helpers.h"
#include "target-i386/seg.h"
#include "exec/x86-apic.h"
#include "qom/vm.h"

void helper_raise(Cpu *cpu, uint32_t vector)
{
    x86_raise(X86(cpu), vector, HOST_PC());
}

void helper_raise_error(Cpu *cpu, uint32_t vector, uint32_t error)
{
    x86_raise_error(X86(cpu), vector, error, HOST_PC());
}

/*
 * SDM 3B 20.3.3: with VME, INT n in virtual-8086 mode looks at the redirection bitmap in the TSS.
 */
static bool int_redirected(X86Cpu *c, unsigned vector, uintptr_t host_pc)
{
    unsigned mmu = x86_mmu_index_system(c);
    uint32_t map;

    if (!(c->cr4 & CR4_VME) || c->tr.limit < 0x67) {
        return false;
    }
    map = cpu_load(&c->cpu, c->tr.base + 0x66, 1, mmu, host_pc);
    if (map < 32 || map - 32 + vector / 8 > c->tr.limit) {
        return false;
    }
    return !(
        cpu_load(&c->cpu, c->tr.base + map - 32 + vector / 8, 0, mmu, host_pc) >> (vector & 7) & 1);
}

static _Noreturn void int_vm86_redirect(X86Cpu *c, unsigned vector, uint64_t next,
                                        uintptr_t host_pc)
{
    Stack s = x86_stack(c, MMU_USER, host_pc);
    uint32_t entry = cpu_load(&c->cpu, vector * 4, 2, MMU_USER, host_pc), f = x86_get_eflags(c);
    bool iopl3 = (c->eflags & FLAG_IOPL) == FLAG_IOPL;

    if (!iopl3) {
        f = (f & ~FLAG_IF) | (f & FLAG_VIF ? FLAG_IF : 0) | FLAG_IOPL;
    }
    stack_push(&s, f, 1);
    stack_push(&s, c->segs[S_CS].selector, 1);
    stack_push(&s, next, 1);
    cpu_restore_state(&c->cpu, host_pc);
    stack_commit(&s);
    c->eflags &= ~(FLAG_TF | FLAG_RF | (iopl3 ? FLAG_IF : FLAG_VIF));
    x86_set_seg_vm86(c, S_CS, entry >> 16);
    c->rip = entry & 0xffff;
    cpu_leave(&c->cpu, 0);
}

void helper_int_n(Cpu *cpu, uint32_t vector, uint64_t next)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();

    if (c->eflags & FLAG_VM) {
        if (int_redirected(c, vector, host_pc)) {
            int_vm86_redirect(c, vector, next, host_pc);
        }
        if ((c->eflags & FLAG_IOPL) != FLAG_IOPL) {
            x86_raise_error(c, EXC_GP, 0, host_pc);
        }
    }
    x86_raise_int(c, vector, EVENT_SOFT_INT, next, host_pc);
}

void helper_int3(Cpu *cpu, uint64_t next)
{
    x86_raise_int(X86(cpu), EXC_BP, EVENT_SOFT_EXCEPTION, next, HOST_PC());
}

void helper_int1(Cpu *cpu, uint64_t next)
{
    X86Cpu *c = X86(cpu);

    cpu_restore_state(cpu, HOST_PC());
    c->rip = next;
    x86_raise_debug(c, 0, EVENT_PRIV_EXCEPTION, 0);
}

void helper_into(Cpu *cpu, uint64_t next)
{
    X86Cpu *c = X86(cpu);

    if (x86_get_eflags(c) & FLAG_O) {
        x86_raise_int(c, EXC_OF, EVENT_SOFT_EXCEPTION, next, HOST_PC());
    }
}

void helper_single_step(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    c->inhibit_irq = 0;
    if (c->guest_step) {
        vmx_stepped(c, true);
        cpu_leave(cpu, 0);
    }
    x86_raise_debug(c, DR6_BS, EVENT_EXCEPTION, 0);
}

static _Noreturn void halt(X86Cpu *c, uint64_t next, uintptr_t host_pc)
{
    cpu_restore_state(&c->cpu, host_pc);
    c->rip = next;
    c->inhibit_irq = 0;
    if (c->guest_step) {
        vmx_stepped(c, true);
    }
    c->cpu.halted = true;
    cpu_raise(&c->cpu, CPU_EXC_HALT, 0);
}

void helper_hlt(Cpu *cpu, uint64_t next)
{
    X86Cpu *c = X86(cpu);

    if (c->cpl != 0) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    halt(c, next, HOST_PC());
}

void helper_pause(Cpu *cpu, uint64_t next)
{
    X86Cpu *c = X86(cpu);

    cpu_restore_state(cpu, HOST_PC());
    c->rip = next;
    c->inhibit_irq = 0;
    cpu_raise(cpu, CPU_EXC_YIELD, 0);
}

void helper_monitor(Cpu *cpu, uint64_t va)
{
    X86Cpu *c = X86(cpu);

    if ((uint32_t)c->regs[R_CX] != 0) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    cpu_load(cpu, va, 0, x86_mmu_index(c), HOST_PC());
    c->monitor_va = va;
}

void helper_mwait(Cpu *cpu, uint64_t next)
{
    X86Cpu *c = X86(cpu);

    if ((uint32_t)c->regs[R_CX] & ~1u) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    /* Writes to the monitored line are not watched for: alone it may sleep, else it yields. */
    if (cpu->dev.vm->cpus->len == 1) {
        halt(c, next, HOST_PC());
    }
    cpu_restore_state(cpu, HOST_PC());
    c->rip = next;
    c->inhibit_irq = 0;
    cpu_raise(cpu, CPU_EXC_YIELD, 0);
}

/* ---- interrupts ---- */

static bool irq_enabled(const X86Cpu *c)
{
    return (c->eflags & FLAG_IF) && !c->inhibit_irq;
}

bool x86_has_work(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint32_t p = cpu->pending;

    if (!c->gif) {
        return p & X86_PENDING_MCE;
    }
    if (c->guest) {
        return c->guest->has_work(c, p);
    }
    if (c->vmx.on) {
        p &= ~(uint32_t)X86_PENDING_INIT;
    }
    if ((p & X86_PENDING_MCE) || ((p & X86_PENDING_INIT) && !c->smm)) {
        return true;
    }
    if (c->wait_sipi) {
        return p & X86_PENDING_SIPI;
    }
    return ((p & CPU_PENDING_HARD) && (c->eflags & FLAG_IF)) ||
           ((p & CPU_PENDING_NMI) && !c->nmi_masked) || ((p & X86_PENDING_SMI) && !c->smm);
}

/* SDM 3A 8.4.3: an application processor starts at VV000h. */
static void start_ap(X86Cpu *c)
{
    unsigned vector = c->apic ? apic_sipi_vector(c->apic) : 0;

    if (!c->wait_sipi) {
        return;
    }
    c->wait_sipi = false;
    c->cpu.halted = false;
    c->rip = 0;
    x86_set_seg(c, S_CS, vector << 8, vector << 12, 0xffff,
                SEG_P | SEG_S | SEG_CODE | SEG_R | SEG_A);
}

static bool take_hard(X86Cpu *c)
{
    int vector = c->apic ? apic_take_interrupt(c->apic) : -1;

    if (vector < 0) {
        return false;
    }
    c->cpu.halted = false;
    x86_do_interrupt(c, vector, EVENT_INTR, false, 0, 0);
    return true;
}

bool x86_interrupt(Cpu *cpu, uint32_t pending)
{
    X86Cpu *c = X86(cpu);

    if (!c->gif) {
        return false;
    }
    if (c->guest && c->guest->interrupt(c, &pending)) {
        return true;
    }
    if (pending & X86_PENDING_MCE) {        /* first of all, whatever EFLAGS.IF says: SDM 3A 6.9 */
        cpu_interrupt_clear(cpu, X86_PENDING_MCE);
        cpu->halted = false;
        if (c->guest) {
            c->guest->exception(
                c, &(X86Event){.valid = true, .vector = EXC_MC, .type = EVENT_EXCEPTION}, 0);
        }
        x86_do_interrupt(c, EXC_MC, EVENT_EXCEPTION, false, 0, 0);
        return true;
    }
    if (c->vmx.on && !c->guest) {
        pending &= ~(uint32_t)X86_PENDING_INIT; /* SDM 3C 24.8: blocked in root operation */
    }
    if ((pending & X86_PENDING_INIT) && !c->smm) {
        cpu_interrupt_clear(cpu, X86_PENDING_INIT);
        if (c->svm.vm_cr & VM_CR_R_INIT) { /* APM 15.28: #SX */
            x86_do_interrupt(c, EXC_SX, EVENT_EXCEPTION, c->cr0 & CR0_PE, 1, 0);
        } else {
            x86_cpu_reset(c, true);
        }
        return true;
    }
    if (pending & X86_PENDING_SIPI) {
        cpu_interrupt_clear(cpu, X86_PENDING_SIPI);
        start_ap(c);
        return true;
    }
    if (c->wait_sipi) {
        return false;
    }
    if ((pending & X86_PENDING_SMI) && !c->smm && !c->inhibit_irq) {
        cpu_interrupt_clear(cpu, X86_PENDING_SMI);
        x86_smi_enter(c);
        return true;
    }
    if ((pending & CPU_PENDING_NMI) && !c->nmi_masked && !c->inhibit_irq) {
        cpu_interrupt_clear(cpu, CPU_PENDING_NMI);
        cpu->halted = false;
        c->nmi_masked = true;
        x86_do_interrupt(c, EXC_NMI, EVENT_NMI, false, 0, 0);
        return true;
    }
    if ((pending & CPU_PENDING_HARD) && (c->guest || irq_enabled(c))) {
        return take_hard(c);
    }
    return false;
}
