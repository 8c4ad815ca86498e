// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a command's name and JSON arguments to its implementation and back, by the generated
 * table.
 */
#include "qapi/qmp.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "util/error.h"

static int compare_command(const void *key, const void *row)
{
    return strcmp(key, ((const QmpCommand *)row)->name);
}

const QmpCommand *qmp_command_find(const char *name)
{
    return bsearch(name, qmp_commands, qmp_command_count, sizeof(qmp_commands[0]),
                   compare_command);
}

json_object *qmp_dispatch(QmpCall *call, const char *name, json_object *args, GError **error)
{
    const QmpCommand *cmd = qmp_command_find(name);

    if (!cmd) {
        fail_class(error, ERROR_COMMAND_NOT_FOUND, "The command %s has not been found", name);
        return NULL;
    }
    json_object *empty = args ? NULL : json_object_new_object();
    void *c_args = NULL;
    uint64_t ret = 0;   /* any slot fits: commands return pointers */
    json_object *reply = NULL;
    static const QapiType no_args = { .name = "empty", .kind = QAPI_OBJECT, .size = 1 };
    const QapiType *type = cmd->args ? cmd->args : &no_args;

    args = args ? args : empty;
    if (cmd->raw ? cmd->fn(call, args, &ret, error)
                 : (qapi_from_json(type, args, &c_args, error) &&
                    cmd->fn(call, c_args, &ret, error))) {
        if (cmd->raw_reply) {
            memcpy(&reply, &ret, sizeof(reply));
        } else if (cmd->ret) {
            reply = qapi_to_json(cmd->ret, &ret);
            qapi_clear(cmd->ret, &ret);
        } else {
            reply = json_object_new_object();
        }
    }
    if (c_args) {
        qapi_free(type, c_args);
    }
    json_object_put(empty);
    return reply;
}
