// SPDX-License-Identifier: GPL-2.0-or-later
/* Buses and what is plugged into them; the system bus. Contract: include/qom/device.h. */
#include "qom/vm.h"

#include <string.h>

#include "qom/bus.h"

static const BusType bus_base = {.name = "bus", .abstract = true};
BUS_TYPE(bus_base);

const BusType system_bus_type = {.name = "System", .size = sizeof(Bus)};
BUS_TYPE(system_bus_type);

/* The nearest type in the chain that has the function pointer at `offset`; NULL: none has. */
static const BusType *type_with(const Bus *bus, size_t offset)
{
    for (const ObjectType *t = bus->obj.type; t != NULL; t = type_parent(t)) {
        void *fn;

        memcpy(&fn, (const char *)t + offset, sizeof(fn));
        if (fn != NULL) {
            return (const BusType *)t;
        }
    }
    return NULL;
}

#define TYPE_WITH(bus, member) type_with(bus, offsetof(BusType, member))

static unsigned max_devices(const Bus *bus)
{
    for (const ObjectType *t = bus->obj.type; t != NULL; t = type_parent(t)) {
        if (((const BusType *)t)->max_devices != 0) {
            return ((const BusType *)t)->max_devices;
        }
    }
    return 0;
}

bool bus_is_full(const Bus *bus)
{
    unsigned max = max_devices(bus);

    return bus->full || (max != 0 && bus->devices->len >= max);
}

static void bus_finalize(Object *obj)
{
    Bus *bus = (Bus *)obj;

    g_clear_pointer(&bus->devices, g_ptr_array_unref);
}

static char *default_name(const BusType *type, Device *owner)
{
    static GHashTable *counters;    /* next number of each bus type's name; machine lock */
    g_autofree char *lower = NULL;
    unsigned n;

    if (owner != NULL && owner->id != NULL) {
        return g_strdup_printf("%s.%u", owner->id, owner->buses->len);
    }
    lower = g_ascii_strdown(type->name, -1);
    if (counters == NULL) {
        counters = g_hash_table_new(g_str_hash, g_str_equal);
    }
    n = GPOINTER_TO_UINT(g_hash_table_lookup(counters, type->name));
    g_hash_table_insert(counters, (gpointer)type->name, GUINT_TO_POINTER(n + 1));
    return g_strdup_printf("%s.%u", lower, n);
}

char *bus_new_name(const Device *owner, const char *prefix)
{
    char *name;

    if (owner->id != NULL) {
        return g_strdup_printf("%s.0", owner->id);
    }
    for (unsigned n = 0;; n++) {
        name = g_strdup_printf("%s.%u", prefix, n);
        if (bus_find(owner->vm, name) == NULL) {
            return name;
        }
        g_free(name);
    }
}

void bus_init(Bus *bus, const BusType *type, Device *owner, const char *name)
{
    g_autofree char *full = NULL;
    g_autoptr(GError) error = NULL;

    object_init_embedded(&bus->obj, (const ObjectType *)type, KIND_BUS);
    bus->obj.finalize = bus_finalize;
    bus->devices = g_ptr_array_new();
    bus->owner = owner;
    if (owner == NULL) {
        return;
    }
    bus->vm = owner->vm;
    if (owner->buses == NULL) {
        owner->buses = g_ptr_array_new();
    }
    full = name != NULL ? g_strdup(name) : default_name(type, owner);
    g_ptr_array_add(owner->buses, bus);
    if (!object_add_child(&owner->obj, full, &bus->obj, &error)) {
        g_error("bus of '%s': %s", owner->obj.type->name, error->message);
    }
}

void bus_fini(Bus *bus)
{
    while (bus->devices->len > 0) {
        device_unplug(bus->devices->pdata[bus->devices->len - 1]);
    }
    if (bus->owner != NULL && bus->owner->buses != NULL) {
        g_ptr_array_remove(bus->owner->buses, bus);
    }
    if (bus->obj.parent != NULL) {
        object_unparent(&bus->obj);
    } else {
        object_unref(&bus->obj);
    }
}

Bus *system_bus_new(Vm *vm)
{
    Bus *bus = g_new0(Bus, 1);
    Object *parent = object_container("/machine/unattached");
    g_autoptr(GError) error = NULL;

    bus_init(bus, &system_bus_type, NULL, NULL);
    bus->obj.embedded = false;    /* freed with its last reference */
    bus->vm = vm;
    vm->system_bus = bus;
    if (object_child(parent, "sysbus") == NULL) {
        object_add_child(parent, "sysbus", &bus->obj, &error);
    }
    return bus;
}

/* ---- walking ---- */

static Bus *find_below(Bus *bus, bool (*match)(Bus *bus, const char *name), const char *name)
{
    if (match(bus, name)) {
        return bus;
    }
    for (unsigned i = 0; i < bus->devices->len; i++) {
        const Device *d = bus->devices->pdata[i];

        for (unsigned j = 0; d->buses != NULL && j < d->buses->len; j++) {
            Bus *found = find_below(d->buses->pdata[j], match, name);

            if (found != NULL) {
                return found;
            }
        }
    }
    return NULL;
}

static bool match_name(Bus *bus, const char *name)
{
    return bus->obj.name != NULL && strcmp(bus->obj.name, name) == 0;
}

static bool match_type_with_room(Bus *bus, const char *name)
{
    return type_is_a(bus->obj.type, name) && !bus_is_full(bus);
}

Bus *bus_find(Vm *vm, const char *name)
{
    if (name[0] == '/') {
        Object *obj = object_resolve(name, NULL);

        return obj != NULL && obj->kind == KIND_BUS ? (Bus *)obj : NULL;
    }
    if (strcmp(name, "main-system-bus") == 0) {
        return vm->system_bus;
    }
    return find_below(vm->system_bus, match_name, name);
}

Bus *bus_find_type(Vm *vm, const char *type_name)
{
    return find_below(vm->system_bus, match_type_with_room, type_name);
}

bool bus_walk(Bus *bus, bool (*fn)(Device *d, void *opaque), void *opaque)
{
    for (unsigned i = 0; i < bus->devices->len; i++) {
        Device *d = bus->devices->pdata[i];

        if (!fn(d, opaque)) {
            return false;
        }
        for (unsigned j = 0; d->buses != NULL && j < d->buses->len; j++) {
            if (!bus_walk(d->buses->pdata[j], fn, opaque)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- plugging ---- */

bool bus_attach_device(Bus *bus, Device *d, GError **error)
{
    const BusType *t = TYPE_WITH(bus, attach);

    d->parent_bus = bus;
    if (d->dma == NULL) {
        d->dma = bus->owner != NULL ? bus->owner->dma : d->vm->memory_as;
    }
    if (t != NULL && !t->attach(bus, d, error)) {
        d->parent_bus = NULL;
        return false;
    }
    g_ptr_array_add(bus->devices, d);
    return true;
}

void bus_detach_device(Device *d)
{
    Bus *bus = d->parent_bus;
    const BusType *t;

    if (bus == NULL) {
        return;
    }
    t = TYPE_WITH(bus, detach);
    if (t != NULL) {
        t->detach(bus, d);
    }
    g_ptr_array_remove(bus->devices, d);
    d->parent_bus = NULL;
    d->dma = NULL;
}

void bus_tell_plugged(Device *d)
{
    const BusType *t = TYPE_WITH(d->parent_bus, plugged);

    if (t != NULL) {
        t->plugged(d->parent_bus, d);
    }
}

bool bus_unplug_request(Bus *bus, Device *d, GError **error)
{
    const BusType *t = TYPE_WITH(bus, unplug_request);

    if (t == NULL) {
        return fail(error, "Bus '%s' does not support hotplugging", bus->obj.name);
    }
    return t->unplug_request(bus, d, error);
}

const BusType *bus_printer(const Bus *bus)
{
    return TYPE_WITH(bus, print);
}
