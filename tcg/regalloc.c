// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Register allocation within a block: where values are, what is spilled, how variables are bound
 * to them. See regalloc.h for the model; regalloc-block.c has the scan, the block ends and the
 * choice of registers for whole functions.
 */
#include "tcg/regalloc.h"

static inline uint32_t type_bytes(unsigned t)
{
    return ir_type_bits((IrType)t) / 8;
}

RaPlace ra_home(const Ra *r, uint32_t var)
{
    if (ir_var_is_local(r->f, var)) {
        return (RaPlace){.base = RA_FRAME, .offset = r->vars[var].frame};
    }
    return (RaPlace){.base = RA_ENV, .offset = r->f->vars[var].offset};
}

/* ---------------------------------------------------------------- bindings */

static bool is_dirty(const Ra *r, uint32_t var)
{
    return ir_set_has(r->dirty, var);
}

/* Somebody may look at the dirty variable's content after what has been done of this op. */
static bool var_needed(const Ra *r, uint32_t var)
{
    const RaVar *w = &r->vars[var];

    if (w->next_event == RA_NEVER) {
        return !ir_var_is_local(r->f, var) || ir_set_has(r->block->live_out, var);
    }
    if (!w->next_is_set) {
        return true;
    }
    return !ir_var_is_local(r->f, var) && r->observed < w->next_event;
}

bool ra_needed(const Ra *r, uint32_t v)
{
    const RaVal *x = &r->vals[v];

    if (x->next_use != RA_NEVER) {
        return true;
    }
    for (uint32_t w = x->vars; w; w = r->vars[w - 1].next) {
        if (is_dirty(r, w - 1) && var_needed(r, w - 1)) {
            return true;
        }
    }
    return false;
}

/* A clean variable whose home holds v, plus 1. */
static uint32_t clean_var(const Ra *r, uint32_t v)
{
    for (uint32_t w = r->vals[v].vars; w; w = r->vars[w - 1].next) {
        if (!is_dirty(r, w - 1)) {
            return w;
        }
    }
    return 0;
}

/* Who goes on behind this block reads the variable. */
static bool read_behind(const Ra *r, uint32_t var)
{
    return ir_set_has(r->block->live_out, var) ||
           (r->to_targets && ir_set_has(r->any_target.live_in, var));
}

/* Worth keeping in its register although nothing here needs it: a successor reads the variable. */
static bool worth_keeping(const Ra *r, uint32_t v)
{
    for (uint32_t w = r->vals[v].vars; w; w = r->vars[w - 1].next) {
        const RaVar *x = &r->vars[w - 1];
        if (x->next_event == RA_NEVER ? read_behind(r, w - 1) : !x->next_is_set) {
            return true;
        }
    }
    return false;
}

/* It lies where its variable is expected next: overwritten, it would have to be loaded again. */
static bool is_at_home(const Ra *r, uint32_t v)
{
    for (uint32_t w = r->vals[v].vars; w; w = r->vars[w - 1].next) {
        const RaVar *x = &r->vars[w - 1];
        if (x->own_reg == r->vals[v].reg &&
            (x->next_event == RA_NEVER ? read_behind(r, w - 1) : !x->next_is_set)) {
            return true;
        }
    }
    return false;
}

bool ra_dies(const Ra *r, uint32_t v)
{
    const RaVal *x = &r->vals[v];

    if (x->reg < 0 || ra_needed(r, v)) {
        return false;
    }
    return !is_at_home(r, v) ||
           !(r->host->pool[ra_class((IrType)x->type)] & ~(r->pinned | r->busy));
}

static void unbind(Ra *r, uint32_t var)
{
    RaVar *w = &r->vars[var];

    if (w->val) {
        uint32_t *at = &r->vals[w->val].vars;
        while (*at != var + 1) {
            at = &r->vars[*at - 1].next;
        }
        *at = w->next;
        w->val = 0;
        w->next = 0;
    }
    ir_set_remove(r->dirty, var);
}

static void bind(Ra *r, uint32_t var, uint32_t v)
{
    RaVar *w = &r->vars[var];

    w->val = v;
    w->next = r->vals[v].vars;
    r->vals[v].vars = var + 1;
}

/* ---------------------------------------------------------------- registers */

static void put_in(Ra *r, uint32_t v, int reg)
{
    r->reg_val[reg] = v;
    r->busy |= REG_BIT(reg);
    r->vals[v].reg = (int8_t)reg;
}

static void empty(Ra *r, int reg)
{
    uint32_t v = r->reg_val[reg];

    if (v) {
        r->vals[v].reg = -1;
        r->reg_val[reg] = 0;
        r->busy &= ~REG_BIT(reg);
    }
}

/* v is not needed any more: its register and the dirty variables that nobody will look at go. */
static void drop(Ra *r, uint32_t v)
{
    RaVal *x = &r->vals[v];

    if (x->reg >= 0) {
        empty(r, x->reg);
    }
    for (uint32_t w = x->vars; w;) {
        uint32_t var = w - 1;
        w = r->vars[var].next;
        if (is_dirty(r, var)) {
            unbind(r, var);
        }
    }
}

static unsigned slot_class(unsigned type)
{
    uint32_t bytes = type_bytes(type);

    return bytes <= 8 ? 0 : bytes == 16 ? 1 : 2;
}

static uint32_t new_slot(Ra *r, unsigned type)
{
    unsigned cls = slot_class(type);
    uint32_t size = 8u << cls;
    uint32_t at = r->free_slot[cls];

    if (at) {
        r->free_slot[cls] = r->slot_next[at / 8];
        return at;
    }
    at = (r->frame + size - 1) & ~(size - 1);
    if (at + size > r->frame_max) {
        r->frame_full = true;
        /* the generator keeps room for one value there, and gives up */
        return r->frame_max;
    }
    r->frame = at + size;
    return at;
}

/* v is dead: its slot is another's. */
static void free_slot(Ra *r, uint32_t v)
{
    RaVal *x = &r->vals[v];
    unsigned cls = slot_class(x->type);

    if (x->slot && x->slot < r->frame_max) {
        r->slot_next[x->slot / 8] = r->free_slot[cls];
        r->free_slot[cls] = x->slot;
    }
    x->slot = 0;
}

/*
 * v, which is in a register, gets a copy in memory. Its dirty variables go home, all of them: at a
 * block's end nobody would find what is dirty and in no register.
 */
static void save(Ra *r, uint32_t v)
{
    RaVal *x = &r->vals[v];

    if (x->is_const) {
        return;
    }
    for (uint32_t w = x->vars; w; w = r->vars[w - 1].next) {
        if (is_dirty(r, w - 1) && var_needed(r, w - 1)) {
            r->host->store(r->gen, (IrType)x->type, x->reg, ra_home(r, w - 1));
            ir_set_remove(r->dirty, w - 1);
        }
    }
    if (x->slot || clean_var(r, v)) {
        return;
    }
    x->slot = new_slot(r, x->type);
    r->host->store(r->gen, (IrType)x->type, x->reg, (RaPlace){.base = RA_FRAME, .offset = x->slot});
}

static void evict(Ra *r, int reg)
{
    uint32_t v = r->reg_val[reg];

    if (!v) {
        return;
    }
    if (ra_needed(r, v)) {
        save(r, v);
        empty(r, reg);
    } else {
        drop(r, v);
    }
}

/* The free register of `set` that is most welcome; v: what shall live there (0: a temporary). */
static int pick_free(const Ra *r, unsigned cls, RegSet set, uint32_t v)
{
    RegSet first = set & ~r->owned;

    if (v && r->calls[r->pos + 1] < r->vals[v].next_use && r->vals[v].next_use != RA_NEVER &&
        first & ~r->host->caller_saved) {
        first &= ~r->host->caller_saved;
    }
    set = first ? first : set;
    for (const uint8_t *o = r->host->order[cls]; *o != 255; o++) {
        if (set & REG_BIT(*o)) {
            return *o;
        }
    }
    return -1;
}

/* The one whose content is missed last. */
static int pick_victim(const Ra *r, RegSet set)
{
    int best = -1;
    uint64_t best_score = 0;

    for (RegSet s = set; s; s &= s - 1) {
        int reg = __builtin_ctzll(s);
        uint32_t v = r->reg_val[reg];
        uint64_t score = r->vals[v].next_use;
        if (!ra_needed(r, v)) {
            score = worth_keeping(r, v) ? 1ull << 32 : 2ull << 32;
        } else if (r->vals[v].is_const || r->vals[v].slot || clean_var(r, v)) {
            score = score * 2 + 1;
        }
        if (best < 0 || score > best_score) {
            best = reg;
            best_score = score;
        }
    }
    return best;
}

static int alloc(Ra *r, unsigned cls, RegSet allowed, uint32_t v, int hint)
{
    RegSet set = r->host->pool[cls] & ~r->pinned;
    int reg;

    if (allowed) {
        set &= allowed;
    }
    g_assert(set);
    if (hint >= 0 && set & REG_BIT(hint)) {
        uint32_t old = r->reg_val[hint];
        if (!old) {
            return hint;
        }
        if (!ra_needed(r, old) && !worth_keeping(r, old)) {
            drop(r, old);
            return hint;
        }
    }
    if (set & ~r->busy) {
        return pick_free(r, cls, set & ~r->busy, v);
    }
    reg = pick_victim(r, set);
    evict(r, reg);
    return reg;
}

bool ra_place(const Ra *r, uint32_t v, RaPlace *place)
{
    const RaVal *x = &r->vals[v];
    uint32_t w;

    if (x->reg >= 0 || x->is_const) {
        return false;
    }
    if (x->slot) {
        *place = (RaPlace){.base = RA_FRAME, .offset = x->slot};
        return true;
    }
    w = clean_var(r, v);
    g_assert(w);
    *place = ra_home(r, w - 1);
    return true;
}

/* A copy of v into reg; v's own places stay. */
static void copy_to(Ra *r, uint32_t v, IrType t, int reg)
{
    const RaVal *x = &r->vals[v];
    RaPlace place;

    if (x->reg >= 0) {
        if (x->reg != reg) {
            r->host->move(r->gen, t, reg, x->reg);
        }
    } else if (x->is_const) {
        r->host->load_const(r->gen, t, reg, x->bits);
    } else if (ra_place(r, v, &place)) {
        r->host->load(r->gen, t, reg, place);
    }
}

int ra_use(Ra *r, uint32_t v, RegSet allowed)
{
    RaVal *x = &r->vals[v];
    int reg = x->reg;

    if (reg < 0) {
        int own = x->vars ? r->vars[x->vars - 1].own_reg : -1;
        reg = alloc(r, ra_class((IrType)x->type), allowed, v, own);
        copy_to(r, v, (IrType)x->type, reg);
        put_in(r, v, reg);
        x->zero_ext = true;
    } else if (allowed && !(allowed & REG_BIT(reg))) {
        int to = alloc(r, ra_class((IrType)x->type), allowed, v, -1);
        r->host->move(r->gen, (IrType)x->type, to, reg);
        empty(r, reg);
        r->pinned &= ~REG_BIT(reg);
        put_in(r, v, to);
        reg = to;
    }
    r->pinned |= REG_BIT(reg);
    return reg;
}

int ra_tmp(Ra *r, unsigned cls, RegSet allowed)
{
    int reg = alloc(r, cls, allowed, 0, -1);

    r->pinned |= REG_BIT(reg);
    r->temps |= REG_BIT(reg);
    return reg;
}

/* v leaves its register reg, whose bits stay, for another one or memory. */
static void move_away(Ra *r, uint32_t v, int reg)
{
    RaVal *x = &r->vals[v];
    unsigned cls = ra_class((IrType)x->type);
    RegSet set = r->host->pool[cls] & ~r->pinned & ~r->busy;
    int to = set ? pick_free(r, cls, set, v) : -1;

    if (to >= 0) {
        bool pinned = r->pinned >> reg & 1;
        r->host->move(r->gen, (IrType)x->type, to, reg);
        empty(r, reg);
        put_in(r, v, to);
        r->pinned |= pinned ? REG_BIT(to) : 0;
    } else {
        save(r, v);
        empty(r, reg);
    }
}

/* How often the op at hand has v as an argument. */
static unsigned times_used(const Ra *r, uint32_t v)
{
    const IrOp *o = &r->f->ops[r->ops[r->pos]];
    unsigned n = 0;

    for (unsigned i = 0; i < o->num_args; i++) {
        n += o->args[i] == v;
    }
    return n;
}

void ra_take(Ra *r, int reg)
{
    uint32_t v = r->reg_val[reg];

    if (v) {
        if (ra_needed(r, v) || r->pinned >> reg & 1) {
            move_away(r, v, reg);
        } else {
            drop(r, v);
        }
    }
    r->pinned |= REG_BIT(reg);
    r->temps |= REG_BIT(reg);
}

void ra_take_with(Ra *r, int reg, uint32_t v)
{
    if (r->vals[v].reg == reg) {
        if (ra_needed(r, v) || times_used(r, v) > 1) {
            move_away(r, v, reg);
        } else {
            drop(r, v);
        }
        r->pinned |= REG_BIT(reg);
        r->temps |= REG_BIT(reg);
    } else {
        ra_take(r, reg);
        copy_to(r, v, (IrType)r->vals[v].type, reg);
    }
}

/* ---------------------------------------------------------------- ops */

void ra_op_begin(Ra *r, uint32_t pos)
{
    const IrOp *o = &r->f->ops[r->ops[pos]];

    r->pos = pos;
    r->observed = r->observe[pos];
    r->pinned = r->temps = 0;
    r->released = false;
    for (unsigned i = 0; i < o->num_args; i++) {
        RaVal *x = &r->vals[o->args[i]];
        x->next_use = r->next[pos * 6 + i];
        if (x->reg >= 0) {
            r->pinned |= REG_BIT(x->reg);
        }
    }
}

void ra_release(Ra *r)
{
    const IrOp *o = &r->f->ops[r->ops[r->pos]];

    if (r->released) {
        return;
    }
    r->released = true;
    r->pinned = r->temps;
    r->observed = r->observe[r->pos + 1];
    for (unsigned i = 0; i < o->num_args; i++) {
        uint32_t v = o->args[i];
        if (r->vals[v].reg >= 0 && !ra_needed(r, v) && !worth_keeping(r, v)) {
            drop(r, v);
        }
    }
}

int ra_def(Ra *r, uint32_t v, RegSet allowed, int hint)
{
    RaVal *x = &r->vals[v];
    int reg;

    if (x->hint_var && r->vars[x->hint_var - 1].own_reg >= 0) {
        hint = r->vars[x->hint_var - 1].own_reg;
    }
    reg = alloc(r, ra_class((IrType)x->type), allowed, v, hint);
    put_in(r, v, reg);
    r->pinned |= REG_BIT(reg);
    x->zero_ext = true;
    return reg;
}

void ra_def_fixed(Ra *r, uint32_t v, int reg)
{
    put_in(r, v, reg);
    r->vals[v].zero_ext = true;
    r->pinned |= REG_BIT(reg);
}

void ra_extra_def(Ra *r, uint32_t v, int reg)
{
    put_in(r, v, reg);
}

void ra_extra_drop(Ra *r, uint32_t v)
{
    if (r->vals[v].reg >= 0) {
        empty(r, r->vals[v].reg);
    }
}

int ra_def_from(Ra *r, uint32_t v, uint32_t a, RegSet avoid)
{
    int areg = r->vals[a].reg;
    IrType t = (IrType)r->vals[v].type;
    int reg;

    ra_release(r);
    /* ra_release() has emptied it if nobody wants it at all. */
    if (areg >= 0 && !(avoid & REG_BIT(areg)) && (r->vals[a].reg < 0 || ra_dies(r, a))) {
        drop(r, a);
        put_in(r, v, areg);
        r->pinned |= REG_BIT(areg);
        r->vals[v].zero_ext = true;
        return areg;
    }
    reg = ra_def(r, v, r->host->pool[ra_class(t)] & ~avoid, -1);
    if (areg >= 0) {
        r->host->move(r->gen, t, reg, areg);
    } else {
        copy_to(r, a, t, reg);
    }
    return reg;
}

void ra_op_end(Ra *r)
{
    const IrOp *o = &r->f->ops[r->ops[r->pos]];

    ra_release(r);
    r->pinned = r->temps = 0;
    for (unsigned i = 0; i < o->num_args; i++) {
        uint32_t v = o->args[i];
        if (r->vals[v].slot && !ra_needed(r, v)) {
            free_slot(r, v);
            if (r->vals[v].reg < 0) {
                drop(r, v);
            }
        }
    }
    if (o->dst && !ra_needed(r, o->dst)) {
        drop(r, o->dst);
    }
}

/* ---------------------------------------------------------------- variables */

/* All that a has becomes v's: register, slot, variables. */
static void take_over(Ra *r, uint32_t v, uint32_t a)
{
    RaVal *x = &r->vals[v], *y = &r->vals[a];
    int reg = y->reg;

    x->slot = y->slot;
    x->zero_ext = y->zero_ext;
    if (reg >= 0) {
        y->reg = -1;
        put_in(r, v, reg);
    }
    x->vars = y->vars;
    y->vars = 0;
    y->slot = 0;
    for (uint32_t w = x->vars; w; w = r->vars[w - 1].next) {
        r->vars[w - 1].val = v;
    }
}

static void next_event(Ra *r, uint32_t var)
{
    uint32_t e = r->event[r->pos];

    r->vars[var].next_event = e == RA_NEVER ? RA_NEVER : e >> 1;
    r->vars[var].next_is_set = e & 1;
}

void ra_get(Ra *r, uint32_t dst, uint32_t var)
{
    uint32_t old = r->vars[var].val;

    next_event(r, var);
    if (!old) {
        bind(r, var, dst);
    } else if (r->vals[old].is_const) {
        r->vals[dst].is_const = true;
        r->vals[dst].bits = r->vals[old].bits;
    } else if (r->vals[old].next_use == RA_NEVER) {
        take_over(r, dst, old);
    } else {
        int reg = ra_def(r, dst, 0, -1);
        copy_to(r, old, (IrType)r->vals[dst].type, reg);
    }
}

/* v lives only in var's home, which is about to become stale. */
static void leave_home(Ra *r, uint32_t var)
{
    uint32_t v = r->vars[var].val;
    RaVal *x = &r->vals[v];

    if (!v || is_dirty(r, var) || x->reg >= 0 || x->is_const || x->slot) {
        return;
    }
    if (ra_needed(r, v)) {
        ra_use(r, v, 0);
    }
}

void ra_set(Ra *r, uint32_t var, uint32_t v)
{
    uint32_t old = r->vars[var].val;

    next_event(r, var);
    if (old == v) {
        return;
    }
    leave_home(r, var);
    unbind(r, var);
    if (old && !ra_needed(r, old) && (r->vals[old].reg < 0 || !worth_keeping(r, old))) {
        drop(r, old);
    }
    bind(r, var, v);
    ir_set_add(r->dirty, var);
}

void ra_discard(Ra *r, uint32_t var)
{
    uint32_t old = r->vars[var].val;

    next_event(r, var);
    if (!old) {
        return;
    }
    leave_home(r, var);
    unbind(r, var);
    if (!ra_needed(r, old) && (r->vals[old].reg < 0 || !worth_keeping(r, old))) {
        drop(r, old);
    }
}

bool ra_rename(Ra *r, uint32_t v, uint32_t a)
{
    int reg = r->vals[a].reg;
    bool zero_ext = r->vals[a].zero_ext;

    ra_release(r);
    if (reg < 0 || ra_needed(r, a)) {
        return false;
    }
    drop(r, a);
    put_in(r, v, reg);
    r->vals[v].zero_ext = zero_ext;
    return true;
}

static void flush_var(Ra *r, uint32_t var)
{
    uint32_t v = r->vars[var].val;
    RaVal *x = &r->vals[v];

    if (x->is_const) {
        r->host->store_const(r->gen, (IrType)x->type, x->bits, ra_home(r, var));
    } else {
        int reg = x->reg;
        if (reg < 0) {
            RegSet pinned = r->pinned;
            reg = ra_use(r, v, 0);
            r->pinned = pinned;
        }
        r->host->store(r->gen, (IrType)x->type, reg, ra_home(r, var));
    }
    ir_set_remove(r->dirty, var);
}

void ra_flush(Ra *r)
{
    for (uint32_t i = 0; i < r->words; i++) {
        for (uint64_t m = r->dirty[i]; m; m &= m - 1) {
            uint32_t var = i * 64 + (uint32_t)__builtin_ctzll(m);
            if (!ir_var_is_local(r->f, var) && is_dirty(r, var)) {
                flush_var(r, var);
            }
        }
    }
}

void ra_flush_if(Ra *r, bool (*want)(const Ra *r, uint32_t var, const void *data), const void *data)
{
    for (uint32_t i = 0; i < r->words; i++) {
        for (uint64_t m = r->dirty[i]; m; m &= m - 1) {
            uint32_t var = i * 64 + (uint32_t)__builtin_ctzll(m);
            if (is_dirty(r, var) && want(r, var, data)) {
                flush_var(r, var);
            }
        }
    }
}

static bool unsettled(const Ra *r, uint32_t var, const void *data)
{
    const RaVal *x = &r->vals[r->vars[var].val];

    (void)data;
    return x->reg < 0 && !x->is_const;
}

void ra_settle(Ra *r)
{
    ra_flush_if(r, unsettled, NULL);
}

void ra_unhome(Ra *r)
{
    for (uint32_t var = 0; var < r->f->num_vars; var++) {
        uint32_t v = r->vars[var].val;
        RaVal *x = &r->vals[v];
        if (v && !x->is_const && !x->slot && ra_needed(r, v)) {
            RegSet pinned = r->pinned;
            int reg = ra_use(r, v, 0);
            x->slot = new_slot(r, x->type);
            r->host->store(r->gen, (IrType)x->type, reg,
                           (RaPlace){.base = RA_FRAME, .offset = x->slot});
            r->pinned = pinned;
        }
    }
}

void ra_forget_vars(Ra *r)
{
    for (uint32_t var = 0; var < r->f->num_vars; var++) {
        uint32_t v = r->vars[var].val;
        if (v) {
            unbind(r, var);
            if (!ra_needed(r, v)) {
                drop(r, v);
            }
        }
    }
}

/* ---------------------------------------------------------------- moves and calls */

/* All moves at once: each dst gets what its value was before any of them. */
void ra_parallel(Ra *r, RaMove *m, unsigned n)
{
    int8_t src[RA_REGS];
    RegSet wait = 0; /* moves from registers, by number */
    const RaPlace scratch = {.base = RA_FRAME, .offset = r->frame_max};

    g_assert(n <= RA_REGS);
    for (unsigned i = 0; i < n; i++) {
        src[i] = r->vals[m[i].val].reg;
        wait |= src[i] >= 0 ? REG_BIT(i) : 0;
    }
    while (wait) {
        bool moved = false;
        for (RegSet s = wait; s; s &= s - 1) {
            unsigned i = (unsigned)__builtin_ctzll(s);
            bool blocked = false;
            for (RegSet t = wait & ~REG_BIT(i); t && !blocked; t &= t - 1) {
                blocked = src[__builtin_ctzll(t)] == m[i].dst;
            }
            if (!blocked) {
                if (src[i] != m[i].dst) {
                    r->host->move(r->gen, m[i].type, m[i].dst, src[i]);
                }
                wait &= ~REG_BIT(i);
                moved = true;
            }
        }
        if (!moved) {
            /* A ring of k registers: one goes over memory, the rest follow, it comes back last. */
            unsigned i = (unsigned)__builtin_ctzll(wait);
            int reg = m[i].dst;
            r->host->store(r->gen, m[i].type, src[i], scratch);
            wait &= ~REG_BIT(i);
            for (;;) {
                unsigned j = RA_REGS;
                for (RegSet t = wait; t; t &= t - 1) {
                    if (m[__builtin_ctzll(t)].dst == src[i]) {
                        j = (unsigned)__builtin_ctzll(t);
                        break;
                    }
                }
                if (j == RA_REGS) {
                    break;
                }
                r->host->move(r->gen, m[j].type, m[j].dst, src[j]);
                wait &= ~REG_BIT(j);
                src[i] = src[j];
            }
            r->host->load(r->gen, m[i].type, reg, scratch);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (r->vals[m[i].val].reg < 0) {
            copy_to(r, m[i].val, m[i].type, m[i].dst);
        }
    }
}

void ra_call_args(Ra *r, RaMove *moves, unsigned n)
{
    for (RegSet s = r->busy & r->host->caller_saved; s; s &= s - 1) {
        int reg = __builtin_ctzll(s);
        uint32_t v = r->reg_val[reg];
        RegSet keep;
        if (!ra_needed(r, v)) {
            continue;
        }
        keep = r->host->pool[ra_class((IrType)r->vals[v].type)] & ~r->host->caller_saved &
               ~r->busy & ~r->pinned & ~r->owned;
        if (keep && r->vals[v].next_use != RA_NEVER && !r->vals[v].is_const) {
            int to = __builtin_ctzll(keep);
            r->host->move(r->gen, (IrType)r->vals[v].type, to, reg);
            empty(r, reg);
            put_in(r, v, to);
        } else {
            save(r, v);
        }
    }
    ra_parallel(r, moves, n);
    for (RegSet s = r->busy & r->host->caller_saved; s; s &= s - 1) {
        uint32_t v = r->reg_val[__builtin_ctzll(s)];
        if (ra_needed(r, v)) {
            empty(r, __builtin_ctzll(s));
        } else {
            drop(r, v);
        }
    }
    ra_release(r);
}
