// SPDX-License-Identifier: GPL-2.0-or-later
/* A monitor: a chardev, its waiting output, and what its protocol keeps between bytes. */
#ifndef MONITOR_INTERNAL_H
#define MONITOR_INTERNAL_H

#include "chardev/chardev.h"
#include "monitor/monitor.h"
#include "qapi/qmp.h"
#include "qom/hmp.h"

struct Readline;

struct Monitor {
    ChardevFe fe;
    Vm *vm;
    bool control, pretty;
    GString *out;               /* from out_done on it waits for the chardev */
    size_t out_done;
    int cpu_index;              /* `cpu N` */

    /* QMP */
    struct json_tokener *parser;
    size_t fed;                 /* bytes of the message at hand */
    bool negotiated;
    bool skipping;              /* to the end of a line that made no sense */

    /* human */
    struct Readline *line;
    bool greeted, focused;
};

/* Text for the client. Never blocks; a client that does not read is cut off at a bound. */
void monitor_write(Monitor *m, const char *text, size_t len);
/* All open monitors. */
void monitor_foreach(void (*fn)(Monitor *m, void *opaque), void *opaque);

/* qmp.c */
void qmp_opened(Monitor *m);
void qmp_receive(Monitor *m, const uint8_t *buf, size_t len);
void qmp_send(Monitor *m, struct json_object *value);
/* events.c */
void monitor_events_start(Vm *vm);
void monitor_events_stop(Vm *vm);
/* human.c */
void human_event(Monitor *m, ChardevEvent event);
void human_receive(Monitor *m, const uint8_t *buf, size_t len);
void human_free(Monitor *m);
/* hmp.c */
void hmp_run(Vm *vm, int *cpu_index, const char *line, GString *out);
const HmpCommand *hmp_find(const char *name, bool info);
void hmp_foreach(bool info, void (*fn)(const HmpCommand *c, void *opaque), void *opaque);
/* expr.c */
bool expr_eval(Vm *vm, int cpu_index, const char **text, int64_t *value, GError **error);

/* The machine stands: what it has asked its devices for ends. Main loop. */
void machine_quiesce(void);

#endif
