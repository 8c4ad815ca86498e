// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who may come: objects (authz-simple, authz-list-file) that know names of clients, as a TLS
 * certificate has them.
 */
#ifndef QOM_AUTHZ_H
#define QOM_AUTHZ_H

#include <glib.h>
#include <stdbool.h>

/* Whether there is such an object; else false + error. */
bool authz_check(const char *id, GError **error);
/* False + error: that name may not, or nobody can say. */
bool authz_allowed(const char *id, const char *name, GError **error);

#endif
