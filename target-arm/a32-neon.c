// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Advanced SIMD of A32 and T32 on integers (F6.1); the operations are those of A64, by simd-ops.h.
 */
#include "target-arm/a32-trans.h"
#include "target-arm/neon-decode.h"
#include "target-arm/simd-ops.h"

/* Numbers of an instruction's D registers. */
static unsigned reg_d(const A32Insn *i)
{
    return a32_vreg(true, i->vd, i->bits);
}

static unsigned reg_n(const A32Insn *i)
{
    return a32_vreg(true, i->vn, i->lo);
}

static unsigned reg_m(const A32Insn *i)
{
    return a32_vreg(true, i->vm, i->hi);
}

/* Q registers have even numbers. */
static bool odd_q(const A32Insn *i, unsigned regs)
{
    return i->q && regs & 1;
}

static bool v3_valid(const A32Insn *i)
{
    switch (i->op) {
    case V3_ADD:
    case V3_SUB:
    case V3_SQADD:
    case V3_UQADD:
    case V3_SQSUB:
    case V3_UQSUB:
        return true;
    case V3_SQDMULH:
    case V3_SQRDMULH:
    case V3_SQRDMLAH:
    case V3_SQRDMLSH:
        return i->size == 1 || i->size == 2;
    case V3_PMUL:
        return i->size == 0;
    default:
        return i->size != 3;
    }
}

static bool has_rdm(const ArmCtx *s, const A32Insn *i)
{
    return i->op < V3_SQRDMLAH || arm_has(s->cpu, FEATURE_RDM);
}

static void put3(ArmCtx *s, const A32Insn *i, bool q, IrVal n, IrVal m)
{
    IrVal d = a32_get_vec(s, q, reg_d(i));

    a32_put_vec(s, q, reg_d(i),
                arm_simd3(s, simd_word(i->op, i->size, q, false, false, 0), n, m, d));
}

bool trans_neon3(ArmCtx *s, const A32Insn *i)
{
    if (!v3_valid(i) || odd_q(i, reg_d(i) | reg_n(i) | reg_m(i)) || !has_rdm(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    put3(s, i, i->q, a32_get_vec(s, i->q, reg_n(i)), a32_get_vec(s, i->q, reg_m(i)));
    return true;
}

/* The amount is the first operand here. */
bool trans_neon_shl(ArmCtx *s, const A32Insn *i)
{
    if (odd_q(i, reg_d(i) | reg_n(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    put3(s, i, i->q, a32_get_vec(s, i->q, reg_m(i)), a32_get_vec(s, i->q, reg_n(i)));
    return true;
}

bool trans_neon_logic(ArmCtx *s, const A32Insn *i)
{
    if (odd_q(i, reg_d(i) | reg_n(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, i->q, reg_d(i),
                arm_simd_logic(s, (unsigned)i->op, a32_get_vec(s, i->q, reg_n(i)),
                               a32_get_vec(s, i->q, reg_m(i)), a32_get_vec(s, i->q, reg_d(i))));
    return true;
}

bool trans_neon_sha3(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, i->op < 4 ? FEATURE_SHA1 : FEATURE_SHA256) ||
        odd_q(i, reg_d(i) | reg_n(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, true, reg_d(i),
                ir_call_sha_three(s->b, a32_get_vec(s, true, reg_d(i)),
                                  a32_get_vec(s, true, reg_n(i)), a32_get_vec(s, true, reg_m(i)),
                                  ir_i32(s->b, i->op)));
    return true;
}

bool trans_neon_sha2(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, i->op < 2 ? FEATURE_SHA1 : FEATURE_SHA256) || (reg_d(i) | reg_m(i)) & 1) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, true, reg_d(i),
                ir_call_sha_two(s->b, a32_get_vec(s, true, reg_d(i)),
                                a32_get_vec(s, true, reg_m(i)), ir_i32(s->b, i->op)));
    return true;
}

bool trans_neon_aes(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_AES) || (reg_d(i) | reg_m(i)) & 1) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, true, reg_d(i),
                ir_call_aes(s->b, a32_get_vec(s, true, reg_d(i)), a32_get_vec(s, true, reg_m(i)),
                            ir_i32(s->b, i->op)));
    return true;
}

/* ---- immediates and shifts ---- */

bool trans_neon_imm(ArmCtx *s, const A32Insn *i)
{
    IrBuilder *b = s->b;
    unsigned c = (unsigned)i->cmode;
    bool orr = c < 12 && c & 1, invert = i->neg && c < 14;

    if ((c == 15 && i->neg) || odd_q(i, reg_d(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    uint64_t v = arm_expand_imm((unsigned)i->neg, c, (unsigned)i->imm);
    IrVal x = arm_simd_splat64(s, invert && !orr ? ~v : v);

    if (orr) {
        IrVal d = a32_get_vec(s, i->q, reg_d(i));

        x = invert ? ir_v_andn(b, x, d) : ir_v_or(b, x, d);
    }
    a32_put_vec(s, i->q, reg_d(i), x);
    return true;
}

/* imm is A64's immh:immb. */
bool trans_neon_shift(ArmCtx *s, const A32Insn *i)
{
    unsigned immh = (unsigned)i->imm >> 3, size, n;
    bool left = i->op == VS_SQSHL_I || i->op == VS_UQSHL_I || i->op == VS_SQSHLU ||
                i->op == VS_SHL_I || i->op == VS_SLI;

    if (immh == 0 || odd_q(i, reg_d(i) | reg_m(i))) {
        return false;
    }
    size = 31 - (unsigned)__builtin_clz(immh);
    n = left ? (unsigned)i->imm - (8u << size) : (16u << size) - (unsigned)i->imm;
    FP_OR_RETURN(s);
    a32_put_vec(s, i->q, reg_d(i),
                arm_simd_shift(s, simd_word(i->op, size, i->q, !i->q && size == 3, false, n),
                               a32_get_vec(s, i->q, reg_m(i)), a32_get_vec(s, i->q, reg_d(i))));
    return true;
}

bool trans_neon_shrn(ArmCtx *s, const A32Insn *i)
{
    unsigned immh = (unsigned)i->imm >> 3, size;

    if (immh == 0 || reg_m(i) & 1) {
        return false;
    }
    size = 31 - (unsigned)__builtin_clz(immh);
    FP_OR_RETURN(s);
    a32_put_vec(
        s, false, reg_d(i),
        arm_simd_shrn(s,
                      simd_word(i->op, size, false, false, false, (16u << size) - (unsigned)i->imm),
                      a32_get_vec(s, true, reg_m(i))));
    return true;
}

static IrVal extend(ArmCtx *s, unsigned size, bool u, IrVal v)
{
    return u ? ir_v_zext(s->b, IR_V128, LANE_I8 + size, v, 2)
             : ir_v_sext(s->b, IR_V128, LANE_I8 + size, v, 2);
}

bool trans_neon_shll(ArmCtx *s, const A32Insn *i)
{
    unsigned immh = (unsigned)i->imm >> 3, size, n;

    if (immh == 0 || reg_d(i) & 1) {
        return false;
    }
    size = 31 - (unsigned)__builtin_clz(immh);
    n = (unsigned)i->imm - (8u << size);
    FP_OR_RETURN(s);
    IrVal v = extend(s, size, i->unsgn, a32_get_vec(s, false, reg_m(i)));

    a32_put_vec(s, true, reg_d(i), n ? ir_v_shl_i(s->b, LANE_I16 + size, v, n) : v);
    return true;
}

bool trans_neon_shll_max(ArmCtx *s, const A32Insn *i)
{
    if (i->size == 3 || reg_d(i) & 1) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, true, reg_d(i),
                ir_v_shl_i(s->b, LANE_I16 + i->size,
                           extend(s, i->size, true, a32_get_vec(s, false, reg_m(i))),
                           8u << i->size));
    return true;
}

/* ---- different lengths ---- */

/* The scalar that a by-scalar form names, in all lanes. */
static IrVal scalar(ArmCtx *s, const A32Insn *i)
{
    unsigned size = (unsigned)i->size;
    unsigned d = size == 1 ? (unsigned)i->vm & 7 : (unsigned)i->vm,
             index = size == 1 ? (unsigned)(i->hi << 1 | i->vm >> 3) : (unsigned)i->hi;
    IrLane lane = LANE_I8 + size;

    return ir_v_splat(s->b, IR_V128, lane,
                      ir_v_extract(s->b, lane, arm_v(s, d / 2), index + (d & 1 ? 8u >> size : 0)));
}

static void widen(ArmCtx *s, const A32Insn *i, bool u, IrVal m)
{
    bool wide_n = i->op == VW_ADDW || i->op == VW_SUBW;

    a32_put_vec(s, true, reg_d(i),
                arm_simd_widen(s, simd_word(i->op, i->size, false, false, u, 0),
                               a32_get_vec(s, wide_n, reg_n(i)), m,
                               a32_get_vec(s, true, reg_d(i))));
}

bool trans_neon_widen(ArmCtx *s, const A32Insn *i)
{
    bool wide_n = i->op == VW_ADDW || i->op == VW_SUBW;

    if (i->size == 3 || (i->op >= VW_SQDMLAL && i->size == 0) || reg_d(i) & 1 ||
        (wide_n && reg_n(i) & 1)) {
        return false;
    }
    FP_OR_RETURN(s);
    widen(s, i, i->unsgn, a32_get_vec(s, false, reg_m(i)));
    return true;
}

bool trans_neon_widen_x(ArmCtx *s, const A32Insn *i)
{
    if (i->size == 3 || i->size == 0 || reg_d(i) & 1) {
        return false;
    }
    FP_OR_RETURN(s);
    widen(s, i, i->u, scalar(s, i));
    return true;
}

bool trans_neon_pmull(ArmCtx *s, const A32Insn *i)
{
    if (i->size == 1 || i->size == 3 || reg_d(i) & 1 ||
        (i->size == 2 && !arm_has(s->cpu, FEATURE_PMULL))) {
        return false;
    }
    FP_OR_RETURN(s);
    if (i->size == 2) {
        a32_put_vec(
            s, true, reg_d(i),
            ir_call_pmull64(s->b, a32_get_fp(s, true, reg_n(i)), a32_get_fp(s, true, reg_m(i))));
    } else {
        widen(s, i, true, a32_get_vec(s, false, reg_m(i)));
    }
    return true;
}

bool trans_neon_addhn(ArmCtx *s, const A32Insn *i)
{
    if (i->size == 3 || (reg_n(i) | reg_m(i)) & 1) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, false, reg_d(i),
                arm_simd_addhn(s, simd_word(0, i->size, false, false, false, (unsigned)i->op),
                               a32_get_vec(s, true, reg_n(i)), a32_get_vec(s, true, reg_m(i))));
    return true;
}

bool trans_neon3_x(ArmCtx *s, const A32Insn *i)
{
    if (i->size == 3 || i->size == 0 || (i->u && (reg_d(i) | reg_n(i)) & 1) || !has_rdm(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    put3(s, i, i->u, a32_get_vec(s, i->u, reg_n(i)), scalar(s, i));
    return true;
}

/* ---- extraction, tables, duplication ---- */

bool trans_neon_ext(ArmCtx *s, const A32Insn *i)
{
    if (odd_q(i, reg_d(i) | reg_n(i) | reg_m(i)) || (!i->q && i->imm & 8)) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal n = a32_get_vec(s, i->q, reg_n(i)), m = a32_get_vec(s, i->q, reg_m(i)), r;

    if (i->q) {
        r = i->imm ? ir_v_align(s->b, m, n, i->imm) : n;
    } else {
        r = ir_v_shr_bytes(s->b, ir_v_unpack_lo(s->b, LANE_I64, n, m), i->imm);
    }
    a32_put_vec(s, i->q, reg_d(i), r);
    return true;
}

bool trans_neon_tbl(ArmCtx *s, const A32Insn *i)
{
    unsigned count = (unsigned)i->len + 1, n = reg_n(i);
    IrVal table[2] = {{0}, {0}};

    if (n + count > 32) {
        return false;
    }
    FP_OR_RETURN(s);
    for (unsigned k = 0; k < count; k += 2) {
        IrVal low = a32_get_vec(s, false, n + k);

        table[k / 2] = k + 1 < count
                           ? ir_v_unpack_lo(s->b, LANE_I64, low, a32_get_vec(s, false, n + k + 1))
                           : ir_v_low64(s->b, low);
    }
    IrVal d = a32_get_vec(s, false, reg_d(i));

    a32_put_vec(s, false, reg_d(i),
                arm_simd_tbl(s, false, table, 8 * count, a32_get_vec(s, false, reg_m(i)),
                             i->x ? &d : NULL));
    return true;
}

bool trans_neon_dup(ArmCtx *s, const A32Insn *i)
{
    unsigned imm = (unsigned)i->imm, size, m = reg_m(i);

    if (!(imm & 7) || odd_q(i, reg_d(i))) {
        return false;
    }
    size = (unsigned)__builtin_ctz(imm);
    FP_OR_RETURN(s);
    IrLane lane = LANE_I8 + size;
    unsigned index = (imm >> (size + 1)) + (m & 1 ? 8u >> size : 0);

    a32_put_vec(s, i->q, reg_d(i),
                ir_v_splat(s->b, IR_V128, lane, ir_v_extract(s->b, lane, arm_v(s, m / 2), index)));
    return true;
}

/* ---- two registers ---- */

static bool v2_valid(const A32Insn *i)
{
    switch (i->op) {
    case V2_REV32:
        return i->size < 2;
    case V2_REV16:
    case V2_CNT:
    case V2_NOT:
        return i->size == 0;
    default:
        return i->size != 3;
    }
}

bool trans_neon2(ArmCtx *s, const A32Insn *i)
{
    if (!v2_valid(i) || odd_q(i, reg_d(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, i->q, reg_d(i),
                arm_simd2(s, simd_word(i->op, i->size, i->q, false, false, 0),
                          a32_get_vec(s, i->q, reg_m(i)), a32_get_vec(s, i->q, reg_d(i))));
    return true;
}

bool trans_neon_estimate(ArmCtx *s, const A32Insn *i)
{
    return i->size == 2 && trans_neon2(s, i);
}

bool trans_neon_swap(ArmCtx *s, const A32Insn *i)
{
    if (i->size != 0 || odd_q(i, reg_d(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal d = a32_get_vec(s, i->q, reg_d(i)), m = a32_get_vec(s, i->q, reg_m(i));

    a32_put_vec(s, i->q, reg_d(i), m);
    a32_put_vec(s, i->q, reg_m(i), d);
    return true;
}

bool trans_neon_permute(ArmCtx *s, const A32Insn *i)
{
    if (i->size == 3 || (i->op != 2 && i->size == 2 && !i->q) || odd_q(i, reg_d(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal d = a32_get_vec(s, i->q, reg_d(i)), m = a32_get_vec(s, i->q, reg_m(i));
    IrVal first = arm_simd_permute(s, simd_word(i->op, i->size, i->q, false, false, 0), d, m);
    IrVal second =
        arm_simd_permute(s, simd_word((unsigned)i->op | 4, i->size, i->q, false, false, 0), d, m);

    a32_put_vec(s, i->q, reg_d(i), first);
    a32_put_vec(s, i->q, reg_m(i), second);
    return true;
}

bool trans_neon_narrow(ArmCtx *s, const A32Insn *i)
{
    if (i->size == 3 || reg_m(i) & 1) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, false, reg_d(i),
                arm_simd_narrow(s, simd_word(i->op, i->size, false, false, false, 0),
                                a32_get_vec(s, true, reg_m(i))));
    return true;
}

bool a32_simd(ArmCtx *s, uint32_t w)
{
    A32Insn i = {0};

    return arm_has(s->cpu, FEATURE_NEON) && neon_decode(&i, w) && i.row->trans(s, &i);
}
