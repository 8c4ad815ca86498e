// SPDX-License-Identifier: GPL-2.0-or-later
/* AVX-512 integer elements, and mask registers. SDM 2. x and y have 8 << e->es bits. */
#include "target-i386/evex.h"

static int64_t sx(const Evex *e, uint64_t x)
{
    return evex_signed(e->es, x);
}

static unsigned width(const Evex *e)
{
    return 8u << e->es;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

uint64_t ev_mov(Evex *e, uint64_t x, uint64_t y)
{
    return x;
}

uint64_t ev_second(Evex *e, uint64_t x, uint64_t y)
{
    return y;
}

uint64_t ev_blend(Evex *e, uint64_t x, uint64_t y)
{
    return y;
}

uint64_t ev_movhigh(Evex *e, uint64_t x, uint64_t y)
{
    return e->b.q[1];
}

uint64_t ev_and(Evex *e, uint64_t x, uint64_t y)
{
    return x & y;
}

uint64_t ev_andn(Evex *e, uint64_t x, uint64_t y)
{
    return ~x & y;
}

uint64_t ev_or(Evex *e, uint64_t x, uint64_t y)
{
    return x | y;
}

uint64_t ev_xor(Evex *e, uint64_t x, uint64_t y)
{
    return x ^ y;
}

uint64_t ev_add(Evex *e, uint64_t x, uint64_t y)
{
    return x + y;
}

uint64_t ev_sub(Evex *e, uint64_t x, uint64_t y)
{
    return x - y;
}

/* ---- 8 and 16 bits with saturation ---- */

static int64_t top(const Evex *e)
{
    return (int64_t)(evex_bits(e->es) >> 1);
}

uint64_t ev_adds(Evex *e, uint64_t x, uint64_t y)
{
    return (uint64_t)clamp(sx(e, x) + sx(e, y), -top(e) - 1, top(e));
}

uint64_t ev_subs(Evex *e, uint64_t x, uint64_t y)
{
    return (uint64_t)clamp(sx(e, x) - sx(e, y), -top(e) - 1, top(e));
}

uint64_t ev_addus(Evex *e, uint64_t x, uint64_t y)
{
    return MIN(x + y, evex_bits(e->es));
}

uint64_t ev_subus(Evex *e, uint64_t x, uint64_t y)
{
    return x > y ? x - y : 0;
}

uint64_t ev_avg(Evex *e, uint64_t x, uint64_t y)
{
    return (x + y + 1) >> 1;
}

/* ---- products ---- */

uint64_t ev_mull(Evex *e, uint64_t x, uint64_t y)
{
    return x * y;
}

uint64_t ev_mulh(Evex *e, uint64_t x, uint64_t y)
{
    return (uint64_t)(sx(e, x) * sx(e, y) >> 16);
}

uint64_t ev_mulhu(Evex *e, uint64_t x, uint64_t y)
{
    return x * y >> 16;
}

uint64_t ev_mulhrs(Evex *e, uint64_t x, uint64_t y)
{
    return (uint64_t)(((sx(e, x) * sx(e, y) >> 14) + 1) >> 1);
}

uint64_t ev_muludq(Evex *e, uint64_t x, uint64_t y)
{
    return (x & UINT32_MAX) * (y & UINT32_MAX);
}

uint64_t ev_muldq(Evex *e, uint64_t x, uint64_t y)
{
    return (uint64_t)((int64_t)(int32_t)x * (int32_t)y);
}

uint64_t ev_maddwd(Evex *e, uint64_t x, uint64_t y)
{
    uint32_t low = (uint32_t)((int16_t)x * (int16_t)y);

    return low + (uint32_t)((int16_t)(x >> 16) * (int16_t)(y >> 16));
}

uint64_t ev_maddubsw(Evex *e, uint64_t x, uint64_t y)
{
    int32_t sum = (int32_t)(x & 0xff) * (int8_t)y + (int32_t)(x >> 8 & 0xff) * (int8_t)(y >> 8);

    return (uint64_t)clamp(sum, -32768, 32767);
}

uint64_t ev_sadbw(Evex *e, uint64_t x, uint64_t y)
{
    uint64_t sum = 0;

    for (unsigned k = 0; k < 64; k += 8) {
        int d = (int)(x >> k & 0xff) - (int)(y >> k & 0xff);
        sum += (uint64_t)(d < 0 ? -d : d);
    }
    return sum;
}

/* ---- comparison ---- */

uint64_t ev_abs(Evex *e, uint64_t x, uint64_t y)
{
    return sx(e, x) < 0 ? -x : x;
}

uint64_t ev_mins(Evex *e, uint64_t x, uint64_t y)
{
    return sx(e, x) < sx(e, y) ? x : y;
}

uint64_t ev_maxs(Evex *e, uint64_t x, uint64_t y)
{
    return sx(e, x) > sx(e, y) ? x : y;
}

uint64_t ev_minu(Evex *e, uint64_t x, uint64_t y)
{
    return MIN(x, y);
}

uint64_t ev_maxu(Evex *e, uint64_t x, uint64_t y)
{
    return MAX(x, y);
}

uint64_t ev_cmpeq(Evex *e, uint64_t x, uint64_t y)
{
    return x == y;
}

uint64_t ev_cmpgt(Evex *e, uint64_t x, uint64_t y)
{
    return sx(e, x) > sx(e, y);
}

/* Bit 2 turns the answer round: = < <= never. */
static uint64_t compare(const Evex *e, bool less, bool equal)
{
    const bool answers[4] = {equal, less, less || equal, false};

    return answers[e->u.imm & 3] ^ (e->u.imm >> 2 & 1);
}

uint64_t ev_cmpu(Evex *e, uint64_t x, uint64_t y)
{
    return compare(e, x < y, x == y);
}

uint64_t ev_cmps(Evex *e, uint64_t x, uint64_t y)
{
    return compare(e, sx(e, x) < sx(e, y), x == y);
}

uint64_t ev_test(Evex *e, uint64_t x, uint64_t y)
{
    return (x & y) != 0;
}

uint64_t ev_testn(Evex *e, uint64_t x, uint64_t y)
{
    return (x & y) == 0;
}

uint64_t ev_sign(Evex *e, uint64_t x, uint64_t y)
{
    return y >> (width(e) - 1);
}

/* Bits of the immediate by those of destination, first and second source. */
uint64_t ev_ternlog(Evex *e, uint64_t x, uint64_t y)
{
    uint64_t d = evex_el(&e->d, e->es, e->i), r = 0;

    for (unsigned n = 0; n < 8; n++) {
        if (e->u.imm >> n & 1) {
            r |= (n & 4 ? d : ~d) & (n & 2 ? x : ~x) & (n & 1 ? y : ~y);
        }
    }
    return r;
}

uint64_t ev_lzcnt(Evex *e, uint64_t x, uint64_t y)
{
    return x ? (uint64_t)__builtin_clzll(x) - (64 - width(e)) : width(e);
}

/* ---- shifts ---- */

uint64_t ev_shl(Evex *e, uint64_t x, uint64_t n)
{
    return n >= width(e) ? 0 : x << n;
}

uint64_t ev_shr(Evex *e, uint64_t x, uint64_t n)
{
    return n >= width(e) ? 0 : x >> n;
}

uint64_t ev_sar(Evex *e, uint64_t x, uint64_t n)
{
    return (uint64_t)(sx(e, x) >> MIN(n, width(e) - 1));
}

uint64_t ev_rol(Evex *e, uint64_t x, uint64_t n)
{
    n &= width(e) - 1;
    return n ? x << n | x >> (width(e) - n) : x;
}

uint64_t ev_ror(Evex *e, uint64_t x, uint64_t n)
{
    return ev_rol(e, x, width(e) - (n & (width(e) - 1)));
}

/* ---- other widths ---- */

uint64_t ev_trunc(Evex *e, uint64_t x, uint64_t y)
{
    return x;
}

uint64_t ev_sat_s(Evex *e, uint64_t x, uint64_t y)
{
    return (uint64_t)clamp(evex_signed(e->ses, x), -top(e) - 1, top(e));
}

uint64_t ev_sat_u(Evex *e, uint64_t x, uint64_t y)
{
    return MIN(x, evex_bits(e->es));
}

uint64_t ev_sext(Evex *e, uint64_t x, uint64_t y)
{
    return (uint64_t)evex_signed(e->ses, x);
}

uint64_t ev_zext(Evex *e, uint64_t x, uint64_t y)
{
    return x;
}

/* ---- mask registers ---- */

uint64_t ev_kxnor(Evex *e, uint64_t x, uint64_t y)
{
    return ~(x ^ y);
}

uint64_t ev_kadd(Evex *e, uint64_t x, uint64_t y)
{
    return x + y;
}

uint64_t ev_knot(Evex *e, uint64_t x, uint64_t y)
{
    return ~y;
}

uint64_t ev_kmov(Evex *e, uint64_t x, uint64_t y)
{
    return y;
}

uint64_t ev_kunpck(Evex *e, uint64_t x, uint64_t y)
{
    return x << width(e) | (y & evex_bits(e->es));
}

uint64_t ev_kshl(Evex *e, uint64_t x, uint64_t y)
{
    return ev_shl(e, y, e->u.imm);
}

uint64_t ev_kshr(Evex *e, uint64_t x, uint64_t y)
{
    return ev_shr(e, y & evex_bits(e->es), e->u.imm);
}

uint64_t ev_kortest(Evex *e, uint64_t x, uint64_t y)
{
    uint64_t bits = evex_bits(e->es), r = (e->c->opmask[e->u.d & 7] | y) & bits;

    evex_flags(e, (r ? 0 : FLAG_Z) | (r == bits ? FLAG_C : 0));
    return 0;
}

uint64_t ev_ktest(Evex *e, uint64_t x, uint64_t y)
{
    uint64_t first = e->c->opmask[e->u.d & 7], bits = evex_bits(e->es);

    evex_flags(e, (first & y & bits ? 0 : FLAG_Z) | (~first & y & bits ? 0 : FLAG_C));
    return 0;
}

uint64_t ev_kstore(Evex *e, uint64_t x, uint64_t y)
{
    cpu_store(&e->c->cpu, e->va, y, e->es, e->u.mmu, e->pc);
    e->nowrite = true;
    return 0;
}

uint64_t ev_kfrom_gpr(Evex *e, uint64_t x, uint64_t y)
{
    return e->c->regs[e->u.src & 15];
}

uint64_t ev_kto_gpr(Evex *e, uint64_t x, uint64_t y)
{
    e->c->regs[e->u.d & 15] = y & evex_bits(e->es);
    e->nowrite = true;
    return 0;
}

/* Broadcasts of a mask register: x is it. */
uint64_t ev_bcast_mb(Evex *e, uint64_t x, uint64_t y)
{
    return x & 0xff;
}

uint64_t ev_bcast_mw(Evex *e, uint64_t x, uint64_t y)
{
    return x & 0xffff;
}
