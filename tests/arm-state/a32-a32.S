// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * State of an AArch32 CPU: registers of all modes, VFP, system registers, IT-free Thumb state in IRQ mode when the machine is saved; then writes
 * what it finds.
 */
// run: -M virt,gic-version=2 -cpu cortex-a15
.arch armv7-a
.arch_extension virt
.fpu neon-vfpv4
.syntax unified
.globl _start
_start:
    ldr r10, =0x09000000
    ldr r8, =0x12345679
    .irp mode,0x11,0x12,0x13,0x17,0x1b,0x1f
    msr cpsr_c, #\mode | 0xc0
    add r8, r8, r8, ror #7
    mov sp, r8
    add r8, r8, r8, ror #7
    mov lr, r8
    .if \mode != 0x1f
    msr spsr_cxsf, lr
    .endif
    .endr
    msr cpsr_c, #0xd1
    ldr r8, =0x11118888
    ldr r9, =0x11119999
    ldr r11, =0x1111bbbb
    ldr r12, =0x1111cccc
    msr cpsr_c, #0xdf
    mov r0, #0xf << 20
    mcr p15, 0, r0, c1, c0, 2
    isb
    mov r0, #1 << 30
    vmsr fpexc, r0
    ldr r0, =0x03000000
    vmsr fpscr, r0
    ldr r1, =0x3f9df3b6
    vdup.32 q0, r1
    vadd.i16 q15, q0, q0
    vmov d9, r1, r0
    .macro both what
    \what c2, c0, 0
    \what c2, c0, 1
    \what c3, c0, 0
    \what c5, c0, 0
    \what c5, c0, 1
    \what c6, c0, 0
    \what c6, c0, 2
    \what c10, c2, 0
    \what c10, c2, 1
    \what c12, c0, 0
    \what c13, c0, 1
    \what c13, c0, 2
    \what c13, c0, 3
    \what c13, c0, 4
    .endm
    .macro put n, m, op
    add r8, r8, r8, ror #7
    mcr p15, 0, r8, \n, \m, \op
    .endm
    .macro show n, m, op
    mrc p15, 0, r0, \n, \m, \op
    bl hex
    .endm
    both put
    mov sp, #0x43000000
    msr cpsr_c, #0xd1               // FIQ mode: its own r8 to r14
    movs r0, #0
    cmp r0, #1
    adr r0, ready + 1
    bx r0
.thumb
ready:
    ldr r7, =0x09000000
    .irp c,'r','e','a','d','y',10
    movs r6, #\c
    str r6, [r7]
    .endr
    ldr r6, =0x87654321
    adds r6, r6, r6
1:  ldr r5, [r7, #0x18]
    ands r5, r5, #16
    bne 1b
    ldr r5, [r7]
    ldr r5, =end_thumb
    adds r4, r6, r6
    bx r5
.ltorg
.arm
.align 2
end_thumb:
    mrs r7, cpsr
    mrs r6, spsr
    mov r5, r8
    mov r4, r9
    mov r3, r11
    mov r2, r12
    mov r1, sp
    mov r0, lr
    msr cpsr_c, #0xdf
    push {r0-r9}
    mov r9, #10
2:  pop {r0}
    bl hex
    subs r9, r9, #1
    bne 2b
    .irp mode,0x12,0x13,0x17,0x1b
    msr cpsr_c, #\mode | 0xc0
    mov r0, sp
    mov r1, lr
    mrs r2, spsr
    msr cpsr_c, #0xdf
    push {r1, r2}
    bl hex
    pop {r0}
    bl hex
    pop {r0}
    bl hex
    .endr
    both show
    vmrs r0, fpscr
    bl hex
    .irp n,0,9,30,31
    vmov r0, r1, d\n
    push {r1}
    bl hex
    pop {r0}
    bl hex
    .endr
    .irp c,'e','n','d',10
    mov r0, #\c
    str r0, [r10]
    .endr
    b .
hex:
    mov r2, #28
1:  lsr r1, r0, r2
    and r1, r1, #15
    cmp r1, #10
    addlo r1, r1, #48
    addhs r1, r1, #87
    str r1, [r10]
    subs r2, r2, #4
    bpl 1b
    mov r1, #10
    str r1, [r10]
    bx lr
.ltorg
