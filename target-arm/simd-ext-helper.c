// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What ARMv8.2 to v8.6 added on vectors: bfloat16, products of half precision, matrices of bytes.
 * C7.2; BFDotAdd (J1.3).
 */
#include "target-arm/helpers.h"
#include "target-arm/simd.h"
#include "util/host-float.h"

#include <string.h>

static double as_double(uint64_t bits)
{
    double d;

    memcpy(&d, &bits, 8);
    return d;
}

static uint64_t as_bits(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, 8);
    return bits;
}

/* A single as a double, denormals flushed. */
static double widen(uint32_t a)
{
    float f;

    a = a & 0x7f800000 ? a : a & 0x80000000;
    memcpy(&f, &a, 4);
    return f;
}

/* To single: rounded to odd, denormals flushed, overflow to infinity, NaNs the default one. */
static uint32_t narrow(double d)
{
    uint64_t b = as_bits(d);
    uint32_t sign = (uint32_t)(b >> 63) << 31;
    int exp = (int)(b >> 52 & 0x7ff) - 1023;

    if (d != d) {
        return 0x7fc00000;
    }
    if (exp < -126) {
        return sign;
    }
    if (exp > 127) {
        return sign | 0x7f800000;
    }
    return sign | (uint32_t)(exp + 127) << 23 | (uint32_t)(b >> 29 & 0x7fffff) |
           ((b & 0x1fffffff) != 0);
}

/* The sum of singles, once rounded to odd; the host rounds to nearest. */
static uint32_t add_odd(uint32_t x, uint32_t y)
{
    double a = widen(x), b = widen(y), sum = a + b, part = sum - a,
           error = (a - (sum - part)) + (b - part);
    uint64_t bits = as_bits(sum);

    if (error == error && error != 0 && !(bits & 1)) {
        bits += (error > 0) == (sum > 0) ? 1 : (uint64_t)-1;
        sum = as_double(bits);
    }
    return narrow(sum);
}

static uint32_t dot_add(uint32_t acc, const uint16_t n[2], const uint16_t m[2])
{
    uint32_t p[2];

    for (unsigned k = 0; k < 2; k++) {
        p[k] = narrow(widen((uint32_t)n[k] << 16) * widen((uint32_t)m[k] << 16));
    }
    return add_odd(acc, add_odd(p[0], p[1]));
}

Vec128 helper_bfdot(Vec128 vd, Vec128 vn, Vec128 vm, uint32_t matrix)
{
    Vec128Lanes d = {.v = vd}, n = {.v = vn}, m = {.v = vm};
    uint32_t saved = host_mxcsr();

    host_set_mxcsr(0x1f80);
    for (unsigned e = 0; e < 4; e++) {
        if (matrix) {
            for (unsigned k = 0; k < 4; k += 2) {
                d.l[e] = dot_add(d.l[e], &n.w[4 * (e / 2) + k], &m.w[4 * (e % 2) + k]);
            }
        } else {
            d.l[e] = dot_add(d.l[e], &n.w[2 * e], &m.w[2 * e]);
        }
    }
    host_set_mxcsr(saved);
    return d.v;
}

Vec128 helper_bfcvt(Cpu *cpu, Vec128 va, uint32_t w)
{
    Vec128Lanes a = {.v = va}, r = {.q = {0, 0}};
    uint32_t saved = fp_enter(ARM(cpu), w);

    for (unsigned n = 0; n < (w & 7); n++) {
        r.w[n] = (uint16_t)fp_convert(ARM(cpu), 2, 0, a.l[n], ROUND_CUR);
    }
    ARM(cpu)->fpcr = saved;
    return r.v;
}

/* The odd halves of n and m; callers have shifted them there. */
Vec128 helper_bfmlal(Cpu *cpu, Vec128 vd, Vec128 vn, Vec128 vm, uint32_t w)
{
    Vec128Lanes d = {.v = vd}, n = {.v = vn}, m = {.v = vm};
    uint32_t saved = fp_enter(ARM(cpu), w);

    for (unsigned e = 0; e < 4; e++) {
        d.l[e] = (uint32_t)fp_muladd(ARM(cpu), 2, d.l[e], n.l[e] & 0xffff0000, m.l[e] & 0xffff0000,
                                     false, false);
    }
    ARM(cpu)->fpcr = saved;
    return d.v;
}

Vec128 helper_mmla(Vec128 vd, Vec128 vn, Vec128 vm, uint32_t op)
{
    Vec128Lanes d = {.v = vd}, n = {.v = vn}, m = {.v = vm};

    for (unsigned e = 0; e < 4; e++) {
        for (unsigned k = 0; k < 8; k++) {
            unsigned x = 8 * (e / 2) + k, y = 8 * (e % 2) + k;

            d.l[e] += (uint32_t)((op & 1 ? n.b[x] : n.sb[x]) * (op & 2 ? m.b[y] : m.sb[y]));
        }
    }
    return d.v;
}

/* A half as a single with the same value or NaN, signalling ones too. */
static uint32_t half_to_single(const ArmCpu *c, uint32_t h)
{
    uint32_t sign = (h & 0x8000) << 16, exp = h >> 10 & 31, man = h & 0x3ff;

    if (exp == 31) {
        return sign | 0x7f800000 | man << 13;
    }
    if (exp == 0) {
        if (man == 0 || c->fpcr & FPCR_FZ16) {
            return sign;
        }
        unsigned up = (unsigned)__builtin_clz(man) - 21;

        return sign | (113 - up) << 23 | ((man << up) & 0x3ff) << 13;
    }
    return sign | (exp + 112) << 23 | man << 13;
}

Vec128 helper_fmlal(Cpu *cpu, Vec128 vd, Vec128 vn, Vec128 vm, uint32_t w)
{
    Vec128Lanes d = {.v = vd}, n = {.v = vn}, m = {.v = vm};
    unsigned lanes = w & 2 ? 4 : 2;
    ArmCpu *c = ARM(cpu);
    uint32_t saved = fp_enter(c, w);

    for (unsigned e = 0; e < lanes; e++) {
        d.l[e] = (uint32_t)fp_muladd(c, 2, d.l[e], half_to_single(c, n.w[e + (w & 4 ? lanes : 0)]),
                                     half_to_single(c, m.w[e + (w & 8 ? lanes : 0)]), false, w & 1);
    }
    if (lanes == 2) {
        d.q[1] = 0;
    }
    c->fpcr = saved;
    return d.v;
}
