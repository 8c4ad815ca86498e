// SPDX-License-Identifier: GPL-2.0-or-later
/* Binary and decimal arithmetic, logic, comparison. SDM 1 5.1.2 to 5.1.4. */
#include "target-i386/translate.h"

typedef IrVal BinaryFn(IrBuilder *b, IrVal a, IrVal c);

/*
 * dst = fn(dst) with LOCK by compare-and-exchange until it succeeds. The old and new values come
 * back in locals, for the flags.
 */
typedef struct Rmw { IrVar old, new; } Rmw;
typedef IrVal RmwFn(X86Ctx *s, IrVal old, IrVar operand, unsigned size);

static Rmw locked_rmw(X86Ctx *s, const X86Insn *i, RmwFn *fn, IrVar operand)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    IrType t = x86_type(size);
    Rmw r = {.old = ir_local(b, t), .new = ir_local(b, t)};
    IrVar addr = ir_local(b, IR_I64);
    IrBlock *again = ir_block(b), *done = ir_block(b);

    ir_set(b, addr, x86_addr(s, i));
    ir_set(b, r.old, x86_load(s, size, ir_get(b, addr)));
    ir_place(b, again);
    IrVal old = ir_get(b, r.old);
    IrVal new = fn(s, old, operand, size);
    ir_set(b, r.new, new);
    IrVal seen = ir_cmpxchg(b, x86_zext(s, size, old), new, ir_get(b, addr), (MemOp)size, s->mmu);
    ir_set(b, r.old, seen);
    ir_brcond(b, COND_NE, x86_zext(s, size, seen), x86_zext(s, size, old), again, done);
    ir_place(b, done);
    return r;
}

static IrVal atomic(X86Ctx *s, const X86Insn *i, IrAtomic kind, IrVal v)
{
    return ir_atomic(s->b, kind, v, x86_addr(s, i), (MemOp)i->op[0].size, s->mmu);
}

void trans_ADD(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrVal src = x86_read(s, i, 1), dst;

    if (i->lock) {
        dst = ir_add(s->b, atomic(s, i, ATOMIC_ADD, src), src);
    } else {
        dst = ir_add(s->b, x86_read(s, i, 0), src);
        x86_write(s, i, 0, dst);
    }
    x86_cc(s, CCG_ADD, size, dst, src, x86_none);
}

void trans_SUB(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrVal src = x86_read(s, i, 1), a, dst;

    if (i->lock) {
        a = atomic(s, i, ATOMIC_ADD, ir_neg(s->b, src));
        dst = ir_sub(s->b, a, src);
    } else {
        a = x86_read(s, i, 0);
        dst = ir_sub(s->b, a, src);
        x86_write(s, i, 0, dst);
    }
    x86_cc(s, CCG_SUB, size, dst, src, x86_none);
    x86_cc_minuend(s, a);
}

void trans_CMP(X86Ctx *s, X86Insn *i)
{
    IrVal a = x86_read(s, i, 0), src = x86_read(s, i, 1);

    x86_cc(s, CCG_CMP, i->op[0].size, a, src, x86_none);
}

/* operand: source + carry, computed before the loop; it may not be kept as one value for flags */
static IrVal rmw_add(X86Ctx *s, IrVal old, IrVar operand, unsigned size)
{
    return ir_add(s->b, old, ir_get(s->b, operand));
}

static IrVal rmw_sub(X86Ctx *s, IrVal old, IrVar operand, unsigned size)
{
    return ir_sub(s->b, old, ir_get(s->b, operand));
}

static void locked_carry(X86Ctx *s, X86Insn *i, bool add)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    IrVar sum = ir_local(b, x86_type(size)), src = ir_local(b, x86_type(size)),
          carry = ir_local(b, IR_I64);
    IrVal c = x86_carry(s), x = x86_read(s, i, 1);

    ir_set(b, carry, c);
    ir_set(b, src, x);
    ir_set(b, sum, ir_add(b, x, x86_narrow(s, size, c)));
    x86_sync(s);
    Rmw r = locked_rmw(s, i, add ? rmw_add : rmw_sub, sum);
    x86_cc(s, add ? CCG_ADC : CCG_SBB, size, ir_get(b, r.new), ir_get(b, src), ir_get(b, carry));
}

void trans_ADC(X86Ctx *s, X86Insn *i)
{
    if (i->lock) {
        locked_carry(s, i, true);
        return;
    }
    unsigned size = i->op[0].size;
    IrVal carry = x86_carry(s), src = x86_read(s, i, 1);
    IrVal dst = ir_add(s->b, ir_add(s->b, x86_read(s, i, 0), src), x86_narrow(s, size, carry));
    x86_write(s, i, 0, dst);
    x86_cc(s, CCG_ADC, size, dst, src, carry);
}

void trans_SBB(X86Ctx *s, X86Insn *i)
{
    if (i->lock) {
        locked_carry(s, i, false);
        return;
    }
    unsigned size = i->op[0].size;
    IrVal carry = x86_carry(s), src = x86_read(s, i, 1), a = x86_read(s, i, 0);
    IrVal dst = ir_sub(s->b, ir_sub(s->b, a, src), x86_narrow(s, size, carry));
    x86_write(s, i, 0, dst);
    x86_cc(s, CCG_SBB, size, dst, src, carry);
    x86_cc_minuend(s, a);
}

static void logic(X86Ctx *s, X86Insn *i, BinaryFn *fn, IrAtomic kind)
{
    IrVal src = x86_read(s, i, 1), dst;

    if (i->lock) {
        dst = fn(s->b, atomic(s, i, kind, src), src);
    } else {
        dst = fn(s->b, x86_read(s, i, 0), src);
        x86_write(s, i, 0, dst);
    }
    x86_cc(s, CCG_LOGIC, i->op[0].size, dst, x86_none, x86_none);
}

void trans_AND(X86Ctx *s, X86Insn *i)
{
    logic(s, i, ir_and, ATOMIC_AND);
}

void trans_OR(X86Ctx *s, X86Insn *i)
{
    logic(s, i, ir_or, ATOMIC_OR);
}

void trans_XOR(X86Ctx *s, X86Insn *i)
{
    const X86Operand *a = &i->op[0], *c = &i->op[1];

    if (a->kind == X86_REG && c->kind == X86_REG && a->reg == c->reg && a->high == c->high) {
        x86_write(s, i, 0, x86_const(s, a->size, 0));
        x86_cc_clr(s);
        return;
    }
    logic(s, i, ir_xor, ATOMIC_XOR);
}

void trans_TEST(X86Ctx *s, X86Insn *i)
{
    IrVal a = x86_read(s, i, 0);

    x86_cc(s, CCG_LOGIC, i->op[0].size, ir_and(s->b, a, x86_read(s, i, 1)), x86_none, x86_none);
}

void trans_NOT(X86Ctx *s, X86Insn *i)
{
    if (i->lock) {
        atomic(s, i, ATOMIC_XOR, x86_const(s, i->op[0].size, UINT64_MAX));
    } else {
        x86_write(s, i, 0, ir_not(s->b, x86_read(s, i, 0)));
    }
}

static IrVal rmw_neg(X86Ctx *s, IrVal old, IrVar operand, unsigned size)
{
    return ir_neg(s->b, old);
}

void trans_NEG(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrVal dst;

    if (i->lock) {
        x86_sync(s);
        dst = ir_get(s->b, locked_rmw(s, i, rmw_neg, 0).new);
        x86_cc(s, CCG_SUB, size, dst, ir_neg(s->b, dst), x86_none);
    } else {
        IrVal src = x86_read(s, i, 0);
        dst = ir_neg(s->b, src);
        x86_write(s, i, 0, dst);
        x86_cc(s, CCG_SUB, size, dst, src, x86_none);
    }
    x86_cc_minuend(s, x86_const(s, size, 0));
}

static void inc_dec(X86Ctx *s, X86Insn *i, bool inc)
{
    unsigned size = i->op[0].size;
    IrVal carry = x86_carry(s), one = x86_const(s, size, inc ? 1 : UINT64_MAX), dst;

    if (i->lock) {
        dst = ir_add(s->b, atomic(s, i, ATOMIC_ADD, one), one);
    } else {
        dst = ir_add(s->b, x86_read(s, i, 0), one);
        x86_write(s, i, 0, dst);
    }
    x86_cc(s, inc ? CCG_INC : CCG_DEC, size, dst, carry, x86_none);
}

void trans_INC(X86Ctx *s, X86Insn *i)
{
    inc_dec(s, i, true);
}

void trans_DEC(X86Ctx *s, X86Insn *i)
{
    inc_dec(s, i, false);
}

/* ---- multiplication ---- */

/* Halves of the product of 64-bit operands into RDX:RAX. */
static void mul64(X86Ctx *s, IrVal a, IrVal src, bool is_signed)
{
    IrBuilder *b = s->b;
    IrVal low = ir_mul(b, a, src);
    IrVal high = is_signed ? ir_mulhs(b, a, src) : ir_mulhu(b, a, src);

    ir_set(b, V_RAX, low);
    ir_set(b, V_RDX, high);
    IrVal over = is_signed ? ir_sub(b, high, ir_sari(b, low, 63)) : high;
    x86_cc(s, CCG_MUL, 3, low, over, x86_none);
}

static void mul_one(X86Ctx *s, X86Insn *i, bool is_signed)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size, bits = 8u << size;
    IrVal src = x86_read(s, i, 0), a = x86_get_reg(s, size, R_AX);

    if (size == 3) {
        mul64(s, a, src, is_signed);
        return;
    }
    IrVal (*ext)(X86Ctx *, unsigned, IrVal) = is_signed ? x86_sext64 : x86_zext64;
    IrVal product = ir_mul(b, ext(s, size, a), ext(s, size, src));
    IrVal low = ir_trunc(b, product);
    if (size == 0) {
        x86_set_reg(s, 1, R_AX, low);
    } else {
        x86_set_reg(s, size, R_AX, low);
        x86_set_reg(s, size, R_DX, ir_trunc(b, ir_shri(b, product, bits)));
    }
    IrVal over =
        is_signed ? ir_sub(b, product, x86_sext64(s, size, low)) : ir_shri(b, product, bits);
    x86_cc(s, CCG_MUL, size, low, over, x86_none);
}

void trans_MUL(X86Ctx *s, X86Insn *i)
{
    mul_one(s, i, false);
}

void trans_IMUL1(X86Ctx *s, X86Insn *i)
{
    mul_one(s, i, true);
}

static void imul(X86Ctx *s, X86Insn *i, IrVal a, IrVal c)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;

    if (size == 3) {
        IrVal low = ir_mul(b, a, c);
        IrVal over = ir_sub(b, ir_mulhs(b, a, c), ir_sari(b, low, 63));
        x86_write(s, i, 0, low);
        x86_cc(s, CCG_MUL, 3, low, over, x86_none);
        return;
    }
    IrVal product = ir_mul(b, x86_sext64(s, size, a), x86_sext64(s, size, c));
    IrVal low = ir_trunc(b, product);
    x86_write(s, i, 0, low);
    x86_cc(s, CCG_MUL, size, low, ir_sub(b, product, x86_sext64(s, size, low)), x86_none);
}

void trans_IMUL2(X86Ctx *s, X86Insn *i)
{
    IrVal a = x86_read(s, i, 0);

    imul(s, i, a, x86_read(s, i, 1));
}

void trans_IMUL3(X86Ctx *s, X86Insn *i)
{
    IrVal a = x86_read(s, i, 1);

    imul(s, i, a, x86_read(s, i, 2));
}

/* ---- division: dividends up to 64 bits directly, 128 bits by a helper ---- */

static void div_result(X86Ctx *s, unsigned size, IrVal q, IrVal r)
{
    IrBuilder *b = s->b;

    if (size == 0) {
        IrVal ax = ir_deposit(b, ir_trunc(b, q), ir_trunc(b, r), 8, 8);
        x86_set_reg(s, 1, R_AX, ax);
    } else {
        x86_set_reg(s, size, R_AX, x86_narrow(s, size, q));
        x86_set_reg(s, size, R_DX, x86_narrow(s, size, r));
    }
}

static IrVal dividend(X86Ctx *s, unsigned size, bool is_signed)
{
    IrBuilder *b = s->b;
    IrVal a = x86_get_reg(s, 2, R_AX);

    if (size == 0) {
        return is_signed ? ir_sextq(b, ir_sext16(b, a)) : ir_zextq(b, ir_zext16(b, a));
    }
    IrVal d = x86_get_reg(s, 2, R_DX);
    if (size == 2) {
        return ir_concat(b, a, d);
    }
    IrVal both = ir_deposit(b, a, d, 16, 16);
    return is_signed ? ir_sextq(b, both) : ir_zextq(b, both);
}

/* 128 bits by 64: the upper half nearly always says no more than the lower one does. */
static void divide_64(X86Ctx *s, IrVal src, bool is_signed)
{
    IrBuilder *b = s->b;
    IrVar d = ir_local(b, IR_I64);
    IrBlock *slow = ir_cold_block(b), *narrow = ir_block(b), *fast = ir_block(b),
            *end = ir_block(b);
    IrVal low = ir_get(b, V_RAX);

    ir_set(b, d, src);
    x86_sync(s);
    ir_brcond(b, COND_NE, ir_get(b, V_RDX), is_signed ? ir_sari(b, low, 63) : ir_i64(b, 0), slow,
              narrow);
    ir_place(b, narrow);
    if (is_signed) {                    /* not 0, and not -1, by which -2^63 cannot be divided */
        ir_brcond(b, COND_LEU, ir_addi(b, ir_get(b, d), 1), ir_i64(b, 1), slow, fast);
    } else {
        ir_brcond(b, COND_EQ, ir_get(b, d), ir_i64(b, 0), slow, fast);
    }
    ir_place(b, fast);
    low = ir_get(b, V_RAX);
    src = ir_get(b, d);
    IrVal quotient = is_signed ? ir_divs(b, low, src) : ir_divu(b, low, src);
    ir_set(b, V_RAX, quotient);
    ir_set(b, V_RDX, ir_sub(b, low, ir_mul(b, quotient, src)));
    ir_br(b, end);
    ir_place(b, slow);
    (is_signed ? ir_call_divs : ir_call_divu)(b, ir_get(b, d), ir_i32(b, 3));
    ir_br(b, end);
    ir_place(b, end);
}

static void divide(X86Ctx *s, X86Insn *i, bool is_signed)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    IrVal src = x86_read(s, i, 0);

    if (size == 3) {
        divide_64(s, src, is_signed);
        return;
    }
    IrVar n = ir_local(b, IR_I64), d = ir_local(b, IR_I64), q = ir_local(b, IR_I64);
    IrBlock *bad = ir_cold_block(b), *good = ir_block(b), *fits = ir_block(b);
    IrVal divisor = is_signed ? x86_sext64(s, size, src) : x86_zext64(s, size, src);
    IrVal num = dividend(s, size, is_signed);
    ir_set(b, n, num);
    ir_set(b, d, divisor);
    x86_sync(s);
    if (is_signed && size == 2) {
        IrBlock *not_zero = ir_block(b);
        ir_brcond(b, COND_EQ, divisor, ir_i64(b, 0), bad, not_zero);
        ir_place(b, not_zero);
        /* -2^63 / -1 does not fit the host's division, and no quotient of -2^63 fits 32 bits */
        ir_brcond(b, COND_EQ, ir_get(b, n), ir_i64(b, 1ull << 63), bad, good);
    } else {
        ir_brcond(b, COND_EQ, divisor, ir_i64(b, 0), bad, good);
    }
    ir_place(b, good);
    num = ir_get(b, n);
    divisor = ir_get(b, d);
    IrVal quotient = is_signed ? ir_divs(b, num, divisor) : ir_divu(b, num, divisor);
    ir_set(b, q, quotient);
    IrVal low = x86_narrow(s, size, quotient);
    IrVal cut = is_signed ? x86_sext64(s, size, low) : x86_zext64(s, size, low);
    ir_brcond(b, COND_NE, quotient, cut, bad, fits);
    ir_place(b, bad);
    x86_raise_ir(s, EXC_DE);
    ir_place(b, fits);
    quotient = ir_get(b, q);
    div_result(s, size, quotient, ir_sub(b, ir_get(b, n), ir_mul(b, quotient, ir_get(b, d))));
}

void trans_DIV(X86Ctx *s, X86Insn *i)
{
    divide(s, i, false);
}

void trans_IDIV(X86Ctx *s, X86Insn *i)
{
    divide(s, i, true);
}

/* ---- decimal adjustment ---- */

static void bcd(X86Ctx *s, void (*fn)(IrBuilder *b))
{
    x86_sync(s);
    fn(s->b);
    x86_cc_by_helper(s);
}

void trans_AAA(X86Ctx *s, X86Insn *i)
{
    bcd(s, ir_call_aaa);
}

void trans_AAS(X86Ctx *s, X86Insn *i)
{
    bcd(s, ir_call_aas);
}

void trans_DAA(X86Ctx *s, X86Insn *i)
{
    bcd(s, ir_call_daa);
}

void trans_DAS(X86Ctx *s, X86Insn *i)
{
    bcd(s, ir_call_das);
}

void trans_AAM(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_aam(s->b, ir_i32(s->b, (uint32_t)i->op[0].imm));
    x86_cc_by_helper(s);
}

void trans_AAD(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_aad(s->b, ir_i32(s->b, (uint32_t)i->op[0].imm));
    x86_cc_by_helper(s);
}
