// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AArch32: breakpoints that match every address but one (G2.9.6), with which Linux steps a program over an instruction. User mode
 * runs the instruction at the address, the next one aborts. 7.2 has none of these; the output is the manual's.
 */
    .arch_extension virt
    .arm
    .globl _start
_start:
    ldr sp, =0x43000000
    ldr r0, =vectors
    mcr p15, 0, r0, c12, c0, 0
    cps #0x17
    ldr sp, =0x43010000
    cps #0x13
    mov r0, #0
    mcr p14, 0, r0, c1, c0, 4               /* DBGOSLAR */
    mov r0, #0x8000
    mcr p14, 0, r0, c0, c2, 2               /* DBGDSCRext.MDBGen */
    ldr r0, =2f
    mcr p14, 0, r0, c0, c0, 4               /* DBGBVR0 */
    ldr r0, =(4 << 20) | (0xf << 5) | (2 << 1) | 1
    mcr p14, 0, r0, c0, c0, 5               /* DBGBCR0: mismatch, user mode */
    isb
    mov r6, #0
    mov r0, #0x10
    msr spsr_cxsf, r0
    ldr lr, =2f
    movs pc, lr
2:  add r6, r6, #1                          /* runs */
    add r6, r6, #16                         /* aborts, runs when the breakpoint is off */
    svc #0

puthex:
    push {r2, r3, r4}
    ldr r4, =0x09000000
    mov r2, #28
1:  lsr r3, r1, r2
    and r3, r3, #15
    cmp r3, #10
    addlt r3, r3, #48
    addge r3, r3, #87
    str r3, [r4]
    subs r2, r2, #4
    bge 1b
    mov r3, #10
    str r3, [r4]
    pop {r2, r3, r4}
    bx lr

prefetch:
    mov r7, lr
    mrc p15, 0, r1, c5, c0, 1               /* IFSR */
    bl puthex
    ldr r1, =2b
    sub r1, r7, r1
    sub r1, r1, #4
    bl puthex
    mov r1, r6
    bl puthex
    mrc p14, 0, r1, c0, c1, 0               /* DBGDSCRint.MOE */
    ubfx r1, r1, #2, #4
    bl puthex
    mov r0, #0
    mcr p14, 0, r0, c0, c0, 5
    isb
    subs pc, r7, #4

call:
    mov r1, r6
    bl puthex
    ldr r0, =0x84000008
    hvc #0
    b .
    .ltorg
    .balign 32
vectors:
    b .
    b .
    b call
    b prefetch
    b .
    b .
    b .
    b .
