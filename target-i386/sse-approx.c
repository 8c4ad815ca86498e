// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RCPPS and RSQRTPS: approximations of about 12 bits that raise no flags. On x86 hosts they are the
 * host's own; elsewhere exact results cut to 12 bits, which the specified error allows.
 */
#include <math.h>
#include "target-i386/helpers.h"
#include "util/vec128.h"

#ifdef __SSE__

Vec128 helper_rcpps(Vec128 a)
{
    Vec128 r;

    __asm__("rcpps %1, %0" : "=x"(r) : "x"(a));
    return r;
}

Vec128 helper_rsqrtps(Vec128 a)
{
    Vec128 r;

    __asm__("rsqrtps %1, %0" : "=x"(r) : "x"(a));
    return r;
}

#else

static Vec128 each(Vec128 a, float (*fn)(float))
{
    Vec128Lanes v = {.v = a};

    for (unsigned k = 0; k < 4; k++) {
        v.f[k] = fn(v.f[k]);
        v.l[k] &= 0xfffff000;
    }
    return v.v;
}

static float reciprocal(float x)
{
    return 1.0f / x;
}

static float root(float x)
{
    return 1.0f / sqrtf(x);
}

Vec128 helper_rcpps(Vec128 a)
{
    return each(a, reciprocal);
}

Vec128 helper_rsqrtps(Vec128 a)
{
    return each(a, root);
}

#endif
