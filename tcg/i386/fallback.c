// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ops without effects that the host has no instruction for: operands go to the frame and the
 * interpreter's function for the op works on them there. Slow, but there for every op and lane.
 */
#include "tcg/i386/gen.h"
#include "tcg/interp/interp.h"

void gen_fallback(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    int dst;

    for (unsigned n = 0; n < o->num_args; n++) {
        IrType at = (IrType)g->ra.vals[o->args[n]].type;
        RaPlace place = {.base = RA_FRAME, .offset = FRAME_CALL + n * ONE_OPERAND};
        int reg = ra_use(&g->ra, o->args[n], 0);
        if (ir_type_bits(at) == 32) {
            x_mov_mi(&g->a, X_W, gen_place(g, place), 0);
        }
        g->ra.host->store(g, at, reg, place);
    }
    ra_call_args(&g->ra, NULL, 0);
    x_mov_ri(&g->a, RDI, (uintptr_t)interp_describe(g->f, o));
    x_rm(&g->a, X_LEA | X_W, RSI, mem_bd(RSP, FRAME_CALL));
    gen_clean_ymm(g);
    x_call(&g->a, (const void *)interp_run_one);
    dst = ra_def(&g->ra, o->dst, 0, -1);
    g->ra.host->load(g, t, dst, (RaPlace){.base = RA_FRAME, .offset = FRAME_CALL + ONE_RESULT});
}
