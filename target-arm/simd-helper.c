// SPDX-License-Identifier: GPL-2.0-or-later
/* Integer vector operations lane by lane, as C7.2 has them; saturation sets FPSR.QC. */
#include "target-arm/helpers.h"
#include "target-arm/simd.h"

static int64_t smax(unsigned size)
{
    return (int64_t)(INT64_MAX >> (64 - (8 << size)));
}

static uint64_t umax(unsigned size)
{
    return UINT64_MAX >> (64 - (8 << size));
}

static int64_t sat_s(ArmCpu *c, unsigned size, __int128 v)
{
    int64_t max = smax(size), min = -max - 1;

    if (v > max || v < min) {
        c->fpsr_qc = 1;
        return v > max ? max : min;
    }
    return (int64_t)v;
}

static uint64_t sat_u(ArmCpu *c, unsigned size, __int128 v)
{
    uint64_t max = umax(size);

    if (v < 0 || v > (__int128)max) {
        c->fpsr_qc = 1;
        return v < 0 ? 0 : max;
    }
    return (uint64_t)v;
}

/*
 * x shifted by the signed amount n (left when positive); round: half is added before a right shift.
 */
static __int128 shift_by(__int128 x, int n, bool round)
{
    if (n >= 0) {
        return n > 64 ? (x > 0   ? (__int128)1 << 126
                         : x < 0 ? -((__int128)1 << 126)
                                 : 0)
                      : x * ((__int128)1 << n);
    }
    n = -n;
    if (n > 65) {
        return round ? 0 : x < 0 ? -1 : 0;
    }
    return (x + (round ? (__int128)1 << (n - 1) : 0)) >> n;
}

static uint64_t qdmulh(ArmCpu *c, unsigned size, int64_t a, int64_t b, bool round)
{
    unsigned bits = 8u << size;
    __int128 p = (__int128)a * b * 2 + (round ? (__int128)1 << (bits - 1) : 0);

    return (uint64_t)sat_s(c, size, p >> bits);
}

static uint64_t qrdmla(ArmCpu *c, unsigned size, int64_t a, int64_t b, int64_t d, bool sub)
{
    unsigned bits = 8u << size;
    __int128 p = (__int128)a * b * 2, acc = ((__int128)d << bits) + ((__int128)1 << (bits - 1));

    return (uint64_t)sat_s(c, size, (sub ? acc - p : acc + p) >> bits);
}

static uint64_t arm_pmul8(uint64_t a, uint64_t b)
{
    uint64_t r = 0;

    for (unsigned i = 0; i < 8; i++) {
        r ^= b >> i & 1 ? a << i : 0;
    }
    return r;
}

static uint64_t three(ArmCpu *c, unsigned op, unsigned size, const Vec128Lanes *a,
                      const Vec128Lanes *b, const Vec128Lanes *d, unsigned n)
{
    int64_t x = lane_s(a, size, n), y = lane_s(b, size, n);
    uint64_t ux = lane_u(a, size, n), uy = lane_u(b, size, n), uz = lane_u(d, size, n);
    int amount = (int8_t)y;

    switch (op) {
    case V3_SHADD:
        return (uint64_t)((x + y) >> 1);
    case V3_UHADD:
        return (ux + uy) >> 1;
    case V3_SRHADD:
        return (uint64_t)((x + y + 1) >> 1);
    case V3_URHADD:
        return (ux + uy + 1) >> 1;
    case V3_SHSUB:
        return (uint64_t)((x - y) >> 1);
    case V3_UHSUB:
        return (ux - uy) >> 1;
    case V3_SQADD:
        return (uint64_t)sat_s(c, size, (__int128)x + y);
    case V3_UQADD:
        return sat_u(c, size, (__int128)ux + uy);
    case V3_SQSUB:
        return (uint64_t)sat_s(c, size, (__int128)x - y);
    case V3_UQSUB:
        return sat_u(c, size, (__int128)ux - uy);
    case V3_CMGT:
        return x > y ? UINT64_MAX : 0;
    case V3_CMHI:
        return ux > uy ? UINT64_MAX : 0;
    case V3_CMGE:
        return x >= y ? UINT64_MAX : 0;
    case V3_CMHS:
        return ux >= uy ? UINT64_MAX : 0;
    case V3_CMTST:
        return ux & uy ? UINT64_MAX : 0;
    case V3_CMEQ:
        return ux == uy ? UINT64_MAX : 0;
    case V3_SSHL:
    case V3_SRSHL:
        return (uint64_t)shift_by(x, MIN(amount, 64), op == V3_SRSHL);
    case V3_USHL:
    case V3_URSHL:
        return amount > 63 ? 0 : (uint64_t)shift_by(ux, amount, op == V3_URSHL);
    case V3_SQSHL:
    case V3_SQRSHL:
        return (uint64_t)sat_s(c, size, shift_by(x, amount, op == V3_SQRSHL));
    case V3_UQSHL:
    case V3_UQRSHL:
        return amount > 63 && ux ? sat_u(c, size, (__int128)1 << 100)
                                 : sat_u(c, size, shift_by(ux, MIN(amount, 63), op == V3_UQRSHL));
    case V3_SMAX:
        return (uint64_t)MAX(x, y);
    case V3_UMAX:
        return MAX(ux, uy);
    case V3_SMIN:
        return (uint64_t)MIN(x, y);
    case V3_UMIN:
        return MIN(ux, uy);
    case V3_SABD:
        return (uint64_t)(x > y ? x - y : y - x);
    case V3_UABD:
        return ux > uy ? ux - uy : uy - ux;
    case V3_SABA:
        return uz + (uint64_t)(x > y ? x - y : y - x);
    case V3_UABA:
        return uz + (ux > uy ? ux - uy : uy - ux);
    case V3_ADD:
        return ux + uy;
    case V3_SUB:
        return ux - uy;
    case V3_MLA:
        return uz + ux * uy;
    case V3_MLS:
        return uz - ux * uy;
    case V3_MUL:
        return ux * uy;
    case V3_PMUL:
        return arm_pmul8(ux, uy);
    case V3_SQDMULH:
        return qdmulh(c, size, x, y, false);
    case V3_SQRDMULH:
        return qdmulh(c, size, x, y, true);
    case V3_SQRDMLAH:
        return qrdmla(c, size, x, y, lane_s(d, size, n), false);
    default:
        return qrdmla(c, size, x, y, lane_s(d, size, n), true);
    }
}

static uint64_t pair(unsigned op, unsigned size, const Vec128Lanes *v, unsigned n)
{
    int64_t x = lane_s(v, size, n), y = lane_s(v, size, n + 1);
    uint64_t ux = lane_u(v, size, n), uy = lane_u(v, size, n + 1);

    switch (op) {
    case V3_SMAXP:
        return (uint64_t)MAX(x, y);
    case V3_UMAXP:
        return MAX(ux, uy);
    case V3_SMINP:
        return (uint64_t)MIN(x, y);
    case V3_UMINP:
        return MIN(ux, uy);
    default:
        return ux + uy;
    }
}

static bool is_pairwise(unsigned op)
{
    return (op >= V3_SMAXP && op <= V3_UMINP) || op == V3_ADDP;
}

Vec128 helper_simd3(Cpu *cpu, Vec128 va, Vec128 vb, Vec128 vd, uint32_t w)
{
    Vec128Lanes a = {.v = va}, b = {.v = vb}, d = {.v = vd}, r = {.q = {0, 0}};
    unsigned op = word_op(w), size = word_size(w), lanes = word_lanes(w);

    for (unsigned n = 0; n < lanes; n++) {
        uint64_t v = !is_pairwise(op) ? three(ARM(cpu), op, size, &a, &b, &d, n)
                     : n < lanes / 2  ? pair(op, size, &a, 2 * n)
                                      : pair(op, size, &b, 2 * n - lanes);

        lane_set(&r, size, n, v);
    }
    return r.v;
}

/* ---- two ---- */

static uint64_t reverse_in(const Vec128Lanes *a, unsigned size, unsigned n, unsigned container)
{
    unsigned per = 1u << (container - size);

    return lane_u(a, size, (n & ~(per - 1)) | (per - 1 - (n & (per - 1))));
}

static uint64_t two(ArmCpu *c, unsigned op, unsigned size, const Vec128Lanes *a,
                    const Vec128Lanes *d, unsigned n)
{
    unsigned bits = 8u << size;
    int64_t x = lane_s(a, size, n);
    uint64_t u = lane_u(a, size, n);

    switch (op) {
    case V2_REV64:
        return reverse_in(a, size, n, 3);
    case V2_REV32:
        return reverse_in(a, size, n, 2);
    case V2_REV16:
        return reverse_in(a, size, n, 1);
    case V2_SUQADD:
        return (uint64_t)sat_s(c, size, (__int128)lane_s(d, size, n) + u);
    case V2_USQADD:
        return sat_u(c, size, (__int128)lane_u(d, size, n) + x);
    case V2_CLS:
        x ^= x >> 63;
        return (uint64_t)(x ? __builtin_clzll((uint64_t)x) - (64 - (int)bits) : (int)bits) - 1;
    case V2_CLZ:
        return u ? (uint64_t)__builtin_clzll(u) - (64 - bits) : bits;
    case V2_CNT:
        return (uint64_t)__builtin_popcountll(u);
    case V2_NOT:
        return ~u;
    case V2_RBIT:
        return helper_rbit(u) >> 56;
    case V2_SQABS:
        return (uint64_t)sat_s(c, size, x < 0 ? -(__int128)x : x);
    case V2_SQNEG:
        return (uint64_t)sat_s(c, size, -(__int128)x);
    case V2_CMGT0:
        return x > 0 ? UINT64_MAX : 0;
    case V2_CMGE0:
        return x >= 0 ? UINT64_MAX : 0;
    case V2_CMEQ0:
        return x == 0 ? UINT64_MAX : 0;
    case V2_CMLE0:
        return x <= 0 ? UINT64_MAX : 0;
    case V2_CMLT0:
        return x < 0 ? UINT64_MAX : 0;
    case V2_ABS:
        return x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    case V2_NEG:
        return 0 - (uint64_t)x;
    case V2_URECPE:
        return fp_recip_estimate32((uint32_t)u);
    default:
        return fp_rsqrt_estimate32((uint32_t)u);
    }
}

Vec128 helper_simd2(Cpu *cpu, Vec128 va, Vec128 vd, uint32_t w)
{
    Vec128Lanes a = {.v = va}, d = {.v = vd}, r = {.q = {0, 0}};
    unsigned op = word_op(w), size = word_size(w), lanes = word_lanes(w);

    if (op == V2_SADDLP || op == V2_UADDLP || op == V2_SADALP || op == V2_UADALP) {
        bool u = op == V2_UADDLP || op == V2_UADALP, acc = op == V2_SADALP || op == V2_UADALP;

        for (unsigned n = 0; n < lanes / 2; n++) {
            uint64_t v = u ? lane_u(&a, size, 2 * n) + lane_u(&a, size, 2 * n + 1)
                           : (uint64_t)(lane_s(&a, size, 2 * n) + lane_s(&a, size, 2 * n + 1));

            lane_set(&r, size + 1, n, v + (acc ? lane_u(&d, size + 1, n) : 0));
        }
        return r.v;
    }
    for (unsigned n = 0; n < lanes; n++) {
        lane_set(&r, size, n, two(ARM(cpu), op, size, &a, &d, n));
    }
    return r.v;
}

/* Lanes of twice the size narrowed into the low half; the caller places the halves. */
Vec128 helper_simd_narrow(Cpu *cpu, Vec128 va, uint32_t w)
{
    Vec128Lanes a = {.v = va}, r = {.q = {0, 0}};
    unsigned op = word_op(w), size = word_size(w), lanes = word_scalar(w) ? 1 : 8u >> size;
    ArmCpu *c = ARM(cpu);

    for (unsigned n = 0; n < lanes; n++) {
        int64_t x = lane_s(&a, size + 1, n);
        uint64_t u = lane_u(&a, size + 1, n);

        lane_set(&r, size, n,
                 op == VN_XTN      ? u
                 : op == VN_SQXTUN ? sat_u(c, size, x)
                 : op == VN_SQXTN  ? (uint64_t)sat_s(c, size, x)
                                   : sat_u(c, size, (__int128)u));
    }
    return r.v;
}

Vec128 helper_simd_shrn(Cpu *cpu, Vec128 va, uint32_t w)
{
    Vec128Lanes a = {.v = va}, r = {.q = {0, 0}};
    unsigned op = word_op(w), size = word_size(w), lanes = word_scalar(w) ? 1 : 8u >> size;
    int shift = -(int)word_imm(w);
    ArmCpu *c = ARM(cpu);

    for (unsigned n = 0; n < lanes; n++) {
        int64_t x = lane_s(&a, size + 1, n);
        uint64_t u = lane_u(&a, size + 1, n), v;

        switch (op) {
        case VR_SHRN:
        case VR_RSHRN:
            v = (uint64_t)shift_by(u, shift, op == VR_RSHRN);
            break;
        case VR_SQSHRUN:
        case VR_SQRSHRUN:
            v = sat_u(c, size, shift_by(x, shift, op == VR_SQRSHRUN));
            break;
        case VR_SQSHRN:
        case VR_SQRSHRN:
            v = (uint64_t)sat_s(c, size, shift_by(x, shift, op == VR_SQRSHRN));
            break;
        default:
            v = sat_u(c, size, shift_by(u, shift, op == VR_UQRSHRN));
        }
        lane_set(&r, size, n, v);
    }
    return r.v;
}

Vec128 helper_simd_shift(Cpu *cpu, Vec128 va, Vec128 vd, uint32_t w)
{
    Vec128Lanes a = {.v = va}, d = {.v = vd}, r = {.q = {0, 0}};
    unsigned op = word_op(w), size = word_size(w), lanes = word_lanes(w), n = word_imm(w),
             bits = 8u << size;
    ArmCpu *c = ARM(cpu);

    for (unsigned k = 0; k < lanes; k++) {
        int64_t x = lane_s(&a, size, k);
        uint64_t u = lane_u(&a, size, k), z = lane_u(&d, size, k), v;

        switch (op) {
        case VS_SSHR:
        case VS_SSRA:
        case VS_SRSHR:
        case VS_SRSRA:
            v = (uint64_t)shift_by(x, -(int)n, op >= VS_SRSHR) +
                (op == VS_SSRA || op == VS_SRSRA ? z : 0);
            break;
        case VS_USHR:
        case VS_USRA:
        case VS_URSHR:
        case VS_URSRA:
            v = (uint64_t)shift_by(u, -(int)n, op >= VS_SRSHR) +
                (op == VS_USRA || op == VS_URSRA ? z : 0);
            break;
        case VS_SQSHL_I:
            v = (uint64_t)sat_s(c, size, shift_by(x, (int)n, false));
            break;
        case VS_UQSHL_I:
            v = sat_u(c, size, shift_by(u, (int)n, false));
            break;
        case VS_SQSHLU:
            v = sat_u(c, size, shift_by(x, (int)n, false));
            break;
        case VS_SRI:
            v = n == bits ? z : (z & ~(umax(size) >> n)) | u >> n;
            break;
        case VS_SHL_I:
            v = u << n;
            break;
        default:
            v = (z & ((1ull << n) - 1)) | u << n;
        }
        lane_set(&r, size, k, v);
    }
    return r.v;
}

/* ---- widening; operands are in the low halves ---- */

static uint64_t widen_one(ArmCpu *c, unsigned op, unsigned size, bool u, const Vec128Lanes *a,
                          const Vec128Lanes *b, const Vec128Lanes *d, unsigned n)
{
    bool wide_a = op == VW_ADDW || op == VW_SUBW;
    int64_t x = wide_a ? lane_s(a, size + 1, n)
                : u    ? (int64_t)lane_u(a, size, n)
                       : lane_s(a, size, n);
    int64_t y = u ? (int64_t)lane_u(b, size, n) : lane_s(b, size, n);
    uint64_t z = lane_u(d, size + 1, n);
    int64_t p;

    switch (op) {
    case VW_ADDL:
    case VW_ADDW:
        return (uint64_t)x + (uint64_t)y;
    case VW_SUBL:
    case VW_SUBW:
        return (uint64_t)x - (uint64_t)y;
    case VW_ABAL:
        return z + (uint64_t)(x > y ? x - y : y - x);
    case VW_ABDL:
        return (uint64_t)(x > y ? x - y : y - x);
    case VW_MLAL:
        return z + (uint64_t)x * (uint64_t)y;
    case VW_MLSL:
        return z - (uint64_t)x * (uint64_t)y;
    case VW_MULL:
        return (uint64_t)x * (uint64_t)y;
    case VW_PMULL:
        return arm_pmul8(lane_u(a, 0, n), lane_u(b, 0, n));
    default:
        p = sat_s(c, size + 1, (__int128)x * y * 2);
        return op == VW_SQDMULL
                   ? (uint64_t)p
                   : (uint64_t)sat_s(c, size + 1,
                                     (__int128)lane_s(d, size + 1, n) +
                                         (op == VW_SQDMLAL ? (__int128)p : -(__int128)p));
    }
}

Vec128 helper_simd_widen(Cpu *cpu, Vec128 va, Vec128 vb, Vec128 vd, uint32_t w)
{
    Vec128Lanes a = {.v = va}, b = {.v = vb}, d = {.v = vd}, r = {.q = {0, 0}};
    unsigned size = word_size(w), lanes = word_scalar(w) ? 1 : 8u >> size;

    for (unsigned n = 0; n < lanes; n++) {
        lane_set(&r, size + 1, n, widen_one(ARM(cpu), word_op(w), size, word_u(w), &a, &b, &d, n));
    }
    return r.v;
}

Vec128 helper_simd_across(Vec128 va, uint32_t w)
{
    Vec128Lanes a = {.v = va}, r = {.q = {0, 0}};
    unsigned op = word_op(w), size = word_size(w), lanes = word_lanes(w);
    int64_t s = lane_s(&a, size, 0);
    uint64_t u = lane_u(&a, size, 0);

    for (unsigned n = 1; n < lanes; n++) {
        int64_t x = lane_s(&a, size, n);
        uint64_t y = lane_u(&a, size, n);

        switch (op) {
        case VA_SMAXV:
            s = MAX(s, x);
            break;
        case VA_SMINV:
            s = MIN(s, x);
            break;
        case VA_UMAXV:
            u = MAX(u, y);
            break;
        case VA_UMINV:
            u = MIN(u, y);
            break;
        default:
            s += x;
            u += y;
        }
    }
    bool is_signed = op == VA_SMAXV || op == VA_SMINV || op == VA_SADDLV;

    lane_set(&r, op == VA_SADDLV || op == VA_UADDLV ? size + 1 : size, 0,
             is_signed ? (uint64_t)s : u);
    return r.v;
}

Vec128 helper_pmull64(uint64_t a, uint64_t b)
{
    Vec128Lanes r = {.q = {0, 0}};

    for (unsigned i = 0; i < 64; i++) {
        if (b >> i & 1) {
            r.q[0] ^= a << i;
            r.q[1] ^= i ? a >> (64 - i) : 0;
        }
    }
    return r.v;
}
