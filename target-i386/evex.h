// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX-512 instructions: one in progress, its operands as 64 bytes each, and what drivers and
 * kernels of opcodes-evex.decode share. A driver goes over the elements that the mask lets through
 * and calls the row's kernel for each; those whose elements depend on each other (VEC, GPR) leave
 * it to it.
 */
#ifndef TARGET_I386_EVEX_H
#define TARGET_I386_EVEX_H

#include <string.h>
#include "target-i386/helpers.h"
#include "target-i386/trans.h"
#include "target-i386/x87.h"

typedef union Zmm {
    uint8_t b[64];
    uint16_t w[32];
    uint32_t l[16];
    uint64_t q[8];
    Vec128 x[4];
} Zmm;

/* What a translation says of the instruction, in 64 bits. */
typedef union EvexWord {
    struct {
        uint64_t row : 16, l : 2, z : 1, b : 1, aaa : 3, rc : 2, d : 5, a : 5, src : 5, src_mem : 1,
            dst_mem : 1, w : 1, imm : 8, mmu : 4, size0 : 3, size1 : 3, scale : 2;
    };
    uint64_t all;
} EvexWord;

typedef struct Evex {
    X86Cpu *c;
    const X86Row *row;
    EvexWord u;
    uint64_t va, seg_base;
    uintptr_t pc;
    unsigned bytes; /* of vectors */
    unsigned es, ses; /* elements and the source's: log2 of bytes */
    unsigned n, i; /* their number; the present one */
    unsigned valid; /* bytes of the result that are not zero */
    uint64_t mask;
    bool nowrite;
    bool exact; /* overflow or underflow is not masked: sse-exact.h */
    Zmm d, a, b, r; /* destination before, EVEX.vvvv, the other; result */
} Evex;

static inline uint64_t evex_el(const Zmm *v, unsigned es, unsigned k)
{
    switch (es) {
    case 0:
        return v->b[k];
    case 1:
        return v->w[k];
    case 2:
        return v->l[k];
    default:
        return v->q[k];
    }
}

static inline void evex_set_el(Zmm *v, unsigned es, unsigned k, uint64_t x)
{
    switch (es) {
    case 0:
        v->b[k] = (uint8_t)x;
        break;
    case 1:
        v->w[k] = (uint16_t)x;
        break;
    case 2:
        v->l[k] = (uint32_t)x;
        break;
    default:
        v->q[k] = x;
        break;
    }
}

/* x, of 8 << es bits, with its sign. */
static inline int64_t evex_signed(unsigned es, uint64_t x)
{
    unsigned by = 64 - (8u << es);

    return (int64_t)(x << by) >> by;
}

static inline uint64_t evex_bits(unsigned es)
{
    return es == 3 ? UINT64_MAX : (1ull << (8u << es)) - 1;
}

Zmm evex_get(const X86Cpu *c, unsigned reg);
void evex_put(X86Cpu *c, unsigned reg, const Zmm *v);
/* Sets the flags alone, as comparisons do. */
void evex_flags(Evex *e, uint32_t flags);
/* The general register or memory that is the source. */
uint64_t evex_general(Evex *e);

#endif
