// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX and AVX2 instructions without a legacy form: broadcast, permutation, shifts by lane, masked
 * moves and gathers; FMA; F16C. SDM 1 chapter 14.
 */
#include "target-i386/avx-helper.h"
#include "target-i386/vec.h"

/* ---- broadcast and halves ---- */

void trans_BROADCAST(X86Ctx *s, X86Insn *i)
{
    static const IrLane lanes[4] = {LANE_I8, LANE_I16, LANE_I32, LANE_I64};
    IrLane lane = lanes[i->op[1].size];

    if (ir_has_v256(s->b)) {
        IrVal low = x86_vread(s, i, 1, 0);
        x86_vwrite(s, i, ir_v_bcast(s->b, x86_whole(s, i) ? IR_V256 : IR_V128, lane, low),
                   x86_none);
        return;
    }
    IrVal v = ir_v_extract(s->b, lane, x86_vread(s, i, 1, 0), 0);
    IrVal r = ir_v_splat(s->b, IR_V128, lane, v);

    x86_vwrite(s, i, r, i->op[0].size == 5 ? r : x86_none);
}

void trans_BROADCAST128(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_vread(s, i, 1, 0);

    if (ir_has_v256(s->b)) {
        x86_vwrite(s, i, ir_v_concat(s->b, v, v), x86_none);
        return;
    }
    x86_vwrite(s, i, v, v);
}

void trans_INSERT128(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_vread(s, i, 2, 0);
    bool high = x86_imm8(i) & 1;

    x86_vwrite(s, i, high ? x86_vread(s, i, 1, 0) : v, high ? v : x86_vread(s, i, 1, 1));
}

void trans_EXTRACT128(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_vread(s, i, 1, x86_imm8(i) & 1);

    if (i->op[0].kind == X86_MEM) {
        ir_store(s->b, v, x86_addr(s, i), MEM_128, s->mmu);
    } else {
        x86_vwrite(s, i, v, x86_none);
    }
}

/* ---- permutation ---- */

static void permute_by(X86Ctx *s, X86Insn *i, IrVal (*fn)(IrBuilder *, IrVal, IrVal))
{
    x86_vec_helper(s, i, fn);
}

void trans_PERMILPS(X86Ctx *s, X86Insn *i)
{
    permute_by(s, i, ir_call_permilps);
}

void trans_PERMILPD(X86Ctx *s, X86Insn *i)
{
    permute_by(s, i, ir_call_permilpd);
}

void trans_PERMILPD_imm(X86Ctx *s, X86Insn *i)
{
    IrVal r[2] = {{0}, {0}};

    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        IrVal v = x86_vstep(s, i, 1, p);
        r[p] = ir_v_shufpd(s->b, v, v, x86_imm8(i) >> (2 * p) & 15);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void trans_PERM2X128(X86Ctx *s, X86Insn *i)
{
    unsigned imm = x86_imm8(i);
    IrVal r[2], second[2];

    if (x86_whole(s, i)) {
        IrVal c = x86_vread256(s, i, 2);
        x86_vwrite(s, i, ir_v_perm2(s->b, x86_vread256(s, i, 1), c, imm), x86_none);
        return;
    }
    for (unsigned p = 0; p < 2; p++) {       /* read whatever is taken of it */
        second[p] = x86_vread(s, i, 2, p);
    }
    for (unsigned p = 0; p < 2; p++) {
        unsigned how = imm >> (4 * p) & 15;
        r[p] = how & 8   ? ir_v_zero(s->b, IR_V128)
               : how & 2 ? second[how & 1]
                         : x86_vread(s, i, 1, how & 1);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void trans_PERMD(X86Ctx *s, X86Insn *i)
{
    if (x86_whole(s, i)) {
        IrVal c = x86_vread256(s, i, 2);
        x86_vwrite(s, i, ir_v_permd(s->b, x86_vread256(s, i, 1), c), x86_none);
        return;
    }
    IrVal low = x86_vread(s, i, 2, 0), high = x86_vread(s, i, 2, 1);
    IrVal a = ir_call_permd(s->b, low, high, x86_vread(s, i, 1, 0));
    IrVal c = ir_call_permd(s->b, low, high, x86_vread(s, i, 1, 1));

    x86_vwrite(s, i, a, c);
}

void trans_PERMQ(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned imm = x86_imm8(i);

    if (x86_whole(s, i)) {
        x86_vwrite(s, i, ir_v_permq(b, x86_vread256(s, i, 1), imm), x86_none);
        return;
    }
    IrVal v[2] = {x86_vread(s, i, 1, 0), x86_vread(s, i, 1, 1)}, r[2];

    for (unsigned p = 0; p < 2; p++) {
        unsigned x = imm >> (4 * p) & 3, y = imm >> (4 * p + 2) & 3;
        r[p] = ir_v_shufpd(b, v[x >> 1], v[y >> 1], (x & 1) | (y & 1) << 1);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void trans_BLENDD(X86Ctx *s, X86Insn *i)
{
    trans_BLENDPS(s, i);
}

/* ---- shifts by lane; tests ---- */

void trans_SHIFTV(X86Ctx *s, X86Insn *i)
{
    IrVal r[2] = {{0}, {0}}, c[2];
    if (ir_has_v256(s->b)) {
        static LaneFn *const fns[] = {ir_v_shr_l, ir_v_sar_l, ir_v_shl_l};
        x86_vec_lane(s, i, fns[i->opcode - 0x45], i->rex & 8 ? LANE_I64 : LANE_I32);
        return;
    }
    IrVal kind = ir_i32(s->b, (i->opcode - 0x45u) | (i->rex & 8 ? SHIFTV_64 : 0));

    for (unsigned p = 0; p < x86_parts(i); p++) {
        c[p] = x86_vread(s, i, 2, p);
    }
    for (unsigned p = 0; p < x86_parts(i); p++) {
        r[p] = ir_call_shiftv(s->b, x86_vread(s, i, 1, p), c[p], kind);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

/* Z: no sign bit of a & b; C: none of ~a & b. */
void trans_VTEST(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    IrLane lane = i->opcode == 0x0e ? LANE_F32 : LANE_F64;
    IrVal both = ir_i32(b, 0), only = ir_i32(b, 0), zero = ir_i32(b, 0), c[2];

    for (unsigned p = 0; p < x86_parts(i); p++) {
        c[p] = x86_vread(s, i, 1, p);
    }
    for (unsigned p = 0; p < x86_parts(i); p++) {
        IrVal a = x86_vread(s, i, 0, p);
        both = ir_or(b, both, ir_v_movmask(b, lane, ir_v_and(b, a, c[p])));
        only = ir_or(b, only, ir_v_movmask(b, lane, ir_v_andn(b, a, c[p])));
    }
    IrVal z = ir_zextq(b, ir_setcond(b, COND_EQ, both, zero)),
          f = ir_zextq(b, ir_setcond(b, COND_EQ, only, zero));
    x86_cc_eflags(s, ir_or(b, ir_shli(b, z, 6), f));
}

/* ---- memory by element ---- */

void trans_VMASKMOV(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    bool store = i->op[0].kind == X86_MEM;
    unsigned reg = i->op[store ? 2 : 0].reg, size = i->opcode < 0x80 ? 2u + (i->opcode & 1)
                                                    : i->rex & 8     ? 3
                                                                     : 2;

    x86_sync(s);
    ir_call_maskmov(b,
                    ir_i32(b, AVX_WORD(reg, i->op[1].reg, 0, size, 0, 0, i->vex_l, store, s->mmu)),
                    x86_addr(s, i));
}

void trans_VGATHER(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->rex & 8 ? 3 : 2, index_size = i->opcode & 1 ? 3 : 2, seg = x86_data_seg(i);
    unsigned reg = i->op[0].reg, mask = i->op[2].reg;

    if ((i->modrm & 7) != 4 || reg == mask || reg == i->vsib || mask == i->vsib) {
        x86_ud(s);
        return;
    }
    uint32_t word = AVX_WORD(reg, mask, i->vsib, size, index_size, i->scale, i->vex_l, 0, s->mmu);
    bool based = s->code64 ? seg >= S_FS : seg >= S_FS || s->mode & MODE_ADDSEG || seg == S_CS;
    x86_sync(s);
    IrVal base = based ? ir_get(b, V_ES_BASE + seg) : ir_i64(b, 0);
    ir_call_gather(b, ir_i32(b, word | (s->code64 ? AVX_CODE64 : 0)), x86_lea(s, i), base);
}

/* ---- FMA: the opcode's high digit gives the order of operands, the low one the signs ---- */

typedef IrVal FmaFn(IrBuilder *b, IrLane lane, IrVal x, IrVal y, IrVal z);

/* Operands in the order product, product, addend. */
static void fma_operands(const X86Insn *i, unsigned order[3])
{
    static const uint8_t orders[3][3] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}};     /* 132, 213, 231 */

    for (unsigned n = 0; n < 3; n++) {
        order[n] = orders[(i->opcode >> 4) - 9][n];
    }
}

void trans_FMA(X86Ctx *s, X86Insn *i)
{
    static FmaFn *const fns[16] = {
        [6] = ir_v_fmaddsub, [7] = ir_v_fmsubadd, [8] = ir_v_fma,
        [10] = ir_v_fms,     [12] = ir_v_fnma,    [14] = ir_v_fnms,
    };
    IrVal r[2] = {{0}, {0}}, v[2][3];
    unsigned order[3];

    fma_operands(i, order);
    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        for (unsigned n = 3; n-- > 0;) {
            v[p][n] = x86_vstep(s, i, n, p);
        }
    }
    for (unsigned p = 0; p < x86_steps(s, i); p++) {
        r[p] = fns[i->opcode & 15](s->b, i->rex & 8 ? LANE_F64 : LANE_F32, v[p][order[0]],
                                   v[p][order[1]], v[p][order[2]]);
    }
    x86_vwrite(s, i, r[0], r[1]);
}

void trans_FMA_scalar(X86Ctx *s, X86Insn *i)
{
    static FmaFn *const fns[16] = {
        [9] = ir_s_fma, [11] = ir_s_fms, [13] = ir_s_fnma, [15] = ir_s_fnms};
    IrLane lane = i->rex & 8 ? LANE_F64 : LANE_F32;
    unsigned order[3];
    IrVal v[3];

    fma_operands(i, order);
    for (unsigned n = 3; n-- > 0;) {
        v[n] = x86_vread(s, i, n, 0);
    }
    IrVal r = fns[i->opcode & 15](s->b, lane, v[order[0]], v[order[1]], v[order[2]]);
    /* the other lanes are the second factor's */
    x86_vwrite(s, i, order[1] == 0 ? r : ir_s_merge(s->b, lane, v[0], r), x86_none);
}

/* ---- half floats ---- */

void trans_CVTPH2PS(X86Ctx *s, X86Insn *i)
{
    IrVal v = x86_vread(s, i, 1, 0), high = x86_none;

    if (i->op[0].size == 5) {
        high = ir_call_cvtph2ps(s->b, ir_v_shr_bytes(s->b, v, 8));
    }
    x86_vwrite(s, i, ir_call_cvtph2ps(s->b, v), high);
}

void trans_CVTPS2PH(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    IrVal imm = ir_i32(b, x86_imm8(i)), v = ir_call_cvtps2ph(b, x86_vread(s, i, 1, 0), imm);

    if (i->vex_l) {
        v = x86_concat64(s, v, ir_call_cvtps2ph(b, x86_vread(s, i, 1, 1), imm));
    }
    if (i->op[0].kind != X86_MEM) {
        x86_vwrite(s, i, v, x86_none);
    } else if (i->vex_l) {
        ir_store(b, v, x86_addr(s, i), MEM_128, s->mmu);
    } else {
        x86_store(s, 3, ir_v_extract(b, LANE_I64, v, 0), x86_addr(s, i));
    }
}
