// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Regions: the blocks that a hot block reaches inside its page, loops included, as one IR function,
 * so that guest registers stay in host registers from block to block and from round to round
 * (include/tcg/region-nodes.h). Copies of a place for the flags that are pending keep comparisons
 * and branches together and cc_op out of memory.
 */
#include "target-i386/region.h"
#include "tcg/region-nodes.h"

struct X86Region {
    RegionNodes nodes;
    X86Stack x87[REGION_NODES]; /* as the first way to a node leaves it */
};

/* The node for pc with these flags pending, NULL: it is not taken in. */
static RegionNode *node_for(X86Ctx *s, uint64_t pc, unsigned cc_op)
{
    RegionNodes *r = &s->region->nodes;
    unsigned before = r->num;
    RegionNode *n = region_node(r, pc, cc_op);

    if (r->num > before) {
        s->region->x87[before] = s->x87;
    }
    return n;
}

void x86_region_exit(X86Ctx *s, uint64_t rip, uint64_t linear)
{
    x86_sync(s);
    if (!region_chain(&s->region->nodes, linear)) {
        ir_set(s->b, V_RIP, x86_pc(s, rip));
        ir_exit_lookup(s->b, x86_pc(s, linear));
    }
}

bool x86_region_jump(X86Ctx *s, uint64_t rip, uint64_t linear)
{
    RegionNode *n = node_for(s, linear, s->cc_op);
    bool stale = s->cc_stale;

    if (!n) {
        return false;
    }
    if (n->flags == CC_DYNAMIC) {
        x86_sync(s);
    }
    if (region_go(&s->region->nodes, n, linear <= s->pc)) {
        x86_region_exit(s, rip, linear);
    }
    s->cc_stale = stale;
    return true;
}

static void take_target(X86Ctx *s, uint64_t linear)
{
    RegionNode *n = node_for(s, linear, CC_DYNAMIC);

    if (n && !n->target && n != s->region->nodes.node) {
        n->target = ir_target(s->b, linear, n->block);
    }
}

void x86_region_targets(X86Ctx *s, IrWay way)
{
    uint64_t pc[IR_TARGETS];

    for (unsigned n = region_ways(&s->region->nodes, way, pc); n-- > 0;) {
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
    return region_has(&s->region->nodes, s->pc, s->cc_op);
}

void x86_region_covers(X86Ctx *s, unsigned len)
{
    RegionNodes *r = &s->region->nodes;
    unsigned from = s->pc & 4095;

    r->insns++;
    for (unsigned u = from / 8; u <= (from + len - 1) / 8; u++) {
        r->guide->cover[u / 64] |= 1ull << (u % 64);
    }
}

/* Nodes that there is no room for any more leave. */
static void emit_node(X86Ctx *s, const RegionNode *n)
{
    RegionNodes *r = &s->region->nodes;

    s->pc = n->pc;
    s->cc_op = n->flags;
    s->cc_stale = n->flags != CC_DYNAMIC;
    s->cc_block = NULL;
    s->x87 = s->region->x87[n - r->node];
    s->x87.known = false;
    s->ended = false;
    ir_discard(s->b, V_RIP);        /* as behind a chained jump */
    if (region_is_full(r) || ir_full(s->b)) {
        ir_no_target(s->b, n->block);
        x86_region_exit(s, s->code64 ? s->pc : (uint32_t)(s->pc - s->base), s->pc);
        return;
    }
    x86_translate_run(s, REGION_INSNS);
}

void x86_translate_region(Cpu *cpu, IrBuilder *b, const BlockKey *key, RegionGuide *guide)
{
    X86Region r;
    X86Ctx s = x86_context(cpu, b, key);
    const RegionNode *n;

    s.region = &r;
    s.code = cpu_fetch_page(cpu, key->pc, NULL);
    region_begin(&r.nodes, b, guide, key->pc, CC_DYNAMIC);
    r.x87[0] = s.x87;
    ir_br(b, r.nodes.node[0].block);
    while ((n = region_next(&r.nodes)) != NULL) {
        emit_node(&s, n);
    }
    ir_set_extent(b, r.nodes.insns, 1);
}
