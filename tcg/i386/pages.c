// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TLB checks done once: accesses of a block whose addresses are one value plus small constants form
 * a group. The first one checks that the whole range of the group lies in one page, which may be
 * read or written as the group does, and keeps the page's addend in a register; the others only
 * test that it is still there. A slow path clears it (memory may be mapped differently after it),
 * and so does needing the register; what may change the TLB otherwise (calls) ends the groups.
 *
 * A table that is indexed by a few bits (base + index, both known only at run time) is checked from
 * its base on as well, even for a single access: the look-up then waits for the base alone, which
 * is there long before, and not for the index that came out of the last round.
 */
#include <string.h>
#include "tcg/i386/gen.h"

/* Larger tables lie in two pages too often. */
enum { MAX_SPAN = 256, MAX_TABLE = 1024, MAX_OPEN = 8 };

/* An address: base + offset, or base + something up to `most`. */
typedef struct Split {
    uint32_t base;                      /* 0: a constant */
    int64_t offset;
    uint64_t most;                      /* 0: none */
} Split;

/* What v << shift is at most, if that is not above the limit; else 0. */
static uint64_t bound(const IrFunc *f, uint32_t v, unsigned shift, uint64_t limit)
{
    uint64_t most = f->values[v].is_const ? 0 : ~f->values[v].k;

    return most <= limit >> shift ? most << shift : 0;
}

/* A table at a constant address lies in one page, or it is none. */
static bool in_page(uint64_t va, uint64_t most)
{
    return (va & ((1 << PAGE_BITS_MIN) - 1)) + most + 16 <= 1 << PAGE_BITS_MIN;
}

static Split split_address(const IrFunc *f, uint32_t v)
{
    const IrOp *o = &f->ops[f->values[v].def];
    const bool add = o->opcode == OP_ADD, shl = o->opcode == OP_ADD_SHL;
    const unsigned shift = shl ? (unsigned)o->imm[0] : 0;
    uint64_t most;

    if (f->values[v].is_const) {
        return (Split){0};
    }
    for (unsigned i = add ? 2 : shl ? 1 : 0; i-- > 0;) {
        const uint32_t base = o->args[i], index = o->args[!i];
        const uint64_t k = f->values[base].k;
        if (!f->values[base].is_const) {
            most = bound(f, index, shift, MAX_TABLE);
            if (most) {
                return (Split){.base = base, .most = most};
            }
            continue;
        }
        most = bound(f, index, shift, 1 << PAGE_BITS_MIN);
        if (most && in_page(k, most)) {
            return (Split){.offset = (int64_t)k, .most = most};
        }
        if (add && (int64_t)k > -(1 << 30) && (int64_t)k < 1 << 30) {
            return (Split){.base = index, .offset = (int64_t)k};
        }
    }
    return (Split){.base = v};
}

bool gen_is_table(const IrFunc *f, uint32_t address)
{
    return split_address(f, address).most != 0;
}

/* The group that the access would be of itself. False: it cannot share. */
static bool alone(const IrFunc *f, const IrOp *o, PageGroup *p)
{
    const bool load = o->opcode == OP_LOAD;
    const Split s = split_address(f, o->args[!load]);
    const int64_t span = (int64_t)s.most + (1 << (o->mem.op & MEM_SIZE));

    *p = (PageGroup){.base = s.base, .mmu = o->mem.mmu, .read = load, .write = !load,
                     .indexed = s.most, .lo = s.offset, .hi = s.offset + span};
    if (s.most && !s.base) {
        p->known = s.offset;
        p->lo = 0;
        p->hi = span;
        return (o->mem.op & MEM_SIZE) <= MEM_128;
    }
    return s.base;
}

static PageGroup *find_open(Gen *g, uint32_t *open, unsigned n, const PageGroup *want)
{
    for (unsigned i = 0; i < n; i++) {
        PageGroup *p = &g_array_index(g->groups, PageGroup, open[i]);
        if (p->base == want->base && p->mmu == want->mmu && p->indexed == want->indexed &&
            p->known == want->known &&
            (p->indexed || MAX(p->hi, want->hi) - MIN(p->lo, want->lo) <= MAX_SPAN)) {
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
        PageGroup want;
        if (!alone(g->f, o, &want)) {
            continue;
        }
        PageGroup *p = find_open(g, open, num_open, &want);
        if (p) {
            p->lo = MIN(p->lo, want.lo);
            p->hi = MAX(p->hi, want.hi);
            p->last = pos;
            p->read |= load;
            p->write |= !load;
            *at = (uint16_t)(p - &g_array_index(g->groups, PageGroup, 0));
        } else if (g->groups->len < MAX_GROUPS) {
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
    *offset = split_address(g->f, o->args[o->opcode == OP_STORE]).offset;
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
