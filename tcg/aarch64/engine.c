// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The AArch64 engine: what the allocator asks of the host, the walk over a function's blocks, side
 * tables, the code buffer and chaining. Code is written and run at one address; what was written is
 * made known to instruction fetch before anybody can jump there (Arm ARM B2.4.4).
 */
#include <string.h>
#include "tcg/aarch64/gen.h"
#include "util/error.h"

/* ---------------------------------------------------------------- the allocator's host */

static void host_move(void *gen, IrType t, int dst, int src)
{
    Gen *g = gen;

    if (ra_class(t) == 0) {
        a_mov(&g->a, wide(t), dst, src);
    } else {
        n_mov(&g->a, vec(dst), vec(src));
    }
}

static uint32_t mem_form(IrType t, bool store)
{
    switch (t) {
    case IR_I32:
        return (store ? A_STR : A_LDR) | a_size(2);
    case IR_I64:
        return (store ? A_STR : A_LDR) | a_size(3);
    case IR_F32:
        return (store ? A_VSTR : A_VLDR) | a_size(2);
    case IR_F64:
        return (store ? A_VSTR : A_VLDR) | a_size(3);
    default:
        return store ? A_VSTRQ : A_VLDRQ;
    }
}

static void at_place(Gen *g, uint32_t form, int reg, RaPlace p)
{
    if (p.base == RA_ENV) {
        gen_env(g, form, reg, p.offset);
    } else {
        a_mem(&g->a, form, reg, SP, p.offset);
    }
}

static void host_load(void *gen, IrType t, int dst, RaPlace from)
{
    at_place(gen, mem_form(t, false), ra_class(t) ? vec(dst) : dst, from);
}

static void host_store(void *gen, IrType t, int src, RaPlace to)
{
    at_place(gen, mem_form(t, true), ra_class(t) ? vec(src) : src, to);
}

static void host_load_const(void *gen, IrType t, int dst, uint64_t bits)
{
    Gen *g = gen;

    if (ra_class(t) == 0) {
        a_mov_i(&g->a, dst, t == IR_I32 ? (uint32_t)bits : bits);
    } else if (bits == 0) {
        a_ins(&g->a, N_ZERO | (uint32_t)vec(dst));
    } else {
        a_mov_i(&g->a, SCRATCH, bits);
        if (t == IR_V128) { /* all zero or all ones: every 64 bits are alike */
            a_rr(&g->a, N_DUP_R | n_lane(3, 0), vec(dst), SCRATCH);
        } else if (t == IR_F32) {
            a_rr(&g->a, A_FMOV_VR, vec(dst), SCRATCH);
        } else {
            a_rr(&g->a, A_FMOV_DX, vec(dst), SCRATCH);
        }
    }
}

static void host_store_const(void *gen, IrType t, uint64_t bits, RaPlace to)
{
    Gen *g = gen;
    int reg = ra_class(t) ? VEC + V_TMP2 : bits ? LR : ZR;

    if (ra_class(t) || bits) {
        host_load_const(gen, t, reg, bits);
    }
    /* LR is not a_mem's scratch but for offsets that no home has */
    at_place(g, mem_form(t, true), ra_class(t) ? vec(reg) : reg, to);
}

static const uint8_t gpr_order[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                    13, 14, 15, 19, 20, 21, 22, 23, 24, 25, 26, 27, 255};
static const uint8_t vec_order[] = {
    VEC + 0,  VEC + 1,  VEC + 2,  VEC + 3,  VEC + 4,  VEC + 5,  VEC + 6,  VEC + 7,
    VEC + 16, VEC + 17, VEC + 18, VEC + 19, VEC + 20, VEC + 21, VEC + 22, VEC + 23,
    VEC + 24, VEC + 25, VEC + 26, VEC + 27, VEC + 28, VEC + 29, VEC + 8,  VEC + 9,
    VEC + 10, VEC + 11, VEC + 12, VEC + 13, VEC + 14, VEC + 15, 255,
};

const RaHost gen_ra_host = {
    .pool = {GPR_ALL, VEC_ALL},
    .caller_saved = 0xffffu | VEC_ALL, /* of v8..v15 calls keep the low halves only */
    .order = {gpr_order, vec_order},
    .move = host_move,
    .load = host_load,
    .store = host_store,
    .load_const = host_load_const,
    .store_const = host_store_const,
};

/* ---------------------------------------------------------------- a function */

static void begin_function(Gen *g, CodeBuffer *c, IrFunc *f, CodeBlock *cb)
{
    GArray *const lists[] = {g->fixups, g->stubs,       g->stub_vars, g->side,          g->insns,
                             g->chains, g->chain_exits, g->misses,    g->target_misses, g->ways_in};

    g->buffer = c;
    g->f = f;
    g->cb = cb;
    g->start = g->a.p = (uint8_t *)(((uintptr_t)c->ptr + 15) & ~(uintptr_t)15);
    g->end = c->end;
    g->insn = 0;
    g->block_at = ir_arena(f, f->num_blocks * sizeof *g->block_at);
    memset(g->block_at, 0, f->num_blocks * sizeof *g->block_at);
    for (unsigned i = 0; i < ARRAY_COUNT(lists); i++) {
        g_array_set_size(lists[i], 0);
    }
    cb->code = (GeneratedCode){.entry = g->start};
}

/* All is home: the page that the block runs in. */
void gen_note_page(Gen *g)
{
    if (g->cb->anywhere) {
        gen_env(g, A_LDR | a_size(3), SCRATCH2, g->arch->pc_home);
        a_logical_i(&g->a, A_AND_I | W64, SCRATCH2, SCRATCH2, ~(uint64_t)0xfff);
        gen_env(g, A_STR | a_size(3), SCRATCH2, offsetof(Cpu, code_page));
    }
}

static bool gen_block(Gen *g, IrBlock *b)
{
    ra_block_begin(&g->ra, b);
    g->block_at[b->id] = g->a.p;
    for (uint32_t pos = 0; pos < g->ra.num_ops; pos++) {
        const IrOp *o = &g->f->ops[g->ra.ops[pos]];
        if (!gen_has_room(g)) {
            return false;
        }
        if (o->opcode == OP_BR || o->opcode == OP_BRCOND) {
            ra_block_end(&g->ra);
        }
        if (o->opcode == OP_BRCOND && block_only_exits(g->f, b->succ[0]) &&
            block_only_exits(g->f, b->succ[1])) {
            /* what both want home may as well go there before the branch, once */
            ra_flush(&g->ra);
        }
        ra_op_begin(&g->ra, pos);
        emit_rows[o->opcode].emit(g, o);
        ra_op_end(&g->ra);
    }
    return true;
}

static bool finish_function(Gen *g)
{
    GeneratedCode *c = &g->cb->code;
    size_t tables = g->side->len * sizeof(SidePoint) + g->insns->len * sizeof(InsnPoint) +
                    g->chains->len * sizeof(ChainSlot) + g->ways_in->len * sizeof(WayIn) + 256;

    for (guint i = 0; i < g->fixups->len; i++) {
        const Fixup *f = &g_array_index(g->fixups, Fixup, i);
        a_patch(f->at, g->block_at[f->block]);
    }
    gen_target_table(g);
    if (!gen_has_room(g) || (size_t)(g->end - g->a.p) < tables || g->insns->len > UINT16_MAX) {
        return false;
    }
    c->size = (uint32_t)(g->a.p - g->start);
    g->buffer->ptr = g->a.p;
    if (!chains_place(g->buffer, c, g->chains)) {
        g->buffer->ptr = g->start;
        return false;
    }
    side_tables_append(g->buffer, c, g->side, g->insns, g->ways_in);
    __builtin___clear_cache((char *)g->start, (char *)g->a.p);
    perf_map_add(c->entry, c->size, "guest", g->cb->key.pc);
    block_extent(g->cb, g->f);
    return true;
}

static bool gen_function(Gen *g, CodeBuffer *c, IrFunc *f, CodeBlock *cb)
{
    uint8_t *poll;

    begin_function(g, c, f, cb);
    if (!gen_has_room(g)) {
        return false;
    }
    ra_function(&g->ra, f);
    gen_targets_begin(g);
    gen_note_page(g);
    cb->code.chained = (uint16_t)(g->a.p - g->start); /* chained jumps stay in the page */
    gen_env(g, A_LDR | a_size(2), SCRATCH2, offsetof(Cpu, attention));
    poll = a_cbz(&g->a, A_CBNZ, SCRATCH2);
    ra_entry_moves(&g->ra);
    for (IrBlock *b = f->entry; b; b = b->next) {
        if (!gen_block(g, b)) {
            return false;
        }
    }
    gen_stubs(g);
    gen_target_misses(g);
    gen_ways_in(g);
    gen_chain_exits(g);
    gen_lookup_misses(g);
    if (!gen_has_room(g)) {
        return false;
    }
    a_patch(poll, g->a.p);
    gen_exit(g, IR_EXIT_ENTRY);
    /* Too many values at once: as if the buffer were full, so that a shorter block is tried. */
    return !g->ra.frame_full && finish_function(g);
}

/* ---------------------------------------------------------------- the engine */

/* One function is made at a time, under the translator's lock; nothing of this outlives it. */
static Gen the_gen;

/* Where the homes of registers begin: in reach of short offsets. */
static int64_t choose_bias(const CpuArch *arch)
{
    uint32_t first = UINT32_MAX;

    for (unsigned v = 0; v < arch->num_vars; v++) {
        first = MIN(first, arch->vars[v].offset);
    }
    return arch->num_vars ? first & ~4095u : 0;
}

static void new_lists(Gen *g)
{
    g->fixups = g_array_new(FALSE, FALSE, sizeof(Fixup));
    g->stubs = g_array_new(FALSE, FALSE, sizeof(Stub));
    g->stub_vars = g_array_new(FALSE, FALSE, sizeof(StubVar));
    g->side = g_array_new(FALSE, FALSE, sizeof(SidePoint));
    g->insns = g_array_new(FALSE, FALSE, sizeof(InsnPoint));
    g->chains = g_array_new(FALSE, TRUE, sizeof(ChainSlot));
    g->misses = g_array_new(FALSE, FALSE, sizeof(LookupMiss));
    g->ways_in = g_array_new(FALSE, FALSE, sizeof(WayIn));
    g->target_misses = g_array_new(FALSE, FALSE, sizeof(TargetMiss));
    g->chain_exits = g_array_new(FALSE, FALSE, sizeof(ChainExit));
    ra_init(&g->ra, &gen_ra_host, g, FRAME_SAVE, FRAME_MAX, 0);
}

static bool engine_init(CodeBuffer *c, const CpuArch *arch, GError **error)
{
    Gen *g = &the_gen;

    if (c->size < 1024 * 1024) {
        return fail(error, "code buffer of %zu bytes is too small", c->size);
    }
    if (!g->fixups) {
        new_lists(g);
    }
    g->arch = arch;
    g->bias = choose_bias(arch);
    g->ordered = arch->ordered_memory;
    g->a = (Asm){.p = c->base};
    gen_common_stubs(g);
    __builtin___clear_cache((char *)c->base, (char *)g->a.p);
    c->ptr = (uint8_t *)(((uintptr_t)g->a.p + 63) & ~(uintptr_t)63);
    perf_map_add(c->base, (size_t)(c->ptr - c->base), "common-stubs", 0);
    return true;
}

static bool engine_generate(CodeBuffer *c, IrFunc *f, CodeBlock *cb, bool opt)
{
    if (opt) {
        f->join_halves = false;
        ir_optimize(f);
    } else {
        ir_finish(f);
    }
    ir_analyze_vars(f);
    return gen_function(&the_gen, c, f, cb);
}

typedef struct ExitResult {
    CodeBlock *cb;
    uint64_t reason;
} ExitResult;
typedef ExitResult EnterFn(void *env, const void *code);

static unsigned engine_run(Cpu *cpu, CodeBlock *cb, CodeBlock **last)
{
    EnterFn *enter = (EnterFn *)(uintptr_t)the_gen.enter;
    ExitResult r = enter((char *)cpu + the_gen.bias, cb->code.entry);

    *last = r.cb;
    return (unsigned)r.reason;
}

/*
 * One word of B is replaced by another, which others may run meanwhile (Arm ARM B2.2.5). What B
 * does not reach stays unchained.
 */
static void patch_site(uint8_t *site, const uint8_t *target, const uint8_t *reset)
{
    Asm at = {.p = site};
    uint32_t v;

    if (!a_reach(&at, target)) {
        target = reset;
    }
    v = A_B | ((uint32_t)((target - site) >> 2) & 0x3ffffff);
    __atomic_store_n((uint32_t *)(void *)site, v, __ATOMIC_RELEASE);
    __builtin___clear_cache((char *)site, (char *)site + 4);
}

static void engine_chain(CodeBlock *from, unsigned slot, CodeBlock *to)
{
    uint8_t *start = (uint8_t *)(uintptr_t)from->code.entry;
    const ChainSlot *c = &from->code.chains[slot];
    const uint8_t *reset = start + c->reset;

    if (c->site) {
        patch_site(start + c->site, to ? (const uint8_t *)to->code.entry + to->code.chained : reset,
                   reset);
    }
}

/* Takes 1 from the block's heat; `over` skips what follows while it is not below 0. */
static uint8_t *count_heat(Asm *a, CodeBlock *to)
{
    a_mov_i(a, SCRATCH2, (uintptr_t)&to->heat);
    a_mem(a, A_LDR | a_size(2), SCRATCH, SCRATCH2, 0);
    a_rr(a, A_SUBS_I | 1 << 10, SCRATCH, SCRATCH);
    a_mem(a, A_STR | a_size(2), SCRATCH, SCRATCH2, 0);
    return a_bcond(a, CC_PL);
}

static void finish_count(CodeBuffer *c, Asm *a, uint8_t *over, const void *out, const void *in)
{
    uint8_t *start = c->ptr;

    a_b(a, out);
    a_patch(over, a->p);
    a_b(a, in);
    c->ptr = (uint8_t *)(((uintptr_t)a->p + 15) & ~(uintptr_t)15);
    __builtin___clear_cache((char *)start, (char *)a->p);
}

/* No register is in use between blocks. */
static bool engine_chain_counted(CodeBuffer *c, CodeBlock *from, unsigned slot, CodeBlock *to)
{
    const ChainSlot *s = &from->code.chains[slot];
    uint8_t *start = (uint8_t *)(uintptr_t)from->code.entry, *stub = c->ptr;
    Asm *a = &the_gen.a;

    if (!s->site || c->end - c->ptr < 128) {
        return false;
    }
    a->p = stub;
    finish_count(c, a, count_heat(a, to), start + s->reset,
                 (const uint8_t *)to->code.entry + to->code.chained);
    patch_site(start + s->site, stub, start + s->reset);
    return true;
}

static const void *engine_count_entry(CodeBuffer *c, CodeBlock *to)
{
    Asm *a = &the_gen.a;
    const uint8_t *stub = c->ptr;

    if (c->end - c->ptr < 128) {
        return NULL;
    }
    a->p = c->ptr;
    finish_count(c, a, count_heat(a, to), the_gen.give_up, to->code.entry);
    return stub;
}

static void engine_dump(const CodeBlock *cb, GString *out)
{
    const uint8_t *p = cb->code.entry;

    for (uint32_t i = 0; i + 4 <= cb->code.size; i += 4) {
        uint32_t v;
        memcpy(&v, p + i, 4);
        g_string_append_printf(out, "%p:  %08x\n", (const void *)(p + i), v);
    }
}

static const CodeEngine engine_aarch64 = {
    .name = "aarch64",
    .init = engine_init,
    .generate = engine_generate,
    .run = engine_run,
    .chain = engine_chain,
    .chain_counted = engine_chain_counted,
    .count_entry = engine_count_entry,
    .dump = engine_dump,
};

const CodeEngine *engine_native(void)
{
    return &engine_aarch64;
}
