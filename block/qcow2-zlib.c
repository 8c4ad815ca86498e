// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clusters compressed by zlib: a raw deflate stream with a window of 4 KiB, as the format has it.
 */
#include <errno.h>
#include <glib.h>
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

static void deflater_free(gpointer opaque)
{
    deflateEnd(opaque);
    g_free(opaque);
}

/* Each thread that compresses has a stream that it uses again; it goes with the thread. */
static GPrivate deflater = G_PRIVATE_INIT(deflater_free);

/*
 * Level 5 and hash tables of the usual size: with a window of 4 KiB level 6 takes half as long
 * again for 0.1 % of the room, and larger tables are only more to clear.
 */
static z_stream *deflater_get(void)
{
    z_stream *z = g_private_get(&deflater);

    if (z) {
        return deflateReset(z) == Z_OK ? z : NULL;
    }
    z = g_new0(z_stream, 1);
    if (deflateInit2(z, 5, Z_DEFLATED, -12, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        g_free(z);
        return NULL;
    }
    g_private_set(&deflater, z);
    return z;
}

static int64_t zlib_compress(void *to, size_t room, const void *from, size_t len)
{
    z_stream *z;

    if (looks_random(from, len)) {
        return -ENOSPC;
    }
    z = deflater_get();
    if (!z) {
        return -ENOMEM;
    }
    z->next_in = (Bytef *)from;
    z->avail_in = (uInt)len;
    z->next_out = to;
    z->avail_out = (uInt)room;
    return deflate(z, Z_FINISH) == Z_STREAM_END ? (int64_t)(room - z->avail_out) : -ENOSPC;
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
