// SPDX-License-Identifier: GPL-2.0-or-later
/* What -object help says, for programs that have no such option row. */
#ifndef QOM_OBJECT_HELP_H
#define QOM_OBJECT_HELP_H

#include <glib.h>
#include <stdbool.h>

/* "help" (all types) or "TYPE,help" (its properties); false + error: no such type. */
bool user_object_help(const char *arg, GString *out, GError **error);

#endif
