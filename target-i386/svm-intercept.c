// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an SVM guest exits for: instructions, ports, MSRs, exceptions, interrupts, nested page
 * faults; and virtual interrupts. APM volume 2, 15.7 to 15.25.
 */
#include "target-i386/helpers.h"
#include "target-i386/seg.h"
#include "target-i386/paging.h"
#include "exec/x86-apic.h"

/* Exit codes from 60h on. */
static bool intercepts(const X86Cpu *c, unsigned code)
{
    return c->svm.ctl.misc[(code - SVM_INTR) / 32] >> (code - SVM_INTR) % 32 & 1;
}

static bool assists(const X86Cpu *c)
{
    return x86_has_feature(c, FEAT_DECODEASSISTS);
}

static _Noreturn void insn_exit(X86Cpu *c, const VirtUse *u, unsigned code, uint64_t info1,
                                uint64_t info2)
{
    cpu_restore_state(&c->cpu, u->host_pc);
    svm_vmexit(c, code, info1, info2, u->next);
}

static void check(X86Cpu *c, const VirtUse *u, unsigned code)
{
    if (intercepts(c, code)) {
        insn_exit(c, u, code, 0, 0);
    }
}

/* ---- ports and MSRs: APM 15.10, 15.11 ---- */

static unsigned map_byte(X86Cpu *c, hwaddr pa)
{
    MemAttrs attrs = {.is_cpu = 1, .cpu_index = c->cpu.index};

    return address_space_load(c->cpu.as, pa, 1, DEV_LITTLE, attrs, NULL);
}

static void check_io(X86Cpu *c, const VirtUse *u)
{
    uint32_t a = u->arg, port = u->operand & 0xffff, bytes = 1u << (a & VIO_SIZE), bits;
    hwaddr map = (c->svm.ctl.iopm & ~0xfffull) + port / 8;
    uint64_t info;

    if (!intercepts(c, SVM_IOIO)) {
        return;
    }
    x86_io_permission(c, port, a & VIO_SIZE, u->host_pc);
    bits = map_byte(c, map) | map_byte(c, map + 1) << 8;
    if (!(bits >> port % 8 & ((1u << bytes) - 1))) {
        return;
    }
    info = port << 16 | (uint64_t)(a & VIO_IN ? 1 : 0) | (a & VIO_STRING ? 4 : 0) |
           (a & VIO_REP ? 8 : 0) | bytes << 4 | (1u << (a >> VIO_ADDR_SHIFT & 3)) << 6;
    if (a & VIO_STRING && assists(c)) {
        info |= (a >> VIO_SEG_SHIFT & 7) << 10;
    }
    insn_exit(c, u, SVM_IOIO, info, u->next);
}

static void check_msr(X86Cpu *c, const VirtUse *u)
{
    uint32_t n = c->regs[R_CX], write = u->id == VI_WRMSR, bit;
    hwaddr map = c->svm.ctl.msrpm & ~0xfffull;

    if (!intercepts(c, SVM_MSR)) {
        return;
    }
    if (n < 0x2000) {
        bit = n * 2;
    } else if (n - 0xc0000000 < 0x2000) {
        bit = 0x800 * 8 + (n - 0xc0000000) * 2;
    } else if (n - 0xc0010000 < 0x2000) {
        bit = 0x1000 * 8 + (n - 0xc0010000) * 2;
    } else {
        insn_exit(c, u, SVM_MSR, write, 0);
    }
    if (map_byte(c, map + bit / 8) >> (bit % 8 + write) & 1) {
        insn_exit(c, u, SVM_MSR, write, 0);
    }
}

/* ---- control and debug registers ---- */

static void check_cr_write(X86Cpu *c, const VirtUse *u)
{
    unsigned cr = VCR_REG(u->arg), gpr = VCR_GPR(u->arg);
    uint64_t info = assists(c) ? 1ull << 63 | gpr : 0;

    /* APM 15.8.1: the selective one comes first */
    if (cr == 0 && intercepts(c, SVM_CR0_SEL) &&
        ((c->cr0 ^ c->regs[gpr]) & UINT32_MAX & ~(uint64_t)(CR0_TS | CR0_MP | CR0_ET))) {
        insn_exit(c, u, SVM_CR0_SEL, info, 0);
    }
    if (c->svm.ctl.cr_write >> cr & 1) {
        insn_exit(c, u, SVM_CR_WRITE + cr, info, 0);
    }
}

static void check_register(X86Cpu *c, const VirtUse *u)
{
    unsigned n = VCR_REG(u->arg), gpr = VCR_GPR(u->arg);

    switch (u->id) {
    case VI_CR_READ:
        if (c->svm.ctl.cr_read >> n & 1) {
            insn_exit(c, u, SVM_CR_READ + n, assists(c) ? 1ull << 63 | gpr : 0, 0);
        }
        break;
    case VI_CR_WRITE:
        check_cr_write(c, u);
        break;
    case VI_SMSW:
        if (c->svm.ctl.cr_read & 1) {
            insn_exit(c, u, SVM_CR_READ, 0, 0);
        }
        break;
    case VI_LMSW: /* selective whatever the value */
        check(c, u, SVM_CR0_SEL);
        /* fall through */
    case VI_CLTS:
        if (c->svm.ctl.cr_write & 1) {
            insn_exit(c, u, SVM_CR_WRITE, 0, 0);
        }
        break;
    case VI_DR_READ:
        if (c->svm.ctl.dr_read >> n & 1) {
            insn_exit(c, u, SVM_DR_READ + n, assists(c) ? gpr : 0, 0);
        }
        break;
    default:
        if (c->svm.ctl.dr_write >> n & 1) {
            insn_exit(c, u, SVM_DR_WRITE + n, assists(c) ? gpr : 0, 0);
        }
        break;
    }
}

/* ---- other instructions ---- */

/* APM 15.14.4: the filter counts PAUSEs that follow each other closely. */
static void check_pause(X86Cpu *c, const VirtUse *u)
{
    X86Svm *v = &c->svm;
    uint64_t now;

    if (!intercepts(c, SVM_PAUSE)) {
        return;
    }
    if (x86_has_feature(c, FEAT_PAUSE_FILTER) && v->ctl.pause_count) {
        now = x86_tsc(c);
        if (x86_has_feature(c, FEAT_PFTHRESHOLD) && v->ctl.pause_threshold &&
            now - v->pause_tsc > v->ctl.pause_threshold) {
            v->pause_left = v->ctl.pause_count;
        }
        v->pause_tsc = now;
        if (v->pause_left) {
            v->pause_left--;
            return;
        }
    }
    insn_exit(c, u, SVM_PAUSE, 0, 0);
}

static void check_with_info(X86Cpu *c, const VirtUse *u)
{
    switch (u->id) {
    case VI_INVLPG:
        if (intercepts(c, SVM_INVLPG)) {
            insn_exit(c, u, SVM_INVLPG, assists(c) ? u->operand : 0, 0);
        }
        break;
    case VI_INT:
        if (intercepts(c, SVM_SWINT)) {
            insn_exit(c, u, SVM_SWINT, assists(c) ? u->operand : 0, 0);
        }
        break;
    case VI_RDTSC:
    case VI_RDTSCP:
        if (c->cpl == 0 || !(c->cr4 & CR4_TSD)) { /* else #GP */
            check(c, u, u->id == VI_RDTSC ? SVM_RDTSC : SVM_RDTSCP);
        }
        break;
    case VI_RDPMC:
        if (c->cpl == 0 || (c->cr4 & CR4_PCE)) {
            check(c, u, SVM_RDPMC);
        }
        break;
    case VI_SGDT:
    case VI_SIDT:
    case VI_SLDT:
    case VI_STR:
        if (!(c->cr4 & CR4_UMIP) || c->cpl != 3) {
            check(c, u, u->id == VI_SGDT ? SVM_GDTR_READ : u->id == VI_SIDT ? SVM_IDTR_READ
                                       : u->id == VI_SLDT ? SVM_LDTR_READ : SVM_TR_READ);
        }
        break;
    case VI_XSETBV:
        check(c, u, SVM_XSETBV);
        break;
    default: /* VI_MWAIT: the monitor is always armed here */
        if (intercepts(c, SVM_MWAIT_ARMED) && !intercepts(c, SVM_MWAIT)) {
            insn_exit(c, u, SVM_MWAIT_ARMED, 1, 0);
        }
        if (intercepts(c, SVM_MWAIT)) {
            insn_exit(c, u, SVM_MWAIT, 1, 0);
        }
        break;
    }
}

static void svm_insn(X86Cpu *c, const VirtUse *u)
{
    static const uint8_t plain[VI_COUNT] = {
        [VI_CPUID] = SVM_CPUID,     [VI_HLT] = SVM_HLT,         [VI_INVD] = SVM_INVD,
        [VI_WBINVD] = SVM_WBINVD,   [VI_INVPCID] = SVM_INVPCID, [VI_LGDT] = SVM_GDTR_WRITE,
        [VI_LIDT] = SVM_IDTR_WRITE, [VI_LLDT] = SVM_LDTR_WRITE, [VI_LTR] = SVM_TR_WRITE,
        [VI_PUSHF] = SVM_PUSHF,     [VI_POPF] = SVM_POPF,       [VI_IRET] = SVM_IRET,
        [VI_INT1] = SVM_ICEBP,      [VI_RSM] = SVM_RSM,         [VI_MONITOR] = SVM_MONITOR,
        [VI_VMMCALL] = SVM_VMMCALL, [VI_VMRUN] = SVM_VMRUN,     [VI_VMLOAD] = SVM_VMLOAD,
        [VI_VMSAVE] = SVM_VMSAVE,   [VI_STGI] = SVM_STGI,       [VI_CLGI] = SVM_CLGI,
        [VI_SKINIT] = SVM_SKINIT,   [VI_INVLPGA] = SVM_INVLPGA,
    };

    switch (u->id) {
    case VI_IO:
        check_io(c, u);
        break;
    case VI_RDMSR:
    case VI_WRMSR:
        check_msr(c, u);
        break;
    case VI_CR_READ ... VI_DR_WRITE:
        check_register(c, u);
        break;
    case VI_PAUSE:
        check_pause(c, u);
        break;
    case VI_INVLPG:
    case VI_INT:
    case VI_RDTSC:
    case VI_RDTSCP:
    case VI_RDPMC:
    case VI_SGDT:
    case VI_SIDT:
    case VI_SLDT:
    case VI_STR:
    case VI_XSETBV:
    case VI_MWAIT:
        check_with_info(c, u);
        break;
    default:
        if (plain[u->id]) {
            check(c, u, plain[u->id]);
        }
        break;
    }
}

/* ---- exceptions ---- */

static void svm_exception(X86Cpu *c, const X86Event *e, uint64_t info)
{
    if (e->type == EVENT_SOFT_INT || e->vector > 31 || !(c->svm.ctl.exceptions >> e->vector & 1)) {
        return;
    }
    if (e->vector == EXC_DB) {
        c->dr[6] |= info;
    }
    svm_vmexit(c, SVM_EXCP + e->vector, e->has_error ? e->error : 0, e->vector == EXC_PF ? info : 0,
               e->type == EVENT_SOFT_EXCEPTION ? c->exception_next_rip : 0);
}

static void svm_triple_fault(X86Cpu *c)
{
    if (intercepts(c, SVM_SHUTDOWN)) {
        svm_vmexit(c, SVM_SHUTDOWN, 0, 0, 0);
    }
}

/* APM 15.14.1 */
static void svm_task_switch(X86Cpu *c, uint32_t selector, unsigned why, uint64_t next)
{
    bool has_error = why == TASK_INT && c->event.valid && c->event.has_error;
    uint64_t info = has_error ? c->event.error : 0;

    if (!intercepts(c, SVM_TASK_SWITCH)) {
        return;
    }
    info |= why == TASK_IRET ? 1ull << 36 : why == TASK_JMP ? 1ull << 38 : 0;
    info |= has_error ? 1ull << 44 : 0;
    info |= c->eflags & FLAG_RF ? 1ull << 48 : 0;
    svm_vmexit(c, SVM_TASK_SWITCH, selector, info, why == TASK_INT ? 0 : next);
}

/* ---- interrupts: APM 15.13, 15.21 ---- */

/* Physical interrupts go by the hypervisor's IF when the guest has its own. */
static bool physical_enabled(const X86Cpu *c)
{
    if (c->svm.ctl.int_control & VINTR_MASKING) {
        return c->svm.host.eflags & FLAG_IF;
    }
    return (c->eflags & FLAG_IF) && !c->inhibit_irq;
}

static bool virtual_ready(const X86Cpu *c)
{
    uint64_t v = c->svm.ctl.int_control;

    return (v & VINTR_IRQ) && (c->eflags & FLAG_IF) && !c->inhibit_irq &&
           ((v & VINTR_IGN_TPR) || (v >> VINTR_PRIO_SHIFT & 15) > (v & 15)) &&
           (!(v & VINTR_GIF_ENABLE) || (v & VINTR_GIF));
}

static bool take_virtual(X86Cpu *c)
{
    unsigned vector = c->svm.ctl.int_control >> VINTR_VECTOR_SHIFT & 0xff;

    if (!virtual_ready(c)) {
        return false;
    }
    if (intercepts(c, SVM_VINTR)) {
        svm_exit(c, SVM_VINTR, 0, 0, 0);
        return true;
    }
    c->svm.ctl.int_control &= ~VINTR_IRQ;
    cpu_interrupt_clear(&c->cpu, X86_PENDING_VIRTUAL);
    c->cpu.halted = false;
    x86_do_interrupt(c, vector, EVENT_INTR, false, 0, 0);
    return true;
}

static bool svm_interrupt(X86Cpu *c, uint32_t *pending)
{
    static const struct {
        uint32_t bit;
        uint8_t code;
    } rows[] = {
        {X86_PENDING_INIT, SVM_INIT},
        {X86_PENDING_SMI, SVM_SMI},
        {CPU_PENDING_NMI, SVM_NMI},
        {CPU_PENDING_HARD, SVM_INTR},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        uint32_t bit = rows[i].bit;

        if (!(*pending & bit) || (bit == CPU_PENDING_NMI && c->nmi_masked) ||
            (bit == CPU_PENDING_HARD && !physical_enabled(c))) {
            continue;
        }
        if (!intercepts(c, rows[i].code)) {
            return false;
        }
        /*
         * it stays pending for the hypervisor, but for SMI, which is as good as taken when it
         * leaves SVM
         */
        svm_exit(c, rows[i].code, 0, 0, 0);
        return true;
    }
    *pending &= ~(uint32_t)CPU_PENDING_HARD;
    return (*pending & X86_PENDING_VIRTUAL) && take_virtual(c);
}

static bool svm_has_work(const X86Cpu *c, uint32_t p)
{
    return ((p & CPU_PENDING_HARD) && physical_enabled(c)) ||
           ((p & X86_PENDING_VIRTUAL) && virtual_ready(c)) ||
           ((p & CPU_PENDING_NMI) && !c->nmi_masked) || (p & (X86_PENDING_SMI | X86_PENDING_INIT));
}

/* ---- nested paging: APM 15.25 ---- */

static bool svm_translate(X86Cpu *c, hwaddr gpa, const NestedUse *u, X86Page *page)
{
    const SvmHost *h = &c->svm.host;
    /* all accesses are those of a user; the guest's tables are walked as if written */
    const X86Paging p = {
        .cr0 = CR0_PE | CR0_PG | CR0_WP,
        .cr3 = c->svm.ctl.ncr3,
        .cr4 = h->cr4 & ~(uint64_t)(CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_PGE),
        .efer = h->efer,
    };

    if (x86_walk_tables(c, &p, gpa, u->table ? ACCESS_STORE : u->access, u->debug, page)) {
        return true;
    }
    c->nested_fault =
        (NestedFault){.gpa = gpa, .info = page->error | (u->table ? NPF_TABLE : NPF_FINAL)};
    return false;
}

static _Noreturn void svm_translate_fault(X86Cpu *c)
{
    svm_vmexit(c, SVM_NPF, c->nested_fault.info, c->nested_fault.gpa, 0);
}

const X86VirtOps svm_ops = {
    .insn = svm_insn,
    .exception = svm_exception,
    .triple_fault = svm_triple_fault,
    .task_switch = svm_task_switch,
    .interrupt = svm_interrupt,
    .has_work = svm_has_work,
    .translate = svm_translate,
    .translate_fault = svm_translate_fault,
};
