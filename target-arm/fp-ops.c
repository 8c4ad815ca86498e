// SPDX-License-Identifier: GPL-2.0-or-later
/* Floating point on vectors and scalars as IR. C7.2. */
#include "target-arm/simd-ops.h"

static IrVal word(ArmCtx *s, uint32_t w)
{
    return ir_i32(s->b, w);
}

IrVal arm_fp3(ArmCtx *s, uint32_t w, IrVal a, IrVal b)
{
    return ir_call_fp3(s->b, a, b, word(s, w));
}

IrVal arm_fp2(ArmCtx *s, uint32_t w, IrVal a)
{
    return ir_call_fp2(s->b, a, word(s, w));
}

IrVal arm_fp_muladd(ArmCtx *s, uint32_t w, IrVal d, IrVal a, IrVal b)
{
    return ir_call_fp_muladd(s->b, d, a, b, word(s, w));
}

IrVal arm_fp_toint(ArmCtx *s, uint32_t w, IrVal a)
{
    return ir_call_fp_toint(s->b, a, word(s, w));
}

IrVal arm_fp_fromint(ArmCtx *s, uint32_t w, IrVal a)
{
    return ir_call_fp_fromint(s->b, a, word(s, w));
}

IrVal arm_fp_convert(ArmCtx *s, uint32_t w, IrVal a)
{
    return ir_call_fp_convert(s->b, a, word(s, w));
}
