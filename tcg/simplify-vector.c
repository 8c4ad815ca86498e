// SPDX-License-Identifier: GPL-2.0-or-later
/* Identities of vector ops and of moves between integers, floats and vectors. */
#include "tcg/builder.h"

#define NONE ((IrVal){0})

static IrVal val(uint32_t v)
{
    return (IrVal){v};
}

static const IrOp *def_is(const IrBuilder *b, uint32_t v, IrOpcode opcode)
{
    const IrOp *d = ir_def(&b->f, v);

    return d->opcode == opcode ? d : NULL;
}

/* Undone by its opposite: f_bits(f_from_bits(x)) is x. */
static IrVal undo(IrBuilder *b, const IrOp *o, IrOpcode opposite)
{
    const IrOp *d = def_is(b, o->args[0], opposite);

    return d ? val(d->args[0]) : NONE;
}

static IrVal simplify_logic(IrBuilder *b, const IrOp *o, IrType t)
{
    const bool same = o->args[0] == o->args[1];
    const bool zero0 = def_is(b, o->args[0], OP_V_ZERO), zero1 = def_is(b, o->args[1], OP_V_ZERO);

    switch (o->opcode) {
    case OP_V_AND:
        return same ? val(o->args[0]) : zero0 || zero1 ? ir_v_zero(b, t) : NONE;
    case OP_V_OR:
        return same || zero1 ? val(o->args[0]) : zero0 ? val(o->args[1]) : NONE;
    case OP_V_XOR:
        return same ? ir_v_zero(b, t) : zero1 ? val(o->args[0]) : zero0 ? val(o->args[1]) : NONE;
    case OP_V_ANDN:
        return same || zero1 ? ir_v_zero(b, t) : zero0 ? val(o->args[1]) : NONE;
    case OP_V_ADD:
        return zero1 ? val(o->args[0]) : zero0 ? val(o->args[1]) : NONE;
    default:
        return same ? ir_v_zero(b, t) : zero1 ? val(o->args[0]) : NONE;
    }
}

static IrVal simplify_extract(IrBuilder *b, const IrOp *o, IrType t)
{
    const IrOp *d = ir_def(&b->f, o->args[0]);

    if (d->opcode == OP_V_INSERT && d->cc == o->cc && d->imm[0] == o->imm[0] &&
        (o->cc == LANE_I32 || o->cc == LANE_I64) && b->f.values[d->args[1]].type == t) {
        return val(d->args[1]);
    }
    if (d->opcode == OP_V_INSERT && d->cc == o->cc && d->imm[0] != o->imm[0]) {
        return ir_v_extract(b, (IrLane)o->cc, val(d->args[0]), (unsigned)o->imm[0]);
    }
    if (d->opcode == OP_V_FROM_I && o->imm[0] == 0 && b->f.values[d->args[0]].type == t &&
        ((o->cc == LANE_I32 && t == IR_I32) || (o->cc == LANE_I64 && t == IR_I64))) {
        return val(d->args[0]);
    }
    return NONE;
}

static IrVal simplify_getf(IrBuilder *b, const IrOp *o, IrType t)
{
    const IrOp *d = ir_def(&b->f, o->args[0]);

    if (d->opcode == OP_V_SETF && b->f.values[d->args[1]].type == t) {
        return val(d->args[1]);
    }
    if (d->opcode == OP_V_FROM_I) {
        IrType ti = (IrType)b->f.values[d->args[0]].type;
        if (t == IR_F64 && ti == IR_I64) {
            return ir_f_from_bits(b, val(d->args[0]));
        }
        if (t == IR_F32 && ti == IR_I32) {
            return ir_f32_from_bits(b, val(d->args[0]));
        }
    }
    return NONE;
}

/* The lowest lane that a v_setf of the same width overwrites is not worth having. */
static IrVal simplify_setf(IrBuilder *b, IrOp *o)
{
    const IrOp *d = def_is(b, o->args[0], OP_V_SETF);

    if (d && b->f.values[d->args[1]].type <= b->f.values[o->args[1]].type) {
        o->args[0] = d->args[0];
    }
    const IrOp *g = def_is(b, o->args[1], OP_V_GETF);
    return g && g->args[0] == o->args[0] ? val(o->args[0]) : NONE;
}

/* All but the lowest `bytes` of v are 0, as far as this block tells. */
static bool zero_above(const IrBuilder *b, uint32_t v, unsigned bytes)
{
    for (unsigned depth = 0; depth < 8; depth++) {
        const IrOp *d = ir_def(&b->f, v);

        switch (d->opcode) {
        case OP_V_ZERO:
            return true;
        case OP_LOAD:
            return 1u << (d->mem.op & MEM_SIZE) <= bytes;
        case OP_V_FROM_I:
            return b->f.values[d->args[0]].type == IR_I32 || bytes == 8;
        case OP_V_LOW64:
            if (bytes == 8) {
                return true;
            }
            break;
        case OP_S_FCVT:
            if (d->cc == LANE_F32 && bytes < 8) {
                return false;
            }
            break;
        case OP_S_FMA: case OP_S_FMS: case OP_S_FNMA: case OP_S_FNMS:
            if (d->cc == LANE_F64 && bytes < 8) {
                return false;
            }
            v = d->args[1];
            continue;
        case OP_S_FADD:
        case OP_S_FSUB:
        case OP_S_FMUL:
        case OP_S_FDIV:
        case OP_S_FSQRT:
        case OP_S_FROUND:
        case OP_S_FROM_I: case OP_S_MERGE:
            if (d->cc == LANE_F64 && bytes < 8) {
                return false;
            }
            break;
        case OP_FGUARD:
            if (!(d->imm[0] & GUARD_LOWEST) || (d->cc == LANE_F64 && bytes < 8)) {
                return false;
            }
            break;
        default:
            return false;
        }
        v = d->args[0];
    }
    return false;
}

static IrVal simplify_merge(IrBuilder *b, const IrOp *o)
{
    if (o->args[0] == o->args[1] || (def_is(b, o->args[0], OP_V_ZERO) &&
                                     zero_above(b, o->args[1], o->cc == LANE_F32 ? 4 : 8))) {
        return val(o->args[1]);
    }
    return def_is(b, o->args[0], OP_V_ZERO) && o->cc == LANE_F64 ? ir_v_low64(b, val(o->args[1]))
                                                                 : NONE;
}

IrVal ir_simplify_vector(IrBuilder *b, IrOp *o, IrType t)
{
    uint64_t k;

    switch (o->opcode) {
    case OP_F_BITS:
    case OP_F32_BITS:
        if (ir_known_const(&b->f, o->args[0], &k)) {
            return ir_const(b, t, k);
        }
        return undo(b, o, o->opcode == OP_F_BITS ? OP_F_FROM_BITS : OP_F32_FROM_BITS);
    case OP_F_FROM_BITS:
    case OP_F32_FROM_BITS:
        if (ir_known_const(&b->f, o->args[0], &k)) {
            return ir_const(b, t, k);
        }
        return undo(b, o, o->opcode == OP_F_FROM_BITS ? OP_F_BITS : OP_F32_BITS);
    case OP_V_AND: case OP_V_OR: case OP_V_XOR: case OP_V_ANDN: case OP_V_ADD: case OP_V_SUB:
        return simplify_logic(b, o, t);
    case OP_V_SHL_I: case OP_V_SHR_I: case OP_V_SAR_I: case OP_V_SHL_BYTES: case OP_V_SHR_BYTES:
    case OP_V_BLEND16:
        return o->imm[0] == 0 ? val(o->args[0]) : NONE;
    case OP_V_LOW64:
        return zero_above(b, o->args[0], 8) ? val(o->args[0]) : NONE;
    case OP_V_SHUF32:
        return o->imm[0] == 0xe4 ? val(o->args[0]) : NONE;
    case OP_V_EXTRACT:
        return simplify_extract(b, o, t);
    case OP_V_GETF:
        return simplify_getf(b, o, t);
    case OP_V_SETF:
        return simplify_setf(b, o);
    case OP_V_LOW: case OP_V_HIGH: {
        const IrOp *d = def_is(b, o->args[0], OP_V_CONCAT);
        return d                                  ? val(d->args[o->opcode == OP_V_HIGH])
               : def_is(b, o->args[0], OP_V_ZERO) ? ir_v_zero(b, t)
                                                  : NONE;
    }
    case OP_V_CONCAT: {
        const IrOp *low = def_is(b, o->args[0], OP_V_LOW), *high = def_is(b, o->args[1], OP_V_HIGH);
        if (low && high && low->args[0] == high->args[0]) {
            return val(low->args[0]);
        }
        return def_is(b, o->args[0], OP_V_ZERO) && def_is(b, o->args[1], OP_V_ZERO)
                   ? ir_v_zero(b, t)
                   : NONE;
    }
    case OP_S_MERGE:
        return simplify_merge(b, o);
    case OP_V_FROM_I:
        if (ir_known_const(&b->f, o->args[0], &k) && k == 0) {
            return ir_v_zero(b, t);
        }
        return NONE;
    default:
        return NONE;
    }
}
