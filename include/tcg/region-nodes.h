// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the makers of regions (docs/devel/tcg.md) of all targets keep: nodes, each a place of the
 * guest's code together with what is known there of the flags, as a number of the target's own
 * (its CcOp). Two ways to a place with different flags pending lead to two copies of it; from the
 * third on it is the copy that knows nothing. Only code that has run before is taken in.
 */
#ifndef TCG_REGION_NODES_H
#define TCG_REGION_NODES_H

#include "exec/cpu.h"
#include "tcg/ir.h"

enum { REGION_NODES = 80, REGION_INSNS = 512 };

typedef struct RegionNode {
    uint64_t pc;                /* as keys of blocks have it */
    unsigned flags;
    IrBlock *block;
    bool target;                /* jumps to values get here */
    bool emitted;
} RegionNode;

typedef struct RegionNodes {
    IrBuilder *b;
    RegionGuide *guide;
    unsigned nothing;           /* `flags` of which nothing is known */
    RegionNode node[REGION_NODES];
    unsigned num;
    uint8_t todo[REGION_NODES]; /* a stack of nodes that are not emitted yet */
    unsigned num_todo;
    unsigned num_chains;
    unsigned insns;             /* taken in */
    unsigned ways;              /* a bit for each IrWay whose places have been taken in */
} RegionNodes;

/* With a first node, at pc, where nothing is known. */
void region_begin(RegionNodes *r, IrBuilder *b, RegionGuide *guide, uint64_t pc, unsigned nothing);
/* There is a node for this place with these flags. */
bool region_has(const RegionNodes *r, uint64_t pc, unsigned flags);
/* The node to go to from where `flags` are pending; NULL: the place is not taken in. */
RegionNode *region_node(RegionNodes *r, uint64_t pc, unsigned flags);
/* The next node to emit, its block begun; NULL: that was all. */
RegionNode *region_next(RegionNodes *r);
/* No more instructions fit. */
bool region_is_full(const RegionNodes *r);
/*
 * Ends the block by going on at n. True: that is backwards, and the block begun now is for leaving
 * when attention is asked for.
 */
bool region_go(RegionNodes *r, const RegionNode *n, bool back);
/* Ends the block by a chained jump; false: there are no more of them. */
bool region_chain(RegionNodes *r, uint64_t pc);
/*
 * Jumps of this kind are made: where others in the page have led, for the caller to make targets
 * of. Their number, 0 when that has been done, or calls have named the places.
 */
unsigned region_ways(RegionNodes *r, IrWay way, uint64_t pc[IR_TARGETS]);

#endif
