// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loops that walk through pages while these change: another page is shown at the address, rights
 * are taken away, a page that is written to has code in it, accesses lie in two pages that are not
 * neighbours. What a loop remembers of its page must go with each INVLPG, write of CR3 and
 * protection (SDM 3A 4.10.4).
 */
#include "bare64.h"

#define VA 0x100000000ull
enum {
    DIRECTORY = 0x420000,
    TABLE = 0x430000,
    PLACE = 0x500000,                   /* pages 0, 1, ... */
    ROUNDS = 4000,                      /* enough for loops to be made anew */
};

static volatile unsigned faults;
static volatile uint64_t fault_at;

static void map(unsigned slot, unsigned page, uint64_t flags)
{
    ((volatile uint64_t *)TABLE)[slot] = (PLACE + page * 0x1000) | flags;
}

static inline void invlpg(uint64_t va)
{
    __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

/* Gives the page back. */
static bool trap(Frame64 *f)
{
    uint64_t at;

    __asm__ volatile("movq %%cr2, %0" : "=r"(at));
    faults++;
    fault_at = at;
    map((unsigned)(at >> 12 & 511), (unsigned)(at >> 12 & 511), 3);
    invlpg(at);
    return f->vector == 14;
}

static __attribute__((noinline)) uint64_t sum(volatile uint8_t *p, unsigned n)
{
    uint64_t s = 0;

    for (; n; n--, p++) {
        s += *p;
    }
    return s;
}

static __attribute__((noinline)) uint64_t sum_wide(uint64_t va, unsigned n)
{
    uint64_t s = 0;

    for (; n; n--, va += 5) {
        uint64_t v;
        __asm__ volatile("movq (%1), %0" : "=r"(v) : "r"(va));
        s = s * 3 + v;
    }
    return s;
}

static __attribute__((noinline)) void fill(volatile uint8_t *p, unsigned n, uint8_t v)
{
    for (; n; n--, p++) {
        *p = v;
    }
}

/* The page changes in the middle of the loop. */
static __attribute__((noinline)) uint64_t sum_changing(volatile uint8_t *p, unsigned n)
{
    uint64_t s = 0;

    for (unsigned i = 0; i < n; i++, p = (volatile uint8_t *)(VA + i % 64)) {
        if (i % 64 == 0) {
            map(0, i / 64 % 4, 3);
            invlpg(VA);
        }
        s = s * 3 + *p;
    }
    return s;
}

static void remap(void)
{
    bool good = true;
    uint64_t want = 0;

    for (unsigned n = 0; n < ROUNDS; n++) {
        map(0, n % 4, 3);
        if (n % 8 < 4) {
            invlpg(VA);
        } else {
            __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" ::: "rax", "memory");
        }
        good &= sum((volatile uint8_t *)VA, 32) == 32 * (n % 4 + 1);
    }
    ok(good, "another page, before the loop");
    for (unsigned i = 0; i < ROUNDS; i++) {
        want = want * 3 + i / 64 % 4 + 1;
    }
    ok(sum_changing((volatile uint8_t *)VA, ROUNDS) == want, "and within it");
    map(0, 0, 3);
    invlpg(VA);
}

static void borders(void)
{
    volatile uint8_t *a = (volatile uint8_t *)(PLACE + 2 * 0x1000);
    volatile uint8_t *b = (volatile uint8_t *)(PLACE + 7 * 0x1000);
    bool good = true;

    for (unsigned i = 0; i < 64; i++) {
        a[0x1000 - 64 + i] = (uint8_t)(i * 7);
        b[i] = (uint8_t)(i * 11);
    }
    uint64_t want = 0, place = PLACE + 8 * 0x1000;
    for (unsigned i = 0; i < 64; i++) {
        ((volatile uint8_t *)place)[i] = a[0x1000 - 64 + i];
        ((volatile uint8_t *)place)[64 + i] = b[i];
    }
    for (unsigned i = 0; i < 20; i++) {
        uint64_t v;
        __asm__ volatile("movq (%1), %0" : "=r"(v) : "r"(place + i * 5));
        want = want * 3 + v;
    }
    map(2, 2, 3);
    map(3, 7, 3);
    invlpg(VA + 0x2000);
    invlpg(VA + 0x3000);
    for (unsigned n = 0; n < ROUNDS; n++) {
        good &= sum_wide(VA + 0x3000 - 64, 20) == want;
    }
    ok(good, "over the border of two pages");
    fill(a, 4096, 3);
    fill(b, 4096, 8);
    map(3, 3, 3);
    invlpg(VA + 0x3000);
}

static void rights(void)
{
    bool good = true;
    uint64_t cr0;

    __asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("movq %0, %%cr0" ::"r"(cr0 | 1 << 16));
    for (unsigned n = 0; n < ROUNDS; n++) {
        unsigned before = faults;
        if (n % 16 == 5) {
            map(1, 1, 1);
            invlpg(VA + 0x1000);
        }
        fill((volatile uint8_t *)VA + 0x1000, 24, (uint8_t)n);
        good &= faults == before + (n % 16 == 5) &&
                sum((volatile uint8_t *)(PLACE + 0x1000), 24) == 24 * (n & 255);
    }
    ok(good && fault_at == VA + 0x1000, "write protection");
    for (unsigned n = 0; n < ROUNDS; n++) {
        unsigned before = faults;
        if (n % 16 == 5) {
            map(1, 1, 0);
            invlpg(VA + 0x1000);
        }
        good &= sum((volatile uint8_t *)VA + 0x1000, 24) == 24 * ((ROUNDS - 1) & 255) &&
                faults == before + (n % 16 == 5);
    }
    ok(good, "absence");
}

/* mov $n, %eax; ret: written byte for byte, through the loop that has written there before. */
static void code(void)
{
    volatile uint8_t *p = (volatile uint8_t *)VA + 4 * 0x1000;
    bool good = true;

    for (unsigned n = 0; n < ROUNDS; n++) {
        unsigned r;
        fill(p + 64, 24, (uint8_t)n);
        if (n % 4 == 0) {
            p[0] = 0xb8;
            p[5] = 0xc3;
            fill(p + 1, 4, (uint8_t)(n / 4));
        }
        __asm__ volatile("call *%1" : "=a"(r) : "r"(p) : "memory");
        good &= r == (n / 4 & 255) * 0x01010101u;
    }
    ok(good, "code in a page that loops write to");
}

void cpu_tests(unsigned cpu)
{
    if (cpu) {
        return;
    }
    on_trap = trap;
    for (unsigned n = 0; n < 512; n++) {
        ((volatile uint64_t *)DIRECTORY)[n] = 0;
        ((volatile uint64_t *)TABLE)[n] = 0;
    }
    *(volatile uint64_t *)DIRECTORY = TABLE | 7;
    ((volatile uint64_t *)0x91000)[4] = DIRECTORY | 7;
    for (unsigned page = 0; page < 8; page++) {
        map(page, page, 3);
        fill((volatile uint8_t *)(PLACE + page * 0x1000ull), 4096, (uint8_t)(page + 1));
    }
    __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" ::: "rax", "memory");
    remap();
    borders();
    rights();
    code();
}
