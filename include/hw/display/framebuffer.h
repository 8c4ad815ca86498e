// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Screens that are a plain picture in guest memory: read row by row, changed rows drawn. Machine
 * lock.
 */
#ifndef HW_DISPLAY_FRAMEBUFFER_H
#define HW_DISPLAY_FRAMEBUFFER_H

#include "qom/device.h"
#include "ui/console.h"

typedef struct FbPicture {
    hwaddr addr;                       /* of the first row, for d's DMA */
    unsigned width, height;            /* pixels; at most 4096 */
    unsigned row_bytes, stride;
    /* A row of guest memory as x8r8g8b8. */
    void (*convert)(void *opaque, uint32_t *to, const uint8_t *from, unsigned width);
    void *opaque;
    bool bottom_up;
} FbPicture;

void fb_update(Console *c, Device *d, const FbPicture *p);
/* Rows of the usual formats, little-endian. */
void fb_convert_xrgb(void *opaque, uint32_t *to, const uint8_t *from, unsigned width);
void fb_convert_xbgr(void *opaque, uint32_t *to, const uint8_t *from, unsigned width);
void fb_convert_rgb565(void *opaque, uint32_t *to, const uint8_t *from, unsigned width);
void fb_convert_bgr565(void *opaque, uint32_t *to, const uint8_t *from, unsigned width);

#endif
