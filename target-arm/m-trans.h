// SPDX-License-Identifier: GPL-2.0-or-later
/* What translators shared by A32, T32 and M profile ask of the latter (m-trans.c). */
#ifndef TARGET_ARM_M_TRANS_H
#define TARGET_ARM_M_TRANS_H

#include "target-arm/translate.h"

static inline bool arm_is_m(const ArmCtx *s)
{
    return arm_has(s->cpu, FEATURE_M);
}
bool arm_m_dispatch(ArmCtx *s, uint32_t word);
void arm_m_context(ArmCtx *s);
bool arm_m_fp_ok(ArmCtx *s);
/* Before a jump to `target`, which `local` has as well: what is EXC_RETURN or FNC_RETURN leaves. */
void arm_m_bx_check(ArmCtx *s, IrVal target, IrVar local);
/* A new SP, before anything is written: an overflow if it is below its limit. */
void arm_m_sp_limit_check(ArmCtx *s, IrVal sp);

#endif
