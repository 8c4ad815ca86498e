// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Strict parsing of numbers and sizes: the whole text or false, and then *value is unchanged. No
 * white space, no empty text, nothing left over, no silent overflow. The caller words the error.
 */
#ifndef UTIL_CUTILS_H
#define UTIL_CUTILS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As in C: decimal, 0x hexadecimal, 0 octal; i64 takes a minus sign. */
bool parse_u64(const char *text, uint64_t *value);
bool parse_i64(const char *text, int64_t *value);

/*
 * A size in bytes: digits, perhaps a fraction, and one of the suffixes B K M G T P E (or lower
 * case, powers of 1024); without one the number is in units of `unit` bytes (1, or 1 MiB for -m).
 * Or a hexadecimal number of units.
 */
bool parse_size(const char *text, uint64_t unit, uint64_t *bytes);

/* on/off, yes/no, true/false, y/n. */
bool parse_bool(const char *text, bool *value);

/* Copies text into a fixed field that has no terminator: cut off at size, or filled up with pad. */
void copy_padded(char *field, size_t size, const char *text, char pad);

#endif
