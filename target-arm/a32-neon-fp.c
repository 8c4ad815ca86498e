// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floating point of A32's and T32's Advanced SIMD (F6.1), which is done with the standard FPSCR
 * value (E1.3.3), and what ARMv8 added to VFP and Advanced SIMD in the unconditional space.
 */
#include "target-arm/a32-trans.h"
#include "target-arm/neonx-decode.h"
#include "target-arm/neon-decode.h"
#include "target-arm/simd-ops.h"

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

static bool odd_q(const A32Insn *i, unsigned regs)
{
    return i->q && regs & 1;
}

static uint32_t std_word(unsigned op, unsigned size, bool q, bool u, unsigned imm)
{
    return simd_word(op, size, q, false, u, imm) | WORD_STD;
}

/* Single, or half where there is such arithmetic. */
static bool size_ok(const ArmCtx *s, unsigned size)
{
    return size == 2 || (size == 1 && arm_has(s->cpu, FEATURE_FP16));
}

bool trans_neon_f3(ArmCtx *s, const A32Insn *i)
{
    unsigned size = i->half ? 1 : 2;

    if (!size_ok(s, size) || odd_q(i, reg_d(i) | reg_n(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, i->q, reg_d(i),
                arm_fp3(s, std_word(i->op, size, i->q, false, (unsigned)i->sub),
                        a32_get_vec(s, i->q, reg_n(i)), a32_get_vec(s, i->q, reg_m(i))));
    return true;
}

bool trans_neon_f3_v8(ArmCtx *s, const A32Insn *i)
{
    return arm_has(s->cpu, FEATURE_V8) && trans_neon_f3(s, i);
}

bool trans_neon_fma(ArmCtx *s, const A32Insn *i)
{
    unsigned size = i->half ? 1 : 2;

    if (!arm_has(s->cpu, FEATURE_VFP4) || !size_ok(s, size) ||
        odd_q(i, reg_d(i) | reg_n(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, i->q, reg_d(i),
                arm_fp_muladd(s, std_word((unsigned)i->op << 1, size, i->q, false, 0),
                              a32_get_vec(s, i->q, reg_d(i)), a32_get_vec(s, i->q, reg_n(i)),
                              a32_get_vec(s, i->q, reg_m(i))));
    return true;
}

/* Product and sum are rounded each. */
static void multiply_add(ArmCtx *s, const A32Insn *i, unsigned size, bool q, IrVal m)
{
    IrVal p = arm_fp3(s, std_word(FP_MUL, size, q, false, 0), a32_get_vec(s, q, reg_n(i)), m);

    a32_put_vec(s, q, reg_d(i),
                arm_fp3(s, std_word(i->op ? FP_SUB : FP_ADD, size, q, false, 0),
                        a32_get_vec(s, q, reg_d(i)), p));
}

bool trans_neon_mla(ArmCtx *s, const A32Insn *i)
{
    unsigned size = i->half ? 1 : 2;

    if (!size_ok(s, size) || odd_q(i, reg_d(i) | reg_n(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    multiply_add(s, i, size, i->q, a32_get_vec(s, i->q, reg_m(i)));
    return true;
}

static IrVal scalar(ArmCtx *s, const A32Insn *i)
{
    unsigned size = (unsigned)i->size;
    unsigned d = size == 1 ? (unsigned)i->vm & 7 : (unsigned)i->vm,
             index = size == 1 ? (unsigned)(i->hi << 1 | i->vm >> 3) : (unsigned)i->hi;
    IrLane lane = LANE_I8 + size;

    return ir_v_splat(s->b, IR_V128, lane,
                      ir_v_extract(s->b, lane, arm_v(s, d / 2), index + (d & 1 ? 8u >> size : 0)));
}

bool trans_neon_mla_x(ArmCtx *s, const A32Insn *i)
{
    if (!size_ok(s, i->size) || (i->u && (reg_d(i) | reg_n(i)) & 1)) {
        return false;
    }
    FP_OR_RETURN(s);
    multiply_add(s, i, i->size, i->u, scalar(s, i));
    return true;
}

bool trans_neon_f3_x(ArmCtx *s, const A32Insn *i)
{
    if (!size_ok(s, i->size) || (i->u && (reg_d(i) | reg_n(i)) & 1)) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, i->u, reg_d(i),
                arm_fp3(s, std_word(i->op, i->size, i->u, false, 0), a32_get_vec(s, i->u, reg_n(i)),
                        scalar(s, i)));
    return true;
}

/* ---- two registers ---- */

bool trans_neon_fcm0(ArmCtx *s, const A32Insn *i)
{
    if (!size_ok(s, i->size) || odd_q(i, reg_d(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, i->q, reg_d(i),
                arm_fp3(s, std_word(i->op, i->size, i->q, false, 0), a32_get_vec(s, i->q, reg_m(i)),
                        ir_v_zero(s->b, IR_V128)));
    return true;
}

bool trans_neon_f2(ArmCtx *s, const A32Insn *i)
{
    if (!size_ok(s, i->size) || odd_q(i, reg_d(i) | reg_m(i)) ||
        (i->op >= FP1_RINTN && !arm_has(s->cpu, FEATURE_V8))) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(
        s, i->q, reg_d(i),
        arm_fp2(s, std_word(i->op, i->size, i->q, false, 0), a32_get_vec(s, i->q, reg_m(i))));
    return true;
}

static bool to_int(ArmCtx *s, const A32Insn *i, unsigned round, bool u)
{
    if (!size_ok(s, i->size) || odd_q(i, reg_d(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(
        s, i->q, reg_d(i),
        arm_fp_toint(s, std_word(round, i->size, i->q, u, 0), a32_get_vec(s, i->q, reg_m(i))));
    return true;
}

bool trans_neon_cvt_v8(ArmCtx *s, const A32Insn *i)
{
    return arm_has(s->cpu, FEATURE_V8) && to_int(s, i, (unsigned)i->op, i->unsgn);
}

bool trans_neon_to_int(ArmCtx *s, const A32Insn *i)
{
    return to_int(s, i, ROUND_Z, i->op);
}

bool trans_neon_from_int(ArmCtx *s, const A32Insn *i)
{
    if (!size_ok(s, i->size) || odd_q(i, reg_d(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(
        s, i->q, reg_d(i),
        arm_fp_fromint(s, std_word(0, i->size, i->q, i->op, 0), a32_get_vec(s, i->q, reg_m(i))));
    return true;
}

bool trans_neon_fixed(ArmCtx *s, const A32Insn *i)
{
    unsigned size = i->size ? 2 : 1, frac = 64 - (unsigned)i->imm;

    if (!size_ok(s, size) || frac > 8u << size || odd_q(i, reg_d(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal m = a32_get_vec(s, i->q, reg_m(i));
    uint32_t w = std_word(i->to ? ROUND_Z : 0, size, i->q, i->unsgn, frac);

    a32_put_vec(s, i->q, reg_d(i), i->to ? arm_fp_toint(s, w, m) : arm_fp_fromint(s, w, m));
    return true;
}

/* op 0: four singles to halves; 1: the other way. */
bool trans_neon_half(ArmCtx *s, const A32Insn *i)
{
    unsigned from = i->op ? 1 : 2, to = i->op ? 2 : 1;

    if (!arm_has(s->cpu, FEATURE_VFP3) || (i->op ? reg_d(i) : reg_m(i)) & 1) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, i->op, reg_d(i),
                arm_fp_convert(s, simd_word(to, from, true, false, false, ROUND_CUR) | WORD_STD,
                               a32_get_vec(s, !i->op, reg_m(i))));
    return true;
}

/* ---- scalars of ARMv8 ---- */

static unsigned scalar_size(const A32Insn *i)
{
    return i->half ? 1 : i->dp ? 3 : 2;
}

static bool scalar_ok(const ArmCtx *s, const A32Insn *i)
{
    return (arm_has(s->cpu, FEATURE_V8) || arm_has(s->cpu, FEATURE_VFP5)) &&
           (!i->half || arm_has(s->cpu, FEATURE_FP16));
}

static IrVal vec(ArmCtx *s, IrVal x64)
{
    return ir_v_from_i(s->b, IR_V128, x64);
}

static void put(ArmCtx *s, const A32Insn *i, IrVal v)
{
    a32_put_fp(s, i->dp, a32_vreg(i->dp, i->vd, i->bits), ir_v_extract(s->b, LANE_I64, v, 0));
}

bool trans_vfp_sel(ArmCtx *s, const A32Insn *i)
{
    static const uint8_t conds[4] = {0, 6, 10, 12};     /* EQ VS GE GT */

    if (!scalar_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    ArmCond c = arm_cond(s, conds[i->cond]);

    a32_put_fp(s, i->dp, a32_vreg(i->dp, i->vd, i->bits),
               ir_select(s->b, c.cond, c.a, c.b, a32_operand(s, i, i->vn, i->lo),
                         a32_operand(s, i, i->vm, i->hi)));
    return true;
}

bool trans_vfp_minmax(ArmCtx *s, const A32Insn *i)
{
    if (!scalar_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    put(s, i,
        arm_fp3(s, simd_word(i->op, scalar_size(i), false, true, false, 0),
                vec(s, a32_operand(s, i, i->vn, i->lo)), vec(s, a32_operand(s, i, i->vm, i->hi))));
    return true;
}

bool trans_vfp_rint(ArmCtx *s, const A32Insn *i)
{
    if (!scalar_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    put(s, i,
        arm_fp2(s, simd_word(i->op, scalar_size(i), false, true, false, 0),
                vec(s, a32_operand(s, i, i->vm, i->hi))));
    return true;
}

/* unsgn holds the "signed" bit of the encoding. */
bool trans_vfp_cvt_round(ArmCtx *s, const A32Insn *i)
{
    if (!scalar_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_fp(s, false, a32_vreg(false, i->vd, i->bits),
               ir_call_fp_to_gpr(
                   s->b, a32_operand(s, i, i->vm, i->hi),
                   ir_i32(s->b, simd_word(i->op, scalar_size(i), false, true, !i->unsgn, 0))));
    return true;
}

bool trans_vfp_movx(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_FP16)) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_fp(s, false, a32_vreg(false, i->vd, i->bits),
               ir_shri(s->b, a32_get_fp(s, false, a32_vreg(false, i->vm, i->hi)), 16));
    return true;
}

bool trans_vfp_ins(ArmCtx *s, const A32Insn *i)
{
    unsigned d = a32_vreg(false, i->vd, i->bits);

    if (!arm_has(s->cpu, FEATURE_FP16)) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_fp(s, false, d,
               ir_deposit(s->b, a32_get_fp(s, false, d),
                          a32_get_fp(s, false, a32_vreg(false, i->vm, i->hi)), 16, 16));
    return true;
}

/* ---- vectors of ARMv8.2 and later; size: 0 half, 1 single ---- */

static bool complex_ok(const ArmCtx *s, const A32Insn *i, unsigned regs)
{
    return arm_has(s->cpu, FEATURE_FCMA) && size_ok(s, 1 + (unsigned)i->size) && !odd_q(i, regs);
}

bool trans_neon_cadd(ArmCtx *s, const A32Insn *i)
{
    if (!complex_ok(s, i, reg_d(i) | reg_n(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, i->q, reg_d(i),
                ir_call_fcadd(s->b, a32_get_vec(s, i->q, reg_n(i)), a32_get_vec(s, i->q, reg_m(i)),
                              ir_i32(s->b, std_word(0, 1 + (unsigned)i->size, i->q, false,
                                                    (unsigned)i->rot))));
    return true;
}

static void complex_mla(ArmCtx *s, const A32Insn *i, IrVal m)
{
    a32_put_vec(
        s, i->q, reg_d(i),
        ir_call_fcmla(
            s->b, a32_get_vec(s, i->q, reg_d(i)), a32_get_vec(s, i->q, reg_n(i)), m,
            ir_i32(s->b, std_word(0, 1 + (unsigned)i->size, i->q, false, (unsigned)i->rot))));
}

bool trans_neon_cmla(ArmCtx *s, const A32Insn *i)
{
    if (!complex_ok(s, i, reg_d(i) | reg_n(i) | reg_m(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    complex_mla(s, i, a32_get_vec(s, i->q, reg_m(i)));
    return true;
}

/* The pair of lanes `index` of D register d everywhere. */
static IrVal splat_lane(ArmCtx *s, unsigned size, unsigned d, unsigned index)
{
    IrLane lane = LANE_I8 + size;

    return ir_v_splat(s->b, IR_V128, lane,
                      ir_v_extract(s->b, lane, arm_v(s, d / 2), index + (d & 1 ? 8u >> size : 0)));
}

bool trans_neon_cmla_x(ArmCtx *s, const A32Insn *i)
{
    if (!complex_ok(s, i, reg_d(i) | reg_n(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    complex_mla(s, i,
                i->size ? splat_lane(s, 3, reg_m(i), 0)
                        : splat_lane(s, 2, (unsigned)i->vm, (unsigned)i->hi));
    return true;
}

/* mixed: signs differ. */
static bool dot(ArmCtx *s, const A32Insn *i, bool u, bool mixed, bool indexed)
{
    if (!arm_has(s->cpu, mixed ? FEATURE_I8MM : FEATURE_DOTPROD) || odd_q(i, reg_d(i) | reg_n(i)) ||
        (!indexed && odd_q(i, reg_m(i)))) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal m = indexed ? splat_lane(s, 2, (unsigned)i->vm, (unsigned)i->hi)
                      : a32_get_vec(s, i->q, reg_m(i));

    a32_put_vec(s, i->q, reg_d(i),
                arm_simd_dot(s, simd_word(0, 2, i->q, false, u, mixed),
                             a32_get_vec(s, i->q, reg_n(i)), m, a32_get_vec(s, i->q, reg_d(i))));
    return true;
}

bool trans_neon_dot(ArmCtx *s, const A32Insn *i)
{
    return dot(s, i, i->unsgn, false, false);
}

bool trans_neon_dot_x(ArmCtx *s, const A32Insn *i)
{
    return dot(s, i, i->unsgn, false, true);
}

bool trans_neon_usdot(ArmCtx *s, const A32Insn *i)
{
    return dot(s, i, true, true, false);
}

/* unsgn: VSUDOT. */
bool trans_neon_usdot_x(ArmCtx *s, const A32Insn *i)
{
    return dot(s, i, !i->unsgn, true, true);
}

/* ---- products of halves, bfloat16, matrices ---- */

/* With 128-bit results the factors are D registers, else S registers. */
static IrVal halves(ArmCtx *s, bool q, unsigned n)
{
    return q ? a32_get_vec(s, false, n) : vec(s, a32_get_fp(s, false, n));
}

static bool fmlal(ArmCtx *s, const A32Insn *i, IrVal m)
{
    IrVal n = halves(s, i->q, i->q ? reg_n(i) : a32_vreg(false, i->vn, i->lo));
    uint32_t w = (uint32_t)i->sub | (i->q ? 2u : 0) | WORD_STD;

    a32_put_vec(s, i->q, reg_d(i),
                ir_call_fmlal(s->b, a32_get_vec(s, i->q, reg_d(i)), n, m, ir_i32(s->b, w)));
    return true;
}

bool trans_neon_fmlal(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_FHM) || odd_q(i, reg_d(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    return fmlal(s, i, halves(s, i->q, i->q ? reg_m(i) : a32_vreg(false, i->vm, i->hi)));
}

/*
 * vm has three bits, x the fourth: of an S register the half, of a D register the index's low bit.
 */
bool trans_neon_fmlal_x(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_FHM) || odd_q(i, reg_d(i))) {
        return false;
    }
    FP_OR_RETURN(s);
    unsigned x = (unsigned)i->index, hi = (unsigned)i->hi, s_reg = (unsigned)i->vm << 1 | hi;

    return fmlal(s, i,
                 i->q ? splat_lane(s, 1, (unsigned)i->vm, hi << 1 | x)
                      : splat_lane(s, 1, s_reg / 2, (s_reg & 1) << 1 | x));
}

bool trans_neon_bfdot(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_BF16) ||
        odd_q(i, reg_d(i) | reg_n(i) | (i->index ? 0 : reg_m(i)))) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal m = i->index ? splat_lane(s, 2, (unsigned)i->vm, (unsigned)i->hi)
                       : a32_get_vec(s, i->q, reg_m(i));

    a32_put_vec(s, i->q, reg_d(i),
                ir_call_bfdot(s->b, a32_get_vec(s, i->q, reg_d(i)), a32_get_vec(s, i->q, reg_n(i)),
                              m, ir_i32(s->b, (uint32_t)i->op)));
    return true;
}

bool trans_neon_bfmlal(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_BF16) || (reg_d(i) | reg_n(i) | reg_m(i)) & 1) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal n = a32_get_vec(s, true, reg_n(i)), m = a32_get_vec(s, true, reg_m(i));

    if (!i->op) {
        n = ir_v_shl_i(s->b, LANE_I32, n, 16);
        m = ir_v_shl_i(s->b, LANE_I32, m, 16);
    }
    a32_put_vec(s, true, reg_d(i),
                ir_call_bfmlal(s->b, a32_get_vec(s, true, reg_d(i)), n, m, ir_i32(s->b, WORD_STD)));
    return true;
}

bool trans_neon_bfmlal_x(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_BF16) || (reg_d(i) | reg_n(i)) & 1) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal n = a32_get_vec(s, true, reg_n(i)),
          m = splat_lane(s, 1, (unsigned)i->vm, (unsigned)(i->hi << 1 | i->index));

    n = i->op ? n : ir_v_shl_i(s->b, LANE_I32, n, 16);
    a32_put_vec(s, true, reg_d(i),
                ir_call_bfmlal(s->b, a32_get_vec(s, true, reg_d(i)), n, m, ir_i32(s->b, WORD_STD)));
    return true;
}

/* op: 0 signed, 3 unsigned, 1 unsigned by signed. */
bool trans_neon_mmla(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_I8MM) || (reg_d(i) | reg_n(i) | reg_m(i)) & 1) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, true, reg_d(i),
                ir_call_mmla(s->b, a32_get_vec(s, true, reg_d(i)), a32_get_vec(s, true, reg_n(i)),
                             a32_get_vec(s, true, reg_m(i)), ir_i32(s->b, (uint32_t)i->op)));
    return true;
}

bool trans_neon_bfcvt(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_BF16) || reg_m(i) & 1) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_vec(s, false, reg_d(i),
                ir_call_bfcvt(s->b, a32_get_vec(s, true, reg_m(i)), ir_i32(s->b, 4 | WORD_STD)));
    return true;
}

bool a32_simd_extra(ArmCtx *s, uint32_t w)
{
    A32Insn i = {0};

    return arm_has(s->cpu, FEATURE_NEON) && neonx_decode(&i, w) && i.row->trans(s, &i);
}
