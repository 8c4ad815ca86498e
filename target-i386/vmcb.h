// SPDX-License-Identifier: GPL-2.0-or-later
/* The virtual machine control block of AMD SVM and its codes: APM volume 2, appendices B and C. */
#ifndef TARGET_I386_VMCB_H
#define TARGET_I386_VMCB_H

#include <stdint.h>

/* Control area, from the block's first byte. */
typedef struct VmcbControl {
    uint16_t cr_read, cr_write; /* 000h */
    uint16_t dr_read, dr_write;
    uint32_t exceptions;
    uint32_t misc[3]; /* 00ch: codes 60h.., 80h.., a0h.. */
    uint8_t unused0[0x3c - 0x18];
    uint16_t pause_threshold, pause_count;
    uint64_t iopm, msrpm; /* 040h */
    uint64_t tsc_offset;
    uint32_t asid;
    uint8_t tlb_control, unused1[3];
    uint64_t int_control; /* 060h: VINTR_* */
    uint64_t int_state; /* 068h: bit 0 shadow, bit 1 guest's IF */
    uint64_t exit_code, exit_info1, exit_info2, exit_int_info; /* 070h */
    uint64_t np_enable; /* 090h */
    uint64_t avic_bar, ghcb;
    uint64_t event_inj; /* 0a8h */
    uint64_t ncr3;
    uint64_t lbr;
    uint64_t clean; /* 0c0h */
    uint64_t next_rip;
    uint8_t insn_len, insn[15]; /* 0d0h */
} VmcbControl;
_Static_assert(sizeof(VmcbControl) == 0xe0, "layout of the VMCB's control area");

typedef struct VmcbSeg {
    uint16_t selector, attrib; /* attrib: bits 47..40 and 55..52 of a descriptor */
    uint32_t limit;
    uint64_t base;
} VmcbSeg;

/* State save area, at 400h of the block. */
typedef struct VmcbSave {
    VmcbSeg seg[6]; /* es cs ss ds fs gs */
    VmcbSeg gdtr, ldtr, idtr, tr; /* 060h */
    uint8_t unused0[0xcb - 0xa0];
    uint8_t cpl;
    uint32_t unused1;
    uint64_t efer; /* 0d0h */
    uint8_t unused2[0x148 - 0xd8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 148h */
    uint8_t unused3[0x1d8 - 0x180];
    uint64_t rsp;
    uint64_t cet[3];
    uint64_t rax; /* 1f8h */
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base; /* 200h */
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t cr2; /* 240h */
    uint8_t unused4[0x268 - 0x248];
    uint64_t g_pat; /* 268h */
    uint64_t dbgctl;
} VmcbSave;
_Static_assert(sizeof(VmcbSave) == 0x278, "layout of the VMCB's state save area");

enum { VMCB_SAVE = 0x400 };

/* int_control */
#define VINTR_TPR 0xffull /* low four bits count */
#define VINTR_IRQ (1ull << 8)
#define VINTR_GIF (1ull << 9)
#define VINTR_PRIO_SHIFT 16
#define VINTR_IGN_TPR (1ull << 20)
#define VINTR_MASKING (1ull << 24)
#define VINTR_GIF_ENABLE (1ull << 25)
#define VINTR_VECTOR_SHIFT 32

/* event_inj and exit_int_info */
#define VMCB_EVENT_VALID (1ull << 31)
#define VMCB_EVENT_ERROR (1ull << 11)
#define VMCB_EVENT_TYPE_SHIFT 8

/* np_enable */
#define VMCB_NP 1ull

/* NPF: exit_info1 beside the bits of a #PF error code */
#define NPF_FINAL (1ull << 32) /* at the page that the guest's access was for */
#define NPF_TABLE (1ull << 33) /* at one of the guest's page tables */

/* Exit codes; those from INTR on have their intercept bit in misc[]. */
enum {
    SVM_CR_READ = 0x00, SVM_CR_WRITE = 0x10, SVM_DR_READ = 0x20, SVM_DR_WRITE = 0x30, SVM_EXCP = 0x40,
    SVM_INTR = 0x60, SVM_NMI, SVM_SMI, SVM_INIT, SVM_VINTR, SVM_CR0_SEL, SVM_IDTR_READ, SVM_GDTR_READ,
    SVM_LDTR_READ, SVM_TR_READ, SVM_IDTR_WRITE, SVM_GDTR_WRITE, SVM_LDTR_WRITE, SVM_TR_WRITE, SVM_RDTSC,
    SVM_RDPMC, SVM_PUSHF, SVM_POPF, SVM_CPUID, SVM_RSM, SVM_IRET, SVM_SWINT, SVM_INVD, SVM_PAUSE, SVM_HLT,
    SVM_INVLPG, SVM_INVLPGA, SVM_IOIO, SVM_MSR, SVM_TASK_SWITCH, SVM_FERR_FREEZE, SVM_SHUTDOWN, SVM_VMRUN,
    SVM_VMMCALL, SVM_VMLOAD, SVM_VMSAVE, SVM_STGI, SVM_CLGI, SVM_SKINIT, SVM_RDTSCP, SVM_ICEBP, SVM_WBINVD,
    SVM_MONITOR, SVM_MWAIT, SVM_MWAIT_ARMED, SVM_XSETBV, SVM_RDPRU, SVM_INVPCID = 0xa2, SVM_NPF = 0x400,
};
#define SVM_INVALID UINT64_MAX

/* VM_CR */
#define VM_CR_DPD (1u << 0)
#define VM_CR_R_INIT (1u << 1)
#define VM_CR_DIS_A20M (1u << 2)
#define VM_CR_LOCK (1u << 3)
#define VM_CR_SVMDIS (1u << 4)

#endif
