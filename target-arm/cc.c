// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lazy flags. An instruction that sets N Z C V says which operation did it and on what; who asks
 * for a condition in the same IR block gets the comparison itself, others what the variables hold.
 */
#include "target-arm/translate.h"

const IrVal arm_none = {0};

/* ---- at run time ---- */

static uint32_t pack(bool n, bool z, bool c, bool v)
{
    return (uint32_t)n << 3 | (uint32_t)z << 2 | (uint32_t)c << 1 | (uint32_t)v;
}

uint32_t helper_cc_nzcv(uint64_t a, uint64_t b, uint32_t op)
{
    switch (op) {
    case CC_SUB64: {
        uint64_t r = a - b;

        return pack(r >> 63, r == 0, a >= b, ((a ^ b) & (a ^ r)) >> 63);
    }
    case CC_SUB32: {
        uint32_t x = (uint32_t)a, y = (uint32_t)b, r = x - y;

        return pack(r >> 31, r == 0, x >= y, ((x ^ y) & (x ^ r)) >> 31);
    }
    case CC_ADD64: {
        uint64_t r = a + b;

        return pack(r >> 63, r == 0, r < a, (~(a ^ b) & (a ^ r)) >> 63);
    }
    case CC_ADD32: {
        uint32_t x = (uint32_t)a, y = (uint32_t)b, r = x + y;

        return pack(r >> 31, r == 0, r < x, (~(x ^ y) & (x ^ r)) >> 31);
    }
    case CC_LOGIC64:
        return pack(a >> 63, a == 0, false, false);
    case CC_LOGIC32:
        return pack((uint32_t)a >> 31, (uint32_t)a == 0, false, false);
    case CC_NZ:
        return pack((uint32_t)a >> 31, (uint32_t)a == 0, b >> 1 & 1, b & 1);
    default:
        return (uint32_t)a & 15;
    }
}

uint32_t arm_nzcv(const ArmCpu *c)
{
    return helper_cc_nzcv(c->cc_a, c->cc_b, c->cc_op);
}

void arm_set_nzcv(ArmCpu *c, uint32_t nzcv)
{
    c->cc_op = CC_NZCV;
    c->cc_a = nzcv & 15;
}

/* ---- in translations ---- */

static bool op_is_32(unsigned op)
{
    return op == CC_SUB32 || op == CC_ADD32 || op == CC_LOGIC32 || op == CC_NZ;
}

static IrVal widen(ArmCtx *s, IrVal v)
{
    return ir_type(s->b, v) == IR_I32 ? ir_zextq(s->b, v) : v;
}

void arm_cc(ArmCtx *s, unsigned op, IrVal a, IrVal b)
{
    s->cc_touched = true;
    s->cc_op = op;
    s->cc_a = a;
    s->cc_b = b;
    s->cc_block = ir_current(s->b);
    ir_set(s->b, V_CC_OP, ir_i32(s->b, op));
    ir_set(s->b, V_CC_A, widen(s, a));
    if (op != CC_NZCV && op != CC_LOGIC64 && op != CC_LOGIC32) {
        ir_set(s->b, V_CC_B, widen(s, b));
    }
}

void arm_cc_nzcv(ArmCtx *s, IrVal nzcv32)
{
    arm_cc(s, CC_NZCV, nzcv32, arm_none);
}

void arm_cc_dynamic(ArmCtx *s)
{
    s->cc_op = CC_DYNAMIC;
}

/* Brings cc_a and cc_b into this IR block. */
static void refresh(ArmCtx *s)
{
    if (s->cc_op == CC_DYNAMIC || s->cc_block == ir_current(s->b)) {
        return;
    }
    s->cc_block = ir_current(s->b);
    s->cc_a = ir_get(s->b, V_CC_A);
    s->cc_b = ir_get(s->b, V_CC_B);
    if (op_is_32(s->cc_op) || s->cc_op == CC_NZCV) {
        s->cc_a = ir_trunc(s->b, s->cc_a);
        s->cc_b = ir_trunc(s->b, s->cc_b);
    }
}

IrVal arm_nzcv_ir(ArmCtx *s)
{
    IrVal r;

    refresh(s);
    if (s->cc_op == CC_NZCV) {
        return s->cc_a;
    }
    if (s->cc_op == CC_DYNAMIC) {
        r = ir_call_cc_nzcv(s->b, ir_get(s->b, V_CC_A), ir_get(s->b, V_CC_B),
                            ir_get(s->b, V_CC_OP));
    } else {
        IrVal b =
            s->cc_op == CC_LOGIC64 || s->cc_op == CC_LOGIC32 ? ir_i64(s->b, 0) : widen(s, s->cc_b);

        r = ir_call_cc_nzcv(s->b, widen(s, s->cc_a), b, ir_i32(s->b, s->cc_op));
    }
    arm_cc_nzcv(s, r);
    return r;
}

static ArmCond compare(IrCond c, IrVal a, IrVal b)
{
    return (ArmCond){c, a, b};
}

static ArmCond cond_of_nzcv(ArmCtx *s, unsigned code)
{
    IrBuilder *b = s->b;
    IrVal f = arm_nzcv_ir(s);

    switch (code >> 1) {
    case 0:
        return compare(COND_TSTNZ, f, ir_i32(b, 4));
    case 1:
        return compare(COND_TSTNZ, f, ir_i32(b, 2));
    case 2:
        return compare(COND_TSTNZ, f, ir_i32(b, 8));
    case 3:
        return compare(COND_TSTNZ, f, ir_i32(b, 1));
    case 4:     /* C and not Z */
        return compare(COND_EQ, ir_andi(b, f, 6), ir_i32(b, 2));
    case 5:     /* N == V */
        return compare(COND_TSTZ, ir_xor(b, ir_shri(b, f, 3), f), ir_i32(b, 1));
    default: {  /* not Z and N == V */
        IrVal nv = ir_andi(b, ir_xor(b, ir_shri(b, f, 3), f), 1);

        return compare(COND_EQ, ir_or(b, nv, ir_andi(b, f, 4)), ir_i32(b, 0));
    }
    }
}

static bool cond_of_sub(ArmCtx *s, unsigned code, ArmCond *r)
{
    static const IrCond conds[7] = {COND_EQ,  COND_GEU, COND_NEVER, COND_NEVER,
                                    COND_GTU, COND_GE,  COND_GT};
    unsigned n = code >> 1;

    if (n == 2) {
        *r =
            compare(COND_LT, ir_sub(s->b, s->cc_a, s->cc_b), arm_const(s, s->cc_op == CC_SUB64, 0));
        return true;
    }
    *r = compare(conds[n], s->cc_a, s->cc_b);
    return n != 3;
}

static bool cond_of_logic(ArmCtx *s, unsigned code, ArmCond *r)
{
    IrVal zero = arm_const(s, s->cc_op == CC_LOGIC64, 0);
    static const IrCond conds[7] = {COND_EQ,    COND_NEVER, COND_LT, COND_NEVER,
                                    COND_NEVER, COND_GE,    COND_GT};

    *r = conds[code >> 1] == COND_NEVER ? compare(COND_NE, zero, zero)
                                        : compare(conds[code >> 1], s->cc_a, zero);
    return true;
}

static bool cond_of_add(ArmCtx *s, unsigned code, ArmCond *r)
{
    IrVal zero = arm_const(s, s->cc_op == CC_ADD64, 0);
    unsigned n = code >> 1;

    if (n == 0 || n == 2) {
        *r = compare(n == 0 ? COND_EQ : COND_LT, ir_add(s->b, s->cc_a, s->cc_b), zero);
        return true;
    }
    if (n == 1) {
        *r = compare(COND_LTU, ir_add(s->b, s->cc_a, s->cc_b), s->cc_a);
        return true;
    }
    return false;
}

static bool cond_of_nz(ArmCtx *s, unsigned code, ArmCond *r)
{
    IrVal zero = ir_i32(s->b, 0);

    switch (code >> 1) {
    case 0:
        *r = compare(COND_EQ, s->cc_a, zero);
        return true;
    case 1:
        *r = compare(COND_TSTNZ, s->cc_b, ir_i32(s->b, 2));
        return true;
    case 2:
        *r = compare(COND_LT, s->cc_a, zero);
        return true;
    case 3:
        *r = compare(COND_TSTNZ, s->cc_b, ir_i32(s->b, 1));
        return true;
    default:
        return false;
    }
}

ArmCond arm_cond(ArmCtx *s, unsigned code)
{
    ArmCond r = {0};
    bool done = false;

    if (code >= 14) {
        return compare(COND_EQ, ir_i32(s->b, 0), ir_i32(s->b, 0));
    }
    refresh(s);
    switch (s->cc_op) {
    case CC_SUB64:
    case CC_SUB32:
        done = cond_of_sub(s, code, &r);
        break;
    case CC_ADD64:
    case CC_ADD32:
        done = cond_of_add(s, code, &r);
        break;
    case CC_LOGIC64:
    case CC_LOGIC32:
        done = cond_of_logic(s, code, &r);
        break;
    case CC_NZ:
        done = cond_of_nz(s, code, &r);
        break;
    default:
        break;
    }
    if (!done) {
        r = cond_of_nzcv(s, code);
    }
    if (code & 1) {
        r.cond = ir_cond_invert(r.cond);
    }
    return r;
}

IrVal arm_carry(ArmCtx *s)
{
    ArmCond c = arm_cond(s, 2);

    return ir_setcond(s->b, c.cond, c.a, c.b);
}

/* Operands whose subtraction gives these flags; false: there are none. */
static bool sub_operands(unsigned nzcv, bool sf, uint64_t *a, uint64_t *b)
{
    uint64_t top = sf ? 1ull << 63 : 1u << 31, ones = sf ? UINT64_MAX : UINT32_MAX;

    switch (nzcv) {
    case 0:
        *a = 0, *b = top + 1;
        return true;
    case 2:
        *a = 1, *b = 0;
        return true;
    case 3:
        *a = top, *b = 1;
        return true;
    case 6:
        *a = *b = 0;
        return true;
    case 8:
        *a = 0, *b = 1;
        return true;
    case 9:
        *a = top - 1, *b = ones;
        return true;
    case 10:
        *a = top, *b = 0;
        return true;
    default:
        return false;
    }
}

void arm_ccmp(ArmCtx *s, unsigned cond, bool sf, bool sub, IrVal a, IrVal b, unsigned nzcv)
{
    ArmCond c = arm_cond(s, cond);
    uint64_t ka, kb;

    if (sub && sub_operands(nzcv, sf, &ka, &kb)) {
        arm_cc(s, sf ? CC_SUB64 : CC_SUB32,
               ir_select(s->b, c.cond, c.a, c.b, a, arm_const(s, sf, ka)),
               ir_select(s->b, c.cond, c.a, c.b, b, arm_const(s, sf, kb)));
        return;
    }
    IrVal flags = ir_call_cc_nzcv(s->b, widen(s, a), widen(s, b),
                                  ir_i32(s->b, sub  ? sf ? CC_SUB64 : CC_SUB32
                                               : sf ? CC_ADD64
                                                    : CC_ADD32));

    arm_cc_nzcv(s, ir_select(s->b, c.cond, c.a, c.b, flags, ir_i32(s->b, nzcv)));
}

IrVal arm_fcmp_nzcv(ArmCtx *s, IrVal r)
{
    /* by (r | r >> 4) & 7: 0 greater 0010, 1 less 1000, 4 equal 0110, 5 unordered 0011 */
    IrVal n = ir_andi(s->b, ir_or(s->b, r, ir_shri(s->b, r, 4)), 7);

    return ir_andi(s->b, ir_shr(s->b, ir_i32(s->b, 0x00360082), ir_shli(s->b, n, 2)), 15);
}
