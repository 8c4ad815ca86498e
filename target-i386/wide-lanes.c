// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX-512 as IR: instructions that compute each element from those at its place. Floats whose mask
 * bit is clear compute on zeros, so that they leave no flags. SDM 2C, under each name.
 */
#include "target-i386/wide.h"

/* ---- elements ---- */

/* Operands of floats where the mask holds back: 0 for all, but the divisor, which is 1. */
static IrVal held_back(Wide *w, IrVal v, unsigned p, bool divisor)
{
    if (!w->masked) {
        return v;
    }
    if (divisor) {
        IrVal one = wide_splat(w, w->lane, w->es == 2 ? 0x3f800000 : 0x3ff0000000000000);
        return ir_v_blendv(w->b, LANE_I8, one, v, w->mask[p]);
    }
    return ir_v_and(w->b, v, w->mask[p]);
}

static void fused(Wide *w)
{
    typedef IrVal FmaFn(IrBuilder * b, IrLane lane, IrVal x, IrVal y, IrVal z);
    static FmaFn *const fns[16] = {
        [6] = ir_v_fmaddsub, [7] = ir_v_fmsubadd, [8] = ir_v_fma,
        [10] = ir_v_fms,     [12] = ir_v_fnma,    [14] = ir_v_fnms,
    };
    static const uint8_t orders[3][3] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}}; /* 132, 213, 231 */
    const uint8_t *order = orders[(w->i->opcode >> 4) - 9];

    for (unsigned p = 0; p < w->steps; p++) {
        IrVal v[3] = {held_back(w, w->d[p], p, false), held_back(w, w->a[p], p, false),
                      held_back(w, w->c[p], p, false)};
        w->r[p] = fns[w->i->opcode & 15](w->b, w->flane, v[order[0]], v[order[1]], v[order[2]]);
    }
}

void wide_floats(Wide *w, const WideRow *row)
{
    for (unsigned p = 0; p < w->steps; p++) {
        IrVal x = held_back(w, w->a[p], p, false);
        IrVal y = held_back(w, w->c[p], p, row->kernel == ev_fdiv);
        w->r[p] = row->flane(w->b, w->flane, x, y);
    }
}

static void root(Wide *w)
{
    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = ir_v_fsqrt(w->b, w->flane, held_back(w, w->c[p], p, false));
    }
}

/* To no digits behind the point: ROUNDPS. */
static void rndscale(Wide *w)
{
    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = ir_v_fround(w->b, w->flane, held_back(w, w->c[p], p, false), w->imm);
    }
}

static void from_i32(Wide *w)
{
    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = ir_v_i32_f32(w->b, held_back(w, w->c[p], p, false));
    }
}

static void to_i32(Wide *w)
{
    unsigned chop = w->i->row->kernel == ev_f32_it;

    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = ir_v_f32_i32(w->b, held_back(w, w->c[p], p, false), chop);
    }
}

/* No element: the sign bit where it is compared without. */
static IrVal greater(Wide *w, IrVal x, IrVal y, bool sign)
{
    if (!sign) {
        IrVal top = wide_splat(w, w->lane, 1ull << ((8u << w->es) - 1));
        x = ir_v_xor(w->b, x, top);
        y = ir_v_xor(w->b, y, top);
    }
    return ir_v_cmpgt(w->b, w->lane, x, y);
}

static IrVal all_ones(Wide *w)
{
    return wide_splat(w, LANE_I64, UINT64_MAX);
}

static void compare(Wide *w)
{
    EvexKernel *k = w->i->row->kernel;
    IrBuilder *b = w->b;
    bool invert = k == ev_test || ((k == ev_cmps || k == ev_cmpu) && w->imm & 4);
    IrVal r[2];

    for (unsigned p = 0; p < w->steps; p++) {
        IrVal x = w->a[p], y = w->c[p];
        unsigned how = k == ev_cmpeq ? 0 : k == ev_cmpgt ? 4 : w->imm & 3;
        if (k == ev_sign) {
            r[p] = y;
        } else if (k == ev_test || k == ev_testn) {
            r[p] = ir_v_cmpeq(b, w->lane, ir_v_and(b, x, y), ir_v_zero(b, w->type));
        } else if (k == ev_fcmp) {
            r[p] = ir_v_fcmp(b, w->flane, held_back(w, x, p, false), held_back(w, y, p, false),
                             w->imm & 31);
        } else if (how == 0) {
            r[p] = ir_v_cmpeq(b, w->lane, x, y);
        } else if (how == 1) {
            r[p] = greater(w, y, x, k == ev_cmps);
        } else if (how == 2) {
            r[p] = ir_v_xor(b, greater(w, x, y, k == ev_cmps), all_ones(w));
        } else {
            r[p] = how == 4 ? greater(w, x, y, true) : ir_v_zero(b, w->type);
        }
    }
    wide_put_opmask(w, r, invert);
}

/* Functions of two, by their four results: bit 2x + y. */
static IrVal two_bits(Wide *w, unsigned t, IrVal x, IrVal y)
{
    IrBuilder *b = w->b;

    switch (t) {
    case 0:
        return ir_v_zero(b, w->type);
    case 2:
        return ir_v_andn(b, x, y);
    case 4:
        return ir_v_andn(b, y, x);
    case 6:
        return ir_v_xor(b, x, y);
    case 8:
        return ir_v_and(b, x, y);
    case 10:
        return y;
    case 12:
        return x;
    case 14:
        return ir_v_or(b, x, y);
    default:
        return ir_v_xor(b, two_bits(w, 15 - t, x, y), all_ones(w));
    }
}

/* f(d, x, y) = f(0, x, y) ^ (d & (f(0, x, y) ^ f(1, x, y))). */
static void ternary(Wide *w)
{
    unsigned off = w->imm & 15, differs = off ^ w->imm >> 4;

    for (unsigned p = 0; p < w->steps; p++) {
        IrVal f = two_bits(w, off, w->a[p], w->c[p]);
        if (differs) {
            IrVal d = differs == 15
                          ? w->d[p]
                          : ir_v_and(w->b, w->d[p], two_bits(w, differs, w->a[p], w->c[p]));
            f = ir_v_xor(w->b, f, d);
        }
        w->r[p] = f;
    }
}

/* Shifts of 64 bits that keep the sign are not among the IR's: x >> n, then the sign's place. */
static IrVal sar64(Wide *w, IrVal v, unsigned n)
{
    IrVal top = wide_splat(w, LANE_I64, 1ull << (63 - n));

    return ir_v_sub(w->b, LANE_I64, ir_v_xor(w->b, ir_v_shr_i(w->b, LANE_I64, v, n), top), top);
}

static void shift_imm(Wide *w)
{
    EvexKernel *k = w->i->row->kernel;
    IrBuilder *b = w->b;
    unsigned bits = 8u << w->es, n = w->imm;

    for (unsigned p = 0; p < w->steps; p++) {
        IrVal v = w->c[p];
        if (k == ev_shl) {
            w->r[p] = ir_v_shl_i(b, w->lane, v, n);
        } else if (k == ev_shr) {
            w->r[p] = ir_v_shr_i(b, w->lane, v, n);
        } else if (k == ev_sar) {
            w->r[p] = w->es == 3 ? sar64(w, v, MIN(n, 63)) : ir_v_sar_i(b, w->lane, v, n);
        } else {
            unsigned left = (k == ev_rol ? n : bits - n % bits) % bits;
            w->r[p] = left ? ir_v_or(b, ir_v_shl_i(b, w->lane, v, left),
                                     ir_v_shr_i(b, w->lane, v, bits - left))
                           : v;
        }
    }
}

static void shift_count(Wide *w)
{
    EvexKernel *k = w->i->row->kernel;

    IrVal n = wide_narrow(w);
    LaneFn *fn = k == ev_shl ? ir_v_shl_v : k == ev_shr ? ir_v_shr_v : ir_v_sar_v;
    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = fn(w->b, w->lane, w->a[p], n);
    }
}

static void absolute(Wide *w)
{
    for (unsigned p = 0; p < w->steps; p++) {
        if (w->es < 3) {
            w->r[p] = ir_v_abs(w->b, w->lane, w->c[p]);
        } else {
            IrVal sign = ir_v_cmpgt(w->b, w->lane, ir_v_zero(w->b, w->type), w->c[p]);
            w->r[p] = ir_v_sub(w->b, w->lane, ir_v_xor(w->b, w->c[p], sign), sign);
        }
    }
}

static void minmax64(Wide *w)
{
    EvexKernel *k = w->i->row->kernel;
    bool sign = k == ev_mins || k == ev_maxs, max = k == ev_maxs || k == ev_maxu;

    for (unsigned p = 0; p < w->steps; p++) {
        IrVal first = greater(w, max ? w->a[p] : w->c[p], max ? w->c[p] : w->a[p], sign);
        w->r[p] = ir_v_blendv(w->b, LANE_I8, w->c[p], w->a[p], first);
    }
}

/* The low 64 bits: low * low + (low * high + high * low) * 2^32. */
static void multiply64(Wide *w)
{
    IrBuilder *b = w->b;

    for (unsigned p = 0; p < w->steps; p++) {
        IrVal x = w->a[p], y = w->c[p];
        IrVal mid = ir_v_add(b, LANE_I64, ir_v_mul_even_u(b, ir_v_shr_i(b, LANE_I64, x, 32), y),
                             ir_v_mul_even_u(b, x, ir_v_shr_i(b, LANE_I64, y, 32)));
        w->r[p] = ir_v_add(b, LANE_I64, ir_v_mul_even_u(b, x, y), ir_v_shl_i(b, LANE_I64, mid, 32));
    }
}

static void copy(Wide *w)
{
    w->r[0] = w->c[0];
    w->r[1] = w->c[1];
}

static void blend(Wide *w)
{
    w->d[0] = w->a[0];
    w->d[1] = w->a[1];
    copy(w);
}

static void from_opmask(Wide *w)
{
    for (unsigned p = 0; p < w->steps; p++) {
        w->r[p] = wide_spread(w, wide_opmask(w, w->w.src), p);
    }
}

/* clang-format off */
/* Rows by driver: the same kernel means another thing with another. */
static const WideRow lanes2[] = {
    {ev_add, .lane = ir_v_add}, {ev_sub, .lane = ir_v_sub}, {ev_adds, .lane = ir_v_adds_s},
    {ev_addus, .lane = ir_v_adds_u}, {ev_subs, .lane = ir_v_subs_s}, {ev_subus, .lane = ir_v_subs_u},
    {ev_avg, .lane = ir_v_avg_u}, {ev_mull, .lane = ir_v_mul, .sizes = 6}, {ev_mull, .all = multiply64, .sizes = 8},
    {ev_mulh, .lane = ir_v_mulh_s}, {ev_mulhu, .lane = ir_v_mulh_u},
    {ev_mins, .lane = ir_v_min_s, .sizes = 7}, {ev_maxs, .lane = ir_v_max_s, .sizes = 7},
    {ev_minu, .lane = ir_v_min_u, .sizes = 7}, {ev_maxu, .lane = ir_v_max_u, .sizes = 7},
    {ev_mins, .all = minmax64}, {ev_maxs, .all = minmax64}, {ev_minu, .all = minmax64}, {ev_maxu, .all = minmax64},
    {ev_shl, .lane = ir_v_shl_l, .sizes = 12}, {ev_shr, .lane = ir_v_shr_l, .sizes = 12},
    {ev_sar, .lane = ir_v_sar_l, .sizes = 4},
    {ev_and, .vec = ir_v_and}, {ev_or, .vec = ir_v_or}, {ev_xor, .vec = ir_v_xor}, {ev_andn, .vec = ir_v_andn},
    {ev_muldq, .vec = ir_v_mul_even_s}, {ev_muludq, .vec = ir_v_mul_even_u}, {ev_maddwd, .vec = ir_v_madd16},
    {ev_maddubsw, .vec = ir_v_maddubs}, {ev_mulhrs, .vec = ir_v_mulhrs}, {ev_sadbw, .vec = ir_v_sad},
    {ev_ternlog, .all = ternary}, {ev_fma, .all = fused},
    {ev_fadd, .flane = ir_v_fadd}, {ev_fsub, .flane = ir_v_fsub}, {ev_fmul, .flane = ir_v_fmul},
    {ev_fdiv, .flane = ir_v_fdiv}, {ev_fmin, .flane = ir_v_fminb}, {ev_fmax, .flane = ir_v_fmaxb}, {0},
};
static const WideRow lanes1[] = {{ev_abs, .all = absolute}, {ev_fsqrt, .all = root}, {ev_rndscale, .all = rndscale}, {0}};
static const WideRow shifts_imm[] = {
    {ev_shl, .all = shift_imm}, {ev_shr, .all = shift_imm}, {ev_sar, .all = shift_imm},
    {ev_rol, .all = shift_imm}, {ev_ror, .all = shift_imm}, {0},
};
static const WideRow shifts_count[] = {
    {ev_shl, .all = shift_count, .own = true}, {ev_shr, .all = shift_count, .own = true}, {ev_sar, .all = shift_count, .sizes = 7, .own = true}, {0},
};
static const WideRow compares[] = {
    {ev_cmpeq, .all = compare, .puts = true, .masks = true}, {ev_cmpgt, .all = compare, .puts = true, .masks = true}, {ev_cmps, .all = compare, .puts = true, .masks = true}, {ev_cmpu, .all = compare, .puts = true, .masks = true},
    {ev_test, .all = compare, .puts = true, .masks = true}, {ev_testn, .all = compare, .puts = true, .masks = true}, {ev_sign, .all = compare, .puts = true, .masks = true}, {ev_fcmp, .all = compare, .puts = true, .masks = true}, {0},
};
static const WideRow conversions[] = {
    {ev_mov, .all = copy}, {ev_i32_f, .all = from_i32, .sizes = 4}, {ev_f32_i, .all = to_i32, .sizes = 4},
    {ev_f32_it, .all = to_i32, .sizes = 4}, {ev_trunc, .all = wide_trunc, .puts = true}, {ev_zext, .all = wide_extend, .own = true},
    {ev_sext, .all = wide_extend, .own = true}, {0},
};
static const WideRow blends[] = {{ev_blend, .all = blend}, {0}};
static const WideRow from_k[] = {{ev_mov, .all = from_opmask}, {0}};
/* clang-format on */

const WideRow *wide_row(const Wide *w)
{
    static const struct {
        EvexDriver *driver;
        const WideRow *rows;
    } tables[] = {
        {evex_L2, lanes2},        {evex_L1, lanes1},    {evex_SHI, shifts_imm},
        {evex_SHC, shifts_count}, {evex_CMP, compares}, {evex_CV, conversions},
        {evex_BLEND, blends},     {evex_FROMK, from_k},
    };

    for (unsigned n = 0; n < ARRAY_COUNT(tables); n++) {
        if (tables[n].driver != w->i->row->driver) {
            continue;
        }
        for (const WideRow *r = tables[n].rows; r->kernel; r++) {
            if (r->kernel == w->i->row->kernel && (!r->sizes || r->sizes >> w->es & 1)) {
                return r;
            }
        }
    }
    return wide_shuffle_row(w);
}
