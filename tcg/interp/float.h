// SPDX-License-Identifier: GPL-2.0-or-later
/* Float arithmetic on bit patterns, shared by the scalar and vector ops of the interpreter. */
#ifndef TCG_INTERP_FLOAT_H
#define TCG_INTERP_FLOAT_H

#include "tcg/interp/interp.h"

uint64_t interp_fcmp_mask(IrType t, uint64_t x, uint64_t y, unsigned imm);
uint64_t interp_to_int(IrOpcode opcode, IrType t, uint64_t x, uint64_t imm);
uint64_t interp_round(IrType t, uint64_t x, uint64_t imm);
uint64_t interp_narrow(uint64_t x);         /* f64 to f32 */
uint64_t interp_widen(uint64_t x);          /* f32 to f64 */
uint64_t interp_from_int(IrType t, int64_t x);

#endif
