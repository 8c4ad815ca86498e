// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Input events from displays and monitor commands (sendkey, mouse_move) to the guest's input
 * devices. The first handler that takes a kind of event gets it: those that the guest has set up
 * come first, the newest of them at the front; then the others in the order in which they came.
 * Machine lock.
 */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include "util/error.h"
#include "util/types.h"

typedef struct InputHandler InputHandler;

enum { INPUT_LEFT = 1, INPUT_RIGHT = 2, INPUT_MIDDLE = 4, INPUT_SIDE = 8, INPUT_EXTRA = 16 };
enum { INPUT_POSITION_MAX = 0x7fff };

typedef struct InputOps {
    const char *name;
    /* key: set-1 scan code, 0x80 added for E0 keys. */
    void (*key)(void *opaque, unsigned key, bool down);
    /* Relative motion; dz is the wheel; buttons: INPUT_LEFT and so on. */
    void (*motion)(void *opaque, int dx, int dy, int dz, unsigned buttons);
    /* Absolute position, 0 to 32767 on each axis. */
    void (*position)(void *opaque, int x, int y, int dz, unsigned buttons);
} InputOps;

InputHandler *input_handler_add(const InputOps *ops, void *opaque);
void input_handler_remove(InputHandler *h);
/* The guest's driver has set the device up (it comes to the front), or has given it up. */
void input_handler_activate(InputHandler *h, bool on);

/* A pointing device, for lists. */
typedef struct InputMouse {
    const char *name;
    unsigned index;               /* for input_mouse_select */
    bool absolute, current;       /* current: the first that takes its kind of motion */
} InputMouse;
/* The i-th in order; false: there are no more. */
bool input_mouse(unsigned i, InputMouse *m);
bool input_mouse_select(unsigned index, GError **error);

/* False when no device takes it. */
bool input_key(unsigned key, bool down);
bool input_motion(int dx, int dy, int dz, unsigned buttons);
bool input_position(int x, int y, int dz, unsigned buttons);
/* Whether the current pointing device takes absolute positions. */
bool input_has_position(void);
/* Key of a QKeyCode name such as "ret" or "ctrl"; 0: unknown. */
unsigned input_key_from_name(const char *name);
/* NULL-terminated, for suggestions and completion. */
const char *const *input_key_names(void);

#endif
