// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Local APIC: from one mode into another, x2APIC's registers, the TSC deadline; INIT and SIPI as an
 * application processor sees them; NMI until IRET. SDM 3A 10.4 to 10.12, 9.4, 6.7.
 */
// run: -smp 2 -cpu max,+x2apic,+tsc-deadline
#include "bare64.h"
#include "caught64.h"

enum {
    BASE_MSR = 0x1b,
    DEADLINE = 0x6e0,
    X2 = 1 << 10,
    ON = 1 << 11,
    PLACE = 0x8000
};
#define APIC(n) (*(volatile uint32_t *)(0xfee00000ull + (n)))
static volatile uint32_t nmis, nested, *const mark = (volatile uint32_t *)0x7000;
static volatile bool nmi_again;

static bool trap(Frame64 *f)
{
    if (f->vector != 2) {
        return recover(f);
    }
    nmis++;
    if (nmi_again) { /* held back until IRET, which counts it */
        nmi_again = false;
        APIC(0x300) = 0x44400;
        for (volatile unsigned n = 0; n < 1000; n++) {
        }
        nested = nmis;
    }
    return true;
}

static uint64_t try_base(uint64_t v)
{
    TRY("movl $0x1b, %%ecx; movl %k1, %%eax; xorl %%edx, %%edx; wrmsr", "r"(v));
    return caught_vector;
}

static void modes(void)
{
    uint64_t on = rdmsr(BASE_MSR);
    uint32_t id = APIC(0x20) >> 24;

    ok((on & (ON | X2 | 1 << 8)) == (ON | 1 << 8), "xAPIC at first, of the boot processor");
    EXPECT_ERROR("x2APIC's registers are not there yet", 13, 0, "movl $0x802, %%ecx; rdmsr");
    ok(try_base((on | X2) & ~(uint64_t)ON) == 13, "x2APIC without enable");
    ok(try_base(on | X2) == NONE, "xAPIC to x2APIC");
    ok(rdmsr(0x802) == id && (rdmsr(0x803) & 0xff) >= 0x10, "ID of 32 bits, version");
    ok(rdmsr(0x80d) == ((uint64_t)(id >> 4) << 16 | 1u << (id & 15)), "LDR follows from the ID");
    ok(try_base(on) == 13, "not back to xAPIC");
    EXPECT_ERROR("DFR is gone", 13, 0, "movl $0x80e, %%ecx; rdmsr");
    EXPECT_ERROR("ICR's upper half too", 13, 0, "movl $0x831, %%ecx; rdmsr");
    EXPECT_ERROR("the ID is not written", 13, 0,
                 "movl $0x802, %%ecx; xorl %%eax, %%eax; xorl %%edx, %%edx; wrmsr");
    EXPECT_ERROR("EOI takes 0 alone", 13, 0,
                 "movl $0x80b, %%ecx; movl $1, %%eax; xorl %%edx, %%edx; wrmsr");
    EXPECT_ERROR("EOI is not read", 13, 0, "movl $0x80b, %%ecx; rdmsr");
    EXPECT_ERROR("reserved bits of SVR", 13, 0,
                 "movl $0x80f, %%ecx; movl $0xffffffff, %%eax; xorl %%edx, %%edx; wrmsr");
    EXPECT_ERROR("reserved bits of TPR", 13, 0,
                 "movl $0x808, %%ecx; movl $0x100, %%eax; xorl %%edx, %%edx; wrmsr");
    wrmsr(0x808, 0x20);
    uint64_t cr8;
    __asm__ volatile("movq %%cr8, %0" : "=r"(cr8));
    ok(cr8 == 2, "TPR is CR8");
    wrmsr(0x808, 0);
    ok(try_base(on & ~(uint64_t)ON) == NONE, "x2APIC to off");
    EXPECT_ERROR("where there are no registers", 13, 0, "movl $0x802, %%ecx; rdmsr");
    ok(try_base(on | X2) == 13, "off to x2APIC is not allowed");
    ok(try_base(on) == NONE, "off to xAPIC");
    ok((APIC(0xf0) & 0x100) == 0, "which is as after reset, off by software");
    APIC(0xf0) = 0x1ff;
}

static void self(void)
{
    uint32_t before = irq_count[cpu_number()];

    APIC(0x310) = 0;
    APIC(0x300) = 0x44040;
    __asm__ volatile("sti; nop; nop; cli");
    ok(irq_count[cpu_number()] == before + 1, "an interrupt to itself");
    APIC(0x80) = 0x40;
    APIC(0x300) = 0x44040;
    __asm__ volatile("sti; nop; nop; cli");
    ok(irq_count[cpu_number()] == before + 1, "not above the task's priority");
    ok(APIC(0x220) == 0x1 || APIC(0x220) & 1, "it waits in IRR");
    APIC(0x80) = 0;
    __asm__ volatile("sti; nop; nop; cli");
    ok(irq_count[cpu_number()] == before + 2, "and comes when that falls");
    nmis = 0;
    APIC(0x300) = 0x44400;
    for (volatile unsigned n = 0; n < 1000; n++) {
    }
    ok(nmis == 1, "an NMI to itself, with interrupts off");
    nmis = 0;
    nmi_again = true;
    APIC(0x300) = 0x44400;
    for (volatile unsigned n = 0; n < 3000; n++) {
    }
    ok(nested == 1 && nmis == 2, "a second waits for IRET");
}

static uint64_t tsc(void)
{
    uint32_t a, d;

    __asm__ volatile("rdtsc" : "=a"(a), "=d"(d));
    return a | (uint64_t)d << 32;
}

static void deadline(void)
{
    uint32_t before = irq_count[cpu_number()];

    APIC(0x320) = 0x40040;
    ok(rdmsr(DEADLINE) == 0, "no deadline at first");
    APIC(0x380) = 1000;
    ok(APIC(0x390) == 0, "the count register is not used");
    wrmsr(DEADLINE, 1);
    for (unsigned n = 0; rdmsr(DEADLINE) && n < 10000000; n++) {
        pause_cpu();
    }
    __asm__ volatile("sti; nop; nop; cli");
    ok(irq_count[cpu_number()] == before + 1 && rdmsr(DEADLINE) == 0,
       "one that has passed comes at once");
    wrmsr(DEADLINE, tsc() + 0x1000000000);
    ok(rdmsr(DEADLINE) != 0, "one in the future");
    wrmsr(DEADLINE, 0);
    ok(rdmsr(DEADLINE) == 0, "is taken back");
    wrmsr(DEADLINE, tsc() + 0x1000000000);
    APIC(0x320) = 0x10040;
    APIC(0x320) = 0x50040;
    ok(rdmsr(DEADLINE) == 0, "or disarmed by another mode");
    wrmsr(DEADLINE, tsc() + 20000);
    while (rdmsr(DEADLINE)) {
        pause_cpu();
    }
    __asm__ volatile("sti; nop; nop; cli");
    ok(irq_count[cpu_number()] == before + 1, "masked: the deadline passes without an interrupt");
    APIC(0x320) = 0x10000;
    APIC(0x380) = 0;
}

/* For processors that start there: says CS, IP, EDX, CR0, then counts for ever. */
extern const char ap_code[], ap_code_end[];
__asm__(".text\n.code16\n"
        "ap_code:\n  movw %cs, %ax\n  xorw %bx, %bx\n  movw %bx, %ds\n"
        "  movw %ax, 0x7004\n  call 1f\n1: popw %bx\n  movw %bx, 0x7008\n  movl %edx, 0x700c\n"
        "  movl %cr0, %eax\n  movl %eax, 0x7010\n  pushf\n  popw %ax\n  movw %ax, 0x7014\n"
        "  incl 0x7018\n2: incl 0x7000\n  pause\n  jmp 2b\nap_code_end:\n.code64\n");

static bool counts_on(void)
{
    uint32_t v = mark[0];

    for (unsigned n = 0; n < 20000000 && mark[0] == v; n++) {
        pause_cpu();
    }
    return mark[0] != v;
}

static bool stands(void)
{
    uint32_t v;
    unsigned same = 0;

    for (unsigned n = 0; n < 2000 && same < 200; n++) {
        v = mark[0];
        for (volatile unsigned k = 0; k < 500; k++) {
        }
        same = mark[0] == v ? same + 1 : 0;
    }
    return same >= 200;
}

static void start(void)
{
    volatile uint8_t *to = (volatile uint8_t *)PLACE;
    unsigned len = (unsigned)(ap_code_end - ap_code);

    for (unsigned p = 0; p < 2; p++) {
        for (unsigned k = 0; k < len; k++) {
            to[p * 0x1000 + k] = (uint8_t)ap_code[k];
        }
    }
    for (unsigned k = 0; k < 16; k++) {
        mark[k] = 0;
    }
    send_ipi(1, 0x4608);
    ok(stands() && mark[6] == 0, "SIPI does nothing to a processor that runs");
    send_ipi(1, 0x4500);
    ok(stands(), "INIT: it waits");
    send_ipi(1, 0x4040);
    ok(stands(), "for nothing but a SIPI");
    send_ipi(1, 0x4608);
    ok(counts_on(), "SIPI");
    ok((mark[1] & 0xffff) == PLACE >> 4 && (mark[2] & 0xffff) < 0x40, "CS and IP are its vector's");
    ok((mark[4] & 0x80000001) == 0 && (mark[4] & 0x10) && !(mark[5] & 0x200),
       "real mode, interrupts off");
    ok(mark[3] != 0, "EDX is the version");
    send_ipi(1, 0x4609);
    ok(counts_on() && mark[6] == 1 && (mark[1] & 0xffff) == PLACE >> 4, "a second SIPI is nothing");
    send_ipi(1, 0x4500);
    ok(stands(), "INIT again");
    send_ipi(1, 0x4609);
    ok(counts_on() && mark[6] == 2 && (mark[1] & 0xffff) == (PLACE + 0x1000) >> 4,
       "and another vector");
    send_ipi(1, 0x8500);
    ok(counts_on(), "INIT deassert is nothing");
}

void cpu_tests(unsigned cpu)
{
    on_trap = trap;
    if (cpu) {
        num_cpus = 1; /* it does not come back to the others */
        for (;;) {
            __asm__ volatile("cli; hlt");
        }
    }
    while (num_cpus == 2) {
        pause_cpu();
    }
    modes();
    self();
    deadline();
    start();
}
