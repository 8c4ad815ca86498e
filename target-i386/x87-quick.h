// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The short way for x87 instructions: exceptions masked, rounding and precision as after FNINIT
 * (which the host's x87 always has), no error pending, registers full. The host's exception flags
 * are left to gather; an operation after which it has one that the guest has not yet leaves nothing
 * behind and takes the long way (x87-host.h), which clears them and finds out. SDM 1 chapter 8.
 */
#ifndef TARGET_I386_X87_QUICK_H
#define TARGET_I386_X87_QUICK_H

#include "target-i386/x87.h"

static inline bool x87_is_quick(const X86Cpu *c)
{
    uint32_t sw = c->fp_sw;

    /* read for itself: a wider load could not be forwarded from the last operation's store */
    __asm__("" : "+r"(sw));
    return (c->fp_cw & 0xf3f) == 0x33f && !(sw & FPSW_ES) && !(c->cr0 & (CR0_EM | CR0_TS));
}

static inline bool x87_is_quick_on(const X86Cpu *c, unsigned i, unsigned j)
{
    return x87_is_quick(c) && !((unsigned)x87_empty(c, i) | x87_empty(c, j));
}

/* As FSTP and FLD access it, so that one forwards to the other. */
static inline void x87_move(X87Reg *to, const X87Reg *from)
{
    uint64_t mant = from->mant;
    uint16_t sign_exp = from->sign_exp;

    __asm__("" : "+r"(mant), "+r"(sign_exp));
    to->mant = mant;
    to->sign_exp = sign_exp;
}

#define X87_ALL "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"

/* *r = a INSN b (a in st(0), b in st(1)); *sw: C1. False: a new exception, nothing was stored. */
#define X87_QUICK_BINARY(name, insn)                                                               \
    static inline bool x87_quick_##name(X87Reg *r, const X87Reg *a, const X87Reg *b, uint32_t *sw) \
    {                                                                                              \
        uint32_t news = ~*sw & 0x3f, flags;                                                        \
                                                                                                   \
        __asm__ volatile("fldt %[b]\n\tfldt %[a]\n\t" insn                                         \
                         "\n\tfnstsw %%ax\n\tandl %%eax, %[n]\n\t"                                 \
                         "jnz 1f\n\tfstpt %[r]\n\tfstp %%st(0)\n\tjmp 2f\n"                        \
                         "1:\tfstp %%st(0)\n\tfstp %%st(0)\n2:"                                    \
                         : [r] "=m"(*(char(*)[10])r), [n] "+r"(news), "=a"(flags)                  \
                         : [a] "m"(*(const char(*)[10])a), [b] "m"(*(const char(*)[10])b)          \
                         : "cc", X87_ALL);                                                         \
        *sw = flags;                                                                               \
        return news == 0;                                                                          \
    }

X87_QUICK_BINARY(add, "fadd %%st(1), %%st")
X87_QUICK_BINARY(mul, "fmul %%st(1), %%st")
X87_QUICK_BINARY(sub, "fsub %%st(1), %%st")
X87_QUICK_BINARY(div, "fdiv %%st(1), %%st")

/* *r = a in another format. */
#define X87_QUICK_STORE(name, T, insn)                                                             \
    static inline bool x87_quick_##name(T *r, const X87Reg *a, uint32_t *sw)                       \
    {                                                                                              \
        uint32_t flags;                                                                            \
        uint16_t now;                                                                              \
                                                                                                   \
        __asm__ volatile("fldt %[a]\n\t" insn " %[r]\n\tfnstsw %[now]"                             \
                         : [r] "=m"(*r), [now] "=m"(now)                                           \
                         : [a] "m"(*(const char(*)[10])a)                                          \
                         : X87_ALL);                                                               \
        flags = now;                                                                               \
        bool ok = !(flags & ~*sw & 0x3f);                                                          \
        *sw = flags;                                                                               \
        return ok;                                                                                 \
    }

X87_QUICK_STORE(to_f32, uint32_t, "fstps")
X87_QUICK_STORE(to_f64, uint64_t, "fstpl")
X87_QUICK_STORE(to_i16, int16_t, "fistps")
X87_QUICK_STORE(to_i32, int32_t, "fistpl")
X87_QUICK_STORE(to_i64, int64_t, "fistpll")

/* The status word of a comparison. */
#define X87_QUICK_TEST(name, insn)                                                                 \
    static inline bool x87_quick_##name(const X87Reg *a, const X87Reg *b, uint32_t *sw)            \
    {                                                                                              \
        uint16_t now;                                                                              \
                                                                                                   \
        __asm__ volatile("fldt %[b]\n\tfldt %[a]\n\t" insn "\n\tfnstsw %[now]"                     \
                         : [now] "=m"(now)                                                         \
                         : [a] "m"(*(const char(*)[10])a), [b] "m"(*(const char(*)[10])b)          \
                         : X87_ALL);                                                               \
        bool ok = !(now & ~*sw & 0x3f);                                                            \
        *sw = now;                                                                                 \
        return ok;                                                                                 \
    }

X87_QUICK_TEST(com, "fcompp")
X87_QUICK_TEST(ucom, "fucompp")

/* op: /r of the opcode. */
static inline bool x87_quick_arith(X87Reg *r, unsigned op, const X87Reg *a, const X87Reg *b,
                                   uint32_t *sw)
{
    switch (op) {
    case 0:
        return x87_quick_add(r, a, b, sw);
    case 1:
        return x87_quick_mul(r, a, b, sw);
    case 4:
        return x87_quick_sub(r, a, b, sw);
    case 5:
        return x87_quick_sub(r, b, a, sw);
    case 6:
        return x87_quick_div(r, a, b, sw);
    default:
        return x87_quick_div(r, b, a, sw);
    }
}

/* ST(dst) = ST(dst) op *b. */
static inline bool x87_quick_arith_to(X86Cpu *c, unsigned dst, unsigned op, const X87Reg *b)
{
    uint32_t sw = c->fp_sw;
    X87Reg *r = x87_st(c, dst);

    if (!x87_quick_arith(r, op, r, b, &sw)) {
        return false;
    }
    c->fp_sw = (c->fp_sw & ~FPSW_C1) | (sw & FPSW_C1);
    return true;
}

/* A finite normal number or zero as an x87 register; exact and without exceptions. */
static inline bool x87_from_f64_bits(X87Reg *r, uint64_t bits)
{
    unsigned exp = bits >> 52 & 0x7ff;
    uint64_t fraction = bits << 12 >> 1;

    if (exp == 0x7ff || (exp == 0 && fraction)) {
        return false;
    }
    r->mant = exp ? 1ull << 63 | fraction : 0;
    r->sign_exp = (uint16_t)((bits >> 63 << 15) | (exp ? exp - 1023 + 16383 : 0));
    return true;
}

static inline bool x87_from_f32_bits(X87Reg *r, uint32_t bits)
{
    unsigned exp = bits >> 23 & 0xff;
    uint64_t fraction = (uint64_t)(bits & 0x7fffff) << 40;

    if (exp == 0xff || (exp == 0 && fraction)) {
        return false;
    }
    r->mant = exp ? 1ull << 63 | fraction : 0;
    r->sign_exp = (uint16_t)((bits >> 31 << 15) | (exp ? exp - 127 + 16383 : 0));
    return true;
}

/* The register that a push fills, NULL: it is not empty. */
static inline X87Reg *x87_quick_push(X86Cpu *c)
{
    unsigned top = (c->fp_top - 1) & 7;

    if (!c->fp_tag[top]) {
        return NULL;
    }
    c->fp_sw &= ~FPSW_C1;
    c->fp_top = top;
    c->fp_tag[top] = 0;
    return &c->fpr[top];
}

#endif
