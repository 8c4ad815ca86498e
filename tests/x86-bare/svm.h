// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the images that run SVM guests share: the control block and a guest in the image's own
 * address space.
 */
#ifndef X86_BARE_SVM_H
#define X86_BARE_SVM_H

#include "virt.h"

/* Fields of the control block by offset (APM volume 2, appendix B). */
#define V64(offset) (*(volatile uint64_t *)(vmcb + (offset)))
#define V32(offset) (*(volatile uint32_t *)(vmcb + (offset)))
#define V16(offset) (*(volatile uint16_t *)(vmcb + (offset)))
#define V8(offset) (*(volatile uint8_t *)(vmcb + (offset)))
enum {
    CR_READ = 0, CR_WRITE = 2, DR_READ = 4, DR_WRITE = 6, EXCEPTIONS = 8, MISC = 12, IOPM = 0x40, MSRPM = 0x48,
    TSC_OFFSET = 0x50, ASID = 0x58, INT_CONTROL = 0x60, INT_STATE = 0x68, EXIT_CODE = 0x70, INFO1 = 0x78, INFO2 = 0x80,
    INT_INFO = 0x88, NP = 0x90, INJECT = 0xa8, NCR3 = 0xb0, NRIP = 0xc8, INSN_LEN = 0xd0, INSN = 0xd1,
    ES = 0x400, CS = 0x410, SS = 0x420, DS = 0x430, FS = 0x440, GDTR = 0x460, IDTR = 0x480, CPL = 0x4cb,
    EFER = 0x4d0, CR4 = 0x548, CR3 = 0x550, CR0 = 0x558, DR7 = 0x560, DR6 = 0x568, RFLAGS = 0x570, RIP = 0x578,
    RSP = 0x5d8, RAX = 0x5f8, CR2 = 0x640, G_PAT = 0x668,
};
enum {
    EXIT_VMMCALL = 0x81,
    EXIT_NPF = 0x400,
    EXIT_SHUTDOWN = 0x7f,
    EXIT_VINTR = 0x64,
    EXIT_INTR = 0x60
};

#define vmcb PAGE(0)
#define io_map PAGE(4)
#define msr_map PAGE(8)
/* A guest program: ends with VMMCALL. */
#define GUEST(name, text) GUEST_TEXT(name, text, "vmmcall")

static inline void seg(unsigned at, unsigned selector, unsigned attrib, uint32_t limit)
{
    V16(at) = selector;
    V16(at + 2) = attrib;
    V32(at + 4) = limit;
    V64(at + 8) = 0;
}

static inline void intercept(unsigned code, bool on)
{
    volatile uint32_t *word = &V32(MISC + (code - 0x60) / 32 * 4);

    *word = on ? *word | 1u << (code - 0x60) % 32 : *word & ~(1u << (code - 0x60) % 32);
}

/* A 64-bit guest that is as this program is, and exits for VMRUN, VMMCALL and shutdown only. */
static inline void guest_reset(void)
{
    uint64_t v;
    struct { uint16_t limit; uint64_t base; } __attribute__((packed)) r;

    fill(vmcb, 0, 0x1000);
    seg(ES, 16, 0xc93, 0xffffffff);
    seg(CS, 24, 0xa9b, 0xffffffff);
    seg(SS, 16, 0xc93, 0xffffffff);
    seg(DS, 16, 0xc93, 0xffffffff);
    __asm__ volatile("sgdt %0" : "=m"(r));
    V32(GDTR + 4) = r.limit;
    V64(GDTR + 8) = r.base;
    V32(IDTR + 4) = 0xfff;
    V64(IDTR + 8) = (uint64_t)guest_idt;
    V64(EFER) = rdmsr(0xc0000080);
    __asm__ volatile("movq %%cr0, %0" : "=r"(v));
    V64(CR0) = v;
    __asm__ volatile("movq %%cr3, %0" : "=r"(v));
    V64(CR3) = v;
    __asm__ volatile("movq %%cr4, %0" : "=r"(v));
    V64(CR4) = v;
    V64(DR6) = 0xffff0ff0;
    V64(DR7) = 0x400;
    V64(RFLAGS) = 2;
    V64(G_PAT) = rdmsr(0x277);
    V64(IOPM) = (uint64_t)io_map;
    V64(MSRPM) = (uint64_t)msr_map;
    V32(ASID) = 1;
    intercept(0x80, true);
    intercept(EXIT_VMMCALL, true);
    intercept(EXIT_SHUTDOWN, true);
}

/* Runs the guest at V64(RIP); the hypervisor's interrupts are on meanwhile. */
static inline uint64_t guest_continue(void)
{
    __asm__ volatile("pushq %%rbp; clgi; sti; vmrun; cli; stgi; popq %%rbp" ::"a"(vmcb)
                     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
                       "r14", "r15", "memory", "cc");
    return V64(EXIT_CODE);
}

static inline uint64_t guest_run(void (*code)(void))
{
    V64(RIP) = (uint64_t)code;
    V64(RSP) = (uint64_t)guest_stack;
    return guest_continue();
}

/* Nested paging by the tables of second_identity; returned: the entry of PAGE(0). */
static inline volatile uint64_t *nested_identity(void)
{
    V64(NP) = 1;
    V64(NCR3) = (uint64_t)second_tables;
    return second_identity(0x87, 7);
}

static inline bool svm_on(void)
{
    uint32_t a = 0x80000001, c;

    __asm__ volatile("cpuid" : "+a"(a), "=c"(c)::"ebx", "edx");
    if (!(c & 4)) {
        return false;
    }
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 0x1000);
    wrmsr(0xc0010117, (uint64_t)PAGE(1));
    return true;
}

#endif
