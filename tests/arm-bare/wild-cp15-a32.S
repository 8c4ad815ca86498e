// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every MRC and MCR of coprocessors 14 and 15: read, written with noise, and put back. What is not there is undefined, nothing may end or stop the machine. The MMU's
 * registers, the vectors' place and the wait for an interrupt are left alone.
 */
// run: -M virt -cpu cortex-a15
.arch armv7-a
.arch_extension virt
.syntax unified
.globl _start
_start:
    ldr sp, =0x43000000
    ldr r0, =vectors
    mcr p15, 0, r0, c12, c0, 0
    ldr r9, =0xee100e10         @ MRC p14, 0, r0, c0, c0, 0
    bl sweep
    ldr r9, =0xee100f10
    bl sweep
    ldr r1, =0x09000000
    mov r0, #'o'
    str r0, [r1]
    mov r0, #'k'
    str r0, [r1]
    mov r0, #10
    str r0, [r1]
    ldr r0, =0x84000008
    hvc #0
    b .
.ltorg
.balign 32
vectors:
    b taken
    b taken
    b taken
    b taken
    b taken
    b taken
    b taken
    b taken
@ With the exception's r8 = 1, back behind the instruction.
taken:
    mov r8, #1
    ldr r7, =buffer + 4
    mov lr, r7
    movs pc, lr
run:
    ldr r3, =buffer
    str r1, [r3]
    mcr p15, 0, r3, c7, c11, 1
    mcr p15, 0, r3, c7, c5, 1
    dsb
    isb
    mov r8, #0
    mov r10, lr
    bx r3
.balign 64
buffer:
    nop
    bx r10
@ r11: opc1 (3), crn (4), crm (4), opc2 (3) as a number
sweep:
    mov r12, lr
    mov r11, #0
1:  ldr r4, =kept
2:  ldr r5, [r4], #4
    cmn r5, #1
    beq 3f
    cmp r5, r11
    bne 2b
    b 9f
3:  bl encode
    mov r2, #0
    bl run
    push {r2, r8}
    bl encode
    bic r1, r1, #1 << 20
    ldr r2, =0x9e3779b9
    mul r2, r2, r11
    bl run
    pop {r2, r8}
    cmp r8, #0
    bne 9f
    bl encode
    bic r1, r1, #1 << 20
    bl run
9:  add r11, r11, #1
    cmp r11, #0x4000
    bne 1b
    bx r12
encode:
    lsr r1, r11, #11
    lsl r1, r1, #21
    orr r1, r1, r9
    lsr r0, r11, #7
    and r0, r0, #15
    orr r1, r1, r0, lsl #16
    lsr r0, r11, #3
    and r0, r0, #15
    orr r1, r1, r0
    and r0, r11, #7
    orr r1, r1, r0, lsl #5
    bic r1, r1, #0xf000
    orr r1, r1, #0x2000
    bx lr
.ltorg
.macro reg opc1, crn, crm, opc2
    .word \opc1 << 11 | \crn << 7 | \crm << 3 | \opc2
.endm
kept:
    reg 0, 1, 0, 0
    reg 0, 2, 0, 0
    reg 0, 2, 0, 1
    reg 0, 2, 0, 2
    reg 0, 3, 0, 0
    reg 0, 7, 0, 4
    reg 0, 12, 0, 0
    reg 0, 12, 0, 2
    reg 0, 10, 2, 0
    reg 0, 10, 2, 1
    reg 4, 1, 0, 0
    .word -1
