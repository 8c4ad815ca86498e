// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AHCI's command lists (Serial ATA AHCI 1.3.1, chapters 4 to 6): fetching commands, moving data
 * by their PRD tables, native command queueing, posting FISes.
 */
#include <string.h>

#include "ahci.h"
#include "util/bswap.h"

enum { FIS_H2D = 0x27, FIS_D2H = 0x34, FIS_PIO_SETUP = 0x5f, FIS_SDB = 0xa1 };
/* places in the received FIS area */
enum { RX_PIO_SETUP = 0x20, RX_D2H = 0x40, RX_SDB = 0x58 };
enum { HEADER_CLEAR = 1u << 10 };
enum { TABLE_ACMD = 0x40, TABLE_PRDS = 0x80 };
#define PRD_BATCH 64
#define HEADER_SIZE 32

static Device *hba_dev(AhciPort *p)
{
    return &p->hba->pci.dev;
}

static AhciPort *port_of(IdeBus *b)
{
    return CONTAINER_OF(b, AhciPort, bus);
}

static uint64_t header_at(AhciPort *p, unsigned slot)
{
    unsigned i = ahci_index(p);

    return ((uint64_t)p->hba->clbu[i] << 32 | p->hba->clb[i]) + slot * HEADER_SIZE;
}

/* ---- received FISes ---- */

static void post(AhciPort *p, unsigned where, const uint8_t *fis, unsigned len)
{
    unsigned i = ahci_index(p);

    if (p->hba->cmd[i] & CMD_FRE) {
        dma_write(hba_dev(p), ((uint64_t)p->hba->fbu[i] << 32 | p->hba->fb[i]) + where, fis, len);
    }
}

static void fill_registers(uint8_t *fis, const AtaDrive *d)
{
    fis[2] = d->status;
    fis[3] = d->error;
    fis[4] = d->tf.lbal;
    fis[5] = d->tf.lbam;
    fis[6] = d->tf.lbah;
    fis[7] = d->device;
    fis[8] = d->hob.lbal;
    fis[9] = d->hob.lbam;
    fis[10] = d->hob.lbah;
    fis[12] = d->tf.count;
    fis[13] = d->hob.count;
}

static void set_tfd(AhciPort *p, const AtaDrive *d)
{
    p->hba->tfd[ahci_index(p)] = d->status | (uint32_t)d->error << 8;
}

void ahci_post_d2h(AhciPort *p, bool interrupt)
{
    AtaDrive *d = ahci_drive(p);
    uint8_t fis[20] = { FIS_D2H, interrupt ? 0x40 : 0 };

    fill_registers(fis, d);
    post(p, RX_D2H, fis, sizeof(fis));
    set_tfd(p, d);
    if (interrupt) {
        ahci_interrupt(p, IS_DHRS | (d->status & ATA_ERR ? IS_TFES : 0));
    }
}

static void post_pio_setup(AhciPort *p, const AtaDrive *d, bool in)
{
    uint8_t fis[20] = { FIS_PIO_SETUP, (in ? 0x20 : 0) | 0x40 };

    fill_registers(fis, d);
    fis[15] = ATA_DRDY | ATA_DSC;       /* status after the data */
    store_le16(fis + 16, (uint16_t)d->pio_len);
    post(p, RX_PIO_SETUP, fis, sizeof(fis));
}

static void post_sdb(AhciPort *p, const AtaDrive *d, uint32_t done)
{
    uint8_t fis[8] = { FIS_SDB, 0x40, d->status & 0x77, d->error };

    store_le32(fis + 4, done);
    post(p, RX_SDB, fis, sizeof(fis));
    p->hba->sact[ahci_index(p)] &= ~done;
    ahci_interrupt(p, IS_SDBS | (d->status & ATA_ERR ? IS_TFES : 0));
}

/* ---- memory of a command ---- */

/* Adds what the PRD table names from byte `skip` on, at most `bytes`. */
static bool add_prds(AhciPort *p, DmaList *l, uint64_t table, uint32_t prds, uint64_t skip,
                     uint64_t bytes)
{
    uint8_t batch[PRD_BATCH * 16];

    for (uint32_t i = 0; i < prds && l->size < bytes; i += PRD_BATCH) {
        uint32_t n = MIN(prds - i, PRD_BATCH);

        if (!dma_read(hba_dev(p), table + TABLE_PRDS + i * 16ull, batch, n * 16)) {
            return false;
        }
        for (uint32_t j = 0; j < n && l->size < bytes; j++) {
            uint64_t addr = load_le64(batch + j * 16) & ~1ull;
            uint64_t len = (load_le32(batch + j * 16 + 12) & 0x3fffff) + 1;
            uint64_t off = MIN(skip, len);

            skip -= off;
            dma_list_add(l, addr + off, MIN(len - off, bytes - l->size));
        }
    }
    return l->size == bytes;
}

static bool ahci_dma_list(IdeBus *b, AtaDrive *d, DmaList *l, uint64_t bytes)
{
    AhciPort *p = port_of(b);

    if (!add_prds(p, l, p->table, p->prds, p->moved, bytes)) {
        ahci_interrupt(p, IS_OFS);
        return false;
    }
    return true;
}

static void ahci_dma_done(IdeBus *b, AtaDrive *d, uint64_t bytes)
{
    port_of(b)->moved += (uint32_t)bytes;
}

static void ahci_dma(IdeBus *b, AtaDrive *d)
{
    ata_dma_run(d);
}

/* Moves a PIO block between d->buf and memory. */
static bool move_block(AhciPort *p, AtaDrive *d, bool in)
{
    DmaList l;
    uint32_t at = 0;
    bool good;

    dma_list_init(&l, hba_dev(p));
    good = add_prds(p, &l, p->table, p->prds, p->moved, d->pio_len);
    for (unsigned i = 0; good && i < l.sg->len; i++) {
        const DmaSg *sg = &g_array_index(l.sg, DmaSg, i);

        if (in) {
            dma_write(hba_dev(p), sg->addr, d->buf + at, sg->len);
        } else {
            dma_read(hba_dev(p), sg->addr, d->buf + at, sg->len);
        }
        at += (uint32_t)sg->len;
    }
    dma_list_free(&l);
    p->moved += at;
    return good;
}

static void ahci_pio(IdeBus *b, AtaDrive *d, bool first)
{
    AhciPort *p = port_of(b);
    bool in = d->phase == PHASE_PIO_IN;

    if (d->step == STEP_PACKET) {
        dma_read(hba_dev(p), p->table + TABLE_ACMD, d->buf, 16);
        ata_pio_done(d);
        return;
    }
    post_pio_setup(p, d, in);
    p->pio_in = in;
    if (!move_block(p, d, in)) {
        guest_error("ahci: PRD table is too short");
        p->pio_in = false;
        ahci_interrupt(p, IS_OFS);
        ata_abort(d);
        return;
    }
    ata_pio_done(d);
}

/* ---- ends ---- */

static void ahci_end(IdeBus *b, AtaDrive *d)
{
    AhciPort *p = port_of(b);
    unsigned i = ahci_index(p);
    bool failed = d->status & ATA_ERR;

    if (p->slot < 0) {
        return;
    }
    dma_store(hba_dev(p), header_at(p, (unsigned)p->slot) + 4, p->moved, 4, DEV_LITTLE);
    if (failed) {
        p->halted = true;
    } else {
        p->hba->ci[i] &= ~(1u << p->slot);
    }
    p->slot = -1;
    if (p->pio_in && !failed) {
        set_tfd(p, d);
        ahci_interrupt(p, IS_PSS);
    } else {
        ahci_post_d2h(p, true);
    }
    p->pio_in = false;
    ahci_run(p);
}

static void ahci_irq(IdeBus *b, AtaDrive *d)
{
    /* ends and blocks are told by FISes */
}

const IdeBusOps ahci_ops = {
    .irq = ahci_irq, .pio = ahci_pio, .dma = ahci_dma, .dma_list = ahci_dma_list, .dma_done = ahci_dma_done,
    .end = ahci_end, .sata = true,
};

/* ---- queued commands ---- */

static void ncq_fail(AhciPort *p, AtaDrive *d, unsigned tag, uint8_t error)
{
    d->status = ATA_DRDY | ATA_DSC | ATA_ERR;
    d->error = error;
    memset(d->ncq_error, 0, sizeof(d->ncq_error));
    d->ncq_error[0] = (uint8_t)tag;
    d->ncq_error[2] = d->status;
    d->ncq_error[3] = error;
    /* the drive drops all that is queued */
    for (unsigned t = 0; t < ATA_NCQ_TAGS; t++) {
        ata_request_forget(&p->ncq[t]);
    }
    p->halted = true;
    set_tfd(p, d);
    post_sdb(p, d, 0);
}

static void ncq_done(AtaDrive *d, AtaRequest *r, int ret)
{
    AhciPort *p = port_of(d->bus);

    p->ncq[r->tag] = NULL;
    if (ret < 0) {
        ncq_fail(p, d, r->tag, r->op == ATA_OP_READ ? ATA_UNC : ATA_ABRT);
        return;
    }
    d->status = ATA_DRDY | ATA_DSC;
    d->error = 0;
    set_tfd(p, d);
    post_sdb(p, d, 1u << r->tag);
    ahci_run(p);
}

/* READ and WRITE FPDMA QUEUED (ATA8-ACS 7.22): the slot is free again at once. */
static void start_ncq(AhciPort *p, AtaDrive *d, const uint8_t *fis, unsigned slot, uint64_t table,
                      uint32_t prds)
{
    uint64_t lba = fis[4] | fis[5] << 8 | (uint64_t)fis[6] << 16 | (uint64_t)fis[8] << 24 |
                   (uint64_t)fis[9] << 32 | (uint64_t)fis[10] << 40;
    uint32_t n = fis[3] | (uint32_t)fis[11] << 8;
    unsigned tag = fis[12] >> 3;
    AtaRequest *r;

    n = n ? n : 65536;
    p->hba->ci[ahci_index(p)] &= ~(1u << slot);
    if (p->ncq[tag] || !ata_in_range(d, lba, n)) {
        ncq_fail(p, d, tag, p->ncq[tag] ? ATA_ABRT : ATA_IDNF);
        return;
    }
    r = ata_request_new(d, fis[2] == 0x61 ? ATA_OP_WRITE : ATA_OP_READ, lba * ATA_SECTOR,
                        (uint64_t)n * ATA_SECTOR, ncq_done);
    r->tag = tag;
    r->fua = fis[7] & 0x80;
    dma_list_init(&r->list, hba_dev(p));
    if (!add_prds(p, &r->list, table, prds, 0, r->bytes) ||
        !dma_list_map(&r->list, r->op == ATA_OP_READ)) {
        ata_request_free(r);
        ahci_interrupt(p, IS_OFS);
        ncq_fail(p, d, tag, ATA_ABRT);
        return;
    }
    p->ncq[tag] = r;
    ahci_post_d2h(p, false);
    ata_request_submit(r);
}

/* ---- fetching ---- */

/* A register FIS that writes the control register: software reset in two steps. */
static void start_control(AhciPort *p, AtaDrive *d, const uint8_t *fis, unsigned slot)
{
    bool srst = fis[15] & 4;

    p->hba->ci[ahci_index(p)] &= ~(1u << slot);
    if (p->srst && !srst) {
        ahci_stop(p);
        ata_reset(d);
        ahci_post_d2h(p, false);
    } else if (srst) {
        ahci_stop(p);
    }
    p->srst = srst;
}

static void load_registers(AtaDrive *d, const uint8_t *fis)
{
    d->tf = (AtaTaskFile){
        .feature = fis[3], .lbal = fis[4], .lbam = fis[5], .lbah = fis[6], .count = fis[12]};
    d->hob = (AtaTaskFile){
        .feature = fis[11], .lbal = fis[8], .lbam = fis[9], .lbah = fis[10], .count = fis[13]};
    d->device = fis[7];
}

static void start_command(AhciPort *p, unsigned slot)
{
    uint8_t header[16], fis[20];
    AtaDrive *d = ahci_drive(p);
    uint64_t table;
    uint32_t prds;

    if (!dma_read(hba_dev(p), header_at(p, slot), header, sizeof(header))) {
        p->halted = true;
        ahci_interrupt(p, IS_HBFS);
        return;
    }
    table = load_le64(header + 8) & ~0x7full;
    prds = load_le16(header + 2);
    if (!dma_read(hba_dev(p), table, fis, sizeof(fis)) || fis[0] != FIS_H2D) {
        guest_error("ahci: port %u slot %u has no register FIS", ahci_index(p), slot);
        p->halted = true;
        ahci_interrupt(p, IS_HBFS);
        return;
    }
    p->hba->cmd[ahci_index(p)] = (p->hba->cmd[ahci_index(p)] & ~CMD_CCS) | slot << 8;
    if (!(fis[1] & 0x80)) {
        start_control(p, d, fis, slot);
        return;
    }
    if (!d->cd && (fis[2] == 0x60 || fis[2] == 0x61)) {
        start_ncq(p, d, fis, slot, table, prds);
        return;
    }
    p->slot = (int8_t)slot;
    p->table = table;
    p->prds = prds;
    p->moved = 0;
    p->pio_in = false;
    p->hba->tfd[ahci_index(p)] = ATA_BSY | ATA_DRDY;
    load_registers(d, fis);
    ata_command(d, fis[2]);
}

static bool anything_queued(const AhciPort *p)
{
    for (unsigned t = 0; t < ATA_NCQ_TAGS; t++) {
        if (p->ncq[t]) {
            return true;
        }
    }
    return false;
}

void ahci_run(AhciPort *p)
{
    unsigned i = ahci_index(p);

    if (p->in_run || !ahci_drive(p) || !ahci_drive(p)->buf) {
        return;
    }
    p->in_run = true;
    /* each slot at most once a call: a guest cannot keep us here */
    for (unsigned n = 0; n < AHCI_SLOTS; n++) {
        unsigned slot = (p->last_slot + 1) % AHCI_SLOTS;

        if (!(p->hba->cmd[i] & CMD_ST) || p->halted || p->slot >= 0) {
            break;
        }
        p->last_slot = (uint8_t)slot;
        if (p->hba->ci[i] >> slot & 1) {
            start_command(p, slot);
        }
    }
    p->in_run = false;
}

void ahci_stop(AhciPort *p)
{
    AtaDrive *d = ahci_drive(p);

    for (unsigned t = 0; anything_queued(p) && t < ATA_NCQ_TAGS; t++) {
        ata_request_forget(&p->ncq[t]);
    }
    if (d && p->slot >= 0) {
        ata_request_forget(&d->active);
        d->phase = PHASE_NONE;
        d->status = ATA_DRDY | ATA_DSC;
    }
    p->slot = -1;
    p->halted = false;
    p->pio_in = false;
}
