// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices and objects by description, from the command line and the monitors. */
#ifndef QOM_DEVICE_ADD_H
#define QOM_DEVICE_ADD_H

#include "qom/vm.h"

/*
 * -device / device_add: `options` is an object with driver, perhaps bus and id, and properties,
 * as texts (from_text) or typed. NULL with *error set; nothing is left behind then.
 */
Device *device_add(Vm *vm, struct json_object *options, bool from_text, GError **error);
/* -object / object-add: likewise with qom-type and id. */
bool object_add(struct json_object *options, bool from_text, GError **error);
/* Ids consist of letters, digits, '-', '.', '_' and start with a letter. */
bool id_check(const char *id, GError **error);

#endif
