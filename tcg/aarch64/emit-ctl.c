// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control on AArch64: calls of helpers (AAPCS64), branches, exits, and the stubs that all generated
 * code shares (entry, exit, missed lookups).
 */
#include "tcg/aarch64/gen.h"

/* ---------------------------------------------------------------- the CPU struct */

void gen_env(Gen *g, uint32_t form, int rt, uint32_t offset)
{
    a_mem(&g->a, form, rt, ENV, (int64_t)offset - g->bias);
}

void gen_env_addr(Gen *g, int rd, int64_t offset)
{
    offset -= g->bias;
    if (!a_add_i(&g->a, W64, rd, ENV, offset)) {
        a_mov_i(&g->a, SCRATCH, (uint64_t)offset);
        a_rrr(&g->a, A_ADD | W64, rd, ENV, SCRATCH);
    }
}

void gen_cpu_arg(Gen *g)
{
    gen_env_addr(g, 0, 0);
}

/* ---------------------------------------------------------------- instructions and side points */

void emit_insn(Gen *g, const IrOp *o)
{
    InsnPoint p = {.pc = o->insn.pc, .meta = o->insn.meta};

    g_array_append_val(g->insns, p);
    g->insn = g->insns->len - 1;
}

void gen_side_point(Gen *g)
{
    SidePoint p = {.host_offset = (uint32_t)(g->a.p - g->start), .insn = g->insn};

    g_array_append_val(g->side, p);
}

/* ---------------------------------------------------------------- calls */

/* first: integer registers already taken. */
static void place_args(Gen *g, const IrOp *o, unsigned first)
{
    RaMove m[6];
    unsigned ints = first, vecs = 0;

    for (unsigned i = 0; i < o->num_args; i++) {
        IrType t = (IrType)g->ra.vals[o->args[i]].type;
        m[i] = (RaMove){
            .type = t, .val = o->args[i], .dst = ra_class(t) ? VEC + (int)vecs++ : (int)ints++};
    }
    ra_call_args(&g->ra, m, o->num_args);
}

void emit_call(Gen *g, const IrOp *o)
{
    const IrHelper *h = o->call.helper;

    if (ir_op_reads_homes(o)) {
        ra_flush(&g->ra);
    }
    if (ir_op_writes_homes(o)) {
        ra_unhome(&g->ra);
    }
    place_args(g, o, h->env);
    if (ir_op_writes_homes(o)) {
        ra_forget_vars(&g->ra);
    }
    if (h->env) {
        gen_cpu_arg(g);
    }
    a_call(&g->a, h->fn);
    gen_side_point(g);
    if (o->dst) {
        ra_def_fixed(&g->ra, o->dst, ra_class(ir_dst_type(g->f, o)) ? VEC : 0);
        g->ra.vals[o->dst].zero_ext = false;
    }
}

/* ---------------------------------------------------------------- branches */

static void jump_to(Gen *g, HostCond c, const IrBlock *to)
{
    uint8_t *at = a_bcond(&g->a, c);

    if (g->block_at[to->id]) {
        a_patch(at, g->block_at[to->id]);
    } else {
        Fixup f = {.at = at, .block = to->id};
        g_array_append_val(g->fixups, f);
    }
}

/* Code for what falls into the next block is left out. */
static void go_to(Gen *g, IrBlock *to)
{
    if (to != g->ra.block->next || g->block_at[to->id]) {
        jump_to(g, CC_ALWAYS, to);
    }
}

void emit_br(Gen *g, const IrOp *o)
{
    IrBlock *to = g->ra.block->succ[0];

    (void)o;
    ra_op_end(&g->ra);
    ra_block_leave(&g->ra);
    ra_edge_moves(&g->ra, to);
    go_to(g, to);
}

void emit_brcond(Gen *g, const IrOp *o)
{
    IrBlock *yes = g->ra.block->succ[0], *no = g->ra.block->succ[1];
    HostCond c =
        gen_compare(g, (IrType)g->ra.vals[o->args[0]].type, (IrCond)o->cc, o->args[0], o->args[1]);
    uint8_t *over;

    ra_op_end(&g->ra);
    ra_block_leave(&g->ra);
    if (yes == g->ra.block->next) {
        yes = g->ra.block->succ[1];
        no = g->ra.block->succ[0];
        c = a_cond_not(c);
    }
    if (!ra_edge_needs_moves(&g->ra, yes)) {
        jump_to(g, c, yes);
    } else if (!ra_edge_needs_moves(&g->ra, no)) {
        jump_to(g, a_cond_not(c), no);
        no = yes;
    } else {
        over = a_bcond(&g->a, a_cond_not(c));
        ra_edge_moves(&g->ra, yes);
        jump_to(g, CC_ALWAYS, yes);
        a_patch(over, g->a.p);
    }
    ra_edge_moves(&g->ra, no);
    go_to(g, no);
}

/* ---------------------------------------------------------------- exits */

void gen_exit(Gen *g, unsigned reason)
{
    a_mov_i(&g->a, 0, (uintptr_t)g->cb);
    a_mov_i(&g->a, 1, reason);
    a_b(&g->a, g->leave);
}

void emit_exit(Gen *g, const IrOp *o)
{
    ra_flush(&g->ra);
    if (g->cb->key.flags == 0 && o->imm[0] == IR_EXIT_LOOKUP) {
        a_b(&g->a, g->lookup[WAY_ANY]);
    } else if (g->cb->key.flags == 0 && o->imm[0] == IR_EXIT_LOOP) {
        a_b(&g->a, g->look);
    } else {
        gen_exit(g, (unsigned)o->imm[0]);
    }
}

void emit_exit_chain(Gen *g, const IrOp *o)
{
    unsigned slot = (unsigned)o->chain.slot;
    ChainSlot c = {.pc = (int32_t)(o->chain.pc - g->cb->key.pc)};
    ChainExit e = {.slot = slot};

    ra_flush(&g->ra);
    c.site = (uint32_t)(g->a.p - g->start);
    e.jump = a_bcond(&g->a, CC_ALWAYS);
    g_array_append_val(g->chain_exits, e);
    if (slot >= g->chains->len) {
        g_array_set_size(g->chains, slot + 1); /* clears what it adds */
    }
    g_array_index(g->chains, ChainSlot, slot) = c;
}

void gen_chain_exits(Gen *g)
{
    for (guint i = 0; i < g->chain_exits->len && gen_has_room(g); i++) {
        const ChainExit *e = &g_array_index(g->chain_exits, ChainExit, i);
        a_patch(e->jump, g->a.p);
        g_array_index(g->chains, ChainSlot, e->slot).reset = (uint32_t)(g->a.p - g->start);
        gen_exit(g, IR_EXIT_CHAIN0 + e->slot);
    }
}

/* No register but x1 matters. */
void gen_jump_cache(Gen *g, IrWay way)
{
    LookupMiss m = {.way = way};

    G_STATIC_ASSERT(JUMP_CACHE_BITS == 16 && sizeof(JumpCacheEntry) == 32);
    gen_env(g, A_LDR | a_size(3), 4, offsetof(Cpu, block_cache));
    a_bfm(&g->a, A_UBFM | W64, 2, 1, 0, 15);
    a_rrr_lsl(&g->a, A_ADD | W64, 4, 4, 2, 5);
    G_STATIC_ASSERT(offsetof(JumpCacheEntry, pc) == 0 && offsetof(JumpCacheEntry, context) == 8);
    a_ins(&g->a, A_LDP | 5u << 10 | 4u << 5 | 2u); /* ldp x2, x5, [x4] */
    a_mov_i(&g->a, 3, block_context(&g->cb->key));
    a_rrr(&g->a, A_SUBS | W64, ZR, 2, 1);
    m.jump[0] = a_bcond(&g->a, CC_NE);
    a_rrr(&g->a, A_SUBS | W64, ZR, 5, 3);
    m.jump[1] = a_bcond(&g->a, CC_NE);
    a_mem(&g->a, A_LDR | a_size(3), SCRATCH, 4, offsetof(JumpCacheEntry, entry));
    a_rr(&g->a, A_BR, 0, SCRATCH);
    g_array_append_val(g->misses, m);
}

void gen_lookup_misses(Gen *g)
{
    for (guint i = 0; i < g->misses->len && gen_has_room(g); i++) {
        const LookupMiss *m = &g_array_index(g->misses, LookupMiss, i);
        a_patch(m->jump[0], g->a.p);
        a_patch(m->jump[1], g->a.p);
        a_mov_i(&g->a, 3, (uintptr_t)g->cb);
        a_b(&g->a, g->lookup[m->way]);
    }
}

/* ---------------------------------------------------------------- common stubs */

enum {
    SAVED = 160
}; /* x19..x30 and d8..d15 */

static void saved_registers(Gen *g, bool restore)
{
    const uint32_t gpr = restore ? A_LDP : A_STP, vector = restore ? A_VLDP : A_VSTP;

    for (unsigned i = 0; i < 6; i++) {
        a_ins(&g->a, gpr | (2 * i) << 15 | (20u + 2 * i) << 10 | (uint32_t)SP << 5 | (19u + 2 * i));
    }
    for (unsigned i = 0; i < 4; i++) {
        a_ins(&g->a,
              vector | (12 + 2 * i) << 15 | (9u + 2 * i) << 10 | (uint32_t)SP << 5 | (8u + 2 * i));
    }
}

/* Guest state is complete: on with the next block if `find` has one, else out. */
static void *find_stub(Gen *g, const void *find, IrWay way, unsigned reason)
{
    uint8_t *at = g->a.p, *none;

    a_mov_i(&g->a, 2, way);
    gen_cpu_arg(g);
    a_call(&g->a, find);
    none = a_cbz(&g->a, A_CBZ | W64, 0);
    a_rr(&g->a, A_BR, 0, 0);
    a_patch(none, g->a.p);
    a_mov_i(&g->a, 1, reason);
    a_b(&g->a, g->leave);
    return at;
}

static uint8_t *leave_stub(Gen *g, unsigned reason)
{
    uint8_t *at = g->a.p;

    a_mov_i(&g->a, 0, 0);
    a_mov_i(&g->a, 1, reason);
    a_b(&g->a, g->leave);
    return at;
}

void gen_common_stubs(Gen *g)
{
    g->enter = g->a.p; /* (x0: base of the CPU, x1: code) */
    a_add_i(&g->a, W64, SP, SP, -SAVED);
    saved_registers(g, false);
    a_add_i(&g->a, W64, SP, SP, -FRAME_SIZE);
    a_mov(&g->a, W64, ENV, 0);
    a_rr(&g->a, A_BR, 0, 1);

    g->leave = g->a.p; /* returns x0, x1 */
    a_add_i(&g->a, W64, SP, SP, FRAME_SIZE);
    saved_registers(g, true);
    a_add_i(&g->a, W64, SP, SP, SAVED);
    a_ins(&g->a, A_RET);

    for (unsigned way = 0; way <= WAY_RETURN; way++) {
        g->lookup[way] = find_stub(g, (const void *)tcg_lookup, (IrWay)way, IR_EXIT_LOOKUP);
    }
    g->give_up = leave_stub(g, IR_EXIT_LOOKUP);
    g->attend = leave_stub(g, IR_EXIT_LOOP);
    g->look = find_stub(g, (const void *)tcg_look, WAY_ANY, IR_EXIT_LOOP);
}
