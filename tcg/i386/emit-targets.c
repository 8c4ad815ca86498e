// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jumps to a computed pc that stay inside of a function: some bits of the pc are the index of a
 * table with the function's targets (ir_target), one to an entry. Variables stay in the registers
 * that they own; only if the pc is not that of the entry, or somebody wants attention, all goes
 * home in a cold path and the jump cache is asked.
 */
#include <string.h>
#include "tcg/i386/gen.h"

enum {
    MAX_BITS = 9,
    PAGE_BITS = 12
};
typedef struct TargetEntry {
    uint64_t pc; /* of a block for anywhere: from the page's start */
    uintptr_t code;
} TargetEntry;

static unsigned index_of(const Gen *g, uint64_t pc)
{
    return (unsigned)(pc >> g->target_shift) & ((1u << g->target_bits) - 1);
}

/* How many of the targets share an entry with another one. */
static unsigned collisions(const Gen *g)
{
    uint64_t seen[(1 << MAX_BITS) / 64] = {0};
    unsigned n = 0;

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
    unsigned best = UINT_MAX, best_shift = 0;

    if (!g->f->num_targets) {
        return;
    }
    for (g->target_bits = 0; g->target_bits <= MAX_BITS && best; g->target_bits++) {
        if (1u << g->target_bits < g->f->num_targets) {
            continue;
        }
        best = UINT_MAX;
        for (g->target_shift = 0; g->target_shift + g->target_bits <= PAGE_BITS && best;
             g->target_shift++) {
            unsigned n = collisions(g);
            if (n < best) {
                best = n;
                best_shift = g->target_shift;
            }
        }
    }
    g->target_bits--;
    g->target_shift = best_shift;
}

bool gen_may_be_target(const Gen *g, uint32_t pc)
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

void gen_to_target(Gen *g, const IrOp *o)
{
    const int scale = 4; /* log2 of an entry's size */
    const int shift = (int)g->target_shift - scale;
    TargetMiss m = {.way = (IrWay)o->imm[0]};

    ra_use(&g->ra, o->args[0], REG_BIT(RSI));
    ra_take(&g->ra, RAX);
    ra_take(&g->ra, RCX);
    if (g->cb->anywhere) {
        ra_take(&g->ra, RDX);
    }
    ra_targets_begin(&g->ra);
    note_dirty(g, &m);
    ra_targets_moves(&g->ra);
    G_STATIC_ASSERT(sizeof(TargetEntry) == 16);
    if (g->host.bmi2 && shift) {
        v_rrr(&g->a, V_RORX, RAX, 0, RSI);
        x_u8(&g->a, (unsigned)shift & 31);
    } else {
        x_mov_rr(&g->a, 0, RAX, RSI);
        if (shift) {
            x_shift_ri(&g->a, 0, shift < 0 ? SH_SHL : SH_SHR, RAX, (unsigned)ABS(shift));
        }
    }
    x_alu_ri(&g->a, 0, ALU_AND, RAX, ((1 << g->target_bits) - 1) << scale);
    m.table = x_lea_rip(&g->a, RCX);
    x_alu_mi(&g->a, 0, ALU_CMP, gen_env(g, offsetof(Cpu, attention)), 0);
    m.jump[0] = x_jcc32(&g->a, CC_NE);
    if (g->cb->anywhere) {
        x_mov_rr(&g->a, X_W, RDX, RSI);
        x_alu_rm(&g->a, X_W, ALU_SUB, RDX, gen_env(g, offsetof(Cpu, code_page)));
    }
    x_alu_rm(&g->a, X_W, ALU_CMP, g->cb->anywhere ? RDX : RSI,
             mem_bi(RCX, RAX, offsetof(TargetEntry, pc)));
    m.jump[1] = x_jcc32(&g->a, CC_NE);
    x_jmp_m(&g->a, mem_bi(RCX, RAX, offsetof(TargetEntry, code)));
    g_array_append_val(g->target_misses, m);
}

void gen_target_misses(Gen *g)
{
    for (guint i = 0; i < g->target_misses->len && gen_has_room(g); i++) {
        const TargetMiss *m = &g_array_index(g->target_misses, TargetMiss, i);
        x_patch32(m->jump[0], g->a.p);
        x_patch32(m->jump[1], g->a.p);
        for (uint32_t k = 0; k < m->num_vars; k++) {
            gen_write_home(g, &g_array_index(g->stub_vars, StubVar, m->first_var + k));
        }
        gen_clean_ymm(g);
        if (g->cb->key.flags) {
            gen_exit(g, IR_EXIT_LOOKUP);
        } else {
            gen_jump_cache(g, m->way);
        }
    }
}

/*
 * Those who come from elsewhere: variables go into the registers that the target expects them in.
 */
void gen_ways_in(Gen *g)
{
    for (uint32_t i = 0; i < g->f->num_targets && !g->cb->key.flags && gen_has_room(g); i++) {
        const IrTarget *t = &g->f->targets[i];
        WayIn w = {.pc = t->pc, .entry = g->a.p};

        gen_note_page(g);
        x_alu_mi(&g->a, 0, ALU_CMP, gen_env(g, offsetof(Cpu, attention)), 0);
        x_jcc(&g->a, CC_NE, g->attend);
        ra_load_owned(&g->ra, t->block);
        x_jmp(&g->a, g->block_at[t->block->id]);
        g_array_append_val(g->ways_in, w);
    }
}

size_t gen_target_table_size(const Gen *g)
{
    return g->target_misses->len ? sizeof(TargetEntry) << g->target_bits : 0;
}

/* An entry without a target has a pc that belongs elsewhere. */
void gen_target_table(Gen *g)
{
    const size_t size = gen_target_table_size(g);
    TargetEntry *t;

    if (!size) {
        return;
    }
    t = code_buffer_table(g->buffer, size);
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
        x_patch32(g_array_index(g->target_misses, TargetMiss, i).table, (const uint8_t *)t);
    }
}
