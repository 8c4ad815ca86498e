// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PSCI by SMC from EL2, as kernels that stay there call it, from EL1, and from EL1 where HCR_EL2.TSC
 * sends the instruction to EL2.
 */
// run: -M virt,virtualization=on -cpu max
#include "bare.inc"

.macro version
    ldr x0, =0x84000000
    smc #0
    mov x1, x0
    bl putx
.endm

main:
    adr x0, vectors2
    msr vbar_el2, x0
    mrs x1, CurrentEL
    bl putx
    version
    ldr x0, =0x80000000         // HCR_EL2: RW
    msr hcr_el2, x0
    mov x0, #0x3c5
    msr spsr_el2, x0
    adr x0, 1f
    msr elr_el2, x0
    ldr x0, =0x42ff0000
    msr sp_el1, x0
    mrs x0, sctlr_el1
    bic x0, x0, #1
    msr sctlr_el1, x0
    isb
    eret
1:  mrs x1, CurrentEL
    bl putx
    version
    hvc #0                      // the vectors set HCR_EL2.TSC
    version
    ldr x0, =0x84000008
    hvc #1
    b .
.ltorg

.balign 2048
vectors2:
.rept 8
.balign 128
    b .
.endr
.balign 128
    mrs x1, esr_el2
    mov x26, x30
    mov x27, x0
    bl putx
    mrs x1, elr_el2
    adr x2, 1b
    sub x1, x1, x2
    bl putx
    mov x0, x27
    mrs x1, esr_el2
    and x2, x1, #0xffff
    lsr x1, x1, #26
    cmp x1, #0x16               // HVC
    b.ne 3f
    cbnz x2, 4f
    ldr x1, =0x80080000
    msr hcr_el2, x1
    isb
    b 5f
3:  mrs x1, elr_el2             // SMC: is skipped here
    add x1, x1, #4
    msr elr_el2, x1
    mov x0, #-1
5:  mov x30, x26
    eret
4:  smc #0
    b .
.ltorg
