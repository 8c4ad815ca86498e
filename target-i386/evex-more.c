// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX-512 beyond F, BW, DQ and CD: VNNI, IFMA, VBMI, VBMI2, BITALG, VPOPCNTDQ, and the 512-bit
 * forms of AES, carry-less products and GFNI. SDM 2.
 */
#include "target-i386/evex.h"

static unsigned width(const Evex *e)
{
    return 8u << e->es;
}

static uint64_t before(const Evex *e)
{
    return evex_el(&e->d, e->es, e->i);
}

/* ---- sums of products added to the destination ---- */

static int64_t bytes_dot(uint64_t x, uint64_t y)
{
    int64_t sum = 0;

    for (unsigned k = 0; k < 32; k += 8) {
        sum += (int64_t)(x >> k & 0xff) * (int8_t)(y >> k);
    }
    return sum;
}

static int64_t words_dot(uint64_t x, uint64_t y)
{
    return (int64_t)(int16_t)x * (int16_t)y + (int64_t)(int16_t)(x >> 16) * (int16_t)(y >> 16);
}

static uint64_t saturated(int64_t v)
{
    return (uint32_t)(v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v);
}

uint64_t ev_dpbusd(Evex *e, uint64_t x, uint64_t y)
{
    return before(e) + (uint64_t)bytes_dot(x, y);
}

uint64_t ev_dpbusds(Evex *e, uint64_t x, uint64_t y)
{
    return saturated((int32_t)before(e) + bytes_dot(x, y));
}

uint64_t ev_dpwssd(Evex *e, uint64_t x, uint64_t y)
{
    return before(e) + (uint64_t)words_dot(x, y);
}

uint64_t ev_dpwssds(Evex *e, uint64_t x, uint64_t y)
{
    return saturated((int32_t)before(e) + words_dot(x, y));
}

static unsigned __int128 product52(uint64_t x, uint64_t y)
{
    const uint64_t mask = (1ull << 52) - 1;

    return (unsigned __int128)(x & mask) * (y & mask);
}

uint64_t ev_madd52l(Evex *e, uint64_t x, uint64_t y)
{
    return before(e) + ((uint64_t)product52(x, y) & ((1ull << 52) - 1));
}

uint64_t ev_madd52h(Evex *e, uint64_t x, uint64_t y)
{
    return before(e) + (uint64_t)(product52(x, y) >> 52);
}

/* ---- bits ---- */

uint64_t ev_popcnt(Evex *e, uint64_t x, uint64_t y)
{
    return (uint64_t)__builtin_popcountll(x);
}

/* The high bits of x:y shifted left by n. */
static uint64_t double_left(const Evex *e, uint64_t x, uint64_t y, uint64_t n)
{
    n &= width(e) - 1;
    return n ? x << n | y >> (width(e) - n) : x;
}

uint64_t ev_shld(Evex *e, uint64_t x, uint64_t y)
{
    return double_left(e, x, y, e->u.imm);
}

uint64_t ev_shldv(Evex *e, uint64_t x, uint64_t y)
{
    return double_left(e, before(e), x, y);
}

static uint64_t double_right(const Evex *e, uint64_t x, uint64_t y, uint64_t n)
{
    n &= width(e) - 1;
    return n ? x >> n | y << (width(e) - n) : x;
}

uint64_t ev_shrd(Evex *e, uint64_t x, uint64_t y)
{
    return double_right(e, x, y, e->u.imm);
}

uint64_t ev_shrdv(Evex *e, uint64_t x, uint64_t y)
{
    return double_right(e, before(e), x, y);
}

/* Each byte of y names a bit of the eight bytes of the first source around it. */
uint64_t ev_shufbit(Evex *e, uint64_t x, uint64_t y)
{
    return e->a.q[e->i / 8] >> (y & 63) & 1;
}

/* Eight bits from each place that a byte of the first source names. */
uint64_t ev_multishift(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        unsigned n = e->a.b[k] & 63;
        uint64_t v = e->b.q[k / 8];
        e->r.b[k] = (uint8_t)(n ? v >> n | v << (64 - n) : v);
    }
    return 0;
}

/* ---- by parts of 128 bits ---- */

static uint64_t by_parts(Evex *e, Vec128 (*fn)(Vec128, Vec128))
{
    for (unsigned k = 0; k < e->bytes / 16; k++) {
        e->r.x[k] = fn(e->a.x[k], e->b.x[k]);
    }
    return 0;
}

static uint64_t by_parts_imm(Evex *e, Vec128 (*fn)(Vec128, Vec128, uint32_t))
{
    for (unsigned k = 0; k < e->bytes / 16; k++) {
        e->r.x[k] = fn(e->a.x[k], e->b.x[k], e->u.imm);
    }
    return 0;
}

uint64_t ev_aesenc(Evex *e, uint64_t x, uint64_t y)
{
    return by_parts(e, helper_aesenc);
}

uint64_t ev_aesenclast(Evex *e, uint64_t x, uint64_t y)
{
    return by_parts(e, helper_aesenclast);
}

uint64_t ev_aesdec(Evex *e, uint64_t x, uint64_t y)
{
    return by_parts(e, helper_aesdec);
}

uint64_t ev_aesdeclast(Evex *e, uint64_t x, uint64_t y)
{
    return by_parts(e, helper_aesdeclast);
}

uint64_t ev_pclmulqdq(Evex *e, uint64_t x, uint64_t y)
{
    return by_parts_imm(e, helper_pclmulqdq);
}

uint64_t ev_gf2p8mulb(Evex *e, uint64_t x, uint64_t y)
{
    return by_parts(e, helper_gf2p8mulb);
}

uint64_t ev_gf2p8affineqb(Evex *e, uint64_t x, uint64_t y)
{
    return by_parts_imm(e, helper_gf2p8affineqb);
}

uint64_t ev_gf2p8affineinvqb(Evex *e, uint64_t x, uint64_t y)
{
    return by_parts_imm(e, helper_gf2p8affineinvqb);
}
