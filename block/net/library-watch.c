// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets of libraries in the main loop; see the header. */
#include "block/net/library-watch.h"

#include <poll.h>

static bool on_socket(int fd, GIOCondition events, void *opaque)
{
    LibraryWatch *w = opaque;
    int got = (events & G_IO_IN ? POLLIN : 0) | (events & G_IO_OUT ? POLLOUT : 0) |
              (events & G_IO_HUP ? POLLHUP : 0) | (events & G_IO_ERR ? POLLERR : 0);

    w->tag = 0;
    w->service(w->library, got);
    library_watch_update(w);
    return false;
}

/* The socket may be another one after a reconnection. */
void library_watch_update(LibraryWatch *w)
{
    int fd = w->get_fd(w->library), events = w->get_events(w->library);

    if (w->tag && fd == w->fd && events == w->events) {
        return;
    }
    library_watch_stop(w);
    w->fd = fd;
    w->events = events;
    if (fd >= 0 && events) {
        w->tag = fd_watch(fd,
                          (events & POLLIN ? G_IO_IN : 0) | (events & POLLOUT ? G_IO_OUT : 0) |
                              G_IO_ERR | G_IO_HUP,
                          on_socket, w);
    }
}

void library_watch_stop(LibraryWatch *w)
{
    if (w->tag) {
        fd_unwatch(w->tag);
        w->tag = 0;
    }
}
