// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * key=value option text to JSON objects, strict numbers and sizes, and typed option tables.
 */
#include "qapi/keyval.h"

#include <json-c/json.h>
#include <string.h>

#include "util/cutils.h"
#include "util/error.h"

enum { MAX_NESTING = 32 };

/* One item up to a single comma; *text moves behind that. */
static char *next_item(const char **text)
{
    GString *out = g_string_new(NULL);
    const char *p = *text;

    while (*p) {
        if (*p == ',') {
            if (p[1] != ',') {
                break;
            }
            p++;
        }
        g_string_append_c(out, *p++);
    }
    *text = *p ? p + 1 : p;
    return g_string_free(out, FALSE);
}

/* Splits an item into key and value, in place; *value may be a constant. */
static const char *split_item(char *item, const char *implied, const char **value)
{
    char *eq = strchr(item, '=');

    if (eq) {
        *eq = '\0';
        *value = eq + 1;
        return item;
    }
    if (implied) {
        *value = item;
        return implied;
    }
    if (g_str_has_prefix(item, "no") && item[2]) {
        *value = "off";
        return item + 2;
    }
    *value = "on";
    return item;
}

json_object *keyval_parse(const char *text, const char *implied_key, GError **error)
{
    json_object *out = json_object_new_object();

    while (*text) {
        g_autofree char *item = next_item(&text);
        const char *value;
        const char *key = split_item(item, implied_key, &value);

        implied_key = NULL;
        if (!*key && !*value) {
            continue;
        }
        if (!*key) {
            fail(error, "Invalid parameter ''");
            json_object_put(out);
            return NULL;
        }
        json_object_object_add(out, key, json_object_new_string(value));
    }
    return out;
}

static bool nest_put(json_object *out, const char *key, const char *value, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(key, ".", MAX_NESTING + 1);
    guint n = g_strv_length(parts);

    if (n > MAX_NESTING) {
        return fail(error, "Invalid parameter '%s'", key);
    }
    for (guint i = 0; i < n; i++) {
        json_object *sub;

        if (!*parts[i]) {
            return fail(error, "Invalid parameter '%s'", key);
        }
        bool there = json_object_object_get_ex(out, parts[i], &sub);

        if (i == n - 1) {
            if (there && json_object_is_type(sub, json_type_object)) {
                return fail(error, "Parameters '%s.*' used inconsistently", key);
            }
            json_object_object_add(out, parts[i], json_object_new_string(value));
            return true;
        }
        if (there && !json_object_is_type(sub, json_type_object)) {
            return fail(error, "Parameters '%s.*' used inconsistently", parts[i]);
        }
        if (!there) {
            sub = json_object_new_object();
            json_object_object_add(out, parts[i], sub);
        }
        out = sub;
    }
    return true;
}

/* Objects whose keys are 0, 1, 2 ... become lists. Returns what is to replace `value`. */
static json_object *listify(json_object *value, GError **error)
{
    size_t n = json_object_object_length(value), numeric = 0;

    json_object_object_foreach (value, key, item) {
        if (json_object_is_type(item, json_type_object)) {
            json_object *now = listify(item, error);

            if (!now) {
                return NULL;
            }
            if (now != item) {
                json_object_object_add(value, key, now);
            }
        }
        numeric += g_ascii_isdigit(key[0]) && strspn(key, "0123456789") == strlen(key);
    }
    if (numeric == 0) {
        return value;
    }
    json_object *list = json_object_new_array();

    for (size_t i = 0; i < n; i++) {
        g_autofree char *index = g_strdup_printf("%zu", i);
        json_object *element;

        if (!json_object_object_get_ex(value, index, &element)) {
            fail(error, "Parameter '%s' is missing", index);
            json_object_put(list);
            return NULL;
        }
        json_object_array_add(list, json_object_get(element));
    }
    return list;
}

json_object *keyval_parse_nested(const char *text, const char *implied_key, GError **error)
{
    json_object *out = json_object_new_object();

    while (*text) {
        g_autofree char *item = next_item(&text);
        const char *value;
        const char *key = split_item(item, implied_key, &value);

        implied_key = NULL;
        if (!nest_put(out, key, value, error)) {
            json_object_put(out);
            return NULL;
        }
    }
    json_object *now = listify(out, error);

    if (now != out) {
        bool list = now != NULL;

        json_object_put(now);
        json_object_put(out);
        if (list) {
            fail(error, "Invalid parameter '0'");
        }
        return NULL;
    }
    return out;
}

json_object *keyval_or_json(const char *text, const char *implied_key, bool *json, GError **error)
{
    *json = text[0] == '{';
    return *json ? json_from_text(text, error) : keyval_parse_nested(text, implied_key, error);
}

char *keyval_escape(const char *value)
{
    GString *out = g_string_new(NULL);

    for (; *value; value++) {
        g_string_append_len(out, ",,", *value == ',' ? 2 : 0);
        if (*value != ',') {
            g_string_append_c(out, *value);
        }
    }
    return g_string_free(out, FALSE);
}

const char *keyval_get(json_object *kv, const char *key)
{
    json_object *v;

    return json_object_object_get_ex(kv, key, &v) ? json_object_get_string(v) : NULL;
}

bool keyval_wants_help(const char *text)
{
    while (*text) {
        g_autofree char *item = next_item(&text);

        const char *value = g_str_has_prefix(item, "model=")  ? item + 6
                            : g_str_has_prefix(item, "type=") ? item + 5
                                                              : item;

        if (strcmp(value, "help") == 0 || strcmp(value, "?") == 0) {
            return true;
        }
    }
    return false;
}

static bool size_error(const char *name, GError **error)
{
    return fail(error, "Parameter '%s' expects a non-negative number below 2^64\n"
                "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\n"
                "and exabytes, respectively.", name);
}

bool size_parse_unit(const char *text, const char *name, uint64_t unit, uint64_t *value,
                     GError **error)
{
    return parse_size(text, unit, value) || size_error(name, error);
}

bool size_parse(const char *text, const char *name, uint64_t *value, GError **error)
{
    return size_parse_unit(text, name, 1, value, error);
}

bool int_parse(const char *text, const char *name, bool is_unsigned, int64_t *value,
               GError **error)
{
    if (is_unsigned && text[0] != '-' ? parse_u64(text, (uint64_t *)value)
                                      : parse_i64(text, value)) {
        return true;
    }
    return fail(error, "Parameter '%s' expects a number", name);
}

bool bool_parse(const char *text, const char *name, bool *value, GError **error)
{
    return parse_bool(text, value) || fail(error, "Parameter '%s' expects 'on' or 'off'", name);
}

static const OptDesc *find_desc(const OptDesc *table, const char *key)
{
    while (table->name && strcmp(table->name, key) != 0) {
        table++;
    }
    return table->name ? table : NULL;
}

static bool bad_key(const OptDesc *table, const char *key, const char *what, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (; table->name; table++) {
        g_ptr_array_add(names, (void *)table->name);
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *hint = suggestion(key, (const char *const *)names->pdata);

    return fail(error, "%sInvalid parameter '%s'%s", what ? what : "", key, hint);
}

/* The typed value of `item`, a new reference. */
static bool convert(const OptDesc *d, json_object *item, json_object **out, GError **error)
{
    static const json_type types[] = { [OPT_STRING] = json_type_string,
                                       [OPT_BOOL] = json_type_boolean,
                                       [OPT_NUMBER] = json_type_int,
                                       [OPT_SIZE] = json_type_int };
    static const char *const words[] = { "string", "boolean", "integer", "integer" };

    if (json_object_is_type(item, types[d->kind])) {
        *out = json_object_get(item);
        return true;
    }
    if (!json_object_is_type(item, json_type_string)) {
        return fail(error, "Invalid parameter type for '%s', expected: %s", d->name,
                    words[d->kind]);
    }
    const char *text = json_object_get_string(item);
    uint64_t size = 0;
    int64_t n = 0;
    bool b = false;

    switch (d->kind) {
    case OPT_BOOL:
        if (!bool_parse(text, d->name, &b, error)) {
            return false;
        }
        *out = json_object_new_boolean(b);
        return true;
    case OPT_NUMBER:
        if (!int_parse(text, d->name, true, &n, error)) {
            return false;
        }
        *out = json_object_new_uint64((uint64_t)n);
        return true;
    default:
        if (!size_parse(text, d->name, &size, error)) {
            return false;
        }
        *out = json_object_new_uint64(size);
        return true;
    }
}

bool opts_check(json_object *kv, const OptDesc *table, const char *what, GError **error)
{
    json_object_object_foreach (kv, key, item) {
        const OptDesc *d = find_desc(table, key);
        json_object *now = NULL;

        if (!d) {
            return bad_key(table, key, what, error);
        }
        if (!convert(d, item, &now, error)) {
            return false;
        }
        if (now == item) {
            json_object_put(now);
        } else {
            json_object_object_add(kv, key, now);
        }
    }
    return true;
}

const char *opts_string(json_object *kv, const char *key, const char *def)
{
    const char *s = keyval_get(kv, key);

    return s ? s : def;
}

bool opts_bool(json_object *kv, const char *key, bool def)
{
    json_object *v;

    return json_object_object_get_ex(kv, key, &v) ? json_object_get_boolean(v) : def;
}

uint64_t opts_number(json_object *kv, const char *key, uint64_t def)
{
    json_object *v;

    return json_object_object_get_ex(kv, key, &v) ? json_object_get_uint64(v) : def;
}

bool opts_has(json_object *kv, const char *key)
{
    return json_object_object_get_ex(kv, key, NULL);
}
