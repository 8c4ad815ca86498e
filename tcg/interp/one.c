// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One op without effects, on operands that lie in memory: what back ends do where the host has no
 * instruction for it, by the interpreter's function for the op. Slow, but there for every op and
 * lane.
 */
#include "tcg/interp/interp.h"

/* Descriptors live as long as the process: there are only so many different ones. */
const Insn *interp_describe(const IrFunc *f, const IrOp *o)
{
    static GHashTable *known; /* bytes of the descriptor -> itself; translator's lock */
    Insn i = {.fn = interp_handler(o),
              .opcode = o->opcode,
              .type = o->type,
              .cc = o->cc,
              .dst_type = (uint8_t)ir_dst_type(f, o),
              .num_args = o->num_args,
              .dst = ONE_RESULT,
              .imm = {o->imm[0], o->imm[1]}};
    GBytes *key;
    Insn *found;

    for (unsigned n = 0; n < o->num_args; n++) {
        i.arg[n] = n * ONE_OPERAND;
        if (n < 2) {
            i.arg_type[n] = f->values[o->args[n]].type;
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

void interp_run_one(const Insn *i, uint8_t *frame)
{
    static _Thread_local Run *run; /* 128 KiB, of which only the bases are used */

    if (!run) {
        run = g_aligned_alloc0(1, sizeof *run, _Alignof(Run));
    }
    run->base[0] = run->base[1] = frame;
    i->fn(i, run);
}
