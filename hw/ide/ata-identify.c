// SPDX-License-Identifier: GPL-2.0-or-later
/* IDENTIFY DEVICE and IDENTIFY PACKET DEVICE data (ATA8-ACS 7.16, 7.17). */
#include <string.h>

#include "ata.h"
#include "util/bswap.h"

static void put(uint8_t *buf, unsigned word, uint16_t value)
{
    store_le16(buf + 2 * word, value);
}

/* Strings are padded with blanks, with the bytes of each word swapped. */
static void put_text(uint8_t *buf, unsigned word, unsigned bytes, const char *text)
{
    char field[40];

    copy_padded(field, bytes, text, ' ');
    for (unsigned i = 0; i < bytes; i++) {
        buf[2 * word + (i ^ 1)] = (uint8_t)field[i];
    }
}

static void put_names(AtaDrive *d)
{
    put_text(d->buf, 10, 20, d->serial);
    put_text(d->buf, 23, 8, d->version);
    put_text(d->buf, 27, 40, d->model);
}

static void put_modes(AtaDrive *d)
{
    put(d->buf, 53, 7);                         /* words 54-58, 64-70, 88 are valid */
    put(d->buf, 63, 7 | d->mdma << 8);
    put(d->buf, 64, 3);                         /* PIO 3, 4 */
    for (unsigned w = 65; w <= 68; w++) {
        put(d->buf, w, 120);                    /* ns a cycle */
    }
    put(d->buf, 88, 0x3f | d->udma << 8);
    if (d->bus->ops->sata) {
        put(d->buf, 76, 0x0006 | (d->cd ? 0 : 0x0100));     /* 1.5, 3 Gb/s; NCQ */
        put(d->buf, 75, d->cd ? 0 : ATA_NCQ_TAGS - 1);
    } else {
        put(d->buf, 93, 0x6001 | (d->unit ? 0x0200 : 0));   /* 80 wires */
    }
}

static void put_features(AtaDrive *d)
{
    bool wwn = d->wwn != 0;
    uint16_t enabled = 1 << 14 | (d->drive->write_cache ? 1 << 5 : 0);

    put(d->buf, 82, 1 << 14 | 1 << 5);          /* NOP, write cache */
    put(d->buf, 83, 1 << 14 | 1 << 13 | 1 << 12 | 1 << 10);     /* FLUSH EXT, FLUSH, 48 bits */
    put(d->buf, 84, 1 << 14 | 1 << 6 | (wwn ? 1 << 8 : 0));     /* FUA */
    put(d->buf, 85, enabled);
    put(d->buf, 86, 1 << 13 | 1 << 12 | 1 << 10);
    put(d->buf, 87, 1 << 14 | 1 << 6 | (wwn ? 1 << 8 : 0));
    if (wwn) {
        for (unsigned i = 0; i < 4; i++) {
            put(d->buf, 108 + i, d->wwn >> (48 - 16 * i));
        }
    }
}

static void put_size(AtaDrive *d)
{
    uint64_t n = ata_sectors(d);
    uint32_t small = n > 0xfffffff ? 0xfffffff : n;
    uint32_t chs = d->geometry.cyls * d->cur_heads * d->cur_secs;
    unsigned per_physical = (unsigned)d->conf.physical_block_size / ATA_SECTOR;
    unsigned log = per_physical > 1 ? (unsigned)__builtin_ctz(per_physical) : 0;

    put(d->buf, 1, d->geometry.cyls);
    put(d->buf, 3, d->geometry.heads);
    put(d->buf, 4, 512 * d->geometry.secs);
    put(d->buf, 5, 512);
    put(d->buf, 6, d->geometry.secs);
    put(d->buf, 54, d->geometry.cyls);
    put(d->buf, 55, d->cur_heads);
    put(d->buf, 56, d->cur_secs);
    put(d->buf, 57, chs);
    put(d->buf, 58, chs >> 16);
    put(d->buf, 60, small);
    put(d->buf, 61, small >> 16);
    for (unsigned i = 0; i < 4; i++) {
        put(d->buf, 100 + i, n >> 16 * i);
    }
    put(d->buf, 106, 0x6000 | log);
}

void ata_identify(AtaDrive *d)
{
    put(d->buf, 0, 0x0040);                     /* fixed disk */
    put_names(d);
    put_size(d);
    put(d->buf, 20, 3);
    put(d->buf, 21, 512);
    put(d->buf, 22, 4);
    put(d->buf, 47, 0x8000 | ATA_MAX_MULT);
    put(d->buf, 48, 1);
    put(d->buf, 49, 1 << 11 | 1 << 9 | 1 << 8); /* IORDY, LBA, DMA */
    put(d->buf, 51, 0x200);
    put(d->buf, 52, 0x200);
    put(d->buf, 59, d->mult ? 0x100 | d->mult : 0);
    put(d->buf, 80, 0xf0);                      /* ATA-4 to ATA-7 */
    put(d->buf, 81, 0x16);
    put_modes(d);
    put_features(d);
    if (d->conf.discard_granularity) {
        put(d->buf, 69, 1 << 14);               /* reads after TRIM are stable */
        put(d->buf, 105, ATA_BUF_SIZE / ATA_SECTOR);
        put(d->buf, 169, 1);
    }
    put(d->buf, 217, d->rotation_rate);
}

void atapi_identify(AtaDrive *d)
{
    put(d->buf, 0, 0x85c0);                     /* packet device, CD, removable, DRQ within 50 us */
    put_names(d);
    put(d->buf, 20, 3);
    put(d->buf, 21, 512);
    put(d->buf, 22, 4);
    put(d->buf, 48, 1);
    put(d->buf, 49, 1 << 9 | 1 << 8);
    put_modes(d);
    put(d->buf, 71, 30);
    put(d->buf, 72, 30);
    put(d->buf, 80, 0x1e);                      /* ATA-1 to ATA-4 */
    put(d->buf, 82, 1 << 4 | 1 << 9 | 1 << 14);
    put(d->buf, 85, 1 << 4 | 1 << 9 | 1 << 14);
    put(d->buf, 83, 1 << 14);
    put(d->buf, 87, 1 << 14);
}
