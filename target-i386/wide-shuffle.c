// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX-512 as IR: instructions that move elements: interleaving, permutations, broadcasts, parts of
 * vectors, widening and narrowing. SDM 2C, under each name.
 */
#include "target-i386/wide.h"

static const IrLane int_lanes[4] = {LANE_I8, LANE_I16, LANE_I32, LANE_I64};

/* ---- within 128 bits ---- */

static void shuffle(Wide *w)
{
    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = w->es == 2 ? ir_v_shufps(w->b, w->a[p], w->c[p], w->imm)
                             : ir_v_shufpd(w->b, w->a[p], w->c[p],
                                           w->imm >> 4 * p & (w->type == IR_V256 ? 15 : 3));
    }
}

static void permil(Wide *w)
{
    w->a[0] = w->c[0];
    w->a[1] = w->c[1];
    shuffle(w);
}

static void words(Wide *w)
{
    EvexKernel *k = w->i->row->kernel;

    for (unsigned p = 0; p < w->steps; p++) {
        IrVal v = w->c[p];
        w->r[p] = k == ev_pshufd    ? ir_v_shuf32(w->b, v, w->imm)
                  : k == ev_pshufhw ? ir_v_shufhi(w->b, v, w->imm)
                  : k == ev_pshuflw ? ir_v_shuflo(w->b, v, w->imm)
                  : k == ev_slldq   ? ir_v_shl_bytes(w->b, v, MIN(w->imm, 16))
                  : k == ev_srldq   ? ir_v_shr_bytes(w->b, v, MIN(w->imm, 16))
                                    : ir_v_align(w->b, w->a[p], v, w->imm);
    }
}

static void doubled(Wide *w)
{
    EvexKernel *k = w->i->row->kernel;
    unsigned how = k == ev_movsldup ? 0xa0 : k == ev_movshdup ? 0xf5 : 0x44;

    if (w->type == IR_V128) {
        w->c[0] = wide_narrow(w);
    }
    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = ir_v_shuf32(w->b, w->c[p], how);
    }
}

static void pack(Wide *w)
{
    LaneFn *fn = w->i->row->kernel == ev_pack_s ? ir_v_pack_s : ir_v_pack_u;

    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = fn(w->b, int_lanes[w->es + 1], w->a[p], w->c[p]);
    }
}

/* ---- across ---- */

static void permute_quads(Wide *w)
{
    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = ir_v_permq(w->b, w->c[p], w->imm);
    }
}

static void parts_of_two(Wide *w)
{
    unsigned m = w->imm;

    if (w->steps == 1) {
        w->r[0] = ir_v_perm2(w->b, w->a[0], w->c[0], (m & 1) | (2 | (m >> 1 & 1)) << 4);
        return;
    }
    w->r[0] = ir_v_perm2(w->b, w->a[0], w->a[1], (m & 3) | (m >> 2 & 3) << 4);
    w->r[1] = ir_v_perm2(w->b, w->c[0], w->c[1], (m >> 4 & 3) | (m >> 6 & 3) << 4);
}

/* Elements of tables of 256 bits by index; bits of it above say which table. index: of i32. */
static IrVal look_up(Wide *w, IrVal index, const IrVal *tables, unsigned num)
{
    IrBuilder *b = w->b;

    if (num == 1) {
        return ir_v_permd(b, index, tables[0]);
    }
    IrVal low = look_up(w, index, tables, num / 2);
    IrVal high = look_up(w, index, tables + num / 2, num / 2);
    IrVal which = ir_v_shl_i(b, LANE_I32, index, num == 2 ? 28 : 27);
    return ir_v_blendv(b, LANE_F32, low, high, which);
}

/* Indices of 64-bit elements as those of their halves. */
static IrVal index32(Wide *w, IrVal index)
{
    IrBuilder *b = w->b;

    if (w->es == 2) {
        return index;
    }
    index = ir_v_shl_i(b, LANE_I32, ir_v_shuf32(b, index, 0xa0), 1);
    return ir_v_add(b, LANE_I32, index, wide_splat(w, LANE_I64, 1ull << 32));
}

static void permute(Wide *w)
{
    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = look_up(w, index32(w, w->a[p]), w->c, w->steps);
    }
}

static void permute_two(Wide *w)
{
    bool index_is_dst = w->i->row->kernel == ev_permi2;
    const IrVal *index = index_is_dst ? w->d : w->a, *first = index_is_dst ? w->a : w->d;
    IrVal tables[4];

    for (unsigned p = 0; p < w->steps; p++) {
        tables[p] = first[p];
        tables[w->steps + p] = w->c[p];
    }
    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = look_up(w, index32(w, index[p]), tables, 2 * w->steps);
    }
}

/* ---- broadcasts and parts ---- */

static void broadcast(Wide *w)
{
    EvexKernel *k = w->i->row->kernel;
    IrBuilder *b = w->b;
    IrVal v;

    if (k == ev_bcast_gpr) {
        v = ir_get(b, V_RAX + (w->w.src & 15));
        v = ir_v_splat(b, w->type, w->lane, w->es == 3 ? v : ir_trunc(b, v));
    } else {
        v = wide_narrow(w);
        if (k == ev_bcast128) {
            v = ir_v_concat(b, v, v);
        } else if (k != ev_bcast256) {
            unsigned es = k == ev_bcast8 ? 0 : k == ev_bcast16 ? 1 : k == ev_bcast32 ? 2 : 3;
            v = ir_v_bcast(b, w->type, int_lanes[es], v);
        }
    }
    w->r[0] = w->r[1] = v;
}

static void insert(Wide *w)
{
    bool whole = w->i->row->kernel == ev_insert256;
    IrVal v = wide_narrow(w);
    unsigned which = whole ? 2 * (w->imm & 1) : w->imm & (2 * w->steps - 1), p = which / 2;

    w->r[0] = w->a[0];
    w->r[1] = w->a[1];
    if (whole) {
        w->r[p] = v;
    } else {
        w->r[p] = which & 1 ? ir_v_concat(w->b, ir_v_low(w->b, w->a[p]), v)
                            : ir_v_concat(w->b, v, ir_v_high(w->b, w->a[p]));
    }
}

static void extract(Wide *w)
{
    if (w->i->row->kernel == ev_extract256) {
        wide_put_narrow(w, w->c[w->imm & 1]);
        return;
    }
    unsigned which = w->imm & (2 * w->steps - 1);
    IrVal v = w->c[which / 2];
    wide_put_narrow(w, which & 1 ? ir_v_high(w->b, v) : ir_v_low(w->b, v));
}

/* ---- widening and narrowing ---- */

/* The bytes of v, a v128 or v256, from `at` on, in the low part of a v128. */
static IrVal slice(Wide *w, IrVal v, unsigned at)
{
    if (ir_type(w->b, v) == IR_V256) {
        v = at & 16 ? ir_v_high(w->b, v) : ir_v_low(w->b, v);
    }
    return at & 15 ? ir_v_shr_bytes(w->b, v, at & 15) : v;
}

void wide_extend(Wide *w)
{
    unsigned log = (unsigned)w->w.size0 - w->w.size1,
             bytes = (w->type == IR_V256 ? 32u : 16u) >> log;
    IrVal v = wide_narrow(w);

    for (unsigned p = 0; p < w->steps; p++) {
        IrVal part = slice(w, v, p * bytes);
        w->r[p] = w->i->row->kernel == ev_zext
                      ? ir_v_zext(w->b, w->type, int_lanes[w->es - log], part, 1u << log)
                      : ir_v_sext(w->b, w->type, int_lanes[w->es - log], part, 1u << log);
    }
}

/* Elements of half the size in the low half of a v128 or in a v128; es: of v. */
static IrVal halve(Wide *w, IrVal v, unsigned es)
{
    IrBuilder *b = w->b;
    IrType t = ir_type(b, v);

    if (es == 3) {
        v = ir_v_shuf32(b, v, 8);
    } else {
        v = ir_v_and(b, v, ir_v_splat(b, t, LANE_I32, ir_i32(b, es == 2 ? 0xffff : 0xff00ff)));
        v = ir_v_pack_u(b, int_lanes[es], v, v);
    }
    return t == IR_V256 ? ir_v_low(b, ir_v_permq(b, v, 8)) : v;
}

void wide_trunc(Wide *w)
{
    IrBuilder *b = w->b;
    unsigned es = w->es + w->w.size1 - w->w.size0;
    IrVal v = halve(w, w->c[0], es);

    if (w->steps == 2) {
        v = ir_v_concat(b, v, halve(w, w->c[1], es));
    }
    while (--es > w->es) {
        v = halve(w, v, es);
    }
    if (w->i->op[0].kind != X86_MEM && w->w.size0 < 4) {
        v = w->w.size0 == 3
                ? ir_v_low64(b, v)
                : ir_v_from_i(b, IR_V128,
                              ir_v_extract(b, w->w.size0 == 2 ? LANE_I32 : LANE_I16, v, 0));
    }
    wide_put_narrow(w, v);
}

/* ---- general registers ---- */

static void to_vector(Wide *w)
{
    IrVal v;

    if (w->w.src_mem) {
        v = wide_narrow(w);
    } else {
        v = ir_get(w->b, V_RAX + (w->w.src & 15));
        v = ir_v_from_i(w->b, IR_V128, w->es == 3 ? v : ir_trunc(w->b, v));
    }
    wide_put_narrow(w, v);
}

static void from_vector(Wide *w)
{
    x86_write(w->s, w->i, 0, ir_v_extract(w->b, w->lane, wide_reg(w, w->w.src, 0), 0));
}

/* clang-format off */
/* Rows whose names say the driver, too. */
static const WideRow rows[] = {
    {ev_unpack_lo, .lane = ir_v_unpack_lo}, {ev_unpack_hi, .lane = ir_v_unpack_hi}, {ev_pshufb, .vec = ir_v_shufb},
    {ev_pack_s, .all = pack}, {ev_pack_u, .all = pack}, {ev_shuf, .all = shuffle}, {ev_permil_imm, .all = permil},
    {ev_pshufd, .all = words}, {ev_pshufhw, .all = words}, {ev_pshuflw, .all = words}, {ev_palignr, .all = words},
    {ev_slldq, .all = words}, {ev_srldq, .all = words}, {ev_permq, .all = permute_quads},
    {ev_shuf128, .all = parts_of_two}, {ev_perm, .all = permute, .sizes = 12},
    {ev_permi2, .all = permute_two, .sizes = 12}, {ev_permt2, .all = permute_two, .sizes = 12},
    {ev_movsldup, .all = doubled}, {ev_movshdup, .all = doubled}, {ev_movddup, .all = doubled},
    {ev_bcast8, .all = broadcast, .own = true}, {ev_bcast16, .all = broadcast, .own = true},
    {ev_bcast32, .all = broadcast, .own = true}, {ev_bcast64, .all = broadcast, .own = true},
    {ev_bcast128, .all = broadcast, .own = true}, {ev_bcast256, .all = broadcast, .own = true},
    {ev_bcast_gpr, .all = broadcast, .own = true}, {ev_insert128, .all = insert, .own = true},
    {ev_insert256, .all = insert, .own = true}, {ev_extract128, .all = extract, .puts = true},
    {ev_extract256, .all = extract, .puts = true}, {ev_gpr_to, .all = to_vector, .own = true, .puts = true},
    {ev_gpr_from, .all = from_vector, .own = true, .puts = true}, {0},
};
/* clang-format on */

const WideRow *wide_shuffle_row(const Wide *w)
{
    EvexKernel *k = w->i->row->kernel;

    if (w->i->row->driver != evex_VEC && w->i->row->driver != evex_GPR) {
        return NULL;
    }
    if (w->type == IR_V128 && (k == ev_permi2 || k == ev_permt2 || k == ev_shuf128)) {
        return NULL;
    }
    for (const WideRow *r = rows; r->kernel; r++) {
        if (r->kernel == k && (!r->sizes || r->sizes >> w->es & 1)) {
            return r;
        }
    }
    return NULL;
}
