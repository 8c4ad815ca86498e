// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Terminals: the one we were started on (stdio), put into raw mode and given back as it was
 * however the process ends, and pseudo terminals that we make.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "chardev/internal.h"
#include "util/error.h"
#include "util/timer.h"

typedef struct Stdio {
    Chardev chr;
    FdIo io;
    bool signal;
} Stdio;

/* The terminal is the process's: one stdio at a time, and signal handlers need to reach it. */
static struct {
    Stdio *user;
    bool is_tty, echo;
    struct termios saved;
    int flags[2];
} term;

static void term_restore(void)
{
    if (term.user) {
        if (term.is_tty) {
            tcsetattr(0, TCSANOW, &term.saved);
        }
        fcntl(0, F_SETFL, term.flags[0]);
        fcntl(1, F_SETFL, term.flags[1]);
    }
}

static void on_crash(int sig)
{
    term_restore();
    signal(sig, SIG_DFL);
    raise(sig);
}

static void term_raw(void)
{
    struct termios t = term.saved;

    if (!term.is_tty) {
        return;
    }
    if (!term.echo) {
        t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
        t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
        t.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
        t.c_cflag |= CS8;
        t.c_cc[VMIN] = 1;
        t.c_cc[VTIME] = 0;
    }
    t.c_oflag |= OPOST;
    if (!term.user->signal) {
        t.c_lflag &= ~(tcflag_t)ISIG;
    }
    tcsetattr(0, TCSANOW, &t);
}

static void on_continue(int sig)
{
    if (term.user) {
        term_raw();     /* a shell has changed it while we were stopped */
    }
}

static void stdio_eof(Chardev *c)
{
    chardev_event(c, CHARDEV_CLOSED);
    c->connected = true;    /* only input has ended */
}

static bool stdio_open(Chardev *c, struct json_object *o, GError **error)
{
    static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
    Stdio *s = (Stdio *)c;

    if (term.user) {
        return fail(error, "cannot use stdio by multiple character devices");
    }
    s->signal = opts_bool(o, "signal", true);
    term.user = s;
    term.echo = false;
    term.is_tty = isatty(0) && tcgetattr(0, &term.saved) == 0;
    term.flags[0] = fcntl(0, F_GETFL);
    term.flags[1] = fcntl(1, F_GETFL);
    if (term.is_tty) {
        struct sigaction cont = { .sa_handler = on_continue, .sa_flags = SA_RESTART };

        atexit(term_restore);
        sigaction(SIGCONT, &cont, NULL);
        for (size_t i = 0; i < ARRAY_COUNT(crashes); i++) {
            struct sigaction old;

            /* Whoever handles a fault already (guest memory, say) is not to be disturbed. */
            if (sigaction(crashes[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL &&
                !(old.sa_flags & SA_SIGINFO)) {
                signal(crashes[i], on_crash);
            }
        }
        term_raw();
    }
    fdio_start(&s->io, c, 0, 1);
    s->io.eof = stdio_eof;
    c->connected = true;
    return true;
}

static void stdio_close(Chardev *c)
{
    fdio_stop(&((Stdio *)c)->io);
    term_restore();
    term.user = NULL;
}

static ssize_t stdio_write(Chardev *c, const uint8_t *buf, size_t len)
{
    return fdio_write(&((Stdio *)c)->io, buf, len);
}

static void stdio_want_write(Chardev *c, bool on)
{
    fdio_want_write(&((Stdio *)c)->io, on);
}

static void stdio_update_read(Chardev *c)
{
    fdio_update_read(&((Stdio *)c)->io);
}

static void stdio_set_echo(Chardev *c, bool echo)
{
    term.echo = echo;
    term_raw();
}

static const OptDesc stdio_opts[] = {
    { "signal", OPT_BOOL, "Ctrl-C and the like are signals, not input", "on" },
    { NULL },
};

static const ChardevDriver stdio_driver = {
    .name = "stdio", .opts = stdio_opts, .size = sizeof(Stdio), .open = stdio_open,
    .close = stdio_close, .write = stdio_write, .want_write = stdio_want_write,
    .update_read = stdio_update_read, .set_echo = stdio_set_echo,
};
CHARDEV_DRIVER(stdio_driver);

/* --- pseudo terminal -------------------------------------------------------------------- */

enum { PTY_POLL_NS = 200 * 1000 * 1000 };

typedef struct Pty {
    Chardev chr;
    FdIo io;
    Timer timer;        /* looks whether somebody has opened the other side */
    char *name;
} Pty;

static void pty_closed(Pty *p)
{
    if (p->chr.connected) {
        chardev_event(&p->chr, CHARDEV_CLOSED);
    }
    timer_set_ns(&p->timer, clock_now_ns(CLOCK_RT) + PTY_POLL_NS);
}

static void pty_check(void *opaque)
{
    Pty *p = opaque;
    struct pollfd pfd = { .fd = p->io.in_fd, .events = POLLIN | POLLOUT };

    if (poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP)) {
        pty_closed(p);
        return;
    }
    if (!p->chr.connected) {
        p->io.ended = false;
        chardev_event(&p->chr, CHARDEV_OPENED);
        fdio_update_read(&p->io);
    }
}

static void pty_eof(Chardev *c)
{
    pty_closed((Pty *)c);
}

static bool pty_open(Chardev *c, struct json_object *o, GError **error)
{
    Pty *p = (Pty *)c;
    char name[PATH_MAX];
    struct termios t;
    int master, slave;

    if (openpty(&master, &slave, name, NULL, NULL) < 0) {
        return fail_errno(error, errno, "Failed to create PTY");
    }
    tcgetattr(slave, &t);
    cfmakeraw(&t);
    tcsetattr(slave, TCSAFLUSH, &t);
    close(slave);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    p->name = g_strdup(name);
    fdio_start(&p->io, c, master, master);
    p->io.eof = pty_eof;
    p->io.ended = true;     /* until pty_check finds somebody */
    timer_init(&p->timer, CLOCK_RT, pty_check, p);
    timer_set_ns(&p->timer, clock_now_ns(CLOCK_RT) + PTY_POLL_NS);
    printf("char device redirected to %s (label %s)\n", name, c->id);
    fflush(stdout);
    return true;
}

static void pty_close(Chardev *c)
{
    Pty *p = (Pty *)c;

    timer_cancel(&p->timer);
    fdio_stop(&p->io);
    g_free(p->name);
}

static ssize_t pty_write(Chardev *c, const uint8_t *buf, size_t len)
{
    Pty *p = (Pty *)c;
    struct pollfd pfd = { .fd = p->io.out_fd, .events = POLLOUT };

    if (poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP)) {
        pty_closed(p);
        return -EPIPE;
    }
    return fdio_write(&p->io, buf, len);
}

static void pty_want_write(Chardev *c, bool on)
{
    fdio_want_write(&((Pty *)c)->io, on);
}

static void pty_update_read(Chardev *c)
{
    if (c->connected) {
        fdio_update_read(&((Pty *)c)->io);
    }
}

static char *pty_filename(Chardev *c)
{
    return g_strdup_printf("pty:%s", ((Pty *)c)->name);
}

static const ChardevDriver pty_driver = {
    .name = "pty", .size = sizeof(Pty), .open = pty_open, .close = pty_close,
    .write = pty_write, .want_write = pty_want_write, .update_read = pty_update_read,
    .filename = pty_filename,
};
CHARDEV_DRIVER(pty_driver);
