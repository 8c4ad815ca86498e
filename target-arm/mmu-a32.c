// SPDX-License-Identifier: GPL-2.0-or-later
/* VMSAv8-32 and VMSAv7 translation: short descriptors and LPAE's long ones (G5). */
#include "target-arm/mmu.h"

bool arm_walk_a32(ArmWalk *w, ArmPage *page)
{
    return arm_walk_fail(w, FAULT_TRANSLATION, 1);
}
