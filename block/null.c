// SPDX-License-Identifier: GPL-2.0-or-later
/* Disks that are not there: writes vanish, reads give zeroes when asked to. For measurements. */
#include "block/driver.h"
#include "util/iov.h"

typedef struct NullState {
    uint64_t latency_ns;
    bool read_zeroes;
} NullState;

static bool null_open(BlockNode *n, struct json_object *opts, GError **error)
{
    NullState *s = n->state;

    n->length = opts_number(opts, "size", GIB);
    s->latency_ns = opts_number(opts, "latency-ns", 0);
    s->read_zeroes = opts_bool(opts, "read-zeroes", false);
    n->filename = g_strconcat(n->driver->name, "://", NULL);
    return true;
}

static void co_null_wait(const NullState *s)
{
    if (s->latency_ns) {
        co_sleep_ns(CLOCK_RT, (int64_t)MIN(s->latency_ns, G_MAXINT64 / 2));
    }
}

static int co_null_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov)
{
    NullState *s = n->state;

    co_null_wait(s);
    if (s->read_zeroes) {
        iov_memset(iov, niov, 0, 0, bytes);
    }
    return 0;
}

static int co_null_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                           unsigned niov, unsigned flags)
{
    co_null_wait(n->state);
    return 0;
}

static int co_null_flush(BlockNode *n)
{
    co_null_wait(n->state);
    return 0;
}

static int co_null_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    co_null_wait(n->state);
    return 0;
}

static int co_null_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                          BlockStatus *st)
{
    NullState *s = n->state;

    st->flags = BLOCK_STATUS_OFFSET | BLOCK_STATUS_ALLOCATED |
                (s->read_zeroes ? BLOCK_STATUS_ZERO : BLOCK_STATUS_DATA);
    st->map = offset;
    st->map_node = n;
    return 0;
}

static int64_t null_allocated(BlockNode *n)
{
    return 0;
}

static const OptDesc null_opts[] = {
    { "size", OPT_SIZE, "size of the null block" },
    { "latency-ns", OPT_NUMBER, "nanoseconds (approximated) to wait before completing request" },
    { "read-zeroes", OPT_BOOL, "return zeroes when read" },
    { "filename", OPT_STRING, "" },
    { NULL },
};

#define NULL_FUNCTIONS                                                                       \
    .protocol = true, .opts = null_opts, .state_size = sizeof(NullState), .open = null_open, \
    .co_preadv = co_null_preadv, .co_pwritev = co_null_pwritev, .co_flush = co_null_flush,   \
    .co_write_zeroes = co_null_write_zeroes, .co_block_status = co_null_status,              \
    .allocated = null_allocated

static const BlockDriver null_co_driver = { .name = "null-co", .desc = "nothing", NULL_FUNCTIONS };
BLOCK_DRIVER(null_co_driver);

static const BlockDriver null_aio_driver = {
    .name = "null-aio", .desc = "nothing, later", NULL_FUNCTIONS};
BLOCK_DRIVER(null_aio_driver);
