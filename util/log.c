// SPDX-License-Identifier: GPL-2.0-or-later
/* The log of -d and -D: items, address filter, and the guest's own mistakes. See util/log.h. */
#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "util/error.h"
#include "util/types.h"

static const struct LogItem {
    const char *name;
    uint32_t bit;
    const char *help;
} items[] = {
    {"out_asm", LOG_OUT_ASM, "show generated host assembly code for each compiled TB"},
    {"in_asm", LOG_IN_ASM, "show target assembly code for each compiled TB"},
    {"op", LOG_OP, "show micro ops for each compiled TB"},
    {"op_opt", LOG_OP_OPT, "show micro ops after optimization"},
    {"int", LOG_INT, "show interrupts/exceptions in short format"},
    {"exec", LOG_EXEC, "show trace before each executed TB (lots of logs)"},
    {"cpu", LOG_CPU, "show CPU registers before entering a TB (lots of logs)"},
    {"fpu", LOG_FPU, "include FPU registers in the 'cpu' logging"},
    {"mmu", LOG_MMU, "log MMU-related activities"},
    {"pcall", LOG_PCALL, "x86 only: show protected mode far calls/returns/exceptions"},
    {"cpu_reset", LOG_RESET, "show CPU state before CPU resets"},
    {"unimp", LOG_UNIMP, "log unimplemented functionality"},
    {"guest_errors", LOG_GUEST_ERROR,
     "log when the guest OS does something invalid (eg accessing a\nnon-existent register)"},
    {"page", LOG_PAGE, "dump pages at beginning of user mode emulation"},
    {"nochain", LOG_NOCHAIN,
     "do not chain compiled TBs so that \"exec\" and \"cpu\" show\ncomplete traces"},
    {"strace", LOG_STRACE, "log every user-mode syscall, its input, and its result"},
};

/* Process-wide because the log is: set by the command line and the monitor, read everywhere. */
uint32_t log_items;
static FILE *log_file;          /* NULL: stderr */
static GArray *filter;          /* of uint64_t pairs [first, last]; NULL: everything */
static GMutex log_lock;         /* keeps one call's text in one piece */

bool log_set_items(const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    const char *names[ARRAY_COUNT(items) + 2];
    uint32_t mask = log_items;

    for (size_t i = 0; i < ARRAY_COUNT(items); i++) {
        names[i] = items[i].name;
    }
    names[ARRAY_COUNT(items)] = "all";
    names[ARRAY_COUNT(items) + 1] = NULL;
    for (char **w = words; *w != NULL; w++) {
        size_t i = 0;

        if (strcmp(*w, "all") == 0) {
            mask |= (LOG_TRACE - 1);
            continue;
        }
        if (strcmp(*w, "none") == 0 || strcmp(*w, "tid") == 0 || strcmp(*w, "op_ind") == 0 ||
            strcmp(*w, "plugin") == 0) {
            continue;
        }
        while (i < ARRAY_COUNT(items) && strcmp(*w, items[i].name) != 0) {
            i++;
        }
        if (i == ARRAY_COUNT(items)) {
            g_autofree char *hint = suggestion(*w, names);

            return fail(error, "unknown log item '%s'%s", *w, hint);
        }
        mask |= items[i].bit;
    }
    log_items = mask;
    return true;
}

void log_set_mask(uint32_t mask)
{
    log_items = mask;
}

void log_help(GString *out)
{
    g_string_append(out, "Log items (comma separated):\n");
    for (size_t i = 0; i < ARRAY_COUNT(items); i++) {
        g_string_append_printf(out, "%-15s %s\n", items[i].name, items[i].help);
    }
}

bool log_set_file(const char *path, GError **error)
{
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    g_autofree char *name = NULL;
    FILE *f = NULL;

    if (path != NULL) {
        g_auto(GStrv) parts = g_strsplit(path, "%d", 2);

        name = g_strjoinv(pid, parts);
        f = fopen(name, "w");
        if (f == NULL) {
            return fail(error, "cannot open log file '%s'", name);
        }
    }
    g_mutex_lock(&log_lock);
    if (log_file != NULL) {
        fclose(log_file);
    }
    log_file = f;
    g_mutex_unlock(&log_lock);
    return true;
}

static bool parse_range(const char *text, uint64_t *first, uint64_t *last)
{
    char *end;
    uint64_t a = g_ascii_strtoull(text, &end, 0), b;
    char op = *end;

    if (end == text) {
        return false;
    }
    if (op == '\0') {
        *first = *last = a;
        return true;
    }
    text = end + (op == '.' ? 2 : 1);
    if (op == '.' && end[1] != '.') {
        return false;
    }
    b = g_ascii_strtoull(text, &end, 0);
    if (end == text || *end != '\0' || (op != '.' && b == 0)) {
        return false;
    }
    *first = op == '-' ? a - (b - 1) : a;
    *last = op == '.' ? b : op == '+' ? a + (b - 1) : a;
    return (op == '.' || op == '+' || op == '-') && *first <= *last;
}

bool log_set_filter(const char *ranges, GError **error)
{
    g_auto(GStrv) words = g_strsplit(ranges, ",", -1);
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    for (char **w = words; *w != NULL; w++) {
        uint64_t pair[2];

        if (!parse_range(*w, &pair[0], &pair[1])) {
            return fail(error, "-dfilter: bad range '%s' (A..B, A+LEN or A-LEN)", *w);
        }
        g_array_append_vals(list, pair, 2);
    }
    filter = g_steal_pointer(&list);
    return true;
}

bool log_filter_has(uint64_t pc)
{
    if (filter == NULL) {
        return true;
    }
    for (guint i = 0; i < filter->len; i += 2) {
        if (pc >= g_array_index(filter, uint64_t, i) && pc <= g_array_index(filter, uint64_t, i + 1)) {
            return true;
        }
    }
    return false;
}

void log_text(const char *text)
{
    FILE *f;

    g_mutex_lock(&log_lock);
    f = log_file != NULL ? log_file : stderr;
    fputs(text, f);
    fflush(f);
    g_mutex_unlock(&log_lock);
}

static void G_GNUC_PRINTF(2, 0) log_va(const char *prefix, const char *fmt, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    g_autofree char *line = NULL;

    if (*prefix != '\0') {
        line = g_strdup_printf("%s%s%s", prefix, text, g_str_has_suffix(text, "\n") ? "" : "\n");
    }
    log_text(line != NULL ? line : text);
}

void log_mask(uint32_t item, const char *fmt, ...)
{
    va_list ap;

    if (!log_enabled(item)) {
        return;
    }
    va_start(ap, fmt);
    log_va("", fmt, ap);
    va_end(ap);
}

void guest_error(const char *fmt, ...)
{
    va_list ap;

    if (!log_enabled(LOG_GUEST_ERROR)) {
        return;
    }
    va_start(ap, fmt);
    log_va("guest error: ", fmt, ap);
    va_end(ap);
}

void guest_unimp(const char *fmt, ...)
{
    va_list ap;

    if (!log_enabled(LOG_UNIMP)) {
        return;
    }
    va_start(ap, fmt);
    log_va("unimplemented: ", fmt, ap);
    va_end(ap);
}
