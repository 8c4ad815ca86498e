// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USB devices, ports and packets (USB 2.0 and 3.2). A host controller owns a UsbBus with ports and
 * sends packets; a device is a table of descriptors (UsbInfo) and the few functions that move
 * data. Standard requests are answered by the core. Machine lock held throughout.
 */
#ifndef HW_USB_USB_H
#define HW_USB_USB_H

#include <sys/uio.h>
#include "qom/device.h"

#define USB_MAX_INTERFACES 16
#define USB_CONTROL_MAX 4096u /* bytes of a control transfer's data */

typedef struct UsbBus UsbBus;
typedef struct UsbPort UsbPort;
typedef struct UsbDevice UsbDevice;
typedef struct UsbPacket UsbPacket;

typedef enum UsbSpeed {
    USB_LOW,
    USB_FULL,
    USB_HIGH,
    USB_SUPER
} UsbSpeed;
#define USB_SPEED_BIT(s) (1u << (s))
typedef enum UsbPid {
    USB_SETUP = 0x2d,
    USB_IN = 0x69,
    USB_OUT = 0xe1
} UsbPid;

typedef enum UsbStatus {
    USB_OK,
    USB_NAK, /* nothing now: usb_wakeup() tells when it is worth to try again */
    USB_STALL,
    USB_BABBLE, /* more data than the packet has room for */
    USB_IO_ERROR,
    USB_NO_DEVICE,
    USB_ASYNC, /* usb_packet_done() will be called */
} UsbStatus;

struct UsbPacket {
    UsbPid pid;
    UsbDevice *dev;
    uint8_t ep; /* number, without direction */
    uint16_t stream; /* 0: none */
    const struct iovec *iov; /* valid until the packet is over */
    unsigned niov;
    size_t size; /* bytes in iov */
    size_t actual; /* bytes moved */
    UsbStatus status;
    void (*done)(UsbPacket *p); /* the controller's, after USB_ASYNC */
    void *opaque; /* the controller's */
    void *device_data; /* the device's */
};

/* Sends p to p->dev; p->status says what came of it. */
void usb_packet_run(UsbPacket *p);
/* Takes back a packet that is USB_ASYNC: done() is not called any more. */
void usb_packet_cancel(UsbPacket *p);
/* For devices: copy between a packet and buf, from p->actual on. The bytes copied. */
size_t usb_packet_put(UsbPacket *p, const void *buf, size_t len);
size_t usb_packet_get(UsbPacket *p, void *buf, size_t len);
/* For devices: an asynchronous packet is over, with this status. */
void usb_packet_done(UsbPacket *p, UsbStatus status);
/* Ends a packet with STALL and halts its endpoint. */
void usb_packet_stall(UsbPacket *p);

/* ---- descriptors, USB 2.0 chapter 9 ---- */

typedef struct UsbEndpointRow {
    uint8_t address; /* bit 7: IN */
    uint8_t attributes; /* 0 control, 1 isochronous, 2 bulk, 3 interrupt */
    uint16_t max_packet;
    uint8_t interval;
    uint8_t max_burst; /* super speed: packets less 1 */
    uint8_t streams; /* super speed bulk: log2 of their number */
    uint16_t bytes_per_interval;
    const uint8_t *extra; /* class descriptors behind it */
    uint8_t extra_len;
    bool audio; /* has bRefresh and bSynchAddress */
} UsbEndpointRow;

typedef struct UsbInterfaceRow {
    uint8_t number, alternate, class_code, subclass, protocol, string;
    const UsbEndpointRow *endpoints;
    uint8_t num_endpoints;
    const uint8_t *extra; /* class descriptors before the endpoints */
    uint8_t extra_len;
} UsbInterfaceRow;

typedef struct UsbConfig {
    uint8_t attributes; /* 0x80 always, 0x40 own power, 0x20 remote wake-up */
    uint8_t max_power; /* units of 2 mA */
    uint8_t value, string;
    uint8_t num_interfaces; /* without alternates */
    const UsbInterfaceRow *interfaces;
    uint8_t num_rows;
} UsbConfig;

/* What a device is at one speed. */
typedef struct UsbSpeedInfo {
    uint16_t bcd_usb;
    uint8_t class_code, subclass, protocol;
    uint8_t max_packet0; /* super speed: its logarithm */
    const UsbConfig *configs;
    uint8_t num_configs;
} UsbSpeedInfo;

enum {
    USB_STR_MANUFACTURER = 1,
    USB_STR_PRODUCT,
    USB_STR_SERIAL,
    USB_STR_FIRST_FREE
};

typedef struct UsbSetup {
    uint8_t type, request;
    uint16_t value, index, length;
} UsbSetup;

/* DeviceType.bus_info of a USB device. */
typedef struct UsbInfo {
    uint16_t vendor, product, release;
    const char *const *strings; /* by index from USB_STR_MANUFACTURER; NULL-terminated */
    uint8_t product_string, serial_string; /* 0: the usual ones */
    /* Descriptors that a property chooses; may be NULL. */
    const UsbSpeedInfo *(*speed_info)(const UsbDevice *d);
    /* A string that the table cannot know; NULL: the table's. May be NULL. */
    const char *(*string)(UsbDevice *d, unsigned index);
    const UsbSpeedInfo *speeds[4]; /* by UsbSpeed; NULL: does not run at that speed */
    /*
     * A request that the core does not answer. data: setup->length bytes to be read or to fill.
     * The bytes filled (0 for OUT), or -1: STALL. NULL: every one stalls.
     */
    int (*control)(UsbDevice *d, const UsbSetup *setup, uint8_t *data);
    /* A packet for an endpoint other than 0, not halted: sets status and actual. */
    void (*data)(UsbDevice *d, UsbPacket *p);
    /* p is taken back; NULL for devices that have no asynchronous packets. */
    void (*cancel)(UsbDevice *d, UsbPacket *p);
    /* After a bus reset, and when a configuration was chosen; may be NULL. */
    void (*reset)(UsbDevice *d);
    void (*set_interface)(UsbDevice *d, unsigned number, unsigned alternate);
    void (*halt_cleared)(UsbDevice *d, uint8_t endpoint);
} UsbInfo;

struct UsbDevice {
    Device dev;
    /* properties */
    char *port_path, *serial;
    bool attached_prop;
    /* state */
    uint8_t speed; /* UsbSpeed */
    uint8_t addr, configuration, alternate[USB_MAX_INTERFACES];
    bool remote_wakeup, self_powered, attached;
    uint16_t halted_in, halted_out;
    uint8_t setup[8], stage;
    bool control_stall;
    bool unplugged; /* set by realize: the device attaches itself later */
    uint32_t control_len, control_pos;
    uint8_t control_data[USB_CONTROL_MAX];
    /* host side */
    UsbPort *port;
};

static inline const UsbInfo *usb_info(const UsbDevice *d)
{
    return device_type(&d->dev)->bus_info;
}

/* ---- ports and buses ---- */

typedef struct UsbPortOps {
    void (*attach)(UsbPort *p); /* p->dev is there; its speed is settled */
    void (*detach)(UsbPort *p); /* p->dev is still there */
    /* dev, at p or at a hub below it, has data for an endpoint, or wakes its suspended port. */
    void (*wakeup)(UsbPort *p, UsbDevice *dev, uint8_t endpoint);
} UsbPortOps;

struct UsbPort {
    UsbBus *bus;
    UsbPort *upstream; /* the hub's own port; NULL: a port of the controller */
    UsbDevice *dev; /* NULL: empty */
    const UsbPortOps *ops;
    void *opaque;
    unsigned index; /* from 0 */
    unsigned speeds; /* USB_SPEED_BIT of those that it can */
    char path[24]; /* "1", "1.3" */
    /* Of a high speed controller's port and its companion's at the same socket; NULL: none. */
    UsbPort *companion, *master;
};

struct UsbBus {
    Bus bus;
    GPtrArray *ports; /* UsbPort * */
    /* A companion brings n ports for the sockets from first on; NULL: the controller takes none. */
    bool (*add_companion)(UsbBus *b, UsbPort *ports, unsigned n, unsigned first, GError **error);
};
extern const BusType usb_bus_type; /* "usb-bus" */

/* Names it "ID.0" when the controller has an id, else "usb-bus.N". */
void usb_bus_init(UsbBus *b, Device *owner);
void usb_bus_fini(UsbBus *b);
/* upstream: the hub's port, or NULL. port is the caller's. */
void usb_port_add(UsbBus *b, UsbPort *port, UsbPort *upstream, unsigned index, unsigned speeds,
                  const UsbPortOps *ops, void *opaque);
void usb_port_remove(UsbPort *port);
/* For companions: gives ports to the controller that owns the bus named `masterbus`. */
bool usb_companion_add(Device *owner, const char *masterbus, UsbPort *ports, unsigned n,
                       unsigned first, unsigned speeds, const UsbPortOps *ops, GError **error);
/* Moves what is attached at a socket to the other controller's port of it. */
void usb_port_handover(UsbPort *from, UsbPort *to);
/* Port reset: address 0, no configuration. */
void usb_device_reset(UsbDevice *d);
/* The device of that address at port or below it; NULL: none answers. */
UsbDevice *usb_find(UsbPort *port, uint8_t addr);
/* The device at the end of a route string (USB 3.2, 8.9): four bits a hub, 0 ends. NULL: none. */
UsbDevice *usb_find_route(UsbPort *port, uint32_t route);
/* For devices: endpoint (with direction bit) may be worth a try; wakes the host if it sleeps. */
void usb_wakeup(UsbDevice *d, uint8_t endpoint);
/* Takes the device from the bus and puts it back (medium came or went at run time). */
void usb_device_detach(UsbDevice *d);
void usb_device_attach(UsbDevice *d);
/* The row of an endpoint of the current configuration and alternates; NULL: none. */
const UsbEndpointRow *usb_endpoint(const UsbDevice *d, uint8_t address);

/* The product string, "" if there is none; the device's. */
const char *usb_product(UsbDevice *d);
/* ---- of the core ---- */
int usb_standard_request(UsbDevice *d, const UsbSetup *setup, uint8_t *data);

/*
 * For realize: a device that is plugged at run time is attached by qom-set attached, once its bus
 * is populated.
 */
void usb_attach_by_hand(UsbDevice *d);
bool usb_attached_changed(Object *o, const Prop *p, GError **error);
void usb_attached_refresh(Object *o, const Prop *p);

#define USB_DEVICE_PROPS(T) \
    PROP_STRING(T, usb.port_path, "port"), PROP_STRING(T, usb.serial, "serial"), \
        PROP_BOOL(T, usb.attached_prop, "attached", false, .flags = PROP_LIVE, \
                  .changed = usb_attached_changed, .refresh = usb_attached_refresh)
extern const StateField usb_device_state[];

#endif
