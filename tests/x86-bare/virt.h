// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the images that run guests share, by SVM or VMX: memory of the test's own, the tables of the
 * guest's physical memory, random values.
 */
#ifndef X86_BARE_VIRT_H
#define X86_BARE_VIRT_H

#include "bare64.h"

#define PAGE(n) ((uint8_t *)0x1000000 + (n) * 0x1000)   /* memory of the test's, from 16 MiB */
#define guest_stack (PAGE(17) - 16)
#define guest_idt ((volatile uint64_t *)PAGE(18))
#define second_tables ((volatile uint64_t *)PAGE(32))

/* A guest program: ends with `end`. */
#define GUEST_TEXT(name, text, end) \
    void name(void); \
    __asm__(".text; " #name ": " text "; " end "; hlt")

static inline void fill(volatile void *at, unsigned value, unsigned bytes)
{
    for (unsigned k = 0; k < bytes; k++) {
        ((volatile uint8_t *)at)[k] = value;
    }
}

/*
 * Tables for the first 4 GiB, 2 MiB pages and 4 KiB ones from 16 MiB to 18 MiB; returned: the entry
 * of PAGE(0). large, small: the entries' low bits.
 */
static inline volatile uint64_t *second_identity(unsigned large, unsigned small)
{
    volatile uint64_t *t = second_tables;

    fill(t, 0, 0x7000);
    t[0] = (uint64_t)t + 0x1007;
    for (unsigned k = 0; k < 4; k++) {
        t[512 + k] = (uint64_t)t + (k + 2) * 0x1000 + 7;
    }
    for (unsigned k = 0; k < 2048; k++) {
        t[1024 + k] = (uint64_t)k << 21 | large;
    }
    for (unsigned k = 0; k < 512; k++) {
        t[3072 + k] = (0x1000000 + k * 0x1000ull) | small;
    }
    t[1024 + 8] = (uint64_t)t + 0x6007;
    return t + 3072;
}

/*
 * The guest writes only from PAGE(0) to PAGE(511), and not the test's control block, tables and
 * maps; e: what second_identity returned.
 */
static inline void second_fence(volatile uint64_t *e)
{
    for (unsigned k = 0; k < 2048; k++) {
        if (k != 8) {
            second_tables[1024 + k] &= ~2ull;
        }
    }
    for (unsigned k = 0; k < 64; k++) {
        e[k] &= ~2ull;
    }
    e[16] |= 2;
}

/* The local APIC's timer: periodic, vector 40h. */
static inline void start_timer(void)
{
    *(volatile uint32_t *)0xfee00320 = 0x20040;
    *(volatile uint32_t *)0xfee003e0 = 0xb;
    *(volatile uint32_t *)0xfee00380 = 200000;
}

/* A fast run ends before the timer's first tick. */
static inline void check_timer(void)
{
    while (irq_count[0] == 0) {
        __asm__ volatile("sti; hlt; cli");
    }
    ok(irq_count[0] > 0, "interrupts came through");
}

static inline uint64_t rnd(void)
{
    static uint64_t state;

    state = state ? state : 0x9e3779b97f4a7c15;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Mostly values that something depends on. */
static inline uint64_t rnd_value(void)
{
    switch (rnd() % 9) {
    case 0:
        return 0;
    case 1:
        return ~0ull;
    case 2:
        return 1ull << rnd() % 64;
    case 3:
        return 0xfee00000 + (rnd() & 0xff8);
    case 4:
        return 0xffff0000 + (rnd() & 0xfff8);
    case 5:
        return (uint64_t)PAGE(rnd() % 64);
    case 6:
        return 0x0000800000000000 - 8 + rnd() % 16;
    case 7:
        return rnd() & 0xffff;
    default:
        return rnd();
    }
}

#endif
