// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Paging with five levels, entered from 32-bit code and left again. SDM 3A 4.5.1, 4.5.5; 2.5
 * (CR4.LA57).
 */
#include "bare.h"

enum {
    PML5 = 0x80000,
    PML4 = 0x81000,
    PML4_HIGH = 0x82000,
    PDPT = 0x83000,
    PD = 0x84000,
    PD_HIGH = 0x85000,
    PDPT_HIGH = 0x86000
};
enum { SEL_CODE64 = 48 };

static volatile uint32_t results[8] __attribute__((aligned(8)));

static void entry(uint32_t table, unsigned n, uint32_t value)
{
    volatile uint32_t *e = (volatile uint32_t *)(table + n * 8);

    e[0] = value;
    e[1] = 0;
}

/* 0..2 MiB at 0, and the same memory at 1 << 48 and at -1 << 56. */
static void tables(void)
{
    for (uint32_t p = PML5; p < PDPT_HIGH + 0x1000; p += 4) {
        *(volatile uint32_t *)p = 0;
    }
    entry(PML5, 0, PML4 | 3);
    entry(PML5, 1, PML4_HIGH | 3);
    entry(PML5, 256, PML4_HIGH | 3);
    entry(PML4, 0, PDPT | 3);
    entry(PML4_HIGH, 0, PDPT_HIGH | 3);
    entry(PDPT, 0, PD | 3);
    entry(PDPT_HIGH, 0, PD_HIGH | 3);
    entry(PD, 0, 0x83);
    entry(PD_HIGH, 0, 0x83);
}

static void in_long_mode(void)
{
    __asm__ volatile(
        "movl %%cr4, %%eax; orl $0x1020, %%eax; movl %%eax, %%cr4\n"
        "movl %0, %%eax; movl %%eax, %%cr3\n"
        "movl $0xc0000080, %%ecx; rdmsr; orl $0x100, %%eax; wrmsr\n"
        "movl %%cr0, %%eax; orl $0x80000000, %%eax; movl %%eax, %%cr0\n"
        "ljmp %1, $1f\n"
        ".code64\n"
        "1: movl %%esi, %%esi\n"
        "movl $0x12345678, (%%rsi)\n"
        "movabs $0x1000000000000, %%rdi\n"
        "movl (%%rdi, %%rsi), %%eax; movl %%eax, 4(%%rsi)\n"
        "movabs $0xff00000000000000, %%rdi\n"
        "addl $1, (%%rdi, %%rsi)\n"
        "leaq 2f(%%rip), %%rdx; movabs $0x1000000000000, %%rdi; addq %%rdi, %%rdx; jmpq *%%rdx\n"
        "2: leaq 2b(%%rip), %%rdx; shrq $32, %%rdx; movl %%edx, 8(%%rsi)\n"
        "movl $0x63, %%eax; pushq %%rax; popq %%rbx\n"
        "leaq 5f(%%rip), %%rax; movl %%eax, %%eax; jmpq *%%rax; 5:\n"
        "subq $16, %%rsp; movl $3f, %%eax; movl %%eax, (%%rsp); movl %3, 4(%%rsp); ljmp *(%%rsp)\n"
        ".code32\n"
        "3: addl $16, %%esp; movl %%cr0, %%eax; andl $0x7fffffff, %%eax; movl %%eax, %%cr0\n"
        "movl $0xc0000080, %%ecx; rdmsr; andl $~0x100, %%eax; wrmsr\n"
        "movl %%cr4, %%eax; andl $~0x1020, %%eax; movl %%eax, %%cr4\n" ::"i"(PML5),
        "i"(SEL_CODE64), "S"(results), "i"(SEL_CODE)
        : "eax", "ecx", "edx", "ebx", "edi", "memory", "cc");
}

void tests(void)
{
    uint32_t a = 7, c = 0;

    __asm__ volatile("cpuid" : "+a"(a), "+c"(c)::"ebx", "edx");
    ok(c & 0x10000, "announced");
    gdt_set(SEL_CODE64, segment(0, 0xfffff, 0x9b, 0xa));
    tables();
    TRY(in_long_mode());
    ok(caught == -1, "there and back");
    ok(results[0] == 0x12345679, "the upper half of 57 bits");
    ok(results[1] == 0x12345678, "an address of 49 bits");
    ok(results[2] == 0x10000, "code at such an address");
    ok((*(volatile uint32_t *)PML5 & 0x20) && (*(volatile uint32_t *)(PML5 + 8) & 0x20) &&
           (*(volatile uint32_t *)(PML5 + 256 * 8) & 0x20), "accessed bits of the fifth level");
    ok(!(*(volatile uint32_t *)(PML5 + 16)), "and no others");
}
