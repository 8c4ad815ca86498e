// SPDX-License-Identifier: GPL-2.0-or-later
/* What the two kinds of monitors share: chardev, output, life. And -mon, -monitor, -qmp. */
#include <json-c/json.h>
#include <string.h>

#include "monitor/internal.h"
#include "qapi/startup.h"
#include "util/error.h"
#include "util/main-loop.h"
#include "util/timer.h"

enum {
    MAX_WAITING = 64 * 1024 * 1024,     /* more output than that: the client is cut off */
    LAST_WORDS_NS = 200 * 1000 * 1000,  /* at the end: so long may nothing be read */
    PAUSE_INPUT = 1024 * 1024,          /* more than that: no requests are taken meanwhile */
};

/* All monitors of the process, in order of creation; no more requests are taken once closing. */
static GPtrArray *monitors;
static bool closing;

static size_t waiting(const Monitor *m)
{
    return m->out->len - m->out_done;
}

static void flush(Monitor *m)
{
    bool paused = waiting(m) >= PAUSE_INPUT;

    while (waiting(m)) {
        size_t n = chardev_write(&m->fe, m->out->str + m->out_done, waiting(m));

        m->out_done += n;
        if (n == 0) {
            break;
        }
    }
    if (!waiting(m)) {
        g_string_truncate(m->out, 0);
        m->out_done = 0;
    } else if (m->out_done > PAUSE_INPUT) {
        g_string_erase(m->out, 0, (gssize)m->out_done);
        m->out_done = 0;
    }
    if (paused && waiting(m) < PAUSE_INPUT) {
        chardev_accept_input(&m->fe);
    }
}

void monitor_write(Monitor *m, const char *text, size_t len)
{
    g_string_append_len(m->out, text, (gssize)len);
    flush(m);
    if (waiting(m) > MAX_WAITING) {
        g_string_truncate(m->out, 0);
        m->out_done = 0;
        chardev_fe_disconnect(&m->fe);
    }
}

void monitor_foreach(void (*fn)(Monitor *m, void *opaque), void *opaque)
{
    for (guint i = 0; monitors && i < monitors->len; i++) {
        fn(monitors->pdata[i], opaque);
    }
}

static size_t on_can_receive(void *opaque)
{
    return !closing && waiting(opaque) < PAUSE_INPUT ? 4096 : 0;
}

static void on_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Monitor *m = opaque;

    if (m->control) {
        qmp_receive(m, buf, len);
    } else {
        human_receive(m, buf, len);
    }
}

static void on_event(void *opaque, ChardevEvent event)
{
    Monitor *m = opaque;

    if (event == CHARDEV_CLOSED) {
        g_string_truncate(m->out, 0);
        m->out_done = 0;
    }
    if (!m->control) {
        human_event(m, event);
    } else if (event == CHARDEV_OPENED) {
        qmp_opened(m);
    }
}

static void on_drained(void *opaque)
{
    flush(opaque);
}

static const ChardevFeOps monitor_ops = {
    .can_receive = on_can_receive, .receive = on_receive, .event = on_event,
    .drained = on_drained,
};

bool monitor_new(Vm *vm, Chardev *chr, bool control, bool pretty, GError **error)
{
    Monitor *m = g_new0(Monitor, 1);

    m->vm = vm;
    m->control = control;
    m->pretty = pretty;
    m->out = g_string_new(NULL);
    if (!chardev_fe_attach(&m->fe, chr, &monitor_ops, m, error)) {
        g_string_free(m->out, TRUE);
        g_free(m);
        return false;
    }
    chardev_fe_set_echo(&m->fe, false);
    if (!monitors) {
        monitors = g_ptr_array_new();
    }
    g_ptr_array_add(monitors, m);
    return true;
}

static bool start_monitors(Vm *vm, GError **error)
{
    monitor_events_start(vm);
    return true;
}

/* The last answers, to a client that reads them: as long as it does, and not for ever. */
static void drain(Monitor *m)
{
    size_t before = 0;
    int64_t deadline_ns = clock_now_ns(CLOCK_RT) + LAST_WORDS_NS;

    while (chardev_fe_connected(&m->fe) && clock_now_ns(CLOCK_RT) < deadline_ns) {
        size_t left = waiting(m) + chardev_pending(&m->fe);

        if (left == 0) {
            break;
        }
        if (left != before) {
            deadline_ns = clock_now_ns(CLOCK_RT) + LAST_WORDS_NS;
        }
        before = left;
        main_loop_iterate(false);
        g_usleep(200);
    }
}

static void stop_monitors(Vm *vm)
{
    closing = true;
    monitor_events_stop(vm);
    while (monitors && monitors->len) {
        Monitor *m = monitors->pdata[monitors->len - 1];

        flush(m);
        drain(m);
        chardev_fe_detach(&m->fe);
        g_ptr_array_remove_index(monitors, monitors->len - 1);
        if (m->parser) {
            json_tokener_free(m->parser);
        }
        human_free(m);
        g_string_free(m->out, TRUE);
        g_free(m);
    }
}

START_HOOK(monitors, { .phase = START_MONITOR, .name = "monitors", .start = start_monitors,
                       .stop = stop_monitors });

/* --- options ----------------------------------------------------------------------------- */

static const OptDesc mon_params[] = {
    { "id", OPT_STRING, "without further use" },
    { "chardev", OPT_STRING, "the chardev" },
    { "mode", OPT_STRING, "readline or control" },
    { "pretty", OPT_BOOL, "pretty JSON", "off" },
    { NULL },
};

static bool opt_mon(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "chardev", error);
    bool good = kv && opts_check(kv, mon_params, NULL, error);
    const char *mode = good ? opts_string(kv, "mode", "readline") : "";
    const char *id = good ? opts_string(kv, "chardev", NULL) : NULL;
    bool control = strcmp(mode, "control") == 0;

    if (good && !id) {
        good = fail(error, "chardev \"\" not found");
    } else if (good && !control && strcmp(mode, "readline") != 0) {
        good = fail(error, "unknown monitor mode \"%s\"", mode);
    } else if (good && !control && opts_has(kv, "pretty")) {
        good = fail(error, "'pretty' is not compatible with HMP monitors");
    }
    Chardev *c = good ? chardev_find(id, error) : NULL;

    good = c && monitor_new(vm, c, control, opts_bool(kv, "pretty", false), error);
    json_object_put(kv);
    return good;
}

OPTION(mon, { .name = "mon", .handle = opt_mon, .group = "mon", .params = mon_params });

/* The short forms: a chardev now, the monitor on it when all else is there. */
static bool short_form(const char *spec, const char *mode, GError **error)
{
    g_autofree char *id = NULL;
    bool with_monitor;

    if (strcmp(spec, "none") == 0) {
        return true;
    }
    for (unsigned i = 0; !id; i++) {
        g_autoptr(GError) free_id = NULL;

        id = g_strdup_printf("compat_monitor%u", i);
        if (chardev_find(id, &free_id)) {
            g_clear_pointer(&id, g_free);
        }
    }
    Chardev *c = chardev_new_short_mon(id, spec, &with_monitor, error);

    if (!c) {
        return false;
    }
    g_autofree char *mon = g_strdup_printf("chardev=%s,%s", chardev_id(c), mode);

    option_add("mon", mon);
    return true;
}

static bool opt_monitor(Vm *vm, const char *arg, GError **error)
{
    return short_form(arg, "mode=readline", error);
}

static bool opt_qmp(Vm *vm, const char *arg, GError **error)
{
    return short_form(arg, "mode=control", error);
}

static bool opt_qmp_pretty(Vm *vm, const char *arg, GError **error)
{
    return short_form(arg, "mode=control,pretty=on", error);
}

OPTION(monitor, { .name = "monitor", .handle = opt_monitor });
OPTION(qmp, { .name = "qmp", .handle = opt_qmp });
OPTION(qmp_pretty, { .name = "qmp-pretty", .handle = opt_qmp_pretty });
