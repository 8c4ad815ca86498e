// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX-512 instructions whose elements move: shuffles, permutations, broadcasts, insertion and
 * extraction, general registers. SDM 2. Kernels here make the whole of e->r.
 */
#include "target-i386/evex.h"

/* r[k] = v[from(k)] within each part of 16 bytes: the number of elements of such a part. */
static unsigned per_part(const Evex *e)
{
    return 16u >> e->es;
}

static void copy(Evex *e, unsigned to, const Zmm *v, unsigned from)
{
    evex_set_el(&e->r, e->es, to, evex_el(v, e->es, from));
}

/* Interleaves halves of the parts: 0 the low ones. */
static uint64_t unpack(Evex *e, unsigned half)
{
    unsigned n = per_part(e);

    for (unsigned k = 0; k < e->n; k += 2) {
        unsigned from = k / n * n + half * n / 2 + k % n / 2;
        copy(e, k, &e->a, from);
        copy(e, k + 1, &e->b, from);
    }
    return 0;
}

uint64_t ev_unpack_lo(Evex *e, uint64_t x, uint64_t y)
{
    return unpack(e, 0);
}

uint64_t ev_unpack_hi(Evex *e, uint64_t x, uint64_t y)
{
    return unpack(e, 1);
}

/* Elements twice as large, saturated; e->es is the result's. */
static uint64_t pack(Evex *e, int64_t low, int64_t high)
{
    unsigned n = per_part(e);

    for (unsigned k = 0; k < e->n; k++) {
        const Zmm *v = k % n < n / 2 ? &e->a : &e->b;
        int64_t x = evex_signed(e->es + 1, evex_el(v, e->es + 1, k / n * (n / 2) + k % (n / 2)));
        evex_set_el(&e->r, e->es, k, (uint64_t)(x < low ? low : x > high ? high : x));
    }
    return 0;
}

uint64_t ev_pack_s(Evex *e, uint64_t x, uint64_t y)
{
    int64_t top = (int64_t)(evex_bits(e->es) >> 1);

    return pack(e, -top - 1, top);
}

uint64_t ev_pack_u(Evex *e, uint64_t x, uint64_t y)
{
    return pack(e, 0, (int64_t)evex_bits(e->es));
}

uint64_t ev_pshufb(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        uint8_t which = e->b.b[k];
        e->r.b[k] = which & 0x80 ? 0 : e->a.b[(k & ~15u) + (which & 15)];
    }
    return 0;
}

uint64_t ev_pshufd(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        copy(e, k, &e->b, (k & ~3u) + (e->u.imm >> (k & 3) * 2 & 3));
    }
    return 0;
}

static uint64_t shuffle_words(Evex *e, unsigned half)
{
    e->r = e->b;
    for (unsigned k = 0; k < e->n; k++) {
        if ((k >> 2 & 1) == half) {
            e->r.w[k] = e->b.w[(k & ~3u) + (e->u.imm >> (k & 3) * 2 & 3)];
        }
    }
    return 0;
}

uint64_t ev_pshuflw(Evex *e, uint64_t x, uint64_t y)
{
    return shuffle_words(e, 0);
}

uint64_t ev_pshufhw(Evex *e, uint64_t x, uint64_t y)
{
    return shuffle_words(e, 1);
}

/* SHUFPS, SHUFPD */
uint64_t ev_shuf(Evex *e, uint64_t x, uint64_t y)
{
    unsigned n = per_part(e);

    for (unsigned k = 0; k < e->n; k++) {
        unsigned which = e->es == 2 ? e->u.imm >> (k & 3) * 2 & 3 : e->u.imm >> k & 1;
        copy(e, k, k % n < n / 2 ? &e->a : &e->b, k / n * n + which);
    }
    return 0;
}

uint64_t ev_permil(Evex *e, uint64_t x, uint64_t y)
{
    unsigned n = per_part(e);

    for (unsigned k = 0; k < e->n; k++) {
        uint64_t which = evex_el(&e->b, e->es, k);
        copy(e, k, &e->a, k / n * n + (e->es == 2 ? which & 3 : which >> 1 & 1));
    }
    return 0;
}

uint64_t ev_permil_imm(Evex *e, uint64_t x, uint64_t y)
{
    unsigned n = per_part(e);

    for (unsigned k = 0; k < e->n; k++) {
        unsigned which = e->es == 2 ? e->u.imm >> (k & 3) * 2 & 3 : e->u.imm >> k & 1;
        copy(e, k, &e->b, k / n * n + which);
    }
    return 0;
}

uint64_t ev_palignr(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        unsigned from = (k & 15) + e->u.imm, part = k & ~15u;
        e->r.b[k] = from < 16 ? e->b.b[part + from] : from < 32 ? e->a.b[part + from - 16] : 0;
    }
    return 0;
}

/* VALIGND, VALIGNQ: over the whole of both. */
uint64_t ev_align(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        unsigned from = k + (e->u.imm & (e->n - 1));
        copy(e, k, from < e->n ? &e->b : &e->a, from & (e->n - 1));
    }
    return 0;
}

uint64_t ev_srldq(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        unsigned from = (k & 15) + e->u.imm;
        e->r.b[k] = from < 16 ? e->b.b[(k & ~15u) + from] : 0;
    }
    return 0;
}

uint64_t ev_slldq(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        e->r.b[k] = (k & 15) >= e->u.imm ? e->b.b[k - e->u.imm] : 0;
    }
    return 0;
}

/* ---- over all of the vector ---- */

uint64_t ev_perm(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        copy(e, k, &e->b, evex_el(&e->a, e->es, k) & (e->n - 1));
    }
    return 0;
}

uint64_t ev_permq(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        copy(e, k, &e->b, (k & ~3u) + (e->u.imm >> (k & 3) * 2 & 3));
    }
    return 0;
}

/* Two tables, and the indices into them. */
static uint64_t permute2(Evex *e, const Zmm *index, const Zmm *low, const Zmm *high)
{
    for (unsigned k = 0; k < e->n; k++) {
        uint64_t which = evex_el(index, e->es, k);
        copy(e, k, which & e->n ? high : low, which & (e->n - 1));
    }
    return 0;
}

uint64_t ev_permi2(Evex *e, uint64_t x, uint64_t y)
{
    return permute2(e, &e->d, &e->a, &e->b);
}

uint64_t ev_permt2(Evex *e, uint64_t x, uint64_t y)
{
    return permute2(e, &e->a, &e->d, &e->b);
}

uint64_t ev_shuf128(Evex *e, uint64_t x, uint64_t y)
{
    unsigned parts = e->bytes / 16, bits = parts == 4 ? 2 : 1;

    for (unsigned k = 0; k < parts; k++) {
        const Zmm *v = k < parts / 2 ? &e->a : &e->b;
        e->r.x[k] = v->x[e->u.imm >> k * bits & (parts - 1)];
    }
    return 0;
}

/* How many before it are equal: bits of the result. */
uint64_t ev_conflict(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        uint64_t bits = 0;
        for (unsigned j = 0; j < k; j++) {
            bits |= (uint64_t)(evex_el(&e->b, e->es, j) == evex_el(&e->b, e->es, k)) << j;
        }
        evex_set_el(&e->r, e->es, k, bits);
    }
    return 0;
}

static uint16_t sad4(const uint8_t *p, const uint8_t *q)
{
    int sum = 0;

    for (unsigned k = 0; k < 4; k++) {
        sum += p[k] > q[k] ? p[k] - q[k] : q[k] - p[k];
    }
    return (uint16_t)sum;
}

uint64_t ev_dbpsadbw(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned part = 0; part < e->bytes; part += 16) {
        uint8_t t[16];
        for (unsigned k = 0; k < 4; k++) {
            memcpy(t + 4 * k, e->b.b + part + (e->u.imm >> 2 * k & 3) * 4, 4);
        }
        for (unsigned k = 0; k < 8; k++) {
            const uint8_t *p = e->a.b + part + k / 2 * 4;
            e->r.w[part / 2 + k] = sad4(p, t + k / 4 * 8 + k % 4);
        }
    }
    return 0;
}

/* ---- moves of halves, broadcasts ---- */

uint64_t ev_movhlps(Evex *e, uint64_t x, uint64_t y)
{
    e->r.q[0] = e->b.q[1];
    e->r.q[1] = e->a.q[1];
    return 0;
}

uint64_t ev_movlhps(Evex *e, uint64_t x, uint64_t y)
{
    e->r.q[0] = e->a.q[0];
    e->r.q[1] = e->b.q[0];
    return 0;
}

uint64_t ev_movlps(Evex *e, uint64_t x, uint64_t y)
{
    e->r.q[0] = e->b.q[0];
    e->r.q[1] = e->a.q[1];
    e->valid = 16;
    e->n = 2;
    return 0;
}

uint64_t ev_movhps(Evex *e, uint64_t x, uint64_t y)
{
    e->valid = 16;
    e->n = 2;
    return ev_movlhps(e, x, y);
}

uint64_t ev_movsldup(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        e->r.l[k] = e->b.l[k & ~1u];
    }
    return 0;
}

uint64_t ev_movshdup(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        e->r.l[k] = e->b.l[k | 1];
    }
    return 0;
}

uint64_t ev_movddup(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        e->r.q[k] = e->b.q[k & ~1u];
    }
    return 0;
}

/* The first bytes again and again. */
static uint64_t repeat(Evex *e, unsigned bytes)
{
    for (unsigned k = 0; k < e->bytes; k += bytes) {
        memcpy(e->r.b + k, e->b.b, bytes);
    }
    return 0;
}

uint64_t ev_bcast8(Evex *e, uint64_t x, uint64_t y)
{
    return repeat(e, 1);
}

uint64_t ev_bcast16(Evex *e, uint64_t x, uint64_t y)
{
    return repeat(e, 2);
}

uint64_t ev_bcast32(Evex *e, uint64_t x, uint64_t y)
{
    return repeat(e, 4);
}

uint64_t ev_bcast64(Evex *e, uint64_t x, uint64_t y)
{
    return repeat(e, 8);
}

uint64_t ev_bcast128(Evex *e, uint64_t x, uint64_t y)
{
    return repeat(e, 16);
}

uint64_t ev_bcast256(Evex *e, uint64_t x, uint64_t y)
{
    return repeat(e, 32);
}

/* ---- parts ---- */

static uint64_t insert(Evex *e, unsigned bytes)
{
    unsigned which = e->u.imm & (e->bytes / bytes - 1);

    e->r = e->a;
    memcpy(e->r.b + which * bytes, e->b.b, bytes);
    return 0;
}

static uint64_t extract(Evex *e, unsigned bytes)
{
    memcpy(e->r.b, e->b.b + (e->u.imm & (e->bytes / bytes - 1)) * bytes, bytes);
    return 0;
}

uint64_t ev_insert128(Evex *e, uint64_t x, uint64_t y)
{
    return insert(e, 16);
}

uint64_t ev_insert256(Evex *e, uint64_t x, uint64_t y)
{
    return insert(e, 32);
}

uint64_t ev_extract128(Evex *e, uint64_t x, uint64_t y)
{
    return extract(e, 16);
}

uint64_t ev_extract256(Evex *e, uint64_t x, uint64_t y)
{
    return extract(e, 32);
}

uint64_t ev_insertps(Evex *e, uint64_t x, uint64_t y)
{
    e->r = e->a;
    e->r.l[e->u.imm >> 4 & 3] = e->b.l[e->u.src_mem ? 0 : e->u.imm >> 6];
    for (unsigned k = 0; k < 4; k++) {
        e->r.l[k] = e->u.imm >> k & 1 ? 0 : e->r.l[k];
    }
    e->n = 4;
    e->valid = 16;
    return 0;
}

/* ---- general registers ---- */

uint64_t ev_gpr_to(Evex *e, uint64_t x, uint64_t y)
{
    evex_set_el(&e->r, e->es, 0, evex_general(e));
    return 0;
}

static uint64_t to_general(Evex *e, unsigned k)
{
    Zmm v = evex_get(e->c, e->u.src);
    uint64_t x = evex_el(&v, e->es, k);

    if (e->u.dst_mem) {
        cpu_store(&e->c->cpu, e->va, x, e->es, e->u.mmu, e->pc);
    } else {
        e->c->regs[e->u.d & 15] = x;
    }
    return 0;
}

uint64_t ev_gpr_from(Evex *e, uint64_t x, uint64_t y)
{
    return to_general(e, 0);
}

uint64_t ev_pextr(Evex *e, uint64_t x, uint64_t y)
{
    return to_general(e, e->u.imm & ((16u >> e->es) - 1));
}

uint64_t ev_pextr_g(Evex *e, uint64_t x, uint64_t y)
{
    return to_general(e, e->u.imm & 7);
}

uint64_t ev_pinsr(Evex *e, uint64_t x, uint64_t y)
{
    e->r = e->a;
    evex_set_el(&e->r, e->es, e->u.imm & ((16u >> e->es) - 1), evex_general(e));
    e->valid = 16;
    return 0;
}

uint64_t ev_bcast_gpr(Evex *e, uint64_t x, uint64_t y)
{
    for (unsigned k = 0; k < e->n; k++) {
        evex_set_el(&e->r, e->es, k, e->c->regs[e->u.src & 15]);
    }
    return 0;
}
