// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USB network adapter: Ethernet Networking Control Model of the Communications Device Class (CDC
 * 1.2, ECM 1.2) as configuration 1, Remote NDIS (rndis.c) as configuration 2. A frame is a
 * transfer, which ends with a short packet. Left out: multicast filters, statistics, power filters.
 */
#include "net.h"

#include <stdio.h>
#include <string.h>

#define PACKET 64u /* of the bulk endpoints */

enum {
    CONFIG_CDC = 1,
    CONFIG_RNDIS = 2
};
enum {
    SEND_ENCAPSULATED_COMMAND = 0x2100,
    GET_ENCAPSULATED_RESPONSE = 0xa101,
    SET_ETHERNET_PACKET_FILTER = 0x2143
};
enum {
    FILTER_PROMISCUOUS = 1,
    FILTER_ALL_MULTICAST = 2,
    FILTER_DIRECTED = 4,
    FILTER_BROADCAST = 8,
    FILTER_MULTICAST = 16
};
/* NDIS_PACKET_TYPE_*: the same meanings in other places. */
enum {
    NDIS_DIRECTED = 1,
    NDIS_MULTICAST = 2,
    NDIS_ALL_MULTICAST = 4,
    NDIS_BROADCAST = 8,
    NDIS_PROMISCUOUS = 0x20
};
enum {
    STR_MAC = 3,
    STR_DATA,
    STR_CONTROL,
    STR_RNDIS_CONTROL,
    STR_CDC,
    STR_SUBSET,
    STR_RNDIS,
    STR_SERIAL
};

static UsbNet *of_nic(NetClient *c)
{
    return c->opaque;
}

static bool is_rndis(const UsbNet *s)
{
    return s->usb.configuration == CONFIG_RNDIS;
}

/* Whether the driver has set up the data interface. */
static bool runs(const UsbNet *s)
{
    return s->usb.attached &&
           (is_rndis(s) ? s->rndis_state == RNDIS_DATA_INITIALIZED
                        : s->usb.configuration == CONFIG_CDC && s->usb.alternate[1] == 1);
}

/* ---- frames for the host ---- */

static bool net_can_receive(NetClient *c)
{
    const UsbNet *s = of_nic(c);

    return !runs(s) || (s->in_len == 0 && !s->in_zero);
}

static bool wanted(const UsbNet *s, const uint8_t *f)
{
    uint32_t filter = s->cdc_filter;

    if (is_rndis(s)) {
        uint32_t n = s->rndis_filter;

        filter = (n & NDIS_PROMISCUOUS ? FILTER_PROMISCUOUS : 0) |
                 (n & (NDIS_ALL_MULTICAST | NDIS_MULTICAST) ? FILTER_ALL_MULTICAST : 0) |
                 (n & NDIS_DIRECTED ? FILTER_DIRECTED : 0) |
                 (n & NDIS_BROADCAST ? FILTER_BROADCAST : 0);
    }
    if (filter & FILTER_PROMISCUOUS) {
        return true;
    }
    if (eth_is_broadcast(f)) {
        return filter & FILTER_BROADCAST;
    }
    if (f[0] & 1) {
        return filter & (FILTER_ALL_MULTICAST | FILTER_MULTICAST);
    }
    return (filter & FILTER_DIRECTED) && memcmp(f, s->mac, 6) == 0;
}

static ssize_t net_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    UsbNet *s = of_nic(c);
    unsigned header = is_rndis(s) ? RNDIS_HEADER : 0;

    if (!runs(s) || len < 14 || len > USB_NET_FRAME + 4 || !wanted(s, frame)) {
        return -1;
    }
    if (!net_can_receive(c)) {
        return 0;
    }
    if (header) {
        rndis_header(s->in, len);
    }
    memcpy(s->in + header, frame, len);
    s->in_len = header + len;
    s->in_pos = 0;
    usb_wakeup(&s->usb, 0x82);
    return (ssize_t)len;
}

static void net_link_changed(NetClient *c, bool up)
{
    UsbNet *s = of_nic(c);

    if (is_rndis(s)) {
        rndis_indicate_link(s, nic_link_up(c));
    } else {
        s->link_news = true;
        usb_wakeup(&s->usb, 0x81);
    }
}

static void net_rx_filter(NetClient *c, NetRxFilter *f)
{
    UsbNet *s = of_nic(c);
    bool promiscuous =
        is_rndis(s) ? s->rndis_filter & NDIS_PROMISCUOUS : s->cdc_filter & FILTER_PROMISCUOUS;

    *f = (NetRxFilter){
        .promiscuous = promiscuous, .broadcast_allowed = true, .multicast = NET_RX_ALL};
    memcpy(f->main_mac, s->mac, 6);
}

static const NetOps net_ops = {
    .type = "usb-net",
    .can_receive = net_can_receive,
    .receive = net_receive,
    .link_changed = net_link_changed,
    .rx_filter = net_rx_filter,
};

/* ---- packets ---- */

static void bulk_in(UsbNet *s, UsbPacket *p)
{
    uint32_t left = s->in_len - s->in_pos;

    if (s->in_zero) {
        s->in_zero = false;
    } else if (!left) {
        p->status = USB_NAK;
        return;
    } else {
        s->in_pos += usb_packet_put(p, s->in + s->in_pos, left);
        if (s->in_pos < s->in_len) {
            return;
        }
        /* all of it: when the packet is full, nothing says yet that this was the end */
        s->in_zero = p->actual == p->size && s->in_len % PACKET == 0;
        s->in_len = s->in_pos = 0;
    }
    net_ready(&s->nic);
}

static void transfer_done(UsbNet *s)
{
    const uint8_t *frame = s->out;
    size_t len = s->out_len;

    s->out_len = 0;
    if (s->out_skip) {
        s->out_skip = false;
        return;
    }
    if (is_rndis(s)) {
        frame = rndis_frame(s->out, len, &len);
    } else {
        len = MIN(len, USB_NET_FRAME);
    }
    if (frame && len >= 14 && len <= USB_NET_FRAME + 4 && runs(s)) {
        net_send(&s->nic, frame, len);
    }
}

/* Drivers may end a full packet by the length in RNDIS's header instead of a short one. */
static bool rndis_complete(const UsbNet *s)
{
    return is_rndis(s) && s->out_len >= 8 && load_le32(s->out + 4) == s->out_len;
}

static void bulk_out(UsbNet *s, UsbPacket *p)
{
    if (p->size > sizeof(s->out) - s->out_len) {
        s->out_skip = true;
        s->out_len = 0;
        p->actual = p->size;
    } else {
        s->out_len += usb_packet_get(p, s->out + s->out_len, p->size);
    }
    if (p->size % PACKET || p->size == 0 || rndis_complete(s)) {
        transfer_done(s);
    }
}

/* ECM 6.3 and CDC 6.3.1: the notification endpoint. */
static void notification(UsbNet *s, UsbPacket *p)
{
    uint8_t out[8] = {0};

    if (is_rndis(s) && s->answers_len) {
        out[0] = 1; /* RESPONSE_AVAILABLE */
    } else if (!is_rndis(s) && s->link_news) {
        out[0] = 0xa1;
        out[2] = nic_link_up(&s->nic); /* NETWORK_CONNECTION */
        s->link_news = false;
    } else {
        p->status = USB_NAK;
        return;
    }
    if (p->size < sizeof(out)) {
        p->status = USB_BABBLE;
        return;
    }
    usb_packet_put(p, out, sizeof(out));
}

static void net_data(UsbDevice *d, UsbPacket *p)
{
    UsbNet *s = (UsbNet *)d;

    if (p->pid == USB_OUT) {
        bulk_out(s, p);
    } else if (p->ep == 1) {
        notification(s, p);
    } else {
        bulk_in(s, p);
    }
}

static void flush(UsbNet *s)
{
    s->in_len = s->in_pos = s->out_len = 0;
    s->in_zero = s->out_skip = false;
}

static int net_control(UsbDevice *d, const UsbSetup *q, uint8_t *data)
{
    UsbNet *s = (UsbNet *)d;
    size_t n;

    switch (q->type << 8 | q->request) {
    case SEND_ENCAPSULATED_COMMAND:
        return is_rndis(s) && rndis_message(s, data, q->length) ? 0 : -1;
    case GET_ENCAPSULATED_RESPONSE:
        if (!is_rndis(s) || q->length == 0) {
            return -1;
        }
        n = rndis_take_answer(s, data, q->length);
        data[0] = n ? data[0] : 0;
        if (s->answers_len) {
            usb_wakeup(&s->usb, 0x81);
        }
        return n ? (int)n : 1;
    case SET_ETHERNET_PACKET_FILTER:
        s->cdc_filter = q->value;
        return 0;
    default:
        return -1;
    }
}

static void net_set_interface(UsbDevice *d, unsigned number, unsigned alternate)
{
    UsbNet *s = (UsbNet *)d;

    flush(s);
    if (number == 1 && alternate == 1) {
        s->link_news = true;
        usb_wakeup(d, 0x81);
    }
    net_ready(&s->nic);
}

static void net_reset(UsbDevice *d)
{
    UsbNet *s = (UsbNet *)d;

    flush(s);
    s->cdc_filter = FILTER_DIRECTED | FILTER_BROADCAST | FILTER_MULTICAST | FILTER_ALL_MULTICAST;
    s->link_news = false;
    s->rndis_state = RNDIS_UNINITIALIZED;
    s->rndis_filter = s->answers_len = 0;
}

static const char *net_string(UsbDevice *d, unsigned index)
{
    return index == STR_MAC ? ((UsbNet *)d)->mac_text : NULL;
}

static bool usb_net_realize(Device *dev, GError **error)
{
    UsbNet *s = (UsbNet *)dev;

    nic_settle_mac(s->mac);
    for (unsigned i = 0; i < 6; i++) {
        snprintf(s->mac_text + 2 * i, 3, "%02X", s->mac[i]);
    }
    nic_attach(&s->nic, &net_ops, dev, s->peer);
    net_reset(&s->usb);
    return true;
}

static void usb_net_unrealize(Device *dev)
{
    net_nic_fini(&((UsbNet *)dev)->nic);
}

/* ---- descriptors ---- */

static const char *const net_strings[] = {
    "QEMU",
    "RNDIS/QEMU USB Network Device",
    "",
    "QEMU USB Net Data Interface",
    "QEMU USB Net Control Interface",
    "QEMU USB Net RNDIS Control Interface",
    "QEMU USB Net CDC",
    "QEMU USB Net Subset",
    "QEMU USB Net RNDIS",
    "1",
    NULL,
};

/*
 * CDC 1.2, 5.2.3, and ECM 1.2, 5.4: header, call management, abstract control model, union,
 * Ethernet
 */
static const uint8_t rndis_class[] = {5, 0x24, 0, 0x10, 0x01, 5,    0x24, 1, 0, 1,
                                      4, 0x24, 2, 0,    5,    0x24, 6,    0, 1};
static const uint8_t cdc_class[] = {5,
                                    0x24,
                                    0,
                                    0x10,
                                    0x01,
                                    5,
                                    0x24,
                                    6,
                                    0,
                                    1,
                                    13,
                                    0x24,
                                    15,
                                    STR_MAC,
                                    0,
                                    0,
                                    0,
                                    0,
                                    USB_NET_FRAME & 0xff,
                                    USB_NET_FRAME >> 8,
                                    0,
                                    0,
                                    0};

static const UsbEndpointRow net_notification[] = {
    {.address = 0x81, .attributes = 3, .max_packet = 16, .interval = 32},
};
static const UsbEndpointRow net_bulk[] = {
    {.address = 0x82, .attributes = 2, .max_packet = PACKET},
    {.address = 0x02, .attributes = 2, .max_packet = PACKET},
};
static const UsbInterfaceRow rndis_interfaces[] = {
    {.number = 0, .class_code = 2, .subclass = 2, .protocol = 0xff, .string = STR_RNDIS_CONTROL,
     .endpoints = net_notification, .num_endpoints = 1, .extra = rndis_class, .extra_len = sizeof(rndis_class)},
    {.number = 1, .class_code = 10, .string = STR_DATA, .endpoints = net_bulk, .num_endpoints = 2},
};
static const UsbInterfaceRow cdc_interfaces[] = {
    {.number = 0, .class_code = 2, .subclass = 6, .string = STR_CONTROL, .endpoints = net_notification,
     .num_endpoints = 1, .extra = cdc_class, .extra_len = sizeof(cdc_class)},
    {.number = 1, .alternate = 0, .class_code = 10},
    {.number = 1, .alternate = 1, .class_code = 10, .string = STR_DATA, .endpoints = net_bulk, .num_endpoints = 2},
};
static const UsbConfig net_configs[] = {
    {.attributes = 0xc0, .max_power = 50, .value = CONFIG_RNDIS, .string = STR_RNDIS, .num_interfaces = 2,
     .interfaces = rndis_interfaces, .num_rows = G_N_ELEMENTS(rndis_interfaces)},
    {.attributes = 0xc0, .max_power = 50, .value = CONFIG_CDC, .string = STR_CDC, .num_interfaces = 2,
     .interfaces = cdc_interfaces, .num_rows = G_N_ELEMENTS(cdc_interfaces)},
};
static const UsbSpeedInfo net_full = {
    .bcd_usb = 0x0200, .class_code = 2, .max_packet0 = 64, .configs = net_configs, .num_configs = 2,
};
static const UsbInfo net_info = {
    .vendor = 0x0525, .product = 0xa4a2, .strings = net_strings, .serial_string = STR_SERIAL, .string = net_string,
    .speeds = {[USB_FULL] = &net_full},
    .control = net_control, .data = net_data, .reset = net_reset, .set_interface = net_set_interface,
};

static const Prop usb_net_props[] = {USB_DEVICE_PROPS(UsbNet), NIC_PROPS(UsbNet), PROP_END};

static const StateField usb_net_state[] = {
    STATE_STRUCT(UsbNet, usb, usb_device_state),
    STATE_ARRAY(UsbNet, in),
    STATE_ARRAY(UsbNet, out),
    STATE_COUNT(UsbNet, in_len, in),
    STATE_TO(UsbNet, in_pos, in_len, USB_NET_TRANSFER),
    STATE_COUNT(UsbNet, out_len, out),
    STATE(UsbNet, in_zero),
    STATE(UsbNet, out_skip),
    STATE(UsbNet, cdc_filter),
    STATE(UsbNet, link_news),
    STATE(UsbNet, rndis_state),
    STATE(UsbNet, rndis_filter),
    STATE_ARRAY(UsbNet, answers),
    STATE_COUNT(UsbNet, answers_len, answers),
    HOST_ONLY(UsbNet, nic, "back end"),
    HOST_ONLY(UsbNet, mac_text, "by the property"),
    STATE_END,
};

static const DeviceType usb_net_type = {
    .name = "usb-net",
    .bus = "usb-bus",
    .category = "network",
    .desc = "USB network adapter (CDC Ethernet, RNDIS)",
    .size = sizeof(UsbNet),
    .state_version = 1,
    .hotpluggable = true,
    .bus_info = &net_info,
    .props = usb_net_props,
    .state = usb_net_state,
    .realize = usb_net_realize,
    .unrealize = usb_net_unrealize,
};
DEVICE_TYPE(usb_net_type);
