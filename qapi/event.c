// SPDX-License-Identifier: GPL-2.0-or-later
/* The way of events to the monitors, where there are any. */
#include "qapi/qmp.h"

#include <json-c/json.h>

/* Where events go: process-wide, because devices raise them without knowing of monitors. */
static QapiEventSink *event_sink;
static void *event_opaque;

void qapi_event_set_sink(QapiEventSink *sink, void *opaque)
{
    event_sink = sink;
    event_opaque = opaque;
}

void qapi_event_emit(const QapiEvent *event, const void *data)
{
    if (event_sink) {
        json_object *value = event->data ? qapi_to_json(event->data, &data) : NULL;

        event_sink(event_opaque, event, value);
        json_object_put(value);
    }
}
