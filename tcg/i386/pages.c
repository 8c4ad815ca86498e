// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TLB checks done once: accesses of a block whose addresses are one value plus small constants form
 * a group. The first one checks that the whole range of the group lies in one page, which may be
 * read or written as the group does, and keeps the page's addend in a register; the others only
 * test that it is still there. A slow path clears it (memory may be mapped differently after it),
 * and so does needing the register; what may change the TLB otherwise (calls) ends the groups.
 */
#include <string.h>
#include "tcg/i386/gen.h"

enum { MAX_SPAN = 256, MAX_OPEN = 8 };

/* v as base + offset. */
static uint32_t split_address(const IrFunc *f, uint32_t v, int64_t *offset)
{
    const IrOp *o = &f->ops[f->values[v].def];

    *offset = 0;
    if (f->values[v].is_const) {
        return 0;
    }
    if (o->opcode == OP_ADD && f->values[o->args[1]].is_const) {
        int64_t k = (int64_t)f->values[o->args[1]].k;
        if (k > -(1 << 30) && k < 1 << 30) {
            *offset = k;
            return o->args[0];
        }
    }
    return v;
}

static PageGroup *find_open(Gen *g, uint32_t *open, unsigned n, const PageGroup *want)
{
    for (unsigned i = 0; i < n; i++) {
        PageGroup *p = &g_array_index(g->groups, PageGroup, open[i]);
        if (p->base == want->base && p->mmu == want->mmu &&
            MAX(p->hi, want->hi) - MIN(p->lo, want->lo) <= MAX_SPAN) {
            return p;
        }
    }
    return NULL;
}

void gen_pages_begin(Gen *g)
{
    uint32_t open[MAX_OPEN];
    unsigned num_open = 0;

    g_array_set_size(g->groups, 0);
    g_array_set_size(g->group_at, g->ra.num_ops);
    for (uint32_t pos = 0; pos < g->ra.num_ops; pos++) {
        const IrOp *o = &g->f->ops[g->ra.ops[pos]];
        bool load = o->opcode == OP_LOAD;
        uint16_t *at = &g_array_index(g->group_at, uint16_t, pos);
        *at = NO_GROUP;
        if (o->opcode == OP_CALL && !(o->call.helper->flags & HELPER_INSN)) {
            num_open = 0;
        }
        if (!(load || o->opcode == OP_STORE) || o->mem.op & (MEM_ALIGN | MEM_BIG) ||
            (o->mem.op & MEM_SIZE) > MEM_256) {
            continue;
        }
        PageGroup want = {.mmu = o->mem.mmu, .read = load, .write = !load};
        want.base = split_address(g->f, o->args[!load], &want.lo);
        want.hi = want.lo + (1 << (o->mem.op & MEM_SIZE));
        PageGroup *p = want.base ? find_open(g, open, num_open, &want) : NULL;
        if (p) {
            p->lo = MIN(p->lo, want.lo);
            p->hi = MAX(p->hi, want.hi);
            p->last = pos;
            p->read |= load;
            p->write |= !load;
            *at = (uint16_t)(p - &g_array_index(g->groups, PageGroup, 0));
        } else if (want.base && g->groups->len < MAX_GROUPS) {
            want.last = pos;
            want.val = g->first_page_val + g->groups->len;
            g->ra.vals[want.val] = (RaVal){.next_use = RA_NEVER, .reg = -1, .type = IR_I64};
            *at = (uint16_t)g->groups->len;
            if (num_open == MAX_OPEN) {
                memmove(open, open + 1, sizeof open - sizeof open[0]);
                num_open--;
            }
            open[num_open++] = g->groups->len;
            g_array_append_val(g->groups, want);
        }
    }
}

PageGroup *gen_page_group(Gen *g, const IrOp *o, int64_t *offset)
{
    uint16_t at = g_array_index(g->group_at, uint16_t, g->ra.pos);

    if (at == NO_GROUP) {
        return NULL;
    }
    split_address(g->f, o->args[o->opcode == OP_STORE], offset);
    return &g_array_index(g->groups, PageGroup, at);
}

RegSet gen_page_regs(const Gen *g)
{
    RegSet set = 0;

    for (guint i = 0; i < g->groups->len; i++) {
        int reg = g->ra.vals[g->first_page_val + i].reg;
        set |= reg >= 0 ? REG_BIT(reg) : 0;
    }
    return set;
}
