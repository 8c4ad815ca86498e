// SPDX-License-Identifier: GPL-2.0-or-later
/* Secrets by id, for passwords and keys. */
#ifndef QOM_SECRET_H
#define QOM_SECRET_H

#include <glib.h>
#include <stdint.h>

/*
 * The bytes of -object secret,id=ID; NULL with *error set when there is none. Not owned by the
 * caller.
 */
const uint8_t *secret_bytes(const char *id, size_t *len, GError **error);

#endif
