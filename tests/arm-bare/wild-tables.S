// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page tables of noise: for each granule and some sizes of the upper half's addresses, tables of random words (some of them pointing at tables, devices and
 * nothing) are walked by AT for many addresses, with each kind of access. PAR_EL1's answers go into a sum, which is written; the first ones as they are.
 */
// run: -M virt -cpu cortex-a57
#include "bare.inc"

/* x10: the next random word (xorshift). */
.macro random
    eor x10, x10, x10, lsl #13
    eor x10, x10, x10, lsr #7
    eor x10, x10, x10, lsl #17
.endm

.macro look insn
    adr x28, 2f
    at \insn, x16
    isb
    mrs x1, par_el1
    tbz x1, #0, 1f
    and x1, x1, #0xfff          // of a fault: its status
1:  add x18, x18, x1
    ror x18, x18, #7
    cbz x19, 2f
    bl putx
2:
.endm

/* Noise into the tables at 0x44000000, 2 MiB; words are made to point into them often. */
noise:
    ldr x12, =0x44000000
    ldr x13, =0x40000
1:  random
    mov x14, x10
    lsr x15, x10, #60
    cmp x15, #10
    b.hs 2f
    ldr x17, =0x0000ffffffe00000        // the output address: in the tables
    bic x14, x14, x17
    ldr x17, =0x44000000
    orr x14, x14, x17
    orr x14, x14, #3
    bic x14, x14, #0xf000       // bits 12 to 15: aligned for every granule
2:  lsr x15, x10, #52
    and x15, x15, #15
    cmp x15, #1
    b.hi 3f
    and x14, x14, #0xf000       // to where nothing is
    orr x14, x14, #0x20000000
    orr x14, x14, #3
3:  bic x14, x14, #0xf000000000000      // reserved
    ubfx x15, x23, #0, #1
    and x15, x15, x14
    orr x14, x14, x15, lsl #1   // no blocks: 7.2 takes them at any level
    str x14, [x12], #8
    subs x13, x13, #1
    b.ne 1b
    dsb sy
    ret

main:
    ldr x10, =0x9e3779b97f4a7c15
    adr x21, cases
4:  ldp x22, x23, [x21], #16            // bits of TCR for the upper half, how many addresses
    cbz x23, 9f
    mrs x0, tcr_el1
    bic x0, x0, #0x3f0000
    bic x0, x0, #0xc0000000
    bic x0, x0, #0x800000               // EPD1
    orr x0, x0, x22
    msr tcr_el1, x0
    ldr x0, =0x44000000
    msr ttbr1_el1, x0
    bl noise
    tlbi vmalle1
    dsb sy
    isb
    mov x18, #0
    ldr x19, =6
5:  random
    lsr x0, x22, #16
    and x0, x0, #63                     // T1SZ
    mov x16, x10
    mov x1, #-1
    lsr x1, x1, x0
    and x16, x16, x1
    bic x16, x16, #7
    lsr x1, x10, #58
    cbz x1, 6f                          // a few are out of range
    mov x1, #-1
    lsr x1, x1, x0
    mvn x1, x1
    orr x16, x16, x1
6:  orr x16, x16, #1 << 63
    look s1e1r
    look s1e1w
    look s1e0r
    look s1e0w
    cbz x19, 7f
    sub x19, x19, #1
7:  subs x23, x23, #1
    b.ne 5b
    mov x1, x18
    bl putx
    b 4b
9:  mov x28, xzr
    done
.balign 16
cases:
    .quad 25 << 16 | 2 << 30, 2000
    .quad 16 << 16 | 2 << 30, 2001
    .quad 34 << 16 | 2 << 30, 2000
    .quad 25 << 16 | 1 << 30, 2001
    .quad 17 << 16 | 1 << 30, 2001
    .quad 22 << 16 | 3 << 30, 2001
    .quad 16 << 16 | 3 << 30, 2001
    .quad 39 << 16 | 3 << 30, 2001
    .quad 0, 0
