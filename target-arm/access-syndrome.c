// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What ESR_EL2 says of a load or store that stage 2 refuses (D17.2.37, ISS of data aborts): size,
 * sign and register, by which a hypervisor emulates a device. It is valid for loads and stores of
 * one general-purpose register without write-back that are not exclusive; the instruction is read
 * again and looked up in the decode tables.
 */
#include "target-arm/a32-trans.h"

#include "exec/cpu.h"
#include "target-arm/a64-decode.h"

#define ISV (1u << 24)

typedef bool A64Trans(ArmCtx *s, const A64Insn *i);

static uint32_t valid(unsigned size, bool sign, unsigned reg, bool wide, bool ordered)
{
    return ISV | size << 22 | (uint32_t)sign << 21 | reg << 16 | (uint32_t)wide << 15 |
           (uint32_t)ordered << 14;
}

static uint32_t from_a64(uint32_t word)
{
    A64Insn i = {0};

    if (!a64_decode(&i, word)) {
        return 0;
    }
    A64Trans *t = i.row->trans;
    bool ordered = t == trans_STLR || t == trans_LDAR || t == trans_LDAPR || t == trans_LDAPUR;
    unsigned size = (unsigned)i.size, opc = (unsigned)i.opc;

    if (t == trans_ldr_lit) {
        return valid(opc == 1 ? 3 : 2, opc == 2, (unsigned)i.rt, opc != 0, false);
    }
    if (t == trans_STLR || t == trans_LDAR || t == trans_LDAPR) {
        return valid(size, false, (unsigned)i.rt, size == 3, ordered);
    }
    if ((t == trans_ldst_i && i.mode == 0) || t == trans_LDST_reg || t == trans_LDAPUR) {
        return valid(size, opc > 1, (unsigned)i.rt, opc == 2 || (opc < 2 && size == 3), ordered);
    }
    return 0;
}

/* Where AArch64 finds an AArch32 register of the mode (D1.20.1). */
static unsigned a64_number(unsigned mode, unsigned r)
{
    if (mode == A32_FIQ && r > 7) {
        return r + 16;
    }
    if (r < 13) {
        return r;
    }
    switch (mode) {
    case A32_IRQ:
        return r == 14 ? 16 : 17;
    case A32_SVC:
        return r == 14 ? 18 : 19;
    case A32_ABT:
        return r == 14 ? 20 : 21;
    case A32_UND:
        return r == 14 ? 22 : 23;
    default:
        return r;
    }
}

static uint32_t from_a32(const ArmCpu *c, uint32_t word, bool half)
{
    A32Insn i = {0};
    bool thumb = c->pstate & PSTATE_T, known = half    ? t16_decode(&i, word)
                                               : thumb ? t32_decode(&i, word)
                                                       : word >> 28 != 15 && a32_decode(&i, word);

    if (!known || (i.row->trans != trans_a32_ldst && i.row->trans != trans_t32_ldst_i8) || !i.p ||
        i.w || i.size > 2 || i.rt == 15) {
        return 0;
    }
    unsigned rt = (unsigned)i.rt;

    return valid((unsigned)i.size, i.sign,
                 arm_el_is_a64(c, 2) ? a64_number(c->pstate & 31, rt) : rt, false, false);
}

uint32_t arm_access_syndrome(ArmCpu *c)
{
    bool a32 = arm_is_a32(c), thumb = a32 && c->pstate & PSTATE_T;
    uint16_t half[2] = {0};

    if (!cpu_debug_rw(&c->cpu, c->pc, &half[0], 2, false)) {
        return 0;
    }
    if (thumb && half[0] >> 11 < 0x1d) {
        return from_a32(c, half[0], true);
    }
    if (!cpu_debug_rw(&c->cpu, c->pc + 2, &half[1], 2, false)) {
        return 0;
    }
    return !a32    ? from_a64(half[0] | (uint32_t)half[1] << 16)
           : thumb ? from_a32(c, (uint32_t)half[0] << 16 | half[1], false)
                   : from_a32(c, half[0] | (uint32_t)half[1] << 16, false);
}
