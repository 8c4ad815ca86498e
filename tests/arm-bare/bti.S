// SPDX-License-Identifier: GPL-2.0-or-later
/* Branch targets: each branch by register from a guarded page and from one that is not, to each kind of instruction in a guarded page. */
.arch armv8.5-a
#include "bare.inc"

.macro try branch, reg, target, number
    adr x28, 9f
    adr \reg, 7f
    \branch \reg
7:  \target
    ldr x1, =(\number)
    bl puthex
9:  nop
.endm

.macro try_outside branch, reg, target, number
    adr x28, 9f
    adr \reg, 7f
    adr x9, 8f
    mov x11, #0x40000000
    add x9, x9, x11
    msr elr_el1, x9
    mov x11, #0x3c5
    msr spsr_el1, x11
    eret
8:  \branch \reg
7:  \target
    ldr x1, =(\number)
    bl puthex
9:  nop
.endm

.macro branches kind, target, number
    \kind br, x3, "\target", \number
    \kind br, x16, "\target", (\number+1)
    \kind br, x17, "\target", (\number+2)
    \kind blr, x3, "\target", (\number+3)
    \kind blr, x16, "\target", (\number+4)
    \kind ret, x3, "\target", (\number+5)
.endm

.macro targets kind
    branches \kind, "bti", 0
    branches \kind, "bti c", 8
    branches \kind, "bti j", 16
    branches \kind, "bti jc", 24
    branches \kind, "paciasp", 32
    branches \kind, "pacibsp", 40
    branches \kind, "autiasp", 48
    branches \kind, "nop", 56
    branches \kind, "brk #1", 64
    branches \kind, "hlt #2", 72
.endm

main:
    targets try
    b 1f
.ltorg
1:
    targets try_outside
    b 1f
.ltorg
1:
    mrs x1, sctlr_el1
    orr x1, x1, #(1 << 36)
    msr sctlr_el1, x1
    isb
    targets try
    b 1f
.ltorg
1:
    targets try_outside
    b 1f
.ltorg
1:
    done
