// SPDX-License-Identifier: GPL-2.0-or-later
// run: -M virt -cpu cortex-a72
/*
 * Address spaces with an ASID: two tables show different data and code at 4 GiB. Writes what is read and what the code returns while
 * they take turns, then after each kind of invalidation. No translation that may be stale is used.
 */
#include "bare.inc"

.equ TABLE_A, 0x42000000
.equ TABLE_B, 0x42001000
.equ LOWER, 0x42002000                  /* of A; B's behind it */
.equ PAGES, 0x42400000                  /* four blocks of 2 MiB */

.macro space table, asid
    ldr x0, =(\table | (\asid << 48))
    msr ttbr0_el1, x0
    isb
.endm

/* Block number `block` is what the space of `lower` shows. */
.macro show lower, block
    ldr x0, =\lower
    ldr x1, =(PAGES + \block * 0x200000) | 0xf01
    str x1, [x0]
    dsb sy
.endm

.macro look
    bl look
.endm

look:
    mov x27, x30
    mov x21, #0x100000000
    ldr x1, [x21]
    bl puthex
    add x21, x21, #16
    blr x21
    bl puthex
    mov x30, x27
    ret

main:
    ldr x0, =TABLE_A
    ldr x1, =TABLE_B
    mov x2, #512
1:  ldr x3, [x0], #8
    str x3, [x1], #8
    subs x2, x2, #1
    b.ne 1b
    ldr x0, =TABLE_A
    ldr x1, =(LOWER | 3)
    str x1, [x0, #32]
    ldr x0, =TABLE_B
    ldr x1, =((LOWER + 0x1000) | 3)
    str x1, [x0, #32]
    show LOWER, 0
    show (LOWER + 0x1000), 1
    ldr x0, =PAGES
    mov x1, #0x100
    mov x2, #4
1:  str x1, [x0]
    ldr w3, =0xd2800001                 /* mov x1, #n */
    orr w3, w3, w1, lsl #5
    str w3, [x0, #16]
    ldr w3, =0xd65f03c0                 /* ret */
    str w3, [x0, #20]
    dc cvau, x0
    add x0, x0, #0x200000
    add x1, x1, #1
    subs x2, x2, #1
    b.ne 1b
    dsb sy
    ic iallu
    dsb sy
    isb

    mov x22, #4                         /* by turns */
1:  space TABLE_A, 5
    look
    space TABLE_B, 6
    look
    subs x22, x22, #1
    b.ne 1b

    show LOWER, 2                       /* while B is there; all that is not global of ASID 5 goes */
    ldr x0, =(5 << 48)
    tlbi aside1is, x0
    dsb sy
    isb
    look
    space TABLE_A, 5
    look
    space TABLE_B, 6
    look

    show LOWER, 3                       /* by address and ASID */
    ldr x0, =((5 << 48) | 0x100000)
    tlbi vae1is, x0
    dsb sy
    isb
    space TABLE_A, 5
    look
    show LOWER, 0                       /* by address, of all */
    ldr x0, =0x100000
    tlbi vaae1, x0
    dsb sy
    isb
    look
    space TABLE_B, 6
    look
    show LOWER, 3                       /* everything */
    tlbi vmalle1
    dsb sy
    isb
    space TABLE_A, 5
    look
    space TABLE_B, 6
    look

    mov x22, #20                        /* many of them */
    mov x23, #100
1:  ldr x0, =TABLE_A
    tst x22, #1
    ldr x1, =TABLE_B
    csel x0, x0, x1, eq
    add x23, x23, #1
    orr x0, x0, x23, lsl #48
    msr ttbr0_el1, x0
    isb
    look
    subs x22, x22, #1
    b.ne 1b
    space TABLE_A, 5
    look
    done
