// SPDX-License-Identifier: GPL-2.0-or-later
/* What ref-a64.c and ref-a32.c share: see ref.c. */
#ifndef REF_H
#define REF_H

#include <stdbool.h>
#include "../unit/target-arm/insn-case.h"

/* Fills the signal frame for a case's beginning / takes the state out of it. */
void ref_enter(void *ucontext, const InsnCase *t);
void ref_take(void *ucontext, InsnState *s, unsigned vq);
/* From now on SVE's vectors have that length. */
bool ref_set_vq(unsigned vq);
uint64_t ref_pc(void *ucontext);
/* An instruction that raises SIGTRAP or SIGILL; a byte count. */
unsigned ref_stop(uint8_t *to, const InsnCase *t);

#endif
