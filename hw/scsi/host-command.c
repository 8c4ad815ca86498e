// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands of host adapters with scatter lists: maps their data, runs them, keeps track of them. */
#include "host-command.h"

void scsi_host_init(ScsiHostCommand *c, Device *d, GPtrArray *under_way,
                    void (*done)(ScsiHostCommand *c))
{
    c->under_way = under_way;
    c->done = done;
    dma_list_init(&c->data, d);
}

static void command_done(ScsiRequest *r, void *opaque)
{
    ScsiHostCommand *c = opaque;

    g_ptr_array_remove_fast(c->under_way, c);
    dma_list_unmap(&c->data, r->dir == SCSI_FROM_DEVICE ? r->moved : 0);
    c->done(c);
}

bool scsi_host_start(ScsiHostCommand *c, ScsiBus *b, uint32_t channel, uint32_t id, uint32_t lun,
                     const uint8_t *cdb, size_t cdb_len)
{
    ScsiRequest *r = scsi_request_new(b, channel, id, lun, cdb, cdb_len, command_done, c);

    c->scsi = r;
    if (c->data.size && !dma_list_map(&c->data, r->dir == SCSI_FROM_DEVICE)) {
        return false;
    }
    g_ptr_array_add(c->under_way, c);
    scsi_request_run(r, c->data.iov, c->data.niov);
    return true;
}

void scsi_host_free(ScsiHostCommand *c)
{
    dma_list_unmap(&c->data, 0);
    dma_list_free(&c->data);
    if (c->scsi) {
        scsi_request_free(c->scsi);
    }
}
