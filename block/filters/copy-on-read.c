// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is read from below a node's own layer is written into it, so that it is there the next time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block/driver.h"
#include "block/filters/blkdebug.h"
#include "util/error.h"
#include "util/iov.h"

/* One piece is copied at once, under the lock: writes of the guest must not be overwritten. */
#define PIECE MIB

typedef struct CorState {
    BlockNode *bottom;          /* nothing below it is copied; NULL: everything is */
    CoMutex lock;
} CorState;

static bool cor_open(BlockNode *n, struct json_object *opts, GError **error)
{
    CorState *s = n->state;
    const char *bottom = opts_string(opts, "bottom", NULL);

    if (bottom) {
        s->bottom = block_node_find(bottom);
        if (!s->bottom) {
            return fail(error, "Bottom node '%s' not found", bottom);
        }
        if (!block_chain_contains(n->file, s->bottom) || s->bottom == n->file) {
            return fail(error, "Bottom node '%s' should be below the top node", bottom);
        }
    }
    n->length = n->file->length;
    n->align = n->file->align;
    return true;
}

/* Whether the range's start comes from a layer that is to be copied, and how far. */
static int co_is_below(BlockNode *n, uint64_t offset, uint64_t bytes, bool *below, uint64_t *len)
{
    CorState *s = n->state;
    BlockNode *top = block_skip_filters(n->file);
    BlockStatus st;
    int ret = co_block_status(top, offset, bytes, false, &st);

    *below = ret == 0 && !(st.flags & BLOCK_STATUS_ALLOCATED);
    *len = MIN(st.bytes, bytes);
    if (ret == 0 && *below && s->bottom && block_below(top)) {
        BlockNode *end = block_below(s->bottom);

        ret = co_block_status_above(block_below(top), end, offset, *len, false, &st);
        *below = ret == 0 && st.flags & BLOCK_STATUS_ALLOCATED;
        *len = MIN(MAX(st.bytes, 1), *len);
    }
    return ret < 0 ? ret : *len == 0 ? -EIO : 0;
}

static int co_copy(BlockNode *n, uint64_t offset, uint64_t len, const struct iovec *iov,
                   unsigned niov, uint64_t at)
{
    CorState *s = n->state;
    void *buf = NULL;
    int ret;

    if (posix_memalign(&buf, 4096, len) != 0) {
        return -ENOMEM;
    }
    co_mutex_lock(&s->lock);
    ret = co_block_pread(n->file, offset, buf, len);
    if (ret == 0) {
        blkdebug_event(n->file, "cor_write");
        /* a node that is full, or read-only, can be read all the same */
        co_block_pwrite(n->file, offset, buf, len, BLOCK_UNCHANGED);
        iov_from_buf(iov, niov, at, buf, len);
    }
    co_mutex_unlock(&s->lock);
    free(buf);
    return ret;
}

static int co_cor_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    g_autofree struct iovec *part = g_new(struct iovec, niov);

    for (uint64_t done = 0; done < bytes;) {
        uint64_t len;
        bool below;
        int ret = co_is_below(n, offset + done, MIN(bytes - done, PIECE), &below, &len);

        if (ret == 0 && below) {
            ret = co_copy(n, offset + done, len, iov, niov, done);
        } else if (ret == 0) {
            ret = co_block_preadv(n->file, offset + done, len, part,
                                  iov_slice(part, niov, iov, niov, done, len));
        }
        if (ret < 0) {
            return ret;
        }
        done += len;
    }
    return 0;
}

static int co_cor_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov, unsigned flags)
{
    CorState *s = n->state;
    int ret;

    co_mutex_lock(&s->lock);
    ret = co_block_pwritev(n->file, offset, bytes, iov, niov, flags);
    co_mutex_unlock(&s->lock);
    return ret;
}

static int co_cor_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    CorState *s = n->state;
    int ret;

    co_mutex_lock(&s->lock);
    ret = co_block_write_zeroes(n->file, offset, bytes, flags);
    co_mutex_unlock(&s->lock);
    return ret;
}

static bool co_cor_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    if (!co_block_truncate(n->file, length, prealloc, error)) {
        return false;
    }
    n->length = n->file->length;
    return true;
}

/* Reading writes. */
static void cor_child_perm(BlockNode *n, const BlockEdge *child, unsigned perm, unsigned shared,
                           unsigned *child_perm, unsigned *child_shared)
{
    *child_perm =
        perm | BLOCK_PERM_READ | (child->node->read_only ? 0 : BLOCK_PERM_WRITE_UNCHANGED);
    *child_shared = shared;
}

static const OptDesc cor_opts[] = {{"bottom", OPT_STRING, "node below which nothing is copied"},
                                   {NULL}};

static const BlockDriver cor_driver = {
    .name = "copy-on-read", .desc = "keeps what was read from below", .filter = true, .opts = cor_opts,
    .state_size = sizeof(CorState), .open = cor_open, .co_preadv = co_cor_preadv, .co_pwritev = co_cor_pwritev,
    .co_write_zeroes = co_cor_write_zeroes, .co_truncate = co_cor_truncate, .child_perm = cor_child_perm,
};
BLOCK_DRIVER(cor_driver);
