// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SVE: integer operations element by element, by predicate where there is one: two and three
 * operands, one, shifts, reductions. C8.2.
 */
#include "target-arm/sve.h"

#include "target-arm/helpers.h"

const uint64_t sv_all_true[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};

/* ---- two operands ---- */

uint64_t sv_shift_left_or_right(uint64_t a, int64_t shift, unsigned size, bool u, bool round,
                                bool sat)
{
    int bits = (int)sv_bits(size);
    __int128 v = u ? (__int128)a : (__int128)sv_sx(a, size);

    if (shift < 0) {
        int n = shift < -(bits + 1) ? bits + 1 : (int)-shift;

        if (round) {
            v += (__int128)1 << (n - 1);
        }
        v >>= n;
    } else {
        int n = shift > bits ? bits : (int)shift;

        if (u && sat) {
            unsigned __int128 w = (unsigned __int128)a << n;

            return w > ((unsigned __int128)1 << bits) - 1 ? sv_zx(UINT64_MAX, size) : (uint64_t)w;
        }
        v = (__int128)((unsigned __int128)v << n);
    }
    return !sat ? (uint64_t)v : u ? sv_sat_u(v, size) : (uint64_t)sv_sat_s(v, size);
}

static uint64_t bits_extract(uint64_t a, uint64_t mask)
{
    uint64_t r = 0;

    for (unsigned n = 0; mask; mask &= mask - 1, n++) {
        r |= (a >> __builtin_ctzll(mask) & 1) << n;
    }
    return r;
}

static uint64_t bits_deposit(uint64_t a, uint64_t mask)
{
    uint64_t r = 0;

    for (; mask; mask &= mask - 1, a >>= 1) {
        r |= (a & 1) << __builtin_ctzll(mask);
    }
    return r;
}

static uint64_t poly_mul8(uint64_t a, uint64_t b)
{
    uint64_t r = 0;

    for (unsigned n = 0; n < 8; n++) {
        r ^= b >> n & 1 ? a << n : 0;
    }
    return r;
}

static uint64_t shift_by(unsigned op, unsigned size, uint64_t a, uint64_t b)
{
    unsigned bits = sv_bits(size);

    switch (op) {
    case SVB_ASR:
    case SVB_ASRW:
        return (uint64_t)(sv_sx(a, size) >> (b >= bits ? bits - 1 : b));
    case SVB_LSR:
    case SVB_LSRW:
        return b >= bits ? 0 : a >> b;
    default:
        return b >= bits ? 0 : a << b;
    }
}

/* What saturates, halves or rounds. */
static uint64_t bin_more(unsigned op, unsigned size, uint64_t a, uint64_t b)
{
    __int128 x = sv_sx(a, size), y = sv_sx(b, size), ua = (__int128)a, ub = (__int128)b;

    switch (op) {
    case SVB_SQADD:
        return (uint64_t)sv_sat_s(x + y, size);
    case SVB_UQADD:
        return sv_sat_u(ua + ub, size);
    case SVB_SQSUB:
        return (uint64_t)sv_sat_s(x - y, size);
    case SVB_UQSUB:
        return sv_sat_u(ua - ub, size);
    case SVB_SUQADD:
        return (uint64_t)sv_sat_s(x + ub, size);
    case SVB_USQADD:
        return sv_sat_u(ua + y, size);
    case SVB_SQADDU:
        return (uint64_t)sv_sat_s(x + ub, size);
    case SVB_SQSUBU:
        return (uint64_t)sv_sat_s(x - ub, size);
    case SVB_SRSHL:
    case SVB_URSHL:
        return sv_shift_left_or_right(a, (int64_t)y, size, op == SVB_URSHL, true, false);
    case SVB_SQSHL:
    case SVB_UQSHL:
        return sv_shift_left_or_right(a, (int64_t)y, size, op == SVB_UQSHL, false, true);
    case SVB_SQRSHL:
    case SVB_UQRSHL:
        return sv_shift_left_or_right(a, (int64_t)y, size, op == SVB_UQRSHL, true, true);
    case SVB_SHADD:
        return (uint64_t)((x + y) >> 1);
    case SVB_UHADD:
        return (uint64_t)((ua + ub) >> 1);
    case SVB_SHSUB:
        return (uint64_t)((x - y) >> 1);
    case SVB_UHSUB:
        return (uint64_t)((ua - ub) >> 1);
    case SVB_SRHADD:
        return (uint64_t)((x + y + 1) >> 1);
    case SVB_URHADD:
        return (uint64_t)((ua + ub + 1) >> 1);
    case SVB_SQDMULH:
    case SVB_SQRDMULH:
        if (x == y && x == -((__int128)1 << (sv_bits(size) - 1))) {
            return sv_sign(size) - 1;
        }
        x = x * y + (op == SVB_SQRDMULH ? (__int128)1 << (sv_bits(size) - 2) : 0);
        return (uint64_t)(x >> (sv_bits(size) - 1));
    case SVB_PMUL:
        return poly_mul8(a, b);
    case SVB_BEXT:
        return bits_extract(a, b);
    case SVB_BDEP:
        return bits_deposit(a, b);
    case SVB_BGRP: {
        unsigned n = (unsigned)__builtin_popcountll(b);
        uint64_t rest = bits_extract(a, sv_zx(~b, size));

        return bits_extract(a, b) | (n < 64 ? rest << n : 0);
    }
    default:
        return a ^ (b << 1 | b >> 63);          /* RAX1 */
    }
}

uint64_t sv_bin(unsigned op, unsigned size, uint64_t a, uint64_t b)
{
    int64_t x = sv_sx(a, size), y = sv_sx(b, size);

    switch (op) {
    case SVB_ADD:
        return a + b;
    case SVB_SUB:
        return a - b;
    case SVB_SUBR:
        return b - a;
    case SVB_SMAX:
        return (uint64_t)(x > y ? x : y);
    case SVB_UMAX:
        return a > b ? a : b;
    case SVB_SMIN:
        return (uint64_t)(x < y ? x : y);
    case SVB_UMIN:
        return a < b ? a : b;
    case SVB_SABD:
        return x > y ? (uint64_t)x - (uint64_t)y : (uint64_t)y - (uint64_t)x;
    case SVB_UABD:
        return a > b ? a - b : b - a;
    case SVB_MUL:
        return a * b;
    case SVB_SMULH:
        return (uint64_t)(((__int128)x * y) >> sv_bits(size));
    case SVB_UMULH:
        return (uint64_t)(((unsigned __int128)a * b) >> sv_bits(size));
    case SVB_SDIV:
        return y == 0 ? 0 : y == -1 ? 0 - (uint64_t)x : (uint64_t)(x / y);
    case SVB_UDIV:
        return b == 0 ? 0 : a / b;
    case SVB_ORR:
        return a | b;
    case SVB_EOR:
        return a ^ b;
    case SVB_AND:
        return a & b;
    case SVB_BIC:
        return a & ~b;
    case SVB_SECOND:
        return b;
    case SVB_ASR:
    case SVB_LSR:
    case SVB_LSL:
    case SVB_ASRW:
    case SVB_LSRW:
    case SVB_LSLW:
        return shift_by(op, size, a, b);
    default:
        return bin_more(op, size, a, b);
    }
}

void helper_sve_bin(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc), n = vl >> size,
             per = 16u >> size;
    const ArmZ *a = sv_z(c, sv_rn(desc), vl), *b = sv_z(c, sv_rm(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    bool elem = sv_elem(desc), wide = op >= SVB_ASRW && op <= SVB_LSLW;
    ArmZ r;

    if (!elem && !wide && sv_all_active(p, size, vl) && sv_fast_bin(op, size, a, b, &r, vl)) {
        sv_set_z(c, sv_rd(desc), &r, vl);
        return;
    }
    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < n; i++) {
        if (sv_on(p, i << size)) {
            uint64_t y = elem   ? sv_get(b, size, (i & ~(per - 1)) + (unsigned)sv_imm(desc))
                         : wide ? b->d[i << size >> 3]
                                : sv_get(b, size, i);

            sv_put(&r, size, i, sv_bin(op, size, sv_get(a, size, i), y));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_bini(Cpu *cpu, uint64_t desc, uint64_t b)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc), n = vl >> size;
    const ArmZ *a = sv_z(c, sv_rn(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    bool zero = sv_tn(desc);            /* inactive elements become 0 */
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < n; i++) {
        if (sv_on(p, i << size)) {
            sv_put(&r, size, i, sv_bin(op, size, sv_get(a, size, i), b));
        } else if (zero) {
            sv_put(&r, size, i, 0);
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* ---- three ---- */

static uint64_t sqrdmla(unsigned size, uint64_t acc, uint64_t a, uint64_t b, bool sub)
{
    unsigned bits = sv_bits(size);
    __int128 x = sv_sx(acc, size), p = (__int128)sv_sx(a, size) * sv_sx(b, size);

    /*
     * halves are enough: acc << (bits - 1), the product as it is; 64-bit elements come close to the
     * limit but not over it
     */
    x = x * ((__int128)1 << (bits - 1)) + (sub ? -p : p) + ((__int128)1 << (bits - 2));
    return (uint64_t)sv_sat_s(x >> (bits - 1), size);
}

static uint64_t tern(unsigned op, unsigned size, uint64_t a, uint64_t n, uint64_t m)
{
    switch (op) {
    case SVT_MLA:
        return a + n * m;
    case SVT_MLS:
        return a - n * m;
    case SVT_EOR3:
        return a ^ n ^ m;
    case SVT_BCAX:
        return n ^ (m & ~a);
    case SVT_BSL:
        return (n & a) | (m & ~a);
    case SVT_BSL1N:
        return (~n & a) | (m & ~a);
    case SVT_BSL2N:
        return (n & a) | (~m & ~a);
    case SVT_NBSL:
        return ~((n & a) | (m & ~a));
    case SVT_SABA:
        return a + sv_bin(SVB_SABD, size, n, m);
    case SVT_UABA:
        return a + sv_bin(SVB_UABD, size, n, m);
    default:
        return sqrdmla(size, a, n, m, op == SVT_SQRDMLSH);
    }
}

void helper_sve_tern(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc), per = 16u >> size;
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl),
               *a = sv_z(c, sv_ra(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            uint64_t y =
                sv_get(m, size, sv_elem(desc) ? (i & ~(per - 1)) + (unsigned)sv_imm(desc) : i);

            sv_put(&r, size, i, tern(op, size, sv_get(a, size, i), sv_get(n, size, i), y));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* ---- widening ---- */

static uint64_t poly_mul(uint64_t a, uint64_t b, unsigned bits)
{
    uint64_t r = 0;

    for (unsigned n = 0; n < bits; n++) {
        r ^= b >> n & 1 ? a << n : 0;
    }
    return r;
}

/*
 * Into elements of `size`; n and m are of the half (n already wide in the W forms), zero-extended.
 */
static uint64_t lengthen(unsigned op, unsigned size, uint64_t acc, uint64_t n, uint64_t m)
{
    unsigned half = size - 1;
    int64_t x = sv_sx(n, half), y = sv_sx(m, half);

    switch (op) {
    case SVL_SADDL:
        return (uint64_t)x + (uint64_t)y;
    case SVL_UADDL:
    case SVL_UADDW:
        return n + m;
    case SVL_SSUBL:
        return (uint64_t)x - (uint64_t)y;
    case SVL_USUBL:
    case SVL_USUBW:
        return n - m;
    case SVL_SABDL:
        return x > y ? (uint64_t)(x - y) : (uint64_t)(y - x);
    case SVL_UABDL:
        return n > m ? n - m : m - n;
    case SVL_SADDW:
        return n + (uint64_t)y;
    case SVL_SSUBW:
        return n - (uint64_t)y;
    case SVL_SABAL:
        return acc + (x > y ? (uint64_t)(x - y) : (uint64_t)(y - x));
    case SVL_UABAL:
        return acc + (n > m ? n - m : m - n);
    case SVL_SMULL:
        return (uint64_t)(x * y);
    case SVL_UMULL:
        return n * m;
    case SVL_SMLAL:
        return acc + (uint64_t)(x * y);
    case SVL_UMLAL:
        return acc + n * m;
    case SVL_SMLSL:
        return acc - (uint64_t)(x * y);
    case SVL_UMLSL:
        return acc - n * m;
    case SVL_PMULL:
        return poly_mul(n, m, sv_bits(half));
    case SVL_SQDMULL:
        return (uint64_t)sv_sat_s((__int128)x * y * 2, size);
    default: {
        int64_t product = sv_sat_s((__int128)x * y * 2, size);
        __int128 sum = sv_sx(acc, size);

        return (uint64_t)sv_sat_s(op == SVL_SQDMLAL ? sum + product : sum - product, size);
    }
    }
}

static void pmull128(ArmCpu *c, uint64_t desc, unsigned vl)
{
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl);
    ArmZ r;

    for (unsigned i = 0; i < vl / 16; i++) {
        r.q[i] = helper_pmull64(n->d[2 * i + (sv_tn(desc) & 1)], m->d[2 * i + sv_tm(desc)]);
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_long(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc), per = 16u >> (size - 1);
    bool wide = op >= SVL_SADDW && op <= SVL_USUBW;

    if (size == 4) {
        pmull128(c, desc, vl);
        return;
    }
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl),
               *a = sv_z(c, sv_rd(desc), vl);
    ArmZ r;

    for (unsigned i = 0; i < vl >> size; i++) {
        uint64_t x = wide ? sv_get(n, size, i) : sv_get(n, size - 1, 2 * i + (sv_tn(desc) & 1));
        uint64_t y = sv_get(m, size - 1,
                            sv_elem(desc) ? ((2 * i) & ~(per - 1)) + (unsigned)sv_imm(desc)
                                          : 2 * i + sv_tm(desc));

        sv_put(&r, size, i, lengthen(op, size, sv_get(a, size, i), x, y));
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* ---- narrowing: from size + 1 to size ---- */

static uint64_t narrow(unsigned op, unsigned size, uint64_t a, uint64_t b, unsigned shift)
{
    __int128 x = sv_sx(a, size + 1), u = (__int128)a,
             round = shift ? (__int128)1 << (shift - 1) : 0;
    unsigned half = sv_bits(size);

    switch (op) {
    case SVN_SQXTN:
        return (uint64_t)sv_sat_s(x, size);
    case SVN_UQXTN:
        return sv_sat_u(u, size);
    case SVN_SQXTUN:
        return sv_sat_u(x, size);
    case SVN_SQSHRUN:
        return sv_sat_u(x >> shift, size);
    case SVN_SQRSHRUN:
        return sv_sat_u((x + round) >> shift, size);
    case SVN_SHRN:
        return (uint64_t)(u >> shift);
    case SVN_RSHRN:
        return (uint64_t)((u + round) >> shift);
    case SVN_SQSHRN:
        return (uint64_t)sv_sat_s(x >> shift, size);
    case SVN_SQRSHRN:
        return (uint64_t)sv_sat_s((x + round) >> shift, size);
    case SVN_UQSHRN:
        return sv_sat_u(u >> shift, size);
    case SVN_UQRSHRN:
        return sv_sat_u((u + round) >> shift, size);
    case SVN_ADDHN:
        return (a + b) >> half;
    case SVN_RADDHN:
        return (a + b + (1ull << (half - 1))) >> half;
    case SVN_SUBHN:
        return (a - b) >> half;
    default:
        return (a - b + (1ull << (half - 1))) >> half;
    }
}

void helper_sve_narrow(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc), top = sv_tn(desc) & 1;
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc) & 31, vl);
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> (size + 1); i++) {
        uint64_t v = narrow(op, size, sv_get(n, size + 1, i), sv_get(m, size + 1, i),
                            (unsigned)sv_imm(desc));

        if (!top) {
            sv_put(&r, size + 1, i, sv_zx(v, size));
        } else {
            sv_put(&r, size, 2 * i + 1, v);
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* ---- shifts by immediates ---- */

static uint64_t shift_imm(unsigned op, unsigned size, uint64_t d, uint64_t a, unsigned n)
{
    unsigned bits = sv_bits(size);

    switch (op) {
    case SVS_ASR:
        return shift_by(SVB_ASR, size, a, n);
    case SVS_LSR:
        return shift_by(SVB_LSR, size, a, n);
    case SVS_LSL:
        return shift_by(SVB_LSL, size, a, n);
    case SVS_ASRD: {
        __int128 x = sv_sx(a, size);

        return (uint64_t)((x < 0 ? x + (((__int128)1 << n) - 1) : x) >> n);
    }
    case SVS_SQSHL:
        return sv_shift_left_or_right(a, n, size, false, false, true);
    case SVS_UQSHL:
        return sv_shift_left_or_right(a, n, size, true, false, true);
    case SVS_SQSHLU:
        return sv_sat_u((__int128)sv_sx(a, size) * ((__int128)1 << n), size);
    case SVS_SRSHR:
    case SVS_SRSRA:
        return (op == SVS_SRSRA ? d : 0) +
               sv_shift_left_or_right(a, -(int64_t)n, size, false, true, false);
    case SVS_URSHR:
    case SVS_URSRA:
        return (op == SVS_URSRA ? d : 0) +
               sv_shift_left_or_right(a, -(int64_t)n, size, true, true, false);
    case SVS_SSRA:
        return d + shift_by(SVB_ASR, size, a, n);
    case SVS_USRA:
        return d + shift_by(SVB_LSR, size, a, n);
    case SVS_SRI: {
        uint64_t mask = n == bits ? 0 : sv_zx(UINT64_MAX, size) >> n;

        return (d & ~mask) | shift_by(SVB_LSR, size, a, n);
    }
    case SVS_SLI:
        return (d & ((1ull << n) - 1)) | a << n;
    default: {      /* XAR */
        uint64_t x = a ^ d;

        return n == bits ? x : x >> n | x << (bits - n);
    }
    }
}

void helper_sve_shift(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc);
    const ArmZ *a = sv_z(c, sv_rn(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            sv_put(&r, size, i,
                   shift_imm(op, size, sv_get(&r, size, i), sv_get(a, size, i),
                             (unsigned)sv_imm(desc)));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* SSHLL, USHLL: into elements of size. */
void helper_sve_shll(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc);
    const ArmZ *a = sv_z(c, sv_rn(desc), vl);
    ArmZ r;

    for (unsigned i = 0; i < vl >> size; i++) {
        uint64_t v = sv_get(a, size - 1, 2 * i + (sv_tn(desc) & 1));

        sv_put(&r, size, i, (sv_op(desc) ? v : (uint64_t)sv_sx(v, size - 1)) << sv_imm(desc));
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* ---- one operand ---- */

static uint64_t reverse_units(uint64_t v, unsigned size, unsigned unit)
{
    uint64_t r = 0;

    for (unsigned n = 0; n < 1u << (size - unit); n++) {
        r = r << sv_bits(unit) | sv_zx(v >> (n * sv_bits(unit)), unit);
    }
    return r;
}

static uint64_t reverse_bits(uint64_t v, unsigned size)
{
    uint64_t r = 0;

    for (unsigned n = 0; n < sv_bits(size); n++) {
        r = r << 1 | (v >> n & 1);
    }
    return r;
}

static unsigned leading_zeroes(uint64_t v, unsigned size)
{
    return v ? (unsigned)__builtin_clzll(v) - (64 - sv_bits(size)) : sv_bits(size);
}

static uint64_t unary(unsigned op, unsigned size, uint64_t a)
{
    int64_t x = sv_sx(a, size);

    switch (op) {
    case SVU_SXTB:
        return (uint64_t)sv_sx(a, 0);
    case SVU_UXTB:
        return sv_zx(a, 0);
    case SVU_SXTH:
        return (uint64_t)sv_sx(a, 1);
    case SVU_UXTH:
        return sv_zx(a, 1);
    case SVU_SXTW:
        return (uint64_t)sv_sx(a, 2);
    case SVU_UXTW:
        return sv_zx(a, 2);
    case SVU_ABS:
        return x < 0 ? 0 - a : a;
    case SVU_NEG:
        return 0 - a;
    case SVU_CLS:
        return leading_zeroes(sv_zx((uint64_t)(x ^ (x >> 63)), size), size) - 1;
    case SVU_CLZ:
        return leading_zeroes(a, size);
    case SVU_CNT:
        return (uint64_t)__builtin_popcountll(a);
    case SVU_CNOT:
        return a == 0;
    case SVU_FABS:
        return a & ~sv_sign(size);
    case SVU_FNEG:
        return a ^ sv_sign(size);
    case SVU_NOT:
        return ~a;
    case SVU_URECPE:
        return fp_recip_estimate32((uint32_t)a);
    case SVU_URSQRTE:
        return fp_rsqrt_estimate32((uint32_t)a);
    case SVU_SQABS:
        return a == sv_sign(size) ? a - 1 : x < 0 ? 0 - a : a;
    case SVU_SQNEG:
        return a == sv_sign(size) ? a - 1 : 0 - a;
    case SVU_REVB:
        return reverse_units(a, size, 0);
    case SVU_REVH:
        return reverse_units(a, size, 1);
    case SVU_REVW:
        return reverse_units(a, size, 2);
    case SVU_RBIT:
        return reverse_bits(a, size);
    default:
        return a;
    }
}

void helper_sve_un(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc);
    const ArmZ *a = sv_z(c, sv_rn(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            sv_put(&r, size, i, unary(op, size, sv_get(a, size, op == SVU_CPYV ? 0 : i)));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* Pairs: of Zdn into even elements, of Zm into odd ones. */
void helper_sve_pair(Cpu *cpu, uint64_t desc)
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

            sv_put(&r, size, i, sv_bin(op, size, sv_get(s, size, i & ~1u), sv_get(s, size, i | 1)));
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* ---- reductions, into a SIMD&FP register ---- */

void helper_sve_red(Cpu *cpu, uint64_t desc)
{
    static const uint8_t ops[] = {
        [SVR_SADDV] = SVB_ADD,  [SVR_UADDV] = SVB_ADD,  [SVR_SMAXV] = SVB_SMAX,
        [SVR_UMAXV] = SVB_UMAX, [SVR_SMINV] = SVB_SMIN, [SVR_UMINV] = SVB_UMIN,
        [SVR_ORV] = SVB_ORR,    [SVR_EORV] = SVB_EOR,   [SVR_ANDV] = SVB_AND,
    };
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc),
             to = op <= SVR_UADDV ? 3 : size;
    const ArmZ *a = sv_z(c, sv_rn(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    uint64_t r = op == SVR_SMAXV ? sv_sign(size) : op == SVR_SMINV ? sv_sign(size) - 1 :
                 op == SVR_UMINV || op == SVR_ANDV ? sv_zx(UINT64_MAX, size) : 0;

    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            uint64_t v = sv_get(a, size, i);

            r = sv_zx(sv_bin(ops[op], to, r, op == SVR_SADDV ? (uint64_t)sv_sx(v, size) : v), to);
        }
    }
    sv_set_v(c, sv_rd(desc), r, 0);
}
