// SPDX-License-Identifier: GPL-2.0-or-later
/* SVE: predicates, their counts and flags, and comparisons of integers. C8.2. */
#include "target-arm/sve.h"

#include "target-arm/helpers.h"

uint32_t sv_predtest(const uint64_t *mask, const uint64_t *result, unsigned size, unsigned vl)
{
    bool first = false, seen = false, any = false, last = false;

    for (unsigned w = 0; w * 64 < vl; w++) {
        uint64_t m = mask[w] & sv_elements(size, vl, w);

        if (m) {
            last = result[w] >> (63 - __builtin_clzll(m)) & 1;
            first = seen ? first : result[w] >> __builtin_ctzll(m) & 1;
            seen = true;
            any = any || m & result[w];
        }
    }
    return (first ? 8 : 0) | (any ? 0 : 4) | (last ? 0 : 2);
}

unsigned sv_pattern(unsigned pattern, unsigned count)
{
    unsigned want;

    switch (pattern) {
    case 0:
        return 1u << (31 - __builtin_clz(count));
    case 1 ... 8:
        want = pattern;
        break;
    case 9 ... 13:
        want = 16u << (pattern - 9);
        break;
    case 29:
        return count & ~3u;
    case 30:
        return count - count % 3;
    case 31:
        return count;
    default:
        return 0;
    }
    return want <= count ? want : 0;
}

static void p_put(uint64_t *p, unsigned byte, bool on)
{
    p[byte / 64] = (p[byte / 64] & ~(1ull << (byte % 64))) | (uint64_t)on << (byte % 64);
}

/* All of the predicate; bits above the vector's length are 0. */
static void p_set(ArmCpu *c, unsigned n, uint64_t *v, unsigned vl)
{
    for (unsigned k = 0; k < 4; k++) {
        unsigned from = k * 64;

        c->p[n][k] = from >= vl ? 0 : from + 64 <= vl ? v[k] : v[k] & ((1ull << (vl - from)) - 1);
    }
}

/* op:o2:o3 of the encoding. */
uint32_t helper_sve_plogic(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc);
    const uint64_t *n = c->p[sv_rn(desc)], *m = c->p[sv_rm(desc)], *g = c->p[sv_pg(desc)];
    uint64_t r[4], mask[4];

    memcpy(mask, g, sizeof(mask));
    for (unsigned k = 0; k < 4; k++) {
        uint64_t a = n[k], b = m[k];

        switch (sv_op(desc)) {
        case 0:
            r[k] = a & b;
            break;
        case 1:
            r[k] = a & ~b;
            break;
        case 2:
            r[k] = a ^ b;
            break;
        case 3:
            r[k] = (a & g[k]) | (b & ~g[k]);
            continue;
        case 4:
            r[k] = a | b;
            break;
        case 5:
            r[k] = a | ~b;
            break;
        case 6:
            r[k] = ~(a | b);
            break;
        default:
            r[k] = ~(a & b);
        }
        r[k] &= g[k];
    }
    p_set(c, sv_rd(desc), r, vl);
    return sv_setf(desc) ? sv_predtest(mask, r, 0, vl) : 0;
}

/* ---- breaks ---- */

/* BRKA, BRKB; `after`: the element that breaks is in. */
static void break_at(uint64_t *r, const uint64_t *g, const uint64_t *n, unsigned vl, bool after,
                     bool merge)
{
    bool done = false;

    for (unsigned i = 0; i < vl; i++) {
        if (!sv_on(g, i)) {
            if (!merge) {
                p_put(r, i, false);
            }
        } else if (after) {
            p_put(r, i, !done);
            done = done || sv_on(n, i);
        } else {
            done = done || sv_on(n, i);
            p_put(r, i, !done);
        }
    }
}

/* Whether the last element that g has is set in n. */
static bool last_on(const uint64_t *g, const uint64_t *n, unsigned vl)
{
    for (int i = (int)vl - 1; i >= 0; i--) {
        if (sv_on(g, (unsigned)i)) {
            return sv_on(n, (unsigned)i);
        }
    }
    return false;
}

static void brkp(uint64_t *r, const uint64_t *g, const uint64_t *n, const uint64_t *m, unsigned vl,
                 bool after)
{
    bool on = last_on(g, n, vl);

    for (unsigned i = 0; i < vl; i++) {
        if (!sv_on(g, i)) {
            p_put(r, i, false);
        } else if (after) {
            p_put(r, i, on);
            on = on && !sv_on(m, i);
        } else {
            on = on && !sv_on(m, i);
            p_put(r, i, on);
        }
    }
}

/* PNEXT, PFIRST. */
static void next(uint64_t *r, const uint64_t *g, unsigned size, unsigned vl)
{
    unsigned from = 0;

    for (unsigned at = 0; at < vl; at += 1u << size) {
        from = sv_on(r, at) ? at + (1u << size) : from;
    }
    while (from < vl && !sv_on(g, from)) {
        from += 1u << size;
    }
    memset(r, 0, 32);
    if (from < vl) {
        p_put(r, from, true);
    }
}

static void first(uint64_t *r, const uint64_t *g, unsigned vl)
{
    for (unsigned i = 0; i < vl; i++) {
        if (sv_on(g, i)) {
            p_put(r, i, true);
            return;
        }
    }
}

/* Groups of 1 << size bits are the elements. */
static void permute(uint64_t *r, const uint64_t *n, const uint64_t *m, unsigned op, unsigned size,
                    unsigned vl)
{
    unsigned bits = 1u << size, count = vl / (2 * bits), part = (op - SVK_ZIP1) & 1;

    for (unsigned k = 0; k < count; k++) {
        unsigned to0 = 2 * k, to1 = 2 * k + 1, from = 2 * k + part;

        if (op <= SVK_ZIP2) {
            from = part * count + k;
        } else if (op <= SVK_UZP2) {
            to0 = k;
            to1 = count + k;
        }
        for (unsigned b = 0; b < bits; b++) {
            p_put(r, to0 * bits + b, sv_on(n, from * bits + b));
            p_put(r, to1 * bits + b, sv_on(m, from * bits + b));
        }
    }
}

static void reverse(uint64_t *r, const uint64_t *n, unsigned size, unsigned vl)
{
    unsigned bits = 1u << size;

    for (unsigned k = 0; k < vl / bits; k++) {
        for (unsigned b = 0; b < bits; b++) {
            p_put(r, k * bits + b, sv_on(n, vl - (k + 1) * bits + b));
        }
    }
}

uint32_t helper_sve_brk(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), op = sv_op(desc), size = sv_size(desc);
    const uint64_t *n = c->p[sv_rn(desc)], *m = c->p[sv_rm(desc)], *g = sv_p(c, sv_pg(desc));
    uint64_t r[4], mask[4];

    memcpy(mask, op == SVK_BRKN ? sv_all_true : g, sizeof(mask));
    memcpy(r, op >= SVK_PUNPKLO && op <= SVK_REV ? c->p[0] : c->p[sv_rd(desc)], sizeof(r));
    switch (op) {
    case SVK_BRKPA:
    case SVK_BRKPB:
        brkp(r, g, n, m, vl, op == SVK_BRKPA);
        break;
    case SVK_BRKA:
    case SVK_BRKAM:
    case SVK_BRKB:
    case SVK_BRKBM:
        break_at(r, g, n, vl, op <= SVK_BRKAM, op == SVK_BRKAM || op == SVK_BRKBM);
        break;
    case SVK_BRKN:
        if (!last_on(g, n, vl)) {
            memset(r, 0, sizeof(r));
        }
        break;
    case SVK_PTEST:
        return sv_predtest(mask, n, 0, vl);
    case SVK_PFIRST:
        first(r, g, vl);
        break;
    case SVK_PNEXT:
        next(r, g, size, vl);
        break;
    case SVK_PFALSE:
        memset(r, 0, sizeof(r));
        break;
    case SVK_RDFFR:
        for (unsigned k = 0; k < 4; k++) {
            r[k] = c->p[FFR][k] & g[k];
        }
        break;
    case SVK_MOV:
        memcpy(r, n, sizeof(r));
        break;
    case SVK_PTRUE:
        memset(r, 0xff, sizeof(r));
        break;
    case SVK_PUNPKLO:
    case SVK_PUNPKHI:
        for (unsigned i = 0; i < vl; i++) {
            p_put(r, i, !(i & 1) && sv_on(n, i / 2 + (op == SVK_PUNPKHI ? vl / 2 : 0)));
        }
        break;
    case SVK_REV:
        reverse(r, n, size, vl);
        break;
    default:
        permute(r, n, m, op, size, vl);
    }
    p_set(c, sv_rd(desc), r, vl);
    return sv_setf(desc) ? sv_predtest(mask, r, op == SVK_PNEXT ? size : 0, vl) : 0;
}

/* imm: elements that are true. */
uint32_t helper_sve_ptrue(Cpu *cpu, uint64_t desc)
{
    unsigned vl = sv_vl(desc), size = sv_size(desc);
    uint64_t r[4] = {0};

    for (unsigned i = 0; i < (unsigned)sv_imm(desc); i++) {
        p_put(r, i << size, true);
    }
    p_set(ARM(cpu), sv_rd(desc), r, vl);
    return sv_setf(desc) ? sv_predtest(r, r, size, vl) : 0;
}

/* ---- loops ---- */

/* tn: 1 unsigned, 2 up (else down); op: 1 or-equal (up), strictly (down); tm: 64 bits. */
uint32_t helper_sve_while(Cpu *cpu, uint64_t desc, uint64_t a, uint64_t b)
{
    unsigned vl = sv_vl(desc), size = sv_size(desc), count = vl >> size,
             width = sv_tm(desc) ? 3 : 2;
    bool u = sv_tn(desc) & 1, up = sv_tn(desc) & 2, eq = sv_op(desc), on = true;
    uint64_t r[4] = {0};

    b = sv_zx(b, width);
    if (up && !eq) {                    /* WHILELT, WHILELO: no wrap on the way */
        a = sv_zx(a, width);
        bool less = u ? a < b : sv_sx(a, width) < sv_sx(b, width);
        uint64_t n = less ? MIN(sv_zx(b - a, width), count) : 0;

        for (unsigned w = 0; w < 4; w++) {
            r[w] = sv_elements(size, (unsigned)n << size, w);
        }
        count = 0;
    }
    for (unsigned k = 0; k < count && on; k++) {
        a = sv_zx(a, width);
        bool less = u ? a < b : sv_sx(a, width) < sv_sx(b, width);

        on = up ? less || (eq && a == b) : eq ? !less && a != b : !less;
        if (on) {
            p_put(r, (up ? k : count - 1 - k) << size, true);
        }
        a += up ? 1 : UINT64_MAX;
    }
    p_set(ARM(cpu), sv_rd(desc), r, vl);
    return sv_predtest(sv_all_true, r, size, vl);
}

uint32_t helper_sve_whilewr(Cpu *cpu, uint64_t desc, uint64_t a, uint64_t b)
{
    unsigned vl = sv_vl(desc), size = sv_size(desc), count = vl >> size;
    bool rw = sv_op(desc);
    uint64_t distance = rw && a > b ? a - b : b - a, r[4] = {0};
    bool all = (!rw && b <= a) || distance >> size == 0;

    for (unsigned i = 0; i < count; i++) {
        if (all || i < distance >> size) {
            p_put(r, i << size, true);
        }
    }
    p_set(ARM(cpu), sv_rd(desc), r, vl);
    return sv_predtest(sv_all_true, r, size, vl);
}

/* ---- counts ---- */

uint64_t helper_sve_cntp(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    const uint64_t *g = sv_p(c, sv_pg(desc)), *n = c->p[sv_rn(desc)];
    unsigned vl = sv_vl(desc), size = sv_size(desc);
    uint64_t count = 0;

    for (unsigned w = 0; w * 64 < vl; w++) {
        count += (unsigned)__builtin_popcountll(g[w] & n[w] & sv_elements(size, vl, w));
    }
    return count;
}

/* bits: 0 unsigned, 1 subtract, 2 64-bit. */
uint64_t helper_sve_satcnt(uint64_t v, uint64_t count, uint64_t bits)
{
    unsigned size = bits & 4 ? 3 : 2;
    bool u = bits & 1, sub = bits & 2;
    __int128 x = u ? (__int128)sv_zx(v, size) : (__int128)sv_sx(v, size);

    x = sub ? x - (__int128)count : x + (__int128)count;
    return u ? sv_sat_u(x, size) : (uint64_t)sv_sat_s(x, size);
}

/* ---- comparisons ---- */

static bool compare(unsigned op, int64_t x, int64_t y, uint64_t a, uint64_t b)
{
    switch (op) {
    case SVM_EQ:
        return x == y;
    case SVM_NE:
        return x != y;
    case SVM_GE:
        return x >= y;
    case SVM_GT:
        return x > y;
    case SVM_LT:
        return x < y;
    case SVM_LE:
        return x <= y;
    case SVM_HS:
        return a >= b;
    case SVM_HI:
        return a > b;
    case SVM_LO:
        return a < b;
    default:
        return a <= b;
    }
}

static bool match(const ArmZ *m, unsigned size, unsigned i, uint64_t v)
{
    unsigned per = 16u >> size;

    for (unsigned k = 0; k < per; k++) {
        if (sv_get(m, size, (i & ~(per - 1)) + k) == v) {
            return true;
        }
    }
    return false;
}

/* tn: 0 elements, 1 64-bit elements, 2 an immediate. */
uint32_t helper_sve_cmp(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc), kind = sv_tn(desc);
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc) & 31, vl);
    const uint64_t *g = sv_p(c, sv_pg(desc));
    uint64_t r[4] = {0}, mask[4];

    memcpy(mask, g, sizeof(mask));
    for (unsigned i = 0; i < vl >> size; i++) {
        if (!sv_on(g, i << size)) {
            continue;
        }
        uint64_t a = sv_get(n, size, i), b = kind == 2   ? (uint64_t)sv_imm(desc)
                                             : kind == 1 ? m->d[i << size >> 3]
                                                         : sv_get(m, size, i);
        bool on = op >= SVM_MATCH
                      ? match(m, size, i, a) == (op == SVM_MATCH)
                      : compare(op, sv_sx(a, size), kind ? (int64_t)b : sv_sx(b, size), a, b);

        p_put(r, i << size, on);
    }
    p_set(c, sv_rd(desc), r, vl);
    return sv_predtest(mask, r, size, vl);
}
