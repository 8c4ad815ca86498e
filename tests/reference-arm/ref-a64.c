// SPDX-License-Identifier: GPL-2.0-or-later
/* Signal frames of AArch64 Linux for ref.c. */
#define _GNU_SOURCE
#include <string.h>
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
}

void ref_take(void *context, InsnState *s)
{
    ucontext_t *uc = context;
    struct fpsimd_context *f = fp(uc);

    memcpy(s->x, uc->uc_mcontext.regs, 31 * 8);
    s->x[31] = uc->uc_mcontext.sp;
    s->nzcv = uc->uc_mcontext.pstate >> 28;
    memcpy(s->v, f->vregs, sizeof(s->v));
    s->fpsr = f->fpsr;
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
