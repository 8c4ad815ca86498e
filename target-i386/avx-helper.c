// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX2 and F16C instructions that have no IR operation: shifts by lane, permutation,
 * half floats, gathers and masked moves. SDM 1 chapter 14.
 */
#include <fenv.h>
#include <math.h>
#include <string.h>
#include "target-i386/avx-helper.h"
#include "target-i386/cpu.h"
#include "target-i386/helpers.h"
#include "util/host-float.h"

static uint32_t shift32(uint32_t v, uint32_t n, uint32_t kind)
{
    if (kind == SHIFTV_ARITHMETIC) {
        return (uint32_t)((int32_t)v >> (n > 31 ? 31 : n));
    }
    return n > 31 ? 0 : kind == SHIFTV_LEFT ? v << n : v >> n;
}

Vec128 helper_shiftv(Vec128 a, Vec128 c, uint32_t kind)
{
    Vec128Lanes v = {.v = a}, n = {.v = c};

    if (kind & SHIFTV_64) {
        for (unsigned k = 0; k < 2; k++) {
            v.q[k] = n.q[k] > 63                 ? 0
                     : (kind & 3) == SHIFTV_LEFT ? v.q[k] << n.q[k]
                                                 : v.q[k] >> n.q[k];
        }
    } else {
        for (unsigned k = 0; k < 4; k++) {
            v.l[k] = shift32(v.l[k], n.l[k], kind & 3);
        }
    }
    return v.v;
}

/* Lanes of high:low picked by each lane of `which`. */
Vec128 helper_permd(Vec128 low, Vec128 high, Vec128 which)
{
    Vec128Lanes l = {.v = low}, h = {.v = high}, w = {.v = which}, r;

    for (unsigned k = 0; k < 4; k++) {
        unsigned n = w.l[k] & 7;
        r.l[k] = n < 4 ? l.l[n] : h.l[n - 4];
    }
    return r.v;
}

Vec128 helper_permilps(Vec128 a, Vec128 which)
{
    Vec128Lanes v = {.v = a}, w = {.v = which}, r;

    for (unsigned k = 0; k < 4; k++) {
        r.l[k] = v.l[w.l[k] & 3];
    }
    return r.v;
}

Vec128 helper_permilpd(Vec128 a, Vec128 which)
{
    Vec128Lanes v = {.v = a}, w = {.v = which}, r;

    for (unsigned k = 0; k < 2; k++) {
        r.q[k] = v.q[w.q[k] >> 1 & 1];
    }
    return r.v;
}

/* ---- half floats ---- */

/* Raises the flags that arithmetic with such results raises. */
static void raise_flags(bool invalid, bool denormal, bool overflow, bool underflow, bool inexact)
{
    volatile float zero = 0.0f, tiny = 0x1p-149f, large = 0x1p127f, small = 0x1p-126f, one = 1.0f;

    if (invalid) {
        zero /= zero;
    }
    if (denormal) {
        zero = tiny > one;
    }
    if (overflow) {
        large *= large;
    }
    if (underflow) {
        small *= small;
    }
    if (inexact) {
        one += 0x1p-30f;
    }
}

static uint32_t half_to_single(uint32_t h)
{
    uint32_t sign = (h & 0x8000) << 16, exp = h >> 10 & 31, frac = h & 0x3ff;

    if (exp == 31) {
        raise_flags(frac && !(frac & 0x200), false, false, false, false);
        return sign | 0x7f800000 | frac << 13 | (frac ? 0x400000 : 0);
    }
    if (exp == 0) {
        if (!frac) {
            return sign;
        }
        unsigned shift = (unsigned)__builtin_clz(frac) - 21;
        return sign | (113 - shift) << 23 | (frac << (13 + shift) & 0x7fffff);
    }
    return sign | (exp + 112) << 23 | frac << 13;
}

Vec128 helper_cvtph2ps(Vec128 a)
{
    Vec128Lanes v = {.v = a}, r;

    for (unsigned k = 0; k < 4; k++) {
        r.l[k] = half_to_single(v.w[k]);
    }
    return r.v;
}

/* mode: 0 nearest even, 1 down, 2 up, 3 to zero */
static bool rounds_up(uint32_t sign, uint64_t rest, uint64_t half, bool odd, unsigned mode)
{
    switch (mode) {
    case 0:
        return rest > half || (rest == half && odd);
    case 1:
        return sign && rest;
    case 2:
        return !sign && rest;
    default:
        return false;
    }
}

static uint32_t single_to_half(uint32_t f, unsigned mode)
{
    uint32_t sign = f >> 31, frac = f & 0x7fffff;
    int exp = (int)(f >> 23 & 255);

    if (!exp && frac && host_denormals_are_zero()) {
        return sign << 15;
    }
    if (exp == 255) {
        raise_flags(frac && !(frac & 0x400000), false, false, false, false);
        return sign << 15 | 0x7c00 | (frac ? 0x200 | frac >> 13 : 0);
    }
    uint64_t mant = exp ? frac | 0x800000 : frac;
    int e = (exp ? exp : 1) - 112;
    unsigned drop = 13;
    if (e < 1) {
        drop = (unsigned)(14 - e) > 40 ? 40 : (unsigned)(14 - e);
        e = 1;
    }
    uint64_t kept = mant >> drop, rest = mant & ((1ull << drop) - 1);
    kept += rounds_up(sign, rest, 1ull << (drop - 1), kept & 1, mode);
    uint32_t bits = (uint32_t)kept + ((uint32_t)(e - 1) << 10);
    /* tiny: below 2^-14 before rounding to unbounded exponent; denormal results are not flushed */
    uint64_t whole = (mant >> 13) + rounds_up(sign, mant & 0x1fff, 1u << 12, mant >> 13 & 1, mode);
    bool tiny = exp < 113 - 1 || (exp == 112 && whole < 0x800);
    raise_flags(false, !exp && frac, bits >= 0x7c00, rest && tiny, rest || bits >= 0x7c00);
    if (bits >= 0x7c00) {
        bits = mode == 3 || (mode == 1 && !sign) || (mode == 2 && sign) ? 0x7bff : 0x7c00;
    }
    return sign << 15 | bits;
}

/* imm bit 2: the guest's rounding mode, else bits 1:0. The four results in the low half. */
Vec128 helper_cvtps2ph(Vec128 a, uint32_t imm)
{
    Vec128Lanes v = {.v = a}, r = {.q = {0, 0}};
    unsigned mode = imm & 3;

    if (imm & 4) {
        int host = host_rounding();
        mode = host == FE_DOWNWARD ? 1 : host == FE_UPWARD ? 2 : host == FE_TOWARDZERO ? 3 : 0;
    }
    for (unsigned k = 0; k < 4; k++) {
        r.w[k] = (uint16_t)single_to_half(v.l[k], mode);
    }
    return r.v;
}

/* ---- memory by element ---- */

static uint64_t lane(const X86Cpu *c, unsigned reg, unsigned n, unsigned size)
{
    Vec128Lanes v = {.v = (n << size) >= 16 ? c->ymm_hi[reg] : c->xmm[reg]};

    n &= (16u >> size) - 1;
    return size == 3 ? v.q[n] : v.l[n];
}

static void set_lane(X86Cpu *c, unsigned reg, unsigned n, unsigned size, uint64_t value)
{
    Vec128 *home = (n << size) >= 16 ? &c->ymm_hi[reg] : &c->xmm[reg];
    Vec128Lanes v = {.v = *home};

    n &= (16u >> size) - 1;
    if (size == 3) {
        v.q[n] = value;
    } else {
        v.l[n] = (uint32_t)value;
    }
    *home = v.v;
}

/* A vector register as the elements of a gather. */
typedef union GatherReg { Vec128 half[2]; uint32_t l[8]; uint64_t q[4]; } GatherReg;

static GatherReg gather_get(const X86Cpu *c, unsigned reg)
{
    return (GatherReg){.half = {c->xmm[reg], c->ymm_hi[reg]}};
}

static void gather_put(X86Cpu *c, unsigned reg, const GatherReg *v)
{
    c->xmm[reg] = v->half[0];
    c->ymm_hi[reg] = v->half[1];
}

static void gather_clear(GatherReg *mask, unsigned n, unsigned size)
{
    if (size == 3) {
        mask->q[n] = 0;
    } else {
        mask->l[n] = 0;
    }
}

/* Plain memory that the TLB knows, or NULL. */
static const void *gather_hit(const Cpu *cpu, uint64_t va, unsigned bytes, unsigned mmu)
{
    const TlbEntry *e = &cpu->tlb.table[mmu][tlb_index(va)];
    const uint64_t inside = (1 << PAGE_BITS_MIN) - bytes;

    return e->read == (va & ~inside) ? (const void *)(uintptr_t)(va + e->addend) : NULL;
}

/*
 * Whatever may fault finds the elements read before in the register and their masks cleared, so
 * that a fault begins again there.
 */
void helper_gather(Cpu *cpu, uint32_t word, uint64_t base, uint64_t seg_base)
{
    X86Cpu *c = X86(cpu);
    const unsigned reg = word & 15, mask_reg = word >> 4 & 15, index_reg = word >> 8 & 15;
    const unsigned size = word >> 12 & 3, index_size = word >> 14 & 3, scale = word >> 16 & 3;
    const unsigned total = word >> 18 & 1 ? 32 : 16, mmu = word >> 20 & 15;
    const unsigned count = total >> MAX(size, index_size);
    const GatherReg index = gather_get(c, index_reg);
    GatherReg r = gather_get(c, reg), mask = gather_get(c, mask_reg);

    for (unsigned n = 0; n < count; n++) {
        const bool wanted = size == 3 ? mask.q[n] >> 63 : mask.l[n] >> 31;
        if (!wanted) {
            gather_clear(&mask, n, size);
            continue;
        }
        uint64_t at = index_size == 2 ? (uint64_t)(int64_t)(int32_t)index.l[n] : index.q[n], v = 0;
        uint64_t va = base + (at << scale);
        va = word & AVX_CODE64 ? va + seg_base : (uint32_t)((uint32_t)va + seg_base);
        const void *host = gather_hit(cpu, va, 1u << size, mmu);
        if (host) {
            memcpy(&v, host, size == 3 ? 8 : 4);
        } else {
            gather_put(c, reg, &r);
            gather_put(c, mask_reg, &mask);
            v = cpu_load(cpu, va, size, mmu, HOST_PC());
        }
        gather_clear(&mask, n, size);
        if (size == 3) {
            r.q[n] = v;
        } else {
            r.l[n] = (uint32_t)v;
        }
    }
    mask = (GatherReg){0};
    if (size == 3) {
        memset(&r.q[count], 0, (4 - count) * 8);
    } else {
        memset(&r.l[count], 0, (8 - count) * 4);
    }
    gather_put(c, reg, &r);
    gather_put(c, mask_reg, &mask);
}

void helper_maskmov(Cpu *cpu, uint32_t word, uint64_t va)
{
    X86Cpu *c = X86(cpu);
    unsigned reg = word & 15, mask = word >> 4 & 15, size = word >> 12 & 3, mmu = word >> 20 & 15;
    unsigned count = (word >> 18 & 1 ? 32u : 16u) >> size;
    uint64_t v[8] = {0};

    for (unsigned n = 0; n < count; n++) {
        bool on = lane(c, mask, n, size) >> ((8u << size) - 1) & 1;
        uint64_t at = va + (n << size);
        if (on && word >> 19 & 1) {
            cpu_store(cpu, at, lane(c, reg, n, size), size, mmu, HOST_PC());
        } else if (on) {
            v[n] = cpu_load(cpu, at, size, mmu, HOST_PC());
        }
    }
    if (!(word >> 19 & 1)) {
        for (unsigned n = 0; n < 32u >> size; n++) {
            set_lane(c, reg, n, size, n < count ? v[n] : 0);
        }
    }
}
