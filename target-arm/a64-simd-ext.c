// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A64: SM3 and SM4, bfloat16, matrices of bytes, dot products of mixed signs, products of half
 * precision. C7.2.
 */
#include "target-arm/simd-ops.h"

static void put(ArmCtx *s, unsigned rd, IrVal v)
{
    arm_put_v(s, rd, v);
}

static IrVal word(ArmCtx *s, uint32_t w)
{
    return ir_i32(s->b, w);
}

static IrVal splat(ArmCtx *s, unsigned size, unsigned reg, unsigned index)
{
    IrLane lane = LANE_I8 + size;

    return ir_v_splat(s->b, IR_V128, lane, ir_v_extract(s->b, lane, arm_v(s, reg), index));
}

bool trans_sm3(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_SM3)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            ir_call_sm3(s->b, arm_v(s, i->rd), arm_v(s, i->rn), arm_v(s, i->rm), arm_v(s, i->ra),
                        word(s, (uint32_t)(i->op | i->imm << 8))));
    }
    return true;
}

bool trans_sm4(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_SM4)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            ir_call_sm4(s->b, arm_v(s, i->op ? i->rn : i->rd), arm_v(s, i->op ? i->rm : i->rn),
                        word(s, i->op)));
    }
    return true;
}

bool trans_BFCVT(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_BF16)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd, ir_call_bfcvt(s->b, arm_v(s, i->rn), word(s, 1)));
    }
    return true;
}

bool trans_BFCVTN(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_BF16)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal r = ir_call_bfcvt(s->b, arm_v(s, i->rn), word(s, 4));

        put(s, i->rd, i->q ? ir_v_unpack_lo(s->b, LANE_I64, arm_v(s, i->rd), r) : r);
    }
    return true;
}

bool trans_bfdot(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_BF16)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal m = i->elem ? splat(s, 2, i->rm, i->index) : arm_v(s, i->rm);

        arm_set_v(s, i->rd, i->q,
                  ir_call_bfdot(s->b, arm_v(s, i->rd), arm_v(s, i->rn), m, word(s, 0)));
    }
    return true;
}

bool trans_BFMMLA(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_BF16)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            ir_call_bfdot(s->b, arm_v(s, i->rd), arm_v(s, i->rn), arm_v(s, i->rm), word(s, 1)));
    }
    return true;
}

bool trans_bfmlal(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_BF16)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal n = arm_v(s, i->rn), m = i->elem ? splat(s, 1, i->rm, i->index) : arm_v(s, i->rm);

        if (!i->top) {
            n = ir_v_shl_i(s->b, LANE_I32, n, 16);
            m = i->elem ? m : ir_v_shl_i(s->b, LANE_I32, m, 16);
        }
        put(s, i->rd, ir_call_bfmlal(s->b, arm_v(s, i->rd), n, m, word(s, 0)));
    }
    return true;
}

bool trans_mmla(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_I8MM)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            ir_call_mmla(s->b, arm_v(s, i->rd), arm_v(s, i->rn), arm_v(s, i->rm), word(s, i->op)));
    }
    return true;
}

bool trans_usdot(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_I8MM)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal m = i->elem ? splat(s, 2, i->rm, i->index) : arm_v(s, i->rm);

        put(s, i->rd,
            arm_simd_dot(s, simd_word(0, 2, i->q, false, i->u, 1), arm_v(s, i->rn), m,
                         arm_v(s, i->rd)));
    }
    return true;
}

bool trans_fmlal(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_FHM)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal m = i->elem ? splat(s, 1, i->rm, i->index) : arm_v(s, i->rm);
        uint32_t w = (uint32_t)(i->neg | i->q << 1 | i->top << 2 | (i->top && !i->elem) << 3);

        put(s, i->rd, ir_call_fmlal(s->b, arm_v(s, i->rd), arm_v(s, i->rn), m, word(s, w)));
    }
    return true;
}
