// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * x87 operations (tcg/x87.h) in line. The guest's registers are taken to the host's x87 stack when
 * they are used and stay there while ops follow that leave the host's x87 alone (x87_flush_before);
 * then what changed goes home and the host's flags are added to the status word. The cold path of a
 * memory access does the same around its call. C1 is the last operation's: the host has it, or it
 * is 0, or the status word has it. Intel SDM 1 chapter 8.
 */
#include "tcg/i386/gen.h"
#include "tcg/x87.h"

enum { C1_HOME, C1_ZERO, C1_HOST };
enum { SW_C1 = 0x200, SW_FLAGS = 0x3f, SW_CC = 0x4700, SW_C023 = 0x4500 };

static void op2(Gen *g, unsigned a, unsigned b)
{
    x_u8(&g->a, a);
    x_u8(&g->a, b);
}

static Mem reg_home(const Gen *g, unsigned reg)
{
    return gen_env(g, g->arch->x87_regs + 16 * reg);
}

static Mem status_home(const Gen *g)
{
    return gen_env(g, g->arch->x87_status);
}

static Mem scratch(void)
{
    return mem_bd(RSP, FRAME_CALL);
}

/* 28 bytes; cold paths use what lies before. */
static Mem saved_env(void)
{
    return mem_bd(RSP, FRAME_CALL + 64);
}

/* ---------------------------------------------------------------- the host's stack */

/* i of ST(i) that holds the guest's register; -1: none. */
static int place_of(const X87Cache *x, unsigned reg)
{
    for (int i = 0; i < x->n; i++) {
        if (x->reg[x->n - 1 - i] == reg) {
            return i;
        }
    }
    return -1;
}

static void put_on_top(X87Cache *x, unsigned reg)
{
    x->reg[x->n++] = (uint8_t)reg;
}

static void load(Gen *g, unsigned reg)
{
    x_rm(&g->a, 0xdb, 5, reg_home(g, reg));
    put_on_top(&g->x87, reg);
}

static void to_top(Gen *g, unsigned reg)
{
    X87Cache *x = &g->x87;
    int i = place_of(x, reg);

    if (i < 0) {
        load(g, reg);
    } else if (i > 0) {
        op2(g, 0xd9, 0xc8 + (unsigned)i);       /* fxch */
        x->reg[x->n - 1 - i] = x->reg[x->n - 1];
        x->reg[x->n - 1] = (uint8_t)reg;
    }
}

/* The register gets a new value: what the stack has of it goes. */
static void forget(Gen *g, unsigned reg)
{
    if (place_of(&g->x87, reg) >= 0) {
        to_top(g, reg);
        op2(g, 0xdd, 0xd8);                     /* fstp st(0) */
        g->x87.n--;
    }
}

static void changed(Gen *g, unsigned reg)
{
    g->x87.dirty |= (uint8_t)(1u << reg);
}

/* Adds what `take` has of the host's status to the guest's, where `clear` goes first. */
static void merge_status(Gen *g, uint32_t clear, uint32_t take)
{
    x_push(&g->a, RAX);
    op2(g, 0xdf, 0xe0);                         /* fnstsw ax */
    x_alu_ri(&g->a, 0, ALU_AND, RAX, (int32_t)take);
    if (clear) {
        x_alu_mi(&g->a, 0, ALU_AND, status_home(g), (int32_t)~clear);
    }
    x_rm(&g->a, ALU_OR << 3 | 1, RAX, status_home(g));
    x_pop(&g->a, RAX);
}

static void settle_status(Gen *g)
{
    X87Cache *x = &g->x87;

    if (x->flags || x->c1 == C1_HOST) {
        merge_status(g, x->c1 == C1_HOME ? 0 : SW_C1, SW_FLAGS | (x->c1 == C1_HOST ? SW_C1 : 0));
    } else if (x->c1 == C1_ZERO) {
        x_alu_mi(&g->a, 0, ALU_AND, status_home(g), ~SW_C1);
    }
    x->flags = false;
    x->c1 = C1_HOME;
}

/* Before an op that destroys the host's C1 and has none of its own. */
static void keep_c1(Gen *g)
{
    if (g->x87.c1 == C1_HOST) {
        settle_status(g);
    }
}

static void empty_stack(Gen *g, const X87Cache *x)
{
    for (unsigned i = x->n; i-- > 0;) {
        if (x->dirty >> x->reg[i] & 1) {
            x_rm(&g->a, 0xdb, 7, reg_home(g, x->reg[i]));
        } else {
            op2(g, 0xdd, 0xd8);
        }
    }
}

void gen_x87_flush(Gen *g)
{
    settle_status(g);
    empty_stack(g, &g->x87);
    g->x87 = (X87Cache){0};
}

/* Places for a register and a value besides. */
static void make_room(Gen *g)
{
    if (g->x87.n > 5) {
        gen_x87_flush(g);
    }
}

bool gen_x87_flush_before(const Gen *g, const IrOp *o)
{
    if (!g->x87.n && !g->x87.flags && g->x87.c1 == C1_HOME) {
        return false;
    }
    switch (o->opcode) {
    case OP_INSN: case OP_GET: case OP_SET: case OP_DISCARD: case OP_LOAD: case OP_STORE:
    case OP_ENV_LOAD: case OP_ENV_STORE:
        return false;
    case OP_CALL:
        return !(o->call.helper->flags & HELPER_X87);
    default:
        return !(ir_desc(o)->flags & IRF_PURE) || emit_rows[o->opcode].emit == gen_fallback;
    }
}

/* ---------------------------------------------------------------- around slow paths */

/* Registers and flags of the processor are the access's. */
void gen_x87_stub_save(Gen *g, const X87Cache *x)
{
    if (x->c1 == C1_HOST) {
        x_rm(&g->a, 0xd9, 6, saved_env());      /* fnstenv: C1 comes back with it */
    }
    g->x87 = *x;
    settle_status(g);
    empty_stack(g, x);
    g->x87 = (X87Cache){0};
}

void gen_x87_stub_restore(Gen *g, const X87Cache *x)
{
    for (unsigned i = 0; i < x->n; i++) {
        x_rm(&g->a, 0xdb, 5, reg_home(g, x->reg[i]));
    }
    if (x->c1 == C1_HOST) {
        x_rm(&g->a, 0xd9, 4, saved_env());      /* fldenv */
    }
}

/* ---------------------------------------------------------------- operations */

static void arith(Gen *g, unsigned op, unsigned a, unsigned b)
{
    X87Cache *x = &g->x87;
    const unsigned mirrored = op >= 4 ? op ^ 1 : op;
    int i;

    if (place_of(x, a) < 0 && place_of(x, b) < 0 && a != b) {
        load(g, b);
    }
    if (place_of(x, b) < 0) {
        load(g, b);
    }
    if (place_of(x, b) == 0 && a != b && place_of(x, a) > 0) {
        op2(g, 0xdc, (0xc0 | mirrored << 3) + (unsigned)place_of(x, a));
    } else {
        to_top(g, a);
        i = place_of(x, b);
        op2(g, 0xd8, (0xc0 | op << 3) + (unsigned)i);
    }
    changed(g, a);
    x->flags = true;
    x->c1 = C1_HOST;
}

static void move(Gen *g, unsigned a, unsigned b, bool clears_c1)
{
    X87Cache *x = &g->x87;
    int i;

    if (!clears_c1) {
        keep_c1(g);
    }
    if (a != b) {
        if (place_of(x, a) >= 0) {
            to_top(g, b);
            op2(g, 0xdd, 0xd0 + (unsigned)place_of(x, a));      /* fst st(i) */
        } else {
            i = place_of(x, b);
            if (i >= 0) {
                op2(g, 0xd9, 0xc0 + (unsigned)i);               /* fld st(i) */
            } else {
                x_rm(&g->a, 0xdb, 5, reg_home(g, b));
            }
            put_on_top(x, a);
        }
        changed(g, a);
    }
    x->c1 = clears_c1 ? C1_ZERO : x->c1;
}

static void exchange(Gen *g, unsigned a, unsigned b)
{
    X87Cache *x = &g->x87;

    if (a != b) {
        if (place_of(x, a) < 0) {
            load(g, a);
        }
        if (place_of(x, b) < 0) {
            load(g, b);
        }
        int i = x->n - 1 - place_of(x, a), k = x->n - 1 - place_of(x, b);
        x->reg[i] = (uint8_t)b;
        x->reg[k] = (uint8_t)a;
        changed(g, a);
        changed(g, b);
    }
    x->c1 = C1_ZERO;
}

/*
 * st(0) is compared with reg b, or (b < 0) with the operand in the scratch place. The status word
 * has all of it.
 */
static void compare(Gen *g, unsigned a, int b, unsigned how)
{
    X87Cache *x = &g->x87;

    if (b >= 0 && place_of(x, (unsigned)b) < 0) {
        load(g, (unsigned)b);
    }
    to_top(g, a);
    if (b >= 0) {
        op2(g, how ? 0xdd : 0xd8, (how ? 0xe0 : 0xd0) + (unsigned)place_of(x, (unsigned)b));
    } else if (how == X87F_I64) {
        x_rm(&g->a, 0xdf, 5, scratch());        /* fildll */
        op2(g, 0xd9, 0xc9);                     /* fxch */
        op2(g, 0xd8, 0xd1);                     /* fcom st(1) */
    } else {
        x_rm(&g->a, how == X87F_F64 ? 0xdc : 0xd8, 2, scratch());
    }
    merge_status(g, SW_CC, SW_FLAGS | SW_C023);
    if (b < 0 && how == X87F_I64) {
        op2(g, 0xdd, 0xd9);                     /* fstp st(1) */
    }
    x->flags = false;
    x->c1 = C1_HOME;
}

static void emit_do(Gen *g, uint32_t code)
{
    const unsigned op = x87_code_op(code), a = x87_code_a(code), b = x87_code_b(code);
    X87Cache *x = &g->x87;

    switch (x87_code_kind(code)) {
    case X87K_ARITH:
        arith(g, op, a, b);
        return;
    case X87K_MOVE:
        move(g, a, b, op);
        return;
    case X87K_XCH:
        exchange(g, a, b);
        return;
    case X87K_UNARY:
        to_top(g, a);
        op2(g, 0xd9, op);
        changed(g, a);
        x->flags |= op >= 0xf0;
        x->c1 = op >= 0xf0 ? C1_HOST : C1_ZERO;
        return;
    case X87K_CONST:
        forget(g, a);
        op2(g, 0xd9, op);
        put_on_top(x, a);
        changed(g, a);
        x->c1 = C1_ZERO;
        return;
    case X87K_COM:
        compare(g, a, (int)b, op);
        return;
    default:
        settle_status(g);
    }
}

static void value_to_scratch(Gen *g, const IrOp *o, unsigned n)
{
    int reg = ra_use(&g->ra, o->args[n], 0);
    Mem m = scratch();

    m.disp += 8 * (int32_t)(n - 1);
    x_rm(&g->a, X_MOV_MR | (g->ra.vals[o->args[n]].type == IR_I64 ? X_W : 0), reg, m);
}

static void load_value(Gen *g, unsigned format)
{
    static const uint8_t form[3] = {0xd9, 0xdd, 0xdf};

    x_rm(&g->a, form[format], format == X87F_I64 ? 5 : 0, scratch());
}

static void arith_mem(Gen *g, unsigned op, unsigned format, unsigned a)
{
    to_top(g, a);
    if (format == X87F_I64) {
        load_value(g, format);
        op2(g, 0xde, (0xc1 | (op >= 4 ? op ^ 1 : op) << 3));   /* f..p st(1), st */
    } else {
        x_rm(&g->a, format == X87F_F64 ? 0xdc : 0xd8, (int)op, scratch());
    }
    changed(g, a);
    g->x87.flags = true;
    g->x87.c1 = C1_HOST;
}

static void conditional_move(Gen *g, const IrOp *o, unsigned a, unsigned b)
{
    X87Cache *x = &g->x87;
    int reg = ra_use(&g->ra, o->args[1], 0);

    keep_c1(g);
    if (place_of(x, b) < 0) {
        load(g, b);
    }
    to_top(g, a);
    x_rr(&g->a, X_TEST | X_W, reg, reg);
    op2(g, 0xdb, 0xc8 + (unsigned)place_of(x, b));              /* fcmovne */
    changed(g, a);
}

static void emit_in(Gen *g, const IrOp *o, uint32_t code)
{
    const unsigned op = x87_code_op(code), a = x87_code_a(code);
    X87Cache *x = &g->x87;

    if (x87_code_kind(code) == X87K_CMOV) {
        conditional_move(g, o, a, x87_code_b(code));
        return;
    }
    make_room(g);
    value_to_scratch(g, o, 1);
    switch (x87_code_kind(code)) {
    case X87K_ARITH_MEM:
        arith_mem(g, op & 7, op >> 4, a);
        return;
    case X87K_COM_MEM:
        compare(g, a, -1, op);
        return;
    default:
        forget(g, a);
        if (x87_code_kind(code) == X87K_LOAD_80) {
            value_to_scratch(g, o, 2);
            x_rm(&g->a, 0xdb, 5, scratch());
        } else {
            load_value(g, op);
            x->flags = true;
        }
        put_on_top(x, a);
        changed(g, a);
        x->c1 = C1_ZERO;
    }
}

static void store(Gen *g, const IrOp *o, unsigned op, unsigned a)
{
    static const struct { uint8_t form, digit, cut_form; uint32_t read; } rows[] = {
        [X87F_F32] = {0xd9, 2, 0, X_MOV_RM},
        [X87F_F64] = {0xdd, 2, 0, X_MOV_RM | X_W},
        [X87F_I64] = {0xdf, 7, 0xdd, X_MOV_RM | X_W},
        [X87F_I32] = {0xdb, 3, 0xdb, X_MOVSXD},
        [X87F_I16] = {0xdf, 3, 0xdf, X_MOVSX16 | X_W},
    };
    const unsigned format = op & 7;
    const bool cut = op & X87F_TRUNCATE;

    make_room(g);
    to_top(g, a);
    if (format >= X87F_I64) {
        op2(g, 0xd9, 0xc0);                     /* fld st(0): these pop */
        x_rm(&g->a, cut ? rows[format].cut_form : rows[format].form, cut ? 1 : rows[format].digit,
             scratch());
    } else {
        x_rm(&g->a, rows[format].form, rows[format].digit, scratch());
    }
    g->x87.flags = true;
    g->x87.c1 = C1_HOST;
    ra_release(&g->ra);
    x_rm(&g->a, rows[format].read, ra_def(&g->ra, o->dst, 0, -1), scratch());
}

/* ZF, PF and CF are bits 6, 2 and 0 of ah after LAHF, as in EFLAGS. */
static void compare_flags(Gen *g, const IrOp *o, unsigned quiet, unsigned a, unsigned b)
{
    X87Cache *x = &g->x87;

    ra_take(&g->ra, RAX);
    if (place_of(x, b) < 0) {
        load(g, b);
    }
    to_top(g, a);
    op2(g, 0xdb, (quiet ? 0xe8 : 0xf0) + (unsigned)place_of(x, b));
    x_u8(&g->a, 0x9f);                          /* lahf */
    op2(g, 0x0f, 0xb6);                         /* movzx eax, ah */
    x_u8(&g->a, 0xc4);
    x_alu_ri(&g->a, 0, ALU_AND, RAX, 0x45);
    x->flags = true;
    x->c1 = C1_ZERO;
    ra_release(&g->ra);
    ra_def_fixed(&g->ra, o->dst, RAX);
}

void emit_x87(Gen *g, const IrOp *o)
{
    const uint32_t code = (uint32_t)g->ra.vals[o->args[0]].bits;

    if (o->dst && x87_code_kind(code) == X87K_COMI) {
        compare_flags(g, o, x87_code_op(code), x87_code_a(code), x87_code_b(code));
    } else if (o->dst) {
        store(g, o, x87_code_op(code), x87_code_a(code));
    } else if (o->num_args > 1) {
        emit_in(g, o, code);
    } else {
        emit_do(g, code);
    }
}
