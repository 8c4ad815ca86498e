// SPDX-License-Identifier: GPL-2.0-or-later
/* A32 and T32: fetching, conditions, the way to the tables. */
#include "target-arm/translate.h"
#include "target-arm/sysreg.h"

const ArmSysreg arm_cp15_regs[] = {{0}};
const ArmSysreg arm_cp15_maint[] = {{0}};

bool arm_translate_a32(ArmCtx *s, Cpu *cpu, const uint8_t *page, bool first)
{
    s->next = s->pc + 4;
    ir_insn(s->b, s->pc, META_INSN | (uint64_t)s->it << META_IT_SHIFT);
    arm_undef(s);
    return true;
}
