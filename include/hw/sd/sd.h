// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SD bus: one card, one host controller. Commands are answered at once; data flow as the medium
 * allows: sd_read and sd_write take or give less than asked for when the card is not ready, and the
 * host hears `ready` when it is worth trying again. Machine lock.
 */
#ifndef HW_SD_SD_H
#define HW_SD_SD_H

#include "qom/device.h"

typedef struct SdCard SdCard;

/* What a host controller hears; may be NULL. */
typedef struct SdHostOps {
    void (*ready)(void *opaque);       /* data, room for data, or no longer busy; never from inside a call of the host's */
} SdHostOps;

typedef struct SdBus {
    Bus bus;
    SdCard *card;                      /* NULL: the slot is empty */
    const SdHostOps *ops;
    void *opaque;
} SdBus;

/* A bus named "sd-bus" of owner's. */
void sd_bus_init(SdBus *b, Device *owner, const SdHostOps *ops, void *opaque);
/* Pin multiplexing: the card of one slot is seen by another controller. */
void sd_bus_lend(SdBus *from, SdBus *to);
bool sd_inserted(const SdBus *b);
bool sd_read_only(const SdBus *b);
/*
 * A command (0 to 63); response, most significant byte first. Returns its length: 4, 16 (the whole
 * register with its CRC byte), or 0: none came.
 */
unsigned sd_command(SdBus *b, unsigned cmd, uint32_t arg, uint8_t resp[16]);
size_t sd_read(SdBus *b, void *buf, size_t len);
size_t sd_write(SdBus *b, const void *buf, size_t len);
/* Bytes that sd_read would give now. */
size_t sd_available(const SdBus *b);
/* The card keeps the data line busy. */
bool sd_busy(const SdBus *b);
/* The card is in a data transfer to the host / from it. */
bool sd_sending(const SdBus *b);
bool sd_receiving(const SdBus *b);

#endif
