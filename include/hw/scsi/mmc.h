// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CD and DVD drives apart from the way in which commands reach them (SPC-3, MMC-5): ide-cd and
 * scsi-cd give a command and carry out what comes of it. Machine lock held throughout.
 */
#ifndef HW_SCSI_MMC_H
#define HW_SCSI_MMC_H

#include "block/block.h"
#include "qom/state.h"

#define MMC_SECTOR 2048u
#define MMC_REPLY_MAX 2052u

typedef struct MmcDrive {
    BlockFront *drive;
    const char *product, *version, *serial; /* of INQUIRY; borrowed */
    bool atapi; /* packets on an ATA bus */
    uint8_t sense_key, asc, ascq;
    bool tray_open, tray_locked, loaded_unseen, unit_attention, eject_wanted;
} MmcDrive;

typedef enum MmcOutcome {
    MMC_GOOD, /* done, no data */
    MMC_REPLY, /* len bytes in buf */
    MMC_READ, /* count sectors from lba, which the medium has */
    MMC_SENSE, /* check condition: sense_key, asc and ascq of the drive say why */
} MmcOutcome;

typedef struct MmcReply {
    uint8_t *buf; /* the caller's, MMC_REPLY_MAX bytes */
    uint32_t len; /* not above the allocation length */
    uint32_t lba, count;
} MmcReply;

/* Carries out a command of 12 bytes. */
MmcOutcome mmc_command(MmcDrive *m, const uint8_t *cdb, MmcReply *r);
MmcOutcome mmc_sense(MmcDrive *m, uint8_t key, uint8_t asc, uint8_t ascq);
bool mmc_has_medium(const MmcDrive *m);
/* Sectors of the medium. */
uint32_t mmc_sectors(const MmcDrive *m);
/* How block layer and drive tell each other of the medium; opaque is the MmcDrive. */
extern const BlockFrontOps mmc_front_ops;
extern const StateField mmc_state[];

#endif
