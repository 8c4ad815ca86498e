// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clusters compressed by zlib: a raw deflate stream with a window of 4 KiB, as the format has it.
 */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "block/qcow2.h"

/*
 * Whether it is plain that deflate gains nothing: all byte values about equally often (chi-square
 * of 255 degrees of freedom), and hardly any three bytes that came before within the window. Then
 * the time of trying is saved; being wrong costs room only.
 */
static bool looks_random(const uint8_t *p, size_t len)
{
    enum { WINDOW = 4096, PROBE = 8192 };
    uint32_t counts[256] = { 0 };
    uint16_t last[4096] = { 0 };
    double expect = (double)len / 256, chi = 0;
    unsigned repeats = 0;

    if (len < 16384) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        counts[p[i]]++;
    }
    for (unsigned i = 0; i < 256; i++) {
        chi += ((double)counts[i] - expect) * ((double)counts[i] - expect) / expect;
    }
    if (chi > 400) {
        return false;
    }
    for (unsigned i = 0; i + 3 <= PROBE; i++) {
        unsigned hash = (p[i] | p[i + 1] << 8 | (unsigned)p[i + 2] << 16) * 2654435761u >> 20;
        unsigned at = last[hash];

        if (at && i + 1 - at < WINDOW && memcmp(p + at - 1, p + i, 3) == 0) {
            repeats++;
        }
        last[hash] = (uint16_t)(i + 1);
    }
    return repeats < 32;
}

static int64_t zlib_compress(void *to, size_t room, const void *from, size_t len)
{
    z_stream z = {
        .next_in = (Bytef *)from, .avail_in = (uInt)len, .next_out = to, .avail_out = (uInt)room};
    int64_t made;

    if (looks_random(from, len)) {
        return -ENOSPC;
    }
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
        return -ENOMEM;
    }
    made = deflate(&z, Z_FINISH) == Z_STREAM_END ? (int64_t)(room - z.avail_out) : -ENOSPC;
    deflateEnd(&z);
    return made;
}

static int zlib_decompress(void *to, size_t len, const void *from, size_t have)
{
    z_stream z = {
        .next_in = (Bytef *)from, .avail_in = (uInt)have, .next_out = to, .avail_out = (uInt)len};
    int ret;

    if (inflateInit2(&z, -12) != Z_OK) {
        return -EIO;
    }
    ret = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    /* what follows the stream in its last sector is not ours */
    return (ret == Z_STREAM_END || (ret == Z_BUF_ERROR && z.avail_out == 0)) && z.avail_out == 0
               ? 0
               : -EIO;
}

static const Qcow2Compressor zlib_compressor = {
    .name = "zlib", .type = 0, .compress = zlib_compress, .decompress = zlib_decompress,
};
QCOW2_COMPRESSOR(zlib_compressor);
