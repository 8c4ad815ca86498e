// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operation numbers of vector helpers, as rows and helpers name them; how a helper's word is made
 * up.
 */
#ifndef TARGET_ARM_SIMD_H
#define TARGET_ARM_SIMD_H

#include "target-arm/fp-core.h"

enum {      /* three of a kind */
    V3_SHADD, V3_UHADD, V3_SQADD, V3_UQADD, V3_SRHADD, V3_URHADD, V3_SHSUB, V3_UHSUB, V3_SQSUB, V3_UQSUB, V3_CMGT, V3_CMHI,
    V3_CMGE, V3_CMHS, V3_SSHL, V3_USHL, V3_SQSHL, V3_UQSHL, V3_SRSHL, V3_URSHL, V3_SQRSHL, V3_UQRSHL, V3_SMAX, V3_UMAX,
    V3_SMIN, V3_UMIN, V3_SABD, V3_UABD, V3_SABA, V3_UABA, V3_ADD, V3_SUB, V3_CMTST, V3_CMEQ, V3_MLA, V3_MLS, V3_MUL, V3_PMUL,
    V3_SMAXP, V3_UMAXP, V3_SMINP, V3_UMINP, V3_SQDMULH, V3_SQRDMULH, V3_ADDP, V3_SQRDMLAH, V3_SQRDMLSH, V3_COUNT,
};
enum {
    V2_REV64, V2_REV16, V2_REV32, V2_SADDLP, V2_UADDLP, V2_SUQADD, V2_USQADD, V2_CLS, V2_CLZ, V2_CNT, V2_NOT, V2_RBIT, V2_SADALP,
    V2_UADALP, V2_SQABS, V2_SQNEG, V2_CMGT0, V2_CMGE0, V2_CMEQ0, V2_CMLE0, V2_CMLT0, V2_ABS, V2_NEG, V2_URECPE, V2_URSQRTE,
};
enum { VN_XTN, VN_SQXTUN, VN_SQXTN, VN_UQXTN };
enum { VA_SADDLV, VA_UADDLV, VA_SMAXV, VA_UMAXV, VA_SMINV, VA_UMINV, VA_ADDV };
enum {
    VS_SSHR, VS_USHR, VS_SSRA, VS_USRA, VS_SRSHR, VS_URSHR, VS_SRSRA, VS_URSRA, VS_SQSHL_I, VS_UQSHL_I, VS_SRI, VS_SHL_I, VS_SLI,
    VS_SQSHLU,
};
enum { VR_SHRN, VR_RSHRN, VR_SQSHRUN, VR_SQRSHRUN, VR_SQSHRN, VR_UQSHRN, VR_SQRSHRN, VR_UQRSHRN };
enum {
    VW_ADDL, VW_ADDW, VW_SUBL, VW_SUBW, VW_ABAL, VW_ABDL, VW_MLAL, VW_MLSL, VW_MULL, VW_SQDMLAL, VW_SQDMLSL, VW_SQDMULL, VW_PMULL,
};

/*
 * The word: operation, log2 of the lane's bytes, both halves, one lane only, unsigned, an
 * immediate.
 */
static inline uint32_t simd_word(unsigned op, unsigned size, bool q, bool scalar, bool u,
                                 unsigned imm)
{
    return op | size << 8 | (uint32_t)q << 10 | (uint32_t)scalar << 11 | (uint32_t)u << 12 |
           imm << 16;
}
/* Floating point as AArch32's Advanced SIMD has it: default NaN, flush to zero, nearest. */
#define WORD_STD (1u << 13)
static inline unsigned word_op(uint32_t w) { return w & 0xff; }
static inline unsigned word_size(uint32_t w) { return w >> 8 & 3; }
static inline bool word_q(uint32_t w) { return w >> 10 & 1; }
static inline bool word_scalar(uint32_t w) { return w >> 11 & 1; }
static inline bool word_u(uint32_t w) { return w >> 12 & 1; }
static inline unsigned word_imm(uint32_t w) { return w >> 16; }
static inline unsigned word_lanes(uint32_t w)
{
    return word_scalar(w) ? 1 : (word_q(w) ? 16u : 8u) >> word_size(w);
}

static inline uint64_t lane_u(const Vec128Lanes *v, unsigned size, unsigned n)
{
    return size == 0 ? v->b[n] : size == 1 ? v->w[n] : size == 2 ? v->l[n] : v->q[n];
}
static inline int64_t lane_s(const Vec128Lanes *v, unsigned size, unsigned n)
{
    return size == 0 ? v->sb[n] : size == 1 ? v->sw[n] : size == 2 ? v->sl[n] : v->sq[n];
}
static inline void lane_set(Vec128Lanes *v, unsigned size, unsigned n, uint64_t x)
{
    if (size == 0) {
        v->b[n] = (uint8_t)x;
    } else if (size == 1) {
        v->w[n] = (uint16_t)x;
    } else if (size == 2) {
        v->l[n] = (uint32_t)x;
    } else {
        v->q[n] = x;
    }
}

/* FPCR of the operation at hand (WORD_STD of its word); the caller puts back what it got. */
static inline uint32_t fp_enter(ArmCpu *c, uint32_t w)
{
    uint32_t saved = c->fpcr;

    if (w & WORD_STD) {
        c->fpcr = FPCR_FZ | FPCR_DN | (saved & (FPCR_FZ16 | FPCR_AHP));
    }
    return saved;
}

#endif
