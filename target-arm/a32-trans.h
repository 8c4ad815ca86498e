// SPDX-License-Identifier: GPL-2.0-or-later
/* What the A32 and T32 translators share beyond translate.h. Values are i32. */
#ifndef TARGET_ARM_A32_TRANS_H
#define TARGET_ARM_A32_TRANS_H

#include "target-arm/translate.h"
#include "target-arm/a32-decode.h"
#include "target-arm/a32u-decode.h"
#include "target-arm/t16-decode.h"
#include "target-arm/t32-decode.h"

/* Register n; 15: as the instruction sees it. _base: that aligned to words. */
IrVal a32_reg(ArmCtx *s, unsigned n);
IrVal a32_base(ArmCtx *s, unsigned n);
void a32_set_plain(ArmCtx *s, unsigned n, IrVal v);     /* n is not 15 */
void a32_set_reg(ArmCtx *s, unsigned n, IrVal v);       /* 15: branch as data processing does */
void a32_branch(ArmCtx *s, IrVal target);               /* stays in the instruction set */
void a32_bx(ArmCtx *s, IrVal target);                   /* bit 0 chooses it */
void a32_exit_lookup(ArmCtx *s);
bool a32_setflags(const ArmCtx *s, const A32Insn *i);
/* Tables of VFP and of Advanced SIMD (A32 forms). */
bool a32_vfp(ArmCtx *s, uint32_t word);
bool a32_simd(ArmCtx *s, uint32_t word);

#endif
