// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A Wacom PenPartner tablet on USB, as Linux' wacom driver knows it: it starts as a mouse; the
 * feature report 2 switches it to absolute reports of seven bytes with position, buttons and
 * pressure. Left out: idle rates other than 0.
 */
#include "hid.h"
#include "hw/usb/usb.h"
#include "ui/input.h"
#include "util/bswap.h"

#define WACOM_MAX_X 5040
#define WACOM_MAX_Y 3780
#define PRESSURE_NONE 0x81 /* -127 */
#define PRESSURE_FULL 0x7f
enum {
    MODE_MOUSE = 1,
    MODE_TABLET = 2
};
enum {
    PEN_TIP = 0x01,
    PEN_ERASER = 0x20,
    PEN_BUTTON = 0x40
};

typedef struct Wacom {
    UsbDevice usb;
    int32_t x, y, dx, dy, dz;
    uint32_t buttons;
    uint8_t mode, idle;
    bool changed;
    InputHandler *input;
} Wacom;

static void wacom_changed(Wacom *s)
{
    s->changed = true;
    usb_wakeup(&s->usb, 0x81);
}

static void wacom_motion(void *opaque, int dx, int dy, int dz, unsigned buttons)
{
    Wacom *s = opaque;

    s->dx = CLAMP(s->dx + dx, -100000, 100000);
    s->dy = CLAMP(s->dy + dy, -100000, 100000);
    s->dz = CLAMP(s->dz + dz, -1000, 1000);
    s->buttons = buttons;
    wacom_changed(s);
}

static void wacom_position(void *opaque, int x, int y, int dz, unsigned buttons)
{
    Wacom *s = opaque;

    s->x = x * WACOM_MAX_X / INPUT_POSITION_MAX;
    s->y = y * WACOM_MAX_Y / INPUT_POSITION_MAX;
    s->buttons = buttons;
    wacom_changed(s);
}

static const InputOps mouse_input = {.name = "QEMU PenPartner tablet", .motion = wacom_motion};
static const InputOps tablet_input = {.name = "QEMU PenPartner tablet", .position = wacom_position};

static void wacom_set_mode(Wacom *s, uint8_t mode)
{
    if (s->input) {
        input_handler_remove(s->input);
    }
    s->mode = mode;
    s->changed = false;
    s->dx = s->dy = s->dz = 0;
    s->input = input_handler_add(mode == MODE_TABLET ? &tablet_input : &mouse_input, s);
}

/* Takes what fits into a signed byte from *v. */
static uint8_t wacom_step(int32_t *v)
{
    int32_t n = CLAMP(*v, -127, 127);

    *v -= n;
    return (uint8_t)n;
}

static unsigned wacom_fill_mouse(Wacom *s, uint8_t *r)
{
    r[0] = MODE_MOUSE;
    r[1] = s->buttons & 7;
    r[2] = wacom_step(&s->dx);
    r[3] = wacom_step(&s->dy);
    r[4] = wacom_step(&s->dz);
    s->changed = s->dx || s->dy || s->dz;
    return 5;
}

static unsigned wacom_fill_tablet(Wacom *s, uint8_t *r)
{
    bool tip = s->buttons & INPUT_LEFT;

    r[0] = MODE_TABLET;
    store_le16(r + 1, (uint16_t)s->x);
    store_le16(r + 3, (uint16_t)s->y);
    r[5] = (tip ? PEN_TIP : 0) | (s->buttons & INPUT_MIDDLE ? PEN_ERASER : 0) |
           (s->buttons & INPUT_RIGHT ? PEN_BUTTON : 0);
    r[6] = tip ? PRESSURE_FULL : PRESSURE_NONE;
    s->changed = false;
    return 7;
}

static void wacom_data(UsbDevice *d, UsbPacket *p)
{
    Wacom *s = (Wacom *)d;
    uint8_t report[8];

    if (p->pid != USB_IN) {
        usb_packet_stall(p);
        return;
    }
    input_handler_activate(s->input, true);
    if (!s->changed) {
        p->status = USB_NAK;
        return;
    }
    unsigned n =
        s->mode == MODE_TABLET ? wacom_fill_tablet(s, report) : wacom_fill_mouse(s, report);

    if (p->size < n) {
        p->status = USB_BABBLE;
        return;
    }
    usb_packet_put(p, report, n);
}

/* Report 1 is the mouse's, 2 the tablet's (opaque bytes), feature 2 the switch between them. */
static const uint8_t wacom_report[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x01, 0x09, 0x01, 0xa1, 0x00, 0x05, 0x09, 0x19,
    0x01, 0x29, 0x03, 0x15, 0x00, 0x25, 0x01, 0x95, 0x03, 0x75, 0x01, 0x81, 0x02, /* buttons */
    0x95, 0x01, 0x75, 0x05, 0x81, 0x01, 0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38, 0x15,
    0x81, 0x25, 0x7f, 0x75, 0x08, 0x95, 0x03, 0x81, 0x06, 0xc0, 0xc0, /* motion */
    0x05, 0x0d, 0x09, 0x01, 0xa1, 0x01, 0x85, 0x02, 0xa1, 0x00, 0x06, 0x00, 0xff, 0x09, 0x01,
    0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x06, 0x81, 0x02, /* six bytes */
    0x09, 0x01, 0x95, 0x01, 0xb1, 0x02, 0xc0, 0xc0, /* the mode */
};
static const uint8_t wacom_class[] = {
    9, DT_HID, 0x01, 0x10, 0, 1, DT_REPORT, sizeof(wacom_report) & 0xff, sizeof(wacom_report) >> 8};

static int wacom_control(UsbDevice *d, const UsbSetup *u, uint8_t *data)
{
    Wacom *s = (Wacom *)d;

    switch (u->type << 8 | u->request) {
    case STANDARD_IN_INTERFACE << 8 | GET_DESCRIPTOR:
        if (u->value >> 8 == DT_REPORT) {
            memcpy(data, wacom_report, MIN(sizeof(wacom_report), u->length));
            return sizeof(wacom_report);
        }
        if (u->value >> 8 == DT_HID) {
            memcpy(data, wacom_class, MIN(sizeof(wacom_class), u->length));
            return sizeof(wacom_class);
        }
        return -1;
    case CLASS_IN << 8 | GET_REPORT:
        if (u->length < 2) {
            return -1;
        }
        data[0] = u->value & 0xff;
        data[1] = s->mode;
        return 2;
    case CLASS_OUT << 8 | SET_REPORT:
        if (u->length == 0) {
            return -1;
        }
        wacom_set_mode(s, data[u->length > 1] == MODE_TABLET ? MODE_TABLET : MODE_MOUSE);
        return 0;
    case CLASS_IN << 8 | GET_IDLE:
        data[0] = s->idle;
        return 1;
    case CLASS_OUT << 8 | SET_IDLE:
        s->idle = u->value >> 8;
        return 0;
    default:
        return -1;
    }
}

static void wacom_reset(UsbDevice *d)
{
    Wacom *s = (Wacom *)d;

    wacom_set_mode(s, MODE_MOUSE);
    s->x = s->y = 0;
    s->buttons = 0;
    s->idle = 0;
}

static bool wacom_realize(Device *d, GError **error)
{
    wacom_set_mode((Wacom *)d, MODE_MOUSE);
    return true;
}

static void wacom_unrealize(Device *d)
{
    input_handler_remove(((Wacom *)d)->input);
    ((Wacom *)d)->input = NULL;
}

static void wacom_post_load(Device *d)
{
    Wacom *s = (Wacom *)d;
    bool changed = s->changed;

    wacom_set_mode(s, s->mode == MODE_TABLET ? MODE_TABLET : MODE_MOUSE);
    s->changed = changed;
}

static const UsbEndpointRow wacom_endpoints[] = {
    {.address = 0x81, .attributes = 3, .max_packet = 8, .interval = 10},
};
static const UsbInterfaceRow wacom_interfaces[] = {
    {.class_code = 3,
     .subclass = 1,
     .protocol = 2,
     .endpoints = wacom_endpoints,
     .num_endpoints = 1,
     .extra = wacom_class,
     .extra_len = sizeof(wacom_class)},
};
static const UsbConfig wacom_configs[] = {
    {.attributes = 0x80,
     .max_power = 40,
     .value = 1,
     .num_interfaces = 1,
     .interfaces = wacom_interfaces,
     .num_rows = 1},
};
static const UsbSpeedInfo wacom_full = {
    .bcd_usb = 0x0110,
    .max_packet0 = 8,
    .configs = wacom_configs,
    .num_configs = 1,
};
static const char *const wacom_strings[] = {"QEMU", "Wacom PenPartner", "1", NULL};
static const UsbInfo wacom_info = {
    .vendor = 0x056a,
    .product = 0x0000,
    .release = 0x4210,
    .strings = wacom_strings,
    .speeds = {[USB_FULL] = &wacom_full},
    .control = wacom_control,
    .data = wacom_data,
    .reset = wacom_reset,
};

static const Prop wacom_props[] = {USB_DEVICE_PROPS(Wacom), PROP_END};
static const StateField wacom_state[] = {
    STATE_STRUCT(Wacom, usb, usb_device_state),
    STATE(Wacom, x),
    STATE(Wacom, y),
    STATE(Wacom, dx),
    STATE(Wacom, dy),
    STATE(Wacom, dz),
    STATE(Wacom, buttons),
    STATE(Wacom, mode),
    STATE(Wacom, idle),
    STATE(Wacom, changed),
    HOST_ONLY(Wacom, input, "follows mode"),
    STATE_END,
};

static const DeviceType wacom_type = {
    .name = "usb-wacom-tablet",
    .bus = "usb-bus",
    .category = "usb",
    .desc = "QEMU PenPartner Tablet",
    .size = sizeof(Wacom),
    .state_version = 1,
    .hotpluggable = true,
    .bus_info = &wacom_info,
    .props = wacom_props,
    .state = wacom_state,
    .realize = wacom_realize,
    .unrealize = wacom_unrealize,
    .post_load = wacom_post_load,
};
DEVICE_TYPE(wacom_type);
