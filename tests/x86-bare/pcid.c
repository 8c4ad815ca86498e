// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Address spaces with a PCID: two sets of tables show different data and code at one address. What
 * is kept of each over changes of CR3 must be its own, and must go by each kind of invalidation
 * (SDM 3A 4.10.4). Nothing here reads a translation that may be stale.
 */
#include "bare64.h"

#define VA 0x100000000ull
#define KEEP (1ull << 63)
enum {
    ROOT = 0x90000,                     /* start64.S: tables of space A */
    ROOT_B = 0x410000,
    POINTERS_B = 0x411000,
    DIRECTORY = 0x420000,               /* of A; B's behind it */
    TABLE = 0x430000,                   /* likewise */
    PLACE = 0x500000,                   /* pages 0, 1, ... */
};

static volatile unsigned faults;

static bool trap(Frame64 *f)
{
    faults++;
    f->rip += 3;                        /* mov %al, (%rcx) and what follows it */
    return f->vector == 14;
}

static void set_cr3(unsigned space, unsigned pcid, uint64_t keep)
{
    uint64_t v = (space ? ROOT_B : ROOT) | pcid | keep;

    __asm__ volatile("movq %0, %%cr3" ::"r"(v) : "memory");
}

static uint64_t cr4_change(uint64_t set, uint64_t clear)
{
    uint64_t v;

    __asm__ volatile("movq %%cr4, %0" : "=r"(v));
    v = (v | set) & ~clear;
    __asm__ volatile("movq %0, %%cr4" ::"r"(v) : "memory");
    return v;
}

static void invpcid(uint64_t type, uint64_t pcid, uint64_t va)
{
    uint64_t d[2] = {pcid, va};

    __asm__ volatile("invpcid %0, %1" ::"m"(d), "r"(type) : "memory");
}

static void map(unsigned space, unsigned page, uint64_t flags)
{
    ((volatile uint64_t *)(TABLE + space * 0x1000))[0] = (PLACE + page * 0x1000) | flags;
}

static unsigned data(void)
{
    return *(volatile unsigned *)VA;
}

static unsigned call(void)
{
    unsigned r;

    __asm__ volatile("call *%1" : "=a"(r) : "r"(VA + 16) : "memory");
    return r;
}

/* The page's number, as data and as what its code returns. */
static void fill(unsigned page, unsigned number)
{
    volatile uint8_t *p = (volatile uint8_t *)(PLACE + page * 0x1000ull);

    *(volatile unsigned *)p = number;
    p[16] = 0xb8;
    *(volatile unsigned *)(p + 17) = number;
    p[21] = 0xc3;
}

static bool is(unsigned number)
{
    unsigned d = data(), c = call();

    if (d != number || c != number) {
        note("wanted", number);
        note("data", d);
        note("code", c);
    }
    return d == number && c == number;
}

static bool write_faults(void)
{
    unsigned before = faults;

    __asm__ volatile("movb %%al, (%%rcx); nop" ::"a"(0), "c"(VA + 64) : "memory");
    return faults == before + 1;
}

static void prepare(void)
{
    for (unsigned n = 0; n < 512; n++) {
        ((volatile uint64_t *)ROOT_B)[n] = ((volatile uint64_t *)ROOT)[n];
        ((volatile uint64_t *)POINTERS_B)[n] = ((volatile uint64_t *)0x91000)[n];
        for (unsigned space = 0; space < 2; space++) {
            ((volatile uint64_t *)(DIRECTORY + space * 0x1000))[n] = 0;
            ((volatile uint64_t *)(TABLE + space * 0x1000))[n] = 0;
        }
    }
    *(volatile uint64_t *)ROOT_B = POINTERS_B | 7;
    ((volatile uint64_t *)0x91000)[4] = DIRECTORY | 7;
    ((volatile uint64_t *)POINTERS_B)[4] = (DIRECTORY + 0x1000) | 7;
    for (unsigned space = 0; space < 2; space++) {
        *(volatile uint64_t *)(DIRECTORY + space * 0x1000) = (TABLE + space * 0x1000) | 7;
        map(space, space, 3);
    }
    for (unsigned page = 0; page < 8; page++) {
        fill(page, 0x100 + page);
    }
    set_cr3(0, 0, 0);
    cr4_change(1 << 7 | 1 << 17, 0);    /* PGE, PCIDE */
}

static bool alternate(unsigned times, unsigned pcids, unsigned a, unsigned b)
{
    bool good = true;

    for (unsigned n = 0; n < times; n++) {
        set_cr3(n & 1, 1 + n % pcids, KEEP);
        good &= is(n & 1 ? b : a);
    }
    return good;
}

static void invalidations(void)
{
    static const char *const names[] = {"INVPCID of an address", "INVPCID of a PCID",
                                        "INVPCID of everything", "INVPCID of what is not global"};

    set_cr3(0, 1, KEEP);
    map(0, 2, 3);
    __asm__ volatile("invlpg (%0)" ::"r"(VA) : "memory");
    ok(is(0x102) && alternate(6, 2, 0x102, 0x101), "INVLPG");
    set_cr3(1, 2, KEEP);
    map(0, 3, 3);
    set_cr3(0, 1, 0);
    ok(is(0x103) && alternate(6, 2, 0x103, 0x101), "CR3 without bit 63");
    for (unsigned type = 0; type < 4; type++) {
        set_cr3(1, 2, KEEP);
        is(0x101);
        map(0, 4 + type, 3);
        invpcid(type, 1, VA);
        set_cr3(0, 1, KEEP);
        ok(is(0x104 + type) && alternate(6, 2, 0x104 + type, 0x101), names[type]);
    }
    set_cr3(1, 2, KEEP);
    map(0, 0, 1);
    invpcid(1, 1, 0);
    set_cr3(0, 1, KEEP);
    uint64_t cr0;
    __asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("movq %0, %%cr0" ::"r"(cr0 | 1 << 16));
    ok(is(0x100) && write_faults(), "rights");
    set_cr3(1, 2, KEEP);
    ok(is(0x101) && !write_faults(), "and those of the other one");
}

void cpu_tests(unsigned cpu)
{
    bool good = true;

    if (cpu) {
        return;
    }
    on_trap = trap;
    prepare();
    set_cr3(1, 2, 0);
    set_cr3(0, 1, 0);
    ok(alternate(2000, 2, 0x100, 0x101), "two spaces");
    for (unsigned pcid = 1; pcid <= 20; pcid++) {
        set_cr3(~pcid & 1, pcid, 0);
    }
    ok(alternate(2000, 20, 0x100, 0x101), "many spaces");
    for (unsigned n = 0; n < 50; n++) { /* written at another address, in the other space */
        set_cr3(1, 2, KEEP);
        fill(0, n);
        set_cr3(0, 1, KEEP);
        good &= is(n);
    }
    ok(good, "code that changes while the other space is there");
    fill(0, 0x100);
    invalidations();
    set_cr3(0, 0, 0);
    cr4_change(0, 1 << 17);
    map(0, 5, 3);
    set_cr3(0, 0, 0);
    ok(is(0x105), "without PCIDs");
}
