// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * send-key and sendkey: keys go down one after the other, are held, and come up in reverse
 * order. Requests that come meanwhile wait for their turn.
 */
#include <string.h>

#include "qapi/qapi-commands.h"
#include "qom/hmp.h"
#include "ui/input.h"
#include "util/error.h"
#include "util/timer.h"

enum { DEFAULT_HOLD_MS = 100, MAX_KEYS = 16, MAX_REQUESTS = 1024 };

typedef struct Press {
    unsigned keys[MAX_KEYS], count;
    int64_t hold_ms;
} Press;

/* One keyboard, one queue of presses; the head is being held while the timer runs. */
static GQueue presses = G_QUEUE_INIT;
static Timer release_timer;

static void press_next(void);

static void release(void *opaque)
{
    Press *p = g_queue_pop_head(&presses);

    while (p->count) {
        input_key(p->keys[--p->count], false);
    }
    g_free(p);
    press_next();
}

static void press_next(void)
{
    const Press *p = g_queue_peek_head(&presses);

    if (!p) {
        return;
    }
    for (unsigned i = 0; i < p->count; i++) {
        input_key(p->keys[i], true);
    }
    timer_init(&release_timer, CLOCK_RT, release, NULL);
    timer_set_ns(&release_timer, clock_now_ns(CLOCK_RT) + p->hold_ms * 1000000);
}

static bool queue_press(const Press *p, GError **error)
{
    if (g_queue_get_length(&presses) >= MAX_REQUESTS) {
        return fail(error, "too many keys are waiting to be pressed");
    }
    g_queue_push_tail(&presses, g_memdup2(p, sizeof(*p)));
    if (g_queue_get_length(&presses) == 1) {
        press_next();
    }
    return true;
}

bool qmp_send_key(QmpCall *call, const QmpSendKeyArgs *args, GError **error)
{
    Press p = {.hold_ms = args->has_hold_time ? CLAMP(args->hold_time, 0, 60000) : DEFAULT_HOLD_MS};

    for (guint i = 0; i < args->keys->len; i++) {
        const KeyValue *key = args->keys->pdata[i];
        int64_t code = key->type == KEY_VALUE_KIND_NUMBER ? key->u.number->data
                       : input_key_from_name(q_key_code_name(key->u.qcode->data));

        if (p.count == MAX_KEYS) {
            return fail(error, "too many keys");
        }
        if (code < 0 || code > 0xff) {
            return fail(error, "invalid key code %" G_GINT64_FORMAT, code);
        }
        if (code) {
            p.keys[p.count++] = (unsigned)code;
        }
    }
    return queue_press(&p, error);
}

static void hmp_sendkey(HmpCall *call, GError **error)
{
    g_auto(GStrv) names = g_strsplit(hmp_str(call, "keys"), "-", -1);
    Press p = { .hold_ms = CLAMP(hmp_int(call, "hold_ms", DEFAULT_HOLD_MS), 0, 60000) };

    for (unsigned i = 0; names[i]; i++) {
        const char *name = strcmp(names[i], "<") == 0 ? "less" : names[i];
        bool number = name[0] == '0' && name[1] == 'x';
        unsigned code =
            number ? (unsigned)g_ascii_strtoull(name, NULL, 16) : input_key_from_name(name);

        if (!code || code > 0xff) {
            g_autofree char *hint = suggestion(name, input_key_names());

            g_string_append_printf(call->out, "invalid parameter: %s%s\n", name, hint);
            return;
        }
        if (p.count == MAX_KEYS) {
            g_string_append(call->out, "too many keys\n");
            return;
        }
        p.keys[p.count++] = code;
    }
    queue_press(&p, error);
}

HMP_ROW(sendkey,
        {.name = "sendkey",
         .args = "keys:s,hold_ms:i?",
         .params = "keys [hold_ms]",
         .fn = hmp_sendkey,
         .help = "send keys to the VM (e.g. 'sendkey ctrl-alt-f1', default hold time=100 ms)"});
