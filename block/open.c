// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From options to nodes: what every node has, the driver's own, children and backing files; names
 * as people write them ("nbd://host/x", "json:{...}") into options.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "block/driver.h"
#include "block/graph.h"
#include "qapi/qapi.h"
#include "util/error.h"

/* Images below images, at most: headers may name each other in a circle. */
#define MAX_DEPTH 200

/* Nodes that are being opened, one for the sake of another. */
static unsigned depth;

static BlockNode *open_node(struct json_object *opts, const BlockNode *parent, unsigned role,
                            unsigned flags, GError **error);

/* ---- options of every node ---- */

bool block_get_bool(struct json_object *opts, const char *key, bool *value, GError **error)
{
    struct json_object *v;

    if (!json_object_object_get_ex(opts, key, &v)) {
        return true;
    }
    if (json_object_is_type(v, json_type_boolean)) {
        *value = json_object_get_boolean(v);
        return true;
    }
    if (!json_object_is_type(v, json_type_string)) {
        return fail(error, "Invalid parameter type for '%s', expected: boolean", key);
    }
    return bool_parse(json_object_get_string(v), key, value, error);
}

static bool get_enum(struct json_object *opts, const char *key, const char *const *names,
                     int *value, GError **error)
{
    const char *text = keyval_get(opts, key);

    for (int i = 0; text && names[i]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *value = i;
            return true;
        }
    }
    return !text || fail(error, "Parameter '%s' does not accept value '%s'", key, text);
}

static bool get_flag(BlockNode *n, struct json_object *opts, const char *key, unsigned flag,
                     GError **error)
{
    bool value = n->open_flags & flag;

    if (!block_get_bool(opts, key, &value, error)) {
        return false;
    }
    n->open_flags = value ? n->open_flags | flag : n->open_flags & ~flag;
    return true;
}

bool block_get_common(BlockNode *n, struct json_object *opts, GError **error)
{
    static const char *const discards[] = { "ignore", "unmap", "off", "on", NULL };
    static const char *const zeroes[] = { "off", "on", "unmap", NULL };
    struct json_object *cache;
    int discard = n->unmap;

    if (json_object_object_get_ex(opts, "cache", &cache)) {
        if (!json_object_is_type(cache, json_type_object)) {
            return fail(error, "Invalid parameter type for 'cache', expected: object");
        }
        json_object_object_foreach (cache, key, value) {
            (void)value;
            if (strcmp(key, "direct") != 0 && strcmp(key, "no-flush") != 0 &&
                ((n->open_flags & BLOCK_OPEN_BLOCKDEV) || strcmp(key, "writeback") != 0)) {
                return fail(error, "Parameter 'cache.%s' is unexpected", key);
            }
        }
        if (!block_get_bool(cache, "direct", &n->direct, error) ||
            !block_get_bool(cache, "no-flush", &n->no_flush, error)) {
            return false;
        }
    }
    if (!block_get_bool(opts, "read-only", &n->read_only, error) ||
        !get_flag(n, opts, "auto-read-only", BLOCK_OPEN_AUTO_READ_ONLY, error) ||
        !get_flag(n, opts, "force-share", BLOCK_OPEN_FORCE_SHARE, error) ||
        !get_enum(opts, "discard", discards, &discard, error) ||
        !get_enum(opts, "detect-zeroes", zeroes, &n->detect_zeroes, error)) {
        return false;
    }
    n->unmap = discard & 1;
    if (n->detect_zeroes == 2 && !n->unmap) {
        return fail(error, "setting detect-zeroes to unmap is not allowed without setting discard "
                           "operation to unmap");
    }
    if ((n->open_flags & BLOCK_OPEN_FORCE_SHARE) && !n->read_only) {
        return fail(error, "force-share=on can only be used with read-only images");
    }
    return true;
}

static bool is_common(const char *key)
{
    static const char *const common[] = {
        "driver", "node-name", "read-only", "auto-read-only", "cache", "discard", "detect-zeroes",
        "force-share", NULL,
    };

    return g_strv_contains(common, key);
}

/* ---- the driver's own ---- */

static const BlockChildDesc file_child[] = {
    {"file", BLOCK_ROLE_DATA | BLOCK_ROLE_METADATA | BLOCK_ROLE_PRIMARY}, {NULL}};
static const BlockChildDesc filter_child[] = {{"file", BLOCK_ROLE_FILTERED | BLOCK_ROLE_PRIMARY},
                                              {NULL}};
static const BlockChildDesc no_child[] = { { NULL } };

static const BlockChildDesc *children_of(const BlockDriver *d)
{
    return d->children   ? d->children
           : d->protocol ? no_child
           : d->filter   ? filter_child
                         : file_child;
}

static bool is_child_key(const BlockDriver *d, const char *key)
{
    if (d->backing && strcmp(key, "backing") == 0) {
        return true;
    }
    for (const BlockChildDesc *c = children_of(d); c->name; c++) {
        size_t len = strcspn(c->name, "*");

        /* "children.*" takes "children" */
        if (c->name[len] ? strlen(key) == len - 1 && strncmp(key, c->name, len - 1) == 0
                         : strcmp(c->name, key) == 0) {
            return true;
        }
    }
    return false;
}

static void flatten(struct json_object *out, const char *prefix, struct json_object *v)
{
    if (json_object_is_type(v, json_type_object)) {
        json_object_object_foreach (v, key, item) {
            g_autofree char *name = g_strdup_printf("%s.%s", prefix, key);

            flatten(out, name, item);
        }
    } else if (json_object_is_type(v, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(v); i++) {
            g_autofree char *name = g_strdup_printf("%s.%zu", prefix, i);

            flatten(out, name, json_object_array_get_idx(v, i));
        }
    } else {
        json_object_object_add(out, prefix, json_object_get(v));
    }
}

static const OptDesc *find_row(const OptDesc *table, const char *key)
{
    for (const OptDesc *d = table; d && d->name; d++) {
        size_t len = strlen(d->name);

        if (strcmp(d->name, key) == 0 ||
            (len > 1 && d->name[len - 1] == '*' && strncmp(d->name, key, len - 1) == 0)) {
            return d;
        }
    }
    return NULL;
}

struct json_object *block_own_options(const BlockDriver *d, struct json_object *opts, bool strict,
                                      GError **error)
{
    struct json_object *flat = json_object_new_object(), *own = json_object_new_object();
    struct json_object *loose = json_object_new_object();
    bool good = true;

    json_object_object_foreach (opts, key, value) {
        if (!is_common(key) && !is_child_key(d, key)) {
            flatten(flat, key, value);
        }
    }
    json_object_object_foreach (flat, name, item) {
        const OptDesc *row = find_row(d->opts, name);

        if (!row) {
            good = strict ? fail(error, "Parameter '%s' is unexpected", name)
                          : fail(error, "Block %s '%s' does not support the option '%s'",
                                 d->protocol ? "protocol" : "format", d->name, name);
            break;
        }
        json_object_object_add(row->name[strlen(row->name) - 1] == '*' ? loose : own, name,
                               json_object_get(item));
    }
    good = good && (!d->opts || opts_check(own, d->opts, NULL, error));
    json_object_object_foreach (loose, more, text) {
        json_object_object_add(own, more, json_object_get(text));
    }
    json_object_put(flat);
    json_object_put(loose);
    if (!good) {
        json_object_put(own);
        return NULL;
    }
    return own;
}

struct json_object *block_nest_options(struct json_object *in)
{
    struct json_object *out = json_object_new_object();

    json_object_object_foreach (in, key, value) {
        g_auto(GStrv) parts = g_strsplit(key, ".", -1);
        struct json_object *at = out, *next;
        unsigned i = 0;

        for (; parts[i] && parts[i + 1]; i++) {
            if (!json_object_object_get_ex(at, parts[i], &next) ||
                !json_object_is_type(next, json_type_object)) {
                next = json_object_new_object();
                json_object_object_add(at, parts[i], next);
            }
            at = next;
        }
        json_object_object_add(at, parts[i] ? parts[i] : key, json_object_get(value));
    }
    return out;
}

/* ---- names as people write them ---- */

static const BlockDriver *scheme_driver(const char *scheme)
{
    extern const BlockDriver *const __start_block_drivers[], *const __stop_block_drivers[];

    for (const BlockDriver *const *d = __start_block_drivers; d < __stop_block_drivers; d++) {
        if ((*d)->protocol && ((*d)->schemes ? g_strv_contains((*d)->schemes, scheme)
                                             : strcmp((*d)->name, scheme) == 0)) {
            return *d;
        }
    }
    return NULL;
}

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

struct json_object *block_filename_options(const char *name, GError **error)
{
    size_t scheme =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._");
    g_autofree char *protocol = NULL;
    const BlockDriver *d = NULL;
    struct json_object *o;
    struct stat st;

    if (g_str_has_prefix(name, "json:")) {
        o = json_from_text(name + 5, error);
        if (!o) {
            g_prefix_error(error, "Could not parse the JSON options: ");
            return NULL;
        }
        if (o && !json_object_is_type(o, json_type_object)) {
            json_object_put(o);
            return fail_null(error, "Could not parse the JSON options");
        }
        struct json_object *nested = block_nest_options(o);

        json_object_put(o);
        return nested;
    }
    if (name[scheme] == ':' && scheme > 0) {
        protocol = g_strndup(name, scheme);
        d = strcmp(protocol, "file") == 0 ? NULL : scheme_driver(protocol);
        if (!d && strcmp(protocol, "file") != 0) {
            return fail_null(error, "Unknown protocol '%s'", protocol);
        }
    }
    o = json_object_new_object();
    if (d) {
        put(o, "driver", d->name);
        if (d->parse_filename) {
            if (!d->parse_filename(name, o, error)) {
                json_object_put(o);
                return NULL;
            }
        } else if (g_str_has_prefix(d->name, "null-")) {
            g_autofree char *only = g_strconcat(d->name, "://", NULL);

            if (strcmp(name, only) != 0) {
                json_object_put(o);
                return fail_null(error, "The only allowed filename for this driver is '%s'", only);
            }
        } else if (find_row(d->opts, "filename")) {
            put(o, "filename", name);
        }
        return o;
    }
    const char *path = protocol ? name + 5 : name;
    bool device = stat(path, &st) == 0 && (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode));

    put(o, "driver", device ? "host_device" : "file");
    put(o, "filename", path);
    return o;
}

/* Where a "proto:" ends, or name itself. */
static const char *skip_protocol(const char *name)
{
    const char *colon = strchr(name, ':'), *slash = strchr(name, '/');

    return colon && (!slash || colon < slash) ? colon + 1 : name;
}

char *block_resolve_relative(const char *base, const char *name)
{
    const char *slash;

    if (skip_protocol(name) != name || name[0] == '/' || g_str_has_prefix(base, "json:")) {
        return g_strdup(name);
    }
    slash = strrchr(skip_protocol(base), '/');
    if (!slash) {
        return g_strdup_printf("%.*s%s", (int)(skip_protocol(base) - base), base, name);
    }
    return g_strdup_printf("%.*s/%s", (int)(slash - base), base, name);
}

/* ---- children ---- */

/* The option's node: opened, or found. A reference for the caller. */
static BlockNode *child_from_option(BlockNode *n, struct json_object *v, unsigned role,
                                    GError **error)
{
    BlockNode *child;

    if (json_object_is_type(v, json_type_object)) {
        struct json_object *o = json_object_get(v);

        if (!keyval_get(o, "driver") && !(n->open_flags & BLOCK_OPEN_BLOCKDEV)) {
            const char *filename = keyval_get(o, "filename");

            if (filename && (role & BLOCK_ROLE_METADATA || !(role & BLOCK_ROLE_COW))) {
                struct json_object *all = block_filename_options(filename, error);

                if (all) {
                    json_object_object_foreach (o, key, value) {
                        if (strcmp(key, "filename") != 0) {
                            json_object_object_add(all, key, json_object_get(value));
                        }
                    }
                }
                json_object_put(o);
                if (!all) {
                    return NULL;
                }
                o = all;
            } else if (!(role & BLOCK_ROLE_COW)) {
                struct json_object *all = NULL;

                json_object_deep_copy(o, &all, NULL);
                json_object_put(o);
                o = all;
                put(o, "driver", "file");
            }
        }
        child = open_node(o, n, role, n->open_flags, error);
        json_object_put(o);
        return child;
    }
    const char *name = json_object_get_string(v);

    child = name ? block_node_find(name) : NULL;
    if (!child) {
        return fail_null(error, "Cannot find device='' nor node-name='%s'", name ? name : "");
    }
    if (!n->read_only && child->read_only && !(role & BLOCK_ROLE_COW)) {
        if (!(n->open_flags & BLOCK_OPEN_AUTO_READ_ONLY)) {
            return fail_null(error, "Block node '%s' is read-only", name);
        }
        n->read_only = true;
    }
    return block_node_ref(child);
}

static bool add_child(BlockNode *n, const char *name, unsigned role, struct json_object *v,
                      GError **error)
{
    BlockNode *child = child_from_option(n, v, role, error);

    return child && block_child_attach(n, child, name, role, error);
}

static bool add_list(BlockNode *n, const BlockChildDesc *c, struct json_object *v, GError **error)
{
    g_autofree char *base = g_strndup(c->name, strlen(c->name) - 1);    /* with the dot */

    for (size_t i = 0; json_object_is_type(v, json_type_array) && i < json_object_array_length(v);
         i++) {
        g_autofree char *name = g_strdup_printf("%s%zu", base, i);

        if (!add_child(n, name, c->role, json_object_array_get_idx(v, i), error)) {
            return false;
        }
    }
    if (json_object_is_type(v, json_type_object)) {
        json_object_object_foreach (v, key, item) {
            g_autofree char *name = g_strdup_printf("%s%s", base, key);

            if (!add_child(n, name, c->role, item, error)) {
                return false;
            }
        }
    }
    return true;
}

static bool open_children(BlockNode *n, struct json_object *opts, GError **error)
{
    for (const BlockChildDesc *c = children_of(n->driver); c->name; c++) {
        g_autofree char *key = g_strdup(c->name);
        bool list = strchr(key, '*') != NULL;
        struct json_object *v;

        if (list) {
            key[strlen(key) - 2] = '\0';
        }
        if (!json_object_object_get_ex(opts, key, &v)) {
            if (!c->optional && !list) {
                return (n->open_flags & BLOCK_OPEN_BLOCKDEV)
                           ? fail(error, "Parameter '%s' is missing", key)
                           : fail(error, "A block device must be specified for \"%s\"", key);
            }
            continue;
        }
        if (!(list ? add_list(n, c, v, error) : add_child(n, key, c->role, v, error))) {
            return false;
        }
    }
    return true;
}

bool block_child_given(BlockNode *n, const char *name)
{
    return json_object_object_get_ex(n->options, name, NULL);
}

BlockNode *block_child_open(BlockNode *n, const char *name, unsigned role, const char *filename,
                            const char *format, GError **error)
{
    struct json_object *v;
    BlockNode *child;

    if (block_child(n, name)) {
        return block_child(n, name);
    }
    if (json_object_object_get_ex(n->options, name, &v)) {
        return add_child(n, name, role, v, error) ? block_child(n, name) : NULL;
    }
    if (!filename) {
        return fail_null(error, "A block device must be specified for \"%s\"", name);
    }
    g_autofree char *full = block_resolve_relative(n->filename ? n->filename : "", filename);
    struct json_object *o = block_filename_options(full, error);

    if (!o) {
        return NULL;
    }
    if (!format || *format) {
        struct json_object *top = json_object_new_object();

        json_object_object_add(top, "file", o);
        if (format) {
            put(top, "driver", format);
        }
        o = top;
    }
    child = open_node(o, n, role, n->open_flags & ~BLOCK_OPEN_BLOCKDEV, error);
    json_object_put(o);
    return child && block_child_attach(n, child, name, role, error) ? child : NULL;
}

/* The image that shows where this one has nothing. */
static bool open_backing(BlockNode *n, struct json_object *opts, GError **error)
{
    struct json_object *v = NULL;
    bool given = json_object_object_get_ex(opts, "backing", &v);
    struct json_object *o = NULL;
    BlockNode *child;

    if ((given &&
         (!v || (json_object_is_type(v, json_type_string) && !*json_object_get_string(v)))) ||
        (n->open_flags & BLOCK_OPEN_NO_BACKING)) {
        return true;
    }
    if (given && (json_object_is_type(v, json_type_string) || keyval_get(v, "driver"))) {
        return add_child(n, "backing", BLOCK_ROLE_COW, v, error);
    }
    if (!given && !n->backing_file) {
        return true;
    }
    if (given && (json_object_object_get_ex(v, "file", NULL) || keyval_get(v, "filename"))) {
        o = json_object_get(v);
    } else {
        g_autofree char *full =
            block_resolve_relative(n->filename, n->backing_file ? n->backing_file : "");
        struct json_object *file = block_filename_options(full, error);

        if (!file) {
            g_prefix_error(error, "Could not open backing file: ");
            return false;
        }
        o = json_object_new_object();
        if (g_str_has_prefix(full, "json:")) {
            json_object_put(o);
            o = file;
        } else {
            json_object_object_add(o, "file", file);
        }
        if (given) {
            json_object_object_foreach (v, key, value) {
                json_object_object_add(o, key, json_object_get(value));
            }
        }
    }
    if (n->backing_format && !keyval_get(o, "driver")) {
        put(o, "driver", n->backing_format);
    }
    child = open_node(o, n, BLOCK_ROLE_COW, n->open_flags & ~BLOCK_OPEN_BLOCKDEV, error);
    json_object_put(o);
    if (!child) {
        g_prefix_error(error, "Could not open backing file: ");
        return false;
    }
    return block_child_attach(n, child, "backing", BLOCK_ROLE_COW, error);
}

/* ---- the node ---- */

/* Looks at the first bytes of the child for a format that we must not take for raw. */
static bool probe_format(BlockNode *n, GError **error)
{
    g_autofree uint8_t *head = g_malloc0(BLOCK_PROBE_BYTES);
    size_t len = MIN(n->file->length, BLOCK_PROBE_BYTES);
    int ret = len ? block_pread(n->file, 0, head, len) : 0;
    const BlockDriver *found;

    if (ret < 0) {
        return fail_errno(error, -ret, "Could not read image for determining its format");
    }
    found = block_probe_named(head, len, n->file->filename);
    if (!found) {
        const char *format = block_probe(head, len);

        found = block_driver_find(format);
        if (!found) {
            return fail(error, "Could not open '%s': image format '%s' is not supported yet",
                        n->file->filename, format);
        }
    }
    n->driver = found;
    n->probed = strcmp(found->name, "raw") == 0 && !n->read_only;
    if (n->probed && !(n->open_flags & BLOCK_OPEN_QUIET)) {
        fprintf(stderr,
                "WARNING: Image format was not specified for '%s' and probing guessed raw.\n"
                "         Automatically detecting the format is dangerous for raw images, write "
                "operations on block 0 will be restricted.\n"
                "         Specify the 'raw' format explicitly to remove the restrictions.\n",
                n->file->filename);
    }
    return true;
}

static bool find_driver(BlockNode *n, struct json_object *opts, GError **error)
{
    const char *name = keyval_get(opts, "driver");
    bool strict = n->open_flags & BLOCK_OPEN_BLOCKDEV;

    if (!name && strict) {
        return fail(error, "Parameter 'driver' is missing");
    }
    if (!name && !opts_has(opts, "file")) {
        return fail(error, "Must specify either driver or file");
    }
    n->driver = block_driver_find(name ? name : "raw");
    if (!n->driver) {
        g_autofree char *hint = block_driver_suggestion(name);

        return strict ? fail(error, "Parameter 'driver' does not accept value '%s'%s", name, hint)
                      : fail(error, "Unknown driver '%s'%s", name, hint);
    }
    return true;
}

typedef struct OpenCall {
    BlockNode *n;
    struct json_object *own;
    GError **error;
    bool good;
} OpenCall;

static void co_open(void *opaque)
{
    OpenCall *c = opaque;

    c->good = c->n->driver->open(c->n, c->own, c->error);
}

static bool fill(BlockNode *n, struct json_object *opts, GError **error)
{
    OpenCall call = { .n = n, .error = error };

    if (!find_driver(n, opts, error) || !block_get_common(n, opts, error) ||
        !node_set_name(n, keyval_get(opts, "node-name"), error) || !open_children(n, opts, error)) {
        return false;
    }
    if (n->file && !n->filename) {
        n->read_only |= n->file->read_only;
        n->filename = g_strdup(n->file->filename);
    }
    if (!n->driver->protocol && !keyval_get(opts, "driver") && !probe_format(n, error)) {
        return false;
    }
    if (n->driver->filter && n->file) {
        n->length = n->file->length;
        n->align = n->file->align;
    }
    call.own = block_own_options(n->driver, opts, n->open_flags & BLOCK_OPEN_BLOCKDEV, error);
    if (!call.own) {
        return false;
    }
    n->state = g_malloc0(MAX(n->driver->state_size, 1));
    block_run(co_open, &call);
    if (n->driver->activate) {
        n->own_options = call.own;
    } else {
        json_object_put(call.own);
    }
    return call.good;
}

static void co_close_again(void *opaque)
{
    BlockNode *n = opaque;

    if (n->driver->close) {
        n->driver->close(n);
    }
}

static void inherit(BlockNode *n, const BlockNode *parent, unsigned role)
{
    n->read_only = parent->read_only || (role & BLOCK_ROLE_COW) != 0;
    n->direct = parent->direct;
    n->no_flush = parent->no_flush;
    n->unmap = role & BLOCK_ROLE_COW ? parent->unmap : true;
    n->open_flags |= BLOCK_OPEN_QUIET;
}

static BlockNode *open_node(struct json_object *opts, const BlockNode *parent, unsigned role,
                            unsigned flags, GError **error)
{
    BlockNode *n;
    bool good;

    if (depth >= MAX_DEPTH) {
        return fail_null(error, "more than %d images lie below each other", MAX_DEPTH);
    }
    n = node_new();
    n->open_flags = flags;
    n->read_only = flags & BLOCK_OPEN_READ_ONLY;
    n->inactive = block_begins_inactive();
    n->options = json_object_get(opts);
    if (parent) {
        inherit(n, parent, role);
    }
    depth++;
    good = fill(n, opts, error);
    if (good) {
        if (!n->filename) {
            n->filename = g_strdup("");
        }
        good = perm_refresh(n, error) && (!n->driver->backing || open_backing(n, opts, error));
        if (!good) {
            block_run(co_close_again, n);
        }
    }
    depth--;
    if (!good) {
        node_free(n);
        return NULL;
    }
    node_enter(n);
    return n;
}

BlockNode *block_open(struct json_object *opts, unsigned flags, GError **error)
{
    return open_node(opts, NULL, 0, flags, error);
}

BlockNode *block_node_open(struct json_object *opts, bool blockdev, GError **error)
{
    return block_open(opts, blockdev ? BLOCK_OPEN_BLOCKDEV : BLOCK_OPEN_AUTO_READ_ONLY, error);
}

BlockNode *block_open_image(const char *filename, const char *format, struct json_object *more,
                            unsigned flags, GError **error)
{
    struct json_object *o = block_filename_options(filename, error);
    const BlockDriver *d = format ? block_driver_find(format) : NULL;
    BlockNode *n;

    if (!o) {
        return NULL;
    }
    if (format && !d) {
        g_autofree char *hint = block_driver_suggestion(format);

        json_object_put(o);
        return fail_null(error, "Unknown driver '%s'%s", format, hint);
    }
    if (d && d->protocol) {
        put(o, "driver", format);
    } else if (!g_str_has_prefix(filename, "json:")) {
        struct json_object *top = json_object_new_object();

        json_object_object_add(top, "file", o);
        o = top;
    }
    if (d) {
        put(o, "driver", format);
    }
    if (more) {
        json_object_object_foreach (more, key, value) {
            json_object_object_add(o, key, json_object_get(value));
        }
    }
    n = block_open(o, flags, error);
    json_object_put(o);
    return n;
}

BlockNode *block_node_insert(const BlockDriver *d, const char *name, BlockNode *below,
                             GError **error)
{
    BlockNode *n = node_new();
    OpenCall call = { .n = n, .error = error };
    bool good;

    n->driver = d;
    n->read_only = below->read_only;
    n->unmap = true;
    n->options = json_object_new_object();
    n->filename = g_strdup(below->filename);
    n->length = below->length;
    n->align = below->align;
    n->state = g_malloc0(MAX(d->state_size, 1));
    good = node_set_name(n, name, error) &&
           block_child_attach(n, block_node_ref(below), d->filters_backing ? "backing" : "file",
                              BLOCK_ROLE_FILTERED | BLOCK_ROLE_PRIMARY, error);
    if (good && d->open) {
        call.own = json_object_new_object();
        block_run(co_open, &call);
        json_object_put(call.own);
        good = call.good;
    }
    if (!good) {
        node_free(n);
        return NULL;
    }
    node_enter(n);
    return n;
}
