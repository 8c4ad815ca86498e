// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A32 and T32 branches, status registers, exceptions, hints, barriers, coprocessor registers. F5.1.
 */
#include "exec/semihost.h"
#include "target-arm/a32-trans.h"
#include "target-arm/m-trans.h"
#include "target-arm/sysreg.h"

/* ---- branches ---- */

static uint32_t pc_of(const ArmCtx *s)
{
    return (uint32_t)(s->pc + (s->thumb ? 4 : 8));
}

static void set_link(ArmCtx *s)
{
    a32_set_plain(s, 14, ir_trunc(s->b, arm_pc(s, (uint32_t)s->next | s->thumb)));
}

static void link_to(ArmCtx *s, uint32_t target)
{
    set_link(s);
    if (s->region) {
        arm_region_call(s, target);
    }
}

/* s->skip uses slot 0 for what follows. */
static void jump(ArmCtx *s, uint32_t target)
{
    arm_jump(s, 1, target);
    s->ended = true;
}

bool trans_a32_b(ArmCtx *s, const A32Insn *i)
{
    uint32_t target = pc_of(s) + (uint32_t)i->imm;

    if (i->link) {
        link_to(s, target);
    }
    jump(s, target);
    return true;
}

static uint32_t t32_offset(const A32Insn *i)
{
    uint32_t i1 = !(i->j1 ^ i->s), i2 = !(i->j2 ^ i->s);

    return (i->s ? 0xff000000u : 0) | i1 << 23 | i2 << 22 | (uint32_t)i->hi << 12 |
           (uint32_t)i->lo << 1;
}

bool trans_t32_b(ArmCtx *s, const A32Insn *i)
{
    uint32_t target = pc_of(s) + t32_offset(i);

    if (i->link) {
        link_to(s, target);
    }
    jump(s, target);
    return true;
}

static void other_set(ArmCtx *s, uint32_t target)
{
    IrVal p = ir_env_load(s->b, IR_I32, offsetof(ArmCpu, pstate), MEM_32);

    ir_env_store(s->b,
                 s->thumb ? ir_andi(s->b, p, ~PSTATE_T) : ir_or(s->b, p, ir_i32(s->b, PSTATE_T)),
                 offsetof(ArmCpu, pstate), MEM_32);
    ir_set(s->b, V_PC, arm_pc(s, target));
    a32_exit_lookup(s);
    s->ended = true;
}

bool trans_t32_blx(ArmCtx *s, const A32Insn *i)
{
    set_link(s);
    /* lo has ten bits here: the lowest is beyond the field */
    A32Insn m = *i;

    m.lo = i->lo << 1;
    other_set(s, ((pc_of(s) & ~3u) + t32_offset(&m)) & ~3u);
    return true;
}

bool trans_a32_blx_i(ArmCtx *s, const A32Insn *i)
{
    set_link(s);
    other_set(s, pc_of(s) + (uint32_t)i->imm + (i->h ? 2 : 0));
    return true;
}

static bool bcond(ArmCtx *s, unsigned cond, uint32_t target)
{
    if (s->in_it) {
        return false;
    }
    ArmCond c = arm_cond(s, cond);
    IrBlock *yes = ir_block(s->b), *no = ir_block(s->b);

    ir_brcond(s->b, c.cond, c.a, c.b, yes, no);
    ir_place(s->b, no);
    arm_jump(s, 0, s->next);
    ir_place(s->b, yes);
    arm_jump(s, 1, target);
    s->ended = true;
    return true;
}

bool trans_t16_bcond(ArmCtx *s, const A32Insn *i)
{
    return bcond(s, i->cond, pc_of(s) + (uint32_t)i->imm);
}

bool trans_t32_bcond(ArmCtx *s, const A32Insn *i)
{
    uint32_t offset = (i->s ? 0xfff00000u : 0) | (uint32_t)i->j2 << 19 | (uint32_t)i->j1 << 18 |
                      (uint32_t)i->hi << 12 | (uint32_t)i->lo << 1;

    return i->cond < 14 && bcond(s, i->cond, pc_of(s) + offset);
}

bool trans_t16_cbz(ArmCtx *s, const A32Insn *i)
{
    IrBlock *yes = ir_block(s->b), *no = ir_block(s->b);

    ir_brcond(s->b, i->nz ? COND_NE : COND_EQ, a32_reg(s, i->rn), ir_i32(s->b, 0), yes, no);
    ir_place(s->b, no);
    arm_jump(s, 0, s->next);
    ir_place(s->b, yes);
    arm_jump(s, 1, pc_of(s) + (uint32_t)i->imm);
    s->ended = true;
    return true;
}

bool trans_a32_bx(ArmCtx *s, const A32Insn *i)
{
    IrVal t = a32_reg(s, i->rm);

    if (i->link) {
        set_link(s);
        if (s->region) {
            arm_region_call(s, ARM_NOWHERE);
        }
    }
    a32_bx(s, t, i->link ? WAY_CALL : i->rm == 14 ? WAY_RETURN : WAY_JUMP);
    return true;
}

bool trans_t32_tbb(ArmCtx *s, const A32Insn *i)
{
    IrBuilder *b = s->b;
    IrVal m = a32_reg(s, i->rm), base = a32_reg(s, i->rn);
    IrVal v = arm_load(s, IR_I32, ir_zextq(b, ir_add(b, base, i->half ? ir_shli(b, m, 1) : m)),
                       i->half, s->mmu);

    a32_branch(s, ir_add(b, ir_shli(b, v, 1), a32_reg(s, 15)), WAY_JUMP);
    return true;
}

bool trans_t16_it(ArmCtx *s, const A32Insn *i)
{
    s->it = (unsigned)(i->cond << 4 | i->mask);
    return true;
}

/* ---- exceptions ---- */

static void raise_next(ArmCtx *s, unsigned kind, uint32_t syndrome)
{
    ir_env_store(s->b, ir_i32(s->b, s->it), offsetof(ArmCpu, it), MEM_32);
    ir_call_a32_raise_next(s->b, ir_i32(s->b, kind), ir_i32(s->b, syndrome), arm_pc(s, s->next),
                           ir_i32(s->b, s->it));
    if (ir_is_open(s->b)) {
        ir_exit(s->b, IR_EXIT_LOOP);
    }
    s->ended = true;
}

/* Whether semihosting takes an instruction of A or R profile with this immediate. */
static bool is_semihost(const ArmCtx *s, uint32_t imm, uint32_t a32, uint32_t t32)
{
    return !arm_is_m(s) && imm == (s->thumb ? t32 : a32) &&
           semihost_enabled(s->mode & MODE_USER_A32);
}

bool trans_a32_svc(ArmCtx *s, const A32Insn *i)
{
    /* never from user mode: there it is the system's call */
    if (!(s->mode & MODE_USER_A32) && is_semihost(s, (uint32_t)i->imm, 0x123456, 0xab)) {
        arm_semihost(s);
        return true;
    }
    raise_next(s, ARM_EXC_SVC, esr(EC_SVC32, (uint32_t)i->imm & 0xffff));
    return true;
}

bool trans_a32_hvc(ArmCtx *s, const A32Insn *i)
{
    if (s->mode & MODE_USER_A32) {
        return false;
    }
    raise_next(s, ARM_EXC_HVC, esr(EC_HVC32, (uint32_t)i->imm & 0xffff));
    return true;
}

bool trans_a32_smc(ArmCtx *s, const A32Insn *i)
{
    if (s->mode & MODE_USER_A32) {
        return false;
    }
    raise_next(s, ARM_EXC_SMC, esr(EC_SMC32, 0));
    return true;
}

bool trans_a32_hlt(ArmCtx *s, const A32Insn *i)
{
    if (!is_semihost(s, (uint32_t)i->imm, 0xf000, 0x3c)) {
        return false;
    }
    arm_semihost(s);
    return true;
}

bool trans_a32_bkpt(ArmCtx *s, const A32Insn *i)
{
    if (arm_is_m(s) && i->imm == 0xab && semihost_enabled(s->mode & MODE_USER_A32)) {
        arm_semihost(s);
        return true;
    }
    arm_raise_ir(s, ARM_EXC_BKPT, esr(EC_BKPT32, (uint32_t)i->imm & 0xffff));
    s->ended = true;
    return true;
}

bool trans_a32_undefined(ArmCtx *s, const A32Insn *i)
{
    return false;
}

bool trans_a32_nop(ArmCtx *s, const A32Insn *i)
{
    return true;
}

bool trans_a32_eret(ArmCtx *s, const A32Insn *i)
{
    if (s->mode & (MODE_USER_A32)) {
        return false;
    }
    ir_call_a32_return(s->b, s->el == 2 ? ir_i32(s->b, 0) : a32_reg(s, 14));
    ir_exit(s->b, IR_EXIT_LOOP);
    s->ended = true;
    return true;
}

bool trans_t32_subs_pc(ArmCtx *s, const A32Insn *i)
{
    if (s->mode & (MODE_USER_A32 | MODE_SYS_A32) && s->el != 2) {
        return false;
    }
    ir_call_a32_return(s->b, ir_addi(s->b, a32_reg(s, 14), -i->imm));
    ir_exit(s->b, IR_EXIT_LOOP);
    s->ended = true;
    return true;
}

/* ---- hints, barriers ---- */

bool trans_a32_hint(ArmCtx *s, const A32Insn *i)
{
    switch (i->imm & 0xff) {
    case 2:
        ir_call_wfe(s->b, arm_pc(s, s->next));
        arm_end_exit(s, true, IR_EXIT_LOOP);
        break;
    case 3:
        ir_call_wfi(s->b, arm_pc(s, s->next));
        arm_end_exit(s, true, IR_EXIT_LOOP);
        break;
    case 4:
        ir_call_sev(s->b);
        break;
    case 5:
        ir_call_sevl(s->b);
        break;
    default:
        break;
    }
    return true;
}

bool trans_a32_barrier(ArmCtx *s, const A32Insn *i)
{
    ir_fence(s->b, IR_FENCE_ALL);
    return true;
}

bool trans_a32_isb(ArmCtx *s, const A32Insn *i)
{
    arm_end_exit(s, true, IR_EXIT_LOOP);
    return true;
}

bool trans_a32_clrex(ArmCtx *s, const A32Insn *i)
{
    ir_set(s->b, V_EXCL_ADDR, ir_i64(s->b, UINT64_MAX));
    return true;
}

/* ---- status registers ---- */

bool trans_a32_mrs(ArmCtx *s, const A32Insn *i)
{
    if (i->r && s->mode & (MODE_USER_A32 | MODE_SYS_A32) && s->el != 2) {
        return false;
    }
    a32_set_plain(s, i->rd, i->r ? ir_call_a32_get_spsr(s->b) : ir_call_a32_get_cpsr(s->b));
    return true;
}

static bool write_psr(ArmCtx *s, const A32Insn *i, IrVal v)
{
    static const uint32_t bytes[16] = {0,          0xff,       0xff00,     0xffff,
                                       0xff0000,   0xff00ff,   0xffff00,   0xffffff,
                                       0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff,
                                       0xffff0000, 0xffff00ff, 0xffffff00, 0xffffffff};
    IrVal mask = ir_i32(s->b, bytes[i->mask & 15]);

    if (i->r) {
        if (s->mode & (MODE_USER_A32 | MODE_SYS_A32) && s->el != 2) {
            return false;
        }
        ir_call_a32_set_spsr(s->b, v, mask);
        return true;
    }
    ir_call_a32_set_cpsr(s->b, v, mask);
    arm_cc_dynamic(s);
    s->cc_touched = true;
    if (!(s->mode & MODE_USER_A32) && i->mask & 1) {
        arm_end_exit(s, true, IR_EXIT_LOOP);
    }
    return true;
}

bool trans_a32_msr_i(ArmCtx *s, const A32Insn *i)
{
    uint32_t v = (uint32_t)i->imm, n = (uint32_t)i->rot * 2;

    return write_psr(s, i, ir_i32(s->b, n ? v >> n | v << (32 - n) : v));
}

bool trans_a32_msr_r(ArmCtx *s, const A32Insn *i)
{
    return write_psr(s, i, a32_reg(s, i->rn));
}

bool trans_a32_mrs_bank(ArmCtx *s, const A32Insn *i)
{
    if (s->mode & MODE_USER_A32) {
        return false;
    }
    a32_set_plain(s, i->rd,
                  ir_call_a32_get_banked(s->b, ir_i32(s->b, i->sysm), ir_i32(s->b, i->r)));
    return true;
}

bool trans_a32_msr_bank(ArmCtx *s, const A32Insn *i)
{
    if (s->mode & MODE_USER_A32) {
        return false;
    }
    ir_call_a32_set_banked(s->b, ir_i32(s->b, i->sysm), ir_i32(s->b, i->r), a32_reg(s, i->rn));
    return true;
}

static void cps(ArmCtx *s, unsigned imod, unsigned aif, bool change, unsigned mode)
{
    if (s->mode & MODE_USER_A32) {
        return;
    }
    uint32_t mask = (imod & 2 ? aif << 6 : 0) | (change ? 0x1f : 0),
             v = (imod & 1 ? aif << 6 : 0) | mode;

    if (!change && imod == 3) {         /* nothing that waits can be taken now */
        IrVal p = ir_env_load(s->b, IR_I32, offsetof(ArmCpu, pstate), MEM_32);

        ir_env_store(s->b, ir_or(s->b, p, ir_i32(s->b, aif << 6)), offsetof(ArmCpu, pstate),
                     MEM_32);
        return;
    }
    ir_call_a32_set_cpsr(s->b, ir_i32(s->b, v), ir_i32(s->b, mask));
    arm_end_exit(s, true, IR_EXIT_LOOP);
}

bool trans_a32_cps(ArmCtx *s, const A32Insn *i)
{
    if (s->thumb && i->imod == 0 && !i->m) {        /* hints share this space */
        return true;
    }
    cps(s, i->imod, i->aif, i->m, i->m ? i->mode : 0);
    return true;
}

bool trans_t16_cps(ArmCtx *s, const A32Insn *i)
{
    cps(s, i->disable ? 3 : 2, i->aif, false, 0);
    return true;
}

bool trans_a32_setend(ArmCtx *s, const A32Insn *i)
{
    IrVal p = ir_env_load(s->b, IR_I32, offsetof(ArmCpu, pstate), MEM_32);

    ir_env_store(s->b, i->e ? ir_or(s->b, p, ir_i32(s->b, PSTATE_E)) : ir_andi(s->b, p, ~PSTATE_E),
                 offsetof(ArmCpu, pstate), MEM_32);
    arm_end_exit(s, true, IR_EXIT_LOOKUP);
    return true;
}

/* ---- coprocessors 14 and 15 ---- */

static bool cp_ok(const A32Insn *i)
{
    return i->cp == 14 || i->cp == 15;
}

static uint32_t cp_id(const A32Insn *i)
{
    return ARM_CP15(0, i->opc1, i->crn, i->crm, i->opc2) | (i->cp == 14 ? 1u << 25 : 0);
}

bool trans_a32_mrc(ArmCtx *s, const A32Insn *i)
{
    if (!cp_ok(i)) {
        return false;
    }
    const ArmSysreg *r = arm_cp15_find(cp_id(i));
    IrVal v;

    if (r && r->flags & SR_DIRECT_READ && s->el >= r->read_el && s->el < 3) {
        v = ir_env_load(s->b, IR_I32, r->field, MEM_32);
    } else {
        v = ir_trunc(s->b, ir_call_cp15_read(s->b, ir_i32(s->b, cp_id(i)), ir_i32(s->b, i->rt)));
    }
    if (i->rt == 15) {
        arm_cc_nzcv(s, ir_shri(s->b, v, 28));
    } else {
        a32_set_plain(s, i->rt, v);
    }
    return true;
}

bool trans_a32_mcr(ArmCtx *s, const A32Insn *i)
{
    if (!cp_ok(i)) {
        return false;
    }
    const ArmSysreg *r = arm_cp15_find(cp_id(i));

    /* Before v7 this waits; later it is a way of writing NOP. */
    if (cp_id(i) == ARM_CP15(0, 0, 7, 0, 4) && !arm_has(s->cpu, FEATURE_V7) && s->el > 0) {
        ir_call_wfi(s->b, arm_pc(s, s->next));
        arm_end_exit(s, true, IR_EXIT_LOOP);
        return true;
    }
    ir_call_cp15_write(s->b, ir_i32(s->b, cp_id(i)), ir_i32(s->b, i->rt),
                       ir_zextq(s->b, a32_reg(s, i->rt)));
    if (!r || !(r->flags & SR_NO_EXIT)) {
        arm_end_exit(s, true, IR_EXIT_LOOP);
    }
    return true;
}

bool trans_a32_mrrc(ArmCtx *s, const A32Insn *i)
{
    if (!cp_ok(i)) {
        return false;
    }
    uint32_t id = ARM_CP15(1, i->opc1, 0, i->crm, 0) | (i->cp == 14 ? 1u << 25 : 0);
    IrVal v = ir_call_cp15_read(s->b, ir_i32(s->b, id), ir_i32(s->b, i->rt));

    a32_set_plain(s, i->rt, ir_trunc(s->b, v));
    a32_set_plain(s, i->rt2, ir_trunc(s->b, ir_shri(s->b, v, 32)));
    return true;
}

bool trans_a32_mcrr(ArmCtx *s, const A32Insn *i)
{
    if (!cp_ok(i)) {
        return false;
    }
    /*
     * Cleaning a range of caches, which v6 had where later CPUs have registers that are read:
     * nothing to do.
     */
    if (!arm_has(s->cpu, FEATURE_V7) && s->el > 0 && i->cp == 15 && i->opc1 == 0 &&
        (i->crm == 12 || i->crm == 14)) {
        return true;
    }
    uint32_t id = ARM_CP15(1, i->opc1, 0, i->crm, 0) | (i->cp == 14 ? 1u << 25 : 0);

    ir_call_cp15_write(s->b, ir_i32(s->b, id), ir_i32(s->b, i->rt),
                       ir_concat(s->b, a32_reg(s, i->rt), a32_reg(s, i->rt2)));
    arm_end_exit(s, true, IR_EXIT_LOOP);
    return true;
}
