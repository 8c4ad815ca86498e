// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exact floating point on bit patterns, in the format fmt (1 half, 2 single, 3 double; 0, only to
 * convert to: bfloat16), by FPCR and into FPSR; what translations use where host instructions would
 * differ, and the oracle for the rest.
 */
#ifndef TARGET_ARM_FP_CORE_H
#define TARGET_ARM_FP_CORE_H

#include "target-arm/cpu.h"

typedef enum FpOp {
    FP_ADD, FP_SUB, FP_MUL, FP_DIV, FP_MAX, FP_MIN, FP_MAXNM, FP_MINNM, FP_MULX, FP_NMUL, FP_ABD, FP_RECPS, FP_RSQRTS,
    FP_CMEQ, FP_CMGE, FP_CMGT, FP_ACGE, FP_ACGT, FP_CMLE, FP_CMLT,
} FpOp;

typedef enum FpOp1 {
    FP1_SQRT, FP1_ABS, FP1_NEG, FP1_RECPE, FP1_RSQRTE, FP1_RECPX,
    FP1_RINTN, FP1_RINTP, FP1_RINTM, FP1_RINTZ, FP1_RINTA, FP1_RINTX, FP1_RINTI,
    FP1_RINT32Z, FP1_RINT32X, FP1_RINT64Z, FP1_RINT64X,
} FpOp1;

enum { ROUND_N, ROUND_P, ROUND_M, ROUND_Z, ROUND_A, ROUND_CUR, ROUND_ODD };

/* std: the fixed behaviour of AArch32 Advanced SIMD: default NaN, flush to zero, nearest. */
uint64_t fp_op2(ArmCpu *c, unsigned fmt, FpOp op, uint64_t a, uint64_t b);
uint64_t fp_op1(ArmCpu *c, unsigned fmt, FpOp1 op, uint64_t a);
/* a + b * d, negated parts as said; rounded once. */
uint64_t fp_muladd(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b, uint64_t d, bool neg_a,
                   bool neg_b);
/* N Z C V in bits 3..0; signal: a quiet NaN is invalid. */
uint32_t fp_compare(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b, bool signal);
uint64_t fp_convert(ArmCpu *c, unsigned from, unsigned to, uint64_t a, unsigned round);
uint64_t fp_to_int(ArmCpu *c, unsigned fmt, uint64_t a, unsigned round, bool sign, unsigned bits,
                   unsigned frac);
uint64_t fp_from_int(ArmCpu *c, unsigned fmt, uint64_t v, bool sign, unsigned bits, unsigned frac);
uint32_t fp_jcvt(ArmCpu *c, uint64_t a, bool *exact);
uint64_t fp_default_nan(unsigned fmt);
uint32_t fp_recip_estimate32(uint32_t a);
uint32_t fp_rsqrt_estimate32(uint32_t a);
/*
 * A lane of vectors, by the host's arithmetic where that cannot be told from the guest's
 * (fp-helper.c); FPCR as it is.
 */
uint64_t arm_fp_lane2(ArmCpu *c, unsigned fmt, unsigned op, uint64_t a, uint64_t b);
uint64_t arm_fp_lane3(ArmCpu *c, unsigned fmt, uint64_t a, uint64_t b, uint64_t d, bool neg_a,
                      bool neg_b);

#endif
