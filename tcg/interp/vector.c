// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Vectors of integers, one 128-bit part at a time: as the SSE instructions named in ops.def (SDM 2)
 * do it. v256 is two parts, but for the ops that move data between them.
 */
#include "tcg/interp/interp.h"

#include <string.h>

static int64_t sign_extend(unsigned bytes, uint64_t v)
{
    unsigned up = 64 - 8 * bytes;

    return (int64_t)(v << up) >> up;
}

static int64_t lane_s(const Vec128Lanes *v, unsigned bytes, unsigned n)
{
    return sign_extend(bytes, interp_lane(v, bytes, n));
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

static int64_t clamp_s(unsigned bytes, int64_t v)
{
    return clamp(v, -(1ll << (8 * bytes - 1)), (1ll << (8 * bytes - 1)) - 1);
}

static int64_t clamp_u(unsigned bytes, int64_t v)
{
    return clamp(v, 0, (1ll << 8 * bytes) - 1);
}

/* Ops that treat lane after lane alike; x, y unsigned, sx, sy signed. */
static uint64_t lane_op(const Insn *i, unsigned bytes, uint64_t x, uint64_t y)
{
    const int64_t sx = sign_extend(bytes, x), sy = sign_extend(bytes, y);
    const unsigned bits = 8 * bytes;

    switch (i->opcode) {
    case OP_V_ADD: return x + y;
    case OP_V_SUB: return x - y;
    case OP_V_ADDS_S: return (uint64_t)clamp_s(bytes, sx + sy);
    case OP_V_ADDS_U: return (uint64_t)clamp_u(bytes, (int64_t)(x + y));
    case OP_V_SUBS_S: return (uint64_t)clamp_s(bytes, sx - sy);
    case OP_V_SUBS_U: return (uint64_t)clamp_u(bytes, (int64_t)(x - y));
    case OP_V_MUL: return x * y;
    case OP_V_MULH_S: return (uint64_t)((sx * sy) >> bits);
    case OP_V_MULH_U: return (x * y) >> bits;
    case OP_V_AVG_U: return (x + y + 1) >> 1;
    case OP_V_MIN_S: return sx < sy ? x : y;
    case OP_V_MIN_U: return x < y ? x : y;
    case OP_V_MAX_S: return sx > sy ? x : y;
    case OP_V_MAX_U: return x > y ? x : y;
    case OP_V_ABS: return sx < 0 ? -x : x;
    case OP_V_SIGN: return sy < 0 ? -x : sy == 0 ? 0 : x;
    case OP_V_CMPEQ: return x == y ? UINT64_MAX : 0;
    case OP_V_CMPGT: return sx > sy ? UINT64_MAX : 0;
    case OP_V_SHL_I: case OP_V_SHL_V: case OP_V_SHL_L: return y < bits ? x << y : 0;
    case OP_V_SHR_I: case OP_V_SHR_V: case OP_V_SHR_L: return y < bits ? x >> y : 0;
    case OP_V_SAR_I:
    case OP_V_SAR_V:
    case OP_V_SAR_L:
        return (uint64_t)(sx >> (y < bits ? y : bits - 1));
    case OP_V_MULHRS: return (uint64_t)((((sx * sy) >> 14) + 1) >> 1);
    default: g_assert_not_reached();
    }
}

static void lane_ops(const Insn *i, unsigned bytes, const Vec128Lanes *a, const Vec128Lanes *b,
                     Vec128Lanes *r)
{
    const bool by_imm =
        i->opcode == OP_V_SHL_I || i->opcode == OP_V_SHR_I || i->opcode == OP_V_SAR_I;
    const bool by_low =
        i->opcode == OP_V_SHL_V || i->opcode == OP_V_SHR_V || i->opcode == OP_V_SAR_V;

    for (unsigned n = 0; n < 16 / bytes; n++) {
        uint64_t y = by_imm ? i->imm[0] : by_low ? b->q[0] : interp_lane(b, bytes, n);
        interp_set_lane(r, bytes, n, lane_op(i, bytes, interp_lane(a, bytes, n), y));
    }
}

static void multiply_ops(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b, Vec128Lanes *r)
{
    for (unsigned n = 0; n < 16; n++) {
        switch (i->opcode) {
        case OP_V_MUL_EVEN_U:
            if (n < 2) {
                r->q[n] = (uint64_t)a->l[2 * n] * b->l[2 * n];
            }
            break;
        case OP_V_MUL_EVEN_S:
            if (n < 2) {
                r->sq[n] = (int64_t)a->sl[2 * n] * b->sl[2 * n];
            }
            break;
        case OP_V_MADD16:
            if (n < 4) {
                r->l[n] = (uint32_t)a->sw[2 * n] * (uint32_t)b->sw[2 * n] +
                          (uint32_t)a->sw[2 * n + 1] * (uint32_t)b->sw[2 * n + 1];
            }
            break;
        case OP_V_MADDUBS:
            if (n < 8) {
                r->sw[n] = (int16_t)clamp_s(2, a->b[2 * n] * b->sb[2 * n] +
                                                   a->b[2 * n + 1] * b->sb[2 * n + 1]);
            }
            break;
        default:                /* PSADBW */
            r->q[n / 8] += (uint64_t)(a->b[n] > b->b[n] ? a->b[n] - b->b[n] : b->b[n] - a->b[n]);
        }
    }
}

static void horizontal_ops(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b,
                           Vec128Lanes *r)
{
    const bool saturate = i->opcode == OP_V_HADDS || i->opcode == OP_V_HSUBS;
    const bool add = i->opcode == OP_V_HADD || i->opcode == OP_V_HADDS;
    const unsigned bytes = saturate ? 2 : interp_lane_bytes(i->cc), num = 16 / bytes;

    for (unsigned n = 0; n < num; n++) {
        const Vec128Lanes *from = n < num / 2 ? a : b;
        unsigned pair = n % (num / 2) * 2;
        int64_t x = lane_s(from, bytes, pair), y = lane_s(from, bytes, pair + 1);
        int64_t v = add ? x + y : x - y;
        interp_set_lane(r, bytes, n, (uint64_t)(saturate ? clamp_s(bytes, v) : v));
    }
}

static void byte_ops(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b, Vec128Lanes *r)
{
    const uint64_t n = i->imm[0];
    uint8_t both[64] = {0};

    for (unsigned k = 0; k < 16; k++) {
        switch (i->opcode) {
        case OP_V_SHL_BYTES: r->b[k] = k >= n ? a->b[k - n] : 0; break;
        case OP_V_SHR_BYTES: r->b[k] = n < 16 && k + n < 16 ? a->b[k + n] : 0; break;
        case OP_V_SHUFB: r->b[k] = b->b[k] & 0x80 ? 0 : a->b[b->b[k] & 15]; break;
        default:
            memcpy(both, b->b, 16);
            memcpy(both + 16, a->b, 16);
            r->b[k] = n < 32 ? both[k + n] : 0;
        }
    }
}

static void shuffle_ops(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b, Vec128Lanes *r)
{
    const unsigned m = (unsigned)i->imm[0];

    *r = *a;
    for (unsigned k = 0; k < 4; k++) {
        unsigned from = m >> 2 * k & 3;
        switch (i->opcode) {
        case OP_V_SHUF32: r->l[k] = a->l[from]; break;
        case OP_V_SHUFLO: r->w[k] = a->w[from]; break;
        case OP_V_SHUFHI: r->w[4 + k] = a->w[4 + from]; break;
        case OP_V_SHUFPS: r->l[k] = k < 2 ? a->l[from] : b->l[from]; break;
        default:                /* SHUFPD */
            r->q[0] = a->q[m & 1];
            r->q[1] = b->q[m >> 1 & 1];
        }
    }
}

static void unpack_ops(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b, Vec128Lanes *r)
{
    const unsigned bytes = interp_lane_bytes(i->cc), num = 16 / bytes;
    const unsigned start = i->opcode == OP_V_UNPACK_HI ? num / 2 : 0;

    for (unsigned n = 0; n < num; n++) {
        interp_set_lane(r, bytes, n, interp_lane(n & 1 ? b : a, bytes, start + n / 2));
    }
}

static void pack_ops(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b, Vec128Lanes *r)
{
    const unsigned from = interp_lane_bytes(i->cc), to = from / 2, half = 16 / from;

    for (unsigned n = 0; n < 2 * half; n++) {
        int64_t v = lane_s(n < half ? a : b, from, n % half);
        v = i->opcode == OP_V_PACK_S ? clamp_s(to, v) : clamp_u(to, v);
        interp_set_lane(r, to, n, (uint64_t)v);
    }
}

static void blend_ops(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b,
                      const Vec128Lanes *c, Vec128Lanes *r)
{
    const bool by_imm = i->opcode != OP_V_BLENDV;
    const unsigned bytes = i->opcode == OP_V_BLEND16 ? 2 : by_imm ? 4 : interp_lane_bytes(i->cc);

    for (unsigned n = 0; n < 16 / bytes; n++) {
        bool second = by_imm ? i->imm[0] >> n & 1 : lane_s(c, bytes, n) < 0;
        interp_set_lane(r, bytes, n, interp_lane(second ? b : a, bytes, n));
    }
}

void interp_vector_part(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b,
                        const Vec128Lanes *c, Vec128Lanes *out)
{
    Vec128Lanes r = {.q = {0, 0}};

    switch (i->opcode) {
    case OP_V_ZERO: break;
    case OP_V_AND: r.v = a->v & b->v; break;
    case OP_V_OR: r.v = a->v | b->v; break;
    case OP_V_XOR: r.v = a->v ^ b->v; break;
    case OP_V_ANDN: r.v = ~a->v & b->v; break;
    case OP_V_MUL_EVEN_U: case OP_V_MUL_EVEN_S: case OP_V_MADD16: case OP_V_MADDUBS: case OP_V_SAD:
        multiply_ops(i, a, b, &r);
        break;
    case OP_V_MULHRS: lane_ops(i, 2, a, b, &r); break;
    case OP_V_HADD:
    case OP_V_HSUB:
    case OP_V_HADDS:
    case OP_V_HSUBS:
        horizontal_ops(i, a, b, &r);
        break;
    case OP_V_SHL_BYTES:
    case OP_V_SHR_BYTES:
    case OP_V_ALIGN:
    case OP_V_SHUFB:
        byte_ops(i, a, b, &r);
        break;
    case OP_V_SHUF32: case OP_V_SHUFLO: case OP_V_SHUFHI: case OP_V_SHUFPS: case OP_V_SHUFPD:
        shuffle_ops(i, a, b, &r);
        break;
    case OP_V_UNPACK_LO: case OP_V_UNPACK_HI: unpack_ops(i, a, b, &r); break;
    case OP_V_PACK_S: case OP_V_PACK_U: pack_ops(i, a, b, &r); break;
    case OP_V_BLEND16: case OP_V_BLEND32: case OP_V_BLENDV: blend_ops(i, a, b, c, &r); break;
    default: lane_ops(i, interp_lane_bytes(i->cc), a, b, &r);
    }
    *out = r;
}

/* ---- ops that look at a vector as a whole, or move to and from scalars ---- */

static uint64_t mask_of_signs(const Insn *i, const Vec128Lanes *a, unsigned parts)
{
    const unsigned bytes = interp_lane_bytes(i->cc), num = 16 / bytes;
    uint64_t m = 0;

    for (unsigned n = 0; n < num * parts; n++) {
        m |= (uint64_t)(lane_s(&a[n / num], bytes, n % num) < 0) << n;
    }
    return m;
}

static uint64_t test_bits(const Vec128Lanes *a, const Vec128Lanes *b, unsigned parts)
{
    uint64_t both = 0, missing = 0;

    for (unsigned n = 0; n < 2 * parts; n++) {
        both |= a[n / 2].q[n & 1] & b[n / 2].q[n & 1];
        missing |= b[n / 2].q[n & 1] & ~a[n / 2].q[n & 1];
    }
    return (both ? 0 : 0x40) | (missing ? 0 : 1);
}

static void widen(const Insn *i, const Vec128Lanes *a, Vec128Lanes *r, unsigned parts)
{
    const unsigned from = interp_lane_bytes(i->cc), to = from * (unsigned)i->imm[0], num = 16 / to;

    for (unsigned n = 0; n < num * parts; n++) {
        uint64_t x = interp_lane(a, from, n);
        x = i->opcode == OP_V_SEXT ? (uint64_t)sign_extend(from, x) : x;
        interp_set_lane(&r[n / num], to, n % num, x);
    }
}

static void splat(const Insn *i, uint64_t x, Vec128Lanes *r, unsigned parts)
{
    const unsigned bytes = interp_lane_bytes(i->cc), num = 16 / bytes;

    for (unsigned n = 0; n < num * parts; n++) {
        interp_set_lane(&r[n / num], bytes, n % num, x);
    }
}

/* Ops that move data between the parts of 256 bits. */
static void across(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b, Vec128Lanes *r)
{
    const unsigned m = (unsigned)i->imm[0];

    switch (i->opcode) {
    case OP_V_CONCAT:
        r[0] = *a;
        r[1] = *b;
        break;
    case OP_V_LOW: case OP_V_HIGH:
        r[0] = a[i->opcode == OP_V_HIGH];
        break;
    case OP_V_PERMQ:
        for (unsigned n = 0; n < 4; n++) {
            unsigned from = m >> 2 * n & 3;
            r[n / 2].q[n & 1] = a[from / 2].q[from & 1];
        }
        break;
    case OP_V_PERMD:
        for (unsigned n = 0; n < 8; n++) {
            unsigned from = a[n / 4].l[n & 3] & 7;
            r[n / 4].l[n & 3] = b[from / 4].l[from & 3];
        }
        break;
    default:
        for (unsigned p = 0; p < 2; p++) {
            unsigned how = m >> 4 * p & 15;
            if (!(how & 8)) {
                r[p] = how & 2 ? b[how & 1] : a[how & 1];
            }
        }
    }
}

static const Insn *vector_parts(const Insn *i, Run *r, unsigned parts)
{
    const Vec128Lanes *arg[3] = {0};
    Vec128Lanes out[2];
    Insn part = *i;
    /* Of the immediate each part takes so many bits. */
    const unsigned imm_bits = i->opcode == OP_V_SHUFPD ? 2 : i->opcode == OP_V_BLEND32 ? 4 : 0;
    /* A shift count is one part, whatever the vector is. */
    const bool by_low =
        i->opcode == OP_V_SHL_V || i->opcode == OP_V_SHR_V || i->opcode == OP_V_SAR_V;

    for (unsigned n = 0; n < i->num_args; n++) {
        arg[n] = arg_at(i, r, n);
    }
    for (unsigned p = 0; p < parts; p++) {
        const Vec128Lanes *a = i->num_args > 0 ? arg[0] + p : &out[p];
        const Vec128Lanes *b = i->num_args > 1 ? arg[1] + (by_low ? 0 : p) : a;
        const Vec128Lanes *c = i->num_args > 2 ? arg[2] + p : a;
        out[p].v = (Vec128){0, 0};
        part.imm[0] = i->imm[0] >> (p * imm_bits);
        if (i->opcode >= OP_V_FADD) {
            interp_vector_float(&part, a, b, c, &out[p]);
        } else {
            interp_vector_part(&part, a, b, c, &out[p]);
        }
    }
    memcpy(dst_at(i, r), out, 16 * parts);
    return i + 1;
}

const Insn *interp_vector(const Insn *i, Run *r)
{
    const unsigned parts = i->dst_type == IR_V256 || i->arg_type[0] == IR_V256 ? 2 : 1;
    const unsigned bytes = interp_lane_bytes(i->cc), num = 16 / bytes;
    const Vec128Lanes *a = i->num_args ? arg_at(i, r, 0) : NULL;
    Vec128Lanes out[2] = {0};

    switch (i->opcode) {
    case OP_V_MOVMASK:
        put64(i, r, mask_of_signs(i, a, parts));
        return i + 1;
    case OP_V_TEST:
        put64(i, r, test_bits(a, arg_at(i, r, 1), parts));
        return i + 1;
    case OP_V_EXTRACT:
        put64(i, r, interp_lane(&a[i->imm[0] / num % parts], bytes, i->imm[0] % num));
        return i + 1;
    case OP_V_GETF:
        put64(i, r, a->q[0]);
        return i + 1;
    case OP_V_INSERT:
        memcpy(out, a, 16 * parts);
        interp_set_lane(&out[i->imm[0] / num % parts], bytes, i->imm[0] % num, arg64(i, r, 1));
        break;
    case OP_V_SETF:
        out[0] = *a;
        interp_set_lane(&out[0], i->arg_type[1] == IR_F32 ? 4 : 8, 0, arg64(i, r, 1));
        break;
    case OP_V_FROM_I:
        out[0].q[0] = arg64(i, r, 0);
        break;
    case OP_V_LOW64:
        out[0].q[0] = a->q[0];
        break;
    case OP_V_CONCAT:
    case OP_V_LOW:
    case OP_V_HIGH:
    case OP_V_PERMQ:
    case OP_V_PERMD:
    case OP_V_PERM2:
        across(i, a, i->num_args > 1 ? arg_at(i, r, 1) : a, out);
        memcpy(dst_at(i, r), out, i->dst_type == IR_V256 ? 32 : 16);
        return i + 1;
    case OP_V_BCAST:
        splat(i, interp_lane(a, bytes, 0), out, parts);
        break;
    case OP_V_SPLAT:
        splat(i, arg64(i, r, 0), out, parts);
        break;
    case OP_V_ZEXT:
    case OP_V_SEXT:
        widen(i, a, out, parts);
        break;
    default:
        return vector_parts(i, r, parts);
    }
    memcpy(dst_at(i, r), out, 16 * parts);
    return i + 1;
}
