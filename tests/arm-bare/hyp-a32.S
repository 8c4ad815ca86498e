// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hyp mode of AArch32: registers, its own translation, a guest at EL1 behind stage 2 that calls (HVC), is aborted by stage 2 and returns;
 * address translation by Hyp; what EL1 may not touch.
 */
// run: -M virt,virtualization=on -cpu cortex-a15
.arch armv7-a
.arch_extension sec
.arch_extension virt

.equ UART, 0x09000000

.macro show insn:vararg
    \insn
    mov r0, r1
    bl puthex
.endm

.globl _start
_start:
    ldr sp, =0x43000000
    cmp sp, sp
    show mrs r1, cpsr
    ldr r1, =hvectors
    mcr p15, 4, r1, c12, c0, 0          @ HVBAR
    show mrc p15, 4, r1, c12, c0, 0
    @ tables: four blocks of 1 GiB, Hyp's and stage 2 (the guest's third GiB is the second)
    ldr r4, =0x42000000
    ldr r2, =0x00000709
    mov r3, #0
    strd r2, r3, [r4], #8
    ldr r2, =0x40000701
    strd r2, r3, [r4], #8
    ldr r2, =0x80000701
    strd r2, r3, [r4], #8
    mov r2, #0
    strd r2, r3, [r4], #8
    ldr r4, =0x42001000
    ldr r2, =0x000007c5
    strd r2, r3, [r4], #8
    ldr r2, =0x400007fd
    strd r2, r3, [r4], #8
    ldr r2, =0x400007fd
    strd r2, r3, [r4], #8
    mov r2, #0
    strd r2, r3, [r4], #8
    ldr r1, =0x000000ff
    mcr p15, 4, r1, c10, c2, 0          @ HMAIR0
    show mrc p15, 4, r1, c10, c2, 0
    ldr r1, =0x80803500
    mcr p15, 4, r1, c2, c0, 2           @ HTCR
    ldr r2, =0x42000000
    mov r3, #0
    mcrr p15, 4, r2, r3, c2             @ HTTBR
    isb
    mrc p15, 4, r1, c1, c0, 0
    orr r1, r1, #1
    mcr p15, 4, r1, c1, c0, 0
    isb
    ldr r2, =0x40200000
    mcr p15, 4, r2, c7, c8, 0           @ ATS1HR
    mrrc p15, 0, r1, r3, c7
    bic r1, r1, #0xff0                  @ without attributes
    mov r0, r1
    bl puthex
    ldr r2, =0xc0200000
    mcr p15, 4, r2, c7, c8, 0
    mrrc p15, 0, r1, r3, c7
    mov r0, r1
    bl puthex
    adr r9, 1f
    ldr r2, =0xc0000010                 @ Hyp's own fault
    ldr r1, [r2]
1:
    ldr r1, =0x80003540
    mcr p15, 4, r1, c2, c1, 2           @ VTCR
    ldr r2, =0x42001000
    ldr r3, =0x00050000
    mcrr p15, 6, r2, r3, c2             @ VTTBR
    mrrc p15, 6, r1, r3, c2
    mov r0, r3
    bl puthex
    mov r1, #0x31
    mcr p15, 4, r1, c1, c1, 0           @ HCR: VM, AMO, IMO
    ldr r1, =0x12345678
    mcr p15, 4, r1, c13, c0, 2          @ HTPIDR
    mcr p15, 4, r1, c0, c0, 0           @ VPIDR
    isb
    ldr r2, =0x80200000
    mcr p15, 0, r2, c7, c8, 4           @ ATS12NSOPR
    mrrc p15, 0, r1, r3, c7
    bic r1, r1, #0xff0
    mov r0, r1
    bl puthex
    ldr r2, =0xc0200000
    mcr p15, 0, r2, c7, c8, 4
    mrrc p15, 0, r1, r3, c7
    mov r0, r1
    bl puthex
    ldr r1, =guest
    msr elr_hyp, r1
    mov r1, #0x1d3
    msr spsr_cxsf, r1
    eret

guest:
    ldr sp, =0x43200000
    ldr r1, =gvectors
    mcr p15, 0, r1, c12, c0, 0
    show mrs r1, cpsr
    show mrc p15, 0, r1, c0, c0, 0
    ldr r2, =word + 0x40000000          @ another way to the same memory
    show ldr r1, [r2]
    adr r9, 1f
    mrc p15, 4, r1, c1, c1, 0           @ HCR: undefined
1:  adr r9, 1f
    mrc p15, 4, r1, c12, c0, 0
1:  mov r8, #0
    adr r9, 1f
    ldr r2, =0xc0001234                 @ stage 2 has nothing there
    ldr r1, [r2]
1:  adr r9, 1f
    ldr r2, =0xc0004320
    strh r1, [r2, #2]
1:  adr r9, 1f
    ldr r2, =0xc0008000
    blx r2
1:  adr r9, 1f
    hvc #77
1:  mov r8, #2
    hvc #1
    b .

puthex:
    push {r0-r4, lr}
    ldr r1, =UART
    mov r3, #8
1:  lsr r2, r0, #28
    cmp r2, #10
    addlo r2, r2, #'0'
    addhs r2, r2, #('a' - 10)
    str r2, [r1]
    lsl r0, r0, #4
    subs r3, r3, #1
    bne 1b
    mov r2, #10
    str r2, [r1]
    pop {r0-r4, pc}

hyp:
    show mrs r1, spsr
    mrc p15, 4, r1, c5, c2, 0           @ HSR: of stage 1's aborts without what the access was
    tst r7, #4
    ldrne r2, =0xfc00003f
    andne r1, r1, r2
    mov r0, r1
    bl puthex
    show mrc p15, 4, r1, c6, c0, 0      @ HDFAR
    show mrc p15, 4, r1, c6, c0, 2      @ HIFAR
    show mrc p15, 4, r1, c6, c0, 4      @ HPFAR
    mrs r1, elr_hyp
    sub r1, r1, r9
    mov r0, r1
    cmp r8, #3
    bl puthex
    cmp r8, #2
    beq finish
    msr elr_hyp, r9
    eret
finish:
    ldr r0, =0x84000008
    smc #0
    b .
h0: mov r7, #0
    b 1f
h1: mov r7, #1
    b 1f
h2: mov r7, #2
    b 1f
h3: mov r7, #3
    b 1f
h4: mov r7, #4
    b 1f
h5: mov r7, #5
1:  mov r0, r7
    bl puthex
    b hyp
g1: ldr sp, =0x43300000
    mov r0, #0x11
    bl puthex
    mov lr, r9
    movs pc, lr
.balign 32
hvectors:
    b h0
    b h1
    b h2
    b h3
    b h4
    b h5
    b .
    b .
gvectors:
    b .
    b g1
    b .
    b .
    b .
    b .
    b .
    b .
word:
    .word 0xfeedbeef
