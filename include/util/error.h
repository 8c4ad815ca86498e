// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Errors that a user can cause. Everything that can fail for a user's reason takes a
 * `GError **error` last, which is never NULL, and returns false or NULL after setting it.
 */
#ifndef UTIL_ERROR_H
#define UTIL_ERROR_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The one error domain; the codes are QMP's error classes. */
#define EMU_ERROR emu_error_quark()
GQuark emu_error_quark(void);

typedef enum ErrorClass {
    ERROR_GENERIC,
    ERROR_COMMAND_NOT_FOUND,
    ERROR_DEVICE_NOT_ACTIVE,
    ERROR_DEVICE_NOT_FOUND,
    ERROR_KVM_MISSING_CAP,
} ErrorClass;

/* The name of a class on the QMP wire, such as "GenericError". */
const char *error_class_name(int code);

/* Sets *error (class ERROR_GENERIC) and returns false. */
bool fail(GError **error, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* The same with a class of its own. */
bool fail_class(GError **error, ErrorClass cls, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
/* The same; appends ": " and the text of errno value errnum (> 0). */
bool fail_errno(GError **error, int errnum, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
/* Sets *error and returns NULL, for functions that return a pointer. */
void *fail_null(GError **error, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/*
 * The entry of names[] (NULL-terminated) nearest to word by edit distance, or NULL when
 * nothing is near enough to be a mistyping. Not owned by the caller.
 */
const char *nearest_name(const char *word, const char *const *names);
/* " (did you mean 'X'?)" as a new string, or an empty one. Freed by the caller. */
char *suggestion(const char *word, const char *const *names);

/* One line to stderr, prefixed by the program's name; takes and frees err. */
void error_report_free(GError *err);
void warn_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void info_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/* How those lines begin: a time stamp, and/or the guest's name (NULL: not). */
void error_report_style(bool timestamp, const char *guest);

/*
 * The guest did something that its hardware's manual forbids: counted, and logged under
 * `-d guest_errors` (a flood is thinned out). The caller stops the operation at hand. Any thread.
 */
void guest_error(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
/* How often guest_error was called. */
uint64_t guest_error_count(void);
/* The guest used something that is not modelled: logged under `-d unimp`. */
void guest_unimp(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

#endif
