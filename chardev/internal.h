// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What back ends of character devices are made of. A back end is one ChardevDriver; the core
 * in chardev.c keeps the ring of output that did not go out at once, the log file and the
 * connection with the front end.
 */
#ifndef CHARDEV_INTERNAL_H
#define CHARDEV_INTERNAL_H

#include <sys/types.h>

#include "chardev/chardev.h"
#include "qapi/keyval.h"
#include "util/types.h"

typedef struct ChardevDriver {
    const char *name;
    const OptDesc *opts;        /* beside the common ones; ends with a row without a name */
    size_t size;                /* of the instance, which begins with a Chardev */
    bool hidden;                /* cannot be asked for by name */
    /* Opens by checked options. On failure the instance is freed without close(). */
    bool (*open)(Chardev *c, struct json_object *options, GError **error);
    void (*close)(Chardev *c);
    /* Writes without blocking: bytes taken, or -errno; -EAGAIN: wait for want_write. */
    ssize_t (*write)(Chardev *c, const uint8_t *buf, size_t len);
    /* Output waits (on) or not: chardev_flush() is to be called when write() would take some. */
    void (*want_write)(Chardev *c, bool on);
    /* The front end's appetite may have changed: read when chardev_can_receive() > 0. */
    void (*update_read)(Chardev *c);
    /* Front ends come and go on a multiplexer; others have one, which the core manages. */
    bool (*attach)(Chardev *c, ChardevFe *fe, GError **error);
    void (*detach)(Chardev *c, ChardevFe *fe);
    size_t (*write_fe)(Chardev *c, ChardevFe *fe, const uint8_t *buf, size_t len);
    /* Optional: what chardev.h says of the function of the same name. */
    void (*set_echo)(Chardev *c, bool echo);
    void (*disconnect)(Chardev *c);
    int (*take_fd)(Chardev *c);
    int (*socket)(Chardev *c);
    bool (*send_fds)(Chardev *c, const int *fds, size_t n, GError **error);
    bool (*set_line)(Chardev *c, const ChardevLine *line);
    bool (*set_break)(Chardev *c, bool on);
    bool (*get_modem)(Chardev *c, unsigned *tiocm);
    bool (*set_modem)(Chardev *c, unsigned tiocm);
    char *(*filename)(Chardev *c);      /* NULL: the driver's name */
} ChardevDriver;

struct Chardev {
    const ChardevDriver *driver;
    char *id;
    ChardevFe *fe;              /* NULL: none, or a multiplexer's are kept elsewhere */
    bool fe_open;               /* what chardev_fe_set_open() said */
    bool connected;
    uint8_t *ring;              /* RING_SIZE bytes, allocated when needed first */
    size_t ring_head, ring_used;
    uint64_t lost;              /* bytes that nobody was connected for */
    int log_fd;                 /* -1: none */
};

enum { CHARDEV_RING_SIZE = 64 * 1024 };

#define CHARDEV_DRIVER(d) SECTION_ENTRY(chardev_drivers, const ChardevDriver *, d##_row, &d)

/* For drivers: hand over input, at most what can_receive says. */
size_t chardev_can_receive(Chardev *c);
void chardev_input(Chardev *c, const uint8_t *buf, size_t len);
/* Reports OPENED or CLOSED (kept in c->connected) or a break. */
void chardev_event(Chardev *c, ChardevEvent event);
/* Writes what waits in the ring, as far as it goes. */
void chardev_flush(Chardev *c);
/* To the one front end of c, without the ring: for the multiplexer. */
const ChardevDriver *chardev_driver_find(const char *name);
void chardev_foreach(void (*fn)(Chardev *c, void *opaque), void *opaque);
void chardev_driver_foreach(void (*fn)(const ChardevDriver *d, void *opaque), void *opaque);
char *chardev_filename(Chardev *c);

/*
 * A pair of descriptors on the main loop, part of most back ends. Reading stops at end of file
 * or error (`eof` is called), and goes on by fdio_update_read().
 */
typedef struct FdIo {
    Chardev *chr;
    int in_fd, out_fd;          /* -1: none; may be the same */
    unsigned in_tag, out_tag;
    bool ended;                 /* no more input from in_fd */
    void (*eof)(Chardev *c);    /* may be NULL */
    /* NULL: read(2), and chardev_input() with what it gave. */
    ssize_t (*read)(Chardev *c, uint8_t *buf, size_t len);
} FdIo;

void fdio_start(FdIo *io, Chardev *c, int in_fd, int out_fd);
/* Removes watches and closes; descriptors 0 to 2 stay open. */
void fdio_stop(FdIo *io);
ssize_t fdio_write(FdIo *io, const uint8_t *buf, size_t len);
void fdio_want_write(FdIo *io, bool on);
void fdio_update_read(FdIo *io);

/* ringbuf.c: reads and writes by QMP. */
bool ringbuf_is(Chardev *c);
size_t ringbuf_take(Chardev *c, uint8_t *buf, size_t len);

/* Makes `c` a multiplexer's other side: a mux named id over base. mux.c */
Chardev *chardev_new_mux(const char *id, Chardev *base, GError **error);
extern const ChardevDriver chardev_mux_driver;

#endif
