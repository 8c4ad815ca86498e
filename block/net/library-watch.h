// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Libraries that have one socket and say what they wait for: it is watched by the main loop, which
 * lets them work. Machine lock.
 */
#ifndef BLOCK_NET_LIBRARY_WATCH_H
#define BLOCK_NET_LIBRARY_WATCH_H

#include "util/main-loop.h"

typedef struct LibraryWatch {
    int (*get_fd)(void *library);
    int (*get_events)(void *library);       /* POLL* */
    void (*service)(void *library, int events);
    void *library;
    unsigned tag;
    int fd, events;             /* watched now */
} LibraryWatch;

/* After each call that may have changed what the library waits for. */
void library_watch_update(LibraryWatch *w);
void library_watch_stop(LibraryWatch *w);

#endif
