// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Start-up as rows. Options are rows of qapi/options.def: name, help, the phase in which they
 * are handled, or the newer spelling that they are rewritten to. Their handlers, and other
 * work of a phase, are linker-section rows in the folder that they concern. vl.c walks the phases;
 * an option without a handler in this binary is refused, not ignored.
 */
#ifndef QAPI_STARTUP_H
#define QAPI_STARTUP_H

#include <glib.h>
#include "qapi/keyval.h"
#include "util/types.h"

struct Vm;

/* In this order. Within a phase: options in command line order, then hooks by name. */
typedef enum StartPhase {
    START_PROCESS,      /* logging, names, user-independent process settings */
    START_EARLY_OBJECT, /* -object of types that others of the command line name: credentials, secrets */
    START_CHARDEV,      /* file descriptors, chardevs, serial ports */
    START_OBJECT,       /* -object */
    START_BLOCK,
    START_NET,
    START_AUDIO,
    START_MACHINE,      /* which machine, its properties; /machine exists afterwards */
    START_ACCEL,
    START_DISPLAY,
    START_BOARD,        /* the board builds itself */
    START_DEVICE,       /* -device */
    START_DONE,         /* tables, kernel */
    START_MONITOR,      /* monitors, debugger */
    START_RUN,          /* last checks; the machine is reset and may start */
    START_PHASES,
} StartPhase;

/* A row of the generated table, in the order of -help. */
typedef struct OptionDef {
    const char *name;
    const char *alias;          /* NULL: none */
    const char *args;           /* text of the argument in -help, NULL: takes none */
    const char *help;           /* further lines of -help, NULL: none */
    const char *heading;        /* printed before this row, NULL: none */
    const char *rewrite;        /* "option text with %", NULL: none */
    StartPhase phase;
} OptionDef;

extern const OptionDef option_defs[];   /* ends with a row without a name */

typedef struct OptionHandler {
    const char *name;
    /* arg is "" for options without one. */
    bool (*handle)(struct Vm *vm, const char *arg, GError **error);
    /* Text for "help" or "?" in arg; *error for an unknown name. NULL: such words are not special. */
    bool (*help)(struct Vm *vm, const char *arg, GString *out, GError **error);
    /* For query-command-line-options: name of the group and its parameters; NULL: not listed. */
    const char *group;
    const OptDesc *params;
} OptionHandler;

#define OPTION(id, ...) \
    SECTION_ENTRY(option_handlers, OptionHandler, option_##id##_row, __VA_ARGS__)

typedef struct StartHook {
    StartPhase phase;
    const char *name;           /* hooks of a phase run in name order */
    bool (*start)(struct Vm *vm, GError **error);
    void (*stop)(struct Vm *vm);        /* at the end, in reverse; only when start succeeded */
} StartHook;

/* One of them may be NULL. */
#define START_HOOK(id, ...) SECTION_ENTRY(start_hooks, StartHook, hook_##id##_row, __VA_ARGS__)

/*
 * Splits argv into options (rewriting old spellings). False with *error set for an unknown
 * option or a missing argument; the error text is complete.
 */
bool options_parse(int argc, char **argv, GError **error);
/* Prints help that any option asks for; true when one did (*error may be set). */
bool options_help(struct Vm *vm, GString *out, GError **error);
/* Whether an option was given, under its row's name and before rewriting to another. */
bool option_given(const char *name);
/* The i-th argument of an option in command line order, NULL past the end. */
const char *option_arg(const char *name, unsigned i);
/* Whether -device names one of the types (NULL ends them), which takes a default device's place. */
bool option_device_given(const char *const *types);
/* Adds an option as if it had been given last. */
void option_add(const char *name, const char *arg);
/* Appends text to the argument of the first such option with that id; false: there is none. */
bool option_extend(const char *name, const char *id, const char *more);
/* Handles the options of a phase and runs its hooks. */
bool startup_run_phase(struct Vm *vm, StartPhase phase, GError **error);
/* Runs the stop functions of all that has started, backwards. */
void startup_stop(struct Vm *vm);

/* The text of -help behind the header, as far as this binary goes. */
void options_usage(GString *out);
void option_handlers_foreach(void (*fn)(const OptionHandler *h, void *opaque), void *opaque);

#endif
