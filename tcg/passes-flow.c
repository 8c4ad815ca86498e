// SPDX-License-Identifier: GPL-2.0-or-later
/* Passes on the control flow: jump threading and merging of blocks. */
#include "tcg/passes.h"

#define MAX_HOPS 16

/* Where a branch to b ends up, past blocks that only branch on. */
static IrBlock *destination(const IrFunc *f, IrBlock *b)
{
    for (unsigned hops = 0; hops < MAX_HOPS; hops++) {
        if (b->first != b->last || f->ops[b->first].opcode != OP_BR || b->succ[0] == b) {
            break;
        }
        b = b->succ[0];
    }
    return b;
}

bool pass_thread(IrFunc *f)
{
    bool changed = false;

    for (IrBlock *b = f->entry; b; b = b->next) {
        for (unsigned i = 0; i < 2 && b->succ[i]; i++) {
            IrBlock *to = destination(f, b->succ[i]);
            changed |= to != b->succ[i];
            b->succ[i] = to;
        }
        if (b->succ[1] && b->succ[0] == b->succ[1]) {
            IrOp *o = &f->ops[b->last];
            o->opcode = OP_BR;
            o->num_args = 0;
            b->succ[1] = NULL;
            changed = true;
        }
    }
    return changed;
}

static void append_block(IrFunc *f, IrBlock *b, IrBlock *s)
{
    ir_op_remove(f, b, b->last);
    if (!b->last) {
        b->first = s->first;
    } else {
        f->ops[b->last].next = s->first;
        f->ops[s->first].prev = b->last;
    }
    b->last = s->last;
    b->succ[0] = s->succ[0];
    b->succ[1] = s->succ[1];
    b->again = true;
    s->first = s->last = 0;
    s->succ[0] = s->succ[1] = NULL;
}

bool pass_merge(IrFunc *f)
{
    bool changed = false;

    for (IrBlock *b = f->entry; b; b = b->next) {
        while (b->last && f->ops[b->last].opcode == OP_BR) {
            IrBlock *s = b->succ[0];
            if (s->num_preds != 1 || s == b || s == f->entry) {
                break;
            }
            append_block(f, b, s);
            changed = true;
        }
    }
    return changed;
}
