// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions that a program on the host cannot run or that the host may lack: their results by
 * the manuals (SDM 2 and 3, APM 2 and 3), on each engine.
 */
#include "tests/unit/target-i386/insn.h"

typedef struct Expect {
    const char *name;
    uint8_t code[4], len;
    bool cpl0, umip;
    int vector; /* or CPU_EXC_NONE */
    bool (*right)(const X86Cpu *c); /* looks at what it left */
} Expect;

enum {
    STAR_CS = 0x10,
    LSTAR = CODE + 0x800
};

static uint64_t at_rbx(unsigned offset, unsigned bytes)
{
    uint64_t v = 0;

    memcpy(&v, (uint8_t *)MIDDLE + offset, bytes);
    return v;
}

static bool syscall_right(const X86Cpu *c)
{
    return c->regs[R_CX] == CODE + 2 && c->rip == LSTAR && c->cpl == 0 &&
           c->segs[S_CS].selector == STAR_CS && c->segs[S_SS].selector == STAR_CS + 8 &&
           c->segs[S_CS].flags & SEG_L && (c->regs[R_11] & FLAG_IF) && !(c->eflags & FLAG_IF);
}

static bool sysenter_right(const X86Cpu *c)
{
    return c->rip == LSTAR + 0x10 && c->regs[R_SP] == DATA + 0x400 && c->cpl == 0 &&
           c->segs[S_CS].selector == STAR_CS && !(c->eflags & FLAG_IF);
}

static bool sgdt_right(const X86Cpu *c)
{
    return at_rbx(0, 2) == c->gdt.limit && at_rbx(2, 8) == c->gdt.base;
}

static bool sidt_right(const X86Cpu *c)
{
    return at_rbx(0, 2) == c->idt.limit && at_rbx(2, 8) == c->idt.base;
}

static bool smsw_right(const X86Cpu *c)
{
    return at_rbx(0, 2) == (c->cr0 & 0xffff) && at_rbx(2, 2) == 0x5a5a;
}

static bool selector_right(const X86Cpu *c)
{
    return at_rbx(0, 2) == 0 && at_rbx(2, 2) == 0x5a5a;
}

static bool rdpkru_right(const X86Cpu *c)
{
    return c->regs[R_AX] == 0x1234 && c->regs[R_DX] == 0;
}

static bool wrpkru_right(const X86Cpu *c)
{
    return c->pkru == 0xa5a5;
}

static bool mmx_left(const X86Cpu *c)
{
    for (unsigned n = 0; n < 8; n++) {
        if (!c->fp_tag[n]) {
            return false;
        }
    }
    return true;
}

static bool unchanged(const X86Cpu *c)
{
    return c->regs[R_AX] == 0xa5a5 && c->regs[R_CX] == 0 && c->regs[R_DX] == 0;
}

#define FAULT(name_, vector_, ...)                                                \
    {                                                                             \
        name_, {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}), .vector = vector_ \
    }
#define FAULT0(name_, vector_, ...)                                                             \
    {                                                                                           \
        name_, {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}), .vector = vector_, .cpl0 = true \
    }
#define UMIP(name_, ...)                                                                       \
    {                                                                                          \
        name_, {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}), .vector = EXC_GP, .umip = true \
    }
#define DONE(name_, right_, ...)                                                        \
    {                                                                                   \
        name_, {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}), .vector = CPU_EXC_NONE, \
                                                                .right = right_         \
    }

static const Expect table[] = {
    DONE("SYSCALL", syscall_right, 0x0f, 0x05),
    DONE("SYSENTER", sysenter_right, 0x0f, 0x34),
    FAULT("VMCALL, no VMX operation", EXC_UD, 0x0f, 0x01, 0xc1),
    FAULT0("VMCALL, CPL 0", EXC_UD, 0x0f, 0x01, 0xc1),
    FAULT("VMMCALL, no guest", EXC_UD, 0x0f, 0x01, 0xd9),
    FAULT0("VMMCALL, CPL 0", EXC_UD, 0x0f, 0x01, 0xd9),
    FAULT0("SKINIT", EXC_UD, 0x0f, 0x01, 0xde),
    DONE("SGDT", sgdt_right, 0x0f, 0x01, 0x03),
    DONE("SIDT", sidt_right, 0x0f, 0x01, 0x0b),
    DONE("SLDT", selector_right, 0x0f, 0x00, 0x03),
    DONE("STR", selector_right, 0x0f, 0x00, 0x0b),
    DONE("SMSW", smsw_right, 0x0f, 0x01, 0x23),
    UMIP("SGDT, UMIP", 0x0f, 0x01, 0x03),
    UMIP("SIDT, UMIP", 0x0f, 0x01, 0x0b),
    UMIP("SLDT, UMIP", 0x0f, 0x00, 0x03),
    UMIP("STR, UMIP", 0x0f, 0x00, 0x0b),
    UMIP("SMSW, UMIP", 0x0f, 0x01, 0x23),
    DONE("RDPKRU", rdpkru_right, 0x0f, 0x01, 0xee),
    DONE("WRPKRU", wrpkru_right, 0x0f, 0x01, 0xef),
    DONE("SERIALIZE", unchanged, 0x0f, 0x01, 0xe8),
    DONE("PREFETCH, register: NOP", unchanged, 0x0f, 0x0d, 0xc0),
    DONE("FEMMS", mmx_left, 0x0f, 0x0e),
};

static void prepare(const Expect *x)
{
    NativeState st = {.entry = CODE, .mxcsr = MXCSR_DEFAULT, .rflags = 0x202};
    X86Cpu *c = the_cpu;

    memset((void *)DATA, 0x5a, DATA_SIZE);
    memcpy((void *)CODE, x->code, x->len);
    ((uint8_t *)CODE)[x->len] = 0xeb; /* where the block ends: JMP to itself */
    ((uint8_t *)CODE)[x->len + 1] = 0xfe;
    st.regs[R_BX] = MIDDLE;
    st.regs[R_SP] = DATA + 0x800;
    st.regs[R_AX] = 0xa5a5;
    st.fx.fcw = 0x37f;
    state_to_cpu(c, &st, false);
    if (x->cpl0) {
        x86_set_seg(c, S_CS, 8, 0, UINT32_MAX, SEG_P | SEG_S | SEG_CODE | SEG_R | SEG_A | SEG_L);
        x86_set_cpl(c, 0);
    }
    c->cr4 = (c->cr4 & ~(uint64_t)CR4_UMIP) | CR4_PKE | (x->umip ? CR4_UMIP : 0);
    c->efer = EFER_LMA | EFER_LME | EFER_SCE;
    c->star = (uint64_t)STAR_CS << 32;
    c->lstar = LSTAR;
    c->sfmask = FLAG_IF;
    c->sysenter_cs = STAR_CS;
    c->sysenter_eip = LSTAR + 0x10;
    c->sysenter_esp = DATA + 0x400;
    c->idt = (X86TableReg){.base = 0xffff800012345678, .limit = 0xabc};
    c->pkru = 0x1234;
}

/* The row that an entry's bytes are. */
static const X86Row *row_of(const Expect *x)
{
    X86Insn i;

    g_assert_cmpint(x86_decode(&i, x->code, x->len, (X86DecodeMode){.code64 = true}), ==, X86_OK);
    return i.row;
}

static bool entry_right(const Expect *x, unsigned e)
{
    const X86Row *row = row_of(x);
    uint64_t end = row->trans == trans_SYSCALL    ? LSTAR
                   : row->trans == trans_SYSENTER ? LSTAR + 0x10
                                                  : CODE + x->len;

    prepare(x);
    int got = emulate(end, e, false);
    if (got == x->vector && (got != CPU_EXC_NONE || x->right(the_cpu))) {
        return true;
    }
    printf("# %s: exception %d, %d wanted; rip %" PRIx64 ", engine %s\n", x->name, got, x->vector,
           the_cpu->rip, test_engine(e)->name);
    return false;
}

unsigned run_manual_table(bool *seen)
{
    unsigned wrong = 0;

    for (unsigned k = 0; k < G_N_ELEMENTS(table); k++) {
        bool good = true;
        for (unsigned e = 0; e < TEST_ENGINES && good; e++) {
            good = !test_engine(e) || entry_right(&table[k], e);
        }
        wrong += !good;
        seen[row_of(&table[k]) - x86_rows] |= good;
    }
    /* test-x86-3dnow fails when it has no line for one of these */
    for (unsigned n = 0; n < x86_num_rows; n++) {
        seen[n] |= x86_rows[n].map == X86_MAP_3D;
    }
    return wrong;
}
