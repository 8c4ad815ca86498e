// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chained event counters (D13.6): the odd one of a pair counts the even one's overflows, and interrupts by its own. The
 * output is the manual's: 7.2 has no chains.
 */
// run: -M virt -cpu cortex-a57
#include "bare.inc"

.macro show reg
    mrs x1, \reg
    bl putx
.endm

main:
    mov x0, #0x1e
    msr pmevtyper1_el0, x0
    msr pmevtyper0_el0, xzr
    ldr x0, =0xfffffffe
    msr pmevcntr0_el0, x0
    msr pmevcntr1_el0, x0
    mov x0, #3
    msr pmcntenset_el0, x0
    mov x0, #0x41
    msr pmcr_el0, x0
    mov x0, #1
    msr pmswinc_el0, x0
    msr pmswinc_el0, x0
    isb
    show pmevcntr0_el0
    show pmevcntr1_el0
    show pmovsset_el0
    mov w0, #-1
    msr pmevcntr0_el0, x0
    mov x0, #1
    msr pmswinc_el0, x0
    isb
    show pmevcntr0_el0
    show pmevcntr1_el0
    show pmovsset_el0
    /* only while the upper one is enabled */
    mov x0, #2
    msr pmcntenclr_el0, x0
    mov w0, #-1
    msr pmevcntr0_el0, x0
    mov x0, #1
    msr pmswinc_el0, x0
    isb
    show pmevcntr1_el0
    /* cycles in the lower one: the upper one's interrupt comes by itself */
    mov x0, #-1
    msr pmovsclr_el0, x0
    mov x0, #0x11
    msr pmevtyper0_el0, x0
    mov w0, #-4000
    msr pmevcntr0_el0, x0
    mov w0, #-1
    msr pmevcntr1_el0, x0
    mov x0, #2
    msr pmintenset_el1, x0
    msr pmcntenset_el0, x0
    isb
1:  ldr x0, =0x08000200
    ldr w1, [x0]
    tbz w1, #23, 1b
    show pmovsset_el0
    done
