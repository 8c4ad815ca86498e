// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Register allocation around blocks: memory of the allocator, the backward scan of a block, what
 * its entry finds and what its end leaves.
 */
#include <string.h>
#include "tcg/regalloc.h"

/* Of each class. */
enum { MAX_OWNED = 12 };

void ra_init(Ra *r, const RaHost *host, void *gen, uint32_t frame_start, uint32_t frame_max,
             uint32_t num_extra)
{
    *r = (Ra){.host = host, .gen = gen, .frame_start = frame_start, .frame_max = frame_max,
              .num_extra = num_extra};
    r->slot_next = g_new(uint32_t, frame_max / 8 + 1);
}

static void free_arrays(Ra *r)
{
    g_free(r->ops);
    g_free(r->next);
    g_free(r->event);
    g_free(r->observe);
    g_free(r->calls);
    r->ops = r->next = r->event = r->observe = r->calls = NULL;
    r->cap_ops = 0;
}

void ra_fini(Ra *r)
{
    free_arrays(r);
    g_free(r->slot_next);
    r->slot_next = NULL;
}

/* ---------------------------------------------------------------- the function */

static void reserve(Ra *r)
{
    uint32_t n = r->f->num_ops + 2;

    if (n <= r->cap_ops) {
        return;
    }
    free_arrays(r);
    r->cap_ops = n + n / 2;
    r->ops = g_new(uint32_t, r->cap_ops);
    r->next = g_new(uint32_t, r->cap_ops * 6);
    r->event = g_new(uint32_t, r->cap_ops);
    r->observe = g_new(uint32_t, r->cap_ops);
    r->calls = g_new(uint32_t, r->cap_ops);
}

static void init_values(Ra *r)
{
    const IrFunc *f = r->f;
    uint32_t n = f->num_values + r->num_vars + r->num_extra;

    r->first_extra = f->num_values + r->num_vars;
    r->vals = ir_arena(r->f, n * sizeof *r->vals);
    /* Those of variables are made when these are bound, the generator's own by the generator. */
    for (uint32_t i = 0; i < f->num_values; i++) {
        RaVal *x = &r->vals[i];
        *x = (RaVal){.next_use = RA_NEVER,
                     .reg = -1,
                     .type = f->values[i].type,
                     .is_const = f->values[i].is_const,
                     .bits = f->values[i].k};
        if (x->is_const && x->type == IR_I32) {
            x->bits = (uint32_t)x->bits;
        }
    }
}

static void join_targets(Ra *r)
{
    const IrFunc *f = r->f;

    r->any_target = (IrBlock){.id = f->entry->id, .num_preds = f->num_targets ? 2 : 0};
    if (!f->num_targets) {
        return;
    }
    r->any_target.live_in = ir_arena(r->f, 2 * r->words * 8);
    r->any_target.dirty_in = r->any_target.live_in + r->words;
    memset(r->any_target.live_in, 0, 2 * r->words * 8);
    for (uint32_t i = 0; i < f->num_targets; i++) {
        const IrBlock *b = f->targets[i].block;
        for (uint32_t w = 0; w < r->words; w++) {
            r->any_target.live_in[w] |= b->live_in[w];
            r->any_target.dirty_in[w] |= b->dirty_in[w];
        }
    }
}

void ra_function(Ra *r, IrFunc *f)
{
    r->f = f;
    r->num_vars = ir_all_vars(f);
    r->words = (r->num_vars + 63) / 64;
    r->frame = r->frame_start;
    r->frame_full = false;
    r->owned = r->busy = 0;
    r->weight = NULL;
    memset(r->reg_val, 0, sizeof r->reg_val);
    reserve(r);
    init_values(r);
    r->vars = ir_arena(f, (r->num_vars + 1) * sizeof *r->vars);
    r->dirty = ir_arena(f, (r->words + 1) * 8);
    r->touched = ir_arena(f, (r->num_vars + 1) * sizeof *r->touched);
    r->num_touched = 0;
    for (uint32_t v = 0; v < r->num_vars; v++) {
        r->vars[v] = (RaVar){.own_reg = -1, .next_event = RA_NEVER};
        if (ir_var_is_local(f, v)) {
            uint32_t size = MAX(ir_type_bits(ir_var_type(f, v)) / 8, 8);
            r->frame = (r->frame + size - 1) & ~(size - 1);
            r->vars[v].frame = r->frame;
            r->frame += size;
        }
    }
    if (r->frame > r->frame_max) {
        r->frame_full = true;
        r->frame = r->frame_max;
    }
    r->frame_locals = r->frame;
    r->snapshots = ir_arena(f, f->num_blocks * sizeof *r->snapshots);
    r->emitted = ir_arena(f, f->num_blocks * sizeof *r->emitted);
    memset(r->snapshots, 0, f->num_blocks * sizeof *r->snapshots);
    memset(r->emitted, 0, f->num_blocks * sizeof *r->emitted);
    join_targets(r);
    ra_choose_owned(r);
}

/* ---------------------------------------------------------------- the scan */

static uint32_t number_ops(Ra *r, const IrBlock *b)
{
    uint32_t n = 0;

    for (uint32_t i = b->first; i; i = r->f->ops[i].next) {
        r->ops[n++] = i;
    }
    return n;
}

static void touch(Ra *r, uint32_t var)
{
    if (!r->vars[var].touched) {
        r->vars[var].touched = true;
        r->touched[r->num_touched++] = var;
    }
}

static void scan_var(Ra *r, const IrOp *o, uint32_t pos)
{
    RaVar *w = &r->vars[o->var.var];

    touch(r, o->var.var);
    r->event[pos] = w->next_event == RA_NEVER ? RA_NEVER : w->next_event << 1 | w->next_is_set;
    w->next_event = pos;
    w->next_is_set = o->opcode != OP_GET;
    if (o->opcode == OP_SET) {
        r->vals[o->args[0]].hint_var = o->var.var + 1;
    }
}

static void scan(Ra *r, const IrBlock *b)
{
    uint32_t n = number_ops(r, b);
    uint32_t observe = RA_NEVER, call = RA_NEVER;

    r->num_ops = n;
    r->observe[n] = r->calls[n] = RA_NEVER;
    for (uint32_t pos = n; pos-- > 0;) {
        const IrOp *o = &r->f->ops[r->ops[pos]];
        for (unsigned i = 0; i < o->num_args; i++) {
            r->next[pos * 6 + i] = r->vals[o->args[i]].next_use;
        }
        for (unsigned i = 0; i < o->num_args; i++) {
            r->vals[o->args[i]].next_use = pos;
        }
        if (ir_op_names_var(o)) {
            scan_var(r, o, pos);
        }
        if (o->opcode == OP_ZEXTQ || o->opcode == OP_TRUNC) {
            r->vals[o->args[0]].hint_var = r->vals[o->dst].hint_var; /* the same bits */
        }
        if (ir_op_faults(o) || ir_op_reads_homes(o)) {
            observe = pos;
        }
        if (ir_op_is_call(o)) {
            call = pos;
        }
        r->observe[pos] = observe;
        r->calls[pos] = call;
    }
}

/* ---------------------------------------------------------------- block entries */

static void bind_entry(Ra *r, uint32_t var, const RaBound *b)
{
    uint32_t v = r->f->num_values + var;
    RaVal *x = &r->vals[v];

    touch(r, var);
    if (b->reg >= 0 && r->reg_val[b->reg]) {
        v = r->reg_val[b->reg]; /* two variables with one value */
        x = &r->vals[v];
    } else {
        *x = (RaVal){.next_use = RA_NEVER,
                     .reg = -1,
                     .type = (uint8_t)ir_var_type(r->f, var),
                     .is_const = b->is_const,
                     .bits = b->bits,
                     .zero_ext = b->zero_ext};
        if (b->reg >= 0) {
            x->reg = b->reg;
            r->reg_val[b->reg] = v;
            r->busy |= REG_BIT(b->reg);
        }
    }
    r->vars[var].val = v;
    r->vars[var].next = x->vars;
    x->vars = var + 1;
    if (b->dirty) {
        ir_set_add(r->dirty, var);
    }
}

static void bind_owned(Ra *r, const IrBlock *b)
{
    for (uint32_t v = 0; r->owned && v < r->num_vars; v++) {
        if (r->vars[v].own_reg >= 0 && ir_set_has(b->live_in, v)) {
            bool dirty = ir_set_has(b->dirty_in, v);
            bind_entry(r, v,
                       &(RaBound){.var = v,
                                  .reg = r->vars[v].own_reg,
                                  .dirty = dirty || ir_var_is_local(r->f, v)});
        }
    }
    for (uint32_t v = 0; r->owned && v < r->num_vars; v++) {
        int reg = ra_shares(r, b, v);
        bool dirty = ir_set_has(b->dirty_in, v) || ir_var_is_local(r->f, v);
        if (reg >= 0 && dirty && ir_set_has(b->live_in, v)) {
            bind_entry(r, v, &(RaBound){.var = v, .reg = (int8_t)reg, .dirty = true});
        }
    }
}

void ra_block_begin(Ra *r, IrBlock *b)
{
    RaSnapshot *s = r->snapshots[b->id];

    r->block = b;
    r->to_targets = r->f->num_targets && r->f->ops[b->last].opcode == OP_EXIT_LOOKUP;
    for (RegSet m = r->busy; m; m &= m - 1) {
        int reg = __builtin_ctzll(m);
        r->vals[r->reg_val[reg]].reg = -1;
        r->reg_val[reg] = 0;
    }
    r->busy = r->pinned = r->temps = 0;
    r->frame = r->frame_locals;
    memset(r->free_slot, 0, sizeof r->free_slot);
    memset(r->dirty, 0, r->words * 8);
    for (uint32_t i = 0; i < r->num_touched; i++) {
        RaVar *w = &r->vars[r->touched[i]];
        r->vals[w->val].vars = 0;
        w->val = w->next = 0;
        w->next_event = RA_NEVER;
        w->next_is_set = w->touched = false;
    }
    r->num_touched = 0;
    scan(r, b);
    r->emitted[b->id] = true;
    if (s) {
        for (uint32_t i = 0; i < s->n; i++) {
            bind_entry(r, s->b[i].var, &s->b[i]);
        }
    } else if (b->num_preds > 0) {
        bind_owned(r, b);
    }
}

/* ---------------------------------------------------------------- block ends */

static bool goes_on(const Ra *r, const IrBlock *to)
{
    return !ra_canonical(r, to) && !r->emitted[to->id];
}

/* data: the block whose successors matter. */
static bool wanted_home(const Ra *r, uint32_t var, const void *data)
{
    const IrBlock *b = data;
    const RaVal *x = &r->vals[r->vars[var].val];

    for (unsigned i = 0; i < 2; i++) {
        const IrBlock *to = b->succ[i];
        if (!to || goes_on(r, to)) {
            continue;
        }
        if (r->vars[var].own_reg < 0 && ir_set_has(to->live_in, var) &&
            ra_shares(r, to, var) < 0) {
            return true;
        }
    }
    /* Snapshots know registers and constants only. */
    return x->reg < 0 && !x->is_const;
}

void ra_block_end(Ra *r)
{
    r->pos = r->num_ops - 1;
    ra_flush_if(r, wanted_home, r->block);
}

static void keep(Ra *r, RaSnapshot *s, uint32_t var)
{
    const RaVal *x = &r->vals[r->vars[var].val];

    s->b[s->n++] = (RaBound){.var = var,
                             .reg = x->reg,
                             .dirty = ir_set_has(r->dirty, var),
                             .bits = x->bits,
                             .is_const = x->is_const,
                             .zero_ext = x->zero_ext};
}

/* What is in registers, and dirty constants. */
static RaSnapshot *snapshot(Ra *r)
{
    RaSnapshot *s = ir_arena(r->f, sizeof *s + r->num_vars * sizeof s->b[0]);

    s->n = 0;
    for (RegSet m = r->busy; m; m &= m - 1) {
        const RaVal *x = &r->vals[r->reg_val[__builtin_ctzll(m)]];
        for (uint32_t w = x->vars; w; w = r->vars[w - 1].next) {
            keep(r, s, w - 1);
        }
    }
    for (uint32_t i = 0; i < r->words; i++) {
        for (uint64_t m = r->dirty[i]; m; m &= m - 1) {
            uint32_t var = i * 64 + (uint32_t)__builtin_ctzll(m);
            const RaVal *x = &r->vals[r->vars[var].val];
            if (x->is_const && x->reg < 0) {
                keep(r, s, var);
            }
        }
    }
    return s;
}

void ra_block_leave(Ra *r)
{
    RaSnapshot *s = NULL;

    for (unsigned i = 0; i < 2; i++) {
        const IrBlock *to = r->block->succ[i];
        if (to && goes_on(r, to)) {
            s = s ? s : snapshot(r);
            r->snapshots[to->id] = s;
        }
    }
}

/* The moves onto an edge; 0 with n == NULL only asks whether there are any. */
static unsigned collect_moves(Ra *r, IrBlock *to, RaMove *m)
{
    unsigned n = 0;

    if (goes_on(r, to) || r->snapshots[to->id]) {
        return 0;
    }
    for (uint32_t v = 0; r->owned && v < r->num_vars; v++) {
        const RaVar *w = &r->vars[v];
        if (w->own_reg < 0 || !ir_set_has(to->live_in, v)) {
            continue;
        }
        if (!w->val || r->vals[w->val].reg != w->own_reg) {
            m[n++] =
                (RaMove){.dst = w->own_reg, .type = ir_var_type(r->f, v), .val = w->val, .var = v};
        }
    }
    return n;
}

bool ra_edge_needs_moves(Ra *r, IrBlock *to)
{
    RaMove m[2 * MAX_OWNED];

    return collect_moves(r, to, m) > 0;
}

bool ra_is_rarer(const Ra *r, const IrBlock *a, const IrBlock *b)
{
    return r->weight && r->weight[a->id] < r->weight[b->id];
}

void ra_edge_moves(Ra *r, IrBlock *to)
{
    RaMove m[2 * MAX_OWNED];
    unsigned n = collect_moves(r, to, m), keep = 0;
    RaMove home[2 * MAX_OWNED];
    unsigned num_home = 0;

    for (unsigned i = 0; i < n; i++) {
        if (m[i].val) {
            m[keep++] = m[i];
        } else {
            home[num_home++] = m[i];
        }
    }
    ra_parallel(r, m, keep);
    for (unsigned i = 0; i < num_home; i++) {
        r->host->load(r->gen, home[i].type, home[i].dst, ra_home(r, home[i].var));
    }
}

/* A target has the variable in its own register. */
static bool travels(const Ra *r, uint32_t var)
{
    return r->vars[var].own_reg >= 0 && ir_set_has(r->any_target.live_in, var);
}

/* Only the home can be looked at, or the register is about to be another variable's. */
static bool wanted_by_targets(const Ra *r, uint32_t var, const void *data)
{
    const RaVal *x = &r->vals[r->vars[var].val];
    const RegSet *taken = data;

    if (x->reg < 0 && !x->is_const) {
        return !travels(r, var); /* loaded from where it is */
    }
    return !travels(r, var) &&
           (ir_set_has(r->any_target.live_in, var) || (x->reg >= 0 && *taken >> x->reg & 1));
}

void ra_targets_begin(Ra *r)
{
    RegSet taken = 0;

    for (uint32_t v = 0; r->owned && v < r->num_vars; v++) {
        taken |= travels(r, v) ? REG_BIT(r->vars[v].own_reg) : 0;
    }
    ra_flush_if(r, wanted_by_targets, &taken);
}

void ra_targets_moves(Ra *r)
{
    ra_edge_moves(r, &r->any_target);
}

bool ra_targets_dirty(const Ra *r, uint32_t var, int *reg)
{
    const RaVar *w = &r->vars[var];

    *reg = travels(r, var) ? w->own_reg : r->vals[w->val].reg;
    return ir_set_has(r->dirty, var);
}

void ra_entry_moves(Ra *r)
{
    if (r->f->entry->num_preds) {
        ra_load_owned(r, r->f->entry);
    }
}

void ra_load_owned(Ra *r, const IrBlock *to)
{
    for (uint32_t v = 0; r->owned && v < r->num_vars; v++) {
        const RaVar *w = &r->vars[v];
        if (w->own_reg >= 0 && ir_set_has(to->live_in, v)) {
            r->host->load(r->gen, ir_var_type(r->f, v), w->own_reg, ra_home(r, v));
        }
    }
}
