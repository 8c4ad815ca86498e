// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snapshot-access: shows a disk as it was when the filter copy-before-write above it was made. For
 * pulling backups.
 */
#include <errno.h>
#include <string.h>

#include "block/filters/copy-before-write.h"
#include "util/error.h"

static bool access_open(BlockNode *n, struct json_object *opts, GError **error)
{
    if (n->file->driver != &copy_before_write_driver) {
        return fail(error, "snapshot-access: node '%s' is no copy-before-write filter",
                    n->file->name);
    }
    n->length = n->file->length;
    n->align = n->file->align;
    return true;
}

static int co_access_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                            unsigned niov)
{
    return co_cbw_snapshot_read(n->file, offset, bytes, iov, niov);
}

static int co_access_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                             unsigned niov, unsigned flags)
{
    return -ENOTSUP;
}

static int co_access_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    return -ENOTSUP;
}

static int co_access_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    return co_cbw_snapshot_discard(n->file, offset, bytes);
}

static int co_access_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                            BlockStatus *st)
{
    return co_cbw_snapshot_status(n->file, offset, bytes, want_zero, st);
}

static int co_access_flush(BlockNode *n)
{
    return 0;
}

/* The guest does what it likes with the disk. */
static void access_child_perm(BlockNode *n, const BlockEdge *child, unsigned perm, unsigned shared,
                              unsigned *child_perm, unsigned *child_shared)
{
    *child_perm = 0;
    *child_shared = BLOCK_PERM_ALL;
}

static const BlockChildDesc access_children[] = {
    {"file", BLOCK_ROLE_DATA | BLOCK_ROLE_PRIMARY, false}, {NULL, 0, false}};

static const BlockDriver snapshot_access_driver = {
    .name = "snapshot-access", .desc = "a disk as it was", .children = access_children, .open = access_open,
    .co_preadv = co_access_preadv, .co_pwritev = co_access_pwritev, .co_write_zeroes = co_access_write_zeroes,
    .co_discard = co_access_discard, .co_block_status = co_access_status, .co_flush = co_access_flush, .flushes_children = true,
    .child_perm = access_child_perm,
};
BLOCK_DRIVER(snapshot_access_driver);
