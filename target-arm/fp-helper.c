// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floating point by vectors and scalars (one lane). The host's arithmetic serves where it cannot be
 * told from the guest's; the rest is fp-core.c's.
 */
#include "target-arm/helpers.h"
#include "target-arm/simd.h"
#include "util/host-float.h"

#include <math.h>
#include <string.h>

/*
 * The host's result is the guest's unless it is a NaN (payloads differ) or the smallest normal
 * (tininess is detected before rounding).
 */
static bool host_op32(FpOp op, uint32_t a, uint32_t b, uint32_t *r)
{
    float x, y, v;

    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    v = op == FP_ADD ? x + y : op == FP_SUB ? x - y : op == FP_MUL ? x * y : x / y;
    memcpy(r, &v, 4);
    return v == v && (*r & 0x7fffffff) != 0x00800000;
}

static bool host_op64(FpOp op, uint64_t a, uint64_t b, uint64_t *r)
{
    double x, y, v;

    memcpy(&x, &a, 8);
    memcpy(&y, &b, 8);
    v = op == FP_ADD ? x + y : op == FP_SUB ? x - y : op == FP_MUL ? x * y : x / y;
    memcpy(r, &v, 8);
    return v == v && (*r & INT64_MAX) != 0x0010000000000000ull;
}

/* AArch32's Newton-Raphson steps round the product: 2 - a * b, (3 - a * b) / 2. */
static uint64_t step_a32(ArmCpu *c, unsigned size, bool root, uint64_t a, uint64_t b)
{
    static const uint64_t two[4] = {0, 0x4000, 0x40000000}, three[4] = {0, 0x4200, 0x40400000},
                          half[4] = {0, 0x3800, 0x3f000000}, one_half[4] = {0, 0x3e00, 0x3fc00000},
                          exp[4] = {0, 0x7c00, 0x7f800000};
    uint64_t magnitude = (1ull << ((8 << size) - 1)) - 1, x = a & magnitude, y = b & magnitude;
    bool flush = size > 1 || c->fpcr & FPCR_FZ16;
    bool x0 = flush ? !(x & exp[size]) : !x, y0 = flush ? !(y & exp[size]) : !y;

    if ((x == exp[size] && y0) || (y == exp[size] && x0)) {
        if (size > 1 && (x0 ? x : y)) {
            c->fpsr |= FPSR_IDC;        /* what counts as 0 is a denormal number */
        }
        return root ? one_half[size] : two[size];
    }
    uint64_t r =
        fp_op2(c, size, FP_SUB, root ? three[size] : two[size], fp_op2(c, size, FP_MUL, a, b));

    return root ? fp_op2(c, size, FP_MUL, r, half[size]) : r;
}

static uint64_t op2(ArmCpu *c, uint32_t w, uint64_t a, uint64_t b)
{
    unsigned size = word_size(w);
    FpOp op = word_op(w);

    if (w & WORD_STD && (op == FP_RECPS || op == FP_RSQRTS)) {
        return step_a32(c, size, op == FP_RSQRTS, a, b);
    }
    if (op <= FP_DIV && size >= 2 && !(c->fpcr & FPCR_FZ)) {
        uint32_t r32;
        uint64_t r64;

        if (size == 2 ? host_op32(op, (uint32_t)a, (uint32_t)b, &r32) : host_op64(op, a, b, &r64)) {
            return size == 2 ? r32 : r64;
        }
    }
    return fp_op2(c, size, op, a, b);
}

uint64_t arm_fp_lane2(ArmCpu *c, unsigned fmt, unsigned op, uint64_t a, uint64_t b)
{
    return op2(c, simd_word(op, fmt, false, false, false, 0), a, b);
}

typedef uint32_t Lanes32 __attribute__((vector_size(16)));
typedef float Floats __attribute__((vector_size(16)));

static bool any(Lanes32 v)
{
    uint64_t q[2];

    memcpy(q, &v, sizeof(q));
    return q[0] | q[1];
}

/*
 * Sums and products of singles with flush to zero, all lanes by the host: denormal operands, NaNs,
 * and results that are tiny or may have been are left to fp-core.c (false; no flag is raised).
 */
static bool flushed_by_host(const ArmCpu *c, uint32_t w, uint32_t fpcr, const Vec128Lanes *va,
                            const Vec128Lanes *vb, Vec128Lanes *r)
{
    const FpOp op = word_op(w);
    const uint32_t minimum = 0x00800000, infinity = 0x7f800000;
    Lanes32 x, y, z, magnitude = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};
    Floats fx, fy, fz;

    /* the host rounds as FPCR says, the standard value to nearest */
    if (word_size(w) != 2 || op > FP_MUL || !(c->fpcr & FPCR_FZ) || word_imm(w) & 1 ||
        (fpcr >> FPCR_RMODE_SHIFT & 3)) {
        return false;
    }
    Vec128Lanes a = *va, b = *vb;

    for (unsigned n = word_lanes(w); n < 4; n++) {      /* 1 or 2 */
        a.l[n] = a.l[0];
        b.l[n] = b.l[0];
    }
    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));
    Lanes32 mx = x & magnitude, my = y & magnitude;

    if (any((Lanes32)(mx - 1 < minimum - 1) | (Lanes32)(my - 1 < minimum - 1))) {
        return false;
    }
    uint32_t flags = host_mxcsr();

    __asm__ volatile("" : "+m"(a), "+m"(b));    /* not before the flags are read */
    memcpy(&fx, &a, sizeof(fx));
    memcpy(&fy, &b, sizeof(fy));
    fz = op == FP_ADD ? fx + fy : op == FP_SUB ? fx - fy : fx * fy;
    memcpy(&z, &fz, sizeof(z));
    z &= magnitude;
    Lanes32 bad = (Lanes32)(z - 1 < minimum) | (Lanes32)(z > infinity);

    if (op == FP_MUL) {
        bad |= (Lanes32)(z == 0) & (Lanes32)(mx != 0) & (Lanes32)(my != 0);
    }
    if (any(bad)) {
        host_set_mxcsr(flags);
        return false;
    }
    memcpy(r, &fz, sizeof(*r));
    for (unsigned n = word_lanes(w); n < 4; n++) {
        r->l[n] = 0;
    }
    return true;
}

/* imm: 1 pairwise. */
Vec128 helper_fp3(Cpu *cpu, Vec128 va, Vec128 vb, uint32_t w)
{
    Vec128Lanes a = {.v = va}, b = {.v = vb}, r = {.q = {0, 0}};
    unsigned size = word_size(w), lanes = word_lanes(w);

    uint32_t fpcr = fp_enter(ARM(cpu), w);

    if (flushed_by_host(ARM(cpu), w, fpcr, &a, &b, &r)) {
        ARM(cpu)->fpcr = fpcr;
        return r.v;
    }
    for (unsigned n = 0; n < lanes; n++) {
        if (word_imm(w) & 1) {
            const Vec128Lanes *s = n < lanes / 2 ? &a : &b;
            unsigned at = 2 * n % lanes;

            lane_set(&r, size, n, op2(ARM(cpu), w, lane_u(s, size, at), lane_u(s, size, at + 1)));
        } else {
            lane_set(&r, size, n, op2(ARM(cpu), w, lane_u(&a, size, n), lane_u(&b, size, n)));
        }
    }
    ARM(cpu)->fpcr = fpcr;
    return r.v;
}

static uint64_t muladd(ArmCpu *c, unsigned size, uint64_t a, uint64_t b, uint64_t d, bool neg_a,
                       bool neg_b)
{
    if (size == 3 && !(c->fpcr & FPCR_FZ)) {
        double x, y, z, v;
        uint64_t r;

        memcpy(&x, &a, 8);
        memcpy(&y, &b, 8);
        memcpy(&z, &d, 8);
        v = fma(neg_b ? -y : y, z, neg_a ? -x : x);
        memcpy(&r, &v, 8);
        if (v == v && (r & INT64_MAX) > 0x0010000000000000ull) {
            return r;
        }
    }
    return fp_muladd(c, size, a, b, d, neg_a, neg_b);
}

uint64_t arm_fp_lane3(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b, uint64_t d, bool neg_a,
                      bool neg_b)
{
    return muladd(c, fmt, a, b, d, neg_a, neg_b);
}

/* op: bit 0 negates the addend, bit 1 the product. */
Vec128 helper_fp_muladd(Cpu *cpu, Vec128 vd, Vec128 va, Vec128 vb, uint32_t w)
{
    Vec128Lanes a = {.v = va}, b = {.v = vb}, d = {.v = vd}, r = {.q = {0, 0}};
    unsigned size = word_size(w), lanes = word_lanes(w);

    uint32_t fpcr = fp_enter(ARM(cpu), w);

    for (unsigned n = 0; n < lanes; n++) {
        lane_set(&r, size, n,
                 muladd(ARM(cpu), size, lane_u(&d, size, n), lane_u(&a, size, n),
                        lane_u(&b, size, n), word_op(w) & 1, word_op(w) & 2));
    }
    ARM(cpu)->fpcr = fpcr;
    return r.v;
}

Vec128 helper_fp2(Cpu *cpu, Vec128 va, uint32_t w)
{
    Vec128Lanes a = {.v = va}, r = {.q = {0, 0}};
    unsigned size = word_size(w);

    uint32_t fpcr = fp_enter(ARM(cpu), w);

    for (unsigned n = 0; n < word_lanes(w); n++) {
        lane_set(&r, size, n, fp_op1(ARM(cpu), size, word_op(w), lane_u(&a, size, n)));
    }
    ARM(cpu)->fpcr = fpcr;
    return r.v;
}

/* To integers of the lane's size; op: rounding; imm: fraction bits. */
Vec128 helper_fp_toint(Cpu *cpu, Vec128 va, uint32_t w)
{
    Vec128Lanes a = {.v = va}, r = {.q = {0, 0}};
    unsigned size = word_size(w);

    uint32_t fpcr = fp_enter(ARM(cpu), w);

    for (unsigned n = 0; n < word_lanes(w); n++) {
        lane_set(&r, size, n,
                 fp_to_int(ARM(cpu), size, lane_u(&a, size, n), word_op(w), !word_u(w), 8u << size,
                           word_imm(w)));
    }
    ARM(cpu)->fpcr = fpcr;
    return r.v;
}

Vec128 helper_fp_fromint(Cpu *cpu, Vec128 va, uint32_t w)
{
    Vec128Lanes a = {.v = va}, r = {.q = {0, 0}};
    unsigned size = word_size(w);

    uint32_t fpcr = fp_enter(ARM(cpu), w);

    for (unsigned n = 0; n < word_lanes(w); n++) {
        lane_set(
            &r, size, n,
            fp_from_int(ARM(cpu), size, lane_u(&a, size, n), !word_u(w), 8u << size, word_imm(w)));
    }
    ARM(cpu)->fpcr = fpcr;
    return r.v;
}

/*
 * Scalars between general and vector registers: size is the float's; imm: fraction bits; bit 8 of
 * it: 64-bit integer.
 */
uint64_t helper_fp_to_gpr(Cpu *cpu, uint64_t a, uint32_t w)
{
    return fp_to_int(ARM(cpu), word_size(w), a, word_op(w), !word_u(w), word_imm(w) & 256 ? 64 : 32,
                     word_imm(w) & 255);
}

uint64_t helper_fp_from_gpr(Cpu *cpu, uint64_t a, uint32_t w)
{
    return fp_from_int(ARM(cpu), word_size(w), a, !word_u(w), word_imm(w) & 256 ? 64 : 32,
                       word_imm(w) & 255);
}

/*
 * Lane sizes change: size is the source's, op the destination's, imm the rounding; lanes are
 * counted in the wider.
 */
Vec128 helper_fp_convert(Cpu *cpu, Vec128 va, uint32_t w)
{
    Vec128Lanes a = {.v = va}, r = {.q = {0, 0}};
    unsigned from = word_size(w), to = word_op(w),
             lanes = word_scalar(w) ? 1 : 16u >> MAX(from, to);

    uint32_t fpcr = fp_enter(ARM(cpu), w);

    for (unsigned n = 0; n < lanes; n++) {
        lane_set(&r, to, n, fp_convert(ARM(cpu), from, to, lane_u(&a, from, n), word_imm(w)));
    }
    ARM(cpu)->fpcr = fpcr;
    return r.v;
}

uint32_t helper_fp_compare(Cpu *cpu, uint64_t a, uint64_t b, uint32_t w)
{
    return fp_compare(ARM(cpu), word_size(w), a, b, word_op(w));
}

uint64_t helper_fjcvtzs(Cpu *cpu, uint64_t a)
{
    bool exact;
    uint32_t r = fp_jcvt(ARM(cpu), a, &exact);

    return (uint64_t)exact << 32 | r;
}

/* FCMLA: imm bits 0..1 rotation. */
Vec128 helper_fcmla(Cpu *cpu, Vec128 vd, Vec128 va, Vec128 vb, uint32_t w)
{
    Vec128Lanes a = {.v = va}, b = {.v = vb}, d = {.v = vd}, r = {.q = {0, 0}};
    unsigned size = word_size(w), rot = word_imm(w) & 3;
    uint64_t sign = 1ull << ((8 << size) - 1);

    uint32_t fpcr = fp_enter(ARM(cpu), w);

    for (unsigned n = 0; n + 1 < word_lanes(w); n += 2) {
        unsigned src = rot & 1;
        uint64_t x = lane_u(&a, size, n + src), re = lane_u(&b, size, n),
                 im = lane_u(&b, size, n + 1);
        uint64_t e1 = src ? im : re, e2 = src ? re : im;

        e1 ^= rot == 1 || rot == 2 ? sign : 0;
        e2 ^= rot == 2 || rot == 3 ? sign : 0;
        lane_set(&r, size, n, fp_muladd(ARM(cpu), size, lane_u(&d, size, n), x, e1, false, false));
        lane_set(&r, size, n + 1,
                 fp_muladd(ARM(cpu), size, lane_u(&d, size, n + 1), x, e2, false, false));
    }
    ARM(cpu)->fpcr = fpcr;
    return r.v;
}

Vec128 helper_fcadd(Cpu *cpu, Vec128 va, Vec128 vb, uint32_t w)
{
    Vec128Lanes a = {.v = va}, b = {.v = vb}, r = {.q = {0, 0}};
    unsigned size = word_size(w);
    uint64_t sign = 1ull << ((8 << size) - 1);

    uint32_t fpcr = fp_enter(ARM(cpu), w);

    for (unsigned n = 0; n + 1 < word_lanes(w); n += 2) {
        uint64_t e1 = lane_u(&b, size, n + 1) ^ (word_imm(w) ? 0 : sign),
                 e3 = lane_u(&b, size, n) ^ (word_imm(w) ? sign : 0);

        lane_set(&r, size, n, fp_op2(ARM(cpu), size, FP_ADD, lane_u(&a, size, n), e1));
        lane_set(&r, size, n + 1, fp_op2(ARM(cpu), size, FP_ADD, lane_u(&a, size, n + 1), e3));
    }
    ARM(cpu)->fpcr = fpcr;
    return r.v;
}

/* Across all lanes, by halves, as the pseudocode's Reduce does. */
Vec128 helper_fp_across(Cpu *cpu, Vec128 va, uint32_t w)
{
    Vec128Lanes a = {.v = va}, r = {.q = {0, 0}};
    unsigned size = word_size(w), lanes = word_lanes(w);

    for (; lanes > 1; lanes /= 2) {
        for (unsigned n = 0; n < lanes / 2; n++) {
            lane_set(&a, size, n,
                     fp_op2(ARM(cpu), size, word_op(w), lane_u(&a, size, 2 * n),
                            lane_u(&a, size, 2 * n + 1)));
        }
    }
    lane_set(&r, size, 0, lane_u(&a, size, 0));
    return r.v;
}
