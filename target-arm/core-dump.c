// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers of a vCPU for ELF cores: NT_PRSTATUS as Linux has it on AArch64.
 */
#include "exec/core-dump.h"
#include "target-arm/arch.h"
#include "target-arm/cpu.h"

#include <elf.h>

void arm_core_notes(Cpu *cpu, unsigned *machine, GByteArray *status, GByteArray *extra)
{
    ArmCpu *c = ARM(cpu);
    uint8_t d[392] = {0};
    unsigned at = 112;

    *machine = EM_AARCH64;
    core_put32(d, 32, cpu->index + 1);
    for (unsigned i = 0; i < 32; i++, at += 8) {
        core_put64(d, at, c->x[i]);
    }
    core_put64(d, at, c->pc);
    core_put64(d, at + 8, arm_get_spsr(c));
    core_note(status, "CORE", NT_PRSTATUS, d, sizeof(d));
}
