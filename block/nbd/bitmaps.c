// SPDX-License-Identifier: GPL-2.0-or-later
/* NBD server: dirty bitmaps as contexts of block status. */
#include <errno.h>

#include "block/bitmap.h"
#include "block/nbd/server.h"
#include "util/error.h"

DirtyBitmap *nbd_find_bitmap(BlockNode *n, const char *name, GError **error)
{
    /* a node without layers (snapshot-access) shows what is in its child */
    for (BlockNode *at = n; at; at = block_below(at) ? block_below(at) : at->file) {
        DirtyBitmap *b = dirty_bitmap_find(at, name);

        if (b) {
            return dirty_bitmap_check(b, BITMAP_INCONSISTENT, error) ? b : NULL;
        }
    }
    return fail_null(error, "Bitmap '%s' is not found", name);
}

int co_bitmap_extent(BlockNode *n, const char *name, uint64_t offset, uint64_t len, uint64_t *got,
                     uint32_t *flags)
{
    g_autoptr(GError) why = NULL;
    DirtyBitmap *b = nbd_find_bitmap(n, name, &why);

    if (!b) {
        return -EINVAL;
    }
    *got = len;
    *flags = dirty_bitmap_get(b, offset, got);
    *got = *got && *got < len ? *got : len;
    return 0;
}
