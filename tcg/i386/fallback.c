// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ops without effects that the host has no instruction for: operands go to the frame and the
 * interpreter's function for the op works on them there. Slow, but there for every op and lane.
 */
#include "tcg/i386/gen.h"
#include "tcg/interp/interp.h"

enum { RESULT = 128 };                  /* offset of the result; operands at multiples of 32 */

static void run_one(const Insn *i, uint8_t *frame)
{
    static _Thread_local Run *run;      /* 128 KiB, of which only the bases are used */

    if (!run) {
        run = g_aligned_alloc0(1, sizeof *run, _Alignof(Run));
    }
    run->base[0] = run->base[1] = frame;
    i->fn(i, run);
}

/* Descriptors live as long as the process: there are only so many different ones. */
static const Insn *describe(const Gen *g, const IrOp *o)
{
    static GHashTable *known;           /* bytes of the descriptor -> itself; translator's lock */
    Insn i = {.fn = interp_handler(o), .opcode = o->opcode, .type = o->type, .cc = o->cc,
              .dst_type = (uint8_t)ir_dst_type(g->f, o), .num_args = o->num_args, .dst = RESULT,
              .imm = {o->imm[0], o->imm[1]}};
    GBytes *key;
    Insn *found;

    for (unsigned n = 0; n < o->num_args; n++) {
        i.arg[n] = n * 32;
        if (n < 2) {
            i.arg_type[n] = g->ra.vals[o->args[n]].type;
        }
    }
    if (!known) {
        known = g_hash_table_new(g_bytes_hash, g_bytes_equal);
    }
    key = g_bytes_new(&i, sizeof i);
    found = g_hash_table_lookup(known, key);
    if (!found) {
        found = g_memdup2(&i, sizeof i);
        g_hash_table_insert(known, key, found);
    } else {
        g_bytes_unref(key);
    }
    return found;
}

void gen_fallback(Gen *g, const IrOp *o)
{
    IrType t = ir_dst_type(g->f, o);
    int dst;

    for (unsigned n = 0; n < o->num_args; n++) {
        IrType at = (IrType)g->ra.vals[o->args[n]].type;
        RaPlace place = {.base = RA_FRAME, .offset = FRAME_CALL + n * 32};
        int reg = ra_use(&g->ra, o->args[n], 0);
        if (ir_type_bits(at) == 32) {
            x_mov_mi(&g->a, X_W, gen_place(g, place), 0);
        }
        g->ra.host->store(g, at, reg, place);
    }
    ra_call_args(&g->ra, NULL, 0);
    x_mov_ri(&g->a, RDI, (uintptr_t)describe(g, o));
    x_rm(&g->a, X_LEA | X_W, RSI, mem_bd(RSP, FRAME_CALL));
    gen_clean_ymm(g);
    x_call(&g->a, (const void *)run_one);
    dst = ra_def(&g->ra, o->dst, 0, -1);
    g->ra.host->load(g, t, dst, (RaPlace){.base = RA_FRAME, .offset = FRAME_CALL + RESULT});
}
