// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SVE: floating point, element by element by predicate; the arithmetic is fp-core.c's, or the
 * host's where that cannot be told. C8.2.
 */
#include "target-arm/sve.h"

#include "target-arm/helpers.h"

static const uint64_t one[4] = {0, 0x3c00, 0x3f800000, 0x3ff0000000000000};
static const uint8_t mant_bits[4] = {0, 10, 23, 52};

static uint64_t exp_mask(unsigned size)
{
    return (sv_sign(size) - 1) & ~((1ull << mant_bits[size]) - 1);
}

static bool is_nan(unsigned size, uint64_t a)
{
    return (a & (sv_sign(size) - 1)) > exp_mask(size);
}

/* ---- two operands ---- */

static uint64_t scale(ArmCpu *c, unsigned size, uint64_t a, int64_t by)
{
    unsigned m = mant_bits[size];
    int bias = (1 << (sv_bits(size) - m - 2)) - 1, e;
    uint64_t r = fp_op2(c, size, FP_MUL, a, one[size]), sign = r & sv_sign(size),
             frac = r & ((1ull << m) - 1);

    by = by > 5000 ? 5000 : by < -5000 ? -5000 : by;
    if ((r & (sv_sign(size) - 1)) >= exp_mask(size) || !(r & (sv_sign(size) - 1))) {
        return r;
    }
    e = (int)((r & exp_mask(size)) >> m);
    if (e == 0) {
        for (e = 1; !(frac >> m & 1); e--) {
            frac <<= 1;
        }
        frac &= (1ull << m) - 1;
    }
    e += (int)by;
    if (e > 2 * bias) {         /* overflow, as the rounding mode has it */
        uint64_t huge = exp_mask(size) - 1;

        return fp_op2(c, size, FP_MUL, huge | sign, huge);
    }
    if (e >= 1) {
        return sign | (uint64_t)e << m | frac;
    }
    int down = e - 1 < -(int)m - 3 ? -(int)m - 3 : e - 1;

    return fp_op2(c, size, FP_MUL, sign | 1ull << m | frac, (uint64_t)(bias + down) << m);
}

static uint64_t fbin(ArmCpu *c, unsigned size, unsigned op, uint64_t a, uint64_t b)
{
    switch (op) {
    case SVF_TSMUL: {
        uint64_t r = arm_fp_lane2(c, size, FP_MUL, a, a);

        return is_nan(size, r) ? r : (r & ~sv_sign(size)) | (b & 1 ? sv_sign(size) : 0);
    }
    case SVF_TSSEL:
        return (b & 1 ? one[size] : a) ^ (b & 2 ? sv_sign(size) : 0);
    case SVF_SCALE:
        return scale(c, size, a, sv_sx(b, size));
    default:
        return arm_fp_lane2(c, size, op, a, b);
    }
}

void helper_sve_fbin(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc), per = 16u >> size;
    const ArmZ *a = sv_z(c, sv_rn(desc), vl), *b = sv_z(c, sv_rm(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    ArmZ r;

    if (!sv_elem(desc) && sv_all_active(p, size, vl) &&
        sv_fast_fbin(c, op, size, a, b, &r, vl)) {
        sv_set_z(c, sv_rd(desc), &r, vl);
        return;
    }
    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            uint64_t y =
                sv_get(b, size, sv_elem(desc) ? (i & ~(per - 1)) + (unsigned)sv_imm(desc) : i);

            sv_put(&r, size, i, fbin(c, size, op, sv_get(a, size, i), y));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* The second operand (of tn: the first) is b. */
void helper_sve_fbini(Cpu *cpu, uint64_t desc, uint64_t b)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            uint64_t a = sv_get(&r, size, i);

            sv_put(&r, size, i, sv_tn(desc) ? fbin(c, size, op, b, a) : fbin(c, size, op, a, b));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_ftmad(Cpu *cpu, uint64_t desc)
{
    static const uint16_t h[16] = {0x3c00, 0xb155, 0x2030, 0, 0, 0, 0, 0, 0x3c00, 0xb800, 0x293a};
    static const uint32_t s[16] = {0x3f800000, 0xbe2aaaab, 0x3c088886, 0xb95008b9, 0x36369d6d,
                                   0,          0,          0,          0x3f800000, 0xbf000000,
                                   0x3d2aaaa6, 0xbab60705, 0x37cd37cc};
    static const uint64_t d[16] = {
        0x3ff0000000000000, 0xbfc5555555555543, 0x3f8111111110f30c, 0xbf2a01a019b92fc6,
        0x3ec71de351f3d22b, 0xbe5ae5e2b60f7b91, 0x3de5d8408868552f, 0,
        0x3ff0000000000000, 0xbfe0000000000000, 0x3fa5555555555536, 0xbf56c16c16c13a0b,
        0x3efa01a019b1e8d8, 0xbe927e4f7282f468, 0x3e21ee96d2641b13, 0xbda8f76380fbb401};
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), x = (unsigned)sv_imm(desc);
    const ArmZ *m = sv_z(c, sv_rm(desc), vl);
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        uint64_t b = sv_get(m, size, i);
        unsigned k = x + (b & sv_sign(size) ? 8 : 0);
        uint64_t coeff = size == 1 ? h[k] : size == 2 ? s[k] : d[k];

        sv_put(&r, size, i,
               fp_muladd(c, size, coeff, sv_get(&r, size, i), b & ~sv_sign(size), false, false));
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_fpair(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc);
    const ArmZ *a = sv_z(c, sv_rd(desc), vl), *b = sv_z(c, sv_rm(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    ArmZ r;

    memcpy(&r, a, vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            const ArmZ *s = i & 1 ? b : a;

            sv_put(&r, size, i,
                   arm_fp_lane2(c, size, op, sv_get(s, size, i & ~1u), sv_get(s, size, i | 1)));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* ---- three ---- */

void helper_sve_ftern(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc), per = 16u >> size;
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl),
               *a = sv_z(c, sv_ra(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    bool neg_a = op >= SVFT_NMLA, neg_n = op == SVFT_MLS || op == SVFT_NMLA;
    ArmZ r;

    if (!sv_elem(desc) && sv_all_active(p, size, vl) &&
        sv_fast_fma(c, size, a, n, m, &r, vl, neg_a, neg_n)) {
        sv_set_z(c, sv_rd(desc), &r, vl);
        return;
    }
    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            uint64_t y =
                sv_get(m, size, sv_elem(desc) ? (i & ~(per - 1)) + (unsigned)sv_imm(desc) : i);

            sv_put(&r, size, i,
                   arm_fp_lane3(c, size, sv_get(a, size, i), sv_get(n, size, i), y, neg_a, neg_n));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_fcmla(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), rot = sv_tn(desc), per = 8u >> size,
             src = rot & 1;
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    uint64_t sign = sv_sign(size);
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size >> 1; i++) {
        unsigned g = sv_elem(desc) ? (i & ~(per - 1)) + (unsigned)sv_imm(desc) : i;
        uint64_t x = sv_get(n, size, 2 * i + src), re = sv_get(m, size, 2 * g),
                 im = sv_get(m, size, 2 * g + 1);
        uint64_t e1 = (src ? im : re) ^ (rot == 1 || rot == 2 ? sign : 0),
                 e2 = (src ? re : im) ^ (rot >= 2 ? sign : 0);

        if (sv_on(p, (2 * i) << size)) {
            sv_put(&r, size, 2 * i,
                   fp_muladd(c, size, sv_get(&r, size, 2 * i), x, e1, false, false));
        }
        if (sv_on(p, (2 * i + 1) << size)) {
            sv_put(&r, size, 2 * i + 1,
                   fp_muladd(c, size, sv_get(&r, size, 2 * i + 1), x, e2, false, false));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_fcadd(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), rot270 = sv_tn(desc);
    const ArmZ *m = sv_z(c, sv_rm(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    uint64_t sign = sv_sign(size);
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            uint64_t y = sv_get(m, size, i ^ 1) ^ (!(i & 1) == !rot270 ? sign : 0);

            sv_put(&r, size, i, arm_fp_lane2(c, size, FP_ADD, sv_get(&r, size, i), y));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* op: 0 FMLAL, 1 FMLSL, 2 BFMLAL: odd (tn) or even halves of n and m, m by element. */
void helper_sve_fmlal(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), op = sv_op(desc), t = sv_tn(desc) & 1;
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl),
               *d = sv_z(c, sv_rd(desc), vl);
    ArmZ r;

    for (unsigned i = 0; i < vl / 16; i++) {
        Vec128Lanes x = {.q = {0, 0}}, y = {.q = {0, 0}};

        for (unsigned k = 0; k < 4; k++) {
            unsigned to = op == 2 ? 2 * k + 1 : k;

            x.w[to] = n->h[8 * i + 2 * k + t];
            y.w[to] = m->h[8 * i + (sv_elem(desc) ? (unsigned)sv_imm(desc) : 2 * k + t)];
        }
        r.q[i] = op == 2 ? helper_bfmlal(cpu, d->q[i], x.v, y.v, 0)
                         : helper_fmlal(cpu, d->q[i], x.v, y.v, op | 2);
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* op: 1 BFMMLA. */
void helper_sve_bfdot(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc);
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl),
               *d = sv_z(c, sv_rd(desc), vl);
    ArmZ r;

    for (unsigned i = 0; i < vl / 16; i++) {
        Vec128Lanes y = {.v = m->q[i]};

        if (sv_elem(desc)) {
            uint32_t e = y.l[sv_imm(desc)];

            y.l[0] = y.l[1] = y.l[2] = y.l[3] = e;
        }
        r.q[i] = helper_bfdot(d->q[i], n->q[i], y.v, sv_op(desc));
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_fmmla(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), per = 4;
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl),
               *d = sv_z(c, sv_rd(desc), vl);
    ArmZ r = {.d = {0}};

    for (unsigned s = 0; s + per <= vl >> size; s += per) {
        for (unsigned k = 0; k < 4; k++) {
            unsigned i = s + (k & 2), j = s + 2 * (k & 1);
            uint64_t p0 = arm_fp_lane2(c, size, FP_MUL, sv_get(n, size, i), sv_get(m, size, j));
            uint64_t p1 =
                arm_fp_lane2(c, size, FP_MUL, sv_get(n, size, i + 1), sv_get(m, size, j + 1));

            sv_put(&r, size, s + k,
                   arm_fp_lane2(c, size, FP_ADD, sv_get(d, size, s + k),
                                arm_fp_lane2(c, size, FP_ADD, p0, p1)));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* ---- one ---- */

/* FEXPA: 2 to the power of k/64 (half precision: k/32), its fraction rounded. */
static uint64_t exp_a(unsigned size, uint64_t a)
{
    static const uint64_t fractions[64] = {
        0x0000000000000, 0x02c9a3e778061, 0x059b0d3158574, 0x0874518759bc8, 0x0b5586cf9890f,
        0x0e3ec32d3d1a2, 0x11301d0125b51, 0x1429aaea92de0, 0x172b83c7d517b, 0x1a35beb6fcb75,
        0x1d4873168b9aa, 0x2063b88628cd6, 0x2387a6e756238, 0x26b4565e27cdd, 0x29e9df51fdee1,
        0x2d285a6e4030b, 0x306fe0a31b715, 0x33c08b26416ff, 0x371a7373aa9cb, 0x3a7db34e59ff7,
        0x3dea64c123422, 0x4160a21f72e2a, 0x44e086061892d, 0x486a2b5c13cd0, 0x4bfdad5362a27,
        0x4f9b2769d2ca7, 0x5342b569d4f82, 0x56f4736b527da, 0x5ab07dd485429, 0x5e76f15ad2148,
        0x6247eb03a5585, 0x6623882552225, 0x6a09e667f3bcd, 0x6dfb23c651a2f, 0x71f75e8ec5f74,
        0x75feb564267c9, 0x7a11473eb0187, 0x7e2f336cf4e62, 0x82589994cce13, 0x868d99b4492ed,
        0x8ace5422aa0db, 0x8f1ae99157736, 0x93737b0cdc5e5, 0x97d829fde4e50, 0x9c49182a3f090,
        0xa0c667b5de565, 0xa5503b23e255d, 0xa9e6b5579fdbf, 0xae89f995ad3ad, 0xb33a2b84f15fb,
        0xb7f76f2fb5e47, 0xbcc1e904bc1d2, 0xc199bdd85529c, 0xc67f12e57d14b, 0xcb720dcef9069,
        0xd072d4a07897c, 0xd5818dcfba487, 0xda9e603db3285, 0xdfc97337b9b5f, 0xe502ee78b3ff6,
        0xea4afa2a490da, 0xefa1bee615a27, 0xf50765b6e4540, 0xfa7c1819e90d8,
    };
    unsigned index_bits = size == 1 ? 5 : 6, m = mant_bits[size], less = 52 - m;
    uint64_t index = a & ((1u << index_bits) - 1), e = a >> index_bits & (exp_mask(size) >> m);
    uint64_t fraction = fractions[size == 1 ? index * 2 : index];

    return e << m | (fraction + (less ? 1ull << (less - 1) : 0)) >> less;
}

static uint64_t log_b(ArmCpu *c, unsigned size, uint64_t a)
{
    unsigned m = mant_bits[size];
    int bias = (1 << (sv_bits(size) - m - 2)) - 1;
    uint64_t mag = a & (sv_sign(size) - 1);

    if (mag == exp_mask(size)) {
        return sv_sign(size) - 1;
    }
    if (mag && !(mag & exp_mask(size)) && c->fpcr & (size == 1 ? FPCR_FZ16 : FPCR_FZ)) {
        c->fpsr |= size == 1 ? 0 : FPSR_IDC;
        mag = 0;
    }
    if (!mag || is_nan(size, a)) {
        c->fpsr |= FPSR_IOC;
        return sv_sign(size);
    }
    int e = (int)(mag >> m) - bias;

    if (!(mag & exp_mask(size))) {
        e = 1 - bias - ((int)m - (63 - __builtin_clzll(mag)));
    }
    return (uint64_t)(int64_t)e;
}

void helper_sve_fun(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc);
    const ArmZ *a = sv_z(c, sv_rn(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            uint64_t v = sv_get(a, size, i);

            sv_put(&r, size, i,
                   op == SVF1_EXPA   ? exp_a(size, v)
                   : op == SVF1_LOGB ? log_b(c, size, v)
                                     : fp_op1(c, size, op, v));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/*
 * FADDA in order, the others by halves of the next power of two, inactive elements being neutral.
 */
void helper_sve_fred(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc), n = vl >> size, full = 1;
    const ArmZ *a = sv_z(c, sv_rn(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    uint64_t v[128], neutral = op == FP_ADD   ? 0
                               : op == FP_MAX ? exp_mask(size) | sv_sign(size)
                               : op == FP_MIN ? exp_mask(size)
                                              : fp_default_nan(size);

    if (op == SVF_ADDA) {
        uint64_t sum = sv_get(&c->z[sv_rd(desc)], size, 0);

        for (unsigned i = 0; i < n; i++) {
            if (sv_on(p, i << size)) {
                sum = arm_fp_lane2(c, size, FP_ADD, sum, sv_get(a, size, i));
            }
        }
        sv_set_v(c, sv_rd(desc), sum, 0);
        return;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(v); i++) {
        v[i] = i < n && sv_on(p, i << size) ? sv_get(a, size, i) : neutral;
    }
    while (full < n) {
        full *= 2;
    }
    for (; full > 1; full /= 2) {
        for (unsigned i = 0; i < full / 2; i++) {
            v[i] = arm_fp_lane2(c, size, op, v[2 * i], v[2 * i + 1]);
        }
    }
    sv_set_v(c, sv_rd(desc), v[0], 0);
}

/* ---- comparisons ---- */

void helper_sve_fcmp(Cpu *cpu, uint64_t desc)
{
    static const uint8_t ops[] = {
        [SVFM_GE] = FP_CMGE, [SVFM_GT] = FP_CMGT,  [SVFM_EQ] = FP_CMEQ,
        [SVFM_NE] = FP_CMEQ, [SVFM_LT] = FP_CMGT,  [SVFM_LE] = FP_CMGE,
        [SVFM_UO] = 0,       [SVFM_AGE] = FP_ACGE, [SVFM_AGT] = FP_ACGT,
    };
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc);
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc) & 31, vl);
    const uint64_t *g = sv_p(c, sv_pg(desc));
    uint64_t r[4] = {0};

    for (unsigned i = 0; i < vl >> size; i++) {
        if (!sv_on(g, i << size)) {
            continue;
        }
        uint64_t a = sv_get(n, size, i), b = sv_tn(desc) ? 0 : sv_get(m, size, i);
        bool on, swap = op == SVFM_LT || op == SVFM_LE;

        if (op == SVFM_UO) {
            on = fp_compare(c, size, a, b, false) == 3;
        } else {
            on = fp_op2(c, size, ops[op], swap ? b : a, swap ? a : b) != 0;
            on ^= op == SVFM_NE;
        }
        r[i << size >> 6] |= (uint64_t)on << ((i << size) & 63);
    }
    memcpy(c->p[sv_rd(desc)], r, sizeof(r));
}

/* ---- conversions ---- */

/*
 * From format size to imm (0: bfloat16); tn: 1 from odd halves, 2 into odd halves; the rounding is
 * in rm.
 */
void helper_sve_fcvt(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), from = sv_size(desc), fmt = (unsigned)sv_imm(desc),
             to = fmt ? fmt : 1, box = MAX(from, to), tn = sv_tn(desc);
    const ArmZ *a = sv_z(c, sv_rn(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> box; i++) {
        if (sv_on(p, i << box)) {
            uint64_t v = sv_get(a, from, (i << (box - from)) + (tn == 1));

            v = sv_zx(fp_convert(c, from, fmt, v, sv_rm(desc)), to);
            if (tn == 2) {
                sv_put(&r, to, 2 * i + 1, v);
            } else {
                sv_put(&r, box, i, v);
            }
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* Between floats of size and integers of imm; op: 1 to integers; tn: unsigned. */
void helper_sve_icvt(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), isize = (unsigned)sv_imm(desc),
             box = MAX(size, isize);
    const ArmZ *a = sv_z(c, sv_rn(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    bool u = sv_tn(desc);
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> box; i++) {
        if (sv_on(p, i << box)) {
            uint64_t v = sv_get(a, box, i);

            if (sv_op(desc)) {
                v = fp_to_int(c, size, sv_zx(v, size), ROUND_Z, !u, sv_bits(isize), 0);
                v = u ? sv_zx(v, isize) : (uint64_t)sv_sx(v, isize);
            } else {
                v = sv_zx(v, isize);
                v = fp_from_int(c, size, v, !u, sv_bits(isize), 0);
            }
            sv_put(&r, box, i, v);
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}
