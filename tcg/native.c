// SPDX-License-Identifier: GPL-2.0-or-later
/* What the back ends of all hosts do alike; the contract is in tcg/native.h. */
#include "tcg/native.h"

#include <string.h>

#define MAX_BITS 9u

/* ---- variables ---- */

void stub_vars_note(GArray *vars, Ra *ra, const IrFunc *f, uint32_t *first, uint32_t *num)
{
    *first = vars->len;
    for (uint32_t i = 0; i < ra->words; i++) {
        for (uint64_t m = ra->dirty[i]; m; m &= m - 1) {
            uint32_t var = i * 64 + (uint32_t)__builtin_ctzll(m);
            const RaVal *v = &ra->vals[ra->vars[var].val];
            StubVar s = {.var = var, .reg = v->reg, .is_const = v->is_const, .bits = v->bits};
            if (!ir_var_is_local(f, var)) {
                ra_place(ra, ra->vars[var].val, &s.place);
                g_array_append_val(vars, s);
            }
        }
    }
    *num = vars->len - *first;
}

void stub_vars_note_targets(GArray *vars, Ra *ra, const IrFunc *f, uint32_t *first, uint32_t *num)
{
    *first = vars->len;
    for (uint32_t var = 0; var < f->num_vars; var++) {
        int reg;
        if (ra_targets_dirty(ra, var, &reg)) {
            const RaVal *v = &ra->vals[ra->vars[var].val];
            StubVar s = {.var = var, .reg = (int8_t)reg, .is_const = v->is_const, .bits = v->bits};
            g_array_append_val(vars, s);
        }
    }
    *num = vars->len - *first;
}

bool block_only_exits(const IrFunc *f, const IrBlock *b)
{
    const IrOp *o = &f->ops[b->first];

    return b->num_preds == 1 && (o->opcode == OP_EXIT_CHAIN || o->opcode == OP_EXIT_LOOKUP);
}

/* ---- targets ---- */

static unsigned index_of(const TargetIndex *x, uint64_t pc)
{
    return (unsigned)(pc >> x->shift) & ((1u << x->bits) - 1);
}

/* How many of the targets share an entry with another one. */
static unsigned collisions(const TargetIndex *x, const IrFunc *f)
{
    uint64_t seen[(1 << MAX_BITS) / 64] = {0};
    unsigned n = 0;

    for (uint32_t i = 0; i < f->num_targets; i++) {
        unsigned at = index_of(x, f->targets[i].pc);
        n += seen[at / 64] >> (at % 64) & 1;
        seen[at / 64] |= 1ull << (at % 64);
    }
    return n;
}

TargetIndex target_index_of(const IrFunc *f)
{
    TargetIndex found = {0};
    unsigned best = UINT_MAX;

    for (unsigned bits = 0; f->num_targets && bits <= MAX_BITS && best; bits++) {
        if (1u << bits < f->num_targets) {
            continue;
        }
        best = UINT_MAX;
        for (unsigned shift = 0; shift + bits <= JUMP_PAGE_BITS && best; shift++) {
            const TargetIndex x = {.shift = shift, .bits = bits};
            unsigned n = collisions(&x, f);
            if (n < best) {
                best = n;
                found = x;
            }
        }
    }
    return found;
}

bool target_is_possible(const Ra *ra, const IrFunc *f, uint32_t pc)
{
    bool may = f->num_targets && !ra_is_const(ra, pc);

    for (uint32_t i = 0; i < f->num_targets && !may; i++) {
        may = f->targets[i].pc == ra->vals[pc].bits;
    }
    return may;
}

/* An entry without a target has a pc that belongs elsewhere. */
void target_table_fill(TargetEntry *t, const TargetIndex *x, const IrFunc *f, bool anywhere,
                       uint8_t *const *block_at)
{
    const uint64_t mask = anywhere ? ((uint64_t)1 << JUMP_PAGE_BITS) - 1 : UINT64_MAX;

    for (unsigned i = 0; i < 1u << x->bits; i++) {
        t[i] = (TargetEntry){.pc = (uint64_t)(i + 1) << x->shift};
    }
    for (uint32_t i = f->num_targets; i-- > 0;) {
        uint64_t pc = f->targets[i].pc & mask;
        t[index_of(x, pc)] =
            (TargetEntry){.pc = pc, .code = (uintptr_t)block_at[f->targets[i].block->id]};
    }
}

/* ---- tables ---- */

void *table_append(CodeBuffer *b, const GArray *a, size_t size)
{
    void *at = code_buffer_table(b, a->len * size);

    if (a->len) {
        memcpy(at, a->data, a->len * size);
    }
    return at;
}

void side_tables_append(CodeBuffer *b, GeneratedCode *c, const GArray *side, const GArray *insns,
                        const GArray *ways_in)
{
    const uint8_t *at = table_append(b, side, sizeof(SidePoint));

    G_STATIC_ASSERT(sizeof(SidePoint) % 8 == 0 && sizeof(InsnPoint) % 8 == 0);
    c->tables = (uint32_t)(at - (const uint8_t *)c->entry);
    c->num_side = side->len;
    c->num_insns = (uint16_t)insns->len;
    table_append(b, insns, sizeof(InsnPoint));
    c->num_ways_in = (uint16_t)ways_in->len;
    table_append(b, ways_in, sizeof(WayIn));
}

bool chains_place(CodeBuffer *b, GeneratedCode *c, const GArray *chains)
{
    c->num_chains = (uint8_t)chains->len;
    c->chains = code_buffer_slots(b, chains->len);
    if (c->chains && chains->len) {
        memcpy(c->chains, chains->data, chains->len * sizeof(ChainSlot));
    }
    return c->chains != NULL;
}

void block_extent(CodeBlock *cb, const IrFunc *f)
{
    cb->insns = (uint8_t)MIN(f->num_insns, UINT8_MAX);
    cb->bytes = (uint16_t)MIN(f->bytes, UINT16_MAX);
}
