// SPDX-License-Identifier: GPL-2.0-or-later
/* A pair of file descriptors on the main loop, as most back ends need it. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "chardev/internal.h"
#include "util/main-loop.h"

static bool on_readable(int fd, GIOCondition events, void *opaque)
{
    FdIo *io = opaque;
    uint8_t buf[4096];
    unsigned tag = io->in_tag;
    size_t want = MIN(chardev_can_receive(io->chr), sizeof(buf));

    if (want == 0) {
        io->in_tag = 0;     /* until the front end asks again */
        return false;
    }
    ssize_t n = io->read ? io->read(io->chr, buf, want) : read(fd, buf, want);

    if (n > 0) {
        chardev_input(io->chr, buf, (size_t)n);
        return io->in_tag == tag;   /* it may have ended the connection */
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    io->in_tag = 0;
    io->ended = true;
    if (io->eof) {
        io->eof(io->chr);
    }
    return false;
}

static bool on_writable(int fd, GIOCondition events, void *opaque)
{
    FdIo *io = opaque;
    unsigned tag = io->out_tag;

    chardev_flush(io->chr);
    return io->out_tag == tag;
}

void fdio_start(FdIo *io, Chardev *c, int in_fd, int out_fd)
{
    io->chr = c;
    io->in_fd = in_fd;
    io->out_fd = out_fd;
    io->in_tag = io->out_tag = 0;
    io->ended = false;
    for (int i = 0; i < 2; i++) {
        int fd = i ? out_fd : in_fd;

        if (fd >= 0) {
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        }
    }
}

void fdio_stop(FdIo *io)
{
    if (io->in_tag) {
        fd_unwatch(io->in_tag);
    }
    if (io->out_tag) {
        fd_unwatch(io->out_tag);
    }
    io->in_tag = io->out_tag = 0;
    if (io->in_fd > 2) {
        close(io->in_fd);
    }
    if (io->out_fd > 2 && io->out_fd != io->in_fd) {
        close(io->out_fd);
    }
    io->in_fd = io->out_fd = -1;
}

ssize_t fdio_write(FdIo *io, const uint8_t *buf, size_t len)
{
    ssize_t n;

    do {
        n = write(io->out_fd, buf, len);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

void fdio_want_write(FdIo *io, bool on)
{
    if (on && !io->out_tag && io->out_fd >= 0) {
        io->out_tag = fd_watch(io->out_fd, G_IO_OUT | G_IO_ERR | G_IO_HUP, on_writable, io);
    } else if (!on && io->out_tag) {
        fd_unwatch(io->out_tag);
        io->out_tag = 0;
    }
}

void fdio_update_read(FdIo *io)
{
    bool want = io->in_fd >= 0 && !io->ended && chardev_can_receive(io->chr) > 0;

    if (want && !io->in_tag) {
        io->in_tag = fd_watch(io->in_fd, G_IO_IN | G_IO_ERR | G_IO_HUP, on_readable, io);
    } else if (!want && io->in_tag) {
        fd_unwatch(io->in_tag);
        io->in_tag = 0;
    }
}
