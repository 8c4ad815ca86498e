// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An image of v8-M with the Security Extension: SAU, IDAU and TT, calls both ways, exceptions of
 * either state, refused accesses, protection controllers of IoTKit.
 */
// image: trustzone mps2-an505 trustzone.ld -mcpu=cortex-m33+nofp -mfloat-abi=soft -mlong-calls
// image: trustzone-an521 mps2-an521 trustzone.ld -mcpu=cortex-m33+nofp -mfloat-abi=soft -mlong-calls
#define UART 0x50200000
#include "print.h"

#define NS __attribute__((section(".ns"), used))
void reset(void);
/* secure services, called by veneers */
__attribute__((used)) u32 svc_print(u32 v)
{
    puts_("ns says ");
    hex(v);
    u32 l, c;
    __asm volatile("mrs %0, control" : "=r"(c));
    hex(c);
    puts_("\n");
    return v + 1;
}
__asm(".section .nsc,\"ax\"\n.thumb\n.global v_print\n.thumb_func\nv_print: sg\n b.w v_print2\n "
      ".text\n.thumb_func\nv_print2: push {r4,lr}\n bl svc_print\n pop {r4,lr}\n bxns lr\n");
extern u32 v_print(u32);
/* secure handlers */
__attribute__((naked)) void fault(void)
{
    __asm volatile(
        "tst lr,#0x40\n beq 1f\n tst lr, #4\n ite eq\n mrseq r0, msp\n mrsne r0, psp\n b 2f\n1: "
        "mrs r2, control_ns\n mrs r0, msp_ns\n tst lr,#8\n beq 2f\n tst r2,#2\n it ne\n mrsne r0, "
        "psp_ns\n2: mov r1, lr\n push {r4,lr}\n bl fault_c\n pop {r4,pc}");
}
__attribute__((used)) void fault_c(u32 *sp, u32 lr)
{
    u32 n;
    __asm volatile("mrs %0, ipsr" : "=r"(n));
    puts_("S fault ");
    hex(n);
    hex(lr);
    hex(R(0xe000ed28));
    hex(R(0xe000ed2c));
    hex(R(0xe000ede4));
    hex(R(0xe000ede8));
    hex(sp[6] & 0xffffff00 ? sp[6] >> 20 : sp[6]);
    puts_("\n");
    R(0xe000ede4) = ~0u;
    R(0xe000ed28) = ~0u;
    sp[6] +=
        (*(unsigned short *)((sp[6] & ~0x10000000) | ((lr & 0x40) ? 0x10000000 : 0)) >> 11) >= 0x1d
            ? 4
            : 2;
}
void pend(void)
{
    u32 l;
    __asm volatile("mov %0, lr" : "=r"(l));
    puts_("S pendsv ");
    hex(l);
    puts_("\n");
}
__attribute__((section(".vec"))) void *const vec[16] = {(void *)0x38001000,
                                                        reset,
                                                        fault,
                                                        fault,
                                                        fault,
                                                        fault,
                                                        fault,
                                                        fault,
                                                        0,
                                                        0,
                                                        0,
                                                        fault,
                                                        fault,
                                                        0,
                                                        pend,
                                                        fault};
/* ---- non-secure ---- */
NS void ns_svc(void)
{
    u32 l;
    __asm volatile("mov %0, lr" : "=r"(l));
    v_print(l);
}
NS void ns_pend(void)
{
    u32 l;
    __asm volatile("mov %0, lr" : "=r"(l));
    v_print(l);
}
NS void ns_hard(void)
{
    v_print(0xbad);
    for (;;)
        ;
}
NS u32 ns_main(u32 a);
__attribute__((section(".nsvec"), used)) void *const nsvec[16] = {(void *)0x28010000,
                                                                  (void *)ns_main,
                                                                  ns_hard,
                                                                  ns_hard,
                                                                  ns_hard,
                                                                  ns_hard,
                                                                  ns_hard,
                                                                  ns_hard,
                                                                  0,
                                                                  0,
                                                                  0,
                                                                  ns_svc,
                                                                  ns_hard,
                                                                  0,
                                                                  ns_pend,
                                                                  ns_hard};
NS u32 ns_main(u32 a)
{
    v_print(a);
    u32 r = v_print(0x100);
    v_print(r);
    __asm volatile("svc 1" ::: "r0", "r1", "r2", "r3", "r12");
    R(0xe000ed04) = 1u << 28;
    __asm volatile("dsb\n isb");
    u32 x;
    __asm volatile("mrs %0, control" : "=r"(x));
    v_print(x);
    __asm volatile("tt %0, %1" : "=r"(x) : "r"(0x00200000));
    v_print(x);
    R(0x10000000); /* secure memory */
    v_print(0x200);
    R(0x50200000); /* secure peripheral */
    v_print(R(0x40200004)); /* secure port by its NS address: 0 */
    v_print(R(0xe000ed24));
    v_print(R(0xe002ed24));
    __asm volatile("bkpt 0");
    v_print(0x300);
    return 0x77;
}
void reset(void)
{
    extern u32 _nsl[], _nse[], _nsv[];
    R(0x50200010) = 16;
    R(0x50200008) = 1;
    puts_("secure\n");
    hex(R(0xe000ed00));
    hex(R(0xe000edd4));
    hex(R(0xe000ed90));
    hex(R(0xe002ed90));
    hex(R(0x58007010));
    hex(R(0x58007014));
    hex(R(0x50083010));
    hex(R(0x50083014));
    hex(R(0x58008010));
    hex(R(0x58008014));
    hex(R(0xe000ed0c));
    hex(R(0xe002ed0c));
    hex(R(0xe000ed14));
    hex(R(0xe002ed14));
    hex(R(0xe000ed88));
    hex(R(0xe000ed8c));
    hex(R(0xe000ef34));
    hex(R(0xe002ef34));
    puts_("\n");
    for (u32 i = 0; i < 16; i++) {
        hex(R(0xe000ed40 + 4 * i));
    }
    puts_("\n");
    for (u32 *d = _nsv, *s = _nsl; s < _nse;)
        *(u32 *)((u32)(d++) | 0x10000000) = *s++;
    for (u32 i = 0; i <= R(0x58007010); i++) {
        R(0x58007018) = i;
        R(0x5800701c) = i > R(0x58007010) / 2 ? ~0u : 0;
    }
    for (u32 i = 0; i <= R(0x58008010); i++) {
        R(0x58008018) = i;
        R(0x5800801c) = ~0u;
    }
    /* secure stack is in SSRAM2's first half as seen at 38000000: keep the first 128 KiB secure */
    R(0x58008018) = 0;
    R(0x5800801c) = 0;
    R(0x50080014) = 1;
    R(0xe000edd8) = 0;
    R(0xe000eddc) = 0x00200000;
    R(0xe000ede0) = 0x003fffe0 | 1;
    R(0xe000edd8) = 1;
    R(0xe000eddc) = 0x28000000;
    R(0xe000ede0) = 0x281fffe0 | 1;
    R(0xe000edd8) = 2;
    R(0xe000eddc) = 0x10003000;
    R(0xe000ede0) = 0x10003fe0 | 3;
    R(0xe000edd8) = 3;
    R(0xe000eddc) = 0x40000000;
    R(0xe000ede0) = 0x4fffffe0 | 1;
    R(0xe000edd0) = 1;
    __asm volatile("dsb\n isb");
    R(0xe000ed24) |= 0xf << 16;
    R(0xe002ed08) = 0x00200000;
    u32 x;
    static const u32 at[] = {0,          0x10000000, 0x10003000, 0x00200000, 0x28000000,
                             0x38000000, 0x40200000, 0x50200000, 0xe000ed00, 0x90000000};
    for (u32 i = 0; i < 10; i++) {
        __asm volatile("tt %0, %1" : "=r"(x) : "r"(at[i]));
        hex(x);
        __asm volatile("tta %0, %1" : "=r"(x) : "r"(at[i]));
        hex(x);
        __asm volatile("ttat %0, %1" : "=r"(x) : "r"(at[i]));
        hex(x);
    }
    puts_("\n");
    R(0xe000ed04) = 1u << 28;
    __asm volatile("dsb\n isb");
    __asm volatile("msr msp_ns, %0" ::"r"(0x281f0000));
    register u32 r0 __asm("r0") = 0x55;
    register u32 r1 __asm("r1") = (u32)ns_main & ~1u;
    __asm volatile("push {r4-r11}\n blxns r1\n pop {r4-r11}"
                   : "+r"(r0)
                   : "r"(r1)
                   : "r2", "r3", "r12", "lr", "memory");
    puts_("back ");
    hex(r0);
    __asm volatile("mrs %0, control" : "=r"(x));
    hex(x);
    puts_("\n");
    *(volatile u32 *)0x58007ffc;
    R(0x68000000);
    puts_("end\n");
    for (;;)
        ;
}
