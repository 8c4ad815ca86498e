// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An image of M profile: FP state and lazy stacking, both stacks, privilege, priorities with groups
 * and masks, tail-chaining, escalation, MPU regions smaller than a page, alignment, invalid state.
 */
// image: state-m3 mps2-an385 plain.ld -mcpu=cortex-m3
// image: state-m4 mps2-an386 plain.ld -mcpu=cortex-m4 -DFP -mfpu=fpv4-sp-d16 -mfloat-abi=softfp
// image: state-m7 mps2-an500 plain.ld -mcpu=cortex-m7 -DFP -mfpu=fpv5-d16 -mfloat-abi=softfp
// image: state-m33 mps2-an505 secure.ld -mcpu=cortex-m33 -DFP -DV8 -DUART=0x50200000 -mfpu=fpv5-sp-d16 -mfloat-abi=softfp
#include "print.h"

void reset(void);
#ifdef V8
#define STACK 0x38010000
#define RAM 0x38000000
#else
#define STACK 0x20010000
#define RAM 0x20000000
#endif
volatile u32 mode;
static u32 lr_(void);
__attribute__((naked)) void fault(void)
{
    __asm volatile("tst lr,#4\n ite eq\n mrseq r0, msp\n mrsne r0, psp\n mov r1, lr\n push "
                   "{r4,lr}\n bl fault_c\n pop {r4,pc}");
}
__attribute__((used)) void fault_c(u32 *sp, u32 lr)
{
    u32 n;
    __asm volatile("mrs %0, ipsr" : "=r"(n));
    puts_("fault ");
    hex(n);
    hex(lr);
    u32 f = R(0xe000ed28);
    hex(f);
    hex(R(0xe000ed2c));
    if (f & 0x80)
        hex(R(0xe000ed34));
    if (f & 0x8000)
        hex(R(0xe000ed38));
    hex(R(0xe000ed24));
    puts_("\n");
    R(0xe000ed28) = ~0u;
    R(0xe000ed2c) = ~0u;
    if (f & 1) {
        sp[7] |= 1 << 24;
        sp[6] = sp[5] & ~1;
    } else if (f & (1 << 17)) {
        sp[7] |= 1 << 24;
        sp[6] = sp[5] & ~1;
    } else if (!(f & ((1 << 18) | (1 << 3) | (1 << 4))))
        sp[6] += (*(unsigned short *)sp[6] >> 11) >= 0x1d ? 4 : 2;
}
#define LR                                      \
    ({                                          \
        u32 l;                                  \
        __asm volatile("mov %0, lr" : "=r"(l)); \
        l;                                      \
    })
__attribute__((naked)) void svc(void)
{
    __asm volatile("mov r0, lr\n push {r4,lr}\n bl svc_c\n pop {r4,pc}");
}
#ifdef FP
static void svc_fp(void)
{
    if (mode == 1) {
        __asm volatile("vmov s0, %0\n vmov s15,%0\n vmov s16, %0" ::"r"(0x99));
        hex(R(0xe000ef34));
        u32 fp = R(0xe000ef38);
        hex(R(fp));
        hex(R(fp + 60));
    }
}
#else
static void svc_fp(void)
{
}
#endif

__attribute__((used)) void svc_c(u32 lr)
{
    puts_("svc ");
    hex(lr);
    hex(R(0xe000ef34));
    hex(R(0xe000ef38) & 0xff);

    svc_fp();
    u32 c;
    __asm volatile("mrs %0, control" : "=r"(c));
    hex(c);
    puts_("\n");
    if (mode == 2) {
        R(0xe000ed04) = 1u << 28;
        __asm volatile("dsb\nisb");
        R(0xe000e200) = 3 << 20;
        __asm volatile("dsb\nisb");
        puts_("svc end\n");
    }
    if (mode == 3) {
        __asm volatile("msr control, %0\n isb" ::"r"(0));
    }
}
void pend(void)
{
    puts_("pendsv ");
    hex(R(0xe000ed04) & 0xfff1ff);
    puts_("\n");
}
void irq20(void)
{
    puts_("irq20 ");
    hex(R(0xe000ed04) & 0xfff1ff);
    hex(R(0xe000e300));
    if (mode == 2) {
        mode = 4;
        R(0xe000e200) = 1 << 21;
        __asm volatile("dsb\nisb");
        puts_("irq20 end\n");
    } else
        puts_("\n");
}
void irq21(void)
{
    puts_("irq21 ");
    hex(R(0xe000ed04) & 0xfff1ff);
    hex(R(0xe000e300));
    puts_("\n");
}
__attribute__((section(".vec"))) void *const vec[16 + 32] = {
    (void *)STACK, reset, fault, fault, fault, fault,        fault,       fault, 0, 0, 0,
    svc,           fault, 0,     pend,  fault, [36] = irq20, [37] = irq21};
u32 regs_(void);
#ifdef FP
__attribute__((noinline)) static void fpshow(void)
{
    u32 a, b, c, d;
    __asm volatile("vmov %0, s0\n vmov %1, s15\n vmov %2, s16\n vmrs %3, fpscr"
                   : "=r"(a), "=r"(b), "=r"(c), "=r"(d));
    hex(a);
    hex(b);
    hex(c);
    hex(d);
    __asm volatile("mrs %0, control" : "=r"(a));
    hex(a);
    puts_("\n");
}

static void test_fp(void)
{
    puts_("nocp\n");
    __asm volatile("vmov s0, %0" ::"r"(1));
    R(0xe000ed88) = 0xf << 20;
    __asm volatile("dsb\nisb");
    fpshow();
    hex(R(0xe000ef34));
    hex(R(0xe000ef3c));
    puts_("\n");
    __asm volatile("vmov s0, %0\n vmov s15, %1\n vmov s16, %1" ::"r"(0x11111111), "r"(0x22222222));
    mode = 0;
    __asm volatile("svc 0" ::: "memory");
    fpshow();
    mode = 1;
    __asm volatile("svc 0" ::: "memory");
    fpshow();
    R(0xe000ef34) &= ~(1u << 30);
    mode = 0;
    __asm volatile("svc 0" ::: "memory");
    fpshow();
    R(0xe000ef34) |= (1u << 30);
    {
        float a = 1.5f, b = 2.25f, c;
        __asm volatile("vmul.f32 %0,%1,%2\n vdiv.f32 %0,%0,%2\n vsqrt.f32 %0,%0"
                       : "=&t"(c)
                       : "t"(a), "t"(b));
        u32 v;
        __asm volatile("vmov %0,%1" : "=r"(v) : "t"(c));
        hex(v);
    }
    {
        u32 v;
        __asm volatile("vmov s2, %1\n vcvt.s32.f32 s2, s2\n vmov %0, s2"
                       : "=r"(v)
                       : "r"(0xc2280000));
        hex(v);
    }
    puts_("dp\n");
    __asm volatile(".inst.w 0xee300b01"); /* vadd.f64 d0,d0,d1 */
    __asm volatile(".inst.w 0xee300b20|0x80");
    puts_("vsel ");
    __asm volatile(".inst.w 0xfe000a00");
    puts_("\n");
    __asm volatile("mrs r0, control\n bic r0,r0,#4\n msr control, r0\n isb" ::: "r0");
}
#else
static void test_fp(void)
{
}
#endif

static void test_stacks(void)
{
    /* thread on PSP, unprivileged */
    u32 sp;
    __asm volatile("mrs %0, msp" : "=r"(sp));
    __asm volatile("msr psp, %0\n mov r0,#2\n msr control, r0\n isb" ::"r"(sp - 0x400) : "r0");
    mode = 0;
    __asm volatile("svc 0" ::: "memory");
    __asm volatile("mov r0,#3\n msr control, r0\n isb" ::: "r0");
    __asm volatile("svc 0" ::: "memory");
    {
        u32 x;
        __asm volatile("mrs %0, primask" : "=r"(x));
        hex(x);
        __asm volatile("cpsid i\n mrs %0, primask" : "=r"(x));
        hex(x);
        __asm volatile("mrs %0, ipsr" : "=r"(x));
        hex(x);
        puts_("\n");
        R(0xe000ed00);
    }
    mode = 3;
    __asm volatile("svc 0" ::: "memory");
    mode = 0;
    {
        u32 x;
        __asm volatile("mrs %0, control" : "=r"(x));
        hex(x);
        puts_("\n");
        __asm volatile("mov r0,#0\n msr control, r0\n isb" ::: "r0");
    }
}

static void test_priorities(void)
{
    /* priorities */
    R(0xe000ed1c) = 0x40u << 24;
    R(0xe000ed20) = 0xc0u << 16;
    R(0xe000e414) = 0x2080;
    R(0xe000e100) = 3 << 20;
    mode = 2;
    __asm volatile("svc 0" ::: "memory");
    puts_("basepri\n");
    __asm volatile("msr basepri, %0" ::"r"(0x80));
    R(0xe000e200) = 1 << 20;
    R(0xe000ed04) = 1u << 28;
    __asm volatile("dsb\nisb");
    puts_("masked ");
    hex(R(0xe000ed04) & 0xfff1ff);
    hex(R(0xe000e200));
    puts_("\n");
    __asm volatile("msr basepri, %0\n isb" ::"r"(0));
    {
        u32 x;
        __asm volatile("msr basepri, %1\n msr basepri_max, %2\n mrs %0, basepri"
                       : "=r"(x)
                       : "r"(0x40), "r"(0x60));
        hex(x);
        __asm volatile("msr basepri_max, %1\n mrs %0, basepri" : "=r"(x) : "r"(0x20));
        hex(x);
        __asm volatile("msr basepri, %0" ::"r"(0));
        puts_("\n");
    }
    __asm volatile("cpsid i");
    R(0xe000e200) = 1 << 21;
    __asm volatile("dsb\nisb\n wfi");
    puts_("woken\n");
    __asm volatile("cpsie i\n isb");
    __asm volatile("cpsid i");
    __asm volatile("svc 0"); /* escalates */
    __asm volatile("cpsie i");
    R(0xe000ed0c) = 0x05fa0700;
    R(0xe000e414) = 0x0030;
    R(0xe000e200) = 3 << 20;
    __asm volatile("dsb\nisb");
    mode = 2;
    R(0xe000e200) = 1 << 20;
    __asm volatile("dsb\nisb");
    R(0xe000ed0c) = 0x05fa0000;
    mode = 0;
    puts_("stir\n");
    R(0xe000ef00) = 21;
    __asm volatile("dsb\nisb");
}

#ifdef V8
static void set_regions(void)
{
    R(0xe000ed98) = 0;
    R(0xe000ed9c) = 0x10000000 | (3 << 1);
    R(0xe000eda0) = 0x103fffe0 | 1;
    R(0xe000ed98) = 1;
    R(0xe000ed9c) = (RAM + 0x00000) | (1 << 1) | 1;
    R(0xe000eda0) = (RAM + 0x1ffe0) | 1;
    R(0xe000ed98) = 2;
    R(0xe000ed9c) = (RAM + 0x20000) | (2 << 1) | 1;
    R(0xe000eda0) = (RAM + 0x20020) | 1;
    R(0xe000ed98) = 3;
    R(0xe000ed9c) = UART | 1 | (1 << 1);
    R(0xe000eda0) = UART | 0xfe0 | 1;
}

static void test_subregions(void)
{
}
#else
static void set_regions(void)
{
    R(0xe000ed9c) = 0x00000010;
    R(0xe000eda0) = (6 << 24) | (21 << 1) | 1; /* 4M RO */
    R(0xe000ed9c) = (RAM + 0x00011);
    R(0xe000eda0) = (1u << 28) | (3 << 24) | (16 << 1) | 1; /* 128K RW XN */
    R(0xe000ed9c) = (RAM + 0x20012);
    R(0xe000eda0) = (1u << 28) | (5 << 24) | (5 << 1) | 1; /* 64 bytes RO */
    R(0xe000ed9c) = (RAM + 0x21013);
    R(0xe000eda0) = (3 << 24) | (0xa5 << 8) | (10 << 1) | 1; /* 2K with subregions */
    R(0xe000ed9c) = UART | 0x14;
    R(0xe000eda0) = (3 << 24) | (11 << 1) | 1;
}

static void test_subregions(void)
{
    for (u32 a = (RAM + 0x21000); a < (RAM + 0x21800); a += 0x100) {
        puts_("sub ");
        R(a) = 1;
    }
}
#endif

static void test_mpu(void)
{
    /* MPU */
    hex(R(0xe000ed90));
    set_regions();
    R(0xe000ed94) = 1;
    __asm volatile("dsb\nisb");
    puts_("mpu on\n");
    R((RAM + 0x20000)) = 1;
    R((RAM + 0x2003c)) = 2;
    hex(R((RAM + 0x20004)));
    puts_("ok\n");
    R((RAM + 0x20040));
    R((RAM + 0x20080)) = 2;
    test_subregions();
    puts_("\n");
    R(0x30000000);
    R(0) = 5;
    ((void (*)(void))(RAM + 0x00101))();
    puts_("unpriv\n");
    __asm volatile("mov r0,#1\n msr control, r0\n isb" ::: "r0");
    R((RAM + 0x20004));
    R(0xe000ed00);
    mode = 3;
    __asm volatile("svc 0" ::: "memory");
    mode = 0;
    R(0xe000ed94) = 5;
    __asm volatile("dsb\nisb");
    R((RAM + 0x100000));
    puts_("background\n");
    R(0xe000ed94) = 0;
    __asm volatile("dsb\nisb");
    R(0xe000ed14) |= 8;
    __asm volatile("dsb\nisb");
    R((RAM + 0x00101));
    R(0xe000ed14) &= ~8;
    __asm volatile("dsb\nisb");
    R((RAM + 0x00101));
    __asm volatile("ldrd r2,r3,[%0]" ::"r"((RAM + 0x00102)) : "r2", "r3");
    puts_("unaligned\n");
    ((void (*)(void))(RAM + 0x00100))();
    puts_("invstate\n");

    puts_("end\n");
    for (;;)
        ;
}

void reset(void)
{
    R(UART + 0x10) = 16;
    R(UART + 8) = 1;
    puts_("start\n");
    R(0xe000ed24) |= 7 << 16;
    test_fp();
    test_stacks();
    test_priorities();
    test_mpu();
}
