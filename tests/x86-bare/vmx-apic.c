// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMX: the local APIC that a guest sees without exits: virtual interrupts and their ends,
 * interrupts to itself, registers in the virtual-APIC page, x2APIC's MSRs, posted interrupts. SDM
 * 3C chapter 30.
 */
// run: -cpu max,+vmx
#include "bare64.h"
#include "caught64.h"
#include "vmx.h"

enum {
    POSTED_VECTOR = 2,
    STATUS = 0x810,
    VIRTUAL_APIC = 0x2012,
    APIC_ACCESS = 0x2014,
    POSTED = 0x2016,
    EOI_EXITS = 0x201c,
    VECTOR = 0x51,
};
#define PROC_TPR (1u << 21)
#define PROC_MSRS (1u << 28)
#define VAPIC(n) (*(volatile uint32_t *)(PAGE(3) + (n)))
#define DESCRIPTOR ((volatile uint32_t *)PAGE(5))
volatile uint32_t taken, isr_seen;

GUEST(g_nothing, "");
GUEST(g_open, "sti; nop; nop; cli");
GUEST(g_lower, "sti; movl $0, 0x1064080; nop; nop; 1: cmpl $0, taken; je 1b; cli");
GUEST(g_self, "sti; movl $0x40051, 0x1064300; 1: cmpl $0, taken; je 1b; cli");
GUEST(g_other, "movl $0, 0x1064310; movl $0x51, 0x1064300; 1: jmp 1b");
GUEST(g_twice, "movl $0xc4500, 0x1064300; movl $0xc4608, 0x1064300; 1: jmp 1b");
GUEST(g_timer, "movl $0x12345, 0x1064320; 1: jmp 1b");
GUEST(g_read, "movl 0x1064020, %eax; movl 0x10640d0, %ebx; shlq $32, %rbx; orq %rbx, %rax");
GUEST(g_window, "sti; nop; nop; nop; cli");
GUEST(g_msrs, "sti; movl $0x83f, %ecx; movl $0x51, %eax; xorl %edx, %edx; wrmsr; 1: cmpl $0, "
              "taken; je 1b; cli;"
              "movl $0x802, %ecx; rdmsr");
GUEST(g_bad_eoi, "movl $0x80b, %ecx; movl $1, %eax; xorl %edx, %edx; wrmsr");
GUEST(g_halt, "sti; hlt; cli");

/* The guest's handler: counts, looks, ends it in the page or by the MSR. */
void guest_irq(void);
__asm__("guest_irq:\n  pushq %rax\n  incl taken\n  movl 0x1003120, %eax\n  movl %eax, isr_seen\n"
        "  movl $0, 0x10640b0\n  popq %rax\n  iretq\n");
void guest_irq_msr(void);
__asm__(
    "guest_irq_msr:\n  pushq %rax\n  pushq %rcx\n  pushq %rdx\n  incl taken\n  movl $0x80b, %ecx\n"
    "  xorl %eax, %eax\n  xorl %edx, %edx\n  wrmsr\n  popq %rdx\n  popq %rcx\n  popq %rax\n  "
    "iretq\n");

/* A guest with all of it; RVI as given, its bit in IRR. */
static void reset(unsigned rvi, unsigned tpr, void (*irq)(void))
{
    guest_reset();
    fill(PAGE(3), 0, 0x1000);
    fill(guest_idt, 0, 0x1000);
    guest_idt[2 * VECTOR] =
        ((uint64_t)irq & 0xffff) | 24 << 16 | 0x8eull << 40 | ((uint64_t)irq >> 16 & 0xffff) << 48;
    guest_idt[2 * VECTOR + 1] = (uint64_t)irq >> 32;
    put(PIN, get(PIN) | 1);
    put(PROC, get(PROC) | PROC_TPR);
    put(PROC2, get(PROC2) | 1 | 1 << 8 | 1 << 9);
    put(VIRTUAL_APIC, (uint64_t)PAGE(3));
    put(APIC_ACCESS, (uint64_t)PAGE(100));
    put(STATUS, rvi);
    if (rvi) {
        VAPIC(0x200 + (rvi >> 5) * 16) = 1u << (rvi & 31);
    }
    VAPIC(0x80) = tpr;
    taken = isr_seen = 0;
}

static void controls(void)
{
    reset(0, 0, guest_irq);
    put(PROC, get(PROC) & ~(uint64_t)PROC_TPR);
    ok(guest_run(g_nothing) == ~64l && get(INSN_ERROR) == 7, "without the TPR shadow");
    reset(0, 0, guest_irq);
    put(PIN, get(PIN) & ~1ull);
    ok(guest_run(g_nothing) == ~64l && get(INSN_ERROR) == 7, "without external-interrupt exiting");
    reset(0, 0, guest_irq);
    put(PIN, get(PIN) | 1 << 7);
    ok(guest_run(g_nothing) == ~64l && get(INSN_ERROR) == 7,
       "posted interrupts that are not acknowledged");
    put(EXIT_CTL, get(EXIT_CTL) | 1 << 15);
    put(POSTED, (uint64_t)PAGE(5) + 32);
    ok(guest_run(g_nothing) == ~64l && get(INSN_ERROR) == 7, "a descriptor that is not aligned");
    put(POSTED, (uint64_t)PAGE(5));
    put(POSTED_VECTOR, 0x100);
    ok(guest_run(g_nothing) == ~64l && get(INSN_ERROR) == 7, "a vector that there is not");
}

static void delivery(void)
{
    reset(VECTOR, 0, guest_irq);
    ok(guest_run(g_open) == X_VMCALL && taken == 1, "a virtual interrupt");
    ok(isr_seen == 1u << (VECTOR & 31), "is in service in its handler");
    ok(VAPIC(0x120) == 0 && VAPIC(0x220) == 0 && get(STATUS) == 0 && VAPIC(0xa0) == 0,
       "and is not after its end");
    reset(VECTOR, 0, guest_irq);
    ok(guest_run(g_nothing) == X_VMCALL && taken == 0 && get(STATUS) == VECTOR,
       "with interrupts off it waits");
    reset(VECTOR, 0x60, guest_irq);
    ok(guest_run(g_open) == X_VMCALL && taken == 0 && VAPIC(0xa0) == 0x60, "below the TPR, too");
    reset(VECTOR, 0x60, guest_irq);
    ok(guest_run(g_lower) == X_VMCALL && taken == 1, "until that falls, by the guest");
    reset(VECTOR, 0, guest_irq);
    put(PROC, get(PROC) | 4);
    guest_run(g_window);
    check(7, 0, "interrupt-window exiting comes instead");
    ok(taken == 0, "of it");
    reset(VECTOR, 0, guest_irq);
    put(EOI_EXITS + 2 * (VECTOR >> 6), 1ull << (VECTOR & 63));
    guest_run(g_open);
    check(45, VECTOR, "an end that exits");
    ok(VAPIC(0x120) == 0 && get(STATUS) == 0, "when it is done");
    reset(VECTOR, 0, guest_irq);
    ok(guest_run(g_halt) == X_VMCALL && taken == 1, "HLT ends by it");
}

static void registers(void)
{
    reset(0, 0, guest_irq);
    ok(guest_run(g_self) == X_VMCALL && taken == 1, "an interrupt to itself");
    reset(0, 0, guest_irq);
    guest_run(g_other);
    check(56, 0x300, "one to others exits");
    ok(VAPIC(0x300) == 0x51, "with the register written");
    reset(0, 0, guest_irq);
    guest_run(g_twice);
    check(56, 0x300, "the first of two exits");
    ok(VAPIC(0x300) == 0xc4500, "before the second writes");
    enter(true);
    check(56, 0x300, "which then does");
    ok(VAPIC(0x300) == 0xc4608, "too");
    reset(0, 0, guest_irq);
    guest_run(g_timer);
    check(56, 0x320, "so do other registers");
    ok(VAPIC(0x320) == 0x12345, "which are written");
    reset(0, 0, guest_irq);
    VAPIC(0x20) = 0x5000000;
    VAPIC(0xd0) = 0x77;
    ok(guest_run(g_read) == X_VMCALL && guest_rax == 0x7705000000, "reads do not");
    reset(0, 0, guest_irq);
    put(PROC2, get(PROC2) & ~(1ull << 8));
    guest_run(g_read);
    check(44, 0x20, "but without the registers");
}

static void msrs(void)
{
    reset(0, 0, guest_irq_msr);
    put(PROC, get(PROC) | PROC_MSRS);
    put(MSR_MAP, (uint64_t)PAGE(6));
    fill(PAGE(6), 0, 0x1000);
    put(PROC2, (get(PROC2) & ~1ull) | 16);
    VAPIC(0x20) = 0x99;
    ok(guest_run(g_msrs) == X_VMCALL && taken == 1 && (uint32_t)guest_rax == 0x99,
       "SELF IPI, EOI and ID of x2APIC");
    ok(get(STATUS) == 0 && VAPIC(0x120) == 0, "nothing is left");
    put(EXCEPTIONS, 1 << 13);
    guest_again(g_bad_eoi);
    ok((int)get(REASON) == 0 && (get(EVENT) & 0xff) == 13, "reserved bits");
}

/* The host's interrupts are off: what is pending comes to the guest as a notification. */
static void posted(void)
{
    for (unsigned k = 0; k < 2; k++) {
        reset(0, 0, guest_irq);
        put(PIN, get(PIN) | 1 << 7);
        put(EXIT_CTL, get(EXIT_CTL) | 1 << 15);
        put(POSTED, (uint64_t)PAGE(5));
        put(POSTED_VECTOR, 0x47);
        fill(PAGE(5), 0, 64);
        DESCRIPTOR[VECTOR >> 5] = 1u << (VECTOR & 31);
        DESCRIPTOR[8] = 1;
        send_ipi(0, k ? 0x4046 : 0x4047);
        if (k == 0) {
            ok(guest_run(g_open) == X_VMCALL && taken == 1, "a posted interrupt");
            ok(DESCRIPTOR[8] == 0 && DESCRIPTOR[VECTOR >> 5] == 0, "its descriptor is empty");
        } else {
            guest_run(g_open);
            ok((int)get(REASON) == 1 && (get(EVENT) & 0x800000ff) == 0x80000046,
               "another vector exits");
            ok(DESCRIPTOR[8] == 1 && taken == 0, "and posts nothing");
            *(volatile uint32_t *)0xfee000b0ull = 0;
        }
    }
}

void cpu_tests(unsigned cpu)
{
    on_trap = recover;
    vmx_on();
    WITH("vmxon", PAGE(1));
    controls();
    delivery();
    registers();
    msrs();
    posted();
    on_trap = 0;
}
