// SPDX-License-Identifier: GPL-2.0-or-later
/* SSE4 by value: string comparison, MPSADBW, PHMINPOSUW, dot products. SDM volume 2, 4.1. */
#include "target-i386/helpers.h"
#include "target-i386/cpu.h"

/* Elements before the end: given length, or up to the first zero (length -1). */
static int string_length(const Vec128Lanes *v, int64_t given, bool words)
{
    int max = words ? 8 : 16, i = 0;

    if (given != -1) {
        int64_t n = given < 0 ? -given : given;

        return n < 0 || n > max ? max : (int)n;
    }
    while (i < max && (words ? v->w[i] != 0 : v->b[i] != 0)) {
        i++;
    }
    return i;
}

static int element(const Vec128Lanes *v, int i, unsigned imm)
{
    switch (imm & 3) {
    case 0:
        return v->b[i];
    case 1:
        return v->w[i];
    case 2:
        return v->sb[i];
    default:
        return v->sw[i];
    }
}

/* IntRes1 of one element of b (the second operand): SDM 2B 4.1.2 and 4.1.6. */
static bool aggregate(const Vec128Lanes *a, const Vec128Lanes *b, int la, int lb, int j, int max,
                      unsigned imm)
{
    switch (imm >> 2 & 3) {
    case 0:    /* equal any */
        for (int i = 0; i < la; i++) {
            if (j < lb && element(a, i, imm) == element(b, j, imm)) {
                return true;
            }
        }
        return false;
    case 1:    /* ranges */
        for (int i = 0; i + 1 < la; i += 2) {
            if (j < lb && element(b, j, imm) >= element(a, i, imm) &&
                element(b, j, imm) <= element(a, i + 1, imm)) {
                return true;
            }
        }
        return false;
    case 2:    /* equal each */
        if (j < la && j < lb) {
            return element(a, j, imm) == element(b, j, imm);
        }
        return j >= la && j >= lb;
    default:    /* equal ordered */
        for (int i = 0; i < la && i + j < max; i++) {
            if (i + j >= lb || element(a, i, imm) != element(b, i + j, imm)) {
                return false;
            }
        }
        return true;
    }
}

/* IntRes2, and the flags in bits 32 on. */
static uint64_t compare(const Vec128Lanes *a, const Vec128Lanes *b, int64_t len_a, int64_t len_b,
                        unsigned imm)
{
    bool words = imm & 1;
    int max = words ? 8 : 16, la = string_length(a, len_a, words),
        lb = string_length(b, len_b, words);
    uint32_t res = 0, flags;

    for (int j = 0; j < max; j++) {
        res |= (uint32_t)aggregate(a, b, la, lb, j, max, imm) << j;
    }
    if ((imm & 0x30) == 0x10) {
        res ^= (1u << max) - 1;
    } else if ((imm & 0x30) == 0x30) {
        res ^= (1u << lb) - 1;
    }
    flags = (res ? FLAG_C : 0) | (lb < max ? FLAG_Z : 0) | (la < max ? FLAG_S : 0) |
            (res & 1 ? FLAG_O : 0);
    return res | (uint64_t)flags << 32;
}

uint64_t helper_pcmpstr_index(Vec128 a, Vec128 b, uint64_t len_a, uint64_t len_b, uint32_t imm)
{
    Vec128Lanes x = {.v = a}, y = {.v = b};
    uint64_t r = compare(&x, &y, len_a, len_b, imm);
    uint32_t mask = r, index = imm & 1 ? 8 : 16;

    if (mask) {
        index = imm & 0x40 ? 31 - __builtin_clz(mask) : __builtin_ctz(mask);
    }
    return (r & ~0xffffffffull) | index;
}

Vec128 helper_pcmpstr_mask(Vec128 a, Vec128 b, uint64_t len_a, uint64_t len_b, uint32_t imm)
{
    Vec128Lanes x = {.v = a}, y = {.v = b}, out = {.q = {0, 0}};
    uint32_t mask = compare(&x, &y, len_a, len_b, imm);

    if (!(imm & 0x40)) {
        out.q[0] = mask;
        return out.v;
    }
    for (unsigned i = 0; i < (imm & 1 ? 8u : 16u); i++) {
        if (imm & 1) {
            out.w[i] = mask >> i & 1 ? 0xffff : 0;
        } else {
            out.b[i] = mask >> i & 1 ? 0xff : 0;
        }
    }
    return out.v;
}

Vec128 helper_mpsadbw(Vec128 a, Vec128 b, uint32_t imm)
{
    Vec128Lanes x = {.v = a}, y = {.v = b}, out;
    unsigned from_b = (imm & 3) * 4, from_a = (imm & 4);

    for (unsigned i = 0; i < 8; i++) {
        unsigned sum = 0;

        for (unsigned k = 0; k < 4; k++) {
            int d = x.b[from_a + i + k] - y.b[from_b + k];

            sum += d < 0 ? -d : d;
        }
        out.w[i] = sum;
    }
    return out.v;
}

Vec128 helper_phminposuw(Vec128 a)
{
    Vec128Lanes x = {.v = a}, out = {.q = {0, 0}};
    unsigned best = 0;

    for (unsigned i = 1; i < 8; i++) {
        best = x.w[i] < x.w[best] ? i : best;
    }
    out.w[0] = x.w[best];
    out.w[1] = best;
    return out.v;
}

/*
 * Sum and product with SSE's choice of a NaN: the first operand's, else the second's, else the
 * default one (SDM 1 table 4-7). A compiler may swap operands, so the choice is made here, on
 * integers: a comparison of denormals would raise a flag. The operation itself raises those that
 * are due.
 */
static bool nan32(uint32_t v)
{
    return (v & 0x7fffffff) > 0x7f800000;
}

static bool nan64(uint64_t v)
{
    return (v & INT64_MAX) > 0x7ff0000000000000;
}

static float choose_nan32(float x, float y, float r)
{
    Vec128Lanes v = {.f = {x, y, r}};
    uint32_t from = nan32(v.l[0]) ? v.l[0] : nan32(v.l[1]) ? v.l[1] : 0xffc00000;

    v.l[2] = nan32(v.l[2]) ? from | 0x400000 : v.l[2];
    return v.f[2];
}

static double choose_nan64(double x, double y, double r)
{
    Vec128Lanes in = {.d = {x, y}}, v = {.d = {r}};
    uint64_t from = nan64(in.q[0]) ? in.q[0] : nan64(in.q[1]) ? in.q[1] : 0xfff8000000000000;

    v.q[0] = nan64(v.q[0]) ? from | 1ull << 51 : v.q[0];
    return v.d[0];
}

static float mul32(float x, float y)
{
    return choose_nan32(x, y, x * y);
}

static float add32(float x, float y)
{
    return choose_nan32(x, y, x + y);
}

Vec128 helper_dpps(Vec128 a, Vec128 b, uint32_t imm)
{
    Vec128Lanes x = {.v = a}, y = {.v = b}, out;
    float p[4], sum;

    for (unsigned i = 0; i < 4; i++) {
        bool used = imm >> (4 + i) & 1;

        p[i] = mul32(used ? x.f[i] : 0, used ? y.f[i] : 0);
    }
    sum = add32(add32(p[0], p[1]), add32(p[2], p[3]));
    for (unsigned i = 0; i < 4; i++) {
        out.f[i] = imm >> i & 1 ? sum : 0.0f;
    }
    return out.v;
}

Vec128 helper_dppd(Vec128 a, Vec128 b, uint32_t imm)
{
    Vec128Lanes x = {.v = a}, y = {.v = b}, out;
    double p[2], sum;

    for (unsigned i = 0; i < 2; i++) {
        bool used = imm >> (4 + i) & 1;
        double first = used ? x.d[i] : 0, second = used ? y.d[i] : 0;

        p[i] = choose_nan64(first, second, first * second);
    }
    sum = choose_nan64(p[0], p[1], p[0] + p[1]);
    for (unsigned i = 0; i < 2; i++) {
        out.d[i] = imm >> i & 1 ? sum : 0.0;
    }
    return out.v;
}
