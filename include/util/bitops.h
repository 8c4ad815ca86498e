// SPDX-License-Identifier: GPL-2.0-or-later
/* Bit fields of integers, rounding, counting, and plain bitmaps. Lengths of 0 are not allowed. */
#ifndef UTIL_BITOPS_H
#define UTIL_BITOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n)   (1u << (n))
#define BIT64(n) (1ull << (n))

/* The low `len` bits set; len 1..64. */
static inline uint64_t bit_mask(unsigned len)
{
    return ~0ull >> (64 - len);
}

/* `len` bits of v from bit `pos` on. */
static inline uint32_t extract32(uint32_t v, unsigned pos, unsigned len)
{
    return (v >> pos) & (~0u >> (32 - len));
}

static inline uint64_t extract64(uint64_t v, unsigned pos, unsigned len)
{
    return (v >> pos) & bit_mask(len);
}

/* The same, sign-extended. */
static inline int32_t sextract32(uint32_t v, unsigned pos, unsigned len)
{
    return (int32_t)(v << (32 - len - pos)) >> (32 - len);
}

static inline int64_t sextract64(uint64_t v, unsigned pos, unsigned len)
{
    return (int64_t)(v << (64 - len - pos)) >> (64 - len);
}

/* v with `len` bits from `pos` on replaced by the low ones of field. */
static inline uint32_t deposit32(uint32_t v, unsigned pos, unsigned len, uint32_t field)
{
    uint32_t mask = (~0u >> (32 - len)) << pos;

    return (v & ~mask) | ((field << pos) & mask);
}

static inline uint64_t deposit64(uint64_t v, unsigned pos, unsigned len, uint64_t field)
{
    uint64_t mask = bit_mask(len) << pos;

    return (v & ~mask) | ((field << pos) & mask);
}

static inline uint32_t rol32(uint32_t v, unsigned n)
{
    return v << (n & 31) | v >> (-n & 31);
}

static inline uint32_t ror32(uint32_t v, unsigned n)
{
    return rol32(v, -n);
}

static inline uint64_t rol64(uint64_t v, unsigned n)
{
    return v << (n & 63) | v >> (-n & 63);
}

static inline uint64_t ror64(uint64_t v, unsigned n)
{
    return rol64(v, -n);
}

/* Zero bits above or below the first one; the width for 0. */
static inline unsigned clz32(uint32_t v)
{
    return v != 0 ? (unsigned)__builtin_clz(v) : 32;
}

static inline unsigned clz64(uint64_t v)
{
    return v != 0 ? (unsigned)__builtin_clzll(v) : 64;
}

static inline unsigned ctz32(uint32_t v)
{
    return v != 0 ? (unsigned)__builtin_ctz(v) : 32;
}

static inline unsigned ctz64(uint64_t v)
{
    return v != 0 ? (unsigned)__builtin_ctzll(v) : 64;
}

static inline unsigned popcount64(uint64_t v)
{
    return (unsigned)__builtin_popcountll(v);
}

static inline bool is_power_of_2(uint64_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

/* The largest power of 2 that is at most v (v > 0). */
static inline uint64_t pow2_floor(uint64_t v)
{
    return 1ull << (63 - clz64(v));
}

/* The smallest power of 2 that is at least v; 0 when that needs 65 bits. */
static inline uint64_t pow2_ceil(uint64_t v)
{
    return v <= 1 ? 1 : v > 1ull << 63 ? 0 : 1ull << (64 - clz64(v - 1));
}

/* `unit` is a power of 2. */
static inline uint64_t round_down(uint64_t v, uint64_t unit)
{
    return v & -unit;
}

static inline uint64_t round_up(uint64_t v, uint64_t unit)
{
    return (v + (unit - 1)) & -unit;
}

static inline uint64_t div_round_up(uint64_t v, uint64_t by)
{
    return v / by + (v % by != 0);
}

/* ---- bitmaps of 64-bit words; not atomic unless the name says so ---- */

static inline size_t bitmap_words(size_t bits)
{
    return (bits + 63) / 64;
}

static inline bool bitmap_test(const uint64_t *map, size_t bit)
{
    return (map[bit / 64] >> (bit % 64) & 1) != 0;
}

static inline void bitmap_set(uint64_t *map, size_t bit)
{
    map[bit / 64] |= 1ull << (bit % 64);
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
    map[bit / 64] &= ~(1ull << (bit % 64));
}

static inline void bitmap_set_atomic(uint64_t *map, size_t bit)
{
    __atomic_or_fetch(&map[bit / 64], 1ull << (bit % 64), __ATOMIC_SEQ_CST);
}

/* Clears and returns what it was. */
static inline bool bitmap_test_clear_atomic(uint64_t *map, size_t bit)
{
    uint64_t mask = 1ull << (bit % 64);

    return (__atomic_fetch_and(&map[bit / 64], ~mask, __ATOMIC_SEQ_CST) & mask) != 0;
}

/* The first bit set (or clear) at or after `from`, or `bits`. */
size_t bitmap_next_set(const uint64_t *map, size_t bits, size_t from);
size_t bitmap_next_clear(const uint64_t *map, size_t bits, size_t from);
/* count may be 0. */
void bitmap_set_range(uint64_t *map, size_t from, size_t count);
void bitmap_clear_range(uint64_t *map, size_t from, size_t count);

#endif
