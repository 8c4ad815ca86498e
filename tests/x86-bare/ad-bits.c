// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accessed and dirty bits with several processors: a walk sets them by locked accesses, so that
 * nothing is lost of what another writes to the same entry, and a page whose entry said read-only
 * or not present is not written to. Keys, SMEP and SMAP of supervisor's accesses. SDM 3A 4.6, 4.8.
 */
// run: -smp 2
#include "bare64.h"
#include "caught64.h"

enum {
    ROUNDS = 4000,
    A = 0x20,
    D = 0x40,
    SOFT = 0x200,
    PAGES = 8
};
#define WINDOW 0x40000000ull /* its entry of the page directory is at 93000h */
static volatile uint64_t *const entry = (volatile uint64_t *)0x93000;
static volatile uint64_t *const table = (volatile uint64_t *)0x99000;
static volatile uint32_t stop, wrong, touched;

static void flush(uint64_t va)
{
    __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

/* One counts in the bits that software may use while the other's walks set A and D. */
static void counted(unsigned cpu)
{
    volatile uint64_t *pte = &table[0];

    barrier();
    if (cpu == 0) {
        for (unsigned k = 0; k < 512; k++) {
            table[k] = 0;
        }
        for (unsigned k = 0; k < PAGES; k++) {
            table[k] = (0x200000 + k * 0x1000) | 7;
        }
        *entry = (uint64_t)table | 7;
        stop = 0;
    }
    barrier();
    flush(WINDOW);
    if (cpu == 0) {
        for (uint64_t k = 0; k < ROUNDS; k++) {
            /* bits 52 to 62 count; A and D are taken away */
            __asm__ volatile("lock addq %1, %0" : "+m"(*pte) : "r"(1ull << 52) : "cc", "memory");
            __asm__ volatile("lock andq $~0x60, %0" : "+m"(*pte)::"cc", "memory");
        }
        stop = 1;
    } else {
        do {
            *(volatile uint32_t *)WINDOW = 5;
            flush(WINDOW);
            touched++;
        } while (!stop);
    }
    barrier();
    if (cpu == 0) {
        ok((*pte >> 52 & 0x7ff) == (ROUNDS & 0x7ff), "nothing is lost of what another adds");
        ok((*pte & 0xfffff000) == 0x200000 && (*pte & 7) == 7, "nor of the rest");
        ok(touched > 0, "while the page is written to");
    }
}

/* One takes pages away by XCHG; D in the old entry says whether the other has written before. */
static void taken_away(unsigned cpu)
{
    volatile uint64_t *pte = &table[1];
    volatile uint32_t *page = (volatile uint32_t *)0x201000,
                      *seen = (volatile uint32_t *)(WINDOW + 0x1000);

    on_trap = recover;
    barrier();
    for (uint32_t k = 1; k <= 300; k++) {
        if (cpu == 0) {
            *page = 0;
            *pte = 0x201000 | 7 | A;
        }
        barrier();
        flush((uint64_t)seen);
        if (cpu == 0) {
            uint64_t old = 0;
            for (volatile unsigned n = 0; n < k % 40; n++) {
            }
            __asm__ volatile("xchgq %0, %1" : "+r"(old), "+m"(*pte)::"memory");
            barrier();
            if (*page && !(old & D)) {
                __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
            }
            if (*pte) {
                __atomic_add_fetch(&wrong, 1,
                                   __ATOMIC_SEQ_CST); /* no bit in an entry that is gone */
            }
        } else {
            for (volatile unsigned n = 0; n < k % 23; n++) {
            }
            TRY("movl $1, (%1)", "r"(seen));
            barrier();
        }
        barrier();
    }
    if (cpu == 0) {
        ok(!wrong, "a page that is written to has its D bit, and only if its entry was there");
    }
}

static void kinds(void)
{
    volatile uint64_t *pte = &table[2];
    volatile uint8_t *page = (volatile uint8_t *)(WINDOW + 0x2000);
    uint64_t pml4e = *(volatile uint64_t *)0x90000;

    *pte = 0x202000 | 7;
    flush((uint64_t)page);
    (void)*page;
    ok((*pte & (A | D)) == A, "a read sets A");
    *page = 1;
    ok((*pte & (A | D)) == (A | D), "a write then sets D");
    *pte = 0x202000 | 7;
    flush((uint64_t)page);
    __asm__ volatile("lock cmpxchgb %b2, %0" : "+m"(*page) : "a"(0x55), "r"(1) : "cc", "memory");
    ok(*pte & D, "CMPXCHG that does not match sets D");
    *pte = 0x202000 | 5;
    flush((uint64_t)page);
    EXPECT_ERROR("a write that faults", 14, 3, "movb $1, (%1)", "r"(page));
    ok(!(*pte & D), "sets no D");
    *pte = 0x202000 | 7;
    *entry &= ~0x20ull;
    flush((uint64_t)page);
    (void)*page;
    ok(*entry & A && *pte & A && pml4e & A, "A in all levels");
    *pte = 0x202000 | 7;
    flush((uint64_t)page);
    __asm__ volatile("prefetcht0 %0; clflush %0" ::"m"(*page));
    __asm__ volatile("verw %w0" ::"r"(16) : "cc");
    ok(!(*pte & D), "nothing else sets D");
}

struct Table {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));
static uint64_t gdt[8];

static uint64_t get_cr4(void)
{
    uint64_t v;

    __asm__ volatile("movq %%cr4, %0" : "=r"(v));
    return v;
}

static void set_cr4(uint64_t v)
{
    __asm__ volatile("movq %0, %%cr4" ::"r"(v) : "memory");
}

static void set_wp(bool on)
{
    uint64_t v;

    __asm__ volatile("movq %%cr0, %0" : "=r"(v));
    v = on ? v | 1 << 16 : v & ~(1ull << 16);
    __asm__ volatile("movq %0, %%cr0" ::"r"(v) : "memory");
}

static void set_pkru(uint32_t v)
{
    __asm__ volatile("wrpkru" ::"a"(v), "c"(0), "d"(0));
}

/* The window is the user's; all else becomes the supervisor's, as the program must be with SMEP. */
static void rights(void)
{
    volatile uint64_t *pte = &table[3], *pd = (volatile uint64_t *)0x92000;
    volatile uint8_t *page = (volatile uint8_t *)(WINDOW + 0x3000);
    uint64_t cr4 = get_cr4();
    struct Table old;

    for (unsigned k = 0; k < 8; k++) {
        pd[k] &= ~4ull;
    }
    for (unsigned k = 0; k < 512; k++) { /* the APIC's part, too */
        ((volatile uint64_t *)0x95000)[k] &= ~4ull;
    }
    __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" ::: "rax", "memory");
    *pte = 0x203000 | 7;
    flush((uint64_t)page);
    *page = 0xc3;
    set_wp(true);
    set_cr4(cr4 | 1 << 21);
    EXPECT_ERROR("SMAP: a read of the user's", 14, 1, "movb (%1), %%al", "r"(page));
    EXPECT_ERROR("a write", 14, 3, "movb %%al, (%1)", "r"(page));
    EXPECT_ERROR("with EFLAGS.AC", NONE, 0, "stac; movb %%al, (%1); clac", "r"(page));
    EXPECT_ERROR("code is not SMAP's", NONE, 0, "stac; movb $0xc3, (%1); clac; callq *%1",
                 "r"(page));
    *pte = 0x203000 | 3;
    flush((uint64_t)page);
    EXPECT_ERROR("the supervisor's own", NONE, 0, "movb (%1), %%al", "r"(page));
    /* 3A 4.6.1: implicit accesses ignore AC */
    *pte = 0x203000 | 7;
    flush((uint64_t)page);
    __asm__ volatile("sgdt %0" : "=m"(old));
    for (unsigned k = 0; k < 4; k++) {
        gdt[k] = ((uint64_t *)old.base)[k];
    }
    gdt[4] = 15 | 0x82ull << 40 | ((uint64_t)page & 0xffffff) << 16 |
             ((uint64_t)page >> 24 & 0xff) << 56;
    struct Table ours = {sizeof(gdt) - 1, (uint64_t)gdt};
    __asm__ volatile("lgdt %0; lldt %w1" ::"m"(ours), "r"(32));
    EXPECT_ERROR("an access that an instruction implies ignores it", 14, 1,
                 "stac; movl $4, %%eax; movl %%eax, %%fs");
    __asm__ volatile("lldt %w1; lgdt %0; clac" ::"m"(old), "r"(0));
    set_cr4(cr4 | 1 << 20);
    EXPECT_ERROR("SMEP", 14, 0x11, "callq *%1", "r"(page));
    set_cr4(cr4 | 1 << 22);
    *pte = 0x203000 | 7 | 5ull << 59;
    flush((uint64_t)page);
    set_pkru(1 << 10);
    EXPECT_ERROR("a key that denies access, to the supervisor", 14, 0x21, "movb (%1), %%al",
                 "r"(page));
    EXPECT_ERROR("and writes", 14, 0x23, "movb %%al, (%1)", "r"(page));
    set_pkru(2 << 10);
    EXPECT_ERROR("a key that denies writes lets reads through", NONE, 0, "movb (%1), %%al",
                 "r"(page));
    EXPECT_ERROR("and no writes with CR0.WP", 14, 0x23, "movb %%al, (%1)", "r"(page));
    set_wp(false);
    EXPECT_ERROR("but without", NONE, 0, "movb $0xc3, (%1)", "r"(page));
    set_wp(true);
    set_pkru(3 << 10);
    EXPECT_ERROR("code is not looked at", NONE, 0, "callq *%1", "r"(page));
    *pte = 0x203000 | 3 | 5ull << 59;
    flush((uint64_t)page);
    EXPECT_ERROR("nor are the supervisor's pages", NONE, 0, "movb %%al, (%1)", "r"(page));
    set_pkru(0);
    set_cr4(cr4);
    set_wp(false);
}

void cpu_tests(unsigned cpu)
{
    on_trap = recover;
    counted(cpu);
    taken_away(cpu);
    barrier();
    if (cpu == 0) {
        kinds();
        rights();
    }
    barrier();
}
