// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PACKET command (ATA8-ACS 7.20): how packets and their data move, by PIO in blocks of the
 * host's byte count or by DMA; the commands are hw/scsi/mmc.c.
 */
#include <errno.h>
#include <string.h>

#include "ata.h"

/* Interrupt reason: bits of the count register. */
enum {
    REASON_CD = 1,
    REASON_IO = 2
};
enum {
    SENSE_MEDIUM_ERROR = 3,
    SENSE_NOT_READY = 2
};

static bool by_dma(const AtaDrive *d)
{
    return d->tf.feature & 1;
}

/* Most bytes of a PIO block. */
static uint32_t byte_limit(AtaDrive *d)
{
    uint32_t limit = d->tf.lbam | (uint32_t)d->tf.lbah << 8;

    if (d->bus->ops->sata) {
        return 0xfffe;
    }
    if (limit == 0xffff || limit == 0) {
        limit = 0xfffe;
    }
    return limit < 2 ? 2 : limit;
}

void atapi_command(AtaDrive *d)
{
    if (d->tf.feature & 2) {
        ata_abort(d); /* overlapped */
        return;
    }
    d->chunk = 0;
    d->tf.count = REASON_CD;
    ata_pio_out(d, 12, STEP_PACKET);
}

void atapi_end(AtaDrive *d)
{
    d->tf.count = REASON_CD | REASON_IO;
    d->mmc.sense_key = d->mmc.asc = d->mmc.ascq = 0;
    ata_end(d);
}

/* What mmc.sense_key says ended the command. */
static void atapi_fail(AtaDrive *d)
{
    d->tf.count = REASON_CD | REASON_IO;
    ata_fail(d, (uint8_t)(d->mmc.sense_key << 4) | ATA_ABRT);
}

static void atapi_sense(AtaDrive *d, uint8_t key, uint8_t asc, uint8_t ascq)
{
    mmc_sense(&d->mmc, key, asc, ascq);
    atapi_fail(d);
}

/* ---- replies from buf ---- */

static void show_block(AtaDrive *d, uint32_t bytes, AtaStep next)
{
    d->tf.lbam = bytes;
    d->tf.lbah = bytes >> 8;
    d->tf.count = REASON_IO;
    ata_pio_in(d, bytes, next);
}

static void atapi_reply(AtaDrive *d, uint32_t len)
{
    d->reply_len = len;
    d->reply_pos = 0;
    if (d->reply_len == 0) {
        atapi_end(d);
    } else if (by_dma(d)) {
        ata_dma(d, false, STEP_REPLY);
    } else {
        atapi_reply_next(d);
    }
}

void atapi_reply_next(AtaDrive *d)
{
    uint32_t n = d->reply_len - d->reply_pos;

    if (n == 0) {
        atapi_end(d);
        return;
    }
    if (n > d->chunk) {
        n = d->chunk & ~1u;
    }
    /* what is shown is at the start of buf */
    if (d->reply_pos) {
        memmove(d->buf, d->buf + d->pio_len, d->reply_len - d->reply_pos);
    }
    d->reply_pos += n;
    show_block(d, n, STEP_REPLY);
}

/* ---- sectors ---- */

void atapi_read_failed(AtaDrive *d, int ret)
{
    if (ret == -ENOMEDIUM) {
        atapi_sense(d, SENSE_NOT_READY, 0x3a, 0);
    } else {
        atapi_sense(d, SENSE_MEDIUM_ERROR, 0x11, 0);
    }
}

static void cd_read_done(AtaDrive *d, AtaRequest *r, int ret)
{
    uint32_t n = (uint32_t)r->bytes;

    d->active = NULL;
    if (ret < 0) {
        atapi_read_failed(d, ret);
        return;
    }
    memcpy(d->buf, r->own, n);
    d->lba += n / CD_SECTOR;
    d->left -= n / CD_SECTOR;
    d->reply_pos = 0;
    d->reply_len = n;
    atapi_read_next(d);
}

/* Shows what is left of the buffer, or fills it again, or ends. */
void atapi_read_next(AtaDrive *d)
{
    uint32_t n = d->reply_len - d->reply_pos;

    if (n) {
        if (n > d->chunk) {
            n = d->chunk & ~1u;
        }
        if (d->reply_pos) {
            memmove(d->buf, d->buf + d->pio_len, d->reply_len - d->reply_pos);
        }
        d->reply_pos += n;
        show_block(d, n, STEP_CD_READ);
        return;
    }
    if (!d->left) {
        atapi_end(d);
        return;
    }
    /* whole sectors when the host's limit has room for some */
    uint32_t fits = d->chunk >= CD_SECTOR ? MIN(d->left, d->chunk / CD_SECTOR) : 1;
    AtaRequest *r =
        ata_request_new(d, ATA_OP_READ, d->lba * CD_SECTOR, fits * CD_SECTOR, cd_read_done);

    d->status = ATA_BSY;
    if (posix_memalign((void **)&r->own, 4096, r->bytes) != 0) {
        g_error("no memory for a drive's buffer");
    }
    r->iov = (struct iovec){r->own, r->bytes};
    d->active = r;
    ata_request_submit(r);
}

/* READ: lba and left are set and in range. */
static void atapi_read(AtaDrive *d)
{
    d->reply_pos = d->reply_len = 0;
    if (d->left == 0) {
        atapi_end(d);
    } else if (by_dma(d)) {
        ata_dma(d, false, STEP_CD_READ);
    } else {
        atapi_read_next(d);
    }
}

void atapi_packet(AtaDrive *d)
{
    MmcReply reply = {.buf = d->buf};

    memset(d->cdb, 0, sizeof(d->cdb));
    memcpy(d->cdb, d->buf, 12);
    d->chunk = byte_limit(d);
    d->left = 0;
    d->reply_pos = d->reply_len = 0;
    switch (mmc_command(&d->mmc, d->cdb, &reply)) {
    case MMC_GOOD:
        atapi_end(d);
        break;
    case MMC_REPLY:
        atapi_reply(d, reply.len);
        break;
    case MMC_READ:
        d->lba = reply.lba;
        d->left = reply.count;
        atapi_read(d);
        break;
    case MMC_SENSE:
        atapi_fail(d);
        break;
    }
}
