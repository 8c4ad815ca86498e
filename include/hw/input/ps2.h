// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PS/2 keyboard and mouse (IBM PS/2 Hardware Interface Technical Reference) behind a
 * controller such as the 8042. Plain state machines that the controller embeds.
 */
#ifndef HW_INPUT_PS2_H
#define HW_INPUT_PS2_H

#include "qom/state.h"
#include "util/types.h"

#define PS2_QUEUE 256

typedef struct Ps2 {
    bool mouse;
    uint8_t queue[PS2_QUEUE];     /* bytes for the host */
    uint16_t head, count;
    uint8_t command;              /* waits for its argument; 0: none */
    bool enabled;                 /* scanning / streaming */
    uint8_t scan_set, leds, rate; /* keyboard */
    uint8_t resolution, sample_rate, scale21, remote, wrap, id, magic;    /* mouse */
    uint8_t buttons;
    int32_t dx, dy, dz;
    void (*ready)(void *opaque);  /* bytes are waiting */
    void *opaque;
} Ps2;

extern const StateField ps2_state[];

void ps2_init(Ps2 *p, bool mouse, void (*ready)(void *opaque), void *opaque);
void ps2_reset(Ps2 *p);
/* A byte from the host. */
void ps2_write(Ps2 *p, uint8_t value);
bool ps2_has_data(const Ps2 *p);
/* The oldest byte; the last one again when empty. */
uint8_t ps2_read(Ps2 *p);
/*
 * Input events: a set-1 key number (0x80 added for E0 keys), relative motion with buttons (1 left,
 * 2 right, 4 middle).
 */
void ps2_key(Ps2 *p, unsigned key, bool down);
void ps2_motion(Ps2 *p, int dx, int dy, int dz, unsigned buttons);
/* A packet about nothing from the mouse of an i8042, for the interrupt that comes with it. */
void i8042_mouse_nudge(struct Device *i8042);

#endif
