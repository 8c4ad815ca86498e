// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX-512: operands, masks, memory whose masked elements do not fault, results; SDM 1 chapter 15,
 * SDM 2A 2.7. The drivers of opcodes-evex.decode.
 */
#include "target-i386/evex.h"
#include "target-i386/seg.h"

Zmm evex_get(const X86Cpu *c, unsigned reg)
{
    if (reg < 16) {
        return (Zmm){.x = {c->xmm[reg], c->ymm_hi[reg], c->zmm_hi[reg][0], c->zmm_hi[reg][1]}};
    }
    Zmm v;
    memcpy(&v, c->zmm_more[reg - 16], sizeof(v));
    return v;
}

void evex_put(X86Cpu *c, unsigned reg, const Zmm *v)
{
    if (reg < 16) {
        c->xmm[reg] = v->x[0];
        c->ymm_hi[reg] = v->x[1];
        memcpy(c->zmm_hi[reg], &v->x[2], 32);
    } else {
        memcpy(c->zmm_more[reg - 16], v, sizeof(*v));
    }
}

void evex_flags(Evex *e, uint32_t flags)
{
    e->c->cc_op = CC_EFLAGS;
    e->c->cc_src = flags;
    e->nowrite = true;
}

uint64_t evex_general(Evex *e)
{
    uint64_t v = e->u.src_mem ? cpu_load(&e->c->cpu, e->va, e->u.size1, e->u.mmu, e->pc)
                              : e->c->regs[e->u.src & 15];

    return v & evex_bits(e->u.size1);
}

/* ---- memory ---- */

static uint64_t full_mask(const Evex *e)
{
    return e->n == 64 ? UINT64_MAX : (1ull << e->n) - 1;
}

static bool all_active(const Evex *e)
{
    return !(full_mask(e) & ~e->mask);
}

static void check_alignment(const Evex *e, unsigned bytes)
{
    if (e->row->evex & EV_AL && e->mask & full_mask(e) && e->va & (bytes - 1)) {
        x86_raise_error(e->c, EXC_GP, 0, e->pc);
    }
}

/* Broadcasts of several elements: those that an element let through is a copy of. */
static void load_repeated(Evex *e, unsigned bytes, unsigned total)
{
    unsigned num = total / bytes;

    for (unsigned k = 0; k < num; k++) {
        bool wanted = false;
        for (unsigned j = k; j < e->n; j += num) {
            wanted |= e->mask >> j & 1;
        }
        if (wanted) {
            cpu_load_bytes(&e->c->cpu, e->va + k * bytes, e->b.b + k * bytes, bytes, e->u.mmu,
                           e->pc);
        }
    }
}

static void load_source(Evex *e)
{
    unsigned total = 1u << e->u.size1;
    bool masked = !(e->row->evex & EV_NF) && !all_active(e);

    if (e->u.b) {
        unsigned es = e->row->evex & EV_BC32 ? 2 : e->row->evex & EV_BC64 ? 3 : e->ses;
        if (masked && !(e->mask & full_mask(e))) {
            return;
        }
        uint64_t v = cpu_load(&e->c->cpu, e->va, es, e->u.mmu, e->pc);
        for (unsigned k = 0; k < e->bytes >> es; k++) {
            evex_set_el(&e->b, es, k, v);
        }
        return;
    }
    check_alignment(e, total);
    if (masked && e->u.size1 < e->u.size0 && e->row->driver == evex_VEC) {
        load_repeated(e, MIN(total, 1u << e->es), total);
        return;
    }
    if (!masked) {
        cpu_load_bytes(&e->c->cpu, e->va, &e->b, total, e->u.mmu, e->pc);
        return;
    }
    for (unsigned k = 0; k < e->n; k++) {
        if (e->mask >> k & 1) {
            evex_set_el(&e->b, e->ses, k,
                        cpu_load(&e->c->cpu, e->va + (k << e->ses), e->ses, e->u.mmu, e->pc));
        }
    }
}

/* All of it can be written before any is. */
static void store_result(Evex *e)
{
    Cpu *cpu = &e->c->cpu;
    unsigned bytes = e->n << e->es;

    check_alignment(e, bytes);
    if (all_active(e)) {
        cpu_store_bytes(cpu, e->va, &e->r, bytes, e->u.mmu, e->pc);
        return;
    }
    if (e->row->evex & EV_NF) {
        cpu_probe(cpu, e->va, 1, ACCESS_STORE, e->u.mmu, e->pc);
        uint64_t last = (e->va + bytes - 1) & ~0xfffull;
        if (last > e->va) {
            cpu_probe(cpu, last, 1, ACCESS_STORE, e->u.mmu, e->pc);
        }
    }
    for (unsigned k = 0; k < e->n; k++) {
        if (e->mask >> k & 1) {
            cpu_probe(cpu, e->va + (k << e->es), 1u << e->es, ACCESS_STORE, e->u.mmu, e->pc);
        }
    }
    for (unsigned k = 0; k < e->n; k++) {
        if (e->mask >> k & 1) {
            cpu_store(cpu, e->va + (k << e->es), evex_el(&e->r, e->es, k), e->es, e->u.mmu, e->pc);
        }
    }
}

/* The result under the mask to where it belongs. */
static void finish(Evex *e)
{
    if (e->nowrite) {
        return;
    }
    if (e->u.dst_mem) {
        store_result(e);
        return;
    }
    for (unsigned k = 0; k < e->n; k++) {
        if (!(e->mask >> k & 1)) {
            evex_set_el(&e->r, e->es, k, e->u.z ? 0 : evex_el(&e->d, e->es, k));
        }
    }
    memset(e->r.b + e->valid, 0, 64 - e->valid);
    evex_put(e->c, e->u.d, &e->r);
}

/* ---- drivers ---- */

void evex_L1(Evex *e)
{
    for (e->i = 0; e->i < e->n; e->i++) {
        if (e->mask >> e->i & 1) {
            uint64_t x = evex_el(&e->b, e->es, e->i);
            evex_set_el(&e->r, e->es, e->i, e->row->kernel(e, x, 0));
        }
    }
    finish(e);
}

void evex_L2(Evex *e)
{
    for (e->i = 0; e->i < e->n; e->i++) {
        if (e->mask >> e->i & 1) {
            uint64_t x = evex_el(&e->a, e->es, e->i), y = evex_el(&e->b, e->es, e->i);
            evex_set_el(&e->r, e->es, e->i, e->row->kernel(e, x, y));
        }
    }
    finish(e);
}

/* The lowest element; the others are the first source's, of fused operations the destination's. */
void evex_S2(Evex *e)
{
    e->n = 1;
    e->valid = 16;
    e->r = e->row->kernel == ev_fma ? e->d : e->a;
    if (e->mask & 1) {
        uint64_t x = evex_el(&e->a, e->es, 0), y = evex_el(&e->b, e->ses, 0);
        evex_set_el(&e->r, e->es, 0, e->row->kernel(e, x, y));
    }
    finish(e);
}

/* Sources may have elements of another size. */
void evex_CV(Evex *e)
{
    for (e->i = 0; e->i < e->n; e->i++) {
        if (e->mask >> e->i & 1) {
            uint64_t x = evex_el(&e->b, e->ses, e->i);
            evex_set_el(&e->r, e->es, e->i, e->row->kernel(e, x, 0));
        }
    }
    finish(e);
}

void evex_SHC(Evex *e)
{
    for (e->i = 0; e->i < e->n; e->i++) {
        uint64_t x = evex_el(&e->a, e->es, e->i);
        evex_set_el(&e->r, e->es, e->i, e->row->kernel(e, x, e->b.q[0]));
    }
    finish(e);
}

void evex_SHI(Evex *e)
{
    for (e->i = 0; e->i < e->n; e->i++) {
        uint64_t x = evex_el(&e->b, e->es, e->i);
        evex_set_el(&e->r, e->es, e->i, e->row->kernel(e, x, e->u.imm));
    }
    finish(e);
}

void evex_VEC(Evex *e)
{
    e->row->kernel(e, 0, 0);
    finish(e);
}

void evex_GPR(Evex *e)
{
    e->row->kernel(e, 0, 0);
    if (e->row->ops[0].op == X86_OP_V) {
        finish(e);
    }
}

void evex_BLEND(Evex *e)
{
    e->d = e->a;
    e->r = e->b;
    finish(e);
}

/* Into a mask register. */
void evex_CMP(Evex *e)
{
    uint64_t bits = 0;

    for (e->i = 0; e->i < e->n; e->i++) {
        if (e->mask >> e->i & 1) {
            uint64_t x = evex_el(&e->a, e->es, e->i), y = evex_el(&e->b, e->es, e->i);
            bits |= (e->row->kernel(e, x, y) & 1) << e->i;
        }
    }
    e->c->opmask[e->u.d & 7] = bits;
}

void evex_FROMK(Evex *e)
{
    uint64_t k = e->c->opmask[e->u.src & 7];

    for (e->i = 0; e->i < e->n; e->i++) {
        evex_set_el(&e->r, e->es, e->i,
                    e->row->kernel == ev_mov ? -(k >> e->i & 1) : e->row->kernel(e, k, 0));
    }
    finish(e);
}

/* Mask registers alone: VEX.vvvv is the first source. */
void evex_K2(Evex *e)
{
    uint64_t y = e->u.src_mem ? cpu_load(&e->c->cpu, e->va, e->es, e->u.mmu, e->pc)
                              : e->c->opmask[e->u.src & 7];
    uint64_t r = e->row->kernel(e, e->c->opmask[e->u.a & 7], y);

    if (!e->nowrite) {
        unsigned es = e->row->kernel == ev_kunpck ? e->es + 1 : e->es;
        e->c->opmask[e->u.d & 7] = r & evex_bits(es);
    }
}

void evex_COMPRESS(Evex *e)
{
    unsigned to = 0;

    for (unsigned k = 0; k < e->n; k++) {
        if (e->mask >> k & 1) {
            evex_set_el(&e->r, e->es, to++, evex_el(&e->b, e->es, k));
        }
    }
    if (e->u.dst_mem) {
        if (to) {
            cpu_store_bytes(&e->c->cpu, e->va, &e->r, to << e->es, e->u.mmu, e->pc);
        }
        return;
    }
    e->mask = to == 64 ? UINT64_MAX : (1ull << to) - 1;
    finish(e);
}

void evex_EXPAND(Evex *e)
{
    unsigned from = 0, count = (unsigned)__builtin_popcountll(e->mask & full_mask(e));

    if (e->u.src_mem && count) {
        cpu_load_bytes(&e->c->cpu, e->va, &e->b, count << e->es, e->u.mmu, e->pc);
    }
    for (unsigned k = 0; k < e->n; k++) {
        if (e->mask >> k & 1) {
            evex_set_el(&e->r, e->es, k, evex_el(&e->b, e->es, from++));
        }
    }
    finish(e);
}

/* ---- memory by element: EVEX.aaa says which, and loses a bit with each ---- */

static uint64_t element_va(const Evex *e, const Zmm *index, unsigned k)
{
    unsigned ies = e->row->opcode & 1 ? 3 : 2;
    uint64_t at = (uint64_t)evex_signed(ies, evex_el(index, ies, k));
    uint64_t va = e->va + (at << e->u.scale);

    return x86_code64(e->c) ? va + e->seg_base : (uint32_t)((uint32_t)va + e->seg_base);
}

static void by_element(Evex *e)
{
    unsigned ies = e->row->opcode & 1 ? 3 : 2;

    e->n = e->bytes >> MAX(e->es, ies);
    e->valid = e->n << e->es;
}

void evex_GATHER(Evex *e)
{
    X86Cpu *c = e->c;
    const Zmm index = evex_get(c, e->u.src);
    uint64_t *mask = &c->opmask[e->u.aaa];

    by_element(e);
    e->r = e->d;
    for (unsigned k = 0; k < e->n; k++) {
        if (*mask >> k & 1) {
            uint64_t v = cpu_load(&c->cpu, element_va(e, &index, k), e->es, e->u.mmu, e->pc);
            evex_set_el(&e->r, e->es, k, v);
            evex_put(c, e->u.d, &e->r); /* a later one may fault */
        }
        *mask &= ~(1ull << k);
    }
    *mask = 0;
    memset(e->r.b + e->valid, 0, 64 - e->valid);
    evex_put(c, e->u.d, &e->r);
}

void evex_SCATTER(Evex *e)
{
    X86Cpu *c = e->c;
    const Zmm index = evex_get(c, e->u.src), v = evex_get(c, e->u.d);
    uint64_t *mask = &c->opmask[e->u.aaa];

    by_element(e);
    for (unsigned k = 0; k < e->n; k++) {
        if (*mask >> k & 1) {
            cpu_store(&c->cpu, element_va(e, &index, k), evex_el(&v, e->es, k), e->es, e->u.mmu,
                      e->pc);
        }
        *mask &= ~(1ull << k);
    }
    *mask = 0;
}

/* ---- all of them ---- */

static void prepare(Evex *e)
{
    uint8_t first = e->row->ops[0].op;
    bool to_mask = first == X86_OP_K || first == X86_OP_G;

    e->bytes = 16u << e->u.l;
    e->es = x86_evex_element(e->row);
    e->n = (1u << (to_mask ? e->u.size1 : e->u.size0)) >> e->es;
    e->n = e->n ? e->n : 1;
    unsigned of = (1u << e->u.size1) / e->n;
    e->ses = of >= 8 ? 3 : of == 4 ? 2 : of == 2 ? 1 : 0;
    e->valid = e->n << e->es;
    e->mask = e->u.aaa ? e->c->opmask[e->u.aaa] : UINT64_MAX;
}

static bool loads_itself(const X86Row *r)
{
    return r->driver == evex_GPR || r->driver == evex_EXPAND || r->driver == evex_GATHER ||
           r->driver == evex_SCATTER || r->evex & EV_OPMASK;
}

void helper_evex(Cpu *cpu, uint64_t word, uint64_t va, uint64_t seg_base)
{
    Evex e = {.c = X86(cpu), .u = {.all = word}, .va = va, .seg_base = seg_base, .pc = HOST_PC()};
    uint32_t mxcsr = 0;

    e.row = &x86_rows[e.u.row];
    prepare(&e);
    if (!(e.row->evex & EV_OPMASK)) {
        e.d = evex_get(e.c, e.u.d);
        e.a = evex_get(e.c, e.u.a);
        if (e.u.src_mem && !loads_itself(e.row)) {
            load_source(&e);
        } else if (!e.u.src_mem) {
            e.b = evex_get(e.c, e.u.src);
        }
    }
    bool quiet = e.u.b && !e.u.src_mem && !e.u.dst_mem;
    if (quiet) { /* rounding in the instruction, no exceptions */
        uint32_t rc = e.row->evex & EV_ER ? (uint32_t)e.u.rc << MXCSR_RC_SHIFT : 0;
        mxcsr = x86_get_mxcsr(e.c);
        x86_set_mxcsr(e.c, e.row->evex & EV_ER ? (mxcsr & ~(3u << MXCSR_RC_SHIFT)) | rc : mxcsr);
    }
    e.exact = !quiet && ~e.c->mxcsr & (MXCSR_OE | MXCSR_UE) << MXCSR_MASK_SHIFT;
    e.row->driver(&e);
    if (quiet) {
        x86_set_mxcsr(e.c, mxcsr);
    }
}
