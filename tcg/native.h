// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the back ends of all hosts do alike: which variables a cold path writes home, the table of
 * a function's own targets, and the side tables behind its code.
 */
#ifndef TCG_NATIVE_H
#define TCG_NATIVE_H

#include "tcg/codegen.h"
#include "tcg/regalloc.h"

/* A dirty variable at a place that may fault. */
typedef struct StubVar {
    uint32_t var;
    int8_t reg; /* or -1: then a constant, or in memory */
    bool is_const;
    uint64_t bits;
    RaPlace place;
} StubVar;

/* Appends to `vars` what a cold path at this place must write home: *num from *first on. */
void stub_vars_note(GArray *vars, Ra *ra, const IrFunc *f, uint32_t *first, uint32_t *num);
/* The same where an exit_lookup finds no target, behind ra_targets_begin(). */
void stub_vars_note_targets(GArray *vars, Ra *ra, const IrFunc *f, uint32_t *first, uint32_t *num);

/* Nothing but an exit, reached from one place. */
bool block_only_exits(const IrFunc *f, const IrBlock *b);

/* Targets of a function lie in one page of the smallest size that guests have. */
enum {
    JUMP_PAGE_BITS = 12
};
/* Of the table that computed jumps within a function go through. Generated code reads it. */
typedef struct TargetEntry {
    uint64_t pc; /* of a block for anywhere: from the page's start */
    uintptr_t code;
} TargetEntry;
G_STATIC_ASSERT(sizeof(TargetEntry) == 16);

/* Which bits of a pc are the index. */
typedef struct TargetIndex {
    unsigned shift, bits;
} TargetIndex;

/* The index of the smallest table without collisions, or of the largest with the fewest. */
TargetIndex target_index_of(const IrFunc *f);
/* Whether the value may be the pc of one of the function's targets. */
bool target_is_possible(const Ra *ra, const IrFunc *f, uint32_t pc);
/* t has room for 1 << x->bits. block_at: the code of blocks by their id. */
void target_table_fill(TargetEntry *t, const TargetIndex *x, const IrFunc *f, bool anywhere,
                       uint8_t *const *block_at);

/* Puts an array's rows into the code buffer's part for tables. */
void *table_append(CodeBuffer *b, const GArray *a, size_t size);
/* Side points, instructions and ways in, in the order of code_ways_in(). */
void side_tables_append(CodeBuffer *b, GeneratedCode *c, const GArray *side, const GArray *insns,
                        const GArray *ways_in);
/* The slots of the block's direct exits. False: no room. */
bool chains_place(CodeBuffer *b, GeneratedCode *c, const GArray *chains);
/* What ir_set_extent() said. */
void block_extent(CodeBlock *cb, const IrFunc *f);

#endif
