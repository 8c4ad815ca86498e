// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From guest bytes to IR, a basic block at a time: the instruction loop, registers, memory, side
 * exits, block ends. A block ends at a branch, at an instruction that changes what the key holds,
 * when the page ends, or when it is long enough.
 */
#include "target-arm/translate.h"
#include "target-arm/m-trans.h"

#include <string.h>

#define GPR(n_) {.name = "x" #n_, .type = IR_I64, .offset = offsetof(ArmCpu, x[n_])}
#define VEC(n_) {.name = "v" #n_, .type = IR_V128, .offset = offsetof(ArmCpu, z[n_])}
#define FIELD(name_, type_, field_)                                      \
    {                                                                    \
        .name = name_, .type = type_, .offset = offsetof(ArmCpu, field_) \
    }

const IrVarDecl arm_vars[] = {
    GPR(0), GPR(1), GPR(2), GPR(3), GPR(4), GPR(5), GPR(6), GPR(7), GPR(8), GPR(9), GPR(10), GPR(11), GPR(12),
    GPR(13), GPR(14), GPR(15), GPR(16), GPR(17), GPR(18), GPR(19), GPR(20), GPR(21), GPR(22), GPR(23), GPR(24),
    GPR(25), GPR(26), GPR(27), GPR(28), GPR(29), GPR(30),
    [V_SP] = FIELD("sp", IR_I64, x[31]),
    [V_PC] = FIELD("pc", IR_I64, pc),
    [V_CC_A] = FIELD("cc_a", IR_I64, cc_a),
    [V_CC_B] = FIELD("cc_b", IR_I64, cc_b),
    [V_CC_OP] = FIELD("cc_op", IR_I32, cc_op),
    [V_EXCL_ADDR] = FIELD("excl_addr", IR_I64, excl_addr),
    [V_EXCL_VAL] = FIELD("excl_val", IR_I64, excl_val),
    [V_EXCL_VAL2] = FIELD("excl_val2", IR_I64, excl_val2),
    VEC(0), VEC(1), VEC(2), VEC(3), VEC(4), VEC(5), VEC(6), VEC(7), VEC(8), VEC(9), VEC(10), VEC(11), VEC(12), VEC(13),
    VEC(14), VEC(15), VEC(16), VEC(17), VEC(18), VEC(19), VEC(20), VEC(21), VEC(22), VEC(23), VEC(24), VEC(25), VEC(26),
    VEC(27), VEC(28), VEC(29), VEC(30), VEC(31),
    [V_CODE_PAGE] = FIELD("code_page", IR_I64, cpu.code_page),
};

_Static_assert(sizeof(arm_vars) / sizeof(arm_vars[0]) == V_COUNT, "arm_vars names every variable");

void arm_restore(Cpu *cpu, const BlockKey *key, uint64_t pc, uint64_t meta)
{
    ArmCpu *c = ARM(cpu);

    c->pc = pc;
    if (key->mode & MODE_A32) {
        c->it = meta == IR_META_ENTRY ? (key->mode & MODE_IT) >> MODE_IT_SHIFT
                                      : meta >> META_IT_SHIFT & 0xff;
    }
}

/* ---- registers ---- */

IrVal arm_x(ArmCtx *s, unsigned n)
{
    return n == 31 ? ir_i64(s->b, 0) : ir_get(s->b, V_X0 + n);
}

IrVal arm_xsp(ArmCtx *s, unsigned n)
{
    return ir_get(s->b, V_X0 + n);
}

void arm_set_x(ArmCtx *s, unsigned n, IrVal v)
{
    if (n != 31) {
        ir_set(s->b, V_X0 + n, v);
    }
}

void arm_set_xsp(ArmCtx *s, unsigned n, IrVal v)
{
    ir_set(s->b, V_X0 + n, v);
}

IrVal arm_r(ArmCtx *s, bool sf, unsigned n)
{
    return sf ? arm_x(s, n) : n == 31 ? ir_i32(s->b, 0) : ir_trunc(s->b, arm_x(s, n));
}

void arm_set_r(ArmCtx *s, bool sf, unsigned n, IrVal v)
{
    arm_set_x(s, n, sf ? v : ir_zextq(s->b, v));
}

IrVal arm_v(ArmCtx *s, unsigned n)
{
    return ir_get(s->b, V_V0 + n);
}

void arm_put_v(ArmCtx *s, unsigned n, IrVal v)
{
    if (s->zlive && !(s->zcleared >> n & 1)) {
        IrVal live = ir_env_load(s->b, IR_I32, offsetof(ArmCpu, zlive), MEM_32);

        ir_env_store(s->b, ir_andi(s->b, live, ~(1u << n)), offsetof(ArmCpu, zlive), MEM_32);
        s->zcleared |= 1u << n;
    }
    ir_set(s->b, V_V0 + n, v);
}

void arm_set_v(ArmCtx *s, unsigned n, bool q, IrVal v)
{
    arm_put_v(s, n, q ? v : ir_v_low64(s->b, v));
}

IrVal arm_shift(ArmCtx *s, bool sf, IrVal v, unsigned type, unsigned amount)
{
    if (amount == 0) {
        return v;
    }
    switch (type) {
    case 0:
        return ir_shli(s->b, v, amount);
    case 1:
        return ir_shri(s->b, v, amount);
    case 2:
        return ir_sari(s->b, v, amount);
    default:
        return ir_rotr(s->b, v, arm_const(s, sf, amount));
    }
}

IrVal arm_extend(ArmCtx *s, IrVal v, unsigned option, unsigned shift)
{
    IrBuilder *b = s->b;

    switch (option) {
    case 0:
        v = ir_zext8(b, v);
        break;
    case 1:
        v = ir_zext16(b, v);
        break;
    case 2:
        v = ir_zext32(b, v);
        break;
    case 4:
        v = ir_sext8(b, v);
        break;
    case 5:
        v = ir_sext16(b, v);
        break;
    case 6:
        v = ir_sext32(b, v);
        break;
    default:
        break;
    }
    return shift ? ir_shli(b, v, shift) : v;
}

/* ---- memory ---- */

IrVal arm_load(ArmCtx *s, IrType t, IrVal addr, unsigned op, unsigned mmu)
{
    arm_mte_check(s, addr, 1u << (op & MEM_SIZE), false, mmu);
    return ir_load(s->b, t, addr, (MemOp)((op & MEM_SIZE) ? op | s->mem : op), mmu);
}

void arm_store(ArmCtx *s, IrVal v, IrVal addr, unsigned op, unsigned mmu)
{
    arm_mte_check(s, addr, 1u << (op & MEM_SIZE), true, mmu);
    ir_store(s->b, v, addr, (MemOp)((op & MEM_SIZE) ? op | s->mem : op), mmu);
}

/* ---- exits ---- */

void arm_raise_ir(ArmCtx *s, unsigned kind, uint32_t syndrome)
{
    ir_call_raise(s->b, ir_i32(s->b, kind), ir_i32(s->b, syndrome));
    if (ir_is_open(s->b)) {
        ir_exit(s->b, IR_EXIT_LOOP);    /* not reached: the helper does not return */
    }
}

void arm_undef(ArmCtx *s)
{
    arm_raise_ir(s, ARM_EXC_UNDEF, esr(EC_UNKNOWN, 0));
    s->ended = s->ended || !s->skip;
}

void arm_semihost(ArmCtx *s)
{
    ir_call_semihost(s->b, arm_pc(s, s->next), ir_i32(s->b, s->it));
    if (ir_is_open(s->b)) {
        ir_exit(s->b, IR_EXIT_LOOP);
    }
    s->ended = true;
}

static bool stepping(const ArmCtx *s)
{
    return s->mode & MODE_SS;
}

static void home_it(ArmCtx *s)
{
    if ((s->mode & MODE_A32) && (s->mode & MODE_IT || s->it)) {
        ir_env_store(s->b, ir_i32(s->b, s->it), offsetof(ArmCpu, it), MEM_32);
    }
}

bool arm_movable(const BlockKey *key)
{
    return !(key->mode & (MODE_EL | MODE_SS | MODE_IL)) &&
           !(key->mode & MODE_A32 && key->mode & MODE_IT);
}

IrVal arm_pc(ArmCtx *s, uint64_t pc)
{
    if (!s->anywhere) {
        return ir_i64(s->b, pc);
    }
    IrVal v = ir_addi(s->b, ir_get(s->b, V_CODE_PAGE), (int64_t)(pc - s->page));
    return s->mode & MODE_A32 ? ir_zext32(s->b, v) : v;
}

void arm_jump(ArmCtx *s, unsigned slot, uint64_t pc)
{
    bool same_key = !((s->mode & MODE_A32) && (s->mode & MODE_IT || s->it));

    if (same_key && s->region && (pc ^ s->page) < 4096) {
        arm_region_jump(s, pc);
        return;
    }
    if (same_key && !stepping(s) && (pc ^ s->page) < 4096) {
        ir_exit_chain(s->b, slot, pc);
        return;
    }
    home_it(s);
    ir_set(s->b, V_PC, arm_pc(s, pc));
    if (stepping(s)) {
        ir_call_step_done(s->b);
    }
    if (!same_key || stepping(s)) {
        ir_exit(s->b, stepping(s) ? IR_EXIT_LOOP : IR_EXIT_LOOKUP);
    } else {
        ir_exit_lookup(s->b, arm_pc(s, pc));
    }
}

void arm_jump_val(ArmCtx *s, IrVal pc, IrWay way)
{
    bool same_key = !((s->mode & MODE_A32) && (s->mode & MODE_IT || s->it));

    home_it(s);
    ir_set(s->b, V_PC, pc);
    if (stepping(s)) {
        ir_call_step_done(s->b);
        ir_exit(s->b, IR_EXIT_LOOP);
    } else if (same_key) {
        if (s->region) {
            arm_region_targets(s, way);
        }
        ir_exit_jump(s->b, pc, way);
    } else {
        ir_exit(s->b, IR_EXIT_LOOKUP);
    }
}

void arm_end_jump(ArmCtx *s, uint64_t pc)
{
    arm_jump(s, 0, pc);
    s->ended = true;
}

void arm_end_exit(ArmCtx *s, bool set_pc, unsigned reason)
{
    home_it(s);
    if (set_pc) {
        ir_set(s->b, V_PC, arm_pc(s, s->next));
    }
    if (stepping(s)) {
        ir_call_step_done(s->b);
    }
    ir_exit(s->b, stepping(s) ? IR_EXIT_LOOP : reason);
    s->ended = true;
}

bool arm_fp_ok(ArmCtx *s)
{
    if (arm_is_m(s)) {
        return arm_m_fp_ok(s);
    }
    if (s->mode & MODE_FP_EL) {
        ir_call_fp_trap(s->b, ir_i32(s->b, (s->mode & MODE_FP_EL) >> MODE_FP_EL_SHIFT));
        if (ir_is_open(s->b)) {
            ir_exit(s->b, IR_EXIT_LOOP);
        }
        s->ended = s->ended || !s->skip;
        return false;
    }
    return true;
}

bool arm_sve_ok(ArmCtx *s)
{
    if (s->mode & MODE_SVE_TRAP) {
        ir_call_sve_trap(s->b, ir_i32(s->b, (s->mode & MODE_SVE_VL) >> MODE_SVE_SHIFT));
        if (ir_is_open(s->b)) {
            ir_exit(s->b, IR_EXIT_LOOP);
        }
        s->ended = true;
        return false;
    }
    return arm_fp_ok(s);
}

/* ---- the loop ---- */

static uint32_t fetch32(ArmCtx *s, Cpu *cpu, const uint8_t *page, uint64_t pc)
{
    uint32_t w = 0;

    if (page) {
        memcpy(&w, page + (pc & 4095), 4);
        return w;
    }
    for (unsigned n = 0; n < 4; n++) {
        w |= (uint32_t)cpu_fetch_u8(cpu, pc + n) << (8 * n);
    }
    return w;
}

bool trans_undefined(ArmCtx *s, const A64Insn *i)
{
    return false;
}

bool trans_nop(ArmCtx *s, const A64Insn *i)
{
    return true;
}

static void translate_a64(ArmCtx *s, Cpu *cpu, const uint8_t *page)
{
    uint32_t word = fetch32(s, cpu, page, s->pc);
    A64Insn i = {0};

    ir_insn(s->b, s->pc, META_INSN);
    s->next = s->pc + 4;
    s->tag_checked = s->mode & (MODE_MTE | MODE_MTE_USER) && arm_mte_checked_row(word);
    if (s->mode & MODE_IL) {
        arm_raise_ir(s, ARM_EXC_OTHER, esr(EC_ILLEGAL, 0));
        s->ended = true;
    } else if (!a64_decode(&i, word) || !i.row->trans(s, &i)) {
        arm_undef(s);
    }
}

/*
 * The values of PSTATE.BTYPE, as a mask, with which the instruction may be the first one in a
 * guarded page. D8.4.6.
 */
static unsigned landing_types(uint32_t word)
{
    switch (word) {
    case 0xd503245f:    /* BTI c */
        return 1 << 1 | 1 << 2;
    case 0xd503249f:    /* BTI j */
        return 1 << 1 | 1 << 3;
    case 0xd50324df:    /* BTI jc */
        return 1 << 1 | 1 << 2 | 1 << 3;
    case 0xd503233f:    /* PACIASP, PACIBSP: 3 by SCTLR_ELx.BT */
    case 0xd503237f:
        return 1 << 1 | 1 << 2;
    default:
        return 0;
    }
}

void arm_check_landing(ArmCtx *s, Cpu *cpu, const uint8_t *page)
{
    uint32_t word = fetch32(s, cpu, page, s->pc);

    if ((word & 0xffe0001f) == 0xd4200000 || (word & 0xffe0001f) == 0xd4400000) {
        return;         /* BRK, HLT: their exceptions come first, with BTYPE as it is */
    }
    IrBlock *cold = ir_cold_block(s->b), *go = ir_block(s->b);
    unsigned types = landing_types(word);
    bool pac = (word & ~0x40u) == 0xd503233f;
    IrVal p = ir_env_load(s->b, IR_I32, offsetof(ArmCpu, pstate), MEM_32);

    ir_brcond(s->b, COND_TSTNZ, p, ir_i32(s->b, PSTATE_BTYPE), cold, go);
    ir_place(s->b, cold);
    ir_call_bti_land(s->b, ir_i32(s->b, types), ir_i32(s->b, pac));
    ir_br(s->b, go);
    ir_place(s->b, go);
}

static unsigned data_index(uint32_t mode)
{
    switch (mode & MODE_EL) {
    case 0:
        return MMU_EL0;
    case 1:
        return mode & MODE_PAN ? MMU_EL1_PAN : MMU_EL1;
    case 2:
        return mode & MODE_PAN ? MMU_EL2_PAN : MMU_EL2;
    default:
        return MMU_EL3;
    }
}

ArmCtx arm_context(Cpu *cpu, IrBuilder *b, const BlockKey *key)
{
    ArmCtx s = {
        .b = b,
        .cpu = ARM(cpu),
        .mode = key->mode,
        .el = key->mode & MODE_EL,
        .pc = key->pc,
        .page = key->pc & ~4095ull,
        .cc_op = CC_DYNAMIC,
        .mmu = data_index(key->mode),
        .thumb = (key->mode & (MODE_A32 | MODE_THUMB)) == (MODE_A32 | MODE_THUMB),
        .it = key->mode & MODE_A32 ? (key->mode & MODE_IT) >> MODE_IT_SHIFT : 0,
        .insn_len = 4,
        .anywhere = key->flags & KEY_ANYWHERE,
    };

    s.mmu_user = s.mmu == MMU_EL3 || (s.mmu == MMU_EL2 && !(key->mode & MODE_HOST)) ||
                         (key->mode & (MODE_UAO | MODE_A32)) == MODE_UAO ? s.mmu : MMU_EL0;
    if (arm_is_m(&s)) {
        arm_m_context(&s);
    } else if (!(key->mode & MODE_A32) && arm_has(s.cpu, FEATURE_SVE)) {
        s.zlive = key->mode & MODE_SVE_TRAP ? key->mode & MODE_ZLIVE : arm_vl(&s) > 16;
    }
    s.mem = (key->mode & MODE_BIG ? MEM_BIG : 0) | (key->mode & MODE_ALIGN ? MEM_ALIGN : 0);
    return s;
}

unsigned arm_translate_run(ArmCtx *s, Cpu *cpu, const uint8_t *page, unsigned max_insns)
{
    unsigned insns = 0;

    do {
        if (s->region && insns > 0 && arm_region_meets(s)) {
            arm_end_jump(s, s->pc);
            break;
        }
        if (s->region) {
            arm_region_covers(s);
        }
        if (s->mode & MODE_A32) {
            if (!arm_translate_a32(s, cpu, page, insns == 0)) {
                arm_end_jump(s, s->pc);
                break;
            }
        } else {
            translate_a64(s, cpu, page);
        }
        insns++;
        s->pc = s->next;
        if (!s->ended && (insns >= max_insns || ir_full(s->b) || (s->pc ^ s->page) >= 4096)) {
            arm_end_jump(s, s->next);
        }
    } while (!s->ended);
    return insns;
}

void arm_translate(Cpu *cpu, IrBuilder *b, const BlockKey *key, unsigned max_insns)
{
    ArmCtx s = arm_context(cpu, b, key);

    if ((key->mode & MODE_A32 ? key->pc & (s.thumb ? 1 : 3) : key->pc & 3) != 0) {
        ir_insn(b, key->pc, META_INSN);
        arm_raise_ir(&s, ARM_EXC_PC_ALIGN, esr(EC_PC_ALIGN, 0));
        ir_set_extent(b, 1, 4);
        return;
    }
    if (!(key->mode & MODE_A32) && key->mode & MODE_BTI) {
        ir_insn(b, key->pc, META_INSN);
        arm_check_landing(&s, cpu, cpu_fetch_page(cpu, key->pc, NULL));
    }
    if (key->mode & MODE_SS) {
        ir_insn(b, key->pc, META_INSN | (uint64_t)s.it << META_IT_SHIFT);
        ir_call_step_begin(b);
    }
    unsigned insns = arm_translate_run(&s, cpu, cpu_fetch_page(cpu, key->pc, NULL),
                                       key->mode & MODE_SS ? 1 : max_insns);

    ir_set_extent(b, insns, s.pc - key->pc);
}
