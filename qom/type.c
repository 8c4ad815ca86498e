// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of types: rows that the linker collected in section `object_types`, put into name
 * order and indexed at the first question. Contract: include/qom/object.h.
 */
#include "qom/vm.h"

#include <json-c/json.h>
#include <string.h>

extern const TypeRow __start_object_types[] __attribute__((weak));
extern const TypeRow __stop_object_types[] __attribute__((weak));

typedef struct TypeEntry {
    const ObjectType *type;
    ObjectKind kind;
    bool is_alias;
} TypeEntry;

/* Built once from constants, then only read. */
static struct TypeTable {
    GHashTable *by_name;     /* char * -> TypeEntry *, aliases included */
    GHashTable *by_type;     /* ObjectType * -> TypeEntry * */
    GPtrArray *sorted;       /* TypeEntry * */
} types;

static const char *const kind_bases[] = {
    [KIND_OBJECT] = "object",       [KIND_DEVICE] = "device", [KIND_BUS] = "bus",
    [KIND_MACHINE] = "machine",     [KIND_CPU] = "cpu",       [KIND_INTERFACE] = "interface",
};

static const ObjectType object_base = {.name = "object", .abstract = true};
OBJECT_TYPE(object_base);

static const ObjectType interface_base = {.name = "interface", .abstract = true};
INTERFACE_TYPE(interface_base);

static const ObjectType container_type = {.name = "container", .size = sizeof(Object)};
OBJECT_TYPE(container_type);

static void add_type(const ObjectType *t, ObjectKind kind)
{
    TypeEntry *e = g_new0(TypeEntry, 1);
    const char *alias = NULL;

    e->type = t;
    e->kind = kind;
    if (!g_hash_table_insert(types.by_name, (gpointer)t->name, e)) {
        g_error("type '%s' exists twice", t->name);
    }
    g_hash_table_insert(types.by_type, (gpointer)t, e);
    g_ptr_array_add(types.sorted, e);
    if (kind == KIND_DEVICE || kind == KIND_CPU) {
        alias = ((const DeviceType *)t)->alias;
    }
    if (alias != NULL && !g_hash_table_contains(types.by_name, alias)) {
        g_hash_table_insert(types.by_name, (gpointer)alias, e);
    }
}

static int compare_entries(gconstpointer a, gconstpointer b)
{
    const TypeEntry *x = *(const TypeEntry *const *)a, *y = *(const TypeEntry *const *)b;
    int order = g_ascii_strcasecmp(x->type->name, y->type->name);

    return order != 0 ? order : strcmp(x->type->name, y->type->name);
}

static gpointer build_table(gpointer unused)
{
    types.by_name = g_hash_table_new(g_str_hash, g_str_equal);
    types.by_type = g_hash_table_new(NULL, NULL);
    types.sorted = g_ptr_array_new();
    for (const TypeRow *row = __start_object_types; row < __stop_object_types; row++) {
        if (row->type != NULL) {
            add_type(row->type, row->kind);
        }
        if (row->provide != NULL) {
            const ObjectType *t;

            for (unsigned i = 0; (t = row->provide(i)) != NULL; i++) {
                add_type(t, row->kind);
            }
        }
    }
    g_ptr_array_sort(types.sorted, compare_entries);
    return &types;
}

static void table_ready(void)
{
    static GOnce once = G_ONCE_INIT;    /* guards the table above */

    g_once(&once, build_table, NULL);
}

const ObjectType *type_find(const char *name, ObjectKind *kind)
{
    const TypeEntry *e;

    table_ready();
    e = g_hash_table_lookup(types.by_name, name);
    if (e == NULL) {
        return NULL;
    }
    if (kind != NULL) {
        *kind = e->kind;
    }
    return e->type;
}

void type_foreach(bool (*fn)(const ObjectType *t, ObjectKind kind, void *opaque), void *opaque)
{
    table_ready();
    for (unsigned i = 0; i < types.sorted->len; i++) {
        const TypeEntry *e = types.sorted->pdata[i];

        if (!fn(e->type, e->kind, opaque)) {
            return;
        }
    }
}

ObjectKind type_kind(const ObjectType *t)
{
    const TypeEntry *e;

    table_ready();
    e = g_hash_table_lookup(types.by_type, t);
    return e != NULL ? e->kind : KIND_OBJECT;
}

const ObjectType *type_parent(const ObjectType *t)
{
    const char *base;

    if (t->parent != NULL) {
        const ObjectType *p = type_find(t->parent, NULL);

        if (p == NULL) {
            g_error("type '%s': no parent '%s'", t->name, t->parent);
        }
        return p;
    }
    base = kind_bases[type_kind(t)];
    return strcmp(t->name, base) == 0 ? NULL : type_find(base, NULL);
}

bool type_is_a(const ObjectType *t, const char *name)
{
    for (; t != NULL; t = type_parent(t)) {
        if (strcmp(t->name, name) == 0) {
            return true;
        }
    }
    return false;
}

const char **type_names(ObjectKind kind)
{
    GPtrArray *names = g_ptr_array_new();

    table_ready();
    for (unsigned i = 0; i < types.sorted->len; i++) {
        const TypeEntry *e = types.sorted->pdata[i];

        if (e->kind == kind && !e->type->abstract) {
            g_ptr_array_add(names, (gpointer)e->type->name);
        }
    }
    g_ptr_array_add(names, NULL);
    return (const char **)g_ptr_array_free(names, FALSE);
}

const Prop *type_find_prop(const ObjectType *t, const char *name)
{
    for (; t != NULL; t = type_parent(t)) {
        for (const Prop *p = t->props; p != NULL && p->name != NULL; p++) {
            if (strcmp(p->name, name) == 0) {
                return p;
            }
        }
    }
    return NULL;
}

void type_foreach_prop(const ObjectType *type, bool (*fn)(const Prop *p, void *opaque),
                       void *opaque)
{
    for (const ObjectType *t = type; t != NULL; t = type_parent(t)) {
        for (const Prop *p = t->props; p != NULL && p->name != NULL; p++) {
            if (t != type && type_find_prop(type, p->name) != p) {
                continue;
            }
            if (!fn(p, opaque)) {
                return;
            }
        }
    }
}

char *prop_type_text(const Prop *p)
{
    if (p->type == &prop_link) {
        return g_strdup_printf("link<%s>", p->link != NULL ? p->link : "object");
    }
    if (p->type == &prop_enum && p->link != NULL) {
        return g_strdup(p->link);
    }
    return g_strdup(p->type->name);
}

struct json_object *prop_default_json(const Prop *p)
{
    return p->type->default_json != NULL ? p->type->default_json(p) : NULL;
}

const char *prop_description(const Prop *p)
{
    return p->help != NULL ? p->help : p->type->desc;
}
