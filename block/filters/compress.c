// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes into a format that can, compressed. */
#include <errno.h>
#include <json-c/json.h>

#include "block/driver.h"
#include "util/bitops.h"
#include "util/error.h"
#include "util/iov.h"

typedef struct CompressState {
    uint64_t cluster;
} CompressState;

static bool compress_open(BlockNode *n, struct json_object *opts, GError **error)
{
    CompressState *s = n->state;
    BlockImageInfo info = { 0 };

    if (!n->file->driver->co_pwrite_compressed) {
        return fail(error, "Compression is not supported for this drive %s", n->file->name);
    }
    if (!n->file->driver->co_info || !n->file->driver->co_info(n->file, &info, error)) {
        return *error ? false : fail(error, "the clusters of '%s' are not known", n->file->name);
    }
    json_object_put(info.specific);
    if (!is_power_of_2(info.cluster_size) || info.cluster_size > 64 * MIB) {
        return fail(error, "'%s' has no clusters", n->file->name);
    }
    s->cluster = info.cluster_size;
    n->length = n->file->length;
    /* whole clusters: others are read, changed and written */
    n->align = (uint32_t)MIN(info.cluster_size, n->length ? pow2_floor(n->length) : 1);
    n->align = n->length % n->align ? n->file->align : n->align;
    return true;
}

static int co_compress_preadv(BlockNode *n, uint64_t offset, uint64_t bytes,
                              const struct iovec *iov, unsigned niov)
{
    return co_block_preadv(n->file, offset, bytes, iov, niov);
}

static int co_compress_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes,
                               const struct iovec *iov, unsigned niov, unsigned flags)
{
    CompressState *s = n->state;
    g_autofree struct iovec *part = g_new(struct iovec, niov);
    int ret = 0;

    for (uint64_t done = 0; done < bytes && ret == 0;) {
        uint64_t at = offset + done, len = MIN(bytes - done, s->cluster - at % s->cluster);
        bool whole = at % s->cluster == 0 && (len == s->cluster || at + len == n->length);
        unsigned count = iov_slice(part, niov, iov, niov, done, len);

        ret = co_block_pwritev(n->file, at, len, part, count, whole ? BLOCK_COMPRESSED : 0);
        if (ret == -ENOTSUP && whole) {
            ret = co_block_pwritev(n->file, at, len, part, count, 0);
        }
        done += len;
    }
    return ret == 0 && flags & BLOCK_FUA ? co_block_flush(n->file) : ret;
}

static const BlockDriver compress_driver = {
    .name = "compress", .desc = "writes compressed", .filter = true, .state_size = sizeof(CompressState),
    .open = compress_open, .co_preadv = co_compress_preadv, .co_pwritev = co_compress_pwritev,
};
BLOCK_DRIVER(compress_driver);
