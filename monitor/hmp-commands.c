// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands of the human monitor that are thin users of QMP commands. */
#include <json-c/json.h>
#include <string.h>

#include "exec/memory.h"
#include "monitor/internal.h"
#include "qapi/keyval.h"
#include "qapi/qapi-commands.h"
#include "qom/device-add.h"
#include "util/error.h"
#include "util/log.h"
#include "util/trace.h"

static QmpCall qmp_call(HmpCall *call)
{
    return (QmpCall){ .vm = call->vm };
}

/* A QMP command without arguments and answer. */
#define PLAIN_COMMAND(fn)                                                                          \
    static void hmp_##fn(HmpCall *call, GError **error)                                            \
    {                                                                                              \
        QmpCall q = qmp_call(call);                                                                \
                                                                                                   \
        qmp_##fn(&q, error);                                                                       \
    }

PLAIN_COMMAND(quit)
PLAIN_COMMAND(stop)
PLAIN_COMMAND(cont)
PLAIN_COMMAND(system_reset)
PLAIN_COMMAND(system_powerdown)
PLAIN_COMMAND(system_wakeup)
PLAIN_COMMAND(inject_nmi)

HMP_ROW(quit, { .name = "quit", .alias = "q", .help = "quit the emulator", .fn = hmp_quit });
HMP_ROW(stop, { .name = "stop", .alias = "s", .help = "stop emulation", .fn = hmp_stop });
HMP_ROW(cont, { .name = "cont", .alias = "c", .help = "resume emulation", .fn = hmp_cont });
HMP_COMMAND(system_reset, hmp_system_reset, "", "reset the system");
HMP_COMMAND(system_powerdown, hmp_system_powerdown, "", "send system power down event");
HMP_COMMAND(system_wakeup, hmp_system_wakeup, "", "wakeup guest from suspend");
HMP_COMMAND(nmi, hmp_inject_nmi, "", "inject an NMI");

/*
 * --- devices, objects, chardevs ------------------------------------------------------------------
 */

static void run_with_text(HmpCall *call, const char *text, const char *implied,
                          bool (*fn)(HmpCall *, json_object *, GError **), GError **error)
{
    json_object *o = keyval_parse(text, implied, error);

    if (o) {
        fn(call, o, error);
        json_object_put(o);
    }
}

static bool do_device_add(HmpCall *call, json_object *o, GError **error)
{
    return device_add(call->vm, o, true, error) != NULL;
}

static bool do_object_add(HmpCall *call, json_object *o, GError **error)
{
    return object_add(o, true, error);
}

static bool do_chardev_add(HmpCall *call, json_object *o, GError **error)
{
    return chardev_new(o, error) != NULL;
}

static void hmp_device_add(HmpCall *call, GError **error)
{
    const char *text = hmp_str(call, "device");

    if (keyval_wants_help(text)) {
        if (strchr(text, ',')) {
            g_autofree char *name = g_strndup(text, strcspn(text, ","));

            device_help_props(name, call->out, error);
        } else {
            device_help_list(call->out);
        }
        return;
    }
    run_with_text(call, text, "driver", do_device_add, error);
}

HMP_ROW(device_add, { .name = "device_add", .args = "device:S", .fn = hmp_device_add,
                      .params = "driver[,prop=value][,...]",
                      .help = "add device, like -device on the command line" });

static void hmp_device_del(HmpCall *call, GError **error)
{
    QmpCall q = qmp_call(call);

    qmp_device_del(&q, &(QmpDeviceDelArgs){ .id = (char *)hmp_str(call, "id") }, error);
}

HMP_COMMAND(device_del, hmp_device_del, "id:s", "remove device");

static void hmp_object_add(HmpCall *call, GError **error)
{
    run_with_text(call, hmp_str(call, "object"), "qom-type", do_object_add, error);
}

HMP_ROW(object_add, { .name = "object_add", .args = "object:S", .fn = hmp_object_add,
                      .params = "[qom-type=]type,id=str[,prop=value][,...]",
                      .help = "create QOM object" });

static void hmp_object_del(HmpCall *call, GError **error)
{
    QmpCall q = qmp_call(call);

    qmp_object_del(&q, &(QmpObjectDelArgs){ .id = (char *)hmp_str(call, "id") }, error);
}

HMP_COMMAND(object_del, hmp_object_del, "id:s", "destroy QOM object");

static void hmp_chardev_add(HmpCall *call, GError **error)
{
    run_with_text(call, hmp_str(call, "args"), "backend", do_chardev_add, error);
}

HMP_COMMAND(chardev_add, hmp_chardev_add, "args:S", "add chardev");

static void hmp_chardev_remove(HmpCall *call, GError **error)
{
    chardev_remove(hmp_str(call, "id"), error);
}

HMP_COMMAND(chardev_remove, hmp_chardev_remove, "id:s", "remove chardev");

static void hmp_ringbuf_read(HmpCall *call, GError **error)
{
    QmpCall q = qmp_call(call);
    g_autofree char *text = qmp_ringbuf_read(
        &q, &(QmpRingbufReadArgs){ .device = (char *)hmp_str(call, "device"),
                                   .size = hmp_int(call, "size", 0) }, error);

    g_string_append_printf(call->out, "%s\n", text ? text : "");
}

HMP_COMMAND(ringbuf_read, hmp_ringbuf_read, "device:s,size:i",
            "read from a ring buffer character device");

static void hmp_ringbuf_write(HmpCall *call, GError **error)
{
    QmpCall q = qmp_call(call);

    qmp_ringbuf_write(&q, &(QmpRingbufWriteArgs){ .device = (char *)hmp_str(call, "device"),
                                                  .data = (char *)hmp_str(call, "data") }, error);
}

HMP_COMMAND(ringbuf_write, hmp_ringbuf_write, "device:s,data:s",
            "write to a ring buffer character device");

/*
 * --- logging -------------------------------------------------------------------------------------
 */

static void hmp_log(HmpCall *call, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!log_replace_items(hmp_str(call, "items"), &why)) {
        log_help(call->out);
    }
}

HMP_ROW(log, { .name = "log", .args = "items:s", .params = "item1[,...]",
               .help = "activate logging of the specified items", .fn = hmp_log });

static void hmp_logfile(HmpCall *call, GError **error)
{
    log_set_file(hmp_str(call, "filename"), error);
}

HMP_COMMAND(logfile, hmp_logfile, "filename:s", "output logs to 'filename'");

static void hmp_trace_event(HmpCall *call, GError **error)
{
    trace_enable(hmp_str(call, "name"), hmp_flag(call, "option"), error);
}

HMP_ROW(trace_event, {.name = "trace-event",
                      .args = "name:s,option:b",
                      .fn = hmp_trace_event,
                      .params = "name on|off",
                      .help = "changes status of a specific trace event"});

/*
 * --- machine
 * ---------------------------------------------------------------------------------------
 */

static void hmp_watchdog_action(HmpCall *call, GError **error)
{
    QmpCall q = qmp_call(call);
    int action;

    if (qapi_enum_lookup(&qapi_type_VmWatchdogAction, "action", hmp_str(call, "action"), &action,
                         error)) {
        qmp_watchdog_set_action(&q, &(QmpWatchdogSetActionArgs){ .action = action }, error);
    }
}

HMP_COMMAND(watchdog_action, hmp_watchdog_action, "action:s", "change watchdog action");

static void hmp_memsave(HmpCall *call, GError **error)
{
    QmpCall q = qmp_call(call);
    QmpMemsaveArgs args = { .val = hmp_int(call, "val", 0), .size = hmp_int(call, "size", 0),
                            .filename = (char *)hmp_str(call, "filename"),
                            .cpu_index = call->cpu_index, .has_cpu_index = true };

    qmp_memsave(&q, &args, error);
}

HMP_ROW(memsave, { .name = "memsave", .args = "val:i,size:i,filename:s", .fn = hmp_memsave,
                   .params = "addr size file",
                   .help = "save to disk virtual memory dump starting at 'addr' of size 'size'" });

static void hmp_pmemsave(HmpCall *call, GError **error)
{
    QmpCall q = qmp_call(call);
    QmpPmemsaveArgs args = { .val = hmp_int(call, "val", 0), .size = hmp_int(call, "size", 0),
                             .filename = (char *)hmp_str(call, "filename") };

    qmp_pmemsave(&q, &args, error);
}

HMP_ROW(pmemsave, {.name = "pmemsave",
                   .args = "val:i,size:i,filename:s",
                   .fn = hmp_pmemsave,
                   .params = "addr size file",
                   .help = "save to disk physical memory dump starting at 'addr' of size 'size'"});

static void hmp_qom_get(HmpCall *call, GError **error)
{
    QmpCall q = qmp_call(call);
    json_object *v = qmp_qom_get(&q, &(QmpQomGetArgs){ .path = (char *)hmp_str(call, "path"),
                                 .property = (char *)hmp_str(call, "property") }, error);

    if (v || !*error) {
        json_append(call->out, v, true);
        g_string_append_c(call->out, '\n');
    }
    json_object_put(v);
}

HMP_COMMAND(qom_get, hmp_qom_get, "path:s,property:s", "print QOM property");
static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp((*(ObjectPropertyInfo *const *)a)->name, (*(ObjectPropertyInfo *const *)b)->name);
}

static void hmp_qom_list(HmpCall *call, GError **error)
{
    QmpCall q = qmp_call(call);
    const char *path = hmp_str(call, "path");
    GPtrArray *list =
        qmp_qom_list(&q, &(QmpQomListArgs){.path = (char *)(path ? path : "/")}, error);

    if (list) {
        g_ptr_array_sort(list, by_name);
        for (guint i = 0; i < list->len; i++) {
            ObjectPropertyInfo *p = list->pdata[i];

            g_string_append_printf(call->out, "%s (%s)\n", p->name, p->type);
        }
        qapi_clear(&qapi_array_ObjectPropertyInfo, &list);
    }
}

HMP_COMMAND(qom_list, hmp_qom_list, "path:s?", "list QOM properties");

static void hmp_qom_set(HmpCall *call, GError **error)
{
    Object *obj = object_resolve(hmp_str(call, "path"), NULL);

    if (!obj) {
        fail(error, "Device '%s' not found", hmp_str(call, "path"));
        return;
    }
    object_set_text(obj, hmp_str(call, "property"), hmp_str(call, "value"), error);
}

HMP_COMMAND(qom_set, hmp_qom_set, "path:s,property:s,value:S", "set QOM property");
