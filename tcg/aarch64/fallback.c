// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ops that the host has no instruction for, or whose corner cases are not the IR's (NaN results,
 * out of range conversions): the interpreter's function does them, in line or in a cold path.
 */
#include "tcg/aarch64/gen.h"

static RaPlace operand_place(unsigned n)
{
    return (RaPlace){.base = RA_FRAME, .offset = FRAME_CALL + n * ONE_OPERAND};
}

static void put_operand(Gen *g, const IrOp *o, unsigned n, int reg)
{
    IrType t = (IrType)g->f->values[o->args[n]].type;

    if (t == IR_I32 || t == IR_F32) {
        a_mem(&g->a, A_STR | a_size(3), ZR, SP, operand_place(n).offset);
    }
    g->ra.host->store(g, t, reg, operand_place(n));
}

static void run(Gen *g, const IrOp *o)
{
    a_mov_i(&g->a, 0, (uintptr_t)interp_describe(g->f, o));
    a_mov_i(&g->a, SCRATCH, FRAME_CALL);
    a_rr(&g->a, A_ADD_I | W64, 1, SP);
    a_rrr(&g->a, A_ADD | W64, 1, 1, SCRATCH);
    a_call(&g->a, (const void *)interp_run_one);
}

static void take_result(Gen *g, IrType t, int dst)
{
    g->ra.host->load(g, t, dst, (RaPlace){.base = RA_FRAME, .offset = FRAME_CALL + ONE_RESULT});
}

void gen_fallback(Gen *g, const IrOp *o)
{
    for (unsigned n = 0; n < o->num_args; n++) {
        put_operand(g, o, n, gen_use(g, o, n));
    }
    ra_call_args(&g->ra, NULL, 0);
    run(g, o);
    take_result(g, ir_dst_type(g->f, o), ra_def(&g->ra, o->dst, 0, -1));
}

int gen_def_apart(Gen *g, const IrOp *o)
{
    RegSet avoid = 0;

    for (unsigned n = 0; n < o->num_args; n++) {
        g->operand[n] = gen_use(g, o, n);
        avoid |= REG_BIT(g->operand[n]);
    }
    ra_release(&g->ra);
    return ra_def(&g->ra, o->dst, g->ra.host->pool[ra_class(ir_dst_type(g->f, o))] & ~avoid, -1);
}

void gen_cold_fallback(Gen *g, const IrOp *o, int dst, uint8_t *jump, uint8_t *jump2)
{
    Stub s = {.jump = {jump, jump2}, .back = g->a.p, .op = o, .insn = g->insn, .dst = (int8_t)dst};

    for (unsigned n = 0; n < 4; n++) {
        s.args[n] = -1;
    }
    for (unsigned n = 0; n < o->num_args; n++) {
        s.args[n] = (int8_t)g->operand[n];
    }
    s.live = g->ra.busy & g->ra.host->caller_saved & ~REG_BIT(dst);
    g_array_append_val(g->stubs, s);
}

void gen_fallback_stub(Gen *g, const Stub *s)
{
    gen_keep_registers(g, s->live, false);
    for (unsigned n = 0; n < s->op->num_args; n++) {
        put_operand(g, s->op, n, s->args[n]);
    }
    run(g, s->op);
    take_result(g, ir_dst_type(g->f, s->op), s->dst);
    gen_keep_registers(g, s->live, true);
}
