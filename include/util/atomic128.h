// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 16-byte compare-and-swap on host memory. False from atomic128_supported(): the host has none,
 * and the caller keeps other threads away by other means.
 */
#ifndef UTIL_ATOMIC128_H
#define UTIL_ATOMIC128_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)

static inline bool atomic128_supported(void)
{
    return true;
}

/* *p == {want[0], want[1]}: becomes value; else want gets what was there. p is 16-byte aligned. */
static inline bool atomic128_cmpxchg(uint64_t *p, uint64_t want[2], const uint64_t value[2])
{
    bool ok;

    __asm__ __volatile__("lock cmpxchg16b %1"
                         : "=@ccz"(ok), "+m"(*(unsigned __int128 *)p), "+a"(want[0]), "+d"(want[1])
                         : "b"(value[0]), "c"(value[1])
                         : "memory");
    return ok;
}

#else

static inline bool atomic128_supported(void)
{
    return false;
}

static inline bool atomic128_cmpxchg(uint64_t *p, uint64_t want[2], const uint64_t value[2])
{
    bool ok = p[0] == want[0] && p[1] == want[1];

    want[0] = p[0];
    want[1] = p[1];
    p[0] = ok ? value[0] : p[0];
    p[1] = ok ? value[1] : p[1];
    return ok;
}

#endif
#endif
