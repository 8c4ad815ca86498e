// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What loops leave as it was: which integer variables hold the same as another one, or a constant,
 * and which vectors have zeros above a scalar, on every way into a block. A loop that compares sets
 * the kind of its flags and often one of their operands to what they are already in each round;
 * such sets go. What is known at a block's entry stays in IrBlock.same, for the allocator: a
 * variable that holds what another one has in a register need not be stored for those who expect it
 * home. Scalars that are known to have zeros above them need not be cleared there before operations
 * that keep what is above.
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
enum { ALL_BYTES = 16 };

typedef struct Same {
    IrFunc *f;
    uint32_t num_vars, fresh;
    /* by variable: now; then by variable, of vectors: bytes, above which there are zeros */
    uint32_t *cur;
    /* by value: its number; 0: its own; of a vector that was read: its bytes */
    uint32_t *of_value;
    uint32_t *instead;          /* by value: what replaces it; 0: nothing */
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

static bool is_vector(const Same *p, uint32_t v)
{
    return ir_var_type(p->f, v) == IR_V128;
}

/* All but the lowest so many bytes of a vector are 0. */
static uint32_t bytes_of(const Same *p, uint32_t value)
{
    uint32_t least = 1;

    for (unsigned depth = 0; depth < 8; depth++) {
        const IrOp *d = ir_def(p->f, value);
        const uint32_t lane = d->cc == LANE_F64 ? 8 : 4;
        unsigned from = 0;

        switch (d->opcode) {
        case OP_V_ZERO:
            return least;
        case OP_GET:
            return MAX(least, p->of_value[value]);
        case OP_LOAD:
            return MAX(least, 1u << (d->mem.op & MEM_SIZE));
        case OP_V_FROM_I:
            return MAX(least, ir_type_bits((IrType)p->f->values[d->args[0]].type) / 8);
        case OP_V_LOW64:
            return MAX(least, 8);
        case OP_S_FMA: case OP_S_FMS: case OP_S_FNMA: case OP_S_FNMS:
            from = 1;
            least = MAX(least, lane);
            break;
        case OP_S_FCVT:
            least = MAX(least, 12 - lane);
            break;
        case OP_S_FADD: case OP_S_FSUB: case OP_S_FMUL: case OP_S_FDIV: case OP_S_FSQRT:
        case OP_S_FROUND: case OP_S_FROM_I: case OP_S_MERGE:
            least = MAX(least, lane);
            break;
        case OP_FGUARD:
            if (!(d->imm[0] & GUARD_LOWEST)) {
                return ALL_BYTES;
            }
            least = MAX(least, lane);
            break;
        default:
            return ALL_BYTES;
        }
        value = d->args[from];
    }
    return ALL_BYTES;
}

/* The operand that the vector op gives back as it is; 0: none. */
static uint32_t unchanged(const Same *p, const IrOp *o)
{
    if (o->opcode == OP_S_MERGE && ir_def(p->f, o->args[0])->opcode == OP_V_ZERO &&
        bytes_of(p, o->args[1]) <= (o->cc == LANE_F64 ? 8 : 4)) {
        return o->args[1];
    }
    if (o->opcode == OP_V_LOW64 && p->f->values[o->dst].type == IR_V128 &&
        bytes_of(p, o->args[0]) <= 8) {
        return o->args[0];
    }
    return 0;
}

static void unknown(Same *p, uint32_t v)
{
    p->cur[v] = FRESH | p->fresh++;
    p->cur[p->num_vars + v] = ALL_BYTES;
}

/* False: the op sets a variable to what it holds. */
static bool step(Same *p, const IrOp *o)
{
    switch (o->opcode) {
    case OP_GET:
        p->of_value[o->dst] = p->cur[o->var.var + (is_vector(p, o->var.var) ? p->num_vars : 0)];
        return true;
    case OP_SET:
        if (is_vector(p, o->var.var)) {
            p->cur[p->num_vars + o->var.var] = bytes_of(p, o->args[0]);
        }
        if (follows(p, o->var.var)) {
            uint32_t n = number(p, o->args[0]);
            bool is_new = p->cur[o->var.var] != n;
            p->cur[o->var.var] = n;
            return is_new;
        }
        return true;
    case OP_DISCARD:
        unknown(p, o->var.var);
        return true;
    default:
        if (ir_op_writes_homes(o)) {
            for (uint32_t v = 0; v < p->f->num_vars; v++) {
                unknown(p, v);
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
        uint32_t w = 0, *bytes = &in[p->num_vars + v];
        if (*bytes < out[p->num_vars + v]) {
            *bytes = out[p->num_vars + v];
            changed = true;
        }
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
        to->same = ir_arena(p->f, 2 * p->num_vars * sizeof(uint32_t));
        memcpy(to->same, p->cur, 2 * p->num_vars * sizeof(uint32_t));
        return true;
    }
    return meet(p, to->same, p->cur, old);
}

/* Nothing is known where functions are entered. */
static void enter(Same *p, IrBlock *b)
{
    b->same = ir_arena(p->f, 2 * p->num_vars * sizeof(uint32_t));
    for (uint32_t v = 0; v < p->num_vars; v++) {
        b->same[v] = v + 1;
        b->same[p->num_vars + v] = ALL_BYTES;
    }
}

/* Ops that `cur` at the block's entry makes useless go, if remove. */
static void walk(Same *p, IrBlock *b, bool remove)
{
    uint32_t next;

    p->fresh = 0;
    memcpy(p->cur, b->same, 2 * p->num_vars * sizeof(uint32_t));
    for (uint32_t op = b->first; op; op = next) {
        IrOp *o = &p->f->ops[op];
        next = o->next;
        for (unsigned i = 0; remove && i < o->num_args; i++) {
            o->args[i] = p->instead[o->args[i]] ? p->instead[o->args[i]] : o->args[i];
        }
        if (remove && (p->instead[o->dst] = unchanged(p, o))) {
            ir_op_remove(p->f, b, op);
        } else if (!step(p, o) && remove) {
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
    old = ir_arena(f, 4 * p.num_vars * sizeof(uint32_t));
    p.rep_of_var = old + p.num_vars;
    p.cur = p.rep_of_var + p.num_vars;
    p.of_value = ir_arena(f, 2 * f->num_values * sizeof *p.of_value);
    p.instead = p.of_value + f->num_values;
    p.rep_of_value = ir_arena(f, f->num_values * sizeof *p.rep_of_value);
    memset(p.of_value, 0, 2 * f->num_values * sizeof *p.of_value);
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
