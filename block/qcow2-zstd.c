// SPDX-License-Identifier: GPL-2.0-or-later
/* Clusters compressed by zstd: one frame each. */
#include <errno.h>
#include <zstd.h>

#include "block/qcow2.h"

static int64_t zstd_compress(void *to, size_t room, const void *from, size_t len)
{
    size_t made = ZSTD_compress(to, room, from, len, ZSTD_CLEVEL_DEFAULT);

    return ZSTD_isError(made) ? -ENOSPC : (int64_t)made;
}

static int zstd_decompress(void *to, size_t len, const void *from, size_t have)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    ZSTD_outBuffer out = { to, len, 0 };
    ZSTD_inBuffer in = { from, have, 0 };
    size_t ret = 1;

    while (ctx && out.pos < out.size) {
        size_t before_in = in.pos, before_out = out.pos;

        ret = ZSTD_decompressStream(ctx, &out, &in);
        if (ZSTD_isError(ret) || (in.pos == before_in && out.pos == before_out)) {
            break;
        }
    }
    ZSTD_freeDCtx(ctx);
    return out.pos == out.size && !ZSTD_isError(ret) ? 0 : -EIO;
}

static const Qcow2Compressor zstd_compressor = {
    .name = "zstd", .type = 1, .compress = zstd_compress, .decompress = zstd_decompress,
};
QCOW2_COMPRESSOR(zstd_compressor);
