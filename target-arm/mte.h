// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory tagging: checks of accesses that helpers make themselves. */
#ifndef TARGET_ARM_MTE_H
#define TARGET_ARM_MTE_H

#include "exec/tlb.h"
#include "target-arm/cpu.h"

/* Once for each CPU, when it is realized. */
bool arm_tags_init(ArmCpu *c, GError **error);
/* An access of a page's bytes: fails by SCTLR_ELx.TCF, perhaps by an exception. */
void arm_mte_access(ArmCpu *c, uint64_t va, unsigned bytes, bool write, unsigned mmu,
                    uintptr_t host_pc);
/* False: it would fail, at *at. */
bool arm_mte_ok(ArmCpu *c, uint64_t va, unsigned bytes, bool write, unsigned mmu, uintptr_t host_pc,
                uint64_t *at);

#endif
