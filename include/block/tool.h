// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The block layer without a machine, for programs in tools/. A tool is a folder tools/NAME/ whose
 * sources are linked with the block layer and what is below it; its main() calls tool_init() first.
 */
#ifndef BLOCK_TOOL_H
#define BLOCK_TOOL_H

#include <glib.h>
#include <stdbool.h>

#include "block/node.h"

/* The main loop; this thread holds the machine lock from now on. Errors begin with `name`. */
void tool_init(const char *name);
/* Flushes and closes all that was opened by name; for the end. */
void tool_exit(void);
/* --object TEXT: "secret,id=...,..." or JSON. */
/* "help" or "TYPE,help": true, it was said what there is; the program should end. */
bool tool_object_help(const char *text);
bool tool_object_add(const char *text, GError **error);
/* -T / --trace: accepted. */
bool tool_trace(const char *text, GError **error);
/* "name: text\n" to stderr; takes err. Returns 1, for `return tool_fail(...)`. */
int tool_fail(GError *err);
int tool_error(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
/* "writeback" and the like; *flags get meaning for block_open options. */
bool tool_cache_mode(const char *mode, bool *direct, bool *no_flush, bool *writethrough);
/* "native" and the like; adds BLOCK_OPEN_* to *flags. NULL is fine: nothing. */
bool tool_aio_mode(const char *mode, unsigned *flags);

/*
 * Opens what people name on command lines. image_opts: filename is "driver=...,..." text. cache
 * NULL: "writeback". flags: BLOCK_OPEN_*. The error has the prefix "Could not open 'X': ".
 */
BlockNode *tool_open(const char *filename, bool image_opts, const char *format, const char *cache,
                     unsigned flags, GError **error);
#endif
