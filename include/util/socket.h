// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stream sockets by address: TCP, local, or open already. Descriptors are non-blocking and
 * close-on-exec.
 */
#ifndef UTIL_SOCKET_H
#define UTIL_SOCKET_H

#include <glib.h>
#include <stdbool.h>

typedef enum SocketKind { SOCKET_INET, SOCKET_UNIX, SOCKET_FD } SocketKind;

/* Strings are not owned. */
typedef struct SocketPlace {
    SocketKind kind;
    const char *host, *port;    /* inet; host NULL or "": any */
    const char *path;           /* unix */
    const char *fd;             /* a number or name */
    bool ipv4, ipv6;            /* only these, when one is set */
} SocketPlace;

/* Waits for the other end: call it in a worker thread. -1 + error. */
int socket_connect(const SocketPlace *p, GError **error);
/* The first of the addresses that can be bound; -1 + error. backlog 0: usual. */
int socket_listen(const SocketPlace *p, int backlog, GError **error);
/* "host:port" or "unix:path", new. */
char *socket_place_text(const SocketPlace *p);

/*
 * Everything, waiting at most limit_ms for each piece; false: an error, the end, or nothing in
 * time. With the first byte go nfds descriptors (at most SOCKET_MAX_FDS; unix sockets), which stay
 * the caller's. For conversations whose other end answers at once.
 */
#define SOCKET_MAX_FDS 16
bool socket_send_all(int fd, const void *data, size_t len, const int *fds, unsigned nfds,
                     int limit_ms);
bool socket_receive_all(int fd, void *data, size_t len, int limit_ms);

#endif
