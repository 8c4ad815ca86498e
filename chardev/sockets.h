// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses of sockets, as the options of socket and udp chardevs give them. */
#ifndef CHARDEV_SOCKETS_H
#define CHARDEV_SOCKETS_H

#include <glib.h>
#include <stdbool.h>

struct json_object;

typedef struct SockAddr {
    char *path;             /* local; or */
    char *fd_text;          /* an open socket; or */
    char *host, *port;      /* internet */
    bool abstract, tight;
    unsigned to;            /* last port to try, 0: only one */
    int family;             /* AF_UNSPEC: either */
} SockAddr;

/* From the options path, fd, or host and port. */
bool sockaddr_from_options(SockAddr *a, struct json_object *o, GError **error);
void sockaddr_clear(SockAddr *a);
/* A listening socket, or -1. */
int sockaddr_listen(const SockAddr *a, GError **error);
/*
 * A connected socket, or -1. With nonblock, `*pending` says whether the connection is still
 * being made: then the socket becomes writable.
 */
int sockaddr_connect(const SockAddr *a, bool nonblock, bool *pending, GError **error);
/* A datagram socket bound to `local` (NULL or no port: any) and connected to `remote`. */
int sockaddr_udp(const SockAddr *remote, const SockAddr *local, GError **error);
/* "tcp:host:port" or "unix:path" as a new string. */
char *sockaddr_text(const SockAddr *a, const char *protocol);

#endif
