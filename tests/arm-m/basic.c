// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An image of M profile: reset, identification and System Control Space, SVC, UsageFaults and what
 * handlers find on the stack, SysTick and WFI, a bus fault.
 */
// image: basic-m3 mps2-an385 plain.ld -mcpu=cortex-m3
// image: basic-m7 mps2-an500 plain.ld -mcpu=cortex-m7
// image: basic-an511 mps2-an511 plain.ld -mcpu=cortex-m3
#include "print.h"

extern u32 _stack;
void reset(void);
volatile u32 ticks;
void svc(void)
{
    puts_("svc\n");
}
void systick(void)
{
    ticks++;
}
void hard(void)
{
    puts_("hard ");
    hex(R(0xe000ed28));
    hex(R(0xe000ed38));
    puts_("\nend\n");
    for (;;)
        ;
}
__attribute__((naked)) void usage(void)
{
    __asm volatile("mov r0, sp\n mov r1, lr\n push {r4,lr}\n bl usage_c\n pop {r4,pc}");
}
void usage_c(u32 *sp, u32 lr)
{
    puts_("usage ");
    hex(R(0xe000ed28));
    hex(lr);
    hex(sp[6]);
    hex(sp[7]);
    puts_("\n");
    R(0xe000ed28) = ~0u;
    sp[6] += (*(unsigned short *)sp[6] >> 11) >= 0x1d ? 4 : 2;
}
__attribute__((section(".vec"))) void *const vec[] = {(void *)0x20010000,
                                                      reset,
                                                      hard,
                                                      hard,
                                                      hard,
                                                      hard,
                                                      usage,
                                                      hard,
                                                      0,
                                                      0,
                                                      0,
                                                      svc,
                                                      hard,
                                                      0,
                                                      hard,
                                                      systick};
void reset(void)
{
    R(0x40004010) = 16;
    R(0x40004008) = 1;
    puts_("hello\n");
    u32 x;
    __asm volatile("mrs %0, control" : "=r"(x));
    hex(x);
    __asm volatile("mrs %0, xpsr" : "=r"(x));
    hex(x & ~0xf8000000);
    puts_("\n");
    for (u32 a = 0xe000ed00; a < 0xe000ed8c; a += 4) {
        hex(R(a));
        if ((a & 31) == 28)
            puts_("\n");
    }
    puts_("\n");
    for (u32 a = 0xe000ef40; a < 0xe000ef4c; a += 4)
        hex(R(a));
    hex(R(0xe000e004));
    hex(R(0xe000ed90));
    hex(R(0xe000e010));
    hex(R(0xe000e01c));
    R(0xe000e400) = 0xffffffff;
    hex(R(0xe000e400));
    R(0xe000ed18) = ~0u;
    hex(R(0xe000ed18));
    R(0xe000ed18) = 0;
    hex(R(0xe000ed20));
    puts_("\n");
    __asm volatile("svc 1");
    R(0xe000ed24) |= 7 << 16;
    __asm volatile(".short 0xde00");
    puts_("after\n");
    R(0xe000ed14) |= 0x10;
    __asm volatile("mov r1,#0\n udiv r0,r1,r1\n nop" ::: "r0", "r1");
    R(0xe000e014) = 25000 - 1;
    R(0xe000e018) = 0;
    R(0xe000e010) = 7;
    while (ticks < 5)
        __asm volatile("wfi");
    puts_("ticks ok\n");
    *(volatile u32 *)0x30000000;
    puts_("end\n");
    for (;;)
        ;
}
