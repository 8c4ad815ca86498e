// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Local APIC IDs of x86 CPUs: thread, core, die and socket, each in as many bits as its level
 * needs (SDM 3A 10.9.3.1). Boards tell them to firmware, CPUs have them.
 */
#ifndef EXEC_X86_TOPOLOGY_H
#define EXEC_X86_TOPOLOGY_H

#include "exec/numa.h"

/* Bits of an ID below those of a core, a die, a socket. */
typedef struct X86IdShifts {
    unsigned core, die, socket;
} X86IdShifts;
X86IdShifts x86_id_shifts(const Vm *vm);

/* The ID of the CPU that has this index. */
uint32_t x86_apic_id(const Vm *vm, unsigned index);
/* Its inverse; -1: no CPU of the machine has that ID. */
int x86_index_of_apic_id(const Vm *vm, uint32_t id);

#endif
