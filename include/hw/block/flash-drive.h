// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The drive behind a flash chip: its contents are read when the chip is made, and what the guest
 * programs or erases follows in the background, one request at a time.
 */
#ifndef HW_BLOCK_FLASH_DRIVE_H
#define HW_BLOCK_FLASH_DRIVE_H

#include "block/block.h"
#include "exec/memory.h"

/* The chip sets the first group, once, before flash_drive_load(). Machine lock throughout. */
typedef struct FlashDrive {
    BlockFront *drive; /* NULL: contents live as long as the chip */
    Region *mem;
    bool inverted; /* mem has the complement of the drive's bytes, so that erased ones are zero */
    void (*failed)(void *opaque, int error); /* a write; error is negative, of errno.h */
    void *opaque;

    bool read_only;
    bool writing, bad;
    uint64_t dirty_low, dirty_high; /* bytes to be written; equal: none */
    uint8_t *out;
    struct iovec iov;
} FlashDrive;

/* Fills mem; a drive of another size or that cannot be read is an error. */
bool flash_drive_load(FlashDrive *f, GError **error);

/* These bytes of mem have changed, by the device. Never waits. */
void flash_drive_changed(FlashDrive *f, uint64_t offset, uint64_t len);

#endif
