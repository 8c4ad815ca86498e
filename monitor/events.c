// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events on their way to QMP clients: stamped, and those that come in floods held back to one a
 * second, of which the last counts.
 */
#include <json-c/json.h>
#include <string.h>

#include "monitor/internal.h"
#include "monitor/memory.h"
#include "qapi/qapi-events.h"
#include "util/timer.h"

typedef struct Throttle {
    const QapiEvent *event;
    char *key;                  /* value of the event's throttle_key; NULL: it has none */
    json_object *waiting;       /* the newest one held back, stamped; NULL: none */
    Timer timer;                /* pending: the event was sent less than a second ago */
} Throttle;

/*
 * One per throttled event that has occurred, and value of its key; those that have been idle are
 * taken over by others. Events have no home but the process.
 */
static GPtrArray *throttles;

static void send_to(Monitor *m, void *opaque)
{
    if (m->control && m->negotiated && chardev_fe_connected(&m->fe)) {
        qmp_send(m, opaque);
    }
}

static json_object *stamped(const QapiEvent *event, json_object *data)
{
    json_object *o = json_object_new_object(), *t = json_object_new_object();
    int64_t now_ns = clock_now_ns(CLOCK_HOST);

    json_object_object_add(t, "seconds", json_object_new_int64(now_ns / NANOSECONDS_PER_SECOND));
    json_object_object_add(t, "microseconds",
                           json_object_new_int64(now_ns % NANOSECONDS_PER_SECOND / 1000));
    json_object_object_add(o, "timestamp", t);
    json_object_object_add(o, "event", json_object_new_string(event->name));
    if (data) {
        json_object_object_add(o, "data", json_object_get(data));
    }
    return o;
}

static void on_timer(void *opaque)
{
    Throttle *t = opaque;

    if (t->waiting) {
        monitor_foreach(send_to, t->waiting);
        json_object_put(t->waiting);
        t->waiting = NULL;
        timer_set_ns(&t->timer, clock_now_ns(CLOCK_RT) + NANOSECONDS_PER_SECOND);
    }
}

static Throttle *throttle_of(const QapiEvent *event, const char *key)
{
    Throttle *t = NULL;

    for (guint i = 0; throttles && i < throttles->len; i++) {
        Throttle *other = throttles->pdata[i];

        if (other->event == event && g_strcmp0(other->key, key) == 0) {
            return other;
        }
        if (!other->timer.pending) {
            t = other;
        }
    }
    if (!t) {
        t = g_new0(Throttle, 1);
        timer_init(&t->timer, CLOCK_RT, on_timer, t);
        if (!throttles) {
            throttles = g_ptr_array_new();
        }
        g_ptr_array_add(throttles, t);
    }
    t->event = event;
    g_free(t->key);
    t->key = g_strdup(key);
    return t;
}

static const char *key_of(const QapiEvent *event, json_object *data)
{
    json_object *v = NULL;

    return event->throttle_key && json_object_object_get_ex(data, event->throttle_key, &v)
               ? json_object_get_string(v)
               : NULL;
}

static void sink(void *opaque, const QapiEvent *event, json_object *data)
{
    json_object *o = stamped(event, data);
    Throttle *t = event->throttled ? throttle_of(event, key_of(event, data)) : NULL;

    if (t && t->timer.pending) {
        json_object_put(t->waiting);
        t->waiting = o;
        return;
    }
    if (t) {
        timer_set_ns(&t->timer, clock_now_ns(CLOCK_RT) + NANOSECONDS_PER_SECOND);
    }
    monitor_foreach(send_to, o);
    json_object_put(o);
}

static int action_value(const QapiType *type, const char *name)
{
    int value = qapi_enum_parse(type, name ? name : "");

    return value < 0 ? 0 : value;
}

/* What the machine reports, turned into events. */
static void on_vm_event(void *opaque, const VmEventInfo *info)
{
    bool guest = shutdown_by_guest(info->cause);
    VmShutdownCause cause = (VmShutdownCause)info->cause;

    switch (info->event) {
    case VM_EVENT_SHUTDOWN:
        qapi_event_shutdown(&(ShutdownEvent){ .guest = guest, .reason = cause });
        break;
    case VM_EVENT_RESET:
        qapi_event_reset(&(ResetEvent){ .guest = guest, .reason = cause });
        break;
    case VM_EVENT_POWERDOWN:
        qapi_event_powerdown();
        break;
    case VM_EVENT_STOP:
        qapi_event_stop();
        break;
    case VM_EVENT_RESUME:
        qapi_event_resume();
        break;
    case VM_EVENT_SUSPEND:
        qapi_event_suspend();
        break;
    case VM_EVENT_SUSPEND_DISK:
        qapi_event_suspend_disk();
        break;
    case VM_EVENT_WAKEUP:
        qapi_event_wakeup();
        break;
    case VM_EVENT_WATCHDOG:
        qapi_event_watchdog(&(WatchdogEvent){
            .action = action_value(&qapi_type_VmWatchdogAction, info->action) });
        if (run_actions()->watchdog == WATCHDOG_INJECT_NMI) {
            monitor_inject_nmi(opaque);
        }
        break;
    case VM_EVENT_GUEST_PANICKED:
        qapi_event_guest_panicked(&(GuestPanickedEvent){
            .action = action_value(&qapi_type_GuestPanicAction, info->action) });
        break;
    case VM_EVENT_GUEST_CRASHLOADED:
        qapi_event_guest_crashloaded(&(GuestCrashloadedEvent){
            .action = action_value(&qapi_type_GuestPanicAction, info->action) });
        break;
    case VM_EVENT_DEVICE_DELETED:
        qapi_event_device_deleted(&(DeviceDeletedEvent){ .device = (char *)info->device,
                                                         .path = (char *)info->path });
        break;
    }
}

void monitor_events_start(Vm *vm)
{
    qapi_event_set_sink(sink, NULL);
    vm_event_watch(on_vm_event, vm);
}

void monitor_events_stop(Vm *vm)
{
    vm_event_unwatch(on_vm_event, vm);
    qapi_event_set_sink(NULL, NULL);
    for (guint i = 0; throttles && i < throttles->len; i++) {
        Throttle *t = throttles->pdata[i];

        timer_cancel(&t->timer);
        json_object_put(t->waiting);
        g_free(t->key);
        g_free(t);
    }
    g_clear_pointer(&throttles, g_ptr_array_unref);
}
