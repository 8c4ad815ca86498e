// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One interpreter over the type descriptions made by scripts/qapi-gen.py: JSON to C with
 * strict checks, C to JSON, and release. The wording of errors is part of the management
 * interface.
 */
#include "qapi/qapi.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "qapi/keyval.h"
#include "util/error.h"

/* Where we are in the value, for error texts; lives on the stack of the recursion. */
typedef struct Path {
    const struct Path *up;
    const char *name;       /* NULL: element `index` of a list */
    unsigned index;
} Path;

typedef struct Visit {
    bool strings;           /* scalars may come as text */
    GError **error;
} Visit;

static void path_append(GString *out, const Path *p)
{
    if (!p) {
        return;
    }
    path_append(out, p->up);
    if (!p->name) {
        g_string_append_printf(out, "[%u]", p->index);
    } else {
        g_string_append_printf(out, "%s%s", out->len ? "." : "", p->name);
    }
}

static char *path_text(const Path *p)
{
    GString *out = g_string_new(NULL);

    path_append(out, p);
    return g_string_free(out, FALSE);
}

static bool bad_type(Visit *v, const Path *p, const char *expected)
{
    g_autofree char *text = path_text(p);

    return fail(v->error, "Invalid parameter type for '%s', expected: %s", text, expected);
}

static bool visit(Visit *v, const QapiType *t, json_object *value, const Path *p, void *slot);

static bool is_pointer(const QapiType *t)
{
    return t->kind == QAPI_STR || t->kind == QAPI_ANY || t->kind == QAPI_OBJECT ||
           t->kind == QAPI_ARRAY || t->kind == QAPI_ALTERNATE;
}

static size_t slot_size(const QapiType *t)
{
    switch (t->kind) {
    case QAPI_INT:
    case QAPI_SIZE:
        return t->width;
    case QAPI_NUMBER:
        return sizeof(double);
    case QAPI_BOOL:
    case QAPI_NULL:
        return sizeof(bool);
    case QAPI_ENUM:
        return sizeof(int);
    default:
        return sizeof(void *);
    }
}

static void int_store(const QapiType *t, void *slot, int64_t n)
{
    /* Two's complement on every host we build for: the low bytes are right for both signs. */
    switch (t->width) {
    case 1:
        *(uint8_t *)slot = (uint8_t)n;
        break;
    case 2:
        *(uint16_t *)slot = (uint16_t)n;
        break;
    case 4:
        *(uint32_t *)slot = (uint32_t)n;
        break;
    default:
        *(uint64_t *)slot = (uint64_t)n;
        break;
    }
}

static int64_t int_load(const QapiType *t, const void *slot)
{
    switch (t->width) {
    case 1:
        return t->is_unsigned ? *(const uint8_t *)slot : *(const int8_t *)slot;
    case 2:
        return t->is_unsigned ? *(const uint16_t *)slot : *(const int16_t *)slot;
    case 4:
        return t->is_unsigned ? (int64_t) * (const uint32_t *)slot : *(const int32_t *)slot;
    default:
        return *(const int64_t *)slot;
    }
}

static bool visit_int(Visit *v, const QapiType *t, json_object *value, const Path *p, void *slot)
{
    json_type jt = json_object_get_type(value);
    bool wide_unsigned = t->is_unsigned && t->width == 8;
    int64_t n = 0;

    if (v->strings && jt == json_type_string) {
        g_autofree char *name = path_text(p);
        const char *text = json_object_get_string(value);

        if (t->kind == QAPI_SIZE) {
            uint64_t size;

            if (!size_parse(text, name, &size, v->error)) {
                return false;
            }
            n = (int64_t)size;
        } else if (!int_parse(text, name, wide_unsigned, &n, v->error)) {
            return false;
        }
    } else if (jt == json_type_int) {
        n = wide_unsigned ? (int64_t)json_object_get_uint64(value) : json_object_get_int64(value);
        if (wide_unsigned && json_object_get_int64(value) < 0) {
            n = json_object_get_int64(value);   /* as the interface has always taken it */
        }
    } else {
        return bad_type(v, p, "integer");
    }
    if (t->width < 8) {
        int64_t min = t->is_unsigned ? 0 : -((int64_t)1 << (t->width * 8 - 1));
        int64_t max = ((int64_t)1 << (t->width * 8 - !t->is_unsigned)) - 1;

        if (n < min || n > max) {
            g_autofree char *name = path_text(p);

            return fail(v->error, "Parameter '%s' expects %s", name, t->name);
        }
    }
    int_store(t, slot, n);
    return true;
}

static bool visit_bool(Visit *v, json_object *value, const Path *p, bool *slot)
{
    if (v->strings && json_object_is_type(value, json_type_string)) {
        g_autofree char *name = path_text(p);

        return bool_parse(json_object_get_string(value), name, slot, v->error);
    }
    if (!json_object_is_type(value, json_type_boolean)) {
        return bad_type(v, p, "boolean");
    }
    *slot = json_object_get_boolean(value);
    return true;
}

static bool visit_number(Visit *v, json_object *value, const Path *p, double *slot)
{
    json_type jt = json_object_get_type(value);

    if (v->strings && jt == json_type_string) {
        const char *text = json_object_get_string(value);
        char *end;

        *slot = g_ascii_strtod(text, &end);
        if (end == text || *end || !isfinite(*slot)) {
            return bad_type(v, p, "number");
        }
        return true;
    }
    if (jt != json_type_int && jt != json_type_double) {
        return bad_type(v, p, "number");
    }
    *slot = json_object_get_double(value);
    return true;
}

static bool visit_enum(Visit *v, const QapiType *t, json_object *value, const Path *p, int *slot)
{
    if (!json_object_is_type(value, json_type_string)) {
        return bad_type(v, p, "string");
    }
    const char *name = p && p->name ? p->name : "value", *text = json_object_get_string(value);

    if (v->strings) {
        return qapi_enum_lookup(t, name, text, slot, v->error);
    }
    /* Programs get the plain wording. */
    *slot = qapi_enum_parse(t, text);
    if (*slot < 0) {
        *slot = 0;
        return fail(v->error, "Parameter '%s' does not accept value '%s'", name, text);
    }
    return true;
}

static bool visit_array(Visit *v, const QapiType *t, json_object *value, const Path *p, void *slot)
{
    const QapiType *et = t->element;

    if (!json_object_is_type(value, json_type_array)) {
        return bad_type(v, p, "array");
    }
    size_t n = json_object_array_length(value);

    if (is_pointer(et)) {
        GPtrArray *array = g_ptr_array_sized_new(n);
        *(GPtrArray **)slot = array;
        for (size_t i = 0; i < n; i++) {
            Path here = { .up = p, .index = (unsigned)i };
            void *item = NULL;

            bool good = visit(v, et, json_object_array_get_idx(value, i), &here, &item);

            g_ptr_array_add(array, item);   /* half-made ones too: they are cleared with it */
            if (!good) {
                return false;
            }
        }
        return true;
    }
    GArray *array = g_array_sized_new(FALSE, TRUE, slot_size(et), n);
    *(GArray **)slot = array;
    g_array_set_size(array, n);
    for (size_t i = 0; i < n; i++) {
        Path here = { .up = p, .index = (unsigned)i };

        if (!visit(v, et, json_object_array_get_idx(value, i), &here,
                   array->data + i * slot_size(et))) {
            return false;
        }
    }
    return true;
}

static const QapiType *branch_of(const QapiType *t, const void *object)
{
    if (!t->variant_count) {
        return NULL;
    }
    int tag = *(const int *)((const char *)object + t->members[t->tag].offset);

    for (unsigned i = 0; i < t->variant_count; i++) {
        if (t->variants[i].value == tag) {
            return t->variants[i].type;
        }
    }
    return NULL;
}

static bool key_known(const QapiType *t, const void *object, const char *key)
{
    for (unsigned i = 0; i < t->count; i++) {
        if (strcmp(t->members[i].name, key) == 0) {
            return true;
        }
    }
    const QapiType *branch = branch_of(t, object);

    return branch && key_known(branch, *(void **)((const char *)object + t->variant_offset), key);
}

/* The members of t and of its chosen branch, without a check for keys left over. */
static bool visit_members(Visit *v, const QapiType *t, json_object *value, const Path *p,
                          char *object)
{
    for (unsigned i = 0; i < t->count; i++) {
        const QapiMember *m = &t->members[i];
        Path here = { .up = p, .name = m->name };
        json_object *item;

        if (!json_object_object_get_ex(value, m->name, &item)) {
            if (!m->optional) {
                g_autofree char *text = path_text(&here);

                return fail(v->error, "Parameter '%s' is missing", text);
            }
            continue;
        }
        if (!visit(v, m->type, item, &here, object + m->offset)) {
            return false;
        }
        if (m->has_offset) {
            *(bool *)(object + m->has_offset) = true;
        }
    }
    const QapiType *branch = branch_of(t, object);

    if (branch) {
        void *sub = g_malloc0(branch->size);

        *(void **)(object + t->variant_offset) = sub;
        return visit_members(v, branch, value, p, sub);
    }
    return true;
}

static bool visit_object(Visit *v, const QapiType *t, json_object *value, const Path *p,
                         void *slot)
{
    if (!json_object_is_type(value, json_type_object)) {
        return bad_type(v, p, "object");
    }
    char *object = g_malloc0(t->size);

    *(void **)slot = object;
    if (!visit_members(v, t, value, p, object)) {
        return false;
    }
    json_object_object_foreach (value, key, item) {
        (void)item;
        if (!key_known(t, object, key)) {
            Path here = { .up = p, .name = key };
            g_autofree char *text = path_text(&here);

            return fail(v->error, "Parameter '%s' is unexpected", text);
        }
    }
    return true;
}

static bool kind_takes(const QapiType *t, json_type jt)
{
    switch (t->kind) {
    case QAPI_STR:
    case QAPI_ENUM:
        return jt == json_type_string;
    case QAPI_INT:
    case QAPI_SIZE:
        return jt == json_type_int;
    case QAPI_NUMBER:
        return jt == json_type_int || jt == json_type_double;
    case QAPI_BOOL:
        return jt == json_type_boolean;
    case QAPI_NULL:
        return jt == json_type_null;
    case QAPI_OBJECT:
        return jt == json_type_object;
    case QAPI_ARRAY:
        return jt == json_type_array;
    default:
        return true;
    }
}

static bool visit_alternate(Visit *v, const QapiType *t, json_object *value, const Path *p,
                            void *slot)
{
    json_type jt = json_object_get_type(value);

    for (unsigned i = 0; i < t->count; i++) {
        const QapiMember *m = &t->members[i];

        /* An enum beside a str takes only its own values. */
        if (!kind_takes(m->type, jt) ||
            (m->type->kind == QAPI_ENUM && i + 1 < t->count &&
             qapi_enum_parse(m->type, json_object_get_string(value)) < 0)) {
            continue;
        }
        char *object = g_malloc0(t->size);

        *(void **)slot = object;
        *(int *)object = m->type->kind;
        return visit(v, m->type, value, p, object + m->offset);
    }
    return bad_type(v, p, t->name);
}

static bool visit(Visit *v, const QapiType *t, json_object *value, const Path *p, void *slot)
{
    switch (t->kind) {
    case QAPI_STR:
        if (!json_object_is_type(value, json_type_string)) {
            return bad_type(v, p, "string");
        }
        *(char **)slot = g_strdup(json_object_get_string(value));
        return true;
    case QAPI_INT:
    case QAPI_SIZE:
        return visit_int(v, t, value, p, slot);
    case QAPI_NUMBER:
        return visit_number(v, value, p, slot);
    case QAPI_BOOL:
        return visit_bool(v, value, p, slot);
    case QAPI_NULL:
        return value ? bad_type(v, p, "null") : true;
    case QAPI_ENUM:
        return visit_enum(v, t, value, p, slot);
    case QAPI_OBJECT:
        return visit_object(v, t, value, p, slot);
    case QAPI_ARRAY:
        return visit_array(v, t, value, p, slot);
    case QAPI_ALTERNATE:
        return visit_alternate(v, t, value, p, slot);
    default:
        *(json_object **)slot = json_object_get(value);
        return true;
    }
}

static bool convert(const QapiType *type, json_object *value, void *slot, bool strings,
                    GError **error)
{
    Visit v = { .strings = strings, .error = error };

    if (visit(&v, type, value, NULL, slot)) {
        return true;
    }
    qapi_clear(type, slot);
    return false;
}

bool qapi_from_json(const QapiType *type, json_object *value, void *slot, GError **error)
{
    return convert(type, value, slot, false, error);
}

bool qapi_from_keyval(const QapiType *type, json_object *value, void *slot, GError **error)
{
    return convert(type, value, slot, true, error);
}

static void members_to_json(const QapiType *t, const char *object, json_object *out)
{
    for (unsigned i = 0; i < t->count; i++) {
        const QapiMember *m = &t->members[i];
        bool present = !m->optional;

        if (m->has_offset) {
            present = *(const bool *)(object + m->has_offset);
        } else if (m->optional) {
            present = *(void *const *)(object + m->offset) != NULL;
        }
        if (present) {
            json_object_object_add(out, m->name, qapi_to_json(m->type, object + m->offset));
        }
    }
    const QapiType *branch = branch_of(t, object);
    const char *sub = branch ? *(char *const *)(object + t->variant_offset) : NULL;

    if (sub) {
        members_to_json(branch, sub, out);
    }
}

static json_object *array_to_json(const QapiType *t, const void *slot)
{
    json_object *out = json_object_new_array();

    if (is_pointer(t->element)) {
        GPtrArray *array = *(GPtrArray *const *)slot;

        for (guint i = 0; array && i < array->len; i++) {
            json_object_array_add(out, qapi_to_json(t->element, &array->pdata[i]));
        }
    } else {
        GArray *array = *(GArray *const *)slot;

        for (guint i = 0; array && i < array->len; i++) {
            json_object_array_add(
                out, qapi_to_json(t->element, array->data + i * slot_size(t->element)));
        }
    }
    return out;
}

json_object *qapi_to_json(const QapiType *type, const void *slot)
{
    switch (type->kind) {
    case QAPI_STR: {
        const char *s = *(char *const *)slot;

        return json_object_new_string(s ? s : "");
    }
    case QAPI_INT:
    case QAPI_SIZE:
        if (type->is_unsigned && type->width == 8) {
            return json_object_new_uint64(*(const uint64_t *)slot);
        }
        return json_object_new_int64(int_load(type, slot));
    case QAPI_NUMBER:
        return json_object_new_double(*(const double *)slot);
    case QAPI_BOOL:
        return json_object_new_boolean(*(const bool *)slot);
    case QAPI_NULL:
        return NULL;
    case QAPI_ENUM:
        return json_object_new_string(qapi_enum_name(type, *(const int *)slot));
    case QAPI_OBJECT: {
        json_object *out = json_object_new_object();
        const char *object = *(char *const *)slot;

        if (object) {
            members_to_json(type, object, out);
        }
        return out;
    }
    case QAPI_ARRAY:
        return array_to_json(type, slot);
    case QAPI_ALTERNATE: {
        const char *object = *(char *const *)slot;

        for (unsigned i = 0; object && i < type->count; i++) {
            if (type->members[i].type->kind == *(const int *)object) {
                return qapi_to_json(type->members[i].type, object + type->members[i].offset);
            }
        }
        return NULL;
    }
    default:
        return json_object_get(*(json_object *const *)slot);
    }
}

static void members_clear(const QapiType *t, char *object)
{
    const QapiType *branch = branch_of(t, object);

    if (branch) {
        qapi_free(branch, *(void **)(object + t->variant_offset));
    }
    for (unsigned i = 0; i < t->count; i++) {
        qapi_clear(t->members[i].type, object + t->members[i].offset);
    }
}

void qapi_free(const QapiType *type, void *object)
{
    if (object) {
        if (type->kind == QAPI_OBJECT) {
            members_clear(type, object);
        } else {
            qapi_clear(type, &object);
            return;
        }
        g_free(object);
    }
}

static void array_clear(const QapiType *t, void *slot)
{
    if (is_pointer(t->element)) {
        GPtrArray *array = *(GPtrArray **)slot;

        for (guint i = 0; array && i < array->len; i++) {
            qapi_clear(t->element, &array->pdata[i]);
        }
        if (array) {
            g_ptr_array_unref(array);
        }
    } else if (*(GArray **)slot) {
        g_array_unref(*(GArray **)slot);
    }
    *(void **)slot = NULL;
}

void qapi_clear(const QapiType *type, void *slot)
{
    switch (type->kind) {
    case QAPI_STR:
        g_clear_pointer((char **)slot, g_free);
        break;
    case QAPI_ANY:
        json_object_put(*(json_object **)slot);
        *(json_object **)slot = NULL;
        break;
    case QAPI_OBJECT:
        qapi_free(type, *(void **)slot);
        *(void **)slot = NULL;
        break;
    case QAPI_ARRAY:
        array_clear(type, slot);
        break;
    case QAPI_ALTERNATE: {
        char *object = *(char **)slot;

        for (unsigned i = 0; object && i < type->count; i++) {
            if (type->members[i].type->kind == *(int *)object) {
                qapi_clear(type->members[i].type, object + type->members[i].offset);
                break;
            }
        }
        g_free(object);
        *(void **)slot = NULL;
        break;
    }
    default:
        memset(slot, 0, slot_size(type));
        break;
    }
}

int qapi_enum_parse(const QapiType *type, const char *text)
{
    for (int i = 0; i < type->count; i++) {
        if (strcmp(type->values[i], text) == 0) {
            return i;
        }
    }
    return -1;
}

const char *qapi_enum_name(const QapiType *type, int value)
{
    return value >= 0 && value < type->count ? type->values[value] : "unknown";
}

bool qapi_enum_lookup(const QapiType *type, const char *param, const char *text, int *value,
                      GError **error)
{
    int n = qapi_enum_parse(type, text);

    if (n < 0) {
        g_autofree char *hint = suggestion(text, type->values);

        return fail(error, "Parameter '%s' does not accept value '%s'%s", param, text, hint);
    }
    *value = n;
    return true;
}
