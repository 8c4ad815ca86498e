// SPDX-License-Identifier: GPL-2.0-or-later
/* Between armv7m_create and the private peripherals of M-profile CPUs, which it makes and wires. */
#ifndef HW_ARM_ARMV7M_INTERNAL_H
#define HW_ARM_ARMV7M_INTERNAL_H

#include "exec/cpu.h"
#include "exec/memory.h"

typedef struct Nvic {
    Device dev;
    uint32_t num_irqs;                 /* property */
    bool secure;                       /* the CPU has the Security Extension */
    Cpu *cpu;
    Device *systick[2];                /* [1]: of Secure state, or NULL */
    Region *root;                      /* the CPU's address space */
    Region alias, rest;
} Nvic;

typedef struct Bitband {
    Device dev;
    uint32_t base;                     /* property */
    AddressSpace *as;
} Bitband;

#endif
