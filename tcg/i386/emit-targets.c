// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jumps to a computed pc that stay inside of a function: some bits of the pc are the index of a
 * table with the function's targets (ir_target), one to an entry. Variables stay in the registers
 * that they own; only if the pc is not that of the entry, or somebody wants attention, all goes
 * home in a cold path and the jump cache is asked.
 */
#include "tcg/i386/gen.h"

void gen_targets_begin(Gen *g)
{
    g->targets = target_index_of(g->f);
}

void gen_to_target(Gen *g, const IrOp *o)
{
    const int scale = 4; /* log2 of an entry's size */
    const int shift = (int)g->targets.shift - scale;
    TargetMiss m = {.way = (IrWay)o->imm[0]};

    ra_use(&g->ra, o->args[0], REG_BIT(RSI));
    ra_take(&g->ra, RAX);
    ra_take(&g->ra, RCX);
    if (g->cb->anywhere) {
        ra_take(&g->ra, RDX);
    }
    ra_targets_begin(&g->ra);
    stub_vars_note_targets(g->stub_vars, &g->ra, g->f, &m.first_var, &m.num_vars);
    ra_targets_moves(&g->ra);
    if (g->host.bmi2 && shift) {
        v_rrr(&g->a, V_RORX, RAX, 0, RSI);
        x_u8(&g->a, (unsigned)shift & 31);
    } else {
        x_mov_rr(&g->a, 0, RAX, RSI);
        if (shift) {
            x_shift_ri(&g->a, 0, shift < 0 ? SH_SHL : SH_SHR, RAX, (unsigned)ABS(shift));
        }
    }
    x_alu_ri(&g->a, 0, ALU_AND, RAX, ((1 << g->targets.bits) - 1) << scale);
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
        gen_streams_enter(g);
        ra_load_owned(&g->ra, t->block);
        x_jmp(&g->a, g->block_at[t->block->id]);
        g_array_append_val(g->ways_in, w);
    }
}

size_t gen_target_table_size(const Gen *g)
{
    return g->target_misses->len ? sizeof(TargetEntry) << g->targets.bits : 0;
}

void gen_target_table(Gen *g)
{
    const size_t size = gen_target_table_size(g);
    TargetEntry *t;

    if (!size) {
        return;
    }
    t = code_buffer_table(g->buffer, size);
    target_table_fill(t, &g->targets, g->f, g->cb->anywhere, g->block_at);
    for (guint i = 0; i < g->target_misses->len; i++) {
        x_patch32(g_array_index(g->target_misses, TargetMiss, i).table, (const uint8_t *)t);
    }
}
