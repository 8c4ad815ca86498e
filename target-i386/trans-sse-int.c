// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SSE and MMX integer instructions, lane by lane; SDM 1 chapters 9 to 12. MMX forms use the same
 * code where lanes stay in place; packing, horizontal and shuffling ones bring both operands
 * together.
 */
#include "target-i386/vec.h"

/* Count operands of shifts and the like are 128 bits wide also in 256-bit instructions. */
static void shift_v(X86Ctx *s, X86Insn *i, LaneFn *fn, IrLane lane)
{
    IrVal r[2] = {{0}, {0}}, count = x86_vread(s, i, x86_src2(i), 0);

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = fn(s->b, lane, x86_vstep(s, i, x86_src1(i), p), count);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

/* VEX: the destination is operand 0 (vvvv), the source 1; else both are operand 0. */
static void shift_i(X86Ctx *s, X86Insn *i, IrVal (*fn)(IrBuilder *, IrLane, IrVal, unsigned),
                    IrLane lane)
{
    IrVal r[2] = {{0}, {0}};

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = fn(s->b, lane, x86_vstep(s, i, x86_src1(i), p), x86_imm8(i));
    }
    x86_vwrite(s, i, r[0], r[1]);
}

static void shift_bytes(X86Ctx *s, X86Insn *i, IrVal (*fn)(IrBuilder *, IrVal, unsigned))
{
    IrVal r[2] = {{0}, {0}};
    unsigned n = MIN(x86_imm8(i), 16u);

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = n > 15 ? ir_v_zero(s->b, x86_whole(s, i) ? IR_V256 : IR_V128)
                      : fn(s->b, x86_vstep(s, i, x86_src1(i), p), n);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

/* Both MMX operands side by side, the destination low. */
static IrVal mmx_both(X86Ctx *s, X86Insn *i)
{
    IrVal c = x86_vread(s, i, 1, 0);

    return x86_concat64(s, x86_vread(s, i, 0, 0), c);
}

static void both_lane(X86Ctx *s, X86Insn *i, LaneFn *fn, IrLane lane)
{
    if (x86_is_mmx(i)) {
        IrVal v = mmx_both(s, i);
        x86_vwrite(s, i, fn(s->b, lane, v, v), x86_none);
        return;
    }
    x86_vec_lane(s, i, fn, lane);
}

static void both(X86Ctx *s, X86Insn *i, VecFn *fn)
{
    if (x86_is_mmx(i)) {
        IrVal v = mmx_both(s, i);
        x86_vwrite(s, i, fn(s->b, v, v), x86_none);
        return;
    }
    x86_vec_binary(s, i, fn);
}

static void unpack_high(X86Ctx *s, X86Insn *i, IrLane lane)
{
    IrBuilder *b = s->b;

    if (x86_is_mmx(i)) {
        IrVal c = x86_vread(s, i, 1, 0);
        x86_vwrite(s, i, ir_v_shr_bytes(b, ir_v_unpack_lo(b, lane, x86_vread(s, i, 0, 0), c), 8),
                   x86_none);
        return;
    }
    x86_vec_lane(s, i, ir_v_unpack_hi, lane);
}

void trans_PADDB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_add, LANE_I8);
}

void trans_PADDW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_add, LANE_I16);
}

void trans_PADDD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_add, LANE_I32);
}

void trans_PADDQ(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_add, LANE_I64);
}

void trans_PSUBB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_sub, LANE_I8);
}

void trans_PSUBW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_sub, LANE_I16);
}

void trans_PSUBD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_sub, LANE_I32);
}

void trans_PSUBQ(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_sub, LANE_I64);
}

void trans_PADDSB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_adds_s, LANE_I8);
}

void trans_PADDSW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_adds_s, LANE_I16);
}

void trans_PADDUSB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_adds_u, LANE_I8);
}

void trans_PADDUSW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_adds_u, LANE_I16);
}

void trans_PSUBSB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_subs_s, LANE_I8);
}

void trans_PSUBSW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_subs_s, LANE_I16);
}

void trans_PSUBUSB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_subs_u, LANE_I8);
}

void trans_PSUBUSW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_subs_u, LANE_I16);
}

void trans_PMULLW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_mul, LANE_I16);
}

void trans_PMULLD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_mul, LANE_I32);
}

void trans_PMULHW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_mulh_s, LANE_I16);
}

void trans_PMULHUW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_mulh_u, LANE_I16);
}

void trans_PAVGB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_avg_u, LANE_I8);
}

void trans_PAVGW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_avg_u, LANE_I16);
}

void trans_PMINSB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_min_s, LANE_I8);
}

void trans_PMINUB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_min_u, LANE_I8);
}

void trans_PMAXSB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_max_s, LANE_I8);
}

void trans_PMAXUB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_max_u, LANE_I8);
}

void trans_PSIGNB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_sign, LANE_I8);
}

void trans_PABSB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane1(s, i, ir_v_abs, LANE_I8);
}

void trans_PMINSW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_min_s, LANE_I16);
}

void trans_PMINUW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_min_u, LANE_I16);
}

void trans_PMAXSW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_max_s, LANE_I16);
}

void trans_PMAXUW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_max_u, LANE_I16);
}

void trans_PSIGNW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_sign, LANE_I16);
}

void trans_PABSW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane1(s, i, ir_v_abs, LANE_I16);
}

void trans_PMINSD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_min_s, LANE_I32);
}

void trans_PMINUD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_min_u, LANE_I32);
}

void trans_PMAXSD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_max_s, LANE_I32);
}

void trans_PMAXUD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_max_u, LANE_I32);
}

void trans_PSIGND(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_sign, LANE_I32);
}

void trans_PABSD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane1(s, i, ir_v_abs, LANE_I32);
}

void trans_PCMPEQB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_cmpeq, LANE_I8);
}

void trans_PCMPGTB(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_cmpgt, LANE_I8);
}

void trans_PCMPEQW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_cmpeq, LANE_I16);
}

void trans_PCMPGTW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_cmpgt, LANE_I16);
}

void trans_PCMPEQD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_cmpeq, LANE_I32);
}

void trans_PCMPGTD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_cmpgt, LANE_I32);
}

void trans_PCMPEQQ(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_cmpeq, LANE_I64);
}

void trans_PCMPGTQ(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_cmpgt, LANE_I64);
}

void trans_PMULUDQ(X86Ctx *s, X86Insn *i)
{
    x86_vec_binary(s, i, ir_v_mul_even_u);
}

void trans_PMULDQ(X86Ctx *s, X86Insn *i)
{
    x86_vec_binary(s, i, ir_v_mul_even_s);
}

void trans_PMADDWD(X86Ctx *s, X86Insn *i)
{
    x86_vec_binary(s, i, ir_v_madd16);
}

void trans_PMADDUBSW(X86Ctx *s, X86Insn *i)
{
    x86_vec_binary(s, i, ir_v_maddubs);
}

void trans_PMULHRSW(X86Ctx *s, X86Insn *i)
{
    x86_vec_binary(s, i, ir_v_mulhrs);
}

void trans_PSADBW(X86Ctx *s, X86Insn *i)
{
    x86_vec_binary(s, i, ir_v_sad);
}

void trans_PAND(X86Ctx *s, X86Insn *i)
{
    x86_vec_binary(s, i, ir_v_and);
}

void trans_PANDN(X86Ctx *s, X86Insn *i)
{
    x86_vec_binary(s, i, ir_v_andn);
}

void trans_POR(X86Ctx *s, X86Insn *i)
{
    x86_vec_binary(s, i, ir_v_or);
}

void trans_PXOR(X86Ctx *s, X86Insn *i)
{
    x86_vec_binary(s, i, ir_v_xor);
}

/* ---- shifts ---- */

void trans_PSLLW(X86Ctx *s, X86Insn *i)
{
    shift_v(s, i, ir_v_shl_v, LANE_I16);
}

void trans_PSLLW_imm(X86Ctx *s, X86Insn *i)
{
    shift_i(s, i, ir_v_shl_i, LANE_I16);
}

void trans_PSLLD(X86Ctx *s, X86Insn *i)
{
    shift_v(s, i, ir_v_shl_v, LANE_I32);
}

void trans_PSLLD_imm(X86Ctx *s, X86Insn *i)
{
    shift_i(s, i, ir_v_shl_i, LANE_I32);
}

void trans_PSLLQ(X86Ctx *s, X86Insn *i)
{
    shift_v(s, i, ir_v_shl_v, LANE_I64);
}

void trans_PSLLQ_imm(X86Ctx *s, X86Insn *i)
{
    shift_i(s, i, ir_v_shl_i, LANE_I64);
}

void trans_PSRLW(X86Ctx *s, X86Insn *i)
{
    shift_v(s, i, ir_v_shr_v, LANE_I16);
}

void trans_PSRLW_imm(X86Ctx *s, X86Insn *i)
{
    shift_i(s, i, ir_v_shr_i, LANE_I16);
}

void trans_PSRLD(X86Ctx *s, X86Insn *i)
{
    shift_v(s, i, ir_v_shr_v, LANE_I32);
}

void trans_PSRLD_imm(X86Ctx *s, X86Insn *i)
{
    shift_i(s, i, ir_v_shr_i, LANE_I32);
}

void trans_PSRLQ(X86Ctx *s, X86Insn *i)
{
    shift_v(s, i, ir_v_shr_v, LANE_I64);
}

void trans_PSRLQ_imm(X86Ctx *s, X86Insn *i)
{
    shift_i(s, i, ir_v_shr_i, LANE_I64);
}

void trans_PSRAW(X86Ctx *s, X86Insn *i)
{
    shift_v(s, i, ir_v_sar_v, LANE_I16);
}

void trans_PSRAW_imm(X86Ctx *s, X86Insn *i)
{
    shift_i(s, i, ir_v_sar_i, LANE_I16);
}

void trans_PSRAD(X86Ctx *s, X86Insn *i)
{
    shift_v(s, i, ir_v_sar_v, LANE_I32);
}

void trans_PSRAD_imm(X86Ctx *s, X86Insn *i)
{
    shift_i(s, i, ir_v_sar_i, LANE_I32);
}

void trans_PSLLDQ_imm(X86Ctx *s, X86Insn *i)
{
    shift_bytes(s, i, ir_v_shl_bytes);
}

void trans_PSRLDQ_imm(X86Ctx *s, X86Insn *i)
{
    shift_bytes(s, i, ir_v_shr_bytes);
}

/* ---- across lanes ---- */

void trans_PHADDW(X86Ctx *s, X86Insn *i)
{
    both_lane(s, i, ir_v_hadd, LANE_I16);
}

void trans_PHADDD(X86Ctx *s, X86Insn *i)
{
    both_lane(s, i, ir_v_hadd, LANE_I32);
}

void trans_PHSUBW(X86Ctx *s, X86Insn *i)
{
    both_lane(s, i, ir_v_hsub, LANE_I16);
}

void trans_PHSUBD(X86Ctx *s, X86Insn *i)
{
    both_lane(s, i, ir_v_hsub, LANE_I32);
}

void trans_PACKSSWB(X86Ctx *s, X86Insn *i)
{
    both_lane(s, i, ir_v_pack_s, LANE_I16);
}

void trans_PACKSSDW(X86Ctx *s, X86Insn *i)
{
    both_lane(s, i, ir_v_pack_s, LANE_I32);
}

void trans_PACKUSWB(X86Ctx *s, X86Insn *i)
{
    both_lane(s, i, ir_v_pack_u, LANE_I16);
}

void trans_PACKUSDW(X86Ctx *s, X86Insn *i)
{
    both_lane(s, i, ir_v_pack_u, LANE_I32);
}

void trans_PHADDSW(X86Ctx *s, X86Insn *i)
{
    both(s, i, ir_v_hadds);
}

void trans_PHSUBSW(X86Ctx *s, X86Insn *i)
{
    both(s, i, ir_v_hsubs);
}

void trans_PUNPCKLBW(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_unpack_lo, LANE_I8);
}

void trans_PUNPCKHBW(X86Ctx *s, X86Insn *i)
{
    unpack_high(s, i, LANE_I8);
}

void trans_PUNPCKLWD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_unpack_lo, LANE_I16);
}

void trans_PUNPCKHWD(X86Ctx *s, X86Insn *i)
{
    unpack_high(s, i, LANE_I16);
}

void trans_PUNPCKLDQ(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_unpack_lo, LANE_I32);
}

void trans_PUNPCKHDQ(X86Ctx *s, X86Insn *i)
{
    unpack_high(s, i, LANE_I32);
}

void trans_PUNPCKLQDQ(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_unpack_lo, LANE_I64);
}

void trans_PUNPCKHQDQ(X86Ctx *s, X86Insn *i)
{
    unpack_high(s, i, LANE_I64);
}
