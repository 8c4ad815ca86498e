// SPDX-License-Identifier: GPL-2.0-or-later
/* Checks of a finished function: types, single definition, use inside the block, block ends. */
#include "tcg/ir-internal.h"
#include "util/error.h"

typedef struct Verify {
    const IrFunc *f;
    const IrBlock *block;
    uint32_t op;
    uint32_t *home;             /* block id + 1 that defines a value */
    GError **error;
} Verify;

static bool bad(Verify *v, const char *what)
{
    const IrOp *o = &v->f->ops[v->op];
    const char *name = o->opcode < OP_COUNT ? ir_op_desc[o->opcode].name : "?";

    return fail(v->error, "b%u, op %u (%s): %s", v->block->id, v->op, name, what);
}

static bool kind_matches(uint8_t kind, IrType t, IrType own)
{
    switch (kind) {
    case IRK_T: return t == own;
    case IRK_I: return t == IR_I32 || t == IR_I64;
    case IRK_F: return t == IR_F32 || t == IR_F64;
    case IRK_V: return t == IR_V128 || t == IR_V256;
    case IRK_A: return t > IR_VOID && t < IR_TYPES;
    default: return kind == (uint8_t)t;
    }
}

static bool check_args(Verify *v, const IrOp *o, const IrOpDesc *d)
{
    const IrFunc *f = v->f;

    for (unsigned i = 0; i < o->num_args; i++) {
        uint32_t a = o->args[i];
        if (a == 0 || a >= f->num_values) {
            return bad(v, "operand is no value");
        }
        if (!f->values[a].is_const && v->home[a] != v->block->id + 1) {
            return bad(v, "operand is not defined before, in this block");
        }
    }
    if (o->opcode == OP_CALL) {
        const IrHelper *h = o->call.helper;
        if (o->num_args + h->env != h->num_args) {
            return bad(v, "wrong number of arguments");
        }
        for (unsigned i = 0; i < o->num_args; i++) {
            if (f->values[o->args[i]].type != h->args[i + h->env]) {
                return bad(v, "argument has the wrong type");
            }
        }
        return true;
    }
    if (o->num_args != d->num_operands) {
        return bad(v, "wrong number of operands");
    }
    IrType own = ir_own_type(f, o);
    if (own != IR_VOID && own != o->type) {
        return bad(v, "the op's type is not its operands'");
    }
    for (unsigned i = 0; i < o->num_args; i++) {
        if (!kind_matches(d->operands[i], (IrType)f->values[o->args[i]].type, own)) {
            return bad(v, "operand has the wrong type");
        }
    }
    /* Both sides of a comparison. */
    if (d->flags & IRF_COND && f->values[o->args[0]].type != f->values[o->args[1]].type) {
        return bad(v, "compares different types");
    }
    return true;
}

static bool check_result(Verify *v, const IrOp *o, const IrOpDesc *d)
{
    const IrFunc *f = v->f;
    uint8_t kind = o->opcode == OP_CALL ? o->call.helper->ret : d->result;

    if (kind == IR_VOID) {
        return o->dst == 0 || bad(v, "has a result");
    }
    if (o->dst == 0 || o->dst >= f->num_values) {
        return bad(v, "has no result");
    }
    const IrValue *r = &f->values[o->dst];
    if (r->is_const || r->def != v->op || v->home[o->dst]) {
        return bad(v, "the result is defined elsewhere");
    }
    IrType own = ir_own_type(f, o);
    bool follows = (kind == IRK_T || kind == IRK_I || kind == IRK_F || kind == IRK_V) &&
                   !(d->flags & IRF_TYPED) && o->opcode != OP_V_EXTRACT && own != IR_VOID;
    if (!kind_matches(kind, (IrType)r->type, follows ? own : (IrType)r->type) ||
        (follows && r->type != own)) {
        return bad(v, "the result has the wrong type");
    }
    v->home[o->dst] = v->block->id + 1;
    return true;
}

static bool check_details(Verify *v, const IrOp *o, const IrOpDesc *d)
{
    const IrFunc *f = v->f;
    const unsigned width = ir_type_bits((IrType)o->type);

    if (d->flags & IRF_COND && (o->cc <= COND_ALWAYS || o->cc > COND_TSTNZ)) {
        return bad(v, "bad condition");
    }
    if (d->flags & IRF_LANE && o->cc > LANE_F64) {
        return bad(v, "bad lane kind");
    }
    if (d->flags & IRF_MEM && ((o->mem.op & MEM_SIZE) > MEM_256 ||
                               (o->type >= IR_F32 && (o->mem.op & MEM_SIZE) < MEM_32))) {
        return bad(v, "bad access size");
    }
    switch (o->opcode) {
    case OP_GET: case OP_SET: case OP_DISCARD:
        if (o->var.var >= ir_all_vars(f)) {
            return bad(v, "no such variable");
        }
        if (o->opcode == OP_DISCARD) {
            return true;
        }
        if (ir_var_type(f, o->var.var) !=
            f->values[o->opcode == OP_GET ? o->dst : o->args[0]].type) {
            return bad(v, "not the variable's type");
        }
        return true;
    case OP_EXTRACT: case OP_SEXTRACT: case OP_DEPOSIT:
        return (o->imm[1] >= 1 && o->imm[0] < width && o->imm[1] <= width - o->imm[0]) ||
               bad(v, "bits outside the value");
    case OP_ADD_SHL:
        return (o->imm[0] >= 1 && o->imm[0] <= 3) || bad(v, "no scale");
    case OP_FUNNEL:
        return o->imm[0] < width || bad(v, "shift too far");
    case OP_EXIT_CHAIN:
        return o->chain.slot < 2 || bad(v, "bad slot");
    default:
        return true;
    }
}

static bool check_end(Verify *v, const IrOp *o, const IrOpDesc *d)
{
    const IrBlock *b = v->block;
    unsigned n = o->opcode == OP_BR ? 1 : o->opcode == OP_BRCOND ? 2 : 0;

    if (!(d->flags & IRF_END) != (v->op != b->last)) {
        return bad(v,
                   v->op == b->last ? "the block has no end" : "an end in the middle of a block");
    }
    if (v->op != b->last) {
        return true;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (!b->succ[i] != (i >= n)) {
            return bad(v, "wrong number of successors");
        }
        if (b->succ[i] && !b->succ[i]->placed) {
            return bad(v, "branch to a block that is not placed");
        }
    }
    return true;
}

static bool check_block(Verify *v)
{
    const IrFunc *f = v->f;
    uint32_t prev = 0;

    v->op = v->block->first;
    if (!v->op) {
        return bad(v, "empty block");
    }
    for (; v->op; v->op = f->ops[v->op].next) {
        const IrOp *o = &f->ops[v->op];
        if (o->opcode == OP_NONE || o->opcode >= OP_COUNT || o->prev != prev) {
            return bad(v, "broken list");
        }
        const IrOpDesc *d = ir_desc(o);
        if (!check_args(v, o, d) || !check_result(v, o, d) || !check_details(v, o, d) ||
            !check_end(v, o, d)) {
            return false;
        }
        prev = v->op;
    }
    v->op = prev;
    return prev == v->block->last || bad(v, "broken list");
}

bool ir_verify(const IrFunc *f, GError **error)
{
    g_autofree uint32_t *home = g_new0(uint32_t, f->num_values);
    Verify v = {.f = f, .home = home, .error = error};

    v.block = f->entry;
    for (uint32_t i = 0; i < f->num_targets; i++) {
        if (!f->targets[i].block->placed || f->targets[i].block == f->entry) {
            return bad(&v, "a target is the entry or not placed");
        }
    }
    for (v.block = f->entry; v.block; v.block = v.block->next) {
        if (!check_block(&v)) {
            return false;
        }
    }
    return true;
}
