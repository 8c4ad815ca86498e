// SPDX-License-Identifier: GPL-2.0-or-later
// run: -cpu Icelake-Server
/*
 * AVX-512 as a system has it: XCR0, #UD without it, #NM, state through XSAVE and XRSTOR, upper
 * halves that VEX-coded instructions clear. SDM 1 chapters 13 and 15, 3A 2.5. What the instructions
 * do is compared with the host in tests/unit/target-i386/test-insn.c.
 */
#include "bare64.h"
#include "caught64.h"

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t *r)
{
    __asm__ volatile("cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "a"(leaf), "c"(sub));
}

#define AREA ((volatile uint64_t *)0xa000)
#define XCR0(v) "xorl %%ecx, %%ecx; xorl %%edx, %%edx; movl $" #v ", %%eax; xsetbv"

static void enabling(void)
{
    uint32_t r[4];

    EXPECT_ERROR("without XCR0 there is none", 6, 0, ".byte 0x62, 0xf1, 0x7d, 0x48, 0xef, 0xc0");
    EXPECT_ERROR("nor masks", 6, 0, ".byte 0xc5, 0xfc, 0x46, 0xc9");
    EXPECT_ERROR("the three components come together", 13, 0, XCR0(0x27));
    EXPECT_ERROR("and with AVX", 13, 0, XCR0(0xe3));
    EXPECT_ERROR("all of them", NONE, 0, XCR0(0xe7));
    cpuid(0xd, 0, r);
    ok((r[0] & 0xe7) == 0xe7 && r[1] == 2688, "CPUID.0DH has them");
    cpuid(0xd, 6, r);
    ok(r[0] == 512 && r[1] == 1152, "and says where");
    EXPECT_ERROR("VPXORD zmm0", NONE, 0, ".byte 0x62, 0xf1, 0x7d, 0x48, 0xef, 0xc0");
    __asm__ volatile("movq %%cr0, %%rax; orq $8, %%rax; movq %%rax, %%cr0" ::: "rax");
    EXPECT_ERROR("with CR0.TS", 7, 0, ".byte 0x62, 0xf1, 0x7d, 0x48, 0xef, 0xc0");
    __asm__ volatile("clts");
    EXPECT_ERROR("rounding in memory operands", 6, 0, ".byte 0x62, 0xf1, 0x7e, 0x58, 0x58, 0x00");
    EXPECT_ERROR("zeroing without a mask", 6, 0, ".byte 0x62, 0xf1, 0x7d, 0xc8, 0xef, 0xc0");
}

static void state(void)
{
    volatile uint64_t *a = AREA;
    uint64_t k;

    for (unsigned n = 0; n < 344; n++) {
        a[n] = 0;
    }
    __asm__ volatile("vpternlogd $0xff, %%zmm20, %%zmm20, %%zmm20\n"
                     "vpternlogd $0xff, %%zmm3, %%zmm3, %%zmm3\n"
                     "movl $0x1234, %%eax; kmovw %%eax, %%k5\n"
                     "movl $0xe6, %%eax; xorl %%edx, %%edx; xsave (%0)" ::"r"(a)
                     : "rax", "rdx", "memory");
    ok((a[64] & 0xe6) == 0xe6, "XSAVE has all in use");
    ok(a[1088 / 8 + 5] == 0x1234, "a mask");
    ok(a[1152 / 8 + 3 * 4] == UINT64_MAX && a[1152 / 8 + 4 * 4] == 0, "an upper half");
    ok(a[1664 / 8 + 4 * 8 + 7] == UINT64_MAX && a[1664 / 8] == 0, "a register above 15");
    __asm__ volatile("vzeroall; vpxord %%zmm20, %%zmm20, %%zmm20; kxorw %%k5, %%k5, %%k5\n"
                     "movl $0xe6, %%eax; xorl %%edx, %%edx; xrstor (%1)\n"
                     "kmovw %%k5, %%eax; movq %%rax, %0\n"
                     "vmovdqu64 %%zmm20, 0x1000(%1); vmovdqu64 %%zmm3, 0x1040(%1)"
                     : "=&r"(k)
                     : "r"(a)
                     : "rax", "rdx", "memory");
    ok(k == 0x1234, "XRSTOR brings the mask back");
    ok(a[0x1000 / 8 + 7] == UINT64_MAX && a[0x1040 / 8 + 7] == UINT64_MAX, "and registers");
    __asm__ volatile("vpaddd %%ymm3, %%ymm3, %%ymm3; vmovdqu64 %%zmm3, 0x1040(%0)" ::"r"(a)
                     : "memory");
    ok(a[0x1040 / 8 + 3] == 0xfffffffefffffffe && !a[0x1040 / 8 + 4], "VEX clears the upper half");
    __asm__ volatile("vpternlogd $0xff, %%zmm3, %%zmm3, %%zmm3; vzeroupper\n"
                     "vmovdqu64 %%zmm3, 0x1040(%0)" ::"r"(a)
                     : "memory");
    ok(a[0x1040 / 8 + 1] == UINT64_MAX && !a[0x1040 / 8 + 2] && !a[0x1040 / 8 + 4],
       "VZEROUPPER too");
}

void cpu_tests(unsigned cpu)
{
    if (cpu) {
        return;
    }
    __asm__ volatile("movq %%cr4, %%rax; orq $0x40600, %%rax; movq %%rax, %%cr4" ::: "rax");
    on_trap = recover;
    enabling();
    state();
}
