// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Remote NDIS over USB (MS-RNDIS 5.0): the control messages of the USB network adapter and the
 * header of its frames. One frame a transfer; objects that count are all 0.
 */
#include <string.h>

#include "net.h"

enum {
    MSG_PACKET = 1,
    MSG_INITIALIZE,
    MSG_HALT,
    MSG_QUERY,
    MSG_SET,
    MSG_RESET,
    MSG_INDICATE,
    MSG_KEEPALIVE,
    MSG_COMPLETE = 0x80000000u
};
enum {
    STATUS_SUCCESS = 0,
    STATUS_NOT_SUPPORTED = 0xc00000bbu,
    STATUS_INVALID_DATA = 0xc0010015u,
    STATUS_CONNECT = 0x4001000b,
    STATUS_DISCONNECT = 0x4001000c
};
#define LINK_SPEED 10000000u /* of 100 bit/s */

/* ---- objects ---- */

typedef enum OidKind {
    OID_VALUE, /* a number that never changes */
    OID_MAC,
    OID_LIST,
    OID_VENDOR,
    OID_FILTER,
    OID_MEDIA_STATUS,
    OID_LINK_SPEED
} OidKind;

typedef struct OidRow {
    uint32_t oid;
    OidKind kind;
    uint32_t value;
} OidRow;

static const OidRow oids[] = {
    {0x00010101, OID_LIST, 0},
    {0x00010102, OID_VALUE, 0}, /* hardware status: ready */
    {0x00010103, OID_VALUE, 0}, /* media: 802.3 */
    {0x00010104, OID_VALUE, 0},
    {0x00010106, OID_VALUE, USB_NET_MTU},
    {0x00010107, OID_LINK_SPEED, 0},
    {0x0001010a, OID_VALUE, USB_NET_FRAME},
    {0x0001010b, OID_VALUE, USB_NET_FRAME},
    {0x0001010c, OID_VALUE, 0x1234},
    {0x0001010d, OID_VENDOR, 0},
    {0x0001010e, OID_FILTER, 0},
    {0x00010111, OID_VALUE, USB_NET_TRANSFER},
    {0x00010114, OID_MEDIA_STATUS, 0},
    {0x00010115, OID_VALUE, 1}, /* packets a transfer */
    {0x00010116, OID_VALUE, 1}, /* the vendor driver's version */
    {0x00010202, OID_VALUE, 0}, /* physical medium: unspecified */
    {0x00020101, OID_VALUE, 0}, /* sent, received, errors, no buffer */
    {0x00020102, OID_VALUE, 0},
    {0x00020103, OID_VALUE, 0},
    {0x00020104, OID_VALUE, 0},
    {0x00020105, OID_VALUE, 0},
    {0x01010101, OID_MAC, 0},
    {0x01010102, OID_MAC, 0},
    {0x01010103, OID_VALUE, 0xe0000000}, /* multicast list */
    {0x01010104, OID_VALUE, 1}, /* its size */
    {0x01020101, OID_VALUE, 0}, /* alignment errors, collisions */
    {0x01020102, OID_VALUE, 0},
    {0x01020103, OID_VALUE, 0},
};
#define OID_FILTER_NUMBER 0x0001010eu
#define OID_MULTICAST_LIST 0x01010103u
#define OID_VALUE_MAX (4 * G_N_ELEMENTS(oids))

/* The object's value: its length, or -1. */
static int oid_read(const UsbNet *s, uint32_t oid, uint8_t *buf)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(oids); i++) {
        const OidRow *o = &oids[i];
        uint32_t value = o->value;

        if (o->oid != oid) {
            continue;
        }
        switch (o->kind) {
        case OID_MAC:
            memcpy(buf, s->mac, 6);
            return 6;
        case OID_LIST:
            for (unsigned n = 0; n < G_N_ELEMENTS(oids); n++) {
                store_le32(buf + 4 * n, oids[n].oid);
            }
            return OID_VALUE_MAX;
        case OID_VENDOR:
            memcpy(buf, "QEMU USB RNDIS Net", 19);
            return 19;
        case OID_FILTER:
            value = s->rndis_filter;
            break;
        case OID_MEDIA_STATUS:
            value = nic_link_up(&s->nic) ? 0 : 1;
            break;
        case OID_LINK_SPEED:
            value = LINK_SPEED / 100;
            break;
        default:
            break;
        }
        store_le32(buf, value);
        return 4;
    }
    return -1;
}

/* ---- answers ---- */

static void put_answer(UsbNet *s, const uint8_t *msg, size_t len)
{
    if (len <= RNDIS_ANSWERS - s->answers_len) { /* a driver that does not read them gets no more */
        memcpy(s->answers + s->answers_len, msg, len);
        s->answers_len += len;
        usb_wakeup(&s->usb, 0x81);
    }
}

size_t rndis_take_answer(UsbNet *s, uint8_t *buf, size_t size)
{
    size_t len = s->answers_len >= 8 ? load_le32(s->answers + 4) : 0, n = MIN(len, size);

    if (len == 0 || len > s->answers_len) {
        s->answers_len = 0;
        return 0;
    }
    memcpy(buf, s->answers, n);
    s->answers_len -= len;
    memmove(s->answers, s->answers + len, s->answers_len);
    return n;
}

/* The head of an answer to msg: type, length, request, status. */
static void answer_head(uint8_t *out, const uint8_t *msg, uint32_t len, uint32_t status)
{
    store_le32(out, load_le32(msg) | MSG_COMPLETE);
    store_le32(out + 4, len);
    store_le32(out + 8, load_le32(msg + 8));
    store_le32(out + 12, status);
}

void rndis_indicate_link(UsbNet *s, bool up)
{
    uint8_t out[20] = {0};

    store_le32(out, MSG_INDICATE);
    store_le32(out + 4, sizeof(out));
    store_le32(out + 8, up ? STATUS_CONNECT : STATUS_DISCONNECT);
    put_answer(s, out, sizeof(out));
}

static void initialize(UsbNet *s, const uint8_t *msg)
{
    uint8_t out[52] = {0};

    answer_head(out, msg, sizeof(out), STATUS_SUCCESS);
    store_le32(out + 16, 1); /* version 1.0 */
    store_le32(out + 24, 1); /* connectionless */
    store_le32(out + 32, 1); /* packets a transfer */
    store_le32(out + 36, USB_NET_TRANSFER);
    s->rndis_state = RNDIS_INITIALIZED;
    put_answer(s, out, sizeof(out));
}

static void query(UsbNet *s, const uint8_t *msg)
{
    uint8_t out[24 + OID_VALUE_MAX] = {0};
    int n = oid_read(s, load_le32(msg + 12), out + 24);
    uint32_t len = n > 0 ? n : 0;

    answer_head(out, msg, 24 + len, n < 0 ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS);
    store_le32(out + 16, len);
    store_le32(out + 20, n < 0 ? 0 : 16); /* from the request number on */
    put_answer(s, out, 24 + len);
}

static uint32_t set(UsbNet *s, const uint8_t *msg, size_t len)
{
    uint32_t oid = load_le32(msg + 12), n = load_le32(msg + 16), at = load_le32(msg + 20);

    if (at > len - 8 || n > len - 8 - at) {
        return STATUS_INVALID_DATA;
    }
    if (oid == OID_MULTICAST_LIST) {
        return STATUS_SUCCESS; /* all of them come through anyway */
    }
    if (oid != OID_FILTER_NUMBER || n < 4) {
        return oid == OID_FILTER_NUMBER ? STATUS_INVALID_DATA : STATUS_NOT_SUPPORTED;
    }
    s->rndis_filter = load_le32(msg + 8 + at);
    s->rndis_state = s->rndis_filter ? RNDIS_DATA_INITIALIZED : RNDIS_INITIALIZED;
    net_ready(&s->nic);
    return STATUS_SUCCESS;
}

bool rndis_message(UsbNet *s, const uint8_t *msg, size_t len)
{
    uint8_t out[16] = {0};

    if (len < 12 || load_le32(msg + 4) > len) {
        return false;
    }
    switch (load_le32(msg)) {
    case MSG_INITIALIZE:
        if (len < 24) {
            return false;
        }
        initialize(s, msg);
        return true;
    case MSG_HALT:
        s->rndis_state = RNDIS_UNINITIALIZED;
        return true;
    case MSG_QUERY:
        if (len < 28) {
            return false;
        }
        query(s, msg);
        return true;
    case MSG_SET:
        if (len < 28) {
            return false;
        }
        answer_head(out, msg, sizeof(out), set(s, msg, len));
        put_answer(s, out, sizeof(out));
        return true;
    case MSG_RESET:
        s->answers_len = 0;
        store_le32(out, MSG_RESET | MSG_COMPLETE);
        store_le32(out + 4, sizeof(out));
        store_le32(out + 12, 1); /* the driver sends addresses and filter again */
        put_answer(s, out, sizeof(out));
        return true;
    case MSG_KEEPALIVE:
        answer_head(out, msg, sizeof(out), STATUS_SUCCESS);
        put_answer(s, out, sizeof(out));
        return true;
    default:
        return false;
    }
}

/* ---- frames ---- */

const uint8_t *rndis_frame(const uint8_t *msg, size_t len, size_t *frame_len)
{
    if (len < RNDIS_HEADER || load_le32(msg) != MSG_PACKET || load_le32(msg + 4) > len) {
        return NULL;
    }
    uint32_t at = load_le32(msg + 8), n = load_le32(msg + 12);

    if (at > len - 8 || n > len - 8 - at) {
        return NULL;
    }
    *frame_len = n;
    return msg + 8 + at;
}

void rndis_header(uint8_t *header, size_t len)
{
    memset(header, 0, RNDIS_HEADER);
    store_le32(header, MSG_PACKET);
    store_le32(header + 4, RNDIS_HEADER + len);
    store_le32(header + 8, RNDIS_HEADER - 8);
    store_le32(header + 12, len);
}
