// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Numbers and bytes one after the other, as states of devices have them (STATE_BLOB): the most
 * significant byte first. Reading stops at the first thing that is not there: from then on every
 * number is 0 and `bad` is set, which is looked at once, at the end.
 */
#ifndef UTIL_BLOB_H
#define UTIL_BLOB_H

#include <glib.h>

#include "util/bswap.h"

static inline void blob_put_u32(GByteArray *b, uint32_t v)
{
    uint8_t p[4];

    store_be32(p, v);
    g_byte_array_append(b, p, sizeof(p));
}

static inline void blob_put_u64(GByteArray *b, uint64_t v)
{
    blob_put_u32(b, (uint32_t)(v >> 32));
    blob_put_u32(b, (uint32_t)v);
}

static inline void blob_put(GByteArray *b, const void *data, size_t len)
{
    g_byte_array_append(b, data, (guint)len);
}

typedef struct BlobReader {
    const uint8_t *data;
    size_t left;
    bool bad;
} BlobReader;

/* b may be NULL: empty. */
static inline BlobReader blob_reader(const GByteArray *b)
{
    return (BlobReader){.data = b ? b->data : NULL, .left = b ? b->len : 0};
}

/* The next bytes, in place; NULL: there are not so many. */
static inline const uint8_t *blob_get(BlobReader *r, size_t len)
{
    const uint8_t *p = r->data;

    if (r->bad || len > r->left) {
        r->bad = true;
        return NULL;
    }
    r->data += len;
    r->left -= len;
    return p;
}

static inline uint32_t blob_get_u32(BlobReader *r)
{
    const uint8_t *p = blob_get(r, 4);

    return p ? load_be32(p) : 0;
}

static inline uint64_t blob_get_u64(BlobReader *r)
{
    uint64_t high = blob_get_u32(r);

    return high << 32 | blob_get_u32(r);
}

#endif
