// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Breakpoints of a context without a link (D2.8.5): every instruction of that context, at the level that is asked for. 7.2 has
 * none of these; the output is the manual's: where it stopped, and ESR.
 */
// run: -M virt -cpu cortex-a57
#include "bare.inc"

/* type of the breakpoint, its privilege, CONTEXTIDR: what happens to the instruction at 5 */
.macro context type, privilege, id
    mov x0, #\id
    msr contextidr_el1, x0
    mov x0, #5
    msr dbgbvr5_el1, x0
    ldr x0, =(\type << 20) | (0xf << 5) | (\privilege << 1) | 1
    adr x28, 9f
    adr x27, 5f
    msr dbgbcr5_el1, x0
    msr daifclr, #8
    isb
5:  nop
    ldr x1, =0xdead
    msr daifset, #8
    bl puthex
9:  msr dbgbcr5_el1, xzr
    isb
.endm

main:
    adr x0, hits
    msr vbar_el1, x0
    msr daifset, #8
    msr oslar_el1, xzr
    ldr x0, =(1 << 15) | (1 << 13)
    msr mdscr_el1, x0
    isb
    context 2, 1, 5
    context 2, 1, 6
    context 2, 2, 5
    context 6, 1, 5
    context 3, 1, 5
    context 4, 1, 5
    done

.balign 2048
hits:
.rept 4
.balign 128
    b .
.endr
.balign 128
    mrs x1, esr_el1
    bl puthex
    mrs x1, elr_el1
    sub x1, x1, x27
    bl puthex
    mrs x1, mdscr_el1
    ubfx x1, x1, #2, #4
    bl puthex
    msr elr_el1, x28
    mrs x1, spsr_el1
    orr x1, x1, #0x200
    msr spsr_el1, x1
    eret
