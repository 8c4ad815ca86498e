// SPDX-License-Identifier: GPL-2.0-or-later
/* Between the instruction loop (translate.c) and the making of regions (region.c). */
#ifndef TARGET_I386_REGION_H
#define TARGET_I386_REGION_H

#include "target-i386/translate.h"

/*
 * translate.c: a context for the block at key; instructions from s->pc on until the block has
 * ended.
 */
X86Ctx x86_context(Cpu *cpu, IrBuilder *b, const BlockKey *key);
void x86_translate_run(X86Ctx *s, unsigned max_insns);

/* A jump within the page goes on inside the region, ending the IR block. False: it leaves. */
bool x86_region_jump(X86Ctx *s, uint64_t rip, uint64_t linear);
/* Jumps to values in the region find the places where others in the page have led in this way. */
void x86_region_targets(X86Ctx *s, IrWay way);
/* A call of linear, or of a value (linear: NOWHERE): its return finds s->next. */
enum { X86_NOWHERE = 1 };
void x86_region_call(X86Ctx *s, uint64_t linear);
void x86_region_exit(X86Ctx *s, uint64_t rip, uint64_t linear);
/* There is a copy of the code at s->pc for the flags that are pending. */
bool x86_region_meets(X86Ctx *s);
/* An instruction of len bytes at s->pc has been taken in. */
void x86_region_covers(X86Ctx *s, unsigned len);

#endif
