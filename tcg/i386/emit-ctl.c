// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control on x86-64: calls of helpers, branches, exits, and the stubs that all generated code
 * shares (entry, exit, missed lookups).
 */
#include "tcg/i386/gen.h"

static const uint8_t int_args[6] = {RDI, RSI, RDX, RCX, R8, R9};

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

void gen_cpu_arg(Gen *g)
{
    x_rm(&g->a, X_LEA | X_W, RDI, mem_bd(RBP, -g->bias));
}

void gen_clean_ymm(Gen *g)
{
    if (g->uses_ymm) {
        v_rrr(&g->a, 0x77 | X_0F, 0, 0, 0);
        g->a.p--; /* VZEROUPPER has no ModRM */
    }
}

/* Where the SysV ABI wants the arguments; first: integer registers already taken. */
static void place_args(Gen *g, const IrOp *o, unsigned first)
{
    RaMove m[6];
    unsigned ints = first, vecs = 0;

    for (unsigned i = 0; i < o->num_args; i++) {
        IrType t = (IrType)g->ra.vals[o->args[i]].type;
        m[i] = (RaMove){.type = t,
                        .val = o->args[i],
                        .dst = ra_class(t) ? XMM + (int)vecs++ : int_args[ints++]};
    }
    ra_call_args(&g->ra, m, o->num_args);
}

static void take_result(Gen *g, const IrOp *o)
{
    if (o->dst) {
        ra_def_fixed(&g->ra, o->dst, ra_class(ir_dst_type(g->f, o)) ? XMM : RAX);
        g->ra.vals[o->dst].zero_ext = false;
    }
}

void gen_libcall(Gen *g, const IrOp *o, void *fn)
{
    gen_x87_flush(g);
    place_args(g, o, 0);
    gen_clean_ymm(g);
    x_call(&g->a, fn);
    take_result(g, o);
}

void emit_call(Gen *g, const IrOp *o)
{
    const IrHelper *h = o->call.helper;

    if (h->flags & HELPER_X87) {
        emit_x87(g, o);
        return;
    }

    if (h->flags & HELPER_INSN && gen_host_insn(g, o)) {
        return;
    }
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
    gen_clean_ymm(g);
    x_call(&g->a, h->fn);
    gen_side_point(g);
    take_result(g, o);
}

/* ---------------------------------------------------------------- branches */

/* A jump to a block; code for what falls into the next one is left out. */
static void jump_to(Gen *g, HostCond c, const IrBlock *to)
{
    if (g->block_at[to->id]) {
        x_jcc(&g->a, c, g->block_at[to->id]);
    } else {
        Fixup f = {.at = x_jcc32(&g->a, c), .block = to->id};
        g_array_append_val(g->fixups, f);
    }
}

static void go_to(Gen *g, IrBlock *to)
{
    if (to != g->ra.block->next || g->block_at[to->id] || (to->cold && !g->hot_end)) {
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

/* The block's way goes on with a loop that it is in. */
static bool leads_back(const Gen *g, const IrBlock *b)
{
    return (b->succ[0] && g->block_at[b->succ[0]->id]) ||
           (b->succ[1] && g->block_at[b->succ[1]->id]);
}

/*
 * The moves of a branch that is seldom taken lie in the cold part, so that a loop does not jump
 * over those of its exits. False: nothing was done.
 */
static bool moves_aside(Gen *g, HostCond c, IrBlock *to, const IrBlock *other)
{
    uint8_t *jump, *hot;
    if (g->hot_end || (!ra_is_rarer(&g->ra, to, other) && !leads_back(g, other)) ||
        g->block_at[to->id] || leads_back(g, to) || g->buffer->cold_end - g->cold < ROOM_PER_OP) {
        return false;
    }
    jump = x_jcc32(&g->a, c);
    hot = g->a.p;
    g->a.p = g->cold;
    x_patch32(jump, g->cold);
    ra_edge_moves(&g->ra, to);
    jump_to(g, CC_ALWAYS, to);
    g->cold = g->a.p;
    g->a.p = hot;
    return true;
}

void emit_brcond(Gen *g, const IrOp *o)
{
    IrBlock *yes = g->ra.block->succ[0], *no = g->ra.block->succ[1];
    HostCond c;
    uint8_t *over;

    if (g->compared) {
        x_alu_mi(&g->a, 0, ALU_CMP, gen_env(g, (uint32_t)g->compared->env.offset), 0);
        c = o->cc == COND_NE ? CC_NE : CC_E;
        g->compared = NULL;
    } else {
        c = gen_compare(g, (IrType)g->ra.vals[o->args[0]].type, (IrCond)o->cc, o->args[0],
                        o->args[1]);
    }
    ra_op_end(&g->ra);
    ra_block_leave(&g->ra);
    if (yes == g->ra.block->next) {
        yes = g->ra.block->succ[1];
        no = g->ra.block->succ[0];
        c = x_cond_not(c);
    }
    if (!ra_edge_needs_moves(&g->ra, yes)) {
        jump_to(g, c, yes);
    } else if (moves_aside(g, c, yes, no)) {
        /* done */
    } else if (!ra_edge_needs_moves(&g->ra, no)) {
        jump_to(g, x_cond_not(c), no);
        no = yes;
    } else {
        over = x_jcc32(&g->a, x_cond_not(c));
        ra_edge_moves(&g->ra, yes);
        jump_to(g, CC_ALWAYS, yes);
        x_patch32(over, g->a.p);
    }
    ra_edge_moves(&g->ra, no);
    go_to(g, no);
}

/* ---------------------------------------------------------------- exits */

void gen_exit(Gen *g, unsigned reason)
{
    x_call(&g->a, g->exits[reason]);
    x_u64(&g->a, (uintptr_t)g->cb);
}

void emit_exit(Gen *g, const IrOp *o)
{
    ra_flush(&g->ra);
    gen_clean_ymm(g);
    if (g->cb->key.flags == 0 && o->imm[0] == IR_EXIT_LOOKUP) {
        x_jmp(&g->a, g->lookup[WAY_ANY]);
    } else if (g->cb->key.flags == 0 && o->imm[0] == IR_EXIT_LOOP) {
        x_jmp(&g->a, g->look);
    } else {
        gen_exit(g, (unsigned)o->imm[0]);
    }
}

/* The displacement is aligned, so that it can be replaced while others run the jump. */
void emit_exit_chain(Gen *g, const IrOp *o)
{
    unsigned slot = (unsigned)o->chain.slot;
    ChainSlot c = {.pc = (int32_t)(o->chain.pc - g->cb->key.pc)};

    ra_flush(&g->ra);
    gen_clean_ymm(g);
    while (((uintptr_t)g->a.p + 1) & 3) {
        x_u8(&g->a, 0x90);
    }
    c.site = (uint32_t)(g->a.p - g->start);
    ChainExit e = {.jump = x_jcc32(&g->a, CC_ALWAYS), .slot = slot};
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
        x_patch32(e->jump, g->a.p);
        g_array_index(g->chains, ChainSlot, e->slot).reset = (uint32_t)(g->a.p - g->start);
        gen_exit(g, IR_EXIT_CHAIN0 + e->slot);
    }
}

/* Compares the entry's context with the block's; the jump if they differ. */
static uint8_t *check_context(Gen *g, Mem entry)
{
    const uint64_t context = block_context(&g->cb->key);

    entry.disp += (int32_t)offsetof(JumpCacheEntry, context);
    if ((uint32_t)context == 0) {
        entry.disp += 4;
        x_alu_mi(&g->a, 0, ALU_CMP, entry, (int32_t)(context >> 32));
    } else {
        x_mov_ri(&g->a, RDX, context);
        x_alu_rm(&g->a, X_W, ALU_CMP, RDX, entry);
    }
    return x_jcc32(&g->a, CC_NE);
}

/* The entry of a pc that is known, relative to the table in rax. */
static Mem const_entry(uint64_t pc)
{
    return mem_bd(RAX, (int32_t)(jump_cache_index(pc) * sizeof(JumpCacheEntry)));
}

/* All is home: no register but those of the pc matters. */
static void lookup_const(Gen *g, uint64_t pc, IrWay way)
{
    LookupMiss m = {.way = way, .is_const = true, .const_pc = pc};
    Mem entry = const_entry(pc), target = entry;

    target.disp += (int32_t)offsetof(JumpCacheEntry, entry);
    x_rm(&g->a, X_MOV_RM | X_W, RAX, gen_env(g, offsetof(Cpu, block_cache)));
    if ((int64_t)pc == (int32_t)pc) {
        x_alu_mi(&g->a, X_W, ALU_CMP, entry, (int32_t)pc);
    } else {
        x_mov_ri(&g->a, RSI, pc);
        x_alu_rm(&g->a, X_W, ALU_CMP, RSI, entry);
    }
    m.jump[0] = x_jcc32(&g->a, CC_NE);
    m.jump[1] = check_context(g, entry);
    x_jmp_m(&g->a, target);
    g_array_append_val(g->misses, m);
}

void gen_jump_cache(Gen *g, IrWay way)
{
    LookupMiss m = {.way = way};

    G_STATIC_ASSERT(JUMP_CACHE_BITS == 16);
    x_rr(&g->a, X_MOVZX16, RAX, RSI);
    x_shift_ri(&g->a, 0, SH_SHL, RAX, 5);
    x_alu_rm(&g->a, X_W, ALU_ADD, RAX, gen_env(g, offsetof(Cpu, block_cache)));
    x_alu_rm(&g->a, X_W, ALU_CMP, RSI, mem_bd(RAX, offsetof(JumpCacheEntry, pc)));
    m.jump[0] = x_jcc32(&g->a, CC_NE);
    m.jump[1] = check_context(g, mem_bd(RAX, 0));
    x_jmp_m(&g->a, mem_bd(RAX, offsetof(JumpCacheEntry, entry)));
    g_array_append_val(g->misses, m);
}

void emit_exit_lookup(Gen *g, const IrOp *o)
{
    if (target_is_possible(&g->ra, g->f, o->args[0])) {
        gen_to_target(g, o);
        return;
    }
    ra_flush(&g->ra);
    gen_clean_ymm(g);
    if (g->cb->key.flags) {
        gen_exit(g, IR_EXIT_LOOKUP); /* whoever asked for such a block wants to see its end */
        return;
    }
    if (ra_is_const(&g->ra, o->args[0])) {
        lookup_const(g, g->ra.vals[o->args[0]].bits, (IrWay)o->imm[0]);
        return;
    }
    ra_use(&g->ra, o->args[0], REG_BIT(RSI));
    gen_jump_cache(g, (IrWay)o->imm[0]);
}

void gen_lookup_misses(Gen *g)
{
    const uint64_t context = block_context(&g->cb->key);

    for (guint i = 0; i < g->misses->len && gen_has_room(g); i++) {
        const LookupMiss *m = &g_array_index(g->misses, LookupMiss, i);
        x_patch32(m->jump[0], g->a.p);
        x_patch32(m->jump[1], g->a.p);
        if (m->is_const) {
            x_mov_ri(&g->a, RSI, m->const_pc);
            x_rm(&g->a, X_LEA | X_W, RAX, const_entry(m->const_pc));
        }
        x_mov_ri(&g->a, RCX, (uintptr_t)g->cb);
        if ((uint32_t)context == 0) {
            x_mov_ri(&g->a, RDX, context >> 32);
            x_jmp(&g->a, g->lookup_other[m->way]);
        } else {
            x_jmp(&g->a, g->lookup[m->way]);
        }
    }
}

/* ---------------------------------------------------------------- common stubs */

static const uint8_t saved[6] = {RBX, RBP, R12, R13, R14, R15};

static void exit_stubs(Gen *g)
{
    g->leave = g->a.p; /* returns rax, rdx */
    x_alu_ri(&g->a, X_W, ALU_ADD, RSP, FRAME_SIZE);
    for (unsigned i = 6; i-- > 0;) {
        x_pop(&g->a, saved[i]);
    }
    x_ret(&g->a);
    for (unsigned i = 0; i < EXITS; i++) {
        g->exits[i] = g->a.p;
        x_pop(&g->a, RAX);
        x_rm(&g->a, X_MOV_RM | X_W, RAX, mem_bd(RAX, 0));
        x_mov_ri(&g->a, RDX, i);
        x_jmp(&g->a, g->leave);
    }
}

/* The slow path returns to the cold path itself, whose side point that place is. */
static void slow_stubs(Gen *g)
{
    static const struct {
        void *fn;
        int pc_reg;
    } slow[SLOWS] = {
        [SLOW_LOAD] = {(void *)tcg_load_slow, RCX},
        [SLOW_STORE] = {(void *)tcg_store_slow, R8},
        [SLOW_LOAD128] = {(void *)tcg_load128_slow, RCX},
        [SLOW_STORE128] = {(void *)tcg_store128_slow, RCX},
        [SLOW_ATOMIC] = {(void *)tcg_atomic, R9},
    };

    for (unsigned i = 0; i < SLOWS; i++) {
        g->slow[i] = g->a.p;
        gen_cpu_arg(g);
        x_rm(&g->a, X_MOV_RM | X_W, slow[i].pc_reg, mem_bd(RSP, 0));
        if (x_reach(&g->a, slow[i].fn)) {
            x_jmp(&g->a, slow[i].fn);
        } else {
            x_mov_ri(&g->a, RAX, (uintptr_t)slow[i].fn);
            x_jmp_r(&g->a, RAX);
        }
    }
}

/*
 * Arguments were pushed: above the return address lie the address, a store's value, MEM_OI. All
 * caller-saved general registers wait in the frame's save area.
 */
static void short_stub(Gen *g, unsigned args, const void *fn, bool load)
{
    const int32_t pad = args & 1 ? 0 : 8; /* keeps the stack aligned */
    const int32_t frame = pad + 8 * ((int32_t)args + 1);
    const RegSet regs = g->ra.host->caller_saved & GPR_ALL;

    if (pad) {
        x_alu_ri(&g->a, X_W, ALU_SUB, RSP, pad);
    }
    for (RegSet m = regs; m; m &= m - 1) {
        int reg = __builtin_ctzll(m);
        x_rm(&g->a, X_MOV_MR | X_W, reg, mem_bd(RSP, frame + 8 * reg));
    }
    gen_cpu_arg(g);
    for (unsigned i = 0; i < args; i++) {
        x_rm(&g->a, X_MOV_RM | X_W, int_args[1 + i], mem_bd(RSP, pad + 8 + 8 * (int32_t)i));
    }
    x_rm(&g->a, X_MOV_RM | X_W, int_args[1 + args], mem_bd(RSP, pad));
    x_call(&g->a, fn);
    for (RegSet m = load ? regs & ~REG_BIT(RAX) : regs; m; m &= m - 1) {
        int reg = __builtin_ctzll(m);
        x_rm(&g->a, X_MOV_RM | X_W, reg, mem_bd(RSP, frame + 8 * reg));
    }
    if (pad) {
        x_alu_ri(&g->a, X_W, ALU_ADD, RSP, pad);
    }
    x_u8(&g->a, 0xc2); /* ret, dropping the arguments */
    x_u8(&g->a, 8 * args);
    x_u8(&g->a, 0);
}

/* Guest state is complete: on with the next block if `find` has one, else out. */
static void *find_stub(Gen *g, const void *find, IrWay way, unsigned reason)
{
    uint8_t *at = g->a.p, *none;

    x_mov_ri(&g->a, RDX, way);
    gen_cpu_arg(g);
    x_call(&g->a, find);
    x_rr(&g->a, X_TEST | X_W, RAX, RAX);
    none = x_jcc8(&g->a, CC_E);
    x_jmp_r(&g->a, RAX);
    x_here8(&g->a, none);
    x_mov_ri(&g->a, RDX, reason);
    x_jmp(&g->a, g->leave);
    return at;
}

static uint8_t *leave_stub(Gen *g, unsigned reason)
{
    uint8_t *at = g->a.p;

    x_mov_ri(&g->a, RAX, 0);
    x_mov_ri(&g->a, RDX, reason);
    x_jmp(&g->a, g->leave);
    return at;
}

/* The entry's other place; see jump_cache_other(). */
static void lookup_other_stub(Gen *g, IrWay way)
{
    const Mem table = gen_env(g, offsetof(Cpu, block_cache));

    g->lookup_other[way] = g->a.p;
    x_alu_rm(&g->a, X_W, ALU_SUB, RAX, table);
    x_alu_ri(&g->a, 0, ALU_XOR, RAX, sizeof(JumpCacheEntry));
    x_alu_rm(&g->a, X_W, ALU_ADD, RAX, table);
    x_alu_rm(&g->a, X_W, ALU_CMP, RSI, mem_bd(RAX, offsetof(JumpCacheEntry, pc)));
    x_jcc(&g->a, CC_NE, g->lookup[way]);
    x_alu_rm(&g->a, 0, ALU_CMP, RDX, mem_bd(RAX, offsetof(JumpCacheEntry, context) + 4));
    x_jcc(&g->a, CC_NE, g->lookup[way]);
    x_jmp_m(&g->a, mem_bd(RAX, offsetof(JumpCacheEntry, entry)));
}

void gen_common_stubs(Gen *g)
{
    g->enter = g->a.p; /* (rdi: base of the CPU, rsi: code) */
    for (unsigned i = 0; i < 6; i++) {
        x_push(&g->a, saved[i]);
    }
    x_mov_rr(&g->a, X_W, RBP, RDI);
    x_alu_ri(&g->a, X_W, ALU_SUB, RSP, FRAME_SIZE);
    x_jmp_r(&g->a, RSI);

    exit_stubs(g);
    slow_stubs(g);
    g->slow_short[SHORT_LOAD] = g->a.p;
    short_stub(g, 2, (const void *)tcg_load_slow, true);
    g->slow_short[SHORT_STORE] = g->a.p;
    short_stub(g, 3, (const void *)tcg_store_slow, false);

    for (unsigned way = 0; way <= WAY_RETURN; way++) {
        g->lookup[way] = find_stub(g, (const void *)tcg_lookup, (IrWay)way, IR_EXIT_LOOKUP);
        lookup_other_stub(g, (IrWay)way);
    }
    g->give_up = leave_stub(g, IR_EXIT_LOOKUP);
    g->attend = leave_stub(g, IR_EXIT_LOOP);
    g->look = find_stub(g, (const void *)tcg_look, WAY_ANY, IR_EXIT_LOOP);
    gen_first_stubs(g);
}
