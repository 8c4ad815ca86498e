/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option ROM that enters a kernel in 32-bit protected mode without paging: multiboot (0.6.96, 3.2)
 * and PVH. The emulator has laid the kernel out in memory; three items of the firmware
 * configuration device say what EAX and EBX hold and where to go.
 */
#include "option-rom.inc"

    rom_header "Kernel loader"
#include "fw_cfg-read.inc"

boot:
    cli
    cld
    movw $SETUP_SIZE, %ax       /* EAX of the kernel */
    call read_number
    movl %eax, %esi
    movw $SETUP_ADDR, %ax       /* EBX */
    call read_number
    movl %eax, %ebx
    movw $KERNEL_ENTRY, %ax
    call read_number
    movl %eax, %ebp
    /* Linear addresses of the table and of the 32-bit part. */
    xorl %ecx, %ecx
    movw %cs, %cx
    shll $4, %ecx
    leal gdt(%ecx), %eax
    pushl %eax
    pushw $(gdt_end - gdt - 1)
    movw %sp, %di
    lgdtl %ss:(%di)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    leal enter(%ecx), %eax
    pushl $8
    pushl %eax
    lretl

    .code32
enter:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movl $0x7c00, %esp
    movl %esi, %eax
    jmp *%ebp

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff    /* 8: code, 4 GiB */
    .quad 0x00cf93000000ffff    /* 16: data */
gdt_end:
