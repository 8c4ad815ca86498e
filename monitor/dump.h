// SPDX-License-Identifier: GPL-2.0-or-later
/* What dump.c (commands, ELF cores) and dump-kdump.c share. */
#ifndef MONITOR_DUMP_H
#define MONITOR_DUMP_H

#include <glib.h>

#include "util/types.h"

/* Memory that is dumped, in order of addresses. */
typedef struct DumpPiece {
    hwaddr addr;
    uint64_t len;
    const uint8_t *host;
} DumpPiece;

typedef struct DumpOut {
    const GArray *pieces;    /* DumpPiece */
    const GByteArray *notes; /* registers, as ELF has them */
    const char *machine;     /* "x86_64" as uname has it */
    unsigned cpus;
    /* All of it, or false: it failed, or the dump has to end. */
    bool (*write)(const void *data, uint64_t len);
    void (*progress)(uint64_t bytes); /* so much more of memory is written */
} DumpOut;

/* The whole dump in the format of makedumpfile, flattened, its pages by zlib. Any thread. */
bool dump_write_kdump(const DumpOut *d);

#endif
