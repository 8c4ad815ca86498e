// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instances and the tree that holds them. Contract: include/qom/object.h; properties are set
 * in prop.c.
 */
#include "qom/object.h"

#include <json-c/json.h>
#include <string.h>

#include "qom/global.h"

/* Calls finalize of plain types, derived first. */
static void finalize_types(Object *obj)
{
    if (obj->kind != KIND_OBJECT) {
        return;
    }
    for (const ObjectType *t = obj->type; t != NULL; t = type_parent(t)) {
        if (t->finalize != NULL) {
            t->finalize(obj);
        }
    }
}

static bool release_field(const Prop *p, void *opaque)
{
    if (p->type->release != NULL) {
        p->type->release((char *)opaque + p->offset);
    }
    return true;
}

static bool default_field(const Prop *p, void *opaque)
{
    if (p->type->set_default != NULL) {
        p->type->set_default(opaque, p, (char *)opaque + p->offset);
    }
    return true;
}


void object_init_embedded(Object *obj, const ObjectType *type, ObjectKind kind)
{
    obj->type = type;
    obj->kind = kind;
    obj->refs = 1;
    obj->embedded = true;
    type_foreach_prop(type, default_field, obj);
    global_props_apply(obj);
}

Object *object_new(const ObjectType *type, ObjectKind kind)
{
    Object *obj;

    g_assert(!type->abstract && type->size >= sizeof(Object));
    obj = g_malloc0(type->size);
    object_init_embedded(obj, type, kind);
    obj->embedded = false;
    return obj;
}

bool object_complete(Object *obj, GError **error)
{
    const ObjectType *chain[16];
    unsigned n = 0;

    if (obj->global_error != NULL) {
        g_propagate_error(error, g_steal_pointer(&obj->global_error));
        return false;
    }
    for (const ObjectType *t = obj->type; t != NULL; t = type_parent(t)) {
        g_assert(n < G_N_ELEMENTS(chain));
        chain[n++] = t;
    }
    while (n-- > 0) {
        if (obj->kind == KIND_OBJECT && chain[n]->complete != NULL &&
            !chain[n]->complete(obj, error)) {
            return false;
        }
    }
    obj->complete = true;
    return true;
}

Object *object_ref(Object *obj)
{
    if (obj != NULL) {
        obj->refs++;
    }
    return obj;
}

void object_unref(Object *obj)
{
    if (obj == NULL) {
        return;
    }
    g_assert(obj->refs > 0);
    if (--obj->refs > 0) {
        return;
    }
    obj->refs = 1;    /* finalizers may take and drop references */
    while (obj->children != NULL && obj->children->len > 0) {
        object_unparent(obj->children->pdata[obj->children->len - 1]);
    }
    if (obj->finalize != NULL) {
        obj->finalize(obj);
    }
    finalize_types(obj);
    type_foreach_prop(obj->type, release_field, obj);
    g_clear_pointer(&obj->children, g_ptr_array_unref);
    g_clear_pointer(&obj->name, g_free);
    g_clear_error(&obj->global_error);
    obj->refs = 0;
    if (!obj->embedded) {
        g_free(obj);
    }
}

Object *object_root(void)
{
    static Object *root;    /* the one tree of this process; machine lock */

    if (root == NULL) {
        root = object_new(type_find("container", NULL), KIND_OBJECT);
    }
    return root;
}

Object *object_child(Object *parent, const char *name)
{
    for (unsigned i = 0; parent->children != NULL && i < parent->children->len; i++) {
        Object *c = parent->children->pdata[i];

        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

/* "name[*]" -> "name[0]", or the first free number. */
static char *free_name(Object *parent, const char *name)
{
    int len = (int)strlen(name) - 3;
    unsigned n = 0;

    if (len < 0 || strcmp(name + len, "[*]") != 0) {
        return g_strdup(name);
    }
    /* most often children were added in order and none was removed: start at a good guess */
    for (unsigned i = parent->children != NULL ? parent->children->len : 0; i-- > 0;) {
        const Object *c = parent->children->pdata[i];

        if (strncmp(c->name, name, len + 1) == 0) {
            n++;
        }
    }
    for (bool down = true;;) {
        char *try = g_strdup_printf("%.*s[%u]", len, name, n);
        bool taken = object_child(parent, try) != NULL;

        if (!taken && (!down || n == 0)) {
            return try;
        }
        if (!taken) {
            /* a lower one may be free as well */
            g_autofree char *lower = g_strdup_printf("%.*s[%u]", len, name, n - 1);

            if (object_child(parent, lower) != NULL) {
                return try;
            }
            n--;
        } else {
            down = false;
            n++;
        }
        g_free(try);
    }
}

bool object_add_child(Object *parent, const char *name, Object *child, GError **error)
{
    g_autofree char *full = free_name(parent, name);

    g_assert(child->parent == NULL);
    if (object_child(parent, full) != NULL) {
        g_autofree char *path = object_path(parent);

        return fail(error, "'%s' exists already in '%s'", full, path);
    }
    if (parent->children == NULL) {
        parent->children = g_ptr_array_new();
    }
    child->name = g_steal_pointer(&full);
    child->parent = parent;
    g_ptr_array_add(parent->children, child);
    return true;
}

void object_unparent(Object *obj)
{
    Object *parent = obj->parent;

    if (parent == NULL) {
        return;
    }
    g_ptr_array_remove(parent->children, obj);
    obj->parent = NULL;
    object_unref(obj);
}

Object *object_container(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    Object *at = object_root();

    for (unsigned i = 0; parts[i] != NULL; i++) {
        Object *next;

        if (parts[i][0] == '\0') {
            continue;
        }
        next = object_child(at, parts[i]);
        if (next == NULL) {
            g_autoptr(GError) error = NULL;

            next = object_new(type_find("container", NULL), KIND_OBJECT);
            if (!object_add_child(at, parts[i], next, &error)) {
                g_error("%s", error->message);
            }
        }
        at = next;
    }
    return at;
}

static Object *step_into(Object *obj, const char *name)
{
    const Prop *p;
    Object *c = object_child(obj, name);

    if (c != NULL) {
        return c;
    }
    p = type_find_prop(obj->type, name);
    if (p != NULL && p->type == &prop_link) {
        return *(Object **)((char *)obj + p->offset);
    }
    return NULL;
}

static Object *walk_parts(Object *from, char **parts)
{
    for (; from != NULL && *parts != NULL; parts++) {
        if (**parts != '\0') {
            from = step_into(from, *parts);
        }
    }
    return from;
}

static Object *search_partial(Object *from, char **parts, bool *ambiguous)
{
    Object *found = walk_parts(from, parts);

    for (unsigned i = 0; from->children != NULL && i < from->children->len && !*ambiguous; i++) {
        Object *o = search_partial(from->children->pdata[i], parts, ambiguous);

        if (o != NULL && found != NULL && o != found) {
            *ambiguous = true;
        }
        found = found != NULL ? found : o;
    }
    return *ambiguous ? NULL : found;
}

Object *object_resolve(const char *path, bool *ambiguous)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    bool several = false;
    Object *found;

    if (path[0] == '/') {
        found = walk_parts(object_root(), parts);
    } else if (path[0] == '\0') {
        found = NULL;
    } else {
        found = search_partial(object_root(), parts, &several);
    }
    if (ambiguous != NULL) {
        *ambiguous = several;
    }
    return found;
}

char *object_path(const Object *obj)
{
    GString *s = g_string_new(NULL);

    for (; obj != NULL && obj->name != NULL; obj = obj->parent) {
        g_string_prepend(s, obj->name);
        g_string_prepend_c(s, '/');
    }
    if (s->len == 0) {
        g_string_append_c(s, '/');
    }
    return g_string_free(s, FALSE);
}

bool object_walk(Object *obj, bool (*fn)(Object *obj, void *opaque), void *opaque)
{
    if (!fn(obj, opaque)) {
        return false;
    }
    for (unsigned i = 0; obj->children != NULL && i < obj->children->len; i++) {
        if (!object_walk(obj->children->pdata[i], fn, opaque)) {
            return false;
        }
    }
    return true;
}

typedef struct MemberWalk {
    void (*fn)(const char *name, const char *type_text, const char *description, void *opaque);
    void *opaque;
} MemberWalk;

static bool member_prop(const Prop *p, void *opaque)
{
    MemberWalk *w = opaque;
    g_autofree char *text = prop_type_text(p);

    w->fn(p->name, text, prop_description(p), w->opaque);
    return true;
}

void object_foreach_member(Object *obj, void (*fn)(const char *name, const char *type_text,
                           const char *description, void *opaque), void *opaque)
{
    MemberWalk w = {fn, opaque};

    fn("type", "string", NULL, opaque);
    type_foreach_prop(obj->type, member_prop, &w);
    for (unsigned i = 0; obj->children != NULL && i < obj->children->len; i++) {
        const Object *c = obj->children->pdata[i];
        g_autofree char *text = g_strdup_printf("child<%s>", c->type->name);

        fn(c->name, text, NULL, opaque);
    }
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp((*(Object *const *)a)->name, (*(Object *const *)b)->name);
}

static void print_below(Object *obj, unsigned indent, GString *out)
{
    g_autoptr(GPtrArray) sorted = NULL;

    g_string_append_printf(out, "%*s/%s (%s)\n", indent, "", obj->name != NULL ? obj->name : "",
                           obj->type->name);
    if (obj->children == NULL) {
        return;
    }
    sorted = g_ptr_array_copy(obj->children, NULL, NULL);
    g_ptr_array_sort(sorted, compare_names);
    for (unsigned i = 0; i < sorted->len; i++) {
        print_below(sorted->pdata[i], indent + 2, out);
    }
}

void object_print_tree(Object *top, GString *out)
{
    print_below(top, 0, out);
}

/* ---- user-created objects ---- */

static bool set_members(Object *obj, struct json_object *props, bool from_text, GError **error)
{
    json_object_object_foreach(props, key, value) {
        if (strcmp(key, "id") == 0 || strcmp(key, "qom-type") == 0) {
            continue;
        }
        if (from_text && json_object_is_type(value, json_type_string)) {
            if (!object_set_text(obj, key, json_object_get_string(value), error)) {
                return false;
            }
        } else if (!object_set_json(obj, key, value, error)) {
            return false;
        }
    }
    return true;
}

static bool add_creatable_name(const ObjectType *t, ObjectKind kind, void *opaque)
{
    if (kind == KIND_OBJECT && t->user_creatable && !t->abstract) {
        g_ptr_array_add(opaque, (gpointer)t->name);
    }
    return true;
}

bool user_object_add(const char *type, const char *id, struct json_object *props, bool from_text,
                     GError **error)
{
    ObjectKind kind = KIND_OBJECT;
    const ObjectType *t = type_find(type, &kind);
    Object *parent = object_container("/objects");
    Object *obj;

    if (t == NULL || kind != KIND_OBJECT || !t->user_creatable || t->abstract) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        g_autofree char *hint = NULL;

        type_foreach(add_creatable_name, names);
        g_ptr_array_add(names, NULL);
        hint = suggestion(type, (const char *const *)names->pdata);
        return fail(error, "invalid object type: %s%s", type, hint);
    }
    if (object_child(parent, id) != NULL) {
        return fail(error, "attempt to add duplicate property '%s' to object (type 'container')",
                    id);
    }
    obj = object_new(t, KIND_OBJECT);
    if ((props != NULL && !set_members(obj, props, from_text, error)) ||
        !object_add_child(parent, id, obj, error)) {
        object_unref(obj);
        return false;
    }
    if (!object_complete(obj, error)) {
        object_unparent(obj);
        return false;
    }
    return true;
}

bool user_object_del(const char *id, GError **error)
{
    Object *obj = object_child(object_container("/objects"), id);

    if (obj == NULL) {
        return fail(error, "object '%s' not found", id);
    }
    if (obj->refs > 1) {
        return fail(error, "object '%s' is in use, can not be deleted", id);
    }
    object_unparent(obj);
    return true;
}
