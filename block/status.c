// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the data of a range is: in a node, and in a chain of images. */
#include <errno.h>

#include "block/driver.h"

/* What the layer that holds the bytes knows of zeroes in them. */
static int co_recurse(BlockStatus *st)
{
    BlockStatus below;
    int ret = co_block_status(st->map_node, st->map, st->bytes, true, &below);

    if (ret < 0) {
        return 0;   /* what we know already is not wrong */
    }
    if ((below.flags & BLOCK_STATUS_EOF) && below.bytes == 0) {
        st->flags |= BLOCK_STATUS_ZERO;
    } else if (below.bytes) {
        st->bytes = MIN(st->bytes, below.bytes);
        st->flags |= below.flags & BLOCK_STATUS_ZERO;
    }
    return 0;
}

static int co_driver_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                            BlockStatus *st)
{
    if (n->driver->co_block_status) {
        return n->driver->co_block_status(n, offset, bytes, want_zero, st);
    }
    if (n->driver->filter && n->file) {
        return co_block_status(n->file, offset, bytes, want_zero, st);
    }
    st->flags = BLOCK_STATUS_DATA | BLOCK_STATUS_ALLOCATED;
    if (n->driver->protocol) {
        st->flags |= BLOCK_STATUS_OFFSET;
        st->map = offset;
        st->map_node = n;
    }
    return 0;
}

int co_block_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero, BlockStatus *st)
{
    uint64_t mask = MAX(n->align, 1) - 1, start, len;
    int ret;

    *st = (BlockStatus){ .flags = 0 };
    if (offset >= n->length) {
        st->flags = BLOCK_STATUS_EOF;
        return 0;
    }
    if (bytes == 0) {
        return 0;
    }
    bytes = MIN(bytes, n->length - offset);
    start = offset & ~mask;
    len = ((offset + bytes + mask) & ~mask) - start;
    st->bytes = len;
    ret = co_driver_status(n, start, len, want_zero, st);
    if (ret < 0) {
        return ret;
    }
    if (st->bytes <= offset - start) {
        return -EIO;
    }
    st->bytes = MIN(st->bytes - (offset - start), bytes);
    st->map += offset - start;
    if ((st->flags & BLOCK_STATUS_RECURSE) && want_zero && st->map_node &&
        !(st->flags & BLOCK_STATUS_ZERO)) {
        ret = co_recurse(st);
    }
    st->flags &= ~(BLOCK_STATUS_RECURSE | BLOCK_STATUS_EOF);
    if (offset + st->bytes >= n->length) {
        st->flags |= BLOCK_STATUS_EOF;
    }
    /* nothing below: what is not here is zero */
    if (!(st->flags & BLOCK_STATUS_ALLOCATED) && !n->backing && !n->driver->filter) {
        st->flags |= BLOCK_STATUS_ZERO;
    }
    return ret;
}

int co_block_status_above(BlockNode *top, BlockNode *base, uint64_t offset, uint64_t bytes,
                          bool want_zero, BlockStatus *st)
{
    bool eof = false, first = true;
    unsigned depth = 0;
    int ret = 0;

    *st = (BlockStatus){ .flags = 0 };
    if (offset < top->length && bytes > top->length - offset) {
        bytes = top->length - offset;
    }
    for (BlockNode *n = top; n && n != base; n = block_below(n)) {
        uint64_t asked = bytes;

        if (n->driver->filter && n->file && !n->driver->co_block_status) {
            continue;
        }
        ret = co_block_status(n, offset, bytes, want_zero, st);
        if (ret < 0) {
            return ret;
        }
        depth++;
        if (!first && st->bytes == 0) {
            /* a backing file that is shorter: zeroes to the end of the request */
            st->flags = BLOCK_STATUS_ZERO | BLOCK_STATUS_ALLOCATED;
            st->bytes = asked;
            break;
        }
        if (first) {
            eof = st->flags & BLOCK_STATUS_EOF;
        } else if ((st->flags & BLOCK_STATUS_EOF) && st->bytes < asked) {
            eof = false;
        }
        if (st->flags & BLOCK_STATUS_ALLOCATED) {
            break;
        }
        bytes = st->bytes;
        first = false;
    }
    st->depth = depth;
    st->flags &= ~BLOCK_STATUS_EOF;
    if (eof && offset + st->bytes >= top->length) {
        st->flags |= BLOCK_STATUS_EOF;
    }
    return ret;
}
