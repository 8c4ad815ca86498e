// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX-512 as IR: what all instructions share. Operands and results of 128, 256 and 512 bits, one
 * element for all (EVEX.b), masks that merge or clear; instructions of mask registers. What has no
 * row here, rounds by itself, or has a mask that holds some element of memory back is left to
 * helper_evex. SDM 1 chapter 15, SDM 2A 2.7.
 */
#include "target-i386/wide.h"

IrVal wide_opmask(Wide *w, unsigned k)
{
    return ir_get(w->b, V_K0 + (k & 7));
}

IrVal wide_reg(Wide *w, unsigned reg, unsigned p)
{
    IrBuilder *b = w->b;

    if (reg >= 16) {
        IrVal v = ir_get(b, (p ? V_ZHI16 : V_ZLO16) + reg - 16);
        return w->type == IR_V128 ? ir_v_low(b, v) : v;
    }
    if (p) {
        return ir_get(b, V_ZMMH0 + reg);
    }
    return w->type == IR_V128 ? ir_get(b, V_XMM0 + reg)
                              : ir_v_concat(b, ir_get(b, V_XMM0 + reg), ir_get(b, V_YMMH0 + reg));
}

/* The whole register: low is a v128 or v256, high a v256 or none. */
static void put_reg(Wide *w, unsigned reg, IrVal low, IrVal high)
{
    IrBuilder *b = w->b;
    bool small = ir_type(b, low) == IR_V128;

    high = high.id ? high : ir_v_zero(b, IR_V256);
    if (reg >= 16) {
        ir_set(b, V_ZLO16 + reg - 16, small ? ir_v_concat(b, low, ir_v_zero(b, IR_V128)) : low);
        ir_set(b, V_ZHI16 + reg - 16, high);
        return;
    }
    ir_set(b, V_XMM0 + reg, small ? low : ir_v_low(b, low));
    ir_set(b, V_YMMH0 + reg, small ? ir_v_zero(b, IR_V128) : ir_v_high(b, low));
    ir_set(b, V_ZMMH0 + reg, high);
}

void wide_put_narrow(Wide *w, IrVal v)
{
    const X86Operand *o = &w->i->op[0];

    if (o->kind != X86_MEM) {
        put_reg(w, o->reg, v, x86_none);
    } else if (o->size >= 4) {
        ir_store(w->b, v, x86_addr(w->s, w->i), o->size == 5 ? MEM_256 : MEM_128, w->s->mmu);
    } else if (o->size >= 2) {
        x86_store_low(w->s, o->size, v, x86_addr(w->s, w->i));
    } else {
        x86_store(w->s, o->size, ir_v_extract(w->b, LANE_I16, v, 0), x86_addr(w->s, w->i));
    }
}

IrVal wide_splat(Wide *w, IrLane lane, uint64_t v)
{
    IrBuilder *b = w->b;

    return ir_v_splat(b, w->type, lane, lane == LANE_I64 ? ir_i64(b, v) : ir_i32(b, (uint32_t)v));
}

/* ---- masks ---- */

/* The bit that stands for each element of a step of 128 or 256 bits, modulo 8 for bytes. */
static IrVal element_bits(Wide *w)
{
    IrBuilder *b = w->b;
    const uint64_t each = 0x8040201008040201;

    if (w->es == 0) {
        return wide_splat(w, LANE_I64, each);
    }
    IrVal v = ir_v_from_i(b, IR_V128, ir_i64(b, each));
    if (w->es > 1 || w->type == IR_V128) {
        return ir_v_zext(b, w->type, LANE_I8, v, 1u << w->es);
    }
    v = ir_v_zext(b, IR_V128, LANE_I8, v, 2);
    return ir_v_concat(b, v, ir_v_shl_i(b, LANE_I16, v, 8));
}

/* Bytes: which of a mask's it is whose bits the elements have. */
static IrVal byte_of_element(Wide *w)
{
    IrBuilder *b = w->b;
    const uint64_t ones = 0x0101010101010101;
    IrVal low = ir_v_unpack_lo(b, LANE_I64, ir_v_zero(b, IR_V128),
                               ir_v_from_i(b, IR_V128, ir_i64(b, ones)));

    if (w->type == IR_V128) {
        return low;
    }
    IrVal high = ir_v_unpack_lo(b, LANE_I64, ir_v_from_i(b, IR_V128, ir_i64(b, 2 * ones)),
                                ir_v_from_i(b, IR_V128, ir_i64(b, 3 * ones)));
    return ir_v_concat(b, low, high);
}

static unsigned elements(const Wide *w)
{
    return (w->type == IR_V256 ? 32u : 16u) >> w->es;
}

/* Elements of step p: all ones where k, an i64, has their bit. */
IrVal wide_spread(Wide *w, IrVal k, unsigned p)
{
    IrBuilder *b = w->b;
    IrVal bits = element_bits(w), v;

    k = p ? ir_shri(b, k, elements(w)) : k;
    if (w->es == 3) {
        v = ir_v_splat(b, w->type, LANE_I64, k);
    } else if (w->es) {
        v = ir_v_splat(b, w->type, w->lane, ir_trunc(b, k));
    } else {
        v = ir_v_shufb(b, ir_v_splat(b, w->type, LANE_I32, ir_trunc(b, k)), byte_of_element(w));
    }
    return ir_v_cmpeq(b, w->lane, ir_v_and(b, v, bits), bits);
}

/* The contrary: a bit for each element of v whose highest is set, as i32. */
static IrVal gather_mask(Wide *w, IrVal v)
{
    IrBuilder *b = w->b;
    static const IrLane lanes[4] = {LANE_I8, LANE_I8, LANE_F32, LANE_F64};

    if (w->es != 1) {
        return ir_v_movmask(b, lanes[w->es], v);
    }
    IrVal m = ir_v_movmask(b, LANE_I8, ir_v_pack_s(b, LANE_I16, v, ir_v_zero(b, w->type)));
    return w->type == IR_V128 ? m
                              : ir_or(b, ir_andi(b, m, 0xff), ir_andi(b, ir_shri(b, m, 8), 0xff00));
}

void wide_put_opmask(Wide *w, IrVal r[2], bool invert)
{
    IrBuilder *b = w->b;
    unsigned n = elements(w);
    IrVal k = ir_zextq(b, gather_mask(w, r[0]));

    if (w->steps == 2) {
        k = ir_or(b, k, ir_shli(b, ir_zextq(b, gather_mask(w, r[1])), n));
    }
    n *= w->steps;
    if (invert) {
        k = ir_xor(b, k, ir_i64(b, n == 64 ? -1 : (int64_t)((1ull << n) - 1)));
    }
    if (w->w.aaa) {
        k = ir_and(b, k, wide_opmask(w, w->w.aaa));
    }
    ir_set(b, V_K0 + (w->w.d & 7), k);
}

/* ---- operands ---- */

/* The source that is not EVEX.vvvv. */
static const X86Operand *source_operand(const Wide *w)
{
    unsigned n = 1;

    while (n < 3 && (w->i->row->ops[n].op == X86_OP_H || w->i->row->ops[n].op == X86_OP_T)) {
        n++;
    }
    return &w->i->op[n];
}

static void load_source(Wide *w)
{
    const X86Operand *o = source_operand(w);
    IrBuilder *b = w->b;
    X86Ctx *s = w->s;
    uint16_t v = w->i->row->evex;

    if (o->kind == X86_KREG) {
        return;
    }

    if (o->kind != X86_MEM) {
        for (unsigned p = 0; p < w->steps; p++) {
            w->c[p] = wide_reg(w, o->reg, p);
        }
        return;
    }
    IrVal at = x86_addr(s, w->i);
    if (w->w.b) {
        static const IrLane lanes[4] = {LANE_I8, LANE_I16, LANE_I32, LANE_I64};
        unsigned es = v & EV_BC32 ? 2 : v & EV_BC64 ? 3 : w->es;
        IrVal one = ir_load(b, IR_V128, at, (MemOp)es, s->mmu);
        w->c[0] = w->c[1] = ir_v_bcast(b, w->type, lanes[es], one);
        return;
    }
    for (unsigned p = 0; p < w->steps; p++) {
        w->c[p] = ir_load(b, w->type, p ? ir_addi(b, at, 32) : at,
                          w->type == IR_V128 ? MEM_128 : MEM_256, s->mmu);
    }
}

IrVal wide_narrow(Wide *w)
{
    const X86Operand *o = source_operand(w);
    IrBuilder *b = w->b;

    if (o->kind != X86_MEM) {
        IrVal v = wide_reg(w, o->reg, 0);
        return o->size < 5 && ir_type(b, v) == IR_V256 ? ir_v_low(b, v) : v;
    }
    IrVal at = x86_addr(w->s, w->i);
    if (o->size < 2) {
        return ir_v_from_i(b, IR_V128, x86_load(w->s, o->size, at));
    }
    static const MemOp ops[6] = {[2] = MEM_32, MEM_64, MEM_128, MEM_256};
    return ir_load(b, o->size == 5 ? IR_V256 : IR_V128, at, ops[o->size], w->s->mmu);
}

static IrVal merged(Wide *w, unsigned p)
{
    return w->w.z ? ir_v_and(w->b, w->r[p], w->mask[p])
                  : ir_v_blendv(w->b, LANE_I8, w->d[p], w->r[p], w->mask[p]);
}

static void finish(Wide *w)
{
    if (w->i->op[0].kind == X86_MEM) {
        IrVal at = x86_addr(w->s, w->i);
        for (unsigned p = 0; p < w->steps; p++) {
            ir_store(w->b, w->r[p], p ? ir_addi(w->b, at, 32) : at,
                     w->type == IR_V128 ? MEM_128 : MEM_256, w->s->mmu);
        }
        return;
    }
    for (unsigned p = 0; w->masked && p < w->steps; p++) {
        w->r[p] = merged(w, p);
    }
    put_reg(w, w->i->op[0].reg, w->r[0], w->steps == 2 ? w->r[1] : x86_none);
}

/* ---- instructions of mask registers ---- */

static IrVal opmask_source(Wide *w, unsigned bits)
{
    IrVal k = w->w.src_mem ? x86_zext64(w->s, w->es, x86_load(w->s, w->es, x86_addr(w->s, w->i)))
                           : wide_opmask(w, w->w.src);

    return bits == 64 ? k : ir_andi(w->b, k, (1ull << bits) - 1);
}

static void test_flags(Wide *w, IrVal z, IrVal zero_of, IrVal cy, IrVal carry_of)
{
    IrBuilder *b = w->b;
    IrVal zf = ir_zextq(b, ir_setcond(b, COND_EQ, z, zero_of));
    IrVal cf = ir_zextq(b, ir_setcond(b, COND_EQ, cy, carry_of));

    x86_cc_eflags(w->s, ir_or(b, ir_shli(b, zf, 6), cf));
}

static bool opmask_insn(Wide *w)
{
    EvexKernel *k = w->i->row->kernel;
    IrBuilder *b = w->b;
    unsigned bits = 8u << w->es;
    uint64_t ones = bits == 64 ? UINT64_MAX : (1ull << bits) - 1;
    IrVal zero = ir_i64(b, 0), r;

    if (k == ev_kfrom_gpr) {
        r = ir_get(b, V_RAX + (w->w.src & 15));
    } else {
        IrVal y = opmask_source(w, bits), x = wide_opmask(w, w->w.a);
        if (k == ev_kto_gpr) {
            ir_set(b, V_RAX + (w->w.d & 15), y);
            return true;
        }
        if (k == ev_kstore) {
            x86_store(w->s, w->es, w->es == 3 ? y : ir_trunc(b, y), x86_addr(w->s, w->i));
            return true;
        }
        if (k == ev_kortest || k == ev_ktest) {
            IrVal first = ir_andi(b, wide_opmask(w, w->w.d), ones);
            if (k == ev_kortest) {
                r = ir_or(b, first, y);
                test_flags(w, r, zero, r, ir_i64(b, (int64_t)ones));
            } else {
                r = ir_and(b, ir_xor(b, first, ir_i64(b, (int64_t)ones)), y);
                test_flags(w, ir_and(b, first, y), zero, r, zero);
            }
            return true;
        }
        if (k == ev_kunpck) {
            ir_set(b, V_K0 + (w->w.d & 7), ir_or(b, ir_shli(b, ir_andi(b, x, ones), bits), y));
            return true;
        }
        r = k == ev_and     ? ir_and(b, x, y)
            : k == ev_andn  ? ir_and(b, ir_xor(b, x, ir_i64(b, -1)), y)
            : k == ev_or    ? ir_or(b, x, y)
            : k == ev_xor   ? ir_xor(b, x, y)
            : k == ev_kxnor ? ir_xor(b, ir_xor(b, x, y), ir_i64(b, -1))
            : k == ev_kadd  ? ir_add(b, x, y)
            : k == ev_knot  ? ir_xor(b, y, ir_i64(b, -1))
            : k == ev_kmov  ? y
            : k == ev_kshl  ? (w->imm < bits ? ir_shli(b, y, w->imm) : zero)
            : k == ev_kshr  ? (w->imm < bits ? ir_shri(b, y, w->imm) : zero)
                            : x86_none;
    }
    if (!r.id) {
        return false;
    }
    ir_set(b, V_K0 + (w->w.d & 7), ones == UINT64_MAX ? r : ir_andi(b, r, ones));
    return true;
}

/* ---- scalars, when no mask is there ---- */

static bool scalar(Wide *w)
{
    typedef IrVal FmaFn(IrBuilder * b, IrLane lane, IrVal x, IrVal y, IrVal z);
    static FmaFn *const fused_fns[16] = {
        [9] = ir_s_fma, [11] = ir_s_fms, [13] = ir_s_fnma, [15] = ir_s_fnms};
    static const uint8_t orders[3][3] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}}; /* 132, 213, 231 */
    EvexKernel *k = w->i->row->kernel;
    LaneFn *fn = k == ev_fadd     ? ir_s_fadd
                 : k == ev_fsub   ? ir_s_fsub
                 : k == ev_fmul   ? ir_s_fmul
                 : k == ev_fdiv   ? ir_s_fdiv
                 : k == ev_fmin   ? ir_s_fminb
                 : k == ev_fmax   ? ir_s_fmaxb
                 : k == ev_fsqrt2 ? ir_s_fsqrt
                 : k == ev_second ? ir_s_merge
                                  : NULL;

    w->type = IR_V128;
    if (w->masked || (!fn && k != ev_fma)) {
        return false;
    }
    IrVal c = wide_narrow(w), a = wide_reg(w, w->w.a, 0), r;
    if (fn) {
        r = fn(w->b, w->flane, a, c);
    } else {
        const uint8_t *order = orders[(w->i->opcode >> 4) - 9];
        IrVal v[3] = {wide_reg(w, w->w.d, 0), a, c};
        r = fused_fns[w->i->opcode & 15](w->b, w->flane, v[order[0]], v[order[1]], v[order[2]]);
        r = order[1] == 0 ? r : ir_s_merge(w->b, w->flane, v[0], r);
    }
    put_reg(w, w->i->op[0].reg, r, x86_none);
    return true;
}

/* ---- all of them ---- */

/* After this, what was in a value before is gone (another block is open). */
static void split(Wide *w, IrCond cond, IrVal x, IrVal y, IrBlock *cold)
{
    IrBlock *on = ir_block(w->b);

    ir_brcond(w->b, cond, x, y, cold, on);
    ir_place(w->b, on);
    w->s->addr = x86_none;
}

static void compute(Wide *w, const WideRow *row)
{
    bool vector_out = w->i->op[0].kind == X86_XMM;

    if (!row->own) {
        load_source(w);
    }
    for (unsigned p = 0; p < w->steps; p++) {
        w->d[p] = vector_out ? wide_reg(w, w->w.d, p) : x86_none;
        w->a[p] = wide_reg(w, w->w.a, p);
    }
    for (unsigned p = 0; p < w->steps && w->masked; p++) {
        w->mask[p] = wide_spread(w, wide_opmask(w, w->w.aaa), p);
    }
    for (unsigned p = 0; p < w->steps && !row->all; p++) {
        w->r[p] = row->lane  ? row->lane(w->b, w->lane, w->a[p], w->c[p])
                  : row->vec ? row->vec(w->b, w->a[p], w->c[p])
                             : x86_none;
    }
    if (row->flane) {
        wide_floats(w, row);
    }
    if (row->all) {
        row->all(w);
    }
    if (!row->puts) {
        finish(w);
    }
}

static const WideRow *row_that_fits(Wide *w, bool whole_mask)
{
    const X86Row *r = w->i->row;
    const WideRow *row = wide_row(w);
    unsigned vector = 4u + w->w.l, source = w->w.src_mem || !w->w.dst_mem ? w->w.size1 : w->w.size0;

    if (!row || (w->w.b && (!w->w.src_mem || row->own)) ||
        (row->puts && !row->masks && w->masked && !whole_mask) ||
        (r->kernel == ev_rndscale && w->imm >= 16)) {
        return NULL;
    }
    return row->own || r->driver == evex_FROMK || source == vector ? row : NULL;
}

bool x86_wide(X86Ctx *s, X86Insn *i, EvexWord word)
{
    static const IrLane lanes[4] = {LANE_I8, LANE_I16, LANE_I32, LANE_I64};
    unsigned es = x86_evex_element(i->row);
    Wide w = {
        .s = s,
        .i = i,
        .b = s->b,
        .w = word,
        .es = es,
        .lane = lanes[es],
        .flane = es == 2 ? LANE_F32 : LANE_F64,
        .imm = word.imm,
        .masked = word.aaa,
        .steps = word.l == 2 ? 2 : 1,
        .type = word.l ? IR_V256 : IR_V128,
    };
    IrBlock *cold = NULL;

    if (!ir_has_v256(s->b) || (word.b && !word.src_mem)) {
        return false;
    }
    if (i->row->evex & EV_OPMASK) {
        return opmask_insn(&w);
    }
    if (i->row->driver == evex_S2) {
        return scalar(&w);
    }
    /* with all of the mask set memory needs no look at single elements */
    bool whole = w.masked && (word.dst_mem || (word.src_mem && !(i->row->evex & EV_NF)));
    bool aligned = i->row->evex & EV_AL && (word.src_mem || word.dst_mem);
    const WideRow *row = row_that_fits(&w, whole);
    if (!row) {
        return false;
    }
    if (whole || aligned) {
        x86_sync(s);
        cold = ir_cold_block(s->b);
    }
    if (whole) {
        unsigned n = (word.dst_mem && row->puts ? 1u << word.size0 : 16u << word.l) >> es;
        uint64_t ones = n == 64 ? UINT64_MAX : (1ull << n) - 1;
        IrVal k = wide_opmask(&w, word.aaa);
        split(&w, COND_NE, n == 64 ? k : ir_andi(s->b, k, ones), ir_i64(s->b, (int64_t)ones), cold);
        w.masked = false;
    }
    if (aligned) {
        IrVal off = ir_andi(s->b, x86_addr(s, i), (16u << word.l) - 1);
        split(&w, COND_NE, off, ir_i64(s->b, 0), cold);
    }
    compute(&w, row);
    if (cold) {
        IrBlock *over = ir_block(s->b);
        ir_br(s->b, over);
        ir_place(s->b, cold);
        s->addr = x86_none;
        x86_evex_call(s, i, word);
        ir_br(s->b, over);
        ir_place(s->b, over);
        s->addr = x86_none;
    }
    return true;
}
