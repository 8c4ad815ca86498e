// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AVX-512: BF16 (floats of 32 bits without the lower 16) and VP2INTERSECT. SDM 2C, under each name.
 * MXCSR is neither looked at nor changed: results are rounded to nearest, denormals are zeros.
 */
#include "target-i386/avx-helper.h"
#include "target-i386/evex.h"
#include "tcg/interp/float.h"

static uint32_t bf16(uint32_t x)
{
    uint32_t size = x & 0x7fffffff;

    if (size > 0x7f800000) {
        return x >> 16 | 0x40;
    }
    if (size < 0x00800000) {
        return x >> 16 & 0x8000;
    }
    return size == 0x7f800000 ? x >> 16 : (x + 0x7fff + (x >> 16 & 1)) >> 16;
}

uint64_t ev_ne_bf16(Evex *e, uint64_t x, uint64_t y)
{
    return bf16((uint32_t)x);
}

/* The second source is the low half. */
uint64_t ev_ne2_bf16(Evex *e, uint64_t x, uint64_t y)
{
    unsigned half = e->n / 2;

    for (unsigned k = 0; k < e->n; k++) {
        e->r.w[k] = (uint16_t)bf16(k < half ? e->b.l[k] : e->a.l[k - half]);
    }
    return 0;
}

static uint64_t add_product(uint64_t sum, uint32_t x, uint32_t y)
{
    return interp_float_value(OP_FMA, IR_F32, (uint64_t[3]){x, y, sum}, 0);
}

uint64_t ev_dpbf16(Evex *e, uint64_t x, uint64_t y)
{
    uint32_t mxcsr = x86_get_mxcsr(e->c);

    x86_set_mxcsr(e->c, MXCSR_FTZ | MXCSR_DAZ | MXCSR_DEFAULT);
    for (unsigned k = 0; k < e->n; k++) {
        uint32_t a = e->a.l[k], b = e->b.l[k];
        uint64_t sum = add_product(e->d.l[k], a & 0xffff0000, b & 0xffff0000);
        e->r.l[k] = (uint32_t)add_product(sum, a << 16, b << 16);
    }
    x86_set_mxcsr(e->c, mxcsr);
    return 0;
}

/* Which elements of either source are in the other: two mask registers that differ in bit 0. */
uint64_t ev_p2intersect(Evex *e, uint64_t x, uint64_t y)
{
    uint64_t of_a = 0, of_b = 0;

    for (unsigned i = 0; i < e->n; i++) {
        for (unsigned j = 0; j < e->n; j++) {
            if (evex_el(&e->a, e->es, i) == evex_el(&e->b, e->es, j)) {
                of_a |= 1ull << i;
                of_b |= 1ull << j;
            }
        }
    }
    e->c->opmask[e->u.d & 6] = of_a;
    e->c->opmask[(e->u.d & 6) | 1] = of_b;
    e->nowrite = true;
    return 0;
}
