// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lazy flags in translations: which operation set them is known while translating (or not, at
 * the start of a block), and conditions are made from its operands. See CcOp in cpu.h for the
 * meaning of the cc_* variables. SDM 1 appendix B (conditions).
 */
#include "target-i386/translate.h"

const IrVal x86_none = {0};

/* cc_dst, cc_src, cc_src2 as far as `used` lacks them mean nothing from now on. */
static void cc_uses(X86Ctx *s, unsigned used)
{
    if (s->cc_dead_block != ir_current(s->b)) {
        s->cc_dead_block = ir_current(s->b);
        s->cc_dead = 0;
    }
    for (unsigned k = 0; k < 3; k++) {
        if (!((used | s->cc_dead) >> k & 1)) {
            ir_discard(s->b, V_CC_DST + k);
        }
    }
    s->cc_dead = ~used & 7;
}

/* For the 64-bit variable: where only the size's low bits count, whatever has them. */
static IrVal cc_wide(X86Ctx *s, unsigned group, IrVal v)
{
    const bool low = group == CCG_CMP || group == CCG_SUB || group == CCG_ADD || group == CCG_LOGIC;

    if (ir_type(s->b, v) != IR_I32) {
        return v;
    }
    return low ? ir_widen(s->b, v) : ir_zextq(s->b, v);
}

void x86_cc(X86Ctx *s, unsigned group, unsigned size, IrVal dst, IrVal src, IrVal src2)
{
    IrVal v[3] = {dst, src, src2};

    for (unsigned k = 0; k < 3; k++) {
        if (v[k].id) {
            ir_set(s->b, V_CC_DST + k, cc_wide(s, group, v[k]));
        }
        s->cc_val[k] = v[k];
    }
    cc_uses(s, (v[0].id ? 1 : 0) | (v[1].id ? 2 : 0) | (v[2].id ? 4 : 0));
    s->cc_min = x86_none;
    s->cc_block = ir_current(s->b);
    s->cc_size = size;
    s->cc_op = group + size;
    s->cc_stale = true;
}

void x86_cc_minuend(X86Ctx *s, IrVal v)
{
    s->cc_min = v;
}

static void cc_static(X86Ctx *s, unsigned op)
{
    s->cc_block = NULL;
    s->cc_op = op;
    s->cc_stale = true;
}

void x86_cc_eflags(X86Ctx *s, IrVal flags64)
{
    ir_set(s->b, V_CC_SRC, flags64);
    cc_uses(s, 2);
    cc_static(s, CC_EFLAGS);
}

void x86_cc_clr(X86Ctx *s)
{
    cc_uses(s, 0);
    cc_static(s, CC_CLR);
}

void x86_cc_by_helper(X86Ctx *s)
{
    cc_static(s, CC_EFLAGS);
    s->cc_stale = false;
}

void x86_cc_dynamic(X86Ctx *s)
{
    s->cc_block = NULL;
    s->cc_op = CC_DYNAMIC;
    s->cc_stale = false;
}

void x86_sync(X86Ctx *s)
{
    if (s->cc_stale) {
        ir_set(s->b, V_CC_OP, ir_i32(s->b, s->cc_op));
        s->cc_stale = false;
    }
}

static IrVal call_cc(X86Ctx *s, IrVal (*fn)(IrBuilder *, IrVal, IrVal, IrVal, IrVal))
{
    IrBuilder *b = s->b;
    IrVal op = s->cc_op == CC_DYNAMIC ? ir_get(b, V_CC_OP) : ir_i32(b, s->cc_op);
    IrVal zero = ir_i64(b, 0);
    bool src2 = s->cc_op == CC_DYNAMIC || s->cc_op < CC_ADDB ||
                (s->cc_op >= CC_ADCB && s->cc_op <= CC_ADCQ) ||
                (s->cc_op >= CC_SBBB && s->cc_op <= CC_SBBQ);
    bool src = !(s->cc_op >= CC_LOGICB && s->cc_op <= CC_LOGICQ);

    return fn(b, ir_get(b, V_CC_DST), src ? ir_get(b, V_CC_SRC) : zero,
              src2 ? ir_get(b, V_CC_SRC2) : zero, op);
}

IrVal x86_flags(X86Ctx *s)
{
    if (s->cc_op == CC_EFLAGS) {
        return ir_get(s->b, V_CC_SRC);
    }
    if (s->cc_op == CC_CLR) {
        return ir_i64(s->b, FLAG_Z | FLAG_P);
    }
    return call_cc(s, ir_call_cc_all);
}

/* Value k (0 dst, 1 src, 2 src2) of the pending flags, typed. */
static IrVal cc_value(X86Ctx *s, unsigned k, unsigned size)
{
    if (s->cc_block == ir_current(s->b) && s->cc_val[k].id && s->cc_size == size &&
        ir_type(s->b, s->cc_val[k]) == x86_type(size)) {
        return s->cc_val[k];
    }
    return x86_narrow(s, size, ir_get(s->b, V_CC_DST + k));
}

static IrVal cc_minuend(X86Ctx *s, unsigned size, bool borrow)
{
    if (s->cc_block == ir_current(s->b) && s->cc_min.id) {
        return s->cc_min;
    }
    IrVal v = ir_add(s->b, cc_value(s, 0, size), cc_value(s, 1, size));
    return borrow ? ir_add(s->b, v, cc_value(s, 2, size)) : v;
}

static X86Cond make(IrCond cond, IrVal a, IrVal b)
{
    return (X86Cond){.cond = cond, .a = a, .b = b};
}

static X86Cond constant(X86Ctx *s, bool value)
{
    IrVal zero = ir_i32(s->b, 0);

    return make(value ? COND_EQ : COND_NE, zero, zero);
}

static IrVal sign_bit(X86Ctx *s, unsigned size)
{
    return x86_const(s, size, 1ull << ((8u << size) - 1));
}

static X86Cond zero_cond(X86Ctx *s, unsigned size, IrVal v)
{
    if (size < 2) {
        return make(COND_TSTZ, v, x86_const(s, size, UINT64_MAX));
    }
    return make(COND_EQ, v, x86_const(s, size, 0));
}

static X86Cond sign_cond(X86Ctx *s, unsigned size, IrVal v)
{
    if (size < 2) {
        return make(COND_TSTNZ, v, sign_bit(s, size));
    }
    return make(COND_LT, v, x86_const(s, size, 0));
}

static X86Cond parity_cond(X86Ctx *s, unsigned size, IrVal v)
{
    IrVal bits = ir_popcnt(s->b, ir_zext8(s->b, v));

    return make(COND_TSTZ, bits, x86_const(s, size, 1));
}

enum { K_O, K_B, K_Z, K_BE, K_S, K_P, K_L, K_LE };

static X86Cond cond_eflags(X86Ctx *s, unsigned kind, IrVal flags)
{
    static const uint32_t bits[8] = {
        [K_O] = FLAG_O, [K_B] = FLAG_C, [K_Z] = FLAG_Z, [K_BE] = FLAG_C | FLAG_Z,
        [K_S] = FLAG_S, [K_P] = FLAG_P, [K_L] = FLAG_S, [K_LE] = FLAG_S | FLAG_Z};
    IrBuilder *b = s->b;
    IrVal f = ir_trunc(b, flags);

    if (kind >= K_L) {
        /* bring O to where S is: S ^ O there; Z is left as it is */
        f = ir_xor(b, f, ir_andi(b, ir_shri(b, f, 4), FLAG_S));
    }
    return make(COND_TSTNZ, f, ir_i32(b, bits[kind]));
}

static X86Cond cond_fallback(X86Ctx *s, unsigned kind)
{
    return cond_eflags(s, kind, x86_flags(s));
}

/* Compare a with b as SUB does. */
static X86Cond cond_compare(X86Ctx *s, unsigned kind, unsigned size, IrVal a, IrVal b)
{
    static const IrCond conds[8] = {
        [K_B] = COND_LTU, [K_Z] = COND_EQ, [K_BE] = COND_LEU, [K_L] = COND_LT, [K_LE] = COND_LE};

    if (kind >= K_L) {
        a = x86_sext(s, size, a);
        b = x86_sext(s, size, b);
    } else {
        a = x86_zext(s, size, a);
        b = x86_zext(s, size, b);
    }
    return make(conds[kind], a, b);
}

static X86Cond cond_sub(X86Ctx *s, unsigned kind, unsigned size)
{
    if (kind == K_O) {
        /* the operands differ in sign and so do minuend and result */
        IrVal a = cc_minuend(s, size, false), dst = cc_value(s, 0, size),
              src = cc_value(s, 1, size);
        IrVal o = ir_and(s->b, ir_xor(s->b, a, src), ir_xor(s->b, a, dst));
        return make(COND_TSTNZ, o, sign_bit(s, size));
    }
    return cond_compare(s, kind, size, cc_minuend(s, size, false), cc_value(s, 1, size));
}

static X86Cond cond_cmp(X86Ctx *s, unsigned kind, unsigned size)
{
    IrVal a = cc_value(s, 0, size), b = cc_value(s, 1, size);

    switch (kind) {
    case K_O: {
        /* the operands differ in sign and so do minuend and result */
        IrVal o = ir_and(s->b, ir_xor(s->b, a, b), ir_xor(s->b, a, ir_sub(s->b, a, b)));
        return make(COND_TSTNZ, o, sign_bit(s, size));
    }
    case K_S:
        return sign_cond(s, size, ir_sub(s->b, a, b));
    case K_P:
        return parity_cond(s, size, ir_sub(s->b, a, b));
    default:
        return cond_compare(s, kind, size, a, b);
    }
}

static X86Cond cond_add(X86Ctx *s, unsigned kind, unsigned size)
{
    IrVal dst = cc_value(s, 0, size), src = cc_value(s, 1, size);

    if (kind == K_B) {
        return cond_compare(s, K_B, size, dst, src);
    }
    if (kind == K_O) {
        IrVal a = ir_sub(s->b, dst, src);
        IrVal o = ir_and(s->b, ir_xor(s->b, a, dst), ir_xor(s->b, src, dst));
        return make(COND_TSTNZ, o, sign_bit(s, size));
    }
    return cond_fallback(s, kind);
}

/* ADC and SBB: carry of a sum or difference with carry in. */
static X86Cond cond_carry_chain(X86Ctx *s, bool borrow, unsigned size)
{
    IrBuilder *b = s->b;
    IrVal src = cc_value(s, 1, size);
    IrVal x = borrow ? cc_minuend(s, size, true) : cc_value(s, 0, size);

    if (size < 3) {
        /* ADC: dst < src + carry; SBB: minuend < src + borrow */
        IrVal wide = ir_add(b, x86_zext64(s, size, src), ir_get(b, V_CC_SRC2));
        return make(COND_LTU, x86_zext64(s, size, x), wide);
    }
    IrVal carry = ir_trunc(b, ir_get(b, V_CC_SRC2));
    IrVal less = ir_setcond(b, COND_LTU, x, src);
    IrVal equal = ir_and(b, ir_setcond(b, COND_EQ, x, src), carry);
    return make(COND_NE, ir_or(b, less, equal), ir_i32(b, 0));
}

static X86Cond cond_inc_dec(X86Ctx *s, unsigned kind, unsigned size, bool inc)
{
    IrVal dst = cc_value(s, 0, size);
    IrVal one = x86_const(s, size, inc ? UINT64_MAX : 1);

    switch (kind) {
    case K_B:
        return make(COND_TSTNZ, ir_get(s->b, V_CC_SRC), ir_i64(s->b, 1));
    case K_O: {
        uint64_t limit = 1ull << ((8u << size) - 1);
        return cond_compare(s, K_Z, size, dst, x86_const(s, size, inc ? limit : limit - 1));
    }
    case K_L:
    case K_LE:      /* as a comparison of the operand with 1 or -1 */
        return cond_compare(s, kind, size, ir_add(s->b, dst, one), one);
    default:
        return cond_fallback(s, kind);
    }
}

static X86Cond cond_logic(X86Ctx *s, unsigned kind, unsigned size)
{
    IrVal dst = cc_value(s, 0, size);

    switch (kind) {
    case K_O:
    case K_B:
        return constant(s, false);
    case K_BE:
        return zero_cond(s, size, dst);
    case K_L:
        return sign_cond(s, size, dst);
    default:    /* K_LE */
        return make(COND_LE, x86_sext(s, size, dst), x86_const(s, size, 0));
    }
}

static X86Cond cond_shift(X86Ctx *s, unsigned kind, unsigned size, bool left)
{
    IrVal dst = cc_value(s, 0, size), src = cc_value(s, 1, size);

    if (kind == K_B) {
        return make(COND_TSTNZ, src, left ? sign_bit(s, size) : x86_const(s, size, 1));
    }
    if (kind == K_O) {
        return make(COND_TSTNZ, ir_xor(s->b, src, dst), sign_bit(s, size));
    }
    return cond_fallback(s, kind);
}

static X86Cond cond_bmi(X86Ctx *s, unsigned kind, unsigned size)
{
    switch (kind) {
    case K_B:
        return zero_cond(s, size, cc_value(s, 1, size));
    case K_O:
        return constant(s, false);
    case K_L:
        return sign_cond(s, size, cc_value(s, 0, size));
    default:
        return cond_fallback(s, kind);
    }
}

static X86Cond cond_group(X86Ctx *s, unsigned kind)
{
    unsigned group = s->cc_op & ~3u, size = s->cc_op & 3;

    if (group == CCG_CMP) {
        return cond_cmp(s, kind, size);
    }
    if (kind == K_Z && group != CCG_SUB) {
        return zero_cond(s, size, cc_value(s, 0, size));
    }
    if (kind == K_S) {
        return sign_cond(s, size, cc_value(s, 0, size));
    }
    if (kind == K_P && group != CCG_BMI) {
        return parity_cond(s, size, cc_value(s, 0, size));
    }
    switch (group) {
    case CCG_SUB:
        return cond_sub(s, kind, size);
    case CCG_ADD:
        return cond_add(s, kind, size);
    case CCG_ADC:
    case CCG_SBB:
        return kind == K_B ? cond_carry_chain(s, group == CCG_SBB, size) : cond_fallback(s, kind);
    case CCG_LOGIC:
        return cond_logic(s, kind, size);
    case CCG_INC:
    case CCG_DEC:
        return cond_inc_dec(s, kind, size, group == CCG_INC);
    case CCG_SHL:
    case CCG_SAR:
        return cond_shift(s, kind, size, group == CCG_SHL);
    case CCG_MUL:
        if (kind == K_O || kind == K_B) {
            return make(COND_NE, ir_get(s->b, V_CC_SRC), ir_i64(s->b, 0));
        }
        return cond_fallback(s, kind);
    default:
        return cond_bmi(s, kind, size);
    }
}

X86Cond x86_cond(X86Ctx *s, unsigned code)
{
    unsigned kind = code >> 1 & 7;
    X86Cond c;

    if (s->cc_op == CC_CLR) {
        c = constant(s, kind == K_Z || kind == K_BE || kind == K_P || kind == K_LE);
    } else if (s->cc_op == CC_EFLAGS) {
        c = cond_eflags(s, kind, ir_get(s->b, V_CC_SRC));
    } else if (s->cc_op == CC_POPCNT) {
        c = kind == K_Z || kind == K_BE || kind == K_LE
            ? make(COND_EQ, ir_get(s->b, V_CC_DST), ir_i64(s->b, 0)) : constant(s, false);
    } else if (s->cc_op == CC_ADCX || s->cc_op == CC_ADCOX) {
        c = kind == K_B ? make(COND_NE, ir_get(s->b, V_CC_DST), ir_i64(s->b, 0))
                        : cond_fallback(s, kind);
    } else if (s->cc_op < CC_ADDB || s->cc_op == CC_DYNAMIC) {
        c = cond_fallback(s, kind);
    } else {
        c = cond_group(s, kind);
    }
    if (code & 1) {
        c.cond = ir_cond_invert(c.cond);
    }
    return c;
}

IrVal x86_carry(X86Ctx *s)
{
    if (s->cc_op == CC_DYNAMIC) {
        return call_cc(s, ir_call_cc_carry);
    }
    X86Cond c = x86_cond(s, 2);
    return ir_zextq(s->b, ir_setcond(s->b, c.cond, c.a, c.b));
}
