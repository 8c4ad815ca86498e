/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last page below 4 GiB of a machine without firmware: from the reset vector into 32-bit
 * protected mode without paging, registers as the emulator wrote them into the block at offset 0
 * (EAX, EBX, ESI, EIP), and into the kernel.
 */
#define LINEAR 0xfffff000       /* where this page lies */
#define OFFSET 0xf000           /* in the code segment after reset, whose base is FFFF0000h */

    .code16
    .text
    .globl _start
_start:
registers:
    .long 0, 0, 0, 0

start:
    cli
    lgdtl %cs:(gdt_pointer + OFFSET)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $8, $(enter + LINEAR)

    .code32
enter:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movl $0x7c00, %esp
    movl registers + LINEAR, %eax
    movl registers + LINEAR + 4, %ebx
    movl registers + LINEAR + 8, %esi
    xorl %ebp, %ebp
    xorl %edi, %edi
    jmp *(registers + LINEAR + 12)

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff    /* 8: code, 4 GiB */
    .quad 0x00cf93000000ffff    /* 16: data */
gdt_pointer:
    .short gdt_pointer - gdt - 1
    .long gdt + LINEAR

    .org 0xff0
    .code16
    jmp start
    .org 0x1000
