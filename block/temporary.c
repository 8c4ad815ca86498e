// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -snapshot and snapshot=on: writes go to a sparse file without a name, cluster by cluster, and
 * are gone with the process. Which clusters it has is a bitmap in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block/driver.h"
#include "util/error.h"
#include "util/iov.h"

#define CLUSTER (64 * KIB)

typedef struct TemporaryState {
    int fd;
    uint8_t *have;              /* a bit per cluster */
    CoMutex lock;               /* held while clusters are filled */
    const AioEngine *aio;
} TemporaryState;

static bool temporary_open(BlockNode *n, struct json_object *opts, GError **error)
{
    TemporaryState *s = n->state;
    const char *dir = g_getenv("TMPDIR") ? g_getenv("TMPDIR") : "/var/tmp";
    g_autofree char *name = g_strdup_printf("%s/vl.XXXXXX", dir);

    s->fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0) {
        return fail_errno(error, errno, "Could not open temporary file '%s'", name);
    }
    unlink(name);
    s->aio = aio_engine_find("threads");
    n->length = n->file->length;
    s->have = g_malloc0(n->length / CLUSTER / 8 + 1);
    return true;
}

static void temporary_close(BlockNode *n)
{
    TemporaryState *s = n->state;

    close(s->fd);
    g_free(s->have);
}

static bool has(const TemporaryState *s, uint64_t offset)
{
    uint64_t c = offset / CLUSTER;

    return s->have[c / 8] >> (c % 8) & 1;
}

/* The whole of a range within the temporary file. */
static int co_own_rw(TemporaryState *s, bool write, uint64_t offset, void *buf, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes;) {
        struct iovec iov = { (uint8_t *)buf + done, bytes - done };
        int64_t moved = s->aio->co_rw(s->fd, write, offset + done, &iov, 1);

        if (moved < 0) {
            return (int)moved;
        }
        if (moved == 0) {
            if (write) {
                return -ENOSPC;
            }
            memset(iov.iov_base, 0, iov.iov_len);
            break;
        }
        done += (uint64_t)moved;
    }
    return 0;
}

static int co_temporary_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                               unsigned niov)
{
    TemporaryState *s = n->state;
    g_autofree uint8_t *buf = g_try_malloc(MAX(bytes, 1));
    int ret = buf ? 0 : -ENOMEM;

    for (uint64_t done = 0; ret == 0 && done < bytes;) {
        uint64_t at = offset + done;
        uint64_t len = MIN(bytes - done, CLUSTER - at % CLUSTER);

        ret = has(s, at) ? co_own_rw(s, false, at, buf + done, len)
                         : co_block_pread(n->file, at, buf + done, len);
        done += len;
    }
    if (ret == 0) {
        iov_from_buf(iov, niov, 0, buf, bytes);
    }
    return ret;
}

/* Brings what a partial write leaves of a cluster over from below. */
static int co_fill_cluster(BlockNode *n, uint64_t at)
{
    TemporaryState *s = n->state;
    uint64_t start = at / CLUSTER * CLUSTER;
    uint64_t len = MIN(CLUSTER, n->length - start);
    g_autofree uint8_t *buf = g_malloc(len);
    int ret = co_block_pread(n->file, start, buf, len);

    return ret < 0 ? ret : co_own_rw(s, true, start, buf, len);
}

static int co_write_cluster(BlockNode *n, uint64_t at, uint8_t *data, uint64_t len)
{
    TemporaryState *s = n->state;
    int ret = 0;

    if (has(s, at)) {
        return co_own_rw(s, true, at, data, len);
    }
    co_mutex_lock(&s->lock);
    if (!has(s, at) && len < MIN(CLUSTER, n->length - at / CLUSTER * CLUSTER)) {
        ret = co_fill_cluster(n, at);
    }
    if (ret == 0) {
        ret = co_own_rw(s, true, at, data, len);
    }
    if (ret == 0) {
        s->have[at / CLUSTER / 8] |= 1u << (at / CLUSTER % 8);
    }
    co_mutex_unlock(&s->lock);
    return ret;
}

static int co_temporary_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                                unsigned niov, unsigned flags)
{
    g_autofree uint8_t *buf = g_try_malloc(MAX(bytes, 1));
    int ret = buf ? 0 : -ENOMEM;

    if (buf) {
        iov_to_buf(iov, niov, 0, buf, bytes);
    }
    for (uint64_t done = 0; ret == 0 && done < bytes;) {
        uint64_t at = offset + done;
        uint64_t len = MIN(bytes - done, CLUSTER - at % CLUSTER);

        ret = co_write_cluster(n, at, buf + done, len);
        done += len;
    }
    return ret;
}

static const BlockChildDesc temporary_children[] = { { "file", BLOCK_ROLE_COW | BLOCK_ROLE_PRIMARY }, { NULL } };

static const BlockDriver temporary_driver = {
    .name = "temporary", .desc = "writes that are forgotten", .overlay = true, .internal = true,
    .children = temporary_children,
    .state_size = sizeof(TemporaryState), .open = temporary_open, .close = temporary_close,
    .co_preadv = co_temporary_preadv, .co_pwritev = co_temporary_pwritev,
};
BLOCK_DRIVER(temporary_driver);
