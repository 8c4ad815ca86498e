// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFP of A32 and T32 (F6.1): D registers are halves of v0..v15 and of v16..v31's place in them, S
 * registers quarters. Short vectors are not there.
 */
#include "target-arm/a32-trans.h"
#include "target-arm/simd-ops.h"
#include "target-arm/vfp-decode.h"

IrVal a32_get_fp(ArmCtx *s, bool dp, unsigned n)
{
    return dp ? ir_v_extract(s->b, LANE_I64, arm_v(s, n / 2), n & 1)
              : ir_zextq(s->b, ir_v_extract(s->b, LANE_I32, arm_v(s, n / 4), n & 3));
}

void a32_put_fp(ArmCtx *s, bool dp, unsigned n, IrVal x64)
{
    unsigned v = dp ? n / 2 : n / 4;

    ir_set(s->b, V_V0 + v,
           dp ? ir_v_insert(s->b, LANE_I64, arm_v(s, v), x64, n & 1)
              : ir_v_insert(s->b, LANE_I32, arm_v(s, v), ir_trunc(s->b, x64), n & 3));
}

IrVal a32_get_vec(ArmCtx *s, bool q, unsigned n)
{
    IrVal v = arm_v(s, n / 2);

    return !q && n & 1 ? ir_v_shr_bytes(s->b, v, 8) : v;
}

void a32_put_vec(ArmCtx *s, bool q, unsigned n, IrVal v)
{
    if (!q) {
        IrVal old = arm_v(s, n / 2);

        v = n & 1 ? ir_v_unpack_lo(s->b, LANE_I64, old, v) : ir_v_shufpd(s->b, v, old, 2);
    }
    ir_set(s->b, V_V0 + n / 2, v);
}

static IrVal vec(ArmCtx *s, IrVal x64)
{
    return ir_v_from_i(s->b, IR_V128, x64);
}

static IrVal low(ArmCtx *s, IrVal v)
{
    return ir_v_extract(s->b, LANE_I64, v, 0);
}

static unsigned format(const A32Insn *i)
{
    return i->half ? 1 : i->dp ? 3 : 2;
}

static uint32_t word(const A32Insn *i, unsigned op, unsigned imm, bool u)
{
    return simd_word(op, format(i), false, true, u, imm);
}

IrVal a32_operand(ArmCtx *s, const A32Insn *i, int32_t v, int32_t bit)
{
    IrVal x = a32_get_fp(s, i->dp, a32_vreg(i->dp, v, bit));

    return i->half ? ir_zext16(s->b, x) : x;
}

/* Half precision is ARMv8.2's. */
static bool format_ok(const ArmCtx *s, const A32Insn *i)
{
    return !i->half || arm_has(s->cpu, FEATURE_FP16);
}

bool a32_fp_ok(ArmCtx *s, bool *undef)
{
    *undef = !arm_has(s->cpu, FEATURE_VFP) || !(s->mode & MODE_VFP_ON);
    return !*undef && arm_fp_ok(s);
}

bool trans_vfp_op2(ArmCtx *s, const A32Insn *i)
{
    if (!format_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal a = a32_operand(s, i, i->vn, i->lo),
          b = a32_operand(s, i, i->vm, i->hi);

    a32_put_fp(s, i->dp, a32_vreg(i->dp, i->vd, i->bits),
               low(s, arm_fp3(s, word(i, i->op, 0, false), vec(s, a), vec(s, b))));
    return true;
}

/* Product and sum are rounded each. */
bool trans_vfp_mla(ArmCtx *s, const A32Insn *i)
{
    if (!format_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    unsigned d = a32_vreg(i->dp, i->vd, i->bits);
    IrVal sign = ir_i64(s->b, i->half ? 1u << 15 : i->dp ? 1ull << 63 : 1u << 31),
          acc = a32_operand(s, i, i->vd, i->bits);
    IrVal a = a32_operand(s, i, i->vn, i->lo),
          b = a32_operand(s, i, i->vm, i->hi);
    IrVal p = low(s, arm_fp3(s, word(i, FP_MUL, 0, false), vec(s, a), vec(s, b)));

    p = i->sub ? ir_xor(s->b, p, sign) : p;
    acc = i->neg ? ir_xor(s->b, acc, sign) : acc;
    a32_put_fp(s, i->dp, d, low(s, arm_fp3(s, word(i, FP_ADD, 0, false), vec(s, acc), vec(s, p))));
    return true;
}

bool trans_vfp_fma(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_VFP4) || !format_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    unsigned d = a32_vreg(i->dp, i->vd, i->bits);
    IrVal a = a32_operand(s, i, i->vn, i->lo),
          b = a32_operand(s, i, i->vm, i->hi);

    a32_put_fp(
        s, i->dp, d,
        low(s, arm_fp_muladd(s, word(i, (unsigned)(i->neg | i->sub << 1), 0, false),
                             vec(s, a32_operand(s, i, i->vd, i->bits)), vec(s, a), vec(s, b))));
    return true;
}

bool trans_vfp_op1(ArmCtx *s, const A32Insn *i)
{
    if (!format_ok(s, i)) {
        return false;
    }
    if (i->op >= FP1_RINTN && !arm_has(s->cpu, FEATURE_V8) && !arm_has(s->cpu, FEATURE_VFP5)) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal m = a32_operand(s, i, i->vm, i->hi);

    a32_put_fp(s, i->dp, a32_vreg(i->dp, i->vd, i->bits),
               low(s, arm_fp2(s, word(i, i->op, 0, false), vec(s, m))));
    return true;
}

bool trans_vfp_mov(ArmCtx *s, const A32Insn *i)
{
    FP_OR_RETURN(s);
    a32_put_fp(s, i->dp, a32_vreg(i->dp, i->vd, i->bits),
               a32_operand(s, i, i->vm, i->hi));
    return true;
}

bool trans_vfp_imm(ArmCtx *s, const A32Insn *i)
{
    uint64_t sign = (uint64_t)i->imm >> 7 & 1, b6 = i->imm >> 6 & 1, l = i->imm & 0x3f;

    if (!format_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_fp(s, i->dp, a32_vreg(i->dp, i->vd, i->bits),
               ir_i64(s->b, i->half ? sign << 15 | (b6 ? 0x3000u : 0x4000u) | l << 6
                            : i->dp
                                ? sign << 63 |
                                      (b6 ? 0x3fc0000000000000ull : 0x4000000000000000ull) | l << 48
                                : sign << 31 | (b6 ? 0x3e000000u : 0x40000000u) | l << 19));
    return true;
}

bool trans_vfp_half(ArmCtx *s, const A32Insn *i)
{
    FP_OR_RETURN(s);
    IrVal m = a32_get_fp(s, false, a32_vreg(false, i->vm, i->hi));
    unsigned d = a32_vreg(false, i->vd, i->bits);

    if (i->to) {    /* to half, into one half of the register */
        IrVal v =
            low(s, arm_fp_convert(s, simd_word(1, 2, false, true, false, ROUND_CUR), vec(s, m)));

        a32_put_fp(s, false, d,
                   ir_deposit(s->b, a32_get_fp(s, false, d), v, i->bottom ? 16 : 0, 16));
    } else {
        IrVal h = ir_extract(s->b, m, i->bottom ? 16 : 0, 16);

        a32_put_fp(
            s, false, d,
            low(s, arm_fp_convert(s, simd_word(2, 1, false, true, false, ROUND_CUR), vec(s, h))));
    }
    return true;
}

bool trans_vfp_cmp(ArmCtx *s, const A32Insn *i)
{
    if (!format_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal a = a32_operand(s, i, i->vd, i->bits),
          b = i->nz ? ir_i64(s->b, 0) : a32_operand(s, i, i->vm, i->hi);
    IrVal f = ir_call_fp_compare(s->b, a, b, ir_i32(s->b, word(i, i->e, 0, false)));

    ir_env_store(s->b, ir_shli(s->b, f, 28), offsetof(ArmCpu, fpscr_nzcv), MEM_32);
    return true;
}

bool trans_vfp_bf16(ArmCtx *s, const A32Insn *i)
{
    unsigned d = a32_vreg(false, i->vd, i->bits);

    if (!arm_has(s->cpu, FEATURE_BF16)) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal m = a32_get_fp(s, false, a32_vreg(false, i->vm, i->hi));
    IrVal r = low(s, ir_call_bfcvt(s->b, vec(s, m), ir_i32(s->b, 1)));

    a32_put_fp(s, false, d, ir_deposit(s->b, a32_get_fp(s, false, d), r, i->bottom ? 16 : 0, 16));
    return true;
}

/* The result's flags are FPSCR's. */
bool trans_vfp_jcvt(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_JSCVT)) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal r = ir_call_fjcvtzs(s->b, a32_get_fp(s, true, a32_vreg(true, i->vm, i->hi)));

    a32_put_fp(s, false, a32_vreg(false, i->vd, i->bits), ir_zext32(s->b, r));
    ir_env_store(s->b, ir_shli(s->b, ir_trunc(s->b, ir_shri(s->b, r, 32)), 30),
                 offsetof(ArmCpu, fpscr_nzcv), MEM_32);
    return true;
}

/* dp is the source's size. */
bool trans_vfp_cvt(ArmCtx *s, const A32Insn *i)
{
    FP_OR_RETURN(s);
    IrVal m = a32_operand(s, i, i->vm, i->hi);

    a32_put_fp(s, !i->dp, a32_vreg(!i->dp, i->vd, i->bits),
               low(s, arm_fp_convert(
                          s, simd_word(i->dp ? 2 : 3, i->dp ? 3 : 2, false, true, false, ROUND_CUR),
                          vec(s, m))));
    return true;
}

/* unsgn holds the "signed" bit of the encoding */
bool trans_vfp_from_int(ArmCtx *s, const A32Insn *i)
{
    if (!format_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_fp(s, i->dp, a32_vreg(i->dp, i->vd, i->bits),
               ir_call_fp_from_gpr(s->b, a32_get_fp(s, false, a32_vreg(false, i->vm, i->hi)),
                                   ir_i32(s->b, word(i, 0, 0, !i->unsgn))));
    return true;
}

bool trans_vfp_to_int(ArmCtx *s, const A32Insn *i)
{
    if (!format_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_fp(
        s, false, a32_vreg(false, i->vd, i->bits),
        ir_call_fp_to_gpr(s->b, a32_operand(s, i, i->vm, i->hi),
                          ir_i32(s->b, word(i, i->round ? ROUND_Z : ROUND_CUR, 0, !i->unsgn))));
    return true;
}

bool trans_vfp_fixed(ArmCtx *s, const A32Insn *i)
{
    unsigned bits = i->size ? 32 : 16, frac = bits - (unsigned)i->imm,
             d = a32_vreg(i->dp, i->vd, i->bits);

    if ((int)frac < 0 || !format_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    a32_put_fp(s, i->dp, d,
               ir_call_vfp_fixed(
                   s->b, i->to ? a32_operand(s, i, i->vd, i->bits) : a32_get_fp(s, i->dp, d),
                   ir_i32(s->b, word(i, (unsigned)i->to | (i->size ? 2u : 0), frac, i->unsgn))));
    return true;
}

/* ---- memory ---- */

static void transfer(ArmCtx *s, bool load, bool dp, unsigned n, IrVal addr32)
{
    IrVal addr = ir_zextq(s->b, addr32);
    unsigned op = dp ? MEM_64 : MEM_32;

    if (!load) {
        IrVal v = a32_get_fp(s, dp, n);

        arm_store(s, dp ? v : ir_trunc(s->b, v), addr, op, s->mmu);
    } else {
        a32_put_fp(s, dp, n, arm_load(s, IR_I64, addr, op, s->mmu));
    }
}

bool trans_vfp_ldst(ArmCtx *s, const A32Insn *i)
{
    if (!format_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal at = ir_addi(s->b, a32_base(s, i->rn), (i->u ? 1 : -1) * i->imm * (i->half ? 2 : 4));

    if (!i->half) {
        transfer(s, i->load, i->dp, a32_vreg(i->dp, i->vd, i->bits), at);
    } else if (i->load) {
        a32_put_fp(s, false, a32_vreg(false, i->vd, i->bits),
                   arm_load(s, IR_I64, ir_zextq(s->b, at), MEM_16, s->mmu));
    } else {
        arm_store(s, ir_trunc(s->b, a32_operand(s, i, i->vd, i->bits)), ir_zextq(s->b, at), MEM_16,
                  s->mmu);
    }
    return true;
}

bool trans_vfp_ldm(ArmCtx *s, const A32Insn *i)
{
    unsigned first = a32_vreg(i->dp, i->vd, i->bits), words = (unsigned)i->imm,
             count = i->dp ? words / 2 : words;

    if (i->p == i->u ? i->p || !i->u : i->p && !i->w) {
        return false;
    }
    if (count == 0 || first + count > 32 || (i->w && i->rn == 15)) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal base = a32_base(s, i->rn), at = i->u ? base : ir_addi(s->b, base, -(int)words * 4);

    for (unsigned k = 0; k < count; k++) {
        transfer(s, i->load, i->dp, first + k, ir_addi(s->b, at, (int)(k * (i->dp ? 8 : 4))));
    }
    if (i->w) {
        a32_set_plain(s, i->rn, ir_addi(s->b, base, i->u ? (int)words * 4 : -(int)words * 4));
    }
    return true;
}

/* ---- core registers ---- */

bool trans_vfp_mov2(ArmCtx *s, const A32Insn *i)
{
    unsigned n = a32_vreg(i->dp, i->vm, i->hi);

    FP_OR_RETURN(s);
    if (i->dp && i->load) {
        IrVal v = a32_get_fp(s, true, n);

        a32_set_plain(s, i->rt, ir_trunc(s->b, v));
        a32_set_plain(s, i->rt2, ir_trunc(s->b, ir_shri(s->b, v, 32)));
    } else if (i->dp) {
        a32_put_fp(s, true, n, ir_concat(s->b, a32_reg(s, i->rt), a32_reg(s, i->rt2)));
    } else if (i->load) {
        a32_set_plain(s, i->rt, ir_trunc(s->b, a32_get_fp(s, false, n)));
        a32_set_plain(s, i->rt2, ir_trunc(s->b, a32_get_fp(s, false, (n + 1) % 32)));
    } else {
        a32_put_fp(s, false, n, ir_zextq(s->b, a32_reg(s, i->rt)));
        a32_put_fp(s, false, (n + 1) % 32, ir_zextq(s->b, a32_reg(s, i->rt2)));
    }
    return true;
}

bool trans_vfp_mov1(ArmCtx *s, const A32Insn *i)
{
    unsigned n = a32_vreg(false, i->vn, i->lo);

    if (!format_ok(s, i)) {
        return false;
    }
    FP_OR_RETURN(s);
    if (i->load) {
        a32_set_plain(s, i->rt, ir_trunc(s->b, a32_operand(s, i, i->vn, i->lo)));
    } else {
        IrVal v = ir_zextq(s->b, a32_reg(s, i->rt));

        a32_put_fp(s, false, n, i->half ? ir_zext16(s->b, v) : v);
    }
    return true;
}

/* opc1:opc2: 1xxx byte, 0xx1 half, 0x00 word */
bool trans_vfp_scalar(ArmCtx *s, const A32Insn *i)
{
    unsigned o = (unsigned)i->opc1 << 2 | (unsigned)i->opc2, d = a32_vreg(true, i->vn, i->lo), size,
             index;

    if (o & 8) {
        size = 0;
        index = o & 7;
    } else if (o & 1) {
        size = 1;
        index = o >> 1 & 3;
    } else if (!(o & 2) && !i->unsgn) {
        size = 2;
        index = o >> 2 & 1;
    } else {
        return false;
    }
    FP_OR_RETURN(s);
    index += d & 1 ? 8u >> size : 0;
    if (i->load) {
        IrVal v = ir_v_extract(s->b, LANE_I8 + size, arm_v(s, d / 2), index);

        v = i->unsgn || size == 2 ? v : size ? ir_sext16(s->b, v) : ir_sext8(s->b, v);
        a32_set_plain(s, i->rt, v);
    } else {
        ir_set(s->b, V_V0 + d / 2,
               ir_v_insert(s->b, LANE_I8 + size, arm_v(s, d / 2), a32_reg(s, i->rt), index));
    }
    return true;
}

bool trans_vfp_dup(ArmCtx *s, const A32Insn *i)
{
    unsigned size = i->byte ? 0 : i->c ? 1 : 2, d = a32_vreg(true, i->vn, i->lo);

    if ((i->byte && i->c) || (i->q && d & 1) || !arm_has(s->cpu, FEATURE_NEON)) {
        return false;
    }
    FP_OR_RETURN(s);
    IrVal v = ir_v_splat(s->b, IR_V128, LANE_I8 + size, a32_reg(s, i->rt));

    if (i->q) {
        ir_set(s->b, V_V0 + d / 2, v);
    } else {
        a32_put_fp(s, true, d, low(s, v));
    }
    return true;
}

/* ---- system registers: 0 FPSID, 1 FPSCR, 5..7 MVFR, 8 FPEXC ---- */

bool trans_vfp_vmrs(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_VFP)) {
        return false;
    }
    if (i->r == 1) {
        FP_OR_RETURN(s);
    } else if (s->mode & MODE_USER_A32) {
        return false;
    } else if (!arm_fp_ok(s)) {
        return true;
    }
    if (i->r == 1 && i->rt == 15) {
        arm_cc_nzcv(
            s, ir_shri(s->b, ir_env_load(s->b, IR_I32, offsetof(ArmCpu, fpscr_nzcv), MEM_32), 28));
        return true;
    }
    if (i->rt == 15) {
        return false;
    }
    a32_set_plain(s, i->rt, ir_call_vmrs(s->b, ir_i32(s->b, i->r)));
    return true;
}

bool trans_vfp_vmsr(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_VFP) || i->rt == 15) {
        return false;
    }
    if (i->r == 1) {
        FP_OR_RETURN(s);
    } else if (s->mode & MODE_USER_A32) {
        return false;
    } else if (!arm_fp_ok(s)) {
        return true;
    }
    ir_call_vmsr(s->b, ir_i32(s->b, i->r), a32_reg(s, i->rt));
    arm_end_exit(s, true, IR_EXIT_LOOP);
    return true;
}

bool a32_vfp(ArmCtx *s, uint32_t w)
{
    A32Insn i = {0};

    return vfp_decode(&i, w) && i.row->trans(s, &i);
}
