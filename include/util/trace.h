// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace points: rows in the file that uses them, found through a linker section, switched on by
 * `-trace` or HMP. One that is off costs a test of one byte.
 *
 *     TRACE_POINT(edu_dma, "from 0x%" PRIx64 " count %u")
 *     ...
 *     TRACE(edu_dma, addr, count);
 *
 * A line of the trace is the point's name, a space, and the formatted text.
 */
#ifndef UTIL_TRACE_H
#define UTIL_TRACE_H

#include <glib.h>
#include <stdbool.h>

typedef struct TracePoint {
    const char *name;
    bool enabled;
} TracePoint;

/* One per trace point of the same name and file; names are unique in the program. */
#define TRACE_POINT(id, text) \
    static const char trace_text_##id[] = text; \
    static TracePoint trace_point_##id = {.name = #id}; \
    static TracePoint *const trace_row_##id __attribute__((used, section("trace_points"))) = \
        &trace_point_##id;

#define TRACE(id, ...) \
    do { \
        if (__builtin_expect(trace_point_##id.enabled, 0)) { \
            trace_emit(&trace_point_##id, trace_text_##id, ##__VA_ARGS__); \
        } \
    } while (0)

/* Whether a point is on, for work that only its arguments need. */
#define TRACE_ENABLED(id) (__builtin_expect(trace_point_##id.enabled, 0))

void trace_emit(const TracePoint *point, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/*
 * Switches the points that match a pattern (`*` and `?`); a leading '-' inverts `on`. Fails when
 * a name without wildcards is unknown. Main thread.
 */
bool trace_enable(const char *pattern, bool on, GError **error);
/* `-trace events=FILE`: a pattern a line, '#' comments. */
bool trace_enable_file(const char *path, GError **error);
/* `-trace file=FILE`: there instead of the log. */
bool trace_set_file(const char *path, GError **error);
/* The whole argument of `-trace`: [[enable=]PATTERN][,events=FILE][,file=FILE]. */
bool trace_option(const char *arg, GError **error);

/* All points by name: calls fn for each. */
typedef void TraceFn(const TracePoint *point, void *opaque);
void trace_foreach(TraceFn *fn, void *opaque);
/* The text of `-trace help`: a name a line. Freed by the caller. */
char *trace_help(void);

#endif
