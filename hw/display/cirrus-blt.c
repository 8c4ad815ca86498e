// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bit block transfers of the CL-GD5446 (Technical Reference Manual, chapter 9, appendix D5): copies
 * both ways, patterns, colour expansion, transparency, fills, from video memory or from what the
 * CPU writes. Every address wraps in video memory. Left out: transfers to the system.
 */
#include <string.h>

#include "cirrus.h"

typedef struct Blt {
    Cirrus *s;
    uint8_t *vram;
    uint32_t mask, width, height, dest_pitch, source_pitch, dest, source;
    uint8_t mode, ext, rop;
    unsigned pixel; /* bytes */
    uint32_t fg, bg, key;
} Blt;

/* GR32: the sixteen operations of two operands, by their codes. */
static inline uint8_t raster(uint8_t rop, uint8_t d, uint8_t s)
{
    switch (rop) {
    case 0x00:
        return 0;
    case 0x05:
        return s & d;
    case 0x06:
        return d;
    case 0x09:
        return s & ~d;
    case 0x0b:
        return ~d;
    case 0x0d:
        return s;
    case 0x0e:
        return 0xff;
    case 0x50:
        return ~s & d;
    case 0x59:
        return s ^ d;
    case 0x6d:
        return s | d;
    case 0x90:
        return ~(s & d);
    case 0x95:
        return ~(s ^ d);
    case 0xad:
        return s | ~d;
    case 0xd0:
        return ~s;
    case 0xd6:
        return ~s | d;
    case 0xda:
        return ~(s | d);
    default:
        return d;
    }
}

static uint32_t reg(const Cirrus *s, unsigned at, unsigned bytes)
{
    uint32_t v = 0;

    while (bytes--) {
        v = v << 8 | s->gfx[at + bytes];
    }
    return v;
}

static Blt setup(Cirrus *s)
{
    const uint8_t *g = s->gfx;

    return (Blt){
        .s = s,
        .vram = s->card.vga.vram,
        .mask = cirrus_mask(s),
        .width = (reg(s, GR_WIDTH, 2) & 0x1fff) + 1,
        .height = (reg(s, GR_HEIGHT, 2) & 0x7ff) + 1,
        .dest_pitch = reg(s, GR_DEST_PITCH, 2) & 0x1fff,
        .source_pitch = reg(s, GR_SOURCE_PITCH, 2) & 0x1fff,
        .dest = reg(s, GR_DEST, 3) & 0x3fffff,
        .source = reg(s, GR_SOURCE, 3) & 0x3fffff,
        .mode = g[GR_MODE],
        .ext = g[GR_MODE_EXT],
        .rop = g[GR_ROP],
        .pixel = (g[GR_MODE] >> 4 & 3) + 1,
        .bg = g[0x00] | g[0x10] << 8 | g[0x12] << 16 | (uint32_t)g[0x14] << 24,
        .fg = g[0x01] | g[0x11] << 8 | g[0x13] << 16 | (uint32_t)g[0x15] << 24,
        .key = reg(s, GR_KEY, 2),
    };
}

static void put_byte(const Blt *b, uint32_t at, uint8_t source)
{
    uint8_t *p = &b->vram[at & b->mask];

    *p = raster(b->rop, *p, source);
}

static void put_color(const Blt *b, uint32_t at, uint32_t color)
{
    for (unsigned i = 0; i < b->pixel; i++) {
        put_byte(b, at + i, color >> 8 * i);
    }
}

/* Whether the pixel that would come out is the transparent one; of 8 and 16 bits. */
static bool transparent(const Blt *b, uint32_t at, const uint8_t *source)
{
    uint32_t v = 0;

    if (b->pixel > 2) {
        return false;
    }
    for (unsigned i = 0; i < b->pixel; i++) {
        v |= (uint32_t)raster(b->rop, b->vram[(at + i) & b->mask], source[i]) << 8 * i;
    }
    return v == (b->pixel == 1 ? b->key & 0xff : b->key);
}

/* A row of bytes, left to right. */
static void row_copy(const Blt *b, uint32_t dest, const uint8_t *source)
{
    uint32_t at = dest & b->mask;

    if (b->mode & BLT_TRANSPARENT) {
        for (uint32_t x = 0; x + b->pixel <= b->width; x += b->pixel) {
            bool drawn = !transparent(b, dest + x, source + x);

            for (unsigned i = 0; drawn && i < b->pixel; i++) {
                put_byte(b, dest + x + i, source[x + i]);
            }
        }
    } else if (b->rop == 0x0d && b->width <= b->mask + 1 - at) {
        memcpy(b->vram + at, source, b->width);
    } else {
        for (uint32_t x = 0; x < b->width; x++) {
            put_byte(b, dest + x, source[x]);
        }
    }
}

/* GR2F: pixels to leave out at a row's left. */
static uint32_t skip_bytes(const Blt *b)
{
    return (b->s->gfx[GR_SKIP] & 7u) * b->pixel;
}

/* A row of bits, the most significant one first. */
static void row_expand(const Blt *b, uint32_t dest, const uint8_t *bits)
{
    /* for transparency alone */
    uint8_t invert = (b->ext & BLT_INVERT) && (b->mode & BLT_TRANSPARENT) ? 0xff : 0;
    uint32_t skip = skip_bytes(b), n = skip / b->pixel;

    for (uint32_t x = skip; x + b->pixel <= b->width; x += b->pixel, n++) {
        bool on = (bits[n / 8] ^ invert) >> (7 - n % 8) & 1;

        if (!(b->mode & BLT_TRANSPARENT)) {
            put_color(b, dest + x, on ? b->fg : b->bg);
        } else if (on) {
            put_color(b, dest + x, invert ? b->bg : b->fg);
        }
    }
}

/* ---- from video memory ---- */

static void fetch(const Blt *b, uint32_t source, uint8_t *row, uint32_t len)
{
    uint32_t at = source & b->mask;

    if (len <= b->mask + 1 - at) {
        memcpy(row, b->vram + at, len);
        return;
    }
    for (uint32_t i = 0; i < len; i++) {
        row[i] = b->vram[(source + i) & b->mask];
    }
}

static void run_solid(Blt *b)
{
    for (uint32_t y = 0; y < b->height; y++, b->dest += b->dest_pitch) {
        for (uint32_t x = 0; x + b->pixel <= b->width; x += b->pixel) {
            put_color(b, b->dest + x, b->fg);
        }
    }
}

/*
 * 8 x 8 pixels, or bits, again and again; the lower bits of the source say with which row it
 * begins.
 */
static void run_pattern(Blt *b)
{
    unsigned line = b->mode & BLT_EXPAND ? 1
                    : b->pixel == 3      ? 32
                                         : 8 * b->pixel,
             first = b->source & 7;
    uint8_t pattern[8 * 32], row[CIRRUS_ROW];

    fetch(b, b->source & ~7u, pattern, 8 * line);
    for (uint32_t y = 0; y < b->height; y++, b->dest += b->dest_pitch) {
        const uint8_t *p = pattern + ((first + y) & 7) * line;

        if (b->mode & BLT_EXPAND) {
            memset(row, *p, b->width / 8 + 1);
            row_expand(b, b->dest, row);
        } else {
            for (uint32_t x = 0; x < b->width; x++) {
                row[x] = p[x % (8 * b->pixel)];
            }
            row_copy(b, b->dest, row);
        }
    }
}

static uint32_t expand_row_bytes(const Blt *b)
{
    uint32_t pixels = b->width / b->pixel;

    return (b->ext & BLT_DWORDS) && (b->mode & BLT_FROM_SYSTEM) ? (pixels + 31) / 32 * 4
                                                                : (pixels + 7) / 8;
}

static void run_expand(Blt *b)
{
    uint32_t len = expand_row_bytes(b);
    uint8_t row[CIRRUS_ROW];

    for (uint32_t y = 0; y < b->height; y++, b->dest += b->dest_pitch, b->source += len) {
        fetch(b, b->source, row, len);
        row_expand(b, b->dest, row);
    }
}

/*
 * Start addresses are those of the last bytes; what overlaps further on must not be read too late.
 */
static void run_backwards(Blt *b)
{
    for (uint32_t y = 0; y < b->height;
         y++, b->dest -= b->dest_pitch, b->source -= b->source_pitch) {
        if (b->mode & BLT_TRANSPARENT) {
            uint8_t row[CIRRUS_ROW];

            fetch(b, b->source - (b->width - 1), row, b->width);
            row_copy(b, b->dest - (b->width - 1), row);
            continue;
        }
        for (uint32_t x = 0; x < b->width; x++) {
            put_byte(b, b->dest - x, b->vram[(b->source - x) & b->mask]);
        }
    }
}

static void run_forwards(Blt *b)
{
    uint8_t row[CIRRUS_ROW];

    for (uint32_t y = 0; y < b->height;
         y++, b->dest += b->dest_pitch, b->source += b->source_pitch) {
        fetch(b, b->source, row, b->width);
        row_copy(b, b->dest, row);
    }
}

/* ---- from the CPU ---- */

void cirrus_blt_feed(Cirrus *s, uint8_t value)
{
    s->row[s->row_at++] = value;
    if (s->row_at < s->row_bytes) {
        return;
    }
    Blt b = setup(s);

    s->row_at = 0;
    if (b.mode & BLT_EXPAND) {
        row_expand(&b, s->dest, s->row);
    } else {
        row_copy(&b, s->dest, s->row);
    }
    s->dest += b.dest_pitch;
    if (--s->rows_left == 0) {
        cirrus_blt_stop(s);
    }
}

/* The guest may change width and depth between rows: a row is never shorter than it was. */
static void begin_from_cpu(Cirrus *s, const Blt *b)
{
    if (b->mode & BLT_PATTERN) {
        cirrus_blt_stop(s);
        return;
    }
    s->row_bytes = b->mode & BLT_EXPAND ? expand_row_bytes(b) : (b->width + 3) & ~3u;
    s->row_at = 0;
    s->rows_left = b->height;
    s->dest = b->dest;
    s->from_cpu = true;
    s->gfx[GR_STATUS] |= BLT_BUSY | BLT_PROGRESS;
    cirrus_feed_window(s, true);
}

void cirrus_blt_stop(Cirrus *s)
{
    s->gfx[GR_STATUS] &= ~(BLT_BUSY | BLT_START | BLT_PROGRESS);
    if (s->from_cpu) {
        s->from_cpu = false;
        cirrus_feed_window(s, false);
    }
}

void cirrus_blt_start(Cirrus *s)
{
    Blt b = setup(s);

    cirrus_blt_stop(s);
    if (!s->blitter || (b.mode & BLT_TO_SYSTEM)) {
        return;
    }
    if ((b.ext & BLT_SOLID) &&
        (b.mode & (BLT_PATTERN | BLT_EXPAND)) == (BLT_PATTERN | BLT_EXPAND)) {
        run_solid(&b);
    } else if (b.mode & BLT_FROM_SYSTEM) {
        begin_from_cpu(s, &b);
    } else if (b.mode & BLT_PATTERN) {
        run_pattern(&b);
    } else if (b.mode & BLT_EXPAND) {
        run_expand(&b);
    } else if (b.mode & BLT_BACKWARDS) {
        run_backwards(&b);
    } else {
        run_forwards(&b);
    }
}
