// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An image for both CPUs of SSE-200: identification, system control that starts the second CPU,
 * messages both ways, what each CPU has for itself, events, exclusive accesses from both.
 */
// image: twocore mps2-an521 twocore.ld -mcpu=cortex-m33+nofp -mfloat-abi=soft -DUART=0x50200000
// image: twocore-an524 mps3-an524 twocore.ld -mcpu=cortex-m33+nofp -mfloat-abi=soft -DUART=0x51303000
#include "print.h"

#define SYSCTL 0x50021000
#define MHU0 0x50003000
#define MHU1 0x50004000
#define SHARED ((volatile u32 *)0x30010000)

void reset(void);
void second(void);

__attribute__((used)) void fault(void)
{
    u32 n;

    __asm volatile("mrs %0, ipsr" : "=r"(n));
    puts_("fault ");
    hex(n);
    hex(R(0xe000ed28));
    puts_("\nend\n");
    for (;;) {
    }
}

/* Both CPUs have this as handler of their line 6. */
__attribute__((used)) void message(void)
{
    u32 cpu = R(0x5001f000), pending = R(MHU0 + 0x10 * cpu), n;

    __asm volatile("mrs %0, ipsr" : "=r"(n));
    SHARED[2 + cpu] = pending | n << 16;
    R(MHU0 + 0x10 * cpu + 8) = pending;
    R(MHU0 + 0x10 * cpu);
}

#define FAULTS fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault
__attribute__((section(".vec"), used)) void *const vec[32] = {(void *)0x30008000,
                                                              reset,
                                                              fault,
                                                              fault,
                                                              FAULTS,
                                                              fault,
                                                              fault,
                                                              fault,
                                                              fault,
                                                              fault,
                                                              fault,
                                                              message};
__attribute__((section(".vec2"), used)) void *const vec2[32] = {(void *)0x30010000,
                                                                second,
                                                                fault,
                                                                fault,
                                                                FAULTS,
                                                                fault,
                                                                fault,
                                                                fault,
                                                                fault,
                                                                fault,
                                                                fault,
                                                                message};

static void wait_for(volatile u32 *p, u32 v)
{
    while (*p != v) {
    }
}

static void add(volatile u32 *p)
{
    u32 v, failed;

    do {
        __asm volatile("ldrex %0, [%2]\n add %0, #1\n strex %1, %0, [%2]"
                       : "=&r"(v), "=&r"(failed)
                       : "r"(p)
                       : "memory");
    } while (failed);
}

void second(void)
{
    SHARED[5] = R(0x5001f000);
    SHARED[6] = R(0xe000ed88);
    SHARED[7] = R(0xe000ef40);
    SHARED[8] = R(0xe000ed64);
    R(0xe000e100) = 1u << 6;
    SHARED[0] = 1;
    wait_for(&SHARED[3], 0x160005 | 0);
    R(MHU0 + 4) = 0x80000001;
    for (u32 i = 0; i < 20000; i++) {
        add(&SHARED[16]);
    }
    SHARED[0] = 2;
    while (SHARED[1] != 1) {
        __asm volatile("wfe");
    }
    SHARED[0] = 3;
    R(UART) = '!';
    SHARED[0] = 4;
    for (;;) {
        __asm volatile("wfi");
    }
}

static void show(const char *name, u32 base, const unsigned short *at, u32 n)
{
    puts_(name);
    for (u32 i = 0; i < n; i++) {
        hex(R(base + at[i]));
    }
    puts_("\n");
}

void reset(void)
{
    static const unsigned short control[] = {0,     4,     0xc,   0x10,  0x14,  0x18,  0x100, 0x104,
                                             0x10c, 0x110, 0x114, 0x118, 0x11c, 0x120, 0x124, 0x200,
                                             0x20c, 0x210, 0x214, 0xfd0, 0xfe0, 0xfe8};
    static const unsigned short ids[] = {0, 4, 0xfd0, 0xfe0, 0xfe4, 0xfe8, 0xff0, 0xff4, 0xff8};
    static const unsigned short power[] = {0, 4, 0xfe0};
    static const unsigned short mpc[] = {0, 0x10, 0x14, 0x28};

    R(UART + 0x10) = 16;
    R(UART + 8) = 1;
    for (u32 i = 0; i < 32; i++) {
        SHARED[i] = 0;
    }
    show("control ", SYSCTL, control, 22);
    show("info ", 0x50020000, ids, 9);
    show("cpu ", 0x5001f000, ids, 9);
    show("mhu ", MHU0, ids, 9);
    show("cpu, by its Non-secure address ", 0x4001f000, ids, 9);
    show("ppu ", 0x50022000, power, 3);
    show("ppu ", 0x50025000, power, 3);
    show("cache ", 0x50010000, power, 3);
    show("sec ", 0x50011000, power, 3);
    for (u32 i = 0; i < 4; i++) {
        show("mpc ", 0x50083000 + i * 0x1000, mpc, 4);
    }
    show("secctl ", 0x50080000, control, 4);
    /* registers of system control keep what */
    static const unsigned short keep[] = {0xc, 0x10, 0x14, 0x18, 0x10c, 0x11c, 0x124, 0x20c};
    for (u32 i = 0; i < 8; i++) {
        u32 old = R(SYSCTL + keep[i]);
        R(SYSCTL + keep[i]) = 0xffffffff;
        hex(R(SYSCTL + keep[i]));
        R(SYSCTL + keep[i]) = old;
    }
    R(SYSCTL + 4) = 0xffffffff;
    hex(R(SYSCTL + 4));
    R(SYSCTL + 8) = 0xffffffff;
    hex(R(SYSCTL + 4));
    puts_("\n");
    R(MHU1 + 4) = 0xffffffff;
    R(MHU1 + 0x14) = 0xf0f0f0f0;
    hex(R(MHU1));
    hex(R(MHU1 + 0x10));
    hex(R(0xe000e200) >> 6 & 3);
    R(MHU1 + 8) = 0xff;
    hex(R(MHU1));
    R(MHU1 + 8) = 0xffffffff;
    R(MHU1 + 0x18) = 0xffffffff;
    hex(R(MHU1));
    R(0xe000e280) = 1u << 7;
    puts_("\n");
    hex(SHARED[0]);
    R(SYSCTL + 0x114) = (u32)vec2;
    R(SYSCTL + 0x118) = 0;
    wait_for(&SHARED[0], 1);
    for (u32 i = 5; i < 9; i++) {
        hex(SHARED[i]);
    }
    hex(R(0xe000ed88));
    hex(R(0xe000ef40));
    hex(R(0xe000ed64));
    hex(R(0xe000ed68));
    hex(R(0xe000ed6c));
    hex(R(SYSCTL + 0x118));
    puts_("started\n");
    R(0xe000e100) = 1u << 6;
    R(MHU0 + 0x14) = 5;
    for (u32 i = 0; i < 20000; i++) {
        add(&SHARED[16]);
    }
    wait_for(&SHARED[0], 2);
    hex(SHARED[2]);
    hex(SHARED[3]);
    hex(SHARED[16]);
    puts_("messages\n");
    SHARED[1] = 1;
    __asm volatile("dsb\n sev");
    wait_for(&SHARED[0], 4);
    puts_("\n");
    /* a CPU that runs does not wait */
    R(SYSCTL + 0x118) = 2;
    hex(R(SYSCTL + 0x118));
    puts_("end\n");
    for (;;) {
    }
}
