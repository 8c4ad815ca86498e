// SPDX-License-Identifier: GPL-2.0-or-later
/* QMP commands of the object tree, of device types, and of the machine's running. */
#include <json-c/json.h>
#include <string.h>

#include "qapi/qapi-commands.h"
#include "qapi/qapi-events.h"
#include "qom/device-add.h"
#include "qom/vm.h"
#include "util/error.h"

/* --- the tree ------------------------------------------------------------------------------ */

static Object *find(const char *path, GError **error)
{
    bool ambiguous = false;
    Object *obj = object_resolve(path, &ambiguous);

    if (!obj) {
        if (ambiguous) {
            return fail_null(error, "Path '%s' is ambiguous", path);
        }
        fail_class(error, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", path);
    }
    return obj;
}

static void add_member(const char *name, const char *type, const char *description, void *opaque)
{
    ObjectPropertyInfo *info = g_new0(ObjectPropertyInfo, 1);

    info->name = g_strdup(name);
    info->type = g_strdup(type);
    g_ptr_array_add(opaque, info);
}

GPtrArray *qmp_qom_list(QmpCall *call, const QmpQomListArgs *args, GError **error)
{
    Object *obj = find(args->path, error);
    GPtrArray *list = obj ? g_ptr_array_new() : NULL;

    if (obj) {
        object_foreach_member(obj, add_member, list);
    }
    return list;
}

json_object *qmp_qom_get(QmpCall *call, const QmpQomGetArgs *args, GError **error)
{
    Object *obj = find(args->path, error);

    return obj ? object_get_json(obj, args->property, error) : NULL;
}

bool qmp_qom_set(QmpCall *call, const QmpQomSetArgs *args, GError **error)
{
    Object *obj = find(args->path, error);

    return obj && object_set_json(obj, args->property, args->value, error);
}

/* --- types --------------------------------------------------------------------------------- */

typedef struct TypeList {
    const char *implements;
    bool abstract;
    GPtrArray *out;
} TypeList;

/*
 * Whether a type is of that kind, by what it descends from or by what can be done with it; NULL:
 * all are.
 */
static bool implements(const ObjectType *t, const char *name)
{
    if (name && strcmp(name, "user-creatable") == 0) {
        return t->user_creatable;
    }
    return !name || type_is_a(t, name);
}

static bool add_type(const ObjectType *t, ObjectKind kind, void *opaque)
{
    TypeList *l = opaque;

    if ((t->abstract && !l->abstract) || !implements(t, l->implements)) {
        return true;
    }
    ObjectTypeInfo *info = g_new0(ObjectTypeInfo, 1);
    const ObjectType *parent = type_parent(t);

    info->name = g_strdup(t->name);
    info->has_abstract = info->abstract = t->abstract;
    info->parent = g_strdup(parent ? parent->name : "object");
    g_ptr_array_add(l->out, info);
    return true;
}

GPtrArray *qmp_qom_list_types(QmpCall *call, const QmpQomListTypesArgs *args, GError **error)
{
    TypeList l = { args->implements, args->abstract, g_ptr_array_new() };

    if (g_strcmp0(l.implements, "object") == 0) {
        l.implements = NULL;
    }
    type_foreach(add_type, &l);
    return l.out;
}

static bool add_prop(const Prop *p, void *opaque)
{
    ObjectPropertyInfo *info = g_new0(ObjectPropertyInfo, 1);

    info->name = g_strdup(p->name);
    info->type = prop_type_text(p);
    info->description = g_strdup(prop_description(p));
    info->default_value = prop_default_json(p);
    g_ptr_array_add(opaque, info);
    return true;
}

static bool add_listed_prop(const Prop *p, void *opaque)
{
    return (p->flags & PROP_HIDDEN && p->flags & PROP_READ_ONLY) || add_prop(p, opaque);
}

GPtrArray *qmp_qom_list_properties(QmpCall *call, const QmpQomListPropertiesArgs *args,
                                   GError **error)
{
    const ObjectType *t = type_find(args->typename, NULL);

    if (!t) {
        fail_class(error, ERROR_DEVICE_NOT_FOUND, "Class '%s' not found", args->typename);
        return NULL;
    }
    GPtrArray *list = g_ptr_array_new();

    type_foreach_prop(t, add_prop, list);
    return list;
}

GPtrArray *qmp_device_list_properties(QmpCall *call, const QmpDeviceListPropertiesArgs *args,
                                      GError **error)
{
    ObjectKind kind;
    const ObjectType *t = type_find(args->typename, &kind);

    if (!t) {
        fail_class(error, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", args->typename);
        return NULL;
    }
    if ((kind != KIND_DEVICE && kind != KIND_CPU) || t->abstract) {
        return fail_null(error, "Parameter 'typename' expects a non-abstract device type");
    }
    GPtrArray *list = g_ptr_array_new();

    type_foreach_prop(t, add_listed_prop, list);
    return list;
}

/* --- devices and objects -------------------------------------------------------------------- */

bool qmp_device_add(QmpCall *call, json_object *args, GError **error)
{
    return device_add(call->vm, args, false, error) != NULL;
}

bool qmp_device_del(QmpCall *call, const QmpDeviceDelArgs *args, GError **error)
{
    g_autoptr(GError) why = NULL;
    Device *d = device_find(call->vm, args->id, &why);

    if (!d) {
        return fail_class(error, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", args->id);
    }
    if (call->vm->migrating) {
        return fail(error, "%s", call->vm->migrating);
    }
    return device_unplug_request(d, error);
}

bool qmp_object_add(QmpCall *call, json_object *args, GError **error)
{
    return object_add(args, false, error);
}

bool qmp_object_del(QmpCall *call, const QmpObjectDelArgs *args, GError **error)
{
    return user_object_del(args->id, error);
}

/* --- the machine runs or does not ------------------------------------------------------------ */

StatusInfo *qmp_query_status(QmpCall *call, GError **error)
{
    StatusInfo *s = g_new0(StatusInfo, 1);

    s->status = (VmRunState)runstate();
    s->running = runstate_running();
    return s;
}

bool qmp_stop(QmpCall *call, GError **error)
{
    if (runstate_is(RUN_STATE_INMIGRATE)) {
        return true;
    }
    vm_stop(call->vm, RUN_STATE_PAUSED);
    return true;
}

bool qmp_cont(QmpCall *call, GError **error)
{
    bool later = false;

    if (call->vm->may_start && !call->vm->may_start(call->vm, &later, error)) {
        return false;
    }
    if (later) {
        return true;
    }
    if (call->vm->busy) {
        return fail(error, "%s is under way", call->vm->busy);
    }
    switch (runstate()) {
    case RUN_STATE_INTERNAL_ERROR:
    case RUN_STATE_SHUTDOWN:
        return fail(error, "Resetting the Virtual Machine is required");
    case RUN_STATE_SUSPENDED:
    case RUN_STATE_FINISH_MIGRATE:
        return true;
    default:
        vm_start(call->vm);
        return true;
    }
}

bool qmp_system_reset(QmpCall *call, GError **error)
{
    request_reset(SHUTDOWN_HOST_QMP_SYSTEM_RESET);
    return true;
}

bool qmp_system_powerdown(QmpCall *call, GError **error)
{
    request_powerdown();
    return true;
}

bool qmp_system_wakeup(QmpCall *call, GError **error)
{
    if (!runstate_is(RUN_STATE_SUSPENDED)) {
        return fail(error, "Unable to wake up: guest is not in suspended state");
    }
    request_wakeup();
    return true;
}

bool qmp_set_action(QmpCall *call, const QmpSetActionArgs *args, GError **error)
{
    RunActions *a = run_actions();

    a->reboot = args->has_reboot ? (RebootAction)args->reboot : a->reboot;
    a->shutdown = args->has_shutdown ? (ShutdownAction)args->shutdown : a->shutdown;
    a->panic = args->has_panic ? (PanicAction)args->panic : a->panic;
    a->watchdog = args->has_watchdog ? (WatchdogAction)args->watchdog : a->watchdog;
    return true;
}

bool qmp_watchdog_set_action(QmpCall *call, const QmpWatchdogSetActionArgs *args, GError **error)
{
    run_actions()->watchdog = (WatchdogAction)args->action;
    return true;
}

/*
 * --- what it is --------------------------------------------------------------------------------
 */

NameInfo *qmp_query_name(QmpCall *call, GError **error)
{
    NameInfo *info = g_new0(NameInfo, 1);

    info->name = g_strdup(call->vm->name);
    return info;
}

UuidInfo *qmp_query_uuid(QmpCall *call, GError **error)
{
    const uint8_t *u = call->vm->uuid;
    UuidInfo *info = g_new0(UuidInfo, 1);

    info->UUID = g_strdup_printf(
        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2],
        u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
    return info;
}

CurrentMachineParams *qmp_query_current_machine(QmpCall *call, GError **error)
{
    return g_new0(CurrentMachineParams, 1);
}

GPtrArray *qmp_query_machines(QmpCall *call, GError **error)
{
    g_autofree const MachineType **types = machine_types(call->vm->arch);
    GPtrArray *list = g_ptr_array_new();

    for (unsigned i = 0; types[i]; i++) {
        const MachineType *t = types[i];
        bool wide = strcmp(call->vm->arch, "i386") != 0;
        const char *cpu = !wide && t->default_cpu_32 ? t->default_cpu_32 : t->default_cpu;
        MachineInfo *info = g_new0(MachineInfo, 1);

        info->name = g_strdup(t->machine_name);
        info->alias = g_strdup(t->machine_alias);
        info->has_is_default = info->is_default = t->is_default;
        info->cpu_max = t->max_cpus ? t->max_cpus : 1;
        /* The boards with the register block of hw/acpi/cpu-hotplug.c. */
        info->hotpluggable_cpus = g_str_has_prefix(t->machine_name, "pc-");
        if (cpu) {
            info->default_cpu_type = g_strdup_printf("%s-%s-cpu", cpu, call->vm->arch);
        }
        if (t->init && strcmp(t->machine_name, "none") != 0) {
            info->default_ram_id = g_strdup("pc.ram");
        }
        g_ptr_array_add(list, info);
    }
    return list;
}
