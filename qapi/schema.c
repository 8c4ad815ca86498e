// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * query-qmp-schema: the command and event tables as SchemaInfo objects. Types get numbers in
 * the order in which they are met, so that nobody comes to rely on their names; "0" is the
 * empty object.
 */
#include <json-c/json.h>
#include <string.h>

#include "qapi/qmp.h"

typedef struct Schema {
    json_object *out;
    GHashTable *names;      /* QapiType * -> its name (char *) */
    GQueue pending;         /* types that were named but not shown yet */
    GHashTable *queued;     /* their names: lists of two integer types are the same list */
    unsigned next;
} Schema;

static void add_string(json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

static json_object *entry(Schema *s, const char *name, const char *meta)
{
    json_object *o = json_object_new_object();

    add_string(o, "name", name);
    add_string(o, "meta-type", meta);
    json_object_array_add(s->out, o);
    return o;
}

static const char *type_name(Schema *s, const QapiType *t)
{
    if (!t || (t->kind == QAPI_OBJECT && !t->count && !t->variant_count)) {
        return "0";
    }
    char *name = g_hash_table_lookup(s->names, t);

    if (name) {
        return name;
    }
    switch (t->kind) {
    case QAPI_STR:
    case QAPI_NUMBER:
    case QAPI_BOOL:
    case QAPI_NULL:
    case QAPI_ANY:
        name = g_strdup(t->name);
        break;
    case QAPI_INT:
    case QAPI_SIZE:
        return "int";     /* all integers are one type on the wire */
    case QAPI_ARRAY:
        name = g_strdup_printf("[%s]", type_name(s, t->element));
        break;
    default:
        name = g_strdup_printf("%u", s->next++);
        break;
    }
    g_hash_table_insert(s->names, (void *)t, name);
    if (g_hash_table_add(s->queued, name)) {
        g_queue_push_tail(&s->pending, (void *)t);
    }
    return name;
}

static void show_builtin(Schema *s, const char *name, const char *json_type)
{
    add_string(entry(s, name, "builtin"), "json-type", json_type);
}

static json_object *show_members(Schema *s, const QapiType *t)
{
    json_object *list = json_object_new_array();

    for (unsigned i = 0; i < t->count; i++) {
        const QapiMember *m = &t->members[i];
        json_object *o = json_object_new_object();

        if (t->kind == QAPI_OBJECT) {
            add_string(o, "name", m->name);
            if (m->optional) {
                json_object_object_add(o, "default", NULL);
            }
        }
        add_string(o, "type", type_name(s, m->type));
        json_object_array_add(list, o);
    }
    return list;
}

static void show_variants(Schema *s, const QapiType *t, json_object *o)
{
    const QapiMember *tag = &t->members[t->tag];
    json_object *list = json_object_new_array();

    for (int value = 0; value < tag->type->count; value++) {
        const QapiType *branch = NULL;
        json_object *v = json_object_new_object();

        for (unsigned i = 0; i < t->variant_count; i++) {
            if (t->variants[i].value == value) {
                branch = t->variants[i].type;
            }
        }
        add_string(v, "case", tag->type->values[value]);
        add_string(v, "type", type_name(s, branch));
        json_object_array_add(list, v);
    }
    add_string(o, "tag", tag->name);
    json_object_object_add(o, "variants", list);
}

static void show_type(Schema *s, const QapiType *t)
{
    const char *name = g_hash_table_lookup(s->names, t);
    json_object *o;

    switch (t->kind) {
    case QAPI_ENUM: {
        json_object *members = json_object_new_array(), *values = json_object_new_array();

        o = entry(s, name, "enum");
        for (unsigned i = 0; i < t->count; i++) {
            json_object *m = json_object_new_object();

            add_string(m, "name", t->values[i]);
            json_object_array_add(members, m);
            json_object_array_add(values, json_object_new_string(t->values[i]));
        }
        json_object_object_add(o, "members", members);
        json_object_object_add(o, "values", values);
        break;
    }
    case QAPI_ARRAY:
        add_string(entry(s, name, "array"), "element-type", type_name(s, t->element));
        break;
    case QAPI_ALTERNATE:
        o = entry(s, name, "alternate");
        json_object_object_add(o, "members", show_members(s, t));
        break;
    case QAPI_OBJECT:
        o = entry(s, name, "object");
        json_object_object_add(o, "members", show_members(s, t));
        if (t->variant_count) {
            show_variants(s, t, o);
        }
        break;
    default:
        break;      /* builtins are shown once, below */
    }
}

json_object *qmp_schema(void)
{
    Schema s = { .out = json_object_new_array(), .next = 1,
                 .names = g_hash_table_new_full(NULL, NULL, NULL, g_free),
                 .queued = g_hash_table_new(g_str_hash, g_str_equal) };

    for (unsigned i = 0; i < qmp_command_count; i++) {
        const QmpCommand *c = &qmp_commands[i];
        json_object *o = entry(&s, c->name, "command");

        add_string(o, "arg-type", type_name(&s, c->args));
        add_string(o, "ret-type", type_name(&s, c->ret));
        if (c->features) {
            json_object *list = json_object_new_array();

            for (unsigned f = 0; c->features[f]; f++) {
                json_object_array_add(list, json_object_new_string(c->features[f]));
            }
            json_object_object_add(o, "features", list);
        }
    }
    for (unsigned i = 0; i < qapi_event_count; i++) {
        add_string(entry(&s, qapi_events[i].name, "event"), "arg-type",
                   type_name(&s, qapi_events[i].data));
    }
    json_object *empty = entry(&s, "0", "object");

    json_object_object_add(empty, "members", json_object_new_array());
    for (const QapiType *t; (t = g_queue_pop_head(&s.pending)) != NULL;) {
        show_type(&s, t);
    }
    show_builtin(&s, "str", "string");
    show_builtin(&s, "int", "int");
    show_builtin(&s, "number", "number");
    show_builtin(&s, "bool", "boolean");
    show_builtin(&s, "null", "null");
    show_builtin(&s, "any", "value");
    g_hash_table_destroy(s.queued);
    g_hash_table_destroy(s.names);
    return s.out;
}
