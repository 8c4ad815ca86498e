// SPDX-License-Identifier: GPL-2.0-or-later
/* The encoder of asm.h: Arm ARM (DDI 0487) C4.1 and the encodings of C6.2 and C7.2. */
#include "tcg/aarch64/asm.h"

void a_rrr_lsl(Asm *a, uint32_t form, int rd, int rn, int rm, unsigned n)
{
    a_rrr(a, form | n << 10, rd, rn, rm);
}

void a_rrrr(Asm *a, uint32_t form, int rd, int rn, int rm, int ra)
{
    a_rrr(a, form | (uint32_t)ra << 10, rd, rn, rm);
}

/* ---------------------------------------------------------------- immediates */

void a_mov(Asm *a, uint32_t w, int rd, int rn)
{
    if (!w || rd != rn) {
        a_rrr(a, A_ORR | w, rd, ZR, rn);
    }
}

void a_mov_i(Asm *a, int rd, uint64_t v)
{
    unsigned zeros = 0, ones = 0;
    uint32_t fields;
    bool first = true, invert;

    for (unsigned i = 0; i < 64; i += 16) {
        zeros += (v >> i & 0xffff) == 0;
        ones += (v >> i & 0xffff) == 0xffff;
    }
    if (zeros < 3 && ones < 3 && a_logical(W64, v, &fields)) {
        a_ins(a, A_ORR_I | W64 | fields | ZR << 5 | (uint32_t)rd);
        return;
    }
    invert = ones > zeros;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t part = v >> (16 * i) & 0xffff;
        if (part == (invert ? 0xffff : 0)) {
            continue;
        }
        if (first) {
            a_ins(a, (invert ? A_MOVN : A_MOVZ) | W64 | i << 21 |
                         (invert ? ~part & 0xffff : part) << 5 | (uint32_t)rd);
        } else {
            a_ins(a, A_MOVK | W64 | i << 21 | part << 5 | (uint32_t)rd);
        }
        first = false;
    }
    if (first) {
        a_ins(a, (invert ? A_MOVN : A_MOVZ) | W64 | (uint32_t)rd);
    }
}

static uint32_t imm12(uint64_t m)
{
    return m < 4096 ? (uint32_t)m << 10 : 1u << 22 | (uint32_t)(m >> 12) << 10;
}

bool a_add_i(Asm *a, uint32_t w, int rd, int rn, int64_t v)
{
    uint64_t m = v < 0 ? -(uint64_t)v : (uint64_t)v;
    uint32_t form = (v < 0 ? A_SUB_I : A_ADD_I) | w;

    if (m >= 1 << 24) {
        return false;
    }
    if (m >= 4096) {
        a_rr(a, form | imm12(m & ~(uint64_t)4095), rd, rn);
        rn = rd;
        m &= 4095;
        if (!m) {
            return true;
        }
    }
    a_rr(a, form | imm12(m), rd, rn);
    return true;
}

void a_cmp_i(Asm *a, uint32_t w, int rn, int64_t v)
{
    a_rr(a, (v < 0 ? A_ADDS_I : A_SUBS_I) | w | imm12(v < 0 ? -(uint64_t)v : (uint64_t)v), ZR, rn);
}

/* A run of ones, rotated, in elements of 2 to 64 bits: C6.1, "DecodeBitMasks". */
bool a_logical(uint32_t w, uint64_t v, uint32_t *fields)
{
    unsigned size = 64, ones, rot;
    uint64_t mask;

    if (!w) {
        v = (uint32_t)v | v << 32;
    }
    if (v == 0 || v == UINT64_MAX) {
        return false;
    }
    while (size > 2 &&
           (v & ((1ull << (size / 2)) - 1)) == (v >> (size / 2) & ((1ull << (size / 2)) - 1))) {
        size /= 2;
    }
    mask = size == 64 ? UINT64_MAX : (1ull << size) - 1;
    v &= mask;
    ones = (unsigned)__builtin_popcountll(v);
    for (rot = 0; rot < size; rot++) {
        uint64_t x = rot ? ((v >> rot) | (v << (size - rot))) & mask : v;
        if (x == (ones == 64 ? UINT64_MAX : (1ull << ones) - 1)) {
            break;
        }
    }
    if (rot == size) {
        return false;
    }
    *fields = (size == 64 ? 1u << 22 : 0) | ((size - rot) & (size - 1)) << 16 |
              ((~(size * 2 - 1) & 0x3f) | (ones - 1)) << 10;
    return true;
}

void a_logical_i(Asm *a, uint32_t form, int rd, int rn, uint64_t v)
{
    uint32_t fields = 0;

    a_logical(form & W64, v, &fields);
    a_rr(a, form | fields, rd, rn);
}

void a_bfm(Asm *a, uint32_t form, int rd, int rn, unsigned immr, unsigned imms)
{
    a_rr(a, form | (form & W64 ? 1u << 22 : 0) | immr << 16 | imms << 10, rd, rn);
}

void a_shift_i(Asm *a, uint32_t w, char kind, int rd, int rn, unsigned n)
{
    const unsigned bits = w ? 64 : 32;

    switch (kind) {
    case 'l':
        a_bfm(a, A_UBFM | w, rd, rn, (bits - n) & (bits - 1), bits - 1 - n);
        break;
    case 'r':
        a_bfm(a, A_UBFM | w, rd, rn, n, bits - 1);
        break;
    case 'a':
        a_bfm(a, A_SBFM | w, rd, rn, n, bits - 1);
        break;
    default:
        a_rrr(a, A_EXTR | w | (w ? 1u << 22 : 0) | n << 10, rd, rn, rn);
        break;
    }
}

void a_cset(Asm *a, int rd, HostCond c)
{
    a_csel(a, A_CSINC, rd, ZR, ZR, a_cond_not(c));
}

void a_csel(Asm *a, uint32_t form, int rd, int rn, int rm, HostCond c)
{
    a_rrr(a, form | (uint32_t)c << 12, rd, rn, rm);
}

/* ---------------------------------------------------------------- memory */

static unsigned access_log2(uint32_t form)
{
    const bool q = (form & 1u << 26) && (form & 1u << 23);

    return q ? 4 : form >> 30;
}

void a_mem(Asm *a, uint32_t form, int rt, int base, int64_t offset)
{
    const unsigned log2 = access_log2(form);
    const int64_t unit = 1 << log2;

    if (offset >= 0 && !(offset & (unit - 1)) && offset >> log2 < 4096) {
        a_rr(a, form | (uint32_t)(offset >> log2) << 10, rt, base);
    } else if (offset >= -256 && offset < 256) {
        a_rr(a, (form & ~(1u << 24)) | ((uint32_t)offset & 0x1ff) << 12, rt, base);
    } else if (offset > -(1 << 24) && offset < 1 << 24 && !(offset & (unit - 1))) {
        int64_t low = offset & 4095;
        a_add_i(a, W64, SCRATCH, base, offset - low);
        a_rr(a, form | (uint32_t)(low >> log2) << 10, rt, SCRATCH);
    } else {
        a_mov_i(a, SCRATCH, (uint64_t)offset);
        if (base == SP) {
            a_rr(a, A_ADD_I | W64, LR, SP);
            base = LR;
        }
        a_mem_x(a, form, rt, base, SCRATCH);
    }
}

void a_mem_x(Asm *a, uint32_t form, int rt, int base, int index)
{
    a_rrr(a, (form & ~(1u << 24)) | 0x206800, rt, base, index);
}

/* ---------------------------------------------------------------- branches */

bool a_reach(const Asm *a, const void *to)
{
    int64_t d = (const uint8_t *)to - a->p;

    return d >= -(1 << 27) && d < 1 << 27;
}

static void branch(Asm *a, uint32_t near, uint32_t far, const void *to)
{
    if (a_reach(a, to)) {
        a_ins(a, near | ((uint32_t)(((const uint8_t *)to - a->p) >> 2) & 0x3ffffff));
    } else {
        a_mov_i(a, SCRATCH, (uintptr_t)to);
        a_rr(a, far, 0, SCRATCH);
    }
}

void a_b(Asm *a, const void *to)
{
    branch(a, A_B, A_BR, to);
}

void a_call(Asm *a, const void *fn)
{
    branch(a, A_BL, A_BLR, fn);
}

uint8_t *a_bcond(Asm *a, HostCond c)
{
    a_ins(a, c == CC_ALWAYS ? A_B : A_BCOND | c);
    return a->p - 4;
}

uint8_t *a_cbz(Asm *a, uint32_t form, int rt)
{
    a_ins(a, form | (uint32_t)rt);
    return a->p - 4;
}

uint8_t *a_adr(Asm *a, int rd)
{
    a_ins(a, A_ADR | (uint32_t)rd);
    return a->p - 4;
}

void a_patch(uint8_t *at, const void *to)
{
    int64_t d = (const uint8_t *)to - at;
    uint32_t v;

    __builtin_memcpy(&v, at, 4);
    if ((v & 0x7c000000) == A_B) {
        v = (v & ~0x3ffffffu) | ((uint32_t)(d >> 2) & 0x3ffffff);
    } else if ((v & 0x9f000000) == A_ADR) {
        v = (v & ~0x60ffffe0u) | ((uint32_t)d & 3) << 29 | ((uint32_t)(d >> 2) & 0x7ffff) << 5;
    } else {
        v = (v & ~0xffffe0u) | ((uint32_t)(d >> 2) & 0x7ffff) << 5;
    }
    __builtin_memcpy(at, &v, 4);
}

/* ---------------------------------------------------------------- vectors */

void n_shift_i(Asm *a, uint32_t form, unsigned size_log2, int rd, int rn, unsigned n)
{
    const unsigned bits = 8u << size_log2;

    a_rr(a, form | (form == N_SHL ? bits + n : 2 * bits - n) << 16, rd, rn);
}
