// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SVE: permutes, unpacking, tables, histograms, what makes vectors of scalars and scalars of
 * vectors; cryptography by 128 bits. C8.2.
 */
#include "target-arm/sve.h"

#include "target-arm/helpers.h"

/* The last element that is active; -1: none. */
static int last_active(const uint64_t *p, unsigned size, unsigned count)
{
    for (int i = (int)count - 1; i >= 0; i--) {
        if (sv_on(p, (unsigned)i << size)) {
            return i;
        }
    }
    return -1;
}

/* Elements of any size up to 128 bits, by pairs. */
static void pairs(unsigned op, unsigned size, unsigned vl, ArmZ *r, const ArmZ *n, const ArmZ *m,
                  unsigned part)
{
    unsigned bytes = 1u << size, count = vl / (2 * bytes);

    memset(r, 0, vl);
    for (unsigned k = 0; op == SVP_UZP && k < vl / bytes; k++) {
        unsigned from = (2 * k + part) * bytes;

        memcpy(r->b + k * bytes, from < vl ? n->b + from : m->b + from - vl, bytes);
    }
    for (unsigned k = 0; op != SVP_UZP && k < count; k++) {
        unsigned to0 = 2 * k, to1 = 2 * k + 1, from = 2 * k + part;

        from = op == SVP_ZIP ? part * count + k : from;
        memcpy(r->b + to0 * bytes, n->b + from * bytes, bytes);
        memcpy(r->b + to1 * bytes, m->b + from * bytes, bytes);
    }
}

static void table(ArmCpu *c, uint64_t desc, ArmZ *r, unsigned vl)
{
    unsigned size = sv_size(desc), count = vl >> size, regs = (unsigned)sv_imm(desc);
    const ArmZ *t[2] = {sv_z(c, sv_rn(desc), vl), sv_z(c, (sv_rn(desc) + 1) & 31, vl)},
               *index = sv_z(c, sv_rm(desc), vl);

    for (unsigned i = 0; i < count; i++) {
        uint64_t k = sv_get(index, size, i);

        if (k < (uint64_t)count * regs) {
            sv_put(r, size, i, sv_get(t[k >= count], size, (unsigned)(k % count)));
        } else if (sv_op(desc) == SVP_TBL) {
            sv_put(r, size, i, 0);
        }
    }
}

static void splice(ArmCpu *c, uint64_t desc, ArmZ *r, unsigned vl)
{
    unsigned size = sv_size(desc), count = vl >> size, at = 0,
             rm = sv_imm(desc) ? (sv_rn(desc) + 1) & 31 : sv_rm(desc);
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, rm, vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    int last = last_active(p, size, count);
    bool on = false;

    for (int i = 0; i <= last; i++) {
        on = on || sv_on(p, (unsigned)i << size);
        if (on) {
            sv_put(r, size, at++, sv_get(n, size, (unsigned)i));
        }
    }
    for (unsigned k = 0; at < count; k++) {
        sv_put(r, size, at++, sv_get(m, size, k));
    }
}

/* HISTCNT: equal active elements of m up to this one; HISTSEG: in these 16 bytes. */
static uint64_t histogram(unsigned op, unsigned size, const ArmZ *n, const ArmZ *m,
                          const uint64_t *p, unsigned i)
{
    unsigned first = op == SVP_HISTCNT ? 0 : i & ~15u, last = op == SVP_HISTCNT ? i : i | 15;
    uint64_t v = sv_get(n, size, i), count = 0;

    for (unsigned k = first; k <= last; k++) {
        count += sv_on(p, k << size) && sv_get(m, size, k) == v;
    }
    return count;
}

/* Element by element: what the others below are not. */
static void each(ArmCpu *c, uint64_t desc, ArmZ *r, unsigned vl)
{
    unsigned size = sv_size(desc), op = sv_op(desc), count = vl >> size;
    int imm = sv_imm(desc);
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc) & 31, vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));

    for (unsigned i = 0; i < count; i++) {
        bool on = sv_on(p, i << size);
        uint64_t v = sv_get(n, size, i), w = sv_get(m, size, i);

        switch (op) {
        case SVP_MOVZ:
            v = on ? v : 0;
            break;
        case SVP_SEL:
            v = on ? v : w;
            break;
        case SVP_SADALP:
            v = sv_get(r, size, i) +
                (on ? (uint64_t)sv_sx(sv_get(n, size - 1, 2 * i), size - 1) +
                          (uint64_t)sv_sx(sv_get(n, size - 1, 2 * i + 1), size - 1)
                    : 0);
            break;
        case SVP_UADALP:
            v = sv_get(r, size, i) +
                (on ? sv_get(n, size - 1, 2 * i) + sv_get(n, size - 1, 2 * i + 1) : 0);
            break;
        case SVP_ADR_SXTW:
            v += (uint64_t)(int64_t)(int32_t)w << imm;
            break;
        case SVP_ADR_UXTW:
            v += (uint64_t)(uint32_t)w << imm;
            break;
        case SVP_ADR:
            v += w << imm;
            break;
        case SVP_UNPK: {
            uint64_t x = sv_get(n, size - 1, i + (imm & 1 ? count : 0));

            v = imm & 2 ? x : (uint64_t)sv_sx(x, size - 1);
            break;
        }
        case SVP_REV:
            v = sv_get(n, size, count - 1 - i);
            break;
        case SVP_INSR:
            v = i ? sv_get(n, size, i - 1) : sv_get(m, size, 0);
            break;
        default:
            v = op == SVP_HISTSEG || on ? histogram(op, size, n, m, p, i) : 0;
        }
        sv_put(r, size, i, v);
    }
}

static void compact(ArmCpu *c, uint64_t desc, ArmZ *r, unsigned vl)
{
    unsigned size = sv_size(desc), at = 0;
    const ArmZ *n = sv_z(c, sv_rn(desc), vl);
    const uint64_t *p = sv_p(c, sv_pg(desc));

    memset(r, 0, vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        if (sv_on(p, i << size)) {
            sv_put(r, size, at++, sv_get(n, size, i));
        }
    }
}

/* The element that LASTA (after the last active one), LASTB (that one) mean; -1: CLAST of none. */
static int last_index(const ArmCpu *c, uint64_t desc, unsigned count, bool conditional)
{
    int last = last_active(sv_p(c, sv_pg(desc)), sv_size(desc), count);

    if (last < 0 && conditional) {
        return -1;
    }
    if (sv_imm(desc)) {
        return last < 0 ? (int)count - 1 : last;
    }
    return last + 1 >= (int)count ? 0 : last + 1;
}

static void last(ArmCpu *c, uint64_t desc, unsigned vl)
{
    unsigned size = sv_size(desc), op = sv_op(desc), count = vl >> size;
    int i = last_index(c, desc, count, op != SVP_LASTV);
    const ArmZ *n = sv_z(c, sv_rn(desc), vl);
    ArmZ r;

    if (op != SVP_CLASTZ) {
        sv_set_v(c, sv_rd(desc),
                 sv_get(i < 0 ? &c->z[sv_rd(desc)] : n, size, i < 0 ? 0 : (unsigned)i), 0);
    } else if (i >= 0) {
        for (unsigned k = 0; k < count; k++) {
            sv_put(&r, size, k, sv_get(n, size, (unsigned)i));
        }
        sv_set_z(c, sv_rd(desc), &r, vl);
    }
}

void helper_sve_perm(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), op = sv_op(desc), imm = (unsigned)sv_imm(desc);
    ArmZ r;

    if (op == SVP_LASTV || op == SVP_CLASTZ || op == SVP_CLASTV) {
        last(c, desc, vl);
        return;
    }
    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc) & 31, vl);

    switch (op) {
    case SVP_ZIP:
    case SVP_UZP:
    case SVP_TRN:
        pairs(op, sv_size(desc), vl, &r, n, m, imm);
        break;
    case SVP_TBL:
    case SVP_TBX:
        table(c, desc, &r, vl);
        break;
    case SVP_SPLICE:
        splice(c, desc, &r, vl);
        break;
    case SVP_COMPACT:
        compact(c, desc, &r, vl);
        break;
    case SVP_EXT:
        imm = imm >= vl ? 0 : imm;
        memcpy(r.b, n->b + imm, vl - imm);
        memcpy(r.b + vl - imm, m->b, imm);
        break;
    default:
        each(c, desc, &r, vl);
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* ---- scalars ---- */

void helper_sve_index(Cpu *cpu, uint64_t desc, uint64_t start, uint64_t step)
{
    unsigned vl = sv_vl(desc), size = sv_size(desc);
    ArmZ r;

    for (unsigned i = 0; i < vl >> size; i++) {
        sv_put(&r, size, i, start + i * step);
    }
    sv_set_z(ARM(cpu), sv_rd(desc), &r, vl);
}

/* op: 0 DUP, 1 INSR, 2 CPY; of DUP by index, x is the element's number and size may be 4. */
void helper_sve_dupr(Cpu *cpu, uint64_t desc, uint64_t x)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc);
    const uint64_t *p = sv_p(c, sv_pg(desc));
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    if (op == 1) {
        memmove(r.b + (1u << size), r.b, vl - (1u << size));
        sv_put(&r, size, 0, x);
    } else if (op == 3) {
        const ArmZ *n = sv_z(c, sv_rn(desc), vl);
        ArmZ element = {.d = {0}};

        if ((x + 1) << size <= vl) {
            memcpy(element.b, n->b + (x << size), 1u << size);
        }
        for (unsigned at = 0; at < vl; at += 1u << size) {
            memcpy(r.b + at, element.b, 1u << size);
        }
    } else {
        for (unsigned i = 0; i < vl >> size; i++) {
            if (sv_on(p, i << size)) {
                sv_put(&r, size, i, x);
            }
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

uint64_t helper_sve_last(Cpu *cpu, uint64_t desc, uint64_t old)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc);
    int i = last_index(c, desc, vl >> size, sv_op(desc));

    return i < 0 ? sv_zx(old, size) : sv_get(sv_z(c, sv_rn(desc), vl), size, (unsigned)i);
}

/* ---- by 128 bits ---- */

void helper_sve_crypto(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), op = sv_op(desc);
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl);
    ArmZ r;

    for (unsigned i = 0; i < vl / 16; i++) {
        switch (op) {
        case SVC_AESE:
        case SVC_AESD:
            r.q[i] = helper_aes(n->q[i], m->q[i], op == SVC_AESD);
            break;
        case SVC_AESMC:
        case SVC_AESIMC:
            r.q[i] = helper_aes(n->q[i], n->q[i], op == SVC_AESMC ? 2 : 3);
            break;
        default:
            r.q[i] = helper_sm4(n->q[i], m->q[i], op == SVC_SM4EKEY);
        }
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_mmla(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc);
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl),
               *d = sv_z(c, sv_rd(desc), vl);
    ArmZ r;

    for (unsigned i = 0; i < vl / 16; i++) {
        r.q[i] = helper_mmla(d->q[i], n->q[i], m->q[i], sv_op(desc));
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* ---- dot products, complex numbers, long sums ---- */

/* op: bit 0 n unsigned, bit 1 m unsigned. */
void helper_sve_dot(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), q = size - 2, op = sv_op(desc),
             per = 16u >> size;
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl);
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        unsigned g = sv_elem(desc) ? (i & ~(per - 1)) + (unsigned)sv_imm(desc) : i;
        uint64_t sum = sv_get(&r, size, i);

        for (unsigned k = 0; k < 4; k++) {
            uint64_t x = sv_get(n, q, 4 * i + k), y = sv_get(m, q, 4 * g + k);

            sum += (op & 1 ? x : (uint64_t)sv_sx(x, q)) * (op & 2 ? y : (uint64_t)sv_sx(y, q));
        }
        sv_put(&r, size, i, sum);
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_cdot(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), q = size - 2, rot = sv_tn(desc),
             per = 16u >> size;
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl);
    bool sub = (rot & 1) == rot >> 1;
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i++) {
        unsigned g = sv_elem(desc) ? (i & ~(per - 1)) + (unsigned)sv_imm(desc) : i;
        int64_t sum = sv_sx(sv_get(&r, size, i), size);

        for (unsigned k = 0; k < 4; k += 2) {
            int64_t re = sv_sx(sv_get(n, q, 4 * i + k), q),
                    im = sv_sx(sv_get(n, q, 4 * i + k + 1), q);
            int64_t a = sv_sx(sv_get(m, q, 4 * g + k + (rot & 1)), q),
                    b = sv_sx(sv_get(m, q, 4 * g + k + !(rot & 1)), q);

            sum = (int64_t)((uint64_t)sum + (uint64_t)(re * a) +
                            (sub ? 0 - (uint64_t)(im * b) : (uint64_t)(im * b)));
        }
        sv_put(&r, size, i, (uint64_t)sum);
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* op: 0 CMLA, 1 SQRDCMLAH. */
static uint64_t complex_part(unsigned op, unsigned size, uint64_t acc, uint64_t x, uint64_t y,
                             bool sub)
{
    if (!op) {
        return sub ? acc - x * y : acc + x * y;
    }
    unsigned bits = sv_bits(size);
    __int128 p = (__int128)sv_sx(x, size) * sv_sx(y, size),
             a = (__int128)sv_sx(acc, size) * ((__int128)1 << (bits - 1));

    return (uint64_t)sv_sat_s((a + (sub ? -p : p) + ((__int128)1 << (bits - 2))) >> (bits - 1),
                              size);
}

void helper_sve_cmla(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), op = sv_op(desc), rot = sv_tn(desc),
             per = 8u >> size;
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl);
    bool sub_re = (rot & 1) != rot >> 1, sub_im = rot & 2;
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size >> 1; i++) {
        unsigned g = sv_elem(desc) ? (i & ~(per - 1)) + (unsigned)sv_imm(desc) : i;
        uint64_t x = sv_get(n, size, 2 * i + (rot & 1)), a = sv_get(m, size, 2 * g + (rot & 1)),
                 b = sv_get(m, size, 2 * g + !(rot & 1));

        sv_put(&r, size, 2 * i, complex_part(op, size, sv_get(&r, size, 2 * i), x, a, sub_re));
        sv_put(&r, size, 2 * i + 1,
               complex_part(op, size, sv_get(&r, size, 2 * i + 1), x, b, sub_im));
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_cadd(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), add = sv_op(desc) ? SVB_SQADD : SVB_ADD,
             sub = sv_op(desc) ? SVB_SQSUB : SVB_SUB;
    const ArmZ *n = sv_z(c, sv_rd(desc), vl), *m = sv_z(c, sv_rm(desc), vl);
    bool rot270 = sv_tn(desc);
    ArmZ r;

    for (unsigned i = 0; i < vl >> size; i += 2) {
        uint64_t re = sv_get(m, size, i), im = sv_get(m, size, i + 1);

        sv_put(&r, size, i, sv_bin(rot270 ? add : sub, size, sv_get(n, size, i), im));
        sv_put(&r, size, i + 1, sv_bin(rot270 ? sub : add, size, sv_get(n, size, i + 1), re));
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

/* ADCL, SBCL: even elements get sums, odd ones the carry, which comes from odd elements of m. */
void helper_sve_adcl(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc);
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl);
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i += 2) {
        uint64_t x = sv_get(n, size, i + (sv_tn(desc) & 1));
        unsigned __int128 sum = (unsigned __int128)sv_get(&r, size, i) +
                                sv_zx(sv_op(desc) ? ~x : x, size) + (sv_get(m, size, i + 1) & 1);

        sv_put(&r, size, i, (uint64_t)sum);
        sv_put(&r, size, i + 1, (uint64_t)(sum >> sv_bits(size)) & 1);
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}

void helper_sve_eorbt(Cpu *cpu, uint64_t desc)
{
    ArmCpu *c = ARM(cpu);
    unsigned vl = sv_vl(desc), size = sv_size(desc), top = sv_op(desc);
    const ArmZ *n = sv_z(c, sv_rn(desc), vl), *m = sv_z(c, sv_rm(desc), vl);
    ArmZ r;

    memcpy(&r, sv_z(c, sv_rd(desc), vl), vl);
    for (unsigned i = 0; i < vl >> size; i += 2) {
        sv_put(&r, size, i + top, sv_get(n, size, i + top) ^ sv_get(m, size, i + !top));
    }
    sv_set_z(c, sv_rd(desc), &r, vl);
}
