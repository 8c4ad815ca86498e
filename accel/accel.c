// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Choosing and starting the accelerator: each one that the command line lists is tried in order,
 * and the reason is said for each that does not start.
 */
#include "accel/accel.h"

#include "qapi/keyval.h"
#include "util/error.h"

#include <json-c/json.h>

/* Without -accel and -machine accel=. */
static char *const default_list[] = {(char *)"tcg", NULL};

static bool collect_name(const ObjectType *t, ObjectKind kind, void *opaque)
{
    GPtrArray *names = opaque;

    if (kind == KIND_OBJECT && !t->abstract && t->parent && strcmp(t->parent, "accel") == 0) {
        g_ptr_array_add(names, g_strndup(t->name, strlen(t->name) - strlen("-accel")));
    }
    return true;
}

static GPtrArray *accel_names(void)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    type_foreach(collect_name, names);
    return names;
}

void accel_help(GString *out)
{
    g_autoptr(GPtrArray) names = accel_names();

    g_string_append(out, "Accelerators supported in QEMU binary:\n");
    for (unsigned i = 0; i < names->len; i++) {
        g_string_append_printf(out, "%s\n", (char *)names->pdata[i]);
    }
}

const char *accel_name(const Accel *a)
{
    /* Types are few and constant: their short names are interned for the process's life. */
    g_autofree char *name =
        g_strndup(a->obj.type->name, strlen(a->obj.type->name) - strlen("-accel"));

    return g_intern_string(name);
}

static Accel *accel_new(const char *text, GError **error)
{
    struct json_object *kv = keyval_parse(text, "accel", error);
    if (!kv) {
        return NULL;
    }
    const char *name = keyval_get(kv, "accel");
    if (!name) {
        json_object_put(kv);
        return fail_null(error, "-accel %s: no accelerator named", text);
    }
    g_autofree char *type_name = g_strconcat(name, "-accel", NULL);
    const ObjectType *type = type_find(type_name, NULL);
    if (!type || type->abstract || !type_is_a(type, "accel")) {
        g_autoptr(GPtrArray) names = accel_names();
        g_ptr_array_add(names, NULL);
        g_autofree char *hint = suggestion(name, (const char *const *)names->pdata);
        fail(error, "invalid accelerator %s%s", name, hint);
        json_object_put(kv);
        return NULL;
    }

    Accel *a = (Accel *)object_new(type, KIND_OBJECT);
    a->type = (const AccelType *)type;
    json_object_object_foreach(kv, key, value)
    {
        if (strcmp(key, "accel") != 0 &&
            !object_set_text(&a->obj, key, json_object_get_string(value), error)) {
            object_unref(&a->obj);
            a = NULL;
            break;
        }
    }
    json_object_put(kv);
    return a;
}

static bool accel_try(Vm *vm, const char *text, GError **error)
{
    Accel *a = accel_new(text, error);
    if (!a) {
        return false;
    }
    a->vm = vm;
    if (!a->type->init(a, vm, error)) {
        g_autofree char *name = g_strdup(accel_name(a));
        g_prefix_error(error, "failed to initialize %s: ", name);
        object_unref(&a->obj);
        return false;
    }
    vm->accel = a;
    return true;
}

bool accel_start(Vm *vm, char *const *list, GError **error)
{
    if (!list || !list[0]) {
        list = default_list;
    }
    for (unsigned i = 0;; i++) {
        GError *reason = NULL;
        if (accel_try(vm, list[i], &reason)) {
            if (i > 0) {
                info_report("falling back to %s", accel_name(vm->accel));
            }
            return true;
        }
        if (!list[i + 1]) {
            g_propagate_prefixed_error(error, reason, "-accel %s: ", list[i]);
            return false;
        }
        g_prefix_error(&reason, "-accel %s: ", list[i]);
        error_report_free(reason);
    }
}

void accel_stop(Vm *vm)
{
    if (!vm->accel) {
        return;
    }
    if (vm->accel->type->fini) {
        vm->accel->type->fini(vm->accel);
    }
    object_unref(&vm->accel->obj);
    vm->accel = NULL;
}

void accel_info(Vm *vm, GString *out)
{
    if (!vm->accel || !vm->accel->type->info) {
        g_string_append(out, "JIT information is only available with accel=tcg\n");
        return;
    }
    vm->accel->type->info(vm->accel, out);
}

/* The common base type. */
static const ObjectType accel_type = {
    .name = "accel",
    .desc = "what runs guest code",
    .abstract = true,
};
OBJECT_TYPE(accel_type);
