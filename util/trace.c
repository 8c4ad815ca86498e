// SPDX-License-Identifier: GPL-2.0-or-later
/* Trace points. The contract is include/util/trace.h. */
#include "util/trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/error.h"
#include "util/log.h"

/* The linker's bounds of the section; weak, for a program without trace points. */
extern TracePoint *const __start_trace_points[] __attribute__((weak, visibility("hidden")));
extern TracePoint *const __stop_trace_points[] __attribute__((weak, visibility("hidden")));

/* Where trace lines go instead of the log: one per process, as options say. */
static FILE *trace_file;

void trace_emit(const TracePoint *point, const char *fmt, ...)
{
    FILE *stream = trace_file;
    va_list ap;

    if (stream == NULL) {
        stream = log_begin();
    } else {
        flockfile(stream);
    }
    fprintf(stream, "%s ", point->name);
    va_start(ap, fmt);
    vfprintf(stream, fmt, ap);
    va_end(ap);
    fputc('\n', stream);
    log_end(stream);
}

bool trace_enable(const char *pattern, bool on, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL;
    bool found = false;

    if (*pattern == '-') {
        on = !on;
        pattern++;
    }
    for (TracePoint *const *p = __start_trace_points; p < __stop_trace_points; p++) {
        if (g_pattern_match_simple(pattern, (*p)->name)) {
            (*p)->enabled = on;
            found = true;
        }
        g_ptr_array_add(names, (void *)(*p)->name);
    }
    if (found || strpbrk(pattern, "*?") != NULL) {
        return true;
    }
    g_ptr_array_add(names, NULL);
    hint = suggestion(pattern, (const char *const *)names->pdata);
    return fail(error, "unknown trace event '%s'%s", pattern, hint);
}

bool trace_enable_file(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    g_autoptr(GError) io_error = NULL;

    if (!g_file_get_contents(path, &text, NULL, &io_error)) {
        return fail(error, "trace events file: %s", io_error->message);
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_strstrip(*line);
        if (**line != '\0' && **line != '#' && !trace_enable(*line, true, error)) {
            g_prefix_error(error, "trace events file '%s': ", path);
            return false;
        }
    }
    return true;
}

bool trace_set_file(const char *path, GError **error)
{
    FILE *f = fopen(path, "we");

    if (f == NULL) {
        return fail_errno(error, errno, "cannot open trace file '%s'", path);
    }
    if (trace_file != NULL) {
        fclose(trace_file);
    }
    trace_file = f;
    return true;
}

bool trace_option(const char *arg, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(arg, ",", -1);

    for (char **part = parts; *part != NULL; part++) {
        char *equals = strchr(*part, '=');
        bool ok;

        if (equals == NULL && part == parts) {
            ok = trace_enable(*part, true, error);
        } else if (g_str_has_prefix(*part, "enable=")) {
            ok = trace_enable(equals + 1, true, error);
        } else if (g_str_has_prefix(*part, "events=")) {
            ok = trace_enable_file(equals + 1, error);
        } else if (g_str_has_prefix(*part, "file=")) {
            ok = trace_set_file(equals + 1, error);
        } else {
            ok = fail(error, "-trace: unknown part '%s' (enable=, events=, file=)", *part);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static int compare_points(const void *a, const void *b)
{
    return strcmp((*(TracePoint *const *)a)->name, (*(TracePoint *const *)b)->name);
}

void trace_foreach(TraceFn *fn, void *opaque)
{
    g_autoptr(GPtrArray) points = g_ptr_array_new();

    for (TracePoint *const *p = __start_trace_points; p < __stop_trace_points; p++) {
        g_ptr_array_add(points, *p);
    }
    g_ptr_array_sort(points, compare_points);
    for (unsigned i = 0; i < points->len; i++) {
        fn(points->pdata[i], opaque);
    }
}

static void append_name(const TracePoint *point, void *opaque)
{
    g_string_append_printf(opaque, "%s\n", point->name);
}

char *trace_help(void)
{
    GString *s = g_string_new(NULL);

    trace_foreach(append_name, s);
    return g_string_free(s, FALSE);
}
