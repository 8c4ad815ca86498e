// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 3DNow! arithmetic: AMD 21928 (3DNow! Technology Manual), 22466 (its extensions). Two singles in
 * an MMX register; nothing is ever raised or flagged. Denormal operands are zeros, results below
 * 2^-126 become zeros and those beyond the largest number that number. There are no infinities and
 * no NaNs: what the manual leaves undefined for their patterns is here what follows from taking
 * them as the numbers beyond 2^128 that their bits would be.
 *
 * Sums, products and quotients of singles are taken in double precision, where they are exact or
 * far from a tie of singles, and rounded once more to nearest even. The reciprocals, 14 and 15
 * bits on processors of that time, have all 24 bits; the steps PFRCPIT1, PFRSQIT1 and PFRCPIT2
 * that follow them are those of the manual's Newton iteration.
 */
#include <math.h>
#include "target-i386/helpers.h"
#include "util/host-float.h"

#define SIGN 0x80000000u
#define LARGEST 0x7f7fffffu

static uint32_t low(uint64_t v)
{
    return (uint32_t)v;
}

static uint32_t high(uint64_t v)
{
    return (uint32_t)(v >> 32);
}

static uint64_t pair(uint32_t lo, uint32_t hi)
{
    return (uint64_t)hi << 32 | lo;
}

static double value(uint32_t bits)
{
    uint32_t exponent = bits >> 23 & 255;
    double v =
        exponent == 0 ? 0 : ldexp((double)((bits & 0x7fffff) | 0x800000), (int)exponent - 150);

    return bits & SIGN ? -v : v;
}

/* `sign` is that of a zero. */
static uint32_t number(double v, uint32_t sign)
{
    double magnitude = fabs(v);
    union {
        float f;
        uint32_t bits;
    } r;

    if (magnitude < 0x1p-126) {
        return sign & SIGN;
    }
    sign = v < 0 ? SIGN : 0;
    if (magnitude >= 0x1.ffffffp127) {
        return sign | LARGEST;
    }
    r.f = (float)magnitude;
    return sign | r.bits;
}

/*
 * PFADD, notes: a sum of zeros has the AND of their signs; another result that becomes zero has the
 * sign of the larger operand, of the first if they are equal.
 */
static uint32_t add(uint32_t a, uint32_t c)
{
    double x = value(a), y = value(c);

    return number(x + y, x == 0 && y == 0 ? a & c : fabs(y) > fabs(x) ? c : a);
}

static uint32_t sub(uint32_t a, uint32_t c)
{
    return add(a, c ^ SIGN);
}

static uint32_t mul(uint32_t a, uint32_t c)
{
    return number(value(a) * value(c), a ^ c);
}

static uint64_t pfadd(uint64_t d, uint64_t s)
{
    return pair(add(low(d), low(s)), add(high(d), high(s)));
}

static uint64_t pfsub(uint64_t d, uint64_t s)
{
    return pair(sub(low(d), low(s)), sub(high(d), high(s)));
}

static uint64_t pfsubr(uint64_t d, uint64_t s)
{
    return pfsub(s, d);
}

static uint64_t pfmul(uint64_t d, uint64_t s)
{
    return pair(mul(low(d), low(s)), mul(high(d), high(s)));
}

static uint64_t pfacc(uint64_t d, uint64_t s)
{
    return pair(add(low(d), high(d)), add(low(s), high(s)));
}

static uint64_t pfnacc(uint64_t d, uint64_t s)
{
    return pair(sub(low(d), high(d)), sub(low(s), high(s)));
}

static uint64_t pfpnacc(uint64_t d, uint64_t s)
{
    return pair(sub(low(d), high(d)), add(low(s), high(s)));
}

static uint32_t reciprocal(uint32_t a)
{
    double x = value(a);

    return x == 0 ? (a & SIGN) | LARGEST : number(1 / x, a);
}

static uint64_t pfrcp(uint64_t d, uint64_t s)
{
    uint32_t r = reciprocal(low(s));

    return pair(r, r);
}

/* Of the magnitude; the sign is the operand's. */
static uint64_t pfrsqrt(uint64_t d, uint64_t s)
{
    uint32_t a = low(s), r = a & SIGN;
    double x = fabs(value(a));

    r |= x == 0 ? LARGEST : number(1 / sqrt(x), 0);
    return pair(r, r);
}

static uint32_t step(uint32_t a, uint32_t c, double from, double scale)
{
    return number((from - value(a) * value(c)) * scale, 0);
}

static uint64_t pfrcpit1(uint64_t d, uint64_t s)
{
    return pair(step(low(d), low(s), 2, 1), step(high(d), high(s), 2, 1));
}

static uint64_t pfrsqit1(uint64_t d, uint64_t s)
{
    return pair(step(low(d), low(s), 3, 0.5), step(high(d), high(s), 3, 0.5));
}

static int32_t truncated(uint32_t a, int32_t least, int32_t most)
{
    double v = value(a);

    return v >= most ? most : v <= least ? least : (int32_t)v;
}

static uint64_t pf2id(uint64_t d, uint64_t s)
{
    return pair((uint32_t)truncated(low(s), INT32_MIN, INT32_MAX),
                (uint32_t)truncated(high(s), INT32_MIN, INT32_MAX));
}

static uint64_t pf2iw(uint64_t d, uint64_t s)
{
    return pair((uint32_t)truncated(low(s), INT16_MIN, INT16_MAX),
                (uint32_t)truncated(high(s), INT16_MIN, INT16_MAX));
}

/* PI2FD cuts off what does not fit. */
static uint32_t from_integer(int32_t v)
{
    uint32_t magnitude = v < 0 ? -(uint32_t)v : (uint32_t)v;
    unsigned spare = magnitude >> 24 ? 8u - (unsigned)__builtin_clz(magnitude) : 0;

    return number((double)(magnitude >> spare << spare), 0) | (v < 0 ? SIGN : 0);
}

static uint64_t pi2fd(uint64_t d, uint64_t s)
{
    return pair(from_integer((int32_t)low(s)), from_integer((int32_t)high(s)));
}

static uint64_t pi2fw(uint64_t d, uint64_t s)
{
    return pair(from_integer((int16_t)low(s)), from_integer((int16_t)high(s)));
}

static uint32_t when(bool yes)
{
    return yes ? UINT32_MAX : 0;
}

static uint64_t pfcmpeq(uint64_t d, uint64_t s)
{
    return pair(when(value(low(d)) == value(low(s))), when(value(high(d)) == value(high(s))));
}

static uint64_t pfcmpge(uint64_t d, uint64_t s)
{
    return pair(when(value(low(d)) >= value(low(s))), when(value(high(d)) >= value(high(s))));
}

static uint64_t pfcmpgt(uint64_t d, uint64_t s)
{
    return pair(when(value(low(d)) > value(low(s))), when(value(high(d)) > value(high(s))));
}

/* A zero among the results is positive. */
static uint32_t larger(uint32_t a, uint32_t c, bool smaller)
{
    double x = value(a), y = value(c);
    bool first = smaller ? x < y : x > y;

    return (first ? x : y) == 0 ? 0 : first ? a : c;
}

static uint64_t pfmax(uint64_t d, uint64_t s)
{
    return pair(larger(low(d), low(s), false), larger(high(d), high(s), false));
}

static uint64_t pfmin(uint64_t d, uint64_t s)
{
    return pair(larger(low(d), low(s), true), larger(high(d), high(s), true));
}

/* A signed 16-bit product, rounded; the upper half of it. */
static uint64_t pmulhrw(uint64_t d, uint64_t s)
{
    uint64_t r = 0;

    for (unsigned k = 0; k < 64; k += 16) {
        int32_t product = (int16_t)(d >> k) * (int16_t)(s >> k);

        r |= (uint64_t)(uint16_t)(((uint32_t)product + 0x8000) >> 16) << k;
    }
    return r;
}

static uint64_t pswapd(uint64_t d, uint64_t s)
{
    return pair(high(s), low(s));
}

/* By the last byte of the instruction. */
static uint64_t (*const operations[256])(uint64_t d, uint64_t s) = {
    [0x0c] = pi2fw,   [0x0d] = pi2fd,   [0x1c] = pf2iw,   [0x1d] = pf2id,   [0x8a] = pfnacc,  [0x8e] = pfpnacc,
    [0x90] = pfcmpge, [0x94] = pfmin,  [0x96] = pfrcp,   [0x97] = pfrsqrt, [0x9a] = pfsub,   [0x9e] = pfadd,
    [0xa0] = pfcmpgt, [0xa4] = pfmax,  [0xa6] = pfrcpit1, [0xa7] = pfrsqit1, [0xaa] = pfsubr, [0xae] = pfacc,
    [0xb0] = pfcmpeq, [0xb4] = pfmul,   [0xb6] = pfmul,   [0xb7] = pmulhrw, [0xbb] = pswapd,
};

uint64_t helper_amd3dnow(uint64_t d, uint64_t s, uint32_t opcode)
{
    HostFloat saved;
    uint64_t r;

    host_float_save(&saved);
    r = operations[opcode & 0xff](d, s);
    host_float_restore(&saved);
    return r;
}
