// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes, numbers and texts of a machine's state stream. The contract is stream.h.
 */
#include "migration/stream.h"

#include <string.h>

#include "util/bswap.h"
#include "util/error.h"

#define MAX_NAME 1024u
#define LONG_BYTES (64 * KIB)

void stream_open(StateStream *s)
{
    s->buf = g_malloc(STATE_BUFFER_BYTES);
    s->used = s->len = 0;
}

void stream_close(StateStream *s)
{
    g_clear_pointer(&s->buf, g_free);
}

bool stream_flush(StateStream *s, GError **error)
{
    bool good = s->used == 0 || s->write(s, s->buf, s->used, error);

    s->used = 0;
    return good;
}

bool stream_room(StateStream *s, size_t len, GError **error)
{
    return STATE_BUFFER_BYTES - s->used > len || stream_flush(s, error);
}

bool stream_put(StateStream *s, const void *data, size_t len, GError **error)
{
    const uint8_t *p = data;

    s->pos += len;
    while (len > 0) {
        size_t part = MIN(len, STATE_BUFFER_BYTES - s->used);

        memcpy(s->buf + s->used, p, part);
        s->used += part;
        p += part;
        len -= part;
        if (s->used == STATE_BUFFER_BYTES && !stream_flush(s, error)) {
            return false;
        }
    }
    return true;
}

/* Bytes of a long piece do not go through the empty buffer. *got: how many came. */
static bool get_long(StateStream *s, uint8_t *p, size_t len, size_t *got, GError **error)
{
    *got = (size_t)MIN(len, s->limit);
    if (*got == 0) {
        return fail(error, "the machine's state ends too early");
    }
    if (s->read_some) {
        *got = s->read_some(s, p, *got, error);
    } else if (!s->read(s, p, *got, error)) {
        return false;
    }
    s->limit -= s->limit == UINT64_MAX ? 0 : *got;
    return *got > 0;
}

/* More bytes into the empty buffer. */
static bool refill(StateStream *s, GError **error)
{
    size_t want = (size_t)MIN(STATE_BUFFER_BYTES, s->limit), got = want;

    s->used = s->len = 0;
    if (want == 0) {
        return fail(error, "the machine's state ends too early");
    }
    if (s->read_some) {
        got = s->read_some(s, s->buf, want, error);
    } else if (!s->read(s, s->buf, want, error)) {
        return false;
    }
    s->len = got;
    s->limit -= s->limit == UINT64_MAX ? 0 : got;
    return got > 0;
}

bool stream_get(StateStream *s, void *data, size_t len, GError **error)
{
    uint8_t *p = data;

    s->pos += len;
    while (len > 0) {
        size_t part = MIN(len, s->len - s->used);

        if (part == 0 && len >= LONG_BYTES) {
            if (!get_long(s, p, len, &part, error)) {
                return false;
            }
            p += part;
            len -= part;
            continue;
        }
        if (part == 0) {
            if (!refill(s, error)) {
                return false;
            }
            continue;
        }
        memcpy(p, s->buf + s->used, part);
        s->used += part;
        p += part;
        len -= part;
    }
    return true;
}

bool stream_put_u8(StateStream *s, uint8_t v, GError **error)
{
    return stream_put(s, &v, 1, error);
}

bool stream_put_u32(StateStream *s, uint32_t v, GError **error)
{
    uint8_t b[4];

    store_be32(b, v);
    return stream_put(s, b, sizeof(b), error);
}

bool stream_put_u64(StateStream *s, uint64_t v, GError **error)
{
    uint8_t b[8];

    store_be64(b, v);
    return stream_put(s, b, sizeof(b), error);
}

bool stream_put_text(StateStream *s, const char *text, GError **error)
{
    size_t len = strlen(text);

    return stream_put_u32(s, (uint32_t)len, error) && stream_put(s, text, len, error);
}

bool stream_get_u32(StateStream *s, uint32_t *v, GError **error)
{
    uint8_t b[4];
    bool good = stream_get(s, b, sizeof(b), error);

    *v = good ? load_be32(b) : 0;
    return good;
}

bool stream_get_u64(StateStream *s, uint64_t *v, GError **error)
{
    uint8_t b[8];
    bool good = stream_get(s, b, sizeof(b), error);

    *v = good ? load_be64(b) : 0;
    return good;
}

char *stream_get_text(StateStream *s, GError **error)
{
    uint32_t len;

    if (!stream_get_u32(s, &len, error)) {
        return NULL;
    }
    if (len > MAX_NAME) {
        return fail_null(error, "a name of %u bytes in the machine's state", len);
    }
    g_autofree char *text = g_malloc0(len + 1);

    return stream_get(s, text, len, error) ? g_steal_pointer(&text) : NULL;
}
