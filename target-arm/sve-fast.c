// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SVE: common operations on vectors whose elements are all active, by the host's vectors of 16
 * bytes. Floating-point results are the guest's unless one is a NaN or the smallest normal
 * (fp-helper.c says why); then the caller does all of it element by element.
 */
#include "target-arm/sve.h"

#include <math.h>
#include <string.h>

typedef uint8_t U8 __attribute__((vector_size(16)));
typedef uint16_t U16 __attribute__((vector_size(16)));
typedef uint32_t U32 __attribute__((vector_size(16)));
typedef uint64_t U64 __attribute__((vector_size(16)));
typedef float F32 __attribute__((vector_size(16)));
typedef double F64 __attribute__((vector_size(16)));

static const uint64_t patterns[4] = {UINT64_MAX, 0x5555555555555555, 0x1111111111111111,
                                     0x0101010101010101};

uint64_t sv_elements(unsigned size, unsigned vl, unsigned word)
{
    unsigned from = word * 64;

    return vl >= from + 64 ? patterns[size]
           : vl <= from    ? 0
                           : patterns[size] & ((1ull << (vl - from)) - 1);
}

bool sv_all_active(const uint64_t *p, unsigned size, unsigned vl)
{
    for (unsigned w = 0; w * 64 < vl; w++) {
        if (sv_elements(size, vl, w) & ~p[w]) {
            return false;
        }
    }
    return true;
}

/* ---- integers ---- */

#define LOOP(type, expr)                     \
    for (unsigned i = 0; i < vl / 16; i++) { \
        type x, y, v;                        \
        memcpy(&x, &a->q[i], 16);            \
        memcpy(&y, &b->q[i], 16);            \
        v = (expr);                          \
        memcpy(&r->q[i], &v, 16);            \
    }
#define BY_SIZE(expr)   \
    switch (size) {     \
    case 0:             \
        LOOP(U8, expr)  \
        break;          \
    case 1:             \
        LOOP(U16, expr) \
        break;          \
    case 2:             \
        LOOP(U32, expr) \
        break;          \
    default:            \
        LOOP(U64, expr) \
        break;          \
    }

bool sv_fast_bin(unsigned op, unsigned size, const ArmZ *a, const ArmZ *b, ArmZ *r, unsigned vl)
{
    switch (op) {
    case SVB_ADD:
        BY_SIZE(x + y)
        return true;
    case SVB_SUB:
        BY_SIZE(x - y)
        return true;
    case SVB_SUBR:
        BY_SIZE(y - x)
        return true;
    case SVB_MUL:
        BY_SIZE(x * y)
        return true;
    case SVB_AND:
        LOOP(U64, x & y)
        return true;
    case SVB_ORR:
        LOOP(U64, x | y)
        return true;
    case SVB_EOR:
        LOOP(U64, x ^ y)
        return true;
    case SVB_BIC:
        LOOP(U64, x & ~y)
        return true;
    case SVB_SECOND:
        memcpy(r, b, vl);
        return true;
    default:
        return false;
    }
}

/* ---- floating point ---- */

/* Results that may not be the guest's are noted in bad. */
#define FLOATS(type, utype, magnitude, smallest, expr)                    \
    for (unsigned i = 0; i < vl / 16; i++) {                              \
        type x, y, v;                                                     \
        utype bits;                                                       \
        memcpy(&x, &a->q[i], 16);                                         \
        memcpy(&y, &b->q[i], 16);                                         \
        v = (expr);                                                       \
        memcpy(&bits, &v, 16);                                            \
        bad |= (U64)(v != v) | (U64)((bits & (magnitude)) == (smallest)); \
        memcpy(&r->q[i], &v, 16);                                         \
    }
#define BY_FORMAT(expr)                                                      \
    if (size == 2) {                                                         \
        FLOATS(F32, U32, 0x7fffffffu, 0x00800000u, expr)                     \
    } else {                                                                 \
        FLOATS(F64, U64, 0x7fffffffffffffffull, 0x0010000000000000ull, expr) \
    }

bool sv_fast_fbin(const ArmCpu *c, unsigned op, unsigned size, const ArmZ *a, const ArmZ *b,
                  ArmZ *r, unsigned vl)
{
    U64 bad = {0, 0};

    if (size < 2 || c->fpcr & FPCR_FZ) {
        return false;
    }
    switch (op) {
    case FP_ADD:
        BY_FORMAT(x + y)
        break;
    case FP_SUB:
        BY_FORMAT(x - y)
        break;
    case FP_MUL:
        BY_FORMAT(x * y)
        break;
    case FP_DIV:
        BY_FORMAT(x / y)
        break;
    default:
        return false;
    }
    return !(bad[0] | bad[1]);
}

static bool fma32(const ArmZ *a, const ArmZ *n, const ArmZ *m, ArmZ *r, unsigned vl, uint32_t neg_a,
                  uint32_t neg_n)
{
    for (unsigned i = 0; i < vl / 4; i++) {
        uint32_t bits[3] = {n->s[i] ^ neg_n, m->s[i], a->s[i] ^ neg_a};
        float f[3], v;

        memcpy(f, bits, sizeof(f));
        v = fmaf(f[0], f[1], f[2]);
        memcpy(&r->s[i], &v, 4);
        if (v != v || (r->s[i] & 0x7fffffff) <= 0x00800000) {
            return false;
        }
    }
    return true;
}

static bool fma64(const ArmZ *a, const ArmZ *n, const ArmZ *m, ArmZ *r, unsigned vl, uint64_t neg_a,
                  uint64_t neg_n)
{
    for (unsigned i = 0; i < vl / 8; i++) {
        uint64_t bits[3] = {n->d[i] ^ neg_n, m->d[i], a->d[i] ^ neg_a};
        double f[3], v;

        memcpy(f, bits, sizeof(f));
        v = fma(f[0], f[1], f[2]);
        memcpy(&r->d[i], &v, 8);
        if (v != v || (r->d[i] & INT64_MAX) <= 0x0010000000000000) {
            return false;
        }
    }
    return true;
}

bool sv_fast_fma(const ArmCpu *c, unsigned size, const ArmZ *a, const ArmZ *n, const ArmZ *m,
                 ArmZ *r, unsigned vl, bool neg_a, bool neg_n)
{
    if (size < 2 || c->fpcr & FPCR_FZ) {
        return false;
    }
    return size == 2 ? fma32(a, n, m, r, vl, neg_a ? 1u << 31 : 0, neg_n ? 1u << 31 : 0)
                     : fma64(a, n, m, r, vl, neg_a ? 1ull << 63 : 0, neg_n ? 1ull << 63 : 0);
}
