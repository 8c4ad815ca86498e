// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The server's side of the WebSocket protocol (RFC 6455), as bytes in and bytes out: no socket, no
 * waiting. The subprotocol is "binary", as noVNC and other clients of byte streams have it; text
 * frames are refused.
 */
#ifndef UTIL_WEBSOCKET_H
#define UTIL_WEBSOCKET_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct WebSocket WebSocket;

WebSocket *websocket_new(void);
void websocket_free(WebSocket *w);
/*
 * Takes what came from the client: payload is appended to `in`, what must be answered (the
 * handshake's response, pongs, the closing frame) to `out`. false + error when the client broke
 * the protocol or said goodbye; then nothing more may be given, and `out` is to be sent before
 * the connection is closed.
 */
bool websocket_input(WebSocket *w, const uint8_t *data, size_t len, GByteArray *in, GByteArray *out,
                     GError **error);
/* The handshake is over: payload may go both ways. */
bool websocket_is_open(const WebSocket *w);
/* Appends one binary frame with that payload. */
void websocket_frame(GByteArray *out, const void *data, size_t len);

#endif
