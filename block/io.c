// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * I/O through nodes, in coroutines: requests that do not fit a driver's alignment are widened and
 * those that are too long are cut, zeroes are detected and written the cheap way, flushes go down
 * to the protocols, watchers hear of writes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block/bitmap.h"
#include "block/driver.h"
#include "block/filters/blkdebug.h"
#include "block/graph.h"
#include "qapi/qapi-events.h"
#include "util/error.h"
#include "util/iov.h"
#include "util/event-loop.h"

/* Zeroes are written in pieces of this size where a driver has no better way. */
#define ZERO_CHUNK (256 * KIB)

bool block_in_range(const BlockNode *n, uint64_t offset, uint64_t bytes)
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

/* Offset and length that no file has. */
static bool is_silly(uint64_t offset, uint64_t bytes)
{
    return bytes > INT64_MAX || offset > INT64_MAX - bytes;
}

/* ---- reading ---- */

/* Hands aligned requests on, in pieces that the driver takes. */
static int co_driver_read(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov)
{
    g_autofree struct iovec *piece = NULL;
    uint64_t done = 0;
    int ret = 0;

    if (!n->max_transfer || bytes <= n->max_transfer) {
        return n->driver->co_preadv(n, offset, bytes, iov, niov);
    }
    piece = g_new(struct iovec, niov);
    while (ret == 0 && done < bytes) {
        uint64_t len = MIN(bytes - done, n->max_transfer);
        unsigned count = iov_slice(piece, niov, iov, niov, done, len);

        ret = n->driver->co_preadv(n, offset + done, len, piece, count);
        done += len;
    }
    return ret;
}

/* Room for the whole blocks around a range; the part of them that lies inside of the node. */
static int co_widened_read(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                           unsigned niov)
{
    uint64_t mask = n->align - 1;
    uint64_t start = offset & ~mask, end = (offset + bytes + mask) & ~mask;
    struct iovec whole = { aligned_buffer(n, end - start), end - start };
    int ret;

    if (!whole.iov_base) {
        return -ENOMEM;
    }
    ret = co_driver_read(n, start, whole.iov_len, &whole, 1);
    if (ret == 0) {
        iov_from_buf(iov, niov, 0, (uint8_t *)whole.iov_base + (offset - start), bytes);
    }
    free(whole.iov_base);
    return ret;
}

/* Reads beyond the end give zeroes. */
static int co_read_past_end(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                            unsigned niov)
{
    uint64_t inside = offset < n->length ? n->length - offset : 0;
    g_autofree struct iovec *head = g_new(struct iovec, MAX(niov, 1));

    iov_memset(iov, niov, inside, 0, bytes - inside);
    if (!inside) {
        return 0;
    }
    return co_block_preadv(n, offset, inside, head, iov_slice(head, niov, iov, niov, 0, inside));
}

int co_block_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                    unsigned niov)
{
    if (bytes == 0) {
        return 0;
    }
    if (is_silly(offset, bytes)) {
        return -EIO;
    }
    if (!block_in_range(n, offset, bytes)) {
        return co_read_past_end(n, offset, bytes, iov, niov);
    }
    return is_aligned(n, offset, bytes) ? co_driver_read(n, offset, bytes, iov, niov)
                                        : co_widened_read(n, offset, bytes, iov, niov);
}

/* ---- writing ---- */

static int co_driver_write(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                           unsigned niov, unsigned flags)
{
    g_autofree struct iovec *piece = NULL;
    uint64_t done = 0;
    int ret = 0;

    if (!n->driver->co_pwritev) {
        return -EPERM;
    }
    if (flags & BLOCK_COMPRESSED) {
        return n->driver->co_pwrite_compressed
                   ? n->driver->co_pwrite_compressed(n, offset, bytes, iov, niov)
                   : -ENOTSUP;
    }
    blkdebug_event(n, "pwritev");
    if (!n->max_transfer || bytes <= n->max_transfer) {
        ret = n->driver->co_pwritev(n, offset, bytes, iov, niov, flags);
        blkdebug_event(n, "pwritev_done");
        return ret;
    }
    piece = g_new(struct iovec, niov);
    while (ret == 0 && done < bytes) {
        uint64_t len = MIN(bytes - done, n->max_transfer);
        unsigned count = iov_slice(piece, niov, iov, niov, done, len);

        ret = n->driver->co_pwritev(n, offset + done, len, piece, count, flags);
        done += len;
    }
    blkdebug_event(n, "pwritev_done");
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
    blkdebug_event(n, offset & mask ? "pwritev_rmw_head" : "pwritev_rmw_tail");
    ret = block_in_range(n, start, end - start)
              ? co_driver_read(n, start, end - start, &whole, 1)
              : co_read_past_end(n, start, end - start, &whole, 1);
    blkdebug_event(n, offset & mask ? "pwritev_rmw_after_head" : "pwritev_rmw_after_tail");
    if (ret == 0) {
        iov_to_buf(iov, niov, 0, buf + (offset - start), bytes);
        ret = co_driver_write(n, start, end - start, &whole, 1, flags);
    }
    co_mutex_unlock(&n->widen_lock);
    free(buf);
    return ret;
}

/* Watchers, before; 0 or the error of one. */
static int co_tell_before(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    int ret = 0;

    for (BlockWatcher *w = n->watchers, *next; ret == 0 && w; w = next) {
        next = w->next;
        if (w->co_before) {
            ret = w->co_before(w, offset, bytes);
        }
    }
    return ret;
}

static void note_threshold(BlockNode *n, uint64_t end)
{
    if (n->write_threshold && end > n->write_threshold) {
        BlockWriteThresholdEvent data = {
            .node_name = n->name,
            .amount_exceeded = end - n->write_threshold,
            .write_threshold = n->write_threshold,
        };

        n->write_threshold = 0;
        qapi_event_block_write_threshold(&data);
    }
}

static void tell_after(BlockNode *n, uint64_t offset, uint64_t bytes, bool good)
{
    uint64_t end = offset + bytes;

    if (n->bitmaps) {
        dirty_bitmaps_mark(n, offset, bytes);
    }
    for (BlockWatcher *w = n->watchers, *next; w; w = next) {
        next = w->next;
        if (w->after) {
            w->after(w, offset, bytes);
        }
    }
    if (good) {
        n->write_high = MAX(n->write_high, end);
        if (n->driver->grows && end > n->length) {
            n->length = end;
        }
    }
}

/* 0 when the range may be changed. */
static int check_write(const BlockNode *n, uint64_t offset, uint64_t bytes)
{
    if (n->read_only || n->inactive) {
        return -EPERM;
    }
    if (is_silly(offset, bytes) || (!n->driver->grows && !block_in_range(n, offset, bytes))) {
        return -EIO;
    }
    return 0;
}

int co_block_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                     unsigned niov, unsigned flags)
{
    int ret = check_write(n, offset, bytes);

    if (ret < 0 || (bytes == 0 && !(flags & BLOCK_COMPRESSED))) {
        return ret;
    }
    if (n->detect_zeroes && !(flags & BLOCK_COMPRESSED) && iov_is_zero(iov, niov)) {
        return co_block_write_zeroes(n, offset, bytes,
                                     flags | (n->detect_zeroes == 2 ? BLOCK_MAY_UNMAP : 0));
    }
    if (flags & BLOCK_UNCHANGED) {
        /* what readers see stays: nobody needs to know */
        return is_aligned(n, offset, bytes) ? co_driver_write(n, offset, bytes, iov, niov, flags)
                                            : co_widened_write(n, offset, bytes, iov, niov, flags);
    }
    if (!n->watchers && !n->write_threshold) {
        ret = is_aligned(n, offset, bytes) || (flags & BLOCK_COMPRESSED)
                  ? co_driver_write(n, offset, bytes, iov, niov, flags)
                  : co_widened_write(n, offset, bytes, iov, niov, flags);
        tell_after(n, offset, bytes, ret == 0);
        return ret;
    }
    note_threshold(n, offset + bytes);
    ret = co_tell_before(n, offset, bytes);
    if (ret == 0) {
        ret = is_aligned(n, offset, bytes) || (flags & BLOCK_COMPRESSED)
                  ? co_driver_write(n, offset, bytes, iov, niov, flags)
                  : co_widened_write(n, offset, bytes, iov, niov, flags);
    }
    tell_after(n, offset, bytes, ret == 0);
    return ret;
}

int co_block_copy_range(BlockNode *from, uint64_t from_offset, BlockNode *to, uint64_t offset,
                        uint64_t bytes)
{
    BlockStatus st;
    int ret = check_write(to, offset, bytes);

    /*
     * down to where bytes lie as they are: only formats without tables of their own can be written
     * so
     */
    while (ret == 0 && to->file && !to->watchers && !to->bitmaps &&
           strcmp(to->driver->name, "raw") == 0 && to->length == to->file->length) {
        to = to->file;
        ret = check_write(to, offset, bytes);
    }
    if (ret < 0) {
        return ret;
    }
    if (!to->driver->co_copy_from || to->watchers || to->bitmaps || to->write_threshold) {
        return -ENOTSUP;
    }
    while (from && !from->driver->protocol) {
        ret = co_block_status(from, from_offset, bytes, false, &st);
        if (ret < 0) {
            return ret;
        }
        if (!(st.flags & BLOCK_STATUS_OFFSET) || st.bytes < bytes || !st.map_node ||
            st.map_node == from) {
            return -ENOTSUP;
        }
        from = st.map_node;
        from_offset = st.map;
    }
    if (!from || from->driver != to->driver || !block_in_range(from, from_offset, bytes)) {
        return -ENOTSUP;
    }
    ret = to->driver->co_copy_from(to, offset, from, from_offset, bytes);
    if (ret == 0) {
        tell_after(to, offset, bytes, true);
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

    if (n->read_only || n->inactive) {
        return 0;
    }
    blkdebug_event(n->file, "flush_to_os");
    if (n->driver->co_flush && !(n->no_flush && n->driver->protocol)) {
        ret = n->driver->co_flush(n);
    }
    if (n->driver->flushes_children) {
        return ret;
    }
    blkdebug_event(n->file, "flush_to_disk");
    for (unsigned i = 0; ret == 0 && i < n->children->len; i++) {
        BlockEdge *e = g_ptr_array_index(n->children, i);

        if (e->perm & (BLOCK_PERM_WRITE | BLOCK_PERM_WRITE_UNCHANGED)) {
            ret = co_block_flush(e->node);
        }
    }
    return ret;
}

int co_block_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    uint64_t mask = MAX(n->align, 1) - 1;
    uint64_t start = (offset + mask) & ~mask, end = (offset + bytes) & ~mask;
    int ret = check_write(n, offset, bytes);

    if (ret < 0 || !n->unmap || start >= end) {
        return ret;
    }
    if (!n->driver->co_discard) {
        return n->driver->filter && n->file ? co_block_discard(n->file, offset, bytes) : 0;
    }
    ret = co_tell_before(n, start, end - start);
    if (ret == 0) {
        ret = n->driver->co_discard(n, start, end - start);
        n->discards[ret < 0]++;
        n->discarded += ret < 0 ? 0 : end - start;
    }
    tell_after(n, start, end - start, false);
    return ret;
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
                  ? co_driver_write(n, offset, iov.iov_len, &iov, 1, flags & BLOCK_FUA)
                  : co_widened_write(n, offset, iov.iov_len, &iov, 1, flags & BLOCK_FUA);
        offset += iov.iov_len;
        bytes -= iov.iov_len;
    }
    free(zeroes);
    return ret;
}

/* The middle of whole units the cheap way, its edges as data. */
static int co_zero_pieces(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    uint64_t unit = MAX(n->zero_align, n->align), end = offset + bytes;
    uint64_t start = (offset + unit - 1) / unit * unit;
    uint64_t stop = end == n->length && n->align == 1 ? end : end / unit * unit;
    int ret;

    if (!n->driver->co_write_zeroes) {
        if (n->driver->filter && n->file) {
            return co_block_write_zeroes(n->file, offset, bytes, flags);
        }
        return flags & BLOCK_NO_FALLBACK ? -ENOTSUP : co_write_zero_data(n, offset, bytes, flags);
    }
    if (start >= stop) {
        return flags & BLOCK_NO_FALLBACK ? -ENOTSUP : co_write_zero_data(n, offset, bytes, flags);
    }
    if ((flags & BLOCK_NO_FALLBACK) && (start != offset || stop != end)) {
        return -ENOTSUP;
    }
    blkdebug_event(n, "pwritev_zero");
    ret = n->driver->co_write_zeroes(n, start, stop - start, flags);
    if (ret == -ENOTSUP) {
        return flags & BLOCK_NO_FALLBACK ? ret : co_write_zero_data(n, offset, bytes, flags);
    }
    if (ret == 0 && start > offset) {
        ret = co_write_zero_data(n, offset, start - offset, flags);
    }
    if (ret == 0 && end > stop) {
        ret = co_write_zero_data(n, stop, end - stop, flags);
    }
    return ret;
}

int co_block_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    int ret = check_write(n, offset, bytes);

    if (ret < 0 || bytes == 0) {
        return ret;
    }
    if (!n->unmap) {
        flags &= ~BLOCK_MAY_UNMAP;
    }
    note_threshold(n, offset + bytes);
    ret = co_tell_before(n, offset, bytes);
    if (ret == 0) {
        ret = co_zero_pieces(n, offset, bytes, flags);
    }
    tell_after(n, offset, bytes, ret == 0);
    return ret;
}

/* ---- length ---- */

bool co_block_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    if (n->read_only || n->inactive) {
        return fail(error, "Image is read-only");
    }
    if (length > INT64_MAX / 512 * 512) {
        return fail(error,
                    "Required too big image size, it must be not greater than %" G_GINT64_FORMAT,
                    (int64_t)(INT64_MAX / 512 * 512));
    }
    if (!n->driver->co_truncate) {
        if (n->driver->filter && n->file) {
            if (!co_block_truncate(n->file, length, prealloc, error)) {
                return false;
            }
            n->length = n->file->length;
            return true;
        }
        return fail(error, "Image format driver does not support resize");
    }
    if (!n->driver->co_truncate(n, length, prealloc, error)) {
        return false;
    }
    for (unsigned i = 0; i < n->parents->len; i++) {
        BlockEdge *e = g_ptr_array_index(n->parents, i);

        if (e->parent && e->parent->driver->filter && e->parent->file == n) {
            e->parent->length = n->length;
        }
    }
    block_bitmaps_resized(n);
    return true;
}

bool block_refresh_length(BlockNode *n, GError **error)
{
    if (n->driver->refresh_length) {
        return n->driver->refresh_length(n, error);
    }
    if (n->driver->filter && n->file) {
        if (!block_refresh_length(n->file, error)) {
            return false;
        }
        n->length = n->file->length;
    }
    return true;
}

int64_t block_allocated(BlockNode *n)
{
    int64_t sum = 0;
    bool any = false;

    if (n->driver->allocated) {
        return n->driver->allocated(n);
    }
    for (unsigned i = 0; i < n->children->len; i++) {
        BlockEdge *e = g_ptr_array_index(n->children, i);
        int64_t one = e->role & (BLOCK_ROLE_COW) ? 0 : block_allocated(e->node);

        if (one < 0) {
            return -1;
        }
        any |= !(e->role & BLOCK_ROLE_COW);
        sum += one;
    }
    return any ? sum : -1;
}

/* ---- watching ---- */

void block_watch(BlockNode *n, BlockWatcher *w)
{
    w->node = n;
    w->next = n->watchers;
    n->watchers = w;
}

void block_unwatch(BlockWatcher *w)
{
    BlockWatcher **at = &w->node->watchers;

    while (*at != w) {
        at = &(*at)->next;
    }
    *at = w->next;
    w->node = NULL;
}

/* ---- from outside ---- */

typedef struct RunCall {
    void (*fn)(void *opaque);
    void *opaque;
    bool done;
} RunCall;

static void co_run_call(void *opaque)
{
    RunCall *r = opaque;

    r->fn(r->opaque);
    r->done = true;
    main_loop_wake();
}

void block_run(void (*fn)(void *opaque), void *opaque)
{
    RunCall r = { .fn = fn, .opaque = opaque };

    if (coroutine_self()) {
        fn(opaque);
        return;
    }
    coroutine_start(co_run_call, &r);
    while (!r.done) {
        event_loop_iterate(event_loop_current(), true);
    }
}

typedef struct SyncCall {
    BlockNode *n;
    uint64_t offset;
    void *buf;
    size_t bytes;
    unsigned flags;
    BlockPrealloc prealloc;
    GError **error;
    int ret;
} SyncCall;

static void co_sync_read(void *opaque)
{
    SyncCall *r = opaque;

    r->ret = co_block_pread(r->n, r->offset, r->buf, r->bytes);
}

static void co_sync_write(void *opaque)
{
    SyncCall *r = opaque;

    r->ret = co_block_pwrite(r->n, r->offset, r->buf, r->bytes, r->flags);
}

static void co_sync_flush(void *opaque)
{
    SyncCall *r = opaque;

    r->ret = co_block_flush(r->n);
}

static void co_sync_truncate(void *opaque)
{
    SyncCall *r = opaque;

    r->ret = co_block_truncate(r->n, r->offset, r->prealloc, r->error);
}

int block_pread(BlockNode *n, uint64_t offset, void *buf, size_t bytes)
{
    SyncCall r = { .n = n, .offset = offset, .buf = buf, .bytes = bytes };

    block_run(co_sync_read, &r);
    return r.ret;
}

int block_pwrite(BlockNode *n, uint64_t offset, const void *buf, size_t bytes, unsigned flags)
{
    SyncCall r = { .n = n, .offset = offset, .buf = (void *)buf, .bytes = bytes, .flags = flags };

    block_run(co_sync_write, &r);
    return r.ret;
}

int block_flush_node(BlockNode *n)
{
    SyncCall r = { .n = n };

    block_run(co_sync_flush, &r);
    return r.ret;
}

bool block_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    SyncCall r = { .n = n, .offset = length, .prealloc = prealloc, .error = error };

    block_run(co_sync_truncate, &r);
    return r.ret;
}
