// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back ends without a protocol: null, ring buffer, file, pair of pipes, host serial port.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "chardev/internal.h"
#include "util/error.h"
#include "util/fdset.h"

/* --- null and the text console that no window shows ------------------------------------- */

static bool null_open(Chardev *c, struct json_object *o, GError **error)
{
    c->connected = true;
    return true;
}

static ssize_t null_write(Chardev *c, const uint8_t *buf, size_t len)
{
    return (ssize_t)len;
}

static const ChardevDriver null_driver = {
    .name = "null", .size = sizeof(Chardev), .open = null_open, .write = null_write,
};
CHARDEV_DRIVER(null_driver);

static const OptDesc vc_opts[] = {
    { "width", OPT_NUMBER, "pixels" },
    { "height", OPT_NUMBER, "pixels" },
    { "cols", OPT_NUMBER, "columns" },
    { "rows", OPT_NUMBER, "rows" },
    { NULL },
};

static const ChardevDriver vc_driver = {
    .name = "vc", .opts = vc_opts, .size = sizeof(Chardev), .open = null_open, .write = null_write,
};
CHARDEV_DRIVER(vc_driver);

/* --- ring buffer ----------------------------------------------------------------------- */

typedef struct RingBuf {
    Chardev chr;
    uint8_t *data;
    size_t size;            /* a power of two */
    uint64_t prod, cons;
} RingBuf;

static bool ringbuf_open(Chardev *c, struct json_object *o, GError **error)
{
    RingBuf *r = (RingBuf *)c;

    r->size = opts_number(o, "size", 65536);
    if (r->size == 0 || (r->size & (r->size - 1)) || r->size > GIB) {
        return fail(error, "size of ringbuf chardev must be power of two");
    }
    r->data = g_malloc(r->size);
    c->connected = true;
    return true;
}

static void ringbuf_close(Chardev *c)
{
    g_free(((RingBuf *)c)->data);
}

static ssize_t ringbuf_write(Chardev *c, const uint8_t *buf, size_t len)
{
    RingBuf *r = (RingBuf *)c;

    for (size_t i = 0; i < len; i++) {
        r->data[r->prod++ & (r->size - 1)] = buf[i];
        if (r->prod - r->cons > r->size) {
            r->cons = r->prod - r->size;    /* the newest stay, as documented */
        }
    }
    return (ssize_t)len;
}

static const OptDesc ringbuf_opts[] = {
    { "size", OPT_SIZE, "bytes, a power of two", "64k" },
    { NULL },
};

static const ChardevDriver ringbuf_driver = {
    .name = "ringbuf", .opts = ringbuf_opts, .size = sizeof(RingBuf), .open = ringbuf_open,
    .close = ringbuf_close, .write = ringbuf_write,
};
CHARDEV_DRIVER(ringbuf_driver);

bool ringbuf_is(Chardev *c)
{
    return c->driver == &ringbuf_driver;
}

size_t ringbuf_take(Chardev *c, uint8_t *buf, size_t len)
{
    RingBuf *r = (RingBuf *)c;
    size_t n = MIN(len, (size_t)(r->prod - r->cons));

    for (size_t i = 0; i < n; i++) {
        buf[i] = r->data[r->cons++ & (r->size - 1)];
    }
    return n;
}

/* --- files, pipes, serial ports --------------------------------------------------------- */

typedef struct FdChardev {
    Chardev chr;
    FdIo io;
    struct termios saved;   /* serial ports: as they were */
} FdChardev;

static ssize_t fd_write(Chardev *c, const uint8_t *buf, size_t len)
{
    return fdio_write(&((FdChardev *)c)->io, buf, len);
}

static void fd_want_write(Chardev *c, bool on)
{
    fdio_want_write(&((FdChardev *)c)->io, on);
}

static void fd_update_read(Chardev *c)
{
    fdio_update_read(&((FdChardev *)c)->io);
}

static void fd_close(Chardev *c)
{
    fdio_stop(&((FdChardev *)c)->io);
}

static bool file_open(Chardev *c, struct json_object *o, GError **error)
{
    const char *path = opts_string(o, "path", NULL);
    const char *in = opts_string(o, "input-path", NULL);
    int how = opts_bool(o, "append", false) ? O_APPEND : O_TRUNC;

    if (!path) {
        return fail(error, "chardev: file: no filename given");
    }
    int out_fd = fd_open(path, O_WRONLY | O_CREAT | how, 0666, error);

    if (out_fd < 0) {
        return false;
    }
    int in_fd = in ? fd_open(in, O_RDONLY, 0, error) : -1;

    if (in && in_fd < 0) {
        close(out_fd);
        return false;
    }
    fdio_start(&((FdChardev *)c)->io, c, in_fd, out_fd);
    c->connected = true;
    return true;
}

static const OptDesc file_opts[] = {
    { "path", OPT_STRING, "file to write to" },
    { "input-path", OPT_STRING, "file to read from" },
    { "append", OPT_BOOL, "do not truncate the file", "off" },
    { NULL },
};

static const ChardevDriver file_driver = {
    .name = "file", .opts = file_opts, .size = sizeof(FdChardev), .open = file_open,
    .close = fd_close, .write = fd_write, .want_write = fd_want_write,
    .update_read = fd_update_read,
};
CHARDEV_DRIVER(file_driver);

static bool pipe_open(Chardev *c, struct json_object *o, GError **error)
{
    const char *path = opts_string(o, "path", NULL);

    if (!path) {
        return fail(error, "chardev: pipe: no device path given");
    }
    g_autofree char *in_path = g_strdup_printf("%s.in", path);
    g_autofree char *out_path = g_strdup_printf("%s.out", path);
    int in_fd = open(in_path, O_RDWR | O_CLOEXEC);
    int out_fd = open(out_path, O_RDWR | O_CLOEXEC);

    if (in_fd < 0 || out_fd < 0) {
        if (in_fd >= 0) {
            close(in_fd);
        }
        if (out_fd >= 0) {
            close(out_fd);
        }
        in_fd = out_fd = fd_open(path, O_RDWR, 0, error);
        if (in_fd < 0) {
            return false;
        }
    }
    fdio_start(&((FdChardev *)c)->io, c, in_fd, out_fd);
    c->connected = true;
    return true;
}

static const OptDesc path_opts[] = {
    { "path", OPT_STRING, "the device or pipe" },
    { NULL },
};

static const ChardevDriver pipe_driver = {
    .name = "pipe", .opts = path_opts, .size = sizeof(FdChardev), .open = pipe_open,
    .close = fd_close, .write = fd_write, .want_write = fd_want_write,
    .update_read = fd_update_read,
};
CHARDEV_DRIVER(pipe_driver);

static bool serial_open(Chardev *c, struct json_object *o, GError **error)
{
    FdChardev *s = (FdChardev *)c;
    const char *path = opts_string(o, "path", NULL);
    struct termios t;

    if (!path) {
        return fail(error, "chardev: serial/tty: no device path given");
    }
    int fd = fd_open(path, O_RDWR | O_NONBLOCK | O_NOCTTY, 0, error);

    if (fd < 0) {
        return false;
    }
    if (tcgetattr(fd, &s->saved) < 0) {
        fail_errno(error, errno, "'%s' is no terminal", path);
        close(fd);
        return false;
    }
    t = s->saved;
    cfmakeraw(&t);
    t.c_cflag |= CREAD | CLOCAL;
    tcsetattr(fd, TCSANOW, &t);
    fdio_start(&s->io, c, fd, fd);
    c->connected = true;
    return true;
}

static void serial_close(Chardev *c)
{
    FdChardev *s = (FdChardev *)c;

    tcsetattr(s->io.in_fd, TCSANOW, &s->saved);
    fdio_stop(&s->io);
}

static bool serial_set_line(Chardev *c, const ChardevLine *line)
{
    static const struct { int baud; speed_t code; } speeds[] = {
        { 50, B50 }, { 110, B110 }, { 300, B300 }, { 600, B600 }, { 1200, B1200 },
        { 2400, B2400 }, { 4800, B4800 }, { 9600, B9600 }, { 19200, B19200 },
        { 38400, B38400 }, { 57600, B57600 }, { 115200, B115200 }, { 230400, B230400 },
        { 460800, B460800 }, { 921600, B921600 },
    };
    static const tcflag_t sizes[] = { CS5, CS6, CS7, CS8 };
    FdChardev *s = (FdChardev *)c;
    struct termios t;

    if (tcgetattr(s->io.in_fd, &t) < 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(speeds); i++) {
        if (line->speed <= speeds[i].baud || i == ARRAY_COUNT(speeds) - 1) {
            cfsetspeed(&t, speeds[i].code);
            break;
        }
    }
    t.c_cflag &= ~(tcflag_t)(CSTOPB | CSIZE | PARENB | PARODD | CRTSCTS);
    t.c_cflag |= sizes[CLAMP(line->data_bits, 5, 8) - 5];
    t.c_cflag |= line->stop_bits == 2 ? CSTOPB : 0;
    t.c_cflag |= line->parity == 'N' ? 0 : line->parity == 'E' ? PARENB : PARENB | PARODD;
    return tcsetattr(s->io.in_fd, TCSANOW, &t) == 0;
}

static bool serial_set_break(Chardev *c, bool on)
{
    return !on || tcsendbreak(((FdChardev *)c)->io.in_fd, 1) == 0;
}

static const struct { unsigned ours; int host; } modem_lines[] = {
    { CHARDEV_TIOCM_CTS, TIOCM_CTS }, { CHARDEV_TIOCM_CAR, TIOCM_CAR },
    { CHARDEV_TIOCM_DSR, TIOCM_DSR }, { CHARDEV_TIOCM_RI, TIOCM_RI },
    { CHARDEV_TIOCM_DTR, TIOCM_DTR }, { CHARDEV_TIOCM_RTS, TIOCM_RTS },
};

static bool serial_get_modem(Chardev *c, unsigned *tiocm)
{
    int host;

    if (ioctl(((FdChardev *)c)->io.in_fd, TIOCMGET, &host) < 0) {
        return false;
    }
    *tiocm = 0;
    for (size_t i = 0; i < ARRAY_COUNT(modem_lines); i++) {
        *tiocm |= host & modem_lines[i].host ? modem_lines[i].ours : 0;
    }
    return true;
}

static bool serial_set_modem(Chardev *c, unsigned tiocm)
{
    int host, fd = ((FdChardev *)c)->io.in_fd;

    if (ioctl(fd, TIOCMGET, &host) < 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(modem_lines); i++) {
        if (modem_lines[i].ours & (CHARDEV_TIOCM_DTR | CHARDEV_TIOCM_RTS)) {
            host &= ~modem_lines[i].host;
            host |= tiocm & modem_lines[i].ours ? modem_lines[i].host : 0;
        }
    }
    return ioctl(fd, TIOCMSET, &host) == 0;
}

static const ChardevDriver serial_driver = {
    .name = "serial", .opts = path_opts, .size = sizeof(FdChardev), .open = serial_open,
    .close = serial_close, .write = fd_write, .want_write = fd_want_write,
    .update_read = fd_update_read, .set_line = serial_set_line, .set_break = serial_set_break,
    .get_modem = serial_get_modem, .set_modem = serial_set_modem,
};
CHARDEV_DRIVER(serial_driver);
