// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TrustZone in AArch32: Monitor mode gives banked registers of Non-secure state values of their own, goes there, and each side
 * prints what it sees before and after calls (SMC); what Non-secure state may not touch; interrupts' modes; MSR to Monitor mode.
 */
// run: -M virt,secure=on -cpu cortex-a15 -semihosting
.arch armv7-a
.arch_extension sec
.arch_extension virt

.equ UART, 0x09000000

.macro print reg
    mov r0, \reg
    bl puthex
.endm

.macro show insn:vararg
    \insn
    mov r0, r1
    bl puthex
.endm

.globl _start
_start:
    ldr sp, =0x43000000
    ldr r1, =0x5ec0de01
    mcr p15, 0, r1, c13, c0, 2          @ TPIDRURW, TPIDRURO, TPIDRPRW
    add r1, r1, #1
    mcr p15, 0, r1, c13, c0, 3
    add r1, r1, #1
    mcr p15, 0, r1, c13, c0, 4
    ldr r1, =0x41000000
    mcr p15, 0, r1, c2, c0, 0
    ldr r1, =svectors
    mcr p15, 0, r1, c12, c0, 0          @ VBAR
    ldr r1, =mvectors
    mcr p15, 0, r1, c12, c0, 1          @ MVBAR
    cmp sp, sp
    show mrs r1, cpsr
    cps #22
    ldr sp, =0x43100000
    show mrs r1, cpsr
    bl nonsecure
    @ still Monitor mode: its accesses go to the Non-secure copies
    show mrc p15, 0, r1, c13, c0, 2
    show mrc p15, 0, r1, c2, c0, 0
    ldr r1, =0x0bad0001
    mcr p15, 0, r1, c13, c0, 2
    add r1, r1, #1
    mcr p15, 0, r1, c13, c0, 3
    add r1, r1, #1
    mcr p15, 0, r1, c13, c0, 4
    ldr r1, =0x42000000
    mcr p15, 0, r1, c2, c0, 0
    ldr r1, =nvectors
    mcr p15, 0, r1, c12, c0, 0
    ldr r1, =0xc00
    mcr p15, 0, r1, c1, c1, 2           @ NSACR
    bl secure
    show mrc p15, 0, r1, c13, c0, 2
    show mrc p15, 0, r1, c13, c0, 3
    show mrc p15, 0, r1, c13, c0, 4
    show mrc p15, 0, r1, c2, c0, 0
    bl nonsecure
    show mrc p15, 0, r1, c13, c0, 2
    ldr lr, =world
    mov r1, #0x1d3
    msr spsr_cxsf, r1
    movs pc, lr

world:
    ldr sp, =0x43200000
    show mrs r1, cpsr
    show mrc p15, 0, r1, c13, c0, 2
    show mrc p15, 0, r1, c13, c0, 3
    show mrc p15, 0, r1, c13, c0, 4
    show mrc p15, 0, r1, c2, c0, 0
    ldr r1, =0x0bad1111
    mcr p15, 0, r1, c13, c0, 4
    mcr p15, 0, r1, c3, c0, 0
    adr r9, 1f
    mrc p15, 0, r1, c1, c1, 0           @ SCR: undefined here
1:  adr r9, 1f
    mrc p15, 0, r1, c12, c0, 1          @ MVBAR
1:  adr r9, 1f
    ldr r1, =0xc00
    mcr p15, 0, r1, c1, c1, 2           @ NSACR: for reading alone
1:  show mrs r1, cpsr
    adr r9, 1f
    svc #3
1:  mov r8, #1
    smc #0
    show mrc p15, 0, r1, c13, c0, 4
    show mrc p15, 0, r1, c3, c0, 0
    show mrc p15, 0, r1, c13, c0, 2
    ldr r0, =0xf0000001
    mov r8, #2
    smc #0
    b .

nonsecure:
    mrc p15, 0, r1, c1, c1, 0
    orr r1, r1, #1
    mcr p15, 0, r1, c1, c1, 0
    isb
    bx lr
secure:
    mrc p15, 0, r1, c1, c1, 0
    bic r1, r1, #1
    mcr p15, 0, r1, c1, c1, 0
    isb
    bx lr

monitor:
    push {lr}
    show mrs r1, cpsr
    show mrs r1, spsr
    show mrc p15, 0, r1, c13, c0, 4
    bl secure
    show mrc p15, 0, r1, c13, c0, 4
    show mrc p15, 0, r1, c3, c0, 0
    cps #19
    show mrs r1, cpsr
    show mrc p15, 0, r1, c13, c0, 2
    cps #22
    bl nonsecure
    show mrc p15, 0, r1, c13, c0, 4
    cmp r8, #2
    beq finish
    pop {lr}
    movs pc, lr
finish:
    mov r0, #0x18
    ldr r1, =0x20026                    @ ends by semihosting
    svc #0x123456
    b .

puthex:
    push {r0-r4, lr}
    ldr r1, =UART
    mov r3, #8
1:  lsr r2, r0, #28
    cmp r2, #10
    addlo r2, r2, #'0'
    addhs r2, r2, #('a' - 10)
    str r2, [r1]
    lsl r0, r0, #4
    subs r3, r3, #1
    bne 1b
    mov r2, #10
    str r2, [r1]
    pop {r0-r4, pc}

.macro vector n
    push {r0, r1}
    mov r1, #\n
    b fault
.endm
fault:
    push {lr}
    mov r0, r1
    bl puthex
    mrs r0, spsr
    bl puthex
    pop {lr}
    pop {r0, r1}
    mov lr, r9
    movs pc, lr

.balign 32
nvectors:
    b .
    b n1
    b n2
    b n3
    b n4
    b .
    b .
    b .
.balign 32
svectors:
    b .
    b s1
    b s2
    b s3
    b s4
    b .
    b .
    b .
.balign 32
mvectors:
    b .
    b m1
    b monitor
    b m3
    b m4
    b .
    b .
    b .
n1: ldr sp, =0x43300000
    vector 0x11
n2: vector 0x12
n3: ldr sp, =0x43300000
    vector 0x13
n4: ldr sp, =0x43300000
    vector 0x14
s1: vector 0x21
s2: vector 0x22
s3: vector 0x23
s4: vector 0x24
m1: vector 0x31
m3: vector 0x33
m4: vector 0x34
