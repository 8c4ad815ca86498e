// SPDX-License-Identifier: GPL-2.0-or-later
/* host-float.h for hosts that are no x86: by C's environment, and AArch64's flushing beside it. */
#include "util/host-float.h"

#include "util/types.h"

#ifndef __SSE2__
enum {
    RC_SHIFT = 13,
    DAZ = 1 << 6,
    FTZ = 1 << 15,
    MASKS = 0x1f80
};

/* Flags as C names them, in MXCSR's order; the denormal operand's has no name. */
static const int flags[6] = {FE_INVALID, 0, FE_DIVBYZERO, FE_OVERFLOW, FE_UNDERFLOW, FE_INEXACT};

#ifdef __aarch64__
enum {
    FPCR_FZ = 1 << 24
};

static bool flushing(void)
{
    return __builtin_aarch64_get_fpcr() & FPCR_FZ;
}

static void set_flushing(bool on)
{
    unsigned fpcr = __builtin_aarch64_get_fpcr();

    __builtin_aarch64_set_fpcr(on ? fpcr | FPCR_FZ : fpcr & ~(unsigned)FPCR_FZ);
}
#else
static bool flushing(void)
{
    return false;
}

static void set_flushing(bool on)
{
}
#endif

uint32_t host_mxcsr(void)
{
    const int set = fetestexcept(FE_ALL_EXCEPT), rounding = fegetround();
    uint32_t rc = rounding == FE_DOWNWARD     ? 1
                  : rounding == FE_UPWARD     ? 2
                  : rounding == FE_TOWARDZERO ? 3
                                              : 0;
    uint32_t v = MASKS | rc << RC_SHIFT | (flushing() ? DAZ | FTZ : 0);

    for (unsigned i = 0; i < ARRAY_COUNT(flags); i++) {
        v |= set & flags[i] ? 1u << i : 0;
    }
    return v;
}

void host_set_mxcsr(uint32_t v)
{
    static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    fexcept_t set = 0;
    int raised = 0;

    for (unsigned i = 0; i < ARRAY_COUNT(flags); i++) {
        raised |= v >> i & 1 ? flags[i] : 0;
    }
    feclearexcept(FE_ALL_EXCEPT);
    set = (fexcept_t)raised;
    if (raised) {
        fesetexceptflag(&set, FE_ALL_EXCEPT);
    }
    fesetround(modes[v >> RC_SHIFT & 3]);
    set_flushing(v & (DAZ | FTZ));
}
#endif
