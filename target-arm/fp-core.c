// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floating point as the pseudocode of A1.5 and of the shared functions (J1.3) has it: NaN
 * propagation, flush to zero, all roundings, cumulative flags. Half and single precision are worked
 * out in double, which holds their sums, products, quotients and roots well enough for one rounding
 * to be right.
 */
#include "target-arm/fp-core.h"

#include <string.h>

/* By format; 0 is bfloat16, which things are only converted to. */
static const uint8_t exp_bits[4] = {8, 5, 8, 11}, man_bits[4] = {7, 10, 23, 52};

static uint64_t sign_bit(unsigned fmt)
{
    return 1ull << (exp_bits[fmt] + man_bits[fmt]);
}

static uint64_t inf_bits(unsigned fmt)
{
    return ((1ull << exp_bits[fmt]) - 1) << man_bits[fmt];
}

static uint64_t quiet_bit(unsigned fmt)
{
    return 1ull << (man_bits[fmt] - 1);
}

uint64_t fp_default_nan(unsigned fmt)
{
    return inf_bits(fmt) | quiet_bit(fmt);
}

static bool is_nan(unsigned fmt, uint64_t a)
{
    return (a & ~sign_bit(fmt)) > inf_bits(fmt);
}

static bool is_snan(unsigned fmt, uint64_t a)
{
    return is_nan(fmt, a) && !(a & quiet_bit(fmt));
}

static bool is_zero(unsigned fmt, uint64_t a)
{
    return (a & ~sign_bit(fmt)) == 0;
}

static bool is_inf(unsigned fmt, uint64_t a)
{
    return (a & ~sign_bit(fmt)) == inf_bits(fmt);
}

static bool flushes(const ArmCpu *c, unsigned fmt)
{
    return c->fpcr & (fmt == 1 ? FPCR_FZ16 : FPCR_FZ);
}

/* An operand with denormals flushed if FPCR says so. */
static uint64_t input(ArmCpu *c, unsigned fmt, uint64_t a)
{
    if (flushes(c, fmt) && !(a & inf_bits(fmt)) && !is_zero(fmt, a)) {
        c->fpsr |= fmt == 1 ? 0 : FPSR_IDC;
        return a & sign_bit(fmt);
    }
    return a;
}

static uint64_t nan_result(ArmCpu *c, unsigned fmt, uint64_t a)
{
    if (is_snan(fmt, a)) {
        c->fpsr |= FPSR_IOC;
        a |= quiet_bit(fmt);
    }
    return c->fpcr & FPCR_DN ? fp_default_nan(fmt) : a;
}

/* FPProcessNaNs: signalling ones first. */
static bool nans2(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b, uint64_t *r)
{
    if (!is_nan(fmt, a) && !is_nan(fmt, b)) {
        return false;
    }
    *r = nan_result(c, fmt, is_snan(fmt, a) ? a : is_snan(fmt, b) ? b : is_nan(fmt, a) ? a : b);
    return true;
}

static uint64_t invalid(ArmCpu *c, unsigned fmt)
{
    c->fpsr |= FPSR_IOC;
    return fp_default_nan(fmt);
}

/* ---- rounding ---- */


static unsigned rounding(const ArmCpu *c, unsigned round)
{
    return round == ROUND_CUR ? c->fpcr >> FPCR_RMODE_SHIFT & 3 : round;
}

/* m * 2^e with a sticky bit below, rounded into fmt (FPRound). m has its top bit at 63, or is 0. */
static uint64_t round_pack(ArmCpu *c, unsigned fmt, bool neg, int e, uint64_t m, bool sticky,
                           unsigned round)
{
    int bias = (1 << (exp_bits[fmt] - 1)) - 1, exp = e + 63;    /* value = 1.x * 2^exp */
    unsigned mb = man_bits[fmt], drop = 63 - mb;
    uint64_t sign = neg ? sign_bit(fmt) : 0, frac, rest, half;
    bool tiny = exp < 1 - bias, up;

    if (m == 0) {
        return sign;
    }
    round = rounding(c, round);
    if (tiny && flushes(c, fmt)) {
        c->fpsr |= FPSR_UFC;
        return sign;
    }
    if (tiny) {
        drop += (unsigned)(1 - bias - exp);
    }
    if (drop > 64) {
        sticky = true;
        frac = 0;
        rest = 0;
        half = 1;
    } else if (drop == 64) {
        frac = 0;
        rest = m;
        half = 1ull << 63;
    } else {
        frac = m >> drop;
        rest = m & ((1ull << drop) - 1);
        half = 1ull << (drop - 1);
    }
    bool inexact = rest != 0 || sticky;

    switch (round) {
    case ROUND_N:
        up = drop <= 64 && (rest > half || (rest == half && (sticky || frac & 1)));
        break;
    case ROUND_A:
        up = drop <= 64 && rest >= half;
        break;
    case ROUND_P:
        up = inexact && !neg;
        break;
    case ROUND_M:
        up = inexact && neg;
        break;
    case ROUND_ODD:
        up = false;
        frac |= inexact;
        break;
    default:
        up = false;
    }
    if (inexact && tiny) {
        c->fpsr |= FPSR_UFC;
    }
    frac += up;
    uint64_t bits = tiny ? frac : frac + ((uint64_t)(exp + bias - 1) << mb);

    if (bits >= inf_bits(fmt) || (!tiny && exp > bias)) {
        c->fpsr |= FPSR_OFC | FPSR_IXC;
        bool to_inf = round == ROUND_N || round == ROUND_A || (round == ROUND_P && !neg) ||
                      (round == ROUND_M && neg);

        return sign | (to_inf ? inf_bits(fmt) : inf_bits(fmt) - 1);
    }
    if (inexact) {
        c->fpsr |= FPSR_IXC;
    }
    return sign | bits;
}

/* Unpacks a finite number that is not 0: m has its top bit at 63. */
static void unpack(unsigned fmt, uint64_t a, int *e, uint64_t *m)
{
    int bias = (1 << (exp_bits[fmt] - 1)) - 1;
    uint64_t exp = (a & inf_bits(fmt)) >> man_bits[fmt], man = a & ((1ull << man_bits[fmt]) - 1);

    if (exp) {
        man |= 1ull << man_bits[fmt];
    } else {
        exp = 1;
    }
    unsigned shift = (unsigned)__builtin_clzll(man);

    *m = man << shift;
    *e = (int)exp - bias - man_bits[fmt] - (int)shift;
}

/* ---- arithmetic: the exact result as m * 2^e and a sticky bit ---- */

static uint64_t pack128(ArmCpu *c, unsigned fmt, bool neg, int e, unsigned __int128 m, bool sticky)
{
    uint64_t high = (uint64_t)(m >> 64), low = (uint64_t)m;

    if (high) {
        unsigned s = (unsigned)__builtin_clzll(high);

        m <<= s;
        return round_pack(c, fmt, neg, e + 64 - (int)s, (uint64_t)(m >> 64), sticky || (uint64_t)m,
                          ROUND_CUR);
    }
    if (low) {
        unsigned s = (unsigned)__builtin_clzll(low);

        return round_pack(c, fmt, neg, e - (int)s, low << s, sticky, ROUND_CUR);
    }
    return round_pack(c, fmt, neg, e, 0, sticky, ROUND_CUR);
}

/* Sum of two numbers of 128 bits each (top bit at most 126); zeros have m 0. */
static uint64_t add128(ArmCpu *c, unsigned fmt, bool na, int ea, unsigned __int128 ma, bool nb,
                       int eb, unsigned __int128 mb)
{
    bool sticky = false;

    if (ma == 0 && mb == 0) {
        bool neg = na == nb ? na : rounding(c, ROUND_CUR) == ROUND_M;

        return neg ? sign_bit(fmt) : 0;
    }
    if (ma == 0 || mb == 0) {
        return ma == 0 ? pack128(c, fmt, nb, eb, mb, false) : pack128(c, fmt, na, ea, ma, false);
    }
    /* both with their top bit at 125 */
    while (!(ma >> 125)) {
        ma <<= 1;
        ea--;
    }
    while (!(mb >> 125)) {
        mb <<= 1;
        eb--;
    }
    if (eb > ea || (eb == ea && mb > ma)) {
        unsigned __int128 t = ma;
        int te = ea;
        bool tn = na;

        ma = mb, mb = t, ea = eb, eb = te, na = nb, nb = tn;
    }
    unsigned d = (unsigned)(ea - eb);

    if (d >= 126) {
        sticky = true;
        mb = 0;
    } else if (d) {
        sticky = mb & (((unsigned __int128)1 << d) - 1);
        mb >>= d;
    }
    if (na == nb) {
        return pack128(c, fmt, na, ea, ma + mb, sticky);
    }
    unsigned __int128 r = ma - mb - (sticky ? 1 : 0);

    if (r == 0 && !sticky) {
        return rounding(c, ROUND_CUR) == ROUND_M ? sign_bit(fmt) : 0;
    }
    return pack128(c, fmt, na, ea, r, sticky);
}

static uint64_t add(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b)
{
    uint64_t s = sign_bit(fmt), ma = 0, mb = 0;
    int ea = 0, eb = 0;

    if (is_inf(fmt, a) || is_inf(fmt, b)) {
        if (is_inf(fmt, a) && is_inf(fmt, b) && (a ^ b) & s) {
            return invalid(c, fmt);
        }
        return is_inf(fmt, a) ? a : b;
    }
    if (!is_zero(fmt, a)) {
        unpack(fmt, a, &ea, &ma);
    }
    if (!is_zero(fmt, b)) {
        unpack(fmt, b, &eb, &mb);
    }
    return add128(c, fmt, a & s, ea, ma, b & s, eb, mb);
}

static uint64_t multiply(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b)
{
    uint64_t sign = (a ^ b) & sign_bit(fmt), ma, mb;
    int ea, eb;

    if (is_inf(fmt, a) || is_inf(fmt, b)) {
        return is_zero(fmt, a) || is_zero(fmt, b) ? invalid(c, fmt) : sign | inf_bits(fmt);
    }
    if (is_zero(fmt, a) || is_zero(fmt, b)) {
        return sign;
    }
    unpack(fmt, a, &ea, &ma);
    unpack(fmt, b, &eb, &mb);
    return pack128(c, fmt, sign, ea + eb, (unsigned __int128)ma * mb, false);
}

static uint64_t divide(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b)
{
    uint64_t sign = (a ^ b) & sign_bit(fmt), ma, mb;
    int ea, eb;

    if ((is_inf(fmt, a) && is_inf(fmt, b)) || (is_zero(fmt, a) && is_zero(fmt, b))) {
        return invalid(c, fmt);
    }
    if (is_inf(fmt, a) || is_zero(fmt, b)) {
        c->fpsr |= is_inf(fmt, a) ? 0 : FPSR_DZC;
        return sign | inf_bits(fmt);
    }
    if (is_zero(fmt, a) || is_inf(fmt, b)) {
        return sign;
    }
    unpack(fmt, a, &ea, &ma);
    unpack(fmt, b, &eb, &mb);
    unsigned __int128 n = (unsigned __int128)ma << 63, q = n / mb;

    return pack128(c, fmt, sign, ea - eb - 63, q, n % mb != 0);
}

static uint64_t square_root(ArmCpu *c, unsigned fmt, uint64_t a)
{
    uint64_t m;
    int e;

    if (is_zero(fmt, a)) {
        return a;
    }
    if (a & sign_bit(fmt)) {
        return invalid(c, fmt);
    }
    if (is_inf(fmt, a)) {
        return a;
    }
    unpack(fmt, a, &e, &m);
    unsigned __int128 v = (unsigned __int128)m << 62, r = 0, bit = (unsigned __int128)1 << 126;

    if (e & 1) {
        v <<= 1;
        e--;
    }
    /* bit by bit: r = floor(sqrt(v)) */
    while (bit) {
        if (v >= r + bit) {
            v -= r + bit;
            r = (r >> 1) + bit;
        } else {
            r >>= 1;
        }
        bit >>= 2;
    }
    return pack128(c, fmt, false, (e - 62) / 2, r, v != 0);
}

uint64_t fp_muladd(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b, uint64_t d, bool neg_a,
                   bool neg_b)
{
    uint64_t s = sign_bit(fmt), ma = 0, mb, md;
    int ea = 0, eb, ed;

    a = input(c, fmt, a) ^ (neg_a ? s : 0);
    b = input(c, fmt, b) ^ (neg_b ? s : 0);
    d = input(c, fmt, d);
    bool bad = (is_inf(fmt, b) && is_zero(fmt, d)) || (is_zero(fmt, b) && is_inf(fmt, d));

    if (is_nan(fmt, a) || is_nan(fmt, b) || is_nan(fmt, d)) {
        uint64_t n = is_snan(fmt, a)   ? a
                     : is_snan(fmt, b) ? b
                     : is_snan(fmt, d) ? d
                     : is_nan(fmt, a)  ? a
                     : is_nan(fmt, b)  ? b
                                       : d;

        if (bad && is_nan(fmt, a) && !is_snan(fmt, a)) {
            return invalid(c, fmt);
        }
        return nan_result(c, fmt, n);
    }
    uint64_t sign = (b ^ d) & s;

    if (bad || ((is_inf(fmt, b) || is_inf(fmt, d)) && is_inf(fmt, a) && (a & s) != sign)) {
        return invalid(c, fmt);
    }
    if (is_inf(fmt, a)) {
        return a;
    }
    if (is_inf(fmt, b) || is_inf(fmt, d)) {
        return sign | inf_bits(fmt);
    }
    if (!is_zero(fmt, a)) {
        unpack(fmt, a, &ea, &ma);
    }
    if (is_zero(fmt, b) || is_zero(fmt, d)) {
        return add128(c, fmt, a & s, ea, ma, sign, 0, 0);
    }
    unpack(fmt, b, &eb, &mb);
    unpack(fmt, d, &ed, &md);
    /* the low bits of the mantissas are 0: no bit of the product is lost by a shift of 2 */
    return add128(c, fmt, a & s, ea, ma, sign, eb + ed + 2, ((unsigned __int128)mb * md) >> 2);
}

/* ---- comparison ---- */

/* Total order of numbers that are no NaNs: -1, 0, 1. */
static int order(unsigned fmt, uint64_t a, uint64_t b)
{
    uint64_t s = sign_bit(fmt);
    int64_t x = (int64_t)(a & ~s), y = (int64_t)(b & ~s);

    x = a & s ? -x : x;
    y = b & s ? -y : y;
    return x < y ? -1 : x > y;
}

uint32_t fp_compare(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b, bool signal)
{
    a = input(c, fmt, a);
    b = input(c, fmt, b);
    if (is_nan(fmt, a) || is_nan(fmt, b)) {
        if (signal || is_snan(fmt, a) || is_snan(fmt, b)) {
            c->fpsr |= FPSR_IOC;
        }
        return 3;
    }
    int o = order(fmt, a, b);

    return o < 0 ? 8 : o > 0 ? 2 : 6;
}

static uint64_t min_max(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b, bool max, bool num)
{
    uint64_t s = sign_bit(fmt), r;

    if (num) {      /* a quiet NaN is no number: it loses */
        bool qa = is_nan(fmt, a) && !is_snan(fmt, a), qb = is_nan(fmt, b) && !is_snan(fmt, b);

        if (qa && !qb && !is_nan(fmt, b)) {
            return b;
        }
        if (qb && !qa && !is_nan(fmt, a)) {
            return a;
        }
    }
    if (nans2(c, fmt, a, b, &r)) {
        return r;
    }
    if (is_zero(fmt, a) && is_zero(fmt, b)) {
        return max ? a & b : (a | b) & s;
    }
    return (order(fmt, a, b) > 0) == max ? a : b;
}

static uint64_t recps(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b, bool rsqrt)
{
    uint64_t s = sign_bit(fmt), two, r;
    uint64_t one_half;

    two = ((uint64_t)(1 << (exp_bits[fmt] - 1))) << man_bits[fmt];                  /* 2.0 */
    one_half = (two - (1ull << man_bits[fmt])) | quiet_bit(fmt);                    /* 1.5 */
    if (is_nan(fmt, a ^ s) || is_nan(fmt, b)) {
        nans2(c, fmt, a ^ s, b, &r);
        return r;
    }
    if ((is_inf(fmt, a) && is_zero(fmt, b)) || (is_zero(fmt, a) && is_inf(fmt, b))) {
        return rsqrt ? one_half : two;
    }
    if (is_inf(fmt, a) || is_inf(fmt, b)) {
        return ((a ^ s ^ b) & s) | inf_bits(fmt);
    }
    if (!rsqrt) {
        return fp_muladd(c, fmt, two, a, b, false, true);
    }
    /* (3 - a * b) / 2, rounded once: the exponent is taken down before rounding */
    uint64_t three = two | quiet_bit(fmt), ma, mb;
    int ea, eb, e3;
    uint64_t m3;

    unpack(fmt, three, &e3, &m3);
    if (is_zero(fmt, a) || is_zero(fmt, b)) {
        return one_half;
    }
    unpack(fmt, a, &ea, &ma);
    unpack(fmt, b, &eb, &mb);
    return add128(c, fmt, false, e3 - 1, m3, !((a ^ b) & s), ea + eb + 1,
                  ((unsigned __int128)ma * mb) >> 2);
}

uint64_t fp_op2(ArmCpu *c, unsigned fmt, FpOp op, uint64_t a, uint64_t b)
{
    uint64_t s = sign_bit(fmt), all = s | (s - 1), r;
    uint32_t f;

    a = input(c, fmt, a);
    b = input(c, fmt, b);
    switch (op) {
    case FP_MAX:
    case FP_MIN:
    case FP_MAXNM:
    case FP_MINNM:
        return min_max(c, fmt, a, b, op == FP_MAX || op == FP_MAXNM, op >= FP_MAXNM);
    case FP_RECPS:
    case FP_RSQRTS:
        return recps(c, fmt, a, b, op == FP_RSQRTS);
    case FP_CMEQ:
        return fp_compare(c, fmt, a, b, false) == 6 ? all : 0;
    case FP_CMGE:
    case FP_CMGT:
    case FP_CMLE:
    case FP_CMLT:
        f = op == FP_CMGE || op == FP_CMGT ? fp_compare(c, fmt, a, b, true)
                                           : fp_compare(c, fmt, b, a, true);
        return f == 2 || (f == 6 && (op == FP_CMGE || op == FP_CMLE)) ? all : 0;
    case FP_ACGE:
    case FP_ACGT:
        f = fp_compare(c, fmt, a & ~s, b & ~s, true);
        return f == 2 || (f == 6 && op == FP_ACGE) ? all : 0;
    default:
        break;
    }
    if (nans2(c, fmt, a, b, &r)) {
        return op == FP_ABD ? r & ~s : op == FP_NMUL ? r ^ s : r;
    }
    switch (op) {
    case FP_ADD:
        return add(c, fmt, a, b);
    case FP_SUB:
        return add(c, fmt, a, b ^ s);
    case FP_ABD:
        return add(c, fmt, a, b ^ s) & ~s;
    case FP_DIV:
        return divide(c, fmt, a, b);
    case FP_MULX:
        if ((is_inf(fmt, a) && is_zero(fmt, b)) || (is_zero(fmt, a) && is_inf(fmt, b))) {
            return ((a ^ b) & s) | (uint64_t)(1 << (exp_bits[fmt] - 1)) << man_bits[fmt];
        }
        return multiply(c, fmt, a, b);
    case FP_NMUL:
        return multiply(c, fmt, a, b) ^ s;
    default:
        return multiply(c, fmt, a, b);
    }
}

/* ---- conversions ---- */

uint64_t fp_convert(ArmCpu *c, unsigned from, unsigned to, uint64_t a, unsigned round)
{
    bool neg = a & sign_bit(from), ahp_in = from == 1 && c->fpcr & FPCR_AHP,
         ahp_out = to == 1 && c->fpcr & FPCR_AHP;
    uint64_t sign = neg ? sign_bit(to) : 0, m;
    int e;

    if (from != 1) {
        a = input(c, from, a);
    }
    if (ahp_in && (a & 0x7c00) == 0x7c00) {
        m = (a & 0x3ff) | 0x400;
        unsigned s = (unsigned)__builtin_clzll(m);

        return round_pack(c, to, neg, 6 - (int)s, m << s, false, round);
    }
    if (is_nan(from, a)) {
        if (ahp_out) {
            c->fpsr |= FPSR_IOC;
            return sign;
        }
        if (is_snan(from, a)) {
            c->fpsr |= FPSR_IOC;
        }
        if (c->fpcr & FPCR_DN) {
            return fp_default_nan(to);
        }
        int shift = (int)man_bits[to] - (int)man_bits[from];
        uint64_t man = a & ((1ull << man_bits[from]) - 1);

        man = shift >= 0 ? man << shift : man >> -shift;
        return sign | inf_bits(to) | quiet_bit(to) | man;
    }
    if (is_inf(from, a)) {
        if (ahp_out) {
            c->fpsr |= FPSR_IOC;
            return sign | 0x7fff;
        }
        return sign | inf_bits(to);
    }
    if (is_zero(from, a)) {
        return sign;
    }
    unpack(from, a, &e, &m);
    if (ahp_out && e + 63 > 15) {       /* one exponent more than IEEE; beyond it saturates */
        if (e + 63 == 16) {
            uint32_t saved = c->fpsr;
            uint64_t r = round_pack(c, 1, neg, e - 1, m, false, round);

            if ((r & 0x7fff) + 0x400 < 0x8000) {
                return r + 0x400;
            }
            c->fpsr = saved;
        }
        c->fpsr |= FPSR_IOC;
        return sign | 0x7fff;
    }
    if (to == 1 && c->fpcr & FPCR_FZ16) {       /* conversions do not flush halves */
        uint32_t saved = c->fpcr;
        uint64_t r;

        c->fpcr &= ~FPCR_FZ16;
        r = round_pack(c, to, neg, e, m, false, round);
        c->fpcr = saved;
        return r;
    }
    return round_pack(c, to, neg, e, m, false, round);
}

/* The integral value of a finite |number| by `round`: whether it was exact; false: 2^64 or more. */
static bool integral(uint64_t m, int e, bool neg, unsigned round, uint64_t *v, bool *exact)
{
    uint64_t whole, rest, half;

    if (e > 0) {
        return false;
    }
    if (e <= -64) {
        whole = 0;
        rest = e == -64 ? m : m ? 1 : 0;
        half = 1ull << 63;
    } else {
        whole = e == 0 ? m : m >> -e;
        rest = e == 0 ? 0 : m << (64 + e);
        half = 1ull << 63;
    }
    *exact = rest == 0;
    bool up = round == ROUND_N   ? rest > half || (rest == half && whole & 1)
              : round == ROUND_A ? rest >= half
              : round == ROUND_P ? rest && !neg
              : round == ROUND_M ? rest && neg
                                 : false;

    *v = whole + up;
    return !(up && *v == 0);
}

uint64_t fp_to_int(ArmCpu *c, unsigned fmt, uint64_t a, unsigned round, bool sign, unsigned bits,
                   unsigned frac)
{
    uint64_t max = sign         ? (1ull << (bits - 1)) - 1
                   : bits == 64 ? UINT64_MAX
                                : (1ull << bits) - 1,
             m, v = 0;
    uint64_t mask = bits == 64 ? UINT64_MAX : (1ull << bits) - 1;
    bool neg = a & sign_bit(fmt), exact = true, fits;
    int e;

    a = input(c, fmt, a);
    if (is_nan(fmt, a)) {
        c->fpsr |= FPSR_IOC;
        return 0;
    }
    if (is_zero(fmt, a)) {
        return 0;
    }
    if (is_inf(fmt, a)) {
        fits = false;
    } else {
        unpack(fmt, a, &e, &m);
        fits = integral(m, e + (int)frac, neg, rounding(c, round), &v, &exact);
    }
    uint64_t limit = neg ? sign ? max + 1 : 0 : max;

    if (!fits || v > limit) {
        c->fpsr |= FPSR_IOC;
        return (neg ? 0 - limit : limit) & mask;
    }
    if (!exact) {
        c->fpsr |= FPSR_IXC;
    }
    return (neg ? 0 - v : v) & mask;
}

uint64_t fp_from_int(ArmCpu *c, unsigned fmt, uint64_t v, bool sign, unsigned bits, unsigned frac)
{
    if (bits < 64) {
        v = sign ? (uint64_t)((int64_t)(v << (64 - bits)) >> (64 - bits))
                 : v & ((1ull << bits) - 1);
    }
    bool neg = sign && v >> 63;

    v = neg ? 0 - v : v;
    if (v == 0) {
        return 0;
    }
    unsigned s = (unsigned)__builtin_clzll(v);

    return round_pack(c, fmt, neg, -(int)s - (int)frac, v << s, false, ROUND_CUR);
}

uint32_t fp_jcvt(ArmCpu *c, uint64_t a, bool *exact)
{
    uint64_t m, v;
    bool neg = a >> 63, ex = true;
    int e;

    a = input(c, 3, a);
    *exact = false;
    if (is_nan(3, a) || is_inf(3, a)) {
        c->fpsr |= FPSR_IOC;
        return 0;
    }
    if (is_zero(3, a)) {
        *exact = !neg;
        return 0;
    }
    unpack(3, a, &e, &m);
    if (e > 0) {
        v = e < 64 ? m << e : 0;
        c->fpsr |= FPSR_IOC;
        return (uint32_t)(neg ? 0 - v : v);
    }
    integral(m, e, neg, ROUND_Z, &v, &ex);
    bool range = neg ? v <= 0x80000000u : v <= 0x7fffffff;

    if (!range) {
        c->fpsr |= FPSR_IOC;
    } else if (!ex) {
        c->fpsr |= FPSR_IXC;
    }
    *exact = range && ex;
    return (uint32_t)(neg ? 0 - v : v);
}

static uint64_t round_integral(ArmCpu *c, unsigned fmt, uint64_t a, unsigned round, bool inexact,
                               unsigned limit_bits)
{
    bool neg = a & sign_bit(fmt), exact = true;
    uint64_t m, v, sign = a & sign_bit(fmt);
    int e;

    a = input(c, fmt, a);
    if (limit_bits) {
        uint64_t low =
            sign_bit(fmt) |
            ((uint64_t)(limit_bits - 1 + ((1u << (exp_bits[fmt] - 1)) - 1)) << man_bits[fmt]);

        if (is_nan(fmt, a) || is_inf(fmt, a)) {
            c->fpsr |= FPSR_IOC;
            return low;
        }
        if (!is_zero(fmt, a)) {
            unpack(fmt, a, &e, &m);
            bool fits = integral(m, e, neg, rounding(c, round), &v, &exact);

            if (!fits || v > (1ull << (limit_bits - 1)) - !neg) {
                c->fpsr |= FPSR_IOC;
                return low;
            }
        }
    }
    if (is_nan(fmt, a)) {
        return nan_result(c, fmt, a);
    }
    if (is_inf(fmt, a) || is_zero(fmt, a)) {
        return a;
    }
    unpack(fmt, a, &e, &m);
    if (e + 63 >= (int)man_bits[fmt]) {
        return a;
    }
    integral(m, e, neg, rounding(c, round), &v, &exact);
    if (!exact && inexact) {
        c->fpsr |= FPSR_IXC;
    }
    if (v == 0) {
        return sign;
    }
    unsigned s = (unsigned)__builtin_clzll(v);

    return round_pack(c, fmt, neg, -(int)s, v << s, false, ROUND_Z);
}

/* ---- estimates (J1.3: RecipEstimate, RecipSqrtEstimate) ---- */

static unsigned recip_estimate(unsigned a)      /* 256..511 -> 256..511 */
{
    unsigned b;

    a = a * 2 + 1;
    b = (1 << 19) / a;
    return (b + 1) / 2;
}

static unsigned rsqrt_estimate(unsigned a)      /* 128..511 */
{
    unsigned b = 512;

    if (a < 256) {
        a = a * 2 + 1;
    } else {
        a = (a >> 1 << 1) * 2 + 2;
    }
    while ((uint64_t)a * (b + 1) * (b + 1) < 1u << 28) {
        b++;
    }
    return (b + 1) / 2;
}

uint32_t fp_recip_estimate32(uint32_t a)
{
    return a >> 31 ? recip_estimate(a >> 23) << 23 : UINT32_MAX;
}

uint32_t fp_rsqrt_estimate32(uint32_t a)
{
    return a >> 30 ? rsqrt_estimate(a >> 23) << 23 : UINT32_MAX;
}

static uint64_t recpe(ArmCpu *c, unsigned fmt, uint64_t a)
{
    uint64_t sign = a & sign_bit(fmt);
    int bias = (1 << (exp_bits[fmt] - 1)) - 1, mb = man_bits[fmt];

    if (is_nan(fmt, a)) {
        return nan_result(c, fmt, a);
    }
    if (is_inf(fmt, a)) {
        return sign;
    }
    if (is_zero(fmt, a)) {
        c->fpsr |= FPSR_DZC;
        return sign | inf_bits(fmt);
    }
    if ((a & ~sign_bit(fmt)) < 1ull << (mb - 2)) {     /* |a| < 2^-(bias + 1): overflow */
        unsigned r = rounding(c, ROUND_CUR);
        bool inf = r == ROUND_N || (r == ROUND_P && !sign) || (r == ROUND_M && sign);

        c->fpsr |= FPSR_OFC | FPSR_IXC;
        return sign | (inf ? inf_bits(fmt) : inf_bits(fmt) - 1);
    }
    if (flushes(c, fmt) && (int)((a & inf_bits(fmt)) >> mb) >= 2 * bias - 1) {
        c->fpsr |= FPSR_UFC;
        return sign;
    }
    uint64_t frac = (a & ((1ull << mb) - 1)) << (52 - mb);
    int exp = (int)((a & inf_bits(fmt)) >> mb);

    if (exp == 0) {
        if (!(frac >> 51)) {
            exp = -1;
            frac = frac << 2 & ((1ull << 52) - 1);
        } else {
            frac = frac << 1 & ((1ull << 52) - 1);
        }
    }
    unsigned est = recip_estimate(256 | (unsigned)(frac >> 44));
    int re = 2 * bias - 1 - exp;

    frac = (uint64_t)(est & 255) << 44;
    if (re == 0) {
        frac = 1ull << 51 | frac >> 1;
    } else if (re == -1) {
        frac = 1ull << 50 | frac >> 2;
        re = 0;
    }
    return sign | (uint64_t)re << mb | frac >> (52 - mb);
}

static uint64_t rsqrte(ArmCpu *c, unsigned fmt, uint64_t a)
{
    int bias = (1 << (exp_bits[fmt] - 1)) - 1, mb = man_bits[fmt];
    uint64_t sign = a & sign_bit(fmt);

    if (is_nan(fmt, a)) {
        return nan_result(c, fmt, a);
    }
    if (is_zero(fmt, a)) {
        c->fpsr |= FPSR_DZC;
        return sign | inf_bits(fmt);
    }
    if (sign) {
        return invalid(c, fmt);
    }
    if (is_inf(fmt, a)) {
        return 0;
    }
    uint64_t frac = (a & ((1ull << mb) - 1)) << (52 - mb);
    int exp = (int)((a & inf_bits(fmt)) >> mb);

    if (exp == 0) {
        while (!(frac >> 51)) {
            frac <<= 1;
            exp--;
        }
        frac = frac << 1 & ((1ull << 52) - 1);
    }
    unsigned scaled = exp & 1 ? 128 | (unsigned)(frac >> 45) : 256 | (unsigned)(frac >> 44);
    int re = (3 * bias - 1 - exp) >> 1;
    unsigned est = rsqrt_estimate(scaled);

    return (uint64_t)re << mb | (uint64_t)(est & 255) << (mb - 8);
}

uint64_t fp_op1(ArmCpu *c, unsigned fmt, FpOp1 op, uint64_t a)
{
    uint64_t s = sign_bit(fmt);

    switch (op) {
    case FP1_ABS:
        return a & ~s;
    case FP1_NEG:
        return a ^ s;
    case FP1_SQRT:
        a = input(c, fmt, a);
        return is_nan(fmt, a) ? nan_result(c, fmt, a) : square_root(c, fmt, a);
    case FP1_RECPE:
        return recpe(c, fmt, input(c, fmt, a));
    case FP1_RSQRTE:
        return rsqrte(c, fmt, input(c, fmt, a));
    case FP1_RECPX:
        a = input(c, fmt, a);
        if (is_nan(fmt, a)) {
            return nan_result(c, fmt, a);
        }
        /* zero and denormals: the largest exponent */
        return (a & s) |
               (a & inf_bits(fmt) ? ~a & inf_bits(fmt) : inf_bits(fmt) - (1ull << man_bits[fmt]));
    case FP1_RINTX:
        return round_integral(c, fmt, a, ROUND_CUR, true, 0);
    case FP1_RINTI:
        return round_integral(c, fmt, a, ROUND_CUR, false, 0);
    case FP1_RINT32Z:
    case FP1_RINT64Z:
        return round_integral(c, fmt, a, ROUND_Z, true, op == FP1_RINT32Z ? 32 : 64);
    case FP1_RINT32X:
    case FP1_RINT64X:
        return round_integral(c, fmt, a, ROUND_CUR, true, op == FP1_RINT32X ? 32 : 64);
    default:
        return round_integral(c, fmt, a, op - FP1_RINTN, false, 0);
    }
}
