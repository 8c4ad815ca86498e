// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SSE4 text strings, tests, AES, SHA and other vector instructions that are helpers. SDM 1 12.10 to
 * 12.13.
 */
#include "target-i386/vec.h"

void trans_PTEST(X86Ctx *s, X86Insn *i)
{
    IrVal r = ir_v_test(s->b, x86_vread(s, i, 0, 0), x86_vread(s, i, 1, 0));

    if (i->op[0].size == 5) {
        r = ir_and(s->b, r, ir_v_test(s->b, x86_vread(s, i, 0, 1), x86_vread(s, i, 1, 1)));
    }
    x86_cc_eflags(s, ir_zextq(s->b, r));
}

static void unary(X86Ctx *s, X86Insn *i, IrVal (*fn)(IrBuilder *, IrVal))
{
    x86_vwrite(s, i, fn(s->b, x86_vread(s, i, 1, 0)), x86_none);
}

void trans_PHMINPOSUW(X86Ctx *s, X86Insn *i)
{
    unary(s, i, ir_call_phminposuw);
}

void trans_AESIMC(X86Ctx *s, X86Insn *i)
{
    unary(s, i, ir_call_aesimc);
}

void trans_AESKEYGENASSIST(X86Ctx *s, X86Insn *i)
{
    x86_vwrite(s, i,
               ir_call_aeskeygenassist(s->b, x86_vread(s, i, 1, 0), ir_i32(s->b, x86_imm8(i))),
               x86_none);
}

void trans_MPSADBW(X86Ctx *s, X86Insn *i)
{
    IrVal r[2] = {{0}, {0}}, c[2];
    unsigned imm = x86_imm8(i);

    for (unsigned p = 0; p < x86_parts(i); p++) {
        c[p] = x86_vread(s, i, x86_src2(i), p);
    }
    for (unsigned p = 0; p < x86_parts(i); p++) {
        r[p] = ir_call_mpsadbw(s->b, x86_vread(s, i, x86_src1(i), p), c[p],
                               ir_i32(s->b, imm >> (3 * p) & 7));
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void trans_PCLMULQDQ(X86Ctx *s, X86Insn *i)
{
    x86_vec_imm(s, i, ir_call_pclmulqdq);
}

void trans_GF2P8MULB(X86Ctx *s, X86Insn *i)
{
    x86_vec_helper(s, i, ir_call_gf2p8mulb);
}

void trans_GF2P8AFFINEQB(X86Ctx *s, X86Insn *i)
{
    x86_vec_imm(s, i, ir_call_gf2p8affineqb);
}

void trans_GF2P8AFFINEINVQB(X86Ctx *s, X86Insn *i)
{
    x86_vec_imm(s, i, ir_call_gf2p8affineinvqb);
}

/* 3DNow!: all that MMX and SSE have not. */
void trans_AMD3DNOW(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    IrVal source = ir_v_extract(b, LANE_I64, x86_vread(s, i, 1, 0), 0);
    IrVal into = ir_v_extract(b, LANE_I64, x86_vread(s, i, 0, 0), 0);
    IrVal r = ir_call_amd3dnow(b, into, source, ir_i32(b, i->opcode));

    x86_vwrite(s, i, ir_v_from_i(b, IR_V128, r), x86_none);
}

/* ---- SSE4a; what is above the low 64 bits becomes 0 (APM: undefined) ---- */

static IrVal low_half(X86Ctx *s, unsigned reg)
{
    return ir_v_extract(s->b, LANE_I64, ir_get(s->b, V_XMM0 + reg), 0);
}

static void set_low(X86Ctx *s, unsigned reg, IrVal v)
{
    ir_set(s->b, V_XMM0 + reg, ir_v_from_i(s->b, IR_V128, v));
}

/* Length and index as the helpers take them. */
static IrVal field_imm(X86Ctx *s, const X86Insn *i, unsigned n)
{
    return ir_i32(s->b, (uint32_t)(i->op[n].imm & 63) | (uint32_t)(i->op[n + 1].imm & 63) << 6);
}

/* From a register: bits 5:0 and 13:8. */
static IrVal field_reg(X86Ctx *s, IrVal v)
{
    IrBuilder *b = s->b;
    IrVal w = ir_trunc(b, v);

    return ir_or(b, ir_andi(b, w, 63), ir_shli(b, ir_andi(b, ir_shri(b, w, 8), 63), 6));
}

void trans_EXTRQ_imm(X86Ctx *s, X86Insn *i)
{
    set_low(s, i->op[0].reg, ir_call_extrq(s->b, low_half(s, i->op[0].reg), field_imm(s, i, 1)));
}

void trans_EXTRQ(X86Ctx *s, X86Insn *i)
{
    IrVal field = field_reg(s, low_half(s, i->op[1].reg));

    set_low(s, i->op[0].reg, ir_call_extrq(s->b, low_half(s, i->op[0].reg), field));
}

void trans_INSERTQ_imm(X86Ctx *s, X86Insn *i)
{
    IrVal into = low_half(s, i->op[0].reg), from = low_half(s, i->op[1].reg);

    set_low(s, i->op[0].reg, ir_call_insertq(s->b, into, from, field_imm(s, i, 2)));
}

void trans_INSERTQ(X86Ctx *s, X86Insn *i)
{
    IrVal into = low_half(s, i->op[0].reg), from = low_half(s, i->op[1].reg);
    IrVal field =
        field_reg(s, ir_v_extract(s->b, LANE_I64, ir_get(s->b, V_XMM0 + i->op[1].reg), 1));

    set_low(s, i->op[0].reg, ir_call_insertq(s->b, into, from, field));
}

void trans_AESENC(X86Ctx *s, X86Insn *i)
{
    x86_vec_helper(s, i, ir_call_aesenc);
}

void trans_AESENCLAST(X86Ctx *s, X86Insn *i)
{
    x86_vec_helper(s, i, ir_call_aesenclast);
}

void trans_AESDEC(X86Ctx *s, X86Insn *i)
{
    x86_vec_helper(s, i, ir_call_aesdec);
}

void trans_AESDECLAST(X86Ctx *s, X86Insn *i)
{
    x86_vec_helper(s, i, ir_call_aesdeclast);
}

void trans_SHA1MSG1(X86Ctx *s, X86Insn *i)
{
    x86_vec_helper(s, i, ir_call_sha1msg1);
}

void trans_SHA1MSG2(X86Ctx *s, X86Insn *i)
{
    x86_vec_helper(s, i, ir_call_sha1msg2);
}

void trans_SHA1NEXTE(X86Ctx *s, X86Insn *i)
{
    x86_vec_helper(s, i, ir_call_sha1nexte);
}

void trans_SHA256MSG1(X86Ctx *s, X86Insn *i)
{
    x86_vec_helper(s, i, ir_call_sha256msg1);
}

void trans_SHA256MSG2(X86Ctx *s, X86Insn *i)
{
    x86_vec_helper(s, i, ir_call_sha256msg2);
}

void trans_SHA1RNDS4(X86Ctx *s, X86Insn *i)
{
    x86_vec_imm(s, i, ir_call_sha1rnds4);
}

void trans_SHA256RNDS2(X86Ctx *s, X86Insn *i)
{
    IrVal c = x86_vread(s, i, 1, 0);

    x86_vwrite(s, i, ir_call_sha256rnds2(s->b, x86_vread(s, i, 0, 0), c, ir_get(s->b, V_XMM0)),
               x86_none);
}

/* Explicit lengths are RAX and RDX, or EAX and EDX sign-extended. */
static IrVal text_length(X86Ctx *s, X86Insn *i, unsigned reg, bool given)
{
    if (!given) {
        return ir_i64(s->b, UINT64_MAX);
    }
    IrVal v = ir_get(s->b, V_RAX + reg);
    v = i->rex & 8 ? v : ir_sext32(s->b, v);
    /* the helper takes -1 as "implicit", and lengths count by magnitude up to 16 */
    IrVal negative = ir_neg(s->b, v);
    v = ir_select(s->b, COND_LT, v, ir_i64(s->b, 0), negative, v);
    return ir_select(s->b, COND_GTU, v, ir_i64(s->b, 16), ir_i64(s->b, 16), v);
}

static void text_compare(X86Ctx *s, X86Insn *i, bool given, bool mask)
{
    IrBuilder *b = s->b;
    IrVal c = x86_vread(s, i, 1, 0), a = x86_vread(s, i, 0, 0), imm = ir_i32(b, x86_imm8(i));
    IrVal len_a = text_length(s, i, R_AX, given), len_c = text_length(s, i, R_DX, given);
    IrVal r = ir_call_pcmpstr_index(b, a, c, len_a, len_c, imm);

    if (mask) {
        IrVal m = ir_call_pcmpstr_mask(b, a, c, len_a, len_c, imm);
        ir_set(b, V_XMM0, m);
        if (i->vex) {
            ir_set(b, V_YMMH0, ir_v_zero(b, IR_V128));
        }
    } else {
        ir_set(b, V_RCX, ir_zext32(b, r));
    }
    x86_cc_eflags(s, ir_shri(b, r, 32));
}

void trans_PCMPESTRI(X86Ctx *s, X86Insn *i)
{
    text_compare(s, i, true, false);
}

void trans_PCMPESTRM(X86Ctx *s, X86Insn *i)
{
    text_compare(s, i, true, true);
}

void trans_PCMPISTRI(X86Ctx *s, X86Insn *i)
{
    text_compare(s, i, false, false);
}

void trans_PCMPISTRM(X86Ctx *s, X86Insn *i)
{
    text_compare(s, i, false, true);
}

/* Bytes whose mask bit is set go to DS:rDI; one by one, since each may fault. */
static void masked_store(X86Ctx *s, X86Insn *i, unsigned bytes)
{
    IrBuilder *b = s->b;
    IrVar addr = ir_local(b, IR_I64), mask = ir_local(b, IR_I64), data[2];
    IrVal v = x86_vread(s, i, 0, 0), m = x86_vread(s, i, 1, 0);

    data[0] = ir_local(b, IR_I64);
    data[1] = ir_local(b, IR_I64);
    ir_set(b, mask, ir_zextq(b, ir_v_movmask(b, LANE_I8, m)));
    for (unsigned k = 0; k < bytes / 8; k++) {
        ir_set(b, data[k], ir_v_extract(b, LANE_I64, v, k));
    }
    IrVal ea = x86_mask_addr(s, i->addrsize, ir_get(b, V_RDI));
    ir_set(b, addr, x86_linear(s, ea, i->seg < 0 ? S_DS : (unsigned)i->seg, bytes, true));
    x86_sync(s);
    for (unsigned k = 0; k < bytes; k++) {
        IrBlock *yes = ir_block(b), *next = ir_block(b);
        ir_brcond(b, COND_TSTNZ, ir_get(b, mask), ir_i64(b, 1u << k), yes, next);
        ir_place(b, yes);
        IrVal byte = ir_trunc(b, ir_shri(b, ir_get(b, data[k / 8]), k % 8 * 8));
        x86_store(s, 0, byte, ir_addi(b, ir_get(b, addr), k));
        ir_place(b, next);
    }
}

void trans_MASKMOVDQU(X86Ctx *s, X86Insn *i)
{
    masked_store(s, i, 16);
}

void trans_MASKMOVQ(X86Ctx *s, X86Insn *i)
{
    x86_mmx_enter(s);
    masked_store(s, i, 8);
}

/* VZEROUPPER, and with VEX.L VZEROALL. */
void trans_VZERO(X86Ctx *s, X86Insn *i)
{
    IrVal zero = ir_v_zero(s->b, IR_V128);

    for (unsigned k = 0; k < (s->code64 ? 16 : 8); k++) {
        ir_set(s->b, V_YMMH0 + k, zero);
        if (i->vex_l) {
            ir_set(s->b, V_XMM0 + k, zero);
        }
    }
}
