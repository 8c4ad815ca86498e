// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Short forms of chardevs, as -serial, -monitor, -gdb and the like take them, rewritten into
 * the options of -chardev.
 */
#include <json-c/json.h>
#include <string.h>

#include "chardev/internal.h"
#include "util/error.h"

static void put(json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

/* "host:port" or ":port" up to the first comma; the rest are options. */
static bool put_address(json_object *o, const char *text, const char *host_key,
                        const char *port_key, GError **error)
{
    const char *comma = strchr(text, ',');
    g_autofree char *addr = comma ? g_strndup(text, (gsize)(comma - text)) : g_strdup(text);
    char *host = addr, *colon;

    if (addr[0] == '[') {
        char *end = strchr(addr, ']');

        if (!end || end[1] != ':') {
            return fail(error, "parse error: %s", text);
        }
        *end = '\0';
        host = addr + 1;
        colon = end + 1;
    } else {
        colon = strrchr(addr, ':');
    }
    if (!colon || !colon[1]) {
        return fail(error, "parse error: %s", text);
    }
    *colon = '\0';
    put(o, host_key, host);
    put(o, port_key, colon + 1);
    return true;
}

/* Options behind the first comma of text are added to o. */
static bool put_rest(json_object *o, const char *text, GError **error)
{
    const char *comma = strchr(text, ',');
    json_object *more = comma ? keyval_parse(comma + 1, NULL, error) : NULL;

    if (comma && !more) {
        return false;
    }
    if (more) {
        json_object_object_foreach (more, key, value) {
            json_object_object_add(o, key, json_object_get(value));
        }
        json_object_put(more);
    }
    return true;
}

static bool parse_udp(json_object *o, const char *text, GError **error)
{
    const char *at = strchr(text, '@');
    g_autofree char *remote = at ? g_strndup(text, (gsize)(at - text)) : g_strdup(text);

    put(o, "backend", "udp");
    return put_address(o, remote, "host", "port", error) &&
           (!at || put_address(o, at + 1, "localaddr", "localport", error));
}

/* Forms "prefix:PATH[,options]". */
static const struct {
    const char *prefix, *backend, *key;
} path_forms[] = {
    { "file:", "file", "path" },
    { "pipe:", "pipe", "path" },
    { "unix:", "socket", "path" },
    { "/dev/", "serial", NULL },
};

static bool parse_spec(json_object *o, const char *spec, GError **error)
{
    static const char *const plain[] = { "null", "pty", "stdio", "vc", "ringbuf" };

    for (size_t i = 0; i < ARRAY_COUNT(plain); i++) {
        size_t n = strlen(plain[i]);

        if (strncmp(spec, plain[i], n) == 0 && (!spec[n] || spec[n] == ',')) {
            put(o, "backend", plain[i]);
            return put_rest(o, spec, error);
        }
    }
    if (g_str_has_prefix(spec, "vc:")) {
        put(o, "backend", "vc");    /* its size only matters to a window */
        return true;
    }
    if (g_str_has_prefix(spec, "tcp:") || g_str_has_prefix(spec, "telnet:")) {
        bool telnet = spec[1] == 'e';

        put(o, "backend", "socket");
        if (telnet) {
            put(o, "telnet", "on");
        }
        return put_address(o, strchr(spec, ':') + 1, "host", "port", error) &&
               put_rest(o, spec, error);
    }
    if (g_str_has_prefix(spec, "udp:")) {
        return parse_udp(o, spec + 4, error);
    }
    for (size_t i = 0; i < ARRAY_COUNT(path_forms); i++) {
        if (g_str_has_prefix(spec, path_forms[i].prefix)) {
            const char *path = spec + (path_forms[i].key ? strlen(path_forms[i].prefix) : 0);
            const char *comma = strchr(path, ',');
            g_autofree char *name = comma ? g_strndup(path, (gsize)(comma - path)) : g_strdup(path);

            put(o, "backend", path_forms[i].backend);
            put(o, "path", name);
            return put_rest(o, path, error);
        }
    }
    static const char *const names[] = { "null", "none", "stdio", "mon:stdio", "pty", "vc", "file:",
                                         "pipe:", "unix:", "tcp:", "telnet:", "udp:", "chardev:",
                                         "ringbuf", NULL };
    g_autofree char *hint = suggestion(spec, names);

    return fail(error, "'%s' is not a valid char driver%s", spec, hint);
}

Chardev *chardev_new_short_mon(const char *id, const char *spec, bool *with_monitor,
                               GError **error)
{
    if (with_monitor) {
        *with_monitor = false;
    }
    if (g_str_has_prefix(spec, "chardev:")) {
        return chardev_find(spec + strlen("chardev:"), error);
    }
    if (strcmp(spec, "none") == 0) {
        return NULL;
    }
    json_object *o = json_object_new_object();

    put(o, "id", id);
    if (g_str_has_prefix(spec, "mon:")) {
        spec += strlen("mon:");
        put(o, "mux", "on");
        if (with_monitor) {
            *with_monitor = true;
        }
        if (strcmp(spec, "stdio") == 0) {
            put(o, "signal", "off");    /* Ctrl-C goes to the guest */
        }
    }
    Chardev *c = parse_spec(o, spec, error) ? chardev_new(o, error) : NULL;

    json_object_put(o);
    return c;
}

Chardev *chardev_new_short(const char *id, const char *spec, GError **error)
{
    return chardev_new_short_mon(id, spec, NULL, error);
}
