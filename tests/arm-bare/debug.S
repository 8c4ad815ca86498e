// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Self-hosted debug: breakpoints, plain and linked to a context, watchpoints of every size and kind of access, at EL1 and from
 * EL0, the masks that keep them off, software step over plain instructions, exception-generating ones and returns.
 */
.arch armv8.5-a
// run: -M virt -cpu cortex-a57
#include "bare.inc"

/* FAR_EL1 is shown after a hit. */
.macro far
    mrs x1, far_el1
    bl puthex
.endm

.macro say n
    ldr x1, =(\n)
    bl puthex
.endm

/* BCR and WCR: enabled, EL1 */
.set B1, (0xf << 5) | (1 << 1) | 1
.set W1, (1 << 1) | 1

.macro watch control, address, insn, number
    ldr x7, =(\control)
    ldr x8, =data+(\address)
    msr dbgwvr0_el1, x8
    msr dbgwcr0_el1, x7
    msr daifclr, #8
    isb
    adr x28, 9f
    ldr x9, =data
    \insn
    say \number
    b 8f
9:  far
8:  msr dbgwcr0_el1, xzr
    isb
.endm

main:
    adr x0, table
    msr vbar_el1, x0
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    mov x0, #0
    msr oslar_el1, x0
    mrs x1, oslsr_el1
    bl puthex
    mrs x1, id_aa64dfr0_el1
    ubfx x1, x1, #12, #20
    bl puthex
    msr daifclr, #8
    ldr x0, =(1 << 15) | (1 << 13)
    msr mdscr_el1, x0
    isb

    /* breakpoints */
    adr x0, 1f
    msr dbgbvr0_el1, x0
    mov x0, #B1
    msr dbgbcr0_el1, x0
    isb
    adr x28, 2f
    nop
1:  nop
    say 0x100
2:  msr daifclr, #8
    /* masked by PSTATE.D */
    adr x0, 1f
    msr dbgbvr1_el1, x0
    mov x0, #B1
    msr dbgbcr1_el1, x0
    msr daifset, #8
    isb
1:  nop
    say 0x101
    msr daifclr, #8
    /* by KDE */
    ldr x0, =(1 << 15)
    msr mdscr_el1, x0
    adr x0, 1f
    msr dbgbvr1_el1, x0
    isb
1:  nop
    say 0x102
    ldr x0, =(1 << 15) | (1 << 13)
    msr mdscr_el1, x0
    msr daifclr, #8
    /* only EL0 */
    mov x0, #((0xf << 5) | (2 << 1) | 1)
    msr dbgbcr1_el1, x0
    adr x0, 1f
    msr dbgbvr1_el1, x0
    isb
1:  nop
    say 0x104
    /* linked to context 0x55, which breakpoint 5 compares */
    mov x0, #0x55
    msr dbgbvr5_el1, x0
    ldr x0, =(3 << 20) | (0xf << 5) | (1 << 1) | 1
    msr dbgbcr5_el1, x0
    ldr x0, =(1 << 20) | (5 << 16) | B1
    msr dbgbcr1_el1, x0
    adr x0, 1f
    msr dbgbvr1_el1, x0
    mov x0, #0x54
    msr contextidr_el1, x0
    isb
    mov x27, #2
3:  adr x28, 2f
    msr daifclr, #8
1:  nop
    say 0x105
    mov x0, #0x55
    msr contextidr_el1, x0
    isb
    subs x27, x27, #1
    b.ne 3b
    say 0x106
2:  msr dbgbcr0_el1, xzr
    msr dbgbcr1_el1, xzr
    isb

    /* watchpoints: loads, stores, sizes, neighbours */
    watch W1 | (1 << 3) | (0xff << 5), 0, "ldr x0, [x9]", 0x200
    watch W1 | (1 << 3) | (0xff << 5), 0, "str x0, [x9]", 0x201
    watch W1 | (2 << 3) | (0xff << 5), 0, "ldr x0, [x9]", 0x202
    watch W1 | (2 << 3) | (0xff << 5), 0, "str x0, [x9]", 0x203
    watch W1 | (3 << 3) | (0xff << 5), 0, "ldrb w0, [x9, #7]", 0x204
    watch W1 | (3 << 3) | (0x0f << 5), 0, "ldrb w0, [x9, #4]", 0x205
    watch W1 | (3 << 3) | (0x0f << 5), 4, "ldrb w0, [x9, #4]", 0x206
    watch W1 | (3 << 3) | (0x01 << 5), 0, "ldrb w0, [x9, #1]", 0x207
    watch W1 | (3 << 3) | (0x01 << 5), 8, "ldp x0, x1, [x9]", 0x208
    watch W1 | (3 << 3) | (0x80 << 5), 8, "stp q0, q1, [x9]", 0x209
    watch W1 | (3 << 3) | (0xc0 << 5), 8, "strb w0, [x9, #13]", 0x20a
    watch W1 | (3 << 3) | (0xc0 << 5), 8, "strb w0, [x9, #15]", 0x20b
    watch W1 | (3 << 3) | (0xff << 5) | (6 << 24), 64, "strb w0, [x9, #100]", 0x20c
    watch W1 | (3 << 3) | (0xff << 5) | (6 << 24), 64, "strb w0, [x9, #63]", 0x20d
    watch W1 | (3 << 3) | (0xff << 5), 8, "ldxr x0, [x9]", 0x20e
    watch W1 | (3 << 3) | (0xff << 5), 0, "ldxr x0, [x9]", 0x20f
    watch (2 << 1) | 1 | (3 << 3) | (0xff << 5), 0, "ldr x0, [x9]", 0x210
    watch W1 | (3 << 3) | (0xff << 5), 0, "ld1 {v0.16b}, [x9]", 0x211
    watch W1 | (2 << 3) | (0xff << 5), 0, "ldr x0, [x9, #-4]", 0x212
    watch W1 | (1 << 3) | (0xff << 5), 0, "ldur x0, [x9, #-4]", 0x213
    watch W1 | (1 << 20) | (5 << 16) | (1 << 3) | (0xff << 5), 0, "ldr x0, [x9]", 0x214
    b 1f
.ltorg
.balign 2048
/* As in bare.inc, but debug exceptions are masked in what goes on. */
table:
.rept 4
.balign 128
    b .
.endr
.balign 128
    mrs x1, esr_el1
    mov x26, x30
    bl puthex
    mrs x1, spsr_el1
    bl puthex
    mrs x1, elr_el1
    bl puthex
    mov x30, x26
    msr elr_el1, x28
    mov x2, #0x3c5
    msr spsr_el1, x2
    eret
.balign 2048
1:
    /* software step: from EL1 to EL1, each return runs one instruction */
    ldr x0, =(1 << 13) | 1
    msr mdscr_el1, x0
    isb
    adr x0, 1f
    msr elr_el1, x0
    msr daifset, #8
    mov x0, #0x105
    orr x0, x0, #(1 << 21)
    msr spsr_el1, x0
    adr x28, 2f
    eret
1:  add x21, x21, #1
    add x21, x21, #1
2:  msr daifset, #8
    mov x1, x21
    bl puthex
    /* with SS clear it is due at once */
    mov x0, #0x105
    msr spsr_el1, x0
    adr x0, 1f
    msr elr_el1, x0
    adr x28, 2f
    eret
1:  add x21, x21, #1
2:  msr daifset, #8
    mov x1, x21
    bl puthex
    /* a branch, a load, a system call */
    mov x0, #0x105
    orr x0, x0, #(1 << 21)
    msr spsr_el1, x0
    adr x0, 1f
    msr elr_el1, x0
    adr x28, 2f
    eret
1:  b 3f
    nop
3:  nop
2:  msr daifset, #8
    mov x0, #0x105
    orr x0, x0, #(1 << 21)
    msr spsr_el1, x0
    adr x0, 1f
    msr elr_el1, x0
    adr x28, 2f
    eret
1:  svc #3
    nop
2:  msr daifset, #8
    mov x0, #0x105
    orr x0, x0, #(1 << 21)
    msr spsr_el1, x0
    adr x0, 1f
    msr elr_el1, x0
    adr x28, 2f
    eret
1:  brk #4
    nop
2:  msr daifset, #8
    msr mdscr_el1, xzr
    isb
    done
.balign 64
    .skip 64
data:
    .skip 256
