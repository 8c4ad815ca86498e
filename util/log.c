// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log of `-d`, and the guest's errors that go there. The contract is include/util/log.h.
 */
#include "util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "util/cutils.h"
#include "util/error.h"
#include "util/timer.h"
#include "util/trace.h"

typedef struct LogRow {
    const char *name;
    const char *help;
} LogRow;

#define LOG_ITEM_ROW(id, item_name, item_help) [LOG_NUMBER_##id] = {item_name, item_help},
static const LogRow items[LOG_ITEM_COUNT] = {LOG_ITEMS(LOG_ITEM_ROW)};
G_STATIC_ASSERT(LOG_ITEM_COUNT <= 32);

/* What "all" leaves out: it changes how the machine runs, or where the log goes. */
#define NOT_IN_ALL (LOG_NOCHAIN | LOG_TID)

typedef struct Range {
    uint64_t first;
    uint64_t last;
} Range;

/* The one log of the process: written by options, before other threads look at it. */
uint32_t log_items;
static FILE *log_file;
static char *log_path;
static Range *filter;
static unsigned filter_len;

/* ---- writing ---- */

FILE *log_begin(void)
{
    FILE *stream = log_file != NULL ? log_file : stderr;

    flockfile(stream);
    return stream;
}

void log_end(FILE *stream)
{
    if (stream != NULL) {
        fflush(stream);
        funlockfile(stream);
    }
}

static void G_GNUC_PRINTF(2, 0) log_vprintf(const char *end, const char *fmt, va_list ap)
{
    FILE *stream = log_begin();

    vfprintf(stream, fmt, ap);
    fputs(end, stream);
    log_end(stream);
}

void log_printf(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_vprintf("", fmt, ap);
    va_end(ap);
}

void log_mask(uint32_t any_of, const char *fmt, ...)
{
    va_list ap;

    if (log_enabled(any_of)) {
        va_start(ap, fmt);
        log_vprintf("", fmt, ap);
        va_end(ap);
    }
}

void log_text(const char *text)
{
    log_printf("%s", text);
}

bool log_filter_has(uint64_t pc)
{
    for (unsigned i = 0; i < filter_len; i++) {
        if (pc >= filter[i].first && pc <= filter[i].last) {
            return true;
        }
    }
    return filter_len == 0;
}

/* ---- guest errors ---- */

/* Lines a second that a guest may write into the log; the rest is counted. */
#define GUEST_LINES_PER_SECOND 1000

/* Counts what the guest did wrong; atomic. */
static uint64_t guest_errors;

/* A second's worth of lines. Guarded by `lock`. */
static struct {
    GMutex lock;
    int64_t start_ns;
    unsigned written;
    uint64_t hidden;
} allowance;

/* Whether one more line may be written; *hidden lines were not since the last one. */
static bool take_allowance(uint64_t *hidden)
{
    int64_t now_ns = clock_now_ns(CLOCK_RT);
    bool ok;

    g_mutex_lock(&allowance.lock);
    if (now_ns - allowance.start_ns >= NANOSECONDS_PER_SECOND) {
        allowance.start_ns = now_ns;
        allowance.written = 0;
    }
    ok = allowance.written < GUEST_LINES_PER_SECOND;
    *hidden = 0;
    if (ok) {
        allowance.written++;
        *hidden = allowance.hidden;
        allowance.hidden = 0;
    } else {
        allowance.hidden++;
    }
    g_mutex_unlock(&allowance.lock);
    return ok;
}

static void G_GNUC_PRINTF(1, 0) log_guest_line(const char *fmt, va_list ap)
{
    uint64_t hidden;

    if (take_allowance(&hidden)) {
        if (hidden > 0) {
            log_printf("(%" G_GUINT64_FORMAT " lines about the guest left out)\n", hidden);
        }
        log_vprintf(g_str_has_suffix(fmt, "\n") ? "" : "\n", fmt, ap);
    }
}

void guest_error(const char *fmt, ...)
{
    va_list ap;

    __atomic_add_fetch(&guest_errors, 1, __ATOMIC_RELAXED);
    if (log_enabled(LOG_GUEST_ERRORS)) {
        va_start(ap, fmt);
        log_guest_line(fmt, ap);
        va_end(ap);
    }
}

uint64_t guest_error_count(void)
{
    return __atomic_load_n(&guest_errors, __ATOMIC_RELAXED);
}

void guest_unimp(const char *fmt, ...)
{
    va_list ap;

    if (log_enabled(LOG_UNIMP)) {
        va_start(ap, fmt);
        log_guest_line(fmt, ap);
        va_end(ap);
    }
}

/* ---- options ---- */

static bool parse_item(const char *name, uint32_t *mask, GError **error)
{
    const char *names[LOG_ITEM_COUNT + 2] = {[LOG_ITEM_COUNT] = "all"};
    g_autofree char *hint = NULL;

    if (g_str_has_prefix(name, "trace:")) {
        return trace_enable(name + strlen("trace:"), true, error);
    }
    if (strcmp(name, "all") == 0) {
        *mask |= (uint32_t)((1ull << LOG_ITEM_COUNT) - 1) & ~NOT_IN_ALL;
        return true;
    }
    for (unsigned i = 0; i < LOG_ITEM_COUNT; i++) {
        if (strcmp(name, items[i].name) == 0) {
            *mask |= 1u << i;
            return true;
        }
        names[i] = items[i].name;
    }
    hint = suggestion(name, names);
    return fail(error, "unknown log item '%s'%s", name, hint);
}

static bool parse_items(const char *list, uint32_t *mask, GError **error)
{
    g_auto(GStrv) names = g_strsplit(list, ",", -1);

    for (char **name = names; *name != NULL; name++) {
        if (!parse_item(*name, mask, error)) {
            return false;
        }
    }
    return true;
}

bool log_set_items(const char *list, GError **error)
{
    uint32_t mask = log_items;

    if (!parse_items(list, &mask, error)) {
        return false;
    }
    if ((mask & LOG_TID) != 0 && (log_path == NULL || strstr(log_path, "%d") == NULL)) {
        return fail(error, "log item 'tid' needs a log file whose name contains '%%d'");
    }
    log_items = mask;
    return true;
}

void log_set_mask(uint32_t mask)
{
    log_items = mask;
}

bool log_replace_items(const char *list, GError **error)
{
    uint32_t mask = 0;

    if (strcmp(list, "none") != 0 && !parse_items(list, &mask, error)) {
        return false;
    }
    log_items = mask;
    return true;
}

static void log_use_file(FILE *f, const char *path)
{
    if (log_file != NULL) {
        fclose(log_file);
    }
    g_free(log_path);
    log_path = g_strdup(path);
    log_file = f;
}

bool log_set_file(const char *path, GError **error)
{
    const char *percent = path != NULL ? strchr(path, '%') : NULL;
    g_autofree char *name = NULL;
    FILE *f;

    if (path == NULL) {
        log_use_file(NULL, NULL);
        return true;
    }
    if (percent != NULL) {
        if (percent[1] != 'd' || strchr(percent + 1, '%') != NULL) {
            return fail(error, "log file '%s': only one '%%d' may stand in the name", path);
        }
        name = g_strdup_printf("%.*s%d%s", (int)(percent - path), path, (int)getpid(), percent + 2);
    } else {
        name = g_strdup(path);
    }
    f = fopen(name, "we");
    if (f == NULL) {
        return fail_errno(error, errno, "cannot open log file '%s'", name);
    }
    log_use_file(f, path);
    return true;
}

/* "A..B", "A+N" or "A-N": the operator's place in text, or NULL. */
static const char *range_operator(const char *text)
{
    const char *dots = strstr(text, "..");

    return dots != NULL ? dots : strpbrk(text, "+-");
}

static bool parse_range(const char *text, Range *r, GError **error)
{
    const char *op = range_operator(text);
    g_autofree char *left = NULL;
    uint64_t a, b;

    if (op == NULL) {
        return fail(error, "-dfilter '%s': expected START..END, START+SIZE or START-SIZE", text);
    }
    left = g_strndup(text, op - text);
    if (!parse_u64(left, &a) || !parse_u64(op + (*op == '.' ? 2 : 1), &b)) {
        return fail(error, "-dfilter '%s': not a number", text);
    }
    if (*op != '.' && b == 0) {
        return fail(error, "-dfilter '%s': the size is 0", text);
    }
    switch (*op) {
    case '+':
        *r = (Range){a, b - 1 > UINT64_MAX - a ? UINT64_MAX : a + (b - 1)};
        break;
    case '-':
        *r = (Range){b - 1 > a ? 0 : a - (b - 1), a};
        break;
    default:
        *r = (Range){a, b};
        break;
    }
    if (r->first > r->last) {
        return fail(error, "-dfilter '%s': the end lies before the start", text);
    }
    return true;
}

bool log_set_filter(const char *list, GError **error)
{
    g_auto(GStrv) texts = g_strsplit(list, ",", -1);
    unsigned count = g_strv_length(texts);
    g_autofree Range *ranges = g_new0(Range, MAX(count, 1));

    if (count == 0) {
        return fail(error, "-dfilter: the list of ranges is empty");
    }
    for (unsigned i = 0; i < count; i++) {
        if (!parse_range(texts[i], &ranges[i], error)) {
            return false;
        }
    }
    g_free(filter);
    filter = g_steal_pointer(&ranges);
    filter_len = count;
    return true;
}

void log_help(GString *out)
{
    g_string_append(out, "Log items (comma separated):\n");
    for (unsigned i = 0; i < LOG_ITEM_COUNT; i++) {
        g_string_append_printf(out, "%-15s %s\n", items[i].name, items[i].help);
    }
    g_string_append_printf(out, "%-15s %s\n", "trace:PATTERN", "enable trace events");
    g_string_append(out, "\nUse \"-d trace:help\" to get a list of trace events.\n\n");
}
