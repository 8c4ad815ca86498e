// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floats on AArch64, scalars and the lowest lane of vectors: the host's arithmetic in the guest's
 * rounding mode (FPCR). The IR's NaN results are those of SSE; here the choice among NaN operands
 * and the default NaN's sign are others (Arm ARM A1.5.5), so an operation with more than one
 * source whose result is a NaN is done again in a cold path, as are conversions that do not fit
 * (x86 gives the most negative integer). Flags gather in FPSR.
 */
#include "tcg/aarch64/gen.h"

static uint32_t precision(bool is_double)
{
    return is_double ? F_DOUBLE : 0;
}

/* The op's lane or type is double. */
static bool is_double(const Gen *g, const IrOp *o)
{
    const IrType t = (IrType)g->f->values[o->args[0]].type;

    return t == IR_V128 ? o->cc == LANE_F64 : t == IR_F64;
}

static uint8_t *jump_if_nan(Gen *g, bool dbl, int v)
{
    a_rrr(&g->a, A_FCMP | precision(dbl), 0, v, v);
    return a_bcond(&g->a, CC_VS);
}

/* ---- arithmetic ---- */

/* form: with two sources */
void emit_f2(Gen *g, const IrOp *o)
{
    const bool dbl = is_double(g, o);
    int dst = gen_def_apart(g, o);

    a_rrr(&g->a, row_of(o)->form | precision(dbl), vec(dst), vec(g->operand[0]),
          vec(g->operand[1]));
    gen_cold_fallback(g, o, dst, jump_if_nan(g, dbl, vec(dst)), NULL);
}

void emit_fsqrt(Gen *g, const IrOp *o)
{
    const bool dbl = is_double(g, o);
    int dst = gen_def_apart(g, o);

    a_rr(&g->a, A_FSQRT | precision(dbl), vec(dst), vec(g->operand[0]));
    gen_cold_fallback(g, o, dst, jump_if_nan(g, dbl, vec(dst)), NULL);
}

void emit_fma(Gen *g, const IrOp *o)
{
    const bool dbl = is_double(g, o);
    int dst = gen_def_apart(g, o);

    a_rrrr(&g->a, A_FMADD | precision(dbl), vec(dst), vec(g->operand[0]), vec(g->operand[1]),
           vec(g->operand[2]));
    gen_cold_fallback(g, o, dst, jump_if_nan(g, dbl, vec(dst)), NULL);
}

/* aux: the condition under which the first is taken; it is false of what does not compare */
void emit_fminmax(Gen *g, const IrOp *o)
{
    const bool dbl = is_double(g, o);
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1), dst = gen_def(g, o);

    a_rrr(&g->a, A_FCMPE | precision(dbl), 0, vec(a), vec(b));
    a_csel(&g->a, A_FCSEL | precision(dbl), vec(dst), vec(a), vec(b), (HostCond)row_of(o)->aux);
}

/* 1 less or unordered, 4 unordered, 0x40 equal or unordered, from the flags. */
static void flags_of_compare(Gen *g, int dst)
{
    a_cset(&g->a, SCRATCH, CC_VS);
    a_cset(&g->a, SCRATCH2, CC_EQ);
    a_cset(&g->a, dst, CC_LT);
    a_rrr(&g->a, A_ORR, SCRATCH2, SCRATCH2, SCRATCH);
    a_rrr_lsl(&g->a, A_ORR, dst, dst, SCRATCH, 2);
    a_rrr_lsl(&g->a, A_ORR, dst, dst, SCRATCH2, 6);
}

/* Of floats and of lowest lanes. */
void emit_fcmp(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1);

    a_rrr(&g->a, (o->imm[0] ? A_FCMPE : A_FCMP) | precision(is_double(g, o)), 0, vec(a), vec(b));
    flags_of_compare(g, gen_def(g, o));
}

/* ---- conversions ---- */

/* form: FCVT; one NaN operand is treated alike everywhere */
void emit_fcvt(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0);

    a_rr(&g->a, row_of(o)->form, vec(gen_def(g, o)), vec(a));
}

void emit_i_f(Gen *g, const IrOp *o)
{
    uint32_t form = A_SCVTF | wide((IrType)g->f->values[o->args[0]].type) |
                    precision(ir_dst_type(g->f, o) == IR_F64);
    int a = gen_use(g, o, 0);

    a_rr(&g->a, form, vec(gen_def(g, o)), a);
}

/*
 * What does not fit becomes the largest or smallest integer here, and a NaN zero: both are looked
 * at again. FRINTI keeps quiet about inexactness until the value is known to fit.
 */
void emit_f_i(Gen *g, const IrOp *o)
{
    const bool dbl = is_double(g, o);
    const uint32_t w = wide(ir_dst_type(g->f, o));
    int dst = gen_def_apart(g, o), a = vec(g->operand[0]);
    uint8_t *nan = jump_if_nan(g, dbl, a), *over;

    if (!(o->imm[0] & 1)) {
        a_rr(&g->a, A_FRINTI | precision(dbl), V_TMP2, a);
    }
    a_rr(&g->a, A_FCVTZS | w | precision(dbl), dst, o->imm[0] & 1 ? a : V_TMP2);
    a_logical_i(&g->a, A_EOR_I | w, SCRATCH, dst, w ? INT64_MAX : INT32_MAX);
    over = a_cbz(&g->a, A_CBZ | w, SCRATCH);
    if (!(o->imm[0] & 1)) {
        a_rr(&g->a, A_FRINTX | precision(dbl), V_TMP2, a);
    }
    gen_cold_fallback(g, o, dst, nan, over);
}

/* form: FMOV */
void emit_bits(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0), dst = gen_def(g, o);

    a_rr(&g->a, row_of(o)->form, dst >= VEC ? vec(dst) : dst, a >= VEC ? vec(a) : a);
}

/* ---- the lowest lane of a vector ---- */

/* dst = others' lanes but for the lowest, which V_TMP2 has */
static void merge(Gen *g, int dst, int others, bool dbl)
{
    n_mov(&g->a, vec(dst), vec(others));
    n_ins0(&g->a, dbl ? 3 : 2, vec(dst), V_TMP2);
}

/* form: as emit_f2; FSQRT takes the second alone; aux: as emit_fminmax */
void emit_s2(Gen *g, const IrOp *o)
{
    const bool dbl = is_double(g, o);
    int dst = gen_def_apart(g, o), a = vec(g->operand[0]), b = vec(g->operand[1]);
    uint8_t *nan;

    if (row_of(o)->form == A_FCSEL) {
        a_rrr(&g->a, A_FCMPE | precision(dbl), 0, a, b);
        a_csel(&g->a, A_FCSEL | precision(dbl), V_TMP2, a, b, (HostCond)row_of(o)->aux);
        merge(g, dst, g->operand[0], dbl);
        return;
    }
    if (row_of(o)->form == A_FSQRT) {
        a_rr(&g->a, A_FSQRT | precision(dbl), V_TMP2, b);
    } else {
        a_rrr(&g->a, row_of(o)->form | precision(dbl), V_TMP2, a, b);
    }
    nan = jump_if_nan(g, dbl, V_TMP2);
    merge(g, dst, g->operand[0], dbl);
    gen_cold_fallback(g, o, dst, nan, NULL);
}

/* form: FMADD and the like */
void emit_s_fma(Gen *g, const IrOp *o)
{
    const bool dbl = is_double(g, o);
    int dst = gen_def_apart(g, o);
    uint8_t *nan;

    a_rrrr(&g->a, row_of(o)->form | precision(dbl), V_TMP2, vec(g->operand[0]), vec(g->operand[1]),
           vec(g->operand[2]));
    nan = jump_if_nan(g, dbl, V_TMP2);
    merge(g, dst, g->operand[1], dbl);
    gen_cold_fallback(g, o, dst, nan, NULL);
}

/* To the other precision. */
void emit_s_cvt(Gen *g, const IrOp *o)
{
    int dst = gen_def_apart(g, o);

    a_rr(&g->a, o->cc == LANE_F64 ? A_FCVT_DS : A_FCVT_SD, V_TMP2, vec(g->operand[1]));
    merge(g, dst, g->operand[0], o->cc != LANE_F64);
}

void emit_s_from_i(Gen *g, const IrOp *o)
{
    const bool dbl = o->cc == LANE_F64;
    int dst = gen_def_apart(g, o);

    a_rr(&g->a, A_SCVTF | wide((IrType)g->f->values[o->args[1]].type) | precision(dbl), V_TMP2,
         g->operand[1]);
    merge(g, dst, g->operand[0], dbl);
}

void emit_s_merge(Gen *g, const IrOp *o)
{
    int dst = gen_def_apart(g, o);

    n_mov(&g->a, vec(dst), vec(g->operand[0]));
    n_ins0(&g->a, o->cc == LANE_F64 ? 3 : 2, vec(dst), vec(g->operand[1]));
}

/* ---- all lanes ---- */

/* Branches unless every bit of V_TMP2 is 1. */
static uint8_t *jump_unless_ones(Gen *g)
{
    a_rrr(&g->a, N_UMINP | 2u << 22, V_TMP2, V_TMP2, V_TMP2);
    a_rr(&g->a, A_FMOV_XD, SCRATCH, V_TMP2);
    a_cmp_i(&g->a, W64, SCRATCH, -1);
    return a_bcond(&g->a, CC_NE);
}

static uint8_t *jump_if_any_nan(Gen *g, bool dbl, int v)
{
    a_rrr(&g->a, N_FCMEQ | precision(dbl), V_TMP2, v, v);
    return jump_unless_ones(g);
}

/* form; of square roots there is but one source */
void emit_v_f2(Gen *g, const IrOp *o)
{
    const bool dbl = o->cc == LANE_F64;
    int dst = gen_def_apart(g, o);

    if (o->num_args == 1) {
        a_rr(&g->a, row_of(o)->form | precision(dbl), vec(dst), vec(g->operand[0]));
    } else {
        a_rrr(&g->a, row_of(o)->form | precision(dbl), vec(dst), vec(g->operand[0]),
              vec(g->operand[1]));
    }
    gen_cold_fallback(g, o, dst, jump_if_any_nan(g, dbl, vec(dst)), NULL);
}

/* form: FMLA or FMLS, which work on the addend; aux: that is negated first */
void emit_v_fma(Gen *g, const IrOp *o)
{
    const bool dbl = o->cc == LANE_F64;
    int dst = gen_def_apart(g, o);

    if (row_of(o)->aux) {
        a_rr(&g->a, row_of(o)->aux | precision(dbl), vec(dst), vec(g->operand[2]));
    } else {
        n_mov(&g->a, vec(dst), vec(g->operand[2]));
    }
    a_rrr(&g->a, row_of(o)->form | precision(dbl), vec(dst), vec(g->operand[0]),
          vec(g->operand[1]));
    gen_cold_fallback(g, o, dst, jump_if_any_nan(g, dbl, vec(dst)), NULL);
}

/* ---- fguard ---- */

static IrGuard guard_kind(const IrOp *o)
{
    return (IrGuard)(o->imm[0] & ~(uint64_t)GUARD_LOWEST);
}

/* r: the result; b, c: what GUARD_ORDER compares */
static void check_vector(Gen *g, const IrOp *o, Stub *s, int r, int b, int c)
{
    const bool wide_lane = o->cc == LANE_F64 || o->cc == LANE_I64;
    const uint32_t size = (wide_lane ? 3u : 2u) << 22;

    switch (guard_kind(o)) {
    case GUARD_MIN_INT:
        a_mov_i(&g->a, SCRATCH, wide_lane ? 1ull << 63 : 1ull << 31);
        a_rr(&g->a, N_DUP_R | n_lane(wide_lane ? 3 : 2, 0), V_TMP2, SCRATCH);
        a_rrr(&g->a, N_CMEQ | size, V_TMP2, V_TMP2, r);
        a_rr(&g->a, N_NOT, V_TMP2, V_TMP2);
        break;
    case GUARD_ORDER:
        a_rrr(&g->a, N_FCMEQ | precision(wide_lane), V_TMP2, b, b);
        a_rrr(&g->a, N_FCMEQ | precision(wide_lane), V_TMP, c, c);
        a_rrr(&g->a, N_AND, V_TMP2, V_TMP2, V_TMP);
        break;
    case GUARD_TINY:
        a_mov_i(&g->a, SCRATCH, wide_lane ? 1ull << 53 : 1ull << 24);
        a_rr(&g->a, N_DUP_R | n_lane(wide_lane ? 3 : 2, 0), V_TMP2, SCRATCH);
        n_shift_i(&g->a, N_SHL, wide_lane ? 3 : 2, V_TMP, r, 1);
        a_rrr(&g->a, N_CMEQ | size, V_TMP, V_TMP, V_TMP2);
        a_rrr(&g->a, N_FCMEQ | precision(wide_lane), V_TMP2, r, r);
        a_rrr(&g->a, N_BIC, V_TMP2, V_TMP2, V_TMP);
        break;
    default:
        a_rrr(&g->a, N_FCMEQ | precision(wide_lane), V_TMP2, r, r);
        break;
    }
    s->jump[0] = jump_unless_ones(g);
}

static void check_scalar(Gen *g, const IrOp *o, Stub *s, int r, int b, int c)
{
    IrType t = ir_dst_type(g->f, o);
    const bool dbl = t == IR_V128 ? o->cc == LANE_F64 : t == IR_F64;
    const IrGuard kind = guard_kind(o);

    if (ra_class(t) == 0) { /* r - 1 overflows only there */
        a_cmp_i(&g->a, wide(t), r, 1);
        s->jump[0] = a_bcond(&g->a, CC_VS);
        return;
    }
    a_rrr(&g->a, A_FCMP | precision(dbl), 0, vec(kind == GUARD_ORDER ? b : r),
          vec(kind == GUARD_ORDER ? c : r));
    s->jump[0] = a_bcond(&g->a, CC_VS);
    if (kind == GUARD_TINY) {
        const uint32_t w = dbl ? W64 : 0;
        a_rr(&g->a, dbl ? A_FMOV_XD : A_FMOV_RV, SCRATCH, vec(r));
        a_shift_i(&g->a, w, 'l', SCRATCH, SCRATCH, 1);
        a_mov_i(&g->a, SCRATCH2, dbl ? 1ull << 53 : 1ull << 24);
        a_rrr(&g->a, A_SUBS | w, ZR, SCRATCH, SCRATCH2);
        s->jump[1] = a_bcond(&g->a, CC_EQ);
    }
}

void emit_fguard(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    Stub s = {.op = o, .insn = g->insn};
    RegSet avoid = 0;
    int args[3], dst;

    if (!g->arch->float_corner) {
        ra_def_from(&g->ra, o->dst, o->args[0], 0);
        return;
    }
    for (unsigned n = 0; n < 3; n++) {
        args[n] = gen_use(g, o, n + 1);
        avoid |= REG_BIT(args[n]);
        s.args[n + 1] = (int8_t)args[n];
    }
    dst = ra_def_from(&g->ra, o->dst, o->args[0], avoid);
    s.dst = s.args[0] = (int8_t)dst;
    if (t == IR_V128 && !(o->imm[0] & GUARD_LOWEST)) {
        check_vector(g, o, &s, vec(dst), vec(args[0]), vec(args[1]));
    } else {
        check_scalar(g, o, &s, dst, args[0], args[1]);
    }
    s.back = g->a.p;
    s.live = g->ra.busy & g->ra.host->caller_saved & ~REG_BIT(dst);
    g_array_append_val(g->stubs, s);
}

void gen_guard_stub(Gen *g, const Stub *s)
{
    const IrOp *o = s->op;
    IrType t = ir_dst_type(g->f, o);

    gen_keep_registers(g, s->live, false);
    for (unsigned n = 0; n < 4; n++) {
        const int reg = s->args[n];
        a_mem(&g->a, reg >= VEC ? A_VSTRQ : A_STR | a_size(3), reg >= VEC ? vec(reg) : reg, SP,
              FRAME_CALL + 16 * (int64_t)n);
    }
    gen_cpu_arg(g);
    a_mov_i(&g->a, 1, o->imm[1]);
    a_rr(&g->a, A_ADD_I | W64, 2, SP);
    a_mov_i(&g->a, SCRATCH, FRAME_CALL);
    a_rrr(&g->a, A_ADD | W64, 2, 2, SCRATCH);
    a_call(&g->a, (const void *)g->arch->float_corner);
    g->ra.host->load(g, ra_class(t) ? IR_V128 : t, s->dst,
                     (RaPlace){.base = RA_FRAME, .offset = FRAME_CALL});
    gen_keep_registers(g, s->live, true);
}

/* ---- rounding ---- */

/* SSE4.1's immediate: bit 2 the mode in force, bits 0-1 another; bit 3 hides inexactness. */
void emit_fround(Gen *g, const IrOp *o)
{
    static const uint32_t modes[4] = {0x1e244000, 0x1e254000, 0x1e24c000,
                                      0x1e25c000}; /* FRINTN M P Z */
    const uint32_t p = precision(is_double(g, o)), imm = (uint32_t)o->imm[0];
    int dst = gen_def_apart(g, o), a = vec(g->operand[0]);

    if (!(imm & 8)) {
        a_rr(&g->a, A_FRINTX | p, V_TMP2, a);
    }
    a_rr(&g->a, (imm & 4 ? A_FRINTI : modes[imm & 3]) | p, vec(dst), a);
}
