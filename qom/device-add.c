// SPDX-License-Identifier: GPL-2.0-or-later
/* -device and -object, and their QMP commands. */
#include "qom/device-add.h"

#include <json-c/json.h>
#include <string.h>

#include "qapi/keyval.h"
#include "util/error.h"

bool id_check(const char *id, GError **error)
{
    if (g_ascii_isalpha(id[0]) &&
        strspn(id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._") == strlen(id)) {
        return true;
    }
    return fail(error, "Parameter 'id' expects an identifier: letters, digits, '-', '.', '_', "
                       "starting with a letter");
}

static bool get_string(json_object *o, const char *key, bool required, const char **out,
                       GError **error)
{
    json_object *v;

    *out = NULL;
    if (!json_object_object_get_ex(o, key, &v)) {
        return !required || fail(error, "Parameter '%s' is missing", key);
    }
    if (!json_object_is_type(v, json_type_string)) {
        return fail(error, "Invalid parameter type for '%s', expected: string", key);
    }
    *out = json_object_get_string(v);
    return true;
}

static bool id_is_free(const char *id, GError **error)
{
    if (!id_check(id, error)) {
        return false;
    }
    if (object_child(object_container("/machine/peripheral"), id)) {
        return fail(error, "Duplicate device ID '%s'", id);
    }
    return true;
}

static bool set_props(Device *d, json_object *o, bool from_text, GError **error)
{
    json_object_object_foreach(o, key, value)
    {
        if (strcmp(key, "driver") == 0 || strcmp(key, "id") == 0 || strcmp(key, "bus") == 0) {
            continue;
        }
        if (from_text ? !object_set_text(&d->obj, key, json_object_get_string(value), error)
                      : !object_set_json(&d->obj, key, value, error)) {
            return false;
        }
    }
    return true;
}

Device *device_add(Vm *vm, json_object *o, bool from_text, GError **error)
{
    const char *driver, *bus_name, *id;

    if (vm->migrating) {
        return fail_null(error, "%s", vm->migrating);
    }
    if (!get_string(o, "driver", true, &driver, error) ||
        !get_string(o, "bus", false, &bus_name, error) || !get_string(o, "id", false, &id, error) ||
        (id && !id_is_free(id, error))) {
        return NULL;
    }
    ObjectKind kind;
    const ObjectType *type = type_find(driver, &kind);

    if (!type || (kind != KIND_DEVICE && kind != KIND_CPU) ||
        !device_type_pluggable((const DeviceType *)type)) {
        if (type && (kind == KIND_DEVICE || kind == KIND_CPU)) {
            return fail_null(error, "Parameter 'driver' expects a pluggable device type");
        }
        device_fail_type(driver, error);
        return NULL;
    }
    Bus *bus = bus_name ? bus_find(vm, bus_name) : NULL;

    if (bus_name && !bus) {
        return fail_null(error, "Bus '%s' not found", bus_name);
    }
    Device *d = device_new(vm, driver, error);

    if (!d) {
        return NULL;
    }
    d->id = g_strdup(id);
    d->hotplugged = vm->built;
    if (!set_props(d, o, from_text, error)) {
        object_unref(&d->obj);
        return NULL;
    }
    Object *parent = object_container(id ? "/machine/peripheral" : "/machine/peripheral-anon");

    return device_realize(d, bus, parent, error) ? d : NULL;
}

bool object_add(json_object *o, bool from_text, GError **error)
{
    const char *type, *id;

    if (!get_string(o, "qom-type", true, &type, error) || !get_string(o, "id", true, &id, error) ||
        !id_check(id, error)) {
        return false;
    }
    return user_object_add(type, id, o, from_text, error);
}
