// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Vector operands in translations. Values are v128; 256-bit operations are two of them (part 0 low,
 * part 1 high), or one of v256 where the engine likes that (x86_steps). MMX registers are the low
 * half of a v128. With VEX the first source is operand 1, without it the destination.
 */
#ifndef TARGET_I386_VEC_H
#define TARGET_I386_VEC_H

#include "target-i386/translate.h"

typedef IrVal VecFn(IrBuilder *b, IrVal a, IrVal c);
typedef IrVal LaneFn(IrBuilder *b, IrLane lane, IrVal a, IrVal c);
typedef IrVal LaneFn1(IrBuilder *b, IrLane lane, IrVal a);
typedef IrVal VecHelper(IrBuilder *b, IrVal a, IrVal c, IrVal imm);

/* Operand n; memory as large as the operand says, zeros above. */
IrVal x86_vread(X86Ctx *s, const X86Insn *i, unsigned n, unsigned part);
/*
 * Operand 0, all 16 bytes (or 32: low is a v256); above 128 bits: high, or zeros with VEX. MMX: the
 * low half.
 */
void x86_vwrite(X86Ctx *s, const X86Insn *i, IrVal low, IrVal high);
void x86_vwrite_to(X86Ctx *s, const X86Insn *i, unsigned n, IrVal low, IrVal high);
bool x86_is_mmx(const X86Insn *i);
static inline unsigned x86_parts(const X86Insn *i) { return i->op[0].size == 5 ? 2 : 1; }
/* Steps that an operation on lanes takes, and operand n of step p; results go to x86_vwrite. */
static inline unsigned x86_steps(const X86Ctx *s, const X86Insn *i)
{
    return ir_has_v256(s->b) ? 1 : x86_parts(i);
}
IrVal x86_vstep(X86Ctx *s, const X86Insn *i, unsigned n, unsigned p);
/* Operand 0 is 256 bits, in one step. */
static inline bool x86_whole(const X86Ctx *s, const X86Insn *i)
{
    return i->op[0].size == 5 && ir_has_v256(s->b);
}
IrVal x86_vread256(X86Ctx *s, const X86Insn *i, unsigned n);
/* Indices of first and second source of a two-source instruction. */
static inline unsigned x86_src1(const X86Insn *i) { return i->vex ? 1 : 0; }
static inline unsigned x86_src2(const X86Insn *i) { return i->vex ? 2 : 1; }
/* The immediate, always the last operand. */
unsigned x86_imm8(const X86Insn *i);

/* fn on each part, whatever the engine likes. */
void x86_vec_helper(X86Ctx *s, const X86Insn *i, VecFn *fn);
void x86_vec_binary(X86Ctx *s, const X86Insn *i, VecFn *fn);
void x86_vec_lane(X86Ctx *s, const X86Insn *i, LaneFn *fn, IrLane lane);
void x86_vec_lane1(X86Ctx *s, const X86Insn *i, LaneFn1 *fn, IrLane lane);
void x86_vec_imm(X86Ctx *s, const X86Insn *i, VecHelper *fn);
/* Operand n, of which the lowest lane alone is of interest; memory no larger than that. */
IrVal x86_sread(X86Ctx *s, const X86Insn *i, unsigned n, IrLane lane);
/* The low 4 or 8 bytes (size: log2) of v to memory. */
void x86_store_low(X86Ctx *s, unsigned size, IrVal v, IrVal addr);
/* Before MMX instructions that write no MMX register. */
void x86_mmx_enter(X86Ctx *s);
IrVal x86_concat64(X86Ctx *s, IrVal low, IrVal high);

#endif
