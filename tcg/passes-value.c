// SPDX-License-Identifier: GPL-2.0-or-later
/* Passes on values: folding again inside grown blocks, and removal of what nobody reads. */
#include "tcg/passes.h"

#include <string.h>

/* What values have been replaced by, for those that were there when the pass began. */
typedef struct Forward {
    IrFunc *f;
    IrBuilder *b;
    uint32_t *instead;
    uint32_t num;
    bool flow_changed;
} Forward;

static void replace(Forward *p, IrBlock *block, uint32_t op, uint32_t by)
{
    p->instead[p->f->ops[op].dst] = by;
    ir_op_remove(p->f, block, op);
}

static void write_back(Forward *p, uint32_t op, const IrOp *o)
{
    IrOp *to = &p->f->ops[op];
    uint32_t prev = to->prev, next = to->next;

    *to = *o;
    to->prev = prev;
    to->next = next;
    if (o->dst) {
        IrValue *v = &p->f->values[o->dst];
        v->k = builder_zero_bits(p->f, to, (IrType)v->type);
    }
}

static void forward_branch(Forward *p, IrBlock *block, uint32_t op, IrOp *o)
{
    ir_simplify_cond(p->b, o);
    if (o->cc <= COND_ALWAYS) {
        block->succ[0] = block->succ[o->cc == COND_ALWAYS ? 0 : 1];
        block->succ[1] = NULL;
        o->opcode = OP_BR;
        o->num_args = 0;
        p->flow_changed = true;
    } else {
        o->type = p->f->values[o->args[0]].type;
    }
    write_back(p, op, o);
}

static void forward_pure(Forward *p, IrBlock *block, uint32_t op, IrOp *o)
{
    const IrType t = (IrType)p->f->values[o->dst].type;
    IrVal r = o->opcode == OP_CALL ? (IrVal){0} : ir_simplify(p->b, o, t);
    uint32_t by = r.id ? r.id : builder_cse_find(p->b, o, t);

    if (by) {
        replace(p, block, op, by);
        return;
    }
    write_back(p, op, o);
    builder_cse_enter(p->b, &p->f->ops[op], op);
}

static void forward_op(Forward *p, IrBlock *block, uint32_t op)
{
    IrOp o = p->f->ops[op];
    uint32_t known;

    for (unsigned i = 0; i < o.num_args; i++) {
        if (o.args[i] < p->num && p->instead[o.args[i]]) {
            o.args[i] = p->instead[o.args[i]];
        }
    }
    p->b->before = op;
    switch (o.opcode) {
    case OP_GET:
        known = builder_var_value(p->b, o.var.var);
        if (known) {
            replace(p, block, op, known);
        } else {
            builder_var_is(p->b, o.var.var, o.dst);
        }
        return;
    case OP_SET:
        if (builder_var_value(p->b, o.var.var) == o.args[0]) {
            ir_op_remove(p->f, block, op);
            return;
        }
        builder_var_is(p->b, o.var.var, o.args[0]);
        write_back(p, op, &o);
        return;
    case OP_DISCARD:
        builder_var_is(p->b, o.var.var, 0);
        return;
    case OP_BRCOND:
        forward_branch(p, block, op, &o);
        return;
    case OP_CALL:
        if (o.call.helper->flags & HELPER_WRITES_VARS) {
            builder_forget_vars(p->b);
        }
        if (o.call.helper->flags & HELPER_PURE && o.dst) {
            forward_pure(p, block, op, &o);
            return;
        }
        write_back(p, op, &o);
        return;
    default:
        if (ir_desc(&o)->flags & IRF_PURE) {
            forward_pure(p, block, op, &o);
        } else {
            write_back(p, op, &o);
        }
    }
}

/* Variables that the only way into b leaves constant, if b reads them. */
static bool inherit_constants(Forward *p, const IrBlock *b)
{
    const IrFunc *f = p->f;
    bool any = false;

    if (b->num_preds != 1 || b == f->entry || b->preds[0] == b) {
        return false;
    }
    for (uint32_t op = b->first; op; op = f->ops[op].next) {
        const IrOp *get = &f->ops[op];
        if (get->opcode != OP_GET || builder_var_value(p->b, get->var.var)) {
            continue;
        }
        for (uint32_t i = b->preds[0]->last; i; i = f->ops[i].prev) {
            const IrOp *o = &f->ops[i];
            if (ir_op_writes_homes(o)) {
                break;
            }
            if (o->opcode == OP_DISCARD && o->var.var == get->var.var) {
                break;
            }
            if (o->opcode == OP_SET && o->var.var == get->var.var) {
                if (f->values[o->args[0]].is_const) {
                    builder_var_is(p->b, get->var.var, o->args[0]);
                    any = true;
                }
                break;
            }
        }
    }
    return any;
}

bool pass_forward(IrFunc *f)
{
    Forward p = {.f = f, .b = f->builder};

    for (IrBlock *b = f->entry; b; b = b->next) {
        builder_forget(p.b);
        if (!inherit_constants(&p, b) && !b->again) {
            continue;
        }
        if (!p.instead) {
            p.num = f->num_values;
            p.instead = ir_arena(f, p.num * sizeof(uint32_t));
            memset(p.instead, 0, p.num * sizeof(uint32_t));
        }
        p.b->cur = b;
        uint32_t next;
        for (uint32_t op = b->first; op; op = next) {
            next = f->ops[op].next;
            forward_op(&p, b, op);
        }
        b->again = false;
    }
    p.b->before = 0;
    return p.flow_changed;
}

/* ---- what nobody reads ---- */

static bool removable(const IrOp *o)
{
    return ir_desc(o)->flags & IRF_PURE || o->opcode == OP_GET || o->opcode == OP_ENV_LOAD ||
           (o->opcode == OP_CALL && o->call.helper->flags & HELPER_PURE);
}

/* Backwards through a block: live goes from its end to its start. */
static void dead_block(IrFunc *f, IrBlock *b, uint64_t *live)
{
    uint32_t prev;

    for (uint32_t op = b->last; op; op = prev) {
        const IrOp *o = &f->ops[op];
        IrValue *dst = &f->values[o->dst];
        bool used = dst->used;
        prev = o->prev;
        dst->used = false;              /* its uses lie behind us */
        if (o->opcode == OP_SET ? !ir_set_has(live, o->var.var) : o->dst && !used && removable(o)) {
            ir_op_remove(f, b, op);
            continue;
        }
        for (unsigned i = 0; i < o->num_args; i++) {
            f->values[o->args[i]].used = true;
        }
        ir_live_step(f, o, live);
    }
}

bool pass_dead(IrFunc *f)
{
    const bool once = ir_is_acyclic(f);

    if (once) {
        ir_new_sets(f);
    } else {
        ir_analyze_live(f);
    }
    uint64_t *live = ir_arena(f, f->var_words * sizeof(uint64_t));

    for (uint32_t i = f->num_blocks; i-- > 0;) {
        IrBlock *b = f->blocks[i];
        if (!b->reachable) {
            continue;
        }
        if (once) {
            ir_merge_live_out(f, b);
        }
        memcpy(live, b->live_out, f->var_words * sizeof(uint64_t));
        dead_block(f, b, live);
        if (once) {
            memcpy(b->live_in, live, f->var_words * sizeof(uint64_t));
        }
    }
    f->live_known = true;
    return false;
}
