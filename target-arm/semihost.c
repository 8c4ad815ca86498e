// SPDX-License-Identifier: GPL-2.0-or-later
/* Semihosting calls (ARM 100863): undefined unless they are turned on, which no option does yet. */
#include "target-arm/helpers.h"
#include "target-arm/cpu.h"

void helper_semihost(Cpu *cpu, uint64_t next)
{
    arm_undefined(ARM(cpu), HOST_PC());
}
