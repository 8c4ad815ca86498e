// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The object tree, chardevs, threads and CPUs' places from the human monitor: thin users of QMP.
 */
#include <json-c/json.h>
#include <string.h>

#include "monitor/internal.h"
#include "qapi/keyval.h"
#include "qapi/qapi-commands.h"
#include "qom/object.h"
#include "util/error.h"

static Object *find(HmpCall *call, GError **error)
{
    const char *path = hmp_str(call, "path");
    bool ambiguous = false;
    Object *obj = object_resolve(path, &ambiguous);

    if (!obj) {
        fail(error, ambiguous ? "Path '%s' is ambiguous" : "Device '%s' not found", path);
    }
    return obj;
}

static void show_member(const char *name, const char *type, const char *description, void *opaque)
{
    g_string_append_printf(opaque, "%s (%s)\n", name, type);
}

static void hmp_qom_list(HmpCall *call, GError **error)
{
    if (!hmp_str(call, "path")) {
        g_string_append(call->out, "/\n");
        return;
    }
    Object *obj = find(call, error);

    if (obj) {
        object_foreach_member(obj, show_member, call->out);
    }
}

HMP_ROW(qom_list, { .name = "qom-list", .args = "path:s?", .params = "path", .fn = hmp_qom_list,
                    .help = "list QOM properties" });

static void hmp_qom_get(HmpCall *call, GError **error)
{
    Object *obj = find(call, error);
    json_object *v = obj ? object_get_json(obj, hmp_str(call, "property"), error) : NULL;

    if (v || (obj && !*error)) {
        g_string_append_printf(call->out, "%s\n",
                               v ? json_object_to_json_string_ext(v, JSON_C_TO_STRING_SPACED)
                                 : "null");
    }
    json_object_put(v);
}

HMP_ROW(qom_get, { .name = "qom-get", .args = "path:s,property:s", .params = "path property",
                   .fn = hmp_qom_get, .help = "print QOM property" });

static void hmp_qom_set(HmpCall *call, GError **error)
{
    Object *obj = find(call, error);
    g_autoptr(GError) why = NULL;
    json_object *v = obj ? json_from_text(hmp_str(call, "value"), &why) : NULL;

    if (v) {
        object_set_json(obj, hmp_str(call, "property"), v, error);
    } else if (obj) {
        object_set_text(obj, hmp_str(call, "property"), hmp_str(call, "value"), error);
    }
    json_object_put(v);
}

HMP_ROW(qom_set, {.name = "qom-set",
                  .args = "path:s,property:s,value:S",
                  .params = "path property value",
                  .fn = hmp_qom_set,
                  .help = "set QOM property"});

static void hmp_chardev_remove(HmpCall *call, GError **error)
{
    qmp_chardev_remove(&(QmpCall){ .vm = call->vm },
                       &(QmpChardevRemoveArgs){ .id = (char *)hmp_str(call, "id") }, error);
}

HMP_ROW(chardev_remove, { .name = "chardev-remove", .args = "id:s", .params = "id",
                          .fn = hmp_chardev_remove, .help = "remove chardev" });

static void hmp_chardev_send_break(HmpCall *call, GError **error)
{
    qmp_chardev_send_break(&(QmpCall){ .vm = call->vm },
                           &(QmpChardevSendBreakArgs){ .id = (char *)hmp_str(call, "id") }, error);
}

HMP_ROW(chardev_send_break, { .name = "chardev-send-break", .args = "id:s", .params = "id",
                              .fn = hmp_chardev_send_break, .help = "send a break on chardev" });

static void hmp_info_iothreads(HmpCall *call, GError **error)
{
    GPtrArray *list = qmp_query_iothreads(&(QmpCall){ .vm = call->vm }, error);

    for (guint i = 0; list && i < list->len; i++) {
        IOThreadInfo *t = list->pdata[i];

        g_string_append_printf(
            call->out,
            "%s:\n  thread_id=%" G_GINT64_FORMAT "\n  poll-max-ns=%" G_GINT64_FORMAT
            "\n  poll-grow=%" G_GINT64_FORMAT "\n  poll-shrink=%" G_GINT64_FORMAT
            "\n  aio-max-batch=%" G_GINT64_FORMAT "\n",
            t->id, t->thread_id, t->poll_max_ns, t->poll_grow, t->poll_shrink, t->aio_max_batch);
        g_free(t->id);
        g_free(t);
    }
    if (list) {
        g_ptr_array_unref(list);
    }
}

HMP_INFO(iothreads, hmp_info_iothreads, "", "show iothreads");
