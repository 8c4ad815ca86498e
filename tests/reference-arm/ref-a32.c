// SPDX-License-Identifier: GPL-2.0-or-later
/* Signal frames of 32-bit ARM Linux for ref.c. */
#define _GNU_SOURCE
#include <string.h>
#include <ucontext.h>
#include "ref.h"

typedef struct VfpFrame {
    uint32_t magic, size;
    uint64_t d[32];
    uint32_t fpscr;
} __attribute__((packed, aligned(4))) VfpFrame;

static VfpFrame *vfp(ucontext_t *uc)
{
    uint32_t *at = (void *)uc->uc_regspace;

    while (*at != 0x56465001) {
        at += at[1] / 4;
    }
    return (void *)at;
}

void ref_enter(void *context, const InsnCase *t)
{
    ucontext_t *uc = context;
    VfpFrame *f = vfp(uc);
    unsigned long *r = &uc->uc_mcontext.arm_r0;

    for (unsigned i = 0; i < 15; i++) {
        r[i] = (unsigned long)t->before.x[i];
    }
    uc->uc_mcontext.arm_pc = CODE;
    uc->uc_mcontext.arm_cpsr = 0x10 | (t->isa == ISA_T32 ? 0x20 : 0) | (t->before.nzcv & 15) << 28 |
                               (t->before.nzcv >> 4 & 1) << 27 | (t->before.nzcv >> 8 & 15) << 16;
    memcpy(f->d, t->before.v, sizeof(f->d));
    f->fpscr = (uint32_t)t->before.fpcr;
}

void ref_take(void *context, InsnState *s, unsigned vq)
{
    (void)vq;
    ucontext_t *uc = context;
    VfpFrame *f = vfp(uc);
    unsigned long *r = &uc->uc_mcontext.arm_r0, psr = uc->uc_mcontext.arm_cpsr;

    for (unsigned i = 0; i < 15; i++) {
        s->x[i] = r[i];
    }
    s->nzcv = psr >> 28 | (psr >> 27 & 1) << 4 | (psr >> 16 & 15) << 8;
    memcpy(s->v, f->d, sizeof(f->d));
    s->fpsr = f->fpscr;
}

bool ref_set_vq(unsigned vq)
{
    return !vq;
}

uint64_t ref_pc(void *context)
{
    return ((ucontext_t *)context)->uc_mcontext.arm_pc;
}

unsigned ref_stop(uint8_t *to, const InsnCase *t)
{
    const uint32_t udf = 0xe7f000f0, udf_t = 0xde00;

    memcpy(to, t->isa == ISA_T32 ? (const void *)&udf_t : &udf, 4);
    return 4;
}
