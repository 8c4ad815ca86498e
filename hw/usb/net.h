// SPDX-License-Identifier: GPL-2.0-or-later
/* The USB network adapter: what its data path (net.c) and its RNDIS half (rndis.c) share. */
#ifndef HW_USB_NET_H
#define HW_USB_NET_H

#include "hw/net/nic.h"
#include "hw/usb/usb.h"

#define USB_NET_MTU 1500u
#define USB_NET_FRAME (USB_NET_MTU + 14)
#define RNDIS_HEADER 44u /* before a frame */
#define USB_NET_TRANSFER (USB_NET_FRAME + RNDIS_HEADER + 22) /* the longest, 1580 */
#define RNDIS_ANSWERS 4096u

typedef enum RndisState {
    RNDIS_UNINITIALIZED,
    RNDIS_INITIALIZED,
    RNDIS_DATA_INITIALIZED
} RndisState;

typedef struct UsbNet {
    UsbDevice usb;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex;
    NetClient nic;
    char mac_text[13]; /* the string descriptor */
    /* state */
    uint8_t in[USB_NET_TRANSFER], out[USB_NET_TRANSFER];
    uint32_t in_len, in_pos, out_len;
    bool in_zero; /* a packet of no bytes ends the transfer */
    bool out_skip; /* a transfer that is too long is read to its end */
    uint16_t cdc_filter; /* of SET_ETHERNET_PACKET_FILTER */
    bool link_news; /* the link's state is to be told */
    uint8_t rndis_state; /* RndisState */
    uint32_t rndis_filter;
    uint8_t answers[RNDIS_ANSWERS]; /* whole messages, the oldest first */
    uint32_t answers_len;
} UsbNet;

/* A message of the driver; false: none that is known. */
bool rndis_message(UsbNet *s, const uint8_t *msg, size_t len);
/* The oldest answer, taken from the list; its length, 0: none. */
size_t rndis_take_answer(UsbNet *s, uint8_t *buf, size_t size);
/* Tells the driver of the link. */
void rndis_indicate_link(UsbNet *s, bool up);
/* The frame in a packet message: NULL when it is none. */
const uint8_t *rndis_frame(const uint8_t *msg, size_t len, size_t *frame_len);
/* The header of a frame of len bytes. */
void rndis_header(uint8_t *header, size_t len);

#endif
