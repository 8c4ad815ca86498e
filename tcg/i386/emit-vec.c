// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Vectors on x86-64. Most ops are one host instruction chosen by lane kind: a row of vec_rows. A
 * lane or host without one calls the interpreter's function for the op (gen_fallback).
 */
#include "tcg/i386/gen.h"

enum { ALWAYS, SSE3, SSSE3, SSE41, SSE42, AVX2 };

/*
 * Instruction form by lane (i8 i16 i32 i64 f32 f64; ops without lanes: the first), and what it
 * needs.
 */
typedef struct VecRow {
    uint32_t form[6];
    uint8_t need[6];
} VecRow;

#define P (X_66 | X_0F)
#define Q (X_66 | X_0F38)
#define R (X_66 | X_0F3A)
#define ROW(op) [OP_##op - OP_V_ZERO]
/* clang-format off */
static const VecRow vec_rows[OP_COUNT - OP_V_ZERO] = {
    ROW(V_AND)        = {{0xdb | P}},
    ROW(V_OR)         = {{0xeb | P}},
    ROW(V_XOR)        = {{0xef | P}},
    ROW(V_ANDN)       = {{0xdf | P}},
    ROW(V_ADD)        = {{0xfc | P, 0xfd | P, 0xfe | P, 0xd4 | P}},
    ROW(V_SUB)        = {{0xf8 | P, 0xf9 | P, 0xfa | P, 0xfb | P}},
    ROW(V_ADDS_S)     = {{0xec | P, 0xed | P}},
    ROW(V_ADDS_U)     = {{0xdc | P, 0xdd | P}},
    ROW(V_SUBS_S)     = {{0xe8 | P, 0xe9 | P}},
    ROW(V_SUBS_U)     = {{0xd8 | P, 0xd9 | P}},
    ROW(V_MUL)        = {{0, 0xd5 | P, 0x40 | Q}, {0, 0, SSE41}},
    ROW(V_MULH_S)     = {{0, 0xe5 | P}},
    ROW(V_MULH_U)     = {{0, 0xe4 | P}},
    ROW(V_MUL_EVEN_U) = {{0xf4 | P}},
    ROW(V_MUL_EVEN_S) = {{0x28 | Q}, {SSE41}},
    ROW(V_MADD16)     = {{0xf5 | P}},
    ROW(V_MADDUBS)    = {{0x04 | Q}, {SSSE3}},
    ROW(V_MULHRS)     = {{0x0b | Q}, {SSSE3}},
    ROW(V_SAD)        = {{0xf6 | P}},
    ROW(V_AVG_U)      = {{0xe0 | P, 0xe3 | P}},
    ROW(V_MIN_S)      = {{0x38 | Q, 0xea | P, 0x39 | Q}, {SSE41, 0, SSE41}},
    ROW(V_MIN_U)      = {{0xda | P, 0x3a | Q, 0x3b | Q}, {0, SSE41, SSE41}},
    ROW(V_MAX_S)      = {{0x3c | Q, 0xee | P, 0x3d | Q}, {SSE41, 0, SSE41}},
    ROW(V_MAX_U)      = {{0xde | P, 0x3e | Q, 0x3f | Q}, {0, SSE41, SSE41}},
    ROW(V_ABS)        = {{0x1c | Q, 0x1d | Q, 0x1e | Q}, {SSSE3, SSSE3, SSSE3}},
    ROW(V_SIGN)       = {{0x08 | Q, 0x09 | Q, 0x0a | Q}, {SSSE3, SSSE3, SSSE3}},
    ROW(V_HADD)       = {{0, 0x01 | Q, 0x02 | Q}, {0, SSSE3, SSSE3}},
    ROW(V_HSUB)       = {{0, 0x05 | Q, 0x06 | Q}, {0, SSSE3, SSSE3}},
    ROW(V_HADDS)      = {{0x03 | Q}, {SSSE3}},
    ROW(V_HSUBS)      = {{0x07 | Q}, {SSSE3}},
    ROW(V_CMPEQ)      = {{0x74 | P, 0x75 | P, 0x76 | P, 0x29 | Q}, {0, 0, 0, SSE41}},
    ROW(V_CMPGT)      = {{0x64 | P, 0x65 | P, 0x66 | P, 0x37 | Q}, {0, 0, 0, SSE42}},
    ROW(V_SHL_V)      = {{0, 0xf1 | P, 0xf2 | P, 0xf3 | P}},
    ROW(V_SHR_V)      = {{0, 0xd1 | P, 0xd2 | P, 0xd3 | P}},
    ROW(V_SAR_V)      = {{0, 0xe1 | P, 0xe2 | P}},
    ROW(V_ALIGN)      = {{0x0f | R}, {SSSE3}},
    ROW(V_SHUF32)     = {{0x70 | P}},
    ROW(V_SHUFLO)     = {{0x70 | X_0F | X_F2}},
    ROW(V_SHUFHI)     = {{0x70 | X_0F | X_F3}},
    ROW(V_SHUFPS)     = {{0xc6 | X_0F}},
    ROW(V_SHUFPD)     = {{0xc6 | P}},
    ROW(V_SHUFB)      = {{0x00 | Q}, {SSSE3}},
    ROW(V_UNPACK_LO)  = {{0x60 | P, 0x61 | P, 0x62 | P, 0x6c | P, 0x14 | X_0F, 0x14 | P}},
    ROW(V_UNPACK_HI)  = {{0x68 | P, 0x69 | P, 0x6a | P, 0x6d | P, 0x15 | X_0F, 0x15 | P}},
    ROW(V_PACK_S)     = {{0, 0x63 | P, 0x6b | P}},
    ROW(V_PACK_U)     = {{0, 0x67 | P, 0x2b | Q}, {0, 0, SSE41}},
    ROW(V_BLEND16)    = {{0x0e | R}, {SSE41}},
    ROW(V_BLEND32)    = {{0x02 | R}, {AVX2}},
    ROW(V_BCAST)      = {{0x78 | Q, 0x79 | Q, 0x58 | Q, 0x59 | Q, 0x58 | Q, 0x59 | Q}, {AVX2, AVX2, AVX2, AVX2, AVX2, AVX2}},
    ROW(V_PERMQ)      = {{0x00 | R | X_W}, {AVX2}},
    ROW(V_PERMD)      = {{0x36 | Q}, {AVX2}},
    ROW(V_PERM2)      = {{0x46 | R}, {AVX2}},
    ROW(V_SHL_L)      = {{0, 0, 0x47 | Q, 0x47 | Q | X_W}, {0, 0, AVX2, AVX2}},
    ROW(V_SHR_L)      = {{0, 0, 0x45 | Q, 0x45 | Q | X_W}, {0, 0, AVX2, AVX2}},
    ROW(V_SAR_L)      = {{0, 0, 0x46 | Q}, {0, 0, AVX2}},
    ROW(V_BLENDV)     = {{0x4c | R, 0, 0x4a | R, 0x4b | R, 0x4a | R, 0x4b | R}},     /* VEX only */
    ROW(V_MOVMASK)    = {{0xd7 | P, 0, 0x50 | X_0F, 0x50 | P, 0x50 | X_0F, 0x50 | P}},
    ROW(V_FADD)       = {{0, 0, 0, 0, 0x58 | X_0F, 0x58 | P}},
    ROW(V_FSUB)       = {{0, 0, 0, 0, 0x5c | X_0F, 0x5c | P}},
    ROW(V_FMUL)       = {{0, 0, 0, 0, 0x59 | X_0F, 0x59 | P}},
    ROW(V_FDIV)       = {{0, 0, 0, 0, 0x5e | X_0F, 0x5e | P}},
    ROW(V_FMINB)      = {{0, 0, 0, 0, 0x5d | X_0F, 0x5d | P}},
    ROW(V_FMAXB)      = {{0, 0, 0, 0, 0x5f | X_0F, 0x5f | P}},
    ROW(V_FSQRT)      = {{0, 0, 0, 0, 0x51 | X_0F, 0x51 | P}},
    ROW(V_FHADD)      = {{0, 0, 0, 0, 0x7c | X_0F | X_F2, 0x7c | P}, {0, 0, 0, 0, SSE3, SSE3}},
    ROW(V_FHSUB)      = {{0, 0, 0, 0, 0x7d | X_0F | X_F2, 0x7d | P}, {0, 0, 0, 0, SSE3, SSE3}},
    ROW(V_FADDSUB)    = {{0, 0, 0, 0, 0xd0 | X_0F | X_F2, 0xd0 | P}, {0, 0, 0, 0, SSE3, SSE3}},
    ROW(V_FCMP)       = {{0, 0, 0, 0, 0xc2 | X_0F, 0xc2 | P}},
    ROW(V_FROUND)     = {{0, 0, 0, 0, 0x08 | R, 0x09 | R}, {0, 0, 0, 0, SSE41, SSE41}},
};
/* clang-format on */

static bool of_wide(const Gen *g, const IrOp *o)
{
    return o->num_args && g->ra.vals[o->args[0]].type == IR_V256;
}

static uint32_t form_of(const Gen *g, const IrOp *o)
{
    const VecRow *row = &vec_rows[o->opcode - OP_V_ZERO];
    unsigned lane = ir_desc(o)->flags & IRF_LANE ? o->cc : 0;
    const bool have[] = {true,          g->host.sse3,  g->host.ssse3,
                         g->host.sse41, g->host.sse42, g->host.avx2};
    bool wide256 = o->dst && ir_dst_type(g->f, o) == IR_V256;

    if ((wide256 || of_wide(g, o)) && !g->host.avx2) {
        return 0;
    }
    return row->form[lane] && have[row->need[lane]] ? row->form[lane] | (wide256 ? X_L : 0) : 0;
}

/* dst = op(a, b). Legacy forms want aligned memory, so there operands are registers. */
static void two_sources(Gen *g, const IrOp *o, uint32_t form)
{
    Opnd b = gen_opnd(g, o->args[1], g->a.avx ? OPND_ALLOW_MEM : 0);
    int dst;

    if (g->a.avx) {
        int a = ra_use(&g->ra, o->args[0], 0);
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, a);
        if (b.kind == OPND_MEM) {
            v_rrm(&g->a, form, xmm(dst), xmm(a), b.mem);
        } else {
            v_rrr(&g->a, form, xmm(dst), xmm(a), xmm(b.reg));
        }
    } else {
        bool same = o->args[0] == o->args[1];
        dst = ra_def_from(&g->ra, o->dst, o->args[0], same ? 0 : opnd_regs(&b));
        x_rr(&g->a, form, xmm(dst), same ? xmm(dst) : xmm(b.reg));
    }
}

void emit_v2(Gen *g, const IrOp *o)
{
    uint32_t form = form_of(g, o);

    if (form) {
        two_sources(g, o, form);
    } else {
        gen_fallback(g, o);
    }
}

void emit_v2_imm(Gen *g, const IrOp *o)
{
    uint32_t form = form_of(g, o);

    if (o->opcode == OP_V_BLEND32 && !form && g->host.sse41 && ir_dst_type(g->f, o) == IR_V128) {
        form = 0x0c | R;                /* BLENDPS */
    }
    if (!form || (o->opcode == OP_V_FCMP && o->imm[0] > 7 && !g->a.avx)) {
        gen_fallback(g, o);
        return;
    }
    two_sources(g, o, form);
    x_u8(&g->a, (unsigned)o->imm[0]);
}

static void one_source(Gen *g, const IrOp *o, uint32_t form)
{
    int a = ra_use(&g->ra, o->args[0], 0);

    ra_release(&g->ra);
    xv_rr(&g->a, form, xmm(ra_def(&g->ra, o->dst, 0, a)), xmm(a));
}

void emit_v1(Gen *g, const IrOp *o)
{
    uint32_t form = form_of(g, o);

    if (form) {
        one_source(g, o, form);
    } else {
        gen_fallback(g, o);
    }
}

void emit_v1_imm(Gen *g, const IrOp *o)
{
    uint32_t form = form_of(g, o);

    if (form) {
        one_source(g, o, form);
        x_u8(&g->a, (unsigned)o->imm[0]);
    } else {
        gen_fallback(g, o);
    }
}

/* form, aux: rounding and truncating conversion; 0 in aux: no difference. */
void emit_v_cvt(Gen *g, const IrOp *o)
{
    const EmitRow *row = row_of(o);
    uint32_t form = row->aux && o->imm[0] ? row->aux : row->form;

    if (of_wide(g, o) && !g->host.avx2) {
        gen_fallback(g, o);
        return;
    }
    one_source(g, o, form | (ir_dst_type(g->f, o) == IR_V256 ? X_L : 0));
}

void emit_v_zero(Gen *g, const IrOp *o)
{
    g->ra.host->load_const(g, IR_V128, ra_def(&g->ra, o->dst, 0, -1), 0);
}

/* op dst, imm8 with the operation in the reg field. */
static void shift_imm(Gen *g, const IrOp *o, unsigned opcode, int ext, unsigned n)
{
    uint32_t form = opcode | P | (ir_dst_type(g->f, o) == IR_V256 ? X_L : 0);
    int dst;

    if (g->a.avx) {
        int a = ra_use(&g->ra, o->args[0], 0);
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, a);
        v_rrr(&g->a, form, ext, xmm(dst), xmm(a));
    } else {
        dst = ra_def_from(&g->ra, o->dst, o->args[0], 0);
        x_rr(&g->a, form, ext, xmm(dst));
    }
    x_u8(&g->a, n);
}

/* aux: the operation's number */
void emit_v_shift_i(Gen *g, const IrOp *o)
{
    unsigned lane = o->cc, n = o->imm[0] > 255 ? 255 : (unsigned)o->imm[0];

    if (lane == LANE_I8 || lane > LANE_I64 || (lane == LANE_I64 && o->opcode == OP_V_SAR_I) ||
        (of_wide(g, o) && !g->host.avx2)) {
        gen_fallback(g, o);
        return;
    }
    shift_imm(g, o, 0x70 + lane, (int)row_of(o)->aux, n);
}

void emit_v_bytes(Gen *g, const IrOp *o)
{
    if (of_wide(g, o) && !g->host.avx2) {
        gen_fallback(g, o);
        return;
    }
    shift_imm(g, o, 0x73, (int)row_of(o)->aux, o->imm[0] > 255 ? 255 : (unsigned)o->imm[0]);
}

void emit_v_blendv(Gen *g, const IrOp *o)
{
    uint32_t form = form_of(g, o);
    int a, b, c;

    if (!form || !g->a.avx) {
        gen_fallback(g, o);
        return;
    }
    a = ra_use(&g->ra, o->args[0], 0);
    b = ra_use(&g->ra, o->args[1], 0);
    c = ra_use(&g->ra, o->args[2], 0);
    ra_release(&g->ra);
    v_rrr(&g->a, form, xmm(ra_def(&g->ra, o->dst, 0, a)), xmm(a), xmm(b));
    x_u8(&g->a, (unsigned)xmm(c) << 4);
}

void emit_v_movmask(Gen *g, const IrOp *o)
{
    uint32_t form = form_of(g, o);
    int a;

    if (!form) {
        gen_fallback(g, o);
        return;
    }
    a = ra_use(&g->ra, o->args[0], 0);
    form |= g->ra.vals[o->args[0]].type == IR_V256 ? X_L : 0;
    ra_release(&g->ra);
    xv_rr(&g->a, form, ra_def(&g->ra, o->dst, 0, -1), xmm(a));
}

void emit_v_test(Gen *g, const IrOp *o)
{
    int a, b;

    if (!g->host.sse41 || (of_wide(g, o) && !g->host.avx2)) {
        gen_fallback(g, o);
        return;
    }
    ra_take(&g->ra, RAX);
    a = ra_use(&g->ra, o->args[0], 0);
    b = ra_use(&g->ra, o->args[1], 0);
    ra_release(&g->ra);
    xv_rr(&g->a, 0x17 | Q | (g->ra.vals[o->args[0]].type == IR_V256 ? X_L : 0), xmm(a), xmm(b));
    gen_flags(g, o, 0x41);
}

/* ---------------------------------------------------------------- halves of 256 bits */

void emit_v_concat(Gen *g, const IrOp *o)
{
    const bool zero = g->f->ops[g->f->values[o->args[1]].def].opcode == OP_V_ZERO;
    int a, b;

    if (!g->host.avx2) {
        gen_fallback(g, o);
        return;
    }
    a = ra_use(&g->ra, o->args[0], 0);
    b = zero ? -1 : ra_use(&g->ra, o->args[1], 0);
    ra_release(&g->ra);
    if (zero) {                         /* a 128-bit move clears what lies above */
        v_rrr(&g->a, X_MOVAPS, xmm(ra_def(&g->ra, o->dst, 0, a)), 0, xmm(a));
    } else {
        v_rrr(&g->a, 0x38 | R | X_L, xmm(ra_def(&g->ra, o->dst, 0, a)), xmm(a), xmm(b));
        x_u8(&g->a, 1);
    }
}

void emit_v_low(Gen *g, const IrOp *o)
{
    emit_v_getf(g, o);
}

void emit_v_high(Gen *g, const IrOp *o)
{
    int a;

    if (!g->host.avx2) {
        gen_fallback(g, o);
        return;
    }
    a = ra_use(&g->ra, o->args[0], 0);
    ra_release(&g->ra);
    v_rrr(&g->a, 0x39 | R | X_L, xmm(a), 0, xmm(ra_def(&g->ra, o->dst, 0, -1)));
    x_u8(&g->a, 1);
}

/* ---------------------------------------------------------------- lanes */

static unsigned int_lane(unsigned lane)
{
    return lane == LANE_F32 ? LANE_I32 : lane == LANE_F64 ? LANE_I64 : lane;
}

void emit_v_extract(Gen *g, const IrOp *o)
{
    unsigned lane = int_lane(o->cc), n = (unsigned)o->imm[0];
    uint32_t w = lane == LANE_I64 ? X_W : 0;
    int a, dst;

    if (g->ra.vals[o->args[0]].type == IR_V256 ||
        (!g->host.sse41 && lane != LANE_I16 && (n || lane == LANE_I8))) {
        gen_fallback(g, o);
        return;
    }
    a = ra_use(&g->ra, o->args[0], 0);
    ra_release(&g->ra);
    dst = ra_def(&g->ra, o->dst, 0, -1);
    if (lane == LANE_I16) {
        xv_rr(&g->a, 0xc5 | P, dst, xmm(a));
        x_u8(&g->a, n & 7);
    } else if (lane != LANE_I8 && n == 0) {
        xv_rr(&g->a, X_MOVD_RX | w, xmm(a), dst);
    } else {
        xv_rr(&g->a, (lane == LANE_I8 ? 0x14 : 0x16) | R | w, xmm(a), dst);
        x_u8(&g->a, n);
    }
}

void emit_v_insert(Gen *g, const IrOp *o)
{
    static const uint32_t forms[4] = {0x20 | R, 0xc4 | P, 0x22 | R, 0x22 | R | X_W};
    unsigned lane = int_lane(o->cc);
    int b, dst;

    if (ir_dst_type(g->f, o) == IR_V256 || (!g->host.sse41 && lane != LANE_I16)) {
        gen_fallback(g, o);
        return;
    }
    b = ra_use(&g->ra, o->args[1], 0);
    if (g->a.avx) {
        int a = ra_use(&g->ra, o->args[0], 0);
        ra_release(&g->ra);
        dst = ra_def(&g->ra, o->dst, 0, a);
        v_rrr(&g->a, forms[lane], xmm(dst), xmm(a), b);
    } else {
        dst = ra_def_from(&g->ra, o->dst, o->args[0], 0);
        x_rr(&g->a, forms[lane], xmm(dst), b);
    }
    x_u8(&g->a, (unsigned)o->imm[0]);
}

void emit_v_from_i(Gen *g, const IrOp *o)
{
    uint32_t w = wide((IrType)g->ra.vals[o->args[0]].type);
    int a = ra_use(&g->ra, o->args[0], 0);

    ra_release(&g->ra);
    xv_rr(&g->a, X_MOVD_XR | w, xmm(ra_def(&g->ra, o->dst, 0, -1)), a);
}

void emit_v_low64(Gen *g, const IrOp *o)
{
    one_source(g, o, X_MOVQ_XX);
}

static void shuffle(Gen *g, uint32_t form, int reg, unsigned imm)
{
    xv_rr(&g->a, form, reg, reg);
    x_u8(&g->a, imm);
}

void emit_v_splat(Gen *g, const IrOp *o)
{
    static const uint32_t broadcast[4] = {0x78 | Q, 0x79 | Q, 0x58 | Q, 0x59 | Q};
    unsigned lane = int_lane(o->cc);
    bool ymm = ir_dst_type(g->f, o) == IR_V256;
    int a, dst;

    if (ymm && !g->host.avx2) {
        gen_fallback(g, o);
        return;
    }
    a = ra_use(&g->ra, o->args[0], 0);
    ra_release(&g->ra);
    dst = ra_def(&g->ra, o->dst, 0, -1);
    xv_rr(&g->a, X_MOVD_XR | (lane == LANE_I64 ? X_W : 0), xmm(dst), a);
    if (g->host.avx2) {
        v_rrr(&g->a, broadcast[lane] | (ymm ? X_L : 0), xmm(dst), 0, xmm(dst));
        return;
    }
    if (lane == LANE_I8) {
        if (g->a.avx) {
            v_rrr(&g->a, 0x60 | P, xmm(dst), xmm(dst), xmm(dst));
        } else {
            x_rr(&g->a, 0x60 | P, xmm(dst), xmm(dst));
        }
    }
    if (lane <= LANE_I16) {
        shuffle(g, 0x70 | X_0F | X_F2, xmm(dst), 0);
    }
    shuffle(g, 0x70 | P, xmm(dst), lane == LANE_I64 ? 0x44 : 0);
}

/* aux: PMOVZX or PMOVSX form of bytes to words; the others follow it. */
void emit_v_ext(Gen *g, const IrOp *o)
{
    unsigned times = (unsigned)o->imm[0], log = times == 2 ? 0 : times == 4 ? 1 : 2;
    static const uint8_t first[3] = {0, 3, 5};

    if (!g->host.sse41 || o->cc > LANE_I32 || (ir_dst_type(g->f, o) == IR_V256 && !g->host.avx2)) {
        gen_fallback(g, o);
        return;
    }
    one_source(g, o, (row_of(o)->form + first[o->cc] + log) |
                         (ir_dst_type(g->f, o) == IR_V256 ? X_L : 0));
}

void emit_v_getf(Gen *g, const IrOp *o)
{
    if (!ra_rename(&g->ra, o->dst, o->args[0])) {
        int a = ra_use(&g->ra, o->args[0], 0);
        ra_release(&g->ra);
        xv_rr(&g->a, X_MOVAPS, xmm(ra_def(&g->ra, o->dst, 0, -1)), xmm(a));
    }
}

void emit_v_setf(Gen *g, const IrOp *o)
{
    uint32_t form = g->ra.vals[o->args[1]].type == IR_F32 ? X_MOVSS : X_MOVSD;
    int b = ra_use(&g->ra, o->args[1], 0);

    if (g->a.avx) {
        int a = ra_use(&g->ra, o->args[0], 0);
        ra_release(&g->ra);
        v_rrr(&g->a, form, xmm(ra_def(&g->ra, o->dst, 0, a)), xmm(a), xmm(b));
    } else {
        x_rr(&g->a, form, xmm(ra_def_from(&g->ra, o->dst, o->args[0], REG_BIT(b))), xmm(b));
    }
}
