// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pixels for a VNC client: conversion to its format, and the encodings raw, hextile and zlib (RFC
 * 6143
 * 7.7; zlib as in its registry, number 6: one stream for the whole connection).
 */
#include <string.h>

#include "ui/vnc.h"
#include "util/bswap.h"

enum { TILE = 16 };
enum { HEX_RAW = 1, HEX_BACKGROUND = 2, HEX_FOREGROUND = 4, HEX_SUBRECTS = 8, HEX_COLOURED = 16 };

const VncFormat vnc_native_format = {
    .bytes = 4, .depth = 24, .max = { 255, 255, 255 }, .shift = { 16, 8, 0 },
};

bool vnc_format_parse(const uint8_t *data, VncFormat *f)
{
    *f = (VncFormat){ .bytes = data[0] / 8, .depth = data[1], .big = data[2] != 0 };
    if ((data[0] != 8 && data[0] != 16 && data[0] != 32) || data[3] == 0) {
        return false;       /* colour maps went out of use with 8-bit screens */
    }
    for (unsigned i = 0; i < 3; i++) {
        f->max[i] = load_be16(data + 4 + 2 * i);
        f->shift[i] = data[10 + i];
        if ((f->max[i] & (f->max[i] + 1)) != 0 || f->shift[i] >= data[0]) {
            return false;
        }
    }
    return true;
}

void vnc_format_put(const VncFormat *f, uint8_t out[16])
{
    memset(out, 0, 16);
    out[0] = f->bytes * 8;
    out[1] = f->depth;
    out[2] = f->big;
    out[3] = 1;
    for (unsigned i = 0; i < 3; i++) {
        store_be16(out + 4 + 2 * i, f->max[i]);
        out[10 + i] = f->shift[i];
    }
}

static uint32_t convert(const VncFormat *f, uint32_t rgb)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 3; i++) {
        uint32_t part = rgb >> (16 - 8 * i) & 0xff;

        v |= (part * (f->max[i] + 1u) >> 8) << f->shift[i];
    }
    return v;
}

static void append_pixel(const VncFormat *f, GByteArray *out, uint32_t rgb)
{
    uint32_t v = convert(f, rgb);
    uint8_t bytes[4];

    switch (f->bytes) {
    case 1:
        bytes[0] = (uint8_t)v;
        break;
    case 2:
        f->big ? store_be16(bytes, (uint16_t)v) : store_le16(bytes, (uint16_t)v);
        break;
    default:
        f->big ? store_be32(bytes, v) : store_le32(bytes, v);
        break;
    }
    g_byte_array_append(out, bytes, f->bytes);
}

static const uint32_t *row(pixman_image_t *image, int x, int y)
{
    return pixman_image_get_data(image) + (size_t)y * (size_t)pixman_image_get_stride(image) / 4 +
           x;
}

static void append_raw(const VncFormat *f, GByteArray *out, pixman_image_t *image, int x, int y,
                       int w, int h)
{
    for (int j = 0; j < h; j++) {
        const uint32_t *p = row(image, x, y + j);

        for (int i = 0; i < w; i++) {
            append_pixel(f, out, p[i]);
        }
    }
}

/* ---- hextile ---- */

typedef struct Tile {
    uint32_t background, foreground;
    unsigned colours;           /* 1, 2, or 3 for more */
} Tile;

static Tile look(pixman_image_t *image, int x, int y, int w, int h)
{
    Tile t = { .background = row(image, x, y)[0] & 0xffffff, .colours = 1 };
    unsigned back = 0, fore = 0;

    for (int j = 0; j < h; j++) {
        const uint32_t *p = row(image, x, y + j);

        for (int i = 0; i < w; i++) {
            uint32_t c = p[i] & 0xffffff;

            if (c == t.background) {
                back++;
            } else if (t.colours == 1 || c == t.foreground) {
                t.foreground = c;
                t.colours = MAX(t.colours, 2);
                fore++;
            } else {
                t.colours = 3;
                return t;
            }
        }
    }
    if (fore > back) {
        uint32_t c = t.background;

        t.background = t.foreground;
        t.foreground = c;
    }
    return t;
}

/* Runs of the foreground, a line each; the number of them stands before. */
static void append_subrects(GByteArray *out, pixman_image_t *image, const Tile *t, int x, int y,
                            int w, int h)
{
    guint at = out->len;
    uint8_t count = 0;

    g_byte_array_append(out, &count, 1);
    for (int j = 0; j < h; j++) {
        const uint32_t *p = row(image, x, y + j);

        for (int i = 0; i < w;) {
            int start = i;

            while (i < w && (p[i] & 0xffffff) == t->foreground) {
                i++;
            }
            if (i > start) {
                uint8_t rect[2] = { (uint8_t)(start << 4 | j), (uint8_t)((i - start - 1) << 4) };

                g_byte_array_append(out, rect, 2);
                count++;
            } else {
                i++;
            }
        }
    }
    out->data[at] = count;
}

static void append_hextile(const VncFormat *f, GByteArray *out, pixman_image_t *image, int x, int y,
                           int w, int h)
{
    for (int j = y; j < y + h; j += TILE) {
        for (int i = x; i < x + w; i += TILE) {
            int tw = MIN(TILE, x + w - i), th = MIN(TILE, y + h - j);
            Tile t = look(image, i, j, tw, th);
            uint8_t kind = t.colours == 1   ? HEX_BACKGROUND
                           : t.colours == 2 ? HEX_BACKGROUND | HEX_FOREGROUND | HEX_SUBRECTS
                                            : HEX_RAW;

            g_byte_array_append(out, &kind, 1);
            if (kind == HEX_RAW) {
                append_raw(f, out, image, i, j, tw, th);
                continue;
            }
            append_pixel(f, out, t.background);
            if (t.colours == 2) {
                append_pixel(f, out, t.foreground);
                append_subrects(out, image, &t, i, j, tw, th);
            }
        }
    }
}

/* ---- zlib ---- */

/* Compresses what is in `plain`; false: no memory, or a stream that has failed. */
static bool append_deflated(VncClient *c, GByteArray *out, const GByteArray *plain)
{
    uint8_t chunk[16384], len[4] = { 0 };
    guint at = out->len;
    z_stream *z = &c->zlib;

    if (!c->zlib_open) {
        if (deflateInit(z, Z_BEST_SPEED) != Z_OK) {
            return false;
        }
        c->zlib_open = true;
    }
    g_byte_array_append(out, len, sizeof(len));
    z->next_in = plain->data;
    z->avail_in = plain->len;
    do {
        z->next_out = chunk;
        z->avail_out = sizeof(chunk);
        if (deflate(z, Z_SYNC_FLUSH) < 0) {
            return false;
        }
        g_byte_array_append(out, chunk, (guint)(sizeof(chunk) - z->avail_out));
    } while (z->avail_out == 0);
    store_be32(out->data + at, out->len - at - sizeof(len));
    return true;
}

void vnc_send_rect(VncClient *c, pixman_image_t *image, int x, int y, int width, int height)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    const VncFormat *f = &c->format;
    int encoding = c->encoding;

    if (encoding == VNC_ENC_ZLIB) {
        g_autoptr(GByteArray) plain = g_byte_array_new();

        append_raw(f, plain, image, x, y, width, height);
        if (!append_deflated(c, out, plain)) {
            c->dead = true;
            return;
        }
    } else if (encoding == VNC_ENC_HEXTILE) {
        append_hextile(f, out, image, x, y, width, height);
    } else {
        encoding = VNC_ENC_RAW;
        append_raw(f, out, image, x, y, width, height);
    }
    vnc_send_u16(c, (uint16_t)x);
    vnc_send_u16(c, (uint16_t)y);
    vnc_send_u16(c, (uint16_t)width);
    vnc_send_u16(c, (uint16_t)height);
    vnc_send_u32(c, (uint32_t)encoding);
    vnc_send(c, out->data, out->len);
}
