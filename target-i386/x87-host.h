// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * x87 operations on an x86 host: each runs the host's own instruction under the guest's
 * rounding and precision control with exceptions masked, and returns the host's status word.
 * The stack holds nothing before and after.
 */
#ifndef TARGET_I386_X87_HOST_H
#define TARGET_I386_X87_HOST_H

#include "target-i386/cpu.h"

/* The guest's rounding and precision control with everything masked. */
static inline uint16_t x87_host_cw(uint32_t guest_cw)
{
    return (guest_cw & 0x0f00) | 0x7f;
}

#define X87_HEAD "fnclex\n\tfldcw %[cw]\n\t"
#define X87_TAIL "\n\tfldcw %[normal]"
#define X87_NORMAL 0x037f

/* r = a INSN b, a in st(0), b in st(1). */
#define X87_HOST_BINARY(name, insn)                                                                \
    static inline uint32_t x87_##name(X87Reg *r, const X87Reg *a, const X87Reg *b, uint32_t gcw)   \
    {                                                                                              \
        uint16_t sw, cw = x87_host_cw(gcw), normal = X87_NORMAL;                                   \
                                                                                                   \
        __asm__ volatile(X87_HEAD "fldt %[b]\n\tfldt %[a]\n\t" insn                                \
                                  "\n\tfnstsw %[sw]\n\tfstpt %[r]\n\tfstp %%st(0)" X87_TAIL        \
                         : [r] "=m"(*(char(*)[10])r), [sw] "=m"(sw)                                \
                         : [a] "m"(*(const char(*)[10])a), [b] "m"(*(const char(*)[10])b),         \
                           [cw] "m"(cw), [normal] "m"(normal)                                      \
                         : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");   \
        return sw;                                                                                 \
    }

/* r = INSN a. */
#define X87_HOST_UNARY(name, insn)                                                                 \
    static inline uint32_t x87_##name(X87Reg *r, const X87Reg *a, uint32_t gcw)                    \
    {                                                                                              \
        uint16_t sw, cw = x87_host_cw(gcw), normal = X87_NORMAL;                                   \
                                                                                                   \
        __asm__ volatile(X87_HEAD "fldt %[a]\n\t" insn "\n\tfnstsw %[sw]\n\tfstpt %[r]" X87_TAIL   \
                         : [r] "=m"(*(char(*)[10])r), [sw] "=m"(sw)                                \
                         : [a] "m"(*(const char(*)[10])a), [cw] "m"(cw), [normal] "m"(normal)      \
                         : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");   \
        return sw;                                                                                 \
    }

/* top, below = INSN a: two results, top in st(0). */
#define X87_HOST_SPLIT(name, insn)                                                                 \
    static inline uint32_t x87_##name(X87Reg *top, X87Reg *below, const X87Reg *a, uint32_t gcw)   \
    {                                                                                              \
        uint16_t sw, cw = x87_host_cw(gcw), normal = X87_NORMAL;                                   \
                                                                                                   \
        __asm__ volatile(X87_HEAD "fldt %[a]\n\t" insn                                             \
                                  "\n\tfnstsw %[sw]\n\tfstpt %[r]\n\ttestw $0x400, %[sw]\n\t"      \
                                  "jnz 1f\n\tfstpt %[s]\n1:" X87_TAIL                              \
                         : [r] "=m"(*(char(*)[10])top), [s] "=m"(*(char(*)[10])below),             \
                           [sw] "=m"(sw)                                                           \
                         : [a] "m"(*(const char(*)[10])a), [cw] "m"(cw), [normal] "m"(normal)      \
                         : "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)",       \
                           "st(7)");                                                               \
        return sw;                                                                                 \
    }

/* r = a in another format; INSN loads type T. */
#define X87_HOST_LOAD(name, T, insn)                                                               \
    static inline uint32_t x87_##name(X87Reg *r, T a)                                              \
    {                                                                                              \
        uint16_t sw;                                                                               \
                                                                                                   \
        __asm__ volatile("fnclex\n\t" insn " %[a]\n\tfnstsw %[sw]\n\tfstpt %[r]"                   \
                         : [r] "=m"(*(char(*)[10])r), [sw] "=m"(sw)                                \
                         : [a] "m"(a)                                                              \
                         : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");   \
        return sw;                                                                                 \
    }

/* *r = a in format T. */
#define X87_HOST_STORE(name, T, insn)                                                              \
    static inline uint32_t x87_##name(T *r, const X87Reg *a, uint32_t gcw)                         \
    {                                                                                              \
        uint16_t sw, cw = x87_host_cw(gcw), normal = X87_NORMAL;                                   \
                                                                                                   \
        __asm__ volatile(X87_HEAD "fldt %[a]\n\t" insn " %[r]\n\tfnstsw %[sw]" X87_TAIL            \
                         : [r] "=m"(*r), [sw] "=m"(sw)                                             \
                         : [a] "m"(*(const char(*)[10])a), [cw] "m"(cw), [normal] "m"(normal)      \
                         : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");   \
        return sw;                                                                                 \
    }

/* Only the status word counts. */
#define X87_HOST_TEST(name, insn)                                                                  \
    static inline uint32_t x87_##name(const X87Reg *a, const X87Reg *b)                            \
    {                                                                                              \
        uint16_t sw;                                                                               \
                                                                                                   \
        __asm__ volatile("fnclex\n\tfldt %[b]\n\tfldt %[a]\n\t" insn                               \
                         "\n\tfnstsw %[sw]\n\tfstp %%st(0)\n\tfstp %%st(0)"                        \
                         : [sw] "=m"(sw)                                                           \
                         : [a] "m"(*(const char(*)[10])a), [b] "m"(*(const char(*)[10])b)          \
                         : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");   \
        return sw;                                                                                 \
    }

/* No exception flags. */
static inline void host_x87_clear(void)
{
    __asm__ volatile("fnclex");
}

X87_HOST_BINARY(add, "fadd %%st(1), %%st")
X87_HOST_BINARY(mul, "fmul %%st(1), %%st")
X87_HOST_BINARY(sub, "fsub %%st(1), %%st")
X87_HOST_BINARY(div, "fdiv %%st(1), %%st")
X87_HOST_BINARY(prem, "fprem")
X87_HOST_BINARY(prem1, "fprem1")
X87_HOST_BINARY(scale, "fscale")
X87_HOST_UNARY(sqrt, "fsqrt")
X87_HOST_UNARY(rndint, "frndint")
X87_HOST_UNARY(f2xm1, "f2xm1")
X87_HOST_UNARY(sin, "fsin")
X87_HOST_UNARY(cos, "fcos")
X87_HOST_SPLIT(ptan, "fptan")
X87_HOST_SPLIT(sincos, "fsincos")
X87_HOST_LOAD(from_f32, uint32_t, "flds")
X87_HOST_LOAD(from_f64, uint64_t, "fldl")
X87_HOST_LOAD(from_i64, int64_t, "fildll")
X87_HOST_STORE(to_f32, uint32_t, "fstps")
X87_HOST_STORE(to_f64, uint64_t, "fstpl")
X87_HOST_STORE(to_i16, int16_t, "fistps")
X87_HOST_STORE(to_i32, int32_t, "fistpl")
X87_HOST_STORE(to_i64, int64_t, "fistpll")
X87_HOST_TEST(com, "fcom %%st(1)")
X87_HOST_TEST(ucom, "fucom %%st(1)")
X87_HOST_TEST(xam, "fxam")

/* These leave one value where two were: st(1) op st(0), popped. */
#define X87_HOST_POPPING(name, insn)                                                               \
    static inline uint32_t x87_##name(X87Reg *r, const X87Reg *st0, const X87Reg *st1,             \
                                      uint32_t gcw)                                                \
    {                                                                                              \
        uint16_t sw, cw = x87_host_cw(gcw), normal = X87_NORMAL;                                   \
                                                                                                   \
        __asm__ volatile(X87_HEAD "fldt %[b]\n\tfldt %[a]\n\t" insn                                \
                                  "\n\tfnstsw %[sw]\n\tfstpt %[r]" X87_TAIL                        \
                         : [r] "=m"(*(char(*)[10])r), [sw] "=m"(sw)                                \
                         : [a] "m"(*(const char(*)[10])st0), [b] "m"(*(const char(*)[10])st1),     \
                           [cw] "m"(cw), [normal] "m"(normal)                                      \
                         : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");   \
        return sw;                                                                                 \
    }
X87_HOST_POPPING(patan, "fpatan")
X87_HOST_POPPING(yl2x, "fyl2x")
X87_HOST_POPPING(yl2xp1, "fyl2xp1")

/* significand on top, exponent below */
static inline uint32_t x87_xtract(X87Reg *significand, X87Reg *exponent, const X87Reg *a)
{
    uint16_t sw;

    __asm__ volatile(
        "fnclex\n\tfldt %[a]\n\tfxtract\n\tfnstsw %[sw]\n\tfstpt %[r]\n\tfstpt %[s]"
        : [r] "=m"(*(char(*)[10])significand), [s] "=m"(*(char(*)[10])exponent), [sw] "=m"(sw)
        : [a] "m"(*(const char(*)[10])a)
        : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
    return sw;
}

static inline uint32_t x87_from_bcd(X87Reg *r, const uint8_t bcd[10])
{
    __asm__ volatile("fbld %[a]\n\tfstpt %[r]"
                     : [r] "=m"(*(char(*)[10])r)
                     : [a] "m"(*(const char(*)[10])bcd)
                     : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
    return 0;
}

static inline uint32_t x87_to_bcd(uint8_t bcd[10], const X87Reg *a, uint32_t gcw)
{
    uint16_t sw, cw = x87_host_cw(gcw), normal = X87_NORMAL;

    __asm__ volatile(X87_HEAD "fldt %[a]\n\tfbstp %[r]\n\tfnstsw %[sw]" X87_TAIL
                     : [r] "=m"(*(char(*)[10])bcd), [sw] "=m"(sw)
                     : [a] "m"(*(const char(*)[10])a), [cw] "m"(cw), [normal] "m"(normal)
                     : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
    return sw;
}

#endif
