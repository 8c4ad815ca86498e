// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * State of an M-profile CPU: within a system call with priorities, masks, pending interrupts, MPU
 * regions, FP registers with a lazy frame and SysTick counting; writes "ready", waits for a byte,
 * then writes what it finds, leaves the exception and lets the pending ones come.
 */
// image: m-m3 mps2-an385 plain.ld -mcpu=cortex-m3
// image: m-m4 mps2-an386 plain.ld -mcpu=cortex-m4 -DFP -mfpu=fpv4-sp-d16 -mfloat-abi=softfp
// image: m-m33 mps2-an505 secure.ld -mcpu=cortex-m33 -DFP -DV8 -DUART=0x50200000 -mfpu=fpv5-sp-d16 -mfloat-abi=softfp
#include "print.h"

#ifdef V8
#define STACK 0x38010000
#define OTHER_STACK 0x38008000
#define RBAR(i) ((i) << 20 | (i) % 3 << 1)
#define RLAR(i) ((i) << 20 | 0x1fe0 | ((i) & 1))
#else
#define STACK 0x20010000
#define OTHER_STACK 0x20008000
#define RBAR(i) ((i) << 20)
#define RLAR(i) (0x0300001e | ((i) & 1))
#endif

void reset(void);

static u32 order, orders;

__attribute__((used)) static void irq_c(void)
{
    u32 n;

    __asm volatile("mrs %0, ipsr" : "=r"(n));
    order = order << 8 | n;
    orders++;
}

static void show_words(u32 from, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        hex(R(from + 4 * i));
    }
    putc_('\n');
}

#ifdef FP
static void fp_set(void)
{
    R(0xe000ed88) = 0xf << 20;
    __asm volatile("isb\n vmov s12, %0\n vmov s19, %1\n vmov s0, %1\n vadd.f32 s13, s12, s0" ::"r"(
                       0x3f8ccccd),
                   "r"(0x40490fdb));
}

static void fp_show(void)
{
    u32 s[8];

    __asm volatile("vstmia %0, {s12-s19}" ::"r"(s) : "memory");
    show_words((u32)s, 8);
}
#else
static void fp_set(void)
{
}

static void fp_show(void)
{
}
#endif

#define SPECIAL(name)                                                                              \
    do {                                                                                           \
        u32 v_;                                                                                    \
        __asm volatile("mrs %0, " name : "=r"(v_));                                                \
        hex(v_);                                                                                   \
    } while (0)

__attribute__((used)) static void svc_c(void)
{
    __asm volatile("msr basepri, %0" ::"r"(0x60));
    R(0xe000ed04) = 1u << 28;                           /* PendSV */
    R(0xe000e200) = 0x00030000;                         /* two interrupts */
    puts_("ready\n");
    while (!(R(UART + 4) & 2)) {
    }
    (void)R(UART);
    show_words(0xe000e100, 2);
    show_words(0xe000e200, 2);
    show_words(0xe000e300, 2);
    show_words(0xe000e400, 8);
    show_words(0xe000ed00, 2);
    show_words(0xe000ed08, 4);
    show_words(0xe000ed18, 8);
    show_words(0xe000ed88, 1);
    show_words(0xe000e010, 2);
    for (u32 i = 0; i < 8; i++) {
        R(0xe000ed98) = i;
        show_words(0xe000ed9c, 2);
    }
    show_words(0xe000ef34, 3);
    SPECIAL("primask");
    SPECIAL("basepri");
    SPECIAL("faultmask");
    SPECIAL("control");
    SPECIAL("psp");
    SPECIAL("xpsr");
    putc_('\n');
    fp_show();
    __asm volatile("msr basepri, %0" ::"r"(0));
}

__attribute__((naked)) void handler(void)
{
    __asm volatile("push {r4, lr}\n bl irq_c\n pop {r4, pc}");
}

__attribute__((naked)) void svc(void)
{
    __asm volatile("push {r4, lr}\n bl svc_c\n pop {r4, pc}");
}

__attribute__((section(".vec"), used)) static void *const vectors[64] = {
    (void *)STACK, reset, handler, handler, handler, handler, handler, handler, 0, 0, 0, svc, handler,
    0, handler, handler, [16 ... 63] = handler,
};

void reset(void)
{
    R(UART + 16) = 16;
    R(UART + 8) = 3;
    R(0xe000ed08) = (u32)vectors;
    for (u32 i = 0; i < 8; i++) {
        R(0xe000ed98) = i;
        R(0xe000ed9c) = RBAR(i);
        R(0xe000eda0) = RLAR(i);
    }
    for (u32 i = 0; i < 8; i++) {
        R(0xe000e400 + 4 * i) = 0x20406080 * (i + 1);
    }
    R(0xe000ed0c) = 0x05fa0300;                         /* groups */
    R(0xe000ed1c) = 0xa0u << 24;
    R(0xe000ed20) = 0xc0e00000;
    R(0xe000e100) = 0x00ff0000;
    R(0xe000e014) = 0x00ffffff;
    R(0xe000e018) = 0;
    __asm volatile("msr psp, %0\n msr control, %1\n isb" ::"r"(OTHER_STACK), "r"(2));
    fp_set();
    __asm volatile("svc #0");
    hex(order);
    hex(orders);
    puts_("\nend\n");
    for (;;) {
    }
}
