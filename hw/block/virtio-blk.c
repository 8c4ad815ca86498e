// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio block device (Virtual I/O Device 1.1, 5.2): several queues, flush, write cache
 * control, discard, write zeroes. Data goes between guest memory and the block layer
 * without a copy.
 */
#include "block/drive-conf.h"
#include "hw/virtio/virtio.h"
#include "qom/iothread.h"
#include "util/bswap.h"

#define SECTOR 512
#define AUTO_QUEUES 0xffff
#define SEG_MAX 126 /* without seg-max-adjust */
#define ID_LEN 20
#define MAX_DISCARD_SECTORS (INT32_MAX / SECTOR)

enum {
    BLK_F_SEG_MAX = 2,
    BLK_F_GEOMETRY = 4,
    BLK_F_RO = 5,
    BLK_F_BLK_SIZE = 6,
    BLK_F_FLUSH = 9,
    BLK_F_TOPOLOGY = 10,
    BLK_F_CONFIG_WCE = 11,
    BLK_F_MQ = 12,
    BLK_F_DISCARD = 13,
    BLK_F_WRITE_ZEROES = 14
};
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

typedef struct VirtioBlk {
    VirtioDevice v;
    BlockFront *drive;
    char *serial;
    int32_t bootindex;
    DriveConf conf;
    IoThread *iothread;          /* where queues are served and the disk is read; NULL: main loop */
    uint16_t num_queues, queue_size;
    bool config_wce, discard, write_zeroes, scsi, seg_max_adjust, report_granularity, merging;
    uint32_t max_discard, max_zeroes; /* sectors of a request */
    uint32_t pci_class;
    DriveGeometry geometry;
    unsigned in_flight;
    uint32_t epoch;              /* counts resets: completions of older requests are dropped */
} VirtioBlk;

typedef struct BlkRequest {
    VirtioBlk *blk;
    VirtqElem *elem;
    DmaList data;
    uint32_t epoch;
    uint32_t in_data;            /* device-writable bytes before the status byte */
    bool is_read;
} BlkRequest;

static void blk_finish(BlkRequest *r, uint8_t status)
{
    VirtioBlk *s = r->blk;
    VirtioDevice *v = &s->v;

    dma_list_unmap(&r->data, r->is_read && status == S_OK ? r->data.size : 0);
    dma_list_free(&r->data);
    s->in_flight--;
    if (r->epoch == s->epoch) {
        virtq_write(v, r->elem, r->elem->in_len - 1, &status, 1);
        virtq_push(v, r->elem, r->is_read ? r->elem->in_len : 1);
        virtq_notify(v, r->elem->vq);
    }
    g_free(r->elem);
    g_free(r);
}

static void blk_done(void *opaque, int ret)
{
    blk_finish(opaque, ret == 0 ? S_OK : ret == -ENOTSUP ? S_UNSUPP : S_IOERR);
}

/* Pieces [off, off + len) of a request's readable or writable side as a mapped list. */
static bool blk_map(BlkRequest *r, const DmaSg *sg, unsigned n, uint64_t off, uint64_t len,
                    bool is_write)
{
    for (unsigned i = 0; i < n && len; i++) {
        if (off >= sg[i].len) {
            off -= sg[i].len;
            continue;
        }
        uint64_t part = MIN(sg[i].len - off, len);

        dma_list_add(&r->data, sg[i].addr + off, part);
        len -= part;
        off = 0;
    }
    return len == 0 && dma_list_map(&r->data, is_write);
}

/* 5.2.6.2: a driver that cannot flush must find what it wrote on the disk. */
static bool writes_through(const VirtioBlk *s)
{
    return !s->drive->write_cache ||
           !(virtio_has(&s->v, BLK_F_FLUSH) || virtio_has(&s->v, BLK_F_CONFIG_WCE));
}

static void blk_transfer(BlkRequest *r, uint64_t sector, bool write)
{
    VirtioBlk *s = r->blk;
    VirtqElem *e = r->elem;
    uint64_t len = write ? e->out_len - 16 : r->in_data;
    uint64_t size = block_size(s->drive);

    if (len % SECTOR || sector > size / SECTOR || len > size - sector * SECTOR ||
        (write && s->drive->read_only)) {
        blk_finish(r, S_IOERR);
        return;
    }
    if (len == 0) {
        blk_finish(r, S_OK);
        return;
    }
    r->is_read = !write;
    if (!blk_map(r, write ? e->out : e->in, write ? e->num_out : e->num_in, write ? 16 : 0, len,
                 !write)) {
        r->is_read = false;
        blk_finish(r, S_IOERR);
    } else if (write) {
        block_write(s->drive, sector * SECTOR, r->data.iov, r->data.niov, writes_through(s),
                    blk_done, r);
    } else {
        block_read(s->drive, sector * SECTOR, r->data.iov, r->data.niov, blk_done, r);
    }
}

/* 5.2.6: one range a request is what we offer. */
static void blk_range(BlkRequest *r, bool zero)
{
    VirtioBlk *s = r->blk;
    uint8_t range[16];
    uint64_t size = block_size(s->drive);

    if (r->elem->out_len != 32 || virtq_read(&s->v, r->elem, 16, range, 16) != 16) {
        blk_finish(r, S_UNSUPP);
        return;
    }
    uint64_t sector = load_le64(range);
    uint32_t count = load_le32(range + 8), flags = load_le32(range + 12);

    if (flags & ~(zero ? 1u : 0u)) {
        blk_finish(r, S_UNSUPP);
    } else if (s->drive->read_only || sector > size / SECTOR || count > size / SECTOR - sector) {
        blk_finish(r, S_IOERR);
    } else if (count > (zero ? s->max_zeroes : s->max_discard)) {
        blk_finish(r, S_IOERR);
    } else if (zero) {
        block_write_zeroes(s->drive, sector * SECTOR, (uint64_t)count * SECTOR, flags & 1, blk_done,
                           r);
    } else {
        block_discard(s->drive, sector * SECTOR, (uint64_t)count * SECTOR, blk_done, r);
    }
}

static void blk_get_id(BlkRequest *r)
{
    char id[ID_LEN] = { 0 };
    const char *serial = r->blk->serial ? r->blk->serial : r->blk->drive->serial;

    if (serial) {
        memcpy(id, serial, MIN(strlen(serial), ID_LEN));
    }
    r->is_read = true;
    virtq_write(&r->blk->v, r->elem, 0, id, MIN(r->in_data, ID_LEN));
    blk_finish(r, S_OK);
}

static void blk_start(VirtioBlk *s, VirtqElem *e)
{
    VirtioDevice *v = &s->v;
    uint8_t header[16];

    if (e->in_len < 1 || virtq_read(v, e, 0, header, sizeof(header)) != sizeof(header)) {
        virtio_error(v, "request without header or status byte");
        g_free(e);
        return;
    }
    BlkRequest *r = g_new0(BlkRequest, 1);

    *r = (BlkRequest){ .blk = s, .elem = e, .epoch = s->epoch, .in_data = e->in_len - 1 };
    dma_list_init(&r->data, &v->pci.dev);
    s->in_flight++;
    switch (load_le32(header)) {
    case T_IN:
    case T_OUT:
        blk_transfer(r, load_le64(header + 8), load_le32(header) == T_OUT);
        break;
    case T_FLUSH:
        block_flush(s->drive, blk_done, r);
        break;
    case T_GET_ID:
        blk_get_id(r);
        break;
    case T_DISCARD:
    case T_WRITE_ZEROES:
        blk_range(r, load_le32(header) == T_WRITE_ZEROES);
        break;
    default:
        blk_finish(r, S_UNSUPP);
        break;
    }
}

static void blk_notify(VirtioDevice *v, unsigned n)
{
    VirtQueue *vq = &v->vq[n];
    VirtqElem *e;

    do {
        virtq_enable_kick(v, vq, false);
        while ((e = virtq_pop(v, vq)) != NULL) {
            blk_start((VirtioBlk *)v, e);
        }
    } while (virtq_enable_kick(v, vq, true));
}

static uint64_t blk_features(VirtioDevice *v)
{
    VirtioBlk *s = (VirtioBlk *)v;
    uint64_t f = VIRTIO_BIT(BLK_F_SEG_MAX) | VIRTIO_BIT(BLK_F_BLK_SIZE) | VIRTIO_BIT(BLK_F_FLUSH) |
                 VIRTIO_BIT(BLK_F_TOPOLOGY) | VIRTIO_BIT(BLK_F_GEOMETRY);

    f |= s->config_wce ? VIRTIO_BIT(BLK_F_CONFIG_WCE) : 0;
    f |= s->num_queues > 1 ? VIRTIO_BIT(BLK_F_MQ) : 0;
    f |= s->drive->read_only ? VIRTIO_BIT(BLK_F_RO) : 0;
    f |= s->discard && !s->drive->read_only ? VIRTIO_BIT(BLK_F_DISCARD) : 0;
    f |= s->write_zeroes && !s->drive->read_only ? VIRTIO_BIT(BLK_F_WRITE_ZEROES) : 0;
    return f;
}

static void blk_config_read(VirtioDevice *v)
{
    VirtioBlk *s = (VirtioBlk *)v;
    uint8_t *c = v->config;

    memset(c, 0, 60);
    store_le64(c, block_size(s->drive) / SECTOR);
    store_le32(c + 12, s->seg_max_adjust ? s->queue_size - 2u : SEG_MAX);
    store_le16(c + 16, (uint16_t)s->geometry.cyls);
    c[18] = (uint8_t)s->geometry.heads;
    c[19] = (uint8_t)s->geometry.secs;
    store_le32(c + 20, (uint32_t)s->conf.logical_block_size);
    c[24] = (uint8_t)__builtin_ctzll(s->conf.physical_block_size / s->conf.logical_block_size);
    c[32] = s->drive->write_cache;
    store_le16(c + 26, (uint16_t)(s->conf.min_io_size / s->conf.logical_block_size));
    store_le32(c + 28, (uint32_t)(s->conf.opt_io_size / s->conf.logical_block_size));
    store_le16(c + 34, s->num_queues);
    store_le32(c + 36, s->max_discard);
    store_le32(c + 40, 1);
    store_le32(c + 44, s->report_granularity
                           ? (uint32_t)(s->conf.discard_granularity / SECTOR)
                           : (uint32_t)(s->conf.logical_block_size / SECTOR));
    store_le32(c + 48, s->max_zeroes);
    store_le32(c + 52, 1);
    c[56] = 1;
}

static void blk_config_write(VirtioDevice *v, uint32_t off, uint32_t len)
{
    VirtioBlk *s = (VirtioBlk *)v;

    if (off <= 32 && off + len > 32 && s->config_wce) {
        s->drive->write_cache = v->config[32] != 0;
    }
}

static bool blk_limits(const VirtioBlk *s, GError **error)
{
    if (s->discard && (!s->max_discard || s->max_discard > MAX_DISCARD_SECTORS)) {
        return fail(error, "invalid max-discard-sectors property (%u), must be between 1 and %d",
                    s->max_discard, MAX_DISCARD_SECTORS);
    }
    if (s->write_zeroes && (!s->max_zeroes || s->max_zeroes > MAX_DISCARD_SECTORS)) {
        return fail(error,
                    "invalid max-write-zeroes-sectors property (%u), must be between 1 and %d",
                    s->max_zeroes, MAX_DISCARD_SECTORS);
    }
    return true;
}

static uint32_t blk_class(VirtioDevice *v)
{
    return ((VirtioBlk *)v)->pci_class;
}

static bool blk_realize(VirtioDevice *v, GError **error)
{
    VirtioBlk *s = (VirtioBlk *)v;

    if (!s->drive) {
        return fail(error, "drive property not set");
    }
    if (s->scsi) {
        return fail(error,
                    "virtio-blk: property 'scsi' cannot be on: virtio 1.0 has no SCSI commands");
    }
    if (s->num_queues == AUTO_QUEUES) {
        s->num_queues = (uint16_t)virtio_auto_queues(v, 0);
    }
    if (s->num_queues == 0 || s->num_queues > VIRTIO_MAX_QUEUES) {
        return fail(error, "virtio-blk: property 'num-queues' must be 1 to %d, not %u",
                    VIRTIO_MAX_QUEUES, s->num_queues);
    }
    if (s->queue_size < 4 || s->queue_size > VIRTIO_QUEUE_MAX ||
        (s->queue_size & (s->queue_size - 1))) {
        return fail(error,
                    "virtio-blk: property 'queue-size' must be a power of two from 4 to %u, not %u",
                    VIRTIO_QUEUE_MAX, s->queue_size);
    }
    if (!drive_conf_sizes(&s->conf, SECTOR, SECTOR, error) ||
        !drive_conf_apply(&s->conf, s->drive, error)) {
        return false;
    }
    if (!blk_limits(s, error) ||
        !drive_geometry(&s->geometry, block_size(s->drive), 65535, 255, 255, error)) {
        return false;
    }
    for (unsigned i = 0; i < s->num_queues; i++) {
        virtio_add_queue(v, s->queue_size);
    }
    v->loop = iothread_loop(s->iothread);
    block_front_set_loop(s->drive, v->loop);
    return true;
}

static void blk_unrealize(VirtioDevice *v)
{
    block_drain(((VirtioBlk *)v)->drive);
}

static void blk_reset(VirtioDevice *v)
{
    ((VirtioBlk *)v)->epoch++;
}

static const Prop blk_props[] = {
    PROP_DRIVE(VirtioBlk, drive),
    PROP_I32(VirtioBlk, bootindex, "bootindex", -1),
    PROP_STRING(VirtioBlk, serial, "serial"),
    PROP_U16(VirtioBlk, num_queues, "num-queues", AUTO_QUEUES,
             .help = "65535: one for each CPU (PCI), or one"),
    PROP_U16(VirtioBlk, queue_size, "queue-size", 256),
    PROP_DRIVE_SIZES(VirtioBlk, conf),
    PROP_LINK(VirtioBlk, iothread, "iothread", "iothread"),
    PROP_DRIVE_SHARING(VirtioBlk, conf),
    PROP_DRIVE_ERRORS(VirtioBlk, conf),
    PROP_BOOL(VirtioBlk, config_wce, "config-wce", true),
    PROP_BOOL(VirtioBlk, discard, "discard", true),
    PROP_BOOL(VirtioBlk, write_zeroes, "write-zeroes", true),
    PROP_U32(VirtioBlk, max_discard, "max-discard-sectors", MAX_DISCARD_SECTORS),
    PROP_U32(VirtioBlk, max_zeroes, "max-write-zeroes-sectors", MAX_DISCARD_SECTORS),
    PROP_BOOL(VirtioBlk, report_granularity, "report-discard-granularity", true),
    PROP_BOOL(VirtioBlk, seg_max_adjust, "seg-max-adjust", true,
              .help = "requests have as many pieces as fit into a queue"),
    PROP_BOOL(VirtioBlk, merging, "request-merging", true,
              .help = "no effect: requests go out one by one, the host's queue joins them"),
    PROP_U32(VirtioBlk, pci_class, "class", 0, .help = "PCI class code, 0: the usual one"),
    PROP_DRIVE_GEOMETRY(VirtioBlk, geometry),
    PROP_BOOL(VirtioBlk, scsi, "scsi", false, .help = "SCSI commands, which virtio 1.0 has dropped: only off"),
    PROP_END,
};

static const StateField blk_state[] = {
    HOST_ONLY(VirtioBlk, in_flight, "zero while the machine is stopped"),
    HOST_ONLY(VirtioBlk, epoch, "tells old requests from new"),
    STATE_END,
};

static const VirtioType blk_type = {
    .name = "virtio-blk", .desc = "Block device", .category = "storage",
    .id = 2, .legacy_pci_id = 0x1001, .pci_class = 0x010000, .size = sizeof(VirtioBlk), .config_size = 60,
    .props = blk_props, .state = blk_state,
    .realize = blk_realize, .unrealize = blk_unrealize, .reset = blk_reset,
    .features = blk_features, .config_read = blk_config_read, .config_write = blk_config_write,
    .notify = blk_notify, .class_override = blk_class,
};
VIRTIO_TYPE(blk_type);
