// SPDX-License-Identifier: GPL-2.0-or-later
/* What the walkers of long and short descriptors share. */
#ifndef TARGET_ARM_MMU_H
#define TARGET_ARM_MMU_H

#include "target-arm/cpu.h"

/* One translation of one access. */
typedef struct ArmWalk {
    ArmCpu *c;
    uint64_t va;
    MmuAccess access;
    unsigned regime;                    /* 1, 2, 3 */
    bool user, pan, debug, a32, big;
    bool stage2_on;
    bool tbi, epd_user;
    MemAttrs attrs;                     /* of table reads */
    ArmFault *fault;
} ArmWalk;

bool arm_walk_fail(ArmWalk *w, unsigned type, unsigned level);
bool arm_entry_read(ArmCpu *c, hwaddr pa, unsigned size, MemAttrs attrs, bool big, uint64_t *v,
                    void **host);
unsigned arm_pa_bits(const ArmCpu *c);
/* Stage 1 of an AArch32 regime (mmu-a32.c). */
bool arm_walk_a32(ArmWalk *w, ArmPage *page);
/* The same with long descriptors (mmu.c). */
bool arm_walk_long32(ArmWalk *w, ArmPage *page);

#endif
