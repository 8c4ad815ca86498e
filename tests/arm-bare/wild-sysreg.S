// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every encoding of MRS and MSR from EL3 and EL1: read, written with noise, and put back. Whatever is not there must raise an exception that comes
 * here, nothing may end or stop the machine. What one cannot lose and go on (the own vectors, the MMU's registers, levels' widths) is not written.
 */
// run: -M virt,secure=on,virtualization=on,gic-version=3 -cpu max
.arch armv8.5-a
.globl _start
_start:
    ldr x20, =0x09000000
    adr x0, vectors
    msr vbar_el3, x0
    msr vbar_el2, x0
    msr vbar_el1, x0
    mov x19, #3
    bl sweep
    ldr x0, =0x501              // SCR_EL3: NS, RW, HCE
    msr scr_el3, x0
    ldr x0, =0x3c9
    msr spsr_el3, x0
    adr x0, 2f
    msr elr_el3, x0
    eret
2:  adr x0, vectors
    msr vbar_el2, x0
    ldr x0, =0x80000000
    msr hcr_el2, x0
    ldr x0, =0x3c5
    msr spsr_el2, x0
    adr x0, 1f
    msr elr_el2, x0
    msr sctlr_el1, xzr
    adr x0, vectors
    msr vbar_el1, x0
    eret
1:  mov x19, #1
    bl sweep
    ldr x0, =0x84000008
    smc #0
    b .

/* The instruction in w1, alone, with x2; an exception sets x27. */
run:
    adr x3, buffer
    str w1, [x3]
    dc cvau, x3
    dsb sy
    ic ivau, x3
    dsb sy
    isb
    mov x27, #0
    br x3
.balign 64
buffer:
    nop
    ret

/* x21: encodings, from op0 = 2 on; at the level x19. */
sweep:
    mov x29, x30
    mov x21, #0x100000
1:  adr x4, kept                // what is never written
2:  ldr w5, [x4], #4
    cbz w5, 3f
    cmp w5, w21
    b.ne 2b
    b 9f
3:  ldr w1, =0xd5200002         // MRS x2
    orr w1, w1, w21
    bl run
    cbnz x27, 5f
    mov x22, x2
    mov x23, #1
    b 6f
5:  mov x23, #0
6:  ldr x2, =0x9e3779b97f4a7c15
    mul x2, x2, x21
    bl write
    cbz x23, 9f
    mov x2, x22
    bl write
9:  add x21, x21, #0x20
    tst x21, #0x200000
    b.eq 1b
    add w1, w19, #48
    str w1, [x20]
    mov w1, #10
    str w1, [x20]
    ret x29
write:
    mov x28, x30
    ldr w1, =0xd5000002
    orr w1, w1, w21
    bl run
    ret x28
.ltorg
.macro reg op0, op1, crn, crm, op2
    .word \op0 << 19 | \op1 << 16 | \crn << 12 | \crm << 8 | \op2 << 5
.endm
kept:
    .irp op1,0,4,5,6
    reg 3, \op1, 1, 0, 0
    reg 3, \op1, 2, 0, 0
    reg 3, \op1, 2, 0, 1
    reg 3, \op1, 2, 0, 2
    reg 3, \op1, 10, 2, 0
    reg 3, \op1, 12, 0, 0
    reg 3, \op1, 12, 0, 2
    .endr
    reg 3, 3, 4, 2, 1           // DAIF
    reg 3, 4, 1, 1, 0
    reg 3, 6, 1, 1, 0
    reg 3, 6, 1, 1, 2
    reg 3, 4, 1, 1, 2
    reg 3, 4, 1, 1, 3
    .word 0
.macro vector
    mov x27, #1
    b taken
    .balign 128
.endm
.balign 2048
vectors:
    .rept 16
    vector
    .endr
/* On to the next instruction, from whatever level this is. */
taken:
    mrs x24, CurrentEL
    cmp x24, #8
    b.eq 2f
    b.hi 3f
    mrs x25, elr_el1
    adr x26, buffer + 4
    msr elr_el1, x26
    eret
2:  adr x26, buffer + 4
    msr elr_el2, x26
    eret
3:  adr x26, buffer + 4
    msr elr_el3, x26
    eret
