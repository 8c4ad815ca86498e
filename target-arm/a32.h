// SPDX-License-Identifier: GPL-2.0-or-later
/* An instruction of A32 or T32 as the four tables fill it in, and what its translators share. */
#ifndef TARGET_ARM_A32_H
#define TARGET_ARM_A32_H

#include <stdbool.h>
#include <stdint.h>

typedef struct A32Row A32Row;
typedef struct A32Insn {
    const A32Row *row;
    uint32_t word;
    int32_t rd, rn, rm, rs, ra, rt, rt2, imm, rot, amt, type, s, op;
    int32_t p, u, w, size, sign, load, reg, list, user, link, half, cond, mask, r, nz;
    int32_t x, y, acc, sub, dbl, round, kind, sat, lsb, msb, width, e, m, mode, imod, aif, disable, lr, pc, h, byte, order, c, sysm;
    int32_t opc1, opc2, crn, crm, cp, j1, j2, hi, lo;
    /* VFP, Advanced SIMD */
    int32_t vd, vn, vm, q, dp, index, cmode, neg, bits, unsgn, b, half_op, len, align, to, bottom;
} A32Insn;

struct ArmCtx;
struct A32Row {
    const char *name;
    uint32_t mask, value, ignored;
    uint16_t extract;
    bool (*trans)(struct ArmCtx *s, const A32Insn *i);
    const char *assembly, *manual;
};

/* Data processing, numbered as A32 has it. */
enum {
    DP_AND,
    DP_EOR,
    DP_SUB,
    DP_RSB,
    DP_ADD,
    DP_ADC,
    DP_SBC,
    DP_RSC,
    DP_TST,
    DP_TEQ,
    DP_CMP,
    DP_CMN,
    DP_ORR,
    DP_MOV,
    DP_BIC,
    DP_MVN,
    DP_ORN };

#endif
