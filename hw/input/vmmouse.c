// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The absolute pointer of VMware's machines: three commands of the back door set it up and read a
 * queue of words, of which four are an event; an interrupt of the PS/2 mouse says that there are
 * some (as the driver vmmouse of X.org and Linux expects).
 */
#include "hw/i386/vmport.h"
#include "hw/input/ps2.h"
#include "hw/isa/isa.h"
#include "ui/input.h"

#define VMMOUSE_VERSION 0x3442554au
#define VMMOUSE_WORDS 256
#define VMMOUSE_EVENT_WORDS 4
#define VMMOUSE_ERROR 0xffff
#define VMMOUSE_RELATIVE_EVENT 0x00010000u
enum {
    CMD_DATA = 39,
    CMD_STATUS = 40,
    CMD_COMMAND = 41
};
enum {
    ASK_ID = 0x45414552,
    ASK_DISABLE = 0x000000f5,
    ASK_RELATIVE = 0x4c455252,
    ASK_ABSOLUTE = 0x53424152,
};
enum {
    BUTTON_LEFT = 0x20,
    BUTTON_RIGHT = 0x10,
    BUTTON_MIDDLE = 0x08
};
typedef enum VmmouseMode {
    MODE_OFF,
    MODE_RELATIVE,
    MODE_ABSOLUTE
} VmmouseMode;

typedef struct Vmmouse {
    Device dev;
    Device *i8042;
    uint32_t queue[VMMOUSE_WORDS];
    uint16_t head, count, status;
    uint8_t mode; /* VmmouseMode */
    InputHandler *handler;
} Vmmouse;

static void vmmouse_push(Vmmouse *s, uint32_t word)
{
    s->queue[(s->head + s->count) % VMMOUSE_WORDS] = word;
    s->count++;
}

static uint32_t vmmouse_pop(Vmmouse *s)
{
    uint32_t word = s->queue[s->head];

    s->head = (s->head + 1) % VMMOUSE_WORDS;
    s->count--;
    return word;
}

/* Events that find no room are lost; what came last before is still right about the buttons. */
static void vmmouse_event(Vmmouse *s, uint32_t flags, uint32_t x, uint32_t y, int dz, unsigned mask)
{
    uint32_t buttons = (mask & INPUT_LEFT ? BUTTON_LEFT : 0) |
                       (mask & INPUT_RIGHT ? BUTTON_RIGHT : 0) |
                       (mask & INPUT_MIDDLE ? BUTTON_MIDDLE : 0);

    if (s->count <= VMMOUSE_WORDS - VMMOUSE_EVENT_WORDS) {
        vmmouse_push(s, flags | buttons);
        vmmouse_push(s, x);
        vmmouse_push(s, y);
        vmmouse_push(s, (uint32_t)-dz);
    }
    i8042_mouse_nudge(s->i8042);
}

static void vmmouse_position(void *opaque, int x, int y, int dz, unsigned buttons)
{
    vmmouse_event(opaque, 0, (uint32_t)x << 1, (uint32_t)y << 1, dz, buttons);
}

static void vmmouse_motion(void *opaque, int dx, int dy, int dz, unsigned buttons)
{
    vmmouse_event(opaque, VMMOUSE_RELATIVE_EVENT, (uint32_t)dx, (uint32_t)-dy, dz, buttons);
}

static const InputOps absolute_ops = {.name = "vmmouse", .position = vmmouse_position};
static const InputOps relative_ops = {.name = "vmmouse", .motion = vmmouse_motion};

static void vmmouse_set_mode(Vmmouse *s, VmmouseMode mode)
{
    if (s->handler) {
        input_handler_remove(s->handler);
        s->handler = NULL;
    }
    s->mode = mode;
    if (mode != MODE_OFF) {
        s->handler = input_handler_add(mode == MODE_ABSOLUTE ? &absolute_ops : &relative_ops, s);
        input_handler_activate(s->handler, true);
    }
}

static void vmmouse_clear(Vmmouse *s)
{
    memset(s->queue, 0, sizeof(s->queue));
    s->head = s->count = 0;
}

static void vmmouse_command(void *opaque, VmportRegs *r)
{
    Vmmouse *s = opaque;

    switch (r->ebx) {
    case ASK_ID:
        vmmouse_clear(s);
        vmmouse_push(s, VMMOUSE_VERSION);
        s->status = 0;
        break;
    case ASK_DISABLE:
        vmmouse_set_mode(s, MODE_OFF);
        s->status = VMMOUSE_ERROR;
        break;
    case ASK_RELATIVE:
        vmmouse_set_mode(s, MODE_RELATIVE);
        break;
    case ASK_ABSOLUTE:
        vmmouse_set_mode(s, MODE_ABSOLUTE);
        break;
    default:
        guest_error("vmmouse: unknown command 0x%x", r->ebx);
        break;
    }
}

static void vmmouse_status(void *opaque, VmportRegs *r)
{
    Vmmouse *s = opaque;

    r->eax = (uint32_t)s->status << 16 | s->count;
}

static void vmmouse_data(void *opaque, VmportRegs *r)
{
    Vmmouse *s = opaque;
    uint32_t *out[] = {&r->eax, &r->ebx, &r->ecx, &r->edx, &r->esi, &r->edi};
    uint32_t n = r->ebx;

    if (n == 0 || n > ARRAY_COUNT(out) || n > s->count) {
        guest_error("vmmouse: asked for %u words of %u", n, s->count);
        s->status = VMMOUSE_ERROR;
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        *out[i] = vmmouse_pop(s);
    }
}

static bool vmmouse_realize(Device *d, GError **error)
{
    Vmmouse *s = (Vmmouse *)d;

    if (!s->i8042 || !vmport_present(d->vm)) {
        return fail(error, "vmmouse needs a vmport and a PS/2 mouse");
    }
    vmport_register(d->vm, CMD_DATA, vmmouse_data, s);
    vmport_register(d->vm, CMD_STATUS, vmmouse_status, s);
    vmport_register(d->vm, CMD_COMMAND, vmmouse_command, s);
    return true;
}

static void vmmouse_unrealize(Device *d)
{
    vmmouse_set_mode((Vmmouse *)d, MODE_OFF);
}

static void vmmouse_reset(Device *d)
{
    Vmmouse *s = (Vmmouse *)d;

    vmmouse_set_mode(s, MODE_OFF);
    vmmouse_clear(s);
    s->status = VMMOUSE_ERROR;
}

static void vmmouse_post_load(Device *d)
{
    Vmmouse *s = (Vmmouse *)d;

    s->head %= VMMOUSE_WORDS;
    s->count = MIN(s->count, VMMOUSE_WORDS);
    vmmouse_set_mode(s, s->mode > MODE_ABSOLUTE ? MODE_OFF : (VmmouseMode)s->mode);
}

static const Prop vmmouse_props[] = {
    PROP_LINK(Vmmouse, i8042, "i8042", "i8042", .help = "the mouse whose interrupt is used"),
    PROP_END,
};

static const StateField vmmouse_state[] = {
    STATE_ARRAY(Vmmouse, queue),
    STATE_INDEX(Vmmouse, head, queue),
    STATE_COUNT(Vmmouse, count, queue),
    STATE(Vmmouse, status),
    STATE(Vmmouse, mode),
    HOST_ONLY(Vmmouse, handler, "follows mode"),
    STATE_END,
};

static const DeviceType vmmouse_type = {
    .name = "vmmouse",
    .bus = "ISA",
    .category = "input",
    .desc = "VMware's absolute pointer",
    .internal = true,
    .size = sizeof(Vmmouse),
    .state_version = 1,
    .props = vmmouse_props,
    .state = vmmouse_state,
    .realize = vmmouse_realize,
    .unrealize = vmmouse_unrealize,
    .reset = vmmouse_reset,
    .post_load = vmmouse_post_load,
};
DEVICE_TYPE(vmmouse_type);
