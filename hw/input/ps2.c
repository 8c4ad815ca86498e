// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PS/2 keyboard and mouse (IBM PS/2 Hardware Interface Technical Reference, Microsoft's
 * IntelliMouse extension). Keys are held as set-1 numbers and sent in set 2; the controller
 * translates back to set 1 when it is told to. Left out: scan set 3's per-key modes.
 */
#include "hw/input/ps2.h"
#include <string.h>

enum { ACK = 0xfa, RESEND = 0xfe, SELF_TEST_OK = 0xaa };
enum { KBD_LEDS = 0xed, KBD_ECHO = 0xee, KBD_SCAN_SET = 0xf0, KBD_ID = 0xf2, KBD_RATE = 0xf3,
       KBD_ENABLE = 0xf4, KBD_DISABLE = 0xf5, KBD_DEFAULTS = 0xf6, KBD_RESET = 0xff };
enum { MOUSE_SCALE11 = 0xe6, MOUSE_SCALE21 = 0xe7, MOUSE_RESOLUTION = 0xe8, MOUSE_STATUS = 0xe9,
       MOUSE_STREAM = 0xea, MOUSE_POLL = 0xeb, MOUSE_UNWRAP = 0xec, MOUSE_WRAP = 0xee,
       MOUSE_REMOTE = 0xf0, MOUSE_ID = 0xf2, MOUSE_SAMPLE = 0xf3, MOUSE_ENABLE = 0xf4,
       MOUSE_DISABLE = 0xf5, MOUSE_DEFAULTS = 0xf6, MOUSE_RESET = 0xff };

/* Answers must fit behind whatever keys are queued. */
#define KEY_LIMIT (PS2_QUEUE - 16)

/* Set 1 make code -> set 2. */
static const uint8_t set2[128] = {
    0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
    0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b,
    0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,
    0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03,
    0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69,
    0x72, 0x7a, 0x70, 0x71, 0x84, 0x00, 0x61, 0x78, 0x07, 0x00, 0x00, 0x1f, 0x27, 0x2f, 0x37, 0x3f,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x13, 0x00, 0x00, 0x51, 0x00, 0x00, 0x00, 0x00, 0x00, 0x64, 0x00, 0x67, 0x00, 0x6a, 0x00, 0x00,
};

static void ps2_push(Ps2 *p, uint8_t b)
{
    if (p->count < PS2_QUEUE) {
        p->queue[(p->head + p->count++) % PS2_QUEUE] = b;
    }
}

static void ps2_flush(Ps2 *p)
{
    p->count = 0;
}

bool ps2_has_data(const Ps2 *p)
{
    return p->count != 0;
}

uint8_t ps2_read(Ps2 *p)
{
    if (p->count == 0) {
        return p->queue[(p->head + PS2_QUEUE - 1) % PS2_QUEUE];
    }
    uint8_t b = p->queue[p->head];

    p->head = (p->head + 1) % PS2_QUEUE;
    p->count--;
    return b;
}

void ps2_key(Ps2 *p, unsigned key, bool down)
{
    unsigned code = key & 0x7f;

    if (!p->enabled || p->count > KEY_LIMIT || code >= sizeof(set2)) {
        return;
    }
    if (p->scan_set != 1 && set2[code] == 0) {
        return;
    }
    if (key & 0x80) {
        ps2_push(p, 0xe0);
    }
    if (p->scan_set == 1) {
        ps2_push(p, down ? code : code | 0x80);
    } else {
        if (!down) {
            ps2_push(p, 0xf0);
        }
        ps2_push(p, set2[code]);
    }
    p->ready(p->opaque);
}

static int clamp(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static void mouse_packet(Ps2 *p)
{
    int dx = clamp(p->dx, -255, 255);
    int dy = clamp(p->dy, -255, 255);
    int dz = clamp(p->dz, -8, 7);

    ps2_push(p, (p->buttons & 7) | 8 | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0));
    ps2_push(p, dx);
    ps2_push(p, dy);
    p->dx -= dx;
    p->dy -= dy;
    if (p->id == 3) {
        ps2_push(p, dz);
    } else if (p->id == 4) {
        ps2_push(p, (dz & 15) | (p->buttons & 0x18) << 1);
    }
    p->dz = p->id ? p->dz - dz : 0;
}

void ps2_motion(Ps2 *p, int dx, int dy, int dz, unsigned buttons)
{
    if (!p->enabled) {
        return;
    }
    p->dx = clamp(p->dx + dx, -4096, 4096);
    p->dy = clamp(p->dy - dy, -4096, 4096);
    p->dz = clamp(p->dz + dz, -128, 127);
    p->buttons = buttons;
    if (!p->remote && p->count <= KEY_LIMIT) {
        do {
            mouse_packet(p);
        } while ((p->dx || p->dy || p->dz) && p->count <= KEY_LIMIT);
        p->ready(p->opaque);
    }
}

static void keyboard_defaults(Ps2 *p)
{
    p->scan_set = 2;
    p->rate = 0x2b;
    p->enabled = true;
}

static void mouse_defaults(Ps2 *p)
{
    p->resolution = 2;
    p->sample_rate = 100;
    p->scale21 = p->remote = p->wrap = 0;
    p->enabled = false;
}

void ps2_reset(Ps2 *p)
{
    ps2_flush(p);
    p->head = 0;
    memset(p->queue, 0, sizeof(p->queue));
    p->command = 0;
    p->leds = 0;
    p->id = p->magic = 0;
    p->dx = p->dy = p->dz = 0;
    p->buttons = 0;
    if (p->mouse) {
        mouse_defaults(p);
    } else {
        keyboard_defaults(p);
    }
}

static void keyboard_argument(Ps2 *p, uint8_t v)
{
    uint8_t command = p->command;

    p->command = 0;
    ps2_push(p, ACK);
    if (command == KBD_LEDS) {
        p->leds = v & 7;
    } else if (command == KBD_RATE) {
        p->rate = v;
    } else if (v == 0) {
        ps2_push(p, p->scan_set);
    } else if (v <= 3) {
        p->scan_set = v;
    }
}

static void keyboard_command(Ps2 *p, uint8_t v)
{
    switch (v) {
    case KBD_LEDS:
    case KBD_RATE:
    case KBD_SCAN_SET:
        p->command = v;
        ps2_push(p, ACK);
        break;
    case KBD_ECHO:
        ps2_push(p, KBD_ECHO);
        break;
    case KBD_ID:
        ps2_push(p, ACK);
        ps2_push(p, 0xab);
        ps2_push(p, 0x83);
        break;
    case KBD_ENABLE:
        p->enabled = true;
        ps2_push(p, ACK);
        break;
    case KBD_DISABLE:
    case KBD_DEFAULTS:
        keyboard_defaults(p);
        p->enabled = v == KBD_DEFAULTS;
        ps2_flush(p);
        ps2_push(p, ACK);
        break;
    case KBD_RESET:
        ps2_reset(p);
        ps2_push(p, ACK);
        ps2_push(p, SELF_TEST_OK);
        break;
    default:
        ps2_push(p, RESEND);
        break;
    }
}

/* The sample-rate knocks of the IntelliMouse extension: 200,100,80 and 200,200,80. */
static void mouse_knock(Ps2 *p, uint8_t rate)
{
    if (rate == 200) {
        p->magic = p->magic == 1 ? 2 : 1;
    } else if (rate == 100 && p->magic == 1) {
        p->magic = 3;
    } else if (rate == 80 && p->magic == 3) {
        p->id = 3;
        p->magic = 0;
    } else if (rate == 80 && p->magic == 2) {
        p->id = 4;
        p->magic = 0;
    } else {
        p->magic = 0;
    }
}

static void mouse_argument(Ps2 *p, uint8_t v)
{
    if (p->command == MOUSE_SAMPLE) {
        p->sample_rate = v;
        mouse_knock(p, v);
    } else {
        p->resolution = v & 3;
    }
    p->command = 0;
    ps2_push(p, ACK);
}

static void mouse_status(Ps2 *p)
{
    uint8_t b = p->buttons;

    ps2_push(p, p->remote << 6 | p->enabled << 5 | p->scale21 << 4 | (b & 1) << 2 | (b & 4) >> 1 |
                    (b & 2) >> 1);
    ps2_push(p, p->resolution);
    ps2_push(p, p->sample_rate);
}

static void mouse_command(Ps2 *p, uint8_t v)
{
    if (p->wrap && v != MOUSE_RESET && v != MOUSE_UNWRAP) {
        ps2_push(p, v);
        return;
    }
    ps2_push(p, ACK);
    switch (v) {
    case MOUSE_SCALE11:
    case MOUSE_SCALE21:
        p->scale21 = v == MOUSE_SCALE21;
        break;
    case MOUSE_RESOLUTION:
    case MOUSE_SAMPLE:
        p->command = v;
        break;
    case MOUSE_STATUS:
        mouse_status(p);
        break;
    case MOUSE_STREAM:
    case MOUSE_REMOTE:
        p->remote = v == MOUSE_REMOTE;
        break;
    case MOUSE_WRAP:
    case MOUSE_UNWRAP:
        p->wrap = v == MOUSE_WRAP;
        break;
    case MOUSE_POLL:
        mouse_packet(p);
        break;
    case MOUSE_ID:
        ps2_push(p, p->id);
        break;
    case MOUSE_ENABLE:
    case MOUSE_DISABLE:
        p->enabled = v == MOUSE_ENABLE;
        break;
    case MOUSE_DEFAULTS:
        mouse_defaults(p);
        break;
    case MOUSE_RESET:
        ps2_reset(p);
        ps2_push(p, ACK);
        ps2_push(p, SELF_TEST_OK);
        ps2_push(p, 0);
        break;
    default:
        p->queue[(p->head + p->count - 1) % PS2_QUEUE] = RESEND;
        break;
    }
}

void ps2_write(Ps2 *p, uint8_t v)
{
    /* What was not read before a command is gone: the answer must come first. */
    if (p->count > KEY_LIMIT) {
        ps2_flush(p);
    }
    if (p->command && v < 0xe0) {
        if (p->mouse) {
            mouse_argument(p, v);
        } else {
            keyboard_argument(p, v);
        }
    } else {
        p->command = 0;
        if (p->mouse) {
            mouse_command(p, v);
        } else {
            keyboard_command(p, v);
        }
    }
    p->ready(p->opaque);
}

void ps2_init(Ps2 *p, bool mouse, void (*ready)(void *opaque), void *opaque)
{
    p->mouse = mouse;
    p->ready = ready;
    p->opaque = opaque;
    ps2_reset(p);
}

const StateField ps2_state[] = {
    HOST_ONLY(Ps2, mouse, "constant"),
    STATE_RAW(Ps2, queue),
    STATE_INDEX(Ps2, head, queue),
    STATE_COUNT(Ps2, count, queue),
    STATE(Ps2, command),
    STATE(Ps2, enabled),
    STATE(Ps2, scan_set),
    STATE(Ps2, leds),
    STATE(Ps2, rate),
    STATE(Ps2, resolution),
    STATE(Ps2, sample_rate),
    STATE(Ps2, scale21),
    STATE(Ps2, remote),
    STATE(Ps2, wrap),
    STATE(Ps2, id),
    STATE(Ps2, magic),
    STATE(Ps2, buttons),
    STATE(Ps2, dx),
    STATE(Ps2, dy),
    STATE(Ps2, dz),
    HOST_ONLY(Ps2, ready, "set at realize"),
    HOST_ONLY(Ps2, opaque, "set at realize"),
    STATE_END,
};
