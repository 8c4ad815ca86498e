// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a VMX guest exits for: instructions, ports, MSRs, control registers, exceptions, interrupts
 * and windows for them. SDM 3C chapters 25.6 and 26; qualifications: 28.2.1.
 */
#include "exec/x86-apic.h"
#include "target-i386/helpers.h"
#include "target-i386/seg.h"
#include "target-i386/vmx.h"

static _Noreturn void insn_exit(X86Cpu *c, const VirtUse *u, unsigned reason,
                                uint64_t qualification)
{
    cpu_restore_state(&c->cpu, u->host_pc);
    vmx_set(c, VM_EXIT_LENGTH, (u->next - c->rip) & 15);
    vmx_set(c, VM_INSN_INFO, u->info);
    vmx_vmexit(c, reason, qualification);
}

static void exit_if(X86Cpu *c, const VirtUse *u, bool wanted, unsigned reason)
{
    if (wanted) {
        insn_exit(c, u, reason, 0);
    }
}

/* ---- ports and MSRs ---- */

static bool io_wanted(X86Cpu *c, uint32_t port, unsigned bytes)
{
    if (!vmx_proc(c, PROC_IO_BITMAPS)) {
        return vmx_proc(c, PROC_IO);
    }
    if (port + bytes > 0x10000) {
        return true;
    }
    for (uint32_t p = port; p < port + bytes; p++) {
        if (vmx_byte(c, vmx_get(c, p < 0x8000 ? VM_IO_A : VM_IO_B) + (p & 0x7fff) / 8) >> p % 8 &
            1) {
            return true;
        }
    }
    return false;
}

/* The linear address that INS or OUTS begins at. */
static uint64_t string_address(const X86Cpu *c, uint32_t arg)
{
    unsigned seg = arg >> VIO_SEG_SHIFT & 7, size = arg >> VIO_ADDR_SHIFT & 3;
    uint64_t offset = c->regs[arg & VIO_IN ? R_DI : R_SI];

    offset &= size == 3 ? UINT64_MAX : size == 2 ? UINT32_MAX : 0xffff;
    if (x86_code64(c)) {
        return offset + (seg >= S_FS ? c->segs[seg].base : 0);
    }
    return (uint32_t)(offset + c->segs[seg].base);
}

static void check_io(X86Cpu *c, const VirtUse *u)
{
    uint32_t a = u->arg, port = u->operand & 0xffff, bytes = 1u << (a & VIO_SIZE);
    VirtUse with = *u;

    if (!io_wanted(c, port, bytes)) {
        return;
    }
    x86_io_permission(c, port, a & VIO_SIZE, u->host_pc);
    if (a & VIO_STRING) {
        vmx_set(c, VM_GUEST_LINEAR, string_address(c, a));
        with.info = ((a >> VIO_ADDR_SHIFT & 3) - 1) << 7 | (a >> VIO_SEG_SHIFT & 7) << 15;
        vmx_set(c, VM_IO_RCX, c->regs[R_CX]);
    }
    insn_exit(c, &with, EXIT_IO,
              (bytes - 1) | (a & VIO_IN ? 8 : 0) | (a & VIO_STRING ? 16 : 0) |
                  (a & VIO_REP ? 32 : 0) | (a & VIO_IMM ? 64 : 0) | (uint64_t)port << 16);
}

static void check_msr(X86Cpu *c, const VirtUse *u)
{
    uint32_t n = c->regs[R_CX], bit = n & 0x1fff;
    bool write = u->id == VI_WRMSR, high = n >= 0xc0000000;
    hwaddr map = vmx_get(c, VM_MSR_BITMAP) + (high ? 0x400 : 0) + (write ? 0x800 : 0);

    if (!vmx_proc(c, PROC_MSR_BITMAPS) || n - (high ? 0xc0000000 : 0) > 0x1fff ||
        (vmx_byte(c, map + bit / 8) >> bit % 8 & 1)) {
        insn_exit(c, u, write ? EXIT_WRMSR : EXIT_RDMSR, 0);
    }
    vmx_x2apic_msr(c, u);
}

/* ---- control registers: 26.1.3, 26.3 ---- */

static uint64_t cr_qualification(const VirtUse *u, unsigned type)
{
    return VCR_REG(u->arg) | type << 4 | VCR_GPR(u->arg) << 8;
}

static bool cr3_is_target(const X86Cpu *c, uint64_t v)
{
    for (unsigned i = 0; i < vmx_get(c, VM_CR3_TARGETS) && i < 4; i++) {
        if (vmx_get(c, VM_CR3_TARGET + 2 * i) == v) {
            return true;
        }
    }
    return false;
}

static bool cr_write_wanted(const X86Cpu *c, unsigned n, uint64_t v)
{
    switch (n) {
    case 0:
        return (v ^ vmx_get(c, VM_CR0_SHADOW)) & vmx_get(c, VM_CR0_MASK);
    case 3:
        return vmx_proc(c, PROC_CR3_LOAD) && !cr3_is_target(c, v);
    case 4:
        return (v ^ vmx_get(c, VM_CR4_SHADOW)) & vmx_get(c, VM_CR4_MASK);
    default:
        return n == 8 && vmx_proc(c, PROC_CR8_LOAD);
    }
}

static void check_cr(X86Cpu *c, const VirtUse *u)
{
    unsigned n = VCR_REG(u->arg);
    uint64_t mask = vmx_get(c, VM_CR0_MASK), shadow = vmx_get(c, VM_CR0_SHADOW), v = u->operand;

    switch (u->id) {
    case VI_CR_READ:
        if ((n == 3 && vmx_proc(c, PROC_CR3_STORE)) || (n == 8 && vmx_proc(c, PROC_CR8_STORE))) {
            insn_exit(c, u, EXIT_CR, cr_qualification(u, 1));
        }
        break;
    case VI_CR_WRITE:
        v = c->regs[VCR_GPR(u->arg)];
        if (cr_write_wanted(c, n, x86_code64(c) ? v : (uint32_t)v)) {
            insn_exit(c, u, EXIT_CR, cr_qualification(u, 0));
        }
        break;
    case VI_CLTS:
        if (mask & shadow & CR0_TS) {
            insn_exit(c, u, EXIT_CR, 2 << 4);
        }
        break;
    default: /* LMSW: PE only when it is set */
        if (((v ^ shadow) & mask & 0xe) || (v & ~shadow & mask & CR0_PE)) {
            if (u->arg & 8) {
                vmx_set(c, VM_GUEST_LINEAR, 0);
            }
            insn_exit(c, u, EXIT_CR, 3 << 4 | (u->arg & 8 ? 64 : 0) | (v & 0xffff) << 16);
        }
        break;
    }
}

static uint64_t vmx_cr_read(const X86Cpu *c, unsigned n, uint64_t v)
{
    uint64_t mask = vmx_get(c, n ? VM_CR4_MASK : VM_CR0_MASK),
             shadow = vmx_get(c, n ? VM_CR4_SHADOW : VM_CR0_SHADOW);

    return (v & ~mask) | (shadow & mask);
}

static uint64_t vmx_cr_write(const X86Cpu *c, unsigned n, uint64_t v)
{
    uint64_t mask = vmx_get(c, n ? VM_CR4_MASK : VM_CR0_MASK);

    return (v & ~mask) | ((n ? c->cr4 : c->cr0) & mask);
}

/* ---- other instructions ---- */

static void check_tables(X86Cpu *c, const VirtUse *u)
{
    static const uint8_t identity[VI_COUNT] = {
        [VI_SIDT] = 1, [VI_LGDT] = 2, [VI_LIDT] = 3, [VI_STR] = 1, [VI_LLDT] = 2, [VI_LTR] = 3,
    };
    VirtUse with = *u;
    bool stores = u->id == VI_SGDT || u->id == VI_SIDT || u->id == VI_SLDT || u->id == VI_STR;

    if (!vmx_proc2(c, PROC2_TABLES) || (stores && (c->cr4 & CR4_UMIP) && c->cpl == 3)) {
        return;
    }
    with.info = (u->info & 0x0fffffff) | (uint32_t)identity[u->id] << 28;
    insn_exit(c, &with, u->id >= VI_SLDT ? EXIT_LDTR : EXIT_GDTR, u->operand);
}

/* Instructions that only exist when a control says so. */
static void need(X86Cpu *c, const VirtUse *u, uint32_t control)
{
    if (!vmx_proc2(c, control)) {
        x86_raise(c, EXC_UD, u->host_pc);
    }
}

static void check_random(X86Cpu *c, const VirtUse *u, uint32_t control, unsigned reason)
{
    VirtUse with = *u;

    with.info = (u->info & 0x78) | (u->arg & 3) << 11;
    if (vmx_proc2(c, control)) {
        insn_exit(c, &with, reason, 0);
    }
}

/* 26.1.3: XSAVES and XRSTORS of components that the hypervisor asks for. */
static void check_states(X86Cpu *c, const VirtUse *u)
{
    uint64_t asked = (uint32_t)c->regs[R_AX] | c->regs[R_DX] << 32;

    if (asked & c->xss & vmx_get(c, VM_XSS_EXITING)) {
        insn_exit(c, u, u->id == VI_XSAVES ? EXIT_XSAVES : EXIT_XRSTORS, u->operand);
    }
}

static void check_dr(X86Cpu *c, const VirtUse *u)
{
    if (vmx_proc(c, PROC_MOV_DR)) {
        insn_exit(c, u, EXIT_DR,
                  (VCR_REG(u->arg) & 7) | (u->id == VI_DR_READ ? 16 : 0) | VCR_GPR(u->arg) << 8);
    }
}

static void check_time(X86Cpu *c, const VirtUse *u)
{
    if (u->id == VI_RDTSCP) {
        need(c, u, PROC2_RDTSCP);
    }
    if (u->id == VI_RDPMC) {
        exit_if(c, u, vmx_proc(c, PROC_RDPMC) && (c->cpl == 0 || (c->cr4 & CR4_PCE)), EXIT_RDPMC);
    } else if (c->cpl == 0 || !(c->cr4 & CR4_TSD)) {
        exit_if(c, u, vmx_proc(c, PROC_RDTSC), u->id == VI_RDTSC ? EXIT_RDTSC : EXIT_RDTSCP);
    }
}

static void check_other(X86Cpu *c, const VirtUse *u)
{
    switch (u->id) {
    case VI_CPUID:
        insn_exit(c, u, EXIT_CPUID, 0);
    case VI_INVD:
        insn_exit(c, u, EXIT_INVD, 0);
    case VI_XSETBV:
        insn_exit(c, u, EXIT_XSETBV, 0);
    case VI_VMX:
        if (!vmx_shadow_exits(c, u)) {
            break;
        }
        insn_exit(c, u, u->arg, u->info & 1u << 10 ? 0 : u->operand);
    case VI_HLT:
        exit_if(c, u, vmx_proc(c, PROC_HLT), EXIT_HLT);
        break;
    case VI_PAUSE:
        exit_if(c, u, vmx_proc(c, PROC_PAUSE) || vmx_pause_loop(c), EXIT_PAUSE);
        break;
    case VI_WBINVD:
        exit_if(c, u, vmx_proc2(c, PROC2_WBINVD), EXIT_WBINVD);
        break;
    case VI_INVLPG:
        if (vmx_proc(c, PROC_INVLPG)) {
            insn_exit(c, u, EXIT_INVLPG, u->operand);
        }
        break;
    case VI_INVPCID:
        need(c, u, PROC2_INVPCID);
        if (vmx_proc(c, PROC_INVLPG)) {
            insn_exit(c, u, EXIT_INVPCID, u->operand);
        }
        break;
    case VI_MONITOR:
        exit_if(c, u, vmx_proc(c, PROC_MONITOR), EXIT_MONITOR);
        break;
    case VI_MWAIT:
        exit_if(c, u, vmx_proc(c, PROC_MWAIT), EXIT_MWAIT);
        break;
    case VI_RDRAND:
        check_random(c, u, PROC2_RDRAND, EXIT_RDRAND);
        break;
    case VI_RDSEED:
        check_random(c, u, PROC2_RDSEED, EXIT_RDSEED);
        break;
    case VI_XSAVES:
    case VI_XRSTORS:
        need(c, u, PROC2_XSAVES);
        check_states(c, u);
        break;
    default:
        break;
    }
}

static void vmx_insn(X86Cpu *c, const VirtUse *u)
{
    switch (u->id) {
    case VI_IO:
        check_io(c, u);
        break;
    case VI_RDMSR:
    case VI_WRMSR:
        check_msr(c, u);
        break;
    case VI_CR_READ ... VI_LMSW:
        check_cr(c, u);
        break;
    case VI_DR_READ:
    case VI_DR_WRITE:
        check_dr(c, u);
        break;
    case VI_SGDT ... VI_LTR:
        check_tables(c, u);
        break;
    case VI_RDTSC:
    case VI_RDTSCP:
    case VI_RDPMC:
        check_time(c, u);
        break;
    default:
        check_other(c, u);
        break;
    }
}

/* ---- exceptions: 26.2 ---- */

static void vmx_exception(X86Cpu *c, const X86Event *e, uint64_t info)
{
    bool real = !(c->cr0 & CR0_PE), wanted = vmx_get(c, VM_EXCEPTIONS) >> (e->vector & 31) & 1;
    uint32_t event = e->vector | (uint32_t)e->type << 8 | VM_EVENT_VALID;

    if (e->type == EVENT_SOFT_INT || e->vector > 31) {
        return;
    }
    if (e->vector == EXC_PF && (e->error & vmx_get(c, VM_PF_MASK)) != vmx_get(c, VM_PF_MATCH)) {
        wanted = !wanted;
    }
    if (!wanted) {
        return;
    }
    if (e->has_error && !real) {
        event |= VM_EVENT_ERROR;
        vmx_set(c, VM_EXIT_ERROR, e->error);
    }
    if (e->type == EVENT_SOFT_EXCEPTION) {
        vmx_set(c, VM_EXIT_LENGTH, (c->exception_next_rip - c->rip) & 15);
    }
    vmx_set(c, VM_EXIT_EVENT, event);
    vmx_vmexit(c, EXIT_EXCEPTION, e->vector == EXC_PF || e->vector == EXC_DB ? info : 0);
}

static void vmx_triple_fault(X86Cpu *c)
{
    vmx_vmexit(c, EXIT_TRIPLE_FAULT, 0);
}

/* 26.4.2 */
static void vmx_task_switch(X86Cpu *c, uint32_t selector, unsigned why, uint64_t next)
{
    static const uint8_t source[] = {
        [TASK_CALL] = 0, [TASK_IRET] = 1, [TASK_JMP] = 2, [TASK_INT] = 3};

    vmx_set(c, VM_EXIT_LENGTH, why == TASK_INT ? c->event.insn_len : (next - c->rip) & 15);
    vmx_vmexit(c, EXIT_TASK_SWITCH, (selector & 0xffff) | (uint64_t)source[why] << 30);
}

/* ---- interrupts: 26.2 ---- */

static bool pin(const X86Cpu *c, uint32_t bit)
{
    return vmx_get(c, VM_PIN) & bit;
}

static bool nmi_blocked(const X86Cpu *c)
{
    return c->nmi_masked && !pin(c, PIN_VNMI);
}

static bool interrupts_open(const X86Cpu *c)
{
    return (c->eflags & FLAG_IF) && !c->inhibit_irq;
}

static bool nmi_window_open(const X86Cpu *c)
{
    return vmx_proc(c, PROC_NMI_WINDOW) && !c->nmi_masked && !c->inhibit_irq;
}

static bool take_external(X86Cpu *c)
{
    uint32_t event = 0;

    if (vmx_get(c, VM_EXIT_CTL) & EXIT_ACK_INTR) {
        int vector = c->apic ? apic_take_interrupt(c->apic) : -1;

        if (vector < 0 || vmx_posted(c, (unsigned)vector)) {
            return false;
        }
        event = (uint32_t)vector | EVENT_INTR << 8 | VM_EVENT_VALID;
    }
    vmx_set(c, VM_EXIT_EVENT, event);
    vmx_exit(c, EXIT_INTR, 0);
    return true;
}

/* What X86_PENDING_VIRTUAL is set for, before NMIs, in the order of 26.5 and 27.7. */
static int own_reason(X86Cpu *c)
{
    return c->vmx.step_done      ? EXIT_STEP
           : vmx_apic_due(c)     ? c->vmx.apic_exit
           : vmx_timer_ended(c)  ? EXIT_TIMER
           : nmi_window_open(c)  ? EXIT_NMI_WINDOW
                                 : -1;
}

static bool exit_of_own(X86Cpu *c)
{
    int reason = own_reason(c);

    if (reason >= 0) {
        vmx_exit(c, (uint32_t)reason, reason == c->vmx.apic_exit ? c->vmx.apic_vector : 0);
    }
    return reason >= 0;
}

static bool vmx_interrupt(X86Cpu *c, uint32_t *pending)
{
    if (*pending & X86_PENDING_INIT) {
        cpu_interrupt_clear(&c->cpu, X86_PENDING_INIT);
        vmx_exit(c, EXIT_INIT, 0);
        return true;
    }
    if (*pending & X86_PENDING_SMI) {
        return false;
    }
    if ((*pending & X86_PENDING_VIRTUAL) && exit_of_own(c)) {
        return true;
    }
    if ((*pending & CPU_PENDING_NMI) && !nmi_blocked(c)) {
        if (!pin(c, PIN_NMI)) {
            return false;
        }
        cpu_interrupt_clear(&c->cpu, CPU_PENDING_NMI);
        vmx_set(c, VM_EXIT_EVENT, EXC_NMI | EVENT_NMI << 8 | VM_EVENT_VALID);
        vmx_exit(c, EXIT_EXCEPTION, 0);
        return true;
    }
    *pending &= ~(uint32_t)CPU_PENDING_NMI;
    if ((*pending & X86_PENDING_VIRTUAL) && vmx_proc(c, PROC_INTR_WINDOW) && interrupts_open(c)) {
        vmx_exit(c, EXIT_INTR_WINDOW, 0);
        return true;
    }
    if ((*pending & CPU_PENDING_HARD) && pin(c, PIN_INTR) && take_external(c)) {
        return true;
    }
    if (vmx_virtual_waits(c) && interrupts_open(c)) {
        vmx_virtual_take(c);
        return true;
    }
    if (pin(c, PIN_INTR) || !interrupts_open(c)) {
        *pending &= ~(uint32_t)CPU_PENDING_HARD;
    }
    return false;
}

static bool vmx_has_work(const X86Cpu *c, uint32_t p)
{
    return ((p & CPU_PENDING_HARD) && (pin(c, PIN_INTR) || (c->eflags & FLAG_IF))) ||
           ((p & CPU_PENDING_NMI) && !nmi_blocked(c)) ||
           (p & (X86_PENDING_SMI | X86_PENDING_INIT)) ||
           ((p & X86_PENDING_VIRTUAL) &&
            (own_reason((X86Cpu *)c) >= 0 ||
             (interrupts_open(c) &&
              (vmx_proc(c, PROC_INTR_WINDOW) || vmx_virtual_waits((X86Cpu *)c)))));
}

const X86VirtOps vmx_ops = {
    .insn = vmx_insn,
    .exception = vmx_exception,
    .triple_fault = vmx_triple_fault,
    .task_switch = vmx_task_switch,
    .interrupt = vmx_interrupt,
    .has_work = vmx_has_work,
    .cr_read = vmx_cr_read,
    .cr_write = vmx_cr_write,
    .translate = vmx_translate,
    .translate_fault = vmx_translate_fault,
    .page = vmx_page,
};
