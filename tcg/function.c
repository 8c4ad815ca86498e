// SPDX-License-Identifier: GPL-2.0-or-later
/* Storage of an IR function: arena, lists of ops, predecessors, layout. See tcg/ir-internal.h. */
#include "tcg/ir-internal.h"

#include <string.h>

#define ARENA_CHUNK (64 * 1024)

void *ir_arena(IrFunc *f, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (size > f->arena.size - f->arena.used) {
        if (f->arena.mem) {
            g_ptr_array_add(f->arena.old, f->arena.mem);
        }
        f->arena.size = MAX(size, ARENA_CHUNK);
        f->arena.mem = g_malloc(f->arena.size);
        f->arena.used = 0;
    }
    void *p = f->arena.mem + f->arena.used;
    f->arena.used += size;
    return p;
}

uint32_t ir_op_insert(IrFunc *f, IrBlock *b, uint32_t before)
{
    if (f->num_ops == f->cap_ops) {
        f->cap_ops *= 2;
        f->ops = g_realloc(f->ops, f->cap_ops * sizeof(IrOp));
    }
    uint32_t op = f->num_ops++;
    uint32_t prev = before ? f->ops[before].prev : b->last;

    f->ops[op].prev = prev;
    f->ops[op].next = before;
    if (prev) {
        f->ops[prev].next = op;
    } else {
        b->first = op;
    }
    if (before) {
        f->ops[before].prev = op;
    } else {
        b->last = op;
    }
    return op;
}

void ir_op_remove(IrFunc *f, IrBlock *b, uint32_t op)
{
    IrOp *o = &f->ops[op];

    if (o->prev) {
        f->ops[o->prev].next = o->next;
    } else {
        b->first = o->next;
    }
    if (o->next) {
        f->ops[o->next].prev = o->prev;
    } else {
        b->last = o->prev;
    }
    o->opcode = OP_NONE;
}

uint32_t ir_value_new(IrFunc *f, IrType t, uint32_t def)
{
    if (f->num_values == f->cap_values) {
        f->cap_values *= 2;
        f->values = g_realloc(f->values, f->cap_values * sizeof(IrValue));
    }
    f->values[f->num_values] = (IrValue){.type = (uint8_t)t, .def = def};
    f->any_v256 |= t == IR_V256;
    return f->num_values++;
}

void ir_compute_preds(IrFunc *f)
{
    for (const IrBlock *b = f->entry; b; b = b->next) {
        for (unsigned i = 0; i < 2 && b->succ[i]; i++) {
            b->succ[i]->num_preds = 0;
            b->succ[i]->preds = NULL;
        }
    }
    f->entry->num_preds = 0;
    f->entry->preds = NULL;
    for (uint32_t i = 0; i < f->num_targets; i++) {
        f->targets[i].block->num_preds = 2;
        f->targets[i].block->preds = NULL;
    }
    for (const IrBlock *b = f->entry; b; b = b->next) {
        for (unsigned i = 0; i < 2 && b->succ[i]; i++) {
            b->succ[i]->num_preds++;
        }
    }
    for (uint32_t i = 0; i < f->num_targets; i++) {
        IrBlock *to = f->targets[i].block;
        to->preds = ir_arena(f, to->num_preds * sizeof(IrBlock *));
        to->preds[0] = to->preds[1] = f->entry;
        to->num_preds = 2;
    }
    for (IrBlock *b = f->entry; b; b = b->next) {
        for (unsigned i = 0; i < 2 && b->succ[i]; i++) {
            IrBlock *to = b->succ[i];
            if (!to->preds) {
                to->preds = ir_arena(f, to->num_preds * sizeof(IrBlock *));
                to->num_preds = 0;
            }
            to->preds[to->num_preds++] = b;
        }
    }
}

/* Marks what the entry reaches; a stack of blocks, each entered once. */
static void mark_reachable(IrFunc *f)
{
    IrBlock **stack = ir_arena(f, (f->num_blocks + 1) * sizeof(IrBlock *));
    uint32_t depth = 0;

    for (uint32_t i = 0; i < f->num_blocks; i++) {
        f->blocks[i]->reachable = false;
    }
    f->entry->reachable = true;
    stack[depth++] = f->entry;
    for (uint32_t i = 0; i < f->num_targets; i++) {
        if (!f->targets[i].block->reachable) {
            f->targets[i].block->reachable = true;
            stack[depth++] = f->targets[i].block;
        }
    }
    while (depth) {
        const IrBlock *b = stack[--depth];
        for (unsigned i = 0; i < 2 && b->succ[i]; i++) {
            if (!b->succ[i]->reachable) {
                b->succ[i]->reachable = true;
                stack[depth++] = b->succ[i];
            }
        }
    }
}

/* A block that was left open or never placed leaves for the execution loop. */
static void close_block(IrFunc *f, IrBlock *b)
{
    if (b->last && ir_desc(&f->ops[b->last])->flags & IRF_END) {
        return;
    }
    uint32_t op = ir_op_insert(f, b, 0);
    IrOp *o = &f->ops[op];

    *o = (IrOp){.opcode = OP_EXIT, .prev = o->prev, .next = o->next, .imm = {IR_EXIT_LOOKUP}};
}

void ir_finish(IrFunc *f)
{
    f->live_known = false;
    mark_reachable(f);
    /* Hot blocks in the order they were placed, then cold ones. */
    IrBlock *hot = NULL, *cold = NULL, **hot_end = &hot, **cold_end = &cold;
    IrBlock *next;

    for (IrBlock *b = f->entry; b; b = next) {
        next = b->next;
        b->next = NULL;
        if (!b->reachable) {
            continue;
        }
        close_block(f, b);
        if (b->cold && b != f->entry) {
            *cold_end = b;
            cold_end = &b->next;
        } else {
            *hot_end = b;
            hot_end = &b->next;
        }
    }
    for (uint32_t i = 0; i < f->num_blocks; i++) {
        IrBlock *b = f->blocks[i];
        if (b->reachable && !b->placed) {
            b->placed = true;
            close_block(f, b);
            *cold_end = b;
            cold_end = &b->next;
        }
    }
    *hot_end = cold;
    ir_compute_preds(f);
}
