// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the firmware images of both widths begin with, at F0000h: reset vector, descriptors, and
 * the way into flat protected mode, where start_flat (start32.S, start64.S) goes on; EBP is EDX of
 * the reset.
 * Application processors come the same way (SIPI vector F0h).
 */
    .section .reset, "ax"
    .code16
    ljmp $0xf000, $start16_offset
    .balign 16

    .section .text.start, "ax"
    .code16
    .globl start16, boot_gdtr
start16:
    cli
    movl %edx, %ebp
    lgdtl %cs:boot_gdtr_offset
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $8, $start32

    .code32
start32:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    jmp start_flat

    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x00af9b000000ffff    /* 64-bit code */
boot_gdtr:
    .word . - boot_gdt - 1
    .long boot_gdt
    .section .note.GNU-stack, "", @progbits
