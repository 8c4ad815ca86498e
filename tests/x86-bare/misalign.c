// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MISALIGNSSE: MXCSR.MM lets operands of SSE instructions lie anywhere. APM 1 4.4.6, APM 3 E.3.5
 * (8000_0001 ECX bit 7).
 */
#include "bare.h"

static uint32_t data[12] __attribute__((aligned(16))), out[4] __attribute__((aligned(16)));
static uint8_t image[512] __attribute__((aligned(16)));

static void mxcsr(uint32_t v)
{
    __asm__ volatile("ldmxcsr %0" ::"m"(v));
}

void tests(void)
{
    uint32_t cr4, c = 0, a = 0x80000001;

    __asm__ volatile("movl %%cr4, %0; orl $0x600, %0; movl %0, %%cr4" : "=r"(cr4));
    __asm__ volatile("cpuid" : "+a"(a), "=c"(c)::"ebx", "edx");
    ok(c & 0x80, "announced");
    for (unsigned k = 0; k < 12; k++) {
        data[k] = k + 1;
    }
    __asm__ volatile("fxsave %0" : "=m"(image));
    ok((*(uint32_t *)(image + 28) & 0x20000) != 0, "MXCSR_MASK has MM");
    mxcsr(0x1f80);
    EXPECT("MM clear: #GP", 13, 0,
           __asm__ volatile("xorps %%xmm0, %%xmm0; paddd %0, %%xmm0" ::"m"(data[1])));
    mxcsr(0x21f80);
    EXPECT("MM set: none", -1, 0,
           __asm__ volatile("xorps %%xmm0, %%xmm0; paddd %1, %%xmm0; movaps %%xmm0, %0"
                            : "=m"(out)
                            : "m"(data[1])));
    ok(out[0] == 2 && out[3] == 5, "and the right data");
    EXPECT("of a float instruction", -1, 0, __asm__ volatile("andps %0, %%xmm0" ::"m"(data[2])));
    EXPECT("MOVAPS stays strict", 13, 0, __asm__ volatile("movaps %0, %%xmm0" ::"m"(data[1])));
    EXPECT("its store too", 13, 0, __asm__ volatile("movaps %%xmm0, %0" : "=m"(data[1])));
    EXPECT("MOVNTDQ too", 13, 0, __asm__ volatile("movntdq %%xmm0, %0" : "=m"(data[1])));
    *(uint32_t *)(image + 24) = 0x1f80;
    EXPECT("FXRSTOR takes MM away", 13, 0,
           __asm__ volatile("xorps %%xmm0, %%xmm0; fxrstor %0; paddd %1, %%xmm0" ::"m"(image),
                            "m"(data[1])));
}
