// SPDX-License-Identifier: GPL-2.0-or-later
/* A64 branches, exception generation, hints, barriers and system registers. C6.2. */
#include "exec/semihost.h"
#include "target-arm/translate.h"
#include "target-arm/sysreg.h"

/* ---- branches ---- */

static void end_cond(ArmCtx *s, ArmCond c, uint64_t target)
{
    IrBlock *yes = ir_block(s->b), *no = ir_block(s->b);

    ir_brcond(s->b, c.cond, c.a, c.b, yes, no);
    ir_place(s->b, no);
    arm_jump(s, 0, s->next);
    ir_place(s->b, yes);
    arm_jump(s, 1, target);
    s->ended = true;
}

static void set_link(ArmCtx *s, uint64_t target)
{
    arm_set_x(s, 30, arm_pc(s, s->next));
    if (s->region) {
        arm_region_call(s, target);
    }
}

bool trans_branch(ArmCtx *s, const A64Insn *i)
{
    if (i->link) {
        set_link(s, s->pc + (uint64_t)(int64_t)i->imm);
    }
    arm_end_jump(s, s->pc + (int64_t)i->imm);
    return true;
}

bool trans_B_cond(ArmCtx *s, const A64Insn *i)
{
    if (i->cond >= 14) {
        arm_end_jump(s, s->pc + (int64_t)i->imm);
    } else {
        end_cond(s, arm_cond(s, i->cond), s->pc + (int64_t)i->imm);
    }
    return true;
}

bool trans_cbz(ArmCtx *s, const A64Insn *i)
{
    IrVal v = arm_r(s, i->sf, i->rt);

    end_cond(s, (ArmCond){i->nz ? COND_NE : COND_EQ, v, arm_const(s, i->sf, 0)},
             s->pc + (int64_t)i->imm);
    return true;
}

bool trans_tbz(ArmCtx *s, const A64Insn *i)
{
    IrVal v = arm_x(s, i->rt), bit = ir_i64(s->b, 1ull << i->bit);

    end_cond(s, (ArmCond){i->nz ? COND_TSTNZ : COND_TSTZ, v, bit}, s->pc + (int64_t)i->imm);
    return true;
}

/*
 * PSTATE.BTYPE after a branch by register: of BR it depends on whether its page is guarded, which
 * is looked at where it matters.
 */
static void set_btype(ArmCtx *s, const A64Insn *i)
{
    if (!(s->mode & MODE_BTI) || !i->btype) {
        return;
    }
    bool plain = i->btype == 1 && (i->rn & ~1) != 16;
    IrVal p = ir_env_load(s->b, IR_I32, offsetof(ArmCpu, pstate), MEM_32);

    p = ir_or(s->b, p, ir_i32(s->b, (plain ? 3u : (unsigned)i->btype) << PSTATE_BTYPE_SHIFT));
    ir_env_store(s->b, p, offsetof(ArmCpu, pstate), MEM_32);
    if (plain) {
        ir_env_store(s->b, ir_i64(s->b, s->pc), offsetof(ArmCpu, bti_source), MEM_64);
    }
}

bool trans_br(ArmCtx *s, const A64Insn *i)
{
    IrVal target = arm_x(s, i->rn);

    if (i->link) {
        set_link(s, ARM_NOWHERE);
    }
    set_btype(s, i);
    arm_jump_val(s, target, i->link ? WAY_CALL : i->rn == 30 ? WAY_RETURN : WAY_JUMP);
    s->ended = true;
    return true;
}

enum { KEY_IA, KEY_IB, KEY_DA, KEY_DB };

/* rm 32: modifier 0; 31: SP. */
bool trans_bra(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_PAUTH)) {
        return false;
    }
    IrVal mod = i->rm == 32 ? ir_i64(s->b, 0) : arm_xsp(s, i->rm);
    IrVal target = ir_call_pauth_auth(s->b, arm_x(s, i->rn), mod, ir_i32(s->b, i->key));

    if (i->link) {
        set_link(s, ARM_NOWHERE);
    }
    set_btype(s, i);
    arm_jump_val(s, target, i->link ? WAY_CALL : i->rn == 30 ? WAY_RETURN : WAY_JUMP);
    s->ended = true;
    return true;
}

bool trans_eret(ArmCtx *s, const A64Insn *i)
{
    if (s->el == 0 || (i->auth && !arm_has(s->cpu, FEATURE_PAUTH))) {
        return false;
    }
    ir_call_eret(s->b, ir_i32(s->b, i->auth), ir_i32(s->b, i->key));
    ir_exit(s->b, IR_EXIT_LOOP);
    s->ended = true;
    return true;
}

/* ---- pointer authentication ---- */

bool trans_PACGA(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_PAUTH)) {
        return false;
    }
    arm_set_x(s, i->rd, ir_call_pauth_generic(s->b, arm_x(s, i->rn), arm_xsp(s, i->rm)));
    return true;
}

static void pac(ArmCtx *s, unsigned rd, IrVal mod, bool aut, unsigned key)
{
    IrVal v = arm_x(s, rd);

    arm_set_x(s, rd, aut ? ir_call_pauth_auth(s->b, v, mod, ir_i32(s->b, key))
                         : ir_call_pauth_add(s->b, v, mod, ir_i32(s->b, key)));
}

bool trans_PAC(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_PAUTH) || (i->z && i->rn != 31)) {
        return false;
    }
    pac(s, i->rd, i->z ? ir_i64(s->b, 0) : arm_xsp(s, i->rn), i->aut, i->key);
    return true;
}

bool trans_XPAC(ArmCtx *s, const A64Insn *i)
{
    if (!arm_has(s->cpu, FEATURE_PAUTH)) {
        return false;
    }
    arm_set_x(s, i->rd, ir_call_pauth_strip(s->b, arm_x(s, i->rd), ir_i32(s->b, i->data)));
    return true;
}

/* ---- exception generation ---- */

static void raise_next(ArmCtx *s, unsigned kind, uint32_t syndrome)
{
    /* the return address is the next instruction's */
    ir_call_raise_next(s->b, ir_i32(s->b, kind), ir_i32(s->b, syndrome), arm_pc(s, s->next));
    if (ir_is_open(s->b)) {
        ir_exit(s->b, IR_EXIT_LOOP);
    }
    s->ended = true;
}

bool trans_SVC(ArmCtx *s, const A64Insn *i)
{
    raise_next(s, ARM_EXC_SVC, esr(EC_SVC, i->imm));
    return true;
}

bool trans_HVC(ArmCtx *s, const A64Insn *i)
{
    if (s->el == 0) {
        return false;
    }
    raise_next(s, ARM_EXC_HVC, esr(EC_HVC, i->imm));
    return true;
}

bool trans_SMC(ArmCtx *s, const A64Insn *i)
{
    if (s->el == 0) {
        return false;
    }
    raise_next(s, ARM_EXC_SMC, esr(EC_SMC, i->imm));
    return true;
}

bool trans_BRK(ArmCtx *s, const A64Insn *i)
{
    arm_raise_ir(s, ARM_EXC_BKPT, esr(EC_BRK, i->imm));
    s->ended = true;
    return true;
}

bool trans_HLT(ArmCtx *s, const A64Insn *i)
{
    if (i->imm != 0xf000 || !semihost_enabled(s->el == 0)) {
        return false;
    }
    arm_semihost(s);
    return true;
}

/* ---- hints and barriers ---- */

bool trans_HINT(ArmCtx *s, const A64Insn *i)
{
    bool pauth = arm_has(s->cpu, FEATURE_PAUTH);
    unsigned h = (unsigned)i->hint;

    switch (h) {
    case 1:     /* YIELD */
        ir_call_yield(s->b, arm_pc(s, s->next));
        ir_exit(s->b, IR_EXIT_LOOP);
        s->ended = true;
        break;
    case 2:     /* WFE */
        ir_call_wfe(s->b, arm_pc(s, s->next));
        arm_end_exit(s, true, IR_EXIT_LOOP);
        break;
    case 3:     /* WFI */
        ir_call_wfi(s->b, arm_pc(s, s->next));
        arm_end_exit(s, true, IR_EXIT_LOOP);
        break;
    case 4:     /* SEV */
        ir_call_sev(s->b);
        break;
    case 5:     /* SEVL */
        ir_call_sevl(s->b);
        break;
    case 7:     /* XPACLRI */
        if (pauth) {
            arm_set_x(s, 30, ir_call_pauth_strip(s->b, arm_x(s, 30), ir_i32(s->b, 0)));
        }
        break;
    case 8:     /* PACIA1716, PACIB1716, AUTIA1716, AUTIB1716 */
    case 10:
    case 12:
    case 14:
        if (pauth) {
            pac(s, 17, arm_x(s, 16), h & 4, h >> 1 & 1);
        }
        break;
    case 16:
        if (arm_has(s->cpu, FEATURE_RAS)) {
            ir_fence(s->b, IR_FENCE_ALL);
        }
        break;
    case 24:    /* PACIAZ, PACIASP, PACIBZ ... AUTIBSP */
    case 25:
    case 26:
    case 27:
    case 28:
    case 29:
    case 30:
    case 31:
        if (pauth) {
            pac(s, 30, h & 1 ? arm_xsp(s, 31) : ir_i64(s->b, 0), h & 4, h >> 1 & 1);
        }
        break;
    default:
        break;
    }
    return true;
}

bool trans_CLREX(ArmCtx *s, const A64Insn *i)
{
    ir_set(s->b, V_EXCL_ADDR, ir_i64(s->b, UINT64_MAX));
    return true;
}

bool trans_barrier(ArmCtx *s, const A64Insn *i)
{
    static const uint8_t fences[4] = {IR_FENCE_ALL, IR_FENCE_LD_LD | IR_FENCE_LD_ST, IR_FENCE_ST_ST,
                                      IR_FENCE_ALL};

    ir_fence(s->b, fences[i->crm & 3]);
    return true;
}

bool trans_ISB(ArmCtx *s, const A64Insn *i)
{
    /* what was written to system registers is in force: pending interrupts included */
    arm_end_exit(s, true, IR_EXIT_LOOP);
    return true;
}

/* ---- PSTATE fields ---- */

static void set_pstate_bit(ArmCtx *s, uint32_t bit, bool on)
{
    IrVal p = ir_env_load(s->b, IR_I32, offsetof(ArmCpu, pstate), MEM_32);

    ir_env_store(s->b, on ? ir_or(s->b, p, ir_i32(s->b, bit)) : ir_andi(s->b, p, ~bit),
                 offsetof(ArmCpu, pstate), MEM_32);
}

static bool msr_flags(ArmCtx *s, const A64Insn *i)
{
    IrBuilder *b = s->b;
    IrVal f;

    if (i->crm != 0) {
        return false;
    }
    if (i->op2 == 0 && arm_has(s->cpu, FEATURE_FLAGM)) {        /* CFINV */
        arm_cc_nzcv(s, ir_xor(b, arm_nzcv_ir(s), ir_i32(b, 2)));
        return true;
    }
    if (!arm_has(s->cpu, FEATURE_FLAGM2) || i->op2 == 0) {
        return false;
    }
    f = arm_nzcv_ir(s);
    if (i->op2 == 1) {      /* XAFLAG: by old C and Z */
        /* index C Z: 00 -> 1001, 01 -> 0001+, see C6.2.422 */
        IrVal z = ir_extract(b, f, 2, 1), c = ir_extract(b, f, 1, 1);
        IrVal nc = ir_xor(b, c, ir_i32(b, 1)), nz = ir_xor(b, z, ir_i32(b, 1));
        IrVal n = ir_and(b, nc, nz), zz = ir_and(b, z, c), cc = ir_or(b, c, z),
              v = ir_and(b, nc, z);

        arm_cc_nzcv(s, ir_or(b, ir_or(b, ir_shli(b, n, 3), ir_shli(b, zz, 2)),
                             ir_or(b, ir_shli(b, cc, 1), v)));
    } else {                /* AXFLAG */
        IrVal z = ir_extract(b, f, 2, 1), c = ir_extract(b, f, 1, 1), v = ir_andi(b, f, 1);
        IrVal zz = ir_or(b, z, v), cc = ir_andc(b, c, v);

        arm_cc_nzcv(s, ir_or(b, ir_shli(b, zz, 2), ir_shli(b, cc, 1)));
    }
    return true;
}

bool trans_MSR_i(ArmCtx *s, const A64Insn *i)
{
    unsigned field = (unsigned)i->op1 << 3 | (unsigned)i->op2;
    bool on = i->crm & 1;

    if (i->op1 == 0 && i->op2 <= 2) {
        return msr_flags(s, i);
    }
    switch (field) {
    case 003:       /* UAO */
        if (!arm_has(s->cpu, FEATURE_UAO) || s->el == 0) {
            return false;
        }
        set_pstate_bit(s, PSTATE_UAO, on);
        arm_end_exit(s, true, IR_EXIT_LOOKUP);
        return true;
    case 004:       /* PAN */
        if (!arm_has(s->cpu, FEATURE_PAN) || s->el == 0) {
            return false;
        }
        set_pstate_bit(s, PSTATE_PAN, on);
        arm_end_exit(s, true, IR_EXIT_LOOKUP);
        return true;
    case 005:       /* SPSel */
        if (s->el == 0) {
            return false;
        }
        ir_call_msr_spsel(s->b, ir_i32(s->b, on));
        return true;
    case 031:       /* SSBS */
        if (!arm_has(s->cpu, FEATURE_SSBS)) {
            return false;
        }
        set_pstate_bit(s, PSTATE_SSBS, on);
        return true;
    case 032:       /* DIT */
        if (!arm_has(s->cpu, FEATURE_DIT)) {
            return false;
        }
        set_pstate_bit(s, PSTATE_DIT, on);
        return true;
    case 034:       /* TCO */
        if (!arm_has(s->cpu, FEATURE_MTE)) {
            return false;
        }
        set_pstate_bit(s, PSTATE_TCO, on);
        arm_end_exit(s, true, IR_EXIT_LOOKUP);
        return true;
    case 036:       /* DAIFSet */
        ir_call_msr_daif(s->b, ir_i32(s->b, (uint32_t)i->crm << 6), ir_i32(s->b, 1));
        return true;
    case 037:       /* DAIFClr */
        ir_call_msr_daif(s->b, ir_i32(s->b, (uint32_t)i->crm << 6), ir_i32(s->b, 0));
        arm_end_exit(s, true, IR_EXIT_LOOP);
        return true;
    default:
        return false;
    }
}

/* ---- system registers ---- */

/* What is wanted of a register from this level; NULL: undefined whatever the state. */
static const ArmSysreg *find(const A64Insn *i)
{
    return arm_sysreg_find(ARM_SYSREG(2 | i->op0, i->op1, i->crn, i->crm, i->op2));
}

static void sysreg_nzcv(ArmCtx *s, const A64Insn *i, bool read)
{
    if (read) {
        arm_set_x(s, i->rt, ir_shli(s->b, ir_zextq(s->b, arm_nzcv_ir(s)), 28));
    } else {
        arm_cc_nzcv(s, ir_andi(s->b, ir_trunc(s->b, ir_shri(s->b, arm_x(s, i->rt), 28)), 15));
    }
}

/* Registers that need no call: their field is the whole truth, and nobody may trap them. */
static bool direct(const ArmCtx *s, const ArmSysreg *r, bool read)
{
    return r && (read ? r->flags & SR_DIRECT_READ : r->flags & SR_DIRECT_WRITE) &&
           s->el >= (read ? r->read_el : r->write_el) && !(s->mode & MODE_HOST);
}

enum { ID_NZCV = ARM_SYSREG(3, 3, 4, 2, 0) };

bool trans_MRS(ArmCtx *s, const A64Insn *i)
{
    uint32_t id = ARM_SYSREG(2 | i->op0, i->op1, i->crn, i->crm, i->op2);
    const ArmSysreg *r = find(i);

    if (id == ID_NZCV) {
        sysreg_nzcv(s, i, true);
        return true;
    }
    if (direct(s, r, true)) {
        arm_set_x(s, i->rt, ir_env_load(s->b, IR_I64, r->field, MEM_64));
        return true;
    }
    if (r && r->flags & SR_FP && !arm_fp_ok(s)) {
        return true;
    }
    arm_set_x(s, i->rt, ir_call_sysreg_read(s->b, ir_i32(s->b, id), ir_i32(s->b, i->rt)));
    return true;
}

bool trans_MSR(ArmCtx *s, const A64Insn *i)
{
    uint32_t id = ARM_SYSREG(2 | i->op0, i->op1, i->crn, i->crm, i->op2);
    const ArmSysreg *r = find(i);

    if (id == ID_NZCV) {
        sysreg_nzcv(s, i, false);
        return true;
    }
    if (direct(s, r, false)) {
        ir_env_store(s->b, arm_x(s, i->rt), r->field, MEM_64);
        return true;
    }
    if (r && r->flags & SR_FP && !arm_fp_ok(s)) {
        return true;
    }
    ir_call_sysreg_write(s->b, ir_i32(s->b, id), ir_i32(s->b, i->rt), arm_x(s, i->rt));
    if (!r || !(r->flags & SR_NO_EXIT)) {
        arm_end_exit(s, true, IR_EXIT_LOOP);
    }
    return true;
}

bool trans_SYS(ArmCtx *s, const A64Insn *i)
{
    uint32_t id = ARM_SYSREG(1, i->op1, i->crn, i->crm, i->op2);

    if (id == ARM_SYSREG(1, 3, 7, 4, 1)) {      /* DC ZVA */
        IrVal block =
            ir_andi(s->b, arm_x(s, i->rt), (int64_t) ~((4ull << (s->cpu->id.dczid & 15)) - 1));

        s->tag_checked = s->mode & MODE_MTE;
        arm_mte_check(s, block, MIN(4u << (s->cpu->id.dczid & 15), 255u), true, s->mmu);
        ir_call_dc_zva(s->b, arm_x(s, i->rt));
        return true;
    }
    /* DC GVA, GZVA */
    if ((id == ARM_SYSREG(1, 3, 7, 4, 3) || id == ARM_SYSREG(1, 3, 7, 4, 4)) &&
        arm_has(s->cpu, FEATURE_MTE)) {
        ir_call_dc_gva(s->b, arm_x(s, i->rt),
                       ir_i32(s->b, (i->op2 == 4) | (s->mode & MODE_ATA ? 2u : 0)));
        return true;
    }
    ir_call_sysreg_write(s->b, ir_i32(s->b, id), ir_i32(s->b, i->rt), arm_x(s, i->rt));
    const ArmSysreg *r = arm_sysreg_find(id);

    if (!r || !(r->flags & SR_NO_EXIT)) {
        arm_end_exit(s, true, IR_EXIT_LOOP);
    }
    return true;
}
