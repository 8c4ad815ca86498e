// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Between the two halves of the direct translation: direct.c, which decodes and walks, and
 * direct-insns.c, which has a function for each kind of instruction.
 */
#ifndef TARGET_I386_DIRECT_H
#define TARGET_I386_DIRECT_H

#include "tcg/direct.h"
#include "target-i386/translate.h"

enum { DIRECT_MAX_INSNS = 64 };

/* A translation at work. */
typedef struct Dx {
    Direct *d;
    const DirectOps *o;
    const X86Cpu *cpu;
    const BlockKey *key;
    unsigned mmu;
    uint64_t page;
    bool anywhere;
    uint64_t pc, next;                  /* of the instruction at hand */
    unsigned at, n;                     /* its number, and that of all */
    unsigned cc_op;                     /* CcOp or CC_DYNAMIC */
    bool cc_stale;                      /* the CPU does not have it */
    unsigned live;                      /* conditions, by code / 2, that the host's flags hold */
    X86Insn *insn;
    uint8_t kind[DIRECT_MAX_INSNS], flags[DIRECT_MAX_INSNS];
} Dx;

/* False: not this one; nothing has been emitted for it. */
typedef bool DirectFn(Dx *x, const X86Insn *i);

enum {
    DX_SETS = 1,                        /* all flags, whatever they were; never false */
    DX_READS = 2,                       /* some of them */
    DX_FAULTS = 4,                      /* also with operands that are no memory */
    DX_ENDS = 8,                        /* the block */
    DX_RMW = 16,                        /* may have memory as its destination */
};

typedef struct DirectKind {
    X86TransFn *trans;
    DirectFn *fn;
    unsigned flags;
} DirectKind;

/* The kinds; the first is none. */
extern const DirectKind direct_kinds[];
extern const unsigned direct_num_kinds;
/* Goes on at that address, in the way that costs least. slot: of the block's chained exits. */
void direct_jump(Dx *x, unsigned slot, uint64_t rip);

#endif
