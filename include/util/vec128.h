// SPDX-License-Identifier: GPL-2.0-or-later
/* A 128-bit value as guest vector registers hold it and as helpers pass it (by value). */
#ifndef UTIL_VEC128_H
#define UTIL_VEC128_H

#include <stdint.h>

/* 16-byte vector as C sees it: passed and returned in SSE registers on x86-64 hosts. */
typedef long long Vec128 __attribute__((vector_size(16)));

/* The same 16 bytes, lane by lane. Lane 0 is the least significant. */
typedef union Vec128Lanes {
    Vec128 v;
    uint8_t b[16];
    int8_t sb[16];
    uint16_t w[8];
    int16_t sw[8];
    uint32_t l[4];
    int32_t sl[4];
    uint64_t q[2];
    int64_t sq[2];
    float f[4];
    double d[2];
} Vec128Lanes;

#endif
