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
void a32_branch(ArmCtx *s, IrVal target, IrWay way);    /* stays in the instruction set */
void a32_bx(ArmCtx *s, IrVal target, IrWay way);        /* bit 0 chooses it */
void a32_exit_lookup(ArmCtx *s);
/* Whether this core has the row of that name (a32-versions.c). */
bool a32_row_there(const ArmCpu *c, const char *name);
/* Whether unaligned addresses rotate words and are rounded down otherwise. */
bool a32_rotates(const ArmCtx *s);
bool a32_setflags(const ArmCtx *s, const A32Insn *i);
/* Tables of VFP and of Advanced SIMD (A32 forms). */
bool a32_vfp(ArmCtx *s, uint32_t word);
bool a32_simd(ArmCtx *s, uint32_t word);
/* What ARMv8 put in the unconditional space beside them; false: not such a word. */
bool a32_simd_extra(ArmCtx *s, uint32_t word);

/* ---- registers of VFP and Advanced SIMD (a32-vfp.c) ---- */
/* D (or S) number of a register field and its extra bit. */
static inline unsigned a32_vreg(bool dp, int32_t v, int32_t bit)
{
    return dp ? (unsigned)(v | bit << 4) : (unsigned)(v << 1 | bit);
}
/* A D or S register as i64, zero-extended. */
IrVal a32_get_fp(ArmCtx *s, bool dp, unsigned n);
/* The same of a field of `i`, of its format; a half is zero-extended. */
IrVal a32_operand(ArmCtx *s, const A32Insn *i, int32_t v, int32_t bit);
void a32_put_fp(ArmCtx *s, bool dp, unsigned n, IrVal x64);
/* Q register n / 2, or D register n as the low half (what is above it is arbitrary). */
IrVal a32_get_vec(ArmCtx *s, bool q, unsigned n);
void a32_put_vec(ArmCtx *s, bool q, unsigned n, IrVal v);
/*
 * Access and registers that exist; false: done with (trapped). *undef: the encoding is not there.
 */
bool a32_fp_ok(ArmCtx *s, bool *undef);

#define FP_OR_RETURN(s) \
    do { \
        bool undef_; \
        if (!a32_fp_ok(s, &undef_)) { \
            return !undef_; \
        } \
    } while (0)

#endif
