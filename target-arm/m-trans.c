// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * T32 on M profile: which rows of the Thumb tables a core has, what branches to EXC_RETURN values,
 * special registers, state changes of the Security Extension, and the conditions under which FP
 * instructions run. C1, C2.
 */
#include "target-arm/a32-trans.h"
#include "target-arm/m-decode.h"
#include "target-arm/m-trans.h"
#include "target-arm/neonx-decode.h"
#include "target-arm/vfp-decode.h"

typedef bool Trans(ArmCtx *s, const A32Insn *i);

/* ---- who has what ---- */

enum { NEVER, ALL, V8_BASE, DSP };

typedef struct NeedRow {
    Trans *trans;
    uint8_t need;
} NeedRow;

/* 32-bit rows that are not in every core with the Main Extension. */
static const NeedRow needs32[] = {
    {trans_a32_barrier, ALL}, {trans_a32_isb, ALL}, {trans_a32_undefined, ALL},
    {trans_a32_movw, V8_BASE}, {trans_a32_movt, V8_BASE}, {trans_a32_div, V8_BASE}, {trans_a32_ldrex, V8_BASE}, {trans_a32_strex, V8_BASE},
    {trans_a32_lda, V8_BASE}, {trans_a32_stl, V8_BASE}, {trans_a32_clrex, V8_BASE},
    {trans_a32_pkh, DSP}, {trans_a32_qadd, DSP}, {trans_a32_parallel, DSP}, {trans_a32_sel, DSP}, {trans_a32_smlad, DSP},
    {trans_a32_smlald, DSP}, {trans_a32_smmla, DSP}, {trans_t32_smlaxy, DSP}, {trans_t32_smlaw, DSP}, {trans_a32_smlalxy, DSP},
    {trans_a32_umaal, DSP}, {trans_a32_usada8, DSP},
    {trans_a32_srs, NEVER}, {trans_a32_rfe, NEVER}, {trans_a32_hvc, NEVER}, {trans_a32_smc, NEVER}, {trans_a32_msr_r, NEVER},
    {trans_a32_mrs, NEVER}, {trans_a32_msr_bank, NEVER}, {trans_a32_mrs_bank, NEVER}, {trans_t32_subs_pc, NEVER}, {trans_a32_bx, NEVER},
    {trans_t32_blx, NEVER}, {trans_a32_crc, NEVER}, {trans_t32_strexd, NEVER}, {trans_t32_ldrexd, NEVER},
};

static bool has32(const ArmCtx *s, const A32Insn *i)
{
    bool main = arm_has(s->cpu, FEATURE_M_MAIN), v8 = arm_has(s->cpu, FEATURE_M_V8),
         dsp = arm_has(s->cpu, FEATURE_M_DSP);

    if (i->row->trans == trans_t32_b) {
        return main || v8 || i->link;
    }
    if (i->row->trans == trans_a32_cps) {           /* hints share the row */
        return main && i->imod == 0 && !i->m;
    }
    if (i->row->trans == trans_a32_xta) {
        return dsp || (main && i->rn == 15 && i->kind != 0);
    }
    if (i->row->trans == trans_t32_sat && i->type && i->amt == 0) {
        return dsp;
    }
    for (unsigned k = 0; k < ARRAY_COUNT(needs32); k++) {
        if (i->row->trans == needs32[k].trans) {
            switch (needs32[k].need) {
            case ALL:
                return true;
            case V8_BASE:
                return main || v8;
            case DSP:
                return dsp;
            default:
                return false;
            }
        }
    }
    return main;
}

/* ---- 16 bits ---- */

static void m_cps(ArmCtx *s, const A32Insn *i)
{
    unsigned bits = (i->aif & 2 ? 1 : 0) | (i->aif & 1 && arm_has(s->cpu, FEATURE_M_MAIN) ? 2 : 0);

    if (s->mode & MODE_USER_A32 || !bits) {
        return;
    }
    ir_call_m_cps(s->b, ir_i32(s->b, bits), ir_i32(s->b, i->disable));
    arm_end_exit(s, true, IR_EXIT_LOOP);
}

/* 010001110 mmmm 1 LL: bit 2 says that it is BXNS or BLXNS */
static bool m_bxns(ArmCtx *s, uint32_t w)
{
    bool link = w & 0x80;
    unsigned rm = w >> 3 & 15;

    if (!arm_has(s->cpu, FEATURE_M_SEC) || !(s->mode & MODE_SECURE) || rm == 13 || rm == 15) {
        return false;
    }
    ir_env_store(s->b, ir_i32(s->b, s->it), offsetof(ArmCpu, it), MEM_32);
    ir_call_m_bxns(s->b, a32_reg(s, rm), ir_i32(s->b, link ? (uint32_t)s->next : 0));
    if (ir_is_open(s->b)) {
        ir_exit(s->b, IR_EXIT_LOOP);
    }
    s->ended = true;
    return true;
}

static bool dispatch16(ArmCtx *s, uint32_t w)
{
    A32Insn i = {0};

    if ((w & 0xff04) == 0x4704) {
        return m_bxns(s, w);
    }
    if (!t16_decode(&i, w)) {
        return false;
    }
    if (i.row->trans == trans_t16_cps) {
        if (s->in_it) {
            return false;
        }
        m_cps(s, &i);
        return true;
    }
    if ((i.row->trans == trans_t16_it && !arm_has(s->cpu, FEATURE_M_MAIN)) ||
        i.row->trans == trans_a32_setend ||
        (i.row->trans == trans_t16_cbz && !arm_has(s->cpu, FEATURE_M_MAIN) &&
         !arm_has(s->cpu, FEATURE_M_V8))) {
        return false;
    }
    return i.row->trans(s, &i);
}

/* ---- FP ---- */

static void no_coprocessor(ArmCtx *s)
{
    ir_call_m_nocp(s->b);
    if (ir_is_open(s->b)) {
        ir_exit(s->b, IR_EXIT_LOOP);
    }
    s->ended = s->ended || !s->skip;
}

bool arm_m_fp_ok(ArmCtx *s)
{
    if (s->mode & MODE_M_NOCP) {
        no_coprocessor(s);
        return false;
    }
    if (s->mode & MODE_M_FP_PREPARE) {
        ir_call_m_fp_prepare(s->b);
        if (ir_is_open(s->b)) {
            ir_exit(s->b, IR_EXIT_LOOP);
        }
        s->ended = s->ended || !s->skip;
        return false;
    }
    return true;
}

/* There are 16 double registers, and arithmetic on them only in some cores. */
static bool registers_ok(const ArmCtx *s, const A32Insn *i)
{
    Trans *t = i->row->trans;
    bool moves = t == trans_vfp_ldst || t == trans_vfp_ldm || t == trans_vfp_mov2;

    if (t == trans_vfp_scalar) {
        return !i->lo && !(i->opc1 & 2) && !i->opc2 && !i->unsgn;
    }
    if (t == trans_vfp_dup || ((t == trans_vfp_vmrs || t == trans_vfp_vmsr) && i->r != 1)) {
        return false;
    }
    if (t == trans_vfp_mov1 || t == trans_vfp_vmrs || t == trans_vfp_vmsr) {
        return true;
    }
    if (t == trans_vfp_cvt) {
        return arm_has(s->cpu, FEATURE_VFP_DOUBLE) && !(i->dp ? i->hi : i->bits);
    }
    if (!i->dp) {
        return true;
    }
    if (!moves && !arm_has(s->cpu, FEATURE_VFP_DOUBLE)) {
        return false;
    }
    if (t == trans_vfp_ldm) {
        return !i->bits && i->vd + i->imm / 2 <= 16;
    }
    if (t == trans_vfp_from_int) {
        return !i->bits;
    }
    if (t == trans_vfp_to_int || t == trans_vfp_cvt_round) {
        return !i->hi;
    }
    return !i->bits && !i->lo && !(t != trans_vfp_fixed && t != trans_vfp_imm && i->hi);
}

static bool dispatch_fp(ArmCtx *s, uint32_t w)
{
    A32Insn i = {0};

    if (w >> 28 == 15) {
        return arm_has(s->cpu, FEATURE_VFP5) && neonx_decode(&i, w) &&
               i.row->trans != trans_vfp_movx && i.row->trans != trans_vfp_ins &&
               registers_ok(s, &i) && i.row->trans(s, &i);
    }
    return vfp_decode(&i, w) && registers_ok(s, &i) && i.row->trans(s, &i);
}

static bool dispatch_coprocessor(ArmCtx *s, uint32_t w)
{
    unsigned cp = w >> 8 & 15;

    if (!arm_has(s->cpu, FEATURE_M_MAIN)) {
        return false;
    }
    if ((cp & 14) != 10 || !arm_has(s->cpu, FEATURE_VFP) || s->mode & MODE_M_NOCP) {
        no_coprocessor(s);
        return true;
    }
    return dispatch_fp(s, w);
}

/* ---- 32 bits ---- */

bool trans_m_mrs(ArmCtx *s, const A32Insn *i)
{
    if (i->rd == 13 || i->rd == 15) {
        return false;
    }
    a32_set_plain(s, i->rd, ir_call_m_mrs(s->b, ir_i32(s->b, i->sysm)));
    return true;
}

bool trans_m_msr(ArmCtx *s, const A32Insn *i)
{
    if (i->rn == 13 || i->rn == 15) {
        return false;
    }
    ir_call_m_msr(s->b, ir_i32(s->b, i->sysm | i->mask << 10), a32_reg(s, i->rn));
    arm_cc_dynamic(s);
    s->cc_touched = true;
    arm_end_exit(s, true, IR_EXIT_LOOP);
    return true;
}

bool trans_m_sg(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_M_V8)) {
        return false;
    }
    if (arm_has(s->cpu, FEATURE_M_SEC) && !(s->mode & MODE_SECURE)) {
        ir_call_m_sg(s->b, ir_i32(s->b, (uint32_t)s->pc));
        s->it = 0;
        ir_env_store(s->b, ir_i32(s->b, 0), offsetof(ArmCpu, it), MEM_32);
        arm_end_exit(s, true, IR_EXIT_LOOP);
    }
    return true;
}

bool trans_m_tt(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_M_V8) || i->rd == 13 || i->rd == 15 || i->rn == 15 ||
        (i->op & 2 && !(s->mode & MODE_SECURE))) {
        return false;
    }
    a32_set_plain(
        s, i->rd,
        ir_call_m_tt(s->b, a32_reg(s, i->rn), ir_i32(s->b, i->op >> 1 | (i->op & 1) << 1)));
    return true;
}

/* FP registers out of the way of a call to Non-secure state, and back. */
bool trans_m_vlstm(ArmCtx *s, const A32Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_M_V8) || !arm_has(s->cpu, FEATURE_M_MAIN) || i->rn == 15 ||
        !(s->mode & MODE_SECURE)) {
        return false;
    }
    if (arm_has(s->cpu, FEATURE_VFP)) {
        if (i->load) {
            ir_call_m_vlldm(s->b, a32_reg(s, i->rn));
        } else {
            ir_call_m_vlstm(s->b, a32_reg(s, i->rn));
        }
        arm_end_exit(s, true, IR_EXIT_LOOP);
    }
    return true;
}

static bool dispatch32(ArmCtx *s, uint32_t w)
{
    A32Insn i = {0};

    if (m_decode(&i, w)) {
        return i.row->trans(s, &i);
    }
    if ((w & 0xec000000) == 0xec000000) {
        return dispatch_coprocessor(s, w);
    }
    return t32_decode(&i, w) && has32(s, &i) && i.row->trans(s, &i);
}

bool arm_m_dispatch(ArmCtx *s, uint32_t w)
{
    return s->insn_len == 2 ? dispatch16(s, w) : dispatch32(s, w);
}

/* ---- what shared translators ask ---- */

void arm_m_context(ArmCtx *s)
{
    unsigned base = s->mode & MODE_SECURE ? MMU_M_S_USER : MMU_M_NS_USER;

    s->mmu = base + (s->mode & MODE_USER_A32 ? 0 : s->mode & MODE_M_BARE ? 2 : 1);
    s->mmu_user = base;
}

/* Emitted before a BX: values that are no addresses leave for the helper. */
void arm_m_bx_check(ArmCtx *s, IrVal target, IrVar local)
{
    IrBuilder *b = s->b;
    bool sec = arm_has(s->cpu, FEATURE_M_SEC);

    if (!(s->mode & MODE_M_HANDLER) && !sec) {
        return;
    }
    IrBlock *magic = ir_cold_block(b), *plain = ir_block(b);

    ir_brcond(b, COND_GEU, target, ir_i32(b, sec ? FNC_RETURN : 0xff000000), magic, plain);
    ir_place(b, magic);
    ir_env_store(b, ir_i32(b, s->it), offsetof(ArmCpu, it), MEM_32);
    ir_call_m_bx(b, ir_get(b, local));
    if (ir_is_open(b)) {
        ir_exit(b, IR_EXIT_LOOP);
    }
    ir_place(b, plain);
}

void arm_m_sp_limit_check(ArmCtx *s, IrVal sp)
{
    if (s->mode & MODE_M_LIMIT) {
        ir_call_m_sp_check(s->b, sp);
    }
}
