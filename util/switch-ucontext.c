// SPDX-License-Identifier: GPL-2.0-or-later
/* Switching stacks with ucontext, on hosts for which we have nothing quicker. */
#include "util/coroutine-switch.h"

#if !defined(__x86_64__)

#include <glib.h>
#include <ucontext.h>

void stack_context_make(StackContext *ctx, void *stack, size_t size, void (*entry)(void))
{
    ucontext_t *uc = g_new0(ucontext_t, 1);

    getcontext(uc);
    uc->uc_stack.ss_sp = stack;
    uc->uc_stack.ss_size = size;
    makecontext(uc, entry, 0);
    ctx->state = uc;
}

void stack_context_switch(StackContext *from, StackContext *to)
{
    if (from->state == NULL) {
        from->state = g_new0(ucontext_t, 1);
    }
    swapcontext(from->state, to->state);
}

void stack_context_release(StackContext *ctx)
{
    g_clear_pointer(&ctx->state, g_free);
}

#endif
