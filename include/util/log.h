// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `-d ITEM,...` turns on and `-D FILE` receives. Any thread; a text written by one call
 * stays in one piece.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    LOG_OUT_ASM = 1 << 0, LOG_IN_ASM = 1 << 1, LOG_OP = 1 << 2, LOG_OP_OPT = 1 << 3,
    LOG_INT = 1 << 4, LOG_EXEC = 1 << 5, LOG_CPU = 1 << 6, LOG_MMU = 1 << 7, LOG_PCALL = 1 << 8,
    LOG_RESET = 1 << 9, LOG_UNIMP = 1 << 10, LOG_GUEST_ERROR = 1 << 11, LOG_PAGE = 1 << 12,
    LOG_NOCHAIN = 1 << 13, LOG_FPU = 1 << 14, LOG_STRACE = 1 << 15, LOG_TRACE = 1 << 16,
};

/* Items that are on; written by log_set_items only. */
extern uint32_t log_items;
static inline bool log_enabled(uint32_t item)
{
    return (log_items & item) != 0;
}

/* "int,cpu" or "all"; *error names an unknown item. */
bool log_set_items(const char *items, GError **error);
/* HMP's `log` takes a mask; "none" is 0. */
void log_set_mask(uint32_t mask);
/* The list of items for -d help, in the reference's form. */
void log_help(GString *out);
/* -D; NULL: stderr. */
bool log_set_file(const char *path, GError **error);
/* -dfilter "0x8000..0x8fff,0xffffffc000080000+0x200": addresses that in_asm, exec, cpu ... are limited to. */
bool log_set_filter(const char *ranges, GError **error);
bool log_filter_has(uint64_t pc);

/* Writes if item is on. */
void log_mask(uint32_t item, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* Writes unconditionally. */
void log_text(const char *text);

#endif
