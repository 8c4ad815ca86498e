// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SSE floating point: arithmetic, comparison, conversion. SDM 1 10.4, 11.4, 12.3. The IR's float
 * ops run in the guest's rounding mode and collect its flags.
 */
#include "target-i386/vec.h"

static void scalar(X86Ctx *s, X86Insn *i, LaneFn *fn, IrLane lane)
{
    IrVal c = x86_sread(s, i, x86_src2(i), lane);

    x86_vwrite(s, i, fn(s->b, lane, x86_vread(s, i, x86_src1(i), 0), c), x86_none);
}

void trans_ADDPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fadd, LANE_F32);
}

void trans_ADDPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fadd, LANE_F64);
}

void trans_ADDSS(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fadd, LANE_F32);
}

void trans_ADDSD(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fadd, LANE_F64);
}

void trans_SUBPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fsub, LANE_F32);
}

void trans_SUBPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fsub, LANE_F64);
}

void trans_SUBSS(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fsub, LANE_F32);
}

void trans_SUBSD(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fsub, LANE_F64);
}

void trans_MULPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fmul, LANE_F32);
}

void trans_MULPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fmul, LANE_F64);
}

void trans_MULSS(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fmul, LANE_F32);
}

void trans_MULSD(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fmul, LANE_F64);
}

void trans_DIVPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fdiv, LANE_F32);
}

void trans_DIVPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fdiv, LANE_F64);
}

void trans_DIVSS(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fdiv, LANE_F32);
}

void trans_DIVSD(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fdiv, LANE_F64);
}

void trans_MINPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fminb, LANE_F32);
}

void trans_MINPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fminb, LANE_F64);
}

void trans_MINSS(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fminb, LANE_F32);
}

void trans_MINSD(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fminb, LANE_F64);
}

void trans_MAXPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fmaxb, LANE_F32);
}

void trans_MAXPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fmaxb, LANE_F64);
}

void trans_MAXSS(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fmaxb, LANE_F32);
}

void trans_MAXSD(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fmaxb, LANE_F64);
}

void trans_SQRTPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane1(s, i, ir_v_fsqrt, LANE_F32);
}

void trans_SQRTPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane1(s, i, ir_v_fsqrt, LANE_F64);
}

void trans_SQRTSS(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fsqrt, LANE_F32);
}

void trans_SQRTSD(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fsqrt, LANE_F64);
}

void trans_HADDPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fhadd, LANE_F32);
}

void trans_HADDPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fhadd, LANE_F64);
}

void trans_HSUBPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fhsub, LANE_F32);
}

void trans_HSUBPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_fhsub, LANE_F64);
}

void trans_ADDSUBPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_faddsub, LANE_F32);
}

void trans_ADDSUBPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_faddsub, LANE_F64);
}

/* ---- approximations: as good as the host's ---- */

static void approximate(X86Ctx *s, X86Insn *i, IrVal (*fn)(IrBuilder *, IrVal))
{
    IrVal r[2] = {{0}, {0}};

    for (unsigned p = 0; p < x86_parts(i); p++) {
        r[p] = fn(s->b, x86_vread(s, i, 1, p));
    }
    x86_vwrite(s, i, r[0], r[1]);
}

static void approximate_scalar(X86Ctx *s, X86Insn *i, IrVal (*fn)(IrBuilder *, IrVal))
{
    IrVal r = fn(s->b, x86_vread(s, i, x86_src2(i), 0));

    x86_vwrite(s, i, ir_s_merge(s->b, LANE_F32, x86_vread(s, i, x86_src1(i), 0), r), x86_none);
}

void trans_RCPPS(X86Ctx *s, X86Insn *i)
{
    approximate(s, i, ir_call_rcpps);
}

void trans_RCPSS(X86Ctx *s, X86Insn *i)
{
    approximate_scalar(s, i, ir_call_rcpps);
}

void trans_RSQRTPS(X86Ctx *s, X86Insn *i)
{
    approximate(s, i, ir_call_rsqrtps);
}

void trans_RSQRTSS(X86Ctx *s, X86Insn *i)
{
    approximate_scalar(s, i, ir_call_rsqrtps);
}

/* ---- comparison ---- */

static void compare(X86Ctx *s, X86Insn *i, IrLane lane)
{
    IrVal r[2] = {{0}, {0}}, c[2];
    unsigned predicate = x86_imm8(i) & (i->vex ? 31 : 7);

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        c[p] = x86_vstep(s, i, x86_src2(i), p);
    }
    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = ir_v_fcmp(s->b, lane, x86_vstep(s, i, x86_src1(i), p), c[p], predicate);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

typedef IrVal LaneImmFn(IrBuilder *b, IrLane lane, IrVal a, IrVal c, unsigned imm);

static void scalar_imm(X86Ctx *s, X86Insn *i, LaneImmFn *fn, IrLane lane, unsigned imm)
{
    IrVal c = x86_sread(s, i, x86_src2(i), lane);

    x86_vwrite(s, i, fn(s->b, lane, x86_vread(s, i, x86_src1(i), 0), c, imm), x86_none);
}

void trans_CMPPS(X86Ctx *s, X86Insn *i)
{
    compare(s, i, LANE_F32);
}

void trans_CMPPD(X86Ctx *s, X86Insn *i)
{
    compare(s, i, LANE_F64);
}

void trans_CMPSS(X86Ctx *s, X86Insn *i)
{
    scalar_imm(s, i, ir_s_fmask, LANE_F32, x86_imm8(i) & (i->vex ? 31 : 7));
}

void trans_CMPSD(X86Ctx *s, X86Insn *i)
{
    scalar_imm(s, i, ir_s_fmask, LANE_F64, x86_imm8(i) & (i->vex ? 31 : 7));
}

static void ordered_compare(X86Ctx *s, X86Insn *i, unsigned signal_quiet)
{
    IrLane lane = i->op[0].size == 2 ? LANE_F32 : LANE_F64;
    IrVal c = x86_sread(s, i, 1, lane), a = x86_sread(s, i, 0, lane);

    x86_cc_eflags(s, ir_zextq(s->b, ir_s_fcmp(s->b, lane, a, c, signal_quiet)));
}

void trans_COMIS(X86Ctx *s, X86Insn *i)
{
    ordered_compare(s, i, 1);
}

void trans_UCOMIS(X86Ctx *s, X86Insn *i)
{
    ordered_compare(s, i, 0);
}

/* ---- rounding; bit 2 of the immediate: the mode of MXCSR ---- */

static void round_vector(X86Ctx *s, X86Insn *i, IrLane lane)
{
    IrVal r[2] = {{0}, {0}};

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = ir_v_fround(s->b, lane, x86_vstep(s, i, 1, p), x86_imm8(i) & 15);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void trans_ROUNDPS(X86Ctx *s, X86Insn *i)
{
    round_vector(s, i, LANE_F32);
}

void trans_ROUNDPD(X86Ctx *s, X86Insn *i)
{
    round_vector(s, i, LANE_F64);
}

void trans_ROUNDSS(X86Ctx *s, X86Insn *i)
{
    scalar_imm(s, i, ir_s_fround, LANE_F32, x86_imm8(i) & 15);
}

void trans_ROUNDSD(X86Ctx *s, X86Insn *i)
{
    scalar_imm(s, i, ir_s_fround, LANE_F64, x86_imm8(i) & 15);
}

void trans_DPPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_imm(s, i, ir_call_dpps);
}

void trans_DPPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_imm(s, i, ir_call_dppd);
}

/* ---- conversion ---- */

static void from_int(X86Ctx *s, X86Insn *i, IrLane lane)
{
    IrVal v = x86_read(s, i, x86_src2(i));

    x86_vwrite(s, i, ir_s_from_i(s->b, lane, x86_vread(s, i, x86_src1(i), 0), v), x86_none);
}

static void to_int(X86Ctx *s, X86Insn *i, unsigned truncate)
{
    IrLane lane = i->op[1].size == 2 ? LANE_F32 : LANE_F64;
    IrVal f = x86_sread(s, i, 1, lane);

    x86_write(s, i, 0,
              i->op[0].size == 3 ? ir_s_to_i64(s->b, lane, f, truncate)
                                 : ir_s_to_i32(s->b, lane, f, truncate));
}

void trans_CVTSI2SS(X86Ctx *s, X86Insn *i)
{
    from_int(s, i, LANE_F32);
}

void trans_CVTSI2SD(X86Ctx *s, X86Insn *i)
{
    from_int(s, i, LANE_F64);
}

void trans_CVTS2SI(X86Ctx *s, X86Insn *i)
{
    to_int(s, i, 0);
}

void trans_CVTTS2SI(X86Ctx *s, X86Insn *i)
{
    to_int(s, i, 1);
}

void trans_CVTSS2SD(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fcvt, LANE_F32);
}

void trans_CVTSD2SS(X86Ctx *s, X86Insn *i)
{
    scalar(s, i, ir_s_fcvt, LANE_F64);
}

typedef IrVal ConvertFn(IrBuilder *b, IrVal a);

/* Lanes keep their size. */
static void convert_same(X86Ctx *s, X86Insn *i, ConvertFn *fn)
{
    IrVal r[2] = {{0}, {0}};

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = fn(s->b, x86_vstep(s, i, 1, p));
    }
    x86_vwrite(s, i, r[0], r[1]);
}

/* 32-bit lanes to 64-bit ones. */
static void convert_up(X86Ctx *s, X86Insn *i, ConvertFn *fn)
{
    IrVal v = x86_vread(s, i, 1, 0), high = x86_none;

    if (x86_parts(i) == 2) {
        high = fn(s->b, ir_v_shr_bytes(s->b, v, 8));
    }
    x86_vwrite(s, i, fn(s->b, v), high);
}

/*
 * ... and back: the upper half of the result is 0, or comes from the upper half of a 256-bit
 * source.
 */
static void convert_down(X86Ctx *s, X86Insn *i, ConvertFn *fn)
{
    IrVal low = fn(s->b, x86_vread(s, i, 1, 0));

    if (i->op[1].size == 5) {
        low = x86_concat64(s, low, fn(s->b, x86_vread(s, i, 1, 1)));
    }
    x86_vwrite(s, i, low, x86_none);
}

static IrVal f32_i32_round(IrBuilder *b, IrVal a)
{
    return ir_v_f32_i32(b, a, 0);
}

static IrVal f32_i32_truncate(IrBuilder *b, IrVal a)
{
    return ir_v_f32_i32(b, a, 1);
}

static IrVal f64_i32_round(IrBuilder *b, IrVal a)
{
    return ir_v_f64_i32(b, a, 0);
}

static IrVal f64_i32_truncate(IrBuilder *b, IrVal a)
{
    return ir_v_f64_i32(b, a, 1);
}

void trans_CVTDQ2PS(X86Ctx *s, X86Insn *i)
{
    convert_same(s, i, ir_v_i32_f32);
}

void trans_CVTPS2DQ(X86Ctx *s, X86Insn *i)
{
    convert_same(s, i, f32_i32_round);
}

void trans_CVTTPS2DQ(X86Ctx *s, X86Insn *i)
{
    convert_same(s, i, f32_i32_truncate);
}

void trans_CVTDQ2PD(X86Ctx *s, X86Insn *i)
{
    convert_up(s, i, ir_v_i32_f64);
}

void trans_CVTPS2PD(X86Ctx *s, X86Insn *i)
{
    convert_up(s, i, ir_v_f32_f64);
}

void trans_CVTPD2PS(X86Ctx *s, X86Insn *i)
{
    convert_down(s, i, ir_v_f64_f32);
}

void trans_CVTPD2DQ(X86Ctx *s, X86Insn *i)
{
    convert_down(s, i, f64_i32_round);
}

void trans_CVTTPD2DQ(X86Ctx *s, X86Insn *i)
{
    convert_down(s, i, f64_i32_truncate);
}

/* ---- to and from MMX registers ---- */

void trans_CVTPI2PS(X86Ctx *s, X86Insn *i)
{
    IrVal v = ir_v_i32_f32(s->b, x86_vread(s, i, 1, 0));

    if (i->op[1].kind == X86_MMX) {
        x86_mmx_enter(s);
    }
    IrVal old = x86_vread(s, i, 0, 0);
    x86_vwrite(s, i, ir_v_insert(s->b, LANE_I64, old, ir_v_extract(s->b, LANE_I64, v, 0), 0),
               x86_none);
}

void trans_CVTPI2PD(X86Ctx *s, X86Insn *i)
{
    IrVal v = ir_v_i32_f64(s->b, x86_vread(s, i, 1, 0));

    if (i->op[1].kind == X86_MMX) {
        x86_mmx_enter(s);
    }
    x86_vwrite(s, i, v, x86_none);
}

void trans_CVTPS2PI(X86Ctx *s, X86Insn *i)
{
    x86_vwrite(s, i, f32_i32_round(s->b, x86_vread(s, i, 1, 0)), x86_none);
}

void trans_CVTTPS2PI(X86Ctx *s, X86Insn *i)
{
    x86_vwrite(s, i, f32_i32_truncate(s->b, x86_vread(s, i, 1, 0)), x86_none);
}

void trans_CVTPD2PI(X86Ctx *s, X86Insn *i)
{
    x86_vwrite(s, i, f64_i32_round(s->b, x86_vread(s, i, 1, 0)), x86_none);
}

void trans_CVTTPD2PI(X86Ctx *s, X86Insn *i)
{
    x86_vwrite(s, i, f64_i32_truncate(s->b, x86_vread(s, i, 1, 0)), x86_none);
}
