// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio console device (Virtual I/O Device 1.1, 5.3): a bus of ports, each a byte stream to a
 * character device. virtconsole shows as a console in the guest, virtserialport as a named
 * device. Left out: console sizes.
 */
#include <string.h>

#include "chardev/chardev.h"
#include "hw/virtio/virtio.h"
#include "qom/vm.h"
#include "qapi/qapi-events.h"
#include "util/bswap.h"

#define MAX_PORTS 31u
#define QUEUE_SIZE 128
#define CONTROL_LEN 8u
#define NAME_MAX_LEN 64u
#define CHUNK 4096u

enum { CONSOLE_F_MULTIPORT = 1, CONSOLE_F_EMERG_WRITE = 2 };
enum {
    DEVICE_READY,
    PORT_ADD,
    PORT_REMOVE,
    PORT_READY,
    CONSOLE_PORT,
    RESIZE,
    PORT_OPEN,
    PORT_NAME
};
enum { CONTROL_IN = 2, CONTROL_OUT = 3 };

typedef struct SerialPort SerialPort;

typedef struct VirtioSerial {
    VirtioDevice v;
    Bus bus;
    uint32_t max_ports;
    bool emergency_write;
    SerialPort *ports[MAX_PORTS];
    GQueue *control;                     /* uint8_t messages that wait for a buffer: GBytes */
    bool guest_ready;
} VirtioSerial;

struct SerialPort {
    Device dev;
    Chardev *chardev;
    char *name;
    uint32_t nr;
    bool guest_open;
    /* an element that is partly written to the character device */
    VirtqElem *out;
    uint64_t out_done;
    ChardevFe fe;
};

static const BusType serial_bus_type;

static VirtioSerial *port_host(SerialPort *p)
{
    return (VirtioSerial *)p->dev.parent_bus->owner;
}

static bool is_console(const SerialPort *p)
{
    return strcmp(p->dev.obj.type->name, "virtconsole") == 0;
}

/* 5.3.2: port 0 has queues 0 and 1, port n from 2n + 2 on. */
static unsigned in_queue(unsigned nr)
{
    return nr ? 2 * nr + 2 : 0;
}

/* ---- control, 5.3.6.2 ---- */

static void control_flush(VirtioSerial *s)
{
    VirtioDevice *v = &s->v;
    VirtqElem *e;

    while (!g_queue_is_empty(s->control) && (e = virtq_pop(v, &v->vq[CONTROL_IN])) != NULL) {
        g_autoptr(GBytes) m = g_queue_pop_head(s->control);
        gsize len;
        const void *data = g_bytes_get_data(m, &len);

        virtq_push(v, e, virtq_write(v, e, 0, data, len));
        virtq_notify(v, e->vq);
        g_free(e);
    }
}

static void control_send(VirtioSerial *s, uint32_t port, uint16_t event, uint16_t value,
                         const char *text)
{
    uint8_t m[CONTROL_LEN + NAME_MAX_LEN];
    size_t n = text ? MIN(strlen(text), NAME_MAX_LEN) : 0;

    if (!s->guest_ready || !virtio_has(&s->v, CONSOLE_F_MULTIPORT)) {
        return;
    }
    store_le32(m, port);
    store_le16(m + 4, event);
    store_le16(m + 6, value);
    if (n) {
        memcpy(m + CONTROL_LEN, text, n);
    }
    g_queue_push_tail(s->control, g_bytes_new(m, CONTROL_LEN + n));
    control_flush(s);
}

static void set_guest_open(SerialPort *p, bool open)
{
    if (p->guest_open != open && p->dev.id) {
        qapi_event_vserport_change(&(VserportChangeEvent){.id = p->dev.id, .open = open});
    }
    p->guest_open = open;
    chardev_fe_set_open(&p->fe, open);
    if (open) {
        chardev_accept_input(&p->fe);
    }
}

static void control_message(VirtioSerial *s, const uint8_t *m)
{
    uint32_t nr = load_le32(m);
    uint16_t event = load_le16(m + 4), value = load_le16(m + 6);

    if (event == DEVICE_READY) {
        s->guest_ready = value;
        for (unsigned i = 0; value && i < s->max_ports; i++) {
            if (s->ports[i]) {
                control_send(s, i, PORT_ADD, 1, NULL);
            }
        }
        return;
    }
    SerialPort *p = nr < s->max_ports ? s->ports[nr] : NULL;

    if (!p) {
        guest_error("virtio-serial: control message for port %u, which is not there", nr);
        return;
    }
    if (event == PORT_READY && value) {
        if (is_console(p)) {
            control_send(s, nr, CONSOLE_PORT, 1, NULL);
        }
        if (p->name) {
            control_send(s, nr, PORT_NAME, 1, p->name);
        }
        if (chardev_fe_connected(&p->fe)) {
            control_send(s, nr, PORT_OPEN, 1, NULL);
        }
    } else if (event == PORT_OPEN) {
        set_guest_open(p, value);
    }
}

static void control_out(VirtioSerial *s)
{
    VirtioDevice *v = &s->v;
    VirtqElem *e;

    while ((e = virtq_pop(v, &v->vq[CONTROL_OUT])) != NULL) {
        uint8_t m[CONTROL_LEN];

        if (virtq_read(v, e, 0, m, sizeof(m)) == sizeof(m)) {
            control_message(s, m);
        }
        virtq_push(v, e, 0);
        virtq_notify(v, e->vq);
        g_free(e);
    }
}

/* ---- data ---- */

/*
 * Writes what the guest gave; stops when the character device is full, which tells when it is not.
 */
static void port_output(SerialPort *p)
{
    VirtioDevice *v = &port_host(p)->v;
    VirtQueue *vq = &v->vq[in_queue(p->nr) + 1];

    while (p->out || (p->out = virtq_pop(v, vq)) != NULL) {
        while (p->out_done < p->out->out_len) {
            uint8_t buf[CHUNK];
            size_t want = MIN(sizeof(buf), p->out->out_len - p->out_done);
            size_t n = virtq_read(v, p->out, p->out_done, buf, want);
            size_t taken = n ? chardev_write(&p->fe, buf, n) : 0;

            if (n == 0) {
                break;
            }
            p->out_done += taken;
            if (taken < n) {
                return;
            }
        }
        virtq_push(v, p->out, 0);
        virtq_notify(v, vq);
        g_clear_pointer(&p->out, g_free);
        p->out_done = 0;
    }
}

static size_t port_can_receive(void *opaque)
{
    SerialPort *p = opaque;
    VirtioDevice *v = &port_host(p)->v;
    VirtQueue *vq = &v->vq[in_queue(p->nr)];

    if (!(v->status & VIRTIO_STATUS_DRIVER_OK) || v->broken ||
        (virtio_has(v, CONSOLE_F_MULTIPORT) && !p->guest_open)) {
        return 0;
    }
    return virtq_empty(v, vq) ? 0 : CHUNK;
}

static void port_receive(void *opaque, const uint8_t *buf, size_t len)
{
    SerialPort *p = opaque;
    VirtioDevice *v = &port_host(p)->v;
    VirtQueue *vq = &v->vq[in_queue(p->nr)];
    VirtqElem *e;

    while (len && (e = virtq_pop(v, vq)) != NULL) {
        size_t n = virtq_write(v, e, 0, buf, MIN(len, e->in_len));

        virtq_push(v, e, n);
        g_free(e);
        if (n == 0) {
            break;
        }
        buf += n;
        len -= n;
    }
    virtq_notify(v, vq);
}

static void port_event(void *opaque, ChardevEvent event)
{
    SerialPort *p = opaque;

    if (p->dev.realized && !is_console(p) && (event == CHARDEV_OPENED || event == CHARDEV_CLOSED)) {
        control_send(port_host(p), p->nr, PORT_OPEN, event == CHARDEV_OPENED, NULL);
    }
}

static void port_drained(void *opaque)
{
    port_output(opaque);
}

static const ChardevFeOps port_fe_ops = {
    .can_receive = port_can_receive, .receive = port_receive, .event = port_event, .drained = port_drained,
};

static void serial_notify(VirtioDevice *v, unsigned n)
{
    VirtioSerial *s = (VirtioSerial *)v;

    if (n == CONTROL_IN) {
        control_flush(s);
        return;
    }
    if (n == CONTROL_OUT) {
        control_out(s);
        return;
    }
    SerialPort *p = s->ports[n < 2 ? 0 : n / 2 - 1];

    if (!p) {
        return;
    }
    if (n & 1) {
        port_output(p);
    } else {
        chardev_accept_input(&p->fe);
    }
}

/* ---- the host device ---- */

static uint64_t serial_features(VirtioDevice *v)
{
    VirtioSerial *s = (VirtioSerial *)v;

    return (s->max_ports > 1 ? VIRTIO_BIT(CONSOLE_F_MULTIPORT) : 0) |
           (s->emergency_write ? VIRTIO_BIT(CONSOLE_F_EMERG_WRITE) : 0);
}

static void serial_config_read(VirtioDevice *v)
{
    store_le32(v->config + 4, ((VirtioSerial *)v)->max_ports);
}

/* 5.3.4: a byte without queues, for early messages. */
static void serial_config_write(VirtioDevice *v, uint32_t off, uint32_t len)
{
    VirtioSerial *s = (VirtioSerial *)v;

    if (off == 8 && s->ports[0] && is_console(s->ports[0])) {
        chardev_write(&s->ports[0]->fe, v->config + 8, 1);
    }
}

static void drop_control(VirtioSerial *s)
{
    GBytes *m;

    while ((m = g_queue_pop_head(s->control)) != NULL) {
        g_bytes_unref(m);
    }
}

static bool serial_realize(VirtioDevice *v, GError **error)
{
    VirtioSerial *s = (VirtioSerial *)v;

    if (s->max_ports == 0 || s->max_ports > MAX_PORTS) {
        return fail(error, "maximum ports supported: %u", MAX_PORTS);
    }
    for (unsigned i = 0; i < 2 * (s->max_ports + 1); i++) {
        virtio_add_queue(v, i == CONTROL_IN || i == CONTROL_OUT ? 32 : QUEUE_SIZE);
    }
    s->control = g_queue_new();
    g_autofree char *name = NULL;
    Device *d = v->transport_device ? v->transport_device : &v->pci.dev;

    if (d->id) {
        name = g_strdup_printf("%s.0", d->id);
    }
    bus_init(&s->bus, &serial_bus_type, &v->pci.dev, name);
    s->bus.hotplug = true;
    return true;
}

static void serial_unrealize(VirtioDevice *v)
{
    VirtioSerial *s = (VirtioSerial *)v;

    bus_fini(&s->bus);
    drop_control(s);
    g_clear_pointer(&s->control, g_queue_free);
}

static void serial_reset(VirtioDevice *v)
{
    VirtioSerial *s = (VirtioSerial *)v;

    s->guest_ready = false;
    drop_control(s);
    for (unsigned i = 0; i < s->max_ports; i++) {
        if (s->ports[i]) {
            g_clear_pointer(&s->ports[i]->out, g_free);
            s->ports[i]->out_done = 0;
            set_guest_open(s->ports[i], false);
        }
    }
}

static const Prop virtio_serial_props[] = {
    PROP_U32(VirtioSerial, max_ports, "max_ports", MAX_PORTS),
    PROP_BOOL(VirtioSerial, emergency_write, "emergency-write", true),
    PROP_END,
};

static const StateField virtio_serial_state[] = {
    STATE(VirtioSerial, guest_ready), HOST_ONLY(VirtioSerial, bus, "host side"),
    HOST_ONLY(VirtioSerial, ports, "devices on the bus"),
    HOST_ONLY(VirtioSerial, control, "empty when the driver has given buffers"), STATE_END,
};

static const VirtioType virtio_serial_type = {
    .name = "virtio-serial", .desc = "Serial ports and consoles", .category = "input",
    .id = 3, .legacy_pci_id = 0x1003, .pci_class = 0x078000, .size = sizeof(VirtioSerial), .config_size = 12, .vectors = 2,
    .props = virtio_serial_props, .state = virtio_serial_state,
    .realize = serial_realize, .unrealize = serial_unrealize, .reset = serial_reset,
    .features = serial_features, .config_read = serial_config_read, .config_write = serial_config_write,
    .notify = serial_notify,
};
VIRTIO_TYPE(virtio_serial_type);

/* ---- ports ---- */

static bool port_attach(Bus *bus, Device *d, GError **error)
{
    VirtioSerial *s = (VirtioSerial *)bus->owner;
    SerialPort *p = (SerialPort *)d;

    if (p->nr == UINT32_MAX) {
        /* port 0 is for consoles: others begin at 1 */
        p->nr = is_console(p) ? 0 : 1;
        while (p->nr < s->max_ports && s->ports[p->nr]) {
            p->nr++;
        }
    }
    if (p->nr >= s->max_ports) {
        return fail(error, "virtio-serial-bus: Out-of-range port id specified, max. allowed: %u",
                    s->max_ports - 1);
    }
    if (s->ports[p->nr]) {
        return fail(error, "virtio-serial-bus: A port already exists at id %u", p->nr);
    }
    if (p->nr == 0 && !is_console(p)) {
        return fail(error, "Port number 0 on virtio-serial devices reserved for virtconsole "
                           "devices for backward compatibility.");
    }
    if (p->name && strlen(p->name) > NAME_MAX_LEN) {
        return fail(error, "%s: property 'name' is longer than %u characters", d->obj.type->name,
                    NAME_MAX_LEN);
    }
    s->ports[p->nr] = p;
    return true;
}

static void port_detach(Bus *bus, Device *d)
{
    VirtioSerial *s = (VirtioSerial *)bus->owner;
    SerialPort *p = (SerialPort *)d;

    if (p->nr < MAX_PORTS && s->ports[p->nr] == p) {
        control_send(s, p->nr, PORT_REMOVE, 1, NULL);
        s->ports[p->nr] = NULL;
    }
}

static void port_plugged(Bus *bus, Device *d)
{
    control_send((VirtioSerial *)bus->owner, ((SerialPort *)d)->nr, PORT_ADD, 1, NULL);
}

static bool port_unplug_request(Bus *bus, Device *d, GError **error)
{
    device_unplug(d);
    return true;
}

static const BusType serial_bus_type = {
    .name = "virtio-serial-bus", .desc = "Ports of a virtio console device", .size = sizeof(Bus), .attach = port_attach,
    .detach = port_detach, .plugged = port_plugged, .unplug_request = port_unplug_request,
};
BUS_TYPE(serial_bus_type);

static bool port_realize(Device *d, GError **error)
{
    SerialPort *p = (SerialPort *)d;

    if (!p->chardev) {
        return true;                     /* what is written goes nowhere */
    }
    return chardev_fe_attach(&p->fe, p->chardev, &port_fe_ops, p, error);
}

static void port_unrealize(Device *d)
{
    SerialPort *p = (SerialPort *)d;

    chardev_fe_detach(&p->fe);
    g_clear_pointer(&p->out, g_free);
}

static const Prop port_props[] = {
    PROP_CHARDEV(SerialPort, chardev),
    PROP_STRING(SerialPort, name, "name"),
    PROP_U32(SerialPort, nr, "nr", UINT32_MAX),
    PROP_END,
};

static const StateField port_state[] = {
    STATE(SerialPort, guest_open), STATE(SerialPort, out_done), HOST_ONLY(SerialPort, out, "saved with the queue"),
    HOST_ONLY(SerialPort, fe, "connection to the back end"), STATE_END,
};

static const DeviceType console_type = {
    .name = "virtconsole", .bus = "virtio-serial-bus", .category = "input", .desc = "Virtio console port",
    .size = sizeof(SerialPort), .state_version = 1, .hotpluggable = true, .props = port_props, .state = port_state,
    .realize = port_realize, .unrealize = port_unrealize,
};
DEVICE_TYPE(console_type);

static const DeviceType port_type = {
    .name = "virtserialport", .bus = "virtio-serial-bus", .category = "input", .desc = "Virtio serial port",
    .size = sizeof(SerialPort), .state_version = 1, .hotpluggable = true, .props = port_props, .state = port_state,
    .realize = port_realize, .unrealize = port_unrealize,
};
DEVICE_TYPE(port_type);
