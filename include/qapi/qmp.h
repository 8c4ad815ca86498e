// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * QMP commands: the table that scripts/qapi-gen.py makes of the schema, and its dispatcher.
 * A command `foo-bar` is implemented by `qmp_foo_bar()`, declared in "qapi/qapi-commands.h", in
 * the folder it concerns.
 */
#ifndef QAPI_QMP_H
#define QAPI_QMP_H

#include "qapi/qapi.h"

struct Vm;
struct Monitor;

/* Who calls, handed to every command. */
typedef struct QmpCall {
    struct Vm *vm;
    struct Monitor *monitor;    /* NULL when no monitor is behind the call */
} QmpCall;

typedef struct QmpCommand {
    const char *name;
    /* args: struct of the args type or NULL; ret: slot of the ret type. */
    bool (*fn)(QmpCall *call, void *args, void *ret, GError **error);
    const QapiType *args;
    const QapiType *ret;
    const char *const *features;    /* NULL-terminated, or NULL */
    bool raw;           /* args are handed over as JSON, unchecked */
    bool raw_reply;     /* the implementation returns JSON of the ret type */
} QmpCommand;

/* Sorted by name. */
extern const QmpCommand qmp_commands[];
extern const unsigned qmp_command_count;

const QmpCommand *qmp_command_find(const char *name);
/* A new JSON value (NULL with *error set on failure). `args` may be NULL. Machine lock. */
struct json_object *qmp_dispatch(QmpCall *call, const char *name, struct json_object *args,
                                 GError **error);
/* The array that query-qmp-schema returns. */
struct json_object *qmp_schema(void);

#endif
