// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scalar floats of the interpreter: C arithmetic under the guest's rounding mode, which the target
 * has put into the host's control register; the host accumulates sticky flags. NaN results are
 * those of SSE (SDM 1 4.8.3.5, table 4-7): the first NaN operand, quieted, else the default NaN.
 */
#include "tcg/interp/interp.h"
#include "tcg/interp/float.h"
#include "util/host-float.h"

#include <fenv.h>
#include <math.h>
#include <string.h>

#define QUIET32 0x00400000u
#define QUIET64 0x0008000000000000ull
#define DEFAULT32 0xffc00000u
#define DEFAULT64 0xfff8000000000000ull

static float f32_of(uint64_t v)
{
    uint32_t bits = (uint32_t)v;
    float f;

    memcpy(&f, &bits, 4);
    return f;
}

static double f64_of(uint64_t v)
{
    double f;

    memcpy(&f, &v, 8);
    return f;
}

static uint64_t bits32(float f)
{
    uint32_t v;

    memcpy(&v, &f, 4);
    return v;
}

static uint64_t bits64(double f)
{
    uint64_t v;

    memcpy(&v, &f, 8);
    return v;
}

static bool is_nan(IrType t, uint64_t v)
{
    return t == IR_F32 ? (uint32_t)(v << 1) > 0xff000000u : v << 1 > 0xffe0000000000000ull;
}

/* The operand as the host's arithmetic takes it: denormals may count as zeros. */
static uint64_t as_operand(IrType t, uint64_t x)
{
    uint64_t exponent = t == IR_F32 ? 0x7f800000 : 0x7ff0000000000000,
             sign = t == IR_F32 ? 0x80000000 : 1ull << 63;

    return !(x & exponent) && host_denormals_are_zero() ? x & sign : x;
}

/* The NaN that an operation on these operands gives when its result r is one. */
static uint64_t fix_nan(IrType t, uint64_t r, const uint64_t *k, unsigned n)
{
    if (!is_nan(t, r)) {
        return r;
    }
    for (unsigned i = 0; i < n; i++) {
        if (is_nan(t, k[i])) {
            return k[i] | (t == IR_F32 ? QUIET32 : QUIET64);
        }
    }
    return t == IR_F32 ? DEFAULT32 : DEFAULT64;
}

static uint64_t arith32(IrOpcode opcode, const uint64_t *k)
{
    float a = f32_of(k[0]), b = f32_of(k[1]);

    switch (opcode) {
    case OP_FADD: return fix_nan(IR_F32, bits32(a + b), k, 2);
    case OP_FSUB: return fix_nan(IR_F32, bits32(a - b), k, 2);
    case OP_FMUL: return fix_nan(IR_F32, bits32(a * b), k, 2);
    case OP_FDIV: return fix_nan(IR_F32, bits32(a / b), k, 2);
    case OP_FSQRT: return fix_nan(IR_F32, bits32(sqrtf(a)), k, 1);
    case OP_FMA: return fix_nan(IR_F32, bits32(fmaf(a, b, f32_of(k[2]))), k, 3);
    case OP_FMINB: return as_operand(IR_F32, a < b ? k[0] : k[1]);
    default: return as_operand(IR_F32, a > b ? k[0] : k[1]);
    }
}

static uint64_t arith64(IrOpcode opcode, const uint64_t *k)
{
    double a = f64_of(k[0]), b = f64_of(k[1]);

    switch (opcode) {
    case OP_FADD: return fix_nan(IR_F64, bits64(a + b), k, 2);
    case OP_FSUB: return fix_nan(IR_F64, bits64(a - b), k, 2);
    case OP_FMUL: return fix_nan(IR_F64, bits64(a * b), k, 2);
    case OP_FDIV: return fix_nan(IR_F64, bits64(a / b), k, 2);
    case OP_FSQRT: return fix_nan(IR_F64, bits64(sqrt(a)), k, 1);
    case OP_FMA: return fix_nan(IR_F64, bits64(fma(a, b, f64_of(k[2]))), k, 3);
    case OP_FMINB: return as_operand(IR_F64, a < b ? k[0] : k[1]);
    default: return as_operand(IR_F64, a > b ? k[0] : k[1]);
    }
}

/* Sticky flags are raised by arithmetic, where C code and guest code keep them on every host. */
static void raise_invalid(void)
{
    volatile float zero = 0.0f;

    zero /= zero;
}

static void raise_inexact(void)
{
    volatile float one = 1.0f;

    one += 0x1p-30f;
    (void)one;
}

static bool is_signaling(IrType t, uint64_t v)
{
    return is_nan(t, v) && !(v & (t == IR_F32 ? QUIET32 : QUIET64));
}

/* 1 less, 2 equal, 4 greater, 8 unordered. Signals on quiet NaNs, or only on signaling ones. */
static unsigned relation(IrType t, uint64_t x, uint64_t y, bool signal)
{
    if (is_nan(t, x) || is_nan(t, y)) {
        if (signal || is_signaling(t, x) || is_signaling(t, y)) {
            raise_invalid();
        }
        return 8;
    }
    volatile double a = t == IR_F32 ? (double)f32_of(x) : f64_of(x);
    volatile double b = t == IR_F32 ? (double)f32_of(y) : f64_of(y);
    return a < b ? 1 : a == b ? 2 : 4;
}

/* Whether predicate holds, by relation: SDM 2A, CMPPD, table 3-1. */
static bool predicate(IrType t, uint64_t x, uint64_t y, unsigned imm)
{
    static const uint8_t holds[16] = {2, 1, 3, 8, 13, 14, 12, 7, 10, 9, 11, 0, 5, 6, 4, 15};
    static const uint16_t signals =
        1 << 1 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 13 | 1 << 14;
    bool signal = (signals >> (imm & 15) & 1) != (imm >> 4 & 1);

    return relation(t, x, y, signal) & holds[imm & 15];
}

uint64_t interp_fcmp_mask(IrType t, uint64_t x, uint64_t y, unsigned imm)
{
    return predicate(t, x, y, imm) ? (t == IR_F32 ? UINT32_MAX : UINT64_MAX) : 0;
}

/* ---- rounding and conversion ---- */

/*
 * Magnitude of x as an integer, rounded as C's `mode` says; integer arithmetic, since conversions
 * take no notice of denormals. x is finite and below 2^64 in magnitude. *inexact: bits were lost.
 */
static uint64_t whole(IrType t, uint64_t x, int mode, bool *inexact)
{
    const unsigned frac = t == IR_F32 ? 23 : 52;
    const int bias = t == IR_F32 ? 127 : 1023;
    const bool negative = x >> (t == IR_F32 ? 31 : 63) & 1;
    const int biased = (int)(x >> frac & (t == IR_F32 ? 0xff : 0x7ff));
    const uint64_t m = (x & ((1ull << frac) - 1)) | (biased ? 1ull << frac : 0);
    const int e = (biased ? biased : 1) - bias - (int)frac;

    *inexact = false;
    if (e >= 0) {
        return m << e;
    }
    /* Integer part, first lost bit, any other. */
    const unsigned n = (unsigned)-e;
    uint64_t r = n < 64 ? m >> n : 0;
    bool half = n <= 64 && (m >> (n - 1) & 1),
         more = n > 64 ? m != 0 : (m & ((1ull << (n - 1)) - 1)) != 0;
    bool lost = *inexact = half || more;
    bool up = mode == FE_TONEAREST  ? half && (more || (r & 1))
              : mode == FE_UPWARD   ? lost && !negative
              : mode == FE_DOWNWARD ? lost && negative
                                    : false;
    return r + up;
}

static int exponent_of(IrType t, uint64_t x)
{
    return t == IR_F32 ? (int)(x >> 23 & 0xff) - 127 : (int)(x >> 52 & 0x7ff) - 1023;
}

uint64_t interp_to_int(IrOpcode opcode, IrType t, uint64_t x, uint64_t imm)
{
    const unsigned bits = opcode == OP_F_I32 ? 32 : 64;
    const uint64_t limit = 1ull << (bits - 1);

    x = as_operand(t, x);
    const bool negative = x >> (t == IR_F32 ? 31 : 63) & 1;
    bool inexact = false, fits = exponent_of(t, x) < (int)bits;      /* not infinite, not a NaN */
    uint64_t v = fits ? whole(t, x, imm & 1 ? FE_TOWARDZERO : host_rounding(), &inexact) : 0;

    if (!fits || v > limit - !negative) {
        raise_invalid();
        return limit;
    }
    if (inexact) {
        raise_inexact();
    }
    v = negative ? -v : v;
    return bits == 32 ? (uint32_t)v : v;
}

/*
 * SDM 2B, ROUNDPD, figure 4-24: bit 2 the mode in force, bits 0-1 another; bit 3 hides inexactness.
 */
uint64_t interp_round(IrType t, uint64_t x, uint64_t imm)
{
    static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    const uint64_t sign = x & (t == IR_F32 ? 1ull << 31 : 1ull << 63);
    bool inexact;

    x = as_operand(t, x);
    if (is_nan(t, x)) {
        if (is_signaling(t, x)) {
            raise_invalid();
        }
        return fix_nan(t, x, &x, 1);
    }
    if (exponent_of(t, x) >= (t == IR_F32 ? 23 : 52)) {
        return x;
    }
    uint64_t v = whole(t, x, imm & 4 ? host_rounding() : modes[imm & 3], &inexact);
    if (inexact && !(imm & 8)) {
        raise_inexact();
    }
    return (t == IR_F32 ? bits32((float)v) : bits64((double)v)) | sign;
}

uint64_t interp_narrow(uint64_t x)
{
    return bits32((float)f64_of(x));
}

uint64_t interp_widen(uint64_t x)
{
    return bits64((double)f32_of(x));
}

uint64_t interp_from_int(IrType t, int64_t x)
{
    return t == IR_F32 ? bits32((float)x) : bits64((double)x);
}

/* t: the operands' type; of conversions from integers, the result's. */
uint64_t interp_float_value(IrOpcode opcode, IrType t, const uint64_t *k, uint64_t imm)
{
    switch (opcode) {
    case OP_FCMP: {
        static const uint8_t flags[] = {[1] = 1, [2] = 0x40, [4] = 0, [8] = 0x45};
        return flags[relation(t, k[0], k[1], imm & 1)];
    }
    case OP_FCMP_MASK: return interp_fcmp_mask(t, k[0], k[1], (unsigned)imm);
    case OP_F32_F64: return interp_narrow(k[0]);
    case OP_F64_F32: return interp_widen(k[0]);
    case OP_I32_F: return interp_from_int(t, (int32_t)k[0]);
    case OP_I64_F: return interp_from_int(t, (int64_t)k[0]);
    case OP_F_I32: case OP_F_I64: return interp_to_int(opcode, t, k[0], imm);
    case OP_FROUND: return interp_round(t, k[0], imm);
    case OP_F_BITS: case OP_F_FROM_BITS: case OP_F32_BITS: case OP_F32_FROM_BITS: return k[0];
    default: return t == IR_F32 ? arith32(opcode, k) : arith64(opcode, k);
    }
}

const Insn *interp_float(const Insn *i, Run *r)
{
    uint64_t k[4] = {0};

    for (unsigned n = 0; n < i->num_args; n++) {
        k[n] = arg64(i, r, n);
    }
    const bool from_int = i->opcode == OP_I32_F || i->opcode == OP_I64_F;
    IrType t = (IrType)(from_int ? i->dst_type : i->type);
    put64(i, r, interp_float_value((IrOpcode)i->opcode, t, k, i->imm[0]));
    return i + 1;
}
