// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Setting and getting properties by name, and the values that -global keeps for objects yet to
 * come. The kinds of values are in prop-types.c and prop-more.c.
 */
#include "qom/device.h"

#include <json-c/json.h>
#include <string.h>

#include "qom/global.h"

static bool add_prop_name(const Prop *p, void *opaque)
{
    if (!(p->flags & PROP_HIDDEN)) {
        g_ptr_array_add(opaque, (gpointer)p->name);
    }
    return true;
}

static bool fail_no_prop(Object *obj, const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL;

    type_foreach_prop(obj->type, add_prop_name, names);
    g_ptr_array_add(names, NULL);
    hint = suggestion(name, (const char *const *)names->pdata);
    return fail(error, "Property '%s.%s' not found%s", obj->type->name, name, hint);
}

static const char *device_id(Object *obj)
{
    if (obj->kind == KIND_DEVICE || obj->kind == KIND_CPU) {
        return DEVICE(obj)->id;
    }
    return NULL;
}

static const Prop *settable_prop(Object *obj, const char *name, GError **error)
{
    const Prop *p = type_find_prop(obj->type, name);

    if (p == NULL) {
        fail_no_prop(obj, name, error);
        return NULL;
    }
    if (p->flags & PROP_READ_ONLY) {
        return fail_null(error, "Property '%s.%s' is not writable", obj->type->name, name);
    }
    if (obj->complete && !(p->flags & PROP_LIVE)) {
        const char *id = device_id(obj);

        if (id != NULL) {
            return fail_null(error,
                             "Attempt to set property '%s' on device '%s' (type '%s') after it "
                             "was realized", name, id, obj->type->name);
        }
        return fail_null(error,
                         "Attempt to set property '%s' on anonymous device (type '%s') after it "
                         "was realized", name, obj->type->name);
    }
    return p;
}

bool object_set_text(Object *obj, const char *prop, const char *text, GError **error)
{
    const Prop *p = settable_prop(obj, prop, error);

    if (p == NULL || !p->type->parse(obj, p, (char *)obj + p->offset, text, error)) {
        return false;
    }
    return p->changed == NULL || p->changed(obj, p, error);
}

bool object_set_json(Object *obj, const char *prop, struct json_object *value, GError **error)
{
    const Prop *p = settable_prop(obj, prop, error);

    if (p == NULL || !p->type->from_json(obj, p, (char *)obj + p->offset, value, error)) {
        return false;
    }
    return p->changed == NULL || p->changed(obj, p, error);
}

struct json_object *object_get_json(Object *obj, const char *prop, GError **error)
{
    const Prop *p = type_find_prop(obj->type, prop);
    const Object *child;

    if (p != NULL) {
        if (p->refresh != NULL) {
            p->refresh(obj, p);
        }
        return p->type->to_json(obj, p, (char *)obj + p->offset);
    }
    if (strcmp(prop, "type") == 0) {
        return json_object_new_string(obj->type->name);
    }
    child = object_child(obj, prop);
    if (child != NULL) {
        g_autofree char *path = object_path(child);

        return json_object_new_string(path);
    }
    fail_no_prop(obj, prop, error);
    return NULL;
}

char *object_prop_print(Object *obj, const Prop *p)
{
    const void *field = (char *)obj + p->offset;
    struct json_object *v;
    char *text;

    if (p->refresh != NULL) {
        p->refresh(obj, p);
    }
    if (p->type->print != NULL) {
        return p->type->print(obj, p, field);
    }
    v = p->type->to_json(obj, p, field);
    text = v != NULL ? g_strdup(json_object_to_json_string_ext(v, JSON_C_TO_STRING_NOSLASHESCAPE))
                     : g_strdup("\"\"");
    json_object_put(v);
    return text;
}

/* ---- -global ---- */

typedef struct GlobalProp {
    char *driver, *prop, *value;
    bool user;       /* -global, not a machine version's default */
    bool used;
} GlobalProp;

/* What the command line asked of objects that do not exist yet. Machine lock. */
static GPtrArray *globals;

static void global_add(const char *driver, const char *prop, const char *value, bool user)
{
    GlobalProp *g = g_new0(GlobalProp, 1);

    if (globals == NULL) {
        globals = g_ptr_array_new();
    }
    g->driver = g_strdup(driver);
    g->prop = g_strdup(prop);
    g->value = g_strdup(value);
    g->user = user;
    g_ptr_array_add(globals, g);
}

void global_prop_add(const char *driver, const char *prop, const char *value)
{
    global_add(driver, prop, value, true);
}

void compat_prop_add(const char *driver, const char *prop, const char *value)
{
    global_add(driver, prop, value, false);
}

static void apply_pass(Object *obj, bool user)
{
    for (unsigned i = 0; globals != NULL && i < globals->len; i++) {
        GlobalProp *g = globals->pdata[i];
        GError *e = NULL;
        ObjectKind kind;
        const ObjectType *t = type_find(g->driver, &kind);

        if (g->user != user || t == NULL || !type_is_a(obj->type, t->name)) {
            continue;
        }
        g->used = true;
        if (object_set_text(obj, g->prop, g->value, &e)) {
            continue;
        }
        g_prefix_error(&e, "can't apply global %s.%s=%s: ", g->driver, g->prop, g->value);
        if (obj->global_error == NULL) {
            obj->global_error = e;
        } else {
            g_error_free(e);
        }
    }
}

void global_props_apply(Object *obj)
{
    apply_pass(obj, false);
    apply_pass(obj, true);
}

void global_props_report_unused(void)
{
    for (unsigned i = 0; globals != NULL && i < globals->len; i++) {
        const GlobalProp *g = globals->pdata[i];

        if (!g->user || g->used) {
            continue;
        }
        if (type_find(g->driver, NULL) == NULL) {
            warn_report("global %s.%s has invalid class name", g->driver, g->prop);
        } else {
            warn_report("global %s.%s=%s not used", g->driver, g->prop, g->value);
        }
    }
}
