// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ATA and ATAPI drives apart from their controllers (ATA8-ACS, MMC-5). A drive is a device on
 * a bus of type "IDE"; the controller, which owns the bus, carries its data and interrupt.
 *
 * A command goes: ata_command() -> handler -> any number of data phases -> ata_end(). A PIO phase
 * shows `buf`; the controller moves it and calls ata_pio_done(). A DMA phase is announced to the
 * controller, which calls ata_dma_run() when the guest is ready; it then asks for the list of
 * memory.
 */
#ifndef HW_IDE_ATA_H
#define HW_IDE_ATA_H

#include "block/drive-conf.h"
#include "exec/dma.h"
#include "hw/scsi/mmc.h"
#include "qom/device.h"

typedef struct AtaDrive AtaDrive;
typedef struct IdeBus IdeBus;
typedef struct AtaRequest AtaRequest;
typedef void AtaNext(AtaDrive *d);

enum {
    ATA_BSY = 0x80,
    ATA_DRDY = 0x40,
    ATA_DF = 0x20,
    ATA_DSC = 0x10,
    ATA_DRQ = 8,
    ATA_ERR = 1
};
enum {
    ATA_ABRT = 4,
    ATA_IDNF = 0x10,
    ATA_UNC = 0x40,
    ATA_ICRC = 0x80
};

#define ATA_SECTOR 512u
#define CD_SECTOR MMC_SECTOR
#define ATA_BUF_SIZE (128 * 1024u)
#define ATA_MAX_MULT 16
#define ATA_NCQ_TAGS 32

/* What a controller does for the drives of a bus. */
typedef struct IdeBusOps {
    /* The drive wants attention: a data block is ready, or the command has ended. */
    void (*irq)(IdeBus *b, AtaDrive *d);
    /* A PIO phase of d->pio_len bytes begins; first: of this command. */
    void (*pio)(IdeBus *b, AtaDrive *d, bool first);
    /* A DMA phase may begin. */
    void (*dma)(IdeBus *b, AtaDrive *d);
    /* Adds guest memory for `bytes` to l; false: there is not that much. */
    bool (*dma_list)(IdeBus *b, AtaDrive *d, DmaList *l, uint64_t bytes);
    /* A DMA phase has ended after that many bytes. */
    void (*dma_done)(IdeBus *b, AtaDrive *d, uint64_t bytes);
    /* The command has ended (status is final); the interrupt follows by irq(). */
    void (*end)(IdeBus *b, AtaDrive *d);
    bool sata; /* serial ATA: NCQ, no limits on PIO blocks */
} IdeBusOps;

struct IdeBus {
    Bus bus;
    const IdeBusOps *ops;
    AtaDrive *drives[2];
    unsigned max_units;
    unsigned number; /* of the buses of this kind in the machine: for serial numbers */
    unsigned index; /* among its controller's */
};
extern const BusType ide_bus_type;
/* Names it "ide.N", or "ID.N" when the controller has an id. */
void ide_bus_init(IdeBus *b, Device *owner, unsigned index, unsigned max_units,
                  const IdeBusOps *ops);

/* The registers of the command block, as the host writes them; `hob`: the bytes before. */
typedef struct AtaTaskFile {
    uint8_t feature, count, lbal, lbam, lbah;
} AtaTaskFile;

typedef enum AtaPhase {
    PHASE_NONE,
    PHASE_PIO_IN,
    PHASE_PIO_OUT,
    PHASE_DMA
} AtaPhase;

struct AtaDrive {
    Device dev;
    /* properties */
    BlockFront *drive;
    uint32_t unit;
    char *serial, *model, *version;
    uint64_t wwn;
    int32_t bootindex;
    uint16_t rotation_rate;
    DriveConf conf;
    DriveGeometry geometry;
    /* registers */
    AtaTaskFile tf, hob;
    uint8_t device, status, error, command;
    /* modes */
    bool cd, ata_lba48; /* kind; the last command takes 48 bits */
    uint8_t mult, mdma, udma;
    uint8_t ncq_error[16]; /* first bytes of log 10h */
    uint32_t cur_heads, cur_secs;
    /* the command at hand */
    AtaPhase phase;
    uint8_t *buf;
    uint32_t pio_pos, pio_len;
    uint64_t lba;
    uint32_t left; /* sectors */
    uint32_t chunk; /* sectors of a PIO block; packets: bytes of one, as the guest limits them */
    bool dma_write; /* from guest memory */
    uint8_t step; /* AtaStep: what follows the phase */
    uint32_t reply_pos, reply_len; /* packet commands */
    /* packet device */
    uint8_t cdb[16];
    MmcDrive mmc;
    /* host side */
    IdeBus *bus;
    AtaRequest *active; /* of the command at hand */
};

/* What goes on when a data phase is over. */
typedef enum AtaStep {
    STEP_NONE,
    STEP_READ,
    STEP_WRITE,
    STEP_END,
    STEP_TRIM,
    STEP_PACKET,
    STEP_REPLY,
    STEP_CD_READ
} AtaStep;
void ata_step(AtaDrive *d, AtaStep step);

/* ---- for controllers ---- */

/* Hardware reset of the drive; the signature is in the registers afterwards. */
void ata_reset(AtaDrive *d);
void ata_command(AtaDrive *d, uint8_t command);
/* The PIO block was moved. */
void ata_pio_done(AtaDrive *d);
/* Begins the DMA phase that was announced. */
void ata_dma_run(AtaDrive *d);
/* EXECUTE DEVICE DIAGNOSTIC's and reset's signature. */
void ata_signature(AtaDrive *d);

/* ---- I/O ---- */

typedef enum AtaOp {
    ATA_OP_READ,
    ATA_OP_WRITE,
    ATA_OP_FLUSH,
    ATA_OP_DISCARD
} AtaOp;
typedef void AtaDone(AtaDrive *d, AtaRequest *r, int ret);

/* One request to the drive's medium. It outlives a reset: then nobody is told of its end. */
struct AtaRequest {
    AtaDrive *d; /* NULL: forgotten */
    AtaOp op;
    uint64_t offset, bytes;
    bool fua;
    DmaList list; /* guest memory, when dev is set */
    uint8_t *own; /* or memory of its own, copied when done */
    struct iovec iov;
    unsigned tag;
    AtaDone *done;
};
AtaRequest *ata_request_new(AtaDrive *d, AtaOp op, uint64_t offset, uint64_t bytes, AtaDone *done);
/* Takes r over; frees it after done(). */
void ata_request_submit(AtaRequest *r);
/* A request that was not submitted. */
void ata_request_free(AtaRequest *r);
static inline void ata_request_forget(AtaRequest **r)
{
    if (*r) {
        (*r)->d = NULL;
        *r = NULL;
    }
}
/* Medium's size in sectors of 512 bytes. */
uint64_t ata_sectors(const AtaDrive *d);
static inline bool ata_in_range(const AtaDrive *d, uint64_t lba, uint64_t n)
{
    return n <= ata_sectors(d) && lba <= ata_sectors(d) - n;
}

/* ---- for commands ---- */

void ata_end(AtaDrive *d); /* success */
void ata_fail(AtaDrive *d, uint8_t error);
void ata_abort(AtaDrive *d);
void ata_pio_in(AtaDrive *d, uint32_t bytes, AtaStep next);
void ata_pio_out(AtaDrive *d, uint32_t bytes, AtaStep next);
/* DMA of `left` sectors at lba from or to the medium; or of the reply in buf. */
void ata_dma(AtaDrive *d, bool write, AtaStep next);
void ata_identify(AtaDrive *d);
void atapi_identify(AtaDrive *d);
void atapi_command(AtaDrive *d); /* PACKET */
void atapi_packet(AtaDrive *d); /* the packet is in buf */
void atapi_reply_next(AtaDrive *d);
void atapi_read_next(AtaDrive *d);
void atapi_read_failed(AtaDrive *d, int ret);
void atapi_end(AtaDrive *d);

#endif
