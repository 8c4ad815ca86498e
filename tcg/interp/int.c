// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Integer ops of the interpreter, written apart from the folder's (tcg/fold.c): each tests the
 * other.
 */
#include "tcg/interp/interp.h"

static int64_t as_signed(IrType t, uint64_t x)
{
    return t == IR_I32 ? (int32_t)(uint32_t)x : (int64_t)x;
}

static uint64_t bit_count(uint64_t x)
{
    uint64_t n = 0;

    for (; x; x >>= 1) {
        n += x & 1;
    }
    return n;
}

static uint64_t leading_zeros(unsigned width, uint64_t x)
{
    unsigned n = 0;

    while (n < width && !(x >> (width - 1 - n) & 1)) {
        n++;
    }
    return n;
}

static uint64_t trailing_zeros(unsigned width, uint64_t x)
{
    unsigned n = 0;

    while (n < width && !(x >> n & 1)) {
        n++;
    }
    return n;
}

static uint64_t bytes_reversed(unsigned bytes, uint64_t x)
{
    uint64_t r = 0;

    for (unsigned i = 0; i < bytes; i++) {
        r = r << 8 | (x >> 8 * i & 0xff);
    }
    return r;
}

static uint64_t scatter(uint64_t x, uint64_t mask, bool gather)
{
    uint64_t r = 0;
    unsigned n = 0;

    for (unsigned i = 0; i < 64; i++) {
        if (mask >> i & 1) {
            r |= gather ? (x >> i & 1) << n : (x >> n & 1) << i;
            n++;
        }
    }
    return r;
}

static uint64_t crc32c(uint64_t crc, uint64_t data, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes * 8; i++) {
        uint64_t bit = (crc ^ data >> i) & 1;
        crc = (uint32_t)crc >> 1 ^ (bit ? 0x82f63b78u : 0);
    }
    return crc;
}

static uint64_t high_half(IrOpcode opcode, IrType t, uint64_t x, uint64_t y)
{
    const unsigned width = ir_type_bits(t);

    if (opcode == OP_MULHS) {
        return (uint64_t)(((__int128)as_signed(t, x) * as_signed(t, y)) >> width);
    }
    return (uint64_t)(((unsigned __int128)x * y) >> width);
}

/* Front ends keep divisors and quotients legal; 0 rather than a trap all the same. */
static uint64_t quotient(IrOpcode opcode, IrType t, uint64_t x, uint64_t y)
{
    const int64_t sx = as_signed(t, x), sy = as_signed(t, y);

    if (y == 0) {
        return 0;
    }
    switch (opcode) {
    case OP_DIVU: case OP_DIVUZ: return x / y;
    case OP_REMU: return x % y;
    case OP_DIVS: case OP_DIVSZ: return sy == -1 ? -(uint64_t)sx : (uint64_t)(sx / sy);
    default: return sy == -1 ? 0 : (uint64_t)(sx % sy);
    }
}

static uint64_t rotated_right(unsigned width, uint64_t x, uint64_t n)
{
    n &= width - 1;
    return n ? x >> n | x << (width - n) : x;
}

static uint64_t field(uint64_t x, uint64_t pos, uint64_t len)
{
    return x << (64 - pos - len) >> (64 - len);
}

static uint64_t deposited(uint64_t x, uint64_t y, uint64_t pos, uint64_t len)
{
    uint64_t ones = UINT64_MAX >> (64 - len) << pos;

    return x ^ ((x ^ y << pos) & ones);
}

uint64_t interp_int_value(IrOpcode opcode, IrType t, uint64_t x, uint64_t y, const uint64_t *imm)
{
    const unsigned width = ir_type_bits(t);
    const uint64_t n = y & (width - 1);

    switch (opcode) {
    case OP_ADD: return x + y;
    case OP_SUB: return x - y;
    case OP_MUL: return x * y;
    case OP_MULHU: case OP_MULHS: return high_half(opcode, t, x, y);
    case OP_DIVU: case OP_DIVS: case OP_REMU: case OP_REMS: case OP_DIVUZ: case OP_DIVSZ:
        return quotient(opcode, t, x, y);
    case OP_AND: return x & y;
    case OP_OR: return x | y;
    case OP_XOR: return x ^ y;
    case OP_ANDC: return x & ~y;
    case OP_NEG: return 0 - x;
    case OP_NOT: return ~x;
    case OP_SHL: return x << n;
    case OP_SHR: return x >> n;
    case OP_SAR: return (uint64_t)(as_signed(t, x) >> n);
    case OP_ROTL: return rotated_right(width, x, width - n);
    case OP_ROTR: return rotated_right(width, x, n);
    case OP_CLZ: return leading_zeros(width, x);
    case OP_CTZ: return trailing_zeros(width, x);
    case OP_POPCNT: return bit_count(x);
    case OP_BSWAP: return bytes_reversed(width / 8, x);
    case OP_BSWAP16: return bytes_reversed(2, x);
    case OP_ZEXT8: return x & 0xff;
    case OP_ZEXT16: return x & 0xffff;
    case OP_ZEXT32: case OP_TRUNC: case OP_ZEXTQ: return x & 0xffffffff;
    case OP_SEXT8: return (x & 0xff) - (x & 0x80) * 2;
    case OP_SEXT16: return (x & 0xffff) - (x & 0x8000) * 2;
    case OP_SEXT32: case OP_SEXTQ: return (x & 0xffffffff) - (x & 0x80000000) * 2;
    case OP_CONCAT: return y << 32 | x;
    case OP_EXTRACT: return field(x, imm[0], imm[1]);
    case OP_SEXTRACT: return (uint64_t)((int64_t)(x << (64 - imm[0] - imm[1])) >> (64 - imm[1]));
    case OP_DEPOSIT: return deposited(x, y, imm[0], imm[1]);
    case OP_ADD_SHL: return x + (y << imm[0]);
    case OP_FUNNEL:
        return (uint64_t)(((unsigned __int128)y << width | x) >> imm[0]);
    case OP_PDEP: return scatter(x, y, false);
    case OP_PEXT: return scatter(x, y, true);
    case OP_CRC32C: return crc32c(x, y, imm[0]);
    default: g_assert_not_reached();
    }
}

const Insn *interp_int(const Insn *i, Run *r)
{
    uint64_t x = i->num_args > 0 ? arg64(i, r, 0) : 0;
    uint64_t y = i->num_args > 1 ? arg64(i, r, 1) : 0;

    put64(i, r, interp_int_value((IrOpcode)i->opcode, (IrType)i->type, x, y, i->imm));
    return i + 1;
}
