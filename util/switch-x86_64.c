// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Switching stacks on x86-64: the callee-saved registers of the System V ABI (section 3.2.1,
 * MXCSR's control bits and the x87 control word included) are kept on the stack that is left.
 */
#include "util/coroutine-switch.h"

#if defined(__x86_64__)

#include <stdint.h>

/* Saves the stack pointer at *save and goes on with `load`. */
void switch_stack_x86_64(void **save, void *load);

__asm__(".pushsection .text\n"
        ".type switch_stack_x86_64, @function\n"
        ".globl switch_stack_x86_64\n"
        ".hidden switch_stack_x86_64\n"
        "switch_stack_x86_64:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    subq $8, %rsp\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    addq $8, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size switch_stack_x86_64, . - switch_stack_x86_64\n"
        ".popsection\n");

void stack_context_make(StackContext *ctx, void *stack, size_t size, void (*entry)(void))
{
    uint64_t *top = (uint64_t *)(((uintptr_t)stack + size) & ~15ull);

    *--top = 0;     /* entry's return address: nobody called it; the ABI wants this odd word */
    *--top = (uintptr_t)entry;
    for (int i = 0; i < 6; i++) {
        *--top = 0;
    }
    *--top = 0x0000037f00001f80;    /* x87 control word, MXCSR: all exceptions masked */
    ctx->state = top;
}

void stack_context_switch(StackContext *from, StackContext *to)
{
    switch_stack_x86_64(&from->state, to->state);
}

void stack_context_release(StackContext *ctx)
{
    ctx->state = NULL;
}

#endif
