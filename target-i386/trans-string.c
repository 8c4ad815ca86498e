// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * String instructions. Single ones are IR; repeated ones are one helper call that works on
 * pages (string-helper.c), keeps RCX, RSI, RDI right at every fault and comes back early when
 * interrupts wait: then the instruction is begun again. SDM 2 "REP", "MOVS", ...
 */
#include "target-i386/string-helper.h"
#include "target-i386/translate.h"

static IrVal string_address(X86Ctx *s, X86Insn *i, unsigned reg, unsigned size, bool write)
{
    IrVal at = x86_mask_addr(s, i->addrsize, ir_get(s->b, V_RAX + reg));

    return x86_linear(s, at,
                      reg == R_DI  ? S_ES
                      : i->seg < 0 ? S_DS
                                   : (unsigned)i->seg,
                      1u << size, write);
}

static void string_step(X86Ctx *s, X86Insn *i, unsigned reg, unsigned size)
{
    IrBuilder *b = s->b;
    IrVal v = ir_add(b, ir_get(b, V_RAX + reg), ir_shli(b, ir_get(b, V_DF), size));

    x86_set_reg(s, i->addrsize, reg, x86_narrow(s, i->addrsize, v));
}

/* Again from the start unless the count has run out (or `done` is not 0). */
static void rep_again(X86Ctx *s, X86Insn *i, IrVal done)
{
    IrBuilder *b = s->b;
    IrBlock *more = ir_cold_block(b), *over = ir_block(b);

    if (done.id) {
        ir_brcond(b, COND_EQ, done, ir_i32(b, 0), more, over);
    } else {
        IrVal count = x86_zext(s, i->addrsize, x86_get_reg(s, i->addrsize, R_CX));
        ir_brcond(b, COND_NE, count, x86_const(s, i->addrsize, 0), more, over);
    }
    ir_place(b, more);
    ir_set(b, V_RIP, x86_pc(s, s->rip));
    if (s->mode & MODE_TF) {
        ir_call_single_step(b);     /* after each round */
    }
    if (ir_is_open(b)) {
        ir_exit(b, IR_EXIT_LOOP);
    }
    ir_place(b, over);
}

static IrVal rep_word(X86Ctx *s, X86Insn *i, unsigned size)
{
    unsigned seg = i->seg < 0 ? S_DS : (unsigned)i->seg;

    return ir_i32(s->b, REP_WORD(size, i->addrsize, seg, i->rep == 0xf2, s->mmu) |
                  (s->code64 ? REP_CODE64 : 0));
}

static void rep_move(X86Ctx *s, X86Insn *i, unsigned size, void (*fn)(IrBuilder *, IrVal))
{
    x86_sync(s);
    fn(s->b, rep_word(s, i, size));
    rep_again(s, i, x86_none);
}

/* The helper returns 0: not done yet; 1: count was 0, flags stay; 2: it has set the flags. */
static void rep_compare(X86Ctx *s, X86Insn *i, unsigned size, IrVal (*fn)(IrBuilder *, IrVal))
{
    x86_sync(s);
    IrVal done = fn(s->b, rep_word(s, i, size));
    x86_cc_dynamic(s);
    rep_again(s, i, done);
}

void trans_MOVS(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;

    if (i->rep) {
        rep_move(s, i, size, ir_call_rep_movs);
        return;
    }
    IrVal v = x86_load(s, size, string_address(s, i, R_SI, size, false));
    x86_store(s, size, v, string_address(s, i, R_DI, size, true));
    string_step(s, i, R_SI, size);
    string_step(s, i, R_DI, size);
}

void trans_STOS(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;

    if (i->rep) {
        rep_move(s, i, size, ir_call_rep_stos);
        return;
    }
    x86_store(s, size, x86_get_reg(s, size, R_AX), string_address(s, i, R_DI, size, true));
    string_step(s, i, R_DI, size);
}

void trans_LODS(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;

    if (i->rep) {
        rep_move(s, i, size, ir_call_rep_lods);
        return;
    }
    IrVal v = x86_load(s, size, string_address(s, i, R_SI, size, false));
    x86_set_reg(s, size, R_AX, v);
    string_step(s, i, R_SI, size);
}

static void compare_flags(X86Ctx *s, unsigned size, IrVal a, IrVal c)
{
    x86_cc(s, CCG_CMP, size, a, c, x86_none);
}

void trans_CMPS(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;

    if (i->rep) {
        rep_compare(s, i, size, ir_call_rep_cmps);
        return;
    }
    IrVal a = x86_load(s, size, string_address(s, i, R_SI, size, false));
    IrVal c = x86_load(s, size, string_address(s, i, R_DI, size, false));
    string_step(s, i, R_SI, size);
    string_step(s, i, R_DI, size);
    compare_flags(s, size, a, c);
}

void trans_SCAS(X86Ctx *s, X86Insn *i)
{
    unsigned size = i->op[0].size;

    if (i->rep) {
        rep_compare(s, i, size, ir_call_rep_scas);
        return;
    }
    IrVal c = x86_load(s, size, string_address(s, i, R_DI, size, false));
    string_step(s, i, R_DI, size);
    compare_flags(s, size, x86_get_reg(s, size, R_AX), c);
}

void trans_INS(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned size = i->op[0].size;

    if (i->rep) {
        rep_move(s, i, size, ir_call_rep_ins);
    } else {
        x86_sync(s);
        ir_call_ins(b, ir_i32(b, size), ir_i32(b, i->addrsize));
    }
    x86_end_exit(s, true, IR_EXIT_LOOP);
}

void trans_OUTS(X86Ctx *s, X86Insn *i)
{
    IrBuilder *b = s->b;
    unsigned seg = i->seg < 0 ? S_DS : (unsigned)i->seg, size = i->op[1].size;

    if (i->rep) {
        rep_move(s, i, size, ir_call_rep_outs);
    } else {
        x86_sync(s);
        ir_call_outs(b, ir_i32(b, size), ir_i32(b, i->addrsize), ir_i32(b, seg));
    }
    x86_end_exit(s, true, IR_EXIT_LOOP);
}
