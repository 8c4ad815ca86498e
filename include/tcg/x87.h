// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations of helpers with HELPER_X87: x87 arithmetic on physical registers under a control word
 * as after FNINIT, which back ends of x86 hosts emit in line (tcg/i386/emit-x87.c) and others call.
 * The guest's front end has made sure of the control word, of the tags, and that no error is
 * pending; flags gather in the status word.
 */
#ifndef TCG_X87_H
#define TCG_X87_H

#include <stdint.h>

typedef enum X87Kind {
    /* void (env, code) */
    X87K_ARITH,                         /* a = a op b; op: /r of the opcode (0 add 1 mul 4 sub 5 subr 6 div 7 divr) */
    X87K_MOVE,                          /* a = b; op 1: C1 = 0 */
    X87K_XCH,                           /* a and b change places; C1 = 0 */
    X87K_UNARY,                         /* a = fn(a); op: second opcode byte after D9 */
    X87K_CONST,                         /* a = constant; op likewise */
    X87K_COM,                           /* C3 C2 C0 = a compared with b; op 1: quiet */
    X87K_SYNC,                          /* the status word is complete */
    /* void (env, code, i64) */
    X87K_LOAD,                          /* a = value; op: X87F_* up to X87F_I64 */
    X87K_ARITH_MEM,                     /* a = a op value; op | format << 4 */
    X87K_COM_MEM,                       /* a compared with the value; op: format */
    X87K_CMOV,                          /* a = b if the value is not 0 */
    /* void (env, code, i64, i32) */
    X87K_LOAD_80,                       /* a = significand, sign and exponent */
    /* i64 (env, code) */
    X87K_STORE,                         /* a in a format; op: X87F_*, X87F_TRUNCATE; integers sign-extended */
    X87K_COMI,                          /* ZF PF CF of a compared with b; op 1: quiet */
} X87Kind;

enum { X87F_F32, X87F_F64, X87F_I64, X87F_I32, X87F_I16, X87F_TRUNCATE = 8 };

static inline uint32_t x87_code(X87Kind kind, unsigned op, unsigned a, unsigned b)
{
    return kind | op << 8 | a << 16 | b << 20;
}
static inline X87Kind x87_code_kind(uint32_t code)
{
    return (X87Kind)(code & 0xff);
}
static inline unsigned x87_code_op(uint32_t code)
{
    return code >> 8 & 0xff;
}
static inline unsigned x87_code_a(uint32_t code)
{
    return code >> 16 & 7;
}
static inline unsigned x87_code_b(uint32_t code)
{
    return code >> 20 & 7;
}

#endif
