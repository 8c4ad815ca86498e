// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NBD server: commands. Each runs in a coroutine of its own; replies are sent whole, in any order.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block/nbd/server.h"
#include "util/bswap.h"
#include "util/event-loop.h"

#define MAX_EXTENTS 131072u

typedef struct NbdRequest {
    NbdClient *c;
    uint16_t flags, type;
    uint64_t cookie, offset;
    uint32_t len;
    uint8_t *data;              /* write: its bytes */
} NbdRequest;

static uint32_t wire_error(int ret)
{
    switch (-ret) {
    case 0:
        return 0;
    case EPERM:
    case EROFS:
        return NBD_EPERM;
    case EIO:
        return NBD_EIO;
    case ENOMEM:
        return NBD_ENOMEM;
    case EDQUOT:
    case EFBIG:
    case ENOSPC:
        return NBD_ENOSPC;
    case EOVERFLOW:
        return NBD_EOVERFLOW;
    case ENOTSUP:
        return NBD_ENOTSUP;
    case ESHUTDOWN:
        return NBD_ESHUTDOWN;
    case EINVAL:
    default:
        return NBD_EINVAL;
    }
}

/* ---- replies ---- */

static void co_send(NbdClient *c, const struct iovec *iov, unsigned niov)
{
    co_mutex_lock(&c->send_lock);
    if (!c->failed && co_channel_writev(c->channel, iov, niov) < 0) {
        c->failed = true;
        channel_shutdown(c->channel);
    }
    co_mutex_unlock(&c->send_lock);
}

static void co_send_simple(const NbdRequest *r, int ret, void *data, uint32_t len)
{
    uint8_t head[16];
    struct iovec iov[2] = { { head, sizeof(head) }, { data, len } };

    store_be32(head, NBD_SIMPLE_MAGIC);
    store_be32(head + 4, wire_error(ret));
    store_be64(head + 8, r->cookie);
    co_send(r->c, iov, len ? 2 : 1);
}

/* A chunk whose payload is in two parts. */
static void co_send_chunk(const NbdRequest *r, bool last, uint16_t type, const void *a,
                          uint32_t a_len, void *b, uint32_t b_len)
{
    uint8_t head[20];
    struct iovec iov[3] = { { head, sizeof(head) }, { (void *)a, a_len }, { b, b_len } };

    store_be32(head, NBD_CHUNK_MAGIC);
    store_be16(head + 4, last ? NBD_CHUNK_DONE : 0);
    store_be16(head + 6, type);
    store_be64(head + 8, r->cookie);
    store_be32(head + 16, a_len + b_len);
    co_send(r->c, iov, b_len ? 3 : a_len ? 2 : 1);
}

static void co_send_error(const NbdRequest *r, int ret, const char *text)
{
    uint8_t head[6];

    if (!r->c->structured) {
        co_send_simple(r, ret, NULL, 0);
        return;
    }
    store_be32(head, wire_error(ret));
    store_be16(head + 4, (uint16_t)strlen(text));
    co_send_chunk(r, true, NBD_CHUNK_ERROR, head, sizeof(head), (void *)text,
                  (uint32_t)strlen(text));
}

/* What has no data: in both kinds a simple reply is allowed for all but reads. */
static void co_send_result(const NbdRequest *r, int ret, const char *text)
{
    if (r->c->structured) {
        if (ret < 0) {
            co_send_error(r, ret, text);
        } else {
            co_send_chunk(r, true, NBD_CHUNK_NONE, NULL, 0, NULL, 0);
        }
    } else {
        co_send_simple(r, ret, NULL, 0);
    }
}

/* ---- commands ---- */

static void *buffer(uint32_t len)
{
    void *p = NULL;

    return posix_memalign(&p, 4096, MAX(len, 1)) == 0 ? p : NULL;
}

static int co_node_read(NbdExport *e, uint64_t offset, void *buf, uint32_t len)
{
    return co_block_pread(e->node, e->offset + offset, buf, len);
}

/* Holes are told, not sent. */
static void co_read_sparse(const NbdRequest *r, uint8_t *buf)
{
    NbdExport *e = r->c->export;

    for (uint32_t done = 0; done < r->len;) {
        BlockStatus st;
        uint64_t at = r->offset + done;
        int ret = co_block_status_above(e->node, NULL, e->offset + at, r->len - done, true, &st);
        uint32_t len = ret < 0 ? r->len - done : (uint32_t)MIN(st.bytes, r->len - done);
        bool hole = ret == 0 && (st.flags & BLOCK_STATUS_ZERO), last = done + len == r->len;
        uint8_t head[12];

        store_be64(head, at);
        if (hole) {
            store_be32(head + 8, len);
            co_send_chunk(r, last, NBD_CHUNK_HOLE, head, 12, NULL, 0);
        } else {
            ret = co_node_read(e, at, buf, len);
            if (ret < 0) {
                co_send_error(r, ret, "reading from file failed");
                return;
            }
            co_send_chunk(r, last, NBD_CHUNK_DATA, head, 8, buf, len);
        }
        done += len;
    }
}

static void co_read(const NbdRequest *r)
{
    NbdExport *e = r->c->export;
    uint8_t *buf = buffer(r->len), head[8];
    int ret = buf ? 0 : -ENOMEM;

    if (ret == 0 && r->c->structured && !(r->flags & NBD_FLAG_DF) && r->len) {
        co_read_sparse(r, buf);
        free(buf);
        return;
    }
    ret = ret < 0 ? ret : co_node_read(e, r->offset, buf, r->len);
    if (ret < 0) {
        co_send_error(r, ret, "reading from file failed");
    } else if (r->c->structured) {
        store_be64(head, r->offset);
        if (r->len) {
            co_send_chunk(r, true, NBD_CHUNK_DATA, head, 8, buf, r->len);
        } else {
            co_send_chunk(r, true, NBD_CHUNK_NONE, NULL, 0, NULL, 0);
        }
    } else {
        co_send_simple(r, 0, buf, r->len);
    }
    free(buf);
}

static void co_zeroes(const NbdRequest *r)
{
    NbdExport *e = r->c->export;
    unsigned flags = (r->flags & NBD_FLAG_FUA ? BLOCK_FUA : 0) |
                     (r->flags & NBD_FLAG_NO_HOLE ? 0 : BLOCK_MAY_UNMAP) |
                     (r->flags & NBD_FLAG_FAST_ZERO ? BLOCK_NO_FALLBACK : 0);

    co_send_result(r, co_block_write_zeroes(e->node, e->offset + r->offset, r->len, flags),
                   "writing to file failed");
}

static void co_trim(const NbdRequest *r)
{
    NbdExport *e = r->c->export;
    int ret = co_block_discard(e->node, e->offset + r->offset, r->len);

    if (ret == 0 && (r->flags & NBD_FLAG_FUA)) {
        ret = co_block_flush(e->node);
    }
    co_send_result(r, ret, "discard failed");
}

static void co_cache(const NbdRequest *r)
{
    uint8_t *buf = buffer(MIN(r->len, 1u << 20));
    int ret = buf ? 0 : -ENOMEM;

    for (uint32_t done = 0; done < r->len && ret == 0; done += 1u << 20) {
        ret = co_node_read(r->c->export, r->offset + done, buf, MIN(r->len - done, 1u << 20));
    }
    free(buf);
    co_send_result(r, ret, "caching data failed");
}

static void co_status(const NbdRequest *r)
{
    NbdClient *c = r->c;
    unsigned max = r->flags & NBD_FLAG_REQ_ONE ? 1 : MAX_EXTENTS;
    g_autofree uint32_t *extents = NULL;

    if (!c->num_contexts || r->len == 0) {
        co_send_error(r, -EINVAL,
                      r->len ? "CMD_BLOCK_STATUS not negotiated" : "need non-zero length");
        return;
    }
    extents = g_new(uint32_t, 2 * MIN(max, r->len / 512 + 2));
    for (unsigned i = 0; i < c->num_contexts; i++) {
        uint8_t id[4];
        int ret = 0;
        unsigned n = co_nbd_extents(c->export, c->contexts[i], r->offset, r->len, extents,
                                    MIN(max, r->len / 512 + 2), &ret);

        if (n == 0) {
            co_send_error(r, ret, "can't get block status");
            return;
        }
        for (unsigned k = 0; k < 2 * n; k++) {
            extents[k] = be32(extents[k]);
        }
        store_be32(id, c->contexts[i]);
        co_send_chunk(r, i + 1 == c->num_contexts, NBD_CHUNK_STATUS, id, 4, extents, n * 8);
    }
}

static void co_run(const NbdRequest *r)
{
    NbdExport *e = r->c->export;

    switch (r->type) {
    case NBD_CMD_READ:
        co_read(r);
        break;
    case NBD_CMD_WRITE:
        co_send_result(r,
                       co_block_pwrite(e->node, e->offset + r->offset, r->data, r->len,
                                       r->flags & NBD_FLAG_FUA ? BLOCK_FUA : 0),
                       "writing to file failed");
        break;
    case NBD_CMD_FLUSH:
        co_send_result(r, co_block_flush(e->node), "flush failed");
        break;
    case NBD_CMD_TRIM:
        co_trim(r);
        break;
    case NBD_CMD_CACHE:
        co_cache(r);
        break;
    case NBD_CMD_ZEROES:
        co_zeroes(r);
        break;
    default:
        co_status(r);
        break;
    }
}

/* What is wrong with a request, NULL: nothing; *ret the error. */
static const char *refusal(const NbdRequest *r, int *ret)
{
    const NbdExport *e = r->c->export;
    unsigned known = r->type == NBD_CMD_READ ? (r->c->structured ? NBD_FLAG_DF : 0)
                     : r->type == NBD_CMD_WRITE || r->type == NBD_CMD_TRIM ? NBD_FLAG_FUA
                     : r->type == NBD_CMD_ZEROES
                         ? NBD_FLAG_FUA | NBD_FLAG_NO_HOLE | NBD_FLAG_FAST_ZERO
                     : r->type == NBD_CMD_STATUS ? NBD_FLAG_REQ_ONE
                                                 : 0;
    bool changes = r->type == NBD_CMD_WRITE || r->type == NBD_CMD_TRIM || r->type == NBD_CMD_ZEROES;

    *ret = -EINVAL;
    if (r->type > NBD_CMD_STATUS || r->type == NBD_CMD_DISCONNECT) {
        return "invalid request type";
    }
    if (changes && !e->writable) {
        *ret = -EROFS;
        return "Export is read-only";
    }
    if ((r->flags & ~known) && !(r->flags == NBD_FLAG_FUA)) {
        return "unsupported flags";
    }
    if (r->offset > e->length || r->len > e->length - r->offset) {
        *ret = changes && r->type != NBD_CMD_TRIM ? -ENOSPC : -EINVAL;
        return "operation past EOF";
    }
    if (r->len > NBD_MAX_BYTES && (r->type == NBD_CMD_READ || r->type == NBD_CMD_CACHE)) {
        return "len is larger than max len";
    }
    return NULL;
}

static void co_request(void *opaque)
{
    NbdRequest *r = opaque;
    NbdClient *c = r->c;
    int ret;
    const char *why = refusal(r, &ret);

    if (why) {
        co_send_error(r, ret, why);
    } else {
        co_graph_enter();
        co_run(r);
        graph_leave();
    }
    free(r->data);
    g_free(r);
    c->requests--;
    co_queue_wake_all(&c->room);
}

/* NULL: the connection ends. */
static NbdRequest *co_receive(NbdClient *c)
{
    uint8_t head[NBD_REQUEST_SIZE];
    NbdRequest *r;

    if (co_channel_read(c->channel, head, sizeof(head)) <= 0 ||
        load_be32(head) != NBD_REQUEST_MAGIC) {
        return NULL;
    }
    r = g_new0(NbdRequest, 1);
    r->c = c;
    r->flags = load_be16(head + 4);
    r->type = load_be16(head + 6);
    r->cookie = load_be64(head + 8);
    r->offset = load_be64(head + 16);
    r->len = load_be32(head + 24);
    if (r->type == NBD_CMD_WRITE && r->len) {
        /* too much is not read: what follows could not be told from commands */
        r->data = r->len <= NBD_MAX_BYTES ? buffer(r->len) : NULL;
        if (!r->data || co_channel_read(c->channel, r->data, r->len) <= 0) {
            free(r->data);
            g_free(r);
            return NULL;
        }
    }
    return r;
}

void co_nbd_serve(NbdClient *c)
{
    for (NbdRequest *r; !c->failed && (r = co_receive(c)) != NULL;) {
        if (r->type == NBD_CMD_DISCONNECT) {
            g_free(r);
            break;
        }
        c->requests++;
        if (block_node_loop(c->export->node) == event_loop_main()) {
            coroutine_start(co_request, r);
        } else {
            coroutine_wake(coroutine_new_in(block_node_loop(c->export->node), co_request, r));
        }
        while (c->requests >= NBD_MAX_REQUESTS) {
            co_queue_wait(&c->room, NULL);
        }
    }
    while (c->requests) {
        co_queue_wait(&c->room, NULL);
    }
}
