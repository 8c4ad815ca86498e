// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers of the Arm architecture: PSTATE, control registers, syndromes, features. */
#ifndef TARGET_ARM_REGS_H
#define TARGET_ARM_REGS_H

#include <stdbool.h>
#include <stdint.h>

/* PSTATE at its places in SPSR_ELx (C5.2.18). */
#define PSTATE_SP    (1u << 0)
#define PSTATE_EL_SHIFT 2
#define PSTATE_A32   (1u << 4)
#define PSTATE_T     (1u << 5)          /* AArch32 */
#define PSTATE_F     (1u << 6)
#define PSTATE_I     (1u << 7)
#define PSTATE_A     (1u << 8)
#define PSTATE_D     (1u << 9)          /* AArch64; E in AArch32 */
#define PSTATE_E     (1u << 9)
#define PSTATE_BTYPE_SHIFT 10
#define PSTATE_BTYPE (3u << 10)
#define PSTATE_SSBS  (1u << 12)
#define PSTATE_IL    (1u << 20)
#define PSTATE_SS    (1u << 21)
#define PSTATE_PAN   (1u << 22)
#define PSTATE_UAO   (1u << 23)
#define PSTATE_DIT   (1u << 24)
#define PSTATE_TCO   (1u << 25)
#define PSTATE_DAIF  (PSTATE_D | PSTATE_A | PSTATE_I | PSTATE_F)

/* AArch32 modes. */
enum {
    A32_USR = 16,
    A32_FIQ = 17,
    A32_IRQ = 18,
    A32_SVC = 19,
    A32_MON = 22,
    A32_ABT = 23,
    A32_HYP = 26,
    A32_UND = 27,
    A32_SYS = 31 };

/* The level of a mode; PL1 modes are EL3 when EL3 is AArch32 and the state is secure. */
static inline unsigned arm_mode_el(unsigned mode, bool secure_a32)
{
    return mode == A32_USR ? 0 : mode == A32_HYP ? 2 : mode == A32_MON || secure_a32 ? 3 : 1;
}

#define SCTLR_M    (1ull << 0)
#define SCTLR_A    (1ull << 1)
#define SCTLR_C    (1ull << 2)
#define SCTLR_SA   (1ull << 3)
#define SCTLR_SA0  (1ull << 4)
#define SCTLR_ITD  (1ull << 7)
#define SCTLR_UMA  (1ull << 9)
#define SCTLR_I    (1ull << 12)
#define SCTLR_V    (1ull << 13)
#define SCTLR_EnDB (1ull << 13)
#define SCTLR_DZE  (1ull << 14)
#define SCTLR_UCT  (1ull << 15)
#define SCTLR_nTWI (1ull << 16)
#define SCTLR_nTWE (1ull << 18)
#define SCTLR_WXN  (1ull << 19)
#define SCTLR_UWXN (1ull << 20)
#define SCTLR_SPAN (1ull << 23)
#define SCTLR_VE   (1ull << 24)
#define SCTLR_E0E  (1ull << 24)
#define SCTLR_EE   (1ull << 25)
#define SCTLR_UCI  (1ull << 26)
#define SCTLR_EnDA (1ull << 27)
#define SCTLR_TRE  (1ull << 28)
#define SCTLR_AFE  (1ull << 29)
#define SCTLR_EnIB (1ull << 30)
#define SCTLR_TE   (1ull << 30)
#define SCTLR_EnIA (1ull << 31)
#define SCTLR_BT0  (1ull << 35)
#define SCTLR_BT1  (1ull << 36)
#define SCTLR_ATA0 (1ull << 42)
#define SCTLR_ATA  (1ull << 43)
#define SCTLR_DSSBS (1ull << 44)

#define HCR_VM  (1ull << 0)
#define HCR_PTW (1ull << 2)
#define HCR_FMO (1ull << 3)
#define HCR_IMO (1ull << 4)
#define HCR_AMO (1ull << 5)
#define HCR_VF  (1ull << 6)
#define HCR_VI  (1ull << 7)
#define HCR_VSE (1ull << 8)
#define HCR_FB  (1ull << 9)
#define HCR_DC  (1ull << 12)
#define HCR_TWI (1ull << 13)
#define HCR_TWE (1ull << 14)
#define HCR_TID1 (1ull << 16)
#define HCR_TID2 (1ull << 17)
#define HCR_TID3 (1ull << 18)
#define HCR_TSC (1ull << 19)
#define HCR_TACR (1ull << 21)
#define HCR_TSW (1ull << 22)
#define HCR_TVM (1ull << 26)
#define HCR_TGE (1ull << 27)
#define HCR_TDZ (1ull << 28)
#define HCR_HCD (1ull << 29)
#define HCR_TRVM (1ull << 30)
#define HCR_RW  (1ull << 31)
#define HCR_CD  (1ull << 32)
#define HCR_ID  (1ull << 33)
#define HCR_E2H (1ull << 34)
#define HCR_TLOR (1ull << 35)
#define HCR_ATA (1ull << 56)
#define HCR_API (1ull << 41)
#define HCR_APK (1ull << 40)

#define TCR_A1 (1ull << 22)
#define TCR_AS (1ull << 36)

#define SCR_NS  (1ull << 0)
#define SCR_IRQ (1ull << 1)
#define SCR_FIQ (1ull << 2)
#define SCR_EA  (1ull << 3)
#define SCR_FW  (1ull << 4)
#define SCR_AW  (1ull << 5)
#define SCR_SMD (1ull << 7)
#define SCR_HCE (1ull << 8)
#define SCR_SIF (1ull << 9)
#define SCR_RW  (1ull << 10)
#define SCR_ST  (1ull << 11)
#define SCR_TWI (1ull << 12)
#define SCR_TWE (1ull << 13)
#define SCR_ATA (1ull << 26)
#define SCR_EEL2 (1ull << 18)

/* Exception classes (D17.2.37, ESR_ELx.EC). */
enum {
    EC_UNKNOWN = 0x00, EC_WFX = 0x01, EC_CP15 = 0x03, EC_CP15_64 = 0x04, EC_CP14 = 0x05, EC_FP = 0x07, EC_PAC = 0x09,
    EC_CP14_64 = 0x0c, EC_BTI = 0x0d, EC_ILLEGAL = 0x0e, EC_SVC32 = 0x11, EC_HVC32 = 0x12, EC_SMC32 = 0x13, EC_SVC = 0x15, EC_HVC = 0x16,
    EC_SMC = 0x17, EC_SYSREG = 0x18, EC_SVE = 0x19, EC_ERET = 0x1a, EC_PREFETCH_LOW = 0x20, EC_PREFETCH = 0x21,
    EC_PC_ALIGN = 0x22, EC_DATA_LOW = 0x24, EC_DATA = 0x25, EC_SP_ALIGN = 0x26, EC_FP_EXC32 = 0x28, EC_FP_EXC = 0x2c,
    EC_SERROR = 0x2f, EC_BREAK_LOW = 0x30, EC_BREAK = 0x31, EC_STEP_LOW = 0x32, EC_STEP = 0x33, EC_WATCH_LOW = 0x34, EC_WATCH = 0x35, EC_BKPT32 = 0x38, EC_BRK = 0x3c,
};
#define ESR_IL (1u << 25)
static inline uint32_t esr(unsigned ec, uint32_t iss)
{
    return (uint32_t)ec << 26 | ESR_IL | (iss & 0x1ffffff);
}

/* Faults, numbered by their ESR status code at level 0 (D17.2.37, DFSC). */
enum {
    FAULT_ADDRESS_SIZE = 0x00, FAULT_TRANSLATION = 0x04, FAULT_ACCESS = 0x08, FAULT_PERMISSION = 0x0c,
    FAULT_EXTERNAL = 0x10, FAULT_TAG = 0x11, FAULT_EXTERNAL_WALK = 0x14, FAULT_ALIGNMENT = 0x21, FAULT_DEBUG = 0x22, FAULT_DOMAIN = 0x3c,
};

/* FPCR, FPSR. */
#define FPCR_FZ16 (1u << 19)
#define FPCR_RMODE_SHIFT 22
#define FPCR_FZ (1u << 24)
#define FPCR_DN (1u << 25)
#define FPCR_AHP (1u << 26)
#define FPCR_MASK 0x07ff9f00u
#define FPSR_IOC 0x01u
#define FPSR_DZC 0x02u
#define FPSR_OFC 0x04u
#define FPSR_UFC 0x08u
#define FPSR_IXC 0x10u
#define FPSR_IDC 0x80u
#define FPSR_QC (1u << 27)

/* What the translator and the register tables ask; derived from the ID registers (models.c). */
enum {
    FEATURE_AARCH64, FEATURE_AES, FEATURE_PMULL, FEATURE_SHA1, FEATURE_SHA256, FEATURE_SHA512, FEATURE_SHA3, FEATURE_SM3,
    FEATURE_SM4, FEATURE_CRC32, FEATURE_LSE, FEATURE_RDM, FEATURE_DOTPROD, FEATURE_FP16, FEATURE_FHM, FEATURE_FCMA,
    FEATURE_JSCVT, FEATURE_LRCPC, FEATURE_LRCPC2, FEATURE_FRINT, FEATURE_PAUTH, FEATURE_FLAGM, FEATURE_FLAGM2, FEATURE_BF16,
    FEATURE_I8MM, FEATURE_DPB, FEATURE_DPB2, FEATURE_PAN, FEATURE_ATS1E1, FEATURE_UAO, FEATURE_VHE, FEATURE_RAS, FEATURE_SSBS,
    FEATURE_DIT, FEATURE_SB, FEATURE_PREDRES, FEATURE_HAFDBS, FEATURE_TTST, FEATURE_XNX, FEATURE_LVA, FEATURE_RNG,
    FEATURE_SPECRES, FEATURE_V6, FEATURE_V6K, FEATURE_V6T2, FEATURE_V7, FEATURE_V8, FEATURE_V5, FEATURE_DIV_ARM, FEATURE_DIV_THUMB,
    FEATURE_VFP, FEATURE_VFP3, FEATURE_VFP4, FEATURE_D32, FEATURE_NEON, FEATURE_LPAE, FEATURE_GENERIC_TIMER, FEATURE_THUMB2,
    FEATURE_M, FEATURE_TLBIOS, FEATURE_TLBIRANGE, FEATURE_EVT, FEATURE_A32_EL1, FEATURE_BTI, FEATURE_CSV2_2, FEATURE_LOR, FEATURE_HCX,
    /* M profile: main extension, v8, security extension, DSP; FP in double precision, FPv5 */
    FEATURE_M_MAIN, FEATURE_M_V8, FEATURE_M_SEC, FEATURE_M_DSP, FEATURE_VFP_DOUBLE, FEATURE_VFP5,
    FEATURE_MTE, FEATURE_SVE, FEATURE_SVE2, FEATURE_SVE_AES, FEATURE_SVE_BITPERM, FEATURE_SVE_BF16, FEATURE_SVE_SHA3, FEATURE_SVE_SM4, FEATURE_SVE_I8MM,
    FEATURE_SVE_F32MM, FEATURE_SVE_F64MM, FEATURE_SVE_PMULL, FEATURE_A32_EL0, FEATURE_SEL2,
};

#endif
