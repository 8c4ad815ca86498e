// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 3DNow! on its way from bytes to registers and memory; what the operations compute:
 * test-x86-3dnow. AMD 21928, 22466.
 */
#include "bare.h"

static uint32_t a[2], c[2], r[2];

#define BINARY(op)                                                                         \
    __asm__ volatile("movq %1, %%mm0; movq %2, %%mm1; " op " %%mm1, %%mm0; movq %%mm0, %0" \
                     : "=m"(r)                                                             \
                     : "m"(a), "m"(c))

static void set(uint32_t *v, uint32_t low, uint32_t high)
{
    v[0] = low;
    v[1] = high;
}

static bool is(uint32_t low, uint32_t high)
{
    return r[0] == low && r[1] == high;
}

void tests(void)
{
    uint16_t tag[14] = {0};

    set(a, 0x3f800000, 0x40000000);
    set(c, 0x40400000, 0xc0000000);
    TRY(BINARY("pfadd"));
    ok(caught == -1 && is(0x40800000, 0), "PFADD 1 + 3, 2 - 2");
    TRY(BINARY("pfsub"));
    ok(is(0xc0000000, 0x40800000), "PFSUB");
    TRY(BINARY("pfsubr"));
    ok(is(0x40000000, 0xc0800000), "PFSUBR");
    TRY(BINARY("pfmul"));
    ok(is(0x40400000, 0xc0800000), "PFMUL");
    TRY(BINARY("pfacc"));
    ok(is(0x40400000, 0x3f800000), "PFACC");
    TRY(BINARY("pfnacc"));
    ok(is(0xbf800000, 0x40a00000), "PFNACC");
    TRY(BINARY("pfpnacc"));
    ok(is(0xbf800000, 0x3f800000), "PFPNACC");
    TRY(BINARY("pfcmpge"));
    ok(is(0, 0xffffffff), "PFCMPGE");
    TRY(BINARY("pfmin"));
    ok(is(0x3f800000, 0xc0000000), "PFMIN");
    TRY(BINARY("pf2id"));
    ok(is(3, (uint32_t)-2), "PF2ID");
    TRY(BINARY("pf2iw"));
    ok(is(3, (uint32_t)-2), "PF2IW");
    TRY(BINARY("pswapd"));
    ok(is(0xc0000000, 0x40400000), "PSWAPD");
    set(c, 7, (uint32_t)-5);
    TRY(BINARY("pi2fd"));
    ok(is(0x40e00000, 0xc0a00000), "PI2FD");
    TRY(BINARY("pi2fw"));
    ok(is(0x40e00000, 0xc0a00000), "PI2FW");
    set(a, 0x7fff0001, 0x80000003);
    set(c, 0x7fff8000, 0x80000002);
    TRY(BINARY("pmulhrw"));
    ok(is(0x3fff0000, 0x40000000), "PMULHRW rounds");
    set(a, 0x00ff0102, 0x80000000);
    set(c, 0x01ff0203, 0x81000001);
    TRY(BINARY("pavgusb"));
    ok(is(0x01ff0203, 0x81000001), "PAVGUSB rounds up");
    set(a, 0x3f800000, 0x3f800000);
    TRY(__asm__ volatile("movl %1, %%ebx; movq %2, %%mm7; pfadd 8(%%ebx), %%mm7; movq %%mm7, %0"
                         : "=m"(r) : "r"((uint32_t)a - 8), "m"(a) : "ebx"));
    ok(caught == -1 && is(0x40000000, 0x40000000), "a memory operand with displacement");
    EXPECT("FEMMS", -1, 0,
           __asm__ volatile("fninit; movq %0, %%mm0; pfadd %%mm0, %%mm0; femms" ::"m"(a)));
    __asm__ volatile("fnstenv %0; fninit" : "=m"(tag));
    ok(tag[4] == 0xffff, "marks all registers empty");
    EXPECT("an undefined suffix", 6, 0, __asm__ volatile(".byte 0x0f, 0x0f, 0xc1, 0x00"));
    EXPECT("PREFETCH", -1, 0, __asm__ volatile("prefetch 0x7ffffff0; prefetchw 0x7ffffff0"));
    __asm__ volatile("movl %%cr0, %%eax; orl $4, %%eax; movl %%eax, %%cr0" ::: "eax");
    EXPECT("CR0.EM: #UD", 6, 0, __asm__ volatile("pfadd %mm0, %mm1"));
    __asm__ volatile("movl %%cr0, %%eax; xorl $12, %%eax; movl %%eax, %%cr0" ::: "eax");
    EXPECT("CR0.TS: #NM", 7, 0, __asm__ volatile("pfadd %mm0, %mm1"));
    __asm__ volatile("clts");
}
