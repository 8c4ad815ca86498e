// SPDX-License-Identifier: GPL-2.0-or-later
/* A full speed hub of eight ports (USB 2.0, chapter 11). */
#include <string.h>

#include "hw/usb/usb.h"
#include "util/bswap.h"

#define PORTS 8u

enum {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    GET_DESCRIPTOR = 6
};
enum {
    HUB_IN = 0xa0,
    HUB_OUT = 0x20,
    PORT_IN = 0xa3,
    PORT_OUT = 0x23
};
enum {
    PORT_CONNECTION = 0,
    PORT_ENABLE = 1,
    PORT_SUSPEND = 2,
    PORT_RESET = 4,
    PORT_POWER = 8,
    C_PORT_CONNECTION = 16,
    C_PORT_ENABLE = 17,
    C_PORT_SUSPEND = 18,
    C_PORT_OVER_CURRENT = 19,
    C_PORT_RESET = 20
};
enum {
    STATUS_LOW_SPEED = 1 << 9
};

typedef struct HubPort {
    uint16_t status, change;
} HubPort;

typedef struct UsbHub {
    UsbDevice usb;
    uint32_t num_ports;
    HubPort port[PORTS];
    UsbPort usb_port[PORTS];
} UsbHub;

static void port_changed(UsbHub *h, unsigned n, unsigned bit)
{
    h->port[n].change |= 1u << bit;
    usb_wakeup(&h->usb, 0x81);
}

static void port_attach(UsbPort *p)
{
    UsbHub *h = p->opaque;
    HubPort *q = &h->port[p->index];

    q->status |= 1u << PORT_CONNECTION;
    q->status =
        p->dev->speed == USB_LOW ? q->status | STATUS_LOW_SPEED : q->status & ~STATUS_LOW_SPEED;
    port_changed(h, p->index, PORT_CONNECTION);
}

static void port_detach(UsbPort *p)
{
    UsbHub *h = p->opaque;
    HubPort *q = &h->port[p->index];

    q->status &= ~(1u << PORT_CONNECTION);
    if (q->status & 1u << PORT_ENABLE) {
        q->status &= ~(1u << PORT_ENABLE);
        port_changed(h, p->index, PORT_ENABLE);
    }
    port_changed(h, p->index, PORT_CONNECTION);
}

static void port_wakeup(UsbPort *p, UsbDevice *dev, uint8_t endpoint)
{
    UsbHub *h = p->opaque;
    HubPort *q = &h->port[p->index];

    if (q->status & 1u << PORT_SUSPEND) {
        q->status &= ~(1u << PORT_SUSPEND);
        port_changed(h, p->index, PORT_SUSPEND);
    }
}

static const UsbPortOps hub_port_ops = {
    .attach = port_attach, .detach = port_detach, .wakeup = port_wakeup};

static int port_set(UsbHub *h, unsigned n, unsigned feature)
{
    HubPort *q = &h->port[n];
    UsbDevice *d = h->usb_port[n].dev;

    switch (feature) {
    case PORT_RESET:
        if (d && d->attached) {
            usb_device_reset(d);
            q->status |= 1u << PORT_ENABLE;
            port_changed(h, n, PORT_RESET);
        }
        return 0;
    case PORT_SUSPEND:
        q->status |= 1u << PORT_SUSPEND;
        return 0;
    case PORT_POWER:
        q->status |= 1u << PORT_POWER;
        return 0;
    default:
        return -1;
    }
}

static int port_clear(UsbHub *h, unsigned n, unsigned feature)
{
    HubPort *q = &h->port[n];

    if (feature >= C_PORT_CONNECTION && feature <= C_PORT_RESET) {
        q->change &= ~(1u << (feature - C_PORT_CONNECTION));
        return 0;
    }
    if (feature == PORT_SUSPEND && (q->status & 1u << PORT_SUSPEND)) {
        port_changed(h, n, PORT_SUSPEND);
    }
    if (feature == PORT_ENABLE || feature == PORT_SUSPEND || feature == PORT_POWER) {
        q->status &= ~(1u << feature);
        return 0;
    }
    return -1;
}

static int hub_descriptor(UsbHub *h, uint8_t *p)
{
    memset(p, 0, 11);
    p[0] = 9;
    p[1] = 0x29;
    p[2] = h->num_ports;
    store_le16(p + 3, 0x000a); /* no power switching, no over-current reports */
    p[5] = 1;
    p[8] = 0xff;
    return 9;
}

static int hub_control(UsbDevice *d, const UsbSetup *s, uint8_t *data)
{
    UsbHub *h = (UsbHub *)d;
    unsigned n = s->index - 1u;

    switch (s->type << 8 | s->request) {
    case HUB_IN << 8 | GET_DESCRIPTOR:
        return hub_descriptor(h, data);
    case HUB_IN << 8 | GET_STATUS:
        store_le32(data, 0);
        return 4;
    case HUB_OUT << 8 | SET_FEATURE:
    case HUB_OUT << 8 | CLEAR_FEATURE:
        return s->value <= 1 ? 0 : -1;
    }
    if ((s->type != PORT_IN && s->type != PORT_OUT) || n >= h->num_ports) {
        return -1;
    }
    switch (s->request) {
    case GET_STATUS:
        store_le16(data, h->port[n].status);
        store_le16(data + 2, h->port[n].change);
        return 4;
    case SET_FEATURE:
        return port_set(h, n, s->value);
    case CLEAR_FEATURE:
        return port_clear(h, n, s->value);
    default:
        return -1;
    }
}

/* Bit n: port n has changed. */
static void hub_data(UsbDevice *d, UsbPacket *p)
{
    UsbHub *h = (UsbHub *)d;
    uint8_t bits[2] = {0};

    for (unsigned n = 0; n < h->num_ports; n++) {
        if (h->port[n].change) {
            bits[(n + 1) / 8] |= 1 << ((n + 1) & 7);
        }
    }
    if (!bits[0] && !bits[1]) {
        p->status = USB_NAK;
        return;
    }
    usb_packet_put(p, bits, h->num_ports / 8 + 1);
}

static void hub_reset(UsbDevice *d)
{
    UsbHub *h = (UsbHub *)d;

    for (unsigned n = 0; n < h->num_ports; n++) {
        HubPort *q = &h->port[n];
        UsbDevice *below = h->usb_port[n].dev;

        *q = (HubPort){.status = 1u << PORT_POWER};
        if (below && below->attached) {
            port_attach(&h->usb_port[n]);
        }
    }
}

static bool hub_realize(Device *dev, GError **error)
{
    UsbHub *h = (UsbHub *)dev;

    if (h->num_ports < 1 || h->num_ports > PORTS) {
        return fail(error, "usb-hub: property 'ports' must be 1 to %u, not %u", PORTS,
                    h->num_ports);
    }
    if (strlen(h->usb.port->path) > 10) {
        return fail(error, "usb-hub: more than five hubs in a row");
    }
    for (unsigned n = 0; n < h->num_ports; n++) {
        usb_port_add(h->usb.port->bus, &h->usb_port[n], h->usb.port, n,
                     USB_SPEED_BIT(USB_LOW) | USB_SPEED_BIT(USB_FULL), &hub_port_ops, h);
    }
    return true;
}

static void hub_unrealize(Device *dev)
{
    UsbHub *h = (UsbHub *)dev;

    for (unsigned n = 0; n < h->num_ports; n++) {
        if (h->usb_port[n].dev) {
            device_unplug(&h->usb_port[n].dev->dev);
        }
        usb_port_remove(&h->usb_port[n]);
    }
}

static const UsbEndpointRow hub_endpoints[] = {
    {.address = 0x81, .attributes = 3, .max_packet = 1 + (PORTS + 7) / 8, .interval = 0xff},
};
static const UsbInterfaceRow hub_interfaces[] = {
    {.class_code = 9, .endpoints = hub_endpoints, .num_endpoints = 1},
};
static const UsbConfig hub_configs[] = {
    {.attributes = 0xe0,
     .value = 1,
     .num_interfaces = 1,
     .interfaces = hub_interfaces,
     .num_rows = 1},
};
static const UsbSpeedInfo hub_full = {
    .bcd_usb = 0x0110,
    .class_code = 9,
    .max_packet0 = 8,
    .configs = hub_configs,
    .num_configs = 1,
};
static const char *const hub_strings[] = {"QEMU", "QEMU USB Hub", "314159", NULL};
static const UsbInfo hub_info = {
    .vendor = 0x0409,
    .product = 0x55aa,
    .release = 0x0101,
    .strings = hub_strings,
    .speeds = {[USB_FULL] = &hub_full},
    .control = hub_control,
    .data = hub_data,
    .reset = hub_reset,
};

static const Prop hub_props[] = {
    USB_DEVICE_PROPS(UsbHub),
    PROP_U32(UsbHub, num_ports, "ports", PORTS),
    PROP_END,
};

static const StateField hub_port_state[] = {STATE(HubPort, status), STATE(HubPort, change),
                                            STATE_END};

static const StateField hub_state[] = {
    STATE_STRUCT(UsbHub, usb, usb_device_state),
    STATE_STRUCTS(UsbHub, port, hub_port_state),
    HOST_ONLY(UsbHub, usb_port, "places of devices"),
    STATE_END,
};

static const DeviceType hub_type = {
    .name = "usb-hub",
    .bus = "usb-bus",
    .category = "usb",
    .desc = "USB hub",
    .size = sizeof(UsbHub),
    .state_version = 1,
    .hotpluggable = true,
    .bus_info = &hub_info,
    .props = hub_props,
    .state = hub_state,
    .realize = hub_realize,
    .unrealize = hub_unrealize,
};
DEVICE_TYPE(hub_type);
