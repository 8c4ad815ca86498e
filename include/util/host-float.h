// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control word that float arithmetic in C obeys. On x86-64 that is MXCSR, while C's
 * fegetround() looks at the x87's; while guest code runs, only the first holds the guest's rounding
 * mode.
 */
#ifndef UTIL_HOST_FLOAT_H
#define UTIL_HOST_FLOAT_H

#include <fenv.h>
#include <stdbool.h>

#ifdef __SSE2__
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
static inline int host_rounding(void)
{
    return fegetround();
}

static inline bool host_denormals_are_zero(void)
{
    return false;
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
