// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine of ATA drives: data phases, requests to the medium, reset, the bus. Commands are
 * in ata-cmd.c and atapi.c.
 */
#include "ata.h"

#include <string.h>

#include "util/iov.h"

/* ---- requests ---- */

uint64_t ata_sectors(const AtaDrive *d)
{
    return d->drive ? block_size(d->drive) / ATA_SECTOR : 0;
}

AtaRequest *ata_request_new(AtaDrive *d, AtaOp op, uint64_t offset, uint64_t bytes, AtaDone *done)
{
    AtaRequest *r = g_new0(AtaRequest, 1);

    r->d = d;
    r->op = op;
    r->offset = offset;
    r->bytes = bytes;
    r->done = done;
    return r;
}

void ata_request_free(AtaRequest *r)
{
    if (r->list.dev) {
        dma_list_free(&r->list);
    }
    free(r->own);
    g_free(r);
}

static void request_done(void *opaque, int ret)
{
    AtaRequest *r = opaque;

    if (r->list.dev) {
        dma_list_unmap(&r->list, r->op == ATA_OP_READ && ret >= 0 ? r->bytes : 0);
    }
    if (r->d) {
        r->done(r->d, r, ret);
    }
    ata_request_free(r);
}

void ata_request_submit(AtaRequest *r)
{
    const struct iovec *iov = r->list.dev ? r->list.iov : &r->iov;
    unsigned n = r->list.dev ? r->list.niov : 1;
    BlockFront *b = r->d->drive;

    switch (r->op) {
    case ATA_OP_READ:
        block_read(b, r->offset, iov, n, request_done, r);
        break;
    case ATA_OP_WRITE:
        block_write(b, r->offset, iov, n, r->fua, request_done, r);
        break;
    case ATA_OP_FLUSH:
        block_flush(b, request_done, r);
        break;
    case ATA_OP_DISCARD:
        block_discard(b, r->offset, r->bytes, request_done, r);
        break;
    }
}

/* ---- ends of commands ---- */

static void finish(AtaDrive *d)
{
    d->phase = PHASE_NONE;
    d->step = STEP_NONE;
    if (d->bus->ops->end) {
        d->bus->ops->end(d->bus, d);
    }
    d->bus->ops->irq(d->bus, d);
}

void ata_end(AtaDrive *d)
{
    d->status = ATA_DRDY | ATA_DSC;
    d->error = 0;
    finish(d);
}

void ata_fail(AtaDrive *d, uint8_t error)
{
    d->status = ATA_DRDY | ATA_DSC | ATA_ERR;
    d->error = error;
    finish(d);
}

void ata_abort(AtaDrive *d)
{
    ata_fail(d, ATA_ABRT);
}

/* ---- PIO phases ---- */

static void pio_begin(AtaDrive *d, AtaPhase phase, uint32_t bytes, AtaStep next)
{
    bool first = d->step == STEP_NONE;

    d->phase = phase;
    d->pio_pos = 0;
    d->pio_len = bytes;
    d->step = next;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    d->bus->ops->pio(d->bus, d, first);
}

void ata_pio_in(AtaDrive *d, uint32_t bytes, AtaStep next)
{
    pio_begin(d, PHASE_PIO_IN, bytes, next);
}

void ata_pio_out(AtaDrive *d, uint32_t bytes, AtaStep next)
{
    pio_begin(d, PHASE_PIO_OUT, bytes, next);
}

void ata_pio_done(AtaDrive *d)
{
    d->phase = PHASE_NONE;
    d->status = (d->status & ~ATA_DRQ) | ATA_BSY;
    ata_step(d, d->step);
}

/* ---- sectors by PIO ---- */

static void pio_read_done(AtaDrive *d, AtaRequest *r, int ret)
{
    d->active = NULL;
    if (ret < 0) {
        ata_fail(d, ATA_UNC);
        return;
    }
    memcpy(d->buf, r->own, r->bytes);
    d->lba += d->chunk;
    d->left -= d->chunk;
    ata_pio_in(d, d->chunk * ATA_SECTOR, d->left ? STEP_READ : STEP_NONE);
}

static AtaRequest *own_request(AtaDrive *d, AtaOp op, uint64_t offset, uint64_t bytes,
                               AtaDone *done)
{
    AtaRequest *r = ata_request_new(d, op, offset, bytes, done);

    if (posix_memalign((void **)&r->own, 4096, bytes) != 0) {
        g_error("no memory for a disk's buffer");
    }
    r->iov = (struct iovec){r->own, bytes};
    d->active = r;
    return r;
}

static void next_chunk(AtaDrive *d)
{
    uint32_t most = d->mult && (d->command == 0xc4 || d->command == 0x29 || d->command == 0xc5 ||
                                d->command == 0x39 || d->command == 0xce)
                        ? d->mult
                        : 1;

    d->chunk = MIN(d->left, most);
}

static void pio_read(AtaDrive *d)
{
    next_chunk(d);
    d->status = ATA_BSY | ATA_DRDY | ATA_DSC;
    ata_request_submit(own_request(d, ATA_OP_READ, d->lba * ATA_SECTOR,
                                   (uint64_t)d->chunk * ATA_SECTOR, pio_read_done));
}

static void pio_write_done(AtaDrive *d, AtaRequest *r, int ret)
{
    d->active = NULL;
    if (ret < 0) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->lba += d->chunk;
    d->left -= d->chunk;
    if (d->left == 0) {
        ata_end(d);
        return;
    }
    next_chunk(d);
    ata_pio_out(d, d->chunk * ATA_SECTOR, STEP_WRITE);
}

static void pio_write(AtaDrive *d)
{
    AtaRequest *r = own_request(d, ATA_OP_WRITE, d->lba * ATA_SECTOR,
                                (uint64_t)d->chunk * ATA_SECTOR, pio_write_done);

    r->fua = d->command == 0xce;
    memcpy(r->own, d->buf, r->bytes);
    ata_request_submit(r);
}

static void pio_end(AtaDrive *d)
{
    /* the last block of a read was taken: no further interrupt */
    d->status = ATA_DRDY | ATA_DSC;
    d->error = 0;
    d->step = STEP_NONE;
    if (d->bus->ops->end) {
        d->bus->ops->end(d->bus, d);
    }
}

void ata_step(AtaDrive *d, AtaStep step)
{
    switch (step) {
    case STEP_NONE:
        pio_end(d);
        break;
    case STEP_READ:
        pio_read(d);
        break;
    case STEP_WRITE:
        pio_write(d);
        break;
    case STEP_PACKET:
        atapi_packet(d);
        break;
    case STEP_REPLY:
        atapi_reply_next(d);
        break;
    case STEP_CD_READ:
        atapi_read_next(d);
        break;
    default:
        ata_end(d);
        break;
    }
}

/* ---- DMA phases ---- */

void ata_dma(AtaDrive *d, bool write, AtaStep next)
{
    d->phase = PHASE_DMA;
    d->dma_write = write;
    d->step = next;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    d->bus->ops->dma(d->bus, d);
}

static void trim_done(AtaDrive *d, AtaRequest *r, int ret)
{
    d->active = NULL;
    ata_end(d);
}

/* DATA SET MANAGEMENT: the list of ranges is in buf; freed one after the other. */
static void trim_all(AtaDrive *d, const uint8_t *list, size_t bytes)
{
    for (size_t i = 0; i + 8 <= bytes; i += 8) {
        uint64_t entry = 0, lba, n;

        for (unsigned b = 0; b < 8; b++) {
            entry |= (uint64_t)list[i + b] << 8 * b;
        }
        lba = entry & 0xffffffffffffull;
        n = entry >> 48;
        if (n && !ata_in_range(d, lba, n)) {
            ata_request_forget(&d->active);
            ata_fail(d, ATA_IDNF);
            return;
        }
        if (n) {
            AtaRequest *r =
                ata_request_new(d, ATA_OP_DISCARD, lba * ATA_SECTOR, n * ATA_SECTOR, trim_done);

            /* the last one ends the command */
            ata_request_forget(&d->active);
            d->active = r;
            ata_request_submit(r);
        }
    }
    if (!d->active) {
        ata_end(d);
    }
}

static void dma_ended(AtaDrive *d, uint64_t bytes)
{
    d->phase = PHASE_NONE;
    d->bus->ops->dma_done(d->bus, d, bytes);
}

static void dma_request_done(AtaDrive *d, AtaRequest *r, int ret)
{
    d->active = NULL;
    dma_ended(d, ret < 0 ? 0 : r->bytes);
    if (d->command == 0xa0) {
        ret < 0 ? atapi_read_failed(d, ret) : atapi_end(d);
    } else if (ret < 0) {
        ata_fail(d, d->dma_write ? ATA_ABRT : ATA_UNC);
    } else {
        d->lba += d->left;
        d->left = 0;
        ata_end(d);
    }
}

/* Data that is in buf, or is wanted there. */
static void dma_buffer(AtaDrive *d, DmaList *l)
{
    uint32_t bytes = d->reply_len;

    if (d->step == STEP_TRIM) {
        iov_to_buf(l->iov, l->niov, 0, d->buf, bytes);
        dma_list_free(l);
        dma_ended(d, bytes);
        trim_all(d, d->buf, bytes);
        return;
    }
    iov_from_buf(l->iov, l->niov, 0, d->buf, bytes);
    dma_list_unmap(l, bytes);
    dma_list_free(l);
    dma_ended(d, bytes);
    d->step == STEP_REPLY ? atapi_end(d) : ata_end(d);
}

void ata_dma_run(AtaDrive *d)
{
    bool medium = d->step == STEP_READ || d->step == STEP_WRITE || d->step == STEP_CD_READ;
    uint64_t unit = d->step == STEP_CD_READ ? CD_SECTOR : ATA_SECTOR;
    uint64_t bytes = medium ? d->left * unit : d->reply_len;
    AtaRequest *r;

    if (d->phase != PHASE_DMA || d->active) {
        return;
    }
    r = ata_request_new(d, d->dma_write ? ATA_OP_WRITE : ATA_OP_READ, d->lba * unit, bytes,
                        dma_request_done);
    dma_list_init(&r->list, d->bus->bus.owner);
    if (!d->bus->ops->dma_list(d->bus, d, &r->list, bytes) || r->list.size < bytes ||
        !dma_list_map(&r->list, !d->dma_write)) {
        ata_request_free(r);
        guest_error("ide: no memory for a transfer of %u bytes", (unsigned)bytes);
        dma_ended(d, 0);
        ata_abort(d);
        return;
    }
    d->status = ATA_BSY | ATA_DRDY | ATA_DSC;
    if (!medium) {
        DmaList l = r->list;

        r->list.dev = NULL;
        ata_request_free(r);
        dma_buffer(d, &l);
        return;
    }
    r->fua = d->command == 0x3d;
    d->active = r;
    ata_request_submit(r);
}

/* ---- reset ---- */

void ata_signature(AtaDrive *d)
{
    d->device &= 0x10;
    d->tf.count = d->tf.lbal = 1;
    d->tf.lbam = d->cd ? 0x14 : 0;
    d->tf.lbah = d->cd ? 0xeb : 0;
    memset(&d->hob, 0, sizeof(d->hob));
}

void ata_reset(AtaDrive *d)
{
    ata_request_forget(&d->active);
    d->phase = PHASE_NONE;
    d->step = STEP_NONE;
    d->pio_pos = d->pio_len = 0;
    d->left = 0;
    d->mult = d->cd ? 0 : ATA_MAX_MULT;
    d->cur_heads = d->geometry.heads;
    d->cur_secs = d->geometry.secs;
    d->device = 0;
    d->tf.feature = 0;
    ata_signature(d);
    d->error = 1;
    d->status = d->cd ? 0 : ATA_DRDY | ATA_DSC;
    d->mmc.sense_key = d->mmc.asc = d->mmc.ascq = 0;
}

/* ---- the bus ---- */

void ide_bus_init(IdeBus *b, Device *owner, unsigned index, unsigned max_units,
                  const IdeBusOps *ops)
{
    g_autofree char *name = NULL;

    if (owner->id) {
        name = g_strdup_printf("%s.%u", owner->id, index);
    } else {
        unsigned n = 0;

        do {
            g_free(name);
            name = g_strdup_printf("ide.%u", n++);
        } while (bus_find(owner->vm, name));
        b->number = n - 1;
    }
    if (owner->id) {
        b->number = index;
    }
    bus_init(&b->bus, &ide_bus_type, owner, name);
    b->ops = ops;
    b->index = index;
    b->max_units = max_units;
}

static bool ide_attach(Bus *bus, Device *dev, GError **error)
{
    IdeBus *b = (IdeBus *)bus;
    AtaDrive *d = (AtaDrive *)dev;

    if (d->unit == UINT32_MAX) {
        d->unit = b->drives[0] && b->max_units > 1 ? 1 : 0;
    }
    if (d->unit >= b->max_units) {
        return fail(error, "Can't create IDE unit %u, bus supports only %u units", d->unit,
                    b->max_units);
    }
    if (b->drives[d->unit]) {
        return fail(error, "IDE unit %u is in use", d->unit);
    }
    b->drives[d->unit] = d;
    d->bus = b;
    bus->full = b->drives[0] && (b->max_units == 1 || b->drives[1]);
    return true;
}

static void ide_detach(Bus *bus, Device *dev)
{
    IdeBus *b = (IdeBus *)bus;
    AtaDrive *d = (AtaDrive *)dev;

    if (d->bus && b->drives[d->unit] == d) {
        ata_request_forget(&d->active);
        b->drives[d->unit] = NULL;
        bus->full = false;
    }
}

static char *ide_address(Bus *bus, Device *dev)
{
    return g_strdup_printf("%u", ((AtaDrive *)dev)->unit);
}

static char *ide_fw_path(Bus *bus, Device *dev)
{
    return g_strdup_printf("drive@%x/disk@%x", ((IdeBus *)bus)->index, ((AtaDrive *)dev)->unit);
}

const BusType ide_bus_type = {
    .name = "IDE",
    .desc = "IDE and SATA drives",
    .size = sizeof(IdeBus),
    .attach = ide_attach,
    .detach = ide_detach,
    .address = ide_address,
    .fw_path = ide_fw_path,
};
BUS_TYPE(ide_bus_type);
