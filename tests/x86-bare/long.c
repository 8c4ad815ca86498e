// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System behaviour in 64-bit mode: canonical addresses, page faults, SMEP, SMAP, protection keys,
 * PCIDs, SYSCALL, state images, MSRs, the local APIC's deadline timer and x2APIC mode. SDM 3A
 * chapters 3 to 6, 10.
 */
#include "bare64.h"
#include "caught64.h"

static uint64_t get_cr4(void)
{
    uint64_t v;

    __asm__ volatile("movq %%cr4, %0" : "=r"(v));
    return v;
}

static void set_cr4(uint64_t v)
{
    __asm__ volatile("movq %0, %%cr4" ::"r"(v));
}

static uint64_t get_cr2(void)
{
    uint64_t v;

    __asm__ volatile("movq %%cr2, %0" : "=r"(v));
    return v;
}

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t *r)
{
    __asm__ volatile("cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "a"(leaf), "c"(sub));
}

#define BAD 0x8000000000000000ull
static volatile uint64_t *const pd = (volatile uint64_t *)0x92000;
#define USER_PAGE 0x400000ull

static void flags_of_faults(void)
{
    TRY("movq (%1), %%rax", "r"(BAD));
    ok(caught_rflags >> 16 & 1, "a fault's flags have RF");
    TRY("int3");
    ok(caught_vector == 3 && !(caught_rflags >> 16 & 1), "a trap's do not");
}

static void addresses(void)
{
    EXPECT_ERROR("a non-canonical operand", 13, 0, "movq (%1), %%rax", "r"(BAD));
    EXPECT_ERROR("with RBP as base", 12, 0,
           "pushq %%rbp; movq %1, %%rbp; movq (%%rbp), %%rax; popq %%rbp", "r"(BAD));
    EXPECT_ERROR("with RBP and DS", 12, 0,
           "pushq %%rbp; movq %1, %%rbp; movq %%ds:(%%rbp), %%rax; popq %%rbp", "r"(BAD));
    EXPECT_ERROR("a jump", 13, 0, "jmpq *%1", "r"(BAD));
    flags_of_faults();
    EXPECT_ERROR("an unmapped page", 14, 0, "movq (%1), %%rax", "r"(0x123456789000ull));
    ok(get_cr2() == 0x123456789000ull, "is in CR2");
    EXPECT_ERROR("written", 14, 2, "movq %%rax, (%1)", "r"(0x123456789000ull));
    EXPECT_ERROR("modified", 14, 2, "incq (%1)", "r"(0x123456789000ull));
    EXPECT_ERROR("compared", 14, 0, "cmpq %%rax, (%1)", "r"(0x123456789000ull));
    EXPECT_ERROR("over the end of a page", 14, 0, "movq (%1), %%rax", "r"(0xfffffffeull));
    ok(get_cr2() == 0x100000000ull, "where CR2 is the second one's");
    EXPECT_ERROR("no instruction longer than 15 bytes", 13, 0,
           ".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90");
    EXPECT_ERROR("LOCK on a register", 6, 0, ".byte 0xf0, 0x01, 0xc0");
    EXPECT_ERROR("UD2", 6, 0, "ud2");
    EXPECT_ERROR("division by zero", 0, 0, "xorl %%ecx, %%ecx; divl %%ecx");
    EXPECT_ERROR("an MSR that is not there reads as 0", NONE, 0, "movl $0x12345, %%ecx; rdmsr");
    EXPECT_ERROR("reserved bits of CR0", 13, 0,
                 "movq %%cr0, %%rax; btsq $32, %%rax; movq %%rax, %%cr0");
    EXPECT_ERROR("CR4.PAE stays", 13, 0,
                 "movq %%cr4, %%rax; andq $~0x20, %%rax; movq %%rax, %%cr4");
}

static void protection(void)
{
    uint64_t cr4 = get_cr4();
    uint32_t r[4];

    pd[0] = 0x83;               /* the program itself is the supervisor's */
    pd[1] = 0x200000 | 0x83;
    __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" ::: "rax", "memory");
    *(volatile uint8_t *)USER_PAGE = 0xc3;
    set_cr4(cr4 | 1 << 20);
    EXPECT_ERROR("SMEP: user code", 14, 0x11, "callq *%1", "r"(USER_PAGE));
    set_cr4(cr4);
    EXPECT_ERROR("without SMEP", NONE, 0, "callq *%1", "r"(USER_PAGE));
    set_cr4(cr4 | 1 << 21);
    EXPECT_ERROR("SMAP: user data", 14, 1, "movb (%1), %%al", "r"(USER_PAGE));
    EXPECT_ERROR("STAC", NONE, 0, "stac; movb (%1), %%al; clac", "r"(USER_PAGE));
    set_cr4(cr4);
    cpuid(7, 0, r);
    if (r[2] & 8) {
        set_cr4(cr4 | 1 << 22);
        cpuid(7, 0, r);
        ok(r[2] & 16, "OSPKE");
        EXPECT_ERROR("WRPKRU", NONE, 0,
                     "xorl %%ecx, %%ecx; xorl %%edx, %%edx; movl $1, %%eax; wrpkru");
        EXPECT_ERROR("a key that denies access", 14, 0x21, "movb (%1), %%al", "r"(USER_PAGE));
        EXPECT_ERROR("RDPKRU with ECX", 13, 0, "movl $1, %%ecx; rdpkru");
        EXPECT_ERROR("back", NONE, 0,
               "xorl %%ecx, %%ecx; xorl %%edx, %%edx; xorl %%eax, %%eax; wrpkru; movb (%1), %%al",
               "r"(USER_PAGE));
        set_cr4(cr4);
        EXPECT_ERROR("RDPKRU without CR4.PKE", 6, 0, "xorl %%ecx, %%ecx; rdpkru");
    }
    pd[2] = USER_PAGE | 0x85;
    __asm__ volatile("invlpg %0" ::"m"(*(char *)USER_PAGE));
    EXPECT_ERROR("a page that is read-only", 14, 3, "movb %%al, (%1)", "r"(USER_PAGE));
    pd[2] = USER_PAGE | 0x87 | 1ull << 63;
    __asm__ volatile("invlpg %0" ::"m"(*(char *)USER_PAGE));
    EXPECT_ERROR("no code there", 14, 0x11, "callq *%1", "r"(USER_PAGE));
    pd[2] = USER_PAGE | 0x2087;
    __asm__ volatile("invlpg %0" ::"m"(*(char *)USER_PAGE));
    EXPECT_ERROR("a reserved bit", 14, 9, "movb (%1), %%al", "r"(USER_PAGE));
    pd[2] = USER_PAGE | 0x87;
    __asm__ volatile("invlpg %0" ::"m"(*(char *)USER_PAGE));
    ok((pd[3] & 0x60) == 0, "accessed and dirty are clear");
    (void)*(volatile char *)0x600000;
    ok((pd[3] & 0x60) == 0x20, "accessed after a read");
    *(volatile char *)0x600000 = 1;
    ok((pd[3] & 0x60) == 0x60, "dirty after a write");
}

static void pcids(void)
{
    uint64_t cr4 = get_cr4(), desc[2] = {0, 0};
    uint32_t r[4];

    cpuid(1, 0, r);
    if (!(r[2] & 1 << 17)) {
        return;
    }
    EXPECT_ERROR("CR4.PCIDE", NONE, 0, "movq %1, %%cr4", "r"(cr4 | 1 << 17));
    EXPECT_ERROR("a CR3 with a PCID and without a flush", NONE, 0,
           "movq %%cr3, %%rax; orq $5, %%rax; btsq $63, %%rax; movq %%rax, %%cr3");
    EXPECT_ERROR("INVPCID", NONE, 0, "movl $2, %%eax; invpcid %1, %%rax", "m"(desc[0]));
    EXPECT_ERROR("of an unknown type", 13, 0, "movl $4, %%eax; invpcid %1, %%rax", "m"(desc[0]));
    desc[0] = 0x1000;
    EXPECT_ERROR("with reserved bits", 13, 0, "movl $1, %%eax; invpcid %1, %%rax", "m"(desc[0]));
    __asm__ volatile("movq %%cr3, %%rax; andq $~0xfff, %%rax; movq %%rax, %%cr3" ::: "rax");
    set_cr4(cr4);
}

void syscall_target(void);
__asm__("syscall_target:\n  movq %rcx, %rdx\n  movq %r11, %rsi\n  jmpq *%rcx\n");

static void syscalls(void)
{
    uint64_t to, flags;

    EXPECT_ERROR("SYSCALL without EFER.SCE", 6, 0, "syscall");
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1);
    wrmsr(0xc0000081, 24ull << 32 | 24ull << 48);
    wrmsr(0xc0000082, (uint64_t)syscall_target);
    wrmsr(0xc0000084, 0x200);
    __asm__ volatile("leaq 1f(%%rip), %%rbx; syscall; 1: subq %%rbx, %%rdx; movq %%rdx, %0; movq "
                     "%%rsi, %1; movl $16, %%eax; movl %%eax, %%ss"
                     : "=m"(to), "=m"(flags)::"rax", "rbx", "rcx", "rdx", "rsi", "r11", "memory");
    ok(to == 0 && flags & 2, "SYSCALL keeps RIP and RFLAGS");
    EXPECT_ERROR("SWAPGS", NONE, 0, "swapgs; swapgs");
    wrmsr(0xc0000101, 0x1234);
    wrmsr(0xc0000102, 0x5678);
    __asm__ volatile("swapgs");
    ok(rdmsr(0xc0000101) == 0x5678 && rdmsr(0xc0000102) == 0x1234, "exchanges the bases");
    EXPECT_ERROR("WRGSBASE without CR4.FSGSBASE", 6, 0, "wrgsbase %%rax");
    set_cr4(get_cr4() | 1 << 16);
    EXPECT_ERROR("with it", NONE, 0, "movl $0x77, %%eax; wrgsbase %%rax");
    ok(rdmsr(0xc0000101) == 0x77, "GS base is there");
    EXPECT_ERROR("a base that is not canonical", 13, 0, "movq %1, %%rax; wrgsbase %%rax", "r"(BAD));
}

static uint8_t image[4096] __attribute__((aligned(64)));

static void images(void)
{
    uint64_t *h = (uint64_t *)(image + 512), in[4] = {1, 2, 3, 4}, out[4] = {0};
    uint32_t r[4];

    set_cr4(get_cr4() | 1 << 18);
    EXPECT_ERROR("XSETBV of SSE and AVX", NONE, 0,
           "xorl %%ecx, %%ecx; xorl %%edx, %%edx; movl $7, %%eax; xsetbv");
    EXPECT_ERROR("XSETBV of AVX alone", 13, 0,
           "xorl %%ecx, %%ecx; xorl %%edx, %%edx; movl $5, %%eax; xsetbv");
    EXPECT_ERROR("XSETBV without x87", 13, 0,
           "xorl %%ecx, %%ecx; xorl %%edx, %%edx; movl $2, %%eax; xsetbv");
    cpuid(13, 0, r);
    ok(r[1] == 832 && r[2] >= 832, "CPUID says how large an image is");
    __asm__ volatile("vmovdqu %0, %%ymm3" ::"m"(in[0]));
    EXPECT_ERROR("XSAVE", NONE, 0, "movl $7, %%eax; xorl %%edx, %%edx; xsave %1", "m"(image[0]));
    ok(h[0] == 7 || h[0] == 6, "XSTATE_BV");
    ok(*(uint64_t *)(image + 160 + 48) == 1 && *(uint64_t *)(image + 576 + 48) == 3,
       "both halves of YMM3 are there");
    __asm__ volatile("vpxor %ymm3, %ymm3, %ymm3");
    EXPECT_ERROR("XRSTOR", NONE, 0, "movl $7, %%eax; xorl %%edx, %%edx; xrstor %1", "m"(image[0]));
    __asm__ volatile("vmovdqu %%ymm3, %0" : "=m"(out[0]));
    ok(out[0] == 1 && out[3] == 4, "brings them back");
    for (unsigned k = 0; k < sizeof(image); k++) {
        image[k] = 0;
    }
    EXPECT_ERROR("XSAVEC", NONE, 0, "movl $7, %%eax; xorl %%edx, %%edx; xsavec %1", "m"(image[0]));
    ok((h[1] >> 63) && (h[1] & 7) == 7 && *(uint64_t *)(image + 576 + 48) == 3, "compacted");
    __asm__ volatile("vpxor %ymm3, %ymm3, %ymm3");
    EXPECT_ERROR("XRSTOR of it", NONE, 0, "movl $7, %%eax; xorl %%edx, %%edx; xrstor %1",
                 "m"(image[0]));
    __asm__ volatile("vmovdqu %%ymm3, %0" : "=m"(out[0]));
    ok(out[0] == 1 && out[3] == 4, "brings them back too");
    EXPECT_ERROR("XSAVES and XRSTORS", NONE, 0,
           "movl $7, %%eax; xorl %%edx, %%edx; xsaves %1; xrstors %1", "m"(image[0]));
    h[2] = 1;
    EXPECT_ERROR("a header with reserved fields", 13, 0,
                 "movl $7, %%eax; xorl %%edx, %%edx; xrstor %1", "m"(image[0]));
    EXPECT_ERROR("an image that is not aligned", 13, 0,
                 "movl $7, %%eax; xorl %%edx, %%edx; xsave %1", "m"(image[32]));
    __asm__ volatile("vzeroall");
}

static void apic(void)
{
    uint64_t start;
    uint32_t r[4];

    wrmsr(0xc0000103, 0x42);
    cpuid(7, 0, r);
    if (r[2] & 1 << 22) {
        uint64_t id;
        __asm__ volatile("rdpid %0" : "=r"(id));
        ok(id == 0x42, "RDPID");
    }
    cpuid(1, 0, r);
    if (r[2] & 1 << 24) {
        irq_count[0] = 0;
        /* LVT timer: TSC deadline, vector 40h */
        *(volatile uint32_t *)0xfee00320 = 0x40040;
        __asm__ volatile("mfence; rdtsc; shlq $32, %%rdx; orq %%rdx, %%rax" : "=a"(start)::"rdx");
        wrmsr(0x6e0, start + 1000000);
        ok(rdmsr(0x6e0) == start + 1000000 || rdmsr(0x6e0) == 0,
           "the deadline reads back until it is over");
        while (!irq_count[0]) {
            __asm__ volatile("sti; hlt; cli");
        }
        ok(rdmsr(0x6e0) == 0, "the deadline interrupt arrives");
    }
    if (r[2] & 1 << 21) {
        wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
        ok((rdmsr(0x803) & 0xff) == (*(volatile uint32_t *)0xfee00030 & 0xff) ||
               (rdmsr(0x803) & 0xf0) == 0x10,
           "x2APIC registers are MSRs");
        ok(rdmsr(0x802) == 0, "the ID");
        irq_count[0] = 0;
        wrmsr(0x83f, 0x40);                                 /* SELF IPI */
        __asm__ volatile("sti; nop; nop; cli");
        wrmsr(0x80b, 0);
        EXPECT_ERROR("a reserved register", 13, 0, "movl $0x80e, %%ecx; rdmsr");
        EXPECT_ERROR("back to xAPIC is not allowed", 13, 0,
               "movl $0x1b, %%ecx; rdmsr; andl $~0x400, %%eax; wrmsr");
    }
}

static void memory_types(void)
{
    uint64_t pat = rdmsr(0x277), cap = rdmsr(0xfe);

    ok(pat == 0x0007040600070406ull, "PAT after reset");
    EXPECT_ERROR("PAT", NONE, 0,
           "movl $0x277, %%ecx; movl $0x01040506, %%edx; movl $0x00070406, %%eax; wrmsr");
    EXPECT_ERROR("a type that there is not", 13, 0,
           "movl $0x277, %%ecx; movl $2, %%edx; movl $0, %%eax; wrmsr");
    ok((cap & 0xff) >= 8, "variable MTRRs");
    wrmsr(0x200, 0x80000006);
    wrmsr(0x201, 0xfff80000800ull & ((1ull << 40) - 1));
    ok(rdmsr(0x200) == 0x80000006, "they keep what is written");
    EXPECT_ERROR("a reserved default type", 13, 0,
           "movl $0x2ff, %%ecx; xorl %%edx, %%edx; movl $2, %%eax; wrmsr");
    wrmsr(0x277, pat);
}

void cpu_tests(unsigned cpu)
{
    on_trap = recover;
    addresses();
    protection();
    pcids();
    syscalls();
    images();
    memory_types();
    apic();
    on_trap = 0;
}
