// SPDX-License-Identifier: GPL-2.0-or-later
/* Limits and types of segments in 32-bit protected mode: SDM 3A 5.3, 5.5, 3.4.5.1. */
#include "bare.h"

#define AREA 0x60000u
enum {
    S_SMALL = 48,
    S_RDONLY = 56,
    S_DOWN32 = 64,
    S_DOWN16 = 72,
    S_CODE = 80,
    S_XONLY = 88,
    S_STACK = 96,
    S_SHORT = 104
};

#define WITH_DS(sel, insn, ...)                                                              \
    __asm__ volatile("movl %0, %%ds\n\t" insn "\n\tmovl %1, %%ds" ::"r"(sel), "r"(SEL_DATA), \
                     ##__VA_ARGS__                                                           \
                     : "eax", "memory")
#define WITH_GS(sel, insn, ...) \
    __asm__ volatile("movl %0, %%gs\n\t" insn ::"r"(sel), ##__VA_ARGS__ : "eax", "memory")

static void data_limits(void)
{
    EXPECT("last byte of a segment is read", -1, 0,
           WITH_DS(S_SMALL, "movb (%2), %%al", "r"(0xfff)));
    EXPECT("byte beyond", 13, 0, WITH_DS(S_SMALL, "movb (%2), %%al", "r"(0x1000)));
    EXPECT("dword over the limit", 13, 0, WITH_DS(S_SMALL, "movl (%2), %%eax", "r"(0xffd)));
    EXPECT("dword at the limit", -1, 0, WITH_DS(S_SMALL, "movl (%2), %%eax", "r"(0xffc)));
    EXPECT("write beyond", 13, 0, WITH_DS(S_SMALL, "movl %%eax, (%2)", "r"(0x2000)));
    EXPECT("constant address beyond", 13, 0, WITH_DS(S_SMALL, "incl 0x1234"));
    EXPECT("x87 load over the limit", 13, 0, WITH_DS(S_SMALL, "fldt 0xff8"));
    EXPECT("bit string beyond", 13, 0, WITH_DS(S_SMALL, "btl %2, 0", "r"(0x1000 * 8)));
    EXPECT("bit string before", -1, 0, WITH_DS(S_SMALL, "btl %2, 0", "r"(0xff8 * 8)));
    EXPECT("string over the limit", 13, 0,
           WITH_DS(S_SMALL, "cld; rep lodsb", "S"(0xff0), "c"(32)));
    ok(caught_frame.esi == 0x1000 && caught_frame.ecx == 16,
       "registers of the string say how far it came");
    EXPECT("locked access beyond", 13, 0, WITH_DS(S_SMALL, "lock addl %%eax, (%2)", "r"(0xffe)));
    EXPECT("16-byte operand over the limit", 13, 0, WITH_DS(S_SMALL, "fxsave 0x1000"));
}

static void types(void)
{
    EXPECT("read-only data is read", -1, 0, WITH_DS(S_RDONLY, "movl 0x10, %%eax"));
    EXPECT("and compared", -1, 0, WITH_DS(S_RDONLY, "cmpl %%eax, 0x10"));
    EXPECT("and pushed", -1, 0, WITH_DS(S_RDONLY, "pushl 0x10; addl $4, %%esp"));
    EXPECT("not written", 13, 0, WITH_DS(S_RDONLY, "movl %%eax, 0x10"));
    EXPECT("not modified", 13, 0, WITH_DS(S_RDONLY, "orl $0, 0x10"));
    EXPECT("readable code is read", -1, 0, WITH_DS(S_CODE, "movl 0x10, %%eax"));
    EXPECT("not written either", 13, 0, WITH_DS(S_CODE, "movl %%eax, 0x10"));
    EXPECT("execute-only code is not loaded", 13, S_XONLY, load_ds(S_XONLY));
    EXPECT("CS override of a write", 13, 0,
           __asm__ volatile("movl %%eax, %%cs:0x60000" ::
                                : "memory"));
    EXPECT("CS override of a read", -1, 0, __asm__ volatile("movl %%cs:0x60000, %%eax" ::: "eax"));
    EXPECT("null selector", 13, 0, WITH_DS(0, "movl 0x10, %%eax"));
    EXPECT("null GS", 13, 0, WITH_GS(0, "movl %%gs:0x10, %%eax"));
    EXPECT("GS beyond", 13, 0, WITH_GS(S_SMALL, "movl %%gs:0xffd, %%eax"));
    EXPECT("GS within", -1, 0, WITH_GS(S_SMALL, "movl %%gs:0xffc, %%eax"));
    EXPECT("GS read-only", 13, 0, WITH_GS(S_RDONLY, "movl %%eax, %%gs:0x10"));
    WITH_GS(SEL_DATA, "");
}

static void expand_down(void)
{
    EXPECT("expand-down: at the limit", 13, 0, WITH_DS(S_DOWN32, "movb (%2), %%al", "r"(0xfff)));
    EXPECT("above it", -1, 0, WITH_DS(S_DOWN32, "movb (%2), %%al", "r"(0x1000)));
    EXPECT("over the top", 13, 0, WITH_DS(S_DOWN32, "movl (%2), %%eax", "r"(0xfffffffe)));
    EXPECT("16-bit: within 64 KiB", -1, 0, WITH_DS(S_DOWN16, "movw (%2), %%ax", "r"(0xfffe)));
    EXPECT("16-bit: over 64 KiB", 13, 0, WITH_DS(S_DOWN16, "movw (%2), %%ax", "r"(0xffff)));
    EXPECT("string writes into it", -1, 0,
           __asm__ volatile("pushl %%es; movl %0, %%es; cld; rep stosb; popl %%es" ::"r"(S_DOWN32),
                            "D"(0x1000), "c"(16), "a"(0x5a)
                            : "memory"));
    ok(*(volatile uint32_t *)(AREA + 0x1000) == 0x5a5a5a5a, "and they are there");
}

static void stack(void)
{
    EXPECT("EBP reaches beyond the stack segment", 12, 0,
           __asm__ volatile(
               "movl %0, %%ss; pushl %%ebp; movl %1, %%ebp; movl (%%ebp), %%eax; popl %%ebp" ::"r"(
                   S_STACK),
               "r"(0x71000)
               : "eax"));
    EXPECT("and within", -1, 0,
           __asm__ volatile("movl %0, %%ss; pushl %%ebp; movl %1, %%ebp; movl -4(%%ebp), %%eax; "
                            "popl %%ebp; movl %2, %%ss" ::"r"(S_STACK),
                            "r"(0x71000), "r"(SEL_DATA)
                            : "eax"));
    EXPECT("a pushed operand beyond", 12, 0,
           __asm__ volatile("movl %0, %%ss; pushl %%ss:0x70ffe" ::"r"(S_STACK)));
    EXPECT("DS of an operand with ESP", -1, 0,
           __asm__ volatile(
               "movl %0, %%ss; movl %%ds:0x2000(%%esp), %%eax; movl %1, %%ss" ::"r"(S_STACK),
               "r"(SEL_DATA)
               : "eax"));
}

static void code(void)
{
    uint8_t *p = (uint8_t *)AREA;

    p[0xffe] = 0x90;
    p[0xfff] = 0xcb;                    /* lret */
    p[0xffd] = 0x90;
    EXPECT("code up to the limit", -1, 0,
           __asm__ volatile("lcall %0, $0xffd" ::"i"(S_SHORT)));
    p[0xfff] = 0x90;
    EXPECT("code beyond the limit", 13, 0, __asm__ volatile("lcall %0, $0xffd" ::"i"(S_SHORT)));
    ok(caught_frame.eip == 0x1000 && caught_frame.cs == S_SHORT, "and where it was");
    for (unsigned k = 0xff8; k < 0xfff; k++) {
        p[k] = 0x90;
    }
    p[0xfff] = 0xcb;
    for (unsigned k = 0; k < 3; k++) {
        TRY(__asm__ volatile("lcall %0, $0xff8" ::"i"(S_SHORT)));
    }
    ok(caught == -1, "code that was run");
    gdt_set(S_SHORT, segment(AREA, 0xffb, 0x9b, 4));
    EXPECT("is cut short by a smaller limit", 13, 0,
           __asm__ volatile("lcall %0, $0xff8" ::"i"(S_SHORT)));
    ok(caught_frame.eip == 0xffc, "in its middle");
    gdt_set(S_SHORT, segment(AREA, 0xfff, 0x9b, 4));
    EXPECT("and goes on with the old one", -1, 0,
           __asm__ volatile("lcall %0, $0xff8" ::"i"(S_SHORT)));
    EXPECT("a far target beyond", 13, 0, __asm__ volatile("lcall %0, $0x1000" ::"i"(S_SHORT)));
    static const uint8_t branches[] = {0xeb, 0x7e, 0xe8, 0x7b, 0, 0, 0, 0x90, 0xff, 0xe0, 0xff,
                                       0xd0, 0x74, 0x72, 0xc3};
    static const uint8_t starts[] = {0, 2, 8, 10, 12, 14};
    for (unsigned k = 0; k < sizeof(branches); k++) {
        p[0xf90 + k] = branches[k];
    }
    gdt_set(S_SHORT, segment(AREA, 0xfff, 0x9b, 4));
    for (unsigned k = 0; k < sizeof(starts); k++) {
        uint32_t far[2] = {0xf90 + starts[k], S_SHORT}, sp;
        TRY(__asm__ volatile("pushl $0x1000; movl %%esp, %1; cmpl %%eax, %%eax; ljmp *%2"
                             : "=m"(sp), "=m"(sp)
                             : "m"(far), "a"(0x1000)
                             : "memory", "cc"));
        ok(caught == 13 && caught_frame.error == 0 && caught_frame.eip == far[0],
           "a near target beyond is the branch's fault");
    }
}

static uint32_t query(unsigned selector, unsigned what)
{
    uint32_t v = 0xdead;
    uint8_t z;

    switch (what) {
    case 0:
        __asm__ volatile("lar %2, %0; setz %1" : "+r"(v), "=q"(z) : "r"(selector));
        break;
    case 1:
        __asm__ volatile("lsl %2, %0; setz %1" : "+r"(v), "=q"(z) : "r"(selector));
        break;
    case 2:
        __asm__ volatile("verr %w1; setz %0" : "=q"(z) : "r"(selector));
        return z;
    default:
        __asm__ volatile("verw %w1; setz %0" : "=q"(z) : "r"(selector));
        return z;
    }
    return z ? v : 0xdead;
}

static void queries(void)
{
    ok(query(S_SMALL, 1) == 0xfff && query(SEL_DATA, 1) == 0xffffffff, "LSL");
    ok(query(S_RDONLY, 0) == 0x409100 && query(SEL_TSS, 0) == 0x8b00, "LAR");
    ok(query(0, 0) == 0xdead && query(0x1f8, 1) == 0xdead, "LAR and LSL of nothing");
    ok(query(S_RDONLY, 2) == 1 && query(S_RDONLY, 3) == 0 && query(S_XONLY, 2) == 0, "VERR, VERW");
}

void tests(void)
{
    gdt_set(S_SMALL, segment(AREA, 0xfff, 0x93, 4));
    gdt_set(S_RDONLY, segment(AREA, 0xfff, 0x91, 4));
    gdt_set(S_DOWN32, segment(AREA, 0xfff, 0x97, 4));
    gdt_set(S_DOWN16, segment(AREA, 0xfff, 0x97, 0));
    gdt_set(S_CODE, segment(AREA, 0xfff, 0x9b, 4));
    gdt_set(S_XONLY, segment(AREA, 0xfff, 0x99, 4));
    gdt_set(S_STACK, segment(0, 0x70fff, 0x93, 4));
    gdt_set(S_SHORT, segment(AREA, 0xfff, 0x9b, 4));
    data_limits();
    types();
    expand_down();
    stack();
    code();
    queries();
}
