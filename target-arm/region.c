// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Regions (docs/devel/tcg.md): the blocks that a hot block reaches inside its page, loops included,
 * as one IR function (include/tcg/region-nodes.h). Knowing nothing of the flags takes no code,
 * since cc_a, cc_b and cc_op are always set. Keys have no IT state: a jump with one leaves by
 * look-up.
 */
#include "target-arm/translate.h"
#include "tcg/region-nodes.h"

#include <string.h>

struct ArmRegion {
    RegionNodes nodes;
};

static void leave(ArmCtx *s, uint64_t pc)
{
    if (!region_chain(&s->region->nodes, pc)) {
        ir_set(s->b, V_PC, arm_pc(s, pc));
        ir_exit_lookup(s->b, arm_pc(s, pc));
    }
}

void arm_region_jump(ArmCtx *s, uint64_t pc)
{
    RegionNode *n = region_node(&s->region->nodes, pc, s->cc_op);

    if (!n || region_go(&s->region->nodes, n, pc <= s->pc)) {
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
    RegionNode *n = region_node(&s->region->nodes, pc, CC_DYNAMIC);

    if (n && !n->target && n != s->region->nodes.node && !(n->emitted && guarded(s))) {
        n->target = ir_target(s->b, pc, n->block);
    }
}

void arm_region_targets(ArmCtx *s, IrWay way)
{
    uint64_t pc[IR_TARGETS];

    for (unsigned n = region_ways(&s->region->nodes, way, pc); n-- > 0;) {
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
    RegionNodes *r = &s->region->nodes;

    return region_is_full(r) || (!s->it && region_has(r, s->pc, s->cc_op));
}

void arm_region_covers(ArmCtx *s)
{
    uint64_t *cover = s->region->nodes.guide->cover;

    s->region->nodes.insns++;
    for (unsigned at = s->pc & 4095, k = 0; k < 2 && at < 4096; k++, at += 2) {
        cover[at / 512] |= 1ull << (at / 8 % 64);
    }
}

void arm_translate_region(Cpu *cpu, IrBuilder *b, const BlockKey *key, RegionGuide *guide)
{
    ArmRegion r;
    RegionNode *n;
    ArmCtx s;

    bool a32 = key->mode & MODE_A32;

    if (key->mode & (MODE_SS | MODE_IL | (a32 ? MODE_IT : 0)) ||
        key->pc & (a32 && key->mode & MODE_THUMB ? 1 : 3)) {
        memset(guide->cover, 0xff, sizeof(guide->cover));
        arm_translate(cpu, b, key, REGION_INSNS);
        return;
    }
    s = arm_context(cpu, b, key);
    s.region = &r;
    region_begin(&r.nodes, b, guide, key->pc, CC_DYNAMIC);

    const uint8_t *page = cpu_fetch_page(cpu, key->pc, NULL);

    if (guarded(&s)) {
        ir_insn(b, key->pc, META_INSN);
        arm_check_landing(&s, cpu, page);
    }
    ir_br(b, r.nodes.node[0].block);

    while ((n = region_next(&r.nodes)) != NULL) {
        uint64_t pc = n->pc;

        s.pc = pc;
        s.cc_op = n->flags;
        s.cc_block = NULL;
        s.zcleared = 0;
        s.it = 0;
        s.ended = false;
        ir_discard(b, V_PC);    /* as behind a chained jump */
        if (n->target && guarded(&s)) {
            ir_insn(b, pc, META_INSN);
            arm_check_landing(&s, cpu, page);
        }
        if (region_is_full(&r.nodes) || ir_full(b)) {
            ir_no_target(b, n->block);
            leave(&s, pc);
        } else {
            arm_translate_run(&s, cpu, page, REGION_INSNS);
        }
    }
    ir_set_extent(b, r.nodes.insns, 1);
}
