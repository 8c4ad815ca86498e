// SPDX-License-Identifier: GPL-2.0-or-later
/* Scatter/gather lists. The contract is include/util/iov.h. */
#include "util/iov.h"

#include <string.h>

size_t iov_size(const struct iovec *iov, unsigned count)
{
    size_t size = 0;

    for (unsigned i = 0; i < count; i++) {
        size += iov[i].iov_len;
    }
    return size;
}

typedef void PieceFn(uint8_t *piece, size_t len, size_t done, void *opaque);

/* Calls fn for each contiguous piece of [offset, offset + len). */
static size_t for_pieces(const struct iovec *iov, unsigned count, size_t offset, size_t len,
                         PieceFn *fn, void *opaque)
{
    size_t done = 0;

    for (unsigned i = 0; i < count && done < len; i++) {
        size_t piece;

        if (offset >= iov[i].iov_len) {
            offset -= iov[i].iov_len;
            continue;
        }
        piece = iov[i].iov_len - offset;
        if (piece > len - done) {
            piece = len - done;
        }
        fn((uint8_t *)iov[i].iov_base + offset, piece, done, opaque);
        done += piece;
        offset = 0;
    }
    return done;
}

static void piece_read(uint8_t *piece, size_t len, size_t done, void *opaque)
{
    memcpy((uint8_t *)opaque + done, piece, len);
}

static void piece_write(uint8_t *piece, size_t len, size_t done, void *opaque)
{
    memcpy(piece, (const uint8_t *)opaque + done, len);
}

static void piece_set(uint8_t *piece, size_t len, size_t done, void *opaque)
{
    memset(piece, *(int *)opaque, len);
}

size_t iov_to_buf(const struct iovec *iov, unsigned count, size_t offset, void *buf, size_t len)
{
    return for_pieces(iov, count, offset, len, piece_read, buf);
}

size_t iov_from_buf(const struct iovec *iov, unsigned count, size_t offset, const void *buf,
                    size_t len)
{
    return for_pieces(iov, count, offset, len, piece_write, (void *)buf);
}

size_t iov_memset(const struct iovec *iov, unsigned count, size_t offset, int c, size_t len)
{
    return for_pieces(iov, count, offset, len, piece_set, &c);
}

unsigned iov_slice(struct iovec *out, unsigned out_count, const struct iovec *iov, unsigned count,
                   size_t offset, size_t len)
{
    unsigned used = 0;

    for (unsigned i = 0; i < count && len > 0 && used < out_count; i++) {
        size_t piece;

        if (offset >= iov[i].iov_len) {
            offset -= iov[i].iov_len;
            continue;
        }
        piece = iov[i].iov_len - offset < len ? iov[i].iov_len - offset : len;
        out[used++] = (struct iovec){(uint8_t *)iov[i].iov_base + offset, piece};
        len -= piece;
        offset = 0;
    }
    return used;
}

bool buffer_is_zero(const void *buf, size_t len)
{
    const uint8_t *p = buf;

    for (; len >= 64; p += 64, len -= 64) {
        uint64_t w[8];

        memcpy(w, p, sizeof(w));
        if ((w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7]) != 0) {
            return false;
        }
    }
    for (; len > 0; p++, len--) {
        if (*p != 0) {
            return false;
        }
    }
    return true;
}

bool iov_is_zero(const struct iovec *iov, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!buffer_is_zero(iov[i].iov_base, iov[i].iov_len)) {
            return false;
        }
    }
    return true;
}
