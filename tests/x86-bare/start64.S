// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A 64 KiB firmware image for tests in 64-bit mode on several processors: behind start16.S the way
 * into long mode with the first 4 GiB mapped one to one. Each processor calls bare_cpu(its number)
 * on a stack of its own.
 */
    .text
    .code32
    .globl start_flat
start_flat:
    movl $1, %ebx
    lock xaddl %ebx, cpu_count
    testl %ebx, %ebx
    jnz 2f
    cld                         /* the first: tables at 90000h, 2 MiB pages */
    movl $0x90000, %edi
    xorl %eax, %eax
    movl $0x1800, %ecx
    rep stosl
    movl $0x91007, 0x90000
    movl $0x92000 + 7, 0x91000
    movl $0x93000 + 7, 0x91008
    movl $0x94000 + 7, 0x91010
    movl $0x95000 + 7, 0x91018
    movl $0x92000, %edi
    movl $0x87, %eax
1:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x200000, %eax
    cmpl $0x96000, %edi
    jne 1b
2:  movl $0x90000, %eax
    movl %eax, %cr3
    movl $0x620, %eax           /* PAE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    movl $0x900, %eax           /* LME, NXE */
    xorl %edx, %edx
    wrmsr
    movl $0x80010033, %eax
    movl %eax, %cr0
    ljmpl $24, $start_long

    .code64
start_long:
    movl %ebx, %edi
    movl %ebx, %eax
    incl %eax
    shll $13, %eax
    leaq 0x60000(%rax), %rsp
    call bare_cpu
1:  hlt
    jmp 1b

/* Vector 40h: counts for this processor and sends EOI; others: bare_trap(frame). */
    .altmacro
    .macro stub n, error
    .balign 16
    .ifeq \error
    pushq $0
    .endif
    pushq $\n
    jmp trap_common
    .endm
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set n, 0
    .rept 72
    .if n == 8 || n == 10 || n == 11 || n == 12 || n == 13 || n == 14 || n == 17
    stub %n, 1
    .else
    stub %n, 0
    .endif
    .set n, n + 1
    .endr

trap_common:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    cld
    leaq 72(%rsp), %rdi
    call bare_trap
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp
    iretq
    .section .note.GNU-stack, "", @progbits
