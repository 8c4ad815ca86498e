// SPDX-License-Identifier: GPL-2.0-or-later
/* Linux images compressed by xz: one stream, with the filter for x86 code. */
#include <lzma.h>

#include "lazy/lzma.h"
#include "x86-kernel.h"

static bool xz_unpack(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
    g_autoptr(GError) missing = NULL;
    uint64_t limit = GIB;
    size_t in_at = 0, out_at = 0;

    return lazy_library_load(&lazy_lzma, &missing) &&
           lzma_stream_buffer_decode(&limit, 0, NULL, in, &in_at, in_len, out, &out_at, out_len) ==
               LZMA_OK &&
           out_at == out_len;
}

static const X86Unpacker xz = {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, xz_unpack};
X86_UNPACKER(xz);
