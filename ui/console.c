// SPDX-License-Identifier: GPL-2.0-or-later
/* Consoles and the surfaces that devices draw on; pictures of them. Contract: ui/console.h. */
#include "ui/console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "qom/device.h"
#include "ui/picture.h"
#include "util/error.h"

struct Console {
    const ConsoleOps *ops;
    void *opaque;
    Device *dev;
    unsigned head;
    pixman_image_t *surface;
    GPtrArray *viewers;         /* ConsoleViewer * */
};

extern const PictureFormat __start_picture_formats[], __stop_picture_formats[];

/* All consoles, in order of creation: viewers know of no machine. */
static GPtrArray *consoles;

static void set_size(Console *c, unsigned width, unsigned height)
{
    if (c->surface) {
        pixman_image_unref(c->surface);
    }
    /* Without memory of ours pixman gives zeroed memory: black. */
    c->surface = pixman_image_create_bits(PIXMAN_x8r8g8b8, (int)width, (int)height, NULL, 0);
    g_assert(c->surface);
}

Console *console_new(const ConsoleOps *ops, void *opaque, Device *dev, unsigned head)
{
    Console *c = g_new0(Console, 1);

    c->ops = ops;
    c->opaque = opaque;
    c->dev = dev;
    c->head = head;
    c->viewers = g_ptr_array_new();
    set_size(c, 640, 480);
    if (!consoles) {
        consoles = g_ptr_array_new();
    }
    g_ptr_array_add(consoles, c);
    return c;
}

void console_free(Console *c)
{
    g_ptr_array_remove(consoles, c);
    pixman_image_unref(c->surface);
    g_ptr_array_unref(c->viewers);
    g_free(c);
}

void console_resize(Console *c, unsigned width, unsigned height)
{
    if ((int)width == pixman_image_get_width(c->surface) &&
        (int)height == pixman_image_get_height(c->surface)) {
        return;
    }
    set_size(c, width, height);
    for (guint i = 0; i < c->viewers->len; i++) {
        ConsoleViewer *v = c->viewers->pdata[i];

        if (v->resized) {
            v->resized(v->opaque, c);
        }
    }
}

pixman_image_t *console_surface(Console *c)
{
    return c->surface;
}

void console_damage(Console *c, int x, int y, int width, int height)
{
    for (guint i = 0; i < c->viewers->len; i++) {
        ConsoleViewer *v = c->viewers->pdata[i];

        v->damaged(v->opaque, c, x, y, width, height);
    }
}

void console_add_viewer(Console *c, ConsoleViewer *v)
{
    g_ptr_array_add(c->viewers, v);
    console_invalidate(c);
}

void console_remove_viewer(Console *c, ConsoleViewer *v)
{
    g_ptr_array_remove(c->viewers, v);
}

void console_update(Console *c)
{
    c->ops->update(c->opaque);
}

void console_invalidate(Console *c)
{
    if (c->ops->invalidate) {
        c->ops->invalidate(c->opaque);
    }
}

Console *console_find(const char *device, unsigned head, GError **error)
{
    bool known = false;

    for (guint i = 0; consoles && i < consoles->len; i++) {
        Console *c = consoles->pdata[i];

        if (!device) {
            return c;
        }
        if (g_strcmp0(c->dev->id, device) == 0) {
            known = true;
            if (c->head == head) {
                return c;
            }
        }
    }
    if (!device) {
        return fail_null(error, "There is no console to take a screendump from");
    }
    return known
               ? fail_null(error, "Device %s (head %u) is not bound to a console", device, head)
               : (fail_class(error, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", device), NULL);
}

/* --- pictures ------------------------------------------------------------------------------- */

static bool ppm_write(FILE *f, pixman_image_t *image)
{
    int width = pixman_image_get_width(image), height = pixman_image_get_height(image);
    g_autofree uint8_t *line = g_malloc((size_t)width * 3);

    fprintf(f, "P6\n%d %d\n255\n", width, height);
    for (int y = 0; y < height; y++) {
        picture_line(image, y, line);
        if (fwrite(line, 3, (size_t)width, f) != (size_t)width) {
            return false;
        }
    }
    return true;
}

PICTURE_FORMAT(ppm, { "ppm", ppm_write });

void picture_line(pixman_image_t *image, int y, uint8_t *rgb)
{
    const uint32_t *p =
        pixman_image_get_data(image) + (size_t)y * pixman_image_get_stride(image) / 4;

    for (int x = 0; x < pixman_image_get_width(image); x++) {
        *rgb++ = (uint8_t)(p[x] >> 16);
        *rgb++ = (uint8_t)(p[x] >> 8);
        *rgb++ = (uint8_t)p[x];
    }
}

bool console_save(Console *c, const char *filename, const char *format, GError **error)
{
    const PictureFormat *fmt = __start_picture_formats;

    while (fmt < __stop_picture_formats && strcmp(fmt->name, format) != 0) {
        fmt++;
    }
    if (fmt == __stop_picture_formats) {
        return fail(error, "this build cannot write %s pictures", format);
    }
    console_update(c);
    FILE *f = fopen(filename, "wbe");

    if (!f) {
        return fail_errno(error, errno, "failed to open file '%s'", filename);
    }
    bool good = fmt->write(f, c->surface);

    good = fclose(f) == 0 && good;
    if (!good) {
        remove(filename);
        return fail_errno(error, errno ? errno : EIO, "failed to write file '%s'", filename);
    }
    return true;
}
