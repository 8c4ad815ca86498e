// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The multiplexer: several front ends (a guest's console, a monitor) share one back end. What
 * they write goes out as it comes; one of them has the keyboard, and the escape character
 * followed by a letter says which, among other things.
 */
#include <stdio.h>
#include <string.h>

#include "chardev/internal.h"
#include "chardev/mux.h"
#include "qom/runstate.h"
#include "util/error.h"
#include "util/main-loop.h"
#include "util/timer.h"

enum { MAX_FRONT_ENDS = 8, WAITING = 256 };

typedef struct Mux {
    Chardev chr;
    ChardevFe below;            /* our connection to the base */
    ChardevFe *fes[MAX_FRONT_ENDS];
    unsigned count;
    int focus;                  /* index, -1: nobody */
    bool escaped;
    bool stamps, line_start;    /* time stamps before lines */
    int64_t stamp_origin_ns;
    uint8_t waiting[WAITING];   /* input that the focused front end had no room for */
    unsigned waiting_used;
} Mux;

/* The escape character is set by -echr before any mux exists. */
static uint8_t escape_char = 1;

void mux_set_escape(uint8_t c)
{
    escape_char = c;
}

static void say(Mux *m, const char *text)
{
    chardev_write(&m->below, text, strlen(text));
}

static void fe_event(Mux *m, int i, ChardevEvent event)
{
    if (i >= 0 && m->fes[i]->ops && m->fes[i]->ops->event) {
        m->fes[i]->ops->event(m->fes[i]->opaque, event);
    }
}

static void set_focus(Mux *m, int i)
{
    if (i != m->focus) {
        fe_event(m, m->focus, CHARDEV_FOCUS_OUT);
        m->focus = i;
        fe_event(m, i, CHARDEV_FOCUS_IN);
    }
}

static void help(Mux *m)
{
    static const char *const lines[] = {
        "h    print this help\n\r", "x    exit emulator\n\r",
        "s    save disk data back to file (if -snapshot)\n\r",
        "t    toggle console timestamps\n\r", "b    send break (magic sysrq)\n\r",
        "c    switch between console and monitor\n\r",
    };
    char key[8];

    if (escape_char > 0 && escape_char < 27) {
        g_snprintf(key, sizeof(key), "C-%c", escape_char - 1 + 'a');
    } else {
        g_snprintf(key, sizeof(key), "%c", escape_char);
    }
    say(m, "\n\r");
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        say(m, key);
        say(m, " ");
        say(m, lines[i]);
    }
    say(m, key);
    say(m, " ");
    say(m, key);
    say(m, "  sends ");
    say(m, key);
    say(m, "\n\r");
}

/* A letter after the escape character. True when the byte is for the front end after all. */
static bool command(Mux *m, uint8_t c)
{
    if (c == escape_char) {
        return true;
    }
    switch (c) {
    case 'h':
    case '?':
        help(m);
        break;
    case 'x':
        say(m, "QEMU: Terminated\n\r");
        request_shutdown(SHUTDOWN_HOST_UI);
        break;
    case 's':
        say(m, "\n\rnothing to save: no disk runs with -snapshot\n\r");
        break;
    case 'b':
        fe_event(m, m->focus, CHARDEV_BREAK);
        break;
    case 'c':
        if (m->count) {
            set_focus(m, (m->focus + 1) % (int)m->count);
        }
        break;
    case 't':
        m->stamps = !m->stamps;
        m->stamp_origin_ns = clock_now_ns(CLOCK_RT);
        m->line_start = false;
        break;
    default:
        break;
    }
    return false;
}

static void drain_waiting(Mux *m)
{
    unsigned done = 0;

    while (m->focus >= 0 && done < m->waiting_used) {
        ChardevFe *fe = m->fes[m->focus];
        size_t room = !fe->ops || !fe->ops->receive ? 0 :
                      fe->ops->can_receive ? fe->ops->can_receive(fe->opaque) : WAITING;
        size_t n = MIN(room, m->waiting_used - done);

        if (n == 0) {
            break;
        }
        uint8_t chunk[WAITING];
        memcpy(chunk, m->waiting + done, n);
        done += (unsigned)n;
        fe->ops->receive(fe->opaque, chunk, n);
    }
    memmove(m->waiting, m->waiting + done, m->waiting_used - done);
    m->waiting_used -= done;
}

static size_t below_can_receive(void *opaque)
{
    Mux *m = opaque;

    return WAITING - m->waiting_used;
}

static void below_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Mux *m = opaque;

    for (size_t i = 0; i < len; i++) {
        if (m->escaped) {
            m->escaped = false;
            if (!command(m, buf[i])) {
                continue;
            }
        } else if (buf[i] == escape_char) {
            m->escaped = true;
            continue;
        }
        if (m->waiting_used < WAITING) {
            m->waiting[m->waiting_used++] = buf[i];
        }
        drain_waiting(m);   /* before a switch that may follow */
    }
}

static void below_event(void *opaque, ChardevEvent event)
{
    Mux *m = opaque;

    if (event == CHARDEV_OPENED || event == CHARDEV_CLOSED) {
        m->chr.connected = event == CHARDEV_OPENED;
        for (unsigned i = 0; i < m->count; i++) {
            fe_event(m, (int)i, event);
        }
    } else {
        fe_event(m, m->focus, event);
    }
}

static void below_drained(void *opaque)
{
    Mux *m = opaque;

    for (unsigned i = 0; i < m->count; i++) {
        ChardevFe *fe = m->fes[i];

        if (fe->blocked) {
            fe->blocked = false;
            if (fe->ops && fe->ops->drained) {
                fe->ops->drained(fe->opaque);
            }
        }
    }
}

static const ChardevFeOps below_ops = {
    .can_receive = below_can_receive, .receive = below_receive, .event = below_event,
    .drained = below_drained,
};

static void stamp(Mux *m)
{
    int64_t ms = (clock_now_ns(CLOCK_RT) - m->stamp_origin_ns) / 1000000;
    char text[48];

    g_snprintf(text, sizeof(text), "[%02d:%02d:%02d.%03d] ", (int)(ms / 3600000),
               (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
    say(m, text);
}

static size_t mux_write_fe(Chardev *c, ChardevFe *fe, const uint8_t *buf, size_t len)
{
    Mux *m = (Mux *)c;
    size_t done = 0;

    while (done < len) {
        const uint8_t *nl = m->stamps ? memchr(buf + done, '\n', len - done) : NULL;
        size_t run = nl ? (size_t)(nl + 1 - buf) - done : len - done;

        if (m->stamps && m->line_start) {
            stamp(m);
        }
        size_t n = chardev_write(&m->below, buf + done, run);

        done += n;
        m->line_start = m->stamps && nl && n == run;
        if (n < run) {
            break;
        }
    }
    fe->blocked = done < len;
    return done;
}

static bool mux_attach(Chardev *c, ChardevFe *fe, GError **error)
{
    Mux *m = (Mux *)c;

    if (m->count == MAX_FRONT_ENDS) {
        return fail(error, "too many uses of multiplexed chardev '%s' (maximum is %d)", c->id,
                    MAX_FRONT_ENDS);
    }
    m->fes[m->count++] = fe;
    if (c->connected) {
        fe_event(m, (int)m->count - 1, CHARDEV_OPENED);
    }
    if (m->count == 1) {
        set_focus(m, 0);    /* the console comes before the monitor */
    }
    return true;
}

static void mux_detach(Chardev *c, ChardevFe *fe)
{
    Mux *m = (Mux *)c;

    for (unsigned i = 0; i < m->count; i++) {
        if (m->fes[i] == fe) {
            memmove(&m->fes[i], &m->fes[i + 1], (--m->count - i) * sizeof(m->fes[0]));
            m->focus = -1;
            set_focus(m, (int)m->count - 1);
            return;
        }
    }
}

static void mux_update_read(Chardev *c)
{
    Mux *m = (Mux *)c;

    drain_waiting(m);
    if (m->below.chr) {
        chardev_accept_input(&m->below);
    }
}

static void mux_close(Chardev *c)
{
    Mux *m = (Mux *)c;

    for (unsigned i = 0; i < m->count; i++) {
        m->fes[i]->chr = NULL;
    }
    chardev_fe_detach(&m->below);
}

static void mux_set_echo(Chardev *c, bool echo)
{
    chardev_fe_set_echo(&((Mux *)c)->below, echo);
}

static bool mux_open(Chardev *c, struct json_object *o, GError **error)
{
    const char *base = opts_string(o, "chardev", NULL);
    Mux *m = (Mux *)c;

    if (!base) {
        return fail(error, "chardev: mux: no chardev given");
    }
    Chardev *b = chardev_find(base, error);

    m->focus = -1;
    return b && chardev_fe_attach(&m->below, b, &below_ops, m, error);
}

static const OptDesc mux_opts[] = {
    { "chardev", OPT_STRING, "the back end to share" },
    { NULL },
};

const ChardevDriver chardev_mux_driver = {
    .name = "mux", .opts = mux_opts, .size = sizeof(Mux), .open = mux_open, .close = mux_close,
    .attach = mux_attach, .detach = mux_detach, .write_fe = mux_write_fe,
    .update_read = mux_update_read, .set_echo = mux_set_echo,
};
CHARDEV_DRIVER(chardev_mux_driver);

Chardev *chardev_new_mux(const char *id, Chardev *base, GError **error)
{
    Mux *m = g_new0(Mux, 1);

    m->chr.driver = &chardev_mux_driver;
    m->chr.id = g_strdup(id);
    m->chr.log_fd = -1;
    m->focus = -1;
    if (!chardev_fe_attach(&m->below, base, &below_ops, m, error)) {
        g_free(m->chr.id);
        g_free(m);
        return NULL;
    }
    return &m->chr;
}

bool chardev_is_mux(const Chardev *chr)
{
    return chr->driver == &chardev_mux_driver;
}
