// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX-512 instructions as IR: one in translation, its operands in steps of up to 256 bits (512 are
 * two), its mask as vectors. wide.c makes operands, masks and results; rows of wide-lanes.c and
 * wide-shuffle.c say what is computed of them.
 */
#ifndef TARGET_I386_WIDE_H
#define TARGET_I386_WIDE_H

#include "target-i386/evex.h"
#include "target-i386/vec.h"

typedef struct Wide {
    X86Ctx *s;
    const X86Insn *i;
    IrBuilder *b;
    EvexWord w;
    unsigned es, steps, imm; /* size of elements (log2 of bytes); of the vector length */
    IrType type; /* of a step */
    IrLane lane, flane; /* of elements, as integers and floats */
    bool masked;
    IrVal mask[2]; /* all ones where elements are let through; if masked */
    IrVal d[2], a[2], c[2]; /* destination before, EVEX.vvvv, the other source */
    IrVal r[2];
} Wide;

typedef void WideFn(Wide *w);

/* What an instruction computes: one of the functions, by element or part. */
typedef struct WideRow {
    EvexKernel *kernel;
    LaneFn *lane; /* r = lane(a, c), integers */
    LaneFn *flane; /* floats: elements that are masked out see zeros, so that they set no flags */
    VecFn *vec;
    WideFn *all; /* anything else: sets r[] */
    bool own; /* reads the other source itself, which may be smaller */
    bool puts; /* writes the result itself: under a mask only if it masks */
    bool masks;
    uint8_t sizes; /* of elements that have it, bit n for log2 n; 0: any */
} WideRow;

/* The row of an instruction; NULL: none. */
const WideRow *wide_row(const Wide *w);
const WideRow *wide_shuffle_row(const Wide *w);
/* Those of them that compute floats by element. */
void wide_floats(Wide *w, const WideRow *row);
/* Elements of step p: all ones where k, an i64, has their bit. */
IrVal wide_spread(Wide *w, IrVal k, unsigned p);
/* The highest bits of elements, or the contrary, to the destination, a mask register. */
void wide_put_opmask(Wide *w, IrVal r[2], bool invert);

/* Step p of a vector register. */
IrVal wide_reg(Wide *w, unsigned reg, unsigned p);
/* The same integer or constant in each element. */
IrVal wide_splat(Wide *w, IrLane lane, uint64_t v);
/* The other source where it is smaller than a vector: v128, or v256 if it has 32 bytes. */
IrVal wide_narrow(Wide *w);
/* v, a v128 or v256, to the destination, which is as large; zeros above. */
void wide_put_narrow(Wide *w, IrVal v);
/* An opmask register, as i64. */
IrVal wide_opmask(Wide *w, unsigned k);

void wide_trunc(Wide *w);
void wide_extend(Wide *w);
/* Emits the instruction; false: nothing was emitted, the helper must do it. */
bool x86_wide(X86Ctx *s, X86Insn *i, EvexWord word);
/* The call of the helper. */
void x86_evex_call(X86Ctx *s, X86Insn *i, EvexWord w);

#endif
