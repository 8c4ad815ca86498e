// SPDX-License-Identifier: GPL-2.0-or-later
/* Making images: the options of a format, the file below it, and the format in it. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "block/driver.h"
#include "util/error.h"

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

struct json_object *block_create_options(const BlockDriver *format, const OptDesc *table,
                                         const char *text, GError **error)
{
    struct json_object *o = keyval_parse(text, NULL, error);

    if (!o) {
        return NULL;
    }
    json_object_object_foreach (o, key, value) {
        const OptDesc *d = table;

        (void)value;
        while (d && d->name && strcmp(d->name, key) != 0) {
            d++;
        }
        if (!d || !d->name) {
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

/* Options of ours that the protocol knows as well ("nocow", "preallocation" of a raw file...). */
static struct json_object *protocol_options(const BlockDriver *p, struct json_object *opts,
                                            uint64_t size, bool all)
{
    struct json_object *o = json_object_new_object();

    for (const OptDesc *d = p->create_opts; d && d->name; d++) {
        struct json_object *v;

        if ((all || strcmp(d->name, "nocow") == 0) && opts &&
            json_object_object_get_ex(opts, d->name, &v)) {
            json_object_object_add(o, d->name, json_object_get(v));
        }
    }
    json_object_object_add(o, "size", json_object_new_uint64(size));
    return o;
}

static bool co_make_file(const char *filename, struct json_object *opts, uint64_t size, bool all,
                         GError **error)
{
    const BlockDriver *p = protocol_of(filename, error);
    struct json_object *o;
    bool good;

    if (!p) {
        return false;
    }
    if (!p->co_create) {
        return fail(
            error,
            "Protocol driver '%s' does not support image creation, and opening the image failed",
            p->name);
    }
    o = protocol_options(p, opts, size, all);
    good = p->co_create(filename, o, error);
    json_object_put(o);
    return good;
}

BlockNode *block_create_file(const char *filename, uint64_t size, GError **error)
{
    struct json_object *o;
    BlockNode *n;

    if (!co_make_file(filename, NULL, size, false, error)) {
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

static void co_create(void *opaque)
{
    CreateCall *c = opaque;
    const BlockDriver *d = c->format;

    if (d->co_format) {
        BlockNode *file = block_create_file(c->filename, 0, c->error);
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
    } else if (d->co_create) {
        c->good = d->co_create(c->filename, c->opts, c->error);
    } else if (strcmp(d->name, "raw") == 0) {
        c->good =
            co_make_file(c->filename, c->opts, opts_number(c->opts, "size", 0), true, c->error);
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
