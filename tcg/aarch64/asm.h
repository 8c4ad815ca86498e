// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An assembler for AArch64, as far as the code generator needs it (Arm ARM, DDI 0487, chapter C6
 * and C7). An instruction form is its word with all register fields zero; the functions here put
 * registers and immediates into their places. Labels are resolved by the distance of a branch,
 * which all generated functions keep below 1 MiB.
 */
#ifndef TCG_AARCH64_ASM_H
#define TCG_AARCH64_ASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 31 is the stack pointer or zero, as the form says. */
enum {
    R0,
    R1,
    R2,
    R3,
    R4,
    SCRATCH = 16,
    SCRATCH2 = 17,
    ENV = 28,
    LR = 30,
    SP = 31,
    ZR = 31
};

typedef enum HostCond {
    CC_EQ,
    CC_NE,
    CC_HS,
    CC_LO,
    CC_MI,
    CC_PL,
    CC_VS,
    CC_VC,
    CC_HI,
    CC_LS,
    CC_GE,
    CC_LT,
    CC_GT,
    CC_LE,
    CC_ALWAYS,
} HostCond;
static inline HostCond a_cond_not(HostCond c)
{
    return (HostCond)(c ^ 1);
}

/* clang-format off */
enum {
    W64 = 0x80000000u,                  /* 64-bit operands */
    /* shifted register */
    A_AND = 0x0a000000, A_BIC = 0x0a200000, A_ORR = 0x2a000000, A_ORN = 0x2a200000, A_EOR = 0x4a000000,
    A_ANDS = 0x6a000000, A_ADD = 0x0b000000, A_ADDS = 0x2b000000, A_SUB = 0x4b000000, A_SUBS = 0x6b000000,
    /* immediates */
    A_ADD_I = 0x11000000, A_SUB_I = 0x51000000, A_SUBS_I = 0x71000000, A_ADDS_I = 0x31000000,
    A_AND_I = 0x12000000, A_ORR_I = 0x32000000, A_EOR_I = 0x52000000, A_ANDS_I = 0x72000000,
    A_MOVN = 0x12800000, A_MOVZ = 0x52800000, A_MOVK = 0x72800000,
    A_SBFM = 0x13000000, A_BFM = 0x33000000, A_UBFM = 0x53000000, A_EXTR = 0x13800000,
    A_MADD = 0x1b000000, A_MSUB = 0x1b008000, A_SMULH = 0x9b407c00, A_UMULH = 0x9bc07c00,
    A_SMULL = 0x9b207c00, A_UMULL = 0x9ba07c00,
    A_UDIV = 0x1ac00800, A_SDIV = 0x1ac00c00,
    A_LSLV = 0x1ac02000, A_LSRV = 0x1ac02400, A_ASRV = 0x1ac02800, A_RORV = 0x1ac02c00,
    A_CLZ = 0x5ac01000, A_RBIT = 0x5ac00000, A_REV16 = 0x5ac00400, A_REV32 = 0x5ac00800, A_REV64 = 0x5ac00c00,
    A_CSEL = 0x1a800000, A_CSINC = 0x1a800400,
    A_B = 0x14000000, A_BL = 0x94000000, A_BCOND = 0x54000000, A_CBZ = 0x34000000, A_CBNZ = 0x35000000,
    A_BR = 0xd61f0000, A_BLR = 0xd63f0000, A_RET = 0xd65f03c0, A_ADR = 0x10000000,
    A_DMB_ISH = 0xd5033bbf, A_DMB_LD = 0xd50339bf, A_DMB_ST = 0xd5033abf,
    /* memory: unsigned offset; the others differ by bits. Bits 30-31: log2 of the size */
    A_STR = 0x39000000, A_LDR = 0x39400000, A_LDRS64 = 0x39800000, A_LDRS32 = 0x39c00000,
    A_VSTR = 0x3d000000, A_VLDR = 0x3d400000, A_VSTRQ = 0x3d800000, A_VLDRQ = 0x3dc00000,
    A_STP = 0xa9000000, A_LDP = 0xa9400000, A_VSTP = 0x6d000000, A_VLDP = 0x6d400000,
    A_LDAXR = 0x085ffc00, A_STLXR = 0x0800fc00,
    /* scalar floats; bit 22: double */
    F_DOUBLE = 1 << 22,
    A_FADD = 0x1e202800, A_FSUB = 0x1e203800, A_FMUL = 0x1e200800, A_FDIV = 0x1e201800, A_FSQRT = 0x1e21c000,
    A_FCMP = 0x1e202000, A_FCMPE = 0x1e202010, A_FCSEL = 0x1e200c00, A_FMADD = 0x1f000000,
    A_FMOV = 0x1e204000, A_FCVT_SD = 0x1e22c000, A_FCVT_DS = 0x1e624000, A_SCVTF = 0x1e220000, A_FCVTZS = 0x1e380000,
    A_FMOV_RV = 0x1e260000, A_FMOV_VR = 0x1e270000, A_FRINTI = 0x1e27c000, A_FRINTX = 0x1e274000,
    A_FMOV_XD = 0x9e660000, A_FMOV_DX = 0x9e670000,
    /* vectors of 128 bits; bits 22-23: log2 of the lane's size */
    N_AND = 0x4e201c00, N_BIC = 0x4e601c00, N_ORR = 0x4ea01c00, N_EOR = 0x6e201c00, N_BSL = 0x6e601c00,
    N_BIT = 0x6ea01c00, N_ADD = 0x4e208400, N_SUB = 0x6e208400, N_CMEQ = 0x6e208c00, N_CMGT = 0x4e203400,
    N_SQADD = 0x4e200c00, N_UQADD = 0x6e200c00, N_SQSUB = 0x4e202c00, N_UQSUB = 0x6e202c00, N_MUL = 0x4e209c00,
    N_SMAX = 0x4e206400, N_UMAX = 0x6e206400, N_SMIN = 0x4e206c00, N_UMIN = 0x6e206c00, N_URHADD = 0x6e201400,
    N_ADDP = 0x4e20bc00, N_ABS = 0x4e20b800, N_ZIP1 = 0x4e003800, N_ZIP2 = 0x4e007800, N_EXT = 0x6e000000,
    N_TBL = 0x4e000000, N_TBL2 = 0x4e002000, N_DUP_R = 0x4e000c00, N_DUP_E = 0x4e000400, N_UMOV = 0x0e003c00,
    N_INS_R = 0x4e001c00, N_INS_E = 0x6e000400, N_SHL = 0x4f005400, N_USHR = 0x6f000400, N_SSHR = 0x4f000400,
    N_SQXTN = 0x0e214800, N_SQXTUN = 0x2e212800, N_HIGH = 1 << 30, N_SSHLL = 0x0f00a400, N_USHLL = 0x2f00a400,
    N_FADD = 0x4e20d400, N_FSUB = 0x4ea0d400, N_FMUL = 0x6e20dc00, N_FDIV = 0x6e20fc00, N_FSQRT = 0x6ea1f800,
    N_FCMEQ = 0x4e20e400, N_FMLA = 0x4e20cc00, N_UMINP = 0x6e20ac00, N_ZERO = 0x6f00e400, N_ONES = 0x6f07e7e0,
    N_FMLS = 0x4ea0cc00, N_FNEG = 0x6ea0f800,
    N_CNT = 0x0e205800, N_ADDV8 = 0x0e31b800, N_NOT = 0x6e205800,
    N_SMULL = 0x0ea0c000, N_UMULL = 0x2ea0c000, N_UMAXP = 0x6e20a400,
};
/* clang-format on */

typedef struct Asm {
    uint8_t *p; /* next instruction; the caller keeps room */
} Asm;

static inline void a_ins(Asm *a, uint32_t v)
{
    __builtin_memcpy(a->p, &v, 4);
    a->p += 4;
}
/* form rd, rn, rm */
static inline void a_rrr(Asm *a, uint32_t form, int rd, int rn, int rm)
{
    a_ins(a, form | (uint32_t)rm << 16 | (uint32_t)rn << 5 | (uint32_t)rd);
}
static inline void a_rr(Asm *a, uint32_t form, int rd, int rn)
{
    a_ins(a, form | (uint32_t)rn << 5 | (uint32_t)rd);
}
/* The same of shifted register forms: rm << n. */
void a_rrr_lsl(Asm *a, uint32_t form, int rd, int rn, int rm, unsigned n);
void a_rrrr(Asm *a, uint32_t form, int rd, int rn, int rm, int ra);

/* ---- integer shorthand; w: W64 or 0 ---- */
void a_mov(Asm *a, uint32_t w, int rd, int rn); /* nothing if 64-bit and the same */
void a_mov_i(Asm *a, int rd, uint64_t v);
/* rd = rn + v; v below 2^24 in magnitude. False: it does not fit, nothing was written. */
bool a_add_i(Asm *a, uint32_t w, int rd, int rn, int64_t v);
static inline bool a_fits_add(int64_t v)
{
    uint64_t m = v < 0 ? -(uint64_t)v : (uint64_t)v;

    return m < 4096 || (!(m & 4095) && m < 1 << 24);
}
/* A logical immediate's fields N, immr and imms in place. False: v is none. */
bool a_logical(uint32_t w, uint64_t v, uint32_t *fields);
/* form: A_AND_I and the like; v is a logical immediate. */
void a_logical_i(Asm *a, uint32_t form, int rd, int rn, uint64_t v);
void a_cmp_i(Asm *a, uint32_t w, int rn, int64_t v); /* a_fits_add(v) */
void a_bfm(Asm *a, uint32_t form, int rd, int rn, unsigned immr, unsigned imms);
void a_shift_i(Asm *a, uint32_t w, char kind, int rd, int rn,
               unsigned n); /* l, r, a(rithmetic), o (ror) */
void a_cset(Asm *a, int rd, HostCond c);
void a_csel(Asm *a, uint32_t form, int rd, int rn, int rm, HostCond c);

/* ---- memory ---- */
/*
 * form: A_LDR and the like with the size in bits 30-31 (A_VSTRQ, A_VLDRQ: 0); base and offset, by
 * way of SCRATCH where the offset is too far.
 */
void a_mem(Asm *a, uint32_t form, int rt, int base, int64_t offset);
/* base + index */
void a_mem_x(Asm *a, uint32_t form, int rt, int base, int index);
static inline uint32_t a_size(unsigned size_log2)
{
    return (uint32_t)size_log2 << 30;
}

/* ---- branches ---- */
bool a_reach(const Asm *a, const void *to); /* by B and BL: 128 MiB */
void a_b(Asm *a, const void *to); /* through SCRATCH if it is too far */
void a_call(Asm *a, const void *fn); /* likewise */
/* A branch whose target a_patch gives. */
uint8_t *a_bcond(Asm *a, HostCond c);
uint8_t *a_cbz(Asm *a, uint32_t form, int rt); /* A_CBZ, A_CBNZ, with W64 */
uint8_t *a_adr(Asm *a, int rd);
void a_patch(uint8_t *at, const void *to);

/* ---- vectors ---- */
/* imm5 of a lane. */
static inline uint32_t n_lane(unsigned size_log2, unsigned n)
{
    return ((1u << size_log2) | n << (size_log2 + 1)) << 16;
}
/* form: N_SHL (left), N_USHR, N_SSHR; 0 <= n < width (right: 1 .. width). */
void n_shift_i(Asm *a, uint32_t form, unsigned size_log2, int rd, int rn, unsigned n);
static inline void n_mov(Asm *a, int rd, int rn)
{
    if (rd != rn) {
        a_rrr(a, N_ORR, rd, rn, rn);
    }
}
/* Lane 0 of rd = lane 0 of rn. */
static inline void n_ins0(Asm *a, unsigned size_log2, int rd, int rn)
{
    a_rr(a, N_INS_E | n_lane(size_log2, 0), rd, rn);
}

#endif
