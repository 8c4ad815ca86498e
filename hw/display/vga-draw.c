// SPDX-License-Identifier: GPL-2.0-or-later
/* The picture: text with its font in plane 2, planar and packed graphics, Bochs display modes. */
#include <string.h>

#include "hw/display/vga.h"

typedef struct Screen {
    uint32_t *pixels;
    size_t stride;              /* in pixels */
    unsigned width, height;
} Screen;

static Screen screen_of(Vga *s, unsigned width, unsigned height)
{
    console_resize(s->console, width, height);
    pixman_image_t *image = console_surface(s->console);

    return (Screen){pixman_image_get_data(image), (size_t)pixman_image_get_stride(image) / 4,
                    (unsigned)pixman_image_get_width(image),
                    (unsigned)pixman_image_get_height(image)};
}

static uint32_t dac_color(const Vga *s, uint8_t index)
{
    const uint8_t *p = &s->palette[(index & s->dac_mask) * 3];

    if (s->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC && s->dispi[DISPI_ENABLE] & DISPI_ENABLED) {
        return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    }
    uint32_t c = 0;

    for (unsigned i = 0; i < 3; i++) {
        uint8_t v = p[i] & 0x3f;

        c = c << 8 | (uint32_t)(v << 2 | v >> 4);
    }
    return c;
}

/* 2-89: from four bits through the attribute controller to the DAC. */
static uint32_t attr_color(const Vga *s, unsigned index)
{
    uint8_t v = s->attr[index & 15], high = s->attr[0x14];

    return dac_color(s, s->attr[0x10] & 0x80 ? (uint8_t)((high & 0xf) << 4 | (v & 0xf))
                                            : (uint8_t)((high & 0xc) << 4 | (v & 0x3f)));
}

static uint8_t vram_byte(const Vga *s, size_t offset)
{
    return s->vram[offset & (s->vram_size - 1)];
}

static unsigned scan_lines(const Vga *s)
{
    return (s->crtc[0x12] | (s->crtc[7] & 2u) << 7 | (s->crtc[7] & 0x40u) << 3) + 1;
}

static size_t start_cell(const Vga *s)
{
    return (size_t)s->crtc[0xc] << 8 | s->crtc[0xd];
}

/*
 * --- text ---------------------------------------------------------------------------------------
 */

typedef struct Glyph {
    uint32_t fg, bg;
    const Vga *s;
    size_t font;                /* of the character, in bytes of plane 2 */
    unsigned width, rows;
    bool extend;                /* a ninth column like the eighth */
} Glyph;

static void draw_glyph(const Glyph *g, uint32_t *out, size_t stride)
{
    for (unsigned row = 0; row < g->rows; row++, out += stride) {
        uint8_t bits = vram_byte(g->s, (g->font + row) * 4 + 2);

        for (unsigned x = 0; x < 8; x++) {
            out[x] = bits & 0x80 >> x ? g->fg : g->bg;
        }
        if (g->width == 9) {
            out[8] = g->extend && (bits & 1) ? g->fg : g->bg;
        }
    }
}

static size_t font_offset(unsigned low, unsigned high)
{
    return (size_t)low * 16384 + (size_t)high * 8192;
}

static void draw_text(Vga *s)
{
    unsigned columns = s->crtc[1] + 1, cell_height = (s->crtc[9] & 0x1f) + 1;
    unsigned cell_width = s->seq[1] & 1 ? 8 : 9, lines = MAX(scan_lines(s) / cell_height, 1);
    size_t pitch = (size_t)s->crtc[0x13] * 2, cursor = (size_t)s->crtc[0xe] << 8 | s->crtc[0xf];
    unsigned cursor_from = s->crtc[0xa] & 0x1f,
             cursor_to = MIN(s->crtc[0xb] & 0x1f, cell_height - 1);
    size_t fonts[2] = { font_offset(s->seq[3] & 3, s->seq[3] >> 4 & 1),
                        font_offset(s->seq[3] >> 2 & 3, s->seq[3] >> 5 & 1) };
    Screen d = screen_of(s, columns * cell_width, lines * cell_height);

    for (unsigned y = 0; y < lines; y++) {
        for (unsigned x = 0; x < columns; x++) {
            size_t cell = start_cell(s) + y * pitch + x;
            uint8_t ch = vram_byte(s, cell * 4), attr = vram_byte(s, cell * 4 + 1);
            uint8_t bg = s->attr[0x10] & 8 ? attr >> 4 & 7 : attr >> 4;
            uint32_t *out = d.pixels + (size_t)y * cell_height * d.stride + (size_t)x * cell_width;
            Glyph g = { .fg = attr_color(s, attr & 15), .bg = attr_color(s, bg), .s = s,
                        .font = fonts[attr >> 3 & 1] + (size_t)ch * 32, .width = cell_width,
                        .rows = cell_height,
                        .extend = (s->attr[0x10] & 4) && ch >= 0xc0 && ch <= 0xdf };

            draw_glyph(&g, out, d.stride);
            if (cell == cursor && !(s->crtc[0xa] & 0x20)) {
                for (unsigned row = cursor_from; row <= cursor_to; row++) {
                    for (unsigned i = 0; i < cell_width; i++) {
                        out[row * d.stride + i] = g.fg;
                    }
                }
            }
        }
    }
}

/*
 * --- graphics
 * --------------------------------------------------------------------------------------
 */

/* Sixteen, four (CGA) or 256 colors by the shift register's mode, gfx[5] bits 5 and 6. */
static void draw_graphics(Vga *s)
{
    unsigned mode = s->gfx[5] >> 5 & 3, repeat = (s->crtc[9] & 0x1f) + 1;
    bool packed = mode >= 2;
    unsigned width = (s->crtc[1] + 1) * (packed ? 4 : 8), scans = scan_lines(s);
    bool interleave = !(s->crtc[0x17] & 1);     /* CGA: odd rows 8 KiB further on */
    unsigned height;
    uint32_t colors[256];

    if (s->crtc[9] & 0x80 && !interleave) {
        repeat *= 2;
    } else if (interleave) {
        repeat = s->crtc[9] & 0x80 ? 2 : 1;
    }
    height = MAX(scans / repeat, 1);
    for (unsigned i = 0; i < 256; i++) {
        colors[i] = packed ? dac_color(s, (uint8_t)i) : attr_color(s, i & 15);
    }
    Screen d = screen_of(s, width, height);

    for (unsigned y = 0; y < height; y++) {
        unsigned row = interleave ? y / 2 : y;
        size_t line = (start_cell(s) + (size_t)row * s->crtc[0x13] * 2) * 4;
        uint32_t *out = d.pixels + (size_t)y * d.stride;

        if (interleave && (y & 1)) {
            line += (size_t)0x2000 * 4;
        }
        for (unsigned x = 0; x < width; x++) {
            if (packed) {
                out[x] = colors[vram_byte(s, line + x)];
            } else if (mode == 1) {
                size_t cell = line + x / 8 * 4;
                uint8_t byte = vram_byte(s, cell + (x >> 2 & 1));

                out[x] = colors[byte >> (6 - 2 * (x & 3)) & 3];
            } else {
                unsigned color = 0;

                for (unsigned p = 0; p < 4; p++) {
                    color |= (vram_byte(s, line + x / 8 * 4 + p) >> (7 - (x & 7)) & 1u) << p;
                }
                out[x] = colors[color & s->attr[0x12]];
            }
        }
    }
}

/*
 * --- Bochs display modes
 * ----------------------------------------------------------------------------
 */

static uint32_t expand(unsigned v, unsigned bits)
{
    return v << (8 - bits) | v >> (2 * bits - 8);
}

static uint32_t pixel(const Vga *s, size_t at, unsigned x, unsigned bpp)
{
    unsigned v;

    switch (bpp) {
    case 8:
        return dac_color(s, vram_byte(s, at + x));
    case 15:
    case 16:
        v = vram_byte(s, at + (size_t)x * 2) | (unsigned)vram_byte(s, at + (size_t)x * 2 + 1) << 8;
        if (bpp == 15) {
            return expand(v >> 10 & 31, 5) << 16 | expand(v >> 5 & 31, 5) << 8 | expand(v & 31, 5);
        }
        return expand(v >> 11 & 31, 5) << 16 | expand(v >> 5 & 63, 6) << 8 | expand(v & 31, 5);
    default:
        at += (size_t)x * (bpp / 8);
        return vram_byte(s, at) | (uint32_t)vram_byte(s, at + 1) << 8 |
               (uint32_t)vram_byte(s, at + 2) << 16;
    }
}

static void draw_dispi(Vga *s)
{
    const uint16_t *r = s->dispi;
    unsigned bpp = r[DISPI_BPP], bytes = (bpp + 7) / 8;
    size_t pitch = (size_t)r[DISPI_VIRT_WIDTH] * bytes;
    Screen d = screen_of(s, r[DISPI_XRES], r[DISPI_YRES]);

    if (bpp == 4) {
        bpp = 8;        /* a planar mode that nobody uses with this interface */
    }
    for (unsigned y = 0; y < d.height; y++) {
        size_t line = (size_t)(y + r[DISPI_Y_OFFSET]) * pitch + (size_t)r[DISPI_X_OFFSET] * bytes;
        uint32_t *out = d.pixels + (size_t)y * d.stride;

        for (unsigned x = 0; x < d.width; x++) {
            out[x] = pixel(s, line, x, bpp);
        }
    }
}

void vga_draw(Vga *s)
{
    if (s->dispi[DISPI_ENABLE] & DISPI_ENABLED) {
        draw_dispi(s);
    } else if (!(s->attr_index & 0x20) || (s->seq[1] & 0x20)) {
        Screen d = screen_of(s, 640, 480);      /* blanked */

        for (unsigned y = 0; y < d.height; y++) {
            memset(d.pixels + (size_t)y * d.stride, 0, (size_t)d.width * 4);
        }
    } else if (s->gfx[6] & 1) {
        draw_graphics(s);
    } else {
        draw_text(s);
    }
    pixman_image_t *image = console_surface(s->console);

    console_damage(s->console, 0, 0, pixman_image_get_width(image), pixman_image_get_height(image));
}
