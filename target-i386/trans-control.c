// SPDX-License-Identifier: GPL-2.0-or-later
/* Stack and control transfer, near and far, interrupts by instruction. SDM 1 chapter 6, 5.1.7. */
#include "target-i386/region.h"

/* ---- stack ---- */

void trans_PUSH(X86Ctx *s, X86Insn *i)
{
    x86_push(s, i->op[0].size, x86_read(s, i, 0));
}

void trans_POP(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrVal v = x86_pop_peek(s, size);

    if (i->op[0].kind == X86_MEM) {
        s->rsp_bias = 1 << size;        /* an address with RSP is made after the increment */
        x86_write(s, i, 0, v);
        x86_pop_done(s, size, 0);
    } else {
        x86_pop_done(s, size, 0);
        x86_write(s, i, 0, v);
    }
}

void trans_PUSH_seg(X86Ctx *s, X86Insn *i)
{
    uint32_t offset = (uint32_t)(offsetof(X86Cpu, segs) + i->op[0].reg * sizeof(X86Seg) +
                                 offsetof(X86Seg, selector));
    IrVal v = ir_env_load(s->b, IR_I32, offset, MEM_32);

    x86_push(s, i->opsize, i->opsize == 3 ? ir_zextq(s->b, v) : v);
}

/* Ends the block where segment loads change what translations depend on. */
static void after_seg_load(X86Ctx *s, unsigned seg)
{
    if (seg == S_SS) {          /* SDM 3A 6.8.3; it holds a single step's #DB off too */
        ir_env_store(s->b, ir_i32(s->b, 1), offsetof(X86Cpu, inhibit_irq), MEM_32);
        x86_sync(s);
        ir_set(s->b, V_RIP, x86_pc(s, s->next));
        ir_exit(s->b, IR_EXIT_LOOP);
        s->ended = true;
        return;
    }
    if (!s->code64 && s->mode & MODE_PE && !x86_in_vm86(s)) {
        x86_end_exit(s, true, IR_EXIT_LOOKUP);
    }
}

void trans_POP_seg(X86Ctx *s, X86Insn *i)
{
    unsigned seg = i->op[0].reg;
    IrVal v = x86_pop_peek(s, i->opsize);

    x86_sync(s);
    v = ir_andi(s->b, i->opsize == 3 ? ir_trunc(s->b, v) : v, 0xffff);
    ir_call_load_seg(s->b, ir_i32(s->b, seg), v);
    x86_pop_done(s, i->opsize, 0);
    after_seg_load(s, seg);
}

void trans_MOV_to_seg(X86Ctx *s, X86Insn *i)
{
    unsigned seg = i->op[0].reg;

    if (seg == S_CS || seg > S_GS) {
        x86_ud(s);
        return;
    }
    IrVal v = x86_zext(s, 1, x86_read(s, i, 1));
    x86_sync(s);
    ir_call_load_seg(s->b, ir_i32(s->b, seg), v);
    after_seg_load(s, seg);
}

void trans_LxS(X86Ctx *s, X86Insn *i)
{
    static const uint8_t by_opcode[8] = {[2] = S_SS, [4] = S_FS, [5] = S_GS};
    unsigned seg = i->map == X86_MAP_0F ? by_opcode[i->opcode & 7]
                   : i->opcode == 0xc4  ? S_ES
                                        : S_DS;
    IrBuilder *b = s->b;
    unsigned size = i->opsize;
    IrVar offset = ir_local(b, x86_type(size));
    IrVal addr = x86_addr(s, i);
    IrVal v = x86_load(s, size, addr);
    IrVal selector = x86_load(s, 1, ir_addi(b, addr, 1 << size));

    ir_set(b, offset, v);
    x86_sync(s);
    ir_call_load_seg(b, ir_i32(b, seg), selector);
    x86_write(s, i, 0, ir_get(b, offset));
    after_seg_load(s, seg);
}

void trans_PUSHA(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->opsize, stack = x86_stack_size(s);
    IrVal sp = ir_get(b, V_RSP);

    for (unsigned k = 0; k < 8; k++) {
        IrVal at = x86_mask_addr(s, stack, ir_addi(b, sp, -(int64_t)((k + 1) << size)));
        x86_store(s, size, x86_get_reg(s, size, k), x86_linear(s, at, S_SS, 1u << size, true));
    }
    x86_pop_done(s, size, (uint64_t)-(int64_t)(9 << size));
}

void trans_POPA(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->opsize, stack = x86_stack_size(s);
    IrVal sp = ir_get(b, V_RSP), v[8];

    for (unsigned k = 0; k < 8; k++) {
        if (k != R_SP) {
            IrVal at = x86_mask_addr(s, stack, ir_addi(b, sp, (7 - k) << size));
            v[k] = x86_load(s, size, x86_linear(s, at, S_SS, 1u << size, false));
        }
    }
    for (unsigned k = 0; k < 8; k++) {
        if (k != R_SP) {
            x86_set_reg(s, size, k, v[k]);
        }
    }
    x86_pop_done(s, size, 7u << size);
}

void trans_PUSHF(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    IrVal v = ir_call_pushf(s->b, ir_i32(s->b, i->opsize));
    x86_push(s, i->opsize, x86_narrow(s, i->opsize, v));
}

void trans_POPF(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    IrVal v = x86_pop_peek(s, i->opsize);

    x86_sync(s);
    ir_call_popf(b, i->opsize == 3 ? v : ir_zextq(b, v), ir_i32(b, i->opsize));
    x86_pop_done(s, i->opsize, 0);
    x86_cc_by_helper(s);
    x86_end_exit(s, true, IR_EXIT_LOOP);
}

void trans_ENTER(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;

    x86_sync(s);
    ir_call_enter(b, ir_i32(b, i->opsize), ir_i32(b, (uint32_t)i->op[0].imm),
                  ir_i32(b, (uint32_t)i->op[1].imm & 31));
}

void trans_LEAVE(X86Ctx *s, X86Insn *i)
{
    unsigned stack = x86_stack_size(s);
    IrVal bp = x86_mask_addr(s, stack, ir_get(s->b, V_RBP));
    IrVal v = x86_load(s, i->opsize, x86_linear(s, bp, S_SS, 1u << i->opsize, false));
    IrVal sp = ir_addi(s->b, bp, 1 << i->opsize);

    x86_set_reg(s, stack, R_SP, x86_narrow(s, stack, sp));
    x86_set_reg(s, i->opsize, R_BP, v);
}

/* ---- near transfers ---- */

static uint64_t target(const X86Ctx *s, const X86Insn *i)
{
    return x86_mask_rip(s, i->opsize, s->next + i->op[0].imm);
}

/* A jump of 16 bits does not move with its code. */
/*
 * Before anything else is done: a place beyond the limit is the branch's own #GP (SDM 2 "JMP",
 * "CALL", "RET"). One that is not canonical is noticed where it leads, which costs nothing.
 */
static IrVal check_value(X86Ctx *s, IrVal rip)
{
    if (s->mode & MODE_CSLIMIT) {
        ir_call_near_target(s->b, rip);
    }
    return rip;
}

/* Real mode's limit is beyond what its 16 bits of IP reach. */
static void check_target(X86Ctx *s, const X86Insn *i)
{
    if (s->mode & MODE_CSLIMIT && s->mode & MODE_PE && !(s->mode & MODE_VM)) {
        ir_call_near_target(s->b, x86_pc(s, target(s, i)));
    }
}

static void jump_to_target(X86Ctx *s, unsigned slot, const X86Insn *i)
{
    if (s->anywhere && i->opsize == 1) {
        x86_jump_val(s, ir_zext16(s->b, x86_pc(s, s->next + (uint64_t)i->op[0].imm)), WAY_ANY);
    } else {
        x86_jump(s, slot, target(s, i));
    }
}

static void branch(X86Ctx *s, X86Insn *i, IrCond cond, IrVal a, IrVal c)
{
    IrBlock *taken = ir_block(s->b), *not_taken = ir_block(s->b);

    if (!s->region) {
        x86_sync(s);
    }
    bool stale = s->cc_stale;
    ir_brcond(s->b, cond, a, c, taken, not_taken);
    ir_place(s->b, not_taken);
    x86_jump(s, 0, s->next);
    s->cc_stale = stale;
    ir_place(s->b, taken);
    check_target(s, i);
    jump_to_target(s, 1, i);
    s->ended = true;
}

void trans_Jcc(X86Ctx *s, X86Insn *i)
{
    X86Cond c = x86_cond(s, i->opcode & 15);

    branch(s, i, c.cond, c.a, c.b);
}

void trans_JMP(X86Ctx *s, X86Insn *i)
{
    check_target(s, i);
    jump_to_target(s, 0, i);
    s->ended = true;
}

static IrVal indirect_target(X86Ctx *s, X86Insn *i)
{
    return check_value(s, x86_zext64(s, i->op[0].size, x86_read(s, i, 0)));
}

void trans_JMP_ind(X86Ctx *s, X86Insn *i)
{
    x86_jump_val(s, indirect_target(s, i), WAY_JUMP);
    s->ended = true;
}

void trans_CALL(X86Ctx *s, X86Insn *i)
{
    uint64_t to = target(s, i);

    check_target(s, i);
    x86_push(s, i->opsize, x86_narrow(s, i->opsize, x86_pc(s, s->next)));
    if (s->region) {
        x86_region_call(s, s->code64 ? to : (uint32_t)(to + s->base));
    }
    jump_to_target(s, 0, i);
    s->ended = true;
}

void trans_CALL_ind(X86Ctx *s, X86Insn *i)
{
    IrVal to = indirect_target(s, i);

    x86_push(s, i->opsize, x86_narrow(s, i->opsize, x86_pc(s, s->next)));
    if (s->region) {
        x86_region_call(s, X86_NOWHERE);
    }
    x86_jump_val(s, to, WAY_CALL);
    s->ended = true;
}

void trans_RET(X86Ctx *s, X86Insn *i)
{
    IrVal to = check_value(s, x86_zext64(s, i->opsize, x86_pop_peek(s, i->opsize)));

    x86_pop_done(s, i->opsize, i->op[0].kind == X86_IMM ? i->op[0].imm : 0);
    x86_jump_val(s, to, WAY_RETURN);
    s->ended = true;
}

void trans_LOOP(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->addrsize;
    unsigned kind = i->opcode & 3;      /* 0 LOOPNE, 1 LOOPE, 2 LOOP */
    IrVal count = ir_addi(b, x86_get_reg(s, size, R_CX), -1);
    IrVal zero = x86_const(s, size, 0);

    if (kind == 2) {
        x86_set_reg(s, size, R_CX, count);
        branch(s, i, COND_NE, x86_zext(s, size, count), zero);
        return;
    }
    X86Cond c = x86_cond(s, kind == 1 ? 4 : 5);
    IrVal both = ir_and(b, ir_setcond(b, c.cond, c.a, c.b),
                        ir_setcond(b, COND_NE, x86_zext(s, size, count), zero));
    x86_set_reg(s, size, R_CX, count);
    branch(s, i, COND_NE, both, ir_i32(b, 0));
}

void trans_JCXZ(X86Ctx *s, X86Insn *i)
{
    IrVal count = x86_zext(s, i->addrsize, x86_get_reg(s, i->addrsize, R_CX));

    branch(s, i, COND_EQ, count, x86_const(s, i->addrsize, 0));
}

/* ---- far transfers ---- */

static void far_done(X86Ctx *s)
{
    s->cc_stale = false;
    x86_end_exit(s, false, IR_EXIT_LOOKUP);
}

static void far_to(X86Ctx *s, X86Insn *i, IrVal selector, IrVal offset64, bool call)
{
    IrBuilder *b = s->b;

    x86_sync(s);
    (call ? ir_call_far_call : ir_call_far_jmp)(b, selector, offset64, ir_i32(b, i->opsize),
                                                x86_pc(s, s->next));
    far_done(s);
}

static void far_direct(X86Ctx *s, X86Insn *i, bool call)
{
    far_to(s, i, ir_i32(s->b, i->selector), ir_i64(s->b, i->op[0].imm), call);
}

static void far_indirect(X86Ctx *s, X86Insn *i, bool call)
{
    IrBuilder *b = s->b;
    unsigned size = i->opsize;
    IrVal addr = x86_addr(s, i);
    IrVal offset = x86_load(s, size, addr);
    IrVal selector = x86_load(s, 1, ir_addi(b, addr, 1 << size));

    far_to(s, i, selector, size == 3 ? offset : ir_zextq(b, offset), call);
}

void trans_CALLF(X86Ctx *s, X86Insn *i)
{
    far_direct(s, i, true);
}

void trans_JMPF(X86Ctx *s, X86Insn *i)
{
    far_direct(s, i, false);
}

void trans_CALLF_ind(X86Ctx *s, X86Insn *i)
{
    far_indirect(s, i, true);
}

void trans_JMPF_ind(X86Ctx *s, X86Insn *i)
{
    far_indirect(s, i, false);
}

void trans_RETF(X86Ctx *s, X86Insn *i)
{
    uint32_t drop = i->op[0].kind == X86_IMM ? (uint32_t)i->op[0].imm : 0;

    x86_sync(s);
    ir_call_far_ret(s->b, ir_i32(s->b, i->opsize), ir_i32(s->b, drop));
    far_done(s);
}

void trans_IRET(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_iret(s->b, ir_i32(s->b, i->opsize), x86_pc(s, s->next));
    x86_end_exit(s, false, IR_EXIT_LOOP);
}

/* ---- interrupts by instruction, fast system calls ---- */

static void end_noreturn(X86Ctx *s)
{
    if (ir_is_open(s->b)) {
        ir_exit(s->b, IR_EXIT_LOOP);
    }
    s->ended = true;
}

void trans_INT3(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_int3(s->b, x86_pc(s, s->next));
    end_noreturn(s);
}

void trans_INT1(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_int1(s->b, x86_pc(s, s->next));
    end_noreturn(s);
}

void trans_INT(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_int_n(s->b, ir_i32(s->b, (uint32_t)i->op[0].imm), x86_pc(s, s->next));
    end_noreturn(s);
}

void trans_INTO(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_into(s->b, x86_pc(s, s->next));
}

void trans_BOUND(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;
    IrBlock *bad = ir_cold_block(b), *low_ok = ir_block(b), *ok = ir_block(b);
    IrVar upper = ir_local(b, x86_type(size));
    IrVal addr = x86_addr(s, i);
    IrVal low = x86_load(s, size, addr), high = x86_load(s, size, ir_addi(b, addr, 1 << size));

    ir_set(b, upper, x86_sext(s, size, high));
    x86_sync(s);
    ir_brcond(b, COND_LT, x86_sext(s, size, x86_read(s, i, 0)), x86_sext(s, size, low), bad,
              low_ok);
    ir_place(b, low_ok);
    ir_brcond(b, COND_GT, x86_sext(s, size, x86_read(s, i, 0)), ir_get(b, upper), bad, ok);
    ir_place(b, bad);
    x86_raise_ir(s, EXC_BR);
    ir_place(b, ok);
}

void trans_UD(X86Ctx *s, X86Insn *i)
{
    x86_ud(s);
}

void trans_SYSCALL(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_syscall(s->b, x86_pc(s, s->next));
    x86_end_exit(s, false, IR_EXIT_LOOP);
}

void trans_SYSRET(X86Ctx *s, X86Insn *i)
{
    if (!(s->mode & MODE_PE)) {
        x86_raise_gp(s);
        s->ended = true;
    } else if (x86_cpl0(s)) {
        x86_sync(s);
        ir_call_sysret(s->b, ir_i32(s->b, i->opsize == 3 ? 3 : 2));
        x86_end_exit(s, false, IR_EXIT_LOOP);
    }
}

void trans_SYSENTER(X86Ctx *s, X86Insn *i)
{
    x86_sync(s);
    ir_call_sysenter(s->b);
    x86_end_exit(s, false, IR_EXIT_LOOP);
}

void trans_SYSEXIT(X86Ctx *s, X86Insn *i)
{
    if (x86_cpl0(s)) {
        x86_sync(s);
        ir_call_sysexit(s->b, ir_i32(s->b, i->opsize == 3 ? 3 : 2));
        x86_end_exit(s, false, IR_EXIT_LOOP);
    }
}
