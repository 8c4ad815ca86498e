// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where instructions come from: the longest ones, the ends of pages, device memory, code that is
 * being written. SDM 2A 2.3.11,
 * 3A 4.7, 11.6.
 */
#include "bare.h"

enum { AREA = 0x60000, DIRECTORY = 0x80000, TABLE = 0x81000 };
static uint8_t *const area = (uint8_t *)AREA;
static volatile uint32_t *const table = (uint32_t *)TABLE;

static void run(uint32_t at)
{
    __asm__ volatile("calll *%0" : "+a"(at)::"ecx", "edx", "memory", "cc");
}

static void fill(uint8_t *p, uint8_t byte, unsigned n)
{
    while (n--) {
        *(volatile uint8_t *)p++ = byte;
    }
}

static void put(uint8_t *p, const char *bytes, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        ((volatile uint8_t *)p)[k] = (uint8_t)bytes[k];
    }
}

static void paging(void)
{
    uint32_t cr0;

    for (unsigned k = 0; k < 1024; k++) {
        table[k] = k << 12 | 3;
        /* 4 MiB pages: devices are where they are */
        ((volatile uint32_t *)DIRECTORY)[k] = k << 22 | 0x83;
    }
    *(volatile uint32_t *)DIRECTORY = TABLE | 3;
    __asm__ volatile("movl %%cr4, %0; orl $0x10, %0; movl %0, %%cr4" : "=r"(cr0));
    __asm__ volatile(
        "movl %1, %%cr3; movl %%cr0, %0; orl $0x80000000, %0; movl %0, %%cr0; jmp 1f; 1:"
        : "=&r"(cr0)
        : "r"(DIRECTORY));
}

static void map(unsigned page, uint32_t entry)
{
    table[page] = entry;
    __asm__ volatile("invlpg (%0)" ::"r"(page << 12) : "memory");
}

static void lengths(void)
{
    fill(area, 0x66, 14);
    area[14] = 0x90;
    area[15] = 0xc3;
    EXPECT("15 bytes", -1, 0, run(AREA));
    fill(area, 0x66, 15);
    area[15] = 0x90;
    area[16] = 0xc3;
    EXPECT("16 bytes", 13, 0, run(AREA));
    /* addl $imm32, disp32(%eax, %eax) is 11 bytes itself */
    fill(area, 0x3e, 4);
    put(area + 4, "\x81\x84\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc3", 12);
    EXPECT("15 bytes with operands", -1, 0,
           __asm__ volatile("movl $0x30000, %%eax; calll *%0" ::"d"(AREA)
                            : "eax", "cc", "memory"));
    fill(area, 0x3e, 5);
    put(area + 5, "\x81\x84\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc3", 12);
    EXPECT("16 bytes with operands", 13, 0,
           __asm__ volatile("movl $0x30000, %%eax; calll *%0" ::"d"(AREA)
                            : "eax", "cc", "memory"));
}

static uint32_t cr2(void)
{
    uint32_t v;

    __asm__ volatile("movl %%cr2, %0" : "=r"(v));
    return v;
}

static void page_ends(void)
{
    unsigned next = (AREA >> 12) + 1;

    fill(area, 0x90, 4096);
    put(area + 0xffe, "\x90\xc3", 2);
    map(next, 0);
    EXPECT("up to the last byte of a page", -1, 0, run(AREA + 0xff0));
    put(area + 0xffd, "\xb8\x01\x02", 3);
    EXPECT("over it into nothing", 14, 0, run(AREA + 0xff0));
    ok(caught_frame.eip == AREA + 0xffd && cr2() == AREA + 0x1000,
       "is a fault of that instruction");
    fill(area + 0xff1, 0x66, 15);
    EXPECT("too long before the page ends", 13, 0, run(AREA + 0xff1));
    fill(area + 0xff0, 0x90, 13);
    put(area + 0xffd, "\xb8\x01\x02", 3);
    map(next, next << 12 | 3);
    put(area + 0x1000, "\x03\x04\xc3", 3);
    EXPECT("over it into a page", -1, 0, run(AREA + 0xff0));
    map(next, (next + 1) << 12 | 3);
    put(area + 0x1000, "\x05\x06\xc3", 3);
    uint32_t v;
    __asm__ volatile("calll *%1" : "=a"(v) : "r"(AREA + 0xffd) : "cc");
    ok(v == 0x06050201, "that is another one now");
    map(next, next << 12 | 3);
    __asm__ volatile("calll *%1" : "=a"(v) : "r"(AREA + 0xffd) : "cc");
    ok(v == 0x04030201, "and the first again");
    put(area + 0x1000, "\x07", 1);
    __asm__ volatile("calll *%1" : "=a"(v) : "r"(AREA + 0xffd) : "cc");
    ok(v == 0x04070201, "whose second half is written");
}

static void devices(void)
{
    volatile uint32_t *tpr = (volatile uint32_t *)0xfee00080;

    *tpr = 0xc3;
    TRY(run(0xfee00080));
    ok(caught == -1 || caught == 6 || caught == 13 || caught == 14, "code in a device's register");
    *tpr = 0;
    TRY(run(0xfee00000));
    ok(true, "whatever it is");
    TRY(run(0xfed00000 + 0x800000));
    ok(true, "and where nothing answers");
}

static void written(void)
{
    uint32_t v;

    /* movb $0x22, 1f+1; 1: movl $0x11, %eax; ret */
    put(area, "\xc6\x05\x08\x00\x06\x00\x22\xb8\x11\x00\x00\x00\xc3", 13);
    __asm__ volatile("calll *%1" : "=a"(v) : "r"(AREA) : "cc", "memory");
    ok(v == 0x22, "a store into the next instruction");
    put(area, "\xc6\x05\x08\x00\x06\x00\x33\xb8\x11\x00\x00\x00\xc3", 13);
    __asm__ volatile("calll *%1" : "=a"(v) : "r"(AREA) : "cc", "memory");
    ok(v == 0x33, "which was run before");
    /* rep stosb over itself and the rest: nops up to the ret behind */
    put(area, "\xf3\xaa\x90\x90\xb8\x11\x00\x00\x00\x90\x90\xc3", 12);
    uint32_t to = AREA, count = 11;
    v = 0x90;
    __asm__ volatile("calll *%3" : "+a"(v), "+D"(to), "+c"(count) : "d"(AREA) : "cc", "memory");
    ok(v == 0x90, "a string over the instructions that follow");
    /* the operand of the instruction itself: xorl $imm, imm */
    put(area, "\x81\x35\x06\x00\x06\x00\x01\x00\x00\x00\xa1\x06\x00\x06\x00\xc3", 16);
    __asm__ volatile("calll *%1" : "=a"(v) : "r"(AREA) : "cc", "memory");
    ok(v == 0, "an instruction that changes its own operand");
    /* a loop whose body is counted up: addl $n, %eax with n one more each round */
    put(area,
        "\x31\xc0\xb9\x0a\x00\x00\x00\x05\x00\x00\x00\x00\xff\x05\x08\x00\x06\x00\x49\x75\xf2\xc3",
        22);
    __asm__ volatile("calll *%1" : "=a"(v) : "r"(AREA) : "ecx", "cc", "memory");
    ok(v == 45, "a loop that changes its body");
    /* a page that two addresses reach: written by one, run by the other */
    unsigned alias = (AREA >> 12) + 3;
    map(alias, AREA | 3);
    put(area, "\xb8\x01\x00\x00\x00\xc3", 6);
    run(AREA);
    *(volatile uint8_t *)(AREA + 0x3001) = 9;
    __asm__ volatile("calll *%1" : "=a"(v) : "r"(AREA) : "cc", "memory");
    ok(v == 9, "a store by another address");
}

void tests(void)
{
    lengths();
    paging();
    page_ends();
    devices();
    written();
}
