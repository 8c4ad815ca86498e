// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USB keyboard, mouse and tablet (Device Class Definition for HID 1.11, with boot protocol for
 * keyboard and mouse). Events wait in a queue until the host polls the interrupt endpoint.
 */
#include <string.h>

#include "hid.h"
#include "hw/usb/usb.h"
#include "ui/input.h"
#include "util/bswap.h"
#include "util/timer.h"

#define QUEUE 16u
#define MAX_KEYS 32u
#define REPORT_MAX 8u
#define NS_PER_IDLE 4000000ll /* unit of SET_IDLE */


typedef enum HidKind {
    HID_KEYBOARD,
    HID_MOUSE,
    HID_TABLET
} HidKind;

typedef struct HidEvent {
    int32_t x, y, dz; /* motion, or position */
    uint8_t buttons;
    uint8_t usage; /* keyboard: which key */
    bool down;
} HidEvent;

typedef struct UsbHid {
    UsbDevice usb;
    char *display;
    uint32_t head_index;
    /* state */
    HidEvent queue[QUEUE];
    uint8_t head, count;
    uint8_t keys[MAX_KEYS], num_keys, modifiers, leds;
    uint8_t report[REPORT_MAX]; /* the last one */
    uint8_t idle, protocol;
    uint32_t last_buttons;
    int32_t last_x, last_y;
    int64_t last_report_ns;
    Timer idle_timer;
    /* host side */
    InputHandler *input;
} UsbHid;

/* ---- tables ---- */

/* Set-1 scan code -> usage of the keyboard page (HUT 1.12, chapter 10); E0 keys from 80h on. */
static const uint8_t usages[256] = {
    [0x01] = 0x29, [0x02] = 0x1e, [0x03] = 0x1f, [0x04] = 0x20, [0x05] = 0x21, [0x06] = 0x22,
    [0x07] = 0x23, [0x08] = 0x24, [0x09] = 0x25, [0x0a] = 0x26, [0x0b] = 0x27, [0x0c] = 0x2d,
    [0x0d] = 0x2e, [0x0e] = 0x2a, [0x0f] = 0x2b, [0x10] = 0x14, [0x11] = 0x1a, [0x12] = 0x08,
    [0x13] = 0x15, [0x14] = 0x17, [0x15] = 0x1c, [0x16] = 0x18, [0x17] = 0x0c, [0x18] = 0x12,
    [0x19] = 0x13, [0x1a] = 0x2f, [0x1b] = 0x30, [0x1c] = 0x28, [0x1d] = 0xe0, [0x1e] = 0x04,
    [0x1f] = 0x16, [0x20] = 0x07, [0x21] = 0x09, [0x22] = 0x0a, [0x23] = 0x0b, [0x24] = 0x0d,
    [0x25] = 0x0e, [0x26] = 0x0f, [0x27] = 0x33, [0x28] = 0x34, [0x29] = 0x35, [0x2a] = 0xe1,
    [0x2b] = 0x31, [0x2c] = 0x1d, [0x2d] = 0x1b, [0x2e] = 0x06, [0x2f] = 0x19, [0x30] = 0x05,
    [0x31] = 0x11, [0x32] = 0x10, [0x33] = 0x36, [0x34] = 0x37, [0x35] = 0x38, [0x36] = 0xe5,
    [0x37] = 0x55, [0x38] = 0xe2, [0x39] = 0x2c, [0x3a] = 0x39, [0x3b] = 0x3a, [0x3c] = 0x3b,
    [0x3d] = 0x3c, [0x3e] = 0x3d, [0x3f] = 0x3e, [0x40] = 0x3f, [0x41] = 0x40, [0x42] = 0x41,
    [0x43] = 0x42, [0x44] = 0x43, [0x45] = 0x53, [0x46] = 0x47, [0x47] = 0x5f, [0x48] = 0x60,
    [0x49] = 0x61, [0x4a] = 0x56, [0x4b] = 0x5c, [0x4c] = 0x5d, [0x4d] = 0x5e, [0x4e] = 0x57,
    [0x4f] = 0x59, [0x50] = 0x5a, [0x51] = 0x5b, [0x52] = 0x62, [0x53] = 0x63, [0x54] = 0x46,
    [0x56] = 0x64, [0x57] = 0x44, [0x58] = 0x45, [0x70] = 0x88, [0x73] = 0x87, [0x79] = 0x8a,
    [0x7b] = 0x8b, [0x7d] = 0x89, [0x9c] = 0x58, [0x9d] = 0xe4, [0xb5] = 0x54, [0xb7] = 0x46,
    [0xb8] = 0xe6, [0xc6] = 0x48, [0xc7] = 0x4a, [0xc8] = 0x52, [0xc9] = 0x4b, [0xcb] = 0x50,
    [0xcd] = 0x4f, [0xcf] = 0x4d, [0xd0] = 0x51, [0xd1] = 0x4e, [0xd2] = 0x49, [0xd3] = 0x4c,
    [0xdb] = 0xe3, [0xdc] = 0xe7, [0xdd] = 0x65, [0xde] = 0x66,
};

static const uint8_t keyboard_report[] = {
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, /* desktop, keyboard, application */
    0x75, 0x01, 0x95, 0x08, 0x05, 0x07, 0x19, 0xe0, 0x29,
    0xe7, 0x15, 0x00, 0x25, 0x01, 0x81, 0x02, /* modifiers */
    0x95, 0x01, 0x75, 0x08, 0x81, 0x01, /* reserved */
    0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29,
    0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01, /* LEDs */
    0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0xff, 0x05,
    0x07, 0x19, 0x00, 0x29, 0xff, 0x81, 0x00, /* keys */
    0xc0,
};

static const uint8_t mouse_report[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00, 0x05, 0x09, 0x19,
    0x01, 0x29, 0x05, 0x15, 0x00, 0x25, 0x01, 0x95, 0x05, 0x75, 0x01, 0x81, 0x02, /* buttons */
    0x95, 0x01, 0x75, 0x03, 0x81, 0x01, 0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09,
    0x38, 0x15, 0x81, 0x25, 0x7f, 0x75, 0x08, 0x95, 0x03, 0x81, 0x06, 0xc0, 0xc0,
};

static const uint8_t tablet_report[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00, 0x05, 0x09, 0x19, 0x01,
    0x29, 0x05, 0x15, 0x00, 0x25, 0x01, 0x95, 0x05, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01,
    0x75, 0x03, 0x81, 0x01, 0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x15, 0x00, 0x26, 0xff,
    0x7f, 0x35, 0x00, 0x46, 0xff, 0x7f, 0x75, 0x10, 0x95, 0x02, 0x81, 0x02, /* position */
    0x05, 0x01, 0x09, 0x38, 0x15, 0x81, 0x25, 0x7f, 0x35, 0x00, 0x45, 0x00, 0x75, 0x08,
    0x95, 0x01, 0x81, 0x06, /* wheel */
    0xc0, 0xc0,
};

typedef struct HidShape {
    const uint8_t *descriptor;
    uint16_t descriptor_len;
    uint8_t report_len;
    const uint8_t *class_descriptor;
} HidShape;

#define HID_CLASS(report)                                                                  \
    {                                                                                      \
        9, DT_HID, 0x11, 0x01, 0, 1, DT_REPORT, sizeof(report) & 0xff, sizeof(report) >> 8 \
    }
static const uint8_t keyboard_class[] = HID_CLASS(keyboard_report),
                     mouse_class[] = HID_CLASS(mouse_report),
                     tablet_class[] = HID_CLASS(tablet_report);

static const HidShape shapes[] = {
    [HID_KEYBOARD] = {keyboard_report, sizeof(keyboard_report), 8, keyboard_class},
    [HID_MOUSE] = {mouse_report, sizeof(mouse_report), 4, mouse_class},
    [HID_TABLET] = {tablet_report, sizeof(tablet_report), 6, tablet_class},
};

static HidKind kind_of(const UsbHid *h)
{
    const char *name = h->usb.dev.obj.type->name;

    return strcmp(name, "usb-kbd") == 0     ? HID_KEYBOARD
           : strcmp(name, "usb-mouse") == 0 ? HID_MOUSE
                                            : HID_TABLET;
}

/* ---- events of the display ---- */

static HidEvent *newest(UsbHid *h)
{
    return h->count ? &h->queue[(h->head + h->count - 1) % QUEUE] : NULL;
}

static void push(UsbHid *h, const HidEvent *e)
{
    if (h->count < QUEUE) {
        h->queue[(h->head + h->count++) % QUEUE] = *e;
    }
    usb_wakeup(&h->usb, 0x81);
}

static void hid_key(void *opaque, unsigned key, bool down)
{
    uint8_t usage = usages[key & 0xff];

    if (usage) {
        push(opaque, &(HidEvent){.usage = usage, .down = down});
    }
}

static void hid_motion(void *opaque, int dx, int dy, int dz, unsigned buttons)
{
    UsbHid *h = opaque;
    HidEvent *e = newest(h);

    if (e && e->buttons == buttons) {
        e->x = CLAMP(e->x + dx, -100000, 100000);
        e->y = CLAMP(e->y + dy, -100000, 100000);
        e->dz = CLAMP(e->dz + dz, -1000, 1000);
        usb_wakeup(&h->usb, 0x81);
        return;
    }
    push(h, &(HidEvent){.x = dx, .y = dy, .dz = dz, .buttons = buttons});
}

static void hid_position(void *opaque, int x, int y, int dz, unsigned buttons)
{
    UsbHid *h = opaque;
    HidEvent *e = newest(h);

    if (e && e->buttons == buttons && h->count > 1) {
        e->x = x;
        e->y = y;
        e->dz = CLAMP(e->dz + dz, -1000, 1000);
        usb_wakeup(&h->usb, 0x81);
        return;
    }
    push(h, &(HidEvent){.x = x, .y = y, .dz = dz, .buttons = buttons});
}

static const InputOps keyboard_input = {.name = "QEMU HID Keyboard", .key = hid_key};
static const InputOps mouse_input = {.name = "QEMU HID Mouse", .motion = hid_motion};
static const InputOps tablet_input = {.name = "QEMU HID Tablet", .position = hid_position};

/* ---- reports ---- */

static void pop(UsbHid *h)
{
    h->head = (h->head + 1) % QUEUE;
    h->count--;
}

static void key_changed(UsbHid *h, uint8_t usage, bool down)
{
    uint8_t *at;

    if (usage >= 0xe0 && usage <= 0xe7) {
        uint8_t bit = 1 << (usage - 0xe0);

        h->modifiers = down ? h->modifiers | bit : h->modifiers & ~bit;
        return;
    }
    at = memchr(h->keys, usage, h->num_keys);
    if (down && !at && h->num_keys < MAX_KEYS) {
        h->keys[h->num_keys++] = usage;
    } else if (!down && at) {
        *at = h->keys[--h->num_keys];
    }
}

static void keyboard_fill(UsbHid *h, uint8_t *r)
{
    if (h->count) {
        key_changed(h, h->queue[h->head].usage, h->queue[h->head].down);
        pop(h);
    }
    r[0] = h->modifiers;
    r[1] = 0;
    if (h->num_keys > 6) {
        memset(r + 2, 1, 6); /* roll over */
    } else {
        memset(r + 2, 0, 6);
        memcpy(r + 2, h->keys, h->num_keys);
    }
}

/* Takes what fits into a signed byte from *v. */
static int8_t step(int32_t *v)
{
    int32_t n = CLAMP(*v, -127, 127);

    *v -= n;
    return n;
}

static void mouse_fill(UsbHid *h, uint8_t *r)
{
    HidEvent *e = &h->queue[h->head];

    r[0] = h->last_buttons;
    r[1] = r[2] = r[3] = 0;
    if (!h->count) {
        return;
    }
    h->last_buttons = e->buttons;
    r[0] = e->buttons;
    r[1] = step(&e->x);
    r[2] = step(&e->y);
    r[3] = -step(&e->dz);
    if (!e->x && !e->y && !e->dz) {
        pop(h);
    }
}

static void tablet_fill(UsbHid *h, uint8_t *r)
{
    HidEvent *e = &h->queue[h->head];
    int8_t dz = 0;

    if (h->count) {
        h->last_x = e->x;
        h->last_y = e->y;
        h->last_buttons = e->buttons;
        dz = step(&e->dz);
        if (!e->dz) {
            pop(h);
        }
    }
    r[0] = h->last_buttons;
    store_le16(r + 1, h->last_x);
    store_le16(r + 3, h->last_y);
    r[5] = -dz;
}

static unsigned fill_report(UsbHid *h, uint8_t *r)
{
    HidKind kind = kind_of(h);

    if (kind == HID_KEYBOARD) {
        keyboard_fill(h, r);
    } else if (kind == HID_MOUSE) {
        mouse_fill(h, r);
    } else {
        tablet_fill(h, r);
    }
    return shapes[kind].report_len;
}

static bool idle_over(const UsbHid *h)
{
    return h->idle && clock_now_ns(CLOCK_GUEST) >= h->last_report_ns + h->idle * NS_PER_IDLE;
}

static void idle_due(void *opaque)
{
    usb_wakeup(&((UsbHid *)opaque)->usb, 0x81);
}

static void hid_data(UsbDevice *d, UsbPacket *p)
{
    UsbHid *h = (UsbHid *)d;

    if (p->pid != USB_IN) {
        usb_packet_stall(p);
        return;
    }
    input_handler_activate(h->input, true);
    if (!h->count && !idle_over(h)) {
        p->status = USB_NAK;
        return;
    }
    unsigned n = fill_report(h, h->report);

    h->last_report_ns = clock_now_ns(CLOCK_GUEST);
    if (h->idle) {
        timer_set_ns(&h->idle_timer, h->last_report_ns + h->idle * NS_PER_IDLE);
    }
    if (p->size < n) {
        p->status = USB_BABBLE;
        return;
    }
    usb_packet_put(p, h->report, n);
}

static int hid_control(UsbDevice *d, const UsbSetup *s, uint8_t *data)
{
    UsbHid *h = (UsbHid *)d;
    const HidShape *shape = &shapes[kind_of(h)];

    switch (s->type << 8 | s->request) {
    case STANDARD_IN_INTERFACE << 8 | GET_DESCRIPTOR:
        if (s->value >> 8 == DT_REPORT) {
            memcpy(data, shape->descriptor, MIN(shape->descriptor_len, s->length));
            return shape->descriptor_len;
        }
        if (s->value >> 8 == DT_HID) {
            memcpy(data, shape->class_descriptor, MIN(9, s->length));
            return 9;
        }
        return -1;
    case CLASS_IN << 8 | GET_REPORT:
        return fill_report(h, data);
    case CLASS_OUT << 8 | SET_REPORT:
        if (kind_of(h) == HID_KEYBOARD && s->length >= 1) {
            h->leds = data[0];
        }
        return 0;
    case CLASS_IN << 8 | GET_IDLE:
        data[0] = h->idle;
        return 1;
    case CLASS_OUT << 8 | SET_IDLE:
        h->idle = s->value >> 8;
        timer_cancel(&h->idle_timer);
        if (h->idle) {
            timer_set_ns(&h->idle_timer, clock_now_ns(CLOCK_GUEST) + h->idle * NS_PER_IDLE);
        }
        return 0;
    case CLASS_IN << 8 | GET_PROTOCOL:
        data[0] = h->protocol;
        return 1;
    case CLASS_OUT << 8 | SET_PROTOCOL:
        h->protocol = s->value;
        return 0;
    default:
        return -1;
    }
}

static void hid_reset(UsbDevice *d)
{
    UsbHid *h = (UsbHid *)d;

    h->head = h->count = h->num_keys = h->modifiers = h->idle = 0;
    h->protocol = 1;
    input_handler_activate(h->input, false);
    timer_cancel(&h->idle_timer);
}

static bool hid_realize(Device *dev, GError **error)
{
    UsbHid *h = (UsbHid *)dev;
    HidKind kind = kind_of(h);

    timer_init(&h->idle_timer, CLOCK_GUEST, idle_due, h);
    h->input = input_handler_add(kind == HID_KEYBOARD ? &keyboard_input
                                 : kind == HID_MOUSE  ? &mouse_input
                                                      : &tablet_input,
                                 h);
    return true;
}

static void hid_unrealize(Device *dev)
{
    UsbHid *h = (UsbHid *)dev;

    input_handler_remove(h->input);
    timer_cancel(&h->idle_timer);
}

/* ---- descriptors ---- */

static const char *const keyboard_strings[] = {"QEMU", "QEMU USB Keyboard", "68284", NULL};
static const char *const mouse_strings[] = {"QEMU", "QEMU USB Mouse", "89126", NULL};
static const char *const tablet_strings[] = {"QEMU", "QEMU USB Tablet", "28754", NULL};

/* interval: frames of 1 ms at full speed, an exponent at high speed */
#define HID_SPEED(kind, suffix, interval_, subclass_, protocol_, len_, bcd_)           \
    static const UsbEndpointRow kind##_endpoint_##suffix[] = {                         \
        {.address = 0x81, .attributes = 3, .max_packet = len_, .interval = interval_}, \
    };                                                                                 \
    static const UsbInterfaceRow kind##_interface_##suffix[] = {                       \
        {.class_code = 3,                                                              \
         .subclass = subclass_,                                                        \
         .protocol = protocol_,                                                        \
         .endpoints = kind##_endpoint_##suffix,                                        \
         .num_endpoints = 1,                                                           \
         .extra = kind##_class,                                                        \
         .extra_len = 9},                                                              \
    };                                                                                 \
    static const UsbConfig kind##_config_##suffix[] = {                                \
        {.attributes = 0xa0,                                                           \
         .max_power = 50,                                                              \
         .value = 1,                                                                   \
         .num_interfaces = 1,                                                          \
         .interfaces = kind##_interface_##suffix,                                      \
         .num_rows = 1},                                                               \
    };                                                                                 \
    static const UsbSpeedInfo kind##_##suffix = {                                      \
        .bcd_usb = bcd_,                                                               \
        .max_packet0 = bcd_ == 0x0200 ? 64 : 8,                                        \
        .configs = kind##_config_##suffix,                                             \
        .num_configs = 1,                                                              \
    };
HID_SPEED(keyboard, full, 10, 1, 1, 8, 0x0100)
HID_SPEED(keyboard, high, 7, 1, 1, 8, 0x0200)
HID_SPEED(mouse, full, 10, 1, 2, 4, 0x0100)
HID_SPEED(mouse, high, 7, 1, 2, 4, 0x0200)
HID_SPEED(tablet, full, 10, 0, 0, 8, 0x0100)
HID_SPEED(tablet, high, 4, 0, 0, 8, 0x0200)

#define HID_INFO(kind)                                                    \
    static const UsbInfo kind##_info = {                                  \
        .vendor = 0x0627,                                                 \
        .product = 0x0001,                                                \
        .strings = kind##_strings,                                        \
        .speeds = {[USB_FULL] = &kind##_full, [USB_HIGH] = &kind##_high}, \
        .control = hid_control,                                           \
        .data = hid_data,                                                 \
        .reset = hid_reset,                                               \
    };
HID_INFO(keyboard)
HID_INFO(mouse)
HID_INFO(tablet)

static const Prop hid_props[] = {
    USB_DEVICE_PROPS(UsbHid),
    PROP_STRING(UsbHid, display, "display"),
    PROP_U32(UsbHid, head_index, "head", 0),
    PROP_END,
};

static const StateField hid_event_state[] = {
    STATE(HidEvent, x),     STATE(HidEvent, y),    STATE(HidEvent, dz), STATE(HidEvent, buttons),
    STATE(HidEvent, usage), STATE(HidEvent, down), STATE_END,
};

static const StateField hid_state[] = {
    STATE_STRUCT(UsbHid, usb, usb_device_state),
    STATE_STRUCTS(UsbHid, queue, hid_event_state),
    STATE_INDEX(UsbHid, head, queue),
    STATE_COUNT(UsbHid, count, queue),
    STATE_ARRAY(UsbHid, keys),
    STATE_COUNT(UsbHid, num_keys, keys),
    STATE(UsbHid, modifiers),
    STATE(UsbHid, leds),
    STATE_ARRAY(UsbHid, report),
    STATE(UsbHid, idle),
    STATE(UsbHid, protocol),
    STATE(UsbHid, last_buttons),
    STATE(UsbHid, last_x),
    STATE(UsbHid, last_y),
    STATE(UsbHid, last_report_ns),
    STATE_TIMER_FIELD(UsbHid, idle_timer),
    HOST_ONLY(UsbHid, input, "host side"),
    STATE_END,
};

#define HID_DEVICE(name_, desc_, info_)                                                            \
    {                                                                                              \
        .name = name_, .bus = "usb-bus", .category = "usb", .desc = desc_, .size = sizeof(UsbHid), \
        .state_version = 1, .hotpluggable = true, .bus_info = &info_, .props = hid_props,          \
        .state = hid_state, .realize = hid_realize, .unrealize = hid_unrealize,                    \
    }

static const DeviceType keyboard_type = HID_DEVICE("usb-kbd", "USB keyboard", keyboard_info);
DEVICE_TYPE(keyboard_type);
static const DeviceType mouse_type = HID_DEVICE("usb-mouse", "USB mouse", mouse_info);
DEVICE_TYPE(mouse_type);
static const DeviceType tablet_type = HID_DEVICE("usb-tablet", "USB tablet", tablet_info);
DEVICE_TYPE(tablet_type);
