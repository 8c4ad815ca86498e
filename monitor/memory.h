// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What monitors do with CPUs, and guest memory as they read it: virtual through a CPU's tables,
 * without side effects on those.
 */
#ifndef MONITOR_MEMORY_H
#define MONITOR_MEMORY_H

#include "qom/vm.h"

/* The vCPU of that number, or NULL. */
struct Cpu *monitor_cpu(Vm *vm, int index);      /* with its state in it (cpu_synchronize) */
/* Interrupts all CPUs beyond their refusal. Machine lock. */
void monitor_inject_nmi(Vm *vm);
/* False with *error set at the first byte that cannot be read. cpu NULL: physical addresses. */
bool monitor_read(struct Cpu *cpu, uint64_t addr, void *buf, size_t len, GError **error);

#endif
