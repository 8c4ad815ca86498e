// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Vector operations as IR, for the rows of A64 and of A32: each takes the word of simd.h and
 * operands (low halves when the word says neither q nor scalar) and gives the result with what lies
 * above it 0. What IR does not say well is a helper.
 */
#ifndef TARGET_ARM_SIMD_OPS_H
#define TARGET_ARM_SIMD_OPS_H

#include "target-arm/translate.h"

/* ---- integers (simd-ops.c) ---- */
IrVal arm_simd3(ArmCtx *s, uint32_t w, IrVal a, IrVal b, IrVal d);
IrVal arm_simd2(ArmCtx *s, uint32_t w, IrVal a, IrVal d);
IrVal arm_simd_shift(ArmCtx *s, uint32_t w, IrVal a, IrVal d);
/* AND BIC ORR ORN EOR BSL BIT BIF by op; all 128 bits. */
IrVal arm_simd_logic(ArmCtx *s, unsigned op, IrVal n, IrVal m, IrVal d);
/* Bits of every lane inverted; sets FPSR.QC where x and y differ (in the low half when !q). */
IrVal arm_simd_not(ArmCtx *s, IrVal a);
void arm_simd_qc(ArmCtx *s, bool q, IrVal x, IrVal y);
IrVal arm_simd_splat64(ArmCtx *s, uint64_t v);
/* AdvSIMDExpandImm (a64-simd.c). */
uint64_t arm_expand_imm(unsigned op, unsigned cmode, unsigned imm);

/* ---- lanes that change size or place (simd-wide.c); narrow results lie in the low half ---- */
IrVal arm_simd_narrow(ArmCtx *s, uint32_t w, IrVal a);
IrVal arm_simd_shrn(ArmCtx *s, uint32_t w, IrVal a);
IrVal arm_simd_addhn(ArmCtx *s, uint32_t w, IrVal a, IrVal b);
IrVal arm_simd_widen(ArmCtx *s, uint32_t w, IrVal a, IrVal b, IrVal d);
IrVal arm_simd_across(ArmCtx *s, uint32_t w, IrVal a);
IrVal arm_simd_permute(ArmCtx *s, uint32_t w, IrVal a, IrVal b);
IrVal arm_simd_dot(ArmCtx *s, uint32_t w, IrVal a, IrVal b, IrVal d);
/* Even (odd) lanes of a, then those of b. */
IrVal arm_simd_uzp(ArmCtx *s, unsigned size, bool q, IrVal a, IrVal b, bool odd);
/*
 * Bytes of a table in registers (the last one's excess is 0) picked by index; d: for TBX, or none.
 */
IrVal arm_simd_tbl(ArmCtx *s, bool q, const IrVal *table, unsigned bytes, IrVal index,
                   const IrVal *d);
/* Sums of pairs of lanes, in twice the size. */
IrVal arm_simd_pair_sums(ArmCtx *s, unsigned size, bool u, IrVal a);

/* ---- floating point (fp-ops.c) ---- */
IrVal arm_fp3(ArmCtx *s, uint32_t w, IrVal a, IrVal b);
IrVal arm_fp2(ArmCtx *s, uint32_t w, IrVal a);
IrVal arm_fp_muladd(ArmCtx *s, uint32_t w, IrVal d, IrVal a, IrVal b);
IrVal arm_fp_toint(ArmCtx *s, uint32_t w, IrVal a);
IrVal arm_fp_fromint(ArmCtx *s, uint32_t w, IrVal a);
IrVal arm_fp_convert(ArmCtx *s, uint32_t w, IrVal a);
/* Lane 0 of v to a general register's 64 bits (zero-extended unless wide), and back. */
IrVal arm_fp_to_gpr(ArmCtx *s, unsigned size, IrVal v, unsigned round, bool u, bool wide,
                    unsigned frac);
IrVal arm_fp_from_gpr(ArmCtx *s, unsigned size, IrVal x64, bool u, bool wide, unsigned frac);

#endif
