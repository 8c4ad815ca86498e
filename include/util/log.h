// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log of `-d`, `-D` and `-dfilter`. An item that is off costs one test of one word. Any
 * thread; options are set from the main thread.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* identifier, name in -d, help */
#define LOG_ITEMS(X) \
    X(OUT_ASM,      "out_asm",      "show generated host code of each translated block") \
    X(IN_ASM,       "in_asm",       "show guest code of each translated block") \
    X(OP,           "op",           "show IR of each translated block") \
    X(OP_OPT,       "op_opt",       "show IR after optimization") \
    X(OP_IND,       "op_ind",       "show IR before register allocation") \
    X(INT,          "int",          "show interrupts and exceptions") \
    X(EXEC,         "exec",         "show each block that is entered (lots of logs)") \
    X(CPU,          "cpu",          "show CPU registers at each block's entry (lots of logs)") \
    X(FPU,          "fpu",          "include FPU registers in 'cpu'") \
    X(MMU,          "mmu",          "show page table walks and faults") \
    X(PCALL,        "pcall",        "x86 only: show protected mode far calls, returns, exceptions") \
    X(CPU_RESET,    "cpu_reset",    "show CPU state before a CPU reset") \
    X(UNIMP,        "unimp",        "show uses of what is not modelled") \
    X(GUEST_ERRORS, "guest_errors", "show what the guest does against its hardware's manual") \
    X(PAGE,         "page",         "show memory maps at the start of user mode emulation") \
    X(NOCHAIN,      "nochain",      "do not chain blocks, so that 'exec' and 'cpu' are complete") \
    X(JIT_STATS,    "jit-stats",    "show what 'info jit' has at the end") \
    X(PLUGIN,       "plugin",       "show output of plugins") \
    X(STRACE,       "strace",       "show every system call of a user mode program") \
    X(TID,          "tid",          "a log file per thread; the file name must contain '%d'")

#define LOG_ITEM_NUMBER(id, name, help) LOG_NUMBER_##id,
enum { LOG_ITEMS(LOG_ITEM_NUMBER) LOG_ITEM_COUNT };
/* LOG_INT, LOG_CPU...: a bit each. */
#define LOG_ITEM_BIT(id, name, help) LOG_##id = 1u << LOG_NUMBER_##id,
enum { LOG_ITEMS(LOG_ITEM_BIT) };

/* The items that are on. Read-only outside util/log.c. */
extern uint32_t log_items;

/* Whether one of the items is on. */
static inline bool log_enabled(uint32_t any_of)
{
    return __builtin_expect((log_items & any_of) != 0, 0);
}

/* Writes if one of the items is on; what one call writes stays in one piece. */
void log_mask(uint32_t any_of, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* Writes to the log, whatever is on; callers test log_enabled first. */
void log_printf(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void log_text(const char *text);
/*
 * For text of several lines: the log's stream, locked for this thread until log_end(stream).
 */
FILE *log_begin(void);
void log_end(FILE *stream);

/* Whether -dfilter lets guest address `pc` through (always, without one). */
bool log_filter_has(uint64_t pc);

/*
 * `-d LIST`: turns on the items named, by commas; "trace:PATTERN" enables trace points, "all"
 * everything but what changes how the machine runs. Adds to what is on.
 */
bool log_set_items(const char *list, GError **error);
/* What HMP's `log` does: exactly the items of `list` are on, "none" for none. */
bool log_replace_items(const char *list, GError **error);
void log_set_mask(uint32_t items);
/* `-D FILE`: a %d in it becomes the process id. NULL: stderr. */
bool log_set_file(const char *path, GError **error);
/* `-dfilter LIST`: START..END, START+SIZE, START-SIZE, by commas. */
bool log_set_filter(const char *list, GError **error);
/* Appends the text of `-d help`. */
void log_help(GString *out);

#endif
