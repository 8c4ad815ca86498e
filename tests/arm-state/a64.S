// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * State of an AArch64 CPU: fills registers of all kinds, tags and a timer, has a second CPU wait for an event, writes "ready" and waits for a byte; then
 * writes what it finds.
 */
// run: -M virt,mte=on,gic-version=3 -cpu max -smp 3
.arch armv8.5-a+memtag+sve
#include "bare.inc"

.macro each what
    \what sp_el0
    \what elr_el1
    \what spsr_el1
    \what tpidr_el0
    \what tpidrro_el0
    \what tpidr_el1
    \what esr_el1
    \what far_el1
    \what afsr0_el1
    \what afsr1_el1
    \what mair_el1
    \what amair_el1
    \what ttbr1_el1
    \what contextidr_el1
    \what par_el1
    \what csselr_el1
    \what cntkctl_el1
    \what cntp_cval_el0
    \what cntv_cval_el0
    \what mdscr_el1
    \what dbgbvr0_el1
    \what dbgbcr0_el1
    \what dbgbvr3_el1
    \what dbgwvr1_el1
    \what dbgwcr1_el1
    \what dbgclaimset_el1
    \what pmselr_el0
    \what pmuserenr_el0
    \what pmevtyper2_el0
    \what pmevcntr2_el0
    \what pmevcntr3_el0
    \what pmccfiltr_el0
    \what apiakeylo_el1
    \what apiakeyhi_el1
    \what apgakeyhi_el1
    \what gcr_el1
    \what rgsr_el1
    \what tfsr_el1
    \what tfsre0_el1
    \what zcr_el1
    \what fpcr
    \what fpsr
    \what nzcv
    \what icc_pmr_el1
    \what icc_bpr1_el1
    \what icc_igrpen1_el1
.endm

.macro put reg
    add x10, x10, x11
    eor x10, x10, x10, ror #13
    msr \reg, x10
.endm

.macro show reg
    mrs x1, \reg
    bl putx
.endm

.macro text first, more:vararg
    mov w5, #\first
    str w5, [x20]
    .ifnb \more
    text \more
    .endif
.endm

main:
    mrs x0, sctlr_el1
    ldr x1, =(1 << 43) | (1 << 42)      // tags may be accessed
    orr x0, x0, x1
    msr sctlr_el1, x0
    mov x0, #(3 << 20) | (3 << 16)
    msr cpacr_el1, x0
    isb
    ldr x10, =0x0123456789abcdef
    ldr x11, =0x9e3779b97f4a7c15
    // vectors and predicates
    mov x0, #0xf
    msr zcr_el1, x0
    ptrue p0.b
    index z0.b, #3, #5
    index z31.h, #1, #7
    add z17.d, z0.d, z31.d
    cmpgt p5.b, p0/z, z17.b, #0
    cmplt p15.h, p0/z, z0.h, #0
    setffr
    wrffr p5.b
    mov x12, #1
    fmov d9, #1.5
    each put
    mov x0, #0x300
    orr x0, x0, #(1 << 22)
    msr fpcr, x0
    mov x0, #3
    msr contextidr_el1, x0
    // a timer far away, a cycle counter that stands, an event counter
    mov x0, #1 << 40
    msr cntv_cval_el0, x0
    msr cntp_cval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    mov x0, #3
    msr cntp_ctl_el0, x0
    msr mdscr_el1, xzr
    mov x0, #5
    msr zcr_el1, x0
    // tags
    ldr x0, =0xc4000000
    addg x0, x0, #0, #9
    stg x0, [x0]
    addg x0, x0, #64, #3
    stg x0, [x0]
    // the second CPU
    ldr x0, =0xc4000003
    mov x1, #1
    adr x2, second
    mov x3, #0x55
    hvc #0
    ldr x1, =0x42f00000
1:  ldr w0, [x1]
    cbz w0, 1b
    // a level of the interrupt controller
    ldr x1, =0x08000000
    mov w0, #0x37
    str w0, [x1]
    ldr w0, =0x00f000f0
    str w0, [x1, #0x104]
    ldr w0, =0x80406020
    str w0, [x1, #0x420]
    mov w0, #0x10
    str w0, [x1, #0x204]
    ldr x1, =0x080a0000
    str wzr, [x1, #0x14]
    ldr x1, =0x080b0000
    ldr w0, =0x00ff0000
    str w0, [x1, #0x100]
    ldr w0, =0x10203040
    str w0, [x1, #0x410]
    // values in registers, an open exclusive access, flags that nobody has looked at
    .irp n,6,7,8,9,12,13,14,15,16,17,18,19,21,22,23,24,25,27,28,29
    add x10, x10, x11
    mov x\n, x10
    .endr
    text 'r','e','a','d','y',10
    mov x1, #0x42000000
    add x1, x1, #0xf00000
    str x12, [x1, #64]
    mov x2, #7
    ldxr x3, [x1]
    subs x2, x2, #9
1:  ldr w0, [x20, #0x18]
    tbnz w0, #4, 1b
    stxr w4, x3, [x1]
    mrs x2, nzcv
    ldr w0, [x20]
    stp x2, x4, [sp, #-16]!
    stp x6, x7, [sp, #-16]!
    stp x8, x9, [sp, #-16]!
    .irp n,12,14,16,18,21,23,27
    stp x\n, x29, [sp, #-16]!
    .endr
    mov x22, #20
2:  ldr x1, [sp], #8
    bl putx
    subs x22, x22, #1
    b.ne 2b
    each show
    mrs x1, cntv_ctl_el0
    bl putx
    mrs x1, cntp_ctl_el0
    bl putx
    mrs x1, pmcr_el0
    bl putx
    // vectors
    mov x0, #0xf
    msr zcr_el1, x0
    ldr x21, =0x42e00000
    str z0, [x21]
    str z9, [x21, #1, mul vl]
    str z17, [x21, #2, mul vl]
    str z31, [x21, #3, mul vl]
    str p5, [x21, #32, mul vl]
    str p15, [x21, #33, mul vl]
    rdffr p1.b
    str p1, [x21, #34, mul vl]
    rdvl x1, #1
    bl putx
    rdvl x22, #1
    add x22, x22, x22, lsl #2
3:  ldr x1, [x21], #8
    bl putx
    subs x22, x22, #8
    b.gt 3b
    // tags
    ldr x1, =0xc4000000
    ldg x1, [x1]
    bl putx
    ldr x1, =0xc4000040
    ldg x1, [x1]
    bl putx
    ldr x1, =0xc4000010
    ldg x1, [x1]
    bl putx
    // the interrupt controller
    ldr x21, =0x08000000
    .irp at,0,0x104,0x204,0x420
    ldr w1, [x21, #\at]
    bl putx
    .endr
    ldr x21, =0x080b0000
    .irp at,0x100,0x410
    ldr w1, [x21, #\at]
    bl putx
    .endr
    // who is on
    .irp n,0,1,2
    ldr x0, =0xc4000004
    mov x1, #\n
    mov x2, #0
    hvc #0
    mov x1, x0
    bl putx
    .endr
    ldr x1, =0x42f00000
    mov w0, #2
    str w0, [x1]
    dsb sy
    sev
4:  ldr w0, [x1]
    cmp w0, #3
    b.ne 4b
    text 'e','n','d',10
    b .
second:
    ldr x1, =0x42f00000
    mov x10, x0
    str w10, [x1]
1:  wfe
    ldr w0, [x1]
    cmp w0, #2
    b.ne 1b
    cmp w10, #0x55
    b.ne .
    mov w0, #3
    str w0, [x1]
    b .
.ltorg
