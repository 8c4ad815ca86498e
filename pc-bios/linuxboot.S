/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option ROM that starts the Linux kernel given by -kernel. The emulator has already laid out
 * the boot protocol's header; this ROM copies the parts from the firmware configuration
 * device by DMA (docs/specs: fw_cfg) and enters the kernel's real-mode code, as in Linux'
 * Documentation/x86/boot.rst.
 */
#include "option-rom.inc"

    rom_header "Linux loader"
#include "fw_cfg-read.inc"

    .macro fetch addr, size, data
    movw $\addr, %ax
    call read_number
    movl %eax, %edi
    movw $\size, %ax
    call read_number
    movl %eax, %ecx
    jecxz 3f
    movw $\data, %ax
    call read_item
3:
    .endm

boot:
    cli
    cld
    fetch KERNEL_ADDR, KERNEL_SIZE, KERNEL_DATA
    fetch INITRD_ADDR, INITRD_SIZE, INITRD_DATA
    fetch CMDLINE_ADDR, CMDLINE_SIZE, CMDLINE_DATA
    fetch SETUP_ADDR, SETUP_SIZE, SETUP_DATA
    movw $SETUP_ADDR, %ax
    call read_number
    movl %eax, %ebx
    movw $CMDLINE_ADDR, %ax
    call read_number
    /* The heap and stack of the setup code end below the command line. */
    subl %ebx, %eax
    subl $16, %eax
    shrl $4, %ebx
    movw %bx, %ds
    movw %bx, %es
    movw %bx, %fs
    movw %bx, %gs
    movw %bx, %ss
    movl %eax, %esp
    addw $0x20, %bx
    pushw %bx
    pushw $0
    xorl %eax, %eax
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %edi, %edi
    xorl %ebp, %ebp
    lret
