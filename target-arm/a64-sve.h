// SPDX-License-Identifier: GPL-2.0-or-later
/* What the trans_sve_* functions of two files share. */
#ifndef TARGET_ARM_A64_SVE_H
#define TARGET_ARM_A64_SVE_H

#include "target-arm/sve.h"
#include "target-arm/translate.h"

/* Whether the row is there: features, element size. */
bool arm_sve_valid(const ArmCtx *s, const A64Insn *i);
/* A helper's descriptor of the row's operands. */
uint64_t arm_sve_desc(const ArmCtx *s, const A64Insn *i, unsigned size);

#endif
