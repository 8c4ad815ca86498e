// SPDX-License-Identifier: GPL-2.0-or-later
/* Exact flags of SSE and AVX arithmetic whose exceptions are not all masked (sse-exact.c). */
#ifndef TARGET_I386_SSE_EXACT_H
#define TARGET_I386_SSE_EXACT_H

#include "target-i386/translate.h"

/* Emits what keeps the operands; the word for the others, 0: the result stays in range. */
uint32_t x86_xm_note(X86Ctx *s, const X86Insn *i);
/* OE, UE and PE of the operation on the operands that were kept. */
uint32_t x86_xm_range(const X86SseBefore *b, uint32_t word, uint32_t mxcsr);
/*
 * The same of one operation on elements of 1 << es bytes (OP_FADD to OP_FDIV, OP_FMA), and of a
 * conversion to the next smaller format, rounded by rc.
 */
uint32_t x86_xm_operation(IrOpcode op, unsigned es, const uint64_t *v, uint32_t mxcsr);
uint32_t x86_xm_narrow(unsigned es, uint64_t v, unsigned rc, uint32_t mxcsr);
bool x86_xm_is_dot(uint32_t word);
/* All flags of a dot product; those of the host are gone afterwards. */
uint32_t x86_xm_dot(X86Cpu *c, uint32_t word);

#endif
