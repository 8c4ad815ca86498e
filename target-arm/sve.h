// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SVE: operation numbers as rows and helpers name them, and the descriptor that a helper gets:
 * registers, size, operation, the vector's length. Helpers work on whole vectors in c->z;
 * c->z[n].q[0] is the variable of the V register, what lies above counts as 0 unless c->zlive has
 * the register's bit.
 */
#ifndef TARGET_ARM_SVE_H
#define TARGET_ARM_SVE_H

#include <string.h>
#include "target-arm/cpu.h"
#include "target-arm/fp-core.h"

enum {      /* two operands */
    SVB_ADD, SVB_SUB, SVB_SUBR, SVB_SMAX, SVB_UMAX, SVB_SMIN, SVB_UMIN, SVB_SABD, SVB_UABD, SVB_MUL, SVB_SMULH, SVB_UMULH, SVB_SDIV,
    SVB_UDIV, SVB_ORR, SVB_EOR, SVB_AND, SVB_BIC, SVB_ASR, SVB_LSR, SVB_LSL, SVB_ASRW, SVB_LSRW, SVB_LSLW, SVB_SQADD, SVB_UQADD,
    SVB_SQSUB, SVB_UQSUB, SVB_SUQADD, SVB_USQADD, SVB_SQADDU, SVB_SQSUBU, SVB_SRSHL, SVB_URSHL, SVB_SQSHL, SVB_UQSHL, SVB_SQRSHL,
    SVB_UQRSHL, SVB_SHADD, SVB_UHADD, SVB_SHSUB, SVB_UHSUB, SVB_SRHADD, SVB_URHADD, SVB_PMUL, SVB_SQDMULH, SVB_SQRDMULH, SVB_BEXT,
    SVB_BDEP, SVB_BGRP, SVB_RAX1, SVB_SECOND,
};
enum {      /* three */
    SVT_MLA, SVT_MLS, SVT_EOR3, SVT_BSL, SVT_BCAX, SVT_BSL1N, SVT_BSL2N, SVT_NBSL, SVT_SABA, SVT_UABA, SVT_SQRDMLAH, SVT_SQRDMLSH,
};
enum {
    SVL_SADDL, SVL_UADDL, SVL_SSUBL, SVL_USUBL, SVL_SABDL, SVL_UABDL, SVL_SADDW, SVL_UADDW, SVL_SSUBW, SVL_USUBW, SVL_SQDMULL,
    SVL_PMULL, SVL_SMULL, SVL_UMULL, SVL_SABAL, SVL_UABAL, SVL_SMLAL, SVL_UMLAL, SVL_SMLSL, SVL_UMLSL, SVL_SQDMLAL, SVL_SQDMLSL,
};
enum {
    SVN_SQXTN, SVN_UQXTN, SVN_SQXTUN, SVN_SQSHRUN, SVN_SQRSHRUN, SVN_SHRN, SVN_RSHRN, SVN_SQSHRN, SVN_SQRSHRN, SVN_UQSHRN, SVN_UQRSHRN,
    SVN_ADDHN, SVN_RADDHN, SVN_SUBHN, SVN_RSUBHN,
};
enum {
    SVS_ASR, SVS_LSR, SVS_LSL, SVS_ASRD, SVS_SQSHL, SVS_UQSHL, SVS_SRSHR, SVS_URSHR, SVS_SQSHLU, SVS_SSRA, SVS_USRA, SVS_SRSRA,
    SVS_URSRA, SVS_SRI, SVS_SLI, SVS_XAR,
};
enum {
    SVU_SXTB, SVU_UXTB, SVU_SXTH, SVU_UXTH, SVU_SXTW, SVU_UXTW, SVU_ABS, SVU_NEG, SVU_CLS, SVU_CLZ, SVU_CNT, SVU_CNOT, SVU_FABS,
    SVU_FNEG, SVU_NOT, SVU_URECPE, SVU_URSQRTE, SVU_SQABS, SVU_SQNEG, SVU_REVB, SVU_REVH, SVU_REVW, SVU_RBIT, SVU_MOV, SVU_CPYV,
};
enum {
    SVR_SADDV,
    SVR_UADDV,
    SVR_SMAXV,
    SVR_UMAXV,
    SVR_SMINV,
    SVR_UMINV,
    SVR_ORV,
    SVR_EORV,
    SVR_ANDV
};
enum {
    SVP_MOVZ, SVP_SADALP, SVP_UADALP, SVP_ADR_SXTW, SVP_ADR_UXTW, SVP_ADR, SVP_INSR, SVP_UNPK, SVP_REV, SVP_TBL, SVP_TBX, SVP_ZIP,
    SVP_UZP, SVP_TRN, SVP_COMPACT, SVP_LASTV, SVP_CLASTZ, SVP_CLASTV, SVP_SPLICE, SVP_SEL, SVP_EXT, SVP_HISTCNT, SVP_HISTSEG,
};
enum {
    SVK_BRKPA, SVK_BRKPB, SVK_BRKA, SVK_BRKAM, SVK_BRKB, SVK_BRKBM, SVK_BRKN, SVK_PTEST, SVK_PFIRST, SVK_PNEXT, SVK_PFALSE,
    SVK_RDFFR, SVK_MOV, SVK_PTRUE, SVK_PUNPKLO, SVK_PUNPKHI, SVK_ZIP1, SVK_ZIP2, SVK_UZP1, SVK_UZP2, SVK_TRN1, SVK_TRN2, SVK_REV,
};
enum {
    SVM_EQ,
    SVM_NE,
    SVM_GE,
    SVM_GT,
    SVM_LT,
    SVM_LE,
    SVM_HS,
    SVM_HI,
    SVM_LO,
    SVM_LS,
    SVM_MATCH,
    SVM_NMATCH
};
enum { SVFM_GE, SVFM_GT, SVFM_EQ, SVFM_NE, SVFM_LT, SVFM_LE, SVFM_UO, SVFM_AGE, SVFM_AGT };
enum { SVF_TSMUL = 64, SVF_TSSEL, SVF_SCALE, SVF_ADDA };        /* beside FpOp */
enum { SVF1_EXPA = 64, SVF1_LOGB };                             /* beside FpOp1 */
enum { SVFT_MLA, SVFT_MLS, SVFT_NMLA, SVFT_NMLS };
enum { SVC_AESMC, SVC_AESIMC, SVC_AESE, SVC_AESD, SVC_SM4E, SVC_SM4EKEY };
enum { SVG_W, SVG_X, SVG_IMM, SVG_NT };

enum { NOPG = 16, FFR = 16 };

/* The descriptor. */
static inline uint64_t sv_desc(unsigned rd, unsigned rn, unsigned rm, unsigned ra, unsigned pg,
                               unsigned size, unsigned op)
{
    return rd | rn << 6 | (uint64_t)rm << 12 | (uint64_t)ra << 18 | (uint64_t)pg << 23 |
           (uint64_t)size << 28 | (uint64_t)op << 31;
}
enum { SV_ELEM_SHIFT = 55, SV_TN_SHIFT = 56, SV_TM_SHIFT = 58, SV_SETF_SHIFT = 59 };
static inline uint64_t sv_imm_bits(int imm) { return (uint64_t)(uint16_t)imm << 39; }
static inline unsigned sv_rd(uint64_t d) { return d & 63; }
static inline unsigned sv_rn(uint64_t d) { return d >> 6 & 63; }
static inline unsigned sv_rm(uint64_t d) { return d >> 12 & 63; }
static inline unsigned sv_ra(uint64_t d) { return d >> 18 & 31; }
static inline unsigned sv_pg(uint64_t d) { return d >> 23 & 31; }
static inline unsigned sv_size(uint64_t d) { return d >> 28 & 7; }
static inline unsigned sv_op(uint64_t d) { return d >> 31 & 255; }
static inline int sv_imm(uint64_t d) { return (int16_t)(d >> 39); }
static inline bool sv_elem(uint64_t d) { return d >> SV_ELEM_SHIFT & 1; }
static inline unsigned sv_tn(uint64_t d) { return d >> SV_TN_SHIFT & 3; }
static inline unsigned sv_tm(uint64_t d) { return d >> SV_TM_SHIFT & 1; }
static inline bool sv_setf(uint64_t d) { return d >> SV_SETF_SHIFT & 1; }
/* bytes */
static inline unsigned sv_vl(uint64_t d) { return ((unsigned)(d >> 60) + 1) * 16; }

/* ---- elements ---- */
static inline uint64_t sv_get(const void *p, unsigned size, unsigned i)
{
    switch (size) {
    case 0:
        return ((const uint8_t *)p)[i];
    case 1:
        return ((const uint16_t *)p)[i];
    case 2:
        return ((const uint32_t *)p)[i];
    default:
        return ((const uint64_t *)p)[i];
    }
}
static inline void sv_put(void *p, unsigned size, unsigned i, uint64_t v)
{
    switch (size) {
    case 0:
        ((uint8_t *)p)[i] = (uint8_t)v;
        break;
    case 1:
        ((uint16_t *)p)[i] = (uint16_t)v;
        break;
    case 2:
        ((uint32_t *)p)[i] = (uint32_t)v;
        break;
    default:
        ((uint64_t *)p)[i] = v;
    }
}
static inline unsigned sv_bits(unsigned size) { return 8u << size; }
static inline int64_t sv_sx(uint64_t v, unsigned size)
{
    return (int64_t)(v << (64 - sv_bits(size))) >> (64 - sv_bits(size));
}
static inline uint64_t sv_zx(uint64_t v, unsigned size)
{
    return v << (64 - sv_bits(size)) >> (64 - sv_bits(size));
}
static inline uint64_t sv_sign(unsigned size) { return 1ull << (sv_bits(size) - 1); }
static inline int64_t sv_sat_s(__int128 v, unsigned size)
{
    __int128 max = ((__int128)1 << (sv_bits(size) - 1)) - 1;

    return (int64_t)(v > max ? max : v < -max - 1 ? -max - 1 : v);
}
static inline uint64_t sv_sat_u(__int128 v, unsigned size)
{
    __int128 max = ((__int128)1 << sv_bits(size)) - 1;

    return (uint64_t)(v > max ? max : v < 0 ? 0 : v);
}

/* ---- registers ---- */
/* To read from; what a write of the V register left above it is cleared. */
static inline ArmZ *sv_z(ArmCpu *c, unsigned n, unsigned vl)
{
    if (!(c->zlive >> n & 1)) {
        memset(c->z[n].b + 16, 0, vl - 16);
    }
    return &c->z[n];
}
/* All of the register is written. */
static inline void sv_set_z(ArmCpu *c, unsigned n, const ArmZ *v, unsigned vl)
{
    memcpy(&c->z[n], v, vl);
    c->zlive |= vl > 16 ? 1u << n : 0;
}
/* Low bits only, zeroes above: as a SIMD&FP register. */
static inline void sv_set_v(ArmCpu *c, unsigned n, uint64_t low, uint64_t high)
{
    c->z[n].d[0] = low;
    c->z[n].d[1] = high;
    c->zlive &= ~(1u << n);
}
static inline bool sv_on(const uint64_t *p, unsigned byte)
{
    return p[byte / 64] >> (byte % 64) & 1;
}
extern const uint64_t sv_all_true[4];
static inline const uint64_t *sv_p(const ArmCpu *c, unsigned n)
{
    return n == NOPG ? sv_all_true : c->p[n];
}
/* ---- whole vectors at once (sve-fast.c) ---- */
/* Which bits of a predicate's word stand for elements of a vector of vl bytes. */
uint64_t sv_elements(unsigned size, unsigned vl, unsigned word);
bool sv_all_active(const uint64_t *p, unsigned size, unsigned vl);
/* All elements of r; false: it is not done, and r is anything. */
bool sv_fast_bin(unsigned op, unsigned size, const ArmZ *a, const ArmZ *b, ArmZ *r, unsigned vl);
bool sv_fast_fbin(const ArmCpu *c, unsigned op, unsigned size, const ArmZ *a, const ArmZ *b,
                  ArmZ *r, unsigned vl);
/* a (or -a) + n (or -n) * m */
bool sv_fast_fma(const ArmCpu *c, unsigned size, const ArmZ *a, const ArmZ *n, const ArmZ *m,
                 ArmZ *r, unsigned vl, bool neg_a, bool neg_n);

/* N Z C V (bits 3..0) of PredTest. */
uint32_t sv_predtest(const uint64_t *mask, const uint64_t *result, unsigned size, unsigned vl);
/* Elements that a predicate pattern means, of the number there are. */
unsigned sv_pattern(unsigned pattern, unsigned count);

/* One element's operation, for others than the helper. */
uint64_t sv_bin(unsigned op, unsigned size, uint64_t a, uint64_t b);
uint64_t sv_shift_left_or_right(uint64_t a, int64_t shift, unsigned size, bool u, bool round,
                                bool sat);

#endif
