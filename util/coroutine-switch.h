// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a coroutine's stack is made and switched to: util/switch-x86_64.c where it applies,
 * util/switch-ucontext.c elsewhere; and what the address sanitizer is told about it.
 */
#ifndef UTIL_COROUTINE_SWITCH_H
#define UTIL_COROUTINE_SWITCH_H

#include <stddef.h>

/* A stack that does not run at present: whatever the switch needs to run it again. */
typedef struct StackContext {
    void *state;
} StackContext;

/*
 * Makes ctx run entry() at the top of [stack, stack + size) when it is switched to; entry never
 * returns.
 */
void stack_context_make(StackContext *ctx, void *stack, size_t size, void (*entry)(void));
/* Saves what runs in *from and goes on with *to. */
void stack_context_switch(StackContext *from, StackContext *to);
/* Frees what make or a switch has put into ctx. */
void stack_context_release(StackContext *ctx);

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ADDRESS_SANITIZER 1
#endif

#ifdef WITH_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#define fiber_leave(save, bottom, size) __sanitizer_start_switch_fiber(save, bottom, size)
#define fiber_arrive(save, bottom, size) __sanitizer_finish_switch_fiber(save, bottom, size)
#else
static inline void fiber_leave(void **save, const void *bottom, size_t size)
{
}

static inline void fiber_arrive(void *save, const void **bottom, size_t *size)
{
}
#endif

#endif
