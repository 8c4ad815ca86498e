// SPDX-License-Identifier: GPL-2.0-or-later
/* The card's state, shared by its command interpreter and the bus. */
#ifndef HW_SD_SD_CARD_H
#define HW_SD_SD_CARD_H

#include "block/block.h"
#include "hw/sd/sd.h"

#define SD_BUFFER (64 * 1024)
#define SD_BLOCK 512

enum {
    SD_STATE_IDLE,
    SD_STATE_READY,
    SD_STATE_IDENT,
    SD_STATE_STBY,
    SD_STATE_TRAN,
    SD_STATE_DATA,
    SD_STATE_RCV,
    SD_STATE_PRG,
    SD_STATE_DIS,
    SD_STATE_INACTIVE = 15 };

struct SdCard {
    Device dev;
    BlockFront *drive;
    uint8_t spec_version;              /* property */
    bool spi;                          /* property */
    SdBus *bus;
    uint64_t size;                     /* bytes */
    uint8_t state;
    uint16_t rca;
    uint32_t status;                   /* error bits, cleared when told */
    uint32_t ocr;
    bool app_cmd, high_capacity, wide, multi, from_medium;
    uint32_t block_len;
    uint32_t count_left;               /* blocks of CMD23, 0: open-ended */
    uint32_t set_count;                /* CMD23 for the next command */
    uint64_t addr, limit;              /* next byte of the medium; end of the transfer */
    uint32_t erase_start, erase_end;
    uint32_t blocks_written;
    uint8_t function[6];               /* CMD6, by group */
    uint8_t *buf;                      /* SD_BUFFER bytes */
    uint32_t pos, fill, chunk;         /* chunk: how much to read next */
    struct iovec iov;
    bool in_flight;                    /* the medium is reading or writing buf */
    bool fetch_next;                   /* a read begins when that has ended */
    uint8_t after;                     /* state to go to when it has written */
};

unsigned sd_card_command(SdCard *s, unsigned cmd, uint32_t arg, uint8_t resp[16]);
size_t sd_card_read(SdCard *s, void *buf, size_t len);
size_t sd_card_write(SdCard *s, const void *buf, size_t len);

#endif
