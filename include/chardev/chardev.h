// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Character devices: byte streams between a front end (a serial port, a monitor, a gdb stub)
 * and a back end (a terminal, a file, a socket). Main loop, machine lock held, except where
 * said otherwise.
 *
 * Output. The front end calls chardev_write(), which never blocks: bytes go to the back end
 * or wait in the chardev's ring. It takes less than was offered only when the ring is full;
 * `drained` is called once there is room again, and the front end offers the rest then. While
 * nobody is connected to the back end, output is taken, counted as `lost` and dropped, like on
 * an unplugged cable.
 *
 * Input. The back end delivers at most what can_receive() returns. A front end that returned 0
 * calls chardev_accept_input() when it has room again.
 */
#ifndef CHARDEV_CHARDEV_H
#define CHARDEV_CHARDEV_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

typedef struct Chardev Chardev;

typedef enum ChardevEvent {
    CHARDEV_OPENED,     /* somebody is connected to the back end */
    CHARDEV_CLOSED,     /* nobody is any more */
    CHARDEV_BREAK,      /* a break condition on the line */
    CHARDEV_FOCUS_IN,   /* this front end of a multiplexer gets the keyboard now */
    CHARDEV_FOCUS_OUT,
} ChardevEvent;

/* What a front end supplies; each may be NULL. */
typedef struct ChardevFeOps {
    size_t (*can_receive)(void *opaque);    /* bytes that receive() may be given now */
    void (*receive)(void *opaque, const uint8_t *buf, size_t len);
    void (*event)(void *opaque, ChardevEvent event);
    void (*drained)(void *opaque);          /* room again after a short chardev_write() */
} ChardevFeOps;

/* The front end's side of a connection. Embedded in its owner, zero when not attached. */
typedef struct ChardevFe {
    Chardev *chr;               /* NULL: not attached */
    const ChardevFeOps *ops;
    void *opaque;
    bool blocked;               /* a write was cut short, `drained` is owed */
} ChardevFe;

/* The chardev with this id, or an error that suggests the nearest id. Not a reference. */
Chardev *chardev_find(const char *id, GError **error);
const char *chardev_id(const Chardev *chr);

/*
 * Connects fe to chr, exclusively unless chr multiplexes. OPENED is delivered
 * from within when the back end is connected already. Detach before fe's memory goes.
 */
bool chardev_fe_attach(ChardevFe *fe, Chardev *chr, const ChardevFeOps *ops, void *opaque,
                       GError **error);
void chardev_fe_detach(ChardevFe *fe);

/*
 * Takes up to len bytes, returns how many: less than len only when the ring is full. An fe
 * that is not attached takes everything.
 */
size_t chardev_write(ChardevFe *fe, const void *buf, size_t len);
/* Bytes that chardev_write() would take now. */
size_t chardev_write_room(ChardevFe *fe);
/* Bytes that were taken and have not reached the back end yet. */
size_t chardev_pending(const ChardevFe *fe);
/* The front end can receive again. */
void chardev_accept_input(ChardevFe *fe);
/* Whether somebody is connected to the back end. */
bool chardev_fe_connected(const ChardevFe *fe);
/* Tells the back end that the guest opened or closed its side (frontend-open of query-chardev). */
void chardev_fe_set_open(ChardevFe *fe, bool open);
/* Drops the present connection of a socket; no effect on others. */
void chardev_fe_disconnect(ChardevFe *fe);
/* Switches local echo of a terminal (monitors want it off). */
void chardev_fe_set_echo(ChardevFe *fe, bool echo);
/* Takes the oldest file descriptor received over a unix socket with data, or -1. */
int chardev_fe_take_fd(ChardevFe *fe);
/* Queues fds (not taken over) to go with the next byte written on a unix socket. */
bool chardev_fe_send_fds(ChardevFe *fe, const int *fds, size_t n, GError **error);

/*
 * The present connection of a unix socket, for a front end that asks and waits for answers by
 * itself (its can_receive() says
 * 0 then); -1: none. It stays the chardev's.
 */
int chardev_fe_socket(ChardevFe *fe);

/* Line parameters and modem lines of a host serial port; false when the back end has none. */
typedef struct ChardevLine {
    int speed, data_bits, stop_bits;
    char parity;                /* 'N', 'E' or 'O' */
} ChardevLine;

enum { CHARDEV_TIOCM_CTS = 1, CHARDEV_TIOCM_CAR = 2, CHARDEV_TIOCM_DSR = 4, CHARDEV_TIOCM_RI = 8,
       CHARDEV_TIOCM_DTR = 16, CHARDEV_TIOCM_RTS = 32 };

bool chardev_fe_set_line(ChardevFe *fe, const ChardevLine *line);
bool chardev_fe_set_break(ChardevFe *fe, bool on);
bool chardev_fe_get_modem(ChardevFe *fe, unsigned *tiocm);
bool chardev_fe_set_modem(ChardevFe *fe, unsigned tiocm);

/*
 * Creation. `options` is a flat JSON object of strings or typed values ("backend", "id",
 * "path", ...), as from `-chardev` or chardev-add.
 */
Chardev *chardev_new(struct json_object *options, GError **error);
/*
 * From a short form such as "stdio", "mon:stdio", "tcp::4444,server=on", "unix:p", "pty",
 * "chardev:ID", "null", "none" (NULL without an error).
 */
Chardev *chardev_new_short(const char *id, const char *spec, GError **error);
/* The same for a spec that is to carry a monitor: `*with_monitor` says if "mon:" was there. */
Chardev *chardev_new_short_mon(const char *id, const char *spec, bool *with_monitor,
                               GError **error);
/* Fails while a front end is attached. */
bool chardev_remove(const char *id, GError **error);
/* Ends all, restoring terminals and unlinking sockets. */
void chardev_cleanup(void);

#endif
