// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX-512 arithmetic on floats; SDM 2. Bit patterns of 4 or 8 bytes (e->es); the host is in the
 * guest's rounding mode. Exceptions that no host operation raises go to MXCSR.
 */
#include <math.h>
#include "target-i386/avx-helper.h"
#include "target-i386/evex.h"
#include "target-i386/sse-exact.h"
#include "tcg/interp/float.h"

/* A format's parts. */
typedef struct Parts {
    unsigned frac;
    int bias;
    uint64_t sign, inf, fraction;
} Parts;

static Parts parts_of(unsigned es)
{
    return es == 3 ? (Parts){52, 1023, 1ull << 63, 0x7ffull << 52, (1ull << 52) - 1}
                   : (Parts){23, 127, 1ull << 31, 0xffull << 23, (1ull << 23) - 1};
}

static IrType type_of(unsigned es)
{
    return es == 3 ? IR_F64 : IR_F32;
}

static bool is_nan(const Parts *p, uint64_t x)
{
    return (x & ~p->sign) > p->inf;
}

static bool is_signaling(const Parts *p, uint64_t x)
{
    return is_nan(p, x) && !(x >> (p->frac - 1) & 1);
}

static bool is_denormal(const Parts *p, uint64_t x)
{
    return !(x & p->inf) && x & p->fraction;
}

static bool daz(const Evex *e)
{
    return e->c->mxcsr & MXCSR_DAZ;
}

static void flag(Evex *e, uint32_t flags)
{
    e->c->mxcsr |= flags;
}

/* Quiet; IE where it was not. */
static uint64_t quiet(Evex *e, const Parts *p, uint64_t x)
{
    flag(e, is_signaling(p, x) ? MXCSR_IE : 0);
    return x | 1ull << (p->frac - 1);
}

static uint64_t indefinite(Evex *e, const Parts *p)
{
    flag(e, MXCSR_IE);
    return p->sign | p->inf | 1ull << (p->frac - 1);
}

static uint64_t one(const Parts *p)
{
    return (uint64_t)p->bias << p->frac;
}

static uint64_t operate(const Evex *e, IrOpcode op, uint64_t x, uint64_t y, uint64_t z)
{
    return interp_float_value(op, type_of(e->es), (uint64_t[3]){x, y, z}, 0);
}

/* What may leave the range of its format, and is told of exactly when that is not masked. */
static uint64_t arithmetic(const Evex *e, IrOpcode op, uint64_t x, uint64_t y, uint64_t z)
{
    if (e->exact) {
        const uint64_t v[3] = {x, y, z};

        e->c->sse_before.range |= EVEX_RANGE | x86_xm_operation(op, e->es, v, e->c->mxcsr);
    }
    return operate(e, op, x, y, z);
}

uint64_t ev_fadd(Evex *e, uint64_t x, uint64_t y)
{
    return arithmetic(e, OP_FADD, x, y, 0);
}

uint64_t ev_fsub(Evex *e, uint64_t x, uint64_t y)
{
    return arithmetic(e, OP_FSUB, x, y, 0);
}

uint64_t ev_fmul(Evex *e, uint64_t x, uint64_t y)
{
    return arithmetic(e, OP_FMUL, x, y, 0);
}

uint64_t ev_fdiv(Evex *e, uint64_t x, uint64_t y)
{
    return arithmetic(e, OP_FDIV, x, y, 0);
}

uint64_t ev_fmin(Evex *e, uint64_t x, uint64_t y)
{
    return operate(e, OP_FMINB, x, y, 0);
}

uint64_t ev_fmax(Evex *e, uint64_t x, uint64_t y)
{
    return operate(e, OP_FMAXB, x, y, 0);
}

uint64_t ev_fsqrt(Evex *e, uint64_t x, uint64_t y)
{
    return operate(e, OP_FSQRT, x, 0, 0);
}

uint64_t ev_fsqrt2(Evex *e, uint64_t x, uint64_t y)
{
    return operate(e, OP_FSQRT, y, 0, 0);
}

/* The opcode's high digit gives the order, the low one the signs, which NaNs do not change. */
uint64_t ev_fma(Evex *e, uint64_t x, uint64_t y)
{
    static const uint8_t order[3][3] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}};
    const uint64_t v[3] = {evex_el(&e->d, e->es, e->i), x, y};
    const uint8_t *o = order[(e->row->opcode >> 4) - 9], low = e->row->opcode & 15;
    Parts p = parts_of(e->es);
    uint64_t k[3] = {v[o[0]], v[o[1]], v[o[2]]};
    bool subtract =
        low == 10 || low == 11 || low >= 14 || (low == 6 && !(e->i & 1)) || (low == 7 && e->i & 1);

    if (!is_nan(&p, k[0]) && !is_nan(&p, k[1]) && !is_nan(&p, k[2])) {
        k[0] ^= low >= 12 ? p.sign : 0;
        k[2] ^= subtract ? p.sign : 0;
    }
    return arithmetic(e, OP_FMA, k[0], k[1], k[2]);
}

uint64_t ev_fcmp(Evex *e, uint64_t x, uint64_t y)
{
    return interp_fcmp_mask(type_of(e->es), x, y, e->u.imm & 31) & 1;
}

static void compare(Evex *e, bool signal_quiet)
{
    uint64_t x = evex_el(&e->d, e->es, 0), y = evex_el(&e->b, e->es, 0);

    evex_flags(e, (uint32_t)interp_float_value(OP_FCMP, type_of(e->es), (uint64_t[3]){x, y},
                                               signal_quiet));
}

uint64_t ev_ucomis(Evex *e, uint64_t x, uint64_t y)
{
    compare(e, false);
    return 0;
}

uint64_t ev_comis(Evex *e, uint64_t x, uint64_t y)
{
    compare(e, true);
    return 0;
}

/* ---- exponents and significands ---- */

/* Exponent of a number that is not 0; its fraction, with the leading 1 dropped. */
static int exponent(const Parts *p, uint64_t x, uint64_t *fraction)
{
    int exp = (int)((x & p->inf) >> p->frac);
    uint64_t f = x & p->fraction;

    if (!exp) {
        unsigned by = p->frac - (63 - (unsigned)__builtin_clzll(f));
        f = f << by & p->fraction;
        exp = 1 - (int)by;
    }
    *fraction = f;
    return exp - p->bias;
}

uint64_t ev_getexp(Evex *e, uint64_t x, uint64_t y)
{
    Parts p = parts_of(e->es);
    uint64_t fraction;

    if (is_nan(&p, x)) {
        return quiet(e, &p, x);
    }
    x &= ~p.sign;
    if (x == p.inf) {
        return x;
    }
    if (!x || (is_denormal(&p, x) && daz(e))) {
        return p.sign | p.inf;
    }
    flag(e, is_denormal(&p, x) ? MXCSR_DE : 0);
    return interp_from_int(type_of(e->es), exponent(&p, x, &fraction));
}

uint64_t ev_getexp2(Evex *e, uint64_t x, uint64_t y)
{
    return ev_getexp(e, y, 0);
}

uint64_t ev_getmant(Evex *e, uint64_t x, uint64_t y)
{
    Parts p = parts_of(e->es);
    unsigned interval = e->u.imm & 3, signs = e->u.imm >> 2 & 3;
    uint64_t sign = signs & 1 ? 0 : x & p.sign, fraction;
    bool zero = !(x & ~p.sign) || (is_denormal(&p, x) && daz(e));

    if (is_nan(&p, x)) {
        return quiet(e, &p, x);
    }
    if (zero) {
        return sign | one(&p);
    }
    if (signs & 2 && x & p.sign) {
        return indefinite(e, &p);
    }
    if ((x & ~p.sign) == p.inf) {
        return sign | one(&p);
    }
    flag(e, is_denormal(&p, x) ? MXCSR_DE : 0);
    int exp = exponent(&p, x, &fraction);
    bool lower =
        interval == 2 || (interval == 1 && exp & 1) || (interval == 3 && fraction >> (p.frac - 1));
    return sign | (uint64_t)(p.bias - lower) << p.frac | fraction;
}

uint64_t ev_getmant2(Evex *e, uint64_t x, uint64_t y)
{
    return ev_getmant(e, y, 0);
}

/* x * 2^n, rounded once. */
static uint64_t scale(const Evex *e, const Parts *p, uint64_t x, int n)
{
    uint64_t fraction, sign = x & p->sign;
    int exp = exponent(p, x, &fraction) + n, least = 1 - p->bias;
    uint64_t m = sign | fraction;

    if (exp > p->bias) { /* overflows */
        return arithmetic(e, OP_FMUL, m | (uint64_t)(2 * p->bias) << p->frac,
                          (uint64_t)(p->bias + 1) << p->frac, 0);
    }
    if (exp >= least) {
        return m | (uint64_t)(exp + p->bias) << p->frac;
    }
    int by = exp - least < -100 ? -100 : exp - least;
    return arithmetic(e, OP_FMUL, m | 1ull << p->frac, (uint64_t)(p->bias + by) << p->frac, 0);
}

/* Largest integer not above y, within what matters. */
static int whole_part(const Parts *p, uint64_t y)
{
    uint64_t fraction;

    if (!(y & ~p->sign)) {
        return 0;
    }
    int exp = exponent(p, y, &fraction);
    bool negative = y & p->sign;
    if (exp < 0) {
        return negative ? -1 : 0;
    }
    if (exp > 14) {
        return negative ? -32768 : 32767;
    }
    uint64_t m = fraction | 1ull << p->frac;
    int v = (int)(m >> (p->frac - (unsigned)exp));
    bool more = m & ((1ull << (p->frac - (unsigned)exp)) - 1);
    return negative ? -v - more : v;
}

uint64_t ev_scalef(Evex *e, uint64_t x, uint64_t y)
{
    Parts p = parts_of(e->es);
    uint64_t sign = x & p.sign, size = x & ~p.sign;
    bool up = y == p.inf, down = y == (p.inf | p.sign);

    if (is_nan(&p, x)) {
        if (is_signaling(&p, x) || is_nan(&p, y)) {
            flag(e, is_signaling(&p, y) ? MXCSR_IE : 0);
            return quiet(e, &p, x);
        }
        return up ? p.inf : down ? 0 : x;
    }
    if (is_nan(&p, y)) {
        return quiet(e, &p, y);
    }
    bool tiny = is_denormal(&p, x), tiny_y = is_denormal(&p, y);
    if (daz(e)) {
        size = tiny ? 0 : size;
        y = tiny_y ? y & p.sign : y;
    }
    if ((size == p.inf && down) || (!size && up)) {
        return indefinite(e, &p);
    }
    flag(e, !daz(e) && tiny ? MXCSR_DE : 0);
    if (size == p.inf || !size) {
        return sign | size;
    }
    if (up || down) {
        return sign | (up ? p.inf : 0);
    }
    return scale(e, &p, sign | size, whole_part(&p, y));
}

/* ---- approximations: the host's, else better ---- */

#ifdef __x86_64__
static bool host_has(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
}

__attribute__((target("avx512f,avx512vl"))) static uint64_t approximate(unsigned es, uint64_t x,
                                                                        bool root)
{
    typedef double D __attribute__((vector_size(16)));
    typedef float S __attribute__((vector_size(16)));
    Vec128Lanes v = {.q = {x, x}};
    D d;
    S s;

    memcpy(&d, &v, 16);
    memcpy(&s, &v, 16);
    if (es == 3) {
        __asm__("vrcp14pd %1, %0" : "=x"(d) : "x"(d));
        if (root) {
            memcpy(&d, &v, 16);
            __asm__("vrsqrt14pd %1, %0" : "=x"(d) : "x"(d));
        }
        memcpy(&v, &d, 16);
        return v.q[0];
    }
    if (root) {
        __asm__("vrsqrt14ps %1, %0" : "=x"(s) : "x"(s));
    } else {
        __asm__("vrcp14ps %1, %0" : "=x"(s) : "x"(s));
    }
    memcpy(&v, &s, 16);
    return v.l[0];
}
#else
static bool host_has(void)
{
    return false;
}

static uint64_t approximate(unsigned es, uint64_t x, bool root)
{
    return 0;
}
#endif

static uint64_t reciprocal(Evex *e, uint64_t x, bool root)
{
    if (host_has()) {
        return approximate(e->es, x, root);
    }
    uint32_t before = x86_get_mxcsr(e->c);
    uint64_t r = root ? operate(e, OP_FSQRT, x, 0, 0) : x;
    Parts p = parts_of(e->es);

    r = operate(e, OP_FDIV, one(&p), r, 0);
    x86_set_mxcsr(e->c, before); /* no exceptions */
    return r;
}

uint64_t ev_rcp14(Evex *e, uint64_t x, uint64_t y)
{
    return reciprocal(e, x, false);
}

uint64_t ev_rcp14_2(Evex *e, uint64_t x, uint64_t y)
{
    return reciprocal(e, y, false);
}

uint64_t ev_rsqrt14(Evex *e, uint64_t x, uint64_t y)
{
    return reciprocal(e, x, true);
}

uint64_t ev_rsqrt14_2(Evex *e, uint64_t x, uint64_t y)
{
    return reciprocal(e, y, true);
}

/* ---- rounding to a number of binary places: imm 7:4 ---- */

static uint64_t scaled_round(Evex *e, const Parts *p, uint64_t x, unsigned imm)
{
    uint64_t places = imm >> 4 & 15, sign = x & p->sign, size = x & ~p->sign, fraction;

    if (is_denormal(p, x)) { /* like any other that is too small */
        size = daz(e) ? 0 : 1ull << p->frac;
    }
    if (!size || size == p->inf || exponent(p, size, &fraction) + (int)places >= (int)p->frac) {
        return sign | size;
    }
    uint64_t r = interp_round(type_of(e->es), sign | (size + (places << p->frac)), imm & 15);
    return r & ~p->sign ? r - (places << p->frac) : r;
}

uint64_t ev_rndscale(Evex *e, uint64_t x, uint64_t y)
{
    Parts p = parts_of(e->es);

    return is_nan(&p, x) ? quiet(e, &p, x) : scaled_round(e, &p, x, e->u.imm);
}

uint64_t ev_rndscale2(Evex *e, uint64_t x, uint64_t y)
{
    return ev_rndscale(e, y, 0);
}

/* In another rounding mode; no precision exception if imm 3 is set. */
static uint64_t subtract(Evex *e, uint64_t x, uint64_t y, unsigned mode)
{
    const uint32_t rc = 3u << MXCSR_RC_SHIFT, old = x86_get_mxcsr(e->c);

    x86_set_mxcsr(e->c, (old & ~rc & ~(uint32_t)MXCSR_STICKY) | mode << MXCSR_RC_SHIFT);
    uint64_t r = operate(e, OP_FSUB, x, y, 0);
    uint32_t new = x86_get_mxcsr(e->c) & MXCSR_STICKY;
    x86_set_mxcsr(e->c, old | (e->u.imm & 8 ? new & ~MXCSR_PE : new));
    return r;
}

/* What rounding takes away. */
uint64_t ev_reduce(Evex *e, uint64_t x, uint64_t y)
{
    Parts p = parts_of(e->es);
    unsigned mode = e->u.imm & 4 ? e->c->mxcsr >> MXCSR_RC_SHIFT & 3 : e->u.imm & 3;

    if (is_nan(&p, x)) {
        return quiet(e, &p, x);
    }
    if ((x & ~p.sign) == p.inf) {
        return 0;
    }
    if (is_denormal(&p, x) && daz(e)) {
        x &= p.sign;
    }
    uint64_t r = scaled_round(e, &p, x, e->u.imm | 8);
    if (r == x || !((r | x) & ~p.sign)) { /* nothing is left */
        return mode == 1 ? p.sign : 0;
    }
    return r & ~p.sign ? subtract(e, x, r, mode) : x;
}

uint64_t ev_reduce2(Evex *e, uint64_t x, uint64_t y)
{
    return ev_reduce(e, y, 0);
}

/* ---- the smaller or larger, by size or sign ---- */

uint64_t ev_range(Evex *e, uint64_t x, uint64_t y)
{
    Parts p = parts_of(e->es);
    unsigned how = e->u.imm & 3;

    if (is_signaling(&p, x)) {
        return quiet(e, &p, x);
    }
    if (is_signaling(&p, y)) {
        return quiet(e, &p, y);
    }
    uint64_t r;
    if (is_nan(&p, x) || is_nan(&p, y)) {
        r = is_nan(&p, x) && !is_nan(&p, y) ? y : x;
        r = is_denormal(&p, r) && daz(e) ? r & p.sign : r;
    } else {
        flag(e, !daz(e) && (is_denormal(&p, x) || is_denormal(&p, y)) ? MXCSR_DE : 0);
        x = is_denormal(&p, x) && daz(e) ? x & p.sign : x;
        y = is_denormal(&p, y) && daz(e) ? y & p.sign : y;
        uint64_t a = x & ~p.sign, b = y & ~p.sign;
        bool smaller = x & p.sign ? !(y & p.sign) || a > b : !(y & p.sign) && a < b;
        bool same = a == b;
        switch (how) {
        case 0:
            r = smaller || x == y ? x : y;
            break;
        case 1:
            r = smaller ? y : x;
            break;
        case 2:
            r = a < b || (same && x & p.sign) ? x : y;
            break;
        default:
            r = a > b || (same && !(x & p.sign)) ? x : y;
            break;
        }
    }
    switch (e->u.imm >> 2 & 3) {
    case 0:
        return (r & ~p.sign) | (x & p.sign);
    case 1:
        return r;
    case 2:
        return r & ~p.sign;
    default:
        return r | p.sign;
    }
}

/* ---- tables of answers ---- */

uint64_t ev_fixup(Evex *e, uint64_t x, uint64_t y)
{
    static const uint8_t flags[8][2] = {{0, 0}, {4, 0}, {1, 1}, {3, 2},
                                        {5, 0}, {7, 0}, {6, 0}, {0, 0}};
    Parts p = parts_of(e->es);
    x = is_denormal(&p, x) && daz(e) ? x & p.sign : x;
    uint64_t size = x & ~p.sign, dest = evex_el(&e->d, e->es, e->i);
    unsigned token = is_signaling(&p, x)     ? 1
                     : is_nan(&p, x)         ? 0
                     : !size                 ? 2
                     : x == one(&p)          ? 3
                     : x == (p.inf | p.sign) ? 4
                     : x == p.inf            ? 5
                     : x & p.sign            ? 6
                                             : 7;

    if (token >= 1 && token <= 6 && e->u.imm >> flags[token][0] & 1) {
        flag(e, MXCSR_IE);
    }
    if ((token == 2 && e->u.imm & 1) || (token == 3 && e->u.imm & 4)) {
        flag(e, MXCSR_ZE);
    }
    switch (y >> token * 4 & 15) {
    case 0:
        return dest;
    case 1:
        return x;
    case 2:
        return is_nan(&p, x) ? x | 1ull << (p.frac - 1) : x | p.inf | 1ull << (p.frac - 1);
    case 3:
        return p.sign | p.inf | 1ull << (p.frac - 1);
    case 4:
        return p.sign | p.inf;
    case 5:
        return p.inf;
    case 6:
        return p.inf | (x & p.sign);
    case 7:
        return p.sign;
    case 8:
        return 0;
    case 9:
        return p.sign | one(&p);
    case 10:
        return one(&p);
    case 11:
        return one(&p) - (1ull << p.frac);
    case 12:
        return e->es == 3 ? 0x4056800000000000 : 0x42b40000;
    case 13:
        return e->es == 3 ? 0x3ff921fb54442d18 : 0x3fc90fdb;
    case 14:
        return p.inf - 1;
    default:
        return p.sign | (p.inf - 1);
    }
}

uint64_t ev_fpclass(Evex *e, uint64_t x, uint64_t y)
{
    Parts p = parts_of(e->es);
    bool negative = y & p.sign, tiny = is_denormal(&p, y), nan = is_nan(&p, y);
    bool zero = !(y & ~p.sign) || (tiny && daz(e)), inf = (y & ~p.sign) == p.inf;
    unsigned is = (nan && !is_signaling(&p, y)) << 0 | (zero && !negative) << 1 |
                  (zero && negative) << 2 | (inf && !negative) << 3 | (inf && negative) << 4 |
                  (tiny && !zero) << 5 | (negative && !zero && !inf && !nan) << 6 |
                  is_signaling(&p, y) << 7;

    return (is & e->u.imm) != 0;
}

/* ---- conversion ---- */

uint64_t ev_f32_f64(Evex *e, uint64_t x, uint64_t y)
{
    return interp_widen(x);
}

uint64_t ev_f32_f64_2(Evex *e, uint64_t x, uint64_t y)
{
    return interp_widen(y);
}

/* From the format of 1 << es bytes to the one below. */
static void note_narrow(const Evex *e, unsigned es, uint64_t x)
{
    if (e->exact) {
        unsigned rc = e->c->mxcsr >> MXCSR_RC_SHIFT & 3;

        rc = es == 2 && !(e->u.imm & 4) ? e->u.imm & 3 : rc;
        e->c->sse_before.range |= EVEX_RANGE | x86_xm_narrow(es, x, rc, e->c->mxcsr);
    }
}

uint64_t ev_f64_f32(Evex *e, uint64_t x, uint64_t y)
{
    note_narrow(e, 3, x);
    return interp_narrow(x);
}

uint64_t ev_f64_f32_2(Evex *e, uint64_t x, uint64_t y)
{
    return ev_f64_f32(e, y, 0);
}

uint64_t ev_f16_f32(Evex *e, uint64_t x, uint64_t y)
{
    Vec128Lanes v = {.q = {x}};

    v.v = helper_cvtph2ps(v.v);
    return v.l[0];
}

uint64_t ev_f32_f16(Evex *e, uint64_t x, uint64_t y)
{
    Vec128Lanes v = {.q = {x}};

    note_narrow(e, 2, x);
    v.v = helper_cvtps2ph(v.v, e->u.imm);
    return v.w[0];
}

uint64_t ev_i32_f(Evex *e, uint64_t x, uint64_t y)
{
    return interp_from_int(type_of(e->es), (int32_t)x);
}

uint64_t ev_i64_f(Evex *e, uint64_t x, uint64_t y)
{
    return interp_from_int(type_of(e->es), (int64_t)x);
}

/* Above 2^63 by halves, the last bit kept as a sticky one. */
static uint64_t from_unsigned(const Evex *e, uint64_t x)
{
    if (!(x >> 63)) {
        return interp_from_int(type_of(e->es), (int64_t)x);
    }
    uint64_t half = interp_from_int(type_of(e->es), (int64_t)(x >> 1 | (x & 1)));
    return operate(e, OP_FADD, half, half, 0);
}

uint64_t ev_u32_f(Evex *e, uint64_t x, uint64_t y)
{
    return from_unsigned(e, (uint32_t)x);
}

uint64_t ev_u64_f(Evex *e, uint64_t x, uint64_t y)
{
    return from_unsigned(e, x);
}

static uint64_t to_signed(unsigned es, unsigned from, uint64_t x, bool truncate)
{
    return interp_to_int(es == 3 ? OP_F_I64 : OP_F_I32, type_of(from), x, truncate);
}

/* All ones where it does not fit. */
static uint64_t to_unsigned(Evex *e, unsigned es, unsigned from, uint64_t x, bool truncate)
{
    Parts p = parts_of(from);
    unsigned mode = truncate ? 3 : e->c->mxcsr >> MXCSR_RC_SHIFT & 3;
    bool negative = x & p.sign;
    uint64_t fraction, v = 0, rest = 0, half = 1;

    x &= ~p.sign;
    if (!x || (is_denormal(&p, x) && daz(e))) {
        return 0;
    }
    int exp = x >= p.inf ? 64 : exponent(&p, x, &fraction);
    if (exp > 63) {
        flag(e, MXCSR_IE);
        return evex_bits(es);
    }
    uint64_t m = fraction | 1ull << p.frac;
    if (exp >= (int)p.frac) {
        v = m << (exp - (int)p.frac);
    } else {
        unsigned drop = (unsigned)((int)p.frac - exp);
        drop = drop > 62 ? 62 : drop;
        v = m >> drop;
        rest = m & ((1ull << drop) - 1);
        half = 1ull << (drop - 1);
    }
    v += mode == 0   ? rest > half || (rest == half && v & 1)
         : mode == 1 ? negative && rest
         : mode == 2 ? !negative && rest
                     : 0;
    if ((negative && v) || v > evex_bits(es)) {
        flag(e, MXCSR_IE);
        return evex_bits(es);
    }
    flag(e, rest ? MXCSR_PE : 0);
    return v;
}

uint64_t ev_f32_i(Evex *e, uint64_t x, uint64_t y)
{
    return to_signed(e->es, 2, x, false);
}

uint64_t ev_f32_it(Evex *e, uint64_t x, uint64_t y)
{
    return to_signed(e->es, 2, x, true);
}

uint64_t ev_f64_i(Evex *e, uint64_t x, uint64_t y)
{
    return to_signed(e->es, 3, x, false);
}

uint64_t ev_f64_it(Evex *e, uint64_t x, uint64_t y)
{
    return to_signed(e->es, 3, x, true);
}

uint64_t ev_f32_u(Evex *e, uint64_t x, uint64_t y)
{
    return to_unsigned(e, e->es, 2, x, false);
}

uint64_t ev_f32_ut(Evex *e, uint64_t x, uint64_t y)
{
    return to_unsigned(e, e->es, 2, x, true);
}

uint64_t ev_f64_u(Evex *e, uint64_t x, uint64_t y)
{
    return to_unsigned(e, e->es, 3, x, false);
}

uint64_t ev_f64_ut(Evex *e, uint64_t x, uint64_t y)
{
    return to_unsigned(e, e->es, 3, x, true);
}

/* ---- general registers ---- */

static uint64_t from_general(Evex *e, bool is_signed)
{
    uint64_t v = evex_general(e);

    e->r = e->a;
    e->valid = 16;
    if (is_signed) {
        v = (uint64_t)evex_signed(e->u.size1, v);
    }
    evex_set_el(&e->r, e->es, 0,
                is_signed ? interp_from_int(type_of(e->es), (int64_t)v) : from_unsigned(e, v));
    return 0;
}

uint64_t ev_cvtsi(Evex *e, uint64_t x, uint64_t y)
{
    return from_general(e, true);
}

uint64_t ev_cvtusi(Evex *e, uint64_t x, uint64_t y)
{
    return from_general(e, false);
}

static uint64_t scalar_source(Evex *e)
{
    if (e->u.src_mem) {
        return cpu_load(&e->c->cpu, e->va, e->u.size1, e->u.mmu, e->pc);
    }
    Zmm v = evex_get(e->c, e->u.src);
    return evex_el(&v, e->es, 0);
}

static uint64_t signed_general(Evex *e, bool truncate)
{
    uint64_t v = to_signed(e->u.size0, e->es, scalar_source(e), truncate);

    e->c->regs[e->u.d & 15] = v & evex_bits(e->u.size0);
    return 0;
}

static uint64_t unsigned_general(Evex *e, bool truncate)
{
    uint64_t v = to_unsigned(e, e->u.size0, e->es, scalar_source(e), truncate);

    e->c->regs[e->u.d & 15] = v;
    return 0;
}

uint64_t ev_cvt_si(Evex *e, uint64_t x, uint64_t y)
{
    return signed_general(e, false);
}

uint64_t ev_cvtt_si(Evex *e, uint64_t x, uint64_t y)
{
    return signed_general(e, true);
}

uint64_t ev_cvt_usi(Evex *e, uint64_t x, uint64_t y)
{
    return unsigned_general(e, false);
}

uint64_t ev_cvtt_usi(Evex *e, uint64_t x, uint64_t y)
{
    return unsigned_general(e, true);
}
