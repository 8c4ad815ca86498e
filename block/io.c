// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * I/O through nodes, in coroutines: requests that do not fit a driver's alignment are widened,
 * zeroes are detected and written the cheap way, flushes go down to the protocol.
 */
#include "block/node.h"

#include <errno.h>
#include <string.h>

#include "util/iov.h"
#include "util/main-loop.h"

/* Zeroes are written in pieces of this size where a driver has no better way. */
#define ZERO_CHUNK (256 * KIB)

static bool in_range(const BlockNode *n, uint64_t offset, uint64_t bytes)
{
    return bytes <= n->length && offset <= n->length - bytes;
}

static bool is_aligned(const BlockNode *n, uint64_t offset, uint64_t bytes)
{
    return ((offset | bytes) & (n->align - 1)) == 0;
}

/* Memory that suits any driver; freed with free(). NULL: none. */
static void *aligned_buffer(const BlockNode *n, size_t size)
{
    void *p = NULL;

    return posix_memalign(&p, MAX(n->align, 4096), MAX(size, 1)) == 0 ? p : NULL;
}

int co_block_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                    unsigned niov)
{
    uint64_t start = offset & ~(uint64_t)(n->align - 1);
    uint64_t end;
    struct iovec whole;
    int ret;

    if (!in_range(n, offset, bytes)) {
        return -EIO;
    }
    if (bytes == 0 || is_aligned(n, offset, bytes)) {
        return bytes == 0 ? 0 : n->driver->co_preadv(n, offset, bytes, iov, niov);
    }
    end = (offset + bytes + n->align - 1) & ~(uint64_t)(n->align - 1);
    whole = (struct iovec){ aligned_buffer(n, end - start), end - start };
    if (!whole.iov_base) {
        return -ENOMEM;
    }
    ret = n->driver->co_preadv(n, start, whole.iov_len, &whole, 1);
    if (ret == 0) {
        iov_from_buf(iov, niov, 0, (uint8_t *)whole.iov_base + (offset - start), bytes);
    }
    free(whole.iov_base);
    return ret;
}

/* Read, modify, write of whole blocks. */
static int co_widened_write(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                            unsigned niov, unsigned flags)
{
    uint64_t mask = n->align - 1;
    uint64_t start = offset & ~mask, end = (offset + bytes + mask) & ~mask;
    uint8_t *buf = aligned_buffer(n, end - start);
    struct iovec whole = { buf, end - start };
    int ret;

    if (!buf) {
        return -ENOMEM;
    }
    co_mutex_lock(&n->widen_lock);
    ret = n->driver->co_preadv(n, start, end - start, &whole, 1);
    if (ret == 0) {
        iov_to_buf(iov, niov, 0, buf + (offset - start), bytes);
        ret = n->driver->co_pwritev(n, start, end - start, &whole, 1, flags);
    }
    co_mutex_unlock(&n->widen_lock);
    free(buf);
    return ret;
}

int co_block_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                     unsigned niov, unsigned flags)
{
    int ret;

    if (n->read_only) {
        return -EPERM;
    }
    if (!in_range(n, offset, bytes)) {
        return -EIO;
    }
    if (bytes == 0) {
        return 0;
    }
    if (n->detect_zeroes && iov_is_zero(iov, niov)) {
        return co_block_write_zeroes(n, offset, bytes,
                                     flags | (n->detect_zeroes == 2 ? BLOCK_MAY_UNMAP : 0));
    }
    ret = is_aligned(n, offset, bytes) ? n->driver->co_pwritev(n, offset, bytes, iov, niov, flags)
                                       : co_widened_write(n, offset, bytes, iov, niov, flags);
    if (ret == 0) {
        n->write_high = MAX(n->write_high, offset + bytes);
    }
    return ret;
}

int co_block_pread(BlockNode *n, uint64_t offset, void *buf, size_t bytes)
{
    struct iovec iov = { buf, bytes };

    return co_block_preadv(n, offset, bytes, &iov, 1);
}

int co_block_pwrite(BlockNode *n, uint64_t offset, const void *buf, size_t bytes, unsigned flags)
{
    struct iovec iov = { (void *)buf, bytes };

    return co_block_pwritev(n, offset, bytes, &iov, 1, flags);
}

int co_block_flush(BlockNode *n)
{
    int ret = 0;

    if (n->read_only) {
        return 0;
    }
    if (n->driver->co_flush && !(n->no_flush && n->driver->protocol)) {
        ret = n->driver->co_flush(n);
    }
    return ret < 0 || !n->file || n->driver->overlay ? ret : co_block_flush(n->file);
}

int co_block_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    uint64_t mask = n->align - 1;
    uint64_t start, end;

    if (n->read_only) {
        return -EPERM;
    }
    if (!in_range(n, offset, bytes)) {
        return -EIO;
    }
    start = (offset + mask) & ~mask;
    end = (offset + bytes) & ~mask;
    if (!n->unmap || !n->driver->co_discard || start >= end) {
        return 0;
    }
    return n->driver->co_discard(n, start, end - start);
}

static int co_write_zero_data(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    size_t size = MIN(bytes, ZERO_CHUNK);
    void *zeroes = aligned_buffer(n, size);
    int ret = zeroes ? 0 : -ENOMEM;

    if (zeroes) {
        memset(zeroes, 0, size);
    }
    while (ret == 0 && bytes > 0) {
        struct iovec iov = { zeroes, MIN(bytes, size) };

        ret = is_aligned(n, offset, iov.iov_len)
                  ? n->driver->co_pwritev(n, offset, iov.iov_len, &iov, 1, flags & BLOCK_FUA)
                  : co_widened_write(n, offset, iov.iov_len, &iov, 1, flags & BLOCK_FUA);
        offset += iov.iov_len;
        bytes -= iov.iov_len;
    }
    free(zeroes);
    return ret;
}

int co_block_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    int ret = -ENOTSUP;

    if (n->read_only) {
        return -EPERM;
    }
    if (!in_range(n, offset, bytes)) {
        return -EIO;
    }
    if (bytes == 0) {
        return 0;
    }
    if (!n->unmap) {
        flags &= ~BLOCK_MAY_UNMAP;
    }
    if (n->driver->co_write_zeroes && is_aligned(n, offset, bytes)) {
        ret = n->driver->co_write_zeroes(n, offset, bytes, flags);
    }
    if (ret == -ENOTSUP) {
        ret = co_write_zero_data(n, offset, bytes, flags);
    }
    if (ret == 0) {
        n->write_high = MAX(n->write_high, offset + bytes);
    }
    return ret;
}

/* ---- from outside ---- */

typedef struct SyncRead {
    BlockNode *n;
    uint64_t offset;
    void *buf;
    size_t bytes;
    int ret;
    bool done;
} SyncRead;

static void co_sync_read(void *opaque)
{
    SyncRead *r = opaque;

    r->ret = co_block_pread(r->n, r->offset, r->buf, r->bytes);
    r->done = true;
}

int block_pread(BlockNode *n, uint64_t offset, void *buf, size_t bytes)
{
    SyncRead r = { n, offset, buf, bytes, 0, false };

    coroutine_start(co_sync_read, &r);
    while (!r.done) {
        main_loop_iterate(true);
    }
    return r.ret;
}
