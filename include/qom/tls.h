// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TLS on a socket, by credentials that are objects (tls-creds-anon, tls-creds-psk, tls-creds-x509).
 * Nothing here waits: functions say what they would wait for.
 */
#ifndef QOM_TLS_H
#define QOM_TLS_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct TlsSession TlsSession;

/* What a call would have waited for. */
typedef enum TlsWait { TLS_DONE, TLS_WAIT_READ, TLS_WAIT_WRITE, TLS_FAILED } TlsWait;

/* Whether there is such an object, for this end; else false + error. */
bool tls_creds_check(const char *id, bool server, GError **error);
/*
 * On a connected, non-blocking fd, which stays the caller's. hostname: whose certificate a client
 * expects, NULL: not checked. NULL + error.
 */
TlsSession *tls_session_new(const char *creds_id, bool server, int fd, const char *hostname,
                            GError **error);
void tls_session_free(TlsSession *t);
/* A server's: the handshake fails unless that object (qom/authz.h) allows the client's name. */
void tls_session_authorize(TlsSession *t, const char *authz_id);
/* Until TLS_DONE or TLS_FAILED (+ error), again after each wait. */
TlsWait tls_handshake(TlsSession *t, GError **error);
/* Bytes, 0 at the end, or -1 with errno (EAGAIN and *wait set, EIO). */
ssize_t tls_read(TlsSession *t, void *buf, size_t len, TlsWait *wait);
ssize_t tls_write(TlsSession *t, const void *buf, size_t len, TlsWait *wait);
/* Decrypted bytes wait inside: the socket need not show as readable. */
bool tls_pending(TlsSession *t);
void tls_bye(TlsSession *t);

#endif
