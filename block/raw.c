// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The format without a format: the child's bytes, or a window of them (offset, size). When it was
 * only guessed, the guest may not write a header of another format to block 0.
 */
#include <errno.h>
#include <string.h>

#include "block/driver.h"
#include "util/error.h"
#include "util/iov.h"

#define SECTOR 512

typedef struct RawState {
    uint64_t offset;
    bool fixed;                 /* size= was given */
} RawState;

static bool raw_open(BlockNode *n, struct json_object *opts, GError **error)
{
    RawState *s = n->state;
    uint64_t have = n->file->length;

    s->offset = opts_number(opts, "offset", 0);
    if (s->offset > have) {
        return fail(error,
                    "Size of the image too small: offset %" G_GUINT64_FORMAT
                    " is beyond the end of "
                    "'%s'",
                    s->offset, n->filename);
    }
    have -= s->offset;
    if (opts_has(opts, "size")) {
        uint64_t size = opts_number(opts, "size", 0);

        if (size > have) {
            return fail(error,
                        "The sum of offset (%" G_GUINT64_FORMAT ") and size (%" G_GUINT64_FORMAT
                        ") has to be smaller or equal to the  actual size of the containing file "
                        "(%" G_GUINT64_FORMAT ")",
                        s->offset, size, n->file->length);
        }
        have = size;
        s->fixed = true;
    }
    n->length = have;
    n->align = n->probed ? SECTOR : s->offset ? 1 : n->file->align;
    return true;
}

static int co_raw_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    RawState *s = n->state;

    return co_block_preadv(n->file, s->offset + offset, bytes, iov, niov);
}

static int co_raw_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov, unsigned flags)
{
    RawState *s = n->state;

    if (n->probed && offset < BLOCK_PROTECTED_BYTES) {
        uint8_t head[BLOCK_PROTECTED_BYTES] = { 0 };

        iov_to_buf(iov, niov, 0, head, sizeof(head));
        if (strcmp(block_probe(head, sizeof(head)), "raw") != 0) {
            return -EPERM;
        }
    }
    return co_block_pwritev(n->file, s->offset + offset, bytes, iov, niov, flags);
}

static int co_raw_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    return co_block_discard(n->file, ((RawState *)n->state)->offset + offset, bytes);
}

static int co_raw_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    return co_block_write_zeroes(n->file, ((RawState *)n->state)->offset + offset, bytes, flags);
}

static int co_raw_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                         BlockStatus *st)
{
    int ret =
        co_block_status(n->file, ((RawState *)n->state)->offset + offset, bytes, want_zero, st);

    st->flags = (st->flags & ~BLOCK_STATUS_EOF) | BLOCK_STATUS_ALLOCATED;
    return ret < 0 || st->bytes ? ret : -EIO;
}

static bool co_raw_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    RawState *s = n->state;

    if (s->fixed) {
        return fail(error, "Cannot resize fixed-size raw disks");
    }
    if (INT64_MAX - length < s->offset) {
        return fail(error, "Disk size too large for the chosen offset");
    }
    if (!co_block_truncate(n->file, length + s->offset, prealloc, error)) {
        return false;
    }
    n->length = n->file->length - s->offset;
    return true;
}

static bool raw_refresh_length(BlockNode *n, GError **error)
{
    RawState *s = n->state;

    if (s->fixed) {
        return true;
    }
    if (!block_refresh_length(n->file, error)) {
        return false;
    }
    n->length = n->file->length > s->offset ? n->file->length - s->offset : 0;
    return true;
}

static bool co_raw_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    return !n->file->driver->co_info || n->file->driver->co_info(n->file, info, error);
}

static bool co_raw_measure(struct json_object *opts, BlockNode *in, BlockMeasure *m, GError **error)
{
    uint64_t size = in ? in->length : opts_number(opts, "size", 0);

    *m = (BlockMeasure){ .required = size, .fully_allocated = size };
    return true;
}

static const BlockChildDesc raw_children[] = {{"file", BLOCK_ROLE_FILTERED | BLOCK_ROLE_PRIMARY},
                                              {NULL}};

static const OptDesc raw_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size" },
    { "nocow", OPT_BOOL, "Turn off copy-on-write (valid only on btrfs)" },
    { "preallocation", OPT_STRING, "Preallocation mode (allowed values: off, falloc, full)" },
    { "extent_size_hint", OPT_SIZE, "Extent size hint for the image file, 0 to disable" },
    { NULL },
};

static const OptDesc raw_opts[] = {
    { "offset", OPT_SIZE, "offset in the disk where the image starts" },
    { "size", OPT_SIZE, "virtual disk size" },
    { NULL },
};

static const BlockDriver raw_driver = {
    .name = "raw", .desc = "no format", .opts = raw_opts, .state_size = sizeof(RawState),
    .open = raw_open, .co_preadv = co_raw_preadv, .co_pwritev = co_raw_pwritev,
    .co_discard = co_raw_discard, .co_write_zeroes = co_raw_write_zeroes, .children = raw_children,
    .co_block_status = co_raw_status, .co_truncate = co_raw_truncate, .refresh_length = raw_refresh_length,
    .create_opts = raw_create_opts, .co_measure = co_raw_measure, .co_info = co_raw_info,
};
BLOCK_DRIVER(raw_driver);
