// SPDX-License-Identifier: GPL-2.0-or-later
/* Common properties of devices with a drive; see the header. */
#include "block/drive-conf.h"

#include "block/front-stats.h"
#include "block/node.h"
#include "util/error.h"

#define LARGEST_BLOCK (2u << 20)
#define DISCARD_UNSET UINT32_MAX /* as users see it */

const char *const drive_error_names[] = { "report", "ignore", "enospc", "stop", "auto", NULL };

/* What the device says of the accounts goes before what the drive said. */
static void apply_accounts(const DriveConf *c, BlockFront *b)
{
    if (c->account_invalid == ON_OFF_AUTO_AUTO && c->account_failed == ON_OFF_AUTO_AUTO) {
        return;
    }
    if (!b->more_stats) {
        b->more_stats = front_stats_new(NULL, true, true);
    }
    if (c->account_invalid != ON_OFF_AUTO_AUTO) {
        b->more_stats->ignore_invalid = c->account_invalid == ON_OFF_AUTO_OFF;
    }
    if (c->account_failed != ON_OFF_AUTO_AUTO) {
        b->more_stats->ignore_failed = c->account_failed == ON_OFF_AUTO_OFF;
    }
}

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
    apply_accounts(c, b);
    return !b->edge || block_edge_set_perm(b->edge, b->edge->perm, shared, error);
}

static bool block_fits(const char *name, uint64_t size, GError **error)
{
    if (size < 512 || size > LARGEST_BLOCK || (size & (size - 1))) {
        return fail(error,
                    "Property '%s' must be a power of 2 between 512 and %u, not %" G_GUINT64_FORMAT,
                    name, LARGEST_BLOCK, size);
    }
    return true;
}

static bool is_multiple(const DriveConf *c, const char *name, uint64_t size, GError **error)
{
    return size % c->logical_block_size == 0 ||
           fail(error, "%s must be a multiple of logical_block_size", name);
}

bool drive_conf_sizes(DriveConf *c, uint64_t block_bytes, uint64_t discard_bytes, GError **error)
{
    if (c->logical_block_size == 0) {
        c->logical_block_size = block_bytes;
    }
    if (c->physical_block_size == 0) {
        c->physical_block_size = c->logical_block_size;
    }
    if (!block_fits("logical_block_size", c->logical_block_size, error) ||
        !block_fits("physical_block_size", c->physical_block_size, error)) {
        return false;
    }
    if (c->logical_block_size > c->physical_block_size) {
        return fail(error, "logical_block_size > physical_block_size not supported");
    }
    if (c->discard_granularity == DISCARD_UNSET) {
        c->discard_granularity = MAX(discard_bytes, c->logical_block_size);
    }
    return is_multiple(c, "min_io_size", c->min_io_size, error) &&
           is_multiple(c, "opt_io_size", c->opt_io_size, error) &&
           is_multiple(c, "discard_granularity", c->discard_granularity, error) &&
           (c->min_io_size / c->logical_block_size <= UINT16_MAX ||
            fail(error, "min_io_size must not exceed %u logical blocks", UINT16_MAX));
}

bool drive_geometry(DriveGeometry *g, uint64_t bytes, uint32_t cyls, uint32_t heads, uint32_t secs,
                    GError **error)
{
    bool given = g->cyls || g->heads || g->secs;

    if (given && (!g->cyls || g->cyls > cyls || !g->heads || g->heads > heads || !g->secs ||
                  g->secs > secs)) {
        return fail(error,
                    "cyls must be between 1 and %u, heads between 1 and %u, secs between 1 and %u",
                    cyls, heads, secs);
    }
    if (!given) {
        uint64_t n = bytes / 512 / (16 * 63);

        g->heads = 16;
        g->secs = 63;
        g->cyls = (uint32_t)CLAMP(n, 2, 16383);
    }
    return true;
}
