// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CL-GD5446's picture: packed pixels of 8 to 32 bits by the extended registers, else VGA's, and
 * the hardware cursor.
 */
#include "cirrus.h"

#define CURSOR_MEMORY 16384u /* at the end of video memory */

enum {
    CURSOR_ON = 1,
    CURSOR_LARGE = 4
};

static uint32_t palette_color(const uint8_t *p)
{
    uint32_t c = 0;

    for (unsigned i = 0; i < 3; i++) {
        uint8_t v = p[i] & 0x3f;

        c = c << 8 | (uint32_t)(v << 2 | v >> 4);
    }
    return c;
}

/* Bits of a pixel: SR7 says bytes, the hidden DAC how 16 bits are divided. */
static unsigned depth_of(const Cirrus *s)
{
    switch (s->seq[7] & 0xe) {
    case 0:
        return 8;
    case 2:
    case 6:
        return s->hidden_dac & 0x0f ? 16 : 15;
    case 4:
        return 24;
    case 8:
        return 32;
    default:
        return 8;
    }
}

static uint32_t widen(unsigned v, unsigned bits)
{
    return v << (8 - bits) | v >> (2 * bits - 8);
}

static uint32_t pixel_at(const Cirrus *s, uint32_t at, unsigned depth)
{
    const uint8_t *m = s->card.vga.vram;
    uint32_t mask = cirrus_mask(s);
    unsigned v = m[at & mask] | (unsigned)m[(at + 1) & mask] << 8;

    switch (depth) {
    case 8:
        return palette_color(&s->card.vga.palette[(v & s->card.vga.dac_mask & 0xff) * 3]);
    case 15:
        return widen(v >> 10 & 31, 5) << 16 | widen(v >> 5 & 31, 5) << 8 | widen(v & 31, 5);
    case 16:
        return widen(v >> 11 & 31, 5) << 16 | widen(v >> 5 & 63, 6) << 8 | widen(v & 31, 5);
    default:
        return v | (uint32_t)m[(at + 2) & mask] << 16;
    }
}

static void draw_cursor(const Cirrus *s, pixman_image_t *image)
{
    uint32_t *pixels = pixman_image_get_data(image);
    size_t stride = (size_t)pixman_image_get_stride(image) / 4;
    int width = pixman_image_get_width(image), height = pixman_image_get_height(image);
    bool large = s->seq[0x12] & CURSOR_LARGE;
    unsigned size = large ? 64 : 32, row_bytes = large ? 16 : 4, plane = large ? 8 : 128;
    uint32_t base =
        s->card.vga.vram_size - CURSOR_MEMORY + (s->seq[0x13] & (large ? 0x3c : 0x3f)) * 256u;
    uint32_t colors[2] = {palette_color(s->cursor_palette), palette_color(s->cursor_palette + 3)};

    for (unsigned y = 0; y < size && s->cursor_y + (int)y < height; y++) {
        for (unsigned x = 0; x < size && s->cursor_x + (int)x < width; x++) {
            uint32_t at = base + y * row_bytes + x / 8;
            unsigned bit = 7 - x % 8;
            bool p0 = s->card.vga.vram[at & cirrus_mask(s)] >> bit & 1,
                 p1 = s->card.vga.vram[(at + plane) & cirrus_mask(s)] >> bit & 1;
            uint32_t *out = &pixels[(size_t)(s->cursor_y + y) * stride + s->cursor_x + x];

            if (p1) {
                *out = colors[p0];
            } else if (p0) {
                *out ^= 0xffffff;
            }
        }
    }
}

static void draw_packed(Cirrus *s)
{
    Vga *v = &s->card.vga;
    const uint8_t *c = v->crtc;
    unsigned width = (c[1] + 1u) * 8,
             height = (c[0x12] | (c[7] & 2u) << 7 | (c[7] & 0x40u) << 3) + 1;
    unsigned depth = depth_of(s), bytes = (depth + 7) / 8;
    uint32_t pitch = (c[0x13] | (c[0x1b] & 0x10u) << 4 | (c[0x1b] & 0x40u) << 3) * 8;
    uint32_t start = ((uint32_t)c[0x0c] << 8 | c[0x0d] | (c[0x1b] & 1u) << 16 |
                      (c[0x1b] & 0xcu) << 15 | (c[0x1d] & 0x80u) << 12) *
                     4;

    height *= c[0x1a] & 1 ? 2 : 1; /* interlaced */
    console_resize(v->console, width, height);
    pixman_image_t *image = console_surface(v->console);
    uint32_t *pixels = pixman_image_get_data(image);
    size_t stride = (size_t)pixman_image_get_stride(image) / 4;

    for (unsigned y = 0; y < height; y++) {
        for (unsigned x = 0; x < width; x++) {
            pixels[y * stride + x] = pixel_at(s, start + y * pitch + x * bytes, depth);
        }
    }
}

void cirrus_draw(Cirrus *s)
{
    Vga *v = &s->card.vga;

    if (!cirrus_extended(s) || !(v->attr_index & 0x20) || (v->seq[1] & 0x20)) {
        vga_draw(v);
    } else {
        draw_packed(s);
    }
    pixman_image_t *image = console_surface(v->console);

    if (s->seq[0x12] & CURSOR_ON) {
        draw_cursor(s, image);
    }
    console_damage(v->console, 0, 0, pixman_image_get_width(image), pixman_image_get_height(image));
}
