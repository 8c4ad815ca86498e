// SPDX-License-Identifier: GPL-2.0-or-later
/* QMP commands of chardevs and of file descriptors handed over by clients; `prop_chardev`. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "chardev/internal.h"
#include "qapi/qapi-commands.h"
#include "qom/object.h"
#include "util/error.h"
#include "util/fdset.h"

static void add_info(Chardev *c, void *opaque)
{
    ChardevInfo *info = g_new0(ChardevInfo, 1);

    info->label = g_strdup(c->id);
    info->filename = chardev_filename(c);
    info->frontend_open = c->fe_open || (c->fe && c->driver->attach);
    g_ptr_array_add(opaque, info);
}

GPtrArray *qmp_query_chardev(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    chardev_foreach(add_info, list);
    return list;
}

static void add_backend(const ChardevDriver *d, void *opaque)
{
    if (!d->hidden) {
        ChardevBackendInfo *info = g_new0(ChardevBackendInfo, 1);

        info->name = g_strdup(d->name);
        g_ptr_array_add(opaque, info);
    }
}

GPtrArray *qmp_query_chardev_backends(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    chardev_driver_foreach(add_backend, list);
    return list;
}

/* Copies the members of a nested object into the flat form; addresses lose their wrapping. */
static void flatten(json_object *from, const char *prefix, json_object *to)
{
    json_object_object_foreach (from, key, value) {
        json_object *data;

        if (strcmp(key, "type") == 0) {
            continue;
        }
        if (json_object_is_type(value, json_type_object)) {
            bool local = strcmp(key, "local") == 0;

            if (json_object_object_get_ex(value, "data", &data)) {
                flatten(data, local ? "local" : "", to);
            }
            continue;
        }
        const char *name = strcmp(key, "device") == 0 || strcmp(key, "out") == 0 ? "path"
                           : strcmp(key, "in") == 0 ? "input-path"
                           : strcmp(key, "str") == 0 ? "fd" : key;
        g_autofree char *full = *prefix && strcmp(name, "host") == 0 ? g_strdup("localaddr")
                                : g_strconcat(prefix, name, NULL);

        if (strcmp(name, "numeric") != 0 && strcmp(name, "keep-alive") != 0) {
            json_object_object_add(to, full, json_object_get(value));
        }
    }
}

ChardevReturn *qmp_chardev_add(QmpCall *call, const QmpChardevAddArgs *args, GError **error)
{
    json_object *o = json_object_new_object();
    json_object *backend = qapi_to_json(&qapi_type_ChardevBackend, &args->backend), *data;
    const char *kind = qapi_enum_name(&qapi_type_ChardevBackendKind, args->backend->type);

    json_object_object_add(o, "id", json_object_new_string(args->id));
    json_object_object_add(o, "backend", json_object_new_string(kind));
    if (json_object_object_get_ex(backend, "data", &data)) {
        flatten(data, "", o);
    }
    if (args->backend->type == CHARDEV_BACKEND_KIND_SOCKET && !opts_has(o, "server")) {
        json_object_object_add(o, "server", json_object_new_boolean(true));
        if (!opts_has(o, "wait")) {
            json_object_object_add(o, "wait", json_object_new_boolean(false));
        }
    }
    Chardev *c = chardev_new(o, error);
    ChardevReturn *ret = NULL;

    if (c) {
        ret = g_new0(ChardevReturn, 1);
        if (args->backend->type == CHARDEV_BACKEND_KIND_PTY) {
            g_autofree char *name = chardev_filename(c);

            ret->pty = g_strdup(name + strlen("pty:"));
        }
    }
    json_object_put(backend);
    json_object_put(o);
    return ret;
}

bool qmp_chardev_remove(QmpCall *call, const QmpChardevRemoveArgs *args, GError **error)
{
    return chardev_remove(args->id, error);
}

static Chardev *find_plain(const char *id, GError **error)
{
    g_autoptr(GError) why = NULL;
    Chardev *c = chardev_find(id, &why);

    if (!c) {
        return fail_null(error, "Chardev '%s' not found", id);
    }
    return c;
}

bool qmp_chardev_send_break(QmpCall *call, const QmpChardevSendBreakArgs *args, GError **error)
{
    Chardev *c = find_plain(args->id, error);

    if (c) {
        chardev_event(c, CHARDEV_BREAK);
    }
    return c != NULL;
}

bool qmp_ringbuf_write(QmpCall *call, const QmpRingbufWriteArgs *args, GError **error)
{
    g_autoptr(GError) why = NULL;
    Chardev *c = chardev_find(args->device, &why);
    gsize len;

    if (!c) {
        return fail(error, "Device '%s' not found", args->device);
    }
    if (!ringbuf_is(c)) {
        return fail(error, "%s is not a ringbuf device", args->device);
    }
    if (args->has_format && args->format == DATA_FORMAT_BASE64) {
        g_autofree guchar *data = g_base64_decode(args->data, &len);

        c->driver->write(c, data, len);
    } else {
        c->driver->write(c, (const uint8_t *)args->data, strlen(args->data));
    }
    return true;
}

char *qmp_ringbuf_read(QmpCall *call, const QmpRingbufReadArgs *args, GError **error)
{
    g_autoptr(GError) why = NULL;
    Chardev *c = chardev_find(args->device, &why);

    if (!c) {
        return fail_null(error, "Device '%s' not found", args->device);
    }
    if (!ringbuf_is(c)) {
        return fail_null(error, "%s is not a ringbuf device", args->device);
    }
    if (args->size <= 0 || args->size > (int64_t)GIB) {
        return fail_null(error, "size must be greater than zero");
    }
    g_autofree uint8_t *buf = g_malloc((gsize)args->size + 1);
    size_t n = ringbuf_take(c, buf, (size_t)args->size);

    if (args->has_format && args->format == DATA_FORMAT_BASE64) {
        return g_base64_encode(buf, n);
    }
    buf[n] = '\0';
    return g_strdup((char *)buf);
}

/* --- file descriptors -------------------------------------------------------------------- */

static void add_set(int64_t set, int fd, const char *opaque, void *data)
{
    GPtrArray *list = data;
    FdsetInfo *info = list->len ? list->pdata[list->len - 1] : NULL;

    if (!info || info->fdset_id != set) {
        info = g_new0(FdsetInfo, 1);
        info->fdset_id = set;
        info->fds = g_ptr_array_new();
        g_ptr_array_add(list, info);
    }
    FdsetFdInfo *member = g_new0(FdsetFdInfo, 1);

    member->fd = fd;
    member->opaque = g_strdup(opaque);
    g_ptr_array_add(info->fds, member);
}

GPtrArray *qmp_query_fdsets(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    fdset_foreach(add_set, list);
    return list;
}

bool qmp_remove_fd(QmpCall *call, const QmpRemoveFdArgs *args, GError **error)
{
    return fdset_remove(args->fdset_id, args->has_fd ? (int)args->fd : -1, error);
}

bool qmp_closefd(QmpCall *call, const QmpClosefdArgs *args, GError **error)
{
    if (!fd_name_close(args->fdname)) {
        return fail(error, "File descriptor named '%s' not found", args->fdname);
    }
    return true;
}

/* --- the property type: field is a `Chardev *`, attached by the device when it is realized ---- */

static bool prop_chardev_parse(Object *o, const Prop *p, void *field, const char *text,
                               GError **error)
{
    g_autoptr(GError) why = NULL;
    Chardev *c = *text ? chardev_find(text, &why) : NULL;

    if (!c && *text) {
        return fail(error, "Property '%s.%s' can't find value '%s'", o->type->name, p->name, text);
    }
    *(Chardev **)field = c;
    return true;
}

static bool prop_chardev_from_json(Object *o, const Prop *p, void *field, json_object *v,
                                   GError **error)
{
    if (!json_object_is_type(v, json_type_string)) {
        return fail(error, "Invalid parameter type for '%s', expected: string", p->name);
    }
    return prop_chardev_parse(o, p, field, json_object_get_string(v), error);
}

static json_object *prop_chardev_to_json(Object *o, const Prop *p, const void *field)
{
    Chardev *c = *(Chardev *const *)field;

    return json_object_new_string(c ? chardev_id(c) : "");
}

static void prop_chardev_default(Object *o, const Prop *p, void *field)
{
    *(Chardev **)field = NULL;
}

const PropType prop_chardev = {
    .name = "str", .parse = prop_chardev_parse, .from_json = prop_chardev_from_json,
    .to_json = prop_chardev_to_json, .set_default = prop_chardev_default,
};
