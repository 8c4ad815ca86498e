// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The plain kinds of property values: integers, sizes, switches, strings and enumerations.
 * Error texts are those that management software knows.
 */
#include "qom/object.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

/* ---- integers ---- */

/* What an integer type is, found by its PropType. */
typedef struct IntKind {
    unsigned size;
    bool is_signed;
    const char *c_name;
} IntKind;

static const IntKind int_kinds[] = {
    {1, false, "uint8_t"},  {2, false, "uint16_t"}, {4, false, "uint32_t"},
    {8, false, "uint64_t"}, {4, true, "int32_t"},   {8, true, "int64_t"},
};

static const IntKind *int_kind(const Prop *p)
{
    static const PropType *const by_kind[] = {&prop_uint8,  &prop_uint16, &prop_uint32,
                                              &prop_uint64, &prop_int32,  &prop_int64};

    for (unsigned i = 0; i < G_N_ELEMENTS(by_kind); i++) {
        if (p->type == by_kind[i]) {
            return &int_kinds[i];
        }
    }
    return &int_kinds[3];    /* sizes */
}

static void store_int(const IntKind *k, void *field, uint64_t v)
{
    switch (k->size) {
    case 1: *(uint8_t *)field = v; break;
    case 2: *(uint16_t *)field = v; break;
    case 4: *(uint32_t *)field = v; break;
    default: *(uint64_t *)field = v; break;
    }
}

/* Sign-extended for signed kinds. */
static uint64_t load_int(const IntKind *k, const void *field)
{
    switch (k->size) {
    case 1: return *(const uint8_t *)field;
    case 2: return *(const uint16_t *)field;
    case 4: return k->is_signed ? (uint64_t)*(const int32_t *)field : *(const uint32_t *)field;
    default: return *(const uint64_t *)field;
    }
}

static bool in_limits(struct Object *o, const Prop *p, uint64_t v, GError **error)
{
    bool is_signed = int_kind(p)->is_signed;

    if (p->min == 0 && p->max == 0) {
        return true;
    }
    if (is_signed ? (int64_t)v < (int64_t)p->min || (int64_t)v > (int64_t)p->max
                  : v < p->min || v > p->max) {
        return fail(error,
                    is_signed ? "Property %s.%s doesn't take value %" PRId64 " (minimum: %" PRId64
                                ", maximum: %" PRId64 ")"
                              : "Property %s.%s doesn't take value %" PRIu64 " (minimum: %" PRIu64
                                ", maximum: %" PRIu64 ")",
                    o->type->name, p->name, v, p->min, p->max);
    }
    return true;
}

/* Whether the 64-bit number v (negative: sign-extended) fits the kind. */
static bool fits(const IntKind *k, uint64_t v, bool negative)
{
    unsigned bits = k->size * 8;

    if (k->is_signed) {
        int64_t s = (int64_t)v;

        if (!negative && v > INT64_MAX) {
            return false;
        }
        return bits == 64 || (s >= -(1ll << (bits - 1)) && s < (1ll << (bits - 1)));
    }
    return bits == 64 || (!negative && v < 1ull << bits);
}

static bool int_parse(struct Object *o, const Prop *p, void *field, const char *text,
                      GError **error)
{
    const IntKind *k = int_kind(p);
    bool negative = text[0] == '-';
    uint64_t v = 0;
    int64_t s = 0;

    if (negative ? !parse_i64(text, &s) : !parse_u64(text, &v)) {
        return fail(error, "Parameter '%s' expects integer", p->name);
    }
    v = negative ? (uint64_t)s : v;
    if (!fits(k, v, negative)) {
        return fail(error, "Parameter '%s' expects %s", p->name, k->c_name);
    }
    if (!in_limits(o, p, v, error)) {
        return false;
    }
    store_int(k, field, v);
    return true;
}

static bool int_from_json(struct Object *o, const Prop *p, void *field, struct json_object *v,
                          GError **error)
{
    const IntKind *k = int_kind(p);
    int64_t s;
    uint64_t u;

    if (!json_object_is_type(v, json_type_int)) {
        return prop_fail_json_type(p, "integer", error);
    }
    s = json_object_get_int64(v);
    u = s < 0 ? (uint64_t)s : json_object_get_uint64(v);
    if (!fits(k, u, s < 0)) {
        return fail(error, "Parameter '%s' expects %s", p->name, k->c_name);
    }
    if (!in_limits(o, p, u, error)) {
        return false;
    }
    store_int(k, field, u);
    return true;
}

static struct json_object *int_json(const IntKind *k, uint64_t v)
{
    return k->is_signed ? json_object_new_int64((int64_t)v) : json_object_new_uint64(v);
}

static struct json_object *int_to_json(struct Object *o, const Prop *p, const void *field)
{
    const IntKind *k = int_kind(p);

    return int_json(k, load_int(k, field));
}

static void int_default(struct Object *o, const Prop *p, void *field)
{
    store_int(int_kind(p), field, (uint64_t)p->def);
}

static struct json_object *int_default_json(const Prop *p)
{
    const IntKind *k = int_kind(p);
    uint64_t field = 0;

    store_int(k, &field, (uint64_t)p->def);
    return int_json(k, load_int(k, &field));
}

static char *int_print(struct Object *o, const Prop *p, const void *field)
{
    const IntKind *k = int_kind(p);
    uint64_t v = load_int(k, field);

    if (k->is_signed) {
        return g_strdup_printf("%" PRId64 " (0x%" PRIx64 ")", (int64_t)v,
                               k->size == 4 ? (uint32_t)v : v);
    }
    return g_strdup_printf("%" PRIu64 " (0x%" PRIx64 ")", v, v);
}

#define INT_TYPE(name_)                                                                            \
    {                                                                                              \
        .name = name_, .parse = int_parse, .from_json = int_from_json, .to_json = int_to_json,     \
        .set_default = int_default, .print = int_print, .default_json = int_default_json,          \
    }

const PropType prop_uint8 = INT_TYPE("uint8");
const PropType prop_uint16 = INT_TYPE("uint16");
const PropType prop_uint32 = INT_TYPE("uint32");
const PropType prop_uint64 = INT_TYPE("uint64");
const PropType prop_int32 = INT_TYPE("int32");
const PropType prop_int64 = INT_TYPE("int64");

/* ---- sizes ---- */

static bool size_parse(struct Object *o, const Prop *p, void *field, const char *text,
                       GError **error)
{
    uint64_t v;

    if (!parse_size(text, 1, &v)) {
        return fail(error, "Parameter '%s' expects size", p->name);
    }
    if (!in_limits(o, p, v, error)) {
        return false;
    }
    *(uint64_t *)field = v;
    return true;
}

static char *size_print(struct Object *o, const Prop *p, const void *field)
{
    uint64_t v = *(const uint64_t *)field;
    g_autofree char *human = size_text(v);

    return g_strdup_printf("%" PRIu64 " (%s)", v, human);
}

const PropType prop_size = {
    .name = "size", .parse = size_parse, .from_json = int_from_json, .to_json = int_to_json,
    .set_default = int_default, .print = size_print, .default_json = int_default_json,
};

/* ---- switches ---- */

static bool bool_text(const Prop *p, const char *text, bool *v, GError **error)
{
    return parse_bool(text, v) ||
           fail(error, "Parameter '%s' expects 'on' or 'off'", p->name);
}

static bool bool_json(const Prop *p, struct json_object *v, bool *out, GError **error)
{
    if (!json_object_is_type(v, json_type_boolean)) {
        return prop_fail_json_type(p, "boolean", error);
    }
    *out = json_object_get_boolean(v);
    return true;
}

static bool bool_parse(struct Object *o, const Prop *p, void *field, const char *text,
                       GError **error)
{
    return bool_text(p, text, field, error);
}

static bool bool_from_json(struct Object *o, const Prop *p, void *field, struct json_object *v,
                           GError **error)
{
    return bool_json(p, v, field, error);
}

static struct json_object *bool_to_json(struct Object *o, const Prop *p, const void *field)
{
    return json_object_new_boolean(*(const bool *)field);
}

static void bool_default(struct Object *o, const Prop *p, void *field)
{
    *(bool *)field = p->def != 0;
}

static struct json_object *bool_default_json(const Prop *p)
{
    return json_object_new_boolean(p->def != 0);
}

const PropType prop_bool = {
    .name = "bool", .parse = bool_parse, .from_json = bool_from_json, .to_json = bool_to_json,
    .set_default = bool_default, .default_json = bool_default_json,
};

static void put_bit(const Prop *p, void *field, bool v)
{
    if (p->type == &prop_bit32) {
        uint32_t bit = 1u << p->bit, *f = field;

        *f = v ? *f | bit : *f & ~bit;
    } else {
        uint64_t bit = 1ull << p->bit, *f = field;

        *f = v ? *f | bit : *f & ~bit;
    }
}

static bool bit_parse(struct Object *o, const Prop *p, void *field, const char *text,
                      GError **error)
{
    bool v;

    if (!bool_text(p, text, &v, error)) {
        return false;
    }
    put_bit(p, field, v);
    return true;
}

static bool bit_from_json(struct Object *o, const Prop *p, void *field, struct json_object *j,
                          GError **error)
{
    bool v = false;

    if (!bool_json(p, j, &v, error)) {
        return false;
    }
    put_bit(p, field, v);
    return true;
}

static struct json_object *bit_to_json(struct Object *o, const Prop *p, const void *field)
{
    uint64_t v = p->type == &prop_bit32 ? *(const uint32_t *)field : *(const uint64_t *)field;

    return json_object_new_boolean(v >> p->bit & 1);
}

static void bit_default(struct Object *o, const Prop *p, void *field)
{
    put_bit(p, field, p->def != 0);
}

const PropType prop_bit32 = {
    .name = "bool", .parse = bit_parse, .from_json = bit_from_json, .to_json = bit_to_json,
    .set_default = bit_default, .desc = "on/off", .default_json = bool_default_json,
};
const PropType prop_bit64 = {
    .name = "bool", .parse = bit_parse, .from_json = bit_from_json, .to_json = bit_to_json,
    .set_default = bit_default, .desc = "on/off", .default_json = bool_default_json,
};

/* ---- strings ---- */

static bool string_parse(struct Object *o, const Prop *p, void *field, const char *text,
                         GError **error)
{
    g_free(*(char **)field);
    *(char **)field = g_strdup(text);
    return true;
}

static bool string_from_json(struct Object *o, const Prop *p, void *field, struct json_object *v,
                             GError **error)
{
    if (!json_object_is_type(v, json_type_string)) {
        return prop_fail_json_type(p, "string", error);
    }
    return string_parse(o, p, field, json_object_get_string(v), error);
}

static struct json_object *string_to_json(struct Object *o, const Prop *p, const void *field)
{
    const char *s = *(char *const *)field;

    return json_object_new_string(s != NULL ? s : "");
}

static void string_default(struct Object *o, const Prop *p, void *field)
{
    *(char **)field = g_strdup(p->def_str);
}

static void string_release(void *field)
{
    g_clear_pointer((char **)field, g_free);
}

static struct json_object *string_default_json(const Prop *p)
{
    return p->def_str != NULL ? json_object_new_string(p->def_str) : NULL;
}

const PropType prop_string = {
    .name = "str", .parse = string_parse, .from_json = string_from_json,
    .to_json = string_to_json, .set_default = string_default, .release = string_release,
    .default_json = string_default_json,
};

/* ---- enumerations ---- */

static const char *const on_off_auto_names[] = {"auto", "on", "off", NULL};

static const char *const *enum_names(const Prop *p)
{
    return p->type == &prop_on_off_auto ? on_off_auto_names : p->names;
}

static const char *enum_name(const Prop *p, int64_t v)
{
    const char *const *names = enum_names(p);

    for (int64_t i = 0; names[i] != NULL; i++) {
        if (i == v) {
            return names[i];
        }
    }
    return "";
}

static bool enum_parse(struct Object *o, const Prop *p, void *field, const char *text,
                       GError **error)
{
    const char *const *names = enum_names(p);
    g_autofree char *hint = NULL;

    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], text) == 0) {
            *(int *)field = i;
            return true;
        }
    }
    hint = suggestion(text, names);
    return fail(error, "Parameter '%s' does not accept value '%s'%s", p->name, text, hint);
}

static bool enum_from_json(struct Object *o, const Prop *p, void *field, struct json_object *v,
                           GError **error)
{
    if (!json_object_is_type(v, json_type_string)) {
        return prop_fail_json_type(p, "string", error);
    }
    return enum_parse(o, p, field, json_object_get_string(v), error);
}

static struct json_object *enum_to_json(struct Object *o, const Prop *p, const void *field)
{
    return json_object_new_string(enum_name(p, *(const int *)field));
}

static void enum_default(struct Object *o, const Prop *p, void *field)
{
    *(int *)field = (int)p->def;
}

static struct json_object *enum_default_json(const Prop *p)
{
    return json_object_new_string(enum_name(p, p->def));
}

const PropType prop_enum = {
    .name = "enum", .parse = enum_parse, .from_json = enum_from_json, .to_json = enum_to_json,
    .set_default = enum_default, .default_json = enum_default_json,
};
const PropType prop_on_off_auto = {
    .name = "OnOffAuto", .parse = enum_parse, .from_json = enum_from_json,
    .to_json = enum_to_json, .set_default = enum_default, .desc = "on/off/auto",
    .default_json = enum_default_json,
};
