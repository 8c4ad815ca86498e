// SPDX-License-Identifier: GPL-2.0-or-later
/* Linux images compressed by zstd: one frame. */
#include <zstd.h>

#include "x86-kernel.h"

static bool zstd_unpack(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
    size_t frame = ZSTD_findFrameCompressedSize(in, in_len);

    return !ZSTD_isError(frame) && ZSTD_decompress(out, out_len, in, frame) == out_len;
}

static const X86Unpacker zstd = {{0x28, 0xb5, 0x2f, 0xfd}, 4, zstd_unpack};
X86_UNPACKER(zstd);
