// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The nodes of a region while it is made (include/tcg/region-nodes.h). Every cycle has a branch to
 * a lower or equal address, which looks at `attention`.
 */
#include "tcg/region-nodes.h"

enum {
    MAX_COPIES = 2
};

static RegionNode *find(const RegionNodes *r, uint64_t pc, unsigned flags, unsigned *copies)
{
    *copies = 0;
    for (unsigned k = 0; k < r->num; k++) {
        const RegionNode *n = &r->node[k];

        if (n->pc == pc) {
            if (n->flags == flags) {
                return (RegionNode *)n;
            }
            *copies += n->flags != r->nothing;
        }
    }
    return NULL;
}

static RegionNode *add(RegionNodes *r, uint64_t pc, unsigned flags)
{
    RegionNode *n = &r->node[r->num];

    *n = (RegionNode){.pc = pc, .flags = flags, .block = ir_block(r->b)};
    r->todo[r->num_todo++] = (uint8_t)r->num++;
    return n;
}

void region_begin(RegionNodes *r, IrBuilder *b, RegionGuide *guide, uint64_t pc, unsigned nothing)
{
    *r = (RegionNodes){.b = b, .guide = guide, .nothing = nothing};
    add(r, pc, nothing);
}

bool region_has(const RegionNodes *r, uint64_t pc, unsigned flags)
{
    unsigned copies;

    return find(r, pc, flags, &copies) != NULL;
}

RegionNode *region_node(RegionNodes *r, uint64_t pc, unsigned flags)
{
    unsigned copies;
    RegionNode *n = find(r, pc, flags, &copies);

    if (!n && flags != r->nothing && copies >= MAX_COPIES) {
        flags = r->nothing;
        n = find(r, pc, flags, &copies);
    }
    if (n) {
        return n;
    }
    if (r->num == REGION_NODES || r->insns >= REGION_INSNS || ir_full(r->b) ||
        !r->guide->has_run(r->guide->opaque, pc)) {
        return NULL;
    }
    return add(r, pc, flags);
}

RegionNode *region_next(RegionNodes *r)
{
    RegionNode *n;

    if (!r->num_todo) {
        return NULL;
    }
    n = &r->node[r->todo[--r->num_todo]];
    n->emitted = true;
    ir_place(r->b, n->block);
    return n;
}

bool region_is_full(const RegionNodes *r)
{
    return r->insns >= REGION_INSNS + REGION_INSNS / 4;
}

bool region_go(RegionNodes *r, const RegionNode *n, bool back)
{
    IrBuilder *b = r->b;

    if (!back) {
        ir_br(b, n->block);
        return false;
    }
    IrBlock *attention = ir_cold_block(b);
    IrVal v = ir_env_load(b, IR_I32, offsetof(Cpu, attention), MEM_32);

    ir_brcond(b, COND_NE, v, ir_i32(b, 0), attention, n->block);
    ir_place(b, attention);
    return true;
}

bool region_chain(RegionNodes *r, uint64_t pc)
{
    if (r->num_chains == IR_CHAINS) {
        return false;
    }
    ir_exit_chain(r->b, r->num_chains++, pc);
    return true;
}

unsigned region_ways(RegionNodes *r, IrWay way, uint64_t pc[IR_TARGETS])
{
    if (way == WAY_RETURN || r->ways >> way & 1) { /* calls name where returns lead */
        return 0;
    }
    r->ways |= 1u << way;
    return r->guide->reached(r->guide->opaque, way, pc, IR_TARGETS);
}
