// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Performance monitors: identification, which bits of the registers are kept, software increments, overflow,
 * the interrupt as the GIC shows it, that cycles go by, and filters by level.
 */
// run: -M virt -cpu cortex-a57
#include "bare.inc"

.macro show reg
    mrs x1, \reg
    bl putx
.endm

.macro ones reg
    mov x0, #-1
    msr \reg, x0
    isb
    mrs x1, \reg
    bl putx
    msr \reg, xzr
    isb
.endm

.macro pending
    ldr x0, =0x08000200
    ldr w1, [x0]
    and w1, w1, #(1 << 23)
    bl puthex
.endm

main:
    show pmcr_el0
    show pmceid0_el0
    show pmceid1_el0
    mrs x1, id_aa64dfr0_el1
    ubfx x1, x1, #8, #4
    bl putx
    show pmuserenr_el0
    show mdscr_el1
    ones pmuserenr_el0
    ones pmselr_el0
    ones pmevtyper0_el0
    ones pmevcntr0_el0
    ones pmccfiltr_el0
    mov x0, #-1
    msr pmcntenset_el0, x0
    show pmcntenset_el0
    show pmcntenclr_el0
    msr pmcntenclr_el0, x0
    show pmcntenset_el0
    mov x0, #-1
    msr pmintenset_el1, x0
    show pmintenset_el1
    msr pmintenclr_el1, x0
    mov x0, #-1
    msr pmovsset_el0, x0
    show pmovsset_el0
    msr pmovsclr_el0, x0
    show pmovsclr_el0
    mov x0, #0x7f
    msr pmcr_el0, x0
    show pmcr_el0
    /* the selected counter is the numbered one; 31 is the cycle counter's filter */
    mov x0, #2
    msr pmselr_el0, x0
    mov x0, #0x11
    msr pmxevtyper_el0, x0
    show pmevtyper2_el0
    mov x0, #0x1234
    msr pmxevcntr_el0, x0
    show pmevcntr2_el0
    mov x0, #31
    msr pmselr_el0, x0
    mov x0, #(1 << 31)
    msr pmxevtyper_el0, x0
    show pmccfiltr_el0
    msr pmccfiltr_el0, xzr
    /* software increments: only of counters that count them, are enabled, and while PMCR.E */
    mov x0, #0x41
    msr pmcr_el0, x0
    msr pmevtyper0_el0, xzr
    msr pmevtyper1_el0, xzr
    mov x0, #0x2f
    msr pmevtyper1_el0, x0
    msr pmevtyper3_el0, xzr
    ldr x0, =0xfffffffe
    msr pmevcntr0_el0, x0
    msr pmevcntr1_el0, x0
    msr pmevcntr3_el0, xzr
    mov x0, #3
    msr pmcntenset_el0, x0
    mov x0, #0xf
    msr pmswinc_el0, x0
    isb
    show pmevcntr0_el0
    show pmevcntr3_el0
    show pmovsset_el0
    pending
    mov x0, #0xf
    msr pmswinc_el0, x0
    isb
    show pmevcntr0_el0
    show pmevcntr1_el0
    show pmovsset_el0
    pending
    mov x0, #1
    msr pmintenset_el1, x0
    isb
    pending
    mov x0, #1
    msr pmovsclr_el0, x0
    isb
    pending
    mov x0, #-1
    msr pmovsclr_el0, x0
    msr pmintenclr_el1, x0
    /* reset by PMCR.P and PMCR.C */
    mov x0, #77
    msr pmevcntr0_el0, x0
    mov x0, #0x43
    msr pmcr_el0, x0
    show pmevcntr0_el0
    /* cycles: they go by, and stop */
    mov x0, #(1 << 31)
    msr pmcntenset_el0, x0
    mrs x2, pmccntr_el0
    mov x3, #2000
1:  subs x3, x3, #1
    b.ne 1b
    mrs x4, pmccntr_el0
    cmp x4, x2
    cset x1, hi
    bl puthex
    mov x0, #(1 << 31)
    msr pmcntenclr_el0, x0
    mrs x2, pmccntr_el0
    mov x3, #2000
1:  subs x3, x3, #1
    b.ne 1b
    mrs x4, pmccntr_el0
    cmp x4, x2
    cset x1, eq
    bl puthex
    /* not at EL1 */
    mov x0, #(1 << 31)
    msr pmccfiltr_el0, x0
    msr pmcntenset_el0, x0
    isb
    mrs x2, pmccntr_el0
    mov x3, #2000
1:  subs x3, x3, #1
    b.ne 1b
    mrs x4, pmccntr_el0
    cmp x4, x2
    cset x1, eq
    bl puthex
    msr pmccfiltr_el0, xzr
    /* the cycle counter runs over: the interrupt comes by itself */
    mov x0, #(1 << 31)
    msr pmintenset_el1, x0
    mov x0, #-2000
    msr pmccntr_el0, x0
    isb
1:  ldr x0, =0x08000200
    ldr w1, [x0]
    tbz w1, #23, 1b
    pending
    show pmovsset_el0
    /* an event counter of cycles does so, too */
    mov x0, #-1
    msr pmovsclr_el0, x0
    msr pmcntenclr_el0, x0
    msr pmintenclr_el1, x0
    isb
    pending
    mov x0, #0x11
    msr pmevtyper2_el0, x0
    mov w0, #-2000
    msr pmevcntr2_el0, x0
    mov x0, #4
    msr pmintenset_el1, x0
    msr pmcntenset_el0, x0
    isb
1:  ldr x0, =0x08000200
    ldr w1, [x0]
    tbz w1, #23, 1b
    pending
    show pmovsset_el0
    done
