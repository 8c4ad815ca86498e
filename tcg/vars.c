// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Liveness of variables and which guest registers may be dirty (set, but not yet written to their
 * home in the CPU struct), per block and stepped per op.
 */
#include "tcg/ir-internal.h"

#include <string.h>

static void add_all_registers(const IrFunc *f, uint64_t *set)
{
    for (uint32_t w = 0; w < f->num_vars / 64; w++) {
        set[w] = UINT64_MAX;
    }
    if (f->num_vars % 64) {
        set[f->num_vars / 64] |= (1ull << f->num_vars % 64) - 1;
    }
}

void ir_live_step(const IrFunc *f, const IrOp *o, uint64_t *live)
{
    switch (o->opcode) {
    case OP_GET:
        ir_set_add(live, o->var.var);
        return;
    case OP_SET: case OP_DISCARD:
        ir_set_remove(live, o->var.var);
        return;
    case OP_EXIT: case OP_EXIT_CHAIN: case OP_EXIT_LOOKUP:
        add_all_registers(f, live);
        return;
    default:
        if (ir_op_faults(o) || ir_op_reads_homes(o)) {
            add_all_registers(f, live);
        }
    }
}

void ir_dirty_step(const IrFunc *f, const IrOp *o, uint64_t *dirty)
{
    if (o->opcode == OP_SET && !ir_var_is_local(f, o->var.var)) {
        ir_set_add(dirty, o->var.var);
    } else if (o->opcode == OP_DISCARD) {
        ir_set_remove(dirty, o->var.var);
    } else if (ir_op_reads_homes(o)) {
        memset(dirty, 0, f->var_words * sizeof(uint64_t));
    }
}

static void live_block(const IrFunc *f, const IrBlock *b, uint64_t *live)
{
    memcpy(live, b->live_out, f->var_words * sizeof(uint64_t));
    for (uint32_t op = b->last; op; op = f->ops[op].prev) {
        ir_live_step(f, &f->ops[op], live);
    }
}

/* to |= from; whether that added anything. */
static bool merge(const IrFunc *f, uint64_t *to, const uint64_t *from)
{
    uint64_t added = 0;

    for (uint32_t w = 0; w < f->var_words; w++) {
        added |= from[w] & ~to[w];
        to[w] |= from[w];
    }
    return added != 0;
}

/* A way in from a block that this sweep has seen already: once more. */
static bool has_later_pred(const IrBlock *b)
{
    for (uint32_t i = 0; i < b->num_preds; i++) {
        if (b->preds[i]->id >= b->id) {
            return true;
        }
    }
    return false;
}

bool ir_is_acyclic(const IrFunc *f)
{
    for (const IrBlock *b = f->entry; b; b = b->next) {
        if (has_later_pred(b)) {
            return false;
        }
    }
    return true;
}

void ir_merge_live_out(const IrFunc *f, IrBlock *b)
{
    for (unsigned s = 0; s < 2 && b->succ[s]; s++) {
        merge(f, b->live_out, b->succ[s]->live_in);
    }
}

static void analyze_live(IrFunc *f, uint64_t *work)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = f->num_blocks; i-- > 0;) {
            IrBlock *b = f->blocks[i];
            if (!b->reachable) {
                continue;
            }
            ir_merge_live_out(f, b);
            live_block(f, b, work);
            changed |= merge(f, b->live_in, work) && has_later_pred(b);
        }
    }
}

/* Paths meet somewhere: only there it matters what may be dirty. */
static bool has_joins(const IrFunc *f)
{
    for (const IrBlock *b = f->entry; b; b = b->next) {
        if (b->num_preds > (b == f->entry ? 0u : 1u)) {
            return true;
        }
    }
    return false;
}

/* What a target sets before anybody can look stays behind at the jump. */
static bool merge_into_targets(const IrFunc *f, const uint64_t *dirty)
{
    uint64_t added = 0;

    for (uint32_t i = 0; i < f->num_targets; i++) {
        IrBlock *to = f->targets[i].block;
        for (uint32_t w = 0; w < f->var_words; w++) {
            uint64_t in = dirty[w] & to->live_in[w];
            added |= in & ~to->dirty_in[w];
            to->dirty_in[w] |= in;
        }
    }
    return added != 0;
}

static void analyze_dirty(IrFunc *f, uint64_t *work)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (IrBlock *b = f->entry; b; b = b->next) {
            memcpy(work, b->dirty_in, f->var_words * sizeof(uint64_t));
            for (uint32_t op = b->first; op; op = f->ops[op].next) {
                ir_dirty_step(f, &f->ops[op], work);
            }
            memcpy(b->dirty_out, work, f->var_words * sizeof(uint64_t));
            for (unsigned s = 0; s < 2 && b->succ[s]; s++) {
                changed |= merge(f, b->succ[s]->dirty_in, work);
            }
            if (f->ops[b->last].opcode == OP_EXIT_LOOKUP) {
                changed |= merge_into_targets(f, work);
            }
        }
    }
}

void ir_new_sets(IrFunc *f)
{
    const uint32_t words = f->var_words = (ir_all_vars(f) + 63) / 64;

    for (uint32_t i = 0; i < f->num_blocks; i++) {
        IrBlock *b = f->blocks[i];
        if (b->reachable) {
            uint64_t *mem = ir_arena(f, 4 * words * sizeof(uint64_t));
            memset(mem, 0, 4 * words * sizeof(uint64_t));
            b->live_in = mem;
            b->live_out = mem + words;
            b->dirty_in = mem + 2 * words;
            b->dirty_out = mem + 3 * words;
        }
    }
}

void ir_analyze_live(IrFunc *f)
{
    ir_new_sets(f);
    analyze_live(f, ir_arena(f, f->var_words * sizeof(uint64_t)));
}

void ir_analyze_vars(IrFunc *f)
{
    if (!f->live_known) {
        ir_analyze_live(f);
    }
    if (has_joins(f)) {
        analyze_dirty(f, ir_arena(f, f->var_words * sizeof(uint64_t)));
    }
}
