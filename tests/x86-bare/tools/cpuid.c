// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints what CPUID answers on the boot processor, a line each: leaf.subleaf eax ebx ecx edx. For
 * scripts/compare-cpuid.
 */
#include "bare.h"

static void put_char(char c)
{
    __asm__ volatile("outb %%al, $0xe9" ::"a"(c));
}

static void put_hex(uint32_t v)
{
    for (int k = 28; k >= 0; k -= 4) {
        put_char("0123456789abcdef"[v >> k & 15]);
    }
}

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "a"(leaf), "c"(sub));
}

static void show(uint32_t leaf, uint32_t sub)
{
    uint32_t r[4];

    cpuid(leaf, sub, r);
    put_hex(leaf);
    put_char('.');
    put_char("0123456789abcdef"[sub]);
    for (unsigned k = 0; k < 4; k++) {
        put_char(' ');
        put_hex(r[k]);
    }
    put_char('\n');
}

static unsigned subleaves(uint32_t leaf)
{
    switch (leaf) {
    case 4:
    case 0x8000001d:
        return 5;
    case 7:
    case 0x14:
        return 2;
    case 0xb:
    case 0x1f:
        return 4;
    case 0xd:
        return 16;
    default:
        return 1;
    }
}

static void range(uint32_t first, uint32_t last)
{
    for (uint32_t leaf = first; leaf <= last; leaf++) {
        for (unsigned sub = 0; sub < subleaves(leaf); sub++) {
            show(leaf, sub);
        }
    }
}

void tests(void)
{
    uint32_t r[4];

    cpuid(0, 0, r);
    range(0, r[0] > 0x20 ? 0x20 : r[0]);
    range(0x40000000, 0x40000001);
    cpuid(0x80000000, 0, r);
    range(0x80000000, r[0] > 0x80000021 || r[0] < 0x80000000 ? 0x80000021 : r[0]);
}
