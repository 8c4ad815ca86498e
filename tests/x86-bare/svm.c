// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AMD SVM: each class of intercept, what an exit reports, injection, virtual interrupts, GIF,
 * consistency checks, nested paging. APM volume 2, chapter 15.
 */
#include "bare64.h"
#include "caught64.h"
#include "svm.h"

static void check(uint64_t code, uint64_t info1, uint64_t info2, const char *name)
{
    bool good = V64(EXIT_CODE) == code && V64(INFO1) == info1 && V64(INFO2) == info2;

    ok(good, name);
    if (!good) {
        note("exit code", V64(EXIT_CODE));
        note("info 1", V64(INFO1));
        note("info 2", V64(INFO2));
        note("rip", V64(RIP));
    }
}

/* ---- the instructions themselves ---- */

static void instructions(void)
{
    EXPECT("VMRUN without EFER.SVME is #UD", 6, "vmrun");
    EXPECT("CLGI too", 6, "clgi");
    EXPECT("VMMCALL too", 6, "vmmcall");
    svm_on();
    ok(rdmsr(0xc0010117) == (uint64_t)PAGE(1), "VM_HSAVE_PA");
    EXPECT("VM_HSAVE_PA of no page", 13,
           "movl $0xc0010117, %%ecx; xorl %%edx, %%edx; movl $0x123, %%eax; wrmsr");
    EXPECT("VMRUN of no page", 13, "movl $0x1000001, %%eax; vmrun");
    EXPECT("VMRUN beyond physical memory", 13, "movq $-4096, %%rax; vmrun");
    EXPECT("VMRUN in device memory", 13, "movl $0xfee00000, %%eax; vmrun");
    EXPECT("VMLOAD in ROM", 13, "movl $0xffff0000, %%eax; vmload");
    EXPECT("VMMCALL with nobody above", 6, "vmmcall");
    EXPECT("SKINIT", 6, "skinit");
    EXPECT("VM_CR keeps SVMDIS away while SVM is on", 13,
           "movl $0xc0010114, %%ecx; xorl %%edx, %%edx; movl $0x10, %%eax; wrmsr");
    EXPECT("INVLPGA", 99, "xorl %%ecx, %%ecx; movl $0x1000000, %%eax; invlpga");
}

static void load_and_save(void)
{
    fill(vmcb, 0, 0x1000);
    wrmsr(0xc0000082, 0x1234);
    wrmsr(0xc0000102, 0x5678);
    wrmsr(0x175, 0x9abc);
    __asm__ volatile("vmsave" ::"a"(vmcb) : "memory");
    ok(V64(0x608) == 0x1234 && V64(0x620) == 0x5678 && V64(0x630) == 0x9abc,
       "VMSAVE stores LSTAR, KernelGSBase, SYSENTER_ESP");
    ok(V16(FS) == 16 && V16(FS + 2) == 0xc93 && V32(FS + 4) == 0xffffffff, "and FS");
    V64(0x608) = 0xffffffff80000000;
    V64(0x620) = 0x0000800000000000;
    V64(FS + 8) = 0x777;
    __asm__ volatile("vmload" ::"a"(vmcb) : "memory");
    ok(rdmsr(0xc0000082) == 0xffffffff80000000, "VMLOAD loads LSTAR");
    ok(rdmsr(0xc0000102) == 0xffff800000000000, "makes bases canonical");
    ok(rdmsr(0xc0000100) == 0x777, "and FS");
}

/* ---- instruction intercepts ---- */

GUEST(g_nothing, "");
GUEST(g_cpuid, "cpuid");
GUEST(g_rdtsc, "rdtsc");
GUEST(g_rdtscp, "rdtscp");
GUEST(g_pushf, "pushfq");
GUEST(g_popf, "pushq $2; popfq");
GUEST(g_pause, "pause");
GUEST(g_invd, "invd");
GUEST(g_wbinvd, "wbinvd");
GUEST(g_iret, "movl %ss, %eax; pushq %rax; leaq 8(%rsp), %rcx; pushq %rcx; pushq $2; pushq $24; "
              "leaq 1f(%rip), %rcx; pushq %rcx; "
              "2: iretq; 1:");
GUEST(g_sgdt, "sgdt -32(%rsp)");
GUEST(g_sidt, "sidt -32(%rsp)");
GUEST(g_sldt, "sldt %eax");
GUEST(g_str, "str %eax");
GUEST(g_lgdt, "sgdt -32(%rsp); lgdt -32(%rsp)");
GUEST(g_lidt, "sidt -32(%rsp); lidt -32(%rsp)");
GUEST(g_lldt, "xorl %eax, %eax; lldt %ax");
GUEST(g_invlpg, "invlpg 0x400123");
GUEST(g_invlpga, "xorl %ecx, %ecx; movl $0x1000, %eax; invlpga");
GUEST(g_clgi, "clgi");
GUEST(g_stgi, "stgi");
GUEST(g_vmload, "movl $0x1000000, %eax; vmload");
GUEST(g_vmsave, "movl $0x1003000, %eax; vmsave");
GUEST(g_monitor, "xorl %ecx, %ecx; xorl %edx, %edx; movl $0x1000000, %eax; monitor");
GUEST(g_hlt, "hlt");
GUEST(g_mwait, "xorl %ecx, %ecx; xorl %edx, %edx; movl $0x1000000, %eax; monitor; mwait");
GUEST(g_int, "int $0x77");
GUEST(g_icebp, "int1");
GUEST(g_rdpmc, "xorl %ecx, %ecx; rdpmc");
GUEST(g_skinit, "skinit");

static const struct {
    const char *name;
    void (*code)(void);
    unsigned exit, before, length;      /* bytes before the instruction, and its own */
    uint64_t info1;
    bool only;                          /* it does not get through without the intercept */
} insns[] = {
    {"CPUID", g_cpuid, 0x72, 0, 2},
    {"RDTSC", g_rdtsc, 0x6e, 0, 2},
    {"RDTSCP", g_rdtscp, 0x87, 0, 3},
    {"PUSHF", g_pushf, 0x70, 0, 1},
    {"POPF", g_popf, 0x71, 2, 1},
    {"PAUSE", g_pause, 0x77, 0, 2},
    {"INVD", g_invd, 0x76, 0, 2},
    {"WBINVD", g_wbinvd, 0x89, 0, 2},
    {"SGDT", g_sgdt, 0x67, 0, 5},
    {"SIDT", g_sidt, 0x66, 0, 5},
    {"SLDT", g_sldt, 0x68, 0, 3},
    {"STR", g_str, 0x69, 0, 3},
    {"LGDT", g_lgdt, 0x6b, 5, 5},
    {"LIDT", g_lidt, 0x6a, 5, 5},
    {"LLDT", g_lldt, 0x6c, 2, 3},
    {"INVLPG", g_invlpg, 0x79, 0, 8, 0x400123},
    {"INVLPGA", g_invlpga, 0x7a, 7, 3},
    {"CLGI", g_clgi, 0x85, 0, 3},
    {"STGI", g_stgi, 0x84, 0, 3},
    {"VMLOAD", g_vmload, 0x82, 5, 3},
    {"VMSAVE", g_vmsave, 0x83, 5, 3},
    {"MONITOR", g_monitor, 0x8a, 9, 3},
    {"HLT", g_hlt, 0x78, 0, 1, 0, true},
    {"MWAIT", g_mwait, 0x8b, 12, 3, 1, true},
    {"INT n", g_int, 0x75, 0, 2, 0x77, true},
    {"INT1", g_icebp, 0x88, 0, 1, 0, true},
    {"RDPMC", g_rdpmc, 0x6f, 2, 2, 0, true},
    {"SKINIT", g_skinit, 0x86, 0, 3, 0, true},
    {"IRET", g_iret, 0x74, 21, 2},
};

static void each_instruction(void)
{
    for (unsigned k = 0; k < sizeof(insns) / sizeof(insns[0]); k++) {
        uint64_t at = (uint64_t)insns[k].code + insns[k].before;

        guest_reset();
        intercept(insns[k].exit, true);
        if (insns[k].code == g_rdpmc) {
            V64(CR4) |= 0x100;
        }
        guest_run(insns[k].code);
        check(insns[k].exit, insns[k].info1, 0, insns[k].name);
        ok(V64(RIP) == at && V64(NRIP) == at + insns[k].length, "its place and the next");
        if (V64(RIP) != at || V64(NRIP) != at + insns[k].length) {
            note("offset", V64(RIP) - (uint64_t)insns[k].code);
            note("length", V64(NRIP) - V64(RIP));
        }
        if (insns[k].only) {
            continue;
        }
        intercept(insns[k].exit, false);
        ok(guest_run(insns[k].code) == EXIT_VMMCALL, "goes through without");
    }
}

/* ---- control and debug registers ---- */

GUEST(g_cr0_rbx, "movq %cr0, %rbx");
GUEST(g_cr0_ts, "movq %cr0, %rcx; xorl $8, %ecx; movq %rcx, %cr0");
GUEST(g_cr0_wp, "movq %cr0, %rcx; xorl $0x10000, %ecx; movq %rcx, %cr0");
GUEST(g_lmsw, "smswl %eax; lmsw %ax");
GUEST(g_clts, "clts");
GUEST(g_cr4, "movq %cr4, %rdx; movq %rdx, %cr4");
GUEST(g_cr8, "movl $5, %eax; movq %rax, %cr8; xorl %eax, %eax; movq %cr8, %rax");
GUEST(g_dr, "movq %dr3, %rsi; movq %rsi, %dr2");

static void registers(void)
{
    guest_reset();
    V16(CR_READ) = 1;
    guest_run(g_cr0_rbx);
    check(0, 1ull << 63 | 3, 0, "MOV from CR0 to RBX");
    guest_run(g_lmsw);
    check(0, 0, 0, "SMSW reads CR0");
    V16(CR_READ) = 0;
    V16(CR_WRITE) = 0x11;
    guest_run(g_cr0_ts);
    check(0x10, 1ull << 63 | 1, 0, "MOV to CR0");
    guest_run(g_clts);
    check(0x10, 0, 0, "CLTS writes CR0");
    guest_run(g_cr4);
    check(0x14, 1ull << 63 | 2, 0, "MOV to CR4");
    V16(CR_WRITE) = 0;
    intercept(0x65, true);
    ok(guest_run(g_cr0_ts) == EXIT_VMMCALL, "TS is none of the selective bits");
    guest_run(g_cr0_wp);
    check(0x65, 1ull << 63 | 1, 0, "WP is one");
    guest_run(g_lmsw);
    check(0x65, 0, 0, "LMSW always exits");
    intercept(0x65, false);
    ok(guest_run(g_clts) == EXIT_VMMCALL && !(V64(CR0) & 8), "CLTS goes through");
    V16(DR_READ) = 8;
    guest_run(g_dr);
    check(0x23, 6, 0, "MOV from DR3 to RSI");
    V16(DR_READ) = 0;
    V16(DR_WRITE) = 4;
    guest_run(g_dr);
    check(0x32, 6, 0, "MOV to DR2");
    guest_reset();
    V64(INT_CONTROL) = 1 << 24;
    guest_run(g_cr8);
    ok(V64(RAX) == 5 && (V64(INT_CONTROL) & 0xff) == 5, "CR8 is the virtual TPR");
}

/* ---- ports and MSRs ---- */

GUEST(g_in, "movl $0x71, %edx; inb %dx, %al; outl %eax, $0x80");
GUEST(g_outs, "movl $0x1010000, %esi; movl $3, %ecx; movl $0x80, %edx; rep outsw");
GUEST(g_ins, "movl $0x1010000, %edi; movl $0x71, %edx; insb");
GUEST(g_rdmsr, "movl $0x174, %ecx; rdmsr; movl $0xc0000102, %ecx; wrmsr; movl $0xc0010114, %ecx; "
               "rdmsr; movl $0x40000000, %ecx; rdmsr");

static void maps(void)
{
    guest_reset();
    fill(io_map, 0, 0x3000);
    fill(msr_map, 0, 0x2000);
    intercept(0x7b, true);
    ok(guest_run(g_in) == EXIT_VMMCALL, "ports whose bits are clear");
    io_map[0x71 / 8] = 1 << 1;
    guest_run(g_in);
    check(0x7b, 0x71 << 16 | 1 | 0x10 | 0x200, (uint64_t)g_in + 6, "IN of a byte");
    io_map[0x71 / 8] = 0;
    io_map[0x83 / 8] = 8;
    guest_run(g_in);
    check(0x7b, 0x80 << 16 | 0x40 | 0x200, (uint64_t)g_in + 8,
          "OUT of four bytes, the last of which is intercepted");
    io_map[0x80 / 8] = 1;
    guest_run(g_outs);
    check(0x7b, 0x80 << 16 | 4 | 8 | 0x20 | 0x200 | 3 << 10, V64(RIP) + 3, "REP OUTS");
    io_map[0x71 / 8] = 2;
    guest_run(g_ins);
    check(0x7b, 0x71 << 16 | 1 | 4 | 0x10 | 0x200, V64(RIP) + 1, "INS");

    guest_reset();
    intercept(0x7c, true);
    guest_run(g_rdmsr);
    check(0x7c, 0, 0, "an MSR outside of the map");
    ok((V64(RIP) - (uint64_t)g_rdmsr) == 26, "is the first that exits");
    msr_map[0x174 / 4] = 1;
    guest_run(g_rdmsr);
    ok(V64(EXIT_CODE) == 0x7c && V64(RIP) - (uint64_t)g_rdmsr == 5, "RDMSR");
    msr_map[0x174 / 4] = 2;
    msr_map[0x800 + 0x102 / 4] = 1 << 5;
    guest_run(g_rdmsr);
    check(0x7c, 1, 0, "WRMSR");
    msr_map[0x800 + 0x102 / 4] = 0;
    msr_map[0x1000 + 0x114 / 4] = 1;
    guest_run(g_rdmsr);
    ok(V64(EXIT_CODE) == 0x7c && V64(RIP) - (uint64_t)g_rdmsr == 19, "the third range");
}

/* ---- exceptions and injection ---- */

GUEST(g_ud, "ud2");
GUEST(g_pf, "movl %eax, 0x7f0000000123");
GUEST(g_int3, "int3");
GUEST(g_gp, "movw $0x123, %ax; movw %ax, %ds");
GUEST(g_de, "xorl %ecx, %ecx; divl %ecx");
GUEST(g_db, "pushfq; orl $0x100, (%rsp); popfq; nop");
__asm__(".text; g_handler: popq %rbx; popq %rcx; vmmcall; hlt");
void g_handler(void);

static void idt_entry(unsigned vector, void (*to)(void))
{
    uint64_t at = (uint64_t)to;

    guest_idt[vector * 2] = (at & 0xffff) | 24 << 16 | 0x8eull << 40 | (at >> 16 & 0xffff) << 48;
    guest_idt[vector * 2 + 1] = at >> 32;
}

static void exceptions(void)
{
    guest_reset();
    fill(guest_idt, 0, 0x1000);
    V32(EXCEPTIONS) = 0xffffffff;
    guest_run(g_ud);
    check(0x46, 0, 0, "#UD");
    V64(CR2) = 0x55;
    guest_run(g_pf);
    check(0x4e, 2, 0x7f0000000123, "#PF: error code and address");
    ok(V64(CR2) == 0x55, "CR2 stays");
    ok(V8(INSN_LEN) == 15 && V8(INSN) == 0xa3 && V16(INSN + 1) == 0x0123,
       "the instruction's bytes");
    guest_run(g_int3);
    check(0x43, 0, 0, "#BP");
    ok(V64(RIP) == (uint64_t)g_int3 && V64(NRIP) == (uint64_t)g_int3 + 1,
       "at INT3, with what follows");
    guest_run(g_gp);
    check(0x4d, 0x120, 0, "#GP: error code");
    guest_run(g_db);
    check(0x41, 0, 0, "#DB of a single step");
    ok(V64(DR6) & 0x4000, "DR6 is up to date");
    guest_reset();
    guest_run(g_ud);
    check(EXIT_SHUTDOWN, 0, 0, "an exception without handlers shuts down");
    V32(EXCEPTIONS) = 1 << 8;
    idt_entry(6, g_handler);
    V32(IDTR + 4) = 0x6f;
    guest_run(g_gp);
    check(0x48, 0, 0, "#GP whose gate is missing becomes #DF");
    ok(V64(INT_INFO) == (0x80000b0dull | 0x120ull << 32), "EXITINTINFO has the #GP");
    V32(EXCEPTIONS) = 1 << 13;
    guest_run(g_de);
    check(0x4d, 3, 0, "#GP for the gate of #DE comes before #DF");
    ok(V64(INT_INFO) == 0x80000300, "while #DE was delivered");
}

static void injection(void)
{
    guest_reset();
    fill(guest_idt, 0, 0x1000);
    for (unsigned v = 0; v < 256; v++) {
        idt_entry(v, g_handler);
    }
    V64(INJECT) = 0x80000000 | 0x50;
    ok(guest_run(g_nothing) == EXIT_VMMCALL && V64(RSP) == (uint64_t)guest_stack - 24,
       "an interrupt");
    V64(INJECT) = 0x80000b0d | 0xabcull << 32;
    ok(guest_run(g_nothing) == EXIT_VMMCALL && V64(RSP) == (uint64_t)guest_stack - 32,
       "an exception with its error code");
    ok(!(V64(INJECT) >> 31 & 1), "EVENTINJ is done with");
    V64(INJECT) = 0x80000200 | 2;
    ok(guest_run(g_nothing) == EXIT_VMMCALL, "an NMI");
    V64(INJECT) = 0x80000400 | 0x33;
    V64(NRIP) = 0x1234;
    guest_run(g_nothing);
    ok(*(volatile uint64_t *)(guest_stack - 40) == 0x1234,
       "a software interrupt returns behind the instruction");
    V64(INJECT) = 0x80000100 | 0x33;
    ok(guest_run(g_nothing) == ~0ull, "a kind that there is not");
    V64(INJECT) = 0x80000300 | 40;
    ok(guest_run(g_nothing) == ~0ull, "a vector that is no exception");
    V64(INJECT) = 0x80000300 | 6;
    guest_idt[12] = 0;
    V32(EXCEPTIONS) = 1 << 13;
    ok(guest_run(g_nothing) == 0x4d && V64(INT_INFO) == 0x80000306,
       "a fault on the way is reported with the event");
    ok(V64(RIP) == (uint64_t)g_nothing, "nothing ran");
}

/* ---- interrupts ---- */

GUEST(g_sti, "sti; nop; nop");
GUEST(g_spin, "1: jmp 1b");
GUEST(g_clgi_spin, "clgi; sti; nop; nop; nop");

static void timer(uint32_t ticks)
{
    *(volatile uint32_t *)0xfee00320 = 0x40;
    *(volatile uint32_t *)0xfee003e0 = 0xb;
    *(volatile uint32_t *)0xfee00380 = ticks;
}

static void interrupts(void)
{
    uint32_t before;

    guest_reset();
    for (unsigned v = 0; v < 256; v++) {
        idt_entry(v, g_handler);
    }
    V64(INT_CONTROL) = 1 << 24 | 1 << 8 | 5 << 16 | 0x66ull << 32;
    intercept(EXIT_VINTR, true);
    ok(guest_run(g_nothing) == EXIT_VMMCALL, "a virtual interrupt waits for IF");
    ok(guest_run(g_sti) == EXIT_VINTR && V64(RIP) == (uint64_t)g_sti + 2,
       "its window opens one instruction after STI");
    intercept(EXIT_VINTR, false);
    V64(RFLAGS) = 2;
    ok(guest_run(g_sti) == EXIT_VMMCALL && V64(RSP) == (uint64_t)guest_stack - 24,
       "it is delivered");
    ok(!(V64(INT_CONTROL) & 1 << 8), "V_IRQ is clear then");
    V64(INT_CONTROL) = 1 << 24 | 1 << 8 | 5 << 16 | 0x66ull << 32 | 5;
    V64(RFLAGS) = 2;
    guest_run(g_sti);
    ok(V64(RSP) == (uint64_t)guest_stack && (V64(INT_CONTROL) & 1 << 8), "V_TPR holds it back");
    V64(INT_CONTROL) |= 1 << 20;
    V64(RFLAGS) = 0x202;
    V64(INT_STATE) = 1;
    guest_run(g_nothing);
    ok(V64(RSP) == (uint64_t)guest_stack, "so does a shadow, for one instruction");

    guest_reset();
    V64(INT_CONTROL) = 1 << 24;
    intercept(EXIT_INTR, true);
    before = irq_count[0];
    timer(50000);
    ok(guest_run(g_spin) == EXIT_INTR, "a physical interrupt ends the guest, whose IF is clear");
    for (unsigned k = 0; k < 100 && irq_count[0] == before; k++) {
        __asm__ volatile("sti; nop; cli");
    }
    ok(irq_count[0] == before + 1, "and waits for the hypervisor");
    __asm__ volatile("clgi; sti");
    before = irq_count[0];
    timer(1000);
    for (unsigned k = 0; k < 100000; k++) {
        pause_cpu();
    }
    ok(irq_count[0] == before, "GIF holds interrupts back");
    __asm__ volatile("stgi; nop; nop; cli");
    ok(irq_count[0] == before + 1, "until STGI");

    guest_reset();
    V64(INT_CONTROL) = 1 << 25 | 1 << 24 | 1 << 9 | 1 << 20 | 1 << 8 | 0x66ull << 32;
    guest_run(g_clgi_spin);
    ok(V64(RSP) == (uint64_t)guest_stack && !(V64(INT_CONTROL) & 1 << 9),
       "CLGI of a guest with a GIF of its own");
}

/* ---- consistency checks ---- */

static void expect_invalid(const char *name)
{
    ok(guest_run(g_nothing) == ~0ull, name);
    guest_reset();
}

static void consistency(void)
{
    guest_reset();
    ok(guest_run(g_nothing) == EXIT_VMMCALL, "the guest that the others are made from");
    V64(EFER) &= ~0x1000ull;
    expect_invalid("EFER.SVME clear");
    V64(CR0) |= 1 << 29;
    V64(CR0) &= ~(1ull << 30);
    expect_invalid("CR0.NW without CD");
    V64(CR0) |= 1ull << 40;
    expect_invalid("CR0 above 32 bits");
    V64(CR3) |= 1ull << 60;
    expect_invalid("CR3 reserved bits");
    V64(CR4) |= 1ull << 31;
    expect_invalid("CR4 reserved bits");
    V64(DR6) |= 1ull << 32;
    expect_invalid("DR6 above 32 bits");
    V64(DR7) |= 1ull << 32;
    expect_invalid("DR7 above 32 bits");
    V64(EFER) |= 1ull << 40;
    expect_invalid("EFER reserved bits");
    V64(CR4) &= ~0x20ull;
    expect_invalid("long mode without PAE");
    V64(CR0) &= ~1ull;
    expect_invalid("long mode without protection");
    V16(CS + 2) |= 0x400;
    expect_invalid("CS.L and CS.D");
    intercept(0x80, false);
    expect_invalid("no intercept of VMRUN");
    V64(IOPM) = 1ull << 52;
    expect_invalid("a map of ports beyond memory");
    V32(ASID) = 0;
    expect_invalid("ASID 0");
    V64(NP) = 1;
    V64(NCR3) = 1ull << 60;
    expect_invalid("nested CR3 beyond memory");
}

/* ---- nested paging ---- */

GUEST(g_read, "movl 0x1064000, %eax");
GUEST(g_write, "movl %eax, 0x1064010");
GUEST(g_jump, "movl $0x1064000, %eax; jmp *%rax");
GUEST(g_mmio, "movl 0xfee00020, %eax");
GUEST(g_big, "movl (%rbx), %eax");

static void nested(void)
{
    volatile uint64_t *e;
    volatile uint64_t *tables = (volatile uint64_t *)PAGE(101);
    uint64_t cr3;

    guest_reset();
    e = nested_identity();
    ok(guest_run(g_nothing) == EXIT_VMMCALL, "a guest with nested tables");
    *(volatile uint32_t *)PAGE(100) = 0x11223344;
    *(volatile uint32_t *)PAGE(99) = 0x55667788;
    ok(guest_run(g_read) == EXIT_VMMCALL && V64(RAX) == 0x11223344, "reads");
    ok((e[100] & 0x60) == 0x20, "the nested entry is accessed");
    e[100] = (uint64_t)PAGE(99) | 7;
    ok(guest_run(g_read) == EXIT_VMMCALL && V64(RAX) == 0x55667788,
       "what the hypervisor has put there");
    e[100] = (uint64_t)PAGE(100) | 5;
    guest_run(g_write);
    check(EXIT_NPF, 1ull << 32 | 7, 0x1064010, "a write to a read-only page");
    ok(V8(INSN_LEN) == 15 && V8(INSN) == 0x89, "the instruction's bytes");
    e[100] = (uint64_t)PAGE(100) | 7;
    ok(guest_continue() == EXIT_VMMCALL && (e[100] & 0x60) == 0x60, "it is done again, and dirty");
    e[100] = 0;
    guest_run(g_read);
    check(EXIT_NPF, 1ull << 32 | 4, 0x1064000, "a read of a missing page");
    e[100] = (uint64_t)PAGE(100) | 3;
    guest_run(g_read);
    check(EXIT_NPF, 1ull << 32 | 5, 0x1064000, "a page that is not a user's");
    e[100] = (uint64_t)PAGE(100) | 7 | 1ull << 63;
    guest_run(g_jump);
    check(EXIT_NPF, 1ull << 32 | 0x15, 0x1064000, "a fetch from a page without code");
    e[100] = (uint64_t)PAGE(100) | 7 | 1ull << 51;
    guest_run(g_read);
    check(EXIT_NPF, 1ull << 32 | 0xd, 0x1064000, "a reserved bit");
    e[100] = (uint64_t)PAGE(100) | 7;
    __asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
    for (unsigned k = 0; k < 512; k++) {
        tables[k] = ((volatile uint64_t *)cr3)[k];
    }
    V64(CR3) = (uint64_t)tables;
    e[101] = (uint64_t)PAGE(101) | 5;
    guest_run(g_read);
    check(EXIT_NPF, 1ull << 33 | 7, 0x1065000, "the guest's own tables are written to");
    e[101] = 0;
    guest_run(g_read);
    check(EXIT_NPF, 1ull << 33 | 6, 0x1065000, "or missing");
    V64(CR3) = cr3;
    second_tables[1024 + 0xfee00000u / 0x200000] = 0;
    guest_run(g_mmio);
    check(EXIT_NPF, 1ull << 32 | 4, 0xfee00020, "a device that the hypervisor makes up");
    second_tables[1024 + 0xfee00000u / 0x200000] = 0xfee00087;
    ok(guest_run(g_mmio) == EXIT_VMMCALL, "or passes on");
}

/* The guest in real mode without paging of its own. */
static void nested_real(void)
{
    /* mov, store, vmmcall */
    static const uint8_t code[] = {0xb8, 0x34, 0x12, 0xa3, 0x00, 0x20, 0x0f, 0x01, 0xd9};
    volatile uint64_t *e;

    guest_reset();
    e = nested_identity();
    second_tables[1024] = (uint64_t)second_tables + 0x7007;
    fill(second_tables + 3584, 0, 0x1000);
    second_tables[3584 + 1] = (uint64_t)PAGE(110) | 7;
    second_tables[3584 + 2] = (uint64_t)PAGE(111) | 7;
    for (unsigned k = 0; k < sizeof(code); k++) {
        PAGE(110)[k] = code[k];
    }
    seg(CS, 0, 0x9b, 0xffff);
    seg(DS, 0, 0x93, 0xffff);
    seg(SS, 0, 0x93, 0xffff);
    V64(CR0) = 0x10;
    V64(CR4) = 0;
    V64(EFER) = 0x1000;
    V64(RIP) = 0x1000;
    guest_continue();
    ok(V64(EXIT_CODE) == EXIT_VMMCALL && *(volatile uint16_t *)PAGE(111) == 0x1234,
       "real mode through nested tables");
    ok(V64(RIP) == 0x1006, "where it ended");
}

void cpu_tests(unsigned cpu)
{
    on_trap = recover;
    instructions();
    load_and_save();
    each_instruction();
    registers();
    maps();
    exceptions();
    injection();
    interrupts();
    consistency();
    nested();
    nested_real();
    on_trap = 0;
}
