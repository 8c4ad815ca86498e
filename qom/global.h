// SPDX-License-Identifier: GPL-2.0-or-later
/* What object.c and prop.c share. */
#ifndef QOM_GLOBAL_H
#define QOM_GLOBAL_H

#include "qom/object.h"

/* Sets the -global values that concern a new object; a failure is kept in obj->global_error. */
void global_props_apply(Object *obj);

#endif
