// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Overflow, underflow and precision of SSE and AVX arithmetic when the first two are not masked:
 * then the result has no limits to its exponent, so that an overflow may be exact and an exact
 * result too small (SDM 1 4.9.1, 11.5.2). The host runs with all masked and cannot tell; each
 * lane's result is made once more here, exactly, from the operands that the translation has kept.
 */
#include <string.h>
#include "target-i386/sse-exact.h"
#include "target-i386/vec.h"
#include "target-i386/x87.h"

typedef unsigned __int128 Wide;

/* sign, mant * 2^exp; `more`: a little more than that. */
typedef struct Exact {
    bool sign, more, special; /* special: infinity or NaN */
    int exp;
    Wide mant;
} Exact;

typedef struct Format {
    int bits, min, max; /* of the significand; exponents of normal numbers */
} Format;

static const Format half = {11, -14, 15}, single = {24, -126, 127}, twice = {53, -1022, 1023};

static Exact unpack(uint64_t v, bool is64, bool daz)
{
    unsigned frac_bits = is64 ? 52 : 23;
    int field = (int)(v >> frac_bits & (is64 ? 0x7ff : 0xff)), bias = is64 ? 1023 : 127;
    uint64_t frac = v & ((1ull << frac_bits) - 1);
    Exact x = {.sign = v >> (is64 ? 63 : 31) & 1};

    x.special = field == 2 * bias + 1;
    x.exp = (field ? field : 1) - bias - (int)frac_bits;
    x.mant = field ? frac | 1ull << frac_bits : daz ? 0 : frac;
    return x;
}

/* The top bit of mant becomes bit `top`. */
static void normalize(Exact *x, unsigned top)
{
    if (!x->mant) {
        return;
    }
    uint64_t high = (uint64_t)(x->mant >> 64), low = (uint64_t)x->mant;
    int at = high ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll(low), by = (int)top - at;

    x->exp -= by;
    if (by >= 0) {
        x->mant <<= by;
    } else {
        x->more |= (x->mant & (((Wide)1 << -by) - 1)) != 0;
        x->mant >>= -by;
    }
}

static Exact multiply(Exact a, Exact b)
{
    return (Exact){.sign = a.sign ^ b.sign,
                   .special = a.special | b.special,
                   .exp = a.exp + b.exp,
                   .mant = a.mant * b.mant};
}

static Exact divide(Exact a, Exact b)
{
    Exact q = {.sign = a.sign ^ b.sign, .special = a.special | b.special | !b.mant};

    if (q.special || !a.mant) {
        return q;
    }
    normalize(&a, 126);
    q.mant = a.mant / b.mant;
    q.more = a.mant % b.mant != 0;
    q.exp = a.exp - b.exp;
    return q;
}

/* Both with their top bit at 125 at most: what is shifted out only matters as `more`. */
static Exact add(Exact a, Exact b)
{
    bool special = a.special | b.special;

    normalize(&a, 125);
    normalize(&b, 125);
    if (!a.mant || (b.mant && a.exp < b.exp)) {
        Exact t = a;
        a = b;
        b = t;
    }
    a.special = special;
    if (!b.mant) {
        return a;
    }
    int by = a.exp - b.exp;
    b.more |= by > 127 || (b.mant & (((Wide)1 << by) - 1));
    b.mant = by > 127 ? 0 : b.mant >> by;
    if (a.sign == b.sign) {
        a.mant += b.mant;
        a.more = b.more;
        return a;
    }
    if (a.mant < b.mant) { /* equal exponents: nothing was shifted out */
        a.mant = b.mant - a.mant;
        a.sign = b.sign;
        return a;
    }
    a.mant -= b.mant + b.more; /* more of b is less here, and a little more again */
    a.more = b.more;
    return a;
}

static bool up(const Exact *x, unsigned drop, unsigned rc)
{
    Wide rest = drop > 127 ? x->mant : x->mant & (((Wide)1 << drop) - 1);
    bool inexact = rest || x->more;

    switch (rc) {
    case 0: {
        Wide mid = drop > 128 ? 0 : (Wide)1 << (drop - 1);
        bool odd = drop < 128 && (x->mant >> drop & 1);
        return drop <= 128 && (rest > mid || (rest == mid && (x->more || odd)));
    }
    case 1:
        return inexact && x->sign;
    case 2:
        return inexact && !x->sign;
    default:
        return false;
    }
}

/* Flags of a result in a format; SDM 1 4.9.1.4 to 4.9.1.6. */
static uint32_t range_flags(Exact x, const Format *f, unsigned rc, uint32_t mxcsr)
{
    bool over_masked = mxcsr >> MXCSR_MASK_SHIFT & MXCSR_OE;
    bool under_masked = mxcsr >> MXCSR_MASK_SHIFT & MXCSR_UE;

    if (x.special || !x.mant) {
        return 0;
    }
    normalize(&x, 127);
    unsigned drop = 128 - (unsigned)f->bits;
    bool inexact = (x.mant & (((Wide)1 << drop) - 1)) || x.more;
    int exp = x.exp + 127;
    bool carries = up(&x, drop, rc) && x.mant >> drop == ((Wide)1 << f->bits) - 1;
    if (exp + carries > f->max) {
        return MXCSR_OE | (over_masked || inexact ? MXCSR_PE : 0);
    }
    if (exp + carries >= f->min) {
        return inexact ? MXCSR_PE : 0;
    }
    if (!under_masked) {
        return MXCSR_UE | (inexact ? MXCSR_PE : 0);
    }
    if (mxcsr & MXCSR_FTZ && f != &half) {
        return MXCSR_UE | MXCSR_PE;
    }
    drop += (unsigned)(f->min - exp);
    return drop > 127 || (x.mant & (((Wide)1 << drop) - 1)) || x.more ? MXCSR_UE | MXCSR_PE : 0;
}

/* ---- instructions ---- */

enum {
    XM_ADD = 1,
    XM_MUL,
    XM_DIV,
    XM_FMA,
    XM_DOWN,
    XM_HALF,
    XM_HADD,
    XM_DP
};
enum {
    XM_KIND = 15,
    XM_F64 = 1 << 4,
    XM_SCALAR = 1 << 5,
    XM_SUB_EVEN = 1 << 6,
    XM_SUB_ODD = 1 << 7, /* the second (third) operand's sign changes */
    XM_NEGATE = 1 << 8, /* the product's does */
    XM_IMM_SHIFT = 16, /* and the number of lanes above it */
};

static const struct {
    X86TransFn *trans;
    uint32_t word;
} kinds[] = {
    {trans_ADDPS, XM_ADD},
    {trans_ADDPD, XM_ADD | XM_F64},
    {trans_ADDSS, XM_ADD | XM_SCALAR},
    {trans_ADDSD, XM_ADD | XM_F64 | XM_SCALAR},
    {trans_SUBPS, XM_ADD | XM_SUB_EVEN | XM_SUB_ODD},
    {trans_SUBPD, XM_ADD | XM_SUB_EVEN | XM_SUB_ODD | XM_F64},
    {trans_SUBSS, XM_ADD | XM_SUB_EVEN | XM_SUB_ODD | XM_SCALAR},
    {trans_SUBSD, XM_ADD | XM_SUB_EVEN | XM_SUB_ODD | XM_F64 | XM_SCALAR},
    {trans_ADDSUBPS, XM_ADD | XM_SUB_EVEN},
    {trans_ADDSUBPD, XM_ADD | XM_SUB_EVEN | XM_F64},
    {trans_MULPS, XM_MUL},
    {trans_MULPD, XM_MUL | XM_F64},
    {trans_MULSS, XM_MUL | XM_SCALAR},
    {trans_MULSD, XM_MUL | XM_F64 | XM_SCALAR},
    {trans_DIVPS, XM_DIV},
    {trans_DIVPD, XM_DIV | XM_F64},
    {trans_DIVSS, XM_DIV | XM_SCALAR},
    {trans_DIVSD, XM_DIV | XM_F64 | XM_SCALAR},
    {trans_HADDPS, XM_HADD},
    {trans_HADDPD, XM_HADD | XM_F64},
    {trans_HSUBPS, XM_HADD | XM_SUB_EVEN | XM_SUB_ODD},
    {trans_HSUBPD, XM_HADD | XM_SUB_EVEN | XM_SUB_ODD | XM_F64},
    {trans_CVTPD2PS, XM_DOWN | XM_F64},
    {trans_CVTSD2SS, XM_DOWN | XM_F64 | XM_SCALAR},
    {trans_CVTPS2PH, XM_HALF},
    {trans_DPPS, XM_DP},
    {trans_DPPD, XM_DP | XM_F64},
};

/* SDM 2C VFMADD..: which signs change by the low digit of the opcode. */
static uint32_t fma_word(const X86Insn *i)
{
    static const uint32_t signs[16] = {
        [6] = XM_SUB_EVEN,
        [7] = XM_SUB_ODD,
        [10] = XM_SUB_EVEN | XM_SUB_ODD,
        [11] = XM_SUB_EVEN | XM_SUB_ODD | XM_SCALAR,
        [9] = XM_SCALAR,
        [12] = XM_NEGATE,
        [13] = XM_NEGATE | XM_SCALAR,
        [14] = XM_NEGATE | XM_SUB_EVEN | XM_SUB_ODD,
        [15] = XM_NEGATE | XM_SUB_EVEN | XM_SUB_ODD | XM_SCALAR,
    };
    return XM_FMA | signs[i->opcode & 15] | (i->rex & 8 ? XM_F64 : 0);
}

static uint32_t word_of(const X86Insn *i)
{
    if (i->row->trans == trans_FMA || i->row->trans == trans_FMA_scalar) {
        return fma_word(i);
    }
    for (unsigned n = 0; n < ARRAY_COUNT(kinds); n++) {
        if (kinds[n].trans == i->row->trans) {
            return kinds[n].word;
        }
    }
    return 0;
}

uint32_t x86_xm_note(X86Ctx *s, const X86Insn *i)
{
    static const uint8_t fma[3][3] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}}; /* 132, 213, 231 */
    uint32_t word = word_of(i), kind = word & XM_KIND, f64 = word & XM_F64 ? 3 : 2;
    unsigned order[3] = {x86_src1(i), x86_src2(i), 0}, num = 2;

    if (!word) {
        return 0;
    }
    if (kind == XM_FMA) {
        memcpy(order,
               (unsigned[3]){fma[(i->opcode >> 4) - 9][0], fma[(i->opcode >> 4) - 9][1],
                             fma[(i->opcode >> 4) - 9][2]},
               sizeof(order));
        num = 3;
    } else if (kind == XM_DOWN || kind == XM_HALF) {
        order[0] = word & XM_SCALAR ? x86_src2(i) : 1;
        num = 1;
    }
    /* as many as the wider of destination and source has */
    unsigned size = i->op[order[0]].size > 3 ? i->op[order[0]].size : 4, parts = size == 5 ? 2 : 1;
    for (unsigned n = 0; n < num; n++) {
        for (unsigned p = 0; p < parts; p++) {
            IrVal v = word & XM_SCALAR ? x86_sread(s, i, order[n], f64 == 3 ? LANE_F64 : LANE_F32)
                                       : x86_vread(s, i, order[n], p);
            uint32_t to = (uint32_t)offsetof(X86Cpu, sse_before.operand[n][p]);
            ir_env_store(s->b, ir_v_extract(s->b, LANE_I64, v, 0), to, MEM_64);
            ir_env_store(s->b, ir_v_extract(s->b, LANE_I64, v, 1), to + 8, MEM_64);
        }
    }
    unsigned lanes = word & XM_SCALAR ? 1 : parts << (4 - f64);
    unsigned imm = kind == XM_HALF || kind == XM_DP ? x86_imm8(i) : 0;
    return word | imm << XM_IMM_SHIFT | lanes << 24;
}

static uint64_t lane(const X86SseBefore *b, unsigned n, unsigned k, bool is64)
{
    const uint8_t *p = (const uint8_t *)b->operand[n] + (is64 ? 8 : 4) * k;
    uint64_t v = 0;

    memcpy(&v, p, is64 ? 8 : 4);
    return v;
}

typedef struct Work {
    const X86SseBefore *b;
    uint32_t word, mxcsr;
    bool is64;
} Work;

static Exact operand(const Work *w, unsigned n, unsigned k)
{
    /* conversion to half floats takes denormals as they are, but for DAZ as all do */
    return unpack(lane(w->b, n, k, w->is64), w->is64, w->mxcsr & MXCSR_DAZ);
}

static Exact lane_result(const Work *w, unsigned k)
{
    bool negative = w->word & (k & 1 ? XM_SUB_ODD : XM_SUB_EVEN);
    unsigned per_half = w->is64 ? 2 : 4, pair = k % per_half;
    Exact a, b, c;

    switch (w->word & XM_KIND) {
    case XM_HADD: /* low results are of the first operand, high ones of the second */
        pair = k - pair + pair % (per_half / 2) * 2;
        a = operand(w, k % per_half >= per_half / 2, pair);
        b = operand(w, k % per_half >= per_half / 2, pair + 1);
        b.sign ^= negative;
        return add(a, b);
    case XM_ADD:
        b = operand(w, 1, k);
        b.sign ^= negative;
        return add(operand(w, 0, k), b);
    case XM_MUL:
        return multiply(operand(w, 0, k), operand(w, 1, k));
    case XM_DIV:
        return divide(operand(w, 0, k), operand(w, 1, k));
    case XM_FMA:
        c = operand(w, 2, k);
        c.sign ^= negative;
        a = multiply(operand(w, 0, k), operand(w, 1, k));
        a.sign ^= (w->word & XM_NEGATE) != 0;
        return add(a, c);
    default:
        return operand(w, 0, k);
    }
}

uint32_t x86_xm_range(const X86SseBefore *b, uint32_t word, uint32_t mxcsr)
{
    Work w = {.b = b, .word = word, .mxcsr = mxcsr, .is64 = word & XM_F64};
    unsigned kind = word & XM_KIND, rc = mxcsr >> MXCSR_RC_SHIFT & 3, imm = word >> XM_IMM_SHIFT;
    const Format *f = kind == XM_HALF ? &half : w.is64 && kind != XM_DOWN ? &twice : &single;
    uint32_t flags = 0;

    rc = kind == XM_HALF && !(imm & 4) ? imm & 3 : rc;
    for (unsigned k = 0; k < word >> 24; k++) {
        flags |= range_flags(lane_result(&w, k), f, rc, mxcsr);
    }
    return flags;
}

uint32_t x86_xm_operation(IrOpcode op, unsigned es, const uint64_t *v, uint32_t mxcsr)
{
    bool is64 = es == 3, daz = mxcsr & MXCSR_DAZ;
    Exact a = unpack(v[0], is64, daz), b = unpack(v[1], is64, daz), r;

    switch (op) {
    case OP_FADD:
        r = add(a, b);
        break;
    case OP_FSUB:
        b.sign = !b.sign;
        r = add(a, b);
        break;
    case OP_FMUL:
        r = multiply(a, b);
        break;
    case OP_FDIV:
        r = divide(a, b);
        break;
    default:
        r = add(multiply(a, b), unpack(v[2], is64, daz));
        break;
    }
    return range_flags(r, is64 ? &twice : &single, mxcsr >> MXCSR_RC_SHIFT & 3, mxcsr);
}

uint32_t x86_xm_narrow(unsigned es, uint64_t v, unsigned rc, uint32_t mxcsr)
{
    Exact x = unpack(v, es == 3, mxcsr & MXCSR_DAZ);

    return range_flags(x, es == 3 ? &single : &half, rc, mxcsr);
}

/* ---- dot products: multiplied, added by pairs, added; an unmasked exception ends it ---- */

/* Host flags of operands, and the rest exactly; *stop: no further step is made. */
static uint32_t step_flags(X86Cpu *c, const Work *w, Exact r, uint32_t mxcsr)
{
    uint32_t host = x86_get_mxcsr(c) & (MXCSR_IE | MXCSR_DE | MXCSR_ZE);

    x86_set_mxcsr(c, c->mxcsr & ~(uint32_t)MXCSR_STICKY);
    return host | range_flags(r, w->is64 ? &twice : &single, mxcsr >> MXCSR_RC_SHIFT & 3, mxcsr);
}

/* One operation in the guest's mode. Volatile: it is made here, for its flags. */
static uint64_t host_op(const Work *w, uint64_t x, uint64_t y, bool product)
{
    Vec128Lanes a = {.q = {x}}, b = {.q = {y}};
    volatile double d[2] = {a.d[0], b.d[0]};
    volatile float f[2] = {a.f[0], b.f[0]};

    if (w->is64) {
        a.d[0] = product ? d[0] * d[1] : d[0] + d[1];
    } else {
        a.f[0] = product ? f[0] * f[1] : f[0] + f[1];
        a.l[1] = 0;
    }
    return a.q[0];
}

static bool stops(uint32_t flags, uint32_t mxcsr)
{
    return flags & ~(mxcsr >> MXCSR_MASK_SHIFT) & MXCSR_STICKY;
}

/* Products of the half whose lanes begin at base. */
static uint32_t dot_products(X86Cpu *c, const Work *w, unsigned base, uint64_t *v)
{
    unsigned imm = w->word >> XM_IMM_SHIFT & 0xff, n = w->is64 ? 2 : 4;
    uint32_t flags = 0;

    for (unsigned k = 0; k < n; k++) {
        if (imm >> (4 + k) & 1) {
            uint64_t x = lane(w->b, 0, base + k, w->is64), y = lane(w->b, 1, base + k, w->is64);
            v[k] = host_op(w, x, y, true);
            flags |= step_flags(c, w, multiply(operand(w, 0, base + k), operand(w, 1, base + k)),
                                w->mxcsr);
        }
    }
    return flags;
}

/* n sums of neighbours. */
static uint32_t dot_sums(X86Cpu *c, const Work *w, unsigned n, uint64_t *v)
{
    bool daz = w->mxcsr & MXCSR_DAZ;
    uint32_t flags = 0;

    for (unsigned k = 0; k < n; k++) {
        uint64_t x = v[2 * k], y = v[2 * k + 1];
        v[k] = host_op(w, x, y, false);
        flags |= step_flags(c, w, add(unpack(x, w->is64, daz), unpack(y, w->is64, daz)), w->mxcsr);
    }
    return flags;
}

bool x86_xm_is_dot(uint32_t word)
{
    return (word & XM_KIND) == XM_DP;
}

uint32_t x86_xm_dot(X86Cpu *c, uint32_t word)
{
    const X86SseBefore *b = &c->sse_before;
    Work w = {.b = b, .word = word, .mxcsr = b->mxcsr, .is64 = word & XM_F64};
    const uint32_t first = MXCSR_IE | MXCSR_DE | MXCSR_ZE;
    unsigned per_half = w.is64 ? 2 : 4, halves = (word >> 24) / per_half;
    uint64_t v[2][4] = {{0}};
    uint32_t flags = 0;

    x86_set_mxcsr(c, c->mxcsr & ~(uint32_t)MXCSR_STICKY);
    for (unsigned n = per_half; n && !stops(flags, b->mxcsr); n /= 2) {
        uint32_t step = 0;
        for (unsigned h = 0; h < halves; h++) {
            step |=
                n == per_half ? dot_products(c, &w, h * per_half, v[h]) : dot_sums(c, &w, n, v[h]);
        }
        flags |= stops(step & first, b->mxcsr) ? step & first : step;
    }
    return flags;
}
