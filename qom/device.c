// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The life of a device: made, plugged into a bus, realized from base to derived type, and the
 * same backwards. Contract: include/qom/device.h.
 */
#include "qom/vm.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>

#include "qapi/startup.h"
#include "qom/bus.h"

#define MAX_DEPTH 16    /* of type inheritance */

/* ---- the base types and what every device shows ---- */

static struct json_object *hotpluggable_json(struct Object *o, const Prop *p, const void *field)
{
    return json_object_new_boolean(device_type(DEVICE(o))->hotpluggable);
}

static struct json_object *parent_bus_json(struct Object *o, const Prop *p, const void *field)
{
    const Bus *bus = DEVICE(o)->parent_bus;
    g_autofree char *path = bus != NULL ? object_path(&bus->obj) : g_strdup("");

    return json_object_new_string(path);
}

static const PropType prop_hotpluggable = {.name = "bool", .to_json = hotpluggable_json};
static const PropType prop_parent_bus = {.name = "link<bus>", .to_json = parent_bus_json};

static const Prop device_props[] = {
    PROP(Device, realized, "realized", prop_bool, .flags = PROP_READ_ONLY | PROP_HIDDEN),
    PROP(Device, hotplugged, "hotplugged", prop_bool, .flags = PROP_READ_ONLY | PROP_HIDDEN),
    PROP(Device, obj, "hotpluggable", prop_hotpluggable, .flags = PROP_READ_ONLY | PROP_HIDDEN),
    PROP(Device, obj, "parent_bus", prop_parent_bus, .flags = PROP_READ_ONLY | PROP_HIDDEN),
    PROP_END,
};

static const DeviceType device_base = {.name = "device", .abstract = true, .props = device_props};
DEVICE_TYPE(device_base);

static const DeviceType cpu_base = {.name = "cpu", .parent = "device", .abstract = true};
CPU_TYPE(cpu_base);

/* ---- types ---- */

/* The chain of d's types, derived first; its length. */
static unsigned device_chain(const Device *d, const DeviceType *chain[MAX_DEPTH])
{
    unsigned n = 0;

    for (const ObjectType *t = d->obj.type; t != NULL; t = type_parent(t)) {
        ObjectKind kind = type_kind(t);

        g_assert(n < MAX_DEPTH);
        if (kind == KIND_DEVICE || kind == KIND_CPU) {
            chain[n++] = (const DeviceType *)t;
        }
    }
    return n;
}

/* The bus type that t or a parent names. */
static const char *bus_type_name(const DeviceType *t)
{
    for (const ObjectType *at = (const ObjectType *)t; at != NULL; at = type_parent(at)) {
        if (((const DeviceType *)at)->bus != NULL) {
            return ((const DeviceType *)at)->bus;
        }
    }
    return "System";
}

bool device_type_pluggable(const DeviceType *t)
{
    return !t->abstract && !t->internal;
}

static void device_finalize(Object *obj)
{
    Device *d = DEVICE(obj);

    if (d->free_regions != NULL) {
        d->free_regions(d);
    }
    g_clear_pointer(&d->buses, g_ptr_array_unref);
    g_clear_pointer(&d->id, g_free);
}

void device_init_embedded(Vm *vm, Device *d, const char *type)
{
    ObjectKind kind = KIND_DEVICE;
    const ObjectType *t = type_find(type, &kind);

    if (t == NULL) {
        g_error("no device type '%s'", type);
    }
    object_init_embedded(&d->obj, t, kind);
    d->obj.finalize = device_finalize;
    d->vm = vm;
}

static bool add_pluggable(const ObjectType *t, ObjectKind kind, void *opaque)
{
    if (kind == KIND_DEVICE && device_type_pluggable((const DeviceType *)t)) {
        g_ptr_array_add(opaque, (gpointer)t->name);
        if (((const DeviceType *)t)->alias != NULL) {
            g_ptr_array_add(opaque, (gpointer)((const DeviceType *)t)->alias);
        }
    }
    return true;
}

bool device_fail_type(const char *type, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL;

    type_foreach(add_pluggable, names);
    g_ptr_array_add(names, NULL);
    hint = suggestion(type, (const char *const *)names->pdata);
    return fail(error, "'%s' is not a valid device model name%s", type, hint);
}

Device *device_new(Vm *vm, const char *type, GError **error)
{
    ObjectKind kind = KIND_OBJECT;
    const ObjectType *t = type_find(type, &kind);
    Device *d;

    if (t == NULL || (kind != KIND_DEVICE && kind != KIND_CPU) || t->abstract) {
        device_fail_type(type, error);
        return NULL;
    }
    d = DEVICE(object_new(t, kind));
    d->obj.finalize = device_finalize;
    d->vm = vm;
    return d;
}

/* ---- realize ---- */

typedef struct RequiredCheck {
    Device *d;
    const Prop *missing;
} RequiredCheck;

/* What "unset" looks like: a NULL pointer. Rows with other fields check in realize. */
static bool check_required(const Prop *p, void *opaque)
{
    RequiredCheck *c = opaque;

    if ((p->flags & PROP_REQUIRED) && *(void **)((char *)c->d + p->offset) == NULL) {
        c->missing = p;
        return false;
    }
    return true;
}

static bool check_props(Device *d, GError **error)
{
    RequiredCheck c = {.d = d};

    if (d->obj.global_error != NULL) {
        g_propagate_error(error, g_steal_pointer(&d->obj.global_error));
        return false;
    }
    type_foreach_prop(d->obj.type, check_required, &c);
    if (c.missing != NULL) {
        return fail(error, "%s property not set", c.missing->name);
    }
    return true;
}

/* Own or inherited; NULL: the bus decides. */
static bool (*unplug_function(Device *d))(Device *d, GError **error)
{
    const DeviceType *chain[MAX_DEPTH];
    unsigned n = device_chain(d, chain);

    for (unsigned i = 0; i < n; i++) {
        if (chain[i]->unplug_request != NULL) {
            return chain[i]->unplug_request;
        }
    }
    return NULL;
}

static bool check_bus(Device *d, Bus *bus, GError **error)
{
    const DeviceType *t = device_type(d);

    if (!type_is_a(bus->obj.type, bus_type_name(t))) {
        return fail(error, "Device '%s' can't go on %s bus", t->name, bus->obj.type->name);
    }
    if (bus_is_full(bus)) {
        return fail(error, "Bus '%s' is full", bus->obj.name);
    }
    if (d->hotplugged && (bus->owner != NULL || !unplug_function(d))) {
        if (!bus->hotplug) {
            return fail(error, "Bus '%s' does not support hotplugging", bus->obj.name);
        }
        if (!t->hotpluggable) {
            return fail(error, "Device '%s' does not support hotplugging", t->name);
        }
    }
    return true;
}

static bool add_to_tree(Device *d, Object *parent, GError **error)
{
    if (d->obj.parent != NULL) {
        return true;    /* its owner has placed it already */
    }
    if (parent == NULL) {
        parent = object_container(d->id != NULL ? "/machine/peripheral" : "/machine/unattached");
    }
    if (d->id != NULL && object_child(parent, d->id) != NULL) {
        return fail(error, "Duplicate ID '%s' for device", d->id);
    }
    return object_add_child(parent, d->id != NULL ? d->id : "device[*]", &d->obj, error);
}

/* Undoes the realize functions of chain[from..n), which run derived (0) to base. */
static void unrealize_types(Device *d, const DeviceType **chain, unsigned from, unsigned n)
{
    for (unsigned i = from; i < n; i++) {
        if (chain[i]->unrealize != NULL) {
            chain[i]->unrealize(d);
        }
    }
    while (d->buses != NULL && d->buses->len > 0) {
        bus_fini(d->buses->pdata[d->buses->len - 1]);
    }
}

static bool realize_types(Device *d, GError **error)
{
    const DeviceType *chain[MAX_DEPTH];
    unsigned n = device_chain(d, chain);

    for (unsigned i = n; i-- > 0;) {
        if (chain[i]->realize != NULL && !chain[i]->realize(d, error)) {
            unrealize_types(d, chain, i + 1, n);
            return false;
        }
    }
    return true;
}

/* With -only-migratable. */
static bool check_migratable(const Device *d, GError **error)
{
    const DeviceType *chain[MAX_DEPTH];
    unsigned n = device_chain(d, chain);

    for (unsigned i = 0; i < n && option_given("only-migratable"); i++) {
        if (chain[i]->not_saved) {
            return fail(error, "Device %s is not migratable, but --only-migratable was specified",
                        d->obj.type->name);
        }
    }
    return true;
}

static bool plug_and_realize(Device *d, Bus *bus, Object *parent, GError **error)
{
    if (!check_props(d, error) || !check_migratable(d, error)) {
        return false;
    }
    if (bus == NULL) {
        const char *wanted = bus_type_name(device_type(d));

        bus = bus_find_type(d->vm, wanted);
        if (bus == NULL) {
            return fail(error, "No '%s' bus found for device '%s'", wanted, d->obj.type->name);
        }
    }
    if (!check_bus(d, bus, error) || !add_to_tree(d, parent, error)) {
        return false;
    }
    if (!bus_attach_device(bus, d, error)) {
        return false;
    }
    if (!realize_types(d, error)) {
        bus_detach_device(d);
        return false;
    }
    return true;
}

bool device_realize(Device *d, Bus *bus, Object *parent, GError **error)
{
    g_assert(!d->realized);
    if (!plug_and_realize(d, bus, parent, error)) {
        if (d->obj.parent != NULL) {
            object_unparent(&d->obj);
        } else {
            object_unref(&d->obj);
        }
        return false;
    }
    d->realized = true;
    d->obj.complete = true;
    if (d->hotplugged) {
        device_reset(d);
    }
    bus_tell_plugged(d);
    return true;
}

void device_unplug(Device *d)
{
    const DeviceType *chain[MAX_DEPTH];
    unsigned n = device_chain(d, chain);
    g_autofree char *path = object_path(&d->obj);
    g_autofree char *id = g_strdup(d->id);

    for (unsigned i = 0; d->buses != NULL && i < d->buses->len; i++) {
        Bus *bus = d->buses->pdata[i];

        while (bus->devices->len > 0) {
            device_unplug(bus->devices->pdata[bus->devices->len - 1]);
        }
    }
    if (d->realized) {
        d->realized = false;
        d->obj.complete = false;
        unrealize_types(d, chain, 0, n);
    }
    bus_detach_device(d);
    if (d->obj.parent != NULL) {
        object_unparent(&d->obj);
    } else {
        object_unref(&d->obj);
    }
    vm_event(&(VmEventInfo){.event = VM_EVENT_DEVICE_DELETED, .device = id, .path = path});
}

bool device_unplug_request(Device *d, GError **error)
{
    Bus *bus = d->parent_bus;

    if (!device_type(d)->hotpluggable) {
        return fail(error, "Device '%s' does not support hotplugging", d->obj.type->name);
    }
    if (unplug_function(d) != NULL) {
        return unplug_function(d)(d, error);
    }
    if (bus == NULL || !bus->hotplug) {
        return fail(error, "Bus '%s' does not support hotplugging",
                    bus != NULL ? bus->obj.name : "(none)");
    }
    return bus_unplug_request(bus, d, error);
}

/* ---- lookup ---- */

static bool add_id(Device *d, void *opaque)
{
    if (d->id != NULL) {
        g_ptr_array_add(opaque, d->id);
    }
    return true;
}

Device *device_find(Vm *vm, const char *id_or_path, GError **error)
{
    Object *obj;
    g_autoptr(GPtrArray) names = NULL;
    g_autofree char *hint = NULL;

    obj = id_or_path[0] == '/' ? object_resolve(id_or_path, NULL)
                               : object_child(object_container("/machine/peripheral"), id_or_path);
    if (obj != NULL && (obj->kind == KIND_DEVICE || obj->kind == KIND_CPU)) {
        return DEVICE(obj);
    }
    if (obj != NULL) {
        return fail_null(error, "%s is not a hotpluggable device", id_or_path);
    }
    names = g_ptr_array_new();
    bus_walk(vm->system_bus, add_id, names);
    g_ptr_array_add(names, NULL);
    hint = suggestion(id_or_path, (const char *const *)names->pdata);
    fail_class(error, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found%s", id_or_path, hint);
    return NULL;
}

Device *device_create(Vm *vm, const char *type, Bus *bus, const char *name, GError **error, ...)
{
    Device *d = device_new(vm, type, error);
    const char *prop;
    Object *parent = NULL;
    bool ok = true;
    va_list ap;

    if (d == NULL) {
        return NULL;
    }
    va_start(ap, error);
    while (ok && (prop = va_arg(ap, const char *)) != NULL) {
        ok = object_set_text(&d->obj, prop, va_arg(ap, const char *), error);
    }
    va_end(ap);
    if (ok && name != NULL) {
        parent = object_container("/machine");
        ok = object_add_child(parent, name, &d->obj, error);
    }
    if (!ok) {
        object_unref(&d->obj);
        return NULL;
    }
    return device_realize(d, bus, parent, error) ? d : NULL;
}
