// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leaving a function by a computed pc on AArch64: to one of the function's own targets (ir_target)
 * through a table that some bits of the pc index, or by the jump cache. The pc waits in x17, which
 * no move of the allocator touches, while variables go where targets expect them.
 */
#include "tcg/aarch64/gen.h"

void gen_targets_begin(Gen *g)
{
    g->targets = target_index_of(g->f);
}

/* The offset in the page of a block for anywhere is compared; v31 keeps the pc meanwhile. */
static void to_target(Gen *g, const IrOp *o)
{
    TargetMiss m = {.way = (IrWay)o->imm[0]};

    a_mov(&g->a, W64, SCRATCH2, gen_use(g, o, 0));
    ra_targets_begin(&g->ra);
    stub_vars_note_targets(g->stub_vars, &g->ra, g->f, &m.first_var, &m.num_vars);
    ra_targets_moves(&g->ra);
    a_rr(&g->a, A_FMOV_DX, V_TMP2, SCRATCH2);
    gen_env(g, A_LDR | a_size(2), SCRATCH, offsetof(Cpu, attention));
    m.jump[0] = a_cbz(&g->a, A_CBNZ, SCRATCH);
    if (g->cb->anywhere) {
        gen_env(g, A_LDR | a_size(3), SCRATCH, offsetof(Cpu, code_page));
        a_rrr(&g->a, A_SUB | W64, SCRATCH2, SCRATCH2, SCRATCH);
    }
    m.table = a_adr(&g->a, LR);
    if (g->targets.bits) {
        a_bfm(&g->a, A_UBFM | W64, SCRATCH, SCRATCH2, g->targets.shift,
              g->targets.shift + g->targets.bits - 1);
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
    if (target_is_possible(&g->ra, g->f, o->args[0])) {
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

/* Behind the code, in reach of ADR. */
void gen_target_table(Gen *g)
{
    const size_t size = sizeof(TargetEntry) << g->targets.bits;
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
    target_table_fill(t, &g->targets, g->f, g->cb->anywhere, g->block_at);
    for (guint i = 0; i < g->target_misses->len; i++) {
        a_patch(g_array_index(g->target_misses, TargetMiss, i).table, t);
    }
}
