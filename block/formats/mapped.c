// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading and writing through a format's map. What is there is written in place, by many at
 * once; blocks that are not there yet are added one at a time: place, bytes, entry.
 */
#include "block/formats/mapped.h"

#include <errno.h>
#include <string.h>

#include "util/bitops.h"
#include "util/error.h"
#include "util/iov.h"

/* Filling up and unpacking is done in pieces of this size. */
#define PIECE (256 * KIB)

/* What is above a block's own data: the backing node's bytes, and zeroes behind its end. */
static int co_read_backing(BlockNode *n, uint64_t offset, void *buf, size_t len)
{
    size_t have = 0;

    if (n->backing && offset < n->backing->length) {
        have = MIN(len, n->backing->length - offset);
    }
    memset((uint8_t *)buf + have, 0, len - have);
    return have ? co_block_pread(n->backing, offset, buf, have) : 0;
}

static int co_read_backing_iov(BlockNode *n, uint64_t offset, const struct iovec *iov,
                               unsigned niov)
{
    uint64_t len = iov_size(iov, niov), have = 0;
    g_autofree struct iovec *part = NULL;

    if (n->backing && offset < n->backing->length) {
        have = MIN(len, n->backing->length - offset);
    }
    iov_memset(iov, niov, have, 0, len - have);
    if (have == 0) {
        return 0;
    }
    part = g_new(struct iovec, niov);
    niov = iov_slice(part, niov, iov, niov, 0, have);
    return co_block_preadv(n->backing, offset, have, part, niov);
}

/* Through a buffer of our own: packed and encrypted extents. */
static int co_read_bounced(BlockNode *n, uint64_t offset, const MapExtent *e,
                           const struct iovec *iov, unsigned niov)
{
    Mapped *m = n->state;
    g_autofree uint8_t *buf = g_malloc(MIN(e->len, PIECE));
    int ret = 0;

    for (uint64_t done = 0; done < e->len && ret == 0;) {
        size_t now = MIN(e->len - done, PIECE);

        if (e->kind == MAP_PACKED) {
            MapExtent piece = *e;

            piece.len = now;
            ret = m->ops->co_unpack(n, offset + done, &piece, buf);
        } else {
            ret = co_block_pread(e->node ? e->node : n->file, e->where + done, buf, now);
        }
        if (ret == 0 && m->ops->decrypt) {
            m->ops->decrypt(n, offset + done, buf, now);
        }
        iov_from_buf(iov, niov, done, buf, now);
        done += now;
    }
    return ret;
}

static int co_read_extent(BlockNode *n, uint64_t offset, const MapExtent *e,
                          const struct iovec *iov, unsigned niov)
{
    Mapped *m = n->state;

    switch (e->kind) {
    case MAP_ABSENT:
        return co_read_backing_iov(n, offset, iov, niov);
    case MAP_ZERO:
        iov_memset(iov, niov, 0, 0, e->len);
        return 0;
    case MAP_DATA:
        if (!m->ops->decrypt) {
            return co_block_preadv(e->node ? e->node : n->file, e->where, e->len, iov, niov);
        }
        break;
    case MAP_PACKED:
        break;
    }
    return co_read_bounced(n, offset, e, iov, niov);
}

int co_mapped_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                     unsigned niov)
{
    Mapped *m = n->state;
    g_autofree struct iovec *part = NULL;

    for (uint64_t done = 0; done < bytes;) {
        MapExtent e = { .len = bytes - done };
        int ret = m->ops->co_find(n, offset + done, &e);

        if (ret < 0) {
            return ret;
        }
        if (done == 0 && e.len == bytes) {
            return co_read_extent(n, offset, &e, iov, niov);
        }
        part = part ? part : g_new(struct iovec, niov);
        ret = co_read_extent(n, offset + done, &e, part,
                             iov_slice(part, niov, iov, niov, done, e.len));
        if (ret < 0) {
            return ret;
        }
        done += e.len;
    }
    return 0;
}

/* ---- writing ---- */

static int co_write_data(BlockNode *n, uint64_t offset, const MapExtent *e, uint64_t where,
                         const struct iovec *iov, unsigned niov, unsigned flags)
{
    Mapped *m = n->state;
    BlockNode *to = e->node ? e->node : n->file;
    uint64_t len = iov_size(iov, niov);
    g_autofree uint8_t *buf = NULL;
    int ret = 0;

    if (!m->ops->encrypt) {
        return co_block_pwritev(to, where, len, iov, niov, flags);
    }
    buf = g_malloc(MIN(len, PIECE));
    for (uint64_t done = 0; done < len && ret == 0;) {
        size_t now = MIN(len - done, PIECE);

        iov_to_buf(iov, niov, done, buf, now);
        m->ops->encrypt(n, offset + done, buf, now);
        ret = co_block_pwrite(to, where + done, buf, now, flags);
        done += now;
    }
    return ret;
}

/* The same of a block of which parts are mapped: these stay, others may be writing to them. */
static int co_fill_gaps(BlockNode *n, uint64_t block, uint64_t from, uint64_t to,
                        const MapExtent *e)
{
    Mapped *m = n->state;
    g_autofree uint8_t *buf = g_malloc(PIECE);
    int ret = 0;

    to = MIN(to, n->length - block);
    while (from < to && ret == 0) {
        MapExtent old = { .len = MIN(to - from, PIECE) };

        ret = m->ops->co_find(n, block + from, &old);
        if (ret == 0 && old.kind != MAP_DATA) {
            struct iovec iov = { buf, old.len };

            ret = co_read_extent(n, block + from, &old, &iov, 1);
            ret = ret < 0 ? ret : co_write_data(n, block + from, e, e->where + from, &iov, 1, 0);
        }
        from += old.len;
    }
    return ret;
}

/* Bytes [from, to) of a new block, which are not written by the request. */
static int co_fill(BlockNode *n, uint64_t block, uint64_t from, uint64_t to, const MapExtent *e,
                   MapKind was)
{
    Mapped *m = n->state;
    bool backed = was == MAP_ABSENT && n->backing && block + from < n->backing->length;
    g_autofree uint8_t *buf = NULL;
    int ret = 0;

    if (e->mixed) {
        return co_fill_gaps(n, block, from, to, e);
    }
    /* the tail of a disk's last block may lie beyond its end: it is room all the same */
    if (!backed && was != MAP_PACKED && !m->ops->encrypt) {
        return e->fresh || from >= to
                   ? 0 : co_block_write_zeroes(e->node ? e->node : n->file, e->where + from,
                                               to - from, 0);
    }
    while (from < to && ret == 0) {
        size_t now = MIN(to - from, PIECE);
        struct iovec iov;

        buf = buf ? buf : g_malloc(PIECE);
        if (was == MAP_PACKED && block + from < n->length) {
            MapExtent old = { .len = MIN(now, n->length - block - from) };

            memset(buf, 0, now);
            iov = (struct iovec){ buf, old.len };
            ret = co_mapped_preadv(n, block + from, old.len, &iov, 1);
        } else if (backed) {
            ret = co_read_backing(n, block + from, buf, now);
        } else {
            memset(buf, 0, now);
        }
        iov = (struct iovec){ buf, now };
        if (ret == 0) {
            ret = co_write_data(n, block + from, e, e->where + from, &iov, 1, 0);
        }
        from += now;
    }
    return ret;
}

/* One block that is not there yet; [offset, offset + len) lies in it. Lock held. */
static int co_add_block(BlockNode *n, uint64_t offset, uint64_t len, MapKind was,
                        const struct iovec *iov, unsigned niov)
{
    Mapped *m = n->state;
    uint64_t block = offset - offset % m->unit, in_block = offset - block;
    MapExtent e = { .kind = MAP_DATA, .len = m->unit };
    int ret;

    if (!m->ops->co_place) {
        return -ENOTSUP;
    }
    ret = m->ops->co_place(n, block, &e);
    if (ret == 0) {
        ret = co_fill(n, block, 0, in_block, &e, was);
    }
    if (ret == 0) {
        ret = co_write_data(n, offset, &e, e.where + in_block, iov, niov, 0);
    }
    if (ret == 0) {
        ret = co_fill(n, block, in_block + len, e.len, &e, was);
    }
    return ret < 0 ? ret : m->ops->co_enter(n, block, &e);
}

static int co_begin_write(BlockNode *n)
{
    Mapped *m = n->state;
    int ret = 0;

    if (!m->writing && m->ops->co_begin_write) {
        co_mutex_lock(&m->lock);
        ret = m->writing ? 0 : m->ops->co_begin_write(n);
        m->writing = ret == 0;
        co_mutex_unlock(&m->lock);
    }
    return ret;
}

/* The first part of a range, its length in *len. */
static int co_write_some(BlockNode *n, uint64_t offset, uint64_t *len, const struct iovec *iov,
                         unsigned niov, unsigned flags)
{
    Mapped *m = n->state;
    MapExtent e = { .len = *len };
    g_autofree struct iovec *part = g_new(struct iovec, niov);
    bool locked = false;
    int ret = m->ops->co_find(n, offset, &e);

    if (ret == 0 && e.kind != MAP_DATA) {
        /* perhaps another request has added it meanwhile: look again under the lock */
        co_mutex_lock(&m->lock);
        locked = true;
        e = (MapExtent){ .len = MIN(*len, m->unit - offset % m->unit) };
        ret = m->ops->co_find(n, offset, &e);
    }
    if (ret == 0) {
        *len = e.len;
        niov = iov_slice(part, niov, iov, niov, 0, *len);
        if (e.kind == MAP_DATA && m->ops->co_touch) {
            ret = m->ops->co_touch(n, offset, &e);
        }
        if (ret < 0) {
            *len = 0;
        } else if (e.kind == MAP_DATA) {
            ret = co_write_data(n, offset, &e, e.where, part, niov, flags);
        } else {
            ret = co_add_block(n, offset, *len, e.kind, part, niov);
        }
    }
    if (locked) {
        co_mutex_unlock(&m->lock);
    }
    return ret;
}

int co_mapped_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                      unsigned niov, unsigned flags)
{
    g_autofree struct iovec *part = g_new(struct iovec, niov);
    int ret = co_begin_write(n);

    for (uint64_t done = 0; done < bytes && ret == 0;) {
        uint64_t len = bytes - done;
        unsigned count = iov_slice(part, niov, iov, niov, done, len);

        ret = co_write_some(n, offset + done, &len, part, count, flags & ~BLOCK_FUA);
        done += len;
    }
    return ret == 0 && (flags & BLOCK_FUA) ? co_block_flush(n) : ret;
}

/* Zeroes of one block at most. */
static int co_zero_some(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    Mapped *m = n->state;
    MapExtent e = { .len = len };
    bool whole = offset % m->unit == 0 && (len == m->unit || offset + len == n->length);
    int ret = m->ops->co_find(n, offset, &e);

    if (ret < 0) {
        return ret;
    }
    if (e.len >= len && (e.kind == MAP_ZERO ||
                         (e.kind == MAP_ABSENT && (!n->backing || offset >= n->backing->length)))) {
        return 0;
    }
    if (whole && m->ops->co_enter_zero && (flags & BLOCK_MAY_UNMAP || e.kind != MAP_DATA)) {
        co_mutex_lock(&m->lock);
        ret = m->ops->co_enter_zero(n, offset);
        co_mutex_unlock(&m->lock);
        return ret;
    }
    if (e.kind == MAP_DATA && e.len >= len && !m->ops->encrypt) {
        return co_block_write_zeroes(e.node ? e.node : n->file, e.where, len, flags);
    }
    g_autofree uint8_t *zeroes = g_malloc0(MIN(len, PIECE));

    while (len > 0 && ret == 0) {
        struct iovec iov = { zeroes, MIN(len, PIECE) };

        ret = co_mapped_pwritev(n, offset, iov.iov_len, &iov, 1, 0);
        offset += iov.iov_len;
        len -= iov.iov_len;
    }
    return ret;
}

int co_mapped_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    Mapped *m = n->state;
    int ret = co_begin_write(n);

    while (bytes > 0 && ret == 0) {
        uint64_t now = MIN(bytes, m->unit - offset % m->unit);

        ret = co_zero_some(n, offset, now, flags);
        offset += now;
        bytes -= now;
    }
    return ret == 0 && (flags & BLOCK_FUA) ? co_block_flush(n) : ret;
}

int co_mapped_flush(BlockNode *n)
{
    Mapped *m = n->state;

    return co_meta_flush(&m->meta);
}

int co_mapped_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                     BlockStatus *st)
{
    Mapped *m = n->state;
    MapExtent e = { .len = bytes };
    int ret = m->ops->co_find(n, offset, &e);

    if (ret < 0) {
        return ret;
    }
    st->bytes = e.len;
    switch (e.kind) {
    case MAP_ABSENT:
        st->flags = 0;
        break;
    case MAP_ZERO:
        st->flags = BLOCK_STATUS_ZERO | BLOCK_STATUS_ALLOCATED;
        break;
    case MAP_PACKED:
        st->flags = BLOCK_STATUS_DATA | BLOCK_STATUS_ALLOCATED | BLOCK_STATUS_COMPRESSED;
        break;
    case MAP_DATA:
        st->flags = BLOCK_STATUS_DATA | BLOCK_STATUS_ALLOCATED;
        if (!m->ops->decrypt) {
            st->flags |= BLOCK_STATUS_OFFSET | (m->recurse ? BLOCK_STATUS_RECURSE : 0);
            st->map = e.where;
            st->map_node = e.node ? e.node : n->file;
        }
        break;
    }
    return 0;
}

static void co_flush_meta(void *opaque)
{
    co_meta_flush(opaque);
}

void mapped_close(BlockNode *n)
{
    Mapped *m = n->state;

    if (m->meta.dirty && !n->read_only) {
        block_run(co_flush_meta, &m->meta);
    }
    meta_free(&m->meta);
}

int co_append_room(BlockNode *file, uint64_t align, uint64_t bytes, uint64_t *where, bool *fresh)
{
    uint64_t end = div_round_up(file->length, align);
    g_autoptr(GError) why = NULL;

    if (end > (INT64_MAX - bytes) / align) {
        return -EFBIG;
    }
    *where = end * align;
    if (!co_block_truncate(file, *where + bytes, PREALLOC_OFF, &why)) {
        return -ENOSPC;
    }
    if (fresh) {
        *fresh = true;
    }
    return 0;
}

/* ---- in or outside of coroutines ---- */

bool image_read(BlockNode *file, uint64_t offset, void *buf, size_t len, const char *what,
                GError **error)
{
    int ret;

    if (len > file->length || offset > file->length - len) {
        return fail(error, "%s of '%s' is cut off: the file ends at byte %" G_GUINT64_FORMAT, what,
                    file->filename, file->length);
    }
    ret = block_pread(file, offset, buf, len);
    return ret == 0 || fail_errno(error, -ret, "Could not read %s of '%s'", what, file->filename);
}

bool image_write(BlockNode *file, uint64_t offset, const void *buf, size_t len, GError **error)
{
    int ret = block_pwrite(file, offset, buf, len, 0);

    return ret == 0 || fail_errno(error, -ret, "Could not write '%s'", file->filename);
}
