// SPDX-License-Identifier: GPL-2.0-or-later
/* A call from EL0: made with userspace=on, undefined without; the answer is the exit status, 3 or 4. */
.globl _start
_start:
    adr x0, vectors
    msr vbar_el1, x0
    msr spsr_el1, xzr
    adr x0, user
    msr elr_el1, x0
    eret
user:
    mov w0, #0x20
    adr x1, fine
    hlt #0xf000
    b .
.balign 8
fine:
    .quad 0x20026, 3
refused:
    .quad 0x20026, 4
.balign 2048
vectors:
.rept 8
.balign 128
    b .
.endr
.balign 128
    mov w0, #0x20
    adr x1, refused
    hlt #0xf000
    b .
