// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The name that queries and messages of tools give a node: a plain one ("dir/x.qcow2", "nbd://...")
 * when opening that shows the same data, otherwise "json:{...}" with all options that matter to
 * what is read. Options about caches, locks or speed never do.
 */
#include <json-c/json.h>
#include <string.h>

#include "block/driver.h"
#include "qapi/qapi.h"

/* Options of drivers that are no protocols; "x." stands for all members of an object or list. */
static const struct {
    const char *driver;
    const char *names[8];
} strong[] = {
    { "raw", { "offset", "size" } },
    { "luks", { "key-secret" } },
    { "qcow2", { "encrypt" } },
    { "qcow", { "encrypt" } },
    { "throttle", { "throttle-group" } },
    { "copy-on-read", { "bottom" } },
    { "quorum", { "vote-threshold", "blkverify", "rewrite-corrupted", "read-pattern" } },
    { "blkdebug", { "config", "inject-error", "set-state", "align", "max-transfer" } },
    { "snapshot-access", { NULL } },
};

/* Of protocols, those that do not count. */
static const char *const weak[] = {
    "driver", "aio", "locking", "drop-cache", "x-check-cache-dropped", "pr-manager", "cache",
    "node-name", "read-only", "auto-read-only", "discard", "detect-zeroes", "force-share",
    "latency-ns", "reconnect-delay", "open-timeout", "readahead", "timeout", NULL,
};

static struct json_object *full_options(BlockNode *n);

/* blkdebug and blkverify count as protocols, and have children. */
static bool is_leaf(const BlockNode *n)
{
    return n->driver->protocol && n->children->len == 0;
}

static struct json_object *member(BlockNode *n, const char *name)
{
    struct json_object *v = NULL;

    return n->options && json_object_object_get_ex(n->options, name, &v) ? v : NULL;
}

/* Options of -blockdev have the type that the driver says; those of names and -drive stay text. */
static struct json_object *typed(BlockNode *n, const char *name, struct json_object *v)
{
    const OptDesc *d = n->driver->opts;
    g_autoptr(GError) why = NULL;
    uint64_t number;
    bool flag;

    while (d && d->name && strcmp(d->name, name) != 0) {
        d++;
    }
    if (d && d->name && n->open_flags & BLOCK_OPEN_BLOCKDEV &&
        json_object_is_type(v, json_type_string)) {
        const char *text = json_object_get_string(v);

        if ((d->kind == OPT_SIZE || d->kind == OPT_NUMBER) &&
            size_parse(text, name, &number, &why)) {
            return json_object_new_uint64(number);
        }
        if (d->kind == OPT_BOOL && bool_parse(text, name, &flag, &why)) {
            return json_object_new_boolean(flag);
        }
    }
    return json_object_get(v);
}

/* Objects and lists as members with dots. */
static void put_flat(struct json_object *out, BlockNode *n, const char *name,
                     struct json_object *v)
{
    if (json_object_is_type(v, json_type_object)) {
        json_object_object_foreach (v, key, inner) {
            g_autofree char *path = g_strdup_printf("%s.%s", name, key);

            put_flat(out, n, path, inner);
        }
    } else if (json_object_is_type(v, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(v); i++) {
            g_autofree char *path = g_strdup_printf("%s.%zu", name, i);

            put_flat(out, n, path, json_object_array_get_idx(v, i));
        }
    } else {
        json_object_object_add(out, name, typed(n, name, v));
    }
}

static bool put_strong(struct json_object *out, BlockNode *n)
{
    bool any = false;

    for (unsigned i = 0; i < ARRAY_COUNT(strong); i++) {
        for (const char *const *name = strong[i].names;
             strcmp(strong[i].driver, n->driver->name) == 0 && *name; name++) {
            struct json_object *v = member(n, *name);

            any |= v != NULL;
            if (v && out) {
                put_flat(out, n, *name, v);
            }
        }
    }
    return any;
}

/* Whether what is below differs from what the header says. */
static bool other_backing(BlockNode *n)
{
    BlockNode *below = n->backing ? block_skip_implicit(n->backing) : NULL;

    if (!n->driver->backing || n->open_flags & BLOCK_OPEN_NO_BACKING) {
        return false;
    }
    if (!below) {
        /* the user wanted none */
        struct json_object *v;

        return n->backing_file && n->options &&
               json_object_object_get_ex(n->options, "backing", &v) && v == NULL;
    }
    if (!n->backing_file) {
        return true;
    }
    g_autofree char *told = block_resolve_relative(n->filename, n->backing_file);
    g_autofree char *is = block_node_filename(below);

    return strcmp(told, is) != 0;
}

static char *plain_name(BlockNode *n)
{
    g_autofree char *first = NULL, *second = NULL;
    BlockNode *below = n->file;

    if (is_leaf(n)) {
        bool null = g_str_has_prefix(n->driver->name, "null-");

        return null && (member(n, "size") || member(n, "read-zeroes")) ? NULL
                                                                       : g_strdup(n->filename);
    }
    if (strcmp(n->driver->name, "blkverify") == 0 && n->children->len == 2) {
        first = plain_name(((BlockEdge *)g_ptr_array_index(n->children, 0))->node);
        second = plain_name(((BlockEdge *)g_ptr_array_index(n->children, 1))->node);
        return first && second ? g_strdup_printf("blkverify:%s:%s", first, second) : NULL;
    }
    if (!below) {
        return *n->filename ? g_strdup(n->filename) : NULL;
    }
    if (strcmp(n->driver->name, "blkdebug") == 0) {
        first = plain_name(below);
        return first && !member(n, "inject-error") && !member(n, "set-state")
                   ? g_strdup_printf("blkdebug:%s:%s", opts_string(n->options, "config", ""), first)
                   : NULL;
    }
    if ((n->driver->filter && keyval_get(n->options, "driver")) || put_strong(NULL, n) ||
        other_backing(n)) {
        return NULL;
    }
    return plain_name(below);
}

static struct json_object *full_options(BlockNode *n)
{
    struct json_object *o = json_object_new_object(), *list = NULL;

    json_object_object_add(o, "driver", json_object_new_string(n->driver->name));
    if (is_leaf(n) && n->options) {
        json_object_object_foreach (n->options, key, value) {
            if (!g_strv_contains(weak, key)) {
                put_flat(o, n, key, value);
            }
        }
        return o;
    }
    put_strong(o, n);
    for (unsigned i = 0; i < n->children->len; i++) {
        BlockEdge *e = g_ptr_array_index(n->children, i);

        if (e->role & BLOCK_ROLE_COW && !other_backing(n)) {
            continue;
        }
        if (g_str_has_prefix(e->name, "children.")) {
            list = list ? list : json_object_new_array();
            json_object_array_add(list, full_options(block_skip_implicit(e->node)));
        } else {
            json_object_object_add(o, e->name, full_options(block_skip_implicit(e->node)));
        }
    }
    if (list) {
        json_object_object_add(o, "children", list);
    }
    if (!n->backing && other_backing(n)) {
        json_object_object_add(o, "backing", NULL);
    }
    return o;
}

char *block_node_filename(BlockNode *n)
{
    char *plain = *n->filename || !n->file ? plain_name(n) : NULL;
    struct json_object *o;
    GString *text;

    if (plain || (!*n->filename && n->file)) {
        return plain ? plain : g_strdup("");
    }
    o = full_options(n);
    text = g_string_new("json:");
    json_append(text, o, false);
    json_object_put(o);
    return g_string_free(text, FALSE);
}
