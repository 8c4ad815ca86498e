// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest mode: what the rest of the CPU asks while it runs a guest of the guest, under SVM (svm*.c)
 * or VMX (vmx*.c). docs/devel/x86-virtualization.md
 *
 * Outside of guest mode X86Cpu.guest is NULL and nothing here is called. In it translations have
 * MODE_GUEST, and instructions that may be intercepted call helper_virt_insn first (intercept.c).
 */
#ifndef TARGET_I386_VIRT_H
#define TARGET_I386_VIRT_H

#include "exec/tlb.h"
#include "target-i386/vmcb.h"
#include "target-i386/vmcs.h"

typedef struct X86Cpu X86Cpu;
typedef struct X86Page X86Page;

/*
 * Kinds of event, in VMX's numbers (SDM 3C table 24-16); SVM has the first five and takes 5 and 6
 * for 3.
 */
enum {
    EVENT_INTR = 0,
    EVENT_NMI = 2,
    EVENT_EXCEPTION = 3,
    EVENT_SOFT_INT = 4, /* INT n */
    EVENT_PRIV_EXCEPTION = 5, /* INT1 */
    EVENT_SOFT_EXCEPTION = 6, /* INT3, INTO */
    EVENT_OTHER = 7, /* no event of the guest's: the monitor trap flag */
};

/* An event on its way into the guest. */
typedef struct X86Event {
    bool valid, has_error;
    uint8_t vector, type;
    uint32_t error;
    uint8_t insn_len; /* of INT n, INT3, INTO, INT1 */
} X86Event;

/* What instructions are called here; rows of intercept.c. */
typedef enum VirtInsn {
    VI_NONE, VI_CPUID, VI_RDTSC, VI_RDTSCP, VI_RDPMC, VI_HLT, VI_PAUSE, VI_INVD, VI_WBINVD, VI_INVLPG, VI_INVPCID,
    VI_RDMSR, VI_WRMSR, VI_IO, VI_CR_READ, VI_CR_WRITE, VI_CLTS, VI_LMSW, VI_SMSW, VI_DR_READ, VI_DR_WRITE,
    VI_SGDT, VI_SIDT, VI_LGDT, VI_LIDT, VI_SLDT, VI_STR, VI_LLDT, VI_LTR, VI_PUSHF, VI_POPF, VI_IRET, VI_INT,
    VI_INT1, VI_RSM, VI_MONITOR, VI_MWAIT, VI_XSETBV, VI_RDRAND, VI_RDSEED, VI_XSAVES, VI_XRSTORS, VI_VMMCALL,
    VI_VMRUN, VI_VMLOAD, VI_VMSAVE, VI_STGI, VI_CLGI, VI_SKINIT, VI_INVLPGA, VI_VMX, /* arg: VMX_INSN_* */
    VI_COUNT,
} VirtInsn;

/* The arg of VI_IO. */
enum {
    VIO_SIZE = 3, /* log2 of bytes */
    VIO_IN = 1 << 2, VIO_STRING = 1 << 3, VIO_REP = 1 << 4,
    VIO_IMM = 1 << 5, /* the port is in the instruction */
    VIO_ADDR_SHIFT = 6, /* log2 of the address size's bytes */
    VIO_SEG_SHIFT = 8, /* S_* of the memory operand */
};
/* VI_CR_*, VI_DR_*: the register, the general one. */
#define VCR_REG(arg) ((arg) & 15)
#define VCR_GPR(arg) ((arg) >> 4 & 15)

/* An instruction at run time; nothing of it was done. */
typedef struct VirtUse {
    VirtInsn id;
    uint32_t arg;
    uint32_t info; /* memory operand in VMX's form (SDM 3C 27.2.5), 0: none */
    uint64_t next; /* rip behind it */
    uint64_t operand; /* port, linear address, displacement, LMSW's value */
    uintptr_t host_pc;
} VirtUse;

/* A guest-physical address on its way to a physical one. */
typedef struct NestedUse {
    MmuAccess access;
    bool table; /* it is one of the guest's page tables, else what the guest's access was for */
    bool mark; /* a table's: its accessed or dirty bit is about to be set */
    bool debug; /* without side effects */
    bool va_valid;
    uint64_t va; /* linear address of the access */
} NestedUse;

typedef struct X86VirtOps {
    /* Before an instruction of intercept.c: does not return if it exits. */
    void (*insn)(X86Cpu *c, const VirtUse *u);
    /* Before an exception is delivered, state complete; info: address of #PF, bits of DR6 of #DB. Does not return
     * if it exits. */
    void (*exception)(X86Cpu *c, const X86Event *e, uint64_t info);
    void (*triple_fault)(X86Cpu *c);
    /* why: TaskSwitch; c->event: what caused it. Nothing of it was done. */
    void (*task_switch)(X86Cpu *c, uint32_t selector, unsigned why, uint64_t next);
    /* Exits for, or gives the guest, what is pending; false: nothing was done, the usual way is open for
     * the bits that stay in *pending. Machine lock held. */
    bool (*interrupt)(X86Cpu *c, uint32_t *pending);
    /* Whether what is pending ends a HLT. */
    bool (*has_work)(const X86Cpu *c, uint32_t pending);
    /* NULL: as they are. What CR0 or CR4 (n) of value v reads as; what is written when v is. */
    uint64_t (*cr_read)(const X86Cpu *c, unsigned n, uint64_t v);
    uint64_t (*cr_write)(const X86Cpu *c, unsigned n, uint64_t v);
    /* X86Cpu.nested: false: c->nested_fault says why. */
    bool (*translate)(X86Cpu *c, hwaddr gpa, const NestedUse *u, X86Page *page);
    void (*translate_fault)(X86Cpu *c); /* does not return */
    /*
     * NULL: none. What a walk has found, before it is used; may put another page in its place, or
     * exit. False: a probe of what would exit.
     */
    bool (*page)(X86Cpu *c, uint64_t va, unsigned size, MmuAccess access, bool probe,
                 uintptr_t host_pc, X86Page *page);
} X86VirtOps;

/*
 * The bit of Cpu.pending by which a virtual interrupt, or a window for one, asks to be looked at.
 */
#define X86_PENDING_VIRTUAL (1u << 20)

typedef struct NestedFault {
    hwaddr gpa;
    uint64_t info; /* exit_info1 of NPF; exit qualification of VMX */
    uint8_t reason; /* VMX: EXIT_EPT_* or EXIT_PML_FULL */
} NestedFault;

/*
 * What VMRUN leaves in the host save area; kept here, its form is nobody's business (APM 15.30.4).
 */
typedef struct SvmHost {
    struct {
        uint64_t base;
        uint32_t limit, flags, selector;
    } seg[4];
    uint64_t gdt_base, idt_base;
    uint32_t gdt_limit, idt_limit;
    uint64_t efer, cr0, cr3, cr4, rip, rsp, rax, pat;
    uint32_t eflags;
} SvmHost;

typedef struct X86Svm {
    uint64_t vm_cr, hsave_pa;
    hwaddr vmcb; /* of the running guest */
    VmcbControl ctl; /* its control area as VMRUN read it */
    SvmHost host;
    uint16_t pause_left;
    uint64_t pause_tsc; /* of the last PAUSE */
} X86Svm;

typedef struct X86Vmx {
    bool on; /* between VMXON and VMXOFF */
    bool host_nmi_masked;
    uint16_t apic_written; /* 1 + offset of what the guest wrote in its virtual APIC: to be looked at */
    uint16_t apic_exit, apic_vector; /* reason and qualification of the exit that came of it; 0: none */
    bool step_done; /* an exit of the monitor trap flag is due */
    bool entered_tf; /* EFLAGS.TF at the entry */
    uint32_t pending_debug; /* bits of DR6 that the exit leaves to the next entry */
    uint64_t timer_end; /* TSC of the hypervisor's at which the preemption timer ends */
    uint64_t pause_first, pause_last; /* TSC of PAUSEs of a loop */
    uint64_t vmxon, current; /* addresses of these regions; UINT64_MAX: none */
    Vmcs vmcs; /* the current one; its region is written when another is loaded, or VMCLEAR and VMXOFF */
} X86Vmx;

extern const X86VirtOps svm_ops;

/* ---- svm.c ---- */
/* Leaves guest mode. State is complete; the second form goes to the execution loop. */
void svm_exit(X86Cpu *c, uint64_t code, uint64_t info1, uint64_t info2, uint64_t next_rip);
_Noreturn void svm_vmexit(X86Cpu *c, uint64_t code, uint64_t info1, uint64_t info2,
                          uint64_t next_rip);
/* VM_CR and VM_HSAVE_PA. */
bool svm_msr_read(X86Cpu *c, uint32_t index, uint64_t *value);
bool svm_msr_write(X86Cpu *c, uint32_t index, uint64_t value);

/* ---- vmx.c ---- */
void vmx_reset(X86Cpu *c);
/* The vCPU comes and goes. */
void x86_vmx_init(X86Cpu *c);
void x86_vmx_finish(X86Cpu *c);
/* X86Cpu.guest_step: an instruction of the guest's was done (insn), or an event delivered. */
void vmx_stepped(X86Cpu *c, bool insn);
/* MSRs 480h to 490h, and IA32_FEATURE_CONTROL, which a lock bit closes. */
bool vmx_msr_read(X86Cpu *c, uint32_t index, uint64_t *value);
bool vmx_feature_control_write(X86Cpu *c, uint32_t index, uint64_t value);

/* ---- both ---- */
/* INIT, reset: guest mode is over without an exit. */
void x86_virt_reset(X86Cpu *c);
/*
 * The instruction at rip without side effects; the number of bytes that could be read, at most 15.
 */
unsigned x86_insn_bytes(X86Cpu *c, uint8_t bytes[15]);
/* CR8 of the guest when it is not the APIC's, else false. */
bool x86_virtual_tpr(X86Cpu *c, uint64_t *value, bool write);

#endif
