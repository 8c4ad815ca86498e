// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The objects authz-simple (one name) and authz-list-file (a JSON file with rules, of which the
 * first one that fits decides). Not there: authz-list, authz-pam.
 */
#include "qom/authz.h"

#include <fnmatch.h>
#include <json-c/json.h>
#include <string.h>

#include "qapi/keyval.h"
#include "qom/object.h"
#include "util/error.h"

typedef struct Authz {
    Object obj;
    char *identity, *filename;
    bool refresh; /* without meaning: the file is read each time */
} Authz;

static const ObjectType simple_type, file_type;

/* ---- a file with rules ---- */

static const char *text_of(json_object *o, const char *key, const char *otherwise)
{
    json_object *v = NULL;

    return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string)
               ? json_object_get_string(v)
               : otherwise;
}

/* "allow" or "deny"; -1 + error: neither. */
static int policy_of(json_object *o, const char *otherwise, GError **error)
{
    const char *text = text_of(o, "policy", otherwise);

    if (!text || (strcmp(text, "allow") != 0 && strcmp(text, "deny") != 0)) {
        fail(error, "a policy must be 'allow' or 'deny'");
        return -1;
    }
    return text[0] == 'a';
}

/* 1: it fits; 0: it does not; -1 + error. */
static int rule_fits(json_object *rule, const char *name, GError **error)
{
    const char *match = text_of(rule, "match", NULL), *format = text_of(rule, "format", "exact");

    if (!match) {
        fail(error, "a rule has no 'match'");
        return -1;
    }
    if (strcmp(format, "exact") == 0) {
        return strcmp(match, name) == 0;
    }
    if (strcmp(format, "glob") == 0) {
        return fnmatch(match, name, 0) == 0;
    }
    fail(error, "the format of a rule must be 'exact' or 'glob', not '%s'", format);
    return -1;
}

static int list_decides(json_object *list, const char *name, GError **error)
{
    json_object *rules = NULL;

    if (!json_object_is_type(list, json_type_object)) {
        fail(error, "an object with 'policy' and 'rules' is expected");
        return -1;
    }
    json_object_object_get_ex(list, "rules", &rules);
    if (rules && !json_object_is_type(rules, json_type_array)) {
        fail(error, "'rules' must be a list");
        return -1;
    }
    for (size_t i = 0; rules && i < json_object_array_length(rules); i++) {
        json_object *rule = json_object_array_get_idx(rules, i);
        int fits = rule_fits(rule, name, error);

        if (fits) {
            return fits < 0 ? -1 : policy_of(rule, NULL, error);
        }
    }
    return policy_of(list, "deny", error);
}

static int file_decides(const Authz *a, const char *name, GError **error)
{
    g_autofree char *text = NULL;
    json_object *list;
    int decision;

    if (!g_file_get_contents(a->filename, &text, NULL, error)) {
        return -1;
    }
    list = json_from_text(text, error);
    if (!list) {
        g_prefix_error(error, "%s: ", a->filename);
        return -1;
    }
    decision = list_decides(list, name, error);
    if (decision < 0) {
        g_prefix_error(error, "%s: ", a->filename);
    }
    json_object_put(list);
    return decision;
}

/* ---- the objects ---- */

static bool simple_complete(Object *obj, GError **error)
{
    return ((Authz *)obj)->identity || fail(error, "authz-simple: property 'identity' is not set");
}

static bool file_complete(Object *obj, GError **error)
{
    Authz *a = (Authz *)obj;

    /* what it says must make sense */
    return a->filename ? file_decides(a, "", error) >= 0
                       : fail(error, "authz-list-file: property 'filename' is not set");
}

static const Prop simple_props[] = {
    PROP_STRING(Authz, identity, "identity", .help = "whose name is good"),
    PROP_END,
};

static const Prop file_props[] = {
    PROP_STRING(Authz, filename, "filename", .help = "JSON file with 'policy' and 'rules'"),
    PROP_BOOL(Authz, refresh, "refresh", true, .help = "changes of the file count: they always do"),
    PROP_END,
};

static const ObjectType simple_type = {
    .name = "authz-simple", .desc = "One client that may come", .size = sizeof(Authz), .props = simple_props,
    .user_creatable = true, .early = true, .complete = simple_complete,
};
OBJECT_TYPE(simple_type);

static const ObjectType file_type = {
    .name = "authz-list-file", .desc = "Rules in a file about who may come", .size = sizeof(Authz), .props = file_props,
    .user_creatable = true, .early = true, .complete = file_complete,
};
OBJECT_TYPE(file_type);

static const Authz *find_authz(const char *id, GError **error)
{
    Object *obj = object_child(object_container("/objects"), id);

    if (!obj) {
        return fail_null(error, "No authorization object with id '%s'", id);
    }
    if (obj->type != &simple_type && obj->type != &file_type) {
        return fail_null(error, "Object with id '%s' is not an authorization object", id);
    }
    return (Authz *)obj;
}

bool authz_check(const char *id, GError **error)
{
    return find_authz(id, error) != NULL;
}

bool authz_allowed(const char *id, const char *name, GError **error)
{
    const Authz *a = find_authz(id, error);
    int decision = -1;

    if (a) {
        decision = a->obj.type == &simple_type ? strcmp(a->identity, name) == 0
                                               : file_decides(a, name, error);
    }
    return decision > 0 ||
           (decision == 0 && fail(error, "TLS x509 authz check for %s is denied", name));
}
