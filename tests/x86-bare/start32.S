// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A 64 KiB firmware image for tests of 32-bit system behaviour, behind start16.S, and a stub for
 * each vector that ends in trap() (bare.c).
 */
    .text
    .code32
    .globl start_flat
start_flat:
    movl $0x70000, %esp
    call bare_main
1:  hlt
    jmp 1b

/* Vector n: an error code (0 where the processor pushes none), n, the rest in one place. */
    .altmacro
    .macro stub n, error
    .balign 16
    .ifeq \error
    pushl $0
    .endif
    pushl $\n
    jmp trap_common
    .endm
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set n, 0
    .rept 32
    .if n == 8 || n == 10 || n == 11 || n == 12 || n == 13 || n == 14 || n == 17
    stub %n, 1
    .else
    stub %n, 0
    .endif
    .set n, n + 1
    .endr
    .rept 224
    stub %n, 0
    .set n, n + 1
    .endr

trap_common:
    pushal
    pushl %ds
    pushl %es
    pushl %fs
    pushl %gs
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    pushl %esp
    call trap
    addl $4, %esp
    popl %gs
    popl %fs
    popl %es
    popl %ds
    popal
    addl $8, %esp
    iretl
    .section .note.GNU-stack, "", @progbits
