// SPDX-License-Identifier: GPL-2.0-or-later
/* What -smbios said; for the builder of the tables. */
#ifndef HW_NVRAM_SMBIOS_OPTIONS_H
#define HW_NVRAM_SMBIOS_OPTIONS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* All fields given for a type, NULL: none. Borrowed. */
struct json_object *smbios_fields(unsigned type);
/* A field of a type, or the default. */
const char *smbios_text(unsigned type, const char *key, const char *def);
uint64_t smbios_number(unsigned type, const char *key, uint64_t def);
bool smbios_flag(unsigned type, const char *key);
/* char *: strings of structure 11, NULL: none. */
GPtrArray *smbios_oem_strings(void);
/* Structures of files that take the place of the board's, with their strings; NULL: none. */
GByteArray *smbios_blob(unsigned type);

#endif
