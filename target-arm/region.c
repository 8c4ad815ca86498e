// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Regions (docs/devel/tcg.md): the blocks that a hot block reaches inside its page, loops included,
 * as one IR function. A node is a place of the guest's code with what is known there of the flags:
 * a second way to it with other flags pending makes a copy, and further ones meet where nothing is
 * known, which takes no code, since cc_a, cc_b and cc_op are always set. Keys have no IT state: a
 * jump with one leaves by look-up. Every cycle has a branch to a lower or equal address, which
 * looks at `attention`.
 */
#include "target-arm/translate.h"

#include <string.h>

enum { MAX_NODES = 80, MAX_COPIES = 2, MAX_INSNS = 512 };

typedef struct Node {
    uint64_t pc;
    unsigned cc_op;             /* CcOp or CC_DYNAMIC */
    IrBlock *block;
    bool target;                /* jumps to values get here */
    bool emitted;
} Node;

struct ArmRegion {
    RegionGuide *guide;
    Node node[MAX_NODES];
    unsigned num_nodes;
    uint8_t todo[MAX_NODES];    /* a stack of nodes that are not emitted yet */
    unsigned num_todo, num_chains, insns;
    unsigned ways;              /* a bit for each IrWay whose places have been taken in */
};

static Node *node_find(ArmRegion *r, uint64_t pc, unsigned cc_op, unsigned *copies)
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

/* The node for pc with these flags pending; NULL: it is not taken in. */
static Node *node_for(ArmCtx *s, uint64_t pc, unsigned cc_op)
{
    ArmRegion *r = s->region;
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
    *n = (Node){.pc = pc, .cc_op = cc_op, .block = ir_block(s->b)};
    r->todo[r->num_todo++] = (uint8_t)r->num_nodes++;
    return n;
}

static void leave(ArmCtx *s, uint64_t pc)
{
    ArmRegion *r = s->region;

    if (r->num_chains < IR_CHAINS) {
        ir_exit_chain(s->b, r->num_chains++, pc);
    } else {
        ir_set(s->b, V_PC, arm_pc(s, pc));
        ir_exit_lookup(s->b, arm_pc(s, pc));
    }
}

void arm_region_jump(ArmCtx *s, uint64_t pc)
{
    Node *n = node_for(s, pc, s->cc_op);

    if (!n) {
        leave(s, pc);
    } else if (pc > s->pc) {
        ir_br(s->b, n->block);
    } else {
        IrBlock *attention = ir_cold_block(s->b);
        IrVal v = ir_env_load(s->b, IR_I32, offsetof(Cpu, attention), MEM_32);

        ir_brcond(s->b, COND_NE, v, ir_i32(s->b, 0), attention, n->block);
        ir_place(s->b, attention);
        leave(s, pc);
    }
}

/* PSTATE.BTYPE is looked at where jumps to values land. */
static bool guarded(const ArmCtx *s)
{
    return (s->mode & (MODE_A32 | MODE_BTI)) == MODE_BTI;
}

static void take_target(ArmCtx *s, uint64_t pc)
{
    Node *n = node_for(s, pc, CC_DYNAMIC);

    if (n && !n->target && n != s->region->node && !(n->emitted && guarded(s))) {
        n->target = ir_target(s->b, pc, n->block);
    }
}

void arm_region_targets(ArmCtx *s, IrWay way)
{
    ArmRegion *r = s->region;
    uint64_t pc[IR_TARGETS];

    if (way == WAY_RETURN || r->ways >> way & 1) {     /* calls name where returns lead */
        return;
    }
    r->ways |= 1u << way;
    for (unsigned n = r->guide->reached(r->guide->opaque, way, pc, IR_TARGETS); n-- > 0;) {
        take_target(s, pc[n]);
    }
}

void arm_region_call(ArmCtx *s, uint64_t pc)
{
    if ((s->next ^ s->page) < 4096 && (pc == ARM_NOWHERE || (pc ^ s->page) < 4096)) {
        take_target(s, s->next);
    }
}

bool arm_region_meets(ArmCtx *s)
{
    ArmRegion *r = s->region;
    unsigned copies;

    return r->insns >= MAX_INSNS + MAX_INSNS / 4 ||
           (!s->it && node_find(r, s->pc, s->cc_op, &copies));
}

void arm_region_covers(ArmCtx *s)
{
    uint64_t *cover = s->region->guide->cover;

    s->region->insns++;
    for (unsigned at = s->pc & 4095, k = 0; k < 2 && at < 4096; k++, at += 2) {
        cover[at / 512] |= 1ull << (at / 8 % 64);
    }
}

void arm_translate_region(Cpu *cpu, IrBuilder *b, const BlockKey *key, RegionGuide *guide)
{
    ArmRegion r = {.guide = guide};
    ArmCtx s;

    bool a32 = key->mode & MODE_A32;

    if (key->mode & (MODE_SS | MODE_IL | (a32 ? MODE_IT : 0)) ||
        key->pc & (a32 && key->mode & MODE_THUMB ? 1 : 3)) {
        memset(guide->cover, 0xff, sizeof(guide->cover));
        arm_translate(cpu, b, key, MAX_INSNS);
        return;
    }
    s = arm_context(cpu, b, key);
    s.region = &r;
    r.node[r.num_nodes++] = (Node){.pc = key->pc, .cc_op = CC_DYNAMIC, .block = ir_block(b)};
    r.todo[r.num_todo++] = 0;

    const uint8_t *page = cpu_fetch_page(cpu, key->pc, NULL);

    if (guarded(&s)) {
        ir_insn(b, key->pc, META_INSN);
        arm_check_landing(&s, cpu, page);
    }
    ir_br(b, r.node[0].block);

    while (r.num_todo) {
        Node *n = &r.node[r.todo[--r.num_todo]];
        uint64_t pc = n->pc;

        ir_place(b, n->block);
        s.pc = pc;
        s.cc_op = n->cc_op;
        s.cc_block = NULL;
        s.zcleared = 0;
        s.it = 0;
        s.ended = false;
        n->emitted = true;
        ir_discard(b, V_PC);    /* as behind a chained jump */
        if (n->target && guarded(&s)) {
            ir_insn(b, pc, META_INSN);
            arm_check_landing(&s, cpu, page);
        }
        if (r.insns >= MAX_INSNS + MAX_INSNS / 4 || ir_full(b)) {
            ir_no_target(b, n->block);
            leave(&s, pc);
        } else {
            arm_translate_run(&s, cpu, page, MAX_INSNS);
        }
    }
    ir_set_extent(b, r.insns, 1);
}
