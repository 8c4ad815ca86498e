// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The export vhost-user-blk: a virtio block device (Virtual I/O Device 1.1, 5.2) for a machine in
 * another process, whose memory we share. Each request is a coroutine on the node.
 */
#include <string.h>
#include <unistd.h>

#include "block/export.h"
#include "block/vhost/device.h"
#include "util/bswap.h"
#include "util/error.h"
#include "util/iov.h"
#include "util/socket.h"

#define SECTOR 512u
#define SEG_MAX 126
#define ID_LEN 20
#define CONFIG_BYTES 60u
#define MAX_RANGE_SECTORS (INT32_MAX / SECTOR)

enum { BLK_F_SEG_MAX = 2, BLK_F_RO = 5, BLK_F_BLK_SIZE = 6, BLK_F_FLUSH = 9, BLK_F_TOPOLOGY = 10,
       BLK_F_CONFIG_WCE = 11, BLK_F_MQ = 12, BLK_F_DISCARD = 13, BLK_F_WRITE_ZEROES = 14 };
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

typedef struct BlkExport {
    BlockExport common;
    VuDevice device;
    BlockEdge *edge;
    char *path;                 /* of the socket; NULL: not ours */
    uint32_t block_size;
    bool writable, write_cache;
} BlkExport;

typedef struct BlkRequest {
    BlkExport *e;
    VuElem *elem;
} BlkRequest;

static BlkExport *export_of(VuDevice *d)
{
    return (BlkExport *)((char *)d - offsetof(BlkExport, device));
}

static uint64_t sectors(const BlkExport *e)
{
    return e->common.node->length / SECTOR;
}

/* ---- requests ---- */

static int status_of(int ret)
{
    return ret >= 0 ? S_OK : ret == -ENOTSUP ? S_UNSUPP : S_IOERR;
}

static int co_transfer(BlkExport *e, const VuElem *v, uint64_t sector, bool write)
{
    uint64_t skip = write ? 16 : 0, len = write ? v->out_len - 16 : v->in_len - 1;
    const struct iovec *all = write ? v->out : v->in;
    unsigned count = write ? v->num_out : v->num_in;
    int ret;

    if (len % SECTOR || len > INT32_MAX || sector > sectors(e) ||
        len / SECTOR > sectors(e) - sector || (write && !e->writable)) {
        return S_IOERR;
    }
    g_autofree struct iovec *iov = g_new(struct iovec, count);
    unsigned n = iov_slice(iov, count, all, count, skip, len);

    co_graph_enter();
    ret = write ? co_block_pwritev(e->common.node, sector * SECTOR, len, iov, n,
                                   e->write_cache ? 0 : BLOCK_FUA)
                : co_block_preadv(e->common.node, sector * SECTOR, len, iov, n);
    graph_leave();
    return status_of(ret);
}

/* 5.2.6: one range a request is what we offer. */
static int co_range(BlkExport *e, const VuElem *v, bool zero)
{
    uint8_t range[16];
    int ret;

    if (v->out_len != 32 ||
        iov_to_buf(v->out, v->num_out, 16, range, sizeof(range)) != sizeof(range)) {
        return S_UNSUPP;
    }
    uint64_t sector = load_le64(range);
    uint32_t count = load_le32(range + 8), flags = load_le32(range + 12);

    if (flags & ~(zero ? 1u : 0u)) {
        return S_UNSUPP;
    }
    if (!e->writable || count > MAX_RANGE_SECTORS || sector > sectors(e) ||
        count > sectors(e) - sector) {
        return S_IOERR;
    }
    co_graph_enter();
    ret = zero ? co_block_write_zeroes(e->common.node, sector * SECTOR, (uint64_t)count * SECTOR,
                                       (flags & 1 ? BLOCK_MAY_UNMAP : 0) |
                                           (e->write_cache ? 0 : BLOCK_FUA))
               : co_block_discard(e->common.node, sector * SECTOR, (uint64_t)count * SECTOR);
    graph_leave();
    return status_of(ret);
}

static int co_flush(BlkExport *e)
{
    int ret;

    co_graph_enter();
    ret = co_block_flush(e->common.node);
    graph_leave();
    return status_of(ret);
}

static void co_request(void *opaque)
{
    BlkRequest r = *(BlkRequest *)opaque;
    const VuElem *v = r.elem;
    uint8_t head[16], status = S_IOERR;
    char id[ID_LEN] = { 0 };
    uint32_t type;

    iov_to_buf(v->out, v->num_out, 0, head, sizeof(head));
    type = load_le32(head);
    switch (type) {
    case T_IN:
    case T_OUT:
        status = (uint8_t)co_transfer(r.e, v, load_le64(head + 8), type == T_OUT);
        break;
    case T_FLUSH:
        status = (uint8_t)co_flush(r.e);
        break;
    case T_GET_ID:
        g_strlcpy(id, r.e->common.id, sizeof(id));
        iov_from_buf(v->in, v->num_in, 0, id, MIN(v->in_len - 1, ID_LEN));
        status = S_OK;
        break;
    case T_DISCARD:
    case T_WRITE_ZEROES:
        status = (uint8_t)co_range(r.e, v, type == T_WRITE_ZEROES);
        break;
    default:
        status = S_UNSUPP;
        break;
    }
    iov_from_buf(v->in, v->num_in, v->in_len - 1, &status, 1);
    vring_push(v->ring, v, type == T_IN || type == T_GET_ID ? (uint32_t)v->in_len : 1);
    vu_request_ended(&r.e->device, r.elem);
}

static void blk_request(VuDevice *d, VuElem *v)
{
    BlkRequest r = { export_of(d), v };

    if (v->out_len < 16 || v->in_len < 1) {
        guest_error("vhost-user-blk: request without header or status byte");
        v->ring->broken = true;
        vring_push(v->ring, v, 0);
        vu_request_ended(d, v);
        return;
    }
    coroutine_start(co_request, &r);
}

/* ---- configuration ---- */

static uint64_t blk_features(VuDevice *d)
{
    const BlkExport *e = export_of(d);
    uint64_t f = 1ull << BLK_F_SEG_MAX | 1ull << BLK_F_BLK_SIZE | 1ull << BLK_F_FLUSH |
                 1ull << BLK_F_TOPOLOGY | 1ull << BLK_F_CONFIG_WCE | 1ull << BLK_F_MQ;

    return f |
           (e->writable ? 1ull << BLK_F_DISCARD | 1ull << BLK_F_WRITE_ZEROES : 1ull << BLK_F_RO);
}

static void blk_config_read(VuDevice *d, uint8_t *c, size_t len)
{
    const BlkExport *e = export_of(d);

    store_le64(c, sectors(e));
    store_le32(c + 12, SEG_MAX);
    store_le32(c + 20, e->block_size);
    c[32] = e->write_cache;
    store_le16(c + 34, (uint16_t)d->num_queues);
    store_le32(c + 36, MAX_RANGE_SECTORS);
    store_le32(c + 40, 1);
    store_le32(c + 44, e->block_size / SECTOR);
    store_le32(c + 48, MAX_RANGE_SECTORS);
    store_le32(c + 52, 1);
    c[56] = 1;
}

static bool blk_config_write(VuDevice *d, unsigned offset, const uint8_t *data, unsigned len)
{
    if (offset != 32 || len != 1) {
        return false;
    }
    export_of(d)->write_cache = data[0] != 0;
    return true;
}

static const VuDeviceOps blk_ops = {
    .features = blk_features, .config_read = blk_config_read, .config_write = blk_config_write, .request = blk_request,
};

/* ---- the export ---- */

static int blk_listen(BlkExport *e, const SocketAddress *a, GError **error)
{
    SocketPlace p = { .kind = SOCKET_UNIX };

    if (a->type == SOCKET_ADDRESS_TYPE_UNIX) {
        p.path = a->u.unix_->path;
        e->path = g_strdup(p.path);
    } else if (a->type == SOCKET_ADDRESS_TYPE_FD) {
        p.kind = SOCKET_FD;
        p.fd = a->u.fd->str;
    } else {
        fail(error, "Only socket address types 'unix' and 'fd' are supported");
        return -1;
    }
    return socket_listen(&p, 1, error);
}

static bool blk_open(BlockExport *common, const BlockExportOptions *options, GError **error)
{
    const BlockExportOptionsVhostUserBlk *o = options->u.vhost_user_blk;
    BlkExport *e = (BlkExport *)common;
    uint64_t size = o->has_logical_block_size ? o->logical_block_size : SECTOR;
    unsigned queues = o->has_num_queues ? o->num_queues : 1;
    int fd;

    if (size < SECTOR || size > 2 * MIB || (size & (size - 1))) {
        return fail(error,
                    "Property %s.logical-block-size doesn't take value %" G_GUINT64_FORMAT
                    " (a power of 2; minimum: 512, maximum: 2097152)",
                    options->id, size);
    }
    if (queues == 0 || queues > VU_MAX_QUEUES) {
        return queues == 0 ? fail(error, "num-queues must be greater than 0")
                           : fail(error, "num-queues must be at most %u", VU_MAX_QUEUES);
    }
    e->block_size = (uint32_t)size;
    e->writable = options->has_writable && options->writable;
    e->write_cache = !(options->has_writethrough && options->writethrough);
    e->edge = block_attach(common->node, "vhost-user-blk export",
                           BLOCK_PERM_READ | (e->writable ? BLOCK_PERM_WRITE : 0),
                           BLOCK_PERM_ALL & ~BLOCK_PERM_RESIZE, error);
    if (!e->edge) {
        return false;
    }
    fd = blk_listen(e, o->addr, error);
    if (fd < 0) {
        block_detach(e->edge);
        g_free(e->path);
        return false;
    }
    vu_device_start(&e->device, &blk_ops, queues, fd);
    return true;
}

static bool blk_used(const BlockExport *common)
{
    return ((const BlkExport *)common)->device.channel != NULL;
}

static void blk_close(BlockExport *common)
{
    BlkExport *e = (BlkExport *)common;

    vu_device_stop(&e->device);
    block_detach(e->edge);
    if (e->path) {
        unlink(e->path);
        g_free(e->path);
    }
}

static const BlockExportDriver vhost_user_blk_exports = {
    .type = BLOCK_EXPORT_TYPE_VHOST_USER_BLK, .size = sizeof(BlkExport), .open = blk_open, .used = blk_used, .close = blk_close,
};
EXPORT_DRIVER(vhost_user_blk_exports);
