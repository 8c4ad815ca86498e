// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USB serial converter, an FTDI FT232BM by its vendor requests (as Linux 6.1's ftdi_sio uses them),
 * and the same chip in a Baum braille display. It is plugged in while somebody is connected to its
 * chardev. Every packet to the host begins with two bytes of status. Left out: EEPROM, bit-bang
 * mode, event and error characters.
 */
#include <string.h>

#include "chardev/chardev.h"
#include "hw/usb/usb.h"
#include "util/bswap.h"

#define PACKET 64u
#define RECEIVE_MAX 4096u
#define STATUS 2u

/* Vendor requests, to the device. */
enum {
    FTDI_RESET = 0x4000,
    FTDI_SET_MODEM = 0x4001,
    FTDI_SET_FLOW = 0x4002,
    FTDI_SET_BAUD = 0x4003,
    FTDI_SET_DATA = 0x4004,
    FTDI_GET_MODEM = 0xc005,
    FTDI_SET_EVENT_CHAR = 0x4006,
    FTDI_SET_ERROR_CHAR = 0x4007,
    FTDI_SET_LATENCY = 0x4009,
    FTDI_GET_LATENCY = 0xc00a,
};
enum {
    RESET_ALL,
    RESET_RECEIVE,
    RESET_TRANSMIT
};
enum {
    MODEM_DTR = 1,
    MODEM_RTS = 2,
    STATUS_ALWAYS = 1,
    STATUS_CTS = 0x10,
    STATUS_DSR = 0x20,
    STATUS_RI = 0x40,
    STATUS_DCD = 0x80
};
enum {
    LINE_BREAK = 0x10,
    LINE_IDLE = 0x60 /* transmitter empty */
};

typedef struct UsbSerial {
    UsbDevice usb;
    Chardev *chardev;
    bool always_plugged;
    ChardevFe fe;
    UsbPacket *sending; /* waits for room in the chardev */
    uint8_t received[RECEIVE_MAX];
    uint16_t head, count;
    bool got_break, breaking, live;
    uint8_t modem, latency;
    uint32_t rate;
    uint16_t format; /* of SET_DATA */
} UsbSerial;

/* ---- the line ---- */

static unsigned modem_status(UsbSerial *s)
{
    unsigned lines;

    if (!chardev_fe_get_modem(&s->fe, &lines)) {
        return STATUS_ALWAYS | STATUS_CTS | STATUS_DSR | STATUS_DCD;
    }
    return STATUS_ALWAYS | (lines & CHARDEV_TIOCM_CTS ? STATUS_CTS : 0) |
           (lines & CHARDEV_TIOCM_DSR ? STATUS_DSR : 0) |
           (lines & CHARDEV_TIOCM_RI ? STATUS_RI : 0) |
           (lines & CHARDEV_TIOCM_CAR ? STATUS_DCD : 0);
}

static void set_line(UsbSerial *s)
{
    static const char parity[8] = {'N', 'O', 'E', 'N', 'N', 'N', 'N', 'N'};
    ChardevLine line = {.speed = (int)s->rate,
                        .data_bits = (s->format & 0xff) == 7 ? 7 : 8,
                        .stop_bits = (s->format >> 11 & 7) == 2 ? 2 : 1,
                        .parity = parity[s->format >> 8 & 7]};
    bool on = s->format >> 14 & 1;

    chardev_fe_set_line(&s->fe, &line);
    if (on != s->breaking) {
        s->breaking = on;
        chardev_fe_set_break(&s->fe, on);
    }
}

/* 24 MHz by eighths of the divisor, whose code has 17 bits; 0 and 1 are special. */
static uint32_t rate_of(uint32_t code)
{
    static const uint8_t eighths[8] = {0, 4, 2, 1, 3, 5, 6, 7};
    uint32_t divisor = (code & 0x3fff) * 8 + eighths[code >> 14 & 7];

    if (code == 0) {
        return 3000000;
    }
    return code == 1 || divisor < 8 ? 2000000 : 24000000 / divisor;
}

/* ---- the chardev ---- */

static size_t ftdi_can_receive(void *opaque)
{
    UsbSerial *s = opaque;

    return s->usb.attached ? RECEIVE_MAX - s->count : 0;
}

static void ftdi_receive(void *opaque, const uint8_t *buf, size_t len)
{
    UsbSerial *s = opaque;

    for (size_t i = 0; i < len && s->count < RECEIVE_MAX; i++) {
        s->received[(s->head + s->count++) % RECEIVE_MAX] = buf[i];
    }
    usb_wakeup(&s->usb, 0x81);
}

static void ftdi_event(void *opaque, ChardevEvent event)
{
    UsbSerial *s = opaque;

    if (!s->live) {
        return;
    }
    if (event == CHARDEV_BREAK) {
        s->got_break = true;
        usb_wakeup(&s->usb, 0x81);
    } else if (event == CHARDEV_OPENED) {
        usb_device_attach(&s->usb);
    } else if (event == CHARDEV_CLOSED && !s->always_plugged) {
        usb_device_detach(&s->usb);
    }
}

/* More of the packet that is under way; true: all of it was taken. */
static bool send_more(UsbSerial *s, UsbPacket *p)
{
    while (p->actual < p->size) {
        uint8_t buf[1024];
        size_t before = p->actual, n = usb_packet_get(p, buf, sizeof(buf)),
               taken = chardev_write(&s->fe, buf, n);

        p->actual = before + taken;
        if (taken < n) {
            return false;
        }
    }
    return true;
}

static void ftdi_drained(void *opaque)
{
    UsbSerial *s = opaque;
    UsbPacket *p = s->sending;

    if (p && send_more(s, p)) {
        s->sending = NULL;
        usb_packet_done(p, USB_OK);
    }
}

static const ChardevFeOps ftdi_fe_ops = {.can_receive = ftdi_can_receive,
                                           .receive = ftdi_receive,
                                           .event = ftdi_event,
                                           .drained = ftdi_drained};

/* ---- packets ---- */

static void send_data(UsbSerial *s, UsbPacket *p)
{
    if (s->sending) {
        p->status = USB_NAK;
    } else if (!send_more(s, p)) {
        s->sending = p;
        p->status = USB_ASYNC;
    }
}

/* Whole packets of status and data, until one is short. */
static void receive_data(UsbSerial *s, UsbPacket *p)
{
    uint8_t buf[PACKET];
    unsigned n;

    if (!s->count && !s->got_break) {
        p->status = USB_NAK;
        return;
    }
    if (p->size < STATUS) {
        p->status = USB_BABBLE;
        return;
    }
    do {
        unsigned room = MIN(p->size - p->actual, PACKET);

        if (room < STATUS) {
            break;
        }
        buf[0] = modem_status(s);
        buf[1] = LINE_IDLE | (s->got_break ? LINE_BREAK : 0);
        s->got_break = false;
        for (n = STATUS; n < room && s->count; n++, s->count--) {
            buf[n] = s->received[s->head];
            s->head = (s->head + 1) % RECEIVE_MAX;
        }
        usb_packet_put(p, buf, n);
    } while (n == PACKET && s->count);
    chardev_accept_input(&s->fe);
}

static void ftdi_data(UsbDevice *d, UsbPacket *p)
{
    UsbSerial *s = (UsbSerial *)d;

    if (p->pid == USB_OUT) {
        send_data(s, p);
    } else {
        receive_data(s, p);
    }
}

static void ftdi_cancel(UsbDevice *d, UsbPacket *p)
{
    UsbSerial *s = (UsbSerial *)d;

    if (s->sending == p) {
        s->sending = NULL;
    }
}

static void set_modem(UsbSerial *s, unsigned value)
{
    unsigned mask = value >> 8 & (MODEM_DTR | MODEM_RTS);

    s->modem = (s->modem & ~mask) | (value & mask);
    chardev_fe_set_modem(&s->fe, (s->modem & MODEM_DTR ? CHARDEV_TIOCM_DTR : 0) |
                                     (s->modem & MODEM_RTS ? CHARDEV_TIOCM_RTS : 0));
}

static void purge(UsbSerial *s)
{
    s->head = s->count = 0;
    s->got_break = false;
    chardev_accept_input(&s->fe);
}

static int ftdi_control(UsbDevice *d, const UsbSetup *q, uint8_t *data)
{
    UsbSerial *s = (UsbSerial *)d;

    switch (q->type << 8 | q->request) {
    case FTDI_RESET:
        if (q->value == RESET_ALL || q->value == RESET_RECEIVE) {
            purge(s);
        }
        return q->value <= RESET_TRANSMIT ? 0 : -1;
    case FTDI_SET_MODEM:
        set_modem(s, q->value);
        return 0;
    case FTDI_SET_BAUD:
        s->rate = rate_of(q->value | (q->index & 1u) << 16);
        set_line(s);
        return 0;
    case FTDI_SET_DATA:
        s->format = q->value;
        set_line(s);
        return 0;
    case FTDI_GET_MODEM:
        data[0] = modem_status(s);
        data[1] = LINE_IDLE;
        return STATUS;
    case FTDI_SET_LATENCY:
        s->latency = q->value;
        return 0;
    case FTDI_GET_LATENCY:
        data[0] = s->latency;
        return 1;
    case FTDI_SET_FLOW:
    case FTDI_SET_EVENT_CHAR:
    case FTDI_SET_ERROR_CHAR:
        return 0;
    default:
        return -1;
    }
}

static void ftdi_reset(UsbDevice *d)
{
    UsbSerial *s = (UsbSerial *)d;

    s->head = s->count = 0;
    s->got_break = false;
    s->sending = NULL;
    s->modem = 0;
    s->latency = 16;
    s->rate = 9600;
    s->format = 8;
}

static bool ftdi_realize(Device *dev, GError **error)
{
    UsbSerial *s = (UsbSerial *)dev;

    if (!s->chardev) {
        return fail(error, "Property chardev is required");
    }
    ftdi_reset(&s->usb);
    if (!chardev_fe_attach(&s->fe, s->chardev, &ftdi_fe_ops, s, error)) {
        return false;
    }
    s->usb.unplugged = !s->always_plugged && !chardev_fe_connected(&s->fe);
    s->live = true;
    return true;
}

static void ftdi_unrealize(Device *dev)
{
    UsbSerial *s = (UsbSerial *)dev;

    s->live = false;
    chardev_fe_detach(&s->fe);
}

/* ---- descriptors ---- */

static const char *const ftdi_strings[] = {"QEMU", "QEMU USB SERIAL", "QEMU USB BAUM BRAILLE", "1",
                                           NULL};

static const UsbEndpointRow ftdi_endpoints[] = {
    {.address = 0x81, .attributes = 2, .max_packet = PACKET},
    {.address = 0x02, .attributes = 2, .max_packet = PACKET},
};
static const UsbInterfaceRow ftdi_interfaces[] = {
    {.class_code = 0xff, .subclass = 0xff, .protocol = 0xff, .endpoints = ftdi_endpoints, .num_endpoints = 2},
};
static const UsbConfig ftdi_configs[] = {
    {.attributes = 0xa0, .max_power = 50, .value = 1, .num_interfaces = 1, .interfaces = ftdi_interfaces, .num_rows = 1},
};
static const UsbSpeedInfo ftdi_full = {
    .bcd_usb = 0x0200, .max_packet0 = 8, .configs = ftdi_configs, .num_configs = 1,
};

#define SERIAL_INFO(product_, string_)                                                          \
    {                                                                                           \
        .vendor = 0x0403, .product = product_, .release = 0x0400, .strings = ftdi_strings,      \
        .product_string = string_, .serial_string = 4, .speeds = {[USB_FULL] = &ftdi_full},     \
        .control = ftdi_control, .data = ftdi_data, .cancel = ftdi_cancel, .reset = ftdi_reset, \
    }
static const UsbInfo ftdi_info = SERIAL_INFO(0x6001, 2);
static const UsbInfo ftdi_braille_info = SERIAL_INFO(0xfe72, 3);

static const Prop ftdi_props[] = {
    USB_DEVICE_PROPS(UsbSerial),
    PROP_CHARDEV(UsbSerial, chardev),
    PROP_BOOL(UsbSerial, always_plugged, "always-plugged", false),
    PROP_END,
};
static const Prop ftdi_braille_props[] = {
    USB_DEVICE_PROPS(UsbSerial),
    PROP_CHARDEV(UsbSerial, chardev),
    PROP_END,
};

static const StateField ftdi_state[] = {
    STATE_STRUCT(UsbSerial, usb, usb_device_state),
    STATE_ARRAY(UsbSerial, received),
    STATE_INDEX(UsbSerial, head, received),
    STATE_COUNT(UsbSerial, count, received),
    STATE(UsbSerial, got_break),
    STATE(UsbSerial, breaking),
    STATE(UsbSerial, modem),
    STATE(UsbSerial, latency),
    STATE(UsbSerial, rate),
    STATE(UsbSerial, format),
    HOST_ONLY(UsbSerial, fe, "back end"),
    HOST_ONLY(UsbSerial, sending, "taken back while the machine is stopped"),
    HOST_ONLY(UsbSerial, always_plugged, "property"),
    HOST_ONLY(UsbSerial, live, "of start-up"),
    STATE_END,
};

#define SERIAL_DEVICE(name_, desc_, info_, props_)                                               \
    {                                                                                            \
        .name = name_, .bus = "usb-bus", .category = "usb", .desc = desc_,                       \
        .size = sizeof(UsbSerial), .state_version = 1, .hotpluggable = true, .bus_info = &info_, \
        .props = props_, .state = ftdi_state, .realize = ftdi_realize,                           \
        .unrealize = ftdi_unrealize,                                                             \
    }

static const DeviceType ftdi_type =
    SERIAL_DEVICE("usb-serial", "USB serial converter (FTDI)", ftdi_info, ftdi_props);
DEVICE_TYPE(ftdi_type);
static const DeviceType ftdi_braille_type = SERIAL_DEVICE(
    "usb-braille", "USB braille display (Baum)", ftdi_braille_info, ftdi_braille_props);
DEVICE_TYPE(ftdi_braille_type);
