// SPDX-License-Identifier: GPL-2.0-or-later
/* Where VFP and Advanced SIMD of A32 and T32 begin; their tables are to come: undefined until then. */
#include "target-arm/a32-trans.h"

bool a32_vfp(ArmCtx *s, uint32_t word)
{
    return false;
}

bool a32_simd(ArmCtx *s, uint32_t word)
{
    return false;
}
