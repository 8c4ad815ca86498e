// SPDX-License-Identifier: GPL-2.0-or-later
/* Vectors of floats, one 128-bit part at a time; lane arithmetic is the scalar ops'. */
#include "tcg/interp/float.h"
#include "tcg/interp/interp.h"

#include <string.h>

static IrOpcode scalar_op(unsigned opcode, unsigned lane)
{
    switch (opcode) {
    case OP_V_FADD: case OP_V_FHADD: return OP_FADD;
    case OP_V_FSUB: case OP_V_FHSUB: return OP_FSUB;
    case OP_V_FADDSUB: return lane & 1 ? OP_FADD : OP_FSUB;
    case OP_V_FMUL: return OP_FMUL;
    case OP_V_FMA:
    case OP_V_FMS:
    case OP_V_FNMA:
    case OP_V_FNMS:
    case OP_V_FMADDSUB:
    case OP_V_FMSUBADD:
        return OP_FMA;
    case OP_V_FDIV: return OP_FDIV;
    case OP_V_FSQRT: return OP_FSQRT;
    case OP_V_FMINB: return OP_FMINB;
    case OP_V_FMAXB: return OP_FMAXB;
    case OP_V_FROUND: return OP_FROUND;
    default: return OP_FCMP_MASK;
    }
}

/*
 * Signs of a fused operation's operands in lane n; where there is a NaN it is the result, whatever
 * the signs.
 */
static void fma_signs(unsigned opcode, unsigned n, unsigned bytes, uint64_t k[3])
{
    const uint64_t sign = bytes == 4 ? 1ull << 31 : 1ull << 63,
                   inf = bytes == 4 ? 0x7f800000u : 0x7ffull << 52;
    bool product =
        opcode == OP_V_FNMA || opcode == OP_V_FNMS || opcode == OP_S_FNMA || opcode == OP_S_FNMS;
    bool addend = opcode == OP_V_FMS || opcode == OP_V_FNMS || opcode == OP_S_FMS ||
                  opcode == OP_S_FNMS || (opcode == OP_V_FMADDSUB && !(n & 1)) ||
                  (opcode == OP_V_FMSUBADD && n & 1);

    for (unsigned i = 0; i < 3; i++) {
        if ((k[i] & (sign - 1)) > inf) {
            return;
        }
    }
    k[0] ^= product ? sign : 0;
    k[2] ^= addend ? sign : 0;
}

static void lanes(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b, const Vec128Lanes *c,
                  Vec128Lanes *out)
{
    const unsigned bytes = interp_lane_bytes(i->cc), num = 16 / bytes;
    const bool pairs = i->opcode == OP_V_FHADD || i->opcode == OP_V_FHSUB;
    const IrType t = bytes == 4 ? IR_F32 : IR_F64;

    for (unsigned n = 0; n < num; n++) {
        uint64_t k[3] = {0};
        if (pairs) {
            const Vec128Lanes *from = n < num / 2 ? a : b;
            k[0] = interp_lane(from, bytes, n % (num / 2) * 2);
            k[1] = interp_lane(from, bytes, n % (num / 2) * 2 + 1);
        } else {
            k[0] = interp_lane(a, bytes, n);
            k[1] = interp_lane(b, bytes, n);
            k[2] = interp_lane(c, bytes, n);
        }
        if (i->opcode >= OP_V_FMS && i->opcode <= OP_V_FMSUBADD) {
            fma_signs(i->opcode, n, bytes, k);
        }
        uint64_t x = interp_float_value(scalar_op(i->opcode, n), t, k, i->imm[0]);
        interp_set_lane(out, bytes, n, x);
    }
}

void interp_vector_float(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b,
                         const Vec128Lanes *c, Vec128Lanes *out)
{
    Vec128Lanes r = {.q = {0, 0}};

    switch (i->opcode) {
    case OP_V_I32_F32:
        for (unsigned n = 0; n < 4; n++) {
            r.l[n] = (uint32_t)interp_from_int(IR_F32, a->sl[n]);
        }
        break;
    case OP_V_F32_I32:
        for (unsigned n = 0; n < 4; n++) {
            r.l[n] = (uint32_t)interp_to_int(OP_F_I32, IR_F32, a->l[n], i->imm[0]);
        }
        break;
    case OP_V_I32_F64:
        for (unsigned n = 0; n < 2; n++) {
            r.q[n] = interp_from_int(IR_F64, a->sl[n]);
        }
        break;
    case OP_V_F64_I32:
        for (unsigned n = 0; n < 2; n++) {
            r.l[n] = (uint32_t)interp_to_int(OP_F_I32, IR_F64, a->q[n], i->imm[0]);
        }
        break;
    case OP_V_F32_F64:
        for (unsigned n = 0; n < 2; n++) {
            r.q[n] = interp_widen(a->l[n]);
        }
        break;
    case OP_V_F64_F32:
        for (unsigned n = 0; n < 2; n++) {
            r.l[n] = (uint32_t)interp_narrow(a->q[n]);
        }
        break;
    default:
        lanes(i, a, b, c, &r);
    }
    *out = r;
}

/* ---- the lowest lane alone ---- */

static uint64_t lowest_value(const Insn *i, IrType t, uint64_t x, uint64_t y, uint64_t z)
{
    static const uint8_t arithmetic[] = {
        [OP_S_FADD - OP_S_FADD] = OP_FADD,   [OP_S_FSUB - OP_S_FADD] = OP_FSUB,
        [OP_S_FMUL - OP_S_FADD] = OP_FMUL,   [OP_S_FDIV - OP_S_FADD] = OP_FDIV,
        [OP_S_FMINB - OP_S_FADD] = OP_FMINB, [OP_S_FMAXB - OP_S_FADD] = OP_FMAXB,
    };

    switch (i->opcode) {
    case OP_S_FSQRT: return interp_float_value(OP_FSQRT, t, (uint64_t[3]){y}, 0);
    case OP_S_FROUND: return interp_round(t, y, i->imm[0]);
    case OP_S_FMASK: return interp_fcmp_mask(t, x, y, (unsigned)i->imm[0]);
    case OP_S_FCVT: return t == IR_F32 ? interp_widen(y) : interp_narrow(y);
    case OP_S_FROM_I: return interp_from_int(t, i->arg_type[1] == IR_I32 ? (int32_t)y : (int64_t)y);
    case OP_S_MERGE: return y;
    case OP_S_FMA: case OP_S_FMS: case OP_S_FNMA: case OP_S_FNMS: {
        uint64_t k[3] = {x, y, z};
        fma_signs(i->opcode, 0, t == IR_F32 ? 4 : 8, k);
        return interp_float_value(OP_FMA, t, k, 0);
    }
    default:
        return interp_float_value((IrOpcode)arithmetic[i->opcode - OP_S_FADD], t,
                                  (uint64_t[3]){x, y, 0}, 0);
    }
}

const Insn *interp_lowest(const Insn *i, Run *r)
{
    const unsigned bytes = interp_lane_bytes(i->cc);
    const IrType t = bytes == 4 ? IR_F32 : IR_F64;
    Vec128Lanes a = *(const Vec128Lanes *)arg_at(i, r, 0);
    const uint64_t x = interp_lane(&a, bytes, 0);
    uint64_t k[3] = {x, 0, 0};

    if (i->opcode == OP_S_TO_I32 || i->opcode == OP_S_TO_I64) {
        put64(i, r, interp_to_int(i->opcode == OP_S_TO_I32 ? OP_F_I32 : OP_F_I64, t, x, i->imm[0]));
        return i + 1;
    }
    k[1] = i->opcode == OP_S_FROM_I ? arg64(i, r, 1) : interp_lane(arg_at(i, r, 1), bytes, 0);
    if (i->opcode == OP_S_FCMP) {
        put64(i, r, interp_float_value(OP_FCMP, t, k, i->imm[0]));
        return i + 1;
    }
    if (i->opcode >= OP_S_FMA && i->opcode <= OP_S_FNMS) {
        a = *(const Vec128Lanes *)arg_at(i, r, 1);
        k[2] = interp_lane(arg_at(i, r, 2), bytes, 0);
    }
    interp_set_lane(&a, i->opcode == OP_S_FCVT ? 12 - bytes : bytes, 0,
                    lowest_value(i, t, x, k[1], k[2]));
    memcpy(dst_at(i, r), &a, 16);
    return i + 1;
}

/* ---- fguard ---- */

static bool unusual(IrGuard kind, unsigned bytes, uint64_t r, uint64_t b, uint64_t c)
{
    uint64_t inf = bytes == 4 ? 0xff000000u : 0xffe0000000000000ull,
             tiny = bytes == 4 ? 0x01000000u : 0x0020000000000000ull;
    uint64_t drop = bytes == 4 ? UINT32_MAX : UINT64_MAX;

    switch (kind) {
    case GUARD_NAN:
        return (r << 1 & drop) > inf;
    case GUARD_TINY:
        return (r << 1 & drop) > inf || (r << 1 & drop) == tiny;
    case GUARD_ORDER:
        return (b << 1 & drop) > inf || (c << 1 & drop) > inf;
    default:
        return (r & drop) == (drop >> 1) + 1;
    }
}

/*
 * Comparing operands raises the invalid flag for signalling NaNs, as the hosts' instruction does.
 */
static void raise_for(const Vec128Lanes *v, bool vector, unsigned bytes)
{
    for (unsigned n = 0; n < (vector ? 16 / bytes : 1); n++) {
        uint64_t k[3] = {interp_lane(v, bytes, n)};

        interp_float_value(OP_FCMP, bytes == 4 ? IR_F32 : IR_F64, k, 0);
    }
}

const Insn *interp_guard(const Insn *i, Run *r)
{
    const IrGuard kind = (IrGuard)(i->imm[0] & ~(uint64_t)GUARD_LOWEST);
    bool vector = i->dst_type == IR_V128, lanes = vector && !(i->imm[0] & GUARD_LOWEST);
    unsigned bytes = vector                                           ? interp_lane_bytes(i->cc)
                     : i->dst_type == IR_F32 || i->dst_type == IR_I32 ? 4
                                                                      : 8;
    unsigned size = i->dst_type == IR_V256 ? 32 : vector ? 16 : 8;
    Vec128Lanes v[4] = {0};
    bool hit = false;

    if (!r->cpu || !r->cpu->arch || !r->cpu->arch->float_corner || size == 32) {
        memmove(dst_at(i, r), arg_at(i, r, 0), size);
        return i + 1;
    }
    for (unsigned n = 0; n < 4; n++) {
        memcpy(&v[n], arg_at(i, r, n), size);
    }
    for (unsigned n = 0; n < (lanes ? 16 / bytes : 1); n++) {
        hit = hit || unusual(kind, bytes, interp_lane(&v[0], bytes, n),
                             interp_lane(&v[1], bytes, n), interp_lane(&v[2], bytes, n));
    }
    if (hit && kind == GUARD_ORDER) {
        raise_for(&v[1], lanes, bytes);
        raise_for(&v[2], lanes, bytes);
    }
    if (hit) {
        r->cpu->arch->float_corner(r->cpu, i->imm[1], &v[0].v);
    }
    if (vector) {
        memcpy(dst_at(i, r), &v[0], 16);
    } else {
        put64(i, r, v[0].q[0]);
    }
    return i + 1;
}
