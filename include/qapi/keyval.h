// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * key=value text, as options take it, turned into JSON objects; and the typed tables that
 * options which belong to no object are checked against.
 */
#ifndef QAPI_KEYVAL_H
#define QAPI_KEYVAL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct json_object;

/*
 * "v,k=v2,k3" as a flat object of strings: ",," in a value is a comma, a first item without
 * '=' belongs to implied_key (NULL: none), any other is "on" (or "off" when it begins with
 * "no"). The last of equal keys counts, in its first one's place.
 */
struct json_object *keyval_parse(const char *text, const char *implied_key, GError **error);
/* The same, but "a.b=x" makes {"a": {"b": "x"}} and "a.0=x,a.1=y" makes {"a": ["x", "y"]}. */
struct json_object *keyval_parse_nested(const char *text, const char *implied_key,
                                        GError **error);
/* JSON when the text starts with '{', else keyval_parse_nested(). `*json` says which. */
struct json_object *keyval_or_json(const char *text, const char *implied_key, bool *json,
                                   GError **error);
/* The inverse of a comma's escape: doubles each comma of a value. */
char *keyval_escape(const char *value);
/* A string member of a flat object, or NULL. */
const char *keyval_get(struct json_object *kv, const char *key);
/* Whether the text asks for help: "help" or "?", or an item of its list that is. */
bool keyval_wants_help(const char *text);

/* Strict text to number; `name` is for the error. Sizes take the suffixes B K M G T P E. */
bool size_parse(const char *text, const char *name, uint64_t *value, GError **error);
/* The same for sizes whose bare numbers count `unit` bytes (-m 512). */
bool size_parse_unit(const char *text, const char *name, uint64_t unit, uint64_t *value,
                     GError **error);
bool int_parse(const char *text, const char *name, bool is_unsigned, int64_t *value,
               GError **error);
bool bool_parse(const char *text, const char *name, bool *value, GError **error);

typedef enum OptKind { OPT_STRING, OPT_BOOL, OPT_NUMBER, OPT_SIZE } OptKind;

/* One parameter of an option group; tables end with a row without a name. */
typedef struct OptDesc {
    const char *name;
    OptKind kind;
    const char *help;
    const char *def;
} OptDesc;

/*
 * Checks the flat object kv against a table and turns its strings into typed values. Members
 * that were typed already must be of the right type. `what` names the option in errors.
 */
bool opts_check(struct json_object *kv, const OptDesc *table, const char *what, GError **error);

/* Typed members of a checked object, or the default. Strings are owned by the object. */
const char *opts_string(struct json_object *kv, const char *key, const char *def);
bool opts_bool(struct json_object *kv, const char *key, bool def);
uint64_t opts_number(struct json_object *kv, const char *key, uint64_t def);
bool opts_has(struct json_object *kv, const char *key);

/* JSON text to a value, one value and nothing after it, of bounded depth. */
struct json_object *json_from_text(const char *text, GError **error);

#endif
