// SPDX-License-Identifier: GPL-2.0-or-later
/* Names that the printer and the parser of IR text share. */
#ifndef TCG_TEXT_H
#define TCG_TEXT_H

#include "tcg/ir-internal.h"

extern const char *const ir_type_names[IR_TYPES + 1];
extern const char *const ir_cond_names[];
extern const char *const ir_lane_names[];

#endif
