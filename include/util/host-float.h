// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control word that float arithmetic in C obeys, and its sticky flags, laid out as x86's MXCSR
 * (SDM 1 10.2.3) on every host. On x86-64 it is that; C's fegetround() looks at the x87's, and
 * while guest code runs, only MXCSR holds the guest's rounding mode. On AArch64 it is FPCR and FPSR
 * (Arm ARM C5.2.8 and C5.2.9): the masks are not there, denormal operands leave no flag, and
 * flushing is one bit for operands and results.
 */
#ifndef UTIL_HOST_FLOAT_H
#define UTIL_HOST_FLOAT_H

#include <fenv.h>
#include <stdbool.h>

#include <stdint.h>

#ifdef __SSE2__
static inline uint32_t host_mxcsr(void)
{
    return __builtin_ia32_stmxcsr();
}

static inline void host_set_mxcsr(uint32_t v)
{
    __builtin_ia32_ldmxcsr(v);
}

/* FE_TONEAREST .. FE_TOWARDZERO. */
static inline int host_rounding(void)
{
    return (int)(__builtin_ia32_stmxcsr() >> 3 & 0xc00);
}

/* Denormal operands count as zeros. */
static inline bool host_denormals_are_zero(void)
{
    return __builtin_ia32_stmxcsr() >> 6 & 1;
}

/*
 * Arithmetic of its own kind, default control word, between the two; flags that it raised are gone.
 */
typedef unsigned HostFloat;

static inline void host_float_save(HostFloat *saved)
{
    *saved = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(0x1f80);
}

static inline void host_float_restore(const HostFloat *saved)
{
    __builtin_ia32_ldmxcsr(*saved);
}
#else
uint32_t host_mxcsr(void);
void host_set_mxcsr(uint32_t v);

static inline int host_rounding(void)
{
    return fegetround();
}

static inline bool host_denormals_are_zero(void)
{
    return host_mxcsr() >> 6 & 1;
}

typedef fenv_t HostFloat;

static inline void host_float_save(HostFloat *saved)
{
    feholdexcept(saved);
    fesetround(FE_TONEAREST);
}

static inline void host_float_restore(const HostFloat *saved)
{
    fesetenv(saved);
}
#endif

#endif
