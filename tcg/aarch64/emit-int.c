// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Integer ops on AArch64. Three operands, constants as immediates where the encoding has them.
 * Results of 32-bit forms have zeros above; i32 values that came otherwise may have anything there
 * (RaVal.zero_ext).
 */
#include "tcg/aarch64/gen.h"

static bool const_of(const Gen *g, uint32_t v, uint64_t *bits)
{
    *bits = g->ra.vals[v].bits;
    return ra_is_const(&g->ra, v);
}

/* As a number: i32 sign-extended. */
static int64_t signed_of(const Gen *g, uint32_t v)
{
    const RaVal *x = &g->ra.vals[v];

    return x->type == IR_I32 ? (int32_t)x->bits : (int64_t)x->bits;
}

void gen_extend(Gen *g, IrType t, unsigned size_log2, bool sign, int dst, int src)
{
    const unsigned top = (8u << size_log2) - 1;

    if (size_log2 == 3 || (size_log2 == 2 && t == IR_I32)) {
        a_mov(&g->a, wide(t), dst, src);
    } else if (sign) {
        a_bfm(&g->a, A_SBFM | wide(t), dst, src, 0, top);
    } else if (size_log2 == 2) {
        a_mov(&g->a, 0, dst, src);
    } else {
        a_bfm(&g->a, A_UBFM, dst, src, 0, top);
    }
}

/* ---------------------------------------------------------------- variables and the CPU struct */

void emit_get(Gen *g, const IrOp *o)
{
    ra_get(&g->ra, o->dst, o->var.var);
}

void emit_discard(Gen *g, const IrOp *o)
{
    ra_discard(&g->ra, o->var.var);
}

void emit_set(Gen *g, const IrOp *o)
{
    ra_set(&g->ra, o->var.var, o->args[0]);
}

void emit_env_load(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    unsigned size = o->env.op & 3;
    bool sign = o->env.op & MEM_SIGN && size < (t == IR_I32 ? 2 : 3);
    int dst = ra_def(&g->ra, o->dst, 0, -1);

    gen_env(g, (sign ? (t == IR_I32 ? A_LDRS32 : A_LDRS64) : A_LDR) | a_size(size), dst,
            (uint32_t)o->env.offset);
}

void emit_env_store(Gen *g, const IrOp *o)
{
    uint64_t bits;
    int reg = const_of(g, o->args[0], &bits) && !bits ? ZR : gen_use(g, o, 0);

    gen_env(g, A_STR | a_size(o->env.op & 3), reg, (uint32_t)o->env.offset);
}

void emit_env_ptr(Gen *g, const IrOp *o)
{
    gen_env_addr(g, ra_def(&g->ra, o->dst, 0, -1), (int64_t)o->imm[0]);
}

/* ---------------------------------------------------------------- arithmetic */

/* The commutative op's constant operand comes second. */
static void order(const Gen *g, const IrOp *o, uint32_t *a, uint32_t *b)
{
    *a = o->args[0];
    *b = o->args[1];
    if (ir_desc(o)->flags & IRF_COMM && ra_is_const(&g->ra, *a)) {
        *a = o->args[1];
        *b = o->args[0];
    }
}

/* form: A_ADD or A_SUB */
void emit_add(Gen *g, const IrOp *o)
{
    uint32_t w = wide(ir_dst_type(g->f, o)), a, b;
    int ra, rb;

    order(g, o, &a, &b);
    ra = ra_use(&g->ra, a, 0);
    if (ra_is_const(&g->ra, b) && a_fits_add(signed_of(g, b))) {
        int64_t v = signed_of(g, b);
        a_add_i(&g->a, w, gen_def(g, o), ra, o->opcode == OP_SUB ? -v : v);
        return;
    }
    rb = ra_use(&g->ra, b, 0);
    a_rrr(&g->a, row_of(o)->form | w, gen_def(g, o), ra, rb);
}

void emit_add_shl(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1);

    a_rrr_lsl(&g->a, A_ADD | wide(ir_dst_type(g->f, o)), gen_def(g, o), a, b, (unsigned)o->imm[0]);
}

void emit_mul(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1);

    a_rrrr(&g->a, A_MADD | wide(ir_dst_type(g->f, o)), gen_def(g, o), a, b, ZR);
}

/* form: the high half of 64 bits; aux: the product of 32 */
void emit_mulh(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1), dst = gen_def(g, o);

    if (ir_dst_type(g->f, o) == IR_I64) {
        a_rrr(&g->a, row_of(o)->form, dst, a, b);
    } else {
        a_rrr(&g->a, row_of(o)->aux, dst, a, b);
        a_shift_i(&g->a, W64, 'r', dst, dst, 32);
    }
}

/* form: the division; aux: the remainder is wanted */
void emit_div(Gen *g, const IrOp *o)
{
    uint32_t w = wide(ir_dst_type(g->f, o));
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1), dst = gen_def(g, o);

    if (row_of(o)->aux) {
        a_rrr(&g->a, row_of(o)->form | w, SCRATCH, a, b);
        a_rrrr(&g->a, A_MSUB | w, dst, SCRATCH, b, a);
    } else {
        a_rrr(&g->a, row_of(o)->form | w, dst, a, b);
    }
}

/* form: with registers; aux: with an immediate (or of its complement), 0: there is none */
void emit_logic(Gen *g, const IrOp *o)
{
    uint32_t w = wide(ir_dst_type(g->f, o)), a, b, fields;
    uint64_t bits;
    int ra, rb;

    order(g, o, &a, &b);
    ra = ra_use(&g->ra, a, 0);
    if (const_of(g, b, &bits)) {
        bits = o->opcode == OP_ANDC ? ~bits : bits;
        bits = w ? bits : (uint32_t)bits;
        if (a_logical(w, bits, &fields)) {
            a_logical_i(&g->a, row_of(o)->aux | w, gen_def(g, o), ra, bits);
            return;
        }
    }
    rb = ra_use(&g->ra, b, 0);
    a_rrr(&g->a, row_of(o)->form | w, gen_def(g, o), ra, rb);
}

/* form: A_SUB or A_ORN, from zero */
void emit_neg(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0);

    a_rrr(&g->a, row_of(o)->form | wide(ir_dst_type(g->f, o)), gen_def(g, o), ZR, a);
}

/* form: by a register; aux: kind of a_shift_i */
void emit_shift(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    int a = gen_use(g, o, 0), b;
    uint64_t n;

    if (const_of(g, o->args[1], &n)) {
        n &= ir_type_bits(t) - 1;
        a_shift_i(&g->a, wide(t), (char)row_of(o)->aux, gen_def(g, o), a, (unsigned)n);
        return;
    }
    b = gen_use(g, o, 1);
    a_rrr(&g->a, row_of(o)->form | wide(t), gen_def(g, o), a, b);
}

void emit_rotl(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    int a = gen_use(g, o, 0), b;
    uint64_t n;

    if (const_of(g, o->args[1], &n)) {
        a_shift_i(&g->a, wide(t), 'o', gen_def(g, o), a, (unsigned)-n & (ir_type_bits(t) - 1));
        return;
    }
    b = gen_use(g, o, 1);
    a_rrr(&g->a, A_SUB | wide(t), SCRATCH, ZR, b);
    a_rrr(&g->a, A_RORV | wide(t), gen_def(g, o), a, SCRATCH);
}

/* ---------------------------------------------------------------- bits and bytes */

void emit_clz(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0);

    a_rr(&g->a, A_CLZ | wide(ir_dst_type(g->f, o)), gen_def(g, o), a);
}

void emit_ctz(Gen *g, const IrOp *o)
{
    uint32_t w = wide(ir_dst_type(g->f, o));
    int a = gen_use(g, o, 0), dst = gen_def(g, o);

    a_rr(&g->a, A_RBIT | w, dst, a);
    a_rr(&g->a, A_CLZ | w, dst, dst);
}

void emit_popcnt(Gen *g, const IrOp *o)
{
    bool is64 = ir_dst_type(g->f, o) == IR_I64;
    int a = gen_use(g, o, 0);

    a_rr(&g->a, is64 ? A_FMOV_DX : A_FMOV_VR, V_TMP, a);
    a_rr(&g->a, N_CNT, V_TMP, V_TMP);
    a_rr(&g->a, N_ADDV8, V_TMP, V_TMP);
    a_rr(&g->a, A_FMOV_RV, gen_def(g, o), V_TMP);
}

void emit_bswap(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0);

    a_rr(&g->a, ir_dst_type(g->f, o) == IR_I64 ? A_REV64 | W64 : A_REV32, gen_def(g, o), a);
}

void emit_bswap16(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0), dst = gen_def(g, o);

    a_rr(&g->a, A_REV16, dst, a);
    a_bfm(&g->a, A_UBFM, dst, dst, 0, 15);
}

/* form: log2 of the size; aux: sign-extends */
void emit_ext(Gen *g, const IrOp *o)
{
    int a = gen_use(g, o, 0);

    gen_extend(g, ir_dst_type(g->f, o), row_of(o)->form, row_of(o)->aux, gen_def(g, o), a);
}

void emit_trunc(Gen *g, const IrOp *o)
{
    if (ra_reg(&g->ra, o->args[0]) >= 0 && ra_rename(&g->ra, o->dst, o->args[0])) {
        g->ra.vals[o->dst].zero_ext = false;
    } else {
        int a = gen_use(g, o, 0);
        a_mov(&g->a, 0, gen_def(g, o), a);
    }
}

void emit_zextq(Gen *g, const IrOp *o)
{
    uint32_t a = o->args[0];

    if (ra_reg(&g->ra, a) < 0 || !g->ra.vals[a].zero_ext || !ra_rename(&g->ra, o->dst, a)) {
        int reg = ra_use(&g->ra, a, 0);
        a_mov(&g->a, 0, gen_def(g, o), reg);
    }
}

void emit_concat(Gen *g, const IrOp *o)
{
    int lo = gen_use(g, o, 0), hi = gen_use(g, o, 1);

    a_mov(&g->a, 0, SCRATCH, lo);
    a_rrr_lsl(&g->a, A_ORR | W64, gen_def(g, o), SCRATCH, hi, 32);
}

/* form: A_UBFM or A_SBFM */
void emit_extract(Gen *g, const IrOp *o)
{
    unsigned pos = (unsigned)o->imm[0], len = (unsigned)o->imm[1];
    int a = gen_use(g, o, 0);

    a_bfm(&g->a, row_of(o)->form | wide(ir_dst_type(g->f, o)), gen_def(g, o), a, pos,
          pos + len - 1);
}

void emit_deposit(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    unsigned bits = ir_type_bits(t), pos = (unsigned)o->imm[0], len = (unsigned)o->imm[1];
    int b = gen_use(g, o, 1);
    int dst = ra_def_from(&g->ra, o->dst, o->args[0], REG_BIT(b));

    a_bfm(&g->a, A_BFM | wide(t), dst, b, (bits - pos) & (bits - 1), len - 1);
}

void emit_funnel(Gen *g, const IrOp *o)
{
    uint32_t w = wide(ir_dst_type(g->f, o));
    int a = gen_use(g, o, 0), b = gen_use(g, o, 1);

    a_rrr(&g->a, A_EXTR | w | (w ? 1u << 22 : 0) | (uint32_t)o->imm[0] << 10, gen_def(g, o), b, a);
}

/* ---------------------------------------------------------------- conditions */

static HostCond host_cond(IrCond c)
{
    static const uint8_t map[] = {
        [COND_EQ] = CC_EQ,  [COND_NE] = CC_NE,  [COND_LT] = CC_LT,   [COND_GE] = CC_GE,
        [COND_LE] = CC_LE,  [COND_GT] = CC_GT,  [COND_LTU] = CC_LO,  [COND_GEU] = CC_HS,
        [COND_LEU] = CC_LS, [COND_GTU] = CC_HI, [COND_TSTZ] = CC_EQ, [COND_TSTNZ] = CC_NE,
    };

    return (HostCond)map[c];
}

HostCond gen_compare(Gen *g, IrType t, IrCond cond, uint32_t a, uint32_t b)
{
    uint32_t w = wide(t), fields;
    uint64_t bits;
    int ra, rb;

    if (cond == COND_ALWAYS || cond == COND_NEVER) {
        a_rrr(&g->a, A_SUBS, ZR, ZR, ZR);
        return cond == COND_ALWAYS ? CC_EQ : CC_NE;
    }
    if (ra_is_const(&g->ra, a) && !ra_is_const(&g->ra, b)) {
        uint32_t x = a;
        a = b;
        b = x;
        cond = ir_cond_swap(cond);
    }
    ra = ra_use(&g->ra, a, 0);
    if (cond == COND_TSTZ || cond == COND_TSTNZ) {
        if (const_of(g, b, &bits) && a_logical(w, bits, &fields)) {
            a_logical_i(&g->a, A_ANDS_I | w, ZR, ra, bits);
        } else {
            rb = ra_use(&g->ra, b, 0);
            a_rrr(&g->a, A_ANDS | w, ZR, ra, rb);
        }
    } else if (ra_is_const(&g->ra, b) && a_fits_add(signed_of(g, b))) {
        a_cmp_i(&g->a, w, ra, signed_of(g, b));
    } else {
        rb = ra_use(&g->ra, b, 0);
        a_rrr(&g->a, A_SUBS | w, ZR, ra, rb);
    }
    return host_cond(cond);
}

void emit_setcond(Gen *g, const IrOp *o)
{
    HostCond c =
        gen_compare(g, (IrType)g->ra.vals[o->args[0]].type, (IrCond)o->cc, o->args[0], o->args[1]);

    a_cset(&g->a, gen_def(g, o), c);
}

/* Whatever must be loaded is, before the comparison: loads of constants keep flags as well. */
void emit_select(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    HostCond c =
        gen_compare(g, (IrType)g->ra.vals[o->args[0]].type, (IrCond)o->cc, o->args[0], o->args[1]);
    int yes = gen_use(g, o, 2), no = gen_use(g, o, 3), dst;

    if (ra_class(t) == 0) {
        a_csel(&g->a, A_CSEL | wide(t), gen_def(g, o), yes, no, c);
    } else if (t == IR_V128) {
        uint8_t *over;
        dst = ra_def_from(&g->ra, o->dst, o->args[3], REG_BIT(yes));
        over = a_bcond(&g->a, a_cond_not(c));
        n_mov(&g->a, vec(dst), vec(yes));
        a_patch(over, g->a.p);
    } else {
        dst = gen_def(g, o);
        a_csel(&g->a, A_FCSEL | (t == IR_F64 ? F_DOUBLE : 0), vec(dst), vec(yes), vec(no), c);
    }
}
