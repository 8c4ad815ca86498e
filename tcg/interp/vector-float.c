// SPDX-License-Identifier: GPL-2.0-or-later
/* Vectors of floats, one 128-bit part at a time; lane arithmetic is the scalar ops'. */
#include "tcg/interp/float.h"

static IrOpcode scalar_op(unsigned opcode, unsigned lane)
{
    switch (opcode) {
    case OP_V_FADD: case OP_V_FHADD: return OP_FADD;
    case OP_V_FSUB: case OP_V_FHSUB: return OP_FSUB;
    case OP_V_FADDSUB: return lane & 1 ? OP_FADD : OP_FSUB;
    case OP_V_FMUL: return OP_FMUL;
    case OP_V_FDIV: return OP_FDIV;
    case OP_V_FSQRT: return OP_FSQRT;
    case OP_V_FMINB: return OP_FMINB;
    case OP_V_FMAXB: return OP_FMAXB;
    case OP_V_FROUND: return OP_FROUND;
    default: return OP_FCMP_MASK;
    }
}

static void lanes(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b, Vec128Lanes *out)
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
        }
        uint64_t x = interp_float_value(scalar_op(i->opcode, n), t, k, i->imm[0]);
        interp_set_lane(out, bytes, n, x);
    }
}

void interp_vector_float(const Insn *i, const Vec128Lanes *a, const Vec128Lanes *b, Vec128Lanes *out)
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
        lanes(i, a, b, &r);
    }
    *out = r;
}
