// SPDX-License-Identifier: GPL-2.0-or-later
/* SSE and MMX moves, shuffles, insertion and extraction; blends; widening. SDM 1 10.4.1, 12.10. */
#include "target-i386/vec.h"

/* 32-byte accesses that must be aligned, SDM 2A 2.4: the two halves do not see it. */
static void check_aligned32(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    IrBlock *bad = ir_cold_block(b), *good = ir_block(b);

    x86_sync(s);
    ir_brcond(b, COND_TSTNZ, x86_addr(s, i), ir_i64(b, 31), bad, good);
    ir_place(b, bad);
    x86_raise_gp(s);
    ir_place(b, good);
}

static void store_vector(X86Ctx *s, X86Insn *i, bool aligned)
{
    IrBuilder *b = s->b;
    MemOp op = aligned ? MEM_128 | MEM_ALIGN : MEM_128;
    IrVal addr = x86_addr(s, i);

    if (x86_whole(s, i)) {
        ir_store(b, x86_vread256(s, i, 1), addr, aligned ? MEM_256 | MEM_ALIGN : MEM_256, s->mmu);
        return;
    }
    ir_store(b, x86_vread(s, i, 1, 0), addr, op, s->mmu);
    if (i->op[0].size == 5) {
        ir_store(b, x86_vread(s, i, 1, 1), ir_addi(b, addr, 16), op, s->mmu);
    }
}

static void move_vector(X86Ctx *s, X86Insn *i, bool aligned)
{
    bool wide = i->op[0].size == 5;

    if (aligned && wide && x86_has_mem(i) && !x86_whole(s, i)) {
        check_aligned32(s, i);
    }
    if (i->op[0].kind == X86_MEM) {
        store_vector(s, i, aligned);
        return;
    }
    IrVal low, high = x86_none;
    if (x86_whole(s, i)) {
        low = aligned && i->op[1].kind == X86_MEM
                  ? ir_load(s->b, IR_V256, x86_addr(s, i), MEM_256 | MEM_ALIGN, s->mmu)
                  : x86_vread256(s, i, 1);
    } else if (i->op[1].kind == X86_MEM) {
        MemOp op = aligned ? MEM_128 | MEM_ALIGN : MEM_128;
        IrVal addr = x86_addr(s, i);
        low = ir_load(s->b, IR_V128, addr, op, s->mmu);
        high = wide ? ir_load(s->b, IR_V128, ir_addi(s->b, addr, 16), op, s->mmu) : x86_none;
    } else {
        low = x86_vread(s, i, 1, 0);
        high = wide ? x86_vread(s, i, 1, 1) : x86_none;
    }
    x86_vwrite(s, i, low, high);
}

void trans_MOVU(X86Ctx *s, X86Insn *i)
{
    move_vector(s, i, false);
}

void trans_MOVA(X86Ctx *s, X86Insn *i)
{
    move_vector(s, i, true);
}

/* Low 32 or 64 bits, zeros above. */
void trans_MOVQ_load(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_vread(s, i, 1, 0);

    x86_vwrite(s, i, i->op[1].kind == X86_XMM ? ir_v_low64(s->b, v) : v, x86_none);
}

void trans_MOVQ_store(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_vread(s, i, 1, 0);

    if (i->op[0].kind == X86_XMM) {
        x86_vwrite(s, i, ir_v_low64(s->b, v), x86_none);
    } else {
        x86_store_low(s, i->op[0].size, v, x86_addr(s, i));
    }
}

void trans_MOVS_merge(X86Ctx *s, X86Insn *i)
{
    IrVal c = x86_vread(s, i, x86_src2(i), 0);

    x86_vwrite(s, i,
               ir_s_merge(s->b, i->op[0].size == 2 ? LANE_F32 : LANE_F64,
                          x86_vread(s, i, x86_src1(i), 0), c),
               x86_none);
}

static IrVal low64(X86Ctx *s, IrVal v)
{
    return ir_v_extract(s->b, LANE_I64, v, 0);
}

void trans_MOVHLPS(X86Ctx *s, X86Insn *i)
{
    IrVal c = x86_vread(s, i, x86_src2(i), 0);

    x86_vwrite(s, i, ir_v_unpack_hi(s->b, LANE_I64, c, x86_vread(s, i, x86_src1(i), 0)), x86_none);
}

void trans_MOVLHPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_unpack_lo, LANE_I64);
}

void trans_MOVLPS_load(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_load(s, 3, x86_addr(s, i));

    x86_vwrite(s, i, ir_v_insert(s->b, LANE_I64, x86_vread(s, i, x86_src1(i), 0), v, 0), x86_none);
}

void trans_MOVHPS_load(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_load(s, 3, x86_addr(s, i));

    x86_vwrite(s, i, ir_v_insert(s->b, LANE_I64, x86_vread(s, i, x86_src1(i), 0), v, 1), x86_none);
}

void trans_MOVHPS_store(X86Ctx *s, X86Insn *i)
{
    x86_store(s, 3, ir_v_extract(s->b, LANE_I64, x86_vread(s, i, 1, 0), 1), x86_addr(s, i));
}

static void shuffle_self(X86Ctx *s, X86Insn *i, IrVal (*fn)(IrBuilder *, IrVal, unsigned),
                         unsigned imm)
{
    IrVal r[2] = {{0}, {0}};

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = fn(s->b, x86_vstep(s, i, 1, p), imm);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void trans_MOVSLDUP(X86Ctx *s, X86Insn *i)
{
    shuffle_self(s, i, ir_v_shuf32, 0xa0);
}

void trans_MOVSHDUP(X86Ctx *s, X86Insn *i)
{
    shuffle_self(s, i, ir_v_shuf32, 0xf5);
}

void trans_MOVDDUP(X86Ctx *s, X86Insn *i)
{
    shuffle_self(s, i, ir_v_shuf32, 0x44);
}

void trans_PSHUFD(X86Ctx *s, X86Insn *i)
{
    shuffle_self(s, i, ir_v_shuf32, x86_imm8(i));
}

void trans_PSHUFLW(X86Ctx *s, X86Insn *i)
{
    shuffle_self(s, i, ir_v_shuflo, x86_imm8(i));
}

void trans_PSHUFHW(X86Ctx *s, X86Insn *i)
{
    shuffle_self(s, i, ir_v_shufhi, x86_imm8(i));
}

void trans_UNPCKLPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_unpack_lo, LANE_I32);
}

void trans_UNPCKLPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_unpack_lo, LANE_I64);
}

void trans_UNPCKHPS(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_unpack_hi, LANE_I32);
}

void trans_UNPCKHPD(X86Ctx *s, X86Insn *i)
{
    x86_vec_lane(s, i, ir_v_unpack_hi, LANE_I64);
}

static void shuffle_two(X86Ctx *s, X86Insn *i, IrVal (*fn)(IrBuilder *, IrVal, IrVal, unsigned),
                        unsigned imm, unsigned per_part)
{
    IrVal r[2] = {{0}, {0}}, c[2];

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        c[p] = x86_vstep(s, i, x86_src2(i), p);
    }
    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = fn(s->b, x86_vstep(s, i, x86_src1(i), p), c[p], imm >> (p * per_part));
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void trans_SHUFPS(X86Ctx *s, X86Insn *i)
{
    shuffle_two(s, i, ir_v_shufps, x86_imm8(i), 0);
}

void trans_SHUFPD(X86Ctx *s, X86Insn *i)
{
    shuffle_two(s, i, ir_v_shufpd, x86_imm8(i), 2);
}

static IrVal blend_bytes(IrBuilder *b, IrVal a, IrVal c, unsigned imm)
{
    return ir_v_blend16(b, a, c, imm & 0xff);
}

static IrVal blend32(IrBuilder *b, IrVal a, IrVal c, unsigned imm)
{
    return ir_v_blend32(b, a, c, ir_type(b, a) == IR_V256 ? imm & 0xff : imm & 15);
}

/* Each bit of the immediate twice. */
static IrVal blend64(IrBuilder *b, IrVal a, IrVal c, unsigned imm)
{
    unsigned wide = 0;

    for (unsigned k = 0; k < 4; k++) {
        wide |= imm >> k & 1 ? 3u << (2 * k) : 0;
    }
    return blend32(b, a, c, wide);
}

void trans_PBLENDW(X86Ctx *s, X86Insn *i)
{
    shuffle_two(s, i, blend_bytes, x86_imm8(i), 0);
}

void trans_BLENDPS(X86Ctx *s, X86Insn *i)
{
    shuffle_two(s, i, blend32, x86_imm8(i), 4);
}

void trans_BLENDPD(X86Ctx *s, X86Insn *i)
{
    shuffle_two(s, i, blend64, x86_imm8(i), 2);
}

/* The mask is XMM0, or with VEX operand 3. */
static void blend_mask(X86Ctx *s, X86Insn *i, IrLane lane)
{
    IrVal r[2] = {{0}, {0}}, c[2];

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        c[p] = x86_vstep(s, i, x86_src2(i), p);
    }
    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = ir_v_blendv(s->b, lane, x86_vstep(s, i, x86_src1(i), p), c[p],
                           x86_vstep(s, i, i->vex ? 3 : 2, p));
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void trans_PBLENDVB(X86Ctx *s, X86Insn *i)
{
    blend_mask(s, i, LANE_I8);
}

void trans_BLENDVPS(X86Ctx *s, X86Insn *i)
{
    blend_mask(s, i, LANE_F32);
}

void trans_BLENDVPD(X86Ctx *s, X86Insn *i)
{
    blend_mask(s, i, LANE_F64);
}

void trans_PSHUFB(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;

    if (x86_is_mmx(i)) {        /* only the low three bits pick: bytes 0..7 */
        IrVal mask =
            ir_v_and(b, x86_vread(s, i, 1, 0), ir_v_splat(b, IR_V128, LANE_I8, ir_i32(b, 0x87)));
        x86_vwrite(s, i, ir_v_shufb(b, x86_vread(s, i, 0, 0), mask), x86_none);
        return;
    }
    x86_vec_binary(s, i, ir_v_shufb);
}

static IrVal align(IrBuilder *b, IrVal a, IrVal c, unsigned imm)
{
    if (imm >= 32) {
        return ir_v_zero(b, ir_type(b, a));
    }
    return imm >= 16 ? ir_v_shr_bytes(b, a, imm - 16) : ir_v_align(b, a, c, imm);
}

void trans_PALIGNR(X86Ctx *s, X86Insn *i)
{
    if (x86_is_mmx(i)) {
        IrVal c = x86_vread(s, i, 1, 0), v = x86_concat64(s, c, x86_vread(s, i, 0, 0));
        unsigned n = x86_imm8(i);
        x86_vwrite(s, i, n > 15 ? ir_v_zero(s->b, IR_V128) : ir_v_shr_bytes(s->b, v, n), x86_none);
        return;
    }
    shuffle_two(s, i, align, x86_imm8(i), 0);
}

/* ---- general registers ---- */

void trans_MOVD_to(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_read(s, i, 1);

    x86_vwrite(s, i, ir_v_from_i(s->b, IR_V128, v), x86_none);
}

void trans_MOVD_from(X86Ctx *s, X86Insn *i)
{
    IrVal v =
        ir_v_extract(s->b, i->op[0].size == 3 ? LANE_I64 : LANE_I32, x86_vread(s, i, 1, 0), 0);

    if (x86_is_mmx(i)) {
        x86_mmx_enter(s);
    }
    x86_write(s, i, 0, v);
}

void trans_MOVQ_mmx(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_vread(s, i, 1, 0);

    if (i->op[0].kind == X86_MEM) {
        x86_mmx_enter(s);
        x86_store(s, 3, low64(s, x86_vread(s, i, 1, 0)), x86_addr(s, i));
    } else {
        x86_vwrite(s, i, v, x86_none);
    }
}

void trans_MOVQ2DQ(X86Ctx *s, X86Insn *i)
{
    x86_mmx_enter(s);
    x86_vwrite(s, i, x86_vread(s, i, 1, 0), x86_none);
}

void trans_MOVDQ2Q(X86Ctx *s, X86Insn *i)
{
    x86_vwrite(s, i, x86_vread(s, i, 1, 0), x86_none);
}

void trans_EMMS(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_emms(s->b);
}

static IrVal mask_bits(X86Ctx *s, X86Insn *i, IrLane lane, unsigned lanes)
{
    if (i->op[1].size == 5 && ir_has_v256(s->b)) {
        return ir_v_movmask(s->b, lane, x86_vread256(s, i, 1));
    }
    IrVal v = ir_v_movmask(s->b, lane, x86_vread(s, i, 1, 0));

    if (i->op[1].size == 5) {
        v = ir_or(s->b, v, ir_shli(s->b, ir_v_movmask(s->b, lane, x86_vread(s, i, 1, 1)), lanes));
    }
    return v;
}

void trans_MOVMSKPS(X86Ctx *s, X86Insn *i)
{
    x86_write(s, i, 0, mask_bits(s, i, LANE_F32, 4));
}

void trans_MOVMSKPD(X86Ctx *s, X86Insn *i)
{
    x86_write(s, i, 0, mask_bits(s, i, LANE_F64, 2));
}

void trans_PMOVMSKB(X86Ctx *s, X86Insn *i)
{
    IrVal v = mask_bits(s, i, LANE_I8, 16);

    if (x86_is_mmx(i)) {
        x86_mmx_enter(s);
        v = ir_andi(s->b, v, 0xff);
    }
    x86_write(s, i, 0, v);
}

static const IrLane lane_of[4] = {LANE_I8, LANE_I16, LANE_I32, LANE_I64};

/* Number n of lanes of `size` bytes (log2) that the immediate picks. */
static unsigned lane_number(const X86Insn *i, unsigned size)
{
    return x86_imm8(i) & (((x86_is_mmx(i) ? 8u : 16u) >> size) - 1);
}

static void insert_lane(X86Ctx *s, X86Insn *i, unsigned size, IrVal v)
{
    IrVal old = x86_vread(s, i, x86_src1(i), 0);

    x86_vwrite(s, i, ir_v_insert(s->b, lane_of[size], old, v, lane_number(i, size)), x86_none);
}

void trans_PINSRW(X86Ctx *s, X86Insn *i)
{
    insert_lane(s, i, 1, x86_read(s, i, x86_src2(i)));
}

void trans_PINSRB_reg(X86Ctx *s, X86Insn *i)
{
    insert_lane(s, i, 0, x86_read(s, i, x86_src2(i)));
}

void trans_PINSR(X86Ctx *s, X86Insn *i)
{
    insert_lane(s, i, i->op[x86_src2(i)].size, x86_read(s, i, x86_src2(i)));
}

static IrVal extract_lane(X86Ctx *s, X86Insn *i, unsigned size)
{
    return ir_v_extract(s->b, lane_of[size], x86_vread(s, i, 1, 0), lane_number(i, size));
}

void trans_PEXTR(X86Ctx *s, X86Insn *i)
{
    x86_write(s, i, 0, extract_lane(s, i, i->op[0].size));
}

void trans_PEXTRB_reg(X86Ctx *s, X86Insn *i)
{
    x86_write(s, i, 0, extract_lane(s, i, 0));
}

void trans_PEXTRW_reg(X86Ctx *s, X86Insn *i)
{
    IrVal v = extract_lane(s, i, 1);

    if (x86_is_mmx(i)) {
        x86_mmx_enter(s);
    }
    x86_write(s, i, 0, v);
}

void trans_EXTRACTPS(X86Ctx *s, X86Insn *i)
{
    x86_write(s, i, 0, extract_lane(s, i, 2));
}

void trans_INSERTPS(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned imm = x86_imm8(i), n = x86_src2(i);
    IrVal v = i->op[n].kind == X86_MEM ? x86_load(s, 2, x86_addr(s, i))
                                       : ir_v_extract(b, LANE_I32, x86_vread(s, i, n, 0), imm >> 6);
    IrVal r = ir_v_insert(b, LANE_I32, x86_vread(s, i, x86_src1(i), 0), v, imm >> 4 & 3);

    x86_vwrite(s, i, imm & 15 ? blend32(b, r, ir_v_zero(b, IR_V128), imm & 15) : r, x86_none);
}

/* ---- widening ---- */

static void widen(X86Ctx *s, X86Insn *i, bool sign, IrLane lane, unsigned times)
{
    IrBuilder *b = s->b;
    IrVal v = x86_vread(s, i, 1, 0), high = x86_none;

    if (x86_whole(s, i)) {
        x86_vwrite(s, i,
                   sign ? ir_v_sext(b, IR_V256, lane, v, times)
                        : ir_v_zext(b, IR_V256, lane, v, times),
                   high);
        return;
    }
    if (x86_parts(i) == 2) {
        IrVal rest = ir_v_shr_bytes(b, v, 16 / times);
        high = sign ? ir_v_sext(b, IR_V128, lane, rest, times)
                    : ir_v_zext(b, IR_V128, lane, rest, times);
    }
    x86_vwrite(s, i,
               sign ? ir_v_sext(b, IR_V128, lane, v, times) : ir_v_zext(b, IR_V128, lane, v, times),
               high);
}

void trans_PMOVSXBW(X86Ctx *s, X86Insn *i)
{
    widen(s, i, true, LANE_I8, 2);
}

void trans_PMOVZXBW(X86Ctx *s, X86Insn *i)
{
    widen(s, i, false, LANE_I8, 2);
}

void trans_PMOVSXBD(X86Ctx *s, X86Insn *i)
{
    widen(s, i, true, LANE_I8, 4);
}

void trans_PMOVZXBD(X86Ctx *s, X86Insn *i)
{
    widen(s, i, false, LANE_I8, 4);
}

void trans_PMOVSXBQ(X86Ctx *s, X86Insn *i)
{
    widen(s, i, true, LANE_I8, 8);
}

void trans_PMOVZXBQ(X86Ctx *s, X86Insn *i)
{
    widen(s, i, false, LANE_I8, 8);
}

void trans_PMOVSXWD(X86Ctx *s, X86Insn *i)
{
    widen(s, i, true, LANE_I16, 2);
}

void trans_PMOVZXWD(X86Ctx *s, X86Insn *i)
{
    widen(s, i, false, LANE_I16, 2);
}

void trans_PMOVSXWQ(X86Ctx *s, X86Insn *i)
{
    widen(s, i, true, LANE_I16, 4);
}

void trans_PMOVZXWQ(X86Ctx *s, X86Insn *i)
{
    widen(s, i, false, LANE_I16, 4);
}

void trans_PMOVSXDQ(X86Ctx *s, X86Insn *i)
{
    widen(s, i, true, LANE_I32, 2);
}

void trans_PMOVZXDQ(X86Ctx *s, X86Insn *i)
{
    widen(s, i, false, LANE_I32, 2);
}
