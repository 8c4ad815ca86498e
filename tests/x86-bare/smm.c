// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System management mode by SMIs that the local APIC sends to its own processor: what the handler
 * starts with, what RSM brings back, a changed register, a moved SMRAM. SDM 3C chapter 31.
 */
#include "bare.h"

static volatile uint32_t *const apic = (volatile uint32_t *)0xfee00000;
/* What the handler writes: CR0, CS, flags, CR4, memory above 1 MiB, runs, revision, DR7, SS. */
static volatile uint32_t *const log = (volatile uint32_t *)0x39000;
static volatile uint32_t *const high = (volatile uint32_t *)0x400000;
enum {
    LOG_CR0,
    LOG_CS,
    LOG_FLAGS,
    LOG_CR4,
    LOG_HIGH,
    LOG_RUNS,
    LOG_REVISION,
    LOG_DR7,
    LOG_SS
};
enum {
    ICR_LOW = 0x300 / 4,
    ICR_SMI_SELF = 0x40200
};

/* Position does not matter; it lies at SMBASE + 8000h. Saved EAX and SMBASE: of the 64-bit map. */
extern const uint8_t handler[], handler_end[];
__asm__(".code16\n"
        "handler:\n"
        "addr32 movl %eax, 0x39040\n"
        "movl %cr0, %eax\n  addr32 movl %eax, 0x39000\n"
        "xorl %eax, %eax\n  movw %cs, %ax\n  addr32 movl %eax, 0x39004\n"
        "movl $0x39f00, %esp\n  pushfl\n  popl %eax\n  addr32 movl %eax, 0x39008\n"
        "movl %cr4, %eax\n  addr32 movl %eax, 0x3900c\n"
        "addr32 movl 0x400000, %eax\n  addr32 movl %eax, 0x39010\n"
        "addr32 incl 0x39014\n"
        "movl %dr7, %eax\n  addr32 movl %eax, 0x3901c\n"
        "xorl %eax, %eax\n  movw %ss, %ax\n  addr32 movl %eax, 0x39020\n"
        "movl %cs:0xfefc, %eax\n  addr32 movl %eax, 0x39018\n"
        "addr32 movl 0x39044, %eax\n" /* what to do */
        "cmpl $1, %eax\n  jne 1f\n"
        "movl $0x12345678, %cs:0xfff8\n" /* RAX */
        "movl $0x50000, %cs:0xff00\n" /* SMBASE */
        "1: cmpl $2, %eax\n  jne 1f\n"
        "movl $0xfee00300, %ebx\n  movl $0x40400, %eax\n  addr32 movl %eax, (%ebx)\n" /* an NMI */
        "addr32 movl 0x39048, %eax\n  addr32 movl %eax, 0x3904c\n"
        "1: rsm\n"
        "handler_end:\n"
        ".code32\n");

static volatile unsigned nmis;

static bool on_nmi(Frame *f)
{
    if (f->vector != 2) {
        return false;
    }
    nmis++;
    ((volatile uint32_t *)0x39048)[0] = nmis;
    return true;
}

static void place(uint32_t base)
{
    volatile uint8_t *to = (volatile uint8_t *)base + 0x8000;

    for (unsigned k = 0; k < (unsigned)(handler_end - handler); k++) {
        to[k] = handler[k];
    }
}

/* The SMI comes a few instructions behind the store. */
static uint32_t smi(uint32_t eax, uint32_t what)
{
    uint32_t edx = 0xd, esi = 0x51, runs = log[LOG_RUNS];

    log[0x44 / 4] = what;
    __asm__ volatile("movl %3, (%4)\n1: cmpl %5, 0x39014\n je 1b"
                     : "+a"(eax), "+d"(edx), "+S"(esi)
                     : "r"(ICR_SMI_SELF), "r"(&apic[ICR_LOW]), "r"(runs)
                     : "memory", "cc");
    ok(edx == 0xd && esi == 0x51, "registers come back");
    return eax;
}

void tests(void)
{
    uint32_t cr0;

    place(0x30000);
    place(0x50000);
    apic[0xf0 / 4] |= 0x100;
    high[0] = 0xcafe0001;
    log[LOG_RUNS] = 0;
    ok(smi(0x1111, 0) == 0x1111, "EAX too");
    ok(log[LOG_RUNS] == 1, "the handler ran once");
    __asm__ volatile("movl %%cr0, %0" : "=r"(cr0));
    ok(cr0 & 1, "protection is on again");
    ok((log[LOG_CR0] & 0x8000000d) == 0, "it starts with PE, EM, TS and PG clear");
    ok(log[LOG_CS] == 0x3000 && log[LOG_SS] == 0, "CS is SMBASE's, SS is 0");
    ok((log[LOG_FLAGS] & ~0x8d5u) == 2, "flags are clear");
    ok(log[LOG_CR4] == 0 && log[LOG_DR7] == 0x400, "CR4 and DR7 too");
    ok(log[LOG_HIGH] == 0xcafe0001, "segments reach 4 GiB");
    ok((log[LOG_REVISION] & 0x20000) != 0, "SMBASE can be moved");
    if ((log[LOG_REVISION] & 0xff) == 0x64) {
        ok(smi(0x2222, 1) == 0x12345678, "RSM loads what the handler has changed");
        ok(smi(0x3333, 0) == 0x3333 && log[LOG_CS] == 0x5000, "and the next SMI is elsewhere");
    }
    on_trap = on_nmi;
    ((volatile uint32_t *)0x39048)[0] = 0;
    ((volatile uint32_t *)0x3904c)[0] = 99;
    smi(0, 2);
    ok(((volatile uint32_t *)0x3904c)[0] == 0 && nmis == 1, "an NMI waits for RSM");
    on_trap = 0;
    EXPECT("RSM elsewhere", 6, 0, __asm__ volatile("rsm"));
}
