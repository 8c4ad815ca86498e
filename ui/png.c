// SPDX-License-Identifier: GPL-2.0-or-later
/* PNG pictures, by libpng. */
#include <errno.h>
#include <glib.h>
#include <png.h>

#include "ui/picture.h"

static bool png_save(FILE *f, pixman_image_t *image)
{
    int width = pixman_image_get_width(image), height = pixman_image_get_height(image);
    uint8_t *line = g_malloc((size_t)width * 3);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;

    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        g_free(line);
        return false;
    }
    png_init_io(png, f);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < height; y++) {
        picture_line(image, y, line);
        png_write_row(png, line);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    g_free(line);
    return true;
}

PICTURE_FORMAT(png, { "png", png_save });
