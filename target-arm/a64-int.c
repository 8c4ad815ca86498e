// SPDX-License-Identifier: GPL-2.0-or-later
/* A64 data processing on integers: immediates, registers, multiplication, bit fields, CRC. C6.2. */
#include "target-arm/translate.h"

bool trans_ADR(ArmCtx *s, const A64Insn *i)
{
    arm_set_x(s, i->rd, arm_pc(s, s->pc + (uint64_t)(int64_t)i->imm));
    return true;
}

bool trans_ADRP(ArmCtx *s, const A64Insn *i)
{
    arm_set_x(s, i->rd, arm_pc(s, (s->pc & ~4095ull) + (uint64_t)i->imm * 4096));
    return true;
}

/* ---- addition and subtraction ---- */

static IrVal add_sub(ArmCtx *s, const A64Insn *i, IrVal a, IrVal b)
{
    if (i->setf) {
        arm_cc(s, i->sub ? i->sf ? CC_SUB64 : CC_SUB32 : i->sf ? CC_ADD64 : CC_ADD32, a, b);
    }
    return i->sub ? ir_sub(s->b, a, b) : ir_add(s->b, a, b);
}

bool trans_addsub_i(ArmCtx *s, const A64Insn *i)
{
    uint64_t imm = (uint64_t)i->imm << (i->sh ? 12 : 0);
    IrVal a = arm_xsp(s, i->rn), r;

    r = add_sub(s, i, i->sf ? a : ir_trunc(s->b, a), arm_const(s, i->sf, imm));
    if (i->setf) {
        arm_set_r(s, i->sf, i->rd, r);
    } else {
        arm_set_xsp(s, i->rd, i->sf ? r : ir_zextq(s->b, r));
    }
    return true;
}

bool trans_addsub_r(ArmCtx *s, const A64Insn *i)
{
    if (i->sh == 3 || (!i->sf && i->amt >= 32)) {
        return false;
    }
    IrVal a = arm_r(s, i->sf, i->rn),
          b = arm_shift(s, i->sf, arm_r(s, i->sf, i->rm), i->sh, i->amt);

    arm_set_r(s, i->sf, i->rd, add_sub(s, i, a, b));
    return true;
}

bool trans_addsub_x(ArmCtx *s, const A64Insn *i)
{
    if (i->amt > 4) {
        return false;
    }
    IrVal a = arm_xsp(s, i->rn), b = arm_extend(s, arm_x(s, i->rm), i->opt, i->amt), r;

    r = add_sub(s, i, i->sf ? a : ir_trunc(s->b, a), i->sf ? b : ir_trunc(s->b, b));
    if (i->setf) {
        arm_set_r(s, i->sf, i->rd, r);
    } else {
        arm_set_xsp(s, i->rd, i->sf ? r : ir_zextq(s->b, r));
    }
    return true;
}

uint32_t helper_adc_nzcv(uint64_t a, uint64_t b, uint32_t carry, uint32_t sf)
{
    uint64_t sign = sf ? 1ull << 63 : 1u << 31, mask = sf ? UINT64_MAX : UINT32_MAX;
    __uint128_t wide = (__uint128_t)(a & mask) + (b & mask) + carry;
    uint64_t r = (uint64_t)wide & mask;
    bool c = (wide >> (sf ? 64 : 32)) & 1;

    return (r & sign ? 8 : 0) | (r == 0 ? 4 : 0) | (c ? 2 : 0) |
           (~(a ^ b) & (a ^ r) & sign ? 1 : 0);
}

bool trans_adcsbc(ArmCtx *s, const A64Insn *i)
{
    IrBuilder *b = s->b;
    IrVal carry = arm_carry(s), x = arm_r(s, i->sf, i->rn), y = arm_r(s, i->sf, i->rm), r;

    if (i->sub) {
        y = ir_not(b, y);
    }
    r = ir_add(b, ir_add(b, x, y), i->sf ? ir_zextq(b, carry) : carry);
    if (i->setf) {
        arm_cc_nzcv(s, ir_call_adc_nzcv(b, i->sf ? x : ir_zextq(b, x), i->sf ? y : ir_zextq(b, y),
                                        carry, ir_i32(b, i->sf)));
    }
    arm_set_r(s, i->sf, i->rd, r);
    return true;
}

/* ---- logic ---- */

bool arm_bitmask(unsigned n, unsigned immr, unsigned imms, bool sf, uint64_t *mask)
{
    unsigned pattern = n << 6 | (~imms & 0x3f), len = 0;

    if ((!sf && n) || pattern == 0) {
        return false;
    }
    for (unsigned v = pattern; v >>= 1;) {
        len++;
    }
    if (len < 1) {
        return false;
    }
    unsigned size = 1u << len, levels = size - 1, s = imms & levels, r = immr & levels;

    if (s == levels) {
        return false;
    }
    uint64_t ones = (1ull << (s + 1)) - 1, all = size == 64 ? UINT64_MAX : (1ull << size) - 1;
    uint64_t e = r ? (ones >> r | ones << (size - r)) & all : ones;

    for (unsigned at = size; at < 64; at *= 2) {
        e |= e << at;
    }
    *mask = sf ? e : (uint32_t)e;
    return true;
}

static IrVal logic(ArmCtx *s, const A64Insn *i, IrVal a, IrVal b)
{
    IrVal r;

    switch (i->op) {
    case 1:
        return ir_or(s->b, a, b);
    case 2:
        return ir_xor(s->b, a, b);
    default:
        r = ir_and(s->b, a, b);
    }
    if (i->op == 3) {
        arm_cc(s, i->sf ? CC_LOGIC64 : CC_LOGIC32, r, arm_none);
    }
    return r;
}

bool trans_logic_i(ArmCtx *s, const A64Insn *i)
{
    uint64_t mask;

    if (!arm_bitmask(i->n, i->immr, i->imms, i->sf, &mask)) {
        return false;
    }
    IrVal r = logic(s, i, arm_r(s, i->sf, i->rn), arm_const(s, i->sf, mask));

    if (i->op == 3) {
        arm_set_r(s, i->sf, i->rd, r);
    } else {
        arm_set_xsp(s, i->rd, i->sf ? r : ir_zextq(s->b, r));
    }
    return true;
}

bool trans_logic_r(ArmCtx *s, const A64Insn *i)
{
    if (!i->sf && i->amt >= 32) {
        return false;
    }
    IrVal b = arm_shift(s, i->sf, arm_r(s, i->sf, i->rm), i->sh, i->amt);

    arm_set_r(s, i->sf, i->rd, logic(s, i, arm_r(s, i->sf, i->rn), i->n ? ir_not(s->b, b) : b));
    return true;
}

/* ---- wide immediates, bit fields ---- */

bool trans_MOVZ(ArmCtx *s, const A64Insn *i)
{
    if (!i->sf && i->hw > 1) {
        return false;
    }
    arm_set_x(s, i->rd, ir_i64(s->b, (uint64_t)(uint32_t)i->imm << (16 * i->hw)));
    return true;
}

bool trans_MOVN(ArmCtx *s, const A64Insn *i)
{
    if (!i->sf && i->hw > 1) {
        return false;
    }
    uint64_t v = ~((uint64_t)(uint32_t)i->imm << (16 * i->hw));

    arm_set_x(s, i->rd, ir_i64(s->b, i->sf ? v : (uint32_t)v));
    return true;
}

bool trans_MOVK(ArmCtx *s, const A64Insn *i)
{
    if (!i->sf && i->hw > 1) {
        return false;
    }
    uint64_t mask = 0xffffull << (16 * i->hw);
    IrVal v = ir_andi(s->b, arm_x(s, i->rd), i->sf ? ~mask : (uint32_t)~mask);

    arm_set_x(s, i->rd, ir_or(s->b, v, ir_i64(s->b, (uint64_t)(uint32_t)i->imm << (16 * i->hw))));
    return true;
}

static bool field_ok(const A64Insn *i)
{
    return i->n == i->sf && (i->sf || (i->immr < 32 && i->imms < 32));
}

bool trans_UBFM(ArmCtx *s, const A64Insn *i)
{
    unsigned bits = i->sf ? 64 : 32, r = (unsigned)i->immr, t = (unsigned)i->imms;

    if (!field_ok(i)) {
        return false;
    }
    IrVal v = arm_r(s, i->sf, i->rn);

    if (t >= r) {
        v = t == bits - 1 ? ir_shri(s->b, v, r) : ir_extract(s->b, v, r, t - r + 1);
    } else if (t + 1 == r) {
        v = ir_shli(s->b, v, bits - r);
    } else {
        v = ir_shli(s->b, ir_extract(s->b, v, 0, t + 1), bits - r);
    }
    arm_set_r(s, i->sf, i->rd, v);
    return true;
}

bool trans_SBFM(ArmCtx *s, const A64Insn *i)
{
    unsigned bits = i->sf ? 64 : 32, r = (unsigned)i->immr, t = (unsigned)i->imms;

    if (!field_ok(i)) {
        return false;
    }
    IrVal v = arm_r(s, i->sf, i->rn);

    if (t >= r) {
        v = t == bits - 1 ? ir_sari(s->b, v, r) : ir_sextract(s->b, v, r, t - r + 1);
    } else {
        v = ir_shli(s->b, ir_sextract(s->b, v, 0, t + 1), bits - r);
    }
    arm_set_r(s, i->sf, i->rd, v);
    return true;
}

bool trans_BFM(ArmCtx *s, const A64Insn *i)
{
    unsigned bits = i->sf ? 64 : 32, r = (unsigned)i->immr, t = (unsigned)i->imms;

    if (!field_ok(i)) {
        return false;
    }
    IrVal v = arm_r(s, i->sf, i->rn), d = arm_r(s, i->sf, i->rd);

    if (t >= r) {
        v = t - r + 1 == bits ? v : ir_deposit(s->b, d, ir_shri(s->b, v, r), 0, t - r + 1);
    } else {
        v = ir_deposit(s->b, d, v, bits - r, t + 1);
    }
    arm_set_r(s, i->sf, i->rd, v);
    return true;
}

bool trans_EXTR(ArmCtx *s, const A64Insn *i)
{
    if (i->n != i->sf || (!i->sf && i->imms >= 32)) {
        return false;
    }
    IrVal low = arm_r(s, i->sf, i->rm);

    arm_set_r(s, i->sf, i->rd, i->imms == 0 ? low
              : i->rn == i->rm ? ir_rotr(s->b, low, arm_const(s, i->sf, i->imms))
                               : ir_funnel(s->b, low, arm_r(s, i->sf, i->rn), i->imms));
    return true;
}

/* ---- flags and conditions ---- */

bool trans_RMIF(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_FLAGM)) {
        return false;
    }
    IrVal v = ir_trunc(s->b, ir_rotr(s->b, arm_x(s, i->rn), ir_i64(s->b, i->imm)));
    IrVal keep = ir_andi(s->b, arm_nzcv_ir(s), ~i->mask & 15);

    arm_cc_nzcv(s, ir_or(s->b, keep, ir_andi(s->b, v, i->mask)));
    return true;
}

bool trans_SETF(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_FLAGM)) {
        return false;
    }
    IrBuilder *b = s->b;
    unsigned top = i->size ? 15 : 7;
    IrVal v = arm_r(s, false, i->rn), c = ir_andi(b, arm_nzcv_ir(s), 2);
    IrVal n = ir_extract(b, v, top, 1),
          z = ir_setcond(b, COND_TSTZ, v, ir_i32(b, i->size ? 0xffff : 0xff));
    IrVal o = ir_xor(b, n, ir_extract(b, v, top + 1, 1));

    arm_cc_nzcv(s, ir_or(b, ir_or(b, ir_shli(b, n, 3), ir_shli(b, z, 2)), ir_or(b, c, o)));
    return true;
}

bool trans_ccmp(ArmCtx *s, const A64Insn *i)
{
    IrVal a = arm_r(s, i->sf, i->rn),
          b = i->imm_form ? arm_const(s, i->sf, i->imm) : arm_r(s, i->sf, i->rm);

    arm_ccmp(s, i->cond, i->sf, i->sub, a, b, i->nzcv);
    return true;
}

bool trans_csel(ArmCtx *s, const A64Insn *i)
{
    ArmCond c = arm_cond(s, i->cond);
    IrVal no = arm_r(s, i->sf, i->rm);

    if (i->inv && i->inc) {
        no = ir_neg(s->b, no);
    } else if (i->inv) {
        no = ir_not(s->b, no);
    } else if (i->inc) {
        no = ir_addi(s->b, no, 1);
    }
    arm_set_r(s, i->sf, i->rd, ir_select(s->b, c.cond, c.a, c.b, arm_r(s, i->sf, i->rn), no));
    return true;
}

/* ---- two and one sources ---- */

bool trans_div(ArmCtx *s, const A64Insn *i)
{
    IrVal a = arm_r(s, i->sf, i->rn), b = arm_r(s, i->sf, i->rm);

    arm_set_r(s, i->sf, i->rd, i->sign ? ir_divsz(s->b, a, b) : ir_divuz(s->b, a, b));
    return true;
}

bool trans_shiftv(ArmCtx *s, const A64Insn *i)
{
    IrVal a = arm_r(s, i->sf, i->rn), n = ir_andi(s->b, arm_r(s, i->sf, i->rm), i->sf ? 63 : 31);

    arm_set_r(s, i->sf, i->rd, i->sh == 0 ? ir_shl(s->b, a, n) : i->sh == 1 ? ir_shr(s->b, a, n)
                               : i->sh == 2 ? ir_sar(s->b, a, n) : ir_rotr(s->b, a, n));
    return true;
}

static uint32_t crc(uint32_t c, uint64_t v, uint32_t bytes, uint32_t poly)
{
    for (uint32_t i = 0; i < bytes; i++, v >>= 8) {
        c ^= (uint8_t)v;
        for (unsigned k = 0; k < 8; k++) {
            c = c >> 1 ^ (c & 1 ? poly : 0);
        }
    }
    return c;
}

uint32_t helper_crc32(uint32_t c, uint64_t v, uint32_t bytes)
{
    return crc(c, v, bytes, 0xedb88320);
}

uint32_t helper_crc32c(uint32_t c, uint64_t v, uint32_t bytes)
{
    return crc(c, v, bytes, 0x82f63b78);
}

bool trans_crc32(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_CRC32) || (i->size == 3 && !(i->word >> 31))) {
        return false;
    }
    IrVal acc = arm_r(s, false, i->rn), v = arm_x(s, i->rm), bytes = ir_i32(s->b, 1u << i->size);

    arm_set_r(s, false, i->rd,
              i->c ? ir_call_crc32c(s->b, acc, v, bytes) : ir_call_crc32(s->b, acc, v, bytes));
    return true;
}

uint64_t helper_rbit(uint64_t v)
{
    v = (v >> 1 & 0x5555555555555555ull) | (v & 0x5555555555555555ull) << 1;
    v = (v >> 2 & 0x3333333333333333ull) | (v & 0x3333333333333333ull) << 2;
    v = (v >> 4 & 0x0f0f0f0f0f0f0f0full) | (v & 0x0f0f0f0f0f0f0f0full) << 4;
    return __builtin_bswap64(v);
}

bool trans_RBIT(ArmCtx *s, const A64Insn *i)
{
    IrVal v = ir_call_rbit(s->b, arm_x(s, i->rn));

    arm_set_x(s, i->rd, i->sf ? v : ir_shri(s->b, v, 32));
    return true;
}

bool trans_REV16(ArmCtx *s, const A64Insn *i)
{
    IrBuilder *b = s->b;
    IrVal v = arm_r(s, i->sf, i->rn), mask = arm_const(s, i->sf, 0x00ff00ff00ff00ffull);

    arm_set_r(s, i->sf, i->rd,
              ir_or(b, ir_shli(b, ir_and(b, v, mask), 8), ir_and(b, ir_shri(b, v, 8), mask)));
    return true;
}

bool trans_REV_w(ArmCtx *s, const A64Insn *i)
{
    arm_set_r(s, false, i->rd, ir_bswap(s->b, arm_r(s, false, i->rn)));
    return true;
}

bool trans_REV_x(ArmCtx *s, const A64Insn *i)
{
    arm_set_x(s, i->rd, ir_bswap(s->b, arm_x(s, i->rn)));
    return true;
}

bool trans_REV32(ArmCtx *s, const A64Insn *i)
{
    arm_set_x(s, i->rd, ir_rotr(s->b, ir_bswap(s->b, arm_x(s, i->rn)), ir_i64(s->b, 32)));
    return true;
}

bool trans_CLZ(ArmCtx *s, const A64Insn *i)
{
    arm_set_r(s, i->sf, i->rd, ir_clz(s->b, arm_r(s, i->sf, i->rn)));
    return true;
}

bool trans_CLS(ArmCtx *s, const A64Insn *i)
{
    IrBuilder *b = s->b;
    IrVal v = arm_r(s, i->sf, i->rn);

    /* leading bits equal to the sign, without it */
    v = ir_xor(b, v, ir_sari(b, v, i->sf ? 63 : 31));
    arm_set_r(s, i->sf, i->rd, ir_addi(b, ir_clz(b, v), -1));
    return true;
}

/* ---- multiplication ---- */

bool trans_madd(ArmCtx *s, const A64Insn *i)
{
    IrVal p = ir_mul(s->b, arm_r(s, i->sf, i->rn), arm_r(s, i->sf, i->rm)),
          a = arm_r(s, i->sf, i->ra);

    arm_set_r(s, i->sf, i->rd, i->sub ? ir_sub(s->b, a, p) : ir_add(s->b, a, p));
    return true;
}

bool trans_maddl(ArmCtx *s, const A64Insn *i)
{
    IrBuilder *b = s->b;
    IrVal n = arm_x(s, i->rn), m = arm_x(s, i->rm), a = arm_x(s, i->ra), p;

    p = i->sign ? ir_mul(b, ir_sext32(b, n), ir_sext32(b, m))
                : ir_mul(b, ir_zext32(b, n), ir_zext32(b, m));
    arm_set_x(s, i->rd, i->sub ? ir_sub(b, a, p) : ir_add(b, a, p));
    return true;
}

bool trans_mulh(ArmCtx *s, const A64Insn *i)
{
    IrVal n = arm_x(s, i->rn), m = arm_x(s, i->rm);

    arm_set_x(s, i->rd, i->sign ? ir_mulhs(s->b, n, m) : ir_mulhu(s->b, n, m));
    return true;
}
