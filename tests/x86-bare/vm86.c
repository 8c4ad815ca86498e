// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtual-8086 mode with and without VME: SDM 3B chapter 20. */
#include "bare.h"

#define CODE ((volatile uint8_t *)0x60000)
#define IVT ((volatile uint32_t *)0)

/* Runs 16-bit code at 6000:0000 in virtual-8086 mode, SS:SP = 7000:4000; ends by an exception. */
static void vm86(uint32_t eflags, const uint8_t *code, unsigned len)
{
    for (unsigned k = 0; k < len; k++) {
        CODE[k] = code[k];
    }
    caught = -1;
    if (__builtin_setjmp(recovery) == 0) {
        arm();
        __asm__ volatile("pushl $0x1000; pushl $0x2000; pushl $0x6000; pushl $0x3000; pushl "
                         "$0x7000; pushl $0x4000; pushl %0;"
                         "pushl $0x6000; pushl $0; iretl" ::"r"(eflags | 0x20002));
    }
    armed = false;
}
#define VM86(flags, ...)                             \
    do {                                             \
        static const uint8_t code[] = {__VA_ARGS__}; \
        vm86(flags, code, sizeof(code));             \
    } while (0)

static void plain(void)
{
    VM86(0, 0xcc);
    ok(caught == 3 || caught == 13, "INT3 comes back");
    VM86(0x3000, 0xcc);
    ok(caught == 3 && caught_frame.cs == 0x6000 && caught_frame.eip == 1,
       "with IOPL 3 through the gate");
    ok(caught_frame.eflags & 0x20000 && caught_frame.ss == 0x7000 && caught_frame.esp == 0x4000,
       "VM, SS:SP are pushed");
    ok(caught_frame.v86_ds == 0x6000 && caught_frame.v86_es == 0x3000 - 0 &&
           caught_frame.v86_fs == 0x2000 && caught_frame.v86_gs == 0x1000,
       "and the data segments");
    ok(caught_frame.ds == 0 && caught_frame.gs == 0, "which are null in the handler");
    VM86(0, 0xfa);
    ok(caught == 13 && caught_frame.error == 0 && caught_frame.eip == 0, "CLI below IOPL 3");
    VM86(0, 0x9c);
    ok(caught == 13, "PUSHF");
    VM86(0, 0xcd, 0x21);
    ok(caught == 13 && caught_frame.eip == 0, "INT n");
    VM86(0x3000, 0xcd, 0x21);
    ok(caught == 0x21 && caught_frame.eip == 2, "INT n with IOPL 3");
    VM86(0x3000, 0xf4);
    ok(caught == 13, "HLT");
    VM86(0x3000, 0x0f, 0x20, 0xc0);
    ok(caught == 13, "MOV from CR0");
    VM86(0x3000, 0x0f, 0x00, 0xc8);
    ok(caught == 6, "STR");
    VM86(0x3000, 0xa1, 0xff, 0xff, 0xcc);
    ok(caught == 13 && caught_frame.eip == 0, "a word at FFFFh");
    VM86(0x3000, 0x89, 0xe5, 0xbd, 0xff, 0xff, 0x8b, 0x46, 0, 0xcc);
    ok(caught == 12, "in the stack segment");
    VM86(0x3000, 0xfa, 0xfb, 0x9c, 0x58, 0xcc);
    ok(caught == 3 && (caught_frame.eax & 0x3200) == 0x3200, "CLI, STI, PUSHF with IOPL 3");
    VM86(0x3000, 0xb8, 0, 0x50, 0x8e, 0xd8, 0xc6, 6, 0x10, 0, 0x5a, 0xcc);
    ok(caught == 3 && *(volatile uint8_t *)0x50010 == 0x5a, "segment bases are selectors times 16");
    VM86(0x3000, 0x66, 0xb8, 0, 0, 1, 0, 0x67, 0x8b, 0x00, 0xcc);
    ok(caught == 13, "a 32-bit offset beyond 64 KiB");
}

static void vme(void)
{
    uint32_t cr4;

    __asm__ volatile("movl %%cr4, %0; orl $1, %0; movl %0, %%cr4" : "=r"(cr4));
    VM86(0, 0xfa, 0x9c, 0x58, 0x90, 0xcd, 0x50);
    ok(caught == 13 && (caught_frame.eax & 0x3200) == 0x3000,
       "VME: CLI clears VIF, PUSHF shows IOPL 3 and VIF as IF");
    VM86(0, 0xfb, 0x9c, 0x58, 0xcd, 0x50);
    ok(caught == 13 && (caught_frame.eax & 0x3200) == 0x3200 && caught_frame.eflags & 0x80000,
       "STI sets VIF");
    VM86(0x100000, 0xfb);
    ok(caught == 13, "STI with VIP");
    VM86(0, 0x68, 0, 2, 0x9d, 0x9c, 0x58, 0xcd, 0x50);
    ok(caught == 13 && caught_frame.eflags & 0x80000, "POPF sets VIF");
    tss.redirect[0x50 / 8] = 0xfe;
    IVT[0x50] = 0x60000020;
    CODE[0x20] = 0x58;                  /* pop ax; pop bx; pop cx */
    CODE[0x21] = 0x5b;
    CODE[0x22] = 0x59;
    CODE[0x23] = 0xf4;
    VM86(0x80000, 0xcd, 0x50);
    ok(caught == 13 && caught_frame.eip == 0x23, "INT n redirected to the task's own handler");
    ok((caught_frame.eax & 0xffff) == 2 && (caught_frame.ebx & 0xffff) == 0x6000 &&
           (caught_frame.ecx & 0x3200) == 0x3200,
       "with IP, CS and FLAGS of its world");
    ok(!(caught_frame.eflags & 0x80000), "VIF is clear there");
    __asm__ volatile("movl %0, %%cr4" ::"r"(cr4 & ~1u));
}

void tests(void)
{
    for (unsigned k = 0; k < sizeof(tss.redirect); k++) {
        tss.redirect[k] = 0xff;
    }
    plain();
    vme();
}
