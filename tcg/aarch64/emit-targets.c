// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leaving a function by a computed pc on AArch64: to one of the function's own targets (ir_target)
 * through a table that some bits of the pc index, or by the jump cache. The pc waits in x17, which
 * no move of the allocator touches, while variables go where targets expect them.
 */
#include <string.h>
#include "tcg/aarch64/gen.h"

enum {
    MAX_BITS = 9,
    PAGE_BITS = 12
};
typedef struct TargetEntry {
    uint64_t pc; /* of a block for anywhere: from the page's start */
    uintptr_t code;
} TargetEntry;
G_STATIC_ASSERT(sizeof(TargetEntry) == 16);

static unsigned index_of(const Gen *g, uint64_t pc)
{
    return (unsigned)(pc >> g->target_shift) & ((1u << g->target_bits) - 1);
}

/* How many of the targets share an entry with another one, if the index is so. */
static unsigned collisions(Gen *g, unsigned bits, unsigned shift)
{
    uint64_t seen[(1 << MAX_BITS) / 64] = {0};
    unsigned n = 0;

    g->target_bits = bits;
    g->target_shift = shift;
    for (uint32_t i = 0; i < g->f->num_targets; i++) {
        unsigned at = index_of(g, g->f->targets[i].pc);
        n += seen[at / 64] >> (at % 64) & 1;
        seen[at / 64] |= 1ull << (at % 64);
    }
    return n;
}

/* The smallest table without collisions, or the one of the largest with the fewest. */
void gen_targets_begin(Gen *g)
{
    unsigned best = UINT_MAX, bits = 0, shift = 0;

    for (unsigned b = 0; g->f->num_targets && b <= MAX_BITS && best; b++) {
        for (unsigned s = 0; 1u << b >= g->f->num_targets && s + b <= PAGE_BITS && best; s++) {
            unsigned n = collisions(g, b, s);
            if (n < best || (b > bits && n == best)) {
                best = n;
                bits = b;
                shift = s;
            }
        }
    }
    g->target_bits = bits;
    g->target_shift = shift;
}

static bool may_be_target(const Gen *g, uint32_t pc)
{
    bool may = g->f->num_targets && !ra_is_const(&g->ra, pc);

    for (uint32_t i = 0; i < g->f->num_targets && !may; i++) {
        may = g->f->targets[i].pc == g->ra.vals[pc].bits;
    }
    return may;
}

/* What of the registers has to go home if no target is found. */
static void note_dirty(Gen *g, TargetMiss *m)
{
    m->first_var = g->stub_vars->len;
    for (uint32_t var = 0; var < g->f->num_vars; var++) {
        int reg;
        if (ra_targets_dirty(&g->ra, var, &reg)) {
            const RaVal *v = &g->ra.vals[g->ra.vars[var].val];
            StubVar s = {.var = var, .reg = (int8_t)reg, .is_const = v->is_const, .bits = v->bits};
            g_array_append_val(g->stub_vars, s);
        }
    }
    m->num_vars = g->stub_vars->len - m->first_var;
}

/* The offset in the page of a block for anywhere is compared; v31 keeps the pc meanwhile. */
static void to_target(Gen *g, const IrOp *o)
{
    TargetMiss m = {.way = (IrWay)o->imm[0]};

    a_mov(&g->a, W64, SCRATCH2, gen_use(g, o, 0));
    ra_targets_begin(&g->ra);
    note_dirty(g, &m);
    ra_targets_moves(&g->ra);
    a_rr(&g->a, A_FMOV_DX, V_TMP2, SCRATCH2);
    gen_env(g, A_LDR | a_size(2), SCRATCH, offsetof(Cpu, attention));
    m.jump[0] = a_cbz(&g->a, A_CBNZ, SCRATCH);
    if (g->cb->anywhere) {
        gen_env(g, A_LDR | a_size(3), SCRATCH, offsetof(Cpu, code_page));
        a_rrr(&g->a, A_SUB | W64, SCRATCH2, SCRATCH2, SCRATCH);
    }
    m.table = a_adr(&g->a, LR);
    if (g->target_bits) {
        a_bfm(&g->a, A_UBFM | W64, SCRATCH, SCRATCH2, g->target_shift,
              g->target_shift + g->target_bits - 1);
        a_rrr_lsl(&g->a, A_ADD | W64, LR, LR, SCRATCH, 4);
    }
    a_mem(&g->a, A_LDR | a_size(3), SCRATCH, LR, offsetof(TargetEntry, pc));
    a_rrr(&g->a, A_SUBS | W64, ZR, SCRATCH, SCRATCH2);
    m.jump[1] = a_bcond(&g->a, CC_NE);
    a_mem(&g->a, A_LDR | a_size(3), SCRATCH, LR, offsetof(TargetEntry, code));
    a_rr(&g->a, A_BR, 0, SCRATCH);
    g_array_append_val(g->target_misses, m);
}

void emit_exit_lookup(Gen *g, const IrOp *o)
{
    if (may_be_target(g, o->args[0])) {
        to_target(g, o);
        return;
    }
    ra_flush(&g->ra);
    if (g->cb->key.flags) {
        gen_exit(g, IR_EXIT_LOOKUP); /* whoever asked for such a block wants to see its end */
        return;
    }
    ra_use(&g->ra, o->args[0], REG_BIT(1));
    gen_jump_cache(g, (IrWay)o->imm[0]);
}

void gen_target_misses(Gen *g)
{
    for (guint i = 0; i < g->target_misses->len && gen_has_room(g); i++) {
        const TargetMiss *m = &g_array_index(g->target_misses, TargetMiss, i);
        a_patch(m->jump[0], g->a.p);
        a_patch(m->jump[1], g->a.p);
        a_rr(&g->a, A_FMOV_XD, SCRATCH2, V_TMP2);
        for (uint32_t k = 0; k < m->num_vars; k++) {
            gen_write_home(g, &g_array_index(g->stub_vars, StubVar, m->first_var + k));
        }
        if (g->cb->key.flags) {
            gen_exit(g, IR_EXIT_LOOKUP);
        } else {
            a_mov(&g->a, W64, 1, SCRATCH2);
            gen_jump_cache(g, m->way);
        }
    }
}

/* Those who come from elsewhere: variables go into the registers that the target wants. */
void gen_ways_in(Gen *g)
{
    for (uint32_t i = 0; i < g->f->num_targets && !g->cb->key.flags && gen_has_room(g); i++) {
        const IrTarget *t = &g->f->targets[i];
        WayIn w = {.pc = t->pc, .entry = g->a.p};
        uint8_t *none;

        gen_note_page(g);
        gen_env(g, A_LDR | a_size(2), SCRATCH2, offsetof(Cpu, attention));
        none = a_cbz(&g->a, A_CBZ, SCRATCH2);
        a_b(&g->a, g->attend);
        a_patch(none, g->a.p);
        ra_load_owned(&g->ra, t->block);
        a_b(&g->a, g->block_at[t->block->id]);
        g_array_append_val(g->ways_in, w);
    }
}

/* Behind the code, in reach of ADR. An entry without a target has a pc that belongs elsewhere. */
void gen_target_table(Gen *g)
{
    const size_t size = sizeof(TargetEntry) << g->target_bits;
    TargetEntry *t;

    g->a.p = (uint8_t *)(((uintptr_t)g->a.p + 15) & ~(uintptr_t)15);
    if (!g->target_misses->len) {
        return;
    }
    if (g->end - g->a.p < (ptrdiff_t)size + ROOM_PER_OP) {
        g->a.p = g->end; /* the buffer is full */
        return;
    }
    t = (TargetEntry *)(void *)g->a.p;
    g->a.p += size;
    for (unsigned i = 0; i < 1u << g->target_bits; i++) {
        t[i] = (TargetEntry){.pc = (uint64_t)(i + 1) << g->target_shift};
    }
    for (uint32_t i = g->f->num_targets; i-- > 0;) {
        uint64_t pc =
            g->f->targets[i].pc & (g->cb->anywhere ? ((uint64_t)1 << PAGE_BITS) - 1 : UINT64_MAX);
        t[index_of(g, pc)] =
            (TargetEntry){.pc = pc, .code = (uintptr_t)g->block_at[g->f->targets[i].block->id]};
    }
    for (guint i = 0; i < g->target_misses->len; i++) {
        a_patch(g_array_index(g->target_misses, TargetMiss, i).table, t);
    }
}
