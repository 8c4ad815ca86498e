// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the images that run VMX guests share: the VMCS and a guest in the image's own address space.
 */
#ifndef X86_BARE_VMX_H
#define X86_BARE_VMX_H

#include "virt.h"

/* Fields (SDM 3D appendix B). */
enum {
    G_SEL = 0x800, H_SEL = 0xc00, IO_A = 0x2000, IO_B = 0x2002, MSR_MAP = 0x2004, EXIT_STORE = 0x2006, EXIT_LOAD = 0x2008,
    ENTRY_LOAD = 0x200a, EPTP = 0x201a, GUEST_PHYS = 0x2400, G_LINK = 0x2800, G_PAT = 0x2804, G_EFER = 0x2806, H_PAT = 0x2c00,
    H_EFER = 0x2c02, PIN = 0x4000, PROC = 0x4002, EXCEPTIONS = 0x4004, PF_MASK = 0x4006, PF_MATCH = 0x4008, EXIT_CTL = 0x400c,
    STORE_COUNT = 0x400e, LOAD_COUNT = 0x4010, ENTRY_CTL = 0x4012, ENTRY_COUNT = 0x4014, INJECT = 0x4016, INJECT_ERROR = 0x4018,
    INJECT_LENGTH = 0x401a, PROC2 = 0x401e, INSN_ERROR = 0x4400, REASON = 0x4402, EVENT = 0x4404, EVENT_ERROR = 0x4406,
    IDT_EVENT = 0x4408, IDT_ERROR = 0x440a, LENGTH = 0x440c, INFO = 0x440e, G_LIMIT = 0x4800, G_AR = 0x4814, BLOCKED = 0x4824,
    ACTIVITY = 0x4826, CR0_MASK = 0x6000, CR4_MASK = 0x6002, CR0_SHADOW = 0x6004, CR4_SHADOW = 0x6006, QUALIFICATION = 0x6400,
    LINEAR = 0x640a, G_CR0 = 0x6800, G_CR3 = 0x6802, G_CR4 = 0x6804, G_BASE = 0x6806, G_GDTR = 0x6816, G_IDTR = 0x6818, G_DR7 = 0x681a,
    G_RSP = 0x681c, G_RIP = 0x681e, G_RFLAGS = 0x6820, H_CR0 = 0x6c00, H_CR3 = 0x6c02, H_CR4 = 0x6c04, H_FS = 0x6c06, H_TR = 0x6c0a,
    H_GDTR = 0x6c0c, H_IDTR = 0x6c0e, H_RSP = 0x6c14, H_RIP = 0x6c16,
};
enum { X_EXCEPTION = 0, X_INTR = 1, X_TRIPLE = 2, X_VMCALL = 18, X_BAD_GUEST = (int)0x80000021 };

/* A guest program: ends with VMCALL. */
#define GUEST(name, text) GUEST_TEXT(name, text, "vmcall")

static inline void put(uint64_t field, uint64_t v)
{
    __asm__ volatile("vmwrite %0, %1" ::"r"(v), "r"(field) : "cc");
}

static inline uint64_t get(uint64_t field)
{
    uint64_t v = 0;

    __asm__ volatile("vmread %1, %0" : "+r"(v) : "r"(field) : "cc");
    return v;
}

/* The flags that an instruction with an address as operand leaves: 1 carry, 64 zero. */
#define WITH(insn, address) \
    ({ \
        uint64_t at_ = (uint64_t)(address), flags_; \
        __asm__ volatile(insn " %1; pushfq; popq %0" : "=r"(flags_) : "m"(at_) : "cc", "memory"); \
        (unsigned)flags_ & 0x8d5; \
    })

static inline uint64_t cr(unsigned n)
{
    uint64_t v;

    if (n == 0) {
        __asm__ volatile("movq %%cr0, %0" : "=r"(v));
    } else if (n == 3) {
        __asm__ volatile("movq %%cr3, %0" : "=r"(v));
    } else {
        __asm__ volatile("movq %%cr4, %0" : "=r"(v));
    }
    return v;
}

static inline void data_seg(unsigned n, unsigned selector, unsigned ar)
{
    put(G_SEL + 2 * n, selector);
    put(G_AR + 2 * n, ar);
    put(G_LIMIT + 2 * n, 0xffffffff);
    put(G_BASE + 2 * n, 0);
}

/* A new VMCS for a 64-bit guest that is as this program is; exits for what must exit only. */
static inline void guest_reset(void)
{
    struct { uint16_t limit; uint64_t base; } __attribute__((packed)) r;

    WITH("vmclear", PAGE(0));
    fill(PAGE(0), 0, 0x1000);
    *(volatile uint32_t *)PAGE(0) = rdmsr(0x480) & 0x7fffffff;
    WITH("vmclear", PAGE(0));
    WITH("vmptrld", PAGE(0));
    put(PIN, rdmsr(0x48d) & 0xffffffff);
    put(PROC, (rdmsr(0x48e) & 0xffffffff) | 1u << 31);
    put(PROC2, 1 << 3 | 1 << 12);
    put(EXIT_CTL, (rdmsr(0x48f) & 0xffffffff) | 1 << 9 | 1 << 20 | 1 << 21);
    put(ENTRY_CTL, (rdmsr(0x490) & 0xffffffff) | 1 << 9 | 1 << 15);
    put(G_LINK, ~0ull);
    for (unsigned k = 0; k < 6; k++) {
        data_seg(k, 16, 0xc093);
        put(H_SEL + 2 * k, 16);
    }
    data_seg(1, 24, 0xa09b);
    data_seg(6, 0, 0x10000);
    data_seg(7, 0x28, 0x8b);
    put(G_LIMIT + 14, 0x67);
    put(H_SEL + 2, 24);
    put(0xc0c, 0x28);
    put(G_CR0, cr(0));
    put(G_CR3, cr(3));
    put(G_CR4, cr(4));
    put(H_CR0, cr(0));
    put(H_CR3, cr(3));
    put(H_CR4, cr(4));
    put(G_EFER, rdmsr(0xc0000080));
    put(H_EFER, rdmsr(0xc0000080));
    __asm__ volatile("sgdt %0" : "=m"(r));
    put(G_GDTR, r.base);
    put(0x4810, r.limit);
    put(H_GDTR, r.base);
    __asm__ volatile("sidt %0" : "=m"(r));
    put(H_IDTR, r.base);
    put(G_IDTR, (uint64_t)guest_idt);
    put(0x4812, 0xfff);
    put(G_DR7, 0x400);
    put(G_RFLAGS, 2);
}

static volatile uint64_t guest_rax;

/* VMLAUNCH or VMRESUME; the exit's reason, or -1 - flags when there was none. */
static inline long enter(bool resume)
{
    long r;

    __asm__ volatile("pushq %%rbp; movl $0x6c14, %%edx; vmwrite %%rsp, %%rdx; leaq 1f(%%rip), "
                     "%%rdx; movl $0x6c16, %%esi;"
                     "vmwrite %%rdx, %%rsi; testl %%eax, %%eax; jnz 2f; vmlaunch; jmp 3f; 2: "
                     "vmresume; 3: pushfq; popq %%rax;"
                     "andl $0x8d5, %%eax; notq %%rax; jmp 4f; 1: movq %%rax, guest_rax; xorl "
                     "%%eax, %%eax; 4: popq %%rbp"
                     : "=a"(r)
                     : "a"((uint32_t)resume), "m"(guest_rax)
                     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
                       "r14", "memory", "cc");
    return r ? r : (long)(int)get(REASON);
}

static inline long guest_run(void (*code)(void))
{
    put(G_RIP, (uint64_t)code);
    put(G_RSP, (uint64_t)guest_stack);
    return enter(false);
}

/* Again, with what was changed since. */
static inline long guest_again(void (*code)(void))
{
    put(G_RIP, (uint64_t)code);
    put(G_RSP, (uint64_t)guest_stack);
    return enter(true);
}

/* What is wrong is shown. */
static inline void check(long reason, uint64_t qualification, const char *name)
{
    bool good = (int)get(REASON) == (int)reason && get(QUALIFICATION) == qualification;

    ok(good, name);
    if (!good) {
        note("reason", get(REASON));
        note("qualification", get(QUALIFICATION));
        note("instruction error", get(INSN_ERROR));
        note("rip", get(G_RIP));
    }
}

/* EPT by the tables of second_identity; returned: the entry of PAGE(0). */
static inline volatile uint64_t *ept_identity(void)
{
    put(PROC2, get(PROC2) | 2);
    put(EPTP, (uint64_t)second_tables | 6 | 3 << 3 | 1 << 6);
    return second_identity(0xb7, 0x37);
}

static inline void vmx_on(void)
{
    wrmsr(0x3a, 5);
    __asm__ volatile("movq %%cr4, %%rax; orl $0x2000, %%eax; movq %%rax, %%cr4; movq %%cr0, %%rax; "
                     "orl $0x20, %%eax; movq %%rax, %%cr0" ::
                         : "rax");
    *(volatile uint32_t *)PAGE(1) = rdmsr(0x480) & 0x7fffffff;
}

#endif
