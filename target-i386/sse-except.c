// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unmasked SIMD floating-point exceptions (SDM 1 11.5, 3A 6.15 #XM). Translated code runs with all
 * of them masked. While the guest has unmasked some (MODE_XM), each SSE and AVX instruction is put
 * between two helpers: the first keeps what it may change and clears the host's flags; the second
 * looks at the flags and, when one is not masked, puts all back and raises #XM. sse-exact.c tells
 * what the host's flags cannot.
 */
#include "target-i386/helpers.h"
#include "target-i386/sse-exact.h"
#include "target-i386/x87.h"

#include <string.h>

void helper_xm_begin(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    X86SseBefore *b = &c->sse_before;

    memcpy(b->regs, c->regs, sizeof(b->regs));
    memcpy(b->xmm, c->xmm, sizeof(b->xmm));
    memcpy(b->ymm_hi, c->ymm_hi, sizeof(b->ymm_hi));
    memcpy(b->zmm_hi, c->zmm_hi, sizeof(b->zmm_hi));
    memcpy(b->zmm_more, c->zmm_more, sizeof(b->zmm_more));
    memcpy(b->opmask, c->opmask, sizeof(b->opmask));
    b->cc_dst = c->cc_dst;
    b->cc_src = c->cc_src;
    b->cc_src2 = c->cc_src2;
    b->cc_op = c->cc_op;
    x86_set_mxcsr(c, x86_get_mxcsr(c)); /* the host's flags are clear now */
    b->mxcsr = c->mxcsr;
    b->range = 0;
    c->mxcsr &= ~(uint32_t)MXCSR_STICKY;
}

/* Flags of the instruction as the guest's masks make them. */
static uint32_t new_flags(X86Cpu *c, uint32_t word)
{
    const uint32_t range = MXCSR_OE | MXCSR_UE | MXCSR_PE;
    uint32_t masks = c->sse_before.mxcsr >> MXCSR_MASK_SHIFT;
    uint32_t seen = x86_get_mxcsr(c) & MXCSR_STICKY;

    if (x86_xm_is_dot(word)) {
        return x86_xm_dot(c, word);
    }
    if (c->sse_before.range) {
        return (seen & ~range) | (c->sse_before.range & range);
    }
    if (!word || (masks & (MXCSR_OE | MXCSR_UE)) == (MXCSR_OE | MXCSR_UE)) {
        return seen;
    }
    return (seen & ~range) | x86_xm_range(&c->sse_before, word, c->sse_before.mxcsr);
}

void helper_xm_end(Cpu *cpu, uint32_t word)
{
    X86Cpu *c = X86(cpu);
    X86SseBefore *b = &c->sse_before;
    uint32_t new = new_flags(c, word), first = new &(MXCSR_IE | MXCSR_DE | MXCSR_ZE);
    uint32_t unmasked = new & ~(b->mxcsr >> MXCSR_MASK_SHIFT);

    if (!unmasked) {
        c->mxcsr |= b->mxcsr | new;
        return;
    }
    if (unmasked & first && !x86_xm_is_dot(word)) {
        /* seen before the operation, which is then not done */
        new = first;
    }
    memcpy(c->regs, b->regs, sizeof(b->regs));
    memcpy(c->xmm, b->xmm, sizeof(b->xmm));
    memcpy(c->ymm_hi, b->ymm_hi, sizeof(b->ymm_hi));
    memcpy(c->zmm_hi, b->zmm_hi, sizeof(b->zmm_hi));
    memcpy(c->zmm_more, b->zmm_more, sizeof(b->zmm_more));
    memcpy(c->opmask, b->opmask, sizeof(b->opmask));
    c->cc_dst = b->cc_dst;
    c->cc_src = b->cc_src;
    c->cc_src2 = b->cc_src2;
    c->cc_op = b->cc_op;
    x86_set_mxcsr(c, b->mxcsr | new);
    x86_raise(c, c->cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD, HOST_PC());
}
