// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The x86-64 engine: what the allocator asks of the host, the walk over a function's blocks, side
 * tables, the code buffer, chaining and the dump.
 */
#include <string.h>
#include "tcg/i386/gen.h"
#include "util/error.h"

/* ---------------------------------------------------------------- the allocator's host */

static void host_move(void *gen, IrType t, int dst, int src)
{
    Gen *g = gen;

    if (t == IR_I32 || t == IR_I64) {
        x_rr(&g->a, X_MOV_RM | wide(t), dst, src);
    } else {
        xv_rr(&g->a, X_MOVAPS | (t == IR_V256 ? X_L : 0), xmm(dst), xmm(src));
    }
}

/* The home of a variable that two others are the halves of lies in two places. */
static bool is_split(const Gen *g, IrType t, RaPlace p)
{
    return t == IR_V256 && p.base == RA_ENV && p.offset - g->halves_at < g->halves_size;
}

static Mem high_half(Gen *g, RaPlace p)
{
    p.offset += g->high_gap;
    return gen_place(g, p);
}

static const uint32_t load_form[IR_TYPES] = {
    [IR_I32] = X_MOV_RM, [IR_I64] = X_MOV_RM | X_W, [IR_F32] = X_MOVSS, [IR_F64] = X_MOVSD,
    [IR_V128] = X_MOVUPS, [IR_V256] = X_MOVUPS | X_L,
};
static const uint32_t store_form[IR_TYPES] = {
    [IR_I32] = X_MOV_MR, [IR_I64] = X_MOV_MR | X_W, [IR_F32] = X_MOVSS_ST, [IR_F64] = X_MOVSD_ST,
    [IR_V128] = X_MOVUPS_ST, [IR_V256] = X_MOVUPS_ST | X_L,
};

static void host_load(void *gen, IrType t, int dst, RaPlace from)
{
    Gen *g = gen;

    if (is_split(g, t, from)) {
        v_rrm(&g->a, X_MOVUPS, xmm(dst), 0, gen_place(g, from));
        v_rrm(&g->a, V_INSERT128, xmm(dst), xmm(dst), high_half(g, from));
        x_u8(&g->a, 1);
        return;
    }
    if (t == IR_I32 || t == IR_I64) {
        x_rm(&g->a, load_form[t], dst, gen_place(g, from));
    } else {
        xv_rm(&g->a, load_form[t], xmm(dst), gen_place(g, from));
    }
}

static void host_store(void *gen, IrType t, int src, RaPlace to)
{
    Gen *g = gen;

    if (is_split(g, t, to)) {
        v_rrm(&g->a, X_MOVUPS_ST, xmm(src), 0, gen_place(g, to));
        v_rrm(&g->a, V_EXTRACT128, xmm(src), 0, high_half(g, to));
        x_u8(&g->a, 1);
        return;
    }
    if (t == IR_I32 || t == IR_I64) {
        x_rm(&g->a, store_form[t], src, gen_place(g, to));
    } else {
        xv_rm(&g->a, store_form[t], xmm(src), gen_place(g, to));
    }
}

static void host_store_const(void *gen, IrType t, uint64_t bits, RaPlace to)
{
    Gen *g = gen;
    Mem m = gen_place(g, to);

    if (t == IR_I32 || t == IR_F32) {
        x_mov_mi(&g->a, 0, m, (int32_t)bits);
        return;
    }
    /* Vector constants are all zero or all ones: every 64 bits are alike. */
    for (unsigned i = 0; i < ir_type_bits(t); i += 64, m.disp += 8) {
        if (i == 128 && is_split(g, t, to)) {
            m = high_half(g, to);
        }
        if ((int64_t)bits == (int32_t)bits) {
            x_mov_mi(&g->a, X_W, m, (int32_t)bits);
        } else {
            Mem high = m;
            high.disp += 4;
            x_mov_mi(&g->a, 0, m, (int32_t)bits);
            x_mov_mi(&g->a, 0, high, (int32_t)(bits >> 32));
        }
    }
}

static void host_load_const(void *gen, IrType t, int dst, uint64_t bits)
{
    Gen *g = gen;
    const RaPlace scratch = {.base = RA_FRAME, .offset = FRAME_MAX};

    if (t == IR_I32 || t == IR_I64) {
        x_mov_ri(&g->a, dst, t == IR_I32 ? (uint32_t)bits : bits);
    } else if (bits == 0) {
        if (g->a.avx) {
            v_rrr(&g->a, X_PXOR, xmm(dst), xmm(dst), xmm(dst));
        } else {
            x_rr(&g->a, X_PXOR, xmm(dst), xmm(dst));
        }
    } else {
        host_store_const(gen, t, bits, scratch);
        host_load(gen, t, dst, scratch);
    }
}

static const uint8_t gpr_order[] = {RAX, RCX, RDX, RSI, RDI, R8,  R9, R10,
                                    R11, RBX, R12, R13, R14, R15, 255};
static const uint8_t xmm_order[] = {
    XMM + 0, XMM + 1, XMM + 2, XMM + 3, XMM + 4, XMM + 5, XMM + 6, XMM + 7, XMM + 8, XMM + 9,
    XMM + 10, XMM + 11, XMM + 12, XMM + 13, XMM + 14, XMM + 15, 255,
};

const RaHost gen_ra_host = {
    .pool = {GPR_ALL, XMM_ALL},
    .caller_saved = 0x0fc7u | XMM_ALL,  /* rax rcx rdx rsi rdi r8..r11 */
    .order = {gpr_order, xmm_order},
    .move = host_move,
    .load = host_load,
    .store = host_store,
    .load_const = host_load_const,
    .store_const = host_store_const,
};

/* ---------------------------------------------------------------- a function */

static void begin_function(Gen *g, CodeBuffer *c, IrFunc *f, CodeBlock *cb)
{
    g->buffer = c;
    g->f = f;
    g->cb = cb;
    g->start = g->a.p = (uint8_t *)(((uintptr_t)c->ptr + 15) & ~(uintptr_t)15);
    g->end = c->end;
    g->hot_end = NULL;
    g->insn = 0;
    g->uses_ymm = false;
    g->compared = NULL;
    g->x87 = (X87Cache){0};
    for (uint32_t i = 1; i < f->num_values; i++) {
        g->uses_ymm |= f->values[i].type == IR_V256;
    }
    g->block_at = ir_arena(f, f->num_blocks * sizeof *g->block_at);
    memset(g->block_at, 0, f->num_blocks * sizeof *g->block_at);
    g_array_set_size(g->fixups, 0);
    g_array_set_size(g->stubs, 0);
    g_array_set_size(g->stub_vars, 0);
    g_array_set_size(g->side, 0);
    g_array_set_size(g->insns, 0);
    g_array_set_size(g->chains, 0);
    g_array_set_size(g->chain_exits, 0);
    g_array_set_size(g->misses, 0);
    g_array_set_size(g->target_misses, 0);
    g_array_set_size(g->ways_in, 0);
    g->cold = (uint8_t *)(((uintptr_t)c->cold + 7) & ~(uintptr_t)7);
    cb->code = (GeneratedCode){.entry = g->start, .cold = (uint32_t)(g->cold - g->start)};
}

/* The poll: one compare and branch; its exit lies behind the code. */
static uint8_t *gen_poll(Gen *g)
{
    x_alu_mi(&g->a, 0, ALU_CMP, gen_env(g, offsetof(Cpu, attention)), 0);
    return x_jcc32(&g->a, CC_NE);
}

static void gen_poll_exit(Gen *g, uint8_t *from)
{
    x_patch32(from, g->a.p);
    gen_exit(g, IR_EXIT_ENTRY);
}

/* All is home: the page that the block runs in. */
void gen_note_page(Gen *g)
{
    if (!g->cb->anywhere) {
        return;
    }
    x_rm(&g->a, X_MOV_RM | X_W, RAX, gen_env(g, g->arch->pc_home));
    x_alu_ri(&g->a, X_W, ALU_AND, RAX, -4096);
    x_rm(&g->a, X_MOV_MR | X_W, RAX, gen_env(g, offsetof(Cpu, code_page)));
}

/* From here on the cold part is written. */
static void go_cold(Gen *g)
{
    if (!g->hot_end) {
        g->hot_end = g->a.p;
        g->a.p = g->cold;
        g->end = g->buffer->cold_end;
    }
}

static bool gen_block(Gen *g, IrBlock *b)
{
    ra_block_begin(&g->ra, b);
    gen_pages_begin(g);
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
        if (gen_x87_flush_before(g, o)) {
            gen_x87_flush(g);
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
                    g->chains->len * sizeof(ChainSlot) + gen_target_table_size(g) +
                    g->ways_in->len * sizeof(WayIn) + 256;
    const CodeMark before = code_buffer_mark(g->buffer);

    for (guint i = 0; i < g->fixups->len; i++) {
        const Fixup *f = &g_array_index(g->fixups, Fixup, i);
        x_patch32(f->at, g->block_at[f->block]);
    }
    if ((size_t)(g->end - g->a.p) < tables || g->insns->len > UINT16_MAX) {
        return false;
    }
    c->size = (uint32_t)(g->hot_end - g->start);
    c->cold_size = (uint32_t)(g->a.p - code_cold(c));
    g->buffer->ptr = (uint8_t *)(((uintptr_t)g->hot_end + 15) & ~(uintptr_t)15);
    g->buffer->cold = g->a.p;
    if (!chains_place(g->buffer, c, g->chains)) {
        code_buffer_release(g->buffer, before);
        return false;
    }
    side_tables_append(g->buffer, c, g->side, g->insns, g->ways_in);
    gen_target_table(g);
    perf_map_add(c->entry, c->size, "guest", g->cb->key.pc);
    perf_map_add(code_cold(c), c->cold_size, "guest-cold", g->cb->key.pc);
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
    g->first_page_val = g->ra.first_extra;
    gen_targets_begin(g);
    gen_note_page(g);
    cb->code.chained = (uint16_t)(g->a.p - g->start);      /* chained jumps stay in the page */
    poll = gen_poll(g);
    gen_streams_begin(g);
    gen_streams_enter(g);
    ra_entry_moves(&g->ra);
    for (IrBlock *b = f->entry; b; b = b->next) {
        if (b->cold && b != f->entry) {
            go_cold(g);
        }
        if (!gen_block(g, b)) {
            return false;
        }
    }
    go_cold(g);
    gen_stubs(g);
    gen_target_misses(g);
    gen_ways_in(g);
    gen_chain_exits(g);
    gen_lookup_misses(g);
    if (!gen_has_room(g)) {
        return false;
    }
    gen_poll_exit(g, poll);
    /* Too many values at once: as if the buffer were full, so that a shorter block is tried. */
    return !g->ra.frame_full && finish_function(g);
}

/* ---------------------------------------------------------------- the engine */

/* One function is made at a time, under the translator's lock; nothing of this outlives it. */
static Gen the_gen;

static bool engine_init(CodeBuffer *c, const CpuArch *arch, GError **error)
{
    Gen *g = &the_gen;

    if (c->size < 1024 * 1024) {
        return fail(error, "code buffer of %zu bytes is too small", c->size);
    }
    host_features_detect(&g->host);
    host_features_limit(&g->host, g->level);
    if (!g->fixups) {
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
        ra_init(&g->ra, &gen_ra_host, g, FRAME_SAVE, FRAME_MAX, MAX_GROUPS);
        g->groups = g_array_new(FALSE, FALSE, sizeof(PageGroup));
        g->group_at = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    }
    g->arch = arch;
    g->bias = (int32_t)arch->env_offset;
    g->halves_size = 0;
    for (unsigned v = 0; v < arch->num_vars; v++) {
        if (arch->vars[v].low) {        /* the same for all of them, which lie together */
            g->halves_at = g->halves_size ? g->halves_at : arch->vars[v].offset;
            g->halves_size = arch->vars[v].offset + 16 - g->halves_at;
            g->high_gap = arch->vars[arch->vars[v].high - 1].offset - arch->vars[v].offset;
        }
    }
    g->a = (Asm){.p = c->base, .avx = g->host.avx};
    gen_common_stubs(g);
    c->ptr = (uint8_t *)(((uintptr_t)g->a.p + 63) & ~(uintptr_t)63);
    code_buffer_split(c, (size_t)(c->end - c->ptr) / 8 * 3); /* about what either part takes */
    perf_map_add(c->base, (size_t)(c->ptr - c->base), "common-stubs", 0);
    return true;
}

static CodeFirst engine_generate_first(CodeBuffer *c, IrFunc *f, CodeBlock *cb, int32_t *trips)
{
    return gen_first(&the_gen, c, f, cb, trips);
}

static CodeFirst engine_generate_direct(CodeBuffer *c, Cpu *cpu, const BlockKey *key, CodeBlock *cb,
                                        unsigned max_insns, int32_t *trips)
{
    return gen_direct(&the_gen, c, cpu, key, cb, max_insns, trips);
}

static bool engine_generate(CodeBuffer *c, IrFunc *f, CodeBlock *cb, bool opt)
{
    if (opt) {
        f->join_halves = the_gen.host.avx2;
        ir_optimize(f);
    } else {
        ir_finish(f);
    }
    ir_analyze_vars(f);
    return gen_function(&the_gen, c, f, cb);
}

typedef struct ExitResult { CodeBlock *cb; uint64_t reason; } ExitResult;
typedef ExitResult EnterFn(void *env, const void *code);

static unsigned engine_run(Cpu *cpu, CodeBlock *cb, CodeBlock **last)
{
    EnterFn *enter = (EnterFn *)(uintptr_t)the_gen.enter;
    ExitResult r = enter((char *)cpu + the_gen.bias, cb->code.entry);

    *last = r.cb;
    return (unsigned)r.reason;
}

static void engine_chain(CodeBlock *from, unsigned slot, CodeBlock *to)
{
    const uint8_t *start = from->code.entry;
    const ChainSlot *c = &from->code.chains[slot];
    uint8_t *site = (uint8_t *)(uintptr_t)start + c->site + 1;
    const uint8_t *target =
        to ? (const uint8_t *)to->code.entry + to->code.chained : start + c->reset;
    int32_t d = (int32_t)(target - (site + 4));

    if (c->site) {
        __atomic_store_n((int32_t *)(void *)site, d, __ATOMIC_RELEASE);
    }
}

/* No register is in use between blocks. */
static bool engine_chain_counted(CodeBuffer *c, CodeBlock *from, unsigned slot, CodeBlock *to)
{
    const ChainSlot *s = &from->code.chains[slot];
    uint8_t *start = (uint8_t *)(uintptr_t)from->code.entry;
    Asm *a = &the_gen.a;
    uint8_t *stub;

    if (!s->site || c->end - c->ptr < 64) {
        return false;
    }
    stub = a->p = c->ptr;
    x_mov_ri(a, RAX, (uintptr_t)&to->heat);
    x_alu_mi(a, 0, ALU_SUB, mem_bd(RAX, 0), 1);
    x_jcc(a, CC_S, start + s->reset);
    x_jmp(a, (const uint8_t *)to->code.entry + to->code.chained);
    c->ptr = (uint8_t *)(((uintptr_t)a->p + 15) & ~(uintptr_t)15);
    __atomic_store_n((int32_t *)(void *)(start + s->site + 1),
                     (int32_t)(stub - (start + s->site + 5)), __ATOMIC_RELEASE);
    return true;
}

static const void *engine_count_entry(CodeBuffer *c, CodeBlock *to)
{
    Asm *a = &the_gen.a;
    const uint8_t *stub;

    if (c->end - c->ptr < 64) {
        return NULL;
    }
    stub = a->p = c->ptr;
    x_mov_ri(a, RAX, (uintptr_t)&to->heat);
    x_alu_mi(a, 0, ALU_SUB, mem_bd(RAX, 0), 1);
    x_jcc(a, CC_S, the_gen.give_up);
    x_jmp(a, to->code.entry);
    c->ptr = (uint8_t *)(((uintptr_t)a->p + 15) & ~(uintptr_t)15);
    return stub;
}

/* Without capstone: the bytes. dump-capstone.c's definition wins. */
__attribute__((weak)) void gen_disassemble(const uint8_t *p, size_t size, GString *out)
{
    for (size_t i = 0; i < size; i += 16) {
        g_string_append_printf(out, "%p: ", (const void *)(p + i));
        for (size_t j = i; j < i + 16 && j < size; j++) {
            g_string_append_printf(out, " %02x", p[j]);
        }
        g_string_append_c(out, '\n');
    }
}

static void engine_dump(const CodeBlock *cb, GString *out)
{
    gen_disassemble(cb->code.entry, cb->code.size, out);
    g_string_append_c(out, '\n');
    gen_disassemble(code_cold(&cb->code), cb->code.cold_size, out);
}

static bool engine_has_v256(void)
{
    return the_gen.host.avx2;
}

static const CodeEngine engine_x86_64 = {
    .name = "x86-64",
    .has_v256 = engine_has_v256,
    .init = engine_init,
    .generate = engine_generate,
    .generate_first = engine_generate_first,
    .first_has = gen_first_has,
    .generate_direct = engine_generate_direct,
    .run = engine_run,
    .chain = engine_chain,
    .chain_counted = engine_chain_counted,
    .count_entry = engine_count_entry,
    .dump = engine_dump,
};

bool engine_native_limit(unsigned level)
{
    the_gen.level = level < HOST_LEVELS ? HOST_LEVELS - level : 0;
    return level < HOST_LEVELS;
}

const CodeEngine *engine_native(void)
{
    return &engine_x86_64;
}
