// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A32 and T32 data processing, shifts with carry, multiplication, saturation, bit fields, parallel
 * arithmetic. F5.1.
 */
#include "target-arm/a32-trans.h"
#include "target-arm/m-trans.h"

/* ---- flags ---- */

static IrVal old_cv(ArmCtx *s)
{
    return ir_andi(s->b, arm_nzcv_ir(s), 3);
}

/* N and Z of r; C is `carry` (0 or 1) unless it is none; V stays. */
static void set_nz(ArmCtx *s, IrVal r, IrVal carry)
{
    IrVal cv = old_cv(s);

    if (carry.id) {
        cv = ir_or(s->b, ir_andi(s->b, cv, 1), ir_shli(s->b, carry, 1));
    }
    arm_cc(s, CC_NZ, r, cv);
}

static IrVal with_carry(ArmCtx *s, bool flags, IrVal a, IrVal b)
{
    IrVal c = arm_carry(s);

    if (flags) {
        arm_cc_nzcv(
            s, ir_call_adc_nzcv(s->b, ir_zextq(s->b, a), ir_zextq(s->b, b), c, ir_i32(s->b, 0)));
    }
    return ir_add(s->b, ir_add(s->b, a, b), c);
}

/* One operation; b's shifter carry may be none. False result value: nothing to write. */
static void operate(ArmCtx *s, const A32Insn *i, bool flags, IrVal a, IrVal b, IrVal carry)
{
    IrBuilder *ir = s->b;
    IrVal r = {0};
    bool logical = true, write = true;

    switch (i->op) {
    case DP_AND:
        r = ir_and(ir, a, b);
        break;
    case DP_EOR:
        r = ir_xor(ir, a, b);
        break;
    case DP_TST:
        r = ir_and(ir, a, b);
        write = false;
        break;
    case DP_TEQ:
        r = ir_xor(ir, a, b);
        write = false;
        break;
    case DP_ORR:
        r = ir_or(ir, a, b);
        break;
    case DP_ORN:
        r = ir_or(ir, a, ir_not(ir, b));
        break;
    case DP_MOV:
        r = b;
        break;
    case DP_BIC:
        r = ir_andc(ir, a, b);
        break;
    case DP_MVN:
        r = ir_not(ir, b);
        break;
    default:
        logical = false;
    }
    if (logical) {
        if (flags) {
            set_nz(s, r, carry);
        }
    } else if (i->op == DP_ADC) {
        r = with_carry(s, flags, a, b);
    } else if (i->op == DP_SBC) {
        r = with_carry(s, flags, a, ir_not(ir, b));
    } else if (i->op == DP_RSC) {
        r = with_carry(s, flags, b, ir_not(ir, a));
    } else {
        bool add = i->op == DP_ADD || i->op == DP_CMN;

        write = i->op != DP_CMP && i->op != DP_CMN;
        if (i->op == DP_RSB) {
            IrVal t = a;

            a = b;
            b = t;
        }
        r = add ? ir_add(ir, a, b) : ir_sub(ir, a, b);
        if (flags) {
            arm_cc(s, add ? CC_ADD32 : CC_SUB32, a, b);
        }
    }
    if (!write) {
        return;
    }
    if (i->rd == 15 && flags) {     /* exception return */
        ir_call_a32_return(ir, r);
        ir_exit(ir, IR_EXIT_LOOP);
        s->ended = true;
    } else {
        a32_set_reg(s, i->rd, r);
    }
}

/* Logical operations take their carry from the shifter. */
static bool wants_carry(const A32Insn *i, bool flags)
{
    return flags && (i->op <= DP_EOR || i->op == DP_TST || i->op == DP_TEQ || i->op >= DP_ORR);
}

static IrVal shift_imm(ArmCtx *s, IrVal v, unsigned type, unsigned amt, bool want, IrVal *carry)
{
    IrBuilder *b = s->b;

    *carry = arm_none;
    if (type == 0) {
        if (amt == 0) {
            return v;
        }
        *carry = want ? ir_extract(b, v, 32 - amt, 1) : arm_none;
        return ir_shli(b, v, amt);
    }
    if (type == 3) {
        if (amt == 0) {     /* RRX */
            IrVal c = arm_carry(s);

            *carry = want ? ir_andi(b, v, 1) : arm_none;
            return ir_or(b, ir_shri(b, v, 1), ir_shli(b, c, 31));
        }
        *carry = want ? ir_extract(b, v, amt - 1, 1) : arm_none;
        return ir_rotr(b, v, ir_i32(b, amt));
    }
    amt = amt ? amt : 32;
    *carry = want ? ir_extract(b, v, amt - 1, 1) : arm_none;
    if (amt == 32) {
        return type == 1 ? ir_i32(b, 0) : ir_sari(b, v, 31);
    }
    return type == 1 ? ir_shri(b, v, amt) : ir_sari(b, v, amt);
}

/* value in bits 31..0, carry in bit 32 */
uint64_t helper_a32_shift(uint32_t v, uint32_t amount, uint32_t type, uint32_t carry)
{
    uint32_t n = amount & 0xff, c = carry, r = v;

    if (n == 0) {
        return (uint64_t)carry << 32 | v;
    }
    switch (type) {
    case 0:
        c = n <= 32 ? v >> (32 - n) & 1 : 0;
        r = n < 32 ? v << n : 0;
        break;
    case 1:
        c = n <= 32 ? (uint64_t)v >> (n - 1) & 1 : 0;
        r = n < 32 ? v >> n : 0;
        break;
    case 2:
        n = n > 32 ? 32 : n;
        c = (uint32_t)((int64_t)(int32_t)v >> (n - 1)) & 1;
        r = (uint32_t)((int64_t)(int32_t)v >> n);
        break;
    default:
        n &= 31;
        r = n ? v >> n | v << (32 - n) : v;
        c = r >> 31;
    }
    return (uint64_t)c << 32 | r;
}

bool trans_a32_dp_i(ArmCtx *s, const A32Insn *i)
{
    uint32_t v = (uint32_t)i->imm, n = (uint32_t)i->rot * 2;
    bool flags = a32_setflags(s, i);

    v = n ? v >> n | v << (32 - n) : v;
    operate(s, i, flags, i->rn == 15 ? a32_base(s, 15) : a32_reg(s, i->rn), ir_i32(s->b, v),
            wants_carry(i, flags) && n ? ir_i32(s->b, v >> 31) : arm_none);
    return true;
}

bool trans_a32_dp_r(ArmCtx *s, const A32Insn *i)
{
    bool flags = a32_setflags(s, i);
    IrVal carry,
        a = a32_reg(s, i->rn),
        b = shift_imm(s, a32_reg(s, i->rm), i->type, i->amt, wants_carry(i, flags), &carry);

    operate(s, i, flags, a, b, carry);
    return true;
}

bool trans_a32_dp_rr(ArmCtx *s, const A32Insn *i)
{
    bool flags = a32_setflags(s, i), want = wants_carry(i, flags);
    IrVal a = a32_reg(s, i->rn), c = want ? arm_carry(s) : ir_i32(s->b, 0);
    IrVal v =
        ir_call_a32_shift(s->b, a32_reg(s, i->rm), a32_reg(s, i->rs), ir_i32(s->b, i->type), c);

    operate(s, i, flags, a, ir_trunc(s->b, v),
            want ? ir_trunc(s->b, ir_shri(s->b, v, 32)) : arm_none);
    return true;
}

bool trans_t16_shift(ArmCtx *s, const A32Insn *i)
{
    A32Insn m = *i;

    m.op = DP_MOV;
    m.s = 2;
    return trans_a32_dp_r(s, &m);
}

bool trans_t32_dp_const(ArmCtx *s, const A32Insn *i)
{
    operate(s, i, a32_setflags(s, i), a32_reg(s, i->rn), ir_i32(s->b, (uint32_t)i->imm), arm_none);
    return true;
}

/* T32 names tests by rd 15 and moves by rn 15. */
static bool t32_alias(const A32Insn *i, A32Insn *m)
{
    *m = *i;
    if (i->rd == 15 && i->s) {
        m->op = i->op == DP_AND   ? DP_TST
                : i->op == DP_EOR ? DP_TEQ
                : i->op == DP_ADD ? DP_CMN
                : i->op == DP_SUB ? DP_CMP
                                  : -1;
        return m->op != -1;
    }
    if (i->rn == 15) {
        m->op = i->op == DP_ORR ? DP_MOV : i->op == DP_ORN ? DP_MVN : i->op;
    }
    return i->rd != 15;
}

bool trans_t32_dp_r(ArmCtx *s, const A32Insn *i)
{
    A32Insn m;

    return t32_alias(i, &m) && trans_a32_dp_r(s, &m);
}

/* ThumbExpandImm (F2.4). */
static uint32_t expand(uint32_t imm, bool *rotated)
{
    uint32_t v = imm & 0xff;

    *rotated = imm >> 10;
    switch (imm >> 8) {
    case 0:
        return v;
    case 1:
        return v | v << 16;
    case 2:
        return v << 8 | v << 24;
    case 3:
        return v * 0x01010101u;
    default:
        v = (imm & 0x7f) | 0x80;
        return v >> (imm >> 7) | v << (32 - (imm >> 7));
    }
}

bool trans_t32_dp_i(ArmCtx *s, const A32Insn *i)
{
    A32Insn m;
    bool rotated;

    if (!t32_alias(i, &m)) {
        return false;
    }
    uint32_t v = expand((uint32_t)i->imm, &rotated);

    operate(s, &m, m.s, a32_reg(s, m.rn), ir_i32(s->b, v),
            rotated ? ir_i32(s->b, v >> 31) : arm_none);
    return true;
}

bool trans_t32_addw(ArmCtx *s, const A32Insn *i)
{
    a32_set_plain(s, i->rd, ir_addi(s->b, a32_base(s, i->rn), i->sub ? -i->imm : i->imm));
    return i->rd != 15;
}

bool trans_t32_adr(ArmCtx *s, const A32Insn *i)
{
    a32_set_plain(s, i->rd, ir_addi(s->b, a32_base(s, 15), i->imm));
    return true;
}

bool trans_a32_movw(ArmCtx *s, const A32Insn *i)
{
    a32_set_plain(s, i->rd, ir_i32(s->b, (uint32_t)i->imm));
    return i->rd != 15;
}

bool trans_a32_movt(ArmCtx *s, const A32Insn *i)
{
    a32_set_plain(s, i->rd,
                  ir_or(s->b, ir_andi(s->b, a32_reg(s, i->rd), 0xffff),
                        ir_i32(s->b, (uint32_t)i->imm << 16)));
    return i->rd != 15;
}

bool trans_a32_clz(ArmCtx *s, const A32Insn *i)
{
    a32_set_plain(s, i->rd, ir_clz(s->b, a32_reg(s, i->rm)));
    return true;
}

bool trans_a32_crc(ArmCtx *s, const A32Insn *i)
{
    if (i->size == 3 || !arm_has(s->cpu, FEATURE_CRC32)) {
        return false;
    }
    IrVal v = ir_zextq(s->b, a32_reg(s, i->rm)), acc = a32_reg(s, i->rn),
          n = ir_i32(s->b, 1u << i->size);

    a32_set_plain(s, i->rd,
                  i->c ? ir_call_crc32c(s->b, acc, v, n) : ir_call_crc32(s->b, acc, v, n));
    return true;
}

/* ---- multiplication ---- */

bool trans_a32_mla(ArmCtx *s, const A32Insn *i)
{
    IrVal p = ir_mul(s->b, a32_reg(s, i->rn), a32_reg(s, i->rm));

    if (i->acc) {
        p = i->sub ? ir_sub(s->b, a32_reg(s, i->ra), p) : ir_add(s->b, a32_reg(s, i->ra), p);
    }
    if (a32_setflags(s, i)) {
        set_nz(s, p, arm_none);
    }
    a32_set_plain(s, i->rd, p);
    return true;
}

bool trans_t32_mla(ArmCtx *s, const A32Insn *i)
{
    A32Insn m = *i;

    m.acc = i->ra != 15;
    return trans_a32_mla(s, &m);
}

static IrVal wide(ArmCtx *s, IrVal v, bool sign)
{
    return sign ? ir_sextq(s->b, v) : ir_zextq(s->b, v);
}

/* rd high, ra low */
static IrVal get_pair(ArmCtx *s, const A32Insn *i)
{
    return ir_concat(s->b, a32_reg(s, i->ra), a32_reg(s, i->rd));
}

static void set_pair(ArmCtx *s, const A32Insn *i, IrVal v)
{
    a32_set_plain(s, i->ra, ir_trunc(s->b, v));
    a32_set_plain(s, i->rd, ir_trunc(s->b, ir_shri(s->b, v, 32)));
}

bool trans_a32_mull(ArmCtx *s, const A32Insn *i)
{
    IrVal p =
        ir_mul(s->b, wide(s, a32_reg(s, i->rn), i->sign), wide(s, a32_reg(s, i->rm), i->sign));

    if (i->acc) {
        p = ir_add(s->b, p, get_pair(s, i));
    }
    if (i->s) {
        IrVal n = ir_trunc(s->b, ir_shri(s->b, p, 60)),
              z = ir_setcond(s->b, COND_EQ, p, ir_i64(s->b, 0));

        arm_cc_nzcv(s,
                    ir_or(s->b, ir_or(s->b, ir_andi(s->b, n, 8), ir_shli(s->b, z, 2)), old_cv(s)));
    }
    set_pair(s, i, p);
    return true;
}

bool trans_a32_umaal(ArmCtx *s, const A32Insn *i)
{
    IrVal p = ir_mul(s->b, wide(s, a32_reg(s, i->rn), false), wide(s, a32_reg(s, i->rm), false));

    p = ir_add(s->b, p,
               ir_add(s->b, wide(s, a32_reg(s, i->ra), false), wide(s, a32_reg(s, i->rd), false)));
    set_pair(s, i, p);
    return true;
}

static IrVal half_of(ArmCtx *s, unsigned reg, bool top)
{
    return ir_sextract(s->b, a32_reg(s, reg), top ? 16 : 0, 16);
}

static void set_q(ArmCtx *s, IrVal overflow)
{
    IrVal q = ir_env_load(s->b, IR_I32, offsetof(ArmCpu, q), MEM_32);

    ir_env_store(s->b, ir_or(s->b, q, overflow), offsetof(ArmCpu, q), MEM_32);
}

/* p + ra, Q on signed overflow */
static IrVal add_q(ArmCtx *s, IrVal p, IrVal a)
{
    IrBuilder *b = s->b;
    IrVal r = ir_add(b, p, a);

    set_q(s, ir_shri(b, ir_andc(b, ir_xor(b, p, r), ir_xor(b, p, a)), 31));
    return r;
}

bool trans_a32_smlaxy(ArmCtx *s, const A32Insn *i)
{
    IrVal p = ir_mul(s->b, half_of(s, i->rn, i->x), half_of(s, i->rm, i->y));

    a32_set_plain(s, i->rd, i->acc ? add_q(s, p, a32_reg(s, i->ra)) : p);
    return true;
}

bool trans_t32_smlaxy(ArmCtx *s, const A32Insn *i)
{
    A32Insn m = *i;

    m.acc = i->ra != 15;
    return trans_a32_smlaxy(s, &m);
}

bool trans_a32_smlaw(ArmCtx *s, const A32Insn *i)
{
    IrVal p =
        ir_mul(s->b, ir_sextq(s->b, a32_reg(s, i->rn)), ir_sextq(s->b, half_of(s, i->rm, i->y)));

    p = ir_trunc(s->b, ir_shri(s->b, p, 16));
    a32_set_plain(s, i->rd, i->acc ? add_q(s, p, a32_reg(s, i->ra)) : p);
    return true;
}

bool trans_t32_smlaw(ArmCtx *s, const A32Insn *i)
{
    A32Insn m = *i;

    m.acc = i->ra != 15;
    return trans_a32_smlaw(s, &m);
}

bool trans_a32_smlalxy(ArmCtx *s, const A32Insn *i)
{
    IrVal p = ir_sextq(s->b, ir_mul(s->b, half_of(s, i->rn, i->x), half_of(s, i->rm, i->y)));

    set_pair(s, i, ir_add(s->b, p, get_pair(s, i)));
    return true;
}

/* Two products of halves, added or subtracted, 64 bits wide. */
static IrVal dual(ArmCtx *s, const A32Insn *i)
{
    IrVal a = ir_sextq(s->b, ir_mul(s->b, half_of(s, i->rn, false), half_of(s, i->rm, i->x)));
    IrVal c = ir_sextq(s->b, ir_mul(s->b, half_of(s, i->rn, true), half_of(s, i->rm, !i->x)));

    return i->sub ? ir_sub(s->b, a, c) : ir_add(s->b, a, c);
}

bool trans_a32_smlad(ArmCtx *s, const A32Insn *i)
{
    IrVal v = dual(s, i), r;

    if (i->ra != 15) {
        v = ir_add(s->b, v, ir_sextq(s->b, a32_reg(s, i->ra)));
    }
    r = ir_trunc(s->b, v);
    set_q(s, ir_setcond(s->b, COND_NE, ir_sextq(s->b, r), v));
    a32_set_plain(s, i->rd, r);
    return true;
}

bool trans_a32_smlald(ArmCtx *s, const A32Insn *i)
{
    set_pair(s, i, ir_add(s->b, dual(s, i), get_pair(s, i)));
    return true;
}

bool trans_a32_smmla(ArmCtx *s, const A32Insn *i)
{
    IrVal p = ir_mul(s->b, ir_sextq(s->b, a32_reg(s, i->rn)), ir_sextq(s->b, a32_reg(s, i->rm)));

    if (i->ra != 15 || i->sub) {
        IrVal a = ir_shli(s->b, ir_zextq(s->b, a32_reg(s, i->ra)), 32);

        p = i->sub ? ir_sub(s->b, a, p) : ir_add(s->b, a, p);
    }
    if (i->round) {
        p = ir_addi(s->b, p, 0x80000000ll);
    }
    a32_set_plain(s, i->rd, ir_trunc(s->b, ir_shri(s->b, p, 32)));
    return true;
}

bool trans_a32_div(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, s->thumb ? FEATURE_DIV_THUMB : FEATURE_DIV_ARM)) {
        return false;
    }
    if (arm_is_m(s)) {      /* a trap, if CCR wants one */
        IrBlock *zero = ir_cold_block(s->b), *fine = ir_block(s->b);

        ir_brcond(s->b, COND_EQ, a32_reg(s, i->rm), ir_i32(s->b, 0), zero, fine);
        ir_place(s->b, zero);
        ir_call_m_div0(s->b);
        ir_br(s->b, fine);
        ir_place(s->b, fine);
    }
    IrVal a = a32_reg(s, i->rn), b = a32_reg(s, i->rm);

    a32_set_plain(s, i->rd, i->sign ? ir_divsz(s->b, a, b) : ir_divuz(s->b, a, b));
    return true;
}

/* ---- saturation, extension, fields ---- */

bool trans_a32_qadd(ArmCtx *s, const A32Insn *i)
{
    a32_set_plain(s, i->rd,
                  ir_call_a32_qadd(s->b, a32_reg(s, i->rm), a32_reg(s, i->rn),
                                   ir_i32(s->b, i->sub | i->dbl << 1)));
    return true;
}

bool trans_a32_sat(ArmCtx *s, const A32Insn *i)
{
    IrVal none, v = shift_imm(s, a32_reg(s, i->rn), i->type ? 2 : 0, i->amt, false, &none);

    a32_set_plain(s, i->rd,
                  ir_call_a32_sat(s->b, v, ir_i32(s->b, i->sat + !i->u), ir_i32(s->b, i->u)));
    return true;
}

bool trans_a32_sat16(ArmCtx *s, const A32Insn *i)
{
    a32_set_plain(s, i->rd,
                  ir_call_a32_sat(s->b, a32_reg(s, i->rn), ir_i32(s->b, i->sat + !i->u),
                                  ir_i32(s->b, i->u | 2)));
    return true;
}

bool trans_t32_sat(ArmCtx *s, const A32Insn *i)
{
    return i->type && i->amt == 0 ? trans_a32_sat16(s, i) : trans_a32_sat(s, i);
}

/* kind: 0 two bytes, 1 byte, 2 halfword */
bool trans_a32_xta(ArmCtx *s, const A32Insn *i)
{
    IrBuilder *b = s->b;
    IrVal v = a32_reg(s, i->rm), low, high;

    if (i->rot) {
        v = ir_rotr(b, v, ir_i32(b, i->rot * 8));
    }
    if (i->kind == 0) {
        low = i->u ? ir_extract(b, v, 0, 8) : ir_sextract(b, v, 0, 8);
        high = i->u ? ir_extract(b, v, 16, 8) : ir_sextract(b, v, 16, 8);
        if (i->rn != 15) {
            IrVal n = a32_reg(s, i->rn);

            low = ir_add(b, low, n);
            high = ir_add(b, high, ir_shri(b, n, 16));
        }
        v = ir_or(b, ir_andi(b, low, 0xffff), ir_shli(b, high, 16));
    } else {
        unsigned bits = i->kind == 1 ? 8 : 16;

        v = i->u ? ir_extract(b, v, 0, bits) : ir_sextract(b, v, 0, bits);
        v = i->rn != 15 ? ir_add(b, a32_reg(s, i->rn), v) : v;
    }
    a32_set_plain(s, i->rd, v);
    return true;
}

bool trans_a32_rev(ArmCtx *s, const A32Insn *i)
{
    IrBuilder *b = s->b;
    IrVal v = a32_reg(s, i->rm), m = ir_i32(b, 0x00ff00ff);

    switch (i->kind) {
    case 0:
        v = ir_bswap(b, v);
        break;
    case 1:
        v = ir_or(b, ir_shli(b, ir_and(b, v, m), 8), ir_and(b, ir_shri(b, v, 8), m));
        break;
    case 2:
        v = ir_sext16(b, ir_bswap16(b, v));
        break;
    default:
        v = ir_trunc(b, ir_shri(b, ir_call_rbit(b, ir_zextq(b, v)), 32));
    }
    a32_set_plain(s, i->rd, v);
    return true;
}

bool trans_a32_bfx(ArmCtx *s, const A32Insn *i)
{
    if (i->lsb + i->width >= 32) {
        return false;
    }
    IrVal v = a32_reg(s, i->rn);

    a32_set_plain(s, i->rd,
                  i->sign ? ir_sextract(s->b, v, i->lsb, i->width + 1)
                          : ir_extract(s->b, v, i->lsb, i->width + 1));
    return true;
}

bool trans_a32_bfi(ArmCtx *s, const A32Insn *i)
{
    if (i->msb < i->lsb) {
        return false;
    }
    unsigned n = (unsigned)(i->msb - i->lsb + 1);
    IrVal v = i->rn == 15 ? ir_i32(s->b, 0) : a32_reg(s, i->rn);

    a32_set_plain(s, i->rd, n == 32 ? v : ir_deposit(s->b, a32_reg(s, i->rd), v, i->lsb, n));
    return true;
}

bool trans_a32_pkh(ArmCtx *s, const A32Insn *i)
{
    IrVal none, v = shift_imm(s, a32_reg(s, i->rm), i->type ? 2 : 0, i->amt, false, &none),
                n = a32_reg(s, i->rn);

    a32_set_plain(s, i->rd,
                  i->type ? ir_or(s->b, ir_andi(s->b, n, 0xffff0000u), ir_andi(s->b, v, 0xffff))
                          : ir_or(s->b, ir_andi(s->b, n, 0xffff), ir_andi(s->b, v, 0xffff0000u)));
    return true;
}

/* m, with the bytes of n where GE's bits are set. */
bool trans_a32_sel(ArmCtx *s, const A32Insn *i)
{
    IrBuilder *b = s->b;
    IrVal n = a32_reg(s, i->rn), m = a32_reg(s, i->rm);
    IrVal ge = ir_env_load(b, IR_I32, offsetof(ArmCpu, ge), MEM_32);
    /* bit k of four to byte k */
    IrVal ones = ir_andi(b, ir_mul(b, ge, ir_i32(b, 0x00204081)), 0x01010101),
          mask = ir_mul(b, ones, ir_i32(b, 0xff));

    a32_set_plain(s, i->rd, ir_xor(b, m, ir_and(b, ir_xor(b, n, m), mask)));
    return true;
}

/*
 * UADD8 and USUB8, by which C libraries look for a byte in words: bytes in a word, carries out of
 * bit 7 of each (Hacker's Delight 2-18), GE where one is or no borrow.
 */
static void bytes(ArmCtx *s, const A32Insn *i, bool subtract)
{
    const uint32_t high = 0x80808080, low = 0x7f7f7f7f;
    IrBuilder *b = s->b;
    IrVal n = a32_reg(s, i->rn), m = a32_reg(s, i->rm), ones = ir_i32(b, UINT32_MAX), r, out;

    if (subtract) {
        IrVal not_n = ir_xor(b, n, ones);

        r = ir_sub(b, ir_or(b, n, ir_i32(b, high)), ir_andi(b, m, low));
        r = ir_xor(b, r, ir_andi(b, ir_xor(b, not_n, m), high));
        out = ir_or(b, ir_and(b, not_n, m), ir_and(b, ir_or(b, not_n, m), r));
        out = ir_xor(b, out, ones);
    } else {
        r = ir_add(b, ir_andi(b, n, low), ir_andi(b, m, low));
        r = ir_xor(b, r, ir_andi(b, ir_xor(b, n, m), high));
        out = ir_or(b, ir_and(b, n, m), ir_and(b, ir_or(b, n, m), ir_xor(b, r, ones)));
    }
    a32_set_plain(s, i->rd, r);
    out = ir_andi(b, ir_shri(b, out, 7), 0x01010101);
    ir_env_store(b, ir_shri(b, ir_mul(b, out, ir_i32(b, 0x01020408)), 24), offsetof(ArmCpu, ge),
                 MEM_32);
}

bool trans_a32_parallel(ArmCtx *s, const A32Insn *i)
{
    if (i->kind == 3 && i->op >= 4) {
        bytes(s, i, i->op == 5);
        return true;
    }
    a32_set_plain(s, i->rd,
                  ir_call_a32_parallel(s->b, a32_reg(s, i->rn), a32_reg(s, i->rm),
                                       ir_i32(s->b, i->kind << 4 | i->op)));
    return true;
}

bool trans_a32_usada8(ArmCtx *s, const A32Insn *i)
{
    IrVal v = ir_call_a32_usad8(s->b, a32_reg(s, i->rn), a32_reg(s, i->rm));

    a32_set_plain(s, i->rd, i->ra == 15 ? v : ir_add(s->b, v, a32_reg(s, i->ra)));
    return true;
}
