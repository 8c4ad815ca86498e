// SPDX-License-Identifier: GPL-2.0-or-later
/* Passes over a finished function. Each returns whether the control flow changed. */
#ifndef TCG_PASSES_H
#define TCG_PASSES_H

#include "tcg/builder.h"

bool pass_join(IrFunc *f);
bool pass_thread(IrFunc *f);
bool pass_merge(IrFunc *f);
bool pass_forward(IrFunc *f);
bool pass_same(IrFunc *f);
bool pass_dead(IrFunc *f);

#endif
