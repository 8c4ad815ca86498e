// SPDX-License-Identifier: GPL-2.0-or-later
/* Integer ops and conditions on constants; which bits of a result are always 0. */
#include "tcg/builder.h"

IrCond ir_cond_invert(IrCond c)
{
    static const uint8_t inverse[] = {
        [COND_NEVER] = COND_ALWAYS, [COND_ALWAYS] = COND_NEVER, [COND_EQ] = COND_NE,
        [COND_NE] = COND_EQ, [COND_LT] = COND_GE, [COND_GE] = COND_LT, [COND_LE] = COND_GT,
        [COND_GT] = COND_LE, [COND_LTU] = COND_GEU, [COND_GEU] = COND_LTU, [COND_LEU] = COND_GTU,
        [COND_GTU] = COND_LEU, [COND_TSTZ] = COND_TSTNZ, [COND_TSTNZ] = COND_TSTZ,
    };

    return (IrCond)inverse[c];
}

IrCond ir_cond_swap(IrCond c)
{
    switch (c) {
    case COND_LT: return COND_GT;
    case COND_GE: return COND_LE;
    case COND_LE: return COND_GE;
    case COND_GT: return COND_LT;
    case COND_LTU: return COND_GTU;
    case COND_GEU: return COND_LEU;
    case COND_LEU: return COND_GEU;
    case COND_GTU: return COND_LTU;
    default: return c;
    }
}

bool ir_fold_cond(IrCond c, IrType type, uint64_t x, uint64_t y)
{
    if (type == IR_I32) {
        x = (uint64_t)(int32_t)x;
        y = (uint64_t)(int32_t)y;
    }
    switch (c) {
    case COND_NEVER: return false;
    case COND_ALWAYS: return true;
    case COND_EQ: return x == y;
    case COND_NE: return x != y;
    case COND_LT: return (int64_t)x < (int64_t)y;
    case COND_GE: return (int64_t)x >= (int64_t)y;
    case COND_LE: return (int64_t)x <= (int64_t)y;
    case COND_GT: return (int64_t)x > (int64_t)y;
    case COND_LTU: return x < y;        /* sign extension keeps the unsigned order */
    case COND_GEU: return x >= y;
    case COND_LEU: return x <= y;
    case COND_GTU: return x > y;
    case COND_TSTZ: return (x & y) == 0;
    case COND_TSTNZ: return (x & y) != 0;
    }
    return false;
}

static uint64_t fold_mulh(IrType type, uint64_t x, uint64_t y, bool is_signed)
{
    if (type == IR_I32) {
        return is_signed ? (uint64_t)(((int64_t)(int32_t)x * (int32_t)y) >> 32) : (x * y) >> 32;
    }
    return is_signed ? (uint64_t)(((__int128)(int64_t)x * (int64_t)y) >> 64)
                     : (uint64_t)(((unsigned __int128)x * y) >> 64);
}

static bool fold_divide(IrOpcode opcode, IrType type, uint64_t x, uint64_t y, uint64_t *out)
{
    int64_t sx = type == IR_I32 ? (int32_t)x : (int64_t)x;
    int64_t sy = type == IR_I32 ? (int32_t)y : (int64_t)y;

    if (opcode == OP_DIVUZ || opcode == OP_DIVSZ) {
        *out = y == 0                ? 0
               : opcode == OP_DIVUZ ? x / y
               : sy == -1           ? 0 - x
                                    : (uint64_t)(sx / sy);
        return true;
    }
    if (y == 0 || (sy == -1 && (opcode == OP_DIVS || opcode == OP_REMS))) {
        return false;
    }
    switch (opcode) {
    case OP_DIVU: *out = x / y; break;
    case OP_REMU: *out = x % y; break;
    case OP_DIVS: *out = (uint64_t)(sx / sy); break;
    default: *out = (uint64_t)(sx % sy); break;
    }
    return true;
}

static uint64_t fold_pdep(uint64_t x, uint64_t mask)
{
    uint64_t r = 0;

    for (; mask; mask &= mask - 1, x >>= 1) {
        r |= x & 1 ? mask & -mask : 0;
    }
    return r;
}

static uint64_t fold_pext(uint64_t x, uint64_t mask)
{
    uint64_t r = 0, bit = 1;

    for (; mask; mask &= mask - 1, bit <<= 1) {
        r |= x & mask & -mask ? bit : 0;
    }
    return r;
}

static bool fold_shift(IrOpcode opcode, unsigned width, uint64_t x, uint64_t y, uint64_t *out)
{
    unsigned n = (unsigned)y & (width - 1);

    if (y >= width) {
        return false;
    }
    switch (opcode) {
    case OP_SHL: *out = x << n; break;
    case OP_SHR: *out = x >> n; break;
    case OP_SAR: *out = (uint64_t)((width == 32 ? (int32_t)x : (int64_t)x) >> n); break;
    case OP_ROTL: *out = n ? x << n | x >> (width - n) : x; break;
    default: *out = n ? x >> n | x << (width - n) : x; break;
    }
    return true;
}

static bool fold_field(IrOpcode opcode, unsigned width, const uint64_t *k, const uint64_t *imm,
                       uint64_t *out)
{
    uint64_t x = k[0], m;

    switch (opcode) {
    case OP_EXTRACT:
        *out = x >> imm[0] & ir_low_mask((unsigned)imm[1]);
        return true;
    case OP_SEXTRACT:
        x <<= 64 - imm[0] - imm[1];
        *out = (uint64_t)((int64_t)x >> (64 - imm[1]));
        return true;
    case OP_DEPOSIT:
        m = ir_low_mask((unsigned)imm[1]) << imm[0];
        *out = (x & ~m) | (k[1] << imm[0] & m);
        return true;
    case OP_ADD_SHL:
        *out = x + (k[1] << imm[0]);
        return true;
    case OP_FUNNEL:
        *out = imm[0] ? x >> imm[0] | k[1] << (width - imm[0]) : x;
        return true;
    default:
        return false;
    }
}

bool ir_fold(IrOpcode opcode, IrType type, const uint64_t *k, const uint64_t *imm, uint64_t *out)
{
    const unsigned width = ir_type_bits(type);
    const uint64_t x = k[0], y = k[1];
    bool ok = true;

    if (type != IR_I32 && type != IR_I64) {
        return false;
    }
    switch (opcode) {
    case OP_ADD: *out = x + y; break;
    case OP_SUB: *out = x - y; break;
    case OP_MUL: *out = x * y; break;
    case OP_MULHU: *out = fold_mulh(type, x, y, false); break;
    case OP_MULHS: *out = fold_mulh(type, x, y, true); break;
    case OP_DIVU: case OP_DIVS: case OP_REMU: case OP_REMS: case OP_DIVUZ: case OP_DIVSZ:
        ok = fold_divide(opcode, type, x, y, out);
        break;
    case OP_AND: *out = x & y; break;
    case OP_OR: *out = x | y; break;
    case OP_XOR: *out = x ^ y; break;
    case OP_ANDC: *out = x & ~y; break;
    case OP_NEG: *out = -x; break;
    case OP_NOT: *out = ~x; break;
    case OP_SHL: case OP_SHR: case OP_SAR: case OP_ROTL: case OP_ROTR:
        ok = fold_shift(opcode, width, x, y, out);
        break;
    case OP_CLZ: *out = x ? (unsigned)__builtin_clzll(x) - (64 - width) : width; break;
    case OP_CTZ: *out = x ? (unsigned)__builtin_ctzll(x) : width; break;
    case OP_POPCNT: *out = (unsigned)__builtin_popcountll(x); break;
    case OP_BSWAP:
        *out = width == 32 ? __builtin_bswap32((uint32_t)x) : __builtin_bswap64(x);
        break;
    case OP_BSWAP16: *out = __builtin_bswap16((uint16_t)x); break;
    case OP_ZEXT8: *out = (uint8_t)x; break;
    case OP_ZEXT16: *out = (uint16_t)x; break;
    case OP_ZEXT32: case OP_ZEXTQ: case OP_TRUNC: *out = (uint32_t)x; break;
    case OP_SEXT8: *out = (uint64_t)(int8_t)x; break;
    case OP_SEXT16: *out = (uint64_t)(int16_t)x; break;
    case OP_SEXT32: case OP_SEXTQ: *out = (uint64_t)(int32_t)x; break;
    case OP_CONCAT: *out = (uint32_t)x | y << 32; break;
    case OP_PDEP: *out = fold_pdep(x, y); break;
    case OP_PEXT: *out = fold_pext(x, y); break;
    default: ok = fold_field(opcode, width, k, imm, out); break;
    }
    return ok;
}

/* All bits above the highest that can be 1. */
static uint64_t above(uint64_t may_be_one)
{
    return may_be_one ? ~(UINT64_MAX >> __builtin_clzll(may_be_one)) : UINT64_MAX;
}

static uint64_t zeros_of_shift(const IrFunc *f, const IrOp *o, uint64_t za, IrType t)
{
    uint64_t n;

    if (!ir_known_const(f, o->args[1], &n) || n >= ir_type_bits(t)) {
        return o->opcode == OP_SHR ? above(~za) : 0;
    }
    if (o->opcode == OP_SHL) {
        return za << n | ir_low_mask((unsigned)n);
    }
    return o->opcode == OP_SHR ? ~(~za >> n) : 0;
}

static uint64_t zeros_of_memory(const IrOp *o, MemOp op)
{
    if (op & MEM_SIGN || (op & MEM_SIZE) >= MEM_64) {
        return 0;
    }
    return o->opcode == OP_LOAD || o->opcode == OP_ENV_LOAD
               ? ~ir_low_mask(8u << (op & MEM_SIZE)) : 0;
}

uint64_t builder_zero_bits(const IrFunc *f, const IrOp *o, IrType t)
{
    const uint64_t upper = ~ir_mask(t);
    uint64_t za, zb, z = 0, m;

    if (t != IR_I32 && t != IR_I64) {
        return 0;
    }
    za = o->num_args > 0 ? ir_zeros(f, o->args[0]) : 0;
    zb = o->num_args > 1 ? ir_zeros(f, o->args[1]) : 0;
    switch (o->opcode) {
    case OP_AND: z = za | zb; break;
    case OP_ANDC: z = za | (f->values[o->args[1]].is_const ? f->values[o->args[1]].k : 0); break;
    case OP_OR: case OP_XOR: z = za & zb; break;
    case OP_ADD_SHL:
        zb = zb << o->imm[0] | ir_low_mask((unsigned)o->imm[0]);
        /* fall through */
    case OP_ADD:
        m = above(~za) & above(~zb);
        z = m << 1 | ir_low_mask((unsigned)(__builtin_ctzll(~(za & zb) | 1ull << 63)));
        break;
    case OP_SHL: case OP_SHR: z = zeros_of_shift(f, o, za, t); break;
    case OP_CLZ: case OP_CTZ: case OP_POPCNT: z = ~0x7full; break;
    case OP_BSWAP16: z = ~0xffffull; break;
    case OP_ZEXT8: z = za | ~0xffull; break;
    case OP_ZEXT16: z = za | ~0xffffull; break;
    case OP_ZEXT32: case OP_ZEXTQ: case OP_TRUNC: z = za | ~0xffffffffull; break;
    case OP_CONCAT: z = (za & UINT32_MAX) | zb << 32; break;
    case OP_EXTRACT: z = ~(~za >> o->imm[0] & ir_low_mask((unsigned)o->imm[1])); break;
    case OP_DEPOSIT:
        m = ir_low_mask((unsigned)o->imm[1]) << o->imm[0];
        z = (za & ~m) | (zb << o->imm[0] & m);
        break;
    case OP_SETCOND: case OP_FCMP: z = o->opcode == OP_SETCOND ? ~1ull : ~0x45ull; break;
    case OP_SELECT: z = ir_zeros(f, o->args[2]) & ir_zeros(f, o->args[3]); break;
    case OP_DIVU: case OP_DIVUZ: z = above(~za); break;
    case OP_REMU: z = above(~za) | above(~zb); break;
    case OP_V_MOVMASK:
        z = ~ir_low_mask(o->cc == LANE_I8 ? 32 : 8);
        break;
    case OP_V_TEST: z = ~0x41ull; break;
    case OP_V_EXTRACT:
        z = o->cc == LANE_I8 ? ~0xffull : o->cc == LANE_I16 ? ~0xffffull : 0;
        break;
    case OP_LOAD: z = zeros_of_memory(o, (MemOp)o->mem.op); break;
    case OP_ENV_LOAD: z = zeros_of_memory(o, (MemOp)o->env.op); break;
    default: break;
    }
    return z | upper;
}
