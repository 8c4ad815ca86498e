// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shifts, rotates, double shifts. SDM 1 5.1.5. A count of zero leaves the flags alone, so with a
 * count in CL the flags' source is only known at run time: the lazy flags are then selected.
 */
#include "target-i386/translate.h"

/* New flags if count is not 0, else those of before. */
static void shift_flags(X86Ctx *s, unsigned group, unsigned size, IrVal dst, IrVal src,
                        IrVal count64)
{
    IrBuilder *b = s->b;
    IrVal wide_dst = x86_zext64(s, size, dst), wide_src = x86_zext64(s, size, src);
    IrVal zero = ir_i64(b, 0);

    IrVal op = s->cc_op == CC_DYNAMIC ? ir_get(b, V_CC_OP) : ir_i32(b, s->cc_op);
    op = ir_select(b, COND_EQ, count64, zero, op, ir_i32(b, group + size));
    wide_dst = ir_select(b, COND_EQ, count64, zero, ir_get(b, V_CC_DST), wide_dst);
    wide_src = ir_select(b, COND_EQ, count64, zero, ir_get(b, V_CC_SRC), wide_src);
    ir_set(b, V_CC_DST, wide_dst);
    ir_set(b, V_CC_SRC, wide_src);
    ir_set(b, V_CC_OP, op);
    x86_cc_dynamic(s);
}

enum { SHIFT_LEFT, SHIFT_RIGHT, SHIFT_ARITHMETIC };

static IrVal shift_by(X86Ctx *s, unsigned kind, IrVal v, IrVal count)
{
    return kind == SHIFT_LEFT ? ir_shl(s->b, v, count)
           : kind == SHIFT_RIGHT ? ir_shr(s->b, v, count) : ir_sar(s->b, v, count);
}

/*
 * 8 and 16-bit operands are shifted as 32-bit ones, where counts up to 31 do what they should.
 */
static void shift(X86Ctx *s, X86Insn *i, unsigned kind)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    uint64_t mask = size == 3 ? 63 : 31, known = i->op[1].imm & mask;
    bool by_cl = i->op[1].kind == X86_REG;
    unsigned group = kind == SHIFT_LEFT ? CCG_SHL : CCG_SAR;
    IrVal v = x86_read(s, i, 0);

    if (!by_cl && !known) {
        x86_write(s, i, 0, v);
        return;
    }
    if (kind != SHIFT_LEFT) {
        v = kind == SHIFT_RIGHT ? x86_zext(s, size, v) : x86_sext(s, size, v);
    }
    IrVal count64 = by_cl ? ir_andi(b, ir_get(b, V_RCX), mask) : ir_i64(b, known);
    IrVal count = x86_narrow(s, size, count64);
    IrVal result = shift_by(s, kind, v, count);
    if (!by_cl) {
        IrVal last = shift_by(s, kind, v, x86_const(s, size, known - 1));
        x86_write(s, i, 0, result);
        x86_cc(s, group, size, result, last, x86_none);
        return;
    }
    /* (v OP (count - 1)), any value when count is 0 */
    IrVal less = ir_andi(b, ir_addi(b, count, -1), mask);
    IrVal last = shift_by(s, kind, v, less);
    x86_write(s, i, 0, result);
    shift_flags(s, group, size, result, last, count64);
}

void trans_SHL(X86Ctx *s, X86Insn *i)
{
    shift(s, i, SHIFT_LEFT);
}

void trans_SHR(X86Ctx *s, X86Insn *i)
{
    shift(s, i, SHIFT_RIGHT);
}

void trans_SAR(X86Ctx *s, X86Insn *i)
{
    shift(s, i, SHIFT_ARITHMETIC);
}

/* ---- rotates: C and O only ---- */

/* c, o: 0 or 1, i64. nonzero: the masked count; x86_none: known to be other than 0. */
static void rotate_flags(X86Ctx *s, IrVal c, IrVal o, IrVal nonzero)
{
    IrBuilder *b = s->b;
    IrVal old = x86_flags(s);
    IrVal new =
        ir_or(b, ir_andi(b, old, ~(uint64_t)(FLAG_C | FLAG_O)), ir_or(b, c, ir_shli(b, o, 11)));

    if (nonzero.id) {
        new = ir_select(b, COND_EQ, nonzero, ir_i64(b, 0), old, new);
    }
    x86_cc_eflags(s, new);
}

static IrVal rotate_value(X86Ctx *s, unsigned size, IrVal v, IrVal count, bool left)
{
    IrBuilder *b = s->b;

    if (size == 0) {            /* four copies */
        v = ir_zext8(b, v);
        v = ir_or(b, v, ir_shli(b, v, 8));
    }
    if (size < 2) {
        v = ir_deposit(b, v, v, 16, 16);
    }
    return left ? ir_rotl(b, v, count) : ir_rotr(b, v, count);
}

static void rotate(X86Ctx *s, X86Insn *i, bool left)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size, bits = 8u << size;
    uint64_t mask = size == 3 ? 63 : 31;
    bool by_cl = i->op[1].kind == X86_REG;
    IrVal v = x86_read(s, i, 0);

    if (!by_cl && !(i->op[1].imm & mask)) {
        x86_write(s, i, 0, v);
        return;
    }
    IrVal count64 = by_cl ? ir_andi(b, ir_get(b, V_RCX), mask) : ir_i64(b, i->op[1].imm & mask);
    IrVal result = rotate_value(s, size, v, x86_narrow(s, size, count64), left);
    x86_write(s, i, 0, result);
    IrVal wide = x86_zext64(s, size, result);
    IrVal top = ir_extract(b, wide, bits - 1, 1);
    IrVal c = left ? ir_andi(b, wide, 1) : top;
    IrVal o = left ? ir_xor(b, top, c) : ir_xor(b, top, ir_extract(b, wide, bits - 2, 1));
    rotate_flags(s, c, o, by_cl ? count64 : x86_none);
}

void trans_ROL(X86Ctx *s, X86Insn *i)
{
    rotate(s, i, true);
}

void trans_ROR(X86Ctx *s, X86Insn *i)
{
    rotate(s, i, false);
}

/* Through carry by one: the usual case in loops over long numbers. */
static void rotate_carry_one(X86Ctx *s, X86Insn *i, bool left)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size, bits = 8u << size;
    IrVal carry = x86_carry(s), v = x86_zext64(s, size, x86_read(s, i, 0)), r, out, o;

    if (left) {
        r = ir_or(b, ir_shli(b, v, 1), carry);
        out = ir_extract(b, v, bits - 1, 1);
        o = ir_xor(b, ir_extract(b, r, bits - 1, 1), out);
    } else {
        r = ir_or(b, ir_shri(b, v, 1), ir_shli(b, carry, bits - 1));
        out = ir_andi(b, v, 1);
        o = ir_xor(b, carry, ir_extract(b, r, bits - 2, 1));
    }
    x86_write(s, i, 0, x86_narrow(s, size, r));
    rotate_flags(s, out, o, x86_none);
}

/*
 * The helper changes the flags' homes, which may not happen before the store can no longer fault.
 */
static void rotate_carry(X86Ctx *s, X86Insn *i, bool left)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    bool by_cl = i->op[1].kind == X86_REG;

    if (!by_cl && (i->op[1].imm & (size == 3 ? 63 : 31)) == 1) {
        rotate_carry_one(s, i, left);
        return;
    }
    IrVal v = x86_zext64(s, size, x86_read(s, i, 0));
    IrVal count = by_cl ? x86_get_reg(s, 2, R_CX) : ir_i32(b, (uint32_t)i->op[1].imm);
    if (i->op[0].kind == X86_MEM) {
        x86_write(s, i, 0, x86_narrow(s, size, v));
    }
    x86_sync(s);
    IrVal r = (left ? ir_call_rcl : ir_call_rcr)(b, v, count, ir_i32(b, size));
    x86_cc_dynamic(s);
    x86_write(s, i, 0, x86_narrow(s, size, r));
}

void trans_RCL(X86Ctx *s, X86Insn *i)
{
    rotate_carry(s, i, true);
}

void trans_RCR(X86Ctx *s, X86Insn *i)
{
    rotate_carry(s, i, false);
}

/* ---- double shifts ---- */

/* 16 bits: dst:src:dst as one number, so that counts 16 .. 31 do what processors do. */
static void double16(X86Ctx *s, IrVal dst, IrVal src, IrVal count, IrVal less, bool left, IrVal *r,
                     IrVal *last)
{
    IrBuilder *b = s->b;
    IrVal d = x86_zext64(s, 1, dst), c = x86_zext64(s, 1, src);

    if (left) {
        IrVal v = ir_or(b, ir_shli(b, d, 32), ir_or(b, ir_shli(b, c, 16), d));
        *r = ir_trunc(b, ir_shri(b, ir_shl(b, v, count), 32));
        *last = ir_trunc(b, ir_shri(b, ir_shl(b, v, less), 32));
    } else {
        IrVal v = ir_or(b, ir_shli(b, d, 32), ir_or(b, ir_shli(b, c, 16), d));
        *r = ir_trunc(b, ir_shr(b, v, count));
        *last = ir_trunc(b, ir_shr(b, v, less));
    }
}

static void double32(X86Ctx *s, IrVal dst, IrVal src, IrVal count, IrVal less, bool left, IrVal *r,
                     IrVal *last)
{
    IrBuilder *b = s->b;

    if (left) {
        IrVal v = ir_concat(b, src, dst);
        *r = ir_trunc(b, ir_shri(b, ir_shl(b, v, count), 32));
        *last = ir_trunc(b, ir_shri(b, ir_shl(b, v, less), 32));
    } else {
        IrVal v = ir_concat(b, dst, src);
        *r = ir_trunc(b, ir_shr(b, v, count));
        *last = ir_trunc(b, ir_shr(b, v, less));
    }
}

static void double64(X86Ctx *s, IrVal dst, IrVal src, IrVal count, IrVal less, bool left, IrVal *r,
                     IrVal *last)
{
    IrBuilder *b = s->b;
    IrVal back = ir_xor(b, less, ir_i64(b, 63));       /* 64 - count for counts of 1 to 63 */

    back = ir_andi(b, back, 63);
    if (left) {
        *last = ir_shl(b, dst, less);
        *r = ir_or(b, ir_shl(b, dst, count), ir_shr(b, src, back));
    } else {
        *last = ir_shr(b, dst, less);
        *r = ir_or(b, ir_shr(b, dst, count), ir_shl(b, src, back));
    }
    *r = ir_select(b, COND_EQ, count, ir_i64(b, 0), dst, *r);
}

static void double_shift(X86Ctx *s, X86Insn *i, bool left)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    uint64_t mask = size == 3 ? 63 : 31;
    bool by_cl = i->op[2].kind == X86_REG;
    IrVal dst = x86_read(s, i, 0), src = x86_read(s, i, 1), r, last;

    if (!by_cl && !(i->op[2].imm & mask)) {
        x86_write(s, i, 0, dst);
        return;
    }
    IrVal count = by_cl ? ir_andi(b, ir_get(b, V_RCX), mask) : ir_i64(b, i->op[2].imm & mask);
    IrVal less = ir_andi(b, ir_addi(b, count, -1), mask);
    (size == 1   ? double16
     : size == 2 ? double32
                 : double64)(s, dst, src, count, less, left, &r, &last);
    x86_write(s, i, 0, r);
    unsigned group = left ? CCG_SHL : CCG_SAR;
    if (by_cl) {
        shift_flags(s, group, size, r, last, count);
    } else {
        x86_cc(s, group, size, r, last, x86_none);
    }
}

void trans_SHLD(X86Ctx *s, X86Insn *i)
{
    double_shift(s, i, true);
}

void trans_SHRD(X86Ctx *s, X86Insn *i)
{
    double_shift(s, i, false);
}
