// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A case of test-arm-insn: some instructions with all state before and after, as it is written to a
 * file.
 */
#ifndef TEST_INSN_CASE_H
#define TEST_INSN_CASE_H

#include <stdint.h>

enum {
    MAX_INSNS = 8,
    CODE = 0x20000000,
    DATA = 0x20100000,
    DATA_SIZE = 0x1000,
    MIDDLE = DATA + 0x800,
    MAX_VL = 64
};
enum { ISA_A64, ISA_A32, ISA_T32 };

/*
 * AArch32: x[0..14], v[0..15]; nzcv has Q in bit 4 and GE from bit 8 on; fpsr is FPSCR, fpcr its
 * control bits.
 */
typedef struct InsnState {
    uint64_t x[32];                     /* A64: x[31] is SP */
    uint64_t nzcv, fpsr, fpcr, undefined;
    uint64_t v[32][2];
    uint8_t data[DATA_SIZE];
    uint8_t z[32][MAX_VL];              /* vq of the case is not 0: Z registers (v is their beginning), predicates, FFR */
    uint8_t p[17][MAX_VL / 8];
} InsnState;

/*
 * A 16-bit instruction of T32 is a word whose upper half is 0; others have their first halfword
 * there.
 */
typedef struct InsnCase {
    char row[24];
    uint32_t isa, count, vq, pad;       /* vq: SVE's vector length, in units of 16 bytes */
    uint32_t insn[8];
    InsnState before, after;
} InsnCase;

/* Puts the instructions where they run; returns their size. */
static inline unsigned insn_case_code(const InsnCase *t, uint8_t *to)
{
    unsigned at = 0;

    for (unsigned i = 0; i < t->count; i++) {
        uint32_t w = t->insn[i];
        unsigned bytes = t->isa == ISA_T32 && !(w >> 16) ? 2 : 4;

        w = t->isa == ISA_T32 && bytes == 4 ? w >> 16 | w << 16 : w;
        for (unsigned k = 0; k < bytes; k++) {
            to[at++] = (uint8_t)(w >> (8 * k));
        }
    }
    return at;
}

#endif
