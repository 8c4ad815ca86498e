// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floating point on vectors and scalars as IR. The host's units give the result; fguard hands over
 * to arm_float_corner() where the guest's may differ: NaNs are chosen by other rules, and tininess
 * is detected before rounding. With flush to zero (MODE_FP_SLOW), in half precision and for
 * operations without a host instruction helpers do it all. Lanes that do not count hold copies of
 * those that do, so that they raise no flags of their own. C7.2, A1.5.
 */
#include "target-arm/simd-ops.h"

/* What arm_float_corner() is asked for, above the word. */
enum { CORNER_OP2, CORNER_OP1, CORNER_MULADD, CORNER_CONVERT, CORNER_TO_INT };

static IrVal word(ArmCtx *s, uint32_t w)
{
    return ir_i32(s->b, w);
}

static bool by_host(const ArmCtx *s, uint32_t w)
{
    return word_size(w) >= 2 && !(s->mode & MODE_FP_SLOW) && !(w & WORD_STD);
}

static IrLane lane_of(uint32_t w)
{
    return word_size(w) == 3 ? LANE_F64 : LANE_F32;
}

/* The scalar with zeros above it. */
static IrVal alone(ArmCtx *s, uint32_t w, IrVal v)
{
    return ir_s_merge(s->b, lane_of(w), ir_v_zero(s->b, IR_V128), v);
}

/* All lanes of an operand do count. */
static IrVal whole(ArmCtx *s, uint32_t w, IrVal v)
{
    return word_scalar(w) ? alone(s, w, v) : word_q(w) ? v : ir_v_unpack_lo(s->b, LANE_I64, v, v);
}

static IrVal fit(ArmCtx *s, uint32_t w, IrVal r)
{
    return word_scalar(w) ? alone(s, w, r) : word_q(w) ? r : ir_v_low64(s->b, r);
}

static IrVal guard(ArmCtx *s, unsigned kind, unsigned corner, uint32_t w, IrVal r, IrVal a, IrVal b,
                   IrVal c)
{
    return ir_fguard(s->b, lane_of(w), r, a, b, c, kind | (word_scalar(w) ? GUARD_LOWEST : 0),
                     (w & 0x00ffffff) | corner << 24);
}

static uint64_t sign_bits(uint32_t w)
{
    return word_size(w) == 3 ? 1ull << 63 : 0x8000000080000000ull;
}

static IrVal negated(ArmCtx *s, uint32_t w, IrVal v)
{
    return ir_v_xor(s->b, v, arm_simd_splat64(s, sign_bits(w)));
}

static IrVal magnitude(ArmCtx *s, uint32_t w, IrVal v)
{
    return ir_v_and(s->b, v, arm_simd_splat64(s, ~sign_bits(w)));
}

/* ---- two operands ---- */

/* Ordered as signed integers. */
static IrVal sort_key(ArmCtx *s, uint32_t w, IrVal v)
{
    IrBuilder *b = s->b;

    if (word_size(w) == 2) {
        return ir_v_xor(b, v, ir_v_shr_i(b, LANE_I32, ir_v_sar_i(b, LANE_I32, v, 31), 1));
    }
    return ir_v_xor(b, v,
                    ir_v_shr_i(b, LANE_I64, ir_v_cmpgt(b, LANE_I64, ir_v_zero(b, IR_V128), v), 1));
}

static IrVal min_max(ArmCtx *s, uint32_t w, IrVal x, IrVal y)
{
    IrBuilder *b = s->b;
    bool max = word_op(w) == FP_MAX || word_op(w) == FP_MAXNM;
    IrVal gt = ir_v_cmpgt(b, word_size(w) == 3 ? LANE_I64 : LANE_I32, sort_key(s, w, x),
                          sort_key(s, w, y));
    IrVal r = max ? ir_v_blendv(b, lane_of(w), y, x, gt) : ir_v_blendv(b, lane_of(w), x, y, gt);

    return guard(s, GUARD_ORDER, CORNER_OP2, w, r, x, y, y);
}

enum { CMP_EQ = 0, CMP_LT = 1, CMP_LE = 2 };    /* CMPPS */

static IrVal compare(ArmCtx *s, uint32_t w, IrVal x, IrVal y)
{
    IrBuilder *b = s->b;
    IrLane lane = lane_of(w);

    switch (word_op(w)) {
    case FP_CMEQ:
        return ir_v_fcmp(b, lane, x, y, CMP_EQ);
    case FP_CMGE:
        return ir_v_fcmp(b, lane, y, x, CMP_LE);
    case FP_CMGT:
        return ir_v_fcmp(b, lane, y, x, CMP_LT);
    case FP_CMLE:
        return ir_v_fcmp(b, lane, x, y, CMP_LE);
    case FP_CMLT:
        return ir_v_fcmp(b, lane, x, y, CMP_LT);
    case FP_ACGE:
        return ir_v_fcmp(b, lane, magnitude(s, w, y), magnitude(s, w, x), CMP_LE);
    default:
        return ir_v_fcmp(b, lane, magnitude(s, w, y), magnitude(s, w, x), CMP_LT);
    }
}

/* A scalar's other lanes are x's. */
static IrVal arithmetic(ArmCtx *s, uint32_t w, IrVal x, IrVal y)
{
    IrBuilder *b = s->b;
    IrLane lane = lane_of(w);
    bool f = word_scalar(w);

    switch (word_op(w)) {
    case FP_ADD:
        return guard(s, GUARD_NAN, CORNER_OP2, w,
                     f ? ir_s_fadd(b, lane, x, y) : ir_v_fadd(b, lane, x, y), x, y, y);
    case FP_SUB:
        return guard(s, GUARD_NAN, CORNER_OP2, w,
                     f ? ir_s_fsub(b, lane, x, y) : ir_v_fsub(b, lane, x, y), x, y, y);
    case FP_MUL:
        return guard(s, GUARD_TINY, CORNER_OP2, w,
                     f ? ir_s_fmul(b, lane, x, y) : ir_v_fmul(b, lane, x, y), x, y, y);
    default:
        return guard(s, GUARD_TINY, CORNER_OP2, w,
                     f ? ir_s_fdiv(b, lane, x, y) : ir_v_fdiv(b, lane, x, y), x, y, y);
    }
}

static IrVal three(ArmCtx *s, uint32_t w, IrVal x, IrVal y)
{
    unsigned op = word_op(w);
    uint32_t as = (w & ~0xffu) | (op == FP_NMUL ? FP_MUL : op == FP_ABD ? FP_SUB : op);
    IrVal r;

    if (op <= FP_DIV || op == FP_NMUL || op == FP_ABD) {
        if (word_scalar(w)) {
            r = arithmetic(s, as, alone(s, w, x), y);
        } else {
            r = fit(s, w, arithmetic(s, as, x, y));
        }
        if (op == FP_ABD) {
            return magnitude(s, w, r);
        }
        return op == FP_NMUL
                   ? ir_v_xor(
                         s->b, r,
                         ir_v_from_i(s->b, IR_V128,
                                     ir_i64(s->b, word_size(w) == 3 ? 1ull << 63 : 0x80000000u)))
                   : r;
    }
    return fit(s, w, op <= FP_MINNM ? min_max(s, w, x, y) : compare(s, w, x, y));
}

/* imm: 1 pairwise. */
IrVal arm_fp3(ArmCtx *s, uint32_t w, IrVal a, IrVal b)
{
    unsigned op = word_op(w);

    if (!by_host(s, w) || op == FP_MULX || op == FP_RECPS || op == FP_RSQRTS) {
        return ir_call_fp3(s->b, a, b, word(s, w));
    }
    if (word_imm(w)) {
        IrVal even = arm_simd_uzp(s, word_size(w), word_q(w), a, b, false),
              odd = arm_simd_uzp(s, word_size(w), word_q(w), a, b, true);

        w &= 0xffff;
        return three(s, w, whole(s, w, even), whole(s, w, odd));
    }
    return three(s, w, word_scalar(w) && op <= FP_DIV ? a : whole(s, w, a),
                 word_scalar(w) && op <= FP_DIV ? b : whole(s, w, b));
}

/* ---- one operand ---- */

/* Immediate of ROUNDPS by FP1_RINTN..; -1: none. */
static int round_imm(unsigned op)
{
    switch (op) {
    case FP1_RINTN:
        return 8;
    case FP1_RINTP:
        return 10;
    case FP1_RINTM:
        return 9;
    case FP1_RINTZ:
        return 11;
    case FP1_RINTX:
        return 4;
    case FP1_RINTI:
        return 12;
    default:
        return -1;
    }
}

IrVal arm_fp2(ArmCtx *s, uint32_t w, IrVal a)
{
    IrBuilder *b = s->b;
    unsigned op = word_op(w);
    int round = round_imm(op);
    bool f = word_scalar(w);
    IrVal x, r;

    if (word_size(w) >= 2 && (op == FP1_ABS || op == FP1_NEG)) {
        r = op == FP1_ABS ? magnitude(s, w, a) : negated(s, w, a);
        return fit(s, w, r);
    }
    if (!by_host(s, w) || (round < 0 && op != FP1_SQRT)) {
        return ir_call_fp2(b, a, word(s, w));
    }
    x = whole(s, w, a);
    if (op == FP1_SQRT) {
        r = guard(s, GUARD_NAN, CORNER_OP1, w,
                  f ? ir_s_fsqrt(b, lane_of(w), x, x) : ir_v_fsqrt(b, lane_of(w), x), x, x, x);
    } else {
        r = f ? ir_s_fround(b, lane_of(w), x, x, (unsigned)round)
              : ir_v_fround(b, lane_of(w), x, (unsigned)round);
        r = s->mode & MODE_FP_DN ? guard(s, GUARD_NAN, CORNER_OP1, w, r, x, x, x) : r;
    }
    return f ? r : fit(s, w, r);
}

/* op: bit 0 negates the addend d, bit 1 the product. */
IrVal arm_fp_muladd(ArmCtx *s, uint32_t w, IrVal d, IrVal a, IrVal b)
{
    IrBuilder *ir = s->b;
    IrVal z, x, y, r;

    if (!by_host(s, w)) {
        return ir_call_fp_muladd(ir, d, a, b, word(s, w));
    }
    z = word_op(w) & 1 ? negated(s, w, d) : d;
    x = word_op(w) & 2 ? negated(s, w, a) : a;
    if (word_scalar(w)) {
        y = alone(s, w, b);
        return guard(s, GUARD_TINY, CORNER_MULADD, w, ir_s_fma(ir, lane_of(w), x, y, z), d, a, y);
    }
    y = whole(s, w, b);
    r = ir_v_fma(ir, lane_of(w), whole(s, w, x), y, whole(s, w, z));
    return fit(
        s, w,
        guard(s, GUARD_TINY, CORNER_MULADD, w | 1u << 10, r, whole(s, w, d), whole(s, w, a), y));
}

/* ---- conversions ---- */

/* Rounded in another direction than towards zero first: the immediate of ROUNDSS, or -1. */
static int pre_round(unsigned round)
{
    static const int imm[] = {[ROUND_N] = 0, [ROUND_P] = 2,  [ROUND_M] = 1,
                              [ROUND_Z] = 3, [ROUND_A] = -1, [ROUND_CUR] = -1};

    return round <= ROUND_CUR ? imm[round] : -1;
}

/*
 * The lowest lane to a signed integer; a value that fits no integer raises invalid alone, so it
 * must not be rounded first to 32 bits.
 */
static IrVal float_to_int(ArmCtx *s, unsigned size, IrVal x, unsigned round, bool wide)
{
    IrBuilder *b = s->b;
    uint32_t w = simd_word(round, size, false, true, false, wide) | (uint32_t)CORNER_TO_INT << 24;
    IrLane lane = lane_of(w);
    IrVal v = round == ROUND_Z ? x : ir_s_fround(b, lane, x, x, (unsigned)pre_round(round));

    return ir_fguard(b, LANE_F32, wide ? ir_s_to_i64(b, lane, v, 1) : ir_s_to_i32(b, lane, v, 1), x,
                     x, x, GUARD_MIN_INT, w);
}

static bool int_by_host(const ArmCtx *s, uint32_t w, unsigned round, bool wide)
{
    return by_host(s, w) && !word_u(w) && pre_round(round) >= 0 &&
           (round == ROUND_Z || word_size(w) == 2 || wide);
}

IrVal arm_fp_toint(ArmCtx *s, uint32_t w, IrVal a)
{
    IrBuilder *b = s->b;
    unsigned size = word_size(w), round = word_op(w);
    bool f = word_scalar(w);
    IrVal x, r;

    if (!int_by_host(s, w, round, size == 3) || word_imm(w)) {
        return ir_call_fp_toint(b, a, word(s, w));
    }
    if (f) {
        return ir_v_from_i(b, IR_V128, float_to_int(s, size, a, round, size == 3));
    }
    x = whole(s, w, a);
    if (size == 3) {
        IrVal high = ir_v_shr_bytes(b, x, 8);

        r = ir_v_from_i(b, IR_V128, float_to_int(s, 3, x, round, true));
        return ir_v_insert(b, LANE_I64, r, float_to_int(s, 3, high, round, true), 1);
    }
    r = ir_v_f32_i32(
        b, round == ROUND_Z ? x : ir_v_fround(b, LANE_F32, x, (unsigned)pre_round(round)), 1);
    r = ir_fguard(b, LANE_I32, r, x, x, x, GUARD_MIN_INT,
                  simd_word(round, 2, true, false, false, 0) | (uint32_t)CORNER_TO_INT << 24);
    return fit(s, w, r);
}

IrVal arm_fp_to_gpr(ArmCtx *s, unsigned size, IrVal v, unsigned round, bool u, bool wide,
                    unsigned frac)
{
    IrBuilder *b = s->b;
    uint32_t w = simd_word(round, size, false, true, u, 0);

    if (frac == 0 && int_by_host(s, w, round, wide)) {
        IrVal r = float_to_int(s, size, v, round, wide);

        return wide ? r : ir_zextq(b, r);
    }
    IrVal x = ir_v_extract(b, LANE_I8 + size, v, 0);

    return ir_call_fp_to_gpr(b, size == 3 ? x : ir_zextq(b, x),
                             word(s, w | (frac | (unsigned)wide << 8) << 16));
}

IrVal arm_fp_from_gpr(ArmCtx *s, unsigned size, IrVal x64, bool u, bool wide, unsigned frac)
{
    IrBuilder *b = s->b;

    if (size >= 2 && frac == 0 && (!u || !wide)) {
        IrVal x = wide ? x64 : u ? ir_zext32(b, x64) : ir_sext32(b, x64);

        return ir_s_from_i(b, size == 3 ? LANE_F64 : LANE_F32, ir_v_zero(b, IR_V128), x);
    }
    return ir_v_from_i(
        b, IR_V128,
        ir_call_fp_from_gpr(
            b, x64, word(s, simd_word(0, size, false, true, u, frac | (unsigned)wide << 8))));
}

IrVal arm_fp_fromint(ArmCtx *s, uint32_t w, IrVal a)
{
    IrBuilder *b = s->b;
    unsigned size = word_size(w);

    if (size < 2 || word_u(w) || word_imm(w) || w & WORD_STD) {
        return ir_call_fp_fromint(b, a, word(s, w));
    }
    if (word_scalar(w)) {
        IrVal x = ir_v_extract(b, LANE_I8 + size, a, 0);

        return ir_s_from_i(b, lane_of(w), ir_v_zero(b, IR_V128), x);
    }
    if (size == 2) {
        return fit(s, w, ir_v_i32_f32(b, whole(s, w, a)));
    }
    IrVal zero = ir_v_zero(b, IR_V128);
    IrVal low = ir_s_from_i(b, LANE_F64, zero, ir_v_extract(b, LANE_I64, a, 0));
    IrVal high = ir_s_from_i(b, LANE_F64, zero, ir_v_extract(b, LANE_I64, a, 1));

    return ir_v_unpack_lo(b, LANE_I64, low, high);
}

/* op: log2 of the result's bytes; imm: rounding. */
IrVal arm_fp_convert(ArmCtx *s, uint32_t w, IrVal a)
{
    IrBuilder *b = s->b;
    unsigned from = word_size(w), to = word_op(w);
    uint32_t code = (w & 0xffff) | (uint32_t)CORNER_CONVERT << 24;
    bool widening = from == 2 && to == 3;
    IrVal r;

    if (!by_host(s, w) || to < 2 || word_imm(w) != ROUND_CUR) {
        return ir_call_fp_convert(b, a, word(s, w));
    }
    if (word_scalar(w)) {
        r = ir_s_fcvt(b, lane_of(w), ir_v_zero(b, IR_V128), a);
        if (!widening || s->mode & MODE_FP_DN) {
            r = ir_fguard(b, widening ? LANE_F64 : LANE_F32, r, a, a, a,
                          (widening ? GUARD_NAN : GUARD_TINY) | GUARD_LOWEST, code);
        }
        return r;
    }
    r = widening ? ir_v_f32_f64(b, a) : ir_v_f64_f32(b, a);
    if (!widening || s->mode & MODE_FP_DN) {
        r = ir_fguard(b, widening ? LANE_F64 : LANE_F32, r, a, a, a,
                      widening ? GUARD_NAN : GUARD_TINY, code);
    }
    return r;
}

/* ---- what the host's result is not good for ---- */

static uint64_t corner_lane(ArmCpu *c, unsigned corner, uint32_t w, uint64_t x, uint64_t y,
                            uint64_t z)
{
    unsigned size = word_size(w), op = word_op(w);

    switch (corner) {
    case CORNER_OP2:
        return fp_op2(c, size, op, x, y);
    case CORNER_OP1:
        return fp_op1(c, size, op, x);
    case CORNER_MULADD:
        return fp_muladd(c, size, x, y, z, op & 1, op & 2);
    case CORNER_CONVERT:
        return fp_convert(c, size, op, x, ROUND_CUR);
    default:
        return fp_to_int(c, size, x, op, true,
                         word_scalar(w) ? (word_imm(w) & 1 ? 64 : 32) : 8u << size, 0);
    }
}

void arm_float_corner(Cpu *cpu, uint64_t code, Vec128 *v)
{
    uint32_t w = (uint32_t)code;
    unsigned corner = w >> 24, size = word_size(w), to = size, lanes;
    const Vec128Lanes x = {.v = v[1]}, y = {.v = v[2]}, z = {.v = v[3]};
    Vec128Lanes r = {.v = v[0]};

    w &= 0x00ffffff;
    if (corner == CORNER_CONVERT) {
        to = word_op(w);
    } else if (corner == CORNER_TO_INT && word_scalar(w)) {
        to = word_imm(w) & 1 ? 3 : 2;
    }
    /* what does not count is a copy of what does */
    lanes = word_scalar(w) ? 1 : 16u >> MAX(size, to);
    for (unsigned n = 0; n < lanes; n++) {
        lane_set(&r, to, n,
                 corner_lane(ARM(cpu), corner, w, lane_u(&x, size, n), lane_u(&y, size, n),
                             lane_u(&z, size, n)));
    }
    v[0] = r.v;
}
