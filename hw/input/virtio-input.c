// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio input devices (Virtual I/O Device 1.1, 5.8): keyboard, mouse and tablet in the terms of
 * Linux's input layer. Left out: several touch
 * points.
 */
#include <string.h>

#include "hw/virtio/virtio.h"
#include "ui/input.h"
#include "util/bswap.h"

#define QUEUE 64
#define HELD_MAX 128u
#define EVENT_LEN 8u

enum {
    CFG_UNSET,
    CFG_ID_NAME,
    CFG_ID_SERIAL,
    CFG_ID_DEVIDS,
    CFG_PROP_BITS = 0x10,
    CFG_EV_BITS,
    CFG_ABS_INFO
};
/* Linux's input event codes, which the specification takes over. */
enum { EV_SYN, EV_KEY, EV_REL, EV_ABS, EV_LED = 0x11, EV_REP = 0x14 };
enum {
    REL_X,
    REL_Y,
    REL_WHEEL = 8,
    ABS_X = 0,
    ABS_Y,
    BTN_LEFT = 0x110,
    BTN_RIGHT,
    BTN_MIDDLE,
    BTN_SIDE,
    BTN_EXTRA
};
enum { BUS_VIRTUAL = 6 };
#define POSITION_MAX 0x7fff

typedef struct VirtioInput {
    VirtioDevice v;
    char *serial;
    uint8_t select, subsel;
    unsigned buttons;
    uint8_t held[HELD_MAX][EVENT_LEN];   /* events of a report that is not complete */
    unsigned num_held;
    InputHandler *input;
    bool wheel;
    char *display;               /* of the same kind as USB devices have */
    uint32_t head;
} VirtioInput;


/* E0 keys of set 1 -> Linux key code; others are their own code. */
static const uint8_t e0_keys[128] = {
    [0x1c] = 96, [0x1d] = 97, [0x35] = 98, [0x37] = 99, [0x38] = 100, [0x47] = 102, [0x48] = 103, [0x49] = 104,
    [0x4b] = 105, [0x4d] = 106, [0x4f] = 107, [0x50] = 108, [0x51] = 109, [0x52] = 110, [0x53] = 111, [0x5b] = 125,
    [0x5c] = 126, [0x5d] = 127, [0x5e] = 116, [0x5f] = 142, [0x20] = 113, [0x2e] = 114, [0x30] = 115,
};

static bool is_type(const VirtioInput *s, const char *name)
{
    return strcmp(s->v.type->name, name) == 0;
}

/* ---- events, 5.8.6 ---- */

static void hold(VirtioInput *s, uint16_t type, uint16_t code, uint32_t value)
{
    if (s->num_held < HELD_MAX) {
        uint8_t *e = s->held[s->num_held++];

        store_le16(e, type);
        store_le16(e + 2, code);
        store_le32(e + 4, value);
    }
}

/* Sends the report if the driver has room for all of it; else it is lost, as a whole. */
static void sync_events(VirtioInput *s)
{
    VirtioDevice *v = &s->v;
    VirtqElem *elems[HELD_MAX];
    unsigned n = 0;

    hold(s, EV_SYN, 0, 0);
    if (v->status & VIRTIO_STATUS_DRIVER_OK) {
        while (n < s->num_held && (elems[n] = virtq_pop(v, &v->vq[0])) != NULL) {
            n++;
        }
        if (n < s->num_held) {
            while (n) {
                virtq_unpop(v, elems[--n]);
                g_free(elems[n]);
            }
        }
        for (unsigned i = 0; i < n; i++) {
            virtq_push(v, elems[i], virtq_write(v, elems[i], 0, s->held[i], EVENT_LEN));
            g_free(elems[i]);
        }
        if (n) {
            virtq_notify(v, &v->vq[0]);
        }
    }
    s->num_held = 0;
}

static void input_on_key(void *opaque, unsigned key, bool down)
{
    VirtioInput *s = opaque;
    unsigned code = key & 0x80 ? e0_keys[key & 0x7f] : key;

    if (code) {
        hold(s, EV_KEY, code, down);
        sync_events(s);
    }
}

static void hold_buttons(VirtioInput *s, unsigned buttons)
{
    static const uint16_t codes[] = { BTN_LEFT, BTN_RIGHT, BTN_MIDDLE };

    for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++) {
        if ((buttons ^ s->buttons) >> i & 1) {
            hold(s, EV_KEY, codes[i], buttons >> i & 1);
        }
    }
    s->buttons = buttons;
}

static void input_on_motion(void *opaque, int dx, int dy, int dz, unsigned buttons)
{
    VirtioInput *s = opaque;

    hold_buttons(s, buttons);
    if (dx) {
        hold(s, EV_REL, REL_X, dx);
    }
    if (dy) {
        hold(s, EV_REL, REL_Y, dy);
    }
    if (dz && s->wheel) {
        hold(s, EV_REL, REL_WHEEL, -dz);
    }
    sync_events(s);
}

static void input_on_position(void *opaque, int x, int y, int dz, unsigned buttons)
{
    VirtioInput *s = opaque;

    hold_buttons(s, buttons);
    hold(s, EV_ABS, ABS_X, x);
    hold(s, EV_ABS, ABS_Y, y);
    if (dz && s->wheel) {
        hold(s, EV_REL, REL_WHEEL, -dz);
    }
    sync_events(s);
}

/* ---- configuration, 5.8.4 ---- */

static void set_bit_in(uint8_t *c, unsigned bit)
{
    c[8 + bit / 8] |= 1 << (bit & 7);
    c[2] = MAX(c[2], bit / 8 + 1);
}

static void event_bits(VirtioInput *s, uint8_t *c, unsigned type)
{
    bool keyboard = is_type(s, "virtio-keyboard"), tablet = is_type(s, "virtio-tablet");

    if (type == EV_KEY && keyboard) {
        for (unsigned i = 1; i < 0x59; i++) {
            set_bit_in(c, i);
        }
        for (unsigned i = 0; i < sizeof(e0_keys); i++) {
            if (e0_keys[i]) {
                set_bit_in(c, e0_keys[i]);
            }
        }
    } else if (type == EV_KEY) {
        for (unsigned i = BTN_LEFT; i <= BTN_EXTRA; i++) {
            set_bit_in(c, i);
        }
    } else if (type == EV_REL && !keyboard) {
        if (!tablet) {
            set_bit_in(c, REL_X);
            set_bit_in(c, REL_Y);
        }
        if (s->wheel) {
            set_bit_in(c, REL_WHEEL);
        }
    } else if (type == EV_ABS && tablet) {
        set_bit_in(c, ABS_X);
        set_bit_in(c, ABS_Y);
    } else if (type == EV_LED && keyboard) {
        for (unsigned i = 0; i < 3; i++) {
            set_bit_in(c, i);
        }
    } else if (type == EV_REP && keyboard) {
        c[2] = 1;
    }
}

static void input_config_read(VirtioDevice *v)
{
    VirtioInput *s = (VirtioInput *)v;
    uint8_t *c = v->config;
    const char *text = NULL;

    memset(c, 0, 136);
    c[0] = s->select;
    c[1] = s->subsel;
    switch (s->select) {
    case CFG_ID_NAME:
        text = is_type(s, "virtio-keyboard") ? "QEMU Virtio Keyboard"
               : is_type(s, "virtio-mouse")  ? "QEMU Virtio Mouse"
                                             : "QEMU Virtio Tablet";
        break;
    case CFG_ID_SERIAL:
        text = s->serial;
        break;
    case CFG_ID_DEVIDS:
        c[2] = 8;
        store_le16(c + 8, BUS_VIRTUAL);
        store_le16(c + 10, 0x0627);
        store_le16(c + 12, is_type(s, "virtio-keyboard") ? 1 : is_type(s, "virtio-mouse") ? 2 : 3);
        store_le16(c + 14, 2);
        break;
    case CFG_EV_BITS:
        event_bits(s, c, s->subsel);
        break;
    case CFG_ABS_INFO:
        if (is_type(s, "virtio-tablet") && s->subsel <= ABS_Y) {
            c[2] = 20;
            store_le32(c + 12, POSITION_MAX);
        }
        break;
    }
    if (text) {
        c[2] = MIN(strlen(text), 128u);
        memcpy(c + 8, text, c[2]);
    }
}

static void input_config_write(VirtioDevice *v, uint32_t off, uint32_t len)
{
    VirtioInput *s = (VirtioInput *)v;

    if (off < 2) {
        s->select = v->config[0];
        s->subsel = v->config[1];
    }
}

/* ---- the device ---- */

static void input_notify(VirtioDevice *v, unsigned n)
{
    VirtqElem *e;

    if (n == 0) {
        input_handler_activate(((VirtioInput *)v)->input, true);    /* room for events */
    }
    while (n == 1 && (e = virtq_pop(v, &v->vq[1])) != NULL) {
        virtq_push(v, e, 0);             /* LEDs are not shown anywhere */
        virtq_notify(v, e->vq);
        g_free(e);
    }
}

static const InputOps keyboard_ops = { .name = "QEMU Virtio Keyboard", .key = input_on_key };
static const InputOps mouse_ops = { .name = "QEMU Virtio Mouse", .motion = input_on_motion };
static const InputOps tablet_ops = { .name = "QEMU Virtio Tablet", .position = input_on_position };

static bool input_realize(VirtioDevice *v, GError **error)
{
    VirtioInput *s = (VirtioInput *)v;

    virtio_add_queue(v, QUEUE);
    virtio_add_queue(v, QUEUE);
    s->input = input_handler_add(is_type(s, "virtio-keyboard") ? &keyboard_ops
                                 : is_type(s, "virtio-mouse")  ? &mouse_ops
                                                               : &tablet_ops, s);
    return true;
}

static void input_unrealize(VirtioDevice *v)
{
    input_handler_remove(((VirtioInput *)v)->input);
}

static void input_reset(VirtioDevice *v)
{
    VirtioInput *s = (VirtioInput *)v;

    s->select = s->subsel = 0;
    s->num_held = 0;
    input_handler_activate(s->input, false);
}

#define INPUT_PROPS                                       \
    PROP_STRING(VirtioInput, serial, "serial"),           \
        PROP_STRING(VirtioInput, display, "display"),     \
        PROP_U32(VirtioInput, head, "head", 0)

static const Prop keyboard_props[] = {INPUT_PROPS, PROP_END};
static const Prop pointer_props[] = {
    INPUT_PROPS,
    PROP_BOOL(VirtioInput, wheel, "wheel-axis", true),
    PROP_END,
};

static const StateField input_state[] = {
    STATE(VirtioInput, select), STATE(VirtioInput, subsel), STATE(VirtioInput, buttons),
    HOST_ONLY(VirtioInput, held, "empty between reports"), HOST_ONLY(VirtioInput, num_held, "likewise"),
    HOST_ONLY(VirtioInput, input, "host side"),
    HOST_ONLY(VirtioInput, wheel, "property of pointing devices"), STATE_END,
};

#define INPUT_TYPE(id_, name_, desc_, class_, props_) \
    static const VirtioType id_ = {           \
        .name = name_,                        \
        .desc = desc_,                        \
        .category = "input",                  \
        .id = 18,                             \
        .pci_class = class_,                  \
        .size = sizeof(VirtioInput),          \
        .config_size = 136,                   \
        .vectors = 2,                         \
        .props = props_,                      \
        .state = input_state,                 \
        .realize = input_realize,             \
        .unrealize = input_unrealize,         \
        .reset = input_reset,                 \
        .config_read = input_config_read,     \
        .config_write = input_config_write,   \
        .notify = input_notify,               \
    };                                        \
    VIRTIO_TYPE(id_);
INPUT_TYPE(keyboard_type, "virtio-keyboard", "Keyboard", 0x090000, keyboard_props)
INPUT_TYPE(mouse_type, "virtio-mouse", "Mouse", 0x090200, pointer_props)
INPUT_TYPE(tablet_type, "virtio-tablet", "Tablet", 0x098000, pointer_props)
