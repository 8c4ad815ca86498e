// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USB buses, ports, hubs' trees and the control endpoint's stages (USB 2.0, 8.5.3). Packets go to a
 * device; what its endpoint 0 is asked is put together here.
 */
#include "hw/usb/usb.h"

#include <stdio.h>
#include <string.h>

#include "qom/vm.h"
#include "util/bswap.h"
#include "util/iov.h"

enum {
    STAGE_IDLE,
    STAGE_IN,
    STAGE_OUT,
    STAGE_STATUS
};

/* ---- packets ---- */

size_t usb_packet_put(UsbPacket *p, const void *buf, size_t len)
{
    size_t n = iov_from_buf(p->iov, p->niov, p->actual, buf, len);

    p->actual += n;
    return n;
}

size_t usb_packet_get(UsbPacket *p, void *buf, size_t len)
{
    size_t n = iov_to_buf(p->iov, p->niov, p->actual, buf, len);

    p->actual += n;
    return n;
}

void usb_packet_stall(UsbPacket *p)
{
    p->status = USB_STALL;
    if (p->pid == USB_IN) {
        p->dev->halted_in |= 1u << p->ep;
    } else {
        p->dev->halted_out |= 1u << p->ep;
    }
}

static UsbSetup setup_of(const UsbDevice *d)
{
    return (UsbSetup){.type = d->setup[0],
                      .request = d->setup[1],
                      .value = load_le16(d->setup + 2),
                      .index = load_le16(d->setup + 4),
                      .length = load_le16(d->setup + 6)};
}

/* The request as a whole: its bytes, or -1. */
static int control_run(UsbDevice *d)
{
    UsbSetup s = setup_of(d);
    int n = usb_standard_request(d, &s, d->control_data);

    if (n == -1 && usb_info(d)->control) {
        n = usb_info(d)->control(d, &s, d->control_data);
    }
    return n;
}

static void control_setup(UsbDevice *d, UsbPacket *p)
{
    d->control_stall = false;
    d->control_pos = d->control_len = 0;
    if (usb_packet_get(p, d->setup, 8) != 8) {
        p->status = USB_IO_ERROR;
        d->stage = STAGE_IDLE;
        return;
    }
    UsbSetup s = setup_of(d);

    if (s.length > USB_CONTROL_MAX) {
        d->control_stall = true;
    } else if (s.length == 0) {
        d->stage = STAGE_STATUS;
        return;
    } else if (s.type & 0x80) {
        memset(d->control_data, 0, s.length);
        int n = control_run(d);

        d->control_stall = n < 0;
        d->control_len = n < 0 ? 0 : MIN((unsigned)n, s.length);
    } else {
        d->control_len = s.length;
    }
    d->stage = s.type & 0x80 ? STAGE_IN : STAGE_OUT;
}

static void control_in(UsbDevice *d, UsbPacket *p)
{
    if (d->control_stall) {
        p->status = USB_STALL;
    } else if (d->stage == STAGE_IN) {
        d->control_pos +=
            usb_packet_put(p, d->control_data + d->control_pos, d->control_len - d->control_pos);
    } else if (d->stage == STAGE_OUT || d->stage == STAGE_STATUS) {
        d->stage = STAGE_IDLE;
        if (control_run(d) < 0) {
            d->control_stall = true;
            p->status = USB_STALL;
        }
    } else {
        p->status = USB_STALL;
    }
}

static void control_out(UsbDevice *d, UsbPacket *p)
{
    if (d->control_stall) {
        p->status = USB_STALL;
    } else if (d->stage == STAGE_OUT) {
        d->control_pos +=
            usb_packet_get(p, d->control_data + d->control_pos, d->control_len - d->control_pos);
    } else if (d->stage == STAGE_IN) {
        d->stage = STAGE_IDLE; /* the status stage */
        p->actual = p->size;
    } else {
        p->status = USB_STALL;
    }
}

void usb_packet_run(UsbPacket *p)
{
    UsbDevice *d = p->dev;

    p->status = USB_OK;
    p->actual = 0;
    p->size = iov_size(p->iov, p->niov);
    if (!d || !d->attached) {
        p->status = USB_NO_DEVICE;
    } else if (p->pid == USB_SETUP) {
        control_setup(d, p);
    } else if (p->ep == 0) {
        (p->pid == USB_IN ? control_in : control_out)(d, p);
    } else if ((p->pid == USB_IN ? d->halted_in : d->halted_out) >> p->ep & 1) {
        p->status = USB_STALL;
    } else if (!usb_endpoint(d, p->ep | (p->pid == USB_IN ? 0x80 : 0))) {
        p->status = USB_STALL;
    } else {
        usb_info(d)->data(d, p);
    }
}

void usb_packet_cancel(UsbPacket *p)
{
    if (p->status == USB_ASYNC) {
        usb_info(p->dev)->cancel(p->dev, p);
        p->status = USB_IO_ERROR;
    }
}

void usb_packet_done(UsbPacket *p, UsbStatus status)
{
    p->status = status;
    if (status == USB_STALL) {
        usb_packet_stall(p);
    }
    p->done(p);
}

/* ---- ports ---- */

void usb_port_add(UsbBus *b, UsbPort *port, UsbPort *upstream, unsigned index, unsigned speeds,
                  const UsbPortOps *ops, void *opaque)
{
    *port = (UsbPort){.bus = b,
                      .upstream = upstream,
                      .ops = ops,
                      .opaque = opaque,
                      .index = index,
                      .speeds = speeds};
    if (upstream) {
        snprintf(port->path, sizeof(port->path), "%.18s.%u", upstream->path, index + 1);
    } else {
        snprintf(port->path, sizeof(port->path), "%u", index + 1);
    }
    g_ptr_array_add(b->ports, port);
    b->bus.full = false;
}

void usb_port_remove(UsbPort *port)
{
    g_ptr_array_remove(port->bus->ports, port);
}

void usb_device_reset(UsbDevice *d)
{
    d->addr = 0;
    d->configuration = 0;
    d->remote_wakeup = false;
    memset(d->alternate, 0, sizeof(d->alternate));
    d->halted_in = d->halted_out = 0;
    d->stage = STAGE_IDLE;
    d->control_stall = false;
    if (usb_info(d)->reset) {
        usb_info(d)->reset(d);
    }
}

static UsbPort *port_below(const UsbPort *up, unsigned index)
{
    for (unsigned i = 0; i < up->bus->ports->len; i++) {
        UsbPort *p = g_ptr_array_index(up->bus->ports, i);

        if (p->upstream == up && p->index == index) {
            return p;
        }
    }
    return NULL;
}

UsbDevice *usb_find_route(UsbPort *port, uint32_t route)
{
    while (port && (route & 15)) {
        port = port_below(port, (route & 15) - 1);
        route >>= 4;
    }
    return port && port->dev && port->dev->attached ? port->dev : NULL;
}

UsbDevice *usb_find(UsbPort *port, uint8_t addr)
{
    UsbDevice *d = port->dev;

    if (!d || !d->attached) {
        return NULL;
    }
    if (d->addr == addr) {
        return d;
    }
    for (unsigned i = 0; i < port->bus->ports->len; i++) {
        UsbPort *p = g_ptr_array_index(port->bus->ports, i);
        UsbDevice *found = p->upstream == port ? usb_find(p, addr) : NULL;

        if (found) {
            return found;
        }
    }
    return NULL;
}

void usb_wakeup(UsbDevice *d, uint8_t endpoint)
{
    if (!d->attached) {
        return;
    }
    for (UsbPort *p = d->port; p; p = p->upstream) {
        if (p->ops->wakeup) {
            p->ops->wakeup(p, d, endpoint);
        }
    }
}

void usb_device_attach(UsbDevice *d)
{
    if (!d->attached) {
        d->attached = true;
        usb_device_reset(d);
        d->port->ops->attach(d->port);
    }
}

void usb_attach_by_hand(UsbDevice *d)
{
    d->unplugged |= d->dev.hotplugged;
}

bool usb_attached_changed(Object *o, const Prop *p, GError **error)
{
    UsbDevice *d = (UsbDevice *)o;

    if (!d->dev.realized) {
        d->unplugged = !d->attached_prop;
    } else if (d->attached_prop) {
        usb_device_attach(d);
    } else {
        usb_device_detach(d);
    }
    return true;
}

void usb_attached_refresh(Object *o, const Prop *p)
{
    ((UsbDevice *)o)->attached_prop = ((UsbDevice *)o)->attached;
}

/* The device is at port `to` now; the ports of a hub are below it there. */
static void port_take(UsbPort *from, UsbPort *to)
{
    to->dev = from->dev;
    to->dev->port = to;
    from->dev = NULL;
    for (guint i = 0; i < from->bus->ports->len; i++) {
        UsbPort *p = from->bus->ports->pdata[i];

        p->upstream = p->upstream == from ? to : p->upstream;
    }
}

void usb_port_handover(UsbPort *from, UsbPort *to)
{
    UsbDevice *d = from->dev;

    if (d) {
        if (d->attached) {
            from->ops->detach(from);
        }
        port_take(from, to);
        if (d->attached) {
            to->ops->attach(to);
        }
    }
}

void usb_device_detach(UsbDevice *d)
{
    UsbPort *p = d->port;

    if (d->attached) {
        p->ops->detach(p);
        d->attached = false;
        if (p->master) {    /* an empty socket is the high speed controller's */
            port_take(p, p->master);
            p->master->ops->detach(p->master);
        }
    }
}

bool usb_companion_add(Device *owner, const char *masterbus, UsbPort *ports, unsigned n,
                       unsigned first, unsigned speeds, const UsbPortOps *ops, GError **error)
{
    UsbBus *b = (UsbBus *)bus_find(owner->vm, masterbus);

    if (!b || (const BusType *)b->bus.obj.type != &usb_bus_type) {
        return fail(error, "USB bus '%s' not found", masterbus);
    }
    if (!b->add_companion) {
        return fail(error, "USB bus '%s' does not allow companion controllers", masterbus);
    }
    for (unsigned i = 0; i < n; i++) {
        ports[i] = (UsbPort){ .bus = b, .ops = ops, .opaque = owner, .index = i, .speeds = speeds };
        snprintf(ports[i].path, sizeof(ports[i].path), "%u", first + i + 1);
    }
    return b->add_companion(b, ports, n, first, error);
}

/* ---- the bus ---- */

void usb_bus_init(UsbBus *b, Device *owner)
{
    g_autofree char *name = bus_new_name(owner, "usb-bus");

    bus_init(&b->bus, &usb_bus_type, owner, name);
    b->bus.hotplug = true;
    b->ports = g_ptr_array_new();
}

void usb_bus_fini(UsbBus *b)
{
    bus_fini(&b->bus);
    g_ptr_array_unref(b->ports);
}

/* The fastest speed that both can; -1: none. */
static int common_speed(const UsbPort *p, const UsbDevice *d)
{
    for (int s = USB_SUPER; s >= USB_LOW; s--) {
        if ((p->speeds & USB_SPEED_BIT(s)) && usb_info(d)->speeds[s]) {
            return s;
        }
    }
    return -1;
}

static bool port_used(const UsbPort *p)
{
    return p->dev || (p->companion && p->companion->dev);
}

static bool usb_attach(Bus *bus, Device *dev, GError **error)
{
    UsbBus *b = (UsbBus *)bus;
    UsbDevice *d = (UsbDevice *)dev;
    UsbPort *best = NULL;

    for (unsigned i = 0; i < b->ports->len && !best; i++) {
        UsbPort *p = g_ptr_array_index(b->ports, i);

        if (d->port_path ? strcmp(p->path, d->port_path) == 0
                         : !port_used(p) && common_speed(p, d) >= 0) {
            best = p;
        }
    }
    if (!best && d->port_path) {
        return fail(error, "usb port %s (bus %s) not found (in use?)", d->port_path, bus->obj.name);
    }
    if (!best) {
        return fail(error, "tried to attach usb device %s to a bus with no free ports",
                    dev->obj.type->name);
    }
    if (port_used(best)) {
        return fail(error, "usb port %s (bus %s) not found (in use?)", best->path, bus->obj.name);
    }
    if (common_speed(best, d) < 0) {
        return fail(error,
                    "speed mismatch trying to attach usb device \"%s\" to bus \"%s\", port \"%s\"",
                    dev->obj.type->name, bus->obj.name, best->path);
    }
    d->port = best;
    best->dev = d;
    d->speed = common_speed(best, d);
    return true;
}

static void usb_detach(Bus *bus, Device *dev)
{
    UsbDevice *d = (UsbDevice *)dev;

    if (d->port) {
        usb_device_detach(d);
        d->port->dev = NULL;
        d->port = NULL;
    }
}

static void usb_plugged(Bus *bus, Device *dev)
{
    UsbDevice *d = (UsbDevice *)dev;

    if (!d->unplugged) {
        usb_device_attach(d);
    }
}

static bool usb_unplug_request(Bus *bus, Device *dev, GError **error)
{
    usb_device_detach((UsbDevice *)dev);
    device_unplug(dev);
    return true;
}

static char *usb_address(Bus *bus, Device *dev)
{
    UsbDevice *d = (UsbDevice *)dev;

    return g_strdup(d->port ? d->port->path : "");
}

static char *usb_fw_path(Bus *bus, Device *dev)
{
    UsbDevice *d = (UsbDevice *)dev;
    const char *kind = strcmp(dev->obj.type->name, "usb-storage") == 0 ? "storage"
                       : strcmp(dev->obj.type->name, "usb-hub") == 0   ? "hub"
                                                                       : "usb";

    return g_strdup_printf("%s@%s", kind, d->port ? d->port->path : "");
}

const BusType usb_bus_type = {
    .name = "usb-bus",
    .desc = "Universal Serial Bus",
    .size = sizeof(UsbBus),
    .attach = usb_attach,
    .detach = usb_detach,
    .plugged = usb_plugged,
    .unplug_request = usb_unplug_request,
    .address = usb_address,
    .fw_path = usb_fw_path,
};
BUS_TYPE(usb_bus_type);

const StateField usb_device_state[] = {
    STATE_MAX(UsbDevice, speed, USB_SUPER),
    STATE(UsbDevice, addr),
    STATE(UsbDevice, configuration),
    STATE_ARRAY(UsbDevice, alternate),
    STATE(UsbDevice, remote_wakeup),
    STATE(UsbDevice, self_powered),
    STATE(UsbDevice, attached),
    HOST_ONLY(UsbDevice, unplugged, "of start-up"),
    HOST_ONLY(UsbDevice, attached_prop, "shows `attached`"),
    STATE(UsbDevice, halted_in),
    STATE(UsbDevice, halted_out),
    STATE_ARRAY(UsbDevice, setup),
    STATE(UsbDevice, stage),
    STATE(UsbDevice, control_stall),
    STATE_COUNT(UsbDevice, control_len, control_data),
    STATE_TO(UsbDevice, control_pos, control_len, USB_CONTROL_MAX),
    STATE_ARRAY(UsbDevice, control_data),
    HOST_ONLY(UsbDevice, port, "place"),
    STATE_END,
};
