// SPDX-License-Identifier: GPL-2.0-or-later
/* Formats of picture files, as rows. */
#ifndef UI_PICTURE_H
#define UI_PICTURE_H

#include <pixman.h>
#include <stdbool.h>
#include <stdio.h>

#include "util/types.h"

typedef struct PictureFormat {
    const char *name;
    bool (*write)(FILE *f, pixman_image_t *image);      /* false: errno says why */
} PictureFormat;

#define PICTURE_FORMAT(id, ...) \
    SECTION_ENTRY(picture_formats, PictureFormat, picture_##id##_row, __VA_ARGS__)

/* Line y as bytes red, green, blue. */
void picture_line(pixman_image_t *image, int y, uint8_t *rgb);

#endif
