// SPDX-License-Identifier: GPL-2.0-or-later
/* A SCSI command of a host adapter whose data lies in a list of guest memory. */
#ifndef HW_SCSI_HOST_COMMAND_H
#define HW_SCSI_HOST_COMMAND_H

#include "exec/dma.h"
#include "hw/scsi/scsi.h"

typedef struct ScsiHostCommand ScsiHostCommand;

/* Embedded first in the adapter's own request. */
struct ScsiHostCommand {
    ScsiRequest *scsi;
    DmaList data;                /* filled by the adapter before the start */
    GPtrArray *under_way;        /* the adapter's list; the command is on it while it runs */
    bool aborted;                /* set by the adapter: done() is told, the guest is not */
    /* Once; scsi holds the result. Ends with scsi_host_free and g_free of the request. */
    void (*done)(ScsiHostCommand *c);
};

/* Prepares an empty data list for d. */
void scsi_host_init(ScsiHostCommand *c, Device *d, GPtrArray *under_way,
                    void (*done)(ScsiHostCommand *c));
/*
 * Maps the data and starts the command; done() may run before it returns. False: the data list is
 * not in memory, nothing was started, and the adapter frees the command.
 */
bool scsi_host_start(ScsiHostCommand *c, ScsiBus *b, uint32_t channel, uint32_t id, uint32_t lun,
                     const uint8_t *cdb, size_t cdb_len);
void scsi_host_free(ScsiHostCommand *c);

#endif
