// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machine checks and NMIs that the monitor injects; the image speaks to it through a serial port.
 * SDM 3B 15.3,
 * 3A 6.7, 10.5.1.
 */
// run: -chardev socket,id=m,path=%T/mon,server=on,wait=off -mon chardev=m -chardev socket,id=s,path=%T/mon -device isa-serial,chardev=s
#include "bare.h"

enum { MCG_CAP = 0x179, MCG_STATUS, MCG_CTL, MC0_CTL = 0x400, MC0_STATUS, MC0_ADDR, MC0_MISC };
static volatile uint32_t *const apic = (volatile uint32_t *)0xfee00000;

static uint64_t rdmsr(uint32_t index)
{
    uint64_t v;

    __asm__ volatile("rdmsr" : "=A"(v) : "c"(index));
    return v;
}

static void wrmsr(uint32_t index, uint64_t v)
{
    __asm__ volatile("wrmsr" ::"c"(index), "A"(v));
}

static uint8_t in8(uint16_t port)
{
    uint8_t v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "d"(port));
    return v;
}

static void out8(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" ::"a"(v), "d"(port));
}

static void tell(const char *line)
{
    for (; *line; line++) {
        while (!(in8(0x3fd) & 0x20)) {
        }
        out8(0x3f8, *line);
    }
}

/* What the monitor did is seen when it has: bounded by the runner. */
static void wait_for(uint32_t msr, uint64_t value)
{
    while (rdmsr(msr) != value) {
        __asm__ volatile("pause");
    }
}

static void forever(void)
{
    for (;;) {
        __asm__ volatile("pause");
    }
}

static void set_mce(bool on)
{
    uint32_t cr4;

    __asm__ volatile("movl %%cr4, %0" : "=r"(cr4));
    cr4 = on ? cr4 | 0x40 : cr4 & ~0x40u;
    __asm__ volatile("movl %0, %%cr4" ::"r"(cr4));
}

static void banks(void)
{
    ok((rdmsr(MCG_CAP) & 0x1ff) == 0x10a, "ten banks and MCG_CTL");
    EXPECT("a status register is not set by software", 13, 0, wrmsr(MC0_STATUS, 1));
    wrmsr(MCG_CTL, ~0ull);
    for (unsigned k = 0; k < 10; k++) {
        wrmsr(MC0_CTL + 4 * k, ~0ull);
        wrmsr(MC0_STATUS + 4 * k, 0);
    }
    tell("mce 0 3 0x9400000000000001 0 0x1230 0\n");
    wait_for(MC0_STATUS + 12, 0x9400000000000001);
    ok(rdmsr(MC0_ADDR + 12) == 0x1230 && rdmsr(MCG_STATUS) == 0,
       "a corrected error is logged only");
    tell("mce 0 3 0x9400000000000002 0 0x1240 0\n");
    wait_for(MC0_STATUS + 12, 0xd400000000000002);
    ok(rdmsr(MC0_ADDR + 12) == 0x1240, "and written over by the next");
    wrmsr(MC0_STATUS + 12, 0);
    ok(rdmsr(MC0_STATUS + 12) == 0, "until it is cleared");
}

static void uncorrected(void)
{
    set_mce(true);
    EXPECT("an uncorrected one is #MC, with interrupts off", 18, 0,
           tell("mce 0 4 0xbe00000000000003 5 0x5678000 0x8c\n");
           forever());
    ok(rdmsr(MCG_STATUS) == 5, "in progress, and the saved address is valid");
    ok(rdmsr(MC0_STATUS + 16) == 0xbe00000000000003 && rdmsr(MC0_ADDR + 16) == 0x5678000 &&
           rdmsr(MC0_MISC + 16) == 0x8c,
       "what the bank says");
    tell("mce 0 4 0x9400000000000007 0 0x10 0\n");
    wait_for(MC0_STATUS + 16, 0xfe00000000000003);
    ok(rdmsr(MC0_ADDR + 16) == 0x5678000, "a corrected error does not write over it");
    wrmsr(MCG_STATUS, 0);
    wrmsr(MC0_STATUS + 16, 0);
    wrmsr(MC0_CTL + 8, 0);
    tell("mce 0 2 0xbe00000000000001 5 0 0\n");
    EXPECT(
        "HLT ends by #MC", 18, 0, tell("mce 0 5 0xbe00000000000002 4 0 0\n");
        for (;;) { __asm__ volatile("hlt"); });
    ok(rdmsr(MC0_STATUS + 8) == 0 && rdmsr(MC0_STATUS + 20) == 0xbe00000000000002,
       "a bank that is off reports nothing");
    wrmsr(MCG_STATUS, 0);
    set_mce(false);
}

static void nmi(void)
{
    apic[0xf0 / 4] = 0x1ff;
    apic[0x360 / 4] = 0x10400;
    tell("nmi\n");
    tell("mce 0 6 0x9400000000000001 0 0 0\n");
    TRY(wait_for(MC0_STATUS + 24, 0x9400000000000001));
    ok(caught == -1, "LINT1 masked: no NMI");
    apic[0x360 / 4] = 0x400;
    EXPECT("LINT1 as NMI", 2, 0, tell("nmi\n"); forever());
    tell("nmi\n");
    tell("mce 0 7 0x9400000000000001 0 0 0\n");
    TRY(wait_for(MC0_STATUS + 28, 0x9400000000000001));
    ok(caught == -1, "held back until IRET");
    EXPECT("IRET lets it in", 2, 0,
           __asm__ volatile("pushfl; pushl %%cs; pushl $1f; iretl; 1: pause; jmp 1b" ::: "memory"));
}

void tests(void)
{
    banks();
    uncorrected();
    nmi();
}
