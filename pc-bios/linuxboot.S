/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option ROM that starts the Linux kernel given by -kernel. The emulator has already laid out
 * the boot protocol's header; this ROM copies the parts from the firmware configuration
 * device by DMA (docs/specs: fw_cfg) and enters the kernel's real-mode code, as in Linux'
 * Documentation/x86/boot.rst.
 */
#define FW_CFG_DMA_PORT  0x514
#define DMA_READ_SELECT  0x0a
#define DMA_ERROR        0x01

#define KERNEL_ADDR   0x07
#define KERNEL_SIZE   0x08
#define INITRD_ADDR   0x0a
#define INITRD_SIZE   0x0b
#define KERNEL_DATA   0x11
#define INITRD_DATA   0x12
#define CMDLINE_ADDR  0x13
#define CMDLINE_SIZE  0x14
#define CMDLINE_DATA  0x15
#define SETUP_ADDR    0x16
#define SETUP_SIZE    0x17
#define SETUP_DATA    0x18

    .code16
    .text
    .globl _start
_start:
    .short 0xaa55
    .byte 0                     /* size in 512-byte units: filled in when signed */
    lret                        /* initialisation: nothing to do */

    .org 0x1a
    .short pnp_header

    .balign 16
pnp_header:                     /* Plug and Play BIOS 1.0A, expansion header */
    .ascii "$PnP"
    .byte 0x01
    .byte 0x02                  /* length in 16-byte units */
    .short 0                    /* no further header */
    .byte 0
    .byte 0                     /* checksum: not checked by firmware of this age */
    .long 0
    .short 0
    .short product
    .byte 0, 0, 0
    .byte 0
    .short 0                    /* boot connection vector */
    .short 0
    .short boot                 /* bootstrap entry vector */
    .short 0
    .short 0
product:
    .asciz "Linux loader"

/* Reads ecx bytes of item ax to physical address edi. Uses the stack; keeps ebx, esi. */
read_item:
    pushl %ebp
    subw $16, %sp
    movzwl %sp, %ebp
    movzwl %ax, %eax
    shll $16, %eax
    orl $DMA_READ_SELECT, %eax
    bswapl %eax
    movl %eax, %ss:(%bp)
    bswapl %ecx
    movl %ecx, %ss:4(%bp)
    movl $0, %ss:8(%bp)
    bswapl %edi
    movl %edi, %ss:12(%bp)
    xorl %eax, %eax
    movw $FW_CFG_DMA_PORT, %dx
    outl %eax, %dx
    movw %ss, %ax
    shll $4, %eax
    addl %ebp, %eax
    bswapl %eax
    addw $4, %dx
    outl %eax, %dx
1:  movl %ss:(%bp), %eax
    bswapl %eax
    testl %eax, %eax
    jz 2f
    testl $DMA_ERROR, %eax
    jz 1b
    hlt
    jmp 1b
2:  addw $16, %sp
    popl %ebp
    ret

/* eax = the 32-bit item ax. */
read_number:
    pushl %edi
    pushl %ecx
    pushl $0
    xorl %edi, %edi
    movw %ss, %di
    shll $4, %edi
    movzwl %sp, %ecx
    addl %ecx, %edi
    movl $4, %ecx
    call read_item
    popl %eax
    popl %ecx
    popl %edi
    ret

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
