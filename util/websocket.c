// SPDX-License-Identifier: GPL-2.0-or-later
/* WebSocket servers: the opening handshake (RFC 6455, section 4.2) and frames (section 5). */
#include "util/websocket.h"

#include <string.h>

#include "util/bswap.h"
#include "util/error.h"
#include "util/types.h"

enum { HANDSHAKE_MAX = 4096, CONTROL_MAX = 125, FRAME_HEADER_MAX = 14 };
enum { OP_CONTINUATION = 0, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { FIN = 0x80, OPCODE = 0x0f, MASKED = 0x80, LENGTH = 0x7f, LENGTH_16 = 126, LENGTH_64 = 127 };
#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

struct WebSocket {
    bool open;
    GString *request;           /* of the handshake, as far as it came */
    uint8_t head[FRAME_HEADER_MAX];
    unsigned head_len;
    uint8_t opcode;             /* of the frame whose payload comes */
    uint8_t mask[4];
    uint64_t left, at;          /* bytes of the payload that are missing, and that came */
    bool fragmented;            /* a message goes on in continuation frames */
    uint8_t control[CONTROL_MAX];
};

WebSocket *websocket_new(void)
{
    WebSocket *w = g_new0(WebSocket, 1);

    w->request = g_string_new(NULL);
    return w;
}

void websocket_free(WebSocket *w)
{
    if (w) {
        g_string_free(w->request, TRUE);
        g_free(w);
    }
}

bool websocket_is_open(const WebSocket *w)
{
    return w->open;
}

/* ---- handshake ---- */

/* Whether a header's list of tokens has one, in any case of letters. */
static bool has_token(const char *list, const char *token)
{
    g_auto(GStrv) tokens = g_strsplit(list, ",", -1);

    for (unsigned i = 0; tokens[i]; i++) {
        if (g_ascii_strcasecmp(g_strstrip(tokens[i]), token) == 0) {
            return true;
        }
    }
    return false;
}

static char *accept_key(const char *key)
{
    g_autofree char *text = g_strconcat(key, ACCEPT_GUID, NULL);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    uint8_t digest[20];
    gsize len = sizeof(digest);

    g_checksum_update(sum, (const guchar *)text, -1);
    g_checksum_get_digest(sum, digest, &len);
    return g_base64_encode(digest, len);
}

typedef struct Handshake {
    const char *upgrade, *connection, *key, *version, *protocol, *host;
} Handshake;

/* Cuts the request into its headers; the values stay in it. */
static bool parse_request(char **lines, Handshake *h, GError **error)
{
    const struct {
        const char *name;
        const char **value;
    } headers[] = {
        { "upgrade", &h->upgrade }, { "connection", &h->connection }, { "host", &h->host },
        { "sec-websocket-key", &h->key }, { "sec-websocket-version", &h->version },
        { "sec-websocket-protocol", &h->protocol },
    };
    g_auto(GStrv) words = g_strsplit(lines[0], " ", 3);

    if (g_strv_length(words) != 3 || strcmp(words[0], "GET") != 0 ||
        strcmp(words[2], "HTTP/1.1") != 0) {
        return fail(error, "WebSocket: not a GET request of HTTP/1.1");
    }
    for (unsigned i = 1; lines[i]; i++) {
        char *colon = strchr(lines[i], ':');

        if (!colon) {
            return fail(error, "WebSocket: a header without a colon");
        }
        *colon = '\0';
        for (unsigned n = 0; n < ARRAY_COUNT(headers); n++) {
            if (g_ascii_strcasecmp(g_strchomp(lines[i]), headers[n].name) == 0) {
                *headers[n].value = g_strstrip(colon + 1);
            }
        }
    }
    return true;
}

static bool check_request(const Handshake *h, GError **error)
{
    if (!h->host || !h->upgrade || !has_token(h->upgrade, "websocket") || !h->connection ||
        !has_token(h->connection, "upgrade")) {
        return fail(error, "WebSocket: the request does not ask for an upgrade");
    }
    if (!h->version || strcmp(h->version, "13") != 0) {
        return fail(error, "WebSocket: version 13 is needed");
    }
    if (!h->key || strlen(h->key) != 24) {
        return fail(error, "WebSocket: no valid key");
    }
    if (h->protocol && !has_token(h->protocol, "binary")) {
        return fail(error, "WebSocket: no 'binary' protocol is supported by the client");
    }
    return true;
}

static void add_text(GByteArray *out, const char *text)
{
    g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
}

static bool answer_request(char *request, GByteArray *out, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(request, "\r\n", -1);
    Handshake h = { 0 };

    if (!parse_request(lines, &h, error) || !check_request(&h, error)) {
        add_text(out, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                      "Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n");
        return false;
    }
    g_autofree char *accepted = accept_key(h.key);
    g_autofree char *text = g_strdup_printf(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: %s\r\n%s\r\n",
        accepted, h.protocol ? "Sec-WebSocket-Protocol: binary\r\n" : "");

    add_text(out, text);
    return true;
}

/* Collects the request; *used: bytes of data that belonged to it. */
static bool handshake(WebSocket *w, const uint8_t *data, size_t len, size_t *used, GByteArray *out,
                      GError **error)
{
    gsize before = w->request->len;

    for (size_t i = 0; i < len; i++) {
        if (data[i] == 0) {
            return fail(error, "WebSocket: a NUL in the request");
        }
        g_string_append_c(w->request, (char)data[i]);
        if (w->request->len > HANDSHAKE_MAX) {
            return fail(error, "WebSocket: the request is too long");
        }
        if (g_str_has_suffix(w->request->str, "\r\n\r\n")) {
            *used = w->request->len - before;
            g_string_truncate(w->request, w->request->len - 4);
            w->open = answer_request(w->request->str, out, error);
            return w->open;
        }
    }
    *used = len;
    return true;
}

/* ---- frames ---- */

static void add_frame(GByteArray *out, uint8_t opcode, const void *data, size_t len)
{
    uint8_t head[10] = { FIN | opcode };
    unsigned n = 2;

    if (len < LENGTH_16) {
        head[1] = (uint8_t)len;
    } else if (len <= UINT16_MAX) {
        head[1] = LENGTH_16;
        store_be16(head + 2, (uint16_t)len);
        n = 4;
    } else {
        head[1] = LENGTH_64;
        store_be64(head + 2, len);
        n = 10;
    }
    g_byte_array_append(out, head, n);
    g_byte_array_append(out, data, (guint)len);
}

void websocket_frame(GByteArray *out, const void *data, size_t len)
{
    add_frame(out, OP_BINARY, data, len);
}

/* Bytes that the header has, as far as its first two tell. */
static unsigned header_size(const WebSocket *w)
{
    unsigned length = w->head[1] & LENGTH;

    return w->head_len < 2 ? 2 : 2 + 4 + (length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0);
}

static bool begin_frame(WebSocket *w, GError **error)
{
    unsigned length = w->head[1] & LENGTH, n = header_size(w);
    bool fin = w->head[0] & FIN;

    w->opcode = w->head[0] & OPCODE;
    w->left = length == LENGTH_16   ? load_be16(w->head + 2)
              : length == LENGTH_64 ? load_be64(w->head + 2)
                                    : length;
    w->at = 0;
    memcpy(w->mask, w->head + n - 4, sizeof(w->mask));
    if (w->head[0] & ~(FIN | OPCODE)) {
        return fail(error, "WebSocket: reserved bits are set");
    }
    if (w->opcode >= OP_CLOSE) {
        return w->opcode > OP_PONG || !fin || w->left > CONTROL_MAX
                   ? fail(error, "WebSocket: bad control frame")
                   : true;
    }
    if (w->opcode != (w->fragmented ? OP_CONTINUATION : OP_BINARY)) {
        return fail(error, "WebSocket: only binary frames are supported");
    }
    w->fragmented = !fin;
    return true;
}

/* A frame is whole. */
static bool end_frame(WebSocket *w, GByteArray *out, GError **error)
{
    w->head_len = 0;
    if (w->opcode == OP_PING) {
        add_frame(out, OP_PONG, w->control, w->at);
    } else if (w->opcode == OP_CLOSE) {
        add_frame(out, OP_CLOSE, w->control, MIN(w->at, 2));
        return fail(error, "WebSocket: closed by the client");
    }
    return true;
}

static size_t take_payload(WebSocket *w, const uint8_t *data, size_t len, GByteArray *in)
{
    size_t n = (size_t)MIN(w->left, len);
    bool control = w->opcode >= OP_CLOSE;
    guint base = in->len;
    uint8_t *to = w->control + (control ? w->at : 0);

    if (!control) {
        g_byte_array_set_size(in, base + (guint)n);
        to = in->data + base;
    }
    for (size_t i = 0; i < n; i++) {
        to[i] = data[i] ^ w->mask[(w->at + i) & 3];
    }
    w->at += n;
    w->left -= n;
    return n;
}

bool websocket_input(WebSocket *w, const uint8_t *data, size_t len, GByteArray *in, GByteArray *out,
                     GError **error)
{
    size_t used = 0;

    if (!w->open && !handshake(w, data, len, &used, out, error)) {
        return false;
    }
    while (used < len) {
        if (w->head_len < header_size(w)) {
            w->head[w->head_len++] = data[used++];
            if (w->head_len == 2 && !(w->head[1] & MASKED)) {
                return fail(error, "WebSocket: a client's frames must be masked");
            }
            if (w->head_len < header_size(w)) {
                continue;
            }
            if (!begin_frame(w, error)) {
                return false;
            }
        } else {
            used += take_payload(w, data + used, len - used, in);
        }
        if (w->left == 0 && !end_frame(w, out, error)) {
            return false;
        }
    }
    return true;
}
