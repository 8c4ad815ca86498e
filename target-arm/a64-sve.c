// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A64: SVE and SVE2, but memory. Rows become descriptors of helpers; counts are known to the
 * translator, whose key has the length. C8.2.
 */
#include "target-arm/a64-sve.h"

#include "target-arm/simd-ops.h"

bool arm_sve_valid(const ArmCtx *s, const A64Insn *i)
{
    return arm_has(s->cpu, FEATURE_SVE) && (!i->feat || arm_has(s->cpu, (unsigned)i->feat)) &&
           (!i->sizes || i->sizes >> i->size & 1);
}

uint64_t arm_sve_desc(const ArmCtx *s, const A64Insn *i, unsigned size)
{
    int imm = i->elem ? i->index : i->imm;

    return sv_desc((unsigned)i->rd, (unsigned)i->rn, (unsigned)i->rm, (unsigned)i->ra,
                   (unsigned)i->pg, size, (unsigned)i->op) |
           sv_imm_bits(imm) | (uint64_t)i->elem << SV_ELEM_SHIFT | (uint64_t)i->tn << SV_TN_SHIFT |
           (uint64_t)i->tm << SV_TM_SHIFT | (uint64_t)i->setf << SV_SETF_SHIFT |
           (uint64_t)(arm_vl(s) / 16 - 1) << 60;
}

/*
 * Whether to go on: the row is there, and SVE may be used (else the trap has been raised). *valid
 * is the trans_ function's result.
 */
static bool go(ArmCtx *s, const A64Insn *i, bool *valid)
{
    *valid = arm_sve_valid(s, i);
    return *valid && arm_sve_ok(s);
}

static IrVal desc64(ArmCtx *s, uint64_t desc)
{
    s->zcleared = 0;
    return ir_i64(s->b, desc);
}

static IrVal plain(ArmCtx *s, const A64Insn *i)
{
    return desc64(s, arm_sve_desc(s, i, (unsigned)i->size));
}

/* A row that is a helper's call. */
#define SIMPLE(name_)                                                                              \
    bool trans_sve_##name_(ArmCtx *s, const A64Insn *i)                                            \
    {                                                                                              \
        bool valid;                                                                                \
                                                                                                   \
        if (go(s, i, &valid)) {                                                                    \
            ir_call_sve_##name_(s->b, plain(s, i));                                                \
        }                                                                                          \
        return valid;                                                                              \
    }

SIMPLE(bin)
SIMPLE(tern)
SIMPLE(un)
SIMPLE(red)
SIMPLE(eorbt)
SIMPLE(mmla)
SIMPLE(crypto)
SIMPLE(pair)
SIMPLE(fbin)
SIMPLE(ftern)
SIMPLE(fpair)
SIMPLE(ftmad)
SIMPLE(fun)
SIMPLE(fred)
SIMPLE(fmlal)
SIMPLE(bfdot)

bool trans_sve_fmmla(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (i->size == 3 && arm_vl(s) < 32 && !(s->mode & MODE_SVE_TRAP)) {
        return false;
    }
    if (go(s, i, &valid)) {
        ir_call_sve_fmmla(s->b, plain(s, i));
    }
    return valid;
}

bool trans_sve_perm(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (i->size == 4 && arm_vl(s) < 32 && !(s->mode & MODE_SVE_TRAP)) {
        return false;
    }
    if (go(s, i, &valid)) {
        ir_call_sve_perm(s->b, plain(s, i));
    }
    return valid;
}

/* EXT of two successive registers. */
bool trans_sve_ext2(ArmCtx *s, const A64Insn *i)
{
    A64Insn two = *i;

    two.rm = (i->rn + 1) & 31;
    return trans_sve_perm(s, &two);
}

/* ---- rows whose size says 2 + sz ---- */

static unsigned size_or_sz(const A64Insn *i)
{
    return i->size ? (unsigned)i->size : 2 + (unsigned)i->sz;
}

bool trans_sve_dot(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        ir_call_sve_dot(s->b, desc64(s, arm_sve_desc(s, i, size_or_sz(i))));
    }
    return valid;
}

bool trans_sve_adcl(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        ir_call_sve_adcl(s->b, desc64(s, arm_sve_desc(s, i, size_or_sz(i))));
    }
    return valid;
}

/* The rotation travels in tn. */
static IrVal rotated(ArmCtx *s, const A64Insn *i, unsigned size)
{
    return desc64(s, arm_sve_desc(s, i, size) | (uint64_t)i->rot << SV_TN_SHIFT);
}

bool trans_sve_cdot(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        ir_call_sve_cdot(s->b, rotated(s, i, size_or_sz(i)));
    }
    return valid;
}

#define ROTATED(name_)                                                                             \
    bool trans_sve_##name_(ArmCtx *s, const A64Insn *i)                                            \
    {                                                                                              \
        bool valid;                                                                                \
                                                                                                   \
        if (go(s, i, &valid)) {                                                                    \
            ir_call_sve_##name_(s->b, rotated(s, i, (unsigned)i->size));                           \
        }                                                                                          \
        return valid;                                                                              \
    }

ROTATED(cmla)
ROTATED(cadd)
ROTATED(fcmla)
ROTATED(fcadd)

/* ---- widening, narrowing, shifts ---- */

bool trans_sve_long(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (i->size == 0) {
        return false;
    }
    if (go(s, i, &valid)) {
        ir_call_sve_long(s->b, plain(s, i));
    }
    return valid;
}

bool trans_sve_pmull(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (i->size == 2 || (i->size == 0 && !arm_has(s->cpu, FEATURE_SVE_PMULL))) {
        return false;
    }
    if (go(s, i, &valid)) {
        ir_call_sve_long(s->b, desc64(s, arm_sve_desc(s, i, i->size ? (unsigned)i->size : 4)));
    }
    return valid;
}

/* tsz:imm3: log2 of the element's bytes; false: unallocated. */
static bool tsz_size(unsigned imm, unsigned *size)
{
    if (imm >> 3 == 0) {
        return false;
    }
    *size = 31 - (unsigned)__builtin_clz(imm >> 3);
    return true;
}

static IrVal with_imm(ArmCtx *s, const A64Insn *i, unsigned size, unsigned imm)
{
    A64Insn other = *i;

    other.imm = (int)imm;
    return desc64(s, arm_sve_desc(s, &other, size));
}

bool trans_sve_shll(ArmCtx *s, const A64Insn *i)
{
    unsigned size;
    bool valid;

    if (!tsz_size((unsigned)i->imm, &size)) {
        return false;
    }
    if (go(s, i, &valid)) {
        ir_call_sve_shll(s->b, with_imm(s, i, size + 1, (unsigned)i->imm - (8u << size)));
    }
    return valid;
}

bool trans_sve_shrn(ArmCtx *s, const A64Insn *i)
{
    unsigned size;
    bool valid;

    if (!tsz_size((unsigned)i->imm, &size)) {
        return false;
    }
    if (go(s, i, &valid)) {
        ir_call_sve_narrow(s->b, with_imm(s, i, size, (16u << size) - (unsigned)i->imm));
    }
    return valid;
}

bool trans_sve_xtn(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (i->imm != 1 && i->imm != 2 && i->imm != 4) {
        return false;
    }
    if (go(s, i, &valid)) {
        ir_call_sve_narrow(s->b, with_imm(s, i, (unsigned)i->imm >> 1, 0));
    }
    return valid;
}

bool trans_sve_addhn(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (i->size == 0) {
        return false;
    }
    if (go(s, i, &valid)) {
        ir_call_sve_narrow(s->b, desc64(s, arm_sve_desc(s, i, (unsigned)i->size - 1)));
    }
    return valid;
}

bool trans_sve_shift(ArmCtx *s, const A64Insn *i)
{
    static const uint32_t left =
        1 << SVS_LSL | 1 << SVS_SQSHL | 1 << SVS_UQSHL | 1 << SVS_SQSHLU | 1 << SVS_SLI;
    unsigned size, imm = (unsigned)i->imm;
    bool valid;

    if (!tsz_size(imm, &size)) {
        return false;
    }
    if (go(s, i, &valid)) {
        ir_call_sve_shift(
            s->b,
            with_imm(s, i, size, left >> i->op & 1 ? imm - (8u << size) : (16u << size) - imm));
    }
    return valid;
}

/* ---- immediates ---- */

/* rd = op(rn, b) by pg; tn: inactive elements become 0. */
static void with_value(ArmCtx *s, const A64Insn *i, unsigned rn, unsigned pg, unsigned op,
                       bool zero, IrVal b)
{
    uint64_t d = sv_desc((unsigned)i->rd, rn, 0, 0, pg, (unsigned)i->size, op) |
                 (uint64_t)zero << SV_TN_SHIFT | (uint64_t)(arm_vl(s) / 16 - 1) << 60;

    ir_call_sve_bini(s->b, desc64(s, d), b);
}

bool trans_sve_bitimm(ArmCtx *s, const A64Insn *i)
{
    unsigned imm = (unsigned)i->imm;
    A64Insn wide = *i;
    uint64_t mask;
    bool valid;

    if (!arm_bitmask(imm >> 12, imm >> 6 & 63, imm & 63, true, &mask)) {
        return false;
    }
    wide.size = 3;
    if (go(s, i, &valid)) {
        with_value(s, &wide, (unsigned)i->rd, NOPG, (unsigned)i->op, false, ir_i64(s->b, mask));
    }
    return valid;
}

/* VFPExpandImm in an element's format. */
static uint64_t float_imm(unsigned size, unsigned imm)
{
    unsigned e = size == 1 ? 5 : size == 2 ? 8 : 11, m = sv_bits(size) - e - 1;
    uint64_t b = imm >> 6 & 1, exponent = ((b ^ 1) << (e - 1)) |
                                          (b ? ((1ull << (e - 3)) - 1) << 2 : 0) | (imm >> 4 & 3);

    return (uint64_t)(imm >> 7 & 1) << (sv_bits(size) - 1) | exponent << m |
           (uint64_t)(imm & 15) << (m - 4);
}

bool trans_sve_cpyi(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (i->size == 0 && i->sh) {
        return false;
    }
    if (go(s, i, &valid)) {
        uint64_t v = i->op == 2 ? float_imm((unsigned)i->size, (unsigned)i->imm)
                                : (uint64_t)((int64_t)i->imm * (i->sh ? 256 : 1));

        with_value(s, i, (unsigned)i->rd, (unsigned)i->pg == 16 ? 16 : (unsigned)i->pg, SVB_SECOND,
                   i->op == 0, ir_i64(s->b, v));
    }
    return valid;
}

bool trans_sve_arithi(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (i->size == 0 && i->sh) {
        return false;
    }
    if (go(s, i, &valid)) {
        uint64_t v = sv_zx((uint64_t)((int64_t)i->imm * (i->sh ? 256 : 1)), (unsigned)i->size);

        with_value(s, i, (unsigned)i->rd, NOPG, (unsigned)i->op, false, ir_i64(s->b, v));
    }
    return valid;
}

bool trans_sve_fdup(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        with_value(s, i, (unsigned)i->rd, NOPG, SVB_SECOND, false,
                   ir_i64(s->b, float_imm((unsigned)i->size, (unsigned)i->imm)));
    }
    return valid;
}

bool trans_sve_fimm(ArmCtx *s, const A64Insn *i)
{
    static const uint8_t ops[8] = {FP_ADD,   FP_SUB,   FP_MUL, FP_SUB,
                                   FP_MAXNM, FP_MINNM, FP_MAX, FP_MIN};
    static const uint8_t values[8][2] = {{0x60, 0x70}, {0x60, 0x70}, {0x60, 0},    {0x60, 0x70},
                                         {0xff, 0x70}, {0xff, 0x70}, {0xff, 0x70}, {0xff, 0x70}};
    unsigned imm = values[i->op][i->imm], op = ops[i->op];
    bool valid;

    if (go(s, i, &valid)) {
        uint64_t d = sv_desc((unsigned)i->rd, (unsigned)i->rd, 0, 0, (unsigned)i->pg,
                             (unsigned)i->size, op) |
                     (uint64_t)(i->op == 3) << SV_TN_SHIFT | (uint64_t)(arm_vl(s) / 16 - 1) << 60;

        ir_call_sve_fbini(s->b, desc64(s, d),
                          ir_i64(s->b, imm == 0xff ? 0 : float_imm((unsigned)i->size, imm)));
    }
    return valid;
}

/* ---- scalars into vectors and back ---- */

bool trans_sve_index(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        IrVal start =
            i->op & 1 ? arm_x(s, (unsigned)i->rn) : ir_i64(s->b, (uint64_t)(int64_t)i->imm);
        IrVal step =
            i->op & 2 ? arm_x(s, (unsigned)i->rm) : ir_i64(s->b, (uint64_t)(int64_t)i->imm2);

        ir_call_sve_index(s->b, plain(s, i), start, step);
    }
    return valid;
}

bool trans_sve_dupr(ArmCtx *s, const A64Insn *i)
{
    A64Insn all = *i;
    bool valid;

    all.pg = i->op == 2 ? i->pg : NOPG;
    if (go(s, i, &valid)) {
        IrVal x = i->op == 1 ? arm_x(s, (unsigned)i->rn) : arm_xsp(s, (unsigned)i->rn);

        ir_call_sve_dupr(s->b, plain(s, &all), x);
    }
    return valid;
}

bool trans_sve_dupx(ArmCtx *s, const A64Insn *i)
{
    A64Insn d = *i;
    unsigned size;
    bool valid;

    if (!(i->imm & 31)) {
        return false;
    }
    size = (unsigned)__builtin_ctz((unsigned)i->imm);
    d.op = 3;
    d.imm = 0;
    if (go(s, i, &valid)) {
        ir_call_sve_dupr(s->b, desc64(s, arm_sve_desc(s, &d, size)),
                         ir_i64(s->b, (unsigned)i->imm >> (size + 1)));
    }
    return valid;
}

bool trans_sve_last(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        arm_set_x(s, (unsigned)i->rd,
                  ir_call_sve_last(s->b, plain(s, i), arm_x(s, (unsigned)i->rd)));
    }
    return valid;
}

/* ---- counts ---- */

bool trans_sve_addvl(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        int64_t v = (int64_t)i->imm * (int)(i->op ? arm_vl(s) / 8 : arm_vl(s));

        if (i->rn == 32) {
            arm_set_x(s, (unsigned)i->rd, ir_i64(s->b, (uint64_t)v));
        } else {
            arm_set_xsp(s, (unsigned)i->rd, ir_addi(s->b, arm_xsp(s, (unsigned)i->rn), v));
        }
    }
    return valid;
}

static uint64_t count_of(const ArmCtx *s, const A64Insn *i)
{
    return (uint64_t)sv_pattern((unsigned)i->pat, arm_vl(s) >> i->size) * ((unsigned)i->imm + 1);
}

bool trans_sve_cnt(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        uint64_t n = count_of(s, i);
        IrVal x = i->op ? arm_x(s, (unsigned)i->rd) : ir_i64(s->b, 0);

        arm_set_x(s, (unsigned)i->rd, ir_addi(s->b, x, (int64_t)(i->op == 2 ? 0 - n : n)));
    }
    return valid;
}

static void saturated(ArmCtx *s, const A64Insn *i, IrVal count)
{
    uint64_t bits = (uint64_t)i->u | (uint64_t)i->sub << 1 | (uint64_t)i->sf << 2;

    arm_set_x(s, (unsigned)i->rd,
              ir_call_sve_satcnt(s->b, arm_x(s, (unsigned)i->rd), count, ir_i64(s->b, bits)));
}

bool trans_sve_satcnt(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        saturated(s, i, ir_i64(s->b, count_of(s, i)));
    }
    return valid;
}

bool trans_sve_zcnt(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        with_value(s, i, (unsigned)i->rd, NOPG, (unsigned)i->op, false,
                   ir_i64(s->b, count_of(s, i)));
    }
    return valid;
}

static IrVal active(ArmCtx *s, const A64Insn *i, unsigned pg)
{
    uint64_t d = sv_desc(0, (unsigned)i->rn, 0, 0, pg, (unsigned)i->size, 0) |
                 (uint64_t)(arm_vl(s) / 16 - 1) << 60;

    return ir_call_sve_cntp(s->b, ir_i64(s->b, d));
}

bool trans_sve_cntp(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        arm_set_x(s, (unsigned)i->rd, active(s, i, (unsigned)i->pg));
    }
    return valid;
}

bool trans_sve_incp(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        IrVal n = active(s, i, NOPG), x = arm_x(s, (unsigned)i->rd);

        arm_set_x(s, (unsigned)i->rd, i->op ? ir_sub(s->b, x, n) : ir_add(s->b, x, n));
    }
    return valid;
}

bool trans_sve_satincp(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        saturated(s, i, active(s, i, NOPG));
    }
    return valid;
}

bool trans_sve_zincp(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        IrVal n = active(s, i, NOPG);

        with_value(s, i, (unsigned)i->rd, NOPG, (unsigned)i->op, false, n);
    }
    return valid;
}

/* ---- loops ---- */

bool trans_sve_while(ArmCtx *s, const A64Insn *i)
{
    A64Insn d = *i;
    bool valid;

    if (!i->lt && !arm_has(s->cpu, FEATURE_SVE2)) {
        return false;
    }
    d.tn = i->u | i->lt << 1;
    d.op = i->eq;
    d.tm = i->sf;
    if (go(s, i, &valid)) {
        arm_cc_nzcv(s, ir_call_sve_while(s->b, ir_i64(s->b, arm_sve_desc(s, &d, (unsigned)i->size)),
                                         arm_x(s, (unsigned)i->rn), arm_x(s, (unsigned)i->rm)));
    }
    return valid;
}

bool trans_sve_whilewr(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        arm_cc_nzcv(s,
                    ir_call_sve_whilewr(s->b, ir_i64(s->b, arm_sve_desc(s, i, (unsigned)i->size)),
                                        arm_x(s, (unsigned)i->rn), arm_x(s, (unsigned)i->rm)));
    }
    return valid;
}

bool trans_sve_cterm(ArmCtx *s, const A64Insn *i)
{
    IrBuilder *b = s->b;
    bool valid;

    if (go(s, i, &valid)) {
        IrVal old = arm_nzcv_ir(s), c = ir_extract(b, old, 1, 1);
        IrVal end = ir_setcond(b, i->op ? COND_NE : COND_EQ, arm_r(s, i->sf, (unsigned)i->rn),
                               arm_r(s, i->sf, (unsigned)i->rm));
        IrVal v = ir_andc(b, ir_xor(b, c, ir_i32(b, 1)), end);

        arm_cc_nzcv(s, ir_or(b, ir_andi(b, old, 6), ir_or(b, ir_shli(b, end, 3), v)));
    }
    return valid;
}

/* ---- predicates ---- */

static void flags_if(ArmCtx *s, const A64Insn *i, IrVal nzcv)
{
    if (i->setf) {
        arm_cc_nzcv(s, nzcv);
    }
}

bool trans_sve_plogic(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        flags_if(s, i, ir_call_sve_plogic(s->b, ir_i64(s->b, arm_sve_desc(s, i, 0))));
    }
    return valid;
}

bool trans_sve_brk(ArmCtx *s, const A64Insn *i)
{
    bool valid;

    if (go(s, i, &valid)) {
        flags_if(s, i, ir_call_sve_brk(s->b, ir_i64(s->b, arm_sve_desc(s, i, (unsigned)i->size))));
    }
    return valid;
}

bool trans_sve_ptrue(ArmCtx *s, const A64Insn *i)
{
    A64Insn d = *i;
    bool valid;

    d.imm = (int)sv_pattern((unsigned)i->pat, arm_vl(s) >> i->size);
    if (go(s, i, &valid)) {
        flags_if(s, i,
                 ir_call_sve_ptrue(s->b, ir_i64(s->b, arm_sve_desc(s, &d, (unsigned)i->size))));
    }
    return valid;
}

bool trans_sve_cmp(ArmCtx *s, const A64Insn *i)
{
    A64Insn d = *i;
    bool valid;

    d.tn = i->wide;
    if (go(s, i, &valid)) {
        arm_cc_nzcv(s, ir_call_sve_cmp(s->b, ir_i64(s->b, arm_sve_desc(s, &d, (unsigned)i->size))));
    }
    return valid;
}

bool trans_sve_fcmp(ArmCtx *s, const A64Insn *i)
{
    A64Insn d = *i;
    bool valid;

    d.tn = i->wide;
    if (go(s, i, &valid)) {
        ir_call_sve_fcmp(s->b, ir_i64(s->b, arm_sve_desc(s, &d, (unsigned)i->size)));
    }
    return valid;
}

/* ---- conversions ---- */

bool trans_sve_fcvt(ArmCtx *s, const A64Insn *i)
{
    A64Insn d = *i;
    bool valid;

    d.rm = i->rot;
    if (go(s, i, &valid)) {
        ir_call_sve_fcvt(s->b, plain(s, &d));
    }
    return valid;
}

bool trans_sve_icvt(ArmCtx *s, const A64Insn *i)
{
    A64Insn d = *i;
    bool valid;

    d.tn = i->u;
    if (go(s, i, &valid)) {
        ir_call_sve_icvt(s->b, plain(s, &d));
    }
    return valid;
}
