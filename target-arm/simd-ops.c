// SPDX-License-Identifier: GPL-2.0-or-later
/* Vector operations on integers whose lanes stay what they are, as IR. C7.2. */
#include "target-arm/simd-ops.h"

static IrVal word(ArmCtx *s, uint32_t w)
{
    return ir_i32(s->b, w);
}

IrVal arm_simd_splat64(ArmCtx *s, uint64_t v)
{
    return ir_v_splat(s->b, IR_V128, LANE_I64, ir_i64(s->b, v));
}

IrVal arm_simd_not(ArmCtx *s, IrVal a)
{
    return ir_v_xor(s->b, a, ir_v_cmpeq(s->b, LANE_I8, a, a));
}

/* Results cover the whole register: what the word does not ask for becomes 0. */
static IrVal fit(ArmCtx *s, uint32_t w, IrVal r)
{
    return word_scalar(w) || !word_q(w) ? ir_v_low64(s->b, r) : r;
}

/* Bits of each lane of log2 bytes `size`, in 64 bits. */
static uint64_t repeat(unsigned size, uint64_t v)
{
    static const uint64_t ones[4] = {0x0101010101010101, 0x0001000100010001, 0x0000000100000001, 1};

    return ones[size] * v;
}

void arm_simd_qc(ArmCtx *s, bool q, IrVal x, IrVal y)
{
    IrBuilder *b = s->b;
    IrVal diff = ir_v_xor(b, x, y);

    diff = q ? diff : ir_v_low64(b, diff);
    IrVal zero = ir_v_test(b, diff, diff),
          old = ir_env_load(b, IR_I32, offsetof(ArmCpu, fpsr_qc), MEM_32);

    ir_env_store(b, ir_or(b, old, ir_xor(b, ir_andi(b, zero, 0x40), ir_i32(b, 0x40))),
                 offsetof(ArmCpu, fpsr_qc), MEM_32);
}

/* ---- three of a kind ---- */

typedef IrVal LaneFn(IrBuilder *b, IrLane lane, IrVal x, IrVal y);

/* IR ops that do it for lanes of 1 << min_size to 1 << max_size bytes. */
static const struct { LaneFn *fn; uint8_t min_size, max_size; } lane_fns[V3_COUNT] = {
    [V3_ADD] = {ir_v_add, 0, 3}, [V3_SUB] = {ir_v_sub, 0, 3}, [V3_CMEQ] = {ir_v_cmpeq, 0, 3}, [V3_CMGT] = {ir_v_cmpgt, 0, 3},
    [V3_MUL] = {ir_v_mul, 1, 2}, [V3_SMAX] = {ir_v_max_s, 0, 2}, [V3_UMAX] = {ir_v_max_u, 0, 2}, [V3_SMIN] = {ir_v_min_s, 0, 2},
    [V3_UMIN] = {ir_v_min_u, 0, 2}, [V3_URHADD] = {ir_v_avg_u, 0, 1},
};

static IrVal mul8(ArmCtx *s, IrVal x, IrVal y)
{
    IrBuilder *b = s->b;
    IrVal even = ir_v_mul(b, LANE_I16, x, y),
          odd = ir_v_mul(b, LANE_I16, ir_v_shr_i(b, LANE_I16, x, 8), ir_v_shr_i(b, LANE_I16, y, 8));

    return ir_v_or(b, ir_v_and(b, even, arm_simd_splat64(s, repeat(1, 0xff))),
                   ir_v_shl_i(b, LANE_I16, odd, 8));
}

static IrVal product(ArmCtx *s, unsigned size, IrVal x, IrVal y)
{
    return size ? ir_v_mul(s->b, LANE_I8 + size, x, y) : mul8(s, x, y);
}

/*
 * Halving sums; `up`: rounded. By bytes through the rounded average, whose last bit is taken back.
 */
static IrVal halving(ArmCtx *s, unsigned size, bool u, bool up, IrVal x, IrVal y)
{
    IrBuilder *b = s->b;
    IrLane lane = LANE_I8 + size;

    if (size == 2) {
        IrVal diff = ir_v_xor(b, x, y),
              half = u ? ir_v_shr_i(b, lane, diff, 1) : ir_v_sar_i(b, lane, diff, 1);

        return up ? ir_v_sub(b, lane, ir_v_or(b, x, y), half)
                  : ir_v_add(b, lane, ir_v_and(b, x, y), half);
    }
    IrVal flip = arm_simd_splat64(s, repeat(size, 0x80ull << (8 * size)));
    IrVal r =
        u ? ir_v_avg_u(b, lane, x, y)
          : ir_v_xor(b, flip, ir_v_avg_u(b, lane, ir_v_xor(b, x, flip), ir_v_xor(b, y, flip)));

    return up ? r
              : ir_v_sub(b, lane, r,
                         ir_v_and(b, ir_v_xor(b, x, y), arm_simd_splat64(s, repeat(size, 1))));
}

static IrVal saturating(ArmCtx *s, unsigned op, IrLane lane, bool q, IrVal x, IrVal y)
{
    IrBuilder *b = s->b;
    IrVal r = op == V3_SQADD   ? ir_v_adds_s(b, lane, x, y)
              : op == V3_UQADD ? ir_v_adds_u(b, lane, x, y)
              : op == V3_SQSUB ? ir_v_subs_s(b, lane, x, y)
                               : ir_v_subs_u(b, lane, x, y);

    arm_simd_qc(s, q, r,
                op == V3_SQADD || op == V3_UQADD ? ir_v_add(b, lane, x, y)
                                                 : ir_v_sub(b, lane, x, y));
    return r;
}

static IrVal distance(ArmCtx *s, IrLane lane, bool u, IrVal x, IrVal y)
{
    IrBuilder *b = s->b;

    return u ? ir_v_sub(b, lane, ir_v_max_u(b, lane, x, y), ir_v_min_u(b, lane, x, y))
             : ir_v_sub(b, lane, ir_v_max_s(b, lane, x, y), ir_v_min_s(b, lane, x, y));
}

static IrVal pairwise(ArmCtx *s, uint32_t w, IrVal x, IrVal y)
{
    IrBuilder *b = s->b;
    unsigned size = word_size(w);
    IrLane lane = LANE_I8 + size;
    IrVal even = arm_simd_uzp(s, size, word_q(w), x, y, false),
          odd = arm_simd_uzp(s, size, word_q(w), x, y, true);

    switch (word_op(w)) {
    case V3_SMAXP:
        return ir_v_max_s(b, lane, even, odd);
    case V3_UMAXP:
        return ir_v_max_u(b, lane, even, odd);
    case V3_SMINP:
        return ir_v_min_s(b, lane, even, odd);
    case V3_UMINP:
        return ir_v_min_u(b, lane, even, odd);
    default:
        return ir_v_add(b, lane, even, odd);
    }
}

/* Whole lanes only; false: not by IR. */
static bool three_ir(ArmCtx *s, uint32_t w, IrVal x, IrVal y, IrVal d, IrVal *r)
{
    IrBuilder *b = s->b;
    unsigned op = word_op(w), size = word_size(w);
    IrLane lane = LANE_I8 + size;

    if (lane_fns[op].fn && size >= lane_fns[op].min_size && size <= lane_fns[op].max_size) {
        *r = lane_fns[op].fn(b, lane, x, y);
        return true;
    }
    switch (op) {
    case V3_CMGE:
        *r = arm_simd_not(s, ir_v_cmpgt(b, lane, y, x));
        return true;
    case V3_CMTST:
        *r = arm_simd_not(s, ir_v_cmpeq(b, lane, ir_v_and(b, x, y), ir_v_zero(b, IR_V128)));
        return true;
    case V3_ADDP:
        *r = pairwise(s, w, x, y);
        return true;
    default:
        break;
    }
    if (size == 3) {
        return false;
    }
    switch (op) {
    case V3_CMHS:
        *r = ir_v_cmpeq(b, lane, ir_v_max_u(b, lane, x, y), x);
        return true;
    case V3_CMHI:
        *r = arm_simd_not(s, ir_v_cmpeq(b, lane, ir_v_max_u(b, lane, x, y), y));
        return true;
    case V3_MUL:
        *r = mul8(s, x, y);
        return true;
    case V3_MLA:
        *r = ir_v_add(b, lane, d, product(s, size, x, y));
        return true;
    case V3_MLS:
        *r = ir_v_sub(b, lane, d, product(s, size, x, y));
        return true;
    case V3_SABD:
    case V3_UABD:
        *r = distance(s, lane, op == V3_UABD, x, y);
        return true;
    case V3_SABA:
    case V3_UABA:
        *r = ir_v_add(b, lane, d, distance(s, lane, op == V3_UABA, x, y));
        return true;
    case V3_SHADD:
    case V3_UHADD:
    case V3_SRHADD:
    case V3_URHADD:
        *r = halving(s, size, op == V3_UHADD || op == V3_URHADD, op >= V3_SRHADD, x, y);
        return true;
    case V3_SMAXP:
    case V3_UMAXP:
    case V3_SMINP:
    case V3_UMINP:
        *r = pairwise(s, w, x, y);
        return true;
    case V3_SQADD:
    case V3_UQADD:
    case V3_SQSUB:
    case V3_UQSUB:
        if (size < 2) {
            *r = saturating(s, op, lane, word_q(w), x, y);
        }
        return size < 2;
    default:
        return false;
    }
}

IrVal arm_simd3(ArmCtx *s, uint32_t w, IrVal a, IrVal b, IrVal d)
{
    IrVal r;

    if ((!word_scalar(w) || word_size(w) == 3) && three_ir(s, w, a, b, d, &r)) {
        return fit(s, w, r);
    }
    return ir_call_simd3(s->b, a, b, d, word(s, w));
}

IrVal arm_simd_logic(ArmCtx *s, unsigned op, IrVal n, IrVal m, IrVal d)
{
    IrBuilder *b = s->b;

    switch (op) {
    case 0:
        return ir_v_and(b, n, m);
    case 1:
        return ir_v_andn(b, m, n);
    case 2:
        return n.id == m.id ? n : ir_v_or(b, n, m);
    case 3:
        return ir_v_or(b, n, arm_simd_not(s, m));
    case 4:
        return ir_v_xor(b, n, m);
    case 5:     /* BSL: n where d */
        return ir_v_xor(b, m, ir_v_and(b, d, ir_v_xor(b, n, m)));
    case 6:     /* BIT: n where m */
        return ir_v_xor(b, d, ir_v_and(b, m, ir_v_xor(b, d, n)));
    default:    /* BIF: n where not m */
        return ir_v_xor(b, d, ir_v_andn(b, m, ir_v_xor(b, d, n)));
    }
}

/* ---- two ---- */

static IrVal swap_bytes16(ArmCtx *s, IrVal a)
{
    return ir_v_or(s->b, ir_v_shl_i(s->b, LANE_I16, a, 8), ir_v_shr_i(s->b, LANE_I16, a, 8));
}

/* Halfwords of each word or doubleword in reverse. */
static IrVal shuffle_halves(ArmCtx *s, IrVal a, unsigned order)
{
    return ir_v_shufhi(s->b, ir_v_shuflo(s->b, a, order), order);
}

static IrVal reverse(ArmCtx *s, unsigned op, unsigned size, IrVal a)
{
    a = size == 0 ? swap_bytes16(s, a) : a;
    switch (op) {
    case V2_REV16:
        return a;
    case V2_REV32:
        return shuffle_halves(s, a, 0xb1);
    default:
        return size == 2 ? ir_v_shuf32(s->b, a, 0xb1) : shuffle_halves(s, a, 0x1b);
    }
}

static IrVal count_bits(ArmCtx *s, IrVal a)
{
    IrBuilder *b = s->b;
    IrVal nibble = arm_simd_splat64(s, 0x0f0f0f0f0f0f0f0f);
    IrVal table = ir_v_insert(b, LANE_I64, ir_v_from_i(b, IR_V128, ir_i64(b, 0x0302020102010100)),
                              ir_i64(b, 0x0403030203020201), 1);

    return ir_v_add(b, LANE_I8, ir_v_shufb(b, table, ir_v_and(b, a, nibble)),
                    ir_v_shufb(b, table, ir_v_and(b, ir_v_shr_i(b, LANE_I16, a, 4), nibble)));
}

static bool two_ir(ArmCtx *s, uint32_t w, IrVal a, IrVal d, IrVal *r)
{
    IrBuilder *b = s->b;
    unsigned op = word_op(w), size = word_size(w);
    IrLane lane = LANE_I8 + size;
    IrVal zero = ir_v_zero(b, IR_V128);

    switch (op) {
    case V2_CMEQ0:
        *r = ir_v_cmpeq(b, lane, a, zero);
        return true;
    case V2_CMGT0:
        *r = ir_v_cmpgt(b, lane, a, zero);
        return true;
    case V2_CMLT0:
        *r = ir_v_cmpgt(b, lane, zero, a);
        return true;
    case V2_CMGE0:
        *r = arm_simd_not(s, ir_v_cmpgt(b, lane, zero, a));
        return true;
    case V2_CMLE0:
        *r = arm_simd_not(s, ir_v_cmpgt(b, lane, a, zero));
        return true;
    case V2_NEG:
        *r = ir_v_sub(b, lane, zero, a);
        return true;
    case V2_NOT:
        *r = arm_simd_not(s, a);
        return true;
    case V2_REV16:
    case V2_REV32:
    case V2_REV64:
        *r = reverse(s, op, size, a);
        return true;
    case V2_CNT:
        *r = count_bits(s, a);
        return true;
    case V2_ABS:
        if (size < 3) {
            *r = ir_v_abs(b, lane, a);
        }
        return size < 3;
    case V2_SADDLP:
    case V2_UADDLP:
    case V2_SADALP:
    case V2_UADALP:
        if (size == 2 && (op == V2_SADDLP || op == V2_SADALP)) {
            return false;
        }
        *r = arm_simd_pair_sums(s, size, op == V2_UADDLP || op == V2_UADALP, a);
        *r = op >= V2_SADALP ? ir_v_add(b, lane + 1, *r, d) : *r;
        return true;
    default:
        return false;
    }
}

IrVal arm_simd2(ArmCtx *s, uint32_t w, IrVal a, IrVal d)
{
    IrVal r;

    if ((!word_scalar(w) || word_size(w) == 3) && two_ir(s, w, a, d, &r)) {
        return fit(s, w, r);
    }
    return ir_call_simd2(s->b, a, d, word(s, w));
}

/* ---- shifts by an immediate ---- */

static IrVal shl(ArmCtx *s, unsigned size, IrVal a, unsigned n)
{
    IrBuilder *b = s->b;

    return size ? ir_v_shl_i(b, LANE_I8 + size, a, n)
                : ir_v_and(b, ir_v_shl_i(b, LANE_I16, a, n),
                           arm_simd_splat64(s, repeat(0, 0xff << n & 0xff)));
}

static IrVal ushr(ArmCtx *s, unsigned size, IrVal a, unsigned n)
{
    IrBuilder *b = s->b;

    return size ? ir_v_shr_i(b, LANE_I8 + size, a, n)
                : ir_v_and(b, ir_v_shr_i(b, LANE_I16, a, n),
                           arm_simd_splat64(s, repeat(0, 0xff >> n)));
}

static IrVal sshr(ArmCtx *s, unsigned size, IrVal a, unsigned n)
{
    unsigned bits = 8u << size;

    if (size == 1 || size == 2) {
        return ir_v_sar_i(s->b, LANE_I8 + size, a, n);
    }
    n = MIN(n, bits - 1);
    IrVal sign = arm_simd_splat64(s, repeat(size, 1ull << (bits - 1 - n)));

    return ir_v_sub(s->b, LANE_I8 + size, ir_v_xor(s->b, ushr(s, size, a, n), sign), sign);
}

static bool shift_ir(ArmCtx *s, uint32_t w, IrVal a, IrVal d, IrVal *r)
{
    IrBuilder *b = s->b;
    unsigned op = word_op(w), size = word_size(w), n = word_imm(w), bits = 8u << size;
    IrLane lane = LANE_I8 + size;
    uint64_t lane_mask = bits == 64 ? UINT64_MAX : (1ull << bits) - 1;

    switch (op) {
    case VS_SHL_I:
        *r = shl(s, size, a, n);
        return true;
    case VS_SLI:
        *r = ir_v_or(b, shl(s, size, a, n),
                     ir_v_and(b, d, arm_simd_splat64(s, repeat(size, (1ull << n) - 1))));
        return true;
    case VS_SRI:
        *r = n == bits
                 ? d
                 : ir_v_or(
                       b, ushr(s, size, a, n),
                       ir_v_and(b, d,
                                arm_simd_splat64(s, repeat(size, lane_mask & ~(lane_mask >> n)))));
        return true;
    case VS_SSHR:
    case VS_SSRA:
    case VS_SRSHR:
    case VS_SRSRA:
        *r = sshr(s, size, a, n);
        break;
    case VS_USHR:
    case VS_USRA:
    case VS_URSHR:
    case VS_URSRA:
        *r = ushr(s, size, a, n);
        break;
    default:
        return false;
    }
    if (op == VS_SRSHR || op == VS_URSHR || op == VS_SRSRA || op == VS_URSRA) {
        *r = ir_v_add(b, lane, *r,
                      ir_v_and(b, ushr(s, size, a, n - 1), arm_simd_splat64(s, repeat(size, 1))));
    }
    if (op == VS_SSRA || op == VS_USRA || op == VS_SRSRA || op == VS_URSRA) {
        *r = ir_v_add(b, lane, *r, d);
    }
    return true;
}

IrVal arm_simd_shift(ArmCtx *s, uint32_t w, IrVal a, IrVal d)
{
    IrVal r;

    if ((!word_scalar(w) || word_size(w) == 3) && shift_ir(s, w, a, d, &r)) {
        return fit(s, w, r);
    }
    return ir_call_simd_shift(s->b, a, d, word(s, w));
}
