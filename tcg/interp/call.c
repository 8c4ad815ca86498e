// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls of helpers with any signature. On x86-64 (System V ABI 3.2.3) and AArch64 (AAPCS64 6.8)
 * integer and vector arguments are counted apart and go to registers of their own, six and more of
 * each: one call that fills them all serves every signature of at most six arguments. Floats are
 * the low part of a vector register.
 */
#include "tcg/interp/interp.h"

#include <string.h>

typedef uint64_t IntFn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                       Vec128, Vec128, Vec128, Vec128, Vec128, Vec128);
typedef Vec128 VecFn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                     Vec128, Vec128, Vec128, Vec128, Vec128, Vec128);

const Insn *interp_call(const Insn *i, Run *r)
{
    const IrHelper *h = i->helper;
    uint64_t n[6] = {0};
    Vec128 v[6];
    unsigned ints = 0, vecs = 0;

    memset(v, 0, sizeof(v));
    if (h->env) {
        n[ints++] = (uintptr_t)r->cpu;
    }
    for (unsigned a = 0; a < i->num_args; a++) {
        IrType t = h->args[a + h->env];
        if (t == IR_I32 || t == IR_I64) {
            n[ints++] = arg64(i, r, a);
        } else {
            memcpy(&v[vecs++], arg_at(i, r, a), t == IR_V128 ? 16 : 8);
        }
    }
    if (h->ret >= IR_F32) {
        Vec128 got = ((VecFn *)h->fn)(n[0], n[1], n[2], n[3], n[4], n[5], v[0], v[1], v[2], v[3],
                                      v[4], v[5]);
        if (h->ret == IR_V128) {
            memcpy(dst_at(i, r), &got, 16);
        } else {
            put64(i, r, (uint64_t)got[0]);
        }
    } else {
        uint64_t got = ((IntFn *)h->fn)(n[0], n[1], n[2], n[3], n[4], n[5], v[0], v[1], v[2], v[3],
                                        v[4], v[5]);
        if (h->ret != IR_VOID) {
            put64(i, r, got);
        }
    }
    return i + 1;
}
