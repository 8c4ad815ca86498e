// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Consoles: what display devices draw on and what shows it (windows, VNC, screendump). A surface
 * is a pixman image of x8r8g8b8. Main loop or vCPU thread, machine lock held.
 */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include <glib.h>
#include <pixman.h>
#include <stdbool.h>

struct Device;
typedef struct Console Console;

/* A display device's side. */
typedef struct ConsoleOps {
    /* Brings the surface up to date with the guest's screen, and reports damage. */
    void (*update)(void *opaque);
    /* All of the screen is to be drawn at the next update; NULL: nothing to do. */
    void (*invalidate)(void *opaque);
} ConsoleOps;

/* A console with a black surface of 640x480; freed by console_free before opaque's memory goes. */
Console *console_new(const ConsoleOps *ops, void *opaque, struct Device *dev, unsigned head);
void console_free(Console *c);
/* Replaces the surface by a black one when its size differs. */
void console_resize(Console *c, unsigned width, unsigned height);
pixman_image_t *console_surface(Console *c);
/* A rectangle of the surface has changed. */
void console_damage(Console *c, int x, int y, int width, int height);

/* A viewer's side. */
typedef struct ConsoleViewer {
    void (*resized)(void *opaque, Console *c);      /* may be NULL; the old surface is gone */
    void (*damaged)(void *opaque, Console *c, int x, int y, int width, int height);
    void *opaque;
} ConsoleViewer;

void console_add_viewer(Console *c, ConsoleViewer *v);
void console_remove_viewer(Console *c, ConsoleViewer *v);
/* Asks the device to bring the surface up to date. */
void console_update(Console *c);
void console_invalidate(Console *c);
/* The console of a device (by -device id; NULL: the first console); NULL with *error set. */
Console *console_find(const char *device, unsigned head, GError **error);

/* A picture file of the console's surface, as PPM or, where libpng is there, PNG. */
bool console_save(Console *c, const char *filename, const char *format, GError **error);

#endif
