// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A32 and T32: fetching, conditions and IT blocks, the way to the tables; registers with their
 * peculiar pc; branches that may change the instruction set. F2, G1.
 */
#include "target-arm/a32-trans.h"
#include "target-arm/m-trans.h"

#include <string.h>

/* ---- registers ---- */

IrVal a32_reg(ArmCtx *s, unsigned n)
{
    if (n == 15) {
        return ir_trunc(s->b, arm_pc(s, s->pc + (s->thumb ? 4 : 8)));
    }
    return ir_trunc(s->b, ir_get(s->b, V_X0 + n));
}

IrVal a32_base(ArmCtx *s, unsigned n)
{
    return n == 15 ? ir_trunc(s->b, arm_pc(s, (s->pc + (s->thumb ? 4 : 8)) & ~3ull))
                   : a32_reg(s, n);
}

void a32_set_plain(ArmCtx *s, unsigned n, IrVal v)
{
    if (n == 13 && arm_is_m(s)) {
        v = ir_andi(s->b, v, ~3u);
        arm_m_sp_limit_check(s, v);
    }
    ir_set(s->b, V_X0 + n, ir_zextq(s->b, v));
}

void a32_branch(ArmCtx *s, IrVal target, IrWay way)
{
    arm_jump_val(s, ir_zextq(s->b, ir_andi(s->b, target, s->thumb ? ~1u : ~3u)), way);
    s->ended = true;
}

void a32_bx(ArmCtx *s, IrVal target, IrWay way)
{
    IrBuilder *b = s->b;
    IrBlock *same = ir_block(b), *other = ir_cold_block(b);
    IrVar t = ir_local(b, IR_I32);

    ir_set(b, t, target);
    if (arm_is_m(s)) {
        arm_m_bx_check(s, target, t);
        target = ir_get(b, t);
    }
    ir_brcond(b, s->thumb ? COND_TSTNZ : COND_TSTZ, target, ir_i32(b, 1), same, other);
    ir_place(b, same);
    arm_jump_val(s, ir_zextq(b, ir_andi(b, ir_get(b, t), s->thumb ? ~1u : ~0u)), way);
    ir_place(b, other);
    IrVal p = ir_env_load(b, IR_I32, offsetof(ArmCpu, pstate), MEM_32);

    ir_env_store(b, s->thumb ? ir_andi(b, p, ~PSTATE_T) : ir_or(b, p, ir_i32(b, PSTATE_T)),
                 offsetof(ArmCpu, pstate), MEM_32);
    ir_set(b, V_PC, ir_zextq(b, ir_andi(b, ir_get(b, t), s->thumb ? ~0u : ~1u)));
    a32_exit_lookup(s);
    s->ended = true;
}

void a32_exit_lookup(ArmCtx *s)
{
    ir_env_store(s->b, ir_i32(s->b, s->it), offsetof(ArmCpu, it), MEM_32);
    ir_exit(s->b, IR_EXIT_LOOKUP);
}

void a32_set_reg(ArmCtx *s, unsigned n, IrVal v)
{
    if (n != 15) {
        a32_set_plain(s, n, v);
    } else if (s->thumb || !arm_has(s->cpu, FEATURE_V7)) {
        a32_branch(s, v, WAY_RETURN);
    } else {
        a32_bx(s, v, WAY_RETURN);
    }
}

bool a32_setflags(const ArmCtx *s, const A32Insn *i)
{
    return i->s == 1 || (i->s == 2 && !s->in_it);
}

/* ---- the loop's part ---- */

static unsigned advance_it(unsigned it)
{
    return it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
}

static uint32_t fetch16(Cpu *cpu, const uint8_t *page, uint64_t pc)
{
    uint16_t w;

    if (page) {
        memcpy(&w, page + (pc & 4095), 2);
        return w;
    }
    return cpu_fetch_u8(cpu, pc) | (uint32_t)cpu_fetch_u8(cpu, pc + 1) << 8;
}

/*
 * Decodes the instruction at s->pc; false: it crosses into the next page and is not the block's
 * first.
 */
static bool fetch(ArmCtx *s, Cpu *cpu, const uint8_t *page, bool first, uint32_t *word)
{
    if (!s->thumb) {
        *word = fetch16(cpu, page, s->pc) | fetch16(cpu, page, s->pc + 2) << 16;
        s->insn_len = 4;
        return true;
    }
    *word = fetch16(cpu, page, s->pc);
    s->insn_len = *word >> 11 >= 0x1d ? 4 : 2;
    if (s->insn_len == 4) {
        if ((s->pc & 4095) == 4094) {
            if (!first) {
                return false;
            }
            page = NULL;
        }
        *word = *word << 16 | fetch16(cpu, page, s->pc + 2);
    }
    return true;
}

/* Advanced SIMD's T32 forms as their A32 ones; false: not such an instruction. */
static bool neon_as_a32(uint32_t w, uint32_t *a32)
{
    if ((w & 0xef000000) == 0xef000000) {
        *a32 = (w & 0x00ffffff) | 0xf2000000 | (w >> 28 & 1) << 24;
        return true;
    }
    if ((w & 0xff100000) == 0xf9000000) {
        *a32 = (w & 0x00ffffff) | 0xf4000000;
        return true;
    }
    return false;
}

/* Before v6T2 Thumb has BL and BLX with an immediate only, as two halves taken together. */
static bool t32_there(const ArmCtx *s, uint32_t w)
{
    return arm_has(s->cpu, FEATURE_THUMB2) || (w & 0xf800d000) == 0xf000d000 ||
           ((w & 0xf800d001) == 0xf000c000 && arm_has(s->cpu, FEATURE_V5));
}

static bool run_row(ArmCtx *s, const A32Insn *i)
{
    return a32_row_there(s->cpu, i->row->name) && i->row->trans(s, i);
}

/* Coprocessors 10 and 11, half precision's 9. */
static bool is_vfp(uint32_t w)
{
    bool here = (w & 0x0e000000) == 0x0c000000 || (w & 0x0f000000) == 0x0e000000;

    return here && ((w & 0xe00) == 0xa00 || (w & 0xf00) == 0x900);
}

static bool dispatch(ArmCtx *s, uint32_t w)
{
    A32Insn i = {0};
    uint32_t simd;

    if (arm_is_m(s)) {
        return arm_m_dispatch(s, w);
    }
    if (s->thumb && s->insn_len == 2) {
        return t16_decode(&i, w) && run_row(s, &i);
    }
    if (s->thumb) {
        if (!t32_there(s, w)) {
            return false;
        }
        if (neon_as_a32(w, &simd)) {
            return a32_simd(s, simd);
        }
        if ((w & 0xec000000) == 0xec000000) {       /* coprocessors: as in A32 */
            if (w >> 28 == 15 && a32_simd_extra(s, w)) {
                return true;
            }
            if (is_vfp(w)) {
                return a32_vfp(s, w);
            }
            return w >> 28 == 0xe && a32_decode(&i, w) && i.row->trans(s, &i);
        }
        return t32_decode(&i, w) && i.row->trans(s, &i);
    }
    if (w >> 28 == 15) {
        if ((w & 0xfe000000) == 0xf2000000 || (w & 0xff100000) == 0xf4000000) {
            return a32_simd(s, w);
        }
        return a32_simd_extra(s, w) || (a32u_decode(&i, w) && run_row(s, &i));
    }
    if (is_vfp(w)) {
        return a32_vfp(s, w);
    }
    return a32_decode(&i, w) && run_row(s, &i);
}

bool arm_translate_a32(ArmCtx *s, Cpu *cpu, const uint8_t *page, bool first)
{
    uint32_t w;
    unsigned it = s->it;

    if (!s->thumb && arm_is_m(s)) {     /* there is no other state than Thumb */
        ir_insn(s->b, s->pc, META_INSN | (uint64_t)it << META_IT_SHIFT);
        s->next = s->pc + 4;
        ir_call_m_fault(s->b, ir_i32(s->b, M_USAGE), ir_i32(s->b, CFSR_INVSTATE));
        if (ir_is_open(s->b)) {
            ir_exit(s->b, IR_EXIT_LOOP);
        }
        s->ended = true;
        return true;
    }
    if (!fetch(s, cpu, page, first, &w)) {
        return false;
    }
    s->next = s->pc + s->insn_len;
    s->in_it = it & 15;
    s->cond = s->thumb ? s->in_it ? it >> 4 : 14 : w >> 28 == 15 ? 14 : w >> 28;
    ir_insn(s->b, s->pc, META_INSN | (uint64_t)it << META_IT_SHIFT);
    s->it = s->in_it ? advance_it(it) : 0;
    s->skip = NULL;
    s->cc_touched = false;
    if (s->mode & MODE_IL) {
        arm_raise_ir(s, ARM_EXC_UNDEF, esr(EC_ILLEGAL, 0));
        s->ended = true;
        return true;
    }
    if (s->cond < 14) {
        IrBlock *body = ir_block(s->b);
        ArmCond c = arm_cond(s, s->cond);

        s->skip = ir_block(s->b);
        s->cc_touched = false;
        ir_brcond(s->b, c.cond, c.a, c.b, body, s->skip);
        ir_place(s->b, body);
    }
    if (!dispatch(s, w)) {
        arm_undef(s);
        s->ended = true;
    }
    if (s->skip) {
        ir_place(s->b, s->skip);
        s->skip = NULL;
        if (s->cc_touched) {
            arm_cc_dynamic(s);
        }
        if (s->ended) {
            arm_jump(s, 0, s->next);
        }
    }
    return true;
}
