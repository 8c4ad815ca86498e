// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands of ATA disks as rows (ATA8-ACS), and those that packet devices share with them.
 * Left out: SMART, security, host protected area, streaming.
 */
#include <string.h>

#include "ata.h"

typedef enum AtaKind { DISK = 1, CD = 2, BOTH = 3 } AtaKind;
enum { LBA48 = 1, SATA_ONLY = 2 };

typedef struct AtaCommand {
    uint8_t code;
    AtaKind kinds;
    unsigned flags;
    void (*run)(AtaDrive *d);
    const char *help;
} AtaCommand;

/* ---- addresses ---- */

/* First sector and count from the registers; false after failing the command. */
static bool get_range(AtaDrive *d)
{
    const AtaTaskFile *t = &d->tf, *h = &d->hob;
    uint64_t n = t->count;

    if (d->ata_lba48) {
        d->lba = t->lbal | t->lbam << 8 | (uint64_t)t->lbah << 16 | (uint64_t)h->lbal << 24 |
                 (uint64_t)h->lbam << 32 | (uint64_t)h->lbah << 40;
        n |= h->count << 8;
        d->left = n ? (uint32_t)n : 65536;
    } else {
        if (d->device & 0x40) {
            d->lba = t->lbal | t->lbam << 8 | t->lbah << 16 | (uint64_t)(d->device & 15) << 24;
        } else if (t->lbal == 0 || t->lbal > d->cur_secs || (d->device & 15u) >= d->cur_heads) {
            ata_fail(d, ATA_IDNF);
            return false;
        } else {
            d->lba = ((uint64_t)(t->lbam | t->lbah << 8) * d->cur_heads + (d->device & 15)) *
                         d->cur_secs +
                     t->lbal - 1;
        }
        d->left = n ? (uint32_t)n : 256;
    }
    if (!ata_in_range(d, d->lba, d->left)) {
        ata_fail(d, ATA_IDNF);
        return false;
    }
    return true;
}

static void set_lba(AtaDrive *d, uint64_t lba)
{
    d->tf.lbal = lba;
    d->tf.lbam = lba >> 8;
    d->tf.lbah = lba >> 16;
    if (d->ata_lba48) {
        d->hob.lbal = lba >> 24;
        d->hob.lbam = lba >> 32;
        d->hob.lbah = lba >> 40;
    } else {
        d->device = (d->device & 0xf0) | (lba >> 24 & 15);
    }
}

/* ---- data ---- */

static void cmd_read(AtaDrive *d)
{
    if (get_range(d)) {
        d->step = STEP_NONE;
        d->chunk = 0;
        ata_step(d, STEP_READ);
    }
}

static void cmd_write(AtaDrive *d)
{
    bool multiple = d->command != 0x30 && d->command != 0x31 && d->command != 0x34;

    if (get_range(d)) {
        d->chunk = multiple && d->mult ? MIN(d->left, d->mult) : 1;
        ata_pio_out(d, d->chunk * ATA_SECTOR, STEP_WRITE);
    }
}

static void cmd_multiple(AtaDrive *d)
{
    if (!d->mult) {
        ata_abort(d);
    } else if (d->command == 0xc4 || d->command == 0x29) {
        cmd_read(d);
    } else {
        cmd_write(d);
    }
}

static void cmd_read_dma(AtaDrive *d)
{
    if (get_range(d)) {
        ata_dma(d, false, STEP_READ);
    }
}

static void cmd_write_dma(AtaDrive *d)
{
    if (get_range(d)) {
        ata_dma(d, true, STEP_WRITE);
    }
}

static void cmd_verify(AtaDrive *d)
{
    if (get_range(d)) {
        ata_end(d);
    }
}

static void flushed(AtaDrive *d, AtaRequest *r, int ret)
{
    d->active = NULL;
    ret < 0 ? ata_abort(d) : ata_end(d);
}

static void cmd_flush(AtaDrive *d)
{
    d->active = ata_request_new(d, ATA_OP_FLUSH, 0, 0, flushed);
    ata_request_submit(d->active);
}

static void cmd_trim(AtaDrive *d)
{
    uint32_t blocks = d->tf.count | (uint32_t)d->hob.count << 8;

    if (!(d->tf.feature & 1) || blocks == 0 || blocks * ATA_SECTOR > ATA_BUF_SIZE) {
        ata_abort(d);
        return;
    }
    d->reply_len = blocks * ATA_SECTOR;
    ata_dma(d, true, STEP_TRIM);
}

/* ---- the rest ---- */

static void cmd_nothing(AtaDrive *d)
{
    ata_end(d);
}

static void cmd_identify(AtaDrive *d)
{
    memset(d->buf, 0, ATA_SECTOR);
    ata_identify(d);
    ata_pio_in(d, ATA_SECTOR, STEP_NONE);
}

static void cmd_identify_cd(AtaDrive *d)
{
    /* a disk's command: tells that it is none */
    ata_signature(d);
    ata_abort(d);
}

static void cmd_identify_packet(AtaDrive *d)
{
    memset(d->buf, 0, ATA_SECTOR);
    atapi_identify(d);
    ata_pio_in(d, ATA_SECTOR, STEP_NONE);
}

static void cmd_diagnose(AtaDrive *d)
{
    ata_signature(d);
    d->status = d->cd ? 0 : ATA_DRDY | ATA_DSC;
    d->error = 1;
    if (d->bus->ops->end) {
        d->bus->ops->end(d->bus, d);
    }
    d->bus->ops->irq(d->bus, d);
}

static void cmd_device_reset(AtaDrive *d)
{
    ata_request_forget(&d->active);
    ata_signature(d);
    d->status = 0;
    d->error = 1;
    if (d->bus->ops->end) {
        d->bus->ops->end(d->bus, d);
    }
}

static void cmd_geometry(AtaDrive *d)
{
    if (!d->tf.count) {
        ata_abort(d);
        return;
    }
    d->cur_secs = d->tf.count;
    d->cur_heads = (d->device & 15u) + 1;
    ata_end(d);
}

static void cmd_set_multiple(AtaDrive *d)
{
    uint8_t n = d->tf.count;

    if (n > ATA_MAX_MULT || (n & (n - 1))) {
        ata_abort(d);
        return;
    }
    d->mult = n;
    ata_end(d);
}

static void cmd_power(AtaDrive *d)
{
    d->tf.count = 0xff;     /* active or idle */
    ata_end(d);
}

static void cmd_native_max(AtaDrive *d)
{
    uint64_t last = ata_sectors(d) - 1;

    set_lba(d, d->ata_lba48 ? last : MIN(last, 0xfffffff));
    ata_end(d);
}

static void set_transfer_mode(AtaDrive *d)
{
    uint8_t mode = d->tf.count & 7;

    switch (d->tf.count >> 3) {
    case 0:             /* PIO */
    case 1:
        d->mdma = d->udma = 0;
        break;
    case 2:             /* single word DMA: obsolete */
        d->mdma = d->udma = 0;
        break;
    case 4:
        d->mdma = mode <= 2 ? 1u << mode : 0;
        d->udma = 0;
        break;
    case 8:
        d->udma = mode <= 5 ? 1u << mode : 0;
        d->mdma = 0;
        break;
    default:
        ata_abort(d);
        return;
    }
    ata_end(d);
}

static void cmd_features(AtaDrive *d)
{
    switch (d->tf.feature) {
    case 0x02:
        d->drive->write_cache = true;
        ata_end(d);
        break;
    case 0x82:
        d->drive->write_cache = false;
        cmd_flush(d);
        break;
    case 0x03:
        set_transfer_mode(d);
        break;
    case 0x05: case 0x85: case 0x42: case 0xc2: case 0x55: case 0xaa: case 0x66: case 0xcc:
    case 0x67: case 0x69: case 0x96: case 0x9a:
        ata_end(d);
        break;
    default:
        ata_abort(d);
        break;
    }
}

/* Logs: the directory and the NCQ error log, which AHCI fills in beforehand at buf's end. */
static void cmd_read_log(AtaDrive *d)
{
    uint8_t page = d->tf.lbal;
    uint32_t n = d->tf.count | (uint32_t)d->hob.count << 8;

    if (n != 1 || (page != 0 && page != 0x10) || d->tf.lbam) {
        ata_abort(d);
        return;
    }
    memset(d->buf, 0, ATA_SECTOR);
    if (page == 0) {
        d->buf[0] = 1;
        d->buf[2 * 0x10] = 1;
    } else {
        uint8_t sum = 0;

        memcpy(d->buf, d->ncq_error, sizeof(d->ncq_error));
        for (unsigned i = 0; i < ATA_SECTOR - 1; i++) {
            sum += d->buf[i];
        }
        d->buf[ATA_SECTOR - 1] = (uint8_t)-sum;
    }
    ata_pio_in(d, ATA_SECTOR, STEP_NONE);
}

static const AtaCommand commands[] = {
    { 0x06, DISK, LBA48, cmd_trim, "DATA SET MANAGEMENT" },
    { 0x08, CD, 0, cmd_device_reset, "DEVICE RESET" },
    { 0x10, DISK, 0, cmd_nothing, "RECALIBRATE" },
    { 0x20, DISK, 0, cmd_read, "READ SECTORS" },
    { 0x21, DISK, 0, cmd_read, "READ SECTORS without retries" },
    { 0x24, DISK, LBA48, cmd_read, "READ SECTORS EXT" },
    { 0x25, DISK, LBA48, cmd_read_dma, "READ DMA EXT" },
    { 0x27, DISK, LBA48, cmd_native_max, "READ NATIVE MAX ADDRESS EXT" },
    { 0x29, DISK, LBA48, cmd_multiple, "READ MULTIPLE EXT" },
    { 0x2f, DISK, LBA48 | SATA_ONLY, cmd_read_log, "READ LOG EXT" },
    { 0x30, DISK, 0, cmd_write, "WRITE SECTORS" },
    { 0x31, DISK, 0, cmd_write, "WRITE SECTORS without retries" },
    { 0x34, DISK, LBA48, cmd_write, "WRITE SECTORS EXT" },
    { 0x35, DISK, LBA48, cmd_write_dma, "WRITE DMA EXT" },
    { 0x39, DISK, LBA48, cmd_multiple, "WRITE MULTIPLE EXT" },
    { 0x3d, DISK, LBA48, cmd_write_dma, "WRITE DMA FUA EXT" },
    { 0x40, DISK, 0, cmd_verify, "READ VERIFY SECTORS" },
    { 0x41, DISK, 0, cmd_verify, "READ VERIFY SECTORS without retries" },
    { 0x42, DISK, LBA48, cmd_verify, "READ VERIFY SECTORS EXT" },
    { 0x70, DISK, 0, cmd_nothing, "SEEK" },
    { 0x90, BOTH, 0, cmd_diagnose, "EXECUTE DEVICE DIAGNOSTIC" },
    { 0x91, DISK, 0, cmd_geometry, "INITIALIZE DEVICE PARAMETERS" },
    { 0xa0, CD, 0, atapi_command, "PACKET" },
    { 0xa1, CD, 0, cmd_identify_packet, "IDENTIFY PACKET DEVICE" },
    { 0xc4, DISK, 0, cmd_multiple, "READ MULTIPLE" },
    { 0xc5, DISK, 0, cmd_multiple, "WRITE MULTIPLE" },
    { 0xc6, DISK, 0, cmd_set_multiple, "SET MULTIPLE MODE" },
    { 0xc8, DISK, 0, cmd_read_dma, "READ DMA" },
    { 0xc9, DISK, 0, cmd_read_dma, "READ DMA without retries" },
    { 0xca, DISK, 0, cmd_write_dma, "WRITE DMA" },
    { 0xcb, DISK, 0, cmd_write_dma, "WRITE DMA without retries" },
    { 0xce, DISK, LBA48, cmd_multiple, "WRITE MULTIPLE FUA EXT" },
    { 0xe0, BOTH, 0, cmd_nothing, "STANDBY IMMEDIATE" },
    { 0xe1, BOTH, 0, cmd_nothing, "IDLE IMMEDIATE" },
    { 0xe2, BOTH, 0, cmd_nothing, "STANDBY" },
    { 0xe3, BOTH, 0, cmd_nothing, "IDLE" },
    { 0xe5, BOTH, 0, cmd_power, "CHECK POWER MODE" },
    { 0xe6, BOTH, 0, cmd_nothing, "SLEEP" },
    { 0xe7, BOTH, 0, cmd_flush, "FLUSH CACHE" },
    { 0xea, DISK, LBA48, cmd_flush, "FLUSH CACHE EXT" },
    { 0xec, DISK, 0, cmd_identify, "IDENTIFY DEVICE" },
    { 0xec, CD, 0, cmd_identify_cd, "IDENTIFY DEVICE" },
    { 0xef, BOTH, 0, cmd_features, "SET FEATURES" },
    { 0xf8, DISK, 0, cmd_native_max, "READ NATIVE MAX ADDRESS" },
};

void ata_command(AtaDrive *d, uint8_t code)
{
    bool sata = d->bus->ops->sata;

    d->command = code;
    d->step = STEP_NONE;
    d->phase = PHASE_NONE;
    d->error = 0;
    d->status = ATA_BSY | ATA_DRDY | ATA_DSC;
    for (unsigned i = 0; i < ARRAY_COUNT(commands); i++) {
        const AtaCommand *c = &commands[i];

        if (c->code == code && (c->kinds & (d->cd ? CD : DISK)) &&
            (sata || !(c->flags & SATA_ONLY))) {
            d->ata_lba48 = c->flags & LBA48;
            c->run(d);
            return;
        }
    }
    ata_abort(d);
}
