// SPDX-License-Identifier: GPL-2.0-or-later
/* Screens that are a plain picture in guest memory; see the header. */
#include "hw/display/framebuffer.h"

#include <string.h>
#include "exec/dma.h"

#define FB_MAX 4096

void fb_convert_xrgb(void *opaque, uint32_t *to, const uint8_t *from, unsigned width)
{
    for (unsigned i = 0; i < width; i++, from += 4) {
        to[i] = (uint32_t)from[2] << 16 | from[1] << 8 | from[0];
    }
}

void fb_convert_xbgr(void *opaque, uint32_t *to, const uint8_t *from, unsigned width)
{
    for (unsigned i = 0; i < width; i++, from += 4) {
        to[i] = (uint32_t)from[0] << 16 | from[1] << 8 | from[2];
    }
}

void fb_convert_rgb565(void *opaque, uint32_t *to, const uint8_t *from, unsigned width)
{
    for (unsigned i = 0; i < width; i++, from += 2) {
        unsigned v = from[0] | from[1] << 8;

        to[i] = (v & 0xf800) << 8 | (v & 0xe000) << 3 | (v & 0x7e0) << 5 | (v & 0x600) >> 1 |
                (v & 0x1f) << 3 | (v & 0x1c) >> 2;
    }
}

void fb_convert_bgr565(void *opaque, uint32_t *to, const uint8_t *from, unsigned width)
{
    fb_convert_rgb565(opaque, to, from, width);
    for (unsigned i = 0; i < width; i++) {
        to[i] = (to[i] & 0xff00) | (to[i] >> 16 & 0xff) | (to[i] & 0xff) << 16;
    }
}

void fb_update(Console *c, Device *d, const FbPicture *p)
{
    unsigned first = UINT32_MAX, last = 0;

    if (p->width == 0 || p->height == 0 || p->width > FB_MAX || p->height > FB_MAX ||
        p->row_bytes > FB_MAX * 8) {
        return;
    }
    console_resize(c, p->width, p->height);
    pixman_image_t *image = console_surface(c);
    uint32_t *pixels = pixman_image_get_data(image);
    size_t pitch = (size_t)pixman_image_get_stride(image) / 4;
    g_autofree uint8_t *row = g_malloc0(p->row_bytes + 8);
    g_autofree uint32_t *drawn = g_new0(uint32_t, p->width);

    for (unsigned y = 0; y < p->height; y++) {
        unsigned at = p->bottom_up ? p->height - 1 - y : y;

        if (!dma_read(d, p->addr + (hwaddr)at * p->stride, row, p->row_bytes)) {
            break;
        }
        p->convert(p->opaque, drawn, row, p->width);
        if (memcmp(pixels + y * pitch, drawn, (size_t)p->width * 4) != 0) {
            memcpy(pixels + y * pitch, drawn, (size_t)p->width * 4);
            first = MIN(first, y);
            last = y;
        }
    }
    if (first <= last) {
        console_damage(c, 0, (int)first, (int)p->width, (int)(last - first + 1));
    }
}
