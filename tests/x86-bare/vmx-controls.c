// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMX: the TPR shadow and the APIC-access page, the preemption timer, the monitor trap flag, logs
 * of modified pages, shadow VMCSs, loops of PAUSE, TSC scaling. SDM 3C chapters 25, 26, 29, 30.
 */
// run: -cpu max,+vmx
#include "bare64.h"
#include "caught64.h"
#include "vmx.h"

enum {
    PML = 0x200e,
    VIRTUAL_APIC = 0x2012,
    APIC_ACCESS = 0x2014,
    VMREAD_MAP = 0x2026,
    VMWRITE_MAP = 0x2028,
    TSC_OFFSET = 0x2010,
    TSC_SCALE = 0x2032,
    PML_INDEX = 0x812,
    THRESHOLD = 0x401c,
    PLE_GAP = 0x4020,
    PLE_WINDOW = 0x4022,
    TIMER = 0x482e,
    PENDING_DEBUG = 0x6822,
};
#define PIN_TIMER (1u << 6)
#define PROC_TPR (1u << 21)
#define PROC_STEP (1u << 27)
#define PROC_MSRS (1u << 28)

GUEST(g_nothing, "");
GUEST(g_tpr,
      "movl $7, %eax; movq %rax, %cr8; movq %cr8, %rbx; movl $2, %eax; movq %rax, %cr8; nop");
GUEST(g_cr8, "movq %cr8, %rax");
GUEST(g_task_priority, "movl $0x70, 0x1064080; movl 0x1064080, %eax; movl $0x20, 0x1064080; "
                       "1: jmp 1b");
GUEST(g_eoi, "movl %eax, 0x10640b0");
GUEST(g_id, "movl 0x1064020, %eax");
GUEST(g_and, "andl $1, 0x1064300");
GUEST(g_wide, "movq 0x1064080, %rax");
GUEST(g_x2apic,
      "movl $0x808, %ecx; movl $0x90, %eax; xorl %edx, %edx; wrmsr; xorl %eax, %eax; rdmsr");
GUEST(g_spin, "1: jmp 1b");
GUEST(g_steps, "nop; movl $1, %ecx; ud2");
GUEST(g_step_tf, "pushfq; orl $0x100, (%rsp); popfq; nop; nop");
GUEST(g_write, "movl %eax, 0x1064010; movl %eax, 0x1065018; movl %eax, 0x1064020");
GUEST(g_shadow, "movl $0x681e, %ecx; vmread %rcx, %rax; movl $0x6400, %ecx; movl $0x99, %edx; "
                "vmwrite %rdx, %rcx; "
                "movl $0x4002, %ecx; vmread %rcx, %rbx");
GUEST(g_unknown, "movl $0x5554, %ecx; vmread %rcx, %rax; pushfq; popq %rax");
GUEST(g_pauses, "1: pause; jmp 1b");
GUEST(g_tsc, "rdtsc; shlq $32, %rdx; orq %rdx, %rax");

static void expect_error(unsigned error, const char *name)
{
    long r = guest_run(g_nothing);

    ok(r == ~64l && get(INSN_ERROR) == error, name);
    guest_reset();
}

/* With a page for the TPR. */
static volatile uint8_t *tpr_reset(unsigned tpr, unsigned threshold)
{
    volatile uint8_t *at = PAGE(3) + 0x80;

    guest_reset();
    put(PROC, get(PROC) | PROC_TPR);
    put(VIRTUAL_APIC, (uint64_t)PAGE(3));
    put(THRESHOLD, threshold);
    *(volatile uint32_t *)at = tpr;
    return at;
}

static void tpr_shadow(void)
{
    uint64_t before, after;
    volatile uint8_t *tpr;

    __asm__ volatile("movq %%cr8, %0" : "=r"(before));
    tpr_reset(0x50, 6);
    expect_error(7, "a threshold above the shadow of the TPR");
    tpr_reset(0x50, 16);
    expect_error(7, "a threshold of more than four bits");
    tpr_reset(0, 0);
    put(VIRTUAL_APIC, (uint64_t)PAGE(3) + 8);
    expect_error(7, "a virtual-APIC page that is not aligned");
    guest_reset();
    put(PROC2, get(PROC2) | 16);
    expect_error(7, "x2APIC virtualization without the shadow");
    tpr = tpr_reset(0x50, 3);
    guest_run(g_tpr);
    check(43, 0, "MOV to CR8 below the threshold");
    ok(*tpr == 0x20 && get(G_RIP) - (uint64_t)g_tpr >= 21, "which is in the page and done");
    __asm__ volatile("movq %%cr8, %0" : "=r"(after));
    ok(before == after, "and not in the APIC");
    put(THRESHOLD, 0);
    ok(guest_again(g_tpr) == X_VMCALL, "above it the guest goes on");
    *tpr = 0x93;
    ok(guest_again(g_cr8) == X_VMCALL && guest_rax == 9, "MOV from CR8");
    put(PROC, get(PROC) | 1 << 19);
    guest_again(g_tpr);
    check(28, 8, "CR8-load exiting comes first");
    tpr = tpr_reset(0, 0);
    put(PROC, get(PROC) | PROC_MSRS);
    put(MSR_MAP, (uint64_t)PAGE(6));
    fill(PAGE(6), 0, 0x1000);
    put(PROC2, get(PROC2) | 16);
    ok(guest_run(g_x2apic) == X_VMCALL && *tpr == 0x90 && guest_rax == 0x90, "the MSR of x2APIC");
}

static void apic_page(void)
{
    volatile uint8_t *tpr = tpr_reset(0x10, 3);

    put(PROC2, get(PROC2) | 1);
    put(APIC_ACCESS, (uint64_t)PAGE(100) + 1);
    expect_error(7, "an APIC-access page that is not aligned");
    tpr = tpr_reset(0x10, 3);
    put(PROC2, get(PROC2) | 17);
    put(APIC_ACCESS, (uint64_t)PAGE(100));
    expect_error(7, "both kinds of APIC");
    for (unsigned ept = 0; ept < 2; ept++) {
        tpr = tpr_reset(0x10, 3);
        if (ept) {
            ept_identity();
        }
        put(PROC2, get(PROC2) | 1);
        put(APIC_ACCESS, (uint64_t)PAGE(100));
        guest_run(g_nothing);
        check(43, 0, "an entry below the threshold");
        ok(get(G_RIP) == (uint64_t)g_nothing, "before the first instruction");
        *tpr = 0x50;
        guest_again(g_task_priority);
        check(43, 0, "a write of the TPR in the page");
        ok(*(volatile uint32_t *)tpr == 0x20 && guest_rax == 0x70, "which goes to the other page");
        put(THRESHOLD, 0);
        guest_again(g_eoi);
        check(44, 0x10b0, "a write of another register");
        ok(get(G_RIP) == (uint64_t)g_eoi && get(LENGTH) == 7, "its place and length");
        guest_again(g_id);
        check(44, 0x0020, "a read");
        guest_again(g_and);
        check(44, 0x1300, "an operand that is read and written");
        guest_again(g_wide);
        check(44, 0x0080, "the TPR and more");
        put(G_IDTR, (uint64_t)PAGE(100));
        put(INJECT, 0x80000330 - 0x2a);
        guest_again(g_nothing);
        check(44, 0x3060, "an access of an event's delivery");
        ok(get(IDT_EVENT) == 0x80000306, "which is kept");
    }
}

static void timer(void)
{
    uint64_t left;

    guest_reset();
    put(EXIT_CTL, get(EXIT_CTL) | 1 << 22);
    expect_error(7, "saving a timer that does not run");
    put(PIN, get(PIN) | PIN_TIMER);
    put(TIMER, 0);
    guest_run(g_nothing);
    check(52, 0, "a timer of no time");
    ok(get(G_RIP) == (uint64_t)g_nothing, "before the first instruction");
    put(TIMER, 20000);
    guest_again(g_spin);
    check(52, 0, "a timer that ends while the guest runs");
    ok(get(TIMER) == 20000, "and is not saved");
    put(EXIT_CTL, get(EXIT_CTL) | 1 << 22);
    put(TIMER, 0xffffffff);
    ok(guest_again(g_nothing) == X_VMCALL, "a longer one");
    left = get(TIMER);
    ok(left < 0xffffffff && left > 0xf0000000, "the rest of it is saved");
    put(TIMER, 5000);
    put(ACTIVITY, 1);
    guest_again(g_nothing);
    check(52, 0, "a guest that is halted");
    ok(get(TIMER) == 0, "runs out too");
}

static void steps(void)
{
    static const uint8_t at[] = {1, 6};

    guest_reset();
    put(PROC, get(PROC) | PROC_STEP);
    put(G_RIP, (uint64_t)g_steps);
    put(G_RSP, (uint64_t)guest_stack);
    for (unsigned k = 0; k < 2; k++) {
        enter(k > 0);
        ok((int)get(REASON) == 37 && get(G_RIP) - (uint64_t)g_steps == at[k], "one instruction");
    }
    fill(guest_idt, 0, 0x1000);
    guest_idt[12] = ((uint64_t)g_nothing & 0xffff) | 24 << 16 | 0x8eull << 40 |
                    ((uint64_t)g_nothing >> 16 & 0xffff) << 48;
    guest_idt[13] = (uint64_t)g_nothing >> 32;
    ok(enter(true) == 37 && get(G_RIP) == (uint64_t)g_nothing, "the delivery of an exception");
    put(INJECT, 0x80000306);
    ok(guest_again(g_spin) == 37 && get(G_RIP) == (uint64_t)g_nothing,
       "of an event of the entry's");
    put(INJECT, 0x80000700);
    ok(guest_again(g_spin) == 37 && get(G_RIP) == (uint64_t)g_spin,
       "an entry with the exit pending");
    put(INJECT, 0x80000701);
    ok(guest_again(g_spin) == ~64l && get(INSN_ERROR) == 7, "the same with a vector");
    put(INJECT, 0);
    guest_again(g_step_tf);
    enter(true);
    enter(true);
    enter(true);
    ok((int)get(REASON) == 37 && get(PENDING_DEBUG) == 0x4000, "a single step that waits");
    put(PROC, get(PROC) & ~(uint64_t)PROC_STEP);
    put(EXCEPTIONS, 2);
    enter(true);
    check(X_EXCEPTION, 0x4000, "and comes with the next entry");
}

static void page_log(void)
{
    volatile uint64_t *e, *log = (volatile uint64_t *)PAGE(5);

    guest_reset();
    put(PROC2, get(PROC2) | 1 << 17);
    expect_error(7, "a log without EPT");
    e = ept_identity();
    put(PROC2, get(PROC2) | 1 << 17);
    put(PML, (uint64_t)log);
    put(PML_INDEX, 511);
    guest_run(g_write);
    for (unsigned k = 0; k < 512; k++) {
        e[k] &= ~0x200ull;
    }
    fill(log, 0, 0x1000);
    put(PML_INDEX, 511);
    ok(guest_again(g_write) == X_VMCALL && log[511] && get(PML_INDEX) < 510, "pages are noted");
    ok(log[get(PML_INDEX) + 1] && !log[get(PML_INDEX)], "each once");
    e[100] &= ~0x200ull;
    put(PML_INDEX, 0xffff);
    guest_again(g_write);
    check(62, 0, "a log that is full");
    ok(!(e[100] & 0x200), "and nothing was marked");
    put(PML_INDEX, 0);
    ok(guest_again(g_write) == X_VMCALL && log[0] == (uint64_t)PAGE(100) &&
           get(PML_INDEX) == 0xffff,
       "the last entry");
}

static void shadow(void)
{
    uint64_t revision = rdmsr(0x480) & 0x7fffffff;

    fill(PAGE(7), 0, 0x1000);
    *(volatile uint32_t *)PAGE(7) = revision | 1u << 31;
    ok(WITH("vmptrld", PAGE(7)) == 0, "VMPTRLD of a shadow VMCS");
    ok(guest_run(g_nothing) == ~1l, "it cannot be launched");
    put(G_RIP, 0x1234567);
    put(QUALIFICATION, 5);
    WITH("vmclear", PAGE(7));
    guest_reset();
    put(G_LINK, (uint64_t)PAGE(7));
    guest_run(g_nothing);
    check(X_BAD_GUEST, 4, "a link to a shadow that nobody asks for");
    guest_reset();
    put(PROC2, get(PROC2) | 1 << 14);
    put(VMREAD_MAP, (uint64_t)PAGE(8));
    put(VMWRITE_MAP, (uint64_t)PAGE(9));
    fill(PAGE(8), 0, 0x2000);
    put(G_LINK, (uint64_t)PAGE(0));
    guest_run(g_nothing);
    check(X_BAD_GUEST, 4, "a link to the current one");
    put(G_LINK, (uint64_t)PAGE(7));
    PAGE(8)[0x4002 / 8] = 1 << 2;
    guest_run(g_shadow);
    check(23, 0, "VMREAD of a field that is mapped to exit");
    ok(guest_rax == 0x1234567, "and of one that is not");
    ok(get(G_RIP) - (uint64_t)g_shadow == 26, "where it was");
    PAGE(9)[0x6400 / 8] = 1;
    guest_again(g_shadow);
    check(25, 0, "VMWRITE too");
    ok(guest_again(g_unknown) == X_VMCALL && (guest_rax & 0x8d5) == 64,
       "a field that there is not");
    WITH("vmclear", PAGE(0));
    WITH("vmptrld", PAGE(7));
    ok(get(QUALIFICATION) == 0x99 && get(INSN_ERROR) == 12, "what the guest wrote");
    WITH("vmclear", PAGE(7));
}

static void time(void)
{
    uint64_t before, after;

    guest_reset();
    put(PROC2, get(PROC2) | 1 << 10);
    put(PLE_GAP, 0x7fffffff);
    put(PLE_WINDOW, 2000);
    guest_run(g_pauses);
    check(40, 0, "a loop of PAUSE");
    put(PROC2, get(PROC2) & ~(1ull << 10) | 1 << 25);
    put(PROC, get(PROC) | 8);
    put(TSC_SCALE, 1ull << 47);
    put(TSC_OFFSET, 1ull << 60);
    __asm__ volatile("rdtsc; shlq $32, %%rdx; orq %%rdx, %%rax" : "=a"(before)::"rdx");
    guest_again(g_tsc);
    __asm__ volatile("rdtsc; shlq $32, %%rdx; orq %%rdx, %%rax" : "=a"(after)::"rdx");
    ok(guest_rax - (1ull << 60) >= before / 2 && guest_rax - (1ull << 60) <= after / 2,
       "a TSC of half the frequency");
}

void cpu_tests(unsigned cpu)
{
    on_trap = recover;
    vmx_on();
    WITH("vmxon", PAGE(1));
    tpr_shadow();
    apic_page();
    timer();
    steps();
    page_log();
    shadow();
    time();
    on_trap = 0;
}
