// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control transfers and system instructions in test-insn, as a program at CPL 3 meets them: most
 * fault, others use selectors, stacks and images in memory that must hold something sensible. What
 * a program cannot run at all is in insn-table.c.
 */
#include "tests/unit/target-i386/insn.h"

typedef void Prepare(Case *t);

enum {
    BRANCH = 1 << 0, /* to t->landing, or on */
    FAULTS = 1 << 1, /* #UD where the mode or privilege is not the right one */
    AX = 1 << 2,
    CX = 1 << 3,
    DX = 1 << 4,
    BX = 1 << 5, /* the processor's own values */
    OP0 = 1 << 6, /* so is operand 0 */
};

typedef struct Special {
    const char *name;
    unsigned flags;
    Prepare *prepare;
} Special;

/* Offset and selector of the memory operand. */
static uint64_t operand_va(const Case *t)
{
    const X86Insn *i = &t->insn;
    uint64_t va = (uint64_t)i->disp;

    if (i->base == 16) {
        return va + CODE + t->insn_end;
    }
    va += i->base >= 0 ? t->input.regs[i->base] : 0;
    va += i->index >= 0 ? t->input.regs[i->index] << i->scale : 0;
    return i->addrsize == 2 ? (uint32_t)va : va;
}

static void store(Case *t, uint64_t va, uint64_t v, unsigned bytes)
{
    for (unsigned k = 0; k < bytes; k++) {
        if (va + k >= DATA && va + k < DATA + DATA_SIZE) {
            t->before[va + k - DATA] = (uint8_t)(v >> (8 * k));
        }
    }
}

static void store_bytes(Case *t, uint64_t va, const void *from, unsigned bytes)
{
    for (unsigned k = 0; k < bytes; k++) {
        store(t, va + k, ((const uint8_t *)from)[k], 1);
    }
}

/* Operand n gets a value, be it a register or memory. */
static void set_operand(Case *t, unsigned n, uint64_t v, unsigned bytes)
{
    const X86Operand *o = &t->insn.op[n];

    if (o->kind == X86_MEM) {
        store(t, operand_va(t), v, bytes);
    } else if (o->kind == X86_REG && o->reg != R_BX && o->reg != R_SP) {
        t->input.regs[o->reg] = v;
    }
}

static void stack_slot(Case *t, unsigned slot, unsigned size, uint64_t v)
{
    store(t, t->input.regs[R_SP] + ((uint64_t)slot << size), v, 1u << size);
}

/* Null ones with a privilege level are not made: a switch of tasks in between clears it. */
static uint16_t selector(void)
{
    static const uint16_t some[] = {0,         0,    0,    0,    USER_DS, USER_DS, USER_DS,
                                    USER_CS32, 0x33, 0x2a, 0x28, 8,       0x10,    0x18,
                                    0x40,      0x7f, 4,    0xf8, 0xffff};
    return some[rnd() % G_N_ELEMENTS(some)];
}

/* ---- branches ---- */

static void near_target(Case *t)
{
    set_operand(t, 0, t->landing, 8);
}

static void far_target(Case *t)
{
    uint64_t va = operand_va(t);

    store(t, va, t->landing, 4);
    store(t, va + 4, t->compat ? USER_CS32 : USER_CS64, 2);
}

static void near_return(Case *t)
{
    stack_slot(t, 0, 3, t->landing);
}

static void far_return(Case *t)
{
    unsigned size = t->insn.opsize;

    stack_slot(t, 0, size, t->landing);
    stack_slot(t, 1, size, USER_CS64);
}

static void interrupt_return(Case *t)
{
    unsigned size = t->insn.opsize;

    far_return(t);
    stack_slot(t, 2, size, 0x202 | (rnd() & (FLAGS_CC | FLAG_DF)));
    stack_slot(t, 3, size, DATA + 0x700);
    stack_slot(t, 4, size, USER_DS);
}

static void few_in_count(Case *t)
{
    t->input.regs[R_CX] = rnd() % 3;
}

/* ---- segments ---- */

static void selector_operand(Case *t)
{
    set_operand(t, 1, selector() | (rnd() & ~0xffffull), 2);
}

static void selector_operand0(Case *t)
{
    set_operand(t, 0, selector() | (rnd() & ~0xffffull), 2);
}

static void far_pointer(Case *t)
{
    store(t, operand_va(t) + (1u << t->insn.opsize), selector(), 2);
}

static void selector_on_stack(Case *t)
{
    stack_slot(t, 0, t->compat ? 2 : 3, selector());
}

/* ---- registers and stack ---- */

static void flags_on_stack(Case *t)
{
    stack_slot(t, 0, 3, rnd() & (FLAGS_CC | FLAG_DF | FLAG_IF | FLAG_IOPL | 2));
}

static void all_registers_on_stack(Case *t)
{
    unsigned size = t->insn.opsize;

    stack_slot(t, 2, size, t->where);
    stack_slot(t, 4, size, t->where);
}

static void equal_now_and_then(Case *t)
{
    uint64_t va = operand_va(t);

    if (rnd() & 1 && t->insn.op[0].size == 4) {
        store(t, va, t->input.regs[R_AX], 8);
        store(t, va + 8, t->input.regs[R_DX], 8);
    } else if (rnd() & 1) {
        store(t, va, t->input.regs[R_AX], 4);
        store(t, va + 4, t->input.regs[R_DX], 4);
    }
}

static void to_rdi(Case *t)
{
    t->input.regs[R_DI] = t->where;
}

static void canonical_base(Case *t)
{
    uint64_t v = rnd() & 3 ? rnd() >> 17 : rnd_value();

    t->input.regs[t->insn.op[0].reg] = v;
}

static void low_count(Case *t)
{
    t->input.regs[R_CX] &= rnd() & 3 ? ~0xffffffffull : UINT64_MAX;
}

/* ---- images ---- */

static void align_operand(Case *t, unsigned to)
{
    if (rnd() & 7) {
        t->input.regs[R_BX] -= operand_va(t) & (to - 1);
        t->input.regs[R_BP] = t->input.regs[R_BX];
    }
}

static void fx_image(Case *t)
{
    uint8_t image[512];

    align_operand(t, 16);
    for (unsigned n = 0; n < sizeof(image); n++) {
        image[n] = (uint8_t)rnd();
    }
    memcpy(image, &t->input.fx, 160); /* a state that can be loaded */
    if (rnd() & 15) {
        uint32_t mxcsr = rnd() & 0xffff;
        memcpy(image + 24, &mxcsr, 4);
    }
    memset(image + 8, 0, 16);
    store_bytes(t, operand_va(t), image, sizeof(image));
}

static void xsave_image(Case *t)
{
    uint64_t va;

    align_operand(t, 64);
    fx_image(t);
    va = operand_va(t);
    for (unsigned n = 0; n < 64; n++) {
        store(t, va + 512 + n, rnd() & 63 ? 0 : rnd(), 1);
    }
    /* x87, SSE and AVX, and now and then what there is not */
    store(t, va + 512, (rnd() & 7) | (rnd() & 15 ? 0 : 1ull << (20 + rnd() % 40)), 8);
    t->input.regs[R_AX] = rnd() & 7;
    t->input.regs[R_DX] = 0;
}

static void mxcsr_operand(Case *t)
{
    set_operand(t, 0, rnd() & 7 ? rnd() & 0xffff : rnd_value(), 4);
}

/* An environment, or all: exceptions masked and none pending. */
static void x87_image(Case *t)
{
    uint64_t va = operand_va(t);
    unsigned size = t->insn.opsize == 1 ? 1 : 2;

    for (unsigned n = 0; n < 7; n++) {
        store(t, va + ((uint64_t)n << size), 0, 1u << size);
    }
    store(t, va, 0x37f | (rnd() & 0xf00), 2);
    store(t, va + (1u << size), rnd() & 0x7800, 2);
    store(t, va + (2u << size), rnd(), 2);
}

static const Special specials[] = {
    {"Jcc", BRANCH, NULL},
    {"LOOP", BRANCH, few_in_count},
    {"JCXZ", BRANCH, few_in_count},
    {"JMP", BRANCH, NULL},
    {"CALL", BRANCH, NULL},
    {"JMPF", BRANCH, NULL},
    {"CALLF", BRANCH, NULL},
    {"JMP_ind", BRANCH, near_target},
    {"CALL_ind", BRANCH, near_target},
    {"JMPF_ind", BRANCH, far_target},
    {"CALLF_ind", BRANCH, far_target},
    {"RET", BRANCH, near_return},
    {"RETF", BRANCH, far_return},
    {"IRET", BRANCH, interrupt_return},
    {"MOV_to_seg", 0, selector_operand},
    {"LAR", 0, selector_operand},
    {"LSL", 0, selector_operand},
    {"VERR", 0, selector_operand0},
    {"VERW", 0, selector_operand0},
    {"LxS", 0, far_pointer},
    {"POP_seg", 0, selector_on_stack},
    {"POPF", 0, flags_on_stack},
    {"POPA", 0, all_registers_on_stack},
    {"CMPXCHG8B", 0, equal_now_and_then},
    {"CMPXCHG16B", 0, equal_now_and_then},
    {"MASKMOVQ", 0, to_rdi},
    {"MASKMOVDQU", 0, to_rdi},
    {"WRFSGSBASE", 0, canonical_base},
    {"FXSAVE", 0, fx_image},
    {"FXRSTOR", 0, fx_image},
    {"XSAVE", 0, xsave_image},
    {"XSAVEOPT", 0, xsave_image},
    {"XSAVEC", 0, xsave_image},
    {"XRSTOR", 0, xsave_image},
    {"LDMXCSR", 0, mxcsr_operand},
    {"FLDENV", 0, x87_image},
    {"FRSTOR", 0, x87_image},
    {"RDTSC", AX | DX, NULL},
    {"RDTSCP", AX | CX | DX, NULL},
    {"CPUID", AX | BX | CX | DX, NULL},
    {"XGETBV", AX | DX, low_count},
    {"RDRAND", OP0, NULL},
    {"RDPID", OP0, NULL},
    {"MONITOR", FAULTS, NULL},
    {"MWAIT", FAULTS, NULL},
    {"CLAC", FAULTS, NULL},
    {"STAC", FAULTS, NULL},
    {"VMLAUNCH", FAULTS, NULL},
    {"VMRESUME", FAULTS, NULL},
    {"VMXOFF", FAULTS, NULL},
    {"VMXON", FAULTS, NULL},
    {"VMREAD", FAULTS, NULL},
    {"VMWRITE", FAULTS, NULL},
    {"VMPTRLD", FAULTS, NULL},
    {"VMPTRST", FAULTS, NULL},
    {"VMCLEAR", FAULTS, NULL},
    {"INVEPT", FAULTS, NULL},
    {"INVVPID", FAULTS, NULL},
    {"VMRUN", FAULTS, NULL},
    {"VMLOAD", FAULTS, NULL},
    {"VMSAVE", FAULTS, NULL},
    {"STGI", FAULTS, NULL},
    {"CLGI", FAULTS, NULL},
    {"INVLPGA", FAULTS, NULL},
};

static const Special *special_of(const X86Row *r)
{
    for (unsigned k = 0; k < G_N_ELEMENTS(specials); k++) {
        if (!strcmp(r->name, specials[k].name)) {
            return &specials[k];
        }
    }
    return NULL;
}

void special_state(Case *t)
{
    static const uint8_t regs[] = {R_AX, R_CX, R_DX, R_BX};
    const Special *s = special_of(t->row);

    t->loose = 0;
    if (!s) {
        return;
    }
    if (s->prepare) {
        s->prepare(t);
    }
    for (unsigned k = 0; k < 4; k++) {
        t->loose |= s->flags & AX << k ? 1u << regs[k] : 0;
    }
    if (s->flags & OP0) {
        t->loose |= 1u << t->insn.op[0].reg;
        t->undefined |= FLAG_C;
    }
}

bool special_branches(const X86Row *r)
{
    const Special *s = special_of(r);

    return s && s->flags & BRANCH;
}

bool special_faults(const X86Row *r)
{
    const Special *s = special_of(r);

    return s && s->flags & FAULTS;
}

bool special_image(const X86Row *r)
{
    static const char *const names[] = {"FXSAVE", "FXRSTOR", "XSAVE",  "XSAVEOPT", "XSAVEC",
                                        "XRSTOR", "FLDENV",  "FRSTOR", "FNSAVE",   "FNSTENV"};

    for (unsigned k = 0; k < G_N_ELEMENTS(names); k++) {
        if (!strcmp(r->name, names[k])) {
            return true;
        }
    }
    return false;
}

/* Pointers of the last x87 instruction: kept differently by AMD's and Intel's processors. */
void special_loose(const Case *t, uint8_t *memory)
{
    bool env = !strcmp(t->row->name, "FNSTENV") || !strcmp(t->row->name, "FNSAVE");
    unsigned size = t->insn.opsize == 1 ? 1 : 2, from = 3u << size, to = 7u << size;
    uint64_t va;

    if (!env) {
        if (!special_image(t->row) || t->row->trans == trans_FLDENV) {
            return;
        }
        from = 6;
        to = 24;
    }
    va = operand_va(t);
    for (unsigned k = from; k < to; k++) {
        if (va + k >= DATA && va + k < DATA + DATA_SIZE) {
            memory[va + k - DATA] = 0;
        }
    }
}
