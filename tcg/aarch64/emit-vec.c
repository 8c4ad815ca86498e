// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Vectors of 128 bits on AArch64: Advanced SIMD where one or a few instructions do the same as
 * SSE's (Arm ARM C7.2); rows without such a form, and lanes that a row's form does not have, are
 * the fallback's.
 */
#include "tcg/aarch64/gen.h"

/* log2 of a lane's bytes */
static unsigned lane_log2(uint8_t lane)
{
    static const uint8_t log2[] = {0, 1, 2, 3, 2, 3};

    return log2[lane];
}

/* dst, none of the operands, of which n are taken. */
static int apart(Gen *g, const IrOp *o)
{
    return vec(gen_def_apart(g, o));
}

static int arg(const Gen *g, unsigned n)
{
    return vec(g->operand[n]);
}

void emit_v_zero(Gen *g, const IrOp *o)
{
    a_ins(&g->a, N_ZERO | (uint32_t)vec(ra_def(&g->ra, o->dst, 0, -1)));
}

/* form: complete */
void emit_v2(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1);

    a_rrr(&g->a, row_of(o)->form, vec(gen_def(g, o)), vec(a), vec(b));
}

/* ~a & b */
void emit_v_andn(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1);

    a_rrr(&g->a, N_BIC, vec(gen_def(g, o)), vec(b), vec(a));
}

/* form: without the lane's size; aux: the largest lane it has */
void emit_v_lane2(Gen *g, const IrOp *o)
{
    const unsigned size = lane_log2(o->cc);
    int a, b;

    if (size > row_of(o)->aux) {
        gen_fallback(g, o);
        return;
    }
    a = gen_use(g, o, 0);
    b = gen_use(g, o, 1);
    a_rrr(&g->a, row_of(o)->form | size << 22, vec(gen_def(g, o)), vec(a), vec(b));
}

void emit_v_lane1(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0);

    a_rr(&g->a, row_of(o)->form | lane_log2(o->cc) << 22, vec(gen_def(g, o)), vec(a));
}

void emit_v_shift_i(Gen *g, const IrOp *o)
{
    const unsigned size = lane_log2(o->cc), bits = 8u << size;
    const uint32_t form = row_of(o)->form;
    unsigned n = o->imm[0] > bits ? bits : (unsigned)o->imm[0];
    int a = gen_use(g, o, 0), dst = vec(gen_def(g, o));

    if (n == 0) {
        n_mov(&g->a, dst, vec(a));
    } else if (n == bits && form == N_SHL) {
        a_ins(&g->a, N_ZERO | (uint32_t)dst);
    } else {
        n_shift_i(&g->a, form, size, dst, vec(a), n);
    }
}

/* dst = 16 bytes from byte n of high:low */
static void take_bytes(Gen *g, int dst, int low, int high, unsigned n)
{
    a_rrr(&g->a, N_EXT | n << 11, dst, low, high);
}

/* form: to the left */
void emit_v_bytes(Gen *g, const IrOp *o)
{
    const unsigned n = o->imm[0] > 16 ? 16 : (unsigned)o->imm[0];
    int a = gen_use(g, o, 0), dst = vec(gen_def(g, o));

    if (n == 0) {
        n_mov(&g->a, dst, vec(a));
        return;
    }
    a_ins(&g->a, N_ZERO | V_TMP2);
    if (n == 16) {
        n_mov(&g->a, dst, V_TMP2);
    } else if (row_of(o)->form) {
        take_bytes(g, dst, V_TMP2, vec(a), 16 - n);
    } else {
        take_bytes(g, dst, vec(a), V_TMP2, n);
    }
}

void emit_v_align(Gen *g, const IrOp *o)
{
    const unsigned n = o->imm[0] > 32 ? 32 : (unsigned)o->imm[0];
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1), dst = vec(gen_def(g, o));

    if (n < 16) {
        take_bytes(g, dst, vec(b), vec(a), n);
        return;
    }
    a_ins(&g->a, N_ZERO | V_TMP2);
    if (n == 32) {
        n_mov(&g->a, dst, V_TMP2);
    } else {
        take_bytes(g, dst, vec(a), V_TMP2, n - 16);
    }
}

/* ---------------------------------------------------------------- shuffles by a constant */

/* Lane of `bytes` at place k comes from lane `from` (of a and, behind it, b). */
static void pick(uint8_t *index, unsigned bytes, unsigned k, unsigned from)
{
    for (unsigned i = 0; i < bytes; i++) {
        index[k * bytes + i] = (uint8_t)(from * bytes + i);
    }
}

static void shuffle_index(const IrOp *o, uint8_t *index)
{
    const unsigned imm = (unsigned)o->imm[0];

    for (unsigned k = 0; k < 8; k++) {
        unsigned two = imm >> (2 * (k & 3)) & 3;
        switch (o->opcode) {
        case OP_V_SHUFLO:
            pick(index, 2, k, k < 4 ? two : k);
            break;
        case OP_V_SHUFHI:
            pick(index, 2, k, k < 4 ? k : 4 + two);
            break;
        case OP_V_BLEND16:
            pick(index, 2, k, imm >> k & 1 ? 8 + k : k);
            break;
        case OP_V_BLEND32:
            pick(index, 4, k & 3, imm >> (k & 3) & 1 ? 4 + (k & 3) : k & 3);
            break;
        case OP_V_SHUFPS:
            pick(index, 4, k & 3, (k & 3) < 2 ? two : 4 + two);
            break;
        case OP_V_SHUFPD:
            pick(index, 8, k & 1, k & 1 ? 2 + (imm >> 1 & 1) : imm & 1);
            break;
        default:
            pick(index, 4, k & 3, two);
            break; /* V_SHUF32 */
        }
    }
}

void emit_v_shuf(Gen *g, const IrOp *o)
{
    uint8_t index[16];
    uint64_t half[2];
    int dst = apart(g, o);

    shuffle_index(o, index);
    __builtin_memcpy(half, index, 16);
    a_mov_i(&g->a, SCRATCH, half[0]);
    a_mov_i(&g->a, SCRATCH2, half[1]);
    a_rr(&g->a, A_FMOV_DX, dst, SCRATCH);
    a_rr(&g->a, N_INS_R | n_lane(3, 1), dst, SCRATCH2);
    if (o->num_args == 1) {
        a_rrr(&g->a, N_TBL, dst, arg(g, 0), dst);
    } else { /* a table of two registers is a pair of neighbours */
        n_mov(&g->a, V_TMP, arg(g, 0));
        n_mov(&g->a, V_TMP2, arg(g, 1));
        a_rrr(&g->a, N_TBL2, dst, V_TMP, dst);
    }
}

void emit_v_shufb(Gen *g, const IrOp *o)
{
    int dst = apart(g, o);

    a_ins(&g->a, 0x4f00e400 | 4u << 16 | 0xfu << 5 | V_TMP2); /* MOVI: 0x8f in each byte */
    a_rrr(&g->a, N_AND, dst, arg(g, 1), V_TMP2);
    a_rrr(&g->a, N_TBL, dst, arg(g, 0), dst);
}

/* ---------------------------------------------------------------- widths */

/* form: narrowing */
void emit_v_pack(Gen *g, const IrOp *o)
{
    const uint32_t form = row_of(o)->form | (lane_log2(o->cc) - 1) << 22;
    int dst = apart(g, o);

    a_rr(&g->a, form, dst, arg(g, 0));
    a_rr(&g->a, form | N_HIGH, dst, arg(g, 1));
}

/* form: widening to twice the size */
void emit_v_ext(Gen *g, const IrOp *o)
{
    unsigned size = lane_log2(o->cc);
    int from = vec(gen_use(g, o, 0)), dst = vec(gen_def(g, o));

    for (uint64_t times = o->imm[0]; times > 1; times /= 2, size++) {
        a_rr(&g->a, row_of(o)->form | (8u << size) << 16, dst, from);
        from = dst;
    }
}

/* form: of 32-bit lanes */
void emit_v_mul_even(Gen *g, const IrOp *o)
{
    const uint32_t narrow = 0x0ea12800; /* XTN .2s */
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1);

    a_rr(&g->a, narrow, V_TMP, vec(a));
    a_rr(&g->a, narrow, V_TMP2, vec(b));
    a_rrr(&g->a, row_of(o)->form, vec(gen_def(g, o)), V_TMP, V_TMP2);
}

void emit_v_madd16(Gen *g, const IrOp *o)
{
    const uint32_t form = 0x0e60c000; /* SMULL .4s */
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1);

    a_rrr(&g->a, form, V_TMP, vec(a), vec(b));
    a_rrr(&g->a, form | N_HIGH, V_TMP2, vec(a), vec(b));
    a_rrr(&g->a, N_ADDP | 2u << 22, vec(gen_def(g, o)), V_TMP, V_TMP2);
}

/* ---------------------------------------------------------------- masks */

void emit_v_blendv(Gen *g, const IrOp *o)
{
    const unsigned size = lane_log2(o->cc);
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1), c = gen_use(g, o, 2);

    n_shift_i(&g->a, N_SSHR, size, V_TMP2, vec(c), (8u << size) - 1);
    a_rrr(&g->a, N_BSL, V_TMP2, vec(b), vec(a));
    n_mov(&g->a, vec(gen_def(g, o)), V_TMP2);
}

void emit_v_movmask(Gen *g, const IrOp *o)
{
    const unsigned size = lane_log2(o->cc);
    int a = vec(gen_use(g, o, 0)), dst;

    if (size == 0) {
        n_shift_i(&g->a, N_SSHR, 0, V_TMP2, a, 7);
        a_mov_i(&g->a, SCRATCH, 0x8040201008040201ull);
        a_rr(&g->a, N_DUP_R | n_lane(3, 0), V_TMP, SCRATCH);
        a_rrr(&g->a, N_AND, V_TMP2, V_TMP2, V_TMP);
        for (unsigned i = 0; i < 3; i++) {
            a_rrr(&g->a, N_ADDP, V_TMP2, V_TMP2, V_TMP2);
        }
        a_rr(&g->a, N_UMOV | n_lane(1, 0), gen_def(g, o), V_TMP2);
        return;
    }
    dst = gen_def(g, o);
    for (unsigned i = 0; i < 16u >> size; i++) {
        a_rr(&g->a, N_UMOV | (size == 3 ? 1u << 30 : 0) | n_lane(size, i), i ? SCRATCH : dst, a);
        a_shift_i(&g->a, size == 3 ? W64 : 0, 'r', i ? SCRATCH : dst, i ? SCRATCH : dst,
                  (8u << size) - 1);
        if (i) {
            a_rrr_lsl(&g->a, A_ORR, dst, dst, SCRATCH, i);
        }
    }
}

/* rd = V_TMP2 is zero */
static void is_zero(Gen *g, int rd)
{
    a_rrr(&g->a, N_UMAXP | 2u << 22, V_TMP2, V_TMP2, V_TMP2);
    a_rr(&g->a, A_FMOV_XD, rd, V_TMP2);
    a_cmp_i(&g->a, W64, rd, 0);
    a_cset(&g->a, rd, CC_EQ);
}

void emit_v_test(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1), dst = gen_def(g, o);

    a_rrr(&g->a, N_AND, V_TMP2, vec(a), vec(b));
    is_zero(g, SCRATCH2);
    a_rrr(&g->a, N_BIC, V_TMP2, vec(b), vec(a));
    is_zero(g, dst);
    a_rrr_lsl(&g->a, A_ORR, dst, dst, SCRATCH2, 6);
}

/* ---------------------------------------------------------------- single lanes */

void emit_v_extract(Gen *g, const IrOp *o)
{
    const unsigned size = lane_log2(o->cc);
    int a = gen_use(g, o, 0);

    a_rr(&g->a, N_UMOV | (size == 3 ? 1u << 30 : 0) | n_lane(size, (unsigned)o->imm[0]),
         gen_def(g, o), vec(a));
}

void emit_v_insert(Gen *g, const IrOp *o)
{
    int dst = apart(g, o);

    n_mov(&g->a, dst, arg(g, 0));
    a_rr(&g->a, N_INS_R | n_lane(lane_log2(o->cc), (unsigned)o->imm[0]), dst, g->operand[1]);
}

void emit_v_from_i(Gen *g, const IrOp *o)
{
    bool is64 = g->f->values[o->args[0]].type == IR_I64;
    int a = gen_use(g, o, 0);

    a_rr(&g->a, is64 ? A_FMOV_DX : A_FMOV_VR, vec(gen_def(g, o)), a);
}

void emit_v_low64(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0);

    a_rr(&g->a, A_FMOV | F_DOUBLE, vec(gen_def(g, o)), vec(a));
}

void emit_v_splat(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0);

    a_rr(&g->a, N_DUP_R | n_lane(lane_log2(o->cc), 0), vec(gen_def(g, o)), a);
}

void emit_v_bcast(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0);

    a_rr(&g->a, N_DUP_E | n_lane(lane_log2(o->cc), 0), vec(gen_def(g, o)), vec(a));
}

void emit_v_getf(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0);

    a_rr(&g->a, A_FMOV | (ir_dst_type(g->f, o) == IR_F64 ? F_DOUBLE : 0), vec(gen_def(g, o)),
         vec(a));
}

void emit_v_setf(Gen *g, const IrOp *o)
{
    bool is_double = g->f->values[o->args[1]].type == IR_F64;
    int dst = apart(g, o);

    n_mov(&g->a, dst, arg(g, 0));
    n_ins0(&g->a, is_double ? 3 : 2, dst, arg(g, 1));
}

void emit_v_i32_f32(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0);

    a_rr(&g->a, 0x4e21d800, vec(gen_def(g, o)), vec(a)); /* SCVTF .4s */
}

/* ---------------------------------------------------------------- comparisons of floats */

enum {
    N_FCMGT = 0x6ea0e400,
    N_FCMGE = 0x6e20e400
};

/* form: the smaller is wanted */
void emit_v_fminmax(Gen *g, const IrOp *o)
{
    const uint32_t form = N_FCMGT | (o->cc == LANE_F64 ? F_DOUBLE : 0);
    const unsigned less = row_of(o)->form;
    int dst = apart(g, o);

    a_rrr(&g->a, form, dst, arg(g, less), arg(g, !less));
    a_rrr(&g->a, N_BSL, dst, arg(g, 0), arg(g, 1));
}

/* EQ LT LE and their opposites; as on x86 only (in)equality keeps quiet about quiet NaNs. */
void emit_v_fcmp(Gen *g, const IrOp *o)
{
    static const uint32_t forms[4] = {N_FCMEQ, N_FCMGT, N_FCMGE, 0};
    const unsigned kind = (unsigned)o->imm[0];
    const uint32_t form = kind < 8 ? forms[kind & 3] : 0;
    int dst;

    if (!form) {
        gen_fallback(g, o);
        return;
    }
    dst = apart(g, o);
    a_rrr(&g->a, form | (o->cc == LANE_F64 ? F_DOUBLE : 0), dst, arg(g, 1), arg(g, 0));
    if (kind & 4) {
        a_rr(&g->a, N_NOT, dst, dst);
    }
}
