// SPDX-License-Identifier: GPL-2.0-or-later
/* The x87 stack as the x87-*.c files see it. */
#ifndef TARGET_I386_X87_H
#define TARGET_I386_X87_H

#include "target-i386/cpu.h"

#define FPSW_CC (FPSW_C0 | FPSW_C1 | FPSW_C2 | FPSW_C3)
#define FPSW_EXCEPTIONS 0x3fu

static inline unsigned x87_index(const X86Cpu *c, unsigned i)
{
    return (c->fp_top + i) & 7;
}

static inline X87Reg *x87_st(X86Cpu *c, unsigned i)
{
    return &c->fpr[x87_index(c, i)];
}

static inline bool x87_empty(const X86Cpu *c, unsigned i)
{
    return c->fp_tag[x87_index(c, i)];
}

static inline void x87_pop(X86Cpu *c)
{
    c->fp_tag[c->fp_top] = 1;
    c->fp_top = (c->fp_top + 1) & 7;
}

/* The indefinite QNaN. */
#define X87_INDEFINITE ((X87Reg){ .mant = 0xc000000000000000ull, .sign_exp = 0xffff })

/* #NM; `waiting`: #MF too. */
void x87_enter(X86Cpu *c, bool waiting, uintptr_t host_pc);
/* Merges exception flags; sets ES when one is unmasked. True: an unmasked one that keeps the
 * destination unchanged (invalid, denormal, zero divide). */
bool x87_flags(X86Cpu *c, uint32_t flags);
/* The same for a status word of the host after an operation, with C1. */
bool x87_host_flags(X86Cpu *c, uint32_t host_sw);
/*
 * Exception flags of loading a memory operand whose other operand is a: a NaN, an unsupported
 * format or a division by 0 decides the result and leaves no denormal exception (SDM 3A table 6-8).
 * op: the operation's /r.
 */
static inline uint32_t x87_operand_flags(const X87Reg *a, unsigned op, uint32_t sw)
{
    const unsigned exp = a->sign_exp & 0x7fff;
    const bool by_zero = op == 7 && exp == 0 && a->mant == 0;
    const bool decides = by_zero || (exp == 0x7fff ? a->mant << 1 != 0 || !(a->mant >> 63)
                                                   : exp != 0 && !(a->mant >> 63));

    return sw & FPSW_EXCEPTIONS & ~(decides ? FPSW_DE : 0u);
}

/* *r = a op b, op by /r of the opcode: the host's status word. */
uint32_t x87_arith(X87Reg *r, unsigned op, const X87Reg *a, const X87Reg *b, uint32_t cw);
/* FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ, rounded as the control word says. */
X87Reg x87_constant(const X86Cpu *c, unsigned n);
/* ES from the flags and masks. */
void x87_update_summary(X86Cpu *c);
/* Pushes a value; handles overflow. */
void x87_push(X86Cpu *c, const X87Reg *v);
/* False after a stack underflow on ST(i), which is flagged; *stop: nothing may be stored. */
bool x87_have(X86Cpu *c, unsigned i, bool *stop);

#endif
