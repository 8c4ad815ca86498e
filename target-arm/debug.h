// SPDX-License-Identifier: GPL-2.0-or-later
/* The guest's own breakpoints, watchpoints and software step (debug.c). */
#ifndef TARGET_ARM_DEBUG_H
#define TARGET_ARM_DEBUG_H

#include "target-arm/cpu.h"

/* The level that debug exceptions from below EL3 go to: 1 or 2. */
unsigned arm_debug_target(const ArmCpu *c);
/* Whether software step watches over what runs at this level. */
bool arm_step_active(const ArmCpu *c, unsigned el);
/* Whether each instruction at this level is to be looked at for a breakpoint. */
bool arm_breaks_everywhere(const ArmCpu *c, unsigned el);
/* Breakpoint and watchpoint registers, or MDSCR_EL1, were written. */
void arm_debug_update(ArmCpu *c);
unsigned arm_num_breakpoints(const ArmCpu *c);
unsigned arm_num_watchpoints(const ArmCpu *c);

/* CpuArch hooks. */
void arm_debug_exception(Cpu *cpu);
void arm_watch_hit(Cpu *cpu, const Breakpoint *w, uint64_t va, unsigned size, MmuAccess access,
                   uintptr_t host_pc);

#endif
