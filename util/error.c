// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Errors that a user can cause, suggestions for mistyped names, and the few lines that go to
 * stderr. The contract is include/util/error.h.
 */
#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

G_DEFINE_QUARK(emu-error-quark, emu_error)

static const char *const class_names[] = {
    [ERROR_GENERIC] = "GenericError",
    [ERROR_COMMAND_NOT_FOUND] = "CommandNotFound",
    [ERROR_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
    [ERROR_DEVICE_NOT_FOUND] = "DeviceNotFound",
    [ERROR_KVM_MISSING_CAP] = "KVMMissingCap",
};

const char *error_class_name(int code)
{
    if (code < 0 || code >= (int)G_N_ELEMENTS(class_names)) {
        code = ERROR_GENERIC;
    }
    return class_names[code];
}

static void G_GNUC_PRINTF(3, 0)
error_set_va(GError **error, ErrorClass cls, const char *fmt, va_list ap)
{
    g_assert(error != NULL);
    g_propagate_error(error, g_error_new_valist(EMU_ERROR, cls, fmt, ap));
}

bool fail(GError **error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_set_va(error, ERROR_GENERIC, fmt, ap);
    va_end(ap);
    return false;
}

bool fail_class(GError **error, ErrorClass cls, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_set_va(error, cls, fmt, ap);
    va_end(ap);
    return false;
}

bool fail_errno(GError **error, int errnum, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return fail(error, "%s: %s", text, g_strerror(errnum));
}

void *fail_null(GError **error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_set_va(error, ERROR_GENERIC, fmt, ap);
    va_end(ap);
    return NULL;
}

/* Names longer than this are not compared: no name of ours is. */
#define NAME_MAX_LEN 64

/*
 * Edit distance of a and b, a swap of neighbours counted as one edit; case does not count.
 * Both are at most NAME_MAX_LEN long.
 */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned rows[3][NAME_MAX_LEN + 1];
    size_t la = strlen(a), lb = strlen(b);

    for (size_t j = 0; j <= lb; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        unsigned *cur = rows[i % 3];
        const unsigned *prev = rows[(i - 1) % 3];
        const unsigned *prev2 = rows[(i + 1) % 3];

        cur[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            char ca = g_ascii_tolower(a[i - 1]), cb = g_ascii_tolower(b[j - 1]);
            unsigned best = MIN(prev[j], cur[j - 1]) + 1;

            best = MIN(best, prev[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == g_ascii_tolower(b[j - 2]) &&
                cb == g_ascii_tolower(a[i - 2])) {
                best = MIN(best, prev2[j - 2] + 1);
            }
            cur[j] = best;
        }
    }
    return rows[la % 3][lb];
}

const char *nearest_name(const char *word, const char *const *names)
{
    size_t len = strlen(word);
    /* a third of the letters may be wrong, but one always may unless the word is tiny */
    unsigned limit = len < 2 ? 0 : MAX(1, len / 3);
    unsigned best_distance = limit + 1;
    const char *best = NULL;

    if (len > NAME_MAX_LEN) {
        return NULL;
    }
    for (; *names != NULL; names++) {
        size_t other = strlen(*names);
        unsigned d;

        if (other > NAME_MAX_LEN) {
            continue;
        }
        d = edit_distance(word, *names);
        if (d < best_distance) {
            best_distance = d;
            best = *names;
        }
    }
    return best;
}

char *suggestion(const char *word, const char *const *names)
{
    const char *name = nearest_name(word, names);

    return name != NULL ? g_strdup_printf(" (did you mean '%s'?)", name) : g_strdup("");
}

static const char *program_name(void)
{
    const char *name = g_get_prgname();

    return name != NULL ? name : "emulator";
}

/* -msg: how reports begin, for the whole process. */
static bool with_timestamp;
static char *guest_name;

void error_report_style(bool timestamp, const char *guest)
{
    with_timestamp = timestamp;
    g_free(guest_name);
    guest_name = g_strdup(guest);
}

/* What stands before the program's name; freed by the caller. */
static char *prefix(void)
{
    g_autoptr(GDateTime) now = with_timestamp ? g_date_time_new_now_utc() : NULL;
    g_autofree char *time = now ? g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ ") : g_strdup("");

    return g_strconcat(time, guest_name ? guest_name : "", guest_name ? " " : "", NULL);
}

void error_report_free(GError *err)
{
    g_autofree char *before = prefix();

    fprintf(stderr, "%s%s: %s\n", before, program_name(), err->message);
    g_error_free(err);
}

static void G_GNUC_PRINTF(2, 0) report_va(const char *kind, const char *fmt, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(fmt, ap);

    g_autofree char *before = prefix();

    fprintf(stderr, "%s%s: %s: %s\n", before, program_name(), kind, text);
}

void warn_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report_va("warning", fmt, ap);
    va_end(ap);
}

void info_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report_va("info", fmt, ap);
    va_end(ap);
}
