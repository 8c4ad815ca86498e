// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hypervisor at EL2: what ESR_EL2 says of loads and stores of EL1 that stage 2 refuses (D17.2.37).
 */
.arch armv8-a
// run: -M virt,virtualization=on -cpu cortex-a57
#include "bare.inc"

main:
    adr x0, el2
    msr vbar_el2, x0
    ldr x0, =0x43010000
    mov x1, #64
    mov x2, x0
1:  str xzr, [x2], #8
    subs x1, x1, #1
    b.ne 1b
    ldr x1, =0x400007fd
    str x1, [x0, #8]
    msr vttbr_el2, x0
    ldr x1, =0x80003560                     /* 32 bits, from level 1 on */
    msr vtcr_el2, x1
    ldr x1, =0x80000001
    msr hcr_el2, x1
    ldr x1, =0x3c5
    msr spsr_el2, x1
    adr x1, el1
    msr elr_el2, x1
    isb
    tlbi vmalls12e1
    dsb sy
    isb
    eret

el1:
    ldr x9, =0x10000000
    mov x11, #4
    ldrb w1, [x9]
    ldrh w2, [x9, #2]
    ldr w3, [x9]
    ldr x4, [x9]
    ldrsb w5, [x9]
    ldrsb x6, [x9]
    ldrsh w7, [x9]
    ldrsh x8, [x9]
    ldrsw x10, [x9]
    strb wzr, [x9]
    strh w12, [x9]
    str w13, [x9, x11]
    str x14, [x9, #8]
    stur x15, [x9, #-8]
    ldar w17, [x9]
    stlrh w18, [x9]
    ldr x19, [x9], #8
    ldr x9, =0x10000000
    ldp x21, x22, [x9]
    ldxr x23, [x9]
    hvc #0

.balign 2048
el2:
.rept 8
.balign 128
    b .
.endr
.balign 128
    mrs x1, esr_el2
    mov x26, x1
    bl puthex
    mrs x1, hpfar_el2
    bl puthex
    lsr x26, x26, #26
    cmp x26, #0x16
    b.eq 2f
    mrs x1, elr_el2
    add x1, x1, #4
    msr elr_el2, x1
    eret
2:  ldr x0, =0x84000008
    smc #0
    b .
