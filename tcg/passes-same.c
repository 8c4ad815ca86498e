// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What loops leave as it was: which integer variables hold the same as another one, or a constant,
 * on every way into a block. A loop that compares sets the kind of its flags and often one of their
 * operands to what they are already in each round; such sets go. What is known at a block's entry
 * stays in IrBlock.same, for the allocator: a variable that holds what another one has in a
 * register need not be stored for those who expect it home.
 *
 * A block's state is a number per variable: of the lowest variable that holds the same, or of a
 * constant. Within a block values have numbers as well. States start with nothing said and only
 * lose what they claim, until nothing changes.
 */
#include "tcg/passes.h"

#include <string.h>

/* Numbers: below VALUE the entry value of variable n - 1; of values; unlike any; of constants. */
enum { VALUE = 1u << 30, FRESH = 2u << 30 };
#define CONSTANT (3u << 30)

typedef struct Same {
    IrFunc *f;
    uint32_t num_vars, fresh;
    uint32_t *cur;              /* by variable: now */
    uint32_t *of_value;         /* by value: its number; 0: its own */
    uint32_t *rep_of_var;       /* scratch of leave(), plus 1 */
    struct { uint32_t turn, rep; } *rep_of_value;
    uint32_t turn;
} Same;

static bool follows(const Same *p, uint32_t v)
{
    IrType t = ir_var_type(p->f, v);

    return t == IR_I32 || t == IR_I64;
}

static uint32_t number(const Same *p, uint32_t value)
{
    if (p->f->values[value].is_const) {
        return CONSTANT | value;
    }
    return p->of_value[value] ? p->of_value[value] : VALUE | value;
}

/* False: the op sets a variable to what it holds. */
static bool step(Same *p, const IrOp *o)
{
    switch (o->opcode) {
    case OP_GET:
        p->of_value[o->dst] = p->cur[o->var.var];
        return true;
    case OP_SET:
        if (follows(p, o->var.var)) {
            uint32_t n = number(p, o->args[0]);
            bool is_new = p->cur[o->var.var] != n;
            p->cur[o->var.var] = n;
            return is_new;
        }
        return true;
    case OP_DISCARD:
        p->cur[o->var.var] = FRESH | p->fresh++;
        return true;
    default:
        if (ir_op_writes_homes(o)) {
            for (uint32_t v = 0; v < p->f->num_vars; v++) {
                p->cur[v] = FRESH | p->fresh++;
            }
        }
        return true;
    }
}

/* The state as successors see it. */
static void leave(Same *p)
{
    memset(p->rep_of_var, 0, p->num_vars * sizeof(uint32_t));
    p->turn++;
    for (uint32_t v = 0; v < p->num_vars; v++) {
        uint32_t n = p->cur[v];
        if (n < VALUE) {
            uint32_t *rep = &p->rep_of_var[n - 1];
            *rep = *rep ? *rep : v + 1;
            p->cur[v] = *rep;
        } else if (n < FRESH) {
            uint32_t i = n - VALUE;
            if (p->rep_of_value[i].turn != p->turn) {
                p->rep_of_value[i].turn = p->turn;
                p->rep_of_value[i].rep = v + 1;
            }
            p->cur[v] = p->rep_of_value[i].rep;
        } else if (n < CONSTANT) {
            p->cur[v] = v + 1;
        }
    }
}

/* What holds on both ways; whether `in` lost something. */
static bool meet(Same *p, uint32_t *in, const uint32_t *out, uint32_t *old)
{
    bool changed = false;

    memcpy(old, in, p->num_vars * sizeof(uint32_t));
    for (uint32_t v = 0; v < p->num_vars; v++) {
        uint32_t w = 0;
        if (old[v] == v + 1 || (old[v] == out[v] && old[v] >= CONSTANT)) {
            continue;
        }
        while (w < v && (old[w] != old[v] || out[w] != out[v])) {
            w++;
        }
        changed |= in[v] != w + 1;
        in[v] = w + 1;
    }
    return changed;
}

static bool flow_into(Same *p, IrBlock *to, uint32_t *old)
{
    if (!to->same) {
        to->same = ir_arena(p->f, p->num_vars * sizeof(uint32_t));
        memcpy(to->same, p->cur, p->num_vars * sizeof(uint32_t));
        return true;
    }
    return meet(p, to->same, p->cur, old);
}

/* Nothing is known where functions are entered. */
static void enter(Same *p, IrBlock *b)
{
    b->same = ir_arena(p->f, p->num_vars * sizeof(uint32_t));
    for (uint32_t v = 0; v < p->num_vars; v++) {
        b->same[v] = v + 1;
    }
}

/* Ops that `cur` at the block's entry makes useless go, if remove. */
static void walk(Same *p, IrBlock *b, bool remove)
{
    uint32_t next;

    p->fresh = 0;
    memcpy(p->cur, b->same, p->num_vars * sizeof(uint32_t));
    for (uint32_t op = b->first; op; op = next) {
        next = p->f->ops[op].next;
        if (!step(p, &p->f->ops[op]) && remove) {
            ir_op_remove(p->f, b, op);
        }
    }
}

bool pass_same(IrFunc *f)
{
    Same p = {.f = f, .num_vars = ir_all_vars(f)};
    uint32_t *old;

    for (IrBlock *b = f->entry; b; b = b->next) {
        b->same = NULL;
    }
    if (ir_is_acyclic(f)) {
        return false;
    }
    old = ir_arena(f, 3 * p.num_vars * sizeof(uint32_t));
    p.cur = old + p.num_vars;
    p.rep_of_var = p.cur + p.num_vars;
    p.of_value = ir_arena(f, f->num_values * sizeof *p.of_value);
    p.rep_of_value = ir_arena(f, f->num_values * sizeof *p.rep_of_value);
    memset(p.of_value, 0, f->num_values * sizeof *p.of_value);
    memset(p.rep_of_value, 0, f->num_values * sizeof *p.rep_of_value);
    enter(&p, f->entry);
    for (uint32_t i = 0; i < f->num_targets; i++) {
        enter(&p, f->targets[i].block);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (IrBlock *b = f->entry; b; b = b->next) {
            if (!b->same) {
                changed = true;         /* laid out before those that lead to it */
                continue;
            }
            walk(&p, b, false);
            leave(&p);
            for (unsigned i = 0; i < 2 && b->succ[i]; i++) {
                changed |= flow_into(&p, b->succ[i], old);
            }
        }
    }
    for (IrBlock *b = f->entry; b; b = b->next) {
        walk(&p, b, true);
    }
    return false;
}
