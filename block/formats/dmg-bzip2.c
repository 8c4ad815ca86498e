// SPDX-License-Identifier: GPL-2.0-or-later
/* Chunks of Apple disk images packed by bzip2. */
#include <bzlib.h>

#include "block/formats/dmg.h"

static bool bzip2_unpack(uint8_t *to, size_t len, const uint8_t *from, size_t have)
{
    unsigned made = len;

    /* chunks are far below 4 GiB; the library does not write to `from` */
    return BZ2_bzBuffToBuffDecompress((char *)to, &made, (char *)from, have, 0, 0) == BZ_OK &&
           made == len;
}

static const DmgPacking dmg_bzip2 = { .type = 0x80000006u, .unpack = bzip2_unpack };
DMG_PACKING(dmg_bzip2);
