// SPDX-License-Identifier: GPL-2.0-or-later
/* A64 floating point, scalar and vector. C7.2. */
#include "target-arm/simd-ops.h"

static IrVal word(ArmCtx *s, uint32_t w)
{
    return ir_i32(s->b, w);
}

static void put(ArmCtx *s, unsigned rd, IrVal v)
{
    arm_put_v(s, rd, v);
}

/* log2 of bytes of a vector row's lanes: half, or single and double by sz; false: unallocated. */
static bool lane_size(ArmCtx *s, const A64Insn *i, unsigned *size)
{
    *size = i->half ? 1 : 2 + (unsigned)i->sz;
    return i->half ? arm_has(s->cpu, FEATURE_FP16) : *size == 2 || i->q || i->scalar;
}

/* The same of a scalar row's type field. */
static bool type_size(ArmCtx *s, const A64Insn *i, unsigned *size)
{
    static const uint8_t sizes[4] = {2, 3, 0, 1};

    *size = sizes[i->type];
    return i->type != 2 && (i->type != 3 || arm_has(s->cpu, FEATURE_FP16));
}

/* Lane 0 as i64, upper bits clear. */
static IrVal scalar(ArmCtx *s, unsigned reg, unsigned size)
{
    IrVal v = ir_v_extract(s->b, LANE_I8 + size, arm_v(s, reg), 0);

    return size == 3 ? v : ir_zextq(s->b, v);
}

static void put_scalar(ArmCtx *s, unsigned rd, IrVal x64)
{
    put(s, rd, ir_v_from_i(s->b, IR_V128, x64));
}

/* ---- three and two registers, vectors ---- */

bool trans_f3(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!lane_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp3(s, simd_word(i->op, size, i->q, i->scalar, false, i->pair), arm_v(s, i->rn),
                    arm_v(s, i->rm)));
    }
    return true;
}

bool trans_fmla(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!lane_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp_muladd(s, simd_word(i->neg << 1, size, i->q, false, false, 0), arm_v(s, i->rd),
                          arm_v(s, i->rn), arm_v(s, i->rm)));
    }
    return true;
}

static bool element(const A64Insn *i, unsigned size, unsigned *reg, unsigned *index)
{
    *reg = size == 1 ? (unsigned)i->rm & 15 : (unsigned)i->rm;
    *index = size == 1   ? (unsigned)(i->h << 2 | i->l << 1 | i->rm >> 4)
             : size == 2 ? (unsigned)(i->h << 1 | i->l)
                         : (unsigned)i->h;
    return size != 3 || !i->l;
}

static IrVal splat(ArmCtx *s, unsigned size, unsigned reg, unsigned index)
{
    IrLane lane = LANE_I8 + size;

    return ir_v_splat(s->b, IR_V128, lane, ir_v_extract(s->b, lane, arm_v(s, reg), index));
}

bool trans_f3_elem(ArmCtx *s, const A64Insn *i)
{
    unsigned size, reg, index;

    if (!lane_size(s, i, &size) || !element(i, size, &reg, &index)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp3(s, simd_word(i->op, size, i->q, i->scalar, false, 0), arm_v(s, i->rn),
                    splat(s, size, reg, index)));
    }
    return true;
}

bool trans_fmla_elem(ArmCtx *s, const A64Insn *i)
{
    unsigned size, reg, index;

    if (!lane_size(s, i, &size) || !element(i, size, &reg, &index)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp_muladd(s, simd_word(i->neg << 1, size, i->q, i->scalar, false, 0),
                          arm_v(s, i->rd), arm_v(s, i->rn), splat(s, size, reg, index)));
    }
    return true;
}

bool trans_f2(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!lane_size(s, i, &size) || (i->op >= FP1_RINT32Z && !arm_has(s->cpu, FEATURE_FRINT))) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp2(s, simd_word(i->op, size, i->q, i->scalar, false, 0), arm_v(s, i->rn)));
    }
    return true;
}

bool trans_fcm0(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!lane_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp3(s, simd_word(i->op, size, i->q, i->scalar, false, 0), arm_v(s, i->rn),
                    ir_v_zero(s->b, IR_V128)));
    }
    return true;
}

bool trans_fcvti(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!lane_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp_toint(s, simd_word(i->round, size, i->q, i->scalar, i->u, 0), arm_v(s, i->rn)));
    }
    return true;
}

bool trans_icvtf(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!lane_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp_fromint(s, simd_word(0, size, i->q, i->scalar, i->u, 0), arm_v(s, i->rn)));
    }
    return true;
}

/* Fixed point: immh:immb. */
static bool fixed(ArmCtx *s, const A64Insn *i, unsigned *size, unsigned *frac)
{
    unsigned immh = (unsigned)i->imm >> 3;

    if (immh < 2) {
        return false;
    }
    *size = 31 - (unsigned)__builtin_clz(immh);
    *frac = (16u << *size) - (unsigned)i->imm;
    return (*size > 1 || arm_has(s->cpu, FEATURE_FP16)) && (*size != 3 || i->q);
}

bool trans_cvtf_fixed(ArmCtx *s, const A64Insn *i)
{
    unsigned size, frac;

    if (!fixed(s, i, &size, &frac)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp_fromint(s, simd_word(0, size, i->q, i->scalar, i->u, frac), arm_v(s, i->rn)));
    }
    return true;
}

bool trans_fcvtz_fixed(ArmCtx *s, const A64Insn *i)
{
    unsigned size, frac;

    if (!fixed(s, i, &size, &frac)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp_toint(s, simd_word(ROUND_Z, size, i->q, i->scalar, i->u, frac),
                         arm_v(s, i->rn)));
    }
    return true;
}

bool trans_fcvtn(ArmCtx *s, const A64Insn *i)
{
    unsigned from = i->sz ? 3 : 2;

    if (!arm_fp_ok(s)) {
        return true;
    }
    IrVal r = arm_fp_convert(
        s, simd_word(from - 1, from, true, i->scalar, false, i->odd ? ROUND_ODD : ROUND_CUR),
        arm_v(s, i->rn));

    if (i->q) {
        r = ir_v_insert(s->b, LANE_I64, arm_v(s, i->rd), ir_v_extract(s->b, LANE_I64, r, 0), 1);
    }
    put(s, i->rd, r);
    return true;
}

bool trans_FCVTL(ArmCtx *s, const A64Insn *i)
{
    unsigned from = i->sz ? 2 : 1;

    if (arm_fp_ok(s)) {
        IrVal v = arm_v(s, i->rn);

        v = i->q ? ir_v_shr_bytes(s->b, v, 8) : v;
        put(s, i->rd,
            arm_fp_convert(s, simd_word(from + 1, from, true, false, false, ROUND_CUR), v));
    }
    return true;
}

bool trans_facross(ArmCtx *s, const A64Insn *i)
{
    if (i->half ? !arm_has(s->cpu, FEATURE_FP16) : !i->q) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            ir_call_fp_across(s->b, arm_v(s, i->rn),
                              word(s, simd_word(i->op, i->half ? 1 : 2, i->q, false, false, 0))));
    }
    return true;
}

bool trans_fpair(ArmCtx *s, const A64Insn *i)
{
    unsigned size = i->half ? 1 : 2 + (unsigned)i->sz;

    if (i->half && !arm_has(s->cpu, FEATURE_FP16)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal v = arm_v(s, i->rn);

        put(s, i->rd,
            arm_fp3(s, simd_word(i->op, size, false, true, false, 0), v,
                    ir_v_shr_bytes(s->b, v, 1u << size)));
    }
    return true;
}

bool trans_fcmla(ArmCtx *s, const A64Insn *i)
{
    unsigned size = (unsigned)i->size;

    if (!arm_has(s->cpu, FEATURE_FCMA) || size == 0 ||
        (size == 1 && !arm_has(s->cpu, FEATURE_FP16)) || (size == 3 && (!i->q || i->elem))) {
        return false;
    }
    if (i->elem &&
        ((size == 1 && !i->q && i->index & 2) || (size == 2 && (!i->q || i->index & 1)))) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal m = arm_v(s, i->rm);

        if (i->elem) {      /* a pair of lanes everywhere */
            m = size == 1 ? splat(s, 2, i->rm, i->index) : splat(s, 3, i->rm, i->index >> 1);
        }
        put(s, i->rd,
            ir_call_fcmla(s->b, arm_v(s, i->rd), arm_v(s, i->rn), m,
                          word(s, simd_word(0, size, i->q, false, false, i->rot))));
    }
    return true;
}

bool trans_fcadd(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_FCMA) || i->size == 0 ||
        (i->size == 1 && !arm_has(s->cpu, FEATURE_FP16)) || (i->size == 3 && !i->q)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            ir_call_fcadd(s->b, arm_v(s, i->rn), arm_v(s, i->rm),
                          word(s, simd_word(0, i->size, i->q, false, false, i->rot))));
    }
    return true;
}

/* ---- scalars ---- */

bool trans_fp2(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!type_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp3(s, simd_word(i->op, size, false, true, false, 0), arm_v(s, i->rn),
                    arm_v(s, i->rm)));
    }
    return true;
}

bool trans_fp1(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!type_size(s, i, &size) ||
        (i->op >= FP1_RINT32Z && (!arm_has(s->cpu, FEATURE_FRINT) || size == 1))) {
        return false;
    }
    if (!arm_fp_ok(s)) {
        return true;
    }
    if (i->op == FP1_ABS || i->op == FP1_NEG) {
        uint64_t sign = 1ull << ((8 << size) - 1);
        IrVal v = scalar(s, i->rn, size);

        put_scalar(s, i->rd,
                   i->op == FP1_ABS ? ir_andi(s->b, v, ~sign)
                                    : ir_xor(s->b, v, ir_i64(s->b, sign)));
    } else {
        put(s, i->rd, arm_fp2(s, simd_word(i->op, size, false, true, false, 0), arm_v(s, i->rn)));
    }
    return true;
}

bool trans_fp3(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!type_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp_muladd(s, simd_word(i->neg_a | i->neg_b << 1, size, false, true, false, 0),
                          arm_v(s, i->ra), arm_v(s, i->rn), arm_v(s, i->rm)));
    }
    return true;
}

bool trans_FMOV_f(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!type_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrLane lane = size == 3 ? LANE_F64 : LANE_F32;

        if (size >= 2) {
            put(s, i->rd, ir_s_merge(s->b, lane, ir_v_zero(s->b, IR_V128), arm_v(s, i->rn)));
        } else {
            put_scalar(s, i->rd, scalar(s, i->rn, size));
        }
    }
    return true;
}

bool trans_FCVT(ArmCtx *s, const A64Insn *i)
{
    static const uint8_t sizes[4] = {2, 3, 0, 1};

    if (i->type == 2 || i->to == 2 || i->type == i->to) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_fp_convert(s,
                           simd_word(sizes[i->to], sizes[i->type], false, true, false, ROUND_CUR),
                           arm_v(s, i->rn)));
    }
    return true;
}

static IrVal compare(ArmCtx *s, const A64Insn *i, unsigned size, bool zero)
{
    IrBuilder *b = s->b;

    if (size >= 2 && !(s->mode & MODE_FP_SLOW)) {
        IrVal n = arm_v(s, i->rn), m = zero ? ir_v_zero(b, IR_V128) : arm_v(s, i->rm);

        return arm_fcmp_nzcv(s, ir_s_fcmp(b, size == 3 ? LANE_F64 : LANE_F32, n, m, i->signal));
    }
    return ir_call_fp_compare(b, scalar(s, i->rn, size),
                              zero ? ir_i64(b, 0) : scalar(s, i->rm, size),
                              word(s, simd_word(i->signal, size, false, true, false, 0)));
}

bool trans_FCMP(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!type_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        arm_cc_nzcv(s, compare(s, i, size, i->zero));
    }
    return true;
}

bool trans_FCCMP(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!type_size(s, i, &size)) {
        return false;
    }
    if (!arm_fp_ok(s)) {
        return true;
    }
    /* the comparison's flags count only if it is done */
    IrBuilder *b = s->b;
    IrBlock *yes = ir_block(b), *no = ir_block(b), *end = ir_block(b);
    ArmCond c = arm_cond(s, i->cond);
    IrVar r = ir_local(b, IR_I32);

    ir_brcond(b, c.cond, c.a, c.b, yes, no);
    ir_place(b, yes);
    ir_set(b, r, compare(s, i, size, false));
    ir_br(b, end);
    ir_place(b, no);
    ir_set(b, r, ir_i32(b, i->nzcv));
    ir_place(b, end);
    arm_cc_nzcv(s, ir_get(b, r));
    return true;
}

bool trans_FCSEL(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!type_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal n = scalar(s, i->rn, size), m = scalar(s, i->rm, size);
        ArmCond c = arm_cond(s, i->cond);

        put_scalar(s, i->rd, ir_select(s->b, c.cond, c.a, c.b, n, m));
    }
    return true;
}

bool trans_FMOV_i(ArmCtx *s, const A64Insn *i)
{
    unsigned size;
    uint64_t sign = (uint64_t)i->imm >> 7 & 1, b6 = i->imm >> 6 & 1, low = i->imm & 0x3f, v;

    if (!type_size(s, i, &size)) {
        return false;
    }
    v = size == 1 ? sign << 15 | (b6 ? 0x3000u : 0x4000u) | low << 6
        : size == 2 ? sign << 31 | (b6 ? 0x3e000000u : 0x40000000u) | low << 19
                    : sign << 63 | (b6 ? 0x3fc0000000000000ull : 0x4000000000000000ull) | low << 48;
    if (arm_fp_ok(s)) {
        put_scalar(s, i->rd, ir_i64(s->b, v));
    }
    return true;
}

/* ---- general registers ---- */

static bool to_gpr(ArmCtx *s, const A64Insn *i, unsigned round, unsigned frac)
{
    unsigned size;

    if (!type_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        arm_set_x(s, i->rd, arm_fp_to_gpr(s, size, arm_v(s, i->rn), round, i->u, i->sf, frac));
    }
    return true;
}

bool trans_fcvt_int(ArmCtx *s, const A64Insn *i)
{
    return to_gpr(s, i, i->round, 0);
}

bool trans_fcvtz_x(ArmCtx *s, const A64Insn *i)
{
    return (i->sf || i->scale >= 32) && to_gpr(s, i, ROUND_Z, 64 - (unsigned)i->scale);
}

static bool from_gpr(ArmCtx *s, const A64Insn *i, unsigned frac)
{
    unsigned size;

    if (!type_size(s, i, &size)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd, arm_fp_from_gpr(s, size, arm_x(s, i->rn), i->u, i->sf, frac));
    }
    return true;
}

bool trans_cvtf_int(ArmCtx *s, const A64Insn *i)
{
    return from_gpr(s, i, 0);
}

bool trans_cvtf_x(ArmCtx *s, const A64Insn *i)
{
    return (i->sf || i->scale >= 32) && from_gpr(s, i, 64 - (unsigned)i->scale);
}

bool trans_FMOV_fg(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!type_size(s, i, &size) || (size == 2 && i->sf) || (size == 3 && !i->sf)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        arm_set_x(s, i->rd, scalar(s, i->rn, size));
    }
    return true;
}

bool trans_FMOV_gf(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!type_size(s, i, &size) || (size == 2 && i->sf) || (size == 3 && !i->sf)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal v = arm_x(s, i->rn);

        put_scalar(s, i->rd, size == 3 ? v : size == 2 ? ir_zext32(s->b, v) : ir_zext16(s->b, v));
    }
    return true;
}

bool trans_FMOV_topg(ArmCtx *s, const A64Insn *i)
{
    if (arm_fp_ok(s)) {
        arm_set_x(s, i->rd, ir_v_extract(s->b, LANE_I64, arm_v(s, i->rn), 1));
    }
    return true;
}

bool trans_FMOV_gtop(ArmCtx *s, const A64Insn *i)
{
    if (arm_fp_ok(s)) {
        put(s, i->rd, ir_v_insert(s->b, LANE_I64, arm_v(s, i->rd), arm_x(s, i->rn), 1));
    }
    return true;
}

bool trans_FJCVTZS(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_JSCVT)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal r = ir_call_fjcvtzs(s->b, scalar(s, i->rn, 3));

        arm_set_x(s, i->rd, ir_zext32(s->b, r));
        arm_cc_nzcv(s, ir_shli(s->b, ir_trunc(s->b, ir_shri(s->b, r, 32)), 2));
    }
    return true;
}
