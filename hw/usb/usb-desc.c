// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Descriptors out of a device's tables, and the standard requests (USB 2.0, 9.4 to 9.6; USB 3.2,
 * 9.4 to 9.6).
 */
#include <string.h>

#include "hw/usb/usb.h"
#include "util/bswap.h"

enum {
    DT_DEVICE = 1,
    DT_CONFIG,
    DT_STRING,
    DT_INTERFACE,
    DT_ENDPOINT,
    DT_QUALIFIER,
    DT_OTHER_SPEED,
    DT_BOS = 15,
    DT_CAPABILITY,
    DT_SS_COMPANION = 0x30
};
enum {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    SET_ADDRESS = 5,
    GET_DESCRIPTOR = 6,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11,
    SET_SEL = 0x30,
    SET_ISOCH_DELAY = 0x31
};
enum {
    IN_DEVICE = 0x80,
    IN_INTERFACE = 0x81,
    IN_ENDPOINT = 0x82,
    OUT_DEVICE = 0,
    OUT_INTERFACE = 1,
    OUT_ENDPOINT = 2
};
enum {
    ENDPOINT_HALT = 0,
    REMOTE_WAKEUP = 1
};

static const UsbSpeedInfo *current(const UsbDevice *d)
{
    const UsbInfo *i = usb_info(d);

    return i->speed_info ? i->speed_info(d) : i->speeds[d->speed];
}

static const UsbConfig *configuration(const UsbDevice *d)
{
    const UsbSpeedInfo *s = current(d);

    for (unsigned i = 0; i < s->num_configs; i++) {
        if (s->configs[i].value == d->configuration) {
            return &s->configs[i];
        }
    }
    return NULL;
}

const UsbEndpointRow *usb_endpoint(const UsbDevice *d, uint8_t address)
{
    const UsbConfig *c = configuration(d);

    for (unsigned i = 0; c && i < c->num_rows; i++) {
        const UsbInterfaceRow *r = &c->interfaces[i];

        if (r->alternate != d->alternate[r->number & (USB_MAX_INTERFACES - 1)]) {
            continue;
        }
        for (unsigned e = 0; e < r->num_endpoints; e++) {
            if (r->endpoints[e].address == address) {
                return &r->endpoints[e];
            }
        }
    }
    return NULL;
}

/* ---- descriptors; each returns its length ---- */

static uint8_t serial_index(const UsbInfo *i)
{
    return i->serial_string ? i->serial_string : USB_STR_SERIAL;
}

static unsigned product_index(const UsbInfo *i)
{
    return i->product_string ? i->product_string : USB_STR_PRODUCT;
}

static unsigned device_descriptor(const UsbDevice *d, uint8_t *p)
{
    const UsbInfo *i = usb_info(d);
    const UsbSpeedInfo *s = current(d);

    p[0] = 18;
    p[1] = DT_DEVICE;
    store_le16(p + 2, s->bcd_usb);
    p[4] = s->class_code;
    p[5] = s->subclass;
    p[6] = s->protocol;
    p[7] = s->max_packet0;
    store_le16(p + 8, i->vendor);
    store_le16(p + 10, i->product);
    store_le16(p + 12, i->release);
    p[14] = USB_STR_MANUFACTURER;
    p[15] = product_index(i);
    p[16] = serial_index(i);
    p[17] = s->num_configs;
    return 18;
}

static unsigned qualifier_descriptor(const UsbSpeedInfo *s, uint8_t *p)
{
    p[0] = 10;
    p[1] = DT_QUALIFIER;
    store_le16(p + 2, s->bcd_usb);
    p[4] = s->class_code;
    p[5] = s->subclass;
    p[6] = s->protocol;
    p[7] = s->max_packet0;
    p[8] = s->num_configs;
    return 10;
}

static unsigned endpoint_descriptor(const UsbEndpointRow *e, bool super, uint8_t *p)
{
    unsigned n = e->audio ? 9 : 7;

    p[0] = n;
    p[1] = DT_ENDPOINT;
    p[2] = e->address;
    p[3] = e->attributes;
    store_le16(p + 4, e->max_packet);
    p[6] = e->interval;
    if (super) {
        p[n] = 6;
        p[n + 1] = DT_SS_COMPANION;
        p[n + 2] = e->max_burst;
        p[n + 3] = e->streams;
        store_le16(p + n + 4, e->bytes_per_interval);
        n += 6;
    }
    if (e->extra_len) {
        memcpy(p + n, e->extra, e->extra_len);
    }
    return n + e->extra_len;
}

static unsigned interface_descriptor(const UsbInterfaceRow *r, bool super, uint8_t *p)
{
    unsigned n = 9;

    p[0] = 9;
    p[1] = DT_INTERFACE;
    p[2] = r->number;
    p[3] = r->alternate;
    p[4] = r->num_endpoints;
    p[5] = r->class_code;
    p[6] = r->subclass;
    p[7] = r->protocol;
    p[8] = r->string;
    if (r->extra_len) {
        memcpy(p + n, r->extra, r->extra_len);
        n += r->extra_len;
    }
    for (unsigned i = 0; i < r->num_endpoints; i++) {
        n += endpoint_descriptor(&r->endpoints[i], super, p + n);
    }
    return n;
}

static unsigned config_descriptor(const UsbSpeedInfo *s, unsigned index, uint8_t type, bool super,
                                  uint8_t *p)
{
    const UsbConfig *c = &s->configs[index];
    unsigned n = 9;

    p[0] = 9;
    p[1] = type;
    p[4] = c->num_interfaces;
    p[5] = c->value;
    p[6] = c->string;
    p[7] = c->attributes | 0x80;
    p[8] = super ? c->max_power / 4 : c->max_power;
    for (unsigned i = 0; i < c->num_rows; i++) {
        n += interface_descriptor(&c->interfaces[i], super, p + n);
    }
    store_le16(p + 2, n);
    return n;
}

/* USB 3.2, 9.6.2: extension and super speed capabilities. */
static unsigned bos_descriptor(const UsbDevice *d, uint8_t *p)
{
    uint8_t speeds = 0;

    for (unsigned i = 0; i < 4; i++) {
        speeds |= usb_info(d)->speeds[i] ? 1 << i : 0;
    }
    p[0] = 5;
    p[1] = DT_BOS;
    p[4] = 2;
    p[5] = 7;
    p[6] = DT_CAPABILITY;
    p[7] = 2;
    store_le32(p + 8, 2); /* link power management */
    p[12] = 10;
    p[13] = DT_CAPABILITY;
    p[14] = 3;
    store_le16(p + 16, speeds);
    p[18] = __builtin_ctz(speeds);
    p[19] = 10;
    store_le16(p + 20, 200);
    store_le16(p + 2, 22);
    return 22;
}

/* The place of a controller on PCI, bridges included: "0000:00:1c.0:00.0". */
static void controller_place(const Device *d, GString *out)
{
    const Bus *b = d->parent_bus;

    if (!b || !b->owner || !g_str_has_prefix(b->obj.type->name, "PCI")) {
        return;
    }
    g_autofree char *address = bus_type(b)->address((Bus *)b, (Device *)d);

    controller_place(b->owner, out);
    g_string_append_printf(out, "%s:%s", out->len ? "" : "0000:00", address);
}

/* The serial number: as it was set, or unique by the place of the device. */
static char *serial_text(const UsbDevice *d, const char *base)
{
    g_autoptr(GString) place = g_string_new(NULL);

    if (d->serial) {
        return g_strdup(d->serial);
    }
    controller_place(d->dev.parent_bus->owner, place);
    return place->len ? g_strdup_printf("%s-%s-%s", base, place->str, d->port->path)
                      : g_strdup_printf("%s-%s", base, d->port->path);
}

static const char *string_text(UsbDevice *d, unsigned index)
{
    const UsbInfo *info = usb_info(d);
    const char *text = info->string ? info->string(d, index) : NULL;

    for (unsigned i = 0; !text && i < index && info->strings[i]; i++) {
        text = i == index - 1 ? info->strings[i] : NULL;
    }
    return text;
}

const char *usb_product(UsbDevice *d)
{
    const char *text = string_text(d, product_index(usb_info(d)));

    return text ? text : "";
}

static int string_descriptor(UsbDevice *d, unsigned index, uint8_t *p)
{
    const char *text;
    g_autofree char *serial = NULL;

    p[1] = DT_STRING;
    if (index == 0) {
        p[0] = 4;
        store_le16(p + 2, 0x0409); /* English */
        return 4;
    }
    text = string_text(d, index);
    if (!text) {
        return -1;
    }
    if (index == serial_index(usb_info(d))) {
        text = serial = serial_text(d, text);
    }
    unsigned n = MIN(strlen(text), 126u);

    p[0] = 2 + 2 * n;
    for (unsigned i = 0; i < n; i++) {
        store_le16(p + 2 + 2 * i, (uint8_t)text[i]);
    }
    return p[0];
}

static int get_descriptor(UsbDevice *d, unsigned type, unsigned index, uint8_t *p)
{
    const UsbInfo *info = usb_info(d);
    const UsbSpeedInfo *s = current(d), *other = NULL;

    if (d->speed == USB_HIGH) {
        other = info->speeds[USB_FULL];
    } else if (d->speed == USB_FULL) {
        other = info->speeds[USB_HIGH];
    }
    switch (type) {
    case DT_DEVICE:
        return device_descriptor(d, p);
    case DT_CONFIG:
        return index < s->num_configs
                   ? (int)config_descriptor(s, index, DT_CONFIG, d->speed == USB_SUPER, p)
                   : -1;
    case DT_STRING:
        return string_descriptor(d, index, p);
    case DT_QUALIFIER:
        return other ? (int)qualifier_descriptor(other, p) : -1;
    case DT_OTHER_SPEED:
        return other && index < other->num_configs
                   ? (int)config_descriptor(other, index, DT_OTHER_SPEED, false, p)
                   : -1;
    case DT_BOS:
        return info->speeds[USB_SUPER] ? (int)bos_descriptor(d, p) : -1;
    default:
        return -1;
    }
}

/* ---- requests ---- */

static bool set_configuration(UsbDevice *d, uint8_t value)
{
    uint8_t old = d->configuration;

    d->configuration = value;
    if (value && !configuration(d)) {
        d->configuration = old;
        return false;
    }
    memset(d->alternate, 0, sizeof(d->alternate));
    d->halted_in = d->halted_out = 0;
    if (usb_info(d)->reset) {
        usb_info(d)->reset(d);
    }
    return true;
}

static bool set_interface(UsbDevice *d, unsigned number, unsigned alternate)
{
    const UsbConfig *c = configuration(d);

    for (unsigned i = 0; c && i < c->num_rows; i++) {
        if (c->interfaces[i].number == number && c->interfaces[i].alternate == alternate &&
            number < USB_MAX_INTERFACES) {
            d->alternate[number] = alternate;
            if (usb_info(d)->set_interface) {
                usb_info(d)->set_interface(d, number, alternate);
            }
            return true;
        }
    }
    return false;
}

static bool set_halt(UsbDevice *d, unsigned endpoint, bool on)
{
    uint16_t *mask = endpoint & 0x80 ? &d->halted_in : &d->halted_out;
    uint16_t bit = 1u << (endpoint & 15);

    if ((endpoint & 15) && !usb_endpoint(d, endpoint)) {
        return false;
    }
    *mask = on ? *mask | bit : *mask & ~bit;
    if (!on && usb_info(d)->halt_cleared) {
        usb_info(d)->halt_cleared(d, endpoint);
    }
    return true;
}

/* What the core answers: the number of bytes, or -1 when it is for the device. */
int usb_standard_request(UsbDevice *d, const UsbSetup *s, uint8_t *data)
{
    const UsbConfig *c = configuration(d);

    switch (s->type << 8 | s->request) {
    case IN_DEVICE << 8 | GET_DESCRIPTOR: {
        /* descriptors may be longer than what is asked for */
        static const size_t longest = 1024;
        g_autofree uint8_t *p = g_malloc0(longest);
        int n = get_descriptor(d, s->value >> 8, s->value & 0xff, p);

        if (n > 0) {
            memcpy(data, p, MIN((unsigned)n, s->length));
        }
        return n;
    }
    case OUT_DEVICE << 8 | SET_ADDRESS:
        d->addr = s->value & 0x7f;
        return 0;
    case IN_DEVICE << 8 | GET_CONFIGURATION:
        data[0] = d->configuration;
        return 1;
    case OUT_DEVICE << 8 | SET_CONFIGURATION:
        return set_configuration(d, s->value) ? 0 : -1;
    case IN_INTERFACE << 8 | GET_INTERFACE:
        if (s->index >= USB_MAX_INTERFACES) {
            return -1;
        }
        data[0] = d->alternate[s->index];
        return 1;
    case OUT_INTERFACE << 8 | SET_INTERFACE:
        return set_interface(d, s->index, s->value) ? 0 : -1;
    case IN_DEVICE << 8 | GET_STATUS:
        data[0] = (c && (c->attributes & 0x40) ? 1 : 0) | (d->remote_wakeup ? 2 : 0);
        data[1] = 0;
        return 2;
    case IN_INTERFACE << 8 | GET_STATUS:
        data[0] = data[1] = 0;
        return 2;
    case IN_ENDPOINT << 8 | GET_STATUS:
        data[0] = (s->index & 0x80 ? d->halted_in : d->halted_out) >> (s->index & 15) & 1;
        data[1] = 0;
        return 2;
    case OUT_DEVICE << 8 | CLEAR_FEATURE:
    case OUT_DEVICE << 8 | SET_FEATURE:
        if (s->value == REMOTE_WAKEUP) {
            d->remote_wakeup = s->request == SET_FEATURE;
            return 0;
        }
        return d->speed == USB_SUPER ? 0 : -1; /* U1, U2 enable */
    case OUT_INTERFACE << 8 | CLEAR_FEATURE:
    case OUT_INTERFACE << 8 | SET_FEATURE:
        return d->speed == USB_SUPER ? 0 : -1; /* function suspend */
    case OUT_ENDPOINT << 8 | CLEAR_FEATURE:
    case OUT_ENDPOINT << 8 | SET_FEATURE:
        return s->value == ENDPOINT_HALT && set_halt(d, s->index, s->request == SET_FEATURE) ? 0
                                                                                             : -1;
    case OUT_DEVICE << 8 | SET_SEL:
    case OUT_DEVICE << 8 | SET_ISOCH_DELAY:
        return d->speed == USB_SUPER ? 0 : -1;
    default:
        return -1;
    }
}
