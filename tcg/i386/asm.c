// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The x86-64 encoder: prefixes, REX or VEX, ModRM, SIB, displacement (Intel SDM 2A chapter 2), and
 * the shorthand forms built on it.
 */
#include <cpuid.h>
#include <string.h>
#include "tcg/i386/asm.h"

void x_u32(Asm *a, uint32_t v)
{
    memcpy(a->p, &v, 4);
    a->p += 4;
}

void x_u64(Asm *a, uint64_t v)
{
    memcpy(a->p, &v, 8);
    a->p += 8;
}

static bool fits8(int64_t v)
{
    return v == (int8_t)v;
}

/* Legacy prefixes, REX, opcode map and byte. need_rex: spl..dil as byte registers. */
static void emit_opcode(Asm *a, uint32_t form, unsigned rxb, bool need_rex)
{
    static const uint8_t prefix[4] = {0, 0x66, 0xf3, 0xf2};
    unsigned rex = rxb | (form & X_W ? 8 : 0);

    if (form & X_LOCK) {
        x_u8(a, 0xf0);
    }
    if (form & X_PP) {
        x_u8(a, prefix[(form & X_PP) >> 10]);
    }
    if (rex || need_rex) {
        x_u8(a, 0x40 | rex);
    }
    if (form & X_MAP) {
        x_u8(a, 0x0f);
        if ((form & X_MAP) != X_0F) {
            x_u8(a, (form & X_MAP) == X_0F38 ? 0x38 : 0x3a);
        }
    }
    x_u8(a, form & 0xff);
}

static void emit_vex(Asm *a, uint32_t form, unsigned rxb, unsigned vvvv)
{
    unsigned low = (~vvvv & 15) << 3 | (form & X_L ? 4 : 0) | (form & X_PP) >> 10;

    if ((form & X_MAP) == X_0F && !(rxb & 3) && !(form & X_W)) {
        x_u8(a, 0xc5);
        x_u8(a, (rxb & 4 ? 0 : 0x80) | low);
    } else {
        x_u8(a, 0xc4);
        x_u8(a, (~rxb & 7) << 5 | (form & X_MAP) >> 8);
        x_u8(a, (form & X_W ? 0x80 : 0) | low);
    }
    x_u8(a, form & 0xff);
}

static void emit_modrm(Asm *a, int reg, Mem m)
{
    unsigned r = (unsigned)(reg & 7) << 3;
    bool sib = m.index != NO_REG || m.base == NO_REG || (m.base & 7) == RSP;
    unsigned mod;

    if (m.base == NO_REG) {
        mod = 0;
    } else if (m.disp == 0 && (m.base & 7) != RBP) {
        mod = 0;
    } else {
        mod = fits8(m.disp) ? 0x40 : 0x80;
    }
    if (sib) {
        unsigned index = m.index == NO_REG ? 4 : (unsigned)m.index & 7;
        unsigned base = m.base == NO_REG ? 5 : (unsigned)m.base & 7;
        x_u8(a, mod | r | 4);
        x_u8(a, (unsigned)m.scale << 6 | index << 3 | base);
    } else {
        x_u8(a, mod | r | (unsigned)(m.base & 7));
    }
    if (mod == 0x40) {
        x_u8(a, (uint8_t)m.disp);
    } else if (mod == 0x80 || m.base == NO_REG) {
        x_u32(a, (uint32_t)m.disp);
    }
}

static unsigned rxb_rr(int reg, int rm)
{
    return (reg & 8 ? 4u : 0) | (rm & 8 ? 1u : 0);
}

static unsigned rxb_rm(int reg, Mem m)
{
    return (reg & 8 ? 4u : 0) | (m.index != NO_REG && m.index & 8 ? 2u : 0) |
           (m.base != NO_REG && m.base & 8 ? 1u : 0);
}

void x_rr(Asm *a, uint32_t form, int reg, int rm)
{
    bool need_rex = (form & X_R8 && reg >= 4) || (form & X_M8 && rm >= 4);

    emit_opcode(a, form, rxb_rr(reg, rm), need_rex);
    x_u8(a, 0xc0 | (unsigned)(reg & 7) << 3 | (unsigned)(rm & 7));
}

void x_rm(Asm *a, uint32_t form, int reg, Mem m)
{
    emit_opcode(a, form, rxb_rm(reg, m), form & X_R8 && reg >= 4);
    emit_modrm(a, reg, m);
}

void v_rrr(Asm *a, uint32_t form, int reg, int vvvv, int rm)
{
    emit_vex(a, form, rxb_rr(reg, rm), (unsigned)vvvv);
    x_u8(a, 0xc0 | (unsigned)(reg & 7) << 3 | (unsigned)(rm & 7));
}

void v_rrm(Asm *a, uint32_t form, int reg, int vvvv, Mem m)
{
    emit_vex(a, form, rxb_rm(reg, m), (unsigned)vvvv);
    emit_modrm(a, reg, m);
}

void xv_rr(Asm *a, uint32_t form, int reg, int rm)
{
    if (a->avx) {
        v_rrr(a, form, reg, 0, rm);
    } else {
        x_rr(a, form, reg, rm);
    }
}

void xv_rm(Asm *a, uint32_t form, int reg, Mem m)
{
    if (a->avx) {
        v_rrm(a, form, reg, 0, m);
    } else {
        x_rm(a, form, reg, m);
    }
}

/* ---------------------------------------------------------------- integer shorthand */

void x_mov_rr(Asm *a, uint32_t w, int dst, int src)
{
    if (dst != src || !w) {
        x_rr(a, X_MOV_RM | w, dst, src);
    }
}

void x_mov_ri(Asm *a, int dst, uint64_t v)
{
    if (v <= UINT32_MAX) {
        emit_opcode(a, 0xb8 | (unsigned)(dst & 7), dst & 8 ? 1 : 0, false);
        x_u32(a, (uint32_t)v);
    } else if ((int64_t)v == (int32_t)v) {
        x_rr(a, 0xc7 | X_W, 0, dst);
        x_u32(a, (uint32_t)v);
    } else {
        emit_opcode(a, 0xb8 | (unsigned)(dst & 7) | X_W, dst & 8 ? 1 : 0, false);
        x_u64(a, v);
    }
}

void x_alu_rr(Asm *a, uint32_t w, unsigned op, int dst, int src)
{
    x_rr(a, op << 3 | 3 | w, dst, src);
}

void x_alu_rm(Asm *a, uint32_t w, unsigned op, int dst, Mem m)
{
    x_rm(a, op << 3 | 3 | w, dst, m);
}

void x_alu_ri(Asm *a, uint32_t w, unsigned op, int dst, int32_t i)
{
    if (fits8(i)) {
        x_rr(a, 0x83 | w, (int)op, dst);
        x_u8(a, (uint8_t)i);
    } else {
        x_rr(a, 0x81 | w, (int)op, dst);
        x_u32(a, (uint32_t)i);
    }
}

void x_alu_mi(Asm *a, uint32_t w, unsigned op, Mem m, int32_t i)
{
    if (fits8(i)) {
        x_rm(a, 0x83 | w, (int)op, m);
        x_u8(a, (uint8_t)i);
    } else {
        x_rm(a, 0x81 | w, (int)op, m);
        x_u32(a, (uint32_t)i);
    }
}

void x_test_ri(Asm *a, uint32_t w, int reg, int32_t i)
{
    if (i >= 0 && i < 128) {
        x_rr(a, 0xf6 | X_M8, 0, reg);
        x_u8(a, (uint8_t)i);
    } else {
        x_rr(a, 0xf7 | (i < 0 ? w : 0), 0, reg);
        x_u32(a, (uint32_t)i);
    }
}

void x_shift_ri(Asm *a, uint32_t w, unsigned op, int reg, unsigned n)
{
    if (n == 1) {
        x_rr(a, 0xd1 | w, (int)op, reg);
    } else {
        x_rr(a, 0xc1 | w, (int)op, reg);
        x_u8(a, n);
    }
}

void x_shift_cl(Asm *a, uint32_t w, unsigned op, int reg)
{
    x_rr(a, 0xd3 | w, (int)op, reg);
}

void x_f7(Asm *a, uint32_t w, unsigned op, int reg)
{
    x_rr(a, 0xf7 | w, (int)op, reg);
}

void x_bswap(Asm *a, uint32_t w, int reg)
{
    emit_opcode(a, 0xc8 | (unsigned)(reg & 7) | X_0F | w, reg & 8 ? 1 : 0, false);
}

void x_mov_mi(Asm *a, uint32_t w, Mem m, int32_t i)
{
    x_rm(a, 0xc7 | w, 0, m);
    x_u32(a, (uint32_t)i);
}

void x_push(Asm *a, int reg)
{
    emit_opcode(a, 0x50 | (unsigned)(reg & 7), reg & 8 ? 1 : 0, false);
}

void x_push_i(Asm *a, int32_t i)
{
    x_u8(a, fits8(i) ? 0x6a : 0x68);
    if (fits8(i)) {
        x_u8(a, (uint8_t)i);
    } else {
        x_u32(a, (uint32_t)i);
    }
}

void x_pop(Asm *a, int reg)
{
    emit_opcode(a, 0x58 | (unsigned)(reg & 7), reg & 8 ? 1 : 0, false);
}

void x_ret(Asm *a)
{
    x_u8(a, 0xc3);
}

void x_jmp_r(Asm *a, int reg)
{
    x_rr(a, 0xff, 4, reg);
}

void x_jmp_m(Asm *a, Mem m)
{
    x_rm(a, 0xff, 4, m);
}

void x_call_r(Asm *a, int reg)
{
    x_rr(a, 0xff, 2, reg);
}

/* ---------------------------------------------------------------- jumps */

bool x_reach(const Asm *a, const void *to)
{
    int64_t d = (int64_t)((uintptr_t)to - (uintptr_t)a->p);

    return d > -0x7fffff00ll && d < 0x7fffff00ll;
}

void x_patch32(uint8_t *at, const void *to)
{
    int32_t d = (int32_t)((uintptr_t)to - (uintptr_t)(at + 4));

    memcpy(at, &d, 4);
}

uint8_t *x_jcc32(Asm *a, HostCond c)
{
    if (c == CC_ALWAYS) {
        x_u8(a, 0xe9);
    } else {
        x_u8(a, 0x0f);
        x_u8(a, 0x80 | c);
    }
    a->p += 4;
    return a->p - 4;
}

uint8_t *x_lea_rip(Asm *a, int reg)
{
    emit_opcode(a, X_LEA | X_W, reg & 8 ? 4 : 0, false);
    x_u8(a, (unsigned)(reg & 7) << 3 | 5);
    a->p += 4;
    return a->p - 4;
}

void x_jcc(Asm *a, HostCond c, const void *to)
{
    int64_t d = (int64_t)((uintptr_t)to - (uintptr_t)a->p) - 2;

    if (fits8(d)) {
        x_u8(a, c == CC_ALWAYS ? 0xebu : 0x70u | c);
        x_u8(a, (uint8_t)d);
    } else {
        x_patch32(x_jcc32(a, c), to);
    }
}

void x_jmp(Asm *a, const void *to)
{
    x_jcc(a, CC_ALWAYS, to);
}

void x_call(Asm *a, const void *fn)
{
    if (x_reach(a, fn)) {
        x_u8(a, 0xe8);
        a->p += 4;
        x_patch32(a->p - 4, fn);
    } else {
        x_mov_ri(a, RAX, (uintptr_t)fn);
        x_call_r(a, RAX);
    }
}

uint8_t *x_jcc8(Asm *a, HostCond c)
{
    x_u8(a, c == CC_ALWAYS ? 0xebu : 0x70u | c);
    x_u8(a, 0);
    return a->p;
}

void x_here8(Asm *a, uint8_t *at)
{
    at[-1] = (uint8_t)(a->p - at);
}

/* ---------------------------------------------------------------- host */

/* XCR0: the operating system saves xmm and ymm state. */
static bool os_saves_ymm(void)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (lo & 6) == 6;
}

void host_features_detect(HostFeatures *f)
{
    unsigned a, b, c, d;

    *f = (HostFeatures){0};
    if (__get_cpuid(1, &a, &b, &c, &d)) {
        bool ymm = c >> 27 & 1 && os_saves_ymm();
        f->sse = true;
        f->sse3 = c & 1;
        f->pclmul = c >> 1 & 1;
        f->aes = c >> 25 & 1;
        f->ssse3 = c >> 9 & 1;
        f->sse41 = c >> 19 & 1;
        f->sse42 = c >> 20 & 1;
        f->movbe = c >> 22 & 1;
        f->popcnt = c >> 23 & 1;
        f->avx = ymm && c >> 28 & 1;
        f->fma = f->avx && c >> 12 & 1;
        f->f16c = f->avx && c >> 29 & 1;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        f->bmi1 = f->avx && b >> 3 & 1;
        f->bmi2 = f->avx && b >> 8 & 1;
        f->avx2 = f->avx && b >> 5 & 1;
        f->sha = b >> 29 & 1;
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d)) {
        f->lahf = c & 1;
        f->lzcnt = c >> 5 & 1 && f->bmi1;
    }
}

void host_features_limit(HostFeatures *f, unsigned level)
{
    if (level >= 1) {
        f->avx2 = f->fma = f->bmi1 = f->bmi2 = f->lzcnt = f->movbe = f->f16c = false;
    }
    if (level >= 2) {
        f->avx = false;
    }
    if (level >= 3) {
        *f = (HostFeatures){0};
    }
}
