// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages that loops walk through: an access whose address is a variable of a loop plus a constant,
 * or the sum of two, where these move by small steps, is most often in the page that it was in
 * before. Such addresses share a TlbStream, a page in the CPU struct at a constant place: the check
 * does not wait for a look-up by address, and is two instructions shorter. The look-up is done in
 * the cold path when the page changes.
 *
 * What is found here is a guess about speed only: each access compares its address.
 */
#include <string.h>
#include "tcg/i386/gen.h"

enum {
    MAX_STEP = 256,                     /* bytes, at once, of what is called near */
    MAX_APART = 256,                    /* of addresses that share a stream */
    MIN_WEIGHT = 2048,                  /* of all accesses of a stream: a loop (ra weights) */
    MAX_SITES = 512,
    MAX_KEYS = 48,
};

/* What a value is made of: a variable at the block's entry plus a constant. */
typedef struct Root {
    uint32_t var; /* plus 1; 0: something else */
    int64_t offset;
} Root;

typedef struct Key {
    uint32_t var[2]; /* plus 1; the second may be 0 */
    uint8_t shift, mmu;
    int64_t offset;
    uint64_t weight;
    uint8_t stream; /* plus 1; 0: none */
} Key;

typedef struct Site {
    uint32_t op;
    uint16_t key;
} Site;

typedef struct Search {
    Gen *g;
    Root *roots; /* by value */
    uint32_t *now, *now_in; /* by variable: its value in the block of that number, plus 1 */
    uint64_t *far; /* by variable: how often it is set to something that is not near */
    Key keys[MAX_KEYS];
    Site sites[MAX_SITES];
    unsigned num_keys, num_sites;
} Search;

static Root moved(Root r, int64_t by)
{
    return (Root){.var = r.var, .offset = (int64_t)((uint64_t)r.offset + (uint64_t)by)};
}

/* Of a sum with a constant. */
static Root root_of_sum(const Search *s, const IrOp *o, bool minus)
{
    const IrValue *a = &s->g->f->values[o->args[0]], *b = &s->g->f->values[o->args[1]];

    if (b->is_const) {
        return moved(s->roots[o->args[0]], (int64_t)(minus ? 0 - b->k : b->k));
    }
    return a->is_const && !minus ? moved(s->roots[o->args[1]], (int64_t)a->k) : (Root){0};
}

static Root root_of(const Search *s, const IrOp *o)
{
    switch (o->opcode) {
    case OP_ADD:
        return root_of_sum(s, o, false);
    case OP_SUB:
        return root_of_sum(s, o, true);
    case OP_TRUNC:
    case OP_ZEXTQ:
    case OP_SEXTQ:
    case OP_ZEXT32:
    case OP_SEXT32:
        return s->roots[o->args[0]];
    default:
        return (Root){0};
    }
}

static void note_var(Search *s, const IrBlock *b, const IrOp *o)
{
    const uint32_t var = o->var.var;

    if (o->opcode == OP_GET) {
        s->roots[o->dst] =
            s->now_in[var] == b->id + 1 ? s->roots[s->now[var]] : (Root){.var = var + 1};
        return;
    }
    if (o->opcode == OP_SET) {
        const Root r = s->roots[o->args[0]];
        const int64_t step =
            s->g->f->values[o->args[0]].type == IR_I32 ? (int32_t)r.offset : r.offset;
        if (r.var != var + 1 || step > MAX_STEP || step < -MAX_STEP) {
            s->far[var] += s->g->ra.weight[b->id];
        }
        s->now[var] = o->args[0];
        s->now_in[var] = b->id + 1;
    }
}

/* The address as a sum of one or two variables. */
static bool key_of(const Search *s, uint32_t address, Key *k)
{
    const IrFunc *f = s->g->f;
    const IrOp *o = &f->ops[f->values[address].def];
    const Root r = s->roots[address];

    if (f->values[address].is_const) {
        return false;
    }
    if (r.var) {
        *k = (Key){.var = {r.var}, .offset = r.offset};
        return true;
    }
    int64_t offset = 0;
    if (o->opcode == OP_ADD && f->values[o->args[1]].is_const) {
        offset = (int64_t)f->values[o->args[1]].k;
        o = &f->ops[f->values[o->args[0]].def];
    }
    if (o->opcode != OP_ADD && o->opcode != OP_ADD_SHL) {
        return false;
    }
    const bool known = f->values[o->args[0]].is_const;
    const Root a = s->roots[o->args[0]], b = s->roots[o->args[1]];
    if (!b.var || (!a.var && !known)) {
        return false;
    }
    offset = moved((Root){.offset = offset}, known ? (int64_t)f->values[o->args[0]].k : 0).offset;
    *k = (Key){.var = {b.var, a.var},
               .shift = o->opcode == OP_ADD_SHL ? (uint8_t)o->imm[0] : 0,
               .offset = moved(moved(a, b.offset), offset).offset};
    return true;
}

static void note_access(Search *s, const IrBlock *b, const IrOp *o)
{
    Key want;
    unsigned i = 0;

    if (o->mem.op & MEM_ALIGN || s->num_sites == MAX_SITES ||
        gen_is_table(s->g->f, o->args[o->opcode == OP_STORE]) ||
        !key_of(s, o->args[o->opcode == OP_STORE], &want)) {
        return;
    }
    want.mmu = o->mem.mmu;
    while (i < s->num_keys) {
        const Key *k = &s->keys[i];
        if (k->var[0] == want.var[0] && k->var[1] == want.var[1] && k->shift == want.shift &&
            k->mmu == want.mmu &&
            (uint64_t)want.offset - (uint64_t)k->offset + MAX_APART <= 2 * MAX_APART) {
            break;
        }
        i++;
    }
    if (i == MAX_KEYS) {
        return;
    }
    if (i == s->num_keys) {
        s->keys[s->num_keys++] = want;
    }
    s->keys[i].weight += s->g->ra.weight[b->id];
    s->sites[s->num_sites++] = (Site){.op = (uint32_t)(o - s->g->f->ops), .key = (uint16_t)i};
}

static void search_block(Search *s, const IrBlock *b)
{
    const IrFunc *f = s->g->f;

    for (uint32_t i = b->first; i; i = f->ops[i].next) {
        const IrOp *o = &f->ops[i];
        if (ir_op_names_var(o)) {
            note_var(s, b, o);
        } else if (o->opcode == OP_LOAD || o->opcode == OP_STORE) {
            note_access(s, b, o);
        } else if (o->dst) {
            s->roots[o->dst] = root_of(s, o);
        }
    }
}

/* Those that are gone through most often and stay near. */
static void give_streams(Search *s)
{
    Gen *g = s->g;

    while (g->num_streams < TLB_SET_STREAMS) {
        Key *best = NULL;
        for (unsigned i = 0; i < s->num_keys; i++) {
            Key *k = &s->keys[i];
            uint64_t far = s->far[k->var[0] - 1] + (k->var[1] ? s->far[k->var[1] - 1] : 0);
            if (!k->stream && k->weight >= MIN_WEIGHT && far * 4 <= k->weight &&
                (!best || k->weight > best->weight)) {
                best = k;
            }
        }
        if (!best) {
            break;
        }
        g->streams[g->num_streams++] = (StreamUse){0};
        best->stream = (uint8_t)g->num_streams;
    }
    if (!g->num_streams) {
        return;
    }
    g->stream_owner++;                  /* never the same one again */
    g->stream_at = ir_arena(g->f, g->f->num_ops);
    memset(g->stream_at, 0, g->f->num_ops);
    for (unsigned i = 0; i < s->num_sites; i++) {
        g->stream_at[s->sites[i].op] = s->keys[s->sites[i].key].stream;
    }
}

static void *zeroed(IrFunc *f, size_t size)
{
    return memset(ir_arena(f, size), 0, size);
}

void gen_streams_begin(Gen *g)
{
    IrFunc *f = g->f;
    const uint32_t vars = ir_all_vars(f);

    g->num_streams = 0;
    g->stream_at = NULL;
    if (!g->ra.weight || g->stream_owner == UINT32_MAX) {
        return;
    }
    Search *s = zeroed(f, sizeof *s);
    s->g = g;
    s->roots = zeroed(f, f->num_values * sizeof *s->roots);
    s->now = zeroed(f, (vars + 1) * sizeof *s->now);
    s->now_in = zeroed(f, (vars + 1) * sizeof *s->now_in);
    s->far = zeroed(f, (vars + 1) * sizeof *s->far);
    for (const IrBlock *b = f->entry; b; b = b->next) {
        if (!b->cold) {
            search_block(s, b);
        }
    }
    give_streams(s);
}

int gen_stream_of(const Gen *g, const IrOp *o)
{
    return g->stream_at ? g->stream_at[o - g->f->ops] - 1 : -1;
}

/* Functions share sets, but few that run together do. */
static unsigned stream_set(const Gen *g)
{
    return g->stream_owner % TLB_STREAM_SETS;
}

static Mem stream_field(const Gen *g, int stream, size_t field)
{
    const size_t n = stream_set(g) * TLB_SET_STREAMS + (size_t)stream;

    return gen_env(g, (uint32_t)(offsetof(Cpu, tlb) + offsetof(CpuTlb, streams) +
                                 n * sizeof(TlbStream) + field));
}

void gen_streams_enter(Gen *g)
{
    const Mem owner = gen_env(g, (uint32_t)(offsetof(Cpu, tlb) + offsetof(CpuTlb, stream_owner) +
                                            stream_set(g) * sizeof(uint32_t)));
    uint8_t *mine;

    if (!g->num_streams) {
        return;
    }
    x_alu_mi(&g->a, 0, ALU_CMP, owner, (int32_t)g->stream_owner);
    mine = x_jcc32(&g->a, CC_E);
    x_mov_mi(&g->a, 0, owner, (int32_t)g->stream_owner);
    for (unsigned i = 0; i < g->num_streams; i++) {
        x_mov_mi(&g->a, X_W, stream_field(g, (int)i, offsetof(TlbStream, limit)), 0);
    }
    x_patch32(mine, g->a.p);
}

uint8_t *gen_stream_check(Gen *g, const StreamAccess *x)
{
    StreamUse *u = &g->streams[x->stream];
    uint8_t *miss;

    u->span = MAX(u->span, x->last - x->first);
    u->read |= x->read;
    u->write |= x->write;
    if (x->first) {
        x_rm(&g->a, X_LEA | X_W, x->tmp, mem_bd(x->va, x->first));
    } else {
        x_mov_rr(&g->a, X_W, x->tmp, x->va);
    }
    x_alu_rm(&g->a, X_W, ALU_SUB, x->tmp, stream_field(g, x->stream, offsetof(TlbStream, page)));
    x_alu_rm(&g->a, X_W, ALU_CMP, x->tmp, stream_field(g, x->stream, offsetof(TlbStream, limit)));
    miss = x_jcc32(&g->a, CC_AE);
    x_rm(&g->a, X_MOV_RM | X_W, x->entry, stream_field(g, x->stream, offsetof(TlbStream, addend)));
    return miss;
}

void gen_stream_refill(Gen *g, const StreamAccess *x, uint32_t table, uint8_t *resume)
{
    const StreamUse *u = &g->streams[x->stream];
    const Mem limit = stream_field(g, x->stream, offsetof(TlbStream, limit));
    uint8_t *miss[3] = {NULL};
    Mem read = gen_env(g, table + (uint32_t)offsetof(TlbEntry, read));
    Mem write = gen_env(g, table + (uint32_t)offsetof(TlbEntry, write));
    Mem addend = gen_env(g, table + (uint32_t)offsetof(TlbEntry, addend));

    read.index = write.index = addend.index = (int8_t)x->entry;
    gen_tlb_entry(g, x->entry, x->va, x->first);
    x_rm(&g->a, X_LEA | X_W, x->tmp, mem_bd(x->va, x->last));
    x_alu_ri(&g->a, X_W, ALU_AND, x->tmp, -(1 << PAGE_BITS_MIN));
    if (u->read) {
        x_alu_rm(&g->a, X_W, ALU_CMP, x->tmp, read);
        miss[0] = x_jcc32(&g->a, CC_NE);
    }
    if (u->write) {
        x_alu_rm(&g->a, X_W, ALU_CMP, x->tmp, write);
        miss[1] = x_jcc32(&g->a, CC_NE);
    }
    x_rm(&g->a, X_MOV_MR | X_W, x->tmp, stream_field(g, x->stream, offsetof(TlbStream, page)));
    x_mov_mi(&g->a, X_W, limit, (1 << PAGE_BITS_MIN) - u->span);
    if (u->write) {
        /* Others clear limits after they have changed a comparator: one of both sees the other. */
        x_alu_mi(&g->a, X_LOCK, ALU_OR, mem_bd(RSP, 0), 0);
        x_alu_rm(&g->a, X_W, ALU_CMP, x->tmp, write);
        miss[2] = x_jcc32(&g->a, CC_NE);
    }
    x_rm(&g->a, X_MOV_RM | X_W, x->entry, addend);
    x_rm(&g->a, X_MOV_MR | X_W, x->entry, stream_field(g, x->stream, offsetof(TlbStream, addend)));
    x_jmp(&g->a, resume);
    if (miss[2]) {
        x_patch32(miss[2], g->a.p);
        x_mov_mi(&g->a, X_W, limit, 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (miss[i]) {
            x_patch32(miss[i], g->a.p);
        }
    }
}
