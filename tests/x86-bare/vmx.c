// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel VMX: its instructions and their errors, checks of entries, each class of exit with its
 * qualification, injection, EPT. SDM 3C chapters 24 to 31.
 */
// run: -cpu max,+vmx
#include "bare64.h"
#include "caught64.h"
#include "vmx.h"

enum { FLAG_C = 1, FLAG_Z = 64 };

/* ---- the instructions ---- */

static void instructions(void)
{
    uint64_t current = 0, region = (uint64_t)PAGE(1), v = 0x55;

    EXPECT("VMXON without CR4.VMXE is #UD", 6, "vmxon %1", "m"(region));
    EXPECT("VMREAD outside of VMX operation", 6, "vmread %%rax, %%rcx");
    EXPECT("VMCALL too", 6, "vmcall");
    __asm__ volatile("movq %%cr4, %%rax; orl $0x2000, %%eax; movq %%rax, %%cr4; movq %%cr0, %%rax; "
                     "orl $0x20, %%eax; movq %%rax, %%cr0" ::
                         : "rax");
    EXPECT("VMXON that IA32_FEATURE_CONTROL does not allow", 13, "vmxon %1", "m"(region));
    vmx_on();
    EXPECT("the lock holds", 13, "movl $0x3a, %%ecx; xorl %%edx, %%edx; xorl %%eax, %%eax; wrmsr");
    ok(WITH("vmxon", 0x1000001) == FLAG_C, "VMXON of no page");
    ok(WITH("vmxon", 0xfee00000) == FLAG_C, "of device memory");
    *(volatile uint32_t *)PAGE(2) = 0x77;
    ok(WITH("vmxon", PAGE(2)) == FLAG_C, "of another revision");
    ok(WITH("vmxon", PAGE(1)) == 0, "VMXON");
    ok(WITH("vmxon", PAGE(1)) == FLAG_C, "again, without a current VMCS");
    EXPECT("CR4.VMXE stays on", 13, "movq %%cr4, %%rax; andl $~0x2000, %%eax; movq %%rax, %%cr4");
    EXPECT("so does CR0.NE", 13, "movq %%cr0, %%rax; andl $~0x20, %%eax; movq %%rax, %%cr0");
    __asm__ volatile("vmptrst %0" : "=m"(current));
    ok(current == ~0ull, "no current VMCS");
    ok(WITH("vmptrld", PAGE(2)) == FLAG_C, "VMPTRLD of another revision");
    ok(WITH("vmclear", PAGE(1)) == FLAG_C, "VMCLEAR of the VMXON region");
    guest_reset();
    __asm__ volatile("vmptrst %0" : "=m"(current));
    ok(current == (uint64_t)PAGE(0), "VMPTRST");
    ok(WITH("vmclear", PAGE(1)) == FLAG_Z && get(INSN_ERROR) == 3, "VMfail with a number");
    ok(WITH("vmptrld", 0x1000003) == FLAG_Z && get(INSN_ERROR) == 9, "a bad address");
    ok(WITH("vmptrld", PAGE(1)) == FLAG_Z && get(INSN_ERROR) == 10, "the VMXON region");
    ok(WITH("vmptrld", PAGE(2)) == FLAG_Z && get(INSN_ERROR) == 11, "another revision");
    ok(WITH("vmxon", PAGE(1)) == FLAG_Z && get(INSN_ERROR) == 15, "VMXON in VMX operation");
    put(0x5555, 1);
    ok(get(INSN_ERROR) == 12, "a field that there is not");
    put(REASON, 1);
    ok(get(REASON) == 1 && get(INSN_ERROR) == 12, "what exits report can be written");
    put(G_SEL, 0x12345678);
    ok(get(G_SEL) == 0x5678, "16 bits");
    put(PIN, 0x123456789a);
    ok(get(PIN) == 0x3456789a, "32 bits");
    put(EPTP, 0x1122334455667788);
    put(EPTP + 1, 0x99);
    ok(get(EPTP) == 0x9955667788 && get(EPTP + 1) == 0x99, "the high half of 64");
    __asm__ volatile("vmread %1, %0" : "=m"(v) : "r"((uint64_t)EPTP));
    ok(v == 0x9955667788, "VMREAD to memory");
    v = 0x4242;
    __asm__ volatile("vmwrite %0, %1" ::"m"(v), "r"((uint64_t)EPTP));
    ok(get(EPTP) == 0x4242, "VMWRITE from memory");
    WITH("vmclear", PAGE(0));
    WITH("vmptrld", PAGE(0));
    ok(get(EPTP) == 0x4242, "VMCLEAR keeps the fields");
    v = 0;
    TRY("vmcall");
    ok(get(INSN_ERROR) == 1, "VMCALL in root operation");
}

/* ---- entries that fail ---- */

GUEST(g_nothing, "");

static void expect_error(unsigned error, const char *name)
{
    long r = guest_run(g_nothing);

    ok(r == ~(long)FLAG_Z && get(INSN_ERROR) == error, name);
    guest_reset();
}

static void expect_bad_guest(const char *name)
{
    long r = guest_run(g_nothing);

    ok(r == X_BAD_GUEST, name);
    guest_reset();
}

static void entries(void)
{
    guest_reset();
    ok(guest_run(g_nothing) == X_VMCALL && get(LENGTH) == 3,
       "the guest that the others are made from");
    ok(guest_run(g_nothing) == ~(long)FLAG_Z && get(INSN_ERROR) == 4,
       "VMLAUNCH of a VMCS that is launched");
    ok(guest_again(g_nothing) == X_VMCALL, "VMRESUME");
    guest_reset();
    ok(guest_again(g_nothing) == ~(long)FLAG_Z && get(INSN_ERROR) == 5,
       "VMRESUME of one that is not");
    put(PIN, 0);
    expect_error(7, "a control that must be 1");
    put(PROC, get(PROC) | 1);
    expect_error(7, "a control that there is not");
    put(PROC, get(PROC) | 1 << 25);
    put(IO_A, 0x123);
    expect_error(7, "a bitmap that is not aligned");
    put(EXIT_LOAD, 0x1008);
    put(LOAD_COUNT, 1);
    expect_error(7, "an MSR area that is not aligned");
    put(INJECT, 0x80000100);
    expect_error(7, "an event of no kind");
    put(PROC2, 2);
    put(EPTP, 7);
    expect_error(7, "a bad EPT pointer");
    put(H_CR0, cr(0) & ~1ull);
    expect_error(8, "the hypervisor's CR0");
    put(H_FS, 1ull << 60);
    expect_error(8, "its FS base");
    put(H_SEL + 2, 0);
    expect_error(8, "its CS");
    put(G_CR0, cr(0) & ~1ull);
    expect_bad_guest("CR0.PE clear");
    put(G_CR4, cr(4) & ~0x2000ull);
    expect_bad_guest("CR4.VMXE clear");
    put(G_EFER, 0);
    expect_bad_guest("EFER.LMA against the control");
    put(G_RFLAGS, 0);
    expect_bad_guest("RFLAGS bit 1");
    put(G_RIP, 1ull << 60);
    put(G_RSP, 0);
    ok(enter(false) == X_BAD_GUEST, "RIP");
    guest_reset();
    put(G_AR + 2, 0xe09b);
    expect_bad_guest("CS.L and CS.D");
    put(G_AR + 4, 0xc091);
    expect_bad_guest("SS read-only");
    put(G_AR + 14, 0x89);
    expect_bad_guest("TR not busy");
    put(G_AR + 14, 0x1008b);
    expect_bad_guest("TR unusable");
    put(ACTIVITY, 5);
    expect_bad_guest("an activity that there is not");
    put(BLOCKED, 3);
    expect_bad_guest("both shadows");
    put(INJECT, 0x80000050);
    expect_bad_guest("an interrupt while IF is clear");
    put(G_LINK, 0x1000);
    guest_run(g_nothing);
    check(X_BAD_GUEST, 4, "a link pointer");
    guest_reset();
    *(volatile uint64_t *)PAGE(3) = 0x174;
    *(volatile uint64_t *)(PAGE(3) + 8) = 0x1234;
    *(volatile uint64_t *)(PAGE(3) + 16) = 0xc0000100;
    put(ENTRY_LOAD, (uint64_t)PAGE(3));
    put(ENTRY_COUNT, 2);
    guest_run(g_nothing);
    check((int)0x80000022, 2, "an MSR that may not be loaded");
}

/* ---- exits of instructions ---- */

GUEST(g_cpuid, "cpuid");
GUEST(g_hlt, "hlt");
GUEST(g_invd, "invd");
GUEST(g_invlpg, "invlpg 0x400123");
GUEST(g_rdtsc, "rdtsc");
GUEST(g_rdtscp, "rdtscp");
GUEST(g_rdpmc, "rdpmc");
GUEST(g_pause, "pause");
GUEST(g_wbinvd, "wbinvd");
GUEST(g_monitor, "xorl %ecx, %ecx; xorl %edx, %edx; movl $0x1000000, %eax; monitor");
GUEST(g_mwait, "mwait");
GUEST(g_sgdt, "sgdt -32(%rsp)");
GUEST(g_lidt, "sidt -32(%rsp); lidt -32(%rsp)");
GUEST(g_str, "str %eax");
GUEST(g_rdrand, "rdrand %rcx");
GUEST(g_vmread, "vmread %rax, 8(%rbx)");
GUEST(g_vmxoff, "vmxoff");
GUEST(g_dr, "movq %dr3, %rsi");
GUEST(g_xsetbv, "xsetbv");

static const struct {
    const char *name;
    void (*code)(void);
    unsigned reason, proc, proc2, before, length;
    uint64_t qualification;
    bool through;                       /* it gets through without the control */
} insns[] = {
    {"CPUID", g_cpuid, 10, 0, 0, 0, 2},
    {"INVD", g_invd, 13, 0, 0, 0, 2},
    {"HLT", g_hlt, 12, 1 << 7, 0, 0, 1},
    {"INVLPG", g_invlpg, 14, 1 << 9, 0, 0, 8, 0x400123, true},
    {"RDTSC", g_rdtsc, 16, 1 << 12, 0, 0, 2, 0, true},
    {"RDTSCP", g_rdtscp, 51, 1 << 12, 0, 0, 3, 0, true},
    {"RDPMC", g_rdpmc, 15, 1 << 11, 0, 0, 2},
    {"PAUSE", g_pause, 40, 1 << 30, 0, 0, 2, 0, true},
    {"WBINVD", g_wbinvd, 54, 0, 1 << 6, 0, 2, 0, true},
    {"MONITOR", g_monitor, 39, 1 << 29, 0, 9, 3, 0, true},
    {"MWAIT", g_mwait, 36, 1 << 10, 0, 0, 3},
    {"SGDT", g_sgdt, 46, 0, 1 << 2, 0, 5, -32ull, true},
    {"LIDT", g_lidt, 46, 0, 1 << 2, 0, 5, -32ull, true},
    {"STR", g_str, 47, 0, 1 << 2, 0, 3, 0, true},
    {"RDRAND", g_rdrand, 57, 0, 1 << 11, 0, 4, 0, true},
    {"VMREAD", g_vmread, 23, 0, 0, 0, 4, 8},
    {"VMXOFF", g_vmxoff, 26, 0, 0, 0, 3},
    {"MOV from DR3", g_dr, 29, 1 << 23, 0, 0, 3, 3 | 16 | 6 << 8, true},
};

static void each_instruction(void)
{
    for (unsigned k = 0; k < sizeof(insns) / sizeof(insns[0]); k++) {
        uint64_t at = (uint64_t)insns[k].code + insns[k].before;

        guest_reset();
        put(PROC, get(PROC) | insns[k].proc);
        put(PROC2, get(PROC2) | insns[k].proc2);
        put(G_CR4, get(G_CR4) | 0x100);
        guest_run(insns[k].code);
        check(insns[k].reason, insns[k].qualification, insns[k].name);
        ok(get(G_RIP) == at && get(LENGTH) == insns[k].length, "its place and length");
        if (insns[k].through) {
            put(PROC, get(PROC) & ~(uint64_t)insns[k].proc);
            put(PROC2, get(PROC2) & ~(uint64_t)insns[k].proc2);
            ok(guest_again(insns[k].code) == X_VMCALL, "goes through without");
        }
    }
    guest_reset();
    guest_run(g_vmread);
    ok((get(INFO) & 0x0fc38780) == (2 << 7 | 3 << 15 | 1 << 22 | 3 << 23), "the operand of VMREAD");
}

/* ---- registers, ports, MSRs ---- */

GUEST(g_cr0, "movq %cr0, %rbx; movq %rbx, %rax; xorl $8, %ebx; movq %rbx, %cr0; movq %cr0, %rax");
GUEST(g_clts, "clts");
GUEST(g_lmsw, "movl $9, %eax; lmsw %ax");
GUEST(g_cr3, "movq %cr3, %rdx; movq %rdx, %cr3");
GUEST(g_cr8, "movl $5, %eax; movq %rax, %cr8");
GUEST(g_in, "movl $0x71, %edx; inb %dx, %al; outl %eax, $0x80");
GUEST(g_outs, "movl $0x1010000, %esi; movl $3, %ecx; movl $0x80, %edx; rep outsw");
GUEST(g_rdmsr,
      "movl $0x174, %ecx; rdmsr; movl $0xc0000102, %ecx; wrmsr; movl $0x40000000, %ecx; rdmsr");

static void registers(void)
{
    guest_reset();
    put(CR0_MASK, 8);
    put(CR0_SHADOW, 8);
    guest_run(g_cr0);
    check(28, 3 << 8, "MOV to CR0 against the shadow");
    ok(guest_rax & 8, "which it reads");
    put(CR0_SHADOW, 0);
    guest_again(g_cr0);
    check(28, 3 << 8, "the other way too");
    put(CR0_MASK, 0x10000);
    put(CR0_SHADOW, 0);
    ok(guest_again(g_cr0) == X_VMCALL && !(guest_rax & 0x10000) &&
           (get(G_CR0) & 0x10000) == (cr(0) & 0x10000),
       "bits that the guest does not own stay");
    put(CR0_MASK, 8);
    put(CR0_SHADOW, 8);
    guest_again(g_clts);
    check(28, 2 << 4, "CLTS");
    put(CR0_SHADOW, 0);
    guest_again(g_lmsw);
    check(28, 3 << 4 | 9 << 16, "LMSW");
    put(PROC, get(PROC) | 1 << 15 | 1 << 16);
    guest_again(g_cr3);
    check(28, 3 | 1 << 4 | 2 << 8, "MOV from CR3");
    put(PROC, get(PROC) & ~(1ull << 16));
    guest_again(g_cr3);
    check(28, 3 | 2 << 8, "MOV to CR3");
    put(0x400a, 1);
    put(0x6008, cr(3));
    ok(guest_again(g_cr3) == X_VMCALL, "of a value in the list");
    put(PROC, get(PROC) | 1 << 19);
    guest_again(g_cr8);
    check(28, 8, "MOV to CR8");
    guest_reset();
    put(PROC, get(PROC) | 1 << 24);
    guest_run(g_in);
    check(30, 0x71 << 16 | 8, "IN");
    put(PROC, get(PROC) | 1 << 25);
    put(IO_A, (uint64_t)PAGE(4));
    put(IO_B, (uint64_t)PAGE(5));
    fill(PAGE(4), 0, 0x4000);
    PAGE(4)[0x83 / 8] = 8;
    guest_again(g_in);
    check(30, 0x80 << 16 | 3 | 64, "OUT of four bytes, the last of which is intercepted");
    guest_again(g_outs);
    ok((int)get(REASON) == X_VMCALL, "a string of ports that are not");
    PAGE(4)[0x80 / 8] = 1;
    guest_again(g_outs);
    check(30, 0x80 << 16 | 1 | 16 | 32, "REP OUTS");
    ok(get(LINEAR) == 0x1010000 && (get(INFO) & 0x38380) == (2 << 7 | 3 << 15), "its operand");
    guest_reset();
    guest_run(g_rdmsr);
    check(31, 0, "RDMSR without a map");
    put(PROC, get(PROC) | 1 << 28);
    put(MSR_MAP, (uint64_t)PAGE(6));
    guest_again(g_rdmsr);
    ok((int)get(REASON) == 31 && get(G_RIP) - (uint64_t)g_rdmsr == 19, "an MSR outside of the map");
    PAGE(6)[0xc00 + 0x102 / 8] = 4;
    guest_again(g_rdmsr);
    check(32, 0, "WRMSR");
    PAGE(6)[0x174 / 8] = 1 << 4;
    guest_again(g_rdmsr);
    ok((int)get(REASON) == 31 && get(G_RIP) - (uint64_t)g_rdmsr == 5, "RDMSR");
}

/* ---- exceptions, injection, interrupts ---- */

GUEST(g_ud, "ud2");
GUEST(g_pf, "movl %eax, 0x7f0000000123");
GUEST(g_int3, "int3");
GUEST(g_gp, "movw $0x123, %ax; movw %ax, %ds");
GUEST(g_db, "pushfq; orl $0x100, (%rsp); popfq; nop");
GUEST(g_sti, "sti; nop; nop");
GUEST(g_spin, "1: jmp 1b");
__asm__(".text; g_handler: vmcall; hlt");
void g_handler(void);

static void idt_entry(unsigned vector)
{
    uint64_t at = (uint64_t)g_handler;

    guest_idt[vector * 2] = (at & 0xffff) | 24 << 16 | 0x8eull << 40 | (at >> 16 & 0xffff) << 48;
    guest_idt[vector * 2 + 1] = at >> 32;
}

static void exceptions(void)
{
    guest_reset();
    fill(guest_idt, 0, 0x1000);
    put(EXCEPTIONS, 0xffffffff);
    guest_run(g_ud);
    check(X_EXCEPTION, 0, "#UD");
    ok(get(EVENT) == 0x80000306, "its event");
    guest_again(g_pf);
    check(X_EXCEPTION, 0x7f0000000123, "#PF: the address");
    ok(get(EVENT) == 0x80000b0e && get(EVENT_ERROR) == 2, "and the error code");
    guest_again(g_int3);
    ok((int)get(REASON) == X_EXCEPTION && get(EVENT) == 0x80000603 && get(LENGTH) == 1 &&
           get(G_RIP) == (uint64_t)g_int3,
       "#BP of INT3");
    guest_again(g_gp);
    ok(get(EVENT) == 0x80000b0d && get(EVENT_ERROR) == 0x120, "#GP: error code");
    guest_again(g_db);
    check(X_EXCEPTION, 0x4000, "#DB of a single step");
    put(EXCEPTIONS, 1 << 14);
    put(PF_MASK, 1);
    put(PF_MATCH, 1);
    ok(guest_again(g_pf) == X_TRIPLE, "a #PF that does not match");
    put(EXCEPTIONS, 1 << 8);
    idt_entry(14);
    put(0x4812, 0xef);
    put(PF_MASK, 0);
    put(PF_MATCH, 0);
    put(G_RFLAGS, 2);
    ok(guest_again(g_gp) == X_VMCALL || (get(EVENT) == 0x80000b08 && get(IDT_EVENT) == 0x80000b0d),
       "#DF for a #GP without a gate");
    put(EXCEPTIONS, 1 << 13);
    put(INJECT, 0x80000306);
    guest_again(g_nothing);
    ok((int)get(REASON) == X_EXCEPTION && get(EVENT) == 0x80000b0d && get(IDT_EVENT) == 0x80000306,
       "a fault while an event is injected");
    ok(!(get(INJECT) >> 31 & 1), "which is done with");
    for (unsigned v = 0; v < 256; v++) {
        idt_entry(v);
    }
    put(0x4812, 0xfff);
    put(EXCEPTIONS, 0);
    put(INJECT, 0x80000b0d);
    put(INJECT_ERROR, 0x77);
    ok(guest_again(g_nothing) == X_VMCALL && get(G_RSP) == (uint64_t)guest_stack - 48,
       "an exception with its error code");
    put(INJECT, 0x80000433);
    put(INJECT_LENGTH, 2);
    guest_again(g_nothing);
    ok(*(volatile uint64_t *)(guest_stack - 40) == (uint64_t)g_nothing + 2,
       "a software interrupt returns behind the instruction");
    put(INJECT, 0x80000202);
    put(PIN, get(PIN) | 1 << 3 | 1 << 5);
    ok(guest_again(g_nothing) == X_VMCALL && (get(BLOCKED) & 8), "an NMI blocks others");
    put(PROC, get(PROC) | 1 << 22);
    ok(guest_again(g_nothing) == X_VMCALL, "its window is closed");
    put(BLOCKED, 0);
    ok(guest_again(g_nothing) == 8, "and open");
    put(PROC, (get(PROC) & ~(1ull << 22)) | 1 << 2);
    put(G_RFLAGS, 2);
    ok(guest_again(g_nothing) == X_VMCALL, "the window for interrupts is closed");
    ok(guest_again(g_sti) == 7 && get(G_RIP) == (uint64_t)g_sti + 2,
       "it opens one instruction after STI");
}

static void interrupts(void)
{
    uint32_t before = irq_count[0];

    guest_reset();
    put(PIN, get(PIN) | 1);
    *(volatile uint32_t *)0xfee00320 = 0x40;
    *(volatile uint32_t *)0xfee003e0 = 0xb;
    *(volatile uint32_t *)0xfee00380 = 50000;
    ok(guest_run(g_spin) == X_INTR, "a physical interrupt ends the guest, whose IF is clear");
    __asm__ volatile("sti; nop; cli");
    ok(irq_count[0] == before + 1, "and waits for the hypervisor");
    put(EXIT_CTL, get(EXIT_CTL) | 1 << 15);
    *(volatile uint32_t *)0xfee00380 = 50000;
    ok(guest_again(g_spin) == X_INTR && get(EVENT) == 0x80000040, "or comes with the exit");
    *(volatile uint32_t *)0xfee000b0 = 0;
}

/* ---- EPT ---- */

GUEST(g_read, "movl 0x1064000, %eax");
GUEST(g_write, "movl %eax, 0x1064010");
GUEST(g_jump, "movl $0x1064000, %eax; jmp *%rax");
GUEST(g_mmio, "movl 0xfee00020, %eax");

static void nested(void)
{
    volatile uint64_t *e, *tables = (volatile uint64_t *)PAGE(101);

    guest_reset();
    e = ept_identity();
    ok(guest_run(g_nothing) == X_VMCALL, "a guest with EPT");
    *(volatile uint32_t *)PAGE(100) = 0x11223344;
    *(volatile uint32_t *)PAGE(99) = 0x55667788;
    ok(guest_again(g_read) == X_VMCALL && guest_rax == 0x11223344, "reads");
    ok((e[100] & 0x300) == 0x100, "the entry is accessed");
    e[100] = (uint64_t)PAGE(99) | 0x37;
    ok(guest_again(g_read) == X_VMCALL && guest_rax == 0x55667788,
       "what the hypervisor has put there");
    e[100] = (uint64_t)PAGE(100) | 0x35;
    guest_again(g_write);
    check(48, 2 | 5 << 3 | 0x180, "a write to a read-only page");
    ok(get(GUEST_PHYS) == 0x1064010 && get(LINEAR) == 0x1064010, "its addresses");
    e[100] = (uint64_t)PAGE(100) | 0x37;
    ok(enter(true) == X_VMCALL && (e[100] & 0x300) == 0x300, "it is done again, and dirty");
    e[100] = 0;
    guest_again(g_read);
    check(48, 1 | 0x180, "a read of a missing page");
    e[100] = (uint64_t)PAGE(100) | 0x33;
    guest_again(g_jump);
    check(48, 4 | 3 << 3 | 0x180, "a fetch from a page without code");
    e[100] = (uint64_t)PAGE(100) | 0x34;
    guest_again(g_read);
    check(48, 1 | 4 << 3 | 0x180, "a read of an execute-only page");
    e[100] = (uint64_t)PAGE(100) | 0x32;
    guest_again(g_read);
    check(49, 0, "an entry that may only be written");
    e[100] = (uint64_t)PAGE(100) | 0x1f;
    guest_again(g_read);
    check(49, 0, "a memory type that there is not");
    e[100] = (uint64_t)PAGE(100) | 0x37 | 1ull << 51;
    guest_again(g_read);
    check(49, 0, "a reserved bit");
    e[100] = (uint64_t)PAGE(100) | 0x37;
    for (unsigned k = 0; k < 512; k++) {
        tables[k] = ((volatile uint64_t *)cr(3))[k];
    }
    put(G_CR3, (uint64_t)tables);
    e[101] = (uint64_t)PAGE(101) | 0x35;
    guest_again(g_read);
    check(48, 3 | 5 << 3 | 0x80, "the guest's own tables are written to");
    put(G_CR3, cr(3));
    put(EPTP, get(EPTP) & ~0x40ull);
    tables[0] &= ~0x20ull;
    put(G_CR3, (uint64_t)tables);
    guest_again(g_read);
    check(48, 3 | 5 << 3 | 0x80, "without flags in EPT only when theirs are set");
    tables[0] |= 0x20;
    ok(guest_again(g_read) == X_VMCALL, "and not when they are");
    put(G_CR3, cr(3));
    second_tables[1024 + 0xfee00000u / 0x200000] = 0;
    guest_again(g_mmio);
    check(48, 1 | 0x180, "a device that the hypervisor makes up");
}

/* The guest in real mode: an unrestricted guest. */
static void nested_real(void)
{
    /* mov, store, vmcall */
    static const uint8_t code[] = {0xb8, 0x34, 0x12, 0xa3, 0x00, 0x20, 0x0f, 0x01, 0xc1};

    guest_reset();
    ept_identity();
    put(PROC2, get(PROC2) | 1 << 7);
    second_tables[1024] = (uint64_t)second_tables + 0x7007;
    fill(second_tables + 3584, 0, 0x1000);
    second_tables[3584 + 1] = (uint64_t)PAGE(110) | 0x37;
    second_tables[3584 + 2] = (uint64_t)PAGE(111) | 0x37;
    for (unsigned k = 0; k < sizeof(code); k++) {
        PAGE(110)[k] = code[k];
    }
    for (unsigned k = 0; k < 6; k++) {
        put(G_SEL + 2 * k, 0);
        put(G_AR + 2 * k, k == 1 ? 0x9b : 0x93);
        put(G_LIMIT + 2 * k, 0xffff);
    }
    put(G_CR0, 0x30);
    put(G_CR4, 0x2000);
    put(G_EFER, 0);
    put(ENTRY_CTL, get(ENTRY_CTL) & ~(1ull << 9));
    put(G_RIP, 0x1000);
    ok(enter(false) == X_VMCALL && *(volatile uint16_t *)PAGE(111) == 0x1234,
       "real mode through EPT");
    ok(get(G_RIP) == 0x1006, "where it ended");
}

void cpu_tests(unsigned cpu)
{
    on_trap = recover;
    instructions();
    entries();
    each_instruction();
    registers();
    exceptions();
    interrupts();
    nested();
    nested_real();
    __asm__ volatile("vmxoff");
    EXPECT("VMXOFF", 6, "vmread %%rax, %%rcx");
    on_trap = 0;
}
