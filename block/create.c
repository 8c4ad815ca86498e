// SPDX-License-Identifier: GPL-2.0-or-later
/* Making images: the options of a format, the file below it, and the format in it. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "block/driver.h"
#include "util/error.h"

static const OptDesc *find_row(const OptDesc *table, const char *name)
{
    const OptDesc *d = table;

    while (d && d->name && strcmp(d->name, name) != 0) {
        d++;
    }
    return d && d->name ? d : NULL;
}

bool block_prealloc_parse(const char *text, BlockPrealloc *mode, GError **error)
{
    static const char *const names[] = { "off", "metadata", "falloc", "full" };

    for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(names[i], text) == 0) {
            *mode = (BlockPrealloc)i;
            return true;
        }
    }
    return fail(error, "Parameter 'preallocation' does not accept value '%s'", text);
}

/* Rows of a format, and those that only the file it lies in knows. */
static OptDesc *rows_with_file(const OptDesc *table)
{
    GArray *rows = g_array_new(TRUE, FALSE, sizeof(OptDesc));
    const OptDesc *file = block_driver_find("file")->create_opts;

    for (const OptDesc *d = table; d && d->name; d++) {
        g_array_append_val(rows, *d);
    }
    for (const OptDesc *d = file; d && d->name; d++) {
        if (!find_row(table, d->name)) {
            g_array_append_val(rows, *d);
        }
    }
    return (OptDesc *)g_array_free(rows, FALSE);
}

struct json_object *block_create_options(const BlockDriver *format, const OptDesc *table,
                                         const char *text, GError **error)
{
    struct json_object *o = keyval_parse(text, NULL, error);
    g_autofree OptDesc *all = NULL;

    if (!o) {
        return NULL;
    }
    if (table == format->create_opts && !format->protocol) {
        all = rows_with_file(table);
        table = all;
    }
    json_object_object_foreach (o, key, value) {
        (void)value;
        if (!find_row(table, key)) {
            fail(error, "Invalid parameter '%s'", key);
            json_object_put(o);
            return NULL;
        }
    }
    for (const OptDesc *d = table; d && d->name; d++) {
        if (d->def && !opts_has(o, d->name)) {
            json_object_object_add(o, d->name, json_object_new_string(d->def));
        }
    }
    if (!opts_check(o, table, NULL, error)) {
        json_object_put(o);
        return NULL;
    }
    return o;
}

/* The driver of a name's protocol. */
static const BlockDriver *protocol_of(const char *filename, GError **error)
{
    struct json_object *o = block_filename_options(filename, error);
    const BlockDriver *d = NULL;

    if (o) {
        const char *name = keyval_get(o, "driver");

        d = name ? block_driver_find(name) : NULL;
        if (!d) {
            fail(error, "Unknown protocol of '%s'", filename);
        }
        json_object_put(o);
    }
    return d;
}

typedef struct CreateCall {
    const BlockDriver *format;
    const char *filename;
    struct json_object *opts;
    GError **error;
    bool good;
} CreateCall;

/*
 * Options of ours that the protocol knows as well: all of a raw file, otherwise those that the
 * format makes nothing of.
 */
static struct json_object *protocol_options(const BlockDriver *p, struct json_object *opts,
                                            uint64_t size, const OptDesc *own)
{
    struct json_object *o = json_object_new_object();

    for (const OptDesc *d = p->create_opts; d && d->name; d++) {
        struct json_object *v;

        if (opts && !find_row(own, d->name) && json_object_object_get_ex(opts, d->name, &v)) {
            json_object_object_add(o, d->name, json_object_get(v));
        }
    }
    json_object_object_add(o, "size", json_object_new_uint64(size));
    return o;
}

static bool co_make_file(const char *filename, struct json_object *opts, uint64_t size,
                         const OptDesc *own, GError **error)
{
    const BlockDriver *p = protocol_of(filename, error);
    struct json_object *o;
    bool good;

    if (!p) {
        return false;
    }
    if (!p->co_create) {
        g_autoptr(GError) why = NULL;
        struct json_object *names = block_filename_options(filename, &why);
        BlockNode *n = names ? block_open(names, 0, &why) : NULL;

        /* what is there already will do */
        json_object_put(names);
        block_node_unref(n);
        return n || fail(error,
                         "Protocol driver '%s' does not support image creation, and opening the "
                         "image failed: %s",
                         p->name, why->message);
    }
    o = protocol_options(p, opts, size, own);
    good = p->co_create(filename, o, error);
    json_object_put(o);
    return good;
}

static BlockNode *create_file(const char *filename, uint64_t size, struct json_object *opts,
                              const OptDesc *own, GError **error)
{
    struct json_object *o;
    BlockNode *n;

    if (!co_make_file(filename, opts, size, own, error)) {
        return NULL;
    }
    o = block_filename_options(filename, error);
    if (!o) {
        return NULL;
    }
    n = block_open(o, 0, error);
    json_object_put(o);
    if (n) {
        n->unmap = true;
    }
    return n;
}

BlockNode *block_create_file(const char *filename, uint64_t size, GError **error)
{
    return create_file(filename, size, NULL, NULL, error);
}

/* What was begun is of no use to anybody. */
static void remove_file(const char *filename)
{
    g_autoptr(GError) why = NULL;
    struct json_object *o = block_filename_options(filename, &why);
    const char *driver = o ? keyval_get(o, "driver") : NULL;

    if (driver && strcmp(driver, "file") == 0) {
        unlink(opts_string(o, "filename", ""));
    }
    json_object_put(o);
}

static void co_create(void *opaque)
{
    CreateCall *c = opaque;
    const BlockDriver *d = c->format;

    if (d->co_format) {
        BlockNode *file = create_file(c->filename, 0, c->opts, d->create_opts, c->error);
        BlockEdge *e = file ? block_attach(file, "image creation",
                                           BLOCK_PERM_READ | BLOCK_PERM_WRITE_UNCHANGED,
                                           BLOCK_PERM_ALL, c->error)
                            : NULL;

        c->good = e && d->co_format(file, c->opts, c->error);
        if (c->good) {
            int ret = co_block_flush(file);

            c->good = ret == 0 || fail_errno(c->error, -ret, "Could not flush '%s'", c->filename);
        }
        block_detach(e);
        block_node_unref(file);
        if (file && !c->good) {
            remove_file(c->filename);
        }
    } else if (d->co_create) {
        c->good = d->co_create(c->filename, c->opts, c->error);
    } else if (strcmp(d->name, "raw") == 0) {
        c->good =
            co_make_file(c->filename, c->opts, opts_number(c->opts, "size", 0), NULL, c->error);
    } else {
        c->good = fail(c->error, "Format driver '%s' does not support image creation", d->name);
    }
}

bool block_create(const BlockDriver *format, const char *filename, struct json_object *opts,
                  GError **error)
{
    CreateCall c = { .format = format, .filename = filename, .opts = opts, .error = error };

    block_run(co_create, &c);
    return c.good;
}
