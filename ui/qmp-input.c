// SPDX-License-Identifier: GPL-2.0-or-later
/* Input from monitors: query-mice, input-send-event, and the human monitor's mouse. */
#include "qapi/qapi-commands.h"
#include "qom/hmp.h"
#include "qom/runstate.h"
#include "ui/console.h"
#include "ui/input.h"
#include "util/error.h"

/* What monitors hold down, and where they have put the pointer; one seat. */
static struct {
    unsigned buttons;
    int x, y;
} seat;

GPtrArray *qmp_query_mice(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();
    InputMouse m;

    for (unsigned i = 0; input_mouse(i, &m); i++) {
        MouseInfo *info = g_new0(MouseInfo, 1);

        *info = (MouseInfo){.name = g_strdup(m.name),
                            .index = m.index,
                            .current = m.current,
                            .absolute = m.absolute};
        g_ptr_array_add(list, info);
    }
    return list;
}

/* Motion that has been collected from a list of events. */
typedef struct Motion {
    int dx, dy, dz;
    bool moved, placed;
} Motion;

static void send_motion(Motion *m)
{
    if (!m->moved && !m->placed) {
        return;
    }
    /* buttons go where motion goes: to the first device of any kind */
    if (m->placed || (m->dx == 0 && m->dy == 0 && input_has_position())) {
        input_position(seat.x, seat.y, m->dz, seat.buttons);
    } else {
        input_motion(m->dx, m->dy, m->dz, seat.buttons);
    }
    *m = (Motion){0};
}

static void add_button(Motion *m, const InputBtnEvent *e)
{
    static const unsigned bits[] = {
        [INPUT_BUTTON_LEFT] = INPUT_LEFT, [INPUT_BUTTON_MIDDLE] = INPUT_MIDDLE,
        [INPUT_BUTTON_RIGHT] = INPUT_RIGHT, [INPUT_BUTTON_SIDE] = INPUT_SIDE,
        [INPUT_BUTTON_EXTRA] = INPUT_EXTRA, [INPUT_BUTTON_WHEEL_RIGHT] = 0,
    };

    if (e->button == INPUT_BUTTON_WHEEL_UP || e->button == INPUT_BUTTON_WHEEL_DOWN) {
        m->dz += !e->down ? 0 : e->button == INPUT_BUTTON_WHEEL_UP ? -1 : 1;
        m->moved = true;
        return;
    }
    /* a button goes down and up between two events, so each is one of its own */
    seat.buttons = e->down ? seat.buttons | bits[e->button] : seat.buttons & ~bits[e->button];
    m->moved = true;
    send_motion(m);
}

static void add_event(Motion *m, const InputEvent *e)
{
    switch (e->type) {
    case INPUT_EVENT_KIND_KEY: {
        const KeyValue *key = e->u.key->data->key;
        int64_t code = key->type == KEY_VALUE_KIND_NUMBER
                           ? key->u.number->data
                           : input_key_from_name(q_key_code_name(key->u.qcode->data));

        send_motion(m);
        if (code > 0 && code <= 0xff) {
            input_key((unsigned)code, e->u.key->data->down);
        }
        break;
    }
    case INPUT_EVENT_KIND_BTN:
        add_button(m, e->u.btn->data);
        break;
    case INPUT_EVENT_KIND_REL: {
        int by = (int)CLAMP(e->u.rel->data->value, -0x8000, 0x7fff);

        m->dx += e->u.rel->data->axis == INPUT_AXIS_X ? by : 0;
        m->dy += e->u.rel->data->axis == INPUT_AXIS_Y ? by : 0;
        m->moved = true;
        break;
    }
    default:
        *(e->u.abs->data->axis == INPUT_AXIS_X ? &seat.x : &seat.y) =
            (int)CLAMP(e->u.abs->data->value, 0, INPUT_POSITION_MAX);
        m->placed = true;
        break;
    }
}

bool qmp_input_send_event(QmpCall *call, const QmpInputSendEventArgs *args, GError **error)
{
    Motion m = {0};

    if (args->device && !console_find(args->device, (unsigned)CLAMP(args->head, 0, 255), error)) {
        return false;
    }
    if (!runstate_running()) {
        return fail(error, "VM not running");
    }
    for (guint i = 0; i < args->events->len; i++) {
        add_event(&m, args->events->pdata[i]);
    }
    send_motion(&m);
    return true;
}

/* ---- the human monitor ---- */

static void info_mice(HmpCall *call, GError **error)
{
    InputMouse m;
    unsigned i = 0;

    for (; input_mouse(i, &m); i++) {
        g_string_append_printf(call->out, "%c Mouse #%u: %s%s\n", m.current ? '*' : ' ', m.index,
                               m.name, m.absolute ? " (absolute)" : "");
    }
    if (i == 0) {
        g_string_append(call->out, "No mouse devices connected\n");
    }
}

HMP_INFO(mice, info_mice, "", "show which guest mouse is receiving events");

static void hmp_mouse_set(HmpCall *call, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (!input_mouse_select((unsigned)hmp_int(call, "index", 0), &reason)) {
        g_string_append_printf(call->out, "%s\n", reason->message);
    }
}

HMP_ROW(mouse_set, {.name = "mouse_set",
                    .args = "index:i",
                    .params = "index",
                    .fn = hmp_mouse_set,
                    .help = "set which mouse device receives events"});

static void hmp_mouse_move(HmpCall *call, GError **error)
{
    int dx = (int)hmp_int(call, "dx", 0), dy = (int)hmp_int(call, "dy", 0),
        dz = (int)hmp_int(call, "dz", 0);

    if (!input_motion(dx, dy, dz, seat.buttons)) {
        fail(error, "there is no mouse that takes relative motion");
    }
}

HMP_ROW(mouse_move, {.name = "mouse_move",
                     .args = "dx:i,dy:i,dz:i?",
                     .params = "dx dy [dz]",
                     .fn = hmp_mouse_move,
                     .help = "send mouse move events"});

static void hmp_mouse_button(HmpCall *call, GError **error)
{
    unsigned state = (unsigned)hmp_int(call, "state", 0);

    seat.buttons = (state & 1 ? INPUT_LEFT : 0) | (state & 2 ? INPUT_MIDDLE : 0) |
                   (state & 4 ? INPUT_RIGHT : 0);
    if (!input_motion(0, 0, 0, seat.buttons)) {
        fail(error, "there is no mouse");
    }
}

HMP_ROW(mouse_button, {.name = "mouse_button",
                       .args = "state:i",
                       .params = "state",
                       .fn = hmp_mouse_button,
                       .help = "change mouse button state (1=L, 2=M, 4=R)"});
