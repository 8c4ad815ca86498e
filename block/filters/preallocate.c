// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lets a growing file grow in large steps, which is cheaper than many small ones; what was not used
 * is cut off when the node is closed. For the file below a format.
 */
#include <errno.h>

#include "block/driver.h"
#include "util/bitops.h"
#include "util/error.h"

typedef struct PreallocateState {
    uint64_t align, size;
    uint64_t end;               /* of the data: what we show as our length */
    CoMutex lock;
} PreallocateState;

static bool preallocate_open(BlockNode *n, struct json_object *opts, GError **error)
{
    PreallocateState *s = n->state;

    s->align = opts_number(opts, "prealloc-align", MIB);
    s->size = opts_number(opts, "prealloc-size", 128 * MIB);
    if (!is_power_of_2(s->align) || s->align % 512) {
        return fail(error, "prealloc-align parameter of preallocate filter is not aligned to 512");
    }
    n->length = s->end = n->file->length;
    n->align = n->file->align;
    return true;
}

static void preallocate_close(BlockNode *n)
{
    PreallocateState *s = n->state;
    g_autoptr(GError) why = NULL;

    if (!n->file->read_only && n->file->length > s->end) {
        co_block_truncate(n->file, s->end, PREALLOC_OFF, &why);
    }
}

/* The file has room up to `end`; failure is no harm: the write itself extends it. */
static void co_make_room(BlockNode *n, uint64_t end)
{
    PreallocateState *s = n->state;
    g_autoptr(GError) why = NULL;

    co_mutex_lock(&s->lock);
    if (end > n->file->length && end <= INT64_MAX - s->size - s->align) {
        co_block_truncate(n->file, round_up(end + s->size, s->align), PREALLOC_FALLOC, &why);
    }
    co_mutex_unlock(&s->lock);
}

static int co_preallocate_preadv(BlockNode *n, uint64_t offset, uint64_t bytes,
                                 const struct iovec *iov, unsigned niov)
{
    return co_block_preadv(n->file, offset, bytes, iov, niov);
}

static int co_preallocate_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes,
                                  const struct iovec *iov, unsigned niov, unsigned flags)
{
    PreallocateState *s = n->state;
    int ret;

    co_make_room(n, offset + bytes);
    ret = co_block_pwritev(n->file, offset, bytes, iov, niov, flags);
    s->end = ret == 0 ? MAX(s->end, offset + bytes) : s->end;
    return ret;
}

static int co_preallocate_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes,
                                       unsigned flags)
{
    PreallocateState *s = n->state;
    int ret;

    co_make_room(n, offset + bytes);
    ret = co_block_write_zeroes(n->file, offset, bytes, flags);
    s->end = ret == 0 ? MAX(s->end, offset + bytes) : s->end;
    return ret;
}

static bool co_preallocate_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc,
                                    GError **error)
{
    PreallocateState *s = n->state;

    /* shrinking, or growing over room that is there: it is full of zeroes */
    if (length <= s->end || length > n->file->length || prealloc != PREALLOC_OFF) {
        if (!co_block_truncate(n->file, length, prealloc, error)) {
            return false;
        }
    }
    n->length = s->end = length;
    return true;
}

static const OptDesc preallocate_opts[] = {
    { "prealloc-align", OPT_SIZE, "on preallocation, align file length to this number" },
    { "prealloc-size", OPT_SIZE, "how much to preallocate" },
    { NULL },
};

static const BlockDriver preallocate_driver = {
    .name = "preallocate", .desc = "lets files grow in large steps", .filter = true, .grows = true,
    .opts = preallocate_opts, .state_size = sizeof(PreallocateState), .open = preallocate_open,
    .close = preallocate_close, .co_preadv = co_preallocate_preadv, .co_pwritev = co_preallocate_pwritev,
    .co_write_zeroes = co_preallocate_write_zeroes, .co_truncate = co_preallocate_truncate,
};
BLOCK_DRIVER(preallocate_driver);
