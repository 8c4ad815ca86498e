// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first tier's walk: a scan backwards over each block for last uses and for what nobody needs,
 * then its ops in order. Registers are handed out as they come; first-ops.c has the ops.
 */
#include <string.h>
#include "tcg/i386/first.h"

/* ---------------------------------------------------------------- places */

Mem first_home(const First *q, uint32_t var)
{
    if (ir_var_is_local(q->f, var)) {
        return mem_bd(RSP, (int32_t)q->local_at[var - q->f->num_vars]);
    }
    return gen_env(q->g, q->f->vars[var].offset);
}

bool first_place(const First *q, uint32_t v, Mem *m)
{
    const FirstVal *x = &q->vals[v];

    if (x->reg >= 0 || x->is_const) {
        return false;
    }
    g_assert(x->home || x->slot);
    *m = x->home ? first_home(q, x->home - 1) : mem_bd(RSP, (int32_t)x->slot);
    return true;
}

static uint32_t width_of(const FirstVal *x)
{
    return x->type == IR_I64 ? X_W : 0;
}

void first_save(First *q, uint32_t v)
{
    FirstVal *x = &q->vals[v];

    if (x->is_const || x->slot || x->home) {
        return;
    }
    if (q->frame + 8 > FRAME_MAX) {
        q->full = true;
        q->frame = q->frame_locals;
    }
    x->slot = q->frame;
    q->frame += 8;
    x_rm(&q->g->a, X_MOV_MR | X_W, x->reg, mem_bd(RSP, (int32_t)x->slot));
}

static void empty(First *q, int reg)
{
    q->vals[q->reg_val[reg]].reg = -1;
    q->reg_val[reg] = 0;
    q->busy &= ~(1u << reg);
}

static void put_in(First *q, uint32_t v, int reg)
{
    q->vals[v].reg = (int8_t)reg;
    q->reg_val[reg] = v;
    q->busy |= 1u << reg;
}

/* The one that is needed last makes room. */
static int evict(First *q)
{
    int best = -1;

    for (uint32_t m = FIRST_POOL & ~q->pinned; m; m &= m - 1) {
        int reg = __builtin_ctz(m);
        if (best < 0 || q->vals[q->reg_val[reg]].last > q->vals[q->reg_val[best]].last) {
            best = reg;
        }
    }
    g_assert(best >= 0);
    first_save(q, q->reg_val[best]);
    empty(q, best);
    return best;
}

static int alloc(First *q)
{
    uint32_t set = FIRST_POOL & ~q->busy & ~q->pinned;
    int reg;

    if (set) {
        reg = __builtin_ctz(set & FIRST_KEPT ? set & FIRST_KEPT : set);
    } else {
        reg = evict(q);
    }
    q->pinned |= 1u << reg;
    return reg;
}

void first_pin(First *q, uint32_t v)
{
    if (q->vals[v].reg >= 0) {
        q->pinned |= 1u << q->vals[v].reg;
    }
}

void first_use_in(First *q, uint32_t v, int reg)
{
    const FirstVal *x = &q->vals[v];
    Mem m;

    if (x->is_const) {
        x_mov_ri(&q->g->a, reg, x->bits);
    } else if (first_place(q, v, &m)) {
        x_rm(&q->g->a, X_MOV_RM | width_of(x), reg, m);
    } else if (x->reg != reg) {
        x_rr(&q->g->a, X_MOV_RM | width_of(x), reg, x->reg);
    }
}

int first_use(First *q, uint32_t v)
{
    int reg = q->vals[v].reg;

    if (reg < 0) {
        reg = alloc(q);
        first_use_in(q, v, reg);
        put_in(q, v, reg);
    }
    q->pinned |= 1u << reg;
    return reg;
}

int first_def(First *q, uint32_t v)
{
    int reg = alloc(q);

    put_in(q, v, reg);
    return reg;
}

void first_def_fixed(First *q, uint32_t v, int reg)
{
    put_in(q, v, reg);
    q->pinned |= 1u << reg;
}

bool first_rename(First *q, uint32_t v, uint32_t a)
{
    int reg = q->vals[a].reg;

    if (reg < 0 || q->vals[a].last != q->pos) {
        return false;
    }
    q->vals[a].reg = -1;
    put_in(q, v, reg);
    q->pinned |= 1u << reg;
    return true;
}

int first_def_from(First *q, uint32_t v, uint32_t a)
{
    int reg;

    if (!q->vals[a].is_const && first_rename(q, v, a)) {
        return q->vals[v].reg;
    }
    first_pin(q, a);
    reg = alloc(q);
    first_use_in(q, a, reg);
    put_in(q, v, reg);
    return reg;
}

void first_clear(First *q, int reg, bool args)
{
    uint32_t v = q->reg_val[reg];

    if (!v) {
        return;
    }
    if (q->vals[v].last > q->pos || (args && q->vals[v].last == q->pos)) {
        q->pinned |= 1u << reg; /* itself no place to go to */
        int to = alloc(q);
        x_mov_rr(&q->g->a, X_W, to, reg);
        empty(q, reg);
        put_in(q, v, to);
    } else {
        empty(q, reg);
    }
}

void first_leave_home(First *q, uint32_t var)
{
    uint32_t v = q->var_val[var];

    q->var_val[var] = 0;
    if (!v || q->vals[v].home != var + 1) {
        return;
    }
    if (q->vals[v].reg < 0 && !q->vals[v].slot && q->vals[v].last >= q->pos) {
        first_use(q, v);
    }
    q->vals[v].home = 0;
}

Opnd first_opnd(First *q, uint32_t v, unsigned allow)
{
    const FirstVal *x = &q->vals[v];
    Opnd p = {.kind = OPND_REG};

    if (x->is_const && allow & OPND_ALLOW_IMM &&
        (x->type == IR_I32 || (int64_t)x->bits == (int32_t)x->bits)) {
        p.kind = OPND_IMM;
        p.imm = (int32_t)x->bits;
    } else if (allow & OPND_ALLOW_MEM && x->last == q->pos && first_place(q, v, &p.mem)) {
        p.kind = OPND_MEM;
    } else {
        p.reg = first_use(q, v);
    }
    return p;
}

/* ---------------------------------------------------------------- the table of instructions */

static void put_varint(First *q, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) {
        *q->points++ = (uint8_t)(v | 0x80);
    }
    *q->points++ = (uint8_t)v;
}

static uint64_t zigzag(uint64_t d)
{
    return d << 1 ^ (uint64_t)((int64_t)d >> 63);
}

void first_point(First *q, uint64_t pc, uint64_t meta)
{
    uint32_t offset = (uint32_t)(q->g->a.p - q->g->start);

    if (q->points_end - q->points < 32) {
        q->full = true;
        return;
    }
    put_varint(q, offset - q->point_offset);
    put_varint(q, zigzag(pc - q->point_pc));
    put_varint(q, meta ^ q->point_meta);
    q->point_offset = offset;
    q->point_pc = pc;
    q->point_meta = meta;
    q->num_points++;
}

/* ---------------------------------------------------------------- the scan */

static bool removable(const IrOp *o)
{
    return ir_desc(o)->flags & IRF_PURE || o->opcode == OP_GET || o->opcode == OP_ENV_LOAD ||
           (o->opcode == OP_CALL && o->call.helper->flags & HELPER_PURE);
}

static bool fits(const First *q, const IrOp *o)
{
    if (!first_rows[o->opcode].emit) {
        return false;
    }
    if (o->opcode == OP_LOAD || o->opcode == OP_STORE) {
        return (o->mem.op & MEM_SIZE) <= MEM_64 && !(o->mem.op & (MEM_BIG | MEM_ATOMIC));
    }
    if (ir_desc(o)->flags & IRF_MEM) {
        return (o->mem.op & MEM_SIZE) <= MEM_64;
    }
    if (o->opcode == OP_GET || o->opcode == OP_SET) {
        return ir_var_type(q->f, o->var.var) <= IR_I64;
    }
    return o->opcode != OP_CALL || !(o->call.helper->flags & HELPER_X87);
}

/* The address of an access is base + constant, and nobody else wants that sum. */
static void fold_address(First *q, const IrOp *o, uint32_t op)
{
    const uint32_t v = o->args[o->opcode == OP_STORE];
    const IrOp *d = &q->f->ops[q->f->values[v].def];
    const FirstVal *k = &q->vals[d->args[1]];

    if (q->vals[v].last == op && !q->vals[v].is_const && d->opcode == OP_ADD && k->is_const &&
        (int64_t)k->bits == (int32_t)k->bits && !q->vals[d->args[0]].is_const &&
        !(o->opcode == OP_STORE && o->args[0] == v)) {
        q->vals[v].folded = true;
    }
}

static void note_uses(First *q, const IrOp *o, uint32_t op)
{
    uint32_t last = op;

    if (o->dst && q->vals[o->dst].folded) {
        q->skip[op] = true;
        last = q->vals[o->dst].last;
    }
    for (unsigned i = 0; i < o->num_args; i++) {
        FirstVal *x = &q->vals[o->args[i]];
        x->last = MAX(x->last, last);
        x->folded = false;
    }
    if (o->opcode == OP_LOAD || o->opcode == OP_STORE) {
        fold_address(q, o, op);
    }
}

/* False: something here is not for this tier. Positions are indices of ops, which ascend. */
static bool scan(First *q, const IrBlock *b, uint64_t *dead, uint32_t words)
{
    memset(dead, 0, words * sizeof(*dead));
    for (uint32_t op = b->last; op; op = q->f->ops[op].prev) {
        const IrOp *o = &q->f->ops[op];
        if (o->dst && !q->vals[o->dst].last && removable(o)) {
            q->skip[op] = true;
            continue;
        }
        if (!fits(q, o) || (o->next && o->next < op)) {
            return false;
        }
        switch (o->opcode) {
        case OP_DISCARD:
            ir_set_add(dead, o->var.var);
            q->skip[op] = true;
            continue;
        case OP_SET:
            if (ir_set_has(dead, o->var.var)) {
                q->skip[op] = true;
                continue;
            }
            ir_set_add(dead, o->var.var);
            break;
        default:
            if (o->opcode == OP_GET) {
                ir_set_remove(dead, o->var.var);
            } else if (ir_op_faults(o) || ir_op_reads_homes(o)) {
                memset(dead, 0, words * sizeof(*dead));
            }
        }
        note_uses(q, o, op);
    }
    return true;
}

static bool scan_all(First *q)
{
    const uint32_t words = (ir_all_vars(q->f) + 63) / 64;
    uint64_t *dead = ir_arena((IrFunc *)q->f, words * sizeof(*dead));

    for (const IrBlock *b = q->f->entry; b; b = b->next) {
        for (unsigned i = 0; i < 2 && b->succ[i]; i++) {
            if (b->succ[i]->id <= b->id) {
                return false; /* a loop is worth more */
            }
        }
        if (!scan(q, b, dead, words)) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- the function */

static void reserve(First *q)
{
    const IrFunc *f = q->f;

    if (f->num_values > q->cap_vals) {
        q->cap_vals = f->num_values * 2;
        q->vals = g_renew(FirstVal, q->vals, q->cap_vals);
    }
    if (f->num_ops > q->cap_ops) {
        q->cap_ops = f->num_ops * 2;
        q->skip = g_renew(bool, q->skip, q->cap_ops);
    }
    if (ir_all_vars(f) > q->cap_vars) {
        q->cap_vars = ir_all_vars(f) * 2;
        q->var_val = g_renew(uint32_t, q->var_val, q->cap_vars);
        q->local_at = g_renew(uint32_t, q->local_at, q->cap_vars);
    }
}

/* False: there are values of other types than integers. */
static bool begin(First *q, Gen *g, IrFunc *f)
{
    q->g = g;
    q->f = f;
    reserve(q);
    for (uint32_t v = 0; v < f->num_values; v++) {
        const IrValue *x = &f->values[v];
        if (x->type > IR_I64) {
            return false;
        }
        q->vals[v] = (FirstVal){.bits = x->type == IR_I32 ? (uint32_t)x->k : x->k,
                                .reg = -1,
                                .type = x->type,
                                .is_const = x->is_const};
    }
    memset(q->skip, 0, f->num_ops * sizeof(*q->skip));
    memset(q->var_val, 0, ir_all_vars(f) * sizeof(*q->var_val));
    memset(q->reg_val, 0, sizeof(q->reg_val));
    q->busy = q->pinned = 0;
    q->full = false;
    q->frame = FRAME_SAVE;
    for (uint32_t i = 0; i < f->num_locals; i++, q->frame += 8) {
        q->local_at[i] = q->frame;
    }
    q->frame_locals = q->frame;
    q->num_exits = 0;
    return q->frame < FRAME_MAX / 2;
}

static void release(First *q, uint32_t v)
{
    const FirstVal *x = &q->vals[v];

    if (x->folded) {
        x = &q->vals[q->f->ops[q->f->values[v].def].args[0]];
    }
    if (x->reg >= 0 && x->last <= q->pos) {
        empty(q, x->reg);
    }
}

static void op_end(First *q, const IrOp *o)
{
    q->pinned = 0;
    for (unsigned i = 0; i < o->num_args; i++) {
        release(q, o->args[i]);
    }
    if (o->dst && q->vals[o->dst].reg >= 0 && !q->vals[o->dst].last) {
        empty(q, q->vals[o->dst].reg);
    }
}

static bool emit_block(First *q, IrBlock *b)
{
    Gen *g = q->g;

    q->block = b;
    q->frame = q->frame_locals;
    memset(q->var_val, 0, ir_all_vars(q->f) * sizeof(*q->var_val));
    for (uint32_t m = q->busy; m; m &= m - 1) {
        empty(q, __builtin_ctz(m));
    }
    g->block_at[b->id] = g->a.p;
    for (uint32_t op = b->first; op; op = q->f->ops[op].next) {
        const IrOp *o = &q->f->ops[op];
        if (q->skip[op]) {
            continue;
        }
        if (!gen_has_room(g) || q->full) {
            return false;
        }
        q->pos = op;
        first_rows[o->opcode].emit(q, o);
        op_end(q, o);
    }
    return true;
}

/* Leaves when cpu->attention is set or the block has run often enough. */
static void entry_checks(Gen *g, int32_t *trips, uint8_t *jump[2])
{
    x_alu_mi(&g->a, 0, ALU_CMP, gen_env(g, offsetof(Cpu, attention)), 0);
    jump[0] = x_jcc32(&g->a, CC_NE);
    jump[1] = NULL;
    if (trips) {
        x_u8(&g->a, 0x83); /* sub dword [rip + d], 1 */
        x_u8(&g->a, 0x2d);
        x_u32(&g->a, (uint32_t)((uint8_t *)trips - (g->a.p + 5)));
        x_u8(&g->a, 1);
        jump[1] = x_jcc32(&g->a, CC_S);
    }
}

/* The ways out: each pushes its reason. */
static void ways_out(First *q, uint8_t *entry_jump[2])
{
    Gen *g = q->g;
    uint8_t *common = g->a.p;

    x_call(&g->a, g->first_exit);
    x_u64(&g->a, (uintptr_t)g->cb);
    for (unsigned i = 0; i < 2 && entry_jump[i]; i++) {
        x_patch32(entry_jump[i], g->a.p);
    }
    x_push_i(&g->a, IR_EXIT_ENTRY);
    x_jmp(&g->a, common);
    for (unsigned i = 0; i < q->num_exits; i++) {
        uint32_t slot = q->exits[i].slot;
        x_patch32(q->exits[i].jump, g->a.p);
        g->cb->code.chains[slot] = (ChainSlot){.site = (uint32_t)(q->exits[i].jump - 1 - g->start),
                                               .reset = (uint32_t)(g->a.p - g->start),
                                               .pc = q->exits[i].pc};
        x_push_i(&g->a, (int32_t)(IR_EXIT_CHAIN0 + slot));
        x_jmp(&g->a, common);
    }
}

static bool has_few_exits(const IrFunc *f)
{
    for (const IrBlock *b = f->entry; b; b = b->next) {
        const IrOp *o = &f->ops[b->last];
        if (o->opcode == OP_EXIT_CHAIN &&
            o->chain.slot >= 2) {
            return false;
        }
    }
    return true;
}

static void begin_code(First *q, Gen *g, CodeBuffer *c, CodeBlock *cb, uint8_t *points, size_t size)
{
    g->buffer = c;
    g->cb = cb;
    g->start = g->a.p = (uint8_t *)(((uintptr_t)c->ptr + 7) & ~(uintptr_t)7);
    g->end = c->end;
    g->hot_end = NULL;
    g_array_set_size(g->fixups, 0);
    g_array_set_size(g->misses, 0);
    q->num_exits = 0;
    q->full = false;
    cb->code = (GeneratedCode){.entry = g->start, .packed = true};
    q->points = points;
    q->points_end = points + size;
    q->point_offset = q->num_points = 0;
    q->point_pc = cb->key.pc;
    q->point_meta = 0;
}

/* What is behind the code: ways out, the table of instructions. */
static bool finish(First *q, uint8_t *points)
{
    Gen *g = q->g;
    GeneratedCode *c = &g->cb->code;
    const size_t n = (size_t)(q->points - points);

    for (uint32_t i = 0; i < q->num_exits; i++) {
        c->num_chains = (uint8_t)MAX(c->num_chains, q->exits[i].slot + 1);
    }
    c->chains = code_buffer_slots(g->buffer, c->num_chains);
    if (!c->chains) {
        return false;
    }
    g->hot_end = g->a.p;
    g->a.p = g->buffer->cold;
    g->end = g->buffer->cold_end;
    c->cold = (uint32_t)(g->buffer->cold - g->start);
    ways_out(q, q->entry_jump);
    gen_lookup_misses(g);
    if (!gen_has_room(g) || q->full) {
        return false;
    }
    c->size = (uint32_t)(g->hot_end - g->start);
    c->cold_size = (uint32_t)(g->a.p - code_cold(c));
    c->tables = (uint32_t)((uint8_t *)memcpy(g->a.p, points, n) - g->start);
    c->num_insns = (uint16_t)q->num_points;
    g->buffer->ptr = g->hot_end;
    g->buffer->cold = g->a.p + n;
    perf_map_add(c->entry, c->size, "guest-first", g->cb->key.pc);
    return true;
}

/* The translator's lock; nothing outlives the function. */
static First the_first;

First *first_begin(Gen *g, CodeBuffer *c, CodeBlock *cb, uint8_t *points, size_t size,
                   int32_t *trips)
{
    First *q = &the_first;

    q->g = g;
    begin_code(q, g, c, cb, points, size);
    if (!gen_has_room(g) || c->cold_end - c->cold < 2 * ROOM_PER_OP) {
        return NULL;
    }
    gen_note_page(g);
    cb->code.chained = (uint16_t)(g->a.p - g->start);
    entry_checks(g, trips, q->entry_jump);
    return q;
}

CodeFirst first_end(First *q, uint8_t *points)
{
    return finish(q, points) ? FIRST_DONE : q->full ? FIRST_UNFIT : FIRST_FULL;
}

CodeFirst gen_first(Gen *g, CodeBuffer *c, IrFunc *f, CodeBlock *cb, int32_t *trips)
{
    First *q = &the_first;
    uint8_t points[2048];

    ir_finish(f);
    if (f->num_targets || !begin(q, g, f) || !has_few_exits(f) || !scan_all(q)) {
        return FIRST_UNFIT;
    }
    g->f = f;
    g->block_at = ir_arena(f, f->num_blocks * sizeof *g->block_at);
    memset(g->block_at, 0, f->num_blocks * sizeof *g->block_at);
    if (!first_begin(g, c, cb, points, sizeof(points), trips)) {
        return FIRST_FULL;
    }
    for (IrBlock *b = f->entry; b; b = b->next) {
        if (!emit_block(q, b)) {
            return q->full ? FIRST_UNFIT : FIRST_FULL;
        }
    }
    for (guint i = 0; i < g->fixups->len; i++) {
        const Fixup *x = &g_array_index(g->fixups, Fixup, i);
        x_patch32(x->at, g->block_at[x->block]);
    }
    block_extent(cb, f);
    return first_end(q, points);
}

bool gen_first_has(IrOpcode opcode)
{
    return first_rows[opcode].emit != NULL;
}
