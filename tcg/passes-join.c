// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers of 256 bits: front ends deal with two variables of 128 bits, so that instructions on
 * the low halves alone cost nothing. Where a function uses halves of v256 values, one variable of
 * 256 bits takes the place of both. The other uses of the halves become moves out of and into the
 * whole.
 */
#include "tcg/passes.h"

#include <string.h>

typedef struct Join {
    IrFunc *f;
    uint32_t *whole;            /* by variable: the v256 one that takes its place, plus 1 */
    bool *is_high;
} Join;

static bool is_half(const IrFunc *f, uint32_t v)
{
    const unsigned opcode = f->ops[f->values[v].def].opcode;

    return !f->values[v].is_const && (opcode == OP_V_LOW || opcode == OP_V_HIGH);
}

/*
 * The variables whose halves are worth joining: those that a half of a v256 value is written to, or
 * that one is made of.
 */
static bool find(Join *j)
{
    IrFunc *f = j->f;
    bool *want = ir_arena(f, f->num_vars * sizeof *want), any = false;

    memset(want, 0, f->num_vars * sizeof *want);
    for (const IrBlock *b = f->entry; b; b = b->next) {
        for (uint32_t op = b->first; op; op = f->ops[op].next) {
            const IrOp *o = &f->ops[op];
            if (o->opcode == OP_SET && o->var.var < f->num_vars && is_half(f, o->args[0])) {
                want[o->var.var] = any = true;
            }
            for (unsigned i = 0; o->opcode == OP_V_CONCAT && i < 2; i++) {
                const IrOp *get = &f->ops[f->values[o->args[i]].def];
                if (get->opcode == OP_GET && get->var.var < f->num_vars) {
                    want[get->var.var] = any = true;
                }
            }
        }
    }
    if (!any) {
        return false;
    }
    j->whole = ir_arena(f, f->num_vars * sizeof *j->whole);
    j->is_high = ir_arena(f, f->num_vars * sizeof *j->is_high);
    memset(j->whole, 0, f->num_vars * sizeof *j->whole);
    for (uint32_t v = 0; v < f->num_vars; v++) {
        const IrVarDecl *d = &f->vars[v];
        if (d->low && (want[d->low - 1] || want[d->high - 1])) {
            j->whole[d->low - 1] = j->whole[d->high - 1] = v + 1;
            j->is_high[d->low - 1] = false;
            j->is_high[d->high - 1] = true;
        }
    }
    return true;
}

/* A new op before `before`; its value. */
static uint32_t put(Join *j, IrBlock *b, uint32_t before, IrOp o, IrType t)
{
    IrFunc *f = j->f;
    uint32_t op = ir_op_insert(f, b, before), prev = f->ops[op].prev, next = f->ops[op].next;

    if (t != IR_VOID) {
        o.dst = ir_value_new(f, t, op);
    }
    o.prev = prev;
    o.next = next;
    f->ops[op] = o;
    return o.dst;
}

static uint32_t put_get(Join *j, IrBlock *b, uint32_t before, uint32_t whole)
{
    return put(j, b, before, (IrOp){.opcode = OP_GET, .type = IR_V256, .var = {whole}}, IR_V256);
}

static uint32_t put_half(Join *j, IrBlock *b, uint32_t before, uint32_t v, bool high)
{
    return put(
        j, b, before,
        (IrOp){.opcode = high ? OP_V_HIGH : OP_V_LOW, .type = IR_V256, .num_args = 1, .args = {v}},
        IR_V128);
}

/* `get half` becomes `v_low get whole`, under the same value. */
static void join_get(Join *j, IrBlock *b, uint32_t op)
{
    IrFunc *f = j->f;
    const uint32_t var = f->ops[op].var.var, whole = j->whole[var] - 1;
    uint32_t v = put_get(j, b, op, whole);
    IrOp *o = &f->ops[op];

    o->opcode = j->is_high[var] ? OP_V_HIGH : OP_V_LOW;
    o->type = IR_V256;
    o->num_args = 1;
    o->args[0] = v;
    o->imm[0] = o->imm[1] = 0;
}

/*
 * The set of the other half, when it comes before anything that somebody could see the difference
 * by.
 */
static uint32_t partner(const Join *j, uint32_t op)
{
    const IrFunc *f = j->f;
    const uint32_t var = f->ops[op].var.var;

    for (uint32_t i = f->ops[op].next; i; i = f->ops[i].next) {
        const IrOp *o = &f->ops[i];
        if (o->opcode == OP_SET && o->var.var < f->num_vars &&
            j->whole[o->var.var] == j->whole[var]) {
            return o->var.var == var ? 0 : i;
        }
        if (!(ir_desc(o)->flags & (IRF_PURE | IRF_FENV)) && o->opcode != OP_SET) {
            return 0;
        }
    }
    return 0;
}

/* The set at `op`, and its partner if it has one, become one of the whole at the later place. */
static void join_set(Join *j, IrBlock *b, uint32_t op, uint32_t other)
{
    IrFunc *f = j->f;
    const uint32_t var = f->ops[op].var.var, whole = j->whole[var] - 1;
    const uint32_t at = other ? other : op;
    uint32_t half[2], v;

    half[j->is_high[var]] = f->ops[op].args[0];
    if (other) {
        half[!j->is_high[var]] = f->ops[other].args[0];
    } else {
        v = put_get(j, b, at, whole);
        half[!j->is_high[var]] = put_half(j, b, at, v, !j->is_high[var]);
    }
    v = put(
        j, b, at,
        (IrOp){.opcode = OP_V_CONCAT, .type = IR_V128, .num_args = 2, .args = {half[0], half[1]}},
        IR_V256);
    f->ops[at].var.var = whole;
    f->ops[at].type = IR_V256;
    f->ops[at].args[0] = v;
    if (other) {
        ir_op_remove(f, b, op);
    }
}

bool pass_join(IrFunc *f)
{
    Join j = {.f = f};

    if (!f->join_halves || !f->any_v256 || !find(&j)) {
        return false;
    }
    for (IrBlock *b = f->entry; b; b = b->next) {
        uint32_t next;
        for (uint32_t op = b->first; op; op = next) {
            const IrOp *o = &f->ops[op];
            next = o->next;
            if (!ir_op_names_var(o) || o->var.var >= f->num_vars || !j.whole[o->var.var]) {
                continue;
            }
            b->again = true;
            if (o->opcode == OP_GET) {
                join_get(&j, b, op);
            } else if (o->opcode == OP_SET) {
                join_set(&j, b, op, partner(&j, op));
            } else {
                ir_op_remove(f, b, op);
            }
        }
    }
    return false;
}
