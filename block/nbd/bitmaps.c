// SPDX-License-Identifier: GPL-2.0-or-later
/* NBD server: dirty bitmaps as contexts of block status. */
#include <errno.h>

#include "block/nbd/server.h"

int co_bitmap_extent(BlockNode *n, const char *name, uint64_t offset, uint64_t len, uint64_t *got, uint32_t *flags)
{
    return -ENOTSUP;
}
