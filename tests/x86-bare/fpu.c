// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exceptions of x87 and SSE that are not masked, alignment checks: SDM 1 8.5, 11.5; 3A 6.15 (#MF,
 * #XM, #AC).
 */
#include "bare.h"

static uint32_t one[4] __attribute__((aligned(16))), zero[4] __attribute__((aligned(16))),
    out[8] __attribute__((aligned(16)));

static void mxcsr(uint32_t v)
{
    __asm__ volatile("ldmxcsr %0" ::"m"(v));
}

static uint32_t get_mxcsr(void)
{
    uint32_t v;

    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}

static uint32_t get_fsw(void)
{
    uint16_t v;

    __asm__ volatile("fnstsw %0" : "=a"(v));
    return v;
}

static void sse(void)
{
    uint32_t cr4;

    for (unsigned k = 0; k < 4; k++) {
        one[k] = 0x3f800000;
    }
    __asm__ volatile("movl %%cr4, %0; orl $0x600, %0; movl %0, %%cr4" : "=r"(cr4));
    mxcsr(0x1f80);
    EXPECT("masked division by zero", -1, 0,
           __asm__ volatile("movaps %0, %%xmm0; divps %1, %%xmm0; movaps %%xmm0, %2" ::"m"(one[0]),
                            "m"(zero[0]), "m"(out[0])));
    ok(out[0] == 0x7f800000 && get_mxcsr() == 0x1f84, "is infinity, and flagged");
    mxcsr(0x1f80 & ~0x200u);
    EXPECT("unmasked division by zero", 19, 0,
           __asm__ volatile("movaps %0, %%xmm0; divps %1, %%xmm0" ::"m"(one[0]), "m"(zero[0])));
    __asm__ volatile("movaps %%xmm0, %0" ::"m"(out[0]));
    ok(out[0] == 0x3f800000 && out[3] == 0x3f800000, "leaves the destination");
    ok(get_mxcsr() == (0x1f84 & ~0x200u), "and sets the flag");
    EXPECT("what is exact goes on", -1, 0, __asm__ volatile("mulps %0, %%xmm0" ::"m"(one[0])));
    mxcsr(0x1f80 & ~0x200u);
    EXPECT("a scalar one", 19, 0, __asm__ volatile("divss %0, %%xmm0" ::"m"(zero[0])));
    mxcsr(0x1f80 & ~0x80u);
    zero[1] = 0x7f800001;
    EXPECT("invalid comparison", 19, 0, __asm__ volatile("comiss %0, %%xmm0" ::"m"(zero[1])));
    ok(get_mxcsr() == (0x1f81 & ~0x80u), "is flagged");
    mxcsr(0x1f80 & ~0x1000u);
    out[4] = 0x40400000;
    EXPECT("inexact quotient", 19, 0, __asm__ volatile("divss %0, %%xmm0" ::"m"(out[4])));
    cr4 &= ~0x400u;
    __asm__ volatile("movl %0, %%cr4" ::"r"(cr4));
    mxcsr(0x1f80 & ~0x200u);
    EXPECT("#UD without OSXMMEXCPT", 6, 0, __asm__ volatile("divss %0, %%xmm0" ::"m"(zero[0])));
    mxcsr(0x1f80);
    EXPECT("MXCSR has reserved bits", 13, 0, mxcsr(0x10000));
    EXPECT("an operand of MOVAPS that is not aligned", 13, 0,
           __asm__ volatile("movaps %0, %%xmm0" ::"m"(out[1])));
}

static void x87(void)
{
    uint16_t cw = 0x37f & ~4;
    uint32_t cr0;

    __asm__ volatile("movl %%cr0, %0; orl $0x22, %0; movl %0, %%cr0" : "=r"(cr0));
    __asm__ volatile("fninit; fldcw %0" ::"m"(cw));
    EXPECT("an unmasked x87 exception waits", -1, 0,
           __asm__ volatile("fld1; fldz; fdivrp %st(0), %st(1)"));
    EXPECT("for the next waiting instruction", -1, 0,
           __asm__ volatile("fninit; fldcw %0; fldz; fld1; fdiv %%st(1), %%st(0)" ::"m"(cw)));
    ok((get_fsw() & 0x8084) == 0x8084, "which the status word says");
    EXPECT("here it is", 16, 0, __asm__ volatile("fwait"));
    EXPECT("and again", 16, 0, __asm__ volatile("fld1"));
    EXPECT("not for FNSTSW, FNCLEX", -1, 0,
           __asm__ volatile("fnstsw %%ax; fnclex; fwait" ::
                                : "eax"));
    out[0] = 0x5a5a5a5a;
    out[4] = 1000;
    cw = 0x37f & ~8;
    EXPECT("overflow in a store", 16, 0,
           __asm__ volatile(
               "fninit; fldcw %0; fildl %1; fld1; fscale; fstp %%st(1); fstps %2; fwait" ::"m"(cw),
               "m"(out[4]), "m"(out[0])));
    ok(out[0] == 0x5a5a5a5a && (get_fsw() >> 11 & 7) == 7, "stores and pops nothing");
    __asm__ volatile("fninit");
}

/* At CPL 3 with EFLAGS.AC: the offset is loaded from there, then INT3 comes back. */
static void user(uint32_t esp_flags, void (*fn)(void))
{
    __asm__ volatile("movl %0, %%ds; movl %0, %%es; pushl %0; pushl $0x74000; pushl %1; pushl %2; "
                     "pushl %3; iretl" ::"r"(SEL_UDATA),
                     "r"(esp_flags), "r"(SEL_UCODE), "r"(fn));
}

static void load_odd(void)
{
    __asm__ volatile("movl 0x60001, %%eax; int3" ::: "eax");
}

static void load_even(void)
{
    __asm__ volatile("movl 0x60004, %%eax; movb 0x60001, %%al; int3" ::: "eax");
}

static void string_odd(void)
{
    __asm__ volatile("movl $0x60001, %%esi; movl $4, %%ecx; cld; rep lodsw; int3" ::
                         : "eax", "esi", "ecx");
}

static void push_odd(void)
{
    __asm__ volatile("decl %esp; pushl %eax; int3");
}

static void alignment(void)
{
    uint32_t cr0;

    EXPECT("AC without CR0.AM", 3, 0, user(0x40002, load_odd));
    __asm__ volatile("movl %%cr0, %0; orl $0x40000, %0; movl %0, %%cr0" : "=r"(cr0));
    EXPECT("CR0.AM without AC", 3, 0, user(2, load_odd));
    EXPECT("aligned", 3, 0, user(0x40002, load_even));
    EXPECT("#AC", 17, 0, user(0x40002, load_odd));
    EXPECT("#AC in a string", 17, 0, user(0x40002, string_odd));
    EXPECT("#AC of a push", 17, 0, user(0x40002, push_odd));
    EXPECT("not at CPL 0", -1, 0,
           __asm__ volatile("pushl $0x40002; popfl; movl 0x60001, %%eax; pushl $2; popfl" ::
                                : "eax"));
}

void tests(void)
{
    sse();
    x87();
    alignment();
}
