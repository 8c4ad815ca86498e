// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Register allocation: which variables own a register for the whole function. Blocks are weighed by
 * loops and by the ways that lead to them; a variable is worth the loads that its reads take and
 * the stores that edges take, if it had none: where paths meet, all else is home.
 */
#include <string.h>
#include "tcg/regalloc.h"

/* Leaving enough for a block's own values. */
static const unsigned max_owned[2] = {9, 12};
/* What a register saves at a load, at a store, beside each other: stores wait for nobody. */
enum { LOAD_COST = 4, STORE_COST = 1 };
enum { BASE_WEIGHT = 1 << 8, MAX_WEIGHT = 1 << 27 };

/*
 * 8 to the power of the loop depth, by block id; a loop is the layout from a block to the last
 * branch back to it. at: places in the layout.
 */
static void block_weights(const Ra *r, uint32_t *weight, uint32_t *at)
{
    uint32_t order = 0;
    const IrBlock **end = ir_arena(r->f, r->f->num_blocks * sizeof *end);

    for (const IrBlock *b = r->f->entry; b; b = b->next) {
        at[b->id] = order++;
        weight[b->id] = b->cold ? 1 : BASE_WEIGHT;
        end[b->id] = NULL;
    }
    for (const IrBlock *b = r->f->entry; b; b = b->next) {
        for (unsigned i = 0; i < 2 && b->succ[i] && !b->cold; i++) {
            if (at[b->succ[i]->id] <= at[b->id]) {
                end[b->succ[i]->id] = b;
            }
        }
    }
    for (const IrBlock *b = r->f->entry; b; b = b->next) {
        for (const IrBlock *x = end[b->id] ? b : NULL; x; x = x == end[b->id] ? NULL : x->next) {
            if (weight[x->id] < MAX_WEIGHT) {
                weight[x->id] *= 8;
            }
        }
    }
}

/*
 * A register that calls destroy is worth it only if the variable is used more often than there are
 * calls.
 */
static void give_registers(Ra *r, const uint64_t *weight, uint64_t calls, unsigned cls)
{
    RegSet left = r->host->pool[cls];

    for (unsigned n = 0; n < max_owned[cls]; n++) {
        uint32_t best = UINT32_MAX;
        RegSet set = left & ~r->host->caller_saved ? left & ~r->host->caller_saved : left;
        for (uint32_t v = 0; v < r->num_vars; v++) {
            if (weight[v] && r->vars[v].own_reg < 0 && ra_class(ir_var_type(r->f, v)) == cls &&
                (best == UINT32_MAX || weight[v] > weight[best])) {
                best = v;
            }
        }
        if (best == UINT32_MAX ||
            (set & r->host->caller_saved && weight[best] <= (LOAD_COST + STORE_COST) * calls)) {
            return;
        }
        /* From the top: the low ones have uses of their own (shifts, divisions, arguments). */
        r->vars[best].own_reg = (int8_t)(63 - __builtin_clzll(set));
        left &= ~REG_BIT(r->vars[best].own_reg);
        r->owned |= REG_BIT(r->vars[best].own_reg);
    }
}

/* What targets share of the jumps that lead to them; 0: there are no such jumps. */
static uint32_t target_weight(const IrFunc *f, const uint32_t *weight)
{
    uint32_t most = 0, jumps = 0;

    for (const IrBlock *b = f->entry; b; b = b->next) {
        if (!b->cold && f->ops[b->last].opcode == OP_EXIT_LOOKUP) {
            most = MAX(most, MIN(weight[b->id], MAX_WEIGHT));
            jumps++;
        }
    }
    return most * MIN(jumps, f->num_targets) / f->num_targets;
}

/* How often p, of weight w, goes on with b: loops are not left, of other ways each is as good. */
static uint32_t by_way(uint32_t w, const uint32_t *depth, const IrBlock *p, const IrBlock *b)
{
    const IrBlock *other = p->succ[0] == b ? p->succ[1] : p->succ[0];

    if (!other || other->cold || depth[b->id] > depth[other->id]) {
        return w;
    }
    return depth[b->id] < depth[other->id] ? w / 8 : w / 2;
}

/*
 * The rounds that go through exit_lookup and targets do not show in the layout, and of many targets
 * each is run seldom: a block is run as often as those that lead to it.
 */
static void weigh_by_ways(const Ra *r, uint32_t *weight, const uint32_t *at)
{
    const IrFunc *f = r->f;
    const uint32_t *depth = memcpy(ir_arena(r->f, f->num_blocks * sizeof *depth), weight,
                                   f->num_blocks * sizeof *depth);
    const uint32_t share = target_weight(f, weight);
    bool *target = ir_arena(r->f, f->num_blocks * sizeof *target);

    memset(target, 0, f->num_blocks * sizeof *target);
    for (uint32_t i = 0; i < f->num_targets; i++) {
        target[f->targets[i].block->id] = true;
    }
    for (const IrBlock *b = f->entry->next; b; b = b->next) {
        uint64_t sum = target[b->id] ? share : 0;
        bool head = false;
        for (uint32_t i = target[b->id] ? 2 : 0; i < b->num_preds; i++) {
            const IrBlock *p = b->preds[i];
            head |= at[p->id] >= at[b->id] && !p->cold;
            sum += at[p->id] < at[b->id] ? by_way(weight[p->id], depth, p, b) : 0;
        }
        if (sum && !b->cold) {
            weight[b->id] = (uint32_t)MIN(head ? sum * 8 : sum, MAX_WEIGHT);
        }
    }
}

/* What a walk along single ways has of the variables so far. */
typedef struct Walk {
    uint64_t *known;            /* read or set: in a register */
    uint64_t *dirty;            /* set, not home */
} Walk;

static void weigh_op(Ra *r, const IrOp *o, Walk *w, uint64_t *weight, uint32_t times)
{
    switch (o->opcode) {
    case OP_GET:
        if (!ir_set_has(w->known, o->var.var)) {
            weight[o->var.var] += (uint64_t)times * LOAD_COST;
        }
        ir_set_add(w->known, o->var.var);
        break;
    case OP_SET:
        ir_set_add(w->known, o->var.var);
        ir_set_add(w->dirty, o->var.var);
        break;
    case OP_DISCARD:
        ir_set_remove(w->dirty, o->var.var);
        break;
    default:
        if (ir_op_reads_homes(o)) {
            memset(w->dirty, 0, r->words * 8);
        }
        if (ir_op_writes_homes(o)) {
            memset(w->known, 0, r->words * 8);
        }
    }
}

/* What would have to be stored for those who expect it home. */
static void weigh_edge(const Ra *r, const Walk *w, const IrBlock *to, uint64_t *weight,
                       uint32_t times)
{
    for (uint32_t i = 0; i < r->words; i++) {
        for (uint64_t m = w->dirty[i] & to->live_in[i]; m; m &= m - 1) {
            uint32_t v = i * 64 + (uint32_t)__builtin_ctzll(m);
            if (!to->same || to->same[v] == v + 1) {        /* else another one has it */
                weight[v] += (uint64_t)times * STORE_COST;
            }
        }
    }
}

/* Returns how many calls are made. */
static uint64_t weigh_variables(Ra *r, const uint32_t *times, uint64_t *weight)
{
    const IrFunc *f = r->f;
    Walk *walks = ir_arena(r->f, f->num_blocks * sizeof *walks);
    uint64_t calls = 0;

    memset(walks, 0, f->num_blocks * sizeof *walks);
    for (const IrBlock *b = f->entry; b; b = b->next) {
        Walk *w = &walks[b->id];
        const Walk *from = ra_canonical(r, b) ? NULL : &walks[b->preds[0]->id];
        w->known = ir_arena(r->f, 2 * r->words * 8);
        w->dirty = w->known + r->words;
        if (from && from->known) {
            memcpy(w->known, from->known, 2 * r->words * 8);
        } else {
            memset(w->known, 0, 2 * r->words * 8);
        }
        for (uint32_t i = b->first; i; i = f->ops[i].next) {
            weigh_op(r, &f->ops[i], w, weight, times[b->id]);
            calls += ir_op_is_call(&f->ops[i]) ? times[b->id] : 0;
        }
        for (unsigned i = 0; i < 2 && b->succ[i]; i++) {
            if (ra_canonical(r, b->succ[i])) {
                weigh_edge(r, w, b->succ[i], weight, MIN(times[b->id], times[b->succ[i]->id]));
            }
        }
        if (f->num_targets && f->ops[b->last].opcode == OP_EXIT_LOOKUP) {
            weigh_edge(r, w, &r->any_target, weight, times[b->id]);
        }
    }
    return calls;
}

void ra_choose_owned(Ra *r)
{
    const IrFunc *f = r->f;
    uint64_t *crosses = ir_arena(r->f, r->words * 8);
    uint64_t *weight = ir_arena(r->f, (r->num_vars + 1) * sizeof *weight);
    uint32_t *times = ir_arena(r->f, f->num_blocks * sizeof *times);
    uint32_t *at = ir_arena(r->f, f->num_blocks * sizeof *at);
    uint64_t calls;
    bool any = false;

    memset(crosses, 0, r->words * 8);
    for (const IrBlock *b = f->entry; b; b = b->next) {
        if (b->num_preds >= (b == f->entry ? 1u : 2u)) {
            any = true;
            for (uint32_t i = 0; i < r->words; i++) {
                crosses[i] |= b->live_in[i];
            }
        }
    }
    if (!any) {
        return;
    }
    memset(weight, 0, (r->num_vars + 1) * sizeof *weight);
    block_weights(r, times, at);
    if (f->num_targets) {
        weigh_by_ways(r, times, at);
    }
    calls = weigh_variables(r, times, weight);
    for (uint32_t v = 0; v < r->num_vars; v++) {
        weight[v] = ir_set_has(crosses, v) ? weight[v] : 0;
    }
    r->weight = times;
    give_registers(r, weight, calls, 0);
    give_registers(r, weight, calls, 1);
}
