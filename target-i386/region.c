// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Regions: the blocks that a hot block reaches inside its page, loops included, as one IR function,
 * so that guest registers stay in host registers from block to block and from round to round.
 *
 * A node is a place of the guest's code together with what is known there of the flags: two ways to
 * a place with different flags pending lead to two copies of it, which keeps comparisons and
 * branches together and cc_op out of memory; from the third on it is the copy that knows nothing.
 * Only code that has run before (the guide knows) is taken in. Every cycle has a branch to a lower
 * or equal
 * address: these look at `attention`.
 */
#include "target-i386/region.h"

enum { MAX_NODES = 80, MAX_COPIES = 2, MAX_INSNS = 512 };

typedef struct Node {
    uint64_t pc;                /* linear */
    unsigned cc_op;             /* CcOp, home does not have it; or CC_DYNAMIC */
    IrBlock *block;
    X86Stack x87;               /* as the first way here leaves it */
    bool target;                /* jumps to values get here */
} Node;

struct X86Region {
    RegionGuide *guide;
    Node node[MAX_NODES];
    unsigned num_nodes;
    uint8_t todo[MAX_NODES];    /* a stack of nodes that are not emitted yet */
    unsigned num_todo;
    unsigned num_chains, insns;
    unsigned ways;              /* a bit for each IrWay whose places have been taken in */
};

static Node *node_find(X86Region *r, uint64_t pc, unsigned cc_op, unsigned *copies)
{
    *copies = 0;
    for (unsigned k = 0; k < r->num_nodes; k++) {
        if (r->node[k].pc == pc) {
            if (r->node[k].cc_op == cc_op) {
                return &r->node[k];
            }
            *copies += r->node[k].cc_op != CC_DYNAMIC;
        }
    }
    return NULL;
}

/* The node for pc with these flags pending, NULL: it is not taken in. */
static Node *node_for(X86Ctx *s, uint64_t pc, unsigned cc_op)
{
    X86Region *r = s->region;
    unsigned copies;
    Node *n = node_find(r, pc, cc_op, &copies);

    if (!n && cc_op != CC_DYNAMIC && copies >= MAX_COPIES) {
        cc_op = CC_DYNAMIC;
        n = node_find(r, pc, cc_op, &copies);
    }
    if (n) {
        return n;
    }
    if (r->num_nodes == MAX_NODES || r->insns >= MAX_INSNS || ir_full(s->b) ||
        !r->guide->has_run(r->guide->opaque, pc)) {
        return NULL;
    }
    n = &r->node[r->num_nodes];
    *n = (Node){.pc = pc, .cc_op = cc_op, .block = ir_block(s->b), .x87 = s->x87};
    r->todo[r->num_todo++] = (uint8_t)r->num_nodes++;
    return n;
}

void x86_region_exit(X86Ctx *s, uint64_t rip, uint64_t linear)
{
    X86Region *r = s->region;

    x86_sync(s);
    if (r->num_chains < IR_CHAINS) {
        ir_exit_chain(s->b, r->num_chains++, linear);
    } else {
        ir_set(s->b, V_RIP, x86_pc(s, rip));
        ir_exit_lookup(s->b, x86_pc(s, linear));
    }
}

bool x86_region_jump(X86Ctx *s, uint64_t rip, uint64_t linear)
{
    Node *n = node_for(s, linear, s->cc_op);
    bool stale = s->cc_stale;

    if (!n) {
        return false;
    }
    if (n->cc_op == CC_DYNAMIC) {
        x86_sync(s);
    }
    if (linear > s->pc) {
        ir_br(s->b, n->block);
    } else {
        IrBlock *attention = ir_cold_block(s->b);
        IrVal v = ir_env_load(s->b, IR_I32, offsetof(Cpu, attention), MEM_32);
        ir_brcond(s->b, COND_NE, v, ir_i32(s->b, 0), attention, n->block);
        ir_place(s->b, attention);
        x86_region_exit(s, rip, linear);
    }
    s->cc_stale = stale;
    return true;
}

static void take_target(X86Ctx *s, uint64_t linear)
{
    Node *n = node_for(s, linear, CC_DYNAMIC);

    if (n && !n->target && n != s->region->node) {
        n->target = ir_target(s->b, linear, n->block);
    }
}

void x86_region_targets(X86Ctx *s, IrWay way)
{
    X86Region *r = s->region;
    uint64_t pc[IR_TARGETS];

    if (way == WAY_RETURN || r->ways >> way & 1) {     /* calls name where returns lead */
        return;
    }
    r->ways |= 1u << way;
    for (unsigned n = r->guide->reached(r->guide->opaque, way, pc, IR_TARGETS); n-- > 0;) {
        take_target(s, pc[n]);
    }
}

void x86_region_call(X86Ctx *s, uint64_t linear)
{
    uint64_t back = s->code64 ? s->next : (uint32_t)(s->next + s->base);

    if ((back ^ s->page) < 4096 && (linear == X86_NOWHERE || (linear ^ s->page) < 4096)) {
        take_target(s, back);
    }
}

bool x86_region_meets(X86Ctx *s)
{
    unsigned copies;

    return node_find(s->region, s->pc, s->cc_op, &copies) != NULL;
}

void x86_region_covers(X86Ctx *s, unsigned len)
{
    X86Region *r = s->region;
    unsigned from = s->pc & 4095;

    r->insns++;
    for (unsigned u = from / 8; u <= (from + len - 1) / 8; u++) {
        r->guide->cover[u / 64] |= 1ull << (u % 64);
    }
}

/* Nodes that there is no room for any more leave. */
static void emit_node(X86Ctx *s, const Node *n)
{
    ir_place(s->b, n->block);
    s->pc = n->pc;
    s->cc_op = n->cc_op;
    s->cc_stale = n->cc_op != CC_DYNAMIC;
    s->cc_block = NULL;
    s->x87 = n->x87;
    s->x87.known = false;
    s->ended = false;
    ir_discard(s->b, V_RIP);        /* as behind a chained jump */
    if (s->region->insns >= MAX_INSNS + MAX_INSNS / 4 || ir_full(s->b)) {
        ir_no_target(s->b, n->block);
        x86_region_exit(s, s->code64 ? s->pc : (uint32_t)(s->pc - s->base), s->pc);
        return;
    }
    x86_translate_run(s, MAX_INSNS);
}

void x86_translate_region(Cpu *cpu, IrBuilder *b, const BlockKey *key, RegionGuide *guide)
{
    X86Region r = {.guide = guide};
    X86Ctx s = x86_context(cpu, b, key);

    s.region = &r;
    s.code = cpu_fetch_page(cpu, key->pc, NULL);
    r.node[r.num_nodes++] =
        (Node){.pc = key->pc, .cc_op = CC_DYNAMIC, .block = ir_block(b), .x87 = s.x87};
    ir_br(b, r.node[0].block);
    r.todo[r.num_todo++] = 0;
    while (r.num_todo) {
        emit_node(&s, &r.node[r.todo[--r.num_todo]]);
    }
    ir_set_extent(b, r.insns, 1);
}
