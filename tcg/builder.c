// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building IR: values, constants, variables, blocks and the generic emitter under the generated
 * ir_NAME() functions. Folding and identities are in tcg/fold.c and tcg/simplify*.c, the
 * builders that take more than operands in tcg/build-ops.c.
 */
#include "tcg/builder.h"

#include <string.h>

IrBuilder *ir_builder_new(const IrVarDecl *vars, unsigned num_vars)
{
    IrBuilder *b = g_new0(IrBuilder, 1);
    IrFunc *f = &b->f;

    f->vars = vars;
    f->num_vars = num_vars;
    f->cap_ops = 1024;
    f->cap_values = 1024;
    f->cap_blocks = 32;
    f->cap_locals = 16;
    f->ops = g_new(IrOp, f->cap_ops);
    f->values = g_new(IrValue, f->cap_values);
    f->blocks = g_new(IrBlock *, f->cap_blocks);
    f->locals = g_new(uint8_t, f->cap_locals);
    f->arena.old = g_ptr_array_new_with_free_func(g_free);
    f->builder = b;
    b->cap_known = num_vars + f->cap_locals;
    b->known = g_new0(KnownVar, b->cap_known);
    return b;
}

void ir_builder_free(IrBuilder *b)
{
    g_free(b->f.ops);
    g_free(b->f.values);
    g_free(b->f.blocks);
    g_free(b->f.locals);
    g_free(b->f.arena.mem);
    g_ptr_array_free(b->f.arena.old, TRUE);
    g_free(b->known);
    g_free(b);
}

IrFunc *ir_begin(IrBuilder *b)
{
    IrFunc *f = &b->f;

    f->num_ops = 1;
    f->num_values = 1;
    f->num_blocks = 0;
    f->num_locals = 0;
    f->num_insns = 0;
    f->num_targets = 0;
    f->live_known = false;
    f->bytes = 0;
    f->join_halves = f->any_v256 = false;
    f->arena.used = 0;
    if (f->arena.old->len) {
        g_ptr_array_set_size(f->arena.old, 0);
    }
    f->ops[0] = (IrOp){.opcode = OP_NONE};
    f->values[0] = (IrValue){.type = IR_VOID};
    b->func_epoch++;
    b->cur = NULL;
    b->before = 0;
    b->in_insn = false;
    f->entry = NULL;
    f->layout_tail = NULL;
    ir_place(b, ir_block(b));
    return f;
}

IrFunc *ir_func(IrBuilder *b)
{
    return &b->f;
}

/* ---- what is known ---- */

void builder_forget(IrBuilder *b)
{
    b->epoch++;
}

KnownVar *builder_known(IrBuilder *b, IrVar v)
{
    if (v >= b->cap_known) {
        uint32_t cap = MAX(v + 1, b->cap_known * 2);
        b->known = g_renew(KnownVar, b->known, cap);
        memset(b->known + b->cap_known, 0, (cap - b->cap_known) * sizeof(KnownVar));
        b->cap_known = cap;
    }
    return &b->known[v];
}

void builder_forget_vars(IrBuilder *b)
{
    for (uint32_t v = 0; v < b->f.num_vars; v++) {
        b->known[v].epoch = 0;
    }
}

static uint32_t hash_op(const IrOp *o, IrType dst_type)
{
    uint64_t h =
        o->opcode | (uint64_t)o->type << 8 | (uint64_t)o->cc << 16 | (uint64_t)dst_type << 24;

    h = h * 0x9e3779b97f4a7c15ull + o->args[0];
    h = h * 0x9e3779b97f4a7c15ull + o->args[1];
    h = h * 0x9e3779b97f4a7c15ull + (o->imm[0] ^ o->imm[1] << 32 ^ o->args[2]);
    h *= 0x9e3779b97f4a7c15ull;
    return h >> 56;
}

G_STATIC_ASSERT(CSE_SLOTS == 256);

uint32_t builder_cse_find(IrBuilder *b, const IrOp *o, IrType dst_type)
{
    uint32_t h = hash_op(o, dst_type);

    if (b->cse[h].epoch != b->epoch) {
        return 0;
    }
    const IrOp *e = &b->f.ops[b->cse[h].op];
    if (e->opcode != o->opcode || e->type != o->type || e->cc != o->cc ||
        e->num_args != o->num_args || e->imm[0] != o->imm[0] || e->imm[1] != o->imm[1] ||
        b->f.values[e->dst].type != dst_type) {
        return 0;
    }
    for (unsigned i = 0; i < o->num_args; i++) {
        if (e->args[i] != o->args[i]) {
            return 0;
        }
    }
    return e->dst;
}

void builder_cse_enter(IrBuilder *b, const IrOp *o, uint32_t op)
{
    uint32_t h = hash_op(o, (IrType)b->f.values[o->dst].type);

    b->cse[h].epoch = b->epoch;
    b->cse[h].op = op;
}

/* ---- values ---- */

IrVal ir_const(IrBuilder *b, IrType t, uint64_t value)
{
    if (t == IR_V128 || t == IR_V256) {
        g_assert(value == 0);
        return ir_v_zero(b, t);
    }
    value &= ir_mask(t);
    uint32_t h = (uint32_t)(((value + t) * 0x9e3779b97f4a7c15ull) >> 56);
    uint32_t have = b->consts[h].value;

    if (b->consts[h].epoch == b->func_epoch && b->f.values[have].k == value &&
        b->f.values[have].type == t) {
        return (IrVal){have};
    }
    uint32_t v = ir_value_new(&b->f, t, 0);
    b->f.values[v].is_const = true;
    b->f.values[v].k = value;
    b->consts[h].epoch = b->func_epoch;
    b->consts[h].value = v;
    return (IrVal){v};
}

bool ir_is_const(IrBuilder *b, IrVal v, uint64_t *value)
{
    *value = b->f.values[v.id].k;
    return b->f.values[v.id].is_const;
}

IrType ir_type(IrBuilder *b, IrVal v)
{
    return (IrType)b->f.values[v.id].type;
}

IrVar ir_local(IrBuilder *b, IrType t)
{
    IrFunc *f = &b->f;

    if (f->num_locals == f->cap_locals) {
        f->cap_locals *= 2;
        f->locals = g_realloc(f->locals, f->cap_locals);
    }
    f->locals[f->num_locals] = (uint8_t)t;
    builder_known(b, f->num_vars + f->num_locals)->epoch = 0;
    return f->num_vars + f->num_locals++;
}

/* ---- blocks ---- */

IrBlock *ir_block(IrBuilder *b)
{
    IrFunc *f = &b->f;
    IrBlock *block = ir_arena(f, sizeof(IrBlock));

    *block = (IrBlock){.id = f->num_blocks};
    if (f->num_blocks == f->cap_blocks) {
        f->cap_blocks *= 2;
        f->blocks = g_renew(IrBlock *, f->blocks, f->cap_blocks);
    }
    f->blocks[f->num_blocks++] = block;
    return block;
}

IrBlock *ir_cold_block(IrBuilder *b)
{
    IrBlock *block = ir_block(b);

    block->cold = true;
    return block;
}

void ir_place(IrBuilder *b, IrBlock *block)
{
    g_assert(!block->placed);
    if (ir_is_open(b)) {
        ir_br(b, block);
    }
    block->placed = true;
    if (b->f.layout_tail) {
        b->f.layout_tail->next = block;
    } else {
        b->f.entry = block;
    }
    b->f.layout_tail = block;
    b->cur = block;
    b->before = 0;
    builder_forget(b);
    if (block->cold && b->in_insn) {
        /* It is laid out behind other instructions, but faults in it are this one's. */
        ir_insn(b, b->insn_pc, b->insn_meta);
    }
}

IrBlock *ir_current(IrBuilder *b)
{
    return b->cur;
}

bool ir_is_open(IrBuilder *b)
{
    return builder_is_open(b);
}

void ir_set_extent(IrBuilder *b, unsigned insns, uint64_t bytes)
{
    b->f.num_insns = insns;
    b->f.bytes = bytes;
}

bool ir_full(IrBuilder *b)
{
    return b->f.num_ops >= IR_OPS_FULL;
}

void ir_set_v256(IrBuilder *b, bool on)
{
    b->v256 = on;
}

bool ir_has_v256(const IrBuilder *b)
{
    return b->v256;
}

/* ---- the emitter ---- */

uint32_t builder_append(IrBuilder *b, const IrOp *o)
{
    uint32_t op = ir_op_insert(&b->f, b->cur, b->before);
    IrOp *to = &b->f.ops[op];
    uint32_t prev = to->prev, next = to->next;

    *to = *o;
    to->prev = prev;
    to->next = next;
    return op;
}

static IrType result_type(const IrOp *o, const IrOpDesc *d, uint32_t word)
{
    if (d->result < IR_TYPES) {
        return (IrType)d->result;
    }
    if (d->flags & IRF_TYPED) {
        return (IrType)(word >> 16);
    }
    if (o->opcode == OP_V_EXTRACT) {
        return o->cc == LANE_I64 || o->cc == LANE_F64 ? IR_I64 : IR_I32;
    }
    return (IrType)o->type;
}

static IrVal build(IrBuilder *b, IrOp *o, uint32_t word)
{
    IrFunc *f = &b->f;
    const IrOpDesc *d = &ir_op_desc[word & 0xff];

    o->opcode = (uint8_t)word;
    o->cc = (uint8_t)(word >> 8);
    o->type = (uint8_t)ir_own_type(f, o);
    IrType t = result_type(o, d, word);
    if (o->type == IR_VOID) {
        o->type = (uint8_t)t;
    }
    if (!builder_is_open(b) && !b->before) {
        return t == IR_VOID || t == IR_V128 || t == IR_V256 ? (IrVal){0} : ir_const(b, t, 0);
    }
    if (d->flags & IRF_PURE) {
        IrVal r = ir_simplify(b, o, t);
        if (r.id) {
            return r;
        }
        uint32_t same = builder_cse_find(b, o, t);
        if (same) {
            return (IrVal){same};
        }
    }
    uint32_t op = builder_append(b, o);
    if (t == IR_VOID) {
        return (IrVal){0};
    }
    uint32_t v = ir_value_new(f, t, op);
    f->ops[op].dst = v;
    f->values[v].k = builder_zero_bits(f, &f->ops[op], t);
    if (d->flags & IRF_PURE) {
        builder_cse_enter(b, &f->ops[op], op);
    }
    return (IrVal){v};
}

IrVal ir_op0(IrBuilder *b, uint32_t word, uint64_t imm0, uint64_t imm1)
{
    IrOp o = {.imm = {imm0, imm1}};

    return build(b, &o, word);
}

IrVal ir_op1(IrBuilder *b, uint32_t word, IrVal a, uint64_t imm0, uint64_t imm1)
{
    IrOp o = {.num_args = 1, .args = {a.id}, .imm = {imm0, imm1}};

    return build(b, &o, word);
}

IrVal ir_op2(IrBuilder *b, uint32_t word, IrVal a, IrVal c, uint64_t imm0, uint64_t imm1)
{
    IrOp o = {.num_args = 2, .args = {a.id, c.id}, .imm = {imm0, imm1}};

    return build(b, &o, word);
}

IrVal ir_op3(IrBuilder *b, uint32_t word, IrVal a, IrVal c, IrVal d)
{
    IrOp o = {.num_args = 3, .args = {a.id, c.id, d.id}};

    return build(b, &o, word);
}

IrVal ir_op4(IrBuilder *b, uint32_t word, IrVal a, IrVal c, IrVal d, IrVal e,
             uint64_t imm0, uint64_t imm1)
{
    IrOp o = {.num_args = 4, .args = {a.id, c.id, d.id, e.id}, .imm = {imm0, imm1}};

    return build(b, &o, word);
}
