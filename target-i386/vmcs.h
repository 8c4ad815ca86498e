// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VMCS of Intel VMX: field encodings (SDM 3D appendix B), control bits (3C chapter 25), exit
 * reasons (appendix C).
 *
 * A VMCS region in memory has an image of struct Vmcs: its form is the processor's own business,
 * and a region is only valid between VMPTRLD and VMCLEAR anyway.
 */
#ifndef TARGET_I386_VMCS_H
#define TARGET_I386_VMCS_H

#include <stdint.h>

#define VMCS_REVISION 0x4d57u
#define VMCS_SHADOW (1u << 31) /* of a region's first word */
enum { VMCS_GROUP = 32, VMCS_SLOTS = 511 };

/* Fields by width, type and index; the last slot of all is in no encoding that exists. */
typedef struct Vmcs {
    uint32_t revision, abort;
    uint64_t slot[VMCS_SLOTS];
} Vmcs;
_Static_assert(sizeof(Vmcs) == 4096, "a VMCS is a page");

#define VMCS_SLOT(field) \
    (((field) >> 13 & 3) * 4 * VMCS_GROUP + ((field) >> 10 & 3) * VMCS_GROUP + ((field) >> 1 & 31))
enum { VMCS_LAUNCHED = VMCS_SLOTS - 1 }; /* slot: state after VMLAUNCH */

enum {
    /* 16 bits */
    VM_VPID = 0x0000, VM_POSTED_VECTOR = 0x0002, VM_G_SEL = 0x0800, VM_G_INTERRUPTS = 0x0810, VM_PML_INDEX = 0x0812, VM_H_SEL = 0x0c00, VM_H_TR_SEL = 0x0c0c,
    /* 64 bits: controls */
    VM_IO_A = 0x2000, VM_IO_B = 0x2002, VM_MSR_BITMAP = 0x2004, VM_EXIT_STORE = 0x2006, VM_EXIT_LOAD = 0x2008,
    VM_ENTRY_LOAD = 0x200a, VM_PML = 0x200e, VM_TSC_OFFSET = 0x2010, VM_VIRTUAL_APIC = 0x2012, VM_APIC_ACCESS = 0x2014,
    VM_POSTED = 0x2016, VM_EPTP = 0x201a, VM_EOI_EXITS = 0x201c, VM_VMREAD_MAP = 0x2026, VM_VMWRITE_MAP = 0x2028, VM_XSS_EXITING = 0x202c, VM_TSC_SCALE = 0x2032,
    VM_GUEST_PHYS = 0x2400, VM_G_LINK = 0x2800, VM_G_DEBUGCTL = 0x2802, VM_G_PAT = 0x2804, VM_G_EFER = 0x2806,
    VM_G_PDPTE = 0x280a, VM_H_PAT = 0x2c00, VM_H_EFER = 0x2c02,
    /* 32 bits */
    VM_PIN = 0x4000, VM_PROC = 0x4002, VM_EXCEPTIONS = 0x4004, VM_PF_MASK = 0x4006, VM_PF_MATCH = 0x4008,
    VM_CR3_TARGETS = 0x400a, VM_EXIT_CTL = 0x400c, VM_EXIT_STORE_COUNT = 0x400e, VM_EXIT_LOAD_COUNT = 0x4010,
    VM_ENTRY_CTL = 0x4012, VM_ENTRY_LOAD_COUNT = 0x4014, VM_ENTRY_EVENT = 0x4016, VM_ENTRY_ERROR = 0x4018,
    VM_ENTRY_LENGTH = 0x401a, VM_TPR_THRESHOLD = 0x401c, VM_PROC2 = 0x401e, VM_PLE_GAP = 0x4020, VM_PLE_WINDOW = 0x4022,
    VM_INSN_ERROR = 0x4400, VM_REASON = 0x4402, VM_EXIT_EVENT = 0x4404, VM_EXIT_ERROR = 0x4406, VM_IDT_EVENT = 0x4408,
    VM_IDT_ERROR = 0x440a, VM_EXIT_LENGTH = 0x440c, VM_INSN_INFO = 0x440e,
    VM_G_LIMIT = 0x4800, VM_G_GDTR_LIMIT = 0x4810, VM_G_IDTR_LIMIT = 0x4812, VM_G_AR = 0x4814,
    VM_G_INTERRUPTIBILITY = 0x4824, VM_G_ACTIVITY = 0x4826, VM_G_SMBASE = 0x4828, VM_G_SYSENTER_CS = 0x482a, VM_G_TIMER = 0x482e,
    VM_H_SYSENTER_CS = 0x4c00,
    /* natural width */
    VM_CR0_MASK = 0x6000, VM_CR4_MASK = 0x6002, VM_CR0_SHADOW = 0x6004, VM_CR4_SHADOW = 0x6006, VM_CR3_TARGET = 0x6008,
    VM_QUALIFICATION = 0x6400, VM_IO_RCX = 0x6402, VM_GUEST_LINEAR = 0x640a,
    VM_G_CR0 = 0x6800, VM_G_CR3 = 0x6802, VM_G_CR4 = 0x6804, VM_G_BASE = 0x6806, VM_G_GDTR_BASE = 0x6816,
    VM_G_IDTR_BASE = 0x6818, VM_G_DR7 = 0x681a, VM_G_RSP = 0x681c, VM_G_RIP = 0x681e, VM_G_RFLAGS = 0x6820,
    VM_G_PENDING_DEBUG = 0x6822, VM_G_SYSENTER_ESP = 0x6824, VM_G_SYSENTER_EIP = 0x6826,
    VM_H_CR0 = 0x6c00, VM_H_CR3 = 0x6c02, VM_H_CR4 = 0x6c04, VM_H_FS_BASE = 0x6c06, VM_H_GS_BASE = 0x6c08,
    VM_H_TR_BASE = 0x6c0a, VM_H_GDTR_BASE = 0x6c0c, VM_H_IDTR_BASE = 0x6c0e, VM_H_SYSENTER_ESP = 0x6c10,
    VM_H_SYSENTER_EIP = 0x6c12, VM_H_RSP = 0x6c14, VM_H_RIP = 0x6c16,
};

/* Segments in the VMCS's order: es cs ss ds fs gs ldtr tr. Fields are 2 apart. */
enum { VM_SEG_LDTR = 6, VM_SEG_TR = 7, VM_SEGS = 8 };
#define VM_AR_UNUSABLE (1u << 16)

/* Controls that exist here. */
#define PIN_INTR (1u << 0)
#define PIN_NMI (1u << 3)
#define PIN_VNMI (1u << 5)
#define PIN_TIMER (1u << 6)
#define PIN_POSTED (1u << 7) /* process posted interrupts */
#define PIN_FIXED 0x16u

#define PROC_INTR_WINDOW (1u << 2)
#define PROC_TSC_OFFSET (1u << 3)
#define PROC_HLT (1u << 7)
#define PROC_INVLPG (1u << 9)
#define PROC_MWAIT (1u << 10)
#define PROC_RDPMC (1u << 11)
#define PROC_RDTSC (1u << 12)
#define PROC_CR3_LOAD (1u << 15)
#define PROC_CR3_STORE (1u << 16)
#define PROC_CR8_LOAD (1u << 19)
#define PROC_CR8_STORE (1u << 20)
#define PROC_TPR_SHADOW (1u << 21)
#define PROC_NMI_WINDOW (1u << 22)
#define PROC_MOV_DR (1u << 23)
#define PROC_IO (1u << 24)
#define PROC_IO_BITMAPS (1u << 25)
#define PROC_STEP (1u << 27) /* monitor trap flag */
#define PROC_MSR_BITMAPS (1u << 28)
#define PROC_MONITOR (1u << 29)
#define PROC_PAUSE (1u << 30)
#define PROC_SECONDARY (1u << 31)
#define PROC_FIXED 0x0401e172u
#define PROC_ALLOWED                                                                            \
    (PROC_FIXED | PROC_INTR_WINDOW | PROC_TSC_OFFSET | PROC_HLT | PROC_INVLPG | PROC_MWAIT |    \
     PROC_RDPMC | PROC_RDTSC | PROC_CR8_LOAD | PROC_CR8_STORE | PROC_TPR_SHADOW |               \
     PROC_NMI_WINDOW | PROC_MOV_DR | PROC_IO | PROC_IO_BITMAPS | PROC_STEP | PROC_MSR_BITMAPS | \
     PROC_MONITOR | PROC_PAUSE | PROC_SECONDARY)

#define PROC2_APIC (1u << 0) /* the APIC-access page */
#define PROC2_EPT (1u << 1)
#define PROC2_TABLES (1u << 2)
#define PROC2_RDTSCP (1u << 3)
#define PROC2_X2APIC (1u << 4)
#define PROC2_VPID (1u << 5)
#define PROC2_WBINVD (1u << 6)
#define PROC2_UNRESTRICTED (1u << 7)
#define PROC2_APIC_REGS (1u << 8)
#define PROC2_VIRTUAL_INTR (1u << 9) /* virtual-interrupt delivery */
#define PROC2_PAUSE_LOOP (1u << 10)
#define PROC2_RDRAND (1u << 11)
#define PROC2_INVPCID (1u << 12)
#define PROC2_SHADOW (1u << 14) /* shadow VMCS */
#define PROC2_RDSEED (1u << 16)
#define PROC2_PML (1u << 17)
#define PROC2_XSAVES (1u << 20)
#define PROC2_TSC_SCALE (1u << 25)
#define PROC2_ALLOWED                                                                           \
    (PROC2_APIC | PROC2_EPT | PROC2_TABLES | PROC2_RDTSCP | PROC2_X2APIC | PROC2_VPID |         \
     PROC2_WBINVD | PROC2_UNRESTRICTED | PROC2_APIC_REGS | PROC2_VIRTUAL_INTR |                 \
     PROC2_PAUSE_LOOP | PROC2_RDRAND | PROC2_INVPCID | PROC2_SHADOW | PROC2_RDSEED | PROC2_PML | \
     PROC2_XSAVES | PROC2_TSC_SCALE)

#define EXIT_SAVE_DEBUG (1u << 2)
#define EXIT_HOST64 (1u << 9)
#define EXIT_ACK_INTR (1u << 15)
#define EXIT_SAVE_PAT (1u << 18)
#define EXIT_LOAD_PAT (1u << 19)
#define EXIT_SAVE_EFER (1u << 20)
#define EXIT_LOAD_EFER (1u << 21)
#define EXIT_SAVE_TIMER (1u << 22)
#define EXIT_FIXED 0x36dffu
#define EXIT_ALLOWED                                                                             \
    (EXIT_FIXED | EXIT_HOST64 | EXIT_ACK_INTR | EXIT_SAVE_PAT | EXIT_LOAD_PAT | EXIT_SAVE_EFER | \
     EXIT_LOAD_EFER | EXIT_SAVE_TIMER)

#define ENTRY_LOAD_DEBUG (1u << 2)
#define ENTRY_IA32E (1u << 9)
#define ENTRY_LOAD_PAT (1u << 14)
#define ENTRY_LOAD_EFER (1u << 15)
#define ENTRY_FIXED 0x11ffu
#define ENTRY_ALLOWED (ENTRY_FIXED | ENTRY_IA32E | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER)

/* IA32_VMX_MISC: VMWRITE writes what exits report, too */
#define MISC_WRITE_ALL (1u << 29)

/* Entry and exit event fields. */
#define VM_EVENT_ERROR (1u << 11)
#define VM_EVENT_VALID (1u << 31)

/* Interruptibility. */
#define VM_BLOCK_STI 1u
#define VM_BLOCK_MOV_SS 2u
#define VM_BLOCK_NMI 8u

enum { VM_ACTIVE, VM_HALTED };
enum { VM_MAX_MSRS = 512 };
/* Ticks of the preemption timer are this many of the TSC, as a power of two: IA32_VMX_MISC. */
enum { VM_TIMER_SHIFT = 5 };

/* EPT: entries and qualifications of violations. */
#define EPT_R 1u
#define EPT_W 2u
#define EPT_X 4u
#define EPT_LARGE 0x80u
#define EPT_A 0x100u
#define EPT_D 0x200u
#define EPTQ_READ 1u
#define EPTQ_WRITE 2u
#define EPTQ_FETCH 4u
#define EPTQ_LINEAR 0x80u
#define EPTQ_FINAL 0x100u

#define VMX_CR0_FIXED (CR0_PE | CR0_NE | CR0_PG)
#define VMX_CR4_FIXED CR4_VMXE

/* IA32_FEATURE_CONTROL */
#define FEATURE_CONTROL_LOCK 1u
#define FEATURE_CONTROL_VMX 4u

enum {
    EXIT_EXCEPTION = 0, EXIT_INTR = 1, EXIT_TRIPLE_FAULT = 2, EXIT_INIT = 3, EXIT_INTR_WINDOW = 7, EXIT_NMI_WINDOW = 8,
    EXIT_TASK_SWITCH = 9, EXIT_CPUID = 10, EXIT_HLT = 12, EXIT_INVD = 13, EXIT_INVLPG = 14, EXIT_RDPMC = 15,
    EXIT_RDTSC = 16, EXIT_RSM = 17, EXIT_VMCALL = 18, EXIT_VMCLEAR = 19, EXIT_VMLAUNCH = 20, EXIT_VMPTRLD = 21,
    EXIT_VMPTRST = 22, EXIT_VMREAD = 23, EXIT_VMRESUME = 24, EXIT_VMWRITE = 25, EXIT_VMXOFF = 26, EXIT_VMXON = 27,
    EXIT_CR = 28, EXIT_DR = 29, EXIT_IO = 30, EXIT_RDMSR = 31, EXIT_WRMSR = 32, EXIT_BAD_GUEST = 33, EXIT_BAD_MSR = 34,
    EXIT_MWAIT = 36, EXIT_STEP = 37, EXIT_MONITOR = 39, EXIT_PAUSE = 40, EXIT_TPR_BELOW = 43, EXIT_APIC_ACCESS = 44,
    EXIT_EOI = 45,
    EXIT_GDTR = 46, EXIT_LDTR = 47, EXIT_EPT_VIOLATION = 48, EXIT_EPT_MISCONFIG = 49, EXIT_INVEPT = 50, EXIT_RDTSCP = 51,
    EXIT_TIMER = 52, EXIT_INVVPID = 53, EXIT_WBINVD = 54, EXIT_XSETBV = 55, EXIT_APIC_WRITE = 56, EXIT_RDRAND = 57, EXIT_INVPCID = 58,
    EXIT_RDSEED = 61, EXIT_PML_FULL = 62, EXIT_XSAVES = 63, EXIT_XRSTORS = 64,
};
#define EXIT_ENTRY_FAILED (1u << 31)

/* Instruction errors: SDM 3C 31.4. */
enum {
    VMERR_VMCALL_IN_ROOT = 1, VMERR_CLEAR_ADDRESS = 2, VMERR_CLEAR_VMXON = 3, VMERR_LAUNCH_NOT_CLEAR = 4,
    VMERR_RESUME_NOT_LAUNCHED = 5, VMERR_CONTROLS = 7, VMERR_HOST = 8, VMERR_LOAD_ADDRESS = 9, VMERR_LOAD_VMXON = 10,
    VMERR_LOAD_REVISION = 11, VMERR_FIELD = 12, VMERR_READ_ONLY = 13, VMERR_ON_IN_ROOT = 15, VMERR_MOV_SS = 26,
    VMERR_INVALIDATE = 28,
};

#endif
