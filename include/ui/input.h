// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Input events from displays and monitor commands (sendkey, mouse_move) to the guest's input
 * devices. The newest handler that takes a kind of event gets it. Machine lock.
 */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include "util/types.h"

typedef struct InputHandler InputHandler;

typedef struct InputOps {
    const char *name;
    /* key: set-1 scan code, 0x80 added for E0 keys. */
    void (*key)(void *opaque, unsigned key, bool down);
    /* Relative motion; dz is the wheel; buttons: 1 left, 2 right, 4 middle. */
    void (*motion)(void *opaque, int dx, int dy, int dz, unsigned buttons);
    /* Absolute position, 0 to 32767 on each axis. */
    void (*position)(void *opaque, int x, int y, int dz, unsigned buttons);
} InputOps;

InputHandler *input_handler_add(const InputOps *ops, void *opaque);
void input_handler_remove(InputHandler *h);

/* False when no device takes it. */
bool input_key(unsigned key, bool down);
bool input_motion(int dx, int dy, int dz, unsigned buttons);
bool input_position(int x, int y, int dz, unsigned buttons);
/* Whether a device takes absolute positions. */
bool input_has_position(void);
/* Key of a QKeyCode name such as "ret" or "ctrl"; 0: unknown. */
unsigned input_key_from_name(const char *name);
/* NULL-terminated, for suggestions and completion. */
const char *const *input_key_names(void);

#endif
