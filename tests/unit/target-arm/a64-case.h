// SPDX-License-Identifier: GPL-2.0-or-later
/* A case of test-a64: some instructions with all state before and after, as it is written to a file. */
#ifndef TEST_A64_CASE_H
#define TEST_A64_CASE_H

#include <stdint.h>

enum { MAX_INSNS = 8, CODE = 0x20000000, DATA = 0x20100000, DATA_SIZE = 0x1000, MIDDLE = DATA + 0x800 };

typedef struct A64State {
    uint64_t x[32];                     /* x[31] is SP */
    uint64_t nzcv, fpsr, fpcr, undefined;
    uint64_t v[32][2];
    uint8_t data[DATA_SIZE];
} A64State;

typedef struct A64Case {
    char row[24];
    uint32_t count;
    uint32_t insn[9];
    A64State before, after;
} A64Case;

#endif
