// SPDX-License-Identifier: GPL-2.0-or-later
/* Signal frames of AArch64 Linux for ref.c. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <asm/sigcontext.h>
#include "ref.h"

static struct fpsimd_context *fp(ucontext_t *uc)
{
    struct _aarch64_ctx *c = (void *)uc->uc_mcontext.__reserved;

    while (c->magic && c->magic != FPSIMD_MAGIC) {
        c = (void *)((char *)c + c->size);
    }
    return (void *)c;
}

/* The record of Z, P and FFR, as long as the thread's vector length. */
static uint8_t *sve_record(ucontext_t *uc)
{
    struct _aarch64_ctx *c = (void *)uc->uc_mcontext.__reserved;

    while (c->magic && c->magic != SVE_MAGIC) {
        c = (void *)((char *)c + c->size);
    }
    return c->magic ? (uint8_t *)c : NULL;
}

void ref_enter(void *context, const InsnCase *t)
{
    ucontext_t *uc = context;
    struct fpsimd_context *f = fp(uc);

    memcpy(uc->uc_mcontext.regs, t->before.x, 31 * 8);
    uc->uc_mcontext.sp = t->before.x[31];
    uc->uc_mcontext.pc = CODE;
    uc->uc_mcontext.pstate = t->before.nzcv << 28;
    memcpy(f->vregs, t->before.v, sizeof(t->before.v));
    f->fpsr = 0;
    f->fpcr = (uint32_t)t->before.fpcr;
    if (t->vq) {
        uint8_t *r = sve_record(uc);

        for (unsigned n = 0; n < 32; n++) {
            memcpy(r + SVE_SIG_ZREG_OFFSET(t->vq, n), t->before.z[n], t->vq * 16);
        }
        for (unsigned n = 0; n < 17; n++) {
            memcpy(r + SVE_SIG_PREG_OFFSET(t->vq, n), t->before.p[n], t->vq * 2);
        }
    }
}

void ref_take(void *context, InsnState *s, unsigned vq)
{
    ucontext_t *uc = context;
    struct fpsimd_context *f = fp(uc);

    memcpy(s->x, uc->uc_mcontext.regs, 31 * 8);
    s->x[31] = uc->uc_mcontext.sp;
    s->nzcv = uc->uc_mcontext.pstate >> 28;
    memcpy(s->v, f->vregs, sizeof(s->v));
    s->fpsr = f->fpsr;
    if (vq) {
        const uint8_t *r = sve_record(uc);

        for (unsigned n = 0; n < 32; n++) {
            memcpy(s->z[n], r + SVE_SIG_ZREG_OFFSET(vq, n), vq * 16);
        }
        for (unsigned n = 0; n < 17; n++) {
            memcpy(s->p[n], r + SVE_SIG_PREG_OFFSET(vq, n), vq * 2);
        }
    }
}

bool ref_set_vq(unsigned vq)
{
    return prctl(PR_SVE_SET_VL, vq * 16) == (int)vq * 16;
}

uint64_t ref_pc(void *context)
{
    return ((ucontext_t *)context)->uc_mcontext.pc;
}

unsigned ref_stop(uint8_t *to, const InsnCase *t)
{
    const uint32_t brk = 0xd4200000;

    (void)t;
    memcpy(to, &brk, 4);
    return 4;
}
