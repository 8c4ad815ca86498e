// SPDX-License-Identifier: GPL-2.0-or-later
/* Clusters compressed by zlib: a raw deflate stream with a window of 4 KiB, as the format has it. */
#include <errno.h>
#include <zlib.h>

#include "block/qcow2.h"

static int64_t zlib_compress(void *to, size_t room, const void *from, size_t len)
{
    z_stream z = { .next_in = (Bytef *)from, .avail_in = (uInt)len, .next_out = to, .avail_out = (uInt)room };
    int64_t made;

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
        return -ENOMEM;
    }
    made = deflate(&z, Z_FINISH) == Z_STREAM_END ? (int64_t)(room - z.avail_out) : -ENOSPC;
    deflateEnd(&z);
    return made;
}

static int zlib_decompress(void *to, size_t len, const void *from, size_t have)
{
    z_stream z = { .next_in = (Bytef *)from, .avail_in = (uInt)have, .next_out = to, .avail_out = (uInt)len };
    int ret;

    if (inflateInit2(&z, -12) != Z_OK) {
        return -EIO;
    }
    ret = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    /* what follows the stream in its last sector is not ours */
    return (ret == Z_STREAM_END || (ret == Z_BUF_ERROR && z.avail_out == 0)) && z.avail_out == 0 ? 0 : -EIO;
}

static const Qcow2Compressor zlib_compressor = {
    .name = "zlib", .type = 0, .compress = zlib_compress, .decompress = zlib_decompress,
};
QCOW2_COMPRESSOR(zlib_compressor);
