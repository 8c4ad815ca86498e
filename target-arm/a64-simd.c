// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A64 Advanced SIMD on integers: what vector ops of the IR say is said with these, the rest is
 * helpers. C7.2.
 */
#include "target-arm/simd-ops.h"

static IrVal word(ArmCtx *s, uint32_t w)
{
    return ir_i32(s->b, w);
}

/* Writes a result; !q or scalar results of helpers have their upper parts 0 already. */
static void put(ArmCtx *s, unsigned rd, IrVal v)
{
    arm_put_v(s, rd, v);
}

/* ---- three of a kind ---- */

static bool v3_valid(const A64Insn *i)
{
    unsigned op = (unsigned)i->op, size = (unsigned)i->size;

    if (size == 3 && !i->q && !i->scalar) {
        return false;
    }
    switch (op) {
    case V3_SQDMULH:
    case V3_SQRDMULH:
    case V3_SQRDMLAH:
    case V3_SQRDMLSH:
        return size == 1 || size == 2;
    case V3_PMUL:
        return size == 0;
    case V3_SHADD:
    case V3_UHADD:
    case V3_SRHADD:
    case V3_URHADD:
    case V3_SHSUB:
    case V3_UHSUB:
    case V3_MLA:
    case V3_MLS:
    case V3_MUL:
    case V3_SMAXP:
    case V3_UMAXP:
    case V3_SMINP:
    case V3_UMINP:
        return size != 3;
    case V3_SQADD:
    case V3_UQADD:
    case V3_SQSUB:
    case V3_UQSUB:
    case V3_SQSHL:
    case V3_UQSHL:
    case V3_SQRSHL:
    case V3_UQRSHL:
        return true;
    default:
        if (op >= V3_SMAX && op <= V3_UABA) {
            return size != 3;
        }
        return !i->scalar || size == 3;
    }
}

static IrVal three(ArmCtx *s, const A64Insn *i, IrVal a, IrVal b)
{
    return arm_simd3(s, simd_word(i->op, i->size, i->q, i->scalar, false, 0), a, b,
                     arm_v(s, i->rd));
}

bool trans_v3(ArmCtx *s, const A64Insn *i)
{
    if (!v3_valid(i) || (i->op >= V3_SQRDMLAH && !arm_has(s->cpu, FEATURE_RDM))) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd, three(s, i, arm_v(s, i->rn), arm_v(s, i->rm)));
    }
    return true;
}

/* The element that a by-element form names; false: unallocated. */
static bool element(const A64Insn *i, unsigned size, unsigned *reg, unsigned *index)
{
    switch (size) {
    case 1:
        *reg = (unsigned)i->rm & 15;
        *index = (unsigned)(i->h << 2 | i->l << 1 | i->rm >> 4);
        return true;
    case 2:
        *reg = (unsigned)i->rm;
        *index = (unsigned)(i->h << 1 | i->l);
        return true;
    case 3:
        *reg = (unsigned)i->rm;
        *index = (unsigned)i->h;
        return !i->l;
    default:
        return false;
    }
}

static IrVal splat(ArmCtx *s, unsigned size, unsigned reg, unsigned index)
{
    IrLane lane = LANE_I8 + size;

    return ir_v_splat(s->b, IR_V128, lane, ir_v_extract(s->b, lane, arm_v(s, reg), index));
}

bool trans_v3_elem(ArmCtx *s, const A64Insn *i)
{
    unsigned reg, index;

    if (i->size == 3 || !element(i, i->size, &reg, &index) || !v3_valid(i) ||
        (i->op >= V3_SQRDMLAH && !arm_has(s->cpu, FEATURE_RDM))) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal m = splat(s, i->size, reg, index);

        put(s, i->rd, three(s, i, arm_v(s, i->rn), m));
    }
    return true;
}

bool trans_vlogic(ArmCtx *s, const A64Insn *i)
{
    if (arm_fp_ok(s)) {
        arm_set_v(s, i->rd, i->q,
                  arm_simd_logic(s, i->op, arm_v(s, i->rn), arm_v(s, i->rm), arm_v(s, i->rd)));
    }
    return true;
}

bool trans_dot(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_DOTPROD)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal m = i->elem ? splat(s, 2, i->rm, i->index) : arm_v(s, i->rm);

        put(s, i->rd,
            arm_simd_dot(s, simd_word(0, 2, i->q, false, i->u, 0), arm_v(s, i->rn), m,
                         arm_v(s, i->rd)));
    }
    return true;
}

/* ---- two ---- */

static bool v2_valid(const A64Insn *i)
{
    unsigned size = (unsigned)i->size;

    switch (i->op) {
    case V2_REV64:
    case V2_SADDLP:
    case V2_UADDLP:
    case V2_SADALP:
    case V2_UADALP:
    case V2_CLS:
    case V2_CLZ:
        return size != 3;
    case V2_REV32:
        return size < 2;
    case V2_REV16:
    case V2_CNT:
        return size == 0;
    case V2_NOT:
    case V2_RBIT:
    case V2_URECPE:
    case V2_URSQRTE:
        return true;
    case V2_SUQADD:
    case V2_USQADD:
    case V2_SQABS:
    case V2_SQNEG:
        return i->scalar || size != 3 || i->q;
    default:
        return i->scalar ? size == 3 : size != 3 || i->q;
    }
}

bool trans_v2(ArmCtx *s, const A64Insn *i)
{
    unsigned size = i->op == V2_NOT || i->op == V2_RBIT ? 0 : (unsigned)i->size;

    if (!v2_valid(i)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_simd2(s, simd_word(i->op, size, i->q, i->scalar, false, 0), arm_v(s, i->rn),
                      arm_v(s, i->rd)));
    }
    return true;
}

/* A narrowed result in the low half goes to the half that q says. */
static void put_narrow(ArmCtx *s, const A64Insn *i, IrVal r)
{
    if (i->q) {
        r = ir_v_insert(s->b, LANE_I64, arm_v(s, i->rd), ir_v_extract(s->b, LANE_I64, r, 0), 1);
    }
    put(s, i->rd, r);
}

bool trans_narrow(ArmCtx *s, const A64Insn *i)
{
    if (i->size == 3) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put_narrow(s, i,
                   arm_simd_narrow(s, simd_word(i->op, i->size, false, i->scalar, false, 0),
                                   arm_v(s, i->rn)));
    }
    return true;
}

/* ---- shifts ---- */

/* immh:immb: log2 of the lane's bytes; false: immh is 0. */
static bool shift_size(const A64Insn *i, unsigned *size)
{
    unsigned immh = (unsigned)i->imm >> 3;

    if (immh == 0) {
        return false;
    }
    *size = 31 - (unsigned)__builtin_clz(immh);
    return true;
}

bool trans_shift(ArmCtx *s, const A64Insn *i)
{
    unsigned size, n;
    bool left, any_scalar = i->op == VS_SQSHL_I || i->op == VS_UQSHL_I || i->op == VS_SQSHLU;

    if (!shift_size(i, &size) || (size == 3 && !i->q) || (i->scalar && size != 3 && !any_scalar)) {
        return false;
    }
    left = any_scalar || i->op == VS_SHL_I || i->op == VS_SLI;
    n = left ? (unsigned)i->imm - (8u << size) : (16u << size) - (unsigned)i->imm;
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_simd_shift(s, simd_word(i->op, size, i->q, i->scalar, false, n), arm_v(s, i->rn),
                           arm_v(s, i->rd)));
    }
    return true;
}

bool trans_shrn(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!shift_size(i, &size) || size == 3) {
        return false;
    }
    if (arm_fp_ok(s)) {
        unsigned n = (16u << size) - (unsigned)i->imm;

        put_narrow(
            s, i,
            arm_simd_shrn(s, simd_word(i->op, size, false, i->scalar, false, n), arm_v(s, i->rn)));
    }
    return true;
}

/* The half of v that q names, in the low half. */
static IrVal half(ArmCtx *s, unsigned reg, bool q)
{
    IrVal v = arm_v(s, reg);

    return q ? ir_v_shr_bytes(s->b, v, 8) : v;
}

bool trans_shll(ArmCtx *s, const A64Insn *i)
{
    unsigned size;

    if (!shift_size(i, &size) || size == 3) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal v = half(s, i->rn, i->q);
        unsigned n = (unsigned)i->imm - (8u << size);

        v = i->u ? ir_v_zext(s->b, IR_V128, LANE_I8 + size, v, 2)
                 : ir_v_sext(s->b, IR_V128, LANE_I8 + size, v, 2);
        put(s, i->rd, n ? ir_v_shl_i(s->b, LANE_I16 + size, v, n) : v);
    }
    return true;
}

bool trans_SHLL(ArmCtx *s, const A64Insn *i)
{
    if (i->size == 3) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal v = ir_v_zext(s->b, IR_V128, LANE_I8 + i->size, half(s, i->rn, i->q), 2);

        put(s, i->rd, ir_v_shl_i(s->b, LANE_I16 + i->size, v, 8u << i->size));
    }
    return true;
}

/* ---- different widths ---- */

static void widen(ArmCtx *s, const A64Insn *i, IrVal m)
{
    bool wide_a = i->op == VW_ADDW || i->op == VW_SUBW;
    IrVal n = wide_a ? arm_v(s, i->rn) : half(s, i->rn, i->q);

    put(s, i->rd,
        arm_simd_widen(s, simd_word(i->op, i->size, false, i->scalar, i->u, 0), n, m,
                       arm_v(s, i->rd)));
}

static bool widen_valid(const A64Insn *i)
{
    return i->size != 3 && !(i->op >= VW_SQDMLAL && i->op <= VW_SQDMULL && i->size == 0);
}

bool trans_widen(ArmCtx *s, const A64Insn *i)
{
    if (!widen_valid(i)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        widen(s, i, half(s, i->rm, i->q));
    }
    return true;
}

bool trans_widen_elem(ArmCtx *s, const A64Insn *i)
{
    unsigned reg, index;

    if (!widen_valid(i) || i->size == 0 || !element(i, i->size, &reg, &index)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        widen(s, i, splat(s, i->size, reg, index));
    }
    return true;
}

bool trans_PMULL(ArmCtx *s, const A64Insn *i)
{
    if (i->size == 1 || i->size == 2 || (i->size == 3 && !arm_has(s->cpu, FEATURE_PMULL))) {
        return false;
    }
    if (!arm_fp_ok(s)) {
        return true;
    }
    if (i->size == 3) {
        IrVal n = ir_v_extract(s->b, LANE_I64, arm_v(s, i->rn), i->q),
              m = ir_v_extract(s->b, LANE_I64, arm_v(s, i->rm), i->q);

        put(s, i->rd, ir_call_pmull64(s->b, n, m));
    } else {
        put(s, i->rd,
            arm_simd_widen(s, simd_word(VW_PMULL, 0, false, false, true, 0), half(s, i->rn, i->q),
                           half(s, i->rm, i->q), arm_v(s, i->rd)));
    }
    return true;
}

bool trans_addhn(ArmCtx *s, const A64Insn *i)
{
    if (i->size == 3) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put_narrow(
            s, i,
            arm_simd_addhn(s, simd_word(0, i->size, false, false, false, i->sub | i->round << 1),
                           arm_v(s, i->rn), arm_v(s, i->rm)));
    }
    return true;
}

/* ---- across, copies, permutations ---- */

bool trans_across(ArmCtx *s, const A64Insn *i)
{
    if (i->size == 3 || (i->size == 2 && !i->q)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_simd_across(s, simd_word(i->op, i->size, i->q, false, false, 0), arm_v(s, i->rn)));
    }
    return true;
}

bool trans_ADDP_s(ArmCtx *s, const A64Insn *i)
{
    if (arm_fp_ok(s)) {
        IrVal v = arm_v(s, i->rn);

        put(s, i->rd, ir_v_low64(s->b, ir_v_add(s->b, LANE_I64, v, ir_v_shr_bytes(s->b, v, 8))));
    }
    return true;
}

/* imm5: lane size by its lowest set bit, index above that; false: none or 16 bytes. */
static bool imm5(unsigned imm, unsigned *size, unsigned *index)
{
    if (!(imm & 15)) {
        return false;
    }
    *size = (unsigned)__builtin_ctz(imm);
    *index = imm >> (*size + 1);
    return true;
}

bool trans_DUP_e(ArmCtx *s, const A64Insn *i)
{
    unsigned size, index;

    if (!imm5(i->imm, &size, &index) || (size == 3 && !i->q)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrLane lane = LANE_I8 + size;
        IrVal e = ir_v_extract(s->b, lane, arm_v(s, i->rn), index);

        if (i->scalar) {
            put(s, i->rd, ir_v_from_i(s->b, IR_V128, e));
        } else {
            arm_set_v(s, i->rd, i->q, ir_v_splat(s->b, IR_V128, lane, e));
        }
    }
    return true;
}

bool trans_DUP_g(ArmCtx *s, const A64Insn *i)
{
    unsigned size, index;

    if (!imm5(i->imm, &size, &index) || (size == 3 && !i->q)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        arm_set_v(s, i->rd, i->q,
                  ir_v_splat(s->b, IR_V128, LANE_I8 + size, arm_r(s, size == 3, i->rn)));
    }
    return true;
}

bool trans_UMOV(ArmCtx *s, const A64Insn *i)
{
    unsigned size, index;

    if (!imm5(i->imm, &size, &index) || (size == 3) != i->q) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal v = ir_v_extract(s->b, LANE_I8 + size, arm_v(s, i->rn), index);

        arm_set_r(s, size == 3, i->rd, v);
    }
    return true;
}

bool trans_SMOV(ArmCtx *s, const A64Insn *i)
{
    unsigned size, index;

    if (!imm5(i->imm, &size, &index) || size == 3 || (size == 2 && !i->q)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal v = ir_v_extract(s->b, LANE_I8 + size, arm_v(s, i->rn), index);

        v = size == 0 ? ir_sext8(s->b, v) : size == 1 ? ir_sext16(s->b, v) : v;
        arm_set_x(s, i->rd, i->q ? ir_sextq(s->b, v) : ir_zextq(s->b, v));
    }
    return true;
}

bool trans_INS_g(ArmCtx *s, const A64Insn *i)
{
    unsigned size, index;

    if (!imm5(i->imm, &size, &index)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            ir_v_insert(s->b, LANE_I8 + size, arm_v(s, i->rd), arm_r(s, size == 3, i->rn), index));
    }
    return true;
}

bool trans_INS_e(ArmCtx *s, const A64Insn *i)
{
    unsigned size, index;

    if (!imm5(i->imm, &size, &index)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        IrVal e = ir_v_extract(s->b, LANE_I8 + size, arm_v(s, i->rn), (unsigned)i->src >> size);

        put(s, i->rd, ir_v_insert(s->b, LANE_I8 + size, arm_v(s, i->rd), e, index));
    }
    return true;
}

bool trans_permute(ArmCtx *s, const A64Insn *i)
{
    if (i->size == 3 && !i->q) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            arm_simd_permute(s, simd_word(i->op, i->size, i->q, false, false, 0), arm_v(s, i->rn),
                             arm_v(s, i->rm)));
    }
    return true;
}

bool trans_EXT(ArmCtx *s, const A64Insn *i)
{
    if (!i->q && i->imm & 8) {
        return false;
    }
    if (!arm_fp_ok(s)) {
        return true;
    }
    IrVal n = arm_v(s, i->rn), m = arm_v(s, i->rm);

    if (i->q) {
        put(s, i->rd, i->imm ? ir_v_align(s->b, m, n, i->imm) : n);
    } else {
        IrVal both = ir_v_unpack_lo(s->b, LANE_I64, n, m);

        put(s, i->rd, ir_v_low64(s->b, ir_v_shr_bytes(s->b, both, i->imm)));
    }
    return true;
}

bool trans_TBL(ArmCtx *s, const A64Insn *i)
{
    if (arm_fp_ok(s)) {
        unsigned count = (unsigned)i->len + 1;
        IrVal table[4], d = arm_v(s, i->rd);

        for (unsigned n = 0; n < count; n++) {
            table[n] = arm_v(s, ((unsigned)i->rn + n) % 32);
        }
        put(s, i->rd,
            arm_simd_tbl(s, i->q, table, 16 * count, arm_v(s, i->rm), i->tbx ? &d : NULL));
    }
    return true;
}

/* ---- immediates (AdvSIMDExpandImm, J1.3) ---- */

uint64_t arm_expand_imm(unsigned op, unsigned cmode, unsigned imm)
{
    uint64_t v = imm;

    switch (cmode >> 1) {
    case 0:
    case 1:
    case 2:
    case 3:
        v <<= 8 * (cmode >> 1);
        return v | v << 32;
    case 4:
    case 5:
        v <<= 8 * (cmode >> 1 & 1);
        return v * 0x0001000100010001ull;
    case 6:
        v = cmode & 1 ? v << 16 | 0xffff : v << 8 | 0xff;
        return v | v << 32;
    default:
        break;
    }
    if (!(cmode & 1)) {
        if (!op) {
            return v * 0x0101010101010101ull;
        }
        v = 0;
        for (unsigned n = 0; n < 8; n++) {
            v |= imm >> n & 1 ? 0xffull << (8 * n) : 0;
        }
        return v;
    }
    if (!op) {
        v = (uint64_t)(imm >> 7) << 31 | (imm & 0x40 ? 0x3e000000u : 0x40000000u) |
            (uint64_t)(imm & 0x3f) << 19;
        return v | v << 32;
    }
    return (uint64_t)(imm >> 7) << 63 |
           (imm & 0x40 ? 0x3fc0000000000000ull : 0x4000000000000000ull) |
           (uint64_t)(imm & 0x3f) << 48;
}

bool trans_MOVI(ArmCtx *s, const A64Insn *i)
{
    IrBuilder *b = s->b;
    unsigned c = (unsigned)i->cmode;
    bool half = i->o2;
    uint64_t v;

    if (half && (c != 15 || i->o || !arm_has(s->cpu, FEATURE_FP16))) {
        return false;
    }
    if (c == 15 && i->o && !i->q) {
        return false;
    }
    if (!arm_fp_ok(s)) {
        return true;
    }
    if (half) {
        v = ((i->imm & 0x80 ? 0x8000u : 0) | (i->imm & 0x40 ? 0x3000u : 0x4000u) |
             ((unsigned)i->imm & 0x3f) << 6) *
            0x0001000100010001ull;
    } else {
        v = arm_expand_imm(i->o, c, (unsigned)i->imm);
    }
    bool orr = c < 12 && c & 1;     /* ORR and BIC; else MOVI and MVNI */
    bool invert = i->o && c < 14;
    IrVal imm = ir_i64(b, invert && !orr ? ~v : v);
    IrVal x = i->q ? ir_v_splat(b, IR_V128, LANE_I64, imm) : ir_v_from_i(b, IR_V128, imm);

    if (orr) {
        x = invert ? ir_v_andn(b, x, arm_v(s, i->rd)) : ir_v_or(b, x, arm_v(s, i->rd));
        arm_set_v(s, i->rd, i->q, x);
    } else {
        put(s, i->rd, x);
    }
    return true;
}

/* ---- cryptography ---- */

bool trans_aes(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_AES)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd, ir_call_aes(s->b, arm_v(s, i->rd), arm_v(s, i->rn), word(s, i->op)));
    }
    return true;
}

bool trans_sha3r(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, i->op < 4 ? FEATURE_SHA1 : FEATURE_SHA256)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            ir_call_sha_three(s->b, arm_v(s, i->rd), arm_v(s, i->rn), arm_v(s, i->rm),
                              word(s, i->op)));
    }
    return true;
}

bool trans_sha2r(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, i->op < 2 ? FEATURE_SHA1 : FEATURE_SHA256)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd, ir_call_sha_two(s->b, arm_v(s, i->rd), arm_v(s, i->rn), word(s, i->op)));
    }
    return true;
}

bool trans_sha512(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, i->op == 3 ? FEATURE_SHA3 : FEATURE_SHA512)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            ir_call_sha512(s->b, arm_v(s, i->rd), arm_v(s, i->rn), arm_v(s, i->rm),
                           word(s, i->op)));
    }
    return true;
}

bool trans_EOR3(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_SHA3)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            ir_v_xor(s->b, arm_v(s, i->rn), ir_v_xor(s->b, arm_v(s, i->rm), arm_v(s, i->ra))));
    }
    return true;
}

bool trans_BCAX(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_SHA3)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd,
            ir_v_xor(s->b, arm_v(s, i->rn), ir_v_andn(s->b, arm_v(s, i->ra), arm_v(s, i->rm))));
    }
    return true;
}

bool trans_XAR(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_SHA3)) {
        return false;
    }
    if (arm_fp_ok(s)) {
        put(s, i->rd, ir_call_xar(s->b, arm_v(s, i->rn), arm_v(s, i->rm), word(s, i->imm)));
    }
    return true;
}
