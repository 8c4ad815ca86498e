// SPDX-License-Identifier: GPL-2.0-or-later
/* Routing of input events to devices, and the names of keys (QMP's QKeyCode). */
#include "ui/input.h"
#include <glib.h>
#include <string.h>

struct InputHandler {
    const InputOps *ops;
    void *opaque;
    unsigned index;
    bool active;
    InputHandler *next;
};

/* The guest's input devices, those in use first; there is one seat per process. */
static InputHandler *handlers;
/* Devices get numbers in the order in which they come. */
static unsigned last_index;

static void unlink_handler(InputHandler *h)
{
    InputHandler **p = &handlers;

    while (*p && *p != h) {
        p = &(*p)->next;
    }
    if (*p) {
        *p = h->next;
    }
}

static void append(InputHandler *h)
{
    InputHandler **p = &handlers;

    while (*p) {
        p = &(*p)->next;
    }
    h->next = NULL;
    *p = h;
}

static void to_front(InputHandler *h)
{
    unlink_handler(h);
    h->next = handlers;
    handlers = h;
}

InputHandler *input_handler_add(const InputOps *ops, void *opaque)
{
    InputHandler *h = g_new0(InputHandler, 1);

    *h = (InputHandler){ .ops = ops, .opaque = opaque, .index = ++last_index };
    append(h);
    return h;
}

void input_handler_remove(InputHandler *h)
{
    unlink_handler(h);
    g_free(h);
}

void input_handler_activate(InputHandler *h, bool on)
{
    if (h->active == on) {
        return;
    }
    h->active = on;
    if (on) {
        to_front(h);
    } else {
        unlink_handler(h);
        append(h);
    }
}

static bool is_mouse(const InputHandler *h)
{
    return h->ops->motion || h->ops->position;
}

bool input_mouse(unsigned i, InputMouse *m)
{
    bool first = true;

    for (const InputHandler *h = handlers; h; h = h->next) {
        if (!is_mouse(h)) {
            continue;
        }
        if (i-- == 0) {
            *m = (InputMouse){.name = h->ops->name,
                              .index = h->index,
                              .absolute = h->ops->position != NULL,
                              .current = first};
            return true;
        }
        first = false;
    }
    return false;
}

bool input_mouse_select(unsigned index, GError **error)
{
    for (InputHandler *h = handlers; h; h = h->next) {
        if (h->index == index) {
            if (!is_mouse(h)) {
                return fail(error, "Input device '%s' is not a mouse", h->ops->name);
            }
            to_front(h);
            return true;
        }
    }
    return fail(error, "Mouse at index '%u' not found", index);
}

bool input_key(unsigned key, bool down)
{
    for (InputHandler *h = handlers; h; h = h->next) {
        if (h->ops->key) {
            h->ops->key(h->opaque, key, down);
            return true;
        }
    }
    return false;
}

bool input_motion(int dx, int dy, int dz, unsigned buttons)
{
    for (InputHandler *h = handlers; h; h = h->next) {
        if (h->ops->motion) {
            h->ops->motion(h->opaque, dx, dy, dz, buttons);
            return true;
        }
    }
    return false;
}

bool input_position(int x, int y, int dz, unsigned buttons)
{
    for (InputHandler *h = handlers; h; h = h->next) {
        if (h->ops->position) {
            h->ops->position(h->opaque, x, y, dz, buttons);
            return true;
        }
    }
    return false;
}

bool input_has_position(void)
{
    InputMouse m;

    return input_mouse(0, &m) && m.absolute;
}

/* clang-format off */
static const struct { const char *name; uint8_t key; } keys[] = {
    { "shift", 0x2a }, { "shift_r", 0x36 }, { "alt", 0x38 }, { "alt_r", 0xb8 },
    { "ctrl", 0x1d }, { "ctrl_r", 0x9d }, { "menu", 0xdd }, { "esc", 0x01 },
    { "1", 0x02 }, { "2", 0x03 }, { "3", 0x04 }, { "4", 0x05 }, { "5", 0x06 },
    { "6", 0x07 }, { "7", 0x08 }, { "8", 0x09 }, { "9", 0x0a }, { "0", 0x0b },
    { "minus", 0x0c }, { "equal", 0x0d }, { "backspace", 0x0e }, { "tab", 0x0f },
    { "q", 0x10 }, { "w", 0x11 }, { "e", 0x12 }, { "r", 0x13 }, { "t", 0x14 },
    { "y", 0x15 }, { "u", 0x16 }, { "i", 0x17 }, { "o", 0x18 }, { "p", 0x19 },
    { "bracket_left", 0x1a }, { "bracket_right", 0x1b }, { "ret", 0x1c },
    { "a", 0x1e }, { "s", 0x1f }, { "d", 0x20 }, { "f", 0x21 }, { "g", 0x22 },
    { "h", 0x23 }, { "j", 0x24 }, { "k", 0x25 }, { "l", 0x26 },
    { "semicolon", 0x27 }, { "apostrophe", 0x28 }, { "grave_accent", 0x29 },
    { "backslash", 0x2b }, { "z", 0x2c }, { "x", 0x2d }, { "c", 0x2e }, { "v", 0x2f },
    { "b", 0x30 }, { "n", 0x31 }, { "m", 0x32 }, { "comma", 0x33 }, { "dot", 0x34 },
    { "slash", 0x35 }, { "asterisk", 0x37 }, { "spc", 0x39 }, { "caps_lock", 0x3a },
    { "f1", 0x3b }, { "f2", 0x3c }, { "f3", 0x3d }, { "f4", 0x3e }, { "f5", 0x3f },
    { "f6", 0x40 }, { "f7", 0x41 }, { "f8", 0x42 }, { "f9", 0x43 }, { "f10", 0x44 },
    { "num_lock", 0x45 }, { "scroll_lock", 0x46 }, { "kp_multiply", 0x37 },
    { "kp_divide", 0xb5 }, { "kp_subtract", 0x4a }, { "kp_add", 0x4e },
    { "kp_enter", 0x9c }, { "kp_decimal", 0x53 }, { "sysrq", 0x54 },
    { "kp_0", 0x52 }, { "kp_1", 0x4f }, { "kp_2", 0x50 }, { "kp_3", 0x51 },
    { "kp_4", 0x4b }, { "kp_5", 0x4c }, { "kp_6", 0x4d }, { "kp_7", 0x47 },
    { "kp_8", 0x48 }, { "kp_9", 0x49 }, { "less", 0x56 }, { "f11", 0x57 },
    { "f12", 0x58 }, { "print", 0xb7 }, { "home", 0xc7 }, { "pgup", 0xc9 },
    { "pgdn", 0xd1 }, { "end", 0xcf }, { "left", 0xcb }, { "up", 0xc8 },
    { "down", 0xd0 }, { "right", 0xcd }, { "insert", 0xd2 }, { "delete", 0xd3 },
    { "meta_l", 0xdb }, { "meta_r", 0xdc }, { "compose", 0xdd },
};
/* clang-format on */

unsigned input_key_from_name(const char *name)
{
    for (unsigned i = 0; i < ARRAY_COUNT(keys); i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return keys[i].key;
        }
    }
    return 0;
}

const char *const *input_key_names(void)
{
    /* Built once from the table above. */
    static const char *names[ARRAY_COUNT(keys) + 1];

    for (unsigned i = 0; i < ARRAY_COUNT(keys) && !names[i]; i++) {
        names[i] = keys[i].name;
    }
    return names;
}
