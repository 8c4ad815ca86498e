// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of host controllers that walk lists in memory: one per transfer descriptor, kept while a
 * device has it.
 */
#ifndef HW_USB_PENDING_H
#define HW_USB_PENDING_H

#include "hw/usb/usb.h"

typedef struct UsbPending {
    uint32_t key;        /* address of the descriptor */
    UsbPacket packet;
    struct iovec iov;
    bool done, seen;
    void (*wake)(void *opaque);    /* when an asynchronous one is over; may be NULL */
    void *opaque;
    uint8_t buf[];
} UsbPending;

/* A packet of len bytes for dev (NULL: nobody answers); not on a list yet. */
UsbPending *usb_pending_new(uint32_t key, UsbPid pid, UsbDevice *dev, uint8_t ep, size_t len);
/* Sends it. True: it is over, and the caller's. False: a device has it, and it is on the list. */
bool usb_pending_run(GPtrArray *list, UsbPending *p);
/* The one of that descriptor, marked as seen; NULL: none. */
UsbPending *usb_pending_find(GPtrArray *list, uint32_t key);
/* Takes it from the list; the caller's. */
void usb_pending_take(GPtrArray *list, UsbPending *p);
void usb_pending_free(UsbPending *p);
/* Takes back all; or those that were not seen since the last call. */
void usb_pending_clear(GPtrArray *list);
void usb_pending_sweep(GPtrArray *list);

/* n little-endian words of a structure in memory; false: it is not there. */
bool usb_words_read(Device *d, uint32_t addr, uint32_t *w, unsigned n);
void usb_words_write(Device *d, uint32_t addr, const uint32_t *w, unsigned n);

#endif
