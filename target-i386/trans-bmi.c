// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BMI1 and BMI2: bit fields, flagless shifts and multiplication with VEX encodings. SDM 1 5.1.16.
 */
#include "target-i386/translate.h"

void trans_ANDN(X86Ctx *s, X86Insn *i)
{
    IrVal c = x86_read(s, i, 2);
    IrVal r = ir_andc(s->b, c, x86_read(s, i, 1));

    x86_write(s, i, 0, r);
    x86_cc(s, CCG_LOGIC, i->op[0].size, r, x86_none, x86_none);
}

/* Carry by the operand: C = (src == 0). */
static void low_bit(X86Ctx *s, X86Insn *i, IrVal r, IrVal src)
{
    x86_write(s, i, 0, r);
    x86_cc(s, CCG_BMI, i->op[0].size, r, src, x86_none);
}

void trans_BLSR(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_read(s, i, 1);

    low_bit(s, i, ir_and(s->b, v, ir_addi(s->b, v, -1)), v);
}

void trans_BLSMSK(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_read(s, i, 1);

    low_bit(s, i, ir_xor(s->b, v, ir_addi(s->b, v, -1)), v);
}

void trans_BLSI(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrVal v = x86_read(s, i, 1), zero = x86_const(s, size, 0), one = x86_const(s, size, 1);

    low_bit(s, i, ir_and(s->b, v, ir_neg(s->b, v)), ir_select(s->b, COND_EQ, v, zero, one, zero));
}

void trans_BZHI(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size, bits = 8u << size;
    IrVal v = x86_read(s, i, 1), n = ir_andi(b, x86_read(s, i, 2), 0xff);
    IrVal limit = x86_const(s, size, bits), zero = x86_const(s, size, 0),
          one = x86_const(s, size, 1);
    IrVal mask = ir_addi(b, ir_shl(b, one, ir_andi(b, n, bits - 1)), -1);
    IrVal r = ir_select(b, COND_LTU, n, limit, ir_and(b, v, mask), v);

    low_bit(s, i, r, ir_select(b, COND_LTU, n, limit, one, zero));
}

void trans_PEXT(X86Ctx *s, X86Insn *i)
{
    IrVal mask = x86_read(s, i, 2);

    x86_write(s, i, 0, ir_pext(s->b, x86_read(s, i, 1), mask));
}

void trans_PDEP(X86Ctx *s, X86Insn *i)
{
    IrVal mask = x86_read(s, i, 2);

    x86_write(s, i, 0, ir_pdep(s->b, x86_read(s, i, 1), mask));
}

/* The high half is written last: it wins when both destinations are one register. */
void trans_MULX(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    IrVal c = x86_read(s, i, 2), d = x86_get_reg(s, size, R_DX), low, high;

    if (size == 3) {
        low = ir_mul(b, d, c);
        high = ir_mulhu(b, d, c);
    } else {
        IrVal product = ir_mul(b, ir_zextq(b, d), ir_zextq(b, c));
        low = ir_trunc(b, product);
        high = ir_trunc(b, ir_shri(b, product, 32));
    }
    x86_write(s, i, 1, low);
    x86_write(s, i, 0, high);
}

void trans_BEXTR(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size, bits = 8u << size;
    IrVal v = x86_read(s, i, 1), control = x86_read(s, i, 2);
    IrVal start = ir_andi(b, control, 0xff), length = ir_extract(b, control, 8, 8);
    IrVal limit = x86_const(s, size, bits), zero = x86_const(s, size, 0),
          one = x86_const(s, size, 1);
    IrVal moved = ir_shr(b, v, ir_andi(b, start, bits - 1));
    moved = ir_select(b, COND_LTU, start, limit, moved, zero);
    IrVal mask = ir_addi(b, ir_shl(b, one, ir_andi(b, length, bits - 1)), -1);
    IrVal r = ir_select(b, COND_LTU, length, limit, ir_and(b, moved, mask), moved);

    low_bit(s, i, r, one);
}

static void shift_x(X86Ctx *s, X86Insn *i, IrVal (*fn)(IrBuilder *, IrVal, IrVal))
{
    IrVal v = x86_read(s, i, 1);
    IrVal n = ir_andi(s->b, x86_read(s, i, 2), (8u << i->op[0].size) - 1);

    x86_write(s, i, 0, fn(s->b, v, n));
}

void trans_SHLX(X86Ctx *s, X86Insn *i)
{
    shift_x(s, i, ir_shl);
}

void trans_SARX(X86Ctx *s, X86Insn *i)
{
    shift_x(s, i, ir_sar);
}

void trans_SHRX(X86Ctx *s, X86Insn *i)
{
    shift_x(s, i, ir_shr);
}

void trans_RORX(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrVal n = x86_const(s, size, i->op[2].imm & ((8u << size) - 1));

    x86_write(s, i, 0, ir_rotr(s->b, x86_read(s, i, 1), n));
}
