// SPDX-License-Identifier: GPL-2.0-or-later
/* Vector operations on integers whose lanes change their size or place, as IR. C7.2. */
#include "target-arm/simd-ops.h"

static IrVal word(ArmCtx *s, uint32_t w)
{
    return ir_i32(s->b, w);
}

/* Lanes of twice the size: their low parts, extended in place. */
static IrVal low_part(ArmCtx *s, unsigned size, bool u, IrVal a)
{
    unsigned bits = 8u << size;
    IrLane wide = LANE_I16 + size;
    IrVal up = ir_v_shl_i(s->b, wide, a, bits);

    return u ? ir_v_shr_i(s->b, wide, up, bits) : ir_v_sar_i(s->b, wide, up, bits);
}

static IrVal high_part(ArmCtx *s, unsigned size, bool u, IrVal a)
{
    unsigned bits = 8u << size;
    IrLane wide = LANE_I16 + size;

    return u ? ir_v_shr_i(s->b, wide, a, bits) : ir_v_sar_i(s->b, wide, a, bits);
}

IrVal arm_simd_uzp(ArmCtx *s, unsigned size, bool q, IrVal a, IrVal b, bool odd)
{
    IrBuilder *ir = s->b;
    IrVal r;

    if (!q) {
        a = b = ir_v_unpack_lo(ir, LANE_I64, a, b);
    }
    if (size == 3) {
        return odd ? ir_v_unpack_hi(ir, LANE_I64, a, b) : ir_v_unpack_lo(ir, LANE_I64, a, b);
    }
    if (size == 2) {
        r = ir_v_shufps(ir, a, b, odd ? 0xdd : 0x88);
    } else {
        IrVal x = odd ? high_part(s, size, true, a) : low_part(s, size, true, a);
        IrVal y = a.id == b.id ? x : odd ? high_part(s, size, true, b) : low_part(s, size, true, b);

        r = ir_v_pack_u(ir, LANE_I16 + size, x, y);
    }
    return q ? r : ir_v_low64(ir, r);
}

IrVal arm_simd_permute(ArmCtx *s, uint32_t w, IrVal a, IrVal b)
{
    IrBuilder *ir = s->b;
    unsigned size = word_size(w), bits = 8u << size;
    IrLane lane = LANE_I8 + size, wide = LANE_I16 + size;
    bool q = word_q(w), second = word_op(w) >> 2;
    IrVal r;

    switch (word_op(w) & 3) {
    case 1:
        return arm_simd_uzp(s, size, q, a, b, second);
    case 2:
        if (size == 3) {
            return second ? ir_v_unpack_hi(ir, LANE_I64, a, b) : ir_v_unpack_lo(ir, LANE_I64, a, b);
        }
        r = second ? ir_v_or(ir, high_part(s, size, true, a),
                             ir_v_shl_i(ir, wide, high_part(s, size, true, b), bits))
                   : ir_v_or(ir, low_part(s, size, true, a), ir_v_shl_i(ir, wide, b, bits));
        return q ? r : ir_v_low64(ir, r);
    default:
        if (q) {
            return second ? ir_v_unpack_hi(ir, lane, a, b) : ir_v_unpack_lo(ir, lane, a, b);
        }
        r = ir_v_unpack_lo(ir, lane, a, b);
        return second ? ir_v_shr_bytes(ir, r, 8) : ir_v_low64(ir, r);
    }
}

/* An index beyond a register of 16 bytes gets its top bit set, which v_shufb answers with 0. */
IrVal arm_simd_tbl(ArmCtx *s, bool q, const IrVal *table, unsigned bytes, IrVal index,
                   const IrVal *d)
{
    IrBuilder *b = s->b;
    IrVal r = {0}, bias = arm_simd_splat64(s, 0x7070707070707070);

    for (unsigned n = 0; n < (bytes + 15) / 16; n++) {
        IrVal at =
            n ? ir_v_sub(b, LANE_I8, index, arm_simd_splat64(s, n * 0x1010101010101010)) : index;
        IrVal part = ir_v_shufb(b, table[n], ir_v_adds_u(b, LANE_I8, at, bias));

        r = n ? ir_v_or(b, r, part) : part;
    }
    if (d) {
        IrVal in = ir_v_cmpeq(
            b, LANE_I8,
            ir_v_min_u(b, LANE_I8, index, arm_simd_splat64(s, (bytes - 1) * 0x0101010101010101)),
            index);

        r = ir_v_or(b, r, ir_v_andn(b, in, *d));
    }
    return q ? r : ir_v_low64(b, r);
}

IrVal arm_simd_pair_sums(ArmCtx *s, unsigned size, bool u, IrVal a)
{
    return ir_v_add(s->b, LANE_I16 + size, low_part(s, size, u, a), high_part(s, size, u, a));
}

/* ---- narrowing ---- */

/* Lanes of twice the size packed with saturation into the low half; sets QC. Sizes 0 and 1. */
static IrVal pack(ArmCtx *s, unsigned size, bool from_signed, bool to_signed, IrVal a)
{
    IrBuilder *b = s->b;
    IrLane wide = LANE_I16 + size;
    IrVal r;

    if (to_signed) {
        r = ir_v_pack_s(b, wide, a, a);
    } else if (from_signed) {
        r = ir_v_pack_u(b, wide, a, a);
    } else {
        uint64_t max = size ? 0x0000ffff0000ffffull : 0x00ff00ff00ff00ffull;

        r = ir_v_pack_u(b, wide, ir_v_min_u(b, wide, a, arm_simd_splat64(s, max)),
                        ir_v_zero(b, IR_V128));
    }
    arm_simd_qc(s, true, a,
                to_signed ? ir_v_sext(b, IR_V128, LANE_I8 + size, r, 2)
                          : ir_v_zext(b, IR_V128, LANE_I8 + size, r, 2));
    return ir_v_low64(b, r);
}

IrVal arm_simd_narrow(ArmCtx *s, uint32_t w, IrVal a)
{
    unsigned op = word_op(w), size = word_size(w);

    if (!word_scalar(w) && op == VN_XTN) {
        return ir_v_low64(s->b, arm_simd_uzp(s, size, true, a, a, false));
    }
    if (!word_scalar(w) && size < 2) {
        return pack(s, size, op != VN_UQXTN, op == VN_SQXTN, a);
    }
    return ir_call_simd_narrow(s->b, a, word(s, w));
}

static bool shrn_rounds(unsigned op)
{
    return op == VR_RSHRN || op == VR_SQRSHRUN || op == VR_SQRSHRN || op == VR_UQRSHRN;
}

IrVal arm_simd_shrn(ArmCtx *s, uint32_t w, IrVal a)
{
    IrBuilder *b = s->b;
    unsigned op = word_op(w), size = word_size(w), n = word_imm(w);
    bool plain = op == VR_SHRN || op == VR_RSHRN, u = plain || op == VR_UQSHRN || op == VR_UQRSHRN;
    IrLane wide = LANE_I16 + size;

    if (word_scalar(w) || (size == 2 && !plain)) {
        return ir_call_simd_shrn(b, a, word(s, w));
    }
    IrVal v = u ? ir_v_shr_i(b, wide, a, n) : ir_v_sar_i(b, wide, a, n);

    if (shrn_rounds(op)) {
        IrVal one = arm_simd_splat64(s, size == 0   ? 0x0001000100010001ull
                                        : size == 1 ? 0x0000000100000001ull
                                                    : 1);

        v = ir_v_add(b, wide, v, ir_v_and(b, ir_v_shr_i(b, wide, a, n - 1), one));
    }
    if (plain) {
        return ir_v_low64(b, arm_simd_uzp(s, size, true, v, v, false));
    }
    return pack(s, size, !u, op == VR_SQSHRN || op == VR_SQRSHRN, v);
}

/* imm: bit 0 subtract, bit 1 round. */
IrVal arm_simd_addhn(ArmCtx *s, uint32_t w, IrVal a, IrVal b)
{
    unsigned size = word_size(w), bits = 8u << size;
    IrLane wide = LANE_I16 + size;
    IrVal v = word_imm(w) & 1 ? ir_v_sub(s->b, wide, a, b) : ir_v_add(s->b, wide, a, b);

    if (word_imm(w) & 2) {
        uint64_t half = 1ull << (bits - 1);

        v = ir_v_add(s->b, wide, v,
                     arm_simd_splat64(s, size == 0   ? half * 0x0001000100010001ull
                                         : size == 1 ? half << 32 | half
                                                     : half));
    }
    return ir_v_low64(s->b, arm_simd_uzp(s, size, true, v, v, true));
}

/* ---- widening; operands are in the low halves ---- */

static IrVal extend(ArmCtx *s, unsigned size, bool u, IrVal v)
{
    return u ? ir_v_zext(s->b, IR_V128, LANE_I8 + size, v, 2)
             : ir_v_sext(s->b, IR_V128, LANE_I8 + size, v, 2);
}

static IrVal distance(ArmCtx *s, unsigned size, bool u, IrVal x, IrVal y)
{
    IrBuilder *b = s->b;
    IrLane lane = LANE_I8 + size;
    IrVal r = u ? ir_v_sub(b, lane, ir_v_max_u(b, lane, x, y), ir_v_min_u(b, lane, x, y))
                : ir_v_sub(b, lane, ir_v_max_s(b, lane, x, y), ir_v_min_s(b, lane, x, y));

    return extend(s, size, true, r);
}

static IrVal long_product(ArmCtx *s, unsigned size, bool u, IrVal x, IrVal y)
{
    x = extend(s, size, u, x);
    y = extend(s, size, u, y);
    if (size == 2) {
        return u ? ir_v_mul_even_u(s->b, x, y) : ir_v_mul_even_s(s->b, x, y);
    }
    return ir_v_mul(s->b, LANE_I16 + size, x, y);
}

IrVal arm_simd_widen(ArmCtx *s, uint32_t w, IrVal a, IrVal b, IrVal d)
{
    unsigned op = word_op(w), size = word_size(w);
    bool u = word_u(w);
    IrLane wide = LANE_I16 + size;
    IrBuilder *ir = s->b;

    if (word_scalar(w) || op >= VW_SQDMLAL) {
        return ir_call_simd_widen(ir, a, b, d, word(s, w));
    }
    switch (op) {
    case VW_ADDL:
        return ir_v_add(ir, wide, extend(s, size, u, a), extend(s, size, u, b));
    case VW_ADDW:
        return ir_v_add(ir, wide, a, extend(s, size, u, b));
    case VW_SUBL:
        return ir_v_sub(ir, wide, extend(s, size, u, a), extend(s, size, u, b));
    case VW_SUBW:
        return ir_v_sub(ir, wide, a, extend(s, size, u, b));
    case VW_ABAL:
        return ir_v_add(ir, wide, d, distance(s, size, u, a, b));
    case VW_ABDL:
        return distance(s, size, u, a, b);
    case VW_MLAL:
        return ir_v_add(ir, wide, d, long_product(s, size, u, a, b));
    case VW_MLSL:
        return ir_v_sub(ir, wide, d, long_product(s, size, u, a, b));
    default:
        return long_product(s, size, u, a, b);
    }
}

/* ---- across ---- */

static IrVal combine(ArmCtx *s, unsigned op, IrLane lane, IrVal x, IrVal y)
{
    switch (op) {
    case VA_SMAXV:
        return ir_v_max_s(s->b, lane, x, y);
    case VA_UMAXV:
        return ir_v_max_u(s->b, lane, x, y);
    case VA_SMINV:
        return ir_v_min_s(s->b, lane, x, y);
    case VA_UMINV:
        return ir_v_min_u(s->b, lane, x, y);
    default:
        return ir_v_add(s->b, lane, x, y);
    }
}

IrVal arm_simd_across(ArmCtx *s, uint32_t w, IrVal a)
{
    IrBuilder *b = s->b;
    unsigned op = word_op(w), size = word_size(w);

    if (op == VA_SADDLV && size == 2) {
        return ir_call_simd_across(b, a, word(s, w));
    }
    if (op == VA_SADDLV || op == VA_UADDLV) {
        a = arm_simd_pair_sums(s, size, op == VA_UADDLV, a);
        size++;
    }
    for (unsigned bytes = word_q(w) ? 8 : 4; bytes >= 1u << size; bytes /= 2) {
        a = combine(s, op, LANE_I8 + size, a, ir_v_shr_bytes(b, a, bytes));
    }
    return ir_v_from_i(b, IR_V128, ir_v_extract(b, LANE_I8 + size, a, 0));
}

/* Products of bytes added by fours: exact in 16 by 16 bits. */
IrVal arm_simd_dot(ArmCtx *s, uint32_t w, IrVal a, IrVal b, IrVal d)
{
    IrBuilder *ir = s->b;
    bool ua = word_u(w), ub = word_imm(w) & 1 ? !ua : ua;
    IrVal even = ir_v_madd16(ir, low_part(s, 0, ua, a), low_part(s, 0, ub, b));
    IrVal odd = ir_v_madd16(ir, high_part(s, 0, ua, a), high_part(s, 0, ub, b));
    IrVal r = ir_v_add(ir, LANE_I32, d, ir_v_add(ir, LANE_I32, even, odd));

    return word_q(w) ? r : ir_v_low64(ir, r);
}
