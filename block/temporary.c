// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -snapshot and snapshot=on: writes go to a qcow2 image in $TMPDIR (/var/tmp) that has no name once
 * it is open, and are gone with the process unless they are committed.
 */
#include "block/temporary.h"

#include <errno.h>
#include <json-c/json.h>
#include <fcntl.h>
#include <unistd.h>

#include "block/driver.h"
#include "util/error.h"

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

static bool make_image(const char *name, const BlockNode *below, GError **error)
{
    struct json_object *o = json_object_new_object();
    bool good;

    json_object_object_add(o, "size", json_object_new_uint64(below->length));
    good = block_create(block_driver_find("qcow2"), name, o, error);
    json_object_put(o);
    return good;
}

BlockNode *temporary_open(struct json_object *opts, unsigned flags, GError **error)
{
    const char *dir = g_getenv("TMPDIR") ? g_getenv("TMPDIR") : "/var/tmp";
    g_autofree char *name = g_strdup_printf("%s/vl.XXXXXX", dir);
    BlockNode *below = block_open(opts, flags | BLOCK_OPEN_READ_ONLY, error), *top = NULL;
    struct json_object *o, *file, *cache;
    int fd;

    if (!below) {
        return NULL;
    }
    fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        block_node_unref(below);
        return fail_null(error, "Could not open temporary file '%s': %s", name, g_strerror(errno));
    }
    close(fd);
    if (make_image(name, below, error)) {
        o = json_object_new_object();
        file = json_object_new_object();
        cache = json_object_new_object();
        put(file, "driver", "file");
        put(file, "filename", name);
        put(o, "driver", "qcow2");
        /* nobody will read it again */
        put(cache, "no-flush", "on");
        json_object_object_add(o, "cache", cache);
        json_object_object_add(o, "file", file);
        put(o, "discard", "unmap");
        put(o, "backing", below->name);
        top = block_open(o, flags & ~(unsigned)BLOCK_OPEN_READ_ONLY, error);
        json_object_put(o);
    }
    unlink(name);
    block_node_unref(below);
    return top;
}
