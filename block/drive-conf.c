// SPDX-License-Identifier: GPL-2.0-or-later
/* Common properties of devices with a drive; see the header. */
#include "block/drive-conf.h"

#include "block/node.h"

const char *const drive_error_names[] = { "report", "ignore", "enospc", "stop", "auto", NULL };

bool drive_conf_apply(const DriveConf *c, BlockFront *b, GError **error)
{
    unsigned shared =
        BLOCK_PERM_READ | BLOCK_PERM_WRITE_UNCHANGED | (c->share_rw ? BLOCK_PERM_WRITE : 0);

    b->share_rw = c->share_rw;
    if (c->rerror != BLOCK_ON_ERROR_AUTO) {
        b->on_read_error = c->rerror;
    }
    if (c->werror != BLOCK_ON_ERROR_AUTO) {
        b->on_write_error = c->werror;
    }
    if (c->write_cache != ON_OFF_AUTO_AUTO) {
        b->write_cache = c->write_cache == ON_OFF_AUTO_ON;
    }
    return !b->edge || block_edge_set_perm(b->edge, b->edge->perm, shared, error);
}
