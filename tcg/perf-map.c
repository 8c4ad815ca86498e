// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Symbols of generated code for the host's profiler: /tmp/perf-PID.map, a line "start size name" in
 * hexadecimal per block, as Linux perf reads it (tools/perf/Documentation/jit-interface.txt).
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "tcg/codegen.h"
#include "util/error.h"

static FILE *map;                       /* NULL: not wanted. Set before the first block is made. */

bool perf_map_open(GError **error)
{
    g_autofree char *name = g_strdup_printf("/tmp/perf-%d.map", (int)getpid());

    map = fopen(name, "we");
    if (!map) {
        return fail_errno(error, errno, "cannot write '%s'", name);
    }
    setvbuf(map, NULL, _IOFBF, 1 << 16);
    return true;
}

void perf_map_add(const void *start, size_t size, const char *what, uint64_t pc)
{
    if (map) {
        fprintf(map, "%lx %zx %s-%" G_GINT64_MODIFIER "x\n", (unsigned long)(uintptr_t)start, size, what, pc);
    }
}
