// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connected socket on the main loop, with TLS and WebSocket layers when they are wanted. It waits
 * for what each layer waits for, and says when bytes may be read and written. Main loop, machine
 * lock held.
 */
#ifndef QOM_STREAM_H
#define QOM_STREAM_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct Stream Stream;

typedef enum StreamEvent {
    STREAM_OPENED,      /* all layers are through their handshakes */
    STREAM_READABLE,    /* stream_read() has something, or the end */
    STREAM_WRITABLE,    /* stream_write() takes something */
    STREAM_FAILED,      /* a handshake failed: error says why; nothing more will come */
} StreamEvent;

/* The callback may free the stream. error: with STREAM_FAILED, the stream's. */
typedef void StreamFn(void *opaque, StreamEvent event, const GError *error);

/*
 * Takes the socket over and makes it non-blocking. Without layers it is open at once, without an
 * event.
 */
Stream *stream_new(int fd, StreamFn *fn, void *opaque);
/* Closes the socket, with what TLS says at the end. NULL is fine. */
void stream_free(Stream *s);
/*
 * Layers, from the wire inwards: TLS by credentials (host: whose certificate a client expects;
 * authz: the object of qom/authz.h that knows whom a server lets in; or NULL), then WebSocket, as
 * server. STREAM_OPENED comes when their handshakes are over; until then nothing is read or
 * written.
 */
bool stream_add_tls_server(Stream *s, const char *creds, const char *authz, GError **error);
bool stream_add_tls_client(Stream *s, const char *creds, const char *host, GError **error);
void stream_add_websocket(Stream *s);
bool stream_is_open(const Stream *s);
/* Bytes, 0 at the end, or -1 with errno (EAGAIN: wait for the event). */
ssize_t stream_read(Stream *s, void *buf, size_t len);
ssize_t stream_write(Stream *s, const void *buf, size_t len);
/* Which events are wanted; none at first. */
void stream_want_read(Stream *s, bool on);
void stream_want_write(Stream *s, bool on);
int stream_fd(const Stream *s);

#endif
