// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The block layer for programs without a machine: start and end, objects, opening by command line
 * names.
 */
#include "block/tool.h"

#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "block/driver.h"
#include "qom/object-help.h"
#include "qom/object.h"
#include "util/error.h"
#include "util/main-loop.h"

void tool_init(const char *name)
{
    g_set_prgname(name);
    signal(SIGPIPE, SIG_IGN);
    main_loop_init();
}

void tool_exit(void)
{
    block_cleanup();
}

int tool_fail(GError *err)
{
    error_report_free(err);
    return 1;
}

int tool_error(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", g_get_prgname(), text);
    return 1;
}

bool tool_object_help(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    if (!keyval_wants_help(text)) {
        return false;
    }
    if (!user_object_help(text, out, &error)) {
        tool_error("%s", error->message);
        return true;
    }
    fputs(out->str, stdout);
    fflush(stdout);
    return true;
}

bool tool_object_add(const char *text, GError **error)
{
    bool json;
    struct json_object *o = keyval_or_json(text, "qom-type", &json, error);
    const char *type, *id;
    bool good;

    if (!o) {
        return false;
    }
    type = keyval_get(o, "qom-type");
    id = keyval_get(o, "id");
    if (!type) {
        good = fail(error, "Parameter 'qom-type' is missing");
    } else if (!id) {
        good = fail(error, "Parameter 'id' is missing");
    } else {
        good = user_object_add(type, id, o, !json, error);
    }
    json_object_put(o);
    return good;
}

bool tool_trace(const char *text, GError **error)
{
    return true;
}

bool tool_cache_mode(const char *mode, bool *direct, bool *no_flush, bool *writethrough)
{
    static const struct { const char *name; bool direct, no_flush, through;
    } modes[] = {
        {"none", true, false, false},      {"off", true, false, false},
        {"directsync", true, false, true}, {"writeback", false, false, false},
        {"unsafe", false, true, false},    {"writethrough", false, false, true},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(modes); i++) {
        if (strcmp(modes[i].name, mode) == 0) {
            *direct = modes[i].direct;
            *no_flush = modes[i].no_flush;
            *writethrough = modes[i].through;
            return true;
        }
    }
    return false;
}

bool tool_aio_mode(const char *mode, unsigned *flags)
{
    if (!mode || strcmp(mode, "threads") == 0) {
        return true;
    }
    *flags |= strcmp(mode, "native") == 0     ? BLOCK_OPEN_NATIVE_AIO
              : strcmp(mode, "io_uring") == 0 ? BLOCK_OPEN_IO_URING
                                              : 0;
    return *flags & (BLOCK_OPEN_NATIVE_AIO | BLOCK_OPEN_IO_URING);
}

static void put(struct json_object *o, const char *key, bool value)
{
    json_object_object_add(o, key, json_object_new_boolean(value));
}

BlockNode *tool_open(const char *filename, bool image_opts, const char *format, const char *cache,
                     unsigned flags, GError **error)
{
    struct json_object *more = json_object_new_object(), *modes = json_object_new_object();
    bool direct = false, no_flush = false, through = false;
    BlockNode *n = NULL;

    json_object_object_add(more, "cache", modes);
    if (cache && !tool_cache_mode(cache, &direct, &no_flush, &through)) {
        json_object_put(more);
        return fail_null(error, "Invalid cache option: %s", cache);
    }
    put(modes, "direct", direct);
    put(modes, "no-flush", no_flush);
    if (!image_opts) {
        if (flags & BLOCK_OPEN_FORCE_SHARE) {
            put(more, "force-share", true);
        }
        n = block_open_image(filename, format, more, flags, error);
    } else if (format) {
        fail(error, "--image-opts and --format are mutually exclusive");
        json_object_put(more);
        return NULL;
    } else {
        struct json_object *o = keyval_parse_nested(filename, NULL, error);

        if (o) {
            if (!opts_has(o, "cache")) {
                json_object_object_add(o, "cache", json_object_get(modes));
            }
            n = block_open(o, flags, error);
            json_object_put(o);
        }
    }
    json_object_put(more);
    if (!n) {
        g_prefix_error(error, "Could not open '%s': ", filename);
    }
    return n;
}
