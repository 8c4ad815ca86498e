// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory tagging: random tags, tag stores and loads, checked and unchecked accesses, synchronous and asynchronous faults. (The usual reference, 7.2, forgets
 * the offset in the page when it looks for tags, and says of DC ZVA that it reads.) */
// run: -M virt,mte=on -cpu max
.arch armv8.5-a+memtag+sve
#include "bare.inc"

.macro show reg
    mov x1, \reg
    bl putx
.endm

/* An access that may fault: the exception shows itself; FAR and TFSR follow. */
.macro access insn:vararg
    adr x28, 9f
    msr far_el1, xzr
    msr tfsr_el1, xzr
    \insn
9:  mrs x1, far_el1
    bl putx
    mrs x1, tfsr_el1
    bl putx
.endm

main:
    mrs x1, id_aa64pfr1_el1
    lsr x1, x1, #8
    and x1, x1, #15
    bl putx
    mrs x1, gmid_el1
    bl putx
    mov x1, #(3 << 16)
    orr x1, x1, #(1 << 20)
    msr cpacr_el1, x1
    mrs x0, cpacr_el1
    orr x0, x0, #(3 << 20)
    orr x0, x0, #(3 << 16)
    msr cpacr_el1, x0
    isb
    /* without access to allocation tags */
    ldr x10, =0xc4000000
    ldr x11, =0x0500000000000000
    orr x12, x10, x11
    irg x13, x12
    show x13
    addg x13, x12, #32, #3
    show x13
    stg x12, [x10]
    ldg x13, [x10]
    show x13
    gmi x13, x12, xzr
    show x13
    subp x13, x12, x10
    show x13
    subps x13, x10, x12
    mrs x1, nzcv
    bl putx
    /* with it, synchronous faults */
    mrs x0, sctlr_el1
    ldr x1, =(1 << 43) | (1 << 42) | (1 << 40)
    orr x0, x0, x1
    msr sctlr_el1, x0
    isb
    msr tco, #0
    mrs x1, tco
    bl putx
    mov x0, #0x1234
    lsl x0, x0, #8
    add x0, x0, #5
    msr rgsr_el1, x0
    mov x0, #0x00f0
    msr gcr_el1, x0
    mov x21, #12
2:  irg x13, x10
    show x13
    mrs x1, rgsr_el1
    bl putx
    subs x21, x21, #1
    b.ne 2b
    mov x14, #0xfffe
    irg x13, x10, x14
    show x13
    mov x14, #0xffff
    irg x13, x10, x14
    show x13
    addg x13, x12, #1008, #15
    show x13
    subg x13, x12, #16, #1
    show x13
    addg x13, x12, #0, #0
    show x13
    stg x12, [x10]
    stg x12, [x10], #16
    show x10
    st2g x12, [x10, #16]!
    show x10
    ldr x10, =0xc4000000
    .irp off, 0, 16, 32, 48, 64
    ldg x13, [x10, #\off]
    show x13
    .endr
    ldgm x13, [x10]
    show x13
    mov x13, #0x4321
    movk x13, #0x8765, lsl #16
    movk x13, #0xcba9, lsl #32
    movk x13, #0x0fed, lsl #48
    ldr x15, =0xc4000100
    stgm x13, [x15]
    ldgm x14, [x15]
    show x14
    ldg x14, [x15, #80]
    show x14
    mov x0, #-1
    ldr x16, =0x84000200
    stp x0, x0, [x16]
    stp x0, x0, [x16, #16]
    ldr x15, =0xc4000200
    stzg x12, [x15]
    ldp x13, x14, [x16]
    show x13
    ldp x13, x14, [x16, #16]
    show x13
    mov x13, #7
    ldr x15, =0xc4000300
    stzgm x13, [x15]
    ldgm x14, [x15]
    show x14
    stgp x0, x13, [x15, #32]
    ldgm x14, [x15]
    show x14
    ldr x15, =0x0a000000c4000340
    dc gva, x15
    ldgm x14, [x15]
    show x14
    dc gzva, x15
    adr x28, 3f
    stg x12, [x15, #16]
    ldr x15, =0xc4000008
    stg x12, [x15]
3:
    /* checks: 256 bytes have tag 5 */
    ldr x10, =0xc4000000
    orr x12, x10, x11
    mov x13, #0x5555555555555555
    stgm x13, [x10]
    access ldr x0, [x12]
    access ldr x0, [x10]
    access str x0, [x10]
    access strb w0, [x12, #3]
    access ldrh w0, [x12, #0x4f]
    access ldp x0, x1, [x12, #0x48]
    access str q0, [x12, #0x48]
    access stxr w0, x1, [x10]
    access ldadd x0, x1, [x10]
    access cas x0, x1, [x10]
    access swp x0, x1, [x12]
    access ldtr x0, [x10]
    access prfm pldl1keep, [x10]
    access dc zva, x10
    access dc zva, x12
    access ld1 {v0.16b, v1.16b}, [x10]
    access ldr z0, [x10]
    ptrue p0.d
    access ld1d z0.d, p0/z, [x10]
    access st1d z0.d, p0, [x12]
    mov x22, sp
    mov sp, x10
    access ldr x0, [sp, #8]
    access ldr x0, [sp], #0
    access ldr x0, [sp, xzr]
    access ldp x0, x1, [sp]
    mov sp, x22
    msr tco, #1
    access ldr x0, [x10]
    msr tco, #0
    ldr x15, =0x84000000
    access ldr x0, [x15]
    /* unchecked tag 0 */
    mrs x0, tcr_el1
    orr x0, x0, #(1 << 57)
    msr tcr_el1, x0
    isb
    access ldr x0, [x10]
    ldr x15, =0x01000000c4000000
    access ldr x0, [x15]
    /* asynchronous, then asymmetric faults */
    mrs x0, sctlr_el1
    eor x0, x0, #(3 << 40)
    msr sctlr_el1, x0
    isb
    access ldr x0, [x15]
    access str x0, [x15]
    mrs x0, sctlr_el1
    orr x0, x0, #(3 << 40)
    msr sctlr_el1, x0
    isb
    access ldr x0, [x15]
    access str x0, [x15]
    mrs x1, tco
    bl putx
    done
