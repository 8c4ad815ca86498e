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
        g->a.p--;                       /* VZEROUPPER has no ModRM */
    }
}

/* Where the SysV ABI wants the arguments; first: integer registers already taken. */
static void place_args(Gen *g, const IrOp *o, unsigned first)
{
    RaMove m[6];
    unsigned ints = first, vecs = 0;

    for (unsigned i = 0; i < o->num_args; i++) {
        IrType t = (IrType)g->ra.vals[o->args[i]].type;
        m[i] = (RaMove){.type = t, .val = o->args[i],
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
    place_args(g, o, 0);
    gen_clean_ymm(g);
    x_call(&g->a, fn);
    take_result(g, o);
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
    HostCond c = gen_compare(g, (IrType)g->ra.vals[o->args[0]].type, (IrCond)o->cc, o->args[0],
                             o->args[1]);
    uint8_t *over;

    ra_op_end(&g->ra);
    ra_block_leave(&g->ra);
    if (yes == g->ra.block->next || (ra_edge_needs_moves(&g->ra, yes) && !ra_edge_needs_moves(&g->ra, no))) {
        yes = g->ra.block->succ[1];
        no = g->ra.block->succ[0];
        c = x_cond_not(c);
    }
    if (!ra_edge_needs_moves(&g->ra, yes)) {
        jump_to(g, c, yes);
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
        x_jmp(&g->a, g->lookup);
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
    ChainSlot c = {.pc = o->chain.pc, .from = g->cb};

    ra_flush(&g->ra);
    gen_clean_ymm(g);
    while (((uintptr_t)g->a.p + 1) & 3) {
        x_u8(&g->a, 0x90);
    }
    c.site = (uint32_t)(g->a.p - g->start);
    uint8_t *jump = x_jcc32(&g->a, CC_ALWAYS);
    x_patch32(jump, g->a.p);
    c.reset = (uint32_t)(g->a.p - g->start);
    if (slot >= g->chains->len) {
        g_array_set_size(g->chains, slot + 1);     /* clears what it adds */
    }
    g_array_index(g->chains, ChainSlot, slot) = c;
    gen_exit(g, IR_EXIT_CHAIN0 + slot);
}

void emit_exit_lookup(Gen *g, const IrOp *o)
{
    uint64_t context = block_context(&g->cb->key);
    int entry, tmp, pc;
    uint8_t *miss;

    ra_flush(&g->ra);
    gen_clean_ymm(g);
    if (g->cb->key.flags) {
        gen_exit(g, IR_EXIT_LOOKUP);    /* whoever asked for such a block wants to see its end */
        return;
    }
    pc = ra_use(&g->ra, o->args[0], 0);
    entry = ra_tmp(&g->ra, 0, 0);
    x_mov_rr(&g->a, X_W, entry, pc);
    x_shift_ri(&g->a, X_W, SH_SHR, entry, JUMP_CACHE_BITS);
    x_alu_rr(&g->a, 0, ALU_XOR, entry, pc);
    x_alu_ri(&g->a, 0, ALU_AND, entry, (1 << JUMP_CACHE_BITS) - 1);
    x_shift_ri(&g->a, 0, SH_SHL, entry, 5);
    x_alu_rm(&g->a, X_W, ALU_ADD, entry, gen_env(g, offsetof(Cpu, block_cache)));
    x_alu_rm(&g->a, X_W, ALU_CMP, pc, mem_bd(entry, offsetof(JumpCacheEntry, pc)));
    miss = x_jcc8(&g->a, CC_NE);
    if ((int64_t)context == (int32_t)context) {
        x_alu_mi(&g->a, X_W, ALU_CMP, mem_bd(entry, offsetof(JumpCacheEntry, context)),
                 (int32_t)context);
    } else {
        tmp = ra_tmp(&g->ra, 0, 0);
        x_mov_ri(&g->a, tmp, context);
        x_alu_rm(&g->a, X_W, ALU_CMP, tmp, mem_bd(entry, offsetof(JumpCacheEntry, context)));
    }
    {
        uint8_t *other = x_jcc8(&g->a, CC_NE);
        x_jmp_m(&g->a, mem_bd(entry, offsetof(JumpCacheEntry, entry)));
        x_here8(&g->a, other);
    }
    x_here8(&g->a, miss);
    x_mov_rr(&g->a, X_W, RSI, pc);
    x_jmp(&g->a, g->lookup);
}

/* ---------------------------------------------------------------- common stubs */

static const uint8_t saved[6] = {RBX, RBP, R12, R13, R14, R15};

static void exit_stubs(Gen *g)
{
    g->leave = g->a.p;                  /* returns rax, rdx */
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
    const int32_t pad = args & 1 ? 0 : 8;       /* keeps the stack aligned */
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
    x_u8(&g->a, 0xc2);                  /* ret, dropping the arguments */
    x_u8(&g->a, 8 * args);
    x_u8(&g->a, 0);
}

/* Guest state is complete: on with the next block if `find` has one, else out. */
static void *find_stub(Gen *g, const void *find, unsigned reason)
{
    uint8_t *at = g->a.p, *none;

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

void gen_common_stubs(Gen *g)
{

    g->enter = g->a.p;                  /* (rdi: base of the CPU, rsi: code) */
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

    g->lookup = find_stub(g, (const void *)tcg_lookup, IR_EXIT_LOOKUP);     /* rsi: the pc that missed */
    g->look = find_stub(g, (const void *)tcg_look, IR_EXIT_LOOP);
}
