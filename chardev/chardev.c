// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The core of character devices: the list of them, the connection between front end and
 * back end, the ring of waiting output, log files.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "chardev/internal.h"
#include "qom/runstate.h"
#include "util/error.h"
#include "util/fdset.h"

extern const ChardevDriver *const __start_chardev_drivers[];
extern const ChardevDriver *const __stop_chardev_drivers[];

/* All chardevs, in order of creation: they belong to the process, tools have them too. */
static GPtrArray *chardevs;

static const OptDesc common_opts[] = {
    { "id", OPT_STRING, "name of the chardev" },
    { "backend", OPT_STRING, "kind of back end" },
    { "mux", OPT_BOOL, "several front ends share it", "off" },
    { "logfile", OPT_STRING, "file that gets a copy of the output" },
    { "logappend", OPT_BOOL, "do not truncate the log file", "off" },
    { NULL },
};

const ChardevDriver *chardev_driver_find(const char *name)
{
    for (const ChardevDriver *const *d = __start_chardev_drivers; d < __stop_chardev_drivers; d++) {
        if (strcmp((*d)->name, name) == 0) {
            return *d;
        }
    }
    return NULL;
}

void chardev_driver_foreach(void (*fn)(const ChardevDriver *d, void *opaque), void *opaque)
{
    for (const ChardevDriver *const *d = __start_chardev_drivers; d < __stop_chardev_drivers; d++) {
        fn(*d, opaque);
    }
}

void chardev_foreach(void (*fn)(Chardev *c, void *opaque), void *opaque)
{
    for (guint i = 0; chardevs && i < chardevs->len; i++) {
        fn(chardevs->pdata[i], opaque);
    }
}

static Chardev *lookup(const char *id)
{
    for (guint i = 0; chardevs && i < chardevs->len; i++) {
        Chardev *c = chardevs->pdata[i];

        if (strcmp(c->id, id) == 0) {
            return c;
        }
    }
    return NULL;
}

Chardev *chardev_find(const char *id, GError **error)
{
    Chardev *c = lookup(id);

    if (!c) {
        g_autoptr(GPtrArray) ids = g_ptr_array_new();

        for (guint i = 0; chardevs && i < chardevs->len; i++) {
            g_ptr_array_add(ids, ((Chardev *)chardevs->pdata[i])->id);
        }
        g_ptr_array_add(ids, NULL);
        g_autofree char *hint = suggestion(id, (const char *const *)ids->pdata);

        fail(error, "chardev \"%s\" not found%s", id, hint);
    }
    return c;
}

const char *chardev_id(const Chardev *c)
{
    return c->id;
}

char *chardev_filename(Chardev *c)
{
    return c->driver->filename ? c->driver->filename(c) : g_strdup(c->driver->name);
}

/* --- output ---------------------------------------------------------------------------- */

static void log_write(Chardev *c, const uint8_t *buf, size_t len)
{
    while (c->log_fd >= 0 && len > 0) {
        ssize_t n = write(c->log_fd, buf, len);

        if (n <= 0) {
            if (n < 0 && errno == EINTR) {
                continue;
            }
            close(c->log_fd);   /* a full disk must not stop the guest */
            c->log_fd = -1;
            warn_report("chardev '%s': log file: %s", c->id, g_strerror(errno));
            return;
        }
        buf += n;
        len -= (size_t)n;
    }
}

static void ring_clear(Chardev *c)
{
    c->lost += c->ring_used;
    c->ring_used = 0;
    c->ring_head = 0;
}

static size_t ring_put(Chardev *c, const uint8_t *buf, size_t len)
{
    size_t room = CHARDEV_RING_SIZE - c->ring_used;

    len = MIN(len, room);
    if (!c->ring && len) {
        c->ring = g_malloc(CHARDEV_RING_SIZE);
    }
    size_t tail = (c->ring_head + c->ring_used) % CHARDEV_RING_SIZE;
    size_t first = MIN(len, CHARDEV_RING_SIZE - tail);

    if (len) {
        memcpy(c->ring + tail, buf, first);
        memcpy(c->ring, buf + first, len - first);
    }
    c->ring_used += len;
    return len;
}

void chardev_flush(Chardev *c)
{
    while (c->ring_used) {
        size_t run = MIN(c->ring_used, CHARDEV_RING_SIZE - c->ring_head);
        ssize_t n = c->driver->write(c, c->ring + c->ring_head, run);

        if (n == -EAGAIN || n == 0) {
            break;
        }
        if (n < 0) {
            ring_clear(c);
            break;
        }
        c->ring_head = (c->ring_head + (size_t)n) % CHARDEV_RING_SIZE;
        c->ring_used -= (size_t)n;
    }
    if (c->driver->want_write) {
        c->driver->want_write(c, c->ring_used > 0);
    }
    ChardevFe *fe = c->fe;

    if (fe && fe->blocked && c->ring_used <= CHARDEV_RING_SIZE / 2) {
        fe->blocked = false;
        if (fe->ops && fe->ops->drained) {
            fe->ops->drained(fe->opaque);
        }
    }
}

static size_t push(Chardev *c, const uint8_t *buf, size_t len)
{
    size_t done = 0;

    if (!c->connected) {
        c->lost += len;
        return len;
    }
    if (c->ring_used == 0 && len > 0) {
        ssize_t n = c->driver->write(c, buf, len);

        if (n < 0 && n != -EAGAIN) {
            c->lost += len;
            return len;
        }
        done = n > 0 ? (size_t)n : 0;
    }
    if (done < len) {
        done += ring_put(c, buf + done, len - done);
        if (c->driver->want_write) {
            c->driver->want_write(c, true);
        }
    }
    return done;
}

size_t chardev_write(ChardevFe *fe, const void *buf, size_t len)
{
    Chardev *c = fe->chr;

    if (!c) {
        return len;
    }
    if (c->driver->write_fe) {
        return c->driver->write_fe(c, fe, buf, len);
    }
    size_t n = push(c, buf, len);

    log_write(c, buf, n);
    fe->blocked = n < len;
    return n;
}

size_t chardev_write_room(ChardevFe *fe)
{
    return fe->chr ? CHARDEV_RING_SIZE - fe->chr->ring_used : CHARDEV_RING_SIZE;
}

size_t chardev_pending(const ChardevFe *fe)
{
    return fe->chr ? fe->chr->ring_used : 0;
}

/* --- input and events ------------------------------------------------------------------ */

size_t chardev_can_receive(Chardev *c)
{
    ChardevFe *fe = c->fe;

    if (!fe || !fe->ops || !fe->ops->receive) {
        return 0;
    }
    return fe->ops->can_receive ? fe->ops->can_receive(fe->opaque) : 4096;
}

void chardev_input(Chardev *c, const uint8_t *buf, size_t len)
{
    if (c->fe && c->fe->ops && c->fe->ops->receive && len) {
        c->fe->ops->receive(c->fe->opaque, buf, len);
    }
}

void chardev_event(Chardev *c, ChardevEvent event)
{
    if (event == CHARDEV_OPENED || event == CHARDEV_CLOSED) {
        c->connected = event == CHARDEV_OPENED;
        if (!c->connected) {
            ring_clear(c);
        }
    }
    if (c->fe && c->fe->ops && c->fe->ops->event) {
        c->fe->ops->event(c->fe->opaque, event);
    }
    if (event == CHARDEV_CLOSED && c->fe && c->fe->blocked) {
        chardev_flush(c);   /* writers wait no longer: output is dropped from here on */
    }
}

bool chardev_fe_attach(ChardevFe *fe, Chardev *c, const ChardevFeOps *ops, void *opaque,
                       GError **error)
{
    if (c->fe && !c->driver->attach) {
        return fail(error, "chardev '%s' is in use", c->id);
    }
    *fe = (ChardevFe){ .chr = c, .ops = ops, .opaque = opaque };
    if (c->driver->attach) {
        if (!c->driver->attach(c, fe, error)) {
            fe->chr = NULL;
            return false;
        }
    } else {
        c->fe = fe;
        c->fe_open = true;
        if (c->connected && ops && ops->event) {
            ops->event(opaque, CHARDEV_OPENED);
        }
    }
    if (fe->chr && c->driver->update_read) {
        c->driver->update_read(c);
    }
    return true;
}

void chardev_fe_detach(ChardevFe *fe)
{
    Chardev *c = fe->chr;

    if (!c) {
        return;
    }
    fe->chr = NULL;
    if (c->driver->detach) {
        c->driver->detach(c, fe);
    } else {
        c->fe = NULL;
        c->fe_open = false;
        if (c->driver->update_read) {
            c->driver->update_read(c);
        }
    }
}

void chardev_accept_input(ChardevFe *fe)
{
    if (fe->chr && fe->chr->driver->update_read) {
        fe->chr->driver->update_read(fe->chr);
    }
}

bool chardev_fe_connected(const ChardevFe *fe)
{
    return fe->chr && fe->chr->connected;
}

void chardev_fe_set_open(ChardevFe *fe, bool open)
{
    if (fe->chr) {
        fe->chr->fe_open = open;
    }
}

void chardev_fe_disconnect(ChardevFe *fe)
{
    if (fe->chr && fe->chr->driver->disconnect) {
        fe->chr->driver->disconnect(fe->chr);
    }
}

void chardev_fe_set_echo(ChardevFe *fe, bool echo)
{
    if (fe->chr && fe->chr->driver->set_echo) {
        fe->chr->driver->set_echo(fe->chr, echo);
    }
}

int chardev_fe_socket(ChardevFe *fe)
{
    return fe->chr && fe->chr->driver->socket ? fe->chr->driver->socket(fe->chr) : -1;
}

int chardev_fe_take_fd(ChardevFe *fe)
{
    return fe->chr && fe->chr->driver->take_fd ? fe->chr->driver->take_fd(fe->chr) : -1;
}

bool chardev_fe_send_fds(ChardevFe *fe, const int *fds, size_t n, GError **error)
{
    if (!fe->chr || !fe->chr->driver->send_fds) {
        return fail(error, "chardev '%s' cannot pass file descriptors",
                    fe->chr ? fe->chr->id : "");
    }
    return fe->chr->driver->send_fds(fe->chr, fds, n, error);
}

bool chardev_fe_set_line(ChardevFe *fe, const ChardevLine *line)
{
    return fe->chr && fe->chr->driver->set_line && fe->chr->driver->set_line(fe->chr, line);
}

bool chardev_fe_set_break(ChardevFe *fe, bool on)
{
    return fe->chr && fe->chr->driver->set_break && fe->chr->driver->set_break(fe->chr, on);
}

bool chardev_fe_get_modem(ChardevFe *fe, unsigned *tiocm)
{
    return fe->chr && fe->chr->driver->get_modem && fe->chr->driver->get_modem(fe->chr, tiocm);
}

bool chardev_fe_set_modem(ChardevFe *fe, unsigned tiocm)
{
    return fe->chr && fe->chr->driver->set_modem && fe->chr->driver->set_modem(fe->chr, tiocm);
}

/* --- creation and end ------------------------------------------------------------------ */

static void add_driver_name(const ChardevDriver *d, void *opaque)
{
    if (!d->hidden) {
        g_ptr_array_add(opaque, (void *)d->name);
    }
}

static const ChardevDriver *pick_driver(const char *name, GError **error)
{
    static const char *const aliases[][2] = { { "tty", "serial" }, { "memory", "ringbuf" } };

    for (size_t i = 0; i < ARRAY_COUNT(aliases); i++) {
        if (strcmp(name, aliases[i][0]) == 0) {
            name = aliases[i][1];
        }
    }
    const ChardevDriver *d = chardev_driver_find(name);

    if (!d || d->hidden) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        chardev_driver_foreach(add_driver_name, names);
        g_ptr_array_add(names, NULL);
        g_autofree char *hint = suggestion(name, (const char *const *)names->pdata);

        return fail_null(error, "'%s' is not a valid char driver name%s", name, hint);
    }
    return d;
}

static bool check_options(json_object *o, const ChardevDriver *d, GError **error)
{
    g_autoptr(GArray) table = g_array_new(TRUE, FALSE, sizeof(OptDesc));

    for (const OptDesc *row = common_opts; row->name; row++) {
        g_array_append_val(table, *row);
    }
    for (const OptDesc *row = d->opts; row && row->name; row++) {
        g_array_append_val(table, *row);
    }
    return opts_check(o, (const OptDesc *)(void *)table->data, NULL, error);
}

static bool id_ok(const char *id)
{
    /* Ids of our own ("serial0-base" and the like) are well formed by construction. */
    return g_ascii_isalpha(id[0]) &&
           strspn(id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._") == strlen(id);
}

static void chardev_free(Chardev *c)
{
    if (c->log_fd >= 0) {
        close(c->log_fd);
    }
    g_free(c->ring);
    g_free(c->id);
    g_free(c);
}

/* State that was loaded may take input where the device after its reset did not. */
static void machine_runs(void *opaque, bool running)
{
    for (unsigned i = 0; running && i < chardevs->len; i++) {
        Chardev *c = g_ptr_array_index(chardevs, i);

        if (c->driver->update_read) {
            c->driver->update_read(c);
        }
    }
}

static Chardev *create(const ChardevDriver *d, const char *id, json_object *o, GError **error)
{
    Chardev *c = g_malloc0(d->size);
    const char *logfile = opts_string(o, "logfile", NULL);

    c->driver = d;
    c->id = g_strdup(id);
    c->log_fd = -1;
    if (logfile) {
        int how = opts_bool(o, "logappend", false) ? O_APPEND : O_TRUNC;

        c->log_fd = fd_open(logfile, O_WRONLY | O_CREAT | how, 0666, error);
        if (c->log_fd < 0) {
            chardev_free(c);
            return NULL;
        }
    }
    if (!d->open(c, o, error)) {
        chardev_free(c);
        return NULL;
    }
    if (!chardevs) {
        chardevs = g_ptr_array_new();
        runstate_watch(machine_runs, NULL);
    }
    g_ptr_array_add(chardevs, c);
    return c;
}

static void destroy(Chardev *c)
{
    g_ptr_array_remove(chardevs, c);
    if (c->fe) {
        c->fe->chr = NULL;
    }
    if (c->driver->close) {
        c->driver->close(c);
    }
    chardev_free(c);
}

Chardev *chardev_new(json_object *o, GError **error)
{
    const char *backend = opts_string(o, "backend", NULL);
    const char *id = opts_string(o, "id", NULL);

    if (!backend) {
        return fail_null(error, "chardev: \"%s\" missing backend", id ? id : "");
    }
    if (!id) {
        return fail_null(error, "chardev: no id specified");
    }
    if (!id_ok(id)) {
        return fail_null(error, "Parameter 'id' expects an identifier");
    }
    if (lookup(id)) {
        return fail_null(error, "Duplicate ID '%s' for chardev", id);
    }
    const ChardevDriver *d = pick_driver(backend, error);

    if (!d || !check_options(o, d, error)) {
        return NULL;
    }
    if (!opts_bool(o, "mux", false)) {
        return create(d, id, o, error);
    }
    g_autofree char *base_id = g_strdup_printf("%s-base", id);
    Chardev *base = create(d, base_id, o, error);

    if (!base) {
        return NULL;
    }
    Chardev *mux = chardev_new_mux(id, base, error);

    if (!mux) {
        destroy(base);
        return NULL;
    }
    g_ptr_array_add(chardevs, mux);
    return mux;
}

bool chardev_remove(const char *id, GError **error)
{
    Chardev *c = lookup(id);

    if (!c) {
        return fail(error, "Chardev '%s' not found", id);
    }
    if (c->fe || c->driver == &chardev_mux_driver) {
        return fail(error, "Chardev '%s' is busy", id);
    }
    destroy(c);
    return true;
}

void chardev_cleanup(void)
{
    /* Last created first: a multiplexer goes before what it writes to. */
    while (chardevs && chardevs->len) {
        Chardev *c = chardevs->pdata[chardevs->len - 1];

        chardev_flush(c);
        if (c->ring_used && c->connected) {
            poll(NULL, 0, 20);      /* one more chance for the last words */
            chardev_flush(c);
        }
        destroy(c);
    }
}
